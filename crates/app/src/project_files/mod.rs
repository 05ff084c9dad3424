//! A project as one file: its settings, features, segments, environments and (if asked for) identities.
//!
//! The first line is a JSON document, [`Document`]. Asked for, a line of JSON follows for every identity and one that
//! ends them, so that a file of any size is written and read a piece at a time. Inside, things are named by what
//! stays when they move: features, environments and custom fields by their names, segments and options by the number they
//! had.
//! Whatever decides who gets which variant moves along: seeds, numbers of segments and, with the keys, environment
//! keys.

mod check;
mod export;
mod fields;
mod import;
mod read;

use burgee_model::FlagValue;
use burgee_model::segments::Rule;
use burgee_model::traits::TraitSet;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

pub(crate) use check::fields as check_fields;
pub(crate) use export::project_part;
pub use export::{Export, ExportOptions, begin, export};
pub(crate) use fields::of_organisation as fields_of_organisation;
pub use import::{ImportOptions, Imported, NotTaken, Target, import, import_as_operator};
pub(crate) use import::{fields_of_organisation as write_fields_of_organisation, write_project};
pub(crate) use read::parse;
pub use read::{Reading, read};

/// What a document of a project calls itself.
pub const PROJECT_FORMAT: &str = "burgee/project";
/// What a document of an organisation calls itself.
pub const ORGANISATION_FORMAT: &str = "burgee/organisation";
/// The version of the format this program writes, and the newest it reads.
///
/// 2: custom fields; the seeds of segments and identities, which in a file of version 1 are their numbers.
pub const VERSION: i64 = 2;

/// The envelope of a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Document {
    pub format: String,
    pub version: i64,
    pub exported_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Box<RawValue>>,
    /// `sha256:` and the digest of the text of `project` or `organisation`. Whoever edits a file takes it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// The checksum of a text.
pub(crate) fn checksum(text: &[u8]) -> String {
    format!("sha256:{}", burgee_model::keys::hex(&Sha256::digest(text)))
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectPart {
    pub name: String,
    pub hide_disabled_flags: bool,
    pub prevent_flag_defaults: bool,
    pub enable_realtime_updates: bool,
    pub only_allow_lower_case_feature_names: bool,
    pub feature_name_regex: Option<String>,
    pub stale_flags_limit_days: i64,
    pub minimum_change_request_approvals: Option<i64>,
    pub enforce_feature_owners: bool,
    pub use_edge_identities: bool,
    /// What is done about personal data: `off` unless it says otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pii_mode: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pii_allowed_traits: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pii_allowed_values: Vec<String>,
    /// What hashes in it were made with, beside the secret of its installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pii_salt: Option<String>,
    pub tags: Vec<TagPart>,
    /// The custom fields it has or inherits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldPart>,
    pub features: Vec<FeaturePart>,
    pub segments: Vec<SegmentPart>,
    pub environments: Vec<EnvironmentPart>,
    /// The lines of its change log, for reading: they are not imported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangePart>,
}

/// A tag, named by its label.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TagPart {
    pub label: String,
    pub color: String,
    pub description: Option<String>,
    pub is_permanent: bool,
}

/// A custom field, named by its name and whether it is the project's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldPart {
    pub name: String,
    /// Whether it is the project's own, and not its organisation's.
    pub own: bool,
    pub r#type: String,
    pub description: Option<String>,
    pub on: Vec<FieldUsePart>,
}

/// A kind of object that has a custom field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldUsePart {
    /// `feature`, `segment` or `environment`.
    pub kind: String,
    pub required: bool,
}

/// What an object says in a custom field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataPart {
    pub field: String,
    pub own: bool,
    pub value: String,
}

/// A feature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturePart {
    pub name: String,
    pub r#type: String,
    pub default_enabled: bool,
    pub initial_value: Option<String>,
    pub description: Option<String>,
    pub is_archived: bool,
    pub is_server_key_only: bool,
    /// Labels.
    pub tags: Vec<String>,
    /// E-mail addresses.
    pub owners: Vec<String>,
    /// Names of groups.
    pub group_owners: Vec<String>,
    pub options: Vec<OptionPart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<MetadataPart>,
}

/// A multivariate option.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptionPart {
    /// The number it had, by which weights name it.
    pub id: i64,
    pub key: Option<String>,
    pub value: FlagValue,
    pub default_percentage_allocation: f64,
}

/// A segment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentPart {
    /// The number it had, by which overrides name it.
    pub id: i64,
    /// What percentages are drawn with; without it, its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    pub name: String,
    pub description: Option<String>,
    /// The feature it is only for.
    pub feature: Option<String>,
    pub rules: Vec<Rule>,
    /// Of a list segment. Who is in it is not in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListPart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<MetadataPart>,
}

/// What makes a segment a list segment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListPart {
    pub key: String,
    pub context_kind: String,
    pub unbounded: bool,
}

/// An environment with what features are in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnvironmentPart {
    pub name: String,
    pub description: Option<String>,
    pub allow_client_traits: bool,
    pub banner_text: Option<String>,
    pub banner_colour: Option<String>,
    pub hide_disabled_flags: Option<bool>,
    pub use_identity_composite_key_for_hashing: bool,
    pub hide_sensitive_data: bool,
    pub use_v2_feature_versioning: bool,
    pub use_identity_overrides_in_local_eval: bool,
    pub minimum_change_request_approvals: Option<i64>,
    /// The client-side key, in files with keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_keys: Vec<ServerKeyPart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<MetadataPart>,
    /// Environment defaults, in the order in which flags are served.
    pub defaults: Vec<DefaultPart>,
    pub segment_overrides: Vec<SegmentOverridePart>,
    pub identity_overrides: Vec<IdentityOverridePart>,
}

/// A server-side key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerKeyPart {
    pub name: String,
    pub key: String,
    pub active: bool,
    pub expires_at: Option<i64>,
}

/// What a feature is for somebody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatePart {
    pub enabled: bool,
    pub value: FlagValue,
    /// What variants are drawn with.
    pub seed: i64,
    pub weights: Vec<WeightPart>,
}

/// The share of an option.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightPart {
    pub option: i64,
    pub percentage: f64,
}

/// What a feature is for everyone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultPart {
    pub feature: String,
    pub state: StatePart,
}

/// What a feature is for a segment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentOverridePart {
    pub feature: String,
    pub segment: i64,
    pub priority: i64,
    pub state: StatePart,
}

/// What a feature is for an identity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityOverridePart {
    pub identifier: String,
    /// The number the identity had.
    pub identity: i64,
    /// What its buckets are computed from, where they are not from its identifier; without it, its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    pub feature: String,
    pub state: StatePart,
}

/// A line of the change log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangePart {
    pub at: String,
    pub author: Option<String>,
    pub environment: Option<String>,
    pub object_type: String,
    pub action: String,
    pub log: String,
}

/// An identity: a line of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityLine {
    pub environment: String,
    pub id: i64,
    /// What its buckets are computed from, where they are not from its identifier; without it, its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    pub identifier: String,
    pub alias: Option<String>,
    pub created_at: i64,
    pub traits: TraitSet,
}

/// The line after the last identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndLine {
    /// How many identities there were.
    pub identities: i64,
    /// Of all their lines.
    pub checksum: String,
}
