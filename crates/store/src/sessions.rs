//! Sessions: the tokens of the management API with where they are used.

use crate::users::User;
use crate::{Result, Tx, row, sql};

row! {
    /// A token by its hash.
    pub struct Session {
        pub hash: String,
        pub user_id: i64,
        pub created_at: i64,
        pub user_agent: Option<String>,
        /// A keyed hash of the address it was opened from.
        pub address: Option<String>,
        pub last_used_at: Option<i64>,
        /// `None`: it does not end by itself.
        pub expires_at: Option<i64>,
    }
}

/// Keeps a new session.
pub async fn insert(tx: &mut Tx, s: &Session) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO user_tokens (hash, user_id, created_at, user_agent, address, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &s.hash,
        s.user_id,
        s.created_at,
        s.user_agent.as_deref(),
        s.address.as_deref(),
        s.last_used_at,
        s.expires_at
    )
}

/// The session with this hash, unless it has ended.
pub async fn find(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<Session>> {
    sql!(
        tx,
        fetch_optional as Session,
        "SELECT * FROM user_tokens WHERE hash = $1 AND (expires_at IS NULL OR expires_at > $2)",
        hash,
        now
    )
}

/// The active user of the session with this hash, unless it has ended.
pub async fn user_of(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT u.* FROM users u JOIN user_tokens t ON t.user_id = u.id
         WHERE t.hash = $1 AND u.is_active AND (t.expires_at IS NULL OR t.expires_at > $2)",
        hash,
        now
    )
}

/// The sessions of a user that have not ended, newest first.
pub async fn list(tx: &mut Tx, user_id: i64, now: i64) -> Result<Vec<Session>> {
    sql!(
        tx,
        fetch_all as Session,
        "SELECT * FROM user_tokens WHERE user_id = $1 AND (expires_at IS NULL OR expires_at > $2)
         ORDER BY created_at DESC, hash",
        user_id,
        now
    )
}

/// Whether a user has a session that was opened from this address.
pub async fn is_known_address(tx: &mut Tx, user_id: i64, address: &str) -> Result<bool> {
    let (known,): (bool,) = sql!(
        tx,
        fetch_one as (bool,),
        "SELECT EXISTS (SELECT 1 FROM user_tokens WHERE user_id = $1 AND address = $2) AS known",
        user_id,
        address
    )?;
    Ok(known)
}

/// Notes that a session is used, and until when it lasts now.
pub async fn touch(tx: &mut Tx, hash: &str, now: i64, expires_at: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE user_tokens SET last_used_at = $2, expires_at = $3 WHERE hash = $1",
        hash,
        now,
        expires_at
    )
}

/// Ends one session.
pub async fn delete(tx: &mut Tx, hash: &str) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM user_tokens WHERE hash = $1", hash)
}

/// Forgets sessions that have ended.
pub async fn delete_ended(tx: &mut Tx, now: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM user_tokens WHERE expires_at <= $1", now)
}

/// Forgets a user's oldest sessions beyond so many.
pub async fn keep_newest(tx: &mut Tx, user_id: i64, count: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM user_tokens WHERE user_id = $1 AND hash NOT IN
             (SELECT hash FROM user_tokens WHERE user_id = $1 ORDER BY created_at DESC, hash LIMIT $2)",
        user_id,
        count
    )
}
