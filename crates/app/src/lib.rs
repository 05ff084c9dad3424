//! What the product does, one file per noun: permission → rules → store → change.
//!
//! No HTTP types and no SQL. The API, the command line and background work all do the same acts through this crate.
//! Every act that writes ends in [`App::commit`], which appends to the change log in the same transaction and returns
//! once this node serves the new state.
//!
//! To add an act: a function in its noun's file that takes the app, the [`Caller`] and its input.

pub mod caller;
pub mod change;
pub mod environment_states;
pub mod environments;
pub mod error;
pub mod feature_data;
pub mod feature_list;
pub mod feature_options;
pub mod feature_owners;
pub mod feature_states;
pub mod features;
pub mod flag_updates;
pub mod identities;
pub mod identity_overrides;
mod patterns;
pub mod projects;
pub mod segment_overrides;
pub mod segment_rules;
pub mod segments;
pub mod server_keys;
pub mod settings;
pub mod tags;

use std::sync::Arc;

use burgee_store::changes::NewChange;
use burgee_store::{Db, Tx};

pub use caller::{Access, Caller, Place};
pub use error::{Error, Result};
pub use settings::Settings;

/// The running product: database, compiled environments, background collectors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    settings: Settings,
}

impl App {
    /// Starts the product on an open database.
    pub async fn start(db: Db, settings: Settings) -> Result<Self> {
        Ok(Self(Arc::new(Inner { db, settings })))
    }

    /// The database, for reading.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Ends a write: appends its changes to the log, commits, and returns once this node serves the new state.
    pub async fn commit(&self, mut tx: Tx, changes: Vec<NewChange>) -> Result<()> {
        burgee_store::changes::append(&mut tx, &changes).await?;
        tx.commit().await?;
        Ok(())
    }
}
