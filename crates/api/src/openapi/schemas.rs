//! What can be said of an answer's fields without their types saying it.
//!
//! * An `Option` that is always written is required and may be null. One that is left out when it is nothing says so
//!   with `#[schema(nullable = false)]` beside its `skip_serializing_if`: it is never null then, and not required.
//! * `uuid` holds a uuid, and `…_at`, `…_date` and their like a moment. The names are the same all over the API.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const PREFIX: &str = "#/components/schemas/";

/// Completes the schemas of answers. Those of requests say everything themselves.
pub(super) fn complete(document: &mut Value) {
    let (mut asked, mut answered) = (BTreeSet::new(), BTreeSet::new());
    super::for_each_operation(document, |_, _, operation| {
        if let Some(body) = operation.get("requestBody") {
            references(body, &mut asked);
        }
        if let Some(answers) = operation.get_mut("responses") {
            references(answers, &mut answered);
            answer(answers);
        }
    });
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    close(schemas, &mut asked);
    close(schemas, &mut answered);
    for name in answered.difference(&asked) {
        if let Some(schema) = schemas.get_mut(name) {
            answer(schema);
        }
    }
}

/// Adds what the schemas refer to that are already in the set.
fn close(schemas: &Map<String, Value>, names: &mut BTreeSet<String>) {
    let mut todo: Vec<String> = names.iter().cloned().collect();
    while let Some(name) = todo.pop() {
        let mut more = BTreeSet::new();
        if let Some(schema) = schemas.get(&name) {
            references(schema, &mut more);
        }
        todo.extend(more.into_iter().filter(|name| names.insert(name.clone())));
    }
}

/// The names of all schemas that something refers to.
fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let name = map
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix(PREFIX));
            names.extend(name.map(str::to_owned));
            map.values().for_each(|value| references(value, names));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

/// Visits every object schema in a schema of an answer.
fn answer(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(answer);
            object(map);
            loosen(map);
        }
        Value::Array(list) => list.iter_mut().for_each(answer),
        _ => {}
    }
}

/// What fits several shapes at once fits: the shapes of one answer may be alike.
fn loosen(schema: &mut Map<String, Value>) {
    let is_nullable = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|s| s["type"] == "null"))
    };
    if schema.get("oneOf").is_some_and(|list| !is_nullable(list))
        && let Some(list) = schema.remove("oneOf")
    {
        schema.insert("anyOf".to_owned(), list);
    }
}

fn object(schema: &mut Map<String, Value>) {
    // The fields of an object are no schema, even when one of them is called `properties`.
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return;
    }
    let Some(Value::Object(mut properties)) = schema.remove("properties") else {
        return;
    };
    let required: BTreeSet<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let always = |(name, field): (&String, &Value)| {
        (required.contains(name) || may_be_null(field)).then(|| name.clone())
    };
    let always: Vec<String> = properties.iter().filter_map(always).collect();
    for (name, field) in &mut properties {
        if let (Some(field), Some(format)) = (field.as_object_mut(), promised(name)) {
            let is_text = match field.get("type") {
                Some(Value::Array(types)) => types.iter().any(|kind| kind == "string"),
                kind => kind.is_some_and(|kind| kind == "string"),
            };
            if is_text && !field.contains_key("enum") {
                field.entry("format").or_insert(json!(format));
            }
        }
    }
    if !always.is_empty() {
        schema.insert("required".to_owned(), json!(always));
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
}

/// Whether null fits; it fits where nothing is said of the type.
fn may_be_null(field: &Value) -> bool {
    let is_null = |schema: &Value| schema["type"] == "null";
    let any_of = |word: &str| {
        field[word]
            .as_array()
            .is_some_and(|list| list.iter().any(is_null))
    };
    let says_nothing = ["type", "$ref", "oneOf", "anyOf", "allOf", "enum"]
        .iter()
        .all(|word| field.get(word).is_none());
    let types = field["type"].as_array();
    says_nothing
        || any_of("oneOf")
        || any_of("anyOf")
        || types.is_some_and(|types| types.iter().any(|t| t == "null"))
}

/// The format that the name of a field promises.
fn promised(name: &str) -> Option<&'static str> {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if name == "uuid" || ends(&["_uuid"]) {
        Some("uuid")
    } else if matches!(name, "date_created" | "date_joined" | "last_login" | "live_from")
        || ends(&["_at", "_date"])
    {
        Some("date-time")
    } else if name == "email" {
        Some("email")
    } else {
        None
    }
}
