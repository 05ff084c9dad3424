//! `/api/v1/users/config/init/`: the first administrator of a fresh installation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use burgee_app::{App, Error, setup};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::ClientAddress;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Email, Given};
use crate::input;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_set_up_form, set_up))
        .routes(routes!(init))
}

input! {
    /// The first administrator.
    pub struct SetUpBody {
        pub email: Email,
        /// The set-up code, where the operator asks for one.
        pub code: Given<Blank<1000>>,
    }
}

/// An installation that is set up.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetUpDone {
    pub message: &'static str,
    /// Where the administrator chooses his password.
    #[serde(rename = "passwordResetUrl")]
    pub password_reset_url: String,
}

/// The set-up page, until there is somebody.
#[utoipa::path(get, path = "/api/v1/users/config/init/", tag = "set-up", security(()),
    responses((status = 200, body = String, content_type = "text/html"),
        (status = 404, body = String, content_type = "text/html", description = "There is an account already")))]
async fn get_set_up_form(State(app): State<App>) -> ApiResult<Response> {
    let mut tx = app.db().read().await?;
    if !setup::is_open(&app, &mut tx).await? {
        return Ok(closed());
    }
    Ok(Html(form(setup::needs_code(&app))).into_response())
}

fn closed() -> Response {
    let page = "<!doctype html><html lang=\"en\"><title>Not found</title><h1>Not found</h1></html>";
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

fn form(with_code: bool) -> String {
    let code = if with_code {
        "<p><label>Set-up code<br><input name=\"code\" type=\"password\" required></label></p>"
    } else {
        ""
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Set up Burgee</title></head><body>\
         <h1>Set up Burgee</h1><p>The first administrator of this installation:</p><form method=\"post\">\
         <p><label>E-mail address<br><input name=\"email\" type=\"email\" required></label></p>{code}\
         <p><button>Create</button></p></form></body></html>"
    )
}

/// Creates the first administrator.
#[utoipa::path(post, path = "/api/v1/users/config/init/", tag = "set-up", security(()), request_body = SetUpBody,
    responses((status = 200, body = SetUpDone),
        (status = 404, body = String, content_type = "text/html", description = "There is an account already")))]
async fn set_up(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Body,
) -> ApiResult<Response> {
    let mut tx = app.db().read().await?;
    if !setup::is_open(&app, &mut tx).await? {
        return Ok(closed());
    }
    drop(tx);
    let input: SetUpBody = body.parse()?;
    let code = input.code.0.map(|code| code.0).unwrap_or_default();
    match setup::set_up(&app, address, input.email.0, &code).await {
        Ok(password_reset_url) => Ok(Json(SetUpDone {
            message: "INSTALLATION CONFIGURED SUCCESSFULLY",
            password_reset_url,
        })
        .into_response()),
        // Somebody was faster.
        Err(Error::NotFound(_)) => Ok(closed()),
        Err(error) => Err(ApiError(error)),
    }
}

/// Why no administrator was created.
#[derive(Debug, Serialize, ToSchema)]
pub struct NobodyCreated {
    #[serde(rename = "adminUserCreated")]
    pub admin_user_created: bool,
    pub message: &'static str,
}

/// Creates nobody: in the reference this makes an administrator of what the environment says, unasked.
#[utoipa::path(get, path = "/api/v1/users/init/", tag = "set-up", security(()),
    responses((status = 400, body = NobodyCreated)))]
async fn init() -> Response {
    let body = NobodyCreated {
        admin_user_created: false,
        message: "FAILED TO INIT ADMIN USER. USER(S) ALREADY EXIST IN SYSTEM.",
    };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
