//! `/api/v1/environments/{key}/edge-identities/`: identities for clients that speak the "edge" set of operations

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_app::edge_identities::EdgeIdentity;
use burgee_app::{App, Error, edge_identities};
use burgee_model::permissions::EnvironmentPermission;
use burgee_model::traits::{StoredTrait, TraitValue};
use burgee_model::{keys, limits};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Given, OrNull, Text};
use crate::params::{Path, Query};
use crate::{input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_edge_identities, create_edge_identity))
        .routes(routes!(
            get_edge_identity,
            update_edge_identity,
            patch_edge_identity,
            delete_edge_identity
        ))
        .routes(routes!(list_edge_identity_traits))
        .routes(routes!(update_edge_identity_trait))
}

/// Identities on a page, unless said otherwise.
const PAGE: i64 = 100;

/// An identity.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeIdentityView {
    pub identity_uuid: String,
    pub identifier: String,
    pub dashboard_alias: Option<String>,
}

impl From<EdgeIdentity> for EdgeIdentityView {
    fn from(identity: EdgeIdentity) -> Self {
        Self {
            identity_uuid: keys::identity_uuid(identity.id).to_string(),
            identifier: identity.identifier,
            dashboard_alias: identity.dashboard_alias,
        }
    }
}

/// Some identities.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeIdentityPage {
    pub results: Vec<EdgeIdentityView>,
    /// To be given back for what follows; null at the end.
    pub last_evaluated_key: Option<String>,
}

/// The id after which a page begins. The key is opaque to clients: base64 of JSON.
fn after(query: &Query) -> Result<i64, Error> {
    let wrong = || Error::field("last_evaluated_key", "This key can't be read.");
    let Some(key) = query.text("last_evaluated_key") else {
        return Ok(0);
    };
    let bytes = STANDARD.decode(key).map_err(|_| wrong())?;
    let key: Value = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    key["id"].as_i64().ok_or_else(wrong)
}

input! {
    /// What can be chosen of an identity.
    pub struct EdgeIdentityBody {
        pub identifier: Given<Text<{ limits::IDENTIFIER_LENGTH }>>,
        pub dashboard_alias: Given<Option<Blank<100>>>,
    }
}

required! {
    /// An identity to make.
    pub struct WholeEdgeIdentityBody(EdgeIdentityBody) with identifier;
}

impl EdgeIdentityBody {
    #[expect(clippy::option_option, reason = "not given, or given as nothing")]
    fn alias(&self) -> Option<Option<String>> {
        let alias = self.dashboard_alias.0.as_ref();
        alias.map(|alias| alias.as_ref().map(|text| text.0.clone()))
    }
}

input! {
    /// A trait; null deletes it.
    pub struct EdgeTraitBody {
        pub trait_key: Text<{ limits::TRAIT_KEY_LENGTH }>,
        pub trait_value: OrNull<Value>,
    }
}

/// A trait.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeTraitView {
    pub trait_key: String,
    /// Text, a number, a boolean or null.
    pub trait_value: Value,
}

impl From<StoredTrait> for EdgeTraitView {
    fn from(stored: StoredTrait) -> Self {
        Self {
            trait_key: stored.key().to_owned(),
            trait_value: json!(stored.value()),
        }
    }
}

fn trait_value(value: &Value) -> Result<TraitValue, Error> {
    let wrong = |text: &str| Error::field("trait_value", text);
    match value {
        Value::Bool(truth) => Ok(TraitValue::Bool(*truth)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(TraitValue::Int(whole)),
            (None, Some(float)) if number.is_f64() => Ok(TraitValue::Float(float)),
            _ => Err(wrong("Integers must fit into 64 bits.")),
        },
        Value::String(text) if text.contains('\0') => Err(wrong("Null characters are not allowed.")),
        Value::String(text) if text.chars().count() > limits::TRAIT_VALUE_LENGTH => Err(wrong(&format!(
            "Value string is too long. Must be less than {} character",
            limits::TRAIT_VALUE_LENGTH
        ))),
        Value::String(text) => Ok(TraitValue::Text(text.clone())),
        _ => Err(wrong("Must be text, a number, a boolean or null.")),
    }
}

/// The identities of an environment, in pages that follow each other by key.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/edge-identities/", tag = "identities",
    params(
        ("q" = Option<String>, Query, description = "How the identifier begins; in double quotes, all of it; after \
            `dashboard_alias:` the same of the alias"),
        ("page_size" = Option<i64>, Query), ("last_evaluated_key" = Option<String>, Query)),
    responses((status = 200, body = EdgeIdentityPage)))]
async fn list_edge_identities(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    query: Query,
) -> ApiResult<Json<EdgeIdentityPage>> {
    edge_identities::require(&app, &caller, &key, EnvironmentPermission::ViewIdentities).await?;
    let size = query.number("page_size").filter(|size| *size > 0).unwrap_or(PAGE);
    let rows = (after(&query)?, size.min(limits::PAGE_SIZE));
    let mut tx = app.db().read().await?;
    let (found, more) = edge_identities::list(&app, &mut tx, &caller, &key, query.text("q"), rows).await?;
    let last = found.last().filter(|_| more).map(|identity| identity.id);
    Ok(Json(EdgeIdentityPage {
        results: found.into_iter().map(EdgeIdentityView::from).collect(),
        last_evaluated_key: last.map(|id| STANDARD.encode(json!({ "id": id }).to_string())),
    }))
}

/// Creates an identity.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/edge-identities/", tag = "identities",
    request_body = WholeEdgeIdentityBody, responses((status = 201, body = EdgeIdentityView)))]
async fn create_edge_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<EdgeIdentityView>)> {
    edge_identities::require(&app, &caller, &key, EnvironmentPermission::ManageIdentities).await?;
    let WholeEdgeIdentityBody(input) = body.parse()?;
    let alias = input.alias().flatten();
    let identifier = input.identifier.0.map(|text| text.0).unwrap_or_default();
    let created = edge_identities::create(&app, &caller, &key, identifier, alias).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// One identity.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/",
    tag = "identities", responses((status = 200, body = EdgeIdentityView)))]
async fn get_edge_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
) -> ApiResult<Json<EdgeIdentityView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        edge_identities::get(&mut tx, &caller, &key, &uuid).await?.into(),
    ))
}

/// Changes what dashboards call an identity; its identifier stays.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/",
    tag = "identities", request_body = EdgeIdentityBody, responses((status = 200, body = EdgeIdentityView)))]
async fn update_edge_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
    body: Body,
) -> ApiResult<Json<EdgeIdentityView>> {
    change(&app, &caller, (&key, &uuid), &body).await
}

/// Changes what dashboards call an identity, if that is given.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/",
    tag = "identities", request_body = EdgeIdentityBody, responses((status = 200, body = EdgeIdentityView)))]
async fn patch_edge_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
    body: Body,
) -> ApiResult<Json<EdgeIdentityView>> {
    change(&app, &caller, (&key, &uuid), &body).await
}

async fn change(
    app: &App,
    caller: &burgee_app::Caller,
    (key, uuid): (&str, &str),
    body: &Body,
) -> ApiResult<Json<EdgeIdentityView>> {
    edge_identities::require(app, caller, key, EnvironmentPermission::ManageIdentities).await?;
    let input: EdgeIdentityBody = body.parse()?;
    let changed = edge_identities::update(app, caller, key, uuid, input.alias()).await?;
    Ok(Json(changed.into()))
}

/// Deletes an identity with its traits and overrides.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/",
    tag = "identities", responses((status = 204)))]
async fn delete_edge_identity(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    edge_identities::delete(&app, &caller, &key, &uuid).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The traits of an identity.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/list-traits/",
    tag = "identities", responses((status = 200, body = Vec<EdgeTraitView>)))]
async fn list_edge_identity_traits(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
) -> ApiResult<Json<Vec<EdgeTraitView>>> {
    let mut tx = app.db().read().await?;
    let traits = edge_identities::traits(&mut tx, &caller, &key, &uuid).await?;
    Ok(Json(traits.into_iter().map(EdgeTraitView::from).collect()))
}

/// Sets a trait of an identity; null deletes it.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/update-traits/",
    tag = "identities", request_body = EdgeTraitBody, responses((status = 200, body = EdgeTraitView)))]
async fn update_edge_identity_trait(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, uuid)): Path<(String, String)>,
    body: Body,
) -> ApiResult<Json<EdgeTraitView>> {
    edge_identities::require(&app, &caller, &key, EnvironmentPermission::ManageIdentities).await?;
    let input: EdgeTraitBody = body.parse()?;
    let (trait_key, given) = (input.trait_key.0, input.trait_value.0);
    let value = given.as_ref().map(trait_value).transpose()?;
    edge_identities::set_trait(&app, &caller, &key, &uuid, &trait_key, value).await?;
    Ok(Json(EdgeTraitView {
        trait_key,
        trait_value: given.unwrap_or_default(),
    }))
}
