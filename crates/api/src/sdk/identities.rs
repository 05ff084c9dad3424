//! `/api/v1/identities/`: the flags of an identity, and its traits.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::integrations::identities as integrations;
use burgee_app::pii::Entrance;
use burgee_app::sdk::identities::{self, Identified, IdentifyInput, TraitInput};
use burgee_app::sdk::{bulk, evaluation};
use burgee_app::served::Resource;
use burgee_model::{Problems, limits};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::flags::{feature_not_found, user_agent};
use super::key::{self, EnvironmentKey};
use super::shapes::{IdentityAnswer, LegacyIdentity, Nothing};
use super::traits::{TraitText, check_allowed};
use crate::body::Body;
use crate::error::{ApiError, detail};
use crate::fields::{Blank, Field, Given, OrNull};
use crate::input;
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_identity_flags, identify))
        .routes(routes!(get_identity_by_path))
        .routes(routes!(bulk_identify, bulk_update_identities))
}

input! {
    /// A trait of the identity.
    pub struct IdentifyTrait {
        pub trait_key: crate::fields::Text<{ limits::TRAIT_KEY_LENGTH }>,
        pub trait_value: OrNull<TraitText>,
        pub transient: Given<bool>,
    }
}

/// Identifiers are text; the identity is anonymous without one. Numbers are taken as their text.
#[derive(Debug, Clone)]
pub struct Identifier(pub Option<String>);

impl Field for Identifier {
    const REQUIRED: bool = false;

    fn read(value: Option<&Value>) -> Result<Self, Value> {
        match value {
            None | Some(Value::Null) => Ok(Self(None)),
            value => Blank::<{ limits::IDENTIFIER_LENGTH }>::read(value)
                .map(|t| Self(Some(t.0).filter(|t| !t.is_empty()))),
        }
    }

    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Blank::<{ limits::IDENTIFIER_LENGTH }>::schema()
    }
}

input! {
    /// Who asks, and what is said of him.
    pub struct IdentifyBody {
        pub identifier: Identifier,
        pub traits: Given<Vec<IdentifyTrait>>,
        pub transient: Given<bool>,
    }
}

impl From<IdentifyBody> for IdentifyInput {
    fn from(body: IdentifyBody) -> Self {
        Self {
            identifier: body.identifier.0,
            traits: body
                .traits
                .0
                .unwrap_or_default()
                .into_iter()
                .map(TraitInput::from)
                .collect(),
            transient: body.transient.0.unwrap_or_default(),
        }
    }
}

impl From<IdentifyTrait> for TraitInput {
    fn from(body: IdentifyTrait) -> Self {
        Self {
            key: body.trait_key.0,
            value: body.trait_value.0.map(|t| t.0),
            transient: body.transient.0.unwrap_or_default(),
        }
    }
}

/// The flags of an identity, which is created when it is not there.
#[utoipa::path(get, path = "/api/v1/identities/", tag = "sdk",
    params(
        ("identifier" = String, Query, description = "Who asks"),
        ("transient" = Option<String>, Query, description = "Anything: nothing is stored and nothing stored is used"),
        ("feature" = Option<String>, Query, description = "Only this feature"),
    ),
    responses((status = 200, body = IdentityAnswer), (status = 404, description = "No such feature")))]
async fn get_identity_flags(
    State(app): State<App>,
    key: EnvironmentKey,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    let identifier = query.get("identifier").map(str::trim).unwrap_or_default();
    if identifier.is_empty() {
        // As the reference does: a 200 that old clients expect.
        return Ok(key::keyed(detail(StatusCode::OK, "Missing identifier")));
    }
    let identifier = check_identifier(identifier)?;
    key.served.count(Resource::Identities);
    evaluation::note_first(&app, &key.served, user_agent(&headers));
    let identity = if query.text("transient").is_some() {
        identities::unknown(identifier)
    } else {
        identities::get_or_create(&app, &key.served, identifier).await?
    };
    integrations::note(&app, &key.snapshot(), &identity);
    Ok(answer(&key, &identity, query.get("feature")))
}

/// Identifies: stores traits, answers with traits and flags.
#[utoipa::path(post, path = "/api/v1/identities/", tag = "sdk", request_body = IdentifyBody,
    params(("feature" = Option<String>, Query, description = "Only this feature")),
    responses((status = 200, body = IdentityAnswer), (status = 404, description = "No such feature")))]
async fn identify(
    State(app): State<App>,
    key: EnvironmentKey,
    headers: HeaderMap,
    query: Query,
    body: Body,
) -> Result<Response, ApiError> {
    let input: IdentifyBody = body.parse()?;
    key.served.count(Resource::Identities);
    evaluation::note_first(&app, &key.served, user_agent(&headers));
    let identity = identities::identify(&app, &key.served, key.server, input.into()).await?;
    integrations::note(&app, &key.snapshot(), &identity);
    Ok(answer(&key, &identity, query.get("feature")))
}

fn answer(key: &EnvironmentKey, identity: &Identified, feature: Option<&str>) -> Response {
    let snapshot = key.snapshot();
    let response = match feature {
        None => key::json(
            StatusCode::OK,
            evaluation::identity_answer(&snapshot, identity, key.server),
        ),
        Some(name) => match evaluation::flag(&snapshot, identity, key.server, name) {
            Some(body) => key::json(StatusCode::OK, body),
            None => feature_not_found(),
        },
    };
    key::versioned(response, &snapshot)
}

/// The same for an identifier in the path, as first-generation clients ask.
#[utoipa::path(get, path = "/api/v1/identities/{identifier}/", tag = "sdk",
    responses((status = 200, body = LegacyIdentity)))]
async fn get_identity_by_path(
    State(app): State<App>,
    key: EnvironmentKey,
    Path(identifier): Path<String>,
) -> Result<Response, ApiError> {
    let identifier = check_identifier(&identifier)?;
    key.served.count(Resource::Identities);
    let identity = identities::get_or_create(&app, &key.served, identifier).await?;
    let snapshot = key.snapshot();
    Ok(key::keyed(key::json(
        StatusCode::OK,
        evaluation::legacy_identity_answer(&snapshot, &identity, key.server),
    )))
}

/// An identifier from a path or a query, without the blanks around it.
pub(super) fn check_identifier(identifier: &str) -> Result<String, ApiError> {
    let value = Value::String(identifier.to_owned());
    crate::fields::Text::<{ limits::IDENTIFIER_LENGTH }>::read(Some(&value))
        .map(|text| text.0)
        .map_err(|wrong| {
            let mut problems = Problems::new();
            problems.nest("identifier", wrong);
            ApiError::invalid(problems)
        })
}

input! {
    /// Identities, each with an identifier.
    pub struct BulkBody {
        pub data: Vec<IdentifyBody>,
    }
}

/// Sets whole identities, many at once: traits that are not named go. Evaluates nothing.
#[utoipa::path(post, path = "/api/v1/bulk-identities/", tag = "sdk", request_body = BulkBody,
    responses((status = 202, body = Nothing)))]
async fn bulk_identify(
    State(app): State<App>,
    key: EnvironmentKey,
    body: Body,
) -> Result<Response, Response> {
    store_bulk(&app, &key, &body, true).await
}

/// Sets traits of many identities at once, beside those they have; null removes one. Evaluates nothing.
#[utoipa::path(put, path = "/api/v1/bulk-identities/", tag = "sdk", request_body = BulkBody,
    responses((status = 202, body = Nothing)))]
async fn bulk_update_identities(
    State(app): State<App>,
    key: EnvironmentKey,
    body: Body,
) -> Result<Response, Response> {
    store_bulk(&app, &key, &body, false).await
}

/// All are checked before the first is written, and all are written when the answer goes out.
async fn store_bulk(
    app: &App,
    key: &EnvironmentKey,
    body: &Body,
    overwrite: bool,
) -> Result<Response, Response> {
    check_allowed(key)?;
    let inputs = read_bulk(body)?;
    key.served.count(Resource::Identities);
    let snapshot = key.snapshot();
    let writes = bulk::identities(snapshot.environment_id, inputs, overwrite);
    bulk::store(app, &snapshot, Entrance::BulkIdentities, writes)
        .await
        .map_err(ApiError)?;
    Ok(key::keyed(
        (StatusCode::ACCEPTED, axum::Json(json!({}))).into_response(),
    ))
}

fn read_bulk(body: &Body) -> Result<Vec<IdentifyInput>, ApiError> {
    let list = body.parse::<BulkBody>()?.data;
    if list.len() > limits::BULK_IDENTITIES {
        let text = format!(
            "Number of identities must not be more than {}",
            limits::BULK_IDENTITIES
        );
        return Err(ApiError::invalid(Problems::field("data", text)));
    }
    let missing = |body: &IdentifyBody| {
        if body.identifier.0.is_some() {
            json!({})
        } else {
            json!({ "identifier": ["This field is required."] })
        }
    };
    if list.iter().any(|body| body.identifier.0.is_none()) {
        let mut problems = Problems::new();
        problems.nest("data", list.iter().map(missing).collect());
        return Err(ApiError::invalid(problems));
    }
    Ok(list.into_iter().map(IdentifyInput::from).collect())
}
