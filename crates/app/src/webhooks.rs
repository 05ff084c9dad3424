//! Webhooks: who is told of changes of an environment, or of a whole organisation. What is sent, and how that went, is in
//! [`crate::webhook_deliveries`].

use burgee_model::permissions::EnvironmentPermission;
use burgee_model::{Problems, Timestamp, limits};
use burgee_outbound::http;
use burgee_store::{Tx, webhooks};
use serde_json::{Value, json};

pub use burgee_store::webhooks::Webhook;

pub use crate::webhook_deliveries::{TASK, deliver, forget_old, give_up};

use crate::change::{Action, Change, Kind};
use crate::feature_states::place_by_key;
use crate::{App, Caller, Error, Place, Result};

/// What is said of addresses that may not be called.
const PRIVATE: &str = "URLs must not target internal or private network addresses.";

/// Whose webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// Those of the environment with this client-side key.
    Environment(&'a str),
    Organisation(i64),
}

/// A webhook as it is shown: the secret to those alone who may change it.
#[derive(Debug, Clone)]
pub struct Shown {
    pub webhook: Webhook,
    pub secret: String,
}

/// What may be set of a webhook. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookEdit {
    pub url: Option<String>,
    pub enabled: Option<bool>,
    pub secret: Option<String>,
}

/// Where the webhooks are, for somebody who may read or change them.
pub(crate) enum At {
    Environment(Box<Place>),
    Organisation(i64),
}

impl At {
    pub(crate) async fn of(tx: &mut Tx, caller: &Caller, of: Of<'_>, changes: bool) -> Result<Self> {
        match of {
            Of::Environment(key) => {
                let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
                if changes {
                    caller.require_environment_admin(tx, &place).await?;
                }
                Ok(Self::Environment(Box::new(place)))
            }
            Of::Organisation(id) => {
                caller.require_organisation_admin(tx, id).await?;
                Ok(Self::Organisation(id))
            }
        }
    }

    async fn list(&self, tx: &mut Tx) -> Result<Vec<Webhook>> {
        Ok(match self {
            Self::Environment(place) => webhooks::of_environment(tx, place.environment.id).await?,
            Self::Organisation(id) => webhooks::of_organisation(tx, *id).await?,
        })
    }

    pub(crate) async fn find(&self, tx: &mut Tx, id: i64) -> Result<Webhook> {
        let found = webhooks::find(tx, id).await?.filter(|webhook| match self {
            Self::Environment(place) => webhook.environment_id == Some(place.environment.id),
            Self::Organisation(id) => webhook.organisation_id == Some(*id),
        });
        let kind = match self {
            Self::Environment(_) => "Webhook",
            Self::Organisation(_) => "OrganisationWebhook",
        };
        found.ok_or_else(|| Error::no_match(kind))
    }

    async fn may_change(&self, tx: &mut Tx, caller: &Caller) -> Result<bool> {
        match self {
            Self::Organisation(_) => Ok(true),
            Self::Environment(place) => Ok(caller
                .environment_access(tx, &place.project, &place.environment)
                .await?
                .admin),
        }
    }

    fn line(&self, caller: &Caller, action: Action, id: i64) -> Change {
        let change = Change::new(caller, Kind::Webhook, action, id);
        match self {
            Self::Environment(place) => change.in_environment(place),
            Self::Organisation(id) => change.in_organisation(*id),
        }
    }
}

/// The secret of a webhook; empty for none.
pub(crate) fn secret(app: &App, webhook: &Webhook) -> String {
    if webhook.secret.is_empty() {
        return String::new();
    }
    app.sealer().open(&webhook.secret).unwrap_or_else(|| {
        tracing::error!(
            webhook = webhook.id,
            "the secret of a webhook can't be read: was it written under another secret key?"
        );
        String::new()
    })
}

fn show(app: &App, webhook: Webhook, may_change: bool) -> Shown {
    let secret = if may_change {
        secret(app, &webhook)
    } else {
        String::new()
    };
    Shown { webhook, secret }
}

/// The webhooks of an environment, or of an organisation itself.
pub async fn list(app: &App, caller: &Caller, of: Of<'_>) -> Result<Vec<Shown>> {
    let mut tx = app.db().read().await?;
    let at = At::of(&mut tx, caller, of, false).await?;
    let may_change = at.may_change(&mut tx, caller).await?;
    let found = at.list(&mut tx).await?;
    Ok(found
        .into_iter()
        .map(|webhook| show(app, webhook, may_change))
        .collect())
}

/// One webhook.
pub async fn get(app: &App, caller: &Caller, of: Of<'_>, id: i64) -> Result<Shown> {
    let mut tx = app.db().read().await?;
    let at = At::of(&mut tx, caller, of, false).await?;
    let may_change = at.may_change(&mut tx, caller).await?;
    Ok(show(app, at.find(&mut tx, id).await?, may_change))
}

/// Fails unless the caller may change the webhooks there: asked before an input is looked at.
pub async fn require(app: &App, caller: &Caller, of: Of<'_>) -> Result<()> {
    let mut tx = app.db().read().await?;
    At::of(&mut tx, caller, of, true).await.map(drop)
}

/// The same for one that is there.
pub async fn require_one(app: &App, caller: &Caller, of: Of<'_>, id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    At::of(&mut tx, caller, of, true)
        .await?
        .find(&mut tx, id)
        .await
        .map(drop)
}

/// Adds a webhook.
pub async fn create(app: &App, caller: &Caller, of: Of<'_>, edit: WebhookEdit) -> Result<Shown> {
    require(app, caller, of).await?;
    check_reach(app, "url", edit.url.as_deref()).await?;
    let mut tx = app.begin().await?;
    let at = At::of(&mut tx, caller, of, true).await?;
    if at.list(&mut tx).await?.len() >= limits::WEBHOOKS {
        let text = format!("There are no more than {} webhooks here.", limits::WEBHOOKS);
        return Err(Problems::whole(text).into());
    }
    let now = Timestamp::now().0;
    let (organisation_id, environment_id) = match &at {
        At::Environment(place) => (None, Some(place.environment.id)),
        At::Organisation(id) => (Some(*id), None),
    };
    let mut webhook = Webhook {
        id: 0,
        organisation_id,
        environment_id,
        url: String::new(),
        enabled: true,
        secret: String::new(),
        created_at: now,
        updated_at: now,
        told_failing_at: None,
    };
    apply(app, &mut webhook, edit);
    webhook.id = webhooks::insert(&mut tx, &webhook).await?;
    let change = at
        .line(caller, Action::Create, webhook.id)
        .after(as_json(&webhook));
    app.commit(tx, vec![change.into()]).await?;
    Ok(show(app, webhook, true))
}

/// Changes a webhook.
pub async fn update(app: &App, caller: &Caller, of: Of<'_>, id: i64, edit: WebhookEdit) -> Result<Shown> {
    let mut tx = app.db().read().await?;
    At::of(&mut tx, caller, of, true).await?.find(&mut tx, id).await?;
    drop(tx);
    check_reach(app, "url", edit.url.as_deref()).await?;
    let mut tx = app.begin().await?;
    let at = At::of(&mut tx, caller, of, true).await?;
    let before = at.find(&mut tx, id).await?;
    let mut webhook = before.clone();
    apply(app, &mut webhook, edit);
    webhook.updated_at = Timestamp::now().0;
    webhooks::update(&mut tx, &webhook).await?;
    let change = at
        .line(caller, Action::Update, id)
        .before(as_json(&before))
        .after(as_json(&webhook));
    app.commit(tx, vec![change.into()]).await?;
    Ok(show(app, webhook, true))
}

/// Deletes a webhook, and forgets what was sent to it.
pub async fn delete(app: &App, caller: &Caller, of: Of<'_>, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let at = At::of(&mut tx, caller, of, true).await?;
    let webhook = at.find(&mut tx, id).await?;
    webhooks::delete(&mut tx, id).await?;
    let change = at.line(caller, Action::Delete, id).before(as_json(&webhook));
    app.commit(tx, vec![change.into()]).await
}

fn apply(app: &App, webhook: &mut Webhook, edit: WebhookEdit) {
    if let Some(url) = edit.url {
        webhook.url = url;
    }
    if let Some(enabled) = edit.enabled {
        webhook.enabled = enabled;
    }
    if let Some(secret) = edit.secret {
        webhook.secret = if secret.is_empty() {
            secret
        } else {
            app.sealer().seal(&secret)
        };
    }
}

/// Refuses an address that may not be called, as far as that can be told now; it is asked again at every call.
pub(crate) async fn check_reach(app: &App, field: &str, url: Option<&str>) -> Result<()> {
    let Some(url) = url else { return Ok(()) };
    match app.outbound().guarded().check_reach(url).await {
        Err(http::Error::Private(_)) => Err(Error::field(field, PRIVATE)),
        // A name that leads nowhere yet may lead somewhere later.
        _ => Ok(()),
    }
}

/// What the log keeps: that there is a secret, never which. Addresses of webhooks are secrets more often than not.
fn as_json(webhook: &Webhook) -> Value {
    let host = url::Url::parse(&webhook.url).ok();
    let host = host.as_ref().and_then(url::Url::host_str);
    json!({ "name": host, "enabled": webhook.enabled, "has_secret": !webhook.secret.is_empty() })
}
