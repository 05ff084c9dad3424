//! Runs of the syncs that the server keeps: asked for by people and by schedules, carried out beside the requests.

use std::sync::Arc;

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::audience_sync_objects::{self as objects, AudienceSyncObject};
use burgee_store::audience_sync_runs::{self as rows, Wanted};
use burgee_store::audience_syncs::{RefusedRow, Run};
use burgee_sync::config::{PreparedSync, Schedule};
use burgee_sync::destination;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::alerts;
use super::objects::{ObjectKind, Stock, require};
use super::own_lists::{self, OwnLists};
use super::runner::{Begun, Origin, RunError, stop_end};
use crate::change::{Action, Change, Kind};
use crate::{App, Caller, Error, Result};

/// How many syncs run on one node at once; what is due beyond them waits.
pub const RUNS_AT_ONCE: usize = 4;

/// The state of a run that is under way.
const RUNNING: &str = "running";

/// The right to run one sync; given back when the run has ended.
pub(super) type Slot = OwnedSemaphorePermit;

/// A run and the name of its sync.
#[derive(Debug, Clone)]
pub struct RunOfSync {
    pub run: Run,
    pub sync: String,
}

/// Which runs are wanted.
#[derive(Debug, Clone, Default)]
pub struct RunFilter<'a> {
    pub sync: Option<&'a str>,
    pub state: Option<&'a str>,
}

/// What is asked of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Plan, and send nothing.
    Plan,
    Run,
    /// Send the held plan with this seal.
    Approved(String),
}

/// The name by which the ledger knows a sync of the server: names of files have no slash.
pub(super) fn ledger_name(organisation_id: i64, sync: &str) -> String {
    format!("{organisation_id}/{sync}")
}

/// Runs of an organisation, newest first, and how many there are.
pub async fn list(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    filter: RunFilter<'_>,
    (limit, offset): (i64, i64),
) -> Result<(i64, Vec<RunOfSync>)> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, organisation_id).await?;
    let sync = filter.sync.map(|name| ledger_name(organisation_id, name));
    let wanted = Wanted {
        organisation_id,
        sync: sync.as_deref(),
        state: filter.state,
    };
    let count = rows::count(&mut tx, wanted).await?;
    let runs = rows::list(&mut tx, wanted, limit, offset).await?;
    Ok((count, runs.into_iter().map(named).collect()))
}

fn named(run: Run) -> RunOfSync {
    let sync = run.sync.split_once('/').map_or("", |(_, name)| name).to_owned();
    RunOfSync { run, sync }
}

/// One run.
pub async fn get(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<RunOfSync> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, organisation_id).await?;
    find(&mut tx, organisation_id, id).await.map(named)
}

async fn find(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<Run> {
    let found = rows::find(tx, organisation_id, id).await?;
    found.ok_or_else(Error::not_found)
}

/// Rows of a run that were refused or could not be sent, in their order, and how many there are.
pub async fn errors(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    (limit, offset): (i64, i64),
) -> Result<(i64, Vec<RefusedRow>)> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, organisation_id).await?;
    find(&mut tx, organisation_id, id).await?;
    let count = rows::count_errors(&mut tx, id).await?;
    Ok((count, rows::errors(&mut tx, id, limit, offset).await?))
}

/// Has a sync planned or run. The answer is the run that has begun; it goes on by itself.
pub async fn start(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    name: &str,
    wish: Wish,
) -> Result<RunOfSync> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, organisation_id).await?;
    let (object, sync) = prepared(app, &mut tx, organisation_id, name).await?;
    drop(tx);
    let slot = free_slot(app).ok_or(Error::Throttled(30))?;
    let run = begin(app, &object, caller.user_id(), sync, wish, slot).await?;
    get(app, caller, organisation_id, run).await
}

/// Sends a held plan exactly as it stands. Whoever approves is in the log.
pub async fn approve(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<RunOfSync> {
    let held = held(app, caller, organisation_id, id).await?;
    let seal = held.run.seal.clone().unwrap_or_default();
    let begun = start(app, caller, organisation_id, &held.sync, Wish::Approved(seal)).await?;
    note(app, caller, organisation_id, &held, "approved").await?;
    Ok(begun)
}

/// Drops a held plan: nothing of it is sent.
pub async fn discard(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<RunOfSync> {
    let held = held(app, caller, organisation_id, id).await?;
    let mut tx = app.db().begin().await?;
    let dropped = rows::drop_held(&mut tx, id, Timestamp::now().0).await?;
    tx.commit().await?;
    if !dropped {
        return Err(not_held());
    }
    note(app, caller, organisation_id, &held, "dropped").await?;
    get(app, caller, organisation_id, id).await
}

/// Stops a run, on whichever node it is: what is under way is settled, and nothing more is sent.
pub async fn stop(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<RunOfSync> {
    let mut tx = app.db().begin().await?;
    require(&mut tx, caller, organisation_id).await?;
    let run = find(&mut tx, organisation_id, id).await?;
    if run.state != RUNNING {
        return Err(Error::Conflict("The run is not under way.".to_owned()));
    }
    rows::stop(&mut tx, &run, Timestamp::now().0, stop_end()).await?;
    tx.commit().await?;
    let run = named(run);
    note(app, caller, organisation_id, &run, "stopped").await?;
    get(app, caller, organisation_id, id).await
}

fn not_held() -> Error {
    Error::Conflict("The run is not held.".to_owned())
}

async fn held(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<RunOfSync> {
    let run = get(app, caller, organisation_id, id).await?;
    if run.run.state == "held" {
        Ok(run)
    } else {
        Err(not_held())
    }
}

/// Writes into the log what somebody decided about a run.
async fn note(app: &App, caller: &Caller, organisation_id: i64, run: &RunOfSync, done: &str) -> Result<()> {
    let id = run.run.id;
    let change = Change::new(caller, Kind::AudienceSync, Action::Update, id)
        .in_organisation(organisation_id)
        .says(format!("Audience sync run {id} {done}: {}", run.sync));
    let tx = app.begin().await?;
    app.commit(tx, vec![change.into()]).await
}

async fn prepared(
    app: &App,
    tx: &mut Tx,
    organisation_id: i64,
    name: &str,
) -> Result<(AudienceSyncObject, PreparedSync)> {
    let stock = Stock::load(app, tx, organisation_id).await?;
    let (object, _) = stock.find(ObjectKind::Sync, name).ok_or_else(Error::not_found)?;
    let object = object.clone();
    let mut project = stock.check(app)?;
    let mut sync = project.syncs.remove(name).ok_or_else(Error::not_found)?;
    sync.job.name = ledger_name(organisation_id, name);
    Ok((object, sync))
}

/// A place for one more run on this node, if there is one.
pub(super) fn free_slot(app: &App) -> Option<Slot> {
    app.sync_slots().clone().try_acquire_owned().ok()
}

/// Runs a sync because its schedule says so. That it could not begin is written down, not returned.
pub(super) async fn run_scheduled(app: &App, object: &AudienceSyncObject, slot: Slot) -> Result<()> {
    let mut tx = app.db().read().await?;
    let sync = prepared(app, &mut tx, object.organisation_id, &object.name).await;
    drop(tx);
    let begun = match sync {
        Ok((_, sync)) => begin(app, object, None, sync, Wish::Run, slot).await,
        Err(error) => Err(error),
    };
    let (state, why) = match begun {
        Ok(_) => return Ok(()),
        Err(Error::Conflict(why)) => ("skipped", why),
        Err(Error::Unavailable(why)) => return Err(Error::Unavailable(why)),
        Err(error) => ("failed", error.to_string()),
    };
    let name = ledger_name(object.organisation_id, &object.name);
    let mut tx = app.db().begin().await?;
    let run = rows::insert_ended(&mut tx, &name, object.id, state, &why, Timestamp::now().0).await?;
    tx.commit().await?;
    if state == "failed" {
        alerts::tell_of_run(app, object, run).await;
    }
    Ok(())
}

/// Begins a run and leaves it to a task of its own.
async fn begin(
    app: &App,
    object: &AudienceSyncObject,
    started_by: Option<i64>,
    mut sync: PreparedSync,
    wish: Wish,
    slot: Slot,
) -> Result<i64> {
    let object_id = object.id;
    let origin = Origin {
        object_id,
        started_by,
    };
    if let destination::Settings::Burgee(settings) = &mut sync.job.destination {
        settings.lists = Some(Arc::new(OwnLists {
            app: app.clone(),
            organisation_id: object.organisation_id,
            started_by,
        }));
    }
    sync.job.watch = own_lists::watch(app, &sync.job.destination);
    let runner = app.sync_runner();
    let begun = match wish {
        Wish::Plan => runner.begin_plan(&sync, origin).await?,
        Wish::Run | Wish::Approved(_) => runner.begin(&sync, Some(origin)).await?,
    };
    let run = begun.run();
    tokio::spawn(carry_out(app.clone(), object_id, sync, begun, wish, slot));
    Ok(run)
}

async fn carry_out(app: App, object_id: i64, sync: PreparedSync, begun: Begun, wish: Wish, slot: Slot) {
    let run = begun.run();
    let runner = app.sync_runner().clone();
    let approved = match &wish {
        Wish::Approved(seal) => Some(seal.as_str()),
        Wish::Plan | Wish::Run => None,
    };
    let outcome = runner
        .finish(&sync, begun, approved, &(Arc::new(|_| {}) as _))
        .await;
    if let Err(error) = &outcome {
        tracing::warn!(%error, sync = sync.job.name, run, "an audience sync did not run to its end");
    }
    let told = after_run(&app, object_id, run, &wish).await;
    if let Err(error) = told {
        tracing::warn!(%error, sync = sync.job.name, run, "what follows a run was not done");
    }
    drop(slot);
}

/// Has those run that run after this sync, and tells whoever wants to know.
async fn after_run(app: &App, object_id: i64, run: i64, wish: &Wish) -> Result<()> {
    let mut tx = app.db().read().await?;
    let Some(object) = objects::get(&mut tx, object_id).await? else {
        return Ok(());
    };
    let ended = burgee_store::audience_syncs::run(&mut tx, run).await?;
    let stock = Stock::load(app, &mut tx, object.organisation_id).await?;
    drop(tx);
    let done = ended.is_some_and(|run| run.state == "done");
    if done && *wish != Wish::Plan {
        let followers = stock
            .of_kind(ObjectKind::Sync)
            .filter(|(_, content)| follows(content, &object.name));
        let mut tx = app.db().begin().await?;
        for (row, _) in followers {
            objects::set_due(&mut tx, row.id, Some(Timestamp::now().0)).await?;
        }
        objects::set_stale_told(&mut tx, object.id, None).await?;
        tx.commit().await?;
    }
    if *wish != Wish::Plan {
        alerts::tell_of_run(app, &object, run).await;
    }
    Ok(())
}

fn follows(content: &Value, name: &str) -> bool {
    let schedule = content.get("schedule").cloned().unwrap_or_default();
    let schedule: Option<Schedule> = serde_json::from_value(schedule).ok();
    content.get("enabled") != Some(&Value::Bool(false))
        && schedule.and_then(|schedule| schedule.after).as_deref() == Some(name)
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Running(_) => Self::Conflict("The sync is running already.".to_owned()),
            RunError::TakenOver | RunError::Owned { .. } | RunError::NotHeld(_) => {
                Self::Conflict(error.to_string())
            }
            RunError::Sync(error) => Self::Elsewhere(error.to_string()),
            RunError::Db(error) => error.into(),
        }
    }
}
