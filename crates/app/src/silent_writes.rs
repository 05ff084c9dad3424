//! No write without its line in the change log: in debug builds, and so in every test, each act that goes through
//! [`App::begin`](crate::App::begin) is held to it on both databases.
//!
//! The database tells which tables a transaction wrote to; each must be spoken of by a change of one of its kinds. A
//! deletion speaks of everything that goes, or loses a reference, with what is deleted. A table that is in neither list is
//! a fault, so that nobody adds one without deciding.

use burgee_store::changes::NewChange;
use burgee_store::{Db, Tx, written};

use crate::Result;
use crate::change::Kind;

/// The tables whose rows are the product's state, and the kinds of change that tell of them.
const TOLD: &[(&str, &[Kind])] = &[
    ("audience_sync_objects", &[Kind::AudienceSync]),
    ("change_request_approvals", &[Kind::ChangeRequest]),
    ("change_request_comments", &[Kind::ChangeRequestComment]),
    ("change_request_groups", &[Kind::ChangeRequest]),
    ("change_request_parts", &[Kind::ChangeRequest]),
    ("change_request_targets", &[Kind::ChangeRequest]),
    ("change_requests", &[Kind::ChangeRequest]),
    ("code_references", &[Kind::CodeReferences]),
    ("code_repositories", &[Kind::CodeReferences]),
    ("cohorts", &[Kind::Cohort]),
    ("environments", &[Kind::Environment]),
    ("experiment_metrics", &[Kind::Experiment]),
    ("experiments", &[Kind::Experiment]),
    ("feature_exports", &[Kind::FeatureExport]),
    ("feature_external_resources", &[Kind::ExternalResource]),
    ("feature_group_owners", &[Kind::Feature]),
    ("feature_health_events", &[Kind::FeatureHealth]),
    ("feature_health_providers", &[Kind::FeatureHealth]),
    ("feature_imports", &[Kind::FeatureImport]),
    ("feature_owners", &[Kind::Feature]),
    ("feature_segments", STATES),
    ("feature_state_options", STATES),
    ("feature_states", STATES),
    ("feature_tags", &[Kind::Feature]),
    ("feature_versions", VERSIONS),
    ("features", &[Kind::Feature]),
    ("github_configurations", &[Kind::Integration]),
    ("github_repositories", &[Kind::Integration]),
    ("grants", GRANTS),
    ("group_members", &[Kind::Group, Kind::User]),
    ("groups", &[Kind::Group]),
    ("identities", &[Kind::Identity]),
    ("integrations", &[Kind::Integration]),
    ("invite_links", &[Kind::Invite]),
    ("invites", &[Kind::Invite, Kind::User]),
    ("launch_darkly_imports", &[Kind::ImportRequest]),
    ("list_segments", &[Kind::Segment, Kind::SegmentMembers]),
    ("master_api_keys", &[Kind::MasterApiKey, Kind::TrustRelationship]),
    ("member_lists", &[Kind::SegmentMembers, Kind::Segment]),
    ("metadata_fields", &[Kind::MetadataField]),
    ("metadata_model_fields", &[Kind::MetadataField]),
    ("metadata_requirements", &[Kind::MetadataField]),
    (
        "metadata_values",
        // Those of a kind of object go when a field is taken away from it.
        &[
            Kind::Environment,
            Kind::Feature,
            Kind::Segment,
            Kind::MetadataField,
        ],
    ),
    ("metrics", &[Kind::Metric]),
    ("multivariate_options", &[Kind::Feature]),
    ("organisation_members", &[Kind::Organisation, Kind::User]),
    ("organisations", &[Kind::Organisation]),
    ("pipeline_actions", &[Kind::ReleasePipeline]),
    ("pipeline_features", JOURNEYS),
    ("pipeline_rollouts", JOURNEYS),
    ("pipeline_stages", &[Kind::ReleasePipeline]),
    ("projects", &[Kind::Project]),
    ("provider_accounts", &[Kind::User]),
    ("release_pipelines", &[Kind::ReleasePipeline]),
    ("role_holders", &[Kind::Role]),
    ("roles", &[Kind::Role]),
    ("saml_attribute_mappings", &[Kind::SamlConfiguration]),
    ("saml_configurations", &[Kind::SamlConfiguration]),
    ("scheduled_changes", SCHEDULED),
    ("scim_configurations", &[Kind::Scim]),
    ("scim_users", &[Kind::Scim, Kind::User]),
    ("segments", &[Kind::Segment]),
    ("server_keys", &[Kind::ServerKey]),
    ("slack_workspaces", &[Kind::Integration]),
    ("tags", &[Kind::Tag]),
    ("trust_relationships", &[Kind::TrustRelationship]),
    ("users", &[Kind::User]),
    ("warehouse_connections", &[Kind::WarehouseConnection]),
    ("webhooks", &[Kind::Webhook]),
];

/// A feature and an environment begin with states; whoever edits one, or publishes a version of them, says so.
const STATES: &[Kind] = &[
    Kind::FeatureState,
    Kind::Feature,
    Kind::FeatureVersion,
    Kind::Environment,
];

/// A feature and an environment begin with versions; scheduling one is a change of what is to come.
const VERSIONS: &[Kind] = &[
    Kind::FeatureVersion,
    Kind::ScheduledChange,
    Kind::Feature,
    Kind::Environment,
];

/// What was scheduled is carried out: what it does is told, and that it is done with. When an environment gives up
/// versions, what was scheduled of them goes with them.
const SCHEDULED: &[Kind] = &[
    Kind::Environment,
    Kind::ScheduledChange,
    Kind::ChangeRequest,
    Kind::FeatureState,
    Kind::FeatureVersion,
];

/// Whoever creates a project or an environment administers it; whose membership ends loses what was granted.
const GRANTS: &[Kind] = &[
    Kind::Permission,
    Kind::Role,
    Kind::Project,
    Kind::Environment,
    Kind::User,
];

/// How far a feature is on its way; a rollout that grows is told of its segment.
const JOURNEYS: &[Kind] = &[Kind::ReleasePipeline, Kind::Segment];

/// The tables of which the log says nothing, and why.
const UNTOLD: &[(&str, &str)] = &[
    (
        "activations",
        "a link in a mail; that an address is confirmed is told of the user",
    ),
    ("api_usage_buckets", "counts"),
    ("api_usage_notifications", "who was told of the usage"),
    ("api_usage_raw", "counts"),
    ("audience_sync_batches", "the book of audience sync"),
    ("audience_sync_blocks", "the book of audience sync"),
    ("audience_sync_errors", "the book of audience sync"),
    ("audience_sync_runs", "the book of audience sync"),
    ("audience_sync_targets", "the book of audience sync"),
    ("audience_syncs", "the book of audience sync"),
    ("bucket_marks", "up to when counts were added up"),
    ("changes", "the log itself"),
    ("counters", "numbers given out"),
    ("feature_evaluation_buckets", "counts"),
    ("feature_evaluations_raw", "counts"),
    (
        "feature_last_evaluated",
        "what SDKs tell of their use of features",
    ),
    ("gitlab_hooks", "how GitLab reaches this installation"),
    (
        "import_rows",
        "how far an import has come; what it brings is told",
    ),
    ("imports", "how far an import has come; what it brings is told"),
    ("login_codes", "a step of signing in"),
    ("mails", "on their way out; why they are sent is told"),
    (
        "oauth_clients",
        "programs that introduced themselves; they can do nothing yet",
    ),
    ("oauth_codes", "a step of signing in"),
    ("oauth_tokens", "sessions of programs"),
    (
        "password_resets",
        "links in mails; that a password was set is told of the user",
    ),
    ("pii_findings", "counts"),
    ("saml_assertions", "a step of signing in"),
    ("saml_requests", "a step of signing in"),
    ("settings", "secrets that the installation made for itself"),
    (
        "user_mfa",
        "codes used up; that a second factor begins or ends is told of the user",
    ),
    ("user_tokens", "sessions"),
    ("leases", "which node carries out which schedule"),
    ("log_readers", "how far readers of the log have read"),
    (
        "member_blocks",
        "who is in a list: how many came and went is told, never who",
    ),
    (
        "member_edits",
        "who is in a list: how many came and went is told, never who",
    ),
    (
        "member_generations",
        "who is in a list: how many came and went is told, never who",
    ),
    (
        "integration_deliveries",
        "what an integration was sent, and what it answered",
    ),
    ("tasks", "work that waits; what it was made for is told"),
    ("webhook_deliveries", "what was sent to a webhook, or is to be"),
];

/// Panics when the transaction wrote to a table of which no change tells, unless it is among those `exempt`: whoever wrote
/// the act is to see where.
pub(crate) async fn refuse(db: &Db, tx: &mut Tx, changes: &[NewChange], exempt: &[&str]) -> Result<()> {
    let deletes = changes.iter().any(|change| change.action == "DELETE");
    let told = |kinds: &[Kind]| {
        let kind = |change: &NewChange| kinds.iter().any(|kind| kind.as_str() == change.object_type);
        deletes || changes.iter().any(kind)
    };
    let silent: Vec<String> = written::tables(db, tx)
        .await?
        .into_iter()
        .filter(|table| !exempt.contains(&table.as_str()) && !UNTOLD.iter().any(|(name, _)| name == table))
        .filter(|table| {
            let found = TOLD.iter().find(|(name, _)| name == table);
            !found.is_some_and(|(_, kinds)| told(kinds))
        })
        .collect();
    let kinds: Vec<&str> = changes.iter().map(|change| change.object_type).collect();
    assert!(
        silent.is_empty(),
        "written without a line in the change log: {silent:?}; it has {kinds:?} (see silent_writes.rs)"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use burgee_store::Db;

    use super::*;

    #[tokio::test]
    async fn every_table_is_told_of_or_says_why_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("burgee.db").display());
        let db = Db::open(&url, 1).await.expect("a database");
        let mut tx = db.read().await.expect("a transaction");
        let all = written::all_tables(&mut tx).await.expect("tables");
        let told = TOLD.iter().map(|(name, _)| *name);
        let listed: Vec<&str> = told.chain(UNTOLD.iter().map(|(name, _)| *name)).collect();
        let once: BTreeSet<String> = listed.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(once.len(), listed.len(), "a table is listed twice");
        assert_eq!(once, all);
    }
}
