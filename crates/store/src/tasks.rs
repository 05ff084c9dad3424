//! Work that waits to be done outside a request.

use crate::{Db, Result, Tx, query, row, sql};

row! {
    /// A task.
    pub struct Task {
        pub id: i64,
        /// Names the task to whoever receives its outcome.
        pub uuid: String,
        pub kind: String,
        /// What it was made for.
        pub key: String,
        /// Of one lane one task runs at a time.
        pub lane: String,
        /// JSON.
        pub payload: String,
        /// `waiting` or `dead`.
        pub status: String,
        pub created_at: i64,
        pub due_at: i64,
        pub claimed_until: i64,
        /// How often it was begun.
        pub attempts: i64,
        pub last_error: Option<String>,
    }
}

row! {
    /// How many tasks there are.
    pub struct Counts {
        pub waiting: i64,
        pub dead: i64,
        /// When the one that is due longest was due.
        pub oldest_due_at: Option<i64>,
    }
}

/// Adds a task, unless there is one of this kind for the same thing. Whether it was added.
pub async fn insert(tx: &mut Tx, task: &Task) -> Result<bool> {
    let added = sql!(
        tx,
        execute,
        "INSERT INTO tasks (uuid, kind, key, lane, payload, status, created_at, due_at, claimed_until, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0) ON CONFLICT (kind, key) DO NOTHING",
        &task.uuid,
        &task.kind,
        &task.key,
        &task.lane,
        &task.payload,
        &task.status,
        task.created_at,
        task.due_at
    )?;
    Ok(added > 0)
}

/// Whether a task is due that does not run.
pub async fn any_due(db: &Db, now: i64) -> Result<bool> {
    let (any,): (bool,) = query!(
        db,
        fetch_one as (bool,),
        "SELECT EXISTS (SELECT 1 FROM tasks WHERE status = 'waiting' AND due_at <= $1 AND claimed_until <= $1) AS any_due",
        now
    )?;
    Ok(any)
}

/// Takes tasks that are due, the oldest of each lane in which none runs: nobody else gets them before `until`.
pub async fn claim(tx: &mut Tx, now: i64, until: i64, limit: i64) -> Result<Vec<Task>> {
    if let Tx::Postgres(_) = tx {
        // One claim at a time: two would see the same tasks waiting.
        sql!(
            tx,
            execute,
            sqlite: "SELECT 1 AS locked",
            postgres: "SELECT CAST(pg_advisory_xact_lock(7012302) AS TEXT) AS locked"
        )?;
    }
    sql!(
        tx,
        fetch_all as Task,
        "UPDATE tasks SET claimed_until = $2, attempts = attempts + 1
         WHERE id IN (
             SELECT MIN(id) FROM tasks AS due
             WHERE status = 'waiting' AND due_at <= $1 AND claimed_until <= $1
               AND NOT EXISTS (SELECT 1 FROM tasks AS busy WHERE busy.lane = due.lane AND busy.claimed_until > $1)
             GROUP BY lane ORDER BY MIN(id) LIMIT $3)
         RETURNING *",
        now,
        until,
        limit
    )
}

/// Forgets a task whose work is done, if this claim on it still holds.
pub async fn finish(tx: &mut Tx, task: &Task) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM tasks WHERE id = $1 AND attempts = $2",
        task.id,
        task.attempts
    )
}

/// Lets a task wait after an attempt that failed, if this claim on it still holds.
pub async fn put_off(tx: &mut Tx, task: &Task, due_at: i64, why: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE tasks SET due_at = $3, claimed_until = 0, last_error = $4 WHERE id = $1 AND attempts = $2",
        task.id,
        task.attempts,
        due_at,
        why
    )
}

/// Lets everything else in a lane wait until then.
pub async fn put_off_lane(tx: &mut Tx, lane: &str, due_at: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE tasks SET due_at = $2
         WHERE lane = $1 AND status = 'waiting' AND due_at < $2 AND claimed_until = 0",
        lane,
        due_at
    )
}

/// Makes a task a dead letter, if this claim on it still holds.
pub async fn bury(tx: &mut Tx, task: &Task, why: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE tasks SET status = 'dead', claimed_until = 0, last_error = $3 WHERE id = $1 AND attempts = $2",
        task.id,
        task.attempts,
        why
    )
}

/// Lets dead letters be tried again, from the first attempt on: one, or (`None`) all of them. How many there were.
pub async fn revive(tx: &mut Tx, id: Option<i64>, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE tasks SET status = 'waiting', attempts = 0, claimed_until = 0, created_at = $2, due_at = $2
         WHERE status = 'dead' AND (CAST($1 AS BIGINT) IS NULL OR id = $1)",
        id,
        now
    )
}

/// Lets one that does not run be done now, from the first attempt on.
pub async fn restart(tx: &mut Tx, kind: &str, key: &str, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE tasks SET status = 'waiting', attempts = 0, created_at = $3, due_at = $3
         WHERE kind = $1 AND key = $2 AND claimed_until <= $3",
        kind,
        key,
        now
    )
}

/// Forgets what died before `limit`, going by when it was made.
pub async fn delete_dead(tx: &mut Tx, limit: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM tasks WHERE status = 'dead' AND created_at < $1",
        limit
    )
}

/// Forgets the oldest of every lane that holds more than so many, save those that run. What was forgotten.
pub async fn delete_overflow(tx: &mut Tx, most: i64, now: i64) -> Result<Vec<Task>> {
    sql!(
        tx,
        fetch_all as Task,
        "DELETE FROM tasks
         WHERE claimed_until <= $2 AND id IN (
             SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY lane ORDER BY id DESC) AS place FROM tasks) AS placed
             WHERE place > $1)
         RETURNING *",
        most,
        now
    )
}

/// How many tasks there are.
pub async fn counts(db: &Db) -> Result<Counts> {
    query!(
        db,
        fetch_one as Counts,
        "SELECT COUNT(CASE WHEN status = 'waiting' THEN 1 END) AS waiting,
                COUNT(CASE WHEN status = 'dead' THEN 1 END) AS dead,
                MIN(CASE WHEN status = 'waiting' THEN due_at END) AS oldest_due_at
         FROM tasks"
    )
}

/// Some tasks, oldest first.
pub async fn list(tx: &mut Tx, status: &str, limit: i64) -> Result<Vec<Task>> {
    sql!(
        tx,
        fetch_all as Task,
        "SELECT * FROM tasks WHERE status = $1 ORDER BY id LIMIT $2",
        status,
        limit
    )
}
