//! `pii_mode` of projects, and `/api/v1/projects/{id}/pii-findings/`

use axum::body::Body;
use axum::http::{Method, Request};
use burgee_testkit::{Answer, World, both, flag, id};
use serde_json::{Value, json};

use super::pii_scene::{ADDRESS, ENCODED, guarded, set};

async fn findings(world: &World) -> Vec<Value> {
    let path = format!("/api/v1/projects/{}/pii-findings/", world.project);
    let found = world.manage(Method::GET, &path, Value::Null).await;
    found.as_array().unwrap().clone()
}

fn warned(answer: &Answer) -> Option<&str> {
    answer.headers.get("burgee-pii")?.to_str().ok()
}

async fn get(world: &World, path: &str) -> Answer {
    world.sdk(Method::GET, path, None).await
}

fn served(answer: &Value) -> &Value {
    &flag(&answer["flags"], "f").unwrap()["feature_state_value"]
}

/// The names that identities of the environment are stored under.
async fn stored(world: &World) -> Vec<String> {
    let path = format!("/api/v1/environments/{}/identities/", world.client);
    let list = world.manage(Method::GET, &path, Value::Null).await;
    let name = |row: &Value| row["identifier"].as_str().unwrap().to_owned();
    list["results"].as_array().unwrap().iter().map(name).collect()
}

both! {
    async fn a_project_that_warns_stores_what_it_is_sent_and_counts_it_by_kind_and_place(app) {
        let world = guarded(app, "warn").await;
        let answer = get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await;
        assert_eq!(warned(&answer), Some("warn; field=identifier; kind=email"));
        answer.expect(200);
        let body = json!({"identifier": "u", "traits": [{"trait_key": "reach", "trait_value": "+49 170 1234567"}, {"trait_key": "plan", "trait_value": "pro"}]});
        let answer = world.sdk(Method::POST, "/api/v1/identities/", Some(body)).await;
        assert_eq!(warned(&answer), Some("warn; field=traits.trait_value; kind=phone"));
        assert_eq!(answer.expect(200)["traits"][0]["trait_value"], "+49 170 1234567");
        let plain = get(&world, "/api/v1/identities/?identifier=u").await;
        assert_eq!(warned(&plain), None);
        let mut found = findings(&world).await;
        let counted = |one: &Value| (one["count"].clone(), one["entrance"].clone(), one["field"].clone(), one["name"].clone(), one["kind"].clone(), one["mode"].clone());
        found.sort_by_key(|one| one["kind"].to_string());
        let expected = [
            (json!(1), json!("identities"), json!("identifier"), json!(""), json!("email"), json!("warn")),
            (json!(1), json!("identities"), json!("traits.trait_value"), json!("reach"), json!("phone"), json!("warn")),
        ];
        assert_eq!(found.iter().map(counted).collect::<Vec<_>>(), expected);
        assert!(!json!(found).to_string().contains(ADDRESS));
        get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await.expect(200);
        assert_eq!(findings(&world).await[0]["count"], 2);
        world.manage(Method::DELETE, &format!("/api/v1/projects/{}/pii-findings/", world.project), Value::Null).await;
        assert!(findings(&world).await.is_empty());
    }

    async fn a_refusal_names_the_field_and_the_kind_and_never_the_data(app) {
        let world = guarded(app, "refuse").await;
        let answer = get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await;
        let told = answer.text.clone();
        assert!(told.contains("kind: email") && !told.contains(ADDRESS), "{told}");
        assert!(answer.expect(400)["identifier"][0].is_string());
        let body = json!({"identifier": "u", "traits": [{"trait_key": "iban", "trait_value": "DE89370400440532013000"}]});
        let answer = world.sdk(Method::POST, "/api/v1/identities/", Some(body)).await;
        assert!(answer.expect(400)["traits.trait_value"][0].as_str().unwrap().contains("kind: iban"));
        // All or nothing.
        let body = json!({"data": [{"identifier": "fine"}, {"identifier": ADDRESS}]});
        world.sdk_with(&world.server, Method::PUT, "/api/v1/bulk-identities/", Some(body)).await.expect(400);
        assert_eq!(stored(&world).await, [""; 0]);
        assert!(findings(&world).await.iter().all(|one| one["mode"] == "refuse" && one["name"] == ""));
    }

    async fn the_same_identifier_evaluates_the_same_once_its_hash_is_stored(app) {
        let world = World::new(app).await;
        world.set_environment(json!({"use_identity_composite_key_for_hashing": true})).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "plain", "default_enabled": true})).await;
        for key in ["a", "b", "c"] {
            world.option(feature, key, 25.0).await;
        }
        let rule = world.segment("house", "$.identity.identifier", "CONTAINS", "@house.example").await;
        let other = world.feature(json!({"name": "ruled", "initial_value": "plain"})).await;
        world.override_for_segment(other, rule, "house").await;
        let names: Vec<String> = (0..20).map(|n| format!("p{n}@house.example")).collect();
        let mut before = Vec::new();
        for name in &names {
            before.push(world.identify(json!({"identifier": name, "transient": true})).await["flags"].clone());
        }
        set(&world, json!({"pii_mode": "hash"})).await;
        for (name, flags) in names.iter().zip(&before) {
            for _ in 0..2 {
                let answer = world.identify(json!({"identifier": name})).await;
                assert_eq!((&answer["flags"], &answer["identifier"]), (flags, &json!(name)));
            }
            let encoded = name.replace('@', "%40");
            assert_eq!(&get(&world, &format!("/api/v1/identities/?identifier={encoded}")).await.expect(200)["flags"], flags);
            assert_eq!(&world.identify(json!({"identifier": name, "transient": true})).await["flags"], flags);
        }
        let stored = stored(&world).await;
        assert_eq!(stored.len(), names.len());
        assert!(stored.iter().all(|name| name.starts_with("pii-email-")), "{stored:?}");
    }

    async fn overrides_and_traits_of_a_hashed_identity_are_found_by_its_text_on_every_way(app) {
        let world = guarded(app, "hash").await;
        let feature = world.feature(json!({"name": "f", "initial_value": "plain"})).await;
        let only = world.identity(ADDRESS).await;
        world.override_for_identity(feature, only, "mine").await;
        let by_get = get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await.expect(200);
        assert_eq!(served(&by_get), "mine");
        let traits = json!([{"trait_key": "plan", "trait_value": "pro"}]);
        assert_eq!(served(&world.identify(json!({"identifier": ADDRESS, "traits": traits})).await), "mine");
        let ofrep = world.sdk(Method::POST, "/ofrep/v1/evaluate/flags/f", Some(json!({"context": {"targetingKey": ADDRESS}}))).await;
        assert_eq!(ofrep.expect(200)["value"], "mine");
        let bulk = json!({"data": [{"identifier": ADDRESS, "traits": [{"trait_key": "seen", "trait_value": 1}]}]});
        world.sdk_with(&world.server, Method::PUT, "/api/v1/bulk-identities/", Some(bulk)).await.expect(202);
        let one = json!({"identity": {"identifier": ADDRESS}, "trait_key": "last", "trait_value": 2});
        world.sdk(Method::POST, "/api/v1/traits/", Some(one)).await.expect(200);
        let answer = get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await.expect(200);
        let keys: Vec<&str> = answer["traits"].as_array().unwrap().iter().map(|t| t["trait_key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["plan", "seen", "last"]);
        // One row, which whoever looks for the address finds.
        assert_eq!(stored(&world).await.len(), 1);
        let path = format!("/api/v1/environments/{}/identities/", world.client);
        for q in [format!("%22{ENCODED}%22"), ENCODED.to_owned()] {
            let found = world.manage(Method::GET, &format!("{path}?q={q}"), Value::Null).await;
            assert_eq!((&found["count"], id(&found["results"][0])), (&json!(1), only));
        }
        world.app.manage(&world.token, Method::POST, &path, Some(&json!({"identifier": ADDRESS}))).await.expect(400);
    }

    async fn edge_operations_know_a_hashed_identity_by_its_text(app) {
        let world = guarded(app, "hash").await;
        set(&world, json!({"use_edge_identities": true})).await;
        world.feature(json!({"name": "f", "initial_value": "plain"})).await;
        let path = format!("/api/v1/environments/environments/{}/edge-identities-featurestates/", world.client);
        let body = json!({"identifier": ADDRESS, "feature": "f", "enabled": true, "feature_state_value": "mine"});
        world.manage(Method::PUT, &path, body.clone()).await;
        let answer = get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await.expect(200);
        assert_eq!(served(&answer), "mine");
        let edge = format!("/api/v1/environments/{}/edge-identities/", world.client);
        for q in [format!("%22{ENCODED}%22"), ENCODED.to_owned()] {
            let found = world.manage(Method::GET, &format!("{edge}?q={q}"), Value::Null).await;
            let name = found["results"][0]["identifier"].as_str().unwrap();
            assert!(name.starts_with("pii-email-"), "{found}");
        }
        let gone = json!({"identifier": ADDRESS, "feature": "f"});
        world.manage(Method::DELETE, &path, gone).await;
        let answer = get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await.expect(200);
        assert_eq!(served(&answer), "plain");
    }

    async fn whoever_was_stored_before_stays_who_he_is(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "plain"})).await;
        let only = world.identity(ADDRESS).await;
        world.override_for_identity(feature, only, "mine").await;
        set(&world, json!({"pii_mode": "hash"})).await;
        let answer = world.identify(json!({"identifier": ADDRESS, "traits": [{"trait_key": "plan", "trait_value": "pro"}]})).await;
        assert_eq!(served(&answer), "mine");
        let bulk = json!({"data": [{"identifier": ADDRESS, "traits": [{"trait_key": "seen", "trait_value": 1}]}]});
        world.sdk_with(&world.server, Method::PUT, "/api/v1/bulk-identities/", Some(bulk)).await.expect(202);
        assert_eq!(stored(&world).await, [ADDRESS]);
    }

    async fn members_of_lists_are_hashed_and_found_by_their_text(app) {
        let world = World::new(app).await;
        let lists = format!("/api/v1/projects/{}/list-segments/", world.project);
        let made = world.post(&lists, json!({"name": "beta"})).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "plain"})).await;
        world.override_for_segment(feature, made["segment"].as_i64().unwrap(), "listed").await;
        let here = format!("/api/v1/environments/{}/list-segments/beta/", world.client);
        world.post(&format!("{here}members/"), json!({"add": ["old@example.org"]})).await;
        set(&world, json!({"pii_mode": "hash"})).await;
        world.post(&format!("{here}members/"), json!({"add": [ADDRESS, "old@example.org", "plain"]})).await;
        for name in [ADDRESS, "old@example.org", "plain"] {
            let answer = world.identify(json!({"identifier": name, "transient": true})).await;
            assert_eq!(served(&answer), "listed", "{name}");
        }
        let look = format!("{here}members/lookup/?member={ENCODED}");
        assert_eq!(world.manage(Method::GET, &look, Value::Null).await["included"], true);
        let all = world.app.manage(&world.token, Method::GET, &format!("{here}members/"), None).await.text;
        assert!(!all.contains(ADDRESS) && all.contains("pii-email-") && all.contains("plain"), "{all}");
        let left = world.post(&format!("{here}members/"), json!({"remove": [ADDRESS, "old@example.org"]})).await;
        assert_eq!(left["removed"], 2);
        // A file, too: of values of a trait.
        let upload = Request::builder().method(Method::POST)
            .uri(format!("{here}members/upload/?mode=replace&context_kind=mail"))
            .header("authorization", format!("Token {}", world.token)).header("content-type", "text/csv")
            .body(Body::from(format!("{ADDRESS}\nx\n"))).unwrap();
        assert_eq!(world.app.send(upload).await.expect(200)["members"], 2);
        for transient in [true, false] {
            let body = json!({"identifier": "u", "traits": [{"trait_key": "mail", "trait_value": ADDRESS, "transient": transient}]});
            assert_eq!(served(&world.identify(body).await), "listed", "transient: {transient}");
        }
        assert_eq!(served(&get(&world, "/api/v1/identities/?identifier=u").await.expect(200)), "listed");
    }

    async fn what_is_allowed_is_not_looked_at(app) {
        let world = guarded(app, "refuse").await;
        let set_to = set(&world, json!({"pii_allowed_traits": ["support"], "pii_allowed_values": ["*@pii.example"]})).await;
        assert_eq!((&set_to["pii_mode"], &set_to["pii_allowed_traits"]), (&json!("refuse"), &json!(["support"])));
        get(&world, &format!("/api/v1/identities/?identifier={ENCODED}")).await.expect(200);
        get(&world, "/api/v1/identities/?identifier=bob%40example.org").await.expect(400);
        let with = |key: &str| json!({"identifier": "u", "traits": [{"trait_key": key, "trait_value": "bob@example.org"}]});
        world.identify(with("support")).await;
        world.sdk(Method::POST, "/api/v1/identities/", Some(with("mail"))).await.expect(400);
        // Ids of all kinds are no personal data, and versions aren't either where the key says what they are.
        let ids = ["user-123", "507f1f77bcf86cd799439011", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "4111111111111111", "2024-01-31T12:34:56Z"];
        for name in ids {
            get(&world, &format!("/api/v1/identities/?identifier={name}")).await.expect(200);
        }
        world.identify(json!({"identifier": "u", "traits": [{"trait_key": "app_version", "trait_value": "1.2.3.4"}]})).await;
    }

    async fn settings_that_can_t_be_meant_are_refused_and_those_that_can_are_logged(app) {
        let world = World::new(app).await;
        let path = format!("/api/v1/projects/{}/", world.project);
        for (field, value) in [("pii_mode", json!("loud")), ("pii_allowed_values", json!(["*"])), ("pii_allowed_traits", json!(vec!["x"; 101])),
            ("pii_allowed_traits", json!([""])), ("pii_allowed_values", json!("a"))] {
            let answer = world.app.manage(&world.token, Method::PATCH, &path, Some(&json!({field: value}))).await;
            assert!(answer.body[field] != json!(null), "{field}: {}", answer.text);
            answer.expect(400);
        }
        let project = world.manage(Method::GET, &path, Value::Null).await;
        // Nothing was set, and nothing is told that clients of the reference do not know.
        assert!(project.as_object().unwrap().keys().all(|key| !key.starts_with("pii")), "{project}");
        set(&world, json!({"pii_mode": "warn", "pii_allowed_values": ["*@example.com"]})).await;
        let audit = world.manage(Method::GET, &format!("/api/v1/projects/{}/audit/", world.project), Value::Null).await;
        let line = audit["results"].as_array().unwrap().iter().find(|line| line["related_object_type"] == "PROJECT").unwrap();
        let details = world.manage(Method::GET, &format!("/api/v1/audit/{}/", id(line)), Value::Null).await;
        assert!(details.to_string().contains("pii_mode"), "{details}");
    }
}
