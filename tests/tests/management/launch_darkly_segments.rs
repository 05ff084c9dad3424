//! `/api/v2/segments/…`: list segments as LaunchDarkly has them

use axum::body::Body;
use axum::http::{Method, Request};
use burgee_store::grants::Object;
use burgee_testkit::{Answer, World, both, flag};
use serde_json::{Value, json};

const SEMANTIC: &str = "application/json; domain-model=launchdarkly.semanticpatch";

/// A master API key that may do everything.
async fn token(world: &World) -> String {
    let path = format!("/api/v1/organisations/{}/master-api-keys/", world.organisation);
    world.post(&path, json!({"name": "sync", "is_admin": true})).await["key"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn call(world: &World, token: &str, method: Method, path: &str, kind: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v2/segments/web/development{path}"))
        .header("authorization", token)
        .header("ld-api-version", "20240415")
        .header("content-type", kind)
        .body(if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        })
        .unwrap();
    world.app.send(request).await
}

async fn segment(world: &World, token: &str, body: Value) -> Value {
    call(world, token, Method::POST, "", "application/json", body)
        .await
        .expect(201)
}

async fn patch(world: &World, token: &str, key: &str, instructions: Value) -> Answer {
    let body = json!({"environmentKey": "development", "comment": "run 7", "instructions": instructions});
    call(world, token, Method::PATCH, &format!("/{key}"), SEMANTIC, body).await
}

async fn get(world: &World, token: &str, path: &str) -> Answer {
    call(world, token, Method::GET, path, "application/json", Value::Null).await
}

#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    let fields: Vec<&str> = answer
        .body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        (fields, &answer.body["code"]),
        (vec!["code", "message", "id"], &json!(code))
    );
    answer.body["message"].as_str().unwrap().to_owned()
}

both! {
    async fn a_segment_is_created_shown_and_filled_with_a_semantic_patch(app) {
        let world = World::new(app).await;
        let token = token(&world).await;
        let made = segment(&world, &token, json!({"name": "High value", "key": "high-value", "tags": ["crm"]})).await;
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["name", "tags", "creationDate", "lastModifiedDate", "key", "included", "excluded",
            "includedContexts", "excludedContexts", "_links", "rules", "version", "deleted", "unbounded", "generation"]);
        assert_eq!(made["_links"]["self"], json!({"href": "/api/v2/segments/web/development/high-value", "type": "application/json"}));
        let feature = world.feature(json!({"name": "f", "initial_value": "plain"})).await;
        let lists = world.manage(Method::GET, &format!("/api/v1/projects/{}/list-segments/high-value/", world.project), Value::Null).await;
        world.override_for_segment(feature, lists["segment"].as_i64().unwrap(), "listed").await;

        let answer = patch(&world, &token, "high-value", json!([
            {"kind": "addIncludedTargets", "contextKind": "user", "values": ["b", "a"]},
            {"kind": "addExcludedTargets", "contextKind": "user", "values": ["x"]},
            {"kind": "addIncludedTargets", "contextKind": "company", "values": ["acme"]},
            {"kind": "addExcludedUsers", "values": ["y"]}])).await.expect(200);
        assert_eq!((&answer["included"], &answer["excluded"]), (&json!(["a", "b"]), &json!(["x", "y"])));
        assert_eq!(answer["includedContexts"], json!([{"values": ["acme"], "contextKind": "company"}]));
        let flags = world.identify(json!({"identifier": "a"})).await;
        assert_eq!(flag(&flags["flags"], "f").unwrap()["feature_state_value"], "listed");
        let version = answer["version"].as_i64().unwrap();
        // What is so already changes nothing.
        let again = patch(&world, &token, "high-value", json!([{"kind": "addIncludedTargets", "contextKind": "user", "values": ["a"]}])).await.expect(200);
        assert_eq!(again["version"], version);
        let answer = patch(&world, &token, "high-value", json!([
            {"kind": "removeIncludedTargets", "contextKind": "user", "values": ["a"]},
            {"kind": "removeExcludedUsers", "values": ["y"]},
            {"kind": "updateName", "value": "Higher value"}, {"kind": "updateDescription", "value": "d"},
            {"kind": "addTags", "values": ["vip"]}, {"kind": "removeTags", "values": ["crm"]}])).await.expect(200);
        assert_eq!((&answer["included"], &answer["name"], &answer["description"], &answer["tags"]),
            (&json!(["b"]), &json!("Higher value"), &json!("d"), &json!(["vip"])));
        assert!(answer["version"].as_i64().unwrap() > version);
        assert_eq!(get(&world, &token, "/high-value").await.expect(200), answer);
        let flags = world.identify(json!({"identifier": "a"})).await;
        assert_eq!(flag(&flags["flags"], "f").unwrap()["feature_state_value"], "plain");
        // A user's token does as well, and so do ids in the place of keys.
        let path = format!("/api/v2/segments/{}/{}/high-value", world.project, world.client);
        let headers = [("authorization", world.token.as_str())];
        assert_eq!(world.app.call(Method::GET, &path, &headers, None).await.expect(200)["key"], "high-value");
    }

    async fn a_patch_that_is_wrong_in_one_place_changes_nothing(app) {
        let world = World::new(app).await;
        let token = token(&world).await;
        segment(&world, &token, json!({"name": "S", "key": "s"})).await;
        let before = patch(&world, &token, "s", json!([{"kind": "addExcludedTargets", "contextKind": "user", "values": ["x"]}])).await.expect(200);
        let add = |values: Value| json!({"kind": "addIncludedTargets", "contextKind": "user", "values": values});
        let many: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        for wrong in [
            json!([add(json!(["a"])), {"kind": "addFriends", "values": ["b"]}]),
            json!([add(json!(["a"])), {"kind": "addIncludedTargets", "values": ["b"]}]),
            json!([add(json!(["a", 7]))]),
            json!([add(json!(["a", ""]))]),
            json!([add(json!(["a", "x"]))]),
            json!([add(json!(["a"])), {"kind": "addExcludedTargets", "contextKind": "user", "values": ["a"]}]),
            json!([add(json!(many)), {"kind": "removeIncludedTargets", "contextKind": "user", "values": (0..501).map(|n| n.to_string()).collect::<Vec<_>>()}]),
            json!([{"values": ["a"]}]),
            json!("add a"),
        ] {
            refused(patch(&world, &token, "s", wrong).await, 400, "invalid_request");
        }
        let body = json!({"instructions": [add(json!(["a"]))]});
        refused(call(&world, &token, Method::PATCH, "/s", SEMANTIC, body.clone()).await, 400, "invalid_request");
        let body = json!({"environmentKey": "development", "instructions": [add(json!(["a"]))]});
        let message = refused(call(&world, &token, Method::PATCH, "/s", "application/json", body.clone()).await, 400, "invalid_request");
        assert!(message.contains("domain-model"), "{message}");
        let dry = call(&world, &token, Method::PATCH, "/s?dryRun=true", SEMANTIC, body).await.expect(200);
        assert_eq!(dry["included"], json!(["a"]));
        assert_eq!(get(&world, &token, "/s").await.expect(200), before);
        // To move somebody from one side to the other is no conflict.
        let moved = patch(&world, &token, "s", json!([{"kind": "removeExcludedTargets", "contextKind": "user", "values": ["x"]}, add(json!(["x"]))])).await.expect(200);
        assert_eq!((&moved["included"], &moved["excluded"]), (&json!(["x"]), &json!([])));
    }

    async fn a_json_patch_changes_what_it_names(app) {
        let world = World::new(app).await;
        let token = token(&world).await;
        segment(&world, &token, json!({"name": "S", "key": "s"})).await;
        let operations = json!([
            {"op": "add", "path": "/included/-", "value": "a"}, {"op": "add", "path": "/included/0", "value": "b"},
            {"op": "add", "path": "/includedContexts/-", "value": {"contextKind": "company", "values": ["acme"]}},
            {"op": "replace", "path": "/description", "value": "d"}, {"op": "test", "path": "/version", "value": 1}]);
        let answer = call(&world, &token, Method::PATCH, "/s", "application/json", operations).await.expect(200);
        assert_eq!((&answer["included"], &answer["description"]), (&json!(["a", "b"]), &json!("d")));
        assert_eq!(answer["includedContexts"][0]["values"], json!(["acme"]));
        let body = json!({"comment": "c", "patch": [{"op": "remove", "path": "/included/0"}]});
        let answer = call(&world, &token, Method::PATCH, "/s", "application/json", body).await.expect(200);
        assert_eq!(answer["included"], json!(["b"]));
        for wrong in [
            json!([{"op": "test", "path": "/version", "value": 1}]),
            json!([{"op": "remove", "path": "/included/9"}]),
            json!([{"op": "add", "path": "/included/-", "value": 7}]),
            json!([{"op": "replace", "path": "/key", "value": "t"}]),
            json!([{"op": "replace", "path": "included", "value": []}]),
            json!({"included": ["c"]}),
        ] {
            refused(call(&world, &token, Method::PATCH, "/s", "application/json", wrong).await, 400, "invalid_request");
        }
        assert_eq!(get(&world, &token, "/s").await.expect(200)["included"], json!(["b"]));
    }

    async fn big_segments_are_filled_by_contexts_and_told_by_counts(app) {
        let world = World::new(app).await;
        let token = token(&world).await;
        let made = segment(&world, &token, json!({"name": "Big", "key": "big", "unbounded": true})).await;
        assert_eq!((&made["unbounded"], &made["unboundedContextKind"], made.get("included")), (&json!(true), &json!("user"), None));
        let many: Vec<String> = (0..3_000).map(|n| format!("u{n}")).collect();
        let body = json!({"included": {"add": many}, "excluded": {"add": ["x"]}});
        call(&world, &token, Method::POST, "/big/contexts", "application/json", body).await.expect(204);
        let body = json!({"included": {"remove": ["u0"], "add": []}});
        call(&world, &token, Method::POST, "/big/users", "application/json", body).await.expect(204);
        let shown = get(&world, &token, "/big").await.expect(200);
        assert_eq!((&shown["_unboundedMetadata"]["includedCount"], &shown["_unboundedMetadata"]["excludedCount"]), (&json!(2_999), &json!(1)));
        assert_eq!(get(&world, &token, "/big/contexts/u1").await.expect(200), json!({"userKey": "u1", "included": true, "excluded": false}));
        assert_eq!(get(&world, &token, "/big/contexts/u0").await.expect(200)["included"], false);
        assert_eq!(get(&world, &token, "/big/users/x").await.expect(200)["excluded"], true);
        let answer = patch(&world, &token, "big", json!([
            {"kind": "addBigSegmentIncludedTargets", "values": ["u0"]},
            {"kind": "removeBigSegmentExcludedTargets", "values": ["x"]}])).await.expect(200);
        assert_eq!(answer["_unboundedMetadata"]["includedCount"], 3_000);
        refused(call(&world, &token, Method::POST, "/big/contexts", "application/json", json!({"included": {"add": [1]}})).await, 400, "invalid_request");
        let body = json!({"included": {"add": ["both"]}, "excluded": {"add": ["both"]}});
        refused(call(&world, &token, Method::POST, "/big/contexts", "application/json", body).await, 400, "invalid_request");
    }

    async fn segments_are_listed_in_pages_and_by_filters(app) {
        let world = World::new(app).await;
        let token = token(&world).await;
        for (key, tags) in [("alpha", json!(["crm"])), ("beta", json!([])), ("gamma", json!(["crm", "vip"]))] {
            segment(&world, &token, json!({"name": key.to_uppercase(), "key": key, "tags": tags})).await;
        }
        let keys = |answer: &Value| answer["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let all = get(&world, &token, "").await.expect(200);
        assert_eq!((keys(&all), &all["totalCount"]), (vec!["gamma".to_owned(), "beta".to_owned(), "alpha".to_owned()], &json!(3)));
        let page = get(&world, &token, "?limit=1&offset=1&sort=name").await.expect(200);
        assert_eq!((keys(&page), &page["totalCount"]), (vec!["beta".to_owned()], &json!(3)));
        assert_eq!(page["_links"]["next"]["href"], "/api/v2/segments/web/development?limit=1&offset=2");
        assert_eq!(keys(&get(&world, &token, "?filter=query:ETA").await.expect(200)), ["beta"]);
        assert_eq!(keys(&get(&world, &token, "?filter=tags:crm%2Bvip,unbounded:false").await.expect(200)), ["gamma"]);
        refused(get(&world, &token, "?sort=size").await, 400, "invalid_request");
        refused(get(&world, &token, "?filter=colour:red").await, 400, "invalid_request");
        let taken = call(&world, &token, Method::POST, "", "application/json", json!({"name": "x", "key": "beta"})).await;
        refused(taken, 409, "conflict");
        refused(call(&world, &token, Method::POST, "", "application/json", json!({"name": "x"})).await, 400, "invalid_request");
    }

    async fn only_a_token_that_may_reaches_a_segment_and_every_answer_tells_the_limits(app) {
        let world = World::new(app).await;
        let token = token(&world).await;
        segment(&world, &token, json!({"name": "S", "key": "s"})).await;
        let answer = get(&world, &token, "/s").await;
        for family in ["global", "route", "auth-token"] {
            let number = |what: &str| answer.headers[&format!("x-ratelimit-{family}-{what}")].to_str().unwrap().parse::<i64>().unwrap();
            assert!(number("remaining") < number("limit"));
        }
        let now = burgee_model::Timestamp::now().0 / 1_000;
        for name in ["x-ratelimit-reset", "x-ratelimit-auth-token-reset"] {
            let reset: i64 = answer.headers[name].to_str().unwrap().parse().unwrap();
            assert!((0..=10_500).contains(&(reset - now)), "{name} is in milliseconds");
        }
        for wrong in ["", "nothing", "a.b", &format!("Bearer {token}"), &world.server.clone()] {
            refused(get(&world, wrong, "/s").await, 401, "unauthorized");
        }
        refused(get(&world, &token, "/unknown").await, 404, "not_found");
        let elsewhere = world.app.call(Method::GET, "/api/v2/segments/nothing/development/s", &[("authorization", &token)], None).await;
        refused(elsewhere, 404, "not_found");
        let old = world.app.call(Method::GET, "/api/v2/segments/web/development/s", &[("authorization", &token), ("ld-api-version", "20191212")], None).await;
        refused(old, 400, "invalid_request");
        // Somebody of the organisation who may not, and somebody of another one.
        let member = world.app.person("member").await;
        world.app.join(world.organisation, &member, "USER").await;
        refused(get(&world, &member.token, "/s").await, 404, "not_found");
        world.app.grant(&member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        refused(get(&world, &member.token, "/s").await, 403, "forbidden");
        world.app.grant(&member, Object::Environment(world.environment), &["VIEW_IDENTITIES"]).await;
        get(&world, &member.token, "/s").await.expect(200);
        let add = json!([{"kind": "addIncludedTargets", "contextKind": "user", "values": ["a"]}]);
        refused(patch(&world, &member.token, "s", add).await, 403, "forbidden");
        let stranger = world.app.person("stranger").await;
        world.app.organisation("Elsewhere", &stranger, "ADMIN").await;
        refused(get(&world, &stranger.token, "/s").await, 404, "not_found");
    }
}
