//! `…/export/` and `…/import/` of projects and organisations: one file

use axum::Json;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use burgee_app::organisation_files::{self, OrganisationImported};
use burgee_app::project_files::{
    self, Export, ExportOptions, ImportOptions, Imported, NotTaken, PROJECT_FORMAT, Reading, Target,
};
use burgee_app::{App, Error};
use burgee_model::limits;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Signed;
use crate::error::ApiResult;
use crate::params::{Path, Query};
use crate::upload::received;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export_project))
        .routes(routes!(import_project))
        .routes(routes!(export_organisation))
        .routes(routes!(import_organisation))
        // Files are taken a piece at a time, whatever their size.
        .layer(DefaultBodyLimit::disable())
}

/// Something that is not as it was in the file.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotTakenView {
    pub what: String,
    pub why: String,
}

impl From<NotTaken> for NotTakenView {
    fn from(missed: NotTaken) -> Self {
        Self {
            what: missed.what,
            why: missed.why,
        }
    }
}

/// What importing a project did, or would have done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectImport {
    /// The project's id; of a dry run that would make one, an id that is not kept.
    pub project: i64,
    pub name: String,
    pub is_new: bool,
    pub dry_run: bool,
    /// How many of what are new.
    #[schema(value_type = Object)]
    pub created: Map<String, Value>,
    /// How many of what were there.
    #[schema(value_type = Object)]
    pub updated: Map<String, Value>,
    pub not_taken: Vec<NotTakenView>,
}

fn counts(counts: Vec<(&'static str, i64)>) -> Map<String, Value> {
    let named = counts.into_iter();
    named
        .map(|(noun, count)| (noun.to_owned(), count.into()))
        .collect()
}

fn project_import(done: Imported, dry_run: bool) -> ProjectImport {
    ProjectImport {
        project: done.project_id,
        name: done.project_name,
        is_new: done.is_new,
        dry_run,
        created: counts(done.created),
        updated: counts(done.updated),
        not_taken: done.not_taken.into_iter().map(NotTakenView::from).collect(),
    }
}

/// What importing a file into an organisation did, or would have done.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganisationImport {
    pub dry_run: bool,
    #[schema(value_type = Object)]
    pub created: Map<String, Value>,
    pub not_taken: Vec<NotTakenView>,
    pub projects: Vec<ProjectImport>,
}

fn export_options(query: &Query) -> ExportOptions {
    ExportOptions {
        keys: query.truth("keys").unwrap_or(false),
        identities: query.truth("identities").unwrap_or(false),
        changes: query.truth("changes").unwrap_or(false),
    }
}

fn import_options(query: &Query) -> Result<ImportOptions, Error> {
    let name = query.text("name").map(|name| name.trim().to_owned());
    if name.as_ref().is_some_and(|name| name.contains('\0')) {
        return Err(Error::field("name", "Null characters are not allowed."));
    }
    Ok(ImportOptions {
        dry_run: query.truth("dry_run").unwrap_or(false),
        name: name.filter(|name| !name.is_empty()),
    })
}

/// Sends a file as it is written.
fn file(app: App, export: Export, name: &str, in_lines: bool) -> Response {
    let pieces = futures_util::stream::unfold(Some((app, export)), |state| async move {
        let (app, mut export) = state?;
        match export.next(&app).await {
            Ok(Some(piece)) => Some((Ok(piece), Some((app, export)))),
            Ok(None) => None,
            // What is sent can't be taken back: the answer breaks off, and the file lacks its end.
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    let kind = if in_lines {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Takes the file in the body of a request, and looks through it where it does not keep SDKs waiting.
async fn take(body: Body) -> Result<Reading, Error> {
    let file = received(body, limits::IMPORT_FILE_BYTES).await?;
    let read = tokio::task::spawn_blocking(move || project_files::read(file)).await;
    read.map_err(|error| Error::Internal(error.to_string()))?
}

/// A project as one file. With `identities`, a line of JSON for each follows the document.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/export/", tag = "export and import",
    params(
        ("keys" = Option<bool>, Query, description = "With the keys of the environments"),
        ("identities" = Option<bool>, Query, description = "With the identities and their traits"),
        ("changes" = Option<bool>, Query, description = "With the lines of the change log")),
    responses((status = 200, content((Object = "application/json"), (String = "application/x-ndjson")))))]
async fn export_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    query: Query,
) -> ApiResult<Response> {
    let options = export_options(&query);
    let export = project_files::export(&app, &caller, id, options).await?;
    let ending = if options.identities { "ndjson" } else { "json" };
    let name = format!("project-{id}.{ending}");
    Ok(file(app, export, &name, options.identities))
}

/// Takes a file into a project: what is in it is made or changed, by names; nothing is deleted.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/import/", tag = "export and import",
    params(("dry_run" = Option<bool>, Query, description = "Only tells what would happen")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = ProjectImport)))]
async fn import_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    query: Query,
    body: Body,
) -> ApiResult<Json<ProjectImport>> {
    let options = import_options(&query)?;
    burgee_app::projects::require_admin(&app, &caller, id).await?;
    let reading = take(body).await?;
    let done = project_files::import(&app, &caller, Target::Project(id), reading, &options).await?;
    Ok(Json(project_import(done, options.dry_run)))
}

/// An organisation as one file: members by address, groups, roles, and all its projects without their identities.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/export/", tag = "export and import",
    params(
        ("keys" = Option<bool>, Query, description = "With the keys of the environments"),
        ("changes" = Option<bool>, Query, description = "With the lines of the change logs")),
    responses((status = 200, content((Object = "application/json"), (String = "application/x-ndjson")))))]
async fn export_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    query: Query,
) -> ApiResult<Response> {
    let options = ExportOptions {
        identities: false,
        ..export_options(&query)
    };
    let export = organisation_files::export(&app, &caller, id, options).await?;
    Ok(file(app, export, &format!("organisation-{id}.json"), false))
}

/// Takes the file of an organisation, or of one project, into an organisation. Projects are found by name, or made.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/import/", tag = "export and import",
    params(
        ("dry_run" = Option<bool>, Query, description = "Only tells what would happen"),
        ("name" = Option<String>, Query, description = "Of the file of one project: what it is called here")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = OrganisationImport)))]
async fn import_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    query: Query,
    body: Body,
) -> ApiResult<Json<OrganisationImport>> {
    let mut options = import_options(&query)?;
    {
        let mut tx = app.db().read().await?;
        caller.require_organisation_admin(&mut tx, id).await?;
    }
    let reading = take(body).await?;
    let done = if reading.document.format == PROJECT_FORMAT {
        let done = project_files::import(&app, &caller, Target::Organisation(id), reading, &options).await?;
        OrganisationImported {
            projects: vec![done],
            ..OrganisationImported::default()
        }
    } else {
        options.name = None;
        organisation_files::import(&app, &caller, id, reading, &options).await?
    };
    let dry_run = options.dry_run;
    Ok(Json(OrganisationImport {
        dry_run,
        created: counts(done.created),
        not_taken: done.not_taken.into_iter().map(NotTakenView::from).collect(),
        projects: done
            .projects
            .into_iter()
            .map(|done| project_import(done, dry_run))
            .collect(),
    }))
}
