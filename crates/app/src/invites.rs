//! Invitations to an organisation, by mail and by link, and accepting them.

use burgee_model::{Problems, Timestamp, keys, limits};
use burgee_store::users::{self, User};
use burgee_store::{DbError, Tx, groups, invites, members, organisations};
use serde_json::{Value, json};

pub use burgee_store::invites::{Invite, InviteLink};

use crate::change::{Action, Change, Kind};
use crate::mail::{self, Mail};
use crate::members::Role;
use crate::organisations::{Details, details, for_admin};
use crate::security::Attempt;
use crate::{App, Caller, Error, Result, own_flags};

/// One invitation to send.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// In lower case.
    pub email: String,
    pub role: Role,
    pub groups: Vec<i64>,
}

/// An invitation with who wrote it, and his role, as far as he is still there.
#[derive(Debug, Clone)]
pub struct InviteDetails {
    pub invite: Invite,
    pub invited_by: Option<(User, Option<String>)>,
}

/// Where the invited address can accept.
pub fn invite_url(app: &App, invite: &Invite) -> String {
    format!("{}/invite/{}", app.settings().public_url, invite.hash)
}

/// Whether it is too late to use a link.
pub(crate) fn has_expired(link: &InviteLink) -> bool {
    link.expires_at.is_some_and(|at| at <= Timestamp::now().0)
}

/// The open invitations of an organisation.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<InviteDetails>> {
    for_admin(tx, caller, organisation_id).await?;
    let mut all = Vec::new();
    for invite in invites::list(tx, organisation_id).await? {
        all.push(with_author(tx, invite).await?);
    }
    Ok(all)
}

/// One open invitation.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<InviteDetails> {
    for_admin(tx, caller, organisation_id).await?;
    let invite = invites::find(tx, organisation_id, id)
        .await?
        .ok_or_else(no_invite)?;
    with_author(tx, invite).await
}

async fn with_author(tx: &mut Tx, invite: Invite) -> Result<InviteDetails> {
    let author = match invite.invited_by {
        Some(id) => users::find(tx, id).await?,
        None => None,
    };
    let invited_by = match author {
        Some(user) => {
            let role = organisations::role(tx, invite.organisation_id, user.id).await?;
            Some((user, role))
        }
        None => None,
    };
    Ok(InviteDetails { invite, invited_by })
}

fn no_invite() -> Error {
    Error::no_match("Invite")
}

/// Invites several addresses: all of them, or none when anything is wrong with one.
pub async fn create(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    input: Vec<NewInvite>,
) -> Result<Vec<InviteDetails>> {
    throttle(app, caller)?;
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    let mut wrong = Vec::with_capacity(input.len());
    for (index, new) in input.iter().enumerate() {
        let before = input.get(..index).unwrap_or_default();
        wrong.push(check(&mut tx, organisation_id, new, before).await?);
    }
    if wrong.iter().any(|problems| !problems.is_empty()) {
        let mut problems = Problems::new();
        let mirrored = wrong.into_iter().map(Problems::into_json).collect();
        problems.nest("invites", Value::Array(mirrored));
        return Err(problems.into());
    }
    let (mut written, mut changes) = (Vec::new(), Vec::new());
    for new in input {
        let invite = insert(&mut tx, caller, organisation_id, new).await?;
        send(app, &mut tx, caller, &invite).await?;
        changes.push(created(caller, &invite).into());
        written.push(with_author(&mut tx, invite).await?);
    }
    app.commit(tx, changes).await?;
    Ok(written)
}

/// Invites one address; what is wrong is said of its own fields.
pub async fn create_one(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    new: NewInvite,
) -> Result<InviteDetails> {
    throttle(app, caller)?;
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    check(&mut tx, organisation_id, &new, &[]).await?.check()?;
    let invite = insert(&mut tx, caller, organisation_id, new).await?;
    send(app, &mut tx, caller, &invite).await?;
    let change = created(caller, &invite);
    let details = with_author(&mut tx, invite).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

fn created(caller: &Caller, invite: &Invite) -> Change {
    Change::new(caller, Kind::Invite, Action::Create, invite.id)
        .in_organisation(invite.organisation_id)
        .after(json!({ "email": invite.email, "role": invite.role }))
}

async fn insert(tx: &mut Tx, caller: &Caller, organisation_id: i64, new: NewInvite) -> Result<Invite> {
    let mut invite = Invite {
        id: 0,
        organisation_id,
        hash: keys::invite_hash(),
        email: new.email,
        role: new.role.as_str().to_owned(),
        invited_by: caller.user_id(),
        permission_groups: json!(new.groups).to_string(),
        created_at: Timestamp::now().0,
    };
    invite.id = match invites::insert(tx, &invite).await {
        Err(DbError::Conflict(_)) => return Err(Error::field("email", exists(&invite.email))),
        other => other?,
    };
    Ok(invite)
}

fn exists(email: &str) -> String {
    format!("Invite for email {email} already exists")
}

/// What is wrong with an invitation; `before` are those that come with it.
async fn check(tx: &mut Tx, organisation_id: i64, new: &NewInvite, before: &[NewInvite]) -> Result<Problems> {
    let mut problems = Problems::new();
    let open = invites::list(tx, organisation_id).await?;
    if open.iter().any(|invite| invite.email == new.email) || before.iter().any(|b| b.email == new.email) {
        problems.add("email", exists(&new.email));
    }
    let members = members::list(tx, organisation_id).await?;
    if members.iter().any(|member| member.email == new.email) {
        problems.add("email", format!("{} is a member already", new.email));
    }
    for id in &new.groups {
        if groups::find(tx, organisation_id, *id).await?.is_none() {
            problems.add(
                "permission_groups",
                format!("Invalid pk \"{id}\" - object does not exist."),
            );
        }
    }
    Ok(problems)
}

/// Mails an invitation. Without a mail server its link waits where [`link`] finds it.
async fn send(app: &App, tx: &mut Tx, caller: &Caller, invite: &Invite) -> Result<()> {
    let organisation = organisations::find(tx, invite.organisation_id)
        .await?
        .ok_or_else(Error::not_found)?;
    let author = match caller {
        Caller::User(user) => match format!("{} {}", user.first_name, user.last_name).trim() {
            "" => user.email.clone(),
            name => name.to_owned(),
        },
        Caller::ApiKey(_) => organisation.name.clone(),
    };
    let link = invite_url(app, invite);
    let mail = Mail::Invitation {
        organisation: &organisation.name,
        invited_by: &author,
        link: &link,
    };
    if !mail::post(tx, app, &invite.email, &mail).await? {
        tracing::info!(
            invite.id = invite.id,
            "there is no mail server: an administrator of the organisation finds the invitation's link at \
             /api/v1/organisations/{}/invites/{}/link/",
            invite.organisation_id,
            invite.id
        );
    }
    Ok(())
}

fn throttle(app: &App, caller: &Caller) -> Result<()> {
    let who = match caller {
        Caller::User(user) => format!("user {}", user.id),
        Caller::ApiKey(key) => format!("key {}", key.id),
    };
    app.throttle(Attempt::Invite, &who)
}

/// Mails an invitation once more.
pub async fn resend(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<InviteDetails> {
    throttle(app, caller)?;
    let mut tx = app.begin().await?;
    let details = get(&mut tx, caller, organisation_id, id).await?;
    send(app, &mut tx, caller, &details.invite).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(details)
}

/// Where the invited address can accept: for administrators who hand it over themselves.
pub async fn link(app: &App, tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<String> {
    let details = get(tx, caller, organisation_id, id).await?;
    Ok(invite_url(app, &details.invite))
}

/// Withdraws an invitation.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let details = get(&mut tx, caller, organisation_id, id).await?;
    invites::delete(&mut tx, id).await?;
    let change = Change::new(caller, Kind::Invite, Action::Delete, id)
        .in_organisation(organisation_id)
        .before(json!({ "email": details.invite.email, "role": details.invite.role }));
    app.commit(tx, vec![change.into()]).await
}

/// The links with which anybody can join.
pub async fn links(app: &App, tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<InviteLink>> {
    require_links(app)?;
    for_admin(tx, caller, organisation_id).await?;
    Ok(invites::links(tx, organisation_id).await?)
}

fn require_links(app: &App) -> Result<()> {
    if app.settings().invite_links_disabled {
        return Err(Error::Forbidden("Invite links are disabled.".to_owned()));
    }
    Ok(())
}

/// Makes a link.
pub async fn create_link(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    role: Role,
    expires_at: Option<Timestamp>,
) -> Result<InviteLink> {
    require_links(app)?;
    let by_seats = own_flags::is_on(app, "verify_seats_limit_for_invite_links").await;
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    let seats = app.settings().seats.unwrap_or(limits::SEATS);
    if by_seats && members::count(&mut tx, organisation_id).await? >= seats {
        return Err(Error::Forbidden("All seats are taken.".to_owned()));
    }
    let mut link = InviteLink {
        id: 0,
        organisation_id,
        hash: keys::invite_hash(),
        role: role.as_str().to_owned(),
        created_at: Timestamp::now().0,
        expires_at: expires_at.map(|at| at.0),
    };
    link.id = invites::insert_link(&mut tx, &link).await?;
    let change = Change::new(caller, Kind::Invite, Action::Create, link.id)
        .in_organisation(organisation_id)
        .after(json!({ "link": true, "role": link.role, "expires_at": link.expires_at }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(link)
}

/// Makes a link useless.
pub async fn delete_link(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    if !invites::delete_link(&mut tx, organisation_id, id).await? {
        return Err(Error::no_match("InviteLink"));
    }
    let change = Change::new(caller, Kind::Invite, Action::Delete, id)
        .in_organisation(organisation_id)
        .before(json!({ "link": true }));
    app.commit(tx, vec![change.into()]).await
}

/// Accepts an invitation by mail, which is for its address only and is used up.
pub async fn join(app: &App, caller: &Caller, hash: &str) -> Result<Details> {
    let email = caller.user()?.email.clone();
    let mut tx = app.begin().await?;
    let invite = invites::find_by_hash(&mut tx, hash)
        .await?
        .ok_or_else(no_invite)?;
    if invite.email != email {
        return Err(Error::detail("Registered email does not match invited email"));
    }
    if !invites::delete(&mut tx, invite.id).await? {
        return Err(no_invite());
    }
    enter(
        app,
        tx,
        caller,
        invite.organisation_id,
        &invite.role,
        Some(&invite),
    )
    .await
}

/// Joins by a link.
pub async fn join_by_link(app: &App, caller: &Caller, hash: &str) -> Result<Details> {
    caller.user()?;
    require_links(app)?;
    let mut tx = app.begin().await?;
    let link = invites::find_link(&mut tx, hash)
        .await?
        .ok_or_else(|| Error::no_match("InviteLink"))?;
    if has_expired(&link) {
        return Err(Error::detail("Invite expired."));
    }
    enter(app, tx, caller, link.organisation_id, &link.role, None).await
}

/// Makes the caller a member. Who is one already stays what he is; an invitation is used up all the same.
async fn enter(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    organisation_id: i64,
    role: &str,
    invite: Option<&Invite>,
) -> Result<Details> {
    let user_id = caller.user()?.id;
    let mut changes = Vec::new();
    if members::add(&mut tx, organisation_id, user_id, role, Timestamp::now().0).await? {
        let invited_to = invite.map(Invite::groups).unwrap_or_default();
        let groups = groups::welcome(&mut tx, organisation_id, user_id, &invited_to).await?;
        let change = Change::new(caller, Kind::User, Action::Create, user_id)
            .in_organisation(organisation_id)
            .after(json!({ "role": role, "groups": groups, "invite": invite.map(|invite| invite.id) }));
        changes.push(change.into());
    } else if let Some(invite) = invite {
        let change = Change::new(caller, Kind::Invite, Action::Delete, invite.id)
            .in_organisation(organisation_id)
            .before(json!({ "email": invite.email, "role": role }));
        changes.push(change.into());
    }
    let organisation = organisations::find(&mut tx, organisation_id)
        .await?
        .ok_or_else(Error::not_found)?;
    let details = details(&mut tx, caller, organisation).await?;
    app.commit(tx, changes).await?;
    Ok(details)
}
