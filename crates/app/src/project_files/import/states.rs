//! What flags are in an environment: for everybody, for segments, for single identities.

use burgee_model::Timestamp;
use burgee_store::environments::Environment;
use burgee_store::feature_segments::FeatureSegment;
use burgee_store::feature_states::{FeatureState, StateOption};
use burgee_store::{Tx, feature_segments, feature_states, features, identity_admin, state_options, transfer};
use serde_json::json;
use uuid::Uuid;

use std::borrow::Cow;

use super::Work;
use crate::feature_states::ValueEdit;
use crate::pii::{Entrance, Spot};
use crate::project_files::{EnvironmentPart, IdentityOverridePart, StatePart};
use crate::{Error, Place, Result, versions};

impl Work<'_> {
    pub(super) async fn states(
        &mut self,
        tx: &mut Tx,
        part: &EnvironmentPart,
        row: &Environment,
    ) -> Result<()> {
        if row.use_v2_feature_versioning {
            let what = format!("the feature states of environment {:?}", part.name);
            self.imported
                .miss(what, "it has versions, which are published, not imported");
            return self.complete_defaults(tx, row).await;
        }
        if part.use_v2_feature_versioning {
            let what = format!("the versions of environment {:?}", part.name);
            self.imported
                .miss(what, "only what is live was taken; switch versions on again");
        }
        let present = feature_states::of_environment(tx, row.id).await?;
        for default in &part.defaults {
            let Some(feature) = self.features.get(&default.feature) else {
                continue;
            };
            let found = present
                .iter()
                .find(|state| state.feature_id == feature.id && state.feature_segment_id.is_none());
            let at = (feature.id, row.id, None, None);
            self.state(tx, at, &default.state, found.cloned()).await?;
        }
        for change in &part.segment_overrides {
            let feature = self.features.get(&change.feature).map(|feature| feature.id);
            let segment = self.segments.get(&change.segment).map(|segment| segment.id);
            let (Some(feature), Some(segment)) = (feature, segment) else {
                continue;
            };
            let link = self.link(tx, row.id, (feature, segment), change.priority).await?;
            let found = feature_states::of_feature_segment(tx, link).await?;
            self.imported.count("segment overrides", found.is_none());
            self.state(tx, (feature, row.id, None, Some(link)), &change.state, found)
                .await?;
        }
        self.complete_defaults(tx, row).await?;
        for change in &part.identity_overrides {
            self.identity_override(tx, row, change).await?;
        }
        Ok(())
    }

    /// Features of the project that the file has no state of in an environment begin there as they do everywhere.
    async fn complete_defaults(&self, tx: &mut Tx, row: &Environment) -> Result<()> {
        for feature in features::list(tx, self.project.id).await? {
            let states = feature_states::of_feature(tx, row.id, feature.id).await?;
            if states.iter().any(|state| state.feature_segment_id.is_none()) {
                continue;
            }
            let options = features::options(tx, feature.id).await?;
            crate::feature_states::create_default(tx, &self.project, &feature, row.id, &options).await?;
            if row.use_v2_feature_versioning {
                let place = Place {
                    project: self.project.clone(),
                    environment: row.clone(),
                };
                versions::create_first_version(tx, &place, &feature).await?;
            }
        }
        Ok(())
    }

    async fn link(
        &self,
        tx: &mut Tx,
        environment_id: i64,
        (feature_id, segment_id): (i64, i64),
        priority: i64,
    ) -> Result<i64> {
        let links = feature_segments::of_feature(tx, environment_id, feature_id).await?;
        if let Some(link) = links.iter().find(|link| link.segment_id == segment_id) {
            feature_segments::set_priority(tx, link.id, priority).await?;
            return Ok(link.id);
        }
        let count = feature_segments::count(tx, environment_id).await?;
        if let Some(most) = self.project.max_segment_overrides_allowed
            && count >= most
        {
            let text = format!(
                "The environment has reached the maximum allowed segments overrides limit of {most}."
            );
            return Err(Error::field("environment", text));
        }
        let link = FeatureSegment {
            id: 0,
            uuid: Uuid::new_v4().to_string(),
            feature_id,
            segment_id,
            environment_id,
            priority,
        };
        Ok(feature_segments::insert(tx, &link).await?)
    }

    /// What is kept of the identifier of somebody who is overridden.
    async fn keep_identifier(&self, tx: &mut Tx, row: &Environment, identifier: &str) -> Result<String> {
        let Some(guard) = self.guards.of(&self.project) else {
            return Ok(identifier.to_owned());
        };
        let spot = Spot {
            entrance: Entrance::Imports,
            field: "identity_overrides",
            name: "",
        };
        match guard.keep(spot, identifier)? {
            Cow::Owned(hash) => {
                let found = burgee_store::edge_identities::find_named(tx, row.id, identifier).await?;
                Ok(found.map_or(hash, |_| identifier.to_owned()))
            }
            Cow::Borrowed(_) => Ok(identifier.to_owned()),
        }
    }

    async fn identity_override(
        &mut self,
        tx: &mut Tx,
        row: &Environment,
        part: &IdentityOverridePart,
    ) -> Result<()> {
        let Some(feature) = self.features.get(&part.feature).map(|feature| feature.id) else {
            return Ok(());
        };
        let identifier = self.keep_identifier(tx, row, &part.identifier).await?;
        let now = Timestamp::now().0;
        let seed = part.seed.unwrap_or(part.identity);
        let line = json!([[part.identity, identifier, "[]", now, null, seed]]).to_string();
        // Under its number in every environment: one that is numbered anew could take the number of another one, which an
        // environment needs that puts people into buckets by it.
        let kept = transfer::keep_identities(tx, row.id, &line).await?;
        let numbered = identity_admin::insert(tx, row.id, &identifier, now).await?;
        let found = burgee_store::edge_identities::find_named(tx, row.id, &identifier).await?;
        let Some(identity) = found else { return Ok(()) };
        if let Some(id) = numbered.filter(|_| seed > 0) {
            transfer::set_identity_seed(tx, id, seed).await?;
        }
        if kept > 0 || numbered.is_some() {
            self.identities_made.push(identity.id);
        }
        let states = feature_states::of_identity(tx, identity.id).await?;
        let found = states.into_iter().find(|state| state.feature_id == feature);
        self.imported.count("identity overrides", found.is_none());
        let at = (feature, row.id, Some(identity.id), None);
        self.state(tx, at, &part.state, found).await
    }

    /// Writes a state with its seed and weights, over one that is there if there is one.
    async fn state(
        &self,
        tx: &mut Tx,
        (feature_id, environment_id, identity_id, link): (i64, i64, Option<i64>, Option<i64>),
        part: &StatePart,
        found: Option<FeatureState>,
    ) -> Result<()> {
        let now = Timestamp::now().0;
        let mut state =
            found.unwrap_or_else(|| crate::feature_states::blank(feature_id, environment_id, now));
        state.enabled = part.enabled;
        ValueEdit::from(part.value.clone()).apply(&mut state);
        state.hash_seed = (part.seed > 0).then_some(part.seed);
        state.updated_at = now;
        if state.id == 0 {
            (state.identity_id, state.feature_segment_id) = (identity_id, link);
            state.id = feature_states::insert(tx, &state).await?;
        } else {
            feature_states::update(tx, &state).await?;
            transfer::set_hash_seed(tx, state.id, state.hash_seed).await?;
        }
        // The order of the weights decides which variant a bucket falls on: they are written anew.
        transfer::clear_weights(tx, state.id).await?;
        for weight in &part.weights {
            let Some(option_id) = self.options.get(&weight.option) else {
                continue;
            };
            let row = StateOption {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                feature_state_id: state.id,
                option_id: *option_id,
                percentage_allocation: weight.percentage,
            };
            state_options::insert(tx, &row).await?;
        }
        Ok(())
    }
}
