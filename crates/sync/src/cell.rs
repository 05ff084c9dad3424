//! A value as a source gives it, and how it is told apart from another one.

use serde_json::{Number, Value};
use xxhash_rust::xxh3::Xxh3;

/// One value of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Everything else a source knows (times, decimals, documents) comes as its text.
    Text(String),
}

impl Cell {
    /// The key a row goes by: numbers and booleans as they are written. `None` when there is none.
    pub fn as_key(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(truth) => Some(truth.to_string()),
            Self::Int(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Text(text) if text.is_empty() => None,
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// The value as JSON. A float that JSON has no number for becomes null.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Number((*number).into()),
            Self::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text.clone()),
        }
    }

    /// A decimal as a number where nothing is lost by it, else as its text.
    pub fn from_decimal(text: &str) -> Self {
        if let Ok(whole) = text.parse::<i64>() {
            return Self::Int(whole);
        }
        match text.parse::<f64>() {
            Ok(float) if float.to_string() == text => Self::Float(float),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// A JSON value as a cell. Lists and objects, which no destination can hold, become their JSON text.
    pub fn from_json(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Value::String(text) => Self::Text(text),
            other => Self::Text(other.to_string()),
        }
    }

    /// Feeds the value to a hash so that no two rows of different values feed the same bytes.
    fn feed(&self, hash: &mut Xxh3) {
        match self {
            Self::Null => hash.update(&[0]),
            Self::Bool(truth) => hash.update(&[1, u8::from(*truth)]),
            Self::Int(number) => {
                hash.update(&[2]);
                hash.update(&number.to_le_bytes());
            }
            Self::Float(number) => {
                hash.update(&[3]);
                hash.update(&number.to_bits().to_le_bytes());
            }
            Self::Text(text) => {
                hash.update(&[4]);
                hash.update(&(text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
}

/// Stands between an identifier and the name of a trait where a row is one trait. No key holds it.
pub const PAIR: char = '\0';

/// A key as people read it.
pub fn shown(key: &str) -> String {
    match key.split_once(PAIR) {
        Some((identifier, name)) => format!("{identifier} ({name})"),
        None => key.to_owned(),
    }
}

/// The fingerprint of values nobody is sure of: no row has it, so the row counts as changed.
pub const UNKNOWN: u64 = u64::MAX;

/// What the values of a row are remembered by: 64 bits, in the order of the columns. No values: 0.
pub fn fingerprint<'a>(cells: impl Iterator<Item = &'a Cell>) -> u64 {
    let mut hash = Xxh3::new();
    let mut any = false;
    for cell in cells {
        any = true;
        cell.feed(&mut hash);
    }
    if any { hash.digest().min(UNKNOWN - 1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(t: &str) -> Cell {
        Cell::Text(t.to_owned())
    }

    #[test]
    fn rows_of_different_values_have_different_fingerprints() {
        let rows: [&[Cell]; 7] = [
            &[text("a"), Cell::Null, text("b")],
            &[text("a"), text("b"), Cell::Null],
            &[text("ab"), Cell::Null, Cell::Null],
            &[Cell::Int(1)],
            &[Cell::Float(1.0)],
            &[Cell::Bool(true)],
            &[text("1")],
        ];
        let prints: std::collections::BTreeSet<u64> =
            rows.iter().map(|row| fingerprint(row.iter())).collect();
        assert_eq!(prints.len(), rows.len());
        assert_eq!(fingerprint(std::iter::empty()), 0);
    }

    #[test]
    fn a_key_is_what_is_written_and_nothing_is_no_key() {
        assert_eq!(Cell::Int(-7).as_key().as_deref(), Some("-7"));
        assert_eq!(Cell::Float(1.5).as_key().as_deref(), Some("1.5"));
        assert_eq!(text("").as_key(), None);
        assert_eq!(Cell::Null.as_key(), None);
    }
}
