//! What stories about roles and permissions share.

use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{Answer, TestApp};
use serde_json::{Value, json};

pub(super) fn roles(world: &World) -> String {
    format!("/api/v1/organisations/{}/roles/", world.organisation)
}

pub(super) fn fields(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// A new role; returns its path.
pub(super) async fn role(app: &TestApp, world: &World, name: &str) -> String {
    let made = app
        .post(&world.admin, &roles(world), &json!({ "name": name }))
        .await;
    format!("{}{}/", roles(world), id(&made.expect(201)))
}

/// A role with these permissions at the world's project and environment, each with the tags it is limited to.
pub(super) async fn role_with(app: &TestApp, world: &World, project: Value, environment: Value) -> String {
    let role = role(app, world, "writers").await;
    let body = json!({"project": world.project, "permissions": project});
    let path = format!("{role}projects-permissions/");
    app.post(&world.admin, &path, &body).await.expect(201);
    let body = json!({"environment": world.environment, "permissions": environment});
    let path = format!("{role}environments-permissions/");
    app.post(&world.admin, &path, &body).await.expect(201);
    role
}

pub(super) async fn give(app: &TestApp, world: &World, role: &str, person: &Person) -> i64 {
    let path = format!("{role}users/");
    id(&app
        .post(&world.admin, &path, &json!({"user": person.id}))
        .await
        .expect(201))
}

pub(super) async fn tag(app: &TestApp, world: &World, project: i64, label: &str) -> i64 {
    let path = format!("/api/v1/projects/{project}/tags/");
    id(&app
        .post(&world.admin, &path, &json!({"label": label, "color": "#123"}))
        .await
        .expect(201))
}

pub(super) async fn feature(app: &TestApp, world: &World, name: &str, tags: &[i64]) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(&world.admin, &path, &json!({"name": name, "tags": tags}))
        .await
        .expect(201))
}

/// Switches a feature on, by its state.
pub(super) async fn switch_on(app: &TestApp, world: &World, person: &Person, feature: i64) -> Answer {
    let path = format!("/api/v1/environments/{}/featurestates/", world.key);
    let states = app
        .get(&world.admin, &format!("{path}?feature={feature}"))
        .await
        .expect(200);
    let path = format!("{path}{}/", id(&states["results"][0]));
    app.put(
        person,
        &path,
        &json!({"enabled": true, "feature_state_value": "on"}),
    )
    .await
}

/// The body of a change request that switches a feature on.
pub(super) fn proposal(title: &str, feature: i64) -> Value {
    let state = json!({
        "feature": feature, "enabled": true, "live_from": null, "multivariate_feature_state_values": [],
        "feature_state_value": {"type": "unicode", "string_value": "x"},
    });
    json!({ "title": title, "feature_states": [state] })
}
