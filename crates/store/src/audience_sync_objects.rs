//! What audience syncs of a server are made of: sources, models, destinations, syncs.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A source, model, destination or sync of an organisation.
    pub struct AudienceSyncObject {
        pub id: i64,
        pub organisation_id: i64,
        /// `source`, `model`, `destination` or `sync`.
        pub kind: String,
        /// Unique in the organisation among those of its kind.
        pub name: String,
        /// JSON, its secrets sealed.
        pub content: String,
        pub updated_at: i64,
        /// When a sync with a schedule runs next.
        pub due_at: Option<i64>,
        /// When it was last told that a sync has not succeeded for too long.
        pub stale_told_at: Option<i64>,
    }
}

/// Everything of an organisation, by kind and name.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<AudienceSyncObject>> {
    sql!(
        tx,
        fetch_all as AudienceSyncObject,
        "SELECT * FROM audience_sync_objects WHERE organisation_id = $1 ORDER BY kind, name",
        organisation_id
    )
}

/// One of them by its number, whosever it is.
pub async fn get(tx: &mut Tx, id: i64) -> Result<Option<AudienceSyncObject>> {
    sql!(
        tx,
        fetch_optional as AudienceSyncObject,
        "SELECT * FROM audience_sync_objects WHERE id = $1",
        id
    )
}

/// Writes a new one; its id is given.
pub async fn insert(tx: &mut Tx, object: &AudienceSyncObject) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO audience_sync_objects (organisation_id, kind, name, content, updated_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        object.organisation_id,
        &object.kind,
        &object.name,
        &object.content,
        object.updated_at,
        object.due_at
    )?;
    Ok(id)
}

/// Writes content and next run of one that is there.
pub async fn update(tx: &mut Tx, object: &AudienceSyncObject) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_objects SET content = $2, updated_at = $3, due_at = $4 WHERE id = $1",
        object.id,
        &object.content,
        object.updated_at,
        object.due_at
    )
}

/// Deletes one, and what was remembered of its runs.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM audience_sync_objects WHERE id = $1", id)
}

/// The syncs that are due.
pub async fn due(tx: &mut Tx, now: i64) -> Result<Vec<AudienceSyncObject>> {
    sql!(
        tx,
        fetch_all as AudienceSyncObject,
        "SELECT * FROM audience_sync_objects WHERE due_at <= $1 ORDER BY due_at, id",
        now
    )
}

/// Moves the next run of a sync, unless somebody else has moved it meanwhile: whoever gets true runs it.
pub async fn claim(tx: &mut Tx, id: i64, due_at: i64, next: Option<i64>) -> Result<bool> {
    let moved = sql!(
        tx,
        execute,
        "UPDATE audience_sync_objects SET due_at = $3 WHERE id = $1 AND due_at = $2",
        id,
        due_at,
        next
    )?;
    Ok(moved == 1)
}

/// Has a sync run at a time.
pub async fn set_due(tx: &mut Tx, id: i64, due_at: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_objects SET due_at = $2 WHERE id = $1",
        id,
        due_at
    )
}

/// All syncs of the server, for those that look whether something is to be told about them.
pub async fn syncs(tx: &mut Tx) -> Result<Vec<AudienceSyncObject>> {
    sql!(
        tx,
        fetch_all as AudienceSyncObject,
        "SELECT * FROM audience_sync_objects WHERE kind = 'sync' ORDER BY id"
    )
}

/// Writes down that it was told that a sync has not succeeded for too long.
pub async fn set_stale_told(tx: &mut Tx, id: i64, at: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_objects SET stale_told_at = $2 WHERE id = $1",
        id,
        at
    )
}
