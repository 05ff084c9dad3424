//! One run of one sync on this installation: taken by one process, written down from its beginning to its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use burgee_model::Timestamp;
use burgee_outbound::http::{Client, Reach};
use burgee_store::Db;
use burgee_store::audience_syncs::{self, Run};
use burgee_sync::config::PreparedSync;
use burgee_sync::deliver::transport::{Patience, Transport};
use burgee_sync::guard::Hold;
use burgee_sync::ledger::{PlanNote, Progress};
use burgee_sync::run::{Prepared, Watcher, prepare};
use serde::Serialize;
use tokio::sync::watch;

use super::ledger::DbLedger;

/// How long a process that has gone silent keeps a sync from others, and how often a living one says that it is there.
const LEASE_SECONDS: i64 = 60;
const HEARTBEAT: Duration = Duration::from_secs(15);

/// When a lease that is taken or renewed now ends.
pub(super) fn lease_end() -> i64 {
    Timestamp::now().plus_seconds(LEASE_SECONDS).0
}

/// Runs of a sync that are kept for `status`.
const KEPT_RUNS: i64 = 100;

/// What came of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub sync: String,
    /// `None` for a plan that was only looked at.
    pub run: Option<i64>,
    pub state: State,
    pub plan: PlanNote,
    pub samples: burgee_sync::plan::Samples,
    /// Why it is held.
    pub holds: Vec<Hold>,
    pub progress: Progress,
    pub error: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Looked at; nothing was to be sent.
    Planned,
    /// Waits for an approval.
    Held,
    Done,
    /// Done, but for rows that were refused or could not be sent.
    Partial,
    Failed,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// Runs syncs on a database.
#[derive(Debug, Clone)]
pub struct Runner {
    pub db: Db,
    /// Turns true when runs are to end; what is under way is settled first.
    pub stop: watch::Receiver<bool>,
}

impl Runner {
    /// Plans, and sends nothing. Works beside a run of the same sync.
    pub async fn plan(&self, sync: &PreparedSync, watcher: &Watcher) -> anyhow::Result<Report> {
        let ledger = self.ledger(sync, None);
        let prepared = prepare(&sync.job, self.transport(), Arc::new(ledger), watcher).await?;
        let state = if prepared.holds.is_empty() {
            State::Planned
        } else {
            State::Held
        };
        Ok(report(sync, None, state, &prepared))
    }

    /// Runs a sync. A plan that a guard rail holds is sent only when it is exactly the one whose seal was `approved`.
    pub async fn run(
        &self,
        sync: &PreparedSync,
        approved: Option<&str>,
        watcher: &Watcher,
    ) -> anyhow::Result<Report> {
        let name = &sync.job.name;
        let holder = uuid::Uuid::new_v4().to_string();
        let run = self.begin(sync, &holder).await?;
        let (stop, stopped) = watch::channel(false);
        let heart = tokio::spawn(beat(self.clone(), name.clone(), holder.clone(), stop));
        let this = Self {
            db: self.db.clone(),
            stop: stopped,
        };
        let outcome = this.carry_out(sync, (run, &holder), approved, watcher).await;
        heart.abort();
        let ended = match &outcome {
            Ok(report) => self.end((run, &holder), report).await,
            Err(error) => self.fail((run, &holder), name, &format!("{error:#}")).await,
        };
        self.release(name, &holder).await?;
        ended?;
        outcome
    }

    async fn begin(&self, sync: &PreparedSync, holder: &str) -> anyhow::Result<i64> {
        let name = &sync.job.name;
        let now = Timestamp::now();
        let mut tx = self.db.begin().await?;
        let Some(before) =
            audience_syncs::take(&mut tx, name, &sync.shape, holder, now.0, lease_end()).await?
        else {
            bail!("the sync {name:?} is running already; a sync runs once at a time");
        };
        audience_syncs::end_abandoned(&mut tx, name, now.0).await?;
        audience_syncs::drop_held(&mut tx, name, now.0).await?;
        if before.shape != sync.shape {
            // Another target or another mapping: what was acknowledged says nothing about it.
            audience_syncs::reshape(&mut tx, name, &sync.shape).await?;
        }
        audience_syncs::forget_runs(&mut tx, name, KEPT_RUNS).await?;
        let run = audience_syncs::insert_run(&mut tx, name, now.0).await?;
        tx.commit().await?;
        Ok(run)
    }

    async fn carry_out(
        &self,
        sync: &PreparedSync,
        (run, holder): (i64, &str),
        approved: Option<&str>,
        watcher: &Watcher,
    ) -> anyhow::Result<Report> {
        let ledger = self.ledger(sync, Some((run, holder.to_owned())));
        let prepared = prepare(&sync.job, self.transport(), Arc::new(ledger.clone()), watcher).await?;
        let passes = approved == Some(prepared.plan.seal.as_str());
        let held = prepared
            .holds
            .iter()
            .any(|hold| !(passes && hold.can_be_approved()));
        let mut report = report(sync, Some(run), State::Held, &prepared);
        if held {
            return Ok(report);
        }
        let unsent = prepared.plan.counts.invalid + prepared.plan.counts.conflicts;
        let delivered = prepared
            .deliver(&format!("{} run {run}", sync.job.name), &ledger, watcher)
            .await;
        report.progress = delivered.progress;
        report.holds.clear();
        report.state = match &delivered.outcome {
            Err(_) => State::Failed,
            Ok(()) if delivered.progress.rejected + unsent > 0 => State::Partial,
            Ok(()) => State::Done,
        };
        report.error = delivered.outcome.err().map(|error| error.to_string());
        Ok(report)
    }

    async fn end(&self, (run, holder): (i64, &str), report: &Report) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        if !audience_syncs::keep(&mut tx, &report.sync, holder, lease_end()).await? {
            bail!("another process has taken the sync over");
        }
        let row = Run {
            id: run,
            sync: report.sync.clone(),
            state: report.state.as_str().to_owned(),
            started_at: 0,
            ended_at: (report.state != State::Held).then(|| Timestamp::now().0),
            counts: json(&report.plan.counts)?,
            holds: json(&report.holds)?,
            progress: json(&report.progress)?,
            seal: Some(report.plan.seal.clone()),
            error: report.error.clone(),
        };
        audience_syncs::update_run(&mut tx, &row).await?;
        Ok(tx.commit().await?)
    }

    async fn fail(&self, (run, holder): (i64, &str), sync: &str, error: &str) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        if !audience_syncs::keep(&mut tx, sync, holder, lease_end()).await? {
            // Whoever has it now has written down that this run was abandoned.
            return Ok(());
        }
        if let Some(mut row) = audience_syncs::run(&mut tx, run).await? {
            "failed".clone_into(&mut row.state);
            row.ended_at = Some(Timestamp::now().0);
            row.error = Some(error.to_owned());
            audience_syncs::update_run(&mut tx, &row).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn release(&self, name: &str, holder: &str) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        audience_syncs::release(&mut tx, name, holder).await?;
        tx.commit().await.context("cannot let the sync go")
    }

    fn ledger(&self, sync: &PreparedSync, run: Option<(i64, String)>) -> DbLedger {
        DbLedger {
            db: self.db.clone(),
            sync: sync.job.name.clone(),
            run,
        }
    }

    fn transport(&self) -> Transport {
        // Whoever writes the files runs the program: the own network may be reached.
        let client = Client::new(Reach::Everywhere);
        Transport::new(
            client,
            Arc::new(Mutex::default()),
            Patience::default(),
            self.stop.clone(),
        )
    }
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    serde_json::to_string(value).context("cannot write down the run")
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

fn report(sync: &PreparedSync, run: Option<i64>, state: State, prepared: &Prepared) -> Report {
    Report {
        sync: sync.job.name.clone(),
        run,
        state,
        plan: PlanNote {
            counts: prepared.plan.counts,
            seal: prepared.plan.seal.clone(),
        },
        samples: prepared.plan.samples.clone(),
        holds: prepared.holds.clone(),
        progress: Progress::default(),
        error: None,
    }
}
