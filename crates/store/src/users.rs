//! Users and the tokens they sign in with.

use crate::db::{Id, id_list};
use crate::{Db, Result, Tx, query, row, sql};

row! {
    /// Somebody who can sign in.
    pub struct User {
        pub id: i64,
        pub uuid: String,
        /// Always in lower case.
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        /// The password's hash; `None` for somebody who only signs in through another system.
        pub password: Option<String>,
        pub is_active: bool,
        pub is_superuser: bool,
        pub sign_up_type: Option<String>,
        pub marketing_consent_given: bool,
        /// JSON the dashboard keeps about a new user's first steps.
        pub onboarding: Option<String>,
        pub date_joined: i64,
        pub last_login: Option<i64>,
    }
}

/// One user.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT * FROM users WHERE id = $1",
        id
    )
}

row! {
    /// Whether there are users at all.
    pub struct Presence {
        pub has_users: bool,
        pub has_logins: bool,
    }
}

/// Whether anybody has signed up, and in.
pub async fn presence(db: &Db) -> Result<Presence> {
    query!(
        db,
        fetch_one as Presence,
        "SELECT EXISTS (SELECT 1 FROM users) AS has_users,
                EXISTS (SELECT 1 FROM users WHERE last_login IS NOT NULL) AS has_logins"
    )
}

/// Several users, by id.
pub async fn find_all(tx: &mut Tx, ids: &[i64]) -> Result<Vec<User>> {
    let ids = id_list(ids);
    sql!(
        tx,
        fetch_all as User,
        sqlite: "SELECT * FROM users WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
        postgres: "SELECT * FROM users
                   WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   ORDER BY id",
        ids.as_str()
    )
}

/// The user with this address, which must be in lower case.
pub async fn find_by_email(tx: &mut Tx, email: &str) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT * FROM users WHERE email = $1",
        email
    )
}

row! {
    /// How many users there are.
    pub struct UserCount {
        pub all_users: i64,
        pub superusers: i64,
    }
}

/// Counts the users.
pub async fn count(tx: &mut Tx) -> Result<UserCount> {
    sql!(
        tx,
        fetch_one as UserCount,
        "SELECT COUNT(*) AS all_users, COUNT(CASE WHEN is_superuser THEN 1 END) AS superusers FROM users"
    )
}

/// Writes a new user (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, u: &User) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO users (uuid, email, first_name, last_name, password, is_active, is_superuser, sign_up_type,
             marketing_consent_given, onboarding, date_joined, last_login)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        &u.uuid,
        &u.email,
        &u.first_name,
        &u.last_name,
        u.password.as_deref(),
        u.is_active,
        u.is_superuser,
        u.sign_up_type.as_deref(),
        u.marketing_consent_given,
        u.onboarding.as_deref(),
        u.date_joined,
        u.last_login
    )?;
    Ok(id)
}

/// Writes what a user may change about himself, except the password.
pub async fn update_profile(tx: &mut Tx, u: &User) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE users SET email = $2, first_name = $3, last_name = $4, sign_up_type = $5, onboarding = $6
         WHERE id = $1",
        u.id,
        &u.email,
        &u.first_name,
        &u.last_name,
        u.sign_up_type.as_deref(),
        u.onboarding.as_deref()
    )
}

/// Writes a new password hash, provided the stored one is still `before`: a password is never set twice on one proof.
pub async fn set_password(tx: &mut Tx, id: i64, before: Option<&str>, after: &str) -> Result<bool> {
    let changed = sql!(
        tx,
        execute,
        "UPDATE users SET password = $3
         WHERE id = $1 AND COALESCE(password, '') = COALESCE(CAST($2 AS TEXT), '')",
        id,
        before,
        after
    )?;
    Ok(changed == 1)
}

/// Notes that somebody signed in.
pub async fn set_last_login(tx: &mut Tx, id: i64, at: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE users SET last_login = $2 WHERE id = $1",
        id,
        at
    )
}

/// Forgets a user's password: he signs in elsewhere, or chooses a new one by mail.
pub async fn clear_password(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "UPDATE users SET password = NULL WHERE id = $1", id)
}

/// Switches a user on or off.
pub async fn set_active(tx: &mut Tx, id: i64, is_active: bool) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE users SET is_active = $2 WHERE id = $1",
        id,
        is_active
    )
}

/// Deletes a user with his tokens, memberships and grants.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM users WHERE id = $1", id)
}

/// Forgets every token of a user.
pub async fn delete_tokens(tx: &mut Tx, user_id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM user_tokens WHERE user_id = $1", user_id)
}

/// Lets nobody else set up the installation until this transaction ends, so that there is one first administrator.
pub async fn lock_set_up(tx: &mut Tx) -> Result<()> {
    sql!(
        tx,
        execute,
        sqlite: "SELECT 1 AS locked",
        postgres: "SELECT CAST(pg_advisory_xact_lock(7012302) AS TEXT) AS locked"
    )
    .map(drop)
}
