//! Reading a configuration from Flagsmith's database.

use std::collections::{HashMap, HashSet};

use burgee_store::bulk::{Table, tables};
use burgee_store::flagsmith::{Flagsmith, Snapshot};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::configuration::{Configuration, Metadata};
use crate::history::History;
use crate::integrations::{self, Listeners};
use crate::records::{Condition, Grant, Level, Rule, Segment};
use crate::release_pipelines::Pipelines;
use crate::report::Report;
use crate::surroundings::Surroundings;
use crate::{Error, Result, noun, rules};

/// Reads JSON texts as records.
pub(crate) fn parse<T: DeserializeOwned>(table: &'static str, texts: &[String]) -> Result<Vec<T>> {
    texts
        .iter()
        .map(|text| serde_json::from_str(text).map_err(|error| Error::Row(table, error)))
        .collect()
}

async fn all<T: DeserializeOwned>(snapshot: &mut Snapshot<'_>, table: &'static str) -> Result<Vec<T>> {
    let texts = snapshot.rows(table).await.map_err(Error::Source)?;
    parse(table, &texts.unwrap_or_default())
}

/// Reads everything but identities and their overrides, as it is at one moment.
pub(crate) async fn read(flagsmith: &Flagsmith, report: &mut Report) -> Result<Configuration> {
    let mut s = flagsmith.snapshot().await.map_err(Error::Source)?;
    let shared = |texts: burgee_store::Result<Vec<String>>| texts.map_err(Error::Source);
    let mut read = Configuration {
        users: all(&mut s, "users_ffadminuser").await?,
        tokens: Some(all(&mut s, "authtoken_token").await?),
        mfa_methods: Some(all(&mut s, "trench_mfamethod").await?),
        organisations: all(&mut s, "organisations_organisation").await?,
        memberships: all(&mut s, "organisations_userorganisation").await?,
        groups: all(&mut s, "users_userpermissiongroup").await?,
        group_members: all(&mut s, "users_userpermissiongroup_users").await?,
        invites: Some(all(&mut s, "users_invite").await?),
        invite_groups: all(&mut s, "users_invite_permission_groups").await?,
        invite_links: Some(all(&mut s, "invites_invitelink").await?),
        master_api_keys: Some(all(&mut s, "api_keys_masterapikey").await?),
        grants: grants(&mut s).await?,
        projects: all(&mut s, "projects_project").await?,
        environments: all(&mut s, "environments_environment").await?,
        server_keys: all(&mut s, "environments_environmentapikey").await?,
        tags: all(&mut s, "tags_tag").await?,
        features: all(&mut s, "features_feature").await?,
        feature_tags: all(&mut s, "features_feature_tags").await?,
        feature_owners: all(&mut s, "features_feature_owners").await?,
        feature_group_owners: all(&mut s, "features_feature_group_owners").await?,
        options: all(&mut s, "multivariate_multivariatefeatureoption").await?,
        segments: all(&mut s, "segments_segment").await?,
        metadata: metadata(&mut s).await?,
        rules: HashMap::new(),
        links: parse("features_featuresegment", &shared(s.shared_links().await)?)?,
        states: parse("features_featurestate", &shared(s.shared_states().await)?)?,
        weights: parse(
            "multivariate_multivariatefeaturestatevalue",
            &shared(s.shared_weights().await)?,
        )?,
        history: None,
        pipelines: Some(Pipelines {
            pipelines: all(&mut s, "release_pipelines_core_releasepipeline").await?,
            stages: all(&mut s, "release_pipelines_core_pipelinestage").await?,
            triggers: all(&mut s, "release_pipelines_core_pipelinestagetrigger").await?,
            actions: all(&mut s, "release_pipelines_core_pipelinestageaction").await?,
        }),
        listeners: Some(listeners(&mut s).await?),
        surroundings: Some(Surroundings {
            health_providers: all(&mut s, "feature_health_featurehealthprovider").await?,
            health_events: all(&mut s, "feature_health_featurehealthevent").await?,
            repositories: all(&mut s, "code_references_vcsrepository").await?,
            scans: all(&mut s, "code_references_scannedcodereferences").await?,
            resources: all(&mut s, "feature_external_resources_featureexternalresource").await?,
            trust: all(&mut s, "trust_relationships_trustrelationship").await?,
        }),
        last_ids: last_ids(flagsmith).await?,
        not_taken: std::collections::BTreeMap::default(),
    };
    read.history = history(&mut s).await?;
    split_segments(&mut read);
    let drafts = read.history.iter().flat_map(|history| &history.segments);
    let ids: HashSet<i64> = read
        .segments
        .iter()
        .chain(drafts)
        .map(|segment| segment.id)
        .collect();
    read_rules(&mut s, &mut read, &ids, report).await?;
    count_what_has_no_place(&mut s, &mut read).await?;
    read.tidy();
    Ok(read)
}

async fn listeners(s: &mut Snapshot<'_>) -> Result<Listeners> {
    let mut listeners = Listeners {
        environment_webhooks: all(s, "environments_webhook").await?,
        organisation_webhooks: all(s, "organisations_organisationwebhook").await?,
        integrations: Vec::new(),
        slack_workspaces: all(s, "slack_slackconfiguration").await?,
    };
    for (kind, table, scope) in integrations::TABLES {
        listeners.integrations.push((kind, scope, all(s, table).await?));
    }
    Ok(listeners)
}

/// What is not served, where there is such a thing.
async fn history(s: &mut Snapshot<'_>) -> Result<Option<History>> {
    if !s.has_history() {
        return Ok(None);
    }
    let shared = |texts: burgee_store::Result<Vec<String>>| texts.map_err(Error::Source);
    Ok(Some(History {
        versions: parse(
            "feature_versioning_environmentfeatureversion",
            &shared(s.versions().await)?,
        )?,
        states: parse("features_featurestate", &shared(s.states_of_history().await)?)?,
        weights: parse(
            "multivariate_multivariatefeaturestatevalue",
            &shared(s.weights_of_history().await)?,
        )?,
        links: parse("features_featuresegment", &shared(s.links_of_history().await)?)?,
        change_sets: parse(
            "feature_versioning_versionchangeset",
            &shared(s.change_sets().await)?,
        )?,
        requests: all(s, "workflows_core_changerequest").await?,
        approvals: all(s, "workflows_core_changerequestapproval").await?,
        groups: all(s, "workflows_core_changerequestgroupassignment").await?,
        segments: Vec::new(),
        has_requests: true,
    }))
}

/// Earlier versions of a segment are rows beside it; it refers to itself. What a change request is to make of a segment
/// is such a row too, until it is committed.
fn split_segments(read: &mut Configuration) {
    let open: HashSet<i64> = (read.history.iter())
        .flat_map(|history| &history.requests)
        .filter(|request| request.committed_at.is_none())
        .map(|request| request.id)
        .collect();
    let is_draft = |segment: &Segment| {
        segment.version_of_id != Some(segment.id)
            && segment.change_request_id.is_some_and(|id| open.contains(&id))
    };
    let (drafts, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut read.segments).into_iter().partition(is_draft);
    read.segments = rest;
    read.segments
        .retain(|segment| segment.version_of_id.is_none_or(|of| of == segment.id));
    if let Some(history) = &mut read.history {
        history.segments = drafts;
    }
}

/// Tables whose rows stay when they are deleted, and what is made of them here.
static ID_TABLES: [(&str, &Table); 10] = [
    ("users_ffadminuser", &tables::USERS),
    ("organisations_organisation", &tables::ORGANISATIONS),
    ("projects_project", &tables::PROJECTS),
    ("environments_environment", &tables::ENVIRONMENTS),
    ("features_feature", &tables::FEATURES),
    ("segments_segment", &tables::SEGMENTS),
    ("features_featurestate", &tables::FEATURE_STATES),
    ("features_featuresegment", &tables::FEATURE_SEGMENTS),
    (
        "multivariate_multivariatefeaturestatevalue",
        &tables::STATE_OPTIONS,
    ),
    ("workflows_core_changerequest", &tables::CHANGE_REQUESTS),
];

async fn last_ids(flagsmith: &Flagsmith) -> Result<Vec<(&'static Table, i64)>> {
    let mut last = Vec::new();
    for (there, here) in ID_TABLES
        .iter()
        .copied()
        .filter(|(there, _)| flagsmith.has(there))
    {
        last.push((here, flagsmith.last_id(there).await.map_err(Error::Source)?));
    }
    Ok(last)
}

async fn metadata(s: &mut Snapshot<'_>) -> Result<Option<Metadata>> {
    Ok(Some(Metadata {
        content_types: all(s, "django_content_type").await?,
        fields: all(s, "metadata_metadatafield").await?,
        model_fields: all(s, "metadata_metadatamodelfield").await?,
        requirements: all(s, "metadata_metadatamodelfieldrequirement").await?,
        values: all(s, "metadata_metadata").await?,
    }))
}

async fn read_rules(
    s: &mut Snapshot<'_>,
    read: &mut Configuration,
    segments: &HashSet<i64>,
    report: &mut Report,
) -> Result<()> {
    let rows: Vec<Rule> = all(s, "segments_segmentrule").await?;
    let conditions: Vec<Condition> = all(s, "segments_condition").await?;
    let (by_segment, notes) = rules::from_rows(&rows, &conditions);
    for (segment, text) in notes
        .into_iter()
        .filter(|(segment, _)| segments.contains(segment))
    {
        report.note(noun::SEGMENT, segment, text);
    }
    read.rules = by_segment;
    read.rules.retain(|segment, _| segments.contains(segment));
    documents(read, report);
    Ok(())
}

/// Rules that come as a document, for segments that have none as rows.
pub(crate) fn documents(read: &mut Configuration, report: &mut Report) {
    let drafts = read.history.iter().flat_map(|history| &history.segments);
    for segment in read.segments.iter().chain(drafts) {
        let Some(document) = segment
            .rules_data
            .as_ref()
            .filter(|document| !document.is_null() && !read.rules.contains_key(&segment.id))
        else {
            continue;
        };
        let mut odd = Vec::new();
        let Some(rules) = rules::from_document(document, &mut odd) else {
            let text = "its rules can't be read: it matches nobody";
            report.note(noun::SEGMENT, segment.id, text);
            continue;
        };
        for text in odd {
            report.note(noun::SEGMENT, segment.id, text);
        }
        read.rules.insert(segment.id, rules);
    }
}

/// The tables of grants: of users and groups at each level, with the tables of their permissions.
const GRANTS: [(Level, &str, &str, &str); 6] = [
    (
        Level::Organisation,
        "organisation_permissions_userorganisationpermission",
        "organisation_permissions_userorganisationpermission_permissions",
        "userorganisationpermission_id",
    ),
    (
        Level::Organisation,
        "organisation_permissions_userpermissiongrouporganisationperbee4",
        "organisation_permissions_userpermissiongrouporganisationper792d",
        "userpermissiongrouporganisationpermission_id",
    ),
    (
        Level::Project,
        "projects_userprojectpermission",
        "projects_userprojectpermission_permissions",
        "userprojectpermission_id",
    ),
    (
        Level::Project,
        "projects_userpermissiongroupprojectpermission",
        "projects_userpermissiongroupprojectpermission_permissions",
        "userpermissiongroupprojectpermission_id",
    ),
    (
        Level::Environment,
        "environments_userenvironmentpermission",
        "environments_userenvironmentpermission_permissions",
        "userenvironmentpermission_id",
    ),
    (
        Level::Environment,
        "environments_userpermissiongroupenvironmentpermission",
        "environments_userpermissiongroupenvironmentpermission_permia538",
        "userpermissiongroupenvironmentpermission_id",
    ),
];

#[derive(Debug, Deserialize)]
struct GrantRow {
    id: i64,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    user_id: Option<i64>,
    #[serde(default)]
    group_id: Option<i64>,
    #[serde(alias = "organisation_id", alias = "project_id", alias = "environment_id")]
    object_id: i64,
}

async fn grants(s: &mut Snapshot<'_>) -> Result<Vec<Grant>> {
    let mut grants = Vec::new();
    for (level, table, keys_table, column) in GRANTS {
        let rows: Vec<GrantRow> = all(s, table).await?;
        let mut keys: HashMap<i64, Vec<String>> = HashMap::new();
        for row in all::<serde_json::Value>(s, keys_table).await? {
            if let (Some(id), Some(key)) = (row[column].as_i64(), row["permissionmodel_id"].as_str()) {
                keys.entry(id).or_default().push(key.to_owned());
            }
        }
        grants.extend(rows.into_iter().map(|row| Grant {
            id: row.id,
            level,
            object_id: row.object_id,
            user_id: row.user_id,
            group_id: row.group_id,
            admin: row.admin,
            permissions: keys.remove(&row.id).unwrap_or_default(),
        }));
    }
    Ok(grants)
}

/// What Burgee has no place for, by its table.
const NO_PLACE: [(&str, &str); 22] = [
    ("github_githubconfiguration", "GitHub integrations"),
    ("github_githubrepository", "GitHub repositories"),
    ("gitlab_gitlabconfiguration", "GitLab integrations"),
    ("experimentation_experiment", "experiments"),
    ("experimentation_metric", "experiment metrics"),
    ("experimentation_warehouseconnection", "warehouse connections"),
    (
        "cohorts_cohort",
        "cohorts (their segments stay, their members are no longer kept up)",
    ),
    ("admin_sso_assignment", "single sign-on for Django's admin pages"),
    ("auth_group", "groups of Django's admin pages"),
    (
        "users_ffadminuser_user_permissions",
        "permissions in Django's admin pages",
    ),
    ("rest_framework_api_key_apikey", "API keys of the framework"),
    ("organisations_subscription", "subscriptions"),
    ("app_analytics_featureevaluationbucket", "counts of evaluations"),
    (
        "app_analytics_featureevaluationraw",
        "counts of evaluations that were not summed up",
    ),
    ("app_analytics_apiusagebucket", "counts of API calls"),
    (
        "app_analytics_apiusageraw",
        "counts of API calls that were not summed up",
    ),
    ("features_import_export_featureexport", "feature exports"),
    ("features_import_export_featureimport", "feature imports"),
    (
        "launch_darkly_launchdarklyimportrequest",
        "imports from LaunchDarkly",
    ),
    (
        "segments_whitelistedsegment",
        "exceptions from the limit of conditions",
    ),
    (
        "release_pipelines_core_phasedrolloutstate",
        "phased rollouts (what they have reached stays)",
    ),
    ("audit_auditlog", "lines of the audit log (see --audit)"),
];

/// Tables that are read elsewhere, or that only belong to others that are counted.
const ACCOUNTED_FOR: [&str; 18] = [
    "environments_identity",
    "environments_trait",
    "features_featuresegment",
    "features_featurestate",
    "features_featurestatevalue",
    "multivariate_multivariatefeaturestatevalue",
    "feature_versioning_environmentfeatureversion",
    "feature_versioning_versionchangeset",
    "permissions_permissionmodel",
    "cohorts_cohortmembership",
    "experimentation_experimentexposures",
    "experimentation_experimentmetric",
    "experimentation_experimentresults",
    "experimentation_organisationingestioninfrastructure",
    "experimentation_warehousedeliverylog",
    "features_import_export_flagsmithonflagsmithfeatureexport",
    "gitlab_gitlabwebhook",
    "custom_auth_userpasswordresetrequest",
];

/// What the names begin with of tables that the framework, or the service around it, keeps for itself.
const HOUSEKEEPING: [&str; 20] = [
    "_alembic",
    "auth_group_permissions",
    "auth_permission",
    "axes_",
    "django_",
    "health_check_",
    "oauth2_provider_",
    "organisations_apilimitaccessblock",
    "organisations_hubspot",
    "organisations_organisationapi",
    "organisations_organisationbreached",
    "organisations_organisationsubscriptioninformationcache",
    "pg_",
    "segment_membership_",
    "social_auth_",
    "softdelete_",
    "task_processor_",
    "token_blacklist_",
    "users_ffadminuser_groups",
    "users_hubspot",
];

async fn count_what_has_no_place(s: &mut Snapshot<'_>, read: &mut Configuration) -> Result<()> {
    for (table, name) in NO_PLACE {
        let count = s.count(table).await.map_err(Error::Source)?;
        if count > 0 {
            read.not_taken.insert(name.to_owned(), count);
        }
    }
    // Of editions and versions that are not known here: nothing is left behind without a word.
    for table in s.unseen() {
        let is_known = ACCOUNTED_FOR.contains(&table.as_str())
            || table.contains("historical")
            || HOUSEKEEPING.iter().any(|prefix| table.starts_with(prefix));
        if is_known {
            continue;
        }
        let count = s.count(&table).await.map_err(Error::Source)?;
        if count > 0 {
            read.not_taken
                .insert(format!("rows of {table}, which is not known here"), count);
        }
    }
    Ok(())
}
