//! `/api/v1/environments/{key}/identities/{identity_id}/featurestates/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::identity_overrides::EffectiveState;
use burgee_app::{App, identity_overrides};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::{ListedState, PatchedState, PlainStateBody, StateView};
use super::features::whole;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::Pk;
use crate::input;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_identity_overrides, create_identity_override))
        .routes(routes!(
            get_identity_override,
            update_identity_override,
            patch_identity_override,
            delete_identity_override
        ))
        .routes(routes!(list_effective_states))
        .routes(routes!(clone_overrides))
}

/// The overrides of an identity.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/",
    tag = "identity overrides", params(("feature" = Option<i64>, Query)),
    responses((status = 200, body = Page<ListedState>)))]
async fn list_identity_overrides(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity)): Path<(String, i64)>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ListedState>>> {
    let feature = whole(&query, "feature")?;
    let mut tx = app.db().read().await?;
    let rows = identity_overrides::list(&mut tx, &caller, (&key, identity), feature).await?;
    let page = paging.cut(rows)?;
    Ok(Json(
        page.map(|row| ListedState::new(row.details, Some(row.identifier))),
    ))
}

/// Overrides a feature for an identity.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/",
    tag = "identity overrides", request_body = PlainStateBody, responses((status = 201, body = StateView<Value>)))]
async fn create_identity_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<StateView<Value>>)> {
    let input: PlainStateBody = body.parse()?;
    let feature = input.feature_id();
    let at = (key.as_str(), identity);
    let created = identity_overrides::create(&app, &caller, at, feature, input.edit()?).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// One override.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/",
    tag = "identity overrides", responses((status = 200, body = StateView<Value>)))]
async fn get_identity_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity, id)): Path<(String, i64, i64)>,
) -> ApiResult<Json<StateView<Value>>> {
    let mut tx = app.db().read().await?;
    let found = identity_overrides::get(&mut tx, &caller, (&key, identity), id).await?;
    Ok(Json(found.into()))
}

/// Changes an override; what is not given stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/",
    tag = "identity overrides", request_body = PlainStateBody, responses((status = 200, body = StateView<Value>)))]
async fn update_identity_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity, id)): Path<(String, i64, i64)>,
    body: Body,
) -> ApiResult<Json<StateView<Value>>> {
    let input: PlainStateBody = body.parse()?;
    let at = (key.as_str(), identity);
    let updated = identity_overrides::update(&app, &caller, at, id, input.edit()?).await?;
    Ok(Json(updated.into()))
}

/// Changes an override and answers little.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/",
    tag = "identity overrides", request_body = PlainStateBody, responses((status = 200, body = PatchedState)))]
async fn patch_identity_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity, id)): Path<(String, i64, i64)>,
    body: Body,
) -> ApiResult<Json<PatchedState>> {
    let input: PlainStateBody = body.parse()?;
    let at = (key.as_str(), identity);
    let updated = identity_overrides::update(&app, &caller, at, id, input.edit()?).await?;
    Ok(Json(updated.into()))
}

/// Deletes an override: the identity gets what others get.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{id}/",
    tag = "identity overrides", responses((status = 204)))]
async fn delete_identity_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity, id)): Path<(String, i64, i64)>,
) -> ApiResult<StatusCode> {
    identity_overrides::delete(&app, &caller, (&key, identity), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A feature by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureName {
    pub id: i64,
    pub name: String,
    #[schema(value_type = super::features::FeatureType)]
    pub r#type: String,
}

/// A segment by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentName {
    pub id: i64,
    pub name: String,
}

/// The value of an option.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptionValue {
    pub value: Value,
}

/// The share of the traffic that a value gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Share {
    pub multivariate_feature_option: OptionValue,
    pub percentage_allocation: f64,
}

/// What a feature is for an identity once everything is taken into account.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectiveStateView {
    pub feature: FeatureName,
    pub enabled: bool,
    pub feature_state_value: Value,
    /// `IDENTITY`, `SEGMENT` or null.
    pub overridden_by: Option<&'static str>,
    pub segment: Option<SegmentName>,
    pub multivariate_feature_state_values: Vec<Share>,
}

impl From<EffectiveState> for EffectiveStateView {
    fn from(state: EffectiveState) -> Self {
        let shares = state.options.iter().map(|(value, percentage)| Share {
            multivariate_feature_option: OptionValue {
                value: value.to_json(),
            },
            percentage_allocation: *percentage,
        });
        Self {
            enabled: state.enabled,
            feature_state_value: state.value.to_json(),
            overridden_by: state.overridden_by,
            segment: state.segment.map(|(id, name)| SegmentName { id, name }),
            multivariate_feature_state_values: shares.collect(),
            feature: FeatureName {
                id: state.feature.id,
                name: state.feature.name,
                r#type: state.feature.r#type,
            },
        }
    }
}

/// Everything an identity gets.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/all/",
    tag = "identity overrides", responses((status = 200, body = Vec<EffectiveStateView>)))]
async fn list_effective_states(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity)): Path<(String, i64)>,
) -> ApiResult<Json<Vec<EffectiveStateView>>> {
    let mut tx = app.db().read().await?;
    let states = identity_overrides::all(&app, &mut tx, &caller, (&key, identity)).await?;
    Ok(Json(states.into_iter().map(EffectiveStateView::from).collect()))
}

input! {
    /// The identity to take the overrides of.
    pub struct CloneBody {
        pub source_identity_id: Pk,
    }
}

/// Gives an identity the overrides of another one, in place of its own.
#[utoipa::path(post, tag = "identity overrides",
    path = "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/clone-from-given-identity/",
    request_body = CloneBody, responses((status = 200, body = Vec<EffectiveStateView>)))]
async fn clone_overrides(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<Vec<EffectiveStateView>>> {
    let input: CloneBody = body.parse()?;
    let source = input.source_identity_id.0;
    let states = identity_overrides::clone_from(&app, &caller, (&key, identity), source).await?;
    Ok(Json(states.into_iter().map(EffectiveStateView::from).collect()))
}
