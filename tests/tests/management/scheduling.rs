//! Changes that wait for their time. Time does not pass in these stories: the act is told what time it is.

use axum::http::Method;
use burgee_app::scheduled_changes::go_live;
use burgee_model::Timestamp;
use burgee_store::grants::Object;
use burgee_testkit::{World, both, flag, id};
use serde_json::{Value, json};

/// So many seconds from now, as a moment and as the wire writes it.
fn later(seconds: i64) -> (Timestamp, String) {
    let at = Timestamp::now().plus_seconds(seconds);
    (at, at.rest())
}

async fn get(world: &World, path: &str) -> Value {
    world.manage(Method::GET, path, Value::Null).await
}

fn scheduled(world: &World) -> String {
    format!("/api/v1/environments/{}/scheduled-changes/", world.client)
}

async fn waiting(world: &World) -> Vec<Value> {
    get(world, &scheduled(world)).await["results"]
        .as_array()
        .expect("a list")
        .clone()
}

fn text(value: &str) -> Value {
    json!({"type": "unicode", "string_value": value})
}

/// The body of a change set that gives everybody a value at its time.
fn set(feature: i64, at: &str, value: &str) -> Value {
    json!({"feature": feature, "live_from": at, "feature_states_to_update": [{"enabled": true, "feature_state_value": text(value)}]})
}

fn override_set(feature: i64, at: &str, segment: i64, value: &str) -> Value {
    json!({"feature": feature, "live_from": at, "feature_states_to_create":
        [{"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": text(value)}]})
}

async fn value(world: &World, name: &str) -> Value {
    let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
    flag(&flags, name).expect("the flag")["feature_state_value"].clone()
}

async fn value_on(world: &World, name: &str, plan: &str) -> Value {
    let body = json!({"identifier": "somebody", "traits": [{"trait_key": "plan", "trait_value": plan}]});
    let answer = world.identify(body).await;
    flag(&answer["flags"], name).expect("the flag")["feature_state_value"].clone()
}

/// What tells SDKs that something changed: the tag of the document and the moment it is of.
async fn mark(world: &World) -> (String, String) {
    let answer = world
        .sdk_with(&world.server, Method::GET, "/api/v1/environment-document/", None)
        .await;
    let tag = answer
        .headers
        .get("etag")
        .map(|tag| tag.to_str().expect("text").to_owned());
    (
        tag.unwrap_or_default(),
        answer.expect(200)["updated_at"]
            .as_str()
            .expect("a moment")
            .to_owned(),
    )
}

async fn enable(world: &World) {
    let path = format!("/api/v1/environments/{}/enable-v2-versioning/", world.client);
    world
        .app
        .manage(&world.token, Method::POST, &path, Some(&json!({})))
        .await
        .expect(202);
}

async fn lines(world: &World, kind: &str) -> Vec<String> {
    world
        .app
        .log(kind)
        .await
        .into_iter()
        .filter_map(|line| line.message)
        .collect()
}

both! {
    async fn a_scheduled_change_is_served_from_its_time_on(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v", "default_enabled": true})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        let (at, text) = later(3600);
        world.post(&scheduled(&world), set(feature, &text, "two")).await;
        world.post(&scheduled(&world), override_set(feature, &text, pros, "pro value")).await;
        let before = mark(&world).await;
        go_live(&world.app.app, at.plus_seconds(-1)).await.expect("goes live");
        assert_eq!((value(&world, "f").await, mark(&world).await), (json!("v"), before.clone()));
        go_live(&world.app.app, at).await.expect("goes live");
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("two"), json!("pro value")));
        let after = mark(&world).await;
        assert!(after.0 != before.0 && after.1 > before.1, "{before:?} {after:?}");
        let document = world.sdk_with(&world.server, Method::GET, "/api/v1/environment-document/", None).await.expect(200);
        assert_eq!(document["feature_states"][0]["feature_state_value"], "two");
        assert_eq!(waiting(&world).await.len(), 0);
        let line = "Scheduled change to Flag state / Remote config value went live for feature: f";
        let lines = lines(&world, "FEATURE_STATE").await;
        assert_eq!(lines.iter().filter(|said| *said == line).count(), 2);
        // It happened, once.
        go_live(&world.app.app, at.plus_seconds(60)).await.expect("goes live");
        assert_eq!(mark(&world).await, after);
    }

    async fn a_feature_state_with_a_moment_to_come_waits_for_it(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        let made = world.override_for_segment(feature, pros, "pro value").await;
        let (at, moment) = later(3600);
        let answer = world.set(feature, json!({"enabled": true, "feature_state_value": "two", "live_from": moment})).await;
        assert_eq!((&answer["feature_state_value"], &answer["live_from"]), (&json!("two"), &json!(moment)));
        let body = json!({"feature": feature, "environment": world.environment, "live_from": moment, "feature_state_value": text("pro two")});
        world.manage(Method::PUT, &format!("/api/v1/features/featurestates/{}/", id(&made)), body).await;
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("v"), json!("pro value")));
        assert_eq!(waiting(&world).await.len(), 2);
        let log = lines(&world, "SCHEDULED_CHANGE").await;
        assert_eq!(log[0], format!("Flag state / Remote Config value update scheduled for {} for feature: f", at.log_text()));
        go_live(&world.app.app, at).await.expect("goes live");
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("two"), json!("pro two")));
        // A moment that has passed, as clients send it back, is now.
        let past = later(-60).1;
        world.set(feature, json!({"feature_state_value": "three", "live_from": past})).await;
        assert_eq!(value(&world, "f").await, "three");
    }

    async fn what_waits_is_listed_changed_and_cancelled(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let other = world.feature(json!({"name": "g", "initial_value": "v"})).await;
        let first = world.post(&scheduled(&world), set(feature, &later(7200).1, "late")).await;
        let second = world.post(&scheduled(&world), set(other, &later(3600).1, "early")).await;
        let ids: Vec<i64> = waiting(&world).await.iter().map(id).collect();
        assert_eq!(ids, [id(&second), id(&first)]);
        assert_eq!(get(&world, &format!("{}?feature={feature}", scheduled(&world))).await["count"], 1);
        let metrics = get(&world, &format!("/api/v1/environments/{}/metrics/", world.client)).await;
        let metric = metrics["metrics"].as_array().expect("a list").iter().find(|metric| metric["name"] == "total_scheduled_changes");
        assert_eq!(metric.expect("the number")["value"], 2);
        let path = format!("{}{}/", scheduled(&world), id(&first));
        let (at, moment) = later(600);
        let edit = json!({"live_from": moment, "feature_states_to_update": [{"feature_state_value": text("other")}]});
        let changed = world.manage(Method::PATCH, &path, edit).await;
        assert_eq!((&changed["live_from"], &changed["feature_states_to_update"][0]["feature_state_value"]["string_value"]), (&json!(moment), &json!("other")));
        assert_eq!(get(&world, &path).await, changed);
        let refused = world.app.manage(&world.token, Method::PATCH, &path, Some(&json!({"live_from": later(-1).1}))).await;
        assert!(refused.expect(400)["live_from"].is_array());
        world.app.manage(&world.token, Method::DELETE, &format!("{}{}/", scheduled(&world), id(&second)), None).await.expect(204);
        go_live(&world.app.app, at.plus_seconds(100_000)).await.expect("goes live");
        assert_eq!((value(&world, "f").await, value(&world, "g").await), (json!("other"), json!("v")));
        assert!(lines(&world, "SCHEDULED_CHANGE").await.contains(&"Scheduled change to Flag state / Remote config value cancelled for feature: g".to_owned()));
    }

    async fn what_is_wrong_with_a_scheduled_change_is_said(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        let post = async |body: Value| world.app.manage(&world.token, Method::POST, &scheduled(&world), Some(&body)).await.expect(400);
        let moment = later(60).1;
        assert_eq!(post(json!({"feature": feature})).await, json!({"live_from": ["This field is required."]}));
        assert!(post(set(feature, &later(-60).1, "x")).await["live_from"].is_array());
        assert!(post(set(99_999, &moment, "x")).await["feature"].is_array());
        assert!(post(json!({"feature": feature, "live_from": moment})).await["non_field_errors"].is_array());
        let problem = post(override_set(feature, &moment, 99_999, "x")).await;
        assert!(problem["feature_states_to_create"][0]["feature_segment"]["segment"].is_array());
        assert_eq!(waiting(&world).await.len(), 0);
    }

    async fn after_downtime_changes_happen_in_the_order_in_which_they_were_to(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        for (seconds, value) in [(3000, "third"), (1000, "first"), (2000, "second")] {
            world.post(&scheduled(&world), set(feature, &later(seconds).1, value)).await;
        }
        go_live(&world.app.app, later(2500).0).await.expect("goes live");
        assert_eq!(value(&world, "f").await, "second");
        go_live(&world.app.app, later(9000).0).await.expect("goes live");
        assert_eq!(value(&world, "f").await, "third");
    }

    async fn on_two_nodes_a_scheduled_change_happens_once(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let second = world.app.second_node().await;
        let (at, moment) = later(60);
        for n in 0..5 {
            world.post(&scheduled(&world), set(feature, &moment, &format!("v{n}"))).await;
        }
        let (one, two) = futures_util::join!(go_live(&world.app.app, at), go_live(&second.app, at));
        one.expect("goes live");
        two.expect("goes live");
        // What is stored: a node may serve what another one did a moment later.
        let path = format!("/api/v1/environments/{}/featurestates/?feature={feature}", world.client);
        assert_eq!(get(&world, &path).await["results"][0]["feature_state_value"], "v4");
        let line = "Scheduled change to Flag state / Remote config value went live for feature: f";
        assert_eq!(lines(&world, "FEATURE_STATE").await.iter().filter(|said| *said == line).count(), 5);
    }

    async fn changes_of_what_is_deleted_are_dropped_and_hold_nothing_up(app) {
        let world = World::new(app).await;
        let (gone, feature) = (world.feature(json!({"name": "gone"})).await, world.feature(json!({"name": "f", "initial_value": "v"})).await);
        let (lost, kept) = (world.segment("lost", "plan", "EQUAL", "lost").await, world.segment("kept", "plan", "EQUAL", "kept").await);
        let (at, moment) = later(60);
        world.post(&scheduled(&world), set(gone, &moment, "x")).await;
        world.post(&scheduled(&world), override_set(feature, &moment, lost, "x")).await;
        let mut both = override_set(feature, &moment, lost, "x");
        both["feature_states_to_update"] = json!([{"feature_state_value": text("two")}]);
        world.post(&scheduled(&world), both).await;
        world.post(&scheduled(&world), override_set(feature, &moment, kept, "kept value")).await;
        let project = format!("/api/v1/projects/{}", world.project);
        world.app.manage(&world.token, Method::DELETE, &format!("{project}/features/{gone}/"), None).await.expect(204);
        world.app.manage(&world.token, Method::DELETE, &format!("{project}/segments/{lost}/"), None).await.expect(204);
        assert_eq!(waiting(&world).await.len(), 3);
        go_live(&world.app.app, at).await.expect("goes live");
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "kept").await), (json!("two"), json!("kept value")));
        assert_eq!(waiting(&world).await.len(), 0);
        let dropped = "Scheduled change to Flag state / Remote config value was dropped for feature: f.";
        assert!(lines(&world, "SCHEDULED_CHANGE").await.iter().any(|line| line.starts_with(dropped)));
    }

    async fn a_version_goes_live_at_its_time(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        enable(&world).await;
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        let (at, moment) = later(60);
        let body = json!({"publish_immediately": true, "live_from": moment, "feature_states_to_update": [{"feature_state_value": text("two")}]});
        let version = world.post(&path, body).await;
        assert_eq!((&version["published"], &version["is_live"], &version["live_from"]), (&json!(true), &json!(false), &json!(moment)));
        assert_eq!(value(&world, "f").await, "v");
        assert_eq!(waiting(&world).await[0]["environment_feature_version"], version["uuid"]);
        // Published again with another moment, it waits for that.
        let uuid = version["uuid"].as_str().expect("a uuid");
        let sooner = later(30).1;
        let again = world.manage(Method::POST, &format!("{path}{uuid}/publish/"), json!({"live_from": sooner})).await;
        assert_eq!(again["live_from"], sooner);
        let before = mark(&world).await;
        go_live(&world.app.app, at).await.expect("goes live");
        assert_eq!(value(&world, "f").await, "two");
        assert!(mark(&world).await.1 > before.1);
        let shown = get(&world, &format!("/api/v1/environment-feature-versions/{uuid}/")).await;
        assert_eq!((&shown["is_live"], &shown["live_from"]), (&json!(true), &json!(sooner)));
        assert!(lines(&world, "EF_VERSION").await.contains(&"Scheduled change to Flag state / Remote config value went live for feature: f".to_owned()));
    }

    async fn a_version_that_waits_is_cancelled_by_deleting_it(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        enable(&world).await;
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        let (at, moment) = later(60);
        let mut uuids = Vec::new();
        for value in ["two", "three"] {
            let body = json!({"publish_immediately": true, "live_from": moment, "feature_states_to_update": [{"feature_state_value": text(value)}]});
            uuids.push(world.post(&path, body).await["uuid"].as_str().expect("a uuid").to_owned());
        }
        world.app.manage(&world.token, Method::DELETE, &format!("{path}{}/", uuids[0]), None).await.expect(204);
        let waits = waiting(&world).await;
        assert_eq!(waits.len(), 1);
        world.app.manage(&world.token, Method::DELETE, &format!("{}{}/", scheduled(&world), id(&waits[0])), None).await.expect(204);
        go_live(&world.app.app, at).await.expect("goes live");
        assert_eq!((value(&world, "f").await, get(&world, &path).await["count"].clone()), (json!("v"), json!(1)));
    }

    async fn in_versions_a_scheduled_change_is_made_to_what_is_live_then(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        let (at, moment) = later(60);
        // Scheduled while there are no versions yet, it happens as one.
        world.post(&scheduled(&world), override_set(feature, &moment, pros, "pro value")).await;
        enable(&world).await;
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        world.post(&path, json!({"publish_immediately": true, "feature_states_to_update": [{"feature_state_value": text("two")}]})).await;
        go_live(&world.app.app, at).await.expect("goes live");
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("two"), json!("pro value")));
        let newest = get(&world, &path).await["results"][0].clone();
        assert_eq!((&newest["is_live"], &newest["live_from"]), (&json!(true), &json!(moment)));
    }

    async fn what_a_change_request_schedules_goes_live_in_its_name_with_and_without_versions(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        world.set_environment(json!({"minimum_change_request_approvals": 0})).await;
        let went_live = "Scheduled change to Flag state / Remote config value went live for feature: f by Change Request: Launch";
        for (kind, value) in [("FEATURE_STATE", "two"), ("EF_VERSION", "three")] {
            let (at, moment) = later(60);
            let mut change = set(feature, &moment, value);
            change["feature_states_to_create"] = json!([]);
            change["segment_ids_to_delete_overrides"] = json!([]);
            let body = json!({"title": "Launch", "feature_states": [], "change_sets": [change]});
            let request = world.post(&format!("/api/v1/environments/{}/create-change-request/", world.client), body).await;
            let commit = format!("/api/v1/features/workflows/change-requests/{}/commit/", id(&request));
            world.manage(Method::POST, &commit, json!({})).await;
            assert_eq!(waiting(&world).await[0]["change_request"], request["id"]);
            // It was approved as it is.
            let one = format!("{}{}/", scheduled(&world), id(&waiting(&world).await[0]));
            world.app.manage(&world.token, Method::PATCH, &one, Some(&json!({"live_from": later(5).1}))).await.expect(403);
            go_live(&world.app.app, at).await.expect("goes live");
            assert_eq!(self::value(&world, "f").await, value);
            assert_eq!(lines(&world, kind).await.last().map(String::as_str), Some(went_live));
            let path = format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment);
            assert_eq!(get(&world, &path).await["results"][0]["change_request"], request["id"]);
            if kind == "FEATURE_STATE" {
                enable(&world).await;
            }
        }
    }

    async fn publishing_beside_a_change_that_is_due_leaves_the_published_version(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        enable(&world).await;
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        for round in 0..3 {
            let due = json!({"publish_immediately": true, "live_from": later(1).1, "feature_states_to_update": [{"feature_state_value": text("due")}]});
            world.post(&path, due).await;
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            let now = json!({"publish_immediately": true, "feature_states_to_update": [{"feature_state_value": text("published")}]});
            let publish = world.app.manage(&world.token, Method::POST, &path, Some(&now));
            let (answer, live) = futures_util::join!(publish, go_live(&world.app.app, Timestamp::now()));
            answer.expect(201);
            live.expect("goes live");
            assert_eq!(value(&world, "f").await, "published", "round {round}");
        }
        assert_eq!(get(&world, &format!("{path}?is_live=true")).await["count"], 7);
    }

    async fn a_change_comes_after_what_was_due_before_it(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        world.post(&scheduled(&world), set(feature, &later(1).1, "due")).await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        world.set(feature, json!({"feature_state_value": "edited"})).await;
        go_live(&world.app.app, later(60).0).await.expect("goes live");
        assert_eq!(value(&world, "f").await, "edited");
    }

    async fn scheduling_is_for_those_who_may_change_the_feature(app) {
        let world = app.world().await;
        let project = format!("/api/v1/projects/{}/features/", world.project);
        let feature = id(&app.post(&world.admin, &project, &json!({"name": "f"})).await.expect(201));
        let path = format!("/api/v1/environments/{}/scheduled-changes/", world.key);
        let body = set(feature, &later(60).1, "x");
        let made = id(&app.post(&world.admin, &path, &body).await.expect(201));
        let one = format!("{path}{made}/");
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(403);
            app.get(person, &one).await.expect(403);
            app.post(person, &path, &body).await.expect(403);
            app.patch(person, &one, &json!({})).await.expect(403);
            app.delete(person, &one).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &one).await.expect(200);
        app.delete(&world.member, &one).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["UPDATE_FEATURE_STATE"]).await;
        app.post(&world.member, &path, &body).await.expect(201);
        app.delete(&world.member, &one).await.expect(204);
        let (_, other) = app.environment(&world.admin, world.project, "Other").await;
        let elsewhere = format!("/api/v1/environments/{other}/scheduled-changes/{}/", made + 1);
        app.get(&world.admin, &elsewhere).await.expect(404);
    }
}
