//! What was sent to integrations lately, and what came of it.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// One attempt to tell an integration something.
    pub struct IntegrationDelivery {
        pub id: i64,
        pub integration_id: i64,
        /// What it was told: the line of the audit log, or how many identities.
        pub event: String,
        pub delivered: bool,
        pub response_status: Option<i64>,
        /// The beginning of what was answered.
        pub response_body: Option<String>,
        /// Why it counts as failed.
        pub error: Option<String>,
        pub created_at: i64,
    }
}

/// Writes down an attempt (its `id` is ignored), and forgets all but the newest `keep`. Its id; none when the integration is
/// gone.
pub async fn insert(tx: &mut Tx, d: &IntegrationDelivery, keep: i64) -> Result<Option<i64>> {
    let made = sql!(
        tx,
        fetch_optional as Id,
        "INSERT INTO integration_deliveries
             (integration_id, event, delivered, response_status, response_body, error, created_at)
         SELECT id, $2, $3, $4, $5, $6, $7 FROM integrations WHERE id = $1 RETURNING id",
        d.integration_id,
        &d.event,
        d.delivered,
        d.response_status,
        d.response_body.as_deref(),
        d.error.as_deref(),
        d.created_at
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM integration_deliveries WHERE integration_id = $1 AND id NOT IN (
             SELECT id FROM integration_deliveries WHERE integration_id = $1 ORDER BY id DESC LIMIT $2)",
        d.integration_id,
        keep
    )?;
    Ok(made.map(|(id,)| id))
}

/// Those of an integration, newest first.
pub async fn list(tx: &mut Tx, integration_id: i64) -> Result<Vec<IntegrationDelivery>> {
    sql!(
        tx,
        fetch_all as IntegrationDelivery,
        "SELECT * FROM integration_deliveries WHERE integration_id = $1 ORDER BY id DESC",
        integration_id
    )
}
