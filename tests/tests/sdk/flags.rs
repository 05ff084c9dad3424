//! `/api/v1/flags/`

use axum::http::Method;
use burgee_testkit::{World, both, flag};
use serde_json::json;

both! {
    async fn flags_are_served_with_their_types_and_follow_a_change_at_once(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "limit", "initial_value": "42", "default_enabled": true})).await;
        let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        assert_eq!(flag(&flags, "limit").unwrap()["feature_state_value"], 42);
        world.set(feature, json!({"enabled": false, "feature_state_value": "off"})).await;
        let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        let limit = flag(&flags, "limit").unwrap();
        assert_eq!((&limit["feature_state_value"], &limit["enabled"]), (&json!("off"), &json!(false)));
        assert!(limit.get("variant").is_none(), "this endpoint knows no variants");
    }

    async fn a_key_that_is_missing_wrong_inactive_or_expired_is_refused(app) {
        let world = World::new(app).await;
        for (key, text) in [("", "Invalid or missing Environment key"), ("nope", "Invalid or missing Environment Key")] {
            let answer = world.sdk_with(key, Method::GET, "/api/v1/flags/", None).await;
            assert_eq!(answer.expect(403)["detail"], text);
        }
        for change in [json!({"active": false}), json!({"active": true, "expires_at": "2020-01-01T00:00:00Z"})] {
            let keys = format!("/api/v1/environments/{}/api-keys/", world.client);
            let id = world.manage(Method::GET, &keys, json!(null)).await[0]["id"].clone();
            world.manage(Method::PATCH, &format!("{keys}{id}/"), change).await;
            world.sdk_with(&world.server, Method::GET, "/api/v1/flags/", None).await.expect(403);
        }
        world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
    }

    async fn a_server_key_only_feature_never_reaches_a_client_key(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "secret", "is_server_key_only": true, "default_enabled": true})).await;
        world.feature(json!({"name": "open", "default_enabled": true})).await;
        for hide in [json!(false), json!(true)] {
            world.set_environment(json!({"hide_disabled_flags": hide})).await;
            let lists = ["/api/v1/flags/", "/api/v1/flags/someone", "/api/v1/identities/?identifier=someone", "/api/v1/identities/someone/"];
            for path in lists {
                let seen = world.sdk(Method::GET, path, None).await.expect(200).to_string();
                assert!(seen.contains("open") && !seen.contains("secret"), "{path}: {seen}");
                let seen = world.sdk_with(&world.server, Method::GET, path, None).await.expect(200).to_string();
                assert!(seen.contains("secret"), "{path}: {seen}");
            }
            world.sdk(Method::GET, "/api/v1/flags/?feature=secret", None).await.expect(404);
        }
    }

    async fn disabled_flags_are_hidden_where_the_environment_or_its_project_says_so(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "dark"})).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        world.manage(Method::PATCH, &project, json!({"hide_disabled_flags": true})).await;
        assert_eq!(world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200), json!([]));
        world.sdk(Method::GET, "/api/v1/flags/?feature=dark", None).await.expect(404);
        world.set_environment(json!({"hide_disabled_flags": false})).await;
        assert_eq!(world.sdk(Method::GET, "/api/v1/flags/?feature=DARK", None).await.expect(200)["enabled"], false);
    }

    async fn sensitive_data_is_hidden_when_the_environment_says_so(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "f", "description": "internal", "initial_value": "v"})).await;
        world.set_environment(json!({"hide_sensitive_data": true})).await;
        let answer = world.identify(json!({"identifier": "x", "traits": [{"trait_key": "a", "trait_value": 1}]})).await;
        assert_eq!(answer["traits"], json!([]));
        let f = &answer["flags"][0];
        for hidden in [&f["id"], &f["environment"], &f["feature"]["description"], &f["feature"]["initial_value"]] {
            assert!(hidden.is_null(), "{f}");
        }
        assert_eq!(f["feature_state_value"], "v");
    }

    async fn answers_are_compressed_for_those_who_take_it_and_carry_the_version(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "f"})).await;
        let headers = [("x-environment-key", world.client.as_str()), ("accept-encoding", "br, gzip"), ("origin", "https://a.example")];
        let answer = world.app.call(Method::GET, "/api/v1/flags/", &headers, None).await;
        assert_eq!(answer.headers["content-encoding"], "gzip");
        assert!(answer.headers["x-flagsmith-document-updated-at"].to_str().unwrap().contains('.'));
        let exposed = answer.headers["access-control-expose-headers"].to_str().unwrap();
        assert!(exposed.contains("X-Flagsmith-Document-Updated-At"));
        assert!(answer.headers["vary"].to_str().unwrap().contains("X-Environment-Key"));
    }

    async fn the_options_of_a_feature_are_told_with_what_stands_against_them(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "colour", "initial_value": "grey"})).await;
        let path = format!("/api/v1/flags/{feature}/multivariate-options/");
        let none = world.sdk(Method::GET, &path, None).await.expect(200);
        assert_eq!(none, json!({"control_value": "grey", "options": []}));
        world.option(feature, "green", 30.0).await;
        world.option(feature, "blue", 20.0).await;
        let told = world.sdk(Method::GET, &path, None).await.expect(200);
        assert_eq!(told, json!({"control_value": "grey", "options": [{"value": "value of green"}, {"value": "value of blue"}]}));
        world.set(feature, json!({"feature_state_value": "black"})).await;
        let told = world.sdk(Method::GET, &path, None).await.expect(200);
        assert_eq!(told["control_value"], "black");
        let missing = world.sdk(Method::GET, "/api/v1/flags/9999/multivariate-options/", None).await.expect(404);
        assert_eq!(missing, json!({"detail": "No Feature matches the given query."}));
        // What clients are not told of, they are not told the options of.
        let hidden = world.feature(json!({"name": "hidden", "initial_value": "x", "is_server_key_only": true})).await;
        let path = format!("/api/v1/flags/{hidden}/multivariate-options/");
        world.sdk(Method::GET, &path, None).await.expect(404);
        world.sdk_with(&world.server, Method::GET, &path, None).await.expect(200);
    }

}
