//! Users: signing up, and what they may change about themselves.

use std::net::IpAddr;

use burgee_auth::passwords::{self, UserAttributes};
use burgee_auth::tokens;
use burgee_model::{Problems, Timestamp, keys};
use burgee_store::{DbError, Tx, invites, members, organisations, users};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use burgee_store::users::{Presence, User};

use crate::change::{Action, Change, Kind};
use crate::security::Attempt;
use crate::{App, Caller, Error, Result};

const TAKEN: &str = "Email already exists. Please log in.";
// The two blanks are the reference's.
const NOT_THE_FIRST: &str = "A superuser can only be created through this  endpoint if no other users exist.";

/// Whether anybody has signed up, and in.
pub async fn presence(app: &App) -> Result<Presence> {
    Ok(users::presence(app.db()).await?)
}

/// What somebody who signs up says.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// In lower case.
    pub email: String,
    pub password: String,
    pub first_name: String,
    pub last_name: String,
    pub sign_up_type: Option<String>,
    pub invite_hash: Option<String>,
    pub marketing_consent_given: bool,
    /// Asks to be the installation's administrator.
    pub superuser: bool,
}

/// Creates a user and signs him in. Returns his first token, which is not kept.
pub async fn sign_up(app: &App, address: Option<IpAddr>, input: SignUp) -> Result<(User, String)> {
    if let Some(address) = address {
        app.throttle(Attempt::SignUp, &address.to_string())?;
    }
    check_password(
        &input.password,
        &input.first_name,
        &input.last_name,
        &input.email,
        "password",
    )?;
    let mut tx = app.db().read().await?;
    admit(app, &mut tx, &input).await?;
    drop(tx);
    let hash = app.hash_password(input.password.clone()).await?;

    let mut tx = app.begin().await?;
    if input.superuser {
        users::lock_set_up(&mut tx).await?;
    }
    admit(app, &mut tx, &input).await?;
    let mut user = User {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        email: input.email,
        first_name: input.first_name,
        last_name: input.last_name,
        password: Some(hash),
        is_active: true,
        is_superuser: input.superuser,
        sign_up_type: input.sign_up_type,
        marketing_consent_given: input.marketing_consent_given,
        onboarding: None,
        date_joined: Timestamp::now().0,
        last_login: None,
    };
    user.id = insert(&mut tx, &user, TAKEN).await?;
    let key = new_token(&mut tx, user.id).await?;
    app.commit(tx, vec![created(&user).into()]).await?;
    Ok((user, key))
}

/// Creates a superuser: for whoever runs the program, who needs nobody's permission.
pub async fn create_superuser(app: &App, email: &str, password: &str) -> Result<User> {
    check_password(password, "", "", email, "password")?;
    let hash = app.hash_password(password.to_owned()).await?;
    let mut tx = app.begin().await?;
    let mut user = User {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        email: email.to_lowercase(),
        first_name: String::new(),
        last_name: String::new(),
        password: Some(hash),
        is_active: true,
        is_superuser: true,
        sign_up_type: None,
        marketing_consent_given: false,
        onboarding: None,
        date_joined: Timestamp::now().0,
        last_login: None,
    };
    user.id = insert(&mut tx, &user, TAKEN).await?;
    app.commit(tx, vec![created(&user).into()]).await?;
    Ok(user)
}

/// The line of the log that says that somebody signed up.
pub(crate) fn created(user: &User) -> Change {
    Change::by_nobody(Kind::User, Action::Create, user.id)
        .by_user(user.id)
        .uuid(&user.uuid)
        .after(as_json(user))
}

/// Writes a new user, unless somebody was faster with the address.
pub(crate) async fn insert(tx: &mut Tx, user: &User, taken: &str) -> Result<i64> {
    match users::insert(tx, user).await {
        Err(DbError::Conflict(_)) => Err(Error::field("email", taken)),
        other => Ok(other?),
    }
}

/// Makes a token; only its hash is kept.
pub(crate) async fn new_token(tx: &mut Tx, user_id: i64) -> Result<String> {
    let token = keys::user_token();
    users::insert_token(tx, &tokens::lookup_hash(&token), user_id, Timestamp::now().0).await?;
    Ok(token)
}

/// Who may sign up.
async fn admit(app: &App, tx: &mut Tx, input: &SignUp) -> Result<()> {
    let settings = app.settings();
    let refuse = |text: &str| Err(Error::Forbidden(text.to_owned()));
    if settings.signup_prevented {
        return refuse("Signing up is disabled for this installation.");
    }
    if settings.passwords_prevented {
        return refuse("E-mail and password are not accepted by this installation.");
    }
    if input.superuser && (settings.setup_code.is_some() || users::count(tx).await?.all_users > 0) {
        // With a code to show, set-up is the only way to become the administrator.
        return Err(Error::field("superuser", NOT_THE_FIRST));
    }
    if users::find_by_email(tx, &input.email).await?.is_some() {
        return Err(Error::field("email", TAKEN));
    }
    let by_link = input.sign_up_type.as_deref() == Some("INVITE_LINK");
    if by_link && settings.invite_links_disabled {
        return refuse("Invite links are disabled.");
    }
    if settings.registration_open || input.superuser {
        return Ok(());
    }
    let invited = match input.invite_hash.as_deref() {
        Some(hash) if by_link => invites::find_link(tx, hash)
            .await?
            .is_some_and(|link| !crate::invites::has_expired(&link)),
        _ => invites::is_invited(tx, &input.email).await?,
    };
    if invited {
        Ok(())
    } else {
        refuse("User registration without an invite is disabled for this installation.")
    }
}

/// Refuses a password that is easily guessed.
pub(crate) fn check_password(
    password: &str,
    first_name: &str,
    last_name: &str,
    email: &str,
    field: &str,
) -> Result<()> {
    let attributes = UserAttributes {
        first_name,
        last_name,
        email,
    };
    let mut problems = Problems::new();
    for fault in passwords::validate(password, &attributes) {
        problems.add(field, fault);
    }
    Ok(problems.check()?)
}

/// What a user may change about himself without further proof.
#[derive(Debug, Clone, Default)]
pub struct ProfileEdit {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub sign_up_type: Option<Option<String>>,
}

/// Changes a user's profile.
pub async fn update(app: &App, caller: &Caller, edit: ProfileEdit) -> Result<User> {
    change_profile(app, caller, |user| {
        if let Some(name) = edit.first_name {
            user.first_name = name;
        }
        if let Some(name) = edit.last_name {
            user.last_name = name;
        }
        if let Some(kind) = edit.sign_up_type {
            user.sign_up_type = kind;
        }
    })
    .await
}

/// Keeps what the dashboard notes about a user's first steps; parts not given stay.
pub async fn update_onboarding(app: &App, caller: &Caller, parts: Map<String, Value>) -> Result<User> {
    change_profile(app, caller, |user| {
        let stored = user.onboarding.as_deref().unwrap_or("{}");
        let mut onboarding: Map<String, Value> = serde_json::from_str(stored).unwrap_or_default();
        onboarding.extend(parts);
        user.onboarding = Some(Value::Object(onboarding).to_string());
    })
    .await
}

async fn change_profile(app: &App, caller: &Caller, edit: impl FnOnce(&mut User)) -> Result<User> {
    let mut tx = app.begin().await?;
    let before = current(&mut tx, caller).await?;
    let mut user = before.clone();
    edit(&mut user);
    users::update_profile(&mut tx, &user).await?;
    let change = updated(caller, &before, &user);
    app.commit(tx, vec![change.into()]).await?;
    Ok(user)
}

fn updated(caller: &Caller, before: &User, after: &User) -> Change {
    Change::new(caller, Kind::User, Action::Update, after.id)
        .uuid(&after.uuid)
        .before(as_json(before))
        .after(as_json(after))
}

/// The caller as he is now.
pub(crate) async fn current(tx: &mut Tx, caller: &Caller) -> Result<User> {
    let id = caller.user()?.id;
    users::find(tx, id)
        .await?
        .ok_or(Error::Unauthenticated("Invalid token."))
}

/// Changes the password, for somebody who knows the present one.
pub async fn set_password(
    app: &App,
    caller: &Caller,
    current: String,
    new: &str,
    repeated: &str,
) -> Result<()> {
    let user = prove(app, caller, current).await?;
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
        return Err(wrong_password());
    }
    let change = Change::new(caller, Kind::User, Action::Update, user.id)
        .uuid(&user.uuid)
        .after(json!({ "password": "changed" }));
    app.commit(tx, vec![change.into()]).await
}

/// Changes the address, for somebody who knows the password. He signs in with the new one at once.
pub async fn set_email(app: &App, caller: &Caller, current: String, email: String) -> Result<()> {
    const TAKEN: &str = "A user with this email already exists.";
    let before = prove(app, caller, current).await?;
    let mut tx = app.begin().await?;
    let other = users::find_by_email(&mut tx, &email).await?;
    if other.is_some_and(|other| other.id != before.id) {
        return Err(Error::field("new_email", TAKEN));
    }
    let mut user = self::current(&mut tx, caller).await?;
    user.email = email;
    match users::update_profile(&mut tx, &user).await {
        Err(DbError::Conflict(_)) => return Err(Error::field("new_email", TAKEN)),
        other => other?,
    };
    app.commit(tx, vec![updated(caller, &before, &user).into()]).await
}

/// Deletes the caller's account, and on demand the organisations in which he is alone.
pub async fn delete(app: &App, caller: &Caller, current: String, with_orphans: bool) -> Result<()> {
    let user = prove(app, caller, current).await?;
    let mut tx = app.begin().await?;
    let mut changes = Vec::new();
    for organisation in organisations::of_user(&mut tx, user.id).await? {
        members::lock(&mut tx, organisation.id).await?;
        let others: Vec<_> = members::list(&mut tx, organisation.id)
            .await?
            .into_iter()
            .filter(|member| member.id != user.id)
            .collect();
        if others.is_empty() && with_orphans {
            organisations::delete(&mut tx, organisation.id).await?;
            changes.push(crate::organisations::deleted(caller, &organisation).into());
        } else if !others.is_empty() && others.iter().all(|member| member.role != "ADMIN") {
            return Err(Error::detail(&format!(
                "You are the only administrator of {}. Make somebody else one first.",
                organisation.name
            )));
        }
    }
    users::delete(&mut tx, user.id).await?;
    let change = Change::new(caller, Kind::User, Action::Delete, user.id)
        .uuid(&user.uuid)
        .before(as_json(&user));
    changes.push(change.into());
    app.commit(tx, changes).await
}

/// The caller, once he has shown that he knows his password.
///
/// Attempts are throttled: who found a token must not be able to guess the password with it.
async fn prove(app: &App, caller: &Caller, password: String) -> Result<User> {
    let mut tx = app.db().read().await?;
    let user = current(&mut tx, caller).await?;
    drop(tx);
    app.throttle(Attempt::Login, &format!("user {}", user.id))?;
    if app.verify_password(password, user.password.clone()).await? {
        Ok(user)
    } else {
        Err(wrong_password())
    }
}

fn wrong_password() -> Error {
    Error::field("current_password", "Invalid password.")
}

/// What the change log keeps of a user: nothing secret.
fn as_json(user: &User) -> Value {
    json!({
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_superuser": user.is_superuser,
    })
}
