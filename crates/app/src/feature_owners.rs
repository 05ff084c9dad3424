//! Who owns a feature: users and groups.

use burgee_model::permissions::ProjectPermission;
use burgee_store::{Tx, feature_links};
use serde_json::{Value, json};

use crate::change::{Action, Change, Kind};
use crate::feature_list::{FeatureDetails, describe};
use crate::features::{find_in, project_for};
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
    let before = owners_json(&describe(&mut tx, feature.clone()).await?);
    for id in ids {
        match what {
            OwnerChange::AddUsers => feature_links::add_owner(&mut tx, feature_id, *id).await?,
            OwnerChange::RemoveUsers => feature_links::remove_owner(&mut tx, feature_id, *id).await?,
            OwnerChange::AddGroups => feature_links::add_group_owner(&mut tx, feature_id, *id).await?,
            OwnerChange::RemoveGroups => feature_links::remove_group_owner(&mut tx, feature_id, *id).await?,
        };
    }
    let details = describe(&mut tx, feature).await?;
    if project.enforce_feature_owners && details.owners.is_empty() && details.group_owners.is_empty() {
        return Err(Error::field(
            "owners",
            "This project requires every feature to have an owner.",
        ));
    }
    let change = Change::new(caller, Kind::Feature, Action::Update, feature_id)
        .in_project(&project)
        .uuid(&details.feature.uuid)
        .says(format!("Flag / Remote Config updated: {}", details.feature.name))
        .before(before)
        .after(owners_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// What the change log keeps of who owns a feature.
fn owners_json(details: &FeatureDetails) -> Value {
    let owners: Vec<_> = details.owners.iter().map(|owner| &owner.email).collect();
    let groups: Vec<_> = details.group_owners.iter().map(|group| &group.name).collect();
    json!({ "owners": owners, "group_owners": groups })
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
