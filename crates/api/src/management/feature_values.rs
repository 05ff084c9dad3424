//! How values, options and allocations of features look in bodies and answers; shared by all that speak of them.

use burgee_app::feature_states::{
    FeatureState, StateDetails, StateEdit, StateOption, ValueEdit, ValueKind, Weight,
};
use burgee_app::features::MultivariateOption;
use burgee_model::{FlagValue, Timestamp, limits};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::{ApiError, ApiResult};
use crate::fields::{Field, Given, Pk, Whole, message, python_type};
use crate::{choices, input, required};

const NULL: &str = "This field may not be null.";

/// Text as it is, blanks included, of at most `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw<const MAX: usize>(pub String);

fn checked(text: String, max: usize) -> Result<String, Value> {
    if text.contains('\0') {
        return Err(message("Null characters are not allowed."));
    }
    if text.chars().count() > max {
        return Err(message(format!(
            "Ensure this field has no more than {max} characters."
        )));
    }
    Ok(text)
}

impl<const MAX: usize> Field for Raw<MAX> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = match value {
            None => return Err(message("This field is required.")),
            Some(Value::Null) => return Err(message(NULL)),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(message("Not a valid string.")),
        };
        checked(text, MAX).map(Self)
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .max_length(Some(MAX))
            .into()
    }
}

/// The initial value of a feature: text, or what Python would make of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialValue(pub String);

impl Field for InitialValue {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = match value {
            None => return Err(message("This field is required.")),
            Some(Value::Null) => return Err(message(NULL)),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(false)) => return Err(message("Not a valid string.")),
            Some(Value::Array(list)) if list.is_empty() => return Err(message("Not a valid string.")),
            Some(Value::Object(map)) if map.is_empty() => return Err(message("Not a valid string.")),
            Some(other) => python_repr(other),
        };
        checked(text, limits::FEATURE_VALUE_LENGTH).map(Self)
    }

    fn schema() -> RefOr<Schema> {
        Raw::<{ limits::FEATURE_VALUE_LENGTH }>::schema()
    }
}

/// A JSON value as Python writes it.
fn python_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(python_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let items = map.iter().map(|(key, value)| {
                format!(
                    "{}: {}",
                    python_repr(&Value::String(key.clone())),
                    python_repr(value)
                )
            });
            format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Ids of other objects, in a list. The first wrong one is what the answer speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(pub Vec<i64>);

impl Field for Ids {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let list = match value {
            None => return Err(message("This field is required.")),
            Some(Value::Null) => return Err(message(NULL)),
            Some(Value::Array(list)) => list,
            Some(other) => {
                return Err(message(format!(
                    "Expected a list of items but got type \"{}\".",
                    python_type(other)
                )));
            }
        };
        let ids: Result<Vec<i64>, Value> = list
            .iter()
            .map(|item| Pk::read(Some(item)).map(|pk| pk.0))
            .collect();
        ids.map(Self)
    }

    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(i64::schema()).into()
    }
}

/// A percentage: 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl Field for Percent {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let number = f64::read(value)?;
        if number < 0.0 {
            return Err(message("Ensure this value is greater than or equal to 0."));
        }
        if number > 100.0 {
            return Err(message("Ensure this value is less than or equal to 100."));
        }
        Ok(Self(number))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Number))
            .minimum(Some(0.0))
            .maximum(Some(100.0))
            .into()
    }
}

/// An object inside another one: null is refused in the words of a plain field.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested<T>(pub T);

impl<T: Field> Field for Nested<T> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        match value {
            Some(Value::Null) => Err(message(NULL)),
            value => T::read(value).map(Self),
        }
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

choices! {
    /// Which of the three typed values counts.
    pub enum ValueType {
        Unicode = "unicode",
        Int = "int",
        Bool = "bool",
    }
}

/// A number that fits into 32 bits.
pub type Int32 = Whole<-2_147_483_648, 2_147_483_647>;
/// The text of a value.
pub type ValueText = Raw<{ limits::FEATURE_VALUE_LENGTH }>;

input! {
    /// A value with its type. What is not given stays as it was.
    pub struct TypedValueBody {
        pub r#type: Given<ValueType>,
        pub string_value: Given<Option<ValueText>>,
        pub integer_value: Given<Option<Int32>>,
        pub boolean_value: Given<Option<bool>>,
    }
}

impl From<ValueType> for ValueKind {
    fn from(word: ValueType) -> Self {
        match word {
            ValueType::Unicode => Self::Unicode,
            ValueType::Int => Self::Int,
            ValueType::Bool => Self::Bool,
        }
    }
}

impl From<TypedValueBody> for ValueEdit {
    fn from(body: TypedValueBody) -> Self {
        Self {
            kind: body.r#type.0.map(ValueKind::from),
            text: body.string_value.0.map(|text| text.map(|text| text.0)),
            number: body.integer_value.0.map(|number| number.map(|number| number.0)),
            truth: body.boolean_value.0,
        }
    }
}

input! {
    /// The share of the traffic that an option gets.
    pub struct WeightBody {
        pub multivariate_feature_option: Pk,
        pub percentage_allocation: Percent,
    }
}

/// Allocations as the acts want them.
pub fn weights(bodies: Given<Vec<WeightBody>>) -> Option<Vec<Weight>> {
    let weights = bodies.0?.into_iter().map(|body| Weight {
        option_id: body.multivariate_feature_option.0,
        percentage: body.percentage_allocation.0,
    });
    Some(weights.collect())
}

input! {
    /// A feature state whose value is plain JSON.
    pub struct PlainStateBody {
        pub feature: Given<Value>,
        pub enabled: Given<bool>,
        pub feature_state_value: Given<Value>,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
        /// With a moment still to come, a change of an environment default waits for it.
        pub live_from: Given<Option<Timestamp>>,
    }
}

required! {
    /// A feature state whose value is plain JSON, with the feature it is of.
    pub struct WholePlainStateBody(PlainStateBody) with feature;
}

impl PlainStateBody {
    /// The id of the feature, when the body gives one.
    pub fn feature_id(&self) -> Option<i64> {
        Pk::read(self.feature.0.as_ref()).ok().map(|pk| pk.0)
    }

    /// What is to change. What is wrong with a value is said of the column it would go to.
    pub fn edit(self) -> ApiResult<StateEdit> {
        let value = match self.feature_state_value.0 {
            None => None,
            Some(value) => Some(plain_value(value)?.into()),
        };
        Ok(StateEdit {
            enabled: self.enabled.0,
            value,
            weights: weights(self.multivariate_feature_state_values),
        })
    }
}

fn plain_value(value: Value) -> ApiResult<FlagValue> {
    let wrong = |column: &str, what: Value| ApiError(burgee_app::Error::Rejected(json!({ column: what })));
    match value {
        Value::Null => Ok(FlagValue::Null),
        Value::Bool(truth) => Ok(FlagValue::Bool(truth)),
        Value::Number(number) if !number.is_f64() => {
            let read = Int32::read(Some(&Value::Number(number)));
            read.map(|number| FlagValue::Int(number.0))
                .map_err(|what| wrong("integer_value", what))
        }
        other => ValueText::read(Some(&other))
            .map(|text| FlagValue::Text(text.0))
            .map_err(|what| wrong("string_value", what)),
    }
}

/// A value with its type.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypedValue {
    #[schema(value_type = ValueType)]
    pub r#type: String,
    pub string_value: Option<String>,
    pub integer_value: Option<i64>,
    pub boolean_value: Option<bool>,
}

impl From<&FeatureState> for TypedValue {
    fn from(state: &FeatureState) -> Self {
        Self {
            r#type: state.r#type.clone(),
            string_value: state.string_value.clone(),
            integer_value: state.integer_value,
            boolean_value: state.boolean_value,
        }
    }
}

/// The share of the traffic that an option gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeightView {
    pub id: i64,
    pub multivariate_feature_option: i64,
    pub percentage_allocation: f64,
}

impl From<StateOption> for WeightView {
    fn from(option: StateOption) -> Self {
        Self {
            id: option.id,
            multivariate_feature_option: option.option_id,
            percentage_allocation: option.percentage_allocation,
        }
    }
}

/// A feature state. `V` is how its value looks.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateView<V> {
    pub id: i64,
    pub feature_state_value: V,
    pub multivariate_feature_state_values: Vec<WeightView>,
    pub deleted_at: Option<String>,
    pub uuid: String,
    pub enabled: bool,
    pub created_at: String,
    pub updated_at: String,
    pub live_from: Option<String>,
    pub version: i64,
    pub feature: i64,
    pub environment: i64,
    pub identity: Option<i64>,
    pub feature_segment: Option<i64>,
    pub change_request: Option<i64>,
    pub environment_feature_version: Option<String>,
}

impl<V> StateView<V> {
    fn with(details: StateDetails, value: V) -> Self {
        let StateDetails { state, options } = details;
        Self {
            id: state.id,
            feature_state_value: value,
            multivariate_feature_state_values: options.into_iter().map(WeightView::from).collect(),
            deleted_at: None,
            uuid: state.uuid,
            enabled: state.enabled,
            created_at: Timestamp(state.created_at).rest(),
            updated_at: Timestamp(state.updated_at).rest(),
            live_from: Some(Timestamp(state.live_from).rest()),
            version: state.version,
            feature: state.feature_id,
            environment: state.environment_id,
            identity: state.identity_id,
            feature_segment: state.feature_segment_id,
            change_request: state.change_request_id,
            environment_feature_version: state.version_uuid,
        }
    }
}

impl From<StateDetails> for StateView<Value> {
    fn from(details: StateDetails) -> Self {
        let value = details.state.value().to_json();
        Self::with(details, value)
    }
}

impl From<StateDetails> for StateView<TypedValue> {
    fn from(details: StateDetails) -> Self {
        let value = TypedValue::from(&details.state);
        Self::with(details, value)
    }
}

/// A feature state in a list: the identity, when it is one's, has a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedState {
    pub id: i64,
    pub feature_state_value: Value,
    pub multivariate_feature_state_values: Vec<WeightView>,
    pub identity: Option<IdentityName>,
    pub deleted_at: Option<String>,
    pub uuid: String,
    pub enabled: bool,
    pub created_at: String,
    pub updated_at: String,
    pub live_from: Option<String>,
    pub version: i64,
    pub feature: i64,
    pub environment: i64,
    pub feature_segment: Option<i64>,
    pub change_request: Option<i64>,
    pub environment_feature_version: Option<String>,
}

/// An identity by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityName {
    pub id: i64,
    pub identifier: String,
}

impl ListedState {
    /// A state, with the identifier of its identity.
    pub fn new(details: StateDetails, identifier: Option<String>) -> Self {
        let view = StateView::<Value>::from(details);
        let identity = view.identity.zip(identifier);
        Self {
            id: view.id,
            feature_state_value: view.feature_state_value,
            multivariate_feature_state_values: view.multivariate_feature_state_values,
            identity: identity.map(|(id, identifier)| IdentityName { id, identifier }),
            deleted_at: view.deleted_at,
            uuid: view.uuid,
            enabled: view.enabled,
            created_at: view.created_at,
            updated_at: view.updated_at,
            live_from: view.live_from,
            version: view.version,
            feature: view.feature,
            environment: view.environment,
            feature_segment: view.feature_segment,
            change_request: view.change_request,
            environment_feature_version: view.environment_feature_version,
        }
    }
}

/// A feature state as features show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SmallState {
    pub id: i64,
    pub feature_state_value: Value,
    pub environment: i64,
    pub identity: Option<i64>,
    pub feature_segment: Option<i64>,
    pub enabled: bool,
}

impl From<FeatureState> for SmallState {
    fn from(state: FeatureState) -> Self {
        Self {
            id: state.id,
            feature_state_value: state.value().to_json(),
            environment: state.environment_id,
            identity: state.identity_id,
            feature_segment: state.feature_segment_id,
            enabled: state.enabled,
        }
    }
}

/// What PATCH answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct PatchedState {
    pub feature: i64,
    pub enabled: bool,
}

impl From<StateDetails> for PatchedState {
    fn from(details: StateDetails) -> Self {
        Self {
            feature: details.state.feature_id,
            enabled: details.state.enabled,
        }
    }
}

/// A multivariate option inside its feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptionView {
    pub id: i64,
    pub uuid: String,
    #[schema(value_type = ValueType)]
    pub r#type: String,
    pub integer_value: Option<i64>,
    pub string_value: Option<String>,
    pub boolean_value: Option<bool>,
    pub default_percentage_allocation: f64,
    pub key: Option<String>,
}

impl From<MultivariateOption> for OptionView {
    fn from(option: MultivariateOption) -> Self {
        Self {
            id: option.id,
            uuid: option.uuid,
            r#type: option.r#type,
            integer_value: option.integer_value,
            string_value: option.string_value,
            boolean_value: option.boolean_value,
            default_percentage_allocation: option.default_percentage_allocation,
            key: option.key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initial_value_is_written_as_python_would() {
        let text = |value: Value| InitialValue::read(Some(&value)).map(|value| value.0);
        assert_eq!(text(json!(true)), Ok("True".to_owned()));
        assert_eq!(
            text(json!({"a": [1, null, "x"]})),
            Ok("{'a': [1, None, 'x']}".to_owned())
        );
        assert_eq!(text(json!("")), Ok(String::new()));
        assert!(text(json!(false)).is_err());
    }

    #[test]
    fn a_whole_number_beyond_32_bits_is_refused_and_a_fraction_is_text() {
        assert!(plain_value(json!(3_000_000_000_i64)).is_err());
        assert!(plain_value(json!(u64::MAX)).is_err());
        assert_eq!(
            plain_value(json!(1.5)).ok(),
            Some(FlagValue::Text("1.5".to_owned()))
        );
    }
}
