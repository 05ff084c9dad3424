//! Group commit: many small writes in one transaction, each answered after the commit that holds it.
//!
//! While one transaction commits, the writes that arrive meanwhile gather for the next one, so the cost of a commit is
//! shared exactly when there is something to share, and a lone write waits for nobody.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use burgee_store::DbError;
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

/// How many writes may wait before further ones are turned away.
const QUEUE: usize = 10_000;

type Job<I, A> = (I, oneshot::Sender<Result<A>>);

/// A collector of writes of one kind.
#[derive(Debug)]
pub(crate) struct Batcher<I, A> {
    jobs: mpsc::Sender<Job<I, A>>,
}

impl<I, A> Batcher<I, A>
where
    I: Clone + Send + Sync + 'static,
    A: Send + 'static,
{
    /// Starts collecting. `write` carries out a whole batch in one transaction and gives an answer for each item.
    pub(crate) fn start<F, W>(limit: usize, delay: Duration, write: W) -> Self
    where
        W: Fn(Vec<I>) -> F + Send + Sync + 'static,
        F: Future<Output = std::result::Result<Vec<A>, DbError>> + Send,
    {
        let (jobs, mut queue) = mpsc::channel::<Job<I, A>>(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(limit);
            while queue.recv_many(&mut batch, limit).await > 0 {
                if !delay.is_zero() && batch.len() < limit {
                    tokio::time::sleep(delay).await;
                    while batch.len() < limit
                        && let Ok(job) = queue.try_recv()
                    {
                        batch.push(job);
                    }
                }
                // A fault in one batch, whose writers are told by their closed channels, must not end the collector.
                let batch = AssertUnwindSafe(commit(&write, std::mem::take(&mut batch)));
                if batch.catch_unwind().await.is_err() {
                    tracing::error!("a batch of writes panicked");
                }
            }
        });
        Self { jobs }
    }

    /// How many writes wait for their commit.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Hands in a write and waits until it is committed.
    pub(crate) async fn write(&self, item: I) -> Result<A> {
        let (answer, committed) = oneshot::channel();
        let busy = |_| Error::Unavailable("too many writes are waiting".to_owned());
        self.jobs.try_send((item, answer)).map_err(busy)?;
        committed
            .await
            .unwrap_or_else(|_| Err(Error::Internal("the collector of writes stopped".to_owned())))
    }
}

/// Commits a batch. When the database refuses it for a fault of its own, each write is tried alone, so that one that
/// can't be written does not take the others with it.
async fn commit<I, A, F, W>(write: &W, batch: Vec<Job<I, A>>)
where
    I: Clone,
    W: Fn(Vec<I>) -> F,
    F: Future<Output = std::result::Result<Vec<A>, DbError>>,
{
    let (items, answers): (Vec<I>, Vec<_>) = batch.into_iter().unzip();
    match write(items.clone()).await {
        Ok(results) => {
            for (answer, result) in answers.into_iter().zip(results) {
                // The client may have gone; its write is done all the same.
                let _ = answer.send(Ok(result));
            }
        }
        Err(DbError::Unavailable(cause)) => {
            let cause = cause.to_string();
            for answer in answers {
                let _ = answer.send(Err(Error::Unavailable(cause.clone())));
            }
        }
        Err(_) => {
            for (item, answer) in items.into_iter().zip(answers) {
                let result = write(vec![item]).await;
                let missing = || Error::Internal("a write without an answer".to_owned());
                let _ = answer.send(
                    result
                        .map_err(Error::from)
                        .and_then(|mut r| r.pop().ok_or_else(missing)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn writes_that_come_together_are_committed_together() {
        let commits = Arc::new(AtomicUsize::new(0));
        let counter = commits.clone();
        let batcher = Arc::new(Batcher::start(100, Duration::ZERO, move |items: Vec<u32>| {
            let counter = counter.clone();
            async move {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(items.into_iter().map(|i| i * 2).collect())
            }
        }));
        let tasks: Vec<_> = (0..50u32)
            .map(|i| {
                let batcher = batcher.clone();
                tokio::spawn(async move { batcher.write(i).await.unwrap() })
            })
            .collect();
        for (i, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), i as u32 * 2);
        }
        assert!(commits.load(Ordering::SeqCst) <= 3, "{commits:?}");
    }

    #[tokio::test]
    async fn one_write_that_fails_does_not_take_the_others_with_it() {
        let batcher = Arc::new(Batcher::start(
            100,
            Duration::from_millis(5),
            |items: Vec<u32>| async move {
                if items.contains(&7) {
                    Err(DbError::MissingParent)
                } else {
                    Ok(items)
                }
            },
        ));
        let (good, bad) = tokio::join!(batcher.write(1), batcher.write(7));
        assert_eq!(good.unwrap(), 1);
        assert!(bad.is_err());
    }
}
