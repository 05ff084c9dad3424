//! The management API: a file per noun with its types, its handlers and its own `router()`.

pub mod audience_sync_objects;
pub mod audience_sync_runs;
pub mod audit;
pub mod billing;
pub mod change_request_comments;
pub mod change_request_views;
pub mod change_requests;
pub mod change_sets;
pub mod code_references;
pub mod cohorts;
pub mod edge_identities;
pub mod edge_overrides;
pub mod environment_document;
pub mod environments;
pub mod experiment_metrics;
pub mod experiments;
pub mod explanations;
pub mod external_resources;
pub mod feature_copies;
pub mod feature_data;
pub mod feature_exports;
pub mod feature_health;
pub mod feature_lifecycle;
pub mod feature_options;
pub mod feature_owners;
pub mod feature_states;
pub mod feature_values;
pub mod features;
pub mod flag_updates;
pub mod github;
pub mod github_browse;
pub mod gitlab;
pub mod grants;
pub mod groups;
pub mod identities;
pub mod identity_overrides;
pub mod impact;
pub mod integrations;
pub mod invites;
pub mod launch_darkly;
pub mod list_members;
pub mod list_segments;
pub mod master_api_keys;
pub mod members;
pub mod metadata;
pub mod metadata_fields;
pub mod oauth;
pub mod organisations;
pub mod permissions;
pub mod pii;
pub mod platform_hub;
pub mod project_change_requests;
pub mod project_files;
pub mod projects;
pub mod release_pipelines;
pub mod role_holders;
pub mod role_permissions;
pub mod roles;
pub mod saml;
pub mod scheduled_changes;
pub mod scim;
pub mod segment_overrides;
pub mod segment_rules;
pub mod segments;
pub mod server_keys;
pub mod sessions;
pub mod setup;
pub mod sign_ins;
pub mod slack;
pub mod tags;
pub mod telemetry;
pub mod tracker_webhooks;
pub mod traits;
pub mod trust_relationships;
pub mod usage;
pub mod users;
pub mod versions;
pub mod warehouse_connections;
pub mod webhooks;

use burgee_app::App;
use utoipa_axum::router::OpenApiRouter;

/// Every noun's routes. Adding a noun is one line here.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(audience_sync_runs::router())
        .merge(audience_sync_objects::router())
        .merge(audit::router())
        .merge(billing::router())
        .merge(change_request_comments::router())
        .merge(change_requests::router())
        .merge(code_references::router())
        .merge(cohorts::router())
        .merge(edge_identities::router())
        .merge(edge_overrides::router())
        .merge(environment_document::router())
        .merge(environments::router())
        .merge(experiment_metrics::router())
        .merge(experiments::router())
        .merge(explanations::router())
        .merge(external_resources::router())
        .merge(feature_data::router())
        .merge(feature_exports::router())
        .merge(feature_health::router())
        .merge(feature_lifecycle::router())
        .merge(feature_options::router())
        .merge(feature_owners::router())
        .merge(feature_states::router())
        .merge(features::router())
        .merge(flag_updates::router())
        .merge(github::router())
        .merge(github_browse::router())
        .merge(gitlab::router())
        .merge(groups::router())
        .merge(identities::router())
        .merge(identity_overrides::router())
        .merge(impact::router())
        .merge(integrations::router())
        .merge(invites::router())
        .merge(launch_darkly::router())
        .merge(list_members::router())
        .merge(list_segments::router())
        .merge(master_api_keys::router())
        .merge(members::router())
        .merge(metadata_fields::router())
        .merge(oauth::router())
        .merge(organisations::router())
        .merge(permissions::router())
        .merge(pii::router())
        .merge(platform_hub::router())
        .merge(project_change_requests::router())
        .merge(feature_copies::router())
        .merge(project_files::router())
        .merge(projects::router())
        .merge(release_pipelines::router())
        .merge(roles::router())
        .merge(scim::router())
        .merge(scheduled_changes::router())
        .merge(saml::router())
        .merge(segment_overrides::router())
        .merge(segments::router())
        .merge(server_keys::router())
        .merge(sessions::router())
        .merge(setup::router())
        .merge(sign_ins::router())
        .merge(slack::router())
        .merge(tags::router())
        .merge(telemetry::router())
        .merge(tracker_webhooks::router())
        .merge(traits::router())
        .merge(trust_relationships::router())
        .merge(usage::router())
        .merge(users::router())
        .merge(warehouse_connections::router())
        .merge(versions::router())
        .merge(webhooks::router())
}
