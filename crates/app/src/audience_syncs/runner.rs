//! One run of one sync on this installation: taken by one process, written down from its beginning to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burgee_model::Timestamp;
use burgee_outbound::http::Client;
use burgee_store::audience_syncs::{self, Run};
use burgee_store::{Db, DbError, Tx, audience_sync_runs};
use burgee_sync::SyncError;
use burgee_sync::config::PreparedSync;
use burgee_sync::deliver::limiter::Limiter;
use burgee_sync::deliver::transport::{Patience, Transport};
use burgee_sync::run::{Purpose, Watcher, prepare};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::ledger::DbLedger;
use super::report::{Report, State};

/// How long a process that has gone silent keeps a sync from others, and how often a living one says that it is there.
const LEASE_SECONDS: i64 = 60;
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long nobody gets a sync whose run was stopped: its process finds out at its next heartbeat.
const STOPPING_SECONDS: i64 = 5;

/// When a lease that is taken or renewed now ends.
pub(super) fn lease_end() -> i64 {
    Timestamp::now().plus_seconds(LEASE_SECONDS).0
}

/// When a sync may be run again whose run is stopped now.
pub(super) fn stop_end() -> i64 {
    Timestamp::now().plus_seconds(STOPPING_SECONDS).0
}

/// Runs of a sync that are kept for `status`.
const KEPT_RUNS: i64 = 100;

/// Why a sync was not run, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Some process runs it already.
    #[error(
        "the sync {0:?} is running already; a sync runs once at a time (a process that has died holds it for a minute at most)"
    )]
    Running(String),
    /// It was silent for longer than its lease.
    #[error("another process has taken the sync over")]
    TakenOver,
    /// Another sync of this installation writes to the same trait or segment.
    #[error(
        "{target} is already written by the sync {owner:?}; a target has one owner. If that sync is gone for good: \
         burgee sync forget {owner}"
    )]
    Owned { target: String, owner: String },
    /// There is nothing to approve.
    #[error("run {0} is not held")]
    NotHeld(i64),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error("the database of the syncs: {0}")]
    Db(#[from] DbError),
}

impl RunError {
    /// Whether somebody, or the end of the program, stopped it.
    fn is_stop(&self) -> bool {
        matches!(self, Self::Sync(SyncError::Stopped))
    }
}

/// The outcome of a step of a run.
type Result<T> = std::result::Result<T, RunError>;

/// Runs syncs on a database. Clones share what is known of the limits of destinations.
#[derive(Debug, Clone)]
pub struct Runner {
    db: Db,
    /// Turns true when runs are to end; what is under way is settled first.
    stop: watch::Receiver<bool>,
    client: Client,
    limiters: Arc<Mutex<HashMap<String, Arc<Mutex<Limiter>>>>>,
}

/// Whose run it is on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The sync among the objects of its organisation.
    pub object_id: i64,
    /// The user who asked for it; of a schedule, nobody.
    pub started_by: Option<i64>,
}

/// A run that has begun and is to be finished.
#[derive(Debug)]
pub struct Begun {
    run: i64,
    /// `None` for a plan, which takes nothing from anybody.
    lease: Option<Lease>,
}

impl Begun {
    /// Its number.
    pub fn run(&self) -> i64 {
        self.run
    }
}

/// The right to run a sync, renewed until it is dropped or lost.
#[derive(Debug)]
struct Lease {
    holder: String,
    /// Turns true when it is lost, or everything is to stop.
    lost: watch::Receiver<bool>,
    heart: AbortHandle,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

impl Runner {
    /// A runner whose runs end when `stop` turns true, or nobody is left to turn it. `client` reaches what destinations may be.
    pub fn new(db: Db, stop: watch::Receiver<bool>, client: Client) -> Self {
        Self {
            db,
            stop,
            client,
            limiters: Arc::default(),
        }
    }

    /// Plans, and sends nothing. Works beside a run of the same sync.
    pub async fn plan(&self, sync: &PreparedSync, watcher: &Watcher) -> Result<Report> {
        let ledger = self.ledger(sync, None);
        let transport = self.transport(sync, self.stop.clone());
        let prepared = prepare(&sync.job, Purpose::Look, transport, Arc::new(ledger), watcher).await?;
        let state = if prepared.holds.is_empty() {
            State::Planned
        } else {
            State::Held
        };
        Ok(Report::of(sync, None, state, &prepared))
    }

    /// The sync whose run of this number waits for an approval, and the seal of the plan that waits.
    pub async fn held(&self, run: i64) -> Result<(String, String)> {
        let mut tx = self.db.read().await?;
        let held = audience_syncs::run(&mut tx, run).await?;
        let held = held.filter(|held| held.state == State::Held.as_str());
        let seal = held.and_then(|held| Some((held.sync, held.seal?)));
        seal.ok_or(RunError::NotHeld(run))
    }

    /// Runs a sync. A plan that a guard rail holds is sent only when it is exactly the one whose seal was `approved`.
    pub async fn run(
        &self,
        sync: &PreparedSync,
        approved: Option<&str>,
        watcher: &Watcher,
    ) -> Result<Report> {
        let begun = self.begin(sync, None).await?;
        self.finish(sync, begun, approved, watcher).await
    }

    /// Takes a sync and begins a run of it, to be finished at once.
    pub async fn begin(&self, sync: &PreparedSync, origin: Option<Origin>) -> Result<Begun> {
        let holder = uuid::Uuid::new_v4().to_string();
        let run = self.take(sync, origin, &holder).await?;
        let (ended, lost) = watch::channel(false);
        let heart = tokio::spawn(beat(self.clone(), sync.job.name.clone(), holder.clone(), ended));
        let heart = heart.abort_handle();
        let lease = Some(Lease { holder, lost, heart });
        Ok(Begun { run, lease })
    }

    /// Begins a plan that is kept, to be finished at once. It works beside a run of the same sync.
    pub async fn begin_plan(&self, sync: &PreparedSync, origin: Origin) -> Result<Begun> {
        let (name, now) = (&sync.job.name, Timestamp::now().0);
        let mut tx = self.db.begin().await?;
        audience_sync_runs::end_old_plans(&mut tx, name, now).await?;
        audience_syncs::forget_runs(&mut tx, name, KEPT_RUNS).await?;
        let run = audience_syncs::insert_run(&mut tx, name, now).await?;
        audience_sync_runs::set_planning(&mut tx, run).await?;
        audience_sync_runs::set_origin(&mut tx, run, origin.object_id, origin.started_by).await?;
        tx.commit().await?;
        Ok(Begun { run, lease: None })
    }

    /// Carries out what has begun, and writes down what came of it.
    pub async fn finish(
        &self,
        sync: &PreparedSync,
        begun: Begun,
        approved: Option<&str>,
        watcher: &Watcher,
    ) -> Result<Report> {
        let (run, name) = (begun.run, &sync.job.name);
        let Some(lease) = &begun.lease else {
            let outcome = self.plan(sync, watcher).await;
            self.end_plan(run, &outcome).await?;
            return outcome;
        };
        let outcome = self
            .carry_out(sync, (run, &lease.holder), lease.lost.clone(), approved, watcher)
            .await;
        let ended = match &outcome {
            Ok(report) => self.end((run, &lease.holder), report).await,
            Err(error) => {
                let why = error.to_string();
                self.fail((run, &lease.holder), name, error.is_stop(), &why).await
            }
        };
        self.release(name, &lease.holder).await?;
        ended?;
        outcome
    }

    /// Forgets a sync that is gone for good. Nothing changes at its destination. False when it is not there, or runs.
    pub async fn forget(&self, name: &str) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let gone = audience_syncs::forget(&mut tx, name, Timestamp::now().0).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn take(&self, sync: &PreparedSync, origin: Option<Origin>, holder: &str) -> Result<i64> {
        let name = &sync.job.name;
        let now = Timestamp::now();
        let mut tx = self.db.begin().await?;
        let Some(before) =
            audience_syncs::take(&mut tx, name, &sync.shape, holder, now.0, lease_end()).await?
        else {
            return Err(RunError::Running(name.clone()));
        };
        audience_syncs::drop_targets(&mut tx, name).await?;
        for target in &sync.targets {
            let owner = audience_syncs::claim_target(&mut tx, target, name).await?;
            if owner != *name {
                let target = target.clone();
                return Err(RunError::Owned { target, owner });
            }
        }
        audience_syncs::end_abandoned(&mut tx, name, now.0).await?;
        audience_syncs::drop_held(&mut tx, name, now.0).await?;
        if before.shape != sync.shape {
            // Another target or another mapping: what was acknowledged says nothing about it.
            audience_syncs::reshape(&mut tx, name, &sync.shape).await?;
        }
        audience_syncs::forget_runs(&mut tx, name, KEPT_RUNS).await?;
        let run = audience_syncs::insert_run(&mut tx, name, now.0).await?;
        if let Some(origin) = origin {
            audience_sync_runs::set_owner(&mut tx, name, origin.object_id).await?;
            audience_sync_runs::set_origin(&mut tx, run, origin.object_id, origin.started_by).await?;
        }
        tx.commit().await?;
        Ok(run)
    }

    async fn carry_out(
        &self,
        sync: &PreparedSync,
        (run, holder): (i64, &str),
        stop: watch::Receiver<bool>,
        approved: Option<&str>,
        watcher: &Watcher,
    ) -> Result<Report> {
        let ledger = self.ledger(sync, Some((run, holder.to_owned())));
        let transport = self.transport(sync, stop);
        let purpose = Purpose::Send { approved };
        let prepared = prepare(&sync.job, purpose, transport, Arc::new(ledger.clone()), watcher).await?;
        let passes = approved == Some(prepared.plan.seal.as_str());
        let held = prepared
            .holds
            .iter()
            .any(|hold| !(passes && hold.can_be_approved()));
        let mut report = Report::of(sync, Some(run), State::Held, &prepared);
        if held {
            return Ok(report);
        }
        self.tell_plan(run, &report).await?;
        let unsent = prepared.plan.counts.invalid + prepared.plan.counts.conflicts;
        let delivered = prepared
            .deliver(&format!("{} run {run}", sync.job.name), &ledger, watcher)
            .await;
        report.progress = delivered.progress;
        report.holds.clear();
        report.state = match &delivered.outcome {
            Err(SyncError::Stopped) => State::Stopped,
            Err(_) => State::Failed,
            Ok(()) if delivered.progress.rejected + unsent > 0 => State::Partial,
            Ok(()) => State::Done,
        };
        report.error = delivered.outcome.err().map(|error| error.to_string());
        Ok(report)
    }

    /// Writes down what there is to deliver, for those who watch the run.
    async fn tell_plan(&self, run: i64, report: &Report) -> Result<()> {
        let (counts, samples) = (json(&report.plan.counts), json(&report.samples));
        let mut tx = self.db.begin().await?;
        audience_syncs::set_plan(&mut tx, run, &counts, &samples, &report.plan.seal).await?;
        Ok(tx.commit().await?)
    }

    async fn end(&self, (run, holder): (i64, &str), report: &Report) -> Result<()> {
        let mut tx = self.db.begin().await?;
        if !audience_syncs::keep(&mut tx, &report.sync, holder, lease_end()).await? {
            if audience_sync_runs::note_stopped(&mut tx, run, &json(&report.progress)).await? {
                return Ok(tx.commit().await?);
            }
            return Err(RunError::TakenOver);
        }
        write(&mut tx, run, report).await?;
        Ok(tx.commit().await?)
    }

    async fn end_plan(&self, run: i64, outcome: &Result<Report>) -> Result<()> {
        let mut tx = self.db.begin().await?;
        match outcome {
            // It says what would hold it; nothing waits for an approval of a plan that was only looked at.
            Ok(report) => {
                let report = Report {
                    state: State::Planned,
                    ..report.clone()
                };
                write(&mut tx, run, &report).await?;
            }
            Err(error) => write_failure(&mut tx, run, State::Failed, &error.to_string()).await?,
        }
        Ok(tx.commit().await?)
    }

    async fn fail(&self, (run, holder): (i64, &str), sync: &str, stopped: bool, error: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        if !audience_syncs::keep(&mut tx, sync, holder, lease_end()).await? {
            // Whoever has it now has written down what became of this run.
            return Ok(());
        }
        let state = if stopped { State::Stopped } else { State::Failed };
        write_failure(&mut tx, run, state, error).await?;
        Ok(tx.commit().await?)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        audience_syncs::release(&mut tx, name, holder).await?;
        Ok(tx.commit().await?)
    }

    fn ledger(&self, sync: &PreparedSync, run: Option<(i64, String)>) -> DbLedger {
        DbLedger {
            db: self.db.clone(),
            sync: sync.job.name.clone(),
            run,
        }
    }

    /// Syncs to one account share its limits.
    fn transport(&self, sync: &PreparedSync, stop: watch::Receiver<bool>) -> Transport {
        let account = sync.job.destination.account();
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters.entry(account).or_default().clone();
        Transport::new(self.client.clone(), limiter, Patience::default(), stop)
    }
}

/// Writes down what came of a run.
async fn write(tx: &mut Tx, run: i64, report: &Report) -> Result<()> {
    count(report);
    let row = Run {
        id: run,
        sync: report.sync.clone(),
        state: report.state.as_str().to_owned(),
        ended_at: (report.state != State::Held).then(|| Timestamp::now().0),
        counts: json(&report.plan.counts),
        holds: json(&report.holds),
        progress: json(&report.progress),
        seal: Some(report.plan.seal.clone()),
        error: report.error.clone(),
        samples: json(&report.samples),
        started_at: 0,
        object_id: None,
        started_by: None,
    };
    audience_syncs::update_run(tx, &row).await?;
    Ok(())
}

/// Counts a run for Prometheus. Syncs have no label of their own: there may be many, and they come and go.
fn count(report: &Report) {
    let progress = &report.progress;
    metrics::counter!("burgee_audience_sync_runs_total", "state" => report.state.as_str()).increment(1);
    for (outcome, operations) in [("delivered", progress.delivered), ("rejected", progress.rejected)] {
        metrics::counter!("burgee_audience_sync_operations_total", "outcome" => outcome)
            .increment(operations);
    }
    metrics::counter!("burgee_audience_sync_requests_total").increment(progress.requests);
    metrics::counter!("burgee_audience_sync_throttled_total").increment(progress.throttled);
}

async fn write_failure(tx: &mut Tx, run: i64, state: State, error: &str) -> Result<()> {
    metrics::counter!("burgee_audience_sync_runs_total", "state" => state.as_str()).increment(1);
    if let Some(mut row) = audience_syncs::run(tx, run).await? {
        state.as_str().clone_into(&mut row.state);
        row.ended_at = Some(Timestamp::now().0);
        row.error = Some(error.to_owned());
        audience_syncs::update_run(tx, &row).await?;
    }
    Ok(())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// Keeps a sync taken, and stops the run when it is lost or everything is to stop.
async fn beat(runner: Runner, name: String, holder: String, stop: watch::Sender<bool>) {
    let mut stopping = runner.stop.clone();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
        let kept = async {
            let mut tx = runner.db.begin().await?;
            let kept = audience_syncs::keep(&mut tx, &name, &holder, lease_end()).await?;
            tx.commit().await.map(|()| kept)
        };
        match kept.await {
            Ok(true) => {}
            Ok(false) => break,
            // The lease outlasts several missed beats.
            Err(error) => tracing::warn!(%error, sync = name, "the sync's lease is not renewed yet"),
        }
    }
    stop.send_replace(true);
}
