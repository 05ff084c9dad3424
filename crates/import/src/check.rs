//! Comparing what was taken with the source: numbers of rows, and flags of identities.
//!
//! The flags are evaluated twice: from the source's own rows, ids and seeds, without anything of this database; and as
//! the SDK API serves them here. A bucket that moved would show.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use burgee_app::App;
use burgee_app::sdk::evaluation;
use burgee_app::sdk::identities::Identified;
use burgee_engine::{
    ContextValue, Definition, FeatureDefinition, Identity, OverrideDefinition, RuleDefinition,
    SegmentDefinition, StateDefinition, VariantDefinition,
};
use burgee_model::traits::TraitSet;
use burgee_store::feature_states::typed_value;
use burgee_store::identities;
use serde_json::Value;

use crate::configuration::Configuration;
use crate::flags::ranked;
use crate::identities::{IncomingIdentity, Maps};
use crate::records::{Environment, FeatureState, FlagOption, Weight, value_type};
use crate::report::Report;
use crate::{Result, noun};

/// Identities to compare, with what is overridden for them.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// With the environment there.
    pub(crate) identities: Vec<(IncomingIdentity, i64)>,
    pub(crate) overrides: Vec<FeatureState>,
    pub(crate) weights: Vec<Weight>,
}

/// A flag as it came out: whether it is on, its value, its variant.
type Flags = BTreeMap<String, (bool, Value, Option<String>)>;

/// The most differences that are listed.
const LISTED: usize = 100;

/// Compares the flags of the sample.
pub(crate) async fn flags(
    app: &App,
    from: &Configuration,
    sample: &Sample,
    maps: &Maps,
    report: &mut Report,
) -> Result<()> {
    let features = maps.get(noun::FEATURE);
    for environment in &from.environments {
        let here = maps
            .get(noun::ENVIRONMENT)
            .and_then(|ids| ids.get(&environment.id));
        let Some(served) = here.and_then(|id| app.environments().by_id(*id)) else {
            continue;
        };
        let there = Before::build(from, environment, sample, features);
        let snapshot = served.snapshot();
        let mut here_only = BTreeSet::new();
        for (identity, _) in sample.identities.iter().filter(|(_, id)| *id == environment.id) {
            let stored =
                identities::find_by_identifier(app.db(), identity.environment, &identity.identifier).await?;
            let Some(stored) = stored else {
                let text = format!("identity {} is not here", identity.source);
                report.checks.differences.push(text);
                continue;
            };
            let after: Flags = evaluation::evaluated(&snapshot, &Identified::stored(&stored), true)
                .into_iter()
                .map(|flag| (flag.name, (flag.enabled, flag.value.to_json(), flag.variant)))
                .collect();
            let before = there.flags(identity);
            report.checks.identities_compared += 1;
            for (name, was) in &before {
                if after.get(name) != Some(was) && report.checks.differences.len() < LISTED {
                    report.checks.differences.push(format!(
                        "{name} of identity {} in environment {}: {was:?} there, {:?} here",
                        identity.source,
                        environment.id,
                        after.get(name)
                    ));
                }
            }
            here_only.extend(after.into_keys().filter(|name| !before.contains_key(name)));
        }
        for name in here_only {
            let text = format!("{name} was made here: it is served here only");
            report.note(noun::ENVIRONMENT, environment.id, text);
        }
    }
    Ok(())
}

/// An environment compiled from the source's rows.
struct Before<'a> {
    environment: &'a Environment,
    hides_disabled: bool,
    engine: burgee_engine::Environment,
}

impl<'a> Before<'a> {
    fn build(
        from: &Configuration,
        environment: &'a Environment,
        sample: &Sample,
        taken: Option<&HashMap<i64, i64>>,
    ) -> Self {
        let project = from.projects.iter().find(|p| p.id == environment.project_id);
        let states = from
            .states
            .iter()
            .filter(|s| s.environment_id == Some(environment.id));
        let (shared, defaults): (Vec<_>, Vec<_>) = states.partition(|s| s.feature_segment_id.is_some());
        let names: HashMap<i64, &str> = from.features.iter().map(|f| (f.id, f.name.as_str())).collect();
        let rows = Rows::of(from, sample);
        let defaults: Vec<&FeatureState> = defaults
            .into_iter()
            .filter(|s| taken.is_some_and(|ids| ids.contains_key(&s.feature_id)))
            .collect();
        let places: HashMap<i64, usize> = (0..)
            .zip(&defaults)
            .map(|(place, s)| (s.feature_id, place))
            .collect();
        let links: HashMap<i64, (i64, i64)> = ranked(from)
            .0
            .into_iter()
            .map(|(l, priority)| (l.id, (l.segment_id, priority)))
            .collect();
        let mut of_segment: HashMap<i64, Vec<OverrideDefinition>> = HashMap::new();
        for state in shared {
            let link = state.feature_segment_id.and_then(|id| links.get(&id));
            let (Some((segment, priority)), Some(place)) = (link, places.get(&state.feature_id)) else {
                continue;
            };
            of_segment.entry(*segment).or_default().push(OverrideDefinition {
                feature: *place,
                state: rows.state(state),
                priority: *priority as f64,
            });
        }
        let identifiers: HashMap<i64, &str> = sample
            .identities
            .iter()
            .map(|(identity, _)| (identity.source, identity.identifier.as_str()))
            .collect();
        let mut of_identity: HashMap<String, Vec<OverrideDefinition>> = HashMap::new();
        let in_environment = |s: &&FeatureState| s.environment_id == Some(environment.id);
        for state in sample.overrides.iter().filter(in_environment) {
            let identifier = state.identity_id.and_then(|id| identifiers.get(&id));
            let (Some(identifier), Some(place)) = (identifier, places.get(&state.feature_id)) else {
                continue;
            };
            let list = of_identity.entry((*identifier).to_owned()).or_default();
            list.push(OverrideDefinition {
                feature: *place,
                state: rows.state(state),
                priority: f64::NEG_INFINITY,
            });
        }
        let definition = Definition {
            environment_key: environment.api_key.clone(),
            environment_name: environment.name.clone(),
            features: defaults
                .iter()
                .map(|s| FeatureDefinition {
                    name: names
                        .get(&s.feature_id)
                        .map(|name| (*name).to_owned())
                        .unwrap_or_default(),
                    state: rows.state(s),
                })
                .collect(),
            segments: from
                .segments
                .iter()
                .filter(|s| s.project_id == environment.project_id)
                .map(|s| SegmentDefinition {
                    key: s.id.to_string(),
                    name: s.name.clone(),
                    list: None,
                    rules: from
                        .rules
                        .get(&s.id)
                        .into_iter()
                        .flatten()
                        .map(RuleDefinition::from)
                        .collect(),
                    overrides: of_segment.remove(&s.id).unwrap_or_default(),
                    metadata: None,
                })
                .collect(),
            lists: Vec::new(),
            identity_overrides: of_identity,
            document: None,
        };
        Self {
            environment,
            hides_disabled: environment
                .hide_disabled_flags
                .unwrap_or(project.is_some_and(|p| p.hide_disabled_flags)),
            engine: burgee_engine::Environment::compile(definition),
        }
    }

    fn flags(&self, identity: &IncomingIdentity) -> Flags {
        let key = if self.environment.use_mv_v2_evaluation {
            format!("{}_{}", self.environment.api_key, identity.identifier)
        } else {
            identity.source.to_string()
        };
        let traits = TraitSet::parse(&identity.traits).unwrap_or_default();
        let traits: Vec<(&str, ContextValue<'_>)> = traits
            .iter()
            .map(|t| (t.key(), ContextValue::from(t.value())))
            .collect();
        let context = Identity {
            key: Some(&key),
            ..Identity::new(&identity.identifier, &traits)
        };
        self.engine
            .evaluate(Some(&context))
            .iter()
            .filter(|outcome| outcome.enabled() || !self.hides_disabled)
            .map(|outcome| {
                let variant = outcome.variant().map(str::to_owned);
                (
                    outcome.name().to_owned(),
                    (outcome.enabled(), outcome.value().clone(), variant),
                )
            })
            .collect()
    }
}

/// Options and their weights, found by what they belong to.
struct Rows<'a> {
    options: HashMap<i64, &'a FlagOption>,
    weights: HashMap<i64, Vec<&'a Weight>>,
}

impl<'a> Rows<'a> {
    fn of(from: &'a Configuration, sample: &'a Sample) -> Self {
        let mut weights: HashMap<i64, Vec<&Weight>> = HashMap::new();
        for weight in from.weights.iter().chain(&sample.weights) {
            weights.entry(weight.feature_state_id).or_default().push(weight);
        }
        Self {
            options: from.options.iter().map(|o| (o.id, o)).collect(),
            weights,
        }
    }

    fn state(&self, s: &FeatureState) -> StateDefinition {
        let kind = value_type(s.value_type.as_deref());
        let variants = self.weights.get(&s.id).into_iter().flatten().filter_map(|w| {
            let o = self.options.get(&w.multivariate_feature_option_id)?;
            let kind = value_type(o.kind.as_deref());
            let value = typed_value(&kind, o.string_value.as_deref(), o.integer_value, o.boolean_value);
            Some(VariantDefinition {
                key: o.key.clone(),
                value: value.to_json(),
                weight: w.percentage_allocation.into(),
                priority: w.id as f64,
            })
        });
        let value = typed_value(&kind, s.string_value.as_deref(), s.integer_value, s.boolean_value);
        StateDefinition {
            reference: s.id,
            hash_key: s.hash_seed().to_string(),
            enabled: s.enabled,
            value: value.to_json(),
            variants: variants.collect(),
            metadata: None,
        }
    }
}
