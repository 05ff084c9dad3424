//! Roles: bundles of grants, and who has them. What a role is granted is in `grants`.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A role of an organisation.
    pub struct Role {
        pub id: i64,
        pub organisation_id: i64,
        pub name: String,
        pub description: Option<String>,
        /// A JSON list of tag ids.
        pub tags: String,
    }
}

impl Role {
    /// The tags to which its permissions are limited.
    pub fn tags(&self) -> Vec<i64> {
        serde_json::from_str(&self.tags).unwrap_or_default()
    }
}

row! {
    /// Somebody who has a role (exactly one of the last three ids is set).
    pub struct Holder {
        pub id: i64,
        pub role_id: i64,
        pub user_id: Option<i64>,
        pub group_id: Option<i64>,
        pub master_api_key_id: Option<i64>,
    }
}

/// The roles of an organisation, oldest first.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Role>> {
    sql!(
        tx,
        fetch_all as Role,
        "SELECT * FROM roles WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// One role of an organisation.
pub async fn find(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<Option<Role>> {
    sql!(
        tx,
        fetch_optional as Role,
        "SELECT * FROM roles WHERE organisation_id = $1 AND id = $2",
        organisation_id,
        id
    )
}

/// Writes a new role (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, role: &Role) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO roles (organisation_id, name, description, tags) VALUES ($1, $2, $3, $4) RETURNING id",
        role.organisation_id,
        &role.name,
        role.description.as_deref(),
        &role.tags
    )?;
    Ok(id)
}

/// Writes the changeable columns of a role.
pub async fn update(tx: &mut Tx, role: &Role) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE roles SET name = $2, description = $3, tags = $4 WHERE id = $1",
        role.id,
        &role.name,
        role.description.as_deref(),
        &role.tags
    )
}

/// Deletes a role with what it is granted. Nobody has it any more.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM roles WHERE id = $1", id)
}

/// Who has a role, oldest first.
pub async fn holders(tx: &mut Tx, role_id: i64) -> Result<Vec<Holder>> {
    sql!(
        tx,
        fetch_all as Holder,
        "SELECT * FROM role_holders WHERE role_id = $1 ORDER BY id",
        role_id
    )
}

/// By what somebody has roles himself (exactly one of the three ids is set), oldest first.
pub async fn of_holder(
    tx: &mut Tx,
    organisation_id: i64,
    (user, group, key): (Option<i64>, Option<i64>, Option<i64>),
) -> Result<Vec<Holder>> {
    sql!(
        tx,
        fetch_all as Holder,
        "SELECT h.* FROM role_holders h JOIN roles r ON r.id = h.role_id
         WHERE r.organisation_id = $1 AND (h.user_id = $2 OR h.group_id = $3 OR h.master_api_key_id = $4)
         ORDER BY h.id",
        organisation_id,
        user,
        group,
        key
    )
}

/// Gives a role to somebody (the `id` is ignored) and returns the id of the row.
pub async fn give(tx: &mut Tx, holder: &Holder) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO role_holders (role_id, user_id, group_id, master_api_key_id) VALUES ($1, $2, $3, $4)
         RETURNING id",
        holder.role_id,
        holder.user_id,
        holder.group_id,
        holder.master_api_key_id
    )?;
    Ok(id)
}

/// Names somebody else in a row.
pub async fn pass(tx: &mut Tx, holder: &Holder) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE role_holders SET user_id = $2, group_id = $3, master_api_key_id = $4 WHERE id = $1",
        holder.id,
        holder.user_id,
        holder.group_id,
        holder.master_api_key_id
    )
}

/// Takes a role from somebody.
pub async fn take(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM role_holders WHERE id = $1", id)
}
