//! What LaunchDarkly says: its API of version 20240415, as far as an import needs it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use burgee_outbound::http::{Client, Error as HttpError, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// The version of the API that these types are written after.
const VERSION: &str = "20240415";
/// Items asked for at once.
const PAGE: usize = 100;
/// Pages of one list; more is no list but a circle.
const PAGES: usize = 1000;
/// Bytes of one page.
const PAGE_BYTES: usize = 64 * 1024 * 1024;

/// Why an import did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again may help, after this many seconds if they are known.
    Later(String, Option<i64>),
    Never(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(text) => Self::Later(text, None),
            Error::Internal(text) => {
                tracing::error!(%text, "an import from LaunchDarkly failed");
                Self::Later("Something went wrong on our side.".to_owned(), None)
            }
            other => Self::Never(other.to_string()),
        }
    }
}

/// A LaunchDarkly project, whole.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub environments: Vec<Environment>,
    pub flags: Vec<Flag>,
    /// By the key of their environment.
    pub segments: BTreeMap<String, Vec<Segment>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Environment {
    pub key: String,
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flag {
    pub key: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub archived: bool,
    #[serde(default)]
    pub deprecated: bool,
    #[serde(default)]
    pub client_side_availability: Option<Availability>,
    pub variations: Vec<Variation>,
    #[serde(default)]
    pub environments: BTreeMap<String, Config>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Availability {
    #[serde(default)]
    pub using_mobile_key: bool,
    #[serde(default)]
    pub using_environment_id: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Variation {
    pub value: Value,
}

/// What a flag is in an environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Config {
    pub on: bool,
    pub off_variation: Option<usize>,
    pub fallthrough: Serve,
    pub rules: Vec<FlagRule>,
    pub targets: Vec<Target>,
    pub context_targets: Vec<Target>,
}

/// One variation, or several with shares.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Serve {
    pub variation: Option<usize>,
    pub rollout: Option<Rollout>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rollout {
    pub variations: Vec<Share>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Share {
    pub variation: usize,
    /// In thousandths of a percent.
    pub weight: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct FlagRule {
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub clauses: Vec<Clause>,
    #[serde(flatten)]
    pub serve: Serve,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    #[serde(default)]
    pub values: Vec<String>,
    pub variation: usize,
    #[serde(default)]
    pub context_kind: Option<String>,
}

/// One comparison; several values are alternatives.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Clause {
    #[serde(default)]
    pub attribute: String,
    pub op: String,
    #[serde(default)]
    pub values: Vec<Value>,
    #[serde(default)]
    pub negate: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Segment {
    pub key: String,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub included: Vec<String>,
    #[serde(default)]
    pub excluded: Vec<String>,
    #[serde(default)]
    pub rules: Vec<SegmentRule>,
    #[serde(default)]
    pub deleted: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SegmentRule {
    #[serde(default)]
    pub clauses: Vec<Clause>,
    /// Only this share of those whom the clauses match, in thousandths of a percent.
    #[serde(default)]
    pub weight: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    items: Vec<Value>,
    #[serde(default, rename = "_links")]
    links: Links,
}

#[derive(Debug, Default, Deserialize)]
struct Links {
    next: Option<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    href: String,
}

/// LaunchDarkly, with a token.
#[derive(Debug)]
pub(super) struct Source<'a> {
    client: &'a Client,
    base: &'a str,
    token: &'a str,
}

type Outcome<T> = Result<T, Failure>;

impl<'a> Source<'a> {
    pub(super) fn new(client: &'a Client, base: &'a str, token: &'a str) -> Self {
        Self { client, base, token }
    }

    /// Reads a project whole.
    pub(super) async fn read(&self, key: &str) -> Outcome<Project> {
        let key = segment(key);
        let environments: Vec<Environment> =
            self.list(&format!("/api/v2/projects/{key}/environments")).await?;
        let mut project = Project::default();
        let mut flags: BTreeMap<String, Flag> = BTreeMap::new();
        for environment in &environments {
            let at = segment(&environment.key);
            // Without an environment the configuration of flags is not told.
            for flag in self
                .list::<Flag>(&format!("/api/v2/flags/{key}?summary=0&env={at}"))
                .await?
            {
                let known = flags.entry(flag.key.clone()).or_insert_with(|| Flag {
                    environments: BTreeMap::new(),
                    ..flag.clone()
                });
                known.environments.extend(flag.environments);
            }
            let segments = self.list(&format!("/api/v2/segments/{key}/{at}")).await?;
            project.segments.insert(environment.key.clone(), segments);
        }
        project.flags = flags.into_values().collect();
        project.environments = environments;
        Ok(project)
    }

    /// All items of a list.
    async fn list<T: DeserializeOwned>(&self, path: &str) -> Outcome<Vec<T>> {
        let mut items = Vec::new();
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut next = Some(format!("{path}{mark}limit={PAGE}"));
        for _ in 0..PAGES {
            let Some(path) = next else {
                return Ok(items);
            };
            let page: Page = self.get(&path).await?;
            for item in page.items {
                let read = serde_json::from_value(item);
                items.push(read.map_err(|error| unexpected(&path, &error.to_string()))?);
            }
            // Only within the same server: the token goes along.
            next = page
                .links
                .next
                .map(|link| link.href)
                .filter(|href| href.starts_with('/'));
        }
        Err(Failure::Never("LaunchDarkly's list does not end.".to_owned()))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        let request = Request::get_json(format!("{}{path}", self.base))
            .header("authorization", self.token)
            .header("ld-api-version", VERSION)
            .within(Duration::from_mins(1))
            .at_most(PAGE_BYTES);
        let answer = self.client.send(request).await.map_err(|error| match error {
            HttpError::TimedOut | HttpError::Failed(_) => {
                Failure::Later(format!("LaunchDarkly can't be reached: {error}."), None)
            }
            other => Failure::Never(format!("LaunchDarkly can't be asked: {other}.")),
        })?;
        match answer.status {
            200..300 => {
                serde_json::from_slice(&answer.body).map_err(|error| unexpected(path, &error.to_string()))
            }
            401 | 403 => Err(Failure::Never(format!(
                "LaunchDarkly does not accept the token (status {}).",
                answer.status
            ))),
            404 => Err(Failure::Never(
                "LaunchDarkly has no project with this key.".to_owned(),
            )),
            429 | 500.. => {
                let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
                let text = format!("LaunchDarkly answers with status {}.", answer.status);
                Err(Failure::Later(text, seconds))
            }
            status => Err(Failure::Never(format!(
                "LaunchDarkly answers with status {status}."
            ))),
        }
    }
}

fn unexpected(path: &str, error: &str) -> Failure {
    let path = path.split('?').next().unwrap_or_default();
    Failure::Never(format!(
        "LaunchDarkly's answer to {path} is not understood: {error}."
    ))
}

/// A key as one part of a path.
fn segment(key: &str) -> String {
    let mut path = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}
