//! Permissions at an organisation, a project or an environment: what there is, who has what, and granting it.
//!
//! The three levels work alike; they differ in their keys and in who may look and grant ([`Target`]).

use std::collections::{BTreeMap, BTreeSet};

use burgee_model::Problems;
use burgee_model::permissions::{EnvironmentPermission, OrganisationPermission, ProjectPermission};
use burgee_store::grants::{self, At, Held, Object};
use burgee_store::{DbError, Tx, groups, organisations, users};
use serde_json::json;

pub use burgee_store::grants::Grant;

use crate::caller::effective;
use crate::change::{Action, Change, Kind};
use crate::groups::GroupDetails;
use crate::organisations::for_member;
use crate::projects::{self, Project};
use crate::sessions::person;
use crate::users::User;
use crate::{Access, App, Caller, Error, Place, Result};

/// Where permissions are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Organisation,
    Project,
    Environment,
}

/// One permission of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    pub key: &'static str,
    pub description: &'static str,
    pub supports_tag: bool,
}

impl Level {
    /// The permissions of this level.
    pub fn permissions(self) -> Vec<Permission> {
        macro_rules! all {
            ($level:ty) => {
                <$level>::ALL
                    .iter()
                    .map(|permission| Permission {
                        key: permission.key(),
                        description: permission.description(),
                        supports_tag: permission.supports_tag(),
                    })
                    .collect()
            };
        }
        match self {
            Self::Organisation => all!(OrganisationPermission),
            Self::Project => all!(ProjectPermission),
            Self::Environment => all!(EnvironmentPermission),
        }
    }

    /// The given keys in the order of the level.
    fn in_order(self, keys: &BTreeSet<String>) -> Vec<String> {
        let all = self.permissions().into_iter();
        all.filter(|permission| keys.contains(permission.key))
            .map(|permission| permission.key.to_owned())
            .collect()
    }
}

/// The object whose permissions are spoken of. Who has one in hand may see the object.
#[derive(Debug, Clone)]
pub enum Target {
    Organisation(i64),
    Project(Box<Project>),
    Environment(Box<Place>),
}

impl Target {
    /// The object a path names, for somebody who may see it: by id, or for an environment by client-side key.
    pub async fn find(tx: &mut Tx, caller: &Caller, level: Level, name: &str) -> Result<Self> {
        match level {
            Level::Organisation => {
                let id = name
                    .parse()
                    .map_err(|_| Error::Rejected(json!(["Invalid organisation ID"])))?;
                Ok(Self::Organisation(for_member(tx, caller, id).await?.id))
            }
            Level::Project => {
                let id = name.parse().map_err(|_| Error::no_match("Project"))?;
                Ok(Self::Project(Box::new(projects::get(tx, caller, id).await?)))
            }
            Level::Environment => {
                let place = Place::by_key(tx, name).await?;
                let place = place.ok_or_else(|| Error::no_match("Environment"))?;
                caller
                    .require_in_environment(tx, &place, EnvironmentPermission::ViewEnvironment)
                    .await?;
                Ok(Self::Environment(Box::new(place)))
            }
        }
    }

    /// The level it is on.
    pub fn level(&self) -> Level {
        match self {
            Self::Organisation(_) => Level::Organisation,
            Self::Project(_) => Level::Project,
            Self::Environment(_) => Level::Environment,
        }
    }

    fn organisation_id(&self) -> i64 {
        match self {
            Self::Organisation(id) => *id,
            Self::Project(project) => project.organisation_id,
            Self::Environment(place) => place.project.organisation_id,
        }
    }

    fn object(&self) -> Object {
        match self {
            Self::Organisation(id) => Object::Organisation(*id),
            Self::Project(project) => Object::Project(project.id),
            Self::Environment(place) => Object::Environment(place.environment.id),
        }
    }

    /// Where grants are that count here: at an environment also those at its project.
    fn places(&self) -> At {
        match self {
            Self::Environment(place) => (None, Some(place.project.id), Some(place.environment.id)),
            _ => self.object().columns(),
        }
    }

    /// Whether a grant is at this very object.
    fn is_of(&self, held: &Held) -> bool {
        (held.organisation_id, held.project_id, held.environment_id) == self.object().columns()
    }

    /// What somebody may do here.
    async fn access(&self, tx: &mut Tx, caller: &Caller) -> Result<Access> {
        match self {
            Self::Organisation(id) => Ok(caller.organisation_access(tx, *id).await?.unwrap_or_default()),
            Self::Project(project) => caller.project_access(tx, project).await,
            Self::Environment(place) => {
                caller
                    .environment_access(tx, &place.project, &place.environment)
                    .await
            }
        }
    }

    async fn require_admin(&self, tx: &mut Tx, caller: &Caller) -> Result<()> {
        match self {
            Self::Organisation(id) => caller.require_organisation_admin(tx, *id).await,
            Self::Project(project) => caller.require_project_admin(tx, project).await,
            Self::Environment(place) => caller.require_environment_admin(tx, place).await,
        }
    }

    /// Grants are shown to administrators; those at an environment to everybody who sees it.
    async fn require_see_grants(&self, tx: &mut Tx, caller: &Caller) -> Result<()> {
        match self {
            Self::Environment(_) => Ok(()),
            _ => self.require_admin(tx, caller).await,
        }
    }

    fn change(&self, caller: &Caller, action: Action, grant: &Grant) -> Change {
        let change = Change::new(caller, Kind::Permission, action, grant.id);
        match self {
            Self::Organisation(id) => change.in_organisation(*id),
            Self::Project(project) => change.in_project(project),
            Self::Environment(place) => change.in_environment(place),
        }
    }
}

/// What somebody may do at an object, in the order of the level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub admin: bool,
    pub keys: Vec<String>,
    /// What he may do on features with certain tags only: permissions and the tags.
    pub limited: Vec<(Vec<String>, Vec<i64>)>,
}

/// What the caller may do at an object.
pub async fn mine(tx: &mut Tx, caller: &Caller, level: Level, name: &str) -> Result<Summary> {
    person(caller)?;
    let target = Target::find(tx, caller, level, name).await?;
    summary(tx, &target, caller).await
}

async fn summary(tx: &mut Tx, target: &Target, caller: &Caller) -> Result<Summary> {
    let access = target.access(tx, caller).await?;
    let level = target.level();
    Ok(Summary {
        admin: access.admin,
        keys: level.in_order(&access.keys),
        limited: by_tags(level, &access),
    })
}

/// The limited permissions, those with the same tags together. What is also there without a limit is left out.
fn by_tags(level: Level, access: &Access) -> Vec<(Vec<String>, Vec<i64>)> {
    let mut groups: BTreeMap<Vec<i64>, BTreeSet<String>> = BTreeMap::new();
    for (key, tags) in &access.limited {
        if !access.keys.contains(key) {
            let tags = tags.iter().copied().collect();
            groups.entry(tags).or_default().insert(key.clone());
        }
    }
    let in_order = groups
        .into_iter()
        .map(|(tags, keys)| (level.in_order(&keys), tags));
    in_order.collect()
}

/// What another member may do at an object, for its administrators.
pub async fn of_user(
    tx: &mut Tx,
    caller: &Caller,
    level: Level,
    name: &str,
    user_id: i64,
) -> Result<Summary> {
    let target = Target::find(tx, caller, level, name).await?;
    target.require_admin(tx, caller).await?;
    let user = member(tx, &target, user_id).await?;
    match summary(tx, &target, &Caller::User(user)).await {
        // His organisation keeps him out for now: he may do nothing.
        Err(Error::Forbidden(_)) => Ok(Summary::default()),
        outcome => outcome,
    }
}

/// A member of the organisation that the object belongs to.
async fn member(tx: &mut Tx, target: &Target, user_id: i64) -> Result<User> {
    let none = || Error::no_match("FFAdminUser");
    if organisations::role(tx, target.organisation_id(), user_id)
        .await?
        .is_none()
    {
        return Err(none());
    }
    users::find(tx, user_id).await?.ok_or_else(none)
}

/// Where a right comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// From the user's own grant or role.
    pub direct: bool,
    /// From these groups: id and name.
    pub groups: Vec<(i64, String)>,
    /// From these roles, whether his own or those of his groups.
    pub roles: Vec<FromRole>,
}

/// A role somebody has a right from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromRole {
    pub id: i64,
    pub name: String,
    /// The tags the right is limited to.
    pub tags: Vec<i64>,
}

impl Origin {
    fn add(&mut self, held: &Held, tags: &[i64]) {
        self.direct |= held.user_id.is_some();
        let group = held.group_id.zip(held.group_name.clone());
        if let Some(group) = group.filter(|group| !self.groups.contains(group)) {
            self.groups.push(group);
        }
        if let Some((id, name)) = held.role_id.zip(held.role_name.clone()) {
            let tags = tags.to_vec();
            let role = FromRole { id, name, tags };
            if !self.roles.contains(&role) {
                self.roles.push(role);
            }
        }
    }
}

/// What a member may do at an object, and why.
#[derive(Debug, Clone)]
pub struct Detailed {
    pub admin: bool,
    pub admin_origin: Origin,
    pub permissions: Vec<(String, Origin)>,
}

/// What a member may do at an object, and why.
pub async fn detailed(
    tx: &mut Tx,
    caller: &Caller,
    level: Level,
    name: &str,
    user_id: i64,
) -> Result<Detailed> {
    let target = Target::find(tx, caller, level, name).await?;
    let user = member(tx, &target, user_id).await?;
    let role = organisations::role(tx, target.organisation_id(), user_id).await?;
    let all = Caller::User(user).held(tx, target.places()).await?;
    let mut admin_origin = Origin {
        direct: role.as_deref() == Some("ADMIN"),
        ..Origin::default()
    };
    for held in all.iter().filter(|held| held.admin) {
        admin_origin.add(held, &[]);
    }
    let mut origins: BTreeMap<String, Origin> = BTreeMap::new();
    // Of what is granted at the project only its administration reaches down to an environment.
    for held in all.iter().filter(|held| target.is_of(held)) {
        for (key, tags) in effective(held) {
            origins.entry(key).or_default().add(held, &tags);
        }
    }
    let keys = origins.keys().cloned().collect();
    let permissions = level.in_order(&keys).into_iter().map(|key| {
        let origin = origins.remove(&key).unwrap_or_default();
        (key, origin)
    });
    Ok(Detailed {
        admin: role.as_deref() == Some("ADMIN") || all.iter().any(|held| held.admin),
        admin_origin,
        permissions: permissions.collect(),
    })
}

/// To whom something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kin {
    User,
    Group,
}

impl Kin {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    /// The id of whom a grant is for, when it is for this kind.
    pub fn id_in(self, grant: &Grant) -> Option<i64> {
        match self {
            Self::User => grant.user_id,
            Self::Group => grant.group_id,
        }
    }
}

/// The one to whom something is granted.
#[derive(Debug, Clone)]
pub enum Grantee {
    User(User),
    Group(GroupDetails),
}

/// The grants of one kind at an object, with whom they are for.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    level: Level,
    name: &str,
    kin: Kin,
) -> Result<Vec<(Grant, Grantee)>> {
    let target = Target::find(tx, caller, level, name).await?;
    target.require_see_grants(tx, caller).await?;
    let found = grants::list(tx, target.object()).await?;
    let ids: Vec<i64> = found.iter().filter_map(|grant| grant.user_id).collect();
    let users = users::find_all(tx, &ids).await?;
    let groups = crate::groups::with_members(tx, target.organisation_id()).await?;
    let with_grantee = found.into_iter().filter_map(|grant| {
        let id = kin.id_in(&grant)?;
        let grantee = match kin {
            Kin::User => Grantee::User(users.iter().find(|user| user.id == id)?.clone()),
            Kin::Group => Grantee::Group(groups.iter().find(|details| details.group.id == id)?.clone()),
        };
        Some((grant, grantee))
    });
    Ok(with_grantee.collect())
}

/// One grant, for an administrator of the object.
pub async fn get(tx: &mut Tx, caller: &Caller, level: Level, name: &str, kin: Kin, id: i64) -> Result<Grant> {
    let target = Target::find(tx, caller, level, name).await?;
    target.require_admin(tx, caller).await?;
    find(tx, &target, kin, id).await
}

/// A grant at this object: one of another object is as good as none.
async fn find(tx: &mut Tx, target: &Target, kin: Kin, id: i64) -> Result<Grant> {
    grants::list(tx, target.object())
        .await?
        .into_iter()
        .find(|grant| grant.id == id && kin.id_in(grant).is_some())
        .ok_or_else(Error::not_found)
}

/// What a grant is to say.
#[derive(Debug, Clone, Default)]
pub struct GrantEdit {
    /// The user or group. Can't be changed later.
    pub grantee: Option<i64>,
    pub admin: Option<bool>,
    pub permissions: Option<Vec<String>>,
}

/// Grants something to a user or a group.
pub async fn create(
    app: &App,
    caller: &Caller,
    level: Level,
    name: &str,
    kin: Kin,
    edit: GrantEdit,
) -> Result<Grant> {
    let mut tx = app.begin().await?;
    let target = Target::find(&mut tx, caller, level, name).await?;
    target.require_admin(&mut tx, caller).await?;
    let id = grantee(&mut tx, &target, kin, edit.grantee.unwrap_or_default()).await?;
    let (organisation_id, project_id, environment_id) = target.object().columns();
    let mut grant = Grant {
        id: 0,
        organisation_id,
        project_id,
        environment_id,
        user_id: (kin == Kin::User).then_some(id),
        group_id: (kin == Kin::Group).then_some(id),
        role_id: None,
        admin: false,
        permissions: "[]".to_owned(),
    };
    apply(level, &mut grant, edit)?;
    let taken = || {
        let text = format!(
            "This {} has permissions here already: change those instead.",
            kin.as_str()
        );
        Error::field(kin.as_str(), text)
    };
    let present = grants::list(&mut tx, target.object()).await?;
    if present.iter().any(|other| kin.id_in(other) == Some(id)) {
        return Err(taken());
    }
    grant.id = match grants::insert(&mut tx, &grant).await {
        Err(DbError::Conflict(_)) => return Err(taken()),
        other => other?,
    };
    let change = target
        .change(caller, Action::Create, &grant)
        .after(as_json(&grant));
    app.commit(tx, vec![change.into()]).await?;
    Ok(grant)
}

/// Whom something is granted: a member or a group of the organisation, and nobody else.
async fn grantee(tx: &mut Tx, target: &Target, kin: Kin, id: i64) -> Result<i64> {
    let organisation_id = target.organisation_id();
    let known = match kin {
        Kin::User => organisations::role(tx, organisation_id, id).await?.is_some(),
        Kin::Group => groups::find(tx, organisation_id, id).await?.is_some(),
    };
    if known {
        Ok(id)
    } else {
        let text = format!("Invalid pk \"{id}\" - object does not exist.");
        Err(Error::field(kin.as_str(), text))
    }
}

/// Changes what a grant allows.
pub async fn update(
    app: &App,
    caller: &Caller,
    level: Level,
    name: &str,
    kin: Kin,
    id: i64,
    edit: GrantEdit,
) -> Result<Grant> {
    let mut tx = app.begin().await?;
    let target = Target::find(&mut tx, caller, level, name).await?;
    target.require_admin(&mut tx, caller).await?;
    let before = find(&mut tx, &target, kin, id).await?;
    if edit.grantee.is_some() && edit.grantee != kin.id_in(&before) {
        let text = format!(
            "The {} of a grant can't be changed. Create another one.",
            kin.as_str()
        );
        return Err(Error::field(kin.as_str(), text));
    }
    let mut grant = before.clone();
    apply(level, &mut grant, edit)?;
    grants::update(&mut tx, &grant).await?;
    let change = target
        .change(caller, Action::Update, &grant)
        .before(as_json(&before))
        .after(as_json(&grant));
    app.commit(tx, vec![change.into()]).await?;
    Ok(grant)
}

fn apply(level: Level, grant: &mut Grant, edit: GrantEdit) -> Result<()> {
    if let Some(keys) = edit.permissions {
        let known = level.permissions();
        let mut problems = Problems::new();
        let mut distinct: Vec<String> = Vec::new();
        for key in keys {
            if !known.iter().any(|permission| permission.key == key) {
                let text = format!("Invalid pk \"{key}\" - object does not exist.");
                problems.add("permissions", text);
            } else if !distinct.contains(&key) {
                distinct.push(key);
            }
        }
        problems.check()?;
        grant.permissions = json!(distinct).to_string();
    }
    // An organisation's administrators are told by their role, not by a grant.
    if level != Level::Organisation {
        grant.admin = edit.admin.unwrap_or(grant.admin);
    }
    Ok(())
}

/// Takes a grant back.
pub async fn delete(app: &App, caller: &Caller, level: Level, name: &str, kin: Kin, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let target = Target::find(&mut tx, caller, level, name).await?;
    target.require_admin(&mut tx, caller).await?;
    let grant = find(&mut tx, &target, kin, id).await?;
    grants::delete(&mut tx, id).await?;
    let change = target
        .change(caller, Action::Delete, &grant)
        .before(as_json(&grant));
    app.commit(tx, vec![change.into()]).await
}

/// What the change log keeps of a grant.
pub(crate) fn as_json(grant: &Grant) -> serde_json::Value {
    json!({
        "user": grant.user_id,
        "group": grant.group_id,
        "admin": grant.admin,
        "permissions": grant.keys(),
    })
}
