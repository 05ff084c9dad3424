//! A compiled environment: immutable, shared between threads, ready to answer.

use std::collections::HashMap;

use burgee_model::segments::{Operator, RuleType};
use serde_json::{Value, json};

use crate::condition::{Condition, Test};
use crate::definition::{Definition, OverrideDefinition, RuleDefinition, SegmentDefinition, StateDefinition};
use crate::number::Number;
use crate::property::{Interner, Properties};
use crate::text_set::TextSet;

/// Levels of rules below a segment. A deeper rule never matches.
pub const MAX_RULE_DEPTH: usize = 32;

/// The property of a percentage split that names none: the identity's key, not coerced.
pub(crate) const IDENTITY_KEY: u32 = u32::MAX;

/// Features, segments and overrides of one environment, compiled once and evaluated many times.
#[derive(Debug)]
pub struct Environment {
    pub(crate) key: String,
    pub(crate) features: Vec<Feature>,
    pub(crate) segments: Vec<Segment>,
    /// The segments that override something, in order: all that evaluation of flags looks at.
    pub(crate) overriding: Vec<u32>,
    /// Environment defaults first, at the index of their feature; then segment overrides, then identity overrides.
    pub(crate) states: Vec<State>,
    /// The features of which some state has variants.
    pub(crate) split: Vec<u32>,
    identifiers: TextSet,
    /// Where in `states` the overrides of each identifier begin and end.
    identity_overrides: Vec<(u32, u32)>,
    pub(crate) properties: Properties,
    /// Whether a condition reads a flag, so that flags are resolved one by one.
    pub(crate) has_flag_dependencies: bool,
    /// What JSON paths query besides the identity; kept only if one needs it.
    pub(crate) document: Option<Value>,
    warnings: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) name: String,
    /// The states of segments that override it, in the order of the segments.
    pub(crate) overrides: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) list: Option<usize>,
    pub(crate) rules: Vec<Rule>,
    /// Where in the environment's states its overrides begin and end.
    pub(crate) states: (u32, u32),
    pub(crate) metadata: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) kind: RuleType,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) rules: Vec<Rule>,
    /// Nested too deeply: false, whatever its type.
    pub(crate) is_cut: bool,
}

/// What a flag is, if this state wins.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) feature: u32,
    pub(crate) origin: Origin,
    pub(crate) priority: f64,
    pub(crate) reference: i64,
    pub(crate) hash_key: Box<str>,
    pub(crate) enabled: bool,
    pub(crate) value: Value,
    pub(crate) variants: Box<[Variant]>,
    pub(crate) metadata: Option<Box<Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    Segment(u32),
    Identity,
}

/// A share of a split, in ascending priority.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Its place in the definition.
    pub(crate) position: u32,
    /// Percent: chosen if `start <= bucket < end`.
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) weight: Number,
    pub(crate) key: Option<Box<str>>,
    pub(crate) value: Value,
}

impl Environment {
    /// Compiles a definition. Never fails: an odd condition compiles to one that never matches, see
    /// [`Self::warnings`].
    pub fn compile(definition: Definition) -> Self {
        let mut compiler = Compiler::default();
        let segments: Vec<Segment> = definition
            .segments
            .iter()
            .map(|segment| compiler.segment(segment))
            .collect();
        let indices: HashMap<&str, u32> = (0..)
            .zip(&definition.features)
            .map(|(index, feature)| (feature.name.as_str(), index))
            .collect();
        let properties = compiler.properties.finish(&definition, &indices);
        drop(indices);
        let has_flag_dependencies = properties.has_flags();
        let document = properties.needs_document.then(|| {
            definition
                .document
                .clone()
                .unwrap_or_else(|| document_of(&definition))
        });

        let mut environment = Self {
            key: definition.environment_key,
            features: Vec::with_capacity(definition.features.len()),
            segments,
            overriding: Vec::new(),
            states: Vec::new(),
            split: Vec::new(),
            identifiers: TextSet::new(definition.identity_overrides.keys().map(String::as_str)),
            identity_overrides: Vec::new(),
            properties,
            has_flag_dependencies,
            document,
            warnings: compiler.warnings,
        };
        for (index, feature) in (0..).zip(definition.features) {
            environment.features.push(Feature {
                name: feature.name,
                overrides: Vec::new(),
            });
            environment.states.push(State::compile(
                feature.state,
                index,
                Origin::Default,
                f64::INFINITY,
            ));
        }
        for (index, segment) in (0..).zip(definition.segments) {
            environment.add_segment_overrides(index, segment.overrides);
        }
        // The map is walked in the same order as when its keys were collected: it has not changed since.
        for overrides in definition.identity_overrides.into_values() {
            let range = environment.add_states(overrides, Origin::Identity);
            environment.identity_overrides.push(range);
        }
        let splits = environment
            .states
            .iter()
            .filter(|state| !state.variants.is_empty());
        environment.split = splits.map(|state| state.feature).collect();
        environment.split.sort_unstable();
        environment.split.dedup();
        environment
    }

    fn add_segment_overrides(&mut self, segment: u32, overrides: Vec<OverrideDefinition>) {
        let range = self.add_states(overrides, Origin::Segment(segment));
        for state in range.0..range.1 {
            let feature = self.states[state as usize].feature;
            self.features[feature as usize].overrides.push(state);
        }
        self.segments[segment as usize].states = range;
        if range.0 < range.1 {
            self.overriding.push(segment);
        }
    }

    /// Appends the states of overrides; those of features that do not exist are left out.
    fn add_states(&mut self, overrides: Vec<OverrideDefinition>, origin: Origin) -> (u32, u32) {
        let start = self.states.len() as u32;
        for definition in overrides {
            if definition.feature >= self.features.len() {
                self.warnings.push(format!(
                    "an override names feature {}, which is none",
                    definition.feature
                ));
                continue;
            }
            let feature = definition.feature as u32;
            self.states.push(State::compile(
                definition.state,
                feature,
                origin,
                definition.priority,
            ));
        }
        (start, self.states.len() as u32)
    }

    /// What compiled to something that never matches, in words for an administrator. Patterns are compiled when
    /// first used and are not among it.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub fn feature_count(&self) -> usize {
        self.features.len()
    }

    /// The name of a feature, by its index in the definition.
    pub fn feature_name(&self, index: usize) -> Option<&str> {
        self.features.get(index).map(|feature| feature.name.as_str())
    }

    /// The index of a feature by its exact name. Walks the list; not for hot paths.
    pub fn feature_index(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }

    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The key of a segment, by its index in the definition.
    pub fn segment_key(&self, index: usize) -> Option<&str> {
        self.segments.get(index).map(|segment| segment.key.as_str())
    }

    pub fn segment_name(&self, index: usize) -> Option<&str> {
        self.segments.get(index).map(|segment| segment.name.as_str())
    }

    pub fn segment_metadata(&self, index: usize) -> Option<&Value> {
        self.segments.get(index)?.metadata.as_ref()
    }

    /// Whether somebody has overrides of their own.
    pub fn has_identity_overrides(&self, identifier: &str) -> bool {
        !self.identity_states(identifier).is_empty()
    }

    /// The overrides of one identifier, compared as text: no coercion, so `007` is not `7`.
    pub(crate) fn identity_states(&self, identifier: &str) -> std::ops::Range<usize> {
        self.identifiers
            .position(identifier)
            .and_then(|index| self.identity_overrides.get(index))
            .map_or(0..0, |(start, end)| *start as usize..*end as usize)
    }
}

/// Gathers what is shared between segments while they are compiled.
#[derive(Default)]
struct Compiler {
    properties: Interner,
    warnings: Vec<String>,
}

impl Compiler {
    fn segment(&mut self, definition: &SegmentDefinition) -> Segment {
        Segment {
            rules: definition
                .rules
                .iter()
                .map(|rule| self.rule(rule, &definition.name, 1))
                .collect(),
            key: definition.key.clone(),
            name: definition.name.clone(),
            list: definition.list,
            states: (0, 0),
            metadata: definition.metadata.clone().filter(crate::python::is_truthy),
        }
    }

    fn rule(&mut self, definition: &RuleDefinition, segment: &str, depth: usize) -> Rule {
        if depth > MAX_RULE_DEPTH {
            self.warnings.push(format!(
                "segment {segment}: rules nested deeper than {MAX_RULE_DEPTH} levels"
            ));
            return Rule {
                kind: definition.kind,
                conditions: Vec::new(),
                rules: Vec::new(),
                is_cut: true,
            };
        }
        let mut conditions = Vec::with_capacity(definition.conditions.len());
        for condition in &definition.conditions {
            let test = Test::compile(condition);
            if let Test::Never(value) = &test {
                let operator = condition.operator.map_or("unknown operator", Operator::as_str);
                self.warnings.push(format!(
                    "segment {segment}: {} {operator} {value:?} never matches",
                    condition.property
                ));
            }
            let property = match &test {
                Test::Split { .. } if condition.property.is_empty() => IDENTITY_KEY,
                _ => self.properties.intern(&condition.property),
            };
            conditions.push(Condition {
                property,
                operator: condition.operator,
                test,
            });
        }
        let rules = definition
            .rules
            .iter()
            .map(|rule| self.rule(rule, segment, depth + 1))
            .collect();
        Rule {
            kind: definition.kind,
            conditions,
            rules,
            is_cut: false,
        }
    }
}

impl State {
    fn compile(definition: StateDefinition, feature: u32, origin: Origin, priority: f64) -> Self {
        let mut order: Vec<_> = (0..).zip(definition.variants).collect();
        order.sort_by(|(_, a), (_, b)| a.priority.total_cmp(&b.priority));
        let mut start = 0.0;
        let variants = order
            .into_iter()
            .map(|(position, variant)| {
                let end = variant.weight.as_f64() + start;
                let share = Variant {
                    position,
                    start,
                    end,
                    weight: variant.weight,
                    key: variant.key.map(String::into_boxed_str),
                    value: variant.value,
                };
                start = end;
                share
            })
            .collect();
        Self {
            feature,
            origin,
            priority,
            reference: definition.reference,
            hash_key: definition.hash_key.into(),
            enabled: definition.enabled,
            value: definition.value,
            variants,
            metadata: definition.metadata.filter(crate::python::is_truthy).map(Box::new),
        }
    }
}

/// The evaluation context that a definition stands for, as far as JSON paths may ask for it.
fn document_of(definition: &Definition) -> Value {
    let features: serde_json::Map<_, _> = definition
        .features
        .iter()
        .map(|feature| {
            let state = &feature.state;
            let entry = json!({
                "key": state.hash_key, "name": feature.name, "enabled": state.enabled, "value": state.value,
                "metadata": state.metadata,
            });
            (feature.name.clone(), entry)
        })
        .collect();
    let segments: serde_json::Map<_, _> = definition
        .segments
        .iter()
        .map(|segment| {
            (
                segment.key.clone(),
                json!({"key": segment.key, "name": segment.name}),
            )
        })
        .collect();
    json!({
        "environment": {"key": definition.environment_key, "name": definition.environment_name},
        "features": features,
        "segments": segments,
    })
}
