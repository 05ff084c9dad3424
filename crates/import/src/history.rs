//! What is not served: versions that were or are to be, what is to change at its time, and what was proposed.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use crate::people::number_of;
use crate::records::{FeatureSegment, FeatureState, Segment, Weight, moment};

/// Everything about flags and segments that is not served now.
#[derive(Debug, Default)]
pub struct History {
    pub versions: Vec<Version>,
    /// Of every version; of environments without versions, those that begin later or that were proposed.
    pub states: Vec<FeatureState>,
    pub weights: Vec<Weight>,
    pub links: Vec<FeatureSegment>,
    pub change_sets: Vec<ChangeSetRow>,
    pub requests: Vec<ChangeRequest>,
    pub approvals: Vec<Approval>,
    pub groups: Vec<GroupAssignment>,
    /// Segments as open requests propose them.
    pub segments: Vec<Segment>,
    /// Whether the source tells of more than versions: otherwise what was taken of requests before stays.
    pub has_requests: bool,
}

impl History {
    /// The option weights of its states.
    pub(crate) fn weights_by_state(&self) -> HashMap<i64, Vec<&Weight>> {
        let mut weights: HashMap<i64, Vec<&Weight>> = HashMap::new();
        for weight in &self.weights {
            weights.entry(weight.feature_state_id).or_default().push(weight);
        }
        weights
    }
}

/// A version of a feature in an environment.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    pub uuid: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub published_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub live_from: Option<i64>,
    #[serde(default)]
    pub change_request_id: Option<i64>,
    #[serde(default)]
    pub created_by_id: Option<i64>,
    #[serde(default)]
    pub published_by_id: Option<i64>,
    pub environment_id: i64,
    pub feature_id: i64,
    /// It is, or was, served.
    #[serde(default)]
    pub has_begun: bool,
}

impl Version {
    /// A number that stands for it: it has none there.
    pub(crate) fn number(&self) -> i64 {
        number_of(&self.uuid)
    }

    /// Whether it is published and waits for its time.
    pub(crate) fn is_later(&self) -> bool {
        self.published_at.is_some() && !self.has_begun
    }
}

/// A JSON list that is kept as text.
fn list_in_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<serde_json::Value>, D::Error> {
    let list = match Option::<serde_json::Value>::deserialize(deserializer)? {
        Some(serde_json::Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        Some(list) => list,
        None => serde_json::Value::Null,
    };
    Ok(match list {
        serde_json::Value::Array(items) => items,
        _ => Vec::new(),
    })
}

/// What is to change of a feature in an environment with versions.
#[derive(Debug, Clone, Deserialize)]
pub struct ChangeSetRow {
    pub id: i64,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub live_from: Option<i64>,
    #[serde(default, deserialize_with = "list_in_text")]
    pub feature_states_to_create: Vec<serde_json::Value>,
    #[serde(default, deserialize_with = "list_in_text")]
    pub feature_states_to_update: Vec<serde_json::Value>,
    #[serde(default, deserialize_with = "list_in_text")]
    pub segment_ids_to_delete_overrides: Vec<serde_json::Value>,
    #[serde(default)]
    pub change_request_id: Option<i64>,
    #[serde(default)]
    pub published_by_id: Option<i64>,
    pub environment_id: i64,
    pub feature_id: i64,
    /// It is to be applied later.
    #[serde(default)]
    pub is_later: bool,
}

/// A proposal.
#[derive(Debug, Clone, Deserialize)]
pub struct ChangeRequest {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub title: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub committed_at: Option<i64>,
    #[serde(default)]
    pub committed_by_id: Option<i64>,
    #[serde(default)]
    pub environment_id: Option<i64>,
    #[serde(default)]
    pub user_id: Option<i64>,
    #[serde(default)]
    pub ignore_conflicts: bool,
    /// Older versions have it only through the environment.
    #[serde(default)]
    pub project_id: Option<i64>,
}

/// Somebody who is asked to approve a proposal, or did.
#[derive(Debug, Clone, Deserialize)]
pub struct Approval {
    pub id: i64,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub approved_at: Option<i64>,
    pub change_request_id: i64,
    pub user_id: i64,
}

/// A group any member of which is asked to approve a proposal.
#[derive(Debug, Clone, Deserialize)]
pub struct GroupAssignment {
    pub id: i64,
    pub change_request_id: i64,
    pub group_id: i64,
}
