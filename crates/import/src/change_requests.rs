//! Taking change requests: what they propose, who was asked, who approved.

use std::collections::{HashMap, HashSet};

use burgee_app::Place;
use burgee_app::change_requests::{self, SegmentDocument, StateDocument};
use burgee_app::change_sets::{self, BaseState, ChangeSet};
use burgee_app::version_states::VersionState;
use burgee_store::bulk::tables;
use burgee_store::{change_requests as rows, features, imports, segments, versions as version_rows};
use serde_json::{Value, json};

use crate::configuration::Configuration;
use crate::history::{ChangeRequest, History};
use crate::people::{number_of, uuid};
use crate::records::{FeatureSegment, FeatureState, Segment};
use crate::scheduled_changes::{Spot, change_set, set_of_state, spot};
use crate::taking::{How, Incoming, Taker};
use crate::versions::Documents;
use crate::{Result, noun, rules, stable_uuid};

/// Takes the requests themselves.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(history) = &from.history else {
        return Ok(());
    };
    let mut rows = Vec::with_capacity(history.requests.len());
    for request in &history.requests {
        rows.extend(row(taker, from, request));
    }
    taker
        .rows(
            noun::CHANGE_REQUEST,
            &tables::CHANGE_REQUESTS,
            rows,
            How::default(),
        )
        .await
}

fn row(taker: &Taker<'_>, from: &Configuration, r: &ChangeRequest) -> Option<Incoming> {
    let environment = match r.environment_id {
        Some(id) => Some(taker.id(noun::ENVIRONMENT, id)?),
        None => None,
    };
    let of_environment = || {
        let environment = from
            .environments
            .iter()
            .find(|one| Some(one.id) == r.environment_id);
        environment.map(|environment| environment.project_id)
    };
    let project = taker.id(noun::PROJECT, r.project_id.or_else(of_environment)?)?;
    let author = taker.id_if(noun::USER, r.user_id);
    let created_at = r.created_at.unwrap_or_default();
    Some(Incoming::new(
        r.id,
        vec![
            uuid(r.uuid.as_deref(), noun::CHANGE_REQUEST, r.id).into(),
            project.into(),
            environment.into(),
            r.title.as_str().into(),
            r.title.to_lowercase().into(),
            r.description.as_deref().into(),
            author.into(),
            json!(author.into_iter().collect::<Vec<_>>()).to_string().into(),
            r.ignore_conflicts.into(),
            created_at.into(),
            r.updated_at.unwrap_or(created_at).into(),
            r.committed_at.into(),
            taker.id_if(noun::USER, r.committed_by_id).into(),
        ],
    ))
}

/// A change a request proposes.
struct Part {
    source: i64,
    uuid: String,
    request: i64,
    kind: &'static str,
    feature: Option<i64>,
    segment: Option<i64>,
    version: Option<String>,
    live_from: Option<i64>,
    document: Value,
    created_at: i64,
}

/// Takes what the requests propose, and who is to look at it. Comes after everything it speaks of.
pub(crate) async fn take_content(
    taker: &mut Taker<'_>,
    from: &Configuration,
    documents: &Documents,
) -> Result<()> {
    let Some(history) = &from.history else {
        return Ok(());
    };
    let seen = Seen::new(from, history, documents);
    let requests: HashMap<i64, &ChangeRequest> = history.requests.iter().map(|r| (r.id, r)).collect();
    let mut parts = states(taker, history, &seen, &requests).await?;
    parts.extend(sets(taker, history, &seen, &requests).await?);
    parts.extend(versions(taker, history, &seen, &requests).await?);
    parts.extend(proposed_segments(taker, from, history, &requests).await?);
    let incoming = parts.into_iter().map(|part| {
        Incoming::new(
            part.source,
            vec![
                part.uuid.into(),
                part.request.into(),
                part.kind.into(),
                part.feature.into(),
                part.segment.into(),
                part.version.into(),
                part.live_from.into(),
                part.document.to_string().into(),
                part.created_at.into(),
            ],
        )
    });
    let written = taker.written;
    let incoming = incoming.collect();
    let how = How {
        keeps_ids: false,
        ..How::default()
    };
    taker
        .rows(
            noun::CHANGE_REQUEST_PART,
            &tables::CHANGE_REQUEST_PARTS,
            incoming,
            how,
        )
        .await?;
    let is_changed = taker.written > written;
    take_reviewers(taker, history, is_changed).await
}

/// `is_changed`: what the requests propose was written just now.
async fn take_reviewers(taker: &mut Taker<'_>, history: &History, is_changed: bool) -> Result<()> {
    let approved: HashSet<i64> = (history.approvals.iter())
        .filter(|approval| approval.approved_at.is_some())
        .map(|approval| approval.change_request_id)
        .collect();
    let mut fingerprints = HashMap::new();
    for request in &history.requests {
        let Some(id) = taker.id(noun::CHANGE_REQUEST, request.id) else {
            continue;
        };
        if is_changed {
            change_requests::aim(taker.tx, id).await?;
        }
        if request.committed_at.is_some() || !approved.contains(&request.id) {
            continue;
        }
        if let Some(row) = rows::find(taker.tx, id).await? {
            fingerprints.insert(request.id, change_requests::fingerprint_of(taker.tx, &row).await?);
        }
    }
    let approvals = history.approvals.iter().filter_map(|a| {
        // An approval counts for what the request says: it was given for that.
        let fingerprint = a.approved_at.and_then(|_| fingerprints.get(&a.change_request_id));
        Some(Incoming::new(
            a.id,
            vec![
                taker.id(noun::CHANGE_REQUEST, a.change_request_id)?.into(),
                taker.id(noun::USER, a.user_id)?.into(),
                true.into(),
                a.approved_at.into(),
                fingerprint.map(String::as_str).into(),
                a.created_at.unwrap_or_default().into(),
            ],
        ))
    });
    let approvals = approvals.collect();
    taker
        .rows(
            noun::APPROVAL,
            &tables::CHANGE_REQUEST_APPROVALS,
            approvals,
            How::default(),
        )
        .await?;
    let groups = history.groups.iter().filter_map(|g| {
        Some(Incoming::new(
            g.id,
            vec![
                taker.id(noun::CHANGE_REQUEST, g.change_request_id)?.into(),
                taker.id(noun::GROUP, g.group_id)?.into(),
            ],
        ))
    });
    let groups = groups.collect();
    taker
        .rows(
            noun::GROUP_ASSIGNMENT,
            &tables::CHANGE_REQUEST_GROUPS,
            groups,
            How::default(),
        )
        .await
}

/// What was served when a request was written, as far as it is known.
struct Seen<'a> {
    links: HashMap<i64, &'a FeatureSegment>,
    live: HashMap<Spot, &'a FeatureState>,
    history: &'a History,
    documents: &'a Documents,
}

impl<'a> Seen<'a> {
    fn new(from: &'a Configuration, history: &'a History, documents: &'a Documents) -> Self {
        let links: HashMap<i64, &FeatureSegment> = (from.links.iter().chain(&history.links))
            .map(|link| (link.id, link))
            .collect();
        let live = from
            .states
            .iter()
            .filter_map(|state| Some((spot(state, &links)?, state)));
        Self {
            live: live.collect(),
            links,
            history,
            documents,
        }
    }

    /// Whether what is live at this spot came after the request was written, and is something else than before.
    fn is_overtaken(&self, request: &ChangeRequest, spot: Spot, segment: Option<i64>) -> bool {
        let Some(live) = self.live.get(&spot) else {
            return false;
        };
        if live.live_from <= request.created_at || live.change_request_id == Some(request.id) {
            return false;
        }
        let Some(version) = &live.environment_feature_version_id else {
            return true;
        };
        let before = (self.history.versions.iter())
            .filter(|version| {
                (Some(version.environment_id), version.feature_id) == (spot.0, spot.1)
                    && version.has_begun
                    && version.live_from <= request.created_at
            })
            .max_by_key(|version| (version.live_from, version.created_at));
        let state = |uuid: Option<&String>| {
            let states = self.documents.get(uuid?)?;
            states.iter().find(|state| state.segment_id() == segment)
        };
        match (state(before.map(|version| &version.uuid)), state(Some(version))) {
            (Some(before), Some(now)) => !says_the_same(before, now),
            (None, None) => false,
            _ => true,
        }
    }
}

fn says_the_same(a: &VersionState, b: &VersionState) -> bool {
    let shares = |state: &VersionState| {
        let mut shares: Vec<_> = state
            .options
            .iter()
            .map(|o| (o.option_id, o.percentage.to_bits()))
            .collect();
        shares.sort_unstable();
        shares
    };
    a.enabled == b.enabled && a.value() == b.value() && shares(a) == shares(b)
}

/// Notes in a set what there is now of what it changes, for conflicts to be told later. What has changed since the
/// request was written conflicts already: what its author saw is none of it. What is done conflicts with nothing any more.
async fn remember(
    taker: &mut Taker<'_>,
    seen: &Seen<'_>,
    request: &ChangeRequest,
    (environment, feature, is_later): (i64, i64, bool),
    set: &mut ChangeSet,
) -> Result<()> {
    if request.committed_at.is_some() && !is_later {
        return Ok(());
    }
    let Some(here) = taker.id(noun::ENVIRONMENT, environment) else {
        return Ok(());
    };
    let (Some(place), Some(row)) = (
        Place::by_id(taker.tx, here).await?,
        features::find(taker.tx, set.feature_id).await?,
    ) else {
        return Ok(());
    };
    change_sets::remember(taker.tx, &place, &row, set).await?;
    let there: HashMap<i64, i64> = taker
        .ids
        .get(noun::SEGMENT)
        .map(|ids| ids.iter().map(|(there, here)| (*here, *there)).collect())
        .unwrap_or_default();
    for BaseState { segment_id, state } in &mut set.base {
        let segment = segment_id.and_then(|id| there.get(&id).copied());
        if seen.is_overtaken(request, (Some(environment), feature, segment), *segment_id) {
            *state = None;
        }
    }
    Ok(())
}

/// States that were proposed in environments without versions.
async fn states(
    taker: &mut Taker<'_>,
    history: &History,
    seen: &Seen<'_>,
    requests: &HashMap<i64, &ChangeRequest>,
) -> Result<Vec<Part>> {
    let weights = history.weights_by_state();
    let mut parts = Vec::new();
    for state in &history.states {
        let request = state.change_request_id.and_then(|id| requests.get(&id));
        let (Some(request), None) = (request, &state.environment_feature_version_id) else {
            continue;
        };
        let (Some(id), Some(spot), Some(environment)) = (
            taker.id(noun::CHANGE_REQUEST, request.id),
            spot(state, &seen.links),
            state.environment_id,
        ) else {
            continue;
        };
        let shares = weights.get(&state.id).map_or(&[][..], Vec::as_slice);
        let is_there = seen.live.contains_key(&spot);
        let priority = state
            .feature_segment_id
            .and_then(|id| seen.links.get(&id))
            .map(|link| link.priority);
        let Some(mut set) = set_of_state(taker, state, shares, (spot.2, priority), is_there) else {
            continue;
        };
        remember(
            taker,
            seen,
            request,
            (environment, state.feature_id, state.is_later),
            &mut set,
        )
        .await?;
        let uuid = uuid(state.uuid.as_deref(), noun::FEATURE_STATE, state.id);
        let document = StateDocument {
            feature_segment: taker.id_if(noun::FEATURE_SEGMENT, state.feature_segment_id),
            set,
        };
        parts.push(Part {
            source: number_of(&uuid),
            uuid,
            request: id,
            kind: "STATE",
            feature: Some(document.set.feature_id),
            segment: None,
            version: None,
            live_from: state.live_from,
            document: json!(document),
            created_at: state.created_at.unwrap_or_default(),
        });
    }
    Ok(parts)
}

async fn sets(
    taker: &mut Taker<'_>,
    history: &History,
    seen: &Seen<'_>,
    requests: &HashMap<i64, &ChangeRequest>,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for row in &history.change_sets {
        let Some(request) = row.change_request_id.and_then(|id| requests.get(&id)) else {
            continue;
        };
        let (Some(id), Some(mut set)) = (taker.id(noun::CHANGE_REQUEST, request.id), change_set(taker, row))
        else {
            continue;
        };
        remember(
            taker,
            seen,
            request,
            (row.environment_id, row.feature_id, row.is_later),
            &mut set,
        )
        .await?;
        let uuid = stable_uuid("change set of a request", row.id);
        parts.push(Part {
            source: number_of(&uuid),
            uuid,
            request: id,
            kind: "SET",
            feature: Some(set.feature_id),
            segment: None,
            version: None,
            live_from: row.live_from,
            document: json!(set),
            created_at: row.created_at.unwrap_or_default(),
        });
    }
    Ok(parts)
}

async fn versions(
    taker: &mut Taker<'_>,
    history: &History,
    seen: &Seen<'_>,
    requests: &HashMap<i64, &ChangeRequest>,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for version in &history.versions {
        let Some(request) = version.change_request_id.and_then(|id| requests.get(&id)) else {
            continue;
        };
        let (Some(id), Some(row)) = (
            taker.id(noun::CHANGE_REQUEST, request.id),
            version_rows::find_by_uuid(taker.tx, &version.uuid).await?,
        ) else {
            continue;
        };
        let mut set = change_requests::touched_by(taker.tx, &row).await?;
        if version.has_begun {
            // What is done conflicts with nothing, and has taken away what it took away.
            set.delete_segments.clear();
        } else {
            let at = (version.environment_id, version.feature_id, version.is_later());
            remember(taker, seen, request, at, &mut set).await?;
        }
        let uuid = stable_uuid("version of a request", version.number());
        parts.push(Part {
            source: number_of(&uuid),
            uuid,
            request: id,
            kind: "VERSION",
            feature: Some(row.feature_id),
            segment: None,
            version: Some(row.uuid),
            live_from: row.live_from,
            document: json!(set),
            created_at: row.created_at,
        });
    }
    Ok(parts)
}

async fn proposed_segments(
    taker: &mut Taker<'_>,
    from: &Configuration,
    history: &History,
    requests: &HashMap<i64, &ChangeRequest>,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for draft in &history.segments {
        let Some(request) = draft.change_request_id.and_then(|id| requests.get(&id)) else {
            continue;
        };
        let Some(id) = taker.id(noun::CHANGE_REQUEST, request.id) else {
            continue;
        };
        let present = match draft.version_of_id {
            None => None,
            Some(there) => match taker.id(noun::SEGMENT, there) {
                Some(here) => segments::find(taker.tx, here).await?,
                // The segment it was about is gone.
                None => continue,
            },
        };
        let is_overtaken = request.created_at < present.as_ref().map(|segment| segment.updated_at);
        let base = match &present {
            Some(_) if is_overtaken => Some(json!({})),
            present => present.as_ref().map(burgee_app::segments::as_json),
        };
        let document = SegmentDocument {
            name: draft.name.clone(),
            description: draft.description.clone(),
            feature: taker.id_if(noun::FEATURE, draft.feature_id),
            rules: rules_of(taker, from, draft).await?,
            metadata: None,
            base,
        };
        let uuid = uuid(draft.uuid.as_deref(), noun::SEGMENT, draft.id);
        parts.push(Part {
            source: number_of(&uuid),
            uuid,
            request: id,
            kind: "SEGMENT",
            feature: None,
            segment: present.map(|segment| segment.id),
            version: None,
            live_from: None,
            document: json!(document),
            created_at: draft.created_at.or(request.created_at).unwrap_or_default(),
        });
    }
    Ok(parts)
}

/// The rules of a draft, whose numbers no other rule may get.
async fn rules_of(
    taker: &mut Taker<'_>,
    from: &Configuration,
    draft: &Segment,
) -> Result<Vec<burgee_model::segments::Rule>> {
    let rules = from.rules.get(&draft.id).cloned().unwrap_or_default();
    let (rule, condition) = rules::last_ids(&rules);
    imports::move_counter(taker.tx, "rule", rule + 1).await?;
    imports::move_counter(taker.tx, "condition", condition + 1).await?;
    Ok(rules)
}
