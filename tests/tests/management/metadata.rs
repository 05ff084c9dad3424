//! `/api/v1/metadata/fields/`, `/api/v1/organisations/{id}/metadata-model-fields/` and the values at objects

use burgee_model::metadata::ContentType;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

const FIELDS: &str = "/api/v1/metadata/fields/";

fn model_fields(world: &World) -> String {
    format!(
        "/api/v1/organisations/{}/metadata-model-fields/",
        world.organisation
    )
}

/// A field of the organisation that a kind of object has; answers the ids of the field and of the link.
async fn field(
    app: &TestApp,
    world: &World,
    name: &str,
    kind: &str,
    of: ContentType,
    required: &Value,
) -> (i64, i64) {
    let body = json!({"name": name, "type": kind, "organisation": world.organisation});
    let field = id(&app.post(&world.admin, FIELDS, &body).await.expect(201));
    let body = json!({"field": field, "content_type": of.id(), "is_required_for": required});
    (
        field,
        id(&app
            .post(&world.admin, &model_fields(world), &body)
            .await
            .expect(201)),
    )
}

fn rules() -> Value {
    json!([{"type": "ALL", "rules": [], "conditions": [{"property": "a", "operator": "EQUAL", "value": "1"}]}])
}

both! {
    async fn a_field_is_kept_changed_and_deleted(app) {
        let world = app.world().await;
        let body = json!({"name": "team", "type": "str", "organisation": world.organisation});
        let made = app.post(&world.admin, FIELDS, &body).await.expect(201);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "name", "type", "description", "organisation", "project", "model_fields"]);
        let one = format!("{FIELDS}{}/", id(&made));
        let changed = app.patch(&world.admin, &one, &json!({"description": "who"})).await.expect(200);
        assert_eq!((&changed["name"], &changed["description"]), (&json!("team"), &json!("who")));
        assert_eq!(app.get(&world.member, &one).await.expect(200), changed);
        let list = format!("{FIELDS}?organisation={}", world.organisation);
        assert_eq!(app.get(&world.member, &list).await.expect(200)["results"], json!([changed]));
        let twice = app.post(&world.admin, FIELDS, &body).await.expect(400);
        assert_eq!(twice, json!({"name": ["A metadata field with this name already exists."]}));
        app.get(&world.admin, FIELDS).await.expect(400);
        app.post(&world.admin, FIELDS, &json!({"name": "x", "type": "date", "organisation": world.organisation}))
            .await.expect(400);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
        let log = app.log("METADATA_FIELD").await;
        assert_eq!(log.len(), 3);
    }

    async fn fields_are_for_administrators_and_seen_by_members_only(app) {
        let world = app.world().await;
        let body = json!({"name": "team", "organisation": world.organisation});
        app.post(&world.member, FIELDS, &body).await.expect(403);
        app.post(&world.stranger, FIELDS, &body).await.expect(403);
        let one = format!("{FIELDS}{}/", id(&app.post(&world.admin, FIELDS, &body).await.expect(201)));
        app.get(&world.stranger, &one).await.expect(404);
        app.get(&world.stranger, &format!("{FIELDS}?organisation={}", world.organisation)).await.expect(403);
        app.patch(&world.member, &one, &json!({"name": "x"})).await.expect(403);
        app.delete(&world.member, &one).await.expect(403);
        app.get(&world.stranger, &model_fields(&world)).await.expect(403);
        // A project's own fields are its administrators'.
        let body = json!({"name": "team", "organisation": world.organisation, "project": world.project});
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.post(&world.member, FIELDS, &body).await.expect(403);
        let own = app.post(&world.admin, FIELDS, &body).await.expect(201);
        let of_project = format!("/api/v1/projects/{}/metadata/fields/", world.project);
        assert_eq!(app.get(&world.member, &of_project).await.expect(200)["results"], json!([own]));
        // The field of the project takes the place of the organisation's of the same name.
        let all = app.get(&world.member, &format!("{of_project}?include_organisation=true")).await.expect(200);
        assert_eq!(all["results"], json!([own]));
        app.get(&world.member, &format!("{of_project}?entity=user")).await.expect(400);
        let none = app.get(&world.member, &format!("{of_project}?entity=feature")).await.expect(200);
        assert_eq!(none["count"], 0);
        app.get(&world.stranger, &of_project).await.expect(404);
        let elsewhere = json!({"name": "x", "organisation": world.organisation, "project": 9999});
        app.post(&world.admin, FIELDS, &elsewhere).await.expect(400);
    }

    async fn the_kinds_of_object_are_listed(app) {
        let world = app.world().await;
        let kinds = app.get(&world.member, &format!("{}supported-content-types/", model_fields(&world))).await.expect(200);
        let models: Vec<&str> = kinds.as_array().unwrap().iter().map(|kind| kind["model"].as_str().unwrap()).collect();
        assert_eq!(models, ["organisation", "project", "environment", "feature", "segment"]);
        let places = format!("{}supported-required-for-models/?model_name=feature", model_fields(&world));
        let places = app.get(&world.member, &places).await.expect(200);
        let models: Vec<&str> = places.as_array().unwrap().iter().map(|kind| kind["model"].as_str().unwrap()).collect();
        assert_eq!(models, ["organisation", "project"]);
    }

    async fn a_field_is_given_to_a_kind_of_object_once_and_required_where_it_exists(app) {
        let world = app.world().await;
        let (field, link) = field(&app, &world, "team", "str", ContentType::Feature, &json!([])).await;
        let path = model_fields(&world);
        let body = json!({"field": field, "content_type": ContentType::Feature.id()});
        assert_eq!(app.post(&world.admin, &path, &body).await.expect(400),
            json!({"non_field_errors": ["The fields field, content_type must make a unique set."]}));
        for (wrong, named) in [
            (json!({"field": 9999, "content_type": 4}), "field"),
            (json!({"field": field, "content_type": 9999}), "content_type"),
            (json!({"field": field, "content_type": ContentType::Project.id()}), "content_type"),
            (json!({"field": field, "content_type": ContentType::Segment.id(),
                "is_required_for": [{"content_type": ContentType::Project.id(), "object_id": 9999}]}), "is_required_for"),
            (json!({"field": field, "content_type": ContentType::Segment.id(),
                "is_required_for": [{"content_type": ContentType::Feature.id(), "object_id": 1}]}), "is_required_for"),
            (json!({}), "field"),
        ] {
            let answer = app.post(&world.admin, &path, &wrong).await.expect(400);
            assert!(answer.get(named).is_some(), "{wrong} {answer}");
        }
        let one = format!("{path}{link}/");
        let required = json!([{"content_type": ContentType::Project.id(), "object_id": world.project}]);
        let changed = app.patch(&world.admin, &one, &json!({"is_required_for": required})).await.expect(200);
        assert_eq!(changed, json!({"id": link, "field": field, "content_type": 4, "is_required_for": required}));
        assert_eq!(app.get(&world.member, &one).await.expect(200), changed);
        let nested = app.get(&world.member, &format!("{FIELDS}{field}/")).await.expect(200);
        assert_eq!(nested["model_fields"], json!([{"id": link, "content_type": 4, "is_required_for": required}]));
        app.patch(&world.member, &one, &json!({})).await.expect(403);
        app.delete(&world.member, &one).await.expect(403);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
    }

    async fn values_must_be_of_the_type_of_their_field(app) {
        let world = app.world().await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        for (kind, good, bad) in [
            ("int", "5", "five"), ("bool", "true", "maybe"), ("url", "https://example.com/x", "example"),
            ("str", "x", ""), ("multiline_str", "a\nb", ""),
        ] {
            let (_, link) = field(&app, &world, kind, kind, ContentType::Feature, &json!([])).await;
            let body = |value: &str| json!({"name": kind, "metadata": [{"model_field": link, "field_value": value}]});
            let wrong = app.post(&world.admin, &features, &body(bad)).await.expect(400);
            assert!(wrong["metadata"][0]["field_value"][0].is_string(), "{wrong}");
            let made = app.post(&world.admin, &features, &body(good)).await.expect(201);
            assert_eq!(made["metadata"][0]["field_value"], good);
        }
        let unknown = json!({"name": "meta", "metadata": [{"model_field": 9999, "field_value": "x"}]});
        assert_eq!(app.post(&world.admin, &features, &unknown).await.expect(400),
            json!({"metadata": [{"model_field": ["Invalid pk \"9999\" - object does not exist."]}]}));
        // Nothing of what was refused is there.
        assert_eq!(app.get(&world.admin, &features).await.expect(200)["count"], 5);
        let (_, other) = field(&app, &world, "size", "int", ContentType::Segment, &json!([])).await;
        let of_segments = json!({"name": "meta", "metadata": [{"model_field": other, "field_value": "1"}]});
        app.post(&world.admin, &features, &of_segments).await.expect(400);
    }

    async fn a_type_that_present_values_do_not_have_is_refused(app) {
        let world = app.world().await;
        let (field, link) = field(&app, &world, "team", "str", ContentType::Feature, &json!([])).await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        let body = json!({"name": "a", "metadata": [{"model_field": link, "field_value": "x"}]});
        app.post(&world.admin, &features, &body).await.expect(201);
        let wrong = app.patch(&world.admin, &format!("{FIELDS}{field}/"), &json!({"type": "int"})).await.expect(400);
        assert!(wrong["type"][0].is_string());
        app.patch(&world.admin, &format!("{FIELDS}{field}/"), &json!({"type": "multiline_str"})).await.expect(200);
    }

    async fn a_required_field_is_asked_for_where_it_is_required(app) {
        let world = app.world().await;
        let here = json!([{"content_type": ContentType::Project.id(), "object_id": world.project}]);
        let (_, link) = field(&app, &world, "team", "str", ContentType::Feature, &here).await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        let missing = json!({"metadata": ["Missing required metadata field: team"]});
        assert_eq!(app.post(&world.admin, &features, &json!({"name": "a"})).await.expect(400), missing);
        let value = json!([{"model_field": link, "field_value": "x"}]);
        let made = app.post(&world.admin, &features, &json!({"name": "a", "metadata": value})).await.expect(201);
        let one = format!("{features}{}/", id(&made));
        // What is not spoken of stays; what is taken away is asked for.
        app.patch(&world.admin, &one, &json!({"description": "d"})).await.expect(200);
        let kept = app.put(&world.admin, &one, &json!({"description": "d"})).await.expect(200);
        assert_eq!(kept["metadata"], made["metadata"]);
        assert_eq!(app.patch(&world.admin, &one, &json!({"metadata": []})).await.expect(400), missing);
        let elsewhere = app.project(&world.admin, world.organisation, "Other").await;
        app.post(&world.admin, &format!("/api/v1/projects/{elsewhere}/features/"), &json!({"name": "a"})).await.expect(201);
        // Required in the organisation is required in each of its projects.
        let all = json!([{"content_type": ContentType::Organisation.id(), "object_id": world.organisation}]);
        field(&app, &world, "purpose", "str", ContentType::Segment, &all).await;
        let segments = format!("/api/v1/projects/{elsewhere}/segments/");
        let wrong = app.post(&world.admin, &segments, &json!({"name": "s", "rules": rules()})).await.expect(400);
        assert_eq!(wrong, json!({"metadata": ["Missing required metadata field: purpose"]}));
        field(&app, &world, "tier", "int", ContentType::Environment, &all).await;
        let body = json!({"name": "Production", "project": world.project});
        let wrong = app.post(&world.admin, "/api/v1/environments/", &body).await.expect(400);
        assert_eq!(wrong, json!({"metadata": ["Missing required metadata field: tier"]}));
        let environment = format!("/api/v1/environments/{}/", world.key);
        app.patch(&world.admin, &environment, &json!({"banner_text": "x"})).await.expect(200);
        app.put(&world.admin, &environment, &json!({"name": "Development"})).await.expect(400);
    }

    async fn a_field_that_is_taken_away_goes_with_what_was_said_in_it(app) {
        let world = app.world().await;
        let (_, team) = field(&app, &world, "team", "str", ContentType::Feature, &json!([])).await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        let body = json!({"name": "a", "metadata": [{"model_field": team, "field_value": "x"}]});
        let made = app.post(&world.admin, &features, &body).await.expect(201);
        app.delete(&world.admin, &format!("{}{team}/", model_fields(&world))).await.expect(204);
        let left = app.get(&world.admin, &format!("{features}{}/", id(&made))).await.expect(200);
        assert_eq!(left["metadata"], json!([]));
    }

    async fn values_are_answered_changed_copied_and_logged(app) {
        let world = app.world().await;
        let (_, team) = field(&app, &world, "team", "str", ContentType::Segment, &json!([])).await;
        let (_, tier) = field(&app, &world, "tier", "int", ContentType::Environment, &json!([])).await;
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        let body = json!({"name": "s", "rules": rules(), "metadata": [{"model_field": team, "field_value": "x"}]});
        let made = app.post(&world.admin, &segments, &body).await.expect(201);
        let one = format!("{segments}{}/", id(&made));
        let value = made["metadata"][0]["id"].clone();
        let changed = json!({"metadata": [{"id": value, "model_field": team, "field_value": "y"}]});
        let changed = app.patch(&world.admin, &one, &changed).await.expect(200);
        assert_eq!(changed["metadata"], json!([{"id": value, "model_field": team, "field_value": "y"}]));
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["metadata"], changed["metadata"]);
        assert_eq!(app.get(&world.admin, &segments).await.expect(200)["results"][0]["metadata"], changed["metadata"]);
        let copy = app.post(&world.admin, &format!("{one}clone/"), &json!({"name": "copy"})).await.expect(201);
        assert_eq!(copy["metadata"][0]["field_value"], "y");
        assert_ne!(copy["metadata"][0]["id"], value);
        let log = app.log("SEGMENT").await;
        let kept: Value = serde_json::from_str(log[1].after.as_deref().unwrap()).unwrap();
        assert_eq!(kept["metadata"], json!([{"model_field": team, "field_value": "y"}]));

        let environment = format!("/api/v1/environments/{}/", world.key);
        let body = json!({"metadata": [{"model_field": tier, "field_value": "1"}]});
        let changed = app.patch(&world.admin, &environment, &body).await.expect(200);
        assert_eq!(changed["metadata"][0]["field_value"], "1");
        assert_eq!(app.get(&world.admin, &environment).await.expect(200)["metadata"], changed["metadata"]);
        let clone = app.post(&world.admin, &format!("{environment}clone/"), &json!({"name": "Copy"})).await.expect(200);
        let clone = format!("/api/v1/environments/{}/", clone["api_key"].as_str().unwrap());
        assert_eq!(app.get(&world.admin, &clone).await.expect(200)["metadata"][0]["field_value"], "1");
        let emptied = app.patch(&world.admin, &environment, &json!({"metadata": []})).await.expect(200);
        assert_eq!(emptied["metadata"], json!([]));
        app.delete(&world.admin, &one).await.expect(204);
    }

    async fn a_field_and_its_kinds_of_object_are_written_anew(app) {
        let world = app.world().await;
        let (field, link) = field(&app, &world, "team", "str", ContentType::Feature, &json!([])).await;
        let one = format!("{FIELDS}{field}/");
        let body = json!({"name": "squad", "type": "url", "description": "whose"});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for name in ["name", "type", "description"] {
            assert_eq!(written[name], body[name], "{name}");
        }
        assert_eq!(app.put(&world.admin, &one, &json!({})).await.expect(400), json!({"name": ["This field is required."]}));
        let of_link = format!("{}{link}/", model_fields(&world));
        let body = json!({"field": field, "content_type": ContentType::Segment.id(),
            "is_required_for": [{"content_type": ContentType::Project.id(), "object_id": world.project}]});
        let written = app.put(&world.admin, &of_link, &body).await.expect(200);
        assert_eq!((&written["content_type"], &written["is_required_for"]), (&body["content_type"], &body["is_required_for"]));
        let missing = app.put(&world.admin, &of_link, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"field": ["This field is required."], "content_type": ["This field is required."]}));
        // Segments of the project must have it now, and features need it no longer.
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        app.post(&world.admin, &segments, &json!({"name": "all", "rules": rules()})).await.expect(400);
        for person in [&world.member, &world.stranger] {
            for refused in [app.put(person, &one, &json!({"name": "x"})).await, app.put(person, &of_link, &body).await] {
                assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
            }
        }
        let of_project = format!("/api/v1/projects/{}/metadata/fields/{field}/", world.project);
        let inherited = app.get(&world.admin, &of_project).await.expect(200);
        assert_eq!((&inherited["name"], &inherited["project"]), (&json!("squad"), &Value::Null));
        for person in [&world.member, &world.stranger] {
            app.get(person, &of_project).await.expect(404);
        }
        app.get(&world.admin, &format!("/api/v1/projects/{}/metadata/fields/9999/", world.project)).await.expect(404);
    }

}
