//! `/o/…`, `/api/v1/oauth/authorize/` and `/.well-known/oauth-authorization-server`: programs that act for users.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_app::oauth::{self, Credentials, Registration, Request, SCOPES, Tokens};
use burgee_app::{App, Error};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::{Person, SigningIn};
use crate::error::{ApiError, ApiResult};
use crate::fields::{Given, Text};
use crate::input;
use crate::params::Query;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_oauth_metadata))
        .routes(routes!(register_oauth_client))
        .routes(routes!(describe_authorization, decide_authorization))
        .routes(routes!(exchange_oauth_token))
        .routes(routes!(revoke_oauth_token))
        .routes(routes!(introspect_oauth_token))
}

/// What the authorization server can do, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct OauthMetadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub registration_endpoint: String,
    pub revocation_endpoint: String,
    pub introspection_endpoint: String,
    pub scopes_supported: Vec<&'static str>,
    pub response_types_supported: [&'static str; 1],
    pub grant_types_supported: [&'static str; 2],
    pub code_challenge_methods_supported: [&'static str; 1],
    pub token_endpoint_auth_methods_supported: [&'static str; 3],
    pub introspection_endpoint_auth_methods_supported: [&'static str; 1],
}

/// Describes the authorization server to programs.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "oauth",
    responses((status = 200, body = OauthMetadata)))]
async fn get_oauth_metadata(State(app): State<App>) -> Json<OauthMetadata> {
    let site = &app.settings().public_url;
    let at = |path: &str| format!("{site}{path}");
    Json(OauthMetadata {
        issuer: site.clone(),
        authorization_endpoint: at("/oauth/authorize/"),
        token_endpoint: at("/o/token/"),
        registration_endpoint: at("/o/register/"),
        revocation_endpoint: at("/o/revoke_token/"),
        introspection_endpoint: at("/o/introspect/"),
        scopes_supported: SCOPES.iter().map(|(name, _)| *name).collect(),
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        introspection_endpoint_auth_methods_supported: ["none"],
    })
}

input! {
    /// A program that wants to be known.
    pub struct RegisterBody {
        pub client_name: Given<Text<200>>,
        pub redirect_uris: Given<Vec<Text<2000>>>,
        pub token_endpoint_auth_method: Given<Text<50>>,
    }
}

/// A program that is known now.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisteredView {
    pub client_id: String,
    /// Only for a confidential client, and only now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_secret_expires_at: Option<i64>,
    pub client_id_issued_at: i64,
    pub client_name: String,
    pub redirect_uris: Vec<String>,
    pub grant_types: [&'static str; 2],
    pub response_types: [&'static str; 1],
    pub token_endpoint_auth_method: String,
}

/// Registers a program (RFC 7591).
#[utoipa::path(post, path = "/o/register/", tag = "oauth", request_body = RegisterBody,
    responses((status = 201, body = RegisteredView)))]
async fn register_oauth_client(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    body: Body,
) -> ApiResult<(StatusCode, Json<RegisteredView>)> {
    let input: RegisterBody = body.parse().map_err(|ApiError(error)| match error {
        Error::Rejected(why) => protocol_error("invalid_client_metadata", &why.to_string()),
        other => ApiError(other),
    })?;
    let method = input
        .token_endpoint_auth_method
        .0
        .map_or_else(|| "none".to_owned(), |text| text.0);
    if !["none", "client_secret_basic", "client_secret_post"].contains(&method.as_str()) {
        return Err(protocol_error(
            "invalid_client_metadata",
            "This token_endpoint_auth_method is not known.",
        ));
    }
    let uris: Vec<String> = input
        .redirect_uris
        .0
        .unwrap_or_default()
        .into_iter()
        .map(|uri| uri.0)
        .collect();
    let registration = Registration {
        name: input
            .client_name
            .0
            .map_or_else(|| "A program".to_owned(), |name| name.0),
        redirect_uris: uris.clone(),
        confidential: method != "none",
    };
    let made = oauth::register(&app, client.address, registration).await?;
    let view = RegisteredView {
        client_secret_expires_at: made.secret.as_ref().map(|_| 0),
        client_secret: made.secret,
        client_id_issued_at: Timestamp(made.client.created_at).epoch_second(),
        client_id: made.client.id,
        client_name: made.client.name,
        redirect_uris: uris,
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: method,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

fn protocol_error(error: &str, description: &str) -> ApiError {
    ApiError(Error::Rejected(
        json!({ "error": error, "error_description": description }),
    ))
}

/// The program that asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct OauthApplication {
    pub name: String,
    pub client_id: String,
}

/// What a user is asked to consent to.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorizationView {
    pub application: OauthApplication,
    /// Each scope with what it allows.
    pub scopes: Map<String, Value>,
    pub redirect_uri: String,
}

/// Describes a program's request to the user whom it asks. The query is that of the authorization request.
#[utoipa::path(get, path = "/api/v1/oauth/authorize/", tag = "oauth",
    params(("client_id" = String, Query), ("redirect_uri" = String, Query), ("response_type" = String, Query),
        ("code_challenge" = String, Query), ("code_challenge_method" = String, Query),
        ("scope" = Option<String>, Query), ("state" = Option<String>, Query)),
    responses((status = 200, body = AuthorizationView)))]
async fn describe_authorization(
    State(app): State<App>,
    Person(caller): Person,
    query: Query,
) -> ApiResult<Json<AuthorizationView>> {
    let request = request(|name| query.get(name).map(str::to_owned));
    let mut tx = app.db().read().await?;
    let asked = oauth::describe(&mut tx, &caller, &request).await?;
    let scopes = asked
        .scopes
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!(text)));
    Ok(Json(AuthorizationView {
        application: OauthApplication {
            name: asked.client.name,
            client_id: asked.client.id,
        },
        scopes: scopes.collect(),
        redirect_uri: request.redirect_uri,
    }))
}

fn request(get: impl Fn(&str) -> Option<String>) -> Request {
    let text = |name: &str| get(name).unwrap_or_default();
    Request {
        response_type: text("response_type"),
        client_id: text("client_id"),
        redirect_uri: text("redirect_uri"),
        scope: text("scope"),
        state: get("state"),
        code_challenge: text("code_challenge"),
        code_challenge_method: text("code_challenge_method"),
    }
}

/// A user's decision, with the authorization request it is about.
#[derive(Debug, ToSchema)]
pub struct DecisionBody {
    pub allow: bool,
    pub client_id: String,
    pub redirect_uri: String,
    pub response_type: String,
    pub code_challenge: String,
    pub code_challenge_method: String,
    pub scope: Option<String>,
    pub state: Option<String>,
}

/// Where the browser goes with a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionView {
    pub redirect_uri: String,
}

/// Takes the user's decision and tells where his browser goes with it.
#[utoipa::path(post, path = "/api/v1/oauth/authorize/", tag = "oauth", request_body = DecisionBody,
    responses((status = 200, body = DecisionView)))]
async fn decide_authorization(
    State(app): State<App>,
    Person(caller): Person,
    body: Body,
) -> ApiResult<Json<DecisionView>> {
    let request = request(|name| body.0.get(name)?.as_str().map(str::to_owned));
    let allowed = match body.0.get("allow") {
        Some(Value::Bool(allowed)) => *allowed,
        Some(Value::String(text)) if text == "true" => true,
        Some(Value::String(text)) if text == "false" => false,
        _ => return Err(ApiError(Error::field("allow", "This field is required."))),
    };
    let redirect_uri = oauth::decide(&app, &caller, &request, allowed).await?;
    Ok(Json(DecisionView { redirect_uri }))
}

/// The form of the token endpoint (RFC 6749).
#[derive(Debug, ToSchema)]
pub struct TokenForm {
    /// `authorization_code` or `refresh_token`.
    pub grant_type: String,
    pub code: Option<String>,
    pub redirect_uri: Option<String>,
    pub code_verifier: Option<String>,
    pub refresh_token: Option<String>,
    pub scope: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
}

/// Tokens for a program.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    pub access_token: String,
    pub expires_in: i64,
    pub token_type: &'static str,
    pub scope: String,
    pub refresh_token: String,
}

impl From<Tokens> for TokenView {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            expires_in: oauth::ACCESS_SECONDS,
            token_type: "Bearer",
            scope: tokens.scope,
            refresh_token: tokens.refresh,
        }
    }
}

fn field(body: &Body, name: &str) -> String {
    body.0
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Who the program says it is, by header or in the form.
fn credentials(headers: &HeaderMap, body: &Body) -> Credentials {
    let basic = || {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some(Credentials {
            client_id: id.to_owned(),
            client_secret: Some(secret.to_owned()),
        })
    };
    basic().unwrap_or_else(|| Credentials {
        client_id: field(body, "client_id"),
        client_secret: Some(field(body, "client_secret")).filter(|secret| !secret.is_empty()),
    })
}

/// The protocol wants 401 for a client that is not who it says.
fn protocol_answer(error: Error) -> Response {
    let wrong_client = matches!(&error, Error::Rejected(body) if body["error"] == "invalid_client");
    let mut response = ApiError(error).into_response();
    if wrong_client {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    response
}

/// Exchanges a code or a refresh token for tokens.
#[utoipa::path(post, path = "/o/token/", tag = "oauth", request_body = TokenForm,
    responses((status = 200, body = TokenView),
        (status = 401, body = Object, description = "The client is not known, or its secret is wrong")))]
async fn exchange_oauth_token(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let who = credentials(&headers, &body);
    let of = |name: &str| field(&body, name);
    let outcome = match of("grant_type").as_str() {
        "authorization_code" => {
            oauth::exchange_code(&app, &who, &of("code"), &of("redirect_uri"), &of("code_verifier")).await
        }
        "refresh_token" => oauth::refresh(&app, &who, &of("refresh_token"), &of("scope")).await,
        _ => {
            let text = "The grant types are authorization_code and refresh_token.";
            return protocol_error("unsupported_grant_type", text).into_response();
        }
    };
    match outcome {
        Ok(tokens) => Json(TokenView::from(tokens)).into_response(),
        Err(error) => protocol_answer(error),
    }
}

/// A token, and the client it belongs to.
#[derive(Debug, ToSchema)]
pub struct OneTokenForm {
    pub token: String,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
}

/// Ends a token (RFC 7009).
#[utoipa::path(post, path = "/o/revoke_token/", tag = "oauth", request_body = OneTokenForm,
    responses((status = 200, description = "It is ended"),
        (status = 401, body = Object, description = "The client is not known, or its secret is wrong")))]
async fn revoke_oauth_token(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let who = credentials(&headers, &body);
    match oauth::revoke(&app, &who, &field(&body, "token")).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => protocol_answer(error),
    }
}

/// What a token is good for.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntrospectionView {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub exp: Option<i64>,
}

/// Tells whoever holds a token what it is good for (RFC 7662).
#[utoipa::path(post, path = "/o/introspect/", tag = "oauth", request_body = OneTokenForm,
    responses((status = 200, body = IntrospectionView)))]
async fn introspect_oauth_token(State(app): State<App>, body: Body) -> ApiResult<Json<IntrospectionView>> {
    let mut tx = app.db().read().await?;
    let token = oauth::introspect(&mut tx, &field(&body, "token")).await?;
    Ok(Json(match token {
        None => IntrospectionView {
            active: false,
            scope: None,
            client_id: None,
            token_type: None,
            exp: None,
        },
        Some(token) => IntrospectionView {
            active: true,
            scope: Some(token.scope),
            client_id: Some(token.client_id),
            token_type: (token.kind == "access").then_some("Bearer"),
            exp: Some(Timestamp(token.expires_at).epoch_second()),
        },
    }))
}
