//! Webhooks: who is told of changes, by HTTP.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A webhook of an environment or of an organisation.
    pub struct Webhook {
        pub id: i64,
        pub organisation_id: Option<i64>,
        pub environment_id: Option<i64>,
        pub url: String,
        pub enabled: bool,
        /// Sealed; empty for none.
        pub secret: String,
        pub created_at: i64,
        pub updated_at: i64,
        /// When somebody was last mailed that it fails.
        pub told_failing_at: Option<i64>,
    }
}

/// The webhooks of an environment, oldest first.
pub async fn of_environment(tx: &mut Tx, environment_id: i64) -> Result<Vec<Webhook>> {
    sql!(
        tx,
        fetch_all as Webhook,
        "SELECT * FROM webhooks WHERE environment_id = $1 ORDER BY id",
        environment_id
    )
}

/// The webhooks of an organisation itself, oldest first.
pub async fn of_organisation(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Webhook>> {
    sql!(
        tx,
        fetch_all as Webhook,
        "SELECT * FROM webhooks WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// A webhook by id.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Webhook>> {
    sql!(
        tx,
        fetch_optional as Webhook,
        "SELECT * FROM webhooks WHERE id = $1",
        id
    )
}

/// Writes a new webhook (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, w: &Webhook) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO webhooks (organisation_id, environment_id, url, enabled, secret, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        w.organisation_id,
        w.environment_id,
        &w.url,
        w.enabled,
        &w.secret,
        w.created_at,
        w.updated_at
    )?;
    Ok(id)
}

/// Writes every changeable column of a webhook.
pub async fn update(tx: &mut Tx, w: &Webhook) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE webhooks SET url = $2, enabled = $3, secret = $4, updated_at = $5 WHERE id = $1",
        w.id,
        &w.url,
        w.enabled,
        &w.secret,
        w.updated_at
    )
}

/// Deletes a webhook with its deliveries.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM webhooks WHERE id = $1", id)
}

/// Notes that somebody is mailed now that a webhook fails, unless that was done since `since`. Whether it was noted.
pub async fn note_told_failing(tx: &mut Tx, id: i64, since: i64, now: i64) -> Result<bool> {
    let noted = sql!(
        tx,
        execute,
        "UPDATE webhooks SET told_failing_at = $3
         WHERE id = $1 AND (told_failing_at IS NULL OR told_failing_at < $2)",
        id,
        since,
        now
    )?;
    Ok(noted > 0)
}
