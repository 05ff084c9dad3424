//! SCIM: an identity provider keeps the members of an organisation and their groups.
//!
//! It signs in with a token of the organisation. What it may touch is bounded by that: membership in this organisation,
//! its groups, and the accounts that it made itself, as long as they belong to no other organisation. Other people's
//! accounts it can bring in and put out, but neither rename nor lock: they may be somebody else's as well.

use std::collections::{HashMap, HashSet};

use burgee_auth::tokens;
use burgee_model::{Timestamp, keys};
use burgee_store::scim;
use burgee_store::{Tx, groups, members, users};
use serde_json::json;

pub use burgee_store::scim::{Configuration, Person};

use crate::change::{Action, Change, Kind};
use crate::groups::GroupDetails;
use crate::members::{Role, require_an_admin};
use crate::organisations::for_admin;
use crate::users::User;
use crate::{App, Caller, Error, Result, sessions};

/// Why the provider is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token is missing or wrong.
    #[error("not authenticated")]
    Unauthenticated,
    #[error("not found")]
    NotFound,
    /// There is one of this name already.
    #[error("conflict: {0}")]
    Taken(&'static str),
    /// The filter of a list can't be read.
    #[error("invalid filter")]
    InvalidFilter,
    /// A value can't be so.
    #[error("invalid: {0}")]
    InvalidValue(String),
    /// A value can't be changed by the provider.
    #[error("immutable: {0}")]
    Mutability(&'static str),
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<burgee_store::DbError> for Refusal {
    fn from(error: burgee_store::DbError) -> Self {
        Self::Other(error.into())
    }
}

/// What acts for a provider return.
pub type Outcome<T> = std::result::Result<T, Refusal>;

/// The configuration of an organisation.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Configuration> {
    require(tx, caller, organisation_id).await?;
    let found = scim::find(tx, organisation_id).await?;
    found.ok_or_else(|| Error::no_match("ScimConfiguration"))
}

/// People set it up, as they make keys.
async fn require(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<()> {
    caller.user()?;
    for_admin(tx, caller, organisation_id).await.map(drop)
}

/// Sets SCIM up, once. Returns the token as well, which is not kept and can't be shown again.
pub async fn create(app: &App, caller: &Caller, organisation_id: i64) -> Result<(Configuration, String)> {
    let mut tx = app.begin().await?;
    require(&mut tx, caller, organisation_id).await?;
    if scim::find(&mut tx, organisation_id).await?.is_some() {
        return Err(Error::detail("SCIM is set up for this organisation already."));
    }
    put(app, tx, caller, organisation_id, None).await
}

/// Gives a new token; the present one ends.
pub async fn regenerate(app: &App, caller: &Caller, organisation_id: i64) -> Result<(Configuration, String)> {
    let mut tx = app.begin().await?;
    let present = get(&mut tx, caller, organisation_id).await?;
    put(app, tx, caller, organisation_id, Some(present)).await
}

async fn put(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    organisation_id: i64,
    present: Option<Configuration>,
) -> Result<(Configuration, String)> {
    let token = format!("scim_{}", keys::user_token());
    let now = Timestamp::now().0;
    let action = present.as_ref().map_or(Action::Create, |_| Action::Update);
    let configuration = Configuration {
        organisation_id,
        token_hash: tokens::lookup_hash(&token),
        created_at: present.map_or(now, |present| present.created_at),
        token_created_at: now,
    };
    scim::put(&mut tx, &configuration).await?;
    let change = Change::new(caller, Kind::Scim, action, organisation_id)
        .in_organisation(organisation_id)
        .after(json!({ "token_created_at": now }));
    app.commit(tx, vec![change.into()]).await?;
    Ok((configuration, token))
}

/// Lets the provider in no more. The members stay.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    get(&mut tx, caller, organisation_id).await?;
    scim::delete(&mut tx, organisation_id).await?;
    let change =
        Change::new(caller, Kind::Scim, Action::Delete, organisation_id).in_organisation(organisation_id);
    app.commit(tx, vec![change.into()]).await
}

/// The organisation whose provider has this token.
pub async fn sign_in(tx: &mut Tx, token: &str) -> Outcome<i64> {
    let found = scim::find_by_token(tx, &tokens::lookup_hash(token)).await?;
    found
        .map(|found| found.organisation_id)
        .ok_or(Refusal::Unauthenticated)
}

/// What a provider says about a user. What it does not say stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonEdit {
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub external_id: Option<Option<String>>,
    pub active: Option<bool>,
}

/// The members of an organisation, and those whom the provider has put out of it.
pub async fn people(tx: &mut Tx, organisation_id: i64) -> Outcome<Vec<Person>> {
    Ok(scim::people(tx, organisation_id, None).await?)
}

/// One of them, by uuid.
pub async fn person(tx: &mut Tx, organisation_id: i64, uuid: &str) -> Outcome<Person> {
    let found = scim::people(tx, organisation_id, Some(uuid)).await?;
    found.into_iter().next().ok_or(Refusal::NotFound)
}

/// Brings a user in: an account of that address if there is one, else a new one.
pub async fn create_person(app: &App, organisation_id: i64, edit: PersonEdit) -> Outcome<Person> {
    let email = edit.email.clone().unwrap_or_default();
    let mut tx = app.begin().await?;
    let present = people(&mut tx, organisation_id).await?;
    if present.iter().any(|person| person.email == email) {
        return Err(Refusal::Taken("There is a user of this name already."));
    }
    let mut changes = Vec::new();
    let found = users::find_by_email(&mut tx, &email).await?;
    let (user, provisioned) = if let Some(user) = found {
        (user, false)
    } else {
        let mut user = blank(email, &edit);
        user.id = users::insert(&mut tx, &user).await?;
        changes.push(
            crate::users::created(&user)
                .in_organisation(organisation_id)
                .into(),
        );
        (user, true)
    };
    let external_id = edit.external_id.flatten();
    scim::put_user(
        &mut tx,
        organisation_id,
        user.id,
        external_id.as_deref(),
        provisioned,
    )
    .await?;
    let person = person(&mut tx, organisation_id, &user.uuid).await?;
    if edit.active.unwrap_or(true) {
        activate(&mut tx, organisation_id, &person).await?;
    } else if provisioned {
        users::set_active(&mut tx, user.id, false).await?;
    }
    let person = self::person(&mut tx, organisation_id, &user.uuid).await?;
    changes.push(change(organisation_id, &person, Action::Create).into());
    app.commit(tx, changes).await?;
    Ok(person)
}

/// Somebody who signs in through another system, or sets a password by mail.
fn blank(email: String, edit: &PersonEdit) -> User {
    User {
        id: 0,
        uuid: keys::uuid().to_string(),
        email,
        first_name: edit.first_name.clone().unwrap_or_default(),
        last_name: edit.last_name.clone().unwrap_or_default(),
        password: None,
        is_active: true,
        is_superuser: false,
        sign_up_type: None,
        marketing_consent_given: false,
        onboarding: None,
        date_joined: Timestamp::now().0,
        last_login: None,
    }
}

/// Changes what is known of a user, brings him in or puts him out.
pub async fn update_person(app: &App, organisation_id: i64, uuid: &str, edit: PersonEdit) -> Outcome<Person> {
    let mut tx = app.begin().await?;
    let before = person(&mut tx, organisation_id, uuid).await?;
    rename(&mut tx, organisation_id, &before, &edit).await?;
    if let Some(external_id) = &edit.external_id {
        let external_id = external_id.as_deref();
        scim::put_user(&mut tx, organisation_id, before.id, external_id, false).await?;
    }
    match edit.active {
        Some(true) if !before.active => activate(&mut tx, organisation_id, &before).await?,
        Some(false) if before.active => {
            // Remembered, so that he can be brought in again.
            let external_id = edit.external_id.unwrap_or_else(|| before.external_id.clone());
            scim::put_user(&mut tx, organisation_id, before.id, external_id.as_deref(), false).await?;
            deactivate(&mut tx, organisation_id, &before).await?;
        }
        _ => {}
    }
    let person = person(&mut tx, organisation_id, uuid).await?;
    if person == before {
        return Ok(person);
    }
    let change = change(organisation_id, &person, Action::Update).before(as_json(&before));
    app.commit(tx, vec![change.into()]).await?;
    Ok(person)
}

async fn rename(tx: &mut Tx, organisation_id: i64, person: &Person, edit: &PersonEdit) -> Outcome<()> {
    let mut user = users::find(tx, person.id).await?.ok_or(Refusal::NotFound)?;
    let named = (
        user.email.clone(),
        user.first_name.clone(),
        user.last_name.clone(),
    );
    for (place, new) in [
        (&mut user.email, &edit.email),
        (&mut user.first_name, &edit.first_name),
        (&mut user.last_name, &edit.last_name),
    ] {
        if let Some(new) = new {
            place.clone_from(new);
        }
    }
    if (&user.email, &user.first_name, &user.last_name) == (&named.0, &named.1, &named.2) {
        return Ok(());
    }
    let own = person.provisioned && scim::other_memberships(tx, organisation_id, person.id).await? == 0;
    if !own {
        // Whoever can change the address of an account can take it over.
        if user.email != named.0 {
            return Err(Refusal::Mutability(
                "The address of an account that was not made over SCIM can't be changed over it.",
            ));
        }
        return Ok(());
    }
    if user.email != named.0 && users::find_by_email(tx, &user.email).await?.is_some() {
        return Err(Refusal::Taken("There is a user of this name already."));
    }
    users::update_profile(tx, &user).await?;
    Ok(())
}

async fn activate(tx: &mut Tx, organisation_id: i64, person: &Person) -> Outcome<()> {
    let now = Timestamp::now().0;
    if members::add(tx, organisation_id, person.id, Role::User.as_str(), now).await? {
        groups::welcome(tx, organisation_id, person.id, &[]).await?;
    }
    if person.provisioned {
        users::set_active(tx, person.id, true).await?;
    }
    Ok(())
}

/// Membership and all that was granted end. Who belongs nowhere else is signed out; an account that the provider made
/// can't be signed in to any more.
async fn deactivate(tx: &mut Tx, organisation_id: i64, person: &Person) -> Outcome<()> {
    if members::remove(tx, organisation_id, person.id).await? == 1 {
        let kept = require_an_admin(tx, organisation_id).await;
        kept.map_err(|_| Refusal::Mutability("The last administrator can't be put out."))?;
    }
    if scim::other_memberships(tx, organisation_id, person.id).await? == 0 {
        sessions::end_all(tx, person.id).await?;
        if person.provisioned {
            users::set_active(tx, person.id, false).await?;
        }
    }
    Ok(())
}

/// Puts a user out and forgets what the provider told about him.
pub async fn delete_person(app: &App, organisation_id: i64, uuid: &str) -> Outcome<()> {
    let mut tx = app.begin().await?;
    let person = person(&mut tx, organisation_id, uuid).await?;
    deactivate(&mut tx, organisation_id, &person).await?;
    scim::forget_user(&mut tx, organisation_id, person.id).await?;
    let change = Change::by_nobody(Kind::User, Action::Delete, person.id)
        .in_organisation(organisation_id)
        .before(as_json(&person));
    app.commit(tx, vec![change.into()]).await?;
    Ok(())
}

fn change(organisation_id: i64, person: &Person, action: Action) -> Change {
    Change::by_nobody(Kind::User, action, person.id)
        .in_organisation(organisation_id)
        .uuid(&person.uuid)
        .after(as_json(person))
}

fn as_json(person: &Person) -> serde_json::Value {
    json!({
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "external_id": person.external_id,
        "member": person.active,
    })
}

/// How the members of a group change. Members are named by uuid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberEdit {
    Add(Vec<String>),
    Remove(Vec<String>),
    Replace(Vec<String>),
}

/// What a provider says about a group. What it does not say stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScimGroupEdit {
    pub name: Option<String>,
    pub external_id: Option<Option<String>>,
    /// In this order.
    pub members: Vec<MemberEdit>,
}

/// The groups of an organisation with who is in them.
pub async fn list_groups(tx: &mut Tx, organisation_id: i64) -> Outcome<Vec<GroupDetails>> {
    Ok(crate::groups::with_members(tx, organisation_id).await?)
}

/// One group.
pub async fn group(tx: &mut Tx, organisation_id: i64, id: i64) -> Outcome<GroupDetails> {
    let all = list_groups(tx, organisation_id).await?;
    all.into_iter()
        .find(|details| details.group.id == id)
        .ok_or(Refusal::NotFound)
}

/// Creates a group. Without an id of the provider's own its name is that, as groups of other sign-ins are found by it.
pub async fn create_group(app: &App, organisation_id: i64, edit: ScimGroupEdit) -> Outcome<GroupDetails> {
    let mut tx = app.begin().await?;
    let name = edit.name.clone().unwrap_or_default();
    let external_id = edit.external_id.clone().flatten().or_else(|| Some(name.clone()));
    let mut group = groups::Group {
        id: 0,
        organisation_id,
        name,
        is_default: false,
        external_id,
    };
    refuse_taken(&mut tx, &group).await?;
    group.id = groups::insert(&mut tx, &group).await?;
    change_members(&mut tx, &group, &edit.members).await?;
    let details = self::group(&mut tx, organisation_id, group.id).await?;
    let change = group_change(&details, Action::Create);
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// The provider's ids of groups are unique, or it could not tell them apart.
async fn refuse_taken(tx: &mut Tx, group: &groups::Group) -> Outcome<()> {
    let all = groups::list(tx, group.organisation_id).await?;
    let same = |other: &&groups::Group| {
        other.id != group.id && group.external_id.is_some() && other.external_id == group.external_id
    };
    match all.iter().find(same) {
        Some(_) => Err(Refusal::Taken("There is a group of this externalId already.")),
        None => Ok(()),
    }
}

/// Changes a group and who is in it.
pub async fn update_group(
    app: &App,
    organisation_id: i64,
    id: i64,
    edit: ScimGroupEdit,
) -> Outcome<GroupDetails> {
    let mut tx = app.begin().await?;
    let before = group(&mut tx, organisation_id, id).await?;
    let mut group = before.group.clone();
    if let Some(name) = edit.name {
        group.name = name;
    }
    if let Some(external_id) = edit.external_id {
        group.external_id = external_id;
    }
    refuse_taken(&mut tx, &group).await?;
    groups::update(&mut tx, &group).await?;
    change_members(&mut tx, &group, &edit.members).await?;
    let details = self::group(&mut tx, organisation_id, id).await?;
    let change = group_change(&details, Action::Update).before(group_json(&before));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

async fn change_members(tx: &mut Tx, group: &groups::Group, edits: &[MemberEdit]) -> Outcome<()> {
    if edits.is_empty() {
        return Ok(());
    }
    let people = people(tx, group.organisation_id).await?;
    let by_uuid: HashMap<&str, &Person> = people
        .iter()
        .map(|person| (person.uuid.as_str(), person))
        .collect();
    let known = |uuids: &[String]| -> Outcome<Vec<i64>> {
        let ids = uuids.iter().map(|uuid| {
            let found = by_uuid.get(uuid.as_str()).filter(|person| person.active);
            let missing = || Refusal::InvalidValue(format!("{uuid:?} is no active user"));
            found.map(|person| person.id).ok_or_else(missing)
        });
        ids.collect()
    };
    for edit in edits {
        match edit {
            MemberEdit::Add(uuids) => {
                groups::add_users(tx, group.id, &known(uuids)?).await?;
            }
            MemberEdit::Remove(uuids) => {
                let leaving = uuids.iter().filter_map(|uuid| by_uuid.get(uuid.as_str()));
                let ids: Vec<i64> = leaving.map(|person| person.id).collect();
                groups::remove_users(tx, group.id, &ids).await?;
            }
            MemberEdit::Replace(uuids) => {
                let staying = known(uuids)?;
                let stays: HashSet<i64> = staying.iter().copied().collect();
                let leaving = people.iter().map(|person| person.id);
                let leaving: Vec<i64> = leaving.filter(|id| !stays.contains(id)).collect();
                groups::remove_users(tx, group.id, &leaving).await?;
                groups::add_users(tx, group.id, &staying).await?;
            }
        }
    }
    Ok(())
}

/// Deletes a group with what was granted to it.
pub async fn delete_group(app: &App, organisation_id: i64, id: i64) -> Outcome<()> {
    let mut tx = app.begin().await?;
    let details = group(&mut tx, organisation_id, id).await?;
    groups::delete(&mut tx, id).await?;
    let change = Change::by_nobody(Kind::Group, Action::Delete, id)
        .in_organisation(organisation_id)
        .before(group_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(())
}

fn group_change(details: &GroupDetails, action: Action) -> Change {
    Change::by_nobody(Kind::Group, action, details.group.id)
        .in_organisation(details.group.organisation_id)
        .after(group_json(details))
}

fn group_json(details: &GroupDetails) -> serde_json::Value {
    let members: Vec<i64> = details.members.iter().map(|member| member.id).collect();
    json!({ "name": details.group.name, "external_id": details.group.external_id, "users": members })
}
