//! The installation itself: health, version, metrics, the description of the API.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use burgee_app::App;
use serde_json::json;

use crate::caller::Signed;
use crate::dashboard;
use crate::error::{ApiError, ApiResult};
use crate::openapi;
use crate::overrides;
use crate::params::Query;

/// The Flagsmith version whose API this is, and the name the version answer gives it.
const API_VERSION: &str = "2.265.0";

/// Writes the text of `/metrics/`; the binary, which owns the recorder, hands it in.
pub type Metrics = std::sync::Arc<dyn Fn() -> String + Send + Sync>;

/// The routes outside the two APIs.
pub fn router(metrics: Option<Metrics>) -> Router<App> {
    let mut router = Router::new()
        .route("/health", get(readiness))
        .route("/healthcheck", get(readiness))
        .route("/health/readiness/", pages(get(readiness)))
        .route("/health/liveness/", pages(get(liveness)))
        .route("/version/", pages(get(version)))
        .route("/processor/monitoring/", get(monitoring))
        .route(
            "/robots.txt",
            get(|| async {
                (
                    [(header::CONTENT_TYPE, "text/plain")],
                    "User-agent: *\nDisallow: /\n",
                )
            }),
        )
        .route("/password-reset/confirm/{uid}/{token}", get(password_reset))
        .route("/password-reset/confirm/{uid}/{token}/", get(password_reset))
        .route("/activate/{uid}/{token}", get(activation))
        .route("/activate/{uid}/{token}/", get(activation))
        .route("/email-reset/confirm/{uid}/{token}", get(email_reset))
        .route("/email-reset/confirm/{uid}/{token}/", get(email_reset))
        .route("/config/project-overrides", get(overrides::project_overrides))
        .route("/api/v1/swagger.json/", get(swagger_json))
        .route("/api/v1/swagger.yaml/", get(swagger_yaml));
    if let Some(metrics) = metrics {
        let text = move || {
            let text = metrics();
            async move {
                (
                    [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
                    text,
                )
            }
        };
        router = router
            .route("/metrics/", get(text))
            .route("/metrics", get(add_slash));
    }
    for path in [
        "/health/liveness",
        "/health/readiness",
        "/healthz",
        "/version",
        "/processor/monitoring",
    ] {
        router = router.route(path, get(add_slash));
    }
    router.route("/healthz/", get(liveness))
}

/// The reference guards these pages against forms posted by other sites, and so refuses every POST.
fn pages(methods: axum::routing::MethodRouter<App>) -> axum::routing::MethodRouter<App> {
    methods.merge(post(|| async {
        (StatusCode::FORBIDDEN, Html("<h1>403 Forbidden</h1>"))
    }))
}

async fn add_slash(uri: Uri) -> Response {
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let target = format!("{}/{query}", uri.path());
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, target)]).into_response()
}

async fn liveness() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// Ready when the database answers. A page for people, JSON for those who ask for it.
async fn readiness(State(app): State<App>, headers: HeaderMap, query: Query) -> Response {
    let database = if app.db().ping().await.is_ok() {
        "working"
    } else {
        "unavailable"
    };
    let status = if database == "working" {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    if wants_json(&headers) || query.get("format") == Some("json") {
        // Migrations run before the first request is taken.
        let body = json!({ "DatabaseBackend": database, "MigrationsHealthCheck": "working" });
        return (status, Json(body)).into_response();
    }
    (
        status,
        Html(format!(
            "<!doctype html><title>Burgee</title><p>Database: {database}</p>"
        )),
    )
        .into_response()
}

/// Whether a program is asking.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("application/json"))
}

async fn version(State(app): State<App>) -> Response {
    // Without the database there is nothing to say of users, but still of the version.
    let presence = burgee_app::users::presence(&app).await.ok();
    let data = presence.map(|p| json!({ "has_users": p.has_users, "has_logins": p.has_logins }));
    Json(json!({
        "ci_commit_sha": option_env!("BURGEE_COMMIT").unwrap_or("unknown"),
        "image_tag": concat!("burgee-", env!("CARGO_PKG_VERSION")),
        "has_email_provider": burgee_app::mail::is_configured(&app),
        "is_enterprise": false,
        "is_saas": false,
        "self_hosted_data": data,
        "package_versions": { ".": API_VERSION },
    }))
    .into_response()
}

/// How many tasks wait, and writes for their commit; for superusers.
async fn monitoring(State(app): State<App>, Signed(caller): Signed) -> ApiResult<Response> {
    if !caller.user().is_ok_and(|user| user.is_superuser) {
        return Err(ApiError(burgee_app::Error::forbidden()));
    }
    let tasks = burgee_app::tasks::counts(&app).await?;
    let waiting = tasks.waiting + app.waiting_writes() as i64;
    Ok(Json(json!({ "waiting": waiting })).into_response())
}

/// Where the links of set-up and of password resets lead.
async fn password_reset(State(app): State<App>) -> Response {
    dashboard::page(&app).unwrap_or_else(|| Html(include_str!("password_reset.html")).into_response())
}

/// Where the links of activation mails lead.
async fn activation(State(app): State<App>) -> Response {
    dashboard::page(&app).unwrap_or_else(|| Html(include_str!("activation.html")).into_response())
}

/// Where the links to change an address lead.
async fn email_reset(State(app): State<App>) -> Response {
    dashboard::page(&app).unwrap_or_else(|| Html(include_str!("email_reset.html")).into_response())
}

async fn swagger_json() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/vnd.oai.openapi+json")];
    let mut document = openapi::published().clone();
    document["$schema"] = json!("https://spec.openapis.org/oas/3.1/schema/2022-10-07");
    (headers, document.to_string()).into_response()
}

/// JSON is YAML.
async fn swagger_yaml() -> Response {
    (
        [(header::CONTENT_TYPE, "application/vnd.oai.openapi")],
        openapi::text(),
    )
        .into_response()
}

/// The answer for a path of no route: the web app, or a page that says what there is, unless a program is asking.
pub(crate) async fn nowhere(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let is_program = wants_json(&headers)
        || headers.contains_key(header::AUTHORIZATION)
        || headers.contains_key("x-environment-key");
    if is_program {
        return ApiError::not_found().into_response();
    }
    if let Some(response) = dashboard::at(&app, &method, &uri, &headers) {
        return response;
    }
    (StatusCode::NOT_FOUND, Html(include_str!("nowhere.html"))).into_response()
}
