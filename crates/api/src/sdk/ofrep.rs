//! OpenFeature's remote evaluation protocol (OFREP 0.3.0): `/ofrep/v1/evaluate/flags`.
//!
//! The identity is `targetingKey`, everything else in the context is a trait of this request. Nothing is stored:
//! clients evaluate again and again, and every refresh would write.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::sdk::evaluation::{self, Evaluated};
use burgee_app::sdk::identities::{self, IdentifyInput, TraitInput};
use burgee_app::served::{Resource, Snapshot};
use burgee_model::{FlagValue, Timestamp, keys, limits};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::key::EnvironmentKey;
use super::shapes::{OfrepFailure, OfrepFlag, OfrepFlags, OfrepRefusal, OfrepRequest};
use super::traits::TraitText;
use crate::fields::Field;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(evaluate_flags))
        .routes(routes!(evaluate_flag))
}

/// All flags for one context, with an `ETag` over the answer.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags", tag = "ofrep",
    request_body = Option<OfrepRequest>, responses((status = 200, body = OfrepFlags),
        (status = 304, description = "Nothing changed"), (status = 400, body = OfrepFailure),
        (status = 401, body = OfrepRefusal), (status = 503, body = OfrepRefusal)))]
async fn evaluate_flags(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let key = authenticate(&app, &headers)?;
    let input = read_context(&body).map_err(|(code, text)| failure(None, code, &text))?;
    let (snapshot, identity) = identify(&app, &key, input, None).await?;
    let flags: Vec<Value> = evaluation::evaluated(&snapshot, &identity, key.server)
        .iter()
        .map(flag_json)
        .collect();
    let etag = etag(&flags);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response =
        if known.is_some_and(|tags| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == etag)) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut answer = json!({ "flags": flags });
            if snapshot.realtime {
                answer["eventStreams"] = event_streams(&snapshot);
            }
            Json(answer).into_response()
        };
    if let Ok(value) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}

/// One flag for one context.
#[utoipa::path(post, path = "/ofrep/v1/evaluate/flags/{key}", tag = "ofrep",
    request_body = Option<OfrepRequest>, responses((status = 200, body = OfrepFlag),
        (status = 400, body = OfrepFailure), (status = 401, body = OfrepRefusal),
        (status = 404, body = OfrepFailure), (status = 503, body = OfrepRefusal)))]
async fn evaluate_flag(
    State(app): State<App>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Response> {
    let key = authenticate(&app, &headers)?;
    let input = read_context(&body).map_err(|(code, text)| failure(Some(&name), code, &text))?;
    let (snapshot, identity) = identify(&app, &key, input, Some(&name)).await?;
    match evaluation::evaluated(&snapshot, &identity, key.server)
        .iter()
        .find(|flag| flag.name == name)
    {
        Some(flag) => Ok(Json(flag_json(flag)).into_response()),
        None => Err(failure(Some(&name), "FLAG_NOT_FOUND", "There is no such flag.")),
    }
}

/// Any of the three headers that OpenFeature's clients can be given; 401 otherwise, as the protocol has it.
fn authenticate(app: &App, headers: &HeaderMap) -> Result<EnvironmentKey, Response> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let bearer = || {
        text("authorization")
            .and_then(|v| v.strip_prefix("Bearer "))
            .map(str::trim)
    };
    let key = text("x-environment-key")
        .or_else(|| text("x-api-key"))
        .or_else(bearer)
        .unwrap_or_default();
    let found = app
        .environments()
        .find(key)
        .filter(|(served, _)| !served.snapshot().stop_serving_flags);
    let (served, is_server) = found.ok_or_else(|| {
        let body = json!({ "errorDetails": "The environment key is missing or unknown." });
        (StatusCode::UNAUTHORIZED, Json(body)).into_response()
    })?;
    served.count(Resource::Identities);
    Ok(EnvironmentKey {
        served,
        server: is_server,
    })
}

/// The context of a request as an identity. Without a targeting key it is anonymous.
fn read_context(body: &[u8]) -> Result<IdentifyInput, (&'static str, String)> {
    let wrong = |text: &str| ("INVALID_CONTEXT", text.to_owned());
    if body.is_empty() {
        return Ok(IdentifyInput {
            transient: true,
            ..IdentifyInput::default()
        });
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|e| ("PARSE_ERROR", format!("The body is no JSON: {e}")))?;
    let context = match body.get("context") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(context)) => context.clone(),
        Some(_) => return Err(wrong("`context` must be an object.")),
    };
    let identifier = match context.get("targetingKey") {
        None | Some(Value::Null) => None,
        Some(Value::String(key)) if key.is_empty() => None,
        Some(Value::String(key)) if key.chars().count() > limits::IDENTIFIER_LENGTH => {
            return Err(wrong("`targetingKey` is too long."));
        }
        Some(Value::String(key)) if key.contains('\0') => return Err(wrong("`targetingKey` has a NUL.")),
        Some(Value::String(key)) => Some(key.clone()),
        Some(_) => return Err(wrong("`targetingKey` must be a string.")),
    };
    let nested = context
        .get("traits")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let flat = context.into_iter().filter(|(name, value)| {
        !(matches!(name.as_str(), "targetingKey" | "transient") || (name == "traits" && value.is_object()))
    });
    let traits = flat
        .chain(nested)
        .filter_map(|(key, value)| read_trait(key, &value));
    Ok(IdentifyInput {
        identifier,
        traits: traits.collect(),
        transient: true,
    })
}

/// Scalars are traits. What the engine can't compare (lists, objects, texts beyond the limit) is left out.
fn read_trait(key: String, value: &Value) -> Option<TraitInput> {
    let scalar = !(value.is_array() || value.is_object() || value.is_null());
    let value = if scalar {
        TraitText::read(Some(value)).ok()?.0
    } else {
        return None;
    };
    Some(TraitInput {
        key,
        value: Some(value),
        transient: true,
    })
}

/// Loads what is stored of the identity, so that stored traits and overrides count, and stores nothing.
async fn identify(
    app: &App,
    key: &EnvironmentKey,
    input: IdentifyInput,
    flag: Option<&str>,
) -> Result<(std::sync::Arc<Snapshot>, identities::Identified), Response> {
    // Traits sent here are never stored, so the rule against stored client traits has nothing to forbid.
    let identity = identities::identify(app, &key.served, true, input)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "an evaluation failed");
            let mut body = json!({ "errorDetails": "The stored identity can't be read." });
            if let Some(flag) = flag {
                body["key"] = json!(flag);
            }
            let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        })?;
    Ok((key.snapshot(), identity))
}

/// A flag with its value. A flag that is off while it has a value gets none: the caller's default applies.
fn flag_json(flag: &Evaluated) -> Value {
    let mut answer = json!({
        "key": flag.name,
        "reason": if flag.enabled { flag.reason } else { "DISABLED" },
        "metadata": metadata(flag),
    });
    if let Some(variant) = &flag.variant {
        answer["variant"] = json!(variant);
    }
    let value = match &flag.value {
        FlagValue::Null => Some(json!(flag.enabled)),
        FlagValue::Text(text) if text.is_empty() => Some(json!(flag.enabled)),
        _ if !flag.enabled => None,
        FlagValue::Text(text) => Some(structured(text).unwrap_or_else(|| json!(text))),
        value => Some(value.to_json()),
    };
    if let Some(value) = value {
        answer["value"] = value;
    }
    answer
}

/// A text that is a JSON object or list is served as such; JSON scalars stay text.
fn structured(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text.trim()).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

fn metadata(flag: &Evaluated) -> Value {
    let mut metadata = json!({ "enabled": flag.enabled, "featureId": flag.feature_id });
    match &flag.value {
        FlagValue::Null => {}
        value => metadata["value"] = value.to_json(),
    }
    metadata
}

fn failure(key: Option<&str>, code: &str, text: &str) -> Response {
    let status = if code == "FLAG_NOT_FOUND" {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::BAD_REQUEST
    };
    let mut body = json!({ "errorCode": code, "errorDetails": text });
    if let Some(key) = key {
        body["key"] = json!(key);
    }
    (status, Json(body)).into_response()
}

/// Over the flags themselves, so that it covers the environment and the context alike.
fn etag(flags: &[Value]) -> String {
    let digest = Sha256::digest(Value::from(flags.to_vec()).to_string());
    let hex = keys::hex(&digest[..16]);
    format!("\"{hex}\"")
}

/// Where a client is told of changes. The path holds the client-side key, which is no secret.
fn event_streams(snapshot: &Snapshot) -> Value {
    json!([{
        "type": "sse",
        "endpoint": { "requestUri": format!("/sse/ofrep/{}/stream", snapshot.api_key) },
        "inactivityDelaySec": 120,
    }])
}

/// The message that makes a client evaluate again.
pub(super) fn refetch_event(updated_at: Timestamp) -> String {
    let data = json!({ "type": "refetchEvaluation", "lastModified": updated_at.epoch_second() });
    format!("event: message\ndata: {data}\n")
}
