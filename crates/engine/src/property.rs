//! What the left-hand sides of conditions name, interned: a trait, or a place in the evaluation context.

use std::collections::HashMap;

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::definition::Definition;
use crate::text_set::TextSet;

/// Bytes of a JSON path; a longer one is taken for a trait key.
const MAX_PATH: usize = 1_000;
/// Brackets a JSON path may nest, for its parser recurses.
const MAX_PATH_NESTING: usize = 16;
/// Wildcards, descents and filters of a path. Each multiplies the nodes visited by the document's depth.
const MAX_PATH_FANS: usize = 3;

/// The distinct properties of an environment.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    keys: TextSet,
    /// The properties that have a meaning when no trait bears their name, and which.
    special: Vec<(u32, Path)>,
    /// Whether a path may look at more than the identity.
    pub(crate) needs_document: bool,
}

/// A place in the evaluation context.
#[derive(Debug)]
pub(crate) enum Path {
    Identifier,
    IdentityKey,
    /// The same whoever asks.
    Constant(Value),
    /// The trait of another property, by its index.
    Trait(u32),
    Flag {
        feature: u32,
        field: FlagField,
    },
    /// Whether the identity is in a list of members.
    List(usize),
    Query(Box<JsonPath>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum FlagField {
    Enabled,
    Value,
    Variant,
}

impl Properties {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, index: u32) -> &str {
        self.keys.get(index as usize).unwrap_or_default()
    }

    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.keys.position(key)
    }

    pub(crate) fn special(&self) -> &[(u32, Path)] {
        &self.special
    }

    pub(crate) fn path(&self, index: u32) -> Option<&Path> {
        let at = self
            .special
            .binary_search_by_key(&index, |(property, _)| *property)
            .ok()?;
        self.special.get(at).map(|(_, path)| path)
    }

    pub(crate) fn has_flags(&self) -> bool {
        self.special
            .iter()
            .any(|(_, path)| matches!(path, Path::Flag { .. }))
    }
}

/// Collects the properties while segments are compiled.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    keys: Vec<String>,
    indices: HashMap<String, u32>,
}

impl Interner {
    pub(crate) fn intern(&mut self, key: &str) -> u32 {
        if let Some(index) = self.indices.get(key) {
            return *index;
        }
        let index = self.keys.len() as u32;
        self.keys.push(key.to_owned());
        self.indices.insert(key.to_owned(), index);
        index
    }

    pub(crate) fn finish(mut self, definition: &Definition, features: &HashMap<&str, u32>) -> Properties {
        let mut properties = Properties::default();
        // Interning the trait behind a path appends keys, which are no paths themselves or come up later.
        let mut index = 0;
        while let Some(key) = self.keys.get(index).cloned() {
            if key.starts_with("$.")
                && let Some(path) = self.resolve(&key, definition, features)
            {
                properties.needs_document |= matches!(path, Path::Query(_)) && !is_about_identity(&key);
                properties.special.push((index as u32, path));
            }
            index += 1;
        }
        properties.keys = TextSet::new(self.keys.iter().map(String::as_str));
        properties
    }

    /// What a path means; `None` if it is no path or leads nowhere.
    fn resolve(&mut self, key: &str, definition: &Definition, features: &HashMap<&str, u32>) -> Option<Path> {
        let members = plain_members(key).unwrap_or_default();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        match members.as_slice() {
            ["identity", "identifier"] => Some(Path::Identifier),
            ["identity", "key"] => Some(Path::IdentityKey),
            ["identity", "traits", name] => Some(Path::Trait(self.intern(name))),
            ["environment", "key"] => Some(Path::Constant(definition.environment_key.as_str().into())),
            ["environment", "name"] => Some(Path::Constant(definition.environment_name.as_str().into())),
            ["flags", name, field] => {
                let field = match *field {
                    "enabled" => FlagField::Enabled,
                    "value" => FlagField::Value,
                    "variant" => FlagField::Variant,
                    _ => return None,
                };
                Some(Path::Flag {
                    feature: *features.get(name)?,
                    field,
                })
            }
            // A list that is none has nobody in it.
            ["lists", key] => definition
                .lists
                .iter()
                .position(|list| list == key)
                .map(Path::List),
            ["flags" | "lists", ..] => None,
            _ => is_tame(key)
                .then(|| JsonPath::parse(key).ok())
                .flatten()
                .map(|path| Path::Query(Box::new(path))),
        }
    }
}

/// A flag that a property names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagInPath {
    pub name: String,
    /// Whether it asks for something that flags have: `enabled`, `value` or `variant`.
    pub is_known_field: bool,
}

/// The flag that a property of a condition names: `$.flags.<name>.<field>`.
pub fn flag_in_path(property: &str) -> Option<FlagInPath> {
    let members = property
        .starts_with("$.")
        .then(|| plain_members(property))
        .flatten()?;
    match members.as_slice() {
        [flags, name, field] if flags == "flags" => Some(FlagInPath {
            name: name.clone(),
            is_known_field: matches!(field.as_str(), "enabled" | "value" | "variant"),
        }),
        _ => None,
    }
}

/// The key of the list of members that a property of a condition names: `$.lists.<key>`.
pub fn list_in_path(property: &str) -> Option<String> {
    let members = property
        .starts_with("$.")
        .then(|| plain_members(property))
        .flatten()?;
    match members.as_slice() {
        [lists, key] if lists == "lists" => Some(key.clone()),
        _ => None,
    }
}

/// Whether the path can only lead into `$.identity`.
fn is_about_identity(path: &str) -> bool {
    path.matches('$').count() == 1
        && path
            .strip_prefix("$.identity")
            .is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// Whether a path is cheap enough to parse and to follow.
fn is_tame(path: &str) -> bool {
    let nesting = path.matches(['[', '(', '!']).count();
    let fans = path.matches("..").count() + path.matches(['*', '?', ':']).count();
    path.len() <= MAX_PATH && nesting <= MAX_PATH_NESTING && fans <= MAX_PATH_FANS
}

/// The member names of a path made of nothing else: `$.a.b` or `$.a['b']`. Keys of lists, which are made of names with
/// hyphens, need no brackets for them.
fn plain_members(path: &str) -> Option<Vec<String>> {
    let mut rest = path.strip_prefix('$')?;
    let mut members: Vec<String> = Vec::new();
    while !rest.is_empty() {
        let name;
        if let Some(bracketed) = rest.strip_prefix('[') {
            let quote = bracketed.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
            let (quoted, after) = bracketed[1..].split_once(quote)?;
            if quoted.contains(|c: char| c == '\\' || c.is_control()) {
                return None;
            }
            (name, rest) = (quoted, after.strip_prefix(']')?);
        } else {
            let dotted = rest.strip_prefix('.')?;
            let is_list = members == ["lists"];
            let is_name =
                |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() || (is_list && c == '-');
            let end = dotted.find(|c| !is_name(c)).unwrap_or(dotted.len());
            (name, rest) = dotted.split_at(end);
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
        }
        members.push(name.to_owned());
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_read_without_a_query() {
        assert_eq!(
            plain_members("$.a.b_1"),
            Some(vec!["a".to_owned(), "b_1".to_owned()])
        );
        assert_eq!(
            plain_members("$.a['[$the.size$]']"),
            Some(vec!["a".to_owned(), "[$the.size$]".to_owned()])
        );
        for path in ["$.lists.high-value", "$.lists['high-value']"] {
            assert_eq!(list_in_path(path).as_deref(), Some("high-value"), "{path}");
        }
        for path in [
            "$.a.",
            "$.a[0]",
            "$.a-b",
            "$..a",
            "$.1a",
            "$.a['b'",
            "$.*",
            "$.a['it\\'s']",
            "$.é é",
        ] {
            assert_eq!(plain_members(path), None, "{path}");
        }
    }

    #[test]
    fn the_flag_in_a_path_is_found() {
        let flag = |name: &str, is_known_field| {
            Some(FlagInPath {
                name: name.to_owned(),
                is_known_field,
            })
        };
        assert_eq!(flag_in_path("$.flags.checkout.enabled"), flag("checkout", true));
        assert_eq!(
            flag_in_path("$.flags['check out'].value"),
            flag("check out", true)
        );
        assert_eq!(flag_in_path("$.flags.checkout.colour"), flag("checkout", false));
        assert_eq!(flag_in_path("$.identity.traits.flags"), None);
        assert_eq!(flag_in_path("flags.checkout.enabled"), None);
    }

    #[test]
    fn paths_that_fan_out_or_nest_too_far_are_not_followed() {
        assert!(is_tame("$.identity.traits[?@.a == 1]"));
        assert!(!is_tame("$..*..*..*"));
        assert!(!is_tame(&format!("$.a[?{}", "(".repeat(100))));
        assert!(!is_tame(&format!("$.{}", "a".repeat(1000))));
    }
}
