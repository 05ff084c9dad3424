//! `/api/v1/projects/`

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::{TestApp, World, both, id};
use serde_json::{Value, json};

both! {
    async fn a_stranger_is_told_to_sign_in(app) {
        let answer = app.call(Method::GET, "/api/v1/projects/", &[], None).await;
        assert_eq!(answer.status.as_u16(), 401);
        assert_eq!(answer.body["detail"], "Authentication credentials were not provided.");
    }
}

/// A project in an installation of its own, with the token of a superuser.
async fn superuser_world(app: TestApp) -> World {
    World::new(app).await
}

both! {
    async fn limits_hold_at_the_last_one_and_only_superusers_move_them(app) {
        let world = superuser_world(app).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        let shown = world.manage(Method::GET, &project, Value::Null).await;
        let limits = |shown: &Value| ["max_segments_allowed", "max_features_allowed", "max_segment_overrides_allowed"]
            .map(|name| shown[name].clone());
        assert_eq!(limits(&shown), [json!(500), json!(1000), json!(2000)]);
        let body = json!({"max_features_allowed": 2, "max_segments_allowed": 2, "max_segment_overrides_allowed": 1});
        world.manage(Method::PATCH, &project, body.clone()).await;
        let post = |path: String, body: Value| {
            let world = &world;
            async move { world.app.manage(&world.token, Method::POST, &path, Some(&body)).await }
        };
        let features = format!("{project}features/");
        for name in ["one", "two"] {
            post(features.clone(), json!({"name": name})).await.expect(201);
        }
        let refused = post(features.clone(), json!({"name": "three"})).await.expect(400);
        assert_eq!(refused, json!({"project": ["The project has reached the maximum allowed features limit of 2."]}));
        let (first, second) = (world.segment("a", "x", "EQUAL", "1").await, world.segment("b", "x", "EQUAL", "2").await);
        let rules = json!([{"type": "ALL", "rules": [], "conditions": [{"property": "x", "operator": "EQUAL", "value": "3"}]}]);
        let segment = json!({"name": "c", "project": world.project, "rules": rules});
        let refused = post(format!("{project}segments/"), segment.clone()).await.expect(400);
        assert_eq!(refused, json!({"project": "The project has reached the maximum allowed segments limit."}));
        let shown = world.manage(Method::GET, &project, Value::Null).await;
        assert_eq!((&shown["total_features"], &shown["total_segments"]), (&json!(2), &json!(2)));
        let listed = world.manage(Method::GET, &features, Value::Null).await;
        let feature = id(&listed["results"][0]);
        world.override_for_segment(feature, first, "x").await;
        let path = format!("/api/v1/environments/{}/features/{feature}/create-segment-override/", world.client);
        let body = json!({"enabled": true, "feature_segment": {"segment": second},
            "feature_state_value": {"type": "unicode", "string_value": "y"}});
        let refused = post(path.clone(), body.clone()).await.expect(400);
        assert_eq!(refused, json!({"environment": ["The environment has reached the maximum allowed segments overrides limit of 1."]}));
        // One more, or none at all.
        let more = json!({"max_features_allowed": 3, "max_segments_allowed": null, "max_segment_overrides_allowed": null});
        world.manage(Method::PATCH, &project, more).await;
        post(features.clone(), json!({"name": "three"})).await.expect(201);
        post(features, json!({"name": "four"})).await.expect(400);
        post(format!("{project}segments/"), segment).await.expect(201);
        post(path, body).await.expect(201);
        let wrong = world.app.manage(&world.token, Method::PATCH, &project, Some(&json!({"max_features_allowed": -1}))).await;
        assert!(wrong.expect(400)["max_features_allowed"].is_array());
        // From anybody else, his own administrator included, they are passed over.
        let eve = world.app.sign_up("eve@example.com").await;
        let body = json!({"name": "Eve's"});
        let organisation = world.app.manage(&eve, Method::POST, "/api/v1/organisations/", Some(&body)).await.expect(201);
        let body = json!({"name": "Mine", "organisation": id(&organisation), "max_features_allowed": 1});
        let made = world.app.manage(&eve, Method::POST, "/api/v1/projects/", Some(&body)).await.expect(201);
        let project = format!("/api/v1/projects/{}/", id(&made));
        let shown = world.app.manage(&eve, Method::PATCH, &project, Some(&json!({"max_features_allowed": 7}))).await;
        shown.expect(200);
        assert_eq!(world.app.manage(&eve, Method::GET, &project, None).await.expect(200)["max_features_allowed"], 1000);
    }

    async fn every_setting_of_a_project_is_kept_and_what_is_wrong_is_named(app) {
        let world = superuser_world(app).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        for (name, value) in [
            ("name", json!("Shop")), ("hide_disabled_flags", json!(true)), ("prevent_flag_defaults", json!(true)),
            ("enable_realtime_updates", json!(true)), ("only_allow_lower_case_feature_names", json!(false)),
            ("feature_name_regex", json!("[a-z]+")), ("stale_flags_limit_days", json!(7)),
            ("minimum_change_request_approvals", json!(2)), ("enforce_feature_owners", json!(true)),
            ("use_edge_identities", json!(true)),
        ] {
            world.manage(Method::PATCH, &project, json!({name: value})).await;
            assert_eq!(world.manage(Method::GET, &project, Value::Null).await[name], value, "{name}");
        }
        let last = world.manage(Method::GET, &project, Value::Null).await;
        world.manage(Method::PATCH, &project, json!({"organisation": 99, "id": 7, "uuid": "x"})).await;
        assert_eq!(world.manage(Method::GET, &project, Value::Null).await, last, "read-only");
        for (name, value) in [
            ("name", json!("")), ("name", json!("x".repeat(2001))), ("hide_disabled_flags", json!("maybe")),
            ("feature_name_regex", json!("(")), ("feature_name_regex", json!("x".repeat(256))),
            ("stale_flags_limit_days", json!(-1)), ("minimum_change_request_approvals", json!("two")),
            ("use_edge_identities", json!(null)),
        ] {
            let wrong = world.app.manage(&world.token, Method::PATCH, &project, Some(&json!({name: value}))).await;
            assert!(wrong.expect(400)[name].is_array(), "{name}");
        }
    }

    async fn a_project_is_found_by_its_uuid_written_anew_and_goes_with_all_that_is_in_it(app) {
        let world = app.world().await;
        let one = format!("/api/v1/projects/{}/", world.project);
        let shown = app.get(&world.admin, &one).await.expect(200);
        let by_uuid = format!("/api/v1/projects/get-by-uuid/{}/", shown["uuid"].as_str().expect("a uuid"));
        assert_eq!(id(&app.get(&world.admin, &by_uuid).await.expect(200)), world.project);
        let body = json!({"name": "Shop", "organisation": world.organisation, "stale_flags_limit_days": 7});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        assert_eq!((&written["name"], &written["stale_flags_limit_days"]), (&json!("Shop"), &json!(7)));
        let missing = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"name": ["This field is required."], "organisation": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            app.get(person, &by_uuid).await.expect(404);
            app.put(person, &one, &body).await.expect(404);
            app.delete(person, &one).await.expect(404);
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.get(&world.member, &by_uuid).await.expect(200);
        app.put(&world.member, &one, &body).await.expect(403);
        app.delete(&world.member, &one).await.expect(403);
        let headers = [("x-environment-key", world.key.as_str())];
        app.call(Method::GET, "/api/v1/flags/", &headers, None).await.expect(200);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
        app.get(&world.admin, &by_uuid).await.expect(404);
        // Its environments serve nobody any more.
        app.call(Method::GET, "/api/v1/flags/", &headers, None).await.expect(403);
        let line = app.log("PROJECT").await.pop().expect("a line");
        assert_eq!((line.action.as_str(), line.after), ("DELETE", None));
    }

    async fn there_is_no_other_store_of_identities_to_move_to(app) {
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/migrate-to-edge/", world.project);
        app.post(&world.admin, &path, &json!({})).await.expect(400);
        app.post(&world.stranger, &path, &json!({})).await.expect(404);
    }

}
