//! `OpenID` Connect: the authorization code flow with PKCE, state and nonce.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use burgee_model::{Timestamp, keys};
use burgee_outbound::http::{Client, Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Profile, ProviderError, id_text, json, split_name};
use crate::jwt;
use crate::tokens::constant_time_eq;

/// The application registered at a provider.
#[derive(Clone)]
pub struct OidcSettings {
    /// What the log-in page calls it.
    pub label: String,
    pub issuer: String,
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<String>,
    /// Beside `openid`.
    pub scopes: Vec<String>,
    /// Whether its addresses count as verified even where it does not say so.
    pub trust_email: bool,
}

impl std::fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcSettings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What a provider says of itself.
#[derive(Debug, Clone)]
pub struct Discovery {
    authorization_endpoint: Url,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    issuer: String,
}

/// A sign-in on its way; the browser keeps it, sealed, until it comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Journey {
    pub state: String,
    nonce: String,
    verifier: String,
}

impl Default for Journey {
    fn default() -> Self {
        Self {
            state: keys::alphanumeric(32),
            nonce: keys::alphanumeric(32),
            verifier: keys::alphanumeric(64),
        }
    }
}

/// Asks the provider where its endpoints are.
pub async fn discover(http: &Client, issuer: &str) -> Result<Discovery, ProviderError> {
    let base = issuer.trim_end_matches('/');
    let request = Request::get_json(format!("{base}/.well-known/openid-configuration"));
    let document = json(http.send(request).await, "the provider's description")?;
    let text = |name: &str| {
        document[name]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| ProviderError(format!("the provider's description lacks {name}")))
    };
    let said = text("issuer")?;
    if said.trim_end_matches('/') != base {
        return Err(ProviderError::new("the provider calls itself by another name"));
    }
    Ok(Discovery {
        authorization_endpoint: Url::parse(&text("authorization_endpoint")?)
            .map_err(|_| ProviderError::new("the provider's authorization endpoint is no URL"))?,
        token_endpoint: text("token_endpoint")?,
        jwks_uri: text("jwks_uri")?,
        userinfo_endpoint: text("userinfo_endpoint").ok(),
        issuer: said,
    })
}

/// Where the browser goes to sign in.
pub fn authorization_url(
    settings: &OidcSettings,
    discovery: &Discovery,
    redirect_uri: &str,
    journey: &Journey,
) -> String {
    let mut scopes = vec!["openid"];
    scopes.extend(
        settings
            .scopes
            .iter()
            .map(String::as_str)
            .filter(|scope| *scope != "openid"),
    );
    let mut url = discovery.authorization_endpoint.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &settings.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &scopes.join(" "))
        .append_pair("state", &journey.state)
        .append_pair("nonce", &journey.nonce)
        .append_pair("code_challenge", &challenge(&journey.verifier))
        .append_pair("code_challenge_method", "S256");
    url.into()
}

/// The S256 challenge of a PKCE verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Who came back with this code.
pub async fn profile(
    http: &Client,
    settings: &OidcSettings,
    discovery: &Discovery,
    redirect_uri: &str,
    journey: &Journey,
    code: &str,
) -> Result<Profile, ProviderError> {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("client_id", &settings.client_id),
        ("code_verifier", &journey.verifier),
    ];
    if let Some(secret) = &settings.client_secret {
        fields.push(("client_secret", secret));
    }
    let request = Request::new(Method::POST, &discovery.token_endpoint)
        .header("accept", "application/json")
        .form(&fields);
    let tokens = json(http.send(request).await, "the exchange of the code")?;
    let id_token = tokens["id_token"]
        .as_str()
        .ok_or_else(|| ProviderError::new("the provider gave no ID token"))?;
    let keys = Request::get_json(&discovery.jwks_uri);
    let keys = json(http.send(keys).await, "the provider's keys")?;
    let now = u64::try_from(Timestamp::now().epoch_second()).unwrap_or_default();
    let mut claims = jwt::verify(id_token, &keys, now)
        .map_err(|why| ProviderError(format!("the ID token is refused: {why}")))?;
    if claims.get("iss").and_then(Value::as_str) != Some(discovery.issuer.as_str()) {
        return Err(ProviderError::new("the ID token is from another issuer"));
    }
    if !jwt::is_for(&claims, &settings.client_id) {
        return Err(ProviderError::new("the ID token is for somebody else"));
    }
    check_claims(&claims, settings, journey)?;
    if !claims.contains_key("email")
        && let Some(userinfo) = &discovery.userinfo_endpoint
        && let Some(token) = tokens["access_token"].as_str()
    {
        add_userinfo(http, userinfo, token, &mut claims).await?;
    }
    read_profile(&claims, settings)
}

/// What a signature does not tell: that the token answers this journey and was made for this client.
fn check_claims(
    claims: &Map<String, Value>,
    settings: &OidcSettings,
    journey: &Journey,
) -> Result<(), ProviderError> {
    let nonce = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    if !constant_time_eq(nonce, &journey.nonce) {
        return Err(ProviderError::new("the ID token answers another sign-in"));
    }
    let several = claims
        .get("aud")
        .and_then(Value::as_array)
        .is_some_and(|list| list.len() > 1);
    let authorized = claims.get("azp").and_then(Value::as_str);
    match authorized {
        Some(party) if party != settings.client_id => {
            Err(ProviderError::new("the ID token was made for another client"))
        }
        None if several => Err(ProviderError::new(
            "the ID token does not say which client it was made for",
        )),
        _ => Ok(()),
    }
}

async fn add_userinfo(
    http: &Client,
    url: &str,
    token: &str,
    claims: &mut Map<String, Value>,
) -> Result<(), ProviderError> {
    let request = Request::get_json(url).header("authorization", format!("Bearer {token}"));
    let more = json(http.send(request).await, "the user's profile")?;
    if more["sub"] != claims["sub"] {
        return Err(ProviderError::new("the profile is somebody else's"));
    }
    for name in ["email", "email_verified", "given_name", "family_name", "name"] {
        if let Some(value) = more.get(name) {
            claims.entry(name).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

fn read_profile(claims: &Map<String, Value>, settings: &OidcSettings) -> Result<Profile, ProviderError> {
    let text = |name: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
    };
    let email = text("email").to_lowercase();
    if email.is_empty() {
        return Err(ProviderError::new(
            "the provider tells no address (is the scope email asked for?)",
        ));
    }
    let says_verified = match claims.get("email_verified") {
        Some(Value::Bool(verified)) => Some(*verified),
        Some(Value::String(text)) => Some(text == "true"),
        _ => None,
    };
    let (first, last) = split_name(text("name"));
    let or = |given: &str, otherwise: String| {
        if given.is_empty() {
            otherwise
        } else {
            given.to_owned()
        }
    };
    Ok(Profile {
        subject: claims
            .get("sub")
            .and_then(id_text)
            .ok_or_else(|| ProviderError::new("the ID token names nobody"))?,
        email,
        email_verified: says_verified.unwrap_or(settings.trust_email),
        first_name: or(text("given_name"), first),
        last_name: or(text("family_name"), last),
    })
}
