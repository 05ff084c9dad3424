-- What audience syncs remember. Syncs go by the names their files give them.

CREATE TABLE audience_syncs (
    name TEXT PRIMARY KEY,
    -- Changes when what is sent changes; the state of another shape is no state.
    shape TEXT NOT NULL,
    -- Who runs it, and until when nobody else may.
    holder TEXT,
    held_until BIGINT NOT NULL
);

-- The acknowledged state: keys and fingerprints of values, never values.
CREATE TABLE audience_sync_blocks (
    sync TEXT NOT NULL REFERENCES audience_syncs (name) ON DELETE CASCADE,
    part BIGINT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (sync, part)
);

CREATE TABLE audience_sync_runs (
    id {{id}},
    sync TEXT NOT NULL,
    -- running, held, done, partial, failed, stopped, dropped
    state TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- JSON: counts of the plan, reasons why it is held, progress of its delivery.
    counts TEXT NOT NULL,
    holds TEXT NOT NULL,
    progress TEXT NOT NULL,
    seal TEXT,
    error TEXT
);
CREATE INDEX audience_sync_runs_sync ON audience_sync_runs (sync, id);

-- Written before a batch is sent, so that after a crash it is known what may have arrived.
CREATE TABLE audience_sync_batches (
    run BIGINT NOT NULL REFERENCES audience_sync_runs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    adds BIGINT NOT NULL,
    removes BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE audience_sync_errors (
    id {{id}},
    run BIGINT NOT NULL REFERENCES audience_sync_runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    op TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX audience_sync_errors_run ON audience_sync_errors (run, id);
