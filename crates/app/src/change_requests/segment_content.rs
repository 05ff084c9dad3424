//! What a change request of a project says: segments as they are to become.

use burgee_model::Timestamp;
use burgee_model::segments::Rule;
use burgee_store::change_requests::{self, ChangeRequest, Part};
use burgee_store::changes::NewChange;
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::{Tx, segments as rows};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::{ConflictDetails, Document, SEGMENT, all_or_mirror, new_part, problem};
use super::obstacle;
use crate::metadata::{self, MetadataEdit, Owner, Write};
use crate::segments::{self, SegmentEdit};
use crate::{Caller, Error, Result};

/// A segment as it is to become: the one named, or a new one.
#[derive(Debug, Clone)]
pub struct SegmentProposal {
    pub version_of: Option<i64>,
    pub edit: SegmentEdit,
}

/// The same as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentDocument {
    pub name: String,
    pub description: Option<String>,
    pub feature: Option<i64>,
    pub rules: Vec<Rule>,
    /// Values of custom fields, where they are to become others.
    pub metadata: Option<Vec<MetadataEdit>>,
    /// What the segment was when this was written.
    pub base: Option<Value>,
}

/// The parts for these segments.
pub(super) async fn parts(
    tx: &mut Tx,
    project: &Project,
    proposals: Vec<SegmentProposal>,
) -> Result<Vec<Part>> {
    let mut read = Vec::with_capacity(proposals.len());
    let mut named = Vec::new();
    for proposal in proposals {
        let twice = proposal.version_of.is_some_and(|id| named.contains(&id));
        named.extend(proposal.version_of);
        read.push(if twice {
            problem(Err(Error::field(
                "version_of",
                "This segment is named more than once.",
            )))?
        } else {
            problem(part(tx, project, proposal).await)?
        });
    }
    all_or_mirror("segments", read)
}

async fn part(tx: &mut Tx, project: &Project, proposal: SegmentProposal) -> Result<Part> {
    let present = match proposal.version_of {
        None => None,
        Some(id) => {
            let found = rows::find_in(tx, project.id, id).await?;
            Some(found.ok_or_else(|| Error::no_such("version_of", id))?)
        }
    };
    if let Some(present) = &present {
        segments::refuse_managed(present)?;
    }
    let base = present.as_ref().map(segments::as_json);
    let mut segment = present.unwrap_or_else(|| segments::blank(project.id));
    let metadata = proposal.edit.metadata.clone();
    segments::apply(tx, &mut segment, proposal.edit).await?;
    let document = SegmentDocument {
        rules: segment.parsed_rules(),
        name: segment.name,
        description: segment.description,
        feature: segment.feature_id,
        metadata,
        base,
    };
    Ok(Part {
        segment_id: proposal.version_of,
        ..new_part(SEGMENT, &document)
    })
}

/// Whether the segment is no longer what it was when the part was written.
pub(super) async fn conflict(
    tx: &mut Tx,
    part: &Part,
    document: &SegmentDocument,
) -> Result<Option<ConflictDetails>> {
    let Some(id) = part.segment_id.filter(|_| document.base.is_some()) else {
        return Ok(None);
    };
    let present = rows::find(tx, id).await?;
    if present.as_ref().map(segments::as_json) == document.base {
        return Ok(None);
    }
    let published_at = present.map(|segment| segment.updated_at);
    let last = change_requests::last_about_segment(tx, id).await?;
    let last = last.filter(|request| request.committed_at == published_at);
    Ok(Some(ConflictDetails {
        request_id: last.map(|request| request.id),
        segment_id: Some(id),
        is_environment_default: false,
        published_at: published_at.map(Timestamp),
    }))
}

/// Makes the segments what the request says.
pub(super) async fn carry_out(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    request: &ChangeRequest,
    parts: &[(Part, Document)],
    now: i64,
) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    for (part, document) in parts {
        let Document::Segment(document) = document else {
            continue;
        };
        let mut change = if let Some(id) = part.segment_id {
            change_segment(tx, caller, project, (id, document), now).await?
        } else {
            let mut segment = filled(segments::blank(project.id), document, now);
            segments::insert(tx, project, &mut segment).await?;
            let (owner, values) = (Owner::Segment(segment.id), document.metadata.clone());
            metadata::write(tx, project, owner, values, Write::Whole).await?;
            change_requests::set_part_segment(tx, part.id, segment.id).await?;
            segments::created(tx, caller, project, &segment).await?
        };
        change.message = change
            .message
            .map(|line| format!("{line} by Change Request: {}", request.title));
        changes.push(change);
    }
    Ok(changes)
}

async fn change_segment(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    (id, document): (i64, &SegmentDocument),
    now: i64,
) -> Result<NewChange> {
    let Some(before) = rows::lock(tx, project.id, id).await? else {
        return Err(obstacle(format!("The segment {id} is not there any more.")));
    };
    if let Some(feature) = document.feature.filter(|id| before.feature_id != Some(*id)) {
        segments::require_free_for(tx, &before, feature).await?;
    }
    let segment = filled(before.clone(), document, now);
    let values = (document.metadata.clone(), Write::Part);
    segments::rewrite(tx, caller, project, (&before, &segment), values).await
}

fn filled(segment: Segment, document: &SegmentDocument, now: i64) -> Segment {
    Segment {
        name: document.name.clone(),
        description: document.description.clone(),
        feature_id: document.feature,
        rules: segments::to_text(&document.rules),
        updated_at: now,
        ..segment
    }
}
