//! `/api/v1/scim/v2/`: SCIM 2.0 (RFC 7643, 7644), by which an identity provider keeps members and groups.
//!
//! The provider signs in with the token of its organisation, see `management/scim`.

pub mod about;
pub mod filter;
pub mod groups;
pub mod patch;
pub mod users;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::scim::{self, Refusal};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::error::ApiError;
use crate::page::origin;
use crate::params::Query;
use filter::Filter;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The most resources of one answer.
const PAGE: usize = 200;

/// All routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(users::router())
        .merge(groups::router())
        .merge(about::router())
}

/// A refusal in the words of RFC 7644.
#[derive(Debug)]
pub struct ScimError(Refusal);

/// What handlers return.
pub type ScimResult<T> = Result<T, ScimError>;

impl<E: Into<Refusal>> From<E> for ScimError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl ScimError {
    fn invalid(text: impl Into<String>) -> Self {
        Self(Refusal::InvalidValue(text.into()))
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let (status, kind, text) = match self.0 {
            Refusal::Unauthenticated => {
                let text = "The token is missing or wrong.".to_owned();
                let mut response = error(StatusCode::UNAUTHORIZED, None, &text);
                let challenge = header::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                return response;
            }
            Refusal::NotFound => (
                StatusCode::NOT_FOUND,
                None,
                "There is no such resource.".to_owned(),
            ),
            Refusal::Taken(text) => (StatusCode::CONFLICT, Some("uniqueness"), text.to_owned()),
            Refusal::InvalidFilter => {
                let text = "The filter can't be read. Comparisons joined by `and` can.".to_owned();
                (StatusCode::BAD_REQUEST, Some("invalidFilter"), text)
            }
            Refusal::InvalidValue(text) => (StatusCode::BAD_REQUEST, Some("invalidValue"), text),
            Refusal::Mutability(text) => (StatusCode::BAD_REQUEST, Some("mutability"), text.to_owned()),
            // What is no matter of SCIM keeps its status and its log line.
            Refusal::Other(other) => {
                let status = ApiError(other).into_response().status();
                (
                    status,
                    None,
                    status.canonical_reason().unwrap_or_default().to_owned(),
                )
            }
        };
        error(status, kind, &text)
    }
}

fn error(status: StatusCode, kind: Option<&str>, text: &str) -> Response {
    let mut body = json!({ "schemas": [ERROR], "status": status.as_u16().to_string(), "detail": text });
    if let Some(kind) = kind {
        body["scimType"] = json!(kind);
    }
    answer(status, &body)
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/scim+json")], text).into_response()
}

/// A resource as an answer.
#[derive(Debug)]
pub struct Scim<T>(StatusCode, T);

impl<T: Serialize> IntoResponse for Scim<T> {
    fn into_response(self) -> Response {
        answer(self.0, &self.1)
    }
}

fn found<T>(resource: T) -> Scim<T> {
    Scim(StatusCode::OK, resource)
}

/// The identity provider that asks.
#[derive(Debug)]
pub struct Provider {
    organisation_id: i64,
    /// Where SCIM is, as the provider sees it: without the last slash.
    base: String,
}

impl FromRequestParts<App> for Provider {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ScimError> {
        let header = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = header(header::AUTHORIZATION).unwrap_or_default();
        let token = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Refusal::Unauthenticated)?;
        let mut tx = app.db().read().await?;
        let organisation_id = scim::sign_in(&mut tx, token).await?;
        Ok(Self {
            organisation_id,
            base: base(parts),
        })
    }
}

fn base(parts: &Parts) -> String {
    format!("{}/api/v1/scim/v2", origin(parts))
}

/// A JSON body, whatever its kind is called.
#[derive(Debug)]
pub struct ScimBody(Value);

impl<S: Send + Sync> FromRequest<S> for ScimBody {
    type Rejection = ScimError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ScimError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| ScimError::invalid("the body can't be read"))?;
        match serde_json::from_slice(&bytes) {
            Ok(value @ Value::Object(_)) => Ok(Self(value)),
            _ => Err(ScimError::invalid("the body is no JSON object")),
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse<T> {
    schemas: [&'static str; 1],
    total_results: usize,
    start_index: usize,
    items_per_page: usize,
    #[serde(rename = "Resources")]
    resources: Vec<T>,
}

/// The page that is asked for, of the resources that the filter lets through.
fn list<T: Serialize>(all: Vec<T>, query: &Query) -> ScimResult<Scim<ListResponse<T>>> {
    let filter = query.text("filter").map(Filter::parse).transpose()?;
    let fits = |resource: &T| {
        let whole = || serde_json::to_value(resource).unwrap_or_default();
        filter.as_ref().is_none_or(|filter| filter.holds(&whole()))
    };
    let fitting: Vec<T> = all.into_iter().filter(fits).collect();
    let total_results = fitting.len();
    let start_index = query
        .number("startIndex")
        .map_or(1, |start| start.max(1) as usize);
    let count = query
        .number("count")
        .map_or(PAGE, |count| count.clamp(0, PAGE as i64) as usize);
    let resources: Vec<T> = fitting.into_iter().skip(start_index - 1).take(count).collect();
    Ok(found(ListResponse {
        schemas: [LIST],
        total_results,
        start_index,
        items_per_page: resources.len(),
        resources,
    }))
}

/// What every resource says of itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    resource_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created: Option<String>,
    location: String,
}

/// A text of a body, if it is there and no longer than `max`.
fn text(value: &Value, name: &str, max: usize) -> ScimResult<Option<String>> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => checked(name, text, max).map(Some),
        Some(_) => Err(ScimError::invalid(format!("{name} is no text"))),
    }
}

fn checked(name: &str, text: &str, max: usize) -> ScimResult<String> {
    let text = text.trim();
    if text.contains('\0') || text.chars().count() > max {
        return Err(ScimError::invalid(format!(
            "{name} is longer than {max} characters"
        )));
    }
    Ok(text.to_owned())
}
