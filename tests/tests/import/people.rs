//! After an import people and programs sign in as before.

use axum::http::Method;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::json;

use super::{flagsmith, import, there};

const ADA: &str = "0123456789abcdef0123456789abcdef01234567";
const API_KEY: &str = "Ab3dEf6h.0123456789abcdefghijklmnopqrstuv";

async fn log_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    app.call(Method::POST, "/api/v1/auth/login/", &[], Some(&body))
        .await
}

async fn with_key(app: &TestApp, key: &str, path: &str) -> Answer {
    app.call(
        Method::GET,
        path,
        &[("authorization", &format!("Api-Key {key}"))],
        None,
    )
    .await
}

both! {
    async fn people_sign_in_with_the_passwords_they_have(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        for email in ["ada@example.com", "bob@example.com"] {
            log_in(&app, email, "Correct-Horse-8").await.expect(400);
            log_in(&app, email, "Correct-Horse-7").await.expect(200);
            // By now it is hashed in this installation's own way.
            log_in(&app, email, "Correct-Horse-7").await.expect(200);
        }
        for email in ["dan@example.com", "eve@example.com"] {
            log_in(&app, email, "").await.expect(400);
            log_in(&app, email, "Correct-Horse-7").await.expect(400);
        }
        assert!(report.notes.iter().any(|note| note.id == Some(6) && note.text.contains("password")));
        // What was rehashed here is not undone by the next run, a password changed there is taken.
        let again = import(&app, &url).await;
        assert_eq!(again.counts["users"].updated, 0, "{}", again.to_text());
        there(&url, "UPDATE users_ffadminuser SET password = '!' WHERE id = 2").await;
        assert_eq!(import(&app, &url).await.counts["users"].updated, 1);
        log_in(&app, "ada@example.com", "Correct-Horse-7").await.expect(400);
    }

    async fn a_second_factor_still_stands_before_its_user(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let first = log_in(&app, "carol@example.com", "Correct-Horse-7").await.expect(200);
        let token = first["ephemeral_token"].as_str().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let code = burgee_auth::totp::code_at("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", now).unwrap();
        let body = json!({"ephemeral_token": token, "code": code});
        let answer = app.call(Method::POST, "/api/v1/auth/login/code/", &[], Some(&body)).await.expect(200);
        assert!(answer["key"].is_string());
    }

    async fn tokens_and_master_api_keys_keep_working(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let me = app.manage(ADA, Method::GET, "/api/v1/auth/users/me/", None).await.expect(200);
        assert_eq!((&me["id"], &me["email"]), (&json!(2), &json!("ada@example.com")));
        for _ in 0..3 {
            let projects = with_key(&app, API_KEY, "/api/v1/projects/").await.expect(200);
            assert_eq!(projects.as_array().unwrap().len(), 3);
        }
        with_key(&app, "Ab3dEf6h.0123456789abcdefghijklmnopqrstuw", "/api/v1/projects/").await.expect(401);
        with_key(&app, "Zz3dEf6h.0123456789abcdefghijklmnopqrstuv", "/api/v1/projects/").await.expect(401);
        // The hash of the first use stays.
        assert_eq!(import(&app, &url).await.counts["master API keys"].updated, 0);
        with_key(&app, API_KEY, "/api/v1/projects/").await.expect(200);
        there(&url, "UPDATE api_keys_masterapikey SET revoked = TRUE").await;
        import(&app, &url).await;
        with_key(&app, API_KEY, "/api/v1/projects/").await.expect(401);
    }

    async fn people_may_do_what_they_could(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        let bob = log_in(&app, "bob@example.com", "Correct-Horse-7").await.expect(200);
        let bob = bob["key"].as_str().unwrap();
        let projects = app.manage(bob, Method::GET, "/api/v1/projects/", None).await.expect(200);
        let names: Vec<_> = projects.as_array().unwrap().iter().map(|project| &project["name"]).collect();
        assert_eq!(names, [&json!("Web")]);
        let path = "/api/v1/environments/Tsxbt7qYxiJ8UDc8Mer9JD/my-permissions/";
        let mine = app.manage(bob, Method::GET, path, None).await.expect(200);
        assert_eq!(mine["permissions"], json!(["VIEW_ENVIRONMENT", "UPDATE_FEATURE_STATE"]));
        let path = "/api/v1/organisations/2/my-permissions/";
        assert_eq!(app.manage(bob, Method::GET, path, None).await.expect(200)["permissions"], json!(["CREATE_PROJECT"]));
        // By her group Carol administers the other project; the token is from before.
        let carol = "89abcdef0123456789abcdef0123456789abcdef";
        let mine = app.manage(carol, Method::GET, "/api/v1/projects/5/my-permissions/", None).await.expect(200);
        assert_eq!(mine["admin"], true);
        assert!(report.notes.iter().any(|note| note.text.contains("FROM_THE_FUTURE")));
        let group = app.manage(ADA, Method::GET, "/api/v1/organisations/2/groups/9/", None).await.expect(200);
        assert_eq!((&group["external_id"], &group["users"][0]["email"]), (&json!("idp-readers"), &json!("carol@example.com")));
        let invites = app.manage(ADA, Method::GET, "/api/v1/organisations/2/invites/", None).await.expect(200);
        assert_eq!((&invites["results"][0]["email"], &invites["results"][0]["permission_groups"]), (&json!("new@example.com"), &json!([9])));
        let links = app.manage(ADA, Method::GET, "/api/v1/organisations/2/invite-links/", None).await.expect(200);
        assert_eq!(links[0]["hash"], "linkhash");
    }

    async fn tags_owners_and_custom_fields_come_along(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let feature = app.manage(ADA, Method::GET, "/api/v1/projects/5/features/50/", None).await.expect(200);
        assert_eq!(feature["tags"], json!([15]));
        assert_eq!(feature["owners"][0]["id"], 3);
        assert_eq!(feature["group_owners"][0]["id"], 9);
        assert_eq!(feature["description"], "The new one");
        assert_eq!(feature["metadata"][0]["field_value"], "https://example.com/T-1");
    }

    async fn an_account_that_is_here_already_stays_as_it_is(app) {
        let Some(url) = flagsmith().await else { return };
        let token = app.sign_up_superuser("ada@example.com").await;
        let report = import(&app, &url).await;
        assert!(report.ids_kept);
        log_in(&app, "ada@example.com", "Correct-Horse-7").await.expect(200);
        let organisations = app.manage(&token, Method::GET, "/api/v1/organisations/", None).await.expect(200);
        assert_eq!(organisations["results"][0]["name"], "Acme");
        app.manage(ADA, Method::GET, "/api/v1/auth/users/me/", None).await.expect(200);
        assert!(report.notes.iter().any(|note| note.noun == "users" && note.text.contains("here already")));
    }
}
