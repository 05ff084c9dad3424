-- What is told to other services: of an organisation, a project or an environment (exactly one of the three).
CREATE TABLE integrations (
    id {{id}},
    -- `datadog`, `slack` and so on.
    kind TEXT NOT NULL,
    organisation_id BIGINT REFERENCES organisations (id) ON DELETE CASCADE,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    environment_id BIGINT REFERENCES environments (id) ON DELETE CASCADE,
    -- JSON: what is set, without secrets.
    settings TEXT NOT NULL,
    -- JSON, sealed: keys and the like.
    secrets TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- One of a kind at each place. (Rows with a null in them never collide.)
    UNIQUE (kind, organisation_id),
    UNIQUE (kind, project_id),
    UNIQUE (kind, environment_id)
);
CREATE INDEX integrations_organisation ON integrations (organisation_id);
CREATE INDEX integrations_project ON integrations (project_id);
CREATE INDEX integrations_environment ON integrations (environment_id);

-- The Slack workspace that a project was connected to.
CREATE TABLE slack_workspaces (
    project_id BIGINT PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    -- Sealed: the token of the bot.
    token TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
