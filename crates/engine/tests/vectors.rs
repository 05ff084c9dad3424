//! Facts about single conditions, gathered by running the reference implementation (flagsmith-flag-engine 10.2.0):
//! what each operator says of a trait and a value. `BURGEE_ENGINE_VECTORS` names a larger table in the same form.

use burgee_engine::context::Context;
use serde_json::{Value, json};

/// `[operator, trait, value, matches]`; `null` where the reference implementation raises, which must be false here.
type Vector = (String, Value, Value, Option<bool>);

#[test]
fn single_conditions_match_as_in_the_reference_implementation() {
    let table = std::env::var("BURGEE_ENGINE_VECTORS").map_or_else(
        |_| include_str!("vectors.json").to_owned(),
        |path| std::fs::read_to_string(path).unwrap(),
    );
    let vectors: Vec<Vector> = serde_json::from_str(&table).unwrap();
    let mut wrong = Vec::new();
    for (operator, actual, expected, matches) in &vectors {
        let context = Context::from_value(json!({
            "environment": {"key": "k", "name": "n"},
            "identity": {"identifier": "i", "key": "k_i", "traits": {"t": actual}},
            "segments": {"7": {"key": "7", "name": "s", "rules": [{"type": "ALL", "conditions": [
                {"property": "t", "operator": operator, "value": expected},
            ]}]}},
        }))
        .unwrap();
        if context.evaluate().segments().is_empty() == matches.unwrap_or(false) {
            wrong.push(format!("{actual} {operator} {expected}: expected {matches:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} wrong:\n{}",
        wrong.len(),
        vectors.len(),
        wrong.join("\n")
    );
}
