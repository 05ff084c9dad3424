//! What each service is sent, held to what its API takes.

use std::io::Read as _;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_app::integrations::identities;
use burgee_app::tasks;
use burgee_auth::signatures;
use burgee_testkit::receiver::Receiver;
use burgee_testkit::{both, id};
use serde_json::{Value, json};

use super::integration_scene::{
    LOG, feature, identify, keys, of_environment, of_project, reaching, settle, toggle,
};

both! {
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
