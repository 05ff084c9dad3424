//! The document that features are exported to and imported from: one entry per feature of an environment.

use std::collections::HashSet;

use burgee_model::{FlagValue, limits};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::feature_states::over_100;
use crate::{Error, Result};

/// One feature of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub name: String,
    #[serde(default)]
    pub default_enabled: bool,
    #[serde(default)]
    pub is_server_key_only: bool,
    #[serde(default)]
    pub initial_value: Option<Value>,
    /// What everyone gets in the environment.
    #[serde(default)]
    pub value: Value,
    /// `unicode`, `int` or `bool`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub enabled: bool,
    #[serde(default)]
    pub multivariate: Vec<Variant>,
}

/// One option of a multivariate feature, with its share in the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variant {
    pub percentage_allocation: f64,
    #[serde(default)]
    pub default_percentage_allocation: f64,
    pub value: Value,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub key: Option<String>,
}

/// What a value is called in a document.
pub(crate) fn kind_of(value: &FlagValue) -> &'static str {
    match value {
        FlagValue::Bool(_) => "bool",
        FlagValue::Int(_) => "int",
        FlagValue::Null | FlagValue::Text(_) => "unicode",
    }
}

/// A value of a document; `None` where it is not of the type it says.
pub(crate) fn typed(value: &Value, kind: Option<&str>) -> Option<FlagValue> {
    match (kind, value) {
        (None | Some("unicode"), Value::String(text)) => Some(FlagValue::Text(text.clone())),
        (_, Value::Null) => Some(FlagValue::Null),
        (None | Some("int"), Value::Number(number)) => small(number.as_i64()?),
        (Some("int"), Value::String(text)) => small(text.trim().parse().ok()?),
        (None | Some("bool"), Value::Bool(truth)) => Some(FlagValue::Bool(*truth)),
        (Some("bool"), Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(FlagValue::Bool(true)),
            "false" => Some(FlagValue::Bool(false)),
            _ => None,
        },
        (Some("unicode"), Value::Number(_) | Value::Bool(_)) => Some(FlagValue::Text(value.to_string())),
        _ => None,
    }
}

/// Whole numbers have 32 bits.
fn small(number: i64) -> Option<FlagValue> {
    i32::try_from(number).ok().map(|_| FlagValue::Int(number))
}

/// The text a feature begins with.
pub(crate) fn initial_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Reads a document whole: what is wrong is said by entry, and nothing of it is used.
pub(crate) fn read(text: &str) -> Result<Vec<Entry>> {
    let refused = |text: String| Error::field("file", text);
    let items: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| refused(format!("Not a JSON list of features: {error}.")))?;
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    let mut names = HashSet::new();
    for (index, item) in items.into_iter().enumerate() {
        let entry: Entry = serde_json::from_value(item)
            .map_err(|error| refused(format!("Feature {}: {error}.", index + 1)))?;
        if let Some(problem) = problem(&entry) {
            return Err(refused(format!(
                "Feature {} ({}): {problem}",
                index + 1,
                entry.name
            )));
        }
        if !names.insert(entry.name.to_lowercase()) {
            return Err(refused(format!(
                "Feature {} ({}): there twice.",
                index + 1,
                entry.name
            )));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn problem(entry: &Entry) -> Option<String> {
    let length = |text: &str| text.chars().count();
    let name = entry.name.trim();
    if name.is_empty() || length(name) > limits::FEATURE_NAME_LENGTH || name.contains('\0') {
        return Some("the name is empty or too long.".to_owned());
    }
    let initial = initial_text(entry.initial_value.as_ref());
    let mut values = vec![(&entry.value, entry.kind.as_deref())];
    values.extend(entry.multivariate.iter().map(|v| (&v.value, v.kind.as_deref())));
    for (value, kind) in values {
        match typed(value, kind) {
            None => return Some(format!("{value} is not of type {}.", kind.unwrap_or("unicode"))),
            Some(FlagValue::Text(text)) if too_long(&text) => return Some("a value is too long.".to_owned()),
            Some(_) => {}
        }
    }
    if initial.is_some_and(|text| too_long(&text)) {
        return Some("the initial value is too long.".to_owned());
    }
    let shares = || entry.multivariate.iter();
    let all = shares().flat_map(|v| [v.percentage_allocation, v.default_percentage_allocation]);
    if all.into_iter().any(|share| !(0.0..=100.0).contains(&share))
        || over_100(shares().map(|v| v.percentage_allocation))
        || over_100(shares().map(|v| v.default_percentage_allocation))
    {
        return Some("the allocations of its variants are not within 0 and 100 % altogether.".to_owned());
    }
    let mut keys = HashSet::new();
    for key in shares().filter_map(|v| v.key.as_deref()) {
        if key == "control" || !keys.insert(key) {
            return Some(format!("the variant key \"{key}\" is reserved or there twice."));
        }
    }
    None
}

fn too_long(text: &str) -> bool {
    text.chars().count() > limits::FEATURE_VALUE_LENGTH || text.contains('\0')
}

/// The document as text.
pub(crate) fn write(entries: &[Entry]) -> Result<String> {
    serde_json::to_string(entries).map_err(|error| Error::Internal(error.to_string()))
}

/// What the log keeps of an import.
pub(crate) fn summary(created: &[String], skipped: usize, replaced: usize) -> Value {
    json!({ "created": created, "skipped": skipped, "overwritten": replaced })
}
