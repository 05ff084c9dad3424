//! One condition, compiled: its right-hand side is parsed once for every type the left may have.

use std::cmp::Ordering;
use std::fmt::Write as _;

use burgee_model::segments::Operator;
use semver::Version;
use serde_json::value::RawValue;

use crate::bucket;
use crate::definition::{ConditionDefinition, ConditionValue};
use crate::pattern::Pattern;
use crate::python;
use crate::scalar::{Integer, Scalar};
use crate::text_set::TextSet;

/// Marks a condition value that is compared by the precedence of semantic versions.
const SEMVER_SUFFIX: &str = ":semver";

#[derive(Debug)]
pub(crate) struct Condition {
    /// Index into the environment's properties.
    pub(crate) property: u32,
    pub(crate) operator: Option<Operator>,
    pub(crate) test: Test,
}

/// What is asked of the value.
#[derive(Debug)]
pub(crate) enum Test {
    /// A right-hand side that makes no sense for the operator; kept for traces.
    Never(Box<str>),
    Compare(Comparison, Box<Operand>),
    Contains {
        needle: Box<str>,
        expected: bool,
    },
    Regex(Box<Pattern>),
    In(Box<TextSet>),
    /// Percent; the value's bucket must not exceed it.
    Split {
        threshold: f64,
    },
    Modulo {
        divisor: f64,
        remainder: f64,
    },
    IsSet {
        expected: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A right-hand side, cast to each type in advance. A cast that fails is `None` and never matches.
#[derive(Debug)]
pub(crate) struct Operand {
    text: Box<str>,
    integer: Option<Integer>,
    float: Option<f64>,
    /// Only if the text ends in `:semver`; an invalid version never matches.
    version: Option<Result<Version, semver::Error>>,
}

impl Test {
    pub(crate) fn compile(definition: &ConditionDefinition) -> Self {
        let text = match &definition.value {
            ConditionValue::Absent => "None",
            ConditionValue::Text(text) => text.as_str(),
            ConditionValue::List(values) if definition.operator == Some(Operator::In) => {
                return Self::In(Box::new(TextSet::new(values.iter().map(String::as_str))));
            }
            ConditionValue::List(values) => values.first().map_or("", String::as_str),
        };
        let is_list = matches!(definition.value, ConditionValue::List(_));
        let compare = |comparison| Self::Compare(comparison, Box::new(Operand::parse(text)));
        match definition.operator {
            Some(Operator::IsSet) => Self::IsSet { expected: true },
            Some(Operator::IsNotSet) => Self::IsSet { expected: false },
            None => Self::Never(text.into()),
            Some(_) if is_list => Self::Never(text.into()),
            Some(Operator::Equal) => compare(Comparison::Equal),
            Some(Operator::NotEqual) => compare(Comparison::NotEqual),
            Some(Operator::GreaterThan) => compare(Comparison::Greater),
            Some(Operator::GreaterThanInclusive) => compare(Comparison::GreaterOrEqual),
            Some(Operator::LessThan) => compare(Comparison::Less),
            Some(Operator::LessThanInclusive) => compare(Comparison::LessOrEqual),
            Some(Operator::Contains) => Self::Contains {
                needle: text.into(),
                expected: true,
            },
            Some(Operator::NotContains) => Self::Contains {
                needle: text.into(),
                expected: false,
            },
            Some(Operator::Regex) => Self::Regex(Box::new(Pattern::new(text))),
            Some(Operator::In) if definition.value == ConditionValue::Absent => Self::Never(text.into()),
            Some(Operator::In) => Self::In(Box::new(parse_members(text))),
            Some(Operator::PercentageSplit) => match python::parse_float(text) {
                Some(threshold) => Self::Split { threshold },
                None => Self::Never(text.into()),
            },
            Some(Operator::Modulo) => parse_modulo(text).unwrap_or_else(|| Self::Never(text.into())),
        }
    }

    /// Whether the value passes. A split needs the segment's key, see [`Self::bucket`].
    pub(crate) fn accepts(&self, value: Scalar<'_>) -> bool {
        match self {
            Self::IsSet { expected } => value.is_missing() != *expected,
            Self::Compare(comparison, operand) => comparison.holds(value, operand),
            Self::Contains { needle, expected } => match value {
                Scalar::Text(text) | Scalar::Composite(text) => text.contains(&**needle) == *expected,
                _ => false,
            },
            Self::Regex(pattern) => value.with_text(|text| pattern.is_match(text)).unwrap_or(false),
            Self::In(members) => match value {
                Scalar::Bool(_) | Scalar::Float(_) => false,
                _ => value.with_text(|text| members.contains(text)).unwrap_or(false),
            },
            Self::Modulo { divisor, remainder } => {
                dividend(value).is_some_and(|dividend| leaves(dividend, *divisor, *remainder))
            }
            Self::Never(_) | Self::Split { .. } => false,
        }
    }

    /// The right-hand side as text, for traces; long lists are cut.
    pub(crate) fn expected(&self) -> Option<String> {
        /// Bytes of text after which a list is cut.
        const ENOUGH: usize = 1_000;
        match self {
            Self::IsSet { .. } => None,
            Self::Never(text) | Self::Contains { needle: text, .. } => Some(text.to_string()),
            Self::Compare(_, operand) => Some(operand.text.to_string()),
            Self::Regex(pattern) => Some(pattern.source().to_owned()),
            Self::Split { threshold } => Some(python::float_text(*threshold)),
            Self::Modulo { divisor, remainder } => Some(format!(
                "{}|{}",
                python::float_text(*divisor),
                python::float_text(*remainder)
            )),
            Self::In(members) => {
                let mut list = String::new();
                for (index, member) in members.iter().enumerate() {
                    if list.len() > ENOUGH {
                        let _ = write!(list, ",… ({} values)", members.len());
                        break;
                    }
                    if index > 0 {
                        list.push(',');
                    }
                    list.push_str(member);
                }
                Some(list)
            }
        }
    }
}

/// The bucket of a value in a segment; `None` if the value is missing.
pub(crate) fn split_bucket(segment_key: &str, value: Scalar<'_>) -> Option<f64> {
    value.with_text(|text| bucket::percentage(segment_key, text))
}

impl Operand {
    fn parse(text: &str) -> Self {
        Self {
            text: text.into(),
            integer: Integer::parse(text),
            float: python::parse_float(text),
            version: text.strip_suffix(SEMVER_SUFFIX).map(Version::parse),
        }
    }
}

impl Comparison {
    fn holds(self, value: Scalar<'_>, operand: &Operand) -> bool {
        let ordering = match value {
            Scalar::Missing | Scalar::Deferred => return false,
            Scalar::Bool(left) => Some(left.cmp(&!matches!(&*operand.text, "False" | "false"))),
            Scalar::Int(left) => match &operand.integer {
                Some(right) => Some(right.compare_small(left)),
                None => return false,
            },
            Scalar::BigInt(left) => match &operand.integer {
                Some(right) => Some(right.compare_big(left)),
                None => return false,
            },
            Scalar::Float(left) => match operand.float {
                Some(right) => left.partial_cmp(&right),
                None => return false,
            },
            Scalar::Text(left) | Scalar::Composite(left) => match &operand.version {
                None => Some(left.cmp(&*operand.text)),
                Some(right) => match (Version::parse(left), right) {
                    (Ok(left), Ok(right)) => Some(left.cmp_precedence(right)),
                    _ => return false,
                },
            },
        };
        self.accepts(ordering)
    }

    /// Only a NaN is unordered; it is unequal to everything.
    fn accepts(self, ordering: Option<Ordering>) -> bool {
        let Some(ordering) = ordering else {
            return self == Self::NotEqual;
        };
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

/// The members of an `IN` list: JSON if it begins with a bracket and parses, else split at every comma.
fn parse_members(text: &str) -> TextSet {
    if text.starts_with('[')
        && let Ok(members) = serde_json::from_str::<Vec<Box<RawValue>>>(text)
    {
        let members: Vec<String> = members.iter().map(|member| member_text(member.get())).collect();
        return TextSet::new(members.iter().map(String::as_str));
    }
    TextSet::new(text.split(','))
}

/// Python's `str()` of one JSON element. Integers are taken from the text, for they may be of any size.
fn member_text(json: &str) -> String {
    let digits = json.strip_prefix('-').unwrap_or(json);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return if digits == "0" {
            digits.to_owned()
        } else {
            json.to_owned()
        };
    }
    serde_json::from_str(json).map_or_else(|_| json.to_owned(), |value| python::value_text(&value))
}

/// `divisor|remainder`. Python raises on a divisor of zero; here the condition never matches.
fn parse_modulo(text: &str) -> Option<Test> {
    let (divisor, remainder) = text.split_once('|')?;
    let divisor = python::parse_float(divisor).filter(|divisor| *divisor != 0.0)?;
    Some(Test::Modulo {
        divisor,
        remainder: python::parse_float(remainder)?,
    })
}

#[expect(clippy::float_cmp, reason = "exact, as the reference implementation compares")]
fn leaves(dividend: f64, divisor: f64, remainder: f64) -> bool {
    python::modulo(dividend, divisor) == remainder
}

/// The value as the left side of a division; beyond the range of floats there is none.
fn dividend(value: Scalar<'_>) -> Option<f64> {
    match value {
        Scalar::Bool(value) => Some(f64::from(u8::from(value))),
        Scalar::Int(value) => Some(value as f64),
        Scalar::BigInt(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        Scalar::Float(value) => Some(value),
        Scalar::Missing | Scalar::Deferred | Scalar::Text(_) | Scalar::Composite(_) => None,
    }
}
