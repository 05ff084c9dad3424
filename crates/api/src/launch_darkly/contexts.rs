//! `/api/v2/segments/…/contexts`: who is in a big segment

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use burgee_app::App;
use burgee_app::launch_darkly_segments::{self as acts, Patch, Target};
use burgee_model::lists::Side;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::patch::texts;
use super::{AnyJson, Holder, Refusal};
use crate::params::Path;

/// The routes of this noun.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(update_access_contexts))
        .routes(routes!(update_access_users))
        .routes(routes!(get_access_context))
        .routes(routes!(get_access_user))
}

/// Where one context stands in a segment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessMembership {
    user_key: String,
    included: bool,
    excluded: bool,
}

type Keys = (String, String, String);

/// Adds contexts to a segment and removes them, any number in one request.
#[utoipa::path(post, path = "/api/v2/segments/{project_key}/{environment_key}/{segment_key}/contexts/",
    tag = "LaunchDarkly segments", request_body = Object, responses((status = 204)))]
async fn update_access_contexts(
    State(app): State<App>,
    holder: Holder,
    Path(keys): Path<Keys>,
    body: AnyJson,
) -> Response {
    let outcome = update(&app, &holder, &keys, body).await;
    holder.answer(outcome)
}

/// The same under its older name.
#[utoipa::path(post, path = "/api/v2/segments/{project_key}/{environment_key}/{segment_key}/users/",
    tag = "LaunchDarkly segments", request_body = Object, responses((status = 204)))]
async fn update_access_users(
    State(app): State<App>,
    holder: Holder,
    Path(keys): Path<Keys>,
    body: AnyJson,
) -> Response {
    let outcome = update(&app, &holder, &keys, body).await;
    holder.answer(outcome)
}

async fn update(
    app: &App,
    holder: &Holder,
    (project, environment, key): &Keys,
    body: AnyJson,
) -> Result<StatusCode, Refusal> {
    let targets = targets(&body.get()?)?;
    let patch = Patch {
        targets,
        ..Patch::default()
    };
    acts::patch(app, &holder.caller, (project, environment), key, |_| Ok(patch)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn targets(body: &Value) -> Result<Vec<Target>, Refusal> {
    if !body.is_object() {
        return Err(Refusal::invalid(
            "the body must be an object with included or excluded",
        ));
    }
    let mut targets = Vec::new();
    for side in [Side::Included, Side::Excluded] {
        for (what, present) in [("remove", false), ("add", true)] {
            let keys = body.get(side.as_str()).and_then(|lists| lists.get(what));
            let keys = texts(keys, what)?.unwrap_or_default();
            targets.extend(keys.into_iter().map(|key| Target {
                side,
                context_kind: None,
                key,
                present,
            }));
        }
    }
    Ok(targets)
}

/// Looks one context up.
#[utoipa::path(get, path = "/api/v2/segments/{project_key}/{environment_key}/{segment_key}/contexts/{context_key}/",
    tag = "LaunchDarkly segments", responses((status = 200, body = AccessMembership)))]
async fn get_access_context(
    State(app): State<App>,
    holder: Holder,
    Path(keys): Path<(String, String, String, String)>,
) -> Response {
    let outcome = membership(&app, &holder, keys).await;
    holder.answer(outcome)
}

/// The same under its older name.
#[utoipa::path(get, path = "/api/v2/segments/{project_key}/{environment_key}/{segment_key}/users/{user_key}/",
    tag = "LaunchDarkly segments", responses((status = 200, body = AccessMembership)))]
async fn get_access_user(
    State(app): State<App>,
    holder: Holder,
    Path(keys): Path<(String, String, String, String)>,
) -> Response {
    let outcome = membership(&app, &holder, keys).await;
    holder.answer(outcome)
}

async fn membership(
    app: &App,
    holder: &Holder,
    (project, environment, key, context): (String, String, String, String),
) -> Result<Json<AccessMembership>, Refusal> {
    let mut tx = app.db().read().await?;
    let listed = acts::membership(
        app,
        &mut tx,
        &holder.caller,
        (&project, &environment),
        &key,
        &context,
    )
    .await?;
    Ok(Json(AccessMembership {
        user_key: context,
        included: listed.included,
        excluded: listed.excluded,
    }))
}
