//! `/api/v1/projects/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::edge_identities::no_edge;
use burgee_app::projects::{Project, ProjectEdit};
use burgee_app::{App, Error, pii, projects};
use burgee_model::limits;
use burgee_model::pii::{AllowList, Mode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Pk, Text, Whole};
use crate::params::{Path, Query};
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_projects, create_project))
        .routes(routes!(
            get_project,
            update_project,
            patch_project,
            delete_project
        ))
        .routes(routes!(get_project_by_uuid))
        .routes(routes!(migrate_project_to_edge))
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectView {
    pub id: i64,
    pub uuid: String,
    pub name: String,
    pub organisation: i64,
    pub hide_disabled_flags: bool,
    pub enable_dynamo_db: bool,
    #[schema(value_type = crate::words::EdgeMigrationStatus)]
    pub migration_status: &'static str,
    pub use_edge_identities: bool,
    pub prevent_flag_defaults: bool,
    pub enable_realtime_updates: bool,
    pub only_allow_lower_case_feature_names: bool,
    pub feature_name_regex: Option<String>,
    pub show_edge_identity_overrides_for_feature: bool,
    pub stale_flags_limit_days: i64,
    #[schema(value_type = crate::words::EdgeV2MigrationStatus)]
    pub edge_v2_migration_status: &'static str,
    pub minimum_change_request_approvals: Option<i64>,
    pub enforce_feature_owners: bool,
    /// What is done about personal data that would be stored. This and the next two are told of projects for which one of
    /// them was set: others are described as in the reference, where there is no such thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = PiiMode)]
    pub pii_mode: Option<String>,
    /// Keys of traits, and context kinds, that are not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub pii_allowed_traits: Option<Vec<String>>,
    /// Values that are fine although they look like personal data; `*` stands for any characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub pii_allowed_values: Option<Vec<String>>,
}

impl From<Project> for ProjectView {
    fn from(p: Project) -> Self {
        let allowed = pii::allow_list(&p);
        let is_guarded = p.pii_mode != Mode::Off.as_str() || allowed != AllowList::default();
        Self {
            pii_allowed_traits: is_guarded.then_some(allowed.traits),
            pii_allowed_values: is_guarded.then_some(allowed.values),
            pii_mode: is_guarded.then_some(p.pii_mode),
            id: p.id,
            uuid: p.uuid,
            name: p.name,
            organisation: p.organisation_id,
            hide_disabled_flags: p.hide_disabled_flags,
            enable_dynamo_db: p.use_edge_identities,
            migration_status: if p.use_edge_identities {
                "MIGRATION_COMPLETED"
            } else {
                "NOT_APPLICABLE"
            },
            use_edge_identities: p.use_edge_identities,
            prevent_flag_defaults: p.prevent_flag_defaults,
            enable_realtime_updates: p.enable_realtime_updates,
            only_allow_lower_case_feature_names: p.only_allow_lower_case_feature_names,
            feature_name_regex: p.feature_name_regex,
            show_edge_identity_overrides_for_feature: p.use_edge_identities,
            stale_flags_limit_days: p.stale_flags_limit_days,
            edge_v2_migration_status: if p.use_edge_identities {
                "COMPLETE"
            } else {
                "NOT_STARTED"
            },
            minimum_change_request_approvals: p.minimum_change_request_approvals,
            enforce_feature_owners: p.enforce_feature_owners,
        }
    }
}

/// A project with its limits and how far they are used.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectDetails {
    #[serde(flatten)]
    pub project: ProjectView,
    /// Null: as many as one likes.
    pub max_segments_allowed: Option<i64>,
    pub max_features_allowed: Option<i64>,
    pub max_segment_overrides_allowed: Option<i64>,
    pub total_features: i64,
    pub total_segments: i64,
}

input! {
    /// The settings of a project.
    pub struct ProjectBody {
        pub name: Given<Text<2000>>,
        pub organisation: Given<Pk>,
        pub hide_disabled_flags: Given<bool>,
        pub prevent_flag_defaults: Given<bool>,
        pub enable_realtime_updates: Given<bool>,
        pub only_allow_lower_case_feature_names: Given<bool>,
        pub feature_name_regex: Given<Option<Text<255>>>,
        pub stale_flags_limit_days: Given<Whole<0, 36500>>,
        pub minimum_change_request_approvals: Given<Option<Whole<0, 32767>>>,
        pub enforce_feature_owners: Given<bool>,
        /// Ours: lets clients use the "edge" set of identity operations.
        pub use_edge_identities: Given<bool>,
        /// Ours: what is done about personal data that would be stored.
        pub pii_mode: Given<PiiMode>,
        /// Ours: keys of traits, and context kinds, that are not looked at.
        pub pii_allowed_traits: Given<Vec<Text<{ limits::TRAIT_KEY_LENGTH }>>>,
        /// Ours: values that are fine, whole; `*` stands for any characters.
        pub pii_allowed_values: Given<Vec<Text<{ limits::TRAIT_KEY_LENGTH }>>>,
        /// Ours: the limits of the project; null for none. Only superusers move them.
        pub max_features_allowed: Given<Option<Whole<0, 1_000_000_000>>>,
        pub max_segments_allowed: Given<Option<Whole<0, 1_000_000_000>>>,
        pub max_segment_overrides_allowed: Given<Option<Whole<0, 1_000_000_000>>>,
    }
}

required! {
    /// A project to write anew.
    pub struct WholeProjectBody(ProjectBody) with name, organisation;
}

choices! {
    /// What is done about personal data that would be stored: nothing, counting, hashing, refusing.
    pub enum PiiMode { Off = "off", Warn = "warn", Hash = "hash", Refuse = "refuse" }
}

impl From<PiiMode> for Mode {
    fn from(mode: PiiMode) -> Self {
        match mode {
            PiiMode::Off => Self::Off,
            PiiMode::Warn => Self::Warn,
            PiiMode::Hash => Self::Hash,
            PiiMode::Refuse => Self::Refuse,
        }
    }
}

fn texts<const MAX: usize>(given: Vec<Text<MAX>>) -> Vec<String> {
    given.into_iter().map(|text| text.0).collect()
}

impl From<ProjectBody> for ProjectEdit {
    fn from(body: ProjectBody) -> Self {
        Self {
            name: body.name.0.map(|t| t.0),
            hide_disabled_flags: body.hide_disabled_flags.0,
            prevent_flag_defaults: body.prevent_flag_defaults.0,
            enable_realtime_updates: body.enable_realtime_updates.0,
            only_allow_lower_case_feature_names: body.only_allow_lower_case_feature_names.0,
            feature_name_regex: body.feature_name_regex.0.map(|t| t.map(|t| t.0)),
            stale_flags_limit_days: body.stale_flags_limit_days.0.map(|n| n.0),
            minimum_change_request_approvals: body.minimum_change_request_approvals.0.map(|n| n.map(|n| n.0)),
            enforce_feature_owners: body.enforce_feature_owners.0,
            use_edge_identities: body.use_edge_identities.0,
            pii_mode: body.pii_mode.0.map(Mode::from),
            pii_allowed_traits: body.pii_allowed_traits.0.map(texts),
            pii_allowed_values: body.pii_allowed_values.0.map(texts),
            max_features_allowed: body.max_features_allowed.0.map(|n| n.map(|n| n.0)),
            max_segments_allowed: body.max_segments_allowed.0.map(|n| n.map(|n| n.0)),
            max_segment_overrides_allowed: body.max_segment_overrides_allowed.0.map(|n| n.map(|n| n.0)),
        }
    }
}

/// The projects the caller may see.
#[utoipa::path(get, path = "/api/v1/projects/", tag = "projects",
    params(("organisation" = Option<i64>, Query, description = "Only those of this organisation")),
    responses((status = 200, body = Vec<ProjectView>)))]
async fn list_projects(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
) -> ApiResult<Json<Vec<ProjectView>>> {
    let organisation = query.number("organisation");
    if organisation.is_none() && query.text("organisation").is_some_and(|text| !text.is_empty()) {
        let problem = serde_json::json!({ "organisation": "Must be a valid integer." });
        return Err(Error::Rejected(problem).into());
    }
    let mut tx = app.db().read().await?;
    let projects = projects::list(&mut tx, &caller, organisation).await?;
    Ok(Json(projects.into_iter().map(ProjectView::from).collect()))
}

/// Creates a project.
#[utoipa::path(post, path = "/api/v1/projects/", tag = "projects", request_body = WholeProjectBody,
    responses((status = 201, body = ProjectView)))]
async fn create_project(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<ProjectView>)> {
    let WholeProjectBody(input) = body.parse()?;
    let organisation = input.organisation.0.map_or(0, |pk| pk.0);
    let project = projects::create(&app, &caller, organisation, input.into()).await?;
    Ok((StatusCode::CREATED, Json(project.into())))
}

/// One project, with its limits.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/", tag = "projects",
    responses((status = 200, body = ProjectDetails)))]
async fn get_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<ProjectDetails>> {
    let mut tx = app.db().read().await?;
    let project = projects::get(&mut tx, &caller, id).await?;
    let usage = projects::usage(&mut tx, id).await?;
    Ok(Json(ProjectDetails {
        max_segments_allowed: project.max_segments_allowed,
        max_features_allowed: project.max_features_allowed,
        max_segment_overrides_allowed: project.max_segment_overrides_allowed,
        project: project.into(),
        total_features: usage.features,
        total_segments: usage.segments,
    }))
}

/// One project, by its uuid.
#[utoipa::path(get, path = "/api/v1/projects/get-by-uuid/{uuid}/", tag = "projects",
    responses((status = 200, body = ProjectView)))]
async fn get_project_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<ProjectView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(projects::get_by_uuid(&mut tx, &caller, &uuid).await?.into()))
}

/// Changes a project; what is not given stays.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/", tag = "projects", request_body = WholeProjectBody,
    responses((status = 200, body = ProjectView)))]
async fn update_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<ProjectView>> {
    let WholeProjectBody(input) = body.parse()?;
    Ok(Json(
        projects::update(&app, &caller, id, input.into()).await?.into(),
    ))
}

/// Changes single fields of a project.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/", tag = "projects", request_body = ProjectBody,
    responses((status = 200, body = ProjectView)))]
async fn patch_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<ProjectView>> {
    let input: ProjectBody = body.parse()?;
    Ok(Json(
        projects::update(&app, &caller, id, input.into()).await?.into(),
    ))
}

/// Deletes a project with all that is in it.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/", tag = "projects", responses((status = 204)))]
async fn delete_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    projects::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Moves a project to another store of identities. There is none here, so this is always refused, as by a reference
/// without one.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/migrate-to-edge/", tag = "projects",
    responses((status = 400, description = "There is nowhere to move to")))]
async fn migrate_project_to_edge(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    projects::require_admin(&app, &caller, id).await?;
    Err(no_edge().into())
}
