//! `/api/v1/projects/{project_id}/code-references/` and `…/features/{feature_id}/code-references/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::code_references::{self, Found, Scan, Summary};
use burgee_model::metadata::is_url;
use burgee_model::{Timestamp, limits};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Field, Given, Text, Whole, message};
use crate::params::Path;
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_code_references))
        .routes(routes!(list_code_references))
}

/// An absolute address of at most 200 characters.
#[derive(Debug, Clone)]
pub struct Address(pub String);

impl Field for Address {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let Text(text) = Text::<200>::read(value)?;
        if is_url(&text) {
            Ok(Self(text))
        } else {
            Err(message("Enter a valid URL."))
        }
    }

    fn schema() -> RefOr<Schema> {
        Text::<200>::schema()
    }
}

choices! {
    /// Who keeps a repository.
    pub enum VcsProvider { Github = "github" }
}

input! {
    /// A place where a feature was found.
    pub struct CodeReferenceBody {
        pub file_path: Text<4096>,
        pub line_number: Whole<1, { i64::MAX }>,
        pub feature_name: Text<100>,
    }
}

input! {
    /// The result of searching a repository for features.
    pub struct CodeReferencesBody {
        pub repository_url: Address,
        pub vcs_provider: Given<VcsProvider>,
        pub revision: Text<100>,
        pub code_references: References,
    }
}

/// All places that were found: not more than [`limits::CODE_REFERENCES_PER_SCAN`].
#[derive(Debug, Clone)]
pub struct References(pub Vec<CodeReferenceBody>);

impl Field for References {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let list = Vec::<CodeReferenceBody>::read(value)?;
        if list.len() > limits::CODE_REFERENCES_PER_SCAN {
            let most = limits::CODE_REFERENCES_PER_SCAN;
            return Err(message(format!(
                "Ensure this field has no more than {most} elements."
            )));
        }
        Ok(Self(list))
    }

    fn schema() -> RefOr<Schema> {
        Vec::<CodeReferenceBody>::schema()
    }
}

/// A place where a feature was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmittedReference {
    pub file_path: String,
    pub line_number: i64,
    pub feature_name: String,
}

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeReferencesScanView {
    pub created_at: String,
    pub project: i64,
    pub repository_url: String,
    #[schema(value_type = VcsProvider)]
    pub vcs_provider: String,
    pub revision: String,
    pub code_references: Vec<SubmittedReference>,
}

/// A place where a feature is.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeReferenceView {
    pub file_path: String,
    pub line_number: i64,
    pub scanned_at: String,
    #[schema(value_type = VcsProvider)]
    pub vcs_provider: String,
    pub repository_url: String,
    pub revision: String,
    pub permalink: String,
}

/// A repository with the places where a feature is in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RepositorySummaryView {
    pub repository_url: String,
    #[schema(value_type = VcsProvider)]
    pub vcs_provider: String,
    pub revision: String,
    pub last_successful_repository_scanned_at: String,
    /// When the feature was last seen in it; nothing when it never was.
    pub last_feature_found_at: Option<String>,
    pub code_references: Vec<CodeReferenceView>,
}

impl From<Summary> for RepositorySummaryView {
    fn from(summary: Summary) -> Self {
        let places = summary.places();
        let (repository, reference) = (summary.repository, summary.reference);
        let base = repository
            .url
            .trim_end_matches('/')
            .trim_end_matches(".git")
            .to_owned();
        let scanned_at = Timestamp(repository.last_scanned_at).rest();
        let views = places
            .into_iter()
            .map(|(file_path, line_number)| CodeReferenceView {
                permalink: format!(
                    "{base}/blob/{}/{}#L{line_number}",
                    repository.revision,
                    file_path.trim_start_matches('/')
                ),
                file_path,
                line_number,
                scanned_at: scanned_at.clone(),
                vcs_provider: repository.vcs_provider.clone(),
                repository_url: repository.url.clone(),
                revision: repository.revision.clone(),
            });
        Self {
            code_references: views.collect(),
            repository_url: repository.url.clone(),
            vcs_provider: repository.vcs_provider.clone(),
            revision: repository.revision.clone(),
            last_successful_repository_scanned_at: scanned_at,
            last_feature_found_at: reference.map(|reference| Timestamp(reference.found_at).rest()),
        }
    }
}

/// How often a feature is in a repository.
#[derive(Debug, Serialize, ToSchema)]
pub struct RepositoryCountView {
    pub repository_url: String,
    pub count: i64,
    pub last_successful_repository_scanned_at: String,
    pub last_feature_found_at: Option<String>,
}

impl From<Summary> for RepositoryCountView {
    fn from(summary: Summary) -> Self {
        Self {
            count: summary.places().len() as i64,
            last_successful_repository_scanned_at: Timestamp(summary.repository.last_scanned_at).rest(),
            last_feature_found_at: summary
                .reference
                .map(|reference| Timestamp(reference.found_at).rest()),
            repository_url: summary.repository.url,
        }
    }
}

/// Takes the result of searching a repository, in place of the last one.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/code-references/", tag = "code references",
    request_body = CodeReferencesBody, responses((status = 201, body = CodeReferencesScanView)))]
async fn create_code_references(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<CodeReferencesScanView>)> {
    let input: CodeReferencesBody = body.parse()?;
    let found = input.code_references.0.into_iter().map(|reference| Found {
        feature_name: reference.feature_name.0,
        file_path: reference.file_path.0,
        line_number: reference.line_number.0,
    });
    let scan = Scan {
        found: found.collect(),
        repository_url: input.repository_url.0,
        vcs_provider: input
            .vcs_provider
            .0
            .unwrap_or(VcsProvider::Github)
            .as_str()
            .to_owned(),
        revision: input.revision.0,
    };
    let at = code_references::submit(&app, &caller, project_id, &scan).await?;
    let references = scan.found.into_iter().map(|found| SubmittedReference {
        file_path: found.file_path,
        line_number: found.line_number,
        feature_name: found.feature_name,
    });
    let view = CodeReferencesScanView {
        created_at: at.rest(),
        project: project_id,
        code_references: references.collect(),
        repository_url: scan.repository_url,
        vcs_provider: scan.vcs_provider,
        revision: scan.revision,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Where a feature is in code, repository by repository.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/code-references/",
    tag = "code references", responses((status = 200, body = Vec<RepositorySummaryView>)))]
async fn list_code_references(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id)): Path<(i64, i64)>,
) -> ApiResult<Json<Vec<RepositorySummaryView>>> {
    let mut tx = app.db().read().await?;
    let found = code_references::of_feature(&mut tx, &caller, project_id, feature_id).await?;
    Ok(Json(found.into_iter().map(RepositorySummaryView::from).collect()))
}
