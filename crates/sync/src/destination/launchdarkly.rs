//! LaunchDarkly: the included targets of one segment, by semantic patch.
//!
//! A standard list segment (at most 15,000 targets) is compared with what it holds now, so a mirror is exact from its first
//! run. A larger ("big") segment can't be read back; there the acknowledged state counts. The segment is never created.

use std::collections::BTreeSet;

use burgee_outbound::http::{Method, Request};
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::{Destination, Refusal, Shape, Standing};
use crate::cell::Cell;
use crate::deliver::transport::{Reply, Transport};
use crate::error::{Result, SyncError};
use crate::plan::{Mode, Op, OpKind};

/// The version of the REST API that is spoken.
const API_VERSION: &str = "20240415";

/// Target operations in one request, over all its instructions.
const MOST_OPERATIONS: usize = 1_500;

/// Individual targets of a standard segment.
const MOST_TARGETS: u64 = 15_000;

/// The context kind when none is set.
pub const DEFAULT_CONTEXT_KIND: &str = "user";

/// Where a LaunchDarkly account lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instance {
    Us,
    Eu,
    Federal,
    /// Another address that speaks the same API.
    Url(String),
}

impl Instance {
    /// The instance of this name (`us`, `eu`, `federal`), or of this address.
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "us" => Self::Us,
            "eu" => Self::Eu,
            "federal" => Self::Federal,
            _ => Self::Url(text.trim_end_matches('/').to_owned()),
        }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        match self {
            Self::Us => "https://app.launchdarkly.com",
            Self::Eu => "https://app.eu.launchdarkly.com",
            Self::Federal => "https://app.launchdarkly.us",
            Self::Url(url) => url,
        }
    }
}

/// What happens to a key that leaves the audience.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnRemove {
    /// It is taken from the included targets; rules of the segment may still match it.
    #[default]
    Remove,
    /// It becomes an excluded target, which beats the rules of the segment.
    Exclude,
}

/// The settings of a LaunchDarkly destination and of one sync to it.
#[derive(Debug, Clone)]
pub struct Settings {
    pub instance: Instance,
    /// An access token with the Writer role, or with a role that may change this segment.
    pub token: String,
    pub project: String,
    pub environment: String,
    pub segment: String,
    pub context_kind: String,
    pub on_remove: OnRemove,
}

#[derive(Debug)]
struct LaunchDarkly {
    settings: Settings,
    url: Url,
    transport: Transport,
    /// Known after the preflight.
    big: std::sync::OnceLock<bool>,
}

pub(super) fn open(settings: Settings, mode: Mode, transport: Transport) -> Result<Box<dyn Destination>> {
    let url = check(&settings, mode)?;
    Ok(Box::new(LaunchDarkly {
        settings,
        url,
        transport,
        big: std::sync::OnceLock::new(),
    }))
}

/// Checks the settings for a mode; returns the address of the segment.
pub(crate) fn check(settings: &Settings, mode: Mode) -> Result<Url> {
    if mode == Mode::Upsert {
        let problem = "a segment takes add, remove or mirror: it holds keys and no values";
        return Err(SyncError::config("mode", problem));
    }
    for (setting, value) in [
        ("token", &settings.token),
        ("project", &settings.project),
        ("environment", &settings.environment),
        ("segment", &settings.segment),
        ("context_kind", &settings.context_kind),
    ] {
        if value.is_empty() {
            return Err(SyncError::config(setting, "is needed"));
        }
    }
    let address = settings.instance.address();
    let wrong = || {
        let problem = format!("{address:?} is none of us, eu, federal, and no http(s) address");
        SyncError::config("instance", problem)
    };
    let mut url = Url::parse(address).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    {
        let mut path = url.path_segments_mut().map_err(|()| wrong())?;
        path.pop_if_empty().extend(["api", "v2", "segments"]);
        path.extend([&settings.project, &settings.environment, &settings.segment]);
    }
    Ok(url)
}

/// What is written to.
pub(crate) fn owned(settings: &Settings) -> String {
    let Settings {
        project,
        environment,
        segment,
        context_kind,
        ..
    } = settings;
    let address = settings.instance.address();
    format!("launchdarkly {address} {project}/{environment}/{segment} {context_kind}")
}

impl LaunchDarkly {
    async fn call(&self, method: Method, patch: Option<&Value>) -> Result<Reply> {
        let request = Request::new(method, self.url.as_str())
            .header("authorization", &self.settings.token)
            .header("ld-api-version", API_VERSION);
        let kind = "application/json; domain-model=launchdarkly.semanticpatch";
        let request = match patch {
            Some(patch) => request.header("content-type", kind).body(patch.to_string()),
            None => request,
        };
        self.transport.send(request).await
    }

    fn is_big(&self) -> bool {
        self.big.get().copied().unwrap_or(false)
    }

    fn instruction(&self, verb: &str, list: &str, keys: &[&str]) -> Value {
        if self.is_big() {
            json!({ "kind": format!("{verb}BigSegment{list}Targets"), "values": keys })
        } else {
            json!({ "kind": format!("{verb}{list}Targets"), "contextKind": self.settings.context_kind, "values": keys })
        }
    }

    /// The instructions of a batch: removals before additions, as many keys in each as there are.
    fn instructions(&self, batch: &[Op]) -> Vec<Value> {
        let keys = |remove: bool| -> Vec<&str> {
            let ops = batch.iter().filter(|op| (op.kind == OpKind::Remove) == remove);
            ops.map(|op| op.key.as_str()).collect()
        };
        let (removed, added) = (keys(true), keys(false));
        let mut instructions = Vec::new();
        let mut push = |verb: &str, list: &str, keys: &[&str]| {
            if !keys.is_empty() {
                instructions.push(self.instruction(verb, list, keys));
            }
        };
        push("remove", "Included", &removed);
        if self.settings.on_remove == OnRemove::Exclude {
            push("remove", "Excluded", &added);
            push("add", "Excluded", &removed);
        }
        push("add", "Included", &added);
        instructions
    }

    /// What an answer says that concerns the whole sync.
    fn whole(&self, reply: &Reply) -> SyncError {
        let s = &self.settings;
        let said = said(reply);
        match reply.status {
            StatusCode::UNAUTHORIZED => SyncError::destination(
                format!("Authentication failed: LaunchDarkly does not accept this access token ({said})"),
                "Use an access token (not an SDK key, mobile key or client-side id) of the account that the API \
                 instance belongs to, with the Writer role.",
            ),
            StatusCode::FORBIDDEN if said.to_lowercase().contains("approval") => SyncError::destination(
                format!(
                    "The segment {:?} takes changes only with an approval ({said})",
                    s.segment
                ),
                "Switch approvals of segments off for this environment, or give the token's role the action \
                 bypassRequiredSegmentApproval.",
            ),
            StatusCode::FORBIDDEN => SyncError::destination(
                format!(
                    "The access token may not change the segment {:?} ({said})",
                    s.segment
                ),
                "Give it the Writer role, or a custom role with updateIncluded and updateExcluded on this segment.",
            ),
            StatusCode::NOT_FOUND => SyncError::destination(
                format!(
                    "Segment not found: {:?} in project {:?}, environment {:?} ({said})",
                    s.segment, s.project, s.environment
                ),
                "Check the three keys and the API instance. The segment must exist; it is never created.",
            ),
            status => SyncError::destination(
                format!("{} answered {status}: {said}", self.settings.instance.address()),
                "Check the API instance.",
            ),
        }
    }

    async fn segment(&self) -> Result<Value> {
        let reply = self.call(Method::GET, None).await?;
        if !reply.status.is_success() {
            return Err(self.whole(&reply));
        }
        let segment = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .filter(Value::is_object);
        segment.ok_or_else(|| {
            SyncError::destination(
                format!(
                    "{} does not answer as LaunchDarkly does",
                    self.settings.instance.address()
                ),
                "Check the API instance.",
            )
        })
    }

    /// The targets of the sync's context kind in one of the two lists.
    fn members(&self, segment: &Value, list: &str) -> BTreeSet<String> {
        let texts = |values: &Value| -> Vec<String> {
            let values = values.as_array().into_iter().flatten();
            values
                .filter_map(|value| Some(value.as_str()?.to_owned()))
                .collect()
        };
        let mut members = BTreeSet::new();
        if self.settings.context_kind == DEFAULT_CONTEXT_KIND {
            members.extend(texts(&segment[list]));
        }
        for group in segment[format!("{list}Contexts")]
            .as_array()
            .into_iter()
            .flatten()
        {
            if group["contextKind"] == self.settings.context_kind.as_str() {
                members.extend(texts(&group["values"]));
            }
        }
        members
    }

    fn operations_per_key(&self) -> usize {
        match self.settings.on_remove {
            OnRemove::Remove => 1,
            OnRemove::Exclude => 2,
        }
    }

    fn shape(&self) -> Shape {
        Shape {
            batch: MOST_OPERATIONS / self.operations_per_key(),
            // One writer per segment: concurrent patches only conflict.
            lanes: 1,
            removes_first: true,
        }
    }

    async fn look(&self) -> Result<Standing> {
        let segment = self.segment().await?;
        let s = &self.settings;
        if segment["_external"].as_str().is_some_and(|by| !by.is_empty()) {
            return Err(SyncError::destination(
                format!(
                    "The segment {:?} is synced by {}",
                    s.segment, segment["_external"]
                ),
                "A segment has one owner. Choose another segment, or end that sync.",
            ));
        }
        let big = segment["unbounded"].as_bool().unwrap_or(false);
        let _ = self.big.set(big);
        if big {
            let kind = segment["unboundedContextKind"]
                .as_str()
                .unwrap_or(DEFAULT_CONTEXT_KIND);
            if kind != s.context_kind {
                return Err(SyncError::destination(
                    format!(
                        "The segment {:?} holds contexts of kind {kind:?}, the sync has {:?}",
                        s.segment, s.context_kind
                    ),
                    "Set the context kind to that of the segment: keys of another kind match nobody.",
                ));
            }
            return Ok(Standing {
                shape: self.shape(),
                live: None,
                room: None,
            });
        }
        Ok(Standing {
            shape: self.shape(),
            live: Some(self.members(&segment, "included")),
            room: Some(MOST_TARGETS.saturating_sub(individual_targets(&segment))),
        })
    }
}

/// All that count against the cap: of every context kind, in both lists.
fn individual_targets(segment: &Value) -> u64 {
    let length = |values: &Value| values.as_array().map_or(0, Vec::len) as u64;
    let mut count = 0;
    for list in ["included", "excluded"] {
        count += length(&segment[list]);
        for group in segment[format!("{list}Contexts")]
            .as_array()
            .into_iter()
            .flatten()
        {
            count += length(&group["values"]);
        }
    }
    count
}

/// The message of an error, with the id that LaunchDarkly's support asks for.
fn said(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match (body["message"].as_str(), body["id"].as_str()) {
        (Some(message), Some(id)) if !id.is_empty() => format!("{message}; id {id}"),
        (Some(message), _) => message.to_owned(),
        _ => reply.excerpt(),
    }
}

impl Destination for LaunchDarkly {
    fn admits_key(&self, key: &str) -> std::result::Result<(), String> {
        if key.contains('\0') {
            return Err("the context key has a NUL character".to_owned());
        }
        Ok(())
    }

    fn convert(&self, name: &str, _value: &Cell) -> std::result::Result<Value, String> {
        Err(format!("{name}: a segment holds no values"))
    }

    fn preflight(&self) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(self.look())
    }

    fn send<'a>(&'a self, batch: &'a [Op], note: &'a str) -> BoxFuture<'a, std::result::Result<(), Refusal>> {
        Box::pin(async move {
            let patch = json!({
                "environmentKey": self.settings.environment,
                "comment": note,
                "instructions": self.instructions(batch),
            });
            let reply = self.call(Method::PATCH, Some(&patch)).await?;
            match reply.status {
                status if status.is_success() => Ok(()),
                StatusCode::BAD_REQUEST
                | StatusCode::UNPROCESSABLE_ENTITY
                | StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::Batch(said(&reply))),
                _ => Err(Refusal::Run(self.whole(&reply))),
            }
        })
    }

    fn missing<'a>(&'a self, sample: &'a [Op]) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            if self.is_big() {
                return Ok(None);
            }
            let members = self.members(&self.segment().await?, "included");
            let missing = sample
                .iter()
                .find(|op| members.contains(&op.key) == (op.kind == OpKind::Remove));
            Ok(missing.map(|op| op.key.clone()))
        })
    }
}
