//! Versions: what a feature is in an environment, for everyone and for segments, from some moment on.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A version with its states as a document.
    pub struct FeatureVersion {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub environment_id: i64,
        pub description: Option<String>,
        /// JSON; see `app`.
        pub states: String,
        pub created_at: i64,
        pub updated_at: i64,
        pub created_by: Option<i64>,
        /// Without it: a draft.
        pub published_at: Option<i64>,
        pub published_by: Option<i64>,
        pub live_from: Option<i64>,
        /// Without it: a draft, or waiting for its time.
        pub went_live_at: Option<i64>,
        pub change_request_id: Option<i64>,
    }
}

/// One page of the versions of a feature in an environment, newest first: all of them, or those that (`is_live`) are
/// or were served, or are not yet.
pub async fn list(
    tx: &mut Tx,
    (environment_id, feature_id): (i64, i64),
    is_live: Option<bool>,
    (limit, offset): (i64, i64),
) -> Result<Vec<FeatureVersion>> {
    sql!(
        tx,
        fetch_all as FeatureVersion,
        "SELECT * FROM feature_versions
         WHERE environment_id = $1 AND feature_id = $2
           AND (CAST($3 AS BOOLEAN) IS NULL OR (went_live_at IS NOT NULL) = CAST($3 AS BOOLEAN))
         ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5",
        environment_id,
        feature_id,
        is_live,
        limit,
        offset
    )
}

/// How many there are.
pub async fn count(
    tx: &mut Tx,
    (environment_id, feature_id): (i64, i64),
    is_live: Option<bool>,
) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM feature_versions
         WHERE environment_id = $1 AND feature_id = $2
           AND (CAST($3 AS BOOLEAN) IS NULL OR (went_live_at IS NOT NULL) = CAST($3 AS BOOLEAN))",
        environment_id,
        feature_id,
        is_live
    )?;
    Ok(count)
}

/// One version by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<FeatureVersion>> {
    sql!(
        tx,
        fetch_optional as FeatureVersion,
        "SELECT * FROM feature_versions WHERE uuid = $1",
        uuid
    )
}

/// One version.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<FeatureVersion>> {
    sql!(
        tx,
        fetch_optional as FeatureVersion,
        "SELECT * FROM feature_versions WHERE id = $1",
        id
    )
}

/// The version that is served.
pub async fn current(tx: &mut Tx, environment_id: i64, feature_id: i64) -> Result<Option<FeatureVersion>> {
    sql!(
        tx,
        fetch_optional as FeatureVersion,
        "SELECT * FROM feature_versions
         WHERE environment_id = $1 AND feature_id = $2 AND went_live_at IS NOT NULL
         ORDER BY live_from DESC, id DESC LIMIT 1",
        environment_id,
        feature_id
    )
}

/// The version that was served before this one.
pub async fn previous(tx: &mut Tx, version: &FeatureVersion) -> Result<Option<FeatureVersion>> {
    sql!(
        tx,
        fetch_optional as FeatureVersion,
        "SELECT * FROM feature_versions
         WHERE environment_id = $1 AND feature_id = $2 AND went_live_at IS NOT NULL AND id <> $3
           AND (CAST($4 AS BIGINT) IS NULL OR live_from < $4 OR (live_from = $4 AND id < $3))
         ORDER BY live_from DESC, id DESC LIMIT 1",
        version.environment_id,
        version.feature_id,
        version.id,
        version.live_from
    )
}

/// Writes a new version (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, v: &FeatureVersion) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_versions (uuid, feature_id, environment_id, description, states, created_at, updated_at,
             created_by, published_at, published_by, live_from, went_live_at, change_request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id",
        &v.uuid,
        v.feature_id,
        v.environment_id,
        v.description.as_deref(),
        &v.states,
        v.created_at,
        v.updated_at,
        v.created_by,
        v.published_at,
        v.published_by,
        v.live_from,
        v.went_live_at,
        v.change_request_id
    )?;
    Ok(id)
}

/// Writes a version.
pub async fn update(tx: &mut Tx, v: &FeatureVersion) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_versions SET description = $2, states = $3, updated_at = $4, published_at = $5,
             published_by = $6, live_from = $7, went_live_at = $8
         WHERE id = $1",
        v.id,
        v.description.as_deref(),
        &v.states,
        v.updated_at,
        v.published_at,
        v.published_by,
        v.live_from,
        v.went_live_at
    )
}

/// Deletes a version.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM feature_versions WHERE id = $1", id)
}

/// Deletes all versions of an environment.
pub async fn delete_all(tx: &mut Tx, environment_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_versions WHERE environment_id = $1",
        environment_id
    )
}

/// Notes the change request that publishes a version.
pub async fn set_change_request(tx: &mut Tx, id: i64, change_request_id: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_versions SET change_request_id = $2 WHERE id = $1",
        id,
        change_request_id
    )
}
