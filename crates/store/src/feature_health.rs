//! Feature health: who may report it, and what was reported.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// Monitoring that reports on the features of a project.
    pub struct HealthProvider {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        /// `Webhook` or `Grafana`.
        pub name: String,
        /// The address of who set it up.
        pub created_by: Option<String>,
    }
}

row! {
    /// One report about one feature.
    pub struct HealthEvent {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub environment_id: Option<i64>,
        /// `UNHEALTHY` or `HEALTHY`.
        pub r#type: String,
        pub provider_name: Option<String>,
        /// JSON.
        pub reason: Option<String>,
        pub external_id: Option<String>,
        pub created_at: i64,
    }
}

/// The providers of a project.
pub async fn providers(tx: &mut Tx, project_id: i64) -> Result<Vec<HealthProvider>> {
    sql!(
        tx,
        fetch_all as HealthProvider,
        "SELECT p.id AS id, p.uuid AS uuid, p.project_id AS project_id, p.name AS name, u.email AS created_by
         FROM feature_health_providers p LEFT JOIN users u ON u.id = p.created_by
         WHERE p.project_id = $1 ORDER BY p.id",
        project_id
    )
}

/// One provider by its uuid.
pub async fn provider_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<HealthProvider>> {
    sql!(
        tx,
        fetch_optional as HealthProvider,
        "SELECT p.id AS id, p.uuid AS uuid, p.project_id AS project_id, p.name AS name, u.email AS created_by
         FROM feature_health_providers p LEFT JOIN users u ON u.id = p.created_by
         WHERE p.uuid = $1",
        uuid
    )
}

/// Writes a new provider and returns its id.
pub async fn insert_provider(
    tx: &mut Tx,
    uuid: &str,
    project_id: i64,
    name: &str,
    created_by: Option<i64>,
) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_health_providers (uuid, project_id, name, created_by) VALUES ($1, $2, $3, $4)
         RETURNING id",
        uuid,
        project_id,
        name,
        created_by
    )?;
    Ok(id)
}

/// Deletes a provider; what it reported stays.
pub async fn delete_provider(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_health_providers WHERE id = $1",
        id
    )
}

/// The last report about each matter (feature, environment, provider, its own id for it) of a project, newest first.
pub async fn latest(tx: &mut Tx, project_id: i64) -> Result<Vec<HealthEvent>> {
    sql!(
        tx,
        fetch_all as HealthEvent,
        "SELECT * FROM feature_health_events WHERE id IN (
             SELECT MAX(e.id) FROM feature_health_events e JOIN features f ON f.id = e.feature_id
             WHERE f.project_id = $1
             GROUP BY e.feature_id, e.environment_id, e.provider_name, e.external_id)
         ORDER BY id DESC",
        project_id
    )
}

/// One report.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<HealthEvent>> {
    sql!(
        tx,
        fetch_optional as HealthEvent,
        "SELECT * FROM feature_health_events WHERE id = $1",
        id
    )
}

/// Writes a new report (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, e: &HealthEvent) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_health_events (uuid, feature_id, environment_id, type, provider_name, reason, external_id,
             created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        &e.uuid,
        e.feature_id,
        e.environment_id,
        &e.r#type,
        e.provider_name.as_deref(),
        e.reason.as_deref(),
        e.external_id.as_deref(),
        e.created_at
    )?;
    Ok(id)
}
