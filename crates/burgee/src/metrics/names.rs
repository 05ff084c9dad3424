//! Every metric of Burgee, with what it says. Dashboards and alerts are built on these names: they stay.
//!
//! To add one: a line here, and one in docs/operate.md; tests hold the table to the code and the documents.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    /// Times in seconds.
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

const fn name(name: &'static str, kind: Kind, help: &'static str) -> Name {
    Name { name, kind, help }
}

/// All of them, but for those that say what the system knows of the process.
pub const NAMES: &[Name] = &[
    name("burgee_build_info", Gauge, "Always 1; the version is its label."),
    name(
        "burgee_http_requests_total",
        Counter,
        "Requests answered, by method, route and status.",
    ),
    name(
        "burgee_http_request_seconds",
        Histogram,
        "Time to the head of the answer, by route.",
    ),
    name("burgee_http_connections", Gauge, "Open connections."),
    name(
        "burgee_sdk_requests_total",
        Counter,
        "Requests of SDKs that are counted as usage, by resource.",
    ),
    name(
        "burgee_evaluations_reported_total",
        Counter,
        "Evaluations that SDKs have reported.",
    ),
    name("burgee_realtime_connections", Gauge, "Open realtime streams."),
    name(
        "burgee_realtime_events_total",
        Counter,
        "Events sent on realtime streams.",
    ),
    name("burgee_environments_served", Gauge, "Environments in memory."),
    name(
        "burgee_changes_lag_seconds",
        Gauge,
        "Time since this node last knew the whole change log.",
    ),
    name(
        "burgee_change_served_seconds",
        Histogram,
        "Time from a change to its being served by this node.",
    ),
    name(
        "burgee_database_connections",
        Gauge,
        "Connections to the database, used and idle.",
    ),
    name(
        "burgee_database_connections_max",
        Gauge,
        "Most connections to the database.",
    ),
    name(
        "burgee_writes_waiting",
        Gauge,
        "Writes of SDKs that wait for their commit.",
    ),
    name(
        "burgee_tasks_total",
        Counter,
        "Tasks of the queue that ended, by kind and outcome.",
    ),
    name("burgee_task_seconds", Histogram, "Time that tasks took, by kind."),
    name("burgee_tasks_waiting", Gauge, "Tasks in the queue, of all nodes."),
    name(
        "burgee_tasks_dead",
        Gauge,
        "Tasks that were given up: dead letters, of all nodes.",
    ),
    name(
        "burgee_tasks_late_seconds",
        Gauge,
        "How long the oldest task that is due has waited.",
    ),
    name(
        "burgee_schedule_runs_total",
        Counter,
        "Rounds of what recurs, by schedule and outcome.",
    ),
    name(
        "burgee_leases_held",
        Gauge,
        "Schedules that this node carries out.",
    ),
    name(
        "burgee_integration_events_total",
        Counter,
        "Identities not told to integrations, by integration and outcome.",
    ),
    name(
        "burgee_integration_requests_total",
        Counter,
        "Requests to integrations, by integration and outcome.",
    ),
    name(
        "burgee_pii_findings_total",
        Counter,
        "Personal data found by the guard, by kind, entrance and what was done.",
    ),
    name(
        "burgee_audience_sync_runs_total",
        Counter,
        "Audience sync runs that ended, by state.",
    ),
    name(
        "burgee_audience_sync_operations_total",
        Counter,
        "Operations of audience syncs, by outcome.",
    ),
    name(
        "burgee_audience_sync_requests_total",
        Counter,
        "Requests of audience syncs to their destinations.",
    ),
    name(
        "burgee_audience_sync_throttled_total",
        Counter,
        "Times a destination asked an audience sync to slow down.",
    ),
    name(
        "burgee_influx_points_total",
        Counter,
        "Counts for InfluxDB: written, refused by it, or dropped, by outcome.",
    ),
    name(
        "burgee_influx_points_waiting",
        Gauge,
        "Counts that wait for InfluxDB.",
    ),
    name(
        "burgee_influx_writes_total",
        Counter,
        "Write requests to InfluxDB, by outcome.",
    ),
    name(
        "burgee_influx_queries_total",
        Counter,
        "Queries to InfluxDB, by outcome.",
    ),
];

/// Tells the recorder what they say, and shows from the start those without labels that count from nothing: an alert
/// on the growth of a counter needs to have seen its beginning.
pub(super) fn describe() {
    for Name { name, kind, help } in NAMES {
        match kind {
            Counter => describe_counter!(*name, *help),
            Gauge => describe_gauge!(*name, *help),
            Histogram => describe_histogram!(*name, *help),
        }
    }
    metrics::gauge!("burgee_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for name in [
        "burgee_evaluations_reported_total",
        "burgee_realtime_events_total",
        "burgee_audience_sync_requests_total",
        "burgee_audience_sync_throttled_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    metrics::gauge!("burgee_http_connections").set(0.0);
    metrics::gauge!("burgee_realtime_connections").set(0.0);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::metrics::process;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// The names in the code of the program, where something is counted.
    fn counted() -> BTreeSet<String> {
        let (mut files, mut names) = (vec![root().join("crates")], BTreeSet::new());
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for kind in ["counter", "gauge", "histogram"] {
                for call in text.split(&format!("metrics::{kind}!(")).skip(1) {
                    if let Some(rest) = call.trim_start().strip_prefix('"') {
                        let (name, _) = rest.split_once('"').unwrap();
                        names.insert(name.to_owned());
                    }
                }
            }
        }
        names.retain(|name| !name.contains("_test"));
        names
    }

    /// The words of a text that are, or look like, names of Burgee's metrics; those of a histogram's parts as the histogram.
    fn used(text: &str) -> BTreeSet<String> {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let words = text.split(|c| !is_letter(c));
        let names = words.filter(|word| word.starts_with("burgee_") || word.starts_with("process_"));
        let parts = ["_bucket", "_sum", "_count"];
        let whole = |word: &str| {
            let part = parts.iter().find_map(|part| word.strip_suffix(part));
            let histogram = part.filter(|name| name.ends_with("_seconds"));
            histogram.unwrap_or(word).to_owned()
        };
        names.map(whole).collect()
    }

    fn exposed() -> BTreeSet<String> {
        let names = NAMES.iter().map(|name| name.name.to_owned());
        let mut names: BTreeSet<String> = names.collect();
        let mut page = String::new();
        process::append(&mut page);
        names.extend(used(&page));
        names
    }

    #[test]
    fn the_table_has_every_metric_that_the_program_counts_and_no_other() {
        let table: BTreeSet<String> = NAMES.iter().map(|name| name.name.to_owned()).collect();
        assert_eq!(table, counted());
        assert_eq!(table.len(), NAMES.len(), "a name is there twice");
    }

    #[test]
    fn names_say_what_they_count_in() {
        for Name { name, kind, .. } in NAMES {
            match kind {
                Counter => assert!(name.ends_with("_total"), "{name}"),
                Histogram => assert!(name.ends_with("_seconds"), "{name}"),
                Gauge => assert!(!name.ends_with("_total"), "{name}"),
            }
        }
    }

    #[test]
    fn the_dashboard_for_grafana_shows_only_what_there_is() {
        let text = fs::read_to_string(root().join("docs/grafana/burgee.json")).unwrap();
        let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let mut used_names = BTreeSet::new();
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{} asks for nothing", panel["title"]);
            for target in targets {
                let names = used(target["expr"].as_str().unwrap());
                assert!(!names.is_empty(), "{target} names no metric");
                used_names.extend(names);
            }
        }
        let missing: Vec<_> = used_names.difference(&exposed()).cloned().collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn the_guide_for_operators_names_every_metric_and_none_that_is_not() {
        let text = fs::read_to_string(root().join("docs/operate.md")).unwrap();
        let used = used(&text);
        let missing: Vec<_> = used.difference(&exposed()).cloned().collect();
        assert_eq!(missing, Vec::<String>::new(), "named and not there");
        let untold: Vec<_> = exposed().difference(&used).cloned().collect();
        assert_eq!(untold, Vec::<String>::new(), "there and not named");
    }
}
