//! Server-side environment keys (`ser.…`).

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A secret key of an environment; it works while active and not expired.
    pub struct ServerKey {
        pub id: i64,
        pub environment_id: i64,
        pub key: String,
        pub name: String,
        pub active: bool,
        pub created_at: i64,
        pub expires_at: Option<i64>,
    }
}

/// The server-side keys of an environment, oldest first.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<ServerKey>> {
    sql!(
        tx,
        fetch_all as ServerKey,
        "SELECT * FROM server_keys WHERE environment_id = $1 ORDER BY id",
        environment_id
    )
}

/// One server-side key of an environment, held until the end of the transaction.
pub async fn lock(tx: &mut Tx, environment_id: i64, id: i64) -> Result<Option<ServerKey>> {
    sql!(
        tx,
        fetch_optional as ServerKey,
        sqlite: "SELECT * FROM server_keys WHERE environment_id = $1 AND id = $2",
        postgres: "SELECT * FROM server_keys WHERE environment_id = $1 AND id = $2 FOR UPDATE",
        environment_id,
        id
    )
}

/// Writes a new key (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, key: &ServerKey) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO server_keys (environment_id, key, name, active, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        key.environment_id,
        &key.key,
        &key.name,
        key.active,
        key.created_at,
        key.expires_at
    )?;
    Ok(id)
}

/// Writes what can change of a key.
pub async fn update(tx: &mut Tx, key: &ServerKey) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE server_keys SET name = $2, active = $3, expires_at = $4 WHERE id = $1",
        key.id,
        &key.name,
        key.active,
        key.expires_at
    )
}

/// Deletes a key; it works no more.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM server_keys WHERE id = $1", id)
}
