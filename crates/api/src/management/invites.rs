//! `/api/v1/organisations/{organisation_id}/invites/`, `…/invite-links/` and accepting them under `/api/v1/users/join/`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::invites::{self, InviteDetails, InviteLink, NewInvite};
use burgee_app::members::Role;
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::members::{MemberView, RoleWord};
use super::organisations::{OrganisationId, OrganisationView};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Email, Given, Pk};
use crate::input;
use crate::page::{Page, Paging};
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(invite_many))
        .routes(routes!(list_invites, create_invite))
        .routes(routes!(get_invite, delete_invite))
        .routes(routes!(resend_invite))
        .routes(routes!(get_invite_address))
        .routes(routes!(list_invite_links, create_invite_link))
        .routes(routes!(delete_invite_link))
        .routes(routes!(join))
        .routes(routes!(join_by_link))
}

/// Who wrote an invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inviter {
    pub id: i64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
}

/// An invitation just written.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteView {
    pub id: i64,
    pub email: String,
    #[schema(value_type = super::members::RoleWord)]
    pub role: String,
    pub date_created: String,
    pub invited_by: Option<Inviter>,
    pub permission_groups: Vec<i64>,
}

impl From<InviteDetails> for InviteView {
    fn from(details: InviteDetails) -> Self {
        let groups = details.invite.groups();
        Self {
            id: details.invite.id,
            email: details.invite.email,
            role: details.invite.role,
            date_created: Timestamp(details.invite.created_at).rest(),
            invited_by: details.invited_by.map(|(user, _)| Inviter {
                id: user.id,
                email: user.email,
                first_name: user.first_name,
                last_name: user.last_name,
            }),
            permission_groups: groups,
        }
    }
}

/// An invitation that is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedInvite {
    pub id: i64,
    pub email: String,
    pub date_created: String,
    pub invited_by: Option<MemberView>,
    pub permission_groups: Vec<i64>,
}

impl From<InviteDetails> for ListedInvite {
    fn from(details: InviteDetails) -> Self {
        let groups = details.invite.groups();
        Self {
            id: details.invite.id,
            email: details.invite.email,
            date_created: Timestamp(details.invite.created_at).rest(),
            invited_by: details.invited_by.map(|(user, role)| MemberView {
                id: user.id,
                email: user.email,
                first_name: user.first_name,
                last_name: user.last_name,
                last_login: user.last_login.map(|at| Timestamp(at).rest()),
                uuid: user.uuid,
                role,
                date_joined: Timestamp(user.date_joined).rest(),
            }),
            permission_groups: groups,
        }
    }
}

input! {
    /// An address to invite.
    pub struct InviteBody {
        pub email: Email,
        pub role: Given<RoleWord>,
        pub permission_groups: Given<Vec<Option<Pk>>>,
    }
}

impl From<InviteBody> for NewInvite {
    fn from(body: InviteBody) -> Self {
        let groups = body.permission_groups.0.unwrap_or_default();
        Self {
            email: body.email.0,
            role: body.role.0.map_or(Role::User, Into::into),
            groups: groups.into_iter().flatten().map(|group| group.0).collect(),
        }
    }
}

input! {
    /// Addresses to invite, with or without roles and groups.
    pub struct InvitesBody {
        pub invites: Given<Vec<InviteBody>>,
        pub emails: Given<Vec<Email>>,
    }
}

/// Invites several addresses.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/invite/", tag = "invites",
    request_body = InvitesBody, responses((status = 201, body = Vec<InviteView>)))]
async fn invite_many(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<Vec<InviteView>>)> {
    let input: InvitesBody = body.parse()?;
    let mut new: Vec<NewInvite> = input
        .invites
        .0
        .unwrap_or_default()
        .into_iter()
        .map(Into::into)
        .collect();
    new.extend(
        input
            .emails
            .0
            .unwrap_or_default()
            .into_iter()
            .map(|email| NewInvite {
                email: email.0,
                role: Role::User,
                groups: Vec::new(),
            }),
    );
    let written = invites::create(&app, &caller, id.get()?, new).await?;
    Ok((
        StatusCode::CREATED,
        Json(written.into_iter().map(Into::into).collect()),
    ))
}

/// The open invitations.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/invites/", tag = "invites",
    responses((status = 200, body = Page<ListedInvite>)))]
async fn list_invites(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<ListedInvite>>> {
    let mut tx = app.db().read().await?;
    let all = invites::list(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Invites one address.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/invites/", tag = "invites",
    request_body = InviteBody, responses((status = 201, body = InviteView)))]
async fn create_invite(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<InviteView>)> {
    let input: InviteBody = body.parse()?;
    let written = invites::create_one(&app, &caller, id.get()?, input.into()).await?;
    Ok((StatusCode::CREATED, Json(written.into())))
}

/// One open invitation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/invites/{invite_id}/", tag = "invites",
    responses((status = 200, body = ListedInvite)))]
async fn get_invite(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<ListedInvite>> {
    let mut tx = app.db().read().await?;
    let details = invites::get(&mut tx, &caller, organisation.get()?, id).await?;
    Ok(Json(details.into()))
}

/// Withdraws an invitation.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/invites/{invite_id}/", tag = "invites",
    responses((status = 204)))]
async fn delete_invite(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<StatusCode> {
    invites::delete(&app, &caller, organisation.get()?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends an invitation once more.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/invites/{invite_id}/resend/",
    tag = "invites", responses((status = 200, body = ListedInvite)))]
async fn resend_invite(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<ListedInvite>> {
    let details = invites::resend(&app, &caller, organisation.get()?, id).await?;
    Ok(Json(details.into()))
}

/// Where an invitation can be accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteAddress {
    pub link: String,
}

/// Where the invited address can accept. For administrators without a mail server, who hand it over themselves.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/invites/{invite_id}/link/",
    tag = "invites", responses((status = 200, body = InviteAddress)))]
async fn get_invite_address(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<InviteAddress>> {
    let mut tx = app.db().read().await?;
    let link = invites::link(&app, &mut tx, &caller, organisation.get()?, id).await?;
    Ok(Json(InviteAddress { link }))
}

/// A link with which anybody can join.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteLinkView {
    pub id: i64,
    pub hash: String,
    pub date_created: String,
    #[schema(value_type = super::members::RoleWord)]
    pub role: String,
    pub expires_at: Option<String>,
}

impl From<InviteLink> for InviteLinkView {
    fn from(link: InviteLink) -> Self {
        Self {
            id: link.id,
            hash: link.hash,
            date_created: Timestamp(link.created_at).rest(),
            role: link.role,
            expires_at: link.expires_at.map(|at| Timestamp(at).rest()),
        }
    }
}

/// The links with which anybody can join.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/invite-links/", tag = "invites",
    responses((status = 200, body = Vec<InviteLinkView>)))]
async fn list_invite_links(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<Vec<InviteLinkView>>> {
    let mut tx = app.db().read().await?;
    let links = invites::links(&app, &mut tx, &caller, id.get()?).await?;
    Ok(Json(links.into_iter().map(Into::into).collect()))
}

input! {
    /// A link to make.
    pub struct InviteLinkBody {
        pub role: Given<RoleWord>,
        pub expires_at: Option<Timestamp>,
    }
}

/// Makes a link with which anybody can join.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/invite-links/", tag = "invites",
    request_body = InviteLinkBody, responses((status = 201, body = InviteLinkView)))]
async fn create_invite_link(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<InviteLinkView>)> {
    let input: InviteLinkBody = body.parse()?;
    let role = input.role.0.map_or(Role::User, Into::into);
    let link = invites::create_link(&app, &caller, id.get()?, role, input.expires_at).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Makes a link useless.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/invite-links/{link_id}/",
    tag = "invites", responses((status = 204)))]
async fn delete_invite_link(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<StatusCode> {
    invites::delete_link(&app, &caller, organisation.get()?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accepts an invitation by mail.
#[utoipa::path(post, path = "/api/v1/users/join/{hash}/", tag = "invites",
    responses((status = 200, body = OrganisationView)))]
async fn join(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(hash): Path<String>,
) -> ApiResult<Json<OrganisationView>> {
    Ok(Json(invites::join(&app, &caller, &hash).await?.into()))
}

/// Joins by a link.
#[utoipa::path(post, path = "/api/v1/users/join/link/{hash}/", tag = "invites",
    responses((status = 200, body = OrganisationView)))]
async fn join_by_link(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(hash): Path<String>,
) -> ApiResult<Json<OrganisationView>> {
    Ok(Json(invites::join_by_link(&app, &caller, &hash).await?.into()))
}
