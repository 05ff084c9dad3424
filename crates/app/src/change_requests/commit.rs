//! Doing what a change request says, at once or at its time, and calling off what still waits.

use burgee_model::Timestamp;
use burgee_store::change_requests::{self, ChangeRequest};
use burgee_store::changes::NewChange;
use burgee_store::scheduled_changes::{self, ScheduledChange};
use burgee_store::{Tx, versions as version_rows};

use super::content::{self, Document};
use super::home::{Home, Right};
use super::{RequestDetails, Scope, found, obstacle, require_on_content, segment_content, versions};
use crate::change::{Action, Change, Kind};
use crate::change_sets;
use crate::feature_states::feature_at;
use crate::{App, Author, Caller, Error, Place, Result};

const NOT_APPROVED: &str = "Change request has not been approved by all required approvers.";
const CONFLICTS: &str = "Something this Change Request would change has been changed since it was written. \
                         Edit it, or set ignore_conflicts to overwrite.";
const OVERTAKEN: &str = "Something it would have changed has been changed since it was written.";
const COMMITTED: &str = "Cannot delete a Change Request that has been committed.";

/// Commits a request, once: what it says is done, or waits for its time.
pub async fn commit(app: &App, caller: &Caller, scope: Scope, id: i64) -> Result<RequestDetails> {
    let mut tx = app.begin_settled().await?;
    let (home, mut request) = found(&mut tx, caller, scope, id).await?;
    require_on_content(&mut tx, caller, &home, &request, Right::Commit).await?;
    if request.committed_at.is_some() {
        return Err(obstacle("Change request has already been committed."));
    }
    let details = content::details(&mut tx, &home, request.clone()).await?;
    if !details.is_approved {
        return Err(obstacle(NOT_APPROVED));
    }
    if !details.conflicts.is_empty() && !request.ignore_conflicts {
        return Err(obstacle(CONFLICTS));
    }
    let now = Timestamp::now();
    request.committed_at = Some(now.0);
    request.committed_by = caller.user_id();
    request.updated_at = now.0;
    change_requests::update(&mut tx, &request).await?;
    let committed = home
        .change(caller, Action::Update, &request)
        .says(format!("Change Request: {} committed", request.title))
        .after(content::as_json(&details));
    let mut changes: Vec<NewChange> = vec![committed.into()];
    changes.extend(carry_out(&mut tx, caller, &home, &details, now).await?);
    let answer = content::details(&mut tx, &home, request).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

async fn carry_out(
    tx: &mut Tx,
    caller: &Caller,
    home: &Home,
    details: &RequestDetails,
    now: Timestamp,
) -> Result<Vec<NewChange>> {
    let request = &details.request;
    let place = match home {
        Home::Environment(place) => place.approved(),
        Home::Project(project) => {
            return segment_content::carry_out(tx, caller, project, request, &details.parts, now.0).await;
        }
    };
    let author = Author::from(caller).for_request(request.id, &request.title);
    let mut changes = Vec::new();
    for (part, document) in &details.parts {
        let set = match document {
            Document::State(state) => &state.set,
            Document::Set(set) => set,
            Document::Version(_) => {
                changes.extend(versions::publish(tx, author, &place, part, now).await?);
                continue;
            }
            Document::Segment(_) => continue,
        };
        if let Some(feature) = feature_at(tx, &place, set.feature_id).await? {
            changes.extend(change_sets::apply(tx, author, &place, &feature, set, now).await?);
        }
    }
    Ok(changes)
}

/// Calls off what a committed request left for later. Fails when all of it has been done.
pub(super) async fn call_off(
    tx: &mut Tx,
    caller: &Caller,
    home: &Home,
    request: &ChangeRequest,
) -> Result<Vec<NewChange>> {
    let waiting = scheduled_changes::of_change_request(tx, request.id).await?;
    let Home::Environment(place) = home else {
        return Err(obstacle(COMMITTED));
    };
    if waiting.is_empty() {
        return Err(obstacle(COMMITTED));
    }
    let mut changes = Vec::new();
    for change in waiting {
        changes.push(call_off_one(tx, caller, place, &change).await?);
    }
    Ok(changes)
}

async fn call_off_one(
    tx: &mut Tx,
    caller: &Caller,
    place: &Place,
    change: &ScheduledChange,
) -> Result<NewChange> {
    scheduled_changes::delete(tx, change.id).await?;
    if let Some(version_id) = change.version_id {
        version_rows::delete(tx, version_id).await?;
    }
    let entry = Change::new(caller, Kind::ScheduledChange, Action::Delete, change.id)
        .in_environment(place)
        .uuid(&change.uuid);
    Ok(entry.into())
}

/// Fails when a scheduled change would overwrite what was published since its request was written, unless it may.
pub(crate) async fn refuse_conflict(tx: &mut Tx, change: &ScheduledChange) -> Result<()> {
    let Some(id) = change.change_request_id else {
        return Ok(());
    };
    let Some(request) = change_requests::find(tx, id).await? else {
        return Ok(());
    };
    if request.ignore_conflicts {
        return Ok(());
    }
    let Some(home) = Home::of(tx, &request).await? else {
        return Ok(());
    };
    let parts = content::parts(tx, request.id).await?;
    let due = parts.into_iter().filter(|(part, _)| {
        part.feature_id == Some(change.feature_id) && part.live_from == Some(change.live_from)
    });
    let due: Vec<_> = due.collect();
    if content::conflicts(tx, &home, &request, &due).await?.is_empty() {
        Ok(())
    } else {
        Err(Error::detail(OVERTAKEN))
    }
}
