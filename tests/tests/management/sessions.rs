//! Sessions, cookies, and links in mails that open or change an account.

use std::time::Duration;

use axum::http::Method;
use burgee_app::Settings;
use burgee_app::settings::Cookies;
use burgee_testkit::mailbox::Mailbox;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

const PASSWORD: &str = "Correct-Horse-7";
const ME: &str = "/api/v1/auth/users/me/";

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

async fn log_in(app: &TestApp, email: &str, password: &str) -> Answer {
    post(
        app,
        "/api/v1/auth/login/",
        json!({"email": email, "password": password}),
    )
    .await
}

async fn with_mail(app: &TestApp, change: impl FnOnce(&mut Settings)) -> (TestApp, Mailbox) {
    let mailbox = Mailbox::start().await;
    let mut settings = Settings::default();
    settings.outbound.mail = Some(mailbox.settings());
    change(&mut settings);
    (app.node_with(settings).await, mailbox)
}

/// The `uid` and `token` of the newest mail's link.
async fn newest_link(app: &TestApp, mailbox: &Mailbox, path: &str) -> (String, String) {
    burgee_app::mail::deliver(&app.app).await.expect("a delivery");
    let link = mailbox.received().last().expect("a mail").link(path);
    let mut parts = link.rsplit('/').map(str::to_owned);
    let (token, uid) = (parts.next().unwrap(), parts.next().unwrap());
    (uid, token)
}

async fn with_cookies(app: &TestApp) -> TestApp {
    let cookies = Cookies {
        secure: true,
        same_site: "Lax",
        idle: Duration::from_hours(1),
    };
    app.node_with(Settings {
        cookies: Some(cookies),
        ..Settings::default()
    })
    .await
}

async fn cookie(app: &TestApp, email: &str) -> String {
    let answer = log_in(app, email, PASSWORD).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    answer.expect(204);
    for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=3600"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

both! {
    async fn somebody_sees_his_sessions_and_ends_one(app) {
        let first = app.sign_up("ada@example.com").await;
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let headers = [("user-agent", "Browser/1.0")];
        let answer = app.call(Method::POST, "/api/v1/auth/login/", &headers, Some(&body)).await.expect(200);
        let second = answer["key"].as_str().unwrap().to_owned();
        let sessions = app.manage(&first, Method::GET, "/api/v1/auth/sessions/", None).await.expect(200);
        let sessions = sessions.as_array().unwrap();
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[0].as_object().unwrap().keys().collect::<Vec<_>>(),
                   ["id", "created_at", "last_used_at", "expires_at", "user_agent", "is_current"]);
        assert_eq!((&sessions[0]["user_agent"], &sessions[0]["is_current"]), (&json!("Browser/1.0"), &json!(false)));
        assert_eq!(sessions[1]["is_current"], true);
        let path = format!("/api/v1/auth/sessions/{}/", sessions[0]["id"].as_str().unwrap());
        let stranger = app.sign_up("eve@example.com").await;
        app.manage(&stranger, Method::DELETE, &path, None).await.expect(404);
        app.manage(&first, Method::DELETE, &path, None).await.expect(204);
        app.manage(&second, Method::GET, ME, None).await.expect(401);
        app.manage(&first, Method::GET, ME, None).await.expect(200);
    }

    async fn a_cookie_signs_in_and_logging_out_takes_it_back(app) {
        app.sign_up("ada@example.com").await;
        let app = with_cookies(&app).await;
        let cookie = cookie(&app, "ada@example.com").await;
        app.call(Method::GET, ME, &[("cookie", &cookie)], None).await.expect(200);
        let out = app.call(Method::POST, "/api/v1/auth/logout/", &[("cookie", &cookie)], None).await;
        assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        out.expect(204);
        app.call(Method::GET, ME, &[("cookie", &cookie)], None).await.expect(401);
    }

    async fn another_site_cannot_use_the_cookie(app) {
        app.sign_up("ada@example.com").await;
        let app = with_cookies(&app).await;
        let cookie = cookie(&app, "ada@example.com").await;
        let body = json!({"name": "Acme"});
        let path = "/api/v1/organisations/";
        for (name, value) in [("origin", "https://evil.example.com"), ("origin", "null"), ("sec-fetch-site", "cross-site"),
                              ("sec-fetch-site", "same-site")] {
            let headers = [("cookie", cookie.as_str()), (name, value)];
            app.call(Method::POST, path, &headers, Some(&body)).await.expect(403);
        }
        for (name, value) in [("origin", "http://testserver"), ("sec-fetch-site", "same-origin"), ("x-none", "")] {
            let headers = [("cookie", cookie.as_str()), (name, value)];
            app.call(Method::POST, path, &headers, Some(&body)).await.expect(201);
        }
    }

    async fn a_cookie_counts_for_nothing_where_tokens_are_in_use(app) {
        let token = app.sign_up("ada@example.com").await;
        app.call(Method::GET, ME, &[("cookie", &format!("jwt={token}"))], None).await.expect(401);
    }

    async fn a_new_account_opens_once_its_address_is_confirmed(app) {
        let (app, mailbox) = with_mail(&app, |settings| settings.email_activation = true).await;
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "first_name": "A", "last_name": "L"});
        let made = post(&app, "/api/v1/auth/users/", body).await.expect(201);
        assert_eq!((&made["is_active"], made.get("key")), (&json!(false), None));
        log_in(&app, "ada@example.com", PASSWORD).await.expect(400);
        let (uid, token) = newest_link(&app, &mailbox, "/activate/").await;
        post(&app, "/api/v1/auth/users/resend_activation/", json!({"email": "ada@example.com"})).await.expect(204);
        post(&app, "/api/v1/auth/users/resend_activation/", json!({"email": "ghost@example.com"})).await.expect(204);
        let again = newest_link(&app, &mailbox, "/activate/").await;
        assert_eq!(mailbox.received().len(), 2);
        assert_eq!(again.0, uid);
        let path = "/api/v1/auth/users/activation/";
        post(&app, path, json!({"uid": uid, "token": "wrong"})).await.expect(400);
        post(&app, path, json!({"uid": uid, "token": token})).await.expect(204);
        post(&app, path, json!({"uid": uid, "token": token})).await.expect(403);
        log_in(&app, "ada@example.com", PASSWORD).await.expect(200);
    }

    async fn an_address_is_changed_by_mail_and_the_old_one_is_told(app) {
        let (app, mailbox) = with_mail(&app, |_| ()).await;
        app.sign_up("ada@example.com").await;
        app.sign_up("bob@example.com").await;
        post(&app, "/api/v1/auth/users/reset_email/", json!({"email": "ada@example.com"})).await.expect(204);
        post(&app, "/api/v1/auth/users/reset_email/", json!({"email": "ghost@example.com"})).await.expect(204);
        let (uid, token) = newest_link(&app, &mailbox, "/email-reset/confirm/").await;
        let path = "/api/v1/auth/users/reset_email_confirm/";
        let body = |email: &str| json!({"uid": uid, "token": token, "new_email": email});
        let taken = post(&app, path, body("bob@example.com")).await.expect(400);
        assert!(taken["new_email"].is_array());
        post(&app, path, body("ada2@example.com")).await.expect(204);
        post(&app, path, body("ada3@example.com")).await.expect(400);
        log_in(&app, "ada2@example.com", PASSWORD).await.expect(200);
        burgee_app::mail::deliver(&app.app).await.expect("a delivery");
        let told = mailbox.received().pop().unwrap();
        assert_eq!(told.to, "ada@example.com");
        assert!(told.text.contains("ada2@example.com"));
    }

    async fn a_link_for_one_purpose_serves_no_other(app) {
        let (app, mailbox) = with_mail(&app, |_| ()).await;
        app.sign_up("ada@example.com").await;
        post(&app, "/api/v1/auth/users/reset_email/", json!({"email": "ada@example.com"})).await.expect(204);
        let (uid, token) = newest_link(&app, &mailbox, "/email-reset/confirm/").await;
        let body = json!({"uid": uid, "token": token, "new_password": "Str0ng-pass-9", "re_new_password": "Str0ng-pass-9"});
        post(&app, "/api/v1/auth/users/reset_password_confirm/", body).await.expect(400);
        post(&app, "/api/v1/auth/users/activation/", json!({"uid": uid, "token": token})).await.expect(400);
    }

    async fn backup_codes_are_made_anew_for_who_shows_one(app) {
        let token = app.sign_up("ada@example.com").await;
        let path = "/api/v1/auth/app/codes/regenerate/";
        app.manage(&token, Method::POST, path, Some(&json!({"code": "1"}))).await.expect(400);
        let set_up = app.manage(&token, Method::POST, "/api/v1/auth/app/activate/", None).await.expect(200);
        let now = u64::try_from(burgee_model::Timestamp::now().epoch_second()).unwrap();
        let code = burgee_auth::totp::code_at(set_up["secret"].as_str().unwrap(), now).unwrap();
        let confirm = "/api/v1/auth/app/activate/confirm/";
        let old = app.manage(&token, Method::POST, confirm, Some(&json!({"code": code}))).await.expect(200);
        let old = old["backup_codes"].as_array().unwrap().clone();
        let new = app.manage(&token, Method::POST, path, Some(&json!({"code": old[0]}))).await.expect(200);
        let new = new["backup_codes"].as_array().unwrap().clone();
        assert_eq!(new.len(), 5);
        app.manage(&token, Method::POST, path, Some(&json!({"code": old[1]}))).await.expect(400);
        let step = log_in(&app, "ada@example.com", PASSWORD).await.expect(200)["ephemeral_token"].clone();
        post(&app, "/api/v1/auth/login/code/", json!({"ephemeral_token": step, "code": old[2]})).await.expect(401);
        post(&app, "/api/v1/auth/login/code/", json!({"ephemeral_token": step, "code": new[0]})).await.expect(200);
    }

    async fn wrong_codes_are_held_up(app) {
        let token = app.sign_up("ada@example.com").await;
        let set_up = app.manage(&token, Method::POST, "/api/v1/auth/app/activate/", None).await.expect(200);
        let now = u64::try_from(burgee_model::Timestamp::now().epoch_second()).unwrap();
        let code = burgee_auth::totp::code_at(set_up["secret"].as_str().unwrap(), now).unwrap();
        let confirm = "/api/v1/auth/app/activate/confirm/";
        app.manage(&token, Method::POST, confirm, Some(&json!({"code": code}))).await.expect(200);
        let step = log_in(&app, "ada@example.com", PASSWORD).await.expect(200)["ephemeral_token"].clone();
        let body = json!({"ephemeral_token": step, "code": "000000"});
        for _ in 0..5 {
            post(&app, "/api/v1/auth/login/code/", body.clone()).await.expect(401);
        }
        post(&app, "/api/v1/auth/login/code/", body).await.expect(429);
    }

    async fn who_guesses_from_afar_does_not_lock_the_owner_out(app) {
        let from = |address: &str, password: &str| {
            let body = json!({"email": "ada@example.com", "password": password}).to_string();
            let address: std::net::SocketAddr = format!("{address}:1").parse().unwrap();
            axum::http::Request::builder()
                .method(Method::POST)
                .uri("/api/v1/auth/login/")
                .header("content-type", "application/json")
                .extension(axum::extract::ConnectInfo(address))
                .body(axum::body::Body::from(body))
                .unwrap()
        };
        app.sign_up("ada@example.com").await;
        app.send(from("192.0.2.1", PASSWORD)).await.expect(200);
        // Others use up what the account is allowed from elsewhere.
        for n in 0..25 {
            app.send(from(&format!("198.51.100.{n}"), "wrong")).await;
        }
        app.send(from("198.51.100.99", PASSWORD)).await.expect(429);
        app.send(from("192.0.2.1", PASSWORD)).await.expect(200);
    }
}
