//! What belongs to subscriptions and licences elsewhere. Here everything is included, and there is nothing to pay.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use burgee_app::{App, Error, organisations};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::{OrganisationId, OrganisationView};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult, detail};
use crate::fields::Text;
use crate::input;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(update_subscription))
        .routes(routes!(get_subscription_upgrade_url))
        .routes(routes!(receive_billing_webhook))
        .routes(routes!(update_licence))
}

input! {
    /// What a billing service calls its page.
    pub struct UpdateSubscriptionBody {
        pub hosted_page_id: Text<200>,
    }
}

/// Answers the organisation as it is: it has everything already.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/update-subscription/", tag = "organisations",
    request_body = UpdateSubscriptionBody, responses((status = 200, body = OrganisationView)))]
async fn update_subscription(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<Json<OrganisationView>> {
    let mut tx = app.db().read().await?;
    let details = organisations::get(&mut tx, &caller, id.get()?).await?;
    body.parse::<UpdateSubscriptionBody>()?;
    Ok(Json(details.into()))
}

input! {
    /// What to change to.
    pub struct UpgradeBody {
        pub plan_id: Text<200>,
        pub subscription_id: Text<200>,
    }
}

/// Where a plan is bought: nowhere.
#[utoipa::path(post,
    path = "/api/v1/organisations/{organisation_id}/get-hosted-page-url-for-subscription-upgrade/",
    tag = "organisations", request_body = UpgradeBody, responses((status = 400)))]
async fn get_subscription_upgrade_url(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<ApiError> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    body.parse::<UpgradeBody>()?;
    Ok(ApiError(Error::detail(
        "There is nothing to upgrade: everything is included.",
    )))
}

/// Takes no word of a billing service, because none was set up.
#[utoipa::path(post, path = "/api/v1/cb-webhook/", tag = "organisations", responses((status = 401)))]
async fn receive_billing_webhook() -> Response {
    let text = "Authentication credentials were not provided.";
    let mut response = detail(StatusCode::UNAUTHORIZED, text);
    let challenge = HeaderValue::from_static("Basic realm=\"api\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// What is said to a licence.
#[derive(Debug, Serialize, ToSchema)]
pub struct LicenceView {
    pub detail: &'static str,
}

/// Takes a licence, and does not need it.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/licence/", tag = "organisations",
    responses((status = 200, body = LicenceView)))]
async fn update_licence(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<LicenceView>> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    Ok(Json(LicenceView {
        detail: "No licence is needed: everything is included.",
    }))
}
