//! How change sets look in bodies and answers; shared by versions, scheduled changes and change requests.

use burgee_app::change_sets::{ChangeSet, StateChange, Target};
use burgee_app::feature_states::{StateEdit, ValueEdit, ValueKind, Weight};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::feature_values::{Ids, Nested, TypedValueBody, WeightBody, weights};
use super::segment_overrides::OverriddenSegment;
use crate::fields::{Given, Pk};
use crate::{input, required};

input! {
    /// What one state is to be: the environment default, or the override of a segment.
    pub struct StateChangeBody {
        pub enabled: Given<bool>,
        pub feature_segment: Given<Option<OverriddenSegment>>,
        pub feature_state_value: Given<Option<Nested<TypedValueBody>>>,
        pub multivariate_feature_state_values: Given<Vec<WeightBody>>,
    }
}

required! {
    /// What a feature is to be, and its value.
    pub struct WholeStateChangeBody(StateChangeBody) with feature_state_value;
}

impl From<StateChangeBody> for StateChange {
    fn from(body: StateChangeBody) -> Self {
        let segment = body.feature_segment.0.flatten().map(|link| Target {
            segment_id: link.segment.0,
            priority: link.priority.0.flatten().map(|priority| priority.0),
        });
        let edit = StateEdit {
            enabled: body.enabled.0,
            value: body.feature_state_value.0.flatten().map(|value| value.0.into()),
            weights: weights(body.multivariate_feature_state_values),
        };
        Self { segment, edit }
    }
}

input! {
    /// What is to change of one feature in an environment.
    pub struct ChangeSetBody {
        pub feature: Pk,
        pub live_from: Given<Option<Timestamp>>,
        pub feature_states_to_create: Option<Vec<StateChangeBody>>,
        pub feature_states_to_update: Option<Vec<StateChangeBody>>,
        pub segment_ids_to_delete_overrides: Option<Ids>,
    }
}

required! {
    /// What is to change, and when.
    pub struct ScheduledChangeSetBody(ChangeSetBody) with live_from;
}

impl From<ChangeSetBody> for ChangeSet {
    fn from(body: ChangeSetBody) -> Self {
        Self {
            feature_id: body.feature.0,
            live_from: body.live_from.0.flatten(),
            create: state_changes(body.feature_states_to_create),
            update: state_changes(body.feature_states_to_update),
            delete_segments: body
                .segment_ids_to_delete_overrides
                .map_or_else(Vec::new, |ids| ids.0),
            base: Vec::new(),
        }
    }
}

/// States to change, as the acts want them.
pub fn state_changes(bodies: Option<Vec<StateChangeBody>>) -> Vec<StateChange> {
    bodies
        .unwrap_or_default()
        .into_iter()
        .map(StateChange::from)
        .collect()
}

/// What one state is to be. What is not there stays as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StateChangeView {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    pub feature_segment: Option<TargetView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub feature_state_value: Option<ValueEditView>,
    pub multivariate_feature_state_values: Vec<WeightEditView>,
}

/// The segment of an override.
#[derive(Debug, Serialize, ToSchema)]
pub struct TargetView {
    pub segment: i64,
    pub priority: Option<i64>,
}

/// A value that is to be set.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValueEditView {
    #[schema(value_type = Option<super::feature_values::ValueType>)]
    pub r#type: Option<&'static str>,
    pub string_value: Option<String>,
    pub integer_value: Option<i64>,
    pub boolean_value: Option<bool>,
}

/// The share of the traffic that an option is to get.
#[derive(Debug, Serialize, ToSchema)]
pub struct WeightEditView {
    pub multivariate_feature_option: i64,
    pub percentage_allocation: f64,
}

impl From<ValueEdit> for ValueEditView {
    fn from(edit: ValueEdit) -> Self {
        Self {
            r#type: edit.kind.map(ValueKind::as_str),
            string_value: edit.text.flatten(),
            integer_value: edit.number.flatten(),
            boolean_value: edit.truth.flatten(),
        }
    }
}

impl From<Weight> for WeightEditView {
    fn from(weight: Weight) -> Self {
        Self {
            multivariate_feature_option: weight.option_id,
            percentage_allocation: weight.percentage,
        }
    }
}

impl From<StateChange> for StateChangeView {
    fn from(change: StateChange) -> Self {
        let weights = change.edit.weights.unwrap_or_default();
        Self {
            enabled: change.edit.enabled,
            feature_segment: change.segment.map(|target| TargetView {
                segment: target.segment_id,
                priority: target.priority,
            }),
            feature_state_value: change.edit.value.map(ValueEditView::from),
            multivariate_feature_state_values: weights.into_iter().map(WeightEditView::from).collect(),
        }
    }
}

/// What is to change of one feature in an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeSetView {
    pub feature: i64,
    pub live_from: Option<String>,
    pub feature_states_to_update: Vec<StateChangeView>,
    pub feature_states_to_create: Vec<StateChangeView>,
    pub segment_ids_to_delete_overrides: Vec<i64>,
}

impl From<ChangeSet> for ChangeSetView {
    fn from(set: ChangeSet) -> Self {
        let views = |changes: Vec<StateChange>| changes.into_iter().map(StateChangeView::from).collect();
        Self {
            feature: set.feature_id,
            live_from: set.live_from.map(Timestamp::rest),
            feature_states_to_update: views(set.update),
            feature_states_to_create: views(set.create),
            segment_ids_to_delete_overrides: set.delete_segments,
        }
    }
}
