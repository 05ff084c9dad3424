//! A small installation to tell stories in, made through the API as a user would make it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::{Answer, TestApp};

/// An organisation with a project and an environment, and the keys to it.
#[derive(Debug)]
pub struct World {
    pub app: TestApp,
    /// The administrator's token.
    pub token: String,
    pub organisation: i64,
    pub project: i64,
    pub environment: i64,
    /// The client-side key.
    pub client: String,
    /// A server-side key.
    pub server: String,
}

impl World {
    /// Signs up an administrator and makes the rest.
    pub async fn new(app: TestApp) -> Self {
        let token = app.sign_up_superuser("ada@example.com").await;
        let mut world = Self {
            app,
            token,
            organisation: 0,
            project: 0,
            environment: 0,
            client: String::new(),
            server: String::new(),
        };
        world.organisation = id(&world
            .post("/api/v1/organisations/", json!({"name": "Acme"}))
            .await);
        let project = json!({"name": "Web", "organisation": world.organisation});
        world.project = id(&world.post("/api/v1/projects/", project).await);
        let environment = json!({"name": "Development", "project": world.project});
        let environment = world.post("/api/v1/environments/", environment).await;
        world.environment = id(&environment);
        world.client = text(&environment["api_key"]);
        let path = format!("/api/v1/environments/{}/api-keys/", world.client);
        world.server = text(&world.post(&path, json!({"name": "server"})).await["key"]);
        world
    }

    /// A management call that must succeed.
    #[track_caller]
    pub fn manage(&self, method: Method, path: &str, body: Value) -> impl Future<Output = Value> {
        let path = path.to_owned();
        async move {
            let answer = self.app.manage(&self.token, method, &path, Some(&body)).await;
            assert!(
                answer.status.is_success(),
                "{path}: {} {}",
                answer.status,
                answer.text
            );
            answer.body
        }
    }

    /// A POST to the management API that must succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.manage(Method::POST, path, body).await
    }

    /// Makes a feature and returns its id.
    pub async fn feature(&self, body: Value) -> i64 {
        id(&self
            .post(&format!("/api/v1/projects/{}/features/", self.project), body)
            .await)
    }

    /// Adds an option to a feature.
    pub async fn option(&self, feature: i64, key: &str, share: f64) -> i64 {
        let body = json!({
            "feature": feature, "type": "unicode", "string_value": format!("value of {key}"), "key": key,
            "default_percentage_allocation": share,
        });
        id(&self
            .post(
                &format!("/api/v1/projects/{}/features/{feature}/mv-options/", self.project),
                body,
            )
            .await)
    }

    /// Makes a segment of one condition and returns its id.
    pub async fn segment(&self, name: &str, property: &str, operator: &str, value: &str) -> i64 {
        let condition = json!({"property": property, "operator": operator, "value": value});
        let inner = json!({"type": "ANY", "rules": [], "conditions": [condition]});
        let body = json!({
            "name": name, "project": self.project,
            "rules": [{"type": "ALL", "conditions": [], "rules": [inner]}],
        });
        id(&self
            .post(&format!("/api/v1/projects/{}/segments/", self.project), body)
            .await)
    }

    /// Overrides a feature for a segment with a text.
    pub async fn override_for_segment(&self, feature: i64, segment: i64, value: &str) -> Value {
        let path = format!(
            "/api/v1/environments/{}/features/{feature}/create-segment-override/",
            self.client
        );
        let body = json!({
            "enabled": true,
            "feature_segment": {"segment": segment},
            "feature_state_value": {"type": "unicode", "string_value": value},
        });
        self.post(&path, body).await
    }

    /// The id of an identity, made when it is not there.
    pub async fn identity(&self, identifier: &str) -> i64 {
        let path = format!("/api/v1/environments/{}/identities/", self.client);
        let exact = format!("{path}?q=%22{identifier}%22");
        let found = self.manage(Method::GET, &exact, Value::Null).await;
        match found["results"].get(0) {
            Some(identity) => id(identity),
            None => id(&self.post(&path, json!({"identifier": identifier})).await),
        }
    }

    /// Overrides a feature for an identity with a text.
    pub async fn override_for_identity(&self, feature: i64, identity: i64, value: &str) -> Value {
        let path = format!(
            "/api/v1/environments/{}/identities/{identity}/featurestates/",
            self.client
        );
        self.post(
            &path,
            json!({"feature": feature, "enabled": true, "feature_state_value": value}),
        )
        .await
    }

    /// Changes the environment default of a feature.
    pub async fn set(&self, feature: i64, change: Value) -> Value {
        let states = format!("/api/v1/environments/{}/featurestates/", self.client);
        let found = self
            .manage(Method::GET, &format!("{states}?feature={feature}"), Value::Null)
            .await;
        let state = id(&found["results"][0]);
        self.manage(Method::PUT, &format!("{states}{state}/"), change)
            .await
    }

    /// Changes settings of the environment.
    pub async fn set_environment(&self, change: Value) -> Value {
        self.manage(
            Method::PATCH,
            &format!("/api/v1/environments/{}/", self.client),
            change,
        )
        .await
    }

    /// Changes settings of the organisation.
    pub async fn set_organisation(&self, change: Value) -> Value {
        self.manage(
            Method::PATCH,
            &format!("/api/v1/organisations/{}/", self.organisation),
            change,
        )
        .await
    }

    /// An SDK call with the client-side key.
    pub async fn sdk(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.sdk_with(&self.client, method, path, body).await
    }

    /// An SDK call with any key.
    pub async fn sdk_with(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.app
            .call(method, path, &[("x-environment-key", key)], body.as_ref())
            .await
    }

    /// Identifies with the client-side key and returns the answer.
    pub async fn identify(&self, body: Value) -> Value {
        self.sdk(Method::POST, "/api/v1/identities/", Some(body))
            .await
            .expect(200)
    }
}

/// The flag of a feature in an answer's list of flags.
pub fn flag<'a>(flags: &'a Value, name: &str) -> Option<&'a Value> {
    flags
        .as_array()?
        .iter()
        .find(|flag| flag["feature"]["name"] == name)
}

/// The id of an object.
#[track_caller]
pub fn id(object: &Value) -> i64 {
    object["id"]
        .as_i64()
        .unwrap_or_else(|| panic!("no id in {object}"))
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
