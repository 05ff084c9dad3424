//! `/api/v1/audit/`, and the same below an organisation and a project

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

fn path(world: &World) -> String {
    format!("/api/v1/projects/{}/audit/", world.project)
}

/// The lines of a list, newest first.
async fn lines(app: &TestApp, world: &World, query: &str) -> Vec<String> {
    let list = app
        .get(&world.admin, &format!("{}{query}", path(world)))
        .await
        .expect(200);
    let rows = list["results"].as_array().expect("a list").iter();
    rows.map(|row| row["log"].as_str().expect("a line").to_owned())
        .collect()
}

/// The newest entry with this line, with its details.
async fn entry(app: &TestApp, world: &World, line: &str) -> Value {
    let list = app.get(&world.admin, &path(world)).await.expect(200);
    let found = list["results"].as_array().expect("a list").iter();
    let found = found
        .clone()
        .find(|row| row["log"] == line)
        .unwrap_or_else(|| panic!("no {line:?} in {list}"));
    app.get(&world.admin, &format!("{}{}/", path(world), id(found)))
        .await
        .expect(200)
}

async fn feature(app: &TestApp, world: &World, body: Value) -> i64 {
    let features = format!("/api/v1/projects/{}/features/", world.project);
    id(&app.post(&world.admin, &features, &body).await.expect(201))
}

/// Where the environment default of a feature is.
async fn state(app: &TestApp, world: &World, feature: i64) -> String {
    let states = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{states}?feature={feature}"))
        .await
        .expect(200);
    format!("{states}{}/", id(&found["results"][0]))
}

fn segment_body(world: &World, name: &str, rule: &Value) -> Value {
    json!({"name": name, "project": world.project, "rules": [rule]})
}

fn any(conditions: Value) -> Value {
    json!({"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "rules": [], "conditions": conditions}]})
}

async fn revert(app: &TestApp, world: &World, entry: &Value, body: Value) -> burgee_testkit::Answer {
    let path = format!("{}{}/revert/", path(world), id(entry));
    app.post(&world.admin, &path, &body).await
}

both! {
    async fn an_entry_has_the_fields_clients_know_newest_first(app) {
        let world = app.world().await;
        feature(&app, &world, json!({"name": "beta"})).await;
        let list = app.get(&world.admin, &path(&world)).await.expect(200);
        let newest = &list["results"][0];
        let fields: Vec<&str> = newest.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, [
            "id", "created_date", "log", "author", "environment", "project", "related_object_id",
            "related_object_uuid", "related_object_type", "is_system_event",
        ]);
        assert_eq!(newest["log"], "New Flag / Remote Config created: beta");
        assert_eq!((&newest["related_object_type"], &newest["environment"]), (&json!("FEATURE"), &Value::Null));
        assert_eq!((&newest["related_object_uuid"], &newest["is_system_event"]), (&Value::Null, &json!(false)));
        let author: Vec<&str> = newest["author"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(author, ["id", "email", "first_name", "last_name", "last_login", "uuid"]);
        assert_eq!(newest["author"]["id"], world.admin.id);
        assert_eq!(newest["project"].as_object().unwrap().len(), 17);
        // One line for the feature, before it one for its state in the environment.
        let state = &list["results"][1];
        assert_eq!((&state["related_object_type"], &state["environment"]["id"]),
            (&json!("FEATURE_STATE"), &json!(world.environment)));
        assert_eq!(state["environment"].as_object().unwrap().len(), 17);
        let all: Vec<i64> = list["results"].as_array().unwrap().iter().map(id).collect();
        assert!(all.is_sorted_by(|a, b| a > b));
        let one = app.get(&world.admin, &format!("{}{}/", path(&world), id(newest))).await.expect(200);
        let fields: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(&fields[10..], ["change_details", "change_type"]);
        assert_eq!(one["change_type"], "CREATE");
        let name = json!({"field": "name", "old": null, "new": "beta"});
        assert!(one["change_details"].as_array().unwrap().contains(&name), "{one}");
    }

    async fn filters_find_what_they_say_and_name_what_is_wrong(app) {
        let world = app.world().await;
        let (second, _) = app.environment(&world.admin, world.project, "Staging").await;
        feature(&app, &world, json!({"name": "be_ta%"})).await;
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        app.post(&world.admin, &tags, &json!({"label": "blue"})).await.expect(201);
        let everything = lines(&app, &world, "").await;
        assert_eq!(everything.first().map(String::as_str), Some("Tag created: blue"));
        assert_eq!(lines(&app, &world, "?search=BE_TA%25").await.len(), 3);
        assert_eq!(lines(&app, &world, "?search=x_ta").await.len(), 0);
        assert_eq!(lines(&app, &world, "?search=%00").await.len(), 0);
        assert_eq!(lines(&app, &world, &format!("?environments={second}")).await.len(), 2);
        let both = format!("?environments={second}&environments={}", world.environment);
        assert_eq!(lines(&app, &world, &both).await.len(), 4);
        assert_eq!(lines(&app, &world, "?is_system_event=true").await.len(), 0);
        assert_eq!(lines(&app, &world, "?is_system_event=false").await, everything);
        assert_eq!(lines(&app, &world, "?related_object_type=TAG").await, ["Tag created: blue"]);
        assert_eq!(lines(&app, &world, &format!("?author={}", world.member.id)).await.len(), 0);
        assert_eq!(lines(&app, &world, &format!("?author={}", world.admin.id)).await, everything);
        assert_eq!(lines(&app, &world, "?created_after=2999-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(lines(&app, &world, "?created_before=2999-01-01T00:00:00Z").await, everything);
        for (query, field) in [("?author=x", "author"), ("?environments=x", "environments"), ("?created_after=x", "created_after")] {
            let wrong = app.get(&world.admin, &format!("{}{query}", path(&world))).await.expect(400);
            assert!(wrong[field].is_array(), "{wrong}");
        }
        let first = app.get(&world.admin, &format!("{}?page_size=2", path(&world))).await.expect(200);
        assert_eq!(first["count"], everything.len());
        let page = app.get(&world.admin, &format!("{}?page_size=2&page=2", path(&world))).await.expect(200);
        assert_eq!(page["results"][0]["log"], everything[2]);
        app.get(&world.admin, &format!("{}?page=99", path(&world))).await.expect(404);
    }

    async fn a_log_is_read_by_those_who_may(app) {
        let world = app.world().await;
        let organisation = format!("/api/v1/organisations/{}/audit/", world.organisation);
        for person in [&world.member, &world.stranger] {
            app.get(person, &path(&world)).await.expect(403);
            app.get(person, &organisation).await.expect(403);
            assert_eq!(app.get(person, "/api/v1/audit/").await.expect(200)["count"], 0);
        }
        app.get(&world.admin, "/api/v1/projects/999/audit/").await.expect(403);
        let newest = app.get(&world.admin, &path(&world)).await.expect(200)["results"][0].clone();
        let one = format!("{}{}/", path(&world), id(&newest));
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.get(&world.member, &path(&world)).await.expect(403);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_AUDIT_LOG"]).await;
        app.get(&world.member, &path(&world)).await.expect(200);
        app.get(&world.member, &one).await.expect(200);
        app.get(&world.member, &format!("/api/v1/audit/{}/", id(&newest))).await.expect(404);
        // What concerns the organisation as a whole is for its administrators.
        let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
        app.post(&world.admin, &groups, &json!({"name": "ops"})).await.expect(201);
        let list = app.get(&world.admin, &organisation).await.expect(200);
        assert_eq!(list["results"][0]["log"], "Group created: ops");
        assert_eq!(app.get(&world.admin, "/api/v1/audit/").await.expect(200), {
            let mut same = list.clone();
            same["next"] = Value::Null;
            same
        });
        assert_ne!(lines(&app, &world, "").await[0], "Group created: ops");
        let group = id(&list["results"][0]);
        app.get(&world.admin, &format!("{organisation}{group}/")).await.expect(200);
        assert_eq!(app.get(&world.admin, &format!("{}{group}/", path(&world))).await.expect(404),
            json!({"detail": "No AuditLog matches the given query."}));
    }

    async fn what_a_key_of_the_organisation_did_names_the_key(app) {
        let world = app.world().await;
        let keys = format!("/api/v1/organisations/{}/master-api-keys/", world.organisation);
        let key = app.post(&world.admin, &keys, &json!({"name": "terraform", "is_admin": true})).await.expect(201);
        let header = format!("Api-Key {}", key["key"].as_str().unwrap());
        let body = json!({"label": "blue"});
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        app.call(Method::POST, &tags, &[("authorization", &header)], Some(&body)).await.expect(201);
        let told = entry(&app, &world, "Tag created: blue").await;
        assert_eq!((&told["author"], &told["is_system_event"]), (&Value::Null, &json!(false)));
        assert_eq!(told["api_key"], json!({"prefix": key["prefix"], "name": "terraform"}));
        let seen = app.call(Method::GET, "/api/v1/audit/", &[("authorization", &header)], None).await.expect(200);
        assert_eq!(seen["results"][0]["log"], "Tag created: blue");
    }

    async fn details_tell_what_changed_in_words(app) {
        let world = app.world().await;
        let beta = feature(&app, &world, json!({"name": "beta", "initial_value": "a"})).await;
        let at = state(&app, &world, beta).await;
        app.put(&world.admin, &at, &json!({"enabled": true, "feature_state_value": "b"})).await.expect(200);
        let told = entry(&app, &world, "Flag state updated for feature: beta").await;
        assert_eq!(told["change_details"], json!([
            {"field": "enabled", "old": false, "new": true},
            {"field": "feature_state_value", "old": "a", "new": "b"},
        ]));
        assert_eq!(told["change_type"], "UPDATE");
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        let rule = any(json!([{"property": "plan", "operator": "EQUAL", "value": "free"}]));
        let made = app.post(&world.admin, &segments, &segment_body(&world, "pro", &rule)).await.expect(201);
        let mut rules = made["rules"].clone();
        rules[0]["rules"][0]["conditions"][0]["value"] = json!("pro");
        let added = json!({"property": "age", "operator": "GREATER_THAN", "value": "17"});
        rules[0]["rules"][0]["conditions"].as_array_mut().unwrap().push(added);
        let body = json!({"name": "pro", "project": world.project, "rules": rules});
        app.put(&world.admin, &format!("{segments}{}/", id(&made)), &body).await.expect(200);
        assert_eq!(entry(&app, &world, "Segment updated: pro").await["change_details"], json!([
            {"field": "condition", "old": "plan EQUAL free", "new": "plan EQUAL pro"},
            {"field": "condition", "old": null, "new": "age GREATER_THAN 17"},
        ]));
        let project = format!("/api/v1/projects/{}/", world.project);
        app.patch(&world.admin, &project, &json!({"hide_disabled_flags": true})).await.expect(200);
        assert_eq!(entry(&app, &world, "Project updated: Web").await["change_details"], json!([
            {"field": "hide_disabled_flags", "old": false, "new": true},
        ]));
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let tag = id(&app.post(&world.admin, &tags, &json!({"label": "blue"})).await.expect(201));
        let one = format!("/api/v1/projects/{}/features/{beta}/", world.project);
        app.patch(&world.admin, &one, &json!({"tags": [tag]})).await.expect(200);
        assert_eq!(entry(&app, &world, "Flag / Remote Config updated: beta").await["change_details"], json!([
            {"field": "tags", "old": "", "new": format!("[{tag}]")},
        ]));
    }

    async fn what_was_before_is_put_back(app) {
        let world = app.world().await;
        let beta = feature(&app, &world, json!({"name": "beta", "initial_value": "a"})).await;
        let at = state(&app, &world, beta).await;
        app.put(&world.admin, &at, &json!({"enabled": true, "feature_state_value": "b"})).await.expect(200);
        let told = entry(&app, &world, "Flag state updated for feature: beta").await;
        let done = revert(&app, &world, &told, json!({})).await.expect(200);
        assert_eq!(done["change_details"], json!([
            {"field": "enabled", "old": true, "new": false},
            {"field": "feature_state_value", "old": "b", "new": "a"},
        ]));
        let now = app.get(&world.admin, &at).await.expect(200);
        assert_eq!((&now["enabled"], &now["feature_state_value"]), (&json!(false), &json!("a")));
        // It was changed since: by the very revert.
        let refused = revert(&app, &world, &told, json!({})).await.expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("changed again since"), "{refused}");
        revert(&app, &world, &told, json!({"force": true})).await.expect(200);

        let environment = format!("/api/v1/environments/{}/", world.key);
        app.patch(&world.admin, &environment, &json!({"banner_text": "careful"})).await.expect(200);
        let told = entry(&app, &world, "Environment updated: Development").await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        assert_eq!(app.get(&world.admin, &environment).await.expect(200)["banner_text"], Value::Null);

        let project = format!("/api/v1/projects/{}/", world.project);
        app.patch(&world.admin, &project, &json!({"feature_name_regex": "[a-z]+"})).await.expect(200);
        let told = entry(&app, &world, "Project updated: Web").await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        assert_eq!(app.get(&world.admin, &project).await.expect(200)["feature_name_regex"], Value::Null);

        let one = format!("/api/v1/projects/{}/features/{beta}/", world.project);
        app.patch(&world.admin, &one, &json!({"description": "new", "is_archived": true})).await.expect(200);
        let told = entry(&app, &world, "Flag / Remote Config updated: beta").await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        let now = app.get(&world.admin, &one).await.expect(200);
        assert_eq!((&now["description"], &now["is_archived"]), (&Value::Null, &json!(false)));
    }

    async fn segments_and_overrides_come_back(app) {
        let world = app.world().await;
        let beta = feature(&app, &world, json!({"name": "beta"})).await;
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        let rule = any(json!([{"property": "plan", "operator": "EQUAL", "value": "pro"}]));
        let made = app.post(&world.admin, &segments, &segment_body(&world, "pro", &rule)).await.expect(201);
        let one = format!("{segments}{}/", id(&made));
        let mut body = made.clone();
        body["rules"][0]["rules"][0]["conditions"][0]["value"] = json!("max");
        app.put(&world.admin, &one, &body).await.expect(200);
        let told = entry(&app, &world, "Segment updated: pro").await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["rules"], made["rules"]);

        let overrides = format!("/api/v1/environments/{}/features/{beta}/create-segment-override/", world.key);
        let body = json!({"enabled": true, "feature_segment": {"segment": id(&made)},
            "feature_state_value": {"type": "unicode", "string_value": "for pro"}});
        let link = app.post(&world.admin, &overrides, &body).await.expect(201)["feature_segment"]["id"].clone();
        app.delete(&world.admin, &format!("/api/v1/features/feature-segments/{link}/")).await.expect(204);
        let gone = "Flag state / Remote config value deleted for feature 'beta' and segment 'pro'";
        let told = entry(&app, &world, gone).await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        revert(&app, &world, &told, json!({})).await.expect(409);
        let list = format!("/api/v1/features/featurestates/?environment={}&feature={beta}", world.environment);
        let states = app.get(&world.admin, &list).await.expect(200);
        assert_eq!(states["results"][1]["feature_state_value"]["string_value"], "for pro");
        // What was made is taken away again.
        let told = entry(&app, &world, "Segment override created for feature 'beta' and segment 'pro'").await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        assert_eq!(app.get(&world.admin, &list).await.expect(200)["count"], 1);

        app.delete(&world.admin, &one).await.expect(204);
        let told = entry(&app, &world, "Segment deleted: pro").await;
        revert(&app, &world, &told, json!({})).await.expect(200);
        let back = app.get(&world.admin, &segments).await.expect(200)["results"][0].clone();
        assert_eq!((&back["name"], &back["rules"][0]["rules"][0]["conditions"][0]["value"]), (&json!("pro"), &json!("pro")));
    }

    async fn putting_back_needs_the_permission_of_the_write_and_something_to_put_back(app) {
        let world = app.world().await;
        let beta = feature(&app, &world, json!({"name": "beta"})).await;
        let at = state(&app, &world, beta).await;
        app.put(&world.admin, &at, &json!({"enabled": true})).await.expect(200);
        let told = entry(&app, &world, "Flag state updated for feature: beta").await;
        let revert_path = format!("{}{}/revert/", path(&world), id(&told));
        app.post(&world.stranger, &revert_path, &json!({})).await.expect(403);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT", "VIEW_AUDIT_LOG"]).await;
        app.post(&world.member, &revert_path, &json!({})).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["UPDATE_FEATURE_STATE"]).await;
        app.post(&world.member, &revert_path, &json!({})).await.expect(200);
        let made = entry(&app, &world, "New Flag / Remote Config created: beta").await;
        let refused = revert(&app, &world, &made, json!({})).await.expect(400);
        assert_eq!(refused, json!({"detail": "What this entry speaks of can't be put back."}));
        let wrong = revert(&app, &world, &made, json!({"force": "perhaps"})).await.expect(400);
        assert_eq!(wrong, json!({"force": ["Must be a valid boolean."]}));
    }

    async fn one_entry_is_read_by_whoever_may_read_the_log_it_is_in(app) {
        let world = app.world().await;
        feature(&app, &world, json!({"name": "a"})).await;
        let listed = app.get(&world.admin, "/api/v1/audit/").await.expect(200);
        let rows = listed["results"].as_array().expect("a list");
        let made = rows.iter().find(|row| row["log"] == "New Flag / Remote Config created: a").expect("the line");
        let one = format!("/api/v1/audit/{}/", id(made));
        let whole = app.get(&world.admin, &one).await.expect(200);
        assert_eq!((&whole["id"], &whole["log"], &whole["change_type"]), (&made["id"], &made["log"], &json!("CREATE")));
        assert!(whole["change_details"].is_array());
        assert_eq!(whole, entry(&app, &world, "New Flag / Remote Config created: a").await);
        // To everybody else it is not there, as his own list does not have it.
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(404);
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_AUDIT_LOG"]).await;
        assert_eq!(app.get(&world.member, &format!("{}{}/", path(&world), id(made))).await.expect(200), whole);
        app.get(&world.admin, "/api/v1/audit/999999/").await.expect(404);
    }

}
