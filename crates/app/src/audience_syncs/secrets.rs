//! The secrets inside the contents of objects: sealed where they lie, hidden where they are shown.

use burgee_auth::tokens::Sealer;
use serde_json::{Map, Value};
use url::Url;

use crate::{Error, Result};

/// The fields that are secret, whatever object they stand in. An address is secret in its password.
const SECRETS: &[&str] = &["token", "key", "cohort_key", "url", "uri"];

/// What is shown of a secret.
const HIDDEN: &str = "********";

/// Fields that say where a secret is sent to: it is asked for again when one of them changes.
const WHERE: &[&str] = &["driver", "type", "url", "uri", "instance"];

/// What marks a text as sealed.
const SEAL: &str = "sealed:";

/// Contents whose address is a secret from its path on: whoever knows it may post.
const POSTED_TO: &[&str] = &["slack", "webhook"];

/// Changes every secret text of a content; told is whether it is an address that is secret from its path on.
fn each(content: Value, change: impl Fn(bool, String) -> String) -> Value {
    let Value::Object(fields) = content else {
        return content;
    };
    // A model's `key` is a column and a model has neither of the others.
    let has_secrets = WHERE.iter().any(|name| fields.contains_key(*name));
    let posted_to = is_posted_to(&fields);
    let fields = fields.into_iter().map(|(name, value)| match value {
        Value::String(text) if has_secrets && SECRETS.contains(&name.as_str()) => {
            (name, Value::String(change(posted_to, text)))
        }
        // What a driver is told to connect may be anything.
        Value::Object(options) if name == "options" => {
            let options = options.into_iter().map(|(option, value)| match value {
                Value::String(text) => (option, Value::String(change(false, text))),
                value => (option, value),
            });
            (name, Value::Object(options.collect()))
        }
        value => (name, value),
    });
    Value::Object(fields.collect())
}

fn is_posted_to(fields: &Map<String, Value>) -> bool {
    let kind = fields.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| POSTED_TO.contains(&kind))
}

/// As it is shown.
pub(super) fn hidden(content: Value) -> Value {
    each(content, |posted_to, text| hidden_text(posted_to, &text))
}

fn hidden_text(posted_to: bool, text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            // What stands behind a question mark may be a password as well: `?password=`, a signed address.
            let asks = url.query().is_some();
            if url.password().is_none() && !asks && !posted_to {
                return text.to_owned();
            }
            if url.password().is_some() {
                _ = url.set_password(Some(HIDDEN));
            }
            if posted_to {
                url.set_path(HIDDEN);
            }
            if asks {
                url.set_query(Some(HIDDEN));
            }
            url.to_string()
        }
        _ => HIDDEN.to_owned(),
    }
}

/// As it lies in the database.
pub(super) fn sealed(sealer: &Sealer, content: Value) -> Value {
    each(content, |_, text| format!("{SEAL}{}", sealer.seal(&text)))
}

/// What [`sealed`] has sealed. What can't be opened, because the server's secret is another, is no secret any more.
pub(super) fn opened(sealer: &Sealer, content: Value) -> Value {
    each(content, |_, text| match text.strip_prefix(SEAL) {
        Some(inner) => sealer.open(inner).unwrap_or_default(),
        None => text,
    })
}

/// A content that was written back, with the secrets that it shows as hidden taken from what was there.
///
/// Fails when the place it is sent to has changed: whoever may edit must not learn a secret by sending it to himself.
pub(super) fn kept(content: Value, before: Option<&Value>) -> Result<Value> {
    let nothing = Map::new();
    let before = before.and_then(Value::as_object).unwrap_or(&nothing);
    let Value::Object(fields) = content else {
        return Ok(content);
    };
    let posted_to = is_posted_to(before);
    let shown = |name: &str| {
        let text = before.get(name).and_then(Value::as_str);
        text.map(|text| hidden_text(posted_to, text))
    };
    let moved = WHERE.iter().any(|name| {
        let old = before.get(*name).and_then(Value::as_str);
        let new = fields.get(*name).and_then(Value::as_str);
        new != old && new.map(ToOwned::to_owned) != shown(name)
    });
    let mut kept = Map::new();
    for (name, value) in &fields {
        let text = value.as_str().unwrap_or_default();
        let hidden = SECRETS.contains(&name.as_str()) && text.contains(HIDDEN);
        match before.get(name) {
            Some(old) if hidden && !moved && shown(name).as_deref() == Some(text) => {
                kept.insert(name.clone(), old.clone());
            }
            _ if hidden => {
                let text = "Must be given in full: it is hidden here, and what it was given for has changed.";
                return Err(Error::field(name, text));
            }
            _ => {
                kept.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(Value::Object(kept))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_kept_when_written_back() {
        let stored = json!({"type": "flagsmith", "url": "https://flags.example.com/api/v1", "key": "ser.abc", "trait_prefix": "x_"});
        let shown = hidden(stored.clone());
        assert_eq!(
            shown,
            json!({"type": "flagsmith", "url": "https://flags.example.com/api/v1", "key": "********", "trait_prefix": "x_"})
        );
        assert_eq!(kept(shown.clone(), Some(&stored)).unwrap(), stored);
        let mut other = shown;
        other["trait_prefix"] = json!("y_");
        assert_eq!(kept(other, Some(&stored)).unwrap()["key"], "ser.abc");
    }

    #[test]
    fn a_secret_is_asked_for_again_when_it_would_be_sent_elsewhere() {
        let stored =
            json!({"type": "flagsmith", "url": "https://flags.example.com/api/v1", "key": "ser.abc"});
        let mut shown = hidden(stored.clone());
        shown["url"] = json!("https://evil.example.com/api/v1");
        assert!(kept(shown, Some(&stored)).is_err());
        assert!(kept(json!({"type": "flagsmith", "key": "********"}), Some(&stored)).is_err());
        assert!(kept(json!({"type": "flagsmith", "key": "********"}), None).is_err());
    }

    #[test]
    fn an_address_is_secret_in_its_password_and_in_what_it_asks_for() {
        let stored =
            json!({"driver": "postgres", "url": "postgres://reader:pw@db.example.com/shop?password=p"});
        let shown = hidden(stored.clone());
        assert_eq!(
            shown["url"],
            "postgres://reader:********@db.example.com/shop?********"
        );
        assert_eq!(kept(shown, Some(&stored)).unwrap(), stored);
        // The column that is a model's key is no secret.
        let model = json!({"source": "dwh", "key": "user_id", "table": "users"});
        assert_eq!(hidden(model.clone()), model);
    }

    #[test]
    fn an_address_that_is_posted_to_is_secret_from_its_path_on() {
        let stored = json!({"type": "slack", "url": "https://hooks.slack.com/services/T0/B0/abc"});
        let shown = hidden(stored.clone());
        assert_eq!(shown["url"], "https://hooks.slack.com/********");
        assert_eq!(kept(shown, Some(&stored)).unwrap(), stored);
        let driver = json!({"driver": "adbc", "library": "x", "options": {"password": "pw"}});
        assert_eq!(hidden(driver)["options"]["password"], "********");
    }

    #[test]
    fn what_is_sealed_can_be_opened_and_not_read() {
        let sealer = Sealer::new([7; 32]);
        let stored = json!({"type": "launchdarkly", "token": "api-123", "project": "shop"});
        let kept = sealed(&sealer, stored.clone());
        assert!(!kept.to_string().contains("api-123") && kept["project"] == "shop");
        assert_eq!(opened(&sealer, kept), stored);
    }
}
