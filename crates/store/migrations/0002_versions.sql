-- A version of a feature in an environment: what it is there for everyone and for segments. Environments with v2
-- versioning change by publishing one. What is served are the rows of feature_states, in every environment.
CREATE TABLE feature_versions (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    description TEXT,
    -- Its states as JSON. A document and not rows, because it outlives the segments and options it speaks of.
    states TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    -- Without it: a draft.
    published_at BIGINT,
    published_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    live_from BIGINT,
    -- When it became what is served. Without it: a draft, or waiting for its time.
    went_live_at BIGINT,
    change_request_id BIGINT
);
CREATE INDEX feature_versions_history ON feature_versions (environment_id, feature_id, live_from);
CREATE INDEX feature_versions_feature ON feature_versions (feature_id);

-- What is to happen at its time: a version that goes live, or a change set that is applied to what is live then.
CREATE TABLE scheduled_changes (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    version_id BIGINT REFERENCES feature_versions (id) ON DELETE CASCADE,
    change_set TEXT,
    live_from BIGINT NOT NULL,
    -- Who will have done it.
    user_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    api_key_id BIGINT,
    change_request_id BIGINT,
    change_request_title TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX scheduled_changes_due ON scheduled_changes (live_from);
CREATE INDEX scheduled_changes_environment ON scheduled_changes (environment_id);
CREATE INDEX scheduled_changes_feature ON scheduled_changes (feature_id);
CREATE INDEX scheduled_changes_version ON scheduled_changes (version_id);

-- Of a shared state: the version it is served from, and the change request that put it there.
ALTER TABLE feature_states ADD COLUMN version_uuid TEXT;
ALTER TABLE feature_states ADD COLUMN change_request_id BIGINT;
