//! Comments on change requests, of environments and of projects.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::change_requests::{self, Comment, Scope};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::Text;
use crate::input;
use crate::page::{Page, Paging};
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            list_change_request_comments,
            create_change_request_comment
        ))
        .routes(routes!(
            update_change_request_comment,
            delete_change_request_comment
        ))
        .routes(routes!(
            list_project_change_request_comments,
            create_project_change_request_comment
        ))
        .routes(routes!(
            update_project_change_request_comment,
            delete_project_change_request_comment
        ))
}

/// What somebody said about a change request.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentView {
    pub id: i64,
    /// Who; null when he is gone.
    pub user: Option<i64>,
    pub text: String,
    pub created_at: String,
    pub updated_at: String,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            user: comment.user_id,
            text: comment.text,
            created_at: Timestamp(comment.created_at).rest(),
            updated_at: Timestamp(comment.updated_at).rest(),
        }
    }
}

input! {
    /// What to say about a change request.
    pub struct CommentBody {
        pub text: Text<10000>,
    }
}

const SCOPE: Scope = Scope::AnyEnvironment;

/// The comments on a change request, oldest first.
#[utoipa::path(get, path = "/api/v1/features/workflows/change-requests/{id}/comments/", tag = "change requests",
    responses((status = 200, body = Page<CommentView>)))]
async fn list_change_request_comments(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<CommentView>>> {
    let mut tx = app.db().read().await?;
    let found = change_requests::comments(&mut tx, &caller, SCOPE, id).await?;
    Ok(Json(paging.cut(found)?.map(CommentView::from)))
}

/// Comments on a change request.
#[utoipa::path(post, path = "/api/v1/features/workflows/change-requests/{id}/comments/", tag = "change requests",
    request_body = CommentBody, responses((status = 201, body = CommentView)))]
async fn create_change_request_comment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<CommentView>)> {
    let input: CommentBody = body.parse()?;
    let comment = change_requests::add_comment(&app, &caller, SCOPE, id, input.text.0).await?;
    Ok((StatusCode::CREATED, Json(comment.into())))
}

/// Changes a comment of one's own.
#[utoipa::path(put, path = "/api/v1/features/workflows/change-requests/{id}/comments/{comment_id}/",
    tag = "change requests", request_body = CommentBody, responses((status = 200, body = CommentView)))]
async fn update_change_request_comment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<CommentView>> {
    let input: CommentBody = body.parse()?;
    let comment = change_requests::edit_comment(&app, &caller, SCOPE, path, input.text.0).await?;
    Ok(Json(comment.into()))
}

/// Deletes a comment: one's own, or any, for administrators.
#[utoipa::path(delete, path = "/api/v1/features/workflows/change-requests/{id}/comments/{comment_id}/",
    tag = "change requests", responses((status = 204)))]
async fn delete_change_request_comment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(path): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    change_requests::delete_comment(&app, &caller, SCOPE, path).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The comments on a change request of a project, oldest first.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/change-requests/{id}/comments/", tag = "change requests",
    responses((status = 200, body = Page<CommentView>)))]
async fn list_project_change_request_comments(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<CommentView>>> {
    let mut tx = app.db().read().await?;
    let found = change_requests::comments(&mut tx, &caller, Scope::Project(project_id), id).await?;
    Ok(Json(paging.cut(found)?.map(CommentView::from)))
}

/// Comments on a change request of a project.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/change-requests/{id}/comments/", tag = "change requests",
    request_body = CommentBody, responses((status = 201, body = CommentView)))]
async fn create_project_change_request_comment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<CommentView>)> {
    let input: CommentBody = body.parse()?;
    let scope = Scope::Project(project_id);
    let comment = change_requests::add_comment(&app, &caller, scope, id, input.text.0).await?;
    Ok((StatusCode::CREATED, Json(comment.into())))
}

/// Changes a comment of one's own.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/change-requests/{id}/comments/{comment_id}/",
    tag = "change requests", request_body = CommentBody, responses((status = 200, body = CommentView)))]
async fn update_project_change_request_comment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id, comment_id)): Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<CommentView>> {
    let input: CommentBody = body.parse()?;
    let (scope, path) = (Scope::Project(project_id), (id, comment_id));
    let comment = change_requests::edit_comment(&app, &caller, scope, path, input.text.0).await?;
    Ok(Json(comment.into()))
}

/// Deletes a comment: one's own, or any, for administrators.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/change-requests/{id}/comments/{comment_id}/",
    tag = "change requests", responses((status = 204)))]
async fn delete_project_change_request_comment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id, comment_id)): Path<(i64, i64, i64)>,
) -> ApiResult<StatusCode> {
    let (scope, path) = (Scope::Project(project_id), (id, comment_id));
    change_requests::delete_comment(&app, &caller, scope, path).await?;
    Ok(StatusCode::NO_CONTENT)
}
