//! The SDK API.

mod analytics;
mod document;
mod flags;
mod identities;
mod nodes;
mod ofrep;
mod realtime;
mod traits;
