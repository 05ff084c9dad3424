//! Segment overrides: feature segments, `create-segment-override/` and the calls that set whole flags.

use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

async fn feature(app: &TestApp, world: &World, name: &str) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    id(&app
        .post(&world.admin, &path, &json!({"name": name, "initial_value": "7"}))
        .await
        .expect(201))
}

async fn segment(app: &TestApp, world: &World, name: &str) -> i64 {
    let path = format!("/api/v1/projects/{}/segments/", world.project);
    let condition = json!({"property": "plan", "operator": "EQUAL", "value": name});
    let body = json!({"name": name, "rules": [{"type": "ALL", "rules": [], "conditions": [condition]}]});
    id(&app.post(&world.admin, &path, &body).await.expect(201))
}

fn override_path(world: &World, feature: i64) -> String {
    format!(
        "/api/v1/environments/{}/features/{feature}/create-segment-override/",
        world.key
    )
}

fn future(world: &World, feature: i64) -> String {
    format!("/api/__future__/environments/{}/features/{feature}/", world.key)
}

/// Makes changes to the environment need approvals or versions.
async fn restrict(app: &TestApp, world: &World, approvals: Option<i64>, versioned: bool) {
    let mut tx = app.app.db().begin().await.expect("a transaction");
    burgee_store::seeds::restrict_environment(&mut tx, world.environment, approvals, versioned)
        .await
        .expect("an update");
    tx.commit().await.expect("commits");
}

fn wanted(segment: i64, value: &str) -> Value {
    json!({"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": {"type": "unicode", "string_value": value}})
}

/// The segments that override a feature, first the one that wins, with their priorities.
async fn order(app: &TestApp, world: &World, feature: i64) -> Vec<(i64, i64)> {
    let path = format!(
        "/api/v1/features/feature-segments/?environment={}&feature={feature}",
        world.environment
    );
    let answer = app.get(&world.admin, &path).await.expect(200);
    let rows = answer["results"].as_array().expect("a list").clone();
    rows.iter()
        .map(|row| {
            (
                row["segment"].as_i64().expect("a number"),
                row["priority"].as_i64().expect("a number"),
            )
        })
        .collect()
}

both! {
    async fn an_override_at_a_taken_priority_moves_the_others_down(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let (one, two, three) = (
            segment(&app, &world, "one").await, segment(&app, &world, "two").await, segment(&app, &world, "three").await,
        );
        let path = override_path(&world, feature);
        app.post(&world.admin, &path, &wanted(one, "1")).await.expect(201);
        app.post(&world.admin, &path, &wanted(two, "2")).await.expect(201);
        let mut first = wanted(three, "3");
        first["feature_segment"]["priority"] = json!(0);
        let made = app.post(&world.admin, &path, &first).await.expect(201);
        assert_eq!(made["feature_segment"]["priority"], 0);
        assert_eq!(order(&app, &world, feature).await, [(three, 0), (one, 1), (two, 2)]);
        let line = app.log("FEATURE_STATE").await.pop().expect("a line");
        assert_eq!(line.message.as_deref(), Some("Segment override created for feature 'a' and segment 'three'"));
    }

    async fn a_segment_overrides_a_feature_once_only(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let one = segment(&app, &world, "one").await;
        app.post(&world.admin, &override_path(&world, feature), &wanted(one, "1")).await.expect(201);
        app.post(&world.admin, &override_path(&world, feature), &wanted(one, "2")).await.expect(400);
        let link = json!({"feature": feature, "segment": one, "environment": world.environment});
        app.post(&world.admin, "/api/v1/features/feature-segments/", &link).await.expect(400);
        assert_eq!(order(&app, &world, feature).await.len(), 1);
    }

    async fn a_refused_override_leaves_no_half_of_itself(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let one = segment(&app, &world, "one").await;
        let mut body = wanted(one, "1");
        body["multivariate_feature_state_values"] = json!([{"multivariate_feature_option": 9999, "percentage_allocation": 5}]);
        app.post(&world.admin, &override_path(&world, feature), &body).await.expect(400);
        assert!(order(&app, &world, feature).await.is_empty());
    }

    async fn an_override_is_made_in_two_steps_and_goes_with_its_link(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let one = segment(&app, &world, "one").await;
        let links = "/api/v1/features/feature-segments/";
        app.post(&world.admin, links, &json!({})).await.expect(403);
        let link = json!({"feature": feature, "segment": one, "environment": world.environment});
        let link = app.post(&world.admin, links, &link).await.expect(201);
        let body = json!({"feature": feature, "environment": world.environment, "feature_segment": id(&link),
            "enabled": true, "feature_state_value": {"type": "int", "integer_value": 9}});
        let state = app.post(&world.admin, "/api/v1/features/featurestates/", &body).await.expect(201);
        assert_eq!(state["feature_segment"], link["id"]);
        app.post(&world.admin, "/api/v1/features/featurestates/", &body).await.expect(400);
        let both = format!("/api/v1/features/featurestates/?environment={}&feature={feature}", world.environment);
        assert_eq!(app.get(&world.admin, &both).await.expect(200)["count"], 2);
        app.delete(&world.admin, &format!("{links}{}/", id(&link))).await.expect(204);
        assert_eq!(app.get(&world.admin, &both).await.expect(200)["count"], 1);
    }

    async fn priorities_are_set_for_links_that_are_there(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let (one, two) = (segment(&app, &world, "one").await, segment(&app, &world, "two").await);
        let a = app.post(&world.admin, &override_path(&world, feature), &wanted(one, "1")).await.expect(201);
        let b = app.post(&world.admin, &override_path(&world, feature), &wanted(two, "2")).await.expect(201);
        let path = "/api/v1/features/feature-segments/update-priorities/";
        let (a, b) = (id(&a["feature_segment"]), id(&b["feature_segment"]));
        app.post(&world.admin, path, &json!([{"id": b, "priority": 0}, {"id": a, "priority": 1}])).await.expect(200);
        assert_eq!(order(&app, &world, feature).await, [(two, 0), (one, 1)]);
        let refused = app.post(&world.admin, path, &json!([{"id": 9999, "priority": 0}])).await.expect(400);
        assert_eq!(refused, json!({"non_field_errors": ["Some of the provided ids were not found."]}));
        let refused = app.post(&world.stranger, path, &json!([{"id": a, "priority": 0}])).await.expect(400);
        assert_eq!(refused, json!({"non_field_errors": ["Some of the provided ids were not found."]}));
        app.post(&world.admin, path, &json!([{"id": a, "priority": -1}])).await.expect(400);
        app.post(&world.admin, path, &json!({"id": a})).await.expect(400);
    }

    async fn overrides_are_for_those_who_may_manage_them(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let one = segment(&app, &world, "one").await;
        let path = override_path(&world, feature);
        for person in [&world.stranger, &world.member] {
            app.post(person, &path, &wanted(one, "1")).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT", "UPDATE_FEATURE_STATE"]).await;
        app.post(&world.member, &path, &wanted(one, "1")).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["MANAGE_SEGMENT_OVERRIDES"]).await;
        app.post(&world.member, &path, &wanted(one, "1")).await.expect(201);
        // A segment of another project is none.
        let other = app.project(&world.admin, world.organisation, "Other").await;
        let foreign = World { project: other, ..world.clone() };
        let theirs = segment(&app, &foreign, "theirs").await;
        let refused = app.post(&world.admin, &path, &wanted(theirs, "1")).await.expect(400);
        assert_eq!(refused, json!({"feature_segment": {"segment": [format!("Invalid pk \"{theirs}\" - object does not exist.")]}}));
    }

    async fn a_flag_is_set_whole_or_not_at_all(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let one = segment(&app, &world, "one").await;
        let path = format!("/api/experiments/environments/{}/update-flag-v2/", world.key);
        let overrides = |segment: i64| json!([{"segment_id": segment, "enabled": false, "value": {"type": "string", "value": "s"}}]);
        let body = |segment: i64| json!({"feature": {"name": "a"}, "segment_overrides": overrides(segment),
            "environment_default": {"enabled": true, "value": {"type": "boolean", "value": "true"}}});
        app.post(&world.admin, &path, &body(9999)).await.expect(400);
        let untouched = app.get(&world.admin, &future(&world, feature)).await.expect(200);
        assert_eq!(untouched["environment_default"]["value"], json!({"type": "integer", "value": "7"}));
        app.post(&world.admin, &path, &body(one)).await.expect(204);
        let set = app.get(&world.admin, &future(&world, feature)).await.expect(200);
        assert_eq!(set, json!({
            "environment_default": {"enabled": true, "value": {"type": "boolean", "value": "true"}, "variants": []},
            "segment_overrides": [{"segment": {"id": one}, "priority": 0, "enabled": false, "value": {"type": "string", "value": "s"}, "variants": []}],
        }));
        let removed = format!("/api/experiments/environments/{}/delete-segment-override/", world.key);
        let body = json!({"feature": {"id": feature}, "segment": {"id": one}});
        app.post(&world.admin, &removed, &body).await.expect(204);
        let again = app.post(&world.admin, &removed, &body).await.expect(404);
        assert_eq!(again["detail"], format!("Segment override for segment {one} does not exist"));
    }

    async fn what_is_wrong_with_a_flag_update_is_said(app) {
        let world = app.world().await;
        feature(&app, &world, "a").await;
        let path = format!("/api/experiments/environments/{}/update-flag-v1/", world.key);
        let body = |name: &str, value: &str| json!({"feature": {"name": name}, "enabled": true, "value": {"type": "integer", "value": value}});
        let refused = app.post(&world.admin, &path, &body("nope", "x")).await.expect(400);
        assert_eq!(refused, json!({"value": {"non_field_errors": ["'x' is not a valid integer"]}}));
        let refused = app.post(&world.admin, &path, &body("nope", "1")).await.expect(400);
        assert_eq!(refused, json!(["Feature '{'name': 'nope'}' not found in project"]));
        app.post(&world.stranger, &path, &body("a", "1")).await.expect(403);
        app.post(&world.admin, &path, &body("a", "1")).await.expect(204);
    }

    async fn put_replaces_the_overrides_of_a_flag_and_patch_keeps_them(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let (one, two) = (segment(&app, &world, "one").await, segment(&app, &world, "two").await);
        let path = future(&world, feature);
        let listed = |segment: i64| json!({"segment_overrides": [{"segment": {"id": segment}, "enabled": true, "value": {"type": "string", "value": "v"}}]});
        app.patch(&world.admin, &path, &listed(one)).await.expect(200);
        let two_listed = app.patch(&world.admin, &path, &listed(two)).await.expect(200);
        assert_eq!(two_listed["segment_overrides"].as_array().expect("a list").len(), 2);
        let replaced = app.put(&world.admin, &path, &listed(two)).await.expect(200);
        assert_eq!(replaced["segment_overrides"].as_array().expect("a list").len(), 1);
        let gone = app.delete(&world.admin, &format!("{path}segment-overrides/{one}/")).await.expect(404);
        assert_eq!(gone["detail"], "Segment override not found.");
        app.get(&world.admin, &future(&world, 9999)).await.expect(404);
    }

    async fn where_changes_need_approval_or_versions_flags_are_not_set_directly(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let one = segment(&app, &world, "one").await;
        let flag = format!("/api/experiments/environments/{}/update-flag-v1/", world.key);
        let body = json!({"feature": {"id": feature}, "enabled": true, "value": {"type": "integer", "value": "1"}});
        restrict(&app, &world, Some(1), false).await;
        app.post(&world.admin, &flag, &body).await.expect(403);
        restrict(&app, &world, None, true).await;
        let versioned = json!({"detail": "This environment uses v2 feature versioning. Use the environment feature version endpoint instead."});
        let states = format!("/api/v1/environments/{}/featurestates/", world.key);
        let state = id(&app.get(&world.admin, &states).await.expect(200)["results"][0]);
        let change = json!({"enabled": true, "feature_state_value": "x"});
        assert_eq!(app.put(&world.admin, &format!("{states}{state}/"), &change).await.expect(400), versioned);
        assert_eq!(app.delete(&world.admin, &format!("{states}{state}/")).await.expect(400), versioned);
        assert_eq!(app.post(&world.admin, &override_path(&world, feature), &wanted(one, "1")).await.expect(400), versioned);
        // This call knows versions: it publishes one.
        app.post(&world.admin, &flag, &body).await.expect(204);
        // Overrides of identities have no versions.
        let identities = format!("/api/v1/environments/{}/identities/", world.key);
        let alice = id(&app.post(&world.admin, &identities, &json!({"identifier": "alice"})).await.expect(201));
        let override_ = json!({"feature": feature, "enabled": true});
        app.post(&world.admin, &format!("{identities}{alice}/featurestates/"), &override_).await.expect(201);
    }

    async fn an_environment_has_so_many_segment_overrides_and_no_more(app) {
        let world = app.world().await;
        let (mut features, mut segments) = (Vec::new(), Vec::new());
        for n in 0..45 {
            features.push(feature(&app, &world, &format!("f{n}")).await);
            segments.push(segment(&app, &world, &format!("s{n}")).await);
        }
        let mut tx = app.app.db().begin().await.expect("a transaction");
        let pairs = features.iter().flat_map(|f| segments.iter().map(move |s| (*f, *s)));
        let full = usize::try_from(burgee_model::limits::SEGMENT_OVERRIDES_PER_ENVIRONMENT).expect("a number");
        for (n, (feature_id, segment_id)) in pairs.take(full).enumerate() {
            let link = burgee_store::feature_segments::FeatureSegment {
                id: 0, uuid: format!("link-{n}"), feature_id, segment_id, environment_id: world.environment, priority: 0,
            };
            burgee_store::feature_segments::insert(&mut tx, &link).await.expect("a link");
        }
        tx.commit().await.expect("commits");
        let (last_feature, last_segment) = (features[44], segments[44]);
        let refused = app.post(&world.admin, &override_path(&world, last_feature), &wanted(last_segment, "1")).await.expect(400);
        assert_eq!(refused["environment"][0], "The environment has reached the maximum allowed segments overrides limit of 2000.");
    }

    async fn a_feature_segment_is_found_by_id_and_uuid_and_gets_another_segment(app) {
        let world = app.world().await;
        let feature = feature(&app, &world, "a").await;
        let (one, two) = (segment(&app, &world, "one").await, segment(&app, &world, "two").await);
        let links = "/api/v1/features/feature-segments/";
        let body = |segment: i64| json!({"feature": feature, "segment": segment, "environment": world.environment});
        let made = app.post(&world.admin, links, &body(one)).await.expect(201);
        let path = format!("{links}{}/", id(&made));
        let found = app.get(&world.admin, &path).await.expect(200);
        let fields: Vec<&str> = found.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "uuid", "segment", "priority", "environment", "segment_name", "is_feature_specific"]);
        assert_eq!((&found["segment"], &found["segment_name"]), (&json!(one), &json!("one")));
        let by_uuid = format!("{links}get-by-uuid/{}/", found["uuid"].as_str().expect("a uuid"));
        assert_eq!(app.get(&world.admin, &by_uuid).await.expect(200), found);
        app.get(&world.admin, &format!("{links}get-by-uuid/00000000-0000-4000-8000-000000000000/")).await.expect(404);
        let changed = app.put(&world.admin, &path, &body(two)).await.expect(200);
        assert_eq!((&changed["id"], &changed["segment"]), (&made["id"], &json!(two)));
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["segment_name"], "two");
        let back = app.patch(&world.admin, &path, &body(one)).await.expect(200);
        assert_eq!(back["segment"], one);
        for missing in [app.put(&world.admin, &path, &json!({})).await, app.patch(&world.admin, &path, &json!({})).await] {
            let missing = missing.expect(400);
            let fields: Vec<&str> = missing.as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(fields, ["feature", "segment", "environment"]);
        }
        app.put(&world.admin, &path, &body(9999)).await.expect(400);
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(404);
            app.get(person, &by_uuid).await.expect(404);
            app.put(person, &path, &body(two)).await.expect(404);
            app.patch(person, &path, &body(two)).await.expect(404);
        }
    }

}
