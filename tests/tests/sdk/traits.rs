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
}
