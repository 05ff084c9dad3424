//! What experiments are measured by.

use burgee_model::Timestamp;
use burgee_store::{Tx, experiments};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::experiments::{ExperimentMetric, Metric};

use crate::change::{Action, Change, Kind};
use crate::experiments::{Experiment, administered, find, open};
use crate::{App, Caller, Error, Place, Result};

/// What a client may set of a metric. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct MetricEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub aggregation: Option<&'static str>,
    pub direction: Option<&'static str>,
    pub definition: Option<Value>,
}

/// A metric with the experiments that are measured by it.
#[derive(Debug, Clone)]
pub struct MetricDetails {
    pub metric: Metric,
    pub experiments: Vec<Experiment>,
}

fn missing() -> Error {
    Error::no_match("Metric")
}

/// The metrics of an environment whose names have this text in them.
pub async fn list(tx: &mut Tx, caller: &Caller, key: &str, part: Option<&str>) -> Result<Vec<MetricDetails>> {
    let place = administered(tx, caller, key).await?;
    let mut found = describe_all(tx, &place).await?;
    if let Some(part) = part.map(str::to_lowercase) {
        found.retain(|details| details.metric.name.to_lowercase().contains(&part));
    }
    Ok(found)
}

async fn describe_all(tx: &mut Tx, place: &Place) -> Result<Vec<MetricDetails>> {
    let links = experiments::links(tx, place.environment.id).await?;
    let known = experiments::list(tx, place.environment.id).await?;
    let metrics = experiments::metrics(tx, place.environment.id).await?.into_iter();
    let described = metrics.map(|metric| MetricDetails {
        experiments: known
            .iter()
            .filter(|experiment| {
                links
                    .iter()
                    .any(|link| link.metric_id == metric.id && link.experiment_id == experiment.id)
            })
            .cloned()
            .collect(),
        metric,
    });
    Ok(described.collect())
}

/// One metric.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<MetricDetails> {
    let found = list(tx, caller, key, None).await?;
    found
        .into_iter()
        .find(|details| details.metric.id == id)
        .ok_or_else(missing)
}

/// Creates a metric.
pub async fn create(app: &App, caller: &Caller, key: &str, edit: MetricEdit) -> Result<MetricDetails> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let now = Timestamp::now().0;
    let mut metric = Metric {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        environment_id: place.environment.id,
        name: String::new(),
        description: String::new(),
        aggregation: "count".to_owned(),
        direction: "up".to_owned(),
        definition: "{}".to_owned(),
        created_at: now,
        updated_at: now,
    };
    apply(&mut metric, edit)?;
    metric.id = experiments::insert_metric(&mut tx, &metric).await?;
    let change = line(caller, &place, Action::Create, &metric).after(as_json(&metric));
    app.commit(tx, vec![change.into()]).await?;
    Ok(MetricDetails {
        metric,
        experiments: Vec::new(),
    })
}

/// Changes a metric.
pub async fn update(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    edit: MetricEdit,
) -> Result<MetricDetails> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let mut details = get(&mut tx, caller, key, id).await?;
    let before = as_json(&details.metric);
    apply(&mut details.metric, edit)?;
    details.metric.updated_at = Timestamp::now().0;
    experiments::update_metric(&mut tx, &details.metric).await?;
    let change = line(caller, &place, Action::Update, &details.metric)
        .before(before)
        .after(as_json(&details.metric));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Deletes a metric. One that a running experiment is measured by stays.
pub async fn delete(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let details = get(&mut tx, caller, key, id).await?;
    if let Some(running) = details
        .experiments
        .iter()
        .find(|experiment| experiment.status == "running")
    {
        let text = format!(
            "The running experiment \"{}\" is measured by this metric.",
            running.name
        );
        return Err(Error::detail(&text));
    }
    experiments::delete_metric(&mut tx, id).await?;
    let change = line(caller, &place, Action::Delete, &details.metric).before(as_json(&details.metric));
    app.commit(tx, vec![change.into()]).await
}

fn line(caller: &Caller, place: &Place, action: Action, metric: &Metric) -> Change {
    Change::new(caller, Kind::Metric, action, metric.id)
        .in_environment(place)
        .uuid(&metric.uuid)
}

fn apply(metric: &mut Metric, edit: MetricEdit) -> Result<()> {
    if let Some(name) = edit.name {
        metric.name = name;
    }
    if let Some(description) = edit.description {
        metric.description = description;
    }
    if let Some(aggregation) = edit.aggregation {
        aggregation.clone_into(&mut metric.aggregation);
    }
    if let Some(direction) = edit.direction {
        direction.clone_into(&mut metric.direction);
    }
    if let Some(definition) = edit.definition {
        let event = definition.get("event").and_then(Value::as_str);
        if event.is_none_or(str::is_empty) {
            return Err(Error::field(
                "definition",
                "Must be an object that names an \"event\".",
            ));
        }
        metric.definition = definition.to_string();
    }
    Ok(())
}

fn as_json(metric: &Metric) -> Value {
    json!({
        "name": metric.name,
        "description": metric.description,
        "aggregation": metric.aggregation,
        "direction": metric.direction,
        "definition": serde_json::from_str::<Value>(&metric.definition).unwrap_or_default(),
    })
}

/// A metric of an experiment with what is expected of it.
#[derive(Debug, Clone)]
pub struct LinkDetails {
    pub link: ExperimentMetric,
    pub metric: Metric,
}

/// By what an experiment is measured, and what is expected.
#[derive(Debug, Clone, Copy)]
pub struct LinkEdit {
    pub metric: Option<i64>,
    pub expected_direction: Option<&'static str>,
}

/// The metrics of an environment's experiments, by experiment.
pub(crate) async fn of_experiments(tx: &mut Tx, environment_id: i64) -> Result<Vec<LinkDetails>> {
    let metrics = experiments::metrics(tx, environment_id).await?;
    let links = experiments::links(tx, environment_id).await?.into_iter();
    let described = links.filter_map(|link| {
        let metric = metrics.iter().find(|metric| metric.id == link.metric_id)?.clone();
        Some(LinkDetails { link, metric })
    });
    Ok(described.collect())
}

/// The metrics of an experiment.
pub async fn links(tx: &mut Tx, caller: &Caller, key: &str, experiment_id: i64) -> Result<Vec<LinkDetails>> {
    let place = administered(tx, caller, key).await?;
    find(tx, &place, experiment_id).await?;
    let mut found = of_experiments(tx, place.environment.id).await?;
    found.retain(|details| details.link.experiment_id == experiment_id);
    Ok(found)
}

/// One of them.
pub async fn link(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    experiment_id: i64,
    id: i64,
) -> Result<LinkDetails> {
    let found = links(tx, caller, key, experiment_id).await?;
    found
        .into_iter()
        .find(|details| details.link.id == id)
        .ok_or_else(|| Error::no_match("ExperimentMetric"))
}

/// Writes that an experiment is measured by a metric, inside the transaction of a larger act.
pub(crate) async fn insert_link(
    tx: &mut Tx,
    place: &Place,
    experiment_id: i64,
    (metric_id, expected_direction): (i64, &str),
) -> Result<LinkDetails> {
    let metric = metric_for(tx, place, experiment_id, metric_id, 0).await?;
    let mut link = ExperimentMetric {
        id: 0,
        experiment_id,
        metric_id,
        expected_direction: expected_direction.to_owned(),
        created_at: Timestamp::now().0,
    };
    link.id = experiments::insert_link(tx, &link).await?;
    Ok(LinkDetails { link, metric })
}

/// A metric of the environment that the experiment is not measured by yet (except by the link `but`).
async fn metric_for(tx: &mut Tx, place: &Place, experiment_id: i64, id: i64, but: i64) -> Result<Metric> {
    let metrics = experiments::metrics(tx, place.environment.id).await?;
    let metric = metrics.into_iter().find(|metric| metric.id == id);
    let metric = metric.ok_or_else(|| Error::no_such("metric", id))?;
    let links = experiments::links(tx, place.environment.id).await?;
    if links
        .iter()
        .any(|link| link.experiment_id == experiment_id && link.metric_id == id && link.id != but)
    {
        return Err(Error::field(
            "metric",
            "The experiment is measured by this metric already.",
        ));
    }
    Ok(metric)
}

/// Measures an experiment by one more metric.
pub async fn create_link(
    app: &App,
    caller: &Caller,
    key: &str,
    experiment_id: i64,
    (metric_id, expected_direction): (i64, &'static str),
) -> Result<LinkDetails> {
    let mut tx = app.begin().await?;
    let (place, experiment) = open(&mut tx, caller, key, experiment_id).await?;
    let made = insert_link(&mut tx, &place, experiment.id, (metric_id, expected_direction)).await?;
    let change = changed(caller, &place, &experiment)
        .after(json!({ "metric": metric_id, "expected_direction": expected_direction }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(made)
}

fn changed(caller: &Caller, place: &Place, experiment: &Experiment) -> Change {
    Change::new(caller, Kind::Experiment, Action::Update, experiment.id)
        .in_environment(place)
        .uuid(&experiment.uuid)
}

/// Changes by what an experiment is measured.
pub async fn update_link(
    app: &App,
    caller: &Caller,
    key: &str,
    (experiment_id, id): (i64, i64),
    edit: LinkEdit,
) -> Result<LinkDetails> {
    let mut tx = app.begin().await?;
    let (place, experiment) = open(&mut tx, caller, key, experiment_id).await?;
    let mut details = link(&mut tx, caller, key, experiment_id, id).await?;
    if let Some(metric_id) = edit.metric {
        details.metric = metric_for(&mut tx, &place, experiment_id, metric_id, id).await?;
        details.link.metric_id = metric_id;
    }
    if let Some(direction) = edit.expected_direction {
        direction.clone_into(&mut details.link.expected_direction);
    }
    experiments::update_link(&mut tx, &details.link).await?;
    let change = changed(caller, &place, &experiment).after(json!({
        "metric": details.link.metric_id,
        "expected_direction": details.link.expected_direction,
    }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Measures an experiment no longer by a metric.
pub async fn delete_link(
    app: &App,
    caller: &Caller,
    key: &str,
    (experiment_id, id): (i64, i64),
) -> Result<()> {
    let mut tx = app.begin().await?;
    let (place, experiment) = open(&mut tx, caller, key, experiment_id).await?;
    let details = link(&mut tx, caller, key, experiment_id, id).await?;
    experiments::delete_link(&mut tx, id).await?;
    let change = changed(caller, &place, &experiment).before(json!({ "metric": details.link.metric_id }));
    app.commit(tx, vec![change.into()]).await
}
