//! `/api/v1/projects/{project_id}/features/{feature_id}/mv-options/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::feature_options::OptionEdit;
use burgee_app::features::MultivariateOption;
use burgee_app::{App, feature_options};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::{Int32, OptionView, Percent, ValueText, ValueType};
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Field, Given, Pk, message};
use crate::input;
use crate::page::{Page, Paging};
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_options, create_option))
        .routes(routes!(get_option, update_option, patch_option, delete_option))
        .routes(routes!(get_option_by_uuid))
}

/// A multivariate option.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureOption {
    #[serde(flatten)]
    pub option: OptionView,
    pub feature: i64,
}

impl From<MultivariateOption> for FeatureOption {
    fn from(option: MultivariateOption) -> Self {
        Self {
            feature: option.feature_id,
            option: option.into(),
        }
    }
}

/// A word of letters, digits, hyphens and underscores, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(pub String);

impl Field for Slug {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = Blank::<255>::read(value)?.0;
        if text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        {
            return Ok(Self(text));
        }
        Err(message(
            "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.",
        ))
    }

    fn schema() -> RefOr<Schema> {
        Blank::<255>::schema()
    }
}

input! {
    /// An option inside a new feature.
    pub struct NestedOptionBody {
        pub r#type: Given<ValueType>,
        pub string_value: Given<Option<ValueText>>,
        pub integer_value: Given<Option<Int32>>,
        pub boolean_value: Given<Option<bool>>,
        pub default_percentage_allocation: Given<Percent>,
    }
}

impl From<NestedOptionBody> for OptionEdit {
    fn from(body: NestedOptionBody) -> Self {
        Self {
            kind: body.r#type.0.map(ValueType::as_str),
            string_value: body.string_value.0.map(|text| text.map(|text| text.0)),
            integer_value: body.integer_value.0.map(|number| number.map(|number| number.0)),
            boolean_value: body.boolean_value.0,
            default_percentage_allocation: body.default_percentage_allocation.0.map(|percent| percent.0),
            key: None,
        }
    }
}

input! {
    /// An option. `feature` must be the feature of the path.
    pub struct OptionBody {
        pub feature: Pk,
        pub r#type: Given<ValueType>,
        pub string_value: Given<Option<ValueText>>,
        pub integer_value: Given<Option<Int32>>,
        pub boolean_value: Given<Option<bool>>,
        pub default_percentage_allocation: Given<Percent>,
        pub key: Given<Option<Slug>>,
    }
}

impl From<OptionBody> for OptionEdit {
    fn from(body: OptionBody) -> Self {
        Self {
            kind: body.r#type.0.map(ValueType::as_str),
            string_value: body.string_value.0.map(|text| text.map(|text| text.0)),
            integer_value: body.integer_value.0.map(|number| number.map(|number| number.0)),
            boolean_value: body.boolean_value.0,
            default_percentage_allocation: body.default_percentage_allocation.0.map(|percent| percent.0),
            key: body.key.0.map(|key| key.map(|key| key.0)),
        }
    }
}

/// The options of a feature.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/", tag = "features",
    responses((status = 200, body = Page<FeatureOption>)))]
async fn list_options(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id)): Path<(i64, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<FeatureOption>>> {
    let mut tx = app.db().read().await?;
    let options = feature_options::list(&mut tx, &caller, project_id, feature_id).await?;
    Ok(Json(paging.cut(options)?.map(FeatureOption::from)))
}

/// Adds an option to a feature, which is multivariate from then on.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/", tag = "features",
    request_body = OptionBody, responses((status = 201, body = FeatureOption)))]
async fn create_option(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<FeatureOption>)> {
    let input: OptionBody = body.parse()?;
    let named = input.feature.0;
    let option = feature_options::create(&app, &caller, at, named, input.into()).await?;
    Ok((StatusCode::CREATED, Json(option.into())))
}

/// One option.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/",
    tag = "features", responses((status = 200, body = FeatureOption)))]
async fn get_option(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
) -> ApiResult<Json<FeatureOption>> {
    let mut tx = app.db().read().await?;
    let option = feature_options::get(&mut tx, &caller, (project_id, feature_id), id).await?;
    Ok(Json(option.into()))
}

/// One option, by its uuid.
#[utoipa::path(get, path = "/api/v1/multivariate/options/get-by-uuid/{uuid}/", tag = "features",
    responses((status = 200, body = FeatureOption)))]
async fn get_option_by_uuid(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(uuid): Path<String>,
) -> ApiResult<Json<FeatureOption>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        feature_options::get_by_uuid(&mut tx, &caller, &uuid)
            .await?
            .into(),
    ))
}

/// Changes an option; what is not given stays.
#[utoipa::path(put, path = "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/",
    tag = "features", request_body = OptionBody, responses((status = 200, body = FeatureOption)))]
async fn update_option(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<FeatureOption>> {
    let input: OptionBody = body.parse()?;
    let (at, named) = ((project_id, feature_id), input.feature.0);
    let option = feature_options::update(&app, &caller, at, id, named, input.into()).await?;
    Ok(Json(option.into()))
}

/// Changes single fields of an option; `feature` must be given all the same.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/",
    tag = "features", request_body = OptionBody, responses((status = 200, body = FeatureOption)))]
async fn patch_option(
    app: State<App>,
    caller: Signed,
    path: Path<(i64, i64, i64)>,
    body: Body,
) -> ApiResult<Json<FeatureOption>> {
    update_option(app, caller, path, body).await
}

/// Deletes an option with its allocations.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/",
    tag = "features", responses((status = 204)))]
async fn delete_option(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, feature_id, id)): Path<(i64, i64, i64)>,
) -> ApiResult<StatusCode> {
    feature_options::delete(&app, &caller, (project_id, feature_id), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
