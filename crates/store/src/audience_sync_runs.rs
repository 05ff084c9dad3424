//! Runs of the syncs that a server keeps. What every run needs, those of files included, is in [`crate::audience_syncs`].

use crate::audience_syncs::{RefusedRow, Run};
use crate::db::Id;
use crate::{Result, Tx, sql};

/// Which runs are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub organisation_id: i64,
    /// The name the ledger has for the sync.
    pub sync: Option<&'a str>,
    pub state: Option<&'a str>,
}

/// Runs of an organisation, newest first.
pub async fn list(tx: &mut Tx, wanted: Wanted<'_>, limit: i64, offset: i64) -> Result<Vec<Run>> {
    sql!(
        tx,
        fetch_all as Run,
        "SELECT r.* FROM audience_sync_runs r JOIN audience_sync_objects o ON o.id = r.object_id
         WHERE o.organisation_id = $1 AND (CAST($2 AS TEXT) IS NULL OR r.sync = $2)
             AND (CAST($3 AS TEXT) IS NULL OR r.state = $3)
         ORDER BY r.id DESC LIMIT $4 OFFSET $5",
        wanted.organisation_id,
        wanted.sync,
        wanted.state,
        limit,
        offset
    )
}

/// How many there are.
pub async fn count(tx: &mut Tx, wanted: Wanted<'_>) -> Result<i64> {
    let (count,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM audience_sync_runs r JOIN audience_sync_objects o ON o.id = r.object_id
         WHERE o.organisation_id = $1 AND (CAST($2 AS TEXT) IS NULL OR r.sync = $2)
             AND (CAST($3 AS TEXT) IS NULL OR r.state = $3)",
        wanted.organisation_id,
        wanted.sync,
        wanted.state
    )?;
    Ok(count)
}

/// One run of an organisation.
pub async fn find(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<Option<Run>> {
    sql!(
        tx,
        fetch_optional as Run,
        "SELECT r.* FROM audience_sync_runs r JOIN audience_sync_objects o ON o.id = r.object_id
         WHERE o.organisation_id = $1 AND r.id = $2",
        organisation_id,
        id
    )
}

/// How many rows of a run were refused.
pub async fn count_errors(tx: &mut Tx, run: i64) -> Result<i64> {
    let (count,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM audience_sync_errors WHERE run = $1",
        run
    )?;
    Ok(count)
}

/// Some of them, in the order they were refused.
pub async fn errors(tx: &mut Tx, run: i64, limit: i64, offset: i64) -> Result<Vec<RefusedRow>> {
    sql!(
        tx,
        fetch_all as RefusedRow,
        "SELECT key, op, reason FROM audience_sync_errors WHERE run = $1 ORDER BY id LIMIT $2 OFFSET $3",
        run,
        limit,
        offset
    )
}

/// Says whose run it is: of which sync of the server, and who asked for it.
pub async fn set_origin(tx: &mut Tx, run: i64, object_id: i64, started_by: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET object_id = $2, started_by = $3 WHERE id = $1",
        run,
        object_id,
        started_by
    )
}

/// Says which sync of the server a ledger belongs to, and so goes with.
pub async fn set_owner(tx: &mut Tx, sync: &str, object_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_syncs SET object_id = $2 WHERE name = $1",
        sync,
        object_id
    )
}

/// A run that only plans.
pub async fn set_planning(tx: &mut Tx, run: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = 'planning' WHERE id = $1",
        run
    )
}

/// Ends plans of a sync that began more than a day ago: nobody makes them any more.
pub async fn end_old_plans(tx: &mut Tx, sync: &str, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = 'failed', ended_at = $2, error = 'the process ended while it planned'
         WHERE sync = $1 AND state = 'planning' AND started_at < $2 - 86400000000",
        sync,
        now
    )
}

/// A run that never began: its state and why.
pub async fn insert_ended(
    tx: &mut Tx,
    sync: &str,
    object_id: i64,
    state: &str,
    error: &str,
    now: i64,
) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO audience_sync_runs (sync, object_id, state, started_at, ended_at, counts, holds, progress, error)
         VALUES ($1, $2, $3, $4, $4, '{}', '[]', '{}', $5) RETURNING id",
        sync,
        object_id,
        state,
        now,
        error
    )?;
    Ok(id)
}

/// Ends a held run; false when it is not held any more.
pub async fn drop_held(tx: &mut Tx, run: i64, now: i64) -> Result<bool> {
    let dropped = sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = 'dropped', ended_at = $2 WHERE id = $1 AND state = 'held'",
        run,
        now
    )?;
    Ok(dropped == 1)
}

/// Ends a run that is under way, wherever it is: its process finds that it has lost the sync, and sends no more. Nobody has
/// the sync until `until`, when that process has found out.
pub async fn stop(tx: &mut Tx, run: &Run, now: i64, until: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_syncs SET holder = '', held_until = $2 WHERE name = $1",
        &run.sync,
        until
    )?;
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = 'stopped', ended_at = $2, error = 'somebody stopped it'
         WHERE id = $1 AND state = 'running'",
        run.id,
        now
    )
}

/// Writes down how far a run had come that somebody stopped. Whether somebody did.
pub async fn note_stopped(tx: &mut Tx, run: i64, progress: &str) -> Result<bool> {
    let noted = sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET progress = $2 WHERE id = $1 AND state = 'stopped'",
        run,
        progress
    )?;
    Ok(noted == 1)
}

/// Whether some process runs a sync of the server.
pub async fn is_running(tx: &mut Tx, object_id: i64, now: i64) -> Result<bool> {
    let found = sql!(
        tx,
        fetch_optional as (String,),
        "SELECT name FROM audience_syncs WHERE object_id = $1 AND holder IS NOT NULL AND held_until >= $2",
        object_id,
        now
    )?;
    Ok(found.is_some())
}

/// The syncs of the server whose process went silent in the middle of a run.
pub async fn abandoned(tx: &mut Tx, now: i64) -> Result<Vec<i64>> {
    let found = sql!(
        tx,
        fetch_all as Id,
        "SELECT s.object_id AS id FROM audience_syncs s
         WHERE s.object_id IS NOT NULL AND s.holder <> '' AND s.held_until < $1",
        now
    )?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// When a sync of the server last ran to its end.
pub async fn last_done(tx: &mut Tx, object_id: i64) -> Result<Option<i64>> {
    let (at,) = sql!(
        tx,
        fetch_one as (Option<i64>,),
        "SELECT MAX(ended_at) AS ended_at FROM audience_sync_runs WHERE object_id = $1 AND state IN ('done', 'partial')",
        object_id
    )?;
    Ok(at)
}
