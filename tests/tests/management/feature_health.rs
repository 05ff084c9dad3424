//! Feature health, code references, external resources

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

fn providers(world: &World) -> String {
    format!("/api/v1/projects/{}/feature-health/providers/", world.project)
}

fn events(world: &World) -> String {
    format!("/api/v1/projects/{}/feature-health/events/", world.project)
}

async fn feature(app: &TestApp, world: &World, name: &str) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(&world.admin, &path, &json!({"name": name}))
        .await
        .expect(201))
}

/// The path under which a provider reports.
async fn provider(app: &TestApp, world: &World, name: &str) -> String {
    let made = app
        .post(&world.admin, &providers(world), &json!({"name": name}))
        .await
        .expect(201);
    let url = made["webhook_url"].as_str().unwrap();
    url.split_once("/api/")
        .map(|(_, path)| format!("/api/{path}"))
        .unwrap()
}

async fn report(app: &TestApp, path: &str, body: &Value) -> Answer {
    app.call(Method::POST, path, &[], Some(body)).await
}

/// The types of the system tags of a feature.
async fn system_tags(app: &TestApp, world: &World, feature: i64) -> Vec<String> {
    let path = format!("/api/v1/projects/{}/", world.project);
    let carried = app
        .get(&world.admin, &format!("{path}features/{feature}/"))
        .await
        .expect(200)["tags"]
        .clone();
    let tags = app.get(&world.admin, &format!("{path}tags/")).await.expect(200);
    let tags = tags["results"].as_array().unwrap().clone();
    let carried = tags
        .iter()
        .filter(|tag| carried.as_array().unwrap().contains(&tag["id"]));
    carried
        .filter(|tag| tag["is_system_tag"] == true)
        .map(|tag| tag["type"].as_str().unwrap().to_owned())
        .collect()
}

both! {
    async fn a_reported_feature_carries_the_tag_until_it_is_well_again(app) {
        let world = app.world().await;
        let checkout = feature(&app, &world, "checkout").await;
        let path = provider(&app, &world, "Webhook").await;
        let body = json!({"feature": "checkout", "environment": "Development", "status": "unhealthy", "reason": {
            "text_blocks": [{"text": "Error rate 12 %", "title": "Errors"}],
            "url_blocks": [{"url": "https://example.com/graph", "title": "Graph"}]}});
        report(&app, &path, &body).await.expect(200);
        let shown = app.get(&world.admin, &events(&world)).await.expect(200);
        let fields: Vec<&str> = shown[0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "created_at", "environment", "feature", "provider_name", "reason", "type"]);
        assert_eq!((&shown[0]["type"], &shown[0]["feature"], &shown[0]["environment"], &shown[0]["provider_name"]),
            (&json!("UNHEALTHY"), &json!(checkout), &json!(world.environment), &json!("Webhook")));
        assert_eq!(shown[0]["reason"], body["reason"]);
        assert_eq!(system_tags(&app, &world, checkout).await, ["UNHEALTHY"]);
        report(&app, &path, &json!({"feature": "checkout", "environment": "Development", "status": "healthy"})).await.expect(200);
        let shown = app.get(&world.admin, &events(&world)).await.expect(200);
        assert_eq!((shown.as_array().unwrap().len(), &shown[0]["type"]), (1, &json!("HEALTHY")));
        assert!(system_tags(&app, &world, checkout).await.is_empty());
        let said: Vec<_> = app.log("FEATURE_HEALTH").await.into_iter().filter_map(|line| line.message).collect();
        assert_eq!(said, ["Health provider Webhook set up for project Web.",
            "Health status changed to UNHEALTHY for feature checkout in environment Development.",
            "Health status changed to HEALTHY for feature checkout in environment Development."]);
    }

    async fn a_report_can_be_dismissed_by_those_who_may_edit_features(app) {
        let world = app.world().await;
        let checkout = feature(&app, &world, "checkout").await;
        let path = provider(&app, &world, "Webhook").await;
        report(&app, &path, &json!({"feature": "checkout", "status": "unhealthy"})).await.expect(200);
        let event = id(&app.get(&world.admin, &events(&world)).await.expect(200)[0]);
        let dismiss = format!("{}{event}/dismiss/", events(&world));
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.post(&world.member, &dismiss, &json!({})).await.expect(403);
        app.post(&world.stranger, &dismiss, &json!({})).await.expect(403);
        assert_eq!(app.post(&world.admin, &dismiss, &json!({})).await.expect(200)["type"], "HEALTHY");
        assert!(system_tags(&app, &world, checkout).await.is_empty());
        app.post(&world.admin, &format!("{}9999/dismiss/", events(&world)), &json!({})).await.expect(404);
    }

    async fn alerts_of_grafana_are_understood_one_by_one(app) {
        let world = app.world().await;
        let checkout = feature(&app, &world, "checkout").await;
        let path = provider(&app, &world, "Grafana").await;
        let alert = |feature: &str, fingerprint: &str, status: &str| json!({"status": status, "fingerprint": fingerprint,
            "labels": {"alertname": "Errors", "flagsmith_feature": feature}, "annotations": {"summary": "Too many"},
            "generatorURL": "https://grafana.example.com/alert"});
        let body = json!({"alerts": [alert("checkout", "a", "firing"), alert("checkout", "b", "firing"),
            alert("unknown", "c", "firing"), {"status": "firing", "labels": {}}]});
        report(&app, &path, &body).await.expect(200);
        let shown = app.get(&world.admin, &events(&world)).await.expect(200);
        assert_eq!(shown.as_array().unwrap().len(), 2);
        assert_eq!(shown[0]["reason"], json!({"text_blocks": [{"text": "Too many", "title": "Errors"}],
            "url_blocks": [{"url": "https://grafana.example.com/alert", "title": "Alert"}]}));
        // It is well again when each of the two is.
        report(&app, &path, &json!({"alerts": [alert("checkout", "a", "resolved")]})).await.expect(200);
        assert_eq!(system_tags(&app, &world, checkout).await, ["UNHEALTHY"]);
        report(&app, &path, &json!({"alerts": [alert("checkout", "b", "resolved")]})).await.expect(200);
        assert!(system_tags(&app, &world, checkout).await.is_empty());
        report(&app, &path, &json!({})).await.expect(400);
    }

    async fn only_the_address_of_a_present_provider_takes_reports(app) {
        let world = app.world().await;
        feature(&app, &world, "checkout").await;
        let path = provider(&app, &world, "Webhook").await;
        assert_eq!(provider(&app, &world, "Webhook").await, path);
        let body = json!({"feature": "checkout", "status": "unhealthy"});
        let forged = format!("{}0", &path[..path.len() - 1]);
        let forged = if forged == path { format!("{}1", &path[..path.len() - 1]) } else { forged };
        report(&app, &forged, &body).await.expect(404);
        report(&app, "/api/v1/feature-health/x/", &body).await.expect(404);
        for (wrong, field) in [
            (json!({"status": "unhealthy"}), "feature"), (json!({"feature": "checkout"}), "status"),
            (json!({"feature": "nope", "status": "healthy"}), "feature"),
            (json!({"feature": "checkout", "environment": "nope", "status": "healthy"}), "environment"),
            (json!({"feature": "checkout", "status": "healthy", "reason": {"url_blocks": [{"url": "javascript:1"}]}}), "reason"),
        ] {
            assert!(report(&app, &path, &wrong).await.expect(400).get(field).is_some(), "{wrong}");
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        assert_eq!(app.get(&world.member, &providers(&world)).await.expect(200).as_array().unwrap().len(), 1);
        app.post(&world.member, &providers(&world), &json!({"name": "Grafana"})).await.expect(403);
        app.post(&world.admin, &providers(&world), &json!({"name": "Pager"})).await.expect(400);
        app.get(&world.stranger, &providers(&world)).await.expect(404);
        app.delete(&world.member, &format!("{}Webhook/", providers(&world))).await.expect(403);
        app.delete(&world.admin, &format!("{}Webhook/", providers(&world))).await.expect(204);
        report(&app, &path, &body).await.expect(404);
        assert_ne!(provider(&app, &world, "Webhook").await, path);
    }

    async fn a_scan_says_where_features_are_until_the_next_one(app) {
        let world = app.world().await;
        let checkout = feature(&app, &world, "checkout").await;
        let scans = format!("/api/v1/projects/{}/code-references/", world.project);
        let place = |line: i64| json!({"feature_name": "checkout", "file_path": "src/pay.rs", "line_number": line});
        let scan = |revision: &str, found: Value| json!({"repository_url": "https://github.com/acme/web", "revision": revision,
            "code_references": found});
        let other = json!({"feature_name": "unknown", "file_path": "src/x.rs", "line_number": 1});
        let body = scan("abc", json!([place(3), place(9), other]));
        let taken = app.post(&world.admin, &scans, &body).await.expect(201);
        let fields: Vec<&str> = taken.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["created_at", "project", "repository_url", "vcs_provider", "revision", "code_references"]);
        let one = format!("/api/v1/projects/{}/features/{checkout}/", world.project);
        let found = app.get(&world.admin, &format!("{one}code-references/")).await.expect(200);
        assert_eq!(found[0]["code_references"][1], json!({"file_path": "src/pay.rs", "line_number": 9,
            "scanned_at": taken["created_at"], "vcs_provider": "github", "repository_url": "https://github.com/acme/web",
            "revision": "abc", "permalink": "https://github.com/acme/web/blob/abc/src/pay.rs#L9"}));
        let counts = app.get(&world.admin, &one).await.expect(200)["code_references_counts"].clone();
        assert_eq!(counts, json!([{"repository_url": "https://github.com/acme/web", "count": 2,
            "last_successful_repository_scanned_at": taken["created_at"], "last_feature_found_at": taken["created_at"]}]));
        let again = app.post(&world.admin, &scans, &scan("def", json!([]))).await.expect(201);
        let found = app.get(&world.admin, &format!("{one}code-references/")).await.expect(200);
        assert_eq!(found, json!([{"repository_url": "https://github.com/acme/web", "vcs_provider": "github", "revision": "def",
            "last_successful_repository_scanned_at": again["created_at"], "last_feature_found_at": taken["created_at"],
            "code_references": []}]));
        for wrong in [
            json!({}), scan("", json!([])), json!({"repository_url": "x", "revision": "a", "code_references": []}),
            scan("a", json!([{"feature_name": "a", "file_path": "b", "line_number": 0}])),
        ] {
            app.post(&world.admin, &scans, &wrong).await.expect(400);
        }
        app.post(&world.stranger, &scans, &body).await.expect(404);
        app.get(&world.stranger, &format!("{one}code-references/")).await.expect(404);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.post(&world.member, &scans, &body).await.expect(201);
    }

    async fn a_feature_is_linked_to_issues_and_merge_requests(app) {
        let world = app.world().await;
        let checkout = feature(&app, &world, "checkout").await;
        let path = format!("/api/v1/projects/{}/features/{checkout}/feature-external-resources/", world.project);
        let body = json!({"url": "https://github.com/acme/web/issues/7", "type": "GITHUB_ISSUE", "feature": checkout,
            "metadata": {"title": "Slow", "state": "open"}});
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        let one = format!("{path}{}/", id(&made));
        assert_eq!(made, json!({"id": id(&made), "url": body["url"], "type": "GITHUB_ISSUE", "metadata": body["metadata"],
            "feature": checkout}));
        app.post(&world.admin, &path, &body).await.expect(400);
        for (field, value) in [("url", "https://github.com/acme/web/pull/7"), ("url", "nope"), ("type", "JIRA")] {
            let mut wrong = body.clone();
            wrong[field] = json!(value);
            assert!(app.post(&world.admin, &path, &wrong).await.expect(400).get(field).is_some());
        }
        let changed = json!({"url": "https://gitlab.com/acme/web/-/merge_requests/2", "type": "GITLAB_MR"});
        let changed = app.patch(&world.admin, &one, &changed).await.expect(200);
        assert_eq!(changed["metadata"], body["metadata"]);
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["results"], json!([changed]));
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.get(&world.member, &one).await.expect(200);
        app.post(&world.member, &path, &body).await.expect(403);
        app.delete(&world.member, &one).await.expect(403);
        app.get(&world.stranger, &path).await.expect(404);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
        assert_eq!(app.log("EXTERNAL_RESOURCE").await.len(), 3);
    }

    async fn a_link_is_written_anew(app) {
        let world = app.world().await;
        let checkout = feature(&app, &world, "checkout").await;
        let path = format!("/api/v1/projects/{}/features/{checkout}/feature-external-resources/", world.project);
        let body = json!({"url": "https://github.com/acme/web/issues/7", "type": "GITHUB_ISSUE", "feature": checkout,
            "metadata": {"title": "Slow"}});
        let one = format!("{path}{}/", id(&app.post(&world.admin, &path, &body).await.expect(201)));
        let body = json!({"url": "https://github.com/acme/web/pull/8", "type": "GITHUB_PR", "feature": checkout,
            "metadata": {"title": "Fast"}});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for field in ["url", "type", "feature", "metadata"] {
            assert_eq!(written[field], body[field], "{field}");
        }
        assert_eq!(app.get(&world.admin, &one).await.expect(200), written);
        let missing = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"url": ["This field is required."], "type": ["This field is required."],
            "feature": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            let refused = app.put(person, &one, &body).await;
            assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
        }
    }

}
