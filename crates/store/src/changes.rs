//! The change log: what every write of the management API appends, in the transaction of the state itself.
//!
//! Readers (environment cache, realtime, audit log, webhooks, …) read on from the last id they saw. For that,
//! ids must appear in order: [`append`] takes a lock that is held until the transaction ends, so that on
//! Postgres no smaller id is committed after a larger one was seen. SQLite has one writer anyway.

use serde_json::Value;

use crate::{Db, Result, Tx, row, sql};

/// A change about to be written.
#[derive(Debug, Clone, Default)]
pub struct NewChange {
    /// Microseconds since 1970.
    pub at: i64,
    pub user_id: Option<i64>,
    pub api_key_id: Option<i64>,
    pub organisation_id: Option<i64>,
    /// With a project and no environment, the change concerns all environments of the project.
    pub project_id: Option<i64>,
    pub environment_id: Option<i64>,
    /// `FEATURE`, `FEATURE_STATE`, `SEGMENT`, `ENVIRONMENT`, …
    pub object_type: &'static str,
    pub object_id: i64,
    pub object_uuid: Option<String>,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub action: &'static str,
    /// The line of the audit log; without one the change is not shown there.
    pub message: Option<String>,
    /// Whether an answer of the SDK API may differ because of it.
    pub serves: bool,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

row! {
    /// What the followers of the log need to know of a change.
    pub struct Notice {
        pub id: i64,
        pub at: i64,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
        pub environment_id: Option<i64>,
        pub object_type: String,
        pub serves: bool,
    }
}

/// The channel on which Postgres says that there is more to read.
pub const CHANNEL: &str = "burgee_changes";

/// Makes this transaction the only one that writes to the log, until it ends. On SQLite every writer is.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    if let Tx::Postgres(_) = tx {
        sql!(
            tx,
            execute,
            sqlite: "SELECT 1 AS locked",
            postgres: "SELECT CAST(pg_advisory_xact_lock(7012301) AS TEXT) AS locked"
        )?;
    }
    Ok(())
}

/// Writes changes to the log. Must be the last thing a transaction does before it commits.
///
/// A change that serves also moves `updated_at` of the environments it concerns, the version SDKs compare.
pub async fn append(tx: &mut Tx, changes: &[NewChange]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    lock(tx).await?;
    for change in changes {
        insert(tx, change).await?;
        if change.serves {
            touch_environments(tx, change).await?;
        }
    }
    if let Tx::Postgres(_) = tx {
        sql!(
            tx,
            execute,
            sqlite: "SELECT 1 AS told",
            postgres: "SELECT CAST(pg_notify('burgee_changes', '') AS TEXT) AS told"
        )?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, c: &NewChange) -> Result<()> {
    let text = |v: &Option<Value>| v.as_ref().map(Value::to_string);
    sql!(
        tx,
        execute,
        "INSERT INTO changes (at, user_id, api_key_id, organisation_id, project_id, environment_id, object_type,
                              object_id, object_uuid, action, message, serves, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        c.at,
        c.user_id,
        c.api_key_id,
        c.organisation_id,
        c.project_id,
        c.environment_id,
        c.object_type,
        c.object_id,
        c.object_uuid.as_deref(),
        c.action,
        c.message.as_deref(),
        c.serves,
        text(&c.before),
        text(&c.after)
    )?;
    Ok(())
}

/// Versions only grow: two changes in one microsecond, or a clock set back, still give a later version.
async fn touch_environments(tx: &mut Tx, c: &NewChange) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE environments SET updated_at = CASE WHEN updated_at < $1 THEN $1 ELSE updated_at + 1 END
         WHERE id = $2
            OR (CAST($2 AS BIGINT) IS NULL AND project_id = $3)
            OR (CAST($2 AS BIGINT) IS NULL AND CAST($3 AS BIGINT) IS NULL
                AND project_id IN (SELECT id FROM projects WHERE organisation_id = $4))",
        c.at,
        c.environment_id,
        c.project_id,
        c.organisation_id
    )
}

/// The changes after `position`, oldest first, at most `limit`.
pub async fn after(tx: &mut Tx, position: i64, limit: i64) -> Result<Vec<Notice>> {
    sql!(
        tx,
        fetch_all as Notice,
        "SELECT id, at, organisation_id, project_id, environment_id, object_type, serves FROM changes
         WHERE id > $1 ORDER BY id LIMIT $2",
        position,
        limit
    )
}

/// The id of the newest change; 0 when there is none.
pub async fn head(tx: &mut Tx) -> Result<i64> {
    let (id,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COALESCE(MAX(id), 0) AS id FROM changes"
    )?;
    Ok(id)
}

/// Waits for other nodes' changes: Postgres tells, and in case it did not, time passes.
#[derive(Debug)]
pub struct Listener {
    pool: Option<sqlx::PgPool>,
    connection: Option<sqlx::postgres::PgListener>,
}

impl Listener {
    /// Listens on this database. SQLite tells nobody; there only time passes.
    pub fn new(db: &Db) -> Self {
        let pool = match db {
            Db::Sqlite { .. } => None,
            Db::Postgres(pool) => Some(pool.clone()),
        };
        Self {
            pool,
            connection: None,
        }
    }

    /// Returns when there may be more to read, at the latest after `poll`.
    pub async fn wait(&mut self, poll: std::time::Duration) {
        let told = async {
            if self.connect().await.is_err() {
                return std::future::pending().await;
            }
            let Some(listener) = &mut self.connection else {
                return std::future::pending().await;
            };
            if listener.recv().await.is_err() {
                // Connect anew next time; until then the poll is there.
                self.connection = None;
                std::future::pending::<()>().await;
            }
        };
        let _ = tokio::time::timeout(poll, told).await;
    }

    async fn connect(&mut self) -> std::result::Result<(), sqlx::Error> {
        if let (Some(pool), None) = (&self.pool, &self.connection) {
            let mut listener = sqlx::postgres::PgListener::connect_with(pool).await?;
            listener.listen(CHANNEL).await?;
            self.connection = Some(listener);
        }
        Ok(())
    }
}
