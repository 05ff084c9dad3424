//! LaunchDarkly's clauses as conditions of segments.
//!
//! There, the values of a clause are alternatives, the clauses of a rule must all hold, and of the rules one must. Here,
//! that is a rule of type `ANY` with a rule of type `ALL` inside for each of them.

use burgee_model::limits;
use burgee_model::segments::{Operator, RuleType};
use serde_json::Value;

use super::source::{Clause, Segment};
use crate::segments::{ConditionEdit, RuleEdit};

/// Why something can't be said here.
pub(super) type Said<T> = Result<T, String>;

/// The rules for those in a LaunchDarkly segment.
pub(super) fn of_segment(segment: &Segment) -> Said<Vec<RuleEdit>> {
    let mut alternatives = Vec::new();
    if !segment.included.is_empty() {
        alternatives.push(vec![keys(&segment.included)?]);
    }
    for rule in &segment.rules {
        let mut conditions = of_clauses(&rule.clauses)?;
        if let Some(weight) = rule.weight {
            conditions.push(condition(
                Operator::PercentageSplit,
                None,
                (weight / 1000.0).to_string(),
            )?);
        }
        alternatives.push(conditions);
    }
    if alternatives.is_empty() {
        return Err("it has neither members nor rules".to_owned());
    }
    let mut rules = vec![any_of(alternatives)];
    if !segment.excluded.is_empty() {
        rules.push(RuleEdit {
            conditions: vec![keys(&segment.excluded)?],
            ..rule(RuleType::None)
        });
    }
    Ok(rules)
}

/// The rules for those whom all clauses match.
pub(super) fn of_rule(clauses: &[Clause]) -> Said<Vec<RuleEdit>> {
    Ok(vec![any_of(vec![of_clauses(clauses)?])])
}

fn any_of(alternatives: Vec<Vec<ConditionEdit>>) -> RuleEdit {
    let inner = alternatives.into_iter().map(|conditions| RuleEdit {
        conditions,
        ..rule(RuleType::All)
    });
    RuleEdit {
        rules: inner.collect(),
        ..rule(RuleType::Any)
    }
}

fn rule(kind: RuleType) -> RuleEdit {
    RuleEdit {
        id: None,
        kind,
        rules: Vec::new(),
        conditions: Vec::new(),
        delete: false,
    }
}

fn condition(operator: Operator, property: Option<&str>, value: String) -> Said<ConditionEdit> {
    if value.chars().count() > limits::CONDITION_VALUE_LENGTH {
        return Err("its values are too long for one condition".to_owned());
    }
    Ok(ConditionEdit {
        id: None,
        operator,
        property: property.map(str::to_owned),
        value,
        description: None,
        delete: false,
    })
}

fn keys(keys: &[String]) -> Said<ConditionEdit> {
    condition(Operator::In, Some("key"), list(keys))
}

/// A list as `IN` reads it: with commas between, or as JSON where a value has one.
fn list(values: &[String]) -> String {
    let plain = values
        .iter()
        .all(|value| !value.contains(',') && !value.starts_with('['));
    if plain {
        values.join(",")
    } else {
        Value::from(values).to_string()
    }
}

/// The conditions of clauses that must all hold.
fn of_clauses(clauses: &[Clause]) -> Said<Vec<ConditionEdit>> {
    if clauses.is_empty() {
        return Err("a rule has no clauses".to_owned());
    }
    let mut conditions = Vec::new();
    for clause in clauses {
        conditions.extend(of_clause(clause)?);
    }
    Ok(conditions)
}

fn of_clause(clause: &Clause) -> Said<Vec<ConditionEdit>> {
    let property = clause.attribute.trim_start_matches('/');
    let texts: Vec<String> = clause.values.iter().map(text).collect();
    let one = |operator: Operator, value: String| Ok(vec![condition(operator, Some(property), value)?]);
    let each = |operator: Operator| {
        let conditions = texts
            .iter()
            .map(|value| condition(operator, Some(property), value.clone()));
        conditions.collect::<Said<Vec<_>>>()
    };
    if property.is_empty() || texts.is_empty() {
        return Err("a clause names no attribute or no value".to_owned());
    }
    match (clause.op.as_str(), clause.negate) {
        ("in", false) => one(Operator::In, list(&texts)),
        ("in", true) => each(Operator::NotEqual),
        ("contains", false) if texts.len() == 1 => one(Operator::Contains, texts[0].clone()),
        ("contains", true) => each(Operator::NotContains),
        ("contains" | "startsWith" | "endsWith" | "matches", negate) => {
            let pattern = pattern(&clause.op, &texts);
            one(
                Operator::Regex,
                if negate {
                    format!("^(?!{pattern})")
                } else {
                    format!("^(?:{pattern})")
                },
            )
        }
        (op, negate) => {
            let (operator, is_version) =
                comparison(op, negate).ok_or_else(|| format!("the operator {op} has no counterpart"))?;
            if texts.len() > 1 {
                return Err(format!("{op} with several values has no counterpart"));
            }
            let suffix = if is_version { ":semver" } else { "" };
            one(operator, format!("{}{suffix}", texts[0]))
        }
    }
}

/// A pattern, from the beginning of a text, for one that passes an operator with one of the values.
fn pattern(op: &str, values: &[String]) -> String {
    let each = values.iter().map(|value| match op {
        "startsWith" => regex::escape(value),
        "endsWith" => format!("[\\s\\S]*{}$", regex::escape(value)),
        "contains" => format!("[\\s\\S]*{}", regex::escape(value)),
        _ => format!("[\\s\\S]*(?:{value})"),
    });
    each.collect::<Vec<_>>().join("|")
}

/// The operator of a comparison with numbers or versions, and whether it is one of versions.
fn comparison(op: &str, negate: bool) -> Option<(Operator, bool)> {
    use Operator::{Equal, GreaterThan, GreaterThanInclusive, LessThan, LessThanInclusive, NotEqual};
    let (operator, opposite, is_version) = match op {
        "lessThan" => (LessThan, GreaterThanInclusive, false),
        "lessThanOrEqual" => (LessThanInclusive, GreaterThan, false),
        "greaterThan" => (GreaterThan, LessThanInclusive, false),
        "greaterThanOrEqual" => (GreaterThanInclusive, LessThan, false),
        "semVerEqual" => (Equal, NotEqual, true),
        "semVerLessThan" => (LessThan, GreaterThanInclusive, true),
        "semVerGreaterThan" => (GreaterThan, LessThanInclusive, true),
        _ => return None,
    };
    Some((if negate { opposite } else { operator }, is_version))
}

fn text(value: &Value) -> String {
    burgee_engine::python_text(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(op: &str, values: &Value, negate: bool) -> Said<Vec<(String, String)>> {
        let clause = json!({"attribute": "plan", "op": op, "values": values, "negate": negate});
        let clause: Clause = serde_json::from_value(clause).map_err(|error| error.to_string())?;
        let conditions = of_clause(&clause)?;
        let shown = conditions
            .into_iter()
            .map(|c| (c.operator.as_str().to_owned(), c.value));
        Ok(shown.collect())
    }

    #[test]
    fn every_operator_has_its_counterpart() {
        for (op, values, negate, expected) in [
            ("in", json!(["a", "b"]), false, vec![("IN", "a,b")]),
            ("in", json!(["a,b", "c"]), false, vec![("IN", "[\"a,b\",\"c\"]")]),
            (
                "in",
                json!(["a", "b"]),
                true,
                vec![("NOT_EQUAL", "a"), ("NOT_EQUAL", "b")],
            ),
            ("contains", json!(["x"]), false, vec![("CONTAINS", "x")]),
            (
                "contains",
                json!(["x", "y"]),
                true,
                vec![("NOT_CONTAINS", "x"), ("NOT_CONTAINS", "y")],
            ),
            (
                "contains",
                json!(["x", "y"]),
                false,
                vec![("REGEX", "^(?:[\\s\\S]*x|[\\s\\S]*y)")],
            ),
            ("startsWith", json!(["a.b"]), false, vec![("REGEX", "^(?:a\\.b)")]),
            (
                "endsWith",
                json!([".org"]),
                true,
                vec![("REGEX", "^(?![\\s\\S]*\\.org$)")],
            ),
            (
                "matches",
                json!(["a+"]),
                false,
                vec![("REGEX", "^(?:[\\s\\S]*(?:a+))")],
            ),
            ("lessThan", json!([5]), false, vec![("LESS_THAN", "5")]),
            ("greaterThanOrEqual", json!([5]), true, vec![("LESS_THAN", "5")]),
            (
                "semVerGreaterThan",
                json!(["1.2.3"]),
                false,
                vec![("GREATER_THAN", "1.2.3:semver")],
            ),
        ] {
            let expected = expected
                .into_iter()
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .collect();
            assert_eq!(said(op, &values, negate), Ok(expected), "{op} {values} {negate}");
        }
        assert!(said("before", &json!([1]), false).is_err());
        assert!(said("lessThan", &json!([1, 2]), false).is_err());
    }
}
