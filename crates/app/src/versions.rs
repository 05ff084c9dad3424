//! Versions of a feature in an environment with v2 versioning: drafts, publishing, history.
//!
//! What is served are the rows of `feature_states`, as in every environment. A version keeps its states as a document;
//! publishing it (see [`crate::going_live`]) puts them in place of those rows.

use burgee_model::permissions::EnvironmentPermission;
use burgee_model::{Timestamp, keys};
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::{Tx, feature_states, scheduled_changes, versions as version_rows};
use serde_json::json;
use uuid::Uuid;

pub use burgee_store::versions::FeatureVersion;

use crate::author::Author;
use crate::change::{Action, Change, Kind};
use crate::change_sets::{self, ChangeSet, StateChange};
use crate::feature_states::feature_at;
use crate::going_live;
use crate::version_states::{self, VersionState};
use crate::{App, Caller, Error, Place, Result, approvals, change_requests};

/// A feature in an environment, by their ids.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub environment_id: i64,
    pub feature_id: i64,
}

/// A version about to be made from what is live.
#[derive(Debug, Clone, Default)]
pub struct NewVersion {
    pub description: Option<String>,
    /// What is to be different from what is live, and from when on.
    pub set: ChangeSet,
    pub publish: bool,
}

fn missing() -> Error {
    Error::no_match("EnvironmentFeatureVersion")
}

fn no_state() -> Error {
    Error::no_match("FeatureState")
}

/// The environment and the feature, for somebody who may see them.
pub(crate) async fn seen(tx: &mut Tx, caller: &Caller, at: At) -> Result<(Place, Feature)> {
    let place = Place::by_id(tx, at.environment_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    caller
        .require_in_environment(tx, &place, EnvironmentPermission::ViewEnvironment)
        .await?;
    let feature = feature_at(tx, &place, at.feature_id).await?;
    Ok((place, feature.ok_or_else(|| Error::no_match("Feature"))?))
}

/// The same, for somebody who may change the feature there.
pub(crate) async fn changed(tx: &mut Tx, caller: &Caller, at: At) -> Result<(Place, Feature)> {
    let place = Place::by_id(tx, at.environment_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    let permission = EnvironmentPermission::UpdateFeatureState;
    let may = caller.features_in_environment(tx, &place, permission).await?;
    let feature = feature_at(tx, &place, at.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_match("Feature"))?;
    may.require(tx, feature.id).await?;
    if !place.environment.use_v2_feature_versioning {
        let text = "Environment must use v2 feature versioning.";
        return Err(Error::Rejected(json!({ "environment": text })));
    }
    Ok((place, feature))
}

/// A version of this very feature in this very environment.
pub(crate) async fn find(tx: &mut Tx, at: At, uuid: &str) -> Result<FeatureVersion> {
    let uuid = keys::parse_uuid(uuid).ok_or_else(missing)?.to_string();
    let found = version_rows::find_by_uuid(tx, &uuid).await?;
    found
        .filter(|version| version.environment_id == at.environment_id && version.feature_id == at.feature_id)
        .ok_or_else(missing)
}

/// One page of the versions of a feature in an environment, newest first, with the count of all.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    at: At,
    is_live: Option<bool>,
    slice: (i64, i64),
) -> Result<(i64, Vec<FeatureVersion>)> {
    seen(tx, caller, at).await?;
    let of = (at.environment_id, at.feature_id);
    let count = version_rows::count(tx, of, is_live).await?;
    Ok((count, version_rows::list(tx, of, is_live, slice).await?))
}

/// One version by its uuid, with that of the one before it. One that may not be seen is as good as none.
pub async fn get(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<(FeatureVersion, Option<String>)> {
    let uuid = keys::parse_uuid(uuid).ok_or_else(missing)?.to_string();
    let version = version_rows::find_by_uuid(tx, &uuid).await?.ok_or_else(missing)?;
    let place = Place::by_id(tx, version.environment_id)
        .await?
        .ok_or_else(missing)?;
    let access = caller
        .environment_access(tx, &place.project, &place.environment)
        .await?;
    if !access.allows(EnvironmentPermission::ViewEnvironment.key()) {
        return Err(missing());
    }
    let previous = version_rows::previous(tx, &version).await?;
    Ok((version, previous.map(|previous| previous.uuid)))
}

/// What a feature is in a version: of the one that is served, what is served; of any other, what it says.
///
/// They differ where a segment or an option was deleted or added since.
pub(crate) async fn states_of(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    version: &FeatureVersion,
) -> Result<Vec<VersionState>> {
    let current = version_rows::current(tx, place.environment.id, feature.id).await?;
    if current.is_some_and(|current| current.id == version.id) {
        return version_states::live(tx, place, feature).await;
    }
    version_states::parse(&version.states)
}

/// A version with its states.
#[derive(Debug, Clone)]
pub struct Whole {
    pub version: FeatureVersion,
    pub states: Vec<VersionState>,
}

/// What a feature is in a version.
pub async fn states(tx: &mut Tx, caller: &Caller, at: At, uuid: &str) -> Result<Whole> {
    let (place, feature) = seen(tx, caller, at).await?;
    let version = find(tx, at, uuid).await?;
    let states = states_of(tx, &place, &feature, &version).await?;
    Ok(Whole { version, states })
}

/// Makes a version of what is live and what is to be different, and publishes it when asked to.
pub async fn create(app: &App, caller: &Caller, at: At, new: NewVersion) -> Result<FeatureVersion> {
    let mut tx = app.begin_settled().await?;
    let (place, feature) = changed(&mut tx, caller, at).await?;
    if new.publish {
        approvals::refuse_direct(&place)?;
    }
    change_sets::check(&mut tx, &place, &feature, &new.set).await?;
    let author = Author::from(caller);
    let mut states = version_states::live(&mut tx, &place, &feature).await?;
    states = version_states::copies(&mut tx, &states).await?;
    version_states::apply(&mut tx, &place, &feature, &mut states, &new.set).await?;
    check_count(&mut tx, &place, &feature, &states).await?;
    let draft = draft(&mut tx, author, &place, &feature, &states, new.description).await?;
    let (version, changes) = if new.publish {
        let now = Timestamp::now();
        let (version, changes) =
            publish_in(&mut tx, author, (&place, &feature), draft, new.set.live_from, now).await?;
        (version, changes)
    } else {
        let mut draft = draft;
        draft.live_from = new.set.live_from.map(|at| at.0);
        version_rows::update(&mut tx, &draft).await?;
        let change = drafted(author, &place, &draft, Action::Create, &states, &feature);
        (draft, vec![change])
    };
    app.commit(tx, changes).await?;
    Ok(version)
}

/// Refuses a version that would leave the environment with too many segment overrides.
async fn check_count(tx: &mut Tx, place: &Place, feature: &Feature, states: &[VersionState]) -> Result<()> {
    let here = crate::segment_overrides::all_at(tx, place, feature).await?.len() as i64;
    let others = burgee_store::feature_segments::count(tx, place.environment.id).await? - here;
    let wanted = states.iter().filter(|state| state.segment.is_some()).count() as i64;
    // What is there may stay, whatever the limit is by now.
    match place.project.max_segment_overrides_allowed {
        Some(most) if wanted > here && others + wanted > most => {
            Err(crate::segment_overrides::too_many(most))
        }
        _ => Ok(()),
    }
}

/// Writes a version nobody has published.
pub(crate) async fn draft(
    tx: &mut Tx,
    author: Author<'_>,
    place: &Place,
    feature: &Feature,
    states: &[VersionState],
    description: Option<String>,
) -> Result<FeatureVersion> {
    let mut version = blank(place.environment.id, feature.id, states);
    version.created_by = author.user_id;
    version.description = description;
    version.change_request_id = author.request.map(|request| request.id);
    version.id = version_rows::insert(tx, &version).await?;
    Ok(version)
}

fn blank(environment_id: i64, feature_id: i64, states: &[VersionState]) -> FeatureVersion {
    let now = Timestamp::now().0;
    FeatureVersion {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id,
        environment_id,
        description: None,
        states: version_states::to_text(states),
        created_at: now,
        updated_at: now,
        created_by: None,
        published_at: None,
        published_by: None,
        live_from: None,
        went_live_at: None,
        change_request_id: None,
    }
}

/// The change of a draft, which nobody but its authors sees.
pub(crate) fn drafted(
    author: Author<'_>,
    place: &Place,
    draft: &FeatureVersion,
    action: Action,
    states: &[VersionState],
    feature: &Feature,
) -> NewChange {
    let states: Vec<_> = states.iter().map(|state| state.snapshot(feature)).collect();
    Change::new(author, Kind::FeatureVersion, action, draft.id)
        .in_environment(place)
        .uuid(&draft.uuid)
        .says(match action {
            Action::Create => format!("Draft of a version created for feature: {}", feature.name),
            _ => format!("Draft of a version updated for feature: {}", feature.name),
        })
        .after(json!({ "feature": feature.id, "published": false, "feature_states": states }))
        .into()
}

/// Gives every feature of the environment that has a state there its first version: what it is now.
pub(crate) async fn create_first_versions(tx: &mut Tx, place: &Place) -> Result<()> {
    let mut states = version_states::live_of_environment(tx, place).await?;
    for feature in features::list(tx, place.project.id).await? {
        if let Some(states) = states.remove(&feature.id) {
            create_first(tx, place, &feature, &states).await?;
        }
    }
    Ok(())
}

/// The same for one feature that is new.
pub(crate) async fn create_first_version(tx: &mut Tx, place: &Place, feature: &Feature) -> Result<()> {
    if !place.environment.use_v2_feature_versioning {
        return Ok(());
    }
    let states = version_states::live(tx, place, feature).await?;
    create_first(tx, place, feature, &states).await
}

async fn create_first(tx: &mut Tx, place: &Place, feature: &Feature, states: &[VersionState]) -> Result<()> {
    let mut version = blank(place.environment.id, feature.id, states);
    let now = Some(version.created_at);
    (version.published_at, version.live_from, version.went_live_at) = (now, now, now);
    version_rows::insert(tx, &version).await?;
    feature_states::set_version(tx, (place.environment.id, feature.id), &version.uuid).await?;
    Ok(())
}

/// Publishes a version that makes a change set's changes to what is live, inside the transaction of a larger act.
///
/// Where it changes nothing, and nobody approved it, there is no version.
pub(crate) async fn publish_set(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    set: &ChangeSet,
    now: Timestamp,
) -> Result<Vec<NewChange>> {
    let live = version_states::live(tx, place, feature).await?;
    let mut states = version_states::copies(tx, &live).await?;
    version_states::apply(tx, place, feature, &mut states, set).await?;
    check_count(tx, place, feature, &states).await?;
    let same = live.len() == states.len()
        && live
            .iter()
            .zip(&states)
            .all(|(old, new)| old.segment_id() == new.segment_id() && old.content() == new.content());
    if same && author.request.is_none() {
        return Ok(Vec::new());
    }
    let mut version = draft(tx, author, place, feature, &states, None).await?;
    version.published_at = Some(now.0);
    version.published_by = author.user_id;
    // What was scheduled keeps its place in the history, however late it was carried out.
    let planned = set.live_from.filter(|_| author.scheduled);
    version.live_from = Some(planned.unwrap_or(now).0);
    Ok(going_live::take(tx, author, (place, feature), version, now)
        .await?
        .1)
}

/// Publishes a version, now or from some moment on. Publishing again changes at most when it goes live.
pub async fn publish(
    app: &App,
    caller: &Caller,
    at: At,
    uuid: &str,
    live_from: Option<Timestamp>,
) -> Result<FeatureVersion> {
    let mut tx = app.begin_settled().await?;
    let (place, feature) = changed(&mut tx, caller, at).await?;
    let version = find(&mut tx, at, uuid).await?;
    if version.went_live_at.is_some() || (version.published_at.is_some() && live_from.is_none()) {
        return Ok(version);
    }
    approvals::refuse_direct(&place)?;
    if version.published_at.is_some() && version.change_request_id.is_some() {
        return Err(Error::detail(crate::scheduled_changes::APPROVED));
    }
    let at = (&place, &feature);
    let (version, changes) =
        publish_in(&mut tx, caller.into(), at, version, live_from, Timestamp::now()).await?;
    app.commit(tx, changes).await?;
    Ok(version)
}

/// Publishes a version inside the transaction of a larger act: from `live_from` on, else from the moment its draft
/// names, else now. A moment that has passed is now.
pub(crate) async fn publish_in(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    mut version: FeatureVersion,
    live_from: Option<Timestamp>,
    now: Timestamp,
) -> Result<(FeatureVersion, Vec<NewChange>)> {
    let live_from = live_from.or(version.live_from.map(Timestamp));
    let again = scheduled_changes::of_version(tx, version.id).await?;
    if version.published_at.is_none() {
        version.published_at = Some(now.0);
        version.published_by = author.user_id;
    }
    version.updated_at = now.0;
    let Some(at) = live_from.filter(|at| *at > now) else {
        if let Some(row) = again {
            scheduled_changes::delete(tx, row.id).await?;
        }
        version.live_from = Some(now.0);
        return going_live::take(tx, author, (place, feature), version, now).await;
    };
    version.live_from = Some(at.0);
    version_rows::update(tx, &version).await?;
    let change = match again {
        Some(row) => crate::scheduled_changes::move_to(tx, author, (place, feature), row, at).await?,
        None => {
            crate::scheduled_changes::schedule_version(tx, author, (place, feature), &version, at).await?
        }
    };
    Ok((version, vec![change]))
}

/// Deletes a draft, or a version whose time has not come.
pub async fn delete(app: &App, caller: &Caller, at: At, uuid: &str) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (place, feature) = changed(&mut tx, caller, at).await?;
    let version = find(&mut tx, at, uuid).await?;
    if version.went_live_at.is_some() {
        return Err(Error::detail("Cannot delete a live version."));
    }
    change_requests::refuse_delete(&mut tx, &version).await?;
    version_rows::delete(&mut tx, version.id).await?;
    let change = Change::new(caller, Kind::FeatureVersion, Action::Delete, version.id)
        .in_environment(&place)
        .uuid(&version.uuid)
        .says(format!(
            "Version deleted before it was live for feature: {}",
            feature.name
        ))
        .before(json!({
            "feature": feature.id,
            "published": version.published_at.is_some(),
            "live_from": version.live_from.map(|at| Timestamp(at).rest()),
        }));
    app.commit(tx, vec![change.into()]).await
}

/// The draft, for somebody who changes its states.
async fn open_draft(tx: &mut Tx, caller: &Caller, at: At, uuid: &str) -> Result<(Place, Feature, Whole)> {
    let (place, feature) = changed(tx, caller, at).await?;
    let version = find(tx, at, uuid).await?;
    if version.published_at.is_some() {
        return Err(Error::detail("Cannot modify published version."));
    }
    change_requests::refuse_edit(tx, caller, &version).await?;
    let states = version_states::parse(&version.states)?;
    Ok((place, feature, Whole { version, states }))
}

async fn write_draft(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    (place, feature): (&Place, &Feature),
    mut draft: Whole,
) -> Result<Whole> {
    draft.version.states = version_states::to_text(&draft.states);
    draft.version.updated_at = Timestamp::now().0;
    version_rows::update(&mut tx, &draft.version).await?;
    let change = drafted(
        caller.into(),
        place,
        &draft.version,
        Action::Update,
        &draft.states,
        feature,
    );
    app.commit(tx, vec![change]).await?;
    Ok(draft)
}

/// Adds a state to a draft: an override for a segment that has none in it.
pub async fn create_state(
    app: &App,
    caller: &Caller,
    at: At,
    uuid: &str,
    change: StateChange,
) -> Result<(FeatureVersion, VersionState)> {
    let mut tx = app.begin().await?;
    let (place, feature, mut draft) = open_draft(&mut tx, caller, at, uuid).await?;
    let segment_id = change.segment.map(|target| target.segment_id);
    if draft.states.iter().any(|state| state.segment_id() == segment_id) {
        return Err(change_sets::taken(segment_id));
    }
    let set = ChangeSet {
        create: vec![change],
        ..ChangeSet::default()
    };
    version_states::apply(&mut tx, &place, &feature, &mut draft.states, &set)
        .await
        .map_err(crate::segment_overrides::nested)?;
    check_count(&mut tx, &place, &feature, &draft.states).await?;
    let draft = write_draft(app, tx, caller, (&place, &feature), draft).await?;
    pick(draft, |state| state.segment_id() == segment_id)
}

fn pick(draft: Whole, wanted: impl Fn(&VersionState) -> bool) -> Result<(FeatureVersion, VersionState)> {
    let state = draft.states.into_iter().find(|state| wanted(state));
    Ok((draft.version, state.ok_or_else(no_state)?))
}

/// Changes a state of a draft. Whom it is for stays.
pub async fn update_state(
    app: &App,
    caller: &Caller,
    at: At,
    (uuid, id): (&str, i64),
    mut change: StateChange,
) -> Result<(FeatureVersion, VersionState)> {
    let mut tx = app.begin().await?;
    let (place, feature, mut draft) = open_draft(&mut tx, caller, at, uuid).await?;
    let state = draft
        .states
        .iter()
        .find(|state| state.id == id)
        .ok_or_else(no_state)?;
    let (segment_id, priority) = (
        state.segment_id(),
        change.segment.and_then(|target| target.priority),
    );
    change.segment = segment_id.map(|segment_id| change_sets::Target { segment_id, priority });
    let set = ChangeSet {
        update: vec![change],
        ..ChangeSet::default()
    };
    version_states::apply(&mut tx, &place, &feature, &mut draft.states, &set).await?;
    let draft = write_draft(app, tx, caller, (&place, &feature), draft).await?;
    pick(draft, |state| state.id == id)
}

/// Takes an override out of a draft.
pub async fn delete_state(app: &App, caller: &Caller, at: At, uuid: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (place, feature, mut draft) = open_draft(&mut tx, caller, at, uuid).await?;
    let state = draft
        .states
        .iter()
        .find(|state| state.id == id)
        .ok_or_else(no_state)?;
    if state.segment.is_none() {
        return Err(Error::detail(
            "Cannot delete the environment default of a version.",
        ));
    }
    draft.states.retain(|state| state.id != id);
    write_draft(app, tx, caller, (&place, &feature), draft)
        .await
        .map(drop)
}
