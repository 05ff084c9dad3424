//! GitLab: comments and labels in the projects of the instance that a project is integrated with, and what it tells.

use burgee_auth::tokens::constant_time_eq;
use burgee_model::{Timestamp, keys};
use burgee_outbound::http::{Answer, Method, Request};
use burgee_store::Tx;
use burgee_store::gitlab_hooks::{self as rows, GitlabHook};
use burgee_store::integrations::{self, Integration as Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::links::{Link, LinkKind};
use super::news::{self, News};
use super::{Asked, Trouble, ask, errands, gone_is_done};
use crate::integrations::configuration::config;
use crate::tasks::Outcome;
use crate::{App, Error, Result};

/// What linked issues are labelled with.
const LABEL: &str = "Flagsmith Feature";
/// The length of what GitLab sends along.
const SECRET_LENGTH: usize = 40;

/// A GitLab, and what opens it.
pub(super) struct Lab<'a> {
    app: &'a App,
    integration_id: i64,
    instance: String,
    token: String,
}

impl<'a> Lab<'a> {
    /// That of an integration.
    pub(super) fn of(app: &'a App, integration: &Row) -> Self {
        let config = config(app, integration);
        Self {
            app,
            integration_id: integration.id,
            instance: config.text("gitlab_instance_url").to_owned(),
            token: config.text("access_token").to_owned(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Asked<Answer> {
        send(self.app, (&self.instance, &self.token), method, path, body).await
    }

    /// Says something below an issue or a merge request.
    pub(super) async fn comment(&self, path: &str, link: &Link, text: &str) -> Asked<()> {
        let path = format!("{}/notes", thing(path, link));
        let body = json!({ "body": text });
        self.send(Method::POST, &path, Some(&body)).await.map(drop)
    }

    /// Gives an issue or a merge request the label of linked ones, or takes it. GitLab makes a label that is not there.
    pub(super) async fn label(&self, path: &str, link: &Link, wanted: bool) -> Asked<()> {
        let body = if wanted {
            json!({ "add_labels": LABEL })
        } else {
            json!({ "remove_labels": LABEL })
        };
        let outcome = self.send(Method::PUT, &thing(path, link), Some(&body)).await;
        gone_is_done(outcome)
    }
}

/// Where the API has an issue or a merge request.
fn thing(path: &str, link: &Link) -> String {
    let noun = if link.kind.is_issue() {
        "issues"
    } else {
        "merge_requests"
    };
    format!("{}/{noun}/{}", project(path), link.number)
}

/// Where the API has a project.
fn project(path: &str) -> String {
    format!("projects/{}", path.replace('/', "%2F"))
}

async fn send(
    app: &App,
    (instance, token): (&str, &str),
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Asked<Answer> {
    let url = format!("{}/api/v4/{path}", instance.trim_end_matches('/'));
    let mut request = Request::new(method, url)
        .header("accept", "application/json")
        .header("PRIVATE-TOKEN", token);
    if let Some(body) = body {
        request = request.json(body);
    }
    ask(app.outbound().guarded(), "GitLab", request).await
}

/// Sees to it that a project of the GitLab tells of its issues and merge requests.
pub(super) async fn listen(app: &App, lab: &Lab<'_>, path: &str) -> Outcome {
    let hook = hook_of(app, lab.integration_id, path).await?;
    if hook.number.is_some() {
        return Ok(());
    }
    let secret = app.sealer().open(&hook.secret).unwrap_or_default();
    let body = json!({
        "url": format!("{}/api/v1/gitlab-webhook/{}/", app.settings().public_url, hook.uuid),
        "token": secret,
        "push_events": false, "issues_events": true, "merge_requests_events": true,
        "enable_ssl_verification": true,
    });
    let path = format!("{}/hooks", project(path));
    let answer = lab.send(Method::POST, &path, Some(&body)).await?;
    let made = answer.json().unwrap_or_default();
    // One that has no number is made again: both tell the same.
    if let Some(number) = made["id"].as_i64() {
        let mut tx = app.db().begin().await?;
        rows::set_number(&mut tx, hook.id, number).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What is kept of the webhook in a project of the GitLab; written down before GitLab is asked, so that what it sends is
/// recognised whatever happens in between.
async fn hook_of(app: &App, integration_id: i64, path: &str) -> Result<GitlabHook> {
    let mut tx = app.db().begin().await?;
    let present = rows::list(&mut tx, integration_id).await?;
    if let Some(hook) = present
        .into_iter()
        .find(|hook| hook.path.eq_ignore_ascii_case(path))
    {
        return Ok(hook);
    }
    let mut hook = GitlabHook {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        integration_id,
        path: path.to_owned(),
        number: None,
        secret: app.sealer().seal(&keys::alphanumeric(SECRET_LENGTH)),
        created_at: Timestamp::now().0,
    };
    hook.id = rows::insert(&mut tx, &hook).await?;
    tx.commit().await?;
    Ok(hook)
}

/// A webhook to be taken back, of an integration that may be gone by then.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OldHook {
    instance: String,
    /// Sealed.
    token: String,
    path: String,
    number: i64,
}

/// Takes a webhook back.
pub(super) async fn unhook(app: &App, hook: &OldHook) -> Asked<()> {
    let Some(token) = app.sealer().open(&hook.token) else {
        return Err(Trouble::Unusable(
            "The access token can't be read any more.".to_owned(),
        ));
    };
    let path = format!("{}/hooks/{}", project(&hook.path), hook.number);
    gone_is_done(send(app, (&hook.instance, &token), Method::DELETE, &path, None).await)
}

/// Has the webhooks of an integration taken back that is ended, or leads elsewhere from now on.
pub(crate) async fn forget_hooks(tx: &mut Tx, app: &App, integration: &Row) -> Result<()> {
    let lab = Lab::of(app, integration);
    for hook in rows::list(tx, integration.id).await? {
        let Some(number) = hook.number else { continue };
        let old = OldHook {
            instance: lab.instance.clone(),
            token: app.sealer().seal(&lab.token),
            path: hook.path,
            number,
        };
        errands::unhook(tx, format!("unhook {}", hook.uuid), old).await?;
    }
    rows::delete_all(tx, integration.id).await?;
    Ok(())
}

/// Takes what a webhook tells. Whether it was about something here.
pub async fn receive(app: &App, uuid: &str, token: Option<&str>, event: &Value) -> Result<bool> {
    let missing = || Error::no_match("GitLabWebhook");
    let uuid = Uuid::parse_str(uuid).map_err(|_| missing())?.to_string();
    let mut tx = app.db().read().await?;
    let hook = rows::by_uuid(&mut tx, &uuid).await?.ok_or_else(missing)?;
    let secret = app
        .sealer()
        .open(&hook.secret)
        .filter(|secret| !secret.is_empty());
    if !secret.is_some_and(|secret| constant_time_eq(&secret, token.unwrap_or_default())) {
        return Err(Error::Forbidden("The token is missing or wrong.".to_owned()));
    }
    let integration = integrations::find(&mut tx, hook.integration_id).await?;
    drop(tx);
    let project_id = integration.and_then(|integration| integration.project_id);
    let thing = &event["object_attributes"];
    let kind = match event["object_kind"].as_str() {
        Some("issue") => LinkKind::GitlabIssue,
        Some("merge_request") => LinkKind::GitlabMerge,
        _ => return Ok(false),
    };
    let link = Link::parse(thing["url"].as_str().unwrap_or_default(), kind);
    let (Some(project_id), Some(link)) = (project_id, link) else {
        return Ok(false);
    };
    let mut known = Map::new();
    for (field, value) in [
        ("title", &thing["title"]),
        ("state", &thing["state"]),
        ("draft", &thing["draft"]),
    ] {
        if !value.is_null() {
            known.insert(field.to_owned(), value.clone());
        }
    }
    news::take(app, &[project_id], &News { link, known }).await
}
