//! Identities for clients that speak the "edge" set of operations: the same rows, known by a UUID.
//!
//! A project says whether its clients do (`use_edge_identities`); for others every one of these is refused in the
//! words that make clients use the other set.

use burgee_model::permissions::EnvironmentPermission;
use burgee_model::traits::{StoredTrait, TraitChange, TraitValue};
use burgee_model::{Timestamp, keys};
use burgee_store::edge_identities as rows;
use burgee_store::features::{self, Feature};
use burgee_store::identities::{self, Identity};
use burgee_store::{Tx, feature_states, identity_admin};
use serde_json::json;

pub use burgee_store::edge_identities::{EdgeIdentity, Search};

use crate::change::{Action, Change, Kind};
use crate::environment_states::{NamedState, StateFilter};
use crate::feature_states::{FeatureState, Spot, StateDetails, StateEdit, Subject, detail};
use crate::identities::{hash_of, identifier_here, keep_text};
use crate::identity_overrides::EffectiveState;
use crate::pii::Entrance;
use crate::{App, Caller, Error, Place, Result, environment_states, environments, identity_overrides};

const VIEW: EnvironmentPermission = EnvironmentPermission::ViewIdentities;
const MANAGE: EnvironmentPermission = EnvironmentPermission::ManageIdentities;

const EDGE: Entrance = Entrance::EdgeIdentities;

/// What clients take as the word to use the other set of operations.
pub fn no_edge() -> Error {
    Error::detail("Dynamo DB is not enabled for this project")
}

async fn enter(
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    permission: EnvironmentPermission,
) -> Result<Place> {
    let place = environments::enter(tx, api_key).await?;
    // Some may do this on features with certain tags only; on which, is asked where the feature is known.
    caller.features_in_environment(tx, &place, permission).await?;
    if place.project.use_edge_identities {
        Ok(place)
    } else {
        Err(no_edge())
    }
}

/// Fails unless the caller may do this and the project has edge identities: asked before an input is looked at.
pub async fn require(
    app: &App,
    caller: &Caller,
    api_key: &str,
    permission: EnvironmentPermission,
) -> Result<()> {
    let mut tx = app.db().read().await?;
    enter(&mut tx, caller, api_key, permission).await.map(drop)
}

async fn find(tx: &mut Tx, place: &Place, uuid: &str) -> Result<EdgeIdentity> {
    let id = keys::identity_of_uuid(uuid).ok_or_else(Error::not_found)?;
    rows::find(tx, place.environment.id, id)
        .await?
        .ok_or_else(Error::not_found)
}

/// What a search text asks for: how identifiers begin, in double quotes all of one; after `dashboard_alias:` the same
/// of aliases.
pub fn search(text: Option<&str>) -> Search {
    let Some(text) = text else { return Search::All };
    let (alias, text) = match text.strip_prefix("dashboard_alias:") {
        Some(rest) => (true, rest.trim()),
        None => (false, text),
    };
    let exact = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match (alias, exact) {
        (false, Some(exact)) => Search::Identifier(exact.to_owned()),
        (false, None) => Search::Prefix(text.to_owned()),
        (true, Some(exact)) => Search::Alias(exact.to_owned()),
        (true, None) => Search::AliasPrefix(text.to_owned()),
    }
}

/// Some identities after the one with an id; the flag tells whether there are more.
pub async fn list(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    text: Option<&str>,
    (after, limit): (i64, i64),
) -> Result<(Vec<EdgeIdentity>, bool)> {
    let place = enter(tx, caller, api_key, VIEW).await?;
    // No identifier has a NUL, and Postgres refuses texts that do.
    if text.is_some_and(|text| text.contains('\0')) {
        return Ok((Vec::new(), false));
    }
    let wanted = limit.saturating_add(1);
    let search = search(text);
    let mut found = rows::list(tx, place.environment.id, &search, after, wanted).await?;
    if found.is_empty()
        && let Search::Identifier(text) | Search::Prefix(text) = &search
        && let Some(hash) = hash_of(app, &place, text)
    {
        let by_hash = Search::Identifier(hash);
        found = rows::list(tx, place.environment.id, &by_hash, after, wanted).await?;
    }
    let more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((found, more))
}

/// One identity.
pub async fn get(tx: &mut Tx, caller: &Caller, api_key: &str, uuid: &str) -> Result<EdgeIdentity> {
    let place = enter(tx, caller, api_key, VIEW).await?;
    find(tx, &place, uuid).await
}

fn as_json(identity: &EdgeIdentity) -> serde_json::Value {
    json!({ "identifier": identity.identifier, "dashboard_alias": identity.dashboard_alias })
}

/// Creates an identity without traits.
pub async fn create(
    app: &App,
    caller: &Caller,
    api_key: &str,
    identifier: String,
    alias: Option<String>,
) -> Result<EdgeIdentity> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, MANAGE).await?;
    let identifier = identifier_here(app, &mut tx, &place, EDGE, identifier).await?;
    let alias = keep_alias(app, &place, alias)?;
    let now = Timestamp::now().0;
    let taken = || {
        Error::Rejected(json!([format!(
            "Identity with identifier: {identifier} already exists"
        )]))
    };
    let id = identity_admin::insert(&mut tx, place.environment.id, &identifier, now)
        .await?
        .ok_or_else(taken)?;
    rows::set_alias(&mut tx, id, alias.as_deref()).await?;
    let identity = EdgeIdentity {
        id,
        environment_id: place.environment.id,
        identifier,
        dashboard_alias: alias,
    };
    let change = Change::new(caller, Kind::Identity, Action::Create, id)
        .in_environment(&place)
        .after(as_json(&identity));
    app.commit(tx, vec![change.into()]).await?;
    Ok(identity)
}

/// Changes what dashboards call an identity; its identifier stays.
pub async fn update(
    app: &App,
    caller: &Caller,
    api_key: &str,
    uuid: &str,
    alias: Option<Option<String>>,
) -> Result<EdgeIdentity> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, MANAGE).await?;
    let before = find(&mut tx, &place, uuid).await?;
    let mut identity = before.clone();
    if let Some(alias) = alias.filter(|alias| *alias != before.dashboard_alias) {
        identity.dashboard_alias = keep_alias(app, &place, alias)?;
    }
    if identity == before {
        return Ok(identity);
    }
    rows::set_alias(&mut tx, identity.id, identity.dashboard_alias.as_deref()).await?;
    let change = Change::new(caller, Kind::Identity, Action::Update, identity.id)
        .in_environment(&place)
        .before(as_json(&before))
        .after(as_json(&identity));
    app.commit(tx, vec![change.into()]).await?;
    Ok(identity)
}

/// Deletes an identity with its traits and overrides.
pub async fn delete(app: &App, caller: &Caller, api_key: &str, uuid: &str) -> Result<()> {
    let id = known(app, caller, api_key, uuid, MANAGE).await?;
    crate::identities::delete(app, caller, api_key, id).await
}

/// The traits of an identity.
pub async fn traits(tx: &mut Tx, caller: &Caller, api_key: &str, uuid: &str) -> Result<Vec<StoredTrait>> {
    let place = enter(tx, caller, api_key, VIEW).await?;
    let found = find(tx, &place, uuid).await?;
    let identity = identities::find(tx, found.id)
        .await?
        .ok_or_else(Error::not_found)?;
    Ok(identity.traits.iter().cloned().collect())
}

/// Sets a trait of an identity, or with no value deletes it.
pub async fn set_trait(
    app: &App,
    caller: &Caller,
    api_key: &str,
    uuid: &str,
    key: &str,
    value: Option<TraitValue>,
) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, MANAGE).await?;
    let found = find(&mut tx, &place, uuid).await?;
    let mut identity = identity_admin::lock(&mut tx, place.environment.id, found.id)
        .await?
        .ok_or_else(Error::not_found)?;
    let mut changes = vec![(
        key.to_owned(),
        value.map_or(TraitChange::Remove, TraitChange::Set),
    )];
    if let Some(guard) = app.environments().guards().of(&place.project) {
        changes = guard.keep_changes(EDGE, ("trait_key", "trait_value"), changes)?;
    }
    let key = changes.last().map(|(key, _)| key.clone()).unwrap_or_default();
    let told = |identity: &Identity| {
        let stored = identity.traits.get(&key);
        json!({ "trait": key, "value": stored.map(StoredTrait::value) })
    };
    let before = told(&identity);
    let is_other = identity
        .traits
        .apply(&changes, Timestamp::now().0)
        .map_err(|_| Error::field("trait_key", "An identity has no more traits than this."))?;
    if !is_other {
        return Ok(());
    }
    identity_admin::set_traits(&mut tx, identity.id, &identity.traits).await?;
    let change = Change::new(caller, Kind::Identity, Action::Update, identity.id)
        .in_environment(&place)
        .before(before)
        .after(told(&identity));
    app.commit(tx, vec![change.into()]).await
}

/// What is kept of an alias.
fn keep_alias(app: &App, place: &Place, alias: Option<String>) -> Result<Option<String>> {
    alias
        .map(|alias| keep_text(app, place, (EDGE, "dashboard_alias"), alias))
        .transpose()
}

/// The id behind a UUID, for a caller who may do this.
async fn known(
    app: &App,
    caller: &Caller,
    api_key: &str,
    uuid: &str,
    permission: EnvironmentPermission,
) -> Result<i64> {
    let mut tx = app.db().read().await?;
    let place = enter(&mut tx, caller, api_key, permission).await?;
    Ok(find(&mut tx, &place, uuid).await?.id)
}

const SEE: EnvironmentPermission = EnvironmentPermission::ViewEnvironment;
const OVERRIDE: EnvironmentPermission = EnvironmentPermission::UpdateFeatureState;

/// The overrides of an identity, of one feature or of all.
pub async fn overrides(
    app: &App,
    caller: &Caller,
    (api_key, uuid): (&str, &str),
    feature_id: Option<i64>,
) -> Result<Vec<StateDetails>> {
    let id = known(app, caller, api_key, uuid, SEE).await?;
    let mut tx = app.db().read().await?;
    let named = identity_overrides::list(&mut tx, caller, (api_key, id), feature_id).await?;
    Ok(named.into_iter().map(|named| named.details).collect())
}

/// Everything an identity gets.
pub async fn all_states(
    app: &App,
    caller: &Caller,
    (api_key, uuid): (&str, &str),
) -> Result<Vec<EffectiveState>> {
    let id = known(app, caller, api_key, uuid, SEE).await?;
    let mut tx = app.db().read().await?;
    identity_overrides::all(app, &mut tx, caller, (api_key, id)).await
}

/// One override of an identity.
pub async fn override_by_uuid(
    app: &App,
    caller: &Caller,
    (api_key, uuid): (&str, &str),
    state_uuid: &str,
    for_writing: bool,
) -> Result<StateDetails> {
    let id = known(
        app,
        caller,
        api_key,
        uuid,
        if for_writing { OVERRIDE } else { SEE },
    )
    .await?;
    let mut tx = app.db().read().await?;
    let state_uuid = keys::parse_uuid(state_uuid).ok_or_else(Error::not_found)?;
    let state = feature_states::find_by_uuid(&mut tx, &state_uuid.to_string())
        .await?
        .filter(|state| state.identity_id == Some(id))
        .ok_or_else(Error::not_found)?;
    detail(&mut tx, state).await
}

/// Overrides a feature for an identity.
pub async fn create_override(
    app: &App,
    caller: &Caller,
    (api_key, uuid): (&str, &str),
    feature_id: i64,
    edit: StateEdit,
) -> Result<StateDetails> {
    let id = known(app, caller, api_key, uuid, OVERRIDE).await?;
    {
        let mut tx = app.db().read().await?;
        let place = enter(&mut tx, caller, api_key, OVERRIDE).await?;
        feature_of(&mut tx, &place, &FeatureName::Id(feature_id)).await?;
        let states = feature_states::of_identity(&mut tx, id).await?;
        if states.iter().any(|state| state.feature_id == feature_id) {
            return Err(Error::Rejected(json!(["Feature state already exists."])));
        }
    }
    identity_overrides::create(app, caller, (api_key, id), Some(feature_id), edit).await
}

/// Changes an override of an identity.
pub async fn update_override(
    app: &App,
    caller: &Caller,
    at: (&str, &str),
    state_uuid: &str,
    edit: StateEdit,
) -> Result<StateDetails> {
    let found = override_by_uuid(app, caller, at, state_uuid, true).await?.state;
    let identity_id = found.identity_id.ok_or_else(Error::not_found)?;
    identity_overrides::update(app, caller, (at.0, identity_id), found.id, edit).await
}

/// Deletes an override of an identity.
pub async fn delete_override(app: &App, caller: &Caller, at: (&str, &str), state_uuid: &str) -> Result<()> {
    let found = override_by_uuid(app, caller, at, state_uuid, true).await?.state;
    let identity_id = found.identity_id.ok_or_else(Error::not_found)?;
    identity_overrides::delete(app, caller, (at.0, identity_id), found.id).await
}

/// Gives an identity the overrides of another one, in place of its own.
pub async fn clone_overrides(
    app: &App,
    caller: &Caller,
    (api_key, uuid): (&str, &str),
    source_uuid: &str,
) -> Result<Vec<EffectiveState>> {
    let id = known(app, caller, api_key, uuid, OVERRIDE).await?;
    let source = known(app, caller, api_key, source_uuid, OVERRIDE).await?;
    identity_overrides::clone_from(app, caller, (api_key, id), source).await
}

/// Which identities override a feature (or any), and with what.
pub async fn overrides_of_feature(
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    feature_id: Option<i64>,
) -> Result<Vec<NamedState>> {
    enter(tx, caller, api_key, VIEW).await?;
    let filter = StateFilter {
        feature_id,
        ..StateFilter::default()
    };
    let everything = (i64::MAX, 0);
    Ok(
        environment_states::list_of_identities(tx, caller, api_key, &filter, everything)
            .await?
            .1,
    )
}

/// A feature as these operations name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureName {
    Id(i64),
    Name(String),
}

async fn feature_of(tx: &mut Tx, place: &Place, name: &FeatureName) -> Result<Feature> {
    let found = match name {
        FeatureName::Id(id) => features::find(tx, *id).await?,
        FeatureName::Name(name) if name.contains('\0') => None,
        FeatureName::Name(name) => features::find_by_name(tx, place.project.id, &name.to_lowercase()).await?,
    };
    found
        .filter(|feature| feature.project_id == place.project.id)
        .ok_or_else(|| match name {
            FeatureName::Id(id) => Error::no_such("feature", *id),
            FeatureName::Name(name) => Error::field("feature", format!("Feature {name:?} does not exist.")),
        })
}

/// The override of a feature that an identity has.
async fn present(tx: &mut Tx, identity_id: i64, feature_id: i64) -> Result<Option<FeatureState>> {
    let states = feature_states::of_identity(tx, identity_id).await?;
    Ok(states.into_iter().find(|state| state.feature_id == feature_id))
}

/// Overrides a feature for the identity with an identifier; one that is not there yet is created.
pub async fn put_override(
    app: &App,
    caller: &Caller,
    api_key: &str,
    identifier: &str,
    feature: &FeatureName,
    edit: StateEdit,
) -> Result<StateDetails> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, OVERRIDE).await?;
    let feature = feature_of(&mut tx, &place, feature).await?;
    caller
        .require_on_feature(&mut tx, &place, OVERRIDE, feature.id)
        .await?;
    let mut changes = Vec::new();
    let identifier = &identifier_here(app, &mut tx, &place, EDGE, identifier.to_owned()).await?;
    let found = rows::find_named(&mut tx, place.environment.id, identifier).await?;
    let id = if let Some(found) = found {
        found.id
    } else {
        let now = Timestamp::now().0;
        let id = identity_admin::insert(&mut tx, place.environment.id, identifier, now)
            .await?
            .ok_or_else(Error::not_found)?;
        let change = Change::new(caller, Kind::Identity, Action::Create, id)
            .in_environment(&place)
            .after(json!({ "identifier": identifier }));
        changes.push(change.into());
        id
    };
    let identity = identities::find(&mut tx, id)
        .await?
        .ok_or_else(Error::not_found)?;
    let spot = Spot {
        author: caller.into(),
        place: &place,
        feature: &feature,
        subject: Subject::Identity(&identity),
    };
    let state = if let Some(state) = present(&mut tx, id, feature.id).await? {
        let (state, made) = spot.edit(&mut tx, state, edit).await?;
        changes.extend(made);
        state
    } else {
        let (state, made) = spot.create(&mut tx, None, edit).await?;
        changes.push(made);
        state
    };
    let answer = detail(&mut tx, state).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

/// Takes the override of a feature from the identity with an identifier. Nothing happens where there is none.
pub async fn remove_override(
    app: &App,
    caller: &Caller,
    api_key: &str,
    identifier: &str,
    feature: &FeatureName,
) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = enter(&mut tx, caller, api_key, OVERRIDE).await?;
    let feature = feature_of(&mut tx, &place, feature).await?;
    caller
        .require_on_feature(&mut tx, &place, OVERRIDE, feature.id)
        .await?;
    let mut found = rows::find_named(&mut tx, place.environment.id, identifier).await?;
    if found.is_none()
        && let Some(hash) = hash_of(app, &place, identifier)
    {
        found = rows::find_named(&mut tx, place.environment.id, &hash).await?;
    }
    let Some(found) = found else {
        return Ok(());
    };
    let Some(state) = present(&mut tx, found.id, feature.id).await? else {
        return Ok(());
    };
    let identity = identities::find(&mut tx, found.id)
        .await?
        .ok_or_else(Error::not_found)?;
    let spot = Spot {
        author: caller.into(),
        place: &place,
        feature: &feature,
        subject: Subject::Identity(&identity),
    };
    let change = spot.delete(&mut tx, &state).await?;
    app.commit(tx, vec![change]).await
}
