//! What a change request says: its parts, what conflicts with them, and the fingerprint that approvals are bound to.

use burgee_model::{FlagValue, Problems, Timestamp, keys, limits};
use burgee_store::change_request_reviews::{self, Approval};
use burgee_store::change_requests::{self, ChangeRequest, Part, Target};
use burgee_store::features::Feature;
use burgee_store::{Tx, feature_segments, feature_states, scheduled_changes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::contributors;
use super::home::Home;
use super::segment_content::{self, SegmentProposal};
use super::versions::{self, ProposedVersion};
use crate::change_sets::{self, ChangeSet, StateChange};
use crate::feature_states::{StateEdit, feature_at};
use crate::{Error, Place, Result};

pub use super::segment_content::SegmentDocument;

pub(super) const STATE: &str = "STATE";
pub(super) const SET: &str = "SET";
pub(super) const VERSION: &str = "VERSION";
pub(super) const SEGMENT: &str = "SEGMENT";

/// What a request is to say. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ContentEdit {
    pub states: Option<Vec<StateProposal>>,
    pub sets: Option<Vec<ChangeSet>>,
    /// The uuids of draft versions.
    pub versions: Option<Vec<String>>,
    pub segments: Option<Vec<SegmentProposal>>,
}

/// What one state is to become: the environment default of a feature, or an override that is there.
#[derive(Debug, Clone)]
pub struct StateProposal {
    pub feature_id: i64,
    pub feature_segment_id: Option<i64>,
    pub edit: StateEdit,
    pub live_from: Option<Timestamp>,
}

/// The same as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateDocument {
    pub feature_segment: Option<i64>,
    pub set: ChangeSet,
}

/// What one part says.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    State(StateDocument),
    Set(ChangeSet),
    /// A draft version. The set only remembers what there was when it was proposed.
    Version(ChangeSet),
    Segment(SegmentDocument),
}

/// Something that was published since the request was written and that it would overwrite.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictDetails {
    /// The request that did it, when it was one.
    pub request_id: Option<i64>,
    pub segment_id: Option<i64>,
    pub is_environment_default: bool,
    /// When; unknown when something was deleted.
    pub published_at: Option<Timestamp>,
}

/// A request with all that is known about it.
#[derive(Debug, Clone)]
pub struct RequestDetails {
    pub request: ChangeRequest,
    pub parts: Vec<(Part, Document)>,
    /// The draft versions among them that are still there.
    pub versions: Vec<ProposedVersion>,
    /// Given (only where they still count) and awaited.
    pub approvals: Vec<Approval>,
    pub groups: Vec<i64>,
    pub is_approved: bool,
    pub conflicts: Vec<ConflictDetails>,
    /// Of what the request says.
    pub fingerprint: String,
}

impl Document {
    fn of(part: &Part) -> Result<Self> {
        fn read<T: DeserializeOwned>(part: &Part) -> Result<T> {
            serde_json::from_str(&part.document)
                .map_err(|error| Error::Internal(format!("change request part {}: {error}", part.id)))
        }
        match part.kind.as_str() {
            STATE => read(part).map(Self::State),
            SET => read(part).map(Self::Set),
            VERSION => read(part).map(Self::Version),
            _ => read(part).map(Self::Segment),
        }
    }

    /// The changes of a feature, when it is about one.
    pub(super) fn set(&self) -> Option<&ChangeSet> {
        match self {
            Self::State(state) => Some(&state.set),
            Self::Set(set) | Self::Version(set) => Some(set),
            Self::Segment(_) => None,
        }
    }
}

/// The parts of a request, read.
pub(super) async fn parts(tx: &mut Tx, request_id: i64) -> Result<Vec<(Part, Document)>> {
    let rows = change_requests::parts(tx, &[request_id]).await?;
    rows.into_iter()
        .map(|part| Document::of(&part).map(|document| (part, document)))
        .collect()
}

/// Everything about a request.
pub(super) async fn details(tx: &mut Tx, home: &Home, request: ChangeRequest) -> Result<RequestDetails> {
    let parts = parts(tx, request.id).await?;
    let mut versions = Vec::new();
    for (part, _) in &parts {
        versions.extend(versions::proposed(tx, part).await?);
    }
    let fingerprint = fingerprint(&request, &parts, &versions);
    let writers = contributors(&request);
    let mut approvals = change_request_reviews::approvals(tx, request.id).await?;
    if request.committed_at.is_none() {
        for approval in &mut approvals {
            let counts = approval.fingerprint.as_deref() == Some(&fingerprint);
            if !counts || writers.contains(&approval.user_id) {
                approval.approved_at = None;
            }
        }
    }
    let given = approvals.iter().filter(|approval| approval.approved_at.is_some());
    let enough = i64::try_from(given.count()).unwrap_or(i64::MAX) >= home.required_approvals();
    let groups = change_request_reviews::groups(tx, request.id).await?;
    Ok(RequestDetails {
        is_approved: enough || request.committed_at.is_some(),
        conflicts: conflicts(tx, home, &request, &parts).await?,
        groups: groups.into_iter().map(|group| group.group_id).collect(),
        request,
        parts,
        versions,
        approvals,
        fingerprint,
    })
}

/// A digest of all that an approval of a request is given for, as its parts are now.
pub async fn fingerprint_of(tx: &mut Tx, request: &ChangeRequest) -> Result<String> {
    let parts = parts(tx, request.id).await?;
    let mut versions = Vec::new();
    for (part, _) in &parts {
        versions.extend(versions::proposed(tx, part).await?);
    }
    Ok(fingerprint(request, &parts, &versions))
}

/// A digest of all that an approval is given for.
fn fingerprint(request: &ChangeRequest, parts: &[(Part, Document)], versions: &[ProposedVersion]) -> String {
    let mut content = Vec::with_capacity(parts.len());
    for (part, _) in parts {
        content.push(json!([
            part.kind,
            part.feature_id,
            part.segment_id,
            part.version_uuid,
            part.live_from,
            part.document,
        ]));
    }
    let drafts: Vec<Value> = versions.iter().map(ProposedVersion::content).collect();
    let all = json!([
        request.title,
        request.description,
        request.ignore_conflicts,
        content,
        drafts
    ]);
    keys::hex(&Sha256::digest(all.to_string().as_bytes()))
}

/// What was published since the parts were written that they would overwrite. What is done already conflicts no more.
pub(super) async fn conflicts(
    tx: &mut Tx,
    home: &Home,
    request: &ChangeRequest,
    parts: &[(Part, Document)],
) -> Result<Vec<ConflictDetails>> {
    let waiting = match request.committed_at {
        None => None,
        Some(_) => Some(scheduled_changes::of_change_request(tx, request.id).await?),
    };
    let mut found: Vec<ConflictDetails> = Vec::new();
    for (part, document) in parts {
        let done = waiting.as_ref().is_some_and(|waiting| {
            !waiting.iter().any(|change| {
                Some(change.feature_id) == part.feature_id && Some(change.live_from) == part.live_from
            })
        });
        if done {
            continue;
        }
        let more = match (home, document) {
            (Home::Environment(place), document) => of_set(tx, place, document).await?,
            (Home::Project(_), Document::Segment(segment)) => segment_content::conflict(tx, part, segment)
                .await?
                .into_iter()
                .collect(),
            _ => Vec::new(),
        };
        for conflict in more {
            // What an earlier part of the same request did is what its author wanted.
            let own = conflict.request_id == Some(request.id);
            if !own && !found.contains(&conflict) {
                found.push(conflict);
            }
        }
    }
    Ok(found)
}

async fn of_set(tx: &mut Tx, place: &Place, document: &Document) -> Result<Vec<ConflictDetails>> {
    let Some(set) = document.set() else {
        return Ok(Vec::new());
    };
    let Some(feature) = feature_at(tx, place, set.feature_id).await? else {
        return Ok(Vec::new());
    };
    let mut found: Vec<ConflictDetails> = Vec::new();
    for conflict in change_sets::conflicts(tx, place, &feature, set).await? {
        found.push(ConflictDetails {
            request_id: conflict.change_request_id,
            segment_id: conflict.segment_id,
            is_environment_default: conflict.segment_id.is_none(),
            published_at: conflict.published_at,
        });
    }
    if let Document::Version(set) = document {
        found.extend(versions::new_overrides(tx, place, &feature, set).await?);
    }
    Ok(found)
}

/// Writes what a request says: parts that are given take the place of those of their kind.
pub(super) async fn write(tx: &mut Tx, home: &Home, request_id: i64, edit: ContentEdit) -> Result<()> {
    match home {
        Home::Environment(place) => {
            if let Some(states) = edit.states {
                let parts = state_parts(tx, place, states).await?;
                replace(tx, request_id, STATE, parts).await?;
            }
            if let Some(sets) = edit.sets {
                let parts = set_parts(tx, place, sets).await?;
                replace(tx, request_id, SET, parts).await?;
            }
            if let Some(versions) = edit.versions {
                let parts = versions::parts(tx, place, request_id, &versions).await?;
                replace(tx, request_id, VERSION, parts).await?;
            }
        }
        Home::Project(project) => {
            if let Some(segments) = edit.segments {
                let parts = segment_content::parts(tx, project, segments).await?;
                replace(tx, request_id, SEGMENT, parts).await?;
            }
        }
    }
    aim(tx, request_id).await
}

/// Notes which states a request is about, as its parts say.
pub async fn aim(tx: &mut Tx, request_id: i64) -> Result<()> {
    let parts = parts(tx, request_id).await?;
    let mut targets: Vec<Target> = Vec::new();
    for set in parts.iter().filter_map(|(_, document)| document.set()) {
        for segment_id in touched(set) {
            let target = Target {
                feature_id: set.feature_id,
                segment_id,
            };
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    let present = change_requests::targets(tx, request_id).await?;
    if present.len() == targets.len() && targets.iter().all(|target| present.contains(target)) {
        return Ok(());
    }
    Ok(change_requests::set_targets(tx, request_id, &targets).await?)
}

fn touched(set: &ChangeSet) -> Vec<Option<i64>> {
    let changed = set.create.iter().chain(&set.update);
    let changed = changed.map(|change| change.segment.map(|target| target.segment_id));
    let remembered = set.base.iter().map(|base| base.segment_id);
    changed
        .chain(set.delete_segments.iter().map(|id| Some(*id)))
        .chain(remembered)
        .collect()
}

async fn replace(tx: &mut Tx, request_id: i64, kind: &str, parts: Vec<Part>) -> Result<()> {
    if parts.len() > limits::CHANGES_PER_REQUEST {
        let text = format!(
            "A change request has at most {} changes.",
            limits::CHANGES_PER_REQUEST
        );
        return Err(Problems::whole(text).into());
    }
    change_requests::delete_parts(tx, request_id, kind).await?;
    for mut part in parts {
        part.change_request_id = request_id;
        change_requests::insert_part(tx, &part).await?;
    }
    Ok(())
}

/// A part with nothing in it yet.
pub(super) fn new_part(kind: &str, document: &impl Serialize) -> Part {
    Part {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        change_request_id: 0,
        kind: kind.to_owned(),
        feature_id: None,
        segment_id: None,
        version_uuid: None,
        live_from: None,
        document: json!(document).to_string(),
        created_at: Timestamp::now().0,
    }
}

/// The parts, or what is wrong with them in a list that mirrors the input.
pub(super) fn all_or_mirror(name: &str, read: Vec<std::result::Result<Part, Value>>) -> Result<Vec<Part>> {
    if read.iter().all(std::result::Result::is_ok) {
        return Ok(read.into_iter().filter_map(std::result::Result::ok).collect());
    }
    let mirrored = read
        .into_iter()
        .map(|part| part.err().unwrap_or_else(|| Value::Object(Map::new())));
    let mirrored: Vec<Value> = mirrored.collect();
    Err(Error::Rejected(json!({ name: mirrored })))
}

/// Takes what is wrong with one item out of an error; other errors end the act.
pub(crate) fn problem<T>(outcome: Result<T>) -> Result<std::result::Result<T, Value>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Rejected(wrong)) => Ok(Err(wrong)),
        Err(Error::Invalid(problems)) => Ok(Err(problems.into_json())),
        Err(other) => Err(other),
    }
}

async fn state_parts(tx: &mut Tx, place: &Place, states: Vec<StateProposal>) -> Result<Vec<Part>> {
    let mut read = Vec::with_capacity(states.len());
    for state in states {
        read.push(problem(state_part(tx, place, state).await)?);
    }
    all_or_mirror("feature_states", read)
}

async fn state_part(tx: &mut Tx, place: &Place, state: StateProposal) -> Result<Part> {
    let feature = feature_named(tx, place, state.feature_id).await?;
    let mut set = ChangeSet {
        feature_id: feature.id,
        live_from: state.live_from,
        ..ChangeSet::default()
    };
    let mut change = StateChange {
        segment: None,
        edit: state.edit,
    };
    let mut is_there = true;
    if let Some(id) = state.feature_segment_id {
        let link = feature_segments::find(tx, id).await?;
        let link =
            link.filter(|link| link.environment_id == place.environment.id && link.feature_id == feature.id);
        let link = link.ok_or_else(|| Error::no_such("feature_segment", id))?;
        is_there = feature_states::of_feature_segment(tx, id).await?.is_some();
        change.segment = Some(change_sets::Target {
            segment_id: link.segment_id,
            priority: None,
        });
    }
    let name = if is_there {
        set.update.push(change);
        "feature_states_to_update"
    } else {
        set.create.push(change);
        "feature_states_to_create"
    };
    match change_sets::check(tx, place, &feature, &set).await {
        Err(Error::Rejected(wrong)) => {
            let own = wrong.get(name).and_then(|list| list.get(0)).cloned();
            return Err(Error::Rejected(own.unwrap_or(wrong)));
        }
        outcome => outcome?,
    }
    change_sets::remember(tx, place, &feature, &mut set).await?;
    fill_in(&mut set);
    let document = StateDocument {
        feature_segment: state.feature_segment_id,
        set,
    };
    Ok(Part {
        feature_id: Some(feature.id),
        live_from: state.live_from.map(|at| at.0),
        ..new_part(STATE, &document)
    })
}

/// Says in full what the state is to be: what was not given is as it was seen.
fn fill_in(set: &mut ChangeSet) {
    let seen = set
        .base
        .first()
        .and_then(|base| base.state.clone())
        .unwrap_or_default();
    for change in set.update.iter_mut().chain(&mut set.create) {
        if change.edit.enabled.is_none() {
            change.edit.enabled = Some(seen["enabled"].as_bool().unwrap_or(false));
        }
        if change.edit.value.is_none() {
            let value = serde_json::from_value::<FlagValue>(seen["feature_state_value"].clone());
            change.edit.value = value.ok().map(Into::into);
        }
    }
}

async fn set_parts(tx: &mut Tx, place: &Place, sets: Vec<ChangeSet>) -> Result<Vec<Part>> {
    let mut read = Vec::with_capacity(sets.len());
    for set in sets {
        read.push(problem(set_part(tx, place, set).await)?);
    }
    all_or_mirror("change_sets", read)
}

async fn set_part(tx: &mut Tx, place: &Place, mut set: ChangeSet) -> Result<Part> {
    let feature = feature_named(tx, place, set.feature_id).await?;
    change_sets::check(tx, place, &feature, &set).await?;
    change_sets::remember(tx, place, &feature, &mut set).await?;
    Ok(Part {
        feature_id: Some(feature.id),
        live_from: set.live_from.map(|at| at.0),
        ..new_part(SET, &set)
    })
}

async fn feature_named(tx: &mut Tx, place: &Place, id: i64) -> Result<Feature> {
    let found = feature_at(tx, place, id).await?;
    found.ok_or_else(|| Error::no_such("feature", id))
}

/// What the change log keeps of a request.
pub(super) fn as_json(details: &RequestDetails) -> Value {
    let request = &details.request;
    let parts = details.parts.iter().map(|(part, _)| {
        json!({
            "kind": part.kind,
            "feature": part.feature_id,
            "segment": part.segment_id,
            "version": part.version_uuid,
            "live_from": part.live_from.map(|at| Timestamp(at).rest()),
            "content": serde_json::from_str::<Value>(&part.document).unwrap_or_default(),
        })
    });
    let reviewers = details.approvals.iter().map(|approval| {
        json!({
            "user": approval.user_id,
            "approved_at": approval.approved_at.map(|at| Timestamp(at).rest()),
        })
    });
    json!({
        "title": request.title,
        "description": request.description,
        "ignore_conflicts": request.ignore_conflicts,
        "committed_at": request.committed_at.map(|at| Timestamp(at).rest()),
        "approvals": reviewers.collect::<Vec<_>>(),
        "group_assignments": details.groups,
        "changes": parts.collect::<Vec<_>>(),
    })
}
