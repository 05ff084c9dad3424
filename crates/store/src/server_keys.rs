//! Server-side environment keys (`ser.…`).

use crate::{Result, Tx, row, sql};

row! {
    /// A secret key of an environment; it works while active and not expired.
    pub struct ServerKey {
        pub id: i64,
        pub environment_id: i64,
        pub key: String,
        pub name: String,
        pub active: bool,
        pub created_at: i64,
        pub expires_at: Option<i64>,
    }
}

/// The server-side keys of an environment, oldest first.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<ServerKey>> {
    sql!(
        tx,
        fetch_all as ServerKey,
        "SELECT * FROM server_keys WHERE environment_id = $1 ORDER BY id",
        environment_id
    )
}
