//! Mail that waits for its delivery.

use crate::{Db, Result, Tx, query, row, sql};

row! {
    /// A mail that was not taken yet.
    pub struct Waiting {
        pub id: i64,
        /// Names the mail wherever it is tried again.
        pub uuid: String,
        /// What it is about, for logs.
        pub kind: String,
        pub recipient: String,
        /// Sealed.
        pub content: String,
        pub created_at: i64,
        pub due_at: i64,
        pub attempts: i64,
    }
}

/// Lets a mail wait from now on.
pub async fn insert(
    tx: &mut Tx,
    uuid: &str,
    kind: &str,
    recipient: &str,
    content: &str,
    now: i64,
) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO mails (uuid, kind, recipient, content, created_at, due_at, attempts)
         VALUES ($1, $2, $3, $4, $5, $5, 0)",
        uuid,
        kind,
        recipient,
        content,
        now
    )
}

/// Whether any mail is due.
pub async fn any_due(db: &Db, now: i64) -> Result<bool> {
    let (any,): (bool,) = query!(
        db,
        fetch_one as (bool,),
        "SELECT EXISTS (SELECT 1 FROM mails WHERE due_at <= $1) AS any_due",
        now
    )?;
    Ok(any)
}

/// Whether any mail has waited since before `limit`.
pub async fn any_older(db: &Db, limit: i64) -> Result<bool> {
    let (any,): (bool,) = query!(
        db,
        fetch_one as (bool,),
        "SELECT EXISTS (SELECT 1 FROM mails WHERE created_at < $1) AS any_older",
        limit
    )?;
    Ok(any)
}

/// Takes mails that are due: nobody else gets them before `until`, by when they should be delivered or put off.
pub async fn claim(tx: &mut Tx, now: i64, until: i64, limit: i64) -> Result<Vec<Waiting>> {
    sql!(
        tx,
        fetch_all as Waiting,
        "UPDATE mails SET due_at = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM mails WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3)
         RETURNING *",
        now,
        until,
        limit
    )
}

/// Puts off a mail that was not taken.
pub async fn put_off(tx: &mut Tx, id: i64, due_at: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE mails SET due_at = $2 WHERE id = $1",
        id,
        due_at
    )
}

/// Forgets a mail.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM mails WHERE id = $1", id)
}

/// Forgets mails that have waited since before `limit`. How many there were.
pub async fn delete_older(tx: &mut Tx, limit: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM mails WHERE created_at < $1", limit)
}
