//! The value of a trait of an identity.

use serde::{Deserialize, Serialize};

/// A trait's value. Integers are 64-bit, a superset of the 32 bits the Flagsmith API promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TraitValue {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl From<&str> for TraitValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl TraitValue {
    /// The name of the type, as the management API spells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "unicode",
        }
    }
}
