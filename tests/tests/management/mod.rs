//! The management API.

mod projects;
