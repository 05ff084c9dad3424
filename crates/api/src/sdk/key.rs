//! The environment key: what opens the SDK API, and what every answer to it carries.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::served::{Prepared, Served, Snapshot};
use bytes::Bytes;

use crate::error::detail;

/// The version of the environment an answer was made from, as epoch seconds.
pub(super) static UPDATED_AT: HeaderName = HeaderName::from_static("x-flagsmith-document-updated-at");

/// The environment that the `X-Environment-Key` header opens.
#[derive(Debug)]
pub struct EnvironmentKey {
    pub served: Arc<Served>,
    /// Whether the key is a server-side one.
    pub server: bool,
}

impl EnvironmentKey {
    /// The environment as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.served.snapshot()
    }
}

/// Reads the header. The two spellings of the refusal are those of the reference: no key, and an unknown one.
pub(super) fn find(app: &App, headers: &HeaderMap) -> Result<EnvironmentKey, Response> {
    let key = headers
        .get("x-environment-key")
        .map(|v| String::from_utf8_lossy(v.as_bytes()));
    let key = key.as_deref().map(str::trim).unwrap_or_default();
    if key.is_empty() {
        return Err(refuse("Invalid or missing Environment key"));
    }
    let (served, is_server) = app
        .environments()
        .find(key)
        .ok_or_else(|| refuse("Invalid or missing Environment Key"))?;
    if served.snapshot().stop_serving_flags {
        return Err(refuse("Organisation is disabled from serving flags."));
    }
    Ok(EnvironmentKey {
        served,
        server: is_server,
    })
}

pub(super) fn refuse(text: &str) -> Response {
    detail(StatusCode::FORBIDDEN, text)
}

impl FromRequestParts<App> for EnvironmentKey {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        find(app, &parts.headers)
    }
}

/// An answer made for one request.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        Body::from(body.into()),
    )
        .into_response()
}

/// An answer made when the environment changed, compressed for those who take that.
pub(super) fn prepared(body: &Prepared, accepts_gzip: bool) -> Response {
    if accepts_gzip && !body.gzip.is_empty() {
        let mut response = json(StatusCode::OK, body.gzip.clone());
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return response;
    }
    json(StatusCode::OK, body.plain.clone())
}

/// Whether the client takes gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    accepted.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// Adds the environment's version and what caches must tell apart.
pub(super) fn versioned(mut response: Response, snapshot: &Snapshot) -> Response {
    if let Ok(value) = HeaderValue::from_str(&snapshot.updated_at_text) {
        response.headers_mut().insert(UPDATED_AT.clone(), value);
    }
    keyed(response)
}

/// Says that the answer depends on the key.
pub(super) fn keyed(mut response: Response) -> Response {
    const VARY: HeaderValue = HeaderValue::from_static("X-Environment-Key, Accept, Accept-Encoding, Origin");
    response.headers_mut().insert(header::VARY, VARY);
    response
}
