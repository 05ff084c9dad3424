//! `…/export/` and `…/import/` of projects and organisations

use axum::body::Body;
use axum::http::{Method, Request};
use burgee_store::grants::Object;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

/// Another installation, on the same kind of database.
async fn elsewhere(app: &TestApp) -> TestApp {
    if app.url.starts_with("sqlite") {
        TestApp::sqlite().await
    } else {
        TestApp::postgres().await.expect("a database")
    }
}

async fn send(app: &TestApp, person: &Person, path: &str, text: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "testserver")
        .header("authorization", format!("Token {}", person.token))
        .header("content-type", "application/json")
        .body(Body::from(text.to_owned()))
        .expect("a request");
    app.send(request).await
}

async fn export(app: &TestApp, world: &World, query: &str) -> String {
    let path = format!("/api/v1/projects/{}/export/{query}", world.project);
    let answer = app.get(&world.admin, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

fn import_path(world: &World) -> String {
    format!("/api/v1/organisations/{}/import/", world.organisation)
}

async fn post(app: &TestApp, world: &World, path: &str, body: Value) -> Value {
    let answer = app.post(&world.admin, path, &body).await;
    assert!(
        answer.status.is_success(),
        "{path}: {} {}",
        answer.status,
        answer.text
    );
    answer.body
}

async fn segment(app: &TestApp, world: &World, name: &str, condition: Value) -> i64 {
    let rules = json!([{"type": "ALL", "conditions": [], "rules": [
        {"type": "ANY", "rules": [], "conditions": [condition]}]}]);
    let body = json!({"name": name, "project": world.project, "rules": rules});
    id(&post(
        app,
        world,
        &format!("/api/v1/projects/{}/segments/", world.project),
        body,
    )
    .await)
}

/// A project with something of everything, and identities that fall into all its buckets. Returns the keys of its
/// environments.
async fn furnished(app: &TestApp) -> (World, Vec<String>) {
    let world = app.world().await;
    let (_, numbered) = app.environment(&world.admin, world.project, "By number").await;
    let environment = format!("/api/v1/environments/{numbered}/");
    let by_number = json!({"use_identity_composite_key_for_hashing": false});
    app.patch(&world.admin, &environment, &by_number)
        .await
        .expect(200);
    post(
        app,
        &world,
        &format!("/api/v1/environments/{}/api-keys/", world.key),
        json!({"name": "sdk"}),
    )
    .await;
    let tags = format!("/api/v1/projects/{}/tags/", world.project);
    let tag = id(&post(app, &world, &tags, json!({"label": "blue", "color": "#0000ff"})).await);
    let features = format!("/api/v1/projects/{}/features/", world.project);
    let options = json!([
        {"type": "unicode", "string_value": "left", "key": "l", "default_percentage_allocation": 30},
        {"type": "unicode", "string_value": "right", "key": "r", "default_percentage_allocation": 30},
    ]);
    let split = json!({"name": "split", "initial_value": "control", "default_enabled": true, "multivariate_options": options, "tags": [tag]});
    let split = id(&post(app, &world, &features, split).await);
    let plain = id(&post(
        app,
        &world,
        &features,
        json!({"name": "plain", "initial_value": "12"}),
    )
    .await);
    let third = json!({"property": null, "operator": "PERCENTAGE_SPLIT", "value": "33"});
    let third = segment(app, &world, "a third", third).await;
    let pro = segment(
        app,
        &world,
        "pro",
        json!({"property": "plan", "operator": "EQUAL", "value": "pro"}),
    )
    .await;
    for key in [&world.key, &numbered] {
        for (segment, value) in [(pro, "for pro"), (third, "for a third")] {
            let body = json!({"enabled": true, "feature_segment": {"segment": segment},
                "feature_state_value": {"type": "unicode", "string_value": value}});
            post(
                app,
                &world,
                &format!("/api/v1/environments/{key}/features/{plain}/create-segment-override/"),
                body,
            )
            .await;
        }
        for n in 0..30 {
            let tier = if n % 5 == 0 { "pro" } else { "free" };
            let body = json!({"identifier": format!("user-{n}"), "traits": [
                {"trait_key": "plan", "trait_value": tier}, {"trait_key": "score", "trait_value": 1.5}]});
            app.call(
                Method::POST,
                "/api/v1/identities/",
                &[("x-environment-key", key)],
                Some(&body),
            )
            .await
            .expect(200);
        }
        let identities = format!("/api/v1/environments/{key}/identities/");
        let found = app
            .get(&world.admin, &format!("{identities}?q=%22user-7%22"))
            .await
            .expect(200);
        let body = json!({"feature": split, "enabled": true, "feature_state_value": "hers"});
        post(
            app,
            &world,
            &format!("{identities}{}/featurestates/", id(&found["results"][0])),
            body,
        )
        .await;
    }
    let keys = vec![world.key.clone(), numbered];
    (world, keys)
}

/// What every identity gets, feature by feature.
async fn asked(app: &TestApp, keys: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for key in keys {
        for n in 0..30 {
            let path = format!("/api/v1/identities/?identifier=user-{n}");
            let answer = app
                .call(Method::GET, &path, &[("x-environment-key", key)], None)
                .await
                .expect(200);
            for flag in answer["flags"].as_array().expect("flags") {
                all.push(json!([
                    n,
                    flag["feature"]["name"],
                    flag["enabled"],
                    flag["feature_state_value"],
                    flag["variant"]
                ]));
            }
            for stored in answer["traits"].as_array().expect("traits") {
                all.push(json!([stored["trait_key"], stored["trait_value"]]));
            }
        }
    }
    all
}

both! {
    async fn a_project_that_moves_serves_everybody_what_it_served_before(app) {
        let (world, keys) = furnished(&app).await;
        let before = asked(&app, &keys).await;
        let variants: std::collections::BTreeSet<_> = before.iter().map(ToString::to_string).collect();
        assert!(variants.iter().any(|v| v.contains("\"left\"")) && variants.iter().any(|v| v.contains("for a third")));
        let text = export(&app, &world, "?keys=true&identities=true").await;
        assert_eq!(text.lines().count(), 1 + 60 + 1);
        let there = elsewhere(&app).await;
        let home = there.world().await;
        let done = send(&there, &home.admin, &format!("{}?name=Moved", import_path(&home)), &text).await.expect(200);
        let project = &done["projects"][0];
        assert_eq!((&project["name"], &project["is_new"], &project["not_taken"]), (&json!("Moved"), &json!(true), &json!([])));
        assert_eq!((&project["created"]["features"], &project["created"]["identities"]), (&json!(2), &json!(60)));
        assert_eq!(asked(&there, &keys).await, before);
        // The file of the copy says the same.
        let moved = World { project: project["project"].as_i64().unwrap(), ..home.clone() };
        let again = export(&there, &moved, "?keys=true&identities=true").await;
        let part = |text: &str| serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap()["project"].clone();
        let (mut a, b) = (part(&text), part(&again));
        a["name"] = json!("Moved");
        assert_eq!(a["features"][0]["tags"], b["features"][0]["tags"]);
        assert_eq!(a["environments"][0]["defaults"].as_array().unwrap().len(), b["environments"][0]["defaults"].as_array().unwrap().len());
        assert_eq!(text.lines().skip(1).count(), again.lines().skip(1).count());
        // Rows of its own come after those that moved.
        let condition = json!({"property": "x", "operator": "EQUAL", "value": "y"});
        segment(&there, &moved, "later", condition).await;
        let path = format!("/api/v1/environments/{}/identities/", keys[1]);
        there.post(&moved.admin, &path, &json!({"identifier": "later"})).await.expect(201);
    }

    async fn what_is_there_is_changed_by_name_and_nothing_twice(app) {
        let (world, keys) = furnished(&app).await;
        let text = export(&app, &world, "?identities=true").await;
        assert!(!text.contains("ser.") && !text.contains(&world.key), "no keys unless asked for");
        let before = asked(&app, &keys).await;
        let into = format!("/api/v1/projects/{}/import/", world.project);
        let done = send(&app, &world.admin, &into, &text).await.expect(200);
        assert_eq!((&done["is_new"], &done["updated"]["features"], &done["updated"]["environments"]), (&json!(false), &json!(2), &json!(2)));
        assert_eq!((&done["created"]["features"], &done["not_taken"]), (&Value::Null, &json!([])));
        assert_eq!(asked(&app, &keys).await, before);
        let project = format!("/api/v1/projects/{}/", world.project);
        let counted = app.get(&world.admin, &project).await.expect(200);
        assert_eq!((&counted["total_features"], &counted["total_segments"]), (&json!(2), &json!(2)));
        let lines = app.log("PROJECT").await;
        assert_eq!(lines.last().unwrap().message.as_deref(), Some("Project imported: Web"));
        // Beside the original it can't have the same keys: that is told.
        let text = export(&app, &world, "?keys=true").await;
        let done = send(&app, &world.admin, &format!("{}?name=Copy", import_path(&world)), &text).await.expect(200);
        let missed = done["projects"][0]["not_taken"].to_string();
        assert!(missed.contains("the key of environment \\\"Development\\\"") && missed.contains("server-side key"), "{missed}");
        // Draws need no number: the seeds came along.
        assert!(!missed.contains("segment"), "{missed}");
    }

    async fn who_has_other_numbers_here_gets_what_he_got_before_and_so_does_a_copy_of_the_copy(app) {
        let (world, keys) = furnished(&app).await;
        // Buckets are computed from numbers here, of states, of segments and of identities: each has another one in a copy.
        let by_number = |answers: Vec<Value>| answers.into_iter().filter(|flag| flag[0].is_number()).collect::<Vec<_>>();
        let before = by_number(asked(&app, &keys[1..]).await);
        let right = before.iter().filter(|flag| flag[3] == "right").count();
        assert!(right > 2 && right < 20, "{right} of 30");
        let mut last = world.clone();
        for name in ["Copy", "Copy of the copy"] {
            let text = export(&app, &last, "?identities=true").await;
            let path = format!("{}?name={}", import_path(&world), name.replace(' ', "%20"));
            let done = send(&app, &world.admin, &path, &text).await.expect(200);
            let project = done["projects"][0]["project"].as_i64().expect("a project");
            last = World { project, ..world.clone() };
            let environments = app.get(&world.admin, &format!("/api/v1/environments/?project={project}")).await.expect(200);
            let numbered = environments["results"].as_array().unwrap().iter().find(|row| row["name"] == "By number").unwrap();
            let key = numbered["api_key"].as_str().unwrap().to_owned();
            assert_ne!(key, keys[1]);
            assert_eq!(by_number(asked(&app, &[key]).await), before, "{name}");
        }
    }

    async fn custom_fields_move_along_by_name(app) {
        let world = app.world().await;
        let fields = "/api/v1/metadata/fields/";
        let mut used = Vec::new();
        for (name, kind, project, content_type) in [
            ("team", "str", Value::Null, 4), ("tier", "int", json!(world.project), 3), ("purpose", "str", Value::Null, 5),
        ] {
            let body = json!({"name": name, "type": kind, "organisation": world.organisation, "project": project});
            let field = id(&post(&app, &world, fields, body).await);
            let path = format!("/api/v1/organisations/{}/metadata-model-fields/", world.organisation);
            let places = json!([{"content_type": 2, "object_id": world.project}]);
            let required = if name == "team" { places } else { json!([]) };
            let body = json!({"field": field, "content_type": content_type, "is_required_for": required});
            used.push(id(&post(&app, &world, &path, body).await));
        }
        let value = |n: usize, text: &str| json!([{"model_field": used[n], "field_value": text}]);
        let features = format!("/api/v1/projects/{}/features/", world.project);
        post(&app, &world, &features, json!({"name": "beta", "metadata": value(0, "growth")})).await;
        let environment = format!("/api/v1/environments/{}/", world.key);
        app.patch(&world.admin, &environment, &json!({"metadata": value(1, "3")})).await.expect(200);
        let condition = json!({"property": "plan", "operator": "EQUAL", "value": "pro"});
        let pro = segment(&app, &world, "pro", condition).await;
        let one = format!("/api/v1/projects/{}/segments/{pro}/", world.project);
        app.patch(&world.admin, &one, &json!({"metadata": value(2, "sales")})).await.expect(200);

        let text = export(&app, &world, "").await;
        let there = elsewhere(&app).await;
        let home = there.world().await;
        let done = send(&there, &home.admin, &format!("{}?name=Moved", import_path(&home)), &text).await.expect(200);
        let project = &done["projects"][0];
        assert_eq!((&project["created"]["custom fields"], &project["not_taken"].to_string().contains("custom")), (&json!(3), &false));
        let project = project["project"].as_i64().unwrap();
        let of = |path: String| { let (there, home) = (&there, &home); async move { there.get(&home.admin, &path).await.expect(200)["results"][0]["metadata"][0]["field_value"].clone() } };
        assert_eq!(of(format!("/api/v1/projects/{project}/features/")).await, "growth");
        assert_eq!(of(format!("/api/v1/projects/{project}/segments/")).await, "sales");
        assert_eq!(of(format!("/api/v1/environments/?project={project}")).await, "3");
        // What was required there is required here, and only in this project.
        let refused = there.post(&home.admin, &format!("/api/v1/projects/{project}/features/"), &json!({"name": "x"})).await.expect(400);
        assert_eq!(refused, json!({"metadata": ["Missing required metadata field: team"]}));
        there.post(&home.admin, &format!("/api/v1/projects/{}/features/", home.project), &json!({"name": "x"})).await.expect(201);
        // Once more: everything is found by name, nothing is there twice.
        let again = send(&there, &home.admin, &format!("/api/v1/projects/{project}/import/"), &text).await.expect(200);
        assert_eq!((&again["created"]["custom fields"], &again["updated"]["custom fields"]), (&Value::Null, &json!(3)));
        let listed = there.get(&home.admin, &format!("/api/v1/projects/{project}/metadata/fields/")).await.expect(200);
        assert_eq!(listed["count"], 3);
        // What does not fit a field that is there is left out, and told.
        let mut document: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        document.as_object_mut().unwrap().remove("checksum");
        document["project"]["environments"][0]["metadata"][0]["value"] = json!("three");
        document["project"]["fields"][0]["type"] = json!("date");
        let wrong = send(&there, &home.admin, &format!("/api/v1/projects/{project}/import/"), &document.to_string()).await.expect(400);
        assert_eq!(wrong["fields[0].type"], json!(["\"date\" is not a valid choice."]));
        document["project"]["fields"][0]["type"] = json!("str");
        let done = send(&there, &home.admin, &format!("/api/v1/projects/{project}/import/"), &document.to_string()).await.expect(200);
        assert!(done["not_taken"].to_string().contains("1 values of custom fields"), "{done}");
        assert_eq!(of(format!("/api/v1/environments/?project={project}")).await, "3");
    }

    async fn a_file_of_the_first_version_is_still_read(app) {
        let (world, keys) = furnished(&app).await;
        let before = asked(&app, &keys).await;
        let text = export(&app, &world, "?keys=true").await;
        let mut document: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        document.as_object_mut().unwrap().remove("checksum");
        document["version"] = json!(1);
        let there = elsewhere(&app).await;
        let home = there.world().await;
        send(&there, &home.admin, &format!("{}?name=Old", import_path(&home)), &document.to_string()).await.expect(200);
        // Without identities it is the environment whose buckets come from identifiers that answers the same.
        let flags = |all: Vec<Value>| all.into_iter().filter(|flag| flag[1] == "split").take(30).collect::<Vec<_>>();
        assert_eq!(flags(asked(&there, &keys).await), flags(before));
    }

    async fn a_dry_run_and_a_refused_file_write_nothing(app) {
        let (world, _) = furnished(&app).await;
        let text = export(&app, &world, "?identities=true").await;
        let there = elsewhere(&app).await;
        let home = there.world().await;
        let projects = format!("/api/v1/projects/?organisation={}", home.organisation);
        let before = there.get(&home.admin, &projects).await.expect(200);
        let dry = send(&there, &home.admin, &format!("{}?dry_run=true&name=Dry", import_path(&home)), &text).await.expect(200);
        assert_eq!((&dry["dry_run"], &dry["projects"][0]["created"]["identities"]), (&json!(true), &json!(60)));
        let path = import_path(&home);
        let lines: Vec<&str> = text.lines().collect();
        let refused = |text: String| {
            let (there, home, path) = (&there, &home, &path);
            async move { send(there, &home.admin, path, &text).await.expect(400) }
        };
        let broken_off = refused(lines[..lines.len() - 1].join("\n")).await;
        assert!(broken_off["detail"].as_str().unwrap().contains("breaks off"), "{broken_off}");
        let mut tampered = lines.clone();
        let other = lines[3].replace("free", "pro!");
        tampered[3] = &other;
        assert!(refused(tampered.join("\n")).await["detail"].as_str().unwrap().contains("not as they were written"));
        let changed = refused(lines[0].replace("\"plain\"", "\"pla1n\"")).await;
        assert!(changed["checksum"].is_array(), "{changed}");
        let mut document: Value = serde_json::from_str(lines[0]).unwrap();
        document.as_object_mut().unwrap().remove("checksum");
        document["project"]["features"][1]["name"] = json!("");
        document["project"]["environments"][0]["defaults"][0]["state"]["weights"] = json!([{"option": 999_999, "percentage": 20}]);
        let wrong = refused(document.to_string()).await;
        assert_eq!(wrong["features[1].name"], json!(["This field may not be blank."]));
        assert!(wrong["environments[0].defaults[0].state.weights"].is_array(), "{wrong}");
        document["project"]["features"][1]["name"] = json!(7);
        assert!(refused(document.to_string()).await["features[1].name"].is_array());
        document["version"] = json!(99);
        assert!(refused(document.to_string()).await["version"].is_array());
        for text in ["", "x", "[]", "{}", "{\"format\": \"x\", \"version\": 1, \"exported_at\": \"\"}"] {
            refused(text.to_owned()).await;
        }
        assert_eq!(there.get(&home.admin, &projects).await.expect(200), before);
        // A document that people laid out is read as well.
        let mut document: Value = serde_json::from_str(lines[0]).unwrap();
        document.as_object_mut().unwrap().remove("checksum");
        let laid_out = serde_json::to_string_pretty(&document).unwrap();
        send(&there, &home.admin, &format!("{path}?name=Laid%20out"), &laid_out).await.expect(200);
    }

    async fn a_file_is_no_way_past_those_who_have_to_approve(app) {
        let (world, keys) = furnished(&app).await;
        let text = export(&app, &world, "").await;
        let into = format!("/api/v1/projects/{}/import/", world.project);
        let environment = format!("/api/v1/environments/{}/", keys[1]);
        app.patch(&world.admin, &environment, &json!({"minimum_change_request_approvals": 1})).await.expect(200);
        let refused = send(&app, &world.admin, &into, &text).await.expect(403);
        assert!(refused["detail"].as_str().unwrap().contains("By number"), "{refused}");
        app.patch(&world.admin, &environment, &json!({"minimum_change_request_approvals": null})).await.expect(200);
        let project = format!("/api/v1/projects/{}/", world.project);
        app.patch(&world.admin, &project, &json!({"minimum_change_request_approvals": 1})).await.expect(200);
        send(&app, &world.admin, &into, &text).await.expect(403);
        // Beside it nothing is there yet that somebody would have to approve.
        send(&app, &world.admin, &format!("{}?name=Copy", import_path(&world)), &text).await.expect(200);
    }

    async fn files_are_for_administrators(app) {
        let world = app.world().await;
        let text = export(&app, &world, "").await;
        let (project, organisation) = (format!("/api/v1/projects/{}/", world.project), format!("/api/v1/organisations/{}/", world.organisation));
        app.get(&world.stranger, &format!("{project}export/")).await.expect(404);
        send(&app, &world.stranger, &format!("{project}import/"), &text).await.expect(404);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT", "CREATE_FEATURE"]).await;
        app.get(&world.member, &format!("{project}export/")).await.expect(403);
        send(&app, &world.member, &format!("{project}import/"), &text).await.expect(403);
        for person in [&world.member, &world.stranger] {
            app.get(person, &format!("{organisation}export/")).await.expect(403);
            send(&app, person, &format!("{organisation}import/"), &text).await.expect(403);
        }
    }

    async fn an_organisation_moves_with_its_groups_roles_and_projects(app) {
        let (world, keys) = furnished(&app).await;
        let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
        let group = id(&post(&app, &world, &groups, json!({"name": "ops"})).await);
        post(&app, &world, &format!("{groups}{group}/add-users/"), json!({"user_ids": [world.member.id]})).await;
        let roles = format!("/api/v1/organisations/{}/roles/", world.organisation);
        let role = id(&post(&app, &world, &roles, json!({"name": "reader", "description": "reads"})).await);
        post(&app, &world, &format!("{roles}{role}/projects-permissions/"),
            json!({"project": world.project, "permissions": [{"permission_key": "VIEW_PROJECT", "tags": []}]})).await;
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT", "CREATE_FEATURE"]).await;
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        let field = json!({"name": "team", "type": "str", "organisation": world.organisation});
        let field = id(&post(&app, &world, "/api/v1/metadata/fields/", field).await);
        let everywhere = json!([{"content_type": 1, "object_id": world.organisation}]);
        let body = json!({"field": field, "content_type": 5, "is_required_for": everywhere});
        post(&app, &world, &format!("/api/v1/organisations/{}/metadata-model-fields/", world.organisation), body).await;
        let file = app.get(&world.admin, &format!("/api/v1/organisations/{}/export/?keys=true", world.organisation)).await;
        assert_eq!(file.status, 200, "{}", file.text);
        let there = elsewhere(&app).await;
        let home = there.world().await;
        // "Web" is there already, with a "Development" of its own.
        let done = send(&there, &home.admin, &import_path(&home), &file.text).await.expect(200);
        assert_eq!(done["created"], json!({"groups": 1, "custom fields": 1, "roles": 1, "grants": 3}));
        // The administrator has what the file grants him already, as whoever made the project.
        assert!(done["not_taken"].to_string().contains("a grant of admin@example.com"), "{done}");
        let granted = format!("/api/v1/projects/{}/user-permissions/", home.project);
        let granted = there.get(&home.admin, &granted).await.expect(200);
        let hers = granted.as_array().unwrap().iter().find(|row| row["user"]["email"] == "member@example.com").expect("hers");
        assert_eq!(hers["permissions"], json!(["VIEW_PROJECT", "CREATE_FEATURE"]));
        let fields = there.get(&home.admin, &format!("/api/v1/metadata/fields/?organisation={}", home.organisation)).await.expect(200);
        assert_eq!((&fields["results"][0]["name"], &fields["results"][0]["project"]), (&json!("team"), &Value::Null));
        assert_eq!(fields["results"][0]["model_fields"][0]["is_required_for"],
            json!([{"content_type": 1, "object_id": home.organisation}]));
        assert_eq!((&done["projects"][0]["name"], &done["projects"][0]["is_new"]), (&json!("Web"), &json!(false)));
        let listed = there.get(&home.admin, &format!("/api/v1/organisations/{}/groups/", home.organisation)).await.expect(200);
        assert_eq!((&listed["results"][0]["name"], &listed["results"][0]["users"][0]["email"]), (&json!("ops"), &json!("member@example.com")));
        let listed = there.get(&home.admin, &format!("/api/v1/organisations/{}/roles/", home.organisation)).await.expect(200);
        assert_eq!(listed["results"][0]["name"], "reader");
        let role = id(&listed["results"][0]);
        let granted = format!("/api/v1/organisations/{}/roles/{role}/projects-permissions/?project={}", home.organisation, home.project);
        let granted = there.get(&home.admin, &granted).await.expect(200);
        assert_eq!(granted["results"][0]["permissions"][0]["permission_key"], "VIEW_PROJECT");
        // The environment that is new there has its key, and serves.
        let answer = there.call(Method::GET, "/api/v1/flags/", &[("x-environment-key", &keys[1])], None).await.expect(200);
        assert_eq!(answer.as_array().unwrap().len(), 2);
    }
}
