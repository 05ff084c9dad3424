//! `/api/v1/organisations/{organisation_id}/usage-data/` and its kin: how much the SDK API was asked.

use axum::Json;
use axum::extract::State;
use burgee_app::{App, organisations};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::caller::Signed;
use crate::choices;
use crate::error::ApiResult;
use crate::fields::Field;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_usage))
        .routes(routes!(list_usage_data))
        .routes(routes!(count_usage))
        .routes(routes!(list_usage_notifications))
}

choices! {
    /// The time that usage is counted over.
    pub enum Period {
        Current = "current_billing_period",
        Previous = "previous_billing_period",
        NinetyDays = "90_day_period",
    }
}

/// How often the SDK API was asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    pub events: i64,
}

/// How often the SDK API was asked in all.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/usage/", tag = "organisations",
    responses((status = 200, body = Usage)))]
async fn get_usage(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<Usage>> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    Ok(Json(Usage { events: 0 }))
}

/// How often the SDK API was asked, by day.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/usage-data/", tag = "organisations",
    params(("period" = inline(Option<Period>), Query, description = "The last 30 days unless given")),
    responses((status = 200, body = Vec<Value>)))]
async fn list_usage_data(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    query: Query,
) -> ApiResult<Json<Vec<Value>>> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    if let Some(period) = query.text("period") {
        let mut problems = burgee_model::Problems::new();
        if let Err(wrong) = Period::read(Some(&Value::from(period))) {
            problems.nest("period", wrong);
        }
        problems.check()?;
    }
    Ok(Json(Vec::new()))
}

/// How often the SDK API was asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageCount {
    pub count: i64,
}

/// How often the SDK API was asked in the last 30 days.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/usage-data/total-count/",
    tag = "organisations", responses((status = 200, body = UsageCount)))]
async fn count_usage(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<UsageCount>> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    Ok(Json(UsageCount { count: 0 }))
}

/// The warnings about usage near a limit. There is no limit.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/api-usage-notification/",
    tag = "organisations", responses((status = 200, body = Page<Value>)))]
async fn list_usage_notifications(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<Value>>> {
    let mut tx = app.db().read().await?;
    organisations::for_member(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(Vec::new())?))
}
