//! Users who have not confirmed their address yet.

use crate::{Result, Tx, sql};

/// Lets a new user wait for his confirmation.
pub async fn insert(tx: &mut Tx, user_id: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO activations (user_id, created_at) VALUES ($1, $2)",
        user_id,
        now
    )
}

/// Whether a user waits for his confirmation.
pub async fn is_waiting(tx: &mut Tx, user_id: i64) -> Result<bool> {
    let (waits,): (bool,) = sql!(
        tx,
        fetch_one as (bool,),
        "SELECT EXISTS (SELECT 1 FROM activations WHERE user_id = $1) AS waits",
        user_id
    )?;
    Ok(waits)
}

/// Ends the waiting. Whether there was any.
pub async fn delete(tx: &mut Tx, user_id: i64) -> Result<bool> {
    let deleted = sql!(tx, execute, "DELETE FROM activations WHERE user_id = $1", user_id)?;
    Ok(deleted == 1)
}
