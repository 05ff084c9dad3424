//! New Relic: a deployment marker for each change of a project.

use burgee_outbound::http::{Method, Request};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::changes::{ChangeEvent, TITLE};
use super::{Call, Config, Integration, Told, of_project, secret, text, url};

const BASE: &str = "https://api.newrelic.com";

pub(super) const NEW_RELIC: Integration = Integration {
    name: "new-relic",
    mounts: &[of_project("NewRelicConfiguration")],
    fields: &[url("base_url"), secret("api_key", 100), text("app_id", 100)],
    told: Told::Changes(calls),
};

fn calls(config: &Config, event: &ChangeEvent) -> Vec<Call> {
    let app: String = byte_serialize(config.text("app_id").as_bytes()).collect();
    let url = config.below_base(BASE, &format!("v2/applications/{app}/deployments.json"));
    let body = json!({
        "deployment": {
            "revision": format!("env:{}", event.environment_name()),
            "changelog": event.text(),
            "description": TITLE,
        },
    });
    let request = Request::new(Method::POST, url).header("X-Api-Key", config.text("api_key"));
    vec![request.json(&body).into()]
}
