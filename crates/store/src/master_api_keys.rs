//! Master API keys: an organisation's keys to the management API.

use crate::{Result, Tx, row, sql};

row! {
    /// A key to the management API. Only its hash is kept.
    pub struct MasterApiKey {
        pub id: i64,
        pub organisation_id: i64,
        pub prefix: String,
        pub hash: String,
        pub name: String,
        pub is_admin: bool,
        pub revoked: bool,
        pub created_by: Option<i64>,
        pub created_at: i64,
        pub expires_at: Option<i64>,
    }
}

/// The usable key with this hash: neither revoked nor expired at `now`.
pub async fn find_usable(tx: &mut Tx, hash: &str, now: i64) -> Result<Option<MasterApiKey>> {
    sql!(
        tx,
        fetch_optional as MasterApiKey,
        "SELECT * FROM master_api_keys
         WHERE hash = $1 AND NOT revoked AND (expires_at IS NULL OR expires_at > $2)",
        hash,
        now
    )
}
