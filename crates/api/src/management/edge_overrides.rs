//! `/api/v1/environments/{key}/edge-identities/{uuid}/edge-featurestates/`, and the same by identifier

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::edge_identities::FeatureName;
use burgee_app::feature_states::StateDetails;
use burgee_app::{App, Error, edge_identities};
use burgee_model::permissions::EnvironmentPermission;
use burgee_model::{keys, limits};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::{PlainStateBody, WeightBody, WholePlainStateBody};
use super::features::whole;
use super::identity_overrides::EffectiveStateView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Text};
use crate::input;
use crate::params::{Path, Query};

const OVERRIDE: EnvironmentPermission = EnvironmentPermission::UpdateFeatureState;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_edge_overrides, create_edge_override))
        .routes(routes!(list_effective_edge_states))
        .routes(routes!(clone_edge_overrides))
        .routes(routes!(
            get_edge_override,
            update_edge_override,
            delete_edge_override
        ))
        .routes(routes!(list_edge_overrides_of_feature))
        .routes(routes!(
            update_edge_override_by_identifier,
            delete_edge_override_by_identifier
        ))
}

/// The share of the traffic that an option gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeWeight {
    pub multivariate_feature_option: i64,
    pub percentage_allocation: f64,
}

/// What a feature is for one identity.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeOverride {
    pub feature_state_value: Value,
    pub feature: i64,
    pub multivariate_feature_state_values: Vec<EdgeWeight>,
    pub enabled: bool,
    pub featurestate_uuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub identity_uuid: Option<String>,
}

impl From<StateDetails> for EdgeOverride {
    fn from(details: StateDetails) -> Self {
        let StateDetails { state, options } = details;
        Self {
            feature_state_value: state.value().to_json(),
            feature: state.feature_id,
            multivariate_feature_state_values: options
                .into_iter()
                .map(|option| EdgeWeight {
                    multivariate_feature_option: option.option_id,
                    percentage_allocation: option.percentage_allocation,
                })
                .collect(),
            enabled: state.enabled,
            featurestate_uuid: state.uuid,
            identity_uuid: state.identity_id.map(|id| keys::identity_uuid(id).to_string()),
        }
    }
}

/// The overrides of an identity.
#[utoipa::path(get, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/",
    params(("feature" = Option<i64>, Query)), responses((status = 200, body = Vec<EdgeOverride>)))]
async fn list_edge_overrides(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
    query: Query,
) -> ApiResult<Json<Vec<EdgeOverride>>> {
    let feature = whole(&query, "feature")?;
    let found = edge_identities::overrides(&app, &caller, (&key, &uuid), feature).await?;
    Ok(Json(found.into_iter().map(EdgeOverride::from).collect()))
}

/// Overrides a feature for an identity.
#[utoipa::path(post, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/",
    request_body = WholePlainStateBody, responses((status = 201, body = EdgeOverride)))]
async fn create_edge_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<EdgeOverride>)> {
    edge_identities::require(&app, &caller, &key, OVERRIDE).await?;
    let WholePlainStateBody(input) = body.parse()?;
    let feature = input
        .feature_id()
        .ok_or_else(|| Error::field("feature", "A valid integer is required."))?;
    let at = (key.as_str(), uuid.as_str());
    let made = edge_identities::create_override(&app, &caller, at, feature, input.edit()?).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Everything an identity gets.
#[utoipa::path(get, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/all/",
    responses((status = 200, body = Vec<EffectiveStateView>)))]
async fn list_effective_edge_states(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
) -> ApiResult<Json<Vec<EffectiveStateView>>> {
    let states = edge_identities::all_states(&app, &caller, (&key, &uuid)).await?;
    Ok(Json(states.into_iter().map(EffectiveStateView::from).collect()))
}

input! {
    /// The identity to take the overrides of.
    pub struct EdgeCloneBody {
        pub source_identity_uuid: Text<36>,
    }
}

/// Gives an identity the overrides of another one, in place of its own.
#[utoipa::path(post, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/clone-from-given-identity/",
    request_body = EdgeCloneBody, responses((status = 200, body = Vec<EffectiveStateView>)))]
async fn clone_edge_overrides(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
    body: Body,
) -> ApiResult<Json<Vec<EffectiveStateView>>> {
    edge_identities::require(&app, &caller, &key, OVERRIDE).await?;
    let input: EdgeCloneBody = body.parse()?;
    let source = input.source_identity_uuid.0;
    let states = edge_identities::clone_overrides(&app, &caller, (&key, &uuid), &source).await?;
    Ok(Json(states.into_iter().map(EffectiveStateView::from).collect()))
}

/// One override.
#[utoipa::path(get, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/{featurestate_uuid}/",
    responses((status = 200, body = EdgeOverride)))]
async fn get_edge_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid, state)): Path<(String, String, String)>,
) -> ApiResult<Json<EdgeOverride>> {
    let found = edge_identities::override_by_uuid(&app, &caller, (&key, &uuid), &state, false).await?;
    Ok(Json(found.into()))
}

/// Changes an override; what is not given stays.
#[utoipa::path(put, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/{featurestate_uuid}/",
    request_body = PlainStateBody, responses((status = 200, body = EdgeOverride)))]
async fn update_edge_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid, state)): Path<(String, String, String)>,
    body: Body,
) -> ApiResult<Json<EdgeOverride>> {
    edge_identities::require(&app, &caller, &key, OVERRIDE).await?;
    let input: PlainStateBody = body.parse()?;
    let at = (key.as_str(), uuid.as_str());
    let changed = edge_identities::update_override(&app, &caller, at, &state, input.edit()?).await?;
    Ok(Json(changed.into()))
}

/// Deletes an override: the identity gets what others get.
#[utoipa::path(delete, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/{featurestate_uuid}/",
    responses((status = 204)))]
async fn delete_edge_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid, state)): Path<(String, String, String)>,
) -> ApiResult<StatusCode> {
    edge_identities::delete_override(&app, &caller, (&key, &uuid), &state).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An identity that overrides a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeOverrideOfFeature {
    pub identifier: String,
    pub identity_uuid: String,
    pub feature_state: EdgeOverride,
}

/// The identities that override a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeOverridesOfFeature {
    pub results: Vec<EdgeOverrideOfFeature>,
}

/// Which identities override a feature (or any), and with what.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/edge-identity-overrides/",
    tag = "identity overrides", params(("feature" = Option<i64>, Query)),
    responses((status = 200, body = EdgeOverridesOfFeature)))]
async fn list_edge_overrides_of_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
) -> ApiResult<Json<EdgeOverridesOfFeature>> {
    let feature = whole(&query, "feature")?;
    let mut tx = app.db().read().await?;
    let found = edge_identities::overrides_of_feature(&mut tx, &caller, &key, feature).await?;
    let results = found.into_iter().map(|named| {
        let mut feature_state = EdgeOverride::from(named.details);
        EdgeOverrideOfFeature {
            identifier: named.identifier,
            identity_uuid: feature_state.identity_uuid.take().unwrap_or_default(),
            feature_state,
        }
    });
    Ok(Json(EdgeOverridesOfFeature {
        results: results.collect(),
    }))
}

input! {
    /// The identity and the feature of an override.
    pub struct EdgeOverrideName {
        pub identifier: Text<{ limits::IDENTIFIER_LENGTH }>,
        /// The feature's id, or its name.
        pub feature: Value,
    }
}

impl EdgeOverrideName {
    fn feature(&self) -> Result<FeatureName, Error> {
        match &self.feature {
            Value::String(name) => Ok(FeatureName::Name(name.clone())),
            other => other
                .as_i64()
                .map(FeatureName::Id)
                .ok_or_else(|| Error::field("feature", "Must be the id or the name of a feature.")),
        }
    }
}

input! {
    /// What a feature is to be for an identity.
    pub struct EdgeOverrideByIdentifier {
        pub identifier: Text<{ limits::IDENTIFIER_LENGTH }>,
        /// The feature's id, or its name.
        pub feature: Value,
        pub enabled: Given<bool>,
        pub feature_state_value: Given<Value>,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
    }
}

/// Overrides a feature for the identity with an identifier; one that is not there yet is created.
#[utoipa::path(put, path = "/api/v1/environments/environments/{environment_key}/edge-identities-featurestates/",
    tag = "identity overrides", request_body = EdgeOverrideByIdentifier, responses((status = 200, body = EdgeOverride)))]
async fn update_edge_override_by_identifier(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<EdgeOverride>> {
    edge_identities::require(&app, &caller, &key, OVERRIDE).await?;
    let input: EdgeOverrideByIdentifier = body.parse()?;
    let name = EdgeOverrideName {
        identifier: input.identifier,
        feature: input.feature,
    };
    let state = PlainStateBody {
        feature: Given(None),
        enabled: input.enabled,
        feature_state_value: input.feature_state_value,
        multivariate_feature_state_values: input.multivariate_feature_state_values,
        live_from: Given(None),
    };
    let (feature, edit) = (name.feature()?, state.edit()?);
    let identifier = &name.identifier.0;
    let put = edge_identities::put_override(&app, &caller, &key, identifier, &feature, edit).await?;
    Ok(Json(put.into()))
}

/// Takes the override of a feature from the identity with an identifier.
#[utoipa::path(delete, path = "/api/v1/environments/environments/{environment_key}/edge-identities-featurestates/",
    tag = "identity overrides", request_body = EdgeOverrideName, responses((status = 204)))]
async fn delete_edge_override_by_identifier(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<StatusCode> {
    edge_identities::require(&app, &caller, &key, OVERRIDE).await?;
    let name: EdgeOverrideName = body.parse()?;
    let feature = name.feature()?;
    edge_identities::remove_override(&app, &caller, &key, &name.identifier.0, &feature).await?;
    Ok(StatusCode::NO_CONTENT)
}
