//! `/api/v1/environments/{key}/identities/{id}/featurestates/`

use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

async fn feature(app: &TestApp, world: &World, name: &str) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(
            &world.admin,
            &path,
            &json!({"name": name, "initial_value": "default"}),
        )
        .await
        .expect(201))
}

async fn identity(app: &TestApp, world: &World, identifier: &str) -> i64 {
    let path = format!("/api/v1/environments/{}/identities/", world.key);
    id(&app
        .post(&world.admin, &path, &json!({"identifier": identifier}))
        .await
        .expect(201))
}

fn path(world: &World, identity: i64) -> String {
    format!(
        "/api/v1/environments/{}/identities/{identity}/featurestates/",
        world.key
    )
}

/// What overrides each feature, by name.
fn overridden(answer: &Value) -> Vec<(&str, Option<&str>, &Value)> {
    let rows = answer.as_array().expect("a list").iter();
    rows.map(|row| {
        (
            row["feature"]["name"].as_str().expect("text"),
            row["overridden_by"].as_str(),
            &row["feature_state_value"],
        )
    })
    .collect()
}

both! {
    async fn an_override_is_made_changed_listed_and_deleted(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let alice = identity(&app, &world, "alice").await;
        let list = path(&world, alice);
        let body = json!({"feature": feature, "enabled": true, "feature_state_value": "for alice"});
        let made = app.post(&world.admin, &list, &body).await.expect(201);
        assert_eq!(made["identity"], alice);
        let line = app.log("FEATURE_STATE").await.pop().expect("a line");
        assert_eq!(line.message.as_deref(), Some("Identity override created for feature 'a' and identity 'alice'"));
        let refused = app.post(&world.admin, &list, &body).await.expect(400);
        assert_eq!(refused, json!(["['Feature state already exists for this environment, feature, version, segment & identity combination']"]));
        let one = format!("{list}{}/", id(&made));
        app.put(&world.admin, &one, &json!({"feature_state_value": 12})).await.expect(200);
        let rows = app.get(&world.admin, &list).await.expect(200);
        assert_eq!(rows["results"][0]["identity"], json!({"id": alice, "identifier": "alice"}));
        assert_eq!(rows["results"][0]["feature_state_value"], 12);
        let any = format!("/api/v1/environments/{}/featurestates/?anyIdentity=1&feature={feature}", world.key);
        assert_eq!(app.get(&world.admin, &any).await.expect(200)["results"], rows["results"]);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
    }

    async fn an_override_without_a_value_begins_with_that_of_the_feature(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let alice = identity(&app, &world, "alice").await;
        let made = app.post(&world.admin, &path(&world, alice), &json!({"feature": feature, "enabled": true})).await.expect(201);
        assert_eq!(made["feature_state_value"], "default");
    }

    async fn overrides_are_cloned_in_place_of_those_that_were_there(app) {
        let world = app.world().await;
        let (a, b) = (feature(&app, &world, "a").await, feature(&app, &world, "b").await);
        let (alice, bob) = (identity(&app, &world, "alice").await, identity(&app, &world, "bob").await);
        app.post(&world.admin, &path(&world, alice), &json!({"feature": a, "enabled": true, "feature_state_value": 5})).await.expect(201);
        app.post(&world.admin, &path(&world, bob), &json!({"feature": b, "enabled": true})).await.expect(201);
        let clone = format!("{}clone-from-given-identity/", path(&world, bob));
        let answer = app.post(&world.admin, &clone, &json!({"source_identity_id": alice})).await.expect(200);
        assert_eq!(overridden(&answer), [("a", Some("IDENTITY"), &json!(5)), ("b", None, &json!("default"))]);
        assert_eq!(app.get(&world.admin, &format!("{}all/", path(&world, bob))).await.expect(200), answer);
        app.post(&world.admin, &clone, &json!({"source_identity_id": 9999})).await.expect(404);
    }

    async fn overrides_are_for_those_with_permission_and_of_the_identity_in_the_path(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let alice = identity(&app, &world, "alice").await;
        let list = path(&world, alice);
        let body = json!({"feature": feature, "enabled": true});
        for person in [&world.stranger, &world.member] {
            app.get(person, &list).await.expect(403);
            app.post(person, &list, &body).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &list).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_IDENTITIES"]).await;
        app.get(&world.member, &list).await.expect(200);
        app.post(&world.member, &list, &body).await.expect(403);
        let made = app.post(&world.admin, &list, &body).await.expect(201);
        let bob = identity(&app, &world, "bob").await;
        app.get(&world.admin, &format!("{}{}/", path(&world, bob), id(&made))).await.expect(404);
        let (environment, key) = app.environment(&world.admin, world.project, "Production").await;
        let other = World { environment, key, ..world.clone() };
        app.get(&world.admin, &path(&other, alice)).await.expect(404);
        app.post(&world.admin, &path(&other, alice), &body).await.expect(404);
        app.post(&world.admin, &list, &json!({"feature": 9999, "enabled": true})).await.expect(403);
        app.post(&world.admin, &list, &json!({"enabled": true})).await.expect(403);
    }

    async fn an_override_is_read_and_changes_in_parts(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let (alice, bob) = (identity(&app, &world, "alice").await, identity(&app, &world, "bob").await);
        let body = json!({"feature": feature, "enabled": true, "feature_state_value": "for alice"});
        let made = app.post(&world.admin, &path(&world, alice), &body).await.expect(201);
        let one = format!("{}{}/", path(&world, alice), id(&made));
        let found = app.get(&world.admin, &one).await.expect(200);
        assert_eq!((&found["id"], &found["feature_state_value"], &found["enabled"]), (&made["id"], &json!("for alice"), &json!(true)));
        app.patch(&world.admin, &one, &json!({"enabled": false})).await.expect(200);
        let changed = app.get(&world.admin, &one).await.expect(200);
        assert_eq!((&changed["enabled"], &changed["feature_state_value"]), (&json!(false), &json!("for alice")));
        let headers = [("x-environment-key", world.key.as_str())];
        let served = app.call(axum::http::Method::GET, "/api/v1/identities/?identifier=alice", &headers, None).await.expect(200);
        assert_eq!((&served["flags"][0]["enabled"], &served["flags"][0]["feature_state_value"]), (&json!(false), &json!("for alice")));
        app.patch(&world.admin, &one, &json!({"feature_state_value": {"a": 1}})).await.expect(400);
        // It is alice's, and nobody else's.
        let of_bob = format!("{}{}/", path(&world, bob), id(&made));
        app.get(&world.admin, &of_bob).await.expect(404);
        app.patch(&world.admin, &of_bob, &json!({"enabled": true})).await.expect(404);
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(403);
            app.patch(person, &one, &json!({"enabled": true})).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT", "VIEW_IDENTITIES"]).await;
        app.get(&world.member, &one).await.expect(200);
        app.patch(&world.member, &one, &json!({"enabled": true})).await.expect(403);
    }

}
