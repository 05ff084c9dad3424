//! Change requests of environments: from the proposal to what SDKs are served.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::both;
use burgee_testkit::places::id;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::change_request_scene::{act, approve, keys, lines, one, scene};

both! {
    async fn a_request_is_written_approved_and_committed_and_then_sdks_see_it(app) {
        let scene = scene(&app, 1).await;
        let mut body = scene.proposal("New value", "new");
        body["description"] = json!("why");
        body["approvals"] = json!([{"user": scene.reviewer.id}]);
        let made = app.post(&scene.author, &scene.creation(), &body).await.expect(201);
        assert_eq!(keys(&made), [
            "id", "created_at", "updated_at", "title", "description", "feature_states", "deleted_at", "environment",
            "committed_at", "approvals", "user", "committed_by", "group_assignments", "environment_feature_versions",
            "change_sets", "ignore_conflicts",
        ]);
        assert_eq!((&made["user"], &made["environment"]), (&json!(scene.author.id), &json!(scene.world.environment)));
        assert_eq!(keys(&made["feature_states"][0]), [
            "id", "feature", "feature_segment", "enabled", "feature_state_value", "multivariate_feature_state_values",
            "live_from",
        ]);
        assert_eq!(made["approvals"][0]["approved_at"], Value::Null);
        let request = id(&made);
        let found = app.get(&scene.reviewer, &one(request)).await.expect(200);
        assert_eq!(keys(&found), [
            "id", "created_at", "updated_at", "environment", "title", "description", "feature_states", "user",
            "committed_at", "committed_by", "deleted_at", "approvals", "is_approved", "is_committed",
            "group_assignments", "environment_feature_versions", "segments", "change_sets", "conflicts",
            "ignore_conflicts",
        ]);
        assert_eq!((&found["is_approved"], &found["is_committed"]), (&json!(false), &json!(false)));
        let early = app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(400);
        assert_eq!(early, json!({"message": "Change request has not been approved by all required approvers."}));
        assert_eq!(scene.served(&app).await, (false, json!("old")));

        let approved = approve(&app, &scene.reviewer, request).await;
        assert_eq!(approved["is_approved"], true);
        assert!(approved["approvals"][0]["approved_at"].is_string());
        assert_eq!(scene.served(&app).await, (false, json!("old")));
        let committed = app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!((&committed["is_committed"], &committed["committed_by"]), (&json!(true), &json!(scene.author.id)));
        assert_eq!(committed["conflicts"], json!([]));
        assert_eq!(scene.served(&app).await, (true, json!("new")));
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(400);
        app.delete(&scene.author, &one(request)).await.expect(400);
        app.patch(&scene.author, &one(request), &json!({"title": "x"})).await.expect(400);

        assert_eq!(lines(&app).await, [
            "Change Request: New value created", "Change Request: New value approved",
            "Change Request: New value committed",
        ]);
        let log = app.log("FEATURE_STATE").await;
        let line = log.iter().rev().find_map(|entry| entry.message.as_deref()).expect("a line");
        assert!(line.ends_with("updated for feature: f by Change Request: New value"), "{line}");
    }

    async fn a_change_set_changes_makes_and_deletes_overrides_together(app) {
        let scene = scene(&app, 0).await;
        let gold = json!({
            "enabled": true, "feature_segment": {"segment": scene.segment, "priority": 0},
            "feature_state_value": {"type": "unicode", "string_value": "for gold"},
        });
        let default = json!({
            "enabled": true, "feature_segment": null,
            "feature_state_value": {"type": "int", "integer_value": 7},
        });
        let body = json!({
            "title": "Both", "feature_states": [], "change_sets": [{
                "feature": scene.feature, "live_from": null, "feature_states_to_create": [gold],
                "feature_states_to_update": [default], "segment_ids_to_delete_overrides": [],
            }],
        });
        let made = app.post(&scene.author, &scene.creation(), &body).await.expect(201);
        assert_eq!(keys(&made["change_sets"][0]), [
            "id", "feature", "live_from", "feature_states_to_update", "feature_states_to_create",
            "segment_ids_to_delete_overrides",
        ]);
        let made = id(&made);
        // No approval is needed, but somebody has to commit it.
        assert_eq!(scene.served(&app).await, (false, json!("old")));
        let found = app.get(&scene.author, &one(made)).await.expect(200);
        assert_eq!(found["is_approved"], true);
        app.post(&scene.author, &act(made, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!(7)));
        assert_eq!(scene.served_to_gold(&app).await, json!("for gold"));

        let body = json!({
            "title": "Gone", "feature_states": [], "change_sets": [{
                "feature": scene.feature, "feature_states_to_create": [], "feature_states_to_update": [],
                "segment_ids_to_delete_overrides": [scene.segment],
            }],
        });
        let gone = id(&app.post(&scene.author, &scene.creation(), &body).await.expect(201));
        app.post(&scene.author, &act(gone, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served_to_gold(&app).await, json!(7));
    }

    async fn an_edit_takes_back_the_approvals_and_says_so(app) {
        let scene = scene(&app, 1).await;
        let request = scene.propose(&app, "T", "one").await;
        approve(&app, &scene.reviewer, request).await;
        let other = json!({"feature_states": [scene.state("two", Value::Null)]});
        let edited = app.patch(&scene.author, &one(request), &other).await.expect(200);
        assert_eq!(edited["approvals"], json!([]));
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!(found["is_approved"], false);
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(400);
        let said = lines(&app).await;
        assert_eq!(said[2..], ["Change Request: T updated", "Change Request: T approval by reviewer@example.com voided by an edit"]);
        for (field, value) in [("title", json!("U")), ("description", json!("d")), ("ignore_conflicts", json!(true))] {
            assert_eq!(approve(&app, &scene.reviewer, request).await["is_approved"], true);
            app.patch(&scene.author, &one(request), &json!({field: value})).await.expect(200);
            let found = app.get(&scene.author, &one(request)).await.expect(200);
            assert_eq!(found["is_approved"], false, "{field}");
        }
        approve(&app, &scene.reviewer, request).await;
        // Asking somebody else changes nothing of what was approved.
        let asked = json!({"approvals": [{"user": scene.second.id}]});
        app.patch(&scene.author, &one(request), &asked).await.expect(200);
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!(found["is_approved"], true);
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!("two")));
    }

    async fn one_approval_too_few_is_too_few(app) {
        let scene = scene(&app, 2).await;
        let request = scene.propose(&app, "T", "new").await;
        for _ in 0..2 {
            let found = approve(&app, &scene.reviewer, request).await;
            assert_eq!(found["is_approved"], false);
            assert_eq!(found["approvals"].as_array().expect("a list").len(), 1);
        }
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(400);
        let approved = lines(&app).await.iter().filter(|line| line.ends_with("approved")).count();
        assert_eq!(approved, 1);
        assert_eq!(approve(&app, &scene.second, request).await["is_approved"], true);
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!("new")));
    }

    async fn nobody_approves_what_he_wrote_or_edited(app) {
        let scene = scene(&app, 1).await;
        let place = Object::Environment(scene.world.environment);
        app.grant(&scene.author, place, &["APPROVE_CHANGE_REQUEST"]).await;
        let request = scene.propose(&app, "T", "new").await;
        let refused = app.post(&scene.author, &act(request, "approve"), &json!({})).await.expect(400);
        assert_eq!(refused, json!({"message": "User cannot approve their own Change Request."}));
        // The administrator may edit, and is then no pair of fresh eyes either.
        let edit = json!({"feature_states": [scene.state("mine", Value::Null)]});
        app.patch(&scene.world.admin, &one(request), &edit).await.expect(200);
        app.post(&scene.world.admin, &act(request, "approve"), &json!({})).await.expect(400);
        app.post(&scene.world.admin, &act(request, "commit"), &json!({})).await.expect(400);
        approve(&app, &scene.reviewer, request).await;
        app.post(&scene.world.admin, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!("mine")));
    }

    async fn any_member_of_an_asked_group_approves_for_it(app) {
        let scene = scene(&app, 1).await;
        let groups = format!("/api/v1/organisations/{}/groups/", scene.world.organisation);
        let body = json!({"name": "Approvers", "users": []});
        let group = id(&app.post(&scene.world.admin, &groups, &body).await.expect(201));
        let members = json!({"user_ids": [scene.second.id]});
        app.post(&scene.world.admin, &format!("{groups}{group}/add-users/"), &members).await.expect(200);
        let mut body = scene.proposal("T", "new");
        body["group_assignments"] = json!([{"group": group}]);
        let made = app.post(&scene.author, &scene.creation(), &body).await.expect(201);
        assert_eq!(made["group_assignments"], json!([{"group": group}]));
        assert_eq!(approve(&app, &scene.second, id(&made)).await["is_approved"], true);
        body["group_assignments"] = json!([{"group": group}, {"group": 99_999}]);
        let refused = app.post(&scene.author, &scene.creation(), &body).await.expect(400);
        let wrong = json!({"group": ["Invalid pk \"99999\" - object does not exist."]});
        assert_eq!(refused, json!({"group_assignments": [{}, wrong]}));
    }

    async fn permissions_decide_who_sees_writes_approves_and_commits(app) {
        let scene = scene(&app, 1).await;
        let place = Object::Environment(scene.world.environment);
        let (member, stranger) = (&scene.world.member, &scene.world.stranger);
        let request = scene.propose(&app, "T", "new").await;
        for who in [member, stranger] {
            app.post(who, &scene.creation(), &scene.proposal("x", "x")).await.expect(403);
            app.get(who, &scene.list()).await.expect(403);
            app.get(who, &one(request)).await.expect(404);
            app.patch(who, &one(request), &json!({"title": "x"})).await.expect(404);
            app.delete(who, &one(request)).await.expect(404);
            app.post(who, &act(request, "approve"), &json!({})).await.expect(404);
            app.post(who, &act(request, "commit"), &json!({})).await.expect(404);
        }
        app.grant(member, place, &["VIEW_ENVIRONMENT"]).await;
        app.get(member, &scene.list()).await.expect(200);
        app.get(member, &one(request)).await.expect(200);
        app.post(member, &scene.creation(), &scene.proposal("x", "x")).await.expect(403);
        app.patch(member, &one(request), &json!({"title": "x"})).await.expect(403);
        app.delete(member, &one(request)).await.expect(403);
        app.post(member, &act(request, "approve"), &json!({})).await.expect(403);
        app.post(member, &act(request, "commit"), &json!({})).await.expect(403);
        // Making requests of one's own is no right to those of others.
        app.grant(member, place, &["CREATE_CHANGE_REQUEST"]).await;
        let own = id(&app.post(member, &scene.creation(), &scene.proposal("own", "x")).await.expect(201));
        app.patch(member, &one(own), &json!({"title": "mine"})).await.expect(200);
        app.patch(member, &one(request), &json!({"title": "x"})).await.expect(403);
        app.delete(member, &one(request)).await.expect(403);
        app.delete(member, &one(own)).await.expect(204);
        app.get(member, &one(own)).await.expect(404);
        app.post(&scene.reviewer, &act(request, "commit"), &json!({})).await.expect(403);
        approve(&app, &scene.reviewer, request).await;
        app.grant(member, place, &["UPDATE_FEATURE_STATE"]).await;
        app.post(member, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(app.get(&scene.world.admin, &scene.list()).await.expect(200)["count"], 1);
    }

    async fn direct_edits_are_refused_on_every_route_while_approvals_are_on(app) {
        let scene = scene(&app, 0).await;
        scene.require(&app, None).await;
        let (admin, key, feature) = (&scene.world.admin, &scene.world.key, scene.feature);
        let environment = format!("/api/v1/environments/{key}/");
        let gold = json!({
            "enabled": true, "feature_segment": {"segment": scene.segment},
            "feature_state_value": {"type": "unicode", "string_value": "gold"},
        });
        let create = format!("{environment}features/{feature}/create-segment-override/");
        let made = app.post(admin, &create, &gold).await.expect(201);
        let (state, link) = (id(&made), id(&made["feature_segment"]));
        let default = app.get(admin, &format!("{environment}featurestates/?feature={feature}")).await.expect(200);
        let default = id(&default["results"][0]);
        scene.require(&app, Some(0)).await;

        let typed = json!({"type": "unicode", "string_value": "x"});
        let shared = json!({"feature": feature, "environment": scene.world.environment, "enabled": true, "feature_state_value": typed});
        let (plain, named) = (json!({"enabled": true, "feature": feature}), json!({"name": "f"}));
        let linked = json!({"feature": feature, "environment": scene.world.environment, "segment": scene.segment});
        let future = format!("/api/__future__/environments/{key}/features/{feature}/");
        let whole = json!({"environment_default": {"enabled": true, "value": {"type": "string", "value": "x"}}});
        let v1 = json!({"feature": named, "enabled": true, "value": {"type": "string", "value": "x"}});
        let v2 = json!({"feature": named, "environment_default": {"enabled": true, "value": {"type": "string", "value": "x"}}});
        let experiments = format!("/api/experiments/environments/{key}/");
        let gone = json!({"feature": named, "segment": {"id": scene.segment}});
        let routes = [
            (Method::POST, format!("{environment}featurestates/"), plain.clone()),
            (Method::PUT, format!("{environment}featurestates/{default}/"), plain.clone()),
            (Method::PATCH, format!("{environment}featurestates/{default}/"), plain.clone()),
            (Method::DELETE, format!("{environment}featurestates/{default}/"), json!({})),
            (Method::PUT, format!("/api/v1/features/featurestates/{default}/"), shared.clone()),
            (Method::PUT, format!("/api/v1/features/featurestates/{state}/"), shared.clone()),
            (Method::POST, create, gold),
            (Method::POST, "/api/v1/features/feature-segments/".to_owned(), linked.clone()),
            (Method::DELETE, format!("/api/v1/features/feature-segments/{link}/"), json!({})),
            (Method::POST, "/api/v1/features/feature-segments/update-priorities/".to_owned(), json!([{"id": link, "priority": 3}])),
            (Method::POST, format!("{experiments}update-flag-v1/"), v1),
            (Method::POST, format!("{experiments}update-flag-v2/"), v2),
            (Method::POST, format!("{experiments}delete-segment-override/"), gone),
            (Method::PUT, future.clone(), whole.clone()),
            (Method::PATCH, future.clone(), whole),
            (Method::DELETE, format!("{future}segment-overrides/{}/", scene.segment), json!({})),
        ];
        for (method, path, body) in routes {
            let answer = app.by(admin, method.clone(), &path, Some(&body)).await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
            let text = answer.body["detail"].as_str().unwrap_or_default();
            assert!(text.contains("change requests are required"), "{method} {path}: {text}");
        }
        assert_eq!(scene.served(&app).await, (false, json!("old")));
        assert_eq!(scene.served_to_gold(&app).await, json!("gold"));

        // What one identity gets is nobody else's concern.
        let identities = format!("{environment}identities/");
        let identity = id(&app.post(admin, &identities, &json!({"identifier": "me"})).await.expect(201));
        let own = json!({"feature": feature, "enabled": true, "feature_state_value": "mine"});
        app.post(admin, &format!("{identities}{identity}/featurestates/"), &own).await.expect(201);
        scene.require(&app, None).await;
        app.put(admin, &format!("{environment}featurestates/{default}/"), &plain).await.expect(200);
    }

    async fn of_many_who_work_at_once_each_is_heard_once(app) {
        let scene = scene(&app, 2).await;
        let request = scene.propose(&app, "T", "new").await;
        let (path, nothing) = (act(request, "approve"), json!({}));
        let calls = [&scene.reviewer, &scene.second, &scene.reviewer, &scene.second];
        let answers = join_all(calls.map(|who| app.post(who, &path, &nothing))).await;
        for answer in answers {
            answer.expect(200);
        }
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!(found["approvals"].as_array().expect("a list").len(), 2);
        assert_eq!(found["is_approved"], true);
        let path = act(request, "commit");
        let calls = (0..4).map(|_| app.post(&scene.author, &path, &nothing));
        let statuses: Vec<u16> = join_all(calls).await.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 3, "{statuses:?}");
        let committed = lines(&app).await.iter().filter(|line| line.ends_with("committed")).count();
        assert_eq!(committed, 1);
    }

    async fn edits_at_the_same_time_keep_each_others_part(app) {
        let scene = scene(&app, 1).await;
        let request = scene.propose(&app, "T", "new").await;
        let path = one(request);
        let bodies: Vec<Value> = (0..10)
            .map(|i| if i % 2 == 0 { json!({"title": format!("t{i}")}) } else { json!({"description": format!("d{i}")}) })
            .collect();
        for answer in join_all(bodies.iter().map(|body| app.patch(&scene.author, &path, body))).await {
            answer.expect(200);
        }
        let found = app.get(&scene.author, &path).await.expect(200);
        assert!(found["title"].as_str().is_some_and(|title| title.starts_with('t')), "{found}");
        assert!(found["description"].as_str().is_some_and(|text| text.starts_with('d')), "{found}");
        assert_eq!(found["feature_states"].as_array().map(Vec::len), Some(1));
        // An approval and an edit at once: whichever comes first, what was not seen is not approved.
        let (title, nothing, approval) = (json!({"title": "last"}), json!({}), act(request, "approve"));
        let (edit, given) = futures_util::join!(
            app.patch(&scene.author, &path, &title), app.post(&scene.reviewer, &approval, &nothing)
        );
        edit.expect(200);
        let seen = given.expect(200)["title"].clone();
        let found = app.get(&scene.author, &path).await.expect(200);
        assert_eq!(found["is_approved"], json!(seen == "last"));
    }

    async fn what_was_published_meanwhile_is_a_conflict(app) {
        let scene = scene(&app, 0).await;
        let (first, second) = (scene.propose(&app, "A", "a").await, scene.propose(&app, "B", "b").await);
        app.post(&scene.author, &act(first, "commit"), &json!({})).await.expect(200);
        let found = app.get(&scene.author, &one(second)).await.expect(200);
        let conflict = &found["conflicts"][0];
        assert_eq!(keys(conflict), ["original_cr_id", "segment_id", "is_environment_default", "published_at"]);
        assert_eq!((&conflict["original_cr_id"], &conflict["is_environment_default"]), (&json!(first), &json!(true)));
        let refused = app.post(&scene.author, &act(second, "commit"), &json!({})).await.expect(400);
        assert!(refused["message"].as_str().is_some_and(|text| text.contains("ignore_conflicts")), "{refused}");
        assert_eq!(scene.served(&app).await.1, "a");
        app.patch(&scene.author, &one(second), &json!({"ignore_conflicts": true})).await.expect(200);
        app.post(&scene.author, &act(second, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await.1, "b");
        // A direct edit is one as well.
        let third = scene.propose(&app, "C", "c").await;
        scene.require(&app, None).await;
        let states = format!("/api/v1/environments/{}/featurestates/", scene.world.key);
        let state = id(&app.get(&scene.author, &states).await.expect(200)["results"][0]);
        app.put(&scene.author, &format!("{states}{state}/"), &json!({"feature_state_value": "direct"})).await.expect(200);
        let found = app.get(&scene.author, &one(third)).await.expect(200);
        assert_eq!(found["conflicts"][0]["original_cr_id"], Value::Null);
        // Who writes it anew has seen what is there.
        let again = json!({"feature_states": [scene.state("c", Value::Null)]});
        app.patch(&scene.author, &one(third), &again).await.expect(200);
        app.post(&scene.author, &act(third, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await.1, "c");
    }

    async fn lists_are_filtered_and_paged(app) {
        let scene = scene(&app, 1).await;
        let (first, second) = (scene.propose(&app, "Alpha 100%", "a").await, scene.propose(&app, "Beta", "b").await);
        let mut later = scene.proposal("Gamma", "c");
        later["feature_states"] = json!([scene.state("c", json!("2099-01-01T00:00:00Z"))]);
        let third = id(&app.post(&scene.author, &scene.creation(), &later).await.expect(201));
        approve(&app, &scene.reviewer, second).await;
        app.post(&scene.author, &act(second, "commit"), &json!({})).await.expect(200);
        let listed = app.get(&scene.author, &scene.list()).await.expect(200);
        assert_eq!(keys(&listed["results"][0]), [
            "id", "created_at", "updated_at", "title", "description", "user", "committed_at", "committed_by",
            "deleted_at", "live_from", "environment_feature_versions", "ignore_conflicts",
        ]);
        assert_eq!(listed["results"][2]["live_from"], "2099-01-01T00:00:00Z");
        let (feature, segment) = (scene.feature, scene.segment);
        let cases = [
            (String::new(), vec![first, second, third]),
            ("?committed=1".to_owned(), vec![second]),
            ("?committed=false".to_owned(), vec![first, third]),
            ("?search=ALPHA".to_owned(), vec![first]),
            ("?search=100%25".to_owned(), vec![first]),
            ("?search=%25z".to_owned(), vec![]),
            (format!("?feature_id={feature}"), vec![first, second, third]),
            ("?feature_id=99999".to_owned(), vec![]),
            (format!("?segment_id={segment}"), vec![]),
            ("?live_from_after=2098-12-31T00:00:00Z".to_owned(), vec![third]),
            ("?live_from_after=2099-06-01T00:00:00Z".to_owned(), vec![]),
            ("?page_size=2".to_owned(), vec![first, second]),
            ("?page_size=2&page=2".to_owned(), vec![third]),
        ];
        for (query, expected) in cases {
            let listed = app.get(&scene.author, &format!("{}{query}", scene.list())).await.expect(200);
            let found: Vec<i64> = listed["results"].as_array().expect("a list").iter().map(id).collect();
            assert_eq!(found, expected, "{query}");
        }
        for (query, field) in [
            ("?committed=perhaps", "committed"), ("?feature_id=x", "feature_id"), ("?live_from_after=soon", "live_from_after"),
            ("?search=a%00b", "search"),
        ] {
            let refused = app.get(&scene.author, &format!("{}{query}", scene.list())).await.expect(400);
            assert!(refused[field].is_array(), "{query}: {refused}");
        }
    }

    async fn a_wrong_request_is_refused_field_by_field_and_leaves_nothing(app) {
        let scene = scene(&app, 1).await;
        let missing = "This field is required.";
        let refused = app.post(&scene.author, &scene.creation(), &json!({})).await.expect(400);
        assert_eq!(refused, json!({"title": [missing], "feature_states": [missing]}));
        let elsewhere = app.project(&scene.world.admin, scene.world.organisation, "Other").await;
        let foreign = format!("/api/v1/projects/{elsewhere}/features/");
        let foreign = id(&app.post(&scene.world.admin, &foreign, &json!({"name": "g"})).await.expect(201));
        let no_such = |id: i64| json!([format!("Invalid pk \"{id}\" - object does not exist.")]);
        let mut states = json!([scene.state("x", Value::Null), scene.state("x", Value::Null)]);
        states[1]["feature"] = json!(foreign);
        let refused = app.post(&scene.author, &scene.creation(), &json!({"title": "t", "feature_states": states})).await;
        assert_eq!(refused.expect(400), json!({"feature_states": [{}, {"feature": no_such(foreign)}]}));
        states[1] = scene.state("x", Value::Null);
        states[1]["feature_segment"] = json!(4711);
        let refused = app.post(&scene.author, &scene.creation(), &json!({"title": "t", "feature_states": states})).await;
        assert_eq!(refused.expect(400), json!({"feature_states": [{}, {"feature_segment": no_such(4711)}]}));
        let set = json!({
            "feature": scene.feature, "feature_states_to_create": [], "segment_ids_to_delete_overrides": [],
            "feature_states_to_update": [{"enabled": true, "feature_segment": {"segment": 99_999}, "feature_state_value": {}}],
        });
        let body = json!({"title": "t", "feature_states": [], "change_sets": [set]});
        let refused = app.post(&scene.author, &scene.creation(), &body).await.expect(400);
        assert!(refused["change_sets"][0]["feature_states_to_update"][0].is_object(), "{refused}");
        let (stranger, long) = (scene.world.stranger.id, "x".repeat(501));
        let cases = [
            (json!({"title": "", "feature_states": []}), "title"),
            (json!({"title": long, "feature_states": []}), "title"),
            (json!({"title": "t", "feature_states": [], "approvals": [{"user": stranger}]}), "approvals"),
            (json!({"title": "t", "feature_states": [], "environment_feature_versions": ["x"]}), "environment_feature_versions"),
            (json!({"title": "t", "feature_states": "many"}), "feature_states"),
            (json!({"title": "t", "feature_states": [], "ignore_conflicts": "some"}), "ignore_conflicts"),
        ];
        for (body, field) in cases {
            let refused = app.post(&scene.author, &scene.creation(), &body).await.expect(400);
            assert_eq!(keys(&refused), [field], "{body}");
        }
        assert_eq!(app.get(&scene.author, &scene.list()).await.expect(200)["count"], 0);
        assert!(lines(&app).await.is_empty());
    }

    async fn people_comment_on_requests_and_take_back_what_is_theirs(app) {
        let scene = scene(&app, 1).await;
        let request = scene.propose(&app, "T", "new").await;
        let path = act(request, "comments");
        let comment = app.post(&scene.reviewer, &path, &json!({"text": "Why?"})).await.expect(201);
        assert_eq!(keys(&comment), ["id", "user", "text", "created_at", "updated_at"]);
        let mine = format!("{path}{}/", id(&comment));
        app.put(&scene.author, &mine, &json!({"text": "Because"})).await.expect(403);
        app.delete(&scene.author, &mine).await.expect(403);
        assert_eq!(app.put(&scene.reviewer, &mine, &json!({"text": "How?"})).await.expect(200)["text"], "How?");
        app.post(&scene.author, &path, &json!({"text": "So."})).await.expect(201);
        let listed = app.get(&scene.second, &path).await.expect(200);
        let texts: Vec<&str> = listed["results"].as_array().expect("a list").iter().filter_map(|c| c["text"].as_str()).collect();
        assert_eq!(texts, ["How?", "So."]);
        app.post(&scene.author, &path, &json!({"text": " "})).await.expect(400);
        for who in [&scene.world.member, &scene.world.stranger] {
            app.get(who, &path).await.expect(404);
            app.post(who, &path, &json!({"text": "Hi"})).await.expect(404);
        }
        app.delete(&scene.world.admin, &mine).await.expect(204);
        app.delete(&scene.world.admin, &mine).await.expect(404);
        assert_eq!(app.log("CHANGE_REQUEST_COMMENT").await.len(), 4);
    }

    async fn the_environment_counts_what_is_open(app) {
        let scene = scene(&app, 0).await;
        scene.propose(&app, "A", "a").await;
        let gone = scene.propose(&app, "B", "b").await;
        app.delete(&scene.author, &one(gone)).await.expect(204);
        let path = format!("/api/v1/environments/{}/metrics/", scene.world.key);
        let metrics = app.get(&scene.author, &path).await.expect(200)["metrics"].clone();
        let value = |name: &str| {
            let found = metrics.as_array()?.iter().find(|metric| metric["name"] == name)?;
            found["value"].as_i64()
        };
        assert_eq!((value("open_change_requests"), value("total_scheduled_changes")), (Some(1), Some(0)));
    }

    async fn a_request_is_written_anew_and_must_be_approved_again(app) {
        let scene = scene(&app, 1).await;
        let request = scene.propose(&app, "T", "new").await;
        approve(&app, &scene.reviewer, request).await;
        let body = scene.proposal("Other", "newer");
        let written = app.put(&scene.author, &one(request), &body).await.expect(200);
        assert_eq!((&written["id"], &written["title"]), (&json!(request), &json!("Other")));
        assert_eq!(written["feature_states"][0]["feature_state_value"]["string_value"], "newer");
        let found = app.get(&scene.author, &one(request)).await.expect(200);
        assert_eq!((&found["title"], &found["is_approved"]), (&json!("Other"), &json!(false)));
        let missing = app.put(&scene.author, &one(request), &json!({})).await.expect(400);
        assert_eq!(missing, json!({"title": ["This field is required."], "feature_states": ["This field is required."]}));
        app.put(&scene.second, &one(request), &body).await.expect(403);
        for who in [&scene.world.member, &scene.world.stranger] {
            app.put(who, &one(request), &body).await.expect(404);
        }
        approve(&app, &scene.second, request).await;
        app.post(&scene.author, &act(request, "commit"), &json!({})).await.expect(200);
        assert_eq!(scene.served(&app).await, (true, json!("newer")));
    }

}
