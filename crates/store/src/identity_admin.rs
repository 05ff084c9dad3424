//! Identities as their administrators see them: lists, single edits, and edits of one trait over all of them.

use burgee_model::limits;
use burgee_model::traits::TraitSet;

use crate::db::{Id, id_list};
use crate::identities::{Identity, IdentityRow};
use crate::{Result, Tx, row, sql};

row! {
    /// An identity without its traits.
    pub struct IdentityName {
        pub id: i64,
        pub environment_id: i64,
        pub identifier: String,
    }
}

/// Which identities of an environment to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Exactly this identifier.
    pub identifier: Option<String>,
    /// This text in the identifier, in any case.
    pub part: Option<String>,
}

impl Filter {
    /// The pattern for `LIKE … ESCAPE '\'`.
    fn pattern(&self) -> Option<String> {
        let part = self.part.as_deref()?;
        let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Some(format!("%{escaped}%"))
    }
}

/// Some identities of an environment, oldest first.
pub async fn list(
    tx: &mut Tx,
    environment_id: i64,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<IdentityName>> {
    sql!(
        tx,
        fetch_all as IdentityName,
        "SELECT id, environment_id, identifier FROM identities
         WHERE environment_id = $1
           AND (CAST($2 AS TEXT) IS NULL OR identifier = $2)
           AND (CAST($3 AS TEXT) IS NULL OR LOWER(identifier) LIKE LOWER($3) ESCAPE '\\')
         ORDER BY id LIMIT $4 OFFSET $5",
        environment_id,
        filter.identifier.as_deref(),
        filter.pattern(),
        limit,
        offset
    )
}

/// How many identities of an environment there are.
pub async fn count(tx: &mut Tx, environment_id: i64, filter: &Filter) -> Result<i64> {
    let (count,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM identities
         WHERE environment_id = $1
           AND (CAST($2 AS TEXT) IS NULL OR identifier = $2)
           AND (CAST($3 AS TEXT) IS NULL OR LOWER(identifier) LIKE LOWER($3) ESCAPE '\\')",
        environment_id,
        filter.identifier.as_deref(),
        filter.pattern()
    )?;
    Ok(count)
}

/// The identities of an environment whose identifiers follow `after`, in their order; at most `limit`.
pub async fn following(tx: &mut Tx, environment_id: i64, after: &str, limit: i64) -> Result<Vec<Identity>> {
    let rows = sql!(
        tx,
        fetch_all as IdentityRow,
        "SELECT id, environment_id, identifier, traits, created_at, hash_seed FROM identities
         WHERE environment_id = $1 AND identifier > $2 ORDER BY identifier LIMIT $3",
        environment_id,
        after,
        limit
    )?;
    Ok(rows.into_iter().map(Identity::from).collect())
}

/// Those of an environment with one of these ids, as often as it is among them.
pub async fn among(tx: &mut Tx, environment_id: i64, ids: &[i64]) -> Result<Vec<Identity>> {
    let rows = sql!(
        tx,
        fetch_all as IdentityRow,
        sqlite: "SELECT i.id, i.environment_id, i.identifier, i.traits, i.created_at, i.hash_seed
                 FROM json_each($2) k JOIN identities i ON i.id = k.value WHERE i.environment_id = $1",
        postgres: "SELECT i.id, i.environment_id, i.identifier, i.traits, i.created_at, i.hash_seed
                   FROM json_array_elements_text(CAST($2 AS JSON)) k
                   JOIN identities i ON i.id = CAST(k.value AS BIGINT) WHERE i.environment_id = $1",
        environment_id,
        id_list(ids)
    )?;
    Ok(rows.into_iter().map(Identity::from).collect())
}

/// The lowest and the highest id that an identity has, of whatever environment.
pub async fn id_range(tx: &mut Tx) -> Result<Option<(i64, i64)>> {
    let (lowest, highest) = sql!(
        tx,
        fetch_one as (Option<i64>, Option<i64>),
        "SELECT (SELECT MIN(id) FROM identities) AS lowest, (SELECT MAX(id) FROM identities) AS highest"
    )?;
    Ok(lowest.zip(highest))
}

/// Writes a new identity without traits; `None` when its identifier is taken.
pub async fn insert(tx: &mut Tx, environment_id: i64, identifier: &str, now: i64) -> Result<Option<i64>> {
    let row: Option<Id> = sql!(
        tx,
        fetch_optional as Id,
        "INSERT INTO identities (environment_id, identifier, traits, created_at) VALUES ($1, $2, '[]', $3)
         ON CONFLICT (environment_id, identifier) DO NOTHING RETURNING id",
        environment_id,
        identifier,
        now
    )?;
    Ok(row.map(|(id,)| id))
}

/// One identity of an environment, held until the end of the transaction: nobody changes its traits meanwhile.
pub async fn lock(tx: &mut Tx, environment_id: i64, id: i64) -> Result<Option<Identity>> {
    let row = sql!(
        tx,
        fetch_optional as IdentityRow,
        sqlite: "SELECT id, environment_id, identifier, traits, created_at, hash_seed FROM identities
                 WHERE environment_id = $1 AND id = $2",
        postgres: "SELECT id, environment_id, identifier, traits, created_at, hash_seed FROM identities
                   WHERE environment_id = $1 AND id = $2 FOR UPDATE",
        environment_id,
        id
    )?;
    Ok(row.map(Identity::from))
}

/// Gives an identity another identifier.
pub async fn rename(tx: &mut Tx, id: i64, identifier: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE identities SET identifier = $2 WHERE id = $1",
        id,
        identifier
    )
}

/// Writes the traits of an identity that is held.
pub async fn set_traits(tx: &mut Tx, id: i64, traits: &TraitSet) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE identities SET traits = $2 WHERE id = $1",
        id,
        traits.to_text()
    )
}

/// Deletes an identity with its overrides.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM identities WHERE id = $1", id)
}

/// Whether an identity overrides any feature.
pub async fn has_overrides(tx: &mut Tx, id: i64) -> Result<bool> {
    let row: Option<Id> = sql!(
        tx,
        fetch_optional as Id,
        "SELECT id FROM feature_states WHERE identity_id = $1 LIMIT 1",
        id
    )?;
    Ok(row.is_some())
}

/// The keys of all traits in an environment, each once; at most [`limits::TRAIT_KEYS_LISTED`].
pub async fn trait_keys(tx: &mut Tx, environment_id: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        sqlite: "SELECT DISTINCT CAST(t.value ->> 1 AS TEXT) AS key FROM identities i JOIN json_each(i.traits) t
                 WHERE i.environment_id = $1 ORDER BY key LIMIT $2",
        postgres: "SELECT DISTINCT CAST(t.value ->> 1 AS TEXT) AS key
                   FROM identities i CROSS JOIN LATERAL json_array_elements(CAST(i.traits AS JSON)) t
                   WHERE i.environment_id = $1 ORDER BY key LIMIT $2",
        environment_id,
        limits::TRAIT_KEYS_LISTED
    )?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

/// Deletes the trait with this key from every identity of an environment; the others keep their slots.
///
/// The database does it by itself, so that no number of identities fills our memory. Rows are locked in the order that
/// the writers of traits use, so that they don't wait for each other in a circle.
pub async fn delete_trait_everywhere(tx: &mut Tx, environment_id: i64, key: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        sqlite: "UPDATE identities SET traits =
                     (SELECT json_group_array(json(kept.value))
                      FROM (SELECT t.value AS value FROM json_each(identities.traits) t
                            WHERE t.value ->> 1 <> $2 ORDER BY t.key) kept)
                 WHERE environment_id = $1
                   AND EXISTS (SELECT 1 FROM json_each(identities.traits) t WHERE t.value ->> 1 = $2)",
        postgres: "WITH held AS (
                       SELECT i.id AS id FROM identities i
                       WHERE i.environment_id = $1
                         AND EXISTS (SELECT 1 FROM json_array_elements(CAST(i.traits AS JSON)) t
                                     WHERE t.value ->> 1 = $2)
                       ORDER BY i.id FOR UPDATE OF i)
                   UPDATE identities SET traits =
                       (SELECT CAST(COALESCE(json_agg(t.value ORDER BY t.place), CAST('[]' AS JSON)) AS TEXT)
                        FROM json_array_elements(CAST(identities.traits AS JSON)) WITH ORDINALITY AS t(value, place)
                        WHERE t.value ->> 1 <> $2)
                   FROM held WHERE identities.id = held.id",
        environment_id,
        key
    )
}
