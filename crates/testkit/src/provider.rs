//! Sign-in providers on this machine: GitHub, Google and one that speaks `OpenID` Connect. They check what they are asked
//! as the real ones do, and sign with a key of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use burgee_app::settings::{GithubSettings, GoogleSettings, OidcSettings};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The application as it is registered at all of them.
pub const CLIENT_ID: &str = "burgee-client";
/// Its secret.
pub const CLIENT_SECRET: &str = "hush";

/// What the providers know, and what they were asked.
#[derive(Debug, Default)]
struct Known {
    /// GitHub: the profile and the addresses behind a code.
    github: HashMap<String, (Value, Value)>,
    /// Google: the audience and the profile behind an access token.
    google: HashMap<String, (String, Value)>,
    /// `OpenID` Connect: what an authorization request asked, and what the ID token says, by code.
    oidc: HashMap<String, (HashMap<String, String>, Value)>,
}

/// A server that plays all of them.
#[derive(Debug, Clone)]
pub struct Provider {
    pub url: String,
    known: Arc<Mutex<Known>>,
}

type Fields = HashMap<String, String>;

impl Provider {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Self {
            url,
            known: Arc::default(),
        };
        let router = Router::new()
            .route("/login/oauth/access_token", post(github_token))
            .route("/user", get(github_user))
            .route("/user/emails", get(github_emails))
            .route("/oauth2/v1/tokeninfo", get(google_token))
            .route("/oauth2/v1/userinfo", get(google_user))
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/token", post(oidc_token))
            .route("/keys", get(keys))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settings for GitHub here.
    pub fn github(&self) -> GithubSettings {
        GithubSettings {
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            site_url: self.url.clone(),
            api_url: self.url.clone(),
        }
    }

    /// Settings for Google here.
    pub fn google(&self) -> GoogleSettings {
        GoogleSettings {
            client_id: CLIENT_ID.to_owned(),
            api_url: self.url.clone(),
        }
    }

    /// Settings for `OpenID` Connect here.
    pub fn oidc(&self) -> OidcSettings {
        OidcSettings {
            label: "Acme".to_owned(),
            issuer: self.url.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            scopes: vec!["email".to_owned(), "profile".to_owned()],
            trust_email: false,
        }
    }

    /// Somebody signed in at GitHub and got this code.
    pub fn at_github(&self, code: &str, id: i64, name: &str, emails: Value) {
        let profile = json!({ "id": id, "login": "login", "name": name });
        self.known().github.insert(code.to_owned(), (profile, emails));
    }

    /// Somebody signed in at Google, in an application, and got this token.
    pub fn at_google(&self, token: &str, audience: &str, profile: Value) {
        self.known()
            .google
            .insert(token.to_owned(), (audience.to_owned(), profile));
    }

    /// Somebody follows an authorization URL and signs in. `claims` come beside, or in the place of, what the ID token has
    /// anyway. Returns the code.
    pub fn at_oidc(&self, authorization_url: &str, claims: Value) -> String {
        let (_, query) = authorization_url.split_once('?').expect("a query");
        let asked: Fields = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT_ID);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let code = format!("code-{}", asked["state"]);
        self.known().oidc.insert(code.clone(), (asked, claims));
        code
    }

    /// A token signed with this provider's key.
    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("key-1".to_owned());
        encode(&header, claims, key()).expect("a token")
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = std::str::from_utf8(&rest[..2]).expect("digits");
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).expect("digits")
            }
            other => other,
        });
    }
    String::from_utf8(bytes).expect("text")
}

/// One key for the whole test run, made anew each time.
fn key() -> &'static EncodingKey {
    static KEY: std::sync::OnceLock<EncodingKey> = std::sync::OnceLock::new();
    KEY.get_or_init(|| {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        let random = aws_lc_rs::rand::SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        EncodingKey::from_ec_der(made.as_ref())
    })
}

async fn github_token(State(provider): State<Provider>, Form(form): Form<Fields>) -> Json<Value> {
    let registered = form["client_id"] == CLIENT_ID && form["client_secret"] == CLIENT_SECRET;
    let known = provider.known().github.contains_key(&form["code"]);
    Json(if registered && known {
        json!({ "access_token": form["code"], "token_type": "bearer" })
    } else {
        json!({ "error": "bad_verification_code" })
    })
}

fn bearer(headers: &HeaderMap) -> String {
    let value = headers.get("authorization").and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
        .to_owned()
}

fn or_401(found: Option<Value>) -> Response {
    found.map_or_else(
        || StatusCode::UNAUTHORIZED.into_response(),
        |value| Json(value).into_response(),
    )
}

async fn github_user(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    or_401(
        provider
            .known()
            .github
            .get(&bearer(&headers))
            .map(|(user, _)| user.clone()),
    )
}

async fn github_emails(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    or_401(
        provider
            .known()
            .github
            .get(&bearer(&headers))
            .map(|(_, emails)| emails.clone()),
    )
}

async fn google_token(State(provider): State<Provider>, Query(query): Query<Fields>) -> Response {
    let found = provider
        .known()
        .google
        .get(&query["access_token"])
        .map(|(audience, _)| json!({ "audience": audience }));
    or_401(found)
}

async fn google_user(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    or_401(
        provider
            .known()
            .google
            .get(&bearer(&headers))
            .map(|(_, user)| user.clone()),
    )
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", provider.url);
    Json(json!({
        "issuer": provider.url, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
    }))
}

async fn keys() -> Json<Value> {
    let mut jwk = Jwk::from_encoding_key(key(), Algorithm::ES256).expect("a public key");
    jwk.common.key_id = Some("key-1".to_owned());
    Json(json!(JwkSet { keys: vec![jwk] }))
}

async fn oidc_token(State(provider): State<Provider>, Form(form): Form<Fields>) -> Response {
    // A code works once.
    let Some((asked, said)) = provider.known().oidc.remove(&form["code"]) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    let fits = form["client_id"] == CLIENT_ID
        && form["client_secret"] == CLIENT_SECRET
        && form["redirect_uri"] == asked["redirect_uri"]
        && challenge == asked["code_challenge"];
    if !fits {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let now = burgee_model::Timestamp::now().epoch_second();
    let mut claims = json!({
        "iss": provider.url, "aud": CLIENT_ID, "sub": "subject-1", "nonce": asked["nonce"], "iat": now, "exp": now + 300,
    });
    let mut id_token = None;
    for (name, value) in said.as_object().into_iter().flatten() {
        if name == "id_token" {
            id_token = value.as_str().map(str::to_owned);
        } else {
            claims[name] = value.clone();
        }
    }
    let id_token = id_token.unwrap_or_else(|| provider.sign(&claims));
    Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": id_token })).into_response()
}
