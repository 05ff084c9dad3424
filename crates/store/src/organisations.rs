//! Organisations and their members.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An organisation: who owns projects.
    pub struct Organisation {
        pub id: i64,
        pub uuid: String,
        pub name: String,
        pub created_at: i64,
        pub subscription_uuid: String,
        pub webhook_notification_email: Option<String>,
        pub persist_trait_data: bool,
        pub block_access_to_admin: bool,
        pub restrict_project_create_to_admin: bool,
        pub force_2fa: bool,
        pub feature_analytics: bool,
        pub stop_serving_flags: bool,
    }
}

/// One organisation.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Organisation>> {
    sql!(
        tx,
        fetch_optional as Organisation,
        "SELECT * FROM organisations WHERE id = $1",
        id
    )
}

/// Every organisation there is.
pub async fn all(tx: &mut Tx) -> Result<Vec<Organisation>> {
    sql!(
        tx,
        fetch_all as Organisation,
        "SELECT * FROM organisations ORDER BY id"
    )
}

/// The role a user has in an organisation: `ADMIN`, `USER`, or none when he is no member.
pub async fn role(tx: &mut Tx, organisation_id: i64, user_id: i64) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!(
        tx,
        fetch_optional as (String,),
        "SELECT role FROM organisation_members WHERE organisation_id = $1 AND user_id = $2",
        organisation_id,
        user_id
    )?;
    Ok(row.map(|(role,)| role))
}

row! {
    /// A user's membership, with what may keep him from using it.
    pub struct Membership {
        pub role: String,
        pub block_access_to_admin: bool,
        /// Whether the organisation wants a second factor and the user has none.
        pub needs_2fa: bool,
    }
}

/// The membership a user has in an organisation.
pub async fn membership(tx: &mut Tx, organisation_id: i64, user_id: i64) -> Result<Option<Membership>> {
    sql!(
        tx,
        fetch_optional as Membership,
        "SELECT m.role AS role, o.block_access_to_admin AS block_access_to_admin,
                (o.force_2fa AND NOT EXISTS (SELECT 1 FROM user_mfa f WHERE f.user_id = m.user_id AND f.is_active))
                    AS needs_2fa
         FROM organisation_members m JOIN organisations o ON o.id = m.organisation_id
         WHERE m.organisation_id = $1 AND m.user_id = $2",
        organisation_id,
        user_id
    )
}

/// One organisation by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Organisation>> {
    sql!(
        tx,
        fetch_optional as Organisation,
        "SELECT * FROM organisations WHERE uuid = $1",
        uuid
    )
}

/// The organisations a user is a member of, oldest first.
pub async fn of_user(tx: &mut Tx, user_id: i64) -> Result<Vec<Organisation>> {
    sql!(
        tx,
        fetch_all as Organisation,
        "SELECT o.* FROM organisations o JOIN organisation_members m ON m.organisation_id = o.id
         WHERE m.user_id = $1 ORDER BY o.id",
        user_id
    )
}

/// Writes a new organisation (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, o: &Organisation) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO organisations (uuid, name, created_at, subscription_uuid, webhook_notification_email,
             persist_trait_data, block_access_to_admin, restrict_project_create_to_admin, force_2fa,
             feature_analytics, stop_serving_flags)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        &o.uuid,
        &o.name,
        o.created_at,
        &o.subscription_uuid,
        o.webhook_notification_email.as_deref(),
        o.persist_trait_data,
        o.block_access_to_admin,
        o.restrict_project_create_to_admin,
        o.force_2fa,
        o.feature_analytics,
        o.stop_serving_flags
    )?;
    Ok(id)
}

/// Writes the columns of an organisation that can be changed.
pub async fn update(tx: &mut Tx, o: &Organisation) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE organisations SET name = $2, webhook_notification_email = $3,
             restrict_project_create_to_admin = $4, force_2fa = $5, persist_trait_data = $6, stop_serving_flags = $7,
             block_access_to_admin = $8
         WHERE id = $1",
        o.id,
        &o.name,
        o.webhook_notification_email.as_deref(),
        o.restrict_project_create_to_admin,
        o.force_2fa,
        o.persist_trait_data,
        o.stop_serving_flags,
        o.block_access_to_admin
    )
}

/// Deletes an organisation with all that is in it. Its members stay.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM organisations WHERE id = $1", id)
}
