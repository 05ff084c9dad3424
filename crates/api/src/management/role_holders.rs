//! `…/roles/{role_id}/users/`, `groups/` and `master-api-keys/`: who has a role.
//!
//! The three kinds have the same six operations, which are written once ([`holders!`]).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::roles::{self, HolderDetails, HolderKind, Whom};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_role_users, create_role_user))
        .routes(routes!(
            get_role_user,
            update_role_user,
            patch_role_user,
            delete_role_user
        ))
        .routes(routes!(list_role_groups, create_role_group))
        .routes(routes!(
            get_role_group,
            update_role_group,
            patch_role_group,
            delete_role_group
        ))
        .routes(routes!(list_role_master_api_keys, create_role_master_api_key))
        .routes(routes!(
            get_role_master_api_key,
            update_role_master_api_key,
            patch_role_master_api_key,
            delete_role_master_api_key
        ))
}

/// A user has a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserRole {
    pub id: i64,
    pub user: i64,
    pub role: i64,
}

/// A group has a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupRole {
    pub id: i64,
    pub group: i64,
    pub role: i64,
}

/// A master API key has a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct MasterApiKeyRole {
    pub id: i64,
    /// The half of the key that is no secret.
    pub master_api_key: String,
    pub role: i64,
    pub role_name: String,
}

impl From<HolderDetails> for UserRole {
    fn from(details: HolderDetails) -> Self {
        Self {
            id: details.holder.id,
            user: details.holder.user_id.unwrap_or_default(),
            role: details.holder.role_id,
        }
    }
}

impl From<HolderDetails> for GroupRole {
    fn from(details: HolderDetails) -> Self {
        Self {
            id: details.holder.id,
            group: details.holder.group_id.unwrap_or_default(),
            role: details.holder.role_id,
        }
    }
}

impl From<HolderDetails> for MasterApiKeyRole {
    fn from(details: HolderDetails) -> Self {
        Self {
            id: details.holder.id,
            master_api_key: details.prefix.unwrap_or_default(),
            role: details.holder.role_id,
            role_name: details.role_name,
        }
    }
}

input! {
    /// The user to give a role to.
    pub struct UserRoleBody {
        pub user: Given<Pk>,
    }
}

required! {
    /// Whom to give a role to, named.
    pub struct WholeUserRoleBody(UserRoleBody) with user;
}

input! {
    /// The group to give a role to.
    pub struct GroupRoleBody {
        pub group: Given<Pk>,
    }
}

required! {
    /// Whom to give a role to, named.
    pub struct WholeGroupRoleBody(GroupRoleBody) with group;
}

input! {
    /// The master API key to give a role to, by its id or prefix.
    pub struct MasterApiKeyRoleBody {
        pub master_api_key: Given<Text<150>>,
    }
}

required! {
    /// Whom to give a role to, named.
    pub struct WholeMasterApiKeyRoleBody(MasterApiKeyRoleBody) with master_api_key;
}

impl UserRoleBody {
    fn whom(self) -> Option<Whom> {
        self.user.0.map(|pk| Whom::User(pk.0))
    }
}

impl GroupRoleBody {
    fn whom(self) -> Option<Whom> {
        self.group.0.map(|pk| Whom::Group(pk.0))
    }
}

impl MasterApiKeyRoleBody {
    fn whom(self) -> Option<Whom> {
        self.master_api_key.0.map(|text| Whom::MasterApiKey(text.0))
    }
}

macro_rules! holders {
    ($kind:expr, $all:tt, $one:tt, $view:ty, $whole:ty, $body:ty,
     $list:ident, $create:ident, $get:ident, $update:ident, $patch:ident, $delete:ident) => {
        /// Those of this kind who have a role.
        #[utoipa::path(get, path = $all, tag = "roles", responses((status = 200, body = Page<$view>)))]
        async fn $list(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role)): Path<(OrganisationId, i64)>,
            paging: Paging,
        ) -> ApiResult<Json<Page<$view>>> {
            let mut tx = app.db().read().await?;
            let all = roles::holders(&mut tx, &caller, (organisation.get()?, role), $kind).await?;
            Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
        }

        /// Gives a role to somebody.
        #[utoipa::path(post, path = $all, tag = "roles", request_body = $whole, responses((status = 201, body = $view)))]
        async fn $create(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role)): Path<(OrganisationId, i64)>,
            body: Body,
        ) -> ApiResult<(StatusCode, Json<$view>)> {
            let at = (organisation.get()?, role);
            let input: $whole = body.parse()?;
            let whom = input.0.whom().ok_or_else(crate::error::ApiError::not_found)?;
            let details = roles::give(&app, &caller, at, &whom).await?;
            Ok((StatusCode::CREATED, Json(details.into())))
        }

        /// One of those who have a role.
        #[utoipa::path(get, path = $one, tag = "roles", responses((status = 200, body = $view)))]
        async fn $get(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
        ) -> ApiResult<Json<$view>> {
            let mut tx = app.db().read().await?;
            let details = roles::holder(&mut tx, &caller, (organisation.get()?, role), $kind, id).await?;
            Ok(Json(details.into()))
        }

        /// Gives a role to somebody else instead.
        #[utoipa::path(put, path = $one, tag = "roles", request_body = $whole, responses((status = 200, body = $view)))]
        async fn $update(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
            body: Body,
        ) -> ApiResult<Json<$view>> {
            let at = (organisation.get()?, role);
            let input: $whole = body.parse()?;
            let details = roles::pass(&app, &caller, at, ($kind, id), input.0.whom().as_ref()).await?;
            Ok(Json(details.into()))
        }

        /// Gives a role to somebody else instead, if one is named.
        #[utoipa::path(patch, path = $one, tag = "roles", request_body = $body, responses((status = 200, body = $view)))]
        async fn $patch(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
            body: Body,
        ) -> ApiResult<Json<$view>> {
            let at = (organisation.get()?, role);
            let input: $body = body.parse()?;
            let details = roles::pass(&app, &caller, at, ($kind, id), input.whom().as_ref()).await?;
            Ok(Json(details.into()))
        }

        /// Takes a role from somebody.
        #[utoipa::path(delete, path = $one, tag = "roles", responses((status = 204)))]
        async fn $delete(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
        ) -> ApiResult<StatusCode> {
            roles::take(&app, &caller, (organisation.get()?, role), $kind, id).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    };
}

holders!(
    HolderKind::User,
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/users/",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/users/{id}/",
    UserRole,
    WholeUserRoleBody,
    UserRoleBody,
    list_role_users,
    create_role_user,
    get_role_user,
    update_role_user,
    patch_role_user,
    delete_role_user
);

holders!(
    HolderKind::Group,
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/groups/",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/groups/{id}/",
    GroupRole,
    WholeGroupRoleBody,
    GroupRoleBody,
    list_role_groups,
    create_role_group,
    get_role_group,
    update_role_group,
    patch_role_group,
    delete_role_group
);

holders!(
    HolderKind::MasterApiKey,
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/master-api-keys/",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/master-api-keys/{id}/",
    MasterApiKeyRole,
    WholeMasterApiKeyRoleBody,
    MasterApiKeyRoleBody,
    list_role_master_api_keys,
    create_role_master_api_key,
    get_role_master_api_key,
    update_role_master_api_key,
    patch_role_master_api_key,
    delete_role_master_api_key
);
