//! Signing in and out.

use std::net::IpAddr;

use burgee_auth::passwords;
use burgee_auth::signed::{MFA_TOKEN_SECONDS, Signer};
use burgee_model::{Problems, Timestamp};
use burgee_store::mfa;
use burgee_store::users::{self, User};

use crate::mfa::Factor;
use crate::security::{Attempt, now_seconds};
use crate::{App, Caller, Error, Result};

/// What the token between password and second factor is good for.
const PURPOSE: &str = "second factor";

/// How a log-in went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggedIn {
    /// A token of the management API. Only its hash is kept.
    Key(String),
    /// The password was right; this token and a code of the second factor give the key.
    NeedsSecondFactor(String),
}

/// How the second step of a log-in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondStep {
    Key(String),
    BadToken,
    BadCode,
}

/// Signs somebody in by address and password.
///
/// Attempts are counted by client address and by account. Each log-in gives a token of its own: it can't return
/// an earlier one, of which only the hash is known.
pub async fn log_in(app: &App, address: Option<IpAddr>, email: &str, password: String) -> Result<LoggedIn> {
    if app.settings().passwords_prevented {
        let text = "E-mail and password are not accepted by this installation.";
        return Err(Error::Forbidden(text.to_owned()));
    }
    let email = email.trim().to_lowercase();
    if let Some(address) = address {
        app.throttle(Attempt::Login, &format!("address {address}"))?;
    }
    app.throttle(Attempt::Login, &format!("email {email}"))?;
    let mut tx = app.db().read().await?;
    let found = users::find_by_email(&mut tx, &email).await?;
    let factor = match &found {
        Some(user) => mfa::find(&mut tx, user.id).await?,
        None => None,
    };
    drop(tx);
    let stored = found.as_ref().and_then(|user| user.password.clone());
    let right = app.verify_password(password.clone(), stored).await?;
    let Some(user) = found.filter(|user| right && user.is_active) else {
        return Err(Problems::whole("Unable to log in with provided credentials.").into());
    };
    if factor.is_some_and(|factor| factor.is_active) {
        let token = app.signer().issue(
            PURPOSE,
            user.id,
            &state(&user).each_ref().map(String::as_str),
            now_seconds(),
        );
        return Ok(LoggedIn::NeedsSecondFactor(token));
    }
    let rehashed = match &user.password {
        Some(stored) if passwords::needs_rehash(stored) => Some(app.hash_password(password).await?),
        _ => None,
    };
    let mut tx = app.begin().await?;
    if let Some(hash) = rehashed {
        users::set_password(&mut tx, user.id, user.password.as_deref(), &hash).await?;
    }
    let key = open(&mut tx, &user).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(LoggedIn::Key(key))
}

/// Ends a log-in with a code of the second factor, or with a backup code.
pub async fn log_in_with_code(app: &App, token: &str, code: &str) -> Result<SecondStep> {
    let Some(claimed) = Signer::claimed_user(token) else {
        return Ok(SecondStep::BadToken);
    };
    let mut tx = app.begin().await?;
    let Some(user) = users::find(&mut tx, claimed).await?.filter(|user| user.is_active) else {
        return Ok(SecondStep::BadToken);
    };
    let state = state(&user);
    let genuine = app.signer().check(
        PURPOSE,
        token,
        &state.each_ref().map(String::as_str),
        MFA_TOKEN_SECONDS,
        now_seconds(),
    );
    if genuine != Some(user.id) {
        return Ok(SecondStep::BadToken);
    }
    app.throttle(Attempt::SecondFactor, &user.id.to_string())?;
    let Some(factor) = mfa::find(&mut tx, user.id)
        .await?
        .filter(|factor| factor.is_active)
    else {
        return Ok(SecondStep::BadToken);
    };
    if !Factor::new(app, factor).use_up(&mut tx, code).await? {
        return Ok(SecondStep::BadCode);
    }
    let key = open(&mut tx, &user).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(SecondStep::Key(key))
}

/// What must not change between the two steps. Signing in changes it, so that a token works once.
fn state(user: &User) -> [String; 2] {
    [
        user.password.clone().unwrap_or_default(),
        user.last_login.map(|at| at.to_string()).unwrap_or_default(),
    ]
}

/// Opens a session. It is no change of what the installation is, so the change log does not speak of it.
async fn open(tx: &mut burgee_store::Tx, user: &User) -> Result<String> {
    users::set_last_login(tx, user.id, Timestamp::now().0).await?;
    crate::users::new_token(tx, user.id).await
}

/// Signs the caller out everywhere: all his tokens are forgotten.
pub async fn log_out(app: &App, caller: &Caller) -> Result<()> {
    let user_id = caller.user()?.id;
    let mut tx = app.begin().await?;
    users::delete_tokens(&mut tx, user_id).await?;
    app.commit(tx, Vec::new()).await
}

/// Who asks, for an operation that only a person can do and where the answer to a key is a 400.
pub fn person(caller: &Caller) -> Result<&User> {
    match caller {
        Caller::User(user) => Ok(user),
        Caller::ApiKey(_) => Err(Error::detail(
            "This endpoint can only be used with a user and not Master API Key",
        )),
    }
}
