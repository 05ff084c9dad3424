//! Grants: what users, groups and roles may do at an organisation, a project or an environment.

use serde_json::Value;

use crate::{Result, Tx, row, sql};

row! {
    /// What one user, one group or one role may do at one object (exactly one of the three object ids is set).
    pub struct Grant {
        pub id: i64,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
        pub environment_id: Option<i64>,
        pub user_id: Option<i64>,
        pub group_id: Option<i64>,
        pub role_id: Option<i64>,
        /// Everything at this object and below it.
        pub admin: bool,
        /// A JSON list of permission keys; of a role, of pairs of a key and the tags it is limited to.
        pub permissions: String,
    }
}

row! {
    /// A grant as somebody has it: his own, that of a group of his or that of a role he has.
    pub struct Held {
        pub id: i64,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
        pub environment_id: Option<i64>,
        pub user_id: Option<i64>,
        pub group_id: Option<i64>,
        pub group_name: Option<String>,
        pub role_id: Option<i64>,
        pub role_name: Option<String>,
        /// A JSON list: the tags of the role as a whole.
        pub role_tags: Option<String>,
        pub admin: bool,
        pub permissions: String,
    }
}

/// One permission of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub key: String,
    /// Only on features that carry one of these tags; none: on all.
    pub tags: Vec<i64>,
}

fn read(permissions: &str) -> Vec<Granted> {
    let kept: Vec<Value> = serde_json::from_str(permissions).unwrap_or_default();
    let granted = kept.into_iter().filter_map(|kept| match kept {
        Value::String(key) => Some(Granted {
            key,
            tags: Vec::new(),
        }),
        pair => {
            let (key, tags) = serde_json::from_value(pair).ok()?;
            Some(Granted { key, tags })
        }
    });
    granted.collect()
}

impl Grant {
    /// The permission keys.
    pub fn keys(&self) -> Vec<String> {
        self.permissions()
            .into_iter()
            .map(|granted| granted.key)
            .collect()
    }

    /// The permissions with the tags they are limited to.
    pub fn permissions(&self) -> Vec<Granted> {
        read(&self.permissions)
    }

    /// How the permissions of a role are kept.
    pub fn keep(permissions: &[Granted]) -> String {
        let pairs: Vec<_> = permissions
            .iter()
            .map(|granted| (&granted.key, &granted.tags))
            .collect();
        serde_json::to_string(&pairs).unwrap_or_else(|_| "[]".to_owned())
    }
}

impl Held {
    /// The permissions with the tags they are limited to.
    pub fn permissions(&self) -> Vec<Granted> {
        read(&self.permissions)
    }

    /// The tags of the role as a whole.
    pub fn role_tags(&self) -> Vec<i64> {
        let tags = self.role_tags.as_deref().unwrap_or("[]");
        serde_json::from_str(tags).unwrap_or_default()
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

/// The objects of a question about grants: at any of those that are given.
pub type At = (Option<i64>, Option<i64>, Option<i64>);

/// What a user has at objects: his own grants, those of his groups and those of his and their roles, oldest first.
pub async fn of_user(
    tx: &mut Tx,
    (organisation, project, environment): At,
    user_id: i64,
) -> Result<Vec<Held>> {
    sql!(
        tx,
        fetch_all as Held,
        "SELECT g.id AS id, g.organisation_id AS organisation_id, g.project_id AS project_id,
                g.environment_id AS environment_id, g.user_id AS user_id, g.group_id AS group_id,
                u.name AS group_name, g.role_id AS role_id, r.name AS role_name, r.tags AS role_tags,
                g.admin AS admin, g.permissions AS permissions
         FROM grants g LEFT JOIN groups u ON u.id = g.group_id LEFT JOIN roles r ON r.id = g.role_id
         WHERE (g.organisation_id = $1 OR g.project_id = $2 OR g.environment_id = $3)
           AND (g.user_id = $4
                OR g.group_id IN (SELECT group_id FROM group_members WHERE user_id = $4)
                OR g.role_id IN (SELECT role_id FROM role_holders WHERE user_id = $4 OR group_id IN
                                 (SELECT group_id FROM group_members WHERE user_id = $4)))
         ORDER BY g.id",
        organisation,
        project,
        environment,
        user_id
    )
}

/// What a master API key has at objects through its roles, oldest first.
pub async fn of_key(tx: &mut Tx, (organisation, project, environment): At, key_id: i64) -> Result<Vec<Held>> {
    sql!(
        tx,
        fetch_all as Held,
        "SELECT g.id AS id, g.organisation_id AS organisation_id, g.project_id AS project_id,
                g.environment_id AS environment_id, g.user_id AS user_id, g.group_id AS group_id,
                r.name AS group_name, g.role_id AS role_id, r.name AS role_name, r.tags AS role_tags,
                g.admin AS admin, g.permissions AS permissions
         FROM grants g JOIN roles r ON r.id = g.role_id
         WHERE (g.organisation_id = $1 OR g.project_id = $2 OR g.environment_id = $3)
           AND g.role_id IN (SELECT role_id FROM role_holders WHERE master_api_key_id = $4)
         ORDER BY g.id",
        organisation,
        project,
        environment,
        key_id
    )
}

/// Writes a new grant (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, grant: &Grant) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as (i64,),
        "INSERT INTO grants (organisation_id, project_id, environment_id, user_id, group_id, role_id, admin,
             permissions)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        grant.organisation_id,
        grant.project_id,
        grant.environment_id,
        grant.user_id,
        grant.group_id,
        grant.role_id,
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

/// What a role is granted, oldest first.
pub async fn of_role(tx: &mut Tx, role_id: i64) -> Result<Vec<Grant>> {
    sql!(
        tx,
        fetch_all as Grant,
        "SELECT * FROM grants WHERE role_id = $1 ORDER BY id",
        role_id
    )
}

/// Deletes a grant.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM grants WHERE id = $1", id)
}
