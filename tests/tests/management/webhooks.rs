//! Webhooks: their configuration, what they are sent, and what happens when they do not take it.

use axum::http::Method;
use burgee_app::{deliveries, tasks};
use burgee_auth::signatures;
use burgee_store::grants::Object;
use burgee_testkit::mailbox::Mailbox;
use burgee_testkit::places::World;
use burgee_testkit::receiver::{Received, Receiver};
use burgee_testkit::{TestApp, both, id};
use burgee_worker::queue;
use serde_json::{Value, json};

/// The same installation, from which this machine may be called.
async fn reaching(app: &TestApp) -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    (app.node_with(Receiver::settings()).await, receiver)
}

/// Everything that is due is done, as the worker does it.
async fn settle(app: &TestApp) -> usize {
    deliveries::read_on(&app.app).await.expect("the log is read");
    queue::run_due(&app.app, queue::KINDS)
        .await
        .expect("tasks are done")
}

async fn make_due(app: &TestApp) {
    let mut tx = app.app.db().begin().await.expect("a transaction");
    burgee_store::seeds::make_tasks_due(&mut tx)
        .await
        .expect("an update");
    tx.commit().await.expect("commits");
}

fn of_environment(world: &World) -> String {
    format!("/api/v1/environments/{}/webhooks/", world.key)
}

fn of_organisation(world: &World) -> String {
    format!("/api/v1/organisations/{}/webhooks/", world.organisation)
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// The events that came to a path: their type and their data.
fn events(receiver: &Receiver, path: &str) -> Vec<(String, Value)> {
    let read = |received: Received| {
        let body = received.json();
        let event = body["event_type"].as_str().expect("a type").to_owned();
        (event, body["data"].clone())
    };
    receiver.take(path).into_iter().map(read).collect()
}

async fn feature(app: &TestApp, world: &World, body: Value) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app.post(&world.admin, &path, &body).await.expect(201))
}

async fn state(app: &TestApp, world: &World, feature: i64) -> String {
    let path = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{path}?feature={feature}"))
        .await
        .expect(200);
    format!("{path}{}/", id(&found["results"][0]))
}

both! {
    async fn a_webhook_is_kept_changed_and_deleted(app) {
        let world = app.world().await;
        let (environment, organisation) = (of_environment(&world), of_organisation(&world));
        let body = json!({"url": "http://93.184.216.34/hook", "enabled": true, "secret": "s3cret"});
        let made = app.post(&world.admin, &environment, &body).await.expect(201);
        assert_eq!(keys(&made), ["id", "url", "enabled", "created_at", "updated_at", "secret"]);
        assert_eq!(made["secret"], "s3cret");
        let one = format!("{environment}{}/", id(&made));
        let changed = app.patch(&world.admin, &one, &json!({"enabled": false})).await.expect(200);
        assert_eq!((&changed["enabled"], &changed["secret"]), (&json!(false), &json!("s3cret")));
        let body = json!({"url": "https://93.184.216.34/other"});
        let changed = app.put(&world.admin, &one, &body).await.expect(200);
        assert_eq!((&changed["url"], &changed["secret"]), (&body["url"], &json!("s3cret")));
        app.get(&world.admin, &one).await.expect(405);
        assert_eq!(app.get(&world.admin, &environment).await.expect(200).as_array().map(Vec::len), Some(1));
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &environment).await.expect(200), json!([]));

        let body = json!({"name": "audit", "url": "http://93.184.216.34/org", "secret": "orgsecret"});
        let made = app.post(&world.admin, &organisation, &body).await.expect(201);
        assert_eq!(keys(&made), ["id", "url", "enabled", "secret", "created_at", "updated_at"]);
        assert_eq!(made["enabled"], true);
        let one = format!("{organisation}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        app.put(&world.admin, &one, &json!({"url": "http://93.184.216.34/org", "secret": ""})).await.expect(200);
        let listed = app.get(&world.admin, &organisation).await.expect(200);
        assert_eq!((&listed["count"], &listed["results"][0]["secret"]), (&json!(1), &json!("")));
        app.delete(&world.admin, &one).await.expect(204);
    }

    async fn secrets_are_sealed_and_the_log_tells_of_none(app) {
        let world = app.world().await;
        let body = json!({"url": "http://93.184.216.34/hidden-path", "secret": "very-secret"});
        app.post(&world.admin, &of_environment(&world), &body).await.expect(201);
        let log = app.log("WEBHOOK").await;
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].action.as_str(), log[0].message.as_deref()), ("CREATE", Some("Webhook created: 93.184.216.34")));
        let mut tx = app.app.db().read().await.expect("a transaction");
        for (text, tables) in [("very-secret", vec![]), ("hidden-path", vec!["webhooks"])] {
            let found = burgee_store::seeds::tables_with(&mut tx, text).await.expect("a search");
            assert_eq!(found, tables, "{text}");
        }
    }

    async fn an_address_that_is_none_or_private_is_refused(app) {
        let world = app.world().await;
        let path = of_environment(&world);
        let private = "URLs must not target internal or private network addresses.";
        let long = format!("http://93.184.216.34/{}", "x".repeat(200));
        for (url, wrong) in [
            (json!("nope"), json!(["Enter a valid http(s) URL.", "Enter a valid URL."])),
            (json!("ftp://example.com/x"), json!(["Enter a valid http(s) URL."])),
            (json!("http://127.0.0.1:9977/x"), json!([private])),
            (json!("http://localhost/x"), json!([private])),
            (json!("http://169.254.169.254/latest"), json!([private])),
            (json!("http://[::ffff:10.0.0.1]/"), json!([private])),
            (json!(long), json!(["Ensure this field has no more than 200 characters."])),
            (json!(null), json!(["This field may not be null."])),
        ] {
            let refused = app.post(&world.admin, &path, &json!({"url": url})).await.expect(400);
            assert_eq!(refused, json!({"url": wrong}), "{url}");
        }
        let refused = app.post(&world.admin, &path, &json!({})).await.expect(400);
        assert_eq!(refused, json!({"url": ["This field is required."]}));
        let body = json!({"url": "http://does-not-resolve.example/x"});
        app.post(&world.admin, &path, &body).await.expect(201);
    }

    async fn webhooks_are_for_administrators_and_their_secrets_too(app) {
        let world = app.world().await;
        let (environment, organisation) = (of_environment(&world), of_organisation(&world));
        let body = json!({"url": "http://93.184.216.34/hook", "secret": "s3cret"});
        let made = id(&app.post(&world.admin, &environment, &body).await.expect(201));
        app.get(&world.member, &environment).await.expect(403);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        let seen = app.get(&world.member, &environment).await.expect(200);
        assert_eq!((&seen[0]["url"], &seen[0]["secret"]), (&body["url"], &json!("")));
        let one = format!("{environment}{made}/");
        for person in [&world.member, &world.stranger] {
            app.post(person, &environment, &body).await.expect(403);
            app.patch(person, &one, &json!({"enabled": false})).await.expect(403);
            app.delete(person, &one).await.expect(403);
            app.get(person, &format!("{one}deliveries/")).await.expect(403);
            app.get(person, &organisation).await.expect(403);
            app.post(person, &organisation, &body).await.expect(403);
        }
        app.get(&world.admin, "/api/v1/environments/nope/webhooks/").await.expect(403);
        let (_, elsewhere) = app.environment(&world.admin, world.project, "Other").await;
        let foreign = format!("/api/v1/environments/{elsewhere}/webhooks/{made}/");
        app.delete(&world.admin, &foreign).await.expect(404);
        app.delete(&world.admin, &format!("{organisation}{made}/")).await.expect(404);
    }

    async fn an_edited_flag_is_told_to_the_environment_and_to_the_organisation(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let feature = feature(&app, &world, json!({"name": "checkout", "initial_value": "old"})).await;
        let state = state(&app, &world, feature).await;
        settle(&app).await;
        let to = |path: &str| json!({"url": format!("{}{path}", receiver.url), "secret": "s3cret"});
        app.post(&world.admin, &of_environment(&world), &to("/env")).await.expect(201);
        app.post(&world.admin, &of_organisation(&world), &to("/org")).await.expect(201);
        settle(&app).await;
        receiver.take("");
        app.put(&world.admin, &state, &json!({"enabled": true, "feature_state_value": "new"})).await.expect(200);
        assert!(receiver.received().is_empty(), "nothing is sent within the request");
        settle(&app).await;
        let received = receiver.received();
        let of_environment: Vec<_> = received.iter().filter(|received| received.path == "/env").collect();
        // One for the value, one for the switch, as the audit log has a line for each.
        assert_eq!(of_environment.len(), 2);
        let body = of_environment[0].json();
        assert_eq!(keys(&body), ["data", "event_type"]);
        let data = &body["data"];
        assert_eq!(keys(data), ["changed_by", "new_state", "previous_state", "timestamp"]);
        assert_eq!(data["changed_by"], "admin@example.com");
        let new = &data["new_state"];
        assert_eq!(keys(new), [
            "enabled", "environment", "feature", "feature_segment", "feature_state_value", "identity",
            "identity_identifier", "multivariate_feature_state_values",
        ]);
        assert_eq!((&new["enabled"], &new["feature_state_value"]), (&json!(true), &json!("new")));
        assert_eq!(new["environment"], json!({"id": world.environment, "name": "Development"}));
        assert_eq!(keys(&new["feature"]), [
            "created_date", "default_enabled", "description", "id", "initial_value", "name", "project", "type",
        ]);
        let old = &data["previous_state"];
        assert_eq!((&old["enabled"], &old["feature_state_value"]), (&json!(false), &json!("old")));

        let (mut flags, mut lines) = (0, Vec::new());
        for received in received.iter().filter(|received| received.path == "/org") {
            match received.json()["event_type"].as_str().expect("a type") {
                "FLAG_UPDATED" => flags += 1,
                "AUDIT_LOG_CREATED" => lines.push(received.json()["data"].clone()),
                other => panic!("{other}"),
            }
        }
        assert_eq!((flags, lines.len()), (2, 2));
        let log = app.get(&world.admin, "/api/v1/audit/").await.expect(200);
        for line in lines {
            let listed = log["results"].as_array().expect("a list").iter().find(|listed| listed["id"] == line["id"]);
            assert_eq!(Some(&line), listed, "an event is what the list has");
        }
    }

    async fn every_delivery_is_signed_over_its_bytes_and_its_time(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        for (path, secret) in [("/signed", "s3cret"), ("/plain", "")] {
            let body = json!({"url": format!("{}{path}", receiver.url), "secret": secret});
            app.post(&world.admin, &of_environment(&world), &body).await.expect(201);
        }
        feature(&app, &world, json!({"name": "na\u{ef}ve"})).await;
        settle(&app).await;
        let received = receiver.received();
        let signed = received.iter().find(|received| received.path == "/signed").expect("a delivery");
        assert_eq!(signed.header("content-type"), Some("application/json"));
        let expected = signatures::hex_hmac("s3cret", &signed.body);
        assert_eq!(signed.header("x-flagsmith-signature"), Some(expected.as_str()));
        let text = String::from_utf8_lossy(&signed.body);
        assert!(text.starts_with("{\"data\": {\"changed_by\": "), "{text}");
        assert!(text.contains("na\\u00efve"), "{text}");
        let (uuid, time) = (signed.header("webhook-id").expect("an id"), signed.header("webhook-timestamp").expect("a time"));
        let seconds: i64 = time.parse().expect("seconds");
        assert!((seconds - burgee_model::Timestamp::now().epoch_second()).abs() < 60);
        let expected = signatures::standard_webhook("s3cret", uuid, seconds, &signed.body);
        assert_eq!(signed.header("webhook-signature"), Some(expected.as_str()));
        let plain = received.iter().find(|received| received.path == "/plain").expect("a delivery");
        assert_eq!((plain.header("x-flagsmith-signature"), plain.header("webhook-signature")), (None, None));
    }

    async fn features_and_overrides_are_told_as_they_come_and_go(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let body = json!({"url": format!("{}/env", receiver.url)});
        app.post(&world.admin, &of_environment(&world), &body).await.expect(201);
        let option = json!({"type": "unicode", "string_value": "variant", "default_percentage_allocation": 30});
        let body = json!({"name": "split", "initial_value": "control", "multivariate_options": [option]});
        let split = feature(&app, &world, body).await;
        settle(&app).await;
        let told = events(&receiver, "/env");
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0.as_str(), told[0].1.get("previous_state")), ("FLAG_UPDATED", None));
        let share = &told[0].1["new_state"]["multivariate_feature_state_values"][0];
        assert_eq!((&share["multivariate_feature_option"]["value"], &share["percentage_allocation"]), (&json!("variant"), &json!(30.0)));
        assert!(share["id"].is_i64() && share["multivariate_feature_option"]["id"].is_i64());

        let rules = json!([{"type": "ALL", "conditions": [{"property": "a", "operator": "EQUAL", "value": "1"}], "rules": []}]);
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        let body = json!({"name": "pros", "description": "who pays", "rules": rules});
        let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
        let path = format!("/api/v1/environments/{}/features/{split}/create-segment-override/", world.key);
        let body = json!({
            "enabled": true, "feature_segment": {"segment": segment},
            "feature_state_value": {"type": "unicode", "string_value": "for pros"},
        });
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        settle(&app).await;
        let told = events(&receiver, "/env");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1["new_state"]["feature_segment"], json!({
            "priority": 0, "segment": {"id": segment, "name": "pros", "description": "who pays"},
        }));
        let link = format!("/api/v1/features/feature-segments/{}/", made["feature_segment"]["id"]);
        app.delete(&world.admin, &link).await.expect(204);
        settle(&app).await;
        assert_eq!(events(&receiver, "/env"), [], "the audit log alone tells of the end of an override");

        let identities = format!("/api/v1/environments/{}/identities/", world.key);
        let bob = id(&app.post(&world.admin, &identities, &json!({"identifier": "bob"})).await.expect(201));
        let path = format!("{identities}{bob}/featurestates/");
        app.post(&world.admin, &path, &json!({"feature": split, "enabled": false})).await.expect(201);
        settle(&app).await;
        let told = events(&receiver, "/env");
        assert_eq!(told.len(), 1);
        let new = &told[0].1["new_state"];
        assert_eq!((&new["identity"], &new["identity_identifier"]), (&json!(bob), &json!("bob")));

        // Read only after the feature and its options are gone.
        app.delete(&world.admin, &format!("/api/v1/projects/{}/features/{split}/", world.project)).await.expect(204);
        settle(&app).await;
        let told = events(&receiver, "/env");
        assert_eq!(told.len(), 1);
        let (event, data) = &told[0];
        assert_eq!((event.as_str(), &data["new_state"]), ("FLAG_DELETED", &Value::Null));
        let old = &data["previous_state"];
        assert_eq!((&old["feature"]["name"], &old["feature"]["id"]), (&json!("split"), &json!(split)));
        assert!(old["feature"]["created_date"].is_string());
        assert_eq!(old["multivariate_feature_state_values"][0]["multivariate_feature_option"]["value"], "variant");
    }

    async fn a_published_version_is_told_with_what_it_changed(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let feature = feature(&app, &world, json!({"name": "checkout", "initial_value": "old"})).await;
        let path = format!("/api/v1/environments/{}/enable-v2-versioning/", world.key);
        app.post(&world.admin, &path, &json!({})).await.expect(202);
        settle(&app).await;
        for (base, path) in [(of_environment(&world), "/env"), (of_organisation(&world), "/org")] {
            let body = json!({"url": format!("{}{path}", receiver.url)});
            app.post(&world.admin, &base, &body).await.expect(201);
        }
        settle(&app).await;
        receiver.take("");
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        let body = json!({
            "publish_immediately": true,
            "feature_states_to_update": [{"enabled": true, "feature_state_value": {"type": "unicode", "string_value": "new"}}],
        });
        let version = app.post(&world.admin, &path, &body).await.expect(201);
        settle(&app).await;
        let received = receiver.received();
        let types = |path: &str| -> Vec<String> {
            let to = received.iter().filter(|received| received.path == path);
            to.map(|received| received.json()["event_type"].as_str().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(types("/env"), ["FLAG_UPDATED", "NEW_VERSION_PUBLISHED"]);
        assert_eq!(types("/org"), ["FLAG_UPDATED", "AUDIT_LOG_CREATED"]);
        let last = received.iter().rfind(|received| received.path == "/env").expect("a delivery").json();
        let data = &last["data"];
        assert_eq!(data["uuid"], version["uuid"]);
        assert_eq!(data["feature"], json!({"id": feature, "name": "checkout"}));
        assert_eq!(data["published_by"], json!({"id": world.admin.id, "email": "admin@example.com"}));
        assert_eq!(data["feature_states"], json!([
            {"enabled": true, "multivariate_feature_state_values": [], "value": "new"},
        ]));
        let flag = received.iter().find(|received| received.path == "/env").expect("a delivery").json();
        assert_eq!(flag["data"]["timestamp"], version["live_from"]);
    }

    async fn what_is_not_taken_is_sent_again_under_its_id_until_it_is(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let path = of_environment(&world);
        let body = json!({"url": format!("{}/env", receiver.url)});
        let webhook = id(&app.post(&world.admin, &path, &body).await.expect(201));
        receiver.answer_once("/env", 500, json!({}));
        receiver.answer_once("/env", 302, json!({}));
        feature(&app, &world, json!({"name": "checkout"})).await;
        assert_eq!(settle(&app).await, 1);
        assert_eq!(settle(&app).await, 0, "the second attempt waits for its time");
        make_due(&app).await;
        settle(&app).await;
        make_due(&app).await;
        settle(&app).await;
        let received = receiver.received();
        assert_eq!(received.iter().map(|received| received.path.as_str()).collect::<Vec<_>>(), ["/env"; 3], "no redirect is followed");
        assert_eq!(received[0].header("webhook-id"), received[2].header("webhook-id"));
        let log = app.get(&world.admin, &format!("{path}{webhook}/deliveries/")).await.expect(200);
        let delivery = &log["results"][0];
        assert_eq!(keys(delivery), [
            "id", "uuid", "event_type", "status", "attempts", "response_status", "response_body", "error", "duration",
            "created_at", "attempted_at", "body",
        ]);
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("delivered"), &json!(3)));
        assert_eq!(delivery["uuid"].as_str(), received[0].header("webhook-id"));
        assert_eq!(delivery["body"], received[0].json());
        assert_eq!(tasks::counts(&app.app).await.expect("counts").waiting, 0);

        let retry = format!("{path}{webhook}/deliveries/{}/retry/", id(delivery));
        app.post(&world.member, &retry, &json!({})).await.expect(403);
        assert_eq!(app.post(&world.admin, &retry, &json!({})).await.expect(202)["status"], "waiting");
        settle(&app).await;
        assert_eq!(receiver.received().len(), 4);
    }

    async fn deliveries_to_an_organisation_are_listed_and_can_be_tried_again(app) {
        let receiver = Receiver::start().await;
        let app = app.node_with(Receiver::settings()).await;
        let world = app.world().await;
        let path = of_organisation(&world);
        let made = app.post(&world.admin, &path, &json!({"url": format!("{}/org", receiver.url), "enabled": false})).await.expect(201);
        let one = format!("{path}{}/", id(&made));
        assert_eq!(app.patch(&world.admin, &one, &json!({"enabled": true})).await.expect(200)["enabled"], true);
        settle(&app).await;
        receiver.take("/org");
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        app.post(&world.admin, &tags, &json!({"label": "l", "color": "#fff"})).await.expect(201);
        settle(&app).await;
        assert!(!receiver.take("/org").is_empty());
        let log = app.get(&world.admin, &format!("{one}deliveries/")).await.expect(200);
        let delivery = &log["results"][0];
        assert_eq!(delivery["status"], "delivered", "{log}");
        let retry = format!("{one}deliveries/{}/retry/", id(delivery));
        assert_eq!(app.post(&world.admin, &retry, &json!({})).await.expect(202)["status"], "waiting");
        settle(&app).await;
        assert_eq!(receiver.take("/org").len(), 1, "the same delivery once more");
    }

    async fn what_is_given_up_is_a_dead_letter_is_mailed_and_can_be_tried_again(app) {
        let (receiver, mailbox) = (Receiver::start().await, Mailbox::start().await);
        let mut settings = Receiver::settings();
        settings.outbound.mail = Some(mailbox.settings());
        let app = app.node_with(settings).await;
        let world = app.world().await;
        let organisation = format!("/api/v1/organisations/{}/", world.organisation);
        let body = json!({"webhook_notification_email": "ops@example.com"});
        app.patch(&world.admin, &organisation, &body).await.expect(200);
        let path = of_environment(&world);
        let body = json!({"url": format!("{}/env?token=hush", receiver.url)});
        let webhook = id(&app.post(&world.admin, &path, &body).await.expect(201));
        receiver.answer("/env", 410, json!({"why": "moved"}));
        feature(&app, &world, json!({"name": "checkout"})).await;
        for _ in 0..tasks::ATTEMPTS {
            settle(&app).await;
            make_due(&app).await;
        }
        assert_eq!(receiver.received().len() as i64, tasks::ATTEMPTS);
        let counts = tasks::counts(&app.app).await.expect("counts");
        assert_eq!((counts.waiting, counts.dead), (0, 1));
        let log = app.get(&world.admin, &format!("{path}{webhook}/deliveries/")).await.expect(200);
        let delivery = &log["results"][0];
        assert_eq!((&delivery["status"], &delivery["response_status"]), (&json!("failed"), &json!(410)));
        assert_eq!(delivery["response_body"], r#"{"why":"moved"}"#);
        burgee_app::mail::deliver(&app.app).await.expect("mail");
        let mails = mailbox.received();
        assert_eq!((mails.len(), mails[0].to.as_str()), (1, "ops@example.com"));
        assert_eq!(mails[0].header("subject"), Some("A webhook fails: FLAG_UPDATED"));

        receiver.answer("/env", 200, json!({}));
        assert_eq!(tasks::retry(&app.app, None).await.expect("a retry"), 1);
        settle(&app).await;
        let counts = tasks::counts(&app.app).await.expect("counts");
        assert_eq!((counts.waiting, counts.dead), (0, 0));
    }

    async fn of_a_receiver_that_is_long_away_the_oldest_deliveries_are_dropped(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let mut webhooks = Vec::new();
        for path in ["/away", "/slow"] {
            let body = json!({"url": format!("{}{path}", receiver.url)});
            webhooks.push(id(&app.post(&world.admin, &of_environment(&world), &body).await.expect(201)));
            receiver.answer(path, 503, json!({}));
        }
        for name in ["a", "b", "c"] {
            feature(&app, &world, json!({"name": name})).await;
            settle(&app).await;
        }
        let other = format!("{}{}/", of_environment(&world), webhooks[1]);
        app.delete(&world.admin, &other).await.expect(204);
        make_due(&app).await;
        settle(&app).await;
        assert_eq!(queue::drop_overflow(&app.app, queue::KINDS, 3).await.expect("a look"), 0);
        assert_eq!(queue::drop_overflow(&app.app, queue::KINDS, 1).await.expect("a look"), 2);
        assert_eq!(tasks::counts(&app.app).await.expect("counts").waiting, 1);
        let log = app.get(&world.admin, &format!("{}{}/deliveries/", of_environment(&world), webhooks[0])).await.expect(200);
        let told: Vec<(&Value, &Value)> = log["results"].as_array().expect("a list").iter()
            .map(|delivery| (&delivery["body"]["data"]["new_state"]["feature"]["name"], &delivery["status"])).collect();
        assert_eq!(told, [(&json!("c"), &json!("waiting")), (&json!("b"), &json!("failed")), (&json!("a"), &json!("failed"))]);
    }

    async fn an_address_that_turns_out_private_is_not_called(app) {
        let receiver = Receiver::start().await;
        let world = app.world().await;
        let reaching = app.node_with(Receiver::settings()).await;
        let path = of_environment(&world);
        let body = json!({"url": receiver.url.replace("127.0.0.1", "localhost")});
        let webhook = id(&reaching.post(&world.admin, &path, &body).await.expect(201));
        feature(&app, &world, json!({"name": "checkout"})).await;
        settle(&app).await;
        assert!(receiver.received().is_empty());
        let log = app.get(&world.admin, &format!("{path}{webhook}/deliveries/")).await.expect(200);
        let delivery = &log["results"][0];
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("failed"), &json!(1)));
        assert!(delivery["error"].as_str().is_some_and(|why| why.contains("private")), "{delivery}");
    }

    async fn the_test_button_sends_an_example_at_once(app) {
        let (reaching, receiver) = reaching(&app).await;
        let world = reaching.world().await;
        let test = "/api/v1/webhooks/test/";
        let scope = json!({"type": "environment", "id": world.key});
        let body = json!({"webhook_url": format!("{}/t", receiver.url), "secret": "x", "scope": scope});
        let tested = reaching.post(&world.admin, test, &body).await.expect(200);
        assert_eq!(tested, json!({"detail": "Webhook test successful", "status": 200}));
        let received = receiver.take("/t");
        assert_eq!(received[0].json()["event_type"], "FLAG_UPDATED");
        assert_eq!(received[0].header("x-flagsmith-signature"), Some(signatures::hex_hmac("x", &received[0].body).as_str()));
        receiver.answer("/t", 503, json!("busy"));
        let organisation = json!({"type": "organisation", "id": world.organisation});
        let mut other = body.clone();
        other["scope"] = organisation;
        let refused = reaching.post(&world.admin, test, &other).await.expect(400);
        assert_eq!((&refused["status"], &refused["body"]), (&json!(503), &json!("busy")));
        assert_eq!(receiver.take("/t")[0].json()["event_type"], "AUDIT_LOG_CREATED");

        reaching.post(&world.admin, test, &json!({})).await.expect(403);
        reaching.post(&world.admin, test, &json!({"scope": {"type": "zzz", "id": 1}})).await.expect(403);
        for person in [&world.member, &world.stranger] {
            reaching.post(person, test, &body).await.expect(403);
        }
        let refused = reaching.post(&world.admin, test, &json!({"scope": scope})).await.expect(400);
        assert_eq!(refused, json!({"webhook_url": ["This field is required."]}));
        let refused = app.post(&world.admin, test, &body).await.expect(400);
        assert_eq!(refused, json!({"webhook_url": ["URLs must not target internal or private network addresses."]}));
    }

    async fn of_two_nodes_that_read_the_log_one_sends(app) {
        let (app, receiver) = reaching(&app).await;
        let world = app.world().await;
        let body = json!({"url": format!("{}/env", receiver.url)});
        app.post(&world.admin, &of_environment(&world), &body).await.expect(201);
        let other = app.second_node().await;
        for number in 0..5 {
            feature(&app, &world, json!({"name": format!("feature_{number}")})).await;
            let (here, there) = tokio::join!(settle(&app), settle(&other));
            // One may have read while the other did the tasks.
            assert!(here + there <= 1);
        }
        settle(&app).await;
        let mut uuids: Vec<_> = receiver.received().iter().map(|received| received.header("webhook-id").map(str::to_owned)).collect();
        uuids.sort();
        uuids.dedup();
        assert_eq!((receiver.received().len(), uuids.len()), (5, 5));
    }

    async fn what_waits_is_counted_for_superusers(app) {
        let world = app.world().await;
        app.by(&world.admin, Method::GET, "/processor/monitoring/", None).await.expect(403);
        let body = json!({"url": "http://does-not-resolve.example/x"});
        app.post(&world.admin, &of_environment(&world), &body).await.expect(201);
        feature(&app, &world, json!({"name": "checkout"})).await;
        deliveries::read_on(&app.app).await.expect("the log is read");
        let mut tx = app.app.db().begin().await.expect("a transaction");
        burgee_store::seeds::make_superuser(&mut tx, world.admin.id).await.expect("an update");
        tx.commit().await.expect("commits");
        let answer = app.by(&world.admin, Method::GET, "/processor/monitoring/", None).await.expect(200);
        assert_eq!(answer, json!({"waiting": 1}));
    }
}
