//! The management API.

mod organisations;
mod projects;
mod users;
