//! Kinds of value that several sections use. Each refuses a wrong value with what is allowed.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

/// A switch, as Python settings write it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" => Some(true),
        "false" | "0" | "no" | "n" | "off" | "f" => Some(false),
        _ => None,
    }
}

/// A text that is never printed or logged.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for handing it to whoever needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "\"\"" } else { MASK })
    }
}

/// What is printed in place of a secret.
pub(super) const MASK: &str = "********";

/// A URL with its password masked, wherever in it the password is.
pub(super) fn mask_url(text: &str) -> String {
    // A text that should be a URL and is none may still hold a password.
    let Ok(mut url) = Url::parse(text) else {
        return if text.contains('@') {
            MASK.to_owned()
        } else {
            text.to_owned()
        };
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    let is_secret = |name: &str| name.contains("password") || name.contains("token") || name.contains("key");
    if url.query_pairs().any(|(name, _)| is_secret(&name)) {
        url.set_query(Some(MASK));
    }
    url.into()
}

/// A whole number from `MIN` to `MAX`, both included.
pub(super) fn between<'de, const MIN: i64, const MAX: i64, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let given = i64::deserialize(input)?;
    let allowed = || D::Error::custom(format!("must be a whole number from {MIN} to {MAX}, not {given}"));
    if !(MIN..=MAX).contains(&given) {
        return Err(allowed());
    }
    T::try_from(given).map_err(|_| allowed())
}

/// Whether `text` can be the name of an HTTP header.
fn is_header_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Names of HTTP headers.
pub(super) fn header_names<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(input)?;
    match names.iter().find(|name| !is_header_name(name)) {
        Some(wrong) => Err(D::Error::custom(format!(
            "must be names of HTTP headers, not {wrong:?}"
        ))),
        None => Ok(names),
    }
}

/// An `http://` or `https://` URL, or `None` for an empty text.
pub(super) fn optional_web_url<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(input)?;
    if text.is_empty() {
        return Ok(None);
    }
    web_url(&text)
        .map(Some)
        .ok_or_else(|| D::Error::custom("must be a URL that starts with http:// or https://"))
}

/// Reads an absolute web URL.
pub(super) fn web_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A text, or `None` for an empty one.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(input)?;
    Ok((!text.is_empty()).then_some(text))
}

/// An e-mail address, or `None` for an empty text. Looks only for what a slip of the pen would break.
pub(super) fn optional_email<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let Some(text) = optional_text(input)? else {
        return Ok(None);
    };
    match text.rsplit_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace) => {
            Ok(Some(text))
        }
        _ => Err(D::Error::custom(
            "must be an e-mail address, such as admin@example.com",
        )),
    }
}
