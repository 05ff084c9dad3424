//! InfluxDB 2, as far as Burgee uses it: takes line protocol, letter by letter; answers Flux with annotated CSV from what
//! it took; has buckets and tasks, which run when they are told to. What it does not understand it refuses.

mod flux;
mod lines;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use burgee_app::settings::InfluxSettings;
use serde_json::{Value, json};

pub use lines::Point;

/// The one token that is let in.
pub const TOKEN: &str = "an==influx-token";
/// The one organisation.
pub const ORG: &str = "Acme & sons";
const ORG_ID: &str = "0a1b2c3d4e5f6071";
/// The bucket that is written to.
pub const BUCKET: &str = "default";

/// Nanoseconds of an hour.
const HOUR: i64 = 3_600_000_000_000;

#[derive(Debug, Default)]
struct Kept {
    buckets: BTreeMap<String, Vec<Point>>,
    /// Seconds that points stay, by bucket.
    retention: BTreeMap<String, i64>,
    /// Names and texts.
    tasks: Vec<(String, String)>,
    queries: Vec<String>,
    writes: usize,
    /// Everything is answered with this.
    fault: Option<StatusCode>,
}

/// A server on this machine.
#[derive(Debug, Clone)]
pub struct Influx {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

type Parameters = Query<BTreeMap<String, String>>;

impl Influx {
    /// Starts it on a free port, with no bucket at all.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a socket");
        let influx = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            kept: Arc::default(),
        };
        let router = Router::new()
            .route("/api/v2/write", post(write))
            .route("/api/v2/query", post(query))
            .route("/api/v2/orgs", get(orgs))
            .route("/api/v2/buckets", get(buckets).post(make_bucket))
            .route("/api/v2/tasks", get(tasks).post(make_task))
            .with_state(influx.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        influx
    }

    /// How Burgee is told of it.
    pub fn settings(&self) -> InfluxSettings {
        InfluxSettings {
            url: self.url.clone(),
            token: TOKEN.to_owned(),
            org: ORG.to_owned(),
            bucket: BUCKET.to_owned(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers everything with an error, or answers again.
    pub fn fail_with(&self, status: Option<u16>) {
        self.kept().fault = status.map(|status| StatusCode::from_u16(status).expect("a status"));
    }

    /// What a bucket holds.
    pub fn points(&self, bucket: &str) -> Vec<Point> {
        self.kept().buckets.get(bucket).cloned().unwrap_or_default()
    }

    /// Waits until the bucket that is written to holds so many points.
    pub async fn wait_for_points(&self, count: usize) -> Vec<Point> {
        for _ in 0..500 {
            let points = self.points(BUCKET);
            if points.len() >= count {
                return points;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{} of {count} points came", self.points(BUCKET).len());
    }

    /// What was asked so far.
    pub fn queries(&self) -> Vec<String> {
        self.kept().queries.clone()
    }

    /// How many write requests came, taken or not.
    pub fn writes(&self) -> usize {
        self.kept().writes
    }

    /// Names of buckets with the seconds that points stay in them.
    pub fn retention(&self) -> BTreeMap<String, i64> {
        self.kept().retention.clone()
    }

    /// Names of tasks.
    pub fn tasks(&self) -> Vec<String> {
        self.kept().tasks.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Runs every task as if it were the next full hour.
    pub fn run_tasks(&self) {
        let now = burgee_model::Timestamp::now().0 * 1_000;
        let now = now - now % HOUR + HOUR;
        let mut kept = self.kept();
        for (name, text) in kept.tasks.clone() {
            let made = flux::run(&text, now, &kept.buckets);
            let made = made.unwrap_or_else(|error| panic!("task {name}: {error}\n{text}"));
            let (bucket, points) = made.written.expect("a task writes");
            let target = kept.buckets.get_mut(&bucket).expect("the bucket is there");
            for point in points {
                lines::put(target, point);
            }
        }
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

impl Influx {
    /// Lets a request in, or says why not.
    fn enter(&self, headers: &HeaderMap) -> Result<MutexGuard<'_, Kept>, Response> {
        let kept = self.kept();
        if let Some(status) = kept.fault {
            return Err(error(status, "unavailable", "told to fail"));
        }
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        if token != Some(&format!("Token {TOKEN}")) {
            return Err(error(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "unauthorized access",
            ));
        }
        Ok(kept)
    }
}

fn check_org(parameters: &Parameters) -> Result<(), Response> {
    match parameters.get("org") {
        Some(org) if org == ORG => Ok(()),
        org => Err(error(
            StatusCode::NOT_FOUND,
            "not found",
            &format!("organization name {org:?} not found"),
        )),
    }
}

async fn write(
    State(influx): State<Influx>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    influx.kept().writes += 1;
    take(&influx, &parameters, &headers, &body).unwrap_or_else(|refusal| refusal)
}

fn take(
    influx: &Influx,
    parameters: &Parameters,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Response> {
    let mut kept = influx.enter(headers)?;
    check_org(parameters)?;
    let invalid = |message: &str| error(StatusCode::BAD_REQUEST, "invalid", message);
    if parameters.get("precision").map(String::as_str) != Some("ns") {
        return Err(invalid("this double is told of nanoseconds only"));
    }
    let name = parameters.get("bucket").cloned().unwrap_or_default();
    let Some(bucket) = kept.buckets.get_mut(&name) else {
        return Err(error(
            StatusCode::NOT_FOUND,
            "not found",
            &format!("bucket \"{name}\" not found"),
        ));
    };
    let text = std::str::from_utf8(body).map_err(|_| invalid("not UTF-8"))?;
    let points = lines::parse(text).map_err(|problem| invalid(&format!("unable to parse: {problem}")))?;
    for point in points {
        lines::put(bucket, point);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn query(
    State(influx): State<Influx>,
    parameters: Parameters,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let answer = || -> Result<Response, Response> {
        let mut kept = influx.enter(&headers)?;
        check_org(&parameters)?;
        let text = body["query"].as_str().unwrap_or_default().to_owned();
        kept.queries.push(text.clone());
        let annotations = &body["dialect"]["annotations"];
        if *annotations != json!(["datatype", "group", "default"]) || body["type"] != "flux" {
            return Err(error(
                StatusCode::BAD_REQUEST,
                "invalid",
                "this double answers with all annotations",
            ));
        }
        let now = burgee_model::Timestamp::now().0 * 1_000;
        let made = flux::run(&text, now, &kept.buckets)
            .map_err(|problem| error(StatusCode::BAD_REQUEST, "invalid", &problem))?;
        Ok(([("content-type", "text/csv; charset=utf-8")], made.csv()).into_response())
    };
    answer().unwrap_or_else(|refusal| refusal)
}

async fn orgs(State(influx): State<Influx>, parameters: Parameters, headers: HeaderMap) -> Response {
    match influx.enter(&headers) {
        Err(refusal) => refusal,
        Ok(_) if parameters.get("org").is_some_and(|org| org != ORG) => {
            error(StatusCode::NOT_FOUND, "not found", "organization name not found")
        }
        Ok(_) => Json(json!({ "orgs": [{ "id": ORG_ID, "name": ORG }] })).into_response(),
    }
}

async fn buckets(State(influx): State<Influx>, parameters: Parameters, headers: HeaderMap) -> Response {
    let kept = match influx.enter(&headers) {
        Ok(kept) => kept,
        Err(refusal) => return refusal,
    };
    let name = parameters.get("name").cloned().unwrap_or_default();
    if kept.buckets.contains_key(&name) {
        Json(json!({ "buckets": [{ "id": "b", "orgID": ORG_ID, "name": name }] })).into_response()
    } else {
        error(StatusCode::NOT_FOUND, "not found", "bucket not found")
    }
}

async fn make_bucket(State(influx): State<Influx>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut kept = match influx.enter(&headers) {
        Ok(kept) => kept,
        Err(refusal) => return refusal,
    };
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let seconds = body["retentionRules"][0]["everySeconds"]
        .as_i64()
        .unwrap_or_default();
    if name.is_empty() || body["orgID"] != ORG_ID || seconds < 3_600 {
        return error(StatusCode::BAD_REQUEST, "invalid", "no such bucket can be made");
    }
    if kept.buckets.contains_key(&name) {
        return error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "conflict",
            "bucket already exists",
        );
    }
    kept.buckets.insert(name.clone(), Vec::new());
    kept.retention.insert(name, seconds);
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn tasks(State(influx): State<Influx>, parameters: Parameters, headers: HeaderMap) -> Response {
    let kept = match influx.enter(&headers) {
        Ok(kept) => kept,
        Err(refusal) => return refusal,
    };
    let name = parameters.get("name").cloned().unwrap_or_default();
    let found = kept.tasks.iter().filter(|(known, _)| *known == name);
    let found: Vec<Value> = found
        .map(|(name, flux)| json!({ "name": name, "flux": flux }))
        .collect();
    Json(json!({ "tasks": found })).into_response()
}

async fn make_task(State(influx): State<Influx>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut kept = match influx.enter(&headers) {
        Ok(kept) => kept,
        Err(refusal) => return refusal,
    };
    let text = body["flux"].as_str().unwrap_or_default();
    match flux::name(text) {
        Ok(name) if body["orgID"] == ORG_ID => {
            kept.tasks.push((name, text.to_owned()));
            (StatusCode::CREATED, Json(body)).into_response()
        }
        Ok(_) => error(StatusCode::BAD_REQUEST, "invalid", "no such organisation"),
        Err(problem) => error(StatusCode::BAD_REQUEST, "invalid", &problem),
    }
}
