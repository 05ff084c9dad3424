//! `/api/v2/segments/…`: list segments as LaunchDarkly's API has them, for programs that fill segments there.
//!
//! Bodies, statuses, errors and rate-limit headers are those of LaunchDarkly. The access token is a master API key or a
//! user's token; which segments it reaches is decided as everywhere else.

pub mod contexts;
mod patch;
pub mod segments;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::windows::Left;
use burgee_app::{App, Caller, Error};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::error::ApiError;

/// The version of the API that this is.
const VERSION: &str = "20240415";

/// All routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(segments::router())
        .merge(contexts::router())
}

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessError {
    #[schema(example = "invalid_request")]
    pub code: String,
    pub message: String,
    /// Names this refusal.
    pub id: String,
}

/// A refusal in LaunchDarkly's words.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Invalid access token")
    }
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Unauthenticated(_) => Self::unauthorized(),
            Error::Forbidden(text) => Self::new(StatusCode::FORBIDDEN, "forbidden", text),
            Error::NotFound(text) => Self::new(StatusCode::NOT_FOUND, "not_found", text),
            Error::Conflict(text) => Self::new(StatusCode::CONFLICT, "conflict", text),
            Error::Invalid(problems) => Self::invalid(first_text(&problems.into_json())),
            Error::Rejected(body) => Self::invalid(first_text(&body)),
            // What is no matter of the request keeps its status and its log line.
            other => {
                let status = ApiError(other).into_response().status();
                let reason = status.canonical_reason().unwrap_or_default();
                Self::new(status, "internal_error", reason)
            }
        }
    }
}

/// The first message in problems that are named by fields.
fn first_text(problems: &Value) -> String {
    match problems {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(first_text)
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
        Value::Object(fields) => {
            let mut texts = fields.iter().map(|(name, problem)| (name, first_text(problem)));
            let first = texts.find(|(_, text)| !text.is_empty());
            first.map_or_else(String::new, |(name, text)| match name.as_str() {
                "detail" | "non_field_errors" => text,
                name => format!("{name}: {text}"),
            })
        }
        _ => String::new(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = AccessError {
            code: self.code.to_owned(),
            message: self.message,
            id: Uuid::new_v4().to_string(),
        };
        (self.status, Json(body)).into_response()
    }
}

/// Requests in ten seconds: of a token, to a kind of route, of an organisation or a user.
const TOKEN_LIMIT: u32 = 1_000;
const ROUTE_LIMIT: u32 = 1_000;
const GLOBAL_LIMIT: u32 = 2_000;

/// Whoever has an access token, counted.
#[derive(Debug)]
struct Holder {
    caller: Caller,
    /// Global, of the route, of the token.
    left: [Left; 3],
}

impl FromRequestParts<App> for Holder {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let refuse = |refusal: Refusal| refusal.into_response();
        let value = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value.map(bare).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| refuse(Refusal::unauthorized()))?;
        let version = parts
            .headers
            .get("ld-api-version")
            .and_then(|value| value.to_str().ok());
        if version.is_some_and(|version| version != VERSION && version != "beta") {
            let text = format!("API version is past its end of life; the current one is {VERSION}");
            return Err(refuse(Refusal::invalid(text)));
        }
        let caller = caller(app, token).await.map_err(|error| refuse(error.into()))?;
        let route = parts
            .extensions
            .get::<axum::extract::MatchedPath>()
            .map(axum::extract::MatchedPath::as_str);
        let route = format!("{} {}", parts.method, route.unwrap_or_default());
        let account = match &caller {
            Caller::User(user) => format!("user {}", user.id),
            Caller::ApiKey(key) => format!("organisation {}", key.organisation_id),
        };
        let left = [
            app.count_in_window(("global", &account), GLOBAL_LIMIT),
            app.count_in_window(("route", &format!("{account} {route}")), ROUTE_LIMIT),
            app.count_in_window(("token", token), TOKEN_LIMIT),
        ];
        let holder = Self { caller, left };
        if holder.left.iter().any(|left| left.is_exceeded) {
            let text = "You've exceeded the API rate limit. Try again later.";
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", text);
            return Err(holder.told(refusal.into_response()));
        }
        Ok(holder)
    }
}

/// The token alone: LaunchDarkly takes no word before it; the words of this API do no harm.
fn bare(value: &str) -> &str {
    let value = value.trim();
    match value.split_once(' ') {
        None => value,
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("api-key") =>
        {
            token.trim()
        }
        Some(_) => "",
    }
}

async fn caller(app: &App, token: &str) -> Result<Caller, Error> {
    // Organisation keys have a prefix and a dot.
    let caller = if token.contains('.') {
        Caller::from_api_key(app, token).await?
    } else {
        let mut tx = app.db().read().await?;
        Caller::from_token(&mut tx, token).await?
    };
    app.throttle_caller(&caller)?;
    Ok(caller)
}

impl Holder {
    /// The answer, with what is left of the limits.
    fn told(&self, mut response: Response) -> Response {
        let [global, route, token] = self.left;
        let reset = global.reset.max(route.reset);
        let told = [
            ("x-ratelimit-global-limit", i64::from(global.limit)),
            ("x-ratelimit-global-remaining", i64::from(global.remaining)),
            ("x-ratelimit-route-limit", i64::from(route.limit)),
            ("x-ratelimit-route-remaining", i64::from(route.remaining)),
            ("x-ratelimit-reset", reset),
            ("x-ratelimit-auth-token-limit", i64::from(token.limit)),
            ("x-ratelimit-auth-token-remaining", i64::from(token.remaining)),
            ("x-ratelimit-auth-token-reset", token.reset),
        ];
        for (name, value) in told {
            response.headers_mut().insert(name, HeaderValue::from(value));
        }
        response
    }

    fn answer<T: IntoResponse>(&self, outcome: Result<T, Refusal>) -> Response {
        let response = match outcome {
            Ok(answer) => answer.into_response(),
            Err(refusal) => refusal.into_response(),
        };
        self.told(response)
    }
}

/// A JSON body, whatever its kind is called.
#[derive(Debug)]
struct AnyJson(Result<Value, String>);

impl<S: Send + Sync> FromRequest<S> for AnyJson {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let read = match Bytes::from_request(request, state).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| format!("Invalid JSON: {error}")),
            Err(_) => Err("The body can't be read, or is too large".to_owned()),
        };
        Ok(Self(read))
    }
}

impl AnyJson {
    fn get(self) -> Result<Value, Refusal> {
        self.0.map_err(Refusal::invalid)
    }
}

/// A link to something of this API.
fn link(href: &str) -> Value {
    json!({ "href": href, "type": "application/json" })
}
