//! `/api/v1/organisations/{organisation_id}/master-api-keys/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::master_api_keys::{self, MasterApiKey, MasterApiKeyEdit};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_master_api_keys, create_master_api_key))
        .routes(routes!(
            get_master_api_key,
            update_master_api_key,
            patch_master_api_key,
            delete_master_api_key
        ))
}

/// A key of an organisation to the management API.
#[derive(Debug, Serialize, ToSchema)]
pub struct MasterApiKeyView {
    /// The same as the prefix: what is kept of the secret is nobody's business.
    pub id: String,
    pub prefix: String,
    pub created: String,
    pub name: String,
    pub revoked: bool,
    pub expiry_date: Option<String>,
    /// The whole key, only when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
    pub is_admin: bool,
    pub has_expired: bool,
    pub created_by: Option<i64>,
}

impl MasterApiKeyView {
    fn new(key: MasterApiKey, text: Option<String>) -> Self {
        Self {
            id: key.prefix.clone(),
            prefix: key.prefix,
            created: Timestamp(key.created_at).rest(),
            name: key.name,
            revoked: key.revoked,
            expiry_date: key.expires_at.map(|at| Timestamp(at).rest()),
            key: text,
            is_admin: key.is_admin,
            has_expired: key.expires_at.is_some_and(|at| at <= Timestamp::now().0),
            created_by: key.created_by,
        }
    }
}

impl From<MasterApiKey> for MasterApiKeyView {
    fn from(key: MasterApiKey) -> Self {
        Self::new(key, None)
    }
}

input! {
    /// The settings of a key.
    pub struct MasterApiKeyBody {
        pub name: Given<Text<50>>,
        pub is_admin: Given<bool>,
        pub revoked: Given<bool>,
        pub expiry_date: Given<Option<Timestamp>>,
    }
}

required! {
    /// A key to write anew.
    pub struct WholeMasterApiKeyBody(MasterApiKeyBody) with name;
}

impl From<MasterApiKeyBody> for MasterApiKeyEdit {
    fn from(body: MasterApiKeyBody) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            is_admin: body.is_admin.0,
            revoked: body.revoked.0,
            expires_at: body.expiry_date.0,
        }
    }
}

/// The keys of an organisation, newest first.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/master-api-keys/", tag = "master API keys",
    responses((status = 200, body = Page<MasterApiKeyView>)))]
async fn list_master_api_keys(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<MasterApiKeyView>>> {
    let mut tx = app.db().read().await?;
    let all = master_api_keys::list(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Makes a key, which is shown this once.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/master-api-keys/", tag = "master API keys",
    request_body = WholeMasterApiKeyBody, responses((status = 201, body = MasterApiKeyView)))]
async fn create_master_api_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<MasterApiKeyView>)> {
    let WholeMasterApiKeyBody(input) = body.parse()?;
    let (key, text) = master_api_keys::create(&app, &caller, id.get()?, input.into()).await?;
    Ok((StatusCode::CREATED, Json(MasterApiKeyView::new(key, Some(text)))))
}

/// One key.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/",
    tag = "master API keys", responses((status = 200, body = MasterApiKeyView)))]
async fn get_master_api_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, prefix)): Path<(OrganisationId, String)>,
) -> ApiResult<Json<MasterApiKeyView>> {
    let mut tx = app.db().read().await?;
    let key = master_api_keys::get(&mut tx, &caller, organisation.get()?, &prefix).await?;
    Ok(Json(key.into()))
}

/// Changes a key; what is not given stays.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/",
    tag = "master API keys", request_body = WholeMasterApiKeyBody,
    responses((status = 200, body = MasterApiKeyView)))]
async fn update_master_api_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, prefix)): Path<(OrganisationId, String)>,
    body: Body,
) -> ApiResult<Json<MasterApiKeyView>> {
    let WholeMasterApiKeyBody(input) = body.parse()?;
    let key = master_api_keys::update(&app, &caller, organisation.get()?, &prefix, input.into()).await?;
    Ok(Json(key.into()))
}

/// Changes single fields of a key.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/",
    tag = "master API keys", request_body = MasterApiKeyBody,
    responses((status = 200, body = MasterApiKeyView)))]
async fn patch_master_api_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, prefix)): Path<(OrganisationId, String)>,
    body: Body,
) -> ApiResult<Json<MasterApiKeyView>> {
    let input: MasterApiKeyBody = body.parse()?;
    let key = master_api_keys::update(&app, &caller, organisation.get()?, &prefix, input.into()).await?;
    Ok(Json(key.into()))
}

/// Deletes a key.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/",
    tag = "master API keys", responses((status = 204)))]
async fn delete_master_api_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, prefix)): Path<(OrganisationId, String)>,
) -> ApiResult<StatusCode> {
    master_api_keys::delete(&app, &caller, organisation.get()?, &prefix).await?;
    Ok(StatusCode::NO_CONTENT)
}
