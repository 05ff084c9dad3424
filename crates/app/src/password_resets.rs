//! Reset links for somebody who forgot his password.

use burgee_auth::reset::{ResetSubject, decode_uid, encode_uid};
use burgee_model::Problems;
use burgee_store::users::{self, User};
use serde_json::json;

use crate::change::{Action, Change, Kind};
use crate::mail::{self, Mail};
use crate::security::now_seconds;
use crate::users::check_password;
use crate::{App, Caller, Error, Result};

/// Where this user can choose a new password. Whoever has the link has the account: it goes to his mailbox only.
pub fn password_reset_link(app: &App, user: &User) -> String {
    let token = app.reset_tokens().issue(&subject(user), now_seconds());
    let uid = encode_uid(user.id);
    format!(
        "{}/password-reset/confirm/{uid}/{token}",
        app.settings().public_url
    )
}

/// [`password_reset_link`] for whoever runs the program, of the user with this address or number.
pub async fn link_for(app: &App, email: Option<&str>, user_id: Option<i64>) -> Result<Option<String>> {
    let mut tx = app.db().read().await?;
    let user = match (email, user_id) {
        (Some(email), _) => users::find_by_email(&mut tx, &email.to_lowercase()).await?,
        (None, Some(id)) => users::find(&mut tx, id).await?,
        (None, None) => None,
    };
    let user = user.filter(|user| user.is_active);
    Ok(user.map(|user| password_reset_link(app, &user)))
}

/// How many links a user is sent within [`WINDOW`].
pub(crate) const MOST_LINKS: i64 = 5;
/// A day, in microseconds.
pub(crate) const WINDOW: i64 = 24 * 60 * 60 * 1_000_000;

/// Somebody says he forgot his password. The answer is the same whether there is such a user or not.
pub async fn ask(app: &App, email: &str) -> Result<()> {
    let mut tx = app.db().read().await?;
    let known = users::find_by_email(&mut tx, email).await?.is_some();
    drop(tx);
    if known {
        send_link(app, email).await?;
    }
    Ok(())
}

async fn send_link(app: &App, email: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let Some(user) = users::find_by_email(&mut tx, email)
        .await?
        .filter(|user| user.is_active)
    else {
        return Ok(());
    };
    if !crate::email_links::may_send(&mut tx, user.id).await? {
        return Ok(());
    }
    let link = password_reset_link(app, &user);
    if !mail::post(&mut tx, app, &user.email, &Mail::PasswordReset { link: &link }).await? {
        // The link opens the account, so it is not for logs.
        tracing::info!(
            user.id = user.id,
            "a password reset was asked for and there is no mail server; \
             `burgee reset-link --user-id {}` prints the link",
            user.id
        );
    }
    app.commit(tx, Vec::new()).await
}

/// Sets a new password with what a reset link says, and signs the user out everywhere.
pub async fn confirm(app: &App, uid: &str, token: &str, new: &str, repeated: &str) -> Result<()> {
    let bad_token = || Error::field("token", "Invalid token for given user.");
    let user_id =
        decode_uid(uid).ok_or_else(|| Error::field("uid", "Invalid user id or user doesn't exist."))?;
    let mut tx = app.db().read().await?;
    let user = users::find(&mut tx, user_id).await?.filter(|user| user.is_active);
    drop(tx);
    let user = user.ok_or_else(bad_token)?;
    if !app.reset_tokens().check(&subject(&user), token, now_seconds()) {
        return Err(bad_token());
    }
    check_password(
        new,
        &user.first_name,
        &user.last_name,
        &user.email,
        "new_password",
    )?;
    if new != repeated {
        return Err(Problems::whole("The two password fields didn't match.").into());
    }
    let hash = app.hash_password(new.to_owned()).await?;
    let mut tx = app.begin().await?;
    if !users::set_password(&mut tx, user.id, user.password.as_deref(), &hash).await? {
        return Err(bad_token());
    }
    crate::sessions::end_all(&mut tx, user.id).await?;
    let change = Change::new(&Caller::User(user.clone()), Kind::User, Action::Update, user.id)
        .uuid(&user.uuid)
        .after(json!({ "password": "reset" }));
    app.commit(tx, vec![change.into()]).await
}

/// What a link is bound to: it dies when any of it changes.
pub(crate) fn subject(user: &User) -> ResetSubject<'_> {
    ResetSubject {
        user_id: user.id,
        password_hash: user.password.as_deref().unwrap_or_default(),
        last_login_micros: user.last_login,
        email: &user.email,
    }
}
