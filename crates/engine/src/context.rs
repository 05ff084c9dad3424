//! The evaluation context and result of the Flagsmith SDKs, as JSON.
//!
//! This is the form in which evaluation is tested across implementations, and what `burgee evaluate` reads and
//! writes. A server has no use for it: it builds a [`Definition`] from its rows.

use std::collections::HashMap;

use burgee_model::segments::{Operator, RuleType};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::definition::{
    ConditionDefinition, ConditionValue, Definition, FeatureDefinition, OverrideDefinition, RuleDefinition,
    SegmentDefinition, StateDefinition, VariantDefinition,
};
use crate::environment::{Environment, MAX_RULE_DEPTH};
use crate::inputs::Identity;
use crate::number::Number;
use crate::outcome::{Evaluation, Outcome};
use crate::python;
use crate::scalar::ContextValue;
use crate::trace::Explanation;

/// A context that makes no sense, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ContextError {
    /// The path of the offending field, such as `segments.7.rules[0].type`; `.` is the whole.
    pub path: String,
    pub message: String,
}

/// A context, compiled.
#[derive(Debug)]
pub struct Context {
    environment: Environment,
    identity: Option<OwnedIdentity>,
}

#[derive(Debug)]
struct OwnedIdentity {
    identifier: String,
    key: Option<String>,
    traits: Vec<(String, OwnedValue)>,
    document: Value,
}

#[derive(Debug)]
enum OwnedValue {
    Scalar(Value),
    /// An integer beyond 64 bits or a text; coercion makes the same of both.
    Text(String),
    Composite(String),
}

/// The result of evaluating a context: `{"flags": {…}, "segments": […]}`.
#[derive(Debug)]
pub struct EvaluationResult<'e> {
    environment: &'e Environment,
    evaluation: Evaluation<'e>,
    segments: Vec<usize>,
}

impl Context {
    /// Reads a context from JSON text.
    pub fn from_json(json: &str) -> Result<Self, ContextError> {
        let value: Value = serde_json::from_str(json).map_err(|error| ContextError {
            path: ".".to_owned(),
            message: error.to_string(),
        })?;
        Self::from_value(value)
    }

    /// Reads a context from a JSON value.
    pub fn from_value(mut value: Value) -> Result<Self, ContextError> {
        let context: ContextJson =
            serde_path_to_error::deserialize(&value).map_err(|error| ContextError {
                path: error.path().to_string(),
                message: error.inner().to_string(),
            })?;
        // Taken in place: the order of members decides which node a path like `$..name` finds first.
        let document = value.get_mut("identity").map(Value::take).unwrap_or_default();
        let identity = context.identity.map(|identity| identity.into_owned(document));
        let definition = definition(context.environment, context.features, context.segments, value)?;
        Ok(Self {
            environment: Environment::compile(definition),
            identity,
        })
    }

    /// The environment of the context; features and segments have the order of the JSON.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Every flag and every matching segment.
    pub fn evaluate(&self) -> EvaluationResult<'_> {
        self.with_identity(|identity| {
            let (evaluation, segments) = self.environment.evaluate_with_segments(identity);
            EvaluationResult {
                environment: &self.environment,
                evaluation,
                segments,
            }
        })
    }

    /// How [`Self::evaluate`] comes to its result.
    pub fn explain(&self) -> Explanation {
        self.with_identity(|identity| self.environment.explain(identity))
    }

    /// Lends the identity of the context, if it has one.
    pub fn with_identity<R>(&self, read: impl FnOnce(Option<&Identity<'_>>) -> R) -> R {
        let Some(identity) = &self.identity else {
            return read(None);
        };
        let traits: Vec<(&str, ContextValue<'_>)> = identity
            .traits
            .iter()
            .map(|(key, value)| (key.as_str(), value.borrow()))
            .collect();
        read(Some(&Identity {
            identifier: &identity.identifier,
            kept_as: None,
            key: identity.key.as_deref(),
            traits: &traits,
            ignores_overrides: false,
            document: Some(&identity.document),
            memberships: None,
        }))
    }
}

impl OwnedValue {
    fn new(value: Value) -> Self {
        match value {
            Value::Array(_) | Value::Object(_) => Self::Composite(python::value_text(&value)),
            Value::String(text) => Self::Text(text),
            Value::Number(number) if number.as_i64().is_none() && !number.is_f64() => {
                Self::Text(number.to_string())
            }
            value => Self::Scalar(value),
        }
    }

    fn borrow(&self) -> ContextValue<'_> {
        match self {
            Self::Text(text) => ContextValue::Text(text),
            Self::Composite(text) => ContextValue::Composite(text),
            Self::Scalar(Value::Bool(value)) => ContextValue::Bool(*value),
            Self::Scalar(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => ContextValue::Int(integer),
                (None, Some(float)) => ContextValue::Float(float),
                (None, None) => ContextValue::Null,
            },
            Self::Scalar(_) => ContextValue::Null,
        }
    }
}

// The context as it is written. Names of fields are those of the published schema.

#[derive(Deserialize)]
struct ContextJson {
    environment: EnvironmentJson,
    #[serde(default)]
    identity: Option<IdentityJson>,
    #[serde(default)]
    features: Option<Ordered<FeatureJson>>,
    #[serde(default)]
    segments: Option<Ordered<SegmentJson>>,
}

#[derive(Deserialize)]
struct EnvironmentJson {
    key: String,
    name: String,
}

#[derive(Deserialize)]
struct IdentityJson {
    identifier: String,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    traits: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct FeatureJson {
    #[serde(default)]
    key: Option<String>,
    name: String,
    enabled: bool,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    variants: Option<Vec<VariantJson>>,
    #[serde(default)]
    priority: Option<f64>,
    #[serde(default)]
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct VariantJson {
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    value: Value,
    weight: NumberJson,
    priority: f64,
}

#[derive(Deserialize)]
struct SegmentJson {
    key: String,
    name: String,
    rules: Vec<RuleJson>,
    #[serde(default)]
    overrides: Option<Vec<FeatureJson>>,
    #[serde(default)]
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct RuleJson {
    #[serde(rename = "type")]
    kind: RuleType,
    #[serde(default)]
    conditions: Option<Vec<ConditionJson>>,
    #[serde(default)]
    rules: Option<Vec<RuleJson>>,
}

#[derive(Deserialize)]
struct ConditionJson {
    #[serde(default)]
    property: Option<String>,
    operator: String,
    #[serde(default)]
    value: Value,
}

/// The entries of an object in the order they are written.
struct Ordered<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// A number that keeps whether it was written as an integer.
struct NumberJson(Number);

impl<'de> Deserialize<'de> for NumberJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        Ok(Self(number.as_i64().map_or_else(
            || Number::Float(number.as_f64().unwrap_or(f64::NAN)),
            Number::Int,
        )))
    }
}

impl IdentityJson {
    fn into_owned(self, document: Value) -> OwnedIdentity {
        OwnedIdentity {
            identifier: self.identifier,
            key: self.key,
            traits: self
                .traits
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, OwnedValue::new(value)))
                .collect(),
            document,
        }
    }
}

impl FeatureJson {
    fn into_state(self) -> StateDefinition {
        StateDefinition {
            reference: 0,
            hash_key: self.key.unwrap_or_default(),
            enabled: self.enabled,
            value: self.value,
            variants: self
                .variants
                .unwrap_or_default()
                .into_iter()
                .map(|variant| VariantDefinition {
                    key: variant.key,
                    value: variant.value,
                    weight: variant.weight.0,
                    priority: variant.priority,
                })
                .collect(),
            metadata: self.metadata,
        }
    }
}

fn definition(
    environment: EnvironmentJson,
    features: Option<Ordered<FeatureJson>>,
    segments: Option<Ordered<SegmentJson>>,
    document: Value,
) -> Result<Definition, ContextError> {
    let features: Vec<FeatureDefinition> = features
        .map_or_else(Vec::new, |features| features.0)
        .into_iter()
        .map(|(_, feature)| FeatureDefinition {
            name: feature.name.clone(),
            state: feature.into_state(),
        })
        .collect();
    let indices: HashMap<&str, usize> = features
        .iter()
        .enumerate()
        .map(|(index, feature)| (feature.name.as_str(), index))
        .collect();
    let segments = segments
        .map_or_else(Vec::new, |segments| segments.0)
        .into_iter()
        .map(|(id, segment)| segment_definition(&id, segment, &indices))
        .collect::<Result<_, _>>()?;
    Ok(Definition {
        environment_key: environment.key,
        environment_name: environment.name,
        features,
        segments,
        lists: Vec::new(),
        identity_overrides: HashMap::new(),
        document: Some(document),
    })
}

fn segment_definition(
    id: &str,
    segment: SegmentJson,
    indices: &HashMap<&str, usize>,
) -> Result<SegmentDefinition, ContextError> {
    let rules = rule_definitions(segment.rules, 1, &format!("segments.{id}.rules"))?;
    // Overrides of features that the context does not have change nothing.
    let overrides = segment
        .overrides
        .unwrap_or_default()
        .into_iter()
        .filter_map(|state| {
            Some(OverrideDefinition {
                feature: *indices.get(state.name.as_str())?,
                priority: state.priority.unwrap_or(f64::INFINITY),
                state: state.into_state(),
            })
        })
        .collect();
    Ok(SegmentDefinition {
        key: segment.key,
        name: segment.name,
        list: None,
        rules,
        overrides,
        metadata: segment.metadata,
    })
}

fn rule_definitions(
    rules: Vec<RuleJson>,
    depth: usize,
    path: &str,
) -> Result<Vec<RuleDefinition>, ContextError> {
    if depth > MAX_RULE_DEPTH && !rules.is_empty() {
        return Err(ContextError {
            path: path.to_owned(),
            message: format!("rules are nested deeper than {MAX_RULE_DEPTH} levels"),
        });
    }
    (0..)
        .zip(rules)
        .map(|(index, rule): (usize, _)| {
            let path = format!("{path}[{index}]");
            Ok(RuleDefinition {
                kind: rule.kind,
                conditions: (0..)
                    .zip(rule.conditions.unwrap_or_default())
                    .map(|(index, condition): (usize, _)| {
                        condition_definition(condition, || format!("{path}.conditions[{index}].value"))
                    })
                    .collect::<Result<_, _>>()?,
                rules: rule_definitions(
                    rule.rules.unwrap_or_default(),
                    depth + 1,
                    &format!("{path}.rules"),
                )?,
            })
        })
        .collect()
}

fn condition_definition(
    condition: ConditionJson,
    path: impl FnOnce() -> String,
) -> Result<ConditionDefinition, ContextError> {
    let value = match condition.value {
        Value::Null => ConditionValue::Absent,
        Value::String(text) => ConditionValue::Text(text),
        Value::Array(items) => ConditionValue::List(items.iter().map(python::value_text).collect()),
        Value::Object(_) => {
            return Err(ContextError {
                path: path(),
                message: "invalid type: object, expected a text or a list of texts".to_owned(),
            });
        }
        scalar => ConditionValue::Text(python::value_text(&scalar)),
    };
    Ok(ConditionDefinition {
        property: condition.property.unwrap_or_default(),
        operator: Operator::parse(&condition.operator),
        value,
    })
}

impl EvaluationResult<'_> {
    /// The outcomes, in the order of the context's features.
    pub fn evaluation(&self) -> &Evaluation<'_> {
        &self.evaluation
    }

    /// The indices of the matching segments, ascending.
    pub fn segments(&self) -> &[usize] {
        &self.segments
    }
}

impl Serialize for EvaluationResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("flags", &Flags(&self.evaluation))?;
        map.serialize_entry("segments", &Segments(self.environment, &self.segments))?;
        map.end()
    }
}

struct Flags<'a>(&'a Evaluation<'a>);

impl Serialize for Flags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for outcome in self.0.iter() {
            map.serialize_entry(outcome.name(), &Flag(&outcome))?;
        }
        map.end()
    }
}

struct Flag<'a>(&'a Outcome<'a>);

impl Serialize for Flag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.0.name())?;
        map.serialize_entry("enabled", &self.0.enabled())?;
        map.serialize_entry("value", self.0.value())?;
        map.serialize_entry("reason", &format_args!("{}", self.0.reason()))?;
        map.serialize_entry("variant", &self.0.variant())?;
        if let Some(metadata) = self.0.metadata() {
            map.serialize_entry("metadata", metadata)?;
        }
        map.end()
    }
}

struct Segments<'a>(&'a Environment, &'a [usize]);

impl Serialize for Segments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.1.len()))?;
        for index in self.1 {
            let mut entry = Map::new();
            entry.insert("name".to_owned(), self.0.segment_name(*index).into());
            if let Some(metadata) = self.0.segment_metadata(*index) {
                entry.insert("metadata".to_owned(), metadata.clone());
            }
            list.serialize_element(&entry)?;
        }
        list.end()
    }
}
