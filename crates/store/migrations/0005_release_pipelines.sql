-- The way of features through environments: stage after stage, each with what happens there and when.
CREATE TABLE release_pipelines (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    -- Without it: a draft.
    published_at BIGINT,
    published_by BIGINT REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX release_pipelines_project ON release_pipelines (project_id);

CREATE TABLE pipeline_stages (
    id {{id}},
    pipeline_id BIGINT NOT NULL REFERENCES release_pipelines (id) ON DELETE CASCADE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    trigger_type TEXT NOT NULL,
    -- JSON, as it was given.
    trigger_body TEXT NOT NULL,
    UNIQUE (pipeline_id, position)
);
CREATE INDEX pipeline_stages_environment ON pipeline_stages (environment_id);

CREATE TABLE pipeline_actions (
    id {{id}},
    stage_id BIGINT NOT NULL REFERENCES pipeline_stages (id) ON DELETE CASCADE,
    action_type TEXT NOT NULL,
    -- JSON, as it was given.
    action_body TEXT NOT NULL
);
CREATE INDEX pipeline_actions_stage ON pipeline_actions (stage_id);

-- Where a feature is on its way.
CREATE TABLE pipeline_features (
    id {{id}},
    pipeline_id BIGINT NOT NULL REFERENCES release_pipelines (id) ON DELETE CASCADE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    -- The position of the stage it is in.
    position BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    -- When the stage acts. Without it: it has.
    due_at BIGINT,
    completed_at BIGINT,
    -- Why it goes no further.
    failure TEXT,
    -- In whose name it moves.
    user_id BIGINT REFERENCES users (id) ON DELETE SET NULL,
    api_key_id BIGINT,
    UNIQUE (pipeline_id, feature_id)
);
CREATE INDEX pipeline_features_feature ON pipeline_features (feature_id);
CREATE INDEX pipeline_features_due ON pipeline_features (due_at);

-- A feature that a stage turns on for more and more people: for a segment of its own, which grows.
CREATE TABLE pipeline_rollouts (
    id {{id}},
    pipeline_feature_id BIGINT NOT NULL REFERENCES pipeline_features (id) ON DELETE CASCADE,
    stage_id BIGINT NOT NULL,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    -- Deliberately without a reference: a rollout whose segment was deleted has to say so.
    segment_id BIGINT,
    initial_split DOUBLE PRECISION NOT NULL,
    increase_by DOUBLE PRECISION NOT NULL,
    -- Seconds.
    increase_every BIGINT NOT NULL,
    current_split DOUBLE PRECISION NOT NULL,
    -- When it grows next. Without it: it is complete.
    next_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX pipeline_rollouts_feature ON pipeline_rollouts (pipeline_feature_id);
CREATE INDEX pipeline_rollouts_environment ON pipeline_rollouts (environment_id);
CREATE INDEX pipeline_rollouts_next ON pipeline_rollouts (next_at);
