//! `/api/v1/auth/saml/…`: identity providers of organisations, and signing in through them.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::saml::{self, ConfigurationEdit, MappingEdit, SamlAttributeMapping, SamlConfiguration};
use burgee_app::{App, sign_ins};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sessions::{CodeRefused, LogInAnswer};
use super::sign_ins::{bad_code, key_answer};
use crate::body::Body;
use crate::caller::{Signed, SigningIn};
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{choices, input, required};

/// The most characters of a provider's metadata.
const METADATA: usize = 500_000;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_saml_configurations, create_saml_configuration))
        .routes(routes!(
            get_saml_configuration,
            update_saml_configuration,
            patch_saml_configuration,
            delete_saml_configuration
        ))
        .routes(routes!(
            list_saml_attribute_mappings,
            create_saml_attribute_mapping
        ))
        .routes(routes!(
            get_saml_attribute_mapping,
            update_saml_attribute_mapping,
            patch_saml_attribute_mapping,
            delete_saml_attribute_mapping
        ))
        .routes(routes!(log_in_with_saml))
        .routes(routes!(get_saml_metadata))
        .routes(routes!(begin_saml))
        .routes(routes!(end_saml))
}

/// An identity provider of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct SamlConfigurationView {
    pub id: i64,
    pub organisation: i64,
    pub name: String,
    pub frontend_url: String,
    pub idp_metadata_xml: Option<String>,
    pub allow_idp_initiated: bool,
}

impl From<SamlConfiguration> for SamlConfigurationView {
    fn from(configuration: SamlConfiguration) -> Self {
        Self {
            id: configuration.id,
            organisation: configuration.organisation_id,
            name: configuration.name,
            frontend_url: configuration.frontend_url,
            idp_metadata_xml: configuration.idp_metadata_xml,
            allow_idp_initiated: configuration.allow_idp_initiated,
        }
    }
}

input! {
    /// An identity provider to set up or change.
    pub struct SamlConfigurationBody {
        pub organisation: Given<Pk>,
        pub name: Given<Text<100>>,
        pub frontend_url: Given<Text<200>>,
        pub idp_metadata_xml: Given<Option<Blank<METADATA>>>,
        pub allow_idp_initiated: Given<bool>,
    }
}

required! {
    /// An identity provider to write anew.
    pub struct WholeSamlConfigurationBody(SamlConfigurationBody) with organisation, name, frontend_url;
}

impl From<SamlConfigurationBody> for ConfigurationEdit {
    fn from(body: SamlConfigurationBody) -> Self {
        Self {
            organisation: body.organisation.0.map(|id| id.0),
            name: body.name.0.map(|text| text.0),
            frontend_url: body.frontend_url.0.map(|text| text.0),
            idp_metadata_xml: body
                .idp_metadata_xml
                .0
                .map(|xml| xml.map(|text| text.0).filter(|text| !text.is_empty())),
            allow_idp_initiated: body.allow_idp_initiated.0,
        }
    }
}

/// The identity providers of an organisation.
#[utoipa::path(get, path = "/api/v1/auth/saml/configuration/", tag = "saml",
    params(("organisation" = i64, Query)), responses((status = 200, body = Page<SamlConfigurationView>)))]
async fn list_saml_configurations(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<SamlConfigurationView>>> {
    let id = query.number("organisation").ok_or_else(|| {
        ApiError(burgee_app::Error::field(
            "organisation",
            "This field is required.",
        ))
    })?;
    let mut tx = app.db().read().await?;
    let all = saml::list(&mut tx, &caller, id).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Sets up an identity provider.
#[utoipa::path(post, path = "/api/v1/auth/saml/configuration/", tag = "saml",
    request_body = WholeSamlConfigurationBody, responses((status = 201, body = SamlConfigurationView)))]
async fn create_saml_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<SamlConfigurationView>)> {
    let WholeSamlConfigurationBody(input) = body.parse()?;
    let made = saml::create(&app, &caller, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One identity provider.
#[utoipa::path(get, path = "/api/v1/auth/saml/configuration/{name}/", tag = "saml",
    responses((status = 200, body = SamlConfigurationView)))]
async fn get_saml_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(name): Path<String>,
) -> ApiResult<Json<SamlConfigurationView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(saml::get(&mut tx, &caller, &name).await?.into()))
}

/// Changes an identity provider.
#[utoipa::path(put, path = "/api/v1/auth/saml/configuration/{name}/", tag = "saml",
    request_body = WholeSamlConfigurationBody, responses((status = 200, body = SamlConfigurationView)))]
async fn update_saml_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(name): Path<String>,
    body: Body,
) -> ApiResult<Json<SamlConfigurationView>> {
    let WholeSamlConfigurationBody(input) = body.parse()?;
    Ok(Json(
        saml::update(&app, &caller, &name, input.into()).await?.into(),
    ))
}

/// Changes some of an identity provider.
#[utoipa::path(patch, path = "/api/v1/auth/saml/configuration/{name}/", tag = "saml",
    request_body = SamlConfigurationBody, responses((status = 200, body = SamlConfigurationView)))]
async fn patch_saml_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(name): Path<String>,
    body: Body,
) -> ApiResult<Json<SamlConfigurationView>> {
    let input: SamlConfigurationBody = body.parse()?;
    Ok(Json(
        saml::update(&app, &caller, &name, input.into()).await?.into(),
    ))
}

/// Removes an identity provider.
#[utoipa::path(delete, path = "/api/v1/auth/saml/configuration/{name}/", tag = "saml",
    responses((status = 204)))]
async fn delete_saml_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(name): Path<String>,
) -> ApiResult<StatusCode> {
    saml::delete(&app, &caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

choices! {
    /// What of a user a provider's attribute tells.
    pub enum DjangoAttributeName {
        Email = "email",
        FirstName = "first_name",
        LastName = "last_name",
        Groups = "groups",
    }
}

/// Which attribute of a provider tells what of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct SamlAttributeMappingView {
    pub id: i64,
    pub saml_configuration: i64,
    #[schema(value_type = DjangoAttributeName)]
    pub django_attribute_name: String,
    pub idp_attribute_name: String,
}

impl From<SamlAttributeMapping> for SamlAttributeMappingView {
    fn from(mapping: SamlAttributeMapping) -> Self {
        Self {
            id: mapping.id,
            saml_configuration: mapping.saml_configuration_id,
            django_attribute_name: mapping.django_attribute_name,
            idp_attribute_name: mapping.idp_attribute_name,
        }
    }
}

input! {
    /// A mapping to write.
    pub struct SamlAttributeMappingBody {
        pub saml_configuration: Given<Pk>,
        pub django_attribute_name: Given<DjangoAttributeName>,
        pub idp_attribute_name: Given<Text<200>>,
    }
}

required! {
    /// A mapping to write anew.
    pub struct WholeSamlAttributeMappingBody(SamlAttributeMappingBody) with saml_configuration, django_attribute_name, idp_attribute_name;
}

impl From<SamlAttributeMappingBody> for MappingEdit {
    fn from(body: SamlAttributeMappingBody) -> Self {
        Self {
            saml_configuration: body.saml_configuration.0.map(|id| id.0),
            django_attribute_name: body.django_attribute_name.0.map(DjangoAttributeName::as_str),
            idp_attribute_name: body.idp_attribute_name.0.map(|text| text.0),
        }
    }
}

/// The mappings of an organisation or of one configuration.
#[utoipa::path(get, path = "/api/v1/auth/saml/attribute-mapping/", tag = "saml",
    params(("organisation" = Option<i64>, Query), ("saml_configuration" = Option<i64>, Query)),
    responses((status = 200, body = Page<SamlAttributeMappingView>)))]
async fn list_saml_attribute_mappings(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<SamlAttributeMappingView>>> {
    let (organisation, configuration) = (query.number("organisation"), query.number("saml_configuration"));
    let mut tx = app.db().read().await?;
    let all = saml::mappings(&mut tx, &caller, organisation, configuration).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Writes a new mapping.
#[utoipa::path(post, path = "/api/v1/auth/saml/attribute-mapping/", tag = "saml",
    request_body = WholeSamlAttributeMappingBody, responses((status = 201, body = SamlAttributeMappingView)))]
async fn create_saml_attribute_mapping(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<SamlAttributeMappingView>)> {
    let WholeSamlAttributeMappingBody(input) = body.parse()?;
    let made = saml::save_mapping(&app, &caller, None, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One mapping.
#[utoipa::path(get, path = "/api/v1/auth/saml/attribute-mapping/{id}/", tag = "saml",
    responses((status = 200, body = SamlAttributeMappingView)))]
async fn get_saml_attribute_mapping(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<SamlAttributeMappingView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(saml::get_mapping(&mut tx, &caller, id).await?.into()))
}

/// Changes a mapping.
#[utoipa::path(put, path = "/api/v1/auth/saml/attribute-mapping/{id}/", tag = "saml",
    request_body = WholeSamlAttributeMappingBody, responses((status = 200, body = SamlAttributeMappingView)))]
async fn update_saml_attribute_mapping(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<SamlAttributeMappingView>> {
    let WholeSamlAttributeMappingBody(input) = body.parse()?;
    Ok(Json(
        saml::save_mapping(&app, &caller, Some(id), input.into())
            .await?
            .into(),
    ))
}

/// Changes some of a mapping.
#[utoipa::path(patch, path = "/api/v1/auth/saml/attribute-mapping/{id}/", tag = "saml",
    request_body = SamlAttributeMappingBody, responses((status = 200, body = SamlAttributeMappingView)))]
async fn patch_saml_attribute_mapping(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<SamlAttributeMappingView>> {
    let input: SamlAttributeMappingBody = body.parse()?;
    Ok(Json(
        saml::save_mapping(&app, &caller, Some(id), input.into())
            .await?
            .into(),
    ))
}

/// Removes a mapping.
#[utoipa::path(delete, path = "/api/v1/auth/saml/attribute-mapping/{id}/", tag = "saml",
    responses((status = 204)))]
async fn delete_saml_attribute_mapping(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    saml::delete_mapping(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This installation's description, for the identity provider.
#[utoipa::path(get, path = "/api/v1/auth/saml/{name}/metadata/", tag = "saml",
    responses((status = 200, body = String, content_type = "application/samlmetadata+xml")))]
async fn get_saml_metadata(State(app): State<App>, Path(name): Path<String>) -> ApiResult<Response> {
    let mut tx = app.db().read().await?;
    let xml = saml::metadata(&app, &mut tx, &name).await?;
    Ok(([(header::CONTENT_TYPE, "application/samlmetadata+xml")], xml).into_response())
}

/// Where a redirect leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct SamlRequestHeaders {
    #[serde(rename = "Location")]
    pub location: String,
}

/// The redirect to an identity provider, for a script to follow.
#[derive(Debug, Serialize, ToSchema)]
pub struct SamlRequestView {
    pub headers: SamlRequestHeaders,
    pub status: u16,
    pub url: String,
}

/// Begins a sign-in: the browser must go to the identity provider with what is answered.
#[utoipa::path(post, path = "/api/v1/auth/saml/{name}/request/", tag = "saml",
    responses((status = 200, body = SamlRequestView)))]
async fn begin_saml(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    Path(name): Path<String>,
) -> ApiResult<Json<SamlRequestView>> {
    let url = saml::begin(&app, &client, &name).await?;
    Ok(Json(SamlRequestView {
        headers: SamlRequestHeaders {
            location: url.clone(),
        },
        status: 302,
        url,
    }))
}

/// What an identity provider posts through the browser.
#[derive(Debug, ToSchema)]
pub struct SamlResponseForm {
    #[schema(rename = "SAMLResponse")]
    pub saml_response: String,
}

/// Ends a sign-in: what the identity provider posts through the browser, which goes on with a code.
#[utoipa::path(post, path = "/api/v1/auth/saml/{name}/response/", tag = "saml", request_body = SamlResponseForm,
    responses((status = 302, description = "To the dashboard, with a code"),
        (status = 403, description = "What the identity provider says is not believed, or lets nobody in")))]
async fn end_saml(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    Path(name): Path<String>,
    body: Body,
) -> ApiResult<Response> {
    let response = body.0.get("SAMLResponse").and_then(Value::as_str);
    let response = response.ok_or_else(|| {
        ApiError(burgee_app::Error::field(
            "SAMLResponse",
            "This field is required.",
        ))
    })?;
    let url = saml::end(&app, &client, &name, response).await?;
    Ok((StatusCode::FOUND, [(header::LOCATION, url)]).into_response())
}

input! {
    /// The code the browser came back with.
    pub struct SamlLoginBody {
        pub access_token: Text<200>,
    }
}

/// Signs in with the code that the browser came back with.
#[utoipa::path(post, path = "/api/v1/auth/saml/login/", tag = "saml", request_body = SamlLoginBody,
    responses((status = 200, body = LogInAnswer), (status = 204, description = "The cookie says who it is"),
        (status = 401, body = CodeRefused, description = "The code is not one that was given, or has been used")))]
async fn log_in_with_saml(
    State(app): State<App>,
    SigningIn(client): SigningIn,
    body: Body,
) -> ApiResult<Response> {
    let input: SamlLoginBody = body.parse()?;
    let code = &input.access_token.0;
    Ok(
        match sign_ins::with_login_code(&app, &client, "saml", code).await? {
            Some((outcome, _)) => key_answer(&app, outcome),
            None => bad_code(),
        },
    )
}
