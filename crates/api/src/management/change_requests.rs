//! `/api/v1/environments/{key}/…-change-request…/` and `/api/v1/features/workflows/change-requests/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::change_requests::{
    self, Approval, ConflictDetails, ContentEdit, Document, Filter, Home, Part, ProposedVersion, Request,
    RequestDetails, RequestEdit, Scope, StateDocument, StateProposal,
};
use burgee_app::change_sets::ChangeSet;
use burgee_app::feature_states::{StateEdit, ValueEdit, Weight};
use burgee_app::version_states::OptionShare;
use burgee_app::{App, Caller, Error};
use burgee_model::{Timestamp, keys};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_sets::{ChangeSetBody, ChangeSetView, ValueEditView};
use super::feature_values::{Nested, TypedValueBody, WeightBody, weights};
use super::segments::SegmentView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Field, Given, Pk, Text, message};
use crate::input;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

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

/// A user who is asked to approve a change request, or did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalView {
    pub id: i64,
    pub user: i64,
    /// Null while he did not, and again when the request was edited afterwards.
    pub approved_at: Option<String>,
}

impl From<&Approval> for ApprovalView {
    fn from(approval: &Approval) -> Self {
        Self {
            id: approval.id,
            user: approval.user_id,
            approved_at: moment(approval.approved_at),
        }
    }
}

/// A group any member of which is asked to approve a change request.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupAssignmentView {
    pub group: i64,
}

/// What was published since a change request was written and would be overwritten by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictView {
    /// The change request that did it; null when it was none.
    pub original_cr_id: Option<i64>,
    pub segment_id: Option<i64>,
    pub is_environment_default: bool,
    /// Null when something was deleted.
    pub published_at: Option<String>,
}

impl From<&ConflictDetails> for ConflictView {
    fn from(conflict: &ConflictDetails) -> Self {
        Self {
            original_cr_id: conflict.request_id,
            segment_id: conflict.segment_id,
            is_environment_default: conflict.is_environment_default,
            published_at: conflict.published_at.map(Timestamp::rest),
        }
    }
}

/// The share of the traffic that an option is to get.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedWeight {
    pub id: i64,
    pub multivariate_feature_option: i64,
    pub percentage_allocation: f64,
}

/// What a feature state is to become.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedState {
    pub id: i64,
    pub feature: i64,
    pub feature_segment: Option<i64>,
    pub enabled: bool,
    pub feature_state_value: ValueEditView,
    pub multivariate_feature_state_values: Vec<ProposedWeight>,
    pub live_from: Option<String>,
}

impl ProposedState {
    fn new(part: &Part, document: &StateDocument) -> Self {
        let change = document.set.update.iter().chain(&document.set.create).next();
        let edit = change.map(|change| change.edit.clone()).unwrap_or_default();
        Self {
            id: part.id,
            feature: document.set.feature_id,
            feature_segment: document.feature_segment,
            enabled: edit.enabled.unwrap_or_default(),
            feature_state_value: edit.value.unwrap_or_default().into(),
            multivariate_feature_state_values: numbered(edit.weights.unwrap_or_default()),
            live_from: document.set.live_from.map(Timestamp::rest),
        }
    }
}

/// Allocations that are no rows yet are numbered as they stand.
fn numbered(weights: Vec<Weight>) -> Vec<ProposedWeight> {
    let numbered = (1..).zip(weights).map(|(id, weight)| ProposedWeight {
        id,
        multivariate_feature_option: weight.option_id,
        percentage_allocation: weight.percentage,
    });
    numbered.collect()
}

/// What is to change of one feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedChangeSet {
    pub id: i64,
    #[serde(flatten)]
    pub set: ChangeSetView,
}

/// A draft version that is to be published.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionProposal {
    pub uuid: String,
    pub feature_states: Vec<ProposedState>,
    pub live_from: Option<String>,
}

/// A change request as it answers being written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeRequestView {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub title: String,
    pub description: Option<String>,
    pub feature_states: Vec<ProposedState>,
    pub deleted_at: Option<String>,
    pub environment: Option<i64>,
    pub committed_at: Option<String>,
    pub approvals: Vec<ApprovalView>,
    pub user: Option<i64>,
    pub committed_by: Option<i64>,
    pub group_assignments: Vec<GroupAssignmentView>,
    pub environment_feature_versions: Vec<String>,
    pub change_sets: Vec<ProposedChangeSet>,
    pub ignore_conflicts: bool,
}

/// A change request with where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeRequestDetails {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub environment: Option<i64>,
    pub title: String,
    pub description: Option<String>,
    pub feature_states: Vec<ProposedState>,
    pub user: Option<i64>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub deleted_at: Option<String>,
    pub approvals: Vec<ApprovalView>,
    pub is_approved: bool,
    pub is_committed: bool,
    pub group_assignments: Vec<GroupAssignmentView>,
    pub environment_feature_versions: Vec<VersionProposal>,
    pub segments: Vec<SegmentView>,
    pub change_sets: Vec<ProposedChangeSet>,
    pub conflicts: Vec<ConflictView>,
    pub ignore_conflicts: bool,
}

/// A change request in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedChangeRequest {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub title: String,
    pub description: Option<String>,
    pub user: Option<i64>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub deleted_at: Option<String>,
    /// When the first of it that has a time of its own goes live.
    pub live_from: Option<String>,
    pub environment_feature_versions: Vec<String>,
    pub ignore_conflicts: bool,
}

pub(super) fn moment(at: Option<i64>) -> Option<String> {
    at.map(|at| Timestamp(at).rest())
}

/// When the first of the parts that have a time of their own goes live.
pub(super) fn first_live_from(parts: &[Part]) -> Option<String> {
    moment(parts.iter().filter_map(|part| part.live_from).min())
}

pub(super) fn approvals(details: &RequestDetails) -> Vec<ApprovalView> {
    details.approvals.iter().map(ApprovalView::from).collect()
}

pub(super) fn groups(details: &RequestDetails) -> Vec<GroupAssignmentView> {
    let groups = details.groups.iter();
    groups
        .map(|group| GroupAssignmentView { group: *group })
        .collect()
}

fn states(details: &RequestDetails) -> Vec<ProposedState> {
    let parts = details
        .parts
        .iter()
        .filter_map(|(part, document)| match document {
            Document::State(state) => Some(ProposedState::new(part, state)),
            _ => None,
        });
    parts.collect()
}

fn version(proposed: &ProposedVersion) -> VersionProposal {
    let states = proposed.states.iter().map(|state| ProposedState {
        id: state.id,
        feature: proposed.version.feature_id,
        feature_segment: state.segment.as_ref().map(|segment| segment.id),
        enabled: state.enabled,
        feature_state_value: ValueEdit::from(state.value()).into(),
        multivariate_feature_state_values: numbered(shares(&state.options)),
        live_from: moment(proposed.version.live_from),
    });
    VersionProposal {
        uuid: proposed.version.uuid.clone(),
        feature_states: states.collect(),
        live_from: moment(proposed.version.live_from),
    }
}

fn shares(options: &[OptionShare]) -> Vec<Weight> {
    let shares = options.iter().map(|share| Weight {
        option_id: share.option_id,
        percentage: share.percentage,
    });
    shares.collect()
}

fn sets(details: &RequestDetails) -> Vec<ProposedChangeSet> {
    let parts = details
        .parts
        .iter()
        .filter_map(|(part, document)| match document {
            Document::Set(set) => Some(ProposedChangeSet {
                id: part.id,
                set: set.clone().into(),
            }),
            _ => None,
        });
    parts.collect()
}

impl From<RequestDetails> for ChangeRequestView {
    fn from(details: RequestDetails) -> Self {
        let uuids = details
            .parts
            .iter()
            .filter_map(|(part, _)| part.version_uuid.clone());
        Self {
            feature_states: states(&details),
            approvals: approvals(&details),
            group_assignments: groups(&details),
            environment_feature_versions: uuids.collect(),
            change_sets: sets(&details),
            id: details.request.id,
            created_at: Timestamp(details.request.created_at).rest(),
            updated_at: Timestamp(details.request.updated_at).rest(),
            title: details.request.title,
            description: details.request.description,
            deleted_at: moment(details.request.deleted_at),
            environment: details.request.environment_id,
            committed_at: moment(details.request.committed_at),
            user: details.request.user_id,
            committed_by: details.request.committed_by,
            ignore_conflicts: details.request.ignore_conflicts,
        }
    }
}

impl From<RequestDetails> for ChangeRequestDetails {
    fn from(details: RequestDetails) -> Self {
        Self {
            feature_states: states(&details),
            approvals: approvals(&details),
            group_assignments: groups(&details),
            environment_feature_versions: details.versions.iter().map(version).collect(),
            segments: Vec::new(),
            change_sets: sets(&details),
            conflicts: details.conflicts.iter().map(ConflictView::from).collect(),
            is_approved: details.is_approved,
            is_committed: details.request.committed_at.is_some(),
            id: details.request.id,
            created_at: Timestamp(details.request.created_at).rest(),
            updated_at: Timestamp(details.request.updated_at).rest(),
            environment: details.request.environment_id,
            title: details.request.title,
            description: details.request.description,
            user: details.request.user_id,
            committed_at: moment(details.request.committed_at),
            committed_by: details.request.committed_by,
            deleted_at: moment(details.request.deleted_at),
            ignore_conflicts: details.request.ignore_conflicts,
        }
    }
}

impl From<(Request, Vec<Part>)> for ListedChangeRequest {
    fn from((request, parts): (Request, Vec<Part>)) -> Self {
        Self {
            id: request.id,
            created_at: Timestamp(request.created_at).rest(),
            updated_at: Timestamp(request.updated_at).rest(),
            title: request.title,
            description: request.description,
            user: request.user_id,
            committed_at: moment(request.committed_at),
            committed_by: request.committed_by,
            deleted_at: moment(request.deleted_at),
            live_from: first_live_from(&parts),
            environment_feature_versions: parts.into_iter().filter_map(|part| part.version_uuid).collect(),
            ignore_conflicts: request.ignore_conflicts,
        }
    }
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
    request_body = ChangeRequestBody, responses((status = 201, body = ChangeRequestView)))]
async fn create_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ChangeRequestView>)> {
    let home = home_to_fill(&app, &caller, &key).await?;
    let input: ChangeRequestBody = body.parse_with(&["title", "feature_states"])?;
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
    request_body = ChangeRequestBody, responses((status = 200, body = ChangeRequestView)))]
async fn update_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<ChangeRequestView>> {
    edit_change_request(&app, &caller, id, &body, &["title", "feature_states"]).await
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
    edit_change_request(&app, &caller, id, &body, &[]).await
}

async fn edit_change_request(
    app: &App,
    caller: &Caller,
    id: i64,
    body: &Body,
    required: &[&str],
) -> ApiResult<Json<ChangeRequestView>> {
    change_requests::require_edit(app, caller, SCOPE, id).await?;
    let input: ChangeRequestBody = body.parse_with(required)?;
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
