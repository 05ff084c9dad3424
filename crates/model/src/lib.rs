//! The nouns of Burgee and the rules they obey: values, times, keys, limits, permissions.
//!
//! This crate does no I/O, knows no database and no HTTP, and imports no other crate of the workspace.
//! To add a noun: one file here for its types and checks, then the file of the same name in `store`,
//! `app` and `api`.

pub mod durations;
pub mod keys;
pub mod limits;
pub mod lists;
pub mod metadata;
pub mod permissions;
pub mod pii;
pub mod problems;
pub mod segments;
pub mod time;
pub mod traits;
pub mod values;

pub use problems::Problems;
pub use time::Timestamp;
pub use traits::TraitValue;
pub use values::FlagValue;
