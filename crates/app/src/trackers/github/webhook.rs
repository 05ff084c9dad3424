//! What GitHub tells: how issues and pull requests stand, and that somebody took the application out of his account.

use burgee_auth::signatures::hex_hmac;
use burgee_auth::tokens::constant_time_eq;
use burgee_store::github as rows;
use serde_json::{Map, Value};

use super::configurations::remove;
use crate::change::{Action, Change, Kind};
use crate::trackers::links::{Link, LinkKind};
use crate::trackers::news::{self, News};
use crate::{App, Error, Result};

/// Takes an event. Whether it was about something here.
pub async fn receive(app: &App, event: &str, signature: Option<&str>, body: &[u8]) -> Result<bool> {
    check(app, signature, body)?;
    let told: Value = serde_json::from_slice(body)
        .map_err(|error| Error::detail(&format!("JSON parse error - {error}")))?;
    let installation = match &told["installation"]["id"] {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return Ok(false),
    };
    match event {
        "installation" if told["action"] == "deleted" => uninstalled(app, &installation).await,
        "issues" => changed(app, &installation, LinkKind::GithubIssue, &told, &told["issue"]).await,
        "pull_request" => {
            changed(
                app,
                &installation,
                LinkKind::GithubPull,
                &told,
                &told["pull_request"],
            )
            .await
        }
        _ => Ok(false),
    }
}

fn check(app: &App, signature: Option<&str>, body: &[u8]) -> Result<()> {
    let secret = app.settings().github_app.webhook_secret.as_deref();
    let given = signature.and_then(|signature| signature.strip_prefix("sha256="));
    match (secret, given) {
        (Some(secret), Some(given)) if constant_time_eq(&hex_hmac(secret, body), given) => Ok(()),
        (None, _) => Err(Error::detail("This server has no github.webhook_secret.")),
        _ => Err(Error::detail("The signature is missing or wrong.")),
    }
}

async fn uninstalled(app: &App, installation: &str) -> Result<bool> {
    let mut tx = app.begin().await?;
    let Some(configuration) = rows::of_installation(&mut tx, installation).await? else {
        return Ok(false);
    };
    let line = Change::by_nobody(Kind::Integration, Action::Delete, configuration.id)
        .in_organisation(configuration.organisation_id)
        .says("Integration deleted: github (the application was uninstalled at GitHub)");
    let changes = remove(&mut tx, &configuration, line).await?;
    app.commit(tx, changes).await?;
    Ok(true)
}

/// An issue or a pull request changed. Only the projects count that have the repository, of the organisation whose
/// installation it is.
async fn changed(app: &App, installation: &str, kind: LinkKind, told: &Value, thing: &Value) -> Result<bool> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let Some(link) = Link::parse(&text(&thing["html_url"]), kind) else {
        return Ok(false);
    };
    let (owner, name) = (
        text(&told["repository"]["owner"]["login"]),
        text(&told["repository"]["name"]),
    );
    let mut tx = app.db().read().await?;
    let Some(configuration) = rows::of_installation(&mut tx, installation).await? else {
        return Ok(false);
    };
    let repositories = rows::repositories(&mut tx, configuration.id).await?;
    drop(tx);
    let project_ids: Vec<i64> = repositories
        .iter()
        .filter(|repository| {
            repository.owner.eq_ignore_ascii_case(&owner) && repository.name.eq_ignore_ascii_case(&name)
        })
        .map(|repository| repository.project_id)
        .collect();
    let mut known = Map::new();
    for field in ["title", "state", "merged", "draft"] {
        if !thing[field].is_null() {
            known.insert(field.to_owned(), thing[field].clone());
        }
    }
    news::take(app, &project_ids, &News { link, known }).await
}
