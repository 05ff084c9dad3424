//! Request bodies: JSON, form or multipart, whichever the client sent, as one JSON value.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::error::{ApiError, detail};

/// The body of a request. An empty body is an empty object.
#[derive(Debug)]
pub struct Body(pub Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let media = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match media.as_str() {
            "application/json" => json(&read(request, state).await?),
            "application/x-www-form-urlencoded" => {
                let body = read(request, state).await?;
                let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
                Ok(Self(object(pairs)))
            }
            "multipart/form-data" => multipart(request, state).await,
            _ => {
                let kind = kind.to_owned();
                let body = read(request, state).await?;
                if body.is_empty() {
                    return Ok(Self(Value::Object(Map::new())));
                }
                let text = format!("Unsupported media type \"{kind}\" in request.");
                Err(detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text))
            }
        }
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Response> {
    Bytes::from_request(request, state).await.map_err(|refusal| {
        let text = match refusal.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "The request body is too large.".to_owned(),
            _ => refusal.body_text(),
        };
        detail(refusal.status(), &text)
    })
}

fn json(bytes: &[u8]) -> Result<Body, Response> {
    if bytes.is_empty() {
        return Ok(Body(Value::Object(Map::new())));
    }
    serde_json::from_slice(bytes).map(Body).map_err(|error| {
        let text = format!("JSON parse error - {error}");
        detail(StatusCode::BAD_REQUEST, &text)
    })
}

async fn multipart<S: Send + Sync>(request: Request, state: &S) -> Result<Body, Response> {
    let broken = || {
        detail(
            StatusCode::BAD_REQUEST,
            "Multipart form parse error - Invalid boundary in multipart",
        )
    };
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| broken())?;
    let mut pairs = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or_default().to_owned();
        pairs.push((name, field.text().await.map_err(|_| broken())?));
    }
    Ok(Body(object(pairs)))
}

/// A form as an object of texts; the last of a repeated field counts.
fn object(pairs: Vec<(String, String)>) -> Value {
    Value::Object(
        pairs
            .into_iter()
            .map(|(name, text)| (name, Value::String(text)))
            .collect(),
    )
}

impl Body {
    /// Reads the body as one of the types that [`crate::input!`] and [`crate::required!`] declare.
    pub fn parse<T: crate::fields::Field>(&self) -> Result<T, ApiError> {
        T::read(Some(&self.0)).map_err(|found| ApiError(burgee_app::Error::Rejected(found)))
    }
}
