//! What an environment is made of, before it is compiled.
//!
//! The server builds a [`Definition`] from its rows; [`crate::context`] builds one from JSON.

use std::collections::HashMap;

use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use serde_json::Value;

use crate::number::Number;

/// Everything evaluation needs to know about one environment.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// The client-side key of the environment; part of every identity's default hashing key.
    pub environment_key: String,
    pub environment_name: String,
    /// In the order in which flags are served. Outcomes are addressed by index into this list.
    pub features: Vec<FeatureDefinition>,
    /// In the order that breaks ties: of two overrides with the same priority the first segment wins.
    pub segments: Vec<SegmentDefinition>,
    /// The keys of lists of members, which conditions name as `$.lists.<key>`. Who is in them, [`crate::Memberships`] says.
    pub lists: Vec<String>,
    /// Overrides for single identities, by identifier. They win over every segment.
    pub identity_overrides: HashMap<String, Vec<OverrideDefinition>>,
    /// The context as JSON, without `identity`, for properties that are JSON paths beyond the usual ones.
    /// `None`: it is derived from this definition when a condition needs it.
    pub document: Option<Value>,
}

/// A feature and its environment default.
#[derive(Debug, Clone, Default)]
pub struct FeatureDefinition {
    pub name: String,
    pub state: StateDefinition,
}

/// A named audience and what it overrides.
#[derive(Debug, Clone, Default)]
pub struct SegmentDefinition {
    /// The text that percentage splits hash: the segment's id.
    pub key: String,
    pub name: String,
    /// Index into [`Definition::lists`]: whom it includes is in the segment, whom it excludes is not, whatever the rules.
    pub list: Option<usize>,
    /// All must match. A segment without rules matches nobody.
    pub rules: Vec<RuleDefinition>,
    pub overrides: Vec<OverrideDefinition>,
    /// Passed through to results when truthy.
    pub metadata: Option<Value>,
}

/// A node of a rule tree.
#[derive(Debug, Clone)]
pub struct RuleDefinition {
    /// How the conditions are combined, and how the sub-rules are.
    pub kind: RuleType,
    pub conditions: Vec<ConditionDefinition>,
    /// Nested at most [`crate::MAX_RULE_DEPTH`] levels; a deeper rule never matches.
    pub rules: Vec<RuleDefinition>,
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct ConditionDefinition {
    /// A trait key, or a JSON path when it begins with `$.`. Blank on a percentage split: the identity's key.
    pub property: String,
    /// `None`: an operator this version does not know; such a condition never matches.
    pub operator: Option<Operator>,
    pub value: ConditionValue,
}

/// The right-hand side of a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConditionValue {
    /// No value. Compares like the text `None`, as it does in the reference implementation.
    #[default]
    Absent,
    Text(String),
    /// Only `IN` takes a list; with any other operator the condition never matches.
    List(Vec<String>),
}

/// A feature's state for a segment or an identity, used whole in place of the environment default.
#[derive(Debug, Clone, Default)]
pub struct OverrideDefinition {
    /// Index into [`Definition::features`]. Out of range: the override is left out.
    pub feature: usize,
    pub state: StateDefinition,
    /// Lower wins among segments; `f64::INFINITY` when there is none. Unused for identity overrides.
    pub priority: f64,
}

/// On or off, with which value, and how the value is split.
#[derive(Debug, Clone, Default)]
pub struct StateDefinition {
    /// Opaque to the engine and handed back with the outcome: the server's feature-state id.
    pub reference: i64,
    /// The text that the split hashes. Stable over republishing, or every user changes bucket.
    pub hash_key: String,
    pub enabled: bool,
    /// Served when there is no split, no identity, or the identity falls outside every variant.
    pub value: Value,
    pub variants: Vec<VariantDefinition>,
    /// Passed through to results when truthy.
    pub metadata: Option<Value>,
}

/// One share of a split.
#[derive(Debug, Clone, Default)]
pub struct VariantDefinition {
    pub key: Option<String>,
    pub value: Value,
    /// Percent of identities, 0 to 100.
    pub weight: Number,
    /// Shares are laid out from 0 % upwards in ascending priority.
    pub priority: f64,
}

impl From<&Rule> for RuleDefinition {
    fn from(rule: &Rule) -> Self {
        Self {
            kind: rule.kind,
            conditions: rule.conditions.iter().map(ConditionDefinition::from).collect(),
            rules: rule.rules.iter().map(Self::from).collect(),
        }
    }
}

impl From<&Condition> for ConditionDefinition {
    fn from(condition: &Condition) -> Self {
        Self {
            property: condition.property.clone().unwrap_or_default(),
            operator: Some(condition.operator),
            value: condition
                .value
                .clone()
                .map_or(ConditionValue::Absent, ConditionValue::Text),
        }
    }
}
