//! Signing in through GitHub, Google and `OpenID` Connect.

use axum::http::Method;
use burgee_app::Settings;
use burgee_testkit::provider::Provider;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

const GITHUB: &str = "/api/v1/auth/oauth/github/";
const GOOGLE: &str = "/api/v1/auth/oauth/google/";

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

/// The same installation with providers.
async fn with_providers(app: &TestApp, change: impl FnOnce(&mut Settings)) -> (TestApp, Provider) {
    let provider = Provider::start().await;
    let mut settings = Settings {
        github: Some(provider.github()),
        google: Some(provider.google()),
        oidc: Some(provider.oidc()),
        ..Settings::default()
    };
    change(&mut settings);
    (app.node_with(settings).await, provider)
}

fn address(email: &str) -> Value {
    json!([{"email": "other@example.com", "primary": false, "verified": true},
           {"email": email, "primary": true, "verified": true}])
}

async fn me(app: &TestApp, key: &Value) -> Value {
    let key = key.as_str().expect("a key");
    app.manage(key, Method::GET, "/api/v1/auth/users/me/", None)
        .await
        .expect(200)
}

/// Begins at the provider; returns the authorization URL and the cookie.
async fn begin(app: &TestApp) -> (String, String) {
    let answer = app.call(Method::GET, "/api/v1/auth/oidc/start/", &[], None).await;
    assert_eq!(answer.status.as_u16(), 302, "{}", answer.text);
    let url = answer.headers["location"].to_str().unwrap().to_owned();
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    (url, cookie.split(';').next().unwrap().to_owned())
}

fn state_of(url: &str) -> &str {
    url.split('&')
        .find_map(|pair| pair.strip_prefix("state="))
        .expect("a state")
}

/// Comes back from the provider; returns where the browser goes on to.
async fn come_back(app: &TestApp, cookie: &str, state: &str, code: &str) -> String {
    let path = format!("/api/v1/auth/oidc/callback/?code={code}&state={state}");
    let answer = app.call(Method::GET, &path, &[("cookie", cookie)], None).await;
    assert_eq!(answer.status.as_u16(), 302, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// The whole way; returns where the browser goes on to.
async fn oidc(app: &TestApp, provider: &Provider, claims: Value) -> String {
    let (url, cookie) = begin(app).await;
    let code = provider.at_oidc(&url, claims);
    come_back(app, &cookie, state_of(&url), &code).await
}

async fn oidc_key(app: &TestApp, location: &str) -> Answer {
    let code = location
        .split_once("/oidc?code=")
        .unwrap_or_else(|| panic!("{location}"))
        .1;
    post(app, "/api/v1/auth/oidc/login/", json!({"access_token": code})).await
}

both! {
    async fn a_code_of_github_signs_up_and_later_in(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        provider.at_github("code-1", 42, "Ada Lovelace", address("Ada@example.com"));
        let first = post(&app, GITHUB, json!({"access_token": "code-1"})).await.expect(200);
        assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), ["key", "is_new_user"]);
        assert_eq!(first["is_new_user"], true);
        let user = me(&app, &first["key"]).await;
        assert_eq!(user["email"], "ada@example.com");
        assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Ada"), &json!("Lovelace")));
        assert_eq!(user["auth_type"], "GITHUB");
        // By the account there, even when the address changed.
        provider.at_github("code-2", 42, "Ada", address("new@example.com"));
        let second = post(&app, GITHUB, json!({"access_token": "code-2"})).await.expect(200);
        assert_eq!(second["is_new_user"], false);
        assert_eq!(me(&app, &second["key"]).await["id"], user["id"]);
    }

    async fn what_a_provider_refuses_is_a_502_with_a_message(app) {
        let refused = post(&app, GITHUB, json!({"access_token": "code"})).await.expect(502);
        assert_eq!(refused, json!({"message": "An error occurred authenticating with GITHUB"}));
        let (app, _provider) = with_providers(&app, |_| ()).await;
        post(&app, GITHUB, json!({"access_token": "unknown"})).await.expect(502);
        let refused = post(&app, GOOGLE, json!({"access_token": "unknown"})).await.expect(502);
        assert_eq!(refused, json!({"message": "An error occurred authenticating with GOOGLE"}));
        let (app, _) = with_providers(&app, |settings| {
            "http://127.0.0.1:9".clone_into(&mut settings.github.as_mut().unwrap().site_url);
        }).await;
        post(&app, GITHUB, json!({"access_token": "code"})).await.expect(502);
        post(&app, GITHUB, json!({})).await.expect(400);
    }

    async fn an_address_that_github_has_not_verified_counts_for_nothing(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        app.sign_up("ada@example.com").await;
        let emails = json!([{"email": "ada@example.com", "primary": true, "verified": false}]);
        provider.at_github("code", 1, "Eve", emails);
        post(&app, GITHUB, json!({"access_token": "code"})).await.expect(502);
    }

    async fn a_token_of_google_signs_in_only_if_it_was_made_for_us(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        let ada = app.sign_up("ada@example.com").await;
        let profile = json!({"id": "g-1", "email": "ada@example.com", "verified_email": true, "given_name": "Ada",
                             "family_name": "L"});
        provider.at_google("theirs", "another-application", profile.clone());
        post(&app, GOOGLE, json!({"access_token": "theirs"})).await.expect(502);
        provider.at_google("ours", burgee_testkit::provider::CLIENT_ID, profile);
        let answer = post(&app, GOOGLE, json!({"access_token": "ours"})).await.expect(200);
        assert_eq!(answer["is_new_user"], false);
        let before = app.manage(&ada, Method::GET, "/api/v1/auth/users/me/", None).await.expect(200);
        let user = me(&app, &answer["key"]).await;
        assert_eq!(user["id"], before["id"]);
        assert_eq!(user["auth_type"], "GOOGLE");
    }

    async fn an_unverified_address_of_google_is_linked_to_nobody(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        app.sign_up("ada@example.com").await;
        let profile = json!({"id": "g-2", "email": "ada@example.com", "verified_email": false});
        provider.at_google("token", burgee_testkit::provider::CLIENT_ID, profile);
        post(&app, GOOGLE, json!({"access_token": "token"})).await.expect(403);
    }

    async fn the_second_factor_is_asked_for_however_somebody_comes(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        let token = app.sign_up("ada@example.com").await;
        let set_up = app.manage(&token, Method::POST, "/api/v1/auth/app/activate/", None).await.expect(200);
        let now = u64::try_from(burgee_model::Timestamp::now().epoch_second()).unwrap();
        let code = burgee_auth::totp::code_at(set_up["secret"].as_str().unwrap(), now).unwrap();
        let confirm = "/api/v1/auth/app/activate/confirm/";
        let done = app.manage(&token, Method::POST, confirm, Some(&json!({"code": code}))).await.expect(200);
        provider.at_github("code", 1, "Ada", address("ada@example.com"));
        let step = post(&app, GITHUB, json!({"access_token": "code"})).await.expect(200);
        assert_eq!(step["method"], "app");
        let body = json!({"ephemeral_token": step["ephemeral_token"], "code": done["backup_codes"][0]});
        let answer = post(&app, "/api/v1/auth/login/code/", body).await.expect(200);
        assert_eq!(me(&app, &answer["key"]).await["email"], "ada@example.com");
    }

    async fn closed_registration_holds_for_providers_too(app) {
        let (app, provider) = with_providers(&app, |settings| settings.registration_open = false).await;
        let world = app.world().await;
        provider.at_github("code", 1, "Guest", address("guest@example.com"));
        post(&app, GITHUB, json!({"access_token": "code"})).await.expect(403);
        let claims = json!({"email": "guest@example.com", "email_verified": true});
        assert!(oidc(&app, &provider, claims.clone()).await.ends_with("/login?error=oidc_refused"));

        let path = format!("/api/v1/organisations/{}/invite-links/", world.organisation);
        let link = app.post(&world.admin, &path, &json!({})).await.expect(201);
        let body = json!({"access_token": "code", "sign_up_type": "INVITE_LINK", "invite_hash": "wrong"});
        post(&app, GITHUB, body).await.expect(403);
        let body = json!({"access_token": "code", "sign_up_type": "INVITE_LINK", "invite_hash": link["hash"]});
        assert_eq!(post(&app, GITHUB, body).await.expect(200)["is_new_user"], true);

        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        app.post(&world.admin, &path, &json!({"email": "bob@example.com"})).await.expect(201);
        let claims = json!({"email": "bob@example.com", "email_verified": true, "sub": "bob"});
        let location = oidc(&app, &provider, claims).await;
        assert_eq!(oidc_key(&app, &location).await.expect(200)["is_new_user"], true);

        let (app, provider) = with_providers(&app, |settings| settings.signup_prevented = true).await;
        provider.at_github("code", 9, "New", address("new@example.com"));
        post(&app, GITHUB, json!({"access_token": "code"})).await.expect(403);
        // Who is there already still gets in.
        provider.at_github("code", 1, "Guest", address("guest@example.com"));
        post(&app, GITHUB, json!({"access_token": "code"})).await.expect(200);
    }

    async fn openid_connect_signs_in_with_state_nonce_and_pkce(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        let providers = app.call(Method::GET, "/api/v1/auth/providers/", &[], None).await.expect(200);
        let names: Vec<_> = providers.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["github", "google", "oidc"]);
        assert_eq!(providers[2]["label"], "Acme");
        let claims = json!({"email": "Ada@example.com", "email_verified": true, "given_name": "Ada", "family_name": "L"});
        let location = oidc(&app, &provider, claims.clone()).await;
        let answer = oidc_key(&app, &location).await.expect(200);
        assert_eq!(answer["is_new_user"], true);
        assert_eq!(me(&app, &answer["key"]).await["email"], "ada@example.com");
        let again = oidc_key(&app, &location).await.expect(401);
        assert_eq!(again, json!({"error": "Invalid or expired code."}));
        let location = oidc(&app, &provider, claims).await;
        assert_eq!(oidc_key(&app, &location).await.expect(200)["is_new_user"], false);
    }

    async fn a_browser_must_bring_back_what_it_was_given(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        let claims = json!({"email": "ada@example.com", "email_verified": true});
        let refused = |location: String| assert!(location.ends_with("/login?error=oidc_refused"), "{location}");
        let (url, cookie) = begin(&app).await;
        let code = provider.at_oidc(&url, claims.clone());
        refused(come_back(&app, "", state_of(&url), &code).await);
        refused(come_back(&app, &cookie, "another", &code).await);
        let (_, other) = begin(&app).await;
        refused(come_back(&app, &other, state_of(&url), &code).await);
        refused(come_back(&app, "burgee_oidc=s1.AAAA", state_of(&url), &code).await);
        assert!(come_back(&app, &cookie, state_of(&url), &code).await.contains("/oidc?code="));
        assert!(come_back(&app, &cookie, state_of(&url), &code).await.ends_with("/login?error=oidc_failed"));
    }

    async fn id_tokens_that_are_not_meant_for_this_sign_in_are_refused(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        let now = burgee_model::Timestamp::now().epoch_second();
        let good = json!({"email": "ada@example.com", "email_verified": true});
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        for claims in [
            with("nonce", json!("another")),
            with("aud", json!("another-client")),
            with("aud", json!(["burgee-client", "other"])),
            with("azp", json!("another-client")),
            with("iss", json!("https://elsewhere.example.com")),
            with("exp", json!(now - 600)),
            with("nbf", json!(now + 600)),
            with("sub", Value::Null),
            with("email", Value::Null),
        ] {
            let location = oidc(&app, &provider, claims.clone()).await;
            assert!(location.ends_with("/login?error=oidc_failed"), "{claims}: {location}");
        }
        for claims in [with("email_verified", json!(false)), json!({"email": "ada@example.com"})] {
            let location = oidc(&app, &provider, claims.clone()).await;
            assert!(location.ends_with("/login?error=oidc_refused"), "{claims}: {location}");
        }
        assert!(oidc(&app, &provider, good).await.contains("/oidc?code="));
    }

    async fn id_tokens_with_tampered_or_missing_signatures_are_refused(app) {
        use base64::Engine as _;
        let (app, provider) = with_providers(&app, |_| ()).await;
        let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        let forge = |nonce: &str, header: Value, signature: &str| {
            let now = burgee_model::Timestamp::now().epoch_second();
            let claims = json!({"iss": provider.url, "aud": "burgee-client", "sub": "x", "nonce": nonce, "exp": now + 300,
                                "email": "ada@example.com", "email_verified": true});
            format!("{}.{}.{signature}", part(&header), part(&claims))
        };
        for header in [json!({"alg": "none"}), json!({"alg": "HS256", "kid": "key-1"}), json!({"alg": "ES256", "kid": "key-1"}),
                       json!({"alg": "ES256"}), json!({"alg": "RS256", "kid": "key-1"})] {
            for signature in ["", "AAAA"] {
                let (url, cookie) = begin(&app).await;
                let nonce = url.split('&').find_map(|pair| pair.strip_prefix("nonce=")).unwrap();
                let token = forge(nonce, header.clone(), signature);
                let code = provider.at_oidc(&url, json!({"id_token": token}));
                let location = come_back(&app, &cookie, state_of(&url), &code).await;
                assert!(location.ends_with("/login?error=oidc_failed"), "{header}: {location}");
            }
        }
    }

    async fn who_only_signs_in_elsewhere_can_still_delete_his_account(app) {
        let (app, provider) = with_providers(&app, |_| ()).await;
        provider.at_github("code", 1, "Ada", address("ada@example.com"));
        let key = post(&app, GITHUB, json!({"access_token": "code"})).await.expect(200)["key"].clone();
        let key = key.as_str().unwrap();
        app.manage(key, Method::DELETE, "/api/v1/auth/users/me/", Some(&json!({}))).await.expect(204);
        // With a password it is asked for.
        let token = app.sign_up("bob@example.com").await;
        app.manage(&token, Method::DELETE, "/api/v1/auth/users/me/", Some(&json!({}))).await.expect(400);
    }
}
