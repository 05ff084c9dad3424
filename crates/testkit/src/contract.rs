//! Every answer in every story is held to the OpenAPI document: status, headers and shape, with no field too many.
//!
//! A story with an answer that does not fit fails.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use axum::http::{HeaderMap, Method, StatusCode, header};
use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};

use crate::Answer;

/// Where the document stands for those that refer to it.
const ADDRESS: &str = "urn:burgee:openapi";

/// Pages and addresses that are no operations of the API, and so are not in its document.
const NOT_OPERATIONS: [&str; 12] = [
    "/api/v1/docs/",
    "/api/v1/openapi.json/",
    "/api/v1/swagger.json/",
    "/api/v1/swagger.yaml/",
    "/config/project-overrides",
    "/health",
    "/metrics/",
    "/password-reset/",
    "/processor/",
    "/robots.txt",
    "/version/",
    "/o/",
];

/// The path of the document that a request goes to, with its parameters in braces.
pub fn matched(path: &str) -> Option<&'static str> {
    static ROUTES: LazyLock<matchit::Router<&'static str>> = LazyLock::new(|| {
        let mut routes = matchit::Router::new();
        for path in paths().keys() {
            routes
                .insert(route(path), path.as_str())
                .expect("no two paths alike");
        }
        routes
    });
    ROUTES.at(path).ok().map(|found| *found.value)
}

/// A path whose parameters are named by their place, because the names may differ between paths.
fn route(path: &str) -> String {
    let parts = path.split('/').enumerate().map(|(place, part)| {
        if part.starts_with('{') {
            format!("{{p{place}}}")
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn paths() -> &'static Map<String, Value> {
    burgee_api::openapi::document()["paths"]
        .as_object()
        .expect("paths")
}

/// Fails when an answer is not one that the document declares.
#[track_caller]
pub(crate) fn hold(method: &Method, path: &str, answer: &Answer) {
    if let Err(wrong) = check(method, path, answer) {
        panic!(
            "not as the OpenAPI document has it: {method} {path}: {}: {wrong}\n{}",
            answer.status.as_u16(),
            answer.text
        );
    }
}

fn check(method: &Method, path: &str, answer: &Answer) -> Result<(), String> {
    let Some(matched) = matched(path) else {
        let is_known = NOT_OPERATIONS.iter().any(|known| path.starts_with(known));
        let is_nowhere = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status);
        return if is_known || is_nowhere || *method == Method::OPTIONS {
            Ok(())
        } else {
            Err("the document does not have this path".to_owned())
        };
    };
    let name = if *method == Method::HEAD {
        "get".to_owned()
    } else {
        method.as_str().to_ascii_lowercase()
    };
    let Some(operation) = paths()[matched].get(&name) else {
        let is_refused = answer.status == StatusCode::METHOD_NOT_ALLOWED;
        return if is_refused || *method == Method::OPTIONS {
            Ok(())
        } else {
            Err(format!("the document does not have {method} {matched}"))
        };
    };
    let id = operation["operationId"].as_str().unwrap_or("?");
    let status = answer.status.as_u16().to_string();
    let Some(declared) = operation["responses"].get(&status) else {
        return Err(format!("{id} does not declare this status"));
    };
    check_headers(declared, &answer.headers).map_err(|wrong| format!("{id}: {wrong}"))?;
    if *method == Method::HEAD || answer.headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(());
    }
    let place = Place {
        path: matched,
        method: &name,
        status: &status,
    };
    check_body(&place, declared, answer).map_err(|wrong| format!("{id}: {wrong}"))
}

fn check_headers(declared: &Value, headers: &HeaderMap) -> Result<(), String> {
    let names = declared["headers"].as_object().into_iter().flat_map(Map::keys);
    match names
        .into_iter()
        .find(|name| !headers.contains_key(name.as_str()))
    {
        Some(name) => Err(format!("{name} is declared and not there")),
        None => Ok(()),
    }
}

/// Where an answer stands in the document.
struct Place<'a> {
    path: &'a str,
    method: &'a str,
    status: &'a str,
}

fn check_body(place: &Place<'_>, declared: &Value, answer: &Answer) -> Result<(), String> {
    let content = declared["content"].as_object();
    if answer.text.is_empty() {
        return content.map_or(
            Ok(()),
            |_| Err("a body is declared, and there is none".to_owned()),
        );
    }
    let kind = answer
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if content.and_then(|content| content.get(media)).is_none() {
        return Err(format!("a body of type {media:?} is not declared"));
    }
    if media != "application/json" {
        return Ok(());
    }
    let problems: Vec<String> = validator(place, media)
        .iter_errors(&answer.body)
        .map(|error| format!("at {:?}: {error}", error.instance_path().to_string()))
        .take(3)
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("; "))
    }
}

/// The validator of one answer, made when it is first needed.
fn validator(place: &Place<'_>, media: &str) -> Arc<Validator> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
        let document = closed(burgee_api::openapi::document().clone());
        let resource = Draft::Draft202012.create_resource(document);
        let registry = Registry::new().add(ADDRESS, resource).expect("an address");
        registry
            .prepare()
            .expect("a document whose references lead somewhere")
    });
    let escaped = |part: &str| {
        part.replace('~', "~0")
            .replace('/', "~1")
            .replace('{', "%7B")
            .replace('}', "%7D")
    };
    let pointer = format!(
        "{ADDRESS}#/paths/{}/{}/responses/{}/content/{}/schema",
        escaped(place.path),
        place.method,
        place.status,
        escaped(media)
    );
    let mut validators = VALIDATORS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = validators.entry(pointer).or_insert_with_key(|pointer| {
        let built = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&REGISTRY)
            .should_validate_formats(true)
            .build(&json!({ "$ref": pointer }));
        Arc::new(built.unwrap_or_else(|error| panic!("{pointer}: {error}")))
    });
    validator.clone()
}

/// The document with every object closed to fields that it does not declare.
fn closed(mut document: Value) -> Value {
    for schema in document["components"]["schemas"]
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        close(schema, true);
    }
    let operations = document["paths"]
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut);
    for operation in operations
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
    {
        let answers = operation["responses"]
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut);
        for answer in answers {
            let contents = answer.get_mut("content").and_then(Value::as_object_mut);
            for content in contents.into_iter().flat_map(Map::values_mut) {
                close(&mut content["schema"], false);
            }
        }
    }
    document
}

/// Closes a schema, unless it is a `part` of another one that adds fields: that one is closed where it is used.
fn close(schema: &mut Value, part: bool) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    for word in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get_mut(word).and_then(Value::as_array_mut);
        parts.into_iter().flatten().for_each(|schema| close(schema, true));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|schema| close(schema, false));
    }
    for word in ["items", "additionalProperties"] {
        if let Some(schema) = schema.get_mut(word) {
            close(schema, false);
        }
    }
    let says_fields = ["$ref", "allOf", "anyOf", "oneOf", "properties"]
        .iter()
        .any(|word| schema.contains_key(*word));
    if !part && says_fields && !schema.contains_key("additionalProperties") {
        schema.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}
