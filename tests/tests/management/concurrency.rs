//! What holds when two people work at the same time.

use axum::http::Method;
use burgee_testkit::{World, both, flag};
use futures_util::future::join_all;
use serde_json::{Value, json};

both! {
    async fn an_environment_and_the_flags_in_it_can_be_edited_together(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let settings = format!("/api/v1/environments/{}/", world.client);
        let states = format!("{settings}featurestates/");
        let found = world.manage(Method::GET, &format!("{states}?feature={feature}"), Value::Null).await;
        let state = format!("{states}{}/", found["results"][0]["id"]);
        let bodies: Vec<Value> = (0..20).map(|i| json!({"banner_text": format!("b{i}")})).collect();
        let values: Vec<Value> = (0..20).map(|i| json!({"enabled": i % 2 == 0, "feature_state_value": i})).collect();
        let edits = bodies.iter().map(|body| world.app.manage(&world.token, Method::PATCH, &settings, Some(body)));
        let flips = values.iter().map(|body| world.app.manage(&world.token, Method::PUT, &state, Some(body)));
        let (edits, flips) = futures_util::join!(join_all(edits), join_all(flips));
        for answer in edits.into_iter().chain(flips) {
            answer.expect(200);
        }
    }

    async fn two_edits_of_one_state_keep_each_others_part(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        for i in 0..10 {
            let value = format!("v{i}");
            let (on, new) = (json!({"enabled": i % 2 == 0}), json!({"feature_state_value": value}));
            futures_util::join!(world.set(feature, on), world.set(feature, new));
            let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
            let f = flag(&flags, "f").unwrap();
            assert_eq!((&f["enabled"], &f["feature_state_value"]), (&json!(i % 2 == 0), &json!(value)));
        }
    }

    async fn a_feature_and_an_environment_made_together_know_each_other(app) {
        let world = World::new(app).await;
        let environments = (0..5).map(|i| {
            world.post("/api/v1/environments/", json!({"name": format!("e{i}"), "project": world.project}))
        });
        let features = (0..5).map(|i| world.feature(json!({"name": format!("f{i}")})));
        let (environments, _) = futures_util::join!(join_all(environments), join_all(features));
        for environment in environments {
            let key = environment["api_key"].as_str().unwrap();
            let flags = world.sdk_with(key, Method::GET, "/api/v1/flags/", None).await.expect(200);
            assert_eq!(flags.as_array().unwrap().len(), 5);
        }
    }

    async fn of_several_creations_of_one_name_one_succeeds(app) {
        let world = World::new(app).await;
        let path = format!("/api/v1/projects/{}/features/", world.project);
        let body = json!({"name": "same"});
        let calls = (0..8).map(|_| world.app.manage(&world.token, Method::POST, &path, Some(&body)));
        let statuses: Vec<u16> = join_all(calls).await.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == 400).count(), 7, "{statuses:?}");
    }

    async fn edits_of_one_segment_follow_each_other_and_none_is_lost(app) {
        let world = World::new(app).await;
        let segment = world.segment("s", "a", "EQUAL", "0").await;
        let one = format!("/api/v1/projects/{}/segments/{segment}/", world.project);
        let condition = |value: String| json!({"property": "a", "operator": "EQUAL", "value": value});
        let bodies: Vec<Value> = (0..10).map(|i| json!({"name": "s", "rules": [
            {"type": "ALL", "rules": [], "conditions": [condition(i.to_string()), condition("b".to_owned())]}]})).collect();
        let texts: Vec<Value> = (0..10).map(|i| json!({"description": format!("d{i}")})).collect();
        let rules = bodies.iter().map(|body| world.app.manage(&world.token, Method::PUT, &one, Some(body)));
        let described = texts.iter().map(|body| world.app.manage(&world.token, Method::PATCH, &one, Some(body)));
        let (rules, described) = futures_util::join!(join_all(rules), join_all(described));
        let mut ids = std::collections::BTreeSet::new();
        for answer in rules {
            for condition in answer.expect(200)["rules"][0]["conditions"].as_array().unwrap() {
                assert!(ids.insert(condition["id"].as_i64().unwrap()), "an id was given twice");
            }
        }
        for answer in described {
            answer.expect(200);
        }
        let last = world.manage(Method::GET, &one, Value::Null).await;
        assert!(last["description"].as_str().unwrap().starts_with('d'));
        assert_eq!(last["rules"][0]["conditions"].as_array().unwrap().len(), 2);
    }

    async fn overrides_moved_at_the_same_time_never_share_a_priority(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        for i in 0..4 {
            let segment = world.segment(&format!("s{i}"), "a", "EQUAL", "0").await;
            world.override_for_segment(feature, segment, "x").await;
        }
        let links = format!("/api/v1/features/feature-segments/?environment={}&feature={feature}", world.environment);
        let found = world.manage(Method::GET, &links, Value::Null).await;
        let ids: Vec<i64> = found["results"].as_array().unwrap().iter().map(|link| link["id"].as_i64().unwrap()).collect();
        // Each puts another one first, without a word of the rest.
        let moves: Vec<Value> = ids.iter().map(|id| json!([{"id": id, "priority": 0}])).collect();
        let path = "/api/v1/features/feature-segments/update-priorities/";
        let moved = moves.iter().map(|body| world.app.manage(&world.token, Method::POST, path, Some(body)));
        for answer in join_all(moved).await {
            assert_eq!(answer.expect(200)[0]["priority"], 0);
        }
        let found = world.manage(Method::GET, &links, Value::Null).await;
        let mut priorities: Vec<i64> = found["results"].as_array().unwrap().iter().map(|link| link["priority"].as_i64().unwrap()).collect();
        priorities.sort_unstable();
        assert_eq!(priorities, [0, 1, 2, 3]);
    }
}
