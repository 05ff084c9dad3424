//! Feature states of an environment: its defaults, and (in the dialect of `features/featurestates/`) segment overrides.

use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_store::changes::NewChange;
use burgee_store::features::Feature;
use burgee_store::{Tx, feature_segments, feature_states, features, segments};
use serde_json::json;

use crate::change_sets::{self, ChangeSet, StateChange, Target};
use crate::feature_states::{
    FeatureState, Spot, StateDetails, StateEdit, Subject, detail, details, feature_at, place_by_id,
    place_by_key, place_for_features,
};
use crate::{Access, App, Author, Caller, Error, Place, Result};

const UPDATE: EnvironmentPermission = EnvironmentPermission::UpdateFeatureState;
const EXISTS: &str =
    "['Feature state already exists for this environment, feature, version, segment & identity combination']";

/// Which states a list shows.
#[derive(Debug, Clone, Default)]
pub struct StateFilter {
    pub feature_id: Option<i64>,
    pub feature_name: Option<String>,
    pub feature_segment_id: Option<i64>,
}

/// A feature state of an identity, with the identity's name.
#[derive(Debug, Clone)]
pub struct NamedState {
    pub details: StateDetails,
    pub identifier: String,
}

/// What is said of a second state where there can be only one.
pub(crate) fn exists() -> Error {
    Error::Rejected(json!([EXISTS]))
}

pub(crate) fn no_state() -> Error {
    Error::no_match("FeatureState")
}

/// The defaults of an environment.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    filter: &StateFilter,
) -> Result<Vec<StateDetails>> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let named = wanted(tx, &place, filter).await?;
    let mut states = feature_states::of_environment(tx, place.environment.id).await?;
    states.retain(|state| {
        state.feature_segment_id.is_none() && named.is_none_or(|feature| state.feature_id == feature)
    });
    details(tx, states).await
}

/// The feature a filter names, by id or by name; one that is not there is `Some(0)`, which nothing has.
async fn wanted(tx: &mut Tx, place: &Place, filter: &StateFilter) -> Result<Option<i64>> {
    let Some(name) = &filter.feature_name else {
        return Ok(filter.feature_id);
    };
    // No name has a NUL, which Postgres refuses to look for.
    if name.contains('\0') {
        return Ok(Some(0));
    }
    let found = features::find_by_name(tx, place.project.id, &name.to_lowercase()).await?;
    let found = found
        .filter(|feature| feature.name == *name)
        .map_or(0, |feature| feature.id);
    Ok(Some(match filter.feature_id {
        Some(id) if id != found => 0,
        _ => found,
    }))
}

/// One page of the identity overrides of an environment, with the count of all.
///
/// Who is overridden is data of identities, so seeing the environment is not enough.
pub async fn list_of_identities(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    filter: &StateFilter,
    (limit, offset): (i64, i64),
) -> Result<(i64, Vec<NamedState>)> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    require_identities(tx, caller, &place).await?;
    let feature = wanted(tx, &place, filter).await?;
    let environment_id = place.environment.id;
    let count = feature_states::count_identity_overrides(tx, environment_id, feature).await?;
    let states = feature_states::identity_overrides(tx, environment_id, feature, limit, offset).await?;
    Ok((count, with_names(tx, states).await?))
}

/// Fails unless the caller may see the identities of an environment.
pub async fn require_identities(tx: &mut Tx, caller: &Caller, place: &Place) -> Result<()> {
    let access: Access = caller
        .environment_access(tx, &place.project, &place.environment)
        .await?;
    let enough = [
        EnvironmentPermission::ViewIdentities,
        EnvironmentPermission::ManageIdentities,
    ];
    if enough.iter().any(|permission| access.allows(permission.key())) {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

/// Adds allocations and the names of the identities.
pub(crate) async fn with_names(tx: &mut Tx, states: Vec<FeatureState>) -> Result<Vec<NamedState>> {
    let ids: Vec<i64> = states.iter().filter_map(|state| state.identity_id).collect();
    let names = feature_states::identifiers(tx, &ids).await?;
    let names: std::collections::HashMap<i64, String> =
        names.into_iter().map(|row| (row.id, row.identifier)).collect();
    let rows = details(tx, states).await?.into_iter().map(|details| NamedState {
        identifier: details
            .state
            .identity_id
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_default(),
        details,
    });
    Ok(rows.collect())
}

/// One default of an environment.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<StateDetails> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let (_, state) = default_at(tx, &place, id).await?;
    detail(tx, state).await
}

/// A default of this very environment, with its feature.
async fn default_at(tx: &mut Tx, place: &Place, id: i64) -> Result<(Feature, FeatureState)> {
    let state = feature_states::find(tx, id).await?;
    let state = state.filter(|state| {
        state.environment_id == place.environment.id
            && state.identity_id.is_none()
            && state.feature_segment_id.is_none()
    });
    let state = state.ok_or_else(no_state)?;
    let feature = feature_at(tx, place, state.feature_id).await?;
    Ok((feature.ok_or_else(no_state)?, state))
}

/// Changes a default, or schedules that when `live_from` is still to come: then the answer is what it will be.
pub async fn update(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    edit: StateEdit,
    live_from: Option<Timestamp>,
) -> Result<StateDetails> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = place_for_features(&mut tx, caller, key, UPDATE).await?;
    let (feature, state) = default_at(&mut tx, &place, id).await?;
    may.require(&mut tx, feature.id).await?;
    let spot = everyone(caller, &place, &feature);
    let (answer, changes) = edit_at(&mut tx, spot, state, edit, live_from).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

/// Changes a state now, or at its time.
async fn edit_at(
    tx: &mut Tx,
    spot: Spot<'_>,
    state: FeatureState,
    edit: StateEdit,
    live_from: Option<Timestamp>,
) -> Result<(StateDetails, Vec<NewChange>)> {
    let now = Timestamp::now();
    let Some(at) = live_from.filter(|at| *at > now) else {
        let (state, changes) = spot.edit(tx, state, edit).await?;
        return Ok((detail(tx, state).await?, changes));
    };
    spot.refuse_versioned()?;
    let segment = match spot.subject {
        Subject::Segment(segment) => Some(Target {
            segment_id: segment.id,
            priority: None,
        }),
        _ => None,
    };
    let set = ChangeSet {
        feature_id: spot.feature.id,
        live_from: Some(at),
        update: vec![StateChange {
            segment,
            edit: edit.clone(),
        }],
        ..ChangeSet::default()
    };
    let problem = change_sets::check(tx, spot.place, spot.feature, &set).await;
    problem.map_err(change_sets::of_only_state)?;
    let changes = change_sets::apply(tx, spot.author, spot.place, spot.feature, &set, now).await?;
    Ok((edit.preview(detail(tx, state).await?, at), changes))
}

/// Creates the default of a feature that has none here, because it was deleted.
pub async fn create(
    app: &App,
    caller: &Caller,
    key: &str,
    feature_id: Option<i64>,
    edit: StateEdit,
) -> Result<StateDetails> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = place_for_features(&mut tx, caller, key, UPDATE).await?;
    let feature = match feature_id {
        Some(id) => feature_at(&mut tx, &place, id).await?,
        None => None,
    };
    let feature = feature.ok_or_else(Error::forbidden)?;
    may.require(&mut tx, feature.id).await?;
    let (state, change) = create_at(&mut tx, everyone(caller, &place, &feature), edit).await?;
    let answer = detail(&mut tx, state).await?;
    app.commit(tx, vec![change]).await?;
    Ok(answer)
}

async fn create_at(tx: &mut Tx, spot: Spot<'_>, edit: StateEdit) -> Result<(FeatureState, NewChange)> {
    spot.refuse_versioned()?;
    if default_of(tx, spot.place, spot.feature).await?.is_some() {
        return Err(exists());
    }
    spot.create(tx, None, edit).await
}

/// The default a feature has at a place.
pub(crate) async fn default_of(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
) -> Result<Option<FeatureState>> {
    let states = feature_states::of_feature(tx, place.environment.id, feature.id).await?;
    Ok(states
        .into_iter()
        .find(|state| state.feature_segment_id.is_none()))
}

/// Deletes a default: the feature is not there in this environment any more.
pub async fn delete(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = place_for_features(&mut tx, caller, key, UPDATE).await?;
    let (feature, state) = default_at(&mut tx, &place, id).await?;
    may.require(&mut tx, feature.id).await?;
    let change = everyone(caller, &place, &feature).delete(&mut tx, &state).await?;
    app.commit(tx, vec![change]).await
}

pub(crate) fn everyone<'a>(
    author: impl Into<Author<'a>>,
    place: &'a Place,
    feature: &'a Feature,
) -> Spot<'a> {
    Spot {
        author: author.into(),
        place,
        feature,
        subject: Subject::Everyone,
    }
}

/// Defaults and segment overrides of an environment.
pub async fn list_shared(
    tx: &mut Tx,
    caller: &Caller,
    environment_id: Option<i64>,
    filter: &StateFilter,
) -> Result<Vec<StateDetails>> {
    let id = environment_id.ok_or_else(Error::forbidden)?;
    let place = place_by_id(tx, caller, id, EnvironmentPermission::ViewEnvironment).await?;
    let feature = wanted(tx, &place, filter).await?;
    let mut states = feature_states::of_environment(tx, id).await?;
    states.retain(|state| {
        feature.is_none_or(|feature| state.feature_id == feature)
            && filter
                .feature_segment_id
                .is_none_or(|link| state.feature_segment_id == Some(link))
    });
    details(tx, states).await
}

/// One feature state of any kind, by its uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<StateDetails> {
    let state = feature_states::find_by_uuid(tx, uuid)
        .await?
        .ok_or_else(no_state)?;
    let place = Place::by_id(tx, state.environment_id)
        .await?
        .ok_or_else(no_state)?;
    let access = caller
        .environment_access(tx, &place.project, &place.environment)
        .await?;
    if !access.allows(EnvironmentPermission::ViewEnvironment.key()) {
        return Err(no_state());
    }
    if state.identity_id.is_some() {
        require_identities(tx, caller, &place).await?;
    }
    detail(tx, state).await
}

/// Names where a state is: the ids a body of `features/featurestates/` gives.
#[derive(Debug, Clone, Copy)]
pub struct StatePlace {
    pub feature_id: i64,
    pub environment_id: i64,
    pub feature_segment_id: Option<i64>,
}

/// Creates a default, or the state of a segment override whose feature segment is there already.
pub async fn create_shared(
    app: &App,
    caller: &Caller,
    at: StatePlace,
    edit: StateEdit,
) -> Result<StateDetails> {
    let mut tx = app.begin_settled().await?;
    let place = Place::by_id(&mut tx, at.environment_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    let needed = permission(at.feature_segment_id);
    let may = caller.features_in_environment(&mut tx, &place, needed).await?;
    let feature = feature_at(&mut tx, &place, at.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_such("feature", at.feature_id))?;
    may.require(&mut tx, feature.id).await?;
    let (state, change) = match at.feature_segment_id {
        None => create_at(&mut tx, everyone(caller, &place, &feature), edit).await?,
        Some(id) => {
            let link = feature_segments::find(&mut tx, id).await?;
            let link = link
                .filter(|link| link.environment_id == place.environment.id && link.feature_id == feature.id);
            let link = link.ok_or_else(|| Error::no_such("feature_segment", id))?;
            if feature_states::of_feature_segment(&mut tx, id).await?.is_some() {
                return Err(exists());
            }
            let segment = segments::find(&mut tx, link.segment_id).await?;
            let segment = segment.ok_or_else(|| Error::no_such("feature_segment", id))?;
            let subject = Subject::Segment(&segment);
            let spot = Spot {
                subject,
                ..everyone(caller, &place, &feature)
            };
            spot.create(&mut tx, Some(id), edit).await?
        }
    };
    let answer = detail(&mut tx, state).await?;
    app.commit(tx, vec![change]).await?;
    Ok(answer)
}

fn permission(feature_segment_id: Option<i64>) -> EnvironmentPermission {
    match feature_segment_id {
        Some(_) => EnvironmentPermission::ManageSegmentOverrides,
        None => EnvironmentPermission::UpdateFeatureState,
    }
}

/// Changes a default or a segment override, or schedules that when `live_from` is still to come. The body must name the
/// feature and environment the state has.
pub async fn update_shared(
    app: &App,
    caller: &Caller,
    id: i64,
    named: (i64, i64),
    edit: StateEdit,
    live_from: Option<Timestamp>,
) -> Result<StateDetails> {
    let mut tx = app.begin_settled().await?;
    let state = feature_states::find(&mut tx, id).await?;
    let state = state
        .filter(|state| state.identity_id.is_none())
        .ok_or_else(no_state)?;
    let place = visible(&mut tx, caller, state.environment_id).await?;
    let needed = permission(state.feature_segment_id);
    caller
        .require_on_feature(&mut tx, &place, needed, state.feature_id)
        .await?;
    if named.0 != state.feature_id {
        return Err(Error::no_such("feature", named.0));
    }
    if named.1 != state.environment_id {
        return Err(Error::no_such("environment", named.1));
    }
    let feature = feature_at(&mut tx, &place, state.feature_id)
        .await?
        .ok_or_else(no_state)?;
    let segment = match state.feature_segment_id {
        Some(link) => match feature_segments::find(&mut tx, link).await? {
            Some(link) => segments::find(&mut tx, link.segment_id).await?,
            None => None,
        },
        None => None,
    };
    let subject = segment.as_ref().map_or(Subject::Everyone, Subject::Segment);
    let spot = Spot {
        subject,
        ..everyone(caller, &place, &feature)
    };
    let (answer, changes) = edit_at(&mut tx, spot, state, edit, live_from).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

/// The environment of a state, for somebody who may see its project at all; for others the state does not exist.
async fn visible(tx: &mut Tx, caller: &Caller, environment_id: i64) -> Result<Place> {
    let place = Place::by_id(tx, environment_id).await?.ok_or_else(no_state)?;
    let access = caller.project_access(tx, &place.project).await?;
    if access.allows(ProjectPermission::ViewProject.key()) {
        Ok(place)
    } else {
        Err(no_state())
    }
}
