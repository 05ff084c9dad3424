//! What must hold of every context, sensible or hostile.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

use burgee_engine::context::Context;
use burgee_engine::{
    Definition, Environment, FeatureDefinition, Identity, StateDefinition, VariantDefinition,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const PROPERTIES: &[&str] = &[
    "plan",
    "age",
    "email",
    "",
    "$.identity.identifier",
    "$.identity.key",
    "$.environment.name",
    "$.identity.traits.plan",
    "$.identity.traits[?@ > 3]",
    "$..enabled",
    "$.flags.f0.enabled",
    "$.flags.f1.value",
    "$.flags['f2'].variant",
    "$.flags.f3.value",
    "$.nonsense[",
    "$.identity",
    "$.features.f1.value",
];

const OPERATORS: &[&str] = &[
    "EQUAL",
    "NOT_EQUAL",
    "GREATER_THAN",
    "GREATER_THAN_INCLUSIVE",
    "LESS_THAN",
    "LESS_THAN_INCLUSIVE",
    "CONTAINS",
    "NOT_CONTAINS",
    "REGEX",
    "PERCENTAGE_SPLIT",
    "MODULO",
    "IS_SET",
    "IS_NOT_SET",
    "IN",
    "NEWER_THAN_US",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..30_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(
            &[
                "a",
                "premium",
                "007",
                "1.50",
                "1.2.3",
                "99999999999999999999",
                "user-1",
                "2|1",
                "true",
                ""
            ][..]
        )
        .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ]
}

fn condition_value() -> impl Strategy<Value = Value> {
    let text = select(
        &[
            "50",
            "0",
            "100",
            "a,b,premium",
            r#"["a", 7, true]"#,
            "3|1",
            "0|0",
            "1.2.3:semver",
            "^(a|b)+$",
            "(",
            "(?=p)",
            "on",
        ][..],
    );
    prop_oneof![
        3 => text.prop_map(Value::from),
        2 => scalar(),
        1 => prop::collection::vec(scalar(), 0..4).prop_map(Value::from),
        1 => r"[a-c.*+?()|\\\[\]^$0-9{},:=!<>P-]{0,10}".prop_map(Value::from),
    ]
}

fn rule() -> impl Strategy<Value = Value> {
    let condition = (select(PROPERTIES), select(OPERATORS), condition_value()).prop_map(
        |(property, operator, value)| json!({"property": property, "operator": operator, "value": value}),
    );
    let kind = || select(&["ALL", "ANY", "NONE"][..]);
    let conditions = prop::collection::vec(condition, 0..4);
    let leaf =
        (kind(), conditions).prop_map(|(kind, conditions)| json!({"type": kind, "conditions": conditions}));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..3)).prop_map(|(mut rule, rules)| {
            rule["rules"] = rules.into();
            rule
        })
    })
}

fn feature(names: std::ops::Range<usize>) -> impl Strategy<Value = Value> {
    let variant = (prop::option::of("[ab]"), scalar(), 0..60_i64, 0..4_i64).prop_map(|(key, value, weight, priority)| {
        json!({"key": key, "value": value, "weight": weight, "priority": priority})
    });
    let variants = prop::collection::vec(variant, 0..3);
    (
        names,
        any::<bool>(),
        scalar(),
        variants,
        prop::option::of(-2..3_i64),
    )
        .prop_map(|(name, enabled, value, variants, priority)| {
            let mut feature = json!({
                "key": name.to_string(), "name": format!("f{name}"), "enabled": enabled, "value": value,
                "variants": variants,
            });
            if let Some(priority) = priority {
                feature["priority"] = priority.into();
            }
            feature
        })
}

fn context() -> impl Strategy<Value = Value> {
    let segment = (
        prop::collection::vec(rule(), 0..3),
        prop::collection::vec(feature(0..6), 0..4),
    );
    let traits = prop::collection::hash_map(select(PROPERTIES), scalar(), 0..5);
    let identity = prop::option::of(("(user-[0-9]|007|.{0,6})", prop::option::of("[a-z]{0,3}"), traits));
    (identity, prop::collection::vec(feature(0..1), 5), prop::collection::vec(segment, 0..6)).prop_map(
        |(identity, features, segments)| {
            let identity = identity.map(|(identifier, key, traits)| {
                json!({"identifier": identifier, "key": key, "traits": traits})
            });
            let mut context = json!({
                "environment": {"key": "k", "name": "premium"}, "identity": identity, "features": {}, "segments": {},
            });
            for (index, mut feature) in features.into_iter().enumerate() {
                let name = format!("f{index}");
                feature["name"] = name.as_str().into();
                context["features"][name] = feature;
            }
            for (index, (rules, overrides)) in segments.into_iter().enumerate() {
                context["segments"][index.to_string()] = json!({
                    "key": index.to_string(), "name": format!("s{index}"), "rules": rules, "overrides": overrides,
                });
            }
            context
        },
    )
}

/// Evaluates in every way there is; the ways must agree.
fn check(context: &Context) -> Result<(), TestCaseError> {
    let result = context.evaluate();
    let written = serde_json::to_string(&result).unwrap();
    prop_assert_eq!(
        &written,
        &serde_json::to_string(&context.evaluate()).unwrap(),
        "not deterministic"
    );
    let explanation = context.explain();
    let matched: Vec<usize> = explanation
        .segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| segment.matched)
        .map(|(index, _)| index)
        .collect();
    prop_assert_eq!(result.segments(), &matched, "the trace tells of other segments");
    context.with_identity(|identity| {
        let environment = context.environment();
        prop_assert_eq!(environment.matching_segments(identity), matched);
        let all = environment.evaluate(identity);
        for (index, outcome) in all.iter().enumerate() {
            let one = environment.evaluate_feature(index, identity).unwrap();
            prop_assert_eq!(one.reason(), outcome.reason());
            prop_assert_eq!(one.winner(), outcome.winner());
            prop_assert_eq!(one.choice(), outcome.choice());
            for traced in [
                &explanation.flags[index],
                &environment.explain_feature(index, identity).unwrap().flags[0],
            ] {
                prop_assert_eq!(traced.enabled, outcome.enabled());
                prop_assert_eq!(&traced.value, outcome.value());
                prop_assert_eq!(&traced.reason, &outcome.reason().to_string());
                prop_assert_eq!(traced.variant.as_deref(), outcome.variant());
                prop_assert_eq!(traced.candidates.iter().filter(|one| one.won).count(), 1);
                // Nothing that matched stands before the winner, unless a circle is cut.
                let winner = traced.candidates.iter().position(|one| one.won).unwrap();
                let stronger = traced.candidates[..winner]
                    .iter()
                    .filter(|one| one.matched)
                    .count();
                prop_assert_eq!(stronger, 0, "{:?}", traced.candidates);
            }
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500),
        // What was found is fixed and told in `semantics.rs`; nothing is written into the source tree.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_way_to_evaluate_a_context_gives_the_same(context in context()) {
        check(&Context::from_value(context).unwrap())?;
    }

    #[test]
    fn no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = str::from_utf8(&bytes)
            && let Ok(context) = Context::from_json(text)
        {
            check(&context)?;
        }
    }

    #[test]
    fn no_damaged_context_panics(context in context(), at in any::<prop::sample::Index>(), damage in ".{0,4}", cut in 0..12_usize) {
        let text: Vec<char> = context.to_string().chars().collect();
        let at = at.index(text.len());
        let rest = text.get(at + cut..).unwrap_or_default();
        let damaged: String = text[..at].iter().chain(&damage.chars().collect::<Vec<_>>()).chain(rest).collect();
        match Context::from_json(&damaged) {
            Ok(context) => check(&context)?,
            Err(error) => prop_assert!(!error.path.is_empty() && !error.message.is_empty()),
        }
    }

    #[test]
    fn no_pattern_panics_or_hangs(pattern in r"[ab.*+?()|\\\[\]^$0-9{},:=!<>Pixs#-]{0,24}", text in "[ab01\n ]{0,40}") {
        let started = std::time::Instant::now();
        let context = json!({
            "environment": {"key": "k", "name": "n"}, "identity": {"identifier": "i", "traits": {"t": text}},
            "segments": {"1": {"key": "1", "name": "s", "rules": [
                {"type": "ALL", "conditions": [{"property": "t", "operator": "REGEX", "value": pattern}]},
            ]}},
        });
        check(&Context::from_value(context).unwrap())?;
        prop_assert!(started.elapsed().as_secs() < 2, "{:?} took {:?}", pattern, started.elapsed());
    }
}

#[test]
fn identities_spread_evenly_over_variants() {
    const IDENTITIES: u32 = 20_000;
    let weights = [10.0, 25.0, 5.0, 40.0];
    let variants = (0..).zip(weights).map(|(index, weight)| VariantDefinition {
        key: Some(index.to_string()),
        weight: weight.into(),
        priority: f64::from(index),
        ..Default::default()
    });
    let state = StateDefinition {
        hash_key: "4711".to_owned(),
        variants: variants.collect(),
        ..Default::default()
    };
    let features = vec![FeatureDefinition {
        name: "f".to_owned(),
        state,
    }];
    let environment = Environment::compile(Definition {
        features,
        ..Default::default()
    });
    let mut counts = [0_u32; 5];
    for number in 0..IDENTITIES {
        let identifier = format!("user-{number}");
        let outcome = environment
            .evaluate_feature(0, Some(&Identity::new(&identifier, &[])))
            .unwrap();
        counts[outcome.variant().unwrap().parse().unwrap_or(4)] += 1;
    }
    for (count, weight) in counts.into_iter().zip(weights.into_iter().chain([20.0])) {
        let expected = f64::from(IDENTITIES) * weight / 100.0;
        // Four standard deviations: one run of a thousand fair ones in ten would stray as far.
        let deviation = 4.0 * (expected * (1.0 - weight / 100.0)).sqrt();
        assert!(
            (f64::from(count) - expected).abs() < deviation,
            "{count} of {expected} at {weight} %"
        );
    }
}

/// The deepest recursion there can be: a chain of flags, each behind rules nested to the limit.
#[test]
fn the_deepest_evaluation_fits_a_small_stack() {
    let mut context = json!({"environment": {"key": "k", "name": "n"}, "features": {}, "segments": {}});
    for index in 0..200 {
        let condition = json!({"property": format!("$.flags.f{}.enabled", index + 1), "operator": "EQUAL", "value": "true"});
        let rules = (1..burgee_engine::MAX_RULE_DEPTH).fold(
            json!([{"type": "ALL", "conditions": [condition]}]),
            |rules, _| json!([{"type": "ALL", "rules": rules}]),
        );
        let name = format!("f{index}");
        let feature = json!({"key": "1", "name": name, "enabled": true, "value": 1});
        context["segments"][index.to_string()] =
            json!({"key": "1", "name": "s", "rules": rules, "overrides": [feature.clone()]});
        context["features"][name] = feature;
    }
    let context = Context::from_value(context).unwrap();
    let evaluate = move || context.evaluate().evaluation().len();
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(evaluate)
        .unwrap();
    assert_eq!(thread.join().unwrap(), 200);
}
