//! Versions (v2): drafts, publishing, history, and what SDKs are answered meanwhile.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::{World, both, flag, id};
use futures_util::future::join_all;
use serde_json::{Value, json};

const VERSION: [&str; 9] = [
    "created_at",
    "updated_at",
    "published",
    "live_from",
    "uuid",
    "is_live",
    "published_by",
    "created_by",
    "description",
];

/// The fields of an object, in their order in the text of the answer.
fn fields(text: &str) -> Vec<String> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(text).expect("an object");
    let mut names: Vec<String> = object.keys().cloned().collect();
    names.sort_by_key(|name| text.find(&format!("\"{name}\":")));
    names
}

async fn enable(world: &World) {
    let path = format!("/api/v1/environments/{}/enable-v2-versioning/", world.client);
    world
        .app
        .manage(&world.token, Method::POST, &path, Some(&json!({})))
        .await
        .expect(202);
}

fn versions(world: &World, feature: i64) -> String {
    format!(
        "/api/v1/environments/{}/features/{feature}/versions/",
        world.environment
    )
}

async fn get(world: &World, path: &str) -> Value {
    world.manage(Method::GET, path, Value::Null).await
}

async fn listed(world: &World, feature: i64, query: &str) -> Vec<Value> {
    let answer = get(world, &format!("{}{query}", versions(world, feature))).await;
    answer["results"].as_array().expect("a list").clone()
}

/// A version as it is answered, and the path below which it is.
async fn version(world: &World, feature: i64, body: Value) -> (Value, String) {
    let made = world.post(&versions(world, feature), body).await;
    let path = format!(
        "{}{}/",
        versions(world, feature),
        made["uuid"].as_str().expect("a uuid")
    );
    (made, path)
}

fn text(value: &str) -> Value {
    json!({"type": "unicode", "string_value": value})
}

fn default(value: &str) -> Value {
    json!([{"enabled": true, "feature_segment": null, "feature_state_value": text(value)}])
}

fn for_segment(segment: i64, value: &str) -> Value {
    json!({"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": text(value)})
}

/// What everybody gets.
async fn value(world: &World, name: &str) -> Value {
    let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
    flag(&flags, name).expect("the flag")["feature_state_value"].clone()
}

/// What somebody on a plan gets.
async fn value_on(world: &World, name: &str, plan: &str) -> Value {
    let body = json!({"identifier": "somebody", "traits": [{"trait_key": "plan", "trait_value": plan}]});
    let answer = world.identify(body).await;
    flag(&answer["flags"], name).expect("the flag")["feature_state_value"].clone()
}

both! {
    async fn versioning_is_turned_on_and_off_once(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let path = |word: &str| format!("/api/v1/environments/{}/{word}-v2-versioning/", world.client);
        let call = async |word: &str| world.app.manage(&world.token, Method::POST, &path(word), Some(&json!({}))).await;
        assert_eq!(call("disable").await.expect(400), json!({"detail": "Environment is not using v2 versioning."}));
        let before = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        assert_eq!(call("enable").await.expect(202), Value::Null);
        assert_eq!(call("enable").await.expect(400), json!({"detail": "Environment already using v2 versioning."}));
        let environment = get(&world, &format!("/api/v1/environments/{}/", world.client)).await;
        assert_eq!(environment["use_v2_feature_versioning"], true);
        assert_eq!(world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200), before);
        let first = listed(&world, feature, "").await;
        assert_eq!(first.len(), 1);
        assert_eq!((&first[0]["published"], &first[0]["is_live"]), (&json!(true), &json!(true)));
        assert_eq!((&first[0]["published_by"], &first[0]["created_by"]), (&Value::Null, &Value::Null));
        version(&world, feature, json!({"publish_immediately": true, "feature_states_to_update": default("two")})).await;
        call("disable").await.expect(202);
        assert_eq!(value(&world, "f").await, "two");
        assert_eq!(listed(&world, feature, "").await.len(), 0);
        // It changes in place again.
        world.set(feature, json!({"feature_state_value": "three"})).await;
        assert_eq!(value(&world, "f").await, "three");
        let log = world.app.log("ENVIRONMENT").await;
        assert_eq!(log.last().expect("a line").message.as_deref(), Some("Environment updated: Development"));
    }

    async fn a_draft_serves_nothing_until_it_is_published(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v", "default_enabled": true})).await;
        let segment = world.segment("pros", "plan", "EQUAL", "pro").await;
        enable(&world).await;
        let path = versions(&world, feature);
        let answer = world.app.manage(&world.token, Method::POST, &path, Some(&json!({}))).await;
        assert_eq!(fields(&answer.text), VERSION);
        let draft = answer.expect(201);
        assert_eq!((&draft["published"], &draft["live_from"], &draft["is_live"]), (&json!(false), &Value::Null, &json!(false)));
        let draft = format!("{path}{}/", draft["uuid"].as_str().expect("a uuid"));
        let states = get(&world, &format!("{draft}featurestates/")).await;
        assert_eq!(fields(&states[0].to_string()).len(), 14);
        let state = format!("{draft}featurestates/{}/", states[0]["id"]);
        let change = json!({"enabled": true, "feature_state_value": text("two"), "feature": feature, "environment": world.environment});
        let changed = world.manage(Method::PUT, &state, change).await;
        assert_eq!(changed["feature_state_value"], json!({"type": "unicode", "string_value": "two", "integer_value": null, "boolean_value": null}));
        let made = world.post(&format!("{draft}featurestates/"), for_segment(segment, "pro value")).await;
        assert_eq!((&made["feature_segment"]["segment"], &made["feature_segment"]["priority"]), (&json!(segment), &json!(0)));
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("v"), json!("v")));
        let published = world.app.manage(&world.token, Method::POST, &format!("{draft}publish/"), Some(&json!({}))).await.expect(200);
        assert!(published["live_from"].is_string());
        let again = world.app.manage(&world.token, Method::POST, &format!("{draft}publish/"), Some(&json!({}))).await.expect(200);
        assert_eq!(again, published);
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("two"), json!("pro value")));
        let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        assert_eq!(flag(&flags, "f").expect("the flag")["id"], states[0]["id"]);
        // A published version is as it is.
        let refused = world.app.manage(&world.token, Method::PUT, &state, Some(&json!({"feature_state_value": text("x")}))).await;
        assert_eq!(refused.expect(400), json!({"detail": "Cannot modify published version."}));
        let refused = world.app.manage(&world.token, Method::DELETE, &draft, None).await;
        assert_eq!(refused.expect(400), json!({"detail": "Cannot delete a live version."}));
        let log = world.app.log("EF_VERSION").await;
        let line = log.last().expect("a line");
        assert_eq!((line.message.as_deref(), line.serves), (Some("New version published for feature: f"), true));
        let states: Vec<_> = world.app.log("FEATURE_STATE").await.into_iter().rev().take(2).map(|line| (line.action, line.message)).collect();
        assert_eq!(states, [("CREATE".to_owned(), None), ("UPDATE".to_owned(), None)]);
    }

    async fn a_version_knows_the_one_before_it(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        enable(&world).await;
        let first = listed(&world, feature, "").await[0]["uuid"].clone();
        let (second, _) = version(&world, feature, json!({"publish_immediately": true, "description": "why"})).await;
        let (draft, _) = version(&world, feature, json!({})).await;
        let path = |uuid: &Value| format!("/api/v1/environment-feature-versions/{}/", uuid.as_str().expect("a uuid"));
        let shown = get(&world, &path(&second["uuid"])).await;
        assert_eq!((&shown["previous_version_uuid"], &shown["feature"], &shown["environment"], &shown["description"]),
            (&first, &json!(feature), &json!(world.environment), &json!("why")));
        assert_eq!(get(&world, &path(&first)).await["previous_version_uuid"], Value::Null);
        let uuids = |rows: Vec<Value>| -> Vec<Value> { rows.iter().map(|row| row["uuid"].clone()).collect() };
        assert_eq!(uuids(listed(&world, feature, "").await), [draft["uuid"].clone(), second["uuid"].clone(), first.clone()]);
        assert_eq!(uuids(listed(&world, feature, "?is_live=true").await), [second["uuid"].clone(), first]);
        assert_eq!(uuids(listed(&world, feature, "?is_live=false").await), [draft["uuid"].clone()]);
        assert_eq!(uuids(listed(&world, feature, "?page_size=1").await).len(), 1);
        let draft = format!("{}{}/", versions(&world, feature), draft["uuid"].as_str().expect("a uuid"));
        world.app.manage(&world.token, Method::DELETE, &draft, None).await.expect(204);
        world.app.manage(&world.token, Method::GET, &format!("{draft}featurestates/"), None).await.expect(404);
    }

    async fn a_version_is_made_and_published_in_one_call(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let (pros, teams) = (world.segment("pros", "plan", "EQUAL", "pro").await, world.segment("teams", "plan", "EQUAL", "team").await);
        world.override_for_segment(feature, pros, "pro value").await;
        enable(&world).await;
        let body = json!({"publish_immediately": true, "feature_states_to_update": default("two"),
            "feature_states_to_create": [{"enabled": true, "feature_segment": {"segment": teams, "priority": 0}, "feature_state_value": text("team value")}]});
        version(&world, feature, body).await;
        assert_eq!(value(&world, "f").await, "two");
        assert_eq!((value_on(&world, "f", "pro").await, value_on(&world, "f", "team").await), (json!("pro value"), json!("team value")));
        let links = get(&world, &format!("/api/v1/features/feature-segments/?environment={}&feature={feature}", world.environment)).await;
        let order: Vec<_> = links["results"].as_array().expect("a list").iter().map(|link| link["segment"].clone()).collect();
        assert_eq!(order, [json!(teams), json!(pros)]);
        version(&world, feature, json!({"publish_immediately": true, "segment_ids_to_delete_overrides": [pros]})).await;
        assert_eq!(value_on(&world, "f", "pro").await, "two");
        // The environment document is of one mind with the answers.
        let document = world.sdk_with(&world.server, Method::GET, "/api/v1/environment-document/", None).await.expect(200);
        assert_eq!(document["feature_states"][0]["feature_state_value"], "two");
        let states = get(&world, &format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment)).await;
        assert_eq!(states["count"], 2);
        assert_eq!(states["results"][0]["environment_feature_version"], listed(&world, feature, "").await[0]["uuid"]);
    }

    async fn what_is_wrong_with_a_version_is_said_of_its_part(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        let option = world.option(feature, "a", 50.0).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        let path = versions(&world, feature);
        let make = async |body: Value| world.app.manage(&world.token, Method::POST, &path, Some(&body)).await.expect(400);
        assert_eq!(make(json!({})).await, json!({"environment": "Environment must use v2 feature versioning."}));
        enable(&world).await;
        let problem = make(json!({"feature_states_to_create": [for_segment(99_999, "x")]})).await;
        assert_eq!(problem["feature_states_to_create"][0]["feature_segment"]["segment"][0], "Invalid pk \"99999\" - object does not exist.");
        let problem = make(json!({"feature_states_to_update": [{"enabled": true}, for_segment(pros, "x")]})).await;
        assert_eq!(problem["feature_states_to_update"][0], json!({}));
        assert!(problem["feature_states_to_update"][1]["feature_segment"]["segment"].is_array());
        let weights = |percentage: i64| json!({"feature_states_to_update": [{"multivariate_feature_state_values": [
            {"multivariate_feature_option": option, "percentage_allocation": percentage}]}]});
        let problem = make(weights(101)).await;
        assert!(problem["feature_states_to_update"][0]["multivariate_feature_state_values"][0]["percentage_allocation"].is_array(), "{problem}");
        let problem = make(json!({"feature_states_to_create": [for_segment(pros, "x"), for_segment(pros, "y")]})).await;
        assert!(problem["feature_states_to_create"][1]["feature_segment"]["segment"].is_array());
        assert!(make(json!({"live_from": "soon"})).await["live_from"].is_array());
        assert!(make(json!({"segment_ids_to_delete_overrides": ["x"]})).await["segment_ids_to_delete_overrides"].is_array());
        assert_eq!(listed(&world, feature, "").await.len(), 1);
        world.app.manage(&world.token, Method::POST, &versions(&world, 99_999), Some(&json!({}))).await.expect(404);
        world.app.manage(&world.token, Method::GET, "/api/v1/environment-feature-versions/none/", None).await.expect(404);
    }

    async fn nobody_changes_variant_when_a_version_is_published(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "control", "default_enabled": true})).await;
        for (key, share) in [("a", 30.0), ("b", 40.0)] {
            world.option(feature, key, share).await;
        }
        let variants = async || {
            let mut found = Vec::new();
            for n in 0..30 {
                let answer = world.identify(json!({"identifier": format!("user-{n}"), "transient": true})).await;
                found.push(flag(&answer["flags"], "f").expect("the flag")["feature_state_value"].clone());
            }
            found
        };
        let before = variants().await;
        assert!(before.iter().any(|value| *value != before[0]));
        enable(&world).await;
        assert_eq!(variants().await, before);
        version(&world, feature, json!({"publish_immediately": true})).await;
        let (_, draft) = version(&world, feature, json!({})).await;
        world.manage(Method::POST, &format!("{draft}publish/"), json!({})).await;
        assert_eq!(variants().await, before);
        let first = listed(&world, feature, "").await.pop().expect("a version");
        let restore = format!("{}{}/restore/", versions(&world, feature), first["uuid"].as_str().expect("a uuid"));
        world.post(&restore, json!({})).await;
        assert_eq!(variants().await, before);
        let disable = format!("/api/v1/environments/{}/disable-v2-versioning/", world.client);
        world.app.manage(&world.token, Method::POST, &disable, Some(&json!({}))).await.expect(202);
        assert_eq!(variants().await, before);
    }

    async fn history_outlives_the_segments_and_options_it_speaks_of(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let option = world.option(feature, "a", 30.0).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        world.override_for_segment(feature, pros, "pro value").await;
        enable(&world).await;
        let first = listed(&world, feature, "").await[0]["uuid"].as_str().expect("a uuid").to_owned();
        let first = format!("{}{first}/", versions(&world, feature));
        version(&world, feature, json!({"publish_immediately": true, "segment_ids_to_delete_overrides": [pros]})).await;
        let project = format!("/api/v1/projects/{}", world.project);
        world.app.manage(&world.token, Method::DELETE, &format!("{project}/segments/{pros}/"), None).await.expect(204);
        world.app.manage(&world.token, Method::DELETE, &format!("{project}/features/{feature}/mv-options/{option}/"), None).await.expect(204);
        let states = get(&world, &format!("{first}featurestates/")).await;
        assert_eq!(states[1]["feature_segment"]["segment"], pros);
        assert_eq!(states[0]["multivariate_feature_state_values"][0]["multivariate_feature_option"], option);
        let compared = get(&world, &format!("{}{}/compare/", versions(&world, feature), listed(&world, feature, "").await[0]["uuid"].as_str().expect("a uuid"))).await;
        let gone = compared["changes"].as_array().expect("a list").iter().find(|change| !change["segment"].is_null()).expect("the override");
        assert_eq!((&gone["segment"], &gone["after"]), (&json!({"id": pros, "name": "pros"}), &Value::Null));
        // What can be brought back is.
        world.post(&format!("{first}restore/"), json!({})).await;
        let states = get(&world, &format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment)).await;
        assert_eq!((&states["count"], &states["results"][0]["multivariate_feature_state_values"]), (&json!(1), &json!([])));
    }

    async fn a_draft_from_before_options_were_added_goes_live_with_them(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        enable(&world).await;
        let (_, draft) = version(&world, feature, json!({"feature_states_to_create": [for_segment(pros, "pro value")]})).await;
        let option = world.option(feature, "late", 30.0).await;
        world.manage(Method::POST, &format!("{draft}publish/"), json!({})).await;
        let states = get(&world, &format!("{draft}featurestates/")).await;
        let shares = &states[0]["multivariate_feature_state_values"];
        assert_eq!((&shares[0]["multivariate_feature_option"], &shares[0]["percentage_allocation"]), (&json!(option), &json!(30.0)));
        assert_eq!(states[1]["multivariate_feature_state_values"], json!([]));
    }

    async fn two_versions_are_compared_and_an_old_one_is_restored(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "one"})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        enable(&world).await;
        let first = listed(&world, feature, "").await[0].clone();
        let body = json!({"publish_immediately": true, "feature_states_to_update": default("two"), "feature_states_to_create": [for_segment(pros, "p")]});
        let (second, path) = version(&world, feature, body).await;
        let compared = get(&world, &format!("{path}compare/")).await;
        assert_eq!((&compared["from"]["uuid"], &compared["to"]["uuid"]), (&first["uuid"], &second["uuid"]));
        let changes = compared["changes"].as_array().expect("a list");
        assert_eq!(changes.len(), 2);
        assert_eq!((&changes[0]["segment"], &changes[0]["before"]["feature_state_value"]["string_value"]), (&Value::Null, &json!("one")));
        assert_eq!((&changes[1]["segment"]["name"], &changes[1]["before"]), (&json!("pros"), &Value::Null));
        let (same, _) = version(&world, feature, json!({})).await;
        let with = format!("{path}compare/?with={}", same["uuid"].as_str().expect("a uuid"));
        assert_eq!(get(&world, &with).await["changes"], json!([]));
        let restore = format!("{}{}/restore/", versions(&world, feature), first["uuid"].as_str().expect("a uuid"));
        let restored = world.app.manage(&world.token, Method::POST, &restore, Some(&json!({}))).await;
        assert_eq!(fields(&restored.text), VERSION);
        let restored = restored.expect(201);
        assert_eq!((&restored["is_live"], &restored["description"]), (&json!(true), &json!(format!("Restores version {}", first["uuid"].as_str().expect("a uuid")))));
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("one"), json!("one")));
        let draft = world.post(&format!("{path}restore/"), json!({"publish_immediately": false, "description": "again"})).await;
        assert_eq!((&draft["published"], &draft["description"]), (&json!(false), &json!("again")));
    }

    async fn new_features_and_copies_of_environments_begin_with_a_version(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "before"})).await;
        enable(&world).await;
        let feature = world.feature(json!({"name": "after"})).await;
        let first = listed(&world, feature, "").await;
        assert_eq!((first.len(), &first[0]["is_live"], &first[0]["published_by"]), (1, &json!(true), &Value::Null));
        let copy = world.manage(Method::POST, &format!("/api/v1/environments/{}/clone/", world.client), json!({"name": "Copy"})).await;
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", id(&copy));
        assert_eq!(get(&world, &path).await["count"], 1);
    }

    async fn where_there_are_versions_flags_are_not_changed_beside_them(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        let link = world.override_for_segment(feature, pros, "pro value").await["feature_segment"]["id"].clone();
        enable(&world).await;
        let refusal = json!({"detail": "This environment uses v2 feature versioning. Use the environment feature version endpoint instead."});
        let states = format!("/api/v1/environments/{}/featurestates/", world.client);
        let state = get(&world, &format!("{states}?feature={feature}")).await["results"][0]["id"].clone();
        let named = json!({"feature": feature, "environment": world.environment, "enabled": true});
        for (method, path, body) in [
            (Method::PUT, format!("{states}{state}/"), json!({"enabled": true})),
            (Method::PUT, format!("{states}{state}/"), json!({"enabled": true, "live_from": "2099-01-01T00:00:00Z"})),
            (Method::PUT, format!("/api/v1/features/featurestates/{state}/"), named),
            (Method::DELETE, format!("/api/v1/features/feature-segments/{link}/"), Value::Null),
            (Method::POST, "/api/v1/features/feature-segments/update-priorities/".to_owned(), json!([{"id": link, "priority": 1}])),
        ] {
            let answer = world.app.manage(&world.token, method, &path, Some(&body)).await;
            assert_eq!(answer.expect(400), refusal, "{path}");
        }
    }

    async fn the_calls_that_set_whole_flags_publish_a_version(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let pros = world.segment("pros", "plan", "EQUAL", "pro").await;
        enable(&world).await;
        let base = format!("/api/experiments/environments/{}", world.client);
        let post = async |path: String, body: Value| world.app.manage(&world.token, Method::POST, &path, Some(&body)).await.expect(204);
        let string = |value: &str| json!({"type": "string", "value": value});
        post(format!("{base}/update-flag-v1/"), json!({"feature": {"name": "f"}, "enabled": true, "value": string("two")})).await;
        assert_eq!(value(&world, "f").await, "two");
        // The same again changes nothing, and is no version.
        post(format!("{base}/update-flag-v1/"), json!({"feature": {"name": "f"}, "enabled": true, "value": string("two")})).await;
        assert_eq!(listed(&world, feature, "").await.len(), 2);
        let overrides = json!([{"segment_id": pros, "priority": 0, "enabled": true, "value": string("pro value")}]);
        post(format!("{base}/update-flag-v2/"), json!({"feature": {"id": feature}, "environment_default": {"enabled": true, "value": string("three")}, "segment_overrides": overrides})).await;
        assert_eq!((value(&world, "f").await, value_on(&world, "f", "pro").await), (json!("three"), json!("pro value")));
        post(format!("{base}/delete-segment-override/"), json!({"feature": {"id": feature}, "segment": {"id": pros}})).await;
        assert_eq!(value_on(&world, "f", "pro").await, "three");
        assert_eq!(listed(&world, feature, "").await.len(), 4);
        let future = format!("/api/__future__/environments/{}/features/{feature}/", world.client);
        let body = json!({"segment_overrides": [{"segment": {"id": pros}, "enabled": true, "value": string("again")}]});
        world.manage(Method::PATCH, &future, body).await;
        assert_eq!(value_on(&world, "f", "pro").await, "again");
        world.app.manage(&world.token, Method::DELETE, &format!("{future}segment-overrides/{pros}/"), None).await.expect(200);
        assert_eq!(listed(&world, feature, "").await.len(), 6);
    }

    async fn versions_published_together_lose_nothing_of_each_other(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let mut segments = Vec::new();
        for n in 0..6 {
            segments.push(world.segment(&format!("s{n}"), "plan", "EQUAL", &format!("p{n}")).await);
        }
        enable(&world).await;
        let path = versions(&world, feature);
        let bodies: Vec<Value> = segments.iter().map(|segment| json!({"publish_immediately": true, "feature_states_to_create": [for_segment(*segment, "x")]})).collect();
        let calls = bodies.iter().map(|body| world.app.manage(&world.token, Method::POST, &path, Some(body)));
        for answer in join_all(calls).await {
            answer.expect(201);
        }
        let states = get(&world, &format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment)).await;
        assert_eq!(states["count"], 7);
        // Drafts that are published at once: each is live for its time, the last one stays.
        let mut drafts = Vec::new();
        for n in 0..4 {
            drafts.push(version(&world, feature, json!({"feature_states_to_update": default(&format!("d{n}"))})).await.1);
        }
        let empty = json!({});
        let publishes: Vec<String> = drafts.iter().map(|draft| format!("{draft}publish/")).collect();
        for answer in join_all(publishes.iter().map(|path| world.app.manage(&world.token, Method::POST, path, Some(&empty)))).await {
            answer.expect(200);
        }
        let live = listed(&world, feature, "?is_live=true").await;
        let newest = live.iter().max_by_key(|version| version["live_from"].as_str()).expect("a version");
        let states = get(&world, &format!("{path}{}/featurestates/", newest["uuid"].as_str().expect("a uuid"))).await;
        assert_eq!(value(&world, "f").await, states[0]["feature_state_value"]["string_value"]);
    }

    async fn versions_are_for_those_who_may_change_the_feature(app) {
        let world = app.world().await;
        let project = format!("/api/v1/projects/{}/features/", world.project);
        let feature = id(&app.post(&world.admin, &project, &json!({"name": "f"})).await.expect(201));
        let enable = format!("/api/v1/environments/{}/enable-v2-versioning/", world.key);
        app.post(&world.member, &enable, &json!({})).await.expect(403);
        app.post(&world.stranger, &enable, &json!({})).await.expect(403);
        app.post(&world.admin, &enable, &json!({})).await.expect(202);
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", world.environment);
        app.get(&world.member, &path).await.expect(403);
        let uuid = app.get(&world.admin, &path).await.expect(200)["results"][0]["uuid"].as_str().expect("a uuid").to_owned();
        let single = format!("/api/v1/environment-feature-versions/{uuid}/");
        app.get(&world.member, &single).await.expect(404);
        app.get(&world.stranger, &single).await.expect(404);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &path).await.expect(200);
        app.get(&world.member, &single).await.expect(200);
        app.get(&world.member, &format!("{path}{uuid}/featurestates/")).await.expect(200);
        app.get(&world.member, &format!("{path}{uuid}/compare/")).await.expect(200);
        for tail in ["", &format!("{uuid}/publish/"), &format!("{uuid}/restore/"), &format!("{uuid}/featurestates/")] {
            let body = json!({"feature_state_value": {}});
            app.post(&world.member, &format!("{path}{tail}"), &body).await.expect(403);
            app.post(&world.stranger, &format!("{path}{tail}"), &body).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["UPDATE_FEATURE_STATE"]).await;
        app.post(&world.member, &path, &json!({"publish_immediately": true})).await.expect(201);
        // A version of another feature, or environment, is not there.
        let other = id(&app.post(&world.admin, &project, &json!({"name": "g"})).await.expect(201));
        let elsewhere = format!("/api/v1/environments/{}/features/{other}/versions/{uuid}/featurestates/", world.environment);
        app.get(&world.admin, &elsewhere).await.expect(404);
    }

    async fn from_the_audit_log_the_version_before_is_put_back(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "one"})).await;
        enable(&world).await;
        version(&world, feature, json!({"publish_immediately": true, "feature_states_to_update": default("two")})).await;
        let audit = format!("/api/v1/projects/{}/audit/", world.project);
        let line = get(&world, &audit).await["results"][0].clone();
        assert_eq!((&line["log"], &line["related_object_type"]), (&json!("New version published for feature: f"), &json!("EF_VERSION")));
        let revert = format!("{audit}{}/revert/", id(&line));
        world.app.manage(&world.token, Method::POST, &revert, Some(&json!({}))).await.expect(200);
        assert_eq!((value(&world, "f").await, listed(&world, feature, "").await.len()), (json!("one"), 3));
        // Something else is live by now.
        world.app.manage(&world.token, Method::POST, &revert, Some(&json!({}))).await.expect(409);
        world.app.manage(&world.token, Method::POST, &revert, Some(&json!({"force": true}))).await.expect(200);
    }

    async fn where_changes_need_approval_a_version_is_not_published_directly(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f"})).await;
        enable(&world).await;
        world.set_environment(json!({"minimum_change_request_approvals": 1})).await;
        let (_, draft) = version(&world, feature, json!({})).await;
        for (path, body) in [
            (format!("{draft}publish/"), json!({})),
            (format!("{draft}restore/"), json!({})),
            (versions(&world, feature), json!({"publish_immediately": true})),
        ] {
            world.app.manage(&world.token, Method::POST, &path, Some(&body)).await.expect(403);
        }
        assert_eq!(listed(&world, feature, "").await.len(), 2);
    }

    async fn a_state_of_a_draft_changes_in_parts_and_an_override_goes(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        enable(&world).await;
        let (_, path) = version(&world, feature, json!({"feature_states_to_create": [for_segment(segment, "for pro")]})).await;
        let states = format!("{path}featurestates/");
        let listed = get(&world, &states).await;
        let (everybody, over) = (id(&listed[0]), id(&listed[1]));
        let one = |state: i64| format!("{states}{state}/");
        let changed = world.manage(Method::PATCH, &one(everybody), json!({"enabled": true})).await;
        assert_eq!((&changed["enabled"], &changed["feature_state_value"]["string_value"]), (&json!(true), &json!("v")));
        let changed = world.manage(Method::PATCH, &one(over), json!({"feature_state_value": text("for the pros")})).await;
        assert_eq!(changed["feature_segment"]["segment"], segment);
        let wrong = json!({"feature_state_value": {"type": "date"}});
        let wrong = world.app.manage(&world.token, Method::PATCH, &one(over), Some(&wrong)).await.expect(400);
        assert_eq!(wrong, json!({"feature_state_value": {"type": ["\"date\" is not a valid choice."]}}));
        // What everybody gets can't be taken out of a version; nothing of it is served yet.
        let refused = world.app.manage(&world.token, Method::DELETE, &one(everybody), None).await;
        assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
        world.manage(Method::DELETE, &one(over), Value::Null).await;
        world.app.manage(&world.token, Method::DELETE, &one(over), None).await.expect(404);
        assert_eq!(get(&world, &states).await.as_array().map(Vec::len), Some(1));
        let stranger = world.app.person("stranger").await;
        for method in [Method::PATCH, Method::DELETE] {
            let refused = world.app.by(&stranger, method, &one(everybody), Some(&json!({"enabled": false}))).await;
            assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
        }
        world.manage(Method::POST, &format!("{path}publish/"), json!({})).await;
        assert_eq!(value_on(&world, "f", "pro").await, "v");
        // Once it is live it is history.
        let refused = world.app.manage(&world.token, Method::PATCH, &one(everybody), Some(&json!({"enabled": false}))).await;
        assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
        let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        assert_eq!(flag(&flags, "f").expect("the flag")["enabled"], true);
    }

}
