-- Experiments with their metrics, cohorts, connections to data warehouses.

CREATE TABLE metrics (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    aggregation TEXT NOT NULL,
    direction TEXT NOT NULL,
    -- JSON: which event is measured.
    definition TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX metrics_environment ON metrics (environment_id);

CREATE TABLE experiments (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hypothesis TEXT NOT NULL,
    -- `created`, `running`, `paused` or `completed`.
    status TEXT NOT NULL,
    -- JSON: what those in the experiment get, while it runs.
    rollout TEXT,
    -- The segment of those in the experiment.
    rollout_segment_id BIGINT REFERENCES segments (id) ON DELETE SET NULL,
    -- JSON: what was counted last.
    exposures TEXT,
    results TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT
);
CREATE INDEX experiments_environment ON experiments (environment_id);
CREATE INDEX experiments_feature ON experiments (feature_id);
CREATE INDEX experiments_segment ON experiments (rollout_segment_id);

CREATE TABLE experiment_metrics (
    id {{id}},
    experiment_id BIGINT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    metric_id BIGINT NOT NULL REFERENCES metrics (id) ON DELETE CASCADE,
    expected_direction TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (experiment_id, metric_id)
);
CREATE INDEX experiment_metrics_metric ON experiment_metrics (metric_id);

CREATE TABLE cohorts (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    segment_id BIGINT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
    source_type TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Set when it is to go; it goes once no identity has its mark any more.
    deletion_requested_at BIGINT
);
CREATE INDEX cohorts_environment ON cohorts (environment_id);
CREATE INDEX cohorts_segment ON cohorts (segment_id);

CREATE TABLE warehouse_connections (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    warehouse_type TEXT NOT NULL,
    status TEXT NOT NULL,
    status_detail TEXT,
    name TEXT NOT NULL,
    -- JSON.
    config TEXT,
    -- JSON, sealed.
    credentials TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX warehouse_connections_environment ON warehouse_connections (environment_id);
