//! Signing in elsewhere: what GitHub, Google and `OpenID` Connect providers say of somebody.

pub mod github;
pub mod google;
pub mod oidc;

use burgee_outbound::http::{Answer, Error as HttpError};
use serde_json::Value;

/// What a provider says of somebody who signed in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Names him at the provider, for ever.
    pub subject: String,
    /// In lower case.
    pub email: String,
    /// Whether the provider made sure that the address is his.
    pub email_verified: bool,
    pub first_name: String,
    pub last_name: String,
}

/// Why nobody was signed in. The text is for the log and holds nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProviderError(pub String);

impl ProviderError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The JSON of an answer that went well.
fn json(answer: Result<Answer, HttpError>, what: &str) -> Result<Value, ProviderError> {
    let answer = answer.map_err(|error| ProviderError(format!("{what}: {error}")))?;
    if !answer.is_success() {
        return Err(ProviderError(format!("{what} answered {}", answer.status)));
    }
    answer
        .json()
        .ok_or_else(|| ProviderError(format!("{what} answered no JSON")))
}

/// A number or text as text.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// First and last name from one text.
fn split_name(name: &str) -> (String, String) {
    let (first, last) = name.trim().split_once(' ').unwrap_or((name.trim(), ""));
    (first.trim().to_owned(), last.trim().to_owned())
}
