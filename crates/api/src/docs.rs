//! `/api/v1/docs/`: the API as a page to read and to try. Everything it needs is in the binary.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use burgee_app::App;
use utoipa_swagger_ui::{Config, serve};

use crate::error::ApiError;
use crate::openapi;
use crate::params::Path;

/// The routes of the page and of the document it shows.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/v1/docs/", get(|| async { file("") }))
        .route(
            "/api/v1/docs/{file}/",
            get(|Path(name): Path<String>| async move { file(&name) }),
        )
        .route("/api/v1/openapi.json/", get(openapi_json))
}

async fn openapi_json() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(openapi::text);
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// One file of the page. Paths reach the router with a slash at their end, names of files have none.
fn file(name: &str) -> Response {
    let config = Arc::new(Config::new(["/api/v1/openapi.json"]).use_base_layout());
    match serve(name, config) {
        Ok(Some(file)) => {
            let kind =
                HeaderValue::from_str(&file.content_type).unwrap_or(HeaderValue::from_static("text/plain"));
            ([(header::CONTENT_TYPE, kind)], file.bytes.into_owned()).into_response()
        }
        _ => ApiError::not_found().into_response(),
    }
}
