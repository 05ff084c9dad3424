//! `/api/v1/projects/{id}/change-requests/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::change_requests::{
    self, ContentEdit, Document, Home, Part, Request, RequestDetails, RequestEdit, Scope, SegmentDocument,
    SegmentProposal,
};
use burgee_app::metadata::MetadataEdit;
use burgee_app::segments::SegmentEdit;
use burgee_app::{App, Caller};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_request_views::{
    ApprovalView, ConflictView, GroupAssignmentView, approvals, first_live_from, groups, moment,
};
use super::change_requests::{ApprovalBody, GroupAssignmentBody, filter, reviewers, reviewing_groups};
use super::metadata::{self, MetadataBody, MetadataView};
use super::segment_rules::{RuleBody, RuleView};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            list_project_change_requests,
            create_project_change_request
        ))
        .routes(routes!(
            get_project_change_request,
            update_project_change_request,
            patch_project_change_request,
            delete_project_change_request
        ))
        .routes(routes!(approve_project_change_request))
        .routes(routes!(commit_project_change_request))
}

/// A segment as it is to become.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedSegment {
    pub id: i64,
    pub uuid: String,
    pub created_at: String,
    pub updated_at: String,
    pub name: String,
    pub description: Option<String>,
    pub project: i64,
    pub feature: Option<i64>,
    /// The segment that is to become like this; null for one that is to be made.
    pub version_of: Option<i64>,
    pub rules: Vec<RuleView>,
    pub metadata: Vec<MetadataView>,
    pub membership_counts: Vec<serde_json::Value>,
    #[schema(value_type = crate::words::SegmentManager)]
    pub managed_by: String,
    pub change_request: i64,
}

impl ProposedSegment {
    fn new(request: &Request, part: &Part, segment: &SegmentDocument) -> Self {
        let written = Timestamp(part.created_at).rest();
        Self {
            id: part.id,
            uuid: part.uuid.clone(),
            created_at: written.clone(),
            updated_at: written,
            name: segment.name.clone(),
            description: segment.description.clone(),
            project: request.project_id,
            feature: segment.feature,
            version_of: part.segment_id,
            rules: segment.rules.iter().cloned().map(RuleView::from).collect(),
            metadata: numbered(segment.metadata.as_deref().unwrap_or_default()),
            membership_counts: Vec::new(),
            managed_by: String::new(),
            change_request: request.id,
        }
    }
}

/// Values that are no rows yet are numbered as they stand.
fn numbered(values: &[MetadataEdit]) -> Vec<MetadataView> {
    let numbered = (1..).zip(values).map(|(id, value)| MetadataView {
        id,
        model_field: value.model_field,
        field_value: value.field_value.clone(),
    });
    numbered.collect()
}

fn segments(details: &RequestDetails) -> Vec<ProposedSegment> {
    let parts = details
        .parts
        .iter()
        .filter_map(|(part, document)| match document {
            Document::Segment(segment) => Some(ProposedSegment::new(&details.request, part, segment)),
            _ => None,
        });
    parts.collect()
}

/// A change request of a project as it answers being written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectChangeRequestView {
    pub id: i64,
    pub approvals: Vec<ApprovalView>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub created_at: String,
    pub deleted_at: Option<String>,
    pub description: Option<String>,
    pub group_assignments: Vec<GroupAssignmentView>,
    pub project_id: i64,
    pub segments: Vec<ProposedSegment>,
    pub title: String,
    pub updated_at: String,
    pub user: Option<i64>,
}

/// A change request of a project with where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectChangeRequestDetails {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub environment: Option<i64>,
    pub title: String,
    pub description: Option<String>,
    pub user: Option<i64>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub deleted_at: Option<String>,
    pub approvals: Vec<ApprovalView>,
    pub is_approved: bool,
    pub is_committed: bool,
    pub group_assignments: Vec<GroupAssignmentView>,
    pub segments: Vec<ProposedSegment>,
    pub change_sets: Vec<serde_json::Value>,
    pub conflicts: Vec<ConflictView>,
}

/// A change request of a project in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedProjectChangeRequest {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub title: String,
    pub description: Option<String>,
    pub user: Option<i64>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub deleted_at: Option<String>,
    pub live_from: Option<String>,
}

impl From<RequestDetails> for ProjectChangeRequestView {
    fn from(details: RequestDetails) -> Self {
        Self {
            approvals: approvals(&details),
            group_assignments: groups(&details),
            segments: segments(&details),
            id: details.request.id,
            committed_at: moment(details.request.committed_at),
            committed_by: details.request.committed_by,
            created_at: Timestamp(details.request.created_at).rest(),
            deleted_at: moment(details.request.deleted_at),
            description: details.request.description,
            project_id: details.request.project_id,
            title: details.request.title,
            updated_at: Timestamp(details.request.updated_at).rest(),
            user: details.request.user_id,
        }
    }
}

impl From<RequestDetails> for ProjectChangeRequestDetails {
    fn from(details: RequestDetails) -> Self {
        Self {
            approvals: approvals(&details),
            group_assignments: groups(&details),
            segments: segments(&details),
            conflicts: details.conflicts.iter().map(ConflictView::from).collect(),
            change_sets: Vec::new(),
            is_approved: details.is_approved,
            is_committed: details.request.committed_at.is_some(),
            id: details.request.id,
            created_at: Timestamp(details.request.created_at).rest(),
            updated_at: Timestamp(details.request.updated_at).rest(),
            environment: None,
            title: details.request.title,
            description: details.request.description,
            user: details.request.user_id,
            committed_at: moment(details.request.committed_at),
            committed_by: details.request.committed_by,
            deleted_at: moment(details.request.deleted_at),
        }
    }
}

impl From<(Request, Vec<Part>)> for ListedProjectChangeRequest {
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
        }
    }
}

input! {
    /// A segment as it is to become. Rules and conditions with the id of a present one keep it.
    pub struct ProposedSegmentBody {
        pub name: Text<2000>,
        pub description: Given<Option<Blank<20000>>>,
        pub feature: Given<Option<Pk>>,
        pub version_of: Given<Option<Pk>>,
        pub rules: Vec<RuleBody>,
        pub metadata: Given<Vec<MetadataBody>>,
    }
}

impl From<ProposedSegmentBody> for SegmentProposal {
    fn from(body: ProposedSegmentBody) -> Self {
        Self {
            version_of: body.version_of.0.flatten().map(|pk| pk.0),
            edit: SegmentEdit {
                name: Some(body.name.0),
                description: body.description.0.map(|text| text.map(|text| text.0)),
                feature: body.feature.0.map(|pk| pk.map(|pk| pk.0)),
                rules: Some(body.rules.into_iter().map(Into::into).collect()),
                metadata: metadata::edits(body.metadata.0),
                whole: true,
            },
        }
    }
}

input! {
    /// A change request of a project. Lists that are given take the place of those it had.
    pub struct ProjectChangeRequestBody {
        pub title: Given<Text<500>>,
        pub description: Given<Option<Blank<20000>>>,
        pub segments: Given<Vec<ProposedSegmentBody>>,
        pub approvals: Given<Vec<ApprovalBody>>,
        pub group_assignments: Given<Vec<GroupAssignmentBody>>,
    }
}

required! {
    /// A change request of a project to write anew.
    pub struct WholeProjectChangeRequestBody(ProjectChangeRequestBody) with title, segments;
}

impl From<ProjectChangeRequestBody> for RequestEdit {
    fn from(body: ProjectChangeRequestBody) -> Self {
        let segments = body.segments.0;
        Self {
            title: body.title.0.map(|text| text.0),
            description: body.description.0.map(|text| text.map(|text| text.0)),
            ignore_conflicts: None,
            reviewers: reviewers(body.approvals),
            groups: reviewing_groups(body.group_assignments),
            content: ContentEdit {
                segments: segments.map(|list| list.into_iter().map(SegmentProposal::from).collect()),
                ..ContentEdit::default()
            },
        }
    }
}

/// The change requests of a project itself, oldest first.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/change-requests/", tag = "change requests",
    params(
        ("committed" = Option<bool>, Query, description = "Only those that are, or are not"),
        ("search" = Option<String>, Query, description = "Part of the title"),
        ("segment_id" = Option<i64>, Query, description = "Only those about this segment"),
    ),
    responses((status = 200, body = Page<ListedProjectChangeRequest>)))]
async fn list_project_change_requests(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ListedProjectChangeRequest>>> {
    let mut tx = app.db().read().await?;
    let home = Home::project_with(&mut tx, project_id).await?;
    change_requests::require_list(&mut tx, &caller, &home).await?;
    let filter = filter(&query)?;
    let page = (paging.limit(), paging.offset()?);
    let (count, rows) = change_requests::list(&mut tx, &caller, &home, &filter, page).await?;
    Ok(Json(
        paging.page(count, rows)?.map(ListedProjectChangeRequest::from),
    ))
}

/// Proposes changes to the segments of a project.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/change-requests/", tag = "change requests",
    request_body = WholeProjectChangeRequestBody, responses((status = 201, body = ProjectChangeRequestView)))]
async fn create_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ProjectChangeRequestView>)> {
    let home = home_to_fill(&app, &caller, project_id).await?;
    let WholeProjectChangeRequestBody(input) = body.parse()?;
    let details = change_requests::create(&app, &caller, home, input.into()).await?;
    Ok((StatusCode::CREATED, Json(details.into())))
}

async fn home_to_fill(app: &App, caller: &Caller, project_id: i64) -> ApiResult<Home> {
    let mut tx = app.db().read().await?;
    let home = Home::project_with(&mut tx, project_id).await?;
    change_requests::require_create(&mut tx, caller, &home).await?;
    Ok(home)
}

/// One change request of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/change-requests/{id}/", tag = "change requests",
    responses((status = 200, body = ProjectChangeRequestDetails)))]
async fn get_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<ProjectChangeRequestDetails>> {
    let mut tx = app.db().read().await?;
    let details = change_requests::get(&mut tx, &caller, Scope::Project(project_id), id).await?;
    Ok(Json(details.into()))
}

/// Changes a change request. Approvals of what it said before count no longer.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/change-requests/{id}/", tag = "change requests",
    request_body = WholeProjectChangeRequestBody, responses((status = 200, body = ProjectChangeRequestView)))]
async fn update_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<ProjectChangeRequestView>> {
    edit_change_request(&app, &caller, path, &body, true).await
}

/// Changes single fields of a change request. Approvals of what it said before count no longer.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/change-requests/{id}/", tag = "change requests",
    request_body = ProjectChangeRequestBody, responses((status = 200, body = ProjectChangeRequestView)))]
async fn patch_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<ProjectChangeRequestView>> {
    edit_change_request(&app, &caller, path, &body, false).await
}

async fn edit_change_request(
    app: &App,
    caller: &Caller,
    (project_id, id): (i64, i64),
    body: &Body,
    whole: bool,
) -> ApiResult<Json<ProjectChangeRequestView>> {
    let scope = Scope::Project(project_id);
    change_requests::require_edit(app, caller, scope, id).await?;
    let input = if whole {
        body.parse::<WholeProjectChangeRequestBody>()?.0
    } else {
        body.parse()?
    };
    let details = change_requests::update(app, caller, scope, id, input.into()).await?;
    Ok(Json(details.into()))
}

/// Deletes a change request that is not committed.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/change-requests/{id}/", tag = "change requests",
    responses((status = 204)))]
async fn delete_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    change_requests::delete(&app, &caller, Scope::Project(project_id), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Approves a change request as it is now.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/change-requests/{id}/approve/", tag = "change requests",
    responses((status = 200, body = ProjectChangeRequestDetails)))]
async fn approve_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<ProjectChangeRequestDetails>> {
    let details = change_requests::approve(&app, &caller, Scope::Project(project_id), id).await?;
    Ok(Json(details.into()))
}

/// Makes the segments what a change request says.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/change-requests/{id}/commit/", tag = "change requests",
    responses((status = 200, body = ProjectChangeRequestDetails)))]
async fn commit_project_change_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<ProjectChangeRequestDetails>> {
    let details = change_requests::commit(&app, &caller, Scope::Project(project_id), id).await?;
    Ok(Json(details.into()))
}
