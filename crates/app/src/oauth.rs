//! The OAuth server: programs that act for users, such as command lines and MCP clients.
//!
//! Authorization code flow with PKCE (S256 only). Codes work once, refresh tokens too; when one comes a second time,
//! somebody stole it, and every token of that consent ends. Access tokens may do what their user may do, except with his
//! account (the API refuses them there).

use std::net::IpAddr;

use burgee_auth::providers::oidc::challenge;
use burgee_auth::tokens::{constant_time_eq, lookup_hash};
use burgee_model::{Timestamp, keys};
use burgee_store::oauth::{self, OauthClient, OauthCode, OauthToken};
use burgee_store::{Tx, users};
use serde_json::json;
use url::{Host, Url};

use crate::security::Attempt;
use crate::{App, Caller, Error, Result};

/// What programs can be allowed to, with what a user is told of it.
pub const SCOPES: &[(&str, &str)] = &[
    ("mcp", "Use the API for you as an MCP client"),
    ("admin-api", "Use the management API for you"),
];

const SECOND: i64 = 1_000_000;
const CODE_MICROS: i64 = 60 * SECOND;
/// For how long an access token holds, in seconds.
pub const ACCESS_SECONDS: i64 = 60 * 60;
const REFRESH_MICROS: i64 = 30 * 24 * 60 * 60 * SECOND;
const MOST_REDIRECTS: usize = 10;
const LONGEST_REDIRECT: usize = 2000;

/// A refusal in the words of the protocol.
fn refuse(error: &str, description: &str) -> Error {
    Error::Rejected(json!({ "error": error, "error_description": description }))
}

/// A program that wants to be known.
#[derive(Debug, Clone)]
pub struct Registration {
    pub name: String,
    pub redirect_uris: Vec<String>,
    /// Whether it can keep a secret.
    pub confidential: bool,
}

/// A program that is known now.
#[derive(Debug, Clone)]
pub struct Registered {
    pub client: OauthClient,
    /// Shown only now.
    pub secret: Option<String>,
}

/// Registers a program. Anybody may: what counts is the consent of a user.
pub async fn register(app: &App, address: Option<IpAddr>, input: Registration) -> Result<Registered> {
    if let Some(address) = address {
        app.throttle(Attempt::RegisterClient, &address.to_string())?;
    }
    if input.redirect_uris.is_empty() || input.redirect_uris.len() > MOST_REDIRECTS {
        let text = format!("Between 1 and {MOST_REDIRECTS} redirect URIs are needed.");
        return Err(refuse("invalid_redirect_uri", &text));
    }
    if let Some(wrong) = input.redirect_uris.iter().find(|uri| !is_usable_redirect(uri)) {
        let text = format!(
            "{wrong} can't be redirected to: https, a private scheme, or http on this machine is needed."
        );
        return Err(refuse("invalid_redirect_uri", &text));
    }
    let secret = input.confidential.then(|| keys::alphanumeric(48));
    let client = OauthClient {
        id: keys::alphanumeric(32),
        secret: secret.as_deref().map(lookup_hash),
        name: input.name,
        redirect_uris: json!(input.redirect_uris).to_string(),
        created_at: Timestamp::now().0,
    };
    let mut tx = app.begin().await?;
    oauth::insert_client(&mut tx, &client).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(Registered { client, secret })
}

/// Whether a code may be sent there: where only the program itself gets it, and where it can do no harm.
fn is_usable_redirect(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    if uri.len() > LONGEST_REDIRECT || url.fragment().is_some() || !url.username().is_empty() {
        return false;
    }
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(&url),
        "javascript" | "data" | "vbscript" | "file" | "blob" | "about" | "ftp" | "ws" | "wss"
        | "view-source" => false,
        _ => true,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

/// Whether this is one of the registered addresses. A program on the own machine may choose its port each time.
fn is_registered(client: &OauthClient, uri: &str) -> bool {
    let registered: Vec<String> = serde_json::from_str(&client.redirect_uris).unwrap_or_default();
    let without_port = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        (url.scheme() == "http" && is_loopback(&url)).then(|| {
            let _ = url.set_port(None);
            url
        })
    };
    registered.iter().any(|known| {
        known == uri || without_port(known).is_some_and(|known| without_port(uri) == Some(known))
    })
}

/// What a program asks a user for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub response_type: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub scope: String,
    pub state: Option<String>,
    pub code_challenge: String,
    pub code_challenge_method: String,
}

/// A request that holds, for the user to decide on.
#[derive(Debug, Clone)]
pub struct Asked {
    pub client: OauthClient,
    pub scopes: Vec<&'static (&'static str, &'static str)>,
}

/// Whether a request holds, and what it asks for.
pub async fn describe(tx: &mut Tx, caller: &Caller, request: &Request) -> Result<Asked> {
    caller.user()?;
    let client = known_client(tx, &request.client_id)
        .await?
        .ok_or_else(|| refuse("invalid_client", "There is no such client."))?;
    if !is_registered(&client, &request.redirect_uri) {
        return Err(refuse(
            "invalid_request",
            "The redirect URI is not registered for this client.",
        ));
    }
    if request.response_type != "code" {
        return Err(refuse(
            "unsupported_response_type",
            "Only the response type code is known.",
        ));
    }
    if request.code_challenge_method != "S256" || request.code_challenge.len() != 43 {
        return Err(refuse(
            "invalid_request",
            "A code challenge with the method S256 is needed.",
        ));
    }
    Ok(Asked {
        client,
        scopes: scopes(&request.scope)?,
    })
}

fn scopes(text: &str) -> Result<Vec<&'static (&'static str, &'static str)>> {
    let wanted: Vec<&str> = text.split_whitespace().collect();
    if wanted.is_empty() {
        return Ok(SCOPES.iter().take(1).collect());
    }
    let unknown = wanted
        .iter()
        .any(|name| !SCOPES.iter().any(|(known, _)| known == name));
    if unknown {
        return Err(refuse("invalid_scope", "The scopes are mcp and admin-api."));
    }
    Ok(SCOPES
        .iter()
        .filter(|(known, _)| wanted.contains(known))
        .collect())
}

/// A user's decision. Returns where his browser goes with it.
pub async fn decide(app: &App, caller: &Caller, request: &Request, allowed: bool) -> Result<String> {
    let mut tx = app.begin().await?;
    let asked = describe(&mut tx, caller, request).await?;
    let mut url = Url::parse(&request.redirect_uri)
        .map_err(|_| refuse("invalid_request", "The redirect URI is no URL."))?;
    let answer = if allowed {
        let code = keys::alphanumeric(40);
        let names: Vec<&str> = asked.scopes.iter().map(|(name, _)| *name).collect();
        let row = OauthCode {
            hash: lookup_hash(&code),
            client_id: asked.client.id,
            user_id: caller.user()?.id,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.code_challenge.clone(),
            scope: names.join(" "),
            consent: keys::alphanumeric(32),
            used: false,
            expires_at: Timestamp::now().0 + CODE_MICROS,
        };
        oauth::insert_code(&mut tx, &row).await?;
        app.commit(tx, Vec::new()).await?;
        ("code", code)
    } else {
        ("error", "access_denied".to_owned())
    };
    url.query_pairs_mut().append_pair(answer.0, &answer.1);
    if let Some(state) = &request.state {
        url.query_pairs_mut().append_pair("state", state);
    }
    url.query_pairs_mut()
        .append_pair("iss", &app.settings().public_url);
    Ok(url.into())
}

/// How a program says who it is.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub client_id: String,
    pub client_secret: Option<String>,
}

/// The client with this id. What can be no id is not asked for: Postgres refuses texts with NUL.
async fn known_client(tx: &mut Tx, id: &str) -> Result<Option<OauthClient>> {
    if id.contains('\0') {
        return Ok(None);
    }
    Ok(oauth::client(tx, id).await?)
}

async fn authenticate(tx: &mut Tx, credentials: &Credentials) -> Result<OauthClient> {
    let wrong = || {
        refuse(
            "invalid_client",
            "The client is not known, or its secret is wrong.",
        )
    };
    let client = known_client(tx, &credentials.client_id)
        .await?
        .ok_or_else(wrong)?;
    if let Some(hash) = &client.secret {
        let given = credentials
            .client_secret
            .as_deref()
            .map(lookup_hash)
            .unwrap_or_default();
        if !constant_time_eq(&given, hash) {
            return Err(wrong());
        }
    }
    Ok(client)
}

/// Tokens just made.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub scope: String,
}

fn bad_grant() -> Error {
    refuse(
        "invalid_grant",
        "It is unknown, used, expired, or was made for another request.",
    )
}

/// Exchanges a code for tokens.
pub async fn exchange_code(
    app: &App,
    credentials: &Credentials,
    code: &str,
    redirect_uri: &str,
    verifier: &str,
) -> Result<Tokens> {
    // Strangers don't get as far as the lock that writes wait for.
    let client = authenticate(&mut app.db().read().await?, credentials).await?;
    let mut tx = app.begin().await?;
    let now = Timestamp::now().0;
    let hash = lookup_hash(code);
    let found = oauth::code(&mut tx, &hash).await?;
    let code = found.filter(|code| code.client_id == client.id && code.expires_at > now);
    let code = code.ok_or_else(bad_grant)?;
    if code.used {
        oauth::revoke_consent(&mut tx, &code.consent).await?;
        app.commit(tx, Vec::new()).await?;
        return Err(bad_grant());
    }
    let fits = code.redirect_uri == redirect_uri && constant_time_eq(&challenge(verifier), &code.challenge);
    if !fits || !(43..=128).contains(&verifier.len()) {
        return Err(bad_grant());
    }
    oauth::use_code(&mut tx, &hash).await?;
    let tokens = issue(&mut tx, &client, code.user_id, &code.scope, &code.consent).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(tokens)
}

/// Exchanges a refresh token for new tokens.
pub async fn refresh(app: &App, credentials: &Credentials, token: &str, scope: &str) -> Result<Tokens> {
    // Strangers don't get as far as the lock that writes wait for.
    let client = authenticate(&mut app.db().read().await?, credentials).await?;
    let mut tx = app.begin().await?;
    let now = Timestamp::now().0;
    let hash = lookup_hash(token);
    let found = oauth::token(&mut tx, &hash).await?;
    let token = found.filter(|token| token.kind == "refresh" && token.client_id == client.id);
    let token = token
        .filter(|token| token.expires_at > now)
        .ok_or_else(bad_grant)?;
    if !oauth::use_token(&mut tx, &hash).await? {
        oauth::revoke_consent(&mut tx, &token.consent).await?;
        app.commit(tx, Vec::new()).await?;
        tracing::warn!(
            user.id = token.user_id,
            "a refresh token came a second time; its consent was revoked"
        );
        return Err(bad_grant());
    }
    let granted: Vec<&str> = token.scope.split(' ').collect();
    if !scope.split_whitespace().all(|name| granted.contains(&name)) {
        return Err(refuse("invalid_scope", "More is asked for than was granted."));
    }
    let scope = if scope.trim().is_empty() {
        token.scope.as_str()
    } else {
        scope.trim()
    };
    let tokens = issue(&mut tx, &client, token.user_id, scope, &token.consent).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(tokens)
}

async fn issue(
    tx: &mut Tx,
    client: &OauthClient,
    user_id: i64,
    scope: &str,
    consent: &str,
) -> Result<Tokens> {
    let user = users::find(tx, user_id).await?;
    if !user.is_some_and(|user| user.is_active) {
        return Err(bad_grant());
    }
    let tokens = Tokens {
        access: keys::alphanumeric(48),
        refresh: keys::alphanumeric(48),
        scope: scope.to_owned(),
    };
    let now = Timestamp::now().0;
    for (kind, text, micros) in [
        ("access", &tokens.access, ACCESS_SECONDS * SECOND),
        ("refresh", &tokens.refresh, REFRESH_MICROS),
    ] {
        let row = OauthToken {
            hash: lookup_hash(text),
            kind: kind.to_owned(),
            client_id: client.id.clone(),
            user_id,
            scope: scope.to_owned(),
            consent: consent.to_owned(),
            used: false,
            created_at: now,
            expires_at: now + micros,
        };
        oauth::insert_token(tx, &row).await?;
    }
    Ok(tokens)
}

/// Ends a token, and with a refresh token all of its consent. Unknown tokens are ended already.
pub async fn revoke(app: &App, credentials: &Credentials, token: &str) -> Result<()> {
    // Strangers don't get as far as the lock that writes wait for.
    let client = authenticate(&mut app.db().read().await?, credentials).await?;
    let mut tx = app.begin().await?;
    let hash = lookup_hash(token);
    let found = oauth::token(&mut tx, &hash).await?;
    let Some(token) = found.filter(|token| token.client_id == client.id) else {
        return Ok(());
    };
    if token.kind == "refresh" {
        oauth::revoke_consent(&mut tx, &token.consent).await?;
    } else {
        oauth::delete_token(&mut tx, &hash).await?;
    }
    app.commit(tx, Vec::new()).await
}

/// The token, if it holds.
pub async fn introspect(tx: &mut Tx, token: &str) -> Result<Option<OauthToken>> {
    let found = oauth::token(tx, &lookup_hash(token)).await?;
    let holds = |token: &OauthToken| !token.used && token.expires_at > Timestamp::now().0;
    let Some(token) = found.filter(holds) else {
        return Ok(None);
    };
    let user = users::find(tx, token.user_id).await?;
    Ok(user.filter(|user| user.is_active).map(|_| token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(uris: &[&str]) -> OauthClient {
        OauthClient {
            id: "x".to_owned(),
            secret: None,
            name: "x".to_owned(),
            redirect_uris: json!(uris).to_string(),
            created_at: 0,
        }
    }

    #[test]
    fn codes_are_sent_only_where_a_program_listens() {
        for uri in [
            "https://app.example.com/cb",
            "http://localhost:7777/cb",
            "http://127.0.0.1/cb",
            "com.example:/cb",
        ] {
            assert!(is_usable_redirect(uri), "{uri}");
        }
        for uri in [
            "http://example.com/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://a.example/#x",
            "/cb",
            "",
            "https://user@a.example/",
            "http://localhost.example.com/",
        ] {
            assert!(!is_usable_redirect(uri), "{uri}");
        }
    }

    #[test]
    fn only_the_port_of_the_own_machine_may_differ() {
        let client = client(&["http://127.0.0.1:1000/cb", "https://app.example.com/cb"]);
        assert!(is_registered(&client, "http://127.0.0.1:2000/cb"));
        assert!(is_registered(&client, "https://app.example.com/cb"));
        for uri in [
            "http://127.0.0.1:2000/other",
            "http://localhost:1000/cb",
            "https://app.example.com:444/cb",
            "https://app.example.com/cb/",
            "https://app.example.com/cb?x=1",
            "https://evil.example/cb",
        ] {
            assert!(!is_registered(&client, uri), "{uri}");
        }
    }
}
