//! `/api/v1/projects/{project_id}/gitlab/…`: what can be linked to features. The integration itself is set up in
//! `integrations.rs`.

use axum::Json;
use axum::extract::State;
use burgee_app::integrations::gitlab::{self, Kind, PAGE, Search};
use burgee_app::{App, Caller, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::features::whole;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The states that can be asked for.
const STATES: [&str; 4] = ["opened", "closed", "merged", "all"];

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_gitlab_projects))
        .routes(routes!(list_gitlab_issues))
        .routes(routes!(list_gitlab_merge_requests))
}

/// A project in GitLab.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GitLabProject {
    pub id: i64,
    pub name: String,
    pub path_with_namespace: String,
}

/// An issue in GitLab.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GitLabIssue {
    pub web_url: String,
    pub id: i64,
    pub title: String,
    /// Its number in its project.
    pub iid: i64,
    pub state: String,
}

/// A merge request in GitLab.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GitLabMergeRequest {
    pub web_url: String,
    pub id: i64,
    pub title: String,
    /// Its number in its project.
    pub iid: i64,
    pub state: String,
    pub merged: bool,
    pub draft: bool,
}

async fn search<T: serde::de::DeserializeOwned>(
    app: &App,
    caller: &Caller,
    project_id: i64,
    kind: Kind,
    (paging, query): (Paging, &Query),
) -> ApiResult<Json<Page<T>>> {
    let state = query.text("state").map(str::to_owned);
    if state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        let text = format!("\"{}\" is not a valid choice.", state.unwrap_or_default());
        return Err(ApiError(Error::field("state", text)));
    }
    let paging = paging.at_most(PAGE);
    let wanted = Search {
        project: whole(query, "gitlab_project_id")?,
        text: query.text("search_text").map(str::to_owned),
        state,
        page: paging.offset()? / paging.limit() + 1,
        size: paging.limit(),
    };
    let found = gitlab::search(app, caller, project_id, kind, &wanted).await?;
    let broken = |error: serde_json::Error| {
        ApiError(Error::Elsewhere(format!(
            "GitLab's answer can't be read: {error}"
        )))
    };
    let items: Result<Vec<T>, _> = found.items.into_iter().map(serde_json::from_value).collect();
    Ok(Json(paging.page(found.count, items.map_err(broken)?)?))
}

/// The projects that the access token can see.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/gitlab/projects/", tag = "integrations",
    params(("search_text" = Option<String>, Query)),
    responses((status = 200, body = Page<GitLabProject>), (status = 502, description = "GitLab refused")))]
async fn list_gitlab_projects(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<Page<GitLabProject>>> {
    search(&app, &caller, project_id, Kind::Projects, (paging, &query)).await
}

/// The issues of one of them.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/gitlab/issues/", tag = "integrations",
    params(("gitlab_project_id" = i64, Query), ("search_text" = Option<String>, Query),
        ("state" = Option<String>, Query, description = "`opened` unless given")),
    responses((status = 200, body = Page<GitLabIssue>), (status = 502, description = "GitLab refused")))]
async fn list_gitlab_issues(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<Page<GitLabIssue>>> {
    search(&app, &caller, project_id, Kind::Issues, (paging, &query)).await
}

/// The merge requests of one of them.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/gitlab/merge-requests/", tag = "integrations",
    params(("gitlab_project_id" = i64, Query), ("search_text" = Option<String>, Query),
        ("state" = Option<String>, Query, description = "`opened` unless given")),
    responses((status = 200, body = Page<GitLabMergeRequest>), (status = 502, description = "GitLab refused")))]
async fn list_gitlab_merge_requests(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<Page<GitLabMergeRequest>>> {
    search(&app, &caller, project_id, Kind::MergeRequests, (paging, &query)).await
}
