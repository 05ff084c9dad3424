//! Filters of lists: comparisons joined by `and`, as identity providers send them.

use serde_json::Value;

use super::{Refusal, ScimError, ScimResult};

/// Comparisons that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    attribute: String,
    operator: Operator,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Present,
}

fn invalid() -> ScimError {
    ScimError(Refusal::InvalidFilter)
}

/// Words and quoted texts, in their order.
fn words(text: &str) -> ScimResult<Vec<&str>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = if rest.starts_with('"') {
            let mut escaped = false;
            let closing = rest.char_indices().skip(1).find(|&(_, c)| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            });
            closing.ok_or_else(invalid)?.0 + 1
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

impl Filter {
    /// Reads a filter such as `userName eq "ann@example.com"`.
    pub fn parse(text: &str) -> ScimResult<Self> {
        let words = words(text)?;
        let mut comparisons = Vec::new();
        let mut rest = words.as_slice();
        loop {
            let (attribute, operator, after) = match rest {
                [attribute, operator, after @ ..] => (*attribute, *operator, after),
                _ => return Err(invalid()),
            };
            let operator = match operator.to_ascii_lowercase().as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::NotEqual,
                "co" => Operator::Contains,
                "sw" => Operator::StartsWith,
                "ew" => Operator::EndsWith,
                "pr" => Operator::Present,
                _ => return Err(invalid()),
            };
            let (value, after) = match (operator, after) {
                (Operator::Present, after) => (Value::Null, after),
                (_, [value, after @ ..]) => (serde_json::from_str(value).map_err(|_| invalid())?, after),
                _ => return Err(invalid()),
            };
            comparisons.push(Comparison {
                attribute: attribute.to_owned(),
                operator,
                value,
            });
            match after {
                [] => return Ok(Self(comparisons)),
                [and, after @ ..] if and.eq_ignore_ascii_case("and") => rest = after,
                _ => return Err(invalid()),
            }
        }
    }

    /// Whether a resource gets through.
    pub fn holds(&self, resource: &Value) -> bool {
        self.0.iter().all(|comparison| comparison.holds(resource))
    }
}

impl Comparison {
    fn holds(&self, resource: &Value) -> bool {
        let mut found = Vec::new();
        collect(resource, &self.attribute, &mut found);
        match self.operator {
            Operator::Present => found.iter().any(|value| !value.is_null()),
            Operator::NotEqual => !found.iter().any(|value| self.compare(value)),
            _ => found.iter().any(|value| self.compare(value)),
        }
    }

    /// Texts are compared without regard to case: so are addresses and names here.
    fn compare(&self, value: &Value) -> bool {
        match (value, &self.value) {
            (Value::String(here), Value::String(wanted)) => {
                let (here, wanted) = (here.to_lowercase(), wanted.to_lowercase());
                match self.operator {
                    Operator::Contains => here.contains(&wanted),
                    Operator::StartsWith => here.starts_with(&wanted),
                    Operator::EndsWith => here.ends_with(&wanted),
                    _ => here == wanted,
                }
            }
            (here, wanted) => here == wanted,
        }
    }
}

/// The values under a dotted name, whatever its case; lists are looked into.
fn collect<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    let name = name.rsplit(':').next().unwrap_or(name);
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, name, found)),
        Value::Object(members) => {
            let (first, rest) = name.split_once('.').map_or((name, None), |(f, r)| (f, Some(r)));
            let member = members.iter().find(|(key, _)| key.eq_ignore_ascii_case(first));
            match (member, rest) {
                (Some((_, value)), Some(rest)) => collect(value, rest, found),
                (Some((_, value)), None) => found.push(value),
                (None, _) => {}
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comparisons_are_read_and_hold_for_what_they_name() {
        let resource = json!({"userName": "Ann@Example.com", "externalId": "a \"b\"", "active": true,
                              "emails": [{"value": "x@y.z"}, {"value": "ann@example.com"}], "name": {"givenName": "Ann"}});
        for (filter, holds) in [
            (r#"userName eq "ann@example.com""#, true),
            (r#"username Eq "bob@example.com""#, false),
            (r#"externalId eq "a \"b\"""#, true),
            (r#"emails.value eq "ann@example.com""#, true),
            (r#"name.givenName sw "a" and active eq true"#, true),
            (r#"name.givenName sw "a" and active eq false"#, false),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:userName co "EXAMPLE""#,
                true,
            ),
            ("externalId pr", true),
            ("title pr", false),
            (r#"userName ne "ann@example.com""#, false),
        ] {
            assert_eq!(
                Filter::parse(filter).expect(filter).holds(&resource),
                holds,
                "{filter}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for filter in [
            "x",
            "userName eq",
            r#"userName eq "a"#,
            r#"userName gt "a""#,
            r#"a eq "b" or c eq "d""#,
            r#"a eq "b" and"#,
            "userName eq ann",
        ] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }
}
