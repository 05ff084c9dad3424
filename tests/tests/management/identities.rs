//! `/api/v1/environments/{key}/identities/` and the traits below.

use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

fn path(world: &World) -> String {
    format!("/api/v1/environments/{}/identities/", world.key)
}

async fn create(app: &TestApp, world: &World, identifier: &str) -> i64 {
    let answer = app
        .post(&world.admin, &path(world), &json!({"identifier": identifier}))
        .await;
    id(&answer.expect(201))
}

/// Gives an identity a text trait.
async fn set(app: &TestApp, world: &World, identity: i64, key: &str, value: &str) -> Value {
    let body = json!({"trait_key": key, "value_type": "unicode", "string_value": value});
    let traits = format!("{}{identity}/traits/", path(world));
    app.post(&world.admin, &traits, &body).await.expect(201)
}

/// The traits of an identity, as key and id.
async fn keys(app: &TestApp, world: &World, identity: i64) -> Vec<(String, i64)> {
    let list = app
        .get(&world.admin, &format!("{}{identity}/traits/", path(world)))
        .await
        .expect(200);
    let rows = list["results"].as_array().unwrap();
    rows.iter()
        .map(|row| (row["trait_key"].as_str().unwrap().to_owned(), id(row)))
        .collect()
}

both! {
    async fn identities_are_made_found_renamed_and_deleted(app) {
        let world = app.world().await;
        let alice = create(&app, &world, "alice").await;
        let one = format!("{}{alice}/", path(&world));
        let view = json!({"id": alice, "identifier": "alice", "environment": world.environment});
        assert_eq!(app.get(&world.admin, &one).await.expect(200), view);
        let number = app.post(&world.admin, &path(&world), &json!({"identifier": 77})).await.expect(201);
        assert_eq!(number["identifier"], "77");
        let taken = json!({"identifier": "Identity with identifier 'alice' already exists in this environment"});
        assert_eq!(app.post(&world.admin, &path(&world), &json!({"identifier": "alice"})).await.expect(400), taken);
        assert_eq!(app.put(&world.admin, &one, &json!({"identifier": "alice"})).await.expect(400), taken);
        let renamed = app.put(&world.admin, &one, &json!({"identifier": "eve"})).await.expect(200);
        assert_eq!(renamed["identifier"], "eve");
        assert_eq!(app.patch(&world.admin, &one, &json!({})).await.expect(200), renamed);
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &one).await.expect(404), json!({"detail": "No Identity matches the given query."}));
        app.delete(&world.admin, &one).await.expect(404);
        // Without overrides, no prepared answer knows of the identity.
        let log = app.log("IDENTITY").await;
        assert_eq!(log.len(), 4);
        assert!(log.iter().all(|c| !c.serves));
        // A deleted identity has no name any more, in the log neither.
        let said: Vec<_> = log.iter().filter_map(|c| c.message.as_deref()).collect();
        let gone = format!("identity {alice} (deleted)");
        assert_eq!(said, [gone.as_str(), "Identity created: 77", &gone, "Identity deleted"]);
    }

    async fn what_is_wrong_with_an_identifier_is_said(app) {
        let world = app.world().await;
        for (body, text) in [
            (json!({}), "This field is required."),
            (json!({"identifier": ""}), "This field may not be blank."),
            (json!({"identifier": null}), "This field may not be null."),
            (json!({"identifier": "a\0b"}), "Null characters are not allowed."),
            (json!({"identifier": "x".repeat(2001)}), "Ensure this field has no more than 2000 characters."),
        ] {
            assert_eq!(app.post(&world.admin, &path(&world), &body).await.expect(400), json!({"identifier": [text]}));
        }
        for id in ["alice", "99999999999999999999", "-1", "%00"] {
            app.get(&world.admin, &format!("{}{id}/", path(&world))).await.expect(404);
            app.get(&world.admin, &format!("{}{id}/traits/", path(&world))).await.expect(404);
        }
    }

    async fn a_search_takes_text_as_it_is_and_pages(app) {
        let world = app.world().await;
        for identifier in ["alice", "77", "Malice_1", "100%", "a\\b"] {
            create(&app, &world, identifier).await;
        }
        for (q, found) in [
            ("ALI", vec!["alice", "Malice_1"]), ("%22alice%22", vec!["alice"]), ("%22ali%22", vec![]), ("_", vec!["Malice_1"]),
            ("%25", vec!["100%"]), ("%5C", vec!["a\\b"]), ("%00", vec![]), ("%22", vec![]), ("%22%00%22", vec![]),
        ] {
            let list = app.get(&world.admin, &format!("{}?q={q}", path(&world))).await.expect(200);
            let names: Vec<_> = list["results"].as_array().unwrap().iter().map(|row| row["identifier"].clone()).collect();
            assert_eq!((json!(names), &list["count"]), (json!(found), &json!(found.len())), "{q}");
        }
        let page = app.get(&world.admin, &format!("{}?page_size=2&page=3", path(&world))).await.expect(200);
        assert_eq!((&page["count"], &page["results"][0]["identifier"]), (&json!(5), &json!("a\\b")));
        assert_eq!(page["next"], Value::Null);
        for page in ["0", "4", "x", "9223372036854775807"] {
            app.get(&world.admin, &format!("{}?page_size=2&page={page}", path(&world))).await.expect(404);
        }
    }

    async fn traits_keep_their_types_and_ids(app) {
        let world = app.world().await;
        let alice = create(&app, &world, "alice").await;
        let traits = format!("{}{alice}/traits/", path(&world));
        for (kind, field, value) in [
            ("unicode", "string_value", json!("pro")), ("int", "integer_value", json!(i64::MAX)),
            ("bool", "boolean_value", json!(true)), ("float", "float_value", json!(1.0)),
        ] {
            let body = json!({"trait_key": kind, "value_type": kind, field: value});
            let made = app.post(&world.admin, &traits, &body).await.expect(201);
            let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, ["id", "trait_key", "value_type", "integer_value", "string_value", "boolean_value",
                "float_value", "created_date"]);
            assert_eq!((&made["value_type"], &made[field]), (&json!(kind), &value));
            assert_eq!(app.get(&world.admin, &format!("{traits}{}/", id(&made))).await.expect(200), made);
        }
        let first = format!("{traits}{}/", alice * 4096);
        let put = json!({"trait_key": "plan", "value_type": "unicode", "string_value": "free"});
        let changed = app.put(&world.admin, &first, &put).await.expect(200);
        assert_eq!((&changed["trait_key"], &changed["string_value"]), (&json!("plan"), &json!("free")));
        let changed = app.patch(&world.admin, &first, &json!({"string_value": "pro"})).await.expect(200);
        assert_eq!((id(&changed), &changed["string_value"]), (alice * 4096, &json!("pro")));
        app.delete(&world.admin, &format!("{traits}{}/", alice * 4096 + 1)).await.expect(204);
        let left = keys(&app, &world, alice).await;
        let left: Vec<_> = left.iter().map(|(key, id)| (key.as_str(), id - alice * 4096)).collect();
        assert_eq!(left, [("plan", 0), ("bool", 2), ("float", 3)]);
    }

    async fn what_is_wrong_with_a_trait_is_said(app) {
        let world = app.world().await;
        let alice = create(&app, &world, "alice").await;
        let traits = format!("{}{alice}/traits/", path(&world));
        let made = set(&app, &world, alice, "plan", "pro").await;
        set(&app, &world, alice, "other", "x").await;
        let one = format!("{traits}{}/", id(&made));
        for (body, field) in [
            (json!({}), "trait_key"), (json!({"trait_key": "plan", "string_value": "x"}), "trait_key"),
            (json!({"trait_key": "a"}), "string_value"), (json!({"trait_key": "a", "value_type": "list"}), "value_type"),
            (json!({"trait_key": "a", "value_type": "int", "integer_value": "x"}), "integer_value"),
            (json!({"trait_key": "a", "value_type": "int", "string_value": "x"}), "integer_value"),
            (json!({"trait_key": "x".repeat(201), "string_value": "x"}), "trait_key"),
            (json!({"trait_key": "a", "string_value": "x".repeat(2001)}), "string_value"),
        ] {
            let wrong = app.post(&world.admin, &traits, &body).await.expect(400);
            assert_eq!(wrong.as_object().unwrap().keys().collect::<Vec<_>>(), [field], "{body}");
        }
        app.patch(&world.admin, &one, &json!({"trait_key": "other"})).await.expect(400);
        app.patch(&world.admin, &one, &json!({"value_type": "int"})).await.expect(400);
        for id in [0, 1, -1, alice * 4096 + 7, (alice + 1) * 4096, i64::MAX] {
            app.get(&world.admin, &format!("{traits}{id}/")).await.expect(404);
            app.delete(&world.admin, &format!("{traits}{id}/")).await.expect(404);
        }
        let max = app.get(&world.admin, &format!("{}{}/traits/", path(&world), i64::MAX)).await;
        max.expect(404);
    }

    async fn a_trait_can_be_deleted_from_everybody_and_the_others_keep_place_and_value(app) {
        let world = app.world().await;
        let (alice, bob, carol) =
            (create(&app, &world, "alice").await, create(&app, &world, "bob").await, create(&app, &world, "carol").await);
        for (identity, keys) in [(alice, vec!["a", "x\"y", "c"]), (bob, vec!["x\"y"]), (carol, vec!["c"])] {
            for key in keys {
                set(&app, &world, identity, key, "v, \"quoted\" \\ ü").await;
            }
        }
        let float = json!({"trait_key": "f", "value_type": "float", "float_value": 2.0});
        app.post(&world.admin, &format!("{}{alice}/traits/", path(&world)), &float).await.expect(201);
        let (_, other) = app.environment(&world.admin, world.project, "Other").await;
        let elsewhere = World { key: other.clone(), ..world.clone() };
        let stranger = create(&app, &elsewhere, "alice").await;
        set(&app, &elsewhere, stranger, "x\"y", "v").await;

        let environment = format!("/api/v1/environments/{}/", world.key);
        let all = app.get(&world.admin, &format!("{environment}trait-keys/")).await.expect(200);
        assert_eq!(all, json!({"keys": ["a", "c", "f", "x\"y"]}));
        let delete = format!("{environment}delete-traits/");
        let answer = app.post(&world.admin, &delete, &json!({"key": "x\"y"})).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
        let left = keys(&app, &world, alice).await;
        assert_eq!(left, [("a".into(), alice * 4096), ("c".into(), alice * 4096 + 2), ("f".into(), alice * 4096 + 3)]);
        let list = app.get(&world.admin, &format!("{}{alice}/traits/", path(&world))).await.expect(200);
        assert_eq!(list["results"][1]["string_value"], "v, \"quoted\" \\ ü");
        assert_eq!(list["results"][2]["value_type"], "float");
        assert_eq!(keys(&app, &world, bob).await, []);
        assert_eq!(keys(&app, &elsewhere, stranger).await.len(), 1);

        let everywhere = format!("{}{carol}/traits/{}/?deleteAllMatchingTraits=true", path(&world), carol * 4096);
        app.delete(&world.admin, &everywhere).await.expect(204);
        assert_eq!(keys(&app, &world, alice).await.len(), 2);
        app.post(&world.admin, &delete, &json!({"key": "nope"})).await.expect(200);
        let wrong = app.post(&world.admin, &delete, &json!({})).await.expect(400);
        assert_eq!(wrong, json!({"detail": "Couldn't delete trait keys."}));
    }

    async fn identities_are_for_those_who_may_and_only_of_their_environment(app) {
        let world = app.world().await;
        let alice = create(&app, &world, "alice").await;
        let one = format!("{}{alice}/", path(&world));
        let stored = set(&app, &world, alice, "plan", "pro").await;
        let one_trait = format!("{one}traits/{}/", id(&stored));
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        for person in [&world.member, &world.stranger] {
            for path in [path(&world), one.clone(), format!("{one}traits/"), one_trait.clone(), format!("{}?page=x", path(&world))] {
                app.get(person, &path).await.expect(403);
            }
            app.post(person, &path(&world), &json!({})).await.expect(403);
            app.put(person, &one, &json!({})).await.expect(403);
            app.post(person, &format!("{one}traits/"), &json!({})).await.expect(403);
            app.patch(person, &one_trait, &json!({})).await.expect(403);
            app.delete(person, &one_trait).await.expect(403);
            app.delete(person, &one).await.expect(403);
            app.get(person, &format!("/api/v1/environments/{}/edge-identities/", world.key)).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_IDENTITIES"]).await;
        app.get(&world.member, &one_trait).await.expect(200);
        app.delete(&world.member, &one_trait).await.expect(403);

        let (_, other) = app.environment(&world.admin, world.project, "Other").await;
        let elsewhere = format!("/api/v1/environments/{other}/identities/{alice}/");
        for path in [elsewhere.clone(), format!("{elsewhere}traits/"), format!("{elsewhere}traits/{}/", id(&stored))] {
            app.get(&world.admin, &path).await.expect(404);
        }
        app.delete(&world.admin, &elsewhere).await.expect(404);
        app.delete(&world.admin, &format!("{elsewhere}traits/{}/?deleteAllMatchingTraits=true", id(&stored))).await.expect(404);
        app.get(&world.admin, &one_trait).await.expect(200);
    }

    async fn there_are_no_edge_identities(app) {
        let world = app.world().await;
        let edge = format!("/api/v1/environments/{}/edge-identities/", world.key);
        let wrong = app.get(&world.admin, &edge).await.expect(400);
        assert_eq!(wrong, json!({"detail": "Dynamo DB is not enabled for this project"}));
    }
}
