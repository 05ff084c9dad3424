//! Where features are in code: repositories that were searched, and what was found.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A repository that is searched for the features of a project.
    pub struct Repository {
        pub id: i64,
        pub project_id: i64,
        pub url: String,
        pub vcs_provider: String,
        pub created_at: i64,
        pub last_scanned_at: i64,
        pub revision: String,
    }
}

row! {
    /// What is known of a feature in a repository.
    pub struct CodeReference {
        pub feature_id: i64,
        pub repository_id: i64,
        /// The newest revision with the feature in it, and when it was searched.
        pub revision: String,
        pub found_at: i64,
        /// JSON: see [`CodeReference::places`].
        pub places: String,
    }
}

impl CodeReference {
    /// The files and lines where the last search found the feature.
    pub fn places(&self) -> Vec<(String, i64)> {
        serde_json::from_str(&self.places).unwrap_or_default()
    }
}

/// The repositories that were searched for the features of a project.
pub async fn repositories(tx: &mut Tx, project_id: i64) -> Result<Vec<Repository>> {
    sql!(
        tx,
        fetch_all as Repository,
        "SELECT * FROM code_repositories WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// Writes that a repository was searched, and returns its id.
pub async fn scanned(tx: &mut Tx, r: &Repository) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO code_repositories (project_id, url, vcs_provider, created_at, last_scanned_at, revision)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (project_id, url) DO UPDATE
         SET vcs_provider = excluded.vcs_provider, last_scanned_at = excluded.last_scanned_at,
             revision = excluded.revision
         RETURNING id",
        r.project_id,
        &r.url,
        &r.vcs_provider,
        r.created_at,
        r.last_scanned_at,
        &r.revision
    )?;
    Ok(id)
}

/// What is known of the features of a project in all repositories.
pub async fn of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<CodeReference>> {
    sql!(
        tx,
        fetch_all as CodeReference,
        "SELECT c.feature_id AS feature_id, c.repository_id AS repository_id, c.revision AS revision,
                c.found_at AS found_at, c.places AS places
         FROM code_references c JOIN code_repositories r ON r.id = c.repository_id
         WHERE r.project_id = $1 ORDER BY c.id",
        project_id
    )
}

/// Forgets where features were in a repository; that they were there stays known.
pub async fn clear(tx: &mut Tx, repository_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE code_references SET places = '[]' WHERE repository_id = $1",
        repository_id
    )
}

/// Writes where a feature is in a repository.
pub async fn put(tx: &mut Tx, c: &CodeReference) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO code_references (feature_id, repository_id, revision, found_at, places)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (feature_id, repository_id) DO UPDATE
         SET revision = excluded.revision, found_at = excluded.found_at, places = excluded.places",
        c.feature_id,
        c.repository_id,
        &c.revision,
        c.found_at,
        &c.places
    )?;
    Ok(())
}
