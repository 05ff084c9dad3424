//! What the product does, one file per noun: permission → rules → store → change.
//!
//! No HTTP types and no SQL. The API, the command line and background work all do the same acts through this crate.
//! Every act that writes ends in [`App::commit`], which appends to the change log in the same transaction and returns
//! once this node serves the new state.
//!
//! To add an act: a function in its noun's file that takes the app, the [`Caller`] and its input.

pub mod caller;
pub mod change;
pub mod environments;
pub mod error;
pub mod feature_states;
pub mod groups;
pub mod identities;
pub mod invites;
pub mod master_api_keys;
pub mod members;
pub mod mfa;
pub mod organisations;
pub mod password_resets;
mod patterns;
pub mod permissions;
pub mod projects;
mod security;
pub mod segment_rules;
pub mod segments;
pub mod server_keys;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod users;

use std::sync::Arc;

use burgee_store::changes::NewChange;
use burgee_store::{Db, Tx};

pub use caller::{Access, Caller, Place};
pub use error::{Error, Result};
pub use settings::Settings;

use security::Security;

/// The running product: database, compiled environments, background collectors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    settings: Settings,
    security: Security,
}

impl App {
    /// Starts the product on an open database.
    pub async fn start(db: Db, settings: Settings) -> Result<Self> {
        let security = Security::new(&settings)?;
        Ok(Self(Arc::new(Inner {
            db,
            settings,
            security,
        })))
    }

    /// The database, for reading.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Throttles and the like.
    pub(crate) fn security(&self) -> &Security {
        &self.0.security
    }

    /// Ends a write: appends its changes to the log, commits, and returns once this node serves the new state.
    pub async fn commit(&self, mut tx: Tx, changes: Vec<NewChange>) -> Result<()> {
        burgee_store::changes::append(&mut tx, &changes).await?;
        tx.commit().await?;
        Ok(())
    }
}
