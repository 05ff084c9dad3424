//! Feature segments: which segments override a feature in an environment, and in which order.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// The link of a segment override; the lowest priority wins.
    pub struct FeatureSegment {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub segment_id: i64,
        pub environment_id: i64,
        pub priority: i64,
    }
}

/// The links of an environment, in the order of their priorities.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<FeatureSegment>> {
    sql!(
        tx,
        fetch_all as FeatureSegment,
        "SELECT * FROM feature_segments WHERE environment_id = $1 ORDER BY priority, id",
        environment_id
    )
}

/// The links of one feature in an environment, in the order of their priorities.
pub async fn of_feature(tx: &mut Tx, environment_id: i64, feature_id: i64) -> Result<Vec<FeatureSegment>> {
    sql!(
        tx,
        fetch_all as FeatureSegment,
        "SELECT * FROM feature_segments WHERE environment_id = $1 AND feature_id = $2 ORDER BY priority, id",
        environment_id,
        feature_id
    )
}

/// The links of one feature in all environments, in the order of their priorities.
pub async fn of_feature_anywhere(tx: &mut Tx, feature_id: i64) -> Result<Vec<FeatureSegment>> {
    sql!(
        tx,
        fetch_all as FeatureSegment,
        "SELECT * FROM feature_segments WHERE feature_id = $1 ORDER BY environment_id, priority, id",
        feature_id
    )
}

/// The links of one segment, to all features in all environments.
pub async fn of_segment(tx: &mut Tx, segment_id: i64) -> Result<Vec<FeatureSegment>> {
    sql!(
        tx,
        fetch_all as FeatureSegment,
        "SELECT * FROM feature_segments WHERE segment_id = $1 ORDER BY id",
        segment_id
    )
}

/// One link.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<FeatureSegment>> {
    sql!(
        tx,
        fetch_optional as FeatureSegment,
        "SELECT * FROM feature_segments WHERE id = $1",
        id
    )
}

/// One link by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<FeatureSegment>> {
    sql!(
        tx,
        fetch_optional as FeatureSegment,
        "SELECT * FROM feature_segments WHERE uuid = $1",
        uuid
    )
}

/// How many links an environment has.
pub async fn count(tx: &mut Tx, environment_id: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM feature_segments WHERE environment_id = $1",
        environment_id
    )?;
    Ok(count)
}

/// Writes a new link (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, link: &FeatureSegment) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_segments (uuid, feature_id, segment_id, environment_id, priority)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        &link.uuid,
        link.feature_id,
        link.segment_id,
        link.environment_id,
        link.priority
    )?;
    Ok(id)
}

/// An id for a link that is written later, with [`insert_as`].
pub async fn reserve_id(tx: &mut Tx) -> Result<i64> {
    crate::db::reserve_id(tx, "feature_segments").await
}

/// Writes a new link under the id it has already.
pub async fn insert_as(tx: &mut Tx, link: &FeatureSegment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO feature_segments (id, uuid, feature_id, segment_id, environment_id, priority)
         VALUES ($1, $2, $3, $4, $5, $6)",
        link.id,
        &link.uuid,
        link.feature_id,
        link.segment_id,
        link.environment_id,
        link.priority
    )
}

/// Writes the priority of a link.
pub async fn set_priority(tx: &mut Tx, id: i64, priority: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_segments SET priority = $2 WHERE id = $1",
        id,
        priority
    )
}

/// Deletes a link with its feature state.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM feature_segments WHERE id = $1", id)
}

/// Writes the segment of a link.
pub async fn set_segment(tx: &mut Tx, id: i64, segment_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_segments SET segment_id = $2 WHERE id = $1",
        id,
        segment_id
    )
}
