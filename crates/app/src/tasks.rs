//! The task queue: work that is to be done outside a request, at least once.
//!
//! A task is added within a transaction ([`add`]) and done after its commit, by whichever node takes it; the worker has the
//! table of what kinds there are. A node that dies while it does one leaves a claim that runs out, and another node does
//! it again, under the same uuid. What fails is tried again after growing pauses; what failed too often stays as a dead
//! letter, that whoever runs the installation can look at and try again (`burgee tasks`).

use std::time::Duration;

use burgee_model::Timestamp;
use burgee_store::tasks;
use burgee_store::{DbError, Tx};
use serde_json::Value;
use uuid::Uuid;

pub use burgee_store::tasks::{Counts, Task};

use crate::{App, Error, Result};

const SECOND: i64 = 1_000_000;
/// How long a node that took a task has before another one may take it.
const CLAIM: i64 = 20 * SECOND;
/// The most time one run of a task gets; less than a claim holds.
pub const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: i64 = 60 * 60 * SECOND;
/// How many times a task is tried: over some five hours.
pub const ATTEMPTS: i64 = 15;
/// A task that is older than this is not tried again, however often it was: its receiver was away all that time.
const TOO_OLD: i64 = 24 * 60 * 60 * SECOND;
/// How long dead letters are kept.
const KEEP_DEAD: i64 = 30 * 24 * 60 * 60 * SECOND;
/// How many tasks a lane holds, dead letters among them: when there are more, the oldest are dropped. A receiver that is away
/// for a day while a script writes must not fill the database.
pub const LANE_TASKS: i64 = 10_000;
/// The most characters that are kept of why something failed.
const WHY_LENGTH: usize = 500;

/// A task about to be added.
#[derive(Debug, Clone)]
pub struct NewTask<'a> {
    pub kind: &'static str,
    /// What it is for. While a task of this kind for the same thing waits, or is dead, no second one is added.
    pub key: String,
    /// Of one lane one task runs at a time.
    pub lane: &'a str,
    pub payload: Value,
}

/// Why a task is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For whoever reads the log; names no secret.
    pub why: String,
    /// Whether trying again may help.
    pub again: bool,
    /// Whether nothing else in the lane has a chance just now: its receiver is away.
    pub lane: bool,
}

impl Failure {
    /// Trying again may help.
    pub fn later(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: true,
            lane: false,
        }
    }

    /// The receiver is away: trying again later may help, and until then nothing is sent there.
    pub fn away(why: impl Into<String>) -> Self {
        Self {
            lane: true,
            ..Self::later(why)
        }
    }

    /// Trying again will not help.
    pub fn for_good(why: impl Into<String>) -> Self {
        Self {
            again: false,
            ..Self::later(why)
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::later(error.to_string())
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::later(error.to_string())
    }
}

/// How a run of a task ended.
pub type Outcome = std::result::Result<(), Failure>;

/// What became of a task after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    Again,
    Dead,
}

/// Adds a task, to be done once the transaction is committed. Whether it was added, or there was one already.
pub async fn add(tx: &mut Tx, new: NewTask<'_>) -> Result<bool> {
    let now = Timestamp::now().0;
    let task = Task {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        kind: new.kind.to_owned(),
        key: new.key,
        lane: new.lane.to_owned(),
        payload: new.payload.to_string(),
        status: "waiting".to_owned(),
        created_at: now,
        due_at: now,
        claimed_until: 0,
        attempts: 0,
        last_error: None,
    };
    Ok(tasks::insert(tx, &task).await?)
}

/// Lets a task that waits, or is a dead letter, be done as soon as possible, from the first attempt on.
pub(crate) async fn restart(tx: &mut Tx, kind: &str, key: &str) -> Result<()> {
    tasks::restart(tx, kind, key, Timestamp::now().0).await?;
    Ok(())
}

/// Takes up to so many tasks that are due.
pub async fn claim(app: &App, limit: usize) -> Result<Vec<Task>> {
    let now = Timestamp::now().0;
    if limit == 0 || !tasks::any_due(app.db(), now).await? {
        return Ok(Vec::new());
    }
    let mut tx = app.db().begin().await?;
    let now = Timestamp::now().0;
    let claimed = tasks::claim(&mut tx, now, now + CLAIM, limit as i64).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Writes down how a run of a task ended. A claim that has run out meanwhile changes nothing.
pub async fn settle(app: &App, task: &Task, outcome: Outcome) -> Result<Settled> {
    let now = Timestamp::now().0;
    let mut tx = app.db().begin().await?;
    let settled = match outcome {
        Ok(()) => {
            tasks::finish(&mut tx, task).await?;
            Settled::Done
        }
        Err(failure) => {
            let why: String = failure.why.chars().take(WHY_LENGTH).collect();
            if failure.again && task.attempts < ATTEMPTS && now - task.created_at < TOO_OLD {
                let due = now + pause(task.attempts);
                tasks::put_off(&mut tx, task, due, &why).await?;
                if failure.lane {
                    tasks::put_off_lane(&mut tx, &task.lane, due).await?;
                }
                tracing::warn!(
                    task = task.uuid,
                    kind = task.kind,
                    attempts = task.attempts,
                    why,
                    "a task failed; it will be tried again"
                );
                Settled::Again
            } else {
                tasks::bury(&mut tx, task, &why).await?;
                tracing::error!(
                    task = task.uuid,
                    kind = task.kind,
                    attempts = task.attempts,
                    why,
                    "a task was given up; `burgee tasks retry` tries it again"
                );
                Settled::Dead
            }
        }
    };
    tx.commit().await?;
    Ok(settled)
}

/// How long to wait after so many attempts: 2, 4, 8 seconds and so on, up to an hour.
fn pause(attempts: i64) -> i64 {
    let doublings = attempts.clamp(1, 12);
    (SECOND << doublings).min(LONGEST_PAUSE)
}

/// How many tasks there are.
pub async fn counts(app: &App) -> Result<Counts> {
    Ok(tasks::counts(app.db()).await?)
}

/// Some tasks that wait, or that are dead letters, oldest first. For whoever runs the installation.
pub async fn list(app: &App, dead: bool, limit: i64) -> Result<Vec<Task>> {
    let mut tx = app.db().read().await?;
    Ok(tasks::list(&mut tx, if dead { "dead" } else { "waiting" }, limit).await?)
}

/// Lets dead letters be tried again: one, or all of them. How many there were.
pub async fn retry(app: &App, id: Option<i64>) -> Result<u64> {
    let mut tx = app.db().begin().await?;
    let count = tasks::revive(&mut tx, id, Timestamp::now().0).await?;
    tx.commit().await?;
    app.stir();
    Ok(count)
}

/// Drops the oldest tasks of every lane that holds more than so many, and returns them.
pub async fn drop_overflow(app: &App, most: i64) -> Result<Vec<Task>> {
    let counts = counts(app).await?;
    if counts.waiting + counts.dead <= most {
        return Ok(Vec::new());
    }
    let mut tx = app.db().begin().await?;
    let dropped = tasks::delete_overflow(&mut tx, most, Timestamp::now().0).await?;
    tx.commit().await?;
    Ok(dropped)
}

/// Forgets old dead letters.
pub async fn forget_old(app: &App) -> Result<()> {
    let mut tx = app.db().begin().await?;
    let count = tasks::delete_dead(&mut tx, Timestamp::now().0 - KEEP_DEAD).await?;
    tx.commit().await?;
    if count > 0 {
        tracing::info!(count, "old dead letters were forgotten");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<i64> = (1..=13).map(|attempts| pause(attempts) / SECOND).collect();
        assert_eq!(
            seconds,
            [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]
        );
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}
