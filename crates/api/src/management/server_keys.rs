//! `/api/v1/environments/{key}/api-keys/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::server_keys::{ServerKey, ServerKeyEdit};
use burgee_app::{App, Caller, server_keys};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Text};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_server_keys, create_server_key))
        .routes(routes!(update_server_key, patch_server_key, delete_server_key))
}

/// A secret key of an environment, for SDKs on servers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerKeyView {
    pub id: i64,
    pub key: String,
    pub active: bool,
    pub created_at: String,
    pub name: String,
    pub expires_at: Option<String>,
}

impl From<ServerKey> for ServerKeyView {
    fn from(key: ServerKey) -> Self {
        Self {
            id: key.id,
            key: key.key,
            active: key.active,
            created_at: Timestamp(key.created_at).rest(),
            name: key.name,
            expires_at: key.expires_at.map(|at| Timestamp(at).rest()),
        }
    }
}

input! {
    /// What can be chosen of a key.
    pub struct ServerKeyBody {
        pub name: Given<Text<100>>,
        pub active: Given<bool>,
        pub expires_at: Given<Option<Timestamp>>,
    }
}

required! {
    /// A server-side key to write anew.
    pub struct WholeServerKeyBody(ServerKeyBody) with name;
}

impl From<ServerKeyBody> for ServerKeyEdit {
    fn from(body: ServerKeyBody) -> Self {
        Self {
            name: body.name.0.map(|t| t.0),
            active: body.active.0,
            expires_at: body.expires_at.0.map(|at| at.map(|at| at.0)),
        }
    }
}

/// The server-side keys of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/api-keys/", tag = "environments",
    responses((status = 200, body = Vec<ServerKeyView>)))]
async fn list_server_keys(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<Vec<ServerKeyView>>> {
    let mut tx = app.db().read().await?;
    let keys = server_keys::list(&mut tx, &caller, &key).await?;
    Ok(Json(keys.into_iter().map(ServerKeyView::from).collect()))
}

/// Creates a server-side key.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/api-keys/", tag = "environments",
    request_body = WholeServerKeyBody, responses((status = 201, body = ServerKeyView)))]
async fn create_server_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ServerKeyView>)> {
    server_keys::require_admin(&app, &caller, &key).await?;
    let WholeServerKeyBody(input) = body.parse()?;
    let created = server_keys::create(&app, &caller, &key, input.into()).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// Changes a server-side key; what is not given stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/api-keys/{id}/", tag = "environments",
    request_body = WholeServerKeyBody, responses((status = 200, body = ServerKeyView)))]
async fn update_server_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ServerKeyView>> {
    change_server_key(&app, &caller, &key, id, &body, true).await
}

/// Changes single fields of a server-side key.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/api-keys/{id}/", tag = "environments",
    request_body = ServerKeyBody, responses((status = 200, body = ServerKeyView)))]
async fn patch_server_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<ServerKeyView>> {
    change_server_key(&app, &caller, &key, id, &body, false).await
}

async fn change_server_key(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    body: &Body,
    whole: bool,
) -> ApiResult<Json<ServerKeyView>> {
    server_keys::require_admin(app, caller, key).await?;
    let input = if whole {
        body.parse::<WholeServerKeyBody>()?.0
    } else {
        body.parse()?
    };
    let changed = server_keys::update(app, caller, key, id, input.into()).await?;
    Ok(Json(changed.into()))
}

/// Deletes a server-side key.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/api-keys/{id}/", tag = "environments",
    responses((status = 204)))]
async fn delete_server_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    server_keys::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
