//! Counts in InfluxDB 2, in the shape that Flagsmith gives them there: written every ten seconds to a bucket, added up by
//! tasks of InfluxDB in two more buckets, and read from those.
//!
//! InfluxDB may be away at any time: what is to be written waits in memory, up to a bound; charts stay empty.

mod answer;
pub mod flux;
mod line;
mod names;
mod queue;
pub mod setup;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burgee_model::Timestamp;
use burgee_outbound::http::{self, Answer, Client, Method, Request};
use burgee_store::Db;
use burgee_store::analytics::{EvaluationCount, UsageCount};
use serde_json::json;

use super::{Calls, Evaluations, Scope};
use crate::feature_data::Labels;
use crate::{Error, Result};

use answer::Row;
use line::Point;
use names::Names;
use queue::Queue;

/// Calls of the SDK API.
const API_CALL: &str = "api_call";
/// Reported evaluations of features.
const FEATURE_EVALUATION: &str = "feature_evaluation";
/// The one field of both.
const FIELD: &str = "request_count";
/// What resources are called there; their numbers begin at 1.
const RESOURCES: [&str; 4] = ["flags", "identities", "traits", "environment-document"];

/// How long a query may take.
const QUERY: Duration = Duration::from_secs(10);
/// The most bytes of an answer: a chart of a year of thousands of features is far below it.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Features with evaluations that wait for the next round; beyond them evaluations are dropped.
const SERIES: usize = 100_000;

/// Where InfluxDB is.
#[derive(Clone, PartialEq, Eq)]
pub struct InfluxSettings {
    /// Without a trailing slash.
    pub url: String,
    pub token: String,
    /// The organisation there, by its name.
    pub org: String,
    /// The bucket that counts are written to; those they are added up in have its name with an ending.
    pub bucket: String,
}

impl std::fmt::Debug for InfluxSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InfluxSettings")
            .field("url", &self.url)
            .field("org", &self.org)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// The API of InfluxDB. Cheap to clone.
#[derive(Debug, Clone)]
struct Api {
    settings: Arc<InfluxSettings>,
    client: Client,
}

impl Api {
    /// A request with a token, to a path with a query.
    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Request {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let separator = if query.is_empty() { "" } else { "?" };
        Request::new(method, format!("{}{path}{separator}{query}", self.settings.url))
            .header("authorization", format!("Token {}", self.settings.token))
    }

    async fn send(&self, request: Request) -> std::result::Result<Answer, http::Error> {
        self.client.send(request).await
    }

    /// Writes lines.
    async fn write(&self, lines: String) -> std::result::Result<Answer, http::Error> {
        let settings = &self.settings;
        let query = [
            ("org", settings.org.as_str()),
            ("bucket", settings.bucket.as_str()),
            ("precision", "ns"),
        ];
        let request = self
            .request(Method::POST, "/api/v2/write", &query)
            .header("content-type", "text/plain; charset=utf-8")
            .body(lines);
        self.send(request).await
    }

    /// Asks, and reads the rows of the answer.
    async fn query(&self, flux: &str) -> Result<Vec<Row>> {
        let dialect = json!({ "annotations": ["datatype", "group", "default"], "header": true });
        let request = self
            .request(
                Method::POST,
                "/api/v2/query",
                &[("org", self.settings.org.as_str())],
            )
            .header("accept", "application/csv")
            .json(&json!({ "query": flux, "type": "flux", "dialect": dialect }))
            .within(QUERY)
            .at_most(ANSWER_BYTES);
        let outcome = match self.send(request).await {
            Ok(answer) if answer.is_success() => answer::rows(&answer.body),
            Ok(answer) => Err(told(&answer)),
            Err(error) => Err(error.to_string()),
        };
        let label = if outcome.is_ok() { "answered" } else { "failed" };
        metrics::counter!("burgee_influx_queries_total", "outcome" => label).increment(1);
        outcome.map_err(|error| Error::Elsewhere(format!("InfluxDB: {error}")))
    }
}

/// What an answer says of an error.
fn told(answer: &Answer) -> String {
    let message = answer
        .json()
        .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()))
        .unwrap_or_default();
    let message: String = message.chars().take(300).collect();
    format!("{} {message}", answer.status).trim_end().to_owned()
}

/// The keeper of counts in InfluxDB.
#[derive(Debug)]
pub(super) struct Influx {
    api: Api,
    queue: Arc<Queue>,
    sender: tokio::task::AbortHandle,
    names: Names,
    /// Evaluations since the last round, by environment and feature.
    evaluations: Mutex<HashMap<(i64, String), i64>>,
    /// Nanoseconds that tell the points of this node from those of others: InfluxDB knows one point of a kind at a time.
    shift: i64,
}

impl Influx {
    pub(super) fn start(settings: InfluxSettings, client: Client) -> Self {
        let api = Api {
            settings: Arc::new(settings),
            client,
        };
        let (queue, sender) = Queue::start(api.clone());
        Self {
            api,
            queue,
            sender,
            names: Names::default(),
            evaluations: Mutex::default(),
            shift: (uuid::Uuid::new_v4().as_u128() % 1_000) as i64,
        }
    }

    /// Adds evaluations to those of the next round.
    pub(super) fn count_evaluations(&self, rows: Vec<EvaluationCount>) {
        let mut waiting = self.evaluations.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let key = (row.environment_id, row.feature_name);
            if waiting.len() >= SERIES && !waiting.contains_key(&key) {
                queue::count("dropped", 1);
                continue;
            }
            let count = waiting.entry(key).or_default();
            *count = count.saturating_add(row.evaluation_count);
        }
    }

    /// Hands a round of counts to the queue: these calls, and the evaluations that came in since the last round.
    pub(super) async fn count_calls(&self, own: &Db, rows: &[UsageCount], host: &str) -> Result<()> {
        let at = super::now() * 1_000 + self.shift;
        self.queue.push(self.evaluation_lines(at));
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = rows.iter().map(|row| row.environment_id).collect();
        let names = self.names.of(own, &ids).await?;
        let lines = rows.iter().filter_map(|row| {
            // An environment that was deleted meanwhile has no name any more.
            let place = names.get(&row.environment_id)?;
            let resource = RESOURCES.get(usize::try_from(row.resource - 1).ok()?)?;
            let organisation = format!("{}-{}", place.organisation_id, place.organisation_name);
            let point = Point {
                measurement: API_CALL,
                tags: &[
                    ("environment", &place.environment_name),
                    ("environment_id", &place.environment_id.to_string()),
                    ("host", host),
                    ("organisation", &organisation),
                    ("organisation_id", &place.organisation_id.to_string()),
                    ("project", &place.project_name),
                    ("project_id", &place.project_id.to_string()),
                    ("resource", resource),
                ],
                field: FIELD,
                count: row.count,
                at,
            };
            Some(point.line())
        });
        self.queue.push(lines.collect());
        Ok(())
    }

    fn evaluation_lines(&self, at: i64) -> Vec<String> {
        let mut waiting = self.evaluations.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = waiting.drain().map(|((environment_id, feature), count)| {
            let point = Point {
                measurement: FEATURE_EVALUATION,
                // Flagsmith stores the name under this name.
                tags: &[
                    ("environment_id", &environment_id.to_string()),
                    ("feature_id", &feature),
                ],
                field: FIELD,
                count,
                at,
            };
            point.line()
        });
        lines.collect()
    }

    /// The calls of a scope by day.
    pub(super) async fn calls(&self, scope: &Scope, (since, until): (i64, i64)) -> Result<Vec<Calls>> {
        if scope.organisation_ids.is_empty() {
            return Ok(Vec::new());
        }
        let range = (since, until.min(super::now()));
        let query = flux::calls(&self.api.settings.bucket, scope, range);
        let rows = self.api.query(&query).await?;
        Ok(rows.iter().filter_map(calls).collect())
    }

    /// The evaluations of a feature by day.
    pub(super) async fn evaluations(
        &self,
        environment_id: i64,
        feature_name: &str,
        since: i64,
    ) -> Result<Vec<Evaluations>> {
        let range = (since, super::now());
        let query = flux::evaluations(&self.api.settings.bucket, environment_id, feature_name, range);
        let rows = self.api.query(&query).await?;
        let evaluations = rows.iter().filter_map(|row| {
            Some(Evaluations {
                day: day(row)?,
                labels: labels(row),
                count: count(row)?,
            })
        });
        Ok(evaluations.collect())
    }

    /// Sends what waits, as far as it is taken within a moment.
    pub(super) async fn close(&self) {
        self.queue.close().await;
    }
}

impl Drop for Influx {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

fn calls(row: &Row) -> Option<Calls> {
    let resource = row.get("resource")?;
    let number = RESOURCES.iter().position(|name| name == resource)?;
    Some(Calls {
        organisation_id: row.get("organisation_id")?.parse().ok()?,
        day: day(row)?,
        resource: number as i64 + 1,
        labels: labels(row),
        count: count(row)?,
    })
}

fn labels(row: &Row) -> Labels {
    let [name, version, agent] = flux::LABELS.map(|label| row.get(label).cloned());
    Labels {
        client_application_name: name,
        client_application_version: version,
        user_agent: agent,
    }
}

/// Days since 1970.
fn day(row: &Row) -> Option<i64> {
    let at = Timestamp::parse(row.get("_time")?)?;
    Some(at.0.div_euclid(86_400_000_000))
}

fn count(row: &Row) -> Option<i64> {
    let value = row.get("_value")?;
    // Counts that others wrote may be floating point.
    value
        .parse()
        .ok()
        .or_else(|| Some(value.parse::<f64>().ok()? as i64))
}
