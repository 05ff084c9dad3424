//! The errors of every operation, in the shapes of Django REST framework.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// The first answer of success that an operation declares.
pub(super) fn success(operation: &Map<String, Value>) -> Option<(&str, &Value)> {
    let answers = operation.get("responses")?.as_object()?;
    answers
        .iter()
        .map(|(status, answer)| (status.as_str(), answer))
        .find(|(status, _)| status.starts_with('2'))
}

/// Adds the errors an operation can answer with, beside those it declares itself.
pub(super) fn complete(method: &str, operation: &mut Map<String, Value>) {
    let opens_with = |scheme: &str| {
        let ways = operation.get("security").and_then(Value::as_array);
        ways.is_some_and(|ways| ways.iter().any(|way| way.get(scheme).is_some()))
    };
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let has_parameter = |place: &str| parameters.is_some_and(|list| list.iter().any(|p| p["in"] == place));
    let named = |name: &str| parameters.is_some_and(|list| list.iter().any(|p| p["name"] == name));
    let has_body = operation.contains_key("requestBody");
    let (signed, keyed) = (opens_with("token"), opens_with("environment_key"));
    let declares = |status: &str| operation["responses"].get(status).is_some();

    let mut answers = Vec::new();
    // What is to be changed can be in a state that forbids it; organisations and identifiers are checked as input.
    let checked = ["organisation_id", "identifier", "identity_uuid"];
    if method != "get" || has_parameter("query") || checked.into_iter().any(named) {
        answers.push(("400", plain("What was sent is wrong", "BadRequest")));
    }
    if signed {
        answers.push(("401", unauthenticated()));
        answers.push(("403", plain("The caller may not do this", "Detail")));
    }
    if opens_with("cohort_key") {
        answers.push(("401", unauthenticated()));
    }
    if opens_with("access_token") {
        let kinds = [
            ("400", "What was sent is wrong"),
            ("401", "No access token, or one that is none"),
            ("403", "The token may not do this"),
            ("404", "There is no such thing, or not for this token"),
            ("429", "Too many requests"),
            ("503", "The database is unavailable for the moment"),
        ];
        answers.extend(kinds.map(|(status, text)| (status, plain(text, "AccessError"))));
    }
    let provisions = opens_with("scim_token");
    if provisions {
        answers.push(("400", plain("What was sent is wrong", "BadRequest")));
        answers.push(("401", unauthenticated()));
        answers.push(("404", plain("There is no such thing", "Detail")));
        answers.push(("409", plain("It is there already", "Detail")));
    }
    if keyed && !declares("401") {
        answers.push(("403", plain("No environment key, or one that is none", "Detail")));
    }
    if has_parameter("path") || named("page") {
        answers.push((
            "404",
            plain("There is no such thing, or not for this caller", "Detail"),
        ));
    }
    if has_body {
        answers.push(("413", plain("The body is too large", "Detail")));
        answers.push((
            "415",
            plain("The body is of a kind that is not read here", "Detail"),
        ));
    }
    if signed || (has_body && !keyed) {
        answers.push(("429", with_retry("Too many requests")));
    }
    answers.push(("503", with_retry("The database is unavailable for the moment")));
    let Some(told) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, answer) in answers {
        told.entry(status).or_insert(answer);
    }
    for (status, answer) in told.iter_mut() {
        // Errors have a body: the usual one, unless the handler declares another. Only preconditions have none.
        let is_error = status.starts_with(['4', '5']) && status != "412";
        if let Some(answer) = answer
            .as_object_mut()
            .filter(|answer| is_error && !answer.contains_key("content"))
        {
            let shape = match status.as_str() {
                "400" => "BadRequest",
                "502" => "Elsewhere",
                _ => "Detail",
            };
            answer.insert("content".to_owned(), plain("", shape)["content"].clone());
        }
    }
    for (status, answer) in told.iter_mut() {
        let known = answer["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty());
        if let Some(answer) = answer.as_object_mut().filter(|_| !known) {
            answer.insert("description".to_owned(), json!(usual(status)));
        }
    }
    if provisions {
        let errors = told.iter_mut().filter(|(status, _)| status.starts_with('4'));
        for (_, answer) in errors {
            // RFC 7644 has errors of a kind of its own.
            answer["content"]["application/scim+json"] = json!({ "schema": { "type": "object" } });
        }
    }
    let mut sorted: Vec<(String, Value)> = std::mem::take(told).into_iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    told.extend(sorted);
}

/// What a status says when the handler says no more.
fn usual(status: &str) -> &'static str {
    match status {
        "200" => "Done",
        "201" => "Created",
        "202" => "Begun",
        "204" => "Done; there is nothing to say",
        "400" => "What was sent is wrong",
        "404" => "There is no such thing",
        "502" => "The other system did not answer, or not as it should",
        _ => "Refused",
    }
}

fn plain(description: &str, shape: &str) -> Value {
    let schema = format!("#/components/schemas/{shape}");
    json!({
        "description": description,
        "content": { "application/json": { "schema": { "$ref": schema } } },
    })
}

fn unauthenticated() -> Value {
    let mut answer = plain("Nobody is signed in", "Detail");
    answer["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" } } });
    answer
}

fn with_retry(description: &str) -> Value {
    let mut answer = plain(description, "Detail");
    answer["headers"] = json!({
        "Retry-After": { "description": "Seconds", "schema": { "type": "integer", "minimum": 0 } },
    });
    answer
}

/// The shapes that the errors refer to.
pub(super) fn define(document: &mut Value) {
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    schemas.insert("BadRequest".to_owned(), json!({
        "description": "What is wrong with a request: a reason, or problems by the names of fields. What is wrong \
                        with the whole stands under `non_field_errors`.",
        "anyOf": [
            { "type": "object", "additionalProperties": { "$ref": "#/components/schemas/Problem" } },
            { "type": "array", "items": { "$ref": "#/components/schemas/Problem" } },
        ],
    }));
    schemas.insert(
        "Problem".to_owned(),
        json!({
            "description": "A message, several, or those of nested fields.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "$ref": "#/components/schemas/Problem" } },
                { "type": "object", "additionalProperties": { "$ref": "#/components/schemas/Problem" } },
            ],
        }),
    );
    schemas.insert(
        "Elsewhere".to_owned(),
        json!({
            "description": "Why another system could not be asked.",
            "type": "object",
            "properties": { "message": { "type": "string" } },
            "required": ["message"],
        }),
    );
    schemas.sort_keys();
}

/// An error that at least so many operations answer with has a name of its own.
const SHARED_BY: usize = 10;

/// Puts errors that many operations share in one place, and references to them in the others.
pub(super) fn share(document: &mut Value) {
    let mut uses: HashMap<(String, String), usize> = HashMap::new();
    super::for_each_operation(document, |_, _, operation| {
        for_each_error(operation, |status, answer| {
            *uses.entry((status.to_owned(), answer.to_string())).or_default() += 1;
        });
    });
    let mut names: HashMap<(String, String), String> = HashMap::new();
    let mut shared = Map::new();
    super::for_each_operation(document, |_, _, operation| {
        for_each_error(operation, |status, answer| {
            let key = (status.to_owned(), answer.to_string());
            if uses[&key] < SHARED_BY {
                return;
            }
            let name = names.entry(key).or_insert_with(|| {
                let name = free_name(status, &shared);
                shared.insert(name.clone(), answer.clone());
                name
            });
            *answer = json!({ "$ref": format!("#/components/responses/{name}") });
        });
    });
    shared.sort_keys();
    document["components"]["responses"] = Value::Object(shared);
}

fn for_each_error(operation: &mut Map<String, Value>, mut act: impl FnMut(&str, &mut Value)) {
    let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, answer) in answers.into_iter().flatten() {
        if status.starts_with(['4', '5']) {
            act(status, answer);
        }
    }
}

/// The first of `Error404`, `Error404b`, `Error404c`, … that is not taken.
fn free_name(status: &str, taken: &Map<String, Value>) -> String {
    let plain = format!("Error{status}");
    let others = ('b'..='z').map(|letter| format!("{plain}{letter}"));
    let mut names = std::iter::once(plain.clone()).chain(others);
    names.find(|name| !taken.contains_key(name)).unwrap_or(plain)
}
