//! `/api/v1/organisations/{organisation_id}/usage-data/` and its kin: how much the SDK API was asked.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use burgee_app::App;
use burgee_app::feature_data::Labels;
use burgee_app::usage::{self, Day, Notification, Of};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_data::{EventsView, LabelsView};
use super::features::whole;
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
        .routes(routes!(get_usage_events))
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

/// How often the SDK API was asked in the last 30 days, under its older name.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/usage/", tag = "organisations",
    responses((status = 200, body = Usage)))]
async fn get_usage(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<Usage>> {
    let events = usage::total(&app, &caller, id.get()?).await?;
    Ok(Json(Usage { events }))
}

/// How often the SDK API was asked on a day by clients of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageData {
    pub flags: i64,
    pub identities: i64,
    pub traits: i64,
    pub environment_document: i64,
    #[schema(example = "2026-11-21")]
    pub day: String,
    pub labels: LabelsView,
}

impl From<Day> for UsageData {
    fn from(day: Day) -> Self {
        Self {
            flags: day.flags,
            identities: day.identities,
            traits: day.traits,
            environment_document: day.environment_document,
            day: day.day,
            labels: day.labels.into(),
        }
    }
}

/// How often the SDK API was asked, by day. There is no billing: a period of it is 30 days.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/usage-data/", tag = "organisations",
    params(("period" = inline(Option<Period>), Query, description = "The last 30 days unless given"),
        ("project_id" = Option<i64>, Query), ("environment_id" = Option<i64>, Query),
        ("client_application_name" = Option<String>, Query), ("client_application_version" = Option<String>, Query),
        ("user_agent" = Option<String>, Query)),
    responses((status = 200, body = Vec<UsageData>)))]
async fn list_usage_data(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    query: Query,
) -> ApiResult<Json<Vec<UsageData>>> {
    let of = Of {
        organisation_id: id.get()?,
        project_id: whole(&query, "project_id")?,
        environment_id: whole(&query, "environment_id")?,
    };
    let mut tx = app.db().read().await?;
    burgee_app::organisations::for_admin(&mut tx, &caller, of.organisation_id).await?;
    drop(tx);
    let mut period = usage::Period::Current;
    if let Some(text) = query.text("period") {
        let mut problems = burgee_model::Problems::new();
        match Period::read(Some(&Value::from(text))) {
            Ok(Period::Current) => {}
            Ok(Period::Previous) => period = usage::Period::Previous,
            Ok(Period::NinetyDays) => period = usage::Period::NinetyDays,
            Err(wrong) => problems.nest("period", wrong),
        }
        problems.check()?;
    }
    let label = |name: &str| query.text(name).map(str::to_owned);
    let wanted = Labels {
        client_application_name: label("client_application_name"),
        client_application_version: label("client_application_version"),
        user_agent: label("user_agent"),
    };
    let days = usage::by_day(&app, &caller, of, period, &wanted).await?;
    Ok(Json(days.into_iter().map(UsageData::from).collect()))
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
    let count = usage::total(&app, &caller, id.get()?).await?;
    Ok(Json(UsageCount { count }))
}

/// How often the SDK API was asked in the last 30 days: `usage-data` under its older name and in its older form. An event has
/// the day as `name`, and a count under the name of each kind of call that there was.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/influx-data/", tag = "organisations",
    params(("project_id" = Option<i64>, Query), ("environment_id" = Option<i64>, Query)),
    responses((status = 200, body = EventsView)))]
async fn get_usage_events(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    query: Query,
) -> ApiResult<Json<EventsView>> {
    let of = Of {
        organisation_id: id.get()?,
        project_id: whole(&query, "project_id")?,
        environment_id: whole(&query, "environment_id")?,
    };
    let days = usage::by_day(&app, &caller, of, usage::Period::Current, &Labels::default()).await?;
    let mut events: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for day in days {
        let event = events
            .entry(day.day.clone())
            .or_insert_with(|| Map::from_iter([("name".to_owned(), Value::from(day.day))]));
        for (name, count) in [
            ("Flags", day.flags),
            ("Identities", day.identities),
            ("Traits", day.traits),
            ("Environment-document", day.environment_document),
        ] {
            if count > 0 {
                let sum = event.get(name).and_then(Value::as_i64).unwrap_or_default();
                event.insert(name.to_owned(), Value::from(sum.saturating_add(count)));
            }
        }
    }
    let events_list = events.into_values().map(Value::Object).collect();
    Ok(Json(EventsView { events_list }))
}

/// A warning that the organisation comes near to its limit of calls, or is over it.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageNotification {
    pub organisation_id: i64,
    #[schema(example = 75)]
    pub percent_usage: i64,
    pub notified_at: String,
}

impl From<Notification> for UsageNotification {
    fn from(told: Notification) -> Self {
        Self {
            organisation_id: told.organisation_id,
            percent_usage: told.percent_usage,
            notified_at: Timestamp(told.notified_at).rest(),
        }
    }
}

/// The warnings of the last 30 days about usage near the limit that the operator set, if he did.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/api-usage-notification/",
    tag = "organisations", responses((status = 200, body = Page<UsageNotification>)))]
async fn list_usage_notifications(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<UsageNotification>>> {
    let mut tx = app.db().read().await?;
    let told = usage::notifications(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(told)?.map(UsageNotification::from)))
}
