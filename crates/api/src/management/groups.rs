//! `/api/v1/organisations/{organisation_id}/groups/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::feature_list::GroupOwner;
use burgee_app::groups::{self, Group, GroupDetails, GroupEdit, GroupMember};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_groups, create_group))
        .routes(routes!(list_my_groups))
        .routes(routes!(list_group_summaries))
        .routes(routes!(get_group, update_group, patch_group, delete_group))
        .routes(routes!(add_group_users))
        .routes(routes!(remove_group_users))
        .routes(routes!(make_group_admin))
        .routes(routes!(remove_group_admin))
}

/// A user in a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupMemberView {
    pub id: i64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// ISO 8601; lists and edits write it with a blank for the `T` and an offset for the `Z`.
    #[schema(format = "iso-8601")]
    pub last_login: Option<String>,
    pub group_admin: bool,
}

/// A group with who is in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    pub id: i64,
    pub name: String,
    pub users: Vec<GroupMemberView>,
    pub is_default: bool,
    pub external_id: Option<String>,
}

impl GroupView {
    fn new(details: GroupDetails, moment: fn(Timestamp) -> String) -> Self {
        let view = |member: GroupMember| GroupMemberView {
            id: member.id,
            email: member.email,
            first_name: member.first_name,
            last_name: member.last_name,
            last_login: member.last_login.map(|at| moment(Timestamp(at))),
            group_admin: member.group_admin,
        };
        Self {
            id: details.group.id,
            name: details.group.name,
            users: details.members.into_iter().map(view).collect(),
            is_default: details.group.is_default,
            external_id: details.group.external_id,
        }
    }

    /// As lists and edits show it: they write times with a blank, as Python does.
    fn listed(details: GroupDetails) -> Self {
        Self::new(details, |at| at.iso().replacen('T', " ", 1))
    }
}

impl From<GroupDetails> for GroupView {
    fn from(details: GroupDetails) -> Self {
        Self::new(details, Timestamp::rest)
    }
}

/// A group, by name only.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupSummary {
    pub id: i64,
    pub name: String,
}

impl From<GroupOwner> for GroupSummary {
    fn from(group: GroupOwner) -> Self {
        Self {
            id: group.id,
            name: group.name,
        }
    }
}

impl From<Group> for GroupSummary {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
        }
    }
}

input! {
    /// The settings of a group.
    pub struct GroupBody {
        pub name: Given<Text<200>>,
        pub is_default: Given<bool>,
        pub external_id: Given<Option<Blank<255>>>,
    }
}

required! {
    /// A group to write anew.
    pub struct WholeGroupBody(GroupBody) with name;
}

impl From<GroupBody> for GroupEdit {
    fn from(body: GroupBody) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            is_default: body.is_default.0,
            external_id: body.external_id.0.map(|id| id.map(|id| id.0)),
        }
    }
}

input! {
    /// Users to add or to remove.
    pub struct GroupUserIds {
        pub user_ids: Vec<i64>,
    }
}

/// The groups the caller may manage.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/groups/", tag = "groups",
    responses((status = 200, body = Page<GroupView>)))]
async fn list_groups(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<GroupView>>> {
    let mut tx = app.db().read().await?;
    let all = groups::list(&mut tx, &caller, id.get()?).await?;
    Ok(Json(
        paging.cut(all.into_iter().map(GroupView::listed).collect())?,
    ))
}

/// Creates a group.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/groups/", tag = "groups",
    request_body = WholeGroupBody, responses((status = 201, body = GroupView)))]
async fn create_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GroupView>)> {
    let id = id.get()?;
    let WholeGroupBody(input) = body.parse()?;
    let details = groups::create(&app, &caller, id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(GroupView::listed(details))))
}

/// The groups the caller is in.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/groups/my-groups/", tag = "groups",
    responses((status = 200, body = Page<GroupSummary>)))]
async fn list_my_groups(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<GroupSummary>>> {
    let mut tx = app.db().read().await?;
    let mine = groups::mine(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(mine.into_iter().map(Into::into).collect())?))
}

/// All groups, by name only.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/groups/summaries/", tag = "groups",
    responses((status = 200, body = Vec<GroupSummary>)))]
async fn list_group_summaries(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<Vec<GroupSummary>>> {
    let mut tx = app.db().read().await?;
    let all = groups::summaries(&mut tx, &caller, id.get()?).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// One group.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/", tag = "groups",
    responses((status = 200, body = GroupView)))]
async fn get_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<GroupView>> {
    let mut tx = app.db().read().await?;
    let details = groups::get(&mut tx, &caller, organisation.get()?, id).await?;
    Ok(Json(details.into()))
}

/// Changes a group; what is not given stays.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/", tag = "groups",
    request_body = WholeGroupBody, responses((status = 200, body = GroupView)))]
async fn update_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<GroupView>> {
    let WholeGroupBody(input) = body.parse()?;
    let details = groups::update(&app, &caller, organisation.get()?, id, input.into()).await?;
    Ok(Json(GroupView::listed(details)))
}

/// Changes single fields of a group.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/", tag = "groups",
    request_body = GroupBody, responses((status = 200, body = GroupView)))]
async fn patch_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<GroupView>> {
    let input: GroupBody = body.parse()?;
    let details = groups::update(&app, &caller, organisation.get()?, id, input.into()).await?;
    Ok(Json(GroupView::listed(details)))
}

/// Deletes a group with what was granted to it.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/", tag = "groups",
    responses((status = 204)))]
async fn delete_group(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<StatusCode> {
    groups::delete(&app, &caller, organisation.get()?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts members of the organisation into a group.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/add-users/",
    tag = "groups", request_body = GroupUserIds, responses((status = 200, body = GroupView)))]
async fn add_group_users(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<GroupView>> {
    let input: GroupUserIds = body.parse()?;
    let details = groups::add_users(&app, &caller, organisation.get()?, id, &input.user_ids).await?;
    Ok(Json(details.into()))
}

/// Takes users out of a group.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/remove-users/",
    tag = "groups", request_body = GroupUserIds, responses((status = 200, body = GroupView)))]
async fn remove_group_users(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<GroupView>> {
    let input: GroupUserIds = body.parse()?;
    let details = groups::remove_users(&app, &caller, organisation.get()?, id, &input.user_ids).await?;
    Ok(Json(details.into()))
}

/// Makes somebody in a group its administrator.
#[utoipa::path(post,
    path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/users/{user_id}/make-admin/",
    tag = "groups", responses((status = 200)))]
async fn make_group_admin(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id, user)): Path<(OrganisationId, i64, i64)>,
) -> ApiResult<StatusCode> {
    groups::set_admin(&app, &caller, organisation.get()?, id, user, true).await?;
    Ok(StatusCode::OK)
}

/// Makes somebody in a group an ordinary member of it.
#[utoipa::path(post,
    path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/users/{user_id}/remove-admin/",
    tag = "groups", responses((status = 200)))]
async fn remove_group_admin(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id, user)): Path<(OrganisationId, i64, i64)>,
) -> ApiResult<StatusCode> {
    groups::set_admin(&app, &caller, organisation.get()?, id, user, false).await?;
    Ok(StatusCode::OK)
}
