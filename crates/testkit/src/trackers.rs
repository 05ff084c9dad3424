//! GitHub and GitLab on this machine, as far as issues go. They take what the real ones take, and nothing else: what they
//! did not like is kept, for stories to find that there is none of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use burgee_app::Settings;
use burgee_app::settings::GithubAppSettings;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value, json};

/// The application's id.
pub const APP_ID: &str = "4242";
/// What its webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "github-webhook-hush";
/// Where it is installed.
pub const INSTALLATION: &str = "4711";
/// What opens the GitLab.
pub const GITLAB_TOKEN: &str = "glpat-hush";

const PRIVATE_KEY: &str = include_str!("keys/github_app.pem");
const PUBLIC_KEY: &str = include_str!("keys/github_app_public.pem");

/// Something that was done there: method, path with query, body.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub method: Method,
    pub path: String,
    pub body: Value,
}

#[derive(Debug, Default)]
struct Kept {
    done: Vec<Done>,
    problems: Vec<String>,
    /// GitHub: where the application is installed, and the tokens it was given.
    installed: HashSet<String>,
    tokens: HashMap<String, String>,
    /// What is answered whatever is asked.
    fault: Option<u16>,
    numbers: i64,
}

/// A server that plays both: GitHub below `/github`, GitLab below `/lab`.
#[derive(Debug, Clone)]
pub struct Trackers {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

type Told = Result<(u16, Value), (u16, String)>;

impl Trackers {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a socket");
        let trackers = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            kept: Arc::default(),
        };
        trackers.kept().installed.insert(INSTALLATION.to_owned());
        let router = Router::new().fallback(serve).with_state(trackers.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        trackers
    }

    /// Settings under which they can be reached.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.outbound.allow_private_addresses = true;
        settings.github_app = GithubAppSettings {
            app_id: Some(APP_ID.to_owned()),
            private_key: Some(PRIVATE_KEY.to_owned()),
            webhook_secret: Some(WEBHOOK_SECRET.to_owned()),
            app_url: Some("https://github.com/apps/burgee".to_owned()),
            api_url: format!("{}/github", self.url),
        };
        settings
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done since it was last asked, beside asking for tokens. Nothing may have been wrong with any request.
    #[track_caller]
    pub fn take(&self) -> Vec<Done> {
        let mut kept = self.kept();
        assert!(kept.problems.is_empty(), "{:#?}", kept.problems);
        std::mem::take(&mut kept.done)
    }

    /// Whether the application is still installed.
    pub fn is_installed(&self) -> bool {
        self.kept().installed.contains(INSTALLATION)
    }

    /// Every request is answered with this from now on; with none, as usual again.
    pub fn fail_with(&self, fault: Option<u16>) {
        self.kept().fault = fault;
    }

    fn github(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Value) -> Told {
        let is = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
        if !is("accept", "application/vnd.github+json") || !is("x-github-api-version", "2022-11-28") {
            return Err((415, "the headers of GitHub's API are missing".to_owned()));
        }
        if !headers.contains_key("user-agent") {
            return Err((403, "requests must have a User-Agent".to_owned()));
        }
        let bearer = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or((401, "Requires authentication".to_owned()))?;
        let path = uri.path().trim_start_matches("/github/").to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        if let ["app", "installations", installation, ..] = parts.as_slice() {
            check_own_token(bearer).map_err(|problem| (401, problem))?;
            return self.of_application(method, installation, &parts[3..]);
        }
        if !self.kept().tokens.contains_key(bearer) {
            return Err((401, "Bad credentials".to_owned()));
        }
        let query = Query::<HashMap<String, String>>::try_from_uri(uri);
        let query = query.map(|Query(query)| query).unwrap_or_default();
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["installation", "repositories"]) => Ok((
                200,
                json!({
                    "total_count": 1, "repository_selection": "selected",
                    "repositories": [{"id": 1, "name": "web", "full_name": "acme/web", "private": true}],
                }),
            )),
            ("GET", ["search", "issues"]) => search(&query),
            ("GET", ["repos", "acme", "web", "contributors"]) => Ok((
                200,
                json!([
                    {"id": 5, "login": "ann", "avatar_url": "https://avatars.example/5", "contributions": 9, "type": "User"},
                ]),
            )),
            ("POST", ["repos", "acme", "web", "issues"]) => {
                text(body, "body", 65_536)?;
                let title = text(body, "title", 256)?;
                let mut kept = self.kept();
                kept.numbers += 1;
                let number = 100 + kept.numbers;
                let url = format!("https://github.com/acme/web/issues/{number}");
                Ok((
                    201,
                    json!({"html_url": url, "number": number, "title": title, "state": "open"}),
                ))
            }
            ("POST", ["repos", "acme", "web", "issues", number, "comments"]) if is_number(number) => {
                text(body, "body", 65_536)?;
                Ok((201, json!({"id": 1, "body": body["body"]})))
            }
            ("POST", ["repos", "acme", "web", "issues", number, "labels"]) if is_number(number) => {
                match body["labels"].as_array() {
                    Some(labels) if labels.iter().all(Value::is_string) => Ok((200, json!([]))),
                    _ => Err((422, "labels must be a list of names".to_owned())),
                }
            }
            ("DELETE", ["repos", "acme", "web", "issues", number, "labels", _]) if is_number(number) => {
                Ok((200, json!([])))
            }
            _ => Err((404, format!("GitHub has no {method} {path}"))),
        }
    }

    fn of_application(&self, method: &Method, installation: &str, rest: &[&str]) -> Told {
        let mut kept = self.kept();
        if !kept.installed.contains(installation) {
            return Ok((404, json!({"message": "Not Found"})));
        }
        match (method.as_str(), rest) {
            ("POST", ["access_tokens"]) => {
                let token = format!("ghs_{installation}_{}", kept.tokens.len());
                kept.tokens.insert(token.clone(), installation.to_owned());
                Ok((201, json!({"token": token, "expires_at": "2099-01-01T00:00:00Z"})))
            }
            ("DELETE", []) => {
                kept.installed.remove(installation);
                Ok((204, Value::Null))
            }
            _ => Err((404, "GitHub has no such operation on installations".to_owned())),
        }
    }

    fn gitlab(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Value) -> Told {
        if headers
            .get("private-token")
            .is_none_or(|token| token != GITLAB_TOKEN)
        {
            return Err((401, "401 Unauthorized".to_owned()));
        }
        let path = uri.path().trim_start_matches("/lab/api/v4/").to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let ["projects", "acme%2Fshop", rest @ ..] = parts.as_slice() else {
            return Err((404, format!("404 Project Not Found: {path}")));
        };
        match (method.as_str(), rest) {
            ("POST", ["issues" | "merge_requests", number, "notes"]) if is_number(number) => {
                text(body, "body", 1_000_000)?;
                Ok((201, json!({"id": 1})))
            }
            ("PUT", ["issues" | "merge_requests", number]) if is_number(number) => {
                let field = if body.get("add_labels").is_some() {
                    "add_labels"
                } else {
                    "remove_labels"
                };
                text(body, field, 255)?;
                Ok((200, json!({"iid": 3})))
            }
            ("POST", ["hooks"]) => {
                text(body, "url", 2048)?;
                text(body, "token", 255)?;
                let events = body["issues_events"] == true && body["merge_requests_events"] == true;
                if !events || body["push_events"] != false {
                    return Err((400, "the events are not those of issues".to_owned()));
                }
                Ok((201, json!({"id": 9, "url": body["url"]})))
            }
            ("DELETE", ["hooks", "9"]) => Ok((204, Value::Null)),
            _ => Err((404, format!("GitLab has no {method} {path}"))),
        }
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

fn text<'a>(body: &'a Value, field: &str, most: usize) -> Result<&'a str, (u16, String)> {
    let found = body[field].as_str();
    found
        .filter(|text| !text.is_empty() && text.len() <= most)
        .ok_or_else(|| {
            (
                422,
                format!("{field} must be a text of at most {most} bytes: {body}"),
            )
        })
}

/// A token of the application's own: signed with its key, by it, and not for longer than ten minutes.
fn check_own_token(token: &str) -> Result<(), String> {
    let key = DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).expect("a key");
    let mut checks = Validation::new(Algorithm::RS256);
    checks.set_issuer(&[APP_ID]);
    checks.set_required_spec_claims(&["exp", "iss"]);
    let claims = decode::<Map<String, Value>>(token, &key, &checks)
        .map_err(|error| format!("a JSON web token could not be decoded: {error}"))?
        .claims;
    let time = |name: &str| claims[name].as_u64().unwrap_or_default();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time")
        .as_secs();
    if time("iat") > now {
        return Err("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued".to_owned());
    }
    if time("exp") > now + 600 {
        return Err("'Expiration time' claim ('exp') is too far in the future".to_owned());
    }
    Ok(())
}

fn search(query: &HashMap<String, String>) -> Told {
    let terms = query.get("q").map(String::as_str).unwrap_or_default();
    let has = |term: &str| terms.split(' ').any(|found| found == term);
    if !has("repo:acme/web") || !(has("is:open") || has("is:closed")) {
        return Err((
            422,
            format!("the search is not for what is in one repository: {terms}"),
        ));
    }
    let item = match (has("is:issue"), has("is:pr")) {
        (true, false) => json!({
            "html_url": "https://github.com/acme/web/issues/7", "id": 70, "number": 7, "title": "Slow", "state": "open",
            "labels": [], "score": 1.0,
        }),
        (false, true) => json!({
            "html_url": "https://github.com/acme/web/pull/8", "id": 80, "number": 8, "title": "Faster", "state": "closed",
            "draft": false, "pull_request": {"merged_at": "2026-01-01T00:00:00Z"}, "score": 1.0,
        }),
        _ => {
            return Err((
                422,
                format!("a search must be for issues or for pull requests: {terms}"),
            ));
        }
    };
    Ok((
        200,
        json!({"total_count": 1, "incomplete_results": false, "items": [item]}),
    ))
}

async fn serve(
    State(trackers): State<Trackers>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_json = headers
        .get("content-type")
        .is_some_and(|kind| kind == "application/json");
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fault = trackers.kept().fault;
    let told = if let Some(status) = fault {
        Ok((status, json!({"message": "out of order"})))
    } else if !body.is_empty() && !is_json {
        Err((415, "the body is not declared to be JSON".to_owned()))
    } else if uri.path().starts_with("/github/") {
        trackers.github(&method, &uri, &headers, &sent)
    } else {
        Trackers::gitlab(&method, &uri, &headers, &sent)
    };
    let is_token = uri.path().ends_with("/access_tokens");
    if fault.is_none() && !is_token {
        let done = Done {
            method: method.clone(),
            path: uri.to_string(),
            body: sent,
        };
        trackers.kept().done.push(done);
    }
    let (status, answer) = told.unwrap_or_else(|(status, problem)| {
        trackers
            .kept()
            .problems
            .push(format!("{method} {uri}: {problem}"));
        (status, json!({"message": problem}))
    });
    let status = StatusCode::from_u16(status).expect("a status");
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    (status, Json(answer)).into_response()
}
