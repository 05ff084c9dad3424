//! `/api/v1/organisations/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::organisations::{self, Details, OrganisationEdit};
use burgee_app::{App, Error, projects};
use burgee_model::{Timestamp, limits};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::projects::ProjectView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Email, Given, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_organisations, create_organisation))
        .routes(routes!(get_organisation_by_uuid))
        .routes(routes!(
            get_organisation,
            update_organisation,
            patch_organisation,
            delete_organisation
        ))
        .routes(routes!(list_organisation_projects))
        .routes(routes!(get_subscription_metadata))
        .routes(routes!(get_portal_url))
}

/// The organisation a path names. What is no number has an answer of its own.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct OrganisationId(String);

impl OrganisationId {
    /// The number.
    pub fn get(&self) -> ApiResult<i64> {
        let invalid = || ApiError(Error::Rejected(json!(["Invalid organisation ID"])));
        self.0.parse().map_err(|_| invalid())
    }
}

/// What an installation of one's own has subscribed to: everything.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscription {
    pub id: i64,
    pub has_active_billing_periods: bool,
    pub deleted_at: Option<String>,
    pub uuid: String,
    pub subscription_id: Option<String>,
    pub subscription_date: Option<String>,
    pub plan: &'static str,
    pub max_seats: i64,
    pub max_api_calls: i64,
    pub cancellation_date: Option<String>,
    pub customer_id: Option<String>,
    pub billing_status: Option<String>,
    pub payment_method: Option<String>,
    pub notes: Option<String>,
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationView {
    pub id: i64,
    pub uuid: String,
    pub name: String,
    pub created_date: String,
    pub webhook_notification_email: Option<String>,
    pub num_seats: i64,
    pub subscription: Subscription,
    /// The caller's role: `ADMIN` or `USER`.
    #[schema(value_type = Option<super::members::RoleWord>)]
    pub role: Option<String>,
    pub persist_trait_data: bool,
    pub block_access_to_admin: bool,
    pub restrict_project_create_to_admin: bool,
    pub force_2fa: bool,
}

impl From<Details> for OrganisationView {
    fn from(details: Details) -> Self {
        let o = details.organisation;
        Self {
            id: o.id,
            uuid: o.uuid,
            name: o.name,
            created_date: Timestamp(o.created_at).rest(),
            webhook_notification_email: o.webhook_notification_email,
            num_seats: details.members,
            subscription: Subscription {
                id: o.id,
                has_active_billing_periods: false,
                deleted_at: None,
                uuid: o.subscription_uuid,
                subscription_id: None,
                subscription_date: None,
                plan: limits::PLAN,
                max_seats: limits::SEATS,
                max_api_calls: limits::API_CALLS,
                cancellation_date: None,
                customer_id: None,
                billing_status: None,
                payment_method: None,
                notes: None,
            },
            role: details.role,
            persist_trait_data: o.persist_trait_data,
            block_access_to_admin: o.block_access_to_admin,
            restrict_project_create_to_admin: o.restrict_project_create_to_admin,
            force_2fa: o.force_2fa,
        }
    }
}

input! {
    /// The settings of an organisation.
    pub struct OrganisationBody {
        pub name: Given<Text<2000>>,
        pub webhook_notification_email: Given<Option<Email>>,
        pub restrict_project_create_to_admin: Given<bool>,
        pub force_2fa: Given<bool>,
        pub persist_trait_data: Given<bool>,
        pub stop_serving_flags: Given<bool>,
        pub block_access_to_admin: Given<bool>,
    }
}

required! {
    /// An organisation to write anew.
    pub struct WholeOrganisationBody(OrganisationBody) with name;
}

impl From<OrganisationBody> for OrganisationEdit {
    fn from(body: OrganisationBody) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            webhook_notification_email: body
                .webhook_notification_email
                .0
                .map(|email| email.map(|email| email.0)),
            restrict_project_create_to_admin: body.restrict_project_create_to_admin.0,
            force_2fa: body.force_2fa.0,
            persist_trait_data: body.persist_trait_data.0,
            stop_serving_flags: body.stop_serving_flags.0,
            block_access_to_admin: body.block_access_to_admin.0,
        }
    }
}

/// The organisations the caller belongs to.
#[utoipa::path(get, path = "/api/v1/organisations/", tag = "organisations",
    responses((status = 200, body = Page<OrganisationView>)))]
async fn list_organisations(
    State(app): State<App>,
    Signed(caller): Signed,
    paging: Paging,
) -> ApiResult<Json<Page<OrganisationView>>> {
    let mut tx = app.db().read().await?;
    let all = organisations::list(&mut tx, &caller).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Creates an organisation.
#[utoipa::path(post, path = "/api/v1/organisations/", tag = "organisations", request_body = WholeOrganisationBody,
    responses((status = 201, body = OrganisationView)))]
async fn create_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<OrganisationView>)> {
    let WholeOrganisationBody(input) = body.parse()?;
    let details = organisations::create(&app, &caller, input.into()).await?;
    Ok((StatusCode::CREATED, Json(details.into())))
}

/// One organisation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/", tag = "organisations",
    responses((status = 200, body = OrganisationView)))]
async fn get_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<OrganisationView>> {
    let mut tx = app.db().read().await?;
    let details = organisations::get(&mut tx, &caller, id.get()?).await?;
    Ok(Json(details.into()))
}

/// One organisation, by its uuid.
#[utoipa::path(get, path = "/api/v1/organisations/get-by-uuid/{uuid}/", tag = "organisations",
    responses((status = 200, body = OrganisationView)))]
async fn get_organisation_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<OrganisationView>> {
    let mut tx = app.db().read().await?;
    let details = organisations::get_by_uuid(&mut tx, &caller, &uuid).await?;
    Ok(Json(details.into()))
}

/// Changes an organisation; what is not given stays.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/", tag = "organisations",
    request_body = WholeOrganisationBody, responses((status = 200, body = OrganisationView)))]
async fn update_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<Json<OrganisationView>> {
    let WholeOrganisationBody(input) = body.parse()?;
    let details = organisations::update(&app, &caller, id.get()?, input.into()).await?;
    Ok(Json(details.into()))
}

/// Changes single fields of an organisation.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/", tag = "organisations",
    request_body = OrganisationBody, responses((status = 200, body = OrganisationView)))]
async fn patch_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<Json<OrganisationView>> {
    let input: OrganisationBody = body.parse()?;
    let details = organisations::update(&app, &caller, id.get()?, input.into()).await?;
    Ok(Json(details.into()))
}

/// Deletes an organisation with all that is in it.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/", tag = "organisations",
    responses((status = 204)))]
async fn delete_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<StatusCode> {
    organisations::delete(&app, &caller, id.get()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The projects of an organisation that the caller may see.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/projects/", tag = "organisations",
    responses((status = 200, body = Vec<ProjectView>)))]
async fn list_organisation_projects(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<Vec<ProjectView>>> {
    let mut tx = app.db().read().await?;
    let organisation = organisations::for_member(&mut tx, &caller, id.get()?).await?;
    let projects = projects::list(&mut tx, &caller, Some(organisation.id)).await?;
    Ok(Json(projects.into_iter().map(Into::into).collect()))
}

/// What the organisation may use. `null` is no limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionMetadata {
    pub max_seats: i64,
    pub max_api_calls: i64,
    pub max_projects: Option<i64>,
    pub payment_source: Option<String>,
    pub chargebee_email: Option<String>,
    pub feature_history_visibility_days: Option<i64>,
    pub audit_log_visibility_days: Option<i64>,
}

/// What the organisation may use.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/get-subscription-metadata/",
    tag = "organisations", responses((status = 200, body = SubscriptionMetadata)))]
async fn get_subscription_metadata(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<SubscriptionMetadata>> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    let settings = app.settings();
    Ok(Json(SubscriptionMetadata {
        max_seats: settings.seats.unwrap_or(limits::SEATS),
        max_api_calls: settings.api_calls_limit.unwrap_or(limits::API_CALLS),
        max_projects: None,
        payment_source: None,
        chargebee_email: None,
        feature_history_visibility_days: None,
        audit_log_visibility_days: None,
    }))
}

/// Where bills are paid: nowhere.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/portal-url/", tag = "organisations",
    responses((status = 400)))]
async fn get_portal_url(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<ApiError> {
    let mut tx = app.db().read().await?;
    organisations::for_admin(&mut tx, &caller, id.get()?).await?;
    Ok(ApiError(Error::detail("Organisation has no subscription")))
}
