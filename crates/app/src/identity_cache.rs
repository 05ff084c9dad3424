//! Identities that were asked for a moment ago, kept in memory where this process owns the database.
//!
//! Only on SQLite: there every write goes through this process, which keeps the cache right. For the case that somebody
//! runs a second process on the same file, an entry counts for a second only, as long as other changes take to be seen.
//! On Postgres other nodes write, and every request reads its identity.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use burgee_store::Db;
use burgee_store::identities::Identity;
use quick_cache::sync::Cache;

/// How long an entry counts.
const FRESH: Duration = Duration::from_secs(1);
/// The most identities kept. One with ten traits takes about 1 kB.
const IDENTITIES: usize = 20_000;
/// Writes are told apart by this many groups of identities.
const SHARDS: usize = 256;

type Key = (i64, Box<str>);

/// The cache. Switched off, it finds nothing and keeps nothing.
#[derive(Debug)]
pub(crate) struct IdentityCache {
    entries: Option<Cache<Key, (Arc<Identity>, Instant)>>,
    /// Counts the writes of each group, so that a read that began before a write is not kept after it.
    writes: Box<[AtomicU64]>,
    /// Counts the times everything was forgotten.
    clears: AtomicU64,
    hasher: RandomState,
}

/// The state of the counters when a read or a write began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    writes: u64,
    clears: u64,
}

impl IdentityCache {
    pub(crate) fn for_database(db: &Db) -> Self {
        Self {
            entries: matches!(db, Db::Sqlite { .. }).then(|| Cache::new(IDENTITIES)),
            writes: (0..SHARDS).map(|_| AtomicU64::new(0)).collect(),
            clears: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, environment_id: i64, identifier: &str) -> &AtomicU64 {
        let hash = self.hasher.hash_one((environment_id, identifier));
        &self.writes[hash as usize % SHARDS]
    }

    /// To be taken before the database is read.
    pub(crate) fn ticket(&self, environment_id: i64, identifier: &str) -> Ticket {
        Ticket {
            writes: self.shard(environment_id, identifier).load(Ordering::SeqCst),
            clears: self.clears.load(Ordering::SeqCst),
        }
    }

    /// The identity, if it was seen within the last second.
    pub(crate) fn get(&self, environment_id: i64, identifier: &str) -> Option<Arc<Identity>> {
        let (identity, seen) = self
            .entries
            .as_ref()?
            .get(&Borrowed(environment_id, identifier))?;
        (seen.elapsed() < FRESH).then_some(identity)
    }

    /// Keeps what was read, unless it was written to meanwhile.
    pub(crate) fn keep_read(&self, ticket: Ticket, identity: &Arc<Identity>) {
        let Some(entries) = &self.entries else { return };
        if self.ticket(identity.environment_id, &identity.identifier) == ticket {
            let key = (identity.environment_id, identity.identifier.as_str().into());
            entries.insert(key, (identity.clone(), Instant::now()));
        }
    }

    /// Keeps what was written, when nothing was cleared since `clears`; forgets what was known before.
    pub(crate) fn keep_written(&self, clears: u64, identity: &Identity) {
        let Some(entries) = &self.entries else { return };
        self.shard(identity.environment_id, &identity.identifier)
            .fetch_add(1, Ordering::SeqCst);
        if self.clears() == clears {
            let key = (identity.environment_id, identity.identifier.as_str().into());
            entries.insert(key, (Arc::new(identity.clone()), Instant::now()));
        } else {
            entries.remove(&Borrowed(identity.environment_id, &identity.identifier));
        }
    }

    /// To be taken before a write.
    pub(crate) fn clears(&self) -> u64 {
        self.clears.load(Ordering::SeqCst)
    }

    /// Forgets everything: after writes that did not come through the collector.
    pub(crate) fn clear(&self) {
        if let Some(entries) = &self.entries {
            self.clears.fetch_add(1, Ordering::SeqCst);
            entries.clear();
        }
    }
}

/// A key that owns nothing, for looking up.
struct Borrowed<'a>(i64, &'a str);

impl Hash for Borrowed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl quick_cache::Equivalent<Key> for Borrowed<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && self.1 == &*key.1
    }
}

#[cfg(test)]
mod tests {
    use burgee_model::traits::TraitSet;

    use super::*;

    fn identity(id: i64) -> Arc<Identity> {
        Arc::new(Identity {
            id,
            environment_id: 1,
            identifier: "u".to_owned(),
            traits: TraitSet::default(),
            created_at: 0,
            hash_seed: None,
        })
    }

    async fn cache() -> (IdentityCache, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display()), 1)
            .await
            .unwrap();
        (IdentityCache::for_database(&db), folder)
    }

    #[tokio::test]
    async fn what_was_read_before_a_write_is_not_kept_after_it() {
        let (cache, _folder) = cache().await;
        let ticket = cache.ticket(1, "u");
        cache.keep_written(cache.clears(), &identity(2));
        cache.keep_read(ticket, &identity(1));
        assert_eq!(cache.get(1, "u").map(|i| i.id), Some(2));
    }

    #[tokio::test]
    async fn what_was_written_before_a_clearing_is_not_kept_after_it() {
        let (cache, _folder) = cache().await;
        let (clears, ticket) = (cache.clears(), cache.ticket(1, "u"));
        cache.clear();
        cache.keep_written(clears, &identity(1));
        cache.keep_read(ticket, &identity(1));
        assert!(cache.get(1, "u").is_none());
    }
}
