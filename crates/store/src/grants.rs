//! Grants: what users and groups may do at an organisation, a project or an environment.

use crate::{Result, Tx, row, sql};

row! {
    /// The permissions of one user or one group at one object (exactly one of the three object ids is set).
    pub struct Grant {
        pub id: i64,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
        pub environment_id: Option<i64>,
        pub user_id: Option<i64>,
        pub group_id: Option<i64>,
        /// Everything at this object and below it.
        pub admin: bool,
        /// A JSON list of permission keys.
        pub permissions: String,
    }
}

impl Grant {
    /// The permission keys.
    pub fn keys(&self) -> Vec<String> {
        serde_json::from_str(&self.permissions).unwrap_or_default()
    }
}

/// Which object a grant is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Organisation(i64),
    Project(i64),
    Environment(i64),
}

impl Object {
    /// The three columns, exactly one of them set.
    pub fn columns(self) -> (Option<i64>, Option<i64>, Option<i64>) {
        match self {
            Self::Organisation(id) => (Some(id), None, None),
            Self::Project(id) => (None, Some(id), None),
            Self::Environment(id) => (None, None, Some(id)),
        }
    }
}

/// The grants a user has at an object, his own and those of his groups, oldest first.
pub async fn of_user(tx: &mut Tx, object: Object, user_id: i64) -> Result<Vec<Grant>> {
    let (organisation, project, environment) = object.columns();
    sql!(
        tx,
        fetch_all as Grant,
        "SELECT * FROM grants
         WHERE (organisation_id = $1 OR project_id = $2 OR environment_id = $3)
           AND (user_id = $4 OR group_id IN (SELECT group_id FROM group_members WHERE user_id = $4))
         ORDER BY id",
        organisation,
        project,
        environment,
        user_id
    )
}

/// Writes a new grant (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, grant: &Grant) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as (i64,),
        "INSERT INTO grants (organisation_id, project_id, environment_id, user_id, group_id, admin, permissions)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        grant.organisation_id,
        grant.project_id,
        grant.environment_id,
        grant.user_id,
        grant.group_id,
        grant.admin,
        &grant.permissions
    )?;
    Ok(id)
}

/// The grants at an object, oldest first.
pub async fn list(tx: &mut Tx, object: Object) -> Result<Vec<Grant>> {
    let (organisation, project, environment) = object.columns();
    sql!(
        tx,
        fetch_all as Grant,
        "SELECT * FROM grants WHERE organisation_id = $1 OR project_id = $2 OR environment_id = $3 ORDER BY id",
        organisation,
        project,
        environment
    )
}

/// Writes what a grant allows.
pub async fn update(tx: &mut Tx, grant: &Grant) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE grants SET admin = $2, permissions = $3 WHERE id = $1",
        grant.id,
        grant.admin,
        &grant.permissions
    )
}

/// Deletes a grant.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM grants WHERE id = $1", id)
}
