//! Exports and imports of features

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

const EXPORT: &str = "/api/v1/features/create-feature-export/";

fn features(project: i64) -> String {
    format!("/api/v1/projects/{project}/features/")
}

/// Uploads a document as a browser does.
async fn upload(app: &TestApp, person: &Person, environment: i64, document: &str, strategy: &str) -> Answer {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"features.json\"\r\n\
         Content-Type: application/json\r\n\r\n{document}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"strategy\"\r\n\r\n{strategy}\r\n--x--\r\n"
    );
    let request = Request::post(format!("/api/v1/features/feature-import/{environment}"))
        .header("host", "testserver")
        .header("authorization", format!("Token {}", person.token))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

/// Waits until the newest row of a list is no longer under way, and gives its status.
async fn outcome(app: &TestApp, person: &Person, list: &str) -> String {
    for _ in 0..200 {
        let rows = app.get(person, list).await.expect(200);
        let status = rows["results"][0]["status"].as_str().unwrap().to_owned();
        if status != "PROCESSING" {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{list} is still under way");
}

async fn export(app: &TestApp, world: &World, tags: &[i64]) -> Value {
    let body = json!({"environment_id": world.environment, "tag_ids": tags});
    let made = app.post(&world.admin, EXPORT, &body).await.expect(201);
    assert_eq!(made["status"], "PROCESSING");
    let list = format!("/api/v1/projects/{}/feature-exports/", world.project);
    assert_eq!(outcome(app, &world.admin, &list).await, "SUCCESS");
    app.get(
        &world.admin,
        &format!("/api/v1/features/download-feature-export/{}/", id(&made)),
    )
    .await
    .expect(200)
}

async fn import(app: &TestApp, world: &World, document: &Value, strategy: &str) -> String {
    upload(
        app,
        &world.admin,
        world.environment,
        &document.to_string(),
        strategy,
    )
    .await
    .expect(201);
    let list = format!("/api/v1/projects/{}/feature-imports/", world.project);
    outcome(app, &world.admin, &list).await
}

both! {
    async fn an_export_says_what_everyone_gets_in_the_environment(app) {
        let world = app.world().await;
        let body = json!({"name": "limit", "initial_value": "5", "default_enabled": true, "is_server_key_only": true});
        app.post(&world.admin, &features(world.project), &body).await.expect(201);
        let colour = app.post(&world.admin, &features(world.project), &json!({"name": "colour", "initial_value": "red"})).await;
        let colour = id(&colour.expect(201));
        for option in [
            json!({"feature": colour, "type": "unicode", "string_value": "blue", "default_percentage_allocation": 30, "key": "b"}),
            json!({"feature": colour, "type": "int", "integer_value": 7, "default_percentage_allocation": 20}),
        ] {
            let options = format!("{}{colour}/mv-options/", features(world.project));
            app.post(&world.admin, &options, &option).await.expect(201);
        }
        let body = json!({"environment_id": world.environment, "tag_ids": []});
        let made = app.post(&world.admin, EXPORT, &body).await.expect(201);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "name", "environment_id", "status", "created_at"]);
        assert!(made["name"].as_str().unwrap().starts_with("Development | 2"), "{made}");
        assert!(made["name"].as_str().unwrap().ends_with(" UTC"), "{made}");
        let list = format!("/api/v1/projects/{}/feature-exports/", world.project);
        assert_eq!(outcome(&app, &world.admin, &list).await, "SUCCESS");
        let document = app.get(&world.admin, &format!("/api/v1/features/download-feature-export/{}/", id(&made))).await;
        assert_eq!(document.expect(200), json!([
            {"name": "limit", "default_enabled": true, "is_server_key_only": true, "initial_value": "5", "value": 5,
                "type": "int", "enabled": true, "multivariate": []},
            {"name": "colour", "default_enabled": false, "is_server_key_only": false, "initial_value": "red",
                "value": "red", "type": "unicode", "enabled": false, "multivariate": [
                    {"percentage_allocation": 30.0, "default_percentage_allocation": 30.0, "value": "blue",
                        "type": "unicode", "key": "b"},
                    {"percentage_allocation": 20.0, "default_percentage_allocation": 20.0, "value": 7, "type": "int",
                        "key": null}]},
        ]));
    }

    async fn an_export_can_be_of_tagged_features_only(app) {
        let world = app.world().await;
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let tag = id(&app.post(&world.admin, &tags, &json!({"label": "beta", "color": "#123"})).await.expect(201));
        app.post(&world.admin, &features(world.project), &json!({"name": "a", "tags": [tag]})).await.expect(201);
        app.post(&world.admin, &features(world.project), &json!({"name": "b"})).await.expect(201);
        let document = export(&app, &world, &[tag]).await;
        assert_eq!((document.as_array().unwrap().len(), &document[0]["name"]), (1, &json!("a")));
    }

    async fn what_was_exported_can_be_imported_elsewhere(app) {
        let world = app.world().await;
        let body = json!({"name": "colour", "initial_value": "red", "default_enabled": true, "multivariate_options": [
            {"type": "unicode", "string_value": "blue", "default_percentage_allocation": 30, "key": "b"}]});
        app.post(&world.admin, &features(world.project), &body).await.expect(201);
        app.post(&world.admin, &features(world.project), &json!({"name": "limit", "initial_value": "5"})).await.expect(201);
        let document = export(&app, &world, &[]).await;
        let project = app.project(&world.admin, world.organisation, "Other").await;
        let (environment, _) = app.environment(&world.admin, project, "Development").await;
        let (second, _) = app.environment(&world.admin, project, "Production").await;
        let other = World { project, environment, ..world.clone() };
        assert_eq!(import(&app, &other, &document, "SKIP").await, "SUCCESS");
        assert_eq!(export(&app, &other, &[]).await, document);
        // Elsewhere in the project they are as they begin.
        let there = app.get(&world.admin, &format!("{}?environment={second}", features(project))).await.expect(200);
        assert_eq!(there["results"][0]["environment_feature_state"]["enabled"], true);
        assert_eq!(there["results"][0]["type"], "MULTIVARIATE");
        let said: Vec<_> = app.log("FEATURE").await.into_iter().filter_map(|line| line.message).collect();
        assert_eq!(said[2..], ["New Flag / Remote Config created: colour", "New Flag / Remote Config created: limit"]);
    }

    async fn features_that_are_there_are_kept_or_overwritten(app) {
        let world = app.world().await;
        let kept = app.post(&world.admin, &features(world.project), &json!({"name": "A", "initial_value": "old"})).await;
        let kept = id(&kept.expect(201));
        let document = json!([{"name": "a", "default_enabled": false, "is_server_key_only": false,
            "initial_value": "new", "value": "new", "type": "unicode", "enabled": true, "multivariate": []}]);
        assert_eq!(import(&app, &world, &document, "SKIP").await, "SUCCESS");
        let list = format!("{}?environment={}", features(world.project), world.environment);
        let rows = app.get(&world.admin, &list).await.expect(200);
        assert_eq!((&rows["count"], id(&rows["results"][0])), (&json!(1), kept));
        assert_eq!(import(&app, &world, &document, "OVERWRITE_DESTRUCTIVE").await, "SUCCESS");
        let rows = app.get(&world.admin, &list).await.expect(200);
        let state = &rows["results"][0]["environment_feature_state"];
        assert_eq!((&rows["count"], &state["feature_state_value"], &state["enabled"]), (&json!(1), &json!("new"), &json!(true)));
        assert_ne!(id(&rows["results"][0]), kept);
        // SDKs get it, too, once the import is through with its commit.
        for attempt in 0.. {
            let headers = [("x-environment-key", world.key.as_str())];
            let flags = app.call(axum::http::Method::GET, "/api/v1/flags/", &headers, None).await.expect(200);
            if flags[0]["feature_state_value"] == "new" {
                break;
            }
            assert!(attempt < 200, "{flags}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    async fn a_document_that_is_none_is_refused_whole(app) {
        let world = app.world().await;
        let feature = |change: Value| {
            let mut feature = json!({"name": "x", "value": "v", "type": "unicode", "enabled": true, "multivariate": []});
            for (name, value) in change.as_object().unwrap() {
                feature[name] = value.clone();
            }
            feature
        };
        let share = |percent: i64| json!({"percentage_allocation": percent, "value": "v"});
        for document in [
            json!({}), json!([1]), json!([{}]), json!([feature(json!({"name": ""}))]),
            json!([feature(json!({"value": "x", "type": "int"}))]), json!([feature(json!({"value": 3_000_000_000_i64, "type": "int"}))]),
            json!([feature(json!({"value": "v".repeat(20_001)}))]),
            json!([feature(json!({"multivariate": [share(60), share(60)]}))]),
            json!([feature(json!({"multivariate": [share(-1)]}))]),
            json!([feature(json!({})), feature(json!({"name": "X"}))]),
        ] {
            let wrong = upload(&app, &world.admin, world.environment, &document.to_string(), "SKIP").await.expect(400);
            assert!(wrong["file"][0].is_string(), "{document} {wrong}");
        }
        upload(&app, &world.admin, world.environment, "not json", "SKIP").await.expect(400);
        upload(&app, &world.admin, world.environment, &"x".repeat(1024 * 1024 + 1), "SKIP").await.expect(400);
        let wrong = upload(&app, &world.admin, world.environment, "[]", "MERGE").await.expect(400);
        assert_eq!(wrong, json!({"strategy": ["\"MERGE\" is not a valid choice."]}));
        assert_eq!(app.get(&world.admin, &features(world.project)).await.expect(200)["count"], 0);
        let imports = format!("/api/v1/projects/{}/feature-imports/", world.project);
        assert_eq!(app.get(&world.admin, &imports).await.expect(200)["count"], 0);
    }

    async fn exports_are_for_administrators_of_the_environment_and_imports_for_those_of_the_organisation(app) {
        let world = app.world().await;
        let body = json!({"environment_id": world.environment, "tag_ids": []});
        let made = app.post(&world.admin, EXPORT, &body).await.expect(201);
        let download = format!("/api/v1/features/download-feature-export/{}/", id(&made));
        for person in [&world.member, &world.stranger] {
            app.post(person, EXPORT, &body).await.expect(403);
            app.get(person, &download).await.expect(403);
            upload(&app, person, world.environment, "[]", "SKIP").await.expect(403);
        }
        app.get(&world.stranger, &format!("/api/v1/projects/{}/feature-exports/", world.project)).await.expect(404);
        let object = burgee_store::grants::Object::Project(world.project);
        app.grant(&world.member, object, &["VIEW_PROJECT"]).await;
        for list in ["feature-exports", "feature-imports"] {
            let path = format!("/api/v1/projects/{}/{list}/", world.project);
            assert_eq!(app.get(&world.member, &path).await.expect(200)["count"], 0);
        }
        app.get(&world.admin, "/api/v1/features/download-feature-export/9999/").await.expect(404);
        let none = app.get(&world.stranger, "/api/v1/features/download-flagsmith-on-flagsmith/").await.expect(404);
        assert_eq!(none, json!({"detail": "This system is not configured for this download."}));
    }
}
