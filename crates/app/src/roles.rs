//! Roles: bundles of permissions, and who has them. What a role may do is in [`crate::role_permissions`].

use burgee_store::{DbError, Tx, groups, master_api_keys, organisations, roles, tags};
use serde_json::{Value, json};

pub use burgee_store::roles::{Holder, Role};

use crate::change::{Action, Change, Kind};
use crate::organisations::for_admin;
use crate::{App, Caller, Error, Result};

/// What may be set of a role. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct RoleEdit {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub tags: Option<Vec<i64>>,
}

/// The kinds of those who can have a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderKind {
    User,
    Group,
    MasterApiKey,
}

/// Somebody who can have a role, as clients name him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    User(i64),
    Group(i64),
    /// By the half of the key that is no secret.
    MasterApiKey(String),
}

/// Somebody who has a role.
#[derive(Debug, Clone)]
pub struct HolderDetails {
    pub holder: Holder,
    /// The prefix, where it is a master API key.
    pub prefix: Option<String>,
    pub role_name: String,
}

impl HolderKind {
    fn has(self, holder: &Holder) -> bool {
        match self {
            Self::User => holder.user_id.is_some(),
            Self::Group => holder.group_id.is_some(),
            Self::MasterApiKey => holder.master_api_key_id.is_some(),
        }
    }
}

impl Whom {
    /// The name of the field in a body.
    fn field(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::MasterApiKey(_) => "master_api_key",
        }
    }

    fn kind(&self) -> HolderKind {
        match self {
            Self::User(_) => HolderKind::User,
            Self::Group(_) => HolderKind::Group,
            Self::MasterApiKey(_) => HolderKind::MasterApiKey,
        }
    }

    /// What is said when the body names nobody of this organisation.
    fn no_such(&self) -> Error {
        let name = match self {
            Self::User(id) | Self::Group(id) => id.to_string(),
            Self::MasterApiKey(prefix) => prefix.clone(),
        };
        let text = format!("Invalid pk \"{name}\" - object does not exist.");
        Error::field(self.field(), text)
    }

    /// What is said when the path names nobody of this organisation.
    fn no_match(&self) -> Error {
        Error::no_match(match self {
            Self::User(_) => "FFAdminUser",
            Self::Group(_) => "UserPermissionGroup",
            Self::MasterApiKey(_) => "MasterAPIKey",
        })
    }

    /// A row that names him, when he is of this organisation. The `id` is not set.
    async fn row(&self, tx: &mut Tx, organisation_id: i64, role_id: i64) -> Result<Option<Holder>> {
        let mut holder = Holder {
            id: 0,
            role_id,
            user_id: None,
            group_id: None,
            master_api_key_id: None,
        };
        match self {
            Self::User(id) => {
                let member = organisations::role(tx, organisation_id, *id).await?;
                holder.user_id = member.map(|_| *id);
            }
            Self::Group(id) => {
                let group = groups::find(tx, organisation_id, *id).await?;
                holder.group_id = group.map(|group| group.id);
            }
            Self::MasterApiKey(text) => {
                // Whoever has the whole key may name it so.
                let prefix = text.split('.').next().unwrap_or_default();
                let all = master_api_keys::prefixes(tx, organisation_id).await?;
                let key = all.into_iter().find(|key| key.prefix == prefix);
                holder.master_api_key_id = key.map(|key| key.id);
            }
        }
        Ok(Some(holder).filter(|holder| self.kind().has(holder)))
    }
}

/// The roles of an organisation.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<Role>> {
    for_admin(tx, caller, organisation_id).await?;
    Ok(roles::list(tx, organisation_id).await?)
}

/// One role.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<Role> {
    for_admin(tx, caller, organisation_id).await?;
    roles::find(tx, organisation_id, id).await?.ok_or_else(no_role)
}

fn no_role() -> Error {
    Error::no_match("Role")
}

/// Creates a role, which may do nothing yet and which nobody has.
pub async fn create(app: &App, caller: &Caller, organisation_id: i64, edit: RoleEdit) -> Result<Role> {
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    let mut role = Role {
        id: 0,
        organisation_id,
        name: String::new(),
        description: None,
        tags: "[]".to_owned(),
    };
    apply(&mut tx, &mut role, edit).await?;
    role.id = roles::insert(&mut tx, &role).await?;
    let change = change(caller, &role, Action::Create).after(as_json(&role));
    app.commit(tx, vec![change.into()]).await?;
    Ok(role)
}

/// Changes a role.
pub async fn update(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    edit: RoleEdit,
) -> Result<Role> {
    let mut tx = app.begin().await?;
    let before = get(&mut tx, caller, organisation_id, id).await?;
    let mut role = before.clone();
    apply(&mut tx, &mut role, edit).await?;
    roles::update(&mut tx, &role).await?;
    let change = change(caller, &role, Action::Update)
        .before(as_json(&before))
        .after(as_json(&role));
    app.commit(tx, vec![change.into()]).await?;
    Ok(role)
}

async fn apply(tx: &mut Tx, role: &mut Role, edit: RoleEdit) -> Result<()> {
    if let Some(name) = edit.name {
        role.name = name;
    }
    if let Some(description) = edit.description {
        role.description = description;
    }
    if let Some(mut ids) = edit.tags {
        let present = role.tags();
        let known = tags::in_organisation(tx, role.organisation_id).await?;
        // A tag that was deleted since may stay: to take it away would widen what the role may do.
        let strange = |id: &&i64| !known.contains(id) && !present.contains(id);
        if let Some(id) = ids.iter().find(strange) {
            return Err(Error::no_such("tags", *id));
        }
        ids.sort_unstable();
        ids.dedup();
        role.tags = json!(ids).to_string();
    }
    Ok(())
}

/// Deletes a role: what it granted, nobody has through it any more.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let role = get(&mut tx, caller, organisation_id, id).await?;
    roles::delete(&mut tx, id).await?;
    let change = change(caller, &role, Action::Delete).before(as_json(&role));
    app.commit(tx, vec![change.into()]).await
}

/// Who of one kind has a role.
pub async fn holders(
    tx: &mut Tx,
    caller: &Caller,
    (organisation_id, role_id): (i64, i64),
    kind: HolderKind,
) -> Result<Vec<HolderDetails>> {
    let role = get(tx, caller, organisation_id, role_id).await?;
    let mut found = roles::holders(tx, role_id).await?;
    found.retain(|holder| kind.has(holder));
    let keys = match kind {
        HolderKind::MasterApiKey => master_api_keys::prefixes(tx, organisation_id).await?,
        _ => Vec::new(),
    };
    let details = found.into_iter().map(|holder| {
        let key = keys.iter().find(|key| Some(key.id) == holder.master_api_key_id);
        HolderDetails {
            prefix: key.map(|key| key.prefix.clone()),
            role_name: role.name.clone(),
            holder,
        }
    });
    Ok(details.collect())
}

/// One of those who have a role.
pub async fn holder(
    tx: &mut Tx,
    caller: &Caller,
    at: (i64, i64),
    kind: HolderKind,
    id: i64,
) -> Result<HolderDetails> {
    let all = holders(tx, caller, at, kind).await?;
    all.into_iter()
        .find(|details| details.holder.id == id)
        .ok_or_else(Error::not_found)
}

/// Gives a role to somebody.
pub async fn give(
    app: &App,
    caller: &Caller,
    (organisation_id, role_id): (i64, i64),
    whom: &Whom,
) -> Result<HolderDetails> {
    let mut tx = app.begin().await?;
    let role = get(&mut tx, caller, organisation_id, role_id).await?;
    let mut row = whom
        .row(&mut tx, organisation_id, role_id)
        .await?
        .ok_or_else(|| whom.no_such())?;
    row.id = match roles::give(&mut tx, &row).await {
        Err(DbError::Conflict(_)) => return Err(has_it(whom)),
        other => other?,
    };
    let change = change(caller, &role, Action::Update).after(json!({ "given_to": holder_json(&row) }));
    let details = holder(&mut tx, caller, (organisation_id, role_id), whom.kind(), row.id).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

fn has_it(whom: &Whom) -> Error {
    let kind = whom.field().replace('_', " ");
    Error::field(whom.field(), format!("This {kind} has this role already."))
}

/// Gives a role to somebody in the place of somebody else of the same kind.
pub async fn pass(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    (kind, id): (HolderKind, i64),
    whom: Option<&Whom>,
) -> Result<HolderDetails> {
    let mut tx = app.begin().await?;
    let before = holder(&mut tx, caller, at, kind, id).await?;
    let Some(whom) = whom else {
        return Ok(before);
    };
    let role = get(&mut tx, caller, at.0, at.1).await?;
    let row = whom.row(&mut tx, at.0, at.1).await?;
    let mut row = row.ok_or_else(|| whom.no_such())?;
    row.id = id;
    match roles::pass(&mut tx, &row).await {
        Err(DbError::Conflict(_)) => return Err(has_it(whom)),
        other => other?,
    };
    let change = change(caller, &role, Action::Update)
        .before(json!({ "given_to": holder_json(&before.holder) }))
        .after(json!({ "given_to": holder_json(&row) }));
    let details = holder(&mut tx, caller, at, kind, id).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Takes a role from somebody.
pub async fn take(app: &App, caller: &Caller, at: (i64, i64), kind: HolderKind, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let found = holder(&mut tx, caller, at, kind, id).await?;
    let role = get(&mut tx, caller, at.0, at.1).await?;
    take_from(app, tx, caller, &role, &found.holder).await
}

async fn take_from(app: &App, mut tx: Tx, caller: &Caller, role: &Role, holder: &Holder) -> Result<()> {
    roles::take(&mut tx, holder.id).await?;
    let change = change(caller, role, Action::Update).before(json!({ "given_to": holder_json(holder) }));
    app.commit(tx, vec![change.into()]).await
}

/// The roles somebody has himself: those of his groups are not among them.
pub async fn of(tx: &mut Tx, caller: &Caller, organisation_id: i64, whom: &Whom) -> Result<Vec<Role>> {
    for_admin(tx, caller, organisation_id).await?;
    let rows = rows_of(tx, organisation_id, whom).await?;
    let mut all = roles::list(tx, organisation_id).await?;
    all.retain(|role| rows.iter().any(|row| row.role_id == role.id));
    Ok(all)
}

async fn rows_of(tx: &mut Tx, organisation_id: i64, whom: &Whom) -> Result<Vec<Holder>> {
    let row = whom.row(tx, organisation_id, 0).await?;
    let row = row.ok_or_else(|| whom.no_match())?;
    let ids = (row.user_id, row.group_id, row.master_api_key_id);
    Ok(roles::of_holder(tx, organisation_id, ids).await?)
}

/// Takes one role from somebody, named by him.
pub async fn detach(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    whom: &Whom,
    role_id: i64,
) -> Result<()> {
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    let rows = rows_of(&mut tx, organisation_id, whom).await?;
    let row = rows.into_iter().find(|row| row.role_id == role_id);
    let row = row.ok_or_else(no_role)?;
    let role = get(&mut tx, caller, organisation_id, role_id).await?;
    take_from(app, tx, caller, &role, &row).await
}

pub(crate) fn change(caller: &Caller, role: &Role, action: Action) -> Change {
    Change::new(caller, Kind::Role, action, role.id).in_organisation(role.organisation_id)
}

/// What the change log keeps of a role.
fn as_json(role: &Role) -> Value {
    json!({ "name": role.name, "description": role.description, "tags": role.tags() })
}

fn holder_json(holder: &Holder) -> Value {
    json!({ "user": holder.user_id, "group": holder.group_id, "master_api_key": holder.master_api_key_id })
}
