//! `PATCH`: a list of operations on a resource (RFC 7644, 3.5.2), as the large identity providers send it.

use serde_json::{Map, Value};

use super::{ScimError, ScimResult};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    Add,
    Remove,
    Replace,
}

/// One attribute that an operation is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub does: Does,
    /// In lower case, without the name of a schema.
    pub path: String,
    pub value: Value,
}

/// The operations of a body, each about one attribute: one without a path is as many as its value has members.
pub fn operations(body: &Value) -> ScimResult<Vec<Operation>> {
    let list = member(body, "operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| ScimError::invalid("Operations are missing"))?;
    let mut all = Vec::new();
    for operation in list {
        let word = member(operation, "op")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let does = match word.to_ascii_lowercase().as_str() {
            "add" => Does::Add,
            "remove" => Does::Remove,
            "replace" => Does::Replace,
            _ => return Err(ScimError::invalid(format!("there is no operation {word:?}"))),
        };
        let value = member(operation, "value").cloned().unwrap_or_default();
        match (member(operation, "path").and_then(Value::as_str), value) {
            (Some(path), value) => all.push(Operation {
                does,
                path: plain(path),
                value,
            }),
            (None, Value::Object(members)) => all.extend(flat(does, "", members)),
            (None, _) => return Err(ScimError::invalid("an operation has neither path nor object")),
        }
    }
    Ok(all)
}

/// A member, whatever its case: some providers write `Operations`, some `operations`.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let members = value.as_object()?;
    members
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn plain(path: &str) -> String {
    let path = path.trim();
    // The name of a schema has colons; so may a quoted value, which comes after a bracket.
    let head = path.find('[').map_or(path, |at| &path[..at]);
    let start = head.rfind(':').map_or(0, |at| at + 1);
    let path = &path[start..];
    // Only what is not quoted may lose its case.
    match path.find('[') {
        Some(at) => format!("{}{}", path[..at].to_ascii_lowercase(), &path[at..]),
        None => path.to_ascii_lowercase(),
    }
}

fn flat(does: Does, before: &str, members: Map<String, Value>) -> Vec<Operation> {
    let mut all = Vec::new();
    for (name, value) in members {
        let path = format!("{before}{}", plain(&name));
        match value {
            Value::Object(inner) if path == "name" => all.extend(flat(does, "name.", inner)),
            value => all.push(Operation { does, path, value }),
        }
    }
    all
}

/// The texts under `value` of a list of objects, or of one: how members and addresses are written.
pub fn values(value: &Value) -> Vec<String> {
    let one = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        item => Some(member(item, "value")?.as_str()?.to_owned()),
    };
    match value {
        Value::Array(items) => items.iter().filter_map(one).collect(),
        item => one(item).into_iter().collect(),
    }
}

/// The text that a path in brackets names: `members[value eq "x"]`.
pub fn selected(path: &str) -> Option<&str> {
    let inner = path.split_once('[')?.1.split_once(']')?.0;
    let (attribute, text) = inner.split_once('"')?;
    let mut words = attribute.split_whitespace();
    let is_value = words.next()?.eq_ignore_ascii_case("value") && words.next()?.eq_ignore_ascii_case("eq");
    is_value.then_some(text.trim_end().strip_suffix('"')?)
}

/// A yes or no, also in the words that some providers write it in.
pub fn truth(value: &Value) -> ScimResult<bool> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(ScimError::invalid("active is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_come_one_attribute_each_whatever_the_provider_writes() {
        let body = json!({"Operations": [
            {"op": "Replace", "path": "active", "value": "False"},
            {"op": "replace", "value": {"active": true, "name": {"givenName": "Ann"}, "name.familyName": "Lee"}},
            {"op": "remove", "path": "members[value eq \"A:b\"]"},
            {"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:userName", "value": "x"},
        ]});
        let found = operations(&body).expect("operations");
        let paths: Vec<&str> = found.iter().map(|operation| operation.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "active",
                "active",
                "name.givenname",
                "name.familyname",
                "members[value eq \"A:b\"]",
                "username"
            ]
        );
        assert_eq!(selected(paths[4]), Some("A:b"));
        assert!(!truth(&found[0].value).expect("a truth"));
        for wrong in [
            json!({}),
            json!({"Operations": [{"op": "move"}]}),
            json!({"Operations": [{"op": "add", "value": 1}]}),
        ] {
            assert!(operations(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn members_are_named_by_value() {
        assert_eq!(
            values(&json!([{"value": "a"}, {"value": "b", "display": "B"}])),
            ["a", "b"]
        );
        assert_eq!(values(&json!({"value": "a"})), ["a"]);
        assert_eq!(selected("members"), None);
        assert_eq!(selected("members[display eq \"a\"]"), None);
    }
}
