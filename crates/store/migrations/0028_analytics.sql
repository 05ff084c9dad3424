-- Counts added up, over 15 minutes and over an hour: what is read of longer times, and what is kept longer.
CREATE TABLE feature_evaluation_buckets (
    id {{id}},
    minutes BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    feature_name TEXT NOT NULL,
    labels TEXT NOT NULL,
    count BIGINT NOT NULL
);
CREATE INDEX feature_evaluation_buckets_read ON feature_evaluation_buckets (environment_id, feature_name, minutes, starts_at);
CREATE INDEX feature_evaluation_buckets_starts ON feature_evaluation_buckets (minutes, starts_at);

CREATE TABLE api_usage_buckets (
    id {{id}},
    minutes BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    resource BIGINT NOT NULL,
    labels TEXT NOT NULL,
    count BIGINT NOT NULL
);
CREATE INDEX api_usage_buckets_read ON api_usage_buckets (environment_id, minutes, starts_at);
CREATE INDEX api_usage_buckets_starts ON api_usage_buckets (minutes, starts_at);

CREATE INDEX feature_evaluations_raw_at ON feature_evaluations_raw (created_at);
CREATE INDEX api_usage_raw_at ON api_usage_raw (created_at);

-- Until when counts are added up in buckets of so many minutes; from then on what they were made of is read.
CREATE TABLE bucket_marks (
    minutes BIGINT PRIMARY KEY,
    until BIGINT NOT NULL
);
INSERT INTO bucket_marks (minutes, until) VALUES (15, 0), (60, 0);

-- Warnings that an organisation comes near to its limit of calls, or is over it.
CREATE TABLE api_usage_notifications (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    percent_usage BIGINT NOT NULL,
    notified_at BIGINT NOT NULL
);
CREATE INDEX api_usage_notifications_organisation ON api_usage_notifications (organisation_id, notified_at);
