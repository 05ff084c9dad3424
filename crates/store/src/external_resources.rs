//! External resources: issues and merge requests that features are linked to.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An issue or a merge request somewhere else that is about a feature.
    pub struct ExternalResource {
        pub id: i64,
        pub feature_id: i64,
        pub url: String,
        /// `GITHUB_ISSUE`, `GITHUB_PR`, `GITLAB_ISSUE` or `GITLAB_MR`.
        pub r#type: String,
        /// JSON: what is known of it, for display.
        pub metadata: Option<String>,
    }
}

/// The resources of a feature.
pub async fn list(tx: &mut Tx, feature_id: i64) -> Result<Vec<ExternalResource>> {
    sql!(
        tx,
        fetch_all as ExternalResource,
        "SELECT * FROM feature_external_resources WHERE feature_id = $1 ORDER BY id",
        feature_id
    )
}

/// The resources of all features of a project.
pub async fn in_project(tx: &mut Tx, project_id: i64) -> Result<Vec<ExternalResource>> {
    sql!(
        tx,
        fetch_all as ExternalResource,
        "SELECT r.id AS id, r.feature_id AS feature_id, r.url AS url, r.type AS type, r.metadata AS metadata
         FROM feature_external_resources r JOIN features f ON f.id = r.feature_id
         WHERE f.project_id = $1 ORDER BY r.id",
        project_id
    )
}

/// Writes a new resource (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, r: &ExternalResource) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_external_resources (feature_id, url, type, metadata) VALUES ($1, $2, $3, $4) RETURNING id",
        r.feature_id,
        &r.url,
        &r.r#type,
        r.metadata.as_deref()
    )?;
    Ok(id)
}

/// Writes every changeable column of a resource.
pub async fn update(tx: &mut Tx, r: &ExternalResource) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_external_resources SET url = $2, type = $3, metadata = $4 WHERE id = $1",
        r.id,
        &r.url,
        &r.r#type,
        r.metadata.as_deref()
    )
}

/// Deletes a resource.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_external_resources WHERE id = $1",
        id
    )
}
