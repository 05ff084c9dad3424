//! `/api/v1/environments/{environment_key}/experiments/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::experiments::{self, Counted, Experiment, ExperimentDetails, ExperimentEdit, Rollout, Step};
use burgee_app::{App, Error, experiment_results};
use burgee_model::{FlagValue, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::experiment_metrics::{ExperimentMetricBody, ExperimentMetricView};
use super::feature_values::{OptionView, Percent, WeightBody, weights};
use super::flag_updates::ReadValue;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_experiments, create_experiment))
        .routes(routes!(get_feature_experiment_results))
        .routes(routes!(
            get_experiment,
            update_experiment,
            patch_experiment,
            delete_experiment
        ))
        .routes(routes!(start_experiment))
        .routes(routes!(pause_experiment))
        .routes(routes!(complete_experiment))
        .routes(routes!(roll_out_experiment))
        .routes(routes!(get_experiment_exposures))
        .routes(routes!(refresh_experiment_exposures))
        .routes(routes!(get_experiment_results))
        .routes(routes!(refresh_experiment_results))
}

/// The feature of an experiment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentFeatureView {
    pub id: i64,
    pub name: String,
    #[schema(value_type = super::features::FeatureType)]
    pub r#type: String,
    pub initial_value: Option<String>,
    pub multivariate_options: Vec<OptionView>,
}

/// An experiment in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentListView {
    pub id: i64,
    pub feature: ExperimentFeatureView,
    pub name: String,
    pub hypothesis: String,
    #[schema(value_type = crate::words::ExperimentStatus)]
    pub status: String,
    pub metrics: Vec<ExperimentMetricView>,
    pub created_at: String,
    pub updated_at: String,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
}

/// An experiment with what those in it get.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentDetailView {
    pub id: i64,
    pub feature: ExperimentFeatureView,
    pub name: String,
    pub hypothesis: String,
    #[schema(value_type = crate::words::ExperimentStatus)]
    pub status: String,
    pub metrics: Vec<ExperimentMetricView>,
    pub experiment_rollout: Option<Value>,
    pub created_at: String,
    pub updated_at: String,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
}

/// An experiment as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentView {
    pub id: i64,
    pub feature: i64,
    pub name: String,
    pub hypothesis: String,
    #[schema(value_type = crate::words::ExperimentStatus)]
    pub status: String,
    pub created_at: String,
    pub updated_at: String,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
}

fn moment(at: Option<i64>) -> Option<String> {
    at.map(|at| Timestamp(at).rest())
}

impl From<Experiment> for ExperimentView {
    fn from(experiment: Experiment) -> Self {
        Self {
            id: experiment.id,
            feature: experiment.feature_id,
            name: experiment.name,
            hypothesis: experiment.hypothesis,
            status: experiment.status,
            created_at: Timestamp(experiment.created_at).rest(),
            updated_at: Timestamp(experiment.updated_at).rest(),
            started_at: moment(experiment.started_at),
            ended_at: moment(experiment.ended_at),
        }
    }
}

impl From<ExperimentDetails> for ExperimentListView {
    fn from(details: ExperimentDetails) -> Self {
        let experiment = details.experiment;
        Self {
            id: experiment.id,
            feature: ExperimentFeatureView {
                id: details.feature.id,
                name: details.feature.name,
                r#type: details.feature.r#type,
                initial_value: details.feature.initial_value,
                multivariate_options: details.options.into_iter().map(OptionView::from).collect(),
            },
            name: experiment.name,
            hypothesis: experiment.hypothesis,
            status: experiment.status,
            metrics: details
                .metrics
                .into_iter()
                .map(ExperimentMetricView::from)
                .collect(),
            created_at: Timestamp(experiment.created_at).rest(),
            updated_at: Timestamp(experiment.updated_at).rest(),
            started_at: moment(experiment.started_at),
            ended_at: moment(experiment.ended_at),
        }
    }
}

impl From<ExperimentDetails> for ExperimentDetailView {
    fn from(details: ExperimentDetails) -> Self {
        let rollout = details.rollout().map(|rollout| rollout_json(&rollout));
        let list = ExperimentListView::from(details);
        Self {
            id: list.id,
            feature: list.feature,
            name: list.name,
            hypothesis: list.hypothesis,
            status: list.status,
            metrics: list.metrics,
            experiment_rollout: rollout,
            created_at: list.created_at,
            updated_at: list.updated_at,
            started_at: list.started_at,
            ended_at: list.ended_at,
        }
    }
}

fn rollout_json(rollout: &Rollout) -> Value {
    let (kind, text) = match &rollout.value {
        FlagValue::Null => ("string", String::new()),
        FlagValue::Text(text) => ("string", text.clone()),
        FlagValue::Int(number) => ("integer", number.to_string()),
        FlagValue::Bool(truth) => ("boolean", truth.to_string()),
    };
    let weights = rollout.weights.iter().map(|weight| {
        json!({
            "multivariate_feature_option": weight.option_id,
            "percentage_allocation": weight.percentage,
        })
    });
    json!({
        "enabled": rollout.enabled,
        "rollout_percentage": rollout.rollout_percentage,
        "feature_state_value": { "type": kind, "value": text },
        "multivariate_feature_state_values": weights.collect::<Vec<_>>(),
    })
}

input! {
    /// What those in an experiment get.
    pub struct RolloutBody {
        pub enabled: bool,
        /// How much of the traffic is in the experiment.
        pub rollout_percentage: Percent,
        pub feature_state_value: ReadValue,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
    }
}

impl From<RolloutBody> for Rollout {
    fn from(body: RolloutBody) -> Self {
        Self {
            enabled: body.enabled,
            rollout_percentage: body.rollout_percentage.0,
            value: body.feature_state_value.0,
            weights: weights(body.multivariate_feature_state_values).unwrap_or_default(),
        }
    }
}

input! {
    /// An experiment.
    pub struct ExperimentBody {
        pub feature: Given<Pk>,
        pub name: Given<Text<255>>,
        pub hypothesis: Given<Text<20000>>,
        pub metrics: Given<Vec<ExperimentMetricBody>>,
        pub experiment_rollout: Option<RolloutBody>,
    }
}

required! {
    /// An experiment to make.
    pub struct NewExperimentBody(ExperimentBody) with feature, name, hypothesis;
}

required! {
    /// An experiment to write anew. Its feature stays.
    pub struct WholeExperimentBody(ExperimentBody) with name, hypothesis;
}

impl From<ExperimentBody> for ExperimentEdit {
    fn from(body: ExperimentBody) -> Self {
        let metrics = body.metrics.0.unwrap_or_default().into_iter();
        Self {
            feature: body.feature.0.map(|pk| pk.0),
            name: body.name.0.map(|text| text.0),
            hypothesis: body.hypothesis.0.map(|text| text.0),
            metrics: metrics
                .map(|m| (m.metric.0, m.expected_direction.as_str()))
                .collect(),
            rollout: body.experiment_rollout.map(Rollout::from),
        }
    }
}

input! {
    /// What those in an experiment get from now on.
    pub struct RolloutChange {
        pub experiment_rollout: RolloutBody,
    }
}

/// The experiments of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/", tag = "experiments",
    params(("q" = Option<String>, Query, description = "A part of the name, or of the feature's"),
        ("status" = Option<String>, Query, description = "`created`, `running`, `paused` or `completed`"),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Page<ExperimentListView>)))]
async fn list_experiments(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ExperimentListView>>> {
    let mut tx = app.db().read().await?;
    let found = experiments::list(&mut tx, &caller, &key, query.text("q"), query.text("status")).await?;
    Ok(Json(paging.cut(found)?.map(ExperimentListView::from)))
}

/// Creates an experiment with a multivariate feature.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiments/", tag = "experiments",
    request_body = NewExperimentBody, responses((status = 201, body = ExperimentView)))]
async fn create_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ExperimentView>)> {
    let NewExperimentBody(input) = body.parse()?;
    let made = experiments::create(&app, &caller, &key, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.experiment.into())))
}

/// One experiment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/",
    tag = "experiments", responses((status = 200, body = ExperimentDetailView)))]
async fn get_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<ExperimentDetailView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(experiments::get(&mut tx, &caller, &key, id).await?.into()))
}

/// Changes name and hypothesis of an experiment.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/",
    tag = "experiments", request_body = WholeExperimentBody, responses((status = 200, body = ExperimentView)))]
async fn update_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentView>> {
    let WholeExperimentBody(input) = body.parse()?;
    let changed = experiments::update(&app, &caller, &key, id, input.into()).await?;
    Ok(Json(changed.experiment.into()))
}

/// Changes one of them.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/",
    tag = "experiments", request_body = ExperimentBody, responses((status = 200, body = ExperimentView)))]
async fn patch_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentView>> {
    let input: ExperimentBody = body.parse()?;
    let changed = experiments::update(&app, &caller, &key, id, input.into()).await?;
    Ok(Json(changed.experiment.into()))
}

/// Deletes an experiment; nobody is in it any more.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/",
    tag = "experiments", responses((status = 204)))]
async fn delete_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    experiments::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts an experiment, or goes on with it: its part of the traffic gets what its rollout says.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/start/",
    tag = "experiments", responses((status = 200, body = ExperimentListView)))]
async fn start_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<ExperimentListView>> {
    Ok(Json(
        experiments::step(&app, &caller, &key, id, Step::Start)
            .await?
            .into(),
    ))
}

/// Pauses an experiment: everybody gets what everybody gets.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/pause/",
    tag = "experiments", responses((status = 200, body = ExperimentListView)))]
async fn pause_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<ExperimentListView>> {
    Ok(Json(
        experiments::step(&app, &caller, &key, id, Step::Pause)
            .await?
            .into(),
    ))
}

/// Ends an experiment for good. Its results are kept as they are.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/complete/",
    tag = "experiments", responses((status = 200, body = ExperimentListView)))]
async fn complete_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<ExperimentListView>> {
    Ok(Json(
        experiments::step(&app, &caller, &key, id, Step::Complete)
            .await?
            .into(),
    ))
}

/// Changes what those in an experiment get; at once, while it runs.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/rollout/",
    tag = "experiments", request_body = RolloutChange, responses((status = 200, body = ExperimentListView)))]
async fn roll_out_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentListView>> {
    let input: RolloutChange = body.parse()?;
    let rollout = input.experiment_rollout.into();
    Ok(Json(
        experiments::roll_out(&app, &caller, &key, id, rollout)
            .await?
            .into(),
    ))
}

/// How many identities got which variant, when that was counted last; null before.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/exposures/",
    tag = "experiments", responses((status = 200, body = Option<Value>)))]
async fn get_experiment_exposures(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<Value>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        experiments::counted(&mut tx, &caller, &key, id, Counted::Exposures).await?,
    ))
}

/// Counts anew how many identities got which variant.
#[utoipa::path(post,
    path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/exposures/refresh/",
    tag = "experiments", responses((status = 200, body = Value)))]
async fn refresh_experiment_exposures(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<Value>> {
    Ok(Json(
        experiments::recount(&app, &caller, &key, id, Counted::Exposures).await?,
    ))
}

/// Which variant does better, when that was counted last; null before.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/results/",
    tag = "experiments", responses((status = 200, body = Option<Value>)))]
async fn get_experiment_results(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<Value>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        experiments::counted(&mut tx, &caller, &key, id, Counted::Results).await?,
    ))
}

/// Counts anew which variant does better.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/results/refresh/",
    tag = "experiments", responses((status = 200, body = Value)))]
async fn refresh_experiment_results(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<Value>> {
    Ok(Json(
        experiments::recount(&app, &caller, &key, id, Counted::Results).await?,
    ))
}

/// Which variant of a feature does better, from the traits `exp_<feature>_variant` and `exp_<feature>_converted`.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/results/", tag = "experiments",
    params(("feature" = String, Query, description = "The name of the feature")),
    responses((status = 200, body = Value)))]
async fn get_feature_experiment_results(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let mut tx = app.db().read().await?;
    let name = query.text("feature");
    let name = name.ok_or_else(|| ApiError(Error::field("feature", "This field is required.")))?;
    Ok(Json(
        experiment_results::of_feature(&mut tx, &caller, &key, name).await?,
    ))
}
