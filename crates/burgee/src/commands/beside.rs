//! What commands share: a runtime, and the database for those that work beside a server or without one.

use anyhow::{Context as _, bail};
use burgee_store::Db;

use crate::config::Config;

/// Connections of a command that does one thing and ends.
const CONNECTIONS: u32 = 2;

/// Does something that waits, on all cores.
pub(super) fn block_on<T>(act: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(act)
}

/// The configured database, which must be there: a command must not make one by a slip in its path.
pub(super) async fn database(config: &Config) -> anyhow::Result<Db> {
    let url = &config.database.url;
    if let Some(file) = url.sqlite_file()
        && !file.exists()
    {
        bail!("there is no database at {}", file.display());
    }
    Db::open(url.expose(), CONNECTIONS)
        .await
        .with_context(|| format!("cannot open the database {url:?}"))
}
