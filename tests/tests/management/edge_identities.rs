//! `/api/v1/environments/{key}/edge-identities/` and what is below and beside it

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_store::seeds;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both, flag};
use serde_json::{Value, json};

/// A world whose project has edge identities.
async fn edge_world(app: &TestApp) -> World {
    let world = app.world().await;
    let project = format!("/api/v1/projects/{}/", world.project);
    let set = app
        .patch(&world.admin, &project, &json!({"use_edge_identities": true}))
        .await
        .expect(200);
    assert_eq!(
        (&set["use_edge_identities"], &set["migration_status"]),
        (&json!(true), &json!("MIGRATION_COMPLETED"))
    );
    world
}

fn path(world: &World) -> String {
    format!("/api/v1/environments/{}/edge-identities/", world.key)
}

async fn create(app: &TestApp, world: &World, identifier: &str) -> String {
    let body = json!({"identifier": identifier});
    let made = app.post(&world.admin, &path(world), &body).await.expect(201);
    made["identity_uuid"].as_str().expect("a uuid").to_owned()
}

async fn feature(app: &TestApp, world: &World, name: &str) -> i64 {
    let features = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(&world.admin, &features, &json!({"name": name}))
        .await
        .expect(201))
}

fn names(list: &Value) -> Vec<&str> {
    let rows = list["results"].as_array().expect("a list").iter();
    rows.map(|row| row["identifier"].as_str().expect("an identifier"))
        .collect()
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// What the SDK says of a feature to an identity.
async fn asked(app: &TestApp, world: &World, identifier: &str, name: &str) -> Value {
    let path = format!("/api/v1/identities/?identifier={identifier}");
    let answer = app
        .call(Method::GET, &path, &[("x-environment-key", &world.key)], None)
        .await
        .expect(200);
    flag(&answer["flags"], name).expect("the flag")["feature_state_value"].clone()
}

both! {
    async fn identities_are_made_found_by_how_they_begin_and_paged_by_key(app) {
        let world = edge_world(&app).await;
        let alice = create(&app, &world, "alice").await;
        for name in ["Alina", "bob", "al%ph"] {
            create(&app, &world, name).await;
        }
        let one = format!("{}{alice}/", path(&world));
        let view = json!({"identity_uuid": alice, "identifier": "alice", "dashboard_alias": null});
        assert_eq!(app.get(&world.admin, &one).await.expect(200), view);
        let list = app.get(&world.admin, &path(&world)).await.expect(200);
        assert_eq!(keys(&list), ["results", "last_evaluated_key"]);
        assert_eq!((names(&list), &list["last_evaluated_key"]), (vec!["alice", "Alina", "bob", "al%ph"], &Value::Null));
        for (query, found) in [
            ("?q=al", vec!["alice", "Alina", "al%ph"]), ("?q=al%25", vec!["al%ph"]), ("?q=lice", vec![]),
            ("?q=%22bob%22", vec!["bob"]), ("?q=%22bo%22", vec![]), ("?q=%00", vec![]),
        ] {
            let list = app.get(&world.admin, &format!("{}{query}", path(&world))).await.expect(200);
            assert_eq!(names(&list), found, "{query}");
        }
        let first = app.get(&world.admin, &format!("{}?page_size=3", path(&world))).await.expect(200);
        let key = first["last_evaluated_key"].as_str().expect("a key").replace('=', "%3D");
        let next = app.get(&world.admin, &format!("{}?page_size=3&last_evaluated_key={key}", path(&world))).await;
        let next = next.expect(200);
        assert_eq!((names(&first).len(), names(&next), &next["last_evaluated_key"]), (3, vec!["al%ph"], &Value::Null));
        app.get(&world.admin, &format!("{}?last_evaluated_key=x", path(&world))).await.expect(400);
        // The same rows as the other set of operations has.
        let same = app.get(&world.admin, &format!("/api/v1/environments/{}/identities/", world.key)).await.expect(200);
        assert_eq!(names(&same), ["alice", "Alina", "bob", "al%ph"]);
        let taken = app.post(&world.admin, &path(&world), &json!({"identifier": "bob"})).await.expect(400);
        assert_eq!(taken, json!(["Identity with identifier: bob already exists"]));
        assert_eq!(app.post(&world.admin, &path(&world), &json!({})).await.expect(400),
            json!({"identifier": ["This field is required."]}));
        let named = app.put(&world.admin, &one, &json!({"dashboard_alias": "The Boss"})).await.expect(200);
        assert_eq!(named["dashboard_alias"], "The Boss");
        assert_eq!(app.patch(&world.admin, &one, &json!({})).await.expect(200), named);
        for query in ["dashboard_alias:the", "dashboard_alias:%22the%20boss%22"] {
            let list = app.get(&world.admin, &format!("{}?q={query}", path(&world))).await.expect(200);
            assert_eq!(names(&list), ["alice"], "{query}");
        }
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &one).await.expect(404), json!({"detail": "Not found."}));
        for wrong in ["x", "00000000-0000-0000-0000-000000000000"] {
            app.get(&world.admin, &format!("{}{wrong}/", path(&world))).await.expect(404);
        }
    }

    async fn traits_are_set_listed_and_taken_away(app) {
        let world = edge_world(&app).await;
        let alice = create(&app, &world, "alice").await;
        let (set, list) = (format!("{}{alice}/update-traits/", path(&world)), format!("{}{alice}/list-traits/", path(&world)));
        for (key, value) in [("plan", json!("pro")), ("age", json!(41)), ("score", json!(1.5)), ("beta", json!(true))] {
            let body = json!({"trait_key": key, "trait_value": value});
            assert_eq!(app.put(&world.admin, &set, &body).await.expect(200), body);
        }
        app.put(&world.admin, &set, &json!({"trait_key": "age", "trait_value": null})).await.expect(200);
        assert_eq!(app.get(&world.admin, &list).await.expect(200), json!([
            {"trait_key": "plan", "trait_value": "pro"},
            {"trait_key": "score", "trait_value": 1.5},
            {"trait_key": "beta", "trait_value": true},
        ]));
        for (body, field) in [
            (json!({"trait_value": 1}), "trait_key"), (json!({"trait_key": "a"}), "trait_value"),
            (json!({"trait_key": "a", "trait_value": [1]}), "trait_value"),
            (json!({"trait_key": "a", "trait_value": "x".repeat(2001)}), "trait_value"),
            (json!({"trait_key": "x".repeat(201), "trait_value": 1}), "trait_key"),
        ] {
            let wrong = app.put(&world.admin, &set, &body).await.expect(400);
            assert!(wrong[field].is_array(), "{wrong}");
        }
    }

    async fn overrides_work_by_uuid_and_by_identifier_on_the_rows_sdks_are_served_from(app) {
        let world = edge_world(&app).await;
        let (beta, gamma) = (feature(&app, &world, "beta").await, feature(&app, &world, "gamma").await);
        let (alice, bob) = (create(&app, &world, "alice").await, create(&app, &world, "bob").await);
        let states = format!("{}{alice}/edge-featurestates/", path(&world));
        let body = json!({"feature": beta, "enabled": true, "feature_state_value": "hers"});
        let made = app.post(&world.admin, &states, &body).await.expect(201);
        assert_eq!(keys(&made), ["feature_state_value", "feature", "multivariate_feature_state_values", "enabled",
            "featurestate_uuid", "identity_uuid"]);
        assert_eq!((&made["feature_state_value"], &made["identity_uuid"]), (&json!("hers"), &json!(alice)));
        assert_eq!(asked(&app, &world, "alice", "beta").await, "hers");
        assert_eq!(app.post(&world.admin, &states, &body).await.expect(400), json!(["Feature state already exists."]));
        assert_eq!(app.post(&world.admin, &states, &json!({"feature": 999})).await.expect(400),
            json!({"feature": ["Invalid pk \"999\" - object does not exist."]}));
        let one = format!("{states}{}/", made["featurestate_uuid"].as_str().unwrap());
        let changed = app.put(&world.admin, &one, &json!({"feature": beta, "feature_state_value": 7, "enabled": true})).await.expect(200);
        assert_eq!(app.get(&world.admin, &one).await.expect(200), changed);
        assert_eq!(app.get(&world.admin, &states).await.expect(200), json!([changed]));
        assert_eq!(app.get(&world.admin, &format!("{states}?feature={gamma}")).await.expect(200), json!([]));
        // Another identity's path does not lead to it.
        let elsewhere = format!("{}{bob}/edge-featurestates/{}/", path(&world), made["featurestate_uuid"].as_str().unwrap());
        app.get(&world.admin, &elsewhere).await.expect(404);
        let clone = format!("{}{bob}/edge-featurestates/clone-from-given-identity/", path(&world));
        let all = app.post(&world.admin, &clone, &json!({"source_identity_uuid": alice})).await.expect(200);
        assert_eq!((&all[0]["feature_state_value"], &all[0]["overridden_by"]), (&json!(7), &json!("IDENTITY")));
        assert_eq!(app.get(&world.admin, &format!("{}{bob}/edge-featurestates/all/", path(&world))).await.expect(200), all);

        let by_name = format!("/api/v1/environments/environments/{}/edge-identities-featurestates", world.key);
        let body = json!({"identifier": "carol", "feature": "gamma", "enabled": true, "feature_state_value": "new here"});
        let put = app.put(&world.admin, &by_name, &body).await.expect(200);
        assert_eq!((&put["feature"], &put["feature_state_value"]), (&json!(gamma), &json!("new here")));
        assert_eq!(asked(&app, &world, "carol", "gamma").await, "new here");
        let again = json!({"identifier": "carol", "feature": gamma, "enabled": true, "feature_state_value": "again"});
        assert_eq!(app.put(&world.admin, &by_name, &again).await.expect(200)["featurestate_uuid"], put["featurestate_uuid"]);
        let of_feature = format!("/api/v1/environments/{}/edge-identity-overrides?feature={gamma}", world.key);
        let found = app.get(&world.admin, &of_feature).await.expect(200);
        assert_eq!((names(&found), &found["results"][0]["identity_uuid"]), (vec!["carol"], &put["identity_uuid"]));
        assert_eq!(keys(&found["results"][0]["feature_state"]), ["feature_state_value", "feature",
            "multivariate_feature_state_values", "enabled", "featurestate_uuid"]);
        for _ in 0..2 {
            let name = json!({"identifier": "carol", "feature": gamma});
            app.by(&world.admin, Method::DELETE, &by_name, Some(&name)).await.expect(204);
        }
        assert_eq!(asked(&app, &world, "carol", "gamma").await, Value::Null);
        app.put(&world.admin, &by_name, &json!({"identifier": "carol", "feature": "none"})).await.expect(400);
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &states).await.expect(200), json!([]));
    }

    async fn projects_without_edge_identities_and_people_without_permission_are_refused(app) {
        let plain = app.world().await;
        let no = json!({"detail": "Dynamo DB is not enabled for this project"});
        let uuid = burgee_model::keys::identity_uuid(1);
        let states = format!("{uuid}/edge-featurestates/");
        let beside = format!("/api/v1/environments/{}/edge-identity-overrides", plain.key);
        for tail in ["", &format!("{uuid}/"), &format!("{uuid}/list-traits/"), &states, &format!("{states}all/")] {
            let at = format!("{}{tail}", path(&plain));
            assert_eq!(app.get(&plain.admin, &at).await.expect(400), no, "{tail}");
            app.get(&plain.member, &at).await.expect(403);
            app.get(&plain.stranger, &at).await.expect(403);
        }
        assert_eq!(app.get(&plain.admin, &beside).await.expect(400), no);
        let migrate = format!("/api/v1/projects/{}/migrate-to-edge/", plain.project);
        assert_eq!(app.post(&plain.admin, &migrate, &json!({})).await.expect(400), no);
        app.post(&plain.stranger, &migrate, &json!({})).await.expect(404);
        let project = format!("/api/v1/projects/{}/", plain.project);
        app.patch(&plain.admin, &project, &json!({"use_edge_identities": true})).await.expect(200);
        let alice = create(&app, &plain, "alice").await;
        app.grant(&plain.member, Object::Environment(plain.environment), &["VIEW_ENVIRONMENT", "VIEW_IDENTITIES"]).await;
        app.get(&plain.member, &path(&plain)).await.expect(200);
        app.post(&plain.member, &path(&plain), &json!({"identifier": "x"})).await.expect(403);
        app.delete(&plain.member, &format!("{}{alice}/", path(&plain))).await.expect(403);
        app.put(&plain.member, &format!("{}{alice}/update-traits/", path(&plain)),
            &json!({"trait_key": "a", "trait_value": 1})).await.expect(403);
        app.post(&plain.member, &format!("{}{alice}/edge-featurestates/", path(&plain)), &json!({"feature": 1})).await.expect(403);
    }

    async fn of_a_deleted_identity_nothing_remains_in_any_table(app) {
        let world = edge_world(&app).await;
        let beta = feature(&app, &world, "beta").await;
        let name = "forget-me@example.com";
        let uuid = create(&app, &world, name).await;
        let one = format!("{}{uuid}/", path(&world));
        app.put(&world.admin, &one, &json!({"dashboard_alias": "Alias-To-Forget"})).await.expect(200);
        let body = json!({"trait_key": "phone", "trait_value": "555-forget"});
        app.put(&world.admin, &format!("{one}update-traits/"), &body).await.expect(200);
        app.put(&world.admin, &format!("{one}update-traits/"), &json!({"trait_key": "phone", "trait_value": "555-again"})).await.expect(200);
        let body = json!({"feature": beta, "enabled": true, "feature_state_value": "x"});
        let made = app.post(&world.admin, &format!("{one}edge-featurestates/"), &body).await.expect(201);
        let state = format!("{one}edge-featurestates/{}/", made["featurestate_uuid"].as_str().unwrap());
        app.put(&world.admin, &state, &json!({"feature": beta, "enabled": false})).await.expect(200);
        asked(&app, &world, name, "beta").await;
        let mut tx = app.app.db().read().await.expect("a transaction");
        assert_eq!(seeds::tables_with(&mut tx, name).await.expect("tables"), ["changes", "identities"]);
        drop(tx);
        app.delete(&world.admin, &one).await.expect(204);
        let mut tx = app.app.db().read().await.expect("a transaction");
        for text in [name, "Alias-To-Forget", "555-forget", "555-again"] {
            assert_eq!(seeds::tables_with(&mut tx, text).await.expect("tables"), Vec::<String>::new(), "{text}");
        }
        // That something was done is still told.
        let log = app.log("FEATURE_STATE").await;
        let lines: Vec<&str> = log.iter().filter_map(|line| line.message.as_deref()).collect();
        assert!(lines.iter().any(|line| line.starts_with("Identity override created for feature 'beta' and identity ")
            && line.ends_with("(deleted)")), "{lines:?}");
    }
}
