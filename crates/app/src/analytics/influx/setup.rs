//! Sets InfluxDB up: the three buckets, and the tasks that add counts up from the first into the others. What is there
//! stays as it is.

use std::sync::Arc;

use burgee_outbound::http::{Client, Method};
use serde_json::{Value, json};

use super::{Api, InfluxSettings, flux, told};
use crate::{Error, Result};

pub use flux::Task;

/// Something that InfluxDB is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `bucket default`, `task Downsample API 1h`.
    pub what: String,
    /// Whether it was made now; otherwise it was there.
    pub made: bool,
}

/// How many days the counts stay in the buckets: as they came in, and added up.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    pub raw: u32,
    pub bucketed: u32,
}

/// The tasks that a bucket needs.
pub fn tasks(bucket: &str) -> Vec<Task> {
    flux::tasks(bucket)
}

/// Makes what is not there.
///
/// # Errors
/// `Elsewhere` when InfluxDB is away or refuses; what was made until then stays, and is there the next time.
pub async fn set_up(settings: InfluxSettings, days: Days, client: Client) -> Result<Vec<Step>> {
    let tasks = tasks(&settings.bucket);
    let api = Api {
        settings: Arc::new(settings),
        client,
    };
    let org_id = organisation(&api).await?;
    let bucket = &api.settings.bucket;
    let mut steps = Vec::new();
    for (name, days) in [
        (bucket.clone(), days.raw),
        (flux::quarters(bucket), days.raw),
        (flux::hours(bucket), days.bucketed),
    ] {
        let made = ensure_bucket(&api, &org_id, &name, days).await?;
        steps.push(Step {
            what: format!("bucket {name}"),
            made,
        });
    }
    for task in tasks {
        let made = ensure_task(&api, &org_id, &task).await?;
        steps.push(Step {
            what: format!("task {}", task.name),
            made,
        });
    }
    Ok(steps)
}

/// The number of the organisation with the name that was set.
async fn organisation(api: &Api) -> Result<String> {
    let org = api.settings.org.as_str();
    let found = list(api, "/api/v2/orgs", &[("org", org)], "orgs").await?;
    named(&found, org)
        .and_then(|org| Some(org.get("id")?.as_str()?.to_owned()))
        .ok_or_else(|| {
            Error::Elsewhere(format!(
                "InfluxDB knows no organisation {org:?}, or the token does not"
            ))
        })
}

async fn ensure_bucket(api: &Api, org_id: &str, name: &str, days: u32) -> Result<bool> {
    let found = list(
        api,
        "/api/v2/buckets",
        &[("orgID", org_id), ("name", name)],
        "buckets",
    )
    .await?;
    if named(&found, name).is_some() {
        return Ok(false);
    }
    let seconds = i64::from(days) * 86_400;
    let bucket = json!({
        "orgID": org_id,
        "name": name,
        "retentionRules": [{ "type": "expire", "everySeconds": seconds }],
    });
    make(api, "/api/v2/buckets", &bucket).await?;
    Ok(true)
}

async fn ensure_task(api: &Api, org_id: &str, task: &Task) -> Result<bool> {
    let found = list(
        api,
        "/api/v2/tasks",
        &[("orgID", org_id), ("name", task.name)],
        "tasks",
    )
    .await?;
    if named(&found, task.name).is_some() {
        return Ok(false);
    }
    let body = json!({ "orgID": org_id, "flux": task.flux, "status": "active" });
    make(api, "/api/v2/tasks", &body).await?;
    Ok(true)
}

fn named<'a>(found: &'a [Value], name: &str) -> Option<&'a Value> {
    found
        .iter()
        .find(|each| each.get("name").and_then(Value::as_str) == Some(name))
}

async fn list(api: &Api, path: &str, query: &[(&str, &str)], of: &str) -> Result<Vec<Value>> {
    let answer = api
        .send(api.request(Method::GET, path, query))
        .await
        .map_err(|error| Error::Elsewhere(format!("InfluxDB: {error}")))?;
    // Asked for a name that nothing has, some versions answer with an empty list and others with 404.
    if answer.status == 404 {
        return Ok(Vec::new());
    }
    if !answer.is_success() {
        return Err(Error::Elsewhere(format!(
            "InfluxDB, asked for {of}: {}",
            told(&answer)
        )));
    }
    let body = answer.json().unwrap_or_default();
    Ok(body
        .get(of)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default())
}

async fn make(api: &Api, path: &str, body: &Value) -> Result<()> {
    let answer = api
        .send(api.request(Method::POST, path, &[]).json(body))
        .await
        .map_err(|error| Error::Elsewhere(format!("InfluxDB: {error}")))?;
    if answer.is_success() {
        return Ok(());
    }
    Err(Error::Elsewhere(format!("InfluxDB, {path}: {}", told(&answer))))
}
