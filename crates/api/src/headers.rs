//! What every answer carries, and what happens to a request before any handler sees it.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use burgee_app::pii::{self, Note};
use burgee_app::{App, Error};
use burgee_model::limits;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::error::{ApiError, detail};

/// The Flagsmith version whose API this is; some clients compare it.
const FLAGSMITH_VERSION: HeaderValue = HeaderValue::from_static("2.265.0");

/// The name of the header that names a request in the logs.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds to all routes what they share.
pub fn wrap(routes: Router<App>, app: &App) -> Router<App> {
    let cors = Arc::new(cors_headers(&app.settings().cors_extra_headers));
    routes
        .fallback(crate::instance::nowhere)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let cors = cors.clone();
            async move { around(request, next, &cors).await }
        }))
}

async fn method_not_allowed(method: Method) -> Response {
    detail(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("Method \"{method}\" not allowed."),
    )
}

/// A fault of ours must not cost the client its connection, nor tell it more than that.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn after_panic(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    ApiError(Error::Internal(format!("a handler panicked: {text}"))).into_response()
}

/// The common headers of an answer, and the answer to a browser's preflight.
async fn around(request: Request, next: Next, cors: &HeaderMap) -> Response {
    let from_browser = request.headers().contains_key(header::ORIGIN);
    let id = request_id(request.headers());
    let mut response = if from_browser && is_preflight(&request) {
        preflight(cors)
    } else {
        let (mut response, notes) = pii::noting(next.run(request)).await;
        if let Some(warning) = warning(&notes) {
            response.headers_mut().insert(PII_WARNING.clone(), warning);
        }
        response
    };
    let headers = response.headers_mut();
    headers.reserve(12);
    if from_browser {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    common(headers);
    if response.status().is_server_error() {
        tracing::error!(request.id = ?id, status = response.status().as_u16(), "a request failed");
    }
    response.headers_mut().insert(REQUEST_ID.clone(), id);
    response
}

/// Headers of answers that browsers may let scripts read.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Retry-After, X-Flagsmith-Document-Updated-At, ETag, Burgee-PII");

/// The header that tells of personal data in what was to be stored.
static PII_WARNING: HeaderName = HeaderName::from_static("burgee-pii");

/// What was found and what was done about it, never the data itself: `warn; field=identifier; kind=email, …`.
fn warning(notes: &[Note]) -> Option<HeaderValue> {
    let tell = |note: &Note| {
        let (mode, kind) = (note.mode.as_str(), note.kind.as_str());
        format!("{mode}; field={}; kind={kind}", note.field)
    };
    let told: Vec<String> = notes.iter().map(tell).collect();
    if told.is_empty() {
        return None;
    }
    HeaderValue::try_from(told.join(", ")).ok()
}

fn common(headers: &mut HeaderMap) {
    const CACHE: HeaderValue =
        HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, CACHE);
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("Accept, Origin"));
    }
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert("flagsmith-version", FLAGSMITH_VERSION);
}

/// The client's own id of the request when it is a sensible one, a new one otherwise.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sensible = |v: &&HeaderValue| !v.is_empty() && v.len() <= 100 && v.to_str().is_ok();
    if let Some(value) = headers.get(&REQUEST_ID).filter(sensible) {
        return value.clone();
    }
    new_request_id()
}

/// Unique without asking the system for randomness each time: a random part of this process, and a count.
fn new_request_id() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| Uuid::new_v4().as_u64_pair().0);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let text = format!("{:016x}-{count:x}", *PROCESS);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("-"))
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(cors: &HeaderMap) -> Response {
    (
        StatusCode::OK,
        cors.clone(),
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::VARY, "Origin"),
        ],
    )
        .into_response()
}

/// The answer to a preflight, the same for every path.
fn cors_headers(extra: &[String]) -> HeaderMap {
    const ALLOWED: &str = "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, \
         x-requested-with, x-environment-key, x-e2e-test-auth-token, flagsmith-application-name, \
         flagsmith-application-version, flagsmith-sdk-user-agent, sentry-trace, traceparent, tracestate, baggage, \
         x-api-key, if-none-match";
    let mut allowed = ALLOWED.to_owned();
    for name in extra {
        allowed.push_str(", ");
        allowed.push_str(&name.to_ascii_lowercase());
    }
    let mut headers = HeaderMap::new();
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    let methods = HeaderValue::from_static("DELETE, GET, OPTIONS, PATCH, POST, PUT");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers
}

/// Accepts paths under `/api/` with and without their last slash, by adding it before routing.
///
/// The reference redirects instead, which loses the body of a POST.
pub fn add_slash<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    let path = request.uri().path();
    if path.starts_with("/api/") && !path.ends_with('/') {
        let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
        if let Ok(uri) = format!("{path}/{query}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}
