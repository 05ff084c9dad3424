//! `/api/v1/environments/{environment_key}/webhooks/`, `/api/v1/organisations/{organisation_id}/webhooks/` and
//! `/api/v1/webhooks/test/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use burgee_app::webhook_deliveries::{self, Delivery};
use burgee_app::webhooks::{self, Of, Shown, WebhookEdit};
use burgee_app::{App, Error};
use burgee_model::Timestamp;
use burgee_model::limits::{WEBHOOK_SECRET_LENGTH, WEBHOOK_URL_LENGTH};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Given, HttpUrl};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_environment_webhooks, create_environment_webhook))
        .routes(routes!(
            update_environment_webhook,
            patch_environment_webhook,
            delete_environment_webhook
        ))
        .routes(routes!(list_environment_webhook_deliveries))
        .routes(routes!(retry_environment_webhook_delivery))
        .routes(routes!(list_organisation_webhooks, create_organisation_webhook))
        .routes(routes!(
            get_organisation_webhook,
            update_organisation_webhook,
            patch_organisation_webhook,
            delete_organisation_webhook
        ))
        .routes(routes!(list_organisation_webhook_deliveries))
        .routes(routes!(retry_organisation_webhook_delivery))
        .routes(routes!(test_webhook))
}

/// Who is told of changes of an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookView {
    pub id: i64,
    pub url: String,
    pub enabled: bool,
    pub created_at: String,
    pub updated_at: String,
    /// What deliveries are signed with; told only to those who may change it.
    pub secret: String,
}

impl From<Shown> for WebhookView {
    fn from(shown: Shown) -> Self {
        let webhook = shown.webhook;
        Self {
            id: webhook.id,
            url: webhook.url,
            enabled: webhook.enabled,
            created_at: Timestamp(webhook.created_at).rest(),
            updated_at: Timestamp(webhook.updated_at).rest(),
            secret: shown.secret,
        }
    }
}

/// Who is told of changes of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationWebhookView {
    pub id: i64,
    pub url: String,
    pub enabled: bool,
    /// What deliveries are signed with.
    pub secret: String,
    pub created_at: String,
    pub updated_at: String,
}

impl From<Shown> for OrganisationWebhookView {
    fn from(shown: Shown) -> Self {
        let webhook = shown.webhook;
        Self {
            id: webhook.id,
            url: webhook.url,
            enabled: webhook.enabled,
            secret: shown.secret,
            created_at: Timestamp(webhook.created_at).rest(),
            updated_at: Timestamp(webhook.updated_at).rest(),
        }
    }
}

/// Something that was, or is to be, sent to a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    pub id: i64,
    /// The same at every attempt; the receiver has it as `webhook-id`.
    pub uuid: String,
    #[schema(example = "FLAG_UPDATED")]
    pub event_type: String,
    /// `waiting`, `delivered` or `failed`.
    pub status: String,
    pub attempts: i64,
    /// What the receiver answered last.
    pub response_status: Option<i64>,
    /// The beginning of what the receiver answered last.
    pub response_body: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// How long the last attempt took, in milliseconds.
    pub duration: Option<i64>,
    pub created_at: String,
    pub attempted_at: Option<String>,
    /// What is sent.
    pub body: Value,
}

impl From<Delivery> for WebhookDelivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            uuid: delivery.uuid,
            event_type: delivery.event_type,
            status: delivery.status,
            attempts: delivery.attempts,
            response_status: delivery.response_status,
            response_body: delivery.response_body,
            error: delivery.error,
            duration: delivery.duration_ms,
            created_at: Timestamp(delivery.created_at).rest(),
            attempted_at: delivery.attempted_at.map(|at| Timestamp(at).rest()),
            body: serde_json::from_str(&delivery.body).unwrap_or_default(),
        }
    }
}

input! {
    /// Who is to be told of changes.
    pub struct WebhookBody {
        pub url: Given<HttpUrl<WEBHOOK_URL_LENGTH>>,
        pub enabled: Given<bool>,
        /// What deliveries are signed with; empty for unsigned ones.
        pub secret: Given<Blank<WEBHOOK_SECRET_LENGTH>>,
    }
}

required! {
    /// A webhook to write anew.
    pub struct WholeWebhookBody(WebhookBody) with url;
}

impl From<WebhookBody> for WebhookEdit {
    fn from(body: WebhookBody) -> Self {
        Self {
            url: body.url.0.map(|url| url.0),
            enabled: body.enabled.0,
            secret: body.secret.0.map(|secret| secret.0),
        }
    }
}

/// The webhooks of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/webhooks/", tag = "webhooks",
    responses((status = 200, body = Vec<WebhookView>)))]
async fn list_environment_webhooks(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<Vec<WebhookView>>> {
    let found = webhooks::list(&app, &caller, Of::Environment(&key)).await?;
    Ok(Json(found.into_iter().map(WebhookView::from).collect()))
}

/// Adds a webhook to an environment.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/webhooks/", tag = "webhooks",
    request_body = WholeWebhookBody, responses((status = 201, body = WebhookView)))]
async fn create_environment_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<WebhookView>)> {
    let of = Of::Environment(&key);
    webhooks::require(&app, &caller, of).await?;
    let WholeWebhookBody(input) = body.parse()?;
    let made = webhooks::create(&app, &caller, of, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

async fn update(
    app: &App,
    caller: &burgee_app::Caller,
    of: Of<'_>,
    id: i64,
    body: &Body,
    whole: bool,
) -> ApiResult<Shown> {
    webhooks::require_one(app, caller, of, id).await?;
    let input = if whole {
        body.parse::<WholeWebhookBody>()?.0
    } else {
        body.parse()?
    };
    Ok(webhooks::update(app, caller, of, id, input.into()).await?)
}

/// Replaces a webhook of an environment; a secret that is not given stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/webhooks/{webhook_id}/", tag = "webhooks",
    request_body = WholeWebhookBody, responses((status = 200, body = WebhookView)))]
async fn update_environment_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<WebhookView>> {
    let changed = update(&app, &caller, Of::Environment(&key), id, &body, true).await?;
    Ok(Json(changed.into()))
}

/// Changes single things of a webhook of an environment.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/webhooks/{webhook_id}/", tag = "webhooks",
    request_body = WebhookBody, responses((status = 200, body = WebhookView)))]
async fn patch_environment_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<WebhookView>> {
    let changed = update(&app, &caller, Of::Environment(&key), id, &body, false).await?;
    Ok(Json(changed.into()))
}

/// Deletes a webhook of an environment.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/webhooks/{webhook_id}/", tag = "webhooks",
    responses((status = 204)))]
async fn delete_environment_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    webhooks::delete(&app, &caller, Of::Environment(&key), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn deliveries(
    app: &App,
    caller: &burgee_app::Caller,
    of: Of<'_>,
    id: i64,
    paging: &Paging,
) -> ApiResult<Json<Page<WebhookDelivery>>> {
    let slice = (paging.limit(), paging.offset()?);
    let (count, found) = webhook_deliveries::list(app, caller, of, id, slice).await?;
    let views = found.into_iter().map(WebhookDelivery::from).collect();
    Ok(Json(paging.page(count, views)?))
}

/// What was sent to a webhook of an environment within the last days, newest first.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/webhooks/{webhook_id}/deliveries/",
    tag = "webhooks", responses((status = 200, body = Page<WebhookDelivery>)))]
async fn list_environment_webhook_deliveries(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<WebhookDelivery>>> {
    deliveries(&app, &caller, Of::Environment(&key), id, &paging).await
}

/// Sends something to a webhook of an environment again.
#[utoipa::path(post,
    path = "/api/v1/environments/{environment_key}/webhooks/{webhook_id}/deliveries/{delivery_id}/retry/",
    tag = "webhooks", responses((status = 202, body = WebhookDelivery)))]
async fn retry_environment_webhook_delivery(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, webhook, id)): Path<(String, i64, i64)>,
) -> ApiResult<(StatusCode, Json<WebhookDelivery>)> {
    let delivery = webhook_deliveries::retry(&app, &caller, Of::Environment(&key), webhook, id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery.into())))
}

/// The webhooks of an organisation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/webhooks/", tag = "webhooks",
    responses((status = 200, body = Page<OrganisationWebhookView>)))]
async fn list_organisation_webhooks(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<OrganisationWebhookView>>> {
    let found = webhooks::list(&app, &caller, Of::Organisation(id)).await?;
    Ok(Json(paging.cut(found)?.map(OrganisationWebhookView::from)))
}

/// Adds a webhook to an organisation.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/webhooks/", tag = "webhooks",
    request_body = WholeWebhookBody, responses((status = 201, body = OrganisationWebhookView)))]
async fn create_organisation_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<OrganisationWebhookView>)> {
    let of = Of::Organisation(id);
    webhooks::require(&app, &caller, of).await?;
    let WholeWebhookBody(input) = body.parse()?;
    let made = webhooks::create(&app, &caller, of, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One webhook of an organisation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/", tag = "webhooks",
    responses((status = 200, body = OrganisationWebhookView)))]
async fn get_organisation_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(i64, i64)>,
) -> ApiResult<Json<OrganisationWebhookView>> {
    let found = webhooks::get(&app, &caller, Of::Organisation(organisation), id).await?;
    Ok(Json(found.into()))
}

/// Replaces a webhook of an organisation; a secret that is not given stays.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/", tag = "webhooks",
    request_body = WholeWebhookBody, responses((status = 200, body = OrganisationWebhookView)))]
async fn update_organisation_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<OrganisationWebhookView>> {
    let changed = update(&app, &caller, Of::Organisation(organisation), id, &body, true).await?;
    Ok(Json(changed.into()))
}

/// Changes single things of a webhook of an organisation.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/", tag = "webhooks",
    request_body = WebhookBody, responses((status = 200, body = OrganisationWebhookView)))]
async fn patch_organisation_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<OrganisationWebhookView>> {
    let changed = update(&app, &caller, Of::Organisation(organisation), id, &body, false).await?;
    Ok(Json(changed.into()))
}

/// Deletes a webhook of an organisation.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/", tag = "webhooks",
    responses((status = 204)))]
async fn delete_organisation_webhook(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    webhooks::delete(&app, &caller, Of::Organisation(organisation), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was sent to a webhook of an organisation within the last days, newest first.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/deliveries/",
    tag = "webhooks", responses((status = 200, body = Page<WebhookDelivery>)))]
async fn list_organisation_webhook_deliveries(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(i64, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<WebhookDelivery>>> {
    deliveries(&app, &caller, Of::Organisation(organisation), id, &paging).await
}

/// Sends something to a webhook of an organisation again.
#[utoipa::path(post,
    path = "/api/v1/organisations/{organisation_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/retry/",
    tag = "webhooks", responses((status = 202, body = WebhookDelivery)))]
async fn retry_organisation_webhook_delivery(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, webhook, id)): Path<(i64, i64, i64)>,
) -> ApiResult<(StatusCode, Json<WebhookDelivery>)> {
    let of = Of::Organisation(organisation);
    let delivery = webhook_deliveries::retry(&app, &caller, of, webhook, id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery.into())))
}

input! {
    /// An address to send an example to.
    pub struct TestWebhookBody {
        pub webhook_url: HttpUrl<2000>,
        /// What the example is signed with.
        pub secret: Option<Blank<WEBHOOK_SECRET_LENGTH>>,
        /// Whose webhook it is to be: `{"type": "environment", "id": key}` or `{"type": "organisation", "id": number}`.
        pub scope: Value,
    }
}

/// The receiver took the example.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestedWebhook {
    pub detail: &'static str,
    pub status: u16,
}

/// The receiver did not take the example.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedWebhook {
    pub detail: &'static str,
    /// The beginning of what it answered.
    pub body: Option<String>,
    pub status: u16,
}

/// Sends an example to an address, at once, and tells how that went.
#[utoipa::path(post, path = "/api/v1/webhooks/test/", tag = "webhooks", request_body = TestWebhookBody,
    responses((status = 200, body = TestedWebhook), (status = 400, body = Value)))]
async fn test_webhook(State(app): State<App>, Signed(caller): Signed, body: Body) -> ApiResult<Response> {
    let scope = &body.0["scope"];
    let key = match &scope["id"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let of = match scope["type"].as_str() {
        Some("environment") if !key.contains('\0') => Of::Environment(&key),
        Some("organisation") => Of::Organisation(key.parse().unwrap_or_default()),
        _ => return Err(ApiError(Error::forbidden())),
    };
    webhooks::require(&app, &caller, of).await?;
    let input: TestWebhookBody = body.parse()?;
    let secret = input.secret.map(|text| text.0).unwrap_or_default();
    let tested = webhook_deliveries::test(&app, &caller, of, &input.webhook_url.0, &secret).await?;
    if (200..300).contains(&tested.status) {
        let answer = TestedWebhook {
            detail: "Webhook test successful",
            status: tested.status,
        };
        return Ok(Json(answer).into_response());
    }
    let answer = RefusedWebhook {
        detail: "Webhook returned error status",
        body: Some(tested.body),
        status: tested.status,
    };
    Ok((StatusCode::BAD_REQUEST, Json(answer)).into_response())
}
