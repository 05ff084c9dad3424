//! Identity overrides: what a feature is for one identity.

use std::collections::HashMap;

use burgee_engine::{Outcome, Winner};
use burgee_model::FlagValue;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::identities::{self, Identity};
use burgee_store::{Tx, feature_states};

use crate::environment_states::{NamedState, exists, no_state, require_identities, with_names};
use crate::feature_states::{
    FeatureState, Spot, StateDetails, StateEdit, Subject, ValueEdit, Weight, detail, details, feature_at,
    place_by_key, place_for_features,
};
use crate::sdk::evaluation::with_engine_identity;
use crate::sdk::identities::Identified;
use crate::served::{Rows, Snapshot};
use crate::{App, Caller, Error, Features, Place, Result};

/// Where a call about an identity is: the environment's key and the identity's id.
pub type At<'a> = (&'a str, i64);

/// What a feature is for an identity once everything is taken into account.
#[derive(Debug, Clone)]
pub struct EffectiveState {
    pub feature: Feature,
    pub enabled: bool,
    pub value: FlagValue,
    /// `IDENTITY`, `SEGMENT` or nothing: what overrides the environment default.
    pub overridden_by: Option<&'static str>,
    /// The segment whose override counts.
    pub segment: Option<(i64, String)>,
    /// The options with their share of the traffic.
    pub options: Vec<(FlagValue, f64)>,
}

/// The environment and the identity in it, for reading.
async fn seen(tx: &mut Tx, caller: &Caller, (key, identity_id): At<'_>) -> Result<(Place, Identity)> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    require_identities(tx, caller, &place).await?;
    let identity = identity_at(tx, &place, identity_id).await?;
    Ok((place, identity))
}

/// The environment and the identity in it, for writing, with the features on which the caller may do so.
async fn changed(
    tx: &mut Tx,
    caller: &Caller,
    (key, identity_id): At<'_>,
) -> Result<(Place, Identity, Features)> {
    let permission = EnvironmentPermission::UpdateFeatureState;
    let (place, may) = place_for_features(tx, caller, key, permission).await?;
    let identity = identity_at(tx, &place, identity_id).await?;
    Ok((place, identity, may))
}

async fn identity_at(tx: &mut Tx, place: &Place, id: i64) -> Result<Identity> {
    let found = identities::find(tx, id).await?;
    let found = found.filter(|identity| identity.environment_id == place.environment.id);
    found.ok_or_else(|| Error::no_match("Identity"))
}

/// The overrides of an identity, of one feature or of all.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    at: At<'_>,
    feature_id: Option<i64>,
) -> Result<Vec<NamedState>> {
    let (_, identity) = seen(tx, caller, at).await?;
    let mut states = feature_states::of_identity(tx, identity.id).await?;
    states.retain(|state| feature_id.is_none_or(|id| state.feature_id == id));
    with_names(tx, states).await
}

/// One override of an identity.
pub async fn get(tx: &mut Tx, caller: &Caller, at: At<'_>, id: i64) -> Result<StateDetails> {
    let (_, identity) = seen(tx, caller, at).await?;
    let state = state_of(tx, &identity, id).await?;
    detail(tx, state).await
}

async fn state_of(tx: &mut Tx, identity: &Identity, id: i64) -> Result<FeatureState> {
    let found = feature_states::find(tx, id).await?;
    let found = found.filter(|state| state.identity_id == Some(identity.id));
    found.ok_or_else(no_state)
}

fn spot<'a>(caller: &'a Caller, place: &'a Place, feature: &'a Feature, identity: &'a Identity) -> Spot<'a> {
    Spot {
        author: caller.into(),
        place,
        feature,
        subject: Subject::Identity(identity),
    }
}

/// Overrides a feature for an identity.
pub async fn create(
    app: &App,
    caller: &Caller,
    at: At<'_>,
    feature_id: Option<i64>,
    edit: StateEdit,
) -> Result<StateDetails> {
    let mut tx = app.begin().await?;
    let (place, identity, may) = changed(&mut tx, caller, at).await?;
    let feature = match feature_id {
        Some(id) => feature_at(&mut tx, &place, id).await?,
        None => None,
    };
    let feature = feature.ok_or_else(Error::forbidden)?;
    may.require(&mut tx, feature.id).await?;
    let states = feature_states::of_identity(&mut tx, identity.id).await?;
    if states.iter().any(|state| state.feature_id == feature.id) {
        return Err(exists());
    }
    let spot = spot(caller, &place, &feature, &identity);
    let (state, change) = spot.create(&mut tx, None, edit).await?;
    let answer = detail(&mut tx, state).await?;
    app.commit(tx, vec![change]).await?;
    Ok(answer)
}

/// Changes an override.
pub async fn update(
    app: &App,
    caller: &Caller,
    at: At<'_>,
    id: i64,
    edit: StateEdit,
) -> Result<StateDetails> {
    let mut tx = app.begin().await?;
    let (place, identity, may) = changed(&mut tx, caller, at).await?;
    let state = state_of(&mut tx, &identity, id).await?;
    may.require(&mut tx, state.feature_id).await?;
    let feature = feature_at(&mut tx, &place, state.feature_id)
        .await?
        .ok_or_else(no_state)?;
    let spot = spot(caller, &place, &feature, &identity);
    let (state, changes) = spot.edit(&mut tx, state, edit).await?;
    let answer = detail(&mut tx, state).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

/// Deletes an override: the identity gets what others get.
pub async fn delete(app: &App, caller: &Caller, at: At<'_>, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (place, identity, may) = changed(&mut tx, caller, at).await?;
    let state = state_of(&mut tx, &identity, id).await?;
    may.require(&mut tx, state.feature_id).await?;
    let feature = feature_at(&mut tx, &place, state.feature_id)
        .await?
        .ok_or_else(no_state)?;
    let change = spot(caller, &place, &feature, &identity)
        .delete(&mut tx, &state)
        .await?;
    app.commit(tx, vec![change]).await
}

/// Everything an identity gets.
pub async fn all(app: &App, tx: &mut Tx, caller: &Caller, at: At<'_>) -> Result<Vec<EffectiveState>> {
    let (place, identity) = seen(tx, caller, at).await?;
    effective_states(app, tx, &place, &identity).await
}

/// Gives an identity the overrides of another one of its environment, in place of its own.
pub async fn clone_from(
    app: &App,
    caller: &Caller,
    at: At<'_>,
    source_id: i64,
) -> Result<Vec<EffectiveState>> {
    let mut tx = app.begin().await?;
    let (place, identity, may) = changed(&mut tx, caller, at).await?;
    require_identities(&mut tx, caller, &place).await?;
    let source = identity_at(&mut tx, &place, source_id).await?;
    let mut changes = Vec::new();
    if source.id != identity.id {
        changes = replace(&mut tx, (caller, &place, &may), &source, &identity).await?;
    }
    let answer = effective_states(app, &mut tx, &place, &identity).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

async fn replace(
    tx: &mut Tx,
    (caller, place, may): (&Caller, &Place, &Features),
    source: &Identity,
    target: &Identity,
) -> Result<Vec<NewChange>> {
    let features: HashMap<i64, Feature> = features::list(tx, place.project.id)
        .await?
        .into_iter()
        .map(|feature| (feature.id, feature))
        .collect();
    let mut changes = Vec::new();
    for state in feature_states::of_identity(tx, target.id).await? {
        if let Some(feature) = features.get(&state.feature_id) {
            may.require(tx, feature.id).await?;
            changes.push(spot(caller, place, feature, target).delete(tx, &state).await?);
        }
    }
    let states = feature_states::of_identity(tx, source.id).await?;
    for StateDetails { state, options } in details(tx, states).await? {
        let Some(feature) = features.get(&state.feature_id) else {
            continue;
        };
        may.require(tx, feature.id).await?;
        let weights = options.iter().map(|option| Weight {
            option_id: option.option_id,
            percentage: option.percentage_allocation,
        });
        let edit = StateEdit {
            enabled: Some(state.enabled),
            weights: Some(weights.collect()),
            value: Some(ValueEdit::from(state.value())),
        };
        let spot = spot(caller, place, feature, target);
        changes.push(spot.create(tx, None, edit).await?.1);
    }
    Ok(changes)
}

/// What an identity gets for each feature of its environment, with its stored traits, as this transaction sees it.
pub async fn effective_states(
    app: &App,
    tx: &mut Tx,
    place: &Place,
    identity: &Identity,
) -> Result<Vec<EffectiveState>> {
    let Some(rows) = Rows::load(tx, app.environments().lists(), place.environment.id).await? else {
        return Ok(Vec::new());
    };
    let snapshot = Snapshot::build(&rows);
    Ok(with_engine_identity(
        &snapshot,
        &Identified::stored(identity),
        |identity| {
            let evaluation = snapshot.engine.evaluate(Some(identity));
            evaluation
                .iter()
                .filter_map(|outcome| effective_state(&rows, &outcome))
                .collect()
        },
    ))
}

fn effective_state(rows: &Rows, outcome: &Outcome<'_>) -> Option<EffectiveState> {
    let feature = rows.features.get(outcome.feature())?.clone();
    let state = rows.states.get(usize::try_from(outcome.reference()).ok()?)?;
    let (overridden_by, segment) = match outcome.winner() {
        Winner::Default => (None, None),
        Winner::Identity => (Some("IDENTITY"), None),
        Winner::Segment { segment, .. } => (Some("SEGMENT"), rows.segments.get(segment)),
    };
    let shares = rows.weights_of(state).iter().filter_map(|weight| {
        let option = rows.options.get(&weight.option_id)?;
        Some((option.value(), weight.percentage_allocation))
    });
    Some(EffectiveState {
        enabled: outcome.enabled(),
        value: serde_json::from_value(outcome.value().clone()).unwrap_or_default(),
        overridden_by,
        segment: segment.map(|s| (s.id, s.name.clone())),
        options: shares.collect(),
        feature,
    })
}
