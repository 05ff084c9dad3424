//! The members of an organisation and their roles.

use burgee_store::{Tx, members};
use serde_json::json;

pub use burgee_store::members::Member;

use crate::change::{Action, Change, Kind};
use crate::organisations::{for_admin, for_member};
use crate::{App, Caller, Error, Result};

/// What a member is in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Admin,
    /// May do what was granted.
    User,
}

impl Role {
    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::User => "USER",
        }
    }
}

/// The members of an organisation, without the caller if he does not want to see himself.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    organisation_id: i64,
    without_caller: bool,
) -> Result<Vec<Member>> {
    for_member(tx, caller, organisation_id).await?;
    let mut all = members::list(tx, organisation_id).await?;
    if without_caller {
        all.retain(|member| Some(member.id) != caller.user_id());
    }
    Ok(all)
}

/// Changes a member's role.
pub async fn update_role(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    user_id: i64,
    role: Role,
) -> Result<Member> {
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    members::lock(&mut tx, organisation_id).await?;
    let mut member = members::list(&mut tx, organisation_id)
        .await?
        .into_iter()
        .find(|member| member.id == user_id)
        .ok_or_else(|| Error::no_match("UserOrganisation"))?;
    let before = std::mem::replace(&mut member.role, role.as_str().to_owned());
    members::set_role(&mut tx, organisation_id, user_id, role.as_str()).await?;
    require_an_admin(&mut tx, organisation_id).await?;
    let change = Change::new(caller, Kind::User, Action::Update, user_id)
        .in_organisation(organisation_id)
        .before(json!({ "role": before }))
        .after(json!({ "role": member.role }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(member)
}

/// Removes members with all that was granted to them; who is no member is passed over.
pub async fn remove(app: &App, caller: &Caller, organisation_id: i64, user_ids: &[i64]) -> Result<()> {
    let mut tx = app.begin().await?;
    for_admin(&mut tx, caller, organisation_id).await?;
    members::lock(&mut tx, organisation_id).await?;
    let mut changes = Vec::new();
    for user_id in user_ids {
        if members::remove(&mut tx, organisation_id, *user_id).await? == 1 {
            let change = Change::new(caller, Kind::User, Action::Delete, *user_id)
                .in_organisation(organisation_id)
                .before(json!({ "organisation": organisation_id }));
            changes.push(change.into());
        }
    }
    if !changes.is_empty() {
        require_an_admin(&mut tx, organisation_id).await?;
    }
    app.commit(tx, changes).await
}

/// An organisation without an administrator could never be changed again.
pub(crate) async fn require_an_admin(tx: &mut Tx, organisation_id: i64) -> Result<()> {
    let all = members::list(tx, organisation_id).await?;
    if all.iter().any(|member| member.role == Role::Admin.as_str()) {
        Ok(())
    } else {
        Err(Error::detail(
            "An organisation must keep at least one administrator.",
        ))
    }
}
