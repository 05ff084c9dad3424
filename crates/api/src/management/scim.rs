//! `/api/v1/organisations/{organisation_id}/scim/`: letting an identity provider in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::scim;
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            get_scim_configuration,
            create_scim_configuration,
            delete_scim_configuration
        ))
        .routes(routes!(regenerate_scim_token))
}

/// That an identity provider keeps the members of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimConfiguration {
    pub organisation: i64,
    /// Where the provider finds SCIM, below the address of this server.
    pub base_path: &'static str,
    pub created_at: String,
    pub token_created_at: String,
    /// The provider's token, only when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
}

impl ScimConfiguration {
    fn new(configuration: &burgee_app::scim::Configuration, token: Option<String>) -> Json<Self> {
        Json(Self {
            organisation: configuration.organisation_id,
            base_path: "/api/v1/scim/v2",
            created_at: Timestamp(configuration.created_at).rest(),
            token_created_at: Timestamp(configuration.token_created_at).rest(),
            token,
        })
    }
}

/// Whether an identity provider keeps the members: 404 if not.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/scim/", tag = "scim",
    responses((status = 200, body = ScimConfiguration)))]
async fn get_scim_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<ScimConfiguration>> {
    let mut tx = app.db().read().await?;
    let configuration = scim::get(&mut tx, &caller, id.get()?).await?;
    Ok(ScimConfiguration::new(&configuration, None))
}

/// Lets an identity provider keep the members. Its token is shown this once.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/scim/", tag = "scim",
    responses((status = 200, body = ScimConfiguration)))]
async fn create_scim_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<ScimConfiguration>> {
    let (configuration, token) = scim::create(&app, &caller, id.get()?).await?;
    Ok(ScimConfiguration::new(&configuration, Some(token)))
}

/// Lets the identity provider in no more. The members stay.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/scim/", tag = "scim",
    responses((status = 204)))]
async fn delete_scim_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<StatusCode> {
    scim::delete(&app, &caller, id.get()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the identity provider a new token, shown this once. The present one ends.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/scim/regenerate-token/", tag = "scim",
    responses((status = 200, body = ScimConfiguration)))]
async fn regenerate_scim_token(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
) -> ApiResult<Json<ScimConfiguration>> {
    let (configuration, token) = scim::regenerate(&app, &caller, id.get()?).await?;
    Ok(ScimConfiguration::new(&configuration, Some(token)))
}
