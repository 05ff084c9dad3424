//! `/api/v1/environments/{key}/scheduled-changes/`: what waits for its time.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::scheduled_changes::{Scheduled, ScheduledEdit};
use burgee_app::{App, scheduled_changes};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_sets::{
    ChangeSetView, ScheduledChangeSetBody, StateChangeBody, StateChangeView, state_changes,
};
use super::feature_values::Ids;
use super::features::whole;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::Given;
use crate::input;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_scheduled_changes, create_scheduled_change))
        .routes(routes!(
            get_scheduled_change,
            patch_scheduled_change,
            delete_scheduled_change
        ))
}

/// A change of a feature that waits for its time.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduledChangeView {
    pub id: i64,
    pub uuid: String,
    pub created_at: String,
    pub updated_at: String,
    pub feature: i64,
    pub environment: i64,
    pub live_from: String,
    pub created_by: Option<i64>,
    pub change_request: Option<i64>,
    /// Set when it is a version that goes live; then the rest is empty.
    pub environment_feature_version: Option<String>,
    pub feature_states_to_update: Vec<StateChangeView>,
    pub feature_states_to_create: Vec<StateChangeView>,
    pub segment_ids_to_delete_overrides: Vec<i64>,
}

impl From<Scheduled> for ScheduledChangeView {
    fn from(scheduled: Scheduled) -> Self {
        let row = scheduled.row;
        let set = ChangeSetView::from(scheduled.set.unwrap_or_default());
        Self {
            id: row.id,
            uuid: row.uuid,
            created_at: Timestamp(row.created_at).rest(),
            updated_at: Timestamp(row.updated_at).rest(),
            feature: row.feature_id,
            environment: row.environment_id,
            live_from: Timestamp(row.live_from).rest(),
            created_by: row.user_id,
            change_request: row.change_request_id,
            environment_feature_version: scheduled.version_uuid,
            feature_states_to_update: set.feature_states_to_update,
            feature_states_to_create: set.feature_states_to_create,
            segment_ids_to_delete_overrides: set.segment_ids_to_delete_overrides,
        }
    }
}

/// What waits in an environment, in the order in which it will happen.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/scheduled-changes/", tag = "scheduled changes",
    params(("feature" = Option<i64>, Query)), responses((status = 200, body = Page<ScheduledChangeView>)))]
async fn list_scheduled_changes(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ScheduledChangeView>>> {
    let feature = whole(&query, "feature")?;
    let mut tx = app.db().read().await?;
    let rows = scheduled_changes::list(&mut tx, &caller, &key, feature).await?;
    Ok(Json(paging.cut(rows)?.map(ScheduledChangeView::from)))
}

/// Schedules a change of a feature: it is applied to what is live then.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/scheduled-changes/", tag = "scheduled changes",
    request_body = ScheduledChangeSetBody, responses((status = 201, body = ScheduledChangeView)))]
async fn create_scheduled_change(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ScheduledChangeView>)> {
    let ScheduledChangeSetBody(input) = body.parse()?;
    let scheduled = scheduled_changes::create(&app, &caller, &key, input.into()).await?;
    Ok((StatusCode::CREATED, Json(scheduled.into())))
}

/// One change that waits.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/scheduled-changes/{id}/",
    tag = "scheduled changes", responses((status = 200, body = ScheduledChangeView)))]
async fn get_scheduled_change(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<ScheduledChangeView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        scheduled_changes::get(&mut tx, &caller, &key, id).await?.into(),
    ))
}

input! {
    /// What is to be different about a scheduled change. What is not given stays.
    pub struct ScheduledChangeBody {
        pub live_from: Option<Timestamp>,
        pub feature_states_to_create: Option<Vec<StateChangeBody>>,
        pub feature_states_to_update: Option<Vec<StateChangeBody>>,
        pub segment_ids_to_delete_overrides: Given<Ids>,
    }
}

/// Changes what is to happen, or when.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/scheduled-changes/{id}/",
    tag = "scheduled changes", request_body = ScheduledChangeBody,
    responses((status = 200, body = ScheduledChangeView)))]
async fn patch_scheduled_change(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ScheduledChangeView>> {
    let input: ScheduledChangeBody = body.parse()?;
    let changes = |bodies: Option<Vec<StateChangeBody>>| bodies.map(|bodies| state_changes(Some(bodies)));
    let edit = ScheduledEdit {
        live_from: input.live_from,
        create: changes(input.feature_states_to_create),
        update: changes(input.feature_states_to_update),
        delete_segments: input.segment_ids_to_delete_overrides.0.map(|ids| ids.0),
    };
    let scheduled = scheduled_changes::update(&app, &caller, &key, id, edit).await?;
    Ok(Json(scheduled.into()))
}

/// Cancels a change: it will not happen. A version that was to go live is deleted.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/scheduled-changes/{id}/",
    tag = "scheduled changes", responses((status = 204)))]
async fn delete_scheduled_change(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    scheduled_changes::cancel(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
