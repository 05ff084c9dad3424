//! `/api/v1/environments/{key}/api-keys/`

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::both;
use burgee_testkit::places::id;
use serde_json::{Value, json};

both! {
    async fn keys_are_made_changed_and_deleted_and_every_node_hears_of_it(app) {
        let world = app.world().await;
        let path = format!("/api/v1/environments/{}/api-keys/", world.key);
        let body = json!({"name": "server", "key": "ser.mine", "expires_at": "2030-01-01T00:00:00Z"});
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        assert!(made["key"].as_str().unwrap().starts_with("ser.") && made["key"] != "ser.mine");
        assert_eq!((&made["active"], &made["expires_at"]), (&json!(true), &json!("2030-01-01T00:00:00Z")));
        let one = format!("{path}{}/", id(&made));
        let changed = app.patch(&world.admin, &one, &json!({"active": false})).await.expect(200);
        assert_eq!((&changed["active"], &changed["key"]), (&json!(false), &made["key"]));
        let changed = app.put(&world.admin, &one, &json!({"name": "s", "expires_at": null})).await.expect(200);
        assert_eq!((&changed["name"], &changed["expires_at"]), (&json!("s"), &Value::Null));
        assert_eq!(app.get(&world.admin, &path).await.expect(200), json!([changed]));
        app.delete(&world.admin, &one).await.expect(204);
        app.delete(&world.admin, &one).await.expect(404);

        let log = app.log("SERVER_KEY").await;
        let seen: Vec<_> = log.iter().map(|c| (c.action.as_str(), c.environment_id, c.message.clone())).collect();
        let here = Some(world.environment);
        assert_eq!(seen, [
            ("CREATE", here, Some("Server key created: server".to_owned())),
            ("UPDATE", here, Some("Server key updated: server".to_owned())),
            ("UPDATE", here, Some("Server key updated: s".to_owned())),
            ("DELETE", here, Some("Server key deleted: s".to_owned())),
        ]);
        assert!(log.iter().all(|c| !format!("{c:?}").contains("ser.")), "no secret in the log");
    }

    async fn what_is_wrong_with_a_key_is_said_by_field(app) {
        let world = app.world().await;
        let path = format!("/api/v1/environments/{}/api-keys/", world.key);
        let wrong = app.post(&world.admin, &path, &json!({})).await.expect(400);
        assert_eq!(wrong, json!({"name": ["This field is required."]}));
        let wrong = app.post(&world.admin, &path, &json!({"name": "x", "expires_at": "tomorrow"})).await.expect(400);
        assert_eq!(wrong["expires_at"][0], "Datetime has wrong format. Use one of these formats instead: \
            YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].");
        app.post(&world.admin, &path, &json!({"name": "x".repeat(101)})).await.expect(400);
        let answer = app.call(Method::GET, &format!("{path}1/"),
            &[("authorization", &format!("Token {}", world.admin.token))], None).await;
        assert_eq!(answer.expect(405), json!({"detail": "Method \"GET\" not allowed."}));
    }

    async fn keys_are_for_administrators_of_their_own_environment(app) {
        let world = app.world().await;
        let path = format!("/api/v1/environments/{}/api-keys/", world.key);
        let made = app.post(&world.admin, &path, &json!({"name": "server"})).await.expect(201);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(403);
            app.post(person, &path, &json!({})).await.expect(403);
            app.patch(person, &format!("{path}{}/", id(&made)), &json!({"active": false})).await.expect(403);
            app.delete(person, &format!("{path}{}/", id(&made))).await.expect(403);
        }
        let (_, other) = app.environment(&world.admin, world.project, "Other").await;
        let elsewhere = format!("/api/v1/environments/{other}/api-keys/{}/", id(&made));
        app.patch(&world.admin, &elsewhere, &json!({"active": false})).await.expect(404);
        app.delete(&world.admin, &elsewhere).await.expect(404);
    }
}
