//! SQL: schema, transactions, the change log and every statement, one file per noun.
//!
//! The only crate that names the database library. One text per statement serves SQLite and Postgres
//! (see [`db`]); a test prepares each of them on both. It checks no permission and no rule: that is `app`.
//!
//! To add a table: a migration in `migrations/` with its line in [`db`], and a file here for its noun with a
//! `row!` and its statements.

pub mod activations;
pub mod analytics;
pub mod audience_sync_objects;
pub mod audience_sync_runs;
pub mod audience_syncs;
pub mod audit;
pub mod bulk;
pub mod change_request_reviews;
pub mod change_requests;
pub mod changes;
pub mod code_references;
pub mod cohorts;
pub mod db;
pub mod edge_identities;
pub mod environments;
pub mod experiments;
pub mod external_resources;
pub mod feature_activity;
pub mod feature_exports;
pub mod feature_health;
pub mod feature_links;
pub mod feature_segments;
pub mod feature_states;
pub mod features;
pub mod flagsmith;
pub mod github;
pub mod gitlab_hooks;
pub mod grants;
pub mod groups;
pub mod identities;
pub mod identity_admin;
pub mod imports;
pub mod integration_deliveries;
pub mod integrations;
pub mod invites;
pub mod launch_darkly_imports;
pub mod leases;
pub mod list_members;
pub mod list_segments;
pub mod log_readers;
pub mod mails;
pub mod master_api_keys;
pub mod members;
pub mod metadata;
pub mod metadata_fields;
pub mod mfa;
pub mod oauth;
pub mod organisations;
pub mod password_resets;
pub mod pii;
pub mod platform_hub;
pub mod projects;
pub mod provider_accounts;
pub mod release_pipelines;
pub mod roles;
pub mod saml;
pub mod scheduled_changes;
pub mod scim;
pub mod seeds;
pub mod segments;
pub mod server_keys;
pub mod sessions;
pub mod settings;
pub mod state_options;
pub mod tags;
pub mod tasks;
pub mod telemetry;
pub mod transfer;
pub mod trust_relationships;
pub mod usage;
pub mod users;
pub mod versions;
pub mod warehouse_connections;
pub mod webhook_deliveries;
pub mod webhooks;
pub mod written;

pub use db::{Db, DbError, Tx};

/// What most statements return.
pub type Result<T> = std::result::Result<T, DbError>;
