//! How often personal data was found, by where it was found and what was done about it.

use crate::{Result, Tx, row, sql};

row! {
    /// Findings of one kind at one place.
    pub struct Finding {
        pub project_id: i64,
        /// What it came in by.
        pub entrance: String,
        pub field: String,
        /// The key of the trait or the context kind; empty where there is none, and where it was not to be kept.
        pub name: String,
        pub kind: String,
        /// What was done about it.
        pub mode: String,
        pub count: i64,
        pub first_at: i64,
        pub last_at: i64,
    }
}

/// The findings of a project, the most frequent first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Finding>> {
    sql!(
        tx,
        fetch_all as Finding,
        "SELECT * FROM pii_findings WHERE project_id = $1 ORDER BY count DESC, entrance, field, name, kind, mode",
        project_id
    )
}

/// Adds findings to those that were counted before. Places by name beyond `most` of a project are counted without their
/// names. Projects that are gone are passed over.
pub async fn add(tx: &mut Tx, found: &Finding, most: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO pii_findings (project_id, entrance, field, name, kind, mode, count, first_at, last_at)
         SELECT p.id, $2, $3,
                CASE WHEN (SELECT COUNT(*) FROM pii_findings f WHERE f.project_id = $1) < CAST($9 AS BIGINT)
                       OR EXISTS (SELECT 1 FROM pii_findings f WHERE f.project_id = $1 AND f.entrance = $2
                                  AND f.field = $3 AND f.name = $4 AND f.kind = $5 AND f.mode = $6)
                     THEN $4 ELSE '' END,
                $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($8 AS BIGINT)
         FROM projects p WHERE p.id = $1
         ON CONFLICT (project_id, entrance, field, name, kind, mode)
         DO UPDATE SET count = pii_findings.count + excluded.count, last_at = excluded.last_at",
        found.project_id,
        &found.entrance,
        &found.field,
        &found.name,
        &found.kind,
        &found.mode,
        found.count,
        found.last_at,
        most
    )
}

/// Forgets what was counted of a project.
pub async fn clear(tx: &mut Tx, project_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM pii_findings WHERE project_id = $1",
        project_id
    )
}
