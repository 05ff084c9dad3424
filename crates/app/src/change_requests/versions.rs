//! Draft versions as parts of a change request.

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::change_requests::{self, Part};
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::versions::{self as rows, FeatureVersion};
use serde_json::{Value, json};

use super::content::{ConflictDetails, VERSION, new_part};
use super::obstacle;
use crate::change_sets::{self, ChangeSet, StateChange, Target};
use crate::feature_states::{StateEdit, feature_at};
use crate::segment_overrides::all_at;
use crate::version_states::{self, VersionState};
use crate::{Author, Caller, Error, Place, Result, versions};

/// A draft that a request would publish, or did.
#[derive(Debug, Clone)]
pub struct ProposedVersion {
    pub version: FeatureVersion,
    pub states: Vec<VersionState>,
}

fn wrong(text: String) -> Error {
    Error::field("environment_feature_versions", text)
}

/// The parts for these drafts.
pub(super) async fn parts(
    tx: &mut Tx,
    place: &Place,
    request_id: i64,
    uuids: &[String],
) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::with_capacity(uuids.len());
    for uuid in uuids {
        if parts.iter().any(|part| part.version_uuid.as_ref() == Some(uuid)) {
            continue;
        }
        parts.push(part(tx, place, request_id, uuid).await?);
    }
    Ok(parts)
}

async fn part(tx: &mut Tx, place: &Place, request_id: i64, uuid: &str) -> Result<Part> {
    let unknown = || wrong(format!("Invalid pk \"{uuid}\" - object does not exist."));
    let version = rows::find_by_uuid(tx, uuid).await?;
    let version = version.filter(|version| version.environment_id == place.environment.id);
    let version = version.ok_or_else(unknown)?;
    let feature = feature_at(tx, place, version.feature_id)
        .await?
        .ok_or_else(unknown)?;
    if version.published_at.is_some() {
        return Err(wrong(format!("The version {uuid} is published already.")));
    }
    let other = change_requests::open_with_version(tx, uuid).await?;
    if other.is_some_and(|other| other.id != request_id) {
        return Err(wrong(format!(
            "The version {uuid} is part of another change request."
        )));
    }
    let set = seen(tx, place, &feature, &version).await?;
    Ok(Part {
        feature_id: Some(feature.id),
        live_from: version.live_from,
        version_uuid: Some(version.uuid),
        ..new_part(VERSION, &set)
    })
}

/// What there is now of all that publishing the draft would change, kept to tell conflicts later.
async fn seen(tx: &mut Tx, place: &Place, feature: &Feature, version: &FeatureVersion) -> Result<ChangeSet> {
    let mut set = touched(tx, place, feature, version).await?;
    change_sets::remember(tx, place, feature, &mut set).await?;
    Ok(set)
}

/// The states that publishing a version would change, as a set that changes nothing of them.
pub async fn touched_by(tx: &mut Tx, version: &FeatureVersion) -> Result<ChangeSet> {
    let place = Place::by_id(tx, version.environment_id).await?;
    let feature = features::find(tx, version.feature_id).await?;
    match (place, feature) {
        (Some(place), Some(feature)) => touched(tx, &place, &feature, version).await,
        _ => Ok(ChangeSet::default()),
    }
}

async fn touched(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    version: &FeatureVersion,
) -> Result<ChangeSet> {
    let states = version_states::parse(&version.states)?;
    let drafted: Vec<Option<i64>> = states.iter().map(VersionState::segment_id).collect();
    let update = drafted.iter().map(|segment_id| StateChange {
        segment: segment_id.map(|segment_id| Target {
            segment_id,
            priority: None,
        }),
        edit: StateEdit::default(),
    });
    let mut set = ChangeSet {
        feature_id: feature.id,
        live_from: version.live_from.map(Timestamp),
        update: update.collect(),
        ..ChangeSet::default()
    };
    for made in all_at(tx, place, feature).await? {
        if !drafted.contains(&Some(made.link.segment_id)) {
            set.delete_segments.push(made.link.segment_id);
        }
    }
    Ok(set)
}

/// The draft of a part; nothing, when it is gone.
pub(super) async fn proposed(tx: &mut Tx, part: &Part) -> Result<Option<ProposedVersion>> {
    let Some(uuid) = &part.version_uuid else {
        return Ok(None);
    };
    let Some(version) = rows::find_by_uuid(tx, uuid).await? else {
        return Ok(None);
    };
    let states = version_states::parse(&version.states)?;
    Ok(Some(ProposedVersion { version, states }))
}

impl ProposedVersion {
    /// What it says, for the fingerprint of its request.
    pub(super) fn content(&self) -> Value {
        let states = self
            .states
            .iter()
            .map(|state| json!([state.segment_id(), state.content()]));
        json!([
            self.version.uuid,
            self.version.live_from,
            states.collect::<Vec<_>>()
        ])
    }
}

/// Overrides that were made since the draft was proposed: publishing it would take them away.
pub(super) async fn new_overrides(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    set: &ChangeSet,
) -> Result<Vec<ConflictDetails>> {
    let overrides = all_at(tx, place, feature).await?.into_iter();
    let unseen = overrides.filter(|made| {
        let segment_id = Some(made.link.segment_id);
        set.base.iter().all(|base| base.segment_id != segment_id)
    });
    let conflicts = unseen.map(|made| ConflictDetails {
        request_id: made.state.state.change_request_id,
        segment_id: Some(made.link.segment_id),
        is_environment_default: false,
        published_at: Some(Timestamp(made.state.state.created_at)),
    });
    Ok(conflicts.collect())
}

/// Publishes the draft, at once or at its time.
pub(super) async fn publish(
    tx: &mut Tx,
    author: Author<'_>,
    place: &Place,
    part: &Part,
    now: Timestamp,
) -> Result<Vec<NewChange>> {
    let gone = || obstacle("A version of this Change Request is not there any more.");
    let mut version = proposed(tx, part).await?.ok_or_else(gone)?.version;
    let feature = feature_at(tx, place, version.feature_id)
        .await?
        .ok_or_else(gone)?;
    if version.published_at.is_some() {
        return Err(obstacle(
            "A version of this Change Request has been published already.",
        ));
    }
    version.change_request_id = author.request.map(|request| request.id);
    rows::set_change_request(tx, version.id, version.change_request_id).await?;
    let published = versions::publish_in(tx, author, (place, &feature), version, None, now).await?;
    Ok(published.1)
}

/// Fails when a draft is part of an open request of somebody else: what others are to look at is its author's.
pub(crate) async fn refuse_edit(tx: &mut Tx, caller: &Caller, version: &FeatureVersion) -> Result<()> {
    match change_requests::open_with_version(tx, &version.uuid).await? {
        Some(request) if !super::is_author(caller, &request) => Err(Error::Forbidden(
            "This version is part of a change request; only its author may edit it.".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Fails when a draft is part of an open request.
pub(crate) async fn refuse_delete(tx: &mut Tx, version: &FeatureVersion) -> Result<()> {
    match change_requests::open_with_version(tx, &version.uuid).await? {
        Some(_) => Err(Error::detail("This version is part of a change request.")),
        None => Ok(()),
    }
}
