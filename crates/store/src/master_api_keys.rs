//! Master API keys: an organisation's keys to the management API.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A key to the management API. Only its hash is kept.
    pub struct MasterApiKey {
        pub id: i64,
        pub organisation_id: i64,
        pub prefix: String,
        pub hash: String,
        pub name: String,
        pub is_admin: bool,
        pub revoked: bool,
        pub created_by: Option<i64>,
        pub created_at: i64,
        pub expires_at: Option<i64>,
    }
}

/// One key.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<MasterApiKey>> {
    sql!(
        tx,
        fetch_optional as MasterApiKey,
        "SELECT * FROM master_api_keys WHERE id = $1",
        id
    )
}

/// The usable key with this hash: neither revoked nor expired at `now`.
pub async fn find_usable(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<MasterApiKey>> {
    sql!(
        tx,
        fetch_optional as MasterApiKey,
        "SELECT * FROM master_api_keys
         WHERE hash = $1 AND NOT revoked AND (expires_at IS NULL OR expires_at > $2)",
        hash,
        now
    )
}

/// The usable key of a trust relationship.
pub async fn find_usable_of_trust(tx: &mut Tx, trust_id: i64, now: i64) -> Result<Option<MasterApiKey>> {
    sql!(
        tx,
        fetch_optional as MasterApiKey,
        "SELECT k.* FROM master_api_keys k JOIN trust_relationships t ON t.master_api_key_id = k.id
         WHERE t.id = $1 AND NOT k.revoked AND (k.expires_at IS NULL OR k.expires_at > $2)",
        trust_id,
        now
    )
}

/// The key with this prefix whose hash another program made, neither revoked nor expired at `now`: an imported key,
/// until its first use.
pub async fn find_imported(tx: &mut Tx, prefix: &str, now: i64) -> Result<Option<MasterApiKey>> {
    sql!(
        tx,
        fetch_optional as MasterApiKey,
        "SELECT * FROM master_api_keys
         WHERE prefix = $1 AND hash LIKE '%$%' AND NOT revoked AND (expires_at IS NULL OR expires_at > $2)",
        prefix,
        now
    )
}

/// Writes another hash of the same key, provided that the present one still is `before`.
pub async fn set_hash(tx: &mut Tx, id: i64, before: &str, after: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE master_api_keys SET hash = $3 WHERE id = $1 AND hash = $2",
        id,
        before,
        after
    )
}

/// The keys of an organisation, newest first. Those of trust relationships are not among them: nobody has them.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<MasterApiKey>> {
    sql!(
        tx,
        fetch_all as MasterApiKey,
        "SELECT * FROM master_api_keys WHERE organisation_id = $1
           AND id NOT IN (SELECT master_api_key_id FROM trust_relationships)
         ORDER BY id DESC",
        organisation_id
    )
}

/// One key of an organisation, by the half of it that is no secret. Not that of a trust relationship.
pub async fn find_by_prefix(tx: &mut Tx, organisation_id: i64, prefix: &str) -> Result<Option<MasterApiKey>> {
    sql!(
        tx,
        fetch_optional as MasterApiKey,
        "SELECT * FROM master_api_keys WHERE organisation_id = $1 AND prefix = $2
           AND id NOT IN (SELECT master_api_key_id FROM trust_relationships)",
        organisation_id,
        prefix
    )
}

row! {
    /// How a key is named.
    pub struct Prefix {
        pub id: i64,
        pub prefix: String,
    }
}

/// How the keys of an organisation are named, those of trust relationships included.
pub async fn prefixes(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Prefix>> {
    sql!(
        tx,
        fetch_all as Prefix,
        "SELECT id, prefix FROM master_api_keys WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// Writes a new key (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, k: &MasterApiKey) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO master_api_keys (organisation_id, prefix, hash, name, is_admin, revoked, created_by, created_at,
             expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        k.organisation_id,
        &k.prefix,
        &k.hash,
        &k.name,
        k.is_admin,
        k.revoked,
        k.created_by,
        k.created_at,
        k.expires_at
    )?;
    Ok(id)
}

/// Writes the changeable columns of a key.
pub async fn update(tx: &mut Tx, k: &MasterApiKey) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE master_api_keys SET name = $2, revoked = $3, expires_at = $4, is_admin = $5 WHERE id = $1",
        k.id,
        &k.name,
        k.revoked,
        k.expires_at,
        k.is_admin
    )
}

/// Deletes a key.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM master_api_keys WHERE id = $1", id)
}
