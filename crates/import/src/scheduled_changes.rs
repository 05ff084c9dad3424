//! Taking what is to change at its time: versions that are to go live, change sets, and (where an environment has no
//! versions) feature states that begin later.

use std::collections::{HashMap, HashSet};

use burgee_app::change_sets::{ChangeSet, StateChange, Target};
use burgee_app::feature_states::{StateEdit, Weight};
use burgee_model::Timestamp;
use burgee_store::bulk::tables;
use burgee_store::feature_states::typed_value;
use serde_json::Value;

use crate::configuration::Configuration;
use crate::history::{ChangeSetRow, History, Version};
use crate::people::number_of;
use crate::records::{FeatureSegment, FeatureState, value_type};
use crate::taking::{How, Incoming, Taker};
use crate::{Error, Result, noun, stable_uuid};

/// A change that waits, as it is to be written.
struct Waiting {
    source: i64,
    uuid: String,
    environment: i64,
    feature: i64,
    version: Option<i64>,
    set: Option<ChangeSet>,
    live_from: i64,
    user: Option<i64>,
    request: Option<i64>,
    created_at: i64,
}

/// Takes all of them.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(history) = &from.history else {
        return Ok(());
    };
    let mut waiting: Vec<Waiting> = Vec::new();
    waiting.extend(
        history
            .versions
            .iter()
            .filter_map(|version| of_version(taker, version)),
    );
    waiting.extend(history.change_sets.iter().filter_map(|set| of_set(taker, set)));
    waiting.extend(of_states(taker, from, history));
    let titles: HashMap<i64, &str> = history
        .requests
        .iter()
        .map(|r| (r.id, r.title.as_str()))
        .collect();
    let mut rows = Vec::with_capacity(waiting.len());
    for one in waiting {
        let request = taker.id_if(noun::CHANGE_REQUEST, one.request);
        let title = one.request.filter(|_| request.is_some());
        let title = title.and_then(|id| titles.get(&id).copied());
        let set = one.set.map(|set| serde_json::to_string(&set)).transpose();
        let set = set.map_err(|error| Error::Row("scheduled change", error))?;
        rows.push(Incoming::new(
            one.source,
            vec![
                one.uuid.into(),
                one.feature.into(),
                one.environment.into(),
                one.version.into(),
                set.into(),
                one.live_from.into(),
                one.user.into(),
                request.into(),
                title.into(),
                one.created_at.into(),
                one.created_at.into(),
            ],
        ));
    }
    let how = How {
        keeps_ids: false,
        ..How::default()
    };
    taker
        .rows(noun::SCHEDULED_CHANGE, &tables::SCHEDULED_CHANGES, rows, how)
        .await
}

fn of_version(taker: &Taker<'_>, version: &Version) -> Option<Waiting> {
    let uuid = stable_uuid("version that is to go live", version.number());
    Some(Waiting {
        source: number_of(&uuid),
        uuid,
        environment: taker.id(noun::ENVIRONMENT, version.environment_id)?,
        feature: taker.id(noun::FEATURE, version.feature_id)?,
        version: Some(taker.id(noun::FEATURE_VERSION, version.number())?),
        set: None,
        live_from: version.live_from.filter(|_| version.is_later())?,
        user: taker.id_if(noun::USER, version.published_by_id),
        request: version.change_request_id,
        created_at: version.published_at?,
    })
}

fn of_set(taker: &Taker<'_>, row: &ChangeSetRow) -> Option<Waiting> {
    let set = change_set(taker, row)?;
    let uuid = stable_uuid("change set", row.id);
    Some(Waiting {
        source: number_of(&uuid),
        uuid,
        environment: taker.id(noun::ENVIRONMENT, row.environment_id)?,
        feature: set.feature_id,
        version: None,
        live_from: row.live_from.filter(|_| row.is_later)?,
        set: Some(set),
        user: taker.id_if(noun::USER, row.published_by_id),
        request: row.change_request_id,
        created_at: row.created_at.unwrap_or_default(),
    })
}

/// A change set as it is kept here; `None` when its feature was not taken. What it says of segments that are gone is
/// left out.
pub(crate) fn change_set(taker: &Taker<'_>, row: &ChangeSetRow) -> Option<ChangeSet> {
    let changes = |list: &[Value]| list.iter().filter_map(|one| state_change(taker, one)).collect();
    let segments = row.segment_ids_to_delete_overrides.iter();
    Some(ChangeSet {
        feature_id: taker.id(noun::FEATURE, row.feature_id)?,
        live_from: row.live_from.map(Timestamp),
        create: changes(&row.feature_states_to_create),
        update: changes(&row.feature_states_to_update),
        delete_segments: segments
            .filter_map(|id| taker.id(noun::SEGMENT, id.as_i64()?))
            .collect(),
        base: Vec::new(),
    })
}

/// A change as the API takes it.
fn state_change(taker: &Taker<'_>, change: &Value) -> Option<StateChange> {
    let link = &change["feature_segment"];
    let segment = if link.is_null() {
        None
    } else {
        Some(Target {
            segment_id: taker.id(noun::SEGMENT, link["segment"].as_i64()?)?,
            priority: link["priority"].as_i64(),
        })
    };
    let value = &change["feature_state_value"];
    let flag_value = if value.is_object() {
        typed_value(
            &value_type(value["type"].as_str()),
            value["string_value"].as_str(),
            value["integer_value"].as_i64(),
            value["boolean_value"].as_bool(),
        )
    } else {
        serde_json::from_value(value.clone()).unwrap_or_default()
    };
    let weights = change["multivariate_feature_state_values"].as_array();
    let weights = weights.into_iter().flatten().filter_map(|weight| {
        Some(Weight {
            option_id: taker.id(noun::OPTION, weight["multivariate_feature_option"].as_i64()?)?,
            percentage: weight["percentage_allocation"].as_f64()?,
        })
    });
    let weights: Vec<Weight> = weights.collect();
    Some(StateChange {
        segment,
        edit: StateEdit {
            enabled: change["enabled"].as_bool(),
            value: (!value.is_null()).then(|| flag_value.into()),
            weights: (!weights.is_empty()).then_some(weights),
        },
    })
}

/// Whom a state is for: everyone, or a segment.
pub(crate) type Spot = (Option<i64>, i64, Option<i64>);

/// The environment, the feature and the segment of a state, by their ids there.
pub(crate) fn spot(state: &FeatureState, links: &HashMap<i64, &FeatureSegment>) -> Option<Spot> {
    let segment = match state.feature_segment_id {
        None => None,
        Some(id) => Some(links.get(&id)?.segment_id),
    };
    Some((state.environment_id, state.feature_id, segment))
}

/// All that state is to be, as an edit.
pub(crate) fn edit(
    taker: &Taker<'_>,
    state: &FeatureState,
    weights: &[&crate::records::Weight],
) -> StateEdit {
    let value = typed_value(
        &value_type(state.value_type.as_deref()),
        state.string_value.as_deref(),
        state.integer_value,
        state.boolean_value,
    );
    let weights = weights.iter().filter_map(|weight| {
        Some(Weight {
            option_id: taker.id(noun::OPTION, weight.multivariate_feature_option_id)?,
            percentage: weight.percentage_allocation,
        })
    });
    let weights: Vec<Weight> = weights.collect();
    StateEdit {
        enabled: Some(state.enabled),
        value: Some(value.into()),
        weights: (!weights.is_empty()).then_some(weights),
    }
}

/// The change that makes of what is live what a state there is to be.
pub(crate) fn set_of_state(
    taker: &Taker<'_>,
    state: &FeatureState,
    weights: &[&crate::records::Weight],
    (segment, priority): (Option<i64>, Option<i64>),
    is_there: bool,
) -> Option<ChangeSet> {
    let segment = match segment {
        None => None,
        Some(id) => Some(Target {
            segment_id: taker.id(noun::SEGMENT, id)?,
            priority: priority.filter(|_| !is_there),
        }),
    };
    let change = StateChange {
        segment,
        edit: edit(taker, state, weights),
    };
    let (create, update) = if is_there {
        (Vec::new(), vec![change])
    } else {
        (vec![change], Vec::new())
    };
    Some(ChangeSet {
        feature_id: taker.id(noun::FEATURE, state.feature_id)?,
        live_from: state.live_from.map(Timestamp),
        create,
        update,
        ..ChangeSet::default()
    })
}

/// States that begin later. One that will be behind a later version when it begins is never served there.
fn of_states(taker: &mut Taker<'_>, from: &Configuration, history: &History) -> Vec<Waiting> {
    let links: HashMap<i64, &FeatureSegment> = (from.links.iter().chain(&history.links))
        .map(|link| (link.id, link))
        .collect();
    let weights = history.weights_by_state();
    let later = |state: &&FeatureState| {
        state.is_later && state.version.is_some() && state.environment_feature_version_id.is_none()
    };
    let mut by_spot: HashMap<Spot, Vec<&FeatureState>> = HashMap::new();
    for state in history.states.iter().filter(later).chain(&from.states) {
        if let Some(spot) = spot(state, &links) {
            by_spot.entry(spot).or_default().push(state);
        }
    }
    let live: HashSet<i64> = from.states.iter().map(|state| state.id).collect();
    let mut waiting = Vec::new();
    for state in history.states.iter().filter(later) {
        let Some(spot) = spot(state, &links) else { continue };
        let others = &by_spot[&spot];
        if others
            .iter()
            .any(|other| other.version > state.version && other.live_from <= state.live_from)
        {
            let text = format!(
                "not scheduled: a state of a later version begins before it (state {})",
                state.id
            );
            taker.report.note(noun::FEATURE, state.feature_id, text);
            continue;
        }
        let is_there = others.iter().any(|other| live.contains(&other.id));
        let priority = state
            .feature_segment_id
            .and_then(|id| links.get(&id))
            .map(|link| link.priority);
        let shares = weights.get(&state.id).map_or(&[][..], Vec::as_slice);
        let made = (|| {
            let set = set_of_state(taker, state, shares, (spot.2, priority), is_there)?;
            let uuid = stable_uuid("feature state that begins later", state.id);
            let request = state.change_request_id;
            let by = history.requests.iter().find(|one| Some(one.id) == request);
            Some(Waiting {
                source: number_of(&uuid),
                uuid,
                environment: taker.id(noun::ENVIRONMENT, state.environment_id?)?,
                feature: set.feature_id,
                version: None,
                live_from: state.live_from?,
                set: Some(set),
                user: taker.id_if(noun::USER, by.and_then(|request| request.committed_by_id)),
                request,
                created_at: state.created_at.unwrap_or_default(),
            })
        })();
        waiting.extend(made);
    }
    waiting
}
