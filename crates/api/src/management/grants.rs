//! `…/user-permissions/` and `…/user-group-permissions/` of organisations, projects and environments: granting.
//!
//! Written once for the three levels and mounted by `permissions`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::groups::GroupDetails;
use burgee_app::permissions::{self, Grant, GrantEdit, Grantee, Kin, Level};
use serde::Serialize;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::groups::GroupView;
use super::permissions::At;
use super::users::UserView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Field, Given, Pk, Text, message, python_type};
use crate::params::{Path, Query};
use crate::words::PermissionKey;
use crate::{input, required};

/// The routes of this noun, relative to an object.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
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
        ))
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
    #[schema(nullable = false)]
    pub user: Option<GranteeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub group: Option<GranteeView>,
    #[schema(value_type = Vec<PermissionKey>)]
    pub permissions: Vec<String>,
}

/// A grant at a project or an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectGrant {
    pub id: i64,
    #[schema(value_type = Vec<PermissionKey>)]
    pub permissions: Vec<String>,
    /// Everything here and below.
    pub admin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user: Option<GranteeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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

impl Keys {
    /// The keys, each once.
    pub fn into_distinct(self) -> Vec<String> {
        let mut distinct: Vec<String> = Vec::new();
        for key in self.0 {
            if !distinct.contains(&key) {
                distinct.push(key);
            }
        }
        distinct
    }
}

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
        ArrayBuilder::new().items(PermissionKey::schema()).into()
    }
}

/// A permission key. Whether there is such a key, on this level, is for the act to say.
#[derive(Debug, Clone)]
pub struct KeyWord(pub String);

impl Field for KeyWord {
    fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
        Text::<100>::read(value).map(|text| Self(text.0))
    }

    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        PermissionKey::schema()
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

required! {
    /// What to grant to a user.
    pub struct UserGrantBody(GrantBody) with user;
}

required! {
    /// What to grant to a group.
    pub struct GroupGrantBody(GrantBody) with group;
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
    input: GrantBody,
) -> ApiResult<(StatusCode, Json<GrantView>)> {
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
#[utoipa::path(post, path = "/user-permissions/", tag = "permissions", request_body = UserGrantBody,
    responses((status = 201, body = GrantView)))]
async fn create_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GrantView>)> {
    let UserGrantBody(input) = body.parse()?;
    create(&app, caller, level, &object, Kin::User, input).await
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
#[utoipa::path(put, path = "/user-permissions/{grant_id}/", tag = "permissions", request_body = UserGrantBody,
    responses((status = 200, body = GrantView)))]
async fn update_user_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<GrantView>> {
    let UserGrantBody(input) = body.parse()?;
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
#[utoipa::path(post, path = "/user-group-permissions/", tag = "permissions", request_body = GroupGrantBody,
    responses((status = 201, body = GrantView)))]
async fn create_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path((object,)): Path<(String,)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GrantView>)> {
    let GroupGrantBody(input) = body.parse()?;
    create(&app, caller, level, &object, Kin::Group, input).await
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
#[utoipa::path(put, path = "/user-group-permissions/{grant_id}/", tag = "permissions", request_body = GroupGrantBody,
    responses((status = 200, body = GrantView)))]
async fn update_group_permission(
    State(app): State<App>,
    caller: Signed,
    At(level): At,
    Path(path): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<GrantView>> {
    let GroupGrantBody(input) = body.parse()?;
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
