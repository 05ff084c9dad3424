//! `/api/v1/features/feature-segments/` and `/api/v1/environments/{key}/features/{id}/create-segment-override/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::feature_states::StateEdit;
use burgee_app::segment_overrides::{FeatureSegment, LinkDetails, LinkPlace, Override};
use burgee_app::{App, Error, segment_overrides};
use burgee_model::Problems;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::{Nested, StateView, TypedValue, TypedValueBody, WeightBody, WeightView, weights};
use super::features::whole;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Field, Given, Pk, Whole};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_links, create_link))
        .routes(routes!(get_link, update_link, patch_link, delete_link))
        .routes(routes!(get_link_by_uuid))
        .routes(routes!(update_priorities))
        .routes(routes!(create_segment_override))
}

/// Which segment overrides a feature, and its rank: the lowest priority wins.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    pub id: i64,
    pub uuid: String,
    pub segment: i64,
    pub priority: i64,
    pub environment: i64,
    pub segment_name: String,
    pub is_feature_specific: bool,
}

impl From<LinkDetails> for LinkView {
    fn from(details: LinkDetails) -> Self {
        Self {
            id: details.link.id,
            uuid: details.link.uuid,
            segment: details.link.segment_id,
            priority: details.link.priority,
            environment: details.link.environment_id,
            segment_name: details.segment_name,
            is_feature_specific: details.is_feature_specific,
        }
    }
}

/// A feature segment just written.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewLinkView {
    pub id: i64,
    pub uuid: String,
    pub feature: i64,
    pub segment: i64,
    pub environment: i64,
    pub priority: i64,
}

impl From<FeatureSegment> for NewLinkView {
    fn from(link: FeatureSegment) -> Self {
        Self {
            id: link.id,
            uuid: link.uuid,
            feature: link.feature_id,
            segment: link.segment_id,
            environment: link.environment_id,
            priority: link.priority,
        }
    }
}

input! {
    /// A feature segment.
    pub struct LinkBody {
        pub feature: Pk,
        pub segment: Pk,
        pub environment: Pk,
    }
}

/// The feature segments of a feature in an environment.
#[utoipa::path(get, path = "/api/v1/features/feature-segments/", tag = "segment overrides",
    params(("environment" = i64, Query), ("feature" = i64, Query)),
    responses((status = 200, body = Page<LinkView>)))]
async fn list_links(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<LinkView>>> {
    let (environment, feature) = (whole(&query, "environment")?, whole(&query, "feature")?);
    let (Some(environment), Some(feature)) = (environment, feature) else {
        let mut problems = Problems::new();
        for (name, given) in [("environment", environment), ("feature", feature)] {
            if given.is_none() {
                problems.add(name, "This field is required.");
            }
        }
        return Err(ApiError::invalid(problems));
    };
    let mut tx = app.db().read().await?;
    let links = segment_overrides::list(&mut tx, &caller, environment, feature).await?;
    Ok(Json(paging.cut(links)?.map(LinkView::from)))
}

/// Creates a feature segment, behind the others. It takes effect once it has a feature state.
#[utoipa::path(post, path = "/api/v1/features/feature-segments/", tag = "segment overrides",
    request_body = LinkBody, responses((status = 201, body = NewLinkView)))]
async fn create_link(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<NewLinkView>)> {
    // Without an environment nobody can be allowed to.
    if Pk::read(body.0.get("environment")).is_err() {
        return Err(ApiError(Error::forbidden()));
    }
    let input: LinkBody = body.parse()?;
    let at = LinkPlace {
        feature_id: input.feature.0,
        segment_id: input.segment.0,
    };
    let link = segment_overrides::create_link(&app, &caller, input.environment.0, at).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// One feature segment.
#[utoipa::path(get, path = "/api/v1/features/feature-segments/{id}/", tag = "segment overrides",
    responses((status = 200, body = LinkView)))]
async fn get_link(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<LinkView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(segment_overrides::get(&mut tx, &caller, id).await?.into()))
}

/// One feature segment, by its uuid.
#[utoipa::path(get, path = "/api/v1/features/feature-segments/get-by-uuid/{uuid}/", tag = "segment overrides",
    responses((status = 200, body = LinkView)))]
async fn get_link_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<LinkView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        segment_overrides::get_by_uuid(&mut tx, &caller, &uuid)
            .await?
            .into(),
    ))
}

/// Names the segment of a feature segment anew. Feature and environment stay.
#[utoipa::path(put, path = "/api/v1/features/feature-segments/{id}/", tag = "segment overrides",
    request_body = LinkBody, responses((status = 200, body = NewLinkView)))]
async fn update_link(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<NewLinkView>> {
    let input: LinkBody = body.parse()?;
    let at = LinkPlace {
        feature_id: input.feature.0,
        segment_id: input.segment.0,
    };
    let link = segment_overrides::update_link(&app, &caller, id, input.environment.0, at).await?;
    Ok(Json(link.into()))
}

/// The same; all three ids must be given.
#[utoipa::path(patch, path = "/api/v1/features/feature-segments/{id}/", tag = "segment overrides",
    request_body = LinkBody, responses((status = 200, body = NewLinkView)))]
async fn patch_link(
    app: State<App>,
    caller: Signed,
    path: Path<i64>,
    body: Body,
) -> ApiResult<Json<NewLinkView>> {
    update_link(app, caller, path, body).await
}

/// Deletes a feature segment with its override.
#[utoipa::path(delete, path = "/api/v1/features/feature-segments/{id}/", tag = "segment overrides",
    responses((status = 204)))]
async fn delete_link(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    segment_overrides::delete_link(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A rank among the overrides of a feature.
pub type Priority = Whole<0, 2_147_483_647>;

input! {
    /// The new priority of a feature segment.
    pub struct PriorityBody {
        pub id: Pk,
        pub priority: Priority,
    }
}

/// Gives feature segments new priorities.
#[utoipa::path(post, path = "/api/v1/features/feature-segments/update-priorities/", tag = "segment overrides",
    request_body = Vec<PriorityBody>, responses((status = 200, body = Vec<LinkView>)))]
async fn update_priorities(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<Json<Vec<LinkView>>> {
    let wanted =
        Vec::<PriorityBody>::read(Some(&body.0)).map_err(|wrong| ApiError(Error::Rejected(wrong)))?;
    let wanted: Vec<(i64, i64)> = wanted.iter().map(|item| (item.id.0, item.priority.0)).collect();
    let links = segment_overrides::update_priorities(&app, &caller, &wanted).await?;
    Ok(Json(links.into_iter().map(LinkView::from).collect()))
}

input! {
    /// The segment of an override, and its rank; those at and after it move down.
    pub struct OverriddenSegment {
        pub segment: Pk,
        pub priority: Given<Option<Priority>>,
    }
}

input! {
    /// A segment override.
    pub struct OverrideBody {
        pub enabled: Given<bool>,
        pub feature_segment: Option<OverriddenSegment>,
        pub feature_state_value: Nested<TypedValueBody>,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
    }
}

required! {
    /// A segment override, with the segment.
    pub struct WholeOverrideBody(OverrideBody) with feature_segment;
}

/// The segment of an override.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverrideLink {
    pub id: i64,
    pub segment: i64,
    pub priority: i64,
    pub uuid: String,
}

/// A segment override.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverrideView {
    pub id: i64,
    pub feature: i64,
    pub enabled: bool,
    pub feature_state_value: TypedValue,
    pub feature_segment: OverrideLink,
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

impl From<Override> for OverrideView {
    fn from(made: Override) -> Self {
        let view = StateView::<TypedValue>::from(made.state);
        Self {
            id: view.id,
            feature: view.feature,
            enabled: view.enabled,
            feature_state_value: view.feature_state_value,
            feature_segment: OverrideLink {
                id: made.link.id,
                segment: made.link.segment_id,
                priority: made.link.priority,
                uuid: made.link.uuid,
            },
            deleted_at: view.deleted_at,
            uuid: view.uuid,
            created_at: view.created_at,
            updated_at: view.updated_at,
            live_from: view.live_from,
            environment: view.environment,
            identity: view.identity,
            change_request: view.change_request,
            multivariate_feature_state_values: view.multivariate_feature_state_values,
        }
    }
}

/// Creates a segment override in one step.
#[utoipa::path(post, tag = "segment overrides",
    path = "/api/v1/environments/{environment_key}/features/{feature_id}/create-segment-override/",
    request_body = WholeOverrideBody, responses((status = 201, body = OverrideView)))]
async fn create_segment_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, feature)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<OverrideView>)> {
    // The segment is asked for once the rest is right: the recordings have it so.
    let input: OverrideBody = body.parse()?;
    let Some(segment) = input.feature_segment else {
        return Err(ApiError(Error::field(
            "feature_segment",
            "This field is required.",
        )));
    };
    let target = (
        segment.segment.0,
        segment.priority.0.flatten().map(|priority| priority.0),
    );
    let edit = StateEdit {
        enabled: input.enabled.0,
        value: Some(input.feature_state_value.0.into()),
        weights: weights(input.multivariate_feature_state_values),
    };
    let made = segment_overrides::create(&app, &caller, (&key, feature), target, edit).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
