//! Heap: an event with the flags of an identity.

use burgee_outbound::http::{Method, Request};
use serde_json::json;

use super::identities::IdentityEvent;
use super::{Call, Config, Integration, Told, of_environment, secret, url};

const BASE: &str = "https://heapanalytics.com";

pub(super) const HEAP: Integration = Integration {
    name: "heap",
    mounts: &[of_environment("HeapConfiguration")],
    fields: &[secret("api_key", 100), url("base_url")],
    told: Told::Identities { at_once: 20, calls },
};

fn calls(config: &Config, events: &[IdentityEvent]) -> Vec<Call> {
    let call = |event: &IdentityEvent| {
        let body = json!({
            "app_id": config.text("api_key"),
            "identity": event.identifier,
            "event": "Flagsmith Feature Flags",
            "properties": event.properties(),
        });
        Request::new(Method::POST, config.below_base(BASE, "api/track"))
            .json(&body)
            .into()
    };
    events.iter().map(call).collect()
}
