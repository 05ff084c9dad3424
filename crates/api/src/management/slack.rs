//! `/api/v1/environments/{environment_key}/integrations/slack/…`: connecting a workspace, and its channels. What is set of
//! the integration itself is in `integrations.rs`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::integrations::slack::{self, Channel};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::{Person, Signed};
use crate::cookies;
use crate::error::{ApiResult, detail};
use crate::params::{Path, Query};

/// What the browser that began is known by when it comes back from Slack.
const COOKIE: &str = "slack_state";
const CHANNELS: i64 = 200;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_slack_signature))
        .routes(routes!(begin_slack_oauth))
        .routes(routes!(finish_slack_oauth))
        .routes(routes!(list_slack_channels))
}

/// A proof of who begins to connect a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlackSignature {
    pub signature: String,
}

/// A channel of the workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlackChannel {
    pub channel_name: String,
    pub channel_id: String,
}

impl From<Channel> for SlackChannel {
    fn from(channel: Channel) -> Self {
        Self {
            channel_name: channel.name,
            channel_id: channel.id,
        }
    }
}

/// Some channels of the workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlackChannelList {
    /// Where the next ones begin; empty after the last.
    pub cursor: String,
    pub channels: Vec<SlackChannel>,
}

fn not_configured() -> Response {
    let text = "Slack is not set up on this server: it needs slack.client_id and slack.client_secret.";
    detail(StatusCode::NOT_FOUND, text)
}

/// A proof, good for a few minutes, for the browser that goes to `oauth/`.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/integrations/slack/signature/",
    tag = "integrations", responses((status = 200, body = SlackSignature)))]
async fn get_slack_signature(
    State(app): State<App>,
    Person(caller): Person,
    Path(key): Path<String>,
) -> ApiResult<Json<SlackSignature>> {
    let signature = slack::signature(&app, &caller, &key).await?;
    Ok(Json(SlackSignature { signature }))
}

/// Sends the browser to Slack, to choose a workspace and agree.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/integrations/slack/oauth/", tag = "integrations",
    params(
        ("redirect_url" = String, Query, description = "Where the browser goes afterwards, on this installation"),
        ("signature" = String, Query, description = "From `signature/`"),
    ),
    security(()),
    responses((status = 302, description = "To Slack"), (status = 404, description = "Slack is not set up on this server")))]
async fn begin_slack_oauth(
    State(app): State<App>,
    Path(key): Path<String>,
    query: Query,
) -> ApiResult<Response> {
    if !slack::is_configured(&app) {
        return Ok(not_configured());
    }
    let (signature, redirect_url) = (query.get("signature"), query.get("redirect_url"));
    let begun = slack::begin(
        &app,
        &key,
        signature.unwrap_or_default(),
        redirect_url.unwrap_or_default(),
    )
    .await?;
    let secure = if app.settings().public_url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let value = url::form_urlencoded::byte_serialize(begun.state.as_bytes()).collect::<String>();
    let cookie =
        format!("{COOKIE}={value}; Path=/api/v1/environments/; Max-Age=1800; HttpOnly; SameSite=Lax{secure}");
    let headers = [(header::LOCATION, begun.url), (header::SET_COOKIE, cookie)];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// Where Slack sends the browser back to: connects the workspace, and sends the browser on.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/integrations/slack/callback/",
    tag = "integrations",
    params(("code" = String, Query, description = "From Slack"), ("state" = String, Query, description = "From Slack")),
    security(()),
    responses((status = 302, description = "To where `oauth/` was told"),
        (status = 502, description = "Slack refused"), (status = 404, description = "Slack is not set up on this server")))]
async fn finish_slack_oauth(
    State(app): State<App>,
    Path(key): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> ApiResult<Response> {
    if !slack::is_configured(&app) {
        return Ok(not_configured());
    }
    let cookie = cookies::value(&headers, COOKIE).map(|value| {
        let pair = format!("v={value}");
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        pairs
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    });
    let (code, state) = (query.get("code"), query.get("state"));
    let url = slack::finish(
        &app,
        &key,
        code.unwrap_or_default(),
        state.unwrap_or_default(),
        cookie.as_deref(),
    )
    .await?;
    let forget = format!("{COOKIE}=; Path=/api/v1/environments/; Max-Age=0; HttpOnly; SameSite=Lax");
    let headers = [(header::LOCATION, url), (header::SET_COOKIE, forget)];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// The channels of the workspace that the project is connected to.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/integrations/slack-channels/",
    tag = "integrations",
    params(
        ("cursor" = Option<String>, Query, description = "From the answer before"),
        ("limit" = Option<i64>, Query, description = "The most that are listed, up to 1000"),
    ),
    responses((status = 200, body = SlackChannelList), (status = 502, description = "Slack refused")))]
async fn list_slack_channels(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
) -> ApiResult<Json<SlackChannelList>> {
    let limit = query.number("limit").unwrap_or(CHANNELS);
    let (cursor, channels) = slack::channels(&app, &caller, &key, query.text("cursor"), limit).await?;
    Ok(Json(SlackChannelList {
        cursor,
        channels: channels.into_iter().map(SlackChannel::from).collect(),
    }))
}
