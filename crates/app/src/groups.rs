//! Groups: members of an organisation who are granted things together.

use burgee_model::permissions::OrganisationPermission;
use burgee_store::{Tx, groups, members};
use serde_json::{Value, json};

pub use burgee_store::groups::{Group, GroupMember};

use crate::change::{Action, Change, Kind};
use crate::organisations::{for_admin, for_member};
use crate::{App, Caller, Error, Result};

/// A group with who is in it.
#[derive(Debug, Clone)]
pub struct GroupDetails {
    pub group: Group,
    pub members: Vec<GroupMember>,
}

/// The settings of a group.
#[derive(Debug, Clone, Default)]
pub struct GroupEdit {
    pub name: Option<String>,
    pub is_default: Option<bool>,
    pub external_id: Option<Option<String>>,
}

/// The groups the caller may manage: all of the organisation, or those he administers.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<GroupDetails>> {
    for_member(tx, caller, organisation_id).await?;
    let mut all = with_members(tx, organisation_id).await?;
    if !manages_all(tx, caller, organisation_id).await? {
        let me = caller.user_id();
        all.retain(|details| {
            details
                .members
                .iter()
                .any(|member| member.group_admin && Some(member.id) == me)
        });
    }
    Ok(all)
}

/// Every group of an organisation with its members.
pub(crate) async fn with_members(tx: &mut Tx, organisation_id: i64) -> Result<Vec<GroupDetails>> {
    let all_members = groups::members(tx, organisation_id).await?;
    let groups = groups::list(tx, organisation_id).await?;
    let details = groups.into_iter().map(|group| GroupDetails {
        members: all_members
            .iter()
            .filter(|member| member.group_id == group.id)
            .cloned()
            .collect(),
        group,
    });
    Ok(details.collect())
}

/// The groups of an organisation, by name only: for every member.
pub async fn summaries(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<Group>> {
    for_member(tx, caller, organisation_id).await?;
    Ok(groups::list(tx, organisation_id).await?)
}

/// The groups the caller is in.
pub async fn mine(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<Group>> {
    let user_id = caller.user()?.id;
    for_member(tx, caller, organisation_id).await?;
    Ok(groups::of_user(tx, organisation_id, user_id).await?)
}

/// One group, for who may manage it.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<GroupDetails> {
    let group = managed(tx, caller, organisation_id, id).await?;
    details(tx, group).await
}

async fn details(tx: &mut Tx, group: Group) -> Result<GroupDetails> {
    let mut members = groups::members(tx, group.organisation_id).await?;
    members.retain(|member| member.group_id == group.id);
    Ok(GroupDetails { group, members })
}

/// The group, for somebody who manages all groups or administers this one.
async fn managed(tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<Group> {
    for_member(tx, caller, organisation_id).await?;
    let group = groups::find(tx, organisation_id, id).await?;
    let of_his_own = match (&group, caller.user_id()) {
        (Some(group), Some(user_id)) => groups::is_admin(tx, group.id, user_id).await?,
        _ => false,
    };
    if !of_his_own && !manages_all(tx, caller, organisation_id).await? {
        return Err(Error::forbidden());
    }
    group.ok_or_else(no_group)
}

fn no_group() -> Error {
    Error::no_match("UserPermissionGroup")
}

async fn manages_all(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<bool> {
    let access = caller.organisation_access(tx, organisation_id).await?;
    Ok(access.is_some_and(|access| access.allows(OrganisationPermission::ManageUserGroups.key())))
}

/// Creates a group.
pub async fn create(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    edit: GroupEdit,
) -> Result<GroupDetails> {
    let mut tx = app.begin().await?;
    for_member(&mut tx, caller, organisation_id).await?;
    caller
        .require_in_organisation(&mut tx, organisation_id, OrganisationPermission::ManageUserGroups)
        .await?;
    let mut group = Group {
        id: 0,
        organisation_id,
        name: String::new(),
        is_default: false,
        external_id: None,
    };
    apply(&mut group, edit);
    group.id = groups::insert(&mut tx, &group).await?;
    let change = change(caller, &group, Action::Create).after(as_json(&group));
    app.commit(tx, vec![change.into()]).await?;
    Ok(GroupDetails {
        group,
        members: Vec::new(),
    })
}

/// Changes the settings of a group.
pub async fn update(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    edit: GroupEdit,
) -> Result<GroupDetails> {
    let mut tx = app.begin().await?;
    let before = managed(&mut tx, caller, organisation_id, id).await?;
    let mut group = before.clone();
    apply(&mut group, edit);
    groups::update(&mut tx, &group).await?;
    let change = change(caller, &group, Action::Update)
        .before(as_json(&before))
        .after(as_json(&group));
    let details = details(&mut tx, group).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

fn apply(group: &mut Group, edit: GroupEdit) {
    if let Some(name) = edit.name {
        group.name = name;
    }
    if let Some(is_default) = edit.is_default {
        group.is_default = is_default;
    }
    if let Some(external_id) = edit.external_id {
        group.external_id = external_id;
    }
}

/// Deletes a group with what was granted to it.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let group = managed(&mut tx, caller, organisation_id, id).await?;
    groups::delete(&mut tx, id).await?;
    let change = change(caller, &group, Action::Delete).before(as_json(&group));
    app.commit(tx, vec![change.into()]).await
}

/// Puts members of the organisation into a group.
pub async fn add_users(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    user_ids: &[i64],
) -> Result<GroupDetails> {
    let mut tx = app.begin().await?;
    let group = managed(&mut tx, caller, organisation_id, id).await?;
    let known = members::list(&mut tx, organisation_id).await?;
    if !user_ids
        .iter()
        .all(|id| known.iter().any(|member| member.id == *id))
    {
        return Err(Error::detail("Users  do not exist in this organisation"));
    }
    groups::add_users(&mut tx, id, user_ids).await?;
    let change = change(caller, &group, Action::Update).after(json!({ "users_added": user_ids }));
    let details = details(&mut tx, group).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Takes users out of a group; who is not in it is passed over.
pub async fn remove_users(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    user_ids: &[i64],
) -> Result<GroupDetails> {
    let mut tx = app.begin().await?;
    let group = managed(&mut tx, caller, organisation_id, id).await?;
    groups::remove_users(&mut tx, id, user_ids).await?;
    let change = change(caller, &group, Action::Update).after(json!({ "users_removed": user_ids }));
    let details = details(&mut tx, group).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Makes somebody in a group its administrator, or no longer.
pub async fn set_admin(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    user_id: i64,
    admin: bool,
) -> Result<()> {
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    let group = groups::find(&mut tx, organisation_id, id)
        .await?
        .ok_or_else(no_group)?;
    if groups::set_admin(&mut tx, id, user_id, admin).await? == 0 {
        return Err(Error::no_match("UserPermissionGroupMembership"));
    }
    let change =
        change(caller, &group, Action::Update).after(json!({ "user": user_id, "group_admin": admin }));
    app.commit(tx, vec![change.into()]).await
}

fn change(caller: &Caller, group: &Group, action: Action) -> Change {
    Change::new(caller, Kind::Group, action, group.id).in_organisation(group.organisation_id)
}

/// What the change log keeps of a group.
fn as_json(group: &Group) -> Value {
    json!({
        "name": group.name,
        "is_default": group.is_default,
        "external_id": group.external_id,
    })
}
