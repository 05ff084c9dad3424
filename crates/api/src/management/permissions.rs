//! Permissions of organisations, projects and environments: `…/my-permissions/`, `…/user-permissions/` and their kin.
//!
//! The three levels have the same routes, so they are written once, relative to the object, and mounted three times.
//! Which level a request means is read from its route ([`At`]).

use axum::Json;
use axum::extract::{FromRequestParts, MatchedPath, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use burgee_app::App;
use burgee_app::groups::GroupDetails;
use burgee_app::permissions::{self, Detailed, Grant, GrantEdit, Grantee, Kin, Level, Origin, Summary};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::groups::GroupView;
use super::users::UserView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Field, Given, Pk, message, python_type};
use crate::input;
use crate::params::{Path, Query};

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
        .routes(routes!(list_user_permissions, create_user_permission))
        .routes(routes!(
            get_user_permission,
            update_user_permission,
            patch_user_permission,
            delete_user_permission
        ))
        .routes(routes!(list_group_permissions, create_group_permission))
        .routes(routes!(
            get_group_permission,
            update_group_permission,
            patch_group_permission,
            delete_group_permission
        ));
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
struct At(Level);

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
    pub permissions: Vec<String>,
    pub tags: Vec<i64>,
}

/// What a user may do at an object. An administrator may do everything, listed or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionsView {
    pub permissions: Vec<String>,
    pub admin: bool,
    pub tag_based_permissions: Vec<TagPermissions>,
}

impl From<Summary> for PermissionsView {
    fn from(summary: Summary) -> Self {
        Self {
            permissions: summary.keys,
            admin: summary.admin,
            tag_based_permissions: Vec::new(),
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

/// A group or a role, by name only.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    pub id: i64,
    pub name: String,
}

/// Through what somebody has a right that is not his own.
#[derive(Debug, Serialize, ToSchema)]
pub struct DerivedFrom {
    pub groups: Vec<Named>,
    pub roles: Vec<Named>,
}

impl From<Origin> for DerivedFrom {
    fn from(origin: Origin) -> Self {
        let named = |(id, name)| Named { id, name };
        Self {
            groups: origin.groups.into_iter().map(named).collect(),
            roles: Vec::new(),
        }
    }
}

/// One permission somebody has, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetailedPermission {
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

/// A group with the ids of who is in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupOfIds {
    pub id: i64,
    pub name: String,
    pub users: Vec<i64>,
    pub is_default: bool,
    pub external_id: Option<String>,
}

impl From<GroupDetails> for GroupOfIds {
    fn from(details: GroupDetails) -> Self {
        Self {
            id: details.group.id,
            name: details.group.name,
            users: details.members.iter().map(|member| member.id).collect(),
            is_default: details.group.is_default,
            external_id: details.group.external_id,
        }
    }
}

/// To whom something is granted: an id after a write, the whole in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum GranteeView {
    Id(i64),
    User(UserView),
    GroupOfIds(GroupOfIds),
    Group(GroupView),
}

/// A grant at an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationGrant {
    pub id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<GranteeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GranteeView>,
    pub permissions: Vec<String>,
}

/// A grant at a project or an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectGrant {
    pub id: i64,
    pub permissions: Vec<String>,
    /// Everything here and below.
    pub admin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<GranteeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GranteeView>,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum GrantView {
    Organisation(OrganisationGrant),
    Object(ObjectGrant),
}

impl GrantView {
    fn new(level: Level, kin: Kin, grant: &Grant, grantee: GranteeView) -> Self {
        let (user, group) = match kin {
            Kin::User => (Some(grantee), None),
            Kin::Group => (None, Some(grantee)),
        };
        let (id, permissions, admin) = (grant.id, grant.keys(), grant.admin);
        match level {
            Level::Organisation => Self::Organisation(OrganisationGrant {
                id,
                user,
                group,
                permissions,
            }),
            _ => Self::Object(ObjectGrant {
                id,
                permissions,
                admin,
                user,
                group,
            }),
        }
    }

    fn listed(level: Level, kin: Kin, (grant, grantee): (Grant, Grantee)) -> Self {
        let grantee = match (grantee, level) {
            (Grantee::User(user), _) => GranteeView::User(user.into()),
            (Grantee::Group(group), Level::Environment) => GranteeView::Group(group.into()),
            (Grantee::Group(group), _) => GranteeView::GroupOfIds(group.into()),
        };
        Self::new(level, kin, &grant, grantee)
    }

    fn written(level: Level, kin: Kin, grant: &Grant) -> Self {
        let id = kin.id_in(grant).unwrap_or_default();
        Self::new(level, kin, grant, GranteeView::Id(id))
    }
}

/// A list of permission keys. Whether there are such keys is for the act to say.
#[derive(Debug, Clone)]
pub struct Keys(Vec<String>);

impl Field for Keys {
    fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
        use serde_json::Value;
        let items = match value {
            None => return Err(message("This field is required.")),
            Some(Value::Null) => return Err(message("This field may not be null.")),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let kind = python_type(other);
                let text = format!("Expected a list of items but got type \"{kind}\".");
                return Err(message(text));
            }
        };
        let key = |item: &Value| match item {
            Value::String(key) => Ok(key.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => {
                let kind = python_type(other);
                Err(message(format!(
                    "Incorrect type. Expected pk value, received {kind}."
                )))
            }
        };
        items.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        <Vec<String> as utoipa::PartialSchema>::schema()
    }
}

input! {
    /// What to grant; `user` or `group`, as the path says.
    pub struct GrantBody {
        pub user: Given<Pk>,
        pub group: Given<Pk>,
        pub permissions: Given<Keys>,
        pub admin: Given<bool>,
    }
}

impl GrantBody {
    fn edit(self, kin: Kin) -> GrantEdit {
        let grantee = match kin {
            Kin::User => self.user,
            Kin::Group => self.group,
        };
        GrantEdit {
            grantee: grantee.0.map(|pk| pk.0),
            admin: self.admin.0,
            permissions: self.permissions.0.map(|keys| keys.0),
        }
    }
}

async fn list(
    app: &App,
    Signed(caller): Signed,
    level: Level,
    object: &str,
    kin: Kin,
    query: &Query,
) -> ApiResult<Json<Vec<GrantView>>> {
    let mut tx = app.db().read().await?;
    let mut found = permissions::list(&mut tx, &caller, level, object, kin).await?;
    if let Some(wanted) = query.number(kin.as_str()) {
        found.retain(|(grant, _)| kin.id_in(grant) == Some(wanted));
    }
    let views = found
        .into_iter()
        .map(|found| GrantView::listed(level, kin, found));
    Ok(Json(views.collect()))
}

async fn create(
    app: &App,
    Signed(caller): Signed,
    level: Level,
    object: &str,
    kin: Kin,
    body: &Body,
) -> ApiResult<(StatusCode, Json<GrantView>)> {
    let input: GrantBody = body.parse_with(&[kin.as_str()])?;
    let grant = permissions::create(app, &caller, level, object, kin, input.edit(kin)).await?;
    Ok((StatusCode::CREATED, Json(GrantView::written(level, kin, &grant))))
}

async fn get(
    app: &App,
    Signed(caller): Signed,
    level: Level,
    (object, id): (String, i64),
    kin: Kin,
) -> ApiResult<Json<GrantView>> {
    let mut tx = app.db().read().await?;
    let grant = permissions::get(&mut tx, &caller, level, &object, kin, id).await?;
    Ok(Json(GrantView::written(level, kin, &grant)))
}

async fn update(
    app: &App,
    Signed(caller): Signed,
    level: Level,
    (object, id): (String, i64),
    kin: Kin,
    input: GrantBody,
) -> ApiResult<Json<GrantView>> {
    let grant = permissions::update(app, &caller, level, &object, kin, id, input.edit(kin)).await?;
    Ok(Json(GrantView::written(level, kin, &grant)))
}

async fn delete(
    app: &App,
    Signed(caller): Signed,
    level: Level,
    (object, id): (String, i64),
    kin: Kin,
) -> ApiResult<StatusCode> {
    permissions::delete(app, &caller, level, &object, kin, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is granted to users here.
#[utoipa::path(get, path = "/user-permissions/", tag = "permissions",
    params(("user" = Option<i64>, Query, description = "Only to this one")),
    responses((status = 200, body = Vec<GrantView>)))]
async fn list_user_permissions(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
    query: Query,
) -> ApiResult<Json<Vec<GrantView>>> {
    list(&app, caller, level, &object, Kin::User, &query).await
}

/// Grants something to a user.
#[utoipa::path(post, path = "/user-permissions/", tag = "permissions", request_body = GrantBody,
    responses((status = 201, body = GrantView)))]
async fn create_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GrantView>)> {
    create(&app, caller, level, &object, Kin::User, &body).await
}

/// What is granted to one user.
#[utoipa::path(get, path = "/user-permissions/{grant_id}/", tag = "permissions",
    responses((status = 200, body = GrantView)))]
async fn get_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
) -> ApiResult<Json<GrantView>> {
    get(&app, caller, level, path, Kin::User).await
}

/// Changes what is granted to a user; what is not given stays.
#[utoipa::path(put, path = "/user-permissions/{grant_id}/", tag = "permissions", request_body = GrantBody,
    responses((status = 200, body = GrantView)))]
async fn update_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<GrantView>> {
    let input = body.parse_with(&[Kin::User.as_str()])?;
    update(&app, caller, level, path, Kin::User, input).await
}

/// Changes single fields of what is granted to a user.
#[utoipa::path(patch, path = "/user-permissions/{grant_id}/", tag = "permissions", request_body = GrantBody,
    responses((status = 200, body = GrantView)))]
async fn patch_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<GrantView>> {
    update(&app, caller, level, path, Kin::User, body.parse()?).await
}

/// Takes back what was granted to a user.
#[utoipa::path(delete, path = "/user-permissions/{grant_id}/", tag = "permissions",
    responses((status = 204)))]
async fn delete_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    delete(&app, caller, level, path, Kin::User).await
}

/// What is granted to groups here.
#[utoipa::path(get, path = "/user-group-permissions/", tag = "permissions",
    params(("group" = Option<i64>, Query, description = "Only to this one")),
    responses((status = 200, body = Vec<GrantView>)))]
async fn list_group_permissions(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
    query: Query,
) -> ApiResult<Json<Vec<GrantView>>> {
    list(&app, caller, level, &object, Kin::Group, &query).await
}

/// Grants something to a group.
#[utoipa::path(post, path = "/user-group-permissions/", tag = "permissions", request_body = GrantBody,
    responses((status = 201, body = GrantView)))]
async fn create_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GrantView>)> {
    create(&app, caller, level, &object, Kin::Group, &body).await
}

/// What is granted to one group.
#[utoipa::path(get, path = "/user-group-permissions/{grant_id}/", tag = "permissions",
    responses((status = 200, body = GrantView)))]
async fn get_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
) -> ApiResult<Json<GrantView>> {
    get(&app, caller, level, path, Kin::Group).await
}

/// Changes what is granted to a group; what is not given stays.
#[utoipa::path(put, path = "/user-group-permissions/{grant_id}/", tag = "permissions", request_body = GrantBody,
    responses((status = 200, body = GrantView)))]
async fn update_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<GrantView>> {
    let input = body.parse_with(&[Kin::Group.as_str()])?;
    update(&app, caller, level, path, Kin::Group, input).await
}

/// Changes single fields of what is granted to a group.
#[utoipa::path(patch, path = "/user-group-permissions/{grant_id}/", tag = "permissions", request_body = GrantBody,
    responses((status = 200, body = GrantView)))]
async fn patch_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<GrantView>> {
    update(&app, caller, level, path, Kin::Group, body.parse()?).await
}

/// Takes back what was granted to a group.
#[utoipa::path(delete, path = "/user-group-permissions/{grant_id}/", tag = "permissions",
    responses((status = 204)))]
async fn delete_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    delete(&app, caller, level, path, Kin::Group).await
}
