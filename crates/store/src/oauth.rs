//! The OAuth server: clients, codes and tokens.

use crate::users::User;
use crate::{Result, Tx, row, sql};

row! {
    /// A program that acts for users.
    pub struct OauthClient {
        pub id: String,
        /// The hash of its secret; `None` for a public client.
        pub secret: Option<String>,
        pub name: String,
        /// A JSON list.
        pub redirect_uris: String,
        pub created_at: i64,
    }
}

row! {
    /// A code that a user's consent gave.
    pub struct OauthCode {
        pub hash: String,
        pub client_id: String,
        pub user_id: i64,
        pub redirect_uri: String,
        pub challenge: String,
        pub scope: String,
        pub consent: String,
        pub used: bool,
        pub expires_at: i64,
    }
}

row! {
    /// An access or refresh token by its hash.
    pub struct OauthToken {
        pub hash: String,
        pub kind: String,
        pub client_id: String,
        pub user_id: i64,
        pub scope: String,
        pub consent: String,
        pub used: bool,
        pub created_at: i64,
        pub expires_at: i64,
    }
}

/// Writes a new client.
pub async fn insert_client(tx: &mut Tx, c: &OauthClient) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO oauth_clients (id, secret, name, redirect_uris, created_at) VALUES ($1, $2, $3, $4, $5)",
        &c.id,
        c.secret.as_deref(),
        &c.name,
        &c.redirect_uris,
        c.created_at
    )
}

/// One client.
pub async fn client(tx: &mut Tx, id: &str) -> Result<Option<OauthClient>> {
    sql!(
        tx,
        fetch_optional as OauthClient,
        "SELECT * FROM oauth_clients WHERE id = $1",
        id
    )
}

/// Keeps a new code.
pub async fn insert_code(tx: &mut Tx, c: &OauthCode) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO oauth_codes
             (hash, client_id, user_id, redirect_uri, challenge, scope, consent, used, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &c.hash,
        &c.client_id,
        c.user_id,
        &c.redirect_uri,
        &c.challenge,
        &c.scope,
        &c.consent,
        c.used,
        c.expires_at
    )
}

/// The code with this hash, used or not.
pub async fn code(tx: &mut Tx, hash: &str) -> Result<Option<OauthCode>> {
    sql!(
        tx,
        fetch_optional as OauthCode,
        "SELECT * FROM oauth_codes WHERE hash = $1",
        hash
    )
}

/// Marks a code as used.
pub async fn use_code(tx: &mut Tx, hash: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE oauth_codes SET used = TRUE WHERE hash = $1",
        hash
    )
}

/// Keeps a new token.
pub async fn insert_token(tx: &mut Tx, t: &OauthToken) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO oauth_tokens
             (hash, kind, client_id, user_id, scope, consent, used, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &t.hash,
        &t.kind,
        &t.client_id,
        t.user_id,
        &t.scope,
        &t.consent,
        t.used,
        t.created_at,
        t.expires_at
    )
}

/// The token with this hash, used and expired ones included.
pub async fn token(tx: &mut Tx, hash: &str) -> Result<Option<OauthToken>> {
    sql!(
        tx,
        fetch_optional as OauthToken,
        "SELECT * FROM oauth_tokens WHERE hash = $1",
        hash
    )
}

/// The active user for whom this access token acts now.
pub async fn user_of(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT u.* FROM users u JOIN oauth_tokens t ON t.user_id = u.id
         WHERE t.hash = $1 AND t.kind = 'access' AND t.expires_at > $2 AND u.is_active",
        hash,
        now
    )
}

/// Marks a refresh token as used. Whether it was not yet.
pub async fn use_token(tx: &mut Tx, hash: &str) -> Result<bool> {
    let changed = sql!(
        tx,
        execute,
        "UPDATE oauth_tokens SET used = TRUE WHERE hash = $1 AND NOT used",
        hash
    )?;
    Ok(changed == 1)
}

/// Forgets every token of a consent.
pub async fn revoke_consent(tx: &mut Tx, consent: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM oauth_tokens WHERE consent = $1",
        consent
    )
}

/// Forgets one token.
pub async fn delete_token(tx: &mut Tx, hash: &str) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM oauth_tokens WHERE hash = $1", hash)
}

/// Forgets every token and code of a user.
pub async fn revoke_user(tx: &mut Tx, user_id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM oauth_codes WHERE user_id = $1", user_id)?;
    sql!(
        tx,
        execute,
        "DELETE FROM oauth_tokens WHERE user_id = $1",
        user_id
    )
}

/// Forgets codes and tokens whose time is over, and clients registered before `unused_before` that have none.
pub async fn forget_old(tx: &mut Tx, now: i64, unused_before: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM oauth_codes WHERE expires_at <= $1", now)?;
    sql!(
        tx,
        execute,
        "DELETE FROM oauth_tokens WHERE expires_at <= $1",
        now
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM oauth_clients WHERE created_at < $1
             AND NOT EXISTS (SELECT 1 FROM oauth_tokens t WHERE t.client_id = oauth_clients.id)
             AND NOT EXISTS (SELECT 1 FROM oauth_codes c WHERE c.client_id = oauth_clients.id)",
        unused_before
    )
}
