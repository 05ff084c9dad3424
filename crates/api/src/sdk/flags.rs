//! `/api/v1/flags/`: the flags of an environment, without an identity.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::sdk::{evaluation, identities};
use burgee_app::served::Resource;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identities::check_identifier;
use super::key::{self, EnvironmentKey};
use super::shapes::{Flags, ServedOptions, Spoken};
use crate::error::{ApiError, Detail, detail};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_flags, describe_flags))
        .routes(routes!(get_flags_of_identity))
        .routes(routes!(get_multivariate_options))
}

/// All flags, or the one that `feature` names. Answered from bytes that were prepared when the environment changed.
#[utoipa::path(get, path = "/api/v1/flags/", tag = "sdk",
    params(("feature" = Option<String>, Query, description = "Only this feature, whatever its case")),
    responses((status = 200, body = Flags), (status = 404, description = "No such feature"),
        (status = 406, body = Detail, description = "The client takes no JSON")))]
async fn get_flags(State(app): State<App>, headers: HeaderMap, query: Query) -> Response {
    let key = match key::find(&app, &headers) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    if let Some(refusal) = refuse_format(&headers, &query) {
        return refusal;
    }
    key.served.count(Resource::Flags);
    evaluation::note_first(&app, &key.served, user_agent(&headers));
    let snapshot = key.snapshot();
    match query.get("feature") {
        None => {
            let body = if key.server {
                &snapshot.flags_for_servers
            } else {
                &snapshot.flags_for_clients
            };
            key::versioned(key::prepared(body, key::accepts_gzip(&headers)), &snapshot)
        }
        Some(name) => match evaluation::default_flag(&snapshot, key.server, name) {
            Some(body) => key::keyed(key::json(StatusCode::OK, body)),
            None => key::keyed(feature_not_found()),
        },
    }
}

/// What this endpoint speaks.
#[utoipa::path(options, path = "/api/v1/flags/", tag = "sdk", responses((status = 200, body = Spoken)))]
async fn describe_flags(_: EnvironmentKey) -> Response {
    let body = json!({
        "name": "Sdk Feature States",
        "description": "",
        "renders": ["application/json"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    ([(header::ALLOW, "GET, HEAD, OPTIONS")], axum::Json(body)).into_response()
}

/// The flags of an identity, as first-generation clients ask for them. Creates the identity.
#[utoipa::path(get, path = "/api/v1/flags/{identifier}/", tag = "sdk",
    params(("feature" = Option<String>, Query, description = "Only this feature")),
    responses((status = 200, body = Flags)))]
async fn get_flags_of_identity(
    State(app): State<App>,
    key: EnvironmentKey,
    Path(identifier): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let identifier = check_identifier(&identifier)?;
    key.served.count(Resource::Flags);
    let identity = identities::get_or_create(&app, &key.served, identifier).await?;
    let snapshot = key.snapshot();
    let body = match query.text("feature") {
        None => Some(evaluation::flags_without_variants(
            &snapshot, &identity, key.server,
        )),
        Some(name) => evaluation::flag_without_variant(&snapshot, &identity, key.server, name),
    };
    Ok(key::keyed(body.map_or_else(feature_not_found, |body| {
        key::json(StatusCode::OK, body)
    })))
}

/// The values a multivariate feature may serve.
#[utoipa::path(get, path = "/api/v1/flags/{feature_id}/multivariate-options/", tag = "sdk",
    responses((status = 200, body = ServedOptions)))]
async fn get_multivariate_options(
    key: EnvironmentKey,
    Path(feature_id): Path<i64>,
) -> Result<Response, ApiError> {
    let snapshot = key.snapshot();
    let body = evaluation::multivariate_options(&snapshot, key.server, feature_id)?;
    Ok(key::keyed(axum::Json(body).into_response()))
}

pub(super) fn feature_not_found() -> Response {
    detail(StatusCode::NOT_FOUND, "Given feature not found")
}

/// This endpoint renders JSON only.
fn refuse_format(headers: &HeaderMap, query: &Query) -> Option<Response> {
    if query.text("format").is_some_and(|format| format != "json") {
        return Some(detail(StatusCode::NOT_FOUND, "Not found."));
    }
    let accepted = headers.get(header::ACCEPT)?.to_str().ok()?;
    let json = accepted.split(',').any(|range| {
        let media = range.split(';').next().unwrap_or_default().trim();
        matches!(media, "" | "*/*" | "application/*" | "application/json")
    });
    (!json).then(|| {
        detail(
            StatusCode::NOT_ACCEPTABLE,
            "Could not satisfy the request Accept header.",
        )
    })
}

/// How an SDK names itself; browsers can't set `User-Agent`.
pub(super) fn user_agent(headers: &HeaderMap) -> Option<&str> {
    let named = headers
        .get("flagsmith-sdk-user-agent")
        .or_else(|| headers.get(header::USER_AGENT));
    named.and_then(|v| v.to_str().ok())
}
