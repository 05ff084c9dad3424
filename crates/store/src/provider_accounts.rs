//! Accounts that users have elsewhere and sign in with, and the one-time codes that a browser brings back from there.

use crate::users::User;
use crate::{Result, Tx, row, sql};

/// The user who signs in with this account elsewhere.
pub async fn user(tx: &mut Tx, provider: &str, subject: &str) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT u.* FROM users u JOIN provider_accounts p ON p.user_id = u.id
         WHERE p.provider = $1 AND p.subject = $2",
        provider,
        subject
    )
}

/// The providers that a user signs in with, in the order he first did.
pub async fn providers(tx: &mut Tx, user_id: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        "SELECT provider FROM provider_accounts WHERE user_id = $1 ORDER BY created_at, provider",
        user_id
    )?;
    Ok(rows.into_iter().map(|(provider,)| provider).collect())
}

/// Links an account elsewhere to a user.
pub async fn insert(tx: &mut Tx, provider: &str, subject: &str, user_id: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO provider_accounts (provider, subject, user_id, created_at) VALUES ($1, $2, $3, $4)",
        provider,
        subject,
        user_id,
        now
    )
}

row! {
    /// A sign-in elsewhere that waits for the browser to bring its code.
    pub struct LoginCode {
        pub hash: String,
        /// `saml` or `oidc`.
        pub via: String,
        pub user_id: i64,
        pub is_new_user: bool,
        pub expires_at: i64,
    }
}

/// Keeps the hash of a new code.
pub async fn insert_code(tx: &mut Tx, c: &LoginCode) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO login_codes (hash, via, user_id, is_new_user, expires_at) VALUES ($1, $2, $3, $4, $5)",
        &c.hash,
        &c.via,
        c.user_id,
        c.is_new_user,
        c.expires_at
    )
}

/// Takes a code, which can't be taken again.
pub async fn take_code(tx: &mut Tx, hash: &str, via: &str, now: i64) -> Result<Option<LoginCode>> {
    sql!(
        tx,
        fetch_optional as LoginCode,
        "DELETE FROM login_codes WHERE hash = $1 AND via = $2 AND expires_at > $3 RETURNING *",
        hash,
        via,
        now
    )
}

/// Forgets codes that nobody brought in time.
pub async fn delete_old_codes(tx: &mut Tx, now: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM login_codes WHERE expires_at <= $1", now)
}
