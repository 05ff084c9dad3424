//! A webhook that is told of each identity: its traits, its flags, its segments.

use burgee_auth::signatures;
use burgee_model::Timestamp;
use burgee_outbound::http::{Method, Request};
use serde_json::json;
use uuid::Uuid;

use super::identities::IdentityEvent;
use super::{Call, Config, Field, FieldKind, Integration, Told, of_environment, required_url};
use crate::python_json;

pub(super) const WEBHOOK: Integration = Integration {
    name: "webhook",
    mounts: &[of_environment("WebhookConfiguration")],
    fields: &[
        required_url("url"),
        Field {
            name: "secret",
            kind: FieldKind::Text { min: 0, max: 255 },
            required: false,
            secret: true,
        },
    ],
    told: Told::Identities { at_once: 20, calls },
};

fn calls(config: &Config, events: &[IdentityEvent]) -> Vec<Call> {
    events.iter().map(|event| call(config, event)).collect()
}

fn call(config: &Config, event: &IdentityEvent) -> Call {
    let body = python_json::text(&json!({
        "identity": event.identifier,
        "traits": event.traits,
        "flags": event.flags,
        "segments": event.segments,
    }));
    let (id, seconds) = (Uuid::new_v4().to_string(), Timestamp::now().epoch_second());
    let mut request = Request::new(Method::POST, config.text("url"))
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds.to_string());
    let secret = config.text("secret");
    if !secret.is_empty() {
        request = request
            .header(
                "X-Flagsmith-Signature",
                signatures::hex_hmac(secret, body.as_bytes()),
            )
            .header(
                "webhook-signature",
                signatures::standard_webhook(secret, &id, seconds, body.as_bytes()),
            );
    }
    request.body(body).into()
}
