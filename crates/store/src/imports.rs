//! Taking over another installation: how far it is, and which row came from which.

use crate::bulk::postgres_list;
use crate::db::{Id, id_list};
use crate::{Result, Tx, row, sql};

row! {
    /// An installation that was, or is being, taken over.
    pub struct Import {
        pub id: i64,
        pub source: String,
        pub keeps_ids: bool,
        pub started_at: i64,
        pub finished_at: Option<i64>,
        pub identities_done: i64,
        pub overrides_done: i64,
    }
}

row! {
    /// Where a row came from.
    pub struct Origin {
        pub source_id: i64,
        pub row_id: i64,
        pub other_id: Option<i64>,
        pub digest: Option<String>,
    }
}

/// The import of this name.
pub async fn find(tx: &mut Tx, source: &str) -> Result<Option<Import>> {
    sql!(
        tx,
        fetch_optional as Import,
        "SELECT * FROM imports WHERE source = $1",
        source
    )
}

/// Writes a new import and returns its id.
pub async fn insert(tx: &mut Tx, source: &str, keeps_ids: bool, now: i64) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO imports (source, keeps_ids, started_at, identities_done, overrides_done)
         VALUES ($1, $2, $3, 0, 0) RETURNING id",
        source,
        keeps_ids,
        now
    )?;
    Ok(id)
}

/// A new run from the beginning.
pub async fn restart(tx: &mut Tx, id: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE imports SET started_at = $2, finished_at = NULL, identities_done = 0, overrides_done = 0 WHERE id = $1",
        id,
        now
    )
}

/// How far the run is.
pub async fn set_progress(tx: &mut Tx, id: i64, identities: i64, overrides: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE imports SET identities_done = $2, overrides_done = $3 WHERE id = $1",
        id,
        identities,
        overrides
    )
}

/// The run is through.
pub async fn finish(tx: &mut Tx, id: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE imports SET finished_at = $2 WHERE id = $1",
        id,
        now
    )
}

/// Whether there is nothing in this database that has an id clients may know, people apart.
pub async fn is_empty(tx: &mut Tx) -> Result<bool> {
    let (present,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT CAST((SELECT COUNT(*) FROM organisations) + (SELECT COUNT(*) FROM projects) AS BIGINT) AS present"
    )?;
    Ok(present == 0)
}

/// The rows of one kind that came from ids in this range: above `after`, up to `to`.
pub async fn origins(tx: &mut Tx, import: i64, noun: &str, after: i64, to: i64) -> Result<Vec<Origin>> {
    sql!(
        tx,
        fetch_all as Origin,
        "SELECT source_id, row_id, other_id, digest FROM import_rows
         WHERE import_id = $1 AND noun = $2 AND source_id > $3 AND source_id <= $4 ORDER BY source_id",
        import,
        noun,
        after,
        to
    )
}

/// The rows of one kind that came from these ids.
pub async fn origins_of(tx: &mut Tx, import: i64, noun: &str, source_ids: &[i64]) -> Result<Vec<Origin>> {
    let ids = match tx {
        Tx::Sqlite(_) => id_list(source_ids),
        Tx::Postgres(_) => postgres_list(source_ids),
    };
    sql!(
        tx,
        fetch_all as Origin,
        sqlite: "SELECT source_id, row_id, other_id, digest FROM import_rows
                 WHERE import_id = $1 AND noun = $2 AND source_id IN (SELECT value FROM json_each($3))",
        postgres: "SELECT source_id, row_id, other_id, digest FROM import_rows
                   WHERE import_id = $1 AND noun = $2 AND source_id = ANY(CAST($3 AS BIGINT[]))",
        import,
        noun,
        ids
    )
}

/// Notes where a row came from.
pub async fn set_origin(tx: &mut Tx, import: i64, noun: &str, origin: &Origin) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO import_rows (import_id, noun, source_id, row_id, other_id, digest) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (import_id, noun, source_id)
         DO UPDATE SET row_id = excluded.row_id, other_id = excluded.other_id, digest = excluded.digest",
        import,
        noun,
        origin.source_id,
        origin.row_id,
        origin.other_id,
        origin.digest.as_deref()
    )
}

/// Forgets where rows came from that are no more.
pub async fn forget(tx: &mut Tx, import: i64, noun: &str, source_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM import_rows WHERE import_id = $1 AND noun = $2 AND source_id = $3",
        import,
        noun,
        source_id
    )
}

/// Rules and conditions of segments are numbered from here on, unless they are further already.
pub async fn move_counter(tx: &mut Tx, noun: &str, next: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE counters SET next = $2 WHERE noun = $1 AND next < $2",
        noun,
        next
    )
}

/// A token that signs a user in, by its hash; nothing happens when it is there.
pub async fn insert_token(tx: &mut Tx, hash: &str, user_id: i64, created_at: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO user_tokens (hash, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING",
        hash,
        user_id,
        created_at
    )
}

/// Takes a token away.
pub async fn delete_token(tx: &mut Tx, hash: &str) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM user_tokens WHERE hash = $1", hash)
}

/// An account a user has elsewhere; nothing happens when it is somebody's.
pub async fn insert_provider_account(
    tx: &mut Tx,
    provider: &str,
    subject: &str,
    user_id: i64,
    created_at: i64,
) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO provider_accounts (provider, subject, user_id, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (provider, subject) DO NOTHING",
        provider,
        subject,
        user_id,
        created_at
    )
}

/// A second factor that protects its user from now on, in the place of one he had.
pub async fn set_second_factor(
    tx: &mut Tx,
    user_id: i64,
    sealed: &str,
    backup_codes: &str,
    created_at: i64,
) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO user_mfa (user_id, secret, is_active, backup_codes, last_step, created_at)
         VALUES ($1, $2, TRUE, $3, 0, $4)
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, is_active = TRUE,
             backup_codes = excluded.backup_codes",
        user_id,
        sealed,
        backup_codes,
        created_at
    )
}

row! {
    /// What a feature is served from in an environment with versions.
    pub struct ServedVersion {
        pub environment_id: i64,
        pub feature_id: i64,
        pub version_uuid: String,
    }
}

/// What features of these environments are served from.
pub async fn served_versions(tx: &mut Tx, environments: &[i64]) -> Result<Vec<ServedVersion>> {
    sql!(
        tx,
        fetch_all as ServedVersion,
        sqlite: "SELECT DISTINCT environment_id, feature_id, version_uuid FROM feature_states
                 WHERE version_uuid IS NOT NULL AND environment_id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT DISTINCT environment_id, feature_id, version_uuid FROM feature_states
                   WHERE version_uuid IS NOT NULL AND environment_id IN
                         (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))",
        id_list(environments)
    )
}

/// Takes away what a feature is in an environment for everyone and for segments.
pub async fn clear_served(tx: &mut Tx, environment_id: i64, feature_id: i64) -> Result<u64> {
    crate::feature_states::delete_shared(tx, environment_id, feature_id).await
}

/// The uuids of the versions of a feature in an environment that are or were served.
pub async fn begun_versions(tx: &mut Tx, environment_id: i64, feature_id: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        "SELECT uuid FROM feature_versions
         WHERE environment_id = $1 AND feature_id = $2 AND went_live_at IS NOT NULL",
        environment_id,
        feature_id
    )?;
    Ok(rows.into_iter().map(|(uuid,)| uuid).collect())
}

/// Takes a version away.
pub async fn delete_version(tx: &mut Tx, uuid: &str) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM feature_versions WHERE uuid = $1", uuid)
}

/// What the versions of these environments say.
pub async fn version_documents(tx: &mut Tx, environments: &[i64]) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        sqlite: "SELECT states FROM feature_versions WHERE environment_id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT states FROM feature_versions WHERE environment_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))",
        id_list(environments)
    )?;
    Ok(rows.into_iter().map(|(text,)| text).collect())
}

row! {
    /// An identity that came from the installation before, or that has the identifier of one that comes now.
    pub struct PresentIdentity {
        pub id: i64,
        pub environment_id: i64,
        pub identifier: String,
        pub traits: String,
        pub hash_seed: Option<i64>,
    }
}

/// The identities of these environments that came from ids in this range: above `after`, up to `to`.
pub async fn identities_from(
    tx: &mut Tx,
    environments: &[i64],
    after: i64,
    to: i64,
) -> Result<Vec<PresentIdentity>> {
    sql!(
        tx,
        fetch_all as PresentIdentity,
        sqlite: "SELECT id, environment_id, identifier, traits, hash_seed FROM identities
                 WHERE hash_seed > $1 AND hash_seed <= $2 AND environment_id IN (SELECT value FROM json_each($3))",
        postgres: "SELECT id, environment_id, identifier, traits, hash_seed FROM identities
                   WHERE hash_seed > $1 AND hash_seed <= $2
                     AND environment_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($3 AS JSON)))",
        after,
        to,
        id_list(environments)
    )
}

/// The identities with these names: a JSON list of `[environment id, identifier]`.
pub async fn identities_named(tx: &mut Tx, names: &str) -> Result<Vec<PresentIdentity>> {
    sql!(
        tx,
        fetch_all as PresentIdentity,
        sqlite: "SELECT i.id, i.environment_id, i.identifier, i.traits, i.hash_seed
                 FROM json_each($1) k
                 JOIN identities i ON i.environment_id = k.value ->> 0 AND i.identifier = k.value ->> 1",
        postgres: "SELECT i.id, i.environment_id, i.identifier, i.traits, i.hash_seed
                   FROM json_array_elements(CAST($1 AS JSON)) k
                   JOIN identities i ON i.environment_id = CAST(k.value ->> 0 AS BIGINT)
                                    AND i.identifier = k.value ->> 1",
        names
    )
}

/// Writes identities that are there: a JSON list of `[id, identifier, traits, hash seed]`.
pub async fn update_identities(tx: &mut Tx, rows: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        sqlite: "UPDATE identities SET identifier = p.value ->> 1, traits = p.value ->> 2, hash_seed = p.value ->> 3
                 FROM json_each($1) p WHERE identities.id = p.value ->> 0",
        postgres: "UPDATE identities SET identifier = p.value ->> 1, traits = p.value ->> 2,
                       hash_seed = CAST(p.value ->> 3 AS BIGINT)
                   FROM json_array_elements(CAST($1 AS JSON)) p WHERE identities.id = CAST(p.value ->> 0 AS BIGINT)",
        rows
    )
}

/// How many identities of these environments came from ids up to this one.
pub async fn count_identities(tx: &mut Tx, environments: &[i64], to: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        sqlite: "SELECT COUNT(*) AS count FROM identities
                 WHERE hash_seed <= $2 AND environment_id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT COUNT(*) AS count FROM identities
                   WHERE hash_seed <= $2
                     AND environment_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))",
        id_list(environments),
        to
    )?;
    Ok(count)
}

/// Notes where new rows came from.
pub async fn insert_origins(tx: &mut Tx, import: i64, noun: &str, origins: &[Origin]) -> Result<()> {
    crate::bulk::insert_origins(tx, import, noun, origins).await
}
