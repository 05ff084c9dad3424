//! Organisations: who owns projects.

use burgee_model::Timestamp;
use burgee_store::{Tx, members, organisations};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::organisations::Organisation;

use crate::change::{Action, Change, Kind};
use crate::members::Role;
use crate::{App, Caller, Error, Result};

/// An organisation as its members see it.
#[derive(Debug, Clone)]
pub struct Details {
    pub organisation: Organisation,
    pub members: i64,
    /// The caller's role.
    pub role: Option<String>,
}

/// The settings of an organisation that its administrators may set.
#[derive(Debug, Clone, Default)]
pub struct OrganisationEdit {
    pub name: Option<String>,
    pub webhook_notification_email: Option<Option<String>>,
    pub restrict_project_create_to_admin: Option<bool>,
    pub force_2fa: Option<bool>,
    /// Whether traits are stored at all. For superusers; from others it is passed over.
    pub persist_trait_data: Option<bool>,
    /// Whether SDKs are refused. For superusers; from others it is passed over.
    pub stop_serving_flags: Option<bool>,
    /// Whether its members are kept out. For superusers; from others it is passed over.
    pub block_access_to_admin: Option<bool>,
}

/// The organisation, for a member of it. To anybody else it makes no difference whether it exists.
pub async fn for_member(tx: &mut Tx, caller: &Caller, id: i64) -> Result<Organisation> {
    if caller.role(tx, id).await?.is_none() {
        return Err(Error::forbidden());
    }
    organisations::find(tx, id).await?.ok_or_else(Error::forbidden)
}

/// The organisation, for an administrator of it.
pub async fn for_admin(tx: &mut Tx, caller: &Caller, id: i64) -> Result<Organisation> {
    caller.require_organisation_admin(tx, id).await?;
    organisations::find(tx, id).await?.ok_or_else(Error::forbidden)
}

async fn mine(tx: &mut Tx, caller: &Caller) -> Result<Vec<Organisation>> {
    match caller {
        Caller::User(user) => Ok(organisations::of_user(tx, user.id).await?),
        Caller::ApiKey(key) => {
            let found = organisations::find(tx, key.organisation_id).await?;
            Ok(found.into_iter().collect())
        }
    }
}

/// The ids of the organisations the caller belongs to.
pub(crate) async fn ids(tx: &mut Tx, caller: &Caller) -> Result<Vec<i64>> {
    let mine = mine(tx, caller).await?.into_iter();
    Ok(mine.map(|organisation| organisation.id).collect())
}

/// The ids of the organisations the caller administers. Those that keep him out for now are not among them.
pub(crate) async fn administered(tx: &mut Tx, caller: &Caller) -> Result<Vec<i64>> {
    let mut administered = Vec::new();
    for id in ids(tx, caller).await? {
        match caller.require_organisation_admin(tx, id).await {
            Ok(()) => administered.push(id),
            Err(Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(administered)
}

/// The organisations the caller belongs to, those that keep him out for now included: here he sees why.
pub async fn list(tx: &mut Tx, caller: &Caller) -> Result<Vec<Details>> {
    let mine = mine(tx, caller).await?;
    let mut all = Vec::with_capacity(mine.len());
    for organisation in mine {
        all.push(details(tx, caller, organisation).await?);
    }
    Ok(all)
}

/// One organisation with all its settings.
pub async fn get(tx: &mut Tx, caller: &Caller, id: i64) -> Result<Details> {
    let organisation = for_admin(tx, caller, id).await?;
    details(tx, caller, organisation).await
}

/// One organisation of the caller's, by its uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<Details> {
    let found = organisations::find_by_uuid(tx, uuid).await?;
    let organisation = found.ok_or_else(|| Error::no_match("Organisation"))?;
    let details = details(tx, caller, organisation).await?;
    if details.role.is_none() {
        return Err(Error::no_match("Organisation"));
    }
    Ok(details)
}

/// An organisation with its number of members and the caller's role.
pub(crate) async fn details(tx: &mut Tx, caller: &Caller, organisation: Organisation) -> Result<Details> {
    Ok(Details {
        members: members::count(tx, organisation.id).await?,
        role: caller.membership(tx, organisation.id).await?,
        organisation,
    })
}

/// Creates an organisation; its creator administers it.
pub async fn create(app: &App, caller: &Caller, edit: OrganisationEdit) -> Result<Details> {
    let user = caller.user()?;
    if app.settings().organisations_by_superusers && !user.is_superuser {
        return Err(Error::forbidden());
    }
    let user_id = user.id;
    let now = Timestamp::now().0;
    let mut organisation = Organisation {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        name: String::new(),
        created_at: now,
        subscription_uuid: Uuid::new_v4().to_string(),
        webhook_notification_email: None,
        persist_trait_data: true,
        block_access_to_admin: false,
        restrict_project_create_to_admin: false,
        force_2fa: false,
        feature_analytics: false,
        stop_serving_flags: false,
    };
    apply(&mut organisation, edit);
    let mut tx = app.begin().await?;
    organisation.id = organisations::insert(&mut tx, &organisation).await?;
    members::add(&mut tx, organisation.id, user_id, Role::Admin.as_str(), now).await?;
    let change = Change::new(caller, Kind::Organisation, Action::Create, organisation.id)
        .in_organisation(organisation.id)
        .uuid(&organisation.uuid)
        .after(as_json(&organisation));
    app.commit(tx, vec![change.into()]).await?;
    Ok(Details {
        organisation,
        members: 1,
        // The reference does not say it here.
        role: None,
    })
}

/// Changes the settings of an organisation.
pub async fn update(app: &App, caller: &Caller, id: i64, edit: OrganisationEdit) -> Result<Details> {
    let mut tx = app.begin().await?;
    let before = for_admin(&mut tx, caller, id).await?;
    let mut organisation = before.clone();
    apply_switches(caller, &mut organisation, &edit);
    apply(&mut organisation, edit);
    organisations::update(&mut tx, &organisation).await?;
    let details = details(&mut tx, caller, organisation).await?;
    let change = Change::new(caller, Kind::Organisation, Action::Update, id)
        .in_organisation(id)
        .uuid(&before.uuid)
        .serves_if(is_served_differently(&before, &details.organisation))
        .before(as_json(&before))
        .after(as_json(&details.organisation));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Whether an answer of the SDK API differs between the two: the environment document holds these fields.
fn is_served_differently(before: &Organisation, after: &Organisation) -> bool {
    let served = |o: &Organisation| {
        (
            o.name.clone(),
            o.persist_trait_data,
            o.feature_analytics,
            o.stop_serving_flags,
        )
    };
    served(before) != served(after)
}

/// What only the installation's superusers may switch, as in the reference, where it takes access to its database.
fn apply_switches(caller: &Caller, organisation: &mut Organisation, edit: &OrganisationEdit) {
    if !caller.user().is_ok_and(|user| user.is_superuser) {
        return;
    }
    if let Some(persist) = edit.persist_trait_data {
        organisation.persist_trait_data = persist;
    }
    if let Some(stop) = edit.stop_serving_flags {
        organisation.stop_serving_flags = stop;
    }
    if let Some(block) = edit.block_access_to_admin {
        organisation.block_access_to_admin = block;
    }
}

fn apply(organisation: &mut Organisation, edit: OrganisationEdit) {
    if let Some(name) = edit.name {
        organisation.name = name;
    }
    if let Some(email) = edit.webhook_notification_email {
        organisation.webhook_notification_email = email;
    }
    if let Some(restrict) = edit.restrict_project_create_to_admin {
        organisation.restrict_project_create_to_admin = restrict;
    }
    if let Some(force) = edit.force_2fa {
        organisation.force_2fa = force;
    }
}

/// Deletes an organisation with all that is in it. Its members stay users.
pub async fn delete(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let organisation = for_admin(&mut tx, caller, id).await?;
    organisations::delete(&mut tx, id).await?;
    app.commit(tx, vec![deleted(caller, &organisation).into()]).await
}

/// The line of the log that says that an organisation is gone, and with it everything it served.
pub(crate) fn deleted(caller: &Caller, organisation: &Organisation) -> Change {
    Change::new(caller, Kind::Organisation, Action::Delete, organisation.id)
        .in_organisation(organisation.id)
        .uuid(&organisation.uuid)
        .serves()
        .before(as_json(organisation))
}

/// What the change log keeps of an organisation.
fn as_json(organisation: &Organisation) -> Value {
    json!({
        "name": organisation.name,
        "webhook_notification_email": organisation.webhook_notification_email,
        "restrict_project_create_to_admin": organisation.restrict_project_create_to_admin,
        "force_2fa": organisation.force_2fa,
        "block_access_to_admin": organisation.block_access_to_admin,
    })
}
