//! `/api/v1/auth/login/` and its kin: signing in and out, and the second factor.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use burgee_app::sessions::{self, LoggedIn, SecondStep};
use burgee_app::{App, mfa};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sign_ins::key_answer;
use crate::body::Body;
use crate::caller::{OwnToken, Signed, SigningIn};
use crate::cookies;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Text};
use crate::input;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(log_in_with_code))
        .routes(routes!(log_out))
        .routes(routes!(delete_token))
        .routes(routes!(list_sessions))
        .routes(routes!(delete_session))
        .routes(routes!(list_active_methods))
        .routes(routes!(activate_app))
        .routes(routes!(confirm_app))
        .routes(routes!(deactivate_app))
        .routes(routes!(regenerate_backup_codes))
}

input! {
    /// Who signs in.
    pub struct LogInBody {
        pub password: Given<Blank<1000>>,
        pub email: Given<Blank<1000>>,
    }
}

/// A token of the management API.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    pub key: String,
}

/// The password was right; a code of the second factor is needed as well.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorNeeded {
    pub ephemeral_token: String,
    #[schema(value_type = crate::words::SecondFactorMethod)]
    pub method: &'static str,
}

/// The answer to somebody whose second factor is still to come.
pub(super) fn needs_second_factor(ephemeral_token: String) -> Response {
    Json(SecondFactorNeeded {
        ephemeral_token,
        method: "app",
    })
    .into_response()
}

/// How a log-in goes on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LogInAnswer {
    Key(Key),
    SecondFactorNeeded(SecondFactorNeeded),
}

/// Signs in by address and password. Where a second factor is active, the answer is the token for its code; where cookies
/// are in use, it is empty and sets one.
#[utoipa::path(post, path = "/api/v1/auth/login/", tag = "users", request_body = LogInBody,
    responses((status = 200, body = LogInAnswer), (status = 204), (status = 403, description = "Passwords are switched off")))]
async fn log_in(State(app): State<App>, SigningIn(client): SigningIn, body: Body) -> ApiResult<Response> {
    let input: LogInBody = body.parse()?;
    let email = input.email.0.map(|text| text.0).unwrap_or_default();
    let password = input.password.0.map(|text| text.0).unwrap_or_default();
    let outcome = sessions::log_in(&app, &client, &email, password).await?;
    Ok(key_answer(&app, outcome))
}

input! {
    /// The second step of a log-in.
    pub struct LogInCodeBody {
        pub ephemeral_token: Text<200>,
        pub code: Text<50>,
    }
}

/// Why a second step was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeRefused {
    pub error: &'static str,
}

/// Ends a log-in with a code of the second factor.
#[utoipa::path(post, path = "/api/v1/auth/login/code/", tag = "users", request_body = LogInCodeBody,
    responses((status = 200, body = Key), (status = 204), (status = 401, body = CodeRefused)))]
async fn log_in_with_code(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    body: Body,
) -> ApiResult<Response> {
    let input: LogInCodeBody = body.parse()?;
    let refuse = |error| (StatusCode::UNAUTHORIZED, Json(CodeRefused { error })).into_response();
    let step = sessions::log_in_with_code(&app, &client, &input.ephemeral_token.0, &input.code.0).await?;
    Ok(match step {
        SecondStep::Key(key) => key_answer(&app, LoggedIn::Key(key)),
        SecondStep::BadToken => refuse("Invalid or expired token."),
        SecondStep::BadCode => refuse("Invalid or expired code."),
    })
}

/// Signs the caller out everywhere.
#[utoipa::path(post, path = "/api/v1/auth/logout/", tag = "users", responses((status = 204)))]
async fn log_out(State(app): State<App>, Signed(caller): Signed) -> ApiResult<Response> {
    sessions::log_out(&app, &caller).await?;
    Ok(signed_out(&app))
}

fn signed_out(app: &App) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    cookies::clear(app, &mut response);
    response
}

/// Makes the caller's tokens useless; the next log-in gives a new one.
#[utoipa::path(delete, path = "/api/v1/auth/token/", tag = "users", responses((status = 204)))]
async fn delete_token(State(app): State<App>, Signed(caller): Signed) -> ApiResult<Response> {
    sessions::log_out(&app, &caller).await?;
    Ok(signed_out(&app))
}

/// A session: a token and where it is used.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    pub id: String,
    pub created_at: String,
    /// To the hour.
    pub last_used_at: Option<String>,
    /// When it ends unless it is used again; none for tokens.
    pub expires_at: Option<String>,
    pub user_agent: Option<String>,
    /// Whether this request belongs to it.
    pub is_current: bool,
}

/// The caller's sessions, newest first.
#[utoipa::path(get, path = "/api/v1/auth/sessions/", tag = "users",
    responses((status = 200, body = Vec<SessionView>)))]
async fn list_sessions(
    State(app): State<App>,
    Signed(caller): Signed,
    OwnToken(token): OwnToken,
) -> ApiResult<Json<Vec<SessionView>>> {
    let mut tx = app.db().read().await?;
    let views = sessions::list(&mut tx, &caller)
        .await?
        .into_iter()
        .map(|session| SessionView {
            id: sessions::public_id(&session).to_owned(),
            created_at: Timestamp(session.created_at).rest(),
            last_used_at: session.last_used_at.map(|at| Timestamp(at).rest()),
            expires_at: session.expires_at.map(|at| Timestamp(at).rest()),
            is_current: token
                .as_deref()
                .is_some_and(|token| sessions::is_of_token(&session, token)),
            user_agent: session.user_agent,
        });
    Ok(Json(views.collect()))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{session_id}/", tag = "users",
    params(("session_id" = String, Path, description = "As the list of sessions names it")), responses((status = 204)))]
async fn delete_session(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    sessions::end(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A second factor in use.
#[derive(Debug, Serialize, ToSchema)]
pub struct MfaMethod {
    pub name: &'static str,
    pub is_primary: bool,
}

/// The caller's second factors.
#[utoipa::path(get, path = "/api/v1/auth/mfa/user-active-methods/", tag = "users",
    responses((status = 200, body = Vec<MfaMethod>)))]
async fn list_active_methods(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<Vec<MfaMethod>>> {
    let mut tx = app.db().read().await?;
    let app_method = MfaMethod {
        name: "app",
        is_primary: true,
    };
    let active = mfa::is_active(&mut tx, &caller).await?;
    Ok(Json(active.then_some(app_method).into_iter().collect()))
}

/// What an authenticator needs to know.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppSetUp {
    pub qr_link: String,
    pub secret: String,
}

/// Begins to set up an authenticator app.
#[utoipa::path(post, path = "/api/v1/auth/app/activate/", tag = "users",
    responses((status = 200, body = AppSetUp), (status = 400, description = "A second factor is active already")))]
async fn activate_app(State(app): State<App>, Signed(caller): Signed) -> ApiResult<Json<AppSetUp>> {
    let set_up = mfa::begin(&app, &caller).await?;
    Ok(Json(AppSetUp {
        qr_link: set_up.link,
        secret: set_up.secret,
    }))
}

input! {
    /// A code that the authenticator shows.
    pub struct CodeBody {
        pub code: Text<50>,
    }
}

/// Codes for the day the authenticator is lost. Each works once.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackupCodes {
    pub backup_codes: Vec<String>,
}

/// Ends the set-up with a first code.
#[utoipa::path(post, path = "/api/v1/auth/app/activate/confirm/", tag = "users", request_body = CodeBody,
    responses((status = 200, body = BackupCodes)))]
async fn confirm_app(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<Json<BackupCodes>> {
    let input: CodeBody = body.parse()?;
    let backup_codes = mfa::confirm(&app, &caller, &input.code.0).await?;
    Ok(Json(BackupCodes { backup_codes }))
}

input! {
    /// A code, where one is at hand.
    pub struct OptionalCodeBody {
        pub code: Option<Text<50>>,
    }
}

/// Gives up the authenticator app.
#[utoipa::path(post, path = "/api/v1/auth/app/deactivate/", tag = "users", request_body = OptionalCodeBody,
    responses((status = 204)))]
async fn deactivate_app(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<StatusCode> {
    let input: OptionalCodeBody = body.parse()?;
    let code = input.code.as_ref().map(|code| code.0.as_str());
    mfa::end(&app, &caller, code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes new backup codes in the place of those left; a code of the authenticator, or one of them, is needed.
#[utoipa::path(post, path = "/api/v1/auth/app/codes/regenerate/", tag = "users", request_body = CodeBody,
    responses((status = 200, body = BackupCodes)))]
async fn regenerate_backup_codes(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<Json<BackupCodes>> {
    let input: CodeBody = body.parse()?;
    let backup_codes = mfa::regenerate(&app, &caller, &input.code.0).await?;
    Ok(Json(BackupCodes { backup_codes }))
}
