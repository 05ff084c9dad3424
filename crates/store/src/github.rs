//! The application for GitHub: where it is installed, and which repositories belong to which project.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// The installation of the application that is an organisation's.
    pub struct GithubConfiguration {
        pub id: i64,
        pub organisation_id: i64,
        pub installation_id: String,
        pub created_at: i64,
    }
}

row! {
    /// A repository whose issues and pull requests are about the features of a project.
    pub struct GithubRepository {
        pub id: i64,
        pub configuration_id: i64,
        pub project_id: i64,
        pub owner: String,
        pub name: String,
        pub tagging_enabled: bool,
    }
}

/// The configuration of an organisation.
pub async fn of_organisation(tx: &mut Tx, organisation_id: i64) -> Result<Option<GithubConfiguration>> {
    sql!(
        tx,
        fetch_optional as GithubConfiguration,
        "SELECT * FROM github_configurations WHERE organisation_id = $1",
        organisation_id
    )
}

/// A configuration by id.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<GithubConfiguration>> {
    sql!(
        tx,
        fetch_optional as GithubConfiguration,
        "SELECT * FROM github_configurations WHERE id = $1",
        id
    )
}

/// Whose an installation is.
pub async fn of_installation(tx: &mut Tx, installation_id: &str) -> Result<Option<GithubConfiguration>> {
    sql!(
        tx,
        fetch_optional as GithubConfiguration,
        "SELECT * FROM github_configurations WHERE installation_id = $1",
        installation_id
    )
}

/// Writes a new configuration (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, c: &GithubConfiguration) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO github_configurations (organisation_id, installation_id, created_at) VALUES ($1, $2, $3)
         RETURNING id",
        c.organisation_id,
        &c.installation_id,
        c.created_at
    )?;
    Ok(id)
}

/// Writes which installation a configuration names.
pub async fn update(tx: &mut Tx, c: &GithubConfiguration) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE github_configurations SET installation_id = $2 WHERE id = $1",
        c.id,
        &c.installation_id
    )
}

/// Deletes a configuration with its repositories.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM github_configurations WHERE id = $1", id)
}

/// The repositories of a configuration.
pub async fn repositories(tx: &mut Tx, configuration_id: i64) -> Result<Vec<GithubRepository>> {
    sql!(
        tx,
        fetch_all as GithubRepository,
        "SELECT * FROM github_repositories WHERE configuration_id = $1 ORDER BY id",
        configuration_id
    )
}

/// The repositories of a project.
pub async fn of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<GithubRepository>> {
    sql!(
        tx,
        fetch_all as GithubRepository,
        "SELECT * FROM github_repositories WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// Writes a new repository (its `id` is ignored) and returns its id.
pub async fn insert_repository(tx: &mut Tx, r: &GithubRepository) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO github_repositories (configuration_id, project_id, owner, name, tagging_enabled)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        r.configuration_id,
        r.project_id,
        &r.owner,
        &r.name,
        r.tagging_enabled
    )?;
    Ok(id)
}

/// Writes every changeable column of a repository.
pub async fn update_repository(tx: &mut Tx, r: &GithubRepository) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE github_repositories SET project_id = $2, owner = $3, name = $4, tagging_enabled = $5 WHERE id = $1",
        r.id,
        r.project_id,
        &r.owner,
        &r.name,
        r.tagging_enabled
    )
}

/// Deletes a repository.
pub async fn delete_repository(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM github_repositories WHERE id = $1", id)
}
