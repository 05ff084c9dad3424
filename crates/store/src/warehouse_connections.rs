//! Connections to data warehouses.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// How the data warehouse of an environment is reached.
    pub struct WarehouseConnection {
        pub id: i64,
        pub uuid: String,
        pub environment_id: i64,
        /// `flagsmith`, `snowflake` or `clickhouse`.
        pub warehouse_type: String,
        /// `created`, `pending_connection`, `connected` or `errored`.
        pub status: String,
        pub status_detail: Option<String>,
        pub name: String,
        /// JSON.
        pub config: Option<String>,
        /// JSON, sealed.
        pub credentials: Option<String>,
        pub created_at: i64,
    }
}

/// The connections of an environment, oldest first.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<WarehouseConnection>> {
    sql!(
        tx,
        fetch_all as WarehouseConnection,
        "SELECT * FROM warehouse_connections WHERE environment_id = $1 ORDER BY id",
        environment_id
    )
}

/// Writes a new connection (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, c: &WarehouseConnection) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO warehouse_connections (uuid, environment_id, warehouse_type, status, status_detail, name, config,
             credentials, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        &c.uuid,
        c.environment_id,
        &c.warehouse_type,
        &c.status,
        c.status_detail.as_deref(),
        &c.name,
        c.config.as_deref(),
        c.credentials.as_deref(),
        c.created_at
    )?;
    Ok(id)
}

/// Writes every changeable column of a connection.
pub async fn update(tx: &mut Tx, c: &WarehouseConnection) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE warehouse_connections SET warehouse_type = $2, status = $3, status_detail = $4, name = $5, config = $6,
             credentials = $7
         WHERE id = $1",
        c.id,
        &c.warehouse_type,
        &c.status,
        c.status_detail.as_deref(),
        &c.name,
        c.config.as_deref(),
        c.credentials.as_deref()
    )
}

/// Deletes a connection.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM warehouse_connections WHERE id = $1", id)
}
