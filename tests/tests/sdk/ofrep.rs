//! `/ofrep/v1/evaluate/flags`

use axum::http::Method;
use burgee_testkit::{Answer, World, both};
use serde_json::{Value, json};

async fn evaluate(world: &World, path: &str, context: Value, etag: Option<&str>) -> Answer {
    let mut headers = vec![("x-api-key", world.client.as_str())];
    headers.extend(etag.map(|etag| ("if-none-match", etag)));
    world
        .app
        .call(Method::POST, path, &headers, Some(&json!({"context": context})))
        .await
}

fn by_key<'a>(answer: &'a Value, key: &str) -> &'a Value {
    answer["flags"]
        .as_array()
        .unwrap()
        .iter()
        .find(|flag| flag["key"] == key)
        .unwrap()
}

const ALL: &str = "/ofrep/v1/evaluate/flags";

both! {
    async fn values_and_reasons_are_those_of_the_protocol(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "on", "default_enabled": true})).await;
        world.feature(json!({"name": "object", "default_enabled": true, "initial_value": "{\"a\": 1}"})).await;
        world.feature(json!({"name": "dark", "initial_value": "v"})).await;
        let feature = world.feature(json!({"name": "plan", "initial_value": "free", "default_enabled": true})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        world.override_for_segment(feature, segment, "paid").await;
        let split = world.feature(json!({"name": "split", "initial_value": "c", "default_enabled": true})).await;
        world.option(split, "all", 100.0).await;
        let answer = evaluate(&world, ALL, json!({"targetingKey": "u", "plan": "pro"}), None).await.expect(200);
        let short = |key: &str| {
            let flag = by_key(&answer, key);
            (flag["reason"].clone(), flag.get("value").cloned())
        };
        assert_eq!(short("on"), (json!("STATIC"), Some(json!(true))));
        assert_eq!(short("object"), (json!("STATIC"), Some(json!({"a": 1}))));
        assert_eq!(short("dark"), (json!("DISABLED"), None));
        assert_eq!(short("plan"), (json!("TARGETING_MATCH"), Some(json!("paid"))));
        assert_eq!(short("split"), (json!("SPLIT"), Some(json!("value of all"))));
        assert_eq!(by_key(&answer, "split")["variant"], "all");
    }

    async fn the_etag_covers_the_environment_and_the_context(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "a", "default_enabled": true})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        world.override_for_segment(feature, segment, "b").await;
        let first = evaluate(&world, ALL, json!({"targetingKey": "u"}), None).await;
        let etag = first.headers["etag"].to_str().unwrap().to_owned();
        evaluate(&world, ALL, json!({"targetingKey": "u"}), Some(&etag)).await.expect(304);
        evaluate(&world, ALL, json!({"targetingKey": "u", "plan": "pro"}), Some(&etag)).await.expect(200);
        world.set(feature, json!({"enabled": true, "feature_state_value": "c"})).await;
        evaluate(&world, ALL, json!({"targetingKey": "u"}), Some(&etag)).await.expect(200);
    }

    async fn errors_are_those_of_the_protocol_and_nothing_is_stored(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "f"})).await;
        let one = |name: &str| format!("{ALL}/{name}");
        evaluate(&world, &one("f"), json!({"targetingKey": "u", "a": 1}), None).await.expect(200);
        let missing = evaluate(&world, &one("nope"), json!({"targetingKey": "u"}), None).await.expect(404);
        assert_eq!((&missing["key"], &missing["errorCode"]), (&json!("nope"), &json!("FLAG_NOT_FOUND")));
        let wrong = evaluate(&world, ALL, json!({"targetingKey": 5}), None).await.expect(400);
        assert_eq!(wrong["errorCode"], "INVALID_CONTEXT");
        evaluate(&world, ALL, json!({"targetingKey": "a\u{0}b"}), None).await.expect(400);
        world.app.call(Method::POST, ALL, &[("x-api-key", "nope")], None).await.expect(401);
        let path = format!("/api/v1/environments/{}/identities/", world.client);
        assert_eq!(world.manage(Method::GET, &path, json!(null)).await["count"], 0);
    }
}
