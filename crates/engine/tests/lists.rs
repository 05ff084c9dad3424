//! Lists of members: whoever evaluates says who is in which, and the lists come before the rules.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

use burgee_engine::{
    ConditionDefinition, ConditionValue, Definition, Environment, FeatureDefinition, Identity, Membership,
    Memberships, OverrideDefinition, RuleDefinition, SegmentDefinition, StateDefinition,
};
use burgee_model::segments::{Operator, RuleType};

/// `ann` is included in the first list, `bob` excluded from it; the second list has nobody.
#[derive(Debug)]
struct Lists<'a>(&'a str);

impl Memberships for Lists<'_> {
    fn membership(&self, list: usize) -> Membership {
        match (list, self.0) {
            (0, "ann") => Membership::Included,
            (0, "bob") => Membership::Excluded,
            _ => Membership::Unlisted,
        }
    }
}

fn rule(property: &str, operator: Operator) -> RuleDefinition {
    RuleDefinition {
        kind: RuleType::All,
        conditions: vec![ConditionDefinition {
            property: property.to_owned(),
            operator: Some(operator),
            value: ConditionValue::Absent,
        }],
        rules: Vec::new(),
    }
}

fn segment(list: Option<usize>, rules: Vec<RuleDefinition>) -> SegmentDefinition {
    SegmentDefinition {
        key: "1".to_owned(),
        name: "s".to_owned(),
        list,
        rules,
        overrides: vec![OverrideDefinition {
            feature: 0,
            state: StateDefinition {
                reference: 2,
                ..Default::default()
            },
            priority: 0.0,
        }],
        metadata: None,
    }
}

fn environment(segment: SegmentDefinition) -> Environment {
    Environment::compile(Definition {
        lists: vec!["vip".to_owned(), "a.b-c".to_owned()],
        features: vec![FeatureDefinition {
            name: "f".to_owned(),
            state: StateDefinition {
                reference: 1,
                ..Default::default()
            },
        }],
        segments: vec![segment],
        ..Default::default()
    })
}

fn is_in(environment: &Environment, identifier: &str) -> bool {
    let lists = Lists(identifier);
    let identity = Identity {
        memberships: Some(&lists),
        ..Identity::new(identifier, &[])
    };
    let matches = environment.matches(0, Some(&identity));
    let outcome = environment.evaluate_feature(0, Some(&identity)).unwrap();
    assert_eq!(
        outcome.reference(),
        if matches { 2 } else { 1 },
        "the override goes with it"
    );
    assert_eq!(
        environment.evaluate(Some(&identity)).get(0).unwrap().reference(),
        outcome.reference()
    );
    matches
}

#[test]
fn a_list_includes_and_excludes_before_the_rules_are_asked() {
    let without_rules = environment(segment(Some(0), Vec::new()));
    let named = ["ann", "bob", "eve"];
    assert_eq!(
        named.map(|name| is_in(&without_rules, name)),
        [true, false, false]
    );
    let everybody = environment(segment(Some(0), vec![rule("nothing", Operator::IsNotSet)]));
    assert_eq!(named.map(|name| is_in(&everybody, name)), [true, false, true]);
    let nobody_listed = environment(segment(Some(1), vec![rule("nothing", Operator::IsNotSet)]));
    assert_eq!(named.map(|name| is_in(&nobody_listed, name)), [true, true, true]);
}

#[test]
fn conditions_ask_lists_by_their_keys() {
    let in_list = environment(segment(None, vec![rule("$.lists.vip", Operator::IsSet)]));
    assert_eq!(
        ["ann", "bob", "eve"].map(|name| is_in(&in_list, name)),
        [true, false, false]
    );
    let not_in_list = environment(segment(None, vec![rule("$.lists['vip']", Operator::IsNotSet)]));
    assert_eq!(
        ["ann", "bob", "eve"].map(|name| is_in(&not_in_list, name)),
        [false, true, true]
    );
    for nobody in [
        "$.lists['a.b-c']",
        "$.lists.unknown",
        "$.lists.vip.more",
        "$.lists",
    ] {
        assert!(
            !is_in(
                &environment(segment(None, vec![rule(nobody, Operator::IsSet)])),
                "ann"
            ),
            "{nobody}"
        );
    }
}

#[test]
fn without_lists_at_hand_nobody_is_in_one() {
    let environment = environment(segment(Some(0), Vec::new()));
    assert!(!environment.matches(0, Some(&Identity::new("ann", &[]))));
    assert!(!environment.matches(0, None));
}

#[test]
fn a_trace_says_that_the_list_decided() {
    let environment = environment(segment(Some(0), vec![rule("nothing", Operator::IsNotSet)]));
    let trace = |name: &str| {
        let lists = Lists(name);
        let identity = Identity {
            memberships: Some(&lists),
            ..Identity::new(name, &[])
        };
        let trace = environment.explain_segment(0, Some(&identity)).unwrap();
        (trace.matched, trace.list, trace.rules.len())
    };
    assert_eq!(trace("ann"), (true, Some("included"), 0));
    assert_eq!(trace("bob"), (false, Some("excluded"), 0));
    assert_eq!(trace("eve"), (true, None, 1));
}
