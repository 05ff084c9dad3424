//! Server-side keys of environments.

use burgee_model::{Timestamp, keys};
use burgee_store::{Tx, server_keys};
use serde_json::{Value, json};

pub use burgee_store::server_keys::ServerKey;

use crate::change::{Action, Change, Kind};
use crate::{App, Caller, Error, Place, Result, environments};

/// What a client may set of a key.
#[derive(Debug, Clone, Default)]
pub struct ServerKeyEdit {
    pub name: Option<String>,
    pub active: Option<bool>,
    pub expires_at: Option<Option<i64>>,
}

/// The keys of an environment, for its administrators.
pub async fn list(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<Vec<ServerKey>> {
    let place = administer(tx, caller, api_key).await?;
    Ok(server_keys::list(tx, place.environment.id).await?)
}

/// Creates a key. Nobody chooses its text.
pub async fn create(app: &App, caller: &Caller, api_key: &str, edit: ServerKeyEdit) -> Result<ServerKey> {
    let mut tx = app.begin().await?;
    let place = administer(&mut tx, caller, api_key).await?;
    let mut key = ServerKey {
        id: 0,
        environment_id: place.environment.id,
        key: keys::server_key(),
        name: String::new(),
        active: true,
        created_at: Timestamp::now().0,
        expires_at: None,
    };
    apply(&mut key, edit);
    key.id = server_keys::insert(&mut tx, &key).await?;
    let change = Change::new(caller, Kind::ServerKey, Action::Create, key.id)
        .in_environment(&place)
        .after(as_json(&key));
    app.commit(tx, vec![change.into()]).await?;
    Ok(key)
}

/// Changes the name, the use or the end of a key.
pub async fn update(
    app: &App,
    caller: &Caller,
    api_key: &str,
    id: i64,
    edit: ServerKeyEdit,
) -> Result<ServerKey> {
    let mut tx = app.begin().await?;
    let (place, before) = hold(&mut tx, caller, api_key, id).await?;
    let mut key = before.clone();
    apply(&mut key, edit);
    server_keys::update(&mut tx, &key).await?;
    let change = Change::new(caller, Kind::ServerKey, Action::Update, key.id)
        .in_environment(&place)
        .before(as_json(&before))
        .after(as_json(&key));
    app.commit(tx, vec![change.into()]).await?;
    Ok(key)
}

/// Deletes a key; it works no more.
pub async fn delete(app: &App, caller: &Caller, api_key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (place, key) = hold(&mut tx, caller, api_key, id).await?;
    server_keys::delete(&mut tx, key.id).await?;
    let change = Change::new(caller, Kind::ServerKey, Action::Delete, key.id)
        .in_environment(&place)
        .before(as_json(&key));
    app.commit(tx, vec![change.into()]).await
}

/// Fails unless the caller administers the environment: asked before an input is looked at.
pub async fn require_admin(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.db().read().await?;
    administer(&mut tx, caller, api_key).await.map(drop)
}

async fn administer(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<Place> {
    let place = environments::enter(tx, api_key).await?;
    caller.require_environment_admin(tx, &place).await?;
    Ok(place)
}

async fn hold(tx: &mut Tx, caller: &Caller, api_key: &str, id: i64) -> Result<(Place, ServerKey)> {
    let place = administer(tx, caller, api_key).await?;
    let key = server_keys::lock(tx, place.environment.id, id)
        .await?
        .ok_or_else(|| Error::no_match("EnvironmentAPIKey"))?;
    Ok((place, key))
}

fn apply(key: &mut ServerKey, edit: ServerKeyEdit) {
    if let Some(name) = edit.name {
        key.name = name;
    }
    if let Some(active) = edit.active {
        key.active = active;
    }
    if let Some(expires_at) = edit.expires_at {
        key.expires_at = expires_at;
    }
}

/// What the change log keeps of a key: not its text, which is a secret.
pub(crate) fn as_json(key: &ServerKey) -> Value {
    json!({ "name": key.name, "active": key.active, "expires_at": key.expires_at })
}
