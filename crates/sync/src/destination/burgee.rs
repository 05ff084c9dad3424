//! List segments of the server that runs the sync, in process.
//!
//! A list of up to [`MOST_COMPARED`] members is compared with what it holds now, so a mirror is exact from its first run;
//! of a larger one the acknowledged state counts. The segment is never created.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{Destination, Refusal, Shape, Standing};
use crate::cell::Cell;
use crate::error::{Result, SyncError};
use crate::plan::{Mode, Op, OpKind};

/// The most members that are read to compare with.
pub const MOST_COMPARED: usize = 100_000;

/// Operations that are written in one transaction.
const BATCH: usize = 10_000;

/// Whether a key can be a member; the reason when not.
type Admitted = std::result::Result<(), String>;

/// Which list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The client-side key of the environment.
    pub environment: String,
    /// The key of the list segment.
    pub segment: String,
    pub context_kind: String,
}

/// The list segments of the server, as far as the sync may write to them.
pub trait Lists: std::fmt::Debug + Send + Sync {
    /// Whether a key can be a member; the reason when not.
    fn admits(&self, key: &str) -> Admitted;

    /// The members there are, unless they are more than `most`. Fails when there is no such list segment.
    fn members<'a>(&'a self, list: &'a List, most: usize) -> BoxFuture<'a, Result<Option<BTreeSet<String>>>>;

    /// Writes members, each with whether it is in from now on, all of them or none.
    fn write<'a>(&'a self, list: &'a List, members: Vec<(String, bool)>) -> BoxFuture<'a, Result<()>>;

    /// Which of these keys are members.
    fn holds<'a>(&'a self, list: &'a List, keys: Vec<String>) -> BoxFuture<'a, Result<Vec<bool>>>;
}

/// The settings of a destination and of one sync to it.
#[derive(Debug, Clone)]
pub struct Settings {
    pub list: List,
    /// Given by the server that runs the sync.
    pub lists: Option<Arc<dyn Lists>>,
}

#[derive(Debug)]
struct Burgee {
    list: List,
    lists: Arc<dyn Lists>,
}

pub(super) fn open(settings: Settings, mode: Mode) -> Result<Box<dyn Destination>> {
    check(&settings, mode)?;
    let lists = settings.lists.ok_or_else(|| {
        SyncError::destination(
            "This process has no list segments",
            "Keep the sync on the server (PUT …/audience-sync/document/), or use `type: launchdarkly` with the server's \
             address as its instance.",
        )
    })?;
    let list = settings.list;
    Ok(Box::new(Burgee { list, lists }))
}

/// Checks the settings for a mode.
pub(crate) fn check(settings: &Settings, mode: Mode) -> Result<()> {
    if mode == Mode::Upsert {
        let problem = "a segment takes add, remove or mirror: it holds keys and no values";
        return Err(SyncError::config("mode", problem));
    }
    let List {
        environment,
        segment,
        context_kind,
    } = &settings.list;
    let needed = [
        ("environment", environment),
        ("segment", segment),
        ("context_kind", context_kind),
    ];
    match needed.iter().find(|(_, value)| value.is_empty()) {
        Some((setting, _)) => Err(SyncError::config(*setting, "is needed")),
        None => Ok(()),
    }
}

/// What is written to.
pub(crate) fn owned(settings: &Settings) -> String {
    let list = &settings.list;
    format!(
        "burgee {}/{} {}",
        list.environment, list.segment, list.context_kind
    )
}

impl Destination for Burgee {
    fn admits_key(&self, key: &str) -> Admitted {
        self.lists.admits(key)
    }

    fn convert(&self, name: &str, _: &Cell) -> std::result::Result<Value, String> {
        Err(format!("a segment holds keys only, no {name}"))
    }

    fn preflight(&self) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(async move {
            let live = self.lists.members(&self.list, MOST_COMPARED).await?;
            let shape = Shape {
                batch: BATCH,
                lanes: 1,
                removes_first: true,
            };
            Ok(Standing {
                shape,
                live,
                room: None,
            })
        })
    }

    fn send<'a>(&'a self, batch: &'a [Op], _: &'a str) -> BoxFuture<'a, std::result::Result<(), Refusal>> {
        let members = batch.iter().map(|op| (op.key.clone(), op.kind != OpKind::Remove));
        let members = members.collect();
        Box::pin(async move { self.lists.write(&self.list, members).await.map_err(Refusal::Run) })
    }

    fn missing<'a>(&'a self, sample: &'a [Op]) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let keys = sample.iter().map(|op| op.key.clone()).collect();
            let holds = self.lists.holds(&self.list, keys).await?;
            let odd = sample
                .iter()
                .zip(holds)
                .find(|(op, holds)| (op.kind != OpKind::Remove) != *holds);
            Ok(odd.map(|(op, _)| op.key.clone()))
        })
    }
}
