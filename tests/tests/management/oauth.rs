//! The authorization server: programs that act for users.

use axum::http::{Method, StatusCode};
use burgee_testkit::places::Person;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-accepted-0123456789";
const REDIRECT: &str = "http://127.0.0.1:4000/callback";

async fn form(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    let text: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = axum::http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(text.join("&")))
        .unwrap();
    app.send(request).await
}

async fn register(app: &TestApp) -> String {
    let body = json!({"client_name": "Editor", "redirect_uris": [REDIRECT]});
    let made = app
        .call(Method::POST, "/o/register/", &[], Some(&body))
        .await
        .expect(201);
    assert_eq!(made["token_endpoint_auth_method"], "none");
    assert!(made.get("client_secret").is_none());
    made["client_id"].as_str().unwrap().to_owned()
}

fn ask(client: &str) -> Value {
    json!({"client_id": client, "redirect_uri": REDIRECT, "response_type": "code", "scope": "admin-api", "state": "s 1",
           "code_challenge": burgee_auth::providers::oidc::challenge(VERIFIER), "code_challenge_method": "S256",
           "allow": true})
}

/// A user's consent; returns the code.
async fn consent(app: &TestApp, person: &Person, client: &str) -> String {
    let answer = app
        .post(person, "/api/v1/oauth/authorize/", &ask(client))
        .await
        .expect(200);
    let url = answer["redirect_uri"].as_str().unwrap();
    assert!(url.starts_with(REDIRECT) && url.contains("state=s+1"), "{url}");
    url.split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("code="))
        .unwrap()
        .to_owned()
}

async fn exchange(app: &TestApp, client: &str, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    form(app, "/o/token/", &fields).await
}

async fn refresh(app: &TestApp, client: &str, token: &str) -> Answer {
    form(
        app,
        "/o/token/",
        &[
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", token),
        ],
    )
    .await
}

async fn call(app: &TestApp, token: &Value, method: Method, path: &str) -> StatusCode {
    let value = format!("Bearer {}", token.as_str().unwrap());
    app.call(method, path, &[("authorization", &value)], None)
        .await
        .status
}

both! {
    async fn a_program_acts_for_a_user_who_consented(app) {
        let world = app.world().await;
        let client = register(&app).await;
        let query: Vec<String> = ask(&client).as_object().unwrap().iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?.replace(' ', "+")))).collect();
        let path = format!("/api/v1/oauth/authorize/?{}", query.join("&"));
        let asked = app.get(&world.admin, &path).await.expect(200);
        assert_eq!(asked["application"], json!({"name": "Editor", "client_id": client}));
        assert_eq!(asked["scopes"].as_object().unwrap().keys().collect::<Vec<_>>(), ["admin-api"]);

        let code = consent(&app, &world.admin, &client).await;
        let tokens = exchange(&app, &client, &code).await.expect(200);
        assert_eq!(tokens.as_object().unwrap().keys().collect::<Vec<_>>(),
                   ["access_token", "expires_in", "token_type", "scope", "refresh_token"]);
        assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("admin-api")));
        let access = &tokens["access_token"];
        assert_eq!(call(&app, access, Method::GET, "/api/v1/projects/").await, 200);
        assert_eq!(call(&app, access, Method::GET, "/api/v1/auth/users/me/").await, 200);

        let about = form(&app, "/o/introspect/", &[("token", access.as_str().unwrap())]).await.expect(200);
        assert_eq!((&about["active"], &about["client_id"]), (&json!(true), &json!(client)));
    }

    async fn a_program_cannot_touch_the_account_nor_let_others_in(app) {
        let world = app.world().await;
        let client = register(&app).await;
        let code = consent(&app, &world.admin, &client).await;
        let access = exchange(&app, &client, &code).await.expect(200)["access_token"].clone();
        let organisation = format!("/api/v1/organisations/{}", world.organisation);
        for path in ["master-api-keys/", "scim/", "scim/regenerate-token/", "trust-relationships/"] {
            let path = format!("{organisation}/{path}");
            assert_eq!(call(&app, &access, Method::POST, &path).await, 403, "POST {path}");
        }
        assert_eq!(call(&app, &access, Method::GET, &format!("{organisation}/master-api-keys/")).await, 200);
        for (method, path) in [
            (Method::POST, "/api/v1/auth/app/activate/"),
            (Method::POST, "/api/v1/auth/users/set_password/"),
            (Method::PATCH, "/api/v1/auth/users/me/"),
            (Method::DELETE, "/api/v1/auth/users/me/"),
            (Method::DELETE, "/api/v1/auth/token/"),
            (Method::GET, "/api/v1/auth/sessions/"),
            (Method::POST, "/api/v1/oauth/authorize/"),
        ] {
            assert_eq!(call(&app, &access, method.clone(), path).await, 403, "{method} {path}");
        }
    }

    async fn a_code_works_once_and_a_second_use_ends_what_the_first_gave(app) {
        let world = app.world().await;
        let client = register(&app).await;
        let code = consent(&app, &world.admin, &client).await;
        let tokens = exchange(&app, &client, &code).await.expect(200);
        let again = exchange(&app, &client, &code).await.expect(400);
        assert_eq!(again["error"], "invalid_grant");
        assert_eq!(call(&app, &tokens["access_token"], Method::GET, "/api/v1/projects/").await, 401);
    }

    async fn a_code_needs_its_verifier_client_and_address(app) {
        let world = app.world().await;
        let (client, other) = (register(&app).await, register(&app).await);
        let no_text = [("grant_type", "refresh_token"), ("client_id", "a\0b"), ("refresh_token", "x")];
        form(&app, "/o/token/", &no_text).await.expect(401);
        let code = consent(&app, &world.admin, &client).await;
        exchange(&app, &other, &code).await.expect(400);
        let tries = [("code_verifier", "another-verifier-that-is-long-enough-to-be-accepted-01"), ("code_verifier", ""),
                     ("redirect_uri", "http://127.0.0.1:4001/callback")];
        for (name, value) in tries {
            let mut fields = vec![("grant_type", "authorization_code"), ("client_id", client.as_str()), ("code", &code),
                                  ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
            fields.retain(|(field, _)| *field != name);
            fields.push((name, value));
            form(&app, "/o/token/", &fields).await.expect(400);
        }
        exchange(&app, &client, &code).await.expect(200);
    }

    async fn a_stolen_refresh_token_ends_the_consent(app) {
        let world = app.world().await;
        let client = register(&app).await;
        let code = consent(&app, &world.admin, &client).await;
        let first = exchange(&app, &client, &code).await.expect(200);
        let old = first["refresh_token"].as_str().unwrap();
        let second = refresh(&app, &client, old).await.expect(200);
        assert_eq!(call(&app, &second["access_token"], Method::GET, "/api/v1/projects/").await, 200);
        refresh(&app, &client, old).await.expect(400);
        assert_eq!(call(&app, &second["access_token"], Method::GET, "/api/v1/projects/").await, 401);
        refresh(&app, &client, second["refresh_token"].as_str().unwrap()).await.expect(400);
    }

    async fn tokens_end_when_they_are_revoked_or_their_user_signs_out_everywhere(app) {
        let world = app.world().await;
        let client = register(&app).await;
        for way in ["revoke", "log out"] {
            let code = consent(&app, &world.stranger, &client).await;
            let tokens = exchange(&app, &client, &code).await.expect(200);
            if way == "revoke" {
                let token = tokens["refresh_token"].as_str().unwrap();
                form(&app, "/o/revoke_token/", &[("token", token), ("client_id", &client)]).await.expect(200);
                form(&app, "/o/revoke_token/", &[("token", "unknown"), ("client_id", &client)]).await.expect(200);
            } else {
                app.post(&world.stranger, "/api/v1/auth/logout/", &json!({})).await.expect(204);
            }
            assert_eq!(call(&app, &tokens["access_token"], Method::GET, "/api/v1/projects/").await, 401, "{way}");
        }
    }

    async fn requests_that_do_not_hold_are_refused_before_anybody_consents(app) {
        let world = app.world().await;
        let client = register(&app).await;
        for (name, value, error) in [
            ("client_id", "unknown", "invalid_client"),
            ("redirect_uri", "https://evil.example.com/", "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge", "short", "invalid_request"),
            ("scope", "everything", "invalid_scope"),
        ] {
            let mut body = ask(&client);
            body[name] = json!(value);
            let refused = app.post(&world.admin, "/api/v1/oauth/authorize/", &body).await.expect(400);
            assert_eq!(refused["error"], error, "{name}");
        }
        let mut body = ask(&client);
        body["allow"] = json!(false);
        let denied = app.post(&world.admin, "/api/v1/oauth/authorize/", &body).await.expect(200);
        assert!(denied["redirect_uri"].as_str().unwrap().contains("error=access_denied"));
        app.call(Method::POST, "/api/v1/oauth/authorize/", &[], Some(&ask(&client))).await.expect(401);
        for uri in ["http://evil.example.com/", "javascript:alert(1)"] {
            let body = json!({"client_name": "x", "redirect_uris": [uri]});
            app.call(Method::POST, "/o/register/", &[], Some(&body)).await.expect(400);
        }
    }

    async fn a_confidential_program_shows_its_secret(app) {
        let world = app.world().await;
        let body = json!({"client_name": "Server", "redirect_uris": [REDIRECT],
                          "token_endpoint_auth_method": "client_secret_post"});
        let made = app.call(Method::POST, "/o/register/", &[], Some(&body)).await.expect(201);
        let (client, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
        let code = consent(&app, &world.admin, client).await;
        let refused = exchange(&app, client, &code).await.expect(401);
        assert_eq!(refused["error"], "invalid_client");
        let fields = [("grant_type", "authorization_code"), ("client_id", client), ("client_secret", secret),
                      ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
        form(&app, "/o/token/", &fields).await.expect(200);
    }

    async fn the_server_describes_itself(app) {
        let about = app.call(Method::GET, "/.well-known/oauth-authorization-server", &[], None).await.expect(200);
        assert_eq!(about["issuer"], "http://127.0.0.1:8000");
        assert_eq!(about["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(about["scopes_supported"], json!(["mcp", "admin-api"]));
    }
}
