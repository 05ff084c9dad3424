//! What waits to be written to InfluxDB: in memory, in order, up to a bound. One sender at a time takes from it, a batch
//! after the other, and tries a batch again until it is taken or refused for good.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{Api, told};

/// The most lines that wait, about 30 MB; further ones are dropped, and counted.
const LINES: usize = 100_000;
/// Lines in one request, about 300 KB: below what proxies usually let through.
const BATCH: usize = 1_000;
/// Between two attempts: the first time, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long the end of the process waits for what still waits.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Counts lines by what became of them.
pub(super) fn count(outcome: &'static str, lines: usize) {
    metrics::counter!("burgee_influx_points_total", "outcome" => outcome).increment(lines as u64);
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    lines: Mutex<VecDeque<String>>,
    pushed: Notify,
    /// Held by whoever sends.
    sending: tokio::sync::Mutex<()>,
    api: Api,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Written,
    /// It is never taken.
    Refused(String),
    /// It may be taken later, not before this time.
    Later(String, Option<Duration>),
}

impl Queue {
    /// Starts sending, until the sender is aborted.
    pub(super) fn start(api: Api) -> (Arc<Self>, AbortHandle) {
        let queue = Arc::new(Self {
            lines: Mutex::default(),
            pushed: Notify::new(),
            sending: tokio::sync::Mutex::default(),
            api,
        });
        let sender = Arc::clone(&queue);
        let task = tokio::spawn(async move { sender.keep_sending().await });
        (queue, task.abort_handle())
    }

    /// Takes lines, as far as there is room.
    pub(super) fn push(&self, lines: Vec<String>) {
        let mut waiting = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LINES.saturating_sub(waiting.len()).min(lines.len());
        let dropped = lines.len() - room;
        waiting.extend(lines.into_iter().take(room));
        metrics::gauge!("burgee_influx_points_waiting").set(waiting.len() as f64);
        drop(waiting);
        if dropped > 0 {
            count("dropped", dropped);
            tracing::warn!(
                dropped,
                "too many counts wait for InfluxDB; the newest are dropped"
            );
        }
        self.pushed.notify_one();
    }

    async fn keep_sending(&self) {
        let (mut pause, mut failing) = (FIRST_PAUSE, false);
        loop {
            let notified = self.pushed.notified();
            let outcome = {
                let _sending = self.sending.lock().await;
                self.send_batch().await
            };
            match outcome {
                None => notified.await,
                Some(Outcome::Later(error, not_before)) => {
                    if !failing {
                        tracing::warn!(%error, "InfluxDB does not take counts; they wait");
                    }
                    failing = true;
                    tokio::time::sleep(not_before.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Some(Outcome::Written | Outcome::Refused(_)) => {
                    if failing {
                        tracing::info!("InfluxDB takes counts again");
                    }
                    (pause, failing) = (FIRST_PAUSE, false);
                }
            }
        }
    }

    /// Sends the oldest lines; `None` when there are none. Only who holds `sending` may.
    async fn send_batch(&self) -> Option<Outcome> {
        let (batch, lines) = {
            let waiting = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let batch = waiting.len().min(BATCH);
            let lines: String = waiting.iter().take(batch).map(String::as_str).collect();
            (batch, lines)
        };
        if batch == 0 {
            return None;
        }
        let outcome = outcome(self.api.write(lines).await);
        match &outcome {
            Outcome::Later(..) => {
                metrics::counter!("burgee_influx_writes_total", "outcome" => "later").increment(1);
                return Some(outcome);
            }
            Outcome::Written => {
                metrics::counter!("burgee_influx_writes_total", "outcome" => "written").increment(1);
                count("written", batch);
            }
            Outcome::Refused(error) => {
                metrics::counter!("burgee_influx_writes_total", "outcome" => "refused").increment(1);
                count("refused", batch);
                tracing::error!(%error, lines = batch, "InfluxDB refuses counts; they are dropped");
            }
        }
        // Lines are only added at the end meanwhile.
        let mut waiting = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.drain(..batch);
        metrics::gauge!("burgee_influx_points_waiting").set(waiting.len() as f64);
        Some(outcome)
    }

    /// Sends what waits, as far as it is taken within a moment.
    pub(super) async fn close(&self) {
        let all = async {
            let _sending = self.sending.lock().await;
            while let Some(Outcome::Written | Outcome::Refused(_)) = self.send_batch().await {}
        };
        // What is left is lost, and said to be.
        _ = timeout(END_WITHIN, all).await;
        let left = self.lines.lock().unwrap_or_else(PoisonError::into_inner).len();
        if left > 0 {
            tracing::warn!(
                left,
                "counts that InfluxDB did not take are lost with this process"
            );
        }
    }
}

fn outcome(answer: Result<burgee_outbound::http::Answer, burgee_outbound::http::Error>) -> Outcome {
    match answer {
        Ok(answer) if answer.is_success() => Outcome::Written,
        // The lines are at fault. Who is refused for the token or the bucket may be let in later.
        Ok(answer) if matches!(answer.status, 400 | 413 | 422) => Outcome::Refused(told(&answer)),
        Ok(answer) => {
            let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
            Outcome::Later(told(&answer), seconds.map(Duration::from_secs))
        }
        Err(error) => Outcome::Later(error.to_string(), None),
    }
}
