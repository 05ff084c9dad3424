//! Which installation of the application is whose, and which repositories belong to which project.

use burgee_model::Timestamp;
use burgee_store::changes::NewChange;
use burgee_store::github as rows;
use burgee_store::{Tx, projects};
use serde_json::{Value, json};

pub use burgee_store::github::{GithubConfiguration, GithubRepository};

use super::super::{errands, tags};
use super::is_name;
use crate::change::{Action, Change, Kind};
use crate::{App, Caller, Error, Result};

/// What a client may set of a repository. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct RepositoryEdit {
    pub project: Option<i64>,
    pub owner: Option<String>,
    pub name: Option<String>,
    pub tagging_enabled: Option<bool>,
}

/// Fails unless the caller is in the organisation.
pub(super) async fn require_member(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<()> {
    match caller.role(tx, organisation_id).await? {
        Some(_) => Ok(()),
        None => Err(Error::forbidden()),
    }
}

fn missing() -> Error {
    Error::no_match("GithubConfiguration")
}

/// The configuration of an organisation, for somebody in it: one or none.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Option<GithubConfiguration>> {
    require_member(tx, caller, organisation_id).await?;
    Ok(rows::of_organisation(tx, organisation_id).await?)
}

/// A configuration, for an administrator of its organisation.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<GithubConfiguration> {
    caller.require_organisation_admin(tx, organisation_id).await?;
    let found = rows::of_organisation(tx, organisation_id).await?;
    found
        .filter(|configuration| configuration.id == id)
        .ok_or_else(missing)
}

/// Refuses what is no installation, and what is another organisation's.
async fn check_installation(tx: &mut Tx, organisation_id: i64, installation: &str) -> Result<()> {
    if !is_name(installation) {
        return Err(Error::field(
            "installation_id",
            "Enter the number of an installation.",
        ));
    }
    let taken = rows::of_installation(tx, installation).await?;
    match taken {
        Some(other) if other.organisation_id != organisation_id => {
            let text = "This installation belongs to another organisation.";
            Err(Error::field("installation_id", text))
        }
        _ => Ok(()),
    }
}

fn line(caller: &Caller, organisation_id: i64, action: Action, id: i64) -> Change {
    Change::new(caller, Kind::Integration, action, id).in_organisation(organisation_id)
}

fn as_json(configuration: &GithubConfiguration) -> Value {
    json!({ "name": "github", "installation_id": configuration.installation_id })
}

/// Names the installation of an organisation.
pub async fn create(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    installation_id: String,
) -> Result<GithubConfiguration> {
    let mut tx = app.begin().await?;
    caller
        .require_organisation_admin(&mut tx, organisation_id)
        .await?;
    if rows::of_organisation(&mut tx, organisation_id).await?.is_some() {
        let text = "This integration already exists for this organisation.";
        return Err(Error::Rejected(json!([text])));
    }
    check_installation(&mut tx, organisation_id, &installation_id).await?;
    let mut made = GithubConfiguration {
        id: 0,
        organisation_id,
        installation_id,
        created_at: Timestamp::now().0,
    };
    made.id = rows::insert(&mut tx, &made).await?;
    let change = line(caller, organisation_id, Action::Create, made.id).after(as_json(&made));
    app.commit(tx, vec![change.into()]).await?;
    Ok(made)
}

/// Names another installation.
pub async fn update(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    installation_id: Option<String>,
) -> Result<GithubConfiguration> {
    let mut tx = app.begin().await?;
    let before = get(&mut tx, caller, organisation_id, id).await?;
    let mut configuration = before.clone();
    if let Some(installation_id) = installation_id {
        check_installation(&mut tx, organisation_id, &installation_id).await?;
        configuration.installation_id = installation_id;
    }
    rows::update(&mut tx, &configuration).await?;
    let change = line(caller, organisation_id, Action::Update, id)
        .before(as_json(&before))
        .after(as_json(&configuration));
    app.commit(tx, vec![change.into()]).await?;
    Ok(configuration)
}

/// Ends it: the application is taken out of the account at GitHub.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let configuration = get(&mut tx, caller, organisation_id, id).await?;
    errands::uninstall(&mut tx, &configuration.installation_id).await?;
    let change = line(caller, organisation_id, Action::Delete, id).before(as_json(&configuration));
    let changes = remove(&mut tx, &configuration, change).await?;
    app.commit(tx, changes).await
}

/// Takes a configuration away, with its repositories and the tags that rest on them.
pub(super) async fn remove(
    tx: &mut Tx,
    configuration: &GithubConfiguration,
    line: Change,
) -> Result<Vec<NewChange>> {
    let mut project_ids: Vec<i64> = rows::repositories(tx, configuration.id)
        .await?
        .iter()
        .map(|repository| repository.project_id)
        .collect();
    project_ids.sort_unstable();
    project_ids.dedup();
    rows::delete(tx, configuration.id).await?;
    let mut changes = vec![line.into()];
    for project_id in project_ids {
        changes.extend(tags::follow_all(tx, project_id).await?);
    }
    Ok(changes)
}

/// The repositories of a configuration, for somebody in the organisation.
pub async fn repositories(
    tx: &mut Tx,
    caller: &Caller,
    (organisation_id, configuration_id): (i64, i64),
) -> Result<Vec<GithubRepository>> {
    let found = list(tx, caller, organisation_id).await?;
    let configuration = found
        .filter(|configuration| configuration.id == configuration_id)
        .ok_or_else(missing)?;
    Ok(rows::repositories(tx, configuration.id).await?)
}

/// One of them, for an administrator of the organisation.
pub async fn repository(
    tx: &mut Tx,
    caller: &Caller,
    (organisation_id, configuration_id): (i64, i64),
    id: i64,
) -> Result<GithubRepository> {
    let configuration = get(tx, caller, organisation_id, configuration_id).await?;
    let found = rows::repositories(tx, configuration.id).await?;
    found
        .into_iter()
        .find(|repository| repository.id == id)
        .ok_or_else(|| Error::no_match("GitHubRepository"))
}

fn repository_json(repository: &GithubRepository) -> Value {
    json!({
        "name": format!("{}/{}", repository.owner, repository.name), "project": repository.project_id,
        "tagging_enabled": repository.tagging_enabled,
    })
}

/// Puts what was given in its place, and refuses what can't be.
async fn apply(
    tx: &mut Tx,
    organisation_id: i64,
    repository: &mut GithubRepository,
    edit: RepositoryEdit,
) -> Result<()> {
    if let Some(id) = edit.project {
        let project = projects::find(tx, id).await?;
        if project.is_none_or(|project| project.organisation_id != organisation_id) {
            return Err(Error::no_such("project", id));
        }
        repository.project_id = id;
    }
    for (field, given, place) in [
        ("repository_owner", edit.owner, &mut repository.owner),
        ("repository_name", edit.name, &mut repository.name),
    ] {
        if let Some(name) = given {
            if !is_name(&name) {
                return Err(Error::field(
                    field,
                    "Enter a name as it stands in GitHub's addresses.",
                ));
            }
            *place = name;
        }
    }
    if let Some(enabled) = edit.tagging_enabled {
        repository.tagging_enabled = enabled;
    }
    let present = rows::of_project(tx, repository.project_id).await?;
    let is_same = |other: &GithubRepository| {
        other.id != repository.id
            && other.owner.eq_ignore_ascii_case(&repository.owner)
            && other.name.eq_ignore_ascii_case(&repository.name)
    };
    if present.iter().any(is_same) {
        return Err(Error::Rejected(json!({
            "non_field_errors": ["The project has this repository already."]
        })));
    }
    Ok(())
}

/// Adds a repository to a project.
pub async fn add_repository(
    app: &App,
    caller: &Caller,
    (organisation_id, configuration_id): (i64, i64),
    edit: RepositoryEdit,
) -> Result<GithubRepository> {
    let mut tx = app.begin().await?;
    let configuration = get(&mut tx, caller, organisation_id, configuration_id).await?;
    let mut made = GithubRepository {
        id: 0,
        configuration_id: configuration.id,
        project_id: 0,
        owner: String::new(),
        name: String::new(),
        tagging_enabled: false,
    };
    apply(&mut tx, organisation_id, &mut made, edit).await?;
    made.id = rows::insert_repository(&mut tx, &made).await?;
    let change = line(caller, organisation_id, Action::Create, made.id).after(repository_json(&made));
    let mut changes = vec![change.into()];
    changes.extend(tags::follow_all(&mut tx, made.project_id).await?);
    app.commit(tx, changes).await?;
    Ok(made)
}

/// Changes a repository.
pub async fn update_repository(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    id: i64,
    edit: RepositoryEdit,
) -> Result<GithubRepository> {
    let mut tx = app.begin().await?;
    let before = repository(&mut tx, caller, at, id).await?;
    let mut repository = before.clone();
    apply(&mut tx, at.0, &mut repository, edit).await?;
    rows::update_repository(&mut tx, &repository).await?;
    let change = line(caller, at.0, Action::Update, id)
        .before(repository_json(&before))
        .after(repository_json(&repository));
    let mut changes = vec![change.into()];
    changes.extend(tags::follow_all(&mut tx, before.project_id).await?);
    if repository.project_id != before.project_id {
        changes.extend(tags::follow_all(&mut tx, repository.project_id).await?);
    }
    app.commit(tx, changes).await?;
    Ok(repository)
}

/// Takes a repository away.
pub async fn delete_repository(app: &App, caller: &Caller, at: (i64, i64), id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let repository = repository(&mut tx, caller, at, id).await?;
    rows::delete_repository(&mut tx, id).await?;
    let change = line(caller, at.0, Action::Delete, id).before(repository_json(&repository));
    let mut changes = vec![change.into()];
    changes.extend(tags::follow_all(&mut tx, repository.project_id).await?);
    app.commit(tx, changes).await
}
