-- What came from another installation, so that a second run finds it again, and what buckets are computed from where a
-- row could not keep the id it had there.

-- One installation that was, or is being, taken over.
CREATE TABLE imports (
    id {{id}},
    -- The name it was given.
    source TEXT NOT NULL UNIQUE,
    -- Whether rows keep their ids: there was nothing here when it began.
    keeps_ids BOOLEAN NOT NULL,
    started_at BIGINT NOT NULL,
    -- Without it: a run is under way, or was cut off.
    finished_at BIGINT,
    -- The last identity, and the last override of an identity, that the run under way has stored.
    identities_done BIGINT NOT NULL,
    overrides_done BIGINT NOT NULL
);

-- Which row came from which. Identities are not here: they are found by their environment and identifier.
CREATE TABLE import_rows (
    import_id BIGINT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    noun TEXT NOT NULL,
    source_id BIGINT NOT NULL,
    -- The row here; of a link between two rows: the first.
    row_id BIGINT NOT NULL,
    -- Of a link between two rows: the second.
    other_id BIGINT,
    -- Of a secret: a digest of what it was there, so that it is written again only when it changed there.
    digest TEXT,
    PRIMARY KEY (import_id, noun, source_id)
);

-- What percentage splits of a segment are computed from when it is not the row's own id.
ALTER TABLE segments ADD COLUMN hash_seed BIGINT;

-- The same of an identity, in environments that don't compute buckets from identifiers.
ALTER TABLE identities ADD COLUMN hash_seed BIGINT;
CREATE INDEX identities_hash_seed ON identities (hash_seed) WHERE hash_seed IS NOT NULL;
