//! `/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::external_resources::{self, ExternalResource, ResourceEdit};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_external_resources, create_external_resource))
        .routes(routes!(
            get_external_resource,
            update_external_resource,
            patch_external_resource,
            delete_external_resource
        ))
}

/// An issue or a merge request that is about a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExternalResourceView {
    pub id: i64,
    pub url: String,
    #[schema(value_type = ExternalResourceType)]
    pub r#type: String,
    pub metadata: Option<Value>,
    pub feature: i64,
}

impl From<ExternalResource> for ExternalResourceView {
    fn from(resource: ExternalResource) -> Self {
        Self {
            id: resource.id,
            url: resource.url,
            r#type: resource.r#type,
            metadata: resource
                .metadata
                .and_then(|text| serde_json::from_str(&text).ok()),
            feature: resource.feature_id,
        }
    }
}

choices! {
    /// What a feature is linked to.
    pub enum ExternalResourceType {
        GithubIssue = "GITHUB_ISSUE",
        GithubPr = "GITHUB_PR",
        GitlabIssue = "GITLAB_ISSUE",
        GitlabMr = "GITLAB_MR",
    }
}

input! {
    /// A link to an issue or a merge request.
    pub struct ExternalResourceBody {
        pub url: Given<Text<200>>,
        pub r#type: Given<ExternalResourceType>,
        pub metadata: Given<Option<Value>>,
        pub feature: Given<Pk>,
    }
}

required! {
    /// An external resource to write anew.
    pub struct WholeExternalResourceBody(ExternalResourceBody) with url, r#type, feature;
}

impl From<ExternalResourceBody> for ResourceEdit {
    fn from(body: ExternalResourceBody) -> Self {
        Self {
            url: body.url.0.map(|text| text.0),
            kind: body.r#type.0.map(ExternalResourceType::as_str),
            metadata: body.metadata.0,
            feature: body.feature.0.map(|pk| pk.0),
        }
    }
}

/// What a feature is linked to.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/",
    tag = "external resources", responses((status = 200, body = Page<ExternalResourceView>)))]
async fn list_external_resources(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id)): Path<(i64, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<ExternalResourceView>>> {
    let mut tx = app.db().read().await?;
    let found = external_resources::list(&mut tx, &caller, project_id, feature_id).await?;
    Ok(Json(paging.cut(found)?.map(ExternalResourceView::from)))
}

/// Links a feature to an issue or a merge request.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/",
    tag = "external resources", request_body = WholeExternalResourceBody,
    responses((status = 201, body = ExternalResourceView)))]
async fn create_external_resource(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ExternalResourceView>)> {
    let WholeExternalResourceBody(input) = body.parse()?;
    let made = external_resources::create(&app, &caller, at, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One link.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/{id}/",
    tag = "external resources", responses((status = 200, body = ExternalResourceView)))]
async fn get_external_resource(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
) -> ApiResult<Json<ExternalResourceView>> {
    let mut tx = app.db().read().await?;
    let found = external_resources::get(&mut tx, &caller, (project_id, feature_id), id).await?;
    Ok(Json(found.into()))
}

/// Replaces a link.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/{id}/",
    tag = "external resources", request_body = WholeExternalResourceBody,
    responses((status = 200, body = ExternalResourceView)))]
async fn update_external_resource(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<ExternalResourceView>> {
    let WholeExternalResourceBody(input) = body.parse()?;
    let at = (project_id, feature_id);
    let changed = external_resources::update(&app, &caller, at, id, input.into()).await?;
    Ok(Json(changed.into()))
}

/// Changes single things of a link.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/{id}/",
    tag = "external resources", request_body = ExternalResourceBody,
    responses((status = 200, body = ExternalResourceView)))]
async fn patch_external_resource(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<ExternalResourceView>> {
    let input: ExternalResourceBody = body.parse()?;
    let at = (project_id, feature_id);
    let changed = external_resources::update(&app, &caller, at, id, input.into()).await?;
    Ok(Json(changed.into()))
}

/// Takes a link away.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/features/{feature_id}/feature-external-resources/{id}/",
    tag = "external resources", responses((status = 204)))]
async fn delete_external_resource(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
) -> ApiResult<StatusCode> {
    external_resources::delete(&app, &caller, (project_id, feature_id), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
