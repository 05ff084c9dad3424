//! Everything one environment is made of, read in one transaction.

use std::collections::{BTreeMap, HashMap};

use burgee_store::environments::{self, Environment};
use burgee_store::feature_segments::{self, FeatureSegment};
use burgee_store::feature_states::{self, FeatureState, OverriddenIdentity, StateOption};
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::organisations::{self, Organisation};
use burgee_store::projects::{self, Project};
use burgee_store::segments::{self, Segment};
use burgee_store::server_keys::{self, ServerKey};
use burgee_store::{Result as Stored, Tx};

use super::lists::{Lists, SegmentLists};
use crate::Result;

/// The rows of one environment, with the look-ups that building its answers needs.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) organisation: Organisation,
    pub(crate) project: Project,
    pub(crate) environment: Environment,
    pub(crate) server_keys: Vec<ServerKey>,
    /// In the order in which flags are served: that of their environment defaults.
    pub(crate) features: Vec<Feature>,
    /// Where a feature stands in `features`.
    places: HashMap<i64, usize>,
    pub(crate) options: HashMap<i64, MultivariateOption>,
    pub(crate) states: Vec<FeatureState>,
    /// By feature state.
    pub(crate) weights: HashMap<i64, Vec<StateOption>>,
    pub(crate) segments: Vec<Segment>,
    /// The list segments of the project, by segment.
    pub(crate) lists: HashMap<i64, SegmentLists>,
    pub(crate) links: HashMap<i64, FeatureSegment>,
    pub(crate) identities: HashMap<i64, OverriddenIdentity>,
}

impl Rows {
    /// Reads an environment; `None` when it is gone.
    pub(crate) async fn load(tx: &mut Tx, lists: &Lists, environment_id: i64) -> Result<Option<Self>> {
        let Some(environment) = environments::find(tx, environment_id).await? else {
            return Ok(None);
        };
        let Some(project) = projects::find(tx, environment.project_id).await? else {
            return Ok(None);
        };
        let Some(organisation) = organisations::find(tx, project.organisation_id).await? else {
            return Ok(None);
        };
        let states = feature_states::list(tx, environment_id).await?;
        let mut features = features::list(tx, project.id).await?;
        order_by_default_state(&mut features, &states);
        let mut weights: HashMap<i64, Vec<StateOption>> = HashMap::new();
        for weight in feature_states::options_of_environment(tx, environment_id).await? {
            weights.entry(weight.feature_state_id).or_default().push(weight);
        }
        Ok(Some(Self {
            server_keys: server_keys::list(tx, environment_id).await?,
            options: by_id(features::options_of_project(tx, project.id).await?, |o| o.id),
            segments: served_segments(tx, &project, environment_id).await?,
            lists: lists.of_environment(tx, project.id, environment_id).await?,
            links: by_id(feature_segments::list(tx, environment_id).await?, |l| l.id),
            identities: by_id(
                feature_states::overridden_identities(tx, environment_id).await?,
                |i| i.id,
            ),
            organisation,
            project,
            environment,
            places: features
                .iter()
                .enumerate()
                .map(|(place, f)| (f.id, place))
                .collect(),
            features,
            states,
            weights,
        }))
    }

    /// Where a feature stands in the order in which flags are served.
    pub(crate) fn place_of(&self, feature_id: i64) -> Option<usize> {
        self.places.get(&feature_id).copied()
    }

    /// The states of the environment sorted by what they are for. States of features that are not served are left out.
    pub(crate) fn by_purpose(&self) -> Purposes<'_> {
        let mut purposes = Purposes::default();
        for (index, state) in self.states.iter().enumerate() {
            let Some(place) = self.place_of(state.feature_id) else {
                continue;
            };
            let placed = Placed {
                index,
                state,
                feature: &self.features[place],
                place,
            };
            let link = state.feature_segment_id.map(|id| self.links.get(&id));
            match (state.identity_id, link) {
                (Some(identity), _) => purposes.identities.entry(identity).or_default().push(placed),
                (None, Some(Some(link))) => {
                    purposes.segments.entry(link.segment_id).or_default().push(placed);
                }
                (None, Some(None)) => {}
                (None, None) => purposes.defaults.push(placed),
            }
        }
        purposes
    }

    /// The option weights of a state, in the order of their ids.
    pub(crate) fn weights_of(&self, state: &FeatureState) -> &[StateOption] {
        self.weights.get(&state.id).map_or(&[], Vec::as_slice)
    }
}

/// A state with its feature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    /// Where the state stands in [`Rows::states`].
    pub(crate) index: usize,
    pub(crate) state: &'a FeatureState,
    pub(crate) feature: &'a Feature,
    /// Where the feature stands in [`Rows::features`].
    pub(crate) place: usize,
}

/// The states of an environment by purpose, each list in the order of ids.
#[derive(Debug, Default)]
pub(crate) struct Purposes<'a> {
    pub(crate) defaults: Vec<Placed<'a>>,
    /// By segment.
    pub(crate) segments: HashMap<i64, Vec<Placed<'a>>>,
    /// By identity.
    pub(crate) identities: BTreeMap<i64, Vec<Placed<'a>>>,
}

/// Features without a state in the environment, which no act leaves behind, are not served.
fn order_by_default_state(features: &mut Vec<Feature>, states: &[FeatureState]) {
    let default: HashMap<i64, i64> = states
        .iter()
        .filter(|s| s.identity_id.is_none() && s.feature_segment_id.is_none())
        .map(|s| (s.feature_id, s.id))
        .collect();
    features.retain(|f| default.contains_key(&f.id));
    features.sort_by_key(|f| default.get(&f.id).copied());
}

/// Those of the whole project, and the feature-specific ones that override something here.
async fn served_segments(tx: &mut Tx, project: &Project, environment_id: i64) -> Stored<Vec<Segment>> {
    let links = feature_segments::list(tx, environment_id).await?;
    let mut segments = segments::list(tx, project.id).await?;
    segments.retain(|s| s.feature_id.is_none() || links.iter().any(|l| l.segment_id == s.id));
    Ok(segments)
}

fn by_id<T>(rows: Vec<T>, id: impl Fn(&T) -> i64) -> HashMap<i64, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}
