//! Who asks: the `Authorization` header of the management API.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Method, header};
use burgee_app::{App, Caller, Error, Tx, sessions};

use crate::cookies;
use crate::error::ApiError;

/// The caller of a management operation: a user (`Token …`, or the cookie where that is in use), an organisation's key
/// (`Api-Key …`), a program that acts for a user or a machine with a token that it was given in exchange (`Bearer …`).
#[derive(Debug)]
pub struct Signed(pub Caller);

const MISSING: Error = Error::Unauthenticated("Authentication credentials were not provided.");

impl FromRequestParts<App> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
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
            ("token", Some(token)) => {
                let caller = Caller::from_token(&mut tx, token).await?;
                sessions::note_use(app, token);
                caller
            }
            ("token", None) => {
                return Err(ApiError(Error::Unauthenticated(
                    "Invalid token header. No credentials provided.",
                )));
            }
            ("api-key", Some(key)) => {
                // It may have slow work to do, with a transaction of its own.
                drop(tx);
                Caller::from_api_key(app, key).await?
            }
            ("bearer", Some(token)) if !one_word_too_many => {
                if let Some(caller) = Caller::from_access_token(&mut tx, token).await? {
                    refuse_account(parts)?;
                    caller
                } else {
                    Caller::from_bearer(&mut tx, app, token).await?
                }
            }
            _ => by_cookie(parts, app, &mut tx).await?,
        };
        app.throttle_caller(&caller)?;
        Ok(Self(caller))
    }
}

/// A program may do what its user may do, but it must not change how he signs in, nor let other programs in.
fn refuse_account(parts: &Parts) -> Result<(), ApiError> {
    /// Collections whose members let programs or machines in, wherever they stand in a path.
    const LETS_IN: [&str; 3] = ["master-api-keys", "scim", "trust-relationships"];
    let path = parts.uri.path();
    let reads = parts.method == Method::GET;
    let account = path.starts_with("/api/v1/auth/") || path.starts_with("/api/v1/oauth/");
    let lets_in = !reads && path.split('/').any(|part| LETS_IN.contains(&part));
    if lets_in || (account && !(reads && path == "/api/v1/auth/users/me/")) {
        return Err(ApiError(Error::Forbidden(
            "This is not open to programs that act for a user.".to_owned(),
        )));
    }
    Ok(())
}

async fn by_cookie(parts: &Parts, app: &App, tx: &mut Tx) -> Result<Caller, ApiError> {
    let token = cookies::token(app, &parts.headers).ok_or(ApiError(MISSING))?;
    if !cookies::is_own(app, &parts.method, &parts.headers) {
        return Err(ApiError(Error::Forbidden(
            "CSRF Failed: the request comes from another site.".to_owned(),
        )));
    }
    // A cookie that has ended is as good as none.
    let caller = Caller::from_token(tx, token)
        .await
        .map_err(|_| ApiError(MISSING))?;
    sessions::note_use(app, token);
    Ok(caller)
}

/// A caller who is a person, himself or through a program that acts for him; not an organisation's key.
#[derive(Debug)]
pub struct Person(pub Caller);

impl FromRequestParts<App> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Signed(caller) = Signed::from_request_parts(parts, app).await?;
        caller.user()?;
        Ok(Self(caller))
    }
}

/// The token of the request, where it has one: for telling which session it belongs to.
#[derive(Debug)]
pub struct OwnToken(pub Option<String>);

impl FromRequestParts<App> for OwnToken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let value = parts.headers.get(header::AUTHORIZATION);
        let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = value.split_once(' ').map(|(_, token)| token.trim());
        Ok(Self(
            token
                .or_else(|| cookies::token(app, &parts.headers))
                .map(str::to_owned),
        ))
    }
}

/// Who signs in, as far as the server was told.
#[derive(Debug)]
pub struct SigningIn(pub sessions::Client);

impl<S: Send + Sync> FromRequestParts<S> for SigningIn {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let user_agent = parts.headers.get(header::USER_AGENT);
        let user_agent = user_agent
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Self(sessions::Client { address, user_agent }))
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
