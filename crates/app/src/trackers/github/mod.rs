//! GitHub: the application that organisations install there, and what it asks GitHub for.
//!
//! * [`configurations`]: which installation is whose, and which repositories belong to which project.
//! * [`browse`]: what can be linked to features.
//! * [`cleanup`]: issues that ask for a feature to be taken out of code.
//! * [`webhook`]: what GitHub tells.

pub mod browse;
pub mod cleanup;
pub mod configurations;
pub mod webhook;

use burgee_auth::jwt;
use burgee_outbound::http::{Answer, Method, Request};
use burgee_store::github::GithubRepository;
use serde_json::{Value, json};
use url::Url;

use super::{Asked, Trouble, ask, gone_is_done};
use crate::App;
use crate::security::now_seconds;

/// What linked issues are labelled with.
const LABEL: &str = "Flagsmith Flag";
const NOT_SET_UP: &str =
    "GitHub is not set up on this server: it needs github.app_id and github.private_key.";
/// The version of GitHub's API.
const VERSION: &str = "2022-11-28";
/// How long the application's own tokens hold, in seconds; GitHub takes none that hold for more than ten minutes.
const TOKEN_SECONDS: u64 = 9 * 60;
/// By how much GitHub's clock may be behind ours, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// Whether this server has an application at GitHub.
pub(crate) fn is_set_up(app: &App) -> bool {
    let settings = &app.settings().github_app;
    settings.app_id.is_some() && settings.private_key.is_some()
}

/// What can be the name of an account, a repository or an installation.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(fits) && text.bytes().any(|byte| byte != b'.')
}

/// A request to GitHub's API, below its address.
fn request(
    app: &App,
    method: Method,
    path: &[&str],
    query: &[(&str, String)],
    token: &str,
) -> Asked<Request> {
    let base = &app.settings().github_app.api_url;
    let wrong = || Trouble::Unusable("github.api_url is no address of an API.".to_owned());
    let mut url = Url::parse(base).map_err(|_| wrong())?;
    url.path_segments_mut()
        .map_err(|()| wrong())?
        .pop_if_empty()
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(Request::new(method, url)
        .header("accept", "application/vnd.github+json")
        .header("x-github-api-version", VERSION)
        .header("authorization", format!("Bearer {token}")))
}

async fn send(app: &App, request: Request) -> Asked<Answer> {
    ask(app.outbound().trusted(), "GitHub", request).await
}

/// The token by which the application says who it is.
fn own_token(app: &App) -> Asked<String> {
    let settings = &app.settings().github_app;
    let (Some(id), Some(key)) = (&settings.app_id, &settings.private_key) else {
        return Err(Trouble::NotSetUp(NOT_SET_UP));
    };
    let now = now_seconds();
    let claims = json!({ "iat": now - LEEWAY_SECONDS, "exp": now + TOKEN_SECONDS, "iss": id });
    jwt::sign(&claims, key)
        .ok_or_else(|| Trouble::Unusable("github.private_key is no private key in PEM.".to_owned()))
}

/// Takes the application out of an account.
pub(super) async fn uninstall(app: &App, installation: &str) -> Asked<()> {
    let path = ["app", "installations", installation];
    let request = request(app, Method::DELETE, &path, &[], &own_token(app)?)?;
    gone_is_done(send(app, request).await)
}

/// The application in an account, with a token for what it may do there.
pub(crate) struct Installation<'a> {
    app: &'a App,
    token: String,
}

impl<'a> Installation<'a> {
    /// Asks for a token.
    pub(crate) async fn open(app: &'a App, installation: &str) -> Asked<Self> {
        let path = ["app", "installations", installation, "access_tokens"];
        let request = request(app, Method::POST, &path, &[], &own_token(app)?)?;
        let answer = send(app, request).await?.json().unwrap_or_default();
        let token = answer["token"].as_str().map(str::to_owned);
        let token = token.ok_or_else(|| Trouble::Away("GitHub sent no token.".to_owned()))?;
        Ok(Self { app, token })
    }

    async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Asked<Answer> {
        send(
            self.app,
            request(self.app, Method::GET, path, query, &self.token)?,
        )
        .await
    }

    async fn post(&self, path: &[&str], body: &Value) -> Asked<Answer> {
        let request = request(self.app, Method::POST, path, &[], &self.token)?;
        send(self.app, request.json(body)).await
    }

    /// Says something below an issue or a pull request: they are numbered together.
    pub(super) async fn comment(&self, at: &GithubRepository, number: u64, text: &str) -> Asked<()> {
        let number = number.to_string();
        let path = ["repos", &at.owner, &at.name, "issues", &number, "comments"];
        self.post(&path, &json!({ "body": text })).await.map(drop)
    }

    /// Gives an issue or a pull request the label of linked ones, or takes it. GitHub makes a label that is not there.
    pub(super) async fn label(&self, at: &GithubRepository, number: u64, wanted: bool) -> Asked<()> {
        let number = number.to_string();
        let mut path = vec!["repos", &at.owner, &at.name, "issues", &number, "labels"];
        if wanted {
            return self.post(&path, &json!({ "labels": [LABEL] })).await.map(drop);
        }
        path.push(LABEL);
        let request = request(self.app, Method::DELETE, &path, &[], &self.token)?;
        gone_is_done(send(self.app, request).await)
    }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["acme", "web.app", "a-b_c", "12345"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a b", "a?b", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
