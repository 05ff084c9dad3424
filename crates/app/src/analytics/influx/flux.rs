//! What InfluxDB is asked, in its language Flux: the queries of the charts, and the tasks that add counts up.

use std::fmt::Write as _;

use burgee_model::Timestamp;

use super::line::tag_value;
use super::{API_CALL, FEATURE_EVALUATION, FIELD};
use crate::analytics::Scope;

/// What clients say of themselves; older counts may have none of it.
pub(super) const LABELS: [&str; 3] = [
    "client_application_name",
    "client_application_version",
    "user_agent",
];

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Up to so many days quarters of an hour are read, beyond them hours.
const QUARTERS_DAYS: i64 = 10;

/// The bucket of sums over 15 minutes.
pub(super) fn quarters(bucket: &str) -> String {
    format!("{bucket}_downsampled_15m")
}

/// The bucket of sums over an hour.
pub(super) fn hours(bucket: &str) -> String {
    format!("{bucket}_downsampled_1h")
}

/// A text in Flux. `$` is written so that no expression can begin in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '$' => quoted.push_str("\\x24"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// `r.name == "value"`, for one of several values.
fn one_of(name: &str, values: &[String]) -> String {
    let tests: Vec<String> = values
        .iter()
        .map(|value| format!("r.{name} == {}", quoted(&tag_value(value))))
        .collect();
    tests.join(" or ")
}

/// Sums by day of what passes the filters, each group for itself.
fn by_day(
    bucket: &str,
    measurement: &str,
    (since, until): (i64, i64),
    filters: &[String],
    groups: &[&str],
) -> String {
    let bucket = if until - since <= QUARTERS_DAYS * DAY {
        quarters(bucket)
    } else {
        hours(bucket)
    };
    let mut query = format!(
        "from(bucket: {})\n  |> range(start: {}, stop: {})\n  \
         |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field == \"{FIELD}\")\n",
        quoted(&bucket),
        Timestamp(since).rest(),
        Timestamp(until).rest(),
    );
    for filter in filters {
        // Writing to a String cannot fail.
        _ = writeln!(query, "  |> filter(fn: (r) => {filter})");
    }
    let groups: Vec<String> = groups.iter().chain(&LABELS).map(|name| quoted(name)).collect();
    _ = write!(
        query,
        "  |> group(columns: [{}])\n  \
         |> aggregateWindow(every: 1d, fn: sum, timeSrc: \"_start\", createEmpty: false)",
        groups.join(", ")
    );
    query
}

/// The calls of a scope by day, organisation and resource.
pub(super) fn calls(bucket: &str, scope: &Scope, range: (i64, i64)) -> String {
    let text = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>();
    let mut filters = vec![one_of("organisation_id", &text(&scope.organisation_ids))];
    filters.extend(scope.project_id.map(|id| one_of("project_id", &text(&[id]))));
    filters.extend(
        scope
            .environment_id
            .map(|id| one_of("environment_id", &text(&[id]))),
    );
    by_day(
        bucket,
        API_CALL,
        range,
        &filters,
        &["organisation_id", "resource"],
    )
}

/// The evaluations of a feature in an environment by day.
pub(super) fn evaluations(
    bucket: &str,
    environment_id: i64,
    feature_name: &str,
    range: (i64, i64),
) -> String {
    let filters = [
        one_of("environment_id", &[environment_id.to_string()]),
        one_of("feature_id", &[feature_name.to_owned()]),
    ];
    by_day(bucket, FEATURE_EVALUATION, range, &filters, &[])
}

/// A task that adds counts up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub name: &'static str,
    /// The whole task, its options included.
    pub flux: String,
}

/// The tasks that add counts up. Each looks four of its rounds back, so that what came late is still added; it writes
/// the same sums again then. It begins a minute late, when the counts of its last round are there.
pub fn tasks(bucket: &str) -> Vec<Task> {
    let task =
        |name: &'static str, every: &str, measurement: &str, middle: &str, end: &str, into: &str| Task {
            name,
            flux: format!(
                "option task = {{name: \"{name}\", every: {every}, offset: 1m}}\n\n\
             from(bucket: {from})\n  \
             |> range(start: -duration(v: int(v: task.every) * 4))\n  \
             |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field == \"{FIELD}\")\n\
             {middle}  \
             |> aggregateWindow(every: {every}, fn: sum, timeSrc: \"_start\", createEmpty: false)\n\
             {end}  \
             |> to(bucket: {into})\n",
                from = quoted(bucket),
                into = quoted(into),
            ),
        };
    let by_feature = format!(
        "  |> group(columns: [\"feature_id\", \"environment_id\", \"{}\"])\n",
        LABELS.join("\", \"")
    );
    let named = format!(
        "  |> set(key: \"_measurement\", value: \"{FEATURE_EVALUATION}\")\n  |> set(key: \"_field\", value: \"{FIELD}\")\n"
    );
    let (quarters, hours) = (quarters(bucket), hours(bucket));
    vec![
        task("Downsample (API Requests)", "15m", API_CALL, "", "", &quarters),
        task(
            "Downsample (Flag Evaluations)",
            "15m",
            FEATURE_EVALUATION,
            "",
            "",
            &quarters,
        ),
        task("Downsample API 1h", "1h", API_CALL, "", "", &hours),
        task(
            "Downsample API 1h - Flag Analytics",
            "1h",
            FEATURE_EVALUATION,
            &by_feature,
            &named,
            &hours,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_are_read_from_quarters_and_long_ones_from_hours() {
        let query = |days: i64| evaluations("default", 3, "checkout", (0, days * DAY));
        assert!(
            query(7).starts_with("from(bucket: \"default_downsampled_15m\")"),
            "{}",
            query(7)
        );
        assert!(query(10).contains("default_downsampled_15m"));
        assert!(query(30).contains("default_downsampled_1h"));
    }

    #[test]
    fn no_name_can_say_anything_in_the_query() {
        let query = evaluations("b", 3, "a\" or true or r.x == \"${r.y}\\", (0, DAY));
        assert!(
            query.contains(r#"r.feature_id == "a\" or true or r.x == \"\x24{r.y}/")"#),
            "{query}"
        );
    }

    #[test]
    fn hours_of_evaluations_are_grouped_by_feature_and_environment() {
        let tasks = tasks("default");
        assert_eq!(tasks.len(), 4);
        let hourly = &tasks[3].flux;
        for part in [
            "r._field == \"request_count\"",
            "\"feature_id\", \"environment_id\"",
            "default_downsampled_1h",
        ] {
            assert!(hourly.contains(part), "{part} in {hourly}");
        }
    }
}
