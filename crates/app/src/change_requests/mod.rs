//! Change requests: changes that are looked at by others before they are made.
//!
//! A request of an environment changes flags there, one of a project changes segments. It is written ([`create`]),
//! edited, approved by others than those who wrote it ([`approve`]), and committed ([`commit`]): what it says is done
//! then, or at its time. An approval counts for exactly what the request said when it was given.

mod comments;
mod commit;
mod content;
mod home;
mod review;
mod segment_content;
mod versions;

use burgee_model::Timestamp;
use burgee_store::change_requests::{self, ChangeRequest};
use burgee_store::{Tx, scheduled_changes};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::change_request_reviews::{Approval, Comment};
pub use burgee_store::change_requests::{Filter, Part};

pub use comments::{add_comment, comments, delete_comment, edit_comment};
pub use commit::commit;
pub use content::{
    ConflictDetails, ContentEdit, Document, RequestDetails, SegmentDocument, StateDocument, StateProposal,
    aim, fingerprint_of,
};
pub use home::Home;
pub use review::approve;
pub use segment_content::SegmentProposal;
pub use versions::{ProposedVersion, touched_by};

pub(crate) use commit::refuse_conflict;
pub(crate) use content::problem;
pub(crate) use versions::{refuse_delete, refuse_edit};

use crate::change::Action;
use crate::{App, Caller, Error, Result};
use home::Right;

pub use burgee_store::change_requests::ChangeRequest as Request;

/// What a client may set of a change request. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct RequestEdit {
    pub title: Option<String>,
    pub description: Option<Option<String>>,
    pub ignore_conflicts: Option<bool>,
    /// Users who are asked to approve.
    pub reviewers: Option<Vec<i64>>,
    /// Groups any member of which is asked to approve.
    pub groups: Option<Vec<i64>>,
    pub content: ContentEdit,
}

/// One page of a list of requests, each with its parts, and the count of all.
pub type Listed = (i64, Vec<(ChangeRequest, Vec<Part>)>);

/// What stands in the way of the workflow, in the shape the reference has for it.
pub(crate) fn obstacle(text: impl Into<String>) -> Error {
    Error::Rejected(json!({ "message": text.into() }))
}

fn missing() -> Error {
    Error::no_match("ChangeRequest")
}

/// The requests of an environment or a project.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    home: &Home,
    filter: &Filter,
    page: (i64, i64),
) -> Result<Listed> {
    home.require(tx, caller, Right::See).await?;
    let (count, requests) = match home {
        Home::Environment(place) => {
            let id = place.environment.id;
            let count = change_requests::count_of_environment(tx, id, filter).await?;
            let rows = change_requests::list_of_environment(tx, id, filter, page).await?;
            (count, rows)
        }
        Home::Project(project) => {
            let count = change_requests::count_of_project(tx, project.id, filter).await?;
            let rows = change_requests::list_of_project(tx, project.id, filter, page).await?;
            (count, rows)
        }
    };
    let ids: Vec<i64> = requests.iter().map(|request| request.id).collect();
    let mut parts = change_requests::parts(tx, &ids).await?;
    let with_parts = requests.into_iter().map(|request| {
        let own = parts.extract_if(.., |part| part.change_request_id == request.id);
        let own = own.collect();
        (request, own)
    });
    Ok((count, with_parts.collect()))
}

/// Fails unless the caller may see the requests here: asked before an input is looked at.
pub async fn require_list(tx: &mut Tx, caller: &Caller, home: &Home) -> Result<()> {
    home.require(tx, caller, Right::See).await
}

/// How many requests of an environment wait for something, and how many changes there wait for their time.
pub async fn counts(tx: &mut Tx, environment_id: i64) -> Result<(i64, i64)> {
    let open = change_requests::count_open(tx, environment_id).await?;
    Ok((open, scheduled_changes::count(tx, environment_id).await?))
}

/// One request.
pub async fn get(tx: &mut Tx, caller: &Caller, scope: Scope, id: i64) -> Result<RequestDetails> {
    let (home, request) = found(tx, caller, scope, id).await?;
    content::details(tx, &home, request).await
}

/// Where a path says that a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In some environment.
    AnyEnvironment,
    /// In this project itself.
    Project(i64),
}

/// A request, for somebody who may see what it is about. For others there is none.
async fn found(tx: &mut Tx, caller: &Caller, scope: Scope, id: i64) -> Result<(Home, ChangeRequest)> {
    let request = change_requests::find(tx, id).await?.ok_or_else(missing)?;
    let there = match scope {
        Scope::AnyEnvironment => request.environment_id.is_some(),
        Scope::Project(id) => request.environment_id.is_none() && request.project_id == id,
    };
    if !there {
        return Err(missing());
    }
    let home = Home::of(tx, &request).await?.ok_or_else(missing)?;
    if home.is_visible(tx, caller).await? {
        Ok((home, request))
    } else {
        Err(missing())
    }
}

/// Fails unless the caller may make requests here: asked before an input is looked at.
pub async fn require_create(tx: &mut Tx, caller: &Caller, home: &Home) -> Result<()> {
    home.require_somewhere(tx, caller, Right::Create).await
}

/// Makes a request.
pub async fn create(app: &App, caller: &Caller, home: Home, edit: RequestEdit) -> Result<RequestDetails> {
    let mut tx = app.begin_settled().await?;
    home.require_somewhere(&mut tx, caller, Right::Create).await?;
    let now = Timestamp::now().0;
    let title = edit.title.unwrap_or_default();
    let mut request = ChangeRequest {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        project_id: home.project().id,
        environment_id: home.environment_id(),
        title_key: title.to_lowercase(),
        title,
        description: edit.description.flatten(),
        user_id: caller.user_id(),
        contributors: json!(caller.user_id().into_iter().collect::<Vec<_>>()).to_string(),
        ignore_conflicts: edit.ignore_conflicts.unwrap_or(false),
        created_at: now,
        updated_at: now,
        committed_at: None,
        committed_by: None,
        deleted_at: None,
    };
    request.id = change_requests::insert(&mut tx, &request).await?;
    content::write(&mut tx, &home, request.id, edit.content).await?;
    require_on_content(&mut tx, caller, &home, &request, Right::Create).await?;
    review::ask(&mut tx, &home, &request, edit.reviewers, edit.groups).await?;
    review::tell_reviewers(&mut tx, app, caller, (&home, &request), &[]).await?;
    let details = content::details(&mut tx, &home, request.clone()).await?;
    let change = home
        .change(caller, Action::Create, &request)
        .says(format!("Change Request: {} created", request.title))
        .after(content::as_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Fails unless the caller may do this with every feature the request is about.
async fn require_on_content(
    tx: &mut Tx,
    caller: &Caller,
    home: &Home,
    request: &ChangeRequest,
    right: Right,
) -> Result<()> {
    let targets = change_requests::targets(tx, request.id).await?;
    let features: Vec<i64> = targets.iter().map(|target| target.feature_id).collect();
    home.require_on(tx, caller, right, &features).await
}

/// Whether the caller wrote the request himself.
fn is_author(caller: &Caller, request: &ChangeRequest) -> bool {
    caller.user_id().is_some() && caller.user_id() == request.user_id
}

/// Changes a request. What it says differently now has not been approved by anybody.
pub async fn update(
    app: &App,
    caller: &Caller,
    scope: Scope,
    id: i64,
    edit: RequestEdit,
) -> Result<RequestDetails> {
    let mut tx = app.begin_settled().await?;
    let (home, mut request) = editable(&mut tx, caller, scope, id).await?;
    let before = content::details(&mut tx, &home, request.clone()).await?;
    if let Some(title) = edit.title {
        request.title_key = title.to_lowercase();
        request.title = title;
    }
    if let Some(description) = edit.description {
        request.description = description;
    }
    if let Some(ignore) = edit.ignore_conflicts {
        request.ignore_conflicts = ignore;
    }
    content::write(&mut tx, &home, request.id, edit.content).await?;
    if is_author(caller, &request) {
        require_on_content(&mut tx, caller, &home, &request, Right::Create).await?;
    }
    let told = review::reviewers(&mut tx, &request).await?;
    review::ask(&mut tx, &home, &request, edit.reviewers, edit.groups).await?;
    review::tell_reviewers(&mut tx, app, caller, (&home, &request), &told).await?;
    let mut after = content::details(&mut tx, &home, request.clone()).await?;
    let mut changes = Vec::new();
    if after.fingerprint != before.fingerprint {
        request.contributors = with_contributor(&request, caller);
        for change in review::void(&mut tx, caller, &home, &request).await? {
            changes.push(change);
        }
    }
    request.updated_at = Timestamp::now().0;
    change_requests::update(&mut tx, &request).await?;
    after = content::details(&mut tx, &home, request.clone()).await?;
    let change = home
        .change(caller, Action::Update, &request)
        .says(format!("Change Request: {} updated", request.title))
        .before(content::as_json(&before))
        .after(content::as_json(&after));
    changes.insert(0, change.into());
    app.commit(tx, changes).await?;
    Ok(after)
}

/// Fails unless the caller may edit the request: asked before an input is looked at.
pub async fn require_edit(app: &App, caller: &Caller, scope: Scope, id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    editable(&mut tx, caller, scope, id).await.map(drop)
}

/// A request its caller may edit: his own, while he may make some, or any, when he administers the place.
async fn editable(tx: &mut Tx, caller: &Caller, scope: Scope, id: i64) -> Result<(Home, ChangeRequest)> {
    let (home, request) = found(tx, caller, scope, id).await?;
    if is_author(caller, &request) {
        home.require_somewhere(tx, caller, Right::Create).await?;
    } else {
        home.require_manage(tx, caller).await?;
    }
    if request.committed_at.is_some() {
        return Err(obstacle(
            "Cannot update a Change Request that has been committed.",
        ));
    }
    Ok((home, request))
}

/// The users who had a hand in what a request says.
fn contributors(request: &ChangeRequest) -> Vec<i64> {
    serde_json::from_str(&request.contributors).unwrap_or_default()
}

fn with_contributor(request: &ChangeRequest, caller: &Caller) -> String {
    let mut all = contributors(request);
    all.extend(caller.user_id().filter(|id| !all.contains(id)));
    json!(all).to_string()
}

/// Deletes a request. Of one that is committed, what still waits for its time is called off.
pub async fn delete(app: &App, caller: &Caller, scope: Scope, id: i64) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (home, mut request) = found(&mut tx, caller, scope, id).await?;
    if !is_author(caller, &request) {
        home.require_manage(&mut tx, caller).await?;
    }
    let before: Value = content::as_json(&content::details(&mut tx, &home, request.clone()).await?);
    let mut changes = Vec::new();
    if request.committed_at.is_some() {
        changes = commit::call_off(&mut tx, caller, &home, &request).await?;
    }
    request.deleted_at = Some(Timestamp::now().0);
    change_requests::update(&mut tx, &request).await?;
    let change = home
        .change(caller, Action::Delete, &request)
        .says(format!("Change Request: {} deleted", request.title))
        .before(before);
    changes.insert(0, change.into());
    app.commit(tx, changes).await
}
