//! Mixpanel: the flags of an identity as properties of its profile.

use burgee_outbound::http::{Method, Request};
use serde_json::{Value, json};

use super::identities::IdentityEvent;
use super::{Call, Config, Integration, Told, of_environment, secret, url};

const BASE: &str = "https://api.mixpanel.com";

pub(super) const MIXPANEL: Integration = Integration {
    name: "mixpanel",
    mounts: &[of_environment("MixpanelConfiguration")],
    fields: &[secret("api_key", 100), url("base_url")],
    told: Told::Identities { at_once: 200, calls },
};

fn calls(config: &Config, events: &[IdentityEvent]) -> Vec<Call> {
    let profiles: Vec<Value> = events
        .iter()
        .map(|event| {
            json!({
                "$token": config.text("api_key"),
                "$distinct_id": event.identifier,
                "$set": event.properties(),
                // The address is this server's, not the user's.
                "$ip": "0",
            })
        })
        .collect();
    let request = Request::new(Method::POST, config.below_base(BASE, "engage"))
        .header("accept", "text/plain")
        .header("X-Mixpanel-Integration-ID", "flagsmith");
    vec![request.json(&Value::Array(profiles)).into()]
}
