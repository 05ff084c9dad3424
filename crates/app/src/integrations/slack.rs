//! Slack: a message in a channel for each change of an environment. Which workspace is the project's matter, agreed on
//! with Slack's OAuth.

use burgee_auth::signed::Signer;
use burgee_auth::tokens::constant_time_eq;
use burgee_model::Timestamp;
use burgee_outbound::http::{Method, Request};
use burgee_store::integrations::{self as rows, Integration as Row};
use burgee_store::{Tx, users};
use serde_json::{Value, json};
use url::Url;

use super::changes::ChangeEvent;
use super::{Call, Config, Integration, Told, of_environment, switch, text};
use crate::change::{Action, Change, Kind};
use crate::feature_states::place_by_key;
use crate::security::now_seconds;
use crate::{App, Caller, Error, Place, Result};

/// What is asked of a workspace.
const SCOPES: &str = "channels:read,chat:write,chat:write.public";
/// For how long somebody may take to begin, in seconds.
const SIGNATURE_SECONDS: u64 = 10 * 60;
/// For how long the exchange with Slack may take, in seconds.
const STATE_SECONDS: u64 = 30 * 60;
const SIGNATURE: &str = "slack signature";
const STATE: &str = "slack state";
/// The most characters that Slack takes of a text and of a field.
const TEXT: usize = 3000;
const FIELD: usize = 2000;
const NOT_CONNECTED: &str = "Slack api token not found. Please generate the token using oauth";

pub(super) const SLACK: Integration = Integration {
    name: "slack",
    mounts: &[of_environment("SlackEnvironment")],
    fields: &[text("channel_id", 50), switch("enabled", true)],
    told: Told::Changes(calls),
};

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn calls(config: &Config, event: &ChangeEvent) -> Vec<Call> {
    if !config.truth("enabled") {
        return Vec::new();
    }
    let field = |title: &str, value: &str| json!({ "type": "mrkdwn", "text": cut(&format!("*{title}:*\n{}", escape(value)), FIELD) });
    let body = json!({
        "channel": config.text("channel_id"),
        // What notifications show.
        "text": cut(&event.log, TEXT),
        "blocks": [{
            "type": "section",
            "text": { "type": "plain_text", "text": cut(&event.log, TEXT) },
            "fields": [field("Environment", event.environment_name()), field("User", &event.author)],
        }],
    });
    let request = Request::new(Method::POST, format!("{}/api/chat.postMessage", config.slack_url))
        .header("Authorization", format!("Bearer {}", config.text("token")))
        .json(&body);
    // Slack says in the body what is wrong, with a status of success.
    vec![Call {
        request,
        check: Some(refusal),
    }]
}

/// The three characters that mean something in Slack's markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn refusal(answer: &Value) -> Option<String> {
    match answer["ok"].as_bool() {
        Some(true) => None,
        _ => Some(format!(
            "Slack refused: {}",
            answer["error"].as_str().unwrap_or("unknown")
        )),
    }
}

/// Adds the workspace's token to what is set.
pub(super) async fn complete(tx: &mut Tx, app: &App, row: &Row, config: &mut Config) -> Result<()> {
    let place = match row.environment_id {
        Some(id) => Place::by_id(tx, id).await?,
        None => None,
    };
    if let Some(place) = place
        && let Some(token) = token(tx, app, place.project.id).await?
    {
        config.values.insert("token".to_owned(), token.into());
    }
    // Never set means on.
    config.values.entry("enabled").or_insert(true.into());
    Ok(())
}

async fn token(tx: &mut Tx, app: &App, project_id: i64) -> Result<Option<String>> {
    let sealed = rows::slack_token(tx, project_id).await?;
    Ok(sealed.and_then(|sealed| app.sealer().open(&sealed)))
}

/// Fails unless the project is connected to a workspace.
pub(super) async fn require_workspace(tx: &mut Tx, project_id: Option<i64>) -> Result<()> {
    let connected = match project_id {
        Some(id) => rows::slack_token(tx, id).await?.is_some(),
        None => false,
    };
    if connected {
        Ok(())
    } else {
        Err(Error::Rejected(json!([NOT_CONNECTED])))
    }
}

/// Whether the installation has an application at Slack.
pub fn is_configured(app: &App) -> bool {
    app.settings().slack.client_id.is_some()
}

async fn administered(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Place> {
    use burgee_model::permissions::EnvironmentPermission::ViewEnvironment;
    let place = place_by_key(tx, caller, key, ViewEnvironment).await?;
    caller.require_environment_admin(tx, &place).await?;
    Ok(place)
}

/// A short-lived proof of who begins: the browser that goes to Slack sends no token.
pub async fn signature(app: &App, caller: &Caller, key: &str) -> Result<String> {
    let mut tx = app.db().read().await?;
    administered(&mut tx, caller, key).await?;
    Ok(app
        .signer()
        .issue(SIGNATURE, caller.user()?.id, &[key], now_seconds()))
}

/// Where a browser goes to agree with Slack, and what it must bring back.
#[derive(Debug, Clone)]
pub struct Begun {
    pub url: String,
    /// Kept in a cookie: the answer counts only in the browser that began.
    pub state: String,
}

/// Begins to connect a workspace. Afterwards the browser goes to `redirect_url`, which must be an address of this
/// installation.
pub async fn begin(app: &App, key: &str, signature: &str, redirect_url: &str) -> Result<Begun> {
    let user = app
        .signer()
        .check(SIGNATURE, signature, &[key], SIGNATURE_SECONDS, now_seconds())
        .ok_or_else(|| Error::detail("Invalid signature."))?;
    if !is_own(app, redirect_url) {
        let text = "Must be an address of this installation.";
        return Err(Error::field("redirect_url", text));
    }
    require_administrator(app, user, key).await?;
    let stamp = app
        .signer()
        .issue(STATE, user, &[key, redirect_url], now_seconds());
    let state = format!("{stamp}~{redirect_url}");
    let slack = &app.settings().slack;
    let mut url = Url::parse(&format!("{}/oauth/v2/authorize", slack.url))
        .map_err(|error| Error::Internal(format!("the address of Slack: {error}")))?;
    url.query_pairs_mut()
        .append_pair("client_id", slack.client_id.as_deref().unwrap_or_default())
        .append_pair("scope", SCOPES)
        .append_pair("redirect_uri", &callback_url(app, key))
        .append_pair("state", &state);
    Ok(Begun {
        url: url.into(),
        state,
    })
}

fn callback_url(app: &App, key: &str) -> String {
    let base = &app.settings().public_url;
    format!("{base}/api/v1/environments/{key}/integrations/slack/callback/")
}

fn is_own(app: &App, url: &str) -> bool {
    match (Url::parse(url), Url::parse(&app.settings().public_url)) {
        (Ok(url), Ok(own)) => url.origin() == own.origin() && url.origin().is_tuple(),
        _ => false,
    }
}

async fn require_administrator(app: &App, user_id: i64, key: &str) -> Result<(Caller, Place)> {
    let mut tx = app.db().read().await?;
    let user = users::find(&mut tx, user_id).await?.filter(|user| user.is_active);
    let caller = Caller::User(user.ok_or_else(Error::forbidden)?);
    let place = administered(&mut tx, &caller, key).await?;
    Ok((caller, place))
}

/// Connects the workspace that a browser comes back from, and tells where the browser goes on to.
pub async fn finish(app: &App, key: &str, code: &str, state: &str, cookie: Option<&str>) -> Result<String> {
    let wrong = || Error::detail("Invalid state.");
    if !cookie.is_some_and(|cookie| constant_time_eq(cookie, state)) {
        return Err(wrong());
    }
    let (stamp, redirect_url) = state.split_once('~').ok_or_else(wrong)?;
    let user = Signer::check(
        &app.signer(),
        STATE,
        stamp,
        &[key, redirect_url],
        STATE_SECONDS,
        now_seconds(),
    );
    let (caller, _) = require_administrator(app, user.ok_or_else(wrong)?, key).await?;
    let token = exchange(app, key, code).await?;
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, &caller, key).await?;
    let sealed = app.sealer().seal(&token);
    rows::set_slack_token(&mut tx, place.project.id, &sealed, Timestamp::now().0).await?;
    let change = Change::new(&caller, Kind::Integration, Action::Update, place.project.id)
        .in_project(&place.project)
        .says("Slack workspace connected");
    app.commit(tx, vec![change.into()]).await?;
    Ok(redirect_url.to_owned())
}

/// The token for a code.
async fn exchange(app: &App, key: &str, code: &str) -> Result<String> {
    let slack = &app.settings().slack;
    let request = Request::new(Method::POST, format!("{}/api/oauth.v2.access", slack.url)).form(&[
        ("client_id", slack.client_id.as_deref().unwrap_or_default()),
        (
            "client_secret",
            slack.client_secret.as_deref().unwrap_or_default(),
        ),
        ("code", code),
        ("redirect_uri", &callback_url(app, key)),
    ]);
    let answer = ask(app, request).await?;
    let token = answer["access_token"].as_str();
    token
        .map(str::to_owned)
        .ok_or_else(|| Error::Elsewhere("Slack sent no token.".to_owned()))
}

/// A question to Slack, answered with `ok`.
async fn ask(app: &App, request: Request) -> Result<Value> {
    let answer = app
        .outbound()
        .trusted()
        .send(request)
        .await
        .map_err(|error| Error::Elsewhere(format!("Slack can't be reached: {error}")))?;
    let answer = answer.json().unwrap_or_default();
    match refusal(&answer) {
        None => Ok(answer),
        Some(wrong) => Err(Error::Elsewhere(wrong)),
    }
}

/// A channel of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: String,
    pub name: String,
}

/// Some channels of the project's workspace, and where the next ones begin; empty after the last.
pub async fn channels(
    app: &App,
    caller: &Caller,
    key: &str,
    cursor: Option<&str>,
    limit: i64,
) -> Result<(String, Vec<Channel>)> {
    let mut tx = app.db().read().await?;
    let place = administered(&mut tx, caller, key).await?;
    caller.require_project_admin(&mut tx, &place.project).await?;
    let token = token(&mut tx, app, place.project.id)
        .await?
        .ok_or_else(|| Error::Rejected(json!([NOT_CONNECTED])))?;
    drop(tx);
    let mut url = Url::parse(&format!("{}/api/conversations.list", app.settings().slack.url))
        .map_err(|error| Error::Internal(format!("the address of Slack: {error}")))?;
    url.query_pairs_mut()
        .append_pair("exclude_archived", "true")
        .append_pair("limit", &limit.clamp(1, 1000).to_string());
    if let Some(cursor) = cursor {
        url.query_pairs_mut().append_pair("cursor", cursor);
    }
    let request = Request::get_json(url).header("Authorization", format!("Bearer {token}"));
    let answer = ask(app, request).await?;
    let listed = answer["channels"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let channel = |channel: &Value| {
        Some(Channel {
            id: channel["id"].as_str()?.to_owned(),
            name: channel["name"].as_str()?.to_owned(),
        })
    };
    let next = answer["response_metadata"]["next_cursor"]
        .as_str()
        .unwrap_or_default();
    Ok((next.to_owned(), listed.iter().filter_map(channel).collect()))
}
