//! Datadog: an event for each change of a project.

use burgee_outbound::http::{Method, Request};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::changes::{ChangeEvent, TITLE};
use super::{Call, Config, Integration, Told, of_project, required_url, secret, switch};

pub(super) const DATADOG: Integration = Integration {
    name: "datadog",
    mounts: &[of_project("DataDogConfiguration")],
    fields: &[
        required_url("base_url"),
        secret("api_key", 100),
        switch("use_custom_source", false),
    ],
    told: Told::Changes(calls),
};

fn calls(config: &Config, event: &ChangeEvent) -> Vec<Call> {
    let key: String = byte_serialize(config.text("api_key").as_bytes()).collect();
    let url = config.below_base("", &format!("api/v1/events?api_key={key}"));
    let mut body = json!({
        "text": event.text(),
        "title": TITLE,
        "tags": [format!("env:{}", event.environment_name())],
    });
    if config.truth("use_custom_source") {
        body["source_type_name"] = "flagsmith".into();
    }
    vec![Request::new(Method::POST, url).json(&body).into()]
}
