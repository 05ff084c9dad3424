//! What was, or is to be, sent to webhooks.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A delivery.
    pub struct Delivery {
        pub id: i64,
        /// The same at every attempt.
        pub uuid: String,
        pub webhook_id: i64,
        pub event_type: String,
        /// The bytes that are signed.
        pub body: String,
        /// `waiting`, `delivered` or `failed`.
        pub status: String,
        pub attempts: i64,
        pub response_status: Option<i64>,
        pub error: Option<String>,
        pub duration_ms: Option<i64>,
        pub created_at: i64,
        pub attempted_at: Option<i64>,
        /// The beginning of what was answered last.
        pub response_body: Option<String>,
    }
}

/// Writes a new delivery, of which nothing was tried yet, and returns its id.
pub async fn insert(
    tx: &mut Tx,
    uuid: &str,
    webhook_id: i64,
    (event_type, body): (&str, &str),
    now: i64,
) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO webhook_deliveries (uuid, webhook_id, event_type, body, status, attempts, created_at)
         VALUES ($1, $2, $3, $4, 'waiting', 0, $5) RETURNING id",
        uuid,
        webhook_id,
        event_type,
        body,
        now
    )?;
    Ok(id)
}

/// A delivery by id.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Delivery>> {
    sql!(
        tx,
        fetch_optional as Delivery,
        "SELECT * FROM webhook_deliveries WHERE id = $1",
        id
    )
}

/// One page of what was sent to a webhook, newest first.
pub async fn list(tx: &mut Tx, webhook_id: i64, limit: i64, offset: i64) -> Result<Vec<Delivery>> {
    sql!(
        tx,
        fetch_all as Delivery,
        "SELECT * FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3",
        webhook_id,
        limit,
        offset
    )
}

/// How many there are.
pub async fn count(tx: &mut Tx, webhook_id: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM webhook_deliveries WHERE webhook_id = $1",
        webhook_id
    )?;
    Ok(count)
}

/// Writes down how an attempt went.
pub async fn note_attempt(tx: &mut Tx, d: &Delivery) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE webhook_deliveries
         SET status = $2, attempts = attempts + 1, response_status = $3, error = $4, duration_ms = $5, attempted_at = $6,
             response_body = $7
         WHERE id = $1",
        d.id,
        &d.status,
        d.response_status,
        d.error.as_deref(),
        d.duration_ms,
        d.attempted_at,
        d.response_body.as_deref()
    )
}

/// Gives a delivery another status.
pub async fn set_status(tx: &mut Tx, id: i64, status: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE webhook_deliveries SET status = $2 WHERE id = $1",
        id,
        status
    )
}

/// Forgets what was made before `limit`, up to so many.
pub async fn delete_older(tx: &mut Tx, limit: i64, most: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM webhook_deliveries
         WHERE id IN (SELECT id FROM webhook_deliveries WHERE created_at < $1 LIMIT $2)",
        limit,
        most
    )
}
