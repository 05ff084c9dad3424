//! The management API.

mod audit;
mod change_requests;
mod concurrency;
mod edge_identities;
mod environments;
mod feature_exports;
mod feature_health;
mod feature_lifecycle;
mod feature_options;
mod feature_states;
mod features;
mod identities;
mod identity_overrides;
mod mail;
mod metadata;
mod organisations;
mod overrides;
mod project_change_requests;
mod projects;
mod roles;
mod segment_overrides;
mod segments;
mod server_keys;
mod tags;
mod users;
