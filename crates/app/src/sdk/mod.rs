//! What SDKs ask for: identities, traits, counts of evaluations.
//!
//! Flags and the environment document need no act: they are prepared in [`crate::served`].

pub mod analytics;
pub mod bulk;
pub mod evaluation;
pub mod identities;
