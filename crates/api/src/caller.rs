//! Who asks: the `Authorization` header of the management API.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use burgee_app::{App, Caller, Error};

use crate::error::ApiError;

/// The caller of a management operation: a user (`Token …`), an organisation's key (`Api-Key …`), or a
/// machine with a token that it was given in exchange (`Bearer …`).
#[derive(Debug)]
pub struct Signed(pub Caller);

impl FromRequestParts<App> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        const MISSING: Error = Error::Unauthenticated("Authentication credentials were not provided.");
        let value = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let mut words = value.split_whitespace();
        let (scheme, credentials) = (words.next().unwrap_or_default(), words.next());
        let one_word_too_many = words.next().is_some();
        let mut tx = app.db().read().await?;
        let caller = match (scheme.to_ascii_lowercase().as_str(), credentials) {
            ("token", Some(_)) if one_word_too_many => {
                return Err(ApiError(Error::Unauthenticated(
                    "Invalid token header. Token string should not contain spaces.",
                )));
            }
            ("token", Some(token)) => Caller::from_token(&mut tx, token).await?,
            ("token", None) => {
                return Err(ApiError(Error::Unauthenticated(
                    "Invalid token header. No credentials provided.",
                )));
            }
            ("bearer", Some(token)) if !one_word_too_many => Caller::from_bearer(&mut tx, app, token).await?,
            ("api-key", Some(key)) => Caller::from_api_key(&mut tx, key).await?,
            _ => return Err(ApiError(MISSING)),
        };
        app.throttle_caller(&caller)?;
        Ok(Self(caller))
    }
}

/// The address a request came from, as far as the server told it.
///
/// Only the connection counts: a header that names another address could be written by anybody.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(connection.map(|connection| connection.0.ip())))
    }
}
