//! `/api/v1/identities/`

use axum::http::Method;
use burgee_testkit::{World, both, flag};
use serde_json::{Value, json};

fn traits(pairs: &[(&str, Value)]) -> Value {
    pairs
        .iter()
        .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
        .collect()
}

fn value(answer: &Value, key: &str) -> Option<Value> {
    answer["traits"]
        .as_array()?
        .iter()
        .find(|t| t["trait_key"] == key)
        .map(|t| t["trait_value"].clone())
}

both! {
    async fn traits_are_kept_merged_and_removed_by_null(app) {
        let world = World::new(app).await;
        world.identify(json!({"identifier": "u", "traits": traits(&[("plan", json!("pro")), ("age", json!(30))])})).await;
        let answer = world.identify(json!({"identifier": "u", "traits": traits(&[("plan", json!(null)), ("eu", json!(true))])})).await;
        assert_eq!((value(&answer, "plan"), value(&answer, "age"), value(&answer, "eu")), (None, Some(json!(30)), Some(json!(true))));
        let again = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!((value(&again, "age"), value(&again, "eu")), (Some(json!(30)), Some(json!(true))));
    }

    async fn trait_values_keep_their_types_up_to_64_bits(app) {
        let world = World::new(app).await;
        let values = [json!(i64::MAX), json!(-1), json!(1.0), json!(1.5e300), json!(true), json!("2147483648"), json!("x".repeat(2000))];
        for (i, sent) in values.iter().enumerate() {
            let identifier = format!("t{i}");
            world.identify(json!({"identifier": identifier, "traits": traits(&[("v", sent.clone())])})).await;
            let answer = world.sdk(Method::GET, &format!("/api/v1/identities/?identifier={identifier}"), None).await.expect(200);
            assert_eq!(value(&answer, "v").as_ref(), Some(sent));
        }
        let list = world.identify(json!({"identifier": "l", "traits": traits(&[("v", json!([1, "a", null]))])})).await;
        assert_eq!(value(&list, "v"), Some(json!("[1, 'a', None]")));
    }

    async fn what_is_too_long_or_too_large_is_refused_by_name_and_nothing_is_stored(app) {
        let world = World::new(app).await;
        let refused = [
            (json!({"identifier": "n", "traits": traits(&[("v", json!("x".repeat(2001)))])}), "/traits/0/trait_value/0"),
            (json!({"identifier": "n", "traits": traits(&[(&"k".repeat(201), json!(1))])}), "/traits/0/trait_key/0"),
            (json!({"identifier": "x".repeat(2001)}), "/identifier/0"),
            (json!({"identifier": true}), "/identifier/0"),
            (json!({"identifier": "nul\u{0}"}), "/identifier/0"),
            (json!({"identifier": "n", "traits": traits(&[("v", json!("nul\u{0}"))])}), "/traits/0/trait_value/0"),
            (json!({"identifier": "n", "traits": null}), "/traits/0"),
            (json!({"identifier": "n", "traits": {"a": 1}}), "/traits/non_field_errors/0"),
            (json!({"identifier": "n", "transient": null}), "/transient/0"),
            (json!({"identifier": "n", "traits": [{"trait_key": "k"}]}), "/traits/0/trait_value/0"),
        ];
        for (body, field) in refused {
            let answer = world.sdk(Method::POST, "/api/v1/identities/", Some(body.clone())).await;
            assert!(answer.body.pointer(field).is_some(), "{body} → {}", answer.text);
            answer.expect(400);
        }
        // One more than 64 bits hold.
        let huge: Value = serde_json::from_str(r#"{"identifier":"n","traits":[{"trait_key":"v","trait_value":9223372036854775808}]}"#).unwrap();
        let answer = world.sdk(Method::POST, "/api/v1/identities/", Some(huge)).await;
        assert!(answer.body.pointer("/traits/0/trait_value/0").is_some(), "{}", answer.text);
        answer.expect(400);
        let path = format!("/api/v1/environments/{}/identities/", world.client);
        assert_eq!(world.manage(Method::GET, &path, json!(null)).await["count"], 0);
    }

    async fn transient_traits_are_used_and_not_stored(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "default"})).await;
        let segment = world.segment("fr", "country", "EQUAL", "FR").await;
        world.override_for_segment(feature, segment, "bonjour").await;
        let body = json!({"identifier": "u", "traits": [{"trait_key": "country", "trait_value": "FR", "transient": true}]});
        let answer = world.identify(body).await;
        assert_eq!(flag(&answer["flags"], "f").unwrap()["feature_state_value"], "bonjour");
        assert_eq!(answer["traits"][0], json!({"id": null, "trait_key": "country", "trait_value": "FR", "transient": true}));
        let again = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(again["traits"], json!([]));
        assert_eq!(flag(&again["flags"], "f").unwrap()["feature_state_value"], "default");
    }

    async fn transient_identities_leave_no_trace(app) {
        let world = World::new(app).await;
        world.identify(json!({"identifier": "ghost", "transient": true, "traits": traits(&[("a", json!(1))])})).await;
        let anonymous = world.identify(json!({"traits": traits(&[("b", json!(true)), ("a", json!(1))])})).await;
        // sha256("a1bTrue")
        assert!(anonymous["identifier"].as_str().unwrap().starts_with("8c66b6d1c5ad04df"), "{anonymous}");
        let path = format!("/api/v1/environments/{}/identities/", world.client);
        assert_eq!(world.manage(Method::GET, &path, json!(null)).await["count"], 0);
    }

    async fn an_identity_override_wins_over_a_segment_override_and_over_the_default(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "default"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        world.override_for_segment(feature, segment, "for pro").await;
        let only = world.identity("007").await;
        world.override_for_identity(feature, only, "for one").await;
        let pro = traits(&[("plan", json!("pro"))]);
        for (identifier, traits, expected) in [("a", json!([]), "default"), ("b", pro.clone(), "for pro"), ("007", pro, "for one")] {
            let answer = world.identify(json!({"identifier": identifier, "traits": traits})).await;
            assert_eq!(flag(&answer["flags"], "f").unwrap()["feature_state_value"], expected, "{identifier}");
        }
    }

    async fn a_split_gives_an_identity_the_same_variant_for_ever(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "mv", "initial_value": "ctl", "default_enabled": true})).await;
        world.option(feature, "a", 30.0).await;
        world.option(feature, "b", 30.0).await;
        let mut seen = std::collections::BTreeMap::new();
        for i in 0..60 {
            let path = format!("/api/v1/identities/?identifier=i{i}");
            let first = world.sdk(Method::GET, &path, None).await.expect(200);
            let again = world.sdk(Method::GET, &path, None).await.expect(200);
            assert_eq!(first["flags"], again["flags"]);
            let variant = flag(&first["flags"], "mv").unwrap()["variant"].as_str().unwrap().to_owned();
            *seen.entry(variant).or_insert(0) += 1;
        }
        assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "control"]);
    }

    async fn traits_from_client_keys_can_be_forbidden(app) {
        let world = World::new(app).await;
        world.set_environment(json!({"allow_client_traits": false})).await;
        let body = json!({"identifier": "u", "traits": traits(&[("a", json!(1))])});
        assert_eq!(world.identify(body.clone()).await["traits"], json!([]));
        let answer = world.sdk_with(&world.server, Method::POST, "/api/v1/identities/", Some(body)).await.expect(200);
        assert_eq!(value(&answer, "a"), Some(json!(1)));
    }

    async fn an_organisation_can_forbid_stored_traits(app) {
        let world = World::new(app).await;
        world.set_organisation(json!({"persist_trait_data": false})).await;
        let body = json!({"identifier": "u", "traits": traits(&[("a", json!(1))])});
        assert_eq!(value(&world.identify(body).await, "a"), Some(json!(1)));
        let again = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(again["traits"], json!([]));
        let body = json!({"identity": {"identifier": "u"}, "trait_key": "a", "trait_value": 1});
        world.sdk(Method::POST, "/api/v1/traits/", Some(body)).await.expect(403);
    }

    async fn two_environments_share_no_identity(app) {
        let world = World::new(app).await;
        let other = world.post("/api/v1/environments/", json!({"name": "Production", "project": world.project})).await;
        let other = other["api_key"].as_str().unwrap();
        world.identify(json!({"identifier": "u", "traits": traits(&[("a", json!(1))])})).await;
        let there = world.sdk_with(other, Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(there["traits"], json!([]));
    }

    async fn a_trait_deleted_for_everybody_can_be_set_again_at_once(app) {
        let world = World::new(app).await;
        let body = json!({"identifier": "u", "traits": traits(&[("plan", json!("x"))])});
        world.identify(body.clone()).await;
        let path = format!("/api/v1/environments/{}/delete-traits/", world.client);
        world.post(&path, json!({"key": "plan"})).await;
        let gone = world.sdk(Method::GET, "/api/v1/identities/?identifier=u", None).await.expect(200);
        assert_eq!(value(&gone, "plan"), None);
        world.identify(body).await;
        // A node that has nothing in memory says what is stored.
        let node = world.app.second_node().await;
        let headers = [("x-environment-key", world.client.as_str())];
        let back = node.call(Method::GET, "/api/v1/identities/?identifier=u", &headers, None);
        assert_eq!(value(&back.await.expect(200), "plan"), Some(json!("x")));
    }

    async fn an_identifier_in_a_path_is_the_same_as_in_a_body(app) {
        let world = World::new(app).await;
        world.identify(json!({"identifier": "u", "traits": traits(&[("a", json!(1))])})).await;
        let answer = world.sdk(Method::GET, "/api/v1/identities/u%20/", None).await.expect(200);
        assert_eq!(value(&answer, "a"), Some(json!(1)));
        world.sdk(Method::GET, "/api/v1/identities/%20/", None).await.expect(400);
    }

    async fn many_identities_come_in_one_call_but_not_more_than_the_limit(app) {
        let world = World::new(app).await;
        let entry = |i: usize| json!({"identifier": format!("bulk{i}"), "traits": traits(&[("n", json!(i))])});
        let body = json!({"data": (0..100).map(entry).collect::<Vec<_>>()});
        world.sdk_with(&world.server, Method::POST, "/api/v1/bulk-identities/", Some(body)).await.expect(202);
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=bulk99", None).await.expect(200);
        assert_eq!(value(&answer, "n"), Some(json!(99)));
        let body = json!({"data": (0..101).map(entry).collect::<Vec<_>>()});
        let refused = world.sdk_with(&world.server, Method::POST, "/api/v1/bulk-identities/", Some(body)).await.expect(400);
        assert_eq!(refused, json!({"data": ["Number of identities must not be more than 100"]}));
    }

    async fn a_bulk_merges_with_put_and_overwrites_with_post(app) {
        let world = World::new(app).await;
        let entry = |traits: serde_json::Value| json!({"data": [{"identifier": "ann", "traits": traits}]});
        let bulk = |method: Method, traits: serde_json::Value| {
            world.sdk_with(&world.server, method, "/api/v1/bulk-identities/", Some(entry(traits)))
        };
        world.identify(json!({"identifier": "ann", "traits": traits(&[("a", json!(1)), ("b", json!(2))])})).await;
        bulk(Method::PUT, json!([{"trait_key": "b", "trait_value": null}, {"trait_key": "c", "trait_value": true}])).await.expect(202);
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=ann", None).await.expect(200);
        assert_eq!((value(&answer, "a"), value(&answer, "b"), value(&answer, "c")), (Some(json!(1)), None, Some(json!(true))));
        bulk(Method::POST, json!([{"trait_key": "c", "trait_value": "x"}, {"trait_key": "t", "trait_value": 1, "transient": true}])).await.expect(202);
        let answer = world.sdk(Method::GET, "/api/v1/identities/?identifier=ann", None).await.expect(200);
        assert_eq!(answer["traits"].as_array().unwrap().len(), 1);
        assert_eq!(value(&answer, "c"), Some(json!("x")));
        world.set_environment(json!({"allow_client_traits": false})).await;
        let body = entry(json!([{"trait_key": "c", "trait_value": "y"}]));
        world.sdk(Method::PUT, "/api/v1/bulk-identities/", Some(body)).await.expect(400);
        bulk(Method::PUT, json!([{"trait_key": "c", "trait_value": "z"}])).await.expect(202);
    }

    async fn a_pattern_that_backtracks_without_end_does_not_hang_a_request(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "default"})).await;
        let segment = world.segment("evil", "v", "REGEX", r"^(a+)+\1$").await;
        world.override_for_segment(feature, segment, "x").await;
        let started = std::time::Instant::now();
        let body = json!({"identifier": "u", "traits": traits(&[("v", json!(format!("{}!", "a".repeat(1000))))])});
        let answer = world.identify(body).await;
        assert_eq!(flag(&answer["flags"], "f").unwrap()["feature_state_value"], "default");
        assert!(started.elapsed().as_secs() < 5);
    }
}
