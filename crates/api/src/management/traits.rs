//! `/api/v1/environments/{key}/identities/{id}/traits/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::identities::{TraitEdit, TraitKind};
use burgee_app::{App, Caller, identities};
use burgee_model::traits::{StoredTrait, TraitValue};
use burgee_model::{Timestamp, limits};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, Text};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_traits, create_trait))
        .routes(routes!(get_trait, update_trait, patch_trait, delete_trait))
}

/// A trait of an identity; the value is in the field that `value_type` names.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraitView {
    pub id: i64,
    pub trait_key: String,
    #[schema(value_type = TraitValueType)]
    pub value_type: &'static str,
    pub integer_value: Option<i64>,
    pub string_value: Option<String>,
    pub boolean_value: Option<bool>,
    pub float_value: Option<f64>,
    pub created_date: String,
}

impl TraitView {
    fn new(identity_id: i64, stored: &StoredTrait) -> Self {
        let mut view = Self {
            id: stored.id(identity_id),
            trait_key: stored.key().to_owned(),
            value_type: stored.value().type_name(),
            integer_value: None,
            string_value: None,
            boolean_value: None,
            float_value: None,
            created_date: Timestamp(stored.created_at()).rest(),
        };
        match stored.value() {
            TraitValue::Bool(truth) => view.boolean_value = Some(*truth),
            TraitValue::Int(number) => view.integer_value = Some(*number),
            TraitValue::Float(number) => view.float_value = Some(*number),
            TraitValue::Text(text) => view.string_value = Some(text.clone()),
        }
        view
    }
}

choices! {
    /// The type of a trait's value.
    pub enum TraitValueType { Integer = "int", Text = "unicode", Truth = "bool", Float = "float" }
}

impl From<TraitValueType> for TraitKind {
    fn from(kind: TraitValueType) -> Self {
        match kind {
            TraitValueType::Integer => Self::Integer,
            TraitValueType::Text => Self::Text,
            TraitValueType::Truth => Self::Truth,
            TraitValueType::Float => Self::Float,
        }
    }
}

input! {
    /// A trait; the value is taken from the field that `value_type` (text unless given) names.
    pub struct TraitBody {
        pub trait_key: Given<Text<{ limits::TRAIT_KEY_LENGTH }>>,
        pub value_type: Given<TraitValueType>,
        pub integer_value: Option<i64>,
        pub string_value: Option<Blank<{ limits::TRAIT_VALUE_LENGTH }>>,
        pub boolean_value: Option<bool>,
        pub float_value: Option<f64>,
    }
}

required! {
    /// A trait to write anew.
    pub struct WholeTraitBody(TraitBody) with trait_key;
}

impl From<TraitBody> for TraitEdit {
    fn from(body: TraitBody) -> Self {
        Self {
            key: body.trait_key.0.map(|text| text.0),
            kind: body.value_type.0.map(TraitKind::from),
            integer: body.integer_value,
            text: body.string_value.map(|text| text.0),
            truth: body.boolean_value,
            float: body.float_value,
        }
    }
}

/// The traits of an identity.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/",
    tag = "identities", responses((status = 200, body = Page<TraitView>)))]
async fn list_traits(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity_id)): Path<(String, i64)>,
    paging: Paging,
) -> ApiResult<Json<Page<TraitView>>> {
    let mut tx = app.db().read().await?;
    let identity = identities::get(&mut tx, &caller, &key, identity_id).await?;
    let views = identity
        .traits
        .iter()
        .map(|stored| TraitView::new(identity_id, stored));
    Ok(Json(paging.cut(views.collect())?))
}

/// Gives an identity a further trait.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/",
    tag = "identities", request_body = WholeTraitBody, responses((status = 201, body = TraitView)))]
async fn create_trait(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity_id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<(StatusCode, Json<TraitView>)> {
    identities::require_manage(&app, &caller, &key).await?;
    let WholeTraitBody(input) = body.parse()?;
    let stored = identities::create_trait(&app, &caller, &key, identity_id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(TraitView::new(identity_id, &stored))))
}

/// One trait.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{id}/",
    tag = "identities", responses((status = 200, body = TraitView)))]
async fn get_trait(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity_id, id)): Path<(String, i64, i64)>,
) -> ApiResult<Json<TraitView>> {
    let mut tx = app.db().read().await?;
    let stored = identities::get_trait(&mut tx, &caller, &key, identity_id, id).await?;
    Ok(Json(TraitView::new(identity_id, &stored)))
}

/// Changes a trait; what is not given stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{id}/",
    tag = "identities", request_body = WholeTraitBody, responses((status = 200, body = TraitView)))]
async fn update_trait(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(place): Path<(String, i64, i64)>,
    body: Body,
) -> ApiResult<Json<TraitView>> {
    change_trait(&app, &caller, place, &body, true).await
}

/// Changes single fields of a trait.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{id}/",
    tag = "identities", request_body = TraitBody, responses((status = 200, body = TraitView)))]
async fn patch_trait(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(place): Path<(String, i64, i64)>,
    body: Body,
) -> ApiResult<Json<TraitView>> {
    change_trait(&app, &caller, place, &body, false).await
}

async fn change_trait(
    app: &App,
    caller: &Caller,
    (key, identity_id, id): (String, i64, i64),
    body: &Body,
    whole: bool,
) -> ApiResult<Json<TraitView>> {
    identities::require_manage(app, caller, &key).await?;
    let input = if whole {
        body.parse::<WholeTraitBody>()?.0
    } else {
        body.parse()?
    };
    let stored = identities::update_trait(app, caller, &key, identity_id, id, input.into()).await?;
    Ok(Json(TraitView::new(identity_id, &stored)))
}

/// Deletes a trait.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{id}/",
    tag = "identities",
    params(("deleteAllMatchingTraits" = Option<bool>, Query, description = "From every identity of the environment")),
    responses((status = 204)))]
async fn delete_trait(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, identity_id, id)): Path<(String, i64, i64)>,
    query: Query,
) -> ApiResult<StatusCode> {
    let everywhere = query.truth("deleteAllMatchingTraits") == Some(true);
    identities::delete_trait(&app, &caller, &key, identity_id, id, everywhere).await?;
    Ok(StatusCode::NO_CONTENT)
}
