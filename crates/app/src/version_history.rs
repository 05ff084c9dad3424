//! What versions were, compared and brought back.

use burgee_model::Timestamp;
use burgee_store::features::Feature;
use burgee_store::{Tx, segments, versions as version_rows};

use crate::author::Author;
use crate::version_states::{self, VersionState};
use crate::versions::{self, At, FeatureVersion};
use crate::{App, Caller, Place, Result, approvals, prerequisites};

/// What is different between two versions.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// None when the other one is the first.
    pub from: Option<FeatureVersion>,
    pub to: FeatureVersion,
    pub differences: Vec<Difference>,
}

/// What a feature was, and is then, for everyone or for one segment.
#[derive(Debug, Clone)]
pub struct Difference {
    pub before: Option<VersionState>,
    pub after: Option<VersionState>,
}

/// Compares a version with another one, or with the one before it.
pub async fn compare(
    tx: &mut Tx,
    caller: &Caller,
    at: At,
    uuid: &str,
    with: Option<&str>,
) -> Result<Comparison> {
    let (place, feature) = versions::seen(tx, caller, at).await?;
    let to = versions::find(tx, at, uuid).await?;
    let from = match with {
        Some(uuid) => Some(versions::find(tx, at, uuid).await?),
        None => version_rows::previous(tx, &to).await?,
    };
    let before = match &from {
        Some(from) => versions::states_of(tx, &place, &feature, from).await?,
        None => Vec::new(),
    };
    let after = versions::states_of(tx, &place, &feature, &to).await?;
    Ok(Comparison {
        differences: differences(before, after),
        from,
        to,
    })
}

fn differences(mut before: Vec<VersionState>, after: Vec<VersionState>) -> Vec<Difference> {
    let mut found = Vec::new();
    for state in after {
        let old = before
            .iter()
            .position(|old| old.segment_id() == state.segment_id());
        let old = old.map(|index| before.remove(index));
        if old.as_ref().is_none_or(|old| old.content() != state.content()) {
            found.push(Difference {
                before: old,
                after: Some(state),
            });
        }
    }
    found.extend(before.into_iter().map(|old| Difference {
        before: Some(old),
        after: None,
    }));
    found
}

/// How a version is brought back.
#[derive(Debug, Clone, Default)]
pub struct Restoring {
    pub description: Option<String>,
    pub live_from: Option<Timestamp>,
    /// Otherwise it is a draft.
    pub publish: bool,
}

/// Makes a new version of what an old one says. Overrides for segments that are gone are left out.
pub async fn restore(
    app: &App,
    caller: &Caller,
    at: At,
    uuid: &str,
    how: Restoring,
) -> Result<FeatureVersion> {
    let mut tx = app.begin_settled().await?;
    let (place, feature) = versions::changed(&mut tx, caller, at).await?;
    if how.publish {
        approvals::refuse_direct(&place)?;
    }
    let old = versions::find(&mut tx, at, uuid).await?;
    let restored = restore_in(&mut tx, caller.into(), (&place, &feature), &old, how).await?;
    app.commit(tx, restored.1).await?;
    Ok(restored.0)
}

/// The same inside the transaction of a larger act.
pub(crate) async fn restore_in(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    old: &FeatureVersion,
    how: Restoring,
) -> Result<(FeatureVersion, Vec<burgee_store::changes::NewChange>)> {
    let live = version_states::live(tx, place, feature).await?;
    let mut states = Vec::new();
    for mut state in versions::states_of(tx, place, feature, old).await? {
        if let Some(segment_id) = state.segment_id() {
            let Some(segment) = segments::find(tx, segment_id).await? else {
                continue;
            };
            prerequisites::refuse_override(tx, place.environment.id, feature, &segment).await?;
        }
        // Who has a variant by now keeps its bucket.
        if let Some(now) = live.iter().find(|now| now.segment_id() == state.segment_id()) {
            state.hash_seed = now.hash_seed;
        }
        states.push(state);
    }
    let states = version_states::copies(tx, &states).await?;
    let description = how
        .description
        .unwrap_or_else(|| format!("Restores version {}", old.uuid));
    let mut draft = versions::draft(tx, author, place, feature, &states, Some(description)).await?;
    if how.publish {
        let at = (place, feature);
        return versions::publish_in(tx, author, at, draft, how.live_from, Timestamp::now()).await;
    }
    draft.live_from = how.live_from.map(|at| at.0);
    version_rows::update(tx, &draft).await?;
    let change = versions::drafted(
        author,
        place,
        &draft,
        crate::change::Action::Create,
        &states,
        feature,
    );
    Ok((draft, vec![change]))
}
