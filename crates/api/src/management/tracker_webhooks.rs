//! `/api/v1/github-webhook/` and `/api/v1/gitlab-webhook/{uuid}/`: where issue trackers tell how issues stand.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use burgee_app::App;
use burgee_app::trackers::{github, gitlab};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::error::ApiResult;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive_github_webhook))
        .routes(routes!(receive_gitlab_webhook))
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventTaken {
    pub detail: &'static str,
}

fn answer(was_taken: bool) -> Json<EventTaken> {
    let detail = if was_taken {
        "The event was taken."
    } else {
        "Nothing here is concerned by the event."
    };
    Json(EventTaken { detail })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Takes an event of GitHub's. It is signed with the secret of this server's application: `X-Hub-Signature-256`.
#[utoipa::path(post, path = "/api/v1/github-webhook/", tag = "integrations", security(()),
    params(("x-github-event" = Option<String>, Header, description = "What kind of event it is"),
        ("x-hub-signature-256" = Option<String>, Header, description = "`sha256=` and the signature of the body")),
    responses((status = 200, body = EventTaken), (status = 400, description = "The signature is wrong")))]
async fn receive_github_webhook(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Json<EventTaken>> {
    let event = header(&headers, "x-github-event").unwrap_or_default();
    let signature = header(&headers, "x-hub-signature-256");
    let taken = github::webhook::receive(&app, event, signature, &body).await?;
    Ok(answer(taken))
}

/// Takes an event of a GitLab's. It brings what it was given when its webhook was made: `X-Gitlab-Token`.
#[utoipa::path(post, path = "/api/v1/gitlab-webhook/{webhook_uuid}/", tag = "integrations", security(()),
    params(("x-gitlab-token" = Option<String>, Header, description = "The webhook's secret")),
    responses((status = 200, body = EventTaken), (status = 403, description = "The token is wrong"),
        (status = 404, description = "There is no such webhook")))]
async fn receive_gitlab_webhook(
    State(app): State<App>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<EventTaken>> {
    let secret = header(&headers, "x-gitlab-token");
    let taken = gitlab::receive(&app, &uuid, secret, &body.0).await?;
    Ok(answer(taken))
}
