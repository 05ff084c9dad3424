//! Release pipelines: features go through stages, each of which changes them in an environment when its time comes.
//!
//! A pipeline is a draft until it is published; a published one takes features in and moves them ([`advance`]), and is
//! not edited. What its stages do needs no approval of its own: publishing is for administrators of the project, who
//! also decide whether approvals are needed.

mod rollouts;
mod run;
mod stages;

use std::collections::HashMap;

use burgee_model::Timestamp;
use burgee_model::permissions::ProjectPermission;
use burgee_store::Tx;
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::projects::{self, Project};
use burgee_store::release_pipelines as rows;
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::release_pipelines::{Pipeline, Rollout, Stage, StageAction, Traveller};

pub use run::advance;
pub use stages::{ActionEdit, ActionType, StageEdit, TriggerType};
pub(crate) use stages::{action_in_words, trigger_in_words};

use crate::change::{Action, Change, Kind};
use crate::{App, Author, Caller, Error, Result};

/// What a client may set of a pipeline. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct PipelineEdit {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    /// These stages and no others.
    pub stages: Option<Vec<StageEdit>>,
}

/// A pipeline with its stages, and the features that are in it or were.
#[derive(Debug, Clone)]
pub struct PipelineDetails {
    pub pipeline: Pipeline,
    pub stages: Vec<Stage>,
    pub actions: Vec<StageAction>,
    pub travellers: Vec<Traveller>,
    pub rollouts: Vec<Rollout>,
}

/// How a list of pipelines is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Id,
    Name,
    PublishedAt,
}

const PUBLISHED: &str = "A published release pipeline can't be changed: make it a draft first.";

fn missing() -> Error {
    Error::no_match("ReleasePipeline")
}

async fn see(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Project> {
    let project = projects::find(tx, project_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    caller
        .require_in_project(tx, &project, ProjectPermission::ViewProject)
        .await?;
    Ok(project)
}

/// The project, for who administers it.
async fn administer(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Project> {
    let project = see(tx, caller, project_id).await?;
    caller.require_project_admin(tx, &project).await?;
    Ok(project)
}

/// Fails unless the caller may change pipelines of the project: asked before an input is looked at.
pub async fn require_admin(app: &App, caller: &Caller, project_id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    administer(&mut tx, caller, project_id).await.map(drop)
}

/// The pipelines of a project.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    (order, descending): (Order, bool),
) -> Result<Vec<PipelineDetails>> {
    let project = see(tx, caller, project_id).await?;
    let mut pipelines = rows::list(tx, project.id).await?;
    match order {
        Order::Id => {}
        Order::Name => pipelines.sort_by_key(|pipeline| pipeline.name.to_lowercase()),
        Order::PublishedAt => pipelines.sort_by_key(|pipeline| pipeline.published_at),
    }
    if descending {
        pipelines.reverse();
    }
    let mut stages: HashMap<i64, Vec<Stage>> = HashMap::new();
    for stage in rows::stages_of_project(tx, project.id).await? {
        stages.entry(stage.pipeline_id).or_default().push(stage);
    }
    let mut travellers: HashMap<i64, Vec<Traveller>> = HashMap::new();
    for traveller in rows::travellers_of_project(tx, project.id).await? {
        travellers
            .entry(traveller.pipeline_id)
            .or_default()
            .push(traveller);
    }
    let listed = pipelines.into_iter().map(|pipeline| PipelineDetails {
        stages: stages.remove(&pipeline.id).unwrap_or_default(),
        actions: Vec::new(),
        travellers: travellers.remove(&pipeline.id).unwrap_or_default(),
        rollouts: Vec::new(),
        pipeline,
    });
    Ok(listed.collect())
}

/// One pipeline.
pub async fn get(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<PipelineDetails> {
    let project = see(tx, caller, project_id).await?;
    let pipeline = rows::find(tx, project.id, id).await?.ok_or_else(missing)?;
    details(tx, pipeline).await
}

async fn details(tx: &mut Tx, pipeline: Pipeline) -> Result<PipelineDetails> {
    let id = pipeline.id;
    Ok(PipelineDetails {
        pipeline,
        stages: rows::stages(tx, id).await?,
        actions: rows::actions(tx, id).await?,
        travellers: rows::travellers(tx, id).await?,
        rollouts: rows::rollouts(tx, id).await?,
    })
}

/// The pipeline, for who administers its project.
async fn open(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<(Project, Pipeline)> {
    let project = administer(tx, caller, project_id).await?;
    let pipeline = rows::find(tx, project.id, id).await?.ok_or_else(missing)?;
    Ok((project, pipeline))
}

/// The same, as long as it is a draft.
async fn open_draft(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<(Project, Pipeline)> {
    let (project, pipeline) = open(tx, caller, project_id, id).await?;
    if pipeline.published_at.is_some() {
        return Err(Error::detail(PUBLISHED));
    }
    Ok((project, pipeline))
}

fn log<'a>(author: impl Into<Author<'a>>, action: Action, project: &Project, pipeline: &Pipeline) -> Change {
    Change::new(author, Kind::ReleasePipeline, action, pipeline.id)
        .in_project(project)
        .uuid(&pipeline.uuid)
}

/// Makes a draft.
pub async fn create(
    app: &App,
    caller: &Caller,
    project_id: i64,
    edit: PipelineEdit,
) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let project = administer(&mut tx, caller, project_id).await?;
    let mut pipeline = blank(
        project.id,
        edit.name.unwrap_or_default(),
        edit.description.flatten(),
    );
    pipeline.id = rows::insert(&mut tx, &pipeline).await?;
    stages::write(&mut tx, &project, pipeline.id, edit.stages.unwrap_or_default()).await?;
    finish_create(app, tx, caller, &project, pipeline, "created").await
}

fn blank(project_id: i64, name: String, description: Option<String>) -> Pipeline {
    Pipeline {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        project_id,
        name,
        description,
        created_at: Timestamp::now().0,
        published_at: None,
        published_by: None,
    }
}

async fn finish_create(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    project: &Project,
    pipeline: Pipeline,
    how: &str,
) -> Result<PipelineDetails> {
    let details = details(&mut tx, pipeline).await?;
    let change = log(caller, Action::Create, project, &details.pipeline)
        .says(format!("Release Pipeline: {} {how}", details.pipeline.name))
        .after(as_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Makes a draft of what a pipeline is, without the features in it.
pub async fn clone(
    app: &App,
    caller: &Caller,
    project_id: i64,
    id: i64,
    name: Option<String>,
) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let (project, source) = open(&mut tx, caller, project_id, id).await?;
    let source = details(&mut tx, source).await?;
    let name = name.unwrap_or_else(|| {
        // As long as names may be.
        let copy = format!("{} (copy)", source.pipeline.name);
        copy.chars().take(255).collect()
    });
    let mut copy = blank(project.id, name, source.pipeline.description.clone());
    copy.id = rows::insert(&mut tx, &copy).await?;
    for stage in source.stages {
        let actions = source.actions.iter().filter(|action| action.stage_id == stage.id);
        let own = Stage {
            pipeline_id: copy.id,
            ..stage
        };
        let stage_id = rows::insert_stage(&mut tx, &own).await?;
        for action in actions {
            let own = StageAction {
                stage_id,
                ..action.clone()
            };
            rows::insert_action(&mut tx, &own).await?;
        }
    }
    finish_create(app, tx, caller, &project, copy, "cloned").await
}

/// Changes a draft.
pub async fn update(
    app: &App,
    caller: &Caller,
    project_id: i64,
    id: i64,
    edit: PipelineEdit,
) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let (project, mut pipeline) = open_draft(&mut tx, caller, project_id, id).await?;
    let before = as_json(&details(&mut tx, pipeline.clone()).await?);
    if let Some(name) = edit.name {
        pipeline.name = name;
    }
    if let Some(description) = edit.description {
        pipeline.description = description;
    }
    if let Some(stages) = edit.stages {
        rows::delete_stages(&mut tx, pipeline.id).await?;
        stages::write(&mut tx, &project, pipeline.id, stages).await?;
    }
    rows::update(&mut tx, &pipeline).await?;
    let details = details(&mut tx, pipeline).await?;
    let change = log(caller, Action::Update, &project, &details.pipeline)
        .says(format!("Release Pipeline: {} updated", details.pipeline.name))
        .before(before)
        .after(as_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Deletes a draft.
pub async fn delete(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (project, pipeline) = open_draft(&mut tx, caller, project_id, id).await?;
    let details = details(&mut tx, pipeline).await?;
    rows::delete(&mut tx, id).await?;
    let change = log(caller, Action::Delete, &project, &details.pipeline)
        .says(format!("Release Pipeline: {} deleted", details.pipeline.name))
        .before(as_json(&details));
    app.commit(tx, vec![change.into()]).await
}

/// Opens a pipeline for features. From then on it only runs.
pub async fn publish(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let (project, mut pipeline) = open(&mut tx, caller, project_id, id).await?;
    if pipeline.published_at.is_some() {
        return Err(Error::detail("The release pipeline is published already."));
    }
    if rows::stages(&mut tx, id).await?.is_empty() {
        return Err(Error::detail(
            "A release pipeline without stages can't be published.",
        ));
    }
    pipeline.published_at = Some(Timestamp::now().0);
    pipeline.published_by = caller.user_id();
    rows::update(&mut tx, &pipeline).await?;
    let change = log(caller, Action::Update, &project, &pipeline)
        .says(format!("Release Pipeline: {} published", pipeline.name));
    let details = details(&mut tx, pipeline).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Makes a pipeline a draft again, once no feature is on its way in it.
pub async fn unpublish(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let (project, mut pipeline) = open(&mut tx, caller, project_id, id).await?;
    if pipeline.published_at.is_none() {
        return Err(Error::detail("The release pipeline is not published."));
    }
    let travellers = rows::travellers(&mut tx, id).await?;
    if travellers
        .iter()
        .any(|traveller| traveller.completed_at.is_none())
    {
        return Err(Error::detail(
            "Features are on their way in the release pipeline: remove them first.",
        ));
    }
    (pipeline.published_at, pipeline.published_by) = (None, None);
    rows::update(&mut tx, &pipeline).await?;
    let change = log(caller, Action::Update, &project, &pipeline)
        .says(format!("Release Pipeline: {} Converted to Draft", pipeline.name));
    let details = details(&mut tx, pipeline).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// A feature of the project that a body names.
async fn named(tx: &mut Tx, project: &Project, id: i64) -> Result<Feature> {
    let found = features::find(tx, id).await?;
    let found = found.filter(|feature| feature.project_id == project.id);
    found.ok_or_else(|| Error::no_such("feature_id", id))
}

/// Puts a feature into the first stage, which acts at once unless it waits.
pub async fn add_feature(
    app: &App,
    caller: &Caller,
    (project_id, id): (i64, i64),
    feature_id: i64,
) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let (project, pipeline) = open(&mut tx, caller, project_id, id).await?;
    if pipeline.published_at.is_none() {
        return Err(Error::detail(
            "Features can only be added to a published release pipeline.",
        ));
    }
    let feature = named(&mut tx, &project, feature_id).await?;
    for before in rows::of_feature(&mut tx, feature.id).await? {
        if before.completed_at.is_none() {
            let text = "This feature is in a release pipeline already.";
            return Err(Error::field("feature_id", text));
        }
        if before.pipeline_id == pipeline.id {
            rows::delete_traveller(&mut tx, before.id).await?;
        }
    }
    let added = log(caller, Action::Update, &project, &pipeline).says(format!(
        "Feature: {} added to Release Pipeline: {}",
        feature.name, pipeline.name
    ));
    let mut changes: Vec<NewChange> = vec![added.into()];
    changes.extend(run::start(&mut tx, caller, &project, &pipeline, &feature).await?);
    let details = details(&mut tx, pipeline).await?;
    app.commit(tx, changes).await?;
    Ok(details)
}

/// Takes a feature out. What was done to it stays.
pub async fn remove_feature(
    app: &App,
    caller: &Caller,
    (project_id, id): (i64, i64),
    feature_id: i64,
) -> Result<PipelineDetails> {
    let mut tx = app.begin().await?;
    let (project, pipeline) = open(&mut tx, caller, project_id, id).await?;
    let feature = named(&mut tx, &project, feature_id).await?;
    let travellers = rows::travellers(&mut tx, id).await?;
    let there = travellers
        .iter()
        .find(|traveller| traveller.feature_id == feature.id);
    let there =
        there.ok_or_else(|| Error::field("feature_id", "This feature is not in the release pipeline."))?;
    rows::delete_traveller(&mut tx, there.id).await?;
    let change = log(caller, Action::Update, &project, &pipeline).says(format!(
        "Feature: {} removed from Release Pipeline: {}",
        feature.name, pipeline.name
    ));
    let details = details(&mut tx, pipeline).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// What the change log keeps of a pipeline.
fn as_json(details: &PipelineDetails) -> Value {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let stages = details.stages.iter().map(|stage| {
        let actions = details
            .actions
            .iter()
            .filter(|action| action.stage_id == stage.id);
        let actions = actions.map(|action| json!([action.action_type, parsed(&action.action_body)]));
        json!({
            "name": stage.name,
            "environment": stage.environment_id,
            "order": stage.position,
            "trigger": [stage.trigger_type, parsed(&stage.trigger_body)],
            "actions": actions.collect::<Vec<_>>(),
        })
    });
    json!({
        "name": details.pipeline.name,
        "description": details.pipeline.description,
        "stages": stages.collect::<Vec<_>>(),
    })
}
