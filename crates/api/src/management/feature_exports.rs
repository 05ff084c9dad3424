//! `/api/v1/features/create-feature-export/`, `/api/v1/features/feature-import/{environment_id}` and their lists

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use burgee_app::feature_exports::{self, ExportDetails, FeatureImport};
use burgee_app::{App, Error};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::Ids;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::Pk;
use crate::page::{Page, Paging};
use crate::params::Path;
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_feature_export))
        .routes(routes!(download_feature_export))
        .routes(routes!(download_flagsmith_on_flagsmith))
        .routes(routes!(list_feature_exports))
        .routes(routes!(create_feature_import))
        .routes(routes!(list_feature_imports))
}

/// An export of the features of an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureExportView {
    pub id: i64,
    pub name: String,
    pub environment_id: i64,
    #[schema(value_type = crate::words::FeatureFileStatus)]
    pub status: String,
    pub created_at: String,
}

impl From<ExportDetails> for FeatureExportView {
    fn from(details: ExportDetails) -> Self {
        Self {
            id: details.export.id,
            name: details.name,
            environment_id: details.export.environment_id,
            status: details.export.status,
            created_at: Timestamp(details.export.created_at).rest(),
        }
    }
}

/// An import of features into an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureImportView {
    pub id: i64,
    pub environment_id: i64,
    #[schema(value_type = ImportStrategy)]
    pub strategy: String,
    #[schema(value_type = crate::words::FeatureFileStatus)]
    pub status: String,
    pub created_at: String,
}

impl From<FeatureImport> for FeatureImportView {
    fn from(import: FeatureImport) -> Self {
        Self {
            id: import.id,
            environment_id: import.environment_id,
            strategy: import.strategy,
            status: import.status,
            created_at: Timestamp(import.created_at).rest(),
        }
    }
}

input! {
    /// Which features to export.
    pub struct FeatureExportBody {
        pub environment_id: Pk,
        /// Those with one of these tags; all without any.
        pub tag_ids: Ids,
    }
}

choices! {
    /// What happens to features that are there already.
    pub enum ImportStrategy {
        Skip = "SKIP",
        OverwriteDestructive = "OVERWRITE_DESTRUCTIVE",
    }
}

input! {
    /// A document to import.
    pub struct FeatureImportBody {
        /// The file: a list of features as an export has it, at most 1 MB.
        pub file: Document,
        pub strategy: ImportStrategy,
    }
}

/// The text of an uploaded file.
#[derive(Debug, Clone)]
pub struct Document(pub String);

impl crate::fields::Field for Document {
    fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
        match value {
            None | Some(serde_json::Value::Null) => Err(crate::fields::message("No file was submitted.")),
            Some(serde_json::Value::String(text)) if text.is_empty() => {
                Err(crate::fields::message("The submitted file is empty."))
            }
            Some(serde_json::Value::String(text)) => Ok(Self(text.clone())),
            Some(_) => Err(crate::fields::message(
                "The submitted data was not a file. Check the encoding type on the form.",
            )),
        }
    }

    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        crate::fields::Blank::<{ burgee_model::limits::FEATURE_IMPORT_BYTES }>::schema()
    }
}

/// Asks for an export of the features of an environment.
#[utoipa::path(post, path = "/api/v1/features/create-feature-export/", tag = "feature exports",
    request_body = FeatureExportBody, responses((status = 201, body = FeatureExportView)))]
async fn create_feature_export(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<FeatureExportView>)> {
    let input: FeatureExportBody = body.parse()?;
    let tags = input.tag_ids.0;
    let export = feature_exports::create(&app, &caller, input.environment_id.0, &tags).await?;
    Ok((StatusCode::CREATED, Json(export.into())))
}

/// The document of an export: a list of features.
#[utoipa::path(get, path = "/api/v1/features/download-feature-export/{id}/", tag = "feature exports",
    responses((status = 200, body = Vec<serde_json::Value>)))]
async fn download_feature_export(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<impl IntoResponse> {
    let mut tx = app.db().read().await?;
    let document = feature_exports::download(&mut tx, &caller, id).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"feature_export.{id}.json\""),
        ),
    ];
    Ok((headers, document))
}

/// The flags of the dashboard itself, from an installation that serves them. This one does not.
#[utoipa::path(get, path = "/api/v1/features/download-flagsmith-on-flagsmith/", tag = "feature exports",
    security(()), responses((status = 404)))]
async fn download_flagsmith_on_flagsmith() -> ApiResult<()> {
    let text = "This system is not configured for this download.";
    Err(ApiError(Error::NotFound(text.to_owned())))
}

/// The exports from environments that the caller administers.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/feature-exports/", tag = "feature exports",
    responses((status = 200, body = Page<FeatureExportView>)))]
async fn list_feature_exports(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<FeatureExportView>>> {
    let mut tx = app.db().read().await?;
    let found = feature_exports::list(&mut tx, &caller, project_id).await?;
    Ok(Json(paging.cut(found)?.map(FeatureExportView::from)))
}

/// Asks for an import of features into an environment.
#[utoipa::path(post, path = "/api/v1/features/feature-import/{environment_id}/", tag = "feature exports",
    request_body(content = FeatureImportBody, content_type = "multipart/form-data"),
    responses((status = 201, body = FeatureImportView)))]
async fn create_feature_import(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(environment_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<FeatureImportView>)> {
    feature_exports::require_import(&app, &caller, environment_id).await?;
    let input: FeatureImportBody = body.parse()?;
    let strategy = input.strategy.as_str();
    let import =
        feature_exports::create_import(&app, &caller, environment_id, strategy, &input.file.0).await?;
    Ok((StatusCode::CREATED, Json(import.into())))
}

/// The imports into environments that the caller administers.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/feature-imports/", tag = "feature exports",
    responses((status = 200, body = Page<FeatureImportView>)))]
async fn list_feature_imports(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<FeatureImportView>>> {
    let mut tx = app.db().read().await?;
    let found = feature_exports::list_imports(&mut tx, &caller, project_id).await?;
    Ok(Json(paging.cut(found)?.map(FeatureImportView::from)))
}
