//! A double of Flagsmith's SDK API as a destination sees it: the Edge API, which takes identities in bulk, or the core one,
//! which takes traits in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What the double keeps of an identity.
pub type Traits = BTreeMap<String, Value>;

/// Which of Flagsmith's servers it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bulk-identities/` and no `traits/bulk/`.
    Edge,
    /// `traits/bulk/` and no `bulk-identities/`.
    Core,
    /// Neither.
    Old,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Before(u16),
    After(u16),
    /// 429 that asks to come back after so many seconds.
    RetryAfter(u64),
}

#[derive(Debug)]
struct World {
    kind: Kind,
    key: String,
    identities: BTreeMap<String, Traits>,
    /// What arrived, for tests; not kept when the double serves as a program.
    requests: Vec<(String, Value)>,
    keeps: bool,
    arrived: u64,
    faults: VecDeque<Fault>,
    refused: BTreeSet<String>,
    /// The key cohorts are written with, and the members of each by its id.
    cohort_key: String,
    cohorts: BTreeMap<String, BTreeSet<String>>,
    forgetful: bool,
    fails_once_stored: Option<usize>,
    fails_with: u16,
}

/// The double; it is served as long as the test runs.
#[derive(Debug, Clone)]
pub struct Flagsmith {
    /// What to set as the API instance.
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl Flagsmith {
    /// A double with one server-side key.
    pub async fn start(kind: Kind, key: &str) -> Self {
        Self::serve("127.0.0.1:0", kind, key, true).await
    }

    /// The same at an address, for as long as the program runs. What arrives is counted and not kept.
    pub async fn start_at(at: &str, kind: Kind, key: &str) -> Self {
        Self::serve(at, kind, key, false).await
    }

    async fn serve(at: &str, kind: Kind, key: &str, keeps: bool) -> Self {
        let world = Arc::new(Mutex::new(World {
            kind,
            key: key.to_owned(),
            identities: BTreeMap::new(),
            requests: Vec::new(),
            keeps,
            arrived: 0,
            faults: VecDeque::new(),
            refused: BTreeSet::new(),
            cohort_key: String::new(),
            cohorts: BTreeMap::new(),
            forgetful: false,
            fails_once_stored: None,
            fails_with: 503,
        }));
        let router = Router::new()
            .fallback(answer)
            .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(world.clone());
        let url = format!("http://{}/api/v1", super::serve_at(router, at).await);
        Self { url, world }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is stored.
    pub fn identities(&self) -> BTreeMap<String, Traits> {
        self.world().identities.clone()
    }

    /// How many identities are stored, and how many requests arrived.
    pub fn size(&self) -> (usize, u64) {
        let world = self.world();
        (world.identities.len(), world.arrived)
    }

    /// Method and path of what arrived, with its body.
    pub fn requests(&self) -> Vec<(String, Value)> {
        self.world().requests.clone()
    }

    /// The next requests go wrong in these ways.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world().faults.extend(faults);
    }

    /// What [`Self::fail_once_stored`] answers instead of 503.
    pub fn fail_with(&self, status: u16) {
        self.world().fails_with = status;
    }

    /// As soon as so many identities are stored, nothing is answered but 503.
    pub fn fail_once_stored(&self, identities: usize) {
        self.world().fails_once_stored = Some(identities);
    }

    /// From now on nothing goes wrong.
    pub fn recover(&self) {
        let mut world = self.world();
        world.fails_with = 503;
        world.faults.clear();
        world.fails_once_stored = None;
    }

    /// A cohort that takes members with this key.
    pub fn offer_cohort(&self, key: &str, id: &str) {
        let mut world = self.world();
        key.clone_into(&mut world.cohort_key);
        world.cohorts.insert(id.to_owned(), BTreeSet::new());
    }

    /// The members of a cohort.
    pub fn cohort(&self, id: &str) -> BTreeSet<String> {
        self.world().cohorts.get(id).cloned().unwrap_or_default()
    }

    /// An identifier no request may hold.
    pub fn refuse(&self, identifier: &str) {
        self.world().refused.insert(identifier.to_owned());
    }

    /// From now on writes are acknowledged and forgotten, as a known fault of the Edge API does.
    pub fn forget_writes(&self) {
        self.world().forgetful = true;
    }
}

/// More than any batch has.
const LARGEST_BODY: usize = 64 << 20;

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    world.arrived += 1;
    if world.keeps {
        world
            .requests
            .push((format!("{method} {}", uri.path()), body.clone()));
    }
    let stored = world.identities.len();
    let fault = match world.fails_once_stored {
        Some(limit) if stored >= limit => Some(Fault::Before(world.fails_with)),
        _ => world.faults.pop_front(),
    };
    match fault {
        Some(Fault::RetryAfter(seconds)) => {
            let headers = [("retry-after", seconds.to_string())];
            return (
                StatusCode::TOO_MANY_REQUESTS,
                headers,
                axum::Json(json!({ "detail": "throttled" })),
            )
                .into_response();
        }
        Some(Fault::Before(status)) => {
            return StatusCode::from_u16(status).expect("a status").into_response();
        }
        Some(Fault::After(_)) | None => {}
    }
    let key = headers
        .get("x-environment-key")
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default();
    let bearer = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default();
    let (status, answer) = if !uri.path().starts_with("/api/v1/") {
        (404, json!({ "detail": "Not found." }))
    } else if let Some(rest) = uri.path().strip_prefix(COHORTS) {
        world.act_on_cohort(&method, rest, bearer, &body)
    } else if key == world.key {
        let path = uri.path().trim_start_matches("/api/v1").to_owned();
        world.act(&method, &path, query.get("identifier").map(String::as_str), &body)
    } else {
        (403, json!({ "detail": "Invalid or missing Environment Key" }))
    };
    let status = match fault {
        Some(Fault::After(status)) => status,
        _ => status,
    };
    (
        StatusCode::from_u16(status).expect("a status"),
        axum::Json(answer),
    )
        .into_response()
}

/// Where members of cohorts are written.
const COHORTS: &str = "/api/v1/cohort-sync/webhook/cohorts/";

/// Bytes of an identifier, and identifiers in a request, that a cohort takes.
const LONGEST_MEMBER: usize = 1_024;
const MOST_MEMBERS: usize = 10_000;

impl World {
    fn act_on_cohort(&mut self, method: &Method, rest: &str, bearer: &str, body: &Value) -> (u16, Value) {
        if self.cohort_key.is_empty() {
            return (404, json!({ "detail": "Not found." }));
        }
        if bearer != self.cohort_key {
            return (401, json!({ "detail": "Invalid token." }));
        }
        let Some((id, act)) = rest.trim_end_matches('/').split_once('/') else {
            return (404, json!({ "detail": "Not found." }));
        };
        let Some(members) = self.cohorts.get_mut(id) else {
            return (404, json!({ "detail": "No Cohort matches the given query." }));
        };
        let found = body["identifiers"].as_array().into_iter().flatten();
        let given: Vec<String> = found.filter_map(|one| one.as_str().map(str::to_owned)).collect();
        if given.is_empty() {
            return (400, json!({ "identifiers": ["This list may not be empty."] }));
        }
        if given.len() > MOST_MEMBERS {
            return (
                400,
                json!({ "identifiers": ["Ensure this field has no more than 10000 elements."] }),
            );
        }
        if given
            .iter()
            .any(|one| one.is_empty() || one.len() > LONGEST_MEMBER || self.refused.contains(one))
        {
            return (400, json!({ "identifiers": ["Not a valid identifier."] }));
        }
        match (method.as_str(), act) {
            ("POST", "members/add") => members.extend(given),
            ("POST", "members/remove") => {
                for one in &given {
                    members.remove(one);
                }
            }
            _ => return (404, json!({ "detail": "Not found." })),
        }
        (200, json!({}))
    }

    fn act(&mut self, method: &Method, path: &str, identifier: Option<&str>, body: &Value) -> (u16, Value) {
        match (method.as_str(), path, self.kind) {
            ("GET", "/flags/", _) => (200, json!([])),
            ("GET", "/identities/", _) => {
                let traits = self
                    .identities
                    .get(identifier.unwrap_or_default())
                    .cloned()
                    .unwrap_or_default();
                let traits = traits
                    .into_iter()
                    .map(|(key, value)| json!({ "trait_key": key, "trait_value": value }));
                (200, json!({ "flags": [], "traits": traits.collect::<Vec<_>>() }))
            }
            ("POST", "/identities/", _) => self.store_identities(std::slice::from_ref(body), 200),
            ("PUT", "/bulk-identities/", Kind::Edge) => {
                let Some(data) = body["data"].as_array() else {
                    return (400, json!({ "data": ["This field is required."] }));
                };
                if data.len() > 100 {
                    return (400, json!("Number of identities must not be more than 100"));
                }
                self.store_identities(data, 202)
            }
            ("PUT", "/traits/bulk/", Kind::Core) => {
                let Some(items) = body.as_array() else {
                    return (400, json!({ "non_field_errors": ["Expected a list of items."] }));
                };
                let identities: Vec<Value> = items
                    .iter()
                    .map(|item| {
                        let one =
                            json!({ "trait_key": item["trait_key"], "trait_value": item["trait_value"] });
                        json!({ "identifier": item["identity"]["identifier"], "traits": [one] })
                    })
                    .collect();
                self.store_identities(&identities, 200)
            }
            _ => (404, json!({ "detail": "Not found." })),
        }
    }

    /// All or nothing, as the serializers of the real one do.
    fn store_identities(&mut self, identities: &[Value], status: u16) -> (u16, Value) {
        let mut writes = Vec::new();
        for identity in identities {
            let Some(identifier) = identity["identifier"].as_str().filter(|text| !text.is_empty()) else {
                return (400, json!({ "identifier": ["This field is required."] }));
            };
            if self.refused.contains(identifier) {
                return (400, json!({ "identifier": ["This identifier is refused."] }));
            }
            for one in identity["traits"].as_array().into_iter().flatten() {
                let Some(key) = one["trait_key"].as_str() else {
                    return (
                        400,
                        json!({ "traits": [{ "trait_key": ["This field is required."] }] }),
                    );
                };
                let value = &one["trait_value"];
                let fits = match value {
                    Value::String(text) => text.chars().count() <= 2_000,
                    Value::Number(number) => number.as_i64().is_none_or(|n| i32::try_from(n).is_ok()),
                    Value::Null | Value::Bool(_) => true,
                    Value::Array(_) | Value::Object(_) => false,
                };
                if !fits {
                    return (
                        400,
                        json!({ "traits": [{ "trait_value": ["Value is not valid."] }] }),
                    );
                }
                writes.push((identifier.to_owned(), key.to_owned(), value.clone()));
            }
        }
        if !self.forgetful {
            for (identifier, key, value) in writes {
                let traits = self.identities.entry(identifier).or_default();
                match value {
                    Value::Null => drop(traits.remove(&key)),
                    value => drop(traits.insert(key, value)),
                }
            }
        }
        (status, json!({}))
    }
}
