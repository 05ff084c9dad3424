//! Metrics for Prometheus: the recorder behind the `metrics` macros, and what the system says about this process.

pub mod names;
mod process;

use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the time buckets, in seconds: from an SDK answer out of memory to a slow report.
const SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// How often samples are moved into buckets; keeps memory flat when nobody reads the page.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Makes the `metrics` macros of the whole process count here. Once per process.
    ///
    /// Histograms whose name ends in `_seconds` get buckets for times.
    pub fn install() -> anyhow::Result<Self> {
        let recorder = builder()?
            .install_recorder()
            .context("cannot start the metrics recorder")?;
        names::describe();
        Ok(Self { recorder })
    }

    /// The page for Prometheus, in its text format 0.0.4.
    pub fn render(&self) -> String {
        let mut page = self.recorder.render();
        process::append(&mut page);
        page
    }

    /// Keeps the recorder tidy for as long as the process runs.
    pub async fn keep_up(self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.recorder.run_upkeep();
        }
    }
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    use metrics_exporter_prometheus::Matcher;
    let times = Matcher::Suffix("_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(times, &SECONDS)
        .context("cannot set up the metrics recorder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_was_counted_and_the_process() {
        let recorder = builder().unwrap().build_recorder();
        let metrics = Metrics {
            recorder: recorder.handle(),
        };
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("burgee_tests_total").increment(3);
            metrics::histogram!("burgee_test_seconds").record(0.004);
        });
        let page = metrics.render();
        assert!(page.contains("burgee_tests_total 3"), "{page}");
        assert!(
            page.contains("burgee_test_seconds_bucket{le=\"0.005\"} 1"),
            "{page}"
        );
        assert!(page.contains("process_resident_memory_bytes "), "{page}");
    }
}
