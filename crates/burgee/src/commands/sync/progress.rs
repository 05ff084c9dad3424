//! How far a run is: a spinner and a bar on a terminal, else a line every ten seconds.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burgee_sync::run::{Stage, Watcher};
use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Tells how far the run of a sync is, on standard error.
pub(super) fn watcher(name: &str) -> Watcher {
    if std::io::stderr().is_terminal() {
        bar(name)
    } else {
        lines(name)
    }
}

fn bar(name: &str) -> Watcher {
    let bar = ProgressBar::new_spinner().with_prefix(name.to_owned());
    bar.set_style(style("{spinner} {prefix}: {msg}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    let last = Mutex::new(None);
    Arc::new(move |stage| {
        // Rows come faster than anybody reads.
        if let Stage::Reading(rows) = stage {
            bar.set_message(format!("{rows} rows read"));
            return;
        }
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match stage {
            Stage::Reading(_) => {}
            Stage::Planning => bar.set_message("planning"),
            Stage::Delivering(progress, of) => {
                if last.is_none() {
                    bar.set_style(style(
                        "{prefix}: [{bar:30}] {pos} of {len} delivered, {eta} left{msg}",
                    ));
                    bar.set_length(of);
                    bar.reset_eta();
                }
                let done = progress.delivered + progress.rejected;
                bar.set_position(done);
                bar.set_message(refused(progress.rejected));
                *last = Some(done);
                if done >= of {
                    bar.finish_and_clear();
                }
            }
        }
    })
}

/// A template of ours; one that can't be read would only look plain.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn lines(name: &str) -> Watcher {
    let name = name.to_owned();
    let last = Mutex::new(Instant::now());
    let delivering: Mutex<Option<Instant>> = Mutex::new(None);
    Arc::new(move |stage| {
        let mut since = delivering.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(stage, Stage::Delivering(..)) && since.is_none() {
            *since = Some(Instant::now());
        }
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < BETWEEN_LINES {
            return;
        }
        *last = Instant::now();
        let elapsed = since.map(|since| since.elapsed()).unwrap_or_default();
        // Nobody is left to tell when standard error is closed.
        _ = writeln!(std::io::stderr(), "{name}: {}", line(stage, elapsed));
    })
}

fn line(stage: Stage, delivering: Duration) -> String {
    match stage {
        Stage::Reading(rows) => format!("{rows} rows read"),
        Stage::Planning => "planning".to_owned(),
        Stage::Delivering(progress, of) => {
            let done = progress.delivered + progress.rejected;
            format!(
                "{done} of {of} delivered{}{}",
                time_left(delivering, done, of),
                refused(progress.rejected)
            )
        }
    }
}

fn refused(rejected: u64) -> String {
    if rejected == 0 {
        String::new()
    } else {
        format!(", {rejected} refused")
    }
}

fn time_left(elapsed: Duration, done: u64, of: u64) -> String {
    if done == 0 || done >= of {
        return String::new();
    }
    let left = elapsed.mul_f64((of - done) as f64 / done as f64);
    format!(", {} s left", left.as_secs())
}

#[cfg(test)]
mod tests {
    use burgee_sync::ledger::Progress;

    use super::*;

    #[test]
    fn a_line_says_rows_operations_refusals_and_the_time_that_is_left() {
        let progress = Progress {
            delivered: 240,
            rejected: 10,
            ..Progress::default()
        };
        let elapsed = Duration::from_secs(20);
        assert_eq!(line(Stage::Reading(7), elapsed), "7 rows read");
        assert_eq!(
            line(Stage::Delivering(progress, 1_000), elapsed),
            "250 of 1000 delivered, 60 s left, 10 refused"
        );
        assert_eq!(
            line(Stage::Delivering(Progress::default(), 9), elapsed),
            "0 of 9 delivered"
        );
    }
}
