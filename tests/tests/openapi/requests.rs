//! Requests as the document has them: bodies and queries made of their schemas, with things that exist.

use serde_json::{Map, Value, json};

use super::Operation;
use super::treasure::Treasure;

impl Operation {
    /// The schema of the body, when there is one.
    pub(super) fn body_schema(&self) -> Option<&'static Value> {
        let content = self.declared["requestBody"]["content"].as_object()?;
        Some(
            &content
                .get("application/json")
                .or_else(|| content.values().next())?["schema"],
        )
    }

    /// The parameters of the query that must be there.
    fn query(&self, treasure: &Treasure) -> String {
        let parameters = self.declared["parameters"].as_array().into_iter().flatten();
        let needed =
            parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        let pairs = needed.filter_map(|parameter| {
            let name = parameter["name"].as_str()?;
            let value = value(&parameter["schema"], name, treasure);
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{name}={text}"))
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() {
            query
        } else {
            format!("?{query}")
        }
    }

    /// The path to something in the treasure, with what must be asked for.
    pub(super) fn target(&self, treasure: &Treasure, own: &[(&str, String)]) -> String {
        format!("{}{}", treasure.fill(&self.path, own), self.query(treasure))
    }

    /// A body that is right as far as the document goes.
    pub(super) fn body(&self, treasure: &Treasure) -> Value {
        self.body_schema()
            .map_or_else(|| json!({}), |schema| value(schema, "", treasure))
    }
}

/// Follows a reference.
pub(super) fn resolved(schema: &'static Value) -> &'static Value {
    let reference = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    reference.map_or(schema, |pointer| {
        resolved(
            burgee_api::openapi::document()
                .pointer(pointer)
                .expect("a schema"),
        )
    })
}

/// Something that fits a schema.
fn value(schema: &'static Value, name: &str, treasure: &Treasure) -> Value {
    let schema = resolved(schema);
    if let Some(words) = schema["enum"].as_array() {
        // Of the types of a value, any text has this one.
        let text = words
            .iter()
            .find(|word| **word == "string" || **word == "unicode");
        return text
            .or(words.iter().find(|word| !word.is_null()))
            .cloned()
            .unwrap_or_default();
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[word].as_array() {
            let one = choices
                .iter()
                .find(|choice| choice["type"] != "null")
                .expect("a choice");
            return value(one, name, treasure);
        }
    }
    let kinds = schema["type"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![schema["type"].clone()]);
    let kind = kinds
        .iter()
        .find_map(|kind| kind.as_str().filter(|kind| *kind != "null"))
        .unwrap_or("any");
    let known = treasure.named(name);
    match kind {
        "object" => object(schema, name, treasure),
        "array" => json!([value(&schema["items"], name, treasure)]),
        "integer" if known.is_i64() => known,
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "boolean" => json!(true),
        "string" => text(schema, name, treasure),
        // What is read as an id only later.
        _ if !known.is_null() => known,
        _ => json!("x"),
    }
}

fn object(schema: &'static Value, name: &str, treasure: &Treasure) -> Value {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let known = treasure.named(name);
    if required.is_empty() && !known.is_null() && schema["properties"].get("id").is_some() {
        return json!({ "id": known });
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let needed = properties.filter(|(name, _)| required.contains(&name.as_str()));
    let fields: Map<String, Value> = needed
        .map(|(name, field)| (name.clone(), value(field, name, treasure)))
        .collect();
    Value::Object(fields)
}

fn text(schema: &'static Value, name: &str, treasure: &Treasure) -> Value {
    if let Some(known) = treasure.named(name).as_str() {
        return json!(known);
    }
    let text = match (schema["format"].as_str(), name) {
        (Some("date-time"), _) => "2099-01-01T00:00:00Z",
        (Some("email"), _) => "somebody@example.com",
        (Some("uuid"), _) => "00000000-0000-4000-8000-000000000000",
        (_, "issuer" | "redirect_uri") => "https://example.com/",
        (_, name) if name.ends_with("url") => "https://example.com/",
        (_, "secret") => "xxxxxxxxxxxxxxxx",
        _ => "x",
    };
    json!(text)
}
