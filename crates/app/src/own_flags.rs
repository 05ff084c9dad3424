//! The flags that Burgee itself is driven by: which there are, where its dashboard asks for them, and what the server makes
//! of them.
//!
//! The table lies with the dashboard, which reads the same file. To add a flag: an entry there, its use, and
//! `burgee flags list` into docs/own-flags.md.

mod seed;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use burgee_outbound::http::Request;
use burgee_store::{environments, settings};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use seed::{Seeded, seed};

use crate::{App, Error, Result};

const TABLE: &str = include_str!("../../../dashboard/src/own-flags/flags.json");
/// The name, among the settings in the database, of the seeded environment's client-side key.
const SETTING: &str = "own_flags";
/// Where this server's own SDK API is, for a dashboard it serves.
const OWN_API: &str = "/api/v1/";
/// How long the answer of another server is used.
const FRESH: Duration = Duration::from_mins(1);
/// How long another server may take: somebody waits meanwhile.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A flag in the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnFlag {
    /// What it does when it is on.
    pub description: String,
    /// Whether it is on where nobody said otherwise.
    pub enabled: bool,
    /// Its value there.
    pub value: Value,
    /// What its value looks like; `None`: it needs none.
    pub format: Option<String>,
}

impl OwnFlag {
    /// The value as a flag's: a text.
    fn text(&self) -> Option<String> {
        match &self.value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            value => Some(format!("{value:#}")),
        }
    }
}

/// The flags by name, in the order of their names.
pub fn all() -> Result<Vec<(String, OwnFlag)>> {
    let unreadable = |error: serde_json::Error| Error::Internal(format!("the table of own flags: {error}"));
    let table: Map<String, Value> = serde_json::from_str(TABLE).map_err(unreadable)?;
    let mut flags = Vec::with_capacity(table.len());
    for (name, flag) in table {
        flags.push((name, serde_json::from_value(flag).map_err(unreadable)?));
    }
    Ok(flags)
}

/// The table as documentation shows it, in Markdown.
pub fn markdown() -> Result<String> {
    let mut text = String::from("| flag | by default | what it does | value |\n|---|---|---|---|\n");
    for (name, flag) in all()? {
        let begins = if flag.enabled { "on" } else { "off" };
        let format = flag.format.unwrap_or_default();
        // Writing to a String cannot fail.
        _ = writeln!(text, "| `{name}` | {begins} | {} | {format} |", flag.description);
    }
    Ok(text)
}

/// Where a dashboard asks for its flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The client-side key of the environment; `None`: there is none to ask, and everything is as in the table.
    pub environment_key: Option<String>,
    /// The address of the SDK API, with a slash at its end.
    pub api_url: String,
}

/// Where the dashboard of this installation asks for its flags: as the operator set it, or the seeded environment.
pub async fn source(app: &App) -> Result<Source> {
    let set = &app.settings().own_flags;
    let environment_key = match &set.environment_key {
        Some(key) => Some(key.clone()),
        None => seeded_key(app).await?,
    };
    Ok(Source {
        environment_key,
        api_url: set.api_url.clone().unwrap_or_else(|| OWN_API.to_owned()),
    })
}

/// The client-side key of the seeded environment, as long as that is there.
async fn seeded_key(app: &App) -> Result<Option<String>> {
    let mut tx = app.db().read().await?;
    let Some(key) = settings::get(&mut tx, SETTING).await? else {
        return Ok(None);
    };
    let is_there = environments::find_by_key(&mut tx, &key).await?.is_some();
    Ok(is_there.then_some(key))
}

/// Whether a flag is on for this server. Where nobody can be asked, it is as in the table.
pub(crate) async fn is_on(app: &App, name: &str) -> bool {
    let asked = match on_flags(app).await {
        Ok(flags) => flags.get(name).copied(),
        Err(error) => {
            tracing::warn!(%error, "own flags could not be read; they are as without a say");
            None
        }
    };
    asked.unwrap_or_else(|| {
        let table = all().unwrap_or_default();
        table.iter().any(|(known, flag)| known == name && flag.enabled)
    })
}

/// Which flags are on for this server, as far as somebody says so.
async fn on_flags(app: &App) -> Result<HashMap<String, bool>> {
    let set = &app.settings().own_flags;
    if set.server_offline {
        return Ok(HashMap::new());
    }
    let (key, url) = match &set.server_key {
        Some(key) => (Some(key.clone()), set.server_api_url.as_ref()),
        None => (source(app).await?.environment_key, set.api_url.as_ref()),
    };
    let Some(key) = key else { return Ok(HashMap::new()) };
    if let Some((served, is_server)) = app.environments().find(&key) {
        let snapshot = served.snapshot();
        let prepared = if is_server {
            &snapshot.flags_for_servers
        } else {
            &snapshot.flags_for_clients
        };
        return Ok(states(&prepared.plain));
    }
    match url {
        Some(url) => app.own_flags().elsewhere(app, url, &key).await,
        None => Ok(HashMap::new()),
    }
}

/// Reads an answer of `GET /flags/`.
fn states(answer: &[u8]) -> HashMap<String, bool> {
    let flags: Vec<Value> = serde_json::from_slice(answer).unwrap_or_default();
    let state = |flag: &Value| {
        let name = flag["feature"]["name"].as_str()?;
        Some((name.to_owned(), flag["enabled"].as_bool()?))
    };
    flags.iter().filter_map(state).collect()
}

/// What another server said last, and when. Each node has its own.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere(Mutex<Option<(Instant, HashMap<String, bool>)>>);

impl Elsewhere {
    async fn elsewhere(&self, app: &App, url: &str, key: &str) -> Result<HashMap<String, bool>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, flags)) = &kept
            && at.elapsed() < FRESH
        {
            return Ok(flags.clone());
        }
        let request = Request::get_json(format!("{url}flags/"))
            .header("x-environment-key", key)
            .within(TIMEOUT);
        let flags = match app.outbound().trusted().send(request).await {
            Ok(answer) if answer.is_success() => states(&answer.body),
            answer => {
                let said = answer.map_or_else(|error| error.to_string(), |a| a.status.to_string());
                tracing::warn!(%said, "the server that has the own flags does not tell them");
                kept.map(|(_, flags)| flags).unwrap_or_default()
            }
        };
        // After a failure, too: nobody is to wait for it again at once.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), flags.clone()));
        Ok(flags)
    }
}

#[cfg(test)]
mod tests {
    use burgee_model::limits;

    use super::*;

    #[test]
    fn the_table_is_whole_and_in_order() {
        let flags = all().expect("a table");
        assert!(flags.is_sorted_by_key(|(name, _)| name.clone()));
        assert!(flags.len() >= 31, "{}", flags.len());
        for (name, flag) in flags {
            assert!(name.len() <= limits::FEATURE_NAME_LENGTH, "{name}");
            let value = flag.text().unwrap_or_default();
            assert!(value.len() <= limits::FEATURE_VALUE_LENGTH, "{name}");
            assert!(
                flag.value.is_null() || flag.format.is_some(),
                "{name} has a value of no form"
            );
        }
    }

    #[test]
    fn the_documentation_shows_the_table() {
        let page = include_str!("../../../docs/own-flags.md");
        let table = markdown().expect("a table");
        assert!(page.contains(&table), "put this into docs/own-flags.md:\n{table}");
    }
}
