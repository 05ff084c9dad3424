//! Segment: the flags of an identity as traits of the user.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_model::Timestamp;
use burgee_outbound::http::{Method, Request};
use serde_json::{Value, json};
use uuid::Uuid;

use super::identities::IdentityEvent;
use super::{Call, Config, Field, FieldKind, Integration, Told, of_environment, secret};

const BASES: &[&str] = &["https://api.segment.io/", "https://events.eu1.segmentapis.com/"];

pub(super) const SEGMENT: Integration = Integration {
    name: "segment",
    mounts: &[of_environment("SegmentConfiguration")],
    fields: &[
        secret("api_key", 100),
        Field {
            name: "base_url",
            kind: FieldKind::OneOf(BASES),
            required: false,
            secret: false,
        },
    ],
    told: Told::Identities { at_once: 50, calls },
};

fn calls(config: &Config, events: &[IdentityEvent]) -> Vec<Call> {
    let messages: Vec<Value> = events.iter().map(message).collect();
    let body = json!({ "batch": messages, "sentAt": Timestamp::now().rest() });
    let request = Request::new(Method::POST, config.below_base(BASES[0], "v1/batch"))
        .header("Authorization", basic(config.text("api_key")));
    vec![request.json(&body).into()]
}

fn message(event: &IdentityEvent) -> Value {
    json!({
        "type": "identify",
        "userId": event.identifier,
        "traits": event.properties(),
        "messageId": Uuid::new_v4().to_string(),
        "timestamp": Timestamp(event.at).rest(),
        "context": { "library": { "name": "burgee", "version": env!("CARGO_PKG_VERSION") } },
        "integrations": {},
        "anonymousId": null,
    })
}

/// The key as the user of HTTP's basic authentication, without a password.
pub(super) fn basic(key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{key}:")))
}
