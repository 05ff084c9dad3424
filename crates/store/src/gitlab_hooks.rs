//! The webhooks that were made in projects of a GitLab.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A webhook in one project of a GitLab.
    pub struct GitlabHook {
        pub id: i64,
        /// In the address that GitLab calls.
        pub uuid: String,
        pub integration_id: i64,
        /// `group/project`, as in addresses.
        pub path: String,
        /// As GitLab numbers it; none until GitLab has made it.
        pub number: Option<i64>,
        /// Sealed: what GitLab sends along.
        pub secret: String,
        pub created_at: i64,
    }
}

/// The webhooks of an integration.
pub async fn list(tx: &mut Tx, integration_id: i64) -> Result<Vec<GitlabHook>> {
    sql!(
        tx,
        fetch_all as GitlabHook,
        "SELECT * FROM gitlab_hooks WHERE integration_id = $1 ORDER BY id",
        integration_id
    )
}

/// A webhook by the uuid in its address.
pub async fn by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<GitlabHook>> {
    sql!(
        tx,
        fetch_optional as GitlabHook,
        "SELECT * FROM gitlab_hooks WHERE uuid = $1",
        uuid
    )
}

/// Writes a new webhook (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, h: &GitlabHook) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO gitlab_hooks (uuid, integration_id, path, number, secret, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        &h.uuid,
        h.integration_id,
        &h.path,
        h.number,
        &h.secret,
        h.created_at
    )?;
    Ok(id)
}

/// Writes how GitLab numbers a webhook.
pub async fn set_number(tx: &mut Tx, id: i64, number: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE gitlab_hooks SET number = $2 WHERE id = $1",
        id,
        number
    )
}

/// Forgets the webhooks of an integration.
pub async fn delete_all(tx: &mut Tx, integration_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM gitlab_hooks WHERE integration_id = $1",
        integration_id
    )
}
