//! `/api/v1/projects/{project_id}/audit/{id}/revert/`: custom fields, owners, what was deleted, versions.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

fn audit(world: &World) -> String {
    format!("/api/v1/projects/{}/audit/", world.project)
}

/// The newest entry with this line.
async fn entry(app: &TestApp, world: &World, line: &str) -> i64 {
    let list = app.get(&world.admin, &audit(world)).await.expect(200);
    let mut found = list["results"].as_array().expect("a list").iter();
    let found = found.find(|row| row["log"] == line);
    id(found.unwrap_or_else(|| panic!("no {line:?} in {list}")))
}

async fn revert(app: &TestApp, world: &World, line: &str) -> Answer {
    let path = format!("{}{}/revert/", audit(world), entry(app, world, line).await);
    app.post(&world.admin, &path, &json!({})).await
}

/// Gives a kind of object (by its number) a custom field; returns the number values name it by.
async fn field(app: &TestApp, world: &World, name: &str, content_type: i64) -> i64 {
    let body = json!({"name": name, "type": "str", "organisation": world.organisation});
    let made = app
        .post(&world.admin, "/api/v1/metadata/fields/", &body)
        .await
        .expect(201);
    let path = format!(
        "/api/v1/organisations/{}/metadata-model-fields/",
        world.organisation
    );
    let body = json!({"field": id(&made), "content_type": content_type, "is_required_for": []});
    id(&app.post(&world.admin, &path, &body).await.expect(201))
}

fn features(world: &World) -> String {
    format!("/api/v1/projects/{}/features/", world.project)
}

fn segments(world: &World) -> String {
    format!("/api/v1/projects/{}/segments/", world.project)
}

fn rules(condition: Value) -> Value {
    json!([{"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "rules": [], "conditions": [condition]}]}])
}

async fn segment(app: &TestApp, world: &World, name: &str, condition: Value) -> i64 {
    let body = json!({"name": name, "project": world.project, "rules": rules(condition)});
    id(&app.post(&world.admin, &segments(world), &body).await.expect(201))
}

async fn override_for(app: &TestApp, world: &World, key: &str, feature: i64, segment: i64, value: &str) {
    let path = format!("/api/v1/environments/{key}/features/{feature}/create-segment-override/");
    let body = json!({"enabled": true, "feature_segment": {"segment": segment},
        "feature_state_value": {"type": "unicode", "string_value": value}});
    app.post(&world.admin, &path, &body).await.expect(201);
}

/// What forty identities get in these environments, flag by flag.
async fn asked(app: &TestApp, keys: &[&str]) -> Vec<Value> {
    let mut all = Vec::new();
    for key in keys {
        for n in 0..40 {
            let tier = if n % 4 == 0 { "pro" } else { "free" };
            let body = json!({"identifier": format!("user-{n}"), "traits": [{"trait_key": "plan", "trait_value": tier}]});
            let headers = [("x-environment-key", *key)];
            let answer = app
                .call(Method::POST, "/api/v1/identities/", &headers, Some(&body))
                .await
                .expect(200);
            for flag in answer["flags"].as_array().expect("flags") {
                let name = &flag["feature"]["name"];
                all.push(json!([n, name, flag["enabled"], flag["feature_state_value"]]));
            }
        }
    }
    all
}

/// A multivariate feature "split" with a state of its own in two environments, the second one with versions; overridden
/// for segments, one of them a draw, and for an identity. Returns it, the two segments and the second environment's key.
async fn furnished(app: &TestApp, world: &World) -> (i64, [i64; 2], String) {
    let (_, versioned) = app.environment(&world.admin, world.project, "Versioned").await;
    let options = json!([
        {"type": "unicode", "string_value": "left", "key": "l", "default_percentage_allocation": 20},
        {"type": "unicode", "string_value": "right", "key": "r", "default_percentage_allocation": 30},
    ]);
    let body = json!({"name": "split", "initial_value": "control", "default_enabled": true,
        "description": "who gets what", "multivariate_options": options});
    let made = app.post(&world.admin, &features(world), &body).await.expect(201);
    let split = id(&made);
    let pro = json!({"property": "plan", "operator": "EQUAL", "value": "pro"});
    let pro = segment(app, world, "pro", pro).await;
    let half = json!({"property": null, "operator": "PERCENTAGE_SPLIT", "value": "50"});
    let half = segment(app, world, "half", half).await;
    for key in [world.key.as_str(), &versioned] {
        override_for(app, world, key, split, pro, "for pro").await;
        override_for(app, world, key, split, half, "for half").await;
        let states = format!("/api/v1/environments/{key}/featurestates/");
        let found = app
            .get(&world.admin, &format!("{states}?feature={split}"))
            .await
            .expect(200);
        let body = json!({"enabled": true, "feature_state_value": "other control"});
        app.patch(
            &world.admin,
            &format!("{states}{}/", id(&found["results"][0])),
            &body,
        )
        .await
        .expect(200);
        asked(app, &[key]).await;
        let identities = format!("/api/v1/environments/{key}/identities/");
        let found = app
            .get(&world.admin, &format!("{identities}?q=%22user-8%22"))
            .await
            .expect(200);
        let body = json!({"feature": split, "enabled": true, "feature_state_value": "hers"});
        let path = format!("{identities}{}/featurestates/", id(&found["results"][0]));
        app.post(&world.admin, &path, &body).await.expect(201);
    }
    let enable = format!("/api/v1/environments/{versioned}/enable-v2-versioning/");
    app.post(&world.admin, &enable, &json!({})).await.expect(202);
    (split, [pro, half], versioned)
}

both! {
    async fn custom_fields_and_owners_are_put_back(app) {
        let world = app.world().await;
        let of_feature = field(&app, &world, "team", 4).await;
        let values = |value: &str| json!([{"model_field": of_feature, "field_value": value}]);
        let body = json!({"name": "beta", "metadata": values("blue")});
        let one = format!("{}{}/", features(&world), id(&app.post(&world.admin, &features(&world), &body).await.expect(201)));
        app.patch(&world.admin, &one, &json!({"metadata": []})).await.expect(200);
        revert(&app, &world, "Flag / Remote Config updated: beta").await.expect(200);
        let now = app.get(&world.admin, &one).await.expect(200);
        assert_eq!(now["metadata"][0]["field_value"], "blue");
        // A value that came later is something changed since.
        app.patch(&world.admin, &one, &json!({"metadata": []})).await.expect(200);
        let emptied = entry(&app, &world, "Flag / Remote Config updated: beta").await;
        app.patch(&world.admin, &one, &json!({"metadata": values("red")})).await.expect(200);
        let path = format!("{}{emptied}/revert/", audit(&world));
        app.post(&world.admin, &path, &json!({})).await.expect(409);
        app.post(&world.admin, &path, &json!({"force": true})).await.expect(200);
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["metadata"][0]["field_value"], "blue");

        app.post(&world.admin, &format!("{one}add-owners/"), &json!({"user_ids": [world.member.id]})).await.expect(200);
        let done = revert(&app, &world, "Flag / Remote Config updated: beta").await.expect(200);
        assert_eq!(done["change_details"], json!([
            {"field": "owners", "old": "admin@example.com, member@example.com", "new": "admin@example.com"}]));
        let owners = app.get(&world.admin, &one).await.expect(200)["owners"].clone();
        assert_eq!((owners.as_array().map(Vec::len), &owners[0]["id"]), (Some(1), &json!(world.admin.id)));

        let of_segment = field(&app, &world, "purpose", 5).await;
        let condition = json!({"property": "plan", "operator": "EQUAL", "value": "pro"});
        let body = json!({"name": "pro", "rules": rules(condition), "metadata": [{"model_field": of_segment, "field_value": "sales"}]});
        let made = app.post(&world.admin, &segments(&world), &body).await.expect(201);
        let one = format!("{}{}/", segments(&world), id(&made));
        let other = json!({"metadata": [{"model_field": of_segment, "field_value": "none"}], "description": "d"});
        app.patch(&world.admin, &one, &other).await.expect(200);
        revert(&app, &world, "Segment updated: pro").await.expect(200);
        let now = app.get(&world.admin, &one).await.expect(200);
        assert_eq!((&now["metadata"][0]["field_value"], &now["description"]), (&json!("sales"), &Value::Null));

        let of_environment = field(&app, &world, "tier", 3).await;
        let one = format!("/api/v1/environments/{}/", world.key);
        let values = |value: &str| json!({"metadata": [{"model_field": of_environment, "field_value": value}]});
        app.patch(&world.admin, &one, &values("1")).await.expect(200);
        app.patch(&world.admin, &one, &values("2")).await.expect(200);
        revert(&app, &world, "Environment updated: Development").await.expect(200);
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["metadata"][0]["field_value"], "1");
    }

    async fn a_deleted_feature_comes_back_with_all_it_had_and_everybody_gets_what_they_got(app) {
        let world = app.world().await;
        let (split, _, versioned) = furnished(&app, &world).await;
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let tag = id(&app.post(&world.admin, &tags, &json!({"label": "blue"})).await.expect(201));
        let team = field(&app, &world, "team", 4).await;
        let one = format!("{}{split}/", features(&world));
        let body = json!({"tags": [tag], "metadata": [{"model_field": team, "field_value": "growth"}]});
        app.patch(&world.admin, &one, &body).await.expect(200);
        app.post(&world.admin, &format!("{one}add-owners/"), &json!({"user_ids": [world.member.id]})).await.expect(200);
        let was = app.get(&world.admin, &one).await.expect(200);
        let keys = [world.key.as_str(), versioned.as_str()];
        let before = asked(&app, &keys).await;
        for value in ["left", "right", "other control", "for pro", "for half", "hers"] {
            assert!(before.iter().any(|flag| flag[3] == value), "nobody gets {value}");
        }
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(asked(&app, &keys).await, Vec::<Value>::new());
        let deletions = "Flag / Remote Config Deleted: split";
        let list = app.get(&world.admin, &format!("{}?related_object_type=FEATURE", audit(&world))).await.expect(200);
        assert_eq!(list["results"][0]["log"], deletions);
        let deletion = id(&list["results"][0]);
        // What is kept for coming back is no difference to show.
        let told = app.get(&world.admin, &format!("{}{deletion}/", audit(&world))).await.expect(200);
        assert!(told["change_details"].as_array().unwrap().iter().all(|detail| detail["field"] != "kept"), "{told}");
        let path = format!("{}{deletion}/revert/", audit(&world));
        app.post(&world.admin, &path, &json!({})).await.expect(200);
        assert_eq!(asked(&app, &keys).await, before);
        let list = app.get(&world.admin, &features(&world)).await.expect(200);
        let now = app.get(&world.admin, &format!("{}{}/", features(&world), id(&list["results"][0]))).await.expect(200);
        for same in ["name", "type", "default_enabled", "initial_value", "description", "tags", "owners", "is_archived", "is_server_key_only"] {
            assert_eq!(now[same], was[same], "{same}");
        }
        assert_eq!(now["metadata"][0]["field_value"], "growth");
        // In the environment with versions it has a first version again.
        let environment = app.get(&world.admin, &format!("/api/v1/environments/{versioned}/")).await.expect(200);
        let versions = format!("/api/v1/environments/{}/features/{}/versions/", id(&environment), id(&now));
        assert_eq!(app.get(&world.admin, &versions).await.expect(200)["count"], 1);
        assert_eq!(app.post(&world.admin, &path, &json!({})).await.expect(409),
            json!({"detail": "There is such a feature again."}));
    }

    async fn bringing_a_feature_back_needs_the_permissions_of_all_it_writes(app) {
        let world = app.world().await;
        let (split, _, _) = furnished(&app, &world).await;
        app.delete(&world.admin, &format!("{}{split}/", features(&world))).await.expect(204);
        let list = app.get(&world.admin, &format!("{}?related_object_type=FEATURE", audit(&world))).await.expect(200);
        let path = format!("{}{}/revert/", audit(&world), id(&list["results"][0]));
        app.post(&world.stranger, &path, &json!({})).await.expect(403);
        let project = Object::Project(world.project);
        app.grant(&world.member, project, &["VIEW_PROJECT", "VIEW_AUDIT_LOG", "CREATE_FEATURE"]).await;
        app.post(&world.member, &path, &json!({})).await.expect(403);
        let environment = format!("/api/v1/environments/{}/", world.key);
        app.patch(&world.admin, &environment, &json!({"minimum_change_request_approvals": 1})).await.expect(200);
        let refused = app.post(&world.admin, &path, &json!({})).await.expect(403);
        assert!(refused["detail"].as_str().unwrap().contains("Development need approval"), "{refused}");
        assert_eq!(app.get(&world.admin, &features(&world)).await.expect(200)["count"], 0);
    }

    async fn a_deleted_segment_comes_back_with_its_overrides_and_its_draw(app) {
        let world = app.world().await;
        let (_, [pro, half], versioned) = furnished(&app, &world).await;
        let keys = [world.key.as_str(), versioned.as_str()];
        let before = asked(&app, &keys).await;
        let other = segment(&app, &world, "third", json!({"property": null, "operator": "PERCENTAGE_SPLIT", "value": "30"})).await;
        for segment in [pro, half] {
            app.delete(&world.admin, &format!("{}{segment}/", segments(&world))).await.expect(204);
        }
        assert!(asked(&app, &keys).await.iter().all(|flag| flag[3] != "for half" && flag[3] != "for pro"));
        // Last deleted, first put back: the ranks are those they had.
        revert(&app, &world, "Segment deleted: half").await.expect(200);
        revert(&app, &world, "Segment deleted: pro").await.expect(200);
        assert_eq!(asked(&app, &keys).await, before);
        let list = app.get(&world.admin, &segments(&world)).await.expect(200);
        let now: Vec<i64> = list["results"].as_array().unwrap().iter().map(id).collect();
        assert!(now.len() == 3 && now.contains(&other) && !now.contains(&half), "{now:?}");
    }

    async fn what_a_published_version_changed_is_put_back_by_another_version(app) {
        let world = app.world().await;
        let made = app.post(&world.admin, &features(&world), &json!({"name": "beta", "initial_value": "a"})).await.expect(201);
        let beta = id(&made);
        let enable = format!("/api/v1/environments/{}/enable-v2-versioning/", world.key);
        app.post(&world.admin, &enable, &json!({})).await.expect(202);
        let versions = format!("/api/v1/environments/{}/features/{beta}/versions/", world.environment);
        let change = json!({"publish_immediately": true, "feature_states_to_update": [
            {"enabled": true, "feature_state_value": {"type": "unicode", "string_value": "b"}}]});
        app.post(&world.admin, &versions, &change).await.expect(201);
        let served = || async {
            let headers = [("x-environment-key", world.key.as_str())];
            let flags = app.call(Method::GET, "/api/v1/flags/", &headers, None).await.expect(200);
            (flags[0]["enabled"].clone(), flags[0]["feature_state_value"].clone())
        };
        assert_eq!(served().await, (json!(true), json!("b")));
        let published = entry(&app, &world, "New version published for feature: beta").await;
        let path = format!("{}{published}/revert/", audit(&world));
        app.post(&world.admin, &path, &json!({})).await.expect(200);
        assert_eq!(served().await, (json!(false), json!("a")));
        assert_eq!(app.get(&world.admin, &versions).await.expect(200)["count"], 3);
        // It was changed since: by the very revert.
        app.post(&world.admin, &path, &json!({})).await.expect(409);
        // An override made by a version goes by another one.
        let pro = segment(&app, &world, "pro", json!({"property": "plan", "operator": "EQUAL", "value": "pro"})).await;
        let change = json!({"publish_immediately": true, "feature_states_to_create": [{"enabled": true,
            "feature_segment": {"segment": pro}, "feature_state_value": {"type": "unicode", "string_value": "for pro"}}]});
        app.post(&world.admin, &versions, &change).await.expect(201);
        revert(&app, &world, "New version published for feature: beta").await.expect(200);
        let list = format!("/api/v1/features/featurestates/?environment={}&feature={beta}", world.environment);
        assert_eq!(app.get(&world.admin, &list).await.expect(200)["count"], 1);
    }

    async fn a_deleted_environment_says_why_it_can_not_come_back(app) {
        let world = app.world().await;
        let (_, key) = app.environment(&world.admin, world.project, "Staging").await;
        app.delete(&world.admin, &format!("/api/v1/environments/{key}/")).await.expect(204);
        let list = app.get(&world.admin, &format!("{}?related_object_type=ENVIRONMENT", audit(&world))).await.expect(200);
        let path = format!("{}{}/revert/", audit(&world), id(&list["results"][0]));
        let refused = app.post(&world.admin, &path, &json!({})).await.expect(400);
        assert!(refused["detail"].as_str().unwrap().contains("identities and its keys went with it"), "{refused}");
    }
}
