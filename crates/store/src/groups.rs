//! Groups of users in an organisation.

use crate::db::{Id, id_list};
use crate::{Result, Tx, row, sql};

row! {
    /// A group: what is granted to it is granted to its members.
    pub struct Group {
        pub id: i64,
        pub organisation_id: i64,
        pub name: String,
        /// Whether every new member of the organisation joins it.
        pub is_default: bool,
        pub external_id: Option<String>,
    }
}

row! {
    /// A user in a group.
    pub struct GroupMember {
        pub group_id: i64,
        pub id: i64,
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        pub last_login: Option<i64>,
        pub group_admin: bool,
    }
}

/// The groups of an organisation, oldest first.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Group>> {
    sql!(
        tx,
        fetch_all as Group,
        "SELECT * FROM groups WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// The groups of an organisation that a user is in, oldest first.
pub async fn of_user(tx: &mut Tx, organisation_id: i64, user_id: i64) -> Result<Vec<Group>> {
    sql!(
        tx,
        fetch_all as Group,
        "SELECT g.* FROM groups g JOIN group_members m ON m.group_id = g.id
         WHERE g.organisation_id = $1 AND m.user_id = $2 ORDER BY g.id",
        organisation_id,
        user_id
    )
}

/// One group of an organisation.
pub async fn find(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<Option<Group>> {
    sql!(
        tx,
        fetch_optional as Group,
        "SELECT * FROM groups WHERE organisation_id = $1 AND id = $2",
        organisation_id,
        id
    )
}

/// The members of all groups of an organisation, by group and user.
pub async fn members(tx: &mut Tx, organisation_id: i64) -> Result<Vec<GroupMember>> {
    sql!(
        tx,
        fetch_all as GroupMember,
        "SELECT m.group_id AS group_id, u.id AS id, u.email AS email, u.first_name AS first_name,
                u.last_name AS last_name, u.last_login AS last_login, m.group_admin AS group_admin
         FROM group_members m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id
         WHERE g.organisation_id = $1 ORDER BY m.group_id, u.id",
        organisation_id
    )
}

/// Whether a user administers a group.
pub async fn is_admin(tx: &mut Tx, group_id: i64, user_id: i64) -> Result<bool> {
    let found: Option<(i64,)> = sql!(
        tx,
        fetch_optional as (i64,),
        "SELECT user_id FROM group_members WHERE group_id = $1 AND user_id = $2 AND group_admin",
        group_id,
        user_id
    )?;
    Ok(found.is_some())
}

/// Writes a new group (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, g: &Group) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO groups (organisation_id, name, is_default, external_id) VALUES ($1, $2, $3, $4) RETURNING id",
        g.organisation_id,
        &g.name,
        g.is_default,
        g.external_id.as_deref()
    )?;
    Ok(id)
}

/// Writes the changeable columns of a group.
pub async fn update(tx: &mut Tx, g: &Group) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE groups SET name = $2, is_default = $3, external_id = $4 WHERE id = $1",
        g.id,
        &g.name,
        g.is_default,
        g.external_id.as_deref()
    )
}

/// Deletes a group with what was granted to it.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM groups WHERE id = $1", id)
}

/// Puts users into a group; who is in it already stays as he is.
pub async fn add_users(tx: &mut Tx, group_id: i64, user_ids: &[i64]) -> Result<u64> {
    let ids = id_list(user_ids);
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO group_members (group_id, user_id, group_admin)
                 SELECT $1, u.id, FALSE FROM users u WHERE u.id IN (SELECT value FROM json_each($2))
                 ON CONFLICT (group_id, user_id) DO NOTHING",
        postgres: "INSERT INTO group_members (group_id, user_id, group_admin)
                   SELECT $1, u.id, FALSE FROM users u
                   WHERE u.id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON)))
                   ON CONFLICT (group_id, user_id) DO NOTHING",
        group_id,
        ids.as_str()
    )
}

/// Takes users out of a group.
pub async fn remove_users(tx: &mut Tx, group_id: i64, user_ids: &[i64]) -> Result<u64> {
    let ids = id_list(user_ids);
    sql!(
        tx,
        execute,
        sqlite: "DELETE FROM group_members WHERE group_id = $1 AND user_id IN (SELECT value FROM json_each($2))",
        postgres: "DELETE FROM group_members WHERE group_id = $1 AND user_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON)))",
        group_id,
        ids.as_str()
    )
}

/// Makes a member of a group its administrator, or no longer. The number of members this was about: 0 or 1.
pub async fn set_admin(tx: &mut Tx, group_id: i64, user_id: i64, admin: bool) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE group_members SET group_admin = $3 WHERE group_id = $1 AND user_id = $2",
        group_id,
        user_id,
        admin
    )
}

/// Puts a new member of an organisation into its default groups and into those of his invitation.
pub async fn welcome(
    tx: &mut Tx,
    organisation_id: i64,
    user_id: i64,
    invited_to: &[i64],
) -> Result<Vec<i64>> {
    let ids = id_list(invited_to);
    let joined: Vec<Id> = sql!(
        tx,
        fetch_all as Id,
        sqlite: "INSERT INTO group_members (group_id, user_id, group_admin)
                 SELECT g.id, $2, FALSE FROM groups g
                 WHERE g.organisation_id = $1
                   AND (g.is_default OR g.id IN (SELECT value FROM json_each($3)))
                 ON CONFLICT (group_id, user_id) DO NOTHING RETURNING group_id",
        postgres: "INSERT INTO group_members (group_id, user_id, group_admin)
                   SELECT g.id, $2, FALSE FROM groups g
                   WHERE g.organisation_id = $1 AND (g.is_default OR g.id IN
                       (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($3 AS JSON))))
                   ON CONFLICT (group_id, user_id) DO NOTHING RETURNING group_id",
        organisation_id,
        user_id,
        ids.as_str()
    )?;
    Ok(joined.into_iter().map(|(id,)| id).collect())
}
