-- Projects whose clients use the "edge" set of identity operations, and what dashboards call an identity there.
ALTER TABLE projects ADD COLUMN use_edge_identities BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE identities ADD COLUMN dashboard_alias TEXT;

-- How much a project may hold; null: as much as it likes.
ALTER TABLE projects ADD COLUMN max_features_allowed BIGINT DEFAULT 1000;
ALTER TABLE projects ADD COLUMN max_segments_allowed BIGINT DEFAULT 500;
ALTER TABLE projects ADD COLUMN max_segment_overrides_allowed BIGINT DEFAULT 2000;
