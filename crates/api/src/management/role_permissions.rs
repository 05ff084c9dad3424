//! `…/roles/{role_id}/organisation-permissions/`, `projects-permissions/` and `environments-permissions/`.
//!
//! The three levels have the same six operations, which are written once ([`role_grants!`]).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::permissions::Level;
use burgee_app::role_permissions::{self, Grant, Granted, RoleGrantEdit};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::grants::{KeyWord, Keys};
use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Pk};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            list_role_organisation_permissions,
            create_role_organisation_permission
        ))
        .routes(routes!(
            get_role_organisation_permission,
            update_role_organisation_permission,
            patch_role_organisation_permission,
            delete_role_organisation_permission
        ))
        .routes(routes!(
            list_role_project_permissions,
            create_role_project_permission
        ))
        .routes(routes!(
            get_role_project_permission,
            update_role_project_permission,
            patch_role_project_permission,
            delete_role_project_permission
        ))
        .routes(routes!(
            list_role_environment_permissions,
            create_role_environment_permission
        ))
        .routes(routes!(
            get_role_environment_permission,
            update_role_environment_permission,
            patch_role_environment_permission,
            delete_role_environment_permission
        ))
}

/// What a role may do in its organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleOrganisationPermission {
    pub id: i64,
    pub role: i64,
    #[schema(value_type = Vec<crate::words::PermissionKey>)]
    pub permissions: Vec<String>,
}

/// A permission and the tags it is limited to; without tags it holds for every feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaggedPermission {
    #[schema(value_type = crate::words::PermissionKey)]
    pub permission_key: String,
    pub tags: Vec<i64>,
}

/// What a role may do in a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleProjectPermission {
    pub id: i64,
    pub role: i64,
    pub project: i64,
    pub permissions: Vec<TaggedPermission>,
    /// Everything in it.
    pub admin: bool,
}

/// What a role may do in an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleEnvironmentPermission {
    pub id: i64,
    pub role: i64,
    pub environment: i64,
    pub permissions: Vec<TaggedPermission>,
    /// Everything in it.
    pub admin: bool,
}

fn tagged(grant: &Grant) -> Vec<TaggedPermission> {
    let permissions = grant.permissions().into_iter().map(|granted| TaggedPermission {
        permission_key: granted.key,
        tags: granted.tags,
    });
    permissions.collect()
}

impl From<Grant> for RoleOrganisationPermission {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            role: grant.role_id.unwrap_or_default(),
            permissions: grant.keys(),
        }
    }
}

impl From<Grant> for RoleProjectPermission {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            role: grant.role_id.unwrap_or_default(),
            project: grant.project_id.unwrap_or_default(),
            permissions: tagged(&grant),
            admin: grant.admin,
        }
    }
}

impl From<Grant> for RoleEnvironmentPermission {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            role: grant.role_id.unwrap_or_default(),
            environment: grant.environment_id.unwrap_or_default(),
            permissions: tagged(&grant),
            admin: grant.admin,
        }
    }
}

input! {
    /// A permission and the tags it is to be limited to.
    pub struct TaggedPermissionBody {
        pub permission_key: KeyWord,
        pub tags: Given<Vec<i64>>,
    }
}

input! {
    /// What a role is to be allowed in its organisation.
    pub struct RoleOrganisationPermissionBody {
        pub permissions: Given<Keys>,
    }
}

input! {
    /// What a role is to be allowed in a project.
    pub struct RoleProjectPermissionBody {
        pub project: Given<Pk>,
        pub permissions: Given<Vec<TaggedPermissionBody>>,
        pub admin: Given<bool>,
    }
}

input! {
    /// What a role is to be allowed in an environment.
    pub struct RoleEnvironmentPermissionBody {
        pub environment: Given<Pk>,
        pub permissions: Given<Vec<TaggedPermissionBody>>,
        pub admin: Given<bool>,
    }
}

fn granted(permissions: Vec<TaggedPermissionBody>) -> Vec<Granted> {
    let granted = permissions.into_iter().map(|permission| Granted {
        key: permission.permission_key.0,
        tags: permission.tags.0.unwrap_or_default(),
    });
    granted.collect()
}

required! {
    /// What a role is to be allowed in a project, all of it.
    pub struct WholeRoleProjectPermissionBody(RoleProjectPermissionBody) with project, permissions;
}

required! {
    /// What a role is to be allowed in an environment, all of it.
    pub struct WholeRoleEnvironmentPermissionBody(RoleEnvironmentPermissionBody) with environment, permissions;
}

impl From<WholeRoleProjectPermissionBody> for RoleGrantEdit {
    fn from(body: WholeRoleProjectPermissionBody) -> Self {
        body.0.into()
    }
}

impl From<WholeRoleEnvironmentPermissionBody> for RoleGrantEdit {
    fn from(body: WholeRoleEnvironmentPermissionBody) -> Self {
        body.0.into()
    }
}

impl From<RoleOrganisationPermissionBody> for RoleGrantEdit {
    fn from(body: RoleOrganisationPermissionBody) -> Self {
        let unlimited = |key| Granted {
            key,
            tags: Vec::new(),
        };
        let permissions = body.permissions.0.map(Keys::into_distinct);
        Self {
            object: None,
            permissions: permissions.map(|keys| keys.into_iter().map(unlimited).collect()),
            admin: None,
        }
    }
}

impl From<RoleProjectPermissionBody> for RoleGrantEdit {
    fn from(body: RoleProjectPermissionBody) -> Self {
        Self {
            object: body.project.0.map(|pk| pk.0),
            permissions: body.permissions.0.map(granted),
            admin: body.admin.0,
        }
    }
}

impl From<RoleEnvironmentPermissionBody> for RoleGrantEdit {
    fn from(body: RoleEnvironmentPermissionBody) -> Self {
        Self {
            object: body.environment.0.map(|pk| pk.0),
            permissions: body.permissions.0.map(granted),
            admin: body.admin.0,
        }
    }
}

macro_rules! role_grants {
    ($level:expr, $filter:tt, $all:tt, $one:tt, $view:ty, $whole:ty, $body:ty,
     $list:ident, $create:ident, $get:ident, $update:ident, $patch:ident, $delete:ident) => {
        /// What a role may do on this level.
        #[utoipa::path(get, path = $all, tag = "roles", params(($filter = Option<i64>, Query, description = "Only at this one")), responses((status = 200, body = Page<$view>)))]
        async fn $list(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role)): Path<(OrganisationId, i64)>,
            query: Query,
            paging: Paging,
        ) -> ApiResult<Json<Page<$view>>> {
            let mut tx = app.db().read().await?;
            let at = (organisation.get()?, role);
            let mut all = role_permissions::list(&mut tx, &caller, at, $level).await?;
            if let Some(wanted) = query.number($filter) {
                all.retain(|grant| $level.object_of(grant) == Some(wanted));
            }
            Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
        }

        /// Allows a role something.
        #[utoipa::path(post, path = $all, tag = "roles", request_body = $whole, responses((status = 201, body = $view)))]
        async fn $create(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role)): Path<(OrganisationId, i64)>,
            body: Body,
        ) -> ApiResult<(StatusCode, Json<$view>)> {
            let at = (organisation.get()?, role);
            let input: $whole = body.parse()?;
            let grant = role_permissions::create(&app, &caller, at, $level, input.into()).await?;
            Ok((StatusCode::CREATED, Json(grant.into())))
        }

        /// What a role may do at one object.
        #[utoipa::path(get, path = $one, tag = "roles", responses((status = 200, body = $view)))]
        async fn $get(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
        ) -> ApiResult<Json<$view>> {
            let mut tx = app.db().read().await?;
            let at = (organisation.get()?, role);
            let grant = role_permissions::get(&mut tx, &caller, at, $level, id).await?;
            Ok(Json(grant.into()))
        }

        /// Changes what a role may do; what is not given stays.
        #[utoipa::path(put, path = $one, tag = "roles", request_body = $whole, responses((status = 200, body = $view)))]
        async fn $update(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
            body: Body,
        ) -> ApiResult<Json<$view>> {
            let at = (organisation.get()?, role);
            let input: $whole = body.parse()?;
            let grant = role_permissions::update(&app, &caller, at, ($level, id), input.into()).await?;
            Ok(Json(grant.into()))
        }

        /// Changes single fields of what a role may do.
        #[utoipa::path(patch, path = $one, tag = "roles", request_body = $body, responses((status = 200, body = $view)))]
        async fn $patch(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
            body: Body,
        ) -> ApiResult<Json<$view>> {
            let at = (organisation.get()?, role);
            let input: $body = body.parse()?;
            let grant = role_permissions::update(&app, &caller, at, ($level, id), input.into()).await?;
            Ok(Json(grant.into()))
        }

        /// Takes back what a role may do.
        #[utoipa::path(delete, path = $one, tag = "roles", responses((status = 204)))]
        async fn $delete(
            State(app): State<App>,
            Signed(caller): Signed,
            Path((organisation, role, id)): Path<(OrganisationId, i64, i64)>,
        ) -> ApiResult<StatusCode> {
            role_permissions::delete(&app, &caller, (organisation.get()?, role), $level, id).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    };
}

role_grants!(
    Level::Organisation,
    "organisation",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/organisation-permissions/",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/organisation-permissions/{id}/",
    RoleOrganisationPermission,
    RoleOrganisationPermissionBody,
    RoleOrganisationPermissionBody,
    list_role_organisation_permissions,
    create_role_organisation_permission,
    get_role_organisation_permission,
    update_role_organisation_permission,
    patch_role_organisation_permission,
    delete_role_organisation_permission
);

role_grants!(
    Level::Project,
    "project",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/projects-permissions/",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/projects-permissions/{id}/",
    RoleProjectPermission,
    WholeRoleProjectPermissionBody,
    RoleProjectPermissionBody,
    list_role_project_permissions,
    create_role_project_permission,
    get_role_project_permission,
    update_role_project_permission,
    patch_role_project_permission,
    delete_role_project_permission
);

role_grants!(
    Level::Environment,
    "environment",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/environments-permissions/",
    "/api/v1/organisations/{organisation_id}/roles/{role_id}/environments-permissions/{id}/",
    RoleEnvironmentPermission,
    WholeRoleEnvironmentPermissionBody,
    RoleEnvironmentPermissionBody,
    list_role_environment_permissions,
    create_role_environment_permission,
    get_role_environment_permission,
    update_role_environment_permission,
    patch_role_environment_permission,
    delete_role_environment_permission
);
