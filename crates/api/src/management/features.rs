//! `/api/v1/projects/{project_id}/features/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::feature_lifecycle::Stage;
use burgee_app::feature_list::{FeatureDetails, FeatureFilter};
use burgee_app::features::{FeatureEdit, NewFeature};
use burgee_app::{App, Error, feature_list, features};
use burgee_model::{Timestamp, limits};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code_references::RepositoryCountView;
use super::feature_options::NestedOptionBody;
use super::feature_values::{Ids, InitialValue, OptionView, Raw, SmallState};
use super::groups::GroupSummary;
use super::metadata::{self, MetadataBody, MetadataView};
use super::users::UserView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Given, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_features, create_feature))
        .routes(routes!(
            get_feature,
            update_feature,
            patch_feature,
            delete_feature
        ))
        .routes(routes!(get_feature_by_uuid))
}

/// A feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureView {
    pub id: i64,
    pub name: String,
    #[schema(value_type = FeatureType)]
    pub r#type: String,
    pub default_enabled: bool,
    pub initial_value: Option<String>,
    pub created_date: String,
    pub description: Option<String>,
    pub tags: Vec<i64>,
    pub multivariate_options: Vec<OptionView>,
    pub is_archived: bool,
    pub owners: Vec<UserView>,
    pub group_owners: Vec<GroupSummary>,
    pub uuid: String,
    pub project: i64,
    /// What it is in the environment that was asked for.
    pub environment_feature_state: Option<SmallState>,
    /// What it is for the segment that was asked for.
    pub segment_feature_state: Option<SmallState>,
    pub num_segment_overrides: i64,
    /// Nothing stands for none.
    pub num_identity_overrides: Option<i64>,
    /// Left out in the answer to PATCH.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub is_num_identity_overrides_complete: Option<bool>,
    pub is_server_key_only: bool,
    pub last_modified_in_any_environment: Option<String>,
    pub last_modified_in_current_environment: Option<String>,
    /// Left out in a look-up by uuid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub metadata: Option<Vec<MetadataView>>,
    /// Left out in a look-up by uuid and in the answer to POST.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code_references_counts: Option<Vec<RepositoryCountView>>,
    /// The stage of its life: where `lifecycle_stage` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<crate::words::FeatureLifecycleStage>)]
    pub lifecycle_stage: Option<&'static str>,
}

impl From<FeatureDetails> for FeatureView {
    fn from(details: FeatureDetails) -> Self {
        let feature = details.feature;
        Self {
            id: feature.id,
            name: feature.name,
            r#type: feature.r#type,
            default_enabled: feature.default_enabled,
            initial_value: feature.initial_value,
            created_date: Timestamp(feature.created_at).rest(),
            description: feature.description,
            tags: details.tags,
            multivariate_options: details.options.into_iter().map(OptionView::from).collect(),
            is_archived: feature.is_archived,
            owners: details.owners.into_iter().map(UserView::from).collect(),
            group_owners: details.group_owners.into_iter().map(GroupSummary::from).collect(),
            uuid: feature.uuid,
            project: feature.project_id,
            environment_feature_state: details.environment_state.map(SmallState::from),
            segment_feature_state: details.segment_state.map(SmallState::from),
            num_segment_overrides: details.segment_overrides,
            num_identity_overrides: Some(details.identity_overrides).filter(|count| *count > 0),
            is_num_identity_overrides_complete: Some(true),
            is_server_key_only: feature.is_server_key_only,
            last_modified_in_any_environment: None,
            last_modified_in_current_environment: None,
            metadata: Some(metadata::views(details.metadata)),
            code_references_counts: Some(details.code.into_iter().map(RepositoryCountView::from).collect()),
            lifecycle_stage: details.stage.map(Stage::as_str),
        }
    }
}

choices! {
    /// Whether a feature has variants.
    pub enum FeatureType {
        Standard = "STANDARD",
        Multivariate = "MULTIVARIATE",
    }
}

input! {
    /// A feature to be created.
    pub struct NewFeatureBody {
        pub name: Text<{ limits::FEATURE_NAME_LENGTH }>,
        pub r#type: Given<FeatureType>,
        pub default_enabled: Given<bool>,
        pub initial_value: Option<InitialValue>,
        pub description: Option<Raw<20_000>>,
        pub is_archived: Given<bool>,
        pub is_server_key_only: Given<bool>,
        pub tags: Given<Ids>,
        pub multivariate_options: Given<Vec<NestedOptionBody>>,
        pub owners: Given<Ids>,
        pub group_owners: Given<Ids>,
        pub metadata: Given<Vec<MetadataBody>>,
    }
}

impl From<NewFeatureBody> for NewFeature {
    fn from(body: NewFeatureBody) -> Self {
        let options = body.multivariate_options.0.unwrap_or_default();
        Self {
            name: body.name.0,
            kind: body.r#type.0.map(FeatureType::as_str),
            default_enabled: body.default_enabled.0.unwrap_or(false),
            initial_value: body.initial_value.map(|text| text.0),
            description: body.description.map(|text| text.0),
            is_archived: body.is_archived.0.unwrap_or(false),
            is_server_key_only: body.is_server_key_only.0.unwrap_or(false),
            tags: body.tags.0.map(|ids| ids.0).unwrap_or_default(),
            options: options.into_iter().map(Into::into).collect(),
            owners: body.owners.0.map(|ids| ids.0),
            group_owners: body.group_owners.0.map(|ids| ids.0).unwrap_or_default(),
            metadata: metadata::edits(body.metadata.0).unwrap_or_default(),
        }
    }
}

input! {
    /// What may change of a feature. Name, default and initial value stay, whatever is sent.
    pub struct FeatureBody {
        pub r#type: Given<FeatureType>,
        pub description: Given<Option<Raw<20_000>>>,
        pub is_archived: Given<bool>,
        pub is_server_key_only: Given<bool>,
        pub tags: Given<Ids>,
        pub metadata: Given<Vec<MetadataBody>>,
    }
}

impl From<FeatureBody> for FeatureEdit {
    fn from(body: FeatureBody) -> Self {
        Self {
            kind: body.r#type.0.map(FeatureType::as_str),
            description: body.description.0.map(|text| text.map(|text| text.0)),
            is_archived: body.is_archived.0,
            is_server_key_only: body.is_server_key_only.0,
            tags: body.tags.0.map(|ids| ids.0),
            metadata: metadata::edits(body.metadata.0),
            whole: false,
        }
    }
}

/// One of the words a parameter may hold; nothing when it is not given.
fn word<'a>(query: &'a Query, name: &str, words: &[&str]) -> ApiResult<Option<&'a str>> {
    match query.text(name) {
        Some(given) if !words.contains(&given) => {
            let text = format!("\"{given}\" is not a valid choice.");
            Err(ApiError(Error::field(name, text)))
        }
        given => Ok(given),
    }
}

/// A number in the query; text that is none is refused.
pub fn whole(query: &Query, name: &str) -> ApiResult<Option<i64>> {
    match query.text(name) {
        None => Ok(None),
        Some(text) => match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError(Error::field(name, "A valid integer is required."))),
        },
    }
}

/// A comma-separated list of ids; nothing when the parameter is not given.
fn ids(query: &Query, name: &str, what: &str) -> ApiResult<Option<Vec<i64>>> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    let parts = text.split(',').filter(|part| !part.trim().is_empty());
    let ids: Result<Vec<i64>, _> = parts.map(|part| part.trim().parse()).collect();
    ids.map(Some)
        .map_err(|_| ApiError(Error::field(name, format!("{what} IDs must be integers."))))
}

fn filter(query: &Query) -> ApiResult<FeatureFilter> {
    let filter = FeatureFilter {
        search: query.text("search").map(str::to_owned),
        by_name: word(query, "sort_field", &["created_date", "name"])? == Some("name"),
        descending: word(query, "sort_direction", &["ASC", "DESC"])? == Some("DESC"),
        tags: ids(query, "tags", "Tag")?,
        every_tag: word(query, "tag_strategy", &["UNION", "INTERSECTION"])? != Some("UNION"),
        is_archived: query.truth("is_archived"),
        kind: word(query, "type", &["STANDARD", "MULTIVARIATE"])?.map(str::to_owned),
        environment_id: whole(query, "environment")?,
        segment_id: whole(query, "segment")?,
        identity_id: whole(query, "identity")?,
        is_enabled: query.truth("is_enabled"),
        value_search: query.text("value_search").map(str::to_owned),
        owners: ids(query, "owners", "Owner")?.unwrap_or_default(),
        group_owners: ids(query, "group_owners", "Group owner")?.unwrap_or_default(),
        stage: word(query, "lifecycle_stage", &Stage::ALL.map(Stage::as_str))?.and_then(Stage::parse),
    };
    if filter.stage.is_some() && filter.environment_id.is_none() {
        return Err(ApiError(Error::field(
            "environment",
            "This field is required to filter by lifecycle_stage.",
        )));
    }
    let by_state = filter.is_enabled.is_some() || filter.value_search.is_some();
    if by_state && filter.environment_id.is_none() {
        let text = "Environment is required in order to filter by state search or by state enabled";
        return Err(ApiError(Error::Rejected(json!([text]))));
    }
    Ok(filter)
}

/// The features of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/", tag = "features",
    params(
        ("search" = Option<String>, Query, description = "A part of the name"),
        ("sort_field" = Option<String>, Query, description = "`created_date` or `name`"),
        ("sort_direction" = Option<String>, Query, description = "`ASC` or `DESC`"),
        ("tags" = Option<String>, Query, description = "Ids with commas between; empty for features without tags"),
        ("tag_strategy" = Option<String>, Query, description = "`INTERSECTION` or `UNION`"),
        ("is_archived" = Option<bool>, Query),
        ("type" = Option<String>, Query, description = "`STANDARD` or `MULTIVARIATE`"),
        ("environment" = Option<i64>, Query, description = "Adds what they are in this environment"),
        ("segment" = Option<i64>, Query, description = "Adds what they are for this segment"),
        ("identity" = Option<i64>, Query, description = "Those this identity overrides first"),
        ("is_enabled" = Option<bool>, Query, description = "Needs `environment`"),
        ("lifecycle_stage" = Option<String>, Query, description = "A stage of their life; needs `environment`"),
        ("value_search" = Option<String>, Query, description = "A part of the value; needs `environment`"),
        ("owners" = Option<String>, Query, description = "Ids of users with commas between"),
        ("group_owners" = Option<String>, Query, description = "Ids of groups with commas between"),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Page<FeatureView>)))]
async fn list_features(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<FeatureView>>> {
    let filter = filter(&query)?;
    let mut tx = app.db().read().await?;
    let rows = feature_list::list(&mut tx, &caller, project_id, &filter).await?;
    Ok(Json(paging.cut(rows)?.map(FeatureView::from)))
}

/// Creates a feature, with a state in every environment.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/", tag = "features",
    request_body = NewFeatureBody, responses((status = 201, body = FeatureView)))]
async fn create_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<FeatureView>)> {
    let input: NewFeatureBody = body.parse()?;
    let created = features::create(&app, &caller, project_id, input.into()).await?;
    let mut view = FeatureView::from(created);
    view.code_references_counts = None;
    Ok((StatusCode::CREATED, Json(view)))
}

/// One feature.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/", tag = "features",
    responses((status = 200, body = FeatureView)))]
async fn get_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<FeatureView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        feature_list::get(&mut tx, &caller, project_id, id).await?.into(),
    ))
}

/// One feature, by its uuid.
#[utoipa::path(get, path = "/api/v1/features/get-by-uuid/{uuid}/", tag = "features",
    responses((status = 200, body = FeatureView)))]
async fn get_feature_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<FeatureView>> {
    let mut tx = app.db().read().await?;
    let mut view = FeatureView::from(feature_list::get_by_uuid(&mut tx, &caller, &uuid).await?);
    view.metadata = None;
    view.code_references_counts = None;
    Ok(Json(view))
}

/// Changes a feature; what is not given stays.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/features/{feature_id}/", tag = "features",
    request_body = FeatureBody, responses((status = 200, body = FeatureView)))]
async fn update_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<FeatureView>> {
    let input: FeatureBody = body.parse()?;
    let edit = FeatureEdit {
        whole: true,
        ..input.into()
    };
    let updated = features::update(&app, &caller, project_id, id, edit).await?;
    Ok(Json(updated.into()))
}

/// Changes single fields of a feature.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/features/{feature_id}/", tag = "features",
    request_body = FeatureBody, responses((status = 200, body = FeatureView)))]
async fn patch_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<FeatureView>> {
    let input: FeatureBody = body.parse()?;
    let updated = features::update(&app, &caller, project_id, id, input.into()).await?;
    let mut view = FeatureView::from(updated);
    view.is_num_identity_overrides_complete = None;
    Ok(Json(view))
}

/// Deletes a feature with all its states.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/features/{feature_id}/", tag = "features",
    responses((status = 204)))]
async fn delete_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    features::delete(&app, &caller, project_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
