//! `/api/v1/environments/{key}/impact/`

use std::time::Duration;

use axum::http::Method;
use burgee_app::Settings;
use burgee_app::settings::ImpactSettings;
use burgee_store::grants::Object;
use burgee_testkit::{World, both, flag};
use serde_json::{Value, json};

fn path(key: &str) -> String {
    format!("/api/v1/environments/{key}/impact/")
}

async fn impact(world: &World, body: Value) -> Value {
    world
        .app
        .manage(&world.token, Method::POST, &path(&world.client), Some(&body))
        .await
        .expect(200)
}

/// So many identities, of whom every fourth has `plan = pro`.
async fn populate(world: &World, count: usize) {
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(100) {
        let data: Vec<Value> = numbers
            .iter()
            .map(|n| {
                let plan = if n % 4 == 0 { "pro" } else { "free" };
                json!({"identifier": format!("user-{n:04}"), "traits": [
                    {"trait_key": "plan", "trait_value": plan}, {"trait_key": "number", "trait_value": n},
                ]})
            })
            .collect();
        let answer = world
            .sdk_with(
                &world.server,
                Method::POST,
                "/api/v1/bulk-identities/",
                Some(json!({"data": data})),
            )
            .await;
        answer.expect(202);
    }
}

fn exactly(count: usize) -> Value {
    json!({"count": count, "low": count, "high": count})
}

fn rules(property: &str, operator: &str, value: &str) -> Value {
    let condition = json!({"property": property, "operator": operator, "value": value});
    json!([{"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "conditions": [condition]}]}])
}

/// The default of a feature with a text.
fn set_default(feature: i64, enabled: bool, value: &str) -> Value {
    let state =
        json!({"enabled": enabled, "feature_state_value": {"type": "unicode", "string_value": value}});
    json!({"feature": feature, "feature_states_to_update": [state]})
}

/// A new override with a text.
fn new_override(feature: i64, segment: i64, value: &str, priority: i64) -> Value {
    let state = json!({
        "enabled": true, "feature_state_value": {"type": "unicode", "string_value": value},
        "feature_segment": {"segment": segment, "priority": priority},
    });
    json!({"feature": feature, "feature_states_to_create": [state]})
}

/// What each identity gets now.
async fn served(world: &World, feature: &str, count: usize) -> Vec<Value> {
    let mut values = Vec::with_capacity(count);
    for n in 0..count {
        let answer = world
            .sdk(
                Method::GET,
                &format!("/api/v1/identities/?identifier=user-{n:04}"),
                None,
            )
            .await
            .expect(200);
        let flag = flag(&answer["flags"], feature).unwrap();
        values.push(json!([flag["enabled"], flag["feature_state_value"]]));
    }
    values
}

both! {
    async fn a_new_override_is_counted_before_it_is_made(app) {
        let world = World::new(app).await;
        populate(&world, 40).await;
        let feature = world.feature(json!({"name": "banner", "initial_value": "plain", "default_enabled": true})).await;
        world.feature(json!({"name": "other"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        let told = impact(&world, json!({"change_sets": [new_override(feature, segment, "gold", 0)]})).await;
        assert_eq!((&told["exact"], &told["identities"], &told["evaluated"]), (&json!(true), &json!(40), &json!(40)));
        assert_eq!(told["changed"], exactly(10));
        let plain = json!({"enabled": true, "feature_state_value": "plain", "variant": null});
        let gold = json!({"enabled": true, "feature_state_value": "gold", "variant": null});
        assert_eq!(told["features"], json!([{
            "feature": {"id": feature, "name": "banner"}, "changed": exactly(10), "is_cut": false,
            "answers": [{"answer": plain, "before": exactly(40), "after": exactly(30)},
                        {"answer": gold, "before": exactly(0), "after": exactly(10)}],
            "transitions": [{"before": plain, "after": gold, "identities": exactly(10)}],
        }]));
        let sample = told["sample"].as_array().unwrap();
        assert_eq!(sample.len(), 10);
        assert_eq!(sample[1]["identifier"], "user-0004");
        assert_eq!(sample[1]["features"], json!([{"feature": {"id": feature, "name": "banner"}, "before": plain, "after": gold}]));
        // Nothing of it happened.
        assert_eq!(served(&world, "banner", 1).await, [json!([true, "plain"])]);
        let overrides = world.manage(Method::GET, &format!("/api/v1/features/feature-segments/?environment={}&feature={feature}", world.environment), Value::Null).await;
        assert_eq!(overrides["count"], 0);
    }

    async fn what_is_foretold_is_what_happens(app) {
        let world = World::new(app).await;
        populate(&world, 40).await;
        let feature = world.feature(json!({"name": "colour", "initial_value": "grey", "default_enabled": true})).await;
        let red = world.option(feature, "red", 20.0).await;
        let blue = world.option(feature, "blue", 20.0).await;
        let pro = world.segment("pro", "plan", "EQUAL", "pro").await;
        let early = world.segment("early", "number", "LESS_THAN", "20").await;
        world.override_for_segment(feature, pro, "gold").await;
        // Shares of the default, a stronger override, and one that goes.
        let set = json!({
            "feature": feature,
            "feature_states_to_update": [{"enabled": true, "feature_state_value": {"type": "unicode", "string_value": "grey"},
                "multivariate_feature_state_values": [
                    {"multivariate_feature_option": red, "percentage_allocation": 60},
                    {"multivariate_feature_option": blue, "percentage_allocation": 10}]}],
            "feature_states_to_create": [{"enabled": false, "feature_state_value": {"type": "unicode", "string_value": "early"},
                "feature_segment": {"segment": early, "priority": 0}}],
            "segment_ids_to_delete_overrides": [pro],
        });
        for versions in [false, true] {
            if versions {
                world.post(&format!("/api/v1/environments/{}/enable-v2-versioning/", world.client), json!({})).await;
            }
            let told = impact(&world, json!({"change_sets": [set]})).await;
            let before = served(&world, "colour", 40).await;
            let body = json!({
                "environment_default": {"enabled": true, "value": {"type": "string", "value": "grey"},
                    "variants": [{"id": red, "weight": 60}, {"id": blue, "weight": 10}]},
                "segment_overrides": [{"segment": {"id": early}, "priority": 0, "enabled": false, "value": {"type": "string", "value": "early"}}],
            });
            let flag = format!("/api/__future__/environments/{}/features/{feature}/", world.client);
            world.manage(Method::PUT, &flag, body).await;
            let after = served(&world, "colour", 40).await;
            let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
            assert!(changed > 10, "{before:?} {after:?}");
            assert_eq!(told["changed"], exactly(changed));
            for answer in told["features"][0]["answers"].as_array().unwrap() {
                let pair = json!([answer["answer"]["enabled"], answer["answer"]["feature_state_value"]]);
                let count = |values: &[Value]| exactly(values.iter().filter(|value| **value == pair).count());
                assert_eq!((&answer["before"], &answer["after"]), (&count(&before), &count(&after)), "{pair}");
            }
            // Back to where it began.
            if !versions {
                let body = json!({
                    "environment_default": {"enabled": true, "value": {"type": "string", "value": "grey"},
                        "variants": [{"id": red, "weight": 20}, {"id": blue, "weight": 20}]},
                    "segment_overrides": [{"segment": {"id": pro}, "priority": 0, "enabled": true, "value": {"type": "string", "value": "gold"}}],
                });
                world.manage(Method::PUT, &flag, body).await;
            }
        }
    }

    async fn rules_of_a_segment_are_previewed_with_who_joins_and_leaves(app) {
        let world = World::new(app).await;
        populate(&world, 40).await;
        let feature = world.feature(json!({"name": "banner", "initial_value": "plain"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        world.override_for_segment(feature, segment, "gold").await;
        let told = impact(&world, json!({"segments": [{"id": segment, "rules": rules("number", "LESS_THAN", "20")}]})).await;
        assert_eq!(told["segments"], json!([{
            "segment": {"id": segment, "name": "pro"}, "before": exactly(10), "after": exactly(20),
            "joining": exactly(15), "leaving": exactly(5),
        }]));
        assert_eq!((&told["changed"], &told["features"][0]["changed"]), (&exactly(20), &exactly(20)));
        // A new one overrides nothing, and has members all the same.
        let body = json!({"segments": [{"name": "few", "rules": rules("number", "LESS_THAN", "3")}]});
        let told = impact(&world, body).await;
        assert_eq!(told["segments"], json!([{
            "segment": {"id": null, "name": "few"}, "before": exactly(0), "after": exactly(3),
            "joining": exactly(3), "leaving": exactly(0),
        }]));
        assert_eq!((&told["changed"], &told["features"]), (&exactly(0), &json!([])));
        assert_eq!(told["sample"][2]["joining"], json!([{"id": null, "name": "few"}]));
        let segments = world.manage(Method::GET, &format!("/api/v1/projects/{}/segments/", world.project), Value::Null).await;
        assert_eq!(segments["count"], 1);
    }

    async fn a_sample_estimates_with_bounds(app) {
        let settings = Settings {
            impact: ImpactSettings { exact_identities: 100, sampled_identities: 2_000, ..ImpactSettings::default() },
            ..Settings::default()
        };
        let world = World::new(app.node_with(settings).await).await;
        // Identities of another environment share the range of ids.
        let other = world.post("/api/v1/environments/", json!({"name": "Other", "project": world.project})).await;
        let key = other["api_key"].as_str().unwrap();
        populate(&world, 200).await;
        for n in 0..50 {
            world.sdk_with(key, Method::POST, "/api/v1/identities/", Some(json!({"identifier": format!("other-{n}")}))).await.expect(200);
        }
        populate(&world, 400).await;
        let feature = world.feature(json!({"name": "banner", "initial_value": "plain"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        let told = impact(&world, json!({"change_sets": [new_override(feature, segment, "gold", 0)]})).await;
        assert_eq!((&told["exact"], &told["identities"]), (&json!(false), &json!(400)));
        let evaluated = told["evaluated"].as_u64().unwrap();
        assert!((2_000..4_000).contains(&evaluated), "{evaluated}");
        let count = |name: &str| told["changed"][name].as_u64().unwrap();
        // Of 400, 100 change; a sample of 2,000 strays by more than 20 once in ten million previews.
        assert!((80..=120).contains(&count("count")), "{told}");
        assert!(count("low") < count("count") && count("count") < count("high"), "{told}");
        assert!(count("high") - count("low") < 35, "{told}");
        let sample = told["sample"].as_array().unwrap();
        let mut shown: Vec<&str> = sample.iter().map(|one| one["identifier"].as_str().unwrap()).collect();
        shown.dedup();
        assert_eq!(shown.len(), 20);
    }

    async fn a_preview_that_has_no_time_says_how_little_it_knows(app) {
        let settings = Settings {
            impact: ImpactSettings { time_limit: Duration::ZERO, ..ImpactSettings::default() },
            ..Settings::default()
        };
        let world = World::new(app.node_with(settings).await).await;
        populate(&world, 10).await;
        let feature = world.feature(json!({"name": "banner", "initial_value": "plain"})).await;
        let told = impact(&world, json!({"change_sets": [set_default(feature, true, "new")]})).await;
        assert_eq!((&told["exact"], &told["evaluated"]), (&json!(false), &json!(0)));
        assert_eq!(told["changed"], json!({"count": 0, "low": 0, "high": 10}));
    }

    async fn previews_take_turns(app) {
        let settings = Settings {
            impact: ImpactSettings { at_once: 0, ..ImpactSettings::default() },
            ..Settings::default()
        };
        let world = World::new(app.node_with(settings).await).await;
        let feature = world.feature(json!({"name": "banner"})).await;
        let body = json!({"change_sets": [set_default(feature, true, "new")]});
        let answer = world.app.manage(&world.token, Method::POST, &path(&world.client), Some(&body)).await;
        assert_eq!(answer.status.as_u16(), 429);
        assert!(answer.headers.contains_key("retry-after"));
    }

    async fn what_needs_approval_can_be_previewed_by_who_sees_identities(app) {
        let world = app.world().await;
        let here = path(&world.key);
        let made = app.post(&world.admin, &format!("/api/v1/projects/{}/features/", world.project), &json!({"name": "banner"})).await.expect(201);
        let feature = made["id"].as_i64().unwrap();
        let approvals = json!({"minimum_change_request_approvals": 1});
        app.patch(&world.admin, &format!("/api/v1/environments/{}/", world.key), &approvals).await.expect(200);
        app.post(&world.admin, &format!("/api/v1/environments/{}/identities/", world.key), &json!({"identifier": "ann"})).await.expect(201);
        let body = json!({"change_sets": [set_default(feature, true, "new")]});
        for person in [&world.member, &world.stranger] {
            app.post(person, &here, &body).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.post(&world.member, &here, &body).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_IDENTITIES"]).await;
        let lines = app.log("FEATURE_STATE").await.len();
        let told = app.post(&world.member, &here, &body).await.expect(200);
        assert_eq!(told["changed"], exactly(1));
        assert_eq!(app.log("FEATURE_STATE").await.len(), lines, "a preview leaves no trace");
    }

    async fn wrong_proposals_are_refused_by_field(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "banner"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        let set = set_default(feature, true, "new");
        let update_missing = json!({"feature": feature, "feature_states_to_update": [
            {"enabled": true, "feature_segment": {"segment": segment}}]});
        let many: Vec<Value> = (0..101).map(|_| set.clone()).collect();
        for (body, expected) in [
            (json!({}), json!({"non_field_errors": ["There is nothing to change."]})),
            (json!({"change_sets": [{}]}), json!({"change_sets": [{"feature": ["This field is required."]}]})),
            (json!({"change_sets": [set, {"feature": 0}]}),
             json!({"change_sets": [{}, {"feature": ["Invalid pk \"0\" - object does not exist."]}]})),
            (json!({"change_sets": [set, set]}),
             json!({"change_sets": [{}, {"feature": ["This feature is named more than once."]}]})),
            (json!({"change_sets": many}), json!({"change_sets": ["No more than 100 at once."]})),
            (json!({"change_sets": [update_missing]}), json!({"change_sets": [{"feature_states_to_update": [
                {"feature_segment": {"segment": ["This feature has no override for this segment in this environment."]}}]}]})),
            (json!({"change_sets": [{"feature": feature, "segment_ids_to_delete_overrides": [segment]}]}),
             json!({"change_sets": [{"segment_ids_to_delete_overrides": [format!("There is no override for the segment {segment}.")]}]})),
            (json!({"segments": [{"id": 0, "rules": rules("a", "EQUAL", "b")}]}),
             json!({"segments": [{"id": ["Invalid pk \"0\" - object does not exist."]}]})),
            (json!({"segments": [{"id": segment, "rules": rules("a", "REGEX", "(")}]}),
             json!({"segments": [{"rules": [{"rules": [{"conditions": [{"value": ["Must be a valid regular expression."]}]}]}]}]})),
            (json!({"segments": [{"id": segment}]}), json!({"segments": [{"rules": ["This field is required."]}]})),
        ] {
            let refused = world.app.manage(&world.token, Method::POST, &path(&world.client), Some(&body)).await.expect(400);
            assert_eq!(refused, expected, "{body}");
        }
    }
}
