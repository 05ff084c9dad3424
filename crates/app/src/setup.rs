//! The first administrator of a fresh installation.

use std::net::IpAddr;

use burgee_auth::tokens::constant_time_eq;
use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::users::{self, User};
use uuid::Uuid;

use crate::password_resets::password_reset_link;
use crate::security::Attempt;
use crate::{App, Error, Result};

/// Whether set-up can still be done.
///
/// It closes itself as soon as anybody has signed up: whoever comes later could be anybody. When the operator gave
/// a code that must be shown, that is no danger, and it stays open until there is an administrator.
pub async fn is_open(app: &App, tx: &mut Tx) -> Result<bool> {
    let count = users::count(tx).await?;
    Ok(if app.settings().setup_code.is_some() {
        count.superusers == 0
    } else {
        count.all_users == 0
    })
}

/// Whether a code must be shown.
pub fn needs_code(app: &App) -> bool {
    app.settings().setup_code.is_some()
}

/// Creates the administrator. Returns where he chooses his password.
pub async fn set_up(app: &App, address: Option<IpAddr>, email: String, code: &str) -> Result<String> {
    let mut tx = app.begin().await?;
    users::lock_set_up(&mut tx).await?;
    if !is_open(app, &mut tx).await? {
        return Err(Error::not_found());
    }
    if let Some(expected) = &app.settings().setup_code {
        let who = address.map_or_else(|| "anybody".to_owned(), |address| address.to_string());
        app.throttle(Attempt::Login, &format!("set up {who}"))?;
        if !constant_time_eq(expected, code) {
            return Err(Error::field("code", "This is not the set-up code."));
        }
    }
    let mut user = User {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        email,
        first_name: String::new(),
        last_name: String::new(),
        password: None,
        is_active: true,
        is_superuser: true,
        sign_up_type: None,
        marketing_consent_given: false,
        onboarding: None,
        date_joined: Timestamp::now().0,
        last_login: None,
    };
    user.id = crate::users::insert(&mut tx, &user, "A user with this email already exists.").await?;
    app.commit(tx, vec![crate::users::created(&user).into()]).await?;
    tracing::info!(user.id = user.id, "the first administrator was created");
    Ok(password_reset_link(app, &user))
}
