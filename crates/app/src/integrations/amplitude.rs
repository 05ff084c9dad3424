//! Amplitude: the flags of an identity as properties of the user.

use burgee_outbound::http::{Method, Request};
use serde_json::{Value, json};

use super::identities::IdentityEvent;
use super::{Call, Config, Integration, Told, of_environment, secret, url};

const BASE: &str = "https://api2.amplitude.com";

pub(super) const AMPLITUDE: Integration = Integration {
    name: "amplitude",
    mounts: &[of_environment("AmplitudeConfiguration")],
    fields: &[secret("api_key", 100), url("base_url")],
    told: Told::Identities { at_once: 100, calls },
};

fn calls(config: &Config, events: &[IdentityEvent]) -> Vec<Call> {
    let users: Vec<Value> = events
        .iter()
        .map(|event| json!({ "user_id": event.identifier, "user_properties": event.properties() }))
        .collect();
    let request = Request::new(Method::POST, config.below_base(BASE, "identify")).form(&[
        ("api_key", config.text("api_key")),
        ("identification", &json!(users).to_string()),
    ]);
    vec![request.into()]
}
