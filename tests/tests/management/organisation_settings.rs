//! What an organisation is and has: its settings, groups, invitations, keys and numbers, one by one.

use axum::http::Method;
use burgee_testkit::both;
use burgee_testkit::places::{World, id};
use serde_json::{Value, json};

fn path(world: &World, what: &str) -> String {
    format!("/api/v1/organisations/{}/{what}", world.organisation)
}

fn fields(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

both! {
    async fn an_organisation_is_written_anew_by_its_administrators(app) {
        let world = app.world().await;
        let one = path(&world, "");
        let body = json!({"name": "Acme Inc", "webhook_notification_email": "ops@example.com", "force_2fa": false,
            "restrict_project_create_to_admin": true});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for field in ["name", "webhook_notification_email", "restrict_project_create_to_admin"] {
            assert_eq!(written[field], body[field], "{field}");
        }
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["name"], "Acme Inc");
        assert_eq!(app.put(&world.admin, &one, &json!({})).await.expect(400), json!({"name": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            app.put(person, &one, &body).await.expect(403);
        }
        let line = app.log("ORGANISATION").await.pop().expect("a line");
        assert!(line.after.as_deref().is_some_and(|after| after.contains("Acme Inc")));
    }

    async fn everything_is_included_and_the_subscription_says_so(app) {
        let world = app.world().await;
        let told = app.get(&world.admin, &path(&world, "get-subscription-metadata/")).await.expect(200);
        assert_eq!(fields(&told), ["max_seats", "max_api_calls", "max_projects", "payment_source", "chargebee_email",
            "feature_history_visibility_days", "audit_log_visibility_days"]);
        for limit in ["max_projects", "feature_history_visibility_days", "audit_log_visibility_days"] {
            assert_eq!(told[limit], Value::Null, "{limit}");
        }
        app.get(&world.stranger, &path(&world, "get-subscription-metadata/")).await.expect(403);
    }

    async fn a_group_is_written_anew_and_keeps_its_members(app) {
        let world = app.world().await;
        let groups = path(&world, "groups/");
        let group = id(&app.post(&world.admin, &groups, &json!({"name": "devs"})).await.expect(201));
        let one = format!("{groups}{group}/");
        app.post(&world.admin, &format!("{one}add-users/"), &json!({"user_ids": [world.member.id]})).await.expect(200);
        let body = json!({"name": "developers", "is_default": true, "external_id": "ext-1"});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for field in ["name", "is_default", "external_id"] {
            assert_eq!(written[field], body[field], "{field}");
        }
        assert_eq!(written["users"][0]["id"], world.member.id);
        assert_eq!(app.put(&world.admin, &one, &json!({})).await.expect(400), json!({"name": ["This field is required."]}));
        app.put(&world.stranger, &one, &body).await.expect(403);
        let mine = path(&world, "groups/my-groups/");
        assert_eq!(app.get(&world.member, &mine).await.expect(200)["results"], json!([{"id": group, "name": "developers"}]));
    }

    async fn an_invitation_is_read_without_its_secret(app) {
        let world = app.world().await;
        let invites = path(&world, "invites/");
        let group = id(&app.post(&world.admin, &path(&world, "groups/"), &json!({"name": "devs"})).await.expect(201));
        let body = json!({"email": "zoe@example.com", "role": "ADMIN", "permission_groups": [group]});
        let made = app.post(&world.admin, &invites, &body).await.expect(201);
        let one = format!("{invites}{}/", id(&made));
        let found = app.get(&world.admin, &one).await;
        assert!(!found.text.contains("hash"), "{}", found.text);
        let found = found.expect(200);
        assert_eq!((&found["id"], &found["email"]), (&made["id"], &json!("zoe@example.com")));
        assert_eq!(found["permission_groups"], json!([group]));
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(403);
        }
        let elsewhere = app.organisation("Third", &world.admin, "ADMIN").await;
        let foreign = format!("/api/v1/organisations/{elsewhere}/invites/{}/", id(&made));
        app.get(&world.admin, &foreign).await.expect(404);
    }

    async fn a_master_key_is_read_and_written_anew_without_its_secret(app) {
        let world = app.world().await;
        let keys = path(&world, "master-api-keys/");
        let made = app.post(&world.admin, &keys, &json!({"name": "ci"})).await.expect(201);
        let (text, prefix) = (made["key"].as_str().expect("a key"), made["prefix"].as_str().expect("a prefix"));
        let one = format!("{keys}{prefix}/");
        let found = app.get(&world.admin, &one).await.expect(200);
        assert_eq!(fields(&found), ["id", "prefix", "created", "name", "revoked", "expiry_date", "is_admin", "has_expired",
            "created_by"]);
        assert_eq!((&found["name"], &found["revoked"], &found["created_by"]), (&json!("ci"), &json!(false), &json!(world.admin.id)));
        let body = json!({"name": "deploy", "is_admin": false, "expiry_date": "2099-01-01T00:00:00Z"});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        assert_eq!((&written["name"], &written["is_admin"], &written["has_expired"]),
            (&json!("deploy"), &json!(false), &json!(false)));
        assert!(written["expiry_date"].as_str().is_some_and(|date| date.starts_with("2099-01-01")));
        let missing = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"name": ["This field is required."]}));
        // It administers nothing any more, at once.
        let headers = [("authorization", format!("Api-Key {text}"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.call(Method::GET, &path(&world, ""), &headers, None).await.expect(403);
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(403);
            app.put(person, &one, &body).await.expect(403);
        }
    }

    async fn usage_is_for_administrators(app) {
        let world = app.world().await;
        let asked = app.get(&world.admin, &path(&world, "usage/")).await.expect(200);
        assert_eq!(fields(&asked), ["events"]);
        let counted = app.get(&world.admin, &path(&world, "usage-data/total-count/")).await.expect(200);
        assert_eq!(fields(&counted), ["count"]);
        let by_day = path(&world, "usage-data/");
        for period in ["", "?period=90_day_period", "?period=current_billing_period"] {
            assert!(app.get(&world.admin, &format!("{by_day}{period}")).await.expect(200).is_array());
        }
        let wrong = app.get(&world.admin, &format!("{by_day}?period=ever")).await.expect(400);
        assert_eq!(wrong, json!({"period": ["\"ever\" is not a valid choice."]}));
        for person in [&world.member, &world.stranger] {
            for what in ["usage/", "usage-data/", "usage-data/total-count/"] {
                app.get(person, &path(&world, what)).await.expect(403);
            }
        }
    }
}
