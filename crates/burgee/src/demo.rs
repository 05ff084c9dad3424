//! `--demo`: something to try things on, from the file `demo.json`.
//!
//! It is filled in through the management API, in process, as a user would do it. What was made is remembered in the
//! database, so that a second start changes nothing and shows the same keys.

use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use burgee_app::{App, sessions, users};
use burgee_store::settings;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const FILE: &str = include_str!("demo.json");

/// Its name among the settings in the database.
const SETTING: &str = "demo";

/// Makes the example when it is not there, and returns the lines to print.
pub async fn fill(app: &App, router: &Router) -> anyhow::Result<Vec<String>> {
    let mut tx = app.db().read().await?;
    let made = settings::get(&mut tx, SETTING).await?;
    drop(tx);
    let (made, password) = if let Some(text) = made {
        (
            serde_json::from_str(&text).context("the demo's note in the database")?,
            None,
        )
    } else {
        let (made, password) = make(app, router).await?;
        let mut tx = app.db().begin().await?;
        settings::get_or_set(&mut tx, SETTING, &without_secrets(made.clone()).to_string()).await?;
        tx.commit().await?;
        (made, password)
    };
    Ok(lines(app, &made, password.as_deref()))
}

/// What is remembered of what was made. Server-side keys are shown where they are made, and kept where keys are kept.
fn without_secrets(mut made: Value) -> Value {
    for environment in made["environments"].as_array_mut().into_iter().flatten() {
        if let Some(fields) = environment.as_object_mut() {
            fields.remove("server_key");
        }
    }
    made
}

fn lines(app: &App, made: &Value, password: Option<&str>) -> Vec<String> {
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let url = &app.settings().public_url;
    let mut lines = vec![format!(
        "Demo: log in as {} {}",
        text("administrator"),
        match password {
            Some(password) => format!("with the password {password} (shown only this once)"),
            None => "with the password shown at its first start".to_owned(),
        }
    )];
    for environment in made["environments"].as_array().into_iter().flatten() {
        let part = |name: &str| environment[name].as_str().unwrap_or_default();
        lines.push(format!(
            "Demo: {} has the client-side key {}",
            part("name"),
            part("client_key")
        ));
        if !part("server_key").is_empty() {
            lines.push(format!(
                "Demo: {} has the server-side key {} (shown only this once)",
                part("name"),
                part("server_key")
            ));
        }
    }
    let key = made["environments"][0]["client_key"].as_str().unwrap_or_default();
    lines.push(format!(
        "Try: curl -s '{url}/api/v1/identities/?identifier=ada' -H 'X-Environment-Key: {key}'"
    ));
    lines
}

/// Makes everything the file names. The password is there when the administrator was made here.
async fn make(app: &App, router: &Router) -> anyhow::Result<(Value, Option<String>)> {
    let file: Value = serde_json::from_str(FILE).context("demo.json")?;
    let email = file["administrator"].as_str().unwrap_or_default();
    let password = format!("{}-1a", burgee_model::keys::alphanumeric(14));
    users::create_superuser(app, email, &password)
        .await
        .context("cannot make the demo's administrator")?;
    let log_in = sessions::log_in(app, &sessions::Client::default(), email, password.clone()).await?;
    let sessions::LoggedIn::Key(token) = log_in else {
        bail!("the demo's administrator can't log in")
    };
    let maker = Maker { router, token };
    let environments = maker.all(&file).await?;
    Ok((
        json!({ "administrator": email, "environments": environments }),
        Some(password),
    ))
}

/// Calls the API on behalf of the administrator.
struct Maker<'a> {
    router: &'a Router,
    token: String,
}

impl Maker<'_> {
    async fn all(&self, file: &Value) -> anyhow::Result<Vec<Value>> {
        let organisation = self
            .post("/api/v1/organisations/", json!({ "name": file["organisation"] }))
            .await?;
        let project = json!({ "name": file["project"], "organisation": organisation["id"] });
        let project = self.post("/api/v1/projects/", project).await?["id"].clone();
        self.patch(
            &format!("/api/v1/projects/{project}/"),
            json!({ "enable_realtime_updates": true }),
        )
        .await?;
        let mut environments = Vec::new();
        for name in items(&file["environments"]) {
            environments.push(
                self.post(
                    "/api/v1/environments/",
                    json!({ "name": name, "project": project }),
                )
                .await?,
            );
        }
        let tags = self
            .named(
                &format!("/api/v1/projects/{project}/tags/"),
                "label",
                items(&file["tags"]),
            )
            .await?;
        let features = self.features(&project, &tags, items(&file["features"])).await?;
        let Some(first) = environments.first() else {
            bail!("demo.json names no environment")
        };
        for segment in items(&file["segments"]) {
            self.segment(&project, first, &features, segment).await?;
        }
        for identity in items(&file["identities"]) {
            self.identity(first, &features, identity).await?;
        }
        let mut noted = Vec::new();
        for environment in environments {
            let path = format!("/api/v1/environments/{}/api-keys/", text(&environment["api_key"]));
            let server = self.post(&path, json!({ "name": "demo" })).await?;
            noted.push(json!({
                "name": environment["name"], "client_key": environment["api_key"], "server_key": server["key"],
            }));
        }
        Ok(noted)
    }

    /// Makes objects and returns their ids by name.
    async fn named(&self, path: &str, name: &str, objects: &[Value]) -> anyhow::Result<Value> {
        let mut ids = json!({});
        for object in objects {
            ids[text(&object[name])] = self.post(path, object.clone()).await?["id"].clone();
        }
        Ok(ids)
    }

    async fn features(&self, project: &Value, tags: &Value, features: &[Value]) -> anyhow::Result<Value> {
        let path = format!("/api/v1/projects/{project}/features/");
        let mut ids = json!({});
        for feature in features {
            let mut body = feature.clone();
            body["tags"] = items(&feature["tags"])
                .iter()
                .map(|tag| tags[text(tag)].clone())
                .collect();
            let id = self.post(&path, body).await?["id"].clone();
            for option in items(&feature["options"]) {
                let option = json!({
                    "feature": id, "type": "unicode", "key": option["key"], "string_value": option["string_value"],
                    "default_percentage_allocation": option["share"],
                });
                self.post(&format!("{path}{id}/mv-options/"), option).await?;
            }
            ids[text(&feature["name"])] = id;
        }
        Ok(ids)
    }

    async fn segment(
        &self,
        project: &Value,
        place: &Value,
        features: &Value,
        segment: &Value,
    ) -> anyhow::Result<()> {
        // Each condition in a rule of its own: all of them must hold.
        let rules = items(&segment["conditions"])
            .iter()
            .map(|condition| json!({ "type": "ANY", "rules": [], "conditions": [condition] }));
        let body = json!({
            "name": segment["name"], "description": segment["description"], "project": project,
            "rules": [{ "type": "ALL", "conditions": [], "rules": rules.collect::<Value>() }],
        });
        let id = self
            .post(&format!("/api/v1/projects/{project}/segments/"), body)
            .await?["id"]
            .clone();
        for change in items(&segment["overrides"]) {
            let feature = &features[text(&change["feature"])];
            let key = text(&place["api_key"]);
            let path = format!("/api/v1/environments/{key}/features/{feature}/create-segment-override/");
            let value = match &change["value"] {
                Value::Null => json!({ "type": "unicode", "string_value": null }),
                value => value.clone(),
            };
            let enabled = &change["enabled"];
            let body = json!({ "enabled": enabled, "feature_segment": { "segment": id }, "feature_state_value": value });
            self.post(&path, body).await?;
        }
        Ok(())
    }

    async fn identity(&self, place: &Value, features: &Value, identity: &Value) -> anyhow::Result<()> {
        let key = text(&place["api_key"]);
        let path = format!("/api/v1/environments/{key}/identities/");
        let id = self
            .post(&path, json!({ "identifier": identity["identifier"] }))
            .await?["id"]
            .clone();
        let traits = identity["traits"].as_object().into_iter().flatten();
        let traits: Value = traits
            .map(|(key, value)| json!({ "trait_key": key, "trait_value": value }))
            .collect();
        let body = json!({ "identifier": identity["identifier"], "traits": traits });
        let request = Request::builder()
            .uri("/api/v1/identities/")
            .header("x-environment-key", key);
        self.send(request.method(Method::POST), body).await?;
        for change in items(&identity["overrides"]) {
            let mut body = change.clone();
            body["feature"] = features[text(&change["feature"])].clone();
            self.post(&format!("{path}{id}/featurestates/"), body).await?;
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::PATCH, path, body).await
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        let authorization = format!("Token {}", self.token);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, authorization);
        self.send(request, body)
            .await
            .with_context(|| format!("the demo's call of {path}"))
    }

    async fn send(&self, request: axum::http::request::Builder, body: Value) -> anyhow::Result<Value> {
        const LARGEST: usize = 10 << 20;
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))?;
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), LARGEST).await?;
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&bytes));
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
