//! What a new feature is from its first moment, in every environment of its project.

use burgee_model::Timestamp;
use burgee_store::changes::NewChange;
use burgee_store::feature_segments::{self, FeatureSegment};
use burgee_store::features::{Feature, MultivariateOption};
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::{Tx, environments, feature_states, transfer};
use uuid::Uuid;

use crate::change::{Action, Change, Kind};
use crate::feature_states::{
    FeatureState, StateEdit, Weight, allot, blank, create_default, over_100_error, snapshot, unknown_option,
};
use crate::segment_overrides::too_many;
use crate::{Author, Place, Result, prerequisites, versions};

/// What a new feature is in an environment instead of what it begins with there; or besides, for a segment.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub environment_id: i64,
    /// The segment it is for, with its rank; for everyone without it.
    pub segment: Option<(Segment, i64)>,
    pub edit: StateEdit,
    /// What variants are drawn with, where it is not the state's own number.
    pub seed: Option<i64>,
}

/// Gives a new feature its state in every environment of the project, as it begins or with another content.
pub(crate) async fn create(
    tx: &mut Tx,
    author: Author<'_>,
    (project, feature, options): (&Project, &Feature, &[MultivariateOption]),
    contents: &[Content],
) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    for environment_id in environments::ids_in_scope(tx, None, Some(project.id)).await? {
        let Some(place) = Place::by_id(tx, environment_id).await? else {
            continue;
        };
        let mut state = create_default(tx, project, feature, environment_id, options).await?;
        let here = contents
            .iter()
            .filter(|content| content.environment_id == environment_id);
        let mut overrides = Vec::new();
        for content in here {
            match &content.segment {
                None => fill(tx, options, &mut state, content).await?,
                Some((segment, priority)) => {
                    let at = (&place, feature, options);
                    overrides.push(override_for(tx, author, at, content, (segment, *priority)).await?);
                }
            }
        }
        versions::create_first_version(tx, &place, feature).await?;
        let line = Change::new(author, Kind::FeatureState, Action::Create, state.id)
            .in_environment(&place)
            .uuid(&state.uuid)
            .says(format!("New Flag / Remote Config created: {}", feature.name))
            .after(snapshot(tx, &state).await?);
        changes.push(line.into());
        changes.extend(overrides);
    }
    Ok(changes)
}

/// Writes a content over a state that nobody has seen yet: it needs no line of its own.
async fn fill(
    tx: &mut Tx,
    options: &[MultivariateOption],
    state: &mut FeatureState,
    content: &Content,
) -> Result<()> {
    if let Some(enabled) = content.edit.enabled {
        state.enabled = enabled;
    }
    if let Some(value) = content.edit.value.clone() {
        value.apply(state);
    }
    feature_states::update(tx, state).await?;
    if content.seed.is_some() {
        state.hash_seed = content.seed;
        transfer::set_hash_seed(tx, state.id, content.seed).await?;
    }
    match &content.edit.weights {
        Some(weights) => weigh(tx, options, state.id, weights).await,
        None => Ok(()),
    }
}

/// The order of the weights decides which variant a bucket falls on: they are written anew.
async fn weigh(tx: &mut Tx, options: &[MultivariateOption], state_id: i64, weights: &[Weight]) -> Result<()> {
    over_100_error(weights.iter().map(|weight| weight.percentage))?;
    transfer::clear_weights(tx, state_id).await?;
    for weight in weights {
        if !options.iter().any(|option| option.id == weight.option_id) {
            return Err(unknown_option(weight.option_id));
        }
        allot(tx, state_id, weight.option_id, weight.percentage).await?;
    }
    Ok(())
}

async fn override_for(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature, options): (&Place, &Feature, &[MultivariateOption]),
    content: &Content,
    (segment, priority): (&Segment, i64),
) -> Result<NewChange> {
    let environment_id = place.environment.id;
    prerequisites::refuse_override(tx, environment_id, feature, segment).await?;
    if let Some(most) = place.project.max_segment_overrides_allowed
        && feature_segments::count(tx, environment_id).await? >= most
    {
        return Err(too_many(most));
    }
    let link = FeatureSegment {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id: feature.id,
        segment_id: segment.id,
        environment_id,
        priority,
    };
    let mut state = blank(feature.id, environment_id, Timestamp::now().0);
    state.feature_segment_id = Some(feature_segments::insert(tx, &link).await?);
    state.id = feature_states::insert(tx, &state).await?;
    fill(tx, options, &mut state, content).await?;
    let told = format!(
        "Segment override created for feature '{}' and segment '{}'",
        feature.name, segment.name
    );
    let change = Change::new(author, Kind::FeatureState, Action::Create, state.id)
        .in_environment(place)
        .uuid(&state.uuid)
        .serves()
        .says(told)
        .after(snapshot(tx, &state).await?);
    Ok(change.into())
}
