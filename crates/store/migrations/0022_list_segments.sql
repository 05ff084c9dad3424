-- List segments: segments with lists of members, one for each environment, context kind and side.

CREATE TABLE list_segments (
    segment_id BIGINT PRIMARY KEY REFERENCES segments (id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- What conditions of rules and other programs call it.
    key TEXT NOT NULL,
    -- The kind of context its members are, where nothing else is said: user means identifiers.
    context_kind TEXT NOT NULL,
    -- Whether other programs are told that it is too large to be read member by member.
    unbounded BOOLEAN NOT NULL,
    -- JSON: labels that other programs put.
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, key)
);

CREATE TABLE member_lists (
    id {{id}},
    segment_id BIGINT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    context_kind TEXT NOT NULL,
    excluded BOOLEAN NOT NULL,
    -- Whose blocks these are; another one when the list was replaced.
    generation BIGINT NOT NULL,
    members BIGINT NOT NULL,
    -- Grows with every change of who is in it.
    version BIGINT NOT NULL,
    -- The newest version of which edits have gone into the blocks: who knows only older ones reads all anew.
    folded BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (segment_id, environment_id, context_kind, excluded)
);
CREATE INDEX member_lists_environment ON member_lists (environment_id);

-- A list that is replaced is written beside the old one, under a generation of its own. No references: what no list
-- names any more is swept in small steps.
CREATE TABLE member_generations (
    id {{id}},
    touched_at BIGINT NOT NULL
);

-- Members in the order of their hashes, some hundreds in a block.
CREATE TABLE member_blocks (
    generation BIGINT NOT NULL,
    first_hash BIGINT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (generation, first_hash)
);

-- What has changed since the blocks were written; folded into them later.
CREATE TABLE member_edits (
    list_id BIGINT NOT NULL REFERENCES member_lists (id) ON DELETE CASCADE,
    hash BIGINT NOT NULL,
    member TEXT NOT NULL,
    present BOOLEAN NOT NULL,
    -- The version of the list that this edit made.
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (list_id, hash)
);
CREATE INDEX member_edits_version ON member_edits (list_id, version);
