//! One environment as it is served: compiled, with its answers prepared. Never changed, only replaced.

use std::collections::HashMap;

use burgee_engine::{
    Definition, FeatureDefinition, MemberSet, OverrideDefinition, RuleDefinition, SegmentDefinition,
    StateDefinition, VariantDefinition,
};
use burgee_model::lists::USER;
use burgee_model::{FlagValue, Timestamp, keys};
use burgee_store::feature_states::FeatureState;
use sha2::{Digest, Sha256};

use super::document;
use super::flags::{self, Prepared, StateTexts};
use super::lists::SegmentLists;
use crate::pii::Guard;

use super::rows::{Placed, Purposes, Rows};

/// What is known of a feature beside its states.
#[derive(Debug)]
pub struct ServedFeature {
    pub id: i64,
    pub name: String,
    pub is_server_key_only: bool,
    /// The values of its options, for `flags/{id}/multivariate-options/`.
    pub options: Vec<FlagValue>,
    /// The state of the environment default, as an index into the states.
    pub(crate) default: usize,
}

/// What is known of a segment beside its rules.
#[derive(Debug)]
pub struct ServedSegment {
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
}

/// An environment as it is served.
#[derive(Debug)]
pub struct Snapshot {
    pub environment_id: i64,
    pub project_id: i64,
    pub organisation_id: i64,
    pub api_key: String,
    /// The version SDKs compare.
    pub updated_at: Timestamp,
    /// The same as epoch seconds, the form of the header.
    pub updated_at_text: String,
    pub allow_client_traits: bool,
    pub hide_sensitive_data: bool,
    /// What holds for this environment, its own setting or the project's.
    pub hide_disabled_flags: bool,
    pub persist_trait_data: bool,
    pub stop_serving_flags: bool,
    pub realtime: bool,
    pub composite_hashing: bool,
    /// What looks for personal data in what would be stored; `None` where nobody does.
    pub guard: Option<Guard>,
    /// When an SDK first asked, if one has.
    pub first_evaluated_at: Option<i64>,
    /// In the order in which flags are served; the engine's features have the same indices.
    pub features: Vec<ServedFeature>,
    /// The engine's segments have the same indices.
    pub segments: Vec<ServedSegment>,
    pub engine: burgee_engine::Environment,
    /// The engine's lists have the same indices.
    pub(crate) lists: Vec<ListsHere>,
    pub(crate) states: Vec<StateTexts>,
    /// `GET /flags/` for client-side keys.
    pub flags_for_clients: Prepared,
    /// `GET /flags/` for server-side keys.
    pub flags_for_servers: Prepared,
    pub document: Prepared,
    /// A strong validator of the document.
    pub document_etag: String,
}

impl Snapshot {
    /// Compiles an environment and prepares its answers.
    pub(crate) fn build(rows: &Rows) -> Self {
        let purposes = rows.by_purpose();
        let document = document::render(rows);
        let digest = Sha256::digest(&document);
        let etag = keys::hex(&digest[..16]);
        let environment = &rows.environment;
        let mut snapshot = Self {
            environment_id: environment.id,
            project_id: rows.project.id,
            organisation_id: rows.organisation.id,
            api_key: environment.api_key.clone(),
            updated_at: Timestamp(environment.updated_at),
            updated_at_text: Timestamp(environment.updated_at).epoch_seconds_text(),
            allow_client_traits: environment.allow_client_traits,
            hide_sensitive_data: environment.hide_sensitive_data,
            hide_disabled_flags: environment
                .hide_disabled_flags
                .unwrap_or(rows.project.hide_disabled_flags),
            persist_trait_data: rows.organisation.persist_trait_data,
            stop_serving_flags: rows.organisation.stop_serving_flags,
            realtime: rows.project.enable_realtime_updates,
            guard: None,
            composite_hashing: environment.use_identity_composite_key_for_hashing,
            first_evaluated_at: environment.first_evaluated_at,
            features: features(rows, &purposes),
            segments: rows.segments.iter().map(segment).collect(),
            engine: burgee_engine::Environment::compile(definition(rows, &purposes)),
            lists: lists(rows)
                .into_iter()
                .map(|(_, lists)| ListsHere::new(lists))
                .collect(),
            states: flags::render(rows),
            flags_for_clients: Prepared::default(),
            flags_for_servers: Prepared::default(),
            document: Prepared::new(document),
            document_etag: format!("\"{etag}\""),
        };
        snapshot.flags_for_clients = Prepared::new(snapshot.default_flags(false));
        snapshot.flags_for_servers = Prepared::new(snapshot.default_flags(true));
        snapshot
    }

    /// The list of all flags without an identity.
    fn default_flags(&self, server_key: bool) -> Vec<u8> {
        let mut out = vec![b'['];
        for feature in &self.features {
            let state = &self.states[feature.default];
            if self.shows(feature, state.enabled, server_key) {
                if out.len() > 1 {
                    out.push(b',');
                }
                state.control.write_without_variant(&mut out);
            }
        }
        out.push(b']');
        out
    }

    /// Whether a flag may be served to a key of this kind.
    pub fn shows(&self, feature: &ServedFeature, enabled: bool, server_key: bool) -> bool {
        (server_key || !feature.is_server_key_only) && (enabled || !self.hide_disabled_flags)
    }

    /// The key an identity is bucketed by. One that is not stored has no id, and is bucketed by its identifier.
    pub fn hashing_key(&self, hash_seed: Option<i64>, identifier: &str) -> String {
        match hash_seed {
            Some(id) if !self.composite_hashing => id.to_string(),
            _ => format!("{}_{identifier}", self.api_key),
        }
    }
}

fn features(rows: &Rows, purposes: &Purposes<'_>) -> Vec<ServedFeature> {
    let mut options: HashMap<i64, Vec<_>> = HashMap::new();
    for option in rows.options.values() {
        options.entry(option.feature_id).or_default().push(option);
    }
    let mut served: Vec<ServedFeature> = Vec::with_capacity(rows.features.len());
    for placed in &purposes.defaults {
        let feature = placed.feature;
        let mut mine = options.remove(&feature.id).unwrap_or_default();
        mine.sort_by_key(|option| option.id);
        served.push(ServedFeature {
            id: feature.id,
            name: feature.name.clone(),
            is_server_key_only: feature.is_server_key_only,
            options: mine
                .into_iter()
                .map(burgee_store::features::MultivariateOption::value)
                .collect(),
            default: placed.index,
        });
    }
    served
}

fn segment(segment: &burgee_store::segments::Segment) -> ServedSegment {
    ServedSegment {
        id: segment.id,
        name: segment.name.clone(),
        description: segment.description.clone(),
    }
}

/// The lists of a segment, as an evaluation asks them.
#[derive(Debug)]
pub(crate) struct ListsHere {
    pub(crate) included: Vec<(Subject, MemberSet)>,
    pub(crate) excluded: Vec<(Subject, MemberSet)>,
}

/// What of an identity is looked up in a list.
#[derive(Debug)]
pub(crate) enum Subject {
    Identifier,
    Trait(String),
}

impl ListsHere {
    fn new(lists: &SegmentLists) -> Self {
        let side = |excluded: bool| {
            let own = lists
                .lists
                .iter()
                .filter(|served| served.list.excluded == excluded);
            own.map(|served| {
                let subject = match served.list.context_kind.as_str() {
                    USER => Subject::Identifier,
                    kind => Subject::Trait(kind.to_owned()),
                };
                (subject, served.set.clone())
            })
            .collect()
        };
        Self {
            included: side(false),
            excluded: side(true),
        }
    }
}

/// The list segments in the order in which they are served.
fn lists(rows: &Rows) -> Vec<(i64, &SegmentLists)> {
    let mut lists: Vec<_> = rows.lists.iter().map(|(id, lists)| (*id, lists)).collect();
    lists.sort_unstable_by_key(|(id, _)| *id);
    lists
}

fn definition(rows: &Rows, purposes: &Purposes<'_>) -> Definition {
    let overrides = |placed: Option<&Vec<Placed<'_>>>| -> Vec<OverrideDefinition> {
        placed
            .into_iter()
            .flatten()
            .map(|p| override_definition(rows, p))
            .collect()
    };
    let lists = lists(rows);
    Definition {
        lists: lists.iter().map(|(_, lists)| lists.key.clone()).collect(),
        environment_key: rows.environment.api_key.clone(),
        environment_name: rows.environment.name.clone(),
        features: purposes
            .defaults
            .iter()
            .map(|p| FeatureDefinition {
                name: p.feature.name.clone(),
                state: state_definition(rows, p.index, p.state),
            })
            .collect(),
        segments: rows
            .segments
            .iter()
            .map(|segment| SegmentDefinition {
                key: segment.hash_seed().to_string(),
                name: segment.name.clone(),
                list: lists.binary_search_by_key(&segment.id, |(id, _)| *id).ok(),
                rules: segment.parsed_rules().iter().map(RuleDefinition::from).collect(),
                overrides: overrides(purposes.segments.get(&segment.id)),
                metadata: None,
            })
            .collect(),
        identity_overrides: purposes
            .identities
            .iter()
            .filter_map(|(id, placed)| {
                Some((
                    rows.identities.get(id)?.identifier.clone(),
                    overrides(Some(placed)),
                ))
            })
            .collect(),
        document: None,
    }
}

fn override_definition(rows: &Rows, placed: &Placed<'_>) -> OverrideDefinition {
    let link = placed.state.feature_segment_id.and_then(|id| rows.links.get(&id));
    OverrideDefinition {
        feature: placed.place,
        state: state_definition(rows, placed.index, placed.state),
        priority: link.map_or(f64::INFINITY, |l| l.priority as f64),
    }
}

/// The engine hands `reference` back: here it is where the state stands among the rendered ones.
fn state_definition(rows: &Rows, index: usize, state: &FeatureState) -> StateDefinition {
    let variants = rows.weights_of(state).iter().filter_map(|weight| {
        let option = rows.options.get(&weight.option_id)?;
        Some(VariantDefinition {
            key: option.key.clone(),
            value: option.value().to_json(),
            weight: weight.percentage_allocation.into(),
            priority: weight.id as f64,
        })
    });
    StateDefinition {
        reference: index as i64,
        hash_key: state.hash_seed().to_string(),
        enabled: state.enabled,
        value: state.value().to_json(),
        variants: variants.collect(),
        metadata: None,
    }
}
