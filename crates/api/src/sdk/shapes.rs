//! What the answers of the SDK API look like, for the OpenAPI document only.
//!
//! The answers themselves are written elsewhere, ahead of the requests and as text; tests hold them to these shapes.

use burgee_model::segments::RuleType;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Declares a shape that may be one of several JSON types.
macro_rules! scalar {
    ($(#[doc = $doc:literal])* $name:ident: $($kind:ident),*) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::from_iter([$(Type::$kind),*]))
                    .description(Some(concat!($($doc),*).trim()))
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

scalar! {
    /// The value of a flag.
    FlagScalar: String, Integer, Boolean, Null
}
scalar! {
    /// The value of a trait.
    TraitScalar: String, Number, Boolean
}

/// The feature of a flag. Where sensitive data is hidden, what is not needed is null.
#[derive(Debug, ToSchema)]
pub struct FlagFeature {
    pub id: i64,
    pub name: String,
    pub created_date: Option<String>,
    pub description: Option<String>,
    pub initial_value: Option<String>,
    pub default_enabled: Option<bool>,
    #[schema(value_type = crate::management::features::FeatureType)]
    pub r#type: String,
}

/// A flag.
#[derive(Debug, ToSchema)]
pub struct Flag {
    /// The id of the feature state.
    pub id: Option<i64>,
    pub feature: FlagFeature,
    #[schema(inline)]
    pub feature_state_value: FlagScalar,
    pub environment: Option<i64>,
    pub identity: Option<i64>,
    pub feature_segment: Option<i64>,
    pub enabled: bool,
}

/// A flag of an identity, with the multivariate option it got.
#[derive(Debug, ToSchema)]
pub struct IdentityFlag {
    #[schema(inline)]
    #[serde(flatten)]
    pub flag: Flag,
    /// The key of the option, `control` for the control value, null for features without options.
    pub variant: Option<String>,
}

/// All flags; with `feature`, that one.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum Flags {
    All(Vec<Flag>),
    One(Flag),
}

/// A trait of an identity. One that is not stored has no id.
#[derive(Debug, ToSchema)]
pub struct IdentityTrait {
    pub id: Option<i64>,
    pub trait_key: String,
    #[schema(inline)]
    pub trait_value: TraitScalar,
    pub transient: bool,
}

/// An identity with its traits and its flags.
#[derive(Debug, ToSchema)]
pub struct IdentityFlags {
    pub identifier: String,
    pub traits: Vec<IdentityTrait>,
    pub flags: Vec<IdentityFlag>,
}

/// The identity; with `feature`, that flag; without an identifier, a hint.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum IdentityAnswer {
    Identity(IdentityFlags),
    Flag(IdentityFlag),
    Hint { detail: String },
}

/// A segment that an identity is in.
#[derive(Debug, ToSchema)]
pub struct MatchingSegment {
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
}

/// An identity as first-generation clients read it.
#[derive(Debug, ToSchema)]
pub struct LegacyIdentity {
    pub flags: Vec<Flag>,
    pub traits: Vec<IdentityTrait>,
    pub segments: Vec<MatchingSegment>,
}

/// One of the values a feature may serve.
#[derive(Debug, ToSchema)]
pub struct ServedOption {
    #[schema(inline)]
    pub value: FlagScalar,
}

/// The values a multivariate feature may serve.
#[derive(Debug, ToSchema)]
pub struct ServedOptions {
    #[schema(inline)]
    pub control_value: FlagScalar,
    pub options: Vec<ServedOption>,
}

/// What an endpoint speaks.
#[derive(Debug, ToSchema)]
pub struct Spoken {
    pub name: String,
    pub description: String,
    pub renders: Vec<String>,
    pub parses: Vec<String>,
}

/// Nothing in particular.
#[derive(Debug, ToSchema)]
pub struct Nothing {}

/// Whose trait it is.
#[derive(Debug, ToSchema)]
pub struct TraitOwner {
    pub identifier: String,
}

/// A trait that was set.
#[derive(Debug, ToSchema)]
pub struct SetTrait {
    pub identity: TraitOwner,
    #[schema(inline)]
    pub trait_value: TraitScalar,
    pub trait_key: String,
}

/// A trait after it was added to: the sum. A boolean that nothing was added to stays one.
#[derive(Debug, ToSchema)]
pub struct IncrementedTrait {
    pub trait_key: String,
    #[schema(inline)]
    pub trait_value: TraitScalar,
    pub identifier: String,
}

/// Counts by the names of features.
#[derive(Debug, ToSchema)]
pub struct EvaluationCounts(pub std::collections::BTreeMap<String, i64>);

/// The environment document: everything that evaluating takes.
#[derive(Debug, ToSchema)]
pub struct EnvironmentDocument {
    pub id: i64,
    pub api_key: String,
    pub project: DocumentProject,
    pub feature_states: Vec<DocumentState>,
    pub identity_overrides: Vec<DocumentOverride>,
    pub name: String,
    pub allow_client_traits: bool,
    pub updated_at: String,
    pub hide_sensitive_data: bool,
    pub hide_disabled_flags: Option<bool>,
    pub use_identity_composite_key_for_hashing: bool,
    pub use_identity_overrides_in_local_eval: bool,
}

/// The project of an environment document.
#[derive(Debug, ToSchema)]
pub struct DocumentProject {
    pub id: i64,
    pub name: String,
    pub organisation: DocumentOrganisation,
    pub hide_disabled_flags: bool,
    pub segments: Vec<DocumentSegment>,
    pub enable_realtime_updates: bool,
    pub server_key_only_feature_ids: Vec<i64>,
}

/// The organisation of an environment document.
#[derive(Debug, ToSchema)]
pub struct DocumentOrganisation {
    pub id: i64,
    pub name: String,
    pub feature_analytics: bool,
    pub stop_serving_flags: bool,
    pub persist_trait_data: bool,
}

/// A segment with what it overrides.
#[derive(Debug, ToSchema)]
pub struct DocumentSegment {
    pub id: i64,
    pub name: String,
    pub rules: Vec<DocumentRule>,
    pub feature_states: Vec<DocumentState>,
}

/// A rule, of rules and of conditions.
#[derive(Debug, ToSchema)]
pub struct DocumentRule {
    #[schema(value_type = crate::management::segment_rules::RuleKind)]
    pub r#type: RuleType,
    #[schema(no_recursion)]
    pub rules: Vec<DocumentRule>,
    pub conditions: Vec<DocumentCondition>,
}

/// A comparison.
#[derive(Debug, ToSchema)]
pub struct DocumentCondition {
    #[schema(value_type = crate::words::ConditionOperator)]
    pub operator: String,
    pub value: Option<String>,
    pub property_: Option<String>,
}

/// What a feature is by default, for a segment or for an identity.
#[derive(Debug, ToSchema)]
pub struct DocumentState {
    pub feature: DocumentFeature,
    pub enabled: bool,
    pub django_id: i64,
    pub feature_segment: Option<DocumentPriority>,
    pub featurestate_uuid: String,
    #[schema(inline)]
    pub feature_state_value: FlagScalar,
    pub multivariate_feature_state_values: Vec<DocumentVariant>,
}

/// A feature by name.
#[derive(Debug, ToSchema)]
pub struct DocumentFeature {
    pub id: i64,
    pub name: String,
    #[schema(value_type = crate::management::features::FeatureType)]
    pub r#type: String,
}

/// The rank of a segment override: the lowest wins.
#[derive(Debug, ToSchema)]
pub struct DocumentPriority {
    pub priority: i64,
}

/// The share of an option.
#[derive(Debug, ToSchema)]
pub struct DocumentVariant {
    pub multivariate_feature_option: DocumentOption,
    pub percentage_allocation: f64,
    pub id: i64,
    pub mv_fs_value_uuid: String,
}

/// A multivariate option.
#[derive(Debug, ToSchema)]
pub struct DocumentOption {
    #[schema(inline)]
    pub value: FlagScalar,
    pub id: i64,
    pub key: Option<String>,
}

/// An identity for which features are overridden.
#[derive(Debug, ToSchema)]
pub struct DocumentOverride {
    pub identifier: String,
    pub environment_api_key: String,
    pub created_date: String,
    pub identity_features: Vec<DocumentState>,
    /// Always empty: traits are sent with each evaluation.
    pub identity_traits: Vec<Nothing>,
    pub identity_uuid: String,
    pub django_id: i64,
    pub dashboard_alias: Option<String>,
    pub composite_key: String,
}

/// What an evaluation over OFREP is about.
#[derive(Debug, ToSchema)]
pub struct OfrepRequest {
    /// `targetingKey` is the identity, everything else is a trait.
    #[schema(required = false, nullable = false, value_type = Object)]
    pub context: Option<serde_json::Map<String, serde_json::Value>>,
}

/// An evaluated flag. Without a `value` the caller's default applies.
#[derive(Debug, ToSchema)]
pub struct OfrepFlag {
    pub key: String,
    #[schema(value_type = crate::words::OfrepReason)]
    pub reason: String,
    pub metadata: OfrepMetadata,
    #[schema(nullable = false)]
    pub variant: Option<String>,
    #[schema(nullable = false, inline)]
    pub value: Option<OfrepValue>,
}

/// What else is known of an evaluated flag.
#[derive(Debug, ToSchema)]
pub struct OfrepMetadata {
    pub enabled: bool,
    #[schema(rename = "featureId")]
    pub feature_id: i64,
    #[schema(nullable = false, inline)]
    pub value: Option<OfrepScalar>,
}

scalar! {
    /// A value; text that holds a JSON object or list is served as that.
    OfrepValue: String, Number, Boolean, Object, Array
}
scalar! {
    /// A value as Flagsmith has it.
    OfrepScalar: String, Number, Boolean
}

/// All flags of a context.
#[derive(Debug, ToSchema)]
pub struct OfrepFlags {
    pub flags: Vec<OfrepFlag>,
    /// Where changes are told of, when the project tells of them.
    #[schema(rename = "eventStreams", nullable = false)]
    pub event_streams: Option<Vec<OfrepStream>>,
}

/// A stream of events.
#[derive(Debug, ToSchema)]
pub struct OfrepStream {
    #[schema(value_type = crate::words::OfrepStreamType)]
    pub r#type: String,
    pub endpoint: OfrepEndpoint,
    #[schema(rename = "inactivityDelaySec")]
    pub inactivity_delay_sec: i64,
}

/// Where a stream is.
#[derive(Debug, ToSchema)]
pub struct OfrepEndpoint {
    #[schema(rename = "requestUri")]
    pub request_uri: String,
}

/// Why there is no evaluation.
#[derive(Debug, ToSchema)]
pub struct OfrepFailure {
    #[schema(rename = "errorCode")]
    pub error_code: String,
    #[schema(rename = "errorDetails")]
    pub error_details: String,
    /// The flag that was asked for.
    #[schema(nullable = false)]
    pub key: Option<String>,
}

/// Why a request was refused before anything was evaluated.
#[derive(Debug, ToSchema)]
pub struct OfrepRefusal {
    #[schema(rename = "errorDetails")]
    pub error_details: String,
    /// The flag that was asked for.
    #[schema(nullable = false)]
    pub key: Option<String>,
}
