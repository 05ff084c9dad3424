//! `/api/v1/organisations/{id}/trust-relationships/` and signing in through one.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::Method;
use axum::routing::get;
use axum::{Json, Router};
use burgee_app::Settings;
use burgee_testkit::places::{World, id};
use burgee_testkit::{Answer, TestApp, both};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// Keys that protect nothing: they sign the tokens of an issuer that exists during a test.
const EC: &[u8] = include_bytes!("keys/issuer_ec.der");
const RSA: &[u8] = include_bytes!("keys/issuer_rsa.der");

fn ec() -> EncodingKey {
    EncodingKey::from_ec_der(EC)
}

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_der(RSA)
}

fn public(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut key = Jwk::from_encoding_key(key, algorithm).expect("a public key");
    key.common.key_id = Some(kid.to_owned());
    serde_json::to_value(key).expect("JSON")
}

/// An identity provider on this machine.
struct Issuer {
    url: String,
    keys: Arc<Mutex<Vec<Value>>>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let keys = Arc::new(Mutex::new(vec![public(&ec(), Algorithm::ES256, "ec")]));
        let (published, about) = (
            Arc::clone(&keys),
            json!({"issuer": url, "jwks_uri": format!("{url}/keys")}),
        );
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async move { Json(about) }),
            )
            .route(
                "/keys",
                get(move || async move {
                    let keys = published.lock().expect("no panic").clone();
                    Json(json!({ "keys": keys }))
                }),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, keys }
    }

    fn token(&self, change: Value) -> String {
        self.signed(&ec(), Algorithm::ES256, "ec", change)
    }

    /// A token with these claims beside the usual ones; `null` takes one away.
    fn signed(&self, key: &EncodingKey, algorithm: Algorithm, kid: &str, change: Value) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let mut claims = json!({
            "iss": self.url, "aud": "burgee", "sub": "repo:acme/web", "repository": "acme/web",
            "iat": now, "exp": now + 300,
        });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let claims: serde_json::Map<String, Value> = claims
            .as_object()
            .cloned()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .collect();
        let header = Header {
            kid: Some(kid.to_owned()),
            ..Header::new(algorithm)
        };
        encode(&header, &claims, key).expect("a token")
    }
}

fn reachable() -> Settings {
    let mut settings = Settings::default();
    settings.outbound.allow_private_addresses = true;
    settings
}

async fn exchange(app: &TestApp, token: &str) -> Answer {
    app.call(
        Method::POST,
        "/api/v1/auth/oidc/token/",
        &[],
        Some(&json!({ "token": token })),
    )
    .await
}

async fn as_bearer(app: &TestApp, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let header = format!("Bearer {token}");
    app.call(method, path, &[("authorization", header.as_str())], body)
        .await
}

fn path(world: &World) -> String {
    format!(
        "/api/v1/organisations/{}/trust-relationships/",
        world.organisation
    )
}

fn body(issuer: &Issuer) -> Value {
    json!({"name": "CI", "issuer": issuer.url, "audience": "burgee", "is_admin": false,
           "claim_rules": [{"claim": "repository", "values": ["acme/web"]}]})
}

async fn a_machine_signs_in_with_its_providers_token_and_has_the_rights_of_the_relationship(app: TestApp) {
    let issuer = Issuer::start().await;
    let world = app.world().await;
    let made = app
        .post(&world.admin, &path(&world), &body(&issuer))
        .await
        .expect(201);
    let given = exchange(&app, &issuer.token(json!({}))).await.expect(200);
    assert_eq!(
        (&given["token_type"], &given["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let token = given["access_token"].as_str().expect("a token");
    let project = format!("/api/v1/projects/{}/", world.project);
    as_bearer(&app, Method::GET, &project, token, None)
        .await
        .expect(404);

    // Roles come through the key of the relationship, which is nobody's to use and not listed among the keys.
    let organisation = format!("/api/v1/organisations/{}/", world.organisation);
    let role = id(&app
        .post(
            &world.admin,
            &format!("{organisation}roles/"),
            &json!({"name": "ci"}),
        )
        .await
        .expect(201));
    let role = format!("{organisation}roles/{role}/");
    let grant = json!({"project": world.project, "permissions": [{"permission_key": "VIEW_PROJECT"}]});
    app.post(&world.admin, &format!("{role}projects-permissions/"), &grant)
        .await
        .expect(201);
    let holder = json!({"master_api_key": made["master_api_key_prefix"]});
    let held = app
        .post(&world.admin, &format!("{role}master-api-keys/"), &holder)
        .await
        .expect(201);
    assert_eq!(held["master_api_key"], made["master_api_key_id"]);
    as_bearer(&app, Method::GET, &project, token, None)
        .await
        .expect(200);
    as_bearer(&app, Method::DELETE, &project, token, None)
        .await
        .expect(403);
    assert_eq!(
        app.get(&world.admin, &format!("{organisation}master-api-keys/"))
            .await
            .expect(200)["count"],
        0
    );
    let hidden = format!(
        "{organisation}master-api-keys/{}/",
        made["master_api_key_prefix"].as_str().expect("text")
    );
    app.get(&world.admin, &hidden).await.expect(404);

    let one = format!("{}{}/", path(&world), id(&made));
    app.patch(&world.admin, &one, &json!({"is_admin": true}))
        .await
        .expect(200);
    as_bearer(&app, Method::GET, &organisation, token, None)
        .await
        .expect(200);
    // Whoever signed in so can't extend the trust.
    as_bearer(&app, Method::POST, &path(&world), token, Some(&body(&issuer)))
        .await
        .expect(401);
    app.delete(&world.admin, &one).await.expect(204);
    as_bearer(&app, Method::GET, &project, token, None)
        .await
        .expect(401);
    exchange(&app, &issuer.token(json!({}))).await.expect(401);
    as_bearer(&app, Method::GET, &project, "nonsense", None)
        .await
        .expect(401);
}

async fn a_token_that_does_not_fit_is_refused(app: TestApp) {
    let issuer = Issuer::start().await;
    let world = app.world().await;
    app.post(&world.admin, &path(&world), &body(&issuer))
        .await
        .expect(201);
    exchange(&app, &issuer.token(json!({"aud": ["other", "burgee"]})))
        .await
        .expect(200);
    for change in [
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"repository": "acme/other"}),
        json!({"repository": null}),
        json!({"exp": 1000}),
        json!({"exp": null}),
        json!({"nbf": 99_999_999_999_u64}),
        json!({"iss": "https://elsewhere.example.com"}),
        json!({"iss": null}),
    ] {
        let refused = exchange(&app, &issuer.token(change.clone())).await;
        assert_eq!(refused.status.as_u16(), 401, "{change}: {}", refused.text);
    }
    // Changed after it was signed, signed with a key that is not the issuer's, or with none.
    let token = issuer.token(json!({"repository": "acme/other"}));
    let good = issuer.token(json!({}));
    let (good, other): (Vec<&str>, Vec<&str>) = (good.split('.').collect(), token.split('.').collect());
    exchange(&app, &format!("{}.{}.{}", good[0], good[1], other[2]))
        .await
        .expect(401);
    exchange(&app, &format!("eyJhbGciOiJub25lIn0.{}.", good[1]))
        .await
        .expect(401);
    let shared = EncodingKey::from_secret(EC).expect("a key");
    exchange(&app, &issuer.signed(&shared, Algorithm::HS256, "ec", json!({})))
        .await
        .expect(401);
    let wrong = exchange(&app, "nonsense").await.expect(400);
    assert_eq!(wrong, json!({"token": ["This is no JSON Web Token."]}));
    app.call(Method::POST, "/api/v1/auth/oidc/token/", &[], Some(&json!({})))
        .await
        .expect(400);
}

async fn keys_of_an_issuer_are_kept_and_fetched_anew_only_after_a_while(app: TestApp) {
    let issuer = Issuer::start().await;
    let world = app.world().await;
    app.post(&world.admin, &path(&world), &body(&issuer))
        .await
        .expect(201);
    issuer
        .keys
        .lock()
        .expect("no panic")
        .push(public(&rsa(), Algorithm::RS256, "rsa"));
    exchange(&app, &issuer.signed(&rsa(), Algorithm::RS256, "rsa", json!({})))
        .await
        .expect(200);
    issuer.keys.lock().expect("no panic").clear();
    exchange(&app, &issuer.token(json!({}))).await.expect(200);
    exchange(&app, &issuer.signed(&rsa(), Algorithm::RS256, "newer", json!({})))
        .await
        .expect(401);
}

/// The stories above, on both databases and with an issuer that may be reached.
macro_rules! reachable {
    ($($name:ident),*) => { $(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(TestApp::sqlite_with(reachable()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(app) = TestApp::postgres_with(reachable()).await {
                    super::$name(app).await;
                }
            }
        }
    )* };
}

reachable!(
    a_machine_signs_in_with_its_providers_token_and_has_the_rights_of_the_relationship,
    a_token_that_does_not_fit_is_refused,
    keys_of_an_issuer_are_kept_and_fetched_anew_only_after_a_while
);

both! {
    async fn a_trust_relationship_is_kept_changed_and_checked(app) {
        let world = app.world().await;
        let path = path(&world);
        let body = json!({"name": "GitHub", "issuer": "https://token.actions.githubusercontent.com", "audience": "burgee",
                          "is_admin": true});
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        let fields: Vec<&str> = made.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "name", "issuer", "audience", "claim_rules", "is_admin", "master_api_key_id",
                            "master_api_key_prefix", "created_at", "created_by"]);
        assert_eq!((&made["claim_rules"], &made["created_by"]), (&json!([]), &json!(world.admin.id)));
        let one = format!("{path}{}/", id(&made));
        let rules = json!([{"claim": "sub", "values": ["a", "b"]}]);
        let changed = app.patch(&world.admin, &one, &json!({"claim_rules": rules})).await.expect(200);
        assert_eq!((&changed["claim_rules"], &changed["name"]), (&rules, &json!("GitHub")));
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["results"], json!([changed]));
        let missing = app.post(&world.admin, &path, &json!({})).await.expect(400);
        let fields: Vec<&String> = missing.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["name", "issuer", "audience", "is_admin"]);
        for (field, wrong) in [("issuer", json!("nonsense")), ("issuer", json!("http://example.com")),
                               ("issuer", json!("https://10.0.0.1")), ("issuer", json!("https://a.example/?x=1")),
                               ("claim_rules", json!([{"claim": "sub", "values": []}]))] {
            let refused = app.patch(&world.admin, &one, &json!({ field: wrong })).await.expect(400);
            assert!(refused[field].is_array(), "{refused}");
        }
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(403);
            app.post(person, &path, &body).await.expect(403);
            app.delete(person, &one).await.expect(403);
        }
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
        assert_eq!(app.log("TRUST_RELATIONSHIP").await.len(), 3);
    }

    async fn a_trust_relationship_is_read_and_written_anew(app) {
        let world = app.world().await;
        let body = json!({"name": "GitHub", "issuer": "https://token.actions.githubusercontent.com", "audience": "burgee",
                          "is_admin": true, "claim_rules": [{"claim": "sub", "values": ["a"]}]});
        let made = app.post(&world.admin, &path(&world), &body).await.expect(201);
        let one = format!("{}{}/", path(&world), id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        let body = json!({"name": "GitLab", "issuer": "https://gitlab.com", "audience": "flags", "is_admin": false,
                          "claim_rules": []});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for field in ["name", "issuer", "audience", "is_admin", "claim_rules"] {
            assert_eq!(written[field], body[field], "{field}");
        }
        assert_eq!(written["master_api_key_id"], made["master_api_key_id"], "its roles stay");
        let missing = app.put(&world.admin, &one, &json!({"name": "x"})).await.expect(400);
        assert_eq!(missing, json!({"issuer": ["This field is required."], "audience": ["This field is required."],
            "is_admin": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(403);
            app.put(person, &one, &body).await.expect(403);
        }
    }

}
