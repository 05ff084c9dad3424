//! List segments for SDKs that evaluate by themselves: their members, written as conditions that every SDK understands.
//!
//! A document carries the members of small lists only. A segment with a larger one has a single condition there, which no
//! SDK finds true and which says why: who is in it, only the server knows.

use std::collections::HashMap;

use burgee_engine::list_in_path;
use burgee_model::limits;
use burgee_model::lists::USER;
use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use burgee_store::segments::Segment;

use super::lists::{SegmentLists, ServedList};
use super::rows::Rows;

/// The property that is the identifier, for SDKs.
const IDENTIFIER: &str = "$.identity.identifier";

/// The list segments of an environment, and which of them the document carries.
pub(crate) struct Local<'a> {
    segments: &'a HashMap<i64, SegmentLists>,
    by_key: HashMap<&'a str, &'a SegmentLists>,
    carried: HashMap<&'a str, bool>,
}

impl<'a> Local<'a> {
    pub(crate) fn new(rows: &'a Rows) -> Self {
        let mut ids: Vec<&i64> = rows.lists.keys().collect();
        ids.sort_unstable();
        let mut left = limits::ALL_MEMBERS_IN_DOCUMENT;
        let mut carried = HashMap::new();
        for lists in ids.into_iter().filter_map(|id| rows.lists.get(id)) {
            let members = lists.members();
            let fits = members <= limits::MEMBERS_IN_DOCUMENT.min(left);
            left -= if fits { members } else { 0 };
            carried.insert(lists.key.as_str(), fits);
        }
        Self {
            segments: &rows.lists,
            by_key: rows
                .lists
                .values()
                .map(|lists| (lists.key.as_str(), lists))
                .collect(),
            carried,
        }
    }

    fn carried(&self, key: &str) -> Option<&'a SegmentLists> {
        let lists = self.by_key.get(key)?;
        self.carried
            .get(key)
            .is_some_and(|carried| *carried)
            .then_some(lists)
    }

    /// The rules of a segment as the document has them.
    pub(crate) fn rules(&self, segment: &Segment) -> Vec<Rule> {
        let own: Vec<Rule> = segment
            .parsed_rules()
            .into_iter()
            .map(|own| self.rule(own))
            .collect();
        let Some(lists) = self.segments.get(&segment.id) else {
            return own;
        };
        if self.carried(&lists.key).is_none() {
            return vec![rule(RuleType::All, vec![elsewhere(lists)], Vec::new())];
        }
        let side = |excluded: bool| -> Vec<Condition> {
            let lists = lists.lists.iter();
            lists
                .filter(|served| served.list.excluded == excluded && served.list.members > 0)
                .map(among)
                .collect()
        };
        let included = match side(false) {
            // Nobody: an empty rule would be true of everybody.
            none if none.is_empty() => vec![is_in(IDENTIFIER, "[]".to_owned())],
            some => some,
        };
        let included = rule(RuleType::Any, included, Vec::new());
        if own.is_empty() {
            return vec![included];
        }
        let mut otherwise = vec![rule(RuleType::None, side(true), Vec::new())];
        otherwise.retain(|excluded| !excluded.conditions.is_empty());
        otherwise.extend(own);
        let otherwise = rule(RuleType::All, Vec::new(), otherwise);
        vec![rule(RuleType::Any, Vec::new(), vec![included, otherwise])]
    }

    /// A rule in which conditions on lists are conditions on their members.
    fn rule(&self, own: Rule) -> Rule {
        let nested: Vec<Rule> = own.rules.into_iter().map(|nested| self.rule(nested)).collect();
        let asks = |condition: &Condition| condition.property.as_deref().and_then(list_in_path).is_some();
        if !own.conditions.iter().any(asks) {
            return Rule {
                rules: nested,
                ..Rule {
                    rules: Vec::new(),
                    ..own
                }
            };
        }
        // Each condition becomes a rule of its own, for not being in a list takes one.
        let conditions = own
            .conditions
            .into_iter()
            .map(|condition| self.condition(condition));
        let mut both = vec![rule(own.kind, Vec::new(), conditions.collect())];
        if !nested.is_empty() {
            both.push(rule(own.kind, Vec::new(), nested));
        }
        Rule {
            id: own.id,
            ..rule(RuleType::All, Vec::new(), both)
        }
    }

    fn condition(&self, condition: Condition) -> Rule {
        let list = condition.property.as_deref().and_then(list_in_path);
        let lists = list.as_deref().and_then(|key| self.carried(key));
        let Some(lists) = lists else {
            let known = list.as_deref().and_then(|key| self.by_key.get(key));
            let condition = known.map_or(condition, |lists| elsewhere(lists));
            return rule(RuleType::All, vec![condition], Vec::new());
        };
        let mut included: Vec<Condition> = lists
            .lists
            .iter()
            .filter(|served| !served.list.excluded && served.list.members > 0)
            .map(among)
            .collect();
        if included.is_empty() {
            included.push(is_in(IDENTIFIER, "[]".to_owned()));
        }
        let kind = match condition.operator {
            Operator::IsNotSet => RuleType::None,
            _ => RuleType::Any,
        };
        rule(kind, included, Vec::new())
    }
}

fn rule(kind: RuleType, conditions: Vec<Condition>, rules: Vec<Rule>) -> Rule {
    Rule {
        id: 0,
        kind,
        rules,
        conditions,
    }
}

fn is_in(property: &str, members: String) -> Condition {
    Condition {
        id: 0,
        operator: Operator::In,
        property: Some(property.to_owned()),
        value: Some(members),
        description: None,
    }
}

/// Whether the identity is one of these.
fn among(served: &ServedList) -> Condition {
    let property = match served.list.context_kind.as_str() {
        USER => IDENTIFIER,
        kind => kind,
    };
    let mut members: Vec<&str> = served
        .members
        .iter()
        .flat_map(|m| m.iter())
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    // Read as JSON by newer SDKs; all of them can split at commas.
    let needs_json = members.iter().any(|member| member.contains(','))
        || members[..1.min(members.len())].iter().any(|m| m.starts_with('['));
    let text = if needs_json {
        serde_json::to_string(&members).unwrap_or_default()
    } else {
        members.join(",")
    };
    is_in(property, text)
}

/// What stands in the place of members that the document does not carry.
fn elsewhere(lists: &SegmentLists) -> Condition {
    Condition {
        id: 0,
        operator: Operator::IsSet,
        property: Some(format!("$.lists['{}']", lists.key)),
        value: Some(format!(
            "{} members: evaluated by the server only",
            lists.members()
        )),
        description: None,
    }
}
