//! Grafana: an annotation for each change of a project, or of an organisation.

use burgee_outbound::http::{Method, Request};
use serde_json::json;

use super::changes::ChangeEvent;
use super::{Below, Call, Config, Integration, Mount, Scope, Told, of_project, secret, url};

pub(super) const GRAFANA: Integration = Integration {
    name: "grafana",
    mounts: &[
        of_project("GrafanaProjectConfiguration"),
        // The same, for clients that know the environment only.
        Mount {
            below: Below::Environment,
            scope: Scope::Project,
            schema: "GrafanaProjectConfiguration",
        },
        Mount {
            below: Below::Organisation,
            scope: Scope::Organisation,
            schema: "GrafanaOrganisationConfiguration",
        },
    ],
    fields: &[url("base_url"), secret("api_key", 100)],
    told: Told::Changes(calls),
};

fn calls(config: &Config, event: &ChangeEvent) -> Vec<Call> {
    let mut tags = vec!["flagsmith".to_owned(), format!("project:{}", event.project)];
    if let Some(environment) = &event.environment {
        tags.push(format!("environment:{environment}"));
    }
    tags.push(format!("by:{}", event.author));
    if let Some(feature) = &event.feature {
        tags.push(format!("feature:{}", feature.name));
        if let Some(enabled) = event.enabled {
            tags.push(format!("flag:{}", if enabled { "enabled" } else { "disabled" }));
        }
    }
    if let Some(segment) = &event.segment {
        tags.push(format!("segment:{segment}"));
    }
    tags.extend(event.tags.iter().cloned());
    let milliseconds = event.at / 1000;
    let body = json!({
        "tags": tags, "text": event.log, "time": milliseconds, "timeEnd": milliseconds,
    });
    let request = Request::new(Method::POST, config.below_base("", "api/annotations"))
        .header("Authorization", format!("Bearer {}", config.text("api_key")));
    vec![request.json(&body).into()]
}
