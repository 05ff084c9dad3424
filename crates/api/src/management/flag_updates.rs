//! `/api/experiments/environments/{key}/…` and `/api/__future__/environments/{key}/features/{id}/`: whole flags.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::feature_states::{StateDetails, StateEdit, ValueEdit, Weight};
use burgee_app::flag_updates::{FeatureName, Flag, FlagEdit, OverrideEdit};
use burgee_app::segment_overrides::Override;
use burgee_app::{App, flag_updates};
use burgee_model::FlagValue;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::{Percent, ValueText, WeightBody, weights};
use super::segment_overrides::Priority;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Field, Given, Pk, Text, object_schema};
use crate::params::Path;
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(update_flag_v1))
        .routes(routes!(update_flag_v2))
        .routes(routes!(delete_named_override))
        .routes(routes!(get_flag, put_flag, patch_flag))
        .routes(routes!(delete_flag_override))
}

choices! {
    /// The type of a value.
    pub enum FlagValueType {
        Integer = "integer",
        Text = "string",
        Boolean = "boolean",
    }
}

input! {
    /// A value as text, with its type.
    pub struct FlagValueText {
        pub r#type: FlagValueType,
        pub value: ValueText,
    }
}

/// A value that was given as text and a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadValue(pub FlagValue);

impl Field for ReadValue {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let given = FlagValueText::read(value)?;
        let text = given.value.0;
        let read = match given.r#type {
            FlagValueType::Text => Some(FlagValue::Text(text.clone())),
            FlagValueType::Integer => text.trim().parse::<i32>().ok().map(|n| FlagValue::Int(n.into())),
            FlagValueType::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" => Some(FlagValue::Bool(true)),
                "false" => Some(FlagValue::Bool(false)),
                _ => None,
            },
        };
        let kind = given.r#type.as_str();
        let wrong = || json!({ "non_field_errors": [format!("'{text}' is not a valid {kind}")] });
        read.map(Self).ok_or_else(wrong)
    }

    fn schema() -> RefOr<Schema> {
        <FlagValueText as Field>::schema()
    }
}

/// A feature by its name or by its id.
#[derive(Debug, Clone)]
pub struct FeatureRef(pub FeatureName);

input! {
    /// A feature by its name or by its id, one of them.
    pub struct FeatureRefBody {
        pub name: Given<Text<2000>>,
        pub id: Given<Pk>,
    }
}

impl Field for FeatureRef {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let given = FeatureRefBody::read(value)?;
        match (given.id.0, given.name.0) {
            (Some(id), None) => Ok(Self(FeatureName::Id(id.0))),
            (None, Some(name)) => Ok(Self(FeatureName::Name(name.0))),
            _ => Err(
                json!({ "non_field_errors": ["Either 'name' or 'id' is required, and only one of them."] }),
            ),
        }
    }

    fn schema() -> RefOr<Schema> {
        object_schema(vec![
            ("name", Text::<2000>::schema(), false),
            ("id", Pk::schema(), false),
        ])
    }
}

input! {
    /// A segment, and the rank of its override.
    pub struct SegmentRef {
        pub id: Pk,
        pub priority: Given<Option<Priority>>,
    }
}

input! {
    /// What a flag is to be, for everyone or for one segment.
    pub struct FlagV1 {
        pub feature: FeatureRef,
        pub segment: Option<SegmentRef>,
        pub enabled: bool,
        pub value: ReadValue,
    }
}

/// Sets the environment default of a flag, or one of its segment overrides.
#[utoipa::path(post, path = "/api/experiments/environments/{environment_key}/update-flag-v1/", tag = "flags",
    request_body = FlagV1, responses((status = 204)))]
async fn update_flag_v1(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<StatusCode> {
    let input: FlagV1 = body.parse()?;
    let edit = state(Some(input.enabled), Some(input.value.0), None);
    let edit = match input.segment {
        None => FlagEdit {
            default: Some(edit),
            ..FlagEdit::default()
        },
        Some(segment) => FlagEdit {
            overrides: vec![OverrideEdit {
                segment_id: segment.id.0,
                priority: segment.priority.0.flatten().map(|priority| priority.0),
                edit,
            }],
            ..FlagEdit::default()
        },
    };
    flag_updates::update_named(&app, &caller, &key, &input.feature.0, edit).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn state(enabled: Option<bool>, value: Option<FlagValue>, weights: Option<Vec<Weight>>) -> StateEdit {
    StateEdit {
        enabled,
        value: value.map(ValueEdit::from),
        weights,
    }
}

input! {
    /// What a flag is to be for everyone.
    pub struct DefaultV2 {
        pub enabled: bool,
        pub value: ReadValue,
    }
}

input! {
    /// What a flag is to be for a segment.
    pub struct OverrideV2 {
        pub segment_id: Pk,
        pub priority: Given<Option<Priority>>,
        pub enabled: bool,
        pub value: ReadValue,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
    }
}

input! {
    /// What a flag is to be.
    pub struct FlagV2 {
        pub feature: FeatureRef,
        pub environment_default: DefaultV2,
        pub segment_overrides: Given<Vec<OverrideV2>>,
    }
}

/// Sets the environment default and segment overrides of a flag, all or none. Others stay.
#[utoipa::path(post, path = "/api/experiments/environments/{environment_key}/update-flag-v2/", tag = "flags",
    request_body = FlagV2, responses((status = 204)))]
async fn update_flag_v2(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<StatusCode> {
    let input: FlagV2 = body.parse()?;
    let default = input.environment_default;
    let overrides = input.segment_overrides.0.unwrap_or_default().into_iter();
    let overrides = overrides.map(|wanted| OverrideEdit {
        segment_id: wanted.segment_id.0,
        priority: wanted.priority.0.flatten().map(|priority| priority.0),
        edit: state(
            Some(wanted.enabled),
            Some(wanted.value.0),
            weights(wanted.multivariate_feature_state_values),
        ),
    });
    let edit = FlagEdit {
        default: Some(state(Some(default.enabled), Some(default.value.0), None)),
        overrides: overrides.collect(),
        replace: false,
    };
    flag_updates::update_named(&app, &caller, &key, &input.feature.0, edit).await?;
    Ok(StatusCode::NO_CONTENT)
}

input! {
    /// A segment by its id.
    pub struct SegmentId {
        pub id: Pk,
    }
}

input! {
    /// The segment override of a feature.
    pub struct NamedOverride {
        pub feature: FeatureRef,
        pub segment: SegmentId,
    }
}

/// Deletes a segment override.
#[utoipa::path(post, path = "/api/experiments/environments/{environment_key}/delete-segment-override/",
    tag = "flags", request_body = NamedOverride, responses((status = 204)))]
async fn delete_named_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<StatusCode> {
    let input: NamedOverride = body.parse()?;
    let segment = input.segment.id.0;
    flag_updates::delete_named_override(&app, &caller, &key, &input.feature.0, segment).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A value as text, with its type.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagValueView {
    #[schema(value_type = FlagValueType)]
    pub r#type: &'static str,
    pub value: String,
}

fn value_view(value: FlagValue) -> Option<FlagValueView> {
    let (kind, value) = match value {
        FlagValue::Null => return None,
        FlagValue::Bool(truth) => ("boolean", truth.to_string()),
        FlagValue::Int(number) => ("integer", number.to_string()),
        FlagValue::Text(text) => ("string", text),
    };
    Some(FlagValueView { r#type: kind, value })
}

/// The share of the traffic that an option gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct VariantView {
    pub id: i64,
    pub weight: f64,
}

/// What a flag is for everyone.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagDefaultView {
    pub enabled: bool,
    pub value: Option<FlagValueView>,
    pub variants: Vec<VariantView>,
}

impl From<StateDetails> for FlagDefaultView {
    fn from(details: StateDetails) -> Self {
        let variants = details.options.iter().map(|option| VariantView {
            id: option.option_id,
            weight: option.percentage_allocation,
        });
        Self {
            enabled: details.state.enabled,
            value: value_view(details.state.value()),
            variants: variants.collect(),
        }
    }
}

/// A segment by its id.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentIdView {
    pub id: i64,
}

/// What a flag is for a segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagOverrideView {
    pub segment: SegmentIdView,
    pub priority: i64,
    #[serde(flatten)]
    pub state: FlagDefaultView,
}

impl From<Override> for FlagOverrideView {
    fn from(found: Override) -> Self {
        Self {
            segment: SegmentIdView {
                id: found.link.segment_id,
            },
            priority: found.link.priority,
            state: found.state.into(),
        }
    }
}

/// A flag of an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagView {
    pub environment_default: FlagDefaultView,
    pub segment_overrides: Vec<FlagOverrideView>,
}

impl From<Flag> for FlagView {
    fn from(flag: Flag) -> Self {
        Self {
            environment_default: flag.default.into(),
            segment_overrides: flag.overrides.into_iter().map(FlagOverrideView::from).collect(),
        }
    }
}

input! {
    /// The share of the traffic that an option is to get.
    pub struct VariantBody {
        pub id: Pk,
        pub weight: Percent,
    }
}

input! {
    /// What a flag is to be for everyone.
    pub struct FlagDefaultBody {
        pub enabled: Given<bool>,
        pub value: Given<ReadValue>,
        pub variants: Given<Vec<VariantBody>>,
    }
}

input! {
    /// What a flag is to be for a segment.
    pub struct FlagOverrideBody {
        pub segment: SegmentId,
        pub enabled: Given<bool>,
        pub priority: Given<Option<Priority>>,
        pub value: Given<ReadValue>,
        pub variants: Given<Vec<VariantBody>>,
    }
}

input! {
    /// What a flag is to be. What is not given stays.
    pub struct FlagBody {
        pub environment_default: Given<FlagDefaultBody>,
        pub segment_overrides: Given<Vec<FlagOverrideBody>>,
    }
}

fn variants(bodies: Given<Vec<VariantBody>>) -> Option<Vec<Weight>> {
    let weights = bodies.0?.into_iter().map(|body| Weight {
        option_id: body.id.0,
        percentage: body.weight.0,
    });
    Some(weights.collect())
}

impl FlagBody {
    fn edit(self, replace: bool) -> FlagEdit {
        let replace = replace && self.segment_overrides.0.is_some();
        let default = self.environment_default.0.map(|default| {
            let value = default.value.0.map(|value| value.0);
            state(default.enabled.0, value, variants(default.variants))
        });
        let overrides = self.segment_overrides.0.unwrap_or_default().into_iter();
        let overrides = overrides.map(|wanted| OverrideEdit {
            segment_id: wanted.segment.id.0,
            priority: wanted.priority.0.flatten().map(|priority| priority.0),
            edit: state(
                wanted.enabled.0,
                wanted.value.0.map(|value| value.0),
                variants(wanted.variants),
            ),
        });
        FlagEdit {
            default,
            overrides: overrides.collect(),
            replace,
        }
    }
}

/// A flag of an environment.
#[utoipa::path(get, path = "/api/__future__/environments/{environment_key}/features/{feature_id}/", tag = "flags",
    responses((status = 200, body = FlagView)))]
async fn get_flag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, feature)): Path<(String, i64)>,
) -> ApiResult<Json<FlagView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        flag_updates::get(&mut tx, &caller, &key, feature).await?.into(),
    ))
}

/// Sets a flag, all or nothing; segment overrides that are not listed go.
#[utoipa::path(put, path = "/api/__future__/environments/{environment_key}/features/{feature_id}/", tag = "flags",
    request_body = FlagBody, responses((status = 200, body = FlagView)))]
async fn put_flag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, feature)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<FlagView>> {
    let input: FlagBody = body.parse()?;
    let flag = flag_updates::update(&app, &caller, &key, feature, input.edit(true)).await?;
    Ok(Json(flag.into()))
}

/// Changes a flag, all or nothing; segment overrides that are not listed stay.
#[utoipa::path(patch, path = "/api/__future__/environments/{environment_key}/features/{feature_id}/", tag = "flags",
    request_body = FlagBody, responses((status = 200, body = FlagView)))]
async fn patch_flag(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, feature)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<FlagView>> {
    let input: FlagBody = body.parse()?;
    let flag = flag_updates::update(&app, &caller, &key, feature, input.edit(false)).await?;
    Ok(Json(flag.into()))
}

/// Deletes a segment override.
#[utoipa::path(delete, tag = "flags",
    path = "/api/__future__/environments/{environment_key}/features/{feature_id}/segment-overrides/{segment_id}/",
    responses((status = 200, body = FlagView)))]
async fn delete_flag_override(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, feature, segment)): Path<(String, i64, i64)>,
) -> ApiResult<Json<FlagView>> {
    let flag = flag_updates::delete_override(&app, &caller, &key, feature, segment).await?;
    Ok(Json(flag.into()))
}
