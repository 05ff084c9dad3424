//! Explanations agree with evaluation over everything a server compiles: overrides of segments and of identities, lists
//! of members, splits. Contexts as SDKs write them, which have no lists, are held to the same in `properties.rs`.

use std::collections::HashMap;

use burgee_engine::trace::{CandidateSource, RuleTrace};
use burgee_engine::{
    ConditionDefinition, ConditionValue, ContextValue, Definition, Environment, FeatureDefinition, Identity,
    Membership, Memberships, OverrideDefinition, RuleDefinition, SegmentDefinition, StateDefinition,
    VariantDefinition, Winner,
};
use burgee_model::segments::{Operator, RuleType};
use proptest::prelude::*;
use proptest::sample::select;

const FEATURES: usize = 4;
const LISTS: usize = 2;
const IDENTIFIERS: &[&str] = &["ann", "bob", "007", "7", ""];

fn state() -> impl Strategy<Value = StateDefinition> {
    let variant = (prop::option::of("[ab]"), 0..60_u32, 0..3_u32).prop_map(|(key, weight, priority)| {
        VariantDefinition {
            value: key.clone().into(),
            key,
            weight: f64::from(weight).into(),
            priority: f64::from(priority),
        }
    });
    (
        0..1000_i64,
        any::<bool>(),
        0..5_i64,
        prop::collection::vec(variant, 0..3),
    )
        .prop_map(|(reference, enabled, value, variants)| StateDefinition {
            reference,
            hash_key: reference.to_string(),
            enabled,
            value: value.into(),
            variants,
            metadata: None,
        })
}

fn overrides() -> impl Strategy<Value = Vec<OverrideDefinition>> {
    let one = (0..FEATURES, state(), 0..4_u32).prop_map(|(feature, state, priority)| OverrideDefinition {
        feature,
        state,
        priority: f64::from(priority),
    });
    prop::collection::vec(one, 0..3)
}

fn rule() -> impl Strategy<Value = RuleDefinition> {
    let condition = (
        select(
            &[
                "plan",
                "age",
                "",
                "$.lists.l1",
                "$.identity.identifier",
                "$.flags.f1.enabled",
            ][..],
        ),
        select(
            &[
                Operator::Equal,
                Operator::In,
                Operator::IsSet,
                Operator::PercentageSplit,
                Operator::GreaterThan,
            ][..],
        ),
        select(&["pro", "30", "ann,bob", "true", "nonsense"][..]),
    )
        .prop_map(|(property, operator, value)| ConditionDefinition {
            property: property.to_owned(),
            operator: Some(operator),
            value: ConditionValue::Text(value.to_owned()),
        });
    let kind = select(&[RuleType::All, RuleType::Any, RuleType::None][..]);
    let leaf = (kind.clone(), prop::collection::vec(condition, 0..4)).prop_map(|(kind, conditions)| {
        RuleDefinition {
            kind,
            conditions,
            rules: Vec::new(),
        }
    });
    (leaf.clone(), prop::collection::vec(leaf, 0..3)).prop_map(|(mut rule, rules)| {
        rule.rules = rules;
        rule
    })
}

fn definition() -> impl Strategy<Value = Definition> {
    let segment = (
        prop::option::of(0..LISTS),
        prop::collection::vec(rule(), 0..3),
        overrides(),
    );
    (
        prop::collection::vec(state(), FEATURES),
        prop::collection::vec(segment, 0..6),
        prop::collection::hash_map(select(IDENTIFIERS).prop_map(str::to_owned), overrides(), 0..3),
    )
        .prop_map(|(states, segments, identity_overrides)| Definition {
            environment_key: "k".to_owned(),
            features: (0..)
                .zip(states)
                .map(|(index, state)| FeatureDefinition {
                    name: format!("f{index}"),
                    state,
                })
                .collect(),
            segments: (0..)
                .zip(segments)
                .map(|(index, (list, rules, overrides))| SegmentDefinition {
                    key: index.to_string(),
                    name: format!("s{index}"),
                    list,
                    rules,
                    overrides,
                    metadata: None,
                })
                .collect(),
            lists: (0..LISTS).map(|index| format!("l{index}")).collect(),
            identity_overrides,
            ..Default::default()
        })
}

#[derive(Debug)]
struct Lists(Vec<Membership>);

impl Memberships for Lists {
    fn membership(&self, list: usize) -> Membership {
        self.0[list]
    }
}

fn memberships() -> impl Strategy<Value = Lists> {
    let one = select(&[Membership::Included, Membership::Excluded, Membership::Unlisted][..]);
    prop::collection::vec(one, LISTS).prop_map(Lists)
}

/// A condition that is said to have settled its rule did: whatever the others of the rule said, the rule's own conditions
/// came out as it has them.
fn check_rule(rule: &RuleTrace) -> Result<(), TestCaseError> {
    let deciding: Vec<usize> = (0..rule.conditions.len())
        .filter(|index| rule.conditions[*index].decided)
        .collect();
    prop_assert!(deciding.len() <= 1, "more than one decided: {rule:?}");
    if let Some(at) = deciding.first() {
        prop_assert_eq!(
            at + 1,
            rule.conditions.len(),
            "looked on after the matter was settled"
        );
        if rule.kind != RuleType::Any {
            prop_assert!(!rule.matched);
        }
    }
    rule.rules.iter().try_for_each(check_rule)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_explanation_tells_what_evaluation_answers(
        definition in definition(),
        lists in memberships(),
        identifier in select(IDENTIFIERS),
        traits in prop::collection::hash_map(select(&["plan", "age"][..]), select(&["pro", "30", "31"][..]), 0..3),
        ignores_overrides in any::<bool>(),
    ) {
        let environment = Environment::compile(definition);
        let traits: Vec<(&str, ContextValue<'_>)> =
            traits.iter().map(|(key, value)| (*key, ContextValue::Text(value))).collect();
        let identity = Identity { memberships: Some(&lists), ignores_overrides, ..Identity::new(identifier, &traits) };
        let explanation = environment.explain(Some(&identity));
        let matched: Vec<usize> =
            explanation.segments.iter().filter(|segment| segment.matched).map(|segment| segment.index).collect();
        prop_assert_eq!(environment.matching_segments(Some(&identity)), matched);
        for segment in &explanation.segments {
            segment.rules.iter().try_for_each(check_rule)?;
        }
        let segments: HashMap<usize, bool> =
            explanation.segments.iter().map(|segment| (segment.index, segment.matched)).collect();
        for (outcome, whole) in environment.evaluate(Some(&identity)).iter().zip(&explanation.flags) {
            let alone = environment.explain_feature(outcome.feature(), Some(&identity)).unwrap();
            for traced in [whole, &alone.flags[0]] {
                prop_assert_eq!(traced.feature, outcome.feature());
                prop_assert_eq!(traced.enabled, outcome.enabled());
                prop_assert_eq!(&traced.value, outcome.value());
                prop_assert_eq!(traced.variant.as_deref(), outcome.variant());
                prop_assert_eq!(&traced.reason, &outcome.reason().to_string());
                let winner = traced.candidates.iter().find(|one| one.won).unwrap();
                prop_assert_eq!(winner.reference, outcome.reference());
                prop_assert_eq!(winner.source, match outcome.winner() {
                    Winner::Default => CandidateSource::Environment,
                    Winner::Segment { .. } => CandidateSource::Segment,
                    Winner::Identity => CandidateSource::Identity,
                });
                for candidate in &traced.candidates {
                    if let Some(segment) = candidate.segment_index {
                        prop_assert_eq!(candidate.matched, segments[&segment]);
                    }
                }
                match &traced.split {
                    None => prop_assert_eq!(&winner.value, outcome.value()),
                    Some(split) => {
                        let chosen = split.shares.iter().find(|share| share.chosen);
                        let served = chosen.map_or(&winner.value, |share| &share.value);
                        prop_assert_eq!(served, outcome.value());
                        if let Some(share) = chosen {
                            prop_assert!(share.start <= split.bucket && split.bucket < share.end);
                        }
                    }
                }
            }
        }
    }
}
