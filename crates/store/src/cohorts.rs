//! Cohorts: lists of identities that are kept elsewhere and targeted by a segment here.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A cohort with its segment's name and description.
    pub struct Cohort {
        pub id: i64,
        pub uuid: String,
        pub environment_id: i64,
        pub segment_id: i64,
        pub name: String,
        pub description: Option<String>,
        pub source_type: String,
        pub version: i64,
        pub created_at: i64,
        pub deletion_requested_at: Option<i64>,
    }
}

/// The cohorts of an environment, oldest first.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<Cohort>> {
    sql!(
        tx,
        fetch_all as Cohort,
        "SELECT c.id AS id, c.uuid AS uuid, c.environment_id AS environment_id, c.segment_id AS segment_id,
                s.name AS name, s.description AS description, c.source_type AS source_type, c.version AS version,
                c.created_at AS created_at, c.deletion_requested_at AS deletion_requested_at
         FROM cohorts c JOIN segments s ON s.id = c.segment_id
         WHERE c.environment_id = $1 ORDER BY c.id",
        environment_id
    )
}

/// One cohort by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Cohort>> {
    sql!(
        tx,
        fetch_optional as Cohort,
        "SELECT c.id AS id, c.uuid AS uuid, c.environment_id AS environment_id, c.segment_id AS segment_id,
                s.name AS name, s.description AS description, c.source_type AS source_type, c.version AS version,
                c.created_at AS created_at, c.deletion_requested_at AS deletion_requested_at
         FROM cohorts c JOIN segments s ON s.id = c.segment_id
         WHERE c.uuid = $1",
        uuid
    )
}

/// Writes a new cohort of a segment and returns its id.
pub async fn insert(tx: &mut Tx, c: &Cohort) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO cohorts (uuid, environment_id, segment_id, source_type, version, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        &c.uuid,
        c.environment_id,
        c.segment_id,
        &c.source_type,
        c.version,
        c.created_at
    )?;
    Ok(id)
}
