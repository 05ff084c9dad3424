//! Users.

use crate::App;
use crate::error::Result;

pub use burgee_store::users::{Presence, User};

/// Whether anybody has signed up, and in.
pub async fn presence(app: &App) -> Result<Presence> {
    Ok(burgee_store::users::presence(app.db()).await?)
}
