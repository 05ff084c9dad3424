-- Imports of projects from LaunchDarkly.

CREATE TABLE launch_darkly_imports (
    id {{id}},
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    project_key TEXT NOT NULL,
    -- Sealed; forgotten when the import is done.
    token TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    completed_at BIGINT,
    -- Who works at it says until when; a node that died is overtaken then.
    claimed_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    environment_count BIGINT NOT NULL,
    flag_count BIGINT NOT NULL,
    deprecated_flag_count BIGINT NOT NULL,
    -- `success`, `failure` or `incomplete`, once it is done.
    result TEXT,
    -- A JSON list of texts.
    error_messages TEXT NOT NULL
);
CREATE INDEX launch_darkly_imports_project ON launch_darkly_imports (project_id);
