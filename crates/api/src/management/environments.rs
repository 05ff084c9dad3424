//! `/api/v1/environments/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::environments::{Counts, Environment, EnvironmentEdit};
use burgee_app::metadata::Owner;
use burgee_app::{App, Error, change_requests, environments};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::metadata::{self, MetadataBody, MetadataView};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Field, Given, Pk, Text, Unread, Whole};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_environments, create_environment))
        .routes(routes!(
            get_environment,
            update_environment,
            patch_environment,
            delete_environment
        ))
        .routes(routes!(get_environment_by_uuid))
        .routes(routes!(list_environments_of_project))
        .routes(routes!(clone_environment))
        .routes(routes!(get_environment_metrics))
        .routes(routes!(get_onboarding_status))
        .routes(routes!(list_trait_keys))
        .routes(routes!(delete_trait_key))
}

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentView {
    pub id: i64,
    pub uuid: String,
    pub name: String,
    pub api_key: String,
    pub description: Option<String>,
    pub project: i64,
    pub minimum_change_request_approvals: Option<i64>,
    pub allow_client_traits: bool,
    pub banner_text: Option<String>,
    pub banner_colour: Option<String>,
    pub hide_disabled_flags: Option<bool>,
    pub use_mv_v2_evaluation: bool,
    pub use_identity_composite_key_for_hashing: bool,
    pub hide_sensitive_data: bool,
    pub use_v2_feature_versioning: bool,
    pub use_identity_overrides_in_local_eval: bool,
    pub is_creating: bool,
    pub metadata: Vec<MetadataView>,
}

impl EnvironmentView {
    /// An environment with the values of its custom fields.
    fn new(e: Environment, metadata: Vec<MetadataView>) -> Self {
        Self {
            id: e.id,
            uuid: e.uuid,
            name: e.name,
            api_key: e.api_key,
            description: e.description,
            project: e.project_id,
            minimum_change_request_approvals: e.minimum_change_request_approvals,
            allow_client_traits: e.allow_client_traits,
            banner_text: e.banner_text,
            banner_colour: e.banner_colour,
            hide_disabled_flags: e.hide_disabled_flags,
            // The older name of the next.
            use_mv_v2_evaluation: e.use_identity_composite_key_for_hashing,
            use_identity_composite_key_for_hashing: e.use_identity_composite_key_for_hashing,
            hide_sensitive_data: e.hide_sensitive_data,
            use_v2_feature_versioning: e.use_v2_feature_versioning,
            use_identity_overrides_in_local_eval: e.use_identity_overrides_in_local_eval,
            is_creating: false,
            metadata,
        }
    }
}

/// Environments as they are answered.
async fn views(app: &App, environments: Vec<Environment>) -> ApiResult<Vec<EnvironmentView>> {
    let mut tx = app.db().read().await?;
    let mut views = Vec::with_capacity(environments.len());
    for environment in environments {
        let owner = Owner::Environment(environment.id);
        let values = burgee_app::metadata::of_object(&mut tx, owner).await?;
        views.push(EnvironmentView::new(environment, metadata::views(values)));
    }
    Ok(views)
}

/// The same for one.
async fn view(app: &App, environment: Environment) -> ApiResult<EnvironmentView> {
    let views = views(app, vec![environment]).await?;
    views.into_iter().next().ok_or_else(ApiError::not_found)
}

/// An environment with how many segment overrides it has.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentDetails {
    #[serde(flatten)]
    pub environment: EnvironmentView,
    pub total_segment_overrides: i64,
}

input! {
    /// The settings of an environment.
    pub struct EnvironmentBody {
        pub name: Given<Text<2000>>,
        pub description: Given<Option<Blank<20000>>>,
        pub minimum_change_request_approvals: Given<Option<Whole<0, 32767>>>,
        pub allow_client_traits: Given<bool>,
        pub banner_text: Given<Option<Blank<255>>>,
        pub banner_colour: Given<Option<Blank<7>>>,
        pub hide_disabled_flags: Given<Option<bool>>,
        pub use_identity_composite_key_for_hashing: Given<bool>,
        pub hide_sensitive_data: Given<bool>,
        pub use_identity_overrides_in_local_eval: Given<bool>,
        pub metadata: Given<Vec<MetadataBody>>,
        /// Where a new one belongs. It can't be moved.
        pub project: Unread<Pk>,
    }
}

required! {
    /// An environment to make.
    pub struct NewEnvironmentBody(EnvironmentBody) with name, project;
}

required! {
    /// An environment to write anew.
    pub struct WholeEnvironmentBody(EnvironmentBody) with name;
}

impl From<EnvironmentBody> for EnvironmentEdit {
    fn from(body: EnvironmentBody) -> Self {
        Self {
            name: body.name.0.map(|t| t.0),
            description: body.description.0.map(|t| t.map(|t| t.0)),
            minimum_change_request_approvals: body.minimum_change_request_approvals.0.map(|n| n.map(|n| n.0)),
            allow_client_traits: body.allow_client_traits.0,
            banner_text: body.banner_text.0.map(|t| t.map(|t| t.0)),
            banner_colour: body.banner_colour.0.map(|t| t.map(|t| t.0)),
            hide_disabled_flags: body.hide_disabled_flags.0,
            use_identity_composite_key_for_hashing: body.use_identity_composite_key_for_hashing.0,
            hide_sensitive_data: body.hide_sensitive_data.0,
            use_identity_overrides_in_local_eval: body.use_identity_overrides_in_local_eval.0,
            metadata: metadata::edits(body.metadata.0),
            whole: false,
        }
    }
}

/// The environments of a project that the caller may see.
#[utoipa::path(get, path = "/api/v1/environments/", tag = "environments",
    params(("project" = i64, Query, description = "The project")),
    responses((status = 200, body = Page<EnvironmentView>)))]
async fn list_environments(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<EnvironmentView>>> {
    let mut tx = app.db().read().await?;
    let found = environments::list(&mut tx, &caller, query.number("project")).await?;
    drop(tx);
    Ok(Json(paging.cut(views(&app, found).await?)?))
}

/// All environments of a project, for its administrators.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/environments/", tag = "environments",
    responses((status = 200, body = Vec<EnvironmentView>)))]
async fn list_environments_of_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
) -> ApiResult<Json<Vec<EnvironmentView>>> {
    let mut tx = app.db().read().await?;
    let found = environments::list_for_admin(&mut tx, &caller, project_id).await?;
    drop(tx);
    Ok(Json(views(&app, found).await?))
}

/// Creates an environment. `project` says where.
#[utoipa::path(post, path = "/api/v1/environments/", tag = "environments", request_body = NewEnvironmentBody,
    responses((status = 201, body = EnvironmentView)))]
async fn create_environment(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<EnvironmentView>)> {
    // Where is a question of permission, and that comes before anything else.
    let Pk(project) = Pk::read(body.0.get("project")).map_err(|_| Error::forbidden())?;
    environments::require_create(&app, &caller, project).await?;
    let NewEnvironmentBody(input) = body.parse()?;
    let environment = environments::create(&app, &caller, project, input.into()).await?;
    Ok((StatusCode::CREATED, Json(view(&app, environment).await?)))
}

/// One environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/", tag = "environments",
    responses((status = 200, body = EnvironmentDetails)))]
async fn get_environment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<EnvironmentDetails>> {
    let mut tx = app.db().read().await?;
    let environment = environments::get(&mut tx, &caller, &key).await?.environment;
    let counts = environments::counts(&mut tx, environment.id).await?;
    drop(tx);
    Ok(Json(EnvironmentDetails {
        environment: view(&app, environment).await?,
        total_segment_overrides: counts.segment_overrides,
    }))
}

/// One environment, by its uuid.
#[utoipa::path(get, path = "/api/v1/environments/get-by-uuid/{uuid}/", tag = "environments",
    responses((status = 200, body = EnvironmentView)))]
async fn get_environment_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<EnvironmentView>> {
    let mut tx = app.db().read().await?;
    let place = environments::get_by_uuid(&mut tx, &caller, &uuid).await?;
    drop(tx);
    Ok(Json(view(&app, place.environment).await?))
}

/// Changes an environment; what is not given stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/", tag = "environments",
    request_body = WholeEnvironmentBody, responses((status = 200, body = EnvironmentView)))]
async fn update_environment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<EnvironmentView>> {
    change_environment(&app, &caller, &key, &body, true).await
}

/// Changes single settings of an environment.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/", tag = "environments",
    request_body = EnvironmentBody, responses((status = 200, body = EnvironmentView)))]
async fn patch_environment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<EnvironmentView>> {
    change_environment(&app, &caller, &key, &body, false).await
}

async fn change_environment(
    app: &App,
    caller: &burgee_app::Caller,
    key: &str,
    body: &Body,
    whole: bool,
) -> ApiResult<Json<EnvironmentView>> {
    environments::require_admin(app, caller, key).await?;
    let input = if whole {
        body.parse::<WholeEnvironmentBody>()?.0
    } else {
        body.parse()?
    };
    let edit = EnvironmentEdit {
        whole,
        ..input.into()
    };
    let environment = environments::update(app, caller, key, edit).await?;
    Ok(Json(view(app, environment).await?))
}

/// Deletes an environment with all that is in it.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/", tag = "environments",
    responses((status = 204)))]
async fn delete_environment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<StatusCode> {
    environments::delete(&app, &caller, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// What a copy of an environment is called.
    pub struct CloneEnvironmentBody {
        pub name: Text<2000>,
        /// Taken for compatibility: copies are always complete when they are answered.
        pub clone_feature_states_async: Given<bool>,
    }
}

/// A copy of an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClonedEnvironment {
    pub id: i64,
    pub name: String,
    pub api_key: String,
    pub project: i64,
}

/// Copies an environment: settings, environment defaults and segment overrides, under new keys.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/clone/", tag = "environments",
    request_body = CloneEnvironmentBody, responses((status = 200, body = ClonedEnvironment)))]
async fn clone_environment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<ClonedEnvironment>> {
    environments::require_clone(&app, &caller, &key).await?;
    let input: CloneEnvironmentBody = body.parse()?;
    let copy = environments::clone(&app, &caller, &key, input.name.0).await?;
    Ok(Json(ClonedEnvironment {
        id: copy.id,
        name: copy.name,
        api_key: copy.api_key,
        project: copy.project_id,
    }))
}

/// A number about an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metric {
    pub value: i64,
    pub description: &'static str,
    pub name: &'static str,
    pub entity: &'static str,
    pub rank: i64,
}

/// The numbers about an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnvironmentMetrics {
    pub metrics: Vec<Metric>,
}

fn metric(
    value: i64,
    description: &'static str,
    name: &'static str,
    entity: &'static str,
    rank: i64,
) -> Metric {
    Metric {
        value,
        description,
        name,
        entity,
        rank,
    }
}

impl From<Counts> for EnvironmentMetrics {
    fn from(counts: Counts) -> Self {
        let (features, enabled) = (counts.features, counts.enabled_features);
        let (segments, identities) = (counts.segment_overrides, counts.identity_overrides);
        Self {
            metrics: vec![
                metric(features, "Total features", "total_features", "features", 1),
                metric(enabled, "Features enabled", "enabled_features", "features", 2),
                metric(segments, "Segment overrides", "segment_overrides", "segments", 3),
                metric(
                    identities,
                    "Identity overrides",
                    "identity_overrides",
                    "identities",
                    4,
                ),
            ],
        }
    }
}

/// What waits where changes go through change requests.
fn waiting(open: i64, scheduled: i64) -> [Metric; 2] {
    let changes = "total_scheduled_changes";
    [
        metric(
            open,
            "Open change requests",
            "open_change_requests",
            "workflows",
            5,
        ),
        metric(scheduled, "Scheduled changes", changes, "workflows", 6),
    ]
}

/// How much is in an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/metrics/", tag = "environments",
    responses((status = 200, body = EnvironmentMetrics)))]
async fn get_environment_metrics(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<EnvironmentMetrics>> {
    let mut tx = app.db().read().await?;
    let place = environments::get(&mut tx, &caller, &key).await?;
    let environment = place.environment;
    let mut answer = EnvironmentMetrics::from(environments::counts(&mut tx, environment.id).await?);
    let (open, scheduled) = change_requests::counts(&mut tx, environment.id).await?;
    if environment.minimum_change_request_approvals.is_some() {
        answer.metrics.extend(waiting(open, scheduled));
    } else if scheduled > 0 {
        let [_, metric] = waiting(open, scheduled);
        answer.metrics.push(metric);
    }
    Ok(Json(answer))
}

/// Whether an SDK has ever asked for the flags of an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnboardingStatus {
    pub first_evaluated_at: Option<String>,
    pub first_evaluated_sdk_label: Option<String>,
}

/// Whether an SDK has ever asked for the flags of an environment. Public, like the key it takes.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/onboarding-status/", tag = "environments",
    security(()), responses((status = 200, body = OnboardingStatus)))]
async fn get_onboarding_status(
    State(app): State<App>,
    Path(key): Path<String>,
) -> ApiResult<Json<OnboardingStatus>> {
    let mut tx = app.db().read().await?;
    let environment = environments::find(&mut tx, &key).await?.environment;
    Ok(Json(OnboardingStatus {
        first_evaluated_at: environment.first_evaluated_at.map(|at| Timestamp(at).rest()),
        first_evaluated_sdk_label: environment.first_evaluated_sdk_label,
    }))
}

/// Keys of traits.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraitKeys {
    pub keys: Vec<String>,
}

/// The keys of all traits that identities of an environment have.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/trait-keys/", tag = "identities",
    responses((status = 200, body = TraitKeys)))]
async fn list_trait_keys(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<TraitKeys>> {
    let mut tx = app.db().read().await?;
    let keys = environments::trait_keys(&mut tx, &caller, &key).await?;
    Ok(Json(TraitKeys { keys }))
}

input! {
    /// The key of the trait to delete.
    pub struct TraitKeyBody {
        pub key: Text<2000>,
    }
}

/// Deletes a trait from every identity of an environment.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/delete-traits/", tag = "identities",
    request_body = TraitKeyBody, responses((status = 200)))]
async fn delete_trait_key(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<StatusCode> {
    environments::require_admin(&app, &caller, &key).await?;
    let input: TraitKeyBody = body
        .parse()
        .map_err(|_| Error::detail("Couldn't delete trait keys."))?;
    environments::delete_trait(&app, &caller, &key, &input.key.0).await?;
    Ok(StatusCode::OK)
}
