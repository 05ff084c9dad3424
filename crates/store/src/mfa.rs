//! Second factors of users.

use crate::{Result, Tx, row, sql};

row! {
    /// The second factor of a user; it protects him once it is active.
    pub struct Mfa {
        pub user_id: i64,
        /// Sealed.
        pub secret: String,
        pub is_active: bool,
        /// A JSON list of the hashes of the codes not yet used.
        pub backup_codes: String,
        pub last_step: i64,
        pub created_at: i64,
    }
}

impl Mfa {
    /// The hashes of the backup codes not yet used.
    pub fn backup_code_hashes(&self) -> Vec<String> {
        serde_json::from_str(&self.backup_codes).unwrap_or_default()
    }
}

/// The second factor of a user, confirmed or not.
pub async fn find(tx: &mut Tx, user_id: i64) -> Result<Option<Mfa>> {
    sql!(
        tx,
        fetch_optional as Mfa,
        "SELECT * FROM user_mfa WHERE user_id = $1",
        user_id
    )
}

/// Begins a set-up, in the place of one that was not confirmed. Whether it did: an active factor is left alone.
pub async fn begin(tx: &mut Tx, user_id: i64, secret: &str, now: i64) -> Result<bool> {
    let written = sql!(
        tx,
        execute,
        "INSERT INTO user_mfa (user_id, secret, is_active, backup_codes, last_step, created_at)
         VALUES ($1, $2, FALSE, '[]', 0, $3)
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
         WHERE NOT user_mfa.is_active",
        user_id,
        secret,
        now
    )?;
    Ok(written == 1)
}

/// Ends a set-up, provided the secret is still the one that was confirmed.
pub async fn activate(tx: &mut Tx, user_id: i64, secret: &str, backup_codes: &str) -> Result<bool> {
    let written = sql!(
        tx,
        execute,
        "UPDATE user_mfa SET is_active = TRUE, backup_codes = $3
         WHERE user_id = $1 AND secret = $2 AND NOT is_active",
        user_id,
        secret,
        backup_codes
    )?;
    Ok(written == 1)
}

/// Notes that the code of a time step was used. Whether it was the first time.
pub async fn use_step(tx: &mut Tx, user_id: i64, step: i64) -> Result<bool> {
    let written = sql!(
        tx,
        execute,
        "UPDATE user_mfa SET last_step = $2 WHERE user_id = $1 AND last_step < $2",
        user_id,
        step
    )?;
    Ok(written == 1)
}

/// Writes the backup codes left, provided they still are `before`.
pub async fn use_backup_code(tx: &mut Tx, user_id: i64, before: &str, after: &str) -> Result<bool> {
    let written = sql!(
        tx,
        execute,
        "UPDATE user_mfa SET backup_codes = $3 WHERE user_id = $1 AND backup_codes = $2",
        user_id,
        before,
        after
    )?;
    Ok(written == 1)
}

/// Writes new backup codes in the place of those left.
pub async fn set_backup_codes(tx: &mut Tx, user_id: i64, codes: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE user_mfa SET backup_codes = $2 WHERE user_id = $1",
        user_id,
        codes
    )
}

/// Removes the second factor.
pub async fn delete(tx: &mut Tx, user_id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM user_mfa WHERE user_id = $1", user_id)
}
