//! Who is asked to approve a change request, and who did.

use burgee_model::Timestamp;
use burgee_store::change_request_reviews::{self as reviews, Approval};
use burgee_store::change_requests::ChangeRequest;
use burgee_store::changes::NewChange;
use burgee_store::users::{self, User};
use burgee_store::{Tx, groups};
use serde_json::{Value, json};

use super::home::{Home, Right};
use super::{RequestDetails, Scope, content, contributors, found, obstacle, require_on_content};
use crate::change::Action;
use crate::mail::{self, Mail};
use crate::{App, Caller, Error, Result};

/// Asks these users and groups to approve, and no others. Who approved without being asked stays.
pub(super) async fn ask(
    tx: &mut Tx,
    home: &Home,
    request: &ChangeRequest,
    reviewers: Option<Vec<i64>>,
    group_ids: Option<Vec<i64>>,
) -> Result<()> {
    if let Some(reviewers) = reviewers {
        ask_users(tx, home, request, &without_repeats(reviewers)).await?;
    }
    if let Some(ids) = group_ids {
        let ids = without_repeats(ids);
        let organisation_id = home.project().organisation_id;
        let mut unknown = Vec::new();
        for id in &ids {
            if groups::find(tx, organisation_id, *id).await?.is_none() {
                unknown.push(*id);
            }
        }
        refuse_unknown("group_assignments", "group", &ids, &unknown)?;
        reviews::set_groups(tx, request.id, &ids).await?;
    }
    Ok(())
}

fn without_repeats(ids: Vec<i64>) -> Vec<i64> {
    let mut once = Vec::with_capacity(ids.len());
    for id in ids {
        if !once.contains(&id) {
            once.push(id);
        }
    }
    once
}

fn refuse_unknown(list: &str, field: &str, ids: &[i64], unknown: &[i64]) -> Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    let mirrored = ids.iter().map(|id| {
        if unknown.contains(id) {
            json!({ field: [format!("Invalid pk \"{id}\" - object does not exist.")] })
        } else {
            json!({})
        }
    });
    let mirrored: Vec<Value> = mirrored.collect();
    Err(Error::Rejected(json!({ list: mirrored })))
}

async fn ask_users(tx: &mut Tx, home: &Home, request: &ChangeRequest, ids: &[i64]) -> Result<()> {
    let members = reviews::members_among(tx, home.project().organisation_id, ids).await?;
    let unknown: Vec<i64> = ids.iter().filter(|id| !members.contains(id)).copied().collect();
    refuse_unknown("approvals", "user", ids, &unknown)?;
    let present = reviews::approvals(tx, request.id).await?;
    for mut approval in present.iter().cloned() {
        let assigned = ids.contains(&approval.user_id);
        if assigned == approval.assigned {
            continue;
        }
        if !assigned && approval.approved_at.is_none() {
            reviews::delete_approval(tx, approval.id).await?;
        } else {
            approval.assigned = assigned;
            reviews::update_approval(tx, &approval).await?;
        }
    }
    for id in ids {
        if present.iter().all(|approval| approval.user_id != *id) {
            let asked = Approval {
                id: 0,
                change_request_id: request.id,
                user_id: *id,
                assigned: true,
                approved_at: None,
                fingerprint: None,
                created_at: Timestamp::now().0,
            };
            reviews::insert_approval(tx, &asked).await?;
        }
    }
    Ok(())
}

/// Takes back every approval of a request whose content changed. One line of the log for each.
pub(super) async fn void(
    tx: &mut Tx,
    caller: &Caller,
    home: &Home,
    request: &ChangeRequest,
) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    for mut approval in reviews::approvals(tx, request.id).await? {
        if approval.approved_at.is_none() {
            continue;
        }
        (approval.approved_at, approval.fingerprint) = (None, None);
        if approval.assigned {
            reviews::update_approval(tx, &approval).await?;
        } else {
            reviews::delete_approval(tx, approval.id).await?;
        }
        let email = users::find(tx, approval.user_id).await?.map(|user| user.email);
        let line = format!(
            "Change Request: {} approval by {} voided by an edit",
            request.title,
            email.unwrap_or_default()
        );
        let change = home.change(caller, Action::Update, request).says(line);
        changes.push(change.into());
    }
    Ok(changes)
}

/// Approves a request as it is now. Doing so twice is doing so once.
pub async fn approve(app: &App, caller: &Caller, scope: Scope, id: i64) -> Result<RequestDetails> {
    let mut tx = app.begin().await?;
    let (home, request) = found(&mut tx, caller, scope, id).await?;
    require_on_content(&mut tx, caller, &home, &request, Right::Approve).await?;
    // A key is nobody: it has no eyes.
    let Caller::User(user) = caller else {
        return Err(Error::forbidden());
    };
    if request.committed_at.is_some() {
        return Err(obstacle("Change request has already been committed."));
    }
    if request.user_id == Some(user.id) {
        return Err(obstacle("User cannot approve their own Change Request."));
    }
    if contributors(&request).contains(&user.id) {
        return Err(obstacle("User cannot approve a Change Request they have edited."));
    }
    let before = content::details(&mut tx, &home, request.clone()).await?;
    let mine = before
        .approvals
        .iter()
        .find(|approval| approval.user_id == user.id);
    if mine.is_some_and(|approval| approval.approved_at.is_some()) {
        return Ok(before);
    }
    let given = Approval {
        id: mine.map_or(0, |approval| approval.id),
        change_request_id: request.id,
        user_id: user.id,
        assigned: mine.is_some_and(|approval| approval.assigned),
        approved_at: Some(Timestamp::now().0),
        fingerprint: Some(before.fingerprint.clone()),
        created_at: Timestamp::now().0,
    };
    if mine.is_some() {
        reviews::update_approval(&mut tx, &given).await?;
    } else {
        reviews::insert_approval(&mut tx, &given).await?;
    }
    tell_author(&mut tx, app, user, &home, &request).await?;
    let change = home
        .change(caller, Action::Update, &request)
        .says(format!("Change Request: {} approved", request.title));
    let after = content::details(&mut tx, &home, request).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(after)
}

/// The ids of the users who are asked, by name or with their group.
pub(super) async fn reviewers(tx: &mut Tx, request: &ChangeRequest) -> Result<Vec<i64>> {
    let asked = reviews::reviewers(tx, request.id).await?;
    Ok(asked.into_iter().map(|reviewer| reviewer.id).collect())
}

/// Mails those who are asked to approve and were not told before.
pub(super) async fn tell_reviewers(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    (home, request): (&Home, &ChangeRequest),
    told: &[i64],
) -> Result<()> {
    let link = link(app, home, request);
    let author = match caller {
        Caller::User(user) => name(user),
        Caller::ApiKey(key) => key.name.clone(),
    };
    for reviewer in reviews::reviewers(tx, request.id).await? {
        if told.contains(&reviewer.id) || caller.user_id() == Some(reviewer.id) {
            continue;
        }
        let mail = Mail::ChangeRequestAssigned {
            title: &request.title,
            author: &author,
            link: &link,
        };
        mail::post(tx, app, &reviewer.email, &mail).await?;
    }
    Ok(())
}

/// Mails the author that somebody approved.
async fn tell_author(
    tx: &mut Tx,
    app: &App,
    user: &User,
    home: &Home,
    request: &ChangeRequest,
) -> Result<()> {
    let author = match request.user_id {
        Some(id) => users::find(tx, id).await?,
        None => None,
    };
    if let Some(author) = author.filter(|author| author.is_active) {
        let mail = Mail::ChangeRequestApproved {
            title: &request.title,
            approved_by: &name(user),
            link: &link(app, home, request),
        };
        mail::post(tx, app, &author.email, &mail).await?;
    }
    Ok(())
}

fn name(user: &User) -> String {
    match format!("{} {}", user.first_name, user.last_name).trim() {
        "" => user.email.clone(),
        name => name.to_owned(),
    }
}

/// Where the dashboard shows a request.
fn link(app: &App, home: &Home, request: &ChangeRequest) -> String {
    let base = app.settings().public_url.trim_end_matches('/');
    let project = request.project_id;
    match home {
        Home::Environment(place) => {
            let key = &place.environment.api_key;
            format!(
                "{base}/project/{project}/environment/{key}/change-requests/{}",
                request.id
            )
        }
        Home::Project(_) => format!("{base}/project/{project}/change-requests/{}", request.id),
    }
}
