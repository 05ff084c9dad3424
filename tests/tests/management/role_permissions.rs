//! `…/roles/{id}/organisation-permissions/`, `projects-permissions/` and `environments-permissions/`: what a role allows.

use burgee_store::grants::Object;
use burgee_testkit::both;
use burgee_testkit::places::{Person, id};
use serde_json::{Value, json};

use super::role_scene::{feature, fields, give, proposal, role, role_with, switch_on, tag};

both! {
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

    async fn what_a_role_may_do_on_each_level_is_written_anew_and_taken_back(app) {
        let world = app.world().await;
        let role = role(&app, &world, "writers").await;
        give(&app, &world, &role, &world.member).await;
        let tagged = |keys: &[&str]| keys.iter().map(|key| json!({"permission_key": key, "tags": []})).collect::<Value>();
        let levels = [
            ("organisation-permissions", None, format!("organisations/{}", world.organisation),
             json!(["CREATE_PROJECT"]), json!(["MANAGE_USER_GROUPS"]), "MANAGE_USER_GROUPS"),
            ("projects-permissions", Some(("project", world.project)), format!("projects/{}", world.project),
             tagged(&["VIEW_PROJECT"]), tagged(&["VIEW_PROJECT", "MANAGE_TAGS"]), "MANAGE_TAGS"),
            ("environments-permissions", Some(("environment", world.environment)), format!("environments/{}", world.key),
             tagged(&["VIEW_ENVIRONMENT"]), tagged(&["VIEW_ENVIRONMENT", "VIEW_IDENTITIES"]), "VIEW_IDENTITIES"),
        ];
        for (level, object, path, first, second, gained) in levels {
            let all = format!("{role}{level}/");
            let body = |permissions: &Value| {
                let mut body = json!({"permissions": permissions});
                if let Some((field, id)) = object {
                    body[field] = json!(id);
                }
                body
            };
            let made = app.post(&world.admin, &all, &body(&first)).await.expect(201);
            assert_eq!(made["permissions"], first);
            assert_eq!(app.get(&world.admin, &all).await.expect(200)["results"], json!([made]));
            let one = format!("{all}{}/", id(&made));
            assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
            let written = app.put(&world.admin, &one, &body(&second)).await.expect(200);
            assert_eq!((&written["id"], &written["permissions"]), (&made["id"], &second));
            if let Some((field, _)) = object {
                let refused = app.put(&world.admin, &one, &json!({})).await.expect(400);
                assert_eq!(refused, json!({field: ["This field is required."], "permissions": ["This field is required."]}));
            }
            let mine = app.get(&world.member, &format!("/api/v1/{path}/my-permissions/")).await.expect(200);
            assert!(mine["permissions"].as_array().expect("a list").contains(&json!(gained)), "{mine}");
            for person in [&world.member, &world.stranger] {
                app.get(person, &one).await.expect(403);
                app.put(person, &one, &body(&second)).await.expect(403);
                app.delete(person, &one).await.expect(403);
            }
            app.delete(&world.admin, &one).await.expect(204);
            app.get(&world.admin, &one).await.expect(404);
            let mine = app.get(&world.member, &format!("/api/v1/{path}/my-permissions/")).await;
            assert!(!mine.text.contains(gained), "{}", mine.text);
        }
    }
}
