//! One log line per request: method, route, status, time.
//!
//! The route is the pattern (`/api/v1/projects/{id}/`), not the path as sent: paths and queries hold identifiers and keys.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{Next, from_fn},
    response::Response,
};

use crate::logging::ACCESS;

/// The same router, logging every request it answers.
pub fn add(router: Router) -> Router {
    router.layer(from_fn(log))
}

async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    let status = response.status().as_u16();
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(
        target: ACCESS,
        method = %method,
        route,
        status,
        milliseconds,
        "{method} {route} {status}"
    );
    response
}
