//! A version becomes what is served.

use burgee_model::Timestamp;
use burgee_store::changes::NewChange;
use burgee_store::feature_segments::{self, FeatureSegment};
use burgee_store::features::{self, Feature};
use burgee_store::versions::{self as version_rows, FeatureVersion};
use burgee_store::{Tx, feature_states, segments, state_options};
use serde_json::{Value, json};

use crate::author::Author;
use crate::change::{Action, Change, Kind};
use crate::feature_states::{FeatureState, allot};
use crate::version_states::{self, VersionState};
use crate::{Place, Result};

/// Puts the states of a published version in place of those that are served, and returns the changes for the log.
///
/// A version that was to go live before the one that is live already changes nothing: it only enters the history.
pub(crate) async fn take(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    mut version: FeatureVersion,
    now: Timestamp,
) -> Result<(FeatureVersion, Vec<NewChange>)> {
    version.went_live_at = Some(now.0);
    version.updated_at = now.0;
    let current = version_rows::current(tx, place.environment.id, feature.id).await?;
    version_rows::update(tx, &version).await?;
    let line = Change::new(author, Kind::FeatureVersion, Action::Update, version.id)
        .in_environment(place)
        .uuid(&version.uuid);
    if current
        .as_ref()
        .is_some_and(|current| current.live_from > version.live_from)
    {
        tracing::warn!(
            version = version.uuid,
            feature = feature.name,
            "a later version is live already: this one enters the history without having been served"
        );
        let text = format!("Version passed over by a later one for feature: {}", feature.name);
        let line = line.says(text).after(summary(&version, feature, &[]));
        return Ok((version, vec![line.into()]));
    }
    let before = version_states::live(tx, place, feature).await?;
    replace(tx, place, feature, &version).await?;
    let after = version_states::live(tx, place, feature).await?;
    let mut changes = differences(author, place, feature, &before, &after);
    let text = match author.line(&feature.name) {
        Some(line) if author.scheduled => line,
        _ => author.credited(format!("New version published for feature: {}", feature.name)),
    };
    let before = current.map(|current| summary(&current, feature, &before));
    let mut line = line.says(text).serves().after(summary(&version, feature, &after));
    if let Some(before) = before {
        line = line.before(before);
    }
    changes.push(line.into());
    Ok((version, changes))
}

fn summary(version: &FeatureVersion, feature: &Feature, states: &[VersionState]) -> Value {
    let states: Vec<Value> = states.iter().map(|state| state.snapshot(feature)).collect();
    json!({
        "version": version.uuid,
        "feature": feature.id,
        "description": version.description,
        "live_from": version.live_from.map(|at| Timestamp(at).rest()),
        "published_by": version.published_by,
        "feature_states": states,
    })
}

/// Writes the states of the version as the served rows.
async fn replace(tx: &mut Tx, place: &Place, feature: &Feature, version: &FeatureVersion) -> Result<()> {
    feature_states::delete_shared(tx, place.environment.id, feature.id).await?;
    for state in version_states::parse(&version.states)? {
        if let Some(segment) = &state.segment {
            if segments::find(tx, segment.segment_id).await?.is_none() {
                tracing::info!(
                    segment = segment.name,
                    feature = feature.name,
                    version = version.uuid,
                    "the segment is gone: its override goes live no more"
                );
                continue;
            }
            let link = FeatureSegment {
                id: segment.id,
                uuid: segment.uuid.clone(),
                feature_id: feature.id,
                segment_id: segment.segment_id,
                environment_id: place.environment.id,
                priority: segment.priority,
            };
            feature_segments::insert_as(tx, &link).await?;
        }
        insert(tx, place, feature, version, &state).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    place: &Place,
    feature: &Feature,
    version: &FeatureVersion,
    state: &VersionState,
) -> Result<()> {
    let details = state.details(place.environment.id, feature.id);
    let row = FeatureState {
        live_from: version.live_from.unwrap_or(state.created_at),
        version_uuid: Some(version.uuid.clone()),
        change_request_id: version.change_request_id,
        ..details.state
    };
    feature_states::insert_as(tx, &row).await?;
    let options = features::options(tx, feature.id).await?;
    let mut given = 0.0;
    for share in &details.options {
        if options.iter().any(|option| option.id == share.option_id) {
            state_options::insert_as(tx, share).await?;
            given += share.percentage_allocation;
        }
    }
    // Options that are newer than the version get what they got wherever they were added.
    for option in &options {
        let known = details.options.iter().any(|share| share.option_id == option.id);
        if !known && state.segment.is_none() {
            let share = option
                .default_percentage_allocation
                .min((100.0_f64 - given).max(0.0));
            given += share;
            allot(tx, state.id, option.id, share).await?;
        }
    }
    Ok(())
}

/// One change for every state that is not what it was. The audit log has one line for all of them, that of the version.
fn differences(
    author: Author<'_>,
    place: &Place,
    feature: &Feature,
    before: &[VersionState],
    after: &[VersionState],
) -> Vec<NewChange> {
    let change = |action, state: &VersionState| {
        Change::new(author, Kind::FeatureState, action, state.id)
            .in_environment(place)
            .uuid(&state.uuid)
            .serves()
    };
    let mut changes = Vec::new();
    for state in after {
        let is = state.snapshot(feature);
        match before.iter().find(|old| old.segment_id() == state.segment_id()) {
            None => changes.push(change(Action::Create, state).after(is)),
            Some(old) if old.content() == state.content() => {}
            Some(old) => {
                let was = old.snapshot(feature);
                changes.push(change(Action::Update, state).before(was).after(is));
            }
        }
    }
    for old in before {
        if !after.iter().any(|state| state.segment_id() == old.segment_id()) {
            changes.push(change(Action::Delete, old).before(old.snapshot(feature)));
        }
    }
    let silent = changes.into_iter().map(|change| NewChange {
        message: None,
        ..change.into()
    });
    silent.collect()
}
