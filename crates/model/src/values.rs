//! The value of a feature state.

use serde::{Deserialize, Serialize};

/// What a feature serves besides being on or off. Text, a 32-bit integer or a boolean: the three types of
/// the Flagsmith API; anything richer is text to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FlagValue {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

impl FlagValue {
    /// The type an `initial_value` is given when the feature is created: `true`/`false` in any case of
    /// the first letter is a boolean, a 32-bit integer is a number, the rest is text.
    pub fn from_initial(text: Option<&str>) -> Self {
        match text {
            None => Self::Null,
            Some("true" | "True") => Self::Bool(true),
            Some("false" | "False") => Self::Bool(false),
            Some(text) => match text.parse::<i32>() {
                Ok(number) if !text.starts_with('+') => Self::Int(number.into()),
                _ => Self::Text(text.to_owned()),
            },
        }
    }

    /// The JSON form, as every endpoint that serves plain values writes it.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::Text(t) => t.clone().into(),
        }
    }
}
