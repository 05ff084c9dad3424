//! `/api/v1/environments/`

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::both;
use burgee_testkit::places::id;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/environments/";

both! {
    async fn a_new_environment_has_the_usual_settings_and_a_key_of_its_own(app) {
        let world = app.world().await;
        let body = json!({"name": "Production", "project": world.project, "description": "live"});
        let made = app.post(&world.admin, PATH, &body).await.expect(201);
        let key = made["api_key"].as_str().unwrap().to_owned();
        assert_eq!(key.len(), 22);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, [
            "id", "uuid", "name", "api_key", "description", "project", "minimum_change_request_approvals",
            "allow_client_traits", "banner_text", "banner_colour", "hide_disabled_flags", "use_mv_v2_evaluation",
            "use_identity_composite_key_for_hashing", "hide_sensitive_data", "use_v2_feature_versioning",
            "use_identity_overrides_in_local_eval", "is_creating", "metadata",
        ]);
        assert_eq!(made["allow_client_traits"], true);
        assert_eq!(made["hide_disabled_flags"], Value::Null);

        let path = format!("{PATH}{key}/");
        let mut got = app.get(&world.admin, &path).await.expect(200);
        assert_eq!(got["total_segment_overrides"], 0);
        got.as_object_mut().unwrap().remove("total_segment_overrides");
        assert_eq!(got, made);
        let uuid = made["uuid"].as_str().unwrap();
        assert_eq!(app.get(&world.admin, &format!("{PATH}get-by-uuid/{uuid}/")).await.expect(200), made);

        let list = app.get(&world.admin, &format!("{PATH}?project={}", world.project)).await.expect(200);
        assert_eq!(list["count"], 2);
        assert_eq!(list["results"][1], made);
        let all = app.get(&world.admin, &format!("/api/v1/projects/{}/environments/", world.project)).await;
        assert_eq!(all.expect(200)[1], made);
        let status = app.call(Method::GET, &format!("{path}onboarding-status/"), &[], None).await.expect(200);
        assert_eq!(status, json!({"first_evaluated_at": null, "first_evaluated_sdk_label": null}));
    }

    async fn settings_are_changed_one_by_one_and_the_change_is_logged(app) {
        let world = app.world().await;
        let path = format!("{PATH}{}/", world.key);
        let put = json!({"name": "Development", "banner_text": "careful", "banner_colour": "#ff0000"});
        let changed = app.put(&world.admin, &path, &put).await.expect(200);
        assert_eq!(changed["banner_text"], "careful");
        let patch = json!({"hide_disabled_flags": true, "api_key": "mine", "project": 9});
        let changed = app.patch(&world.admin, &path, &patch).await.expect(200);
        assert_eq!(changed["hide_disabled_flags"], true);
        assert_eq!(changed["banner_text"], "careful");
        assert_eq!(changed["api_key"], world.key);
        assert_eq!(changed["project"], world.project);
        assert_eq!(changed["minimum_change_request_approvals"], Value::Null);
        for wrong in [json!(-1), json!(40_000), json!("some")] {
            let refused = app.patch(&world.admin, &path, &json!({"minimum_change_request_approvals": wrong})).await;
            assert!(refused.expect(400)["minimum_change_request_approvals"].is_array());
        }

        let log = app.log("ENVIRONMENT").await;
        assert_eq!(log[0].message.as_deref(), Some("New Environment created: Development"));
        assert_eq!(log[1].message.as_deref(), Some("Environment updated: Development"));
        // The banner is for the dashboard only; hidden flags are not.
        assert!(!log[1].serves && log[2].serves);
    }

    async fn what_is_wrong_with_settings_is_said_by_field(app) {
        let world = app.world().await;
        let path = format!("{PATH}{}/", world.key);
        let wrong = app.put(&world.admin, &path, &json!({})).await.expect(400);
        assert_eq!(wrong, json!({"name": ["This field is required."]}));
        let wrong = app.patch(&world.admin, &path, &json!({"allow_client_traits": "x"})).await.expect(400);
        assert_eq!(wrong, json!({"allow_client_traits": ["Must be a valid boolean."]}));
        let taken = json!({"name": "Development", "project": world.project});
        let wrong = app.post(&world.admin, PATH, &taken).await.expect(400);
        assert_eq!(wrong, json!({"non_field_errors": ["An environment with this name already exists."]}));
        app.environment(&world.admin, world.project, "Other").await;
        app.patch(&world.admin, &path, &json!({"name": "Other"})).await.expect(400);
        let wrong = app.post(&world.admin, PATH, &json!({"project": world.project})).await.expect(400);
        assert_eq!(wrong, json!({"name": ["This field is required."]}));
        for project in [Value::Null, json!("x"), json!(9999), json!(1e40)] {
            app.post(&world.admin, PATH, &json!({"name": "X", "project": project})).await.expect(403);
        }
        for query in ["", "?project=abc", "?project=9999", "?project=99999999999999999999"] {
            let wrong = app.get(&world.admin, &format!("{PATH}{query}")).await.expect(400);
            assert_eq!(wrong, json!(["Invalid or missing value for project parameter."]));
        }
    }

    async fn only_those_who_may_see_an_environment_see_it(app) {
        let world = app.world().await;
        let path = format!("{PATH}{}/", world.key);
        let list = format!("{PATH}?project={}", world.project);
        let uuid = app.get(&world.admin, &path).await.expect(200)["uuid"].as_str().unwrap().to_owned();
        let by_uuid = format!("{PATH}get-by-uuid/{uuid}/");
        app.get(&world.stranger, &list).await.expect(400);
        assert_eq!(app.get(&world.member, &list).await.expect(200)["count"], 0);
        for person in [&world.stranger, &world.member] {
            for path in [path.clone(), format!("{path}metrics/"), format!("{path}trait-keys/")] {
                app.get(person, &path).await.expect(403);
            }
            app.get(person, &by_uuid).await.expect(404);
            app.patch(person, &path, &json!({"name": "mine"})).await.expect(403);
            app.delete(person, &path).await.expect(403);
            app.post(person, &format!("{path}clone/"), &json!({"name": "mine"})).await.expect(403);
            app.post(person, &format!("{path}delete-traits/"), &json!({"key": "k"})).await.expect(403);
            app.post(person, PATH, &json!({"name": "mine", "project": world.project})).await.expect(403);
        }
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &path).await.expect(200);
        app.get(&world.member, &by_uuid).await.expect(200);
        assert_eq!(app.get(&world.member, &list).await.expect(200)["count"], 1);
        app.patch(&world.member, &path, &json!({"name": "mine"})).await.expect(403);
    }

    async fn whoever_creates_an_environment_administers_it(app) {
        let world = app.world().await;
        app.grant(&world.member, Object::Project(world.project), &["CREATE_ENVIRONMENT"]).await;
        let body = json!({"name": "Mine", "project": world.project});
        let made = app.post(&world.member, PATH, &body).await.expect(201);
        let path = format!("{PATH}{}/", made["api_key"].as_str().unwrap());
        app.patch(&world.member, &path, &json!({"description": "mine"})).await.expect(200);
        // A copy would make what is in the original his: he must see it already.
        let clone = format!("{PATH}{}/clone/", world.key);
        app.post(&world.member, &clone, &json!({"name": "Copy"})).await.expect(403);
        app.delete(&world.member, &path).await.expect(204);
        app.get(&world.member, &path).await.expect(404);
    }

    async fn a_copy_has_the_settings_but_not_the_keys_and_identities(app) {
        let world = app.world().await;
        let path = format!("{PATH}{}/", world.key);
        app.patch(&world.admin, &path, &json!({"hide_sensitive_data": true, "description": "d"})).await.expect(200);
        app.post(&world.admin, &format!("{path}api-keys/"), &json!({"name": "k"})).await.expect(201);
        app.post(&world.admin, &format!("{path}identities/"), &json!({"identifier": "a"})).await.expect(201);
        let copy = app.post(&world.admin, &format!("{path}clone/"), &json!({"name": "Copy"})).await.expect(200);
        let fields: Vec<&str> = copy.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "name", "api_key", "project"]);
        let key = copy["api_key"].as_str().unwrap();
        assert_ne!(key, world.key);
        let got = app.get(&world.admin, &format!("{PATH}{key}/")).await.expect(200);
        assert_eq!((&got["hide_sensitive_data"], &got["description"]), (&json!(true), &json!("d")));
        assert_eq!(app.get(&world.admin, &format!("{PATH}{key}/api-keys/")).await.expect(200), json!([]));
        let identities = app.get(&world.admin, &format!("{PATH}{key}/identities/")).await.expect(200);
        assert_eq!(identities["count"], 0);
        app.post(&world.admin, &format!("{path}clone/"), &json!({"name": "Copy"})).await.expect(400);
        let wrong = app.post(&world.admin, &format!("{path}clone/"), &json!({})).await.expect(400);
        assert_eq!(wrong, json!({"name": ["This field is required."]}));
    }

    async fn a_deleted_environment_takes_everything_in_it_along(app) {
        let world = app.world().await;
        let path = format!("{PATH}{}/", world.key);
        app.post(&world.admin, &format!("{path}api-keys/"), &json!({"name": "k"})).await.expect(201);
        let identity = app.post(&world.admin, &format!("{path}identities/"), &json!({"identifier": "a"})).await;
        let identity = id(&identity.expect(201));
        app.delete(&world.admin, &path).await.expect(204);
        app.get(&world.admin, &path).await.expect(404);
        app.get(&world.admin, &format!("{path}identities/{identity}/")).await.expect(403);
        let mut tx = app.app.db().read().await.unwrap();
        assert_eq!(burgee_store::identities::find(&mut tx, identity).await.unwrap(), None);
        let keys = burgee_store::server_keys::list(&mut tx, world.environment).await.unwrap();
        assert_eq!(keys, []);
    }

    async fn an_unknown_key_names_nothing_however_odd_it_is(app) {
        let world = app.world().await;
        for key in ["nope", "1", "%00", "%F0%9F%98%80", "%ff"] {
            app.get(&world.admin, &format!("{PATH}{key}/")).await.expect(404);
            app.get(&world.admin, &format!("{PATH}get-by-uuid/{key}/")).await.expect(404);
        }
        app.get(&world.admin, &format!("{PATH}nope/identities/")).await.expect(403);
        app.get(&world.admin, &format!("{PATH}%00/api-keys/")).await.expect(404);
    }

    async fn metrics_start_at_zero(app) {
        let world = app.world().await;
        let metrics = app.get(&world.admin, &format!("{PATH}{}/metrics/", world.key)).await.expect(200);
        let names: Vec<_> = metrics["metrics"].as_array().unwrap().iter().map(|m| (&m["name"], &m["value"])).collect();
        assert_eq!(json!(names), json!([
            ["total_features", 0], ["enabled_features", 0], ["segment_overrides", 0], ["identity_overrides", 0],
        ]));
    }

    async fn the_environment_document_is_for_those_who_may_see_its_identities(app) {
        let world = app.world().await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        app.post(&world.admin, &features, &json!({"name": "a", "initial_value": "x"})).await.expect(201);
        let path = format!("/api/v1/environments/{}/document/", world.key);
        let document = app.get(&world.admin, &path).await.expect(200);
        assert_eq!((&document["api_key"], &document["project"]["id"]), (&json!(world.key), &json!(world.project)));
        let states = document["feature_states"].as_array().expect("a list");
        assert_eq!((states.len(), &states[0]["feature"]["name"], &states[0]["feature_state_value"]), (1, &json!("a"), &json!("x")));
        // It is what SDKs that evaluate by themselves are given.
        let keys = format!("/api/v1/environments/{}/api-keys/", world.key);
        let key = app.post(&world.admin, &keys, &json!({"name": "server"})).await.expect(201);
        let headers = [("x-environment-key", key["key"].as_str().expect("a key"))];
        let served = app.call(axum::http::Method::GET, "/api/v1/environment-document/", &headers, None).await.expect(200);
        assert_eq!(served, document);
        app.get(&world.stranger, &path).await.expect(403);
        app.get(&world.member, &path).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &path).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_IDENTITIES"]).await;
        app.get(&world.member, &path).await.expect(200);
    }

}
