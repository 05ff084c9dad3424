//! What people say to each other about a change request.

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::change_request_reviews::{self as reviews, Comment};
use burgee_store::change_requests::ChangeRequest;
use serde_json::json;

use super::home::Home;
use super::{Scope, found};
use crate::change::{Action, Change, Kind};
use crate::{App, Caller, Error, Result};

/// The comments on a request, oldest first.
pub async fn comments(tx: &mut Tx, caller: &Caller, scope: Scope, id: i64) -> Result<Vec<Comment>> {
    let (_, request) = found(tx, caller, scope, id).await?;
    Ok(reviews::comments(tx, request.id).await?)
}

/// Comments on a request: for everybody who may see it.
pub async fn add_comment(app: &App, caller: &Caller, scope: Scope, id: i64, text: String) -> Result<Comment> {
    let mut tx = app.begin().await?;
    let (home, request) = found(&mut tx, caller, scope, id).await?;
    let now = Timestamp::now().0;
    let mut comment = Comment {
        id: 0,
        change_request_id: request.id,
        user_id: Some(caller.user()?.id),
        text,
        created_at: now,
        updated_at: now,
    };
    comment.id = reviews::insert_comment(&mut tx, &comment).await?;
    let change =
        log(&home, caller, Action::Create, &request, &comment).after(json!({ "text": comment.text }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(comment)
}

/// Changes a comment of one's own.
pub async fn edit_comment(
    app: &App,
    caller: &Caller,
    scope: Scope,
    (id, comment_id): (i64, i64),
    text: String,
) -> Result<Comment> {
    let mut tx = app.begin().await?;
    let (home, request) = found(&mut tx, caller, scope, id).await?;
    let mut comment = commented(&mut tx, &request, comment_id).await?;
    if comment.user_id.is_none() || comment.user_id != caller.user_id() {
        return Err(Error::forbidden());
    }
    let before = std::mem::replace(&mut comment.text, text);
    comment.updated_at = Timestamp::now().0;
    reviews::update_comment(&mut tx, &comment).await?;
    let change = log(&home, caller, Action::Update, &request, &comment)
        .before(json!({ "text": before }))
        .after(json!({ "text": comment.text }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(comment)
}

/// Deletes a comment: one's own, or any, for who administers the place.
pub async fn delete_comment(
    app: &App,
    caller: &Caller,
    scope: Scope,
    (id, comment_id): (i64, i64),
) -> Result<()> {
    let mut tx = app.begin().await?;
    let (home, request) = found(&mut tx, caller, scope, id).await?;
    let comment = commented(&mut tx, &request, comment_id).await?;
    if comment.user_id.is_none() || comment.user_id != caller.user_id() {
        home.require_manage(&mut tx, caller).await?;
    }
    reviews::delete_comment(&mut tx, comment.id).await?;
    let change =
        log(&home, caller, Action::Delete, &request, &comment).before(json!({ "text": comment.text }));
    app.commit(tx, vec![change.into()]).await
}

async fn commented(tx: &mut Tx, request: &ChangeRequest, id: i64) -> Result<Comment> {
    let found = reviews::find_comment(tx, request.id, id).await?;
    found.ok_or_else(|| Error::no_match("Comment"))
}

fn log(home: &Home, caller: &Caller, action: Action, request: &ChangeRequest, comment: &Comment) -> Change {
    let change = Change::new(caller, Kind::ChangeRequestComment, action, comment.id).uuid(&request.uuid);
    match home {
        Home::Environment(place) => change.in_environment(place),
        Home::Project(project) => change.in_project(project),
    }
}
