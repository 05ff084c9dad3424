//! The management API.

mod environments;
mod identities;
mod projects;
mod segments;
mod server_keys;
