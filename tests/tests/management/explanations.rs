//! `/api/v1/environments/{key}/explain/`

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::{World, both};
use serde_json::{Value, json};

fn path(key: &str) -> String {
    format!("/api/v1/environments/{key}/explain/")
}

async fn explain(world: &World, body: Value) -> Value {
    world
        .app
        .manage(&world.token, Method::POST, &path(&world.client), Some(&body))
        .await
        .expect(200)
}

fn of<'a>(explanation: &'a Value, part: &str, inner: &str, name: &str) -> &'a Value {
    let found = explanation[part].as_array().unwrap().iter();
    found
        .clone()
        .find(|one| one[inner]["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {explanation}"))
}

/// A feature with a segment that overrides it, and a stored identity that is in the segment.
async fn premium(world: &World) -> (i64, i64) {
    let feature = world
        .feature(json!({"name": "banner", "initial_value": "plain"}))
        .await;
    let segment = world.segment("premium", "plan", "EQUAL", "premium").await;
    world.override_for_segment(feature, segment, "gold").await;
    let traits =
        json!([{"trait_key": "plan", "trait_value": "premium"}, {"trait_key": "age", "trait_value": 30}]);
    world
        .identify(json!({"identifier": "ann", "traits": traits}))
        .await;
    (feature, segment)
}

both! {
    async fn an_explanation_tells_who_won_and_which_condition_decided(app) {
        let world = World::new(app).await;
        let (feature, segment) = premium(&world).await;
        let told = explain(&world, json!({"identifier": "ann"})).await;
        assert_eq!(told["identity"]["traits"], json!([
            {"trait_key": "plan", "trait_value": "premium", "stored": true},
            {"trait_key": "age", "trait_value": 30, "stored": true},
        ]));
        let flag = of(&told, "flags", "feature", "banner");
        assert_eq!(flag["feature"]["id"], feature);
        assert_eq!((&flag["enabled"], &flag["feature_state_value"], &flag["reason"]),
            (&json!(true), &json!("gold"), &json!("TARGETING_MATCH; segment=premium")));
        assert_eq!(flag["summary"], "The override for the segment \"premium\" decides, in which the identity is.");
        assert_eq!(flag["candidates"], json!([
            {"source": "SEGMENT", "segment": {"id": segment, "name": "premium"}, "priority": 0.0, "enabled": true,
             "feature_state_value": "gold", "matched": true, "won": true},
            {"source": "ENVIRONMENT", "segment": null, "priority": null, "enabled": false,
             "feature_state_value": "plain", "matched": true, "won": false},
        ]));
        let segment = of(&told, "segments", "segment", "premium");
        assert_eq!(segment["matched"], true);
        let rule = &segment["rules"][0]["rules"][0];
        assert_eq!(rule["conditions"], json!([{
            "property": "plan", "operator": "EQUAL", "expected": "premium", "actual": "premium", "matched": true,
            "decided": true, "bucket": null, "threshold": null, "invalid": false,
        }]));
    }

    async fn given_traits_are_laid_over_the_stored_ones_and_nothing_is_stored(app) {
        let world = World::new(app).await;
        premium(&world).await;
        let traits = json!([{"trait_key": "plan", "trait_value": "free"}, {"trait_key": "age", "trait_value": null},
                            {"trait_key": "beta", "trait_value": true, "transient": true}]);
        let told = explain(&world, json!({"identifier": "ann", "traits": traits})).await;
        assert_eq!(told["identity"]["traits"], json!([
            {"trait_key": "plan", "trait_value": "free", "stored": false},
            {"trait_key": "beta", "trait_value": true, "stored": false},
        ]));
        let flag = of(&told, "flags", "feature", "banner");
        assert_eq!((&flag["feature_state_value"], &flag["reason"]), (&json!("plain"), &json!("DEFAULT")));
        assert_eq!(flag["summary"], "No override applies to the identity, so the environment default decides.");
        let unknown = explain(&world, json!({"identifier": "nobody", "traits": traits})).await;
        assert_eq!(unknown["identity"]["id"], Value::Null);
        let stored = world.manage(Method::GET, &format!("/api/v1/environments/{}/identities/", world.client), Value::Null).await;
        assert_eq!(stored["count"], 1, "asking makes no identity");
        assert_eq!(explain(&world, json!({"identifier": "ann"})).await["identity"]["traits"][0]["trait_value"], "premium");
        // Somebody without an identifier is somebody with these traits.
        let plan = json!([{"trait_key": "plan", "trait_value": "premium"}]);
        let anonymous = explain(&world, json!({"traits": plan})).await;
        assert_eq!(of(&anonymous, "flags", "feature", "banner")["feature_state_value"], "gold");
    }

    async fn a_split_is_shown_with_bucket_and_shares_and_agrees_with_what_sdks_get(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "colour", "initial_value": "grey", "default_enabled": true})).await;
        world.option(feature, "red", 30.0).await;
        world.option(feature, "blue", 30.0).await;
        let condition = json!({"property": null, "operator": "PERCENTAGE_SPLIT", "value": "33"});
        let rules = json!([{"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "conditions": [condition]}]}]);
        let path = format!("/api/v1/projects/{}/segments/", world.project);
        let split = world.post(&path, json!({"name": "a third", "rules": rules})).await["id"].as_i64().unwrap();
        let banner = world.feature(json!({"name": "banner", "initial_value": "plain"})).await;
        world.override_for_segment(banner, split, "third").await;
        for identifier in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let answer = world.identify(json!({"identifier": identifier})).await;
            let told = explain(&world, json!({"identifier": identifier})).await;
            for name in ["colour", "banner"] {
                let got = burgee_testkit::flag(&answer["flags"], name).unwrap();
                let flag = of(&told, "flags", "feature", name);
                assert_eq!((&flag["enabled"], &flag["feature_state_value"]), (&got["enabled"], &got["feature_state_value"]));
            }
            let split = &of(&told, "flags", "feature", "colour")["split"];
            let bucket = split["bucket"].as_f64().unwrap();
            for share in split["shares"].as_array().unwrap() {
                let inside = share["start"].as_f64().unwrap() <= bucket && bucket < share["end"].as_f64().unwrap();
                assert_eq!(share["chosen"], inside, "{split}");
            }
            let condition = &of(&told, "segments", "segment", "a third")["rules"][0]["rules"][0]["conditions"][0];
            assert_eq!(condition["threshold"], 33.0);
            assert_eq!(condition["matched"], condition["bucket"].as_f64().unwrap() <= 33.0);
        }
    }

    async fn own_overrides_lists_and_server_side_flags_are_named(app) {
        let world = World::new(app).await;
        let (feature, _) = premium(&world).await;
        let identity = world.identity("ann").await;
        world.override_for_identity(feature, identity, "mine").await;
        let told = explain(&world, json!({"identifier": "ann"})).await;
        let flag = of(&told, "flags", "feature", "banner");
        assert_eq!(flag["candidates"].as_array().unwrap().iter().map(|one| (&one["source"], &one["won"])).collect::<Vec<_>>(),
            [(&json!("IDENTITY"), &json!(true)), (&json!("SEGMENT"), &json!(false)), (&json!("ENVIRONMENT"), &json!(false))]);
        assert_eq!((&flag["feature_state_value"], &flag["served_to_clients"]), (&json!("mine"), &json!(true)));

        let list = world.post(&format!("/api/v1/projects/{}/list-segments/", world.project), json!({"name": "Listed"})).await;
        let members = format!("/api/v1/environments/{}/list-segments/{}/members/", world.client, list["key"].as_str().unwrap());
        world.post(&members, json!({"add": ["ann"]})).await;
        let told = explain(&world, json!({"identifier": "ann"})).await;
        let segment = of(&told, "segments", "segment", "Listed");
        assert_eq!((&segment["matched"], &segment["list"], &segment["rules"]), (&json!(true), &json!("included"), &json!([])));

        world.feature(json!({"name": "secret", "is_server_key_only": true})).await;
        let told = explain(&world, json!({"identifier": "ann", "feature": "secret"})).await;
        assert_eq!(told["flags"].as_array().unwrap().len(), 1);
        let flag = of(&told, "flags", "feature", "secret");
        assert_eq!((&flag["is_server_key_only"], &flag["served_to_clients"], &flag["served_to_servers"]),
            (&json!(true), &json!(false), &json!(true)));
        world.set_environment(json!({"hide_disabled_flags": true})).await;
        let told = explain(&world, json!({"identifier": "ann", "feature": "secret"})).await;
        assert_eq!(of(&told, "flags", "feature", "secret")["served_to_servers"], false);
    }

    async fn hidden_traits_stay_hidden(app) {
        let world = World::new(app).await;
        premium(&world).await;
        world.set_environment(json!({"hide_sensitive_data": true})).await;
        let told = explain(&world, json!({"identifier": "ann"})).await;
        assert_eq!((&told["sensitive_data_hidden"], &told["identity"]["traits"]), (&json!(true), &json!([])));
        let condition = &of(&told, "segments", "segment", "premium")["rules"][0]["rules"][0]["conditions"][0];
        assert_eq!((&condition["actual"], &condition["matched"]), (&Value::Null, &json!(true)));
        assert_eq!(of(&told, "flags", "feature", "banner")["feature_state_value"], "gold");
    }

    async fn who_may_see_identities_may_ask_and_questions_must_make_sense(app) {
        let world = app.world().await;
        let here = path(&world.key);
        let ask = json!({"identifier": "ann"});
        for person in [&world.member, &world.stranger] {
            app.post(person, &here, &ask).await.expect(403);
        }
        app.post(&world.admin, &path("nowhere"), &ask).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.post(&world.member, &here, &ask).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_IDENTITIES"]).await;
        app.post(&world.member, &here, &ask).await.expect(200);
        for (body, field) in [
            (json!({}), "identifier"),
            (json!({"identifier": ""}), "identifier"),
            (json!({"identifier": "x".repeat(2001)}), "identifier"),
            (json!({"identifier": "ann", "feature": "none"}), "feature"),
            (json!({"identifier": "ann", "traits": "x"}), "traits"),
            (json!({"identifier": "ann", "traits": [{"trait_key": "a"}]}), "traits"),
        ] {
            let refused = app.post(&world.admin, &here, &body).await.expect(400);
            assert!(refused.get(field).is_some(), "{body}: {refused}");
        }
    }
}
