//! `/api/v1/organisations/{id}/roles/` and what roles allow.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

fn roles(world: &World) -> String {
    format!("/api/v1/organisations/{}/roles/", world.organisation)
}

fn fields(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// A new role; returns its path.
async fn role(app: &TestApp, world: &World, name: &str) -> String {
    let made = app
        .post(&world.admin, &roles(world), &json!({ "name": name }))
        .await;
    format!("{}{}/", roles(world), id(&made.expect(201)))
}

/// A role with these permissions at the world's project and environment, each with the tags it is limited to.
async fn role_with(app: &TestApp, world: &World, project: Value, environment: Value) -> String {
    let role = role(app, world, "writers").await;
    let body = json!({"project": world.project, "permissions": project});
    let path = format!("{role}projects-permissions/");
    app.post(&world.admin, &path, &body).await.expect(201);
    let body = json!({"environment": world.environment, "permissions": environment});
    let path = format!("{role}environments-permissions/");
    app.post(&world.admin, &path, &body).await.expect(201);
    role
}

async fn give(app: &TestApp, world: &World, role: &str, person: &Person) -> i64 {
    let path = format!("{role}users/");
    id(&app
        .post(&world.admin, &path, &json!({"user": person.id}))
        .await
        .expect(201))
}

async fn tag(app: &TestApp, world: &World, project: i64, label: &str) -> i64 {
    let path = format!("/api/v1/projects/{project}/tags/");
    id(&app
        .post(&world.admin, &path, &json!({"label": label, "color": "#123"}))
        .await
        .expect(201))
}

async fn feature(app: &TestApp, world: &World, name: &str, tags: &[i64]) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(&world.admin, &path, &json!({"name": name, "tags": tags}))
        .await
        .expect(201))
}

/// Switches a feature on, by its state.
async fn switch_on(app: &TestApp, world: &World, person: &Person, feature: i64) -> Answer {
    let path = format!("/api/v1/environments/{}/featurestates/", world.key);
    let states = app
        .get(&world.admin, &format!("{path}?feature={feature}"))
        .await
        .expect(200);
    let path = format!("{path}{}/", id(&states["results"][0]));
    app.put(
        person,
        &path,
        &json!({"enabled": true, "feature_state_value": "on"}),
    )
    .await
}

/// The body of a change request that switches a feature on.
fn proposal(title: &str, feature: i64) -> Value {
    let state = json!({
        "feature": feature, "enabled": true, "live_from": null, "multivariate_feature_state_values": [],
        "feature_state_value": {"type": "unicode", "string_value": "x"},
    });
    json!({ "title": title, "feature_states": [state] })
}

/// One thing that needs exactly one permission: its key, method, path and body.
type Operation = (&'static str, Method, String, Value);

/// An operation for every permission that something asks for by itself. `n` keeps names apart.
async fn operations(app: &TestApp, world: &World, n: usize) -> Vec<Operation> {
    let doomed = feature(app, world, &format!("doomed_{n}"), &[]).await;
    let kept = feature(app, world, &format!("kept_{n}"), &[]).await;
    let rule = json!({"type": "ALL", "conditions": [], "rules": []});
    let segments = format!("/api/v1/projects/{}/segments/", world.project);
    let body = json!({"name": format!("for {n}"), "project": world.project, "rules": [rule]});
    let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
    let states = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{states}?feature={kept}"))
        .await
        .expect(200);
    let state = id(&found["results"][0]);
    let (organisation, project, key) = (world.organisation, world.project, &world.key);
    vec![
        (
            "CREATE_PROJECT",
            Method::POST,
            "/api/v1/projects/".into(),
            json!({"name": format!("project {n}"), "organisation": organisation}),
        ),
        (
            "MANAGE_USER_GROUPS",
            Method::POST,
            format!("/api/v1/organisations/{organisation}/groups/"),
            json!({"name": format!("group {n}")}),
        ),
        (
            "VIEW_PROJECT",
            Method::GET,
            format!("/api/v1/projects/{project}/"),
            Value::Null,
        ),
        (
            "CREATE_ENVIRONMENT",
            Method::POST,
            "/api/v1/environments/".into(),
            json!({"name": format!("environment {n}"), "project": project}),
        ),
        (
            "DELETE_FEATURE",
            Method::DELETE,
            format!("/api/v1/projects/{project}/features/{doomed}/"),
            Value::Null,
        ),
        (
            "CREATE_FEATURE",
            Method::POST,
            format!("/api/v1/projects/{project}/features/"),
            json!({"name": format!("feature_{n}")}),
        ),
        (
            "MANAGE_SEGMENTS",
            Method::POST,
            segments,
            json!({"name": format!("segment {n}"), "project": project, "rules": [rule]}),
        ),
        (
            "MANAGE_TAGS",
            Method::POST,
            format!("/api/v1/projects/{project}/tags/"),
            json!({"label": format!("tag {n}"), "color": "#123"}),
        ),
        (
            "VIEW_ENVIRONMENT",
            Method::GET,
            format!("/api/v1/environments/{key}/"),
            Value::Null,
        ),
        (
            "UPDATE_FEATURE_STATE",
            Method::PUT,
            format!("{states}{state}/"),
            json!({"enabled": true, "feature_state_value": "x"}),
        ),
        (
            "MANAGE_IDENTITIES",
            Method::POST,
            format!("/api/v1/environments/{key}/identities/"),
            json!({"identifier": format!("somebody-{n}")}),
        ),
        (
            "VIEW_IDENTITIES",
            Method::GET,
            format!("/api/v1/environments/{key}/identities/"),
            Value::Null,
        ),
        (
            "VIEW_AUDIT_LOG",
            Method::GET,
            format!("/api/v1/projects/{project}/audit/"),
            Value::Null,
        ),
        (
            "CREATE_CHANGE_REQUEST",
            Method::POST,
            format!("/api/v1/environments/{key}/create-change-request/"),
            proposal(&format!("request {n}"), kept),
        ),
        (
            "MANAGE_SEGMENT_OVERRIDES",
            Method::POST,
            format!("/api/v1/environments/{key}/features/{kept}/create-segment-override/"),
            json!({"feature_segment": {"segment": segment}, "enabled": true,
                "feature_state_value": {"type": "unicode", "string_value": "x"}}),
        ),
    ]
}

/// At what a permission is granted.
fn level(key: &str) -> &'static str {
    match key {
        "CREATE_PROJECT" | "MANAGE_USER_GROUPS" => "organisation",
        "VIEW_PROJECT" | "CREATE_ENVIRONMENT" | "DELETE_FEATURE" | "CREATE_FEATURE" | "MANAGE_SEGMENTS"
        | "MANAGE_TAGS" | "VIEW_AUDIT_LOG" => "project",
        _ => "environment",
    }
}

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

    async fn what_a_role_may_do_is_kept_with_its_tags_and_checked(app) {
        let world = app.world().await;
        let role = role(&app, &world, "writers").await;
        let mine = tag(&app, &world, world.project, "mine").await;
        let other = app.project(&world.admin, world.organisation, "Other").await;
        let foreign = tag(&app, &world, other, "foreign").await;
        let path = format!("{role}environments-permissions/");
        let limited = json!([{"permission_key": "UPDATE_FEATURE_STATE", "tags": [mine]},
                             {"permission_key": "VIEW_ENVIRONMENT", "tags": []}]);
        let body = json!({"environment": world.environment, "permissions": limited, "admin": false});
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        assert_eq!(fields(&made), ["id", "role", "environment", "permissions", "admin"]);
        assert_eq!(made["permissions"], limited);
        app.post(&world.admin, &path, &body).await.expect(400);
        let one = format!("{path}{}/", id(&made));
        for (permissions, wrong) in [
            (json!([{"permission_key": "NONSENSE"}]), "permission_key"),
            (json!([{"permission_key": "VIEW_PROJECT"}]), "permission_key"),
            (json!([{"permission_key": "UPDATE_FEATURE_STATE", "tags": [foreign]}]), "tags"),
            (json!([{"permission_key": "VIEW_ENVIRONMENT", "tags": [mine]}]), "tags"),
        ] {
            let refused = app.patch(&world.admin, &one, &json!({"permissions": permissions})).await.expect(400);
            assert!(refused["permissions"][0][wrong].is_array(), "{refused}");
        }
        let listed = app.get(&world.admin, &format!("{path}?environment={}", world.environment)).await.expect(200);
        assert_eq!(listed["results"], json!([made]));
        assert_eq!(app.get(&world.admin, &format!("{path}?environment=1000")).await.expect(200)["count"], 0);
        let admin = app.patch(&world.admin, &one, &json!({"admin": true})).await.expect(200);
        assert_eq!((&admin["admin"], &admin["permissions"]), (&json!(true), &limited));
        app.delete(&world.admin, &one).await.expect(204);
        let path = format!("{role}organisation-permissions/");
        let made = app.post(&world.admin, &path, &json!({"permissions": ["CREATE_PROJECT"]})).await.expect(201);
        assert_eq!(fields(&made), ["id", "role", "permissions"]);
        app.post(&world.admin, &path, &json!({"permissions": []})).await.expect(400);
        let refused = app.patch(&world.admin, &format!("{path}{}/", id(&made)), &json!({"permissions": ["VIEW_PROJECT"]})).await;
        assert!(refused.expect(400)["permissions"][0].is_string());
        let refused = app.patch(&world.admin, &role, &json!({"tags": [foreign, 1000]})).await.expect(400);
        assert_eq!(refused, json!({"tags": ["Invalid pk \"1000\" - object does not exist."]}));
    }

    async fn each_permission_allows_what_it_says_and_nothing_else(app) {
        let world = app.world().await;
        let role = role(&app, &world, "one thing").await;
        give(&app, &world, &role, &world.member).await;
        let paths = [
            ("organisation", format!("{role}organisation-permissions/")),
            ("project", format!("{role}projects-permissions/")),
            ("environment", format!("{role}environments-permissions/")),
        ];
        let mut grants = std::collections::HashMap::new();
        for (level, path) in &paths {
            let body = json!({"project": world.project, "environment": world.environment, "permissions": []});
            let made = app.post(&world.admin, path, &body).await.expect(201);
            grants.insert(*level, format!("{path}{}/", id(&made)));
        }
        let keys: Vec<&str> = operations(&app, &world, 999).await.iter().map(|operation| operation.0).collect();
        for (n, granted) in keys.iter().enumerate() {
            for (level, grant) in &grants {
                let key = json!([granted]);
                let tagged = json!([{"permission_key": granted}]);
                let permissions = match *level {
                    here if here != self::level(granted) => json!([]),
                    "organisation" => key,
                    _ => tagged,
                };
                app.patch(&world.admin, grant, &json!({"permissions": permissions})).await.expect(200);
            }
            for (key, method, path, body) in operations(&app, &world, n).await {
                let body = Some(&body).filter(|body| !body.is_null());
                let answer = app.by(&world.member, method, &path, body).await;
                let allowed = key == *granted;
                let status = answer.status;
                assert_eq!(status.is_success(), allowed, "with {granted}, {key}: {status} {}", answer.text);
                assert!(allowed || matches!(status.as_u16(), 403 | 404), "with {granted}, {key}: {status}");
            }
        }
    }

    async fn a_permission_limited_to_tags_holds_for_features_that_carry_one(app) {
        let world = app.world().await;
        let beta = tag(&app, &world, world.project, "beta").await;
        let tagged = feature(&app, &world, "tagged", &[beta]).await;
        let other = feature(&app, &world, "other", &[]).await;
        let limited = |key: &str| json!({"permission_key": key, "tags": [beta]});
        let role = role_with(&app, &world, json!([limited("DELETE_FEATURE"), {"permission_key": "VIEW_PROJECT"}]),
            json!([limited("UPDATE_FEATURE_STATE"), limited("MANAGE_SEGMENT_OVERRIDES"),
                   limited("CREATE_CHANGE_REQUEST")])).await;
        give(&app, &world, &role, &world.member).await;

        switch_on(&app, &world, &world.member, tagged).await.expect(200);
        switch_on(&app, &world, &world.member, other).await.expect(403);
        let update = format!("/api/experiments/environments/{}/update-flag-v1/", world.key);
        let body = |name: &str| json!({"feature": {"name": name}, "enabled": true, "value": {"type": "string", "value": "x"}});
        app.post(&world.member, &update, &body("tagged")).await.expect(204);
        app.post(&world.member, &update, &body("other")).await.expect(403);
        let rule = json!({"type": "ALL", "conditions": [], "rules": []});
        let segment = json!({"name": "all", "project": world.project, "rules": [rule]});
        let segment = app.post(&world.admin, &format!("/api/v1/projects/{}/segments/", world.project), &segment).await;
        let segment = id(&segment.expect(201));
        let mut links = Vec::new();
        for (feature, status) in [(tagged, 201), (other, 403)] {
            let path = format!("/api/v1/environments/{}/features/{feature}/create-segment-override/", world.key);
            let body = json!({"feature_segment": {"segment": segment}, "enabled": true,
                              "feature_state_value": {"type": "unicode", "string_value": "x"}});
            app.post(&world.member, &path, &body).await.expect(status);
            if status == 403 {
                app.post(&world.admin, &path, &body).await.expect(201);
            }
            let list = format!("/api/v1/features/feature-segments/?environment={}&feature={feature}", world.environment);
            links.push(id(&app.get(&world.admin, &list).await.expect(200)["results"][0]));
        }
        app.delete(&world.member, &format!("/api/v1/features/feature-segments/{}/", links[1])).await.expect(403);
        app.delete(&world.member, &format!("/api/v1/features/feature-segments/{}/", links[0])).await.expect(204);
        let identities = format!("/api/v1/environments/{}/identities/", world.key);
        let identity = id(&app.post(&world.admin, &identities, &json!({"identifier": "ann"})).await.expect(201));
        let path = format!("{identities}{identity}/featurestates/");
        for (feature, status) in [(tagged, 201), (other, 403)] {
            let body = json!({"feature": feature, "enabled": true, "feature_state_value": "x"});
            app.post(&world.member, &path, &body).await.expect(status);
        }
        let requests = format!("/api/v1/environments/{}/create-change-request/", world.key);
        app.post(&world.member, &requests, &proposal("tagged", tagged)).await.expect(201);
        app.post(&world.member, &requests, &proposal("other", other)).await.expect(403);
        let features = format!("/api/v1/projects/{}/features/", world.project);
        app.delete(&world.member, &format!("{features}{other}/")).await.expect(403);
        app.delete(&world.member, &format!("{features}{tagged}/")).await.expect(204);
    }

    async fn a_limit_does_not_fall_away_with_its_tag(app) {
        let world = app.world().await;
        let beta = tag(&app, &world, world.project, "beta").await;
        let tagged = feature(&app, &world, "tagged", &[beta]).await;
        let own = json!([{"permission_key": "UPDATE_FEATURE_STATE", "tags": [beta]}]);
        let of_role = json!([{"permission_key": "UPDATE_FEATURE_STATE", "tags": []}]);
        for (permissions, tags) in [(own, json!([])), (of_role, json!([beta]))] {
            let role = role_with(&app, &world, json!([]), permissions).await;
            app.patch(&world.admin, &role, &json!({ "tags": tags })).await.expect(200);
            let member = app.person(&format!("member-{}", tags.as_array().map_or(0, Vec::len))).await;
            let mut tx = app.app.db().begin().await.expect("a transaction");
            burgee_store::seeds::member(&mut tx, world.organisation, member.id, "USER").await.expect("a member");
            tx.commit().await.expect("commits");
            give(&app, &world, &role, &member).await;
            switch_on(&app, &world, &member, tagged).await.expect(200);
            let untagged = feature(&app, &world, &format!("untagged_{}", member.id), &[]).await;
            switch_on(&app, &world, &member, untagged).await.expect(403);
        }
        app.delete(&world.admin, &format!("/api/v1/projects/{}/tags/{beta}/", world.project)).await.expect(204);
        for name in ["member-0", "member-1"] {
            let person = Person { id: 0, token: format!("token-of-{name}") };
            switch_on(&app, &world, &person, tagged).await.expect(403);
        }
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

    async fn everybody_is_told_what_he_may_do_and_why(app) {
        let world = app.world().await;
        let beta = tag(&app, &world, world.project, "beta").await;
        let role = role_with(&app, &world, json!([{"permission_key": "VIEW_PROJECT"}]), json!([
            {"permission_key": "UPDATE_FEATURE_STATE", "tags": [beta]},
            {"permission_key": "APPROVE_CHANGE_REQUEST", "tags": [beta]},
            {"permission_key": "VIEW_ENVIRONMENT"}])).await;
        give(&app, &world, &role, &world.member).await;
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        let path = format!("/api/v1/environments/{}/my-permissions/", world.key);
        assert_eq!(app.get(&world.member, &path).await.expect(200), json!({
            "permissions": ["VIEW_ENVIRONMENT"], "admin": false,
            "tag_based_permissions": [{"permissions": ["UPDATE_FEATURE_STATE", "APPROVE_CHANGE_REQUEST"], "tags": [beta]}],
        }));
        let path = format!("/api/v1/environments/{}/user-detailed-permissions/{}/", world.key, world.member.id);
        let role_id = id(&app.get(&world.admin, &role).await.expect(200));
        let from = |tags: Value| json!({"groups": [], "roles": [{"id": role_id, "name": "writers", "tags": tags}]});
        assert_eq!(app.get(&world.admin, &path).await.expect(200), json!({
            "admin": false,
            "permissions": [
                {"permission_key": "VIEW_ENVIRONMENT", "is_directly_granted": true, "derived_from": from(json!([]))},
                {"permission_key": "UPDATE_FEATURE_STATE", "is_directly_granted": false, "derived_from": from(json!([beta]))},
                {"permission_key": "APPROVE_CHANGE_REQUEST", "is_directly_granted": false, "derived_from": from(json!([beta]))},
            ],
            "is_directly_granted": false,
            "derived_from": {"groups": [], "roles": []},
        }));
        let grant = format!("{role}projects-permissions/");
        let listed = app.get(&world.admin, &grant).await.expect(200);
        let one = format!("{grant}{}/", id(&listed["results"][0]));
        app.patch(&world.admin, &one, &json!({"admin": true})).await.expect(200);
        let detailed = app.get(&world.admin, &path).await.expect(200);
        assert_eq!((&detailed["admin"], &detailed["is_directly_granted"]), (&json!(true), &json!(false)));
        assert_eq!(detailed["derived_from"], from(json!([])));
    }

    async fn a_role_that_administers_lets_its_member_delete_a_flag(app) {
        let world = app.world().await;
        let doomed = feature(&app, &world, "doomed", &[]).await;
        let role = role(&app, &world, "test_role").await;
        give(&app, &world, &role, &world.member).await;
        let path = format!("/api/v1/projects/{}/features/{doomed}/", world.project);
        app.delete(&world.member, &path).await.expect(403);
        let body = json!({"project": world.project, "admin": true, "permissions": []});
        app.post(&world.admin, &format!("{role}projects-permissions/"), &body).await.expect(201);
        let body = json!({"environment": world.environment, "admin": true, "permissions": []});
        app.post(&world.admin, &format!("{role}environments-permissions/"), &body).await.expect(201);
        let mine = app.get(&world.member, &format!("/api/v1/projects/{}/my-permissions/", world.project)).await.expect(200);
        assert_eq!(mine["admin"], true);
        let listed = app.get(&world.member, "/api/v1/projects/").await.expect(200);
        assert_eq!(listed.as_array().map(Vec::len), Some(1));
        app.delete(&world.member, &path).await.expect(204);
    }

    async fn members_without_a_second_factor_are_kept_out_where_it_is_forced(app) {
        let world = app.world().await;
        let one = format!("/api/v1/organisations/{}/", world.organisation);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.patch(&world.admin, &one, &json!({"force_2fa": true})).await.expect(200);
        let project = format!("/api/v1/projects/{}/", world.project);
        for (person, path) in [(&world.member, &project), (&world.admin, &project), (&world.admin, &one)] {
            let refused = app.get(person, path).await.expect(403);
            assert!(refused["detail"].as_str().is_some_and(|text| text.contains("two-factor")), "{refused}");
        }
        // What it takes to learn why, to set a factor up and to leave still works.
        let listed = app.get(&world.member, "/api/v1/organisations/").await.expect(200);
        assert_eq!((&listed["results"][0]["force_2fa"], &listed["results"][0]["role"]), (&json!(true), &json!("USER")));
        assert_eq!(app.get(&world.member, "/api/v1/projects/").await.expect(200), json!([]));
        app.get(&world.member, "/api/v1/auth/users/me/").await.expect(200);
        let mut tx = app.app.db().begin().await.expect("a transaction");
        burgee_store::seeds::second_factor(&mut tx, world.member.id).await.expect("a factor");
        tx.commit().await.expect("commits");
        app.get(&world.member, &project).await.expect(200);
        app.post(&world.admin, "/api/v1/auth/logout/", &json!({})).await.expect(204);
    }

    async fn an_organisation_that_is_blocked_lets_nobody_in_but_says_so(app) {
        let world = app.world().await;
        let one = format!("/api/v1/organisations/{}/", world.organisation);
        let same = app.patch(&world.admin, &one, &json!({"block_access_to_admin": true})).await.expect(200);
        assert_eq!(same["block_access_to_admin"], false, "only superusers block an organisation");
        let mut tx = app.app.db().begin().await.expect("a transaction");
        burgee_store::seeds::block(&mut tx, world.organisation).await.expect("blocks");
        tx.commit().await.expect("commits");
        app.get(&world.admin, &one).await.expect(403);
        app.get(&world.admin, &format!("/api/v1/projects/{}/", world.project)).await.expect(403);
        let listed = app.get(&world.admin, "/api/v1/organisations/").await.expect(200);
        assert_eq!(listed["results"][0]["block_access_to_admin"], true);
    }

    async fn only_administrators_create_projects_where_that_is_restricted(app) {
        let world = app.world().await;
        app.grant(&world.member, Object::Organisation(world.organisation), &["CREATE_PROJECT"]).await;
        let body = |name: &str| json!({"name": name, "organisation": world.organisation});
        app.post(&world.member, "/api/v1/projects/", &body("One")).await.expect(201);
        let one = format!("/api/v1/organisations/{}/", world.organisation);
        app.patch(&world.admin, &one, &json!({"restrict_project_create_to_admin": true})).await.expect(200);
        app.post(&world.member, "/api/v1/projects/", &body("Two")).await.expect(403);
        app.post(&world.admin, "/api/v1/projects/", &body("Two")).await.expect(201);
    }
}
