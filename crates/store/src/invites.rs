//! Invitations to an organisation, by mail and by link.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An invitation of one address.
    pub struct Invite {
        pub id: i64,
        pub organisation_id: i64,
        /// The secret of its link, which only the invited address gets.
        pub hash: String,
        /// Always in lower case.
        pub email: String,
        pub role: String,
        pub invited_by: Option<i64>,
        /// A JSON list of ids of groups.
        pub permission_groups: String,
        pub created_at: i64,
    }
}

impl Invite {
    /// The groups that who accepts it joins.
    pub fn groups(&self) -> Vec<i64> {
        serde_json::from_str(&self.permission_groups).unwrap_or_default()
    }
}

row! {
    /// A link with which anybody can join.
    pub struct InviteLink {
        pub id: i64,
        pub organisation_id: i64,
        pub hash: String,
        pub role: String,
        pub created_at: i64,
        pub expires_at: Option<i64>,
    }
}

/// The open invitations of an organisation, oldest first.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Invite>> {
    sql!(
        tx,
        fetch_all as Invite,
        "SELECT * FROM invites WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// One invitation of an organisation.
pub async fn find(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<Option<Invite>> {
    sql!(
        tx,
        fetch_optional as Invite,
        "SELECT * FROM invites WHERE organisation_id = $1 AND id = $2",
        organisation_id,
        id
    )
}

/// The invitation with this secret.
pub async fn find_by_hash(tx: &mut Tx, hash: &str) -> Result<Option<Invite>> {
    sql!(
        tx,
        fetch_optional as Invite,
        "SELECT * FROM invites WHERE hash = $1",
        hash
    )
}

/// Whether any organisation invited this address.
pub async fn is_invited(tx: &mut Tx, email: &str) -> Result<bool> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM invites WHERE email = $1",
        email
    )?;
    Ok(count > 0)
}

/// Writes a new invitation (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, i: &Invite) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO invites (organisation_id, hash, email, role, invited_by, permission_groups, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        i.organisation_id,
        &i.hash,
        &i.email,
        &i.role,
        i.invited_by,
        &i.permission_groups,
        i.created_at
    )?;
    Ok(id)
}

/// Deletes an invitation. Whether it was still there.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<bool> {
    let deleted = sql!(tx, execute, "DELETE FROM invites WHERE id = $1", id)?;
    Ok(deleted == 1)
}

/// The links of an organisation, oldest first.
pub async fn links(tx: &mut Tx, organisation_id: i64) -> Result<Vec<InviteLink>> {
    sql!(
        tx,
        fetch_all as InviteLink,
        "SELECT * FROM invite_links WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// The link with this secret.
pub async fn find_link(tx: &mut Tx, hash: &str) -> Result<Option<InviteLink>> {
    sql!(
        tx,
        fetch_optional as InviteLink,
        "SELECT * FROM invite_links WHERE hash = $1",
        hash
    )
}

/// Writes a new link (its `id` is ignored) and returns its id.
pub async fn insert_link(tx: &mut Tx, l: &InviteLink) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO invite_links (organisation_id, hash, role, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        l.organisation_id,
        &l.hash,
        &l.role,
        l.created_at,
        l.expires_at
    )?;
    Ok(id)
}

/// Deletes a link of an organisation. Whether there was one.
pub async fn delete_link(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<bool> {
    let deleted = sql!(
        tx,
        execute,
        "DELETE FROM invite_links WHERE organisation_id = $1 AND id = $2",
        organisation_id,
        id
    )?;
    Ok(deleted == 1)
}
