//! Segment rules: the tree of conditions that decides who is in a segment.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the conditions of a rule, and its sub-rules, are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RuleType {
    All,
    Any,
    None,
}

/// Declares the operators once: the variant and its name on the wire.
macro_rules! operators {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The comparison a condition makes. Names are those of the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Operator { $(#[serde(rename = $name)] $variant),* }

        impl Operator {
            /// Every operator, in the order the documentation lists them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The operator with this name on the wire.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

operators! {
    Equal = "EQUAL",
    NotEqual = "NOT_EQUAL",
    GreaterThan = "GREATER_THAN",
    GreaterThanInclusive = "GREATER_THAN_INCLUSIVE",
    LessThan = "LESS_THAN",
    LessThanInclusive = "LESS_THAN_INCLUSIVE",
    Contains = "CONTAINS",
    NotContains = "NOT_CONTAINS",
    Regex = "REGEX",
    PercentageSplit = "PERCENTAGE_SPLIT",
    Modulo = "MODULO",
    IsSet = "IS_SET",
    IsNotSet = "IS_NOT_SET",
    In = "IN",
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule as it is stored: identified, so that an edit keeps the ids clients know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub id: i64,
    #[serde(rename = "type")]
    pub kind: RuleType,
    #[serde(default)]
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// One comparison of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    pub id: i64,
    pub operator: Operator,
    /// A trait key, or a JSON path into the evaluation context when it begins with `$.`.
    pub property: Option<String>,
    /// Always text; `None` for operators that need none.
    pub value: Option<String>,
    pub description: Option<String>,
}
