//! `/api/v1/environments/{key}/identities/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::identities::{Identity, IdentityName};
use burgee_app::{App, identities};
use burgee_model::limits;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_identities, create_identity))
        .routes(routes!(
            get_identity,
            update_identity,
            patch_identity,
            delete_identity
        ))
}

/// An identity.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityView {
    pub id: i64,
    pub identifier: String,
    pub environment: i64,
}

impl From<IdentityName> for IdentityView {
    fn from(identity: IdentityName) -> Self {
        Self {
            id: identity.id,
            identifier: identity.identifier,
            environment: identity.environment_id,
        }
    }
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            id: identity.id,
            identifier: identity.identifier,
            environment: identity.environment_id,
        }
    }
}

input! {
    /// What can be chosen of an identity.
    pub struct IdentityBody {
        pub identifier: Given<Text<{ limits::IDENTIFIER_LENGTH }>>,
    }
}

required! {
    /// An identity to write.
    pub struct WholeIdentityBody(IdentityBody) with identifier;
}

/// The identities of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/", tag = "identities",
    params(("q" = Option<String>, Query, description = "Part of the identifier; in double quotes, all of it")),
    responses((status = 200, body = Page<IdentityView>)))]
async fn list_identities(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<IdentityView>>> {
    let mut tx = app.db().read().await?;
    // A bad page number must not tell whether there is such an environment.
    identities::require_view(&mut tx, &caller, &key).await?;
    let (limit, offset) = (paging.limit(), paging.offset()?);
    let (count, rows) =
        identities::list(&app, &mut tx, &caller, &key, query.text("q"), (limit, offset)).await?;
    let views = rows.into_iter().map(IdentityView::from).collect();
    Ok(Json(paging.page(count, views)?))
}

/// Creates an identity.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/identities/", tag = "identities",
    request_body = WholeIdentityBody, responses((status = 201, body = IdentityView)))]
async fn create_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<IdentityView>)> {
    identities::require_manage(&app, &caller, &key).await?;
    let WholeIdentityBody(input) = body.parse()?;
    let identifier = input.identifier.0.map(|text| text.0).unwrap_or_default();
    let created = identities::create(&app, &caller, &key, identifier).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// One identity.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/", tag = "identities",
    responses((status = 200, body = IdentityView)))]
async fn get_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<IdentityView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(identities::get(&mut tx, &caller, &key, id).await?.into()))
}

/// Gives an identity another identifier.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/", tag = "identities",
    request_body = WholeIdentityBody, responses((status = 200, body = IdentityView)))]
async fn update_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<IdentityView>> {
    identities::require_manage(&app, &caller, &key).await?;
    let WholeIdentityBody(input) = body.parse()?;
    let identifier = input.identifier.0.map(|text| text.0).unwrap_or_default();
    let changed = identities::rename(&app, &caller, &key, id, identifier).await?;
    Ok(Json(changed.into()))
}

/// Gives an identity another identifier, if any is given.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/", tag = "identities",
    request_body = IdentityBody, responses((status = 200, body = IdentityView)))]
async fn patch_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<IdentityView>> {
    identities::require_manage(&app, &caller, &key).await?;
    let input: IdentityBody = body.parse()?;
    let Some(Text(identifier)) = input.identifier.0 else {
        let mut tx = app.db().read().await?;
        return Ok(Json(identities::get(&mut tx, &caller, &key, id).await?.into()));
    };
    let changed = identities::rename(&app, &caller, &key, id, identifier).await?;
    Ok(Json(changed.into()))
}

/// Deletes an identity with its traits and overrides.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/", tag = "identities",
    responses((status = 204)))]
async fn delete_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    identities::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
