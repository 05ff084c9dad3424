//! Audience syncs on this installation's database: where the engine and the store meet.

pub mod ledger;
pub mod runner;
