//! Whether one variant of a feature does better than another: from what identities say of themselves.
//!
//! An application sets the trait `exp_<feature>_variant` to the variant that somebody got, and `exp_<feature>_converted`
//! to true once they did what was hoped for.

use burgee_model::permissions::EnvironmentPermission;
use burgee_store::experiments::{self, VariantCount};
use burgee_store::{Tx, features};
use serde_json::{Map, Value, json};

use crate::feature_states::place_by_key;
use crate::{Caller, Error, Result};

/// Below this probability a difference is not taken for chance.
const SIGNIFICANT: f64 = 0.05;
/// With fewer identities per variant little can be said.
const ENOUGH: i64 = 100;

/// The results for a feature of an environment, by its name.
pub async fn of_feature(tx: &mut Tx, caller: &Caller, key: &str, name: &str) -> Result<Value> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let feature = features::find_by_name(tx, place.project.id, &name.to_lowercase()).await?;
    let feature = feature.ok_or_else(|| Error::no_match("Feature"))?;
    let counted = count(tx, place.environment.id, &feature.name).await?;
    Ok(judge(&feature.name, &counted))
}

/// How many identities got which variant, and how many of them converted.
pub(crate) async fn count(tx: &mut Tx, environment_id: i64, feature: &str) -> Result<Vec<VariantCount>> {
    let (variant, converted) = (
        format!("exp_{feature}_variant"),
        format!("exp_{feature}_converted"),
    );
    let mut counted = experiments::count_variants(tx, environment_id, &variant, &converted).await?;
    // Databases disagree on the alphabet.
    counted.sort_by(|a, b| a.variant.cmp(&b.variant));
    Ok(counted)
}

fn rate(count: &VariantCount) -> f64 {
    if count.evaluations == 0 {
        0.0
    } else {
        count.conversions as f64 / count.evaluations as f64
    }
}

/// The counts with what they say.
pub(crate) fn judge(feature: &str, counted: &[VariantCount]) -> Value {
    let variants = counted.iter().map(|count| {
        json!({
            "variant": count.variant,
            "evaluations": count.evaluations,
            "conversions": count.conversions,
            "conversion_rate": rate(count),
        })
    });
    json!({
        "feature": feature,
        "variants": variants.collect::<Vec<_>>(),
        "statistics": statistics(counted),
    })
}

fn statistics(counted: &[VariantCount]) -> Value {
    let control = counted
        .iter()
        .find(|count| count.variant == "control")
        .or(counted.first());
    let others = || counted.iter().filter(|count| Some(*count) != control);
    let best_other = others().max_by(|a, b| rate(a).total_cmp(&rate(b)));
    let (Some(control), Some(best_other)) = (control, best_other) else {
        return json!({
            "p_value": 1.0, "significant": false, "chance_to_win": {}, "lift": "0.0%", "winner": null,
            "recommendation": "There is nothing to compare yet: identities of two variants are needed.",
            "sample_size_warning": warning(counted),
        });
    };
    let p_value = p_value(control, best_other);
    let significant = p_value < SIGNIFICANT;
    let best = if rate(best_other) > rate(control) {
        best_other
    } else {
        control
    };
    let winner = significant.then_some(best.variant.as_str());
    let recommendation = match winner {
        Some(winner) if winner == control.variant => {
            format!("Keep {winner}: the others do worse.")
        }
        Some(winner) => format!("Roll out {winner}: it does better than {}.", control.variant),
        None => "Go on: the difference may be chance.".to_owned(),
    };
    json!({
        "p_value": p_value,
        "significant": significant,
        "chance_to_win": chances(counted),
        "lift": lift(control, best_other),
        "winner": winner,
        "recommendation": recommendation,
        "sample_size_warning": warning(counted),
    })
}

fn warning(counted: &[VariantCount]) -> Option<String> {
    let few = counted.iter().any(|count| count.evaluations < ENOUGH);
    (few || counted.len() < 2).then(|| {
        format!("Fewer than {ENOUGH} identities got one of the variants: the results are not reliable.")
    })
}

/// By how much the other does better, relative to the control.
fn lift(control: &VariantCount, other: &VariantCount) -> String {
    if control.conversions == 0 {
        return "n/a".to_owned();
    }
    format!("{:+.1}%", (rate(other) / rate(control) - 1.0) * 100.0)
}

/// The two-sided test of two proportions.
fn p_value(left: &VariantCount, right: &VariantCount) -> f64 {
    let (of_left, of_right) = (left.evaluations as f64, right.evaluations as f64);
    let pooled = (left.conversions + right.conversions) as f64 / (of_left + of_right);
    let error = (pooled * (1.0 - pooled) * (1.0 / of_left + 1.0 / of_right)).sqrt();
    if !error.is_normal() {
        return 1.0;
    }
    let z = (rate(left) - rate(right)).abs() / error;
    (2.0 * (1.0 - normal(z))).clamp(0.0, 1.0)
}

/// How likely each variant is the best: each rate is taken for normally distributed around what was seen.
fn chances(counted: &[VariantCount]) -> Value {
    const STEPS: i32 = 2000;
    let beliefs: Vec<(f64, f64)> = counted
        .iter()
        .map(|count| {
            let n = count.evaluations as f64 + 2.0;
            let mean = (count.conversions as f64 + 1.0) / n;
            (mean, (mean * (1.0 - mean) / (n + 1.0)).sqrt())
        })
        .collect();
    let mut chances = vec![0.0; beliefs.len()];
    for (index, (mean, deviation)) in beliefs.iter().enumerate() {
        for step in 0..STEPS {
            // The middles of the steps between six deviations below and above.
            let z = (f64::from(step) + 0.5) / f64::from(STEPS) * 12.0 - 6.0;
            let density = (-z * z / 2.0).exp();
            let at = mean + z * deviation;
            let others = beliefs.iter().enumerate().filter(|(other, _)| *other != index);
            let below: f64 = others
                .map(|(_, (mean, deviation))| normal((at - mean) / deviation))
                .product();
            chances[index] += density * below;
        }
    }
    let sum: f64 = chances.iter().sum();
    let named = counted.iter().zip(chances).map(|(count, chance)| {
        let share = (chance / sum * 10_000.0).round() / 10_000.0;
        (count.variant.clone(), json!(share))
    });
    Value::Object(named.collect::<Map<String, Value>>())
}

/// The normal distribution, to seven digits (Abramowitz and Stegun 26.2.17).
fn normal(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let polynomial = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ]
    .iter()
    .rev()
    .fold(0.0, |sum, factor| (sum + factor) * t);
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if z >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(variant: &str, evaluations: i64, conversions: i64) -> VariantCount {
        VariantCount {
            variant: variant.to_owned(),
            evaluations,
            conversions,
        }
    }

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        for (z, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_345),
            (1.96, 0.975_002),
            (-2.5, 0.006_210),
            (3.0, 0.998_650),
        ] {
            assert!((normal(z) - expected).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn a_clear_difference_has_a_winner_and_a_small_one_has_none() {
        let clear = statistics(&[count("control", 1000, 100), count("green", 1000, 150)]);
        assert_eq!(
            (&clear["winner"], &clear["significant"]),
            (&json!("green"), &json!(true))
        );
        assert_eq!(clear["lift"], "+50.0%");
        // The same test by hand: z = 3.3806.
        assert!((clear["p_value"].as_f64().unwrap_or_default() - 0.000_723).abs() < 1e-5);
        assert!(clear["chance_to_win"]["green"].as_f64().unwrap_or_default() > 0.99);
        assert_eq!(clear["sample_size_warning"], Value::Null);
        let small = statistics(&[count("control", 1000, 100), count("green", 1000, 105)]);
        assert_eq!(
            (&small["winner"], &small["significant"]),
            (&Value::Null, &json!(false))
        );
        let worse = statistics(&[count("control", 1000, 150), count("green", 1000, 100)]);
        assert_eq!(worse["winner"], "control");
    }

    #[test]
    fn little_or_nothing_is_no_fault() {
        for counted in [
            vec![],
            vec![count("a", 5, 5)],
            vec![count("a", 0, 0), count("b", 0, 0)],
            vec![count("a", 5, 5), count("b", 5, 5)],
        ] {
            let found = statistics(&counted);
            assert_eq!(found["significant"], false);
            assert!(found["p_value"].as_f64().is_some_and(f64::is_finite), "{found}");
            assert!(found["sample_size_warning"].is_string());
        }
    }
}
