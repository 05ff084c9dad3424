//! GitLab: the projects, issues and merge requests that a token can see, to be linked to features. What is said there of
//! linked features is the work of [`trackers`](crate::trackers).

use std::time::Duration;

use burgee_model::permissions::ProjectPermission;
use burgee_outbound::http::{Answer, Error as HttpError, Request};
use burgee_store::integrations as rows;
use serde_json::{Value, json};
use url::Url;

use super::configuration::config;
use super::{Integration, Told, of_project, required_url, secret, switch};
use crate::features::project_for;
use crate::{App, Caller, Error, Result};

/// How long GitLab has to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most that GitLab lists at once.
pub const PAGE: i64 = 100;

pub(crate) const GITLAB: Integration = Integration {
    name: "gitlab",
    mounts: &[of_project("GitLabConfiguration")],
    fields: &[
        required_url("gitlab_instance_url"),
        secret("access_token", 300),
        switch("labeling_enabled", false),
    ],
    told: Told::Nothing,
};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Projects,
    Issues,
    MergeRequests,
}

/// Which of them.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Of which GitLab project; needed for issues and merge requests.
    pub project: Option<i64>,
    pub text: Option<String>,
    /// `opened`, `closed`, `merged` or `all`.
    pub state: Option<String>,
    pub page: i64,
    pub size: i64,
}

/// Something found, and how many there are.
#[derive(Debug, Clone)]
pub struct Found {
    pub count: i64,
    pub items: Vec<Value>,
}

/// Looks in GitLab for somebody who may see the project.
pub async fn search(
    app: &App,
    caller: &Caller,
    project_id: i64,
    kind: Kind,
    search: &Search,
) -> Result<Found> {
    let mut tx = app.db().read().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::ViewProject).await?;
    let found = rows::list(&mut tx, GITLAB.name, (None, Some(project.id), None)).await?;
    drop(tx);
    let row = found
        .first()
        .ok_or_else(|| Error::detail("This project has no GitLab integration."))?;
    let config = config(app, row);
    let request = Request::get_json(address(config.text("gitlab_instance_url"), kind, search)?)
        .header("PRIVATE-TOKEN", config.text("access_token"))
        .within(TIMEOUT);
    let answer = judge(app.outbound().guarded().send(request).await)?;
    let listed = answer.json().unwrap_or_default();
    let items: Vec<Value> = listed
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|item| view(kind, item))
        .collect();
    // GitLab does not count what is very much.
    let total = answer.header("x-total").and_then(|text| text.parse().ok());
    let more = answer.header("x-next-page").is_some_and(|text| !text.is_empty());
    let known = (search.page - 1).saturating_mul(search.size) + items.len() as i64;
    Ok(Found {
        count: total.unwrap_or(known + i64::from(more)),
        items,
    })
}

fn address(instance: &str, kind: Kind, search: &Search) -> Result<Url> {
    let base = format!("{}/api/v4/projects", instance.trim_end_matches('/'));
    let path = match (kind, search.project) {
        (Kind::Projects, _) => base,
        (Kind::Issues, Some(id)) => format!("{base}/{id}/issues"),
        (Kind::MergeRequests, Some(id)) => format!("{base}/{id}/merge_requests"),
        _ => return Err(Error::field("gitlab_project_id", "This field is required.")),
    };
    let mut url = Url::parse(&path).map_err(|_| Error::detail("The address of GitLab is none."))?;
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("page", &search.page.to_string())
            .append_pair("per_page", &search.size.to_string());
        if let Some(text) = &search.text {
            query.append_pair("search", text);
        }
        if kind == Kind::Projects {
            query
                .append_pair("membership", "true")
                .append_pair("simple", "true");
        } else {
            query
                .append_pair("scope", "all")
                .append_pair("state", search.state.as_deref().unwrap_or("opened"));
        }
    }
    Ok(url)
}

fn judge(sent: std::result::Result<Answer, HttpError>) -> Result<Answer> {
    match sent {
        Ok(answer) if answer.is_success() => Ok(answer),
        Ok(answer) if [401, 403].contains(&answer.status) => Err(Error::Elsewhere(
            "GitLab does not take the access token.".to_owned(),
        )),
        Ok(answer) => Err(Error::Elsewhere(format!("GitLab answered {}.", answer.status))),
        Err(error) => Err(Error::Elsewhere(format!("GitLab can't be reached: {error}"))),
    }
}

/// What is told of something found.
fn view(kind: Kind, item: &Value) -> Value {
    match kind {
        Kind::Projects => json!({
            "id": item["id"], "name": item["name"], "path_with_namespace": item["path_with_namespace"],
        }),
        Kind::Issues => json!({
            "web_url": item["web_url"], "id": item["id"], "title": item["title"], "iid": item["iid"],
            "state": item["state"],
        }),
        Kind::MergeRequests => json!({
            "web_url": item["web_url"], "id": item["id"], "title": item["title"], "iid": item["iid"],
            "state": item["state"], "merged": item["state"] == "merged", "draft": item["draft"] == true,
        }),
    }
}
