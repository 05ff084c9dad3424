//! Two nodes on one database, and people who work on both at the same time: nothing is lost, doubled or refused for no
//! reason.

use std::collections::BTreeSet;

use axum::http::Method;
use burgee_model::Timestamp;
use burgee_testkit::{Answer, TestApp, World, both, id};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::change_request_scene::{act, lines, one, scene};

/// A world, and a second node beside its own.
async fn two(app: TestApp) -> (World, TestApp) {
    let other = app.second_node().await;
    (World::new(app).await, other)
}

/// Sends every body to the same path, in turn to each node, all at once.
async fn send_all(
    world: &World,
    other: &TestApp,
    method: Method,
    path: &str,
    bodies: &[Value],
) -> Vec<Answer> {
    let calls = bodies.iter().zip(0..).map(|(body, number)| {
        let node = if number % 2 == 0 { &world.app } else { other };
        node.manage(&world.token, method.clone(), path, Some(body))
    });
    join_all(calls).await
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status.as_u16()).collect()
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

both! {
    async fn edits_of_one_flag_from_two_nodes_are_built_on_each_other(app) {
        let (world, other) = two(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let states = format!("/api/v1/environments/{}/featurestates/", world.client);
        let found = world.manage(Method::GET, &format!("{states}?feature={feature}"), Value::Null).await;
        let path = format!("{states}{}/", found["results"][0]["id"]);
        let bodies: Vec<Value> = (0..16)
            .map(|i| if i % 4 < 2 { json!({"enabled": i % 8 < 4}) } else { json!({"feature_state_value": format!("v{i}")}) })
            .collect();
        for answer in send_all(&world, &other, Method::PUT, &path, &bodies).await {
            answer.expect(200);
        }
        // Each began with what the one before it left.
        let log = world.app.log("FEATURE_STATE").await;
        let mut last: Option<Value> = None;
        for entry in log.iter().filter(|entry| entry.action == "UPDATE") {
            let read = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref().unwrap_or("null")).unwrap();
            let (before, after) = (read(&entry.before), read(&entry.after));
            if let Some(last) = &last {
                // An edit of both parts has two lines with the same sides.
                assert!(*last == before || *last == after, "{last} is followed by {before}");
            }
            last = Some(after);
        }
        let now = world.manage(Method::GET, &path, Value::Null).await;
        let last = last.expect("a line");
        assert_eq!((&now["enabled"], &now["feature_state_value"]), (&last["enabled"], &last["feature_state_value"]));
    }

    async fn overrides_made_and_moved_from_two_nodes_have_priorities_of_their_own(app) {
        let (world, other) = two(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        let mut segments = Vec::new();
        for i in 0..8 {
            segments.push(world.segment(&format!("s{i}"), "a", "EQUAL", "0").await);
        }
        let path = format!("/api/v1/environments/{}/features/{feature}/create-segment-override/", world.client);
        let bodies: Vec<Value> = segments.iter()
            .map(|segment| json!({"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": {"type": "unicode", "string_value": "x"}}))
            .collect();
        for answer in send_all(&world, &other, Method::POST, &path, &bodies).await {
            answer.expect(201);
        }
        let links = format!("/api/v1/features/feature-segments/?environment={}&feature={feature}", world.environment);
        let found = world.manage(Method::GET, &links, Value::Null).await;
        let ids: Vec<i64> = found["results"].as_array().unwrap().iter().map(id).collect();
        let priorities = |found: &Value| -> BTreeSet<i64> {
            found["results"].as_array().unwrap().iter().map(|link| link["priority"].as_i64().unwrap()).collect()
        };
        assert_eq!(priorities(&found), (0..8).collect());
        let moves: Vec<Value> = ids.iter().zip(0..).map(|(id, to)| json!([{"id": id, "priority": (to * 3) % 8}])).collect();
        for answer in send_all(&world, &other, Method::POST, "/api/v1/features/feature-segments/update-priorities/", &moves).await {
            answer.expect(200);
        }
        let found = world.manage(Method::GET, &links, Value::Null).await;
        assert_eq!(priorities(&found), (0..8).collect());
    }

    async fn an_override_made_twice_at_once_is_there_once(app) {
        let (world, other) = two(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        let segment = world.segment("s", "a", "EQUAL", "0").await;
        let path = format!("/api/v1/environments/{}/features/{feature}/create-segment-override/", world.client);
        let body = json!({"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": {"type": "unicode", "string_value": "x"}});
        let statuses = statuses(&send_all(&world, &other, Method::POST, &path, &vec![body; 6]).await);
        assert_eq!((count(&statuses, 201), count(&statuses, 400)), (1, 5), "{statuses:?}");
    }

    async fn a_change_request_is_edited_approved_and_committed_at_once_on_two_nodes(app) {
        let other = app.second_node().await;
        let scene = scene(&app, 1).await;
        for round in 0..4 {
            let before = lines(&app).await.iter().filter(|line| line.ends_with("committed")).count();
            let request = scene.propose(&app, &format!("T{round}"), &format!("new {round}")).await;
            let (commit, approve, nothing) = (act(request, "commit"), act(request, "approve"), json!({}));
            let (title, path) = (json!({"title": "edited"}), one(request));
            let (approved, edited, first, second) = futures_util::join!(
                other.post(&scene.reviewer, &approve, &nothing),
                app.patch(&scene.author, &path, &title),
                app.post(&scene.author, &commit, &nothing),
                other.post(&scene.author, &commit, &nothing),
            );
            for (what, answer) in [("approve", &approved), ("edit", &edited), ("commit", &first), ("commit", &second)] {
                assert!(answer.status == 200 || answer.status == 400, "{what}: {} {}", answer.status, answer.text);
            }
            let now = app.get(&scene.author, &path).await.expect(200);
            let committed = count(&[first.status.as_u16(), second.status.as_u16()], 200);
            assert!(committed <= 1);
            assert_eq!(now["is_committed"], json!(committed == 1));
            let after = lines(&app).await.iter().filter(|line| line.ends_with("committed")).count();
            assert_eq!(after - before, committed);
            if committed == 0 {
                // What was approved is what it says, or it is not approved.
                app.post(&scene.reviewer, &approve, &nothing).await.expect(200);
                app.post(&scene.author, &commit, &nothing).await.expect(200);
            }
            // It may have been committed on the other node.
            assert!(scene.served_soon(&app, &json!(format!("new {round}"))).await);
        }
    }

    async fn versions_published_from_two_nodes_keep_each_others_part(app) {
        let (world, other) = two(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let mut segments = Vec::new();
        for n in 0..6 {
            segments.push(world.segment(&format!("s{n}"), "plan", "EQUAL", &format!("p{n}")).await);
        }
        world.post(&format!("/api/v1/environments/{}/enable-v2-versioning/", world.client), json!({})).await;
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        let bodies: Vec<Value> = segments.iter()
            .map(|segment| json!({"publish_immediately": true, "feature_states_to_create": [
                {"feature_segment": {"segment": segment}, "enabled": true, "feature_state_value": {"type": "unicode", "string_value": "x"}}]}))
            .collect();
        for answer in send_all(&world, &other, Method::POST, &path, &bodies).await {
            answer.expect(201);
        }
        let states = format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment);
        let states = world.manage(Method::GET, &states, Value::Null).await;
        assert_eq!(states["count"], 7);
        // One history: each version follows another one, and none is followed twice.
        let list = world.manage(Method::GET, &path, Value::Null).await;
        let mut previous = BTreeSet::new();
        for version in list["results"].as_array().unwrap() {
            let one = format!("/api/v1/environment-feature-versions/{}/", version["uuid"].as_str().unwrap());
            let found = world.manage(Method::GET, &one, Value::Null).await;
            assert!(previous.insert(found["previous_version_uuid"].to_string()), "{found}");
        }
        assert_eq!(previous.len(), 7);
        // A draft that is published on both is published once.
        let draft = world.post(&path, json!({})).await;
        let publish = format!("{path}{}/publish/", draft["uuid"].as_str().unwrap());
        for answer in send_all(&world, &other, Method::POST, &publish, &vec![json!({}); 4]).await {
            answer.expect(200);
        }
        let published = world.app.log("EF_VERSION").await;
        let lines = published.iter().filter_map(|entry| entry.message.as_deref());
        assert_eq!(lines.filter(|line| line.starts_with("New version published")).count(), 7);
    }

    async fn what_is_due_on_two_nodes_happens_once_and_in_order(app) {
        let (world, other) = two(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let path = format!("/api/v1/environments/{}/scheduled-changes/", world.client);
        let now = Timestamp::now();
        let bodies: Vec<Value> = (0..6)
            .map(|n| json!({"feature": feature, "live_from": now.plus_seconds(60 + n).rest(), "feature_states_to_update": [
                {"enabled": true, "feature_state_value": {"type": "unicode", "string_value": format!("v{n}")}}]}))
            .collect();
        for answer in send_all(&world, &other, Method::POST, &path, &bodies).await {
            answer.expect(201);
        }
        let due = now.plus_seconds(120);
        let nodes = [&world.app.app, &other.app, &world.app.app, &other.app];
        for done in join_all(nodes.map(|node| burgee_app::scheduled_changes::go_live(node, due))).await {
            done.expect("it is carried out");
        }
        let log = world.app.log("FEATURE_STATE").await;
        let live: Vec<&str> = log.iter()
            .filter_map(|entry| entry.message.as_deref())
            .filter(|line| line.contains("went live"))
            .collect();
        assert_eq!(live.len(), 6, "{live:?}");
        let found = world.manage(Method::GET, &format!("/api/v1/environments/{}/featurestates/?feature={feature}", world.client), Value::Null).await;
        assert_eq!(found["results"][0]["feature_state_value"], "v5");
    }

    async fn limits_hold_when_the_last_places_are_asked_for_at_once(app) {
        let (world, other) = two(app).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        world.manage(Method::PATCH, &project, json!({"max_features_allowed": 3, "max_segments_allowed": 3, "max_segment_overrides_allowed": 2})).await;
        let features: Vec<Value> = (0..7).map(|i| json!({"name": format!("f{i}")})).collect();
        let answers = send_all(&world, &other, Method::POST, &format!("{project}features/"), &features).await;
        let found = statuses(&answers);
        assert_eq!((count(&found, 201), count(&found, 400)), (3, 4), "{found:?}");
        let feature = answers.iter().find(|answer| answer.status == 201).map(|answer| id(&answer.body)).unwrap();
        let segments: Vec<Value> = (0..7)
            .map(|i| json!({"name": format!("s{i}"), "project": world.project, "rules": [{"type": "ALL", "rules": [], "conditions": [
                {"property": "a", "operator": "EQUAL", "value": "1"}]}]}))
            .collect();
        let answers = send_all(&world, &other, Method::POST, &format!("{project}segments/"), &segments).await;
        let found = statuses(&answers);
        assert_eq!((count(&found, 201), count(&found, 400)), (3, 4), "{found:?}");
        let overrides: Vec<Value> = answers.iter().filter(|answer| answer.status == 201)
            .map(|answer| json!({"enabled": true, "feature_segment": {"segment": id(&answer.body)}, "feature_state_value": {"type": "unicode", "string_value": "x"}}))
            .collect();
        let path = format!("/api/v1/environments/{}/features/{feature}/create-segment-override/", world.client);
        let found = statuses(&send_all(&world, &other, Method::POST, &path, &overrides).await);
        assert_eq!((count(&found, 201), count(&found, 400)), (2, 1), "{found:?}");
    }

    async fn an_invitation_is_made_and_accepted_once(app) {
        let (world, other) = two(app).await;
        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        let body = json!({"email": "guest@example.com"});
        let found = statuses(&send_all(&world, &other, Method::POST, &path, &vec![body; 4]).await);
        assert_eq!((count(&found, 201), count(&found, 400)), (1, 3), "{found:?}");
        let invites = world.manage(Method::GET, &path, Value::Null).await;
        let link = format!("{path}{}/link/", id(&invites["results"][0]));
        let link = world.manage(Method::GET, &link, Value::Null).await["link"].as_str().unwrap().to_owned();
        let hash = link.rsplit('/').next().unwrap();
        let guest = world.app.sign_up("guest@example.com").await;
        let join = format!("/api/v1/users/join/{hash}/");
        let calls = [&world.app, &other, &world.app, &other].map(|node| node.manage(&guest, Method::POST, &join, None));
        let answers = join_all(calls).await;
        assert!(answers.iter().any(|answer| answer.status == 200));
        assert!(answers.iter().all(|answer| answer.status.as_u16() < 500), "{:?}", statuses(&answers));
        let users = world.manage(Method::GET, &format!("/api/v1/organisations/{}/users/", world.organisation), Value::Null).await;
        let emails: Vec<&str> = users.as_array().unwrap().iter().filter_map(|user| user["email"].as_str()).collect();
        assert_eq!(emails.iter().filter(|email| **email == "guest@example.com").count(), 1);
    }
}
