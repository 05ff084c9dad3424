//! `/api/v1/environments/{key}/document/`: the environment document, for those who manage the environment.

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::{App, environment_states, environments};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::params::Path;
use crate::sdk::shapes::EnvironmentDocument;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_document))
}

/// What SDKs that evaluate by themselves read of this environment.
#[utoipa::path(get, path = "/api/v1/environments/{api_key}/document/", tag = "environments",
    responses((status = 200, body = EnvironmentDocument)))]
async fn get_document(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Response> {
    let mut tx = app.db().read().await?;
    let place = environments::get(&mut tx, &caller, &key).await?;
    // It names the identities that have overrides.
    environment_states::require_identities(&mut tx, &caller, &place).await?;
    let served = app
        .environments()
        .by_id(place.environment.id)
        .ok_or_else(ApiError::not_found)?;
    let body = Body::from(served.snapshot().document.plain.clone());
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}
