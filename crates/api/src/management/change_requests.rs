//! `/api/v1/environments/{key}/…-change-request…/` and `/api/v1/features/workflows/change-requests/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::change_requests::{self, ContentEdit, Filter, Home, RequestEdit, Scope, StateProposal};
use burgee_app::change_sets::ChangeSet;
use burgee_app::feature_states::StateEdit;
use burgee_app::{App, Caller, Error};
use burgee_model::{Timestamp, keys};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_request_views::{ChangeRequestDetails, ChangeRequestView, ListedChangeRequest};
use super::change_sets::ChangeSetBody;
use super::feature_values::{Nested, TypedValueBody, WeightBody, weights};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Field, Given, Pk, Text, message};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_change_request))
        .routes(routes!(list_change_requests))
        .routes(routes!(
            get_change_request,
            update_change_request,
            patch_change_request,
            delete_change_request
        ))
        .routes(routes!(approve_change_request))
        .routes(routes!(commit_change_request))
}

/// A uuid, in its usual spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UuidText(pub String);

impl Field for UuidText {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = Text::<100>::read(value)?;
        let uuid = keys::parse_uuid(&text.0).ok_or_else(|| message("Must be a valid UUID."))?;
        Ok(Self(uuid.to_string()))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::Custom("uuid".to_owned())))
            .into()
    }
}

input! {
    /// A user who is asked to approve.
    pub struct ApprovalBody {
        pub user: Pk,
    }
}

input! {
    /// A group any member of which is asked to approve.
    pub struct GroupAssignmentBody {
        pub group: Pk,
    }
}

input! {
    /// What a feature state is to become. What is not given is to stay as it is.
    pub struct ProposedStateBody {
        pub feature: Pk,
        pub feature_segment: Given<Option<Pk>>,
        pub enabled: Given<bool>,
        pub feature_state_value: Given<Option<Nested<TypedValueBody>>>,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
        pub live_from: Given<Option<Timestamp>>,
    }
}

impl From<ProposedStateBody> for StateProposal {
    fn from(body: ProposedStateBody) -> Self {
        Self {
            feature_id: body.feature.0,
            feature_segment_id: body.feature_segment.0.flatten().map(|pk| pk.0),
            edit: StateEdit {
                enabled: body.enabled.0,
                value: body.feature_state_value.0.flatten().map(|value| value.0.into()),
                weights: weights(body.multivariate_feature_state_values),
            },
            live_from: body.live_from.0.flatten(),
        }
    }
}

input! {
    /// A change request. Lists that are given take the place of those it had.
    pub struct ChangeRequestBody {
        pub title: Given<Text<500>>,
        pub description: Given<Option<Blank<20000>>>,
        pub feature_states: Given<Vec<ProposedStateBody>>,
        pub approvals: Given<Vec<ApprovalBody>>,
        pub group_assignments: Given<Vec<GroupAssignmentBody>>,
        pub environment_feature_versions: Given<Vec<UuidText>>,
        pub change_sets: Given<Option<Vec<ChangeSetBody>>>,
        pub ignore_conflicts: Given<bool>,
    }
}

required! {
    /// A change request to write anew.
    pub struct WholeChangeRequestBody(ChangeRequestBody) with title, feature_states;
}

/// The users of a body's `approvals`.
pub(super) fn reviewers(bodies: Given<Vec<ApprovalBody>>) -> Option<Vec<i64>> {
    let bodies = bodies.0?;
    Some(bodies.into_iter().map(|body| body.user.0).collect())
}

/// The groups of a body's `group_assignments`.
pub(super) fn reviewing_groups(bodies: Given<Vec<GroupAssignmentBody>>) -> Option<Vec<i64>> {
    let bodies = bodies.0?;
    Some(bodies.into_iter().map(|body| body.group.0).collect())
}

impl From<ChangeRequestBody> for RequestEdit {
    fn from(body: ChangeRequestBody) -> Self {
        let content = ContentEdit {
            states: body
                .feature_states
                .0
                .map(|states| states.into_iter().map(StateProposal::from).collect()),
            sets: body.change_sets.0.map(|sets| {
                sets.unwrap_or_default()
                    .into_iter()
                    .map(ChangeSet::from)
                    .collect()
            }),
            versions: body
                .environment_feature_versions
                .0
                .map(|uuids| uuids.into_iter().map(|uuid| uuid.0).collect()),
            segments: None,
        };
        Self {
            title: body.title.0.map(|text| text.0),
            description: body.description.0.map(|text| text.map(|text| text.0)),
            ignore_conflicts: body.ignore_conflicts.0,
            reviewers: reviewers(body.approvals),
            groups: reviewing_groups(body.group_assignments),
            content,
        }
    }
}

/// Reads one parameter of a query as a field is read; what is wrong with it is said of its name.
fn parameter<T: Field>(query: &Query, name: &str) -> ApiResult<Option<T>> {
    let Some(text) = query.text(name) else {
        return Ok(None);
    };
    let read = T::read(Some(&Value::String(text.to_owned())));
    read.map(Some)
        .map_err(|wrong| ApiError(Error::Rejected(serde_json::json!({ name: wrong }))))
}

/// Which requests a query asks for.
pub(super) fn filter(query: &Query) -> ApiResult<Filter> {
    Ok(Filter {
        committed: parameter::<bool>(query, "committed")?,
        title_part: parameter::<Text<500>>(query, "search")?.map(|text| text.0.to_lowercase()),
        feature_id: parameter::<i64>(query, "feature_id")?,
        segment_id: parameter::<i64>(query, "segment_id")?,
        live_from_after: parameter::<Timestamp>(query, "live_from_after")?.map(|at| at.0),
    })
}

/// Proposes changes to the flags of an environment.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/create-change-request/", tag = "change requests",
    request_body = WholeChangeRequestBody, responses((status = 201, body = ChangeRequestView)))]
async fn create_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ChangeRequestView>)> {
    let home = home_to_fill(&app, &caller, &key).await?;
    let WholeChangeRequestBody(input) = body.parse()?;
    let details = change_requests::create(&app, &caller, home, input.into()).await?;
    Ok((StatusCode::CREATED, Json(details.into())))
}

async fn home_to_fill(app: &App, caller: &Caller, key: &str) -> ApiResult<Home> {
    let mut tx = app.db().read().await?;
    let home = Home::environment(&mut tx, key).await?;
    change_requests::require_create(&mut tx, caller, &home).await?;
    Ok(home)
}

/// The change requests of an environment, oldest first.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/list-change-requests/", tag = "change requests",
    params(
        ("committed" = Option<bool>, Query, description = "Only those that are, or are not"),
        ("search" = Option<String>, Query, description = "Part of the title"),
        ("feature_id" = Option<i64>, Query, description = "Only those about this feature"),
        ("segment_id" = Option<i64>, Query, description = "Only those about overrides for this segment"),
        ("live_from_after" = Option<String>, Query, description = "Only those of which something goes live later"),
    ),
    responses((status = 200, body = Page<ListedChangeRequest>)))]
async fn list_change_requests(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ListedChangeRequest>>> {
    let mut tx = app.db().read().await?;
    let home = Home::environment(&mut tx, &key).await?;
    change_requests::require_list(&mut tx, &caller, &home).await?;
    let filter = filter(&query)?;
    let page = (paging.limit(), paging.offset()?);
    let (count, rows) = change_requests::list(&mut tx, &caller, &home, &filter, page).await?;
    Ok(Json(paging.page(count, rows)?.map(ListedChangeRequest::from)))
}

const SCOPE: Scope = Scope::AnyEnvironment;

/// One change request.
#[utoipa::path(get, path = "/api/v1/features/workflows/change-requests/{id}/", tag = "change requests",
    responses((status = 200, body = ChangeRequestDetails)))]
async fn get_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<ChangeRequestDetails>> {
    let mut tx = app.db().read().await?;
    let details = change_requests::get(&mut tx, &caller, SCOPE, id).await?;
    Ok(Json(details.into()))
}

/// Changes a change request. Approvals of what it said before count no longer.
#[utoipa::path(put, path = "/api/v1/features/workflows/change-requests/{id}/", tag = "change requests",
    request_body = WholeChangeRequestBody, responses((status = 200, body = ChangeRequestView)))]
async fn update_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<ChangeRequestView>> {
    edit_change_request(&app, &caller, id, &body, true).await
}

/// Changes single fields of a change request. Approvals of what it said before count no longer.
#[utoipa::path(patch, path = "/api/v1/features/workflows/change-requests/{id}/", tag = "change requests",
    request_body = ChangeRequestBody, responses((status = 200, body = ChangeRequestView)))]
async fn patch_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<ChangeRequestView>> {
    edit_change_request(&app, &caller, id, &body, false).await
}

async fn edit_change_request(
    app: &App,
    caller: &Caller,
    id: i64,
    body: &Body,
    whole: bool,
) -> ApiResult<Json<ChangeRequestView>> {
    change_requests::require_edit(app, caller, SCOPE, id).await?;
    let input = if whole {
        body.parse::<WholeChangeRequestBody>()?.0
    } else {
        body.parse()?
    };
    let details = change_requests::update(app, caller, SCOPE, id, input.into()).await?;
    Ok(Json(details.into()))
}

/// Deletes a change request. Of one that is committed, what still waits for its time is called off.
#[utoipa::path(delete, path = "/api/v1/features/workflows/change-requests/{id}/", tag = "change requests",
    responses((status = 204)))]
async fn delete_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    change_requests::delete(&app, &caller, SCOPE, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Approves a change request as it is now.
#[utoipa::path(post, path = "/api/v1/features/workflows/change-requests/{id}/approve/", tag = "change requests",
    responses((status = 200, body = ChangeRequestDetails)))]
async fn approve_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<ChangeRequestDetails>> {
    let details = change_requests::approve(&app, &caller, SCOPE, id).await?;
    Ok(Json(details.into()))
}

/// Does what a change request says, at once or at its time.
#[utoipa::path(post, path = "/api/v1/features/workflows/change-requests/{id}/commit/", tag = "change requests",
    responses((status = 200, body = ChangeRequestDetails)))]
async fn commit_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<ChangeRequestDetails>> {
    let details = change_requests::commit(&app, &caller, SCOPE, id).await?;
    Ok(Json(details.into()))
}
