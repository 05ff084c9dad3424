//! What is to change of a feature state, as data: kept in change sets, applied by the writers in `feature_states`.

use burgee_model::{FlagValue, Timestamp};
use burgee_store::feature_states::FeatureState;
use serde::{Deserialize, Deserializer, Serialize};

use crate::feature_states::StateDetails;

/// A new value: which of the three typed columns counts, and what they hold. What is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ValueKind>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "read_given")]
    pub text: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "read_given")]
    pub number: Option<Option<i64>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "read_given")]
    pub truth: Option<Option<bool>>,
}

/// Which of the three typed columns counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    Unicode,
    Int,
    Bool,
}

impl ValueKind {
    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unicode => "unicode",
            Self::Int => "int",
            Self::Bool => "bool",
        }
    }
}

/// What is there, be it null, is given.
#[expect(
    clippy::option_option,
    reason = "not given, null and a value are three things"
)]
fn read_given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    input: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(input).map(Some)
}

impl From<FlagValue> for ValueEdit {
    fn from(value: FlagValue) -> Self {
        let nothing = Self::default();
        match value {
            FlagValue::Null => Self {
                kind: Some(ValueKind::Unicode),
                text: Some(None),
                ..nothing
            },
            FlagValue::Bool(truth) => Self {
                kind: Some(ValueKind::Bool),
                truth: Some(Some(truth)),
                ..nothing
            },
            FlagValue::Int(number) => Self {
                kind: Some(ValueKind::Int),
                number: Some(Some(number)),
                ..nothing
            },
            FlagValue::Text(text) => Self {
                kind: Some(ValueKind::Unicode),
                text: Some(Some(text)),
                ..nothing
            },
        }
    }
}

impl ValueEdit {
    pub(crate) fn apply(self, state: &mut FeatureState) {
        if let Some(kind) = self.kind {
            kind.as_str().clone_into(&mut state.r#type);
        }
        if let Some(text) = self.text {
            state.string_value = text;
        }
        if let Some(number) = self.number {
            state.integer_value = number;
        }
        if let Some(truth) = self.truth {
            state.boolean_value = truth;
        }
    }
}

/// How much of the traffic an option is to get.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    pub option_id: i64,
    /// Percent, 0 to 100.
    pub percentage: f64,
}

/// What is to change of a feature state. What is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StateEdit {
    pub enabled: Option<bool>,
    pub value: Option<ValueEdit>,
    pub weights: Option<Vec<Weight>>,
}

impl StateEdit {
    /// What a state will be once it has happened, at that moment.
    pub(crate) fn preview(self, mut details: StateDetails, at: Timestamp) -> StateDetails {
        let state = &mut details.state;
        state.live_from = at.0;
        state.enabled = self.enabled.unwrap_or(state.enabled);
        if let Some(value) = self.value {
            value.apply(state);
        }
        for weight in self.weights.unwrap_or_default() {
            for option in &mut details.options {
                if option.option_id == weight.option_id {
                    option.percentage_allocation = weight.percentage;
                }
            }
        }
        details
    }
}
