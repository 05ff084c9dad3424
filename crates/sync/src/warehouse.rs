//! `engine: warehouse`: the comparison is made where the rows are, and only rows that have changed leave it.
//!
//! The state (keys and hashes of values that the destination has acknowledged), a frozen copy of the model and the plan are
//! tables of a schema that is ours ([`texts`] has their statements, a [`Dialect`] what differs between databases). A run
//! freezes the model, plans, is guarded, and then goes through the plan window by window: read, sent, confirmed. A window is
//! marked before it is sent; one whose mark is still there when the next run begins may have been sent, and its keys count as
//! acknowledged with values nobody knows, so that they are sent again, or taken back.

mod dialect;
mod session;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use dialect::Dialect;
pub use texts::{Model, Texts};

use crate::cell::Cell;
use crate::destination::Destination;
use crate::error::{Result, SyncError};
use crate::ledger::RowError;
use crate::plan::{Counts, Mode, Op, OpKind, Samples};
use crate::source::adbc::Adbc;
use crate::watch::Watch;
use session::Session;

/// How many operations are read, sent and confirmed together.
const WINDOW: u64 = 20_000;

/// How many keys of each kind a plan shows, and how many conflicting ones it lists.
const SAMPLES: usize = 20;
const LISTED_CONFLICTS: u64 = 1_000;

/// How the database is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Postgres { url: String, public_only: bool },
    Adbc(Adbc),
}

/// A warehouse that compares, with the settings of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub reach: Reach,
    pub dialect: Dialect,
    /// The schema that may be written to.
    pub schema: String,
}

/// What a run wants of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// To look at it; nothing that a run needs is touched.
    Look,
    /// To send it. A plan that was approved, by its seal, is sent as it was frozen.
    Send { approved: Option<&'a str> },
}

/// A plan in its warehouse.
#[derive(Debug)]
pub struct WarehousePlan {
    session: Session,
    /// What looks at keys and values before they are sent; the tables are the warehouse's own.
    pub watch: Option<Arc<dyn Watch>>,
    texts: Texts,
    mode: Mode,
    /// The names at the destination, in the order of the columns of the frozen copy.
    names: Vec<String>,
    /// The number of the last operation.
    last: u64,
    at: u64,
    /// What the operations of the window under way are numbered.
    numbers: Vec<u64>,
    pub counts: Counts,
    pub samples: Samples,
    pub conflicts: Vec<String>,
    pub seal: String,
}

impl WarehousePlan {
    /// Freezes the model and compares it with the state.
    ///
    /// `sync` names the tables, `shape` changes with what is sent, `map` are the names at the destination with their columns.
    pub async fn make(
        settings: &Settings,
        (sync, shape): (&str, &str),
        model: &Model,
        map: &BTreeMap<String, String>,
        mode: Mode,
        purpose: Purpose<'_>,
    ) -> Result<Self> {
        let mut session = Session::connect(&settings.reach).await?;
        let first = session.execute(&Texts::first(settings, sync)).await;
        first.map_err(|error| no_schema(&settings.schema, &error))?;
        let mut plan = Self {
            session,
            texts: Texts::new(settings, sync, mode, model, purpose == Purpose::Look),
            mode,
            names: map.keys().cloned().collect(),
            last: 0,
            at: 0,
            numbers: Vec::new(),
            watch: None,
            counts: Counts::default(),
            samples: Samples::default(),
            conflicts: Vec::new(),
            seal: String::new(),
        };
        let known = plan.recover(shape, purpose).await?;
        match purpose {
            Purpose::Send { approved: Some(seal) } if known.as_deref() == Some(seal) => {
                seal.clone_into(&mut plan.seal);
            }
            Purpose::Look | Purpose::Send { .. } => plan.freeze(purpose).await?,
        }
        plan.count().await?;
        if purpose == Purpose::Look {
            {
                let statements = plan.texts.clear();
                plan.run(statements).await
            }?;
        }
        Ok(plan)
    }

    /// Makes the tables of the sync, takes in what an earlier run left open, and returns the seal of the plan that is there.
    async fn recover(&mut self, shape: &str, purpose: Purpose<'_>) -> Result<Option<String>> {
        let meta = self.session.rows(&self.texts.read_meta()).await?;
        let Some(meta) = meta.first() else {
            if purpose != Purpose::Look {
                {
                    let statements = self.texts.reset(shape);
                    self.run(statements).await
                }?;
            }
            return Ok(None);
        };
        let text = |at: usize| meta.get(at).and_then(Cell::as_key).unwrap_or_default();
        if purpose == Purpose::Look {
            return Ok(None);
        }
        if text(0) != shape {
            // Another target or another mapping: what was acknowledged says nothing about it.
            {
                let statements = self.texts.reset(shape);
                self.run(statements).await
            }?;
            return Ok(None);
        }
        let number = |at: usize| text(at).parse::<u64>().unwrap_or(0);
        let (from, upto) = (number(2), number(3));
        if upto > from {
            {
                let statements = self.texts.take_open_window(from, upto);
                self.run(statements).await
            }?;
            // What is left of that plan is planned anew.
            return Ok(None);
        }
        Ok(Some(text(1)).filter(|seal| !seal.is_empty()))
    }

    async fn run(&mut self, statements: Vec<String>) -> Result<()> {
        for statement in statements {
            self.session.execute(&statement).await?;
        }
        Ok(())
    }

    async fn freeze(&mut self, purpose: Purpose<'_>) -> Result<()> {
        self.seal = format!("warehouse-{:032x}", rand::random::<u128>());
        {
            let statements = self.texts.freeze(&self.seal, purpose == Purpose::Look);
            self.run(statements).await
        }
    }

    async fn count(&mut self) -> Result<()> {
        let rows = self.session.rows(&self.texts.counts()).await?;
        let number = |row: &[Cell], at: usize| match row.get(at) {
            Some(Cell::Int(number)) => u64::try_from(*number).unwrap_or(0),
            Some(Cell::Text(text)) => text.parse().unwrap_or(0),
            Some(Cell::Float(number)) => *number as u64,
            _ => 0,
        };
        if let Some(row) = rows.first() {
            self.counts = Counts {
                rows: number(row, 0),
                invalid: number(row, 1),
                duplicates: number(row, 2),
                conflicts: number(row, 3),
                acknowledged: number(row, 4),
                ..Counts::default()
            };
        }
        for row in self.session.rows(&self.texts.ops()).await? {
            let count = number(&row, 1);
            match self.kind(&row[0]) {
                OpKind::Add => self.counts.adds = count,
                OpKind::Update => self.counts.updates = count,
                OpKind::Remove => self.counts.removes += count,
                OpKind::Forget => {}
            }
            self.last += count;
        }
        let keys = self.counts.rows - self.counts.invalid - self.counts.duplicates;
        let arriving = if self.mode == Mode::Remove {
            self.counts.removes
        } else {
            self.counts.adds
        };
        self.counts.unchanged = keys.saturating_sub(arriving + self.counts.updates + self.counts.conflicts);
        for op in ["A", "U", "R"] {
            let found = self.session.rows(&self.texts.sample(op, SAMPLES)).await?;
            let found: Vec<String> = found.iter().filter_map(|row| row.first()?.as_key()).collect();
            match self.kind(&Cell::Text(op.to_owned())) {
                OpKind::Add => self.samples.adds = found,
                OpKind::Update => self.samples.updates = found,
                OpKind::Remove => self.samples.removes.extend(found),
                OpKind::Forget => {}
            }
        }
        if self.counts.conflicts > 0 {
            let found = self.session.rows(&self.texts.conflicts(LISTED_CONFLICTS)).await?;
            self.conflicts = found.iter().filter_map(|row| row.first()?.as_key()).collect();
        }
        Ok(())
    }

    /// What is sent for a row of the plan. In mode [`Mode::Remove`] what arrives in the model is to be removed.
    fn kind(&self, op: &Cell) -> OpKind {
        match op.as_key().as_deref() {
            Some("A") if self.mode == Mode::Remove => OpKind::Remove,
            Some("A") => OpKind::Add,
            Some("U") => OpKind::Update,
            _ => OpKind::Remove,
        }
    }

    /// The next operations, marked as being sent; none after the last. Rows that can't be sent are put in `unsendable`.
    pub async fn next_window(
        &mut self,
        destination: &dyn Destination,
        unsendable: &mut Vec<RowError>,
    ) -> Result<Vec<Op>> {
        while self.at < self.last {
            let (from, upto) = (self.at, (self.at + WINDOW).min(self.last));
            let mut ops = Vec::new();
            let mut left_out = Vec::new();
            self.numbers.clear();
            for row in self.session.rows(&self.texts.window(from, upto)).await? {
                let seq = row
                    .first()
                    .and_then(Cell::as_key)
                    .and_then(|seq| seq.parse().ok())
                    .unwrap_or(0);
                match self.op(&row, destination) {
                    Ok(op) => {
                        ops.push(op);
                        self.numbers.push(seq);
                    }
                    Err(error) => {
                        unsendable.push(error);
                        left_out.push(seq);
                    }
                }
            }
            {
                let statements = self.texts.mark(from, upto, &left_out);
                self.run(statements).await
            }?;
            if !ops.is_empty() {
                return Ok(ops);
            }
            self.confirm(&[]).await?;
        }
        {
            let statements = self.texts.finish();
            self.run(statements).await
        }?;
        Ok(Vec::new())
    }

    fn op(&self, row: &[Cell], destination: &dyn Destination) -> std::result::Result<Op, RowError> {
        let kind = self.kind(row.get(1).unwrap_or(&Cell::Null));
        let mut key = row.get(2).and_then(Cell::as_key).unwrap_or_default();
        let watch = self.watch.as_deref();
        let shown = watch.map_or_else(|| key.clone(), |watch| watch.shown(&key));
        let told = |reason: String| RowError {
            key: shown.chars().take(200).collect(),
            op: "invalid".to_owned(),
            reason,
        };
        // What is there already may always go, under whatever name it is there.
        if let Some(watch) = watch.filter(|_| kind != OpKind::Remove)
            && let Some(kept) = watch.key(&key).map_err(told)?
        {
            key = kept;
        }
        destination.admits_key(&key).map_err(told)?;
        let mut values = serde_json::Map::new();
        if kind != OpKind::Remove {
            for (name, cell) in self.names.iter().zip(&row[3..]) {
                let value = destination.convert(name, cell).map_err(told)?;
                let value = match watch {
                    Some(watch) => watch.value(name, value).map_err(told)?,
                    None => value,
                };
                values.insert(name.clone(), value);
            }
        }
        let payload = if values.is_empty() {
            Vec::new()
        } else {
            serde_json::to_vec(&values).unwrap_or_default()
        };
        Ok(Op {
            kind,
            key,
            print: 0,
            payload,
        })
    }

    /// The window is in the state but for the operations at these places in it, which were refused.
    pub async fn confirm(&mut self, refused: &[usize]) -> Result<()> {
        let (from, upto) = (self.at, (self.at + WINDOW).min(self.last));
        let refused: Vec<u64> = refused
            .iter()
            .filter_map(|place| self.numbers.get(*place).copied())
            .collect();
        {
            let statements = self.texts.confirm(from, upto, &refused);
            self.run(statements).await
        }?;
        self.at = upto;
        Ok(())
    }
}

fn no_schema(schema: &str, error: &SyncError) -> SyncError {
    SyncError::Source(format!(
        "tables of the sync can't be made in the schema {schema:?}: {error}. With `engine: warehouse` the comparison is made \
         there: create the schema, and let the role create tables in it"
    ))
}
