//! The second factor: setting it up, using it, giving it up.

use burgee_auth::tokens::keyed_hash;
use burgee_auth::totp;
use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::mfa::{self, Mfa};
use serde_json::json;

use crate::change::{Action, Change, Kind};
use crate::security::{Attempt, now_seconds};
use crate::{App, Caller, Error, Result};

/// What authenticators show beside the account.
const ISSUER: &str = "Burgee";

/// What an authenticator needs to know.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// The address in the QR code.
    pub link: String,
    pub secret: String,
}

/// Whether the caller's second factor is active.
pub async fn is_active(tx: &mut Tx, caller: &Caller) -> Result<bool> {
    let factor = mfa::find(tx, caller.user()?.id).await?;
    Ok(factor.is_some_and(|factor| factor.is_active))
}

/// Begins to set up the second factor. It protects nothing before [`confirm`].
pub async fn begin(app: &App, caller: &Caller) -> Result<SetUp> {
    let user = caller.user()?;
    let secret = totp::new_secret();
    let sealed = app.sealer().seal(&secret);
    let mut tx = app.begin().await?;
    if !mfa::begin(&mut tx, user.id, &sealed, Timestamp::now().0).await? {
        return Err(Error::Rejected(json!({ "error": "MFA method already active." })));
    }
    app.commit(tx, Vec::new()).await?;
    Ok(SetUp {
        link: totp::otpauth_url(ISSUER, &user.email, &secret),
        secret,
    })
}

/// Ends the set-up with a first code. Returns the backup codes, which are not shown again.
pub async fn confirm(app: &App, caller: &Caller, code: &str) -> Result<Vec<String>> {
    let user = caller.user()?;
    app.throttle(Attempt::SecondFactor, &format!("set up {}", user.id))?;
    let mut tx = app.begin().await?;
    let factor = mfa::find(&mut tx, user.id)
        .await?
        .filter(|factor| !factor.is_active);
    let Some(factor) = factor.map(|factor| Factor::new(app, factor)) else {
        return Err(bad_code());
    };
    if factor.step_of(code).is_none() {
        return Err(bad_code());
    }
    let (codes, hashes) = new_codes(app);
    if !mfa::activate(&mut tx, user.id, &factor.row.secret, &hashes).await? {
        return Err(bad_code());
    }
    app.commit(tx, vec![change(caller, Action::Create, user.id)])
        .await?;
    Ok(codes)
}

/// Makes new backup codes in the place of those left, for somebody who shows a code. They are not shown again.
pub async fn regenerate(app: &App, caller: &Caller, code: &str) -> Result<Vec<String>> {
    let user = caller.user()?;
    app.throttle(Attempt::SecondFactor, &format!("codes {}", user.id))?;
    app.throttle(Attempt::SecondFactorOfDay, &format!("codes {}", user.id))?;
    let mut tx = app.begin().await?;
    let factor = mfa::find(&mut tx, user.id)
        .await?
        .filter(|factor| factor.is_active);
    let Some(factor) = factor.map(|factor| Factor::new(app, factor)) else {
        return Err(Error::Rejected(
            json!({ "error": "Requested MFA method does not exist." }),
        ));
    };
    if !factor.use_up(&mut tx, code).await? {
        return Err(bad_code());
    }
    let (codes, hashes) = new_codes(app);
    mfa::set_backup_codes(&mut tx, user.id, &hashes).await?;
    app.commit(tx, vec![change(caller, Action::Update, user.id)])
        .await?;
    Ok(codes)
}

/// New backup codes, and their hashes as they are stored.
fn new_codes(app: &App) -> (Vec<String>, String) {
    let codes = totp::backup_codes();
    let key = app.backup_code_key();
    let hashes: Vec<_> = codes.iter().map(|code| keyed_hash(&key, code)).collect();
    (codes, json!(hashes).to_string())
}

/// Gives up the second factor. A code is not asked for, but one that is given must be right.
pub async fn end(app: &App, caller: &Caller, code: Option<&str>) -> Result<()> {
    let user = caller.user()?;
    let mut tx = app.begin().await?;
    let factor = mfa::find(&mut tx, user.id)
        .await?
        .filter(|factor| factor.is_active);
    let Some(factor) = factor.map(|factor| Factor::new(app, factor)) else {
        return Err(Error::Rejected(
            json!({ "error": "Requested MFA method does not exist." }),
        ));
    };
    if let Some(code) = code {
        app.throttle(Attempt::SecondFactor, &format!("end {}", user.id))?;
        if factor.step_of(code).is_none() && !factor.has_backup_code(code) {
            return Err(bad_code());
        }
    }
    mfa::delete(&mut tx, user.id).await?;
    app.commit(tx, vec![change(caller, Action::Delete, user.id)])
        .await
}

fn bad_code() -> Error {
    Error::field("code", "Code invalid or expired.")
}

fn change(caller: &Caller, action: Action, user_id: i64) -> burgee_store::changes::NewChange {
    Change::new(caller, Kind::User, action, user_id)
        .after(json!({ "second_factor": action != Action::Delete }))
        .into()
}

/// A stored second factor with the keys to read it.
pub(crate) struct Factor {
    row: Mfa,
    secret: Option<String>,
    backup_code_key: [u8; 32],
}

impl Factor {
    pub(crate) fn new(app: &App, row: Mfa) -> Self {
        let secret = app.sealer().open(&row.secret);
        if secret.is_none() {
            tracing::error!(
                user.id = row.user_id,
                "the secret of a second factor can't be read"
            );
        }
        Self {
            row,
            secret,
            backup_code_key: app.backup_code_key(),
        }
    }

    /// The time step this code is of, when it is right.
    fn step_of(&self, code: &str) -> Option<i64> {
        let secret = self.secret.as_deref()?;
        let step = totp::check(secret, code.trim(), now_seconds(), totp::DEFAULT_WINDOW)?;
        i64::try_from(step).ok()
    }

    fn has_backup_code(&self, code: &str) -> bool {
        let hash = keyed_hash(&self.backup_code_key, code.trim());
        self.row.backup_code_hashes().contains(&hash)
    }

    /// Whether the code is right; it is never right again.
    pub(crate) async fn use_up(&self, tx: &mut Tx, code: &str) -> Result<bool> {
        if let Some(step) = self.step_of(code) {
            return Ok(mfa::use_step(tx, self.row.user_id, step).await?);
        }
        if !self.has_backup_code(code) {
            return Ok(false);
        }
        let used = keyed_hash(&self.backup_code_key, code.trim());
        let mut left = self.row.backup_code_hashes();
        left.retain(|hash| *hash != used);
        let left = json!(left).to_string();
        Ok(mfa::use_backup_code(tx, self.row.user_id, &self.row.backup_codes, &left).await?)
    }
}
