//! `/api/v1/audit/`, and the same below an organisation and a project

use axum::Json;
use axum::extract::State;
use burgee_app::audit::{AuditLine, Detail, Filter, KeyName, Log};
use burgee_app::environments::Environment;
use burgee_app::{App, Caller, Error, audit, audit_revert};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::projects::ProjectView;
use super::users::UserView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Field, Given};
use crate::input;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_audit_log))
        .routes(routes!(get_audit_log_entry))
        .routes(routes!(list_audit_log_of_organisation))
        .routes(routes!(get_audit_log_entry_of_organisation))
        .routes(routes!(list_audit_log_of_project))
        .routes(routes!(get_audit_log_entry_of_project))
        .routes(routes!(revert_audit_log_entry))
}

/// The organisation's key that did something.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditKey {
    pub prefix: String,
    pub name: String,
}

impl From<KeyName> for AuditKey {
    fn from(key: KeyName) -> Self {
        Self {
            prefix: key.prefix,
            name: key.name,
        }
    }
}

/// The environment something was done in: its settings, without custom fields.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEnvironment {
    pub id: i64,
    pub uuid: String,
    pub name: String,
    pub api_key: String,
    pub description: Option<String>,
    pub project: i64,
    pub minimum_change_request_approvals: Option<i64>,
    pub allow_client_traits: bool,
    pub banner_text: Option<String>,
    pub banner_colour: Option<String>,
    pub hide_disabled_flags: Option<bool>,
    pub use_mv_v2_evaluation: bool,
    pub use_identity_composite_key_for_hashing: bool,
    pub hide_sensitive_data: bool,
    pub use_v2_feature_versioning: bool,
    pub use_identity_overrides_in_local_eval: bool,
    pub is_creating: bool,
}

impl From<Environment> for AuditEnvironment {
    fn from(e: Environment) -> Self {
        Self {
            id: e.id,
            uuid: e.uuid,
            name: e.name,
            api_key: e.api_key,
            description: e.description,
            project: e.project_id,
            minimum_change_request_approvals: e.minimum_change_request_approvals,
            allow_client_traits: e.allow_client_traits,
            banner_text: e.banner_text,
            banner_colour: e.banner_colour,
            hide_disabled_flags: e.hide_disabled_flags,
            // The older name of the next.
            use_mv_v2_evaluation: e.use_identity_composite_key_for_hashing,
            use_identity_composite_key_for_hashing: e.use_identity_composite_key_for_hashing,
            hide_sensitive_data: e.hide_sensitive_data,
            use_v2_feature_versioning: e.use_v2_feature_versioning,
            use_identity_overrides_in_local_eval: e.use_identity_overrides_in_local_eval,
            is_creating: false,
        }
    }
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogEntry {
    pub id: i64,
    pub created_date: String,
    pub log: String,
    pub author: Option<UserView>,
    pub environment: Option<AuditEnvironment>,
    pub project: Option<ProjectView>,
    pub related_object_id: i64,
    pub related_object_uuid: Option<String>,
    /// `FEATURE`, `FEATURE_STATE`, `SEGMENT`, `ENVIRONMENT`, …
    pub related_object_type: String,
    pub is_system_event: bool,
    /// The key that did it, where no user did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub api_key: Option<AuditKey>,
}

/// Objects that clients look up by id; their uuid is not told here.
const KNOWN_BY_ID: [&str; 4] = ["FEATURE", "FEATURE_STATE", "SEGMENT", "ENVIRONMENT"];

impl From<AuditLine> for AuditLogEntry {
    fn from(line: AuditLine) -> Self {
        let is_system_event = line.is_system_event();
        let entry = line.entry;
        Self {
            id: entry.id,
            created_date: Timestamp(entry.at).rest(),
            log: entry.message.unwrap_or_default(),
            author: line.author.map(UserView::from),
            environment: line.environment.map(AuditEnvironment::from),
            project: line.project.map(ProjectView::from),
            related_object_id: entry.object_id,
            related_object_uuid: entry
                .object_uuid
                .filter(|_| !KNOWN_BY_ID.contains(&entry.object_type.as_str())),
            related_object_type: entry.object_type,
            is_system_event,
            api_key: line.api_key.map(AuditKey::from),
        }
    }
}

/// A field that is different since.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeDetail {
    pub field: String,
    /// Text, a number, a boolean or null.
    pub old: Value,
    pub new: Value,
}

impl From<Detail> for ChangeDetail {
    fn from(detail: Detail) -> Self {
        Self {
            field: detail.field,
            old: detail.old,
            new: detail.new,
        }
    }
}

/// An entry of the audit log with what it changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogDetails {
    #[serde(flatten)]
    pub entry: AuditLogEntry,
    pub change_details: Vec<ChangeDetail>,
    /// `CREATE`, `UPDATE`, `DELETE` or `UNKNOWN`.
    #[schema(value_type = crate::words::AuditChangeType)]
    pub change_type: String,
}

impl From<AuditLine> for AuditLogDetails {
    fn from(line: AuditLine) -> Self {
        Self {
            change_details: line.details().into_iter().map(ChangeDetail::from).collect(),
            change_type: line.entry.action.clone(),
            entry: line.into(),
        }
    }
}

/// Reads the filters of a list.
fn filter(query: &Query) -> ApiResult<Filter> {
    let number = |name: &str| match query.text(name) {
        None => Ok(None),
        Some(text) => text
            .trim()
            .parse::<i64>()
            .map(Some)
            .map_err(|_| Error::field(name, "Enter a number.")),
    };
    let moment = |name: &str| match query.text(name) {
        None => Ok(None),
        Some(text) => {
            let text = Value::from(text);
            let read = Timestamp::read(Some(&text));
            read.map(|at| Some(at.0))
                .map_err(|wrong| Error::Rejected(serde_json::json!({ name: wrong })))
        }
    };
    let mut environment_ids = Vec::new();
    for text in query.all("environments").flat_map(|text| text.split(',')) {
        if text.trim().is_empty() {
            continue;
        }
        let id = text.trim().parse();
        environment_ids.push(id.map_err(|_| Error::field("environments", "Enter a number."))?);
    }
    Ok(Filter {
        project_id: number("project")?,
        environment_ids,
        is_system_event: query.truth("is_system_event"),
        search: query.text("search").map(str::to_owned),
        author_id: number("author")?,
        object_type: query.text("related_object_type").map(str::to_uppercase),
        object_id: number("related_object_id")?,
        from: moment("created_after")?,
        until: moment("created_before")?,
    })
}

async fn page(
    app: &App,
    caller: &Caller,
    log: Log,
    query: &Query,
    paging: &Paging,
) -> ApiResult<Json<Page<AuditLogEntry>>> {
    let filter = filter(query)?;
    let mut tx = app.db().read().await?;
    let rows = (paging.limit(), paging.offset()?);
    let (count, lines) = audit::list(&mut tx, caller, log, &filter, rows).await?;
    let views = lines.into_iter().map(AuditLogEntry::from).collect();
    Ok(Json(paging.page(count, views)?))
}

async fn one(app: &App, caller: &Caller, log: Log, id: i64) -> ApiResult<Json<AuditLogDetails>> {
    let mut tx = app.db().read().await?;
    Ok(Json(audit::get(&mut tx, caller, log, id).await?.into()))
}

/// What was done in every organisation the caller administers, newest first.
#[utoipa::path(get, path = "/api/v1/audit/", tag = "audit",
    params(
        ("project" = Option<i64>, Query, description = "Only in this project"),
        ("environments" = Option<Vec<i64>>, Query, description = "Only in these environments; may be repeated"),
        ("is_system_event" = Option<bool>, Query, description = "Only what nobody did, or only what somebody did"),
        ("search" = Option<String>, Query, description = "Text in the line"),
        ("author" = Option<i64>, Query, description = "Only by this user"),
        ("related_object_type" = Option<String>, Query, description = "Only about this kind of object"),
        ("related_object_id" = Option<i64>, Query, description = "Only about the object with this id"),
        ("created_after" = Option<String>, Query, description = "Not before this moment"),
        ("created_before" = Option<String>, Query, description = "Before this moment")),
    responses((status = 200, body = Page<AuditLogEntry>)))]
async fn list_audit_log(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<AuditLogEntry>>> {
    page(&app, &caller, Log::Mine, &query, &paging).await
}

/// An entry, with what it changed.
#[utoipa::path(get, path = "/api/v1/audit/{id}/", tag = "audit",
    responses((status = 200, body = AuditLogDetails)))]
async fn get_audit_log_entry(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<AuditLogDetails>> {
    one(&app, &caller, Log::Mine, id).await
}

/// What was done in an organisation, newest first.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audit/", tag = "audit",
    params(
        ("project" = Option<i64>, Query, description = "Only in this project"),
        ("environments" = Option<Vec<i64>>, Query, description = "Only in these environments; may be repeated"),
        ("is_system_event" = Option<bool>, Query, description = "Only what nobody did, or only what somebody did"),
        ("search" = Option<String>, Query, description = "Text in the line"),
        ("author" = Option<i64>, Query, description = "Only by this user"),
        ("related_object_type" = Option<String>, Query, description = "Only about this kind of object"),
        ("related_object_id" = Option<i64>, Query, description = "Only about the object with this id"),
        ("created_after" = Option<String>, Query, description = "Not before this moment"),
        ("created_before" = Option<String>, Query, description = "Before this moment")),
    responses((status = 200, body = Page<AuditLogEntry>)))]
async fn list_audit_log_of_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<AuditLogEntry>>> {
    page(&app, &caller, Log::Organisation(organisation), &query, &paging).await
}

/// An entry, with what it changed.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audit/{id}/", tag = "audit",
    responses((status = 200, body = AuditLogDetails)))]
async fn get_audit_log_entry_of_organisation(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(i64, i64)>,
) -> ApiResult<Json<AuditLogDetails>> {
    one(&app, &caller, Log::Organisation(organisation), id).await
}

/// What was done in a project, newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/audit/", tag = "audit",
    params(
        ("environments" = Option<Vec<i64>>, Query, description = "Only in these environments; may be repeated"),
        ("is_system_event" = Option<bool>, Query, description = "Only what nobody did, or only what somebody did"),
        ("search" = Option<String>, Query, description = "Text in the line"),
        ("author" = Option<i64>, Query, description = "Only by this user"),
        ("related_object_type" = Option<String>, Query, description = "Only about this kind of object"),
        ("related_object_id" = Option<i64>, Query, description = "Only about the object with this id"),
        ("created_after" = Option<String>, Query, description = "Not before this moment"),
        ("created_before" = Option<String>, Query, description = "Before this moment")),
    responses((status = 200, body = Page<AuditLogEntry>)))]
async fn list_audit_log_of_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<AuditLogEntry>>> {
    page(&app, &caller, Log::Project(project), &query, &paging).await
}

/// An entry, with what it changed.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/audit/{id}/", tag = "audit",
    responses((status = 200, body = AuditLogDetails)))]
async fn get_audit_log_entry_of_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project, id)): Path<(i64, i64)>,
) -> ApiResult<Json<AuditLogDetails>> {
    one(&app, &caller, Log::Project(project), id).await
}

input! {
    /// How to put something back.
    pub struct RevertBody {
        /// Also when the object was changed again since.
        pub force: Given<bool>,
    }
}

/// What putting back changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reverted {
    pub change_details: Vec<ChangeDetail>,
}

/// Puts back what was before an entry: of a feature state, a feature, a segment, an environment or a project.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/audit/{id}/revert/", tag = "audit",
    request_body = RevertBody, responses((status = 200, body = Reverted),
        (status = 409, description = "The object was changed again since, or is gone")))]
async fn revert_audit_log_entry(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<Reverted>> {
    let input: RevertBody = body.parse()?;
    let force = input.force.0.unwrap_or(false);
    let details = audit_revert::revert(&app, &caller, project, id, force).await?;
    Ok(Json(Reverted {
        change_details: details.into_iter().map(ChangeDetail::from).collect(),
    }))
}
