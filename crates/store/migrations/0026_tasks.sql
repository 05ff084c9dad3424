-- Work that is to be done outside a request, at least once. A row goes when its work is done; what was tried too often stays
-- as a dead letter.
CREATE TABLE tasks (
    id {{id}},
    -- Names the task to whoever receives its outcome, so that repeats can be dropped.
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    -- What it was made for: a second task of the same kind for the same thing is not made.
    key TEXT NOT NULL,
    -- Of one lane one task runs at a time, so that a receiver that hangs holds up nobody else.
    lane TEXT NOT NULL,
    -- JSON; holds no secret.
    payload TEXT NOT NULL,
    -- `waiting` or `dead`.
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    -- Nobody else takes it before: 0 for one that does not run.
    claimed_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT,
    UNIQUE (kind, key)
);
CREATE INDEX tasks_due ON tasks (status, due_at);
CREATE INDEX tasks_lane ON tasks (lane, claimed_until);

-- How far each reader of the change log has read.
CREATE TABLE log_readers (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);
-- What happened before there were webhooks is told to nobody.
INSERT INTO log_readers (name, position) SELECT 'deliveries', COALESCE(MAX(id), 0) FROM changes;

-- Which node carries out a schedule, and until when it may without asking again.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- Who is told of changes, by HTTP: of one environment, or of a whole organisation (exactly one of the two).
CREATE TABLE webhooks (
    id {{id}},
    organisation_id BIGINT REFERENCES organisations (id) ON DELETE CASCADE,
    environment_id BIGINT REFERENCES environments (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    -- Sealed; empty for none.
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When somebody was last mailed that it fails.
    told_failing_at BIGINT
);
CREATE INDEX webhooks_organisation ON webhooks (organisation_id);
CREATE INDEX webhooks_environment ON webhooks (environment_id);

-- What was, or is to be, sent to a webhook.
CREATE TABLE webhook_deliveries (
    id {{id}},
    -- The same at every attempt.
    uuid TEXT NOT NULL UNIQUE,
    webhook_id BIGINT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_type TEXT NOT NULL,
    -- The bytes that are signed.
    body TEXT NOT NULL,
    -- `waiting`, `delivered` or `failed`.
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    response_status BIGINT,
    error TEXT,
    duration_ms BIGINT,
    created_at BIGINT NOT NULL,
    attempted_at BIGINT
);
CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at);
