//! `…/cohorts/`: who is in them

use axum::http::Method;
use burgee_testkit::{Answer, World, both, flag, id};
use serde_json::{Value, json};

/// A cohort, with a flag that is `listed` for it.
async fn cohort(world: &World) -> (String, Value) {
    let cohorts = format!("/api/v1/environments/{}/cohorts/", world.client);
    let made = world.post(&cohorts, json!({"name": "Testers"})).await;
    let feature = world
        .feature(json!({"name": "f", "initial_value": "plain"}))
        .await;
    world
        .override_for_segment(feature, made["segment"].as_i64().unwrap(), "listed")
        .await;
    (format!("{cohorts}{}/", id(&made)), made)
}

async fn sync(world: &World, key: &str, cohort: &Value, what: &str, body: Value) -> Answer {
    let path = format!(
        "/api/v1/cohort-sync/webhook/cohorts/{}/members/{what}/",
        cohort["uuid"].as_str().unwrap()
    );
    let authorization = format!("Bearer {key}");
    world
        .app
        .call(
            Method::POST,
            &path,
            &[("authorization", &authorization)],
            Some(&body),
        )
        .await
}

async fn value(world: &World, identifier: &str) -> Value {
    let answer = world
        .sdk(
            Method::GET,
            &format!("/api/v1/identities/?identifier={identifier}"),
            None,
        )
        .await
        .expect(200);
    flag(&answer["flags"], "f").unwrap()["feature_state_value"].clone()
}

both! {
    async fn other_programs_keep_a_cohort_in_step(app) {
        let world = World::new(app).await;
        let (path, made) = cohort(&world).await;
        let answer = sync(&world, &world.server, &made, "add", json!({"identifiers": ["ann", "bob"]})).await.expect(200);
        assert_eq!(answer, json!({"added": 2, "removed": 0, "unchanged": 0}));
        assert_eq!(value(&world, "ann").await, "listed");
        let again = sync(&world, &world.server, &made, "add", json!({"identifiers": ["ann"]})).await.expect(200);
        assert_eq!(again["unchanged"], 1);
        sync(&world, &world.server, &made, "remove", json!({"identifiers": ["ann", "eve"]})).await.expect(200);
        assert_eq!(value(&world, "ann").await, "plain");
        assert_eq!(value(&world, "bob").await, "listed");
        let shown = world.manage(Method::GET, &path, Value::Null).await;
        assert_eq!(shown["version"], 3);
        let key = world.post(&format!("/api/v1/organisations/{}/master-api-keys/", world.organisation),
            json!({"name": "sync", "is_admin": true})).await["key"].as_str().unwrap().to_owned();
        sync(&world, &key, &made, "add", json!({"identifiers": ["eve"]})).await.expect(200);
        assert_eq!(value(&world, "eve").await, "listed");
        let log = world.app.log("SEGMENT_MEMBERS").await;
        assert_eq!(log.len(), 3, "one line for each change");
    }

    async fn a_file_replaces_a_cohort(app) {
        let world = World::new(app).await;
        let (path, made) = cohort(&world).await;
        sync(&world, &world.server, &made, "add", json!({"identifiers": ["ann", "gone"]})).await.expect(200);
        let send = |kind: &'static str, body: String| {
            let request = axum::http::Request::builder()
                .method(Method::POST)
                .uri(format!("{path}upload/"))
                .header("authorization", format!("Token {}", world.token))
                .header("content-type", kind)
                .body(axum::body::Body::from(body))
                .unwrap();
            world.app.send(request)
        };
        let answer = send("text/csv", "identifier\nann\nbob\nbob\n\"\"\n".to_owned()).await.expect(200);
        assert_eq!(answer, json!({"version": 3, "members": 2, "added": 1, "removed": 1, "unchanged": 1,
            "ignored": {"empty": 1, "duplicates": 1, "too_long": 0}}));
        assert_eq!(value(&world, "gone").await, "plain");
        assert_eq!(value(&world, "bob").await, "listed");
        let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\neve\r\n--x--\r\n";
        let answer = send("multipart/form-data; boundary=x", form.to_owned()).await.expect(200);
        assert_eq!((&answer["added"], &answer["removed"]), (&json!(1), &json!(2)));
        send("multipart/form-data; boundary=x", "--x--\r\n".to_owned()).await.expect(400);
    }

    async fn a_cohort_is_filled_by_nobody_else(app) {
        let world = World::new(app).await;
        let (_, made) = cohort(&world).await;
        let body = json!({"identifiers": ["ann"]});
        for key in ["", "nothing", "ser.nothing", &world.client.clone(), &world.token.clone()] {
            sync(&world, key, &made, "add", body.clone()).await.expect(401);
        }
        let other = world.post("/api/v1/environments/", json!({"name": "Other", "project": world.project})).await;
        let path = format!("/api/v1/environments/{}/api-keys/", other["api_key"].as_str().unwrap());
        let foreign = world.post(&path, json!({"name": "server"})).await["key"].as_str().unwrap().to_owned();
        sync(&world, &foreign, &made, "add", body.clone()).await.expect(404);
        let keys = format!("/api/v1/organisations/{}/master-api-keys/", world.organisation);
        let weak = world.post(&keys, json!({"name": "weak", "is_admin": false})).await["key"].as_str().unwrap().to_owned();
        sync(&world, &weak, &made, "add", body.clone()).await.expect(404);
        for wrong in [json!({}), json!({"identifiers": []}), json!({"identifiers": "ann"}), json!({"identifiers": [""]}),
            json!({"identifiers": (0..10_001).map(|n| n.to_string()).collect::<Vec<_>>()})] {
            let answer = sync(&world, &world.server, &made, "add", wrong).await.expect(400);
            assert!(!answer["identifiers"].is_null(), "{answer}");
        }
        // Its members are the business of whoever keeps the cohort.
        let lists = format!("/api/v1/environments/{}/list-segments/testers/members/", world.client);
        world.app.manage(&world.token, Method::POST, &lists, Some(&json!({"add": ["ann"]}))).await.expect(400);
        assert_eq!(value(&world, "ann").await, "plain");
    }
}
