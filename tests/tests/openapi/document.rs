//! The document is complete, and says things in one way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::operations;

#[test]
fn every_operation_has_an_id_of_its_own_a_summary_and_a_known_tag() {
    let tags: BTreeSet<&str> = burgee_api::openapi::document()["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    let mut ids = BTreeMap::new();
    for operation in operations() {
        let id = operation.id();
        assert!(
            id.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "{}: ids are words in small letters",
            operation.name()
        );
        if let Some(other) = ids.insert(id, operation.name()) {
            panic!("{} and {other} have the same id", operation.name());
        }
        let summary = operation.declared["summary"].as_str().unwrap_or_default();
        assert!(summary.len() > 5, "{} says nothing of itself", operation.name());
        let tag = operation.declared["tags"][0].as_str().unwrap_or_default();
        assert!(
            tags.contains(tag),
            "{}: describe the tag {tag:?} in crates/api/src/openapi/operations.rs",
            operation.name()
        );
    }
}

#[test]
fn every_parameter_and_every_answer_says_what_it_is() {
    for operation in operations() {
        let name = operation.name();
        for parameter in operation.declared["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            let says = ["type", "$ref", "oneOf", "anyOf"]
                .iter()
                .any(|word| schema.get(*word).is_some());
            assert!(says, "{name}: what is the parameter {}?", parameter["name"]);
        }
        let answers = operation.declared["responses"].as_object().unwrap();
        let is_answer = |status: &String| status.starts_with(['2', '3']);
        let only_refuses = !answers.keys().any(is_answer);
        let usual = [400, 401, 403, 404, 413, 415, 429, 503];
        let declares_more = answers
            .keys()
            .any(|status| !usual.contains(&status.parse().unwrap()));
        let names_its_refusal = answers.values().any(|answer| answer["description"] != "Refused");
        assert!(
            !only_refuses || declares_more || names_its_refusal,
            "{name} has no answer"
        );
        for (status, answer) in answers {
            assert!(
                !answer["description"].as_str().unwrap().is_empty(),
                "{name}: {status}"
            );
            if status == "412" || status.starts_with(['2', '3']) {
                continue;
            }
            assert!(
                answer["content"].is_object(),
                "{name}: what does {status} look like?"
            );
        }
        if let Some(body) = operation.declared.get("requestBody") {
            let mut kinds = body["content"].as_object().unwrap().values();
            assert!(
                kinds.all(|kind| kind["schema"].is_object()),
                "{name}: what is sent?"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let pointer = reference
                        .strip_prefix('#')
                        .expect("references stay in the document");
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                map.values().for_each(|value| walk(value, document));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, document)),
            _ => {}
        }
    }
    let document = burgee_api::openapi::document();
    walk(document, document);
}

/// Schemas are named as their types are, and of two that are named alike one would silently stand for both.
#[test]
fn no_two_types_of_the_api_have_the_same_name() {
    let mut found = BTreeMap::new();
    look(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/api/src")),
        &mut found,
    );
    assert!(found.len() > 100, "only {} types were found", found.len());
}

fn look(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, found);
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let declared = line.trim_start().strip_prefix("pub ");
            let rest = declared.and_then(|rest| rest.strip_prefix("struct ").or(rest.strip_prefix("enum ")));
            let Some(rest) = rest else { continue };
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '$')
                .collect();
            let here = path.display().to_string();
            if name.starts_with('$') || line.starts_with("        ") {
                continue;
            }
            if let Some(other) = found.insert(name.clone(), here.clone()) {
                panic!("{name} is declared in {other} and in {here}");
            }
        }
    }
}

/// A field that is left out when it is nothing is never null, and the document can only know it from the field.
#[test]
fn fields_that_are_left_out_are_not_said_to_be_null() {
    fn look(folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for pair in lines
                .windows(2)
                .filter(|pair| pair[0].contains("skip_serializing_if = \"Option::is_none\""))
            {
                assert!(
                    pair[1].contains("#[schema("),
                    "{}: add #[schema(nullable = false)] below {}",
                    path.display(),
                    pair[0].trim()
                );
            }
        }
    }
    look(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/api/src"
    )));
}
