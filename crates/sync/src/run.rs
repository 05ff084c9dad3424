//! One run of one sync: look, read, plan, guard, deliver.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::cell::{Cell, PAIR, fingerprint};
use crate::deliver::delivery::Delivery;
use crate::deliver::transport::Transport;
use crate::deliver::windows::Windows;
use crate::destination::{Destination, Settings, Standing};
use crate::error::{Result, SyncError};
use crate::guard::{self, Guards, Hold};
use crate::ledger::{Checkpoint, Ledger, Progress, RowError};
use crate::plan::block::{BlockReader, BlockWriter, PARTS, part_of};
use crate::plan::diff::diff_part;
use crate::plan::recovery::Recovery;
use crate::plan::spool::{Spool, SpooledRow};
use crate::plan::{Basis, Counts, Mode, Plan, PlanWriter, Samples};
use crate::source::{self, Query, Row, RowStream, Source};
use crate::warehouse::{self, WarehousePlan};
use crate::watch::Watch;

pub use crate::warehouse::Purpose;

/// Rows that can't be sent are kept with their reasons up to this number; beyond it they are only counted.
const MOST_INVALID: usize = 10_000;

/// One sync, ready to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// For logs and for the other side's logs.
    pub name: String,
    pub source: Source,
    pub query: Query,
    /// The column that holds the identifier or context key.
    pub key: String,
    /// What is sent of a row, by the name it goes by at the destination: the column it comes from. Empty for audiences.
    pub map: BTreeMap<String, String>,
    pub mode: Mode,
    pub destination: Settings,
    pub guards: Guards,
    /// Whether a mirror of a live segment leaves members alone that it did not add.
    pub managed_only: bool,
    /// Where a row is one trait: the columns of its name and of its value. `map` is empty then.
    pub long: Option<Long>,
    /// The warehouse that compares, where that is not done here.
    pub warehouse: Option<warehouse::Settings>,
    /// What looks at keys and values before anything else does.
    pub watch: Option<Arc<dyn Watch>>,
    /// Changes when what is sent changes.
    pub shape: String,
}

/// The columns of a model whose rows are one trait each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Long {
    pub trait_key: String,
    pub trait_value: String,
}

/// How a run is going, for progress bars and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows read so far.
    Reading(u64),
    Planning,
    /// How far the delivery is, of how many operations.
    Delivering(Progress, u64),
}

/// Told of every stage. Called from several threads, and often.
pub type Watcher = Arc<dyn Fn(Stage) + Send + Sync>;

/// A plan that is known and not yet sent.
#[derive(Debug)]
pub struct Prepared {
    pub plan: Summary,
    /// Why it must not be sent without an approval; empty when it may.
    pub holds: Vec<Hold>,
    /// Rows that can't be sent, up to ten thousand.
    pub invalid: Vec<RowError>,
    work: Work,
    standing: Standing,
    destination: Arc<dyn Destination>,
    transport: Transport,
}

/// What a plan amounts to.
#[derive(Debug, Clone)]
pub struct Summary {
    pub counts: Counts,
    /// Some keys of each kind, to look at.
    pub samples: Samples,
    /// Keys that came with different values, up to a thousand.
    pub conflicts: Vec<String>,
    /// What an approval is bound to.
    pub seal: String,
}

/// Where a plan is.
#[derive(Debug)]
enum Work {
    Here(Box<Plan>),
    Warehouse(Box<WarehousePlan>),
}

impl Work {
    /// What it amounts to, and how many members would be removed that this sync did not add.
    fn summary(&self) -> (Summary, u64) {
        let (counts, samples, conflicts, seal, foreign) = match self {
            Self::Here(plan) => (
                plan.counts,
                &plan.samples,
                &plan.conflicts,
                &plan.seal,
                plan.foreign,
            ),
            Self::Warehouse(plan) => (plan.counts, &plan.samples, &plan.conflicts, &plan.seal, 0),
        };
        let summary = Summary {
            counts,
            samples: samples.clone(),
            conflicts: conflicts.clone(),
            seal: seal.clone(),
        };
        (summary, foreign)
    }
}

/// What a delivery came to.
#[derive(Debug)]
pub struct Delivered {
    pub progress: Progress,
    /// Why it ended early, when it did.
    pub outcome: Result<()>,
}

/// Looks at the destination, reads the model and plans. Nothing is sent.
pub async fn prepare(
    job: &Job,
    purpose: Purpose<'_>,
    transport: Transport,
    ledger: Arc<dyn Ledger>,
    watcher: &Watcher,
) -> Result<Prepared> {
    let destination: Arc<dyn Destination> = job.destination.clone().open(job.mode, transport.clone())?.into();
    prepare_for(job, purpose, destination, transport, ledger, watcher).await
}

/// The same for a destination that is open already.
pub async fn prepare_for(
    job: &Job,
    purpose: Purpose<'_>,
    destination: Arc<dyn Destination>,
    transport: Transport,
    ledger: Arc<dyn Ledger>,
    watcher: &Watcher,
) -> Result<Prepared> {
    let standing = destination.preflight().await?;
    // A segment that tells its members is small, and is compared with them: that is done here.
    let warehouse = job.warehouse.as_ref().filter(|_| standing.live.is_none());
    let mut invalid = Vec::new();
    let work = if let Some(settings) = warehouse {
        watcher(Stage::Planning);
        Work::Warehouse(Box::new(in_warehouse(job, settings, purpose).await?))
    } else {
        let live = standing.live.clone();
        let plan;
        (plan, invalid) = here(job, live, destination.clone(), ledger, watcher).await?;
        Work::Here(Box::new(plan))
    };
    let (mut plan, foreign) = work.summary();
    if let (Some(watch), Work::Warehouse(_)) = (&job.watch, &work) {
        let samples = &mut plan.samples;
        for keys in [&mut samples.adds, &mut samples.updates, &mut samples.removes] {
            for key in keys.iter_mut() {
                *key = watch.shown(key);
            }
        }
    }
    let holds = guard::check(&job.guards, &plan.counts, foreign, standing.room);
    Ok(Prepared {
        plan,
        holds,
        invalid,
        work,
        standing,
        destination,
        transport,
    })
}

async fn in_warehouse(
    job: &Job,
    settings: &warehouse::Settings,
    purpose: Purpose<'_>,
) -> Result<WarehousePlan> {
    let model = warehouse::Model {
        query: job.query.clone(),
        key: job.key.clone(),
        columns: job.map.values().cloned().collect(),
    };
    let mut plan = WarehousePlan::make(
        settings,
        (&job.name, &job.shape),
        &model,
        &job.map,
        job.mode,
        purpose,
    )
    .await?;
    plan.watch.clone_from(&job.watch);
    Ok(plan)
}

async fn here(
    job: &Job,
    live: Option<BTreeSet<String>>,
    destination: Arc<dyn Destination>,
    ledger: Arc<dyn Ledger>,
    watcher: &Watcher,
) -> Result<(Plan, Vec<RowError>)> {
    let recovery = Recovery::run(ledger.as_ref(), job.mode).await?;
    let stream = source::open(&job.source, &job.query).await?;
    let columns = Columns::find(job, &stream)?;
    let work = Planner {
        mode: job.mode,
        managed_only: job.managed_only,
        columns,
        watch: job.watch.clone(),
        destination,
        ledger,
        recovery,
        live: live.map(by_part),
        watcher: watcher.clone(),
        invalid: Vec::new(),
    };
    // Sorting and comparing keep a thread busy; requests of others must not wait for it.
    let runtime = Handle::current();
    let planned = tokio::task::spawn_blocking(move || work.plan(stream, &runtime));
    planned
        .await
        .map_err(|error| SyncError::Source(error.to_string()))?
}

impl Prepared {
    /// Sends the plan. Whoever calls has seen to it that nothing holds it, or that it was approved.
    pub async fn deliver(mut self, name: &str, ledger: &dyn Ledger, watcher: &Watcher) -> Delivered {
        let to_send = self.plan.counts.to_send();
        let errors = std::mem::take(&mut self.invalid);
        let written = ledger
            .checkpoint(Checkpoint {
                errors,
                ..Checkpoint::default()
            })
            .await;
        if let Err(error) = written {
            return Delivered {
                progress: Progress::default(),
                outcome: Err(error.into()),
            };
        }
        let (shape, destination) = (self.standing.shape, self.destination.as_ref());
        let report = |progress| watcher(Stage::Delivering(progress, to_send));
        let counts = || self.transport.counts();
        let (progress, outcome) = match &mut self.work {
            Work::Here(plan) => {
                let delivery = Delivery::new(plan, destination, ledger, shape, name);
                delivery.run(counts, report).await
            }
            Work::Warehouse(plan) => {
                let windows = Windows::new(plan, destination, ledger, shape, name);
                windows.run(counts, report).await
            }
        };
        Delivered { progress, outcome }
    }
}

/// Where the columns of a job are among those of its source.
#[derive(Debug)]
struct Columns {
    key: usize,
    /// The name at the destination, and the column.
    mapped: Vec<(String, usize)>,
    /// The columns of the name and the value of a trait, where a row is one.
    long: Option<(usize, usize)>,
}

impl Columns {
    fn find(job: &Job, stream: &RowStream) -> Result<Self> {
        let mapped = job.map.iter().map(|(name, column)| {
            let place = source::column(&stream.columns, column);
            place.map(|place| (name.clone(), place))
        });
        Ok(Self {
            key: source::column(&stream.columns, &job.key)?,
            mapped: mapped.collect::<Result<_>>()?,
            long: match &job.long {
                None => None,
                Some(long) => Some((
                    source::column(&stream.columns, &long.trait_key)?,
                    source::column(&stream.columns, &long.trait_value)?,
                )),
            },
        })
    }
}

/// Turns rows into a plan, on a thread of its own.
struct Planner {
    mode: Mode,
    managed_only: bool,
    columns: Columns,
    watch: Option<Arc<dyn Watch>>,
    destination: Arc<dyn Destination>,
    ledger: Arc<dyn Ledger>,
    recovery: Recovery,
    live: Option<Vec<Vec<String>>>,
    watcher: Watcher,
    invalid: Vec<RowError>,
}

impl Planner {
    fn plan(mut self, mut stream: RowStream, runtime: &Handle) -> Result<(Plan, Vec<RowError>)> {
        let mut spool = Spool::default();
        let (mut rows, mut invalid) = (0_u64, 0_u64);
        while let Some(load) = stream.rows.blocking_recv() {
            for row in load? {
                rows += 1;
                invalid += u64::from(!self.take(&row, &mut spool)?);
            }
            (self.watcher)(Stage::Reading(rows));
        }
        (self.watcher)(Stage::Planning);
        let mut plan = PlanWriter::new(self.mode)?;
        for part in 0..PARTS {
            let kept = runtime.block_on(self.ledger.block(part))?;
            let kept = self.recovery.folded(part, &kept)?;
            let (state, basis) = self.compared_with(part, &kept)?;
            let sorted = spool.take(part)?;
            plan.push(diff_part(self.mode, &sorted, state, &basis)?)?;
        }
        Ok((plan.seal(rows, invalid), self.invalid))
    }

    /// Puts a row where it belongs; false when it can't be sent.
    fn take(&mut self, row: &Row, spool: &mut Spool) -> Result<bool> {
        let Some(mut key) = row.get(self.columns.key).and_then(Cell::as_key) else {
            self.refuse("", "the row has no key".to_owned());
            return Ok(false);
        };
        match self.watch.as_ref().map(|watch| watch.key(&key)) {
            Some(Err(reason)) => {
                self.refuse("", reason);
                return Ok(false);
            }
            Some(Ok(Some(kept))) => key = kept,
            Some(Ok(None)) | None => {}
        }
        if let Err(reason) = self.destination.admits_key(&key) {
            self.refuse(&key, reason);
            return Ok(false);
        }
        if let Some((name, value)) = self.columns.long {
            return self.take_trait(&key, (&row[name], &row[value]), spool);
        }
        let cells = || {
            self.columns
                .mapped
                .iter()
                .filter_map(|(_, place)| row.get(*place))
        };
        let print = fingerprint(cells());
        let mut values = Map::new();
        let mut problem = None;
        for ((name, _), cell) in self.columns.mapped.iter().zip(cells()) {
            match self.convert(name, cell) {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(reason) => problem = problem.or(Some(reason)),
            }
        }
        let payload = if values.is_empty() {
            Vec::new()
        } else {
            serde_json::to_vec(&Value::Object(values)).unwrap_or_default()
        };
        let valid = problem.is_none();
        spool.push(SpooledRow {
            key: &key,
            print,
            valid,
            payload: &payload,
        })?;
        if let Some(reason) = problem {
            self.refuse(&key, reason);
        }
        Ok(valid)
    }

    /// Puts a row that is one trait where it belongs: by the identifier and the name of the trait together.
    fn take_trait(&mut self, key: &str, (name, value): (&Cell, &Cell), spool: &mut Spool) -> Result<bool> {
        let Some(name) = name.as_key() else {
            self.refuse(key, "the row names no trait".to_owned());
            return Ok(false);
        };
        let (payload, problem) = match self.convert(&name, value) {
            Ok(value) => {
                let values = Map::from_iter([(name.clone(), value)]);
                (serde_json::to_vec(&values).unwrap_or_default(), None)
            }
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let valid = problem.is_none();
        spool.push(SpooledRow {
            key: &format!("{key}{PAIR}{name}"),
            print: fingerprint(std::iter::once(value)),
            valid,
            payload: &payload,
        })?;
        if let Some(reason) = problem {
            self.refuse(key, reason);
        }
        Ok(valid)
    }

    fn convert(&self, name: &str, cell: &Cell) -> std::result::Result<Value, String> {
        let value = self.destination.convert(name, cell)?;
        match &self.watch {
            Some(watch) => watch.value(name, value),
            None => Ok(value),
        }
    }

    fn refuse(&mut self, key: &str, reason: String) {
        if self.invalid.len() < MOST_INVALID {
            self.invalid.push(RowError {
                key: key.chars().take(200).collect(),
                op: "invalid".to_owned(),
                reason,
            });
        }
    }

    /// What a part is compared with: the members there are now where they are known, else what was acknowledged.
    fn compared_with(&mut self, part: usize, kept: &[u8]) -> Result<(BlockReader, Basis)> {
        let Some(live) = &mut self.live else {
            return Ok((BlockReader::open(kept)?, Basis::Acknowledged));
        };
        let mut managed = HashSet::new();
        let mut reader = BlockReader::open(kept)?;
        while let Some((key, _)) = reader.next_entry()? {
            managed.insert(key.to_owned());
        }
        let mut members = BlockWriter::default();
        for key in std::mem::take(&mut live[part]) {
            members.push(&key, 0);
        }
        let basis = Basis::Live {
            managed,
            managed_only: self.managed_only,
        };
        Ok((BlockReader::open(&members.finish()?)?, basis))
    }
}

/// Members by part, in order.
fn by_part(members: BTreeSet<String>) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new(); PARTS];
    for key in members {
        parts[part_of(&key)].push(key);
    }
    parts
}
