//! `RudderStack`: the flags of an identity as traits of the user.

use std::io::Write as _;

use burgee_model::Timestamp;
use burgee_outbound::http::{Method, Request};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::identities::IdentityEvent;
use super::segment::basic;
use super::{Call, Config, Integration, Told, of_environment, secret, url};

const BASE: &str = "https://hosted.rudderlabs.com";

pub(super) const RUDDERSTACK: Integration = Integration {
    name: "rudderstack",
    mounts: &[of_environment("RudderstackConfiguration")],
    fields: &[url("base_url"), secret("api_key", 100)],
    told: Told::Identities { at_once: 50, calls },
};

fn calls(config: &Config, events: &[IdentityEvent]) -> Vec<Call> {
    let messages: Vec<Value> = events.iter().map(message).collect();
    let body = json!({ "batch": messages, "sentAt": Timestamp::now().rest() });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let packed = encoder
        .write_all(body.to_string().as_bytes())
        .and_then(|()| encoder.finish())
        .unwrap_or_default();
    let request = Request::new(Method::POST, config.below_base(BASE, "v1/batch"))
        .header("Authorization", basic(config.text("api_key")))
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(packed);
    vec![request.into()]
}

fn message(event: &IdentityEvent) -> Value {
    let at = Timestamp(event.at).rest();
    json!({
        "type": "identify",
        "channel": "server",
        "userId": event.identifier,
        "messageId": Uuid::new_v4().to_string(),
        "timestamp": at,
        "originalTimestamp": at,
        "context": {
            "traits": event.properties(),
            "library": { "name": "burgee", "version": env!("CARGO_PKG_VERSION") },
        },
        "integrations": {},
    })
}
