//! What stories of integrations share: a receiver that may be called, a flag, and whoever asks for it.

use axum::http::Method;
use burgee_app::deliveries;
use burgee_testkit::places::World;
use burgee_testkit::receiver::{Received, Receiver};
use burgee_testkit::{Answer, TestApp, id};
use burgee_worker::queue;
use serde_json::{Value, json};

pub(super) async fn reaching(app: &TestApp) -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    (app.node_with(Receiver::settings()).await, receiver)
}

pub(super) async fn settle(app: &TestApp) {
    deliveries::read_on(&app.app).await.expect("the log is read");
    queue::run_due(&app.app, queue::KINDS)
        .await
        .expect("tasks are done");
}

pub(super) fn of_project(world: &World, name: &str) -> String {
    format!("/api/v1/projects/{}/integrations/{name}/", world.project)
}

pub(super) fn of_environment(world: &World, name: &str) -> String {
    format!("/api/v1/environments/{}/integrations/{name}/", world.key)
}

pub(super) fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// A feature, which the log then has been read for, and the path of its state.
pub(super) async fn feature(app: &TestApp, world: &World, name: &str) -> (i64, String) {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    let body = json!({"name": name, "initial_value": "old"});
    let feature = id(&app.post(&world.admin, &path, &body).await.expect(201));
    settle(app).await;
    let states = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{states}?feature={feature}"))
        .await
        .expect(200);
    (feature, format!("{states}{}/", id(&found["results"][0])))
}

/// Toggles a flag and returns what was received because of it.
pub(super) async fn toggle(app: &TestApp, world: &World, receiver: &Receiver, state: &str) -> Vec<Received> {
    settle(app).await;
    receiver.take("");
    app.put(&world.admin, state, &json!({"enabled": true}))
        .await
        .expect(200);
    assert!(
        receiver.received().is_empty(),
        "nothing is sent within the request"
    );
    settle(app).await;
    receiver.received()
}

pub(super) async fn identify(app: &TestApp, world: &World, body: &Value) -> Answer {
    app.call(
        Method::POST,
        "/api/v1/identities/",
        &[("x-environment-key", &world.key)],
        Some(body),
    )
    .await
}

pub(super) const LOG: &str = "Flag state updated for feature: checkout";
