//! `/api/v1/environments/{environment_key}/experiment-metrics/` and `…/experiments/{experiment_id}/metrics/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::experiment_metrics::{self, LinkDetails, LinkEdit, MetricDetails, MetricEdit};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_metrics, create_metric))
        .routes(routes!(get_metric, update_metric, patch_metric, delete_metric))
        .routes(routes!(list_metrics_of_experiment, add_metric_to_experiment))
        .routes(routes!(
            get_metric_of_experiment,
            update_metric_of_experiment,
            patch_metric_of_experiment,
            delete_metric_of_experiment
        ))
}

/// An experiment that is measured by a metric.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetricExperiment {
    pub id: i64,
    pub name: String,
    #[schema(value_type = crate::words::ExperimentStatus)]
    pub status: String,
}

/// Something that experiments are measured by.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentMetricDefinition {
    pub id: i64,
    pub name: String,
    pub description: String,
    #[schema(value_type = Aggregation)]
    pub aggregation: String,
    #[schema(value_type = Direction)]
    pub direction: String,
    pub definition: Value,
    pub experiments: Vec<MetricExperiment>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<MetricDetails> for ExperimentMetricDefinition {
    fn from(details: MetricDetails) -> Self {
        let metric = details.metric;
        let experiments = details
            .experiments
            .into_iter()
            .map(|experiment| MetricExperiment {
                id: experiment.id,
                name: experiment.name,
                status: experiment.status,
            });
        Self {
            id: metric.id,
            name: metric.name,
            description: metric.description,
            aggregation: metric.aggregation,
            direction: metric.direction,
            definition: serde_json::from_str(&metric.definition).unwrap_or_default(),
            experiments: experiments.collect(),
            created_at: Timestamp(metric.created_at).rest(),
            updated_at: Timestamp(metric.updated_at).rest(),
        }
    }
}

choices! {
    /// How events are taken together.
    pub enum Aggregation { Count = "count", Sum = "sum", Mean = "mean", Occurrence = "occurrence" }
}

choices! {
    /// What is better.
    pub enum Direction { Up = "up", Down = "down", Informational = "informational" }
}

choices! {
    /// What is expected of a metric.
    pub enum ExpectedDirection {
        Increase = "increase",
        Decrease = "decrease",
        NotIncrease = "not_increase",
        NotDecrease = "not_decrease",
    }
}

input! {
    /// Something that experiments are measured by.
    pub struct MetricBody {
        pub name: Given<Text<255>>,
        pub description: Given<Blank<20000>>,
        pub aggregation: Given<Aggregation>,
        pub direction: Given<Direction>,
        /// An object with the name of the `event`.
        pub definition: Given<Value>,
    }
}

required! {
    /// A metric to write anew.
    pub struct WholeMetricBody(MetricBody) with name, definition;
}

impl From<MetricBody> for MetricEdit {
    fn from(body: MetricBody) -> Self {
        Self {
            name: body.name.0.map(|text| text.0),
            description: body.description.0.map(|text| text.0),
            aggregation: body.aggregation.0.map(Aggregation::as_str),
            direction: body.direction.0.map(Direction::as_str),
            definition: body.definition.0,
        }
    }
}

/// A metric of an experiment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExperimentMetricView {
    pub id: i64,
    pub metric: i64,
    pub metric_name: String,
    #[schema(value_type = Aggregation)]
    pub aggregation: String,
    #[schema(value_type = Direction)]
    pub direction: String,
    #[schema(value_type = ExpectedDirection)]
    pub expected_direction: String,
    pub created_at: String,
}

impl From<LinkDetails> for ExperimentMetricView {
    fn from(details: LinkDetails) -> Self {
        Self {
            id: details.link.id,
            metric: details.metric.id,
            metric_name: details.metric.name,
            aggregation: details.metric.aggregation,
            direction: details.metric.direction,
            expected_direction: details.link.expected_direction,
            created_at: Timestamp(details.link.created_at).rest(),
        }
    }
}

input! {
    /// A metric, and what is expected of it.
    pub struct ExperimentMetricBody {
        pub metric: Pk,
        pub expected_direction: ExpectedDirection,
    }
}

input! {
    /// Single things of it.
    pub struct PatchedExperimentMetricBody {
        pub metric: Given<Pk>,
        pub expected_direction: Given<ExpectedDirection>,
    }
}

/// The metrics of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiment-metrics/", tag = "experiments",
    params(("q" = Option<String>, Query, description = "A part of the name"), ("page" = Option<i64>, Query),
        ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Page<ExperimentMetricDefinition>)))]
async fn list_metrics(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ExperimentMetricDefinition>>> {
    let mut tx = app.db().read().await?;
    let found = experiment_metrics::list(&mut tx, &caller, &key, query.text("q")).await?;
    Ok(Json(paging.cut(found)?.map(ExperimentMetricDefinition::from)))
}

/// Creates a metric.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiment-metrics/", tag = "experiments",
    request_body = WholeMetricBody, responses((status = 201, body = ExperimentMetricDefinition)))]
async fn create_metric(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ExperimentMetricDefinition>)> {
    let WholeMetricBody(input) = body.parse()?;
    let made = experiment_metrics::create(&app, &caller, &key, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One metric.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiment-metrics/{id}/", tag = "experiments",
    responses((status = 200, body = ExperimentMetricDefinition)))]
async fn get_metric(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<ExperimentMetricDefinition>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        experiment_metrics::get(&mut tx, &caller, &key, id).await?.into(),
    ))
}

/// Replaces a metric.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/experiment-metrics/{id}/", tag = "experiments",
    request_body = WholeMetricBody, responses((status = 200, body = ExperimentMetricDefinition)))]
async fn update_metric(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentMetricDefinition>> {
    let WholeMetricBody(input) = body.parse()?;
    Ok(Json(
        experiment_metrics::update(&app, &caller, &key, id, input.into())
            .await?
            .into(),
    ))
}

/// Changes single things of a metric.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/experiment-metrics/{id}/", tag = "experiments",
    request_body = MetricBody, responses((status = 200, body = ExperimentMetricDefinition)))]
async fn patch_metric(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentMetricDefinition>> {
    let input: MetricBody = body.parse()?;
    Ok(Json(
        experiment_metrics::update(&app, &caller, &key, id, input.into())
            .await?
            .into(),
    ))
}

/// Deletes a metric.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/experiment-metrics/{id}/", tag = "experiments",
    responses((status = 204)))]
async fn delete_metric(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    experiment_metrics::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an experiment is measured by.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/",
    tag = "experiments", responses((status = 200, body = Vec<ExperimentMetricView>)))]
async fn list_metrics_of_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, experiment)): Path<(String, i64)>,
) -> ApiResult<Json<Vec<ExperimentMetricView>>> {
    let mut tx = app.db().read().await?;
    let found = experiment_metrics::links(&mut tx, &caller, &key, experiment).await?;
    Ok(Json(found.into_iter().map(ExperimentMetricView::from).collect()))
}

/// Measures an experiment by one more metric.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/",
    tag = "experiments", request_body = ExperimentMetricBody, responses((status = 201, body = ExperimentMetricView)))]
async fn add_metric_to_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, experiment)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ExperimentMetricView>)> {
    let input: ExperimentMetricBody = body.parse()?;
    let link = (input.metric.0, input.expected_direction.as_str());
    let made = experiment_metrics::create_link(&app, &caller, &key, experiment, link).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One metric of an experiment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/{id}/",
    tag = "experiments", responses((status = 200, body = ExperimentMetricView)))]
async fn get_metric_of_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, experiment, id)): Path<(String, i64, i64)>,
) -> ApiResult<Json<ExperimentMetricView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        experiment_metrics::link(&mut tx, &caller, &key, experiment, id)
            .await?
            .into(),
    ))
}

/// Changes by what an experiment is measured.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/{id}/",
    tag = "experiments", request_body = ExperimentMetricBody, responses((status = 200, body = ExperimentMetricView)))]
async fn update_metric_of_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, experiment, id)): Path<(String, i64, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentMetricView>> {
    let input: ExperimentMetricBody = body.parse()?;
    let edit = LinkEdit {
        metric: Some(input.metric.0),
        expected_direction: Some(input.expected_direction.as_str()),
    };
    let changed = experiment_metrics::update_link(&app, &caller, &key, (experiment, id), edit).await?;
    Ok(Json(changed.into()))
}

/// Changes single things of it.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/{id}/",
    tag = "experiments", request_body = PatchedExperimentMetricBody,
    responses((status = 200, body = ExperimentMetricView)))]
async fn patch_metric_of_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, experiment, id)): Path<(String, i64, i64)>,
    body: Body,
) -> ApiResult<Json<ExperimentMetricView>> {
    let input: PatchedExperimentMetricBody = body.parse()?;
    let edit = LinkEdit {
        metric: input.metric.0.map(|pk| pk.0),
        expected_direction: input.expected_direction.0.map(ExpectedDirection::as_str),
    };
    let changed = experiment_metrics::update_link(&app, &caller, &key, (experiment, id), edit).await?;
    Ok(Json(changed.into()))
}

/// Measures an experiment no longer by a metric.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/experiments/{experiment_id}/metrics/{id}/",
    tag = "experiments", responses((status = 204)))]
async fn delete_metric_of_experiment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, experiment, id)): Path<(String, i64, i64)>,
) -> ApiResult<StatusCode> {
    experiment_metrics::delete_link(&app, &caller, &key, (experiment, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
