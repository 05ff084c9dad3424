//! An environment as it is, and as a change would make it.

use burgee_model::Timestamp;
use burgee_store::segments::{self as rows, Segment};
use burgee_store::{Tx, feature_segments};
use serde_json::{Map, Value, json};

use crate::change_requests::problem;
use crate::change_sets::{self, ChangeSet};
use crate::feature_states::feature_at;
use crate::metadata::Write;
use crate::segments::{self, SegmentEdit};
use crate::served::Rows;
use crate::{App, Caller, Error, Place, Result, environments};

/// A change that somebody thinks of making: all of it at once.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    pub change_sets: Vec<ChangeSet>,
    pub segments: Vec<SegmentProposal>,
}

/// A segment as it is to become: the one with this id, or a new one.
#[derive(Debug, Clone)]
pub struct SegmentProposal {
    pub id: Option<i64>,
    pub edit: SegmentEdit,
}

/// What a proposal is about: reported on even when nobody notices.
#[derive(Debug, Clone, Default)]
pub(super) struct Concerned {
    pub(super) features: Vec<i64>,
    pub(super) segments: Vec<i64>,
}

/// Reads the environment, makes the change, reads it again, and takes the change back.
///
/// Approval is not asked for: what must be approved is looked at most carefully before.
pub(super) async fn both_states(
    app: &App,
    caller: &Caller,
    api_key: &str,
    proposal: Proposal,
) -> Result<(Rows, Rows, Concerned)> {
    // Never committed.
    let mut tx = app.begin().await?;
    let place = environments::enter(&mut tx, api_key).await?.approved();
    let lists = app.environments().lists();
    let id = place.environment.id;
    let mut before = Rows::load(&mut tx, lists, id)
        .await?
        .ok_or_else(Error::not_found)?;
    let named: Vec<i64> = proposal
        .segments
        .iter()
        .filter_map(|segment| segment.id)
        .collect();
    serve_too(&mut tx, &mut before, &named).await?;
    let segments = change_segments(&mut tx, caller, &place, proposal.segments).await?;
    let features = change_features(&mut tx, caller, &place, proposal.change_sets).await?;
    let mut after = Rows::load(&mut tx, lists, id)
        .await?
        .ok_or_else(Error::not_found)?;
    serve_too(&mut tx, &mut after, &segments).await?;
    Ok((before, after, Concerned { features, segments }))
}

/// A segment for a single feature is served only where it overrides it; its members are counted all the same.
async fn serve_too(tx: &mut Tx, rows: &mut Rows, segments: &[i64]) -> Result<()> {
    for segment in rows::among(tx, segments).await? {
        let is_served = rows.segments.iter().any(|served| served.id == segment.id);
        if !is_served && segment.project_id == rows.project.id {
            rows.segments.push(segment);
        }
    }
    Ok(())
}

async fn change_segments(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    proposals: Vec<SegmentProposal>,
) -> Result<Vec<i64>> {
    let mut changed = Vec::with_capacity(proposals.len());
    for proposal in proposals {
        let twice = proposal.id.is_some_and(|id| changed.contains(&Ok(id)));
        changed.push(if twice {
            problem(Err(Error::field("id", "This segment is named more than once.")))?
        } else {
            problem(change_segment(tx, caller, place, proposal).await)?
        });
    }
    all_or_mirror("segments", changed)
}

async fn change_segment(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    proposal: SegmentProposal,
) -> Result<i64> {
    let project = &place.project;
    let Some(id) = proposal.id else {
        let mut segment: Segment = segments::blank(project.id);
        segments::apply(tx, &mut segment, proposal.edit).await?;
        segments::insert(tx, project, &mut segment).await?;
        return Ok(segment.id);
    };
    let before = rows::lock(tx, project.id, id).await?;
    let before = before.ok_or_else(|| Error::no_such("id", id))?;
    segments::refuse_managed(&before)?;
    let mut segment = before.clone();
    segments::apply(tx, &mut segment, proposal.edit).await?;
    segments::rewrite(tx, caller, project, (&before, &segment), (None, Write::Part)).await?;
    Ok(id)
}

async fn change_features(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    sets: Vec<ChangeSet>,
) -> Result<Vec<i64>> {
    let mut changed = Vec::with_capacity(sets.len());
    for set in sets {
        let twice = changed.contains(&Ok(set.feature_id));
        changed.push(if twice {
            problem(Err(Error::field(
                "feature",
                "This feature is named more than once.",
            )))?
        } else {
            problem(change_feature(tx, caller, place, set).await)?
        });
    }
    all_or_mirror("change_sets", changed)
}

async fn change_feature(tx: &mut Tx, caller: &Caller, place: &Place, mut set: ChangeSet) -> Result<i64> {
    // Whenever it is to happen: what is previewed is that it happens.
    set.live_from = None;
    let feature = feature_at(tx, place, set.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_such("feature", set.feature_id))?;
    change_sets::check(tx, place, &feature, &set).await?;
    let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
    for segment_id in &set.delete_segments {
        if !links.iter().any(|link| link.segment_id == *segment_id) {
            let text = format!("There is no override for the segment {segment_id}.");
            return Err(Error::field("segment_ids_to_delete_overrides", text));
        }
    }
    change_sets::apply(tx, caller.into(), place, &feature, &set, Timestamp::now()).await?;
    Ok(feature.id)
}

/// What was made of the items, or what is wrong with them, in a list that mirrors the input.
fn all_or_mirror(name: &str, read: Vec<std::result::Result<i64, Value>>) -> Result<Vec<i64>> {
    if read.iter().any(std::result::Result::is_err) {
        let mirrored = read
            .into_iter()
            .map(|item| item.err().unwrap_or(Value::Object(Map::new())));
        return Err(Error::Rejected(json!({ name: mirrored.collect::<Vec<_>>() })));
    }
    Ok(read.into_iter().filter_map(std::result::Result::ok).collect())
}
