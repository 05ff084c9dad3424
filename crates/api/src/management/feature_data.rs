//! What is known of the use of features: how often they were evaluated.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use burgee_app::feature_data::{DayCount, Labels};
use burgee_app::{App, Error, feature_data};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::features::whole;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_evaluation_data))
        .routes(routes!(list_last_evaluated))
        .routes(routes!(get_influx_data))
}

/// What clients say of themselves.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelsView {
    pub client_application_name: Option<String>,
    pub client_application_version: Option<String>,
    pub user_agent: Option<String>,
}

/// How often a feature was evaluated on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationsView {
    pub day: String,
    pub count: i64,
    pub labels: LabelsView,
}

impl From<Labels> for LabelsView {
    fn from(labels: Labels) -> Self {
        Self {
            client_application_name: labels.client_application_name,
            client_application_version: labels.client_application_version,
            user_agent: labels.user_agent,
        }
    }
}

impl From<DayCount> for EvaluationsView {
    fn from(row: DayCount) -> Self {
        Self {
            day: row.day,
            count: row.count,
            labels: row.labels.into(),
        }
    }
}

fn environment(query: &Query) -> ApiResult<i64> {
    let missing = || ApiError(Error::field("environment_id", "This field is required."));
    whole(query, "environment_id")?.ok_or_else(missing)
}

/// How often a feature was evaluated in an environment, by day.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/evaluation-data/", tag = "features",
    params(("environment_id" = i64, Query), ("period" = Option<i64>, Query, description = "Days; 30 unless given"),
        ("client_application_name" = Option<String>, Query), ("client_application_version" = Option<String>, Query),
        ("user_agent" = Option<String>, Query)),
    responses((status = 200, body = Vec<EvaluationsView>)))]
async fn get_evaluation_data(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id)): Path<(i64, i64)>,
    query: Query,
) -> ApiResult<Json<Vec<EvaluationsView>>> {
    let at = (project_id, feature_id, environment(&query)?);
    let days = whole(&query, "period")?.unwrap_or(30);
    let label = |name: &str| query.text(name).map(str::to_owned);
    let wanted = Labels {
        client_application_name: label("client_application_name"),
        client_application_version: label("client_application_version"),
        user_agent: label("user_agent"),
    };
    let rows = feature_data::evaluations(&app, &caller, at, days, &wanted).await?;
    Ok(Json(rows.into_iter().map(EvaluationsView::from).collect()))
}

/// When a feature was last asked for in an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastEvaluatedView {
    pub environment: i64,
    /// To the minute; null: never.
    pub last_evaluated_at: Option<String>,
}

/// When programs last told that they asked for a feature, for each environment that the caller may view. SDKs tell when
/// their analytics are turned on.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/last-evaluated/", tag = "features",
    responses((status = 200, body = Vec<LastEvaluatedView>)))]
async fn list_last_evaluated(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id)): Path<(i64, i64)>,
) -> ApiResult<Json<Vec<LastEvaluatedView>>> {
    let mut tx = app.db().read().await?;
    let told = feature_data::last_evaluated(&mut tx, &caller, project_id, feature_id).await?;
    let views = told.into_iter().map(|last| LastEvaluatedView {
        environment: last.environment_id,
        last_evaluated_at: last.at.map(Timestamp::rest),
    });
    Ok(Json(views.collect()))
}

/// Events in the older form.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsView {
    pub events_list: Vec<Value>,
}

/// How often a feature was evaluated in an environment: `evaluation-data` under its older name and in its older form. An event
/// has the day as `datetime`, and the count under the name of the feature.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/influx-data/", tag = "features",
    params(("environment_id" = i64, Query),
        ("period" = Option<String>, Query, description = "Hours or days, such as `24h` or `7d`; 24 hours unless given")),
    responses((status = 200, body = EventsView)))]
async fn get_influx_data(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id)): Path<(i64, i64)>,
    query: Query,
) -> ApiResult<Json<EventsView>> {
    let at = (project_id, feature_id, environment(&query)?);
    let days = match query.text("period") {
        None => 1,
        Some(text) => days_of(text).ok_or_else(|| {
            ApiError(Error::field(
                "period",
                "A number of hours or days, such as 24h or 7d.",
            ))
        })?,
    };
    let mut tx = app.db().read().await?;
    let name = feature_data::name(&mut tx, &caller, project_id, feature_id).await?;
    drop(tx);
    let rows = feature_data::evaluations(&app, &caller, at, days, &Labels::default()).await?;
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows {
        let count = counts.entry(row.day).or_default();
        *count = count.saturating_add(row.count);
    }
    let event = |(day, count)| {
        let mut event = Map::from_iter([("datetime".to_owned(), Value::from(day))]);
        event.insert(name.clone(), Value::from(count));
        Value::Object(event)
    };
    Ok(Json(EventsView {
        events_list: counts.into_iter().map(event).collect(),
    }))
}

/// The days, begun ones whole, of a time such as `24h` or `7d`.
fn days_of(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count > 0)?;
    match unit {
        'h' => Some((count - 1) / 24 + 1),
        'd' => Some(count),
        _ => None,
    }
}
