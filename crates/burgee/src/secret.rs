//! The secret of an installation, from which all keys for signing and sealing are derived.
//!
//! Set it (`server.secret_key`) where several nodes share a database. Otherwise it is made at the first start and kept
//! beside the embedded database, in a file of its own so that a copy of the database alone gives nothing away; with
//! Postgres there is no such place, and it is kept in the database.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use burgee_auth::tokens;
use burgee_store::{Db, settings};

use crate::config::Config;

/// Where it is kept in the data directory.
const FILE: &str = "secret.key";

/// Its name among the settings in the database.
const SETTING: &str = "secret_key";

/// Fewer characters are too easy to guess.
const SHORTEST: usize = 16;

/// The secret: as configured, as kept from an earlier start, or a new one.
pub async fn load(config: &Config, db: &Db) -> anyhow::Result<[u8; 32]> {
    let configured = config.server.secret_key.expose();
    let text = if configured.is_empty() {
        match config.database.url.sqlite_file() {
            Some(database) => in_file(&database.with_file_name(FILE))?,
            None => in_database(db).await?,
        }
    } else {
        configured.to_owned()
    };
    if text.len() < SHORTEST {
        bail!("server.secret_key must have at least {SHORTEST} characters");
    }
    Ok(tokens::derive_key(text.as_bytes(), "installation"))
}

fn in_file(path: &Path) -> anyhow::Result<String> {
    let failed = || format!("cannot keep the secret in {}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).with_context(failed)?;
            Ok(std::fs::read_to_string(path)
                .with_context(failed)?
                .trim()
                .to_owned())
        }
        Err(error) => Err(error).with_context(failed),
    }
}

/// Writes a new secret, whole or not at all. Of several processes that start together one wins.
fn make(path: &Path) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(burgee_model::keys::alphanumeric(43).as_bytes())?;
    file.sync_all()?;
    let placed = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match placed {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Nodes that start together agree on the one that was stored first.
async fn in_database(db: &Db) -> anyhow::Result<String> {
    let mut tx = db.begin().await?;
    let text = settings::get_or_set(&mut tx, SETTING, &burgee_model::keys::alphanumeric(43)).await?;
    tx.commit().await?;
    tracing::warn!("server.secret_key is not set: the installation's secret is kept in the database");
    Ok(text)
}
