//! The values conditions compare: as the caller gives them, and as coercion leaves them.

use std::cmp::Ordering;

use burgee_model::TraitValue;
use serde_json::Value;

use crate::python;

/// A trait as the caller hands it over; borrowed, cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ContextValue<'a> {
    /// As good as absent.
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    /// A list or an object, as Python's `str()` writes it. Only contexts evaluated locally have such traits;
    /// conditions see the text when they name the trait, and nothing when they reach it by JSON path.
    Composite(&'a str),
}

impl<'a> From<&'a TraitValue> for ContextValue<'a> {
    fn from(value: &'a TraitValue) -> Self {
        match value {
            TraitValue::Bool(value) => Self::Bool(*value),
            TraitValue::Int(value) => Self::Int(*value),
            TraitValue::Float(value) => Self::Float(*value),
            TraitValue::Text(value) => Self::Text(value),
        }
    }
}

impl<'a> From<&'a str> for ContextValue<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

/// A value after coercion: texts that look like numbers have become numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Missing,
    /// To be looked up when a condition asks for it.
    Deferred,
    Bool(bool),
    Int(i64),
    /// `-?[0-9]+` beyond 64 bits, as written.
    BigInt(&'a str),
    Float(f64),
    Text(&'a str),
    Composite(&'a str),
}

impl<'a> From<ContextValue<'a>> for Scalar<'a> {
    fn from(value: ContextValue<'a>) -> Self {
        match value {
            ContextValue::Null => Self::Missing,
            ContextValue::Bool(value) => Self::Bool(value),
            ContextValue::Int(value) => Self::Int(value),
            ContextValue::Float(value) => Self::Float(value),
            ContextValue::Text(text) => Self::coerce(text),
            ContextValue::Composite(text) => Self::Composite(text),
        }
    }
}

impl<'a> Scalar<'a> {
    /// A text that fully matches `-?[0-9]+` is an integer, `-?[0-9]+\.[0-9]+` a float, any other a text.
    pub(crate) fn coerce(text: &'a str) -> Self {
        let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
        if !unsigned.first().is_some_and(u8::is_ascii_digit) {
            return Self::Text(text);
        }
        let whole = unsigned.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if whole == unsigned.len() {
            return text.parse().map_or(Self::BigInt(text), Self::Int);
        }
        let fraction = &unsigned[whole + 1..];
        let is_float =
            unsigned[whole] == b'.' && !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit);
        match text.parse() {
            Ok(number) if is_float => Self::Float(number),
            _ => Self::Text(text),
        }
    }

    /// A value reached by JSON path: lists and objects count as missing.
    pub(crate) fn from_json(value: &'a Value) -> Self {
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Missing,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Self::Int(integer),
                (None, Some(float)) => Self::Float(float),
                (None, None) => Self::Missing,
            },
            Value::String(text) => Self::coerce(text),
        }
    }

    pub(crate) fn is_missing(self) -> bool {
        matches!(self, Self::Missing | Self::Deferred)
    }

    /// Python's `str()` of the value, in a buffer on the stack where it can be. `None` when missing.
    pub(crate) fn with_text<R>(self, read: impl FnOnce(&str) -> R) -> Option<R> {
        Some(match self {
            Self::Missing | Self::Deferred => return None,
            Self::Bool(true) => read("True"),
            Self::Bool(false) => read("False"),
            Self::Int(number) => read(itoa::Buffer::new().format(number)),
            Self::BigInt(text) => match text.strip_prefix('-') {
                Some(digits) if digits.starts_with('0') => {
                    read(&format!("-{}", digits.trim_start_matches('0')))
                }
                Some(_) => read(text),
                None => read(text.trim_start_matches('0')),
            },
            Self::Float(number) => read(&python::float_text(number)),
            Self::Text(text) | Self::Composite(text) => read(text),
        })
    }

    /// The value as JSON, for traces.
    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::Missing | Self::Deferred => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(number) => number.into(),
            Self::Float(number) => serde_json::Number::from_f64(number)
                .map_or_else(|| python::float_text(number).into(), Value::Number),
            Self::BigInt(text) | Self::Text(text) | Self::Composite(text) => text.into(),
        }
    }
}

/// The integer on the right-hand side of a condition, of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Integer {
    Small(i64),
    /// The digits have no leading zeros and do not fit 64 bits.
    Big {
        negative: bool,
        digits: Box<str>,
    },
}

impl Integer {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = python::parse_int(text)?;
        let signed = if negative {
            format!("-{digits}")
        } else {
            digits.clone()
        };
        Some(match signed.parse() {
            Ok(number) => Self::Small(number),
            Err(_) => Self::Big {
                negative,
                digits: digits.into(),
            },
        })
    }

    /// How a 64-bit value on the left compares to this one.
    pub(crate) fn compare_small(&self, left: i64) -> Ordering {
        match self {
            Self::Small(right) => left.cmp(right),
            Self::Big { negative: true, .. } => Ordering::Greater,
            Self::Big { negative: false, .. } => Ordering::Less,
        }
    }

    /// How a value on the left that is beyond 64 bits compares to this one.
    pub(crate) fn compare_big(&self, left: &str) -> Ordering {
        let (left_negative, left) = match left.strip_prefix('-') {
            Some(digits) => (true, digits.trim_start_matches('0')),
            None => (false, left.trim_start_matches('0')),
        };
        let away_from_zero = match self {
            Self::Big { negative, digits } if *negative == left_negative => {
                left.len().cmp(&digits.len()).then_with(|| left.cmp(digits))
            }
            _ => Ordering::Greater,
        };
        if left_negative {
            away_from_zero.reverse()
        } else {
            away_from_zero
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_like_numbers_become_numbers() {
        assert_eq!(Scalar::coerce("007"), Scalar::Int(7));
        assert_eq!(Scalar::coerce("-0"), Scalar::Int(0));
        assert_eq!(Scalar::coerce("1.50"), Scalar::Float(1.5));
        assert_eq!(
            Scalar::coerce("99999999999999999999"),
            Scalar::BigInt("99999999999999999999")
        );
        for text in [
            "", "-", "+1", "1.", ".5", "1e5", "1.2.3", "12\n", "٥", "1.x", "1é",
        ] {
            assert_eq!(Scalar::coerce(text), Scalar::Text(text));
        }
    }

    #[test]
    fn integers_beyond_64_bits_keep_their_order() {
        let big = Integer::parse("100000000000000000000").unwrap();
        assert_eq!(big.compare_small(5), Ordering::Less);
        assert_eq!(big.compare_big("0100000000000000000000"), Ordering::Equal);
        assert_eq!(big.compare_big("99999999999999999999"), Ordering::Less);
        assert_eq!(big.compare_big("-100000000000000000001"), Ordering::Less);
        let negative = Integer::parse("-100000000000000000000").unwrap();
        assert_eq!(negative.compare_big("-99999999999999999999"), Ordering::Greater);
        assert_eq!(negative.compare_small(i64::MIN), Ordering::Greater);
        assert_eq!(
            Integer::Small(0).compare_big("-99999999999999999999"),
            Ordering::Less
        );
        assert_eq!(
            Scalar::BigInt("-00099999999999999999999")
                .with_text(str::to_owned)
                .unwrap(),
            "-99999999999999999999"
        );
    }
}
