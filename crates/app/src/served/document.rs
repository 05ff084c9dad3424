//! The environment document: what SDKs that evaluate by themselves, and edge proxies, read.
//!
//! Keys and their order are those of Flagsmith's document. Two differences, both on purpose: `identity_uuid` is
//! derived from the identity, so that the document is the same, byte for byte, until something changes; and an
//! identity override that gives all of a split to one option carries that option's value, because most SDKs don't look
//! at the options there.

use burgee_model::segments::{Condition, Rule, RuleType};
use burgee_model::{FlagValue, Timestamp};
use burgee_store::feature_states::{FeatureState, OverriddenIdentity};
use burgee_store::features::Feature;
use burgee_store::segments::Segment;
use serde::Serialize;
use uuid::Uuid;

use super::local::Local;
use super::rows::{Placed, Purposes, Rows};

#[derive(Debug, Serialize)]
struct Document<'a> {
    id: i64,
    api_key: &'a str,
    project: Project<'a>,
    feature_states: Vec<State<'a>>,
    identity_overrides: Vec<IdentityOverride<'a>>,
    name: &'a str,
    allow_client_traits: bool,
    updated_at: String,
    hide_sensitive_data: bool,
    hide_disabled_flags: Option<bool>,
    use_identity_composite_key_for_hashing: bool,
    use_identity_overrides_in_local_eval: bool,
}

#[derive(Debug, Serialize)]
struct Project<'a> {
    id: i64,
    name: &'a str,
    organisation: Organisation<'a>,
    hide_disabled_flags: bool,
    segments: Vec<SegmentJson<'a>>,
    enable_realtime_updates: bool,
    server_key_only_feature_ids: Vec<i64>,
}

#[derive(Debug, Serialize)]
struct Organisation<'a> {
    id: i64,
    name: &'a str,
    feature_analytics: bool,
    stop_serving_flags: bool,
    persist_trait_data: bool,
}

#[derive(Debug, Serialize)]
struct SegmentJson<'a> {
    id: i64,
    name: &'a str,
    rules: Vec<RuleJson>,
    feature_states: Vec<State<'a>>,
}

#[derive(Debug, Serialize)]
struct RuleJson {
    #[serde(rename = "type")]
    kind: RuleType,
    rules: Vec<RuleJson>,
    conditions: Vec<ConditionJson>,
}

#[derive(Debug, Serialize)]
struct ConditionJson {
    operator: &'static str,
    value: Option<String>,
    property_: Option<String>,
}

#[derive(Debug, Serialize)]
struct State<'a> {
    feature: FeatureJson<'a>,
    enabled: bool,
    django_id: i64,
    feature_segment: Option<Priority>,
    featurestate_uuid: &'a str,
    feature_state_value: FlagValue,
    multivariate_feature_state_values: Vec<Variant<'a>>,
}

#[derive(Debug, Serialize)]
struct FeatureJson<'a> {
    id: i64,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Debug, Serialize)]
struct Priority {
    priority: i64,
}

#[derive(Debug, Serialize)]
struct Variant<'a> {
    multivariate_feature_option: OptionJson<'a>,
    percentage_allocation: f64,
    id: i64,
    mv_fs_value_uuid: &'a str,
}

#[derive(Debug, Serialize)]
struct OptionJson<'a> {
    value: FlagValue,
    id: i64,
    key: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct IdentityOverride<'a> {
    identifier: &'a str,
    environment_api_key: &'a str,
    created_date: String,
    identity_features: Vec<State<'a>>,
    identity_traits: [(); 0],
    identity_uuid: Uuid,
    django_id: i64,
    dashboard_alias: Option<&'a str>,
    composite_key: String,
}

/// Renders the document.
pub(crate) fn render(rows: &Rows) -> Vec<u8> {
    let purposes = rows.by_purpose();
    let local = Local::new(rows);
    let (project, organisation, environment) = (&rows.project, &rows.organisation, &rows.environment);
    let document = Document {
        id: environment.id,
        api_key: &environment.api_key,
        project: Project {
            id: project.id,
            name: &project.name,
            organisation: Organisation {
                id: organisation.id,
                name: &organisation.name,
                feature_analytics: organisation.feature_analytics,
                stop_serving_flags: organisation.stop_serving_flags,
                persist_trait_data: organisation.persist_trait_data,
            },
            hide_disabled_flags: project.hide_disabled_flags,
            segments: rows
                .segments
                .iter()
                .map(|s| segment(rows, &purposes, &local, s))
                .collect(),
            enable_realtime_updates: project.enable_realtime_updates,
            server_key_only_feature_ids: rows
                .features
                .iter()
                .filter(|f| f.is_server_key_only)
                .map(|f| f.id)
                .collect(),
        },
        feature_states: states(rows, Some(&purposes.defaults)),
        identity_overrides: identity_overrides(rows, &purposes),
        name: &environment.name,
        allow_client_traits: environment.allow_client_traits,
        updated_at: Timestamp(environment.updated_at).iso(),
        hide_sensitive_data: environment.hide_sensitive_data,
        hide_disabled_flags: environment.hide_disabled_flags,
        use_identity_composite_key_for_hashing: environment.use_identity_composite_key_for_hashing,
        use_identity_overrides_in_local_eval: environment.use_identity_overrides_in_local_eval,
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

fn states<'a>(rows: &'a Rows, placed: Option<&Vec<Placed<'a>>>) -> Vec<State<'a>> {
    placed
        .into_iter()
        .flatten()
        .map(|p| state(rows, p.feature, p.state))
        .collect()
}

fn state<'a>(rows: &'a Rows, feature: &'a Feature, state: &'a FeatureState) -> State<'a> {
    let priority = state
        .feature_segment_id
        .and_then(|id| rows.links.get(&id))
        .map(|l| Priority { priority: l.priority });
    let variants: Vec<Variant<'a>> = rows
        .weights_of(state)
        .iter()
        .filter_map(|weight| {
            let option = rows.options.get(&weight.option_id)?;
            Some(Variant {
                multivariate_feature_option: OptionJson {
                    value: option.value(),
                    id: option.id,
                    key: option.key.as_deref(),
                },
                percentage_allocation: weight.percentage_allocation,
                id: weight.id,
                mv_fs_value_uuid: &weight.uuid,
            })
        })
        .collect();
    let whole = variants
        .iter()
        .find(|v| state.identity_id.is_some() && v.percentage_allocation >= 100.0);
    State {
        feature: FeatureJson {
            id: feature.id,
            name: &feature.name,
            kind: &feature.r#type,
        },
        enabled: state.enabled,
        django_id: state.hash_seed(),
        feature_segment: priority,
        featurestate_uuid: &state.uuid,
        feature_state_value: whole
            .map_or_else(|| state.value(), |v| v.multivariate_feature_option.value.clone()),
        multivariate_feature_state_values: variants,
    }
}

fn segment<'a>(
    rows: &'a Rows,
    purposes: &Purposes<'a>,
    local: &Local<'_>,
    segment: &'a Segment,
) -> SegmentJson<'a> {
    SegmentJson {
        // SDKs compute percentage splits from it.
        id: segment.hash_seed(),
        name: &segment.name,
        rules: local.rules(segment).into_iter().map(rule).collect(),
        feature_states: states(rows, purposes.segments.get(&segment.id)),
    }
}

fn rule(rule: Rule) -> RuleJson {
    RuleJson {
        kind: rule.kind,
        rules: rule.rules.into_iter().map(self::rule).collect(),
        conditions: rule.conditions.into_iter().map(condition).collect(),
    }
}

fn condition(condition: Condition) -> ConditionJson {
    ConditionJson {
        operator: condition.operator.as_str(),
        value: condition.value,
        property_: condition.property,
    }
}

fn identity_overrides<'a>(rows: &'a Rows, purposes: &Purposes<'a>) -> Vec<IdentityOverride<'a>> {
    if !rows.environment.use_identity_overrides_in_local_eval {
        return Vec::new();
    }
    let api_key = rows.environment.api_key.as_str();
    let with_identity = |(id, placed)| rows.identities.get(id).map(|identity| (identity, placed));
    purposes
        .identities
        .iter()
        .filter_map(with_identity)
        .map(|(identity, placed)| IdentityOverride {
            identifier: &identity.identifier,
            environment_api_key: api_key,
            created_date: Timestamp(identity.created_at).iso(),
            identity_features: states(rows, Some(placed)),
            identity_traits: [],
            identity_uuid: identity_uuid(api_key, identity),
            django_id: identity.id,
            dashboard_alias: None,
            composite_key: format!("{api_key}_{}", identity.identifier),
        })
        .collect()
}

/// The same for the same identity, on every node and in every rendering.
fn identity_uuid(api_key: &str, identity: &OverriddenIdentity) -> Uuid {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("burgee:{api_key}:{}", identity.identifier).as_bytes(),
    )
}
