//! What audience syncs remember: acknowledged state, runs, batches, refused rows.

use crate::db::{Id, id_list};
use crate::{Result, Tx, row, sql};

row! {
    /// A sync that has run.
    pub struct AudienceSync {
        pub name: String,
        pub shape: String,
        pub holder: Option<String>,
        pub held_until: i64,
    }
}

row! {
    /// A run.
    pub struct Run {
        pub id: i64,
        pub sync: String,
        pub state: String,
        pub started_at: i64,
        pub ended_at: Option<i64>,
        pub counts: String,
        pub holds: String,
        pub progress: String,
        pub seal: Option<String>,
        pub error: Option<String>,
        /// The sync among the objects of a server, and the user who asked for the run.
        pub object_id: Option<i64>,
        pub started_by: Option<i64>,
        /// JSON: some keys of each kind of operation.
        pub samples: String,
    }
}

row! {
    /// A batch that was sent, or was about to be, and is not in the state.
    pub struct OpenBatch {
        pub outcome: String,
        pub content: Vec<u8>,
    }
}

row! {
    /// A row that was refused, or could not be sent.
    pub struct RefusedRow {
        pub key: String,
        pub op: String,
        pub reason: String,
    }
}

/// Takes a sync for a holder until a time, unless another holder has it still. The sync's row is made when it is new.
///
/// `now` and `until` are microseconds since 1970. Returns the sync as it was, or `None` when it is taken.
pub async fn take(
    tx: &mut Tx,
    name: &str,
    shape: &str,
    holder: &str,
    now: i64,
    until: i64,
) -> Result<Option<AudienceSync>> {
    sql!(
        tx,
        execute,
        "INSERT INTO audience_syncs (name, shape, holder, held_until) VALUES ($1, $2, NULL, 0) ON CONFLICT DO NOTHING",
        name,
        shape
    )?;
    let before = sql!(
        tx,
        fetch_one as AudienceSync,
        "SELECT * FROM audience_syncs WHERE name = $1",
        name
    )?;
    let taken = sql!(
        tx,
        execute,
        "UPDATE audience_syncs SET holder = $2, held_until = $3 WHERE name = $1 AND (holder IS NULL OR holder = $2 OR held_until < $4)",
        name,
        holder,
        until,
        now
    )?;
    Ok((taken == 1).then_some(before))
}

/// Holds on to a sync; false when somebody else has it now.
pub async fn keep(tx: &mut Tx, name: &str, holder: &str, until: i64) -> Result<bool> {
    let kept = sql!(
        tx,
        execute,
        "UPDATE audience_syncs SET held_until = $3 WHERE name = $1 AND holder = $2",
        name,
        holder,
        until
    )?;
    Ok(kept == 1)
}

/// Lets a sync go.
pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_syncs SET holder = NULL, held_until = 0 WHERE name = $1 AND holder = $2",
        name,
        holder
    )
}

/// A sync writes to this from now on, unless another one does; returns who does.
pub async fn claim_target(tx: &mut Tx, target: &str, sync: &str) -> Result<String> {
    let (owner,) = sql!(
        tx,
        fetch_one as (String,),
        "INSERT INTO audience_sync_targets (target, sync) VALUES ($1, $2)
         ON CONFLICT (target) DO UPDATE SET target = excluded.target RETURNING sync",
        target,
        sync
    )?;
    Ok(owner)
}

/// A sync writes to nothing any more.
pub async fn drop_targets(tx: &mut Tx, sync: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM audience_sync_targets WHERE sync = $1",
        sync
    )
}

/// Forgets a sync that nobody runs: what it was acknowledged, what it writes to, its runs. False when it is not there, or
/// runs.
pub async fn forget(tx: &mut Tx, name: &str, now: i64) -> Result<bool> {
    let gone = sql!(
        tx,
        execute,
        "DELETE FROM audience_syncs WHERE name = $1 AND (holder IS NULL OR held_until < $2)",
        name,
        now
    )?;
    if gone == 0 {
        return Ok(false);
    }
    sql!(
        tx,
        execute,
        "DELETE FROM audience_sync_runs WHERE sync = $1",
        name
    )?;
    Ok(true)
}

/// Forgets the acknowledged state of a sync whose shape has changed.
pub async fn reshape(tx: &mut Tx, name: &str, shape: &str) -> Result<()> {
    sql!(
        tx,
        execute,
        "DELETE FROM audience_sync_blocks WHERE sync = $1",
        name
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM audience_sync_batches WHERE run IN (SELECT id FROM audience_sync_runs WHERE sync = $1)",
        name
    )?;
    sql!(
        tx,
        execute,
        "UPDATE audience_syncs SET shape = $2 WHERE name = $1",
        name,
        shape
    )?;
    Ok(())
}

/// One part of the acknowledged state; empty when there is none.
pub async fn block(tx: &mut Tx, name: &str, part: i64) -> Result<Vec<u8>> {
    let found = sql!(
        tx,
        fetch_optional as (Vec<u8>,),
        "SELECT content FROM audience_sync_blocks WHERE sync = $1 AND part = $2",
        name,
        part
    )?;
    Ok(found.map(|(content,)| content).unwrap_or_default())
}

/// Writes one part of the acknowledged state.
pub async fn set_block(tx: &mut Tx, name: &str, part: i64, content: &[u8]) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO audience_sync_blocks (sync, part, content) VALUES ($1, $2, $3)
         ON CONFLICT (sync, part) DO UPDATE SET content = excluded.content",
        name,
        part,
        content
    )
}

/// Begins a run.
pub async fn insert_run(tx: &mut Tx, sync: &str, now: i64) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO audience_sync_runs (sync, state, started_at, counts, holds, progress)
         VALUES ($1, 'running', $2, '{}', '[]', '{}') RETURNING id",
        sync,
        now
    )?;
    Ok(id)
}

/// Forgets the runs of a sync but the newest, with their errors. Runs with batches that are not in the state yet stay.
pub async fn forget_runs(tx: &mut Tx, sync: &str, keep: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM audience_sync_runs WHERE sync = $1 AND id NOT IN
             (SELECT id FROM audience_sync_runs WHERE sync = $1 ORDER BY id DESC LIMIT $2)
             AND id NOT IN (SELECT run FROM audience_sync_batches WHERE content IS NOT NULL)",
        sync,
        keep
    )
}

/// Writes what came of a run; whose it is and when it began stay.
pub async fn update_run(tx: &mut Tx, run: &Run) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = $2, ended_at = $3, counts = $4, holds = $5, progress = $6, seal = $7,
             error = $8, samples = $9 WHERE id = $1",
        run.id,
        &run.state,
        run.ended_at,
        &run.counts,
        &run.holds,
        &run.progress,
        run.seal.as_deref(),
        run.error.as_deref(),
        &run.samples
    )
}

/// Writes what a run that is under way has to do: its counts, some of its keys, and its seal.
pub async fn set_plan(tx: &mut Tx, run: i64, counts: &str, samples: &str, seal: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET counts = $2, samples = $3, seal = $4 WHERE id = $1",
        run,
        counts,
        samples,
        seal
    )
}

/// Writes how far a run is.
pub async fn set_progress(tx: &mut Tx, run: i64, progress: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET progress = $2 WHERE id = $1",
        run,
        progress
    )
}

/// Ends runs of a sync that nobody runs any more: their process is gone.
pub async fn end_abandoned(tx: &mut Tx, sync: &str, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = 'failed', ended_at = $2, error = 'the process ended while it ran'
         WHERE sync = $1 AND state = 'running'",
        sync,
        now
    )
}

/// Held runs of a sync are superseded by a newer one.
pub async fn drop_held(tx: &mut Tx, sync: &str, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_runs SET state = 'dropped', ended_at = $2 WHERE sync = $1 AND state = 'held'",
        sync,
        now
    )
}

/// One run.
pub async fn run(tx: &mut Tx, id: i64) -> Result<Option<Run>> {
    sql!(
        tx,
        fetch_optional as Run,
        "SELECT * FROM audience_sync_runs WHERE id = $1",
        id
    )
}

/// The last runs, of one sync or of all, newest first.
pub async fn runs(tx: &mut Tx, sync: Option<&str>, limit: i64) -> Result<Vec<Run>> {
    sql!(
        tx,
        fetch_all as Run,
        "SELECT * FROM audience_sync_runs WHERE CAST($1 AS TEXT) IS NULL OR sync = $1 ORDER BY id DESC LIMIT $2",
        sync,
        limit
    )
}

/// Writes a batch down before it is sent.
pub async fn insert_batch(tx: &mut Tx, run: i64, number: i64, content: &[u8]) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO audience_sync_batches (run, number, adds, removes, outcome, content) VALUES ($1, $2, 0, 0, 'prepared', $3)",
        run,
        number,
        content
    )
}

/// Writes that a batch was acknowledged; `content` is what of it was taken, where that is not all.
pub async fn confirm_batch(tx: &mut Tx, run: i64, number: i64, content: Option<&[u8]>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE audience_sync_batches SET outcome = 'confirmed', content = COALESCE($3, content) WHERE run = $1 AND number = $2",
        run,
        number,
        content
    )
}

/// Forgets batches of a run.
pub async fn forget_batches(tx: &mut Tx, run: i64, numbers: &[i64]) -> Result<u64> {
    sql!(
        tx,
        execute,
        sqlite: "DELETE FROM audience_sync_batches WHERE run = $1 AND number IN (SELECT value FROM json_each($2))",
        postgres: "DELETE FROM audience_sync_batches WHERE run = $1 AND number IN (SELECT value::BIGINT FROM json_array_elements_text(CAST($2 AS JSON)))",
        run,
        id_list(numbers)
    )
}

/// The batches that runs of a sync before this one left behind, in the order they were written.
pub async fn open_batches(tx: &mut Tx, sync: &str, before: i64) -> Result<Vec<OpenBatch>> {
    sql!(
        tx,
        fetch_all as OpenBatch,
        "SELECT b.outcome, b.content FROM audience_sync_batches b JOIN audience_sync_runs r ON r.id = b.run
         WHERE r.sync = $1 AND b.run < $2 AND b.content IS NOT NULL ORDER BY b.run, b.number",
        sync,
        before
    )
}

/// Forgets the batches of all runs of a sync before this one.
pub async fn forget_open_batches(tx: &mut Tx, sync: &str, before: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM audience_sync_batches WHERE run < $2 AND run IN (SELECT id FROM audience_sync_runs WHERE sync = $1)",
        sync,
        before
    )
}

/// How many rows travel in one statement.
const ROWS_AT_ONCE: usize = 2_000;

/// Writes rows that were refused.
pub async fn insert_errors(tx: &mut Tx, run: i64, errors: &[RefusedRow]) -> Result<()> {
    for errors in errors.chunks(ROWS_AT_ONCE) {
        let rows: Vec<_> = errors.iter().map(|e| (&e.key, &e.op, &e.reason)).collect();
        let rows = serde_json::to_string(&rows).unwrap_or_else(|_| "[]".to_owned());
        sql!(
            tx,
            execute,
            sqlite: "INSERT INTO audience_sync_errors (run, key, op, reason)
                     SELECT $1, value ->> 0, value ->> 1, value ->> 2 FROM json_each($2) ORDER BY json_each.key",
            postgres: "INSERT INTO audience_sync_errors (run, key, op, reason)
                       SELECT $1, e.row ->> 0, e.row ->> 1, e.row ->> 2
                       FROM json_array_elements(CAST($2 AS JSON)) WITH ORDINALITY AS e (row, place) ORDER BY e.place",
            run,
            rows
        )?;
    }
    Ok(())
}

/// The rows of a run that were refused, in the order they were.
pub async fn errors(tx: &mut Tx, run: i64) -> Result<Vec<RefusedRow>> {
    sql!(
        tx,
        fetch_all as RefusedRow,
        "SELECT key, op, reason FROM audience_sync_errors WHERE run = $1 ORDER BY id",
        run
    )
}
