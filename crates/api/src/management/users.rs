//! `/api/v1/auth/users/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use burgee_app::feature_list::Owner;
use burgee_app::users::{self, ProfileEdit, SignUp, User};
use burgee_app::{App, email_links, password_resets};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::{Signed, SigningIn};
use crate::cookies;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Email, Given, Text};
use crate::{choices, input, required};

/// The most characters of a password: what is hashed must end somewhere.
const PASSWORD: usize = 1000;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_users, sign_up))
        .routes(routes!(get_me, update_me, patch_me, delete_me))
        .routes(routes!(patch_onboarding))
        .routes(routes!(set_password))
        .routes(routes!(set_email))
        .routes(routes!(reset_password))
        .routes(routes!(confirm_password_reset))
        .routes(routes!(reset_email))
        .routes(routes!(confirm_email_reset))
        .routes(routes!(activate_user))
        .routes(routes!(resend_activation))
        .routes(routes!(get_user, update_user, patch_user, delete_user))
}

choices! {
    /// How somebody came to sign up.
    pub enum SignUpType {
        NoInvite = "NO_INVITE",
        InviteEmail = "INVITE_EMAIL",
        InviteLink = "INVITE_LINK",
    }
}

input! {
    /// What somebody who signs up says.
    pub struct SignUpBody {
        pub first_name: Text<150>,
        pub last_name: Text<150>,
        pub sign_up_type: Option<SignUpType>,
        pub email: Email,
        pub password: Text<PASSWORD>,
        pub marketing_consent_given: Option<bool>,
        pub invite_hash: Option<Text<100>>,
        pub superuser: Given<bool>,
    }
}

/// A user who just signed up, with his first token.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedUp {
    pub first_name: String,
    pub last_name: String,
    #[schema(value_type = Option<SignUpType>)]
    pub sign_up_type: Option<String>,
    pub email: String,
    pub id: i64,
    pub is_active: bool,
    pub marketing_consent_given: bool,
    pub uuid: String,
    /// The token. It can't be shown again. None where cookies are in use, or the address is to be confirmed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    pub first_name: String,
    pub last_name: String,
    #[schema(value_type = Option<SignUpType>)]
    pub sign_up_type: Option<String>,
    pub id: i64,
    pub email: String,
    pub auth_type: &'static str,
    pub is_superuser: bool,
    pub date_joined: String,
    pub uuid: String,
    pub pylon_email_signature: Option<String>,
    /// What the dashboard notes about the first steps: `tasks`, `tools`, `hosting_preferences`.
    pub onboarding: Option<Value>,
}

impl Me {
    async fn of(app: &App, user: User) -> ApiResult<Json<Self>> {
        let mut tx = app.db().read().await?;
        let auth_type = users::auth_type(&mut tx, user.id).await?;
        Ok(Json(Self {
            first_name: user.first_name,
            last_name: user.last_name,
            sign_up_type: user.sign_up_type,
            id: user.id,
            email: user.email,
            auth_type,
            is_superuser: user.is_superuser,
            date_joined: Timestamp(user.date_joined).rest(),
            uuid: user.uuid,
            pylon_email_signature: None,
            onboarding: user.onboarding.and_then(|text| serde_json::from_str(&text).ok()),
        }))
    }
}

/// A user as others in his organisation see him.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    pub id: i64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub last_login: Option<String>,
    pub uuid: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            last_login: user.last_login.map(|at| Timestamp(at).rest()),
            uuid: user.uuid,
        }
    }
}

impl From<Owner> for UserView {
    fn from(owner: Owner) -> Self {
        Self {
            id: owner.id,
            email: owner.email,
            first_name: owner.first_name,
            last_name: owner.last_name,
            last_login: owner.last_login.map(|at| Timestamp(at).rest()),
            uuid: owner.uuid,
        }
    }
}

/// Nobody may list all users of an installation.
#[utoipa::path(get, path = "/api/v1/auth/users/", tag = "users", responses((status = 404)))]
async fn list_users(Signed(_): Signed) -> ApiError {
    ApiError::not_found()
}

/// Nobody, the user himself included: users are seen at `me` and as members of organisations.
#[utoipa::path(get, path = "/api/v1/auth/users/{user_id}/", tag = "users", responses((status = 404)))]
async fn get_user(Signed(_): Signed) -> ApiError {
    ApiError::not_found()
}

/// See [`get_user`]; a user changes himself at `me`.
#[utoipa::path(put, path = "/api/v1/auth/users/{user_id}/", tag = "users", responses((status = 404)))]
async fn update_user(Signed(_): Signed) -> ApiError {
    ApiError::not_found()
}

/// See [`get_user`]; a user changes himself at `me`.
#[utoipa::path(patch, path = "/api/v1/auth/users/{user_id}/", tag = "users", responses((status = 404)))]
async fn patch_user(Signed(_): Signed) -> ApiError {
    ApiError::not_found()
}

/// See [`get_user`]; a user deletes himself at `me`.
#[utoipa::path(delete, path = "/api/v1/auth/users/{user_id}/", tag = "users", responses((status = 404)))]
async fn delete_user(Signed(_): Signed) -> ApiError {
    ApiError::not_found()
}

/// Signs up, which also signs in.
#[utoipa::path(post, path = "/api/v1/auth/users/", tag = "users", security(()), request_body = SignUpBody,
    responses((status = 201, body = SignedUp), (status = 403, description = "Nobody may sign up, or not without an invitation")))]
async fn sign_up(State(app): State<App>, SigningIn(client): SigningIn, body: Body) -> ApiResult<Response> {
    let input: SignUpBody = body.parse()?;
    let input = SignUp {
        email: input.email.0,
        password: input.password.0,
        first_name: input.first_name.0,
        last_name: input.last_name.0,
        sign_up_type: input.sign_up_type.map(|kind| kind.as_str().to_owned()),
        invite_hash: input.invite_hash.map(|hash| hash.0),
        marketing_consent_given: input.marketing_consent_given.unwrap_or(true),
        superuser: input.superuser.0.unwrap_or(false),
    };
    let (user, key) = users::sign_up(&app, &client, input).await?;
    let view = SignedUp {
        first_name: user.first_name,
        last_name: user.last_name,
        sign_up_type: user.sign_up_type,
        email: user.email,
        id: user.id,
        is_active: user.is_active,
        marketing_consent_given: user.marketing_consent_given,
        uuid: user.uuid,
        key: key.clone().filter(|_| app.settings().cookies.is_none()),
    };
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    if let Some(key) = key {
        cookies::set(&app, &mut response, &key);
    }
    Ok(response)
}

/// The caller.
#[utoipa::path(get, path = "/api/v1/auth/users/me/", tag = "users", responses((status = 200, body = Me)))]
async fn get_me(State(app): State<App>, Signed(caller): Signed) -> ApiResult<Json<Me>> {
    Me::of(&app, caller.user()?.clone()).await
}

input! {
    /// What a user may change about himself.
    pub struct MeBody {
        pub first_name: Given<Text<150>>,
        pub last_name: Given<Text<150>>,
        pub sign_up_type: Given<Option<SignUpType>>,
    }
}

required! {
    /// Both names of a user.
    pub struct WholeMeBody(MeBody) with first_name, last_name;
}

impl From<MeBody> for ProfileEdit {
    fn from(body: MeBody) -> Self {
        Self {
            first_name: body.first_name.0.map(|name| name.0),
            last_name: body.last_name.0.map(|name| name.0),
            sign_up_type: body
                .sign_up_type
                .0
                .map(|kind| kind.map(|kind| kind.as_str().to_owned())),
        }
    }
}

/// Changes the caller's names.
#[utoipa::path(put, path = "/api/v1/auth/users/me/", tag = "users", request_body = WholeMeBody,
    responses((status = 200, body = Me)))]
async fn update_me(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<Json<Me>> {
    let WholeMeBody(input) = body.parse()?;
    Me::of(&app, users::update(&app, &caller, input.into()).await?).await
}

/// Changes one of the caller's names.
#[utoipa::path(patch, path = "/api/v1/auth/users/me/", tag = "users", request_body = MeBody,
    responses((status = 200, body = Me)))]
async fn patch_me(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<Json<Me>> {
    let input: MeBody = body.parse()?;
    Me::of(&app, users::update(&app, &caller, input.into()).await?).await
}

input! {
    /// Confirms that an account is to be deleted.
    pub struct DeleteMeBody {
        pub current_password: Option<Text<PASSWORD>>,
        pub delete_orphan_organisations: Given<bool>,
    }
}

/// Deletes the caller's account.
#[utoipa::path(delete, path = "/api/v1/auth/users/me/", tag = "users", request_body = DeleteMeBody,
    responses((status = 204)))]
async fn delete_me(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<StatusCode> {
    caller.user()?;
    let input: DeleteMeBody = body.parse()?;
    let with_orphans = input.delete_orphan_organisations.0.unwrap_or(false);
    users::delete(
        &app,
        &caller,
        input.current_password.map(|text| text.0),
        with_orphans,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// A step that was taken.
    pub struct OnboardingTask {
        pub name: Text<255>,
        pub completed_at: Option<Timestamp>,
    }
}

input! {
    /// What is used beside the product.
    pub struct OnboardingTools {
        pub completed: Given<bool>,
        pub integrations: Given<Vec<Text<255>>>,
    }
}

input! {
    /// What the dashboard notes about the first steps.
    pub struct OnboardingBody {
        pub tasks: Given<Vec<OnboardingTask>>,
        pub tools: Given<OnboardingTools>,
        pub hosting_preferences: Given<Vec<Text<255>>>,
    }
}

/// Notes the caller's first steps; parts not given stay.
#[utoipa::path(patch, path = "/api/v1/auth/users/me/onboarding/", tag = "users", request_body = OnboardingBody,
    responses((status = 204)))]
async fn patch_onboarding(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<StatusCode> {
    const NOTHING: &str = "At least one of 'tasks' or 'tools' or 'hosting_preferences' must be provided.";
    caller.user()?;
    let parts = onboarding(body.parse()?);
    if parts.is_empty() {
        return Err(burgee_model::Problems::whole(NOTHING).into());
    }
    users::update_onboarding(&app, &caller, parts).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn onboarding(input: OnboardingBody) -> Map<String, Value> {
    let texts = |list: Vec<Text<255>>| list.into_iter().map(|text| text.0).collect::<Vec<_>>();
    let mut parts = Map::new();
    if let Some(tasks) = input.tasks.0 {
        let now = Timestamp::now();
        let tasks = tasks.into_iter().map(|task| {
            let at = task.completed_at.unwrap_or(now).rest();
            json!({ "name": task.name.0, "completed_at": at })
        });
        parts.insert("tasks".to_owned(), tasks.collect());
    }
    if let Some(tools) = input.tools.0 {
        let integrations = texts(tools.integrations.0.unwrap_or_default());
        let completed = tools.completed.0.unwrap_or(false);
        let tools = json!({ "completed": completed, "integrations": integrations });
        parts.insert("tools".to_owned(), tools);
    }
    if let Some(preferences) = input.hosting_preferences.0 {
        parts.insert("hosting_preferences".to_owned(), json!(texts(preferences)));
    }
    parts
}

input! {
    /// A new password, and proof that the present one is known.
    pub struct SetPasswordBody {
        pub new_password: Text<PASSWORD>,
        pub re_new_password: Text<PASSWORD>,
        pub current_password: Text<PASSWORD>,
    }
}

/// Changes the caller's password.
#[utoipa::path(post, path = "/api/v1/auth/users/set_password/", tag = "users", request_body = SetPasswordBody,
    responses((status = 204)))]
async fn set_password(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<StatusCode> {
    caller.user()?;
    let input: SetPasswordBody = body.parse()?;
    let (new, repeated) = (&input.new_password.0, &input.re_new_password.0);
    users::set_password(&app, &caller, input.current_password.0, new, repeated).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// A new address, and proof that the password is known.
    pub struct SetEmailBody {
        pub current_password: Text<PASSWORD>,
        pub new_email: Email,
    }
}

/// Changes the address the caller signs in with.
#[utoipa::path(post, path = "/api/v1/auth/users/set_email/", tag = "users", request_body = SetEmailBody,
    responses((status = 204)))]
async fn set_email(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<StatusCode> {
    caller.user()?;
    let input: SetEmailBody = body.parse()?;
    users::set_email(&app, &caller, input.current_password.0, input.new_email.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// Whose password was forgotten.
    pub struct ResetPasswordBody {
        pub email: Email,
    }
}

/// Asks for a link to choose a new password. The answer does not tell whether there is such a user.
#[utoipa::path(post, path = "/api/v1/auth/users/reset_password/", tag = "users", security(()),
    request_body = ResetPasswordBody, responses((status = 204)))]
async fn reset_password(State(app): State<App>, body: Body) -> ApiResult<StatusCode> {
    let input: ResetPasswordBody = body.parse()?;
    password_resets::ask(&app, &input.email.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// A new password, and what the link said.
    pub struct ConfirmPasswordResetBody {
        pub new_password: Text<PASSWORD>,
        pub re_new_password: Text<PASSWORD>,
        pub uid: Text<100>,
        pub token: Text<200>,
    }
}

/// Sets a new password with a link.
#[utoipa::path(post, path = "/api/v1/auth/users/reset_password_confirm/", tag = "users", security(()),
    request_body = ConfirmPasswordResetBody, responses((status = 204)))]
async fn confirm_password_reset(State(app): State<App>, body: Body) -> ApiResult<StatusCode> {
    let input: ConfirmPasswordResetBody = body.parse()?;
    password_resets::confirm(
        &app,
        &input.uid.0,
        &input.token.0,
        &input.new_password.0,
        &input.re_new_password.0,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for a link to sign in with another address, mailed to the present one. The answer tells nothing.
#[utoipa::path(post, path = "/api/v1/auth/users/reset_email/", tag = "users",
    request_body = ResetPasswordBody, responses((status = 204)))]
async fn reset_email(State(app): State<App>, body: Body) -> ApiResult<StatusCode> {
    let input: ResetPasswordBody = body.parse()?;
    email_links::ask_for_email_reset(&app, &input.email.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// A new address, and what the link said.
    pub struct ConfirmEmailResetBody {
        pub new_email: Email,
        pub uid: Text<100>,
        pub token: Text<200>,
    }
}

/// Changes an address with a link.
#[utoipa::path(post, path = "/api/v1/auth/users/reset_email_confirm/", tag = "users",
    request_body = ConfirmEmailResetBody, responses((status = 204)))]
async fn confirm_email_reset(State(app): State<App>, body: Body) -> ApiResult<StatusCode> {
    let input: ConfirmEmailResetBody = body.parse()?;
    email_links::confirm_email_reset(&app, &input.uid.0, &input.token.0, input.new_email.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// What the link of an activation mail said.
    pub struct ActivationBody {
        pub uid: Text<100>,
        pub token: Text<200>,
    }
}

/// Opens a new account with a link.
#[utoipa::path(post, path = "/api/v1/auth/users/activation/", tag = "users",
    request_body = ActivationBody,
    responses((status = 204), (status = 403, description = "The link has been used, or is too old")))]
async fn activate_user(State(app): State<App>, body: Body) -> ApiResult<StatusCode> {
    let input: ActivationBody = body.parse()?;
    email_links::activate(&app, &input.uid.0, &input.token.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails the link to open a new account once more. The answer tells nothing.
#[utoipa::path(post, path = "/api/v1/auth/users/resend_activation/", tag = "users",
    request_body = ResetPasswordBody, responses((status = 204)))]
async fn resend_activation(State(app): State<App>, body: Body) -> ApiResult<StatusCode> {
    let input: ResetPasswordBody = body.parse()?;
    email_links::resend_activation(&app, &input.email.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
