//! Integrations: what is told to other services.

use crate::db::Id;
use crate::{Db, Result, Tx, query, row, sql};

row! {
    /// An integration at an organisation, a project or an environment.
    pub struct Integration {
        pub id: i64,
        pub kind: String,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
        pub environment_id: Option<i64>,
        /// JSON, without secrets.
        pub settings: String,
        /// JSON, sealed.
        pub secrets: String,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

/// Where an integration is: the ids of organisation, project and environment, exactly one of which is given.
pub type At = (Option<i64>, Option<i64>, Option<i64>);

/// The integrations of a kind at a place.
pub async fn list(
    tx: &mut Tx,
    kind: &str,
    (organisation, project, environment): At,
) -> Result<Vec<Integration>> {
    sql!(
        tx,
        fetch_all as Integration,
        "SELECT * FROM integrations
         WHERE kind = $1 AND (organisation_id = $2 OR project_id = $3 OR environment_id = $4) ORDER BY id",
        kind,
        organisation,
        project,
        environment
    )
}

/// Every integration that a change in these places concerns.
pub async fn around(tx: &mut Tx, (organisation, project, environment): At) -> Result<Vec<Integration>> {
    sql!(
        tx,
        fetch_all as Integration,
        "SELECT * FROM integrations
         WHERE organisation_id = $1 OR project_id = $2 OR environment_id = $3 ORDER BY id",
        organisation,
        project,
        environment
    )
}

/// Every integration of environments.
pub async fn of_environments(db: &Db) -> Result<Vec<Integration>> {
    query!(
        db,
        fetch_all as Integration,
        "SELECT * FROM integrations WHERE environment_id IS NOT NULL ORDER BY id"
    )
}

/// An integration by id.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Integration>> {
    sql!(
        tx,
        fetch_optional as Integration,
        "SELECT * FROM integrations WHERE id = $1",
        id
    )
}

/// Writes a new integration (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, i: &Integration) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO integrations (kind, organisation_id, project_id, environment_id, settings, secrets, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        &i.kind,
        i.organisation_id,
        i.project_id,
        i.environment_id,
        &i.settings,
        &i.secrets,
        i.created_at,
        i.updated_at
    )?;
    Ok(id)
}

/// Writes every changeable column of an integration.
pub async fn update(tx: &mut Tx, i: &Integration) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE integrations SET settings = $2, secrets = $3, updated_at = $4 WHERE id = $1",
        i.id,
        &i.settings,
        &i.secrets,
        i.updated_at
    )
}

/// Deletes an integration.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM integrations WHERE id = $1", id)
}

/// The sealed token of the Slack workspace that a project is connected to.
pub async fn slack_token(tx: &mut Tx, project_id: i64) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!(
        tx,
        fetch_optional as (String,),
        "SELECT token FROM slack_workspaces WHERE project_id = $1",
        project_id
    )?;
    Ok(row.map(|(token,)| token))
}

/// Connects a project to a Slack workspace, in place of another one.
pub async fn set_slack_token(tx: &mut Tx, project_id: i64, token: &str, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO slack_workspaces (project_id, token, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (project_id) DO UPDATE SET token = excluded.token, created_at = excluded.created_at",
        project_id,
        token,
        now
    )
}
