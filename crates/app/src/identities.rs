//! Identities and their traits, as administrators edit them.

use burgee_model::permissions::EnvironmentPermission;
use burgee_model::pii::Mode;
use burgee_model::traits::{StoredTrait, TraitChange, TraitError, TraitSet, TraitValue};
use burgee_model::{Timestamp, limits};
use burgee_store::changes::NewChange;
use burgee_store::{Tx, audit, identities, identity_admin};
use serde_json::{Value, json};

pub use burgee_store::identities::Identity;
pub use burgee_store::identity_admin::{Filter, IdentityName};

use crate::change::{Action, Change, Kind};
use crate::pii::{Entrance, Spot};
use crate::{App, Caller, Error, Place, Result, environments};

/// What somebody may do who sees identities, and who edits them.
const VIEW: EnvironmentPermission = EnvironmentPermission::ViewIdentities;
const MANAGE: EnvironmentPermission = EnvironmentPermission::ManageIdentities;

/// The environment, when the caller may do this in it.
async fn enter(
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    permission: EnvironmentPermission,
) -> Result<Place> {
    let place = environments::enter(tx, api_key).await?;
    caller.require_in_environment(tx, &place, permission).await?;
    Ok(place)
}

fn missing() -> Error {
    Error::no_match("Identity")
}

/// Fails unless the caller may see the environment's identities.
pub async fn require_view(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<()> {
    enter(tx, caller, api_key, VIEW).await.map(drop)
}

/// Fails unless the caller may edit the environment's identities: asked before an input is looked at.
pub async fn require_manage(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.db().read().await?;
    enter(&mut tx, caller, api_key, MANAGE).await.map(drop)
}

/// Some identities of an environment, and how many there are. `q` is part of the identifier, or in double quotes all
/// of it.
pub async fn list(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    q: Option<&str>,
    (limit, offset): (i64, i64),
) -> Result<(i64, Vec<IdentityName>)> {
    let place = enter(tx, caller, api_key, VIEW).await?;
    let mut filter = filter(q);
    // No identifier has a NUL, and Postgres refuses texts that do.
    if q.is_some_and(|q| q.contains('\0')) {
        return Ok((0, Vec::new()));
    }
    let mut count = identity_admin::count(tx, place.environment.id, &filter).await?;
    let text = filter.identifier.as_deref().or(filter.part.as_deref());
    if count == 0
        && let Some(hash) = hash_of(app, &place, text.unwrap_or_default())
    {
        // Whom one looks for by what is kept as a hash is found by it.
        filter = Filter {
            identifier: Some(hash),
            part: None,
        };
        count = identity_admin::count(tx, place.environment.id, &filter).await?;
    }
    let rows = identity_admin::list(tx, place.environment.id, &filter, limit, offset).await?;
    Ok((count, rows))
}

/// The hash that an identifier is kept as, if it is.
pub(crate) fn hash_of(app: &App, place: &Place, identifier: &str) -> Option<String> {
    app.environments()
        .guards()
        .of(&place.project)?
        .hash_of("", identifier)
}

/// What is kept of the identifier of a new identity.
pub(crate) fn keep_identifier(
    app: &App,
    place: &Place,
    entrance: Entrance,
    identifier: String,
) -> Result<String> {
    keep_text(app, place, (entrance, "identifier"), identifier)
}

/// What is kept of a text of an identity that is no trait.
pub(crate) fn keep_text(
    app: &App,
    place: &Place,
    (entrance, field): (Entrance, &'static str),
    text: String,
) -> Result<String> {
    let Some(guard) = app.environments().guards().of(&place.project) else {
        return Ok(text);
    };
    let spot = Spot {
        entrance,
        field,
        name: "",
    };
    Ok(guard.keep(spot, &text)?.into_owned())
}

/// The identifier that an identity has or gets: the one asked for where somebody is stored by it, else what is kept of it.
pub(crate) async fn identifier_here(
    app: &App,
    tx: &mut Tx,
    place: &Place,
    entrance: Entrance,
    identifier: String,
) -> Result<String> {
    if place.project.pii_mode == Mode::Hash.as_str() {
        let exactly = Filter {
            identifier: Some(identifier.clone()),
            part: None,
        };
        if identity_admin::count(tx, place.environment.id, &exactly).await? > 0 {
            return Ok(identifier);
        }
    }
    keep_identifier(app, place, entrance, identifier)
}

fn filter(q: Option<&str>) -> Filter {
    let exact = q.and_then(|q| q.strip_prefix('"')?.strip_suffix('"'));
    Filter {
        identifier: exact.map(str::to_owned),
        part: q.filter(|_| exact.is_none()).map(str::to_owned),
    }
}

/// One identity.
pub async fn get(tx: &mut Tx, caller: &Caller, api_key: &str, id: i64) -> Result<Identity> {
    let place = enter(tx, caller, api_key, VIEW).await?;
    find(tx, &place, id).await
}

async fn find(tx: &mut Tx, place: &Place, id: i64) -> Result<Identity> {
    identities::find(tx, id)
        .await?
        .filter(|identity| identity.environment_id == place.environment.id)
        .ok_or_else(missing)
}

/// The environment and one of its identities, which nobody else changes until the end of the transaction.
async fn hold(tx: &mut Tx, caller: &Caller, api_key: &str, id: i64) -> Result<(Place, Identity)> {
    let place = enter(tx, caller, api_key, MANAGE).await?;
    let identity = identity_admin::lock(tx, place.environment.id, id)
        .await?
        .ok_or_else(missing)?;
    Ok((place, identity))
}

/// What is said of an identifier that another identity has.
fn taken(identifier: &str) -> Error {
    let text = format!("Identity with identifier '{identifier}' already exists in this environment");
    Error::Rejected(json!({ "identifier": text }))
}

/// Creates an identity without traits.
pub async fn create(app: &App, caller: &Caller, api_key: &str, identifier: String) -> Result<IdentityName> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, MANAGE).await?;
    let identifier = identifier_here(app, &mut tx, &place, Entrance::AdminIdentities, identifier).await?;
    let now = Timestamp::now().0;
    let id = identity_admin::insert(&mut tx, place.environment.id, &identifier, now)
        .await?
        .ok_or_else(|| taken(&identifier))?;
    let change = Change::new(caller, Kind::Identity, Action::Create, id)
        .in_environment(&place)
        .after(json!({ "identifier": identifier }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(IdentityName {
        id,
        environment_id: place.environment.id,
        identifier,
    })
}

/// Gives an identity another identifier; the one it has is refused like that of any other.
pub async fn rename(
    app: &App,
    caller: &Caller,
    api_key: &str,
    id: i64,
    identifier: String,
) -> Result<IdentityName> {
    let mut tx = app.begin().await?;
    let (place, before) = hold(&mut tx, caller, api_key, id).await?;
    let identifier = identifier_here(app, &mut tx, &place, Entrance::AdminIdentities, identifier).await?;
    let exactly = Filter {
        identifier: Some(identifier.clone()),
        part: None,
    };
    if identity_admin::count(&mut tx, place.environment.id, &exactly).await? > 0 {
        return Err(taken(&identifier));
    }
    identity_admin::rename(&mut tx, id, &identifier).await?;
    let change = Change::new(caller, Kind::Identity, Action::Update, id)
        .in_environment(&place)
        .serves_if(identity_admin::has_overrides(&mut tx, id).await?)
        .before(json!({ "identifier": before.identifier }))
        .after(json!({ "identifier": identifier }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(IdentityName {
        id,
        environment_id: place.environment.id,
        identifier,
    })
}

/// Deletes an identity, with everything that tells who it was: its identifier stays nowhere, in the log neither.
async fn erase(tx: &mut Tx, caller: &Caller, place: &Place, identity: &Identity) -> Result<NewChange> {
    let overridden = identity_admin::has_overrides(tx, identity.id).await?;
    identity_admin::delete(tx, identity.id).await?;
    let stand_in = format!("identity {} (deleted)", identity.id);
    audit::forget_identity(tx, place.environment.id, identity.id, &stand_in).await?;
    burgee_store::analytics::forget_identity(tx, place.environment.id, &identity.identifier).await?;
    let change = Change::new(caller, Kind::Identity, Action::Delete, identity.id)
        .in_environment(place)
        .serves_if(overridden);
    Ok(change.into())
}

/// Deletes an identity with its traits and overrides.
pub async fn delete(app: &App, caller: &Caller, api_key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (place, identity) = hold(&mut tx, caller, api_key, id).await?;
    let change = erase(&mut tx, caller, &place, &identity).await?;
    app.commit(tx, vec![change]).await?;
    app.analytics()
        .forget_identity(place.environment.id, &identity.identifier)
        .await
}

/// What a client says of a trait; what it does not say stays as it is.
#[derive(Debug, Clone, Default)]
pub struct TraitEdit {
    pub key: Option<String>,
    pub kind: Option<TraitKind>,
    pub integer: Option<i64>,
    pub text: Option<String>,
    pub truth: Option<bool>,
    pub float: Option<f64>,
}

/// The type of a trait's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraitKind {
    Integer,
    Text,
    Truth,
    Float,
}

impl TraitKind {
    fn of(value: &TraitValue) -> Self {
        match value {
            TraitValue::Int(_) => Self::Integer,
            TraitValue::Text(_) => Self::Text,
            TraitValue::Bool(_) => Self::Truth,
            TraitValue::Float(_) => Self::Float,
        }
    }
}

impl TraitEdit {
    /// The value the edit results in, from the one that is there, if any.
    fn value(&self, present: Option<&TraitValue>) -> Result<TraitValue> {
        let kind = self
            .kind
            .or(present.map(TraitKind::of))
            .unwrap_or(TraitKind::Text);
        let (field, given) = match kind {
            TraitKind::Integer => ("integer_value", self.integer.map(TraitValue::Int)),
            TraitKind::Text => ("string_value", self.text.clone().map(TraitValue::Text)),
            TraitKind::Truth => ("boolean_value", self.truth.map(TraitValue::Bool)),
            TraitKind::Float => ("float_value", self.float.map(TraitValue::Float)),
        };
        let present = present.filter(|value| TraitKind::of(value) == kind).cloned();
        given
            .or(present)
            .ok_or_else(|| Error::field(field, "This field is required."))
    }
}

/// Where the parts of a trait stand in a body.
const TRAIT_FIELDS: (&str, &str) = ("trait_key", "string_value");

fn no_trait() -> Error {
    Error::no_match("Trait")
}

fn key_taken(key: &str) -> Error {
    Error::field(
        "trait_key",
        format!("Trait with key '{key}' already exists for this identity."),
    )
}

/// The place among an identity's traits that a trait's id stands for.
fn slot(identity_id: i64, trait_id: i64) -> Result<i64> {
    if trait_id.div_euclid(limits::TRAITS_PER_IDENTITY) == identity_id {
        Ok(trait_id.rem_euclid(limits::TRAITS_PER_IDENTITY))
    } else {
        Err(no_trait())
    }
}

/// One trait of an identity.
pub async fn get_trait(
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    identity_id: i64,
    trait_id: i64,
) -> Result<StoredTrait> {
    let identity = get(tx, caller, api_key, identity_id).await?;
    let stored = identity.traits.in_slot(slot(identity_id, trait_id)?);
    stored.cloned().ok_or_else(no_trait)
}

/// Gives an identity a further trait.
pub async fn create_trait(
    app: &App,
    caller: &Caller,
    api_key: &str,
    identity_id: i64,
    edit: TraitEdit,
) -> Result<StoredTrait> {
    let mut tx = app.begin().await?;
    let (place, mut identity) = hold(&mut tx, caller, api_key, identity_id).await?;
    let mut value = edit.value(None)?;
    let mut key = edit
        .key
        .ok_or_else(|| Error::field("trait_key", "This field is required."))?;
    if let Some(guard) = app.environments().guards().of(&place.project) {
        guard.keep_trait(
            Entrance::AdminIdentities,
            TRAIT_FIELDS,
            &mut key,
            Some(&mut value),
        )?;
    }
    if identity.traits.get(&key).is_some() {
        return Err(key_taken(&key));
    }
    let changes = [(key.clone(), TraitChange::Set(value))];
    identity
        .traits
        .apply(&changes, Timestamp::now().0)
        .map_err(refused)?;
    let stored = identity.traits.get(&key).cloned().ok_or_else(no_trait)?;
    let change = trait_change(caller, &place, identity_id).after(trait_json(&stored));
    store(app, tx, identity_id, &identity.traits, change).await?;
    Ok(stored)
}

fn refused(refusal: TraitError) -> Error {
    let text = match refusal {
        TraitError::NotAnInteger => "A valid integer is required.".to_owned(),
        TraitError::TooMany => format!(
            "An identity has no more than {} traits.",
            limits::TRAITS_PER_IDENTITY
        ),
    };
    Error::field("trait_key", text)
}

/// Changes the key or the value of a trait.
pub async fn update_trait(
    app: &App,
    caller: &Caller,
    api_key: &str,
    identity_id: i64,
    trait_id: i64,
    edit: TraitEdit,
) -> Result<StoredTrait> {
    let mut tx = app.begin().await?;
    let (place, mut identity) = hold(&mut tx, caller, api_key, identity_id).await?;
    let slot = slot(identity_id, trait_id)?;
    let before = identity.traits.in_slot(slot).cloned().ok_or_else(no_trait)?;
    let mut value = edit.value(Some(before.value()))?;
    let mut key = edit.key.unwrap_or_else(|| before.key().to_owned());
    // What stays as it is is there already.
    if let Some(guard) = app.environments().guards().of(&place.project)
        && (key != before.key() || value != *before.value())
    {
        let new = Some(&mut value).filter(|value| **value != *before.value());
        guard.keep_trait(Entrance::AdminIdentities, TRAIT_FIELDS, &mut key, new)?;
    }
    if key != before.key() && identity.traits.get(&key).is_some() {
        return Err(key_taken(&key));
    }
    identity.traits.edit(slot, key, value);
    let stored = identity.traits.in_slot(slot).cloned().ok_or_else(no_trait)?;
    let change = trait_change(caller, &place, identity_id)
        .before(trait_json(&before))
        .after(trait_json(&stored));
    store(app, tx, identity_id, &identity.traits, change).await?;
    Ok(stored)
}

/// Deletes a trait, of this identity or (`everywhere`) of all identities of the environment.
pub async fn delete_trait(
    app: &App,
    caller: &Caller,
    api_key: &str,
    identity_id: i64,
    trait_id: i64,
    everywhere: bool,
) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, MANAGE).await?;
    if everywhere {
        let identity = find(&mut tx, &place, identity_id).await?;
        let stored = identity.traits.in_slot(slot(identity_id, trait_id)?);
        let key = stored.ok_or_else(no_trait)?.key();
        identity_admin::delete_trait_everywhere(&mut tx, place.environment.id, key).await?;
        let change = trait_change(caller, &place, identity_id).before(json!({ "trait": key }));
        return app.commit(tx, vec![change.into()]).await;
    }
    let (_, mut identity) = hold(&mut tx, caller, api_key, identity_id).await?;
    let stored = identity.traits.in_slot(slot(identity_id, trait_id)?);
    let before = stored.cloned().ok_or_else(no_trait)?;
    let changes = [(before.key().to_owned(), TraitChange::Remove)];
    identity
        .traits
        .apply(&changes, Timestamp::now().0)
        .map_err(refused)?;
    let change = trait_change(caller, &place, identity_id).before(trait_json(&before));
    store(app, tx, identity_id, &identity.traits, change).await
}

async fn store(app: &App, mut tx: Tx, identity_id: i64, traits: &TraitSet, change: Change) -> Result<()> {
    identity_admin::set_traits(&mut tx, identity_id, traits).await?;
    app.commit(tx, vec![change.into()]).await
}

fn trait_change(caller: &Caller, place: &Place, identity_id: i64) -> Change {
    Change::new(caller, Kind::Identity, Action::Update, identity_id).in_environment(place)
}

/// What the change log keeps of a trait.
fn trait_json(stored: &StoredTrait) -> Value {
    json!({ "trait": stored.key(), "value": stored.value() })
}
