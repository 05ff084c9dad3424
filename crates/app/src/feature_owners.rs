//! Who owns a feature: users and groups.

use burgee_model::permissions::ProjectPermission;
use burgee_store::changes::NewChange;
use burgee_store::projects::Project;
use burgee_store::{Tx, feature_links, groups, members};
use serde_json::{Value, json};

use crate::change::{Action, Change, Kind};
use crate::feature_list::{FeatureDetails, describe};
use crate::features::{Feature, find_in, project_for};
use crate::{App, Caller, Error, Result};

/// What to do to the owners of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerChange {
    AddUsers,
    RemoveUsers,
    AddGroups,
    RemoveGroups,
}

/// Adds or removes owners.
pub async fn change(
    app: &App,
    caller: &Caller,
    (project_id, feature_id): (i64, i64),
    what: OwnerChange,
    ids: &[i64],
) -> Result<FeatureDetails> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let feature = find_in(&mut tx, project_id, feature_id).await?;
    check(&mut tx, project.organisation_id, what, ids).await?;
    let before = snapshot(&mut tx, &feature).await?;
    for id in ids {
        match what {
            OwnerChange::AddUsers => feature_links::add_owner(&mut tx, feature_id, *id).await?,
            OwnerChange::RemoveUsers => feature_links::remove_owner(&mut tx, feature_id, *id).await?,
            OwnerChange::AddGroups => feature_links::add_group_owner(&mut tx, feature_id, *id).await?,
            OwnerChange::RemoveGroups => feature_links::remove_group_owner(&mut tx, feature_id, *id).await?,
        };
    }
    let change = changed(&mut tx, caller, &project, &feature, before).await?;
    let details = describe(&mut tx, feature).await?;
    app.commit(tx, vec![change]).await?;
    Ok(details)
}

/// Makes these the owners of a feature, in the transaction of a larger act: members by their addresses, groups by their
/// names. Who is neither any more is passed over.
pub(crate) async fn put(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    feature: Feature,
    (emails, names): (&[String], &[String]),
) -> Result<NewChange> {
    let before = snapshot(tx, &feature).await?;
    let (id, organisation_id) = (feature.id, project.organisation_id);
    for owner in feature_links::owners(tx, project.id, Some(id)).await? {
        if !emails.contains(&owner.email) {
            feature_links::remove_owner(tx, id, owner.id).await?;
        }
    }
    for member in members::list(tx, organisation_id).await? {
        if emails.contains(&member.email) {
            feature_links::add_owner(tx, id, member.id).await?;
        }
    }
    for group in feature_links::group_owners(tx, project.id, Some(id)).await? {
        if !names.contains(&group.name) {
            feature_links::remove_group_owner(tx, id, group.id).await?;
        }
    }
    for group in groups::list(tx, organisation_id).await? {
        if names.contains(&group.name) {
            feature_links::add_group_owner(tx, id, group.id).await?;
        }
    }
    changed(tx, caller, project, &feature, before).await
}

/// The line of the log for other owners than before. Fails where there must be one and is none.
async fn changed(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    feature: &Feature,
    before: Value,
) -> Result<NewChange> {
    let after = snapshot(tx, feature).await?;
    if project.enforce_feature_owners && after == json!({ "owners": [], "group_owners": [] }) {
        return Err(Error::field(
            "owners",
            "This project requires every feature to have an owner.",
        ));
    }
    let change = Change::new(caller, Kind::Feature, Action::Update, feature.id)
        .in_project(project)
        .uuid(&feature.uuid)
        .says(format!("Flag / Remote Config updated: {}", feature.name))
        .before(before)
        .after(after);
    Ok(change.into())
}

/// What the change log keeps of who owns a feature.
pub(crate) async fn snapshot(tx: &mut Tx, feature: &Feature) -> Result<Value> {
    let (project, id) = (feature.project_id, Some(feature.id));
    let owners = feature_links::owners(tx, project, id).await?;
    let groups = feature_links::group_owners(tx, project, id).await?;
    let owners: Vec<_> = owners.iter().map(|owner| &owner.email).collect();
    let groups: Vec<_> = groups.iter().map(|group| &group.name).collect();
    Ok(json!({ "owners": owners, "group_owners": groups }))
}

/// Only members and groups of the organisation can own something.
async fn check(tx: &mut Tx, organisation_id: i64, what: OwnerChange, ids: &[i64]) -> Result<()> {
    let (known, text) = match what {
        OwnerChange::AddUsers => (
            feature_links::members(tx, organisation_id, ids).await?,
            "Some users not found",
        ),
        OwnerChange::AddGroups => (
            feature_links::groups(tx, organisation_id, ids).await?,
            "Some groups not found",
        ),
        OwnerChange::RemoveUsers | OwnerChange::RemoveGroups => return Ok(()),
    };
    if ids.iter().all(|id| known.contains(id)) {
        Ok(())
    } else {
        Err(Error::Rejected(json!([text])))
    }
}
