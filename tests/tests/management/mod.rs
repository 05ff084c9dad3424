//! The management API.

mod environments;
mod identities;
mod organisations;
mod overrides;
mod projects;
mod segments;
mod server_keys;
mod users;
