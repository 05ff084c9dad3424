//! `/api/v1/organisations/{organisation_id}/github/…`: what the application for GitHub can see, and the issues that it
//! makes.

use axum::Json;
use axum::extract::State;
use burgee_app::trackers::github::browse::{self, At, Found, PAGE, Part, Search};
use burgee_app::trackers::github::cleanup;
use burgee_app::{App, Caller, Error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::external_resources::ExternalResourceView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::Pk;
use crate::input;
use crate::page::Paging;
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(browse_github_repositories))
        .routes(routes!(browse_github_issues))
        .routes(routes!(browse_github_pulls))
        .routes(routes!(browse_github_contributors))
        .routes(routes!(create_cleanup_issue))
}

/// A page of what GitHub lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct GithubPage<T> {
    pub count: i64,
    /// Where the next page is.
    pub next: Option<String>,
    /// Where the previous page is.
    pub previous: Option<String>,
    /// The same as `count`.
    pub total_count: i64,
    /// GitHub gave up before it had looked at everything.
    pub incomplete_results: bool,
    pub results: Vec<T>,
}

/// A repository that the application can see.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GithubRepositoryFound {
    pub id: i64,
    pub name: String,
    /// With its owner.
    pub full_name: String,
}

/// An issue or a pull request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GithubIssueFound {
    pub html_url: String,
    pub id: i64,
    pub title: String,
    pub number: i64,
    pub state: String,
    #[serde(default)]
    pub merged: bool,
    #[serde(default)]
    pub draft: bool,
}

/// Somebody who has worked on a repository.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GithubContributor {
    pub id: i64,
    pub login: String,
    pub avatar_url: String,
    pub contributions: i64,
}

input! {
    /// What is to be taken out of code.
    pub struct CleanupIssueBody {
        pub feature_id: Pk,
    }
}

fn part(paging: &Paging) -> ApiResult<Part> {
    Ok(Part {
        page: paging.offset()? / paging.limit() + 1,
        size: paging.limit(),
    })
}

fn page<T: DeserializeOwned>(paging: &Paging, found: Found) -> ApiResult<Json<GithubPage<T>>> {
    let broken = |error: serde_json::Error| {
        ApiError(Error::Elsewhere(format!(
            "GitHub's answer can't be read: {error}"
        )))
    };
    let items: Result<Vec<T>, _> = found.items.into_iter().map(serde_json::from_value).collect();
    let page = paging.page(found.count, items.map_err(broken)?)?;
    Ok(Json(GithubPage {
        count: page.count,
        next: page.next,
        previous: page.previous,
        total_count: page.count,
        incomplete_results: found.is_incomplete,
        results: page.results,
    }))
}

fn at(query: &Query) -> At {
    let text = |name: &str| query.text(name).unwrap_or_default().to_owned();
    At {
        owner: text("repo_owner"),
        name: text("repo_name"),
    }
}

async fn search(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    kind: &'static str,
    (paging, query): (Paging, &Query),
) -> ApiResult<Json<GithubPage<GithubIssueFound>>> {
    let paging = paging.at_most(PAGE);
    let text = |name: &str| query.text(name).map(str::to_owned);
    let wanted = Search {
        kind,
        text: text("search_text"),
        in_body: query.truth("search_in_body").unwrap_or_default(),
        in_comments: query.truth("search_in_comments").unwrap_or_default(),
        state: text("state"),
        author: text("author"),
        assignee: text("assignee"),
    };
    let part = part(&paging)?;
    let mut found = browse::search(app, caller, organisation_id, &at(query), &wanted, part).await?;
    for item in &mut found.items {
        // A search tells it of pull requests in a place of its own.
        let is_merged = item["pull_request"]["merged_at"].is_string();
        item["merged"] = is_merged.into();
    }
    page(&paging, found)
}

/// The repositories that the application can see in the account where it is installed.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/github/repositories/", tag = "integrations",
    params(
        ("installation_id" = Option<String>, Query, description = "The organisation's own unless given; needed before it has named one"),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query, description = "100 at most")),
    responses((status = 200, body = GithubPage<GithubRepositoryFound>), (status = 502, description = "GitHub refused")))]
async fn browse_github_repositories(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<GithubPage<GithubRepositoryFound>>> {
    let paging = paging.at_most(PAGE);
    let installation = query.text("installation_id");
    let part = part(&paging)?;
    let found = browse::repositories(&app, &caller, organisation_id, installation, part).await?;
    page(&paging, found)
}

/// The issues of a repository.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/github/issues/", tag = "integrations",
    params(("repo_owner" = String, Query), ("repo_name" = String, Query), ("search_text" = Option<String>, Query),
        ("search_in_body" = Option<bool>, Query), ("search_in_comments" = Option<bool>, Query),
        ("state" = Option<String>, Query, description = "`open` unless given, or `closed`"),
        ("author" = Option<String>, Query), ("assignee" = Option<String>, Query),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query, description = "100 at most")),
    responses((status = 200, body = GithubPage<GithubIssueFound>), (status = 502, description = "GitHub refused")))]
async fn browse_github_issues(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<GithubPage<GithubIssueFound>>> {
    search(&app, &caller, organisation_id, "issue", (paging, &query)).await
}

/// The pull requests of a repository.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/github/pulls/", tag = "integrations",
    params(("repo_owner" = String, Query), ("repo_name" = String, Query), ("search_text" = Option<String>, Query),
        ("search_in_body" = Option<bool>, Query), ("search_in_comments" = Option<bool>, Query),
        ("state" = Option<String>, Query, description = "`open` unless given, or `closed`"),
        ("author" = Option<String>, Query), ("assignee" = Option<String>, Query),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query, description = "100 at most")),
    responses((status = 200, body = GithubPage<GithubIssueFound>), (status = 502, description = "GitHub refused")))]
async fn browse_github_pulls(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<GithubPage<GithubIssueFound>>> {
    search(&app, &caller, organisation_id, "pr", (paging, &query)).await
}

/// Who has worked on a repository.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/github/repo-contributors/", tag = "integrations",
    params(("repo_owner" = String, Query), ("repo_name" = String, Query),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query, description = "100 at most")),
    responses((status = 200, body = GithubPage<GithubContributor>), (status = 502, description = "GitHub refused")))]
async fn browse_github_contributors(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    paging: Paging,
    query: Query,
) -> ApiResult<Json<GithubPage<GithubContributor>>> {
    let paging = paging.at_most(PAGE);
    let part = part(&paging)?;
    let found = browse::contributors(&app, &caller, organisation_id, &at(&query), part).await?;
    page(&paging, found)
}

/// Makes an issue that asks for a feature to be taken out of code, in each repository whose code is known to ask for it,
/// and links the feature to it.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/github/create-cleanup-issue/",
    tag = "integrations", request_body = CleanupIssueBody,
    responses((status = 200, body = Vec<ExternalResourceView>, description = "What the feature is linked to now"),
        (status = 502, description = "GitHub refused")))]
async fn create_cleanup_issue(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    body: Body,
) -> ApiResult<Json<Vec<ExternalResourceView>>> {
    let input: CleanupIssueBody = body.parse()?;
    let made = cleanup::create_issues(&app, &caller, organisation_id, input.feature_id.0).await?;
    Ok(Json(made.into_iter().map(ExternalResourceView::from).collect()))
}
