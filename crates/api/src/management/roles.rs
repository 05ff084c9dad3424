//! `/api/v1/organisations/{organisation_id}/roles/`, and the roles of a user, a group or a master API key.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::roles::{self, Role, RoleEdit, Whom};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use super::{role_holders, role_permissions};
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
        .routes(routes!(list_roles, create_role))
        .routes(routes!(get_role, update_role, patch_role, delete_role))
        .routes(routes!(list_user_roles))
        .routes(routes!(remove_user_role))
        .routes(routes!(list_group_roles))
        .routes(routes!(remove_group_role))
        .routes(routes!(list_master_api_key_roles))
        .routes(routes!(detach_master_api_key_role))
        .merge(role_holders::router())
        .merge(role_permissions::router())
}

/// A role: permissions that are given together.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
    pub organisation: i64,
    /// What of its permissions can be limited to tags, and has none of its own, is limited to these.
    pub tags: Vec<i64>,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            tags: role.tags(),
            name: role.name,
            description: role.description,
            organisation: role.organisation_id,
        }
    }
}

input! {
    /// What may be set of a role.
    pub struct RoleBody {
        pub name: Given<Text<255>>,
        pub description: Given<Option<Blank<2000>>>,
        pub tags: Given<Vec<i64>>,
    }
}

required! {
    /// A role to write anew.
    pub struct WholeRoleBody(RoleBody) with name;
}

impl From<RoleBody> for RoleEdit {
    fn from(body: RoleBody) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            description: body.description.0.map(|text| text.map(|text| text.0)),
            tags: body.tags.0,
        }
    }
}

/// The roles of an organisation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/roles/", tag = "roles",
    responses((status = 200, body = Page<RoleView>)))]
async fn list_roles(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<RoleView>>> {
    let mut tx = app.db().read().await?;
    let all = roles::list(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Creates a role, which may do nothing yet and which nobody has.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/roles/", tag = "roles",
    request_body = WholeRoleBody, responses((status = 201, body = RoleView)))]
async fn create_role(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<RoleView>)> {
    let id = id.get()?;
    let WholeRoleBody(input) = body.parse()?;
    let role = roles::create(&app, &caller, id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(role.into())))
}

/// One role.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/roles/{role_id}/", tag = "roles",
    responses((status = 200, body = RoleView)))]
async fn get_role(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<RoleView>> {
    let mut tx = app.db().read().await?;
    let role = roles::get(&mut tx, &caller, organisation.get()?, id).await?;
    Ok(Json(role.into()))
}

/// Changes a role; what is not given stays.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/roles/{role_id}/", tag = "roles",
    request_body = WholeRoleBody, responses((status = 200, body = RoleView)))]
async fn update_role(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<RoleView>> {
    let WholeRoleBody(input) = body.parse()?;
    let role = roles::update(&app, &caller, organisation.get()?, id, input.into()).await?;
    Ok(Json(role.into()))
}

/// Changes single fields of a role.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/roles/{role_id}/", tag = "roles",
    request_body = RoleBody, responses((status = 200, body = RoleView)))]
async fn patch_role(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<RoleView>> {
    let input: RoleBody = body.parse()?;
    let role = roles::update(&app, &caller, organisation.get()?, id, input.into()).await?;
    Ok(Json(role.into()))
}

/// Deletes a role: what it granted, nobody has through it any more.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/roles/{role_id}/", tag = "roles",
    responses((status = 204)))]
async fn delete_role(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<StatusCode> {
    roles::delete(&app, &caller, organisation.get()?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_of(
    app: &App,
    Signed(caller): Signed,
    organisation: &OrganisationId,
    whom: &Whom,
    paging: &Paging,
) -> ApiResult<Json<Page<RoleView>>> {
    let mut tx = app.db().read().await?;
    let all = roles::of(&mut tx, &caller, organisation.get()?, whom).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

async fn detach(
    app: &App,
    Signed(caller): Signed,
    organisation: &OrganisationId,
    whom: &Whom,
    role_id: i64,
) -> ApiResult<StatusCode> {
    roles::detach(app, &caller, organisation.get()?, whom, role_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The roles a user has himself.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/users/{user_id}/roles/", tag = "roles",
    responses((status = 200, body = Page<RoleView>)))]
async fn list_user_roles(
    State(app): State<App>,
    caller: Signed,
    Path((organisation, user)): Path<(OrganisationId, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<RoleView>>> {
    list_of(&app, caller, &organisation, &Whom::User(user), &paging).await
}

/// Takes a role from a user.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/users/{user_id}/roles/{role_id}/",
    tag = "roles", responses((status = 204)))]
async fn remove_user_role(
    State(app): State<App>,
    caller: Signed,
    Path((organisation, user, role)): Path<(OrganisationId, i64, i64)>,
) -> ApiResult<StatusCode> {
    detach(&app, caller, &organisation, &Whom::User(user), role).await
}

/// The roles of a group.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/roles/", tag = "roles",
    responses((status = 200, body = Page<RoleView>)))]
async fn list_group_roles(
    State(app): State<App>,
    caller: Signed,
    Path((organisation, group)): Path<(OrganisationId, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<RoleView>>> {
    list_of(&app, caller, &organisation, &Whom::Group(group), &paging).await
}

/// Takes a role from a group.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/groups/{group_id}/roles/{role_id}/",
    tag = "roles", responses((status = 204)))]
async fn remove_group_role(
    State(app): State<App>,
    caller: Signed,
    Path((organisation, group, role)): Path<(OrganisationId, i64, i64)>,
) -> ApiResult<StatusCode> {
    detach(&app, caller, &organisation, &Whom::Group(group), role).await
}

/// The roles of a master API key.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/roles/",
    tag = "roles", responses((status = 200, body = Page<RoleView>)))]
async fn list_master_api_key_roles(
    State(app): State<App>,
    caller: Signed,
    Path((organisation, prefix)): Path<(OrganisationId, String)>,
    paging: Paging,
) -> ApiResult<Json<Page<RoleView>>> {
    list_of(&app, caller, &organisation, &Whom::MasterApiKey(prefix), &paging).await
}

/// Takes a role from a master API key.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/roles/{role_id}\
    /detach-roles-from-master-api-key/", tag = "roles", responses((status = 204)))]
async fn detach_master_api_key_role(
    State(app): State<App>,
    caller: Signed,
    Path((organisation, prefix, role)): Path<(OrganisationId, String, i64)>,
) -> ApiResult<StatusCode> {
    detach(&app, caller, &organisation, &Whom::MasterApiKey(prefix), role).await
}
