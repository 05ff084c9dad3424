//! Dynatrace: a deployment event for each change of an environment.

use burgee_outbound::http::{Method, Request};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::changes::ChangeEvent;
use super::{Call, Config, Integration, Told, of_environment, secret, text, url};

pub(super) const DYNATRACE: Integration = Integration {
    name: "dynatrace",
    mounts: &[of_environment("DynatraceConfiguration")],
    fields: &[
        url("base_url"),
        secret("api_key", 100),
        text("entity_selector", 1000),
    ],
    told: Told::Changes(calls),
};

fn calls(config: &Config, event: &ChangeEvent) -> Vec<Call> {
    let key: String = byte_serialize(config.text("api_key").as_bytes()).collect();
    let url = config.below_base("", &format!("api/v2/events/ingest?api-token={key}"));
    let name = match &event.feature {
        Some(feature) => format!("Flagsmith Deployment - Flag Changed: {}", feature.name),
        None => "Flagsmith Deployment".to_owned(),
    };
    let body = json!({
        "title": "Flagsmith flag change.",
        "eventType": "CUSTOM_DEPLOYMENT",
        "properties": {
            "event": event.text(),
            "environment": event.environment_name(),
            "dt.event.deployment.name": name,
        },
        "entitySelector": config.text("entity_selector"),
    });
    vec![Request::new(Method::POST, url).json(&body).into()]
}
