//! The environments as they are served: compiled, in memory, in step with the change log.
//!
//! Everything the SDK API reads is behind two atomic pointers: key → environment, environment → snapshot. Nothing here
//! waits for the database but [`Environments::catch_up`], which reads the change log from where it was and builds anew
//! what has changed. A write of this node catches up before it returns; other nodes are told by the database, and look
//! every second in case they were not.

mod document;
mod flags;
mod lists;
mod local;
mod rows;
mod snapshot;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use burgee_model::Timestamp;
use burgee_store::changes::{self, Notice};
use burgee_store::{Db, environments};
use tokio::sync::{Mutex, watch};

use crate::App;
use crate::error::Result;
use crate::pii::Guards;

pub(crate) use lists::Lists;
pub(crate) use rows::Rows;

pub(crate) use flags::FlagText;
pub use flags::Prepared;
pub(crate) use snapshot::Subject;
pub use snapshot::{ServedFeature, ServedSegment, Snapshot};

/// What API usage is counted by, numbered as in Flagsmith's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Flags = 1,
    Identities = 2,
    Traits = 3,
    EnvironmentDocument = 4,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Flags,
        Self::Identities,
        Self::Traits,
        Self::EnvironmentDocument,
    ];
}

/// A served environment, the same object for as long as the environment lives.
#[derive(Debug)]
pub struct Served {
    snapshot: ArcSwap<Snapshot>,
    /// Tells event streams that answers changed.
    changed: watch::Sender<Timestamp>,
    usage: [AtomicU64; 4],
    first_evaluation_noted: AtomicBool,
}

impl Served {
    fn new(snapshot: Snapshot) -> Self {
        let changed = watch::Sender::new(snapshot.updated_at);
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            changed,
            usage: Default::default(),
            first_evaluation_noted: AtomicBool::new(false),
        }
    }

    /// The environment as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Follows the changes of the environment's answers; the current version is there at once. Ends when the
    /// environment is deleted.
    pub fn follow(&self) -> watch::Receiver<Timestamp> {
        self.changed.subscribe()
    }

    /// Counts a request.
    pub fn count(&self, resource: Resource) {
        self.count_many(resource, 1);
    }

    /// Counts requests.
    pub fn count_many(&self, resource: Resource, count: u64) {
        self.usage[resource as usize - 1].fetch_add(count, Ordering::Relaxed);
    }

    /// Whether this is the first call: so that the first evaluation is stored once.
    pub(crate) fn note_first_evaluation(&self) -> bool {
        !self.first_evaluation_noted.swap(true, Ordering::Relaxed)
    }

    /// Takes what was counted since the last time.
    pub fn take_usage(&self) -> [(Resource, u64); 4] {
        Resource::ALL.map(|resource| {
            (
                resource,
                self.usage[resource as usize - 1].swap(0, Ordering::Relaxed),
            )
        })
    }

    fn replace(&self, snapshot: Snapshot) {
        let updated_at = snapshot.updated_at;
        self.snapshot.store(Arc::new(snapshot));
        self.changed.send_if_modified(|current| {
            let newer = *current < updated_at;
            *current = updated_at.max(*current);
            newer
        });
    }
}

/// What a key opens.
#[derive(Debug, Clone)]
pub enum Key {
    Client,
    Server { active: bool, expires_at: Option<i64> },
}

#[derive(Debug, Default, Clone)]
struct Index {
    /// Client-side and server-side keys.
    keys: HashMap<String, (Key, Arc<Served>)>,
    /// By environment, with the keys that open it.
    ids: HashMap<i64, (Arc<Served>, Vec<String>)>,
}

impl Index {
    /// Replaces one environment, with its keys; without rows it goes.
    fn put(&mut self, guards: &Guards, id: i64, rows: Option<Rows>) {
        let known = self.ids.remove(&id);
        for key in known.iter().flat_map(|(_, keys)| keys) {
            self.keys.remove(key);
        }
        let Some(rows) = rows else { return };
        let mut snapshot = Snapshot::build(&rows);
        snapshot.guard = guards.of(&rows.project);
        let served = match known {
            Some((served, _)) => {
                served.replace(snapshot);
                served
            }
            None => Arc::new(Served::new(snapshot)),
        };
        let mut keys = vec![(rows.environment.api_key, Key::Client)];
        keys.extend(rows.server_keys.into_iter().map(|key| {
            let kind = Key::Server {
                active: key.active,
                expires_at: key.expires_at,
            };
            (key.key, kind)
        }));
        self.ids.insert(
            id,
            (served.clone(), keys.iter().map(|(key, _)| key.clone()).collect()),
        );
        self.keys
            .extend(keys.into_iter().map(|(key, kind)| (key, (kind, served.clone()))));
    }
}

/// All environments of this installation.
#[derive(Debug, Default)]
pub struct Environments {
    index: ArcSwap<Index>,
    /// Who is in the lists of segments.
    lists: Lists,
    /// What makes the guards of projects.
    guards: Guards,
    /// The last change that was read; held while catching up, so that changes are applied in order.
    position: Mutex<i64>,
    /// When the log was last read to its end.
    level: ArcSwapOption<Instant>,
}

/// Changes read at a time.
const BATCH: i64 = 1000;

impl Environments {
    /// Loads every environment.
    pub(crate) async fn load(db: &Db, guards: Guards) -> Result<Self> {
        let environments = Self {
            guards,
            ..Self::default()
        };
        {
            let mut position = environments.position.lock().await;
            let mut tx = db.read().await?;
            *position = changes::head(&mut tx).await?;
            environments.level.store(Some(Arc::new(Instant::now())));
            let mut index = Index::default();
            for id in environments::ids_in_scope(&mut tx, None, None).await? {
                let rows = Rows::load(&mut tx, &environments.lists, id).await?;
                index.put(&environments.guards, id, rows);
            }
            environments.index.store(Arc::new(index));
        }
        Ok(environments)
    }

    /// Who is in the lists of segments.
    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// What makes the guards of projects.
    pub(crate) fn guards(&self) -> &Guards {
        &self.guards
    }

    /// The environment a key opens, and whether the key is a server-side one. Inactive and expired keys open nothing.
    pub fn find(&self, key: &str) -> Option<(Arc<Served>, bool)> {
        let index = self.index.load();
        let (kind, served) = index.keys.get(key)?;
        match kind {
            Key::Client => Some((served.clone(), false)),
            Key::Server { active: false, .. } => None,
            Key::Server {
                expires_at: Some(at), ..
            } if *at <= Timestamp::now().0 => None,
            Key::Server { .. } => Some((served.clone(), true)),
        }
    }

    /// The environment with this id.
    pub fn by_id(&self, id: i64) -> Option<Arc<Served>> {
        self.index.load().ids.get(&id).map(|(served, _)| served.clone())
    }

    /// Every served environment.
    pub fn all(&self) -> Vec<Arc<Served>> {
        self.index
            .load()
            .ids
            .values()
            .map(|(served, _)| served.clone())
            .collect()
    }

    /// Reads the change log from where it was and builds anew what has changed.
    pub(crate) async fn catch_up(&self, db: &Db) -> Result<()> {
        let mut position = self.position.lock().await;
        loop {
            let mut tx = db.read().await?;
            let notices = changes::after(&mut tx, *position, BATCH).await?;
            let Some(last) = notices.last() else {
                self.level.store(Some(Arc::new(Instant::now())));
                return Ok(());
            };
            let concerned = self.concerned(&mut tx, &notices).await?;
            if !concerned.is_empty() {
                let mut index = Index::clone(&self.index.load());
                for id in concerned {
                    let rows = Rows::load(&mut tx, &self.lists, id).await?;
                    let served = rows.as_ref().map(|rows| &rows.lists);
                    self.lists.keep_only(id, served.unwrap_or(&HashMap::new()));
                    index.put(&self.guards, id, rows);
                }
                self.index.store(Arc::new(index));
            }
            let now = Timestamp::now().0;
            for notice in notices.iter().filter(|notice| notice.serves) {
                let seconds = (now - notice.at).max(0) as f64 / 1e6;
                metrics::histogram!("burgee_change_served_seconds").record(seconds);
            }
            *position = last.id;
        }
    }

    /// How long ago this node last knew the whole change log: about a second at most, while the database answers.
    pub(crate) fn lag(&self) -> Duration {
        self.level
            .load()
            .as_ref()
            .map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// The environments whose answers or keys these changes may touch: those that are there and those that were.
    async fn concerned(&self, tx: &mut burgee_store::Tx, notices: &[Notice]) -> Result<BTreeSet<i64>> {
        let mut ids = BTreeSet::new();
        for notice in notices
            .iter()
            .filter(|n| n.serves || n.object_type == "SERVER_KEY" || n.object_type == "ENVIRONMENT")
        {
            if let Some(id) = notice.environment_id {
                ids.insert(id);
                continue;
            }
            let (organisation, project) = (notice.organisation_id, notice.project_id);
            ids.extend(environments::ids_in_scope(tx, organisation, project).await?);
            let index = self.index.load();
            ids.extend(index.ids.iter().filter_map(|(id, (served, _))| {
                let snapshot = served.snapshot.load();
                let inside = match project {
                    Some(project) => snapshot.project_id == project,
                    None => organisation.is_none_or(|organisation| snapshot.organisation_id == organisation),
                };
                inside.then_some(*id)
            }));
        }
        Ok(ids)
    }
}

/// Stores that an SDK has asked an environment for flags.
pub(crate) async fn store_first_evaluation(app: &App, id: i64, label: &str) -> Result<()> {
    let mut tx = app.db().begin().await?;
    environments::note_first_evaluation(&mut tx, id, Timestamp::now().0, label).await?;
    Ok(tx.commit().await?)
}
