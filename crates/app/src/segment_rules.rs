//! The rules of a segment on their way in: checks, and the ids of rules and conditions.

use std::collections::HashSet;

use burgee_model::limits;
use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use burgee_store::db::next_numbers;
use burgee_store::segments::Segment;
use burgee_store::{Tx, features, list_segments};
use serde_json::{Map, Value, json};

use crate::{Error, Result};

/// A rule as a client sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleEdit {
    /// Kept when the segment has such a rule; anything else gets a new one.
    pub id: Option<i64>,
    pub kind: RuleType,
    pub rules: Vec<RuleEdit>,
    pub conditions: Vec<ConditionEdit>,
    /// Takes the rule out, with all that is in it.
    pub delete: bool,
}

/// A condition as a client sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionEdit {
    pub id: Option<i64>,
    pub operator: Operator,
    pub property: Option<String>,
    /// Text, whatever the client sent.
    pub value: String,
    pub description: Option<String>,
    pub delete: bool,
}

/// The flags, and the lists of members, that conditions may name.
#[derive(Debug, Default)]
pub struct KnownFlags {
    names: HashSet<String>,
    lists: HashSet<String>,
    /// What the segment says already may stay, be the feature there or not.
    present: HashSet<String>,
}

impl KnownFlags {
    /// Flags with these names and no others.
    pub fn of_names(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            names: names.into_iter().collect(),
            lists: HashSet::new(),
            present: HashSet::new(),
        }
    }

    /// The same, and lists of members with these keys.
    #[must_use]
    pub fn with_lists(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.lists.extend(keys);
        self
    }

    /// Those of the segment's project, where its new rules name any.
    pub async fn read(tx: &mut Tx, segment: &Segment, rules: &[RuleEdit]) -> Result<Self> {
        fn names_something(rule: &RuleEdit) -> bool {
            let own = rule
                .conditions
                .iter()
                .filter_map(|condition| condition.property.as_deref());
            own.into_iter()
                .any(|property| property.starts_with("$.flags") || property.starts_with("$.lists"))
                || rule.rules.iter().any(names_something)
        }
        fn collect(rules: &[Rule], found: &mut HashSet<String>) {
            for rule in rules {
                found.extend(
                    rule.conditions
                        .iter()
                        .filter_map(|condition| condition.property.clone()),
                );
                collect(&rule.rules, found);
            }
        }
        let mut known = Self::default();
        if rules.iter().any(names_something) {
            collect(&segment.parsed_rules(), &mut known.present);
            let features = features::list(tx, segment.project_id).await?;
            known
                .names
                .extend(features.into_iter().map(|feature| feature.name));
            let lists = list_segments::list(tx, segment.project_id).await?;
            known.lists.extend(lists.into_iter().map(|list| list.key));
        }
        Ok(known)
    }

    fn problem(&self, property: &str, operator: Operator) -> Option<String> {
        if let Some(list) = burgee_engine::list_in_path(property) {
            if !self.lists.contains(&list) && !self.present.contains(property) {
                return Some(format!("The project has no list segment \"{list}\"."));
            }
            return (!matches!(operator, Operator::IsSet | Operator::IsNotSet))
                .then(|| "Of a list only IS_SET and IS_NOT_SET can be asked.".to_owned());
        }
        let flag = burgee_engine::flag_in_path(property).filter(|_| !self.present.contains(property))?;
        if !self.names.contains(&flag.name) {
            return Some(format!("The project has no feature \"{}\".", flag.name));
        }
        (!flag.is_known_field)
            .then(|| "Of a flag only enabled, value and variant can be asked for.".to_owned())
    }
}

/// Fails unless these rules can be stored and every one of their conditions could match somebody.
pub fn check(rules: &[RuleEdit], flags: &KnownFlags) -> Result<()> {
    if rules.iter().all(|rule| rule.delete) {
        let empty = json!({ "rules": { "non_field_errors": ["This list may not be empty."] } });
        return Err(Error::Rejected(empty));
    }
    if rules
        .iter()
        .flat_map(kept_rules)
        .any(|nested| kept_rules(nested).next().is_some())
    {
        return Err(Error::field(
            "segment",
            "Rules must not be nested more than 2 levels deep.",
        ));
    }
    let conditions: usize = kept(rules).map(count_conditions).sum();
    if conditions > limits::CONDITIONS_PER_SEGMENT {
        let text = format!(
            "The segment has {conditions} conditions, which exceeds the maximum condition count of {}.",
            limits::CONDITIONS_PER_SEGMENT
        );
        return Err(Error::field("segment", text));
    }
    mirror(rules, &|rule| rule_problems(rule, flags))
        .map_or(Ok(()), |wrong| Err(Error::Rejected(json!({ "rules": wrong }))))
}

fn kept(rules: &[RuleEdit]) -> impl Iterator<Item = &RuleEdit> {
    rules.iter().filter(|rule| !rule.delete)
}

/// The rules inside a rule; none when it is taken out.
fn kept_rules(rule: &RuleEdit) -> impl Iterator<Item = &RuleEdit> {
    kept(&rule.rules).filter(|_| !rule.delete)
}

fn count_conditions(rule: &RuleEdit) -> usize {
    let own = rule.conditions.iter().filter(|condition| !condition.delete);
    own.count() + kept(&rule.rules).map(count_conditions).sum::<usize>()
}

/// What is wrong with the items of a list, in a list of the same length; `None` when nothing is.
fn mirror<T>(items: &[T], problems: &dyn Fn(&T) -> Map<String, Value>) -> Option<Value> {
    let found: Vec<_> = items.iter().map(problems).collect();
    let wrong = found.iter().any(|problems| !problems.is_empty());
    wrong.then(|| found.into_iter().map(Value::Object).collect())
}

fn rule_problems(rule: &RuleEdit, flags: &KnownFlags) -> Map<String, Value> {
    let mut problems = Map::new();
    if rule.delete {
        return problems;
    }
    if let Some(wrong) = mirror(&rule.rules, &|rule| rule_problems(rule, flags)) {
        problems.insert("rules".to_owned(), wrong);
    }
    if let Some(wrong) = mirror(&rule.conditions, &|condition| {
        condition_problems(condition, flags)
    }) {
        problems.insert("conditions".to_owned(), wrong);
    }
    problems
}

fn condition_problems(condition: &ConditionEdit, flags: &KnownFlags) -> Map<String, Value> {
    let mut problems = Map::new();
    if condition.delete {
        return problems;
    }
    if condition.property.is_none() && condition.operator != Operator::PercentageSplit {
        problems.insert("property".to_owned(), json!(["This field is required."]));
    }
    if let Some(text) = condition
        .property
        .as_deref()
        .and_then(|property| flags.problem(property, condition.operator))
    {
        problems.insert("property".to_owned(), json!([text]));
    }
    let value = condition.value.as_str();
    let wrong = match condition.operator {
        Operator::Regex => {
            (!burgee_engine::is_valid_pattern(value)).then_some("Must be a valid regular expression.")
        }
        Operator::Modulo => modulo_problem(value),
        Operator::PercentageSplit => percentage_problem(value),
        Operator::Equal
        | Operator::NotEqual
        | Operator::GreaterThan
        | Operator::GreaterThanInclusive
        | Operator::LessThan
        | Operator::LessThanInclusive => version_problem(value),
        _ => None,
    };
    if let Some(text) = wrong {
        problems.insert("value".to_owned(), json!([text]));
    }
    problems
}

fn modulo_problem(value: &str) -> Option<&'static str> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    let parts = value
        .split_once('|')
        .and_then(|(divisor, remainder)| Some((number(divisor)?, number(remainder)?)));
    match parts {
        None => Some("Must be a divisor and a remainder: two numbers with a | between them."),
        Some((0.0, _)) => Some("The divisor must not be 0."),
        // A remainder has the sign of the divisor and is smaller.
        Some((divisor, remainder)) => (remainder * divisor < 0.0 || remainder.abs() >= divisor.abs())
            .then_some("No number leaves this remainder when divided by this divisor."),
    }
}

fn version_problem(value: &str) -> Option<&'static str> {
    let version = value.strip_suffix(":semver")?;
    (!burgee_engine::is_version(version)).then_some("Must be a semantic version, like 1.2.3, before :semver.")
}

fn percentage_problem(value: &str) -> Option<&'static str> {
    match value.trim().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => None,
        _ => Some("Must be a number from 0 to 100."),
    }
}

/// The rules to store: ids of the segment's present rules are kept, all others are new.
pub async fn number(tx: &mut Tx, edits: &[RuleEdit], present: &[Rule]) -> Result<Vec<Rule>> {
    let mut known = Ids::default();
    known.collect(present);
    let mut rules: Vec<Rule> = kept(edits).map(|edit| known.keep(edit)).collect();
    let (mut new_rules, mut new_conditions) = (0, 0);
    for_each_id(&mut rules, &mut |id, kind| {
        let new = i64::from(*id == NEW);
        match kind {
            Numbered::Rule => new_rules += new,
            Numbered::Condition => new_conditions += new,
        }
    });
    let mut next_rule = take_numbers(tx, "rule", new_rules).await?;
    let mut next_condition = take_numbers(tx, "condition", new_conditions).await?;
    for_each_id(&mut rules, &mut |id, kind| {
        if *id == NEW {
            let next = match kind {
                Numbered::Rule => &mut next_rule,
                Numbered::Condition => &mut next_condition,
            };
            *id = *next;
            *next += 1;
        }
    });
    Ok(rules)
}

/// A copy of rules, every id of which is new.
pub async fn copy(tx: &mut Tx, rules: &[Rule]) -> Result<Vec<Rule>> {
    let edits: Vec<RuleEdit> = rules.iter().map(RuleEdit::from).collect();
    number(tx, &edits, &[]).await
}

/// An edit that leaves a rule as it is, ids included where they are still there.
pub(crate) fn kept_as_is(rule: &Rule) -> RuleEdit {
    let mut edit = RuleEdit::from(rule);
    edit.id = Some(rule.id);
    edit.rules = rule.rules.iter().map(kept_as_is).collect();
    for (edit, condition) in edit.conditions.iter_mut().zip(&rule.conditions) {
        edit.id = Some(condition.id);
    }
    edit
}

impl From<&Rule> for RuleEdit {
    fn from(rule: &Rule) -> Self {
        Self {
            id: None,
            kind: rule.kind,
            rules: rule.rules.iter().map(Self::from).collect(),
            conditions: rule
                .conditions
                .iter()
                .map(|condition| ConditionEdit {
                    id: None,
                    operator: condition.operator,
                    property: condition.property.clone(),
                    value: condition.value.clone().unwrap_or_default(),
                    description: condition.description.clone(),
                    delete: false,
                })
                .collect(),
            delete: false,
        }
    }
}

async fn take_numbers(tx: &mut Tx, noun: &str, count: i64) -> Result<i64> {
    if count == 0 {
        return Ok(0);
    }
    Ok(next_numbers(tx, noun, count).await?)
}

/// Stands for an id that is still to be given.
const NEW: i64 = 0;

/// What an id belongs to.
#[derive(Debug, Clone, Copy)]
enum Numbered {
    Rule,
    Condition,
}

/// Visits ids in the order in which the reference gives them: a rule, the rules inside it, its own conditions.
fn for_each_id(rules: &mut [Rule], visit: &mut dyn FnMut(&mut i64, Numbered)) {
    for rule in rules {
        visit(&mut rule.id, Numbered::Rule);
        for_each_id(&mut rule.rules, visit);
        for condition in &mut rule.conditions {
            visit(&mut condition.id, Numbered::Condition);
        }
    }
}

/// The ids a segment has and that no part of the edit has taken yet.
#[derive(Debug, Default)]
struct Ids {
    rules: HashSet<i64>,
    conditions: HashSet<i64>,
}

impl Ids {
    fn collect(&mut self, rules: &[Rule]) {
        for rule in rules {
            self.rules.insert(rule.id);
            self.conditions.extend(rule.conditions.iter().map(|c| c.id));
            self.collect(&rule.rules);
        }
    }

    fn keep(&mut self, edit: &RuleEdit) -> Rule {
        Rule {
            id: edit.id.and_then(|id| self.rules.take(&id)).unwrap_or(NEW),
            kind: edit.kind,
            rules: kept(&edit.rules).map(|nested| self.keep(nested)).collect(),
            conditions: edit
                .conditions
                .iter()
                .filter(|condition| !condition.delete)
                .map(|condition| Condition {
                    id: condition
                        .id
                        .and_then(|id| self.conditions.take(&id))
                        .unwrap_or(NEW),
                    operator: condition.operator,
                    property: condition.property.clone(),
                    value: Some(condition.value.clone()),
                    description: condition.description.clone(),
                })
                .collect(),
        }
    }
}
