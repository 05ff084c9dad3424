//! `/api/v1/traits/`: traits one by one, as first-generation clients set them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use burgee_app::pii::Entrance;
use burgee_app::sdk::{bulk, identities};
use burgee_app::served::Resource;
use burgee_app::{App, Error};
use burgee_model::traits::TraitChange;
use burgee_model::{Problems, TraitValue, limits};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identities::check_identifier;
use super::key::{EnvironmentKey, keyed, refuse};
use super::shapes::{IdentityTrait, IncrementedTrait, SetTrait};
use crate::body::Body;
use crate::error::{ApiError, detail};
use crate::fields::{Field, OrNull, Text, message};
use crate::input;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(set_trait))
        .routes(routes!(set_traits))
        .routes(routes!(increment_trait))
        .routes(routes!(set_trait_by_path))
}

/// A trait's value: text, a number or a boolean as it is; a list or an object as Python's `str()` writes it.
#[derive(Debug, Clone)]
pub struct TraitText(pub TraitValue);

impl Field for TraitText {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = match value {
            None => return Err(message("This field is required.")),
            Some(Value::Null) => return Err(message("This field may not be null.")),
            Some(Value::Bool(truth)) => return Ok(Self(TraitValue::Bool(*truth))),
            Some(Value::Number(number)) => {
                let float = || {
                    number
                        .as_f64()
                        .filter(|f| f.is_finite() && number.is_f64())
                        .map(TraitValue::Float)
                };
                let value = number.as_i64().map(TraitValue::Int).or_else(float);
                return value
                    .map(Self)
                    .ok_or_else(|| message("A 64-bit integer is the largest a trait holds."));
            }
            Some(Value::String(text)) => text.clone(),
            Some(composite) => burgee_engine::python_text(composite),
        };
        if text.contains('\0') {
            return Err(message("Null characters are not allowed."));
        }
        if text.chars().count() > limits::TRAIT_VALUE_LENGTH {
            return Err(message(
                "Value string is too long. Must be less than 2000 character",
            ));
        }
        Ok(Self(TraitValue::Text(text)))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
    }
}

input! {
    /// Whose trait it is.
    pub struct OwnerBody {
        pub identifier: Text<{ limits::IDENTIFIER_LENGTH }>,
    }
}

input! {
    /// One trait of one identity.
    pub struct SetTraitBody {
        pub identity: OwnerBody,
        pub trait_value: TraitText,
        pub trait_key: Text<{ limits::TRAIT_KEY_LENGTH }>,
    }
}

input! {
    /// One trait of one identity in a bulk; null removes it.
    pub struct BulkTraitBody {
        pub identity: OwnerBody,
        pub trait_value: OrNull<TraitText>,
        pub trait_key: Text<{ limits::TRAIT_KEY_LENGTH }>,
    }
}

input! {
    /// How much to add to an integer trait.
    pub struct IncrementBody {
        pub trait_key: Text<{ limits::TRAIT_KEY_LENGTH }>,
        pub increment_by: i64,
        pub identifier: Text<{ limits::IDENTIFIER_LENGTH }>,
    }
}

/// Whether this key may store traits here at all.
pub(super) fn check_allowed(key: &EnvironmentKey) -> Result<(), Response> {
    let snapshot = key.snapshot();
    if !snapshot.persist_trait_data {
        return Err(refuse("Organisation is not authorised to store traits."));
    }
    if !key.server && !snapshot.allow_client_traits {
        let problems = Problems::whole("Setting traits not allowed with client key.");
        return Err(ApiError::invalid(problems).into_response());
    }
    Ok(())
}

/// Sets one trait.
#[utoipa::path(post, path = "/api/v1/traits/", tag = "sdk", request_body = SetTraitBody,
    responses((status = 200, body = SetTrait)))]
async fn set_trait(State(app): State<App>, key: EnvironmentKey, body: Body) -> Result<Response, Response> {
    check_allowed(&key)?;
    let input: SetTraitBody = body.parse()?;
    key.served.count(Resource::Traits);
    let value = input.trait_value.0;
    let change = TraitChange::Set(value.clone());
    let identifier = &input.identity.identifier.0;
    identities::set_one(&app, &key.snapshot(), identifier, &input.trait_key.0, change)
        .await
        .map_err(ApiError)?;
    let answer = json!({
        "identity": { "identifier": input.identity.identifier.0 },
        "trait_value": value,
        "trait_key": input.trait_key.0,
    });
    Ok(keyed(Json(answer).into_response()))
}

/// Sets or removes traits of many identities. All are checked before the first is written.
#[utoipa::path(put, path = "/api/v1/traits/bulk/", tag = "sdk", request_body = Vec<BulkTraitBody>,
    responses((status = 200, body = Vec<SetTrait>)))]
async fn set_traits(State(app): State<App>, key: EnvironmentKey, body: Body) -> Result<Response, Response> {
    check_allowed(&key)?;
    if !body.0.is_array() {
        return Err(detail(StatusCode::BAD_REQUEST, "Invalid request data"));
    }
    let inputs: Vec<BulkTraitBody> = body.parse()?;
    key.served.count(Resource::Traits);
    let snapshot = key.snapshot();
    let named = inputs.iter().map(|input| {
        let value = input.trait_value.0.as_ref();
        let change = value.map_or(TraitChange::Remove, |t| TraitChange::Set(t.0.clone()));
        (
            input.identity.identifier.0.clone(),
            input.trait_key.0.clone(),
            change,
        )
    });
    let writes = bulk::traits(snapshot.environment_id, named);
    bulk::store(&app, &snapshot, Entrance::BulkTraits, writes)
        .await
        .map_err(ApiError)?;
    let set = inputs.iter().filter_map(|input| {
        let value = &input.trait_value.0.as_ref()?.0;
        let identity = json!({ "identifier": input.identity.identifier.0 });
        Some(json!({ "identity": identity, "trait_value": value, "trait_key": input.trait_key.0 }))
    });
    Ok(keyed(Json(set.collect::<Value>()).into_response()))
}

/// Adds to an integer trait, in one step with the reading of it.
#[utoipa::path(post, path = "/api/v1/traits/increment-value/", tag = "sdk", request_body = IncrementBody,
    responses((status = 200, body = IncrementedTrait)))]
async fn increment_trait(
    State(app): State<App>,
    key: EnvironmentKey,
    body: Body,
) -> Result<Response, Response> {
    check_allowed(&key)?;
    let input: IncrementBody = body.parse()?;
    key.served.count(Resource::Traits);
    let change = TraitChange::Increment(input.increment_by);
    let (identity, kept) = identities::set_one(
        &app,
        &key.snapshot(),
        &input.identifier.0,
        &input.trait_key.0,
        change,
    )
    .await
    .map_err(ApiError)?;
    let value = identity.traits.get(&kept).map(|t| t.value().clone());
    let answer = json!({
        "trait_key": input.trait_key.0,
        "trait_value": value,
        "identifier": input.identifier.0,
    });
    Ok(keyed(Json(answer).into_response()))
}

/// The value of the trait that a path names.
#[derive(Debug, utoipa::ToSchema)]
pub struct TraitValueBody {
    #[schema(inline)]
    pub trait_value: super::shapes::TraitScalar,
}

/// Sets one trait of the identity in the path.
#[utoipa::path(post, path = "/api/v1/identities/{identifier}/traits/{trait_key}/", tag = "sdk",
    request_body = TraitValueBody, responses((status = 200, body = IdentityTrait)))]
async fn set_trait_by_path(
    State(app): State<App>,
    key: EnvironmentKey,
    Path((identifier, trait_key)): Path<(String, String)>,
    body: Body,
) -> Result<Response, Response> {
    let Some(value) = body.0.get("trait_value").filter(|v| !v.is_null()) else {
        return Err(detail(StatusCode::BAD_REQUEST, "Trait value not provided"));
    };
    check_allowed(&key)?;
    let identifier = check_identifier(&identifier)?;
    let wrong = |field: &str, problem: Value| {
        let mut problems = Problems::new();
        problems.nest(field, problem);
        ApiError(Error::Invalid(problems))
    };
    let value = TraitText::read(Some(value))
        .map_err(|problem| wrong("trait_value", problem))?
        .0;
    let key_text = Value::String(trait_key);
    let trait_key = Text::<{ limits::TRAIT_KEY_LENGTH }>::read(Some(&key_text));
    let trait_key = trait_key.map_err(|problem| wrong("trait_key", problem))?.0;
    key.served.count(Resource::Traits);
    let change = TraitChange::Set(value.clone());
    let (identity, kept) = identities::set_one(&app, &key.snapshot(), &identifier, &trait_key, change)
        .await
        .map_err(ApiError)?;
    let id = identity.traits.get(&kept).map(|t| t.id(identity.id));
    let answer = json!({ "id": id, "trait_key": trait_key, "trait_value": value, "transient": false });
    Ok(keyed(Json(answer).into_response()))
}
