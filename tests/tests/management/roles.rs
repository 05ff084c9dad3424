//! `/api/v1/organisations/{id}/roles/`: roles, who has them, and what comes of it.

use axum::http::Method;
use burgee_testkit::both;
use burgee_testkit::places::id;
use serde_json::{Value, json};

use super::role_scene::{feature, fields, give, role, role_with, roles, switch_on, tag};

both! {
    async fn a_role_is_created_changed_listed_and_deleted(app) {
        let world = app.world().await;
        let body = json!({"name": "writers", "description": "they write"});
        let made = app.post(&world.admin, &roles(&world), &body).await.expect(201);
        assert_eq!(fields(&made), ["id", "name", "description", "organisation", "tags"]);
        assert_eq!((&made["organisation"], &made["tags"]), (&json!(world.organisation), &json!([])));
        let one = format!("{}{}/", roles(&world), id(&made));
        let changed = app.patch(&world.admin, &one, &json!({"name": "editors"})).await.expect(200);
        assert_eq!((&changed["name"], &changed["description"]), (&json!("editors"), &json!("they write")));
        let listed = app.get(&world.admin, &roles(&world)).await.expect(200);
        assert_eq!((&listed["count"], &listed["results"][0]), (&json!(1), &changed));
        let refused = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(refused, json!({"name": ["This field is required."]}));
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
        let log = app.log("ROLE").await;
        let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["CREATE", "UPDATE", "DELETE"]);
        assert!(log[1].after.as_deref().is_some_and(|after| after.contains("editors")));
    }

    async fn only_administrators_of_its_organisation_manage_roles(app) {
        let world = app.world().await;
        let role = role_with(&app, &world, json!([]), json!([])).await;
        for person in [&world.member, &world.stranger] {
            app.post(person, &roles(&world), &json!({"name": "mine"})).await.expect(403);
            app.post(person, &format!("{role}users/"), &json!({"user": person.id})).await.expect(403);
            for path in ["", "users/", "groups/", "master-api-keys/", "organisation-permissions/",
                         "projects-permissions/", "environments-permissions/"] {
                app.get(person, &format!("{role}{path}")).await.expect(403);
            }
        }
        let elsewhere = app.organisation("Third", &world.admin, "ADMIN").await;
        let foreign = role.replace(&format!("organisations/{}/", world.organisation), &format!("organisations/{elsewhere}/"));
        app.get(&world.admin, &foreign).await.expect(404);
        app.get(&world.admin, &format!("{foreign}users/")).await.expect(404);
        let refused = app.post(&world.admin, &format!("{role}users/"), &json!({"user": world.stranger.id})).await;
        let text = format!("Invalid pk \"{}\" - object does not exist.", world.stranger.id);
        assert_eq!(refused.expect(400), json!({"user": [text]}));
        let theirs = app.project(&world.admin, elsewhere, "Theirs").await;
        let body = json!({"project": theirs, "permissions": []});
        let refused = app.post(&world.admin, &format!("{role}projects-permissions/"), &body).await.expect(400);
        assert_eq!(refused, json!({"project": [format!("Invalid pk \"{theirs}\" - object does not exist.")]}));
    }

    async fn a_role_is_given_to_users_groups_and_keys_once_and_taken_again(app) {
        let world = app.world().await;
        let role = role(&app, &world, "writers").await;
        let organisation = format!("/api/v1/organisations/{}/", world.organisation);
        let group = app.post(&world.admin, &format!("{organisation}groups/"), &json!({"name": "devs"})).await.expect(201);
        let key = app.post(&world.admin, &format!("{organisation}master-api-keys/"), &json!({"name": "ci", "is_admin": false})).await;
        let key = key.expect(201);
        assert_eq!(key["is_admin"], false);
        let prefix = key["prefix"].as_str().expect("a prefix");
        let cases = [
            ("users/", "user", json!(world.member.id), format!("users/{}/roles/", world.member.id), ""),
            ("groups/", "group", group["id"].clone(), format!("groups/{}/roles/", id(&group)), ""),
            ("master-api-keys/", "master_api_key", key["id"].clone(), format!("master-api-keys/{prefix}/roles/"),
             "detach-roles-from-master-api-key/"),
        ];
        for (path, field, whom, theirs, suffix) in cases {
            let path = format!("{role}{path}");
            let body = json!({ field: whom });
            let made = app.post(&world.admin, &path, &body).await.expect(201);
            let mut expected = vec!["id", field, "role"];
            if field == "master_api_key" {
                expected.push("role_name");
            }
            assert_eq!((fields(&made), &made[field]), (expected, &whom));
            let twice = app.post(&world.admin, &path, &body).await.expect(400);
            assert!(twice[field][0].as_str().is_some_and(|text| text.contains("already")), "{twice}");
            let one = format!("{path}{}/", id(&made));
            assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
            assert_eq!(app.put(&world.admin, &one, &body).await.expect(200), made);
            assert_eq!(app.get(&world.admin, &path).await.expect(200)["results"], json!([made]));
            let theirs = format!("{organisation}{theirs}");
            let mine = app.get(&world.admin, &theirs).await.expect(200);
            assert_eq!((&mine["count"], &mine["results"][0]["id"]), (&json!(1), &made["role"]));
            let detach = format!("{theirs}{}/{suffix}", made["role"]);
            app.delete(&world.admin, &detach).await.expect(204);
            app.delete(&world.admin, &detach).await.expect(404);
            app.post(&world.admin, &path, &body).await.expect(201);
        }
        let path = format!("{role}users/");
        let row = id(&app.get(&world.admin, &path).await.expect(200)["results"][0]);
        let passed = app.put(&world.admin, &format!("{path}{row}/"), &json!({"user": world.admin.id})).await.expect(200);
        assert_eq!(passed["user"], world.admin.id);
        app.delete(&world.admin, &format!("{path}{row}/")).await.expect(204);
        app.get(&world.admin, &format!("{path}{row}/")).await.expect(404);
    }

    async fn permissions_come_through_groups_and_keys_and_go_with_the_role(app) {
        let world = app.world().await;
        let wanted = feature(&app, &world, "wanted", &[]).await;
        let role = role_with(&app, &world, json!([]), json!([{"permission_key": "UPDATE_FEATURE_STATE"}])).await;
        let organisation = format!("/api/v1/organisations/{}/", world.organisation);
        let group = id(&app.post(&world.admin, &format!("{organisation}groups/"), &json!({"name": "devs"})).await.expect(201));
        app.post(&world.admin, &format!("{role}groups/"), &json!({"group": group})).await.expect(201);
        switch_on(&app, &world, &world.member, wanted).await.expect(403);
        let users = json!({"user_ids": [world.member.id]});
        app.post(&world.admin, &format!("{organisation}groups/{group}/add-users/"), &users).await.expect(200);
        switch_on(&app, &world, &world.member, wanted).await.expect(200);

        let key = json!({"name": "ci", "is_admin": false});
        let key = app.post(&world.admin, &format!("{organisation}master-api-keys/"), &key).await.expect(201);
        let header = format!("Api-Key {}", key["key"].as_str().expect("a key"));
        let update = format!("/api/experiments/environments/{}/update-flag-v1/", world.key);
        let body = json!({"feature": {"id": wanted}, "enabled": true, "value": {"type": "string", "value": "x"}});
        let signed = [("authorization", header.as_str())];
        let by_key = || app.call(Method::POST, &update, &signed, Some(&body));
        by_key().await.expect(403);
        app.post(&world.admin, &format!("{role}master-api-keys/"), &json!({"master_api_key": key["id"]})).await.expect(201);
        by_key().await.expect(204);
        let path = format!("{organisation}projects/");
        app.call(Method::POST, "/api/v1/projects/", &[("authorization", header.as_str())],
            Some(&json!({"name": "by key", "organisation": world.organisation}))).await.expect(403);
        let seen = app.call(Method::GET, &path, &[("authorization", header.as_str())], None).await;
        assert_eq!(seen.expect(200), json!([]));

        app.delete(&world.admin, &format!("{organisation}groups/{group}/")).await.expect(204);
        switch_on(&app, &world, &world.member, wanted).await.expect(403);
        by_key().await.expect(204);
        app.delete(&world.admin, &role).await.expect(204);
        by_key().await.expect(403);
    }

    async fn who_leaves_and_comes_back_has_no_role_any_more(app) {
        let world = app.world().await;
        let wanted = feature(&app, &world, "wanted", &[]).await;
        let role = role_with(&app, &world, json!([]), json!([{"permission_key": "UPDATE_FEATURE_STATE"}])).await;
        give(&app, &world, &role, &world.member).await;
        switch_on(&app, &world, &world.member, wanted).await.expect(200);
        let path = format!("/api/v1/organisations/{}/remove-users/", world.organisation);
        app.post(&world.admin, &path, &json!([{"id": world.member.id}])).await.expect(200);
        let mut tx = app.app.db().begin().await.expect("a transaction");
        burgee_store::seeds::member(&mut tx, world.organisation, world.member.id, "USER").await.expect("a member");
        tx.commit().await.expect("commits");
        switch_on(&app, &world, &world.member, wanted).await.expect(403);
    }

    async fn a_role_is_written_anew_with_its_tags(app) {
        let world = app.world().await;
        let role = role(&app, &world, "writers").await;
        let beta = tag(&app, &world, world.project, "beta").await;
        let body = json!({"name": "editors", "description": "they edit", "tags": [beta]});
        let written = app.put(&world.admin, &role, &body).await.expect(200);
        assert_eq!((&written["name"], &written["description"], &written["tags"]), (&body["name"], &body["description"], &body["tags"]));
        assert_eq!(app.get(&world.admin, &role).await.expect(200), written);
        for person in [&world.member, &world.stranger] {
            app.put(person, &role, &body).await.expect(403);
        }
        let line = app.log("ROLE").await.pop().expect("a line");
        assert!(line.before.as_deref().is_some_and(|before| before.contains("writers")));
        assert!(line.after.as_deref().is_some_and(|after| after.contains("editors")));
    }

    async fn a_role_passes_from_one_holder_to_another_and_its_permissions_with_it(app) {
        let world = app.world().await;
        let wanted = feature(&app, &world, "wanted", &[]).await;
        let role = role_with(&app, &world, json!([]), json!([{"permission_key": "UPDATE_FEATURE_STATE"}])).await;
        let other = app.person("other").await;
        app.join(world.organisation, &other, "USER").await;
        let row = give(&app, &world, &role, &world.member).await;
        let one = format!("{role}users/{row}/");
        let same = app.patch(&world.admin, &one, &json!({})).await.expect(200);
        assert_eq!(same["user"], world.member.id);
        switch_on(&app, &world, &world.member, wanted).await.expect(200);
        let passed = app.patch(&world.admin, &one, &json!({"user": other.id})).await.expect(200);
        assert_eq!((&passed["id"], &passed["user"]), (&json!(row), &json!(other.id)));
        switch_on(&app, &world, &world.member, wanted).await.expect(403);
        switch_on(&app, &world, &other, wanted).await.expect(200);
        let refused = app.patch(&world.admin, &one, &json!({"user": world.stranger.id})).await.expect(400);
        assert_eq!(refused, json!({"user": [format!("Invalid pk \"{}\" - object does not exist.", world.stranger.id)]}));
        app.patch(&world.member, &one, &json!({"user": world.member.id})).await.expect(403);

        let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
        let mut made = Vec::new();
        for (name, person) in [("devs", &world.member), ("ops", &other)] {
            let group = id(&app.post(&world.admin, &groups, &json!({"name": name})).await.expect(201));
            app.post(&world.admin, &format!("{groups}{group}/add-users/"), &json!({"user_ids": [person.id]})).await.expect(200);
            made.push(group);
        }
        app.delete(&world.admin, &one).await.expect(204);
        let row = id(&app.post(&world.admin, &format!("{role}groups/"), &json!({"group": made[1]})).await.expect(201));
        let one = format!("{role}groups/{row}/");
        let passed = app.patch(&world.admin, &one, &json!({"group": made[0]})).await.expect(200);
        assert_eq!(passed["group"], made[0]);
        switch_on(&app, &world, &world.member, wanted).await.expect(200);
        switch_on(&app, &world, &other, wanted).await.expect(403);
        app.delete(&world.member, &one).await.expect(403);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
        switch_on(&app, &world, &world.member, wanted).await.expect(403);
    }

    async fn a_role_passes_from_one_key_to_another(app) {
        let world = app.world().await;
        let role = role_with(&app, &world, json!([{"permission_key": "VIEW_PROJECT"}]), json!([])).await;
        let keys = format!("/api/v1/organisations/{}/master-api-keys/", world.organisation);
        let mut made = Vec::new();
        for name in ["one", "two"] {
            made.push(app.post(&world.admin, &keys, &json!({"name": name, "is_admin": false})).await.expect(201));
        }
        let sees = async |key: &Value| {
            let header = format!("Api-Key {}", key["key"].as_str().expect("a key"));
            let path = format!("/api/v1/projects/{}/", world.project);
            app.call(Method::GET, &path, &[("authorization", &header)], None).await.status.as_u16()
        };
        let path = format!("{role}master-api-keys/");
        let row = id(&app.post(&world.admin, &path, &json!({"master_api_key": made[0]["id"]})).await.expect(201));
        let one = format!("{path}{row}/");
        assert_eq!((sees(&made[0]).await, sees(&made[1]).await), (200, 404));
        let passed = app.patch(&world.admin, &one, &json!({"master_api_key": made[1]["id"]})).await.expect(200);
        assert_eq!((&passed["id"], &passed["role_name"]), (&json!(row), &json!("writers")));
        assert_eq!((sees(&made[0]).await, sees(&made[1]).await), (404, 200));
        app.patch(&world.stranger, &one, &json!({"master_api_key": made[0]["id"]})).await.expect(403);
        app.delete(&world.stranger, &one).await.expect(403);
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(sees(&made[1]).await, 404);
    }
}
