//! Versions as the API tells of them: feature by feature, version by version.

use std::collections::HashMap;

use burgee_model::Timestamp;
use serde_json::{Value, json};

use super::{Api, read_state, record};
use crate::Result;
use crate::configuration::Configuration;
use crate::history::Version;
use crate::records::{Environment, FeatureSegment};

impl Api {
    /// Reads the versions of all features of an environment that has versions, with their states.
    ///
    /// The seeds of states that are not served are not told: they are those of what is served, which is whence versions
    /// are copied there.
    pub(super) async fn read_versions(
        &self,
        environment: &Environment,
        read: &mut Configuration,
    ) -> Result<()> {
        if !environment.use_v2_feature_versioning {
            return Ok(());
        }
        let features: Vec<i64> = (read.features.iter())
            .filter(|feature| feature.project_id == environment.project_id)
            .map(|feature| feature.id)
            .collect();
        for feature in features {
            let at = format!("environments/{}/features/{feature}/versions", environment.id);
            for version in self.list(&format!("{at}/")).await? {
                let version = version_record(&version, environment.id, feature)?;
                let path = format!("{at}/{}/featurestates/", version.uuid);
                for state in self.list(&path).await? {
                    read_version_state(&state, &version, read)?;
                }
                read.history.get_or_insert_default().versions.push(version);
            }
        }
        Ok(())
    }
}

fn version_record(version: &Value, environment: i64, feature: i64) -> Result<Version> {
    let is_published = version["published"].as_bool().unwrap_or_default();
    let begins = version["live_from"].as_str().unwrap_or_default();
    let created = version["created_at"].as_str().unwrap_or_default();
    // The API does not say when it was published: it was there by the time it began, unless that is still to come.
    let published_at = if Timestamp::parse(begins).is_some_and(|begins| begins <= Timestamp::now()) {
        begins
    } else {
        created
    };
    let plain = json!({
        "uuid": version["uuid"],
        "description": version["description"],
        "created_at": version["created_at"],
        "updated_at": version["updated_at"],
        "published_at": is_published.then_some(published_at),
        "live_from": version["live_from"],
        "created_by_id": version["created_by"],
        "published_by_id": version["published_by"],
        "environment_id": environment,
        "feature_id": feature,
        "has_begun": version["is_live"].as_bool().unwrap_or_default(),
    });
    record("feature versions", plain)
}

fn read_version_state(state: &Value, version: &Version, read: &mut Configuration) -> Result<()> {
    let history = read.history.get_or_insert_default();
    let link = &state["feature_segment"];
    let mut plain = state.clone();
    plain["environment_feature_version"] = json!(version.uuid);
    plain["feature"] = json!(version.feature_id);
    if link.is_object() {
        plain["feature_segment"] = link["id"].clone();
        history.links.push(FeatureSegment {
            id: link["id"].as_i64().unwrap_or_default(),
            uuid: link["uuid"].as_str().map(str::to_owned),
            priority: link["priority"].as_i64().unwrap_or_default(),
            feature_id: version.feature_id,
            segment_id: link["segment"].as_i64().unwrap_or_default(),
            environment_id: version.environment_id,
        });
    }
    let (states, weights) = (&mut history.states, &mut history.weights);
    read_state(&plain, version.environment_id, None, None, states, weights)
}

/// Gives states of versions the seeds of what is served to the same people.
pub(super) fn hand_on_seeds(read: &mut Configuration) {
    let Some(history) = &mut read.history else { return };
    let segments: HashMap<i64, i64> = (read.links.iter().chain(&history.links))
        .map(|link| (link.id, link.segment_id))
        .collect();
    let spot = |state: &crate::records::FeatureState| {
        let segment = state.feature_segment_id.and_then(|id| segments.get(&id).copied());
        (state.environment_id, state.feature_id, segment)
    };
    let served: HashMap<_, i64> = read
        .states
        .iter()
        .map(|state| (spot(state), state.hash_seed()))
        .collect();
    for state in &mut history.states {
        if let Some(seed) = served.get(&spot(state)) {
            state.mv_hashing_salt = Some(*seed);
        }
    }
    history.versions.sort_by_key(|version| version.created_at);
}
