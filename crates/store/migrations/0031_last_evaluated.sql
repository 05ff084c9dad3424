-- When programs last told that they asked for a feature, wherever counts are kept. Names a feature by its id, so that it
-- goes with the feature and with the environment.
CREATE TABLE feature_last_evaluated (
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, feature_id)
);
CREATE INDEX feature_last_evaluated_feature ON feature_last_evaluated (feature_id);
INSERT INTO feature_last_evaluated (environment_id, feature_id, at)
SELECT e.id, f.id, MAX(r.created_at) FROM feature_evaluations_raw r
JOIN environments e ON e.id = r.environment_id
JOIN features f ON f.project_id = e.project_id AND f.name = r.feature_name
GROUP BY e.id, f.id;
