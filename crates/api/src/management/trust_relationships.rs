//! `/api/v1/organisations/{organisation_id}/trust-relationships/`, and the exchange of tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::trust_relationships::{self, ClaimRule, TrustEdit, TrustRelationship};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::{ClientAddress, Signed};
use crate::error::ApiResult;
use crate::fields::{Field, Given, Text, message};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_trust_relationships, create_trust_relationship))
        .routes(routes!(
            get_trust_relationship,
            update_trust_relationship,
            patch_trust_relationship,
            delete_trust_relationship
        ))
        .routes(routes!(exchange_token))
}

/// A claim of a token and the values it may have.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimRuleView {
    pub claim: String,
    pub values: Vec<String>,
}

/// An identity provider whose tokens are taken in exchange.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrustRelationshipView {
    pub id: i64,
    pub name: String,
    pub issuer: String,
    pub audience: String,
    /// All of them must hold.
    pub claim_rules: Vec<ClaimRuleView>,
    /// Whether its tokens administer the organisation; otherwise they may do what the roles of its key may do.
    pub is_admin: bool,
    pub master_api_key_id: String,
    /// By this name the key is given roles.
    pub master_api_key_prefix: String,
    pub created_at: String,
    pub created_by: Option<i64>,
}

impl From<TrustRelationship> for TrustRelationshipView {
    fn from(trust: TrustRelationship) -> Self {
        let rule = |ClaimRule { claim, values }| ClaimRuleView { claim, values };
        Self {
            claim_rules: trust_relationships::rules(&trust).into_iter().map(rule).collect(),
            id: trust.id,
            name: trust.name,
            issuer: trust.issuer,
            audience: trust.audience,
            is_admin: trust.is_admin,
            master_api_key_id: trust.prefix.clone(),
            master_api_key_prefix: trust.prefix,
            created_at: Timestamp(trust.created_at).rest(),
            created_by: trust.created_by,
        }
    }
}

/// At least one text.
#[derive(Debug, Clone)]
pub struct Values(Vec<String>);

impl Field for Values {
    fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
        let values = Vec::<Text<500>>::read(value)?;
        if values.is_empty() {
            return Err(message("Ensure this field has at least 1 elements."));
        }
        Ok(Self(values.into_iter().map(|value| value.0).collect()))
    }

    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Vec::<Text<500>>::schema()
    }
}

input! {
    /// A claim of a token and the values it may have.
    pub struct ClaimRuleBody {
        pub claim: Text<255>,
        pub values: Values,
    }
}

input! {
    /// What may be set of a trust relationship.
    pub struct TrustRelationshipBody {
        pub name: Given<Text<100>>,
        pub issuer: Given<Text<500>>,
        pub audience: Given<Text<500>>,
        pub claim_rules: Given<Vec<ClaimRuleBody>>,
        pub is_admin: Given<bool>,
    }
}

required! {
    /// A trust relationship to write anew.
    pub struct WholeTrustRelationshipBody(TrustRelationshipBody) with name, issuer, audience, is_admin;
}

impl From<TrustRelationshipBody> for TrustEdit {
    fn from(body: TrustRelationshipBody) -> Self {
        let rule = |rule: ClaimRuleBody| ClaimRule {
            claim: rule.claim.0,
            values: rule.values.0,
        };
        let rules = body.claim_rules.0;
        Self {
            name: body.name.0.map(|text| text.0),
            issuer: body.issuer.0.map(|text| text.0),
            audience: body.audience.0.map(|text| text.0),
            claim_rules: rules.map(|rules| rules.into_iter().map(rule).collect()),
            is_admin: body.is_admin.0,
        }
    }
}

/// The trust relationships of an organisation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/trust-relationships/",
    tag = "trust relationships", responses((status = 200, body = Page<TrustRelationshipView>)))]
async fn list_trust_relationships(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    paging: Paging,
) -> ApiResult<Json<Page<TrustRelationshipView>>> {
    let mut tx = app.db().read().await?;
    let all = trust_relationships::list(&mut tx, &caller, id.get()?).await?;
    Ok(Json(paging.cut(all.into_iter().map(Into::into).collect())?))
}

/// Trusts an identity provider.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/trust-relationships/",
    tag = "trust relationships", request_body = WholeTrustRelationshipBody,
    responses((status = 201, body = TrustRelationshipView)))]
async fn create_trust_relationship(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<OrganisationId>,
    body: Body,
) -> ApiResult<(StatusCode, Json<TrustRelationshipView>)> {
    let id = id.get()?;
    let WholeTrustRelationshipBody(input) = body.parse()?;
    let trust = trust_relationships::create(&app, &caller, id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(trust.into())))
}

/// One trust relationship.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/trust-relationships/{id}/",
    tag = "trust relationships", responses((status = 200, body = TrustRelationshipView)))]
async fn get_trust_relationship(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<TrustRelationshipView>> {
    let mut tx = app.db().read().await?;
    let trust = trust_relationships::get(&mut tx, &caller, organisation.get()?, id).await?;
    Ok(Json(trust.into()))
}

/// Changes a trust relationship; what is not given stays.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/trust-relationships/{id}/",
    tag = "trust relationships", request_body = WholeTrustRelationshipBody,
    responses((status = 200, body = TrustRelationshipView)))]
async fn update_trust_relationship(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<TrustRelationshipView>> {
    let WholeTrustRelationshipBody(input) = body.parse()?;
    let trust = trust_relationships::update(&app, &caller, organisation.get()?, id, input.into()).await?;
    Ok(Json(trust.into()))
}

/// Changes single fields of a trust relationship.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/trust-relationships/{id}/",
    tag = "trust relationships", request_body = TrustRelationshipBody,
    responses((status = 200, body = TrustRelationshipView)))]
async fn patch_trust_relationship(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    body: Body,
) -> ApiResult<Json<TrustRelationshipView>> {
    let input: TrustRelationshipBody = body.parse()?;
    let trust = trust_relationships::update(&app, &caller, organisation.get()?, id, input.into()).await?;
    Ok(Json(trust.into()))
}

/// Trusts an identity provider no more. The tokens that were given for its own end at once.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/trust-relationships/{id}/",
    tag = "trust relationships", responses((status = 204)))]
async fn delete_trust_relationship(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<StatusCode> {
    trust_relationships::delete(&app, &caller, organisation.get()?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// A token of an identity provider.
    pub struct TokenExchangeBody {
        pub token: Text<16384>,
    }
}

/// A token to sign in with, as `Authorization: Bearer …`.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenExchangeView {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds for which it holds.
    pub expires_in: u64,
}

/// Gives a short-lived token for one of an identity provider that a trust relationship names.
#[utoipa::path(post, path = "/api/v1/auth/oidc/token/", tag = "trust relationships", security(()),
    request_body = TokenExchangeBody, responses((status = 200, body = TokenExchangeView),
        (status = 401, description = "Nobody trusts this token")))]
async fn exchange_token(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Body,
) -> ApiResult<Json<TokenExchangeView>> {
    let input: TokenExchangeBody = body.parse()?;
    let given = trust_relationships::exchange(&app, address, &input.token.0).await?;
    Ok(Json(TokenExchangeView {
        access_token: given.token,
        token_type: "Bearer",
        expires_in: given.seconds,
    }))
}
