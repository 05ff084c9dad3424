//! `/api/v1/projects/{id}/segments/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::segments::{AssociatedFeature, SegmentDetails, SegmentEdit, SegmentFilter};
use burgee_app::{App, Caller, Error, segments};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::metadata::{self, MetadataBody, MetadataView};
use super::segment_rules::{RuleBody, RuleView};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_segments, create_segment))
        .routes(routes!(
            get_segment,
            update_segment,
            patch_segment,
            delete_segment
        ))
        .routes(routes!(get_segment_by_uuid))
        .routes(routes!(clone_segment))
        .routes(routes!(list_associated_features))
        .routes(routes!(list_segment_members))
}

/// A segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentView {
    pub id: i64,
    pub uuid: String,
    pub created_at: String,
    pub updated_at: String,
    pub name: String,
    pub description: Option<String>,
    pub project: i64,
    pub feature: Option<i64>,
    pub version_of: i64,
    pub rules: Vec<RuleView>,
    pub metadata: Vec<MetadataView>,
    pub membership_counts: Vec<serde_json::Value>,
    #[schema(value_type = crate::words::SegmentManager)]
    pub managed_by: String,
}

impl From<SegmentDetails> for SegmentView {
    fn from(details: SegmentDetails) -> Self {
        let s = details.segment;
        let rules = s.parsed_rules().into_iter().map(RuleView::from).collect();
        Self {
            id: s.id,
            uuid: s.uuid,
            created_at: Timestamp(s.created_at).rest(),
            updated_at: Timestamp(s.updated_at).rest(),
            name: s.name,
            description: s.description,
            project: s.project_id,
            feature: s.feature_id,
            version_of: s.id,
            rules,
            metadata: metadata::views(details.metadata),
            membership_counts: Vec::new(),
            managed_by: s.managed_by,
        }
    }
}

input! {
    /// What can be chosen of a segment.
    pub struct SegmentBody {
        pub name: Given<Text<2000>>,
        pub description: Given<Option<Blank<20000>>>,
        pub feature: Given<Option<Pk>>,
        pub rules: Given<Vec<RuleBody>>,
        pub metadata: Given<Vec<MetadataBody>>,
    }
}

required! {
    /// A segment to write anew.
    pub struct WholeSegmentBody(SegmentBody) with name, rules;
}

impl From<SegmentBody> for SegmentEdit {
    fn from(body: SegmentBody) -> Self {
        Self {
            name: body.name.0.map(|t| t.0),
            description: body.description.0.map(|t| t.map(|t| t.0)),
            feature: body.feature.0.map(|pk| pk.map(|pk| pk.0)),
            rules: body
                .rules
                .0
                .map(|rules| rules.into_iter().map(Into::into).collect()),
            metadata: metadata::edits(body.metadata.0),
            whole: false,
        }
    }
}

/// The segments of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/segments/", tag = "segments",
    params(
        ("q" = Option<String>, Query, description = "Part of the name"),
        ("identity" = Option<i64>, Query, description = "Only segments this identity is in"),
        ("include_feature_specific" = Option<bool>, Query, description = "Whether those of one feature are listed"),
    ),
    responses((status = 200, body = Page<SegmentView>)))]
async fn list_segments(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<SegmentView>>> {
    let identity = match query.text("identity") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Error::no_match("Identity"))?),
    };
    let filter = SegmentFilter {
        part: query.text("q").map(str::to_owned),
        identity,
        shared_only: query.truth("include_feature_specific") == Some(false),
    };
    let mut tx = app.db().read().await?;
    let found = segments::list(&app, &mut tx, &caller, project_id, &filter).await?;
    Ok(Json(paging.cut(found)?.map(SegmentView::from)))
}

/// Creates a segment.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/segments/", tag = "segments", request_body = WholeSegmentBody,
    responses((status = 201, body = SegmentView)))]
async fn create_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<SegmentView>)> {
    segments::require_manage(&app, &caller, project_id).await?;
    let WholeSegmentBody(input) = body.parse()?;
    let segment = segments::create(&app, &caller, project_id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(segment.into())))
}

/// One segment.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/segments/{id}/", tag = "segments",
    responses((status = 200, body = SegmentView)))]
async fn get_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<SegmentView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        segments::get(&mut tx, &caller, project_id, id).await?.into(),
    ))
}

/// One segment, by its uuid.
#[utoipa::path(get, path = "/api/v1/segments/get-by-uuid/{uuid}/", tag = "segments",
    responses((status = 200, body = SegmentView)))]
async fn get_segment_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<SegmentView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(segments::get_by_uuid(&mut tx, &caller, &uuid).await?.into()))
}

/// Replaces a segment. Rules and conditions with the id of a present one keep it.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/segments/{id}/", tag = "segments",
    request_body = WholeSegmentBody, responses((status = 200, body = SegmentView)))]
async fn update_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<SegmentView>> {
    change_segment(&app, &caller, (project_id, id), &body, true).await
}

/// Changes single fields of a segment.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/segments/{id}/", tag = "segments",
    request_body = SegmentBody, responses((status = 200, body = SegmentView)))]
async fn patch_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<SegmentView>> {
    change_segment(&app, &caller, (project_id, id), &body, false).await
}

async fn change_segment(
    app: &App,
    caller: &Caller,
    (project_id, id): (i64, i64),
    body: &Body,
    whole: bool,
) -> ApiResult<Json<SegmentView>> {
    segments::require_manage(app, caller, project_id).await?;
    let input = if whole {
        body.parse::<WholeSegmentBody>()?.0
    } else {
        body.parse()?
    };
    let edit = SegmentEdit {
        whole,
        ..input.into()
    };
    let segment = segments::update(app, caller, project_id, id, edit).await?;
    Ok(Json(segment.into()))
}

/// Deletes a segment with its overrides.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/segments/{id}/", tag = "segments",
    responses((status = 204)))]
async fn delete_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    segments::delete(&app, &caller, project_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// What a copy of a segment is called.
    pub struct CloneSegmentBody {
        pub name: Text<2000>,
    }
}

/// Copies a segment.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/segments/{id}/clone/", tag = "segments",
    request_body = CloneSegmentBody, responses((status = 201, body = SegmentView)))]
async fn clone_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<SegmentView>)> {
    segments::require_manage(&app, &caller, project_id).await?;
    let input: CloneSegmentBody = body.parse()?;
    let copy = segments::clone(&app, &caller, project_id, id, input.name.0).await?;
    Ok((StatusCode::CREATED, Json(copy.into())))
}

/// The state of a feature that a segment overrides.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssociatedFeatureView {
    /// The id of the feature state.
    pub id: i64,
    pub feature: i64,
    pub environment: i64,
}

impl From<AssociatedFeature> for AssociatedFeatureView {
    fn from(state: AssociatedFeature) -> Self {
        Self {
            id: state.id,
            feature: state.feature_id,
            environment: state.environment_id,
        }
    }
}

/// What a segment overrides.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/segments/{id}/associated-features/", tag = "segments",
    params(("environment" = Option<i64>, Query, description = "Only in this environment")),
    responses((status = 200, body = Page<AssociatedFeatureView>)))]
async fn list_associated_features(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<AssociatedFeatureView>>> {
    let environment = query.number("environment");
    let mut tx = app.db().read().await?;
    let found = segments::associated_features(&mut tx, &caller, project_id, id, environment).await?;
    Ok(Json(paging.cut(found)?.map(AssociatedFeatureView::from)))
}

/// The members of a segment. Lists of members are not kept: always 404.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/segments/{id}/members/", tag = "segments",
    responses((status = 404)))]
async fn list_segment_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<()> {
    let mut tx = app.db().read().await?;
    Ok(segments::members(&mut tx, &caller, project_id, id).await?)
}
