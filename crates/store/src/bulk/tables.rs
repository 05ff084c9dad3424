//! The tables an import writes, and what it writes of them.

use super::{Column, Kind, Links, Table};

macro_rules! columns {
    ($($name:ident: $kind:ident $($once:ident)?),* $(,)?) => {
        &[$(Column { name: stringify!($name), kind: Kind::$kind, once: columns!(@ $($once)?) }),*]
    };
    (@) => { false };
    (@ once) => { true };
}

macro_rules! table {
    ($(#[$m:meta])* $constant:ident = $name:literal { $($columns:tt)* } unique $unique:expr) => {
        $(#[$m])*
        pub static $constant: Table = Table { name: $name, columns: columns! { $($columns)* }, unique: $unique };
    };
}

table! {
    /// People. When somebody last signed in is this installation's own.
    USERS = "users" {
        uuid: Text once, email: Text, first_name: Text, last_name: Text, password: Text, is_active: Bool,
        is_superuser: Bool, sign_up_type: Text, marketing_consent_given: Bool, onboarding: Text once,
        date_joined: Int, last_login: Int once,
    } unique &[&["email"], &["uuid"]]
}

table! {
    ORGANISATIONS = "organisations" {
        uuid: Text once, name: Text, created_at: Int, subscription_uuid: Text once, webhook_notification_email: Text,
        persist_trait_data: Bool, block_access_to_admin: Bool, restrict_project_create_to_admin: Bool,
        force_2fa: Bool, feature_analytics: Bool, stop_serving_flags: Bool,
    } unique &[&["uuid"]]
}

table! {
    GROUPS = "groups" { organisation_id: Int, name: Text, is_default: Bool, external_id: Text } unique &[]
}

table! {
    INVITES = "invites" {
        organisation_id: Int, hash: Text, email: Text, role: Text, invited_by: Int, permission_groups: Text,
        created_at: Int,
    } unique &[&["hash"], &["organisation_id", "email"]]
}

table! {
    INVITE_LINKS = "invite_links" {
        organisation_id: Int, hash: Text, role: Text, created_at: Int, expires_at: Int,
    } unique &[&["hash"]]
}

table! {
    MASTER_API_KEYS = "master_api_keys" {
        organisation_id: Int, prefix: Text, hash: Text, name: Text, is_admin: Bool, revoked: Bool, created_by: Int,
        created_at: Int, expires_at: Int,
    } unique &[&["prefix"]]
}

table! {
    PROJECTS = "projects" {
        uuid: Text once, organisation_id: Int, name: Text, created_at: Int, hide_disabled_flags: Bool,
        prevent_flag_defaults: Bool, enable_realtime_updates: Bool, only_allow_lower_case_feature_names: Bool,
        feature_name_regex: Text, stale_flags_limit_days: Int, minimum_change_request_approvals: Int,
        enforce_feature_owners: Bool, max_features_allowed: Int, max_segments_allowed: Int,
        max_segment_overrides_allowed: Int, use_edge_identities: Bool,
    } unique &[&["uuid"], &["organisation_id", "name"]]
}

table! {
    /// Environments. Their version, and when they were first asked, are this installation's own.
    ENVIRONMENTS = "environments" {
        uuid: Text once, project_id: Int, name: Text, api_key: Text, description: Text, created_at: Int,
        updated_at: Int once, minimum_change_request_approvals: Int, allow_client_traits: Bool, banner_text: Text,
        banner_colour: Text, hide_disabled_flags: Bool, use_identity_composite_key_for_hashing: Bool,
        hide_sensitive_data: Bool, use_v2_feature_versioning: Bool, use_identity_overrides_in_local_eval: Bool,
        first_evaluated_at: Int once, first_evaluated_sdk_label: Text once,
    } unique &[&["uuid"], &["project_id", "name"]]
}

table! {
    SERVER_KEYS = "server_keys" {
        environment_id: Int, key: Text, name: Text, active: Bool, created_at: Int, expires_at: Int,
    } unique &[&["key"]]
}

table! {
    GRANTS = "grants" {
        organisation_id: Int, project_id: Int, environment_id: Int, user_id: Int, group_id: Int, admin: Bool,
        permissions: Text,
    } unique &[&["organisation_id", "project_id", "environment_id", "user_id", "group_id"]]
}

table! {
    TAGS = "tags" {
        uuid: Text once, project_id: Int, label: Text, color: Text, description: Text, is_permanent: Bool,
        is_system_tag: Bool, type: Text,
    } unique &[&["uuid"]]
}

table! {
    FEATURES = "features" {
        uuid: Text once, project_id: Int, name: Text, name_key: Text, type: Text, default_enabled: Bool,
        initial_value: Text, description: Text, is_archived: Bool, is_server_key_only: Bool, created_at: Int,
    } unique &[&["uuid"], &["project_id", "name_key"]]
}

table! {
    OPTIONS = "multivariate_options" {
        uuid: Text once, feature_id: Int, key: Text, type: Text, string_value: Text, integer_value: Int,
        boolean_value: Bool, default_percentage_allocation: Float,
    } unique &[&["uuid"]]
}

table! {
    SEGMENTS = "segments" {
        uuid: Text once, project_id: Int, feature_id: Int, name: Text, description: Text, rules: Text, managed_by: Text,
        created_at: Int, updated_at: Int, hash_seed: Int,
    } unique &[&["uuid"]]
}

table! {
    FEATURE_SEGMENTS = "feature_segments" {
        uuid: Text once, feature_id: Int, segment_id: Int, environment_id: Int, priority: Int,
    } unique &[&["uuid"], &["feature_id", "segment_id", "environment_id"]]
}

table! {
    FEATURE_STATES = "feature_states" {
        uuid: Text once, feature_id: Int, environment_id: Int, identity_id: Int, feature_segment_id: Int, enabled: Bool,
        type: Text, string_value: Text, integer_value: Int, boolean_value: Bool, hash_seed: Int, version: Int,
        live_from: Int, created_at: Int, updated_at: Int, version_uuid: Text, change_request_id: Int,
    } unique &[&["uuid"], &["feature_id", "environment_id", "identity_id", "feature_segment_id"]]
}

table! {
    STATE_OPTIONS = "feature_state_options" {
        uuid: Text once, feature_state_id: Int, option_id: Int, percentage_allocation: Float,
    } unique &[&["uuid"], &["feature_state_id", "option_id"]]
}

table! {
    FEATURE_VERSIONS = "feature_versions" {
        uuid: Text once, feature_id: Int, environment_id: Int, description: Text, states: Text, created_at: Int,
        updated_at: Int, created_by: Int, published_at: Int, published_by: Int, live_from: Int, went_live_at: Int,
        change_request_id: Int,
    } unique &[&["uuid"]]
}

table! {
    SCHEDULED_CHANGES = "scheduled_changes" {
        uuid: Text once, feature_id: Int, environment_id: Int, version_id: Int, change_set: Text, live_from: Int,
        user_id: Int, change_request_id: Int, change_request_title: Text, created_at: Int, updated_at: Int,
    } unique &[&["uuid"]]
}

table! {
    CHANGE_REQUESTS = "change_requests" {
        uuid: Text once, project_id: Int, environment_id: Int, title: Text, title_key: Text, description: Text,
        user_id: Int, contributors: Text, ignore_conflicts: Bool, created_at: Int, updated_at: Int,
        committed_at: Int, committed_by: Int,
    } unique &[&["uuid"]]
}

table! {
    CHANGE_REQUEST_PARTS = "change_request_parts" {
        uuid: Text, change_request_id: Int, kind: Text, feature_id: Int, segment_id: Int, version_uuid: Text,
        live_from: Int, document: Text, created_at: Int,
    } unique &[]
}

table! {
    CHANGE_REQUEST_APPROVALS = "change_request_approvals" {
        change_request_id: Int, user_id: Int, assigned: Bool, approved_at: Int, fingerprint: Text, created_at: Int,
    } unique &[&["change_request_id", "user_id"]]
}

table! {
    CHANGE_REQUEST_GROUPS = "change_request_groups" {
        change_request_id: Int, group_id: Int,
    } unique &[&["change_request_id", "group_id"]]
}

table! {
    IDENTITIES = "identities" {
        environment_id: Int, identifier: Text, traits: Text, created_at: Int once, hash_seed: Int,
    } unique &[&["environment_id", "identifier"]]
}

table! {
    WEBHOOKS = "webhooks" {
        organisation_id: Int, environment_id: Int, url: Text, enabled: Bool, secret: Text, created_at: Int,
        updated_at: Int,
    } unique &[]
}

table! {
    INTEGRATIONS = "integrations" {
        kind: Text, organisation_id: Int, project_id: Int, environment_id: Int, settings: Text, secrets: Text,
        created_at: Int once, updated_at: Int once,
    } unique &[&["kind", "organisation_id", "project_id", "environment_id"]]
}

table! {
    RELEASE_PIPELINES = "release_pipelines" {
        uuid: Text once, project_id: Int, name: Text, description: Text, created_at: Int, published_at: Int,
        published_by: Int,
    } unique &[&["uuid"]]
}

table! {
    PIPELINE_STAGES = "pipeline_stages" {
        pipeline_id: Int, environment_id: Int, name: Text, position: Int, trigger_type: Text, trigger_body: Text,
    } unique &[&["pipeline_id", "position"]]
}

table! {
    PIPELINE_ACTIONS = "pipeline_actions" { stage_id: Int, action_type: Text, action_body: Text } unique &[]
}

table! {
    HEALTH_PROVIDERS = "feature_health_providers" {
        uuid: Text once, project_id: Int, name: Text, created_by: Int,
    } unique &[&["uuid"], &["project_id", "name"]]
}

table! {
    HEALTH_EVENTS = "feature_health_events" {
        uuid: Text once, feature_id: Int, environment_id: Int, type: Text, provider_name: Text, reason: Text,
        external_id: Text, created_at: Int,
    } unique &[&["uuid"]]
}

table! {
    CODE_REPOSITORIES = "code_repositories" {
        project_id: Int, url: Text, vcs_provider: Text, created_at: Int, last_scanned_at: Int, revision: Text,
    } unique &[&["project_id", "url"]]
}

table! {
    CODE_REFERENCES = "code_references" {
        feature_id: Int, repository_id: Int, revision: Text, found_at: Int, places: Text,
    } unique &[&["feature_id", "repository_id"]]
}

table! {
    EXTERNAL_RESOURCES = "feature_external_resources" {
        feature_id: Int, url: Text, type: Text, metadata: Text,
    } unique &[&["feature_id", "url"]]
}

table! {
    TRUST_RELATIONSHIPS = "trust_relationships" {
        organisation_id: Int, name: Text, issuer: Text, audience: Text, claim_rules: Text, master_api_key_id: Int,
        created_by: Int, created_at: Int,
    } unique &[&["master_api_key_id"]]
}

table! {
    METADATA_FIELDS = "metadata_fields" {
        uuid: Text once, organisation_id: Int, project_id: Int, name: Text, type: Text, description: Text,
    } unique &[&["uuid"]]
}

table! {
    METADATA_MODEL_FIELDS = "metadata_model_fields" {
        uuid: Text once, field_id: Int, content_type: Int,
    } unique &[&["uuid"], &["field_id", "content_type"]]
}

table! {
    METADATA_REQUIREMENTS = "metadata_requirements" {
        model_field_id: Int, organisation_id: Int, project_id: Int,
    } unique &[&["model_field_id", "organisation_id", "project_id"]]
}

table! {
    METADATA_VALUES = "metadata_values" {
        model_field_id: Int, environment_id: Int, feature_id: Int, segment_id: Int, field_value: Text,
    } unique &[&["model_field_id", "environment_id", "feature_id", "segment_id"]]
}

macro_rules! links {
    ($constant:ident = $name:literal ($left:ident, $right:ident) { $($columns:tt)* }) => {
        pub static $constant: Links = Links {
            name: $name, left: stringify!($left), right: stringify!($right), columns: columns! { $($columns)* },
        };
    };
}

links! { MEMBERS = "organisation_members" (organisation_id, user_id) { role: Text, date_joined: Int } }
links! { GROUP_MEMBERS = "group_members" (group_id, user_id) { group_admin: Bool } }
links! { FEATURE_TAGS = "feature_tags" (feature_id, tag_id) {} }
links! { FEATURE_OWNERS = "feature_owners" (feature_id, user_id) {} }
links! { FEATURE_GROUP_OWNERS = "feature_group_owners" (feature_id, group_id) {} }

/// All tables whose rows have ids, in the order in which rows refer to each other.
pub static TABLES: [&Table; 39] = [
    &USERS,
    &ORGANISATIONS,
    &GROUPS,
    &INVITES,
    &INVITE_LINKS,
    &MASTER_API_KEYS,
    &PROJECTS,
    &ENVIRONMENTS,
    &SERVER_KEYS,
    &GRANTS,
    &TAGS,
    &FEATURES,
    &OPTIONS,
    &SEGMENTS,
    &CHANGE_REQUESTS,
    &FEATURE_SEGMENTS,
    &IDENTITIES,
    &FEATURE_STATES,
    &STATE_OPTIONS,
    &FEATURE_VERSIONS,
    &SCHEDULED_CHANGES,
    &CHANGE_REQUEST_PARTS,
    &CHANGE_REQUEST_APPROVALS,
    &CHANGE_REQUEST_GROUPS,
    &WEBHOOKS,
    &INTEGRATIONS,
    &RELEASE_PIPELINES,
    &PIPELINE_STAGES,
    &PIPELINE_ACTIONS,
    &HEALTH_PROVIDERS,
    &HEALTH_EVENTS,
    &CODE_REPOSITORIES,
    &CODE_REFERENCES,
    &EXTERNAL_RESOURCES,
    &TRUST_RELATIONSHIPS,
    &METADATA_FIELDS,
    &METADATA_MODEL_FIELDS,
    &METADATA_REQUIREMENTS,
    &METADATA_VALUES,
];
