//! Release pipelines: drafts, and features that go through what was published. Time is told, it does not pass.

use axum::http::Method;
use burgee_app::release_pipelines::advance;
use burgee_model::Timestamp;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both, flag};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A project with two environments and a feature that is off in both.
struct Scene {
    world: World,
    production: (i64, String),
    feature: i64,
    segment: i64,
}

async fn scene(app: &TestApp) -> Scene {
    let world = app.world().await;
    let production = app.environment(&world.admin, world.project, "Production").await;
    let features = format!("/api/v1/projects/{}/features/", world.project);
    let feature = app
        .post(
            &world.admin,
            &features,
            &json!({"name": "f", "initial_value": "old"}),
        )
        .await;
    let feature = id(&feature.expect(201));
    let segments = format!("/api/v1/projects/{}/segments/", world.project);
    let condition = json!({"property": "plan", "operator": "EQUAL", "value": "gold"});
    let body = json!({"name": "gold", "rules": [{"type": "ALL", "rules": [], "conditions": [condition]}]});
    let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
    Scene {
        world,
        production,
        feature,
        segment,
    }
}

fn stage(order: i64, environment: i64, trigger: Value, actions: Value) -> Value {
    json!({
        "name": format!("Stage {order}"), "environment": environment, "order": order, "trigger": trigger, "actions": actions,
    })
}

fn at_once() -> Value {
    json!({"trigger_type": "ON_ENTER", "trigger_body": null})
}

fn after(wait: &str) -> Value {
    json!({"trigger_type": "WAIT_FOR", "trigger_body": {"wait_for": wait}})
}

fn on() -> Value {
    json!({"action_type": "TOGGLE_FEATURE", "action_body": {"enabled": true}})
}

impl Scene {
    fn path(&self) -> String {
        format!("/api/v1/projects/{}/release-pipelines/", self.world.project)
    }

    fn act(&self, id: i64, act: &str) -> String {
        format!("{}{id}/{act}/", self.path())
    }

    async fn get(&self, app: &TestApp, id: i64) -> Value {
        app.get(&self.world.admin, &format!("{}{id}/", self.path()))
            .await
            .expect(200)
    }

    async fn create(&self, app: &TestApp, stages: Value) -> i64 {
        let body = json!({"name": "Rollout", "description": "d", "stages": stages});
        id(&app.post(&self.world.admin, &self.path(), &body).await.expect(201))
    }

    async fn published(&self, app: &TestApp, stages: Value) -> i64 {
        let pipeline = self.create(app, stages).await;
        app.post(
            &self.world.admin,
            &self.act(pipeline, "publish-pipeline"),
            &json!({}),
        )
        .await
        .expect(200);
        pipeline
    }

    async fn add(&self, app: &TestApp, pipeline: i64) -> Value {
        let body = json!({"feature_id": self.feature});
        app.post(&self.world.admin, &self.act(pipeline, "add-feature"), &body)
            .await
            .expect(200)
    }

    /// What SDKs of an environment are told of the feature.
    async fn served(&self, app: &TestApp, key: &str) -> (bool, Value) {
        let flags = app
            .call(Method::GET, "/api/v1/flags/", &[("x-environment-key", key)], None)
            .await
            .expect(200);
        let served = flag(&flags, "f").expect("the flag");
        (served["enabled"] == true, served["feature_state_value"].clone())
    }

    /// For how many of a hundred people it is on.
    async fn reach(&self, app: &TestApp, key: &str) -> usize {
        let mut reached = 0;
        for number in 0..100 {
            let body = json!({"identifier": format!("person {number}")});
            let answer = app
                .call(
                    Method::POST,
                    "/api/v1/identities/",
                    &[("x-environment-key", key)],
                    Some(&body),
                )
                .await;
            reached +=
                usize::from(flag(&answer.expect(200)["flags"], "f").expect("the flag")["enabled"] == true);
        }
        reached
    }
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

async fn lines(app: &TestApp) -> Vec<String> {
    let log = app.log("RELEASE_PIPELINE").await;
    log.into_iter().filter_map(|entry| entry.message).collect()
}

both! {
    async fn a_draft_is_written_edited_copied_and_deleted(app) {
        let scene = scene(&app).await;
        let admin = &scene.world.admin;
        let stages = json!([
            stage(0, scene.world.environment, at_once(), json!([on()])),
            stage(1, scene.production.0, after("1 00:00:00"), json!([on()])),
        ]);
        let body = json!({"name": "Rollout", "description": "d", "stages": stages});
        let made = app.post(admin, &scene.path(), &body).await.expect(201);
        assert_eq!(keys(&made), [
            "id", "name", "project", "description", "stages_count", "published_at", "published_by", "features", "stages",
            "completed_features",
        ]);
        assert_eq!(keys(&made["stages"][1]), ["id", "name", "pipeline", "environment", "order", "trigger", "actions", "features"]);
        assert_eq!(keys(&made["stages"][1]["trigger"]), ["id", "trigger_type", "trigger_body"]);
        assert_eq!(made["stages"][1]["trigger"]["trigger_body"], json!({"wait_for": "1 00:00:00"}));
        assert_eq!(keys(&made["stages"][0]["actions"][0]), ["id", "action_type", "action_body"]);
        let pipeline = id(&made);
        let listed = app.get(admin, &scene.path()).await.expect(200);
        assert_eq!(keys(&listed["results"][0]), [
            "id", "name", "project", "description", "stages_count", "published_at", "published_by", "features",
        ]);
        assert_eq!(listed["results"][0]["stages_count"], 2);
        let one = format!("{}{pipeline}/", scene.path());
        let patched = app.patch(admin, &one, &json!({"name": "Slow"})).await.expect(200);
        assert_eq!((&patched["name"], &patched["stages_count"]), (&json!("Slow"), &json!(2)));
        let shorter = json!({"name": "Slow", "stages": [stages[0]]});
        assert_eq!(app.put(admin, &one, &shorter).await.expect(200)["stages"].as_array().map(Vec::len), Some(1));
        let copy = app.post(admin, &scene.act(pipeline, "clone"), &json!({"name": "Copy"})).await.expect(200);
        assert_eq!((&copy["name"], &copy["stages"][0]["actions"][0]["action_type"]), (&json!("Copy"), &json!("TOGGLE_FEATURE")));
        for (ordering, first) in [("name", "Copy"), ("-name", "Slow"), ("-id", "Copy"), ("nonsense", "Slow")] {
            let listed = app.get(admin, &format!("{}?ordering={ordering}", scene.path())).await.expect(200);
            assert_eq!(listed["results"][0]["name"], first, "{ordering}");
        }
        app.delete(admin, &one).await.expect(204);
        app.get(admin, &one).await.expect(404);
        assert_eq!(lines(&app).await, [
            "Release Pipeline: Rollout created", "Release Pipeline: Slow updated", "Release Pipeline: Slow updated",
            "Release Pipeline: Copy cloned", "Release Pipeline: Slow deleted",
        ]);
    }

    async fn a_published_pipeline_only_runs(app) {
        let scene = scene(&app).await;
        let admin = &scene.world.admin;
        let empty = scene.create(&app, json!([])).await;
        app.post(admin, &scene.act(empty, "publish-pipeline"), &json!({})).await.expect(400);
        let pipeline = scene.create(&app, json!([stage(0, scene.world.environment, after("01:00:00"), json!([on()]))])).await;
        let feature = json!({"feature_id": scene.feature});
        app.post(admin, &scene.act(pipeline, "add-feature"), &feature).await.expect(400);
        app.post(admin, &scene.act(pipeline, "unpublish-pipeline"), &json!({})).await.expect(400);
        let published = app.post(admin, &scene.act(pipeline, "publish-pipeline"), &json!({})).await.expect(200);
        assert_eq!(published["published_by"], scene.world.admin.id);
        let one = format!("{}{pipeline}/", scene.path());
        app.post(admin, &scene.act(pipeline, "publish-pipeline"), &json!({})).await.expect(400);
        app.patch(admin, &one, &json!({"name": "x"})).await.expect(400);
        app.put(admin, &one, &json!({"name": "x", "stages": []})).await.expect(400);
        app.delete(admin, &one).await.expect(400);
        scene.add(&app, pipeline).await;
        app.post(admin, &scene.act(pipeline, "add-feature"), &feature).await.expect(400);
        app.post(admin, &scene.act(pipeline, "unpublish-pipeline"), &json!({})).await.expect(400);
        let removed = app.post(admin, &scene.act(pipeline, "remove-feature"), &feature).await.expect(200);
        assert_eq!(removed["features"], json!([]));
        app.post(admin, &scene.act(pipeline, "remove-feature"), &feature).await.expect(400);
        app.post(admin, &scene.act(pipeline, "unpublish-pipeline"), &json!({})).await.expect(200);
        assert_eq!(lines(&app).await[2..], [
            "Release Pipeline: Rollout published", "Feature: f added to Release Pipeline: Rollout",
            "Feature: f removed from Release Pipeline: Rollout", "Release Pipeline: Rollout Converted to Draft",
        ]);
    }

    async fn a_feature_moves_from_stage_to_stage_in_its_time_and_once(app) {
        let scene = scene(&app).await;
        let (development, production) = (scene.world.key.as_str(), scene.production.1.as_str());
        let value = json!({"action_type": "UPDATE_FEATURE_VALUE", "action_body": {"feature_state_value": {"type": "int", "integer_value": 7}}});
        let gold = json!({"action_type": "TOGGLE_FEATURE_FOR_SEGMENT", "action_body": {"enabled": true, "segment_id": scene.segment}});
        let worth = json!({"action_type": "UPDATE_FEATURE_VALUE_FOR_SEGMENT", "action_body": {"value": "gold", "segment_id": scene.segment}});
        let pipeline = scene.published(&app, json!([
            stage(0, scene.world.environment, at_once(), json!([on(), value])),
            stage(2, scene.production.0, after("1 00:00:00"), json!([gold, worth])),
            stage(5, scene.production.0, after("12:00:00"), json!([on()])),
        ])).await;
        let begun = Timestamp::now();
        assert_eq!(scene.add(&app, pipeline).await["features"], json!([scene.feature]));
        assert_eq!(scene.served(&app, development).await, (true, json!(7)));
        assert_eq!(scene.served(&app, production).await, (false, json!("old")));
        let found = scene.get(&app, pipeline).await;
        assert_eq!(found["stages"][0]["features"], json!({}));
        assert!(found["stages"][1]["features"][scene.feature.to_string()]["due_at"].is_string(), "{found}");
        advance(&app.app, begun.plus_seconds(86_300)).await.expect("nothing is due");
        assert_eq!(scene.served(&app, production).await, (false, json!("old")));

        let due = begun.plus_seconds(86_500);
        let other = app.second_node().await;
        for done in join_all(vec![advance(&app.app, due), advance(&other.app, due), advance(&app.app, due)]).await {
            done.expect("moves on");
        }
        assert_eq!(scene.served(&app, production).await, (false, json!("old")));
        let body = json!({"identifier": "i", "traits": [{"trait_key": "plan", "trait_value": "gold"}]});
        let waiting = std::time::Instant::now();
        loop {
            let gold = app.call(Method::POST, "/api/v1/identities/", &[("x-environment-key", production)], Some(&body)).await.expect(200);
            let served = flag(&gold["flags"], "f").expect("the flag");
            if (&served["enabled"], &served["feature_state_value"]) == (&json!(true), &json!("gold")) {
                break;
            }
            // This node may have to hear of it first.
            assert!(waiting.elapsed() < std::time::Duration::from_secs(30), "still {served}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // Nobody was up for a week: what is due is done, and what waits after it waits from then.
        let late = begun.plus_seconds(7 * 86_400);
        advance(&app.app, late).await.expect("moves on");
        assert_eq!(scene.served(&app, production).await, (true, json!("old")));
        let found = scene.get(&app, pipeline).await;
        assert_eq!((&found["features"], &found["completed_features"]), (&json!([]), &json!([scene.feature])));
        let said = lines(&app).await;
        assert_eq!(said[2..], [
            "Feature: f added to Release Pipeline: Rollout", "Feature: f moved to stage: Stage 2 of Release Pipeline: Rollout",
            "Feature: f moved to stage: Stage 5 of Release Pipeline: Rollout", "Feature: f completed Release Pipeline: Rollout",
        ]);
        // It may go again.
        scene.add(&app, pipeline).await;
        assert_eq!(scene.get(&app, pipeline).await["completed_features"], json!([]));
    }

    async fn the_platform_hub_says_where_features_are_on_their_way(app) {
        let scene = scene(&app).await;
        let (world, admin) = (&scene.world, &scene.world.admin);
        let for_gold = json!({"action_type": "TOGGLE_FEATURE_FOR_SEGMENT", "action_body": {"enabled": true, "segment_id": scene.segment}});
        let pipeline = scene.create(&app, json!([
            stage(0, world.environment, at_once(), json!([on()])),
            stage(1, scene.production.0, after("1 02:00:00"), json!([for_gold, on()])),
        ])).await;
        let hub = "/api/v1/admin/dashboard/release-pipelines/";
        let draft = app.get(admin, hub).await.expect(200);
        assert_eq!((&draft[0]["is_published"], &draft[0]["total_features"]), (&json!(false), &json!(0)));
        app.post(admin, &scene.act(pipeline, "publish-pipeline"), &json!({})).await.expect(200);
        app.post(admin, &scene.act(pipeline, "add-feature"), &json!({"feature_id": scene.feature})).await.expect(200);
        advance(&app.app, Timestamp::now()).await.expect("advances");
        let second = |feature: i64, through: i64| json!({
            "stage_name": "Stage 1", "environment_name": "Production", "order": 1, "features_in_stage": feature,
            "features_completed": through,
            "action_description": format!("Turns the feature on for segment {}, Turns the feature on", scene.segment),
            "trigger_description": "1 day 2 hours after the feature enters"});
        assert_eq!(app.get(admin, hub).await.expect(200), json!([{
            "organisation_id": world.organisation, "organisation_name": "Acme", "project_id": world.project,
            "project_name": "Web", "pipeline_id": pipeline, "pipeline_name": "Rollout", "is_published": true,
            "total_features": 1, "completed_features": 0, "stages": [{
                "stage_name": "Stage 0", "environment_name": "Development", "order": 0, "features_in_stage": 0,
                "features_completed": 1, "action_description": "Turns the feature on",
                "trigger_description": "When the feature enters",
            }, second(1, 0)],
        }]));
        advance(&app.app, Timestamp::now().plus_seconds(27 * 3600)).await.expect("advances");
        let through = app.get(admin, hub).await.expect(200);
        assert_eq!((&through[0]["completed_features"], &through[0]["stages"][1]), (&json!(1), &second(0, 1)));
        for person in [&world.member, &world.stranger] {
            assert_eq!(app.get(person, hub).await.expect(200), json!([]));
        }
    }

    async fn a_phased_rollout_grows_until_it_is_everybody(app) {
        let scene = scene(&app).await;
        let key = scene.world.key.as_str();
        let rollout = json!({"action_type": "PHASED_ROLLOUT", "action_body": {
            "initial_split": 20, "increase_by": 40, "increase_every": "01:00:00",
        }});
        let pipeline = scene.published(&app, json!([
            stage(0, scene.world.environment, at_once(), json!([rollout])),
            stage(1, scene.production.0, at_once(), json!([on()])),
        ])).await;
        let begun = Timestamp::now();
        scene.add(&app, pipeline).await;
        assert!(!scene.served(&app, key).await.0);
        let first = scene.reach(&app, key).await;
        assert!((5..=40).contains(&first), "{first} of 100");
        let state = scene.get(&app, pipeline).await["stages"][0]["features"][scene.feature.to_string()]["phased_rollout_state"].clone();
        assert_eq!(keys(&state), [
            "initial_split", "increase_by", "increase_every", "current_split", "is_rollout_complete", "last_updated_at",
            "rollout_segment",
        ]);
        assert_eq!((&state["current_split"], &state["increase_every"]), (&json!(20.0), &json!("01:00:00")));
        let due = begun.plus_seconds(3700);
        for done in join_all(vec![advance(&app.app, due), advance(&app.app, due)]).await {
            done.expect("grows");
        }
        let second = scene.reach(&app, key).await;
        assert!((40..=80).contains(&second) && second >= first, "{second} of 100");
        assert!(!scene.served(&app, &scene.production.1).await.0);
        advance(&app.app, begun.plus_seconds(2 * 3700)).await.expect("completes");
        assert!(scene.served(&app, key).await.0);
        assert_eq!(scene.reach(&app, key).await, 100);
        assert!(scene.served(&app, &scene.production.1).await.0, "the next stage follows");
        let segments = format!("/api/v1/projects/{}/segments/", scene.world.project);
        assert_eq!(app.get(&scene.world.admin, &segments).await.expect(200)["count"], 1, "its segment has done its work");
        assert_eq!(scene.get(&app, pipeline).await["completed_features"], json!([scene.feature]));
    }

    async fn a_pipeline_works_where_changes_need_approval_and_where_there_are_versions(app) {
        let scene = scene(&app).await;
        let admin = &scene.world.admin;
        let guarded = format!("/api/v1/environments/{}/", scene.world.key);
        app.patch(admin, &guarded, &json!({"minimum_change_request_approvals": 2})).await.expect(200);
        let versioned = format!("/api/v1/environments/{}/enable-v2-versioning/", scene.production.1);
        app.post(admin, &versioned, &json!({})).await.expect(202);
        let pipeline = scene.published(&app, json!([
            stage(0, scene.world.environment, at_once(), json!([on()])),
            stage(1, scene.production.0, at_once(), json!([on()])),
        ])).await;
        scene.add(&app, pipeline).await;
        assert!(scene.served(&app, &scene.world.key).await.0);
        assert!(scene.served(&app, &scene.production.1).await.0);
        let versions = format!("/api/v1/environments/{}/features/{}/versions/", scene.production.0, scene.feature);
        assert_eq!(app.get(admin, &versions).await.expect(200)["count"], 2);
    }

    async fn a_feature_that_cant_go_on_stops_and_says_why(app) {
        let scene = scene(&app).await;
        let gold = json!({"action_type": "TOGGLE_FEATURE_FOR_SEGMENT", "action_body": {"enabled": true, "segment_id": scene.segment}});
        let pipeline = scene.published(&app, json!([
            stage(0, scene.world.environment, after("01:00:00"), json!([on(), gold])),
        ])).await;
        let begun = Timestamp::now();
        scene.add(&app, pipeline).await;
        let segment = format!("/api/v1/projects/{}/segments/{}/", scene.world.project, scene.segment);
        app.delete(&scene.world.admin, &segment).await.expect(204);
        for _ in 0..2 {
            advance(&app.app, begun.plus_seconds(3700)).await.expect("is tried");
        }
        assert!(!scene.served(&app, &scene.world.key).await.0, "all of a stage or nothing");
        let found = scene.get(&app, pipeline).await;
        let there = &found["stages"][0]["features"][scene.feature.to_string()];
        assert!(there["failure"].is_string(), "{there}");
        let stopped = lines(&app).await.iter().filter(|line| line.contains("stopped")).count();
        assert_eq!(stopped, 1);
        // Without its environment a stage is gone, and what was in it is through.
        let pipeline = scene.published(&app, json!([stage(0, scene.production.0, after("01:00:00"), json!([on()]))])).await;
        let body = json!({"feature_id": scene.feature});
        app.post(&scene.world.admin, &scene.act(pipeline, "add-feature"), &body).await.expect(400);
        let first = id(&app.get(&scene.world.admin, &scene.path()).await.expect(200)["results"][0]);
        app.post(&scene.world.admin, &scene.act(first, "remove-feature"), &body).await.expect(200);
        scene.add(&app, pipeline).await;
        app.delete(&scene.world.admin, &format!("/api/v1/environments/{}/", scene.production.1)).await.expect(204);
        advance(&app.app, begun.plus_seconds(9000)).await.expect("is tried");
        assert_eq!(scene.get(&app, pipeline).await["completed_features"], json!([scene.feature]));
    }

    async fn a_wrong_stage_is_refused_in_its_place(app) {
        let scene = scene(&app).await;
        let environment = scene.world.environment;
        let missing = "This field is required.";
        let refused = app.post(&scene.world.admin, &scene.path(), &json!({})).await.expect(400);
        assert_eq!(refused, json!({"name": [missing], "stages": [missing]}));
        let good = stage(0, environment, at_once(), json!([]));
        let action = |kind: &str, body: Value| json!([{"action_type": kind, "action_body": body}]);
        let elsewhere = app.project(&scene.world.admin, scene.world.organisation, "Other").await;
        let (foreign, _) = app.environment(&scene.world.admin, elsewhere, "Theirs").await;
        for (bad, field) in [
            (stage(0, environment, at_once(), json!([])), "order"),
            (stage(31, environment, at_once(), json!([])), "order"),
            (stage(1, foreign, at_once(), json!([])), "environment"),
            (stage(1, environment, after("soon"), json!([])), "trigger"),
            (stage(1, environment, json!({"trigger_type": "NEVER"}), json!([])), "trigger"),
            (stage(1, environment, at_once(), action("TOGGLE_FEATURE", json!({}))), "actions"),
            (stage(1, environment, at_once(), action("TOGGLE_FEATURE_FOR_SEGMENT", json!({"enabled": true, "segment_id": 99_999}))), "actions"),
            (stage(1, environment, at_once(), action("UPDATE_FEATURE_VALUE", Value::Null)), "actions"),
            (stage(1, environment, at_once(), action("PHASED_ROLLOUT", json!({"initial_split": 120}))), "actions"),
            (stage(1, environment, at_once(), action("DANCE", json!({}))), "actions"),
        ] {
            let body = json!({"name": "x", "stages": [good, bad]});
            let refused = app.post(&scene.world.admin, &scene.path(), &body).await.expect(400);
            assert_eq!(refused["stages"][0], json!({}), "{refused}");
            assert_eq!(keys(&refused["stages"][1]), [field], "{refused}");
        }
        assert_eq!(app.get(&scene.world.admin, &scene.path()).await.expect(200)["count"], 0);
        let pipeline = scene.published(&app, json!([good])).await;
        let features = format!("/api/v1/projects/{elsewhere}/features/");
        let theirs = id(&app.post(&scene.world.admin, &features, &json!({"name": "g"})).await.expect(201));
        for body in [json!({}), json!({"feature_id": 99_999}), json!({"feature_id": theirs}), json!({"feature_id": "x"})] {
            let refused = app.post(&scene.world.admin, &scene.act(pipeline, "add-feature"), &body).await.expect(400);
            assert_eq!(keys(&refused), ["feature_id"], "{body}");
        }
    }

    async fn pipelines_are_read_by_members_and_written_by_administrators(app) {
        let scene = scene(&app).await;
        let pipeline = scene.create(&app, json!([stage(0, scene.world.environment, at_once(), json!([]))])).await;
        let one = format!("{}{pipeline}/", scene.path());
        let (member, stranger) = (&scene.world.member, &scene.world.stranger);
        let body = json!({"name": "x", "stages": []});
        for who in [member, stranger] {
            app.get(who, &scene.path()).await.expect(403);
            app.get(who, &one).await.expect(403);
            app.post(who, &scene.path(), &body).await.expect(403);
        }
        app.grant(member, Object::Project(scene.world.project), &["VIEW_PROJECT", "MANAGE_SEGMENTS"]).await;
        app.get(member, &one).await.expect(200);
        app.post(member, &scene.path(), &body).await.expect(403);
        app.put(member, &one, &body).await.expect(403);
        app.patch(member, &one, &body).await.expect(403);
        app.delete(member, &one).await.expect(403);
        for act in ["clone", "publish-pipeline", "unpublish-pipeline", "add-feature", "remove-feature"] {
            app.post(member, &scene.act(pipeline, act), &json!({"feature_id": scene.feature})).await.expect(403);
        }
        let elsewhere = app.project(&scene.world.admin, scene.world.organisation, "Other").await;
        app.get(&scene.world.admin, &format!("/api/v1/projects/{elsewhere}/release-pipelines/{pipeline}/")).await.expect(404);
    }
}
