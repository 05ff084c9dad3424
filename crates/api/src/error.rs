//! How errors look on the wire: the shapes of Django REST framework.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::Error;
use burgee_model::Problems;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An error on its way to the client.
#[derive(Debug)]
pub struct ApiError(pub Error);

/// Why a request was refused.
#[derive(Debug, ToSchema)]
pub struct Detail {
    pub detail: String,
}

/// What handlers return.
pub type ApiResult<T> = Result<T, ApiError>;

impl<E: Into<Error>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<ApiError> for Response {
    fn from(error: ApiError) -> Self {
        error.into_response()
    }
}

impl ApiError {
    /// A 404 of the plain kind.
    pub fn not_found() -> Self {
        Self(Error::not_found())
    }

    /// A 400 that names fields.
    pub fn invalid(problems: Problems) -> Self {
        Self(Error::Invalid(problems))
    }
}

/// `{"detail": …}` with a status.
pub fn detail(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "detail": text }))).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Unauthenticated(text) => {
                let mut response = detail(StatusCode::UNAUTHORIZED, text);
                let challenge = HeaderValue::from_static("Cookie realm=\"api\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Error::Forbidden(text) => detail(StatusCode::FORBIDDEN, &text),
            Error::NotFound(text) => detail(StatusCode::NOT_FOUND, &text),
            Error::Invalid(problems) => bad_request(problems.into_json()),
            Error::Rejected(body) => bad_request(body),
            Error::Conflict(text) => detail(StatusCode::CONFLICT, &text),
            Error::Throttled(seconds) => {
                let text = format!("Request was throttled. Expected available in {seconds} seconds.");
                retry_after(detail(StatusCode::TOO_MANY_REQUESTS, &text), seconds)
            }
            Error::Elsewhere(text) => {
                (StatusCode::BAD_GATEWAY, Json(json!({ "message": text }))).into_response()
            }
            Error::Unavailable(cause) => {
                tracing::warn!(%cause, "the database is unavailable");
                let text = "The database is unavailable. Try again shortly.";
                retry_after(detail(StatusCode::SERVICE_UNAVAILABLE, text), 1)
            }
            Error::Internal(cause) => {
                tracing::error!(%cause, "internal error");
                detail(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong on our side. It has been logged.",
                )
            }
        }
    }
}

fn bad_request(body: Value) -> Response {
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn retry_after(mut response: Response, seconds: u64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
