//! `/api/v1/environments/{key}/features/{feature_id}/copy/`

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both, flag};
use serde_json::{Value, json};

async fn post(app: &TestApp, world: &World, path: &str, body: Value) -> Value {
    let answer = app.post(&world.admin, path, &body).await;
    assert!(
        answer.status.is_success(),
        "{path}: {} {}",
        answer.status,
        answer.text
    );
    answer.body
}

async fn asked(app: &TestApp, key: &str, identifier: &str) -> Value {
    let body = json!({"identifier": identifier, "traits": [{"trait_key": "plan", "trait_value": "pro"}]});
    let headers = [("x-environment-key", key)];
    let answer = app
        .call(Method::POST, "/api/v1/identities/", &headers, Some(&body))
        .await
        .expect(200);
    flag(&answer["flags"], "beta").expect("the flag")["feature_state_value"].clone()
}

/// A feature that is something for everyone, for a segment and for an identity in the world's environment.
async fn prepared(app: &TestApp) -> (World, i64, String, i64) {
    let world = app.world().await;
    let (_, other) = app.environment(&world.admin, world.project, "Production").await;
    let project = format!("/api/v1/projects/{}/", world.project);
    let beta = id(&post(
        app,
        &world,
        &format!("{project}features/"),
        json!({"name": "beta"}),
    )
    .await);
    let rules = json!([{"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "rules": [],
        "conditions": [{"property": "plan", "operator": "EQUAL", "value": "pro"}]}]}]);
    let body = json!({"name": "pro", "project": world.project, "rules": rules});
    let pro = id(&post(app, &world, &format!("{project}segments/"), body).await);
    let here = format!("/api/v1/environments/{}/", world.key);
    let states = format!("{here}featurestates/");
    let found = app
        .get(&world.admin, &format!("{states}?feature={beta}"))
        .await
        .expect(200);
    let state = format!("{states}{}/", id(&found["results"][0]));
    app.put(
        &world.admin,
        &state,
        &json!({"enabled": true, "feature_state_value": "everyone"}),
    )
    .await
    .expect(200);
    let body = json!({"enabled": true, "feature_segment": {"segment": pro},
        "feature_state_value": {"type": "unicode", "string_value": "pros"}});
    post(
        app,
        &world,
        &format!("{here}features/{beta}/create-segment-override/"),
        body,
    )
    .await;
    let ann = id(&post(
        app,
        &world,
        &format!("{here}identities/"),
        json!({"identifier": "ann"}),
    )
    .await);
    let body = json!({"feature": beta, "enabled": true, "feature_state_value": "ann"});
    post(
        app,
        &world,
        &format!("{here}identities/{ann}/featurestates/"),
        body,
    )
    .await;
    (world, beta, other, pro)
}

both! {
    async fn a_feature_becomes_in_another_environment_what_it_is_here(app) {
        let (world, beta, other, _) = prepared(&app).await;
        let copy = format!("/api/v1/environments/{}/features/{beta}/copy/", world.key);
        let dry = post(&app, &world, &copy, json!({"to": other, "dry_run": true, "identity_overrides": true})).await;
        assert_eq!(dry["dry_run"], true);
        let lines: Vec<&str> = dry["changes"].as_array().unwrap().iter().map(|c| c["log"].as_str().unwrap()).collect();
        assert!(lines.contains(&"Segment override created for feature 'beta' and segment 'pro'"), "{lines:?}");
        let value = json!({"field": "feature_state_value", "old": null, "new": "everyone"});
        assert!(dry["changes"][0]["change_details"].as_array().unwrap().contains(&value), "{dry}");
        assert_eq!(asked(&app, &other, "bob").await, Value::Null, "a dry run writes nothing");
        let done = post(&app, &world, &copy, json!({"to": other})).await;
        assert_eq!(done["dry_run"], false);
        assert_eq!((asked(&app, &other, "bob").await, asked(&app, &other, "ann").await), (json!("pros"), json!("pros")));
        post(&app, &world, &copy, json!({"to": other, "identity_overrides": true})).await;
        assert_eq!(asked(&app, &other, "ann").await, "ann");
        // Once it is the same, there is nothing left to do.
        let again = post(&app, &world, &copy, json!({"to": other, "identity_overrides": true})).await;
        assert_eq!(again["changes"], json!([]));
        // What is not here goes there, too: the other way round nothing is left of the segment.
        let links = format!("/api/v1/features/feature-segments/?environment={}&feature={beta}", world.environment);
        let link = id(&app.get(&world.admin, &links).await.expect(200)["results"][0]);
        app.delete(&world.admin, &format!("/api/v1/features/feature-segments/{link}/")).await.expect(204);
        post(&app, &world, &copy, json!({"to": other})).await;
        assert_eq!(asked(&app, &other, "bob").await, "everyone");
        let line = app.log("FEATURE_STATE").await.pop().unwrap().message.unwrap();
        assert_eq!(line, "Flag state / Remote config value deleted for feature 'beta' and segment 'pro'");
    }

    async fn a_copy_needs_permission_on_both_sides(app) {
        let (world, beta, other, _) = prepared(&app).await;
        let copy = format!("/api/v1/environments/{}/features/{beta}/copy/", world.key);
        let body = json!({"to": other});
        app.post(&world.stranger, &copy, &body).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.post(&world.member, &copy, &body).await.expect(403);
        let target = app.get(&world.admin, &format!("/api/v1/environments/{other}/")).await.expect(200);
        app.grant(&world.member, Object::Environment(id(&target)), &["UPDATE_FEATURE_STATE"]).await;
        app.post(&world.member, &copy, &body).await.expect(403);
        app.grant(&world.member, Object::Environment(id(&target)), &["MANAGE_SEGMENT_OVERRIDES"]).await;
        app.post(&world.member, &copy, &json!({"to": other, "identity_overrides": true})).await.expect(403);
        app.post(&world.member, &copy, &body).await.expect(200);
        app.post(&world.admin, &copy, &json!({"to": "nowhere"})).await.expect(403);
        for (body, field) in [(json!({}), "to"), (json!({"to": world.key}), "to"), (json!({"to": other, "dry_run": "?"}), "dry_run")] {
            let wrong = app.post(&world.admin, &copy, &body).await.expect(400);
            assert!(wrong[field].is_array(), "{wrong}");
        }
        let second = app.project(&world.admin, world.organisation, "Second").await;
        let (_, foreign) = app.environment(&world.admin, second, "Elsewhere").await;
        app.post(&world.admin, &copy, &json!({"to": foreign})).await.expect(400);
        let missing = format!("/api/v1/environments/{}/features/999/copy/", world.key);
        app.post(&world.admin, &missing, &body).await.expect(404);
    }
}
