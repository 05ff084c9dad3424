//! Users: signing up, and what they may change about themselves.

use burgee_auth::passwords::{self, UserAttributes};
use burgee_model::{Problems, Timestamp};
use burgee_store::{DbError, Tx, invites, members, organisations, provider_accounts, users};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use burgee_store::users::{Presence, User};

use crate::change::{Action, Change, Kind};
use crate::security::Attempt;
use crate::sessions::Client;
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

/// Creates a user and signs him in. Returns his first token, which is not kept; there is none as long as his address
/// is to be confirmed.
pub async fn sign_up(app: &App, client: &Client, input: SignUp) -> Result<(User, Option<String>)> {
    if let Some(address) = client.address {
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
    let waits = app.settings().email_activation && !input.superuser;
    let mut user = User {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        email: input.email,
        first_name: input.first_name,
        last_name: input.last_name,
        password: Some(hash),
        is_active: !waits,
        is_superuser: input.superuser,
        sign_up_type: input.sign_up_type,
        marketing_consent_given: input.marketing_consent_given,
        onboarding: None,
        date_joined: Timestamp::now().0,
        last_login: None,
    };
    user.id = insert(&mut tx, &user, TAKEN).await?;
    let key = if waits {
        crate::email_links::ask_for_activation(app, &mut tx, &user).await?;
        None
    } else {
        Some(crate::sessions::new_token(app, &mut tx, user.id, client).await?)
    };
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

/// Who may sign up.
async fn admit(app: &App, tx: &mut Tx, input: &SignUp) -> Result<()> {
    let settings = app.settings();
    if settings.passwords_prevented {
        let text = "E-mail and password are not accepted by this installation.";
        return Err(Error::Forbidden(text.to_owned()));
    }
    if input.superuser && (settings.setup_code.is_some() || users::count(tx).await?.all_users > 0) {
        // With a code to show, set-up is the only way to become the administrator.
        return Err(Error::field("superuser", NOT_THE_FIRST));
    }
    if users::find_by_email(tx, &input.email).await?.is_some() && !settings.signup_prevented {
        return Err(Error::field("email", TAKEN));
    }
    if input.superuser && !settings.signup_prevented {
        return Ok(());
    }
    let kind = input.sign_up_type.as_deref();
    admit_newcomer(app, tx, &input.email, kind, input.invite_hash.as_deref()).await
}

/// Whether somebody with this address may become a user: the rules that hold however he comes.
pub(crate) async fn admit_newcomer(
    app: &App,
    tx: &mut Tx,
    email: &str,
    sign_up_type: Option<&str>,
    invite_hash: Option<&str>,
) -> Result<()> {
    let settings = app.settings();
    let refuse = |text: &str| Err(Error::Forbidden(text.to_owned()));
    if settings.signup_prevented {
        return refuse("Signing up is disabled for this installation.");
    }
    let by_link = sign_up_type == Some("INVITE_LINK");
    if by_link && settings.invite_links_disabled {
        return refuse("Invite links are disabled.");
    }
    if settings.registration_open {
        return Ok(());
    }
    let invited = match invite_hash {
        Some(hash) if by_link => invites::find_link(tx, hash)
            .await?
            .is_some_and(|link| !crate::invites::has_expired(&link)),
        _ => invites::is_invited(tx, email).await?,
    };
    if invited {
        Ok(())
    } else {
        refuse("User registration without an invite is disabled for this installation.")
    }
}

/// How a user signs in, in the words of the reference: `EMAIL`, `GOOGLE` or `GITHUB`.
pub async fn auth_type(tx: &mut Tx, user_id: i64) -> Result<&'static str> {
    let providers = provider_accounts::providers(tx, user_id).await?;
    let has = |name: &str| providers.iter().any(|provider| provider == name);
    Ok(if has("google") {
        "GOOGLE"
    } else if has("github") {
        "GITHUB"
    } else {
        "EMAIL"
    })
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

pub(crate) fn updated(caller: &Caller, before: &User, after: &User) -> Change {
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
    prove(app, caller, current).await?;
    let mut tx = app.begin().await?;
    let before = self::current(&mut tx, caller).await?;
    let change = crate::email_links::change_email(app, &mut tx, caller, before, email).await?;
    app.commit(tx, vec![change.into()]).await
}

/// Deletes the caller's account, and on demand the organisations in which he is alone.
///
/// Who has a password must give it; who only signs in elsewhere has none to give.
pub async fn delete(app: &App, caller: &Caller, password: Option<String>, with_orphans: bool) -> Result<()> {
    let mut tx = app.db().read().await?;
    let user = current(&mut tx, caller).await?;
    drop(tx);
    let user = match (password, &user.password) {
        (Some(password), _) => prove(app, caller, password).await?,
        (None, None) => user,
        (None, Some(_)) => return Err(Error::field("current_password", "This field is required.")),
    };
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
