//! What goes along with a deleted feature or segment, as the change log keeps it: so that it can come back.
//!
//! Identities are named by their numbers alone: whoever is forgotten leaves no name here.

use burgee_model::FlagValue;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::{Tx, feature_links, feature_segments, feature_states, list_segments};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Result;
use crate::feature_states::{FeatureState, StateDetails, details};
use crate::metadata::{self, MetadataEdit, Owner};

/// The field of what was before under which it stands. It is not one of the object's own.
pub(crate) const KEPT: &str = "kept";
/// The most overrides for identities that are kept of a feature; there may be very many.
const MOST_IDENTITIES: i64 = 1000;

/// What a deleted feature took along.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptFeature {
    pub owners: Vec<i64>,
    pub group_owners: Vec<i64>,
    pub options: Vec<KeptOption>,
    pub states: Vec<KeptState>,
    /// Whether there were more overrides for identities than are kept.
    pub more_identities: bool,
}

/// What a deleted segment took along.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptSegment {
    /// What percentages were drawn with.
    pub seed: i64,
    pub managed_by: String,
    /// Whether it had lists of members, which are not kept.
    pub listed: bool,
    pub states: Vec<KeptState>,
}

/// A multivariate option.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptOption {
    pub id: i64,
    pub key: Option<String>,
    pub value: FlagValue,
    pub share: f64,
}

/// What the feature was somewhere: for everyone, for a segment or for an identity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KeptState {
    pub environment: i64,
    pub feature: i64,
    pub segment: Option<i64>,
    pub priority: Option<i64>,
    pub identity: Option<i64>,
    pub enabled: bool,
    pub value: FlagValue,
    /// What variants were drawn with.
    pub seed: i64,
    /// Option and percentage, in their order.
    pub weights: Vec<(i64, f64)>,
}

impl KeptState {
    fn of(found: &StateDetails, link: Option<&feature_segments::FeatureSegment>) -> Self {
        let StateDetails { state, options } = found;
        Self {
            environment: state.environment_id,
            feature: state.feature_id,
            segment: link.map(|link| link.segment_id),
            priority: link.map(|link| link.priority),
            identity: state.identity_id,
            enabled: state.enabled,
            value: state.value(),
            seed: state.hash_seed(),
            weights: options
                .iter()
                .map(|option| (option.option_id, option.percentage_allocation))
                .collect(),
        }
    }
}

async fn states(
    tx: &mut Tx,
    found: Vec<FeatureState>,
    links: &[feature_segments::FeatureSegment],
) -> Result<Vec<KeptState>> {
    let found = details(tx, found).await?;
    let kept = found.iter().map(|found| {
        let link = found.state.feature_segment_id;
        KeptState::of(found, links.iter().find(|other| Some(other.id) == link))
    });
    Ok(kept.collect())
}

/// What goes along with a feature.
pub(crate) async fn of_feature(tx: &mut Tx, feature: &Feature) -> Result<Value> {
    let (project, id) = (feature.project_id, feature.id);
    let owners = feature_links::owners(tx, project, Some(id)).await?;
    let group_owners = feature_links::group_owners(tx, project, Some(id)).await?;
    let options = features::options(tx, id).await?;
    let option = |option: &MultivariateOption| KeptOption {
        id: option.id,
        key: option.key.clone(),
        value: option.value(),
        share: option.default_percentage_allocation,
    };
    let links = feature_segments::of_feature_anywhere(tx, id).await?;
    let mut found = feature_states::shared_of_feature(tx, id).await?;
    let mut identities = feature_states::identities_of_feature(tx, id, MOST_IDENTITIES + 1).await?;
    let more_identities = identities.len() as i64 > MOST_IDENTITIES;
    identities.truncate(MOST_IDENTITIES as usize);
    found.extend(identities);
    let kept = KeptFeature {
        owners: owners.iter().map(|owner| owner.id).collect(),
        group_owners: group_owners.iter().map(|group| group.id).collect(),
        options: options.iter().map(option).collect(),
        states: states(tx, found, &links).await?,
        more_identities,
    };
    Ok(json!(kept))
}

/// What goes along with a segment.
pub(crate) async fn of_segment(tx: &mut Tx, segment: &Segment) -> Result<Value> {
    let links = feature_segments::of_segment(tx, segment.id).await?;
    let found = feature_states::of_segment(tx, segment.id).await?;
    let kept = KeptSegment {
        seed: segment.hash_seed(),
        managed_by: segment.managed_by.clone(),
        listed: list_segments::of_segment(tx, segment.id).await?.is_some(),
        states: states(tx, found, &links).await?,
    };
    Ok(json!(kept))
}

/// What an object said in its custom fields, as the log keeps it; values of fields that are gone are left out.
pub(crate) async fn values(
    tx: &mut Tx,
    project: &Project,
    owner: Owner,
    kept: Option<&Value>,
) -> Result<Vec<MetadataEdit>> {
    let kept = kept.and_then(Value::as_array).into_iter().flatten();
    let values: Vec<MetadataEdit> = kept
        .filter_map(|value| serde_json::from_value(value.clone()).ok())
        .collect();
    metadata::still_possible(tx, project, owner, values).await
}
