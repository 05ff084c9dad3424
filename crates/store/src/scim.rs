//! What identity providers keep here over SCIM: the members of an organisation.

use crate::{Result, Tx, row, sql};

row! {
    /// That an identity provider keeps the members of an organisation, and how it signs in.
    pub struct Configuration {
        pub organisation_id: i64,
        pub token_hash: String,
        pub created_at: i64,
        pub token_created_at: i64,
    }
}

/// The configuration of an organisation.
pub async fn find(tx: &mut Tx, organisation_id: i64) -> Result<Option<Configuration>> {
    sql!(
        tx,
        fetch_optional as Configuration,
        "SELECT * FROM scim_configurations WHERE organisation_id = $1",
        organisation_id
    )
}

/// The organisation whose provider signs in with the token of this hash.
pub async fn find_by_token(tx: &mut Tx, hash: &str) -> Result<Option<Configuration>> {
    sql!(
        tx,
        fetch_optional as Configuration,
        "SELECT * FROM scim_configurations WHERE token_hash = $1",
        hash
    )
}

/// Writes a configuration, or the new token of the present one.
pub async fn put(tx: &mut Tx, c: &Configuration) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO scim_configurations (organisation_id, token_hash, created_at, token_created_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (organisation_id) DO UPDATE SET token_hash = excluded.token_hash,
             token_created_at = excluded.token_created_at",
        c.organisation_id,
        &c.token_hash,
        c.created_at,
        c.token_created_at
    )
}

/// Deletes the configuration. The members stay.
pub async fn delete(tx: &mut Tx, organisation_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM scim_configurations WHERE organisation_id = $1",
        organisation_id
    )
}

row! {
    /// A user as the identity provider of an organisation sees him.
    pub struct Person {
        pub id: i64,
        pub uuid: String,
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        pub date_joined: i64,
        pub external_id: Option<String>,
        /// Whether the account was made by this provider.
        pub provisioned: bool,
        /// Whether he is a member.
        pub active: bool,
    }
}

/// The members of an organisation, and those whom the provider has put out of it, by user id; or the one with a uuid.
pub async fn people(tx: &mut Tx, organisation_id: i64, uuid: Option<&str>) -> Result<Vec<Person>> {
    sql!(
        tx,
        fetch_all as Person,
        "SELECT u.id AS id, u.uuid AS uuid, u.email AS email, u.first_name AS first_name, u.last_name AS last_name,
                u.date_joined AS date_joined, s.external_id AS external_id,
                COALESCE(s.provisioned, FALSE) AS provisioned, (m.user_id IS NOT NULL) AS active
         FROM users u
         LEFT JOIN organisation_members m ON m.user_id = u.id AND m.organisation_id = $1
         LEFT JOIN scim_users s ON s.user_id = u.id AND s.organisation_id = $1
         WHERE (m.user_id IS NOT NULL OR (s.user_id IS NOT NULL AND NOT s.deleted))
           AND (CAST($2 AS TEXT) IS NULL OR u.uuid = $2)
         ORDER BY u.id",
        organisation_id,
        uuid
    )
}

/// Notes what the provider calls a user. Who made the account stays as it was noted first.
pub async fn put_user(
    tx: &mut Tx,
    organisation_id: i64,
    user_id: i64,
    external_id: Option<&str>,
    provisioned: bool,
) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO scim_users (organisation_id, user_id, external_id, provisioned, deleted)
         VALUES ($1, $2, $3, $4, FALSE)
         ON CONFLICT (organisation_id, user_id) DO UPDATE SET external_id = excluded.external_id, deleted = FALSE",
        organisation_id,
        user_id,
        external_id,
        provisioned
    )
}

/// Forgets what the provider told about a user, but not who made his account.
pub async fn forget_user(tx: &mut Tx, organisation_id: i64, user_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE scim_users SET external_id = NULL, deleted = TRUE WHERE organisation_id = $1 AND user_id = $2",
        organisation_id,
        user_id
    )
}

/// How many organisations a user is a member of beside this one.
pub async fn other_memberships(tx: &mut Tx, organisation_id: i64, user_id: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM organisation_members WHERE user_id = $2 AND organisation_id <> $1",
        organisation_id,
        user_id
    )?;
    Ok(count)
}
