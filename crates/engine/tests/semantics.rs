//! The corners of the semantics that the published cases leave open.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

use std::collections::HashMap;

use burgee_engine::context::Context;
use burgee_engine::trace::CandidateSource;
use burgee_engine::{
    ConditionDefinition, ConditionValue, ContextValue, Definition, Environment, FeatureDefinition, Identity,
    OverrideDefinition, Reason, RuleDefinition, SegmentDefinition, StateDefinition, VariantChoice,
    VariantDefinition, Winner,
};
use burgee_model::TraitValue;
use burgee_model::segments::{Operator, RuleType};
use serde_json::{Value, json};

fn condition(property: &str, operator: Operator, value: &str) -> ConditionDefinition {
    ConditionDefinition {
        property: property.to_owned(),
        operator: Some(operator),
        value: ConditionValue::Text(value.to_owned()),
    }
}

fn rule(kind: RuleType, conditions: Vec<ConditionDefinition>, rules: Vec<RuleDefinition>) -> RuleDefinition {
    RuleDefinition {
        kind,
        conditions,
        rules,
    }
}

fn segment(rules: Vec<RuleDefinition>) -> SegmentDefinition {
    SegmentDefinition {
        key: "7".to_owned(),
        name: "segment".to_owned(),
        rules,
        ..Default::default()
    }
}

fn state(reference: i64) -> StateDefinition {
    StateDefinition {
        reference,
        hash_key: "12".to_owned(),
        value: reference.into(),
        ..Default::default()
    }
}

fn feature(name: &str, reference: i64) -> FeatureDefinition {
    FeatureDefinition {
        name: name.to_owned(),
        state: state(reference),
    }
}

fn everybody() -> Vec<RuleDefinition> {
    vec![rule(RuleType::All, Vec::new(), Vec::new())]
}

fn is_in(rules: Vec<RuleDefinition>, identity: Option<&Identity<'_>>) -> bool {
    Environment::compile(Definition {
        segments: vec![segment(rules)],
        ..Default::default()
    })
    .matches(0, identity)
}

/// Whether one condition on the trait `t` holds.
fn holds(value: ContextValue<'_>, operator: Operator, expected: &str) -> bool {
    let rules = vec![rule(
        RuleType::All,
        vec![condition("t", operator, expected)],
        Vec::new(),
    )];
    is_in(rules, Some(&Identity::new("i", &[("t", value)])))
}

#[test]
fn the_samples_of_the_contract_hold() {
    use ContextValue::{Bool, Float, Int, Text};
    for (value, operator, expected, holds_) in [
        (Int(1), Operator::Equal, "01", true),
        (Text("01"), Operator::Equal, "1", true),
        (Text("1"), Operator::Equal, "1.0", false),
        (Float(1.0), Operator::Equal, "1", true),
        (Bool(true), Operator::Equal, "yes", true),
        (Bool(false), Operator::Equal, "0", false),
        (Text("b"), Operator::GreaterThan, "a", true),
        (Text("10"), Operator::GreaterThan, "9", true),
        (Int(5), Operator::NotEqual, "x", false),
        (Float(1.5), Operator::NotEqual, "nan", true),
        (Int(10), Operator::Equal, "1_0", true),
        (Text("+1"), Operator::Equal, "1", false),
        (Text(""), Operator::In, "", true),
        (Text(""), Operator::In, "[]", false),
        (Text("a"), Operator::Contains, "", true),
        (Text("True"), Operator::In, r#"["a",true]"#, true),
        (Bool(true), Operator::In, r#"["a",true]"#, false),
        (Text("123"), Operator::Contains, "2", false),
        (Text("123"), Operator::NotContains, "9", false),
        (Text("abc"), Operator::NotContains, "9", true),
        (Text("a"), Operator::Regex, "[", false),
        (Int(5), Operator::Modulo, "0|0", false),
        (Int(-1), Operator::Modulo, "3|2", true),
        (Text("01"), Operator::In, "1", true),
        (Text("1.0"), Operator::In, "1.0", false),
        (ContextValue::Null, Operator::IsNotSet, "", true),
        (ContextValue::Null, Operator::NotEqual, "a", false),
        (ContextValue::Composite("[1]"), Operator::IsSet, "", true),
        (ContextValue::Composite("[1]"), Operator::Equal, "[1]", true),
    ] {
        assert_eq!(
            holds(value, operator, expected),
            holds_,
            "{value:?} {operator} {expected:?}"
        );
    }
}

#[test]
fn empty_lists_count_as_true_and_a_segment_without_rules_matches_nobody() {
    let never = || condition("t", Operator::IsSet, "");
    for kind in [RuleType::All, RuleType::Any, RuleType::None] {
        assert!(is_in(vec![rule(kind, Vec::new(), Vec::new())], None), "{kind:?}");
    }
    assert!(!is_in(Vec::new(), None));
    assert!(is_in(vec![rule(RuleType::None, vec![never()], Vec::new())], None));
    assert!(
        !is_in(vec![rule(RuleType::None, vec![never()], everybody())], None),
        "sub-rules take the same type"
    );
    assert!(
        !is_in(vec![rule(RuleType::Any, vec![never()], everybody())], None),
        "both halves must hold"
    );
}

#[test]
fn of_two_overrides_the_lower_priority_wins_and_on_a_tie_the_first_segment() {
    let with = |priorities: [f64; 3]| {
        let segments = (0..).zip(priorities).map(|(index, priority)| SegmentDefinition {
            overrides: vec![OverrideDefinition {
                feature: 0,
                state: state(index),
                priority,
            }],
            ..segment(everybody())
        });
        let environment = Environment::compile(Definition {
            features: vec![feature("f", -1)],
            segments: segments.collect(),
            ..Default::default()
        });
        let outcome = environment.evaluate(None).get(0).unwrap();
        assert_eq!(
            outcome.winner(),
            Winner::Segment {
                segment: outcome.reference() as usize,
                position: 0
            }
        );
        outcome.reference()
    };
    assert_eq!(with([2.0, 1.0, 3.0]), 1);
    assert_eq!(with([2.0, 1.0, 1.0]), 1);
    assert_eq!(with([f64::INFINITY; 3]), 0);
    assert_eq!(with([f64::INFINITY, f64::NEG_INFINITY, 0.0]), 1);
}

#[test]
fn overrides_of_identities_win_and_their_identifiers_are_texts() {
    let identifiers = ["007", "1.50", "12.5", "42", "alice"];
    let environment = Environment::compile(Definition {
        features: vec![feature("f", -1), feature("g", -2)],
        segments: vec![SegmentDefinition {
            overrides: vec![OverrideDefinition {
                feature: 0,
                state: state(100),
                priority: f64::NEG_INFINITY,
            }],
            ..segment(everybody())
        }],
        identity_overrides: (0..)
            .zip(identifiers)
            .map(|(reference, identifier)| {
                let own = OverrideDefinition {
                    feature: 0,
                    state: state(reference),
                    priority: 0.0,
                };
                (identifier.to_owned(), vec![own])
            })
            .collect(),
        ..Default::default()
    });
    for (reference, identifier) in (0..).zip(identifiers) {
        let identity = Identity::new(identifier, &[]);
        let outcome = environment.evaluate(Some(&identity)).get(0).unwrap();
        assert_eq!(
            (outcome.reference(), outcome.winner()),
            (reference, Winner::Identity),
            "{identifier}"
        );
        assert_eq!(
            outcome.reason().to_string(),
            "TARGETING_MATCH; segment=identity_overrides"
        );
        assert_eq!(
            environment
                .evaluate_feature(0, Some(&identity))
                .unwrap()
                .reference(),
            reference
        );
        assert!(environment.has_identity_overrides(identifier));
    }
    for identifier in ["7", "1.5", "12.50", "042"] {
        let identity = Identity::new(identifier, &[]);
        assert_eq!(
            environment.evaluate(Some(&identity)).get(0).unwrap().reference(),
            100,
            "{identifier}"
        );
    }
    assert_eq!(environment.defaults().get(0).unwrap().reference(), -1);

    let explanation = environment
        .explain_feature(0, Some(&Identity::new("007", &[])))
        .unwrap();
    let sources: Vec<_> = explanation.flags[0]
        .candidates
        .iter()
        .map(|one| (one.source, one.won))
        .collect();
    assert_eq!(
        sources,
        [
            (CandidateSource::Identity, true),
            (CandidateSource::Segment, false),
            (CandidateSource::Environment, false),
        ]
    );
}

#[test]
fn in_local_contexts_the_identifier_is_coerced_as_in_the_reference_implementation() {
    for (identifier, expected) in [("42", true), ("007", false), ("1.50", false), ("alice", true)] {
        let list = json!(["42", "007", "1.50", "alice"]);
        let context = Context::from_value(json!({
            "environment": {"key": "k", "name": "n"},
            "identity": {"identifier": identifier},
            "segments": {"1": {"key": "", "name": "identity_overrides", "rules": [{"type": "ALL", "conditions": [
                {"property": "$.identity.identifier", "operator": "IN", "value": list},
            ]}]}},
        }));
        assert_eq!(
            !context.unwrap().evaluate().segments().is_empty(),
            expected,
            "{identifier}"
        );
    }
}

#[test]
fn variants_follow_their_priority_and_tell_control_from_keyless() {
    let variant = |key: Option<&str>, weight: f64, priority: f64| VariantDefinition {
        key: key.map(str::to_owned),
        value: priority.into(),
        weight: weight.into(),
        priority,
    };
    let evaluate = |variants: Vec<VariantDefinition>, key: &str| {
        let state = StateDefinition { variants, ..state(1) };
        let feature = FeatureDefinition {
            name: "f".to_owned(),
            state,
        };
        let environment = Environment::compile(Definition {
            features: vec![feature],
            ..Default::default()
        });
        let identity = Identity {
            key: Some(key),
            ..Identity::new("i", &[])
        };
        let outcome = environment.evaluate(Some(&identity)).get(0).unwrap();
        let nobody = environment.evaluate(None).get(0).unwrap();
        assert_eq!(
            (nobody.choice(), nobody.value()),
            (VariantChoice::None, &json!(1))
        );
        (
            outcome.variant().map(str::to_owned),
            outcome.value().clone(),
            outcome.reason().to_string(),
        )
    };
    // 12,93 falls at 27.66 %, 12,18753 at 53.89 % after a repeat.
    let two = || vec![variant(Some("b"), 30.0, 2.0), variant(Some("a"), 25.0, 1.0)];
    assert_eq!(
        evaluate(two(), "93"),
        (Some("b".into()), json!(2.0), "SPLIT; weight=30.0".into())
    );
    assert_eq!(
        evaluate(two(), "18753"),
        (Some("b".into()), json!(2.0), "SPLIT; weight=30.0".into())
    );
    assert_eq!(
        evaluate(two(), "19707"),
        (Some("control".into()), json!(1), "DEFAULT".into())
    );
    assert_eq!(
        evaluate(vec![variant(None, 100.0, 1.0)], "93"),
        (None, json!(1.0), "SPLIT; weight=100.0".into())
    );
}

#[test]
fn a_trait_bearing_the_name_of_a_path_wins_over_the_path() {
    let rules = || {
        vec![rule(
            RuleType::All,
            vec![condition("$.identity.identifier", Operator::Equal, "x")],
            Vec::new(),
        )]
    };
    assert!(is_in(rules(), Some(&Identity::new("x", &[]))));
    assert!(is_in(
        rules(),
        Some(&Identity::new("i", &[("$.identity.identifier", "x".into())]))
    ));
    assert!(!is_in(
        rules(),
        Some(&Identity::new("x", &[("$.identity.identifier", "y".into())]))
    ));
    assert!(!is_in(rules(), None));
}

#[test]
fn later_traits_replace_earlier_ones_and_null_removes() {
    let rules = || {
        vec![rule(
            RuleType::All,
            vec![condition("t", Operator::Equal, "new")],
            Vec::new(),
        )]
    };
    let (old, new) = (TraitValue::from("old"), TraitValue::from("new"));
    let identity = |traits: &[(&str, ContextValue<'_>)]| is_in(rules(), Some(&Identity::new("i", traits)));
    assert!(identity(&[("t", (&old).into()), ("t", (&new).into())]));
    assert!(!identity(&[("t", (&new).into()), ("t", (&old).into())]));
    assert!(!identity(&[("t", (&new).into()), ("t", ContextValue::Null)]));
}

#[test]
fn splits_hash_the_segment_key_and_the_identity_key_or_the_property() {
    let rules = |property: &str, threshold: &str| {
        vec![rule(
            RuleType::All,
            vec![condition(property, Operator::PercentageSplit, threshold)],
            Vec::new(),
        )]
    };
    let definition = |rules| SegmentDefinition {
        key: "12".to_owned(),
        ..segment(rules)
    };
    let is_in = |rules, identity: Option<&Identity<'_>>| {
        Environment::compile(Definition {
            segments: vec![definition(rules)],
            ..Default::default()
        })
        .matches(0, identity)
    };
    let traits = [("t", "0093".into())];
    let identity = Identity {
        key: Some("93"),
        ..Identity::new("i", &traits)
    };
    for property in ["", "$.identity.key", "t"] {
        assert!(
            is_in(rules(property, "27.655531106221243"), Some(&identity)),
            "{property:?}"
        );
        assert!(
            !is_in(rules(property, "27.65553110622124"), Some(&identity)),
            "{property:?}"
        );
        assert!(!is_in(rules(property, "100"), None), "{property:?}");
    }
    assert!(!is_in(rules("", "ten"), Some(&identity)));
}

#[test]
fn too_deeply_nested_rules_never_match_and_are_refused_in_contexts() {
    let nest = |depth| {
        (1..depth).fold(everybody().remove(0), |inner, _| {
            rule(RuleType::All, Vec::new(), vec![inner])
        })
    };
    assert!(is_in(vec![nest(burgee_engine::MAX_RULE_DEPTH)], None));
    assert!(!is_in(vec![nest(burgee_engine::MAX_RULE_DEPTH + 1)], None));
    let deep = |depth: usize| {
        let rules = (0..depth).fold(json!([]), |rules, _| json!([{"type": "ALL", "rules": rules}]));
        Context::from_value(json!({
            "environment": {"key": "k", "name": "n"}, "segments": {"1": {"key": "1", "name": "s", "rules": rules}},
        }))
    };
    assert!(deep(burgee_engine::MAX_RULE_DEPTH).is_ok());
    let error = deep(burgee_engine::MAX_RULE_DEPTH + 1).unwrap_err();
    assert!(
        error.path.starts_with("segments.1.rules[0].rules[0]") && error.message.contains("nested"),
        "{error}"
    );
}

#[test]
fn errors_name_the_field() {
    for (context, path) in [
        (json!({}), "."),
        (json!({"environment": {"key": 1, "name": "n"}}), "environment.key"),
        (
            json!({"environment": {"key": "k", "name": "n"}, "features": {"f": {"name": "f", "enabled": "yes"}}}),
            "features.f.enabled",
        ),
        (
            json!({"environment": {"key": "k", "name": "n"}, "segments": {"7": {"key": "7", "name": "s", "rules": [{"type": "SOME"}]}}}),
            "segments.7.rules[0].type",
        ),
        (
            json!({"environment": {"key": "k", "name": "n"}, "segments": {"7": {"key": "7", "name": "s", "rules": [
                {"type": "ALL", "conditions": [{"property": "p", "operator": "EQUAL", "value": {}}]},
            ]}}}),
            "segments.7.rules[0].conditions[0].value",
        ),
    ] {
        assert_eq!(
            Context::from_value(context.clone()).unwrap_err().path,
            path,
            "{context}"
        );
    }
    assert_eq!(Context::from_json("{").unwrap_err().path, ".");
}

/// A context of flags each of which is overridden, to the text `on`, where a condition on another flag holds.
fn dependent(conditions: &[(&str, &str)]) -> Context {
    let features: serde_json::Map<String, Value> = conditions
        .iter()
        .map(|(name, _)| {
            (
                (*name).to_owned(),
                json!({"key": name, "name": name, "enabled": true, "value": "off"}),
            )
        })
        .collect();
    let segments: serde_json::Map<String, Value> = conditions
        .iter()
        .enumerate()
        .map(|(index, (name, property))| {
            let segment = json!({
                "key": index.to_string(), "name": format!("s{index}"),
                "rules": [{"type": "ALL", "conditions": [{"property": property, "operator": "EQUAL", "value": "on"}]}],
                "overrides": [{"key": "9", "name": name, "enabled": true, "value": "on"}],
            });
            (index.to_string(), segment)
        })
        .collect();
    Context::from_value(json!({
        "environment": {"key": "k", "name": "on"}, "features": features, "segments": segments,
    }))
    .unwrap()
}

fn values(context: &Context) -> HashMap<String, (String, bool)> {
    let result = context.evaluate();
    let flags = result.evaluation().iter().map(|outcome| {
        let value = outcome.value().as_str().unwrap().to_owned();
        (
            outcome.name().to_owned(),
            (value, outcome.reason() == Reason::CircularDependency),
        )
    });
    flags.collect()
}

#[test]
fn flags_may_depend_on_flags_in_any_order() {
    let context = dependent(&[
        ("a", "$.flags.b.value"),
        ("b", "$.flags['c'].value"),
        ("c", "$.environment.name"),
    ]);
    let values = values(&context);
    for name in ["a", "b", "c"] {
        assert_eq!(values[name], ("on".to_owned(), false), "{name}");
    }
    assert_eq!(context.evaluate().segments(), [0, 1, 2]);
}

#[test]
fn a_circle_of_flags_leaves_its_flags_at_their_defaults() {
    let context = dependent(&[
        ("a", "$.flags.b.value"),
        ("b", "$.flags.a.value"),
        ("outside", "$.flags.a.value"),
        ("free", "$.environment.name"),
        ("itself", "$.flags.itself.value"),
    ]);
    let values = values(&context);
    assert_eq!(values["a"], ("off".to_owned(), true));
    assert_eq!(values["b"], ("off".to_owned(), true));
    assert_eq!(values["outside"], ("off".to_owned(), false));
    assert_eq!(values["free"], ("on".to_owned(), false));
    assert_eq!(values["itself"], ("off".to_owned(), true));
    assert_eq!(context.evaluate().segments(), [3]);
    let explanation = context.explain();
    assert!(explanation.segments[0].circular && !explanation.segments[3].circular);
}

#[test]
fn long_chains_and_cliques_of_flags_end_soon() {
    let names: Vec<String> = (0..2_000).map(|n| format!("f{n}")).collect();
    let paths: Vec<String> = (0..2_000).map(|n| format!("$.flags.f{}.value", n + 1)).collect();
    let chain: Vec<_> = names
        .iter()
        .map(String::as_str)
        .zip(paths.iter().map(String::as_str))
        .collect();
    assert_eq!(values(&dependent(&chain)).len(), 2_000);

    let clique: Vec<_> = (0..40).flat_map(|n| (0..40).map(move |m| (n, m))).collect();
    let clique: Vec<_> = clique
        .iter()
        .map(|(n, m)| (names[*n].as_str(), paths[*m].as_str()))
        .collect();
    assert!(
        values(&dependent(&clique))
            .values()
            .any(|(_, is_circular)| *is_circular)
    );
}

#[test]
fn a_trace_tells_property_operator_and_both_sides() {
    let environment = Environment::compile(Definition {
        segments: vec![SegmentDefinition {
            key: "12".to_owned(),
            ..segment(vec![rule(
                RuleType::All,
                vec![
                    condition("age", Operator::GreaterThan, "17"),
                    condition("", Operator::PercentageSplit, "10"),
                    condition("plan", Operator::Equal, "x"),
                ],
                Vec::new(),
            )])
        }],
        ..Default::default()
    });
    let identity = Identity {
        key: Some("93"),
        ..Identity::new("i", &[("age", ContextValue::Text("018"))])
    };
    let trace = serde_json::to_value(environment.explain_segment(0, Some(&identity)).unwrap()).unwrap();
    assert_eq!(
        trace,
        json!({
            "key": "12", "name": "segment", "matched": false,
            "rules": [{"type": "ALL", "matched": false, "skipped": 1, "conditions": [
                {"property": "age", "operator": "GREATER_THAN", "expected": "17", "actual": 18, "matched": true},
                {"property": "", "operator": "PERCENTAGE_SPLIT", "expected": "10.0", "actual": "93", "matched": false,
                 "decided": true, "bucket": 27.655_531_106_221_243, "threshold": 10.0},
            ]}],
        })
    );
}
