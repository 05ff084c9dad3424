//! `[database]`: which database, and how much of it.

use std::{fmt, path::PathBuf};

use serde::Deserialize;
use url::Url;

use super::values::{between, mask_url};

/// Flagsmith's names for settings of this section. `DJANGO_DB_*` are read in `environment.rs`: they make one URL.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[("database.url", "DATABASE_URL")];

/// Which database, and how much of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The database to use.
    pub url: DatabaseUrl,
    /// Most connections held at once, 1 to 1000. SQLite uses them for reading only.
    #[serde(deserialize_with = "between::<1, 1000, _, _>")]
    pub max_connections: u32,
}

/// `sqlite:PATH`, `postgres://…` or `postgresql://…`. Printed without its password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The embedded database in a data directory.
    pub(super) fn in_directory(data_dir: &str) -> String {
        let file = PathBuf::from(data_dir).join("burgee.db");
        // The driver reads what follows as a URL: these would end the path or start an escape.
        let file = file.to_string_lossy().replace('%', "%25").replace('?', "%3F");
        format!("sqlite:{file}")
    }

    /// The whole URL, password included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The file of an embedded database; `None` for a server and for a database in memory.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let rest = self.0.strip_prefix("sqlite:")?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if path == ":memory:" || parameters.contains("mode=memory") {
            return None;
        }
        Some(PathBuf::from(path.replace("%3F", "?").replace("%25", "%")))
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = &'static str;

    // The messages leave out the value: it may hold a password.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            if path.trim_start_matches('/').is_empty() {
                return Err("needs a file after sqlite:, such as sqlite:burgee-data/burgee.db");
            }
            return Ok(Self(text));
        }
        let url = Url::parse(&text).ok();
        let Some(url) = url.filter(|url| matches!(url.scheme(), "postgres" | "postgresql")) else {
            return Err(
                "must start with sqlite:, postgres:// or postgresql:// (special characters of a password \
                        written as %XX)",
            );
        };
        if !url.has_host() && !url.query().is_some_and(|query| query.contains("host=")) {
            return Err("needs a host, such as postgres://user:password@host:5432/burgee");
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_url(&self.0))
    }
}
