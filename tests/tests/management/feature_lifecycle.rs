//! Stale features and the stages of features' lives

use burgee_app::feature_lifecycle::mark_stale;
use burgee_store::seeds;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

async fn feature(app: &TestApp, world: &World, body: Value) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app.post(&world.admin, &path, &body).await.expect(201))
}

/// Makes everything that happened so far happen some days earlier.
async fn age(app: &TestApp, days: i64) {
    let mut tx = app.app.db().begin().await.unwrap();
    seeds::age_features(&mut tx, days * 86_400_000_000).await.unwrap();
    tx.commit().await.unwrap();
}

/// The names of the features with the tag for stale ones.
async fn stale(app: &TestApp, world: &World) -> Vec<String> {
    mark_stale(&app.app).await.unwrap();
    let path = format!("/api/v1/projects/{}/", world.project);
    let tags = app.get(&world.admin, &format!("{path}tags/")).await.expect(200);
    let Some(tag) = tags["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tag| tag["type"] == "STALE")
        .cloned()
    else {
        return Vec::new();
    };
    let found = app
        .get(&world.admin, &format!("{path}features/?tags={}", id(&tag)))
        .await
        .expect(200);
    found["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn counts(app: &TestApp, world: &World) -> Value {
    app.get(
        &world.admin,
        &format!(
            "/api/v1/environments/{}/feature-lifecycle-counts/",
            world.environment
        ),
    )
    .await
    .expect(200)
}

both! {
    async fn what_nobody_changes_for_long_is_stale_until_somebody_does(app) {
        let world = app.world().await;
        let old = feature(&app, &world, json!({"name": "old"})).await;
        feature(&app, &world, json!({"name": "archived", "is_archived": true})).await;
        assert!(stale(&app, &world).await.is_empty());
        age(&app, 31).await;
        feature(&app, &world, json!({"name": "fresh"})).await;
        assert_eq!(stale(&app, &world).await, ["old"]);
        // Another node that looks at the same time changes nothing.
        assert_eq!(stale(&app, &world).await, ["old"]);
        let states = format!("/api/v1/environments/{}/featurestates/", world.key);
        let state = app.get(&world.admin, &format!("{states}?feature={old}")).await.expect(200);
        let state = id(&state["results"][0]);
        app.patch(&world.admin, &format!("{states}{state}/"), &json!({"enabled": true})).await.expect(200);
        assert!(stale(&app, &world).await.is_empty());
        age(&app, 31).await;
        assert_eq!(stale(&app, &world).await, ["old", "fresh"]);
        // An edit of the feature itself counts as well.
        let one = format!("/api/v1/projects/{}/features/{old}/", world.project);
        app.patch(&world.admin, &one, &json!({"description": "still needed"})).await.expect(200);
        assert_eq!(stale(&app, &world).await, ["fresh"]);
        let lines = app.log("FEATURE").await;
        assert!(lines.iter().filter(|line| line.message.is_none()).all(|line| !line.serves));
    }

    async fn the_project_says_for_how_long_and_permanent_tags_protect(app) {
        let world = app.world().await;
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let body = json!({"label": "keep", "color": "#123", "is_permanent": true});
        let keep = id(&app.post(&world.admin, &tags, &body).await.expect(201));
        feature(&app, &world, json!({"name": "kept", "tags": [keep]})).await;
        feature(&app, &world, json!({"name": "other"})).await;
        age(&app, 40).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        app.patch(&world.admin, &project, &json!({"stale_flags_limit_days": 60})).await.expect(200);
        assert!(stale(&app, &world).await.is_empty());
        app.patch(&world.admin, &project, &json!({"stale_flags_limit_days": 20})).await.expect(200);
        assert_eq!(stale(&app, &world).await, ["other"]);
        // Nobody edits or deletes what the product says.
        let tag = app.get(&world.admin, &tags).await.expect(200)["results"].as_array().unwrap().iter()
            .find(|tag| tag["type"] == "STALE").map(id).unwrap();
        app.patch(&world.admin, &format!("{tags}{tag}/"), &json!({"label": "x"})).await.expect(403);
        app.delete(&world.admin, &format!("{tags}{tag}/")).await.expect(403);
    }

    async fn each_feature_is_at_one_stage_of_its_life(app) {
        let world = app.world().await;
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let body = json!({"label": "keep", "color": "#123", "is_permanent": true});
        let keep = id(&app.post(&world.admin, &tags, &body).await.expect(201));
        for name in ["in code", "asked for", "forgotten"] {
            feature(&app, &world, json!({"name": name})).await;
        }
        age(&app, 31).await;
        feature(&app, &world, json!({"name": "kept", "tags": [keep]})).await;
        feature(&app, &world, json!({"name": "new"})).await;
        feature(&app, &world, json!({"name": "live"})).await;
        feature(&app, &world, json!({"name": "archived", "is_archived": true})).await;
        let path = format!("/api/v1/projects/{}/features/", world.project);
        stale(&app, &world).await;
        // As long as nobody looked into code, what is stale may well be in it.
        assert_eq!(counts(&app, &world).await, json!({"new": 2, "live": 0, "stale": 3, "permanent": 1,
            "needs_monitoring": 0, "to_remove": 0}));
        let scan = json!({"repository_url": "https://github.com/acme/web", "revision": "a", "code_references": [
            {"feature_name": "in code", "file_path": "a", "line_number": 1}]});
        app.post(&world.admin, &format!("/api/v1/projects/{}/code-references/", world.project), &scan).await.expect(201);
        let counted = json!({"asked for": 3, "live": 1});
        let headers = [("x-environment-key", world.key.as_str())];
        app.call(axum::http::Method::POST, "/api/v1/analytics/flags/", &headers, Some(&counted)).await.expect(200);
        assert_eq!(counts(&app, &world).await, json!({"new": 1, "live": 1, "stale": 1, "permanent": 1,
            "needs_monitoring": 1, "to_remove": 1}));
        let list = format!("{path}?environment={}&lifecycle_stage=to_remove", world.environment);
        let found = app.get(&world.admin, &list).await.expect(200);
        assert_eq!((&found["count"], &found["results"][0]["name"], &found["results"][0]["lifecycle_stage"]),
            (&json!(1), &json!("forgotten"), &json!("to_remove")));
        app.get(&world.admin, &format!("{path}?lifecycle_stage=to_remove")).await.expect(400);
        app.get(&world.admin, &format!("{path}?environment={}&lifecycle_stage=dead", world.environment)).await.expect(400);
        let one = format!("/api/v1/environments/{}/feature-lifecycle-counts/", world.environment);
        app.get(&world.member, &one).await.expect(403);
        app.get(&world.stranger, &one).await.expect(403);
    }
}
