//! `/api/v1/traits/`

use axum::http::Method;
use burgee_testkit::{World, both};
use futures_util::future::join_all;
use serde_json::json;

both! {
    async fn parallel_increments_lose_nothing(app) {
        let world = World::new(app).await;
        let body = json!({"identifier": "u", "trait_key": "n", "increment_by": 2});
        let calls = (0..40).map(|_| world.sdk(Method::POST, "/api/v1/traits/increment-value/", Some(body.clone())));
        for answer in join_all(calls).await {
            answer.expect(200);
        }
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(answer["traits"][0]["trait_value"], 80);
    }

    async fn incrementing_what_is_no_integer_is_refused(app) {
        let world = World::new(app).await;
        let body = json!({"identity": {"identifier": "u"}, "trait_key": "n", "trait_value": "text"});
        world.sdk(Method::POST, "/api/v1/traits/", Some(body)).await.expect(200);
        let body = json!({"identifier": "u", "trait_key": "n", "increment_by": 1});
        let answer = world.sdk(Method::POST, "/api/v1/traits/increment-value/", Some(body)).await;
        assert_eq!(answer.expect(400), json!(["Trait is not an integer."]));
    }

    async fn parallel_writes_to_one_identity_keep_every_trait(app) {
        let world = World::new(app).await;
        let calls = (0..40).map(|i| {
            let traits = json!([{"trait_key": format!("k{i}"), "trait_value": i}]);
            world.sdk(Method::POST, "/api/v1/identities/", Some(json!({"identifier": "u", "traits": traits})))
        });
        for answer in join_all(calls).await {
            answer.expect(200);
        }
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(answer["traits"].as_array().unwrap().len(), 40);
    }

    async fn a_bulk_with_one_wrong_item_writes_nothing(app) {
        let world = World::new(app).await;
        let good = json!({"identity": {"identifier": "u"}, "trait_key": "a", "trait_value": 1});
        let answer = world.sdk(Method::PUT, "/api/v1/traits/bulk/", Some(json!([good, {"trait_key": "b"}]))).await;
        assert_eq!(answer.expect(400)[1]["identity"], json!(["This field is required."]));
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(answer["traits"], json!([]));
    }

    async fn a_bulk_sets_traits_of_many_identities_and_null_takes_one_away(app) {
        let world = World::new(app).await;
        let one = |identifier: &str, key: &str, value: serde_json::Value| {
            json!({"identity": {"identifier": identifier}, "trait_key": key, "trait_value": value})
        };
        let body = json!([one("u", "plan", json!("pro")), one("u", "age", json!(41)), one("v", "plan", json!("free"))]);
        let set = world.sdk(Method::PUT, "/api/v1/traits/bulk/", Some(body.clone())).await.expect(200);
        assert_eq!(set, body);
        let body = json!([one("u", "age", serde_json::Value::Null), one("v", "plan", json!("pro"))]);
        let set = world.sdk(Method::PUT, "/api/v1/traits/bulk/", Some(body)).await.expect(200);
        assert_eq!(set, json!([one("v", "plan", json!("pro"))]));
        for (identifier, expected) in [("u", json!([["plan", "pro"]])), ("v", json!([["plan", "pro"]]))] {
            let path = format!("/api/v1/identities/?identifier={identifier}");
            let answer = world.sdk(Method::GET, &path, None).await.expect(200);
            let traits = answer["traits"].as_array().unwrap().iter();
            let traits: serde_json::Value = traits.map(|one| json!([one["trait_key"], one["trait_value"]])).collect();
            assert_eq!(traits, expected, "{identifier}");
        }
        let refused = world.sdk(Method::PUT, "/api/v1/traits/bulk/", Some(json!({}))).await.expect(400);
        assert_eq!(refused, json!({"detail": "Invalid request data"}));
    }

    async fn a_trait_is_set_at_the_path_of_its_identity(app) {
        let world = World::new(app).await;
        let path = "/api/v1/identities/u/traits/plan/";
        let set = world.sdk(Method::POST, path, Some(json!({"trait_value": "pro"}))).await.expect(200);
        assert_eq!(set.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "trait_key", "trait_value", "transient"]);
        assert_eq!((&set["trait_key"], &set["trait_value"]), (&json!("plan"), &json!("pro")));
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(answer["traits"][0]["trait_value"], "pro");
        let refused = world.sdk(Method::POST, path, Some(json!({}))).await.expect(400);
        assert_eq!(refused, json!({"detail": "Trait value not provided"}));
        // Where clients may set no traits, only a server-side key may.
        world.set_environment(json!({"allow_client_traits": false})).await;
        world.sdk(Method::POST, path, Some(json!({"trait_value": "free"}))).await.expect(400);
        world.sdk_with(&world.server, Method::POST, path, Some(json!({"trait_value": "team"}))).await.expect(200);
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(answer["traits"][0]["trait_value"], "team");
    }

}
