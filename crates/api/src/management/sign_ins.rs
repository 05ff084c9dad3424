//! `/api/v1/auth/oauth/…` and `/api/v1/auth/oidc/…`: signing in through somebody else.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::sessions::LoggedIn;
use burgee_app::sign_ins::{self, Newcomer};
use burgee_app::{App, Error};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sessions::{CodeRefused, Key, SecondFactorNeeded, needs_second_factor};
use super::users::SignUpType;
use crate::body::Body;
use crate::caller::SigningIn;
use crate::cookies;
use crate::error::{ApiError, ApiResult};
use crate::fields::Text;
use crate::input;
use crate::params::Query;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_providers))
        .routes(routes!(log_in_with_google))
        .routes(routes!(log_in_with_github))
        .routes(routes!(begin_oidc))
        .routes(routes!(end_oidc))
        .routes(routes!(log_in_with_oidc))
}

/// A provider that can be signed in with.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// `github`, `google` or `oidc`.
    pub name: &'static str,
    pub label: String,
    pub client_id: String,
    /// Where the browser goes to begin; none for Google, whose script begins.
    pub url: Option<String>,
}

/// The providers that are set up, for the log-in page.
#[utoipa::path(get, path = "/api/v1/auth/providers/", tag = "users",
    responses((status = 200, body = Vec<ProviderView>)))]
async fn list_providers(State(app): State<App>) -> Json<Vec<ProviderView>> {
    let views = sign_ins::providers(&app)
        .into_iter()
        .map(|provider| ProviderView {
            name: provider.name,
            label: provider.label,
            client_id: provider.client_id,
            url: provider.url,
        });
    Json(views.collect())
}

input! {
    /// What a sign-in provider gave, and what somebody new says.
    pub struct ProviderBody {
        pub access_token: Text<4000>,
        pub sign_up_type: Option<SignUpType>,
        pub invite_hash: Option<Text<100>>,
        pub marketing_consent_given: Option<bool>,
    }
}

impl ProviderBody {
    fn newcomer(&self) -> Newcomer {
        Newcomer {
            sign_up_type: self.sign_up_type.as_ref().map(|kind| kind.as_str().to_owned()),
            invite_hash: self.invite_hash.as_ref().map(|hash| hash.0.clone()),
            marketing_consent_given: self.marketing_consent_given.unwrap_or(true),
        }
    }
}

/// A token of the management API, and whether its user was just signed up.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderKey {
    pub key: String,
    pub is_new_user: bool,
}

/// How a sign-in through somebody else goes on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ProviderAnswer {
    Key(ProviderKey),
    SecondFactorNeeded(SecondFactorNeeded),
}

/// Signs in with an access token of Google, which must have been made for this installation's application.
#[utoipa::path(post, path = "/api/v1/auth/oauth/google/", tag = "users", request_body = ProviderBody,
    responses((status = 200, body = ProviderAnswer), (status = 204, description = "The cookie says who it is"),
        (status = 403, description = "Who that is may not sign in, or not sign up"), (status = 502)))]
async fn log_in_with_google(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    body: Body,
) -> ApiResult<Response> {
    let input: ProviderBody = body.parse()?;
    let token = &input.access_token.0;
    let (outcome, is_new) = sign_ins::with_google(&app, &client, token, input.newcomer()).await?;
    Ok(answer(&app, outcome, is_new))
}

/// Signs in with a code of GitHub.
#[utoipa::path(post, path = "/api/v1/auth/oauth/github/", tag = "users", request_body = ProviderBody,
    responses((status = 200, body = ProviderAnswer), (status = 204, description = "The cookie says who it is"),
        (status = 403, description = "Who that is may not sign in, or not sign up"), (status = 502)))]
async fn log_in_with_github(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    body: Body,
) -> ApiResult<Response> {
    let input: ProviderBody = body.parse()?;
    let code = &input.access_token.0;
    let (outcome, is_new) = sign_ins::with_github(&app, &client, code, input.newcomer()).await?;
    Ok(answer(&app, outcome, is_new))
}

fn answer(app: &App, outcome: LoggedIn, is_new_user: bool) -> Response {
    signed_in(app, outcome, |key| ProviderKey { key, is_new_user })
}

/// What a sign-in comes to: what is still missing, a cookie where keys travel in cookies, or a body with the key.
fn signed_in<T: Serialize>(app: &App, outcome: LoggedIn, body: impl FnOnce(String) -> T) -> Response {
    match outcome {
        LoggedIn::NeedsSecondFactor(token) => needs_second_factor(token),
        LoggedIn::Key(key) if app.settings().cookies.is_some() => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            cookies::set(app, &mut response, &key);
            response
        }
        LoggedIn::Key(key) => Json(body(key)).into_response(),
    }
}

/// What the browser keeps until it comes back.
const LUGGAGE: &str = "burgee_oidc";
const LUGGAGE_PATH: &str = "/api/v1/auth/oidc/";
const LUGGAGE_SECONDS: u64 = 15 * 60;

/// Sends the browser to the `OpenID` Connect provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/start/", tag = "users",
    responses((status = 302, description = "To the provider"), (status = 502)))]
async fn begin_oidc(State(app): State<App>, SigningIn(client): SigningIn) -> ApiResult<Response> {
    let departure = sign_ins::begin_oidc(&app, &client).await?;
    let mut response = redirect(&departure.url);
    // Lax: the way back is a navigation from another site.
    cookies::add(
        &app,
        &mut response,
        LUGGAGE,
        &departure.luggage,
        LUGGAGE_PATH,
        LUGGAGE_SECONDS,
        "Lax",
    );
    Ok(response)
}

fn redirect(url: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, url.to_owned())]).into_response()
}

/// Where the provider sends the browser back to. It goes on to the log-in page with a code, or with an error.
#[utoipa::path(get, path = "/api/v1/auth/oidc/callback/", tag = "users",
    responses((status = 302, description = "To the log-in page")))]
async fn end_oidc(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    headers: HeaderMap,
    query: Query,
) -> Response {
    let site = &app.settings().public_url;
    let luggage = cookies::value(&headers, LUGGAGE).unwrap_or_default();
    let outcome = match (query.text("code"), query.text("state")) {
        (Some(code), Some(state)) => sign_ins::end_oidc(&app, &client, luggage, state, code).await,
        _ => Err(Error::Forbidden("The provider signed nobody in.".to_owned())),
    };
    let mut response = match outcome {
        Ok(code) => redirect(&format!("{site}/oidc?code={code}")),
        Err(Error::Forbidden(_)) => redirect(&format!("{site}/login?error=oidc_refused")),
        Err(Error::Elsewhere(_)) => redirect(&format!("{site}/login?error=oidc_failed")),
        Err(error) => ApiError(error).into_response(),
    };
    cookies::add(&app, &mut response, LUGGAGE, "", LUGGAGE_PATH, 0, "Lax");
    response
}

input! {
    /// The code the browser came back with.
    pub struct LoginCodeBody {
        pub access_token: Text<200>,
    }
}

/// Signs in with the code that the browser came back with from the `OpenID` Connect provider.
#[utoipa::path(post, path = "/api/v1/auth/oidc/login/", tag = "users", request_body = LoginCodeBody,
    responses((status = 200, body = ProviderAnswer), (status = 204, description = "The cookie says who it is"),
        (status = 401, body = CodeRefused)))]
async fn log_in_with_oidc(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    body: Body,
) -> ApiResult<Response> {
    let input: LoginCodeBody = body.parse()?;
    let code = &input.access_token.0;
    Ok(
        match sign_ins::with_login_code(&app, &client, "oidc", code).await? {
            Some((outcome, is_new)) => answer(&app, outcome, is_new),
            None => bad_code(),
        },
    )
}

/// The answer to a code that is unknown, used or too old.
pub(super) fn bad_code() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        Json(CodeRefused {
            error: "Invalid or expired code.",
        }),
    )
        .into_response()
}

/// The key of somebody who signed in, or what is still missing.
pub(super) fn key_answer(app: &App, outcome: LoggedIn) -> Response {
    signed_in(app, outcome, |key| Key { key })
}
