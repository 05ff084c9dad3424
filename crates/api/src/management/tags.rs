//! `/api/v1/projects/{project_id}/tags/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::tags::{Tag, TagEdit};
use burgee_app::{App, tags};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_tags, create_tag))
        .routes(routes!(get_tag, update_tag, patch_tag, delete_tag))
        .routes(routes!(get_tag_by_uuid))
}

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
pub struct TagView {
    pub id: i64,
    pub label: String,
    pub color: String,
    pub description: Option<String>,
    pub project: i64,
    pub uuid: String,
    pub is_permanent: bool,
    pub is_system_tag: bool,
    #[schema(value_type = crate::words::TagType)]
    pub r#type: String,
}

impl From<Tag> for TagView {
    fn from(tag: Tag) -> Self {
        Self {
            id: tag.id,
            label: tag.label,
            color: tag.color,
            description: tag.description,
            project: tag.project_id,
            uuid: tag.uuid,
            is_permanent: tag.is_permanent,
            is_system_tag: tag.is_system_tag,
            r#type: tag.r#type,
        }
    }
}

input! {
    /// What may be set of a tag.
    pub struct TagBody {
        pub label: Given<Text<100>>,
        pub color: Given<Text<10>>,
        pub description: Given<Option<Blank<512>>>,
        pub is_permanent: Given<bool>,
    }
}

required! {
    /// A tag to write anew.
    pub struct WholeTagBody(TagBody) with label;
}

impl From<TagBody> for TagEdit {
    fn from(body: TagBody) -> Self {
        Self {
            label: body.label.0.map(|text| text.0),
            color: body.color.0.map(|text| text.0),
            description: body.description.0.map(|text| text.map(|text| text.0)),
            is_permanent: body.is_permanent.0,
        }
    }
}

/// The tags of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/tags/", tag = "tags",
    responses((status = 200, body = Page<TagView>)))]
async fn list_tags(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<TagView>>> {
    let mut tx = app.db().read().await?;
    let tags = tags::list(&mut tx, &caller, project_id).await?;
    Ok(Json(paging.cut(tags.into_iter().map(TagView::from).collect())?))
}

/// Creates a tag.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/tags/", tag = "tags", request_body = WholeTagBody,
    responses((status = 201, body = TagView)))]
async fn create_tag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<TagView>)> {
    let WholeTagBody(input) = body.parse()?;
    let tag = tags::create(&app, &caller, project_id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(tag.into())))
}

/// One tag.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/tags/{tag_id}/", tag = "tags",
    responses((status = 200, body = TagView)))]
async fn get_tag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<TagView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(tags::get(&mut tx, &caller, project_id, id).await?.into()))
}

/// One tag, by its uuid.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/tags/get-by-uuid/{uuid}/", tag = "tags",
    responses((status = 200, body = TagView)))]
async fn get_tag_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, uuid)): Path<(i64, String)>,
) -> ApiResult<Json<TagView>> {
    let mut tx = app.db().read().await?;
    let tag = tags::get_by_uuid(&mut tx, &caller, project_id, &uuid).await?;
    Ok(Json(tag.into()))
}

/// Changes a tag; what is not given stays.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/tags/{tag_id}/", tag = "tags", request_body = WholeTagBody,
    responses((status = 200, body = TagView)))]
async fn update_tag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<TagView>> {
    let WholeTagBody(input) = body.parse()?;
    let tag = tags::update(&app, &caller, project_id, id, input.into()).await?;
    Ok(Json(tag.into()))
}

/// Changes single fields of a tag.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/tags/{tag_id}/", tag = "tags", request_body = TagBody,
    responses((status = 200, body = TagView)))]
async fn patch_tag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<TagView>> {
    let input: TagBody = body.parse()?;
    let tag = tags::update(&app, &caller, project_id, id, input.into()).await?;
    Ok(Json(tag.into()))
}

/// Deletes a tag; features lose it.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/tags/{tag_id}/", tag = "tags",
    responses((status = 204)))]
async fn delete_tag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    tags::delete(&app, &caller, project_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
