//! Flags that depend on flags

use axum::http::Method;
use burgee_testkit::places::{World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

async fn feature(app: &TestApp, world: &World, name: &str) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(&world.admin, &path, &json!({"name": name}))
        .await
        .expect(201))
}

fn body(name: &str, property: &str) -> Value {
    json!({"name": name, "rules": [{"type": "ALL", "rules": [], "conditions": [
        {"property": property, "operator": "EQUAL", "value": "true"}]}]})
}

fn segments(world: &World) -> String {
    format!("/api/v1/projects/{}/segments/", world.project)
}

async fn segment(app: &TestApp, world: &World, name: &str, property: &str) -> i64 {
    id(&app
        .post(&world.admin, &segments(world), &body(name, property))
        .await
        .expect(201))
}

async fn override_it(app: &TestApp, world: &World, feature: i64, segment: i64) -> Answer {
    let path = format!(
        "/api/v1/environments/{}/features/{feature}/create-segment-override/",
        world.key
    );
    let body = json!({"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": {"type": "unicode", "string_value": "x"}});
    app.post(&world.admin, &path, &body).await
}

both! {
    async fn a_flag_that_depends_on_another_follows_it(app) {
        let world = app.world().await;
        let (base, top) = (feature(&app, &world, "base").await, feature(&app, &world, "top").await);
        let on = segment(&app, &world, "with base", "$.flags.base.enabled").await;
        override_it(&app, &world, top, on).await.expect(201);
        let enabled = async || {
            let body = json!({"identifier": "ada"});
            let headers = [("x-environment-key", world.key.as_str())];
            let flags = app.call(Method::POST, "/api/v1/identities/", &headers, Some(&body)).await.expect(200);
            flags["flags"].as_array().unwrap().iter().find(|flag| flag["feature"]["id"] == top).unwrap()["enabled"].clone()
        };
        assert_eq!(enabled().await, false);
        let states = format!("/api/v1/environments/{}/featurestates/", world.key);
        let state = id(&app.get(&world.admin, &format!("{states}?feature={base}")).await.expect(200)["results"][0]);
        app.patch(&world.admin, &format!("{states}{state}/"), &json!({"enabled": true})).await.expect(200);
        assert_eq!(enabled().await, true);
        // Without the other it asks for nothing; the log says what was left behind.
        app.delete(&world.admin, &format!("/api/v1/projects/{}/features/{base}/", world.project)).await.expect(204);
        assert_eq!(enabled().await, false);
        let log = app.log("FEATURE").await;
        let before: Value = serde_json::from_str(log.last().unwrap().before.as_deref().unwrap()).unwrap();
        assert_eq!(before["prerequisite_in_segments"], json!(["with base"]));
        // The segment can still be edited; what it says of the one that is gone may stay, but not come anew.
        let one = format!("{}{on}/", segments(&world));
        app.patch(&world.admin, &one, &json!({"description": "d"})).await.expect(200);
        let shown = app.get(&world.admin, &one).await.expect(200);
        app.put(&world.admin, &one, &shown).await.expect(200);
        app.post(&world.admin, &segments(&world), &body("again", "$.flags.base.enabled")).await.expect(400);
    }

    async fn a_circle_closed_by_an_override_is_refused_and_told(app) {
        let world = app.world().await;
        let (a, b, c) = (feature(&app, &world, "a").await, feature(&app, &world, "b").await, feature(&app, &world, "c").await);
        let on_a = segment(&app, &world, "on a", "$.flags.a.enabled").await;
        let on_b = segment(&app, &world, "on b", "$.flags['b'].value").await;
        let on_c = segment(&app, &world, "on c", "$.flags.c.variant").await;
        override_it(&app, &world, a, on_b).await.expect(201);
        override_it(&app, &world, b, on_c).await.expect(201);
        let wrong = override_it(&app, &world, c, on_a).await.expect(400);
        assert_eq!(wrong, json!({"feature_segment": {"segment":
            ["These features would depend on each other in a circle: c → a → b → c."]}}));
        let wrong = override_it(&app, &world, a, on_a).await.expect(400);
        assert!(wrong.to_string().contains("circle: a → a."), "{wrong}");
        // Every other way to write an override.
        let path = format!("/api/v1/environments/{}/features/{c}/", world.key).replace("/api/v1/", "/api/__future__/");
        let update = json!({"segment_overrides": [{"segment": {"id": on_a}, "enabled": true, "value": {"type": "string", "value": "x"}}]});
        app.patch(&world.admin, &path, &update).await.expect(400);
        let link = json!({"feature": c, "segment": on_a, "environment": world.environment});
        app.post(&world.admin, "/api/v1/features/feature-segments/", &link).await.expect(400);
        // In another environment there is no circle.
        let (other, _) = app.environment(&world.admin, world.project, "Production").await;
        let link = json!({"feature": c, "segment": on_a, "environment": other});
        app.post(&world.admin, "/api/v1/features/feature-segments/", &link).await.expect(201);
    }

    async fn a_circle_closed_by_the_rules_of_a_segment_is_refused_and_told(app) {
        let world = app.world().await;
        let (a, b) = (feature(&app, &world, "a").await, feature(&app, &world, "b").await);
        let on_b = segment(&app, &world, "on b", "$.flags.b.enabled").await;
        let plain = segment(&app, &world, "plain", "plan").await;
        override_it(&app, &world, a, on_b).await.expect(201);
        override_it(&app, &world, b, plain).await.expect(201);
        let one = format!("{}{plain}/", segments(&world));
        let wrong = app.put(&world.admin, &one, &body("plain", "$.flags.a.enabled")).await.expect(400);
        assert_eq!(wrong, json!({"rules": ["These features would depend on each other in a circle: b → a → b."]}));
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["rules"][0]["conditions"][0]["property"], "plan");
        app.put(&world.admin, &one, &body("plain", "$.flags.b.enabled")).await.expect(400);
        feature(&app, &world, "d").await;
        app.put(&world.admin, &one, &body("plain", "$.flags.d.enabled")).await.expect(200);
    }

    async fn conditions_on_flags_that_are_not_there_are_refused(app) {
        let world = app.world().await;
        feature(&app, &world, "a").await;
        for property in ["$.flags.nope.enabled", "$.flags.a.colour", "$.flags.A.enabled"] {
            let wrong = app.post(&world.admin, &segments(&world), &body("s", property)).await.expect(400);
            assert!(wrong["rules"][0]["conditions"][0]["property"][0].is_string(), "{wrong}");
        }
        segment(&app, &world, "s", "$.flags.a.variant").await;
    }
}
