//! What is to happen to a feature in an environment at its time.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A version that is to go live, or a change set that is to be applied.
    pub struct ScheduledChange {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub environment_id: i64,
        pub version_id: Option<i64>,
        pub change_set: Option<String>,
        pub live_from: i64,
        pub user_id: Option<i64>,
        pub api_key_id: Option<i64>,
        pub change_request_id: Option<i64>,
        pub change_request_title: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

/// Those of an environment, of one feature or of all, in the order in which they will happen.
pub async fn list(tx: &mut Tx, environment_id: i64, feature_id: Option<i64>) -> Result<Vec<ScheduledChange>> {
    sql!(
        tx,
        fetch_all as ScheduledChange,
        "SELECT * FROM scheduled_changes
         WHERE environment_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR feature_id = $2)
         ORDER BY live_from, id",
        environment_id,
        feature_id
    )
}

/// Those whose time has come, first the one that was to happen first.
pub async fn due(tx: &mut Tx, now: i64, limit: i64) -> Result<Vec<ScheduledChange>> {
    sql!(
        tx,
        fetch_all as ScheduledChange,
        "SELECT * FROM scheduled_changes WHERE live_from <= $1 ORDER BY live_from, id LIMIT $2",
        now,
        limit
    )
}

/// One of an environment.
pub async fn find_in(tx: &mut Tx, environment_id: i64, id: i64) -> Result<Option<ScheduledChange>> {
    sql!(
        tx,
        fetch_optional as ScheduledChange,
        "SELECT * FROM scheduled_changes WHERE environment_id = $1 AND id = $2",
        environment_id,
        id
    )
}

/// The one that takes a version live.
pub async fn of_version(tx: &mut Tx, version_id: i64) -> Result<Option<ScheduledChange>> {
    sql!(
        tx,
        fetch_optional as ScheduledChange,
        "SELECT * FROM scheduled_changes WHERE version_id = $1",
        version_id
    )
}

/// Those a change request left behind.
pub async fn of_change_request(tx: &mut Tx, change_request_id: i64) -> Result<Vec<ScheduledChange>> {
    sql!(
        tx,
        fetch_all as ScheduledChange,
        "SELECT * FROM scheduled_changes WHERE change_request_id = $1 ORDER BY live_from, id",
        change_request_id
    )
}

/// Those of a feature, in all environments.
pub async fn of_feature(tx: &mut Tx, feature_id: i64) -> Result<Vec<ScheduledChange>> {
    sql!(
        tx,
        fetch_all as ScheduledChange,
        "SELECT * FROM scheduled_changes WHERE feature_id = $1 ORDER BY live_from, id",
        feature_id
    )
}

/// How many an environment has.
pub async fn count(tx: &mut Tx, environment_id: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM scheduled_changes WHERE environment_id = $1",
        environment_id
    )?;
    Ok(count)
}

/// Writes a new one (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, c: &ScheduledChange) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO scheduled_changes (uuid, feature_id, environment_id, version_id, change_set, live_from, user_id,
             api_key_id, change_request_id, change_request_title, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        &c.uuid,
        c.feature_id,
        c.environment_id,
        c.version_id,
        c.change_set.as_deref(),
        c.live_from,
        c.user_id,
        c.api_key_id,
        c.change_request_id,
        c.change_request_title.as_deref(),
        c.created_at,
        c.updated_at
    )?;
    Ok(id)
}

/// Writes what is to happen and when.
pub async fn update(tx: &mut Tx, c: &ScheduledChange) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE scheduled_changes SET change_set = $2, live_from = $3, updated_at = $4 WHERE id = $1",
        c.id,
        c.change_set.as_deref(),
        c.live_from,
        c.updated_at
    )
}

/// Deletes one; 0 when it is gone already.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM scheduled_changes WHERE id = $1", id)
}

/// Deletes all of an environment.
pub async fn delete_all(tx: &mut Tx, environment_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM scheduled_changes WHERE environment_id = $1",
        environment_id
    )
}
