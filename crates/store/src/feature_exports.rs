//! Exports and imports of features.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An export of the features of an environment, without its document.
    pub struct FeatureExport {
        pub id: i64,
        pub environment_id: i64,
        /// `PROCESSING`, `SUCCESS` or `FAILED`.
        pub status: String,
        /// A JSON list.
        pub tag_ids: String,
        pub created_at: i64,
    }
}

row! {
    /// An import into an environment, without its document.
    pub struct FeatureImport {
        pub id: i64,
        pub environment_id: i64,
        pub user_id: Option<i64>,
        pub api_key_id: Option<i64>,
        pub strategy: String,
        pub status: String,
        pub created_at: i64,
    }
}

/// The exports of all environments of a project, newest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<FeatureExport>> {
    sql!(
        tx,
        fetch_all as FeatureExport,
        "SELECT x.id AS id, x.environment_id AS environment_id, x.status AS status, x.tag_ids AS tag_ids,
                x.created_at AS created_at
         FROM feature_exports x JOIN environments e ON e.id = x.environment_id
         WHERE e.project_id = $1 ORDER BY x.id DESC",
        project_id
    )
}

/// One export.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<FeatureExport>> {
    sql!(
        tx,
        fetch_optional as FeatureExport,
        "SELECT id, environment_id, status, tag_ids, created_at FROM feature_exports WHERE id = $1",
        id
    )
}

/// The document of an export.
pub async fn document(tx: &mut Tx, id: i64) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql!(
        tx,
        fetch_optional as (Option<String>,),
        "SELECT data FROM feature_exports WHERE id = $1",
        id
    )?;
    Ok(row.and_then(|(data,)| data))
}

/// The exports that wait for their document, oldest first.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<FeatureExport>> {
    sql!(
        tx,
        fetch_all as FeatureExport,
        "SELECT id, environment_id, status, tag_ids, created_at FROM feature_exports
         WHERE status = 'PROCESSING' ORDER BY id LIMIT 20"
    )
}

/// Writes a new export that waits for its document, and returns its id.
pub async fn insert(tx: &mut Tx, x: &FeatureExport) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_exports (environment_id, status, tag_ids, created_at) VALUES ($1, $2, $3, $4)
         RETURNING id",
        x.environment_id,
        &x.status,
        &x.tag_ids,
        x.created_at
    )?;
    Ok(id)
}

/// Ends an export that waits. Tells whether it did.
pub async fn finish(tx: &mut Tx, id: i64, status: &str, data: Option<&str>) -> Result<bool> {
    let rows = sql!(
        tx,
        execute,
        "UPDATE feature_exports SET status = $2, data = $3 WHERE id = $1 AND status = 'PROCESSING'",
        id,
        status,
        data
    )?;
    Ok(rows > 0)
}

/// The imports into all environments of a project, newest first.
pub async fn imports(tx: &mut Tx, project_id: i64) -> Result<Vec<FeatureImport>> {
    sql!(
        tx,
        fetch_all as FeatureImport,
        "SELECT x.id AS id, x.environment_id AS environment_id, x.user_id AS user_id, x.api_key_id AS api_key_id,
                x.strategy AS strategy, x.status AS status, x.created_at AS created_at
         FROM feature_imports x JOIN environments e ON e.id = x.environment_id
         WHERE e.project_id = $1 ORDER BY x.id DESC",
        project_id
    )
}

/// The imports that wait, oldest first.
pub async fn waiting_imports(tx: &mut Tx) -> Result<Vec<FeatureImport>> {
    sql!(
        tx,
        fetch_all as FeatureImport,
        "SELECT id, environment_id, user_id, api_key_id, strategy, status, created_at FROM feature_imports
         WHERE status = 'PROCESSING' ORDER BY id LIMIT 20"
    )
}

/// The document of an import that waits.
pub async fn import_document(tx: &mut Tx, id: i64) -> Result<Option<String>> {
    let row: Option<(Option<String>,)> = sql!(
        tx,
        fetch_optional as (Option<String>,),
        "SELECT data FROM feature_imports WHERE id = $1 AND status = 'PROCESSING'",
        id
    )?;
    Ok(row.and_then(|(data,)| data))
}

/// Writes a new import that waits, and returns its id.
pub async fn insert_import(tx: &mut Tx, x: &FeatureImport, data: &str) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_imports (environment_id, user_id, api_key_id, strategy, status, data, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        x.environment_id,
        x.user_id,
        x.api_key_id,
        &x.strategy,
        &x.status,
        data,
        x.created_at
    )?;
    Ok(id)
}

/// Ends an import that waits; its document is forgotten. Tells whether it did.
pub async fn finish_import(tx: &mut Tx, id: i64, status: &str) -> Result<bool> {
    let rows = sql!(
        tx,
        execute,
        "UPDATE feature_imports SET status = $2, data = NULL WHERE id = $1 AND status = 'PROCESSING'",
        id,
        status
    )?;
    Ok(rows > 0)
}
