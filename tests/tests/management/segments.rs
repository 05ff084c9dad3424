//! `/api/v1/projects/{id}/segments/`

use burgee_store::grants::Object;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

fn path(world: &World) -> String {
    format!("/api/v1/projects/{}/segments/", world.project)
}

fn condition(property: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"property": property, "operator": operator, "value": value.into()})
}

/// A segment of one rule with these conditions.
fn flat(name: &str, conditions: &[Value]) -> Value {
    json!({"name": name, "rules": [{"type": "ALL", "rules": [], "conditions": conditions}]})
}

/// A segment as the dashboard makes it: a rule in a rule.
fn nested(name: &str, conditions: &[Value]) -> Value {
    let inner = json!({"type": "ANY", "rules": [], "conditions": conditions});
    json!({"name": name, "rules": [{"type": "ALL", "rules": [inner], "conditions": []}]})
}

async fn create(app: &TestApp, person: &Person, path: &str, body: &Value) -> Value {
    app.post(person, path, body).await.expect(201)
}

both! {
    async fn a_segment_is_answered_as_it_was_made(app) {
        let world = app.world().await;
        let body = nested("pro", &[condition("plan", "EQUAL", "pro"), json!({"property": "a", "operator": "IS_SET"})]);
        let made = create(&app, &world.admin, &path(&world), &body).await;
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, [
            "id", "uuid", "created_at", "updated_at", "name", "description", "project", "feature", "version_of",
            "rules", "metadata", "membership_counts", "managed_by",
        ]);
        assert_eq!(made["version_of"], made["id"]);
        assert_eq!(made["rules"], json!([{
            "id": 1, "type": "ALL", "rules": [{"id": 2, "type": "ANY", "conditions": [
                {"id": 1, "operator": "EQUAL", "property": "plan", "value": "pro", "description": null},
                {"id": 2, "operator": "IS_SET", "property": "a", "value": "None", "description": null},
            ]}], "conditions": [],
        }]));
        let one = format!("{}{}/", path(&world), id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        let uuid = made["uuid"].as_str().unwrap();
        assert_eq!(app.get(&world.admin, &format!("/api/v1/segments/get-by-uuid/{uuid}/")).await.expect(200), made);
        assert_eq!(app.get(&world.admin, &path(&world)).await.expect(200)["results"], json!([made]));
        assert_eq!(app.get(&world.admin, &format!("{one}members/?environment=1")).await.expect(404),
            json!({"detail": "Not found."}));
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &one).await.expect(404), json!({"detail": "No Segment matches the given query."}));
        let log = app.log("SEGMENT").await;
        let said: Vec<_> = log.iter().filter_map(|c| c.message.as_deref()).collect();
        assert_eq!(said, ["New Segment created: pro", "Segment deleted: pro"]);
        assert!(log.iter().all(|c| c.serves));
    }

    async fn values_that_are_no_text_are_kept_as_text(app) {
        let world = app.world().await;
        for (value, text) in [
            (json!(5), "5"), (json!(true), "True"), (Value::Null, "None"), (json!(["x", "y"]), "['x', 'y']"), (json!(1.5), "1.5"),
        ] {
            let made = create(&app, &world.admin, &path(&world), &flat("s", &[condition("a", "EQUAL", value)])).await;
            assert_eq!(made["rules"][0]["conditions"][0]["value"], text);
        }
    }

    async fn an_edit_keeps_the_ids_it_names_and_takes_out_what_it_says(app) {
        let world = app.world().await;
        let body = nested("s", &[condition("a", "EQUAL", "1"), condition("b", "EQUAL", "2")]);
        let mut made = create(&app, &world.admin, &path(&world), &body).await;
        let other = create(&app, &world.admin, &path(&world), &flat("other", &[condition("c", "EQUAL", "3")])).await;
        let one = format!("{}{}/", path(&world), id(&made));
        // A new condition, one taken out, and one with the id of another segment's.
        let foreign = other["rules"][0]["conditions"][0]["id"].clone();
        let conditions = made["rules"][0]["rules"][0]["conditions"].as_array_mut().unwrap();
        conditions[1]["delete"] = json!(true);
        conditions.push(condition("new", "EQUAL", "3"));
        let mut stolen = condition("stolen", "EQUAL", "4");
        stolen["id"] = foreign.clone();
        conditions.push(stolen);
        let changed = app.put(&world.admin, &one, &made).await.expect(200);
        let ids: Vec<_> = changed["rules"][0]["rules"][0]["conditions"].as_array().unwrap().iter()
            .map(|c| (c["property"].as_str().unwrap(), id(c))).collect();
        assert_eq!(ids, [("a", 1), ("new", 4), ("stolen", 5)]);
        assert_eq!((&changed["rules"][0]["id"], &changed["rules"][0]["rules"][0]["id"]), (&json!(1), &json!(2)));
        assert_eq!(changed["created_at"], made["created_at"]);
        assert_ne!(changed["updated_at"], made["updated_at"]);

        let changed = app.patch(&world.admin, &one, &json!({"description": "only this"})).await.expect(200);
        assert_eq!(changed["description"], "only this");
        assert_eq!(changed["rules"][0]["rules"][0]["conditions"].as_array().unwrap().len(), 3);
        app.patch(&world.admin, &one, &json!({"description": "only this"})).await.expect(200);
        let log = app.log("SEGMENT").await;
        assert_eq!(log[3].message.as_deref(), Some("Segment updated: s"));
        // The description is in an answer of the SDK API's first generation; an edit that changes nothing is in none.
        assert!(log[2].serves && log[3].serves && !log[4].serves);

        let mut empty = changed.clone();
        empty["rules"][0]["delete"] = json!(true);
        let wrong = app.put(&world.admin, &one, &empty).await.expect(400);
        assert_eq!(wrong, json!({"rules": {"non_field_errors": ["This list may not be empty."]}}));
    }

    async fn a_copy_has_new_ids_throughout(app) {
        let world = app.world().await;
        let made = create(&app, &world.admin, &path(&world), &nested("s", &[condition("a", "EQUAL", "1")])).await;
        let clone = format!("{}{}/clone/", path(&world), id(&made));
        let copy = create(&app, &world.admin, &clone, &json!({"name": "copy"})).await;
        assert_eq!(copy["name"], "copy");
        assert_ne!(copy["uuid"], made["uuid"]);
        let rule = &copy["rules"][0];
        assert_eq!((id(rule), id(&rule["rules"][0]), id(&rule["rules"][0]["conditions"][0])), (3, 4, 2));
        app.post(&world.admin, &clone, &json!({})).await.expect(400);
    }

    async fn what_is_wrong_with_rules_is_said_where_it_is(app) {
        let world = app.world().await;
        let required = json!(["This field is required."]);
        let cases = [
            (json!({}), json!({"name": required, "rules": required})),
            (json!({"name": "x", "rules": []}), json!({"rules": {"non_field_errors": ["This list may not be empty."]}})),
            (json!({"name": "x", "rules": {"a": 1}}),
                json!({"rules": {"non_field_errors": ["Expected a list of items but got type \"dict\"."]}})),
            (json!({"name": "x", "rules": ["x"]}),
                json!({"rules": [{"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}]})),
            (flat("x", &[condition("a", "FOO", "1")]),
                json!({"rules": [{"conditions": [{"operator": ["\"FOO\" is not a valid choice."]}]}]})),
            (flat("x", &[condition("a", "EQUAL", "1"), json!({"operator": "EQUAL", "value": "1"})]),
                json!({"rules": [{"conditions": [{}, {"property": required}]}]})),
            (flat("x", &[json!({"property": "a", "value": "1"})]), json!({"rules": [{"conditions": [{"operator": required}]}]})),
            (flat("x", &[condition("a", "EQUAL", "x".repeat(1001))]),
                json!({"rules": [{"conditions": [{"value": ["Ensure this field has no more than 1000 characters."]}]}]})),
            (json!({"name": "x", "rules": [{"type": "SOME"}]}), json!({"rules": [{"type": ["\"SOME\" is not a valid choice."]}]})),
            (json!({"name": "x", "rules": [{"conditions": [], "rules": []}]}), json!({"rules": [{"type": required}]})),
            (json!({"name": "x", "rules": [{"type": "ALL", "rules": [{"type": "ALL", "rules": [{"type": "ALL"}]}]}]}),
                json!({"segment": ["Rules must not be nested more than 2 levels deep."]})),
            (flat("x", &vec![condition("a", "EQUAL", "1"); 101]),
                json!({"segment": ["The segment has 101 conditions, which exceeds the maximum condition count of 100."]})),
            (json!({"name": "x", "feature": 9999, "rules": [{"type": "ALL"}]}),
                json!({"feature": ["Invalid pk \"9999\" - object does not exist."]})),
        ];
        for (body, wrong) in cases {
            assert_eq!(app.post(&world.admin, &path(&world), &body).await.expect(400), wrong);
        }
        create(&app, &world.admin, &path(&world), &flat("x", &vec![condition("a", "EQUAL", "1"); 100])).await;
    }

    async fn a_condition_that_can_never_match_is_refused(app) {
        let world = app.world().await;
        let bomb = format!("{}a{}", "(".repeat(20), "{100})".repeat(20));
        for (operator, value) in [
            ("REGEX", "("), ("REGEX", "[a-"), ("REGEX", bomb.as_str()), ("MODULO", "x|y"), ("MODULO", "3"),
            ("MODULO", "0|0"), ("MODULO", "nan|1"), ("PERCENTAGE_SPLIT", "abc"), ("PERCENTAGE_SPLIT", "101"),
            ("PERCENTAGE_SPLIT", "-1"), ("PERCENTAGE_SPLIT", "NaN"), ("MODULO", "3|3"), ("MODULO", "3|-1"),
            ("MODULO", "-3|1"), ("EQUAL", "1.2:semver"), ("GREATER_THAN", "x:semver"), ("LESS_THAN_INCLUSIVE", ":semver"),
        ] {
            let body = nested("x", &[condition("ok", "EQUAL", "1"), condition("a", operator, value)]);
            let wrong = app.post(&world.admin, &path(&world), &body).await.expect(400);
            let inside = &wrong["rules"][0]["rules"][0]["conditions"];
            assert_eq!(inside[0], json!({}), "{operator} {value}");
            assert!(inside[1]["value"][0].is_string(), "{operator} {value}");
        }
        for (operator, value) in [
            ("REGEX", "^[a-z]+@example\\.com$"), ("REGEX", "(?=a)(?P<x>a)(?P=x)"), ("REGEX", "^(a+)+$"),
            ("MODULO", "3|1"), ("MODULO", "2.5|0.5"), ("PERCENTAGE_SPLIT", "0"), ("PERCENTAGE_SPLIT", "12.5"),
            ("MODULO", "-3|-1"), ("GREATER_THAN_INCLUSIVE", "2.0.0:semver"), ("EQUAL", "1.2.3-rc.1+5:semver"),
            ("GREATER_THAN", "beta"), ("IN", ""),
        ] {
            create(&app, &world.admin, &path(&world), &flat("x", &[condition("a", operator, value)])).await;
        }
        let split = json!({"property": null, "operator": "PERCENTAGE_SPLIT", "value": 50});
        create(&app, &world.admin, &path(&world), &flat("x", &[split])).await;
    }

    async fn lists_are_filtered_and_paged(app) {
        let world = app.world().await;
        for name in ["Age over", "plan", "under AGE"] {
            create(&app, &world.admin, &path(&world), &flat(name, &[condition("a", "EQUAL", "1")])).await;
        }
        let found = app.get(&world.admin, &format!("{}?q=age", path(&world))).await.expect(200);
        assert_eq!(found["count"], 2);
        let page = app.get(&world.admin, &format!("{}?page_size=2", path(&world))).await.expect(200);
        assert_eq!((&page["count"], page["results"].as_array().unwrap().len()), (&json!(3), 2));
        assert_eq!(page["next"], format!("http://testserver{}?page=2&page_size=2", path(&world)));
        let page = app.get(&world.admin, &format!("{}?page_size=2&q=a&include_feature_specific=true", path(&world))).await;
        let next = format!("http://testserver{}?include_feature_specific=true&page=2&page_size=2&q=a", path(&world));
        assert_eq!(page.expect(200)["next"], next);
        app.get(&world.admin, &format!("{}?page=9", path(&world))).await.expect(404);
        for identity in ["9999", "abc", "99999999999999999999"] {
            app.get(&world.admin, &format!("{}?identity={identity}", path(&world))).await.expect(404);
        }
    }

    async fn segments_are_for_those_who_may_and_only_of_their_project(app) {
        let world = app.world().await;
        let made = create(&app, &world.admin, &path(&world), &flat("s", &[condition("a", "EQUAL", "1")])).await;
        let one = format!("{}{}/", path(&world), id(&made));
        let by_uuid = format!("/api/v1/segments/get-by-uuid/{}/", made["uuid"].as_str().unwrap());
        for person in [&world.member, &world.stranger] {
            for path in [path(&world), one.clone(), format!("{one}associated-features/"), format!("{one}members/")] {
                app.get(person, &path).await.expect(403);
            }
            app.get(person, &by_uuid).await.expect(404);
            app.post(person, &path(&world), &json!({})).await.expect(403);
            app.put(person, &one, &json!({})).await.expect(403);
            app.post(person, &format!("{one}clone/"), &json!({})).await.expect(403);
            app.delete(person, &one).await.expect(403);
        }
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.get(&world.member, &one).await.expect(200);
        app.get(&world.member, &by_uuid).await.expect(200);
        app.patch(&world.member, &one, &json!({"name": "mine"})).await.expect(403);
        app.grant(&world.member, Object::Project(world.project), &["MANAGE_SEGMENTS"]).await;
        app.patch(&world.member, &one, &json!({"name": "mine"})).await.expect(200);

        let other = app.project(&world.admin, world.organisation, "Other").await;
        let elsewhere = format!("/api/v1/projects/{other}/segments/{}/", id(&made));
        app.get(&world.admin, &elsewhere).await.expect(404);
        app.patch(&world.admin, &elsewhere, &json!({"name": "mine"})).await.expect(404);
        app.delete(&world.admin, &elsewhere).await.expect(404);
        app.get(&world.admin, &format!("{elsewhere}associated-features/")).await.expect(404);
        app.post(&world.admin, "/api/v1/projects/9999/segments/", &json!({})).await.expect(403);
        app.get(&world.admin, "/api/v1/projects/x/segments/").await.expect(404);

        // An identity of another project is as good as none.
        let (_, key) = app.environment(&world.admin, other, "Elsewhere").await;
        let identities = format!("/api/v1/environments/{key}/identities/");
        let identity = app.post(&world.admin, &identities, &json!({"identifier": "a"})).await.expect(201);
        app.get(&world.admin, &format!("{}?identity={}", path(&world), id(&identity))).await.expect(404);
    }

    async fn nothing_is_associated_before_anything_is_overridden(app) {
        let world = app.world().await;
        let made = create(&app, &world.admin, &path(&world), &flat("s", &[condition("a", "EQUAL", "1")])).await;
        let associated = format!("{}{}/associated-features/?environment={}", path(&world), id(&made), world.environment);
        let none = json!({"count": 0, "next": null, "previous": null, "results": []});
        assert_eq!(app.get(&world.admin, &associated).await.expect(200), none);
    }
}
