//! Evaluation of all flags of one identity: Burgee's engine beside the published Rust engine, in one run.
//!
//! Rounds of the two alternate, so that a busy machine slows both; the shortest round of each counts. Run with
//! `cargo bench -p burgee-benches --bench engine`; a number as argument sets the rounds.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use burgee_engine::context::Context;
use burgee_engine::{Environment, Evaluation, Identity, VariantChoice, Winner};
use flagsmith_flag_engine::engine::get_evaluation_result;
use flagsmith_flag_engine::engine_eval::context::EngineEvaluationContext;
use serde_json::{Map, Value, json};

/// A context, and what evaluating it amounts to.
struct Fixture {
    name: &'static str,
    context: Value,
}

/// 100 features of which every fifth is split, with two variants.
fn features() -> Map<String, Value> {
    (0..100)
        .map(|index| {
            let name = format!("feature_{index:03}");
            let mut feature = json!({
                "key": (1000 + index).to_string(), "name": name, "enabled": index % 3 != 0,
                "value": format!("value of {name}"),
                "metadata": {"feature_id": index, "feature_type": "STANDARD"},
            });
            if index % 5 == 0 {
                feature["variants"] = json!([
                    {"key": "a", "value": "variant a", "weight": 30.0, "priority": 1},
                    {"key": "b", "value": "variant b", "weight": 30.0, "priority": 2},
                ]);
            }
            (name, feature)
        })
        .collect()
}

/// An override without variants.
fn override_of(feature: usize, priority: usize) -> Value {
    let name = format!("feature_{feature:03}");
    json!({
        "key": (5000 + feature).to_string(), "name": name, "enabled": true, "value": "overridden",
        "priority": priority, "metadata": {"feature_id": feature, "feature_type": "STANDARD"},
    })
}

fn condition(property: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"property": property, "operator": operator, "value": value.into()})
}

/// A list of 1,000 customers, in which ours is the last but one, or is not.
fn customers(segment: usize, is_member: bool) -> String {
    let mut values: Vec<String> = (0..1000).map(|n| format!("customer-{segment}-{n}")).collect();
    if is_member {
        "customer-ours".clone_into(&mut values[998]);
    }
    values.join(",")
}

/// 50 segments of three conditions each, 31 of which match; every fifth overrides one feature.
fn full() -> Fixture {
    let segments: Map<String, Value> = (0..50)
        .map(|index| {
            let matches = index % 8 < 5 && index != 48;
            let email =
                condition("email", "REGEX", if matches { r"^[a-z.]+@example\.com$" } else { r"^[a-z.]+@\d+\.com$" });
            let version =
                condition("version", "GREATER_THAN", if matches { "2.1.0:semver" } else { "9.0.0:semver" });
            let customer = condition("customer", "IN", customers(index, matches));
            let conditions = match index % 3 {
                0 => json!([email, customer, condition("", "PERCENTAGE_SPLIT", "99.99")]),
                1 => json!([version, email, customer]),
                _ => json!([customer, version, condition("plan", "NOT_EQUAL", format!("plan-{index}"))]),
            };
            let overrides = if index % 5 == 0 { json!([override_of(index / 5 * 7, index)]) } else { json!([]) };
            (index.to_string(), json!({
                "key": index.to_string(), "name": format!("segment {index}"), "overrides": overrides,
                "rules": [{"type": "ALL", "conditions": [], "rules": [{"type": "ALL", "conditions": conditions}]}],
            }))
        })
        .collect();
    Fixture {
        name: "full",
        context: context(&segments),
    }
}

/// Five small segments, two of which override one feature each.
fn light() -> Fixture {
    let conditions = [
        condition("plan", "EQUAL", "premium"),
        condition("age", "LESS_THAN", "30"),
        condition("beta", "EQUAL", "true"),
        condition("country", "IN", "NL,BE,DE"),
        condition("email", "CONTAINS", "@example.org"),
    ];
    let segments: Map<String, Value> = conditions
        .into_iter()
        .enumerate()
        .map(|(index, condition)| {
            let overrides = if index % 3 == 0 {
                json!([override_of(index * 5, index)])
            } else {
                json!([])
            };
            (
                index.to_string(),
                json!({
                    "key": index.to_string(), "name": format!("segment {index}"), "overrides": overrides,
                    "rules": [{"type": "ALL", "conditions": [condition]}],
                }),
            )
        })
        .collect();
    Fixture {
        name: "light",
        context: context(&segments),
    }
}

fn context(segments: &Map<String, Value>) -> Value {
    json!({
        "environment": {"key": "8KzETdDeMY7xkqkSkY3Gsg", "name": "Production"},
        "identity": {
            "identifier": "user-4711", "key": "8KzETdDeMY7xkqkSkY3Gsg_user-4711",
            "traits": {
                "customer": "customer-ours", "email": "jane.doe@example.com", "version": "2.4.1", "age": 42,
                "plan": "premium", "country": "NL", "beta": true, "score": 12.5, "city": "Utrecht", "visits": 118,
            },
        },
        "features": features(),
        "segments": segments,
    })
}

/// Looks at every outcome, its reason included.
fn consume(evaluation: &Evaluation<'_>) {
    for outcome in evaluation.iter() {
        black_box((
            outcome.enabled(),
            outcome.value(),
            outcome.variant(),
            outcome.reason(),
        ));
    }
}

/// The shortest time one call takes, over rounds that alternate between the two.
fn compare(rounds: u32, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> (Duration, Duration) {
    let mut shortest = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        shortest.0 = shortest.0.min(time(2_000, &mut ours));
        shortest.1 = shortest.1.min(time(10, &mut theirs));
    }
    shortest
}

fn time(calls: u32, call: &mut impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..calls {
        call();
    }
    started.elapsed() / calls
}

fn report(fixture: &Fixture, rounds: u32) {
    let text = fixture.context.to_string();
    let ours = Context::from_json(&text).expect("the fixture makes sense to us");
    let theirs: EngineEvaluationContext =
        serde_json::from_str(&text).expect("the fixture makes sense to them");
    let environment = ours.environment();
    ours.with_identity(|identity| {
        describe(fixture, environment, identity, text.len());
        let (ours, reference) = compare(
            rounds,
            || consume(&black_box(environment).evaluate(black_box(identity))),
            || {
                black_box(get_evaluation_result(black_box(&theirs)));
            },
        );
        let (with_segments, _) = compare(
            rounds,
            || {
                let (evaluation, segments) =
                    black_box(environment).evaluate_with_segments(black_box(identity));
                consume(&evaluation);
                black_box(segments);
            },
            || (),
        );
        let (one, _) = compare(
            rounds,
            || {
                black_box(environment.evaluate_feature(7, black_box(identity)));
            },
            || (),
        );
        println!("  all flags          {:>9.2} µs", micros(ours));
        println!("  flags and segments {:>9.2} µs", micros(with_segments));
        println!("  one flag           {:>9.2} µs", micros(one));
        println!(
            "  flagsmith-flag-engine {:>6.0} µs: {:.0} ×",
            micros(reference),
            micros(reference) / micros(ours)
        );
    });
    let compile = (0..rounds.min(10)).map(|_| {
        let value = fixture.context.clone();
        let started = Instant::now();
        black_box(Context::from_value(value).expect("it did before"));
        started.elapsed()
    });
    println!(
        "  read and compile   {:>9.0} µs",
        compile.min().map_or(0.0, micros)
    );
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn describe(fixture: &Fixture, environment: &Environment, identity: Option<&Identity<'_>>, bytes: usize) {
    let (evaluation, segments) = environment.evaluate_with_segments(identity);
    let splits = evaluation
        .iter()
        .filter(|outcome| outcome.choice() != VariantChoice::None)
        .count();
    let overridden = evaluation
        .iter()
        .filter(|outcome| outcome.winner() != Winner::Default)
        .count();
    println!(
        "{} ({} kB): {} features, {} of {} segments match, {overridden} overridden, {splits} splits",
        fixture.name,
        bytes / 1000,
        evaluation.len(),
        segments.len(),
        environment.segment_count(),
    );
}

fn main() {
    let rounds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(20);
    report(&full(), rounds);
    report(&light(), rounds);
}
