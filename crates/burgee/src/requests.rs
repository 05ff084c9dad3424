//! Every request: its id, its counts, its span, and its line in the log.
//!
//! The route is the pattern (`/api/v1/projects/{id}/`), not the path as sent: paths and queries hold identifiers and keys.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use tracing::Instrument as _;

use crate::{
    logging::{ACCESS, REQUEST},
    traces,
};

/// Carries the id of a request: taken over from whoever stands in front, and told in every answer.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over.
const LONGEST: usize = 128;

/// The same router, watching over every request it answers. `log`: with a line for each.
pub fn watch(router: Router, log: bool) -> Router {
    router.layer(from_fn_with_state(log, answer))
}

async fn answer(State(log): State<bool>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let id = id(request.headers());
    let span = tracing::info_span!(
        target: REQUEST,
        "request",
        request_id = id.to_str().unwrap_or_default(),
        trace_id = tracing::field::Empty,
    );
    let trace = traces::request(method, route, request.headers());
    if let Some(id) = traces::id(&trace) {
        span.record("trace_id", id);
    }
    let mut response = next
        .run(request)
        .instrument(trace.clone())
        .instrument(span.clone())
        .await;
    let status = response.status();
    traces::answered(&trace, status);
    let elapsed = started.elapsed().as_secs_f64();
    let label: Arc<str> = route.into();
    metrics::counter!("burgee_http_requests_total",
        "method" => method, "route" => label.clone(), "status" => status.as_str().to_owned())
    .increment(1);
    metrics::histogram!("burgee_http_request_seconds", "route" => label).record(elapsed);
    if log {
        let _entered = span.enter();
        let (status, milliseconds) = (status.as_u16(), elapsed * 1000.0);
        tracing::info!(
            target: ACCESS,
            method,
            route,
            status,
            milliseconds,
            "{method} {route} {status}"
        );
    }
    response.headers_mut().insert(HEADER, id);
    response
}

/// The id that came with a request, where it is one that can stand in a log; otherwise a new one.
fn id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |value: &&HeaderValue| {
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        !value.is_empty() && value.len() <= LONGEST && value.as_bytes().iter().all(letter)
    };
    if let Some(given) = headers.get(HEADER).filter(is_plain) {
        return given.clone();
    }
    let mut text = [0; uuid::fmt::Simple::LENGTH];
    let text = uuid::Uuid::now_v7().simple().encode_lower(&mut text);
    // Digits and letters make a header.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
}

/// A method by its name; those that nobody uses under one name, because metrics remember each.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &str) -> HeaderValue {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(value).unwrap());
        id(&headers)
    }

    #[test]
    fn an_id_is_taken_over_unless_it_could_not_stand_in_a_log() {
        assert_eq!(given("abc-DEF_1.2:3"), "abc-DEF_1.2:3");
        for odd in ["", "a b", "a\"b", "a{b}", &"x".repeat(129)] {
            let made = given(odd);
            assert_eq!(made.len(), 32, "{odd:?} became {made:?}");
        }
        assert_ne!(id(&HeaderMap::new()), id(&HeaderMap::new()));
    }
}
