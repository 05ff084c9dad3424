//! Sentry: change tracking of the flags of an environment.

use burgee_auth::signatures;
use burgee_model::Timestamp;
use burgee_outbound::http::{Method, Request};
use serde_json::json;

use super::changes::ChangeEvent;
use super::{Call, Config, Field, FieldKind, Integration, Told, of_environment, required_url};

pub(super) const SENTRY: Integration = Integration {
    name: "sentry",
    mounts: &[of_environment("SentryChangeTrackingConfiguration")],
    fields: &[
        required_url("webhook_url"),
        Field {
            name: "secret",
            kind: FieldKind::Text { min: 10, max: 60 },
            required: true,
            secret: true,
        },
    ],
    told: Told::Changes(calls),
};

fn calls(config: &Config, event: &ChangeEvent) -> Vec<Call> {
    // Of flags alone, and of these what everybody gets.
    let told = event
        .feature
        .as_ref()
        .filter(|_| event.object_type == "FEATURE_STATE");
    let Some(feature) = told else {
        return Vec::new();
    };
    let action = match event.action.as_str() {
        "CREATE" => "created",
        "DELETE" => "deleted",
        _ => "updated",
    };
    let at = Timestamp(event.at).rest();
    let body = json!({
        "data": [{
            "action": action,
            "flag": feature.name,
            "created_at": at.replace('Z', "+00:00"),
            "change_id": event.object_id.to_string(),
            "created_by": { "id": event.author, "type": "email" },
        }],
        "meta": { "version": 1 },
    });
    // The bytes that are signed are the bytes that are sent.
    let body = body.to_string();
    let signature = signatures::hex_hmac(config.text("secret"), body.as_bytes());
    let request = Request::new(Method::POST, config.text("webhook_url"))
        .header("content-type", "application/json")
        .header("X-Sentry-Signature", signature)
        .body(body);
    vec![request.into()]
}
