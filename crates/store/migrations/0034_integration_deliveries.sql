-- What was sent to integrations lately, and what came of it. Of each, the newest few are kept.
CREATE TABLE integration_deliveries (
    id {{id}},
    integration_id BIGINT NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    -- What it was told: the line of the audit log, or how many identities.
    event TEXT NOT NULL,
    delivered BOOLEAN NOT NULL,
    -- What was answered, where there was an answer.
    response_status BIGINT,
    response_body TEXT,
    -- Why it counts as failed.
    error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX integration_deliveries_integration ON integration_deliveries (integration_id, id);
