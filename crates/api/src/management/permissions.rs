//! Permissions of organisations, projects and environments: what there is and who has it.
//! What is granted to whom is in `grants`.
//!
//! The three levels have the same routes, so they are written once, relative to the object, and mounted three times.
//! Which level a request means is read from its route ([`At`]).

use axum::Json;
use axum::extract::{FromRequestParts, MatchedPath, State};
use axum::http::request::Parts;
use burgee_app::App;
use burgee_app::permissions::{self, Detailed, FromRole, Level, Origin, Summary};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::grants;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::params::Path;

/// The routes of this noun, on all levels.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .nest("/api/v1/organisations", catalogue("organisation"))
        .nest("/api/v1/projects", catalogue("project"))
        .nest("/api/v1/environments", catalogue("environment"))
        .nest(
            "/api/v1/organisations/{organisation_id}",
            of_object("organisation"),
        )
        .nest("/api/v1/projects/{project_id}", of_object("project"))
        .nest("/api/v1/projects/{project_id}", of_project())
        .nest("/api/v1/environments/{environment_key}", of_object("environment"))
}

/// What permissions there are on a level.
fn catalogue(level: &str) -> OpenApiRouter<App> {
    named(level, OpenApiRouter::new().routes(routes!(list_permissions)))
}

/// Who has which at an object.
fn of_object(level: &str) -> OpenApiRouter<App> {
    let routes = OpenApiRouter::new()
        .routes(routes!(get_my_permissions))
        .routes(routes!(get_user_detailed_permissions))
        .merge(grants::router());
    named(level, routes)
}

/// What only projects have.
fn of_project() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_all_user_permissions))
}

/// Gives each operation a name of its own on each level.
fn named(level: &str, mut routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    for item in routes.get_openapi_mut().paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            let id = operation.operation_id.take().unwrap_or_default();
            operation.operation_id = Some(format!("{level}_{id}"));
        }
    }
    routes
}

/// The level a request means.
#[derive(Debug, Clone, Copy)]
pub struct At(pub Level);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let route = parts.extensions.get::<MatchedPath>();
        let noun = route.and_then(|route| route.as_str().strip_prefix("/api/v1/")?.split('/').next());
        match noun {
            Some("organisations") => Ok(Self(Level::Organisation)),
            Some("projects") => Ok(Self(Level::Project)),
            Some("environments") => Ok(Self(Level::Environment)),
            _ => Err(ApiError::not_found()),
        }
    }
}

/// A permission that can be granted.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionView {
    #[schema(value_type = crate::words::PermissionKey)]
    pub key: &'static str,
    pub description: &'static str,
    pub supports_tag: bool,
}

/// The permissions of this level.
#[utoipa::path(get, path = "/permissions/", tag = "permissions",
    responses((status = 200, body = Vec<PermissionView>)))]
async fn list_permissions(At(level): At, Signed(_): Signed) -> Json<Vec<PermissionView>> {
    let view = |permission: permissions::Permission| PermissionView {
        key: permission.key,
        description: permission.description,
        supports_tag: permission.supports_tag,
    };
    Json(level.permissions().into_iter().map(view).collect())
}

/// Permissions for the features with certain tags only.
#[derive(Debug, Serialize, ToSchema)]
pub struct TagPermissions {
    #[schema(value_type = Vec<crate::words::PermissionKey>)]
    pub permissions: Vec<String>,
    pub tags: Vec<i64>,
}

/// What a user may do at an object. An administrator may do everything, listed or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionsView {
    #[schema(value_type = Vec<crate::words::PermissionKey>)]
    pub permissions: Vec<String>,
    pub admin: bool,
    pub tag_based_permissions: Vec<TagPermissions>,
}

impl From<Summary> for PermissionsView {
    fn from(summary: Summary) -> Self {
        Self {
            permissions: summary.keys,
            admin: summary.admin,
            tag_based_permissions: summary
                .limited
                .into_iter()
                .map(|(permissions, tags)| TagPermissions { permissions, tags })
                .collect(),
        }
    }
}

/// What the caller may do here.
#[utoipa::path(get, path = "/my-permissions/", tag = "permissions",
    responses((status = 200, body = PermissionsView)))]
async fn get_my_permissions(
    State(app): State<App>,
    Signed(caller): Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
) -> ApiResult<Json<PermissionsView>> {
    let mut tx = app.db().read().await?;
    let mine = permissions::mine(&mut tx, &caller, level, &object).await?;
    Ok(Json(mine.into()))
}

/// What a member may do here.
#[utoipa::path(get, path = "/all-user-permissions/{user_id}/", tag = "permissions",
    responses((status = 200, body = PermissionsView)))]
async fn get_all_user_permissions(
    State(app): State<App>,
    Signed(caller): Signed,
    At(level): At,
    Path((object, user)): Path<(String, i64)>,
) -> ApiResult<Json<PermissionsView>> {
    let mut tx = app.db().read().await?;
    let summary = permissions::of_user(&mut tx, &caller, level, &object, user).await?;
    Ok(Json(summary.into()))
}

/// A group, by name only.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    pub id: i64,
    pub name: String,
}

/// A role, with the tags it limits the right to.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedRole {
    pub id: i64,
    pub name: String,
    pub tags: Vec<i64>,
}

/// Through what somebody has a right that is not his own.
#[derive(Debug, Serialize, ToSchema)]
pub struct DerivedFrom {
    pub groups: Vec<Named>,
    pub roles: Vec<NamedRole>,
}

impl From<Origin> for DerivedFrom {
    fn from(origin: Origin) -> Self {
        let named = |(id, name)| Named { id, name };
        Self {
            groups: origin.groups.into_iter().map(named).collect(),
            roles: origin
                .roles
                .into_iter()
                .map(|FromRole { id, name, tags }| NamedRole { id, name, tags })
                .collect(),
        }
    }
}

/// One permission somebody has, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetailedPermission {
    #[schema(value_type = crate::words::PermissionKey)]
    pub permission_key: String,
    pub is_directly_granted: bool,
    pub derived_from: DerivedFrom,
}

/// What somebody may do, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetailedPermissions {
    pub admin: bool,
    pub permissions: Vec<DetailedPermission>,
    /// Whether he is an administrator by himself.
    pub is_directly_granted: bool,
    pub derived_from: DerivedFrom,
}

impl From<Detailed> for DetailedPermissions {
    fn from(detailed: Detailed) -> Self {
        let permission = |(permission_key, origin): (String, Origin)| DetailedPermission {
            permission_key,
            is_directly_granted: origin.direct,
            derived_from: origin.into(),
        };
        Self {
            admin: detailed.admin,
            permissions: detailed.permissions.into_iter().map(permission).collect(),
            is_directly_granted: detailed.admin_origin.direct,
            derived_from: detailed.admin_origin.into(),
        }
    }
}

/// What a member may do here, and why.
#[utoipa::path(get, path = "/user-detailed-permissions/{user_id}/", tag = "permissions",
    responses((status = 200, body = DetailedPermissions)))]
async fn get_user_detailed_permissions(
    State(app): State<App>,
    Signed(caller): Signed,
    At(level): At,
    Path((object, user)): Path<(String, i64)>,
) -> ApiResult<Json<DetailedPermissions>> {
    let mut tx = app.db().read().await?;
    let detailed = permissions::detailed(&mut tx, &caller, level, &object, user).await?;
    Ok(Json(detailed.into()))
}
