//! `/api/v1/projects/{project_id}/imports/launch-darkly/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::launch_darkly::{self, ImportDetails};
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
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_launch_darkly_imports, create_launch_darkly_import))
        .routes(routes!(get_launch_darkly_import))
}

/// How far an import is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportStatus {
    pub requested_environment_count: i64,
    pub requested_flag_count: i64,
    pub deprecated_flag_count: i64,
    /// `success`, `failure`, or `incomplete` when something could not be taken over; nothing until it is done.
    #[schema(value_type = Option<crate::words::ImportResult>)]
    pub result: Option<String>,
    /// What went wrong, or was left out.
    pub error_messages: Vec<String>,
}

/// An import of a LaunchDarkly project.
#[derive(Debug, Serialize, ToSchema)]
pub struct LaunchDarklyImportView {
    pub id: i64,
    pub created_by: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub completed_at: Option<String>,
    pub status: ImportStatus,
    pub project: i64,
}

impl From<ImportDetails> for LaunchDarklyImportView {
    fn from(details: ImportDetails) -> Self {
        let import = details.import;
        Self {
            id: import.id,
            created_by: details.created_by,
            created_at: Timestamp(import.created_at).rest(),
            updated_at: Timestamp(import.updated_at).rest(),
            completed_at: import.completed_at.map(|at| Timestamp(at).rest()),
            status: ImportStatus {
                requested_environment_count: import.environment_count,
                requested_flag_count: import.flag_count,
                deprecated_flag_count: import.deprecated_flag_count,
                result: import.result,
                error_messages: serde_json::from_str(&import.error_messages).unwrap_or_default(),
            },
            project: import.project_id,
        }
    }
}

input! {
    /// What to import.
    pub struct LaunchDarklyImportBody {
        /// An access token of LaunchDarkly that may read the project. Kept encrypted, until the import is done.
        pub token: Text<2000>,
        /// The key of the project there.
        pub project_key: Text<2000>,
    }
}

/// The imports into a project, newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/imports/launch-darkly/", tag = "imports",
    responses((status = 200, body = Vec<LaunchDarklyImportView>)))]
async fn list_launch_darkly_imports(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
) -> ApiResult<Json<Vec<LaunchDarklyImportView>>> {
    let mut tx = app.db().read().await?;
    let found = launch_darkly::list(&mut tx, &caller, project_id).await?;
    Ok(Json(
        found.into_iter().map(LaunchDarklyImportView::from).collect(),
    ))
}

/// Asks for an import; it is done in the background.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/imports/launch-darkly/", tag = "imports",
    request_body = LaunchDarklyImportBody, responses((status = 201, body = LaunchDarklyImportView)))]
async fn create_launch_darkly_import(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<LaunchDarklyImportView>)> {
    launch_darkly::require_create(&app, &caller, project_id).await?;
    let input: LaunchDarklyImportBody = body.parse()?;
    let key = input.project_key.0;
    let made = launch_darkly::create(&app, &caller, project_id, &input.token.0, key).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One import.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/imports/launch-darkly/{id}/", tag = "imports",
    responses((status = 200, body = LaunchDarklyImportView)))]
async fn get_launch_darkly_import(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<LaunchDarklyImportView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        launch_darkly::get(&mut tx, &caller, project_id, id).await?.into(),
    ))
}
