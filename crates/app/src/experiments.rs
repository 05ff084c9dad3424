//! Experiments: the variants of a feature are given to a part of the traffic, and compared.
//!
//! Those in an experiment are a segment of its own (a percentage split), for which the feature is overridden as long as
//! the experiment runs: by the ordinary writers, so that SDKs, log and approvals know nothing special about it.

use std::collections::HashMap;

use burgee_model::segments::{Operator, RuleType};
use burgee_model::{FlagValue, Problems, Timestamp};
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::{Tx, experiments, segments as segment_rows};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::experiments::Experiment;

use crate::change::{Action, Change, Kind};
use crate::change_sets::{self, ChangeSet, StateChange, Target};
use crate::experiment_metrics::{self, LinkDetails};
use crate::experiment_results;
use crate::feature_states::{StateEdit, ValueEdit, Weight, feature_at, over_100};
use crate::segment_rules::{self, ConditionEdit, RuleEdit};
use crate::{App, Author, Caller, Error, Place, Result, segments};

/// What those in an experiment get, while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    pub enabled: bool,
    /// How much of the traffic is in the experiment.
    pub rollout_percentage: f64,
    pub value: FlagValue,
    pub weights: Vec<Weight>,
}

/// What a client may set of an experiment. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ExperimentEdit {
    pub feature: Option<i64>,
    pub name: Option<String>,
    pub hypothesis: Option<String>,
    /// Metrics, and what is expected of them; only at the beginning.
    pub metrics: Vec<(i64, &'static str)>,
    pub rollout: Option<Rollout>,
}

/// An experiment with what belongs to it.
#[derive(Debug, Clone)]
pub struct ExperimentDetails {
    pub experiment: Experiment,
    pub feature: Feature,
    pub options: Vec<MultivariateOption>,
    pub metrics: Vec<LinkDetails>,
}

impl ExperimentDetails {
    /// What those in it get.
    pub fn rollout(&self) -> Option<Rollout> {
        rollout_of(&self.experiment)
    }
}

fn rollout_of(experiment: &Experiment) -> Option<Rollout> {
    serde_json::from_str(experiment.rollout.as_deref()?).ok()
}

/// What can be done to an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Start,
    Pause,
    Complete,
}

/// The environment, for its administrator.
pub(crate) async fn administered(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Place> {
    let place = crate::environments::enter(tx, key).await?;
    caller.require_environment_admin(tx, &place).await?;
    Ok(place)
}

/// One experiment of an environment.
pub(crate) async fn find(tx: &mut Tx, place: &Place, id: i64) -> Result<Experiment> {
    let found = experiments::list(tx, place.environment.id).await?;
    found
        .into_iter()
        .find(|experiment| experiment.id == id)
        .ok_or_else(|| Error::no_match("Experiment"))
}

/// The environment and an experiment in it, for its administrator.
pub(crate) async fn open(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<(Place, Experiment)> {
    let place = administered(tx, caller, key).await?;
    let experiment = find(tx, &place, id).await?;
    Ok((place, experiment))
}

/// The experiments of an environment: with this text in their name or their feature's, and with this status.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    part: Option<&str>,
    status: Option<&str>,
) -> Result<Vec<ExperimentDetails>> {
    let place = administered(tx, caller, key).await?;
    let mut found = Vec::new();
    for experiment in experiments::list(tx, place.environment.id).await? {
        found.push(experiment);
    }
    let mut described = describe(tx, &place, found).await?;
    let part = part.map(str::to_lowercase);
    described.retain(|details| {
        let named = part.as_deref().is_none_or(|part| {
            details.experiment.name.to_lowercase().contains(part) || details.feature.name_key.contains(part)
        });
        named && status.is_none_or(|status| details.experiment.status == status)
    });
    Ok(described)
}

async fn describe(tx: &mut Tx, place: &Place, found: Vec<Experiment>) -> Result<Vec<ExperimentDetails>> {
    let mut links: HashMap<i64, Vec<LinkDetails>> = HashMap::new();
    for details in experiment_metrics::of_experiments(tx, place.environment.id).await? {
        links.entry(details.link.experiment_id).or_default().push(details);
    }
    let mut described = Vec::with_capacity(found.len());
    for experiment in found {
        let feature = features::find(tx, experiment.feature_id).await?;
        described.push(ExperimentDetails {
            feature: feature.ok_or_else(|| Error::no_match("Experiment"))?,
            options: features::options(tx, experiment.feature_id).await?,
            metrics: links.remove(&experiment.id).unwrap_or_default(),
            experiment,
        });
    }
    Ok(described)
}

async fn describe_one(tx: &mut Tx, place: &Place, experiment: Experiment) -> Result<ExperimentDetails> {
    let mut described = describe(tx, place, vec![experiment]).await?;
    described.pop().ok_or_else(|| Error::no_match("Experiment"))
}

/// One experiment.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<ExperimentDetails> {
    let (place, experiment) = open(tx, caller, key, id).await?;
    describe_one(tx, &place, experiment).await
}

/// Creates an experiment with a multivariate feature. A feature takes part in one experiment at a time.
pub async fn create(
    app: &App,
    caller: &Caller,
    key: &str,
    edit: ExperimentEdit,
) -> Result<ExperimentDetails> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let feature_id = edit.feature.unwrap_or_default();
    let feature = feature_at(&mut tx, &place, feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_such("feature", feature_id))?;
    if feature.r#type != "MULTIVARIATE" {
        return Err(Error::field("feature", "The feature must be multivariate."));
    }
    let others = experiments::list(&mut tx, place.environment.id).await?;
    if others
        .iter()
        .any(|other| other.feature_id == feature.id && other.status != "completed")
    {
        let text = "The feature takes part in another experiment that is not completed.";
        return Err(Error::field("feature", text));
    }
    if let Some(rollout) = &edit.rollout {
        check(&mut tx, &feature, rollout).await?;
    }
    let now = Timestamp::now().0;
    let mut experiment = Experiment {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        environment_id: place.environment.id,
        feature_id: feature.id,
        name: edit.name.unwrap_or_default(),
        hypothesis: edit.hypothesis.unwrap_or_default(),
        status: "created".to_owned(),
        rollout: edit.rollout.as_ref().map(stored),
        rollout_segment_id: None,
        exposures: None,
        results: None,
        created_at: now,
        updated_at: now,
        started_at: None,
        ended_at: None,
    };
    experiment.id = experiments::insert(&mut tx, &experiment).await?;
    for metric in edit.metrics {
        experiment_metrics::insert_link(&mut tx, &place, experiment.id, metric)
            .await
            .map_err(nested)?;
    }
    let change = line(caller, &place, Action::Create, &experiment).after(as_json(&experiment));
    let details = describe_one(&mut tx, &place, experiment).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// What is wrong with a metric stands under `metrics` in the body of an experiment.
fn nested(error: Error) -> Error {
    match error {
        Error::Invalid(problems) => Error::Rejected(json!({ "metrics": [problems.into_json()] })),
        other => other,
    }
}

fn stored(rollout: &Rollout) -> String {
    serde_json::to_string(rollout).unwrap_or_default()
}

async fn check(tx: &mut Tx, feature: &Feature, rollout: &Rollout) -> Result<()> {
    let options = features::options(tx, feature.id).await?;
    let stranger = rollout
        .weights
        .iter()
        .find(|weight| !options.iter().any(|option| option.id == weight.option_id));
    let wrong = match stranger {
        Some(weight) => format!("Invalid pk \"{}\" - object does not exist.", weight.option_id),
        None if over_100(rollout.weights.iter().map(|weight| weight.percentage)) => {
            "Multivariate percentage values exceed 100%.".to_owned()
        }
        None => return Ok(()),
    };
    Err(Error::Rejected(json!({
        "experiment_rollout": { "multivariate_feature_state_values": [wrong] }
    })))
}

/// Changes what an experiment is called and what it is to show.
pub async fn update(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    edit: ExperimentEdit,
) -> Result<ExperimentDetails> {
    let mut tx = app.begin().await?;
    let (place, mut experiment) = open(&mut tx, caller, key, id).await?;
    if edit
        .feature
        .is_some_and(|feature| feature != experiment.feature_id)
    {
        let text = "The feature of an experiment can't be changed.";
        return Err(Error::field("feature", text));
    }
    let before = as_json(&experiment);
    if let Some(name) = edit.name {
        experiment.name = name;
    }
    if let Some(hypothesis) = edit.hypothesis {
        experiment.hypothesis = hypothesis;
    }
    experiment.updated_at = Timestamp::now().0;
    experiments::update(&mut tx, &experiment).await?;
    let change = line(caller, &place, Action::Update, &experiment)
        .before(before)
        .after(as_json(&experiment));
    let details = describe_one(&mut tx, &place, experiment).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Deletes an experiment; nobody is in it any more.
pub async fn delete(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (place, mut experiment) = open(&mut tx, caller, key, id).await?;
    let before = as_json(&experiment);
    let mut changes = withdraw(&mut tx, caller, &place, &mut experiment).await?;
    experiments::delete(&mut tx, id).await?;
    changes.push(
        line(caller, &place, Action::Delete, &experiment)
            .before(before)
            .into(),
    );
    app.commit(tx, changes).await
}

/// Starts, pauses or completes an experiment.
pub async fn step(app: &App, caller: &Caller, key: &str, id: i64, step: Step) -> Result<ExperimentDetails> {
    let mut tx = app.begin().await?;
    let (place, mut experiment) = open(&mut tx, caller, key, id).await?;
    let before = as_json(&experiment);
    let now = Timestamp::now().0;
    let status = match (step, experiment.status.as_str()) {
        (Step::Start, "created" | "paused") => "running",
        (Step::Pause, "running") => "paused",
        (Step::Complete, "running" | "paused") => "completed",
        (step, status) => {
            let verb = match step {
                Step::Start => "started",
                Step::Pause => "paused",
                Step::Complete => "completed",
            };
            let text = format!("An experiment that is {status} can't be {verb}.");
            return Err(Error::field("status", text));
        }
    };
    status.clone_into(&mut experiment.status);
    experiment.updated_at = now;
    let mut changes = match step {
        Step::Start => {
            experiment.started_at = experiment.started_at.or(Some(now));
            give(&mut tx, caller, &place, &mut experiment).await?
        }
        Step::Pause => withdraw(&mut tx, caller, &place, &mut experiment).await?,
        Step::Complete => {
            experiment.ended_at = Some(now);
            // What was found is kept: it is what the experiment was for.
            count(app, &mut tx, &mut experiment).await?;
            withdraw(&mut tx, caller, &place, &mut experiment).await?
        }
    };
    experiments::update(&mut tx, &experiment).await?;
    let change = line(caller, &place, Action::Update, &experiment)
        .before(before)
        .after(as_json(&experiment));
    changes.push(change.into());
    let details = describe_one(&mut tx, &place, experiment).await?;
    app.commit(tx, changes).await?;
    Ok(details)
}

/// Changes what those in an experiment get; at once, while it runs.
pub async fn roll_out(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    rollout: Rollout,
) -> Result<ExperimentDetails> {
    let mut tx = app.begin().await?;
    let (place, mut experiment) = open(&mut tx, caller, key, id).await?;
    if experiment.status == "completed" {
        return Err(Error::field(
            "status",
            "An experiment that is completed can't be changed.",
        ));
    }
    let feature = feature_at(&mut tx, &place, experiment.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_match("Experiment"))?;
    check(&mut tx, &feature, &rollout).await?;
    let before = as_json(&experiment);
    let mut changes = Vec::new();
    if experiment.status == "running" {
        changes.extend(withdraw(&mut tx, caller, &place, &mut experiment).await?);
    }
    experiment.rollout = Some(stored(&rollout));
    experiment.updated_at = Timestamp::now().0;
    if experiment.status == "running" {
        changes.extend(give(&mut tx, caller, &place, &mut experiment).await?);
    }
    experiments::update(&mut tx, &experiment).await?;
    let change = line(caller, &place, Action::Update, &experiment)
        .before(before)
        .after(as_json(&experiment));
    changes.push(change.into());
    let details = describe_one(&mut tx, &place, experiment).await?;
    app.commit(tx, changes).await?;
    Ok(details)
}

/// Lets a part of the traffic into the experiment: a segment with its override, ahead of all others.
async fn give(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    experiment: &mut Experiment,
) -> Result<Vec<NewChange>> {
    let Some(rollout) = rollout_of(experiment) else {
        return Ok(Vec::new());
    };
    let feature = feature_at(tx, place, experiment.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_match("Experiment"))?;
    let split = ConditionEdit {
        id: None,
        operator: Operator::PercentageSplit,
        property: None,
        value: rollout.rollout_percentage.to_string(),
        description: None,
        delete: false,
    };
    let rule = RuleEdit {
        id: None,
        kind: RuleType::All,
        rules: Vec::new(),
        conditions: vec![split],
        delete: false,
    };
    let rules = segment_rules::number(tx, &[rule], &[]).await?;
    let mut segment = segments::blank(place.project.id);
    segment.name = format!("In experiment {}", experiment.name)
        .chars()
        .take(2000)
        .collect();
    segment.feature_id = Some(feature.id);
    segment.rules = serde_json::to_string(&rules).unwrap_or_default();
    segments::insert(tx, &place.project, &mut segment).await?;
    experiment.rollout_segment_id = Some(segment.id);
    let mut changes = vec![segments::created(tx, caller, &place.project, &segment).await?];
    let set = ChangeSet {
        feature_id: feature.id,
        create: vec![StateChange {
            segment: Some(Target {
                segment_id: segment.id,
                priority: Some(0),
            }),
            edit: StateEdit {
                enabled: Some(rollout.enabled),
                value: Some(ValueEdit::from(rollout.value)),
                weights: Some(rollout.weights),
            },
        }],
        ..ChangeSet::default()
    };
    let author = Author::from(caller);
    changes.extend(change_sets::apply(tx, author, place, &feature, &set, Timestamp::now()).await?);
    Ok(changes)
}

/// Lets nobody into the experiment any more.
async fn withdraw(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    experiment: &mut Experiment,
) -> Result<Vec<NewChange>> {
    let Some(segment_id) = experiment.rollout_segment_id.take() else {
        return Ok(Vec::new());
    };
    let feature = feature_at(tx, place, experiment.feature_id).await?;
    let (Some(feature), Some(segment)) = (feature, segment_rows::find(tx, segment_id).await?) else {
        return Ok(Vec::new());
    };
    let set = ChangeSet {
        feature_id: feature.id,
        delete_segments: vec![segment_id],
        ..ChangeSet::default()
    };
    let author = Author::from(caller);
    let mut changes = change_sets::apply(tx, author, place, &feature, &set, Timestamp::now()).await?;
    segment_rows::delete(tx, segment_id).await?;
    let change = Change::new(caller, Kind::Segment, Action::Delete, segment_id)
        .in_project(&place.project)
        .uuid(&segment.uuid)
        .says(format!("Segment deleted: {}", segment.name))
        .serves();
    changes.push(change.into());
    Ok(changes)
}

/// What was counted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Exposures,
    Results,
}

/// What was counted last; nothing before anything was.
pub async fn counted(tx: &mut Tx, caller: &Caller, key: &str, id: i64, what: Counted) -> Result<Value> {
    let (_, experiment) = open(tx, caller, key, id).await?;
    Ok(kept(&experiment, what))
}

fn kept(experiment: &Experiment, what: Counted) -> Value {
    let text = match what {
        Counted::Exposures => experiment.exposures.as_deref(),
        Counted::Results => experiment.results.as_deref(),
    };
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Counts anew.
pub async fn recount(app: &App, caller: &Caller, key: &str, id: i64, what: Counted) -> Result<Value> {
    let mut tx = app.begin().await?;
    let (place, mut experiment) = open(&mut tx, caller, key, id).await?;
    if experiment.started_at.is_none() {
        return Err(Problems::field("status", "The experiment was not started yet.").into());
    }
    let mut changes = Vec::new();
    if experiment.status != "completed" {
        count(app, &mut tx, &mut experiment).await?;
        experiments::update(&mut tx, &experiment).await?;
        changes.push(line(caller, &place, Action::Update, &experiment).into());
    }
    app.commit(tx, changes).await?;
    Ok(kept(&experiment, what))
}

async fn count(app: &App, tx: &mut Tx, experiment: &mut Experiment) -> Result<()> {
    let Some(feature) = features::find(tx, experiment.feature_id).await? else {
        return Ok(());
    };
    let counted = experiment_results::count(tx, experiment.environment_id, &feature.name).await?;
    let since = experiment.started_at.unwrap_or_default();
    // Unknown while whoever keeps the counts is away.
    let evaluations = app
        .analytics()
        .evaluations_since(experiment.environment_id, &feature.name, since)
        .await
        .ok();
    let as_of = Timestamp::now().rest();
    let variants = counted
        .iter()
        .map(|variant| json!({ "variant": variant.variant, "exposures": variant.evaluations }));
    let exposures = json!({
        "as_of": as_of,
        "evaluations": evaluations,
        "variants": variants.collect::<Vec<_>>(),
    });
    experiment.exposures = Some(exposures.to_string());
    let mut results = experiment_results::judge(&feature.name, &counted);
    results["as_of"] = as_of.into();
    experiment.results = Some(results.to_string());
    Ok(())
}

fn line(caller: &Caller, place: &Place, action: Action, experiment: &Experiment) -> Change {
    Change::new(caller, Kind::Experiment, action, experiment.id)
        .in_environment(place)
        .uuid(&experiment.uuid)
}

fn as_json(experiment: &Experiment) -> Value {
    json!({
        "feature": experiment.feature_id,
        "name": experiment.name,
        "hypothesis": experiment.hypothesis,
        "status": experiment.status,
        "rollout": rollout_of(experiment),
    })
}
