//! Imports from LaunchDarkly.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An import of a LaunchDarkly project.
    pub struct LaunchDarklyImport {
        pub id: i64,
        pub project_id: i64,
        pub created_by: Option<i64>,
        pub project_key: String,
        /// Sealed; gone when the import is done.
        pub token: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
        pub completed_at: Option<i64>,
        pub claimed_until: i64,
        pub attempts: i64,
        pub environment_count: i64,
        pub flag_count: i64,
        pub deprecated_flag_count: i64,
        /// `success`, `failure` or `incomplete`.
        pub result: Option<String>,
        /// A JSON list of texts.
        pub error_messages: String,
    }
}

/// The imports into a project, newest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<LaunchDarklyImport>> {
    sql!(
        tx,
        fetch_all as LaunchDarklyImport,
        "SELECT * FROM launch_darkly_imports WHERE project_id = $1 ORDER BY id DESC",
        project_id
    )
}

/// The oldest import that nobody works at.
pub async fn waiting(tx: &mut Tx, now: i64) -> Result<Option<LaunchDarklyImport>> {
    sql!(
        tx,
        fetch_optional as LaunchDarklyImport,
        "SELECT * FROM launch_darkly_imports WHERE completed_at IS NULL AND claimed_until < $1 ORDER BY id LIMIT 1",
        now
    )
}

/// Takes an import that nobody works at, until a moment. Tells whether this one did.
pub async fn claim(tx: &mut Tx, id: i64, now: i64, until: i64) -> Result<bool> {
    let rows = sql!(
        tx,
        execute,
        "UPDATE launch_darkly_imports SET claimed_until = $3, attempts = attempts + 1, updated_at = $2
         WHERE id = $1 AND completed_at IS NULL AND claimed_until < $2",
        id,
        now,
        until
    )?;
    Ok(rows > 0)
}

/// Puts an import off that is worked at, until a moment.
pub async fn put_off(tx: &mut Tx, id: i64, now: i64, until: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE launch_darkly_imports SET claimed_until = $3, updated_at = $2 WHERE id = $1 AND completed_at IS NULL",
        id,
        now,
        until
    )
}

/// Writes how an import ended, and forgets its token.
pub async fn finish(tx: &mut Tx, i: &LaunchDarklyImport) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE launch_darkly_imports SET token = NULL, updated_at = $2, completed_at = $2, result = $3,
             error_messages = $4, environment_count = $5, flag_count = $6, deprecated_flag_count = $7
         WHERE id = $1 AND completed_at IS NULL",
        i.id,
        i.updated_at,
        i.result.as_deref(),
        &i.error_messages,
        i.environment_count,
        i.flag_count,
        i.deprecated_flag_count
    )
}

/// Writes a new import (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, i: &LaunchDarklyImport) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO launch_darkly_imports (project_id, created_by, project_key, token, created_at, updated_at,
             claimed_until, attempts, environment_count, flag_count, deprecated_flag_count, error_messages)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        i.project_id,
        i.created_by,
        &i.project_key,
        i.token.as_deref(),
        i.created_at,
        i.updated_at,
        i.claimed_until,
        i.attempts,
        i.environment_count,
        i.flag_count,
        i.deprecated_flag_count,
        &i.error_messages
    )?;
    Ok(id)
}
