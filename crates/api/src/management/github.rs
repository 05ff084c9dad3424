//! `/api/v1/organisations/{organisation_id}/integrations/github/…`: which installation of the application for GitHub is the
//! organisation's, and which repositories belong to which of its projects.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::trackers::github::configurations::{
    self, GithubConfiguration, GithubRepository, RepositoryEdit,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Pk, Text};
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_github_configurations, create_github_configuration))
        .routes(routes!(
            get_github_configuration,
            update_github_configuration,
            patch_github_configuration,
            delete_github_configuration
        ))
        .routes(routes!(list_github_repositories, create_github_repository))
        .routes(routes!(
            get_github_repository,
            update_github_repository,
            patch_github_repository,
            delete_github_repository
        ))
}

/// The installation of the application that is an organisation's.
#[derive(Debug, Serialize, ToSchema)]
pub struct GithubConfigurationView {
    pub id: i64,
    /// As GitHub numbers it.
    pub installation_id: String,
    pub organisation: i64,
}

impl From<GithubConfiguration> for GithubConfigurationView {
    fn from(configuration: GithubConfiguration) -> Self {
        Self {
            id: configuration.id,
            installation_id: configuration.installation_id,
            organisation: configuration.organisation_id,
        }
    }
}

/// A repository whose issues and pull requests are about the features of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct GithubRepositoryView {
    pub id: i64,
    pub github_configuration: i64,
    pub project: i64,
    pub repository_owner: String,
    pub repository_name: String,
    /// Whether features are tagged with how their issues stand, and issues are labelled.
    pub tagging_enabled: bool,
}

impl From<GithubRepository> for GithubRepositoryView {
    fn from(repository: GithubRepository) -> Self {
        Self {
            id: repository.id,
            github_configuration: repository.configuration_id,
            project: repository.project_id,
            repository_owner: repository.owner,
            repository_name: repository.name,
            tagging_enabled: repository.tagging_enabled,
        }
    }
}

input! {
    /// An installation of the application for GitHub.
    pub struct GithubConfigurationBody {
        pub installation_id: Given<Text<100>>,
    }
}

required! {
    /// An installation to write anew.
    pub struct WholeGithubConfigurationBody(GithubConfigurationBody) with installation_id;
}

impl GithubConfigurationBody {
    fn installation(self) -> Option<String> {
        self.installation_id.0.map(|text| text.0)
    }
}

input! {
    /// A repository of a project.
    pub struct GithubRepositoryBody {
        pub project: Given<Pk>,
        pub repository_owner: Given<Text<100>>,
        pub repository_name: Given<Text<100>>,
        pub tagging_enabled: Given<bool>,
    }
}

required! {
    /// A repository to write anew.
    pub struct WholeGithubRepositoryBody(GithubRepositoryBody) with project, repository_owner, repository_name;
}

impl From<GithubRepositoryBody> for RepositoryEdit {
    fn from(body: GithubRepositoryBody) -> Self {
        Self {
            project: body.project.0.map(|pk| pk.0),
            owner: body.repository_owner.0.map(|text| text.0),
            name: body.repository_name.0.map(|text| text.0),
            tagging_enabled: body.tagging_enabled.0,
        }
    }
}

/// The installation of an organisation, if it has named one.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/integrations/github/", tag = "integrations",
    responses((status = 200, body = Page<GithubConfigurationView>)))]
async fn list_github_configurations(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<GithubConfigurationView>>> {
    let mut tx = app.db().read().await?;
    let found = configurations::list(&mut tx, &caller, organisation_id).await?;
    let found = found.into_iter().map(GithubConfigurationView::from).collect();
    Ok(Json(paging.cut(found)?))
}

/// Names the installation of an organisation. One that is another organisation's is refused.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/integrations/github/", tag = "integrations",
    request_body = WholeGithubConfigurationBody, responses((status = 201, body = GithubConfigurationView)))]
async fn create_github_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GithubConfigurationView>)> {
    let WholeGithubConfigurationBody(input) = body.parse()?;
    let installation = input.installation().unwrap_or_default();
    let made = configurations::create(&app, &caller, organisation_id, installation).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One installation.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/integrations/github/{id}/", tag = "integrations",
    responses((status = 200, body = GithubConfigurationView)))]
async fn get_github_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<GithubConfigurationView>> {
    let mut tx = app.db().read().await?;
    let found = configurations::get(&mut tx, &caller, organisation_id, id).await?;
    Ok(Json(found.into()))
}

/// Names another installation.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/integrations/github/{id}/", tag = "integrations",
    request_body = WholeGithubConfigurationBody, responses((status = 200, body = GithubConfigurationView)))]
async fn update_github_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<GithubConfigurationView>> {
    let WholeGithubConfigurationBody(input) = body.parse()?;
    let changed = configurations::update(&app, &caller, organisation_id, id, input.installation()).await?;
    Ok(Json(changed.into()))
}

/// Names another installation, if one is given.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/integrations/github/{id}/", tag = "integrations",
    request_body = GithubConfigurationBody, responses((status = 200, body = GithubConfigurationView)))]
async fn patch_github_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<GithubConfigurationView>> {
    let input: GithubConfigurationBody = body.parse()?;
    let changed = configurations::update(&app, &caller, organisation_id, id, input.installation()).await?;
    Ok(Json(changed.into()))
}

/// Ends it: the application is uninstalled at GitHub as well.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/integrations/github/{id}/",
    tag = "integrations", responses((status = 204)))]
async fn delete_github_configuration(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    configurations::delete(&app, &caller, organisation_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The repositories that belong to projects.
#[utoipa::path(get,
    path = "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/",
    tag = "integrations", responses((status = 200, body = Page<GithubRepositoryView>)))]
async fn list_github_repositories(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<GithubRepositoryView>>> {
    let mut tx = app.db().read().await?;
    let found = configurations::repositories(&mut tx, &caller, at).await?;
    Ok(Json(paging.cut(found)?.map(GithubRepositoryView::from)))
}

/// Adds a repository to a project.
#[utoipa::path(post,
    path = "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/",
    tag = "integrations", request_body = WholeGithubRepositoryBody,
    responses((status = 201, body = GithubRepositoryView)))]
async fn create_github_repository(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<GithubRepositoryView>)> {
    let WholeGithubRepositoryBody(input) = body.parse()?;
    let made = configurations::add_repository(&app, &caller, at, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One repository.
#[utoipa::path(get,
    path = "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/{id}/",
    tag = "integrations", responses((status = 200, body = GithubRepositoryView)))]
async fn get_github_repository(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, configuration_id, id)): Path<(i64, i64, i64)>,
) -> ApiResult<Json<GithubRepositoryView>> {
    let mut tx = app.db().read().await?;
    let at = (organisation_id, configuration_id);
    let found = configurations::repository(&mut tx, &caller, at, id).await?;
    Ok(Json(found.into()))
}

/// Replaces a repository.
#[utoipa::path(put,
    path = "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/{id}/",
    tag = "integrations", request_body = WholeGithubRepositoryBody,
    responses((status = 200, body = GithubRepositoryView)))]
async fn update_github_repository(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, configuration_id, id)): Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<GithubRepositoryView>> {
    let WholeGithubRepositoryBody(input) = body.parse()?;
    let at = (organisation_id, configuration_id);
    let changed = configurations::update_repository(&app, &caller, at, id, input.into()).await?;
    Ok(Json(changed.into()))
}

/// Changes single things of a repository.
#[utoipa::path(patch,
    path = "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/{id}/",
    tag = "integrations", request_body = GithubRepositoryBody,
    responses((status = 200, body = GithubRepositoryView)))]
async fn patch_github_repository(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, configuration_id, id)): Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<GithubRepositoryView>> {
    let input: GithubRepositoryBody = body.parse()?;
    let at = (organisation_id, configuration_id);
    let changed = configurations::update_repository(&app, &caller, at, id, input.into()).await?;
    Ok(Json(changed.into()))
}

/// Takes a repository away.
#[utoipa::path(delete,
    path = "/api/v1/organisations/{organisation_id}/integrations/github/{configuration_id}/repositories/{id}/",
    tag = "integrations", responses((status = 204)))]
async fn delete_github_repository(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, configuration_id, id)): Path<(i64, i64, i64)>,
) -> ApiResult<StatusCode> {
    let at = (organisation_id, configuration_id);
    configurations::delete_repository(&app, &caller, at, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
