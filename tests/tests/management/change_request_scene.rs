//! An environment where changes need approvals, and the people who make and approve them.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_store::seeds;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{TestApp, flag};
use serde_json::{Value, json};

/// An environment where changes need approvals, with one who writes requests and two who approve them.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) author: Person,
    pub(super) reviewer: Person,
    pub(super) second: Person,
    pub(super) feature: i64,
    pub(super) segment: i64,
}

/// Makes it.
pub(super) async fn scene(app: &TestApp, approvals: i64) -> Scene {
    let world = app.world().await;
    let author = joined(app, &world, "author").await;
    let reviewer = joined(app, &world, "reviewer").await;
    let second = joined(app, &world, "second").await;
    let place = Object::Environment(world.environment);
    let writes = [
        "VIEW_ENVIRONMENT",
        "CREATE_CHANGE_REQUEST",
        "UPDATE_FEATURE_STATE",
    ];
    app.grant(&author, place, &writes).await;
    for person in [&reviewer, &second] {
        app.grant(person, place, &["VIEW_ENVIRONMENT", "APPROVE_CHANGE_REQUEST"])
            .await;
    }
    let features = format!("/api/v1/projects/{}/features/", world.project);
    let feature = app
        .post(
            &world.admin,
            &features,
            &json!({"name": "f", "initial_value": "old"}),
        )
        .await;
    let feature = id(&feature.expect(201));
    let segments = format!("/api/v1/projects/{}/segments/", world.project);
    let condition = json!({"property": "plan", "operator": "EQUAL", "value": "gold"});
    let body = json!({"name": "gold", "rules": [{"type": "ALL", "rules": [], "conditions": [condition]}]});
    let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
    let scene = Scene {
        world,
        author,
        reviewer,
        second,
        feature,
        segment,
    };
    scene.require(app, Some(approvals)).await;
    scene
}

/// Somebody new in the organisation.
pub(super) async fn joined(app: &TestApp, world: &World, name: &str) -> Person {
    let person = app.person(name).await;
    let mut tx = app.app.db().begin().await.unwrap();
    seeds::member(&mut tx, world.organisation, person.id, "USER")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    person
}

impl Scene {
    /// How many approvals the environment asks for.
    pub(super) async fn require(&self, app: &TestApp, approvals: Option<i64>) {
        let path = format!("/api/v1/environments/{}/", self.world.key);
        let body = json!({"minimum_change_request_approvals": approvals});
        app.patch(&self.world.admin, &path, &body).await.expect(200);
    }

    /// Where requests are made.
    pub(super) fn creation(&self) -> String {
        format!("/api/v1/environments/{}/create-change-request/", self.world.key)
    }

    /// Where they are listed.
    pub(super) fn list(&self) -> String {
        format!("/api/v1/environments/{}/list-change-requests/", self.world.key)
    }

    /// The feature, on and with this value, from a moment on.
    pub(super) fn state(&self, value: &str, live_from: Value) -> Value {
        json!({
            "feature": self.feature, "enabled": true, "live_from": live_from,
            "feature_state_value": {"type": "unicode", "string_value": value},
            "multivariate_feature_state_values": [],
        })
    }

    /// A request to give everybody this value.
    pub(super) fn proposal(&self, title: &str, value: &str) -> Value {
        json!({"title": title, "feature_states": [self.state(value, Value::Null)]})
    }

    /// The same, made by the author.
    pub(super) async fn propose(&self, app: &TestApp, title: &str, value: &str) -> i64 {
        id(&app
            .post(&self.author, &self.creation(), &self.proposal(title, value))
            .await
            .expect(201))
    }

    /// What SDKs are told of the feature: on or off, and the value.
    pub(super) async fn served(&self, app: &TestApp) -> (bool, Value) {
        let headers = [("x-environment-key", self.world.key.as_str())];
        let flags = app
            .call(Method::GET, "/api/v1/flags/", &headers, None)
            .await
            .expect(200);
        let served = flag(&flags, "f").expect("the flag");
        (served["enabled"] == true, served["feature_state_value"].clone())
    }

    /// The same, as soon as this node knows what another one did.
    pub(super) async fn served_soon(&self, app: &TestApp, expected: &Value) -> bool {
        for _ in 0..100 {
            if self.served(app).await.1 == *expected {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        false
    }

    /// What an identity of the segment is told of the feature.
    pub(super) async fn served_to_gold(&self, app: &TestApp) -> Value {
        let headers = [("x-environment-key", self.world.key.as_str())];
        let body = json!({"identifier": "i", "traits": [{"trait_key": "plan", "trait_value": "gold"}]});
        let answer = app
            .call(Method::POST, "/api/v1/identities/", &headers, Some(&body))
            .await
            .expect(200);
        flag(&answer["flags"], "f").expect("the flag")["feature_state_value"].clone()
    }
}

/// Where one request is.
pub(super) fn one(id: i64) -> String {
    format!("/api/v1/features/workflows/change-requests/{id}/")
}

/// Where something is done with one request.
pub(super) fn act(id: i64, act: &str) -> String {
    format!("{}{act}/", one(id))
}

/// The fields of an object.
pub(super) fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// The audit lines about change requests, oldest first.
pub(super) async fn lines(app: &TestApp) -> Vec<String> {
    let log = app.log("CHANGE_REQUEST").await;
    log.into_iter().filter_map(|entry| entry.message).collect()
}

/// Approves a request, which must succeed.
pub(super) async fn approve(app: &TestApp, who: &Person, request: i64) -> Value {
    app.post(who, &act(request, "approve"), &json!({}))
        .await
        .expect(200)
}
