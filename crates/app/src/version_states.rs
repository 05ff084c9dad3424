//! The states of a version, as the document it keeps.
//!
//! A document names segments and options without owning them, so it stays readable after they are deleted. Whatever it
//! becomes in the served tables later, it becomes under the ids it has here.

use std::collections::HashMap;

use burgee_model::{FlagValue, Timestamp};
use burgee_store::feature_segments::{self, FeatureSegment};
use burgee_store::feature_states::typed_value;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::segments::{self, Segment};
use burgee_store::{Tx, feature_states, state_options};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::change_sets::{ChangeSet, StateChange};
use crate::environment_states::default_of;
use crate::feature_states::{
    FeatureState, StateDetails, StateEdit, StateOption, ValueEdit, Weight, blank, detail, initial_value,
    over_100_error, unknown_option,
};
use crate::segment_overrides::{all_at, segment_for};
use crate::{Error, Place, Result, prerequisites};

/// What a feature is in a version: for everyone, or for a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionState {
    pub id: i64,
    pub uuid: String,
    pub enabled: bool,
    pub r#type: String,
    pub string_value: Option<String>,
    pub integer_value: Option<i64>,
    pub boolean_value: Option<bool>,
    /// Handed on from version to version, so that nobody gets another variant when one is published.
    pub hash_seed: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// For whom it is; for everyone without it.
    pub segment: Option<OverriddenSegment>,
    pub options: Vec<OptionShare>,
}

/// The segment of an override in a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverriddenSegment {
    /// Of the feature segment.
    pub id: i64,
    pub uuid: String,
    pub segment_id: i64,
    /// As it was called when the version was made.
    pub name: String,
    pub priority: i64,
}

/// How much of the traffic an option gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionShare {
    pub id: i64,
    pub uuid: String,
    pub option_id: i64,
    pub percentage: f64,
}

impl VersionState {
    /// A state that is served, as it is.
    fn of(details: StateDetails, segment: Option<OverriddenSegment>) -> Self {
        let StateDetails { state, options } = details;
        let share = |option: StateOption| OptionShare {
            id: option.id,
            uuid: option.uuid,
            option_id: option.option_id,
            percentage: option.percentage_allocation,
        };
        Self {
            hash_seed: state.hash_seed(),
            id: state.id,
            uuid: state.uuid,
            enabled: state.enabled,
            r#type: state.r#type,
            string_value: state.string_value,
            integer_value: state.integer_value,
            boolean_value: state.boolean_value,
            created_at: state.created_at,
            updated_at: state.updated_at,
            segment,
            options: options.into_iter().map(share).collect(),
        }
    }

    /// The segment it is for.
    pub fn segment_id(&self) -> Option<i64> {
        self.segment.as_ref().map(|segment| segment.segment_id)
    }

    /// The value it serves.
    pub fn value(&self) -> FlagValue {
        typed_value(
            &self.r#type,
            self.string_value.as_deref(),
            self.integer_value,
            self.boolean_value,
        )
    }

    /// The row it is, or would be, in the served tables.
    pub fn details(&self, environment_id: i64, feature_id: i64) -> StateDetails {
        let state = FeatureState {
            id: self.id,
            uuid: self.uuid.clone(),
            identity_id: None,
            feature_segment_id: self.segment.as_ref().map(|segment| segment.id),
            enabled: self.enabled,
            r#type: self.r#type.clone(),
            string_value: self.string_value.clone(),
            integer_value: self.integer_value,
            boolean_value: self.boolean_value,
            hash_seed: Some(self.hash_seed),
            ..blank(feature_id, environment_id, self.created_at)
        };
        let state = FeatureState {
            updated_at: self.updated_at,
            ..state
        };
        let options = self.options.iter().map(|share| StateOption {
            id: share.id,
            uuid: share.uuid.clone(),
            feature_state_id: self.id,
            option_id: share.option_id,
            percentage_allocation: share.percentage,
        });
        StateDetails {
            options: options.collect(),
            state,
        }
    }

    /// What it says, without what tells it from its copies.
    pub(crate) fn content(&self) -> Value {
        let mut weights: Vec<(i64, f64)> = self.options.iter().map(|o| (o.option_id, o.percentage)).collect();
        weights.sort_by_key(|(option_id, _)| *option_id);
        json!([
            self.enabled,
            self.r#type,
            self.value().to_json(),
            weights,
            self.segment.as_ref().map(|segment| segment.priority),
        ])
    }

    /// What the change log keeps of it: as of any feature state.
    pub(crate) fn snapshot(&self, feature: &Feature) -> Value {
        let weights = self.options.iter().map(|share| {
            json!({
                "id": share.id,
                "multivariate_feature_option": share.option_id,
                "percentage_allocation": share.percentage,
            })
        });
        json!({
            "feature": feature.id,
            "identity": null,
            "feature_segment": self.segment.as_ref().map(|segment| segment.id),
            "segment": self.segment_id(),
            "priority": self.segment.as_ref().map(|segment| segment.priority),
            "enabled": self.enabled,
            "feature_state_value": self.value().to_json(),
            "multivariate_feature_state_values": weights.collect::<Vec<_>>(),
        })
    }
}

/// A document as text.
pub(crate) fn to_text(states: &[VersionState]) -> String {
    json!(states).to_string()
}

/// A document from its text. Only this product writes them.
pub(crate) fn parse(text: &str) -> Result<Vec<VersionState>> {
    serde_json::from_str(text).map_err(|error| Error::Internal(format!("states of a version: {error}")))
}

/// What is served now: the default first, then the overrides, first the one that wins.
pub(crate) async fn live(tx: &mut Tx, place: &Place, feature: &Feature) -> Result<Vec<VersionState>> {
    let mut states = Vec::new();
    if let Some(default) = default_of(tx, place, feature).await? {
        states.push(VersionState::of(detail(tx, default).await?, None));
    }
    let overrides = all_at(tx, place, feature).await?;
    let ids: Vec<i64> = overrides.iter().map(|made| made.link.segment_id).collect();
    let segments = segments::among(tx, &ids).await?;
    for made in overrides {
        let segment = segments.iter().find(|segment| segment.id == made.link.segment_id);
        let segment = OverriddenSegment {
            id: made.link.id,
            uuid: made.link.uuid,
            segment_id: made.link.segment_id,
            name: segment.map_or_else(String::new, |segment| segment.name.clone()),
            priority: made.link.priority,
        };
        states.push(VersionState::of(made.state, Some(segment)));
    }
    Ok(states)
}

/// The same for every feature of an environment, for when all of them are needed.
pub(crate) async fn live_of_environment(
    tx: &mut Tx,
    place: &Place,
) -> Result<HashMap<i64, Vec<VersionState>>> {
    let links: HashMap<i64, FeatureSegment> = feature_segments::list(tx, place.environment.id)
        .await?
        .into_iter()
        .map(|link| (link.id, link))
        .collect();
    let names: HashMap<i64, String> = segments::list(tx, place.project.id)
        .await?
        .into_iter()
        .map(|segment| (segment.id, segment.name))
        .collect();
    let states = feature_states::of_environment(tx, place.environment.id).await?;
    let mut by_feature: HashMap<i64, Vec<VersionState>> = HashMap::new();
    for details in crate::feature_states::details(tx, states).await? {
        let link = details.state.feature_segment_id.and_then(|id| links.get(&id));
        let segment = link.map(|link| OverriddenSegment {
            id: link.id,
            uuid: link.uuid.clone(),
            segment_id: link.segment_id,
            name: names.get(&link.segment_id).cloned().unwrap_or_default(),
            priority: link.priority,
        });
        let feature_id = details.state.feature_id;
        by_feature
            .entry(feature_id)
            .or_default()
            .push(VersionState::of(details, segment));
    }
    for states in by_feature.values_mut() {
        states.sort_by_key(|state| state.segment.as_ref().map(|segment| segment.priority));
    }
    Ok(by_feature)
}

/// Copies with names of their own, that bucket as the originals do.
pub(crate) async fn copies(tx: &mut Tx, originals: &[VersionState]) -> Result<Vec<VersionState>> {
    let now = Timestamp::now().0;
    let mut copies = Vec::with_capacity(originals.len());
    for original in originals {
        let mut copy = original.clone();
        copy.id = feature_states::reserve_id(tx).await?;
        copy.uuid = Uuid::new_v4().to_string();
        (copy.created_at, copy.updated_at) = (now, now);
        if let Some(segment) = &mut copy.segment {
            segment.id = feature_segments::reserve_id(tx).await?;
            segment.uuid = Uuid::new_v4().to_string();
        }
        for share in &mut copy.options {
            share.id = state_options::reserve_id(tx).await?;
            share.uuid = Uuid::new_v4().to_string();
        }
        copies.push(copy);
    }
    Ok(copies)
}

/// Makes a change set's changes in a document: what is there is changed, what is not is made.
pub(crate) async fn apply(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    states: &mut Vec<VersionState>,
    set: &ChangeSet,
) -> Result<()> {
    let options = features::options(tx, feature.id).await?;
    states.retain(|state| {
        state
            .segment_id()
            .is_none_or(|id| !set.delete_segments.contains(&id))
    });
    for change in set.update.iter().chain(&set.create) {
        put(tx, place, feature, &options, states, change).await?;
    }
    arrange(states, &set.ranks());
    Ok(())
}

async fn put(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    options: &[MultivariateOption],
    states: &mut Vec<VersionState>,
    change: &StateChange,
) -> Result<()> {
    let segment_id = change.segment.map(|target| target.segment_id);
    if let Some(state) = states.iter_mut().find(|state| state.segment_id() == segment_id) {
        return edit(tx, options, state, change.edit.clone()).await;
    }
    let segment = match segment_id {
        Some(id) => Some(segment_for(tx, feature, id).await?),
        None => None,
    };
    if let Some(segment) = &segment {
        prerequisites::refuse_override(tx, place.environment.id, feature, segment).await?;
    }
    let mut state = new(tx, place, feature, segment.as_ref()).await?;
    if segment.is_none() {
        for option in options {
            let share = share(tx, option.id, option.default_percentage_allocation).await?;
            state.options.push(share);
        }
    }
    if let Some(segment) = &mut state.segment {
        let last = states
            .iter()
            .filter_map(|state| state.segment.as_ref())
            .map(|s| s.priority)
            .max();
        segment.priority = last.map_or(0, |priority| priority.saturating_add(1));
    }
    edit(tx, options, &mut state, change.edit.clone()).await?;
    states.push(state);
    Ok(())
}

/// A state with the initial value of its feature, off.
async fn new(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    segment: Option<&Segment>,
) -> Result<VersionState> {
    let mut state = blank(feature.id, place.environment.id, Timestamp::now().0);
    ValueEdit::from(initial_value(&place.project, feature)).apply(&mut state);
    state.id = feature_states::reserve_id(tx).await?;
    let segment = match segment {
        Some(segment) => Some(OverriddenSegment {
            id: feature_segments::reserve_id(tx).await?,
            uuid: Uuid::new_v4().to_string(),
            segment_id: segment.id,
            name: segment.name.clone(),
            priority: 0,
        }),
        None => None,
    };
    let options = Vec::new();
    Ok(VersionState::of(StateDetails { state, options }, segment))
}

async fn share(tx: &mut Tx, option_id: i64, percentage: f64) -> Result<OptionShare> {
    Ok(OptionShare {
        id: state_options::reserve_id(tx).await?,
        uuid: Uuid::new_v4().to_string(),
        option_id,
        percentage,
    })
}

/// Changes one state.
async fn edit(
    tx: &mut Tx,
    options: &[MultivariateOption],
    state: &mut VersionState,
    edit: StateEdit,
) -> Result<()> {
    if let Some(enabled) = edit.enabled {
        state.enabled = enabled;
    }
    if let Some(value) = edit.value {
        let mut row = state.details(0, 0).state;
        value.apply(&mut row);
        state.r#type = row.r#type;
        state.string_value = row.string_value;
        state.integer_value = row.integer_value;
        state.boolean_value = row.boolean_value;
    }
    for Weight {
        option_id,
        percentage,
    } in edit.weights.unwrap_or_default()
    {
        if !options.iter().any(|option| option.id == option_id) {
            return Err(unknown_option(option_id));
        }
        match state
            .options
            .iter_mut()
            .find(|share| share.option_id == option_id)
        {
            Some(share) => share.percentage = percentage,
            None => state.options.push(share(tx, option_id, percentage).await?),
        }
    }
    // What a document still says of options that are gone takes nothing from the others.
    let known = state
        .options
        .iter()
        .filter(|share| options.iter().any(|o| o.id == share.option_id));
    over_100_error(known.map(|share| share.percentage))?;
    state.updated_at = Timestamp::now().0;
    Ok(())
}

/// Puts overrides at the ranks that are asked for, the others around them in the order they had; numbers all anew when
/// any is asked for.
fn arrange(states: &mut [VersionState], ranks: &[(i64, i64)]) {
    states.sort_by_key(|state| state.segment.as_ref().map(|segment| segment.priority));
    let links = states.iter().filter_map(|state| state.segment.as_ref());
    let present: Vec<(i64, i64)> = links.map(|link| (link.segment_id, link.priority)).collect();
    if let Some(order) = crate::segment_overrides::order(&present, ranks) {
        for segment in states.iter_mut().filter_map(|state| state.segment.as_mut()) {
            let rank = order
                .iter()
                .position(|segment_id| *segment_id == segment.segment_id);
            segment.priority = rank.map_or(segment.priority, |rank| rank as i64);
        }
    }
    states.sort_by_key(|state| state.segment.as_ref().map(|segment| segment.priority));
}
