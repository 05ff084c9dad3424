//! What SDKs ask for: identities, traits, counts of evaluations.
//!
//! Flags and the environment document need no act: they are prepared in [`crate::served`].

pub mod analytics;
pub mod evaluation;
pub mod identities;

/// A JSON value as Python's `str()` writes it: what the reference stores for a trait that is a list or an object.
pub use burgee_engine::python_text;
