//! `/api/v1/projects/{id}/features/`

use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

fn path(world: &World) -> String {
    format!("/api/v1/projects/{}/features/", world.project)
}

async fn create(app: &TestApp, world: &World, body: &Value) -> Value {
    app.post(&world.admin, &path(world), body).await.expect(201)
}

/// The names a list answers for a query.
async fn names(app: &TestApp, world: &World, query: &str) -> Vec<String> {
    let answer = app
        .get(&world.admin, &format!("{}?{query}", path(world)))
        .await
        .expect(200);
    let rows = answer["results"].as_array().expect("a list");
    rows.iter()
        .map(|row| row["name"].as_str().expect("text").to_owned())
        .collect()
}

both! {
    async fn a_feature_gives_every_environment_a_state_with_its_typed_value(app) {
        let world = app.world().await;
        let (_, second) = app.environment(&world.admin, world.project, "Production").await;
        let body = json!({"name": " limit ", "default_enabled": true, "initial_value": "42"});
        let feature = create(&app, &world, &body).await;
        assert_eq!(feature["name"], "limit");
        assert_eq!(feature["owners"][0]["id"], world.admin.id);
        assert!(feature.get("code_references_counts").is_none());
        for key in [&world.key, &second] {
            let states = format!("/api/v1/environments/{key}/featurestates/");
            let states = app.get(&world.admin, &states).await.expect(200);
            assert_eq!(states["count"], 1);
            assert_eq!(states["results"][0]["feature_state_value"], 42);
            assert_eq!(states["results"][0]["enabled"], true);
        }
        let lines = app.log("FEATURE_STATE").await;
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].message.as_deref(), Some("New Flag / Remote Config created: limit"));
        assert!(app.log("FEATURE").await[0].serves);
    }

    async fn a_new_environment_gets_the_features_that_are_there(app) {
        let world = app.world().await;
        create(&app, &world, &json!({"name": "a", "default_enabled": true, "initial_value": "x"})).await;
        let (_, key) = app.environment(&world.admin, world.project, "Later").await;
        let states = app.get(&world.admin, &format!("/api/v1/environments/{key}/featurestates/")).await.expect(200);
        assert_eq!(states["results"][0]["feature_state_value"], "x");
    }

    async fn a_project_can_keep_defaults_from_new_states(app) {
        let world = app.world().await;
        let project = format!("/api/v1/projects/{}/", world.project);
        app.patch(&world.admin, &project, &json!({"prevent_flag_defaults": true})).await.expect(200);
        create(&app, &world, &json!({"name": "a", "default_enabled": true, "initial_value": "x"})).await;
        let states = format!("/api/v1/environments/{}/featurestates/", world.key);
        let states = app.get(&world.admin, &states).await.expect(200);
        assert_eq!(states["results"][0]["enabled"], false);
        assert_eq!(states["results"][0]["feature_state_value"], Value::Null);
    }

    async fn what_is_wrong_with_a_feature_is_said_field_by_field(app) {
        let world = app.world().await;
        create(&app, &world, &json!({"name": "taken"})).await;
        let options = json!([
            {"string_value": "x", "default_percentage_allocation": 60},
            {"string_value": "y", "default_percentage_allocation": 60},
        ]);
        let cases = [
            (json!({}), json!({"name": ["This field is required."]})),
            (json!({"name": "TAKEN"}), json!({"name": ["Feature with that name already exists for this project. Note that feature names are case insensitive."]})),
            (json!({"name": "x".repeat(2001)}), json!({"name": ["Ensure this field has no more than 2000 characters."]})),
            (json!({"name": "a", "initial_value": false}), json!({"initial_value": ["Not a valid string."]})),
            (json!({"name": "a", "initial_value": "x".repeat(20_001)}), json!({"initial_value": ["Ensure this field has no more than 20000 characters."]})),
            (json!({"name": "a", "tags": [9999]}), json!({"tags": ["Invalid pk \"9999\" - object does not exist."]})),
            (json!({"name": "a", "owners": [9999]}), json!({"owners": ["Invalid pk \"9999\" - object does not exist."]})),
            (json!({"name": "a", "owners": [world.stranger.id]}), json!({"owners": [format!("Invalid pk \"{}\" - object does not exist.", world.stranger.id)]})),
            (json!({"name": "a\u{0}b"}), json!({"name": ["Null characters are not allowed."]})),
            (json!({"name": "a", "multivariate_options": options}), json!({"multivariate_options": ["Invalid percentage allocation"]})),
            (json!({"name": "a", "metadata": [{"model_field": 1, "field_value": "x"}]}), json!({"metadata": [{"model_field": ["Invalid pk \"1\" - object does not exist."]}]})),
        ];
        for (body, expected) in cases {
            let answer = app.post(&world.admin, &path(&world), &body).await.expect(400);
            assert_eq!(answer, expected);
        }
    }

    async fn names_obey_the_pattern_of_the_project(app) {
        let world = app.world().await;
        let project = format!("/api/v1/projects/{}/", world.project);
        app.patch(&world.admin, &project, &json!({"feature_name_regex": "[a-z]+_[0-9]+"})).await.expect(200);
        create(&app, &world, &json!({"name": "flag_1"})).await;
        let refused = app.post(&world.admin, &path(&world), &json!({"name": "flag_1x"})).await.expect(400);
        assert_eq!(refused["name"][0], "Feature name must match regex: [a-z]+_[0-9]+");
    }

    async fn name_value_and_default_of_a_feature_stay_when_it_is_changed(app) {
        let world = app.world().await;
        let feature = create(&app, &world, &json!({"name": "a", "initial_value": "x"})).await;
        let one = format!("{}{}/", path(&world), id(&feature));
        let body = json!({"name": "b", "initial_value": "y", "default_enabled": true, "description": "d"});
        let changed = app.put(&world.admin, &one, &body).await.expect(200);
        assert_eq!(changed["name"], "a");
        assert_eq!(changed["initial_value"], "x");
        assert_eq!(changed["description"], "d");
        app.get(&world.admin, &format!("{}abc/", path(&world))).await.expect(404);
        app.get(&world.admin, &format!("{}99999999999999999999/", path(&world))).await.expect(404);
    }

    async fn a_list_is_filtered_as_asked(app) {
        let world = app.world().await;
        let tag = json!({"label": "t", "color": "#123"});
        let tags = format!("/api/v1/projects/{}/tags/", world.project);
        let (one, two) = (
            id(&app.post(&world.admin, &tags, &tag).await.expect(201)),
            id(&app.post(&world.admin, &tags, &tag).await.expect(201)),
        );
        create(&app, &world, &json!({"name": "Alpha", "tags": [one, two], "default_enabled": true})).await;
        create(&app, &world, &json!({"name": "beta", "tags": [one], "initial_value": "Hello"})).await;
        create(&app, &world, &json!({"name": "gamma", "is_archived": true, "owners": []})).await;
        let environment = world.environment;
        assert_eq!(names(&app, &world, "search=ALPH").await, ["Alpha"]);
        assert_eq!(names(&app, &world, "sort_field=name&sort_direction=DESC").await, ["gamma", "beta", "Alpha"]);
        assert_eq!(names(&app, &world, &format!("tags={one},{two}&tag_strategy=INTERSECTION")).await, ["Alpha"]);
        assert_eq!(names(&app, &world, &format!("tags={one},{two}&tag_strategy=UNION")).await, ["Alpha", "beta"]);
        assert_eq!(names(&app, &world, "tags=").await, ["gamma"]);
        assert_eq!(names(&app, &world, "is_archived=true").await, ["gamma"]);
        assert_eq!(names(&app, &world, &format!("environment={environment}&is_enabled=true")).await, ["Alpha"]);
        assert_eq!(names(&app, &world, &format!("environment={environment}&value_search=hell")).await, ["beta"]);
        assert_eq!(names(&app, &world, &format!("owners={}", world.admin.id)).await, ["Alpha", "beta"]);
        for (query, status) in [("tags=a", 400), ("sort_field=zzz", 400), ("value_search=x", 400),
                                ("environment=9999", 400), ("identity=9999", 400), ("page=7", 404)] {
            app.get(&world.admin, &format!("{}?{query}", path(&world))).await.expect(status);
        }
    }

    async fn features_are_for_those_with_permission(app) {
        let world = app.world().await;
        let feature = create(&app, &world, &json!({"name": "a"})).await;
        let one = format!("{}{}/", path(&world), id(&feature));
        let uuid = format!("/api/v1/features/get-by-uuid/{}/", feature["uuid"].as_str().expect("text"));
        for person in [&world.stranger, &world.member] {
            app.get(person, &path(&world)).await.expect(404);
            app.get(person, &one).await.expect(404);
            app.get(person, &uuid).await.expect(404);
            app.post(person, &path(&world), &json!({"name": "b"})).await.expect(403);
            app.delete(person, &one).await.expect(403);
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT", "CREATE_FEATURE"]).await;
        app.post(&world.member, &path(&world), &json!({"name": "b"})).await.expect(201);
        let option = json!({"name": "c", "multivariate_options": [{"string_value": "x"}]});
        let refused = app.post(&world.member, &path(&world), &option).await.expect(403);
        assert_eq!(refused["detail"], "User must be project admin to modify / create MV options.");
        app.delete(&world.member, &one).await.expect(403);
        // The values of an environment are not for everybody who sees the project.
        let with_values = format!("{}?environment={}", path(&world), world.environment);
        app.get(&world.member, &with_values).await.expect(403);
        app.post(&world.admin, "/api/v1/projects/9999/features/", &json!({"name": "x"})).await.expect(403);
    }

    async fn a_feature_of_another_project_is_not_there(app) {
        let world = app.world().await;
        let feature = create(&app, &world, &json!({"name": "a"})).await;
        let other = app.project(&world.admin, world.organisation, "Other").await;
        let foreign = format!("/api/v1/projects/{other}/features/{}/", id(&feature));
        app.get(&world.admin, &foreign).await.expect(404);
        app.patch(&world.admin, &foreign, &json!({"description": "x"})).await.expect(404);
        app.get(&world.admin, &format!("{foreign}mv-options/")).await.expect(404);
        app.get(&world.admin, &format!("{foreign}evaluation-data/?environment_id={}", world.environment)).await.expect(404);
    }

    async fn what_is_on_where_changes_need_approval_is_not_deleted_past_it(app) {
        let world = app.world().await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        let on = app.post(&world.admin, &features, &json!({"name": "on", "default_enabled": true})).await.expect(201);
        let off = app.post(&world.admin, &features, &json!({"name": "off"})).await.expect(201);
        let environment = format!("/api/v1/environments/{}/", world.key);
        app.patch(&world.admin, &environment, &json!({"minimum_change_request_approvals": 1})).await.expect(200);
        let one = |feature: &Value| format!("{features}{}/", id(feature));
        let refused = app.delete(&world.admin, &one(&on)).await.expect(403);
        assert_eq!(refused, json!({"detail": "Changes in the environment Development need approval; \"on\" is on there \
            and can't be deleted before a change request has turned it off."}));
        // What answers nobody's question can go; and neither a new feature nor archiving one changes an answer.
        app.delete(&world.admin, &one(&off)).await.expect(204);
        app.post(&world.admin, &features, &json!({"name": "new"})).await.expect(201);
        app.patch(&world.admin, &one(&on), &json!({"is_archived": true})).await.expect(200);
        app.patch(&world.admin, &environment, &json!({"minimum_change_request_approvals": null})).await.expect(200);
        app.delete(&world.admin, &one(&on)).await.expect(204);
    }

    async fn deleting_a_feature_is_told_once_for_each_environment_and_once_for_the_project(app) {
        let world = app.world().await;
        let feature = create(&app, &world, &json!({"name": "a"})).await;
        app.delete(&world.admin, &format!("{}{}/", path(&world), id(&feature))).await.expect(204);
        let text = Some("Flag / Remote Config Deleted: a");
        assert_eq!(app.log("FEATURE_STATE").await.last().expect("a line").message.as_deref(), text);
        assert_eq!(app.log("FEATURE").await.last().expect("a line").message.as_deref(), text);
        create(&app, &world, &json!({"name": "a"})).await;
    }

    async fn owners_come_and_go_and_are_of_the_organisation(app) {
        let world = app.world().await;
        let feature = create(&app, &world, &json!({"name": "a"})).await;
        let one = format!("{}{}/", path(&world), id(&feature));
        let both = app.post(&world.admin, &format!("{one}add-owners/"), &json!({"user_ids": [world.member.id]})).await.expect(200);
        assert_eq!(both["owners"].as_array().expect("a list").len(), 2);
        let less = app.post(&world.admin, &format!("{one}remove-owners/"), &json!({"user_ids": [world.member.id]})).await.expect(200);
        assert_eq!(less["owners"].as_array().expect("a list").len(), 1);
        let refused = app.post(&world.admin, &format!("{one}add-owners/"), &json!({"user_ids": [world.stranger.id]})).await.expect(400);
        assert_eq!(refused, json!(["Some users not found"]));
        let refused = app.post(&world.admin, &format!("{one}add-group-owners/"), &json!({"group_ids": [999]})).await.expect(400);
        assert_eq!(refused, json!(["Some groups not found"]));
        let refused = app.post(&world.admin, &format!("{one}add-owners/"), &json!({"user_ids": "x"})).await.expect(400);
        assert_eq!(refused, json!({"user_ids": ["Expected a list of items but got type \"str\"."]}));
    }

    async fn a_project_has_so_many_features_and_no_more(app) {
        let world = app.world().await;
        let mut tx = app.app.db().begin().await.expect("a transaction");
        for n in 0..burgee_model::limits::FEATURES_PER_PROJECT {
            let feature = burgee_store::features::Feature {
                id: 0, uuid: format!("feature-{n}"), project_id: world.project, name: format!("f{n}"),
                name_key: format!("f{n}"), r#type: "STANDARD".to_owned(), default_enabled: false, initial_value: None,
                description: None, is_archived: false, is_server_key_only: false, created_at: 0,
            };
            burgee_store::features::insert(&mut tx, &feature).await.expect("a feature");
        }
        tx.commit().await.expect("commits");
        let refused = app.post(&world.admin, &path(&world), &json!({"name": "one more"})).await.expect(400);
        assert_eq!(refused["project"][0], "The project has reached the maximum allowed features limit of 1000.");
    }

    async fn of_features_made_at_once_with_one_name_one_is_made(app) {
        let world = app.world().await;
        let (path, body) = (path(&world), json!({"name": "same"}));
        let made = [0; 4].map(|_| app.post(&world.admin, &path, &body));
        let [a, b, c, d] = made;
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        let mut statuses: Vec<u16> = [a, b, c, d].iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400, 400, 400]);
    }

    async fn a_feature_is_found_by_its_uuid_by_those_who_see_its_project(app) {
        let world = app.world().await;
        let made = create(&app, &world, &json!({"name": "a"})).await;
        let one = format!("/api/v1/features/get-by-uuid/{}/", made["uuid"].as_str().expect("a uuid"));
        let found = app.get(&world.admin, &one).await.expect(200);
        assert_eq!((&found["id"], &found["name"]), (&made["id"], &json!("a")));
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(404);
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.get(&world.member, &one).await.expect(200);
        app.get(&world.admin, "/api/v1/features/get-by-uuid/nonsense/").await.expect(404);
    }

    async fn groups_own_features_and_stop_owning_them(app) {
        let world = app.world().await;
        let made = create(&app, &world, &json!({"name": "a"})).await;
        let one = format!("{}{}/", path(&world), id(&made));
        let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
        let mut ids = Vec::new();
        for name in ["devs", "ops"] {
            ids.push(id(&app.post(&world.admin, &groups, &json!({"name": name})).await.expect(201)));
        }
        let owned = app.post(&world.admin, &format!("{one}add-group-owners/"), &json!({"group_ids": ids})).await.expect(200);
        assert_eq!(owned["group_owners"], json!([{"id": ids[0], "name": "devs"}, {"id": ids[1], "name": "ops"}]));
        assert_eq!(names(&app, &world, &format!("group_owners={}", ids[1])).await, ["a"]);
        let less = app.post(&world.admin, &format!("{one}remove-group-owners/"), &json!({"group_ids": [ids[0]]})).await.expect(200);
        assert_eq!(less["group_owners"], json!([{"id": ids[1], "name": "ops"}]));
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["group_owners"], less["group_owners"]);
        for act in ["add-group-owners", "remove-group-owners"] {
            let missing = app.post(&world.admin, &format!("{one}{act}/"), &json!({})).await.expect(400);
            assert_eq!(missing, json!({"group_ids": ["This field is required."]}));
            let body = json!({"group_ids": [ids[1]]});
            for person in [&world.member, &world.stranger] {
                let refused = app.post(person, &format!("{one}{act}/"), &body).await;
                assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
            }
        }
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["group_owners"], less["group_owners"]);
    }

    async fn evaluations_of_a_feature_are_counted_by_day(app) {
        let world = app.world().await;
        let feature = id(&create(&app, &world, &json!({"name": "a"})).await);
        let one = format!("{}{feature}/", path(&world));
        let data = format!("{one}evaluation-data/?environment_id={}", world.environment);
        assert_eq!(app.get(&world.admin, &data).await.expect(200), json!([]));
        let headers = [("x-environment-key", world.key.as_str())];
        app.call(axum::http::Method::POST, "/api/v1/analytics/flags/", &headers, Some(&json!({"a": 3}))).await.expect(200);
        app.call(axum::http::Method::POST, "/api/v1/analytics/flags/", &headers, Some(&json!({"a": 4}))).await.expect(200);
        let counted = app.get(&world.admin, &data).await.expect(200);
        let total: i64 = counted.as_array().expect("a list").iter().filter_map(|day| day["count"].as_i64()).sum();
        assert_eq!(total, 7, "{counted}");
        let fields: Vec<&str> = counted[0].as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, ["day", "count", "labels"]);
        let elsewhere = app.environment(&world.admin, world.project, "Production").await.0;
        assert_eq!(app.get(&world.admin, &format!("{one}evaluation-data/?environment_id={elsewhere}")).await.expect(200), json!([]));
        let events = format!("{one}influx-data/?environment_id={}", world.environment);
        let counted = app.get(&world.admin, &events).await.expect(200);
        let (days, name) = (counted["events_list"].as_array().expect("a list"), counted["events_list"][0].as_object().expect("an event"));
        assert!(days.len() == 1 && name.contains_key("datetime"), "{counted}");
        assert_eq!(days[0]["a"], 7);
        for period in ["7d", "168h"] {
            assert_eq!(app.get(&world.admin, &format!("{events}&period={period}")).await.expect(200), counted);
        }
        for period in ["week", "0d", "é", "-1h"] {
            assert!(app.get(&world.admin, &format!("{events}&period={period}")).await.expect(400).get("period").is_some());
        }
        for kind in ["evaluation-data", "influx-data"] {
            let refused = app.get(&world.admin, &format!("{one}{kind}/")).await.expect(400);
            assert!(refused.get("environment_id").is_some(), "{refused}");
            let path = format!("{one}{kind}/?environment_id={}", world.environment);
            for person in [&world.member, &world.stranger] {
                let refused = app.get(person, &path).await;
                assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
            }
        }
    }

}
