//! When users were sent a link to reset their password.

use crate::{Result, Tx, sql};

/// How often a user was sent a link since then.
pub async fn count_since(tx: &mut Tx, user_id: i64, since: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM password_resets WHERE user_id = $1 AND asked_at > $2",
        user_id,
        since
    )?;
    Ok(count)
}

/// Notes that a user is sent a link.
pub async fn insert(tx: &mut Tx, user_id: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO password_resets (user_id, asked_at) VALUES ($1, $2)",
        user_id,
        now
    )
}

/// Forgets links sent to a user before then.
pub async fn forget(tx: &mut Tx, user_id: i64, before: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM password_resets WHERE user_id = $1 AND asked_at <= $2",
        user_id,
        before
    )
}
