//! Who is in an organisation.

use crate::{Result, Tx, row, sql};

row! {
    /// A user with the role he has in an organisation.
    pub struct Member {
        pub id: i64,
        pub uuid: String,
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        pub last_login: Option<i64>,
        /// When the user signed up.
        pub date_joined: i64,
        pub role: String,
    }
}

/// The members of an organisation, by user id.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Member>> {
    sql!(
        tx,
        fetch_all as Member,
        "SELECT u.id AS id, u.uuid AS uuid, u.email AS email, u.first_name AS first_name, u.last_name AS last_name,
                u.last_login AS last_login, u.date_joined AS date_joined, m.role AS role
         FROM organisation_members m JOIN users u ON u.id = m.user_id
         WHERE m.organisation_id = $1 ORDER BY u.id",
        organisation_id
    )
}

/// How many members an organisation has.
pub async fn count(tx: &mut Tx, organisation_id: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM organisation_members WHERE organisation_id = $1",
        organisation_id
    )?;
    Ok(count)
}

/// Adds a member. Whether he was not one before.
pub async fn add(tx: &mut Tx, organisation_id: i64, user_id: i64, role: &str, now: i64) -> Result<bool> {
    let added = sql!(
        tx,
        execute,
        "INSERT INTO organisation_members (organisation_id, user_id, role, date_joined) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organisation_id, user_id) DO NOTHING",
        organisation_id,
        user_id,
        role,
        now
    )?;
    Ok(added == 1)
}

/// Changes a member's role.
pub async fn set_role(tx: &mut Tx, organisation_id: i64, user_id: i64, role: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE organisation_members SET role = $3 WHERE organisation_id = $1 AND user_id = $2",
        organisation_id,
        user_id,
        role
    )
}

/// Holds off other changes of an organisation's members until this transaction ends.
///
/// Without it two administrators could remove each other at the same moment and leave none.
pub async fn lock(tx: &mut Tx, organisation_id: i64) -> Result<()> {
    sql!(
        tx,
        fetch_all as (i64,),
        sqlite: "SELECT id FROM organisations WHERE id = $1",
        postgres: "SELECT id FROM organisations WHERE id = $1 FOR UPDATE",
        organisation_id
    )
    .map(drop)
}

/// Removes a member with everything that was granted to him in the organisation.
pub async fn remove(tx: &mut Tx, organisation_id: i64, user_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM group_members
         WHERE user_id = $2 AND group_id IN (SELECT id FROM groups WHERE organisation_id = $1)",
        organisation_id,
        user_id
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM grants WHERE user_id = $2 AND (organisation_id = $1
            OR project_id IN (SELECT id FROM projects WHERE organisation_id = $1)
            OR environment_id IN (SELECT e.id FROM environments e JOIN projects p ON p.id = e.project_id
                                  WHERE p.organisation_id = $1))",
        organisation_id,
        user_id
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM role_holders WHERE user_id = $2 AND role_id IN (SELECT id FROM roles WHERE organisation_id = $1)",
        organisation_id,
        user_id
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM organisation_members WHERE organisation_id = $1 AND user_id = $2",
        organisation_id,
        user_id
    )
}
