//! Rules of segments: rows that refer to each other there, one document here.

use std::collections::HashMap;

use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use serde_json::Value;

use crate::records;

/// Rules by segment.
pub(crate) type BySegment = HashMap<i64, Vec<Rule>>;

/// The rules of all segments, by segment, from rows; with what had to be read otherwise, by segment.
pub(crate) fn from_rows(
    rules: &[records::Rule],
    conditions: &[records::Condition],
) -> (BySegment, Vec<(i64, String)>) {
    let mut inside: HashMap<i64, Vec<&records::Rule>> = HashMap::new();
    let mut of_rule: HashMap<i64, Vec<&records::Condition>> = HashMap::new();
    for rule in rules {
        if let Some(parent) = rule.rule_id {
            inside.entry(parent).or_default().push(rule);
        }
    }
    for condition in conditions {
        of_rule.entry(condition.rule_id).or_default().push(condition);
    }
    let mut by_segment: HashMap<i64, Vec<Rule>> = HashMap::new();
    let mut notes = Vec::new();
    for rule in rules.iter().filter(|rule| rule.rule_id.is_none()) {
        let Some(segment) = rule.segment_id else { continue };
        let mut odd = Vec::new();
        let built = build(rule, &inside, &of_rule, 0, &mut odd);
        by_segment.entry(segment).or_default().push(built);
        notes.extend(odd.into_iter().map(|text| (segment, text)));
    }
    (by_segment, notes)
}

/// Deeper than any rule is evaluated; rows that refer to each other in a circle end here.
const DEEPEST: usize = 32;

fn build(
    rule: &records::Rule,
    inside: &HashMap<i64, Vec<&records::Rule>>,
    conditions: &HashMap<i64, Vec<&records::Condition>>,
    depth: usize,
    odd: &mut Vec<String>,
) -> Rule {
    let nested = inside.get(&rule.id).filter(|_| depth < DEEPEST);
    Rule {
        id: rule.id,
        kind: kind(&rule.kind, odd),
        rules: nested
            .into_iter()
            .flatten()
            .map(|rule| build(rule, inside, conditions, depth + 1, odd))
            .collect(),
        conditions: conditions
            .get(&rule.id)
            .into_iter()
            .flatten()
            .map(|c| {
                condition(
                    c.id,
                    &c.operator,
                    c.property.clone(),
                    c.value.clone(),
                    c.description.clone(),
                    odd,
                )
            })
            .collect(),
    }
}

fn kind(text: &str, odd: &mut Vec<String>) -> RuleType {
    match text {
        "ALL" => RuleType::All,
        "ANY" => RuleType::Any,
        "NONE" => RuleType::None,
        other => {
            odd.push(format!("a rule of the unknown type {other:?} was taken as ALL"));
            RuleType::All
        }
    }
}

fn condition(
    id: i64,
    operator: &str,
    property: Option<String>,
    value: Option<String>,
    description: Option<String>,
    odd: &mut Vec<String>,
) -> Condition {
    if let Some(operator) = Operator::parse(operator) {
        if operator == Operator::Regex && !burgee_engine::is_valid_pattern(value.as_deref().unwrap_or("None"))
        {
            odd.push(format!(
                "condition {id} has a pattern that is none: it matches nobody, where Flagsmith fails"
            ));
        }
        return Condition {
            id,
            operator,
            property,
            value,
            description,
        };
    }
    odd.push(format!(
        "condition {id} has the unknown operator {operator:?}: it matches nobody, as before"
    ));
    Condition {
        id,
        // In an empty list there is nothing.
        operator: Operator::In,
        property,
        value: Some("[]".to_owned()),
        description,
    }
}

/// Rules that come as a document: a list of `{type, rules, conditions}`. `None` when it is something else.
pub(crate) fn from_document(document: &Value, odd: &mut Vec<String>) -> Option<Vec<Rule>> {
    document
        .as_array()?
        .iter()
        .map(|rule| rule_of(rule, 0, odd))
        .collect()
}

fn rule_of(value: &Value, depth: usize, odd: &mut Vec<String>) -> Option<Rule> {
    let list = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let id = value.get("id").and_then(Value::as_i64).unwrap_or_default();
    let text = |value: &Value, name: &str| match value.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    if depth > DEEPEST {
        return None;
    }
    let conditions = list("conditions");
    Some(Rule {
        id,
        kind: kind(value.get("type")?.as_str()?, odd),
        rules: list("rules")
            .iter()
            .map(|rule| rule_of(rule, depth + 1, odd))
            .collect::<Option<_>>()?,
        conditions: conditions
            .iter()
            .map(|c| {
                Some(condition(
                    c.get("id").and_then(Value::as_i64).unwrap_or_default(),
                    c.get("operator")?.as_str()?,
                    text(c, "property"),
                    text(c, "value"),
                    text(c, "description"),
                    odd,
                ))
            })
            .collect::<Option<_>>()?,
    })
}

/// The greatest ids among rules and among conditions.
pub(crate) fn last_ids(rules: &[Rule]) -> (i64, i64) {
    rules.iter().fold((0, 0), |(rule, condition), one| {
        let inside = last_ids(&one.rules);
        let own = one.conditions.iter().map(|c| c.id).max().unwrap_or(0);
        (rule.max(one.id).max(inside.0), condition.max(inside.1).max(own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, kind: &str, rule_id: Option<i64>, segment_id: Option<i64>) -> records::Rule {
        records::Rule {
            id,
            kind: kind.to_owned(),
            rule_id,
            segment_id,
        }
    }

    fn condition_row(id: i64, rule_id: i64, operator: &str) -> records::Condition {
        records::Condition {
            id,
            operator: operator.to_owned(),
            property: Some("age".to_owned()),
            value: Some("18".to_owned()),
            rule_id,
            description: None,
        }
    }

    #[test]
    fn rows_that_refer_to_each_other_become_one_document() {
        let rules = [
            row(1, "ALL", None, Some(7)),
            row(2, "ANY", Some(1), None),
            row(3, "NONE", Some(2), None),
        ];
        let conditions = [condition_row(5, 2, "EQUAL"), condition_row(6, 3, "GREATER_THAN")];
        let (by_segment, notes) = from_rows(&rules, &conditions);
        assert!(notes.is_empty());
        let top = &by_segment[&7][0];
        assert_eq!(
            (top.id, top.kind, top.rules[0].kind),
            (1, RuleType::All, RuleType::Any)
        );
        assert_eq!(top.rules[0].conditions[0].id, 5);
        assert_eq!(
            top.rules[0].rules[0].conditions[0].operator,
            Operator::GreaterThan
        );
        assert_eq!(last_ids(&by_segment[&7]), (3, 6));
    }

    #[test]
    fn an_unknown_operator_matches_nobody_and_is_told() {
        let (by_segment, notes) = from_rows(
            &[row(1, "ALL", None, Some(7))],
            &[condition_row(5, 1, "SOUNDS_LIKE")],
        );
        let condition = &by_segment[&7][0].conditions[0];
        assert_eq!(
            (condition.operator, condition.value.as_deref()),
            (Operator::In, Some("[]"))
        );
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn rules_that_contain_each_other_end() {
        let rules = [
            row(1, "ALL", None, Some(7)),
            row(2, "ALL", Some(1), None),
            row(3, "ALL", Some(2), None),
            row(2, "ALL", Some(3), None),
        ];
        let (by_segment, _) = from_rows(&rules, &[]);
        assert_eq!(by_segment.len(), 1);
    }
}
