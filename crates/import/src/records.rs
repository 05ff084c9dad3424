//! What is taken, as Flagsmith has it: the rows of its tables. Its API names the same things almost alike.
//!
//! Columns that not every version has, or that only the database gives, have defaults.

use burgee_model::Timestamp;
use serde::{Deserialize, Deserializer};

/// A moment as microseconds since 1970; a text that is none counts as absent.
pub(crate) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text
        .and_then(|text| Timestamp::parse(&text))
        .map(|moment| moment.0))
}

/// A text or a number, as text.
fn text_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

fn yes() -> bool {
    true
}

fn unicode() -> String {
    "unicode".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub email: String,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    /// As Django stores it.
    #[serde(default)]
    pub password: Option<String>,
    #[serde(default = "yes")]
    pub is_active: bool,
    #[serde(default)]
    pub is_superuser: bool,
    #[serde(default)]
    pub sign_up_type: Option<String>,
    #[serde(default)]
    pub marketing_consent_given: bool,
    #[serde(default)]
    pub onboarding_data: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub date_joined: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub last_login: Option<i64>,
    /// Who he is elsewhere, where he signs in with that.
    #[serde(default)]
    pub google_user_id: Option<String>,
    #[serde(default)]
    pub github_user_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    pub key: String,
    pub user_id: i64,
    #[serde(default, deserialize_with = "moment")]
    pub created: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct MfaMethod {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    pub secret: String,
    pub is_active: bool,
    #[serde(default)]
    pub is_primary: bool,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Organisation {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default, deserialize_with = "moment")]
    pub created_date: Option<i64>,
    #[serde(default)]
    pub webhook_notification_email: Option<String>,
    #[serde(default = "yes")]
    pub persist_trait_data: bool,
    #[serde(default)]
    pub block_access_to_admin: bool,
    #[serde(default)]
    pub restrict_project_create_to_admin: bool,
    #[serde(default)]
    pub force_2fa: bool,
    #[serde(default)]
    pub feature_analytics: bool,
    #[serde(default)]
    pub stop_serving_flags: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Membership {
    pub id: i64,
    pub organisation_id: i64,
    pub user_id: i64,
    pub role: String,
    #[serde(default, deserialize_with = "moment")]
    pub date_joined: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    pub id: i64,
    pub name: String,
    pub organisation_id: i64,
    #[serde(default)]
    pub is_default: bool,
    #[serde(default)]
    pub external_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GroupMember {
    pub id: i64,
    pub userpermissiongroup_id: i64,
    pub ffadminuser_id: i64,
    #[serde(default)]
    pub group_admin: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Invite {
    pub id: i64,
    pub email: String,
    pub hash: String,
    #[serde(default, deserialize_with = "moment")]
    pub date_created: Option<i64>,
    pub organisation_id: i64,
    #[serde(default)]
    pub invited_by_id: Option<i64>,
    pub role: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct InviteGroup {
    pub invite_id: i64,
    pub userpermissiongroup_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct InviteLink {
    pub id: i64,
    pub hash: String,
    #[serde(default, deserialize_with = "moment")]
    pub date_created: Option<i64>,
    pub role: String,
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<i64>,
    pub organisation_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct MasterApiKey {
    pub id: String,
    pub prefix: String,
    pub hashed_key: String,
    #[serde(default, deserialize_with = "moment")]
    pub created: Option<i64>,
    pub name: String,
    pub revoked: bool,
    #[serde(default, deserialize_with = "moment")]
    pub expiry_date: Option<i64>,
    pub organisation_id: i64,
    #[serde(default = "yes")]
    pub is_admin: bool,
    #[serde(default)]
    pub created_by_id: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Project {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default, deserialize_with = "moment")]
    pub created_date: Option<i64>,
    #[serde(alias = "organisation")]
    pub organisation_id: i64,
    #[serde(default)]
    pub hide_disabled_flags: bool,
    #[serde(default)]
    pub prevent_flag_defaults: bool,
    #[serde(default)]
    pub enable_realtime_updates: bool,
    #[serde(default)]
    pub only_allow_lower_case_feature_names: bool,
    #[serde(default)]
    pub feature_name_regex: Option<String>,
    #[serde(default)]
    pub stale_flags_limit_days: Option<i64>,
    #[serde(default)]
    pub minimum_change_request_approvals: Option<i64>,
    #[serde(default)]
    pub enforce_feature_owners: bool,
    #[serde(default)]
    pub max_features_allowed: Option<i64>,
    #[serde(default)]
    pub max_segments_allowed: Option<i64>,
    #[serde(default)]
    pub max_segment_overrides_allowed: Option<i64>,
    /// Whether its identities are kept in `DynamoDB`.
    #[serde(default)]
    pub enable_dynamo_db: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Environment {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default, deserialize_with = "moment")]
    pub created_date: Option<i64>,
    pub api_key: String,
    #[serde(alias = "project")]
    pub project_id: i64,
    #[serde(default)]
    pub minimum_change_request_approvals: Option<i64>,
    #[serde(default = "yes")]
    pub allow_client_traits: bool,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<i64>,
    #[serde(default)]
    pub banner_colour: Option<String>,
    #[serde(default)]
    pub banner_text: Option<String>,
    #[serde(default)]
    pub hide_disabled_flags: Option<bool>,
    /// Whether buckets are computed from identifiers; the column has an older name.
    #[serde(default = "yes")]
    pub use_mv_v2_evaluation: bool,
    #[serde(default)]
    pub hide_sensitive_data: bool,
    #[serde(default)]
    pub use_v2_feature_versioning: bool,
    #[serde(default = "yes")]
    pub use_identity_overrides_in_local_eval: bool,
    #[serde(default, deserialize_with = "moment")]
    pub first_evaluated_at: Option<i64>,
    #[serde(default)]
    pub first_evaluated_sdk_label: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ServerKey {
    pub id: i64,
    pub key: String,
    pub name: String,
    #[serde(default = "yes")]
    pub active: bool,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<i64>,
    pub environment_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Tag {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub label: String,
    pub color: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(alias = "project")]
    pub project_id: i64,
    #[serde(default)]
    pub is_permanent: bool,
    #[serde(default)]
    pub is_system_tag: bool,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Feature {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default, deserialize_with = "moment")]
    pub created_date: Option<i64>,
    #[serde(default, deserialize_with = "text_of")]
    pub initial_value: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(alias = "project")]
    pub project_id: i64,
    #[serde(default)]
    pub default_enabled: bool,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub is_archived: bool,
    #[serde(default)]
    pub is_server_key_only: bool,
}

/// A link between a feature and something else.
#[derive(Debug, Clone, Deserialize)]
pub struct FeatureLink {
    pub id: i64,
    pub feature_id: i64,
    #[serde(alias = "tag_id", alias = "ffadminuser_id", alias = "userpermissiongroup_id")]
    pub other_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FlagOption {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub boolean_value: Option<bool>,
    #[serde(default)]
    pub integer_value: Option<i64>,
    #[serde(default)]
    pub string_value: Option<String>,
    #[serde(default)]
    pub default_percentage_allocation: f64,
    #[serde(alias = "feature")]
    pub feature_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Segment {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(alias = "project")]
    pub project_id: i64,
    #[serde(default, alias = "feature")]
    pub feature_id: Option<i64>,
    /// Of a kept earlier version: the segment it is a version of. Of the segment itself: its own id, or none.
    #[serde(default, alias = "version_of")]
    pub version_of_id: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<i64>,
    #[serde(default)]
    pub managed_by: String,
    /// The change request that is to put it in the place of what it is a version of.
    #[serde(default)]
    pub change_request_id: Option<i64>,
    /// The rules as a document, where they are not rows of their own.
    #[serde(default, alias = "rules")]
    pub rules_data: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    pub id: i64,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub rule_id: Option<i64>,
    #[serde(default)]
    pub segment_id: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Condition {
    pub id: i64,
    pub operator: String,
    #[serde(default)]
    pub property: Option<String>,
    #[serde(default)]
    pub value: Option<String>,
    pub rule_id: i64,
    #[serde(default)]
    pub description: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FeatureSegment {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub priority: i64,
    #[serde(alias = "feature")]
    pub feature_id: i64,
    #[serde(alias = "segment")]
    pub segment_id: i64,
    #[serde(alias = "environment")]
    pub environment_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct FeatureState {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    #[serde(default)]
    pub enabled: bool,
    pub environment_id: Option<i64>,
    pub feature_id: i64,
    #[serde(default)]
    pub identity_id: Option<i64>,
    #[serde(default)]
    pub feature_segment_id: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub live_from: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<i64>,
    #[serde(default)]
    pub version: Option<i64>,
    /// What buckets are computed from, when it is not the id.
    #[serde(default)]
    pub mv_hashing_salt: Option<i64>,
    /// The version it belongs to.
    #[serde(default)]
    pub environment_feature_version_id: Option<String>,
    #[serde(default)]
    pub change_request_id: Option<i64>,
    /// It is to begin later.
    #[serde(default)]
    pub is_later: bool,
    #[serde(default)]
    pub value_type: Option<String>,
    #[serde(default)]
    pub string_value: Option<String>,
    #[serde(default)]
    pub integer_value: Option<i64>,
    #[serde(default)]
    pub boolean_value: Option<bool>,
}

impl FeatureState {
    /// What buckets are computed from.
    pub fn hash_seed(&self) -> i64 {
        self.mv_hashing_salt.unwrap_or(self.id)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Weight {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub percentage_allocation: f64,
    pub feature_state_id: i64,
    pub multivariate_feature_option_id: i64,
}

/// Which of the three kinds of object a grant is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    Organisation,
    Project,
    Environment,
}

/// What a user or a group may do at an object.
#[derive(Debug, Clone)]
pub struct Grant {
    pub id: i64,
    pub level: Level,
    pub object_id: i64,
    pub user_id: Option<i64>,
    pub group_id: Option<i64>,
    pub admin: bool,
    pub permissions: Vec<String>,
}

/// The kind of a value, one of three.
pub fn value_type(kind: Option<&str>) -> String {
    match kind {
        Some(kind @ ("int" | "bool")) => kind.to_owned(),
        _ => unicode(),
    }
}

/// The number of a kind of object: each database has its own.
#[derive(Debug, Clone, Deserialize)]
pub struct ContentTypeRow {
    pub id: i64,
    pub app_label: String,
    pub model: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct MetadataField {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub description: Option<String>,
    pub organisation_id: i64,
    #[serde(default)]
    pub project_id: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct MetadataModelField {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub content_type_id: i64,
    pub field_id: i64,
}

/// What an object says in a field, or where a field is required.
#[derive(Debug, Clone, Deserialize)]
pub struct MetadataOf {
    pub id: i64,
    pub object_id: i64,
    pub content_type_id: i64,
    pub model_field_id: i64,
    #[serde(default)]
    pub field_value: String,
}
