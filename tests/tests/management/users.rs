//! `/api/v1/auth/…`

use axum::http::Method;
use burgee_app::Settings;
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

const PASSWORD: &str = "Correct-Horse-7";

async fn post(app: &TestApp, path: &str, body: Value) -> burgee_testkit::Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

async fn log_in(app: &TestApp, email: &str, password: &str) -> burgee_testkit::Answer {
    post(
        app,
        "/api/v1/auth/login/",
        json!({"email": email, "password": password}),
    )
    .await
}

both! {
    async fn who_signs_up_is_signed_in_and_sees_himself(app) {
        let token = app.sign_up("Ada@Example.com").await;
        let me = app.manage(&token, Method::GET, "/api/v1/auth/users/me/", None).await.expect(200);
        assert_eq!(me["email"], "ada@example.com");
        assert_eq!(me["is_superuser"], false);
        assert_eq!(me["onboarding"], Value::Null);
    }

    async fn an_address_signs_up_once_whatever_its_case(app) {
        app.sign_up("ada@example.com").await;
        let body = json!({"email": "ADA@example.com", "password": PASSWORD, "first_name": "A", "last_name": "B"});
        let wrong = post(&app, "/api/v1/auth/users/", body).await.expect(400);
        assert_eq!(wrong, json!({"email": ["Email already exists. Please log in."]}));
    }

    async fn weak_passwords_and_missing_fields_are_named(app) {
        let wrong = post(&app, "/api/v1/auth/users/", json!({})).await.expect(400);
        assert_eq!(wrong.as_object().expect("fields").len(), 4);
        let body = json!({"email": "weak@example.com", "password": "1234", "first_name": "A", "last_name": "B"});
        let wrong = post(&app, "/api/v1/auth/users/", body).await.expect(400);
        assert_eq!(wrong["password"].as_array().expect("faults").len(), 3);
    }

    async fn odd_input_is_refused_not_failed_on(app) {
        for email in [json!("a\u{0}@b.com"), json!({}), json!(1e300), json!("x".repeat(100_000))] {
            let body = json!({"email": email, "password": email, "first_name": email, "last_name": email});
            post(&app, "/api/v1/auth/users/", body.clone()).await.expect(400);
            post(&app, "/api/v1/auth/login/", body).await.expect(400);
        }
        post(&app, "/api/v1/auth/users/", json!([1])).await.expect(400);
    }

    async fn only_the_first_user_can_sign_up_as_administrator(app) {
        let body = |email: &str| json!({"email": email, "password": PASSWORD, "first_name": "A", "last_name": "B",
                                        "superuser": true});
        post(&app, "/api/v1/auth/users/", body("first@example.com")).await.expect(201);
        let wrong = post(&app, "/api/v1/auth/users/", body("second@example.com")).await.expect(400);
        assert!(wrong["superuser"].is_array());
    }

    async fn each_log_in_gives_a_token_and_logging_out_ends_them_all(app) {
        let first = app.sign_up("ada@example.com").await;
        let second = log_in(&app, "ADA@example.com", PASSWORD).await.expect(200)["key"].clone();
        let second = second.as_str().expect("a token");
        assert_ne!(first, second);
        assert_eq!(second.len(), 40);
        app.manage(second, Method::POST, "/api/v1/auth/logout/", None).await.expect(204);
        for token in [first.as_str(), second] {
            let answer = app.manage(token, Method::GET, "/api/v1/auth/users/me/", None).await.expect(401);
            assert_eq!(answer["detail"], "Invalid token.");
        }
    }

    async fn deleting_the_token_rotates_it(app) {
        let token = app.sign_up("ada@example.com").await;
        app.manage(&token, Method::DELETE, "/api/v1/auth/token/", None).await.expect(204);
        app.manage(&token, Method::DELETE, "/api/v1/auth/token/", None).await.expect(401);
    }

    async fn guessing_a_password_is_slowed_down_per_account(app) {
        app.sign_up("ada@example.com").await;
        for _ in 0..20 {
            log_in(&app, "ada@example.com", "wrong").await.expect(400);
        }
        let refused = log_in(&app, "ada@example.com", PASSWORD).await;
        assert!(refused.headers.contains_key("retry-after"));
        refused.expect(429);
        log_in(&app, "bob@example.com", "wrong").await.expect(400);
    }

    async fn a_profile_changes_in_parts_but_not_its_address(app) {
        let token = app.sign_up("ada@example.com").await;
        let body = json!({"first_name": "Ada2", "email": "other@example.com"});
        let me = app.manage(&token, Method::PATCH, "/api/v1/auth/users/me/", Some(&body)).await.expect(200);
        assert_eq!((&me["first_name"], &me["email"]), (&json!("Ada2"), &json!("ada@example.com")));
        app.manage(&token, Method::PUT, "/api/v1/auth/users/me/", Some(&json!({"first_name": "A"}))).await.expect(400);
    }

    async fn first_steps_are_kept_part_by_part(app) {
        let token = app.sign_up("ada@example.com").await;
        let path = "/api/v1/auth/users/me/onboarding/";
        app.manage(&token, Method::PATCH, path, Some(&json!({}))).await.expect(400);
        let tasks = json!({"tasks": [{"name": "create-project"}]});
        app.manage(&token, Method::PATCH, path, Some(&tasks)).await.expect(204);
        let tools = json!({"tools": {"completed": true, "integrations": ["x"]}});
        app.manage(&token, Method::PATCH, path, Some(&tools)).await.expect(204);
        let me = app.manage(&token, Method::GET, "/api/v1/auth/users/me/", None).await.expect(200);
        assert_eq!(me["onboarding"]["tasks"][0]["name"], "create-project");
        assert_eq!(me["onboarding"]["tools"], tools["tools"]);
    }

    async fn a_new_password_needs_the_present_one(app) {
        let token = app.sign_up("ada@example.com").await;
        let path = "/api/v1/auth/users/set_password/";
        let body = |current: &str, again: &str| json!({"current_password": current, "new_password": "Str0ng-pass-9",
                                                       "re_new_password": again});
        let wrong = app.manage(&token, Method::POST, path, Some(&body("bad", "Str0ng-pass-9"))).await.expect(400);
        assert_eq!(wrong, json!({"current_password": ["Invalid password."]}));
        app.manage(&token, Method::POST, path, Some(&body(PASSWORD, "other"))).await.expect(400);
        app.manage(&token, Method::POST, path, Some(&body(PASSWORD, "Str0ng-pass-9"))).await.expect(204);
        log_in(&app, "ada@example.com", PASSWORD).await.expect(400);
        log_in(&app, "ada@example.com", "Str0ng-pass-9").await.expect(200);
    }

    async fn a_new_address_signs_in_at_once_and_must_be_free(app) {
        let token = app.sign_up("ada@example.com").await;
        app.sign_up("bob@example.com").await;
        let path = "/api/v1/auth/users/set_email/";
        let body = |email: &str| json!({"new_email": email, "current_password": PASSWORD});
        app.manage(&token, Method::POST, path, Some(&body("Bob@example.com"))).await.expect(400);
        app.manage(&token, Method::POST, path, Some(&body("ada2@example.com"))).await.expect(204);
        log_in(&app, "ada2@example.com", PASSWORD).await.expect(200);
    }

    async fn asking_for_a_reset_tells_nobody_who_has_an_account(app) {
        app.sign_up("ada@example.com").await;
        for email in ["ada@example.com", "ghost@example.com"] {
            let answer = post(&app, "/api/v1/auth/users/reset_password/", json!({"email": email})).await;
            assert!(answer.text.is_empty());
            answer.expect(204);
        }
    }

    async fn a_reset_link_works_once_and_ends_all_sessions(app) {
        let token = app.sign_up("ada@example.com").await;
        let mut tx = app.app.db().read().await.expect("a transaction");
        let user = burgee_store::users::find_by_email(&mut tx, "ada@example.com").await.expect("a read").expect("ada");
        drop(tx);
        let link = burgee_app::password_resets::password_reset_link(&app.app, &user);
        let mut parts = link.rsplit('/');
        let (secret, uid) = (parts.next().expect("a token"), parts.next().expect("a uid"));
        let body = json!({"uid": uid, "token": secret, "new_password": "Str0ng-pass-9",
                          "re_new_password": "Str0ng-pass-9"});
        let path = "/api/v1/auth/users/reset_password_confirm/";
        post(&app, path, body.clone()).await.expect(204);
        let wrong = post(&app, path, body).await.expect(400);
        assert_eq!(wrong, json!({"token": ["Invalid token for given user."]}));
        app.manage(&token, Method::GET, "/api/v1/auth/users/me/", None).await.expect(401);
        log_in(&app, "ada@example.com", "Str0ng-pass-9").await.expect(200);
    }

    async fn a_deleted_account_is_gone_with_the_organisations_of_nobody_else(app) {
        let token = app.sign_up("ada@example.com").await;
        app.manage(&token, Method::POST, "/api/v1/organisations/", Some(&json!({"name": "Alone"}))).await.expect(201);
        let path = "/api/v1/auth/users/me/";
        app.manage(&token, Method::DELETE, path, Some(&json!({"current_password": "bad"}))).await.expect(400);
        let body = json!({"current_password": PASSWORD, "delete_orphan_organisations": true});
        app.manage(&token, Method::DELETE, path, Some(&body)).await.expect(204);
        app.manage(&token, Method::GET, path, None).await.expect(401);
        let mut tx = app.app.db().read().await.expect("a transaction");
        assert!(burgee_store::organisations::all(&mut tx).await.expect("a read").is_empty());
    }

    async fn a_second_factor_is_asked_for_and_its_backup_codes_work_once(app) {
        let token = app.sign_up("ada@example.com").await;
        let set_up = app.manage(&token, Method::POST, "/api/v1/auth/app/activate/", None).await.expect(200);
        let secret = set_up["secret"].as_str().expect("a secret").to_owned();
        let confirm = "/api/v1/auth/app/activate/confirm/";
        let wrong = app.manage(&token, Method::POST, confirm, Some(&json!({"code": "x"}))).await.expect(400);
        assert_eq!(wrong, json!({"code": ["Code invalid or expired."]}));
        // Before it is confirmed, the password is enough.
        log_in(&app, "ada@example.com", PASSWORD).await.expect(200)["key"].as_str().expect("a key");
        let code = burgee_auth::totp::code_at(&secret, now()).expect("a code");
        let done = app.manage(&token, Method::POST, confirm, Some(&json!({"code": code}))).await.expect(200);
        let backup = done["backup_codes"].as_array().expect("codes").clone();
        assert_eq!(backup.len(), 5);
        let methods = app.manage(&token, Method::GET, "/api/v1/auth/mfa/user-active-methods/", None).await.expect(200);
        assert_eq!(methods, json!([{"name": "app", "is_primary": true}]));

        let step = "/api/v1/auth/login/code/";
        let first = log_in(&app, "ada@example.com", PASSWORD).await.expect(200)["ephemeral_token"].clone();
        post(&app, step, json!({"ephemeral_token": first, "code": "000000"})).await.expect(401);
        post(&app, step, json!({"ephemeral_token": first, "code": backup[0]})).await.expect(200);
        // Signing in used up the token between the steps, and the code.
        post(&app, step, json!({"ephemeral_token": first, "code": backup[1]})).await.expect(401);
        let second = log_in(&app, "ada@example.com", PASSWORD).await.expect(200)["ephemeral_token"].clone();
        post(&app, step, json!({"ephemeral_token": second, "code": backup[0]})).await.expect(401);
        post(&app, step, json!({"ephemeral_token": second, "code": backup[1]})).await.expect(200);

        app.manage(&token, Method::POST, "/api/v1/auth/app/activate/", None).await.expect(400);
        app.manage(&token, Method::POST, "/api/v1/auth/app/deactivate/", Some(&json!({"code": "1"}))).await.expect(400);
        app.manage(&token, Method::POST, "/api/v1/auth/app/deactivate/", None).await.expect(204);
        assert!(log_in(&app, "ada@example.com", PASSWORD).await.expect(200)["key"].is_string());
    }

    async fn a_code_of_the_second_factor_signs_in_once(app) {
        let token = app.sign_up("ada@example.com").await;
        let set_up = app.manage(&token, Method::POST, "/api/v1/auth/app/activate/", None).await.expect(200);
        let secret = set_up["secret"].as_str().expect("a secret").to_owned();
        let code = burgee_auth::totp::code_at(&secret, now()).expect("a code");
        let body = json!({"code": code});
        app.manage(&token, Method::POST, "/api/v1/auth/app/activate/confirm/", Some(&body)).await.expect(200);
        for status in [200, 401] {
            let answer = log_in(&app, "ada@example.com", PASSWORD).await.expect(200);
            let body = json!({"ephemeral_token": answer["ephemeral_token"], "code": code});
            post(&app, "/api/v1/auth/login/code/", body).await.expect(status);
        }
    }

    async fn set_up_makes_one_administrator_and_closes_itself(app) {
        let path = "/api/v1/users/config/init/";
        let page = app.call(Method::GET, path, &[], None).await;
        assert!(page.text.contains("<form"));
        page.expect(200);
        post(&app, path, json!({"email": "x"})).await.expect(400);
        let done = post(&app, path, json!({"email": "root@example.com"})).await.expect(200);
        assert_eq!(done["message"], "INSTALLATION CONFIGURED SUCCESSFULLY");
        let link = done["passwordResetUrl"].as_str().expect("a link").to_owned();
        post(&app, path, json!({"email": "other@example.com"})).await.expect(404);
        app.call(Method::GET, path, &[], None).await.expect(404);
        app.call(Method::GET, "/api/v1/users/init/", &[], None).await.expect(400);

        let mut parts = link.rsplit('/');
        let (secret, uid) = (parts.next().expect("a token"), parts.next().expect("a uid"));
        let body = json!({"uid": uid, "token": secret, "new_password": PASSWORD, "re_new_password": PASSWORD});
        post(&app, "/api/v1/auth/users/reset_password_confirm/", body).await.expect(204);
        let key = log_in(&app, "root@example.com", PASSWORD).await.expect(200)["key"].clone();
        let key = key.as_str().expect("a key");
        let me = app.manage(key, Method::GET, "/api/v1/auth/users/me/", None).await.expect(200);
        assert_eq!(me["is_superuser"], true);
    }

    async fn a_profile_is_written_anew(app) {
        let token = app.sign_up("ada@example.com").await;
        let path = "/api/v1/auth/users/me/";
        let body = json!({"first_name": "Augusta", "last_name": "King", "sign_up_type": "INVITE_LINK", "is_superuser": true});
        let me = app.manage(&token, Method::PUT, path, Some(&body)).await.expect(200);
        assert_eq!((&me["first_name"], &me["last_name"], &me["sign_up_type"]),
            (&json!("Augusta"), &json!("King"), &json!("INVITE_LINK")));
        assert_eq!(me["is_superuser"], false, "nobody makes himself one");
        assert_eq!(app.manage(&token, Method::GET, path, None).await.expect(200), me);
        let missing = app.manage(&token, Method::PUT, path, Some(&json!({}))).await.expect(400);
        assert_eq!(missing, json!({"first_name": ["This field is required."], "last_name": ["This field is required."]}));
        let wrong = json!({"first_name": "A", "last_name": "B", "sign_up_type": "GUESSED"});
        let wrong = app.manage(&token, Method::PUT, path, Some(&wrong)).await.expect(400);
        assert_eq!(wrong, json!({"sign_up_type": ["\"GUESSED\" is not a valid choice."]}));
    }

}

fn now() -> u64 {
    u64::try_from(burgee_model::Timestamp::now().epoch_second()).expect("after 1970")
}

async fn with(settings: Settings) -> TestApp {
    TestApp::sqlite_with(settings).await
}

#[tokio::test]
async fn with_a_set_up_code_nobody_becomes_administrator_without_it() {
    let app = with(Settings {
        setup_code: Some("open sesame".to_owned()),
        ..Settings::default()
    })
    .await;
    let path = "/api/v1/users/config/init/";
    let page = app.call(Method::GET, path, &[], None).await;
    assert!(page.text.contains("name=\"code\""));
    let body = json!({"email": "eve@example.com", "password": PASSWORD, "first_name": "E", "last_name": "V",
                      "superuser": true});
    post(&app, "/api/v1/auth/users/", body).await.expect(400);
    // Somebody who signs up first does not keep the operator out.
    app.sign_up("ada@example.com").await;
    let body = |code: &str| json!({"email": "root@example.com", "code": code});
    post(&app, path, body("guess")).await.expect(400);
    post(&app, path, json!({"email": "root@example.com"}))
        .await
        .expect(400);
    post(&app, path, body("open sesame")).await.expect(200);
    post(&app, path, body("open sesame")).await.expect(404);
}

#[tokio::test]
async fn closed_registration_lets_in_only_who_is_invited() {
    let app = with(Settings {
        registration_open: false,
        ..Settings::default()
    })
    .await;
    let body =
        |email: &str| json!({"email": email, "password": PASSWORD, "first_name": "A", "last_name": "B"});
    let mut first = body("ada@example.com");
    first["superuser"] = json!(true);
    let ada = post(&app, "/api/v1/auth/users/", first).await.expect(201);
    let ada = ada["key"].as_str().expect("a key");
    post(&app, "/api/v1/auth/users/", body("bob@example.com"))
        .await
        .expect(403);

    let organisation = app
        .manage(
            ada,
            Method::POST,
            "/api/v1/organisations/",
            Some(&json!({"name": "Acme"})),
        )
        .await
        .expect(201)["id"]
        .clone();
    let invites = format!("/api/v1/organisations/{organisation}/invites/");
    app.manage(
        ada,
        Method::POST,
        &invites,
        Some(&json!({"email": "bob@example.com"})),
    )
    .await
    .expect(201);
    post(&app, "/api/v1/auth/users/", body("bob@example.com"))
        .await
        .expect(201);

    let links = format!("/api/v1/organisations/{organisation}/invite-links/");
    let link = app
        .manage(ada, Method::POST, &links, Some(&json!({})))
        .await
        .expect(201);
    let mut by_link = body("carol@example.com");
    by_link["sign_up_type"] = json!("INVITE_LINK");
    by_link["invite_hash"] = json!("guess");
    post(&app, "/api/v1/auth/users/", by_link.clone())
        .await
        .expect(403);
    by_link["invite_hash"] = link["hash"].clone();
    post(&app, "/api/v1/auth/users/", by_link).await.expect(201);
}

#[tokio::test]
async fn sign_up_can_be_switched_off() {
    let app = with(Settings {
        signup_prevented: true,
        ..Settings::default()
    })
    .await;
    let body = json!({"email": "a@example.com", "password": PASSWORD, "first_name": "A", "last_name": "B"});
    post(&app, "/api/v1/auth/users/", body).await.expect(403);
}

#[tokio::test]
async fn passwords_can_be_switched_off() {
    let settings = burgee_app::Settings {
        passwords_prevented: true,
        ..burgee_app::Settings::default()
    };
    let app = burgee_testkit::TestApp::sqlite_with(settings).await;
    let person = serde_json::json!({"email": "a@example.com", "password": "Correct-Horse-7", "first_name": "A", "last_name": "B"});
    for path in ["/api/v1/auth/users/", "/api/v1/auth/login/"] {
        app.call(axum::http::Method::POST, path, &[], Some(&person))
            .await
            .expect(403);
    }
}

#[tokio::test]
async fn the_first_administrator_chooses_a_password_on_the_page_that_set_up_names() {
    let app = burgee_testkit::TestApp::sqlite().await;
    let post = axum::http::Method::POST;
    let set_up =
        serde_json::json!({"email": "first@example.com", "site_name": "s", "site_domain": "localhost"});
    let made = app
        .call(post.clone(), "/api/v1/users/config/init/", &[], Some(&set_up))
        .await
        .expect(200);
    let url = made["passwordResetUrl"].as_str().unwrap();
    let path = url.split_once("://").unwrap().1.split_once('/').unwrap().1;
    let page = app
        .call(axum::http::Method::GET, &format!("/{path}"), &[], None)
        .await;
    // The dashboard's own page, where it was built.
    let title = if burgee_api::dashboard::is_built() {
        "<title>Burgee</title>"
    } else {
        "Choose a password"
    };
    assert!(
        page.status.is_success() && page.text.contains(title),
        "{path}: {}",
        page.text
    );
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let (token, uid) = (parts.next().unwrap(), parts.next().unwrap());
    let password = "Correct-Horse-7";
    let body = serde_json::json!({"uid": uid, "token": token, "new_password": password, "re_new_password": password});
    app.call(
        post.clone(),
        "/api/v1/auth/users/reset_password_confirm/",
        &[],
        Some(&body),
    )
    .await
    .expect(204);
    let log_in = serde_json::json!({"email": "first@example.com", "password": password});
    let key = app
        .call(post, "/api/v1/auth/login/", &[], Some(&log_in))
        .await
        .expect(200)["key"]
        .clone();
    let me = app
        .manage(
            key.as_str().unwrap(),
            axum::http::Method::GET,
            "/api/v1/auth/users/me/",
            None,
        )
        .await;
    assert_eq!(me.expect(200)["is_superuser"], true);
}
