-- A proposal to change states of an environment, or (without an environment) segments of a project.
CREATE TABLE change_requests (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment_id BIGINT REFERENCES environments (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    -- The title as searches look for it.
    title_key TEXT NOT NULL,
    description TEXT,
    user_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    -- A JSON list of the users who had a hand in what it says: none of them may approve it.
    contributors TEXT NOT NULL,
    ignore_conflicts BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    committed_at BIGINT,
    committed_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    deleted_at BIGINT
);
CREATE INDEX change_requests_environment ON change_requests (environment_id);
CREATE INDEX change_requests_project ON change_requests (project_id);

-- What it would change, one by one: a state, a change set of a feature, a draft version, a segment.
CREATE TABLE change_request_parts (
    id {{id}},
    uuid TEXT NOT NULL,
    change_request_id BIGINT NOT NULL REFERENCES change_requests (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    feature_id BIGINT REFERENCES features (id) ON DELETE CASCADE,
    -- Of a segment: the one that is to become like this; without it a new one.
    segment_id BIGINT,
    version_uuid TEXT,
    live_from BIGINT,
    -- JSON; see app.
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX change_request_parts_request ON change_request_parts (change_request_id);
CREATE INDEX change_request_parts_feature ON change_request_parts (feature_id);

-- The states it is about: of features, for everyone or for a segment. Deliberately without a reference to segments.
CREATE TABLE change_request_targets (
    change_request_id BIGINT NOT NULL REFERENCES change_requests (id) ON DELETE CASCADE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    segment_id BIGINT
);
CREATE INDEX change_request_targets_request ON change_request_targets (change_request_id);
CREATE INDEX change_request_targets_feature ON change_request_targets (feature_id);

-- A user who is asked to approve, or did without being asked. The approval counts for what the request said then.
CREATE TABLE change_request_approvals (
    id {{id}},
    change_request_id BIGINT NOT NULL REFERENCES change_requests (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    assigned BOOLEAN NOT NULL,
    approved_at BIGINT,
    fingerprint TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (change_request_id, user_id)
);
CREATE INDEX change_request_approvals_user ON change_request_approvals (user_id);

CREATE TABLE change_request_groups (
    id {{id}},
    change_request_id BIGINT NOT NULL REFERENCES change_requests (id) ON DELETE CASCADE,
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    UNIQUE (change_request_id, group_id)
);
CREATE INDEX change_request_groups_group ON change_request_groups (group_id);

CREATE TABLE change_request_comments (
    id {{id}},
    change_request_id BIGINT NOT NULL REFERENCES change_requests (id) ON DELETE CASCADE,
    user_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX change_request_comments_request ON change_request_comments (change_request_id);
