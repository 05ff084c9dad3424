//! `/api/v1/environment-document/`: what SDKs that evaluate by themselves read.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::sdk::evaluation;
use burgee_app::served::{Resource, Snapshot};
use burgee_model::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::flags::user_agent;
use super::key;
use super::shapes::EnvironmentDocument;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_environment_document))
}

/// The whole environment on one page, for server-side keys.
#[utoipa::path(get, path = "/api/v1/environment-document/", tag = "sdk",
    responses((status = 200, body = EnvironmentDocument), (status = 304, description = "Nothing changed"),
        (status = 412, description = "It has changed since")))]
async fn get_environment_document(State(app): State<App>, headers: HeaderMap) -> Response {
    // A client-side key is refused in the words for no key at all.
    let key = match key::find(&app, &headers) {
        Ok(key) if key.server => key,
        Ok(_) => return key::refuse("Invalid or missing Environment key"),
        Err(refusal) => return refusal,
    };
    key.served.count(Resource::EnvironmentDocument);
    evaluation::note_first(&app, &key.served, user_agent(&headers));
    let snapshot = key.snapshot();
    let response = match precondition(&headers, &snapshot) {
        Some(status) => key::keyed(status.into_response()),
        None => key::versioned(
            key::prepared(&snapshot.document, key::accepts_gzip(&headers)),
            &snapshot,
        ),
    };
    validated(response, &snapshot)
}

/// Adds what a client can ask with next time.
fn validated(mut response: Response, snapshot: &Snapshot) -> Response {
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&snapshot.updated_at.http_date()) {
        headers.insert(header::LAST_MODIFIED, date);
    }
    if let Ok(etag) = HeaderValue::from_str(&snapshot.document_etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// The answer to a conditional request, when it is not the document.
///
/// An `If-None-Match` decides alone, because dates only know seconds. `*` and tags that are not ours are passed over.
fn precondition(headers: &HeaderMap, snapshot: &Snapshot) -> Option<StatusCode> {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let tags = text(header::IF_NONE_MATCH).filter(|tags| tags.trim() != "*");
    if let Some(tags) = tags {
        let ours = tags
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == snapshot.document_etag);
        return ours.then_some(StatusCode::NOT_MODIFIED);
    }
    let second = |name| {
        text(name)
            .and_then(Timestamp::parse_http_date)
            .map(Timestamp::epoch_second)
    };
    let modified = snapshot.updated_at.epoch_second();
    if second(header::IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    second(header::IF_MODIFIED_SINCE)
        .is_some_and(|since| modified <= since)
        .then_some(StatusCode::NOT_MODIFIED)
}
