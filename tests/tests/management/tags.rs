//! `/api/v1/projects/{id}/tags/`

use burgee_store::grants::Object;
use burgee_testkit::both;
use burgee_testkit::places::id;
use serde_json::json;

both! {
    async fn a_tag_is_kept_changed_and_deleted(app) {
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/tags/", world.project);
        let body = json!({"label": "beta", "color": "#ff0000", "is_permanent": true});
        let tag = app.post(&world.admin, &path, &body).await.expect(201);
        let fields: Vec<&str> = tag.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, [
            "id", "label", "color", "description", "project", "uuid", "is_permanent", "is_system_tag", "type",
        ]);
        let one = format!("{path}{}/", id(&tag));
        let changed = app.patch(&world.admin, &one, &json!({"label": "beta-1"})).await.expect(200);
        assert_eq!((changed["label"].as_str(), changed["color"].as_str()), (Some("beta-1"), Some("#ff0000")));
        let uuid = tag["uuid"].as_str().expect("text");
        let found = app.get(&world.admin, &format!("{path}get-by-uuid/{uuid}/")).await.expect(200);
        assert_eq!(found, changed);
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["count"], 0);
    }

    async fn two_tags_may_share_a_label(app) {
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/tags/", world.project);
        for _ in 0..2 {
            app.post(&world.admin, &path, &json!({"label": "beta", "color": "#123"})).await.expect(201);
        }
        let refused = app.post(&world.admin, &path, &json!({})).await.expect(400);
        assert_eq!(refused, json!({"label": ["This field is required."]}));
    }

    async fn tags_are_for_those_who_may_manage_them_and_unknown_to_strangers(app) {
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/tags/", world.project);
        let body = json!({"label": "beta", "color": "#123"});
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.post(&world.member, &path, &body).await.expect(403);
        app.get(&world.member, &path).await.expect(200);
        app.post(&world.stranger, &path, &body).await.expect(403);
        app.get(&world.stranger, &path).await.expect(404);
        app.grant(&world.member, Object::Project(world.project), &["MANAGE_TAGS"]).await;
        let tag = app.post(&world.member, &path, &body).await.expect(201);
        let elsewhere = app.project(&world.admin, world.organisation, "Other").await;
        let foreign = format!("/api/v1/projects/{elsewhere}/tags/{}/", id(&tag));
        app.delete(&world.admin, &foreign).await.expect(404);
    }

    async fn a_tag_is_read_and_written_anew(app) {
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/tags/", world.project);
        let made = app.post(&world.admin, &path, &json!({"label": "beta", "color": "#123"})).await.expect(201);
        let one = format!("{path}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        let body = json!({"label": "gamma", "color": "#456", "description": "d"});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for field in ["label", "color", "description"] {
            assert_eq!(written[field], body[field], "{field}");
        }
        assert_eq!(app.put(&world.admin, &one, &json!({})).await.expect(400), json!({"label": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            for refused in [app.get(person, &one).await, app.put(person, &one, &body).await] {
                assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
            }
        }
    }

}
