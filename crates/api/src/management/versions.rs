//! `/api/v1/environments/{id}/features/{id}/versions/` and what turns versions on and off for an environment.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::change_sets::{ChangeSet, StateChange};
use burgee_app::version_history::{Comparison, Restoring};
use burgee_app::version_states::{OptionShare, OverriddenSegment, VersionState};
use burgee_app::versions::{At, FeatureVersion, NewVersion};
use burgee_app::{App, version_history, versioning, versions};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_sets::{StateChangeBody, WholeStateChangeBody, state_changes};
use super::feature_values::{Ids, TypedValue, WeightView};
use super::segment_overrides::OverrideLink;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given};
use crate::input;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(enable_versioning))
        .routes(routes!(disable_versioning))
        .routes(routes!(list_versions, create_version))
        .routes(routes!(delete_version))
        .routes(routes!(publish_version))
        .routes(routes!(list_version_states, create_version_state))
        .routes(routes!(
            update_version_state,
            patch_version_state,
            delete_version_state
        ))
        .routes(routes!(compare_version))
        .routes(routes!(restore_version))
        .routes(routes!(get_version))
}

/// From now on, features of the environment change by publishing versions.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/enable-v2-versioning/", tag = "versions",
    responses((status = 202)))]
async fn enable_versioning(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<StatusCode> {
    versioning::enable(&app, &caller, &key).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Features of the environment change in place again. Their history is deleted.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/disable-v2-versioning/", tag = "versions",
    responses((status = 202)))]
async fn disable_versioning(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<StatusCode> {
    versioning::disable(&app, &caller, &key).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A version of a feature in an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    pub created_at: String,
    pub updated_at: String,
    pub published: bool,
    /// From when on it is or was served.
    pub live_from: Option<String>,
    pub uuid: String,
    /// Whether it is served, or was before a newer one was.
    pub is_live: bool,
    pub published_by: Option<i64>,
    pub created_by: Option<i64>,
    pub description: Option<String>,
}

impl From<FeatureVersion> for VersionView {
    fn from(version: FeatureVersion) -> Self {
        Self {
            created_at: Timestamp(version.created_at).rest(),
            updated_at: Timestamp(version.updated_at).rest(),
            published: version.published_at.is_some(),
            live_from: version.live_from.map(|at| Timestamp(at).rest()),
            uuid: version.uuid,
            is_live: version.went_live_at.is_some(),
            published_by: version.published_by,
            created_by: version.created_by,
            description: version.description,
        }
    }
}

/// The ids in a path.
fn at((environment_id, feature_id): (i64, i64)) -> At {
    At {
        environment_id,
        feature_id,
    }
}

/// The versions of a feature in an environment, newest first.
#[utoipa::path(get, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/",
    params(("environment_key" = i64, Path, description = "The environment's id"),
        ("is_live" = Option<bool>, Query, description = "Only those that are or were served, or only the others")),
    responses((status = 200, body = Page<VersionView>)))]
async fn list_versions(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(ids): Path<(i64, i64)>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<VersionView>>> {
    let slice = (paging.limit(), paging.offset()?);
    let mut tx = app.db().read().await?;
    let (count, rows) = versions::list(&mut tx, &caller, at(ids), query.truth("is_live"), slice).await?;
    let rows = rows.into_iter().map(VersionView::from).collect();
    Ok(Json(paging.page(count, rows)?))
}

type Description = Blank<2000>;

input! {
    /// A version to make of what is live, and what is to be different.
    pub struct VersionBody {
        pub description: Given<Option<Description>>,
        pub live_from: Given<Option<Timestamp>>,
        pub feature_states_to_create: Option<Vec<StateChangeBody>>,
        pub feature_states_to_update: Option<Vec<StateChangeBody>>,
        pub segment_ids_to_delete_overrides: Option<Ids>,
        pub publish_immediately: Given<bool>,
    }
}

/// Makes a version: a draft, unless it is to be published immediately.
#[utoipa::path(post, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    request_body = VersionBody, responses((status = 201, body = VersionView)))]
async fn create_version(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(ids): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<VersionView>)> {
    let input: VersionBody = body.parse()?;
    let new = NewVersion {
        description: input.description.0.flatten().map(|text| text.0),
        set: ChangeSet {
            feature_id: ids.1,
            live_from: input.live_from.0.flatten(),
            create: state_changes(input.feature_states_to_create),
            update: state_changes(input.feature_states_to_update),
            delete_segments: input
                .segment_ids_to_delete_overrides
                .map_or_else(Vec::new, |ids| ids.0),
            base: Vec::new(),
        },
        publish: input.publish_immediately.0.unwrap_or(false),
    };
    let version = versions::create(&app, &caller, at(ids), new).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}

/// Deletes a draft, or a version whose time has not come.
#[utoipa::path(delete, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    responses((status = 204)))]
async fn delete_version(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid)): Path<(i64, i64, String)>,
) -> ApiResult<StatusCode> {
    versions::delete(&app, &caller, at((environment, feature)), &uuid).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// When a version is to go live; now without it.
    pub struct PublishBody {
        pub live_from: Given<Option<Timestamp>>,
    }
}

/// When a version goes or went live.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedView {
    pub live_from: Option<String>,
}

/// Publishes a version. Once it is live, publishing it again changes nothing.
#[utoipa::path(post, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/publish/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    request_body = PublishBody, responses((status = 200, body = PublishedView)))]
async fn publish_version(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid)): Path<(i64, i64, String)>,
    body: Body,
) -> ApiResult<Json<PublishedView>> {
    let input: PublishBody = body.parse()?;
    let live_from = input.live_from.0.flatten();
    let version = versions::publish(&app, &caller, at((environment, feature)), &uuid, live_from).await?;
    Ok(Json(PublishedView {
        live_from: version.live_from.map(|at| Timestamp(at).rest()),
    }))
}

/// What a feature is in a version: for everyone, or for a segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionStateView {
    pub id: i64,
    pub feature: i64,
    pub enabled: bool,
    pub feature_state_value: TypedValue,
    pub feature_segment: Option<OverrideLink>,
    pub deleted_at: Option<String>,
    pub uuid: String,
    pub created_at: String,
    pub updated_at: String,
    pub live_from: Option<String>,
    pub environment: i64,
    pub identity: Option<i64>,
    pub change_request: Option<i64>,
    pub multivariate_feature_state_values: Vec<WeightView>,
}

impl From<OverriddenSegment> for OverrideLink {
    fn from(segment: OverriddenSegment) -> Self {
        Self {
            id: segment.id,
            segment: segment.segment_id,
            priority: segment.priority,
            uuid: segment.uuid,
        }
    }
}

impl From<OptionShare> for WeightView {
    fn from(share: OptionShare) -> Self {
        Self {
            id: share.id,
            multivariate_feature_option: share.option_id,
            percentage_allocation: share.percentage,
        }
    }
}

impl VersionStateView {
    fn new(version: &FeatureVersion, state: VersionState) -> Self {
        let published = version.live_from.filter(|_| version.published_at.is_some());
        Self {
            id: state.id,
            feature: version.feature_id,
            enabled: state.enabled,
            feature_state_value: TypedValue {
                r#type: state.r#type,
                string_value: state.string_value,
                integer_value: state.integer_value,
                boolean_value: state.boolean_value,
            },
            feature_segment: state.segment.map(OverrideLink::from),
            deleted_at: None,
            uuid: state.uuid,
            created_at: Timestamp(state.created_at).rest(),
            updated_at: Timestamp(state.updated_at).rest(),
            live_from: published.map(|at| Timestamp(at).rest()),
            environment: version.environment_id,
            identity: None,
            change_request: version.change_request_id,
            multivariate_feature_state_values: state.options.into_iter().map(WeightView::from).collect(),
        }
    }
}

/// What a feature is in a version: the environment default first, then the segment overrides.
#[utoipa::path(get, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/featurestates/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    responses((status = 200, body = Vec<VersionStateView>)))]
async fn list_version_states(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid)): Path<(i64, i64, String)>,
) -> ApiResult<Json<Vec<VersionStateView>>> {
    let mut tx = app.db().read().await?;
    let whole = versions::states(&mut tx, &caller, at((environment, feature)), &uuid).await?;
    let views = whole
        .states
        .into_iter()
        .map(|state| VersionStateView::new(&whole.version, state));
    Ok(Json(views.collect()))
}

/// Adds a segment override to a draft.
#[utoipa::path(post, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/featurestates/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    request_body = WholeStateChangeBody, responses((status = 201, body = VersionStateView)))]
async fn create_version_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid)): Path<(i64, i64, String)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<VersionStateView>)> {
    let WholeStateChangeBody(input) = body.parse()?;
    let change = StateChange::from(input);
    let (version, state) =
        versions::create_state(&app, &caller, at((environment, feature)), &uuid, change).await?;
    Ok((StatusCode::CREATED, Json(VersionStateView::new(&version, state))))
}

/// Changes a state of a draft; what is not given stays.
#[utoipa::path(put, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/featurestates/{id}/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    request_body = WholeStateChangeBody, responses((status = 200, body = VersionStateView)))]
async fn update_version_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64, String, i64)>,
    body: Body,
) -> ApiResult<Json<VersionStateView>> {
    let WholeStateChangeBody(input) = body.parse()?;
    change_state(&app, &caller, path, input).await
}

/// Changes single fields of a state of a draft.
#[utoipa::path(patch, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/featurestates/{id}/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    request_body = StateChangeBody, responses((status = 200, body = VersionStateView)))]
async fn patch_version_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64, String, i64)>,
    body: Body,
) -> ApiResult<Json<VersionStateView>> {
    change_state(&app, &caller, path, body.parse()?).await
}

async fn change_state(
    app: &App,
    caller: &burgee_app::Caller,
    (environment, feature, uuid, id): (i64, i64, String, i64),
    input: StateChangeBody,
) -> ApiResult<Json<VersionStateView>> {
    let at = at((environment, feature));
    let (version, state) = versions::update_state(app, caller, at, (&uuid, id), input.into()).await?;
    Ok(Json(VersionStateView::new(&version, state)))
}

/// Takes a segment override out of a draft.
#[utoipa::path(delete, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/featurestates/{id}/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    responses((status = 204)))]
async fn delete_version_state(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid, id)): Path<(i64, i64, String, i64)>,
) -> ApiResult<StatusCode> {
    versions::delete_state(&app, &caller, at((environment, feature)), &uuid, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is different between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparisonView {
    /// What is compared with; none when there was no version before.
    pub from: Option<VersionView>,
    pub to: VersionView,
    pub changes: Vec<DifferenceView>,
}

/// What a feature was and is then, for everyone or for one segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceView {
    /// None: for everyone.
    pub segment: Option<SegmentOfVersion>,
    pub before: Option<VersionStateView>,
    pub after: Option<VersionStateView>,
}

/// A segment by the name it had then.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentOfVersion {
    pub id: i64,
    pub name: String,
}

impl From<Comparison> for ComparisonView {
    fn from(comparison: Comparison) -> Self {
        let Comparison {
            from,
            to,
            differences,
        } = comparison;
        let changes = differences.into_iter().map(|difference| {
            let either = difference.after.as_ref().or(difference.before.as_ref());
            let segment = either.and_then(|state| state.segment.clone());
            DifferenceView {
                segment: segment.map(|segment| SegmentOfVersion {
                    id: segment.segment_id,
                    name: segment.name,
                }),
                before: from
                    .as_ref()
                    .zip(difference.before)
                    .map(|(from, state)| VersionStateView::new(from, state)),
                after: difference.after.map(|state| VersionStateView::new(&to, state)),
            }
        });
        Self {
            changes: changes.collect(),
            from: from.map(VersionView::from),
            to: to.into(),
        }
    }
}

/// Compares a version with another one, or with the one that was live before it.
#[utoipa::path(get, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/compare/",
    params(("environment_key" = i64, Path, description = "The environment's id"),
        ("with" = Option<String>, Query, description = "The uuid of the other one")),
    responses((status = 200, body = ComparisonView)))]
async fn compare_version(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid)): Path<(i64, i64, String)>,
    query: Query,
) -> ApiResult<Json<ComparisonView>> {
    let mut tx = app.db().read().await?;
    let at = at((environment, feature));
    let found = version_history::compare(&mut tx, &caller, at, &uuid, query.text("with")).await?;
    Ok(Json(found.into()))
}

input! {
    /// How a version is brought back: published at once, unless it says something else.
    pub struct RestoreBody {
        pub description: Given<Option<Description>>,
        pub live_from: Given<Option<Timestamp>>,
        pub publish_immediately: Given<bool>,
    }
}

/// Makes a new version that says what an old one says. Overrides for segments that are gone are left out.
#[utoipa::path(post, tag = "versions",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/versions/{version_uuid}/restore/",
    params(("environment_key" = i64, Path, description = "The environment's id")),
    request_body = RestoreBody, responses((status = 201, body = VersionView)))]
async fn restore_version(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((environment, feature, uuid)): Path<(i64, i64, String)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<VersionView>)> {
    let input: RestoreBody = body.parse()?;
    let how = Restoring {
        description: input.description.0.flatten().map(|text| text.0),
        live_from: input.live_from.0.flatten(),
        publish: input.publish_immediately.0.unwrap_or(true),
    };
    let version = version_history::restore(&app, &caller, at((environment, feature)), &uuid, how).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}

/// A version, where it belongs and which one it followed.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDetails {
    #[serde(flatten)]
    pub version: VersionView,
    pub previous_version_uuid: Option<String>,
    pub feature: i64,
    pub environment: i64,
}

/// One version, by its uuid alone.
#[utoipa::path(get, path = "/api/v1/environment-feature-versions/{uuid}/", tag = "versions",
    responses((status = 200, body = VersionDetails)))]
async fn get_version(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<VersionDetails>> {
    let mut tx = app.db().read().await?;
    let (version, previous_version_uuid) = versions::get(&mut tx, &caller, &uuid).await?;
    Ok(Json(VersionDetails {
        previous_version_uuid,
        feature: version.feature_id,
        environment: version.environment_id,
        version: version.into(),
    }))
}
