//! Signing in and out, and the sessions that are open.
//!
//! # How guessing is held up
//!
//! Attempts are counted by the client's address and by account. Who keeps guessing at an account from afar does not keep
//! its owner out: attempts from an address at which the account has a session are counted apart from all others. Counts
//! are kept in memory for a minute (codes of the second factor: a day), in each process for itself.

use std::collections::HashMap;
use std::net::IpAddr;

use burgee_auth::passwords;
use burgee_auth::signed::{MFA_TOKEN_SECONDS, Signer};
use burgee_auth::tokens::{keyed_hash, lookup_hash};
use burgee_model::{Problems, Timestamp, keys};
use burgee_store::users::{self, User};
use burgee_store::{Tx, mfa, oauth, sessions};

pub use burgee_store::sessions::Session;

use crate::mfa::Factor;
use crate::security::{Attempt, now_seconds};
use crate::{App, Caller, Error, Result};

/// What the token between password and second factor is good for.
const PURPOSE: &str = "second factor";
/// The most sessions of a user; beyond it the oldest end.
const MOST_SESSIONS: i64 = 100;
/// How exactly it is known when a session was last used, in microseconds.
const TOUCH_EVERY: i64 = 60 * 60 * 1_000_000;
/// The most sessions whose last use is remembered in memory.
const MOST_TOUCHED: usize = 10_000;
/// The most characters of a client's name that are kept.
const USER_AGENT: usize = 300;

/// What signing in writes of a user: when it was, and the same password in the form it is kept in now.
pub(crate) const SIGNING_IN: &[&str] = &["users"];

/// Who signs in, as far as the server was told.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: Option<String>,
}

impl Client {
    /// The form in which its address is stored.
    fn address_hash(&self, app: &App) -> Option<String> {
        let address = self.address?;
        Some(keyed_hash(&app.address_key(), &address.to_string()))
    }
}

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
/// Each log-in gives a token of its own: it can't return an earlier one, of which only the hash is known.
pub async fn log_in(app: &App, client: &Client, email: &str, password: String) -> Result<LoggedIn> {
    if app.settings().passwords_prevented {
        let text = "E-mail and password are not accepted by this installation.";
        return Err(Error::Forbidden(text.to_owned()));
    }
    let email = email.trim().to_lowercase();
    throttle_address(app, client)?;
    let mut tx = app.db().read().await?;
    let found = users::find_by_email(&mut tx, &email).await?;
    let place = match &found {
        Some(user) => place(app, &mut tx, user.id, client).await?,
        None => String::new(),
    };
    drop(tx);
    app.throttle(Attempt::Login, &format!("email {email}{place}"))?;
    let wrong = || Error::from(Problems::whole("Unable to log in with provided credentials."));
    let stored = found.as_ref().and_then(|user| user.password.clone());
    let right = app.verify_password(password.clone(), stored).await?;
    let Some(user) = found.filter(|user| right && user.is_active) else {
        return Err(wrong());
    };
    let stored = user.password.unwrap_or_default();
    let rehashed = if passwords::needs_rehash(&stored) {
        Some(app.hash_password(password).await?)
    } else {
        None
    };
    let mut tx = app.begin().await?;
    // As it is now: it may have been switched off, or have another password, since the password was checked.
    let now = users::find(&mut tx, user.id).await?;
    let same = |user: &User| user.is_active && user.password.as_deref() == Some(&stored);
    let Some(mut user) = now.filter(same) else {
        return Err(wrong());
    };
    if let Some(hash) = rehashed {
        users::set_password(&mut tx, user.id, Some(&stored), &hash).await?;
        user.password = Some(hash);
    }
    let outcome = enter(app, &mut tx, &user, client).await?;
    app.commit_except(tx, Vec::new(), SIGNING_IN).await?;
    Ok(outcome)
}

/// Counts an attempt to sign in by the client's address.
pub(crate) fn throttle_address(app: &App, client: &Client) -> Result<()> {
    match client.address {
        Some(address) => app.throttle(Attempt::Login, &format!("address {address}")),
        None => Ok(()),
    }
}

/// Where attempts at an account are counted: at a place of their own if it has a session there, elsewhere otherwise.
async fn place(app: &App, tx: &mut Tx, user_id: i64, client: &Client) -> Result<String> {
    let Some(hash) = client.address_hash(app) else {
        return Ok(String::new());
    };
    let known = sessions::is_known_address(tx, user_id, &hash).await?;
    Ok(if known {
        format!(" at {hash}")
    } else {
        String::new()
    })
}

/// Goes on with somebody who proved that he is this user: asks for the second factor or opens a session.
pub(crate) async fn enter(app: &App, tx: &mut Tx, user: &User, client: &Client) -> Result<LoggedIn> {
    let factor = mfa::find(tx, user.id).await?;
    if factor.is_some_and(|factor| factor.is_active) {
        let state = state(user);
        let state = state.each_ref().map(String::as_str);
        let token = app.signer().issue(PURPOSE, user.id, &state, now_seconds());
        return Ok(LoggedIn::NeedsSecondFactor(token));
    }
    Ok(LoggedIn::Key(open(app, tx, user, client).await?))
}

/// Ends a log-in with a code of the second factor, or with a backup code.
pub async fn log_in_with_code(app: &App, client: &Client, token: &str, code: &str) -> Result<SecondStep> {
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
    let who = format!("{}{}", user.id, place(app, &mut tx, user.id, client).await?);
    app.throttle(Attempt::SecondFactor, &who)?;
    app.throttle(Attempt::SecondFactorOfDay, &who)?;
    let Some(factor) = mfa::find(&mut tx, user.id)
        .await?
        .filter(|factor| factor.is_active)
    else {
        return Ok(SecondStep::BadToken);
    };
    if !Factor::new(app, factor).use_up(&mut tx, code).await? {
        return Ok(SecondStep::BadCode);
    }
    let key = open(app, &mut tx, &user, client).await?;
    app.commit_except(tx, Vec::new(), SIGNING_IN).await?;
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
pub(crate) async fn open(app: &App, tx: &mut Tx, user: &User, client: &Client) -> Result<String> {
    users::set_last_login(tx, user.id, Timestamp::now().0).await?;
    new_token(app, tx, user.id, client).await
}

/// Makes a token; only its hash is kept.
pub(crate) async fn new_token(app: &App, tx: &mut Tx, user_id: i64, client: &Client) -> Result<String> {
    let token = keys::user_token();
    let now = Timestamp::now().0;
    let user_agent = client.user_agent.as_ref();
    let session = Session {
        hash: lookup_hash(&token),
        user_id,
        created_at: now,
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT).collect()),
        address: client.address_hash(app),
        last_used_at: Some(now),
        expires_at: idle_end(app, now),
    };
    sessions::insert(tx, &session).await?;
    sessions::keep_newest(tx, user_id, MOST_SESSIONS).await?;
    Ok(token)
}

/// When a session that is not used again ends. Only cookies end by themselves: tokens are for programs, too.
fn idle_end(app: &App, now: i64) -> Option<i64> {
    let idle = app.settings().cookies.as_ref()?.idle;
    Some(now + i64::try_from(idle.as_micros()).unwrap_or(i64::MAX / 2))
}

/// When sessions were last noted as used, by hash. Bounded: it is emptied when full.
pub(crate) type Touched = std::sync::Mutex<HashMap<String, i64>>;

/// Notes that a token is used, now and then and behind the request's back.
pub fn note_use(app: &App, token: &str) {
    let (hash, now) = (lookup_hash(token), Timestamp::now().0);
    {
        let mut touched = app
            .touched()
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if touched.get(&hash).is_some_and(|at| now - at < TOUCH_EVERY) {
            return;
        }
        if touched.len() >= MOST_TOUCHED {
            touched.clear();
        }
        touched.insert(hash.clone(), now);
    }
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = touch(&app, &hash, now).await {
            tracing::debug!(%error, "the use of a session was not noted");
        }
    });
}

async fn touch(app: &App, hash: &str, now: i64) -> Result<()> {
    let mut tx = app.db().begin().await?;
    if let Some(session) = sessions::find(&mut tx, hash, now).await? {
        let fresh = session.last_used_at.is_some_and(|at| now - at < TOUCH_EVERY);
        if !fresh {
            let expires_at = session.expires_at.and_then(|_| idle_end(app, now));
            sessions::touch(&mut tx, hash, now, expires_at.or(session.expires_at)).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// The public name of a session. It says nothing of its token.
pub fn public_id(session: &Session) -> &str {
    session.hash.get(..16).unwrap_or(&session.hash)
}

/// Whether this is the session of a token.
pub fn is_of_token(session: &Session, token: &str) -> bool {
    session.hash == lookup_hash(token)
}

/// The caller's sessions, newest first.
pub async fn list(tx: &mut Tx, caller: &Caller) -> Result<Vec<Session>> {
    let user_id = caller.user()?.id;
    Ok(sessions::list(tx, user_id, Timestamp::now().0).await?)
}

/// Ends one of the caller's sessions.
pub async fn end(app: &App, caller: &Caller, id: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let sessions = list(&mut tx, caller).await?;
    let session = sessions.iter().find(|session| public_id(session) == id);
    let session = session.ok_or_else(Error::not_found)?;
    sessions::delete(&mut tx, &session.hash).await?;
    app.commit(tx, Vec::new()).await
}

/// Signs the caller out everywhere: all his tokens are forgotten, those that programs got for him included.
pub async fn log_out(app: &App, caller: &Caller) -> Result<()> {
    let user_id = caller.user()?.id;
    let mut tx = app.begin().await?;
    end_all(&mut tx, user_id).await?;
    app.commit(tx, Vec::new()).await
}

/// Ends every session of a user, those of programs that act for him included.
pub(crate) async fn end_all(tx: &mut Tx, user_id: i64) -> Result<()> {
    users::delete_tokens(tx, user_id).await?;
    oauth::revoke_user(tx, user_id).await?;
    Ok(())
}

/// Forgets sessions, codes and requests whose time is over.
pub async fn forget_old(app: &App) -> Result<()> {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    let now = Timestamp::now().0;
    let mut tx = app.begin().await?;
    sessions::delete_ended(&mut tx, now).await?;
    burgee_store::provider_accounts::delete_old_codes(&mut tx, now).await?;
    burgee_store::saml::forget_old(&mut tx, now).await?;
    oauth::forget_old(&mut tx, now, now - 30 * DAY).await?;
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
