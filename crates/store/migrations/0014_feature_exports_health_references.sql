-- Exports and imports of features; what monitors, scanners and trackers say about features.

CREATE TABLE feature_exports (
    id {{id}},
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    -- `PROCESSING`, `SUCCESS` or `FAILED`.
    status TEXT NOT NULL,
    -- A JSON list of the tags that were asked for; empty for all features.
    tag_ids TEXT NOT NULL,
    -- The document, once there is one.
    data TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX feature_exports_environment ON feature_exports (environment_id);

CREATE TABLE feature_imports (
    id {{id}},
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    -- Who asked for it: the log names them.
    user_id BIGINT,
    api_key_id BIGINT,
    -- `SKIP` or `OVERWRITE_DESTRUCTIVE`.
    strategy TEXT NOT NULL,
    status TEXT NOT NULL,
    -- The document; forgotten when it was read.
    data TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX feature_imports_environment ON feature_imports (environment_id);

-- Monitoring that may say how features fare; its uuid goes into the address it writes to.
CREATE TABLE feature_health_providers (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- `Webhook` or `Grafana`.
    name TEXT NOT NULL,
    created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE feature_health_events (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    environment_id BIGINT REFERENCES environments (id) ON DELETE CASCADE,
    -- `UNHEALTHY` or `HEALTHY`.
    type TEXT NOT NULL,
    provider_name TEXT,
    reason TEXT,
    -- What the provider calls the matter: a later event about it takes the place of this one.
    external_id TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX feature_health_events_feature ON feature_health_events (feature_id);
CREATE INDEX feature_health_events_environment ON feature_health_events (environment_id);

CREATE TABLE code_repositories (
    id {{id}},
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    vcs_provider TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_scanned_at BIGINT NOT NULL,
    -- The revision that was scanned last.
    revision TEXT NOT NULL,
    UNIQUE (project_id, url)
);

-- Where the last scan of a repository found a feature.
CREATE TABLE code_references (
    id {{id}},
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES code_repositories (id) ON DELETE CASCADE,
    -- The newest revision with the feature in it, and when it was scanned.
    revision TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    -- [[file, line], …] of the last scan; empty when it did not find the feature any more.
    places TEXT NOT NULL,
    UNIQUE (feature_id, repository_id)
);
CREATE INDEX code_references_repository ON code_references (repository_id);

CREATE TABLE feature_external_resources (
    id {{id}},
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    type TEXT NOT NULL,
    metadata TEXT,
    UNIQUE (feature_id, url)
);
