//! Links in mails that confirm an address or change it.

use burgee_auth::reset::{decode_uid, encode_uid};
use burgee_model::Timestamp;
use burgee_store::users::{self, User};
use burgee_store::{DbError, Tx, activations, password_resets};
use serde_json::json;

use crate::change::{Action, Change, Kind};
use crate::mail::{self, Mail};
use crate::password_resets::{MOST_LINKS, WINDOW, subject};
use crate::security::now_seconds;
use crate::{App, Caller, Error, Result};

fn bad_token() -> Error {
    Error::field("token", "Invalid token for given user.")
}

fn bad_uid() -> Error {
    Error::field("uid", "Invalid user id or user doesn't exist.")
}

/// Lets a new user wait until he opened the link that is mailed to him.
pub(crate) async fn ask_for_activation(app: &App, tx: &mut Tx, user: &User) -> Result<()> {
    activations::insert(tx, user.id, Timestamp::now().0).await?;
    send_activation(app, tx, user).await
}

async fn send_activation(app: &App, tx: &mut Tx, user: &User) -> Result<()> {
    let token = app.activation_tokens().issue(&subject(user), now_seconds());
    let uid = encode_uid(user.id);
    let link = format!("{}/activate/{uid}/{token}", app.settings().public_url);
    mail::post(tx, app, &user.email, &Mail::Activation { link: &link }).await?;
    Ok(())
}

/// Opens an account whose address is confirmed.
pub async fn activate(app: &App, uid: &str, token: &str) -> Result<()> {
    let user_id = decode_uid(uid).ok_or_else(bad_uid)?;
    let mut tx = app.begin().await?;
    let user = users::find(&mut tx, user_id).await?.ok_or_else(bad_uid)?;
    if !app
        .activation_tokens()
        .check(&subject(&user), token, now_seconds())
    {
        return Err(bad_token());
    }
    if !activations::delete(&mut tx, user.id).await? {
        return Err(Error::Forbidden("Stale token for given user.".to_owned()));
    }
    users::set_active(&mut tx, user.id, true).await?;
    let change = Change::new(&Caller::User(user.clone()), Kind::User, Action::Update, user.id)
        .uuid(&user.uuid)
        .after(json!({ "is_active": true }));
    app.commit(tx, vec![change.into()]).await
}

/// Mails the link to confirm an address once more. The answer is the same whether anybody waits for it.
pub async fn resend_activation(app: &App, email: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let Some(user) = users::find_by_email(&mut tx, email).await? else {
        return Ok(());
    };
    if activations::is_waiting(&mut tx, user.id).await? && may_send(&mut tx, user.id).await? {
        send_activation(app, &mut tx, &user).await?;
        app.commit(tx, Vec::new()).await?;
    }
    Ok(())
}

/// Counts a link that is mailed to a user, unless he was sent too many today.
pub(crate) async fn may_send(tx: &mut Tx, user_id: i64) -> Result<bool> {
    let now = Timestamp::now().0;
    password_resets::forget(tx, user_id, now - WINDOW).await?;
    if password_resets::count_since(tx, user_id, now - WINDOW).await? >= MOST_LINKS {
        return Ok(false);
    }
    password_resets::insert(tx, user_id, now).await?;
    Ok(true)
}

/// Mails a link to choose another address to the present one. The answer is the same whether there is such a user.
pub async fn ask_for_email_reset(app: &App, email: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let user = users::find_by_email(&mut tx, email).await?;
    let Some(user) = user.filter(|user| user.is_active) else {
        return Ok(());
    };
    if !may_send(&mut tx, user.id).await? {
        return Ok(());
    }
    let token = app.email_tokens().issue(&subject(&user), now_seconds());
    let uid = encode_uid(user.id);
    let link = format!("{}/email-reset/confirm/{uid}/{token}", app.settings().public_url);
    mail::post(&mut tx, app, &user.email, &Mail::EmailReset { link: &link }).await?;
    app.commit(tx, Vec::new()).await
}

/// Changes an address with what such a link says.
pub async fn confirm_email_reset(app: &App, uid: &str, token: &str, email: String) -> Result<()> {
    let user_id = decode_uid(uid).ok_or_else(bad_uid)?;
    let mut tx = app.begin().await?;
    let user = users::find(&mut tx, user_id).await?.filter(|user| user.is_active);
    let user = user.ok_or_else(bad_uid)?;
    if !app.email_tokens().check(&subject(&user), token, now_seconds()) {
        return Err(bad_token());
    }
    let caller = Caller::User(user.clone());
    let change = change_email(app, &mut tx, &caller, user, email).await?;
    app.commit(tx, vec![change.into()]).await
}

/// Writes a user's new address and tells the old one.
pub(crate) async fn change_email(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    before: User,
    email: String,
) -> Result<Change> {
    const TAKEN: &str = "A user with this email already exists.";
    let other = users::find_by_email(tx, &email).await?;
    if other.is_some_and(|other| other.id != before.id) {
        return Err(Error::field("new_email", TAKEN));
    }
    let user = User {
        email,
        ..before.clone()
    };
    match users::update_profile(tx, &user).await {
        Err(DbError::Conflict(_)) => return Err(Error::field("new_email", TAKEN)),
        other => other?,
    };
    if user.email != before.email {
        mail::post(tx, app, &before.email, &Mail::EmailChanged { email: &user.email }).await?;
    }
    Ok(crate::users::updated(caller, &before, &user))
}
