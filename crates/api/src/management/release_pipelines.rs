//! `/api/v1/projects/{id}/release-pipelines/`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::release_pipelines::{
    self, ActionEdit, ActionType, Order, PipelineDetails, PipelineEdit, Rollout, Stage, StageEdit, Traveller,
    TriggerType,
};
use burgee_app::{App, Caller};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_request_views::moment;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Pk, Text, Whole};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_release_pipelines, create_release_pipeline))
        .routes(routes!(
            get_release_pipeline,
            update_release_pipeline,
            patch_release_pipeline,
            delete_release_pipeline
        ))
        .routes(routes!(clone_release_pipeline))
        .routes(routes!(publish_release_pipeline))
        .routes(routes!(unpublish_release_pipeline))
        .routes(routes!(add_feature_to_release_pipeline))
        .routes(routes!(remove_feature_from_release_pipeline))
}

/// A release pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct PipelineView {
    pub id: i64,
    pub name: String,
    pub project: i64,
    pub description: Option<String>,
    pub stages_count: usize,
    /// Null for a draft.
    pub published_at: Option<String>,
    pub published_by: Option<i64>,
    /// The features on their way.
    pub features: Vec<i64>,
}

/// A release pipeline with its stages.
#[derive(Debug, Serialize, ToSchema)]
pub struct PipelineDetailView {
    #[serde(flatten)]
    pub pipeline: PipelineView,
    pub stages: Vec<StageView>,
    /// The features that have come through.
    pub completed_features: Vec<i64>,
}

/// A stop on the way of features.
#[derive(Debug, Serialize, ToSchema)]
pub struct StageView {
    pub id: i64,
    pub name: String,
    pub pipeline: i64,
    pub environment: i64,
    pub order: i64,
    pub trigger: TriggerView,
    pub actions: Vec<ActionView>,
    /// The features that are there, by their ids.
    #[schema(value_type = BTreeMap<String, FeatureInStage>)]
    pub features: BTreeMap<i64, FeatureInStage>,
}

/// When a stage acts.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriggerView {
    pub id: i64,
    #[schema(value_type = TriggerKind)]
    pub trigger_type: String,
    pub trigger_body: Value,
}

/// What a stage does.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionView {
    pub id: i64,
    #[schema(value_type = ActionKind)]
    pub action_type: String,
    pub action_body: Value,
}

/// How far a feature is in a stage.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureInStage {
    pub entered_at: String,
    /// When the stage acts; null when it has.
    pub due_at: Option<String>,
    pub phased_rollout_state: Option<RolloutView>,
    /// Why it goes no further.
    pub failure: Option<String>,
}

/// How far a phased rollout is.
#[derive(Debug, Serialize, ToSchema)]
pub struct RolloutView {
    pub initial_split: f64,
    pub increase_by: f64,
    pub increase_every: String,
    pub current_split: f64,
    pub is_rollout_complete: bool,
    pub last_updated_at: String,
    pub rollout_segment: Option<i64>,
}

/// Seconds as Django writes a length of time.
fn duration(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 {
        clock
    } else {
        format!("{days} {clock}")
    }
}

impl From<&Rollout> for RolloutView {
    fn from(rollout: &Rollout) -> Self {
        Self {
            initial_split: rollout.initial_split,
            increase_by: rollout.increase_by,
            increase_every: duration(rollout.increase_every),
            current_split: rollout.current_split,
            is_rollout_complete: rollout.next_at.is_none(),
            last_updated_at: Timestamp(rollout.updated_at).rest(),
            rollout_segment: rollout.segment_id,
        }
    }
}

fn ids<'a>(travellers: impl Iterator<Item = &'a Traveller>) -> Vec<i64> {
    travellers.map(|traveller| traveller.feature_id).collect()
}

fn on_their_way(details: &PipelineDetails) -> impl Iterator<Item = &Traveller> {
    details
        .travellers
        .iter()
        .filter(|traveller| traveller.completed_at.is_none())
}

impl From<&PipelineDetails> for PipelineView {
    fn from(details: &PipelineDetails) -> Self {
        let pipeline = &details.pipeline;
        Self {
            id: pipeline.id,
            name: pipeline.name.clone(),
            project: pipeline.project_id,
            description: pipeline.description.clone(),
            stages_count: details.stages.len(),
            published_at: moment(pipeline.published_at),
            published_by: pipeline.published_by,
            features: ids(on_their_way(details)),
        }
    }
}

impl From<PipelineDetails> for PipelineDetailView {
    fn from(details: PipelineDetails) -> Self {
        let completed = details
            .travellers
            .iter()
            .filter(|traveller| traveller.completed_at.is_some());
        Self {
            pipeline: (&details).into(),
            stages: details
                .stages
                .iter()
                .map(|stage| stage_view(&details, stage))
                .collect(),
            completed_features: ids(completed),
        }
    }
}

fn stage_view(details: &PipelineDetails, stage: &Stage) -> StageView {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let actions = details
        .actions
        .iter()
        .filter(|action| action.stage_id == stage.id);
    let here = on_their_way(details).filter(|traveller| traveller.position == stage.position);
    StageView {
        id: stage.id,
        name: stage.name.clone(),
        pipeline: stage.pipeline_id,
        environment: stage.environment_id,
        order: stage.position,
        trigger: TriggerView {
            // A stage has exactly one trigger.
            id: stage.id,
            trigger_type: stage.trigger_type.clone(),
            trigger_body: parsed(&stage.trigger_body),
        },
        actions: actions
            .map(|action| ActionView {
                id: action.id,
                action_type: action.action_type.clone(),
                action_body: parsed(&action.action_body),
            })
            .collect(),
        features: here
            .map(|traveller| (traveller.feature_id, feature_in_stage(details, stage, traveller)))
            .collect(),
    }
}

fn feature_in_stage(details: &PipelineDetails, stage: &Stage, traveller: &Traveller) -> FeatureInStage {
    let is_here =
        |rollout: &&Rollout| rollout.pipeline_feature_id == traveller.id && rollout.stage_id == stage.id;
    let rollout = details.rollouts.iter().rev().find(is_here);
    FeatureInStage {
        entered_at: Timestamp(traveller.entered_at).rest(),
        due_at: moment(traveller.due_at),
        phased_rollout_state: rollout.map(RolloutView::from),
        failure: traveller.failure.clone(),
    }
}

choices! {
    /// When a stage acts: as soon as a feature enters it, or a time after.
    pub enum TriggerKind { OnEnter = "ON_ENTER", WaitFor = "WAIT_FOR" }
}

choices! {
    /// What a stage does.
    pub enum ActionKind {
        Toggle = "TOGGLE_FEATURE",
        UpdateValue = "UPDATE_FEATURE_VALUE",
        ToggleForSegment = "TOGGLE_FEATURE_FOR_SEGMENT",
        UpdateValueForSegment = "UPDATE_FEATURE_VALUE_FOR_SEGMENT",
        PhasedRollout = "PHASED_ROLLOUT",
    }
}

impl From<TriggerKind> for TriggerType {
    fn from(kind: TriggerKind) -> Self {
        match kind {
            TriggerKind::OnEnter => Self::OnEnter,
            TriggerKind::WaitFor => Self::WaitFor,
        }
    }
}

impl From<ActionKind> for ActionType {
    fn from(kind: ActionKind) -> Self {
        match kind {
            ActionKind::Toggle => Self::Toggle,
            ActionKind::UpdateValue => Self::UpdateValue,
            ActionKind::ToggleForSegment => Self::ToggleForSegment,
            ActionKind::UpdateValueForSegment => Self::UpdateValueForSegment,
            ActionKind::PhasedRollout => Self::PhasedRollout,
        }
    }
}

input! {
    /// When a stage acts. `WAIT_FOR` has `{"wait_for": "[D ]HH:MM:SS"}`.
    pub struct TriggerBody {
        pub trigger_type: TriggerKind,
        pub trigger_body: Option<Value>,
    }
}

input! {
    /// What a stage does: `{"enabled"}`, `{"feature_state_value"}`, the same with `segment_id`, or, for a phased
    /// rollout, `{"initial_split", "increase_by", "increase_every"}`.
    pub struct ActionBody {
        pub action_type: ActionKind,
        pub action_body: Option<Value>,
    }
}

input! {
    /// A stage of a release pipeline.
    pub struct StageBody {
        pub name: Text<255>,
        pub environment: Pk,
        pub order: Whole<0, 30>,
        pub trigger: TriggerBody,
        pub actions: Vec<ActionBody>,
    }
}

impl From<StageBody> for StageEdit {
    fn from(body: StageBody) -> Self {
        let actions = body.actions.into_iter().map(|action| ActionEdit {
            kind: action.action_type.into(),
            body: action.action_body.unwrap_or_default(),
        });
        Self {
            name: body.name.0,
            environment_id: body.environment.0,
            order: body.order.0,
            trigger: body.trigger.trigger_type.into(),
            trigger_body: body.trigger.trigger_body.unwrap_or_default(),
            actions: actions.collect(),
        }
    }
}

input! {
    /// A release pipeline. Stages that are given take the place of those it had.
    pub struct PipelineBody {
        pub name: Given<Text<255>>,
        pub description: Given<Option<Blank<20000>>>,
        pub stages: Given<Vec<StageBody>>,
    }
}

required! {
    /// A release pipeline to write anew.
    pub struct WholePipelineBody(PipelineBody) with name, stages;
}

impl From<PipelineBody> for PipelineEdit {
    fn from(body: PipelineBody) -> Self {
        Self {
            name: body.name.0.map(|text| text.0),
            description: body.description.0.map(|text| text.map(|text| text.0)),
            stages: body
                .stages
                .0
                .map(|stages| stages.into_iter().map(StageEdit::from).collect()),
        }
    }
}

/// The release pipelines of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/release-pipelines/", tag = "release pipelines",
    params(("ordering" = Option<String>, Query, description = "id, name or published_at, with a - before it backwards")),
    responses((status = 200, body = Page<PipelineView>)))]
async fn list_release_pipelines(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<PipelineView>>> {
    let ordering = query.text("ordering").unwrap_or_default();
    let (word, descending) = match ordering.strip_prefix('-') {
        Some(word) => (word, true),
        None => (ordering, false),
    };
    let order = match word {
        "name" => (Order::Name, descending),
        "published_at" => (Order::PublishedAt, descending),
        "id" | "created_at" => (Order::Id, descending),
        _ => (Order::Id, false),
    };
    let mut tx = app.db().read().await?;
    let found = release_pipelines::list(&mut tx, &caller, project_id, order).await?;
    Ok(Json(paging.cut(found)?.map(|details| (&details).into())))
}

/// Makes a draft of a release pipeline.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/release-pipelines/", tag = "release pipelines",
    request_body = WholePipelineBody, responses((status = 201, body = PipelineDetailView)))]
async fn create_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<PipelineDetailView>)> {
    release_pipelines::require_admin(&app, &caller, project_id).await?;
    let WholePipelineBody(input) = body.parse()?;
    let details = release_pipelines::create(&app, &caller, project_id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(details.into())))
}

/// One release pipeline.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/", tag = "release pipelines",
    responses((status = 200, body = PipelineDetailView)))]
async fn get_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<PipelineDetailView>> {
    let mut tx = app.db().read().await?;
    let details = release_pipelines::get(&mut tx, &caller, project_id, id).await?;
    Ok(Json(details.into()))
}

/// Replaces a draft of a release pipeline.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/", tag = "release pipelines",
    request_body = WholePipelineBody, responses((status = 200, body = PipelineDetailView)))]
async fn update_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<PipelineDetailView>> {
    let details = edit(&app, &caller, path, &body, true).await?;
    Ok(Json(details.into()))
}

/// Changes single fields of a draft of a release pipeline.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/", tag = "release pipelines",
    request_body = PipelineBody, responses((status = 200, body = PipelineView)))]
async fn patch_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<PipelineView>> {
    let details = edit(&app, &caller, path, &body, false).await?;
    Ok(Json((&details).into()))
}

async fn edit(
    app: &App,
    caller: &Caller,
    (project_id, id): (i64, i64),
    body: &Body,
    whole: bool,
) -> ApiResult<PipelineDetails> {
    release_pipelines::require_admin(app, caller, project_id).await?;
    let input = if whole {
        body.parse::<WholePipelineBody>()?.0
    } else {
        body.parse()?
    };
    Ok(release_pipelines::update(app, caller, project_id, id, input.into()).await?)
}

/// Deletes a draft of a release pipeline.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/", tag = "release pipelines",
    responses((status = 204)))]
async fn delete_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    release_pipelines::delete(&app, &caller, project_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// What a copy of a release pipeline is called.
    pub struct ClonePipelineBody {
        pub name: Given<Text<255>>,
    }
}

/// Makes a draft of what a release pipeline is.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/clone/", tag = "release pipelines",
    request_body = ClonePipelineBody, responses((status = 200, body = PipelineDetailView)))]
async fn clone_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<PipelineDetailView>> {
    release_pipelines::require_admin(&app, &caller, project_id).await?;
    let input: ClonePipelineBody = body.parse()?;
    let name = input.name.0.map(|text| text.0);
    let details = release_pipelines::clone(&app, &caller, project_id, id, name).await?;
    Ok(Json(details.into()))
}

/// Opens a release pipeline for features. From then on it only runs.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/publish-pipeline/",
    tag = "release pipelines", responses((status = 200, body = PipelineView)))]
async fn publish_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<PipelineView>> {
    let details = release_pipelines::publish(&app, &caller, project_id, id).await?;
    Ok(Json((&details).into()))
}

/// Makes a release pipeline a draft again, once no feature is on its way in it.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/unpublish-pipeline/",
    tag = "release pipelines", responses((status = 200, body = PipelineView)))]
async fn unpublish_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<PipelineView>> {
    let details = release_pipelines::unpublish(&app, &caller, project_id, id).await?;
    Ok(Json((&details).into()))
}

input! {
    /// The feature that is meant.
    pub struct PipelineFeatureBody {
        pub feature_id: Pk,
    }
}

/// Puts a feature on its way.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/add-feature/",
    tag = "release pipelines", request_body = PipelineFeatureBody, responses((status = 200, body = PipelineView)))]
async fn add_feature_to_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<PipelineView>> {
    release_pipelines::require_admin(&app, &caller, path.0).await?;
    let input: PipelineFeatureBody = body.parse()?;
    let details = release_pipelines::add_feature(&app, &caller, path, input.feature_id.0).await?;
    Ok(Json((&details).into()))
}

/// Takes a feature out of a release pipeline. What was done to it stays.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/release-pipelines/{id}/remove-feature/",
    tag = "release pipelines", request_body = PipelineFeatureBody, responses((status = 200, body = PipelineView)))]
async fn remove_feature_from_release_pipeline(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<PipelineView>> {
    release_pipelines::require_admin(&app, &caller, path.0).await?;
    let input: PipelineFeatureBody = body.parse()?;
    let details = release_pipelines::remove_feature(&app, &caller, path, input.feature_id.0).await?;
    Ok(Json((&details).into()))
}
