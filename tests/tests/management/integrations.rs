//! Integrations: what is set, what services are sent, each held to what its API takes.

use std::io::Read as _;
use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_app::integrations::{self, identities};
use burgee_app::{deliveries, tasks};
use burgee_auth::signatures;
use burgee_store::grants::Object;
use burgee_testkit::places::World;
use burgee_testkit::receiver::{Received, Receiver};
use burgee_testkit::{Answer, TestApp, both, id};
use burgee_worker::queue;
use serde_json::{Value, json};

async fn reaching(app: &TestApp) -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    (app.node_with(Receiver::settings()).await, receiver)
}

async fn settle(app: &TestApp) {
    deliveries::read_on(&app.app).await.expect("the log is read");
    queue::run_due(&app.app, queue::KINDS)
        .await
        .expect("tasks are done");
}

fn of_project(world: &World, name: &str) -> String {
    format!("/api/v1/projects/{}/integrations/{name}/", world.project)
}

fn of_environment(world: &World, name: &str) -> String {
    format!("/api/v1/environments/{}/integrations/{name}/", world.key)
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// A feature, which the log then has been read for, and the path of its state.
async fn feature(app: &TestApp, world: &World, name: &str) -> (i64, String) {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    let body = json!({"name": name, "initial_value": "old"});
    let feature = id(&app.post(&world.admin, &path, &body).await.expect(201));
    settle(app).await;
    let states = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{states}?feature={feature}"))
        .await
        .expect(200);
    (feature, format!("{states}{}/", id(&found["results"][0])))
}

/// Toggles a flag and returns what was received because of it.
async fn toggle(app: &TestApp, world: &World, receiver: &Receiver, state: &str) -> Vec<Received> {
    settle(app).await;
    receiver.take("");
    app.put(&world.admin, state, &json!({"enabled": true}))
        .await
        .expect(200);
    assert!(
        receiver.received().is_empty(),
        "nothing is sent within the request"
    );
    settle(app).await;
    receiver.received()
}

async fn identify(app: &TestApp, world: &World, body: &Value) -> Answer {
    app.call(
        Method::POST,
        "/api/v1/identities/",
        &[("x-environment-key", &world.key)],
        Some(body),
    )
    .await
}

const LOG: &str = "Flag state updated for feature: checkout";

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

    async fn datadog_is_sent_an_event_for_each_change_of_the_project(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        let body = json!({"base_url": format!("{}/", receiver.url), "api_key": "k&y", "use_custom_source": true});
        app.post(&world.admin, &of_project(&world, "datadog"), &body).await.expect(201);
        let received = toggle(&app, &world, &receiver, &state).await;
        assert_eq!(received.len(), 1);
        assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", "/api/v1/events?api_key=k%26y"));
        assert_eq!(received[0].json(), json!({
            "text": format!("{LOG} by user admin@example.com"), "title": "Flagsmith Feature Flag Event",
            "tags": ["env:Development"], "source_type_name": "flagsmith",
        }));
        receiver.take("");
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        let rules = json!([{"type": "ALL", "conditions": [{"property": "a", "operator": "EQUAL", "value": "1"}], "rules": []}]);
        app.post(&world.admin, &segments, &json!({"name": "pros", "rules": rules})).await.expect(201);
        settle(&app).await;
        let body = receiver.received()[0].json();
        assert_eq!((&body["text"], &body["tags"]), (&json!("New Segment created: pros by user admin@example.com"), &json!(["env:unknown"])));
        receiver.take("");
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        app.post(&world.admin, &tags, &json!({"label": "beta", "color": "#123"})).await.expect(201);
        settle(&app).await;
        assert!(receiver.received().is_empty(), "of features, versions and segments alone");
    }

    async fn new_relic_is_sent_a_deployment_marker(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        let body = json!({"base_url": receiver.url, "api_key": "key", "app_id": "42"});
        app.post(&world.admin, &of_project(&world, "new-relic"), &body).await.expect(201);
        let received = toggle(&app, &world, &receiver, &state).await;
        assert_eq!(received[0].path, "/v2/applications/42/deployments.json");
        assert_eq!(received[0].header("x-api-key"), Some("key"));
        assert_eq!(received[0].json(), json!({"deployment": {
            "revision": "env:Development", "changelog": format!("{LOG} by user admin@example.com"),
            "description": "Flagsmith Feature Flag Event",
        }}));
    }

    async fn dynatrace_is_sent_a_deployment_event_of_its_environment_alone(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (feature, state) = feature(&app, &world, "checkout").await;
        let body = json!({"base_url": format!("{}/", receiver.url), "api_key": "key", "entity_selector": "type(SERVICE)"});
        app.post(&world.admin, &of_environment(&world, "dynatrace"), &body).await.expect(201);
        let received = toggle(&app, &world, &receiver, &state).await;
        assert_eq!(received[0].path, "/api/v2/events/ingest?api-token=key");
        assert_eq!(received[0].json(), json!({
            "title": "Flagsmith flag change.", "eventType": "CUSTOM_DEPLOYMENT",
            "properties": {
                "event": format!("{LOG} by user admin@example.com"), "environment": "Development",
                "dt.event.deployment.name": "Flagsmith Deployment - Flag Changed: checkout",
            },
            "entitySelector": "type(SERVICE)",
        }));
        receiver.take("");
        let path = format!("/api/v1/projects/{}/features/{feature}/", world.project);
        app.patch(&world.admin, &path, &json!({"description": "of the whole project"})).await.expect(200);
        settle(&app).await;
        assert!(receiver.received().is_empty());
    }

    async fn grafana_is_sent_annotations_for_a_project_and_for_an_organisation(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (feature, state) = feature(&app, &world, "checkout").await;
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let tag = id(&app.post(&world.admin, &tags, &json!({"label": "beta", "color": "#123"})).await.expect(201));
        let path = format!("/api/v1/projects/{}/features/{feature}/", world.project);
        app.patch(&world.admin, &path, &json!({"tags": [tag]})).await.expect(200);
        let body = |path: &str| json!({"base_url": format!("{}{path}", receiver.url), "api_key": "token"});
        // Below the environment it is that of the project.
        let made = app.post(&world.admin, &of_environment(&world, "grafana"), &body("/one")).await.expect(201);
        assert_eq!(app.get(&world.admin, &of_project(&world, "grafana")).await.expect(200), json!([made]));
        let organisation = format!("/api/v1/organisations/{}/integrations/grafana/", world.organisation);
        app.post(&world.admin, &organisation, &body("/two")).await.expect(201);
        let received = toggle(&app, &world, &receiver, &state).await;
        assert_eq!(received.len(), 2);
        for path in ["/one/api/annotations", "/two/api/annotations"] {
            let received = received.iter().find(|received| received.path == path).expect("an annotation");
            assert_eq!(received.header("authorization"), Some("Bearer token"));
            let body = received.json();
            assert_eq!(body["tags"], json!([
                "flagsmith", "project:Web", "environment:Development", "by:admin@example.com", "feature:checkout",
                "flag:enabled", "beta",
            ]));
            assert_eq!(body["text"], LOG);
            assert_eq!(body["time"], body["timeEnd"]);
            let seconds = body["time"].as_i64().expect("milliseconds") / 1000;
            assert!((seconds - burgee_model::Timestamp::now().epoch_second()).abs() < 60);
        }
    }

    async fn sentry_is_sent_what_became_of_a_flag_signed(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        let body = json!({"webhook_url": format!("{}/sentry", receiver.url), "secret": "0123456789"});
        app.post(&world.admin, &of_environment(&world, "sentry"), &body).await.expect(201);
        let received = toggle(&app, &world, &receiver, &state).await;
        assert_eq!((received.len(), received[0].path.as_str()), (1, "/sentry"));
        let expected = signatures::hex_hmac("0123456789", &received[0].body);
        assert_eq!(received[0].header("x-sentry-signature"), Some(expected.as_str()));
        let body = received[0].json();
        let change = &body["data"][0];
        assert_eq!((&body["meta"], &change["action"], &change["flag"]), (&json!({"version": 1}), &json!("updated"), &json!("checkout")));
        assert_eq!(change["created_by"], json!({"id": "admin@example.com", "type": "email"}));
        assert!(state.contains(change["change_id"].as_str().expect("text")));
        assert!(change["created_at"].as_str().is_some_and(|at| at.ends_with("+00:00")));
    }

    async fn slack_is_connected_by_oauth_and_told_in_a_channel(app) {
        let receiver = Receiver::start().await;
        let mut settings = Receiver::settings();
        settings.slack.client_id = Some("client".to_owned());
        settings.slack.client_secret = Some("client-secret".to_owned());
        settings.slack.url.clone_from(&receiver.url);
        let unset = app.second_node().await;
        let app = app.node_with(settings).await;
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        let slack = of_environment(&world, "slack");
        app.get(&world.member, &format!("{slack}signature/")).await.expect(403);
        let signature = app.get(&world.admin, &format!("{slack}signature/")).await.expect(200)["signature"].clone();
        let signature = signature.as_str().expect("text");
        let begin = |signature: &str, url: &str| format!("{slack}oauth/?signature={signature}&redirect_url={url}");
        unset.call(Method::GET, &begin(signature, "http://127.0.0.1:8000/x"), &[], None).await.expect(404);
        app.call(Method::GET, &begin("1-x-y", "http://127.0.0.1:8000/x"), &[], None).await.expect(400);
        app.call(Method::GET, &begin(signature, "https://evil.example/x"), &[], None).await.expect(400);
        let begun = app.call(Method::GET, &begin(signature, "http://127.0.0.1:8000/x"), &[], None).await;
        assert_eq!(begun.status.as_u16(), 302);
        let location = begun.headers["location"].to_str().expect("text").to_owned();
        assert!(location.starts_with(&format!("{}/oauth/v2/authorize?client_id=client&", receiver.url)), "{location}");
        assert!(location.contains("scope=channels%3Aread%2Cchat%3Awrite%2Cchat%3Awrite.public"), "{location}");
        let (_, state_of_oauth) = location.split_once("&state=").expect("a state");
        let cookie = begun.headers["set-cookie"].to_str().expect("text").to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();

        receiver.answer("/api/oauth.v2.access", 200, json!({"ok": true, "access_token": "xoxb-hush"}));
        let callback = format!("{slack}callback/?code=the-code&state={state_of_oauth}");
        app.call(Method::GET, &callback, &[], None).await.expect(400);
        assert!(receiver.received().is_empty(), "another browser gets nowhere");
        let finished = app.call(Method::GET, &callback, &[("cookie", &cookie)], None).await;
        assert_eq!((finished.status.as_u16(), &finished.headers["location"]), (302, &"http://127.0.0.1:8000/x".parse().expect("a header")));
        let exchange = String::from_utf8_lossy(&receiver.take("/api/oauth.v2.access")[0].body).into_owned();
        assert!(exchange.starts_with("client_id=client&client_secret=client-secret&code=the-code&redirect_uri="), "{exchange}");

        let answer = json!({"ok": true, "channels": [{"id": "C1", "name": "general"}], "response_metadata": {"next_cursor": "n"}});
        receiver.answer("/api/conversations.list", 200, answer);
        let path = of_environment(&world, "slack-channels");
        let listed = app.get(&world.admin, &format!("{path}?cursor=c")).await.expect(200);
        assert_eq!(listed, json!({"cursor": "n", "channels": [{"channel_name": "general", "channel_id": "C1"}]}));
        let asked = receiver.take("/api/conversations.list");
        assert!(asked[0].path.contains("exclude_archived=true") && asked[0].path.contains("cursor=c"));
        assert_eq!(asked[0].header("authorization"), Some("Bearer xoxb-hush"));
        app.get(&world.member, &path).await.expect(403);

        assert_eq!(app.get(&world.admin, &slack).await.expect(200), json!([]));
        let made = app.post(&world.admin, &slack, &json!({"channel_id": "C1"})).await.expect(201);
        let one = format!("{slack}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["channel_id"], "C1");
        assert_eq!(app.put(&world.admin, &one, &json!({"channel_id": "C2"})).await.expect(200)["channel_id"], "C2");
        assert_eq!(app.patch(&world.admin, &one, &json!({"channel_id": "C1"})).await.expect(200)["channel_id"], "C1");
        app.delete(&world.admin, &one).await.expect(204);
        let made = app.post(&world.admin, &slack, &json!({"channel_id": "C1"})).await.expect(201);
        assert_eq!(made, json!({"id": id(&made), "channel_id": "C1", "enabled": true}));
        receiver.answer("/api/chat.postMessage", 200, json!({"ok": true}));
        let received = toggle(&app, &world, &receiver, &state).await;
        assert_eq!((received.len(), received[0].path.as_str()), (1, "/api/chat.postMessage"));
        assert_eq!(received[0].header("authorization"), Some("Bearer xoxb-hush"));
        assert_eq!(received[0].json(), json!({
            "channel": "C1", "text": LOG,
            "blocks": [{
                "type": "section", "text": {"type": "plain_text", "text": LOG},
                "fields": [
                    {"type": "mrkdwn", "text": "*Environment:*\nDevelopment"},
                    {"type": "mrkdwn", "text": "*User:*\nadmin@example.com"},
                ],
            }],
        }));
        // A refusal with a status of success is one.
        receiver.answer("/api/chat.postMessage", 200, json!({"ok": false, "error": "channel_not_found"}));
        let one = format!("{slack}{}/", id(&made));
        let refused = app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(200);
        assert_eq!((&refused["delivered"], &refused["response_status"]), (&json!(false), &json!(200)), "{refused}");
        assert_eq!(app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200)[0], refused);
        app.patch(&world.admin, &one, &json!({"enabled": false})).await.expect(200);
        app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(400);
        app.patch(&world.admin, &one, &json!({"enabled": true})).await.expect(200);
        app.put(&world.admin, &state, &json!({"enabled": false})).await.expect(200);
        settle(&app).await;
        assert_eq!(tasks::counts(&app.app).await.expect("counts").waiting, 1);
        let mut tx = app.app.db().read().await.expect("a transaction");
        assert_eq!(burgee_store::seeds::tables_with(&mut tx, "xoxb-hush").await.expect("a search"), Vec::<String>::new());
    }

    async fn analytics_are_told_the_flags_of_an_identity_each_in_its_own_way(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        feature(&app, &world, "off").await;
        app.put(&world.admin, &state, &json!({"enabled": true, "feature_state_value": "blue"})).await.expect(200);
        let base = |path: &str| format!("{}{path}", receiver.url);
        for (name, body) in [
            ("amplitude", json!({"api_key": "a-key", "base_url": base("/amplitude")})),
            ("heap", json!({"api_key": "h-key", "base_url": base("/heap")})),
            ("mixpanel", json!({"api_key": "m-key", "base_url": base("/mixpanel")})),
            ("rudderstack", json!({"api_key": "r-key", "base_url": base("/rudderstack")})),
            ("webhook", json!({"url": base("/hook"), "secret": "s3cret"})),
        ] {
            app.post(&world.admin, &of_environment(&world, name), &body).await.expect(201);
        }
        let body = json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "pro"}]});
        identify(&app, &world, &body).await.expect(200);
        let received = receiver.wait_for(5).await;
        let of = |path: &str| received.iter().find(|received| received.path == path).unwrap_or_else(|| panic!("nothing at {path}"));
        let flags = json!({"checkout": "blue", "off": false});

        let amplitude = of("/amplitude/identify");
        assert_eq!(amplitude.header("content-type"), Some("application/x-www-form-urlencoded"));
        let text = String::from_utf8_lossy(&amplitude.body).into_owned();
        let form: Vec<(&str, String)> = text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name, decoded(value))).collect();
        assert_eq!(form[0], ("api_key", "a-key".to_owned()));
        let users: Value = serde_json::from_str(&form[1].1).expect("JSON");
        assert_eq!((form[1].0, users), ("identification", json!([{"user_id": "bob", "user_properties": flags}])));

        assert_eq!(of("/heap/api/track").json(), json!({
            "app_id": "h-key", "identity": "bob", "event": "Flagsmith Feature Flags", "properties": flags,
        }));

        let mixpanel = of("/mixpanel/engage");
        assert_eq!(mixpanel.header("x-mixpanel-integration-id"), Some("flagsmith"));
        assert_eq!(mixpanel.json(), json!([{"$token": "m-key", "$distinct_id": "bob", "$set": flags, "$ip": "0"}]));

        let rudderstack = of("/rudderstack/v1/batch");
        assert_eq!(rudderstack.header("content-encoding"), Some("gzip"));
        let basic = format!("Basic {}", STANDARD.encode("r-key:"));
        assert_eq!(rudderstack.header("authorization"), Some(basic.as_str()));
        let mut text = String::new();
        flate2::read::GzDecoder::new(&rudderstack.body[..]).read_to_string(&mut text).expect("gzip");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        let message = &body["batch"][0];
        assert_eq!((&message["type"], &message["channel"], &message["userId"]), (&json!("identify"), &json!("server"), &json!("bob")));
        assert_eq!(message["context"]["traits"], flags);
        assert!(message["messageId"].is_string() && message["timestamp"].is_string());

        let hook = of("/hook");
        assert_eq!(hook.header("x-flagsmith-signature"), Some(signatures::hex_hmac("s3cret", &hook.body).as_str()));
        let body = hook.json();
        assert_eq!(keys(&body), ["flags", "identity", "segments", "traits"]);
        assert_eq!((&body["identity"], &body["traits"][0]["trait_value"]), (&json!("bob"), &json!("pro")));
        let flag = body["flags"].as_array().expect("flags").iter().find(|flag| flag["feature"]["name"] == "checkout").expect("a flag");
        assert_eq!((&flag["feature_state_value"], &flag["enabled"]), (&json!("blue"), &json!(true)));
        assert!(flag.as_object().expect("an object").contains_key("percentage_allocation"));
    }

    async fn segment_is_sent_identify_calls_in_a_batch(app) {
        let world = app.world().await;
        let (_, state) = feature(&app, &world, "checkout").await;
        app.put(&world.admin, &state, &json!({"enabled": true, "feature_state_value": "blue"})).await.expect(200);
        let path = of_environment(&world, "segment");
        let one = format!("{path}{}/", id(&app.post(&world.admin, &path, &json!({"api_key": "s-key"})).await.expect(201)));
        let receiver = Receiver::start().await;
        // Segment has two addresses and takes no others; what would be sent there is to be seen here.
        let mut tx = app.app.db().begin().await.expect("a transaction");
        let settings = json!({"base_url": format!("{}/segment/", receiver.url)}).to_string();
        burgee_store::seeds::set_integrations(&mut tx, "segment", &settings).await.expect("settings");
        tx.commit().await.expect("commits");
        let app = app.node_with(Receiver::settings()).await;
        identify(&app, &world, &json!({"identifier": "bob"})).await.expect(200);
        let received = receiver.wait_for(1).await;
        assert_eq!((received[0].path.as_str(), received[0].header("content-type")), ("/segment/v1/batch", Some("application/json")));
        assert_eq!(received[0].header("authorization"), Some(format!("Basic {}", STANDARD.encode("s-key:")).as_str()));
        let body = received[0].json();
        let message = &body["batch"][0];
        assert_eq!((&message["type"], &message["userId"]), (&json!("identify"), &json!("bob")));
        assert_eq!(message["traits"], json!({"checkout": "blue"}));
        assert!(message["messageId"].is_string() && message["timestamp"].is_string() && body["sentAt"].is_string(), "{body}");
        assert_eq!(app.post(&world.admin, &format!("{one}test/"), &json!({})).await.expect(200)["delivered"], true);
        app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200);
    }

    async fn the_webhook_of_identities_tells_segments_and_shares(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let option = json!({"type": "unicode", "string_value": "variant", "default_percentage_allocation": 100});
        let path = format!("/api/v1/projects/{}/features/", world.project);
        let body = json!({"name": "split", "initial_value": "control", "default_enabled": true, "multivariate_options": [option]});
        app.post(&world.admin, &path, &body).await.expect(201);
        let rules = |value: &str| json!([{"type": "ALL", "conditions": [{"property": "plan", "operator": "EQUAL", "value": value}], "rules": []}]);
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        let mut ids = Vec::new();
        for (name, value) in [("pros", "pro"), ("others", "free")] {
            ids.push(id(&app.post(&world.admin, &segments, &json!({"name": name, "rules": rules(value)})).await.expect(201)));
        }
        app.post(&world.admin, &of_environment(&world, "webhook"), &json!({"url": receiver.url})).await.expect(201);
        let body = json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "pro"}]});
        identify(&app, &world, &body).await.expect(200);
        let received = receiver.wait_for(1).await;
        assert_eq!(received[0].header("x-flagsmith-signature"), None);
        let body = received[0].json();
        assert_eq!(body["segments"], json!([
            {"id": ids[0], "member": true, "name": "pros"}, {"id": ids[1], "member": false, "name": "others"},
        ]));
        assert_eq!((&body["flags"][0]["feature_state_value"], &body["flags"][0]["percentage_allocation"]), (&json!("variant"), &json!(100.0)));
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

    async fn a_service_that_is_away_holds_up_nobody_and_what_it_misses_is_bounded(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        feature(&app, &world, "checkout").await;
        receiver.answer("/hook", 500, json!({}));
        let body = json!({"url": format!("{}/hook", receiver.url)});
        let hook = id(&app.post(&world.admin, &of_environment(&world, "webhook"), &body).await.expect(201));
        for number in 0..30 {
            identify(&app, &world, &json!({"identifier": format!("id-{number}")})).await.expect(200);
        }
        identities::flush(&app.app).await;
        receiver.wait_for(30).await;
        assert_eq!(tasks::counts(&app.app).await.expect("counts").waiting, 0, "identities are no tasks");
        app.delete(&world.admin, &format!("{}{hook}/", of_environment(&world, "webhook"))).await.expect(204);
        receiver.take("");
        identify(&app, &world, &json!({"identifier": "late"})).await.expect(200);
        identities::flush(&app.app).await;
        assert!(receiver.received().is_empty(), "what was ended is told no more");
    }
}

/// The text behind a value of a form.
fn decoded(value: &str) -> String {
    let value = value.replace('+', " ");
    let bytes = value.as_bytes();
    let (mut out, mut place) = (Vec::new(), 0);
    while place < bytes.len() {
        if bytes[place] == b'%' {
            let digits = std::str::from_utf8(&bytes[place + 1..place + 3]).expect("digits");
            out.push(u8::from_str_radix(digits, 16).expect("digits"));
            place += 3;
        } else {
            out.push(bytes[place]);
            place += 1;
        }
    }
    String::from_utf8(out).expect("text")
}
