//! Change sets: what is to change of one feature in one environment, all of it or nothing.
//!
//! A change set is data. It can be kept (in a change request, or until its time has come) and applied later, to
//! whatever is live then; [`remember`] and [`conflicts`] tell whether that is still what its author saw.

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::segments::{self, Segment};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::author::Author;
use crate::environment_states::{default_of, everyone};
use crate::feature_states::{StateDetails, StateEdit, Weight, detail, over_100};
use crate::segment_overrides::{self, Override, fitting};
use crate::{Error, Place, Result, approvals, scheduled_changes, versions};

const TAKEN: &str = "This feature already has an override for this segment in this environment.";
const ABSENT: &str = "This feature has no override for this segment in this environment.";
const DEFAULT_TAKEN: &str = "The environment default is there already; it can only be updated.";
const TWICE: &str = "This segment is named more than once.";

/// What is to change of one feature in one environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangeSet {
    pub feature_id: i64,
    /// When it is to take effect; at once without it, or when it has passed.
    pub live_from: Option<Timestamp>,
    /// States that are to be made.
    #[serde(default)]
    pub create: Vec<StateChange>,
    /// States that are to be changed.
    #[serde(default)]
    pub update: Vec<StateChange>,
    /// Segments whose overrides are to go.
    #[serde(default)]
    pub delete_segments: Vec<i64>,
    /// What the author saw of the states it touches; see [`remember`].
    #[serde(default)]
    pub base: Vec<BaseState>,
}

/// What one state is to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    /// The segment it is for; the environment default without it.
    pub segment: Option<Target>,
    pub edit: StateEdit,
}

/// The segment of an override, and its rank among the overrides of the feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub segment_id: i64,
    pub priority: Option<i64>,
}

/// What a state was when a change set was written; none when there was no such state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaseState {
    /// The segment it is for; the environment default without it.
    pub segment_id: Option<i64>,
    pub state: Option<Value>,
}

/// A state that is no longer what the author of a change set saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The segment it is for; the environment default without it.
    pub segment_id: Option<i64>,
    /// When it became what it is; none when it was deleted.
    pub published_at: Option<Timestamp>,
    /// The change request that made it so.
    pub change_request_id: Option<i64>,
}

impl StateChange {
    fn segment_id(&self) -> Option<i64> {
        self.segment.map(|target| target.segment_id)
    }
}

impl ChangeSet {
    /// The states it touches: the segment, or nothing for the environment default.
    fn touches(&self) -> Vec<Option<i64>> {
        let changed = self
            .create
            .iter()
            .chain(&self.update)
            .map(StateChange::segment_id);
        changed
            .chain(self.delete_segments.iter().map(|id| Some(*id)))
            .collect()
    }

    /// The ranks it asks for.
    pub(crate) fn ranks(&self) -> Vec<(i64, i64)> {
        let changed = self.update.iter().chain(&self.create);
        let ranks = changed.filter_map(|change| {
            let target = change.segment?;
            Some((target.segment_id, target.priority?))
        });
        ranks.collect()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.touches().is_empty()
    }
}

/// The refusal of a second state for the same segment, or for everyone.
pub(crate) fn taken(segment_id: Option<i64>) -> Error {
    match segment_id {
        Some(_) => Error::Rejected(in_segment(TAKEN)),
        None => Error::Rejected(json!({ "feature_segment": [DEFAULT_TAKEN] })),
    }
}

/// What a feature is at a place, read once for all the states of a change set.
struct Live {
    default: Option<StateDetails>,
    overrides: Vec<Override>,
}

impl Live {
    async fn read(tx: &mut Tx, place: &Place, feature: &Feature) -> Result<Self> {
        let default = match default_of(tx, place, feature).await? {
            Some(state) => Some(detail(tx, state).await?),
            None => None,
        };
        Ok(Self {
            default,
            overrides: segment_overrides::all_at(tx, place, feature).await?,
        })
    }

    /// The state for everyone, or for a segment.
    fn state(&self, segment_id: Option<i64>) -> Option<&StateDetails> {
        let Some(segment_id) = segment_id else {
            return self.default.as_ref();
        };
        let found = self
            .overrides
            .iter()
            .find(|found| found.link.segment_id == segment_id);
        found.map(|found| &found.state)
    }
}

/// Checks a change set against what is there now. What is wrong stands under the names the wire has for its parts.
pub async fn check(tx: &mut Tx, place: &Place, feature: &Feature, set: &ChangeSet) -> Result<()> {
    let against = Against::read(tx, place, feature, set).await?;
    let mut problems = Map::new();
    let mut seen = Vec::new();
    let parts = [
        ("feature_states_to_create", &set.create, true),
        ("feature_states_to_update", &set.update, false),
    ];
    for (name, changes, creates) in parts {
        let mut wrong = Vec::new();
        for change in changes {
            let twice = seen.contains(&change.segment_id());
            seen.push(change.segment_id());
            wrong.push(if twice {
                in_segment(TWICE)
            } else {
                against.problem(feature, change, creates)?
            });
        }
        if wrong.iter().any(|problem| *problem != json!({})) {
            problems.insert(name.to_owned(), Value::Array(wrong));
        }
    }
    for id in &set.delete_segments {
        if seen.contains(&Some(*id)) {
            problems.insert("segment_ids_to_delete_overrides".to_owned(), json!([TWICE]));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Rejected(Value::Object(problems)))
    }
}

fn in_segment(text: &str) -> Value {
    json!({ "feature_segment": { "segment": [text] } })
}

/// What is wrong with a set that changes one state, as it is said where only that state is spoken of.
pub(crate) fn of_only_state(error: Error) -> Error {
    match error {
        Error::Rejected(Value::Object(mut problems)) => {
            let inner = problems.remove("feature_states_to_update");
            let inner = inner.as_ref().and_then(|list| list.get(0)).cloned();
            Error::Rejected(inner.unwrap_or(Value::Object(problems)))
        }
        other => other,
    }
}

/// What the changes of a set are held against.
struct Against {
    live: Live,
    segments: Vec<Segment>,
    options: Vec<MultivariateOption>,
}

impl Against {
    async fn read(tx: &mut Tx, place: &Place, feature: &Feature, set: &ChangeSet) -> Result<Self> {
        let named: Vec<i64> = set.touches().into_iter().flatten().collect();
        Ok(Self {
            live: Live::read(tx, place, feature).await?,
            segments: segments::among(tx, &named).await?,
            options: features::options(tx, feature.id).await?,
        })
    }

    /// What is wrong with one change, `{}` when nothing is.
    fn problem(&self, feature: &Feature, change: &StateChange, creates: bool) -> Result<Value> {
        if let Some(target) = change.segment {
            let found = self
                .segments
                .iter()
                .find(|segment| segment.id == target.segment_id);
            match fitting(feature, target.segment_id, found.cloned()) {
                Ok(_) => {}
                Err(Error::Invalid(problems)) => {
                    let inner = problems.into_json();
                    let nested = if inner.get("segment").is_some() {
                        json!({ "feature_segment": inner })
                    } else {
                        inner
                    };
                    return Ok(nested);
                }
                Err(other) => return Err(other),
            }
        }
        let present = self.live.state(change.segment_id());
        match (creates, change.segment, present) {
            (true, Some(_), Some(_)) => return Ok(in_segment(TAKEN)),
            (true, None, Some(_)) => {
                return Ok(json!({ "feature_segment": [DEFAULT_TAKEN] }));
            }
            (false, Some(_), None) => return Ok(in_segment(ABSENT)),
            _ => {}
        }
        Ok(self.weights_problem(change, present))
    }

    fn weights_problem(&self, change: &StateChange, present: Option<&StateDetails>) -> Value {
        let Some(weights) = &change.edit.weights else {
            return json!({});
        };
        for weight in weights {
            if !self.options.iter().any(|option| option.id == weight.option_id) {
                let text = format!("Invalid pk \"{}\" - object does not exist.", weight.option_id);
                return json!({
                    "multivariate_feature_state_values": [{ "multivariate_feature_option": [text] }]
                });
            }
        }
        let given = |option_id: i64| {
            weights
                .iter()
                .find(|w| w.option_id == option_id)
                .map(|w| w.percentage)
        };
        let kept = |option_id: i64| {
            let row = present?.options.iter().find(|row| row.option_id == option_id)?;
            Some(row.percentage_allocation)
        };
        let shares = self
            .options
            .iter()
            .filter_map(|option| given(option.id).or_else(|| kept(option.id)));
        if over_100(shares) {
            let text = "Multivariate percentage values exceed 100%.";
            return json!({ "multivariate_feature_state_values": [text] });
        }
        json!({})
    }
}

/// What a state says, without what tells it from its copies.
pub(crate) fn content(details: &StateDetails) -> Value {
    let mut weights: Vec<(i64, f64)> = details
        .options
        .iter()
        .map(|option| (option.option_id, option.percentage_allocation))
        .collect();
    weights.sort_by_key(|(option_id, _)| *option_id);
    json!({
        "enabled": details.state.enabled,
        "feature_state_value": details.state.value().to_json(),
        "multivariate_feature_state_values": weights,
    })
}

/// Writes down what the states a change set touches are now, for [`conflicts`] to compare with later.
pub async fn remember(tx: &mut Tx, place: &Place, feature: &Feature, set: &mut ChangeSet) -> Result<()> {
    let live = Live::read(tx, place, feature).await?;
    let seen = set.touches().into_iter().map(|segment_id| BaseState {
        segment_id,
        state: live.state(segment_id).map(content),
    });
    set.base = seen.collect();
    Ok(())
}

/// The states a change set touches that are no longer what they were when it was written.
pub async fn conflicts(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    set: &ChangeSet,
) -> Result<Vec<Conflict>> {
    let live = Live::read(tx, place, feature).await?;
    let found = set.base.iter().filter_map(|base| {
        let state = live.state(base.segment_id);
        (state.map(content) != base.state).then(|| Conflict {
            segment_id: base.segment_id,
            published_at: state.map(|details| Timestamp(details.state.updated_at)),
            change_request_id: state.and_then(|details| details.state.change_request_id),
        })
    });
    Ok(found.collect())
}

/// Carries out a change set, or schedules it when its time is still to come, in the transaction of a larger act.
///
/// It is applied to what is live now, whatever that was when it was written: a state that is there already is changed,
/// one that is gone is made. Permission is asked, and the set [`check`]ed, by the caller.
pub async fn apply(
    tx: &mut Tx,
    author: Author<'_>,
    place: &Place,
    feature: &Feature,
    set: &ChangeSet,
    now: Timestamp,
) -> Result<Vec<NewChange>> {
    approvals::refuse_direct(place)?;
    if let Some(at) = set.live_from.filter(|at| *at > now) {
        let (_, change) = scheduled_changes::schedule(tx, author, (place, feature), set, at).await?;
        return Ok(vec![change]);
    }
    if place.environment.use_v2_feature_versioning {
        return versions::publish_set(tx, author, (place, feature), set, now).await;
    }
    let mut changes = apply_to_states(tx, author, place, feature, set).await?;
    one_line(&mut changes, author, feature);
    Ok(changes)
}

/// Changes the live states themselves.
async fn apply_to_states(
    tx: &mut Tx,
    author: Author<'_>,
    place: &Place,
    feature: &Feature,
    set: &ChangeSet,
) -> Result<Vec<NewChange>> {
    let at = (author, place, feature);
    let mut changes = Vec::new();
    for segment_id in &set.delete_segments {
        changes.extend(segment_overrides::remove(tx, at, *segment_id).await?);
    }
    for change in set.update.iter().chain(&set.create) {
        let edit = change.edit.clone();
        if let Some(target) = change.segment {
            changes.extend(segment_overrides::put(tx, at, target.segment_id, edit).await?);
            continue;
        }
        let spot = everyone(author, place, feature);
        match default_of(tx, place, feature).await? {
            Some(state) => changes.extend(spot.edit(tx, state, edit).await?.1),
            None => changes.push(spot.create(tx, None, edit).await?.1),
        }
    }
    changes.extend(segment_overrides::arrange(tx, at, &set.ranks()).await?);
    Ok(changes)
}

/// Where the occasion has an audit line of its own, it stands once for all the changes it made.
fn one_line(changes: &mut [NewChange], author: Author<'_>, feature: &Feature) {
    let Some(line) = author.line(&feature.name) else {
        return;
    };
    let mut line = Some(line);
    for change in changes {
        change.message = line.take();
    }
}

/// The part of a change set that still makes sense, and what of it does not: its segment or option is gone.
pub(crate) async fn without_lost_parts(
    tx: &mut Tx,
    feature: &Feature,
    set: &ChangeSet,
) -> Result<(ChangeSet, Vec<String>)> {
    let (mut kept, mut lost) = (set.clone(), Vec::new());
    let mut gone = Vec::new();
    let named: Vec<i64> = set.touches().into_iter().flatten().collect();
    let there = segments::among(tx, &named).await?;
    for segment_id in named {
        if !there.iter().any(|segment| segment.id == segment_id) && !gone.contains(&segment_id) {
            gone.push(segment_id);
            lost.push(format!("segment {segment_id}"));
        }
    }
    let stays = |change: &StateChange| change.segment_id().is_none_or(|id| !gone.contains(&id));
    kept.create.retain(stays);
    kept.update.retain(stays);
    kept.delete_segments.retain(|id| !gone.contains(id));
    let options = features::options(tx, feature.id).await?;
    let known = |weight: &Weight| options.iter().any(|option| option.id == weight.option_id);
    for change in kept.create.iter_mut().chain(&mut kept.update) {
        for weight in change
            .edit
            .weights
            .iter()
            .flatten()
            .filter(|weight| !known(weight))
        {
            lost.push(format!("option {}", weight.option_id));
        }
        if let Some(weights) = &mut change.edit.weights {
            weights.retain(known);
        }
    }
    Ok((kept, lost))
}
