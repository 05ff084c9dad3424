//! Issues and merge requests that features are linked to.
//!
//! The link is kept and checked here, and the feature tagged. Telling the tracker about it is a reader of the change log's
//! work ([`Kind::ExternalResource`]), see [`trackers`](crate::trackers).

use burgee_model::metadata::is_url;
use burgee_model::permissions::ProjectPermission;
use burgee_store::changes::NewChange;
use burgee_store::features::Feature;
use burgee_store::projects::Project;
use burgee_store::{Tx, external_resources};
use serde_json::{Value, json};

pub use burgee_store::external_resources::ExternalResource;

use crate::author::Author;
use crate::change::{Action, Change, Kind};
use crate::features::{find_in, project_for};
use crate::trackers::links::Link;
use crate::trackers::{errands, tags};
use crate::{App, Caller, Error, Result, projects};

/// What a client may set of a resource. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ResourceEdit {
    pub url: Option<String>,
    pub kind: Option<&'static str>,
    pub metadata: Option<Option<Value>>,
    /// The feature the body speaks of: it must be the one of the address.
    pub feature: Option<i64>,
}

fn missing() -> Error {
    Error::no_match("FeatureExternalResource")
}

/// The resources of a feature.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    feature_id: i64,
) -> Result<Vec<ExternalResource>> {
    projects::get(tx, caller, project_id).await?;
    find_in(tx, project_id, feature_id).await?;
    Ok(external_resources::list(tx, feature_id).await?)
}

/// One of them.
pub async fn get(
    tx: &mut Tx,
    caller: &Caller,
    (project_id, feature_id): (i64, i64),
    id: i64,
) -> Result<ExternalResource> {
    let found = list(tx, caller, project_id, feature_id).await?;
    found
        .into_iter()
        .find(|resource| resource.id == id)
        .ok_or_else(missing)
}

async fn open(
    tx: &mut Tx,
    caller: &Caller,
    (project_id, feature_id): (i64, i64),
) -> Result<(Project, Feature, Vec<ExternalResource>)> {
    let project = project_for(tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let feature = find_in(tx, project_id, feature_id).await?;
    let present = external_resources::list(tx, feature_id).await?;
    Ok((project, feature, present))
}

/// Links a feature to a resource.
pub async fn create(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    edit: ResourceEdit,
) -> Result<ExternalResource> {
    let mut tx = app.begin().await?;
    let (project, feature, present) = open(&mut tx, caller, at).await?;
    let mut resource = ExternalResource {
        id: 0,
        feature_id: feature.id,
        url: String::new(),
        r#type: String::new(),
        metadata: None,
    };
    apply(&mut resource, &present, edit)?;
    resource.id = external_resources::insert(&mut tx, &resource).await?;
    let change = line(caller, &project, Action::Create, &resource).after(as_json(&feature, &resource));
    let mut changes = vec![change.into()];
    changes.extend(tags::follow(&mut tx, &project, &[feature.id]).await?);
    app.commit(tx, changes).await?;
    Ok(resource)
}

/// Changes a link.
pub async fn update(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    id: i64,
    edit: ResourceEdit,
) -> Result<ExternalResource> {
    let mut tx = app.begin().await?;
    let (project, feature, present) = open(&mut tx, caller, at).await?;
    let before = present
        .iter()
        .find(|resource| resource.id == id)
        .ok_or_else(missing)?;
    let mut resource = before.clone();
    apply(&mut resource, &present, edit)?;
    external_resources::update(&mut tx, &resource).await?;
    let change = line(caller, &project, Action::Update, &resource)
        .before(as_json(&feature, before))
        .after(as_json(&feature, &resource));
    let mut changes = vec![change.into()];
    changes.extend(tags::follow(&mut tx, &project, &[feature.id]).await?);
    app.commit(tx, changes).await?;
    Ok(resource)
}

/// Takes a link away.
pub async fn delete(app: &App, caller: &Caller, at: (i64, i64), id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (project, feature, present) = open(&mut tx, caller, at).await?;
    let resource = present
        .iter()
        .find(|resource| resource.id == id)
        .ok_or_else(missing)?;
    external_resources::delete(&mut tx, id).await?;
    let change = line(caller, &project, Action::Delete, resource).before(as_json(&feature, resource));
    let mut changes = vec![change.into()];
    changes.extend(tags::follow(&mut tx, &project, &[feature.id]).await?);
    app.commit(tx, changes).await
}

/// The log's lines for what a feature was linked to that is about to be deleted.
pub(crate) async fn gone(
    tx: &mut Tx,
    author: Author<'_>,
    project: &Project,
    feature: &Feature,
) -> Result<Vec<NewChange>> {
    let present = external_resources::list(tx, feature.id).await?;
    let line = |resource: &ExternalResource| {
        let mut before = as_json(feature, resource);
        before[errands::FEATURE_DELETED] = true.into();
        let change = Change::new(author, Kind::ExternalResource, Action::Delete, resource.id);
        change.in_project(project).before(before).into()
    };
    Ok(present.iter().map(line).collect())
}

fn line(caller: &Caller, project: &Project, action: Action, resource: &ExternalResource) -> Change {
    Change::new(caller, Kind::ExternalResource, action, resource.id).in_project(project)
}

fn as_json(feature: &Feature, resource: &ExternalResource) -> Value {
    json!({ "feature": feature.id, "feature_name": feature.name, "url": resource.url, "type": resource.r#type })
}

fn apply(resource: &mut ExternalResource, present: &[ExternalResource], edit: ResourceEdit) -> Result<()> {
    if let Some(id) = edit.feature.filter(|id| *id != resource.feature_id) {
        return Err(Error::no_such("feature", id));
    }
    if let Some(url) = edit.url {
        resource.url = url;
    }
    if let Some(kind) = edit.kind {
        kind.clone_into(&mut resource.r#type);
    }
    if let Some(metadata) = edit.metadata {
        resource.metadata = metadata.map(|value| value.to_string());
    }
    if !is_url(&resource.url) {
        return Err(Error::field("url", "Enter a valid URL."));
    }
    if Link::of(resource).is_none() {
        let text = format!("This is not the address of a {}.", spoken(&resource.r#type));
        return Err(Error::field("url", text));
    }
    let taken = present
        .iter()
        .any(|other| other.id != resource.id && other.url == resource.url);
    if taken {
        return Err(Error::Rejected(json!({
            "non_field_errors": ["The fields feature, url must make a unique set."]
        })));
    }
    Ok(())
}

fn spoken(kind: &str) -> &'static str {
    match kind {
        "GITHUB_ISSUE" => "GitHub issue",
        "GITHUB_PR" => "GitHub pull request",
        "GITLAB_ISSUE" => "GitLab issue",
        _ => "GitLab merge request",
    }
}
