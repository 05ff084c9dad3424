//! What trackers tell of what features are linked to.

use burgee_store::Tx;
use burgee_store::changes::NewChange;
use burgee_store::external_resources;
use burgee_store::projects::{self, Project};
use serde_json::{Map, Value, json};

use super::links::Link;
use super::tags::{follow, known};
use crate::change::{Action, Change, Kind};
use crate::{App, Result};

/// How something stands now.
#[derive(Debug, Clone)]
pub(super) struct News {
    pub link: Link,
    /// What is known of it from now on: `title`, `state`, and of what can be merged `merged` and `draft`.
    pub known: Map<String, Value>,
}

/// Writes down what is new of what the features of these projects are linked to, and tags them by it. Whether there was
/// anything.
pub(super) async fn take(app: &App, project_ids: &[i64], news: &News) -> Result<bool> {
    let mut tx = app.db().read().await?;
    let mut concerned = Vec::new();
    for id in project_ids {
        let resources = external_resources::in_project(&mut tx, *id).await?;
        let links = resources.iter().filter_map(Link::of);
        if links.into_iter().any(|link| link.leads_to(&news.link)) {
            concerned.push(*id);
        }
    }
    drop(tx);
    if concerned.is_empty() {
        return Ok(false);
    }
    let mut tx = app.begin().await?;
    let mut changes = Vec::new();
    for id in concerned {
        if let Some(project) = projects::find(&mut tx, id).await? {
            changes.extend(write(&mut tx, &project, news).await?);
        }
    }
    if !changes.is_empty() {
        app.commit(tx, changes).await?;
    }
    Ok(true)
}

async fn write(tx: &mut Tx, project: &Project, news: &News) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    let mut features = Vec::new();
    for mut resource in external_resources::in_project(tx, project.id).await? {
        if !Link::of(&resource).is_some_and(|link| link.leads_to(&news.link)) {
            continue;
        }
        let before = known(&resource);
        let mut after = before.as_object().cloned().unwrap_or_default();
        after.extend(news.known.clone());
        let after = Value::Object(after);
        if after == before {
            continue;
        }
        resource.metadata = Some(after.to_string());
        external_resources::update(tx, &resource).await?;
        features.push(resource.feature_id);
        let state = |known: &Value| json!({ "feature": resource.feature_id, "url": resource.url, "type": resource.r#type, "state": known["state"] });
        let change = Change::by_nobody(Kind::ExternalResource, Action::Update, resource.id)
            .in_project(project)
            .before(state(&before))
            .after(state(&after));
        changes.push(change.into());
    }
    changes.extend(follow(tx, project, &features).await?);
    Ok(changes)
}
