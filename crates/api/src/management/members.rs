//! `/api/v1/organisations/{organisation_id}/users/`

use axum::Json;
use axum::extract::State;
use burgee_app::App;
use burgee_app::members::{self, Member, Role};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_members))
        .routes(routes!(update_member_role))
        .routes(routes!(remove_members))
}

choices! {
    /// What a member is in an organisation.
    pub enum RoleWord {
        Admin = "ADMIN",
        User = "USER",
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Admin => Self::Admin,
            RoleWord::User => Self::User,
        }
    }
}

/// A member of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    pub id: i64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub last_login: Option<String>,
    pub uuid: String,
    /// `ADMIN` or `USER`.
    #[schema(value_type = Option<RoleWord>)]
    pub role: Option<String>,
    /// When he signed up.
    pub date_joined: String,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            email: member.email,
            first_name: member.first_name,
            last_name: member.last_name,
            last_login: member.last_login.map(|at| Timestamp(at).rest()),
            uuid: member.uuid,
            role: Some(member.role),
            date_joined: Timestamp(member.date_joined).rest(),
        }
    }
}

/// The members of an organisation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/users/", tag = "members",
    params(("exclude_current" = Option<bool>, Query, description = "Leave out the caller")),
    responses((status = 200, body = Vec<MemberView>)))]
async fn list_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    query: Query,
) -> ApiResult<Json<Vec<MemberView>>> {
    let mut tx = app.db().read().await?;
    let without_caller = query.truth("exclude_current").unwrap_or(false);
    let all = members::list(&mut tx, &caller, id.get()?, without_caller).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

input! {
    /// A role to give.
    pub struct MemberRoleBody {
        pub role: RoleWord,
    }
}

/// Changes a member's role.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/users/{user_id}/update-role/",
    tag = "members", request_body = MemberRoleBody, responses((status = 200, body = MemberView)))]
async fn update_member_role(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, user)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<MemberView>> {
    let organisation = organisation.get()?;
    caller
        .require_organisation_admin(&mut app.db().read().await?, organisation)
        .await?;
    let input: MemberRoleBody = body.parse()?;
    let member = members::update_role(&app, &caller, organisation, user, input.role.into()).await?;
    Ok(Json(member.into()))
}

input! {
    /// A user.
    #[derive(serde::Serialize)]
    pub struct UserId {
        pub id: i64,
    }
}

/// Removes members from an organisation, with all that was granted to them in it.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/remove-users/", tag = "members",
    request_body = Vec<UserId>, responses((status = 200, body = Vec<UserId>)))]
async fn remove_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<Json<Vec<UserId>>> {
    let users: Vec<UserId> = body.parse()?;
    let ids: Vec<i64> = users.iter().map(|user| user.id).collect();
    members::remove(&app, &caller, id.get()?, &ids).await?;
    Ok(Json(users))
}
