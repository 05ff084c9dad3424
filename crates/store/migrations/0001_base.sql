-- One text for both engines. {{id}} is the engine's way to number rows; times are microseconds since 1970.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Numbers that are not row ids: those of the rules and conditions inside a segment's document.
CREATE TABLE counters (
    noun TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO counters (noun, next) VALUES ('rule', 1), ('condition', 1);

CREATE TABLE users (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    password TEXT,
    is_active BOOLEAN NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    sign_up_type TEXT,
    marketing_consent_given BOOLEAN NOT NULL,
    onboarding TEXT,
    date_joined BIGINT NOT NULL,
    last_login BIGINT
);

CREATE TABLE user_tokens (
    hash TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX user_tokens_user ON user_tokens (user_id);

-- The second factor of a user. Until it is confirmed it protects nothing.
CREATE TABLE user_mfa (
    user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- Sealed.
    secret TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    -- A JSON list of the hashes of the codes not yet used.
    backup_codes TEXT NOT NULL,
    -- The time step of the last code that signed somebody in: each code works once.
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE organisations (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    subscription_uuid TEXT NOT NULL,
    webhook_notification_email TEXT,
    persist_trait_data BOOLEAN NOT NULL,
    block_access_to_admin BOOLEAN NOT NULL,
    restrict_project_create_to_admin BOOLEAN NOT NULL,
    force_2fa BOOLEAN NOT NULL,
    feature_analytics BOOLEAN NOT NULL,
    stop_serving_flags BOOLEAN NOT NULL
);

CREATE TABLE organisation_members (
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    date_joined BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX organisation_members_user ON organisation_members (user_id);

CREATE TABLE groups (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    external_id TEXT
);
CREATE INDEX groups_organisation ON groups (organisation_id);

CREATE TABLE group_members (
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_admin BOOLEAN NOT NULL,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON group_members (user_id);

CREATE TABLE invites (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    invited_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    permission_groups TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organisation_id, email)
);

CREATE TABLE invite_links (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE TABLE master_api_keys (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    prefix TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    is_admin BOOLEAN NOT NULL,
    revoked BOOLEAN NOT NULL,
    created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE TABLE projects (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    hide_disabled_flags BOOLEAN NOT NULL,
    prevent_flag_defaults BOOLEAN NOT NULL,
    enable_realtime_updates BOOLEAN NOT NULL,
    only_allow_lower_case_feature_names BOOLEAN NOT NULL,
    feature_name_regex TEXT,
    stale_flags_limit_days BIGINT NOT NULL,
    minimum_change_request_approvals BIGINT,
    enforce_feature_owners BOOLEAN NOT NULL,
    UNIQUE (organisation_id, name)
);

CREATE TABLE environments (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    api_key TEXT NOT NULL UNIQUE,
    description TEXT,
    created_at BIGINT NOT NULL,
    -- When an answer this environment gives last changed: the version that SDKs compare.
    updated_at BIGINT NOT NULL,
    minimum_change_request_approvals BIGINT,
    allow_client_traits BOOLEAN NOT NULL,
    banner_text TEXT,
    banner_colour TEXT,
    hide_disabled_flags BOOLEAN,
    use_identity_composite_key_for_hashing BOOLEAN NOT NULL,
    hide_sensitive_data BOOLEAN NOT NULL,
    use_v2_feature_versioning BOOLEAN NOT NULL,
    use_identity_overrides_in_local_eval BOOLEAN NOT NULL,
    first_evaluated_at BIGINT,
    first_evaluated_sdk_label TEXT,
    UNIQUE (project_id, name)
);

CREATE TABLE server_keys (
    id {{id}},
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX server_keys_environment ON server_keys (environment_id);

-- What a user or a group may do at one organisation, project or environment (exactly one of the three).
CREATE TABLE grants (
    id {{id}},
    organisation_id BIGINT REFERENCES organisations (id) ON DELETE CASCADE,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    environment_id BIGINT REFERENCES environments (id) ON DELETE CASCADE,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT REFERENCES groups (id) ON DELETE CASCADE,
    admin BOOLEAN NOT NULL,
    permissions TEXT NOT NULL,
    -- Nobody has two grants at one object. (Rows with a null in them never collide.)
    UNIQUE (organisation_id, user_id),
    UNIQUE (organisation_id, group_id),
    UNIQUE (project_id, user_id),
    UNIQUE (project_id, group_id),
    UNIQUE (environment_id, user_id),
    UNIQUE (environment_id, group_id)
);
CREATE INDEX grants_user ON grants (user_id);
CREATE INDEX grants_group ON grants (group_id);

CREATE TABLE tags (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    color TEXT NOT NULL,
    description TEXT,
    is_permanent BOOLEAN NOT NULL,
    is_system_tag BOOLEAN NOT NULL,
    type TEXT NOT NULL
);
CREATE INDEX tags_project ON tags (project_id);

CREATE TABLE features (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Names are unique whatever their case.
    name_key TEXT NOT NULL,
    type TEXT NOT NULL,
    default_enabled BOOLEAN NOT NULL,
    initial_value TEXT,
    description TEXT,
    is_archived BOOLEAN NOT NULL,
    is_server_key_only BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, name_key)
);

CREATE TABLE feature_tags (
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    tag_id BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    PRIMARY KEY (feature_id, tag_id)
);
CREATE INDEX feature_tags_tag ON feature_tags (tag_id);

CREATE TABLE feature_owners (
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (feature_id, user_id)
);

CREATE TABLE feature_group_owners (
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (feature_id, group_id)
);

CREATE TABLE multivariate_options (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    key TEXT,
    type TEXT NOT NULL,
    string_value TEXT,
    integer_value BIGINT,
    boolean_value BOOLEAN,
    default_percentage_allocation DOUBLE PRECISION NOT NULL
);
CREATE INDEX multivariate_options_feature ON multivariate_options (feature_id);

CREATE TABLE segments (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- Set for a segment that belongs to one feature only.
    feature_id BIGINT REFERENCES features (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    rules TEXT NOT NULL,
    managed_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX segments_project ON segments (project_id);
CREATE INDEX segments_feature ON segments (feature_id);

CREATE TABLE identities (
    id {{id}},
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    identifier TEXT NOT NULL,
    -- [[slot, key, value, created_at], …] in the order of slots.
    traits TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (environment_id, identifier)
);

-- Which segment a segment override is for, and its rank: the lowest priority wins.
CREATE TABLE feature_segments (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    segment_id BIGINT NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    priority BIGINT NOT NULL,
    UNIQUE (feature_id, segment_id, environment_id)
);
CREATE INDEX feature_segments_segment ON feature_segments (segment_id);
CREATE INDEX feature_segments_environment ON feature_segments (environment_id);

-- An environment default (neither identity nor feature_segment), a segment override or an identity override.
CREATE TABLE feature_states (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    environment_id BIGINT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    identity_id BIGINT REFERENCES identities (id) ON DELETE CASCADE,
    feature_segment_id BIGINT REFERENCES feature_segments (id) ON DELETE CASCADE,
    enabled BOOLEAN NOT NULL,
    type TEXT NOT NULL,
    string_value TEXT,
    integer_value BIGINT,
    boolean_value BOOLEAN,
    -- What buckets are computed from when it is not the row's own id: kept across copies so that nobody moves.
    hash_seed BIGINT,
    version BIGINT NOT NULL,
    live_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX feature_states_environment ON feature_states (environment_id);
CREATE INDEX feature_states_feature ON feature_states (feature_id);
CREATE INDEX feature_states_identity ON feature_states (identity_id);
CREATE UNIQUE INDEX feature_states_default ON feature_states (feature_id, environment_id)
    WHERE identity_id IS NULL AND feature_segment_id IS NULL;
CREATE UNIQUE INDEX feature_states_of_identity ON feature_states (identity_id, feature_id)
    WHERE identity_id IS NOT NULL;
CREATE UNIQUE INDEX feature_states_of_segment ON feature_states (feature_segment_id)
    WHERE feature_segment_id IS NOT NULL;

CREATE TABLE feature_state_options (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    feature_state_id BIGINT NOT NULL REFERENCES feature_states (id) ON DELETE CASCADE,
    option_id BIGINT NOT NULL REFERENCES multivariate_options (id) ON DELETE CASCADE,
    percentage_allocation DOUBLE PRECISION NOT NULL,
    UNIQUE (feature_state_id, option_id)
);
CREATE INDEX feature_state_options_option ON feature_state_options (option_id);

-- The change log: written in the transaction of the state it describes. Deliberately without foreign keys,
-- because it outlives what it speaks of.
CREATE TABLE changes (
    id {{id}},
    at BIGINT NOT NULL,
    user_id BIGINT,
    api_key_id BIGINT,
    organisation_id BIGINT,
    project_id BIGINT,
    environment_id BIGINT,
    object_type TEXT NOT NULL,
    object_id BIGINT NOT NULL,
    object_uuid TEXT,
    action TEXT NOT NULL,
    -- The line of the audit log, when this change has one.
    message TEXT,
    -- Whether an answer of the SDK API may differ because of it.
    serves BOOLEAN NOT NULL,
    before TEXT,
    after TEXT
);
CREATE INDEX changes_project ON changes (project_id);
CREATE INDEX changes_environment ON changes (environment_id);

CREATE TABLE feature_evaluations_raw (
    id {{id}},
    environment_id BIGINT NOT NULL,
    feature_name TEXT NOT NULL,
    evaluation_count BIGINT NOT NULL,
    identity_identifier TEXT,
    enabled_when_evaluated BOOLEAN,
    labels TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX feature_evaluations_raw_created ON feature_evaluations_raw (environment_id, created_at);

CREATE TABLE api_usage_raw (
    id {{id}},
    environment_id BIGINT NOT NULL,
    resource BIGINT NOT NULL,
    host TEXT NOT NULL,
    count BIGINT NOT NULL,
    labels TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_usage_raw_created ON api_usage_raw (environment_id, created_at);
