//! Change requests that go live at their time, those of environments with versions, and the mails about them.

use axum::http::Method;
use burgee_app::scheduled_changes::go_live;
use burgee_app::{Settings, mail};
use burgee_model::Timestamp;
use burgee_store::grants::Object;
use burgee_testkit::mailbox::Mailbox;
use burgee_testkit::places::id;
use burgee_testkit::{TestApp, both};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::change_request_scene::{Scene, act, approve, keys, lines, one, scene};

/// So many seconds from now, as a moment and as the wire writes it.
fn later(seconds: i64) -> (Timestamp, String) {
    let at = Timestamp::now().plus_seconds(seconds);
    (at, at.rest())
}

/// A request, committed, to give everybody a value at its time.
async fn committed(app: &TestApp, scene: &Scene, title: &str, value: &str, at: &str) -> i64 {
    let body = json!({"title": title, "feature_states": [scene.state(value, json!(at))]});
    let request = id(&app
        .post(&scene.author, &scene.creation(), &body)
        .await
        .expect(201));
    let done = app
        .post(&scene.author, &act(request, "commit"), &json!({}))
        .await
        .expect(200);
    assert_eq!(done["is_committed"], true);
    request
}

async fn versioned(app: &TestApp, scene: &Scene) {
    let path = format!("/api/v1/environments/{}/enable-v2-versioning/", scene.world.key);
    app.post(&scene.world.admin, &path, &json!({})).await.expect(202);
}

fn versions(scene: &Scene) -> String {
    format!(
        "/api/v1/environments/{}/features/{}/versions/",
        scene.world.environment, scene.feature
    )
}

/// A draft that gives everybody a value.
async fn draft(app: &TestApp, scene: &Scene, value: &str, live_from: Value) -> String {
    let state = json!({
        "enabled": true, "feature_segment": null, "feature_state_value": {"type": "unicode", "string_value": value},
    });
    let body = json!({"feature_states_to_update": [state], "live_from": live_from});
    let made = app.post(&scene.author, &versions(scene), &body).await.expect(201);
    made["uuid"].as_str().expect("a uuid").to_owned()
}

both! {
    async fn what_is_committed_for_later_goes_live_then_and_once(app) {
        let scene = scene(&app, 0).await;
        let (at, text) = later(3600);
        let request = committed(&app, &scene, "Later", "new", &text).await;
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!((&found["is_committed"], &found["conflicts"]), (&json!(true), &json!([])));
        let metrics = format!("/api/v1/environments/{}/metrics/", scene.world.key);
        let metrics = app.get(&scene.author, &metrics).await.expect(200);
        assert_eq!(metrics["metrics"][5]["value"], 1);
        go_live(&app.app, at.plus_seconds(-1)).await.expect("nothing is due");
        assert_eq!(scene.served(&app).await, (false, json!("old")));
        // Long after, as if no node had been up, and on several nodes at once.
        let other = app.second_node().await;
        let late = at.plus_seconds(86_400);
        for done in join_all(vec![go_live(&app.app, late), go_live(&other.app, late), go_live(&app.app, late)]).await {
            done.expect("goes live");
        }
        assert!(scene.served_soon(&app, &json!("new")).await);
        let log = app.log("FEATURE_STATE").await;
        let line = "Scheduled change to Flag state / Remote config value went live for feature: f by Change Request: Later";
        assert_eq!(log.iter().filter(|entry| entry.message.as_deref() == Some(line)).count(), 1);
        app.delete(&scene.author, &one(request)).await.expect(400);
    }

    async fn what_is_committed_for_later_can_be_called_off_until_then(app) {
        let scene = scene(&app, 0).await;
        let (at, text) = later(3600);
        let request = committed(&app, &scene, "Later", "new", &text).await;
        app.delete(&scene.reviewer, &one(request)).await.expect(403);
        app.delete(&scene.author, &one(request)).await.expect(204);
        app.get(&scene.author, &one(request)).await.expect(404);
        go_live(&app.app, at.plus_seconds(60)).await.expect("nothing is left");
        assert_eq!(scene.served(&app).await, (false, json!("old")));
        assert_eq!(lines(&app).await.last().map(String::as_str), Some("Change Request: Later deleted"));
    }

    async fn what_was_overtaken_is_dropped_unless_it_may_overwrite(app) {
        let scene = scene(&app, 0).await;
        let (at, text) = later(3600);
        let dropped = committed(&app, &scene, "Dropped", "dropped", &text).await;
        let mut body = json!({"title": "Kept", "feature_states": [scene.state("kept", json!(text))]});
        body["ignore_conflicts"] = json!(true);
        let kept = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
        let now = scene.propose(&app, "Now", "now").await;
        app.post(&scene.author, &act(now, "commit"), &json!({})).await.expect(200);
        let found = app.get(&scene.author, &one(dropped)).await.expect(200);
        assert_eq!(found["conflicts"][0]["original_cr_id"], now);
        go_live(&app.app, at).await.expect("goes live");
        assert_eq!(scene.served(&app).await.1, "now");
        let log = app.log("SCHEDULED_CHANGE").await;
        let last = log.last().and_then(|entry| entry.message.clone()).expect("a line");
        assert!(last.contains("was dropped for feature: f"), "{last}");
        app.post(&scene.author, &act(kept, "commit"), &json!({})).await.expect(200);
        go_live(&app.app, at).await.expect("goes live");
        assert_eq!(scene.served(&app).await.1, "kept");
    }

    async fn one_request_turns_a_flag_on_and_off_again(app) {
        let scene = scene(&app, 1).await;
        let ((on, on_text), (off, off_text)) = (later(3600), later(7200));
        let mut states = json!([scene.state("sale", json!(on_text)), scene.state("over", json!(off_text))]);
        states[1]["enabled"] = json!(false);
        let body = json!({"title": "Sale", "feature_states": states});
        let request = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
        approve(&app, &scene.reviewer, request).await;
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        go_live(&app.app, on).await.expect("goes live");
        assert_eq!(scene.served(&app).await, (true, json!("sale")));
        go_live(&app.app, off).await.expect("goes live");
        assert_eq!(scene.served(&app).await, (false, json!("over")));
    }

    async fn a_change_set_becomes_a_version_where_there_are_versions(app) {
        let scene = scene(&app, 1).await;
        versioned(&app, &scene).await;
        let gold = json!({
            "enabled": true, "feature_segment": {"segment": scene.segment, "priority": 0},
            "feature_state_value": {"type": "unicode", "string_value": "for gold"},
        });
        let set = json!({
            "feature": scene.feature, "feature_states_to_create": [gold], "feature_states_to_update": [{
                "enabled": true, "feature_segment": null, "feature_state_value": {"type": "unicode", "string_value": "new"},
            }], "segment_ids_to_delete_overrides": [],
        });
        let body = json!({"title": "T", "feature_states": [], "change_sets": [set]});
        let request = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
        approve(&app, &scene.reviewer, request).await;
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!("new")));
        assert_eq!(scene.served_to_gold(&app).await, "for gold");
        let listed = app.get(&scene.author, &versions(&scene)).await.expect(200);
        assert_eq!(listed["count"], 2);
        assert_eq!(listed["results"][0]["published_by"], scene.author.id);
    }

    async fn a_draft_is_approved_as_it_is_and_published_by_the_request(app) {
        let scene = scene(&app, 1).await;
        versioned(&app, &scene).await;
        let uuid = draft(&app, &scene, "new", Value::Null).await;
        let path = format!("{}{uuid}/", versions(&scene));
        // Nobody publishes it past those who have to approve.
        app.post(&scene.author, &format!("{path}publish/"), &json!({})).await.expect(403);
        let direct = json!({"publish_immediately": true, "feature_states_to_update": []});
        app.post(&scene.author, &versions(&scene), &direct).await.expect(403);
        let body = json!({"title": "T", "feature_states": [], "environment_feature_versions": [uuid]});
        let made = app.post(&scene.author, &scene.creation(), &body).await.expect(201);
        assert_eq!(made["environment_feature_versions"], json!([uuid]));
        let request = id(&made);
        let found = approve(&app, &scene.reviewer, request).await;
        let version = &found["environment_feature_versions"][0];
        assert_eq!(keys(version), ["uuid", "feature_states", "live_from"]);
        assert_eq!(version["feature_states"][0]["feature_state_value"]["string_value"], "new");
        assert_eq!(found["is_approved"], true);
        let listed = app.get(&scene.author, &scene.list()).await.expect(200);
        assert_eq!(listed["results"][0]["environment_feature_versions"], json!([uuid]));

        // What the draft says is what was approved, and only its author may change it now.
        let state = version["feature_states"][0]["id"].clone();
        let edit = json!({"enabled": true, "feature_state_value": {"type": "unicode", "string_value": "other"}});
        let states = format!("{path}featurestates/{state}/");
        app.put(&scene.world.admin, &states, &edit).await.expect(403);
        app.put(&scene.author, &states, &edit).await.expect(200);
        app.delete(&scene.author, &path).await.expect(400);
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!((&found["is_approved"], &found["approvals"][0]["approved_at"]), (&json!(false), &Value::Null));
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(400);
        approve(&app, &scene.reviewer, request).await;
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!("other")));
        let live = app.get(&scene.author, &format!("{}?is_live=true", versions(&scene))).await.expect(200);
        assert_eq!(live["results"][0]["uuid"], uuid.as_str());
    }

    async fn a_draft_for_later_waits_and_can_be_called_off(app) {
        let scene = scene(&app, 0).await;
        versioned(&app, &scene).await;
        let (at, text) = later(3600);
        let mut requests = Vec::new();
        for value in ["gone", "new"] {
            let uuid = draft(&app, &scene, value, json!(text)).await;
            let body = json!({"title": value, "feature_states": [], "environment_feature_versions": [uuid]});
            let request = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
            app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
            requests.push(request);
        }
        assert_eq!(scene.served(&app).await, (false, json!("old")));
        app.delete(&scene.author, &one(requests[0])).await.expect(204);
        go_live(&app.app, at).await.expect("goes live");
        assert_eq!(scene.served(&app).await, (true, json!("new")));
    }

    async fn a_draft_conflicts_with_what_was_published_after_it(app) {
        let scene = scene(&app, 0).await;
        versioned(&app, &scene).await;
        let uuid = draft(&app, &scene, "new", Value::Null).await;
        let body = json!({"title": "T", "feature_states": [], "environment_feature_versions": [uuid]});
        let request = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
        let twice = app.post(&scene.author, &scene.creation(), &body).await.expect(400);
        assert_eq!(keys(&twice), ["environment_feature_versions"]);
        let gold = json!({
            "enabled": true, "feature_segment": {"segment": scene.segment},
            "feature_state_value": {"type": "unicode", "string_value": "gold"},
        });
        let set = json!({
            "feature": scene.feature, "feature_states_to_create": [gold], "feature_states_to_update": [],
            "segment_ids_to_delete_overrides": [],
        });
        let other = json!({"title": "Other", "feature_states": [], "change_sets": [set]});
        let other = id(&app.post(&scene.author, &scene.creation(), &other).await.expect(201));
        app.post(&scene.author, &act(other, "commit"), &json!({})).await.expect(200);
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!(found["conflicts"][0]["segment_id"], scene.segment);
        assert_eq!(found["conflicts"][0]["original_cr_id"], other);
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(400);
        assert_eq!(scene.served_to_gold(&app).await, "gold");
    }

    async fn scheduling_past_the_approvals_is_refused(app) {
        let scene = scene(&app, 1).await;
        let (_, text) = later(3600);
        let path = format!("/api/v1/environments/{}/scheduled-changes/", scene.world.key);
        let set = json!({
            "feature": scene.feature, "live_from": text,
            "feature_states_to_update": [{"enabled": true, "feature_state_value": {"type": "int", "integer_value": 1}}],
        });
        app.post(&scene.world.admin, &path, &set).await.expect(403);
    }

    async fn reviewers_and_the_author_are_told_by_mail(app) {
        let mailbox = Mailbox::start().await;
        let mut settings = Settings::default();
        settings.outbound.mail = Some(mailbox.settings());
        let app = app.node_with(settings).await;
        let scene = scene(&app, 1).await;
        let groups = format!("/api/v1/organisations/{}/groups/", scene.world.organisation);
        let group = id(&app.post(&scene.world.admin, &groups, &json!({"name": "G", "users": []})).await.expect(201));
        let users = json!({"user_ids": [scene.second.id, scene.author.id, scene.reviewer.id]});
        app.post(&scene.world.admin, &format!("{groups}{group}/add-users/"), &users).await.expect(200);
        let mut body = scene.proposal("Ship it", "new");
        body["approvals"] = json!([{"user": scene.reviewer.id}]);
        body["group_assignments"] = json!([{"group": group}]);
        let request = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
        mail::deliver(&app.app).await.expect("a delivery");
        let mut told: Vec<String> = mailbox.received().into_iter().map(|mail| mail.to).collect();
        told.sort();
        assert_eq!(told, ["reviewer@example.com", "second@example.com"], "each once, and not the author");
        let link = mailbox.received()[0].link("/change-requests/");
        assert!(link.ends_with(&format!("/environment/{}/change-requests/{request}", scene.world.key)), "{link}");
        approve(&app, &scene.reviewer, request).await;
        approve(&app, &scene.reviewer, request).await;
        mail::deliver(&app.app).await.expect("a delivery");
        let all = mailbox.received();
        assert_eq!((all.len(), all[2].to.as_str()), (3, "author@example.com"));
        assert_eq!(all[2].header("subject"), Some("Approved: Ship it"));
    }

    async fn rights_limited_to_tags_reach_as_far_as_the_tags(app) {
        let scene = scene(&app, 1).await;
        let (admin, organisation) = (&scene.world.admin, scene.world.organisation);
        let tags = format!("/api/v1/projects/{}/tags/", scene.world.project);
        let tag = id(&app.post(admin, &tags, &json!({"label": "mine", "color": "#123"})).await.expect(201));
        let roles = format!("/api/v1/organisations/{organisation}/roles/");
        let role = id(&app.post(admin, &roles, &json!({"name": "tagged"})).await.expect(201));
        let grant = json!({
            "environment": scene.world.environment, "admin": false,
            "permissions": [
                {"permission_key": "CREATE_CHANGE_REQUEST", "tags": [tag]},
                {"permission_key": "APPROVE_CHANGE_REQUEST", "tags": [tag]},
            ],
        });
        app.post(admin, &format!("{roles}{role}/environments-permissions/"), &grant).await.expect(201);
        let member = &scene.world.member;
        app.post(admin, &format!("{roles}{role}/users/"), &json!({"user": member.id})).await.expect(201);
        app.grant(member, Object::Environment(scene.world.environment), &["VIEW_ENVIRONMENT"]).await;
        let request = scene.propose(&app, "T", "new").await;
        app.post(member, &scene.creation(), &scene.proposal("x", "x")).await.expect(403);
        app.post(member, &act(request, "approve"), &json!({})).await.expect(403);
        let feature = format!("/api/v1/projects/{}/features/{}/", scene.world.project, scene.feature);
        app.by(admin, Method::PATCH, &feature, Some(&json!({"tags": [tag]}))).await.expect(200);
        app.post(member, &scene.creation(), &scene.proposal("x", "x")).await.expect(201);
        app.post(member, &act(request, "approve"), &json!({})).await.expect(200);
    }
}
