//! The management API.

mod environments;
mod identities;
mod overrides;
mod projects;
mod segments;
mod server_keys;
