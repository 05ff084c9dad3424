//! The rules of segments on the wire.

use burgee_app::segments::{ConditionEdit, RuleEdit};
use burgee_engine::python_text;
use burgee_model::limits;
use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::fields::{Blank, Field, Text, message};
use crate::{choices, input};

/// A rule of a segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleView {
    pub id: i64,
    pub r#type: RuleKind,
    pub rules: Vec<NestedRuleView>,
    pub conditions: Vec<ConditionView>,
}

/// A rule inside a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct NestedRuleView {
    pub id: i64,
    pub r#type: RuleKind,
    pub conditions: Vec<ConditionView>,
}

/// One comparison of a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionView {
    pub id: i64,
    #[schema(value_type = crate::words::ConditionOperator)]
    pub operator: &'static str,
    pub property: Option<String>,
    pub value: Option<String>,
    pub description: Option<String>,
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id,
            r#type: rule.kind.into(),
            rules: rule.rules.into_iter().map(NestedRuleView::from).collect(),
            conditions: rule.conditions.into_iter().map(ConditionView::from).collect(),
        }
    }
}

impl From<Rule> for NestedRuleView {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id,
            r#type: rule.kind.into(),
            conditions: rule.conditions.into_iter().map(ConditionView::from).collect(),
        }
    }
}

impl From<Condition> for ConditionView {
    fn from(condition: Condition) -> Self {
        Self {
            id: condition.id,
            operator: condition.operator.as_str(),
            property: condition.property,
            value: condition.value,
            description: condition.description,
        }
    }
}

choices! {
    /// How the conditions of a rule are combined.
    pub enum RuleKind { All = "ALL", Any = "ANY", None = "NONE" }
}

impl From<RuleType> for RuleKind {
    fn from(kind: RuleType) -> Self {
        match kind {
            RuleType::All => Self::All,
            RuleType::Any => Self::Any,
            RuleType::None => Self::None,
        }
    }
}

impl From<RuleKind> for RuleType {
    fn from(kind: RuleKind) -> Self {
        match kind {
            RuleKind::All => Self::All,
            RuleKind::Any => Self::Any,
            RuleKind::None => Self::None,
        }
    }
}

impl Field for Operator {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        match value {
            None => Err(message("This field is required.")),
            Some(Value::Null) => Err(message("This field may not be null.")),
            Some(value) => {
                let word = python_text(value);
                Self::parse(&word).ok_or_else(|| message(format!("\"{word}\" is not a valid choice.")))
            }
        }
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .enum_values(Some(Self::ALL.iter().map(|operator| operator.as_str())))
            .into()
    }
}

/// The value of a condition: text, whatever JSON was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionValue(pub String);

impl Field for ConditionValue {
    const REQUIRED: bool = false;

    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = python_text(value.unwrap_or(&Value::Null));
        Blank::<{ limits::CONDITION_VALUE_LENGTH }>::read(Some(&Value::String(text))).map(|text| Self(text.0))
    }

    fn schema() -> RefOr<Schema> {
        Blank::<{ limits::CONDITION_VALUE_LENGTH }>::schema()
    }
}

input! {
    /// One comparison. With the id of a present one it takes its place; with `delete` it goes.
    pub struct ConditionBody {
        pub id: Option<Value>,
        pub operator: Operator,
        pub property: Option<Text<{ limits::CONDITION_PROPERTY_LENGTH }>>,
        pub value: ConditionValue,
        pub description: Option<Blank<20000>>,
        pub delete: Option<bool>,
    }
}

input! {
    /// A rule inside a rule; it holds conditions only.
    pub struct NestedRuleBody {
        pub id: Option<Value>,
        pub r#type: RuleKind,
        pub rules: Option<Vec<Value>>,
        pub conditions: Option<Vec<ConditionBody>>,
        pub delete: Option<bool>,
    }
}

input! {
    /// A rule. With the id of a present one it takes its place; with `delete` it goes.
    pub struct RuleBody {
        pub id: Option<Value>,
        pub r#type: RuleKind,
        pub rules: Option<Vec<NestedRuleBody>>,
        pub conditions: Option<Vec<ConditionBody>>,
        pub delete: Option<bool>,
    }
}

/// An id a client sent; anything that is no number is no id.
fn id(value: Option<Value>) -> Option<i64> {
    value.and_then(|value| value.as_i64())
}

fn all<T, U: From<T>>(items: Option<Vec<T>>) -> Vec<U> {
    items.unwrap_or_default().into_iter().map(U::from).collect()
}

impl From<ConditionBody> for ConditionEdit {
    fn from(body: ConditionBody) -> Self {
        Self {
            id: id(body.id),
            operator: body.operator,
            property: body.property.map(|text| text.0),
            value: body.value.0,
            description: body.description.map(|text| text.0),
            delete: body.delete.unwrap_or(false),
        }
    }
}

impl From<NestedRuleBody> for RuleEdit {
    fn from(body: NestedRuleBody) -> Self {
        // One level more is refused whatever is in it, so nobody reads it.
        let too_deep = body.rules.unwrap_or_default().into_iter().map(|rule| Self {
            id: None,
            kind: RuleType::All,
            rules: Vec::new(),
            conditions: Vec::new(),
            delete: rule.get("delete").and_then(Value::as_bool).unwrap_or(false),
        });
        Self {
            id: id(body.id),
            kind: body.r#type.into(),
            rules: too_deep.collect(),
            conditions: all(body.conditions),
            delete: body.delete.unwrap_or(false),
        }
    }
}

impl From<RuleBody> for RuleEdit {
    fn from(body: RuleBody) -> Self {
        Self {
            id: id(body.id),
            kind: body.r#type.into(),
            rules: all(body.rules),
            conditions: all(body.conditions),
            delete: body.delete.unwrap_or(false),
        }
    }
}
