//! `/api/v1/environments/{key}/featurestates/` (plain values) and `/api/v1/features/featurestates/` (typed values).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::environment_states::{StateFilter, StatePlace};
use burgee_app::feature_states::StateEdit;
use burgee_app::{App, Error, environment_states};
use burgee_model::Timestamp;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::{
    ListedState, Nested, PatchedState, PlainStateBody, StateView, TypedValue, TypedValueBody, WeightBody,
    weights,
};
use super::features::whole;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Field, Given, Pk};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_states, create_state))
        .routes(routes!(get_state, update_state, patch_state, delete_state))
        .routes(routes!(list_shared_states, create_shared_state))
        .routes(routes!(update_shared_state, patch_shared_state))
        .routes(routes!(get_state_by_uuid))
}

/// The defaults of an environment; with `anyIdentity`, the overrides of its identities instead.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/featurestates/", tag = "feature states",
    params(("feature" = Option<i64>, Query), ("feature_name" = Option<String>, Query),
        ("anyIdentity" = Option<String>, Query, description = "Anything at all: identity overrides instead")),
    responses((status = 200, body = Page<ListedState>)))]
async fn list_states(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<ListedState>>> {
    let filter = StateFilter {
        feature_id: whole(&query, "feature")?,
        feature_name: query.text("feature_name").map(str::to_owned),
        feature_segment_id: None,
    };
    let mut tx = app.db().read().await?;
    if query.get("anyIdentity").is_some() {
        let slice = (paging.limit(), paging.offset()?);
        let found = environment_states::list_of_identities(&mut tx, &caller, &key, &filter, slice).await?;
        let rows = found.1.into_iter();
        let rows = rows.map(|row| ListedState::new(row.details, Some(row.identifier)));
        return Ok(Json(paging.page(found.0, rows.collect())?));
    }
    let rows = environment_states::list(&mut tx, &caller, &key, &filter).await?;
    Ok(Json(paging.cut(rows)?.map(|row| ListedState::new(row, None))))
}

/// Creates the default of a feature that has none here.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/featurestates/", tag = "feature states",
    request_body = PlainStateBody, responses((status = 201, body = StateView<Value>)))]
async fn create_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<StateView<Value>>)> {
    let input: PlainStateBody = body.parse()?;
    let feature = input.feature_id();
    let created = environment_states::create(&app, &caller, &key, feature, input.edit()?).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// One default.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/featurestates/{id}/", tag = "feature states",
    responses((status = 200, body = StateView<Value>)))]
async fn get_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<StateView<Value>>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        environment_states::get(&mut tx, &caller, &key, id).await?.into(),
    ))
}

/// Changes a default; what is not given stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/featurestates/{id}/", tag = "feature states",
    request_body = PlainStateBody, responses((status = 200, body = StateView<Value>)))]
async fn update_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<StateView<Value>>> {
    let input: PlainStateBody = body.parse()?;
    let live_from = input.live_from.0.flatten();
    let updated = environment_states::update(&app, &caller, &key, id, input.edit()?, live_from).await?;
    Ok(Json(updated.into()))
}

/// Changes a default and answers little.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/featurestates/{id}/", tag = "feature states",
    request_body = PlainStateBody, responses((status = 200, body = PatchedState)))]
async fn patch_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<PatchedState>> {
    let input: PlainStateBody = body.parse()?;
    let live_from = input.live_from.0.flatten();
    let updated = environment_states::update(&app, &caller, &key, id, input.edit()?, live_from).await?;
    Ok(Json(updated.into()))
}

/// Deletes a default: the feature is not there in this environment any more.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/featurestates/{id}/",
    tag = "feature states", responses((status = 204)))]
async fn delete_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    environment_states::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Defaults and segment overrides of an environment.
#[utoipa::path(get, path = "/api/v1/features/featurestates/", tag = "feature states",
    params(("environment" = i64, Query), ("feature" = Option<i64>, Query), ("feature_segment" = Option<i64>, Query)),
    responses((status = 200, body = Page<StateView<TypedValue>>)))]
async fn list_shared_states(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<StateView<TypedValue>>>> {
    let filter = StateFilter {
        feature_id: whole(&query, "feature")?,
        feature_name: None,
        feature_segment_id: whole(&query, "feature_segment")?,
    };
    let environment = query.number("environment");
    let mut tx = app.db().read().await?;
    let rows = environment_states::list_shared(&mut tx, &caller, environment, &filter).await?;
    Ok(Json(paging.cut(rows)?.map(StateView::from)))
}

input! {
    /// A feature state whose value has a type. It must name its feature and its environment.
    pub struct TypedStateBody {
        pub feature: Given<Pk>,
        pub environment: Given<Pk>,
        pub feature_segment: Given<Option<Pk>>,
        pub enabled: Given<bool>,
        pub feature_state_value: Given<Nested<TypedValueBody>>,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
        /// With a moment still to come, a change waits for it.
        pub live_from: Given<Option<Timestamp>>,
    }
}

required! {
    /// A state, with where it is.
    pub struct WholeTypedStateBody(TypedStateBody) with feature, environment;
}

impl TypedStateBody {
    fn edit(self) -> StateEdit {
        StateEdit {
            enabled: self.enabled.0,
            value: self.feature_state_value.0.map(|value| value.0.into()),
            weights: weights(self.multivariate_feature_state_values),
        }
    }
}

/// Creates a default, or the state of a segment override whose feature segment is there already.
#[utoipa::path(post, path = "/api/v1/features/featurestates/", tag = "feature states",
    request_body = WholeTypedStateBody, responses((status = 201, body = StateView<TypedValue>)))]
async fn create_shared_state(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<StateView<TypedValue>>)> {
    // Without an environment nobody can be allowed to.
    if Pk::read(body.0.get("environment")).is_err() {
        return Err(ApiError(Error::forbidden()));
    }
    let WholeTypedStateBody(input) = body.parse()?;
    let at = StatePlace {
        feature_id: input.feature.0.map_or(0, |pk| pk.0),
        environment_id: input.environment.0.map_or(0, |pk| pk.0),
        feature_segment_id: input.feature_segment.0.flatten().map(|pk| pk.0),
    };
    let created = environment_states::create_shared(&app, &caller, at, input.edit()).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// Changes a default or a segment override; what is not given stays.
#[utoipa::path(put, path = "/api/v1/features/featurestates/{id}/", tag = "feature states",
    request_body = WholeTypedStateBody, responses((status = 200, body = StateView<TypedValue>)))]
async fn update_shared_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<StateView<TypedValue>>> {
    let WholeTypedStateBody(input) = body.parse()?;
    let feature = input.feature.0.map_or(0, |pk| pk.0);
    let environment = input.environment.0.map_or(0, |pk| pk.0);
    let named = (feature, environment);
    let live_from = input.live_from.0.flatten();
    let edit = input.edit();
    let updated = environment_states::update_shared(&app, &caller, id, named, edit, live_from).await?;
    Ok(Json(updated.into()))
}

/// The same: feature and environment must be given here too.
#[utoipa::path(patch, path = "/api/v1/features/featurestates/{id}/", tag = "feature states",
    request_body = WholeTypedStateBody, responses((status = 200, body = StateView<TypedValue>)))]
async fn patch_shared_state(
    app: State<App>,
    caller: Signed,
    path: Path<i64>,
    body: Body,
) -> ApiResult<Json<StateView<TypedValue>>> {
    // A value that can't be read is what the client must hear of first.
    body.parse::<TypedStateBody>()?;
    update_shared_state(app, caller, path, body).await
}

/// One feature state of any kind, by its uuid.
#[utoipa::path(get, path = "/api/v1/features/featurestates/get-by-uuid/{uuid}/", tag = "feature states",
    responses((status = 200, body = StateView<TypedValue>)))]
async fn get_state_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<StateView<TypedValue>>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        environment_states::get_by_uuid(&mut tx, &caller, &uuid)
            .await?
            .into(),
    ))
}
