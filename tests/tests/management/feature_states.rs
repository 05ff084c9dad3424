//! `/api/v1/environments/{key}/featurestates/` and `/api/v1/features/featurestates/`

use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

/// A new feature and its default in the world's environment.
async fn state(app: &TestApp, world: &World, name: &str) -> (i64, i64) {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    let body = json!({"name": name, "default_enabled": true, "initial_value": "hello"});
    let feature = id(&app.post(&world.admin, &path, &body).await.expect(201));
    let path = format!(
        "/api/v1/environments/{}/featurestates/?feature={feature}",
        world.key
    );
    let states = app.get(&world.admin, &path).await.expect(200);
    (feature, id(&states["results"][0]))
}

fn path(world: &World, id: i64) -> String {
    format!("/api/v1/environments/{}/featurestates/{id}/", world.key)
}

both! {
    async fn a_value_has_the_type_it_is_given_and_the_other_columns_remember(app) {
        let world = app.world().await;
        let (feature, state) = state(&app, &world, "a").await;
        let cases = [
            (json!("world"), json!("world")), (json!(5), json!(5)), (json!(false), json!(false)),
            (json!(null), json!(null)), (json!(1.5), json!("1.5")),
        ];
        for (given, kept) in cases {
            let answer = app.put(&world.admin, &path(&world, state), &json!({"feature_state_value": given})).await.expect(200);
            assert_eq!(answer["feature_state_value"], kept);
            assert_eq!(answer["enabled"], true);
        }
        let typed = format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment);
        let typed = app.get(&world.admin, &typed).await.expect(200);
        let expected = json!({"type": "unicode", "string_value": "1.5", "integer_value": 5, "boolean_value": false});
        assert_eq!(typed["results"][0]["feature_state_value"], expected);
    }

    async fn a_value_that_fits_no_type_is_refused_and_nothing_is_changed(app) {
        let world = app.world().await;
        let (_, state) = state(&app, &world, "a").await;
        let cases = [
            (json!({"a": 1}), json!({"string_value": ["Not a valid string."]})),
            (json!([1]), json!({"string_value": ["Not a valid string."]})),
            (json!("x".repeat(20_001)), json!({"string_value": ["Ensure this field has no more than 20000 characters."]})),
            (json!("a\u{0}"), json!({"string_value": ["Null characters are not allowed."]})),
            (json!(3_000_000_000_i64), json!({"integer_value": ["Ensure this value is less than or equal to 2147483647."]})),
        ];
        for (given, expected) in cases {
            let body = json!({"enabled": false, "feature_state_value": given});
            assert_eq!(app.put(&world.admin, &path(&world, state), &body).await.expect(400), expected);
        }
        let kept = app.get(&world.admin, &path(&world, state)).await.expect(200);
        assert_eq!((kept["enabled"].as_bool(), kept["feature_state_value"].as_str()), (Some(true), Some("hello")));
    }

    async fn value_and_switch_have_a_line_of_the_log_each_and_no_change_has_none(app) {
        let world = app.world().await;
        let (_, state) = state(&app, &world, "a").await;
        let before = app.log("FEATURE_STATE").await.len();
        let body = json!({"enabled": false, "feature_state_value": "other"});
        app.put(&world.admin, &path(&world, state), &body).await.expect(200);
        app.put(&world.admin, &path(&world, state), &body).await.expect(200);
        let log = app.log("FEATURE_STATE").await;
        let lines: Vec<_> = log[before..].iter().map(|line| line.message.clone().expect("a line")).collect();
        assert_eq!(lines, ["Remote config value updated for feature: a", "Flag state updated for feature: a"]);
        assert!(log[before].serves);
        let patched = app.patch(&world.admin, &path(&world, state), &json!({"enabled": true})).await.expect(200);
        assert_eq!(patched.as_object().expect("an object").len(), 2);
    }

    async fn shares_beyond_the_whole_are_refused_and_nothing_is_written(app) {
        let world = app.world().await;
        let options = json!([{"string_value": "x", "default_percentage_allocation": 30}, {"string_value": "y", "default_percentage_allocation": 20}]);
        let features = format!("/api/v1/projects/{}/features/", world.project);
        let feature = app.post(&world.admin, &features, &json!({"name": "mv", "multivariate_options": options})).await.expect(201);
        let list = format!("/api/v1/environments/{}/featurestates/", world.key);
        let state = app.get(&world.admin, &list).await.expect(200)["results"][0].clone();
        let share = |n: usize, percentage: i64| json!({
            "multivariate_feature_option": feature["multivariate_options"][n]["id"], "percentage_allocation": percentage,
        });
        let body = json!({"enabled": true, "multivariate_feature_state_values": [share(0, 80), share(1, 80)]});
        let refused = app.put(&world.admin, &path(&world, id(&state)), &body).await.expect(400);
        assert_eq!(refused, json!({"non_field_errors": ["Multivariate percentage values exceed 100%."]}));
        let body = json!({"multivariate_feature_state_values": [{"multivariate_feature_option": 9999, "percentage_allocation": 1}]});
        app.put(&world.admin, &path(&world, id(&state)), &body).await.expect(400);
        assert_eq!(app.get(&world.admin, &path(&world, id(&state))).await.expect(200), {
            let mut kept = state.clone();
            kept.as_object_mut().expect("an object").shift_remove("identity");
            kept["identity"] = Value::Null;
            kept
        });
    }

    async fn a_default_can_go_and_come_back_but_is_never_there_twice(app) {
        let world = app.world().await;
        let (feature, state) = state(&app, &world, "a").await;
        let list = format!("/api/v1/environments/{}/featurestates/", world.key);
        let body = json!({"feature": feature, "enabled": true});
        let refused = app.post(&world.admin, &list, &body).await.expect(400);
        assert_eq!(refused, json!(["['Feature state already exists for this environment, feature, version, segment & identity combination']"]));
        app.delete(&world.admin, &path(&world, state)).await.expect(204);
        app.post(&world.admin, &list, &body).await.expect(201);
        app.post(&world.admin, &list, &json!({})).await.expect(403);
    }

    async fn a_typed_body_must_name_its_feature_and_environment(app) {
        let world = app.world().await;
        let (feature, state) = state(&app, &world, "a").await;
        let one = format!("/api/v1/features/featurestates/{state}/");
        let refused = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(refused, json!({"feature": ["This field is required."], "environment": ["This field is required."]}));
        let refused = app.patch(&world.admin, &one, &json!({"feature_state_value": null})).await.expect(400);
        assert_eq!(refused, json!({"feature_state_value": ["This field may not be null."]}));
        let refused = app.patch(&world.admin, &one, &json!({"feature_state_value": {"type": "zzz"}})).await.expect(400);
        assert_eq!(refused, json!({"feature_state_value": {"type": ["\"zzz\" is not a valid choice."]}}));
        let body = json!({"feature": feature, "environment": world.environment, "feature_state_value": {"type": "int", "integer_value": 7}});
        let answer = app.put(&world.admin, &one, &body).await.expect(200);
        let expected = json!({"type": "int", "string_value": "hello", "integer_value": 7, "boolean_value": null});
        assert_eq!(answer["feature_state_value"], expected);
    }

    async fn states_are_for_those_with_permission_in_their_environment(app) {
        let world = app.world().await;
        let (_, state) = state(&app, &world, "a").await;
        let list = format!("/api/v1/environments/{}/featurestates/", world.key);
        let typed = format!("/api/v1/features/featurestates/?environment={}", world.environment);
        let kept = app.get(&world.admin, &path(&world, state)).await.expect(200);
        let uuid = format!("/api/v1/features/featurestates/get-by-uuid/{}/", kept["uuid"].as_str().expect("text"));
        for person in [&world.stranger, &world.member] {
            app.get(person, &list).await.expect(403);
            app.get(person, &typed).await.expect(403);
            app.get(person, &uuid).await.expect(404);
            app.put(person, &path(&world, state), &json!({"enabled": false})).await.expect(403);
            app.put(person, &format!("/api/v1/features/featurestates/{state}/"), &json!({"feature": 1, "environment": 1})).await.expect(404);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &list).await.expect(200);
        app.put(&world.member, &path(&world, state), &json!({"enabled": false})).await.expect(403);
        // Who is overridden is data of identities.
        app.get(&world.member, &format!("{list}?anyIdentity=1")).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["UPDATE_FEATURE_STATE"]).await;
        app.put(&world.member, &path(&world, state), &json!({"enabled": false})).await.expect(200);
        let (_, other) = app.environment(&world.admin, world.project, "Production").await;
        app.put(&world.admin, &format!("/api/v1/environments/{other}/featurestates/{state}/"), &json!({"enabled": true})).await.expect(404);
        app.get(&world.admin, "/api/v1/environments/nope/featurestates/").await.expect(403);
        app.get(&world.admin, &format!("{list}?feature=abc")).await.expect(400);
    }

    async fn a_state_is_found_by_its_uuid_and_changed_with_its_feature_and_environment_named(app) {
        let world = app.world().await;
        let (feature, state) = state(&app, &world, "a").await;
        let plain = app.get(&world.admin, &path(&world, state)).await.expect(200);
        let by_uuid = format!("/api/v1/features/featurestates/get-by-uuid/{}/", plain["uuid"].as_str().expect("text"));
        let found = app.get(&world.admin, &by_uuid).await.expect(200);
        assert_eq!((&found["id"], &found["feature_state_value"]["string_value"]), (&json!(state), &json!("hello")));
        let one = format!("/api/v1/features/featurestates/{state}/");
        let body = json!({"feature": feature, "environment": world.environment, "enabled": false,
            "feature_state_value": {"type": "bool", "boolean_value": true}});
        let changed = app.patch(&world.admin, &one, &body).await.expect(200);
        assert_eq!((&changed["enabled"], &changed["feature_state_value"]["type"]), (&json!(false), &json!("bool")));
        assert_eq!(app.get(&world.admin, &by_uuid).await.expect(200), changed);
        let headers = [("x-environment-key", world.key.as_str())];
        let served = app.call(axum::http::Method::GET, "/api/v1/flags/", &headers, None).await.expect(200);
        assert_eq!((&served[0]["enabled"], &served[0]["feature_state_value"]), (&json!(false), &json!(true)));
        let refused = app.patch(&world.admin, &one, &json!({"enabled": true})).await.expect(400);
        assert_eq!(refused, json!({"feature": ["This field is required."], "environment": ["This field is required."]}));
        let (elsewhere, _) = app.environment(&world.admin, world.project, "Production").await;
        let moved = json!({"feature": feature, "environment": elsewhere, "enabled": true});
        let refused = app.patch(&world.admin, &one, &moved).await;
        assert_eq!(refused.status.as_u16(), 400, "a state stays where it is: {}", refused.text);
        for person in [&world.member, &world.stranger] {
            app.patch(person, &one, &body).await.expect(404);
        }
        app.get(&world.admin, "/api/v1/features/featurestates/get-by-uuid/nonsense/").await.expect(404);
    }

}
