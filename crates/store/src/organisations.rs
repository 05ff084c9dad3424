//! Organisations and their members.

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
