//! A double of LaunchDarkly's segments API: versions, caps, conflicts between lists, limits in all header families, faults
//! before and after a patch is applied, approvals, and a dry run.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

/// Target operations in one request; individual targets of a standard segment.
const MOST_OPERATIONS: usize = 1_500;
const MOST_TARGETS: usize = 15_000;

/// More than any patch has.
const LARGEST_BODY: usize = 64 << 20;

/// A segment as the double keeps it.
#[derive(Debug, Clone, Default)]
pub struct Segment {
    pub version: u64,
    /// By context kind.
    pub included: BTreeMap<String, BTreeSet<String>>,
    pub excluded: BTreeMap<String, BTreeSet<String>>,
    /// The context kind of a big segment.
    pub unbounded: Option<String>,
    /// The vendor another sync belongs to.
    pub external: Option<String>,
}

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, and nothing happens.
    Before(u16),
    /// The patch is applied, and then this status.
    After(u16),
    /// 429 with these headers.
    Limited(Vec<(&'static str, String)>),
    /// The answer comes late.
    Slow(Duration),
}

/// How many requests a window takes, told in the headers of one family.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// `global`, `route` or `auth-token`.
    pub family: &'static str,
    pub requests: u64,
    pub window: Duration,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub body: Value,
    pub status: u16,
}

#[derive(Debug, Default)]
struct World {
    token: String,
    segments: HashMap<String, Segment>,
    /// What arrived, for tests; not kept when the double serves as a program.
    requests: Vec<Request>,
    keeps: bool,
    arrived: u64,
    faults: VecDeque<Fault>,
    limit: Option<Limit>,
    window: Option<(Instant, SystemTime, u64)>,
    approvals: bool,
    refused_keys: BTreeSet<String>,
}

/// The double; it is served as long as the test runs.
#[derive(Debug, Clone)]
pub struct LaunchDarkly {
    /// What to set as the instance.
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl LaunchDarkly {
    /// A double with one account token and no segments.
    pub async fn start(token: &str) -> Self {
        Self::serve("127.0.0.1:0", token, true).await
    }

    /// The same at an address, for as long as the program runs. What arrives is counted and not kept.
    pub async fn start_at(at: &str, token: &str) -> Self {
        Self::serve(at, token, false).await
    }

    async fn serve(at: &str, token: &str, keeps: bool) -> Self {
        let world = Arc::new(Mutex::new(World {
            token: token.to_owned(),
            keeps,
            ..World::default()
        }));
        let router = Router::new()
            .route(
                "/api/v2/segments/{project}/{environment}/{segment}",
                get(answer).patch(answer),
            )
            .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(world.clone());
        let url = format!("http://{}", super::serve_at(router, at).await);
        Self { url, world }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a segment, named `project/environment/segment`.
    pub fn put(&self, name: &str, segment: Segment) {
        self.world().segments.insert(name.to_owned(), segment);
    }

    /// A segment as it is now.
    pub fn segment(&self, name: &str) -> Segment {
        self.world().segments.get(name).cloned().unwrap_or_default()
    }

    /// The included keys of kind `user`.
    pub fn members(&self, name: &str) -> BTreeSet<String> {
        self.segment(name).included.remove("user").unwrap_or_default()
    }

    /// What arrived so far.
    pub fn requests(&self) -> Vec<Request> {
        self.world().requests.clone()
    }

    /// How much of some segments is there, and how many requests arrived, in words.
    pub fn size(&self, names: &[String]) -> String {
        let world = self.world();
        let sizes = names.iter().map(|name| {
            let segment = world.segments.get(name);
            let count = |list: fn(&Segment) -> &BTreeMap<String, BTreeSet<String>>| {
                segment.map_or(0, |s| list(s).values().map(BTreeSet::len).sum::<usize>())
            };
            let (included, excluded) = (count(|s| &s.included), count(|s| &s.excluded));
            format!("{name}: {included} included, {excluded} excluded")
        });
        let sizes: Vec<String> = sizes.collect();
        format!("{} after {} requests", sizes.join("; "), world.arrived)
    }

    /// How many patches arrived that were taken.
    pub fn patches(&self) -> usize {
        let requests = self.requests();
        requests
            .iter()
            .filter(|r| r.method == "PATCH" && r.status == 200)
            .count()
    }

    /// The next requests go wrong in these ways.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world().faults.extend(faults);
    }

    /// From now on requests are counted.
    pub fn limit(&self, limit: Limit) {
        self.world().limit = Some(limit);
    }

    /// Others send so many requests now, which count against the limit.
    pub fn use_up(&self, requests: usize) {
        let mut world = self.world();
        for _ in 0..requests {
            _ = world.count();
        }
    }

    /// From now on changes need an approval.
    pub fn require_approvals(&self) {
        self.world().approvals = true;
    }

    /// A key no patch may hold.
    pub fn refuse_key(&self, key: &str) {
        self.world().refused_keys.insert(key.to_owned());
    }
}

fn error(status: u16, code: &str, message: &str) -> (u16, Value) {
    (
        status,
        json!({ "code": code, "message": message, "id": "5f0c1a3e" }),
    )
}

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    Path((project, environment, key)): Path<(String, String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let name = format!("{project}/{environment}/{key}");
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (fault, limits) = {
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        (world.faults.pop_front(), world.count())
    };
    if let Some(Fault::Slow(wait)) = fault {
        tokio::time::sleep(wait).await;
    }
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, answer, extra) = match (fault, limits) {
        (Some(Fault::Limited(headers)), _) | (_, Err(headers)) => {
            let (status, answer) = error(
                429,
                "rate_limited",
                "You've exceeded the API rate limit. Try again later.",
            );
            (status, answer, headers)
        }
        (Some(Fault::Before(status)), Ok(headers)) => (status, json!({ "message": "a fault" }), headers),
        (fault, Ok(limits)) => {
            let dry = query.get("dryRun").is_some_and(|dry| dry == "true");
            let (status, answer) = world.act(&method, &name, &environment, &headers, &body, dry);
            match fault {
                Some(Fault::After(fault)) => (fault, json!({ "message": "a fault" }), limits),
                _ => (status, answer, limits),
            }
        }
    };
    world.arrived += 1;
    if world.keeps {
        world.requests.push(Request {
            method: method.to_string(),
            path: name,
            body,
            status,
        });
    }
    let mut response = (
        StatusCode::from_u16(status).expect("a status"),
        axum::Json(answer),
    )
        .into_response();
    for (name, value) in extra {
        response
            .headers_mut()
            .insert(name, value.parse().expect("a header"));
    }
    response
}

type LimitHeaders = Vec<(&'static str, String)>;

impl World {
    /// Counts a request; the headers to send, as an error when there were too many.
    fn count(&mut self) -> Result<LimitHeaders, LimitHeaders> {
        let Some(limit) = self.limit else {
            return Ok(Vec::new());
        };
        let now = Instant::now();
        let (ends, reset, used) = match self.window {
            Some(window) if window.0 > now => window,
            _ => (now + limit.window, SystemTime::now() + limit.window, 0),
        };
        self.window = Some((ends, reset, used + 1));
        let remaining = limit.requests.saturating_sub(used + 1);
        let (names, reset_name) = match limit.family {
            "global" => (
                ["x-ratelimit-global-limit", "x-ratelimit-global-remaining"],
                "x-ratelimit-reset",
            ),
            "route" => (
                ["x-ratelimit-route-limit", "x-ratelimit-route-remaining"],
                "x-ratelimit-reset",
            ),
            _ => (
                ["x-ratelimit-auth-token-limit", "x-ratelimit-auth-token-remaining"],
                "x-ratelimit-auth-token-reset",
            ),
        };
        let reset = reset.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let headers = vec![
            (names[0], limit.requests.to_string()),
            (names[1], remaining.to_string()),
            (reset_name, reset.to_string()),
        ];
        if used >= limit.requests {
            Err(headers)
        } else {
            Ok(headers)
        }
    }

    fn act(
        &mut self,
        method: &Method,
        name: &str,
        environment: &str,
        headers: &HeaderMap,
        body: &Value,
        dry: bool,
    ) -> (u16, Value) {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        if header("authorization") != self.token {
            return error(401, "unauthorized", "Invalid account ID header");
        }
        if header("ld-api-version") != "20240415" {
            return error(400, "invalid_request", "API version is past its end of life");
        }
        let Some(segment) = self.segments.get_mut(name) else {
            return error(404, "not_found", "Unknown segment key");
        };
        if method == Method::GET {
            return (200, view(name, segment));
        }
        if self.approvals {
            return error(403, "forbidden", "Approval is required to make this request");
        }
        if !header("content-type").contains("domain-model=launchdarkly.semanticpatch") {
            return error(400, "invalid_request", "a JSON patch must be a list");
        }
        if body["environmentKey"] != environment {
            return error(400, "invalid_request", "environmentKey is required");
        }
        let edits = match edits(segment, body, &self.refused_keys) {
            Ok(edits) => edits,
            Err(message) => return error(400, "invalid_request", &message),
        };
        if segment.unbounded.is_some() && !dry {
            // What is large is not copied: its edits have nothing left to fail of.
            segment.apply(edits);
            return (200, view(name, segment));
        }
        let mut after = segment.clone();
        after.apply(edits);
        if let Err(message) = after.check() {
            return error(400, "invalid_request", &message);
        }
        let view = view(name, &after);
        if !dry {
            *segment = after;
        }
        (200, view)
    }
}

/// One instruction of a semantic patch, read.
struct Edit {
    included: bool,
    add: bool,
    context: String,
    keys: Vec<String>,
}

/// The instructions of a semantic patch; the first thing that is wrong with them.
fn edits(segment: &Segment, body: &Value, refused: &BTreeSet<String>) -> Result<Vec<Edit>, String> {
    let instructions = body["instructions"]
        .as_array()
        .ok_or("instructions are required")?;
    let mut edits = Vec::new();
    let mut operations = 0;
    for instruction in instructions {
        let kind = instruction["kind"]
            .as_str()
            .ok_or("an instruction needs a kind")?;
        let values = instruction["values"].as_array().ok_or("values are required")?;
        let keys: Option<Vec<String>> = values
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect();
        let keys = keys.ok_or("values must be strings")?;
        operations += keys.len();
        if let Some(key) = keys.iter().find(|key| refused.contains(*key)) {
            return Err(format!("invalid context key {key}"));
        }
        let big = kind.contains("BigSegment");
        if big != segment.unbounded.is_some() {
            return Err(format!("{kind} does not fit this kind of segment"));
        }
        let context = match &segment.unbounded {
            Some(kind) => kind.clone(),
            None => instruction["contextKind"]
                .as_str()
                .ok_or("contextKind is required")?
                .to_owned(),
        };
        let (included, add) = match kind.replace("BigSegment", "").as_str() {
            "addIncludedTargets" => (true, true),
            "addExcludedTargets" => (false, true),
            "removeIncludedTargets" => (true, false),
            "removeExcludedTargets" => (false, false),
            _ => return Err(format!("unknown instruction {kind}")),
        };
        edits.push(Edit {
            included,
            add,
            context,
            keys,
        });
    }
    if operations > MOST_OPERATIONS && segment.unbounded.is_none() {
        return Err(format!(
            "a request takes at most {MOST_OPERATIONS} target operations"
        ));
    }
    Ok(edits)
}

impl Segment {
    fn apply(&mut self, edits: Vec<Edit>) {
        let mut changed = false;
        for edit in edits {
            let lists = if edit.included {
                &mut self.included
            } else {
                &mut self.excluded
            };
            let list = lists.entry(edit.context).or_default();
            for key in edit.keys {
                changed |= if edit.add {
                    list.insert(key)
                } else {
                    list.remove(&key)
                };
            }
        }
        self.version += u64::from(changed);
    }

    /// What is wrong with it as it is.
    fn check(&self) -> Result<(), String> {
        for (context, keys) in &self.included {
            let both = self
                .excluded
                .get(context)
                .and_then(|excluded| keys.intersection(excluded).next());
            if let Some(key) = both {
                return Err(format!("{key} is both included and excluded"));
            }
        }
        let targets =
            |lists: &BTreeMap<String, BTreeSet<String>>| lists.values().map(BTreeSet::len).sum::<usize>();
        if self.unbounded.is_none() && targets(&self.included) + targets(&self.excluded) > MOST_TARGETS {
            return Err(format!(
                "a segment takes at most {MOST_TARGETS} individual targets"
            ));
        }
        Ok(())
    }
}

fn view(name: &str, segment: &Segment) -> Value {
    let users = |lists: &BTreeMap<String, BTreeSet<String>>| lists.get("user").cloned().unwrap_or_default();
    let others = |lists: &BTreeMap<String, BTreeSet<String>>| -> Vec<Value> {
        let others = lists.iter().filter(|(kind, _)| *kind != "user");
        others
            .map(|(kind, keys)| json!({ "contextKind": kind, "values": keys }))
            .collect()
    };
    let mut view = json!({
        "key": name.rsplit('/').next(),
        "name": name,
        "version": segment.version,
        "deleted": false,
        "rules": [],
        "unbounded": segment.unbounded.is_some(),
        "_external": segment.external,
    });
    if let Some(kind) = &segment.unbounded {
        view["unboundedContextKind"] = json!(kind);
    } else {
        view["included"] = json!(users(&segment.included));
        view["excluded"] = json!(users(&segment.excluded));
        view["includedContexts"] = json!(others(&segment.included));
        view["excludedContexts"] = json!(others(&segment.excluded));
    }
    view
}
