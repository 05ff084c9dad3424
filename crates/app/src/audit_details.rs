//! What a change changed, field by field, for people: told from what the log keeps of before and after.

use std::collections::BTreeMap;

use burgee_model::segments::{Condition, Rule};
use serde_json::{Map, Value};

use crate::kept::KEPT;

/// One field that is different.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    pub field: String,
    /// Text, a number, a boolean or null.
    pub old: Value,
    pub new: Value,
}

impl Detail {
    fn new(field: impl Into<String>, old: Option<Value>, new: Option<Value>) -> Self {
        Self {
            field: field.into(),
            old: old.unwrap_or_default(),
            new: new.unwrap_or_default(),
        }
    }
}

/// The differences between two states of an object; one that is not there has nothing in any field.
pub(crate) fn of(before: Option<&Value>, after: Option<&Value>) -> Vec<Detail> {
    let nothing = Map::new();
    let old = before.and_then(Value::as_object).unwrap_or(&nothing);
    let new = after.and_then(Value::as_object).unwrap_or(&nothing);
    let added = new.keys().filter(|key| !old.contains_key(*key));
    let mut details = Vec::new();
    for key in old.keys().chain(added).filter(|key| *key != KEPT) {
        let (old, new) = (old.get(key), new.get(key));
        if old.unwrap_or(&Value::Null) == new.unwrap_or(&Value::Null) {
            continue;
        }
        match key.as_str() {
            "rules" => rules(old, new, &mut details),
            "multivariate_feature_state_values" => weights(old, new, &mut details),
            _ => details.push(Detail::new(key, old.map(scalar), new.map(scalar))),
        }
    }
    details
}

/// The value itself, or the JSON of what is no single value.
fn scalar(value: &Value) -> Value {
    match value {
        Value::Array(list) if list.iter().all(Value::is_string) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            words.join(", ").into()
        }
        Value::Array(_) | Value::Object(_) => value.to_string().into(),
        single => single.clone(),
    }
}

/// How much of the traffic each option gets, an option a field.
fn weights(old: Option<&Value>, new: Option<&Value>, details: &mut Vec<Detail>) {
    let by_option = |list: Option<&Value>| -> BTreeMap<i64, Value> {
        let items = list.and_then(Value::as_array).into_iter().flatten();
        items
            .filter_map(|item| {
                let option = item.get("multivariate_feature_option")?.as_i64()?;
                Some((option, item.get("percentage_allocation")?.clone()))
            })
            .collect()
    };
    let (old, new) = (by_option(old), by_option(new));
    let mut options: Vec<i64> = old.keys().chain(new.keys()).copied().collect();
    options.sort_unstable();
    options.dedup();
    for option in options {
        let (was, is) = (old.get(&option), new.get(&option));
        if was != is {
            let field = format!("percentage_allocation of option {option}");
            details.push(Detail::new(field, was.cloned(), is.cloned()));
        }
    }
}

/// Which rules and conditions came, went or changed. Ids tell which is which.
fn rules(old: Option<&Value>, new: Option<&Value>, details: &mut Vec<Detail>) {
    let parts = |value: Option<&Value>| -> Parts {
        let rules: Vec<Rule> = value
            .and_then(|rules| serde_json::from_value(rules.clone()).ok())
            .unwrap_or_default();
        let mut parts = Parts::default();
        parts.collect(&rules, "");
        parts
    };
    let (old, new) = (parts(old), parts(new));
    compare("rule", &old.rules, &new.rules, details);
    compare("condition", &old.conditions, &new.conditions, details);
}

fn compare(field: &str, old: &[(i64, String)], new: &[(i64, String)], details: &mut Vec<Detail>) {
    let find = |list: &[(i64, String)], id: i64| {
        let found = list.iter().find(|(other, _)| *other == id);
        found.map(|(_, text)| Value::from(text.as_str()))
    };
    for (id, text) in old {
        let is = find(new, *id);
        if is.as_ref().and_then(Value::as_str) != Some(text) {
            details.push(Detail::new(field, Some(text.as_str().into()), is));
        }
    }
    for (id, text) in new {
        if find(old, *id).is_none() {
            details.push(Detail::new(field, None, Some(text.as_str().into())));
        }
    }
}

/// The rules and conditions of a segment in words, by id.
#[derive(Debug, Default)]
struct Parts {
    rules: Vec<(i64, String)>,
    conditions: Vec<(i64, String)>,
}

impl Parts {
    fn collect(&mut self, rules: &[Rule], above: &str) {
        for rule in rules {
            let kind = match rule.kind {
                burgee_model::segments::RuleType::All => "ALL",
                burgee_model::segments::RuleType::Any => "ANY",
                burgee_model::segments::RuleType::None => "NONE",
            };
            let path = if above.is_empty() {
                kind.to_owned()
            } else {
                format!("{above} > {kind}")
            };
            self.rules.push((rule.id, format!("{path} of its conditions")));
            for condition in &rule.conditions {
                self.conditions.push((condition.id, words(condition)));
            }
            self.collect(&rule.rules, &path);
        }
    }
}

/// `plan EQUAL pro`, with its description if it has one.
fn words(condition: &Condition) -> String {
    let parts = [
        condition.property.as_deref(),
        Some(condition.operator.as_str()),
        condition.value.as_deref().filter(|value| !value.is_empty()),
    ];
    let text: Vec<&str> = parts.into_iter().flatten().collect();
    match condition.description.as_deref() {
        Some(description) if !description.is_empty() => format!("{} ({description})", text.join(" ")),
        _ => text.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<(String, Value, Value)> {
        of(Some(before), Some(after))
            .into_iter()
            .map(|d| (d.field, d.old, d.new))
            .collect()
    }

    #[test]
    fn only_fields_that_differ_are_told() {
        let (before, after) = (
            json!({"a": 1, "b": null, "c": "x"}),
            json!({"a": 1, "b": true, "c": "y"}),
        );
        let expected = [
            ("b".to_owned(), Value::Null, json!(true)),
            ("c".to_owned(), json!("x"), json!("y")),
        ];
        assert_eq!(told(&before, &after), expected);
    }

    #[test]
    fn conditions_that_came_went_or_changed_are_told_in_words() {
        let segment = |conditions: Value| {
            json!({"rules": [{"id": 1, "type": "ALL", "rules": [
                {"id": 2, "type": "ANY", "rules": [], "conditions": conditions}
            ], "conditions": []}]})
        };
        let condition = |id: i64, value: &str| json!({"id": id, "operator": "EQUAL", "property": "plan", "value": value, "description": null});
        let before = segment(json!([condition(1, "free"), condition(2, "pro")]));
        let after = segment(json!([condition(2, "team"), condition(3, "max")]));
        let expected = [
            ("condition".to_owned(), json!("plan EQUAL free"), Value::Null),
            (
                "condition".to_owned(),
                json!("plan EQUAL pro"),
                json!("plan EQUAL team"),
            ),
            ("condition".to_owned(), Value::Null, json!("plan EQUAL max")),
        ];
        assert_eq!(told(&before, &after), expected);
    }

    #[test]
    fn the_share_of_each_option_is_a_field() {
        let state = |share: f64| {
            json!({"multivariate_feature_state_values":
                [{"multivariate_feature_option": 7, "percentage_allocation": share}]})
        };
        let expected = [(
            "percentage_allocation of option 7".to_owned(),
            json!(10.0),
            json!(25.5),
        )];
        assert_eq!(told(&state(10.0), &state(25.5)), expected);
    }
}
