//! Master API keys: an organisation's own way into the management API.

use burgee_auth::tokens;
use burgee_model::{Timestamp, keys};
use burgee_store::{Tx, master_api_keys};
use serde_json::{Value, json};

pub use burgee_store::master_api_keys::MasterApiKey;

use crate::change::{Action, Change, Kind};
use crate::organisations::for_admin;
use crate::security::Attempt;
use crate::{App, Caller, Error, Result};

/// The settings of a key.
#[derive(Debug, Clone, Default)]
pub struct MasterApiKeyEdit {
    pub name: Option<String>,
    pub is_admin: Option<bool>,
    pub revoked: Option<bool>,
    pub expires_at: Option<Option<Timestamp>>,
}

/// The keys of an organisation.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<MasterApiKey>> {
    require(tx, caller, organisation_id).await?;
    Ok(master_api_keys::list(tx, organisation_id).await?)
}

/// Keys are managed by people: one that leaked must not be able to make others.
async fn require(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<()> {
    caller.user()?;
    for_admin(tx, caller, organisation_id).await.map(drop)
}

/// One key, by the half of it that is no secret.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64, prefix: &str) -> Result<MasterApiKey> {
    require(tx, caller, organisation_id).await?;
    let key = master_api_keys::find_by_prefix(tx, organisation_id, prefix).await?;
    key.ok_or_else(|| Error::no_match("MasterAPIKey"))
}

/// Makes a key. Returns its text as well, which is not kept and can't be shown again.
pub async fn create(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    edit: MasterApiKeyEdit,
) -> Result<(MasterApiKey, String)> {
    let mut tx = app.begin().await?;
    require(&mut tx, caller, organisation_id).await?;
    let new = keys::master_api_key();
    let text = new.to_text();
    let mut key = MasterApiKey {
        id: 0,
        organisation_id,
        prefix: new.prefix,
        hash: tokens::lookup_hash(&text),
        name: String::new(),
        is_admin: true,
        revoked: false,
        created_by: caller.user_id(),
        created_at: Timestamp::now().0,
        expires_at: None,
    };
    apply(&mut key, edit);
    key.id = master_api_keys::insert(&mut tx, &key).await?;
    let change = change(caller, &key, Action::Create).after(as_json(&key));
    app.commit(tx, vec![change.into()]).await?;
    Ok((key, text))
}

/// The key with this text, if it came from another installation, which hashed it in its own way; from now on it is found
/// by `hash`, as all others are.
pub(crate) async fn recognise(app: &App, text: &str, hash: &str) -> Result<Option<MasterApiKey>> {
    let Some((prefix, _)) = text.split_once('.') else {
        return Ok(None);
    };
    let now = Timestamp::now().0;
    if master_api_keys::find_imported(&mut app.db().read().await?, prefix, now)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    let _alone = app.recognising().await;
    let mut tx = app.db().read().await?;
    let usable = master_api_keys::find_usable(&mut tx, hash, now).await?;
    let imported = master_api_keys::find_imported(&mut tx, prefix, now).await?;
    drop(tx);
    let (None, Some(key)) = (&usable, imported) else {
        return Ok(usable);
    };
    app.throttle(Attempt::ImportedKey, prefix)?;
    if !app
        .verify_password(text.to_owned(), Some(key.hash.clone()))
        .await?
    {
        return Ok(None);
    }
    let mut tx = app.begin().await?;
    master_api_keys::set_hash(&mut tx, key.id, &key.hash, hash).await?;
    let change = Change::by_nobody(Kind::MasterApiKey, Action::Update, key.id)
        .in_organisation(key.organisation_id)
        .after(json!({ "hashed_anew": true }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(Some(MasterApiKey {
        hash: hash.to_owned(),
        ..key
    }))
}

/// Changes a key. Revoking it is for good.
pub async fn update(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    prefix: &str,
    edit: MasterApiKeyEdit,
) -> Result<MasterApiKey> {
    let mut tx = app.begin().await?;
    let before = get(&mut tx, caller, organisation_id, prefix).await?;
    let mut key = before.clone();
    apply(&mut key, edit);
    if before.revoked && !key.revoked {
        return Err(Error::field(
            "revoked",
            "A revoked key can't be used again. Create a new one.",
        ));
    }
    master_api_keys::update(&mut tx, &key).await?;
    let change = change(caller, &key, Action::Update)
        .before(as_json(&before))
        .after(as_json(&key));
    app.commit(tx, vec![change.into()]).await?;
    Ok(key)
}

fn apply(key: &mut MasterApiKey, edit: MasterApiKeyEdit) {
    // A key that is no administrator may do what its roles may do.
    if let Some(is_admin) = edit.is_admin {
        key.is_admin = is_admin;
    }
    if let Some(name) = edit.name {
        key.name = name;
    }
    if let Some(revoked) = edit.revoked {
        key.revoked = revoked;
    }
    if let Some(expires_at) = edit.expires_at {
        key.expires_at = expires_at.map(|at| at.0);
    }
}

/// Deletes a key.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64, prefix: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let key = get(&mut tx, caller, organisation_id, prefix).await?;
    master_api_keys::delete(&mut tx, key.id).await?;
    let change = change(caller, &key, Action::Delete).before(as_json(&key));
    app.commit(tx, vec![change.into()]).await
}

fn change(caller: &Caller, key: &MasterApiKey, action: Action) -> Change {
    Change::new(caller, Kind::MasterApiKey, action, key.id).in_organisation(key.organisation_id)
}

/// What the change log keeps of a key: nothing secret.
fn as_json(key: &MasterApiKey) -> Value {
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "is_admin": key.is_admin,
        "revoked": key.revoked,
        "expires_at": key.expires_at,
    })
}
