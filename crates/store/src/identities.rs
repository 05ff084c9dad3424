//! Identities: one row each, with its traits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use burgee_model::traits::{TraitChange, TraitError, TraitSet};
use serde_json::json;

use crate::{Db, Result, Tx, query, row, sql};

row! {
    /// An identity as its row has it.
    pub struct IdentityRow {
        pub id: i64,
        pub environment_id: i64,
        pub identifier: String,
        pub traits: String,
        pub created_at: i64,
        pub hash_seed: Option<i64>,
    }
}

/// An identity with its traits.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub id: i64,
    pub environment_id: i64,
    pub identifier: String,
    pub traits: TraitSet,
    pub created_at: i64,
    /// What buckets are computed from when it is not the id: kept when an identity comes from elsewhere.
    pub hash_seed: Option<i64>,
}

impl Identity {
    /// What buckets are computed from, where they are not computed from the identifier.
    pub fn hash_seed(&self) -> i64 {
        self.hash_seed.unwrap_or(self.id)
    }
}

impl From<IdentityRow> for Identity {
    fn from(row: IdentityRow) -> Self {
        let traits = TraitSet::parse(&row.traits).unwrap_or_else(|error| {
            tracing::error!(identity.id = row.id, %error, "the traits of an identity can't be read");
            TraitSet::default()
        });
        Self {
            id: row.id,
            environment_id: row.environment_id,
            identifier: row.identifier,
            traits,
            created_at: row.created_at,
            hash_seed: row.hash_seed,
        }
    }
}

/// One identity by its identifier, in one round trip.
pub async fn find_by_identifier(db: &Db, environment_id: i64, identifier: &str) -> Result<Option<Identity>> {
    let row = query!(
        db,
        fetch_optional as IdentityRow,
        "SELECT id, environment_id, identifier, traits, created_at, hash_seed FROM identities
         WHERE environment_id = $1 AND identifier = $2",
        environment_id,
        identifier
    )?;
    Ok(row.map(Identity::from))
}

/// One identity by its id.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Identity>> {
    let row = sql!(
        tx,
        fetch_optional as IdentityRow,
        "SELECT id, environment_id, identifier, traits, created_at, hash_seed FROM identities WHERE id = $1",
        id
    )?;
    Ok(row.map(Identity::from))
}

/// What to do to one identity: create it when it is not there, then change its traits.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityWrite {
    pub environment_id: i64,
    pub identifier: String,
    pub changes: Vec<(String, TraitChange)>,
    /// Whether traits that are not named go.
    pub overwrite: bool,
}

impl IdentityWrite {
    /// What is to be done to an identity with these traits.
    fn changes_of(&self, present: &TraitSet) -> Cow<'_, [(String, TraitChange)]> {
        if !self.overwrite {
            return Cow::Borrowed(&self.changes);
        }
        let named = |key: &str| self.changes.iter().any(|(name, _)| name == key);
        let others = present.iter().filter(|stored| !named(stored.key()));
        let gone = others.map(|stored| (stored.key().to_owned(), TraitChange::Remove));
        gone.chain(self.changes.iter().cloned()).collect()
    }
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// The identity as it is now; `created` when this write made it.
    Identity { identity: Identity, created: bool },
    /// The traits were refused; the identity exists, with the traits it had.
    Refused(TraitError),
    /// The environment is gone.
    NoEnvironment,
}

/// Whose identity it is: the environment's id and the identifier.
type Key<'w> = (i64, &'w str);

impl IdentityWrite {
    fn key(&self) -> Key<'_> {
        (self.environment_id, self.identifier.as_str())
    }
}

/// Carries out many writes in one transaction, in order, with a fixed number of statements.
///
/// Safe beside other nodes: missing rows are inserted first, with their traits, then the others are locked, then changed,
/// each time in one order, so that two nodes neither lose traits nor wait for each other in a circle.
pub async fn write_all(tx: &mut Tx, writes: &[IdentityWrite], now: i64) -> Result<Vec<Written>> {
    let keys: BTreeSet<Key<'_>> = writes.iter().map(IdentityWrite::key).collect();
    let known = present(tx, &json!(keys).to_string()).await?;
    let is_known = |write: &&IdentityWrite| known.contains(&(write.environment_id, write.identifier.clone()));
    let unknown: Vec<&IdentityWrite> = writes.iter().filter(|write| !is_known(write)).collect();
    let mut rows = HashMap::new();
    if !unknown.is_empty() {
        rows = insert_missing(tx, &as_if_new(&unknown, now), now).await?;
    }
    let mut fresh: HashSet<i64> = rows.values().map(|identity| identity.id).collect();
    let others: BTreeSet<Key<'_>> = keys
        .into_iter()
        .filter(|(environment, identifier)| !rows.contains_key(&(*environment, (*identifier).to_owned())))
        .collect();
    if !others.is_empty() {
        let locked = lock(tx, &json!(others).to_string()).await?.into_iter();
        rows.extend(locked.map(|row| ((row.environment_id, row.identifier.clone()), Identity::from(row))));
    }
    let inserted = fresh.clone();
    let mut changed = HashMap::new();
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        let Some(identity) = rows.get_mut(&(write.environment_id, write.identifier.clone())) else {
            answers.push(Written::NoEnvironment);
            continue;
        };
        let wanted = write.changes_of(&identity.traits);
        match identity.traits.apply(&wanted, now) {
            Err(refusal) => answers.push(Written::Refused(refusal)),
            Ok(differs) => {
                if differs && !inserted.contains(&identity.id) {
                    changed.insert(identity.id, identity.traits.to_text());
                }
                answers.push(Written::Identity {
                    created: fresh.remove(&identity.id),
                    identity: identity.clone(),
                });
            }
        }
    }
    store_traits(tx, &changed).await?;
    Ok(answers)
}

/// Which of these there are: mostly all of them, and then no traits are prepared for new rows.
async fn present(tx: &mut Tx, keys: &str) -> Result<HashSet<(i64, String)>> {
    let found = sql!(
        tx,
        fetch_all as (i64, String),
        sqlite: "SELECT i.environment_id, i.identifier FROM json_each($1) k
                 JOIN identities i ON i.environment_id = k.value ->> 0 AND i.identifier = k.value ->> 1",
        postgres: "SELECT i.environment_id, i.identifier FROM json_array_elements(CAST($1 AS JSON)) k
                   JOIN identities i ON i.environment_id = CAST(k.value ->> 0 AS BIGINT) AND i.identifier = k.value ->> 1",
        keys
    )?;
    Ok(found.into_iter().collect())
}

/// The traits that each identity would have after the writes if it were not there yet.
fn as_if_new<'w>(writes: &[&'w IdentityWrite], now: i64) -> BTreeMap<Key<'w>, TraitSet> {
    let mut traits: BTreeMap<Key<'w>, TraitSet> = BTreeMap::new();
    for write in writes {
        let own = traits.entry(write.key()).or_default();
        let changes = write.changes_of(own);
        // A refusal leaves them as they were; the writer is told when the write is carried out.
        let _ = own.apply(&changes, now);
    }
    traits
}

/// Inserts those that are not there, in order, and returns them without the traits they were given: writes are carried
/// out on them like on others. Environments that are gone are passed over.
async fn insert_missing(
    tx: &mut Tx,
    traits: &BTreeMap<Key<'_>, TraitSet>,
    now: i64,
) -> Result<HashMap<(i64, String), Identity>> {
    let rows: Vec<(i64, &str, String)> = traits
        .iter()
        .map(|((environment, identifier), traits)| (*environment, *identifier, traits.to_text()))
        .collect();
    let rows: Vec<(i64, i64, String)> = sql!(
        tx,
        fetch_all as (i64, i64, String),
        sqlite: "INSERT INTO identities (environment_id, identifier, traits, created_at)
                 SELECT e.id, k.value ->> 1, k.value ->> 2, $2
                 FROM json_each($1) k JOIN environments e ON e.id = k.value ->> 0
                 WHERE NOT EXISTS (SELECT 1 FROM identities i
                                   WHERE i.environment_id = e.id AND i.identifier = k.value ->> 1)
                 ON CONFLICT (environment_id, identifier) DO NOTHING RETURNING id, environment_id, identifier",
        postgres: "INSERT INTO identities (environment_id, identifier, traits, created_at)
                   SELECT e.id, k.value ->> 1, k.value ->> 2, $2
                   FROM json_array_elements(CAST($1 AS JSON)) k JOIN environments e ON e.id = CAST(k.value ->> 0 AS BIGINT)
                   WHERE NOT EXISTS (SELECT 1 FROM identities i
                                     WHERE i.environment_id = e.id AND i.identifier = k.value ->> 1)
                   ON CONFLICT (environment_id, identifier) DO NOTHING RETURNING id, environment_id, identifier",
        json!(rows).to_string(),
        now
    )?;
    let identity = |(id, environment_id, identifier): (i64, i64, String)| {
        let identity = Identity {
            id,
            environment_id,
            identifier: identifier.clone(),
            traits: TraitSet::default(),
            created_at: now,
            hash_seed: None,
        };
        ((environment_id, identifier), identity)
    };
    Ok(rows.into_iter().map(identity).collect())
}

async fn lock(tx: &mut Tx, keys: &str) -> Result<Vec<IdentityRow>> {
    sql!(
        tx,
        fetch_all as IdentityRow,
        sqlite: "SELECT i.id, i.environment_id, i.identifier, i.traits, i.created_at, i.hash_seed
                 FROM json_each($1) k
                 JOIN identities i ON i.environment_id = k.value ->> 0 AND i.identifier = k.value ->> 1",
        postgres: "SELECT i.id, i.environment_id, i.identifier, i.traits, i.created_at, i.hash_seed
                   FROM json_array_elements(CAST($1 AS JSON)) k
                   JOIN identities i ON i.environment_id = CAST(k.value ->> 0 AS BIGINT) AND i.identifier = k.value ->> 1
                   ORDER BY i.id FOR UPDATE OF i",
        keys
    )
}

async fn store_traits(tx: &mut Tx, traits: &HashMap<i64, String>) -> Result<()> {
    if traits.is_empty() {
        return Ok(());
    }
    let pairs: Vec<(i64, &str)> = traits.iter().map(|(id, text)| (*id, text.as_str())).collect();
    sql!(
        tx,
        execute,
        sqlite: "UPDATE identities SET traits = p.value ->> 1 FROM json_each($1) p WHERE identities.id = p.value ->> 0",
        postgres: "UPDATE identities SET traits = p.value ->> 1 FROM json_array_elements(CAST($1 AS JSON)) p
                   WHERE identities.id = CAST(p.value ->> 0 AS BIGINT)",
        json!(pairs).to_string()
    )?;
    Ok(())
}
