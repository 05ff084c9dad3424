//! Audience sync: keeps a destination in step with a warehouse, a database or a file.
//!
//! A run looks at the destination, reads the model once, compares it with what the destination has **acknowledged**, and so
//! knows every operation before the first is sent ([`plan`]). Guard rails may hold the plan ([`guard`]). Delivery sends it in
//! the fewest requests, obeys the destination's limits, finds the wrong rows in a refused batch, and writes down what was
//! acknowledged as it goes ([`deliver`]). A row that was not acknowledged is simply still different at the next run.
//!
//! The crate knows nothing of flags, of HTTP servers or of the product's database: what it remembers goes through
//! [`ledger::Ledger`].
//!
//! To add a source or a destination: see [`source`] and [`destination`].

pub mod cell;
pub mod config;
pub mod deliver;
pub mod destination;
pub mod error;
pub mod guard;
pub mod ledger;
pub mod plan;
pub mod run;
pub mod source;
pub mod warehouse;
pub mod watch;

pub use error::{Result, SyncError};
