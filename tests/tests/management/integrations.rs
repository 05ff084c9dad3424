//! Integrations: what is set, examples, what came of deliveries, and what is asked.

use std::time::Duration;

use burgee_app::integrations;
use burgee_store::grants::Object;
use burgee_testkit::{both, id};
use serde_json::json;

use super::integration_scene::{LOG, feature, identify, keys, of_environment, of_project, reaching, toggle};

both! {
    async fn every_integration_is_set_up_shown_changed_and_ended_the_same_way(app) {
        let world = app.world().await;
        let address = "http://93.184.216.34/base";
        let other = "https://events.eu1.segmentapis.com/";
        let organisation = format!("/api/v1/organisations/{}/integrations/grafana/", world.organisation);
        for (path, body, fields) in [
            (of_project(&world, "datadog"), json!({"base_url": address, "api_key": "hush"}), vec!["base_url", "api_key", "use_custom_source"]),
            (of_project(&world, "new-relic"), json!({"base_url": null, "api_key": "hush", "app_id": "7"}), vec!["base_url", "api_key", "app_id"]),
            (of_project(&world, "grafana"), json!({"base_url": address, "api_key": "hush"}), vec!["base_url", "api_key"]),
            (organisation, json!({"base_url": address, "api_key": "hush"}), vec!["base_url", "api_key"]),
            (of_environment(&world, "dynatrace"), json!({"base_url": address, "api_key": "hush", "entity_selector": "type(x)"}), vec!["base_url", "api_key", "entity_selector"]),
            (of_environment(&world, "sentry"), json!({"webhook_url": address, "secret": "hush-hush-hush"}), vec!["environment", "webhook_url", "secret"]),
            (of_environment(&world, "amplitude"), json!({"api_key": "hush"}), vec!["api_key", "base_url"]),
            (of_environment(&world, "heap"), json!({"api_key": "hush"}), vec!["api_key", "base_url"]),
            (of_environment(&world, "mixpanel"), json!({"api_key": "hush"}), vec!["api_key", "base_url"]),
            (of_environment(&world, "segment"), json!({"api_key": "hush", "base_url": other}), vec!["api_key", "base_url"]),
            (of_environment(&world, "rudderstack"), json!({"api_key": "hush", "base_url": address}), vec!["base_url", "api_key"]),
            (of_environment(&world, "webhook"), json!({"url": address, "secret": "hush"}), vec!["url", "secret"]),
            (of_project(&world, "gitlab"), json!({"gitlab_instance_url": address, "access_token": "hush"}), vec!["gitlab_instance_url", "access_token", "labeling_enabled"]),
        ] {
            assert_eq!(app.get(&world.admin, &path).await.expect(200), json!([]), "{path}");
            let made = app.post(&world.admin, &path, &body).await.expect(201);
            let mut expected = vec!["id"];
            expected.extend(fields);
            assert_eq!(keys(&made), expected, "{path}");
            assert!(!made.to_string().contains("hush"), "{path} tells its secret");
            let again = app.post(&world.admin, &path, &body).await.expect(400);
            assert!(again[0].as_str().is_some_and(|text| text.starts_with("This integration already exists for this ")), "{again}");
            let one = format!("{path}{}/", id(&made));
            assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
            // What was shown may be given back as it is.
            assert_eq!(app.put(&world.admin, &one, &made).await.expect(200), made, "{path}");
            assert_eq!(app.patch(&world.admin, &one, &json!({})).await.expect(200), made, "{path}");
            assert_eq!(app.get(&world.admin, &path).await.expect(200), json!([made]));
            app.delete(&world.admin, &one).await.expect(204);
            app.get(&world.admin, &one).await.expect(404);
        }
        let log = app.log("INTEGRATION").await;
        assert_eq!(log.len(), 52);
        assert!(!format!("{log:?}").contains("hush"));
        let mut tx = app.app.db().read().await.expect("a transaction");
        assert_eq!(burgee_store::seeds::tables_with(&mut tx, "hush").await.expect("a search"), Vec::<String>::new());
        assert_eq!(integrations::ALL.len(), 13, "a new one belongs into this story");
    }

    async fn an_example_is_sent_and_what_came_of_it_is_listed(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let base = |name: &str| format!("{}/{name}", receiver.url);
        let organisation = format!("/api/v1/organisations/{}/integrations/grafana/", world.organisation);
        for (path, body) in [
            (of_project(&world, "datadog"), json!({"base_url": base("datadog"), "api_key": "k"})),
            (of_project(&world, "new-relic"), json!({"base_url": base("new-relic"), "api_key": "k", "app_id": "7"})),
            (of_project(&world, "grafana"), json!({"base_url": base("grafana"), "api_key": "k"})),
            (organisation, json!({"base_url": base("grafana"), "api_key": "k"})),
            (of_environment(&world, "dynatrace"), json!({"base_url": base("dynatrace"), "api_key": "k", "entity_selector": "type(x)"})),
            (of_environment(&world, "sentry"), json!({"webhook_url": base("sentry"), "secret": "0123456789"})),
            (of_environment(&world, "amplitude"), json!({"api_key": "k", "base_url": base("amplitude")})),
            (of_environment(&world, "heap"), json!({"api_key": "k", "base_url": base("heap")})),
            (of_environment(&world, "mixpanel"), json!({"api_key": "k", "base_url": base("mixpanel")})),
            (of_environment(&world, "rudderstack"), json!({"base_url": base("rudderstack"), "api_key": "k"})),
            (of_environment(&world, "webhook"), json!({"url": base("webhook"), "secret": "k"})),
        ] {
            let one = format!("{path}{}/", id(&app.post(&world.admin, &path, &body).await.expect(201)));
            assert_eq!(app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200), json!([]));
            let sent = app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(200);
            let outcome = json!([sent["event"], sent["delivered"], sent["response_status"], sent["error"]]);
            assert_eq!(outcome, json!(["An example", true, 200, null]), "{path}");
            let at = receiver.received()[0].path.split('?').next().unwrap_or_default().to_owned();
            assert_eq!(receiver.take(&at).len(), 1, "{path}");
            receiver.answer(&at, 403, json!({"why": "no such key"}));
            let refused = app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(200);
            let outcome = json!([refused["delivered"], refused["response_status"], refused["response_body"], refused["error"]]);
            assert_eq!(outcome, json!([false, 403, r#"{"why":"no such key"}"#, "answered 403"]), "{path}");
            assert_eq!(app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200), json!([refused, sent]), "{path}");
            for person in [&world.member, &world.stranger] {
                app.post(person, &format!("{one}test/"), &json!({})).await.expect(403);
                app.get(person, &format!("{one}deliveries/")).await.expect(403);
            }
            receiver.take("");
            receiver.answer(&at, 200, json!({}));
        }
        let path = of_environment(&world, "grafana");
        let one = format!("{path}{}/", id(&app.get(&world.admin, &path).await.expect(200)[0]));
        app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(200);
        assert_eq!(app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200).as_array().map(Vec::len), Some(3));
    }

    async fn what_changes_and_identities_came_to_is_listed_too_and_only_the_newest_is_kept(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        let sentry = json!({"webhook_url": format!("{}/sentry", receiver.url), "secret": "0123456789"});
        let path = of_environment(&world, "sentry");
        let sentry = format!("{path}{}/deliveries/", id(&app.post(&world.admin, &path, &sentry).await.expect(201)));
        receiver.answer_once("/sentry", 500, json!({}));
        toggle(&app, &world, &receiver, &state).await;
        let listed = app.get(&world.admin, &sentry).await.expect(200);
        let told = json!([listed[0]["event"], listed[0]["delivered"], listed[0]["response_status"]]);
        assert_eq!(told, json!([LOG, false, 500]), "{listed}");
        let heap = json!({"api_key": "k", "base_url": format!("{}/heap", receiver.url)});
        let path = of_environment(&world, "heap");
        let one = format!("{path}{}/", id(&app.post(&world.admin, &path, &heap).await.expect(201)));
        for name in ["ada", "bob"] {
            identify(&app, &world, &json!({"identifier": name})).await.expect(200);
        }
        burgee_app::integrations::identities::flush(&app.app).await;
        receiver.wait_for(3).await;
        let mut listed = json!([]);
        for _ in 0..200 {
            listed = app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200);
            if listed != json!([]) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "once a minute, however many are told");
        assert_eq!(listed[0]["delivered"], true);
        assert!(listed[0]["event"].as_str().is_some_and(|event| event.ends_with(" identities")), "{listed}");
        for _ in 0..55 {
            app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(200);
        }
        let listed = app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200);
        assert_eq!(listed.as_array().map(Vec::len), Some(50));
    }

    async fn grafana_is_set_up_below_an_environment_as_well(app) {
        let world = app.world().await;
        let path = of_environment(&world, "grafana");
        assert_eq!(app.get(&world.admin, &path).await.expect(200), json!([]));
        let body = json!({"base_url": "http://93.184.216.34/base", "api_key": "hush"});
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        let one = format!("{path}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        assert_eq!(app.put(&world.admin, &one, &made).await.expect(200), made);
        let moved = app.patch(&world.admin, &one, &json!({"base_url": "http://93.184.216.34/other", "api_key": "hush"})).await.expect(200);
        assert_eq!(moved["base_url"], "http://93.184.216.34/other");
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
    }

    async fn what_is_wrong_with_an_integration_is_told_by_field(app) {
        let world = app.world().await;
        for (path, body, wrong) in [
            (of_project(&world, "datadog"), json!({}), json!({"base_url": ["This field is required."], "api_key": ["This field is required."]})),
            (of_project(&world, "datadog"), json!({"base_url": "nope", "api_key": ""}), json!({"base_url": ["Enter a valid URL."], "api_key": ["This field may not be blank."]})),
            (of_project(&world, "datadog"), json!({"base_url": "http://10.0.0.1/", "api_key": "k"}), json!({"base_url": ["URLs must not target internal or private network addresses."]})),
            (of_project(&world, "new-relic"), json!({"api_key": "k", "app_id": "7".repeat(101)}), json!({"app_id": ["Ensure this field has no more than 100 characters."]})),
            (of_environment(&world, "sentry"), json!({"webhook_url": "http://93.184.216.34/", "secret": "short"}), json!({"secret": ["Ensure this field has at least 10 characters."]})),
            (of_environment(&world, "segment"), json!({"api_key": "k", "base_url": "https://example.com/"}), json!({"base_url": ["\"https://example.com/\" is not a valid choice."]})),
            (of_environment(&world, "slack"), json!({"channel_id": "C1"}), json!(["Slack api token not found. Please generate the token using oauth"])),
        ] {
            assert_eq!(app.post(&world.admin, &path, &body).await.expect(400), wrong, "{path} {body}");
        }
    }

    async fn integrations_are_set_by_administrators_and_seen_by_viewers(app) {
        let world = app.world().await;
        let (project, environment) = (of_project(&world, "datadog"), of_environment(&world, "heap"));
        let body = json!({"base_url": "http://93.184.216.34/", "api_key": "k"});
        let (one, other) = (
            id(&app.post(&world.admin, &project, &body).await.expect(201)),
            id(&app.post(&world.admin, &environment, &body).await.expect(201)),
        );
        for path in [&project, &environment] {
            app.get(&world.member, path).await.expect(403);
            app.get(&world.stranger, path).await.expect(403);
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        for path in [&project, &environment] {
            app.get(&world.member, path).await.expect(200);
            app.post(&world.member, path, &body).await.expect(403);
        }
        for path in [format!("{project}{one}/"), format!("{environment}{other}/")] {
            for person in [&world.member, &world.stranger] {
                app.patch(person, &path, &json!({"api_key": "x"})).await.expect(403);
                app.delete(person, &path).await.expect(403);
            }
        }
        app.delete(&world.admin, &format!("{environment}{one}/")).await.expect(404);
        let organisation = format!("/api/v1/organisations/{}/integrations/grafana/", world.organisation);
        app.get(&world.member, &organisation).await.expect(403);
    }

    async fn gitlab_is_asked_for_what_can_be_linked_to_features(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let base = format!("/api/v1/projects/{}/gitlab/", world.project);
        app.get(&world.admin, &format!("{base}projects/")).await.expect(400);
        let body = json!({"gitlab_instance_url": format!("{}/lab/", receiver.url), "access_token": "glpat"});
        app.post(&world.admin, &of_project(&world, "gitlab"), &body).await.expect(201);
        let projects = json!([{"id": 7, "name": "Shop", "path_with_namespace": "acme/shop", "description": "more"}]);
        receiver.answer("/lab/api/v4/projects", 200, projects);
        let listed = app.get(&world.admin, &format!("{base}projects/?search_text=sh")).await.expect(200);
        assert_eq!(listed["results"], json!([{"id": 7, "name": "Shop", "path_with_namespace": "acme/shop"}]));
        let asked = receiver.take("/lab/api/v4/projects");
        assert_eq!(asked[0].path, "/lab/api/v4/projects?page=1&per_page=100&search=sh&membership=true&simple=true");
        assert_eq!(asked[0].header("private-token"), Some("glpat"));

        let issue = json!({"web_url": "https://gitlab.example/1", "id": 70, "iid": 1, "title": "Bug", "state": "opened", "labels": []});
        receiver.answer("/lab/api/v4/projects/7/issues", 200, json!([issue]));
        let listed = app.get(&world.admin, &format!("{base}issues/?gitlab_project_id=7&page_size=5")).await.expect(200);
        assert_eq!(keys(&listed["results"][0]), ["web_url", "id", "title", "iid", "state"]);
        assert_eq!(receiver.take("/lab/api/v4/projects/7/issues")[0].path, "/lab/api/v4/projects/7/issues?page=1&per_page=5&scope=all&state=opened");
        let merge = json!({"web_url": "https://gitlab.example/2", "id": 71, "iid": 2, "title": "Fix", "state": "merged", "draft": false});
        receiver.answer("/lab/api/v4/projects/7/merge_requests", 200, json!([merge]));
        let listed = app.get(&world.admin, &format!("{base}merge-requests/?gitlab_project_id=7&state=merged")).await.expect(200);
        assert_eq!((&listed["results"][0]["merged"], &listed["results"][0]["draft"]), (&json!(true), &json!(false)));

        app.get(&world.admin, &format!("{base}issues/")).await.expect(400);
        app.get(&world.admin, &format!("{base}issues/?gitlab_project_id=7&state=odd")).await.expect(400);
        receiver.answer("/lab/api/v4/projects", 401, json!({"message": "401 Unauthorized"}));
        let refused = app.get(&world.admin, &format!("{base}projects/")).await.expect(502);
        assert_eq!(refused, json!({"message": "GitLab does not take the access token."}));
        for person in [&world.member, &world.stranger] {
            app.get(person, &format!("{base}projects/")).await.expect(403);
        }
    }
}
