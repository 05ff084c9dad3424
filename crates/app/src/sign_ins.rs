//! Signing in through GitHub, Google or an `OpenID` Connect provider.
//!
//! Who signs in is looked for by his account there, then by his address, if the provider made sure that it is his; who is
//! not found is signed up, where the rules for signing up allow it. A second factor is asked for as after a password.

use burgee_auth::providers::oidc::{self, Journey};
use burgee_auth::providers::{Profile, ProviderError, github, google};
use burgee_auth::tokens::{constant_time_eq, lookup_hash};
use burgee_model::{Timestamp, keys};
use burgee_store::changes::NewChange;
use burgee_store::provider_accounts::{self, LoginCode};
use burgee_store::users::{self, User};
use burgee_store::{Tx, activations};
use serde_json::json;
use uuid::Uuid;

use crate::change::{Action, Change, Kind};
use crate::sessions::{self, Client, LoggedIn};
use crate::{App, Error, Result};

/// How long a browser may take to bring a code: it does so at once.
const CODE_MICROS: i64 = 2 * 60 * 1_000_000;
/// How long somebody may take to sign in elsewhere, in microseconds.
const JOURNEY_MICROS: i64 = 15 * 60 * 1_000_000;

/// What somebody who is signed up on the way says beside.
#[derive(Debug, Clone, Default)]
pub struct Newcomer {
    pub sign_up_type: Option<String>,
    pub invite_hash: Option<String>,
    pub marketing_consent_given: bool,
}

/// Somebody who came from a provider.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub user: User,
    pub is_new: bool,
}

/// A provider that can be signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub name: &'static str,
    pub label: String,
    pub client_id: String,
    /// Where the browser goes to begin.
    pub url: Option<String>,
}

/// The providers that are set up.
pub fn providers(app: &App) -> Vec<Provider> {
    let settings = app.settings();
    let mut all = Vec::new();
    if let Some(github) = &settings.github {
        let query = format!("scope=user:email&client_id={}", github.client_id);
        all.push(Provider {
            name: "github",
            label: "GitHub".to_owned(),
            client_id: github.client_id.clone(),
            url: Some(format!("{}/login/oauth/authorize?{query}", github.site_url)),
        });
    }
    if let Some(google) = &settings.google {
        all.push(Provider {
            name: "google",
            label: "Google".to_owned(),
            client_id: google.client_id.clone(),
            url: None,
        });
    }
    if let Some(oidc) = &settings.oidc {
        all.push(Provider {
            name: "oidc",
            label: oidc.label.clone(),
            client_id: oidc.client_id.clone(),
            url: Some(format!("{}/api/v1/auth/oidc/start/", settings.public_url)),
        });
    }
    all
}

/// Signs in with a code from GitHub. Whether the user is new comes with it.
pub async fn with_github(
    app: &App,
    client: &Client,
    code: &str,
    newcomer: Newcomer,
) -> Result<(LoggedIn, bool)> {
    sessions::throttle_address(app, client)?;
    let profile = match &app.settings().github {
        Some(settings) => github::profile(app.outbound().trusted(), settings, code).await,
        None => Err(ProviderError("it is not set up".to_owned())),
    };
    arrive(app, client, "github", "GITHUB", profile, newcomer).await
}

/// Signs in with an access token from Google. Whether the user is new comes with it.
pub async fn with_google(
    app: &App,
    client: &Client,
    token: &str,
    newcomer: Newcomer,
) -> Result<(LoggedIn, bool)> {
    sessions::throttle_address(app, client)?;
    let profile = match &app.settings().google {
        Some(settings) => google::profile(app.outbound().trusted(), settings, token).await,
        None => Err(ProviderError("it is not set up".to_owned())),
    };
    arrive(app, client, "google", "GOOGLE", profile, newcomer).await
}

async fn arrive(
    app: &App,
    client: &Client,
    provider: &str,
    shown: &str,
    profile: std::result::Result<Profile, ProviderError>,
    newcomer: Newcomer,
) -> Result<(LoggedIn, bool)> {
    let profile = profile.map_err(|why| {
        tracing::warn!(provider, %why, "nobody was signed in");
        Error::Elsewhere(format!("An error occurred authenticating with {shown}"))
    })?;
    let mut tx = app.begin().await?;
    let (arrival, changes) = find_or_create(app, &mut tx, provider, &profile, &newcomer).await?;
    let outcome = sessions::enter(app, &mut tx, &arrival.user, client).await?;
    app.commit_except(tx, changes, sessions::SIGNING_IN).await?;
    Ok((outcome, arrival.is_new))
}

/// The user whose account elsewhere this is; signs up one who is not known yet.
pub(crate) async fn find_or_create(
    app: &App,
    tx: &mut Tx,
    provider: &str,
    profile: &Profile,
    newcomer: &Newcomer,
) -> Result<(Arrival, Vec<NewChange>)> {
    let known = provider_accounts::user(tx, provider, &profile.subject).await?;
    if let Some(user) = known {
        return Ok((
            Arrival {
                user: usable(user)?,
                is_new: false,
            },
            Vec::new(),
        ));
    }
    if !profile.email_verified {
        let text = "The provider does not vouch for the e-mail address.";
        return Err(Error::Forbidden(text.to_owned()));
    }
    let now = Timestamp::now().0;
    let (user, is_new, changes) = if let Some(mut user) = users::find_by_email(tx, &profile.email).await? {
        if !user.is_active && activations::delete(tx, user.id).await? {
            // The provider vouches for the address just as an opened mail would. Whoever signed up with it did not
            // show that it is his, so what he chose must not open the account.
            users::set_active(tx, user.id, true).await?;
            users::clear_password(tx, user.id).await?;
            user.is_active = true;
            user.password = None;
        }
        let user = usable(user)?;
        let change = Change::by_nobody(Kind::User, Action::Update, user.id)
            .by_user(user.id)
            .uuid(&user.uuid)
            .after(json!({ "signs_in_with": provider }));
        (user, false, vec![change.into()])
    } else {
        let user = create(app, tx, profile, newcomer).await?;
        let change = crate::users::created(&user).into();
        (user, true, vec![change])
    };
    provider_accounts::insert(tx, provider, &profile.subject, user.id, now).await?;
    Ok((Arrival { user, is_new }, changes))
}

fn usable(user: User) -> Result<User> {
    if user.is_active {
        Ok(user)
    } else {
        Err(Error::Forbidden("This account is switched off.".to_owned()))
    }
}

async fn create(app: &App, tx: &mut Tx, profile: &Profile, newcomer: &Newcomer) -> Result<User> {
    let kind = newcomer.sign_up_type.as_deref();
    crate::users::admit_newcomer(app, tx, &profile.email, kind, newcomer.invite_hash.as_deref()).await?;
    let name = |text: &str| text.replace(char::is_control, " ").chars().take(150).collect();
    let mut user = User {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        email: profile.email.clone(),
        first_name: name(&profile.first_name),
        last_name: name(&profile.last_name),
        password: None,
        is_active: true,
        is_superuser: false,
        sign_up_type: newcomer.sign_up_type.clone(),
        marketing_consent_given: newcomer.marketing_consent_given,
        onboarding: None,
        date_joined: Timestamp::now().0,
        last_login: None,
    };
    user.id = crate::users::insert(tx, &user, "Email already exists. Please log in.").await?;
    Ok(user)
}

/// A browser about to sign in at the `OpenID` Connect provider.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Where it goes.
    pub url: String,
    /// What it must bring back, sealed.
    pub luggage: String,
}

fn callback_url(app: &App) -> String {
    format!("{}/api/v1/auth/oidc/callback/", app.settings().public_url)
}

fn oidc_failed(why: &ProviderError) -> Error {
    tracing::warn!(provider = "oidc", %why, "nobody was signed in");
    Error::Elsewhere("An error occurred authenticating with OIDC".to_owned())
}

/// Begins a sign-in at the `OpenID` Connect provider.
pub async fn begin_oidc(app: &App, client: &Client) -> Result<Departure> {
    sessions::throttle_address(app, client)?;
    let settings = app.settings().oidc.as_ref().ok_or_else(Error::not_found)?;
    let http = app.outbound().trusted();
    let discovery = oidc::discover(http, &settings.issuer)
        .await
        .map_err(|why| oidc_failed(&why))?;
    let journey = Journey::default();
    let text = serde_json::to_string(&(Timestamp::now().0, &journey))
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Departure {
        url: oidc::authorization_url(settings, &discovery, &callback_url(app), &journey),
        luggage: app.sealer().seal(&text),
    })
}

/// Ends it with what the browser brought back. Returns a code for [`with_login_code`].
pub async fn end_oidc(app: &App, client: &Client, luggage: &str, state: &str, code: &str) -> Result<String> {
    sessions::throttle_address(app, client)?;
    let settings = app.settings().oidc.as_ref().ok_or_else(Error::not_found)?;
    let foreign = || Error::Forbidden("This sign-in was not begun in this browser.".to_owned());
    let text = app.sealer().open(luggage).ok_or_else(foreign)?;
    let (begun, journey): (i64, Journey) = serde_json::from_str(&text).map_err(|_| foreign())?;
    if Timestamp::now().0 - begun > JOURNEY_MICROS || !constant_time_eq(&journey.state, state) {
        return Err(foreign());
    }
    let http = app.outbound().trusted();
    let profile = async {
        let discovery = oidc::discover(http, &settings.issuer).await?;
        oidc::profile(http, settings, &discovery, &callback_url(app), &journey, code).await
    };
    let profile = profile.await.map_err(|why| oidc_failed(&why))?;
    let mut tx = app.begin().await?;
    let (arrival, changes) = find_or_create(app, &mut tx, "oidc", &profile, &Newcomer::default()).await?;
    let code = login_code(&mut tx, "oidc", &arrival).await?;
    app.commit(tx, changes).await?;
    Ok(code)
}

/// A code with which the browser of somebody who signed in elsewhere gets his key.
pub(crate) async fn login_code(tx: &mut Tx, via: &str, arrival: &Arrival) -> Result<String> {
    let code = keys::alphanumeric(40);
    let row = LoginCode {
        hash: lookup_hash(&code),
        via: via.to_owned(),
        user_id: arrival.user.id,
        is_new_user: arrival.is_new,
        expires_at: Timestamp::now().0 + CODE_MICROS,
    };
    provider_accounts::insert_code(tx, &row).await?;
    Ok(code)
}

/// Signs in with such a code, once. `None`: it is not one. Whether the user is new comes with it.
pub async fn with_login_code(
    app: &App,
    client: &Client,
    via: &str,
    code: &str,
) -> Result<Option<(LoggedIn, bool)>> {
    sessions::throttle_address(app, client)?;
    let mut tx = app.begin().await?;
    let hash = lookup_hash(code);
    let Some(taken) = provider_accounts::take_code(&mut tx, &hash, via, Timestamp::now().0).await? else {
        return Ok(None);
    };
    let user = users::find(&mut tx, taken.user_id).await?;
    let Some(user) = user.filter(|user| user.is_active) else {
        return Ok(None);
    };
    let outcome = sessions::enter(app, &mut tx, &user, client).await?;
    app.commit_except(tx, Vec::new(), sessions::SIGNING_IN).await?;
    Ok(Some((outcome, taken.is_new_user)))
}
