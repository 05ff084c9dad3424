//! Audience syncs on this installation's database: where the engine of `burgee-sync` and the store meet.
//!
//! A server and the command line run a sync the same way: [`Runner::run`] with a sync of a project
//! ([`burgee_sync::config`]), a watcher that is told how far it is, and a signal that stops it.

mod ledger;
mod report;
mod runner;

pub use ledger::DbLedger;
pub use report::{Report, State};
pub use runner::{RunError, Runner};
