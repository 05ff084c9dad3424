//! How far each reader of the change log has read.

use crate::audit::AuditEntry;
use crate::{Db, Result, Tx, query, sql};

/// The reader that makes deliveries of changes.
pub const DELIVERIES: &str = "deliveries";

/// Whether there is something after the position of a reader.
pub async fn is_behind(db: &Db, name: &str) -> Result<bool> {
    let (behind,): (bool,) = query!(
        db,
        fetch_one as (bool,),
        "SELECT EXISTS (SELECT 1 FROM changes
                        WHERE id > (SELECT position FROM log_readers WHERE name = $1)) AS behind",
        name
    )?;
    Ok(behind)
}

/// The position of a reader.
pub async fn position(tx: &mut Tx, name: &str) -> Result<i64> {
    let row: Option<(i64,)> = sql!(
        tx,
        fetch_optional as (i64,),
        "SELECT position FROM log_readers WHERE name = $1",
        name
    )?;
    Ok(row.map_or(0, |(position,)| position))
}

/// Moves a reader on. Whether it was still where it was thought to be: when not, another node has read on meanwhile.
pub async fn advance(tx: &mut Tx, name: &str, from: i64, to: i64) -> Result<bool> {
    let moved = sql!(
        tx,
        execute,
        "UPDATE log_readers SET position = $3 WHERE name = $1 AND position = $2",
        name,
        from,
        to
    )?;
    Ok(moved > 0)
}

/// The changes after a position, oldest first, at most `limit`.
pub async fn changes_after(tx: &mut Tx, position: i64, limit: i64) -> Result<Vec<AuditEntry>> {
    sql!(
        tx,
        fetch_all as AuditEntry,
        "SELECT id, at, user_id, api_key_id, organisation_id, project_id, environment_id, object_type, object_id,
                object_uuid, action, message, before, after
         FROM changes WHERE id > $1 ORDER BY id LIMIT $2",
        position,
        limit
    )
}

/// What the log kept of an object when it was deleted.
pub async fn deleted(
    tx: &mut Tx,
    project_id: i64,
    object_type: &str,
    object_id: i64,
) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql!(
        tx,
        fetch_optional as (Option<String>,),
        "SELECT before FROM changes
         WHERE project_id = $1 AND object_type = $2 AND object_id = $3 AND action = 'DELETE'
         ORDER BY id DESC LIMIT 1",
        project_id,
        object_type,
        object_id
    )?;
    Ok(row.and_then(|(before,)| before))
}
