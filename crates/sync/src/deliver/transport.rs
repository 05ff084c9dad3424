//! Requests to a destination: limits, retries, time-outs, bounded answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use burgee_outbound::http::{Answer, Bytes, Client, Request};
use http::StatusCode;
use tokio::sync::watch;

use super::limiter::{Limiter, backoff, with_jitter};
use crate::error::{Result, SyncError};

/// The largest answer that is read. A standard segment of 15,000 long keys stays under it.
const LARGEST_ANSWER: usize = 64 << 20;

/// How patient a run is with its destination.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one request and its answer.
    pub request: Duration,
    /// How often in a row a request may fail without an answer, or with a fault of the server.
    pub failures: u32,
    /// How long one request may be put off because of limits.
    pub throttled: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            failures: 7,
            throttled: Duration::from_mins(30),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Reply {
    fn of(answer: &Answer) -> Self {
        Self {
            // Whatever else a server makes up counts as its fault.
            status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY),
            body: answer.body.clone(),
        }
    }

    /// The body as text, to be shown to people: its beginning, on one line.
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(300).collect()
    }
}

/// What several syncs to one account share: its limits and the counts of what was asked.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client,
    limiter: Arc<Mutex<Limiter>>,
    patience: Patience,
    stop: watch::Receiver<bool>,
    requests: Arc<AtomicU64>,
    throttled: Arc<AtomicU64>,
}

impl Transport {
    /// A transport with counts of its own. `limiter` is shared by all that use the same account.
    pub fn new(
        client: Client,
        limiter: Arc<Mutex<Limiter>>,
        patience: Patience,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            client,
            limiter,
            patience,
            stop,
            requests: Arc::default(),
            throttled: Arc::default(),
        }
    }

    /// How many requests were sent, and how many of them were answered with "too many".
    pub fn counts(&self) -> (u64, u64) {
        (
            self.requests.load(Ordering::Relaxed),
            self.throttled.load(Ordering::Relaxed),
        )
    }

    /// Sends a request until there is an answer that repeating it would not change.
    ///
    /// The request must be safe to repeat. 409 is a conflict with another writer and is tried again like a fault of the
    /// server.
    pub async fn send(&self, request: Request) -> Result<Reply> {
        let request = request.within(self.patience.request).at_most(LARGEST_ANSWER);
        let began = Instant::now();
        let (mut failures, mut refusals) = (0, 0);
        loop {
            self.wait_for_turn(began).await?;
            self.requests.fetch_add(1, Ordering::Relaxed);
            let answer = self.client.send(request.clone()).await;
            let trouble = match answer.map(|answer| (Reply::of(&answer), answer.headers)) {
                Ok((reply, headers)) if reply.status == StatusCode::TOO_MANY_REQUESTS => {
                    self.throttled.fetch_add(1, Ordering::Relaxed);
                    refusals += 1;
                    self.limits(|l| l.refused(&headers, refusals, Instant::now(), SystemTime::now()));
                    if began.elapsed() > self.patience.throttled {
                        let told = format!("too many requests: {}", reply.excerpt());
                        return Err(SyncError::Unreachable(told));
                    }
                    continue;
                }
                Ok((reply, headers)) => {
                    self.limits(|l| l.learn(&headers, Instant::now(), SystemTime::now()));
                    if !reply.status.is_server_error() && reply.status != StatusCode::CONFLICT {
                        return Ok(reply);
                    }
                    format!("{}: {}", reply.status, reply.excerpt())
                }
                Err(error) => error.to_string(),
            };
            failures += 1;
            if failures >= self.patience.failures {
                return Err(SyncError::Unreachable(trouble));
            }
            tracing::debug!(trouble, failures, "a request to a destination is tried again");
            self.pause(backoff(failures)).await?;
        }
    }

    async fn wait_for_turn(&self, began: Instant) -> Result<()> {
        while let Some(wait) = self.limits(|l| l.admit(Instant::now())) {
            if began.elapsed() > self.patience.throttled {
                return Err(SyncError::Unreachable(
                    "its limits leave no room for requests".to_owned(),
                ));
            }
            self.pause(wait).await?;
        }
        if *self.stop.borrow() {
            Err(SyncError::Stopped)
        } else {
            Ok(())
        }
    }

    async fn pause(&self, wait: Duration) -> Result<()> {
        let mut stop = self.stop.clone();
        let stopped = async move {
            let stopped = stop.wait_for(|stop| *stop).await.is_ok();
            if !stopped {
                // Nobody is left who could stop the run.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(with_jitter(wait)) => Ok(()),
            () = stopped => Err(SyncError::Stopped),
        }
    }

    fn limits<T>(&self, change: impl FnOnce(&mut Limiter) -> T) -> T {
        change(&mut self.limiter.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
