-- What background work looks for again and again is few among many: features on their way through release pipelines, and
-- exports and imports that are not done.
CREATE INDEX pipeline_features_under_way ON pipeline_features (id) WHERE completed_at IS NULL AND failure IS NULL;
CREATE INDEX feature_exports_waiting ON feature_exports (id) WHERE status = 'PROCESSING';
CREATE INDEX feature_imports_waiting ON feature_imports (id) WHERE status = 'PROCESSING';
