//! The kinds of rows, as reports name them and as the database keeps them.

pub const USER: &str = "users";
pub const TOKEN: &str = "user tokens";
pub const SECOND_FACTOR: &str = "second factors";
pub const ORGANISATION: &str = "organisations";
pub const MEMBER: &str = "members";
pub const GROUP: &str = "groups";
pub const GROUP_MEMBER: &str = "group members";
pub const INVITE: &str = "invites";
pub const INVITE_LINK: &str = "invite links";
pub const MASTER_API_KEY: &str = "master API keys";
pub const PROJECT: &str = "projects";
pub const ENVIRONMENT: &str = "environments";
pub const SERVER_KEY: &str = "server-side keys";
pub const TAG: &str = "tags";
pub const FEATURE: &str = "features";
pub const FEATURE_TAG: &str = "feature tags";
pub const FEATURE_OWNER: &str = "feature owners";
pub const FEATURE_GROUP_OWNER: &str = "feature group owners";
pub const OPTION: &str = "multivariate options";
pub const SEGMENT: &str = "segments";
pub const FEATURE_SEGMENT: &str = "feature segments";
pub const FEATURE_STATE: &str = "feature states";
pub const STATE_OPTION: &str = "option weights";
pub const FEATURE_VERSION: &str = "feature versions";
pub const SCHEDULED_CHANGE: &str = "scheduled changes";
pub const CHANGE_REQUEST: &str = "change requests";
pub const CHANGE_REQUEST_PART: &str = "changes of change requests";
pub const APPROVAL: &str = "approvals";
pub const GROUP_ASSIGNMENT: &str = "groups asked to approve";
pub const PROVIDER_ACCOUNT: &str = "accounts elsewhere";
pub const PIPELINE: &str = "release pipelines";
pub const PIPELINE_STAGE: &str = "stages of release pipelines";
pub const PIPELINE_ACTION: &str = "actions of release pipelines";
pub const HEALTH_PROVIDER: &str = "feature health providers";
pub const HEALTH_EVENT: &str = "feature health events";
pub const CODE_REPOSITORY: &str = "code repositories";
pub const CODE_REFERENCE: &str = "code references";
pub const EXTERNAL_RESOURCE: &str = "external resources";
pub const TRUST_RELATIONSHIP: &str = "trust relationships";
pub const WEBHOOK: &str = "webhooks of environments";
pub const ORGANISATION_WEBHOOK: &str = "webhooks of organisations";
pub const INTEGRATION: &str = "integrations";
pub const SLACK_WORKSPACE: &str = "Slack workspaces";
pub const METADATA_FIELD: &str = "custom fields";
pub const METADATA_MODEL_FIELD: &str = "custom fields by kind";
pub const METADATA_REQUIREMENT: &str = "required custom fields";
pub const METADATA_VALUE: &str = "values of custom fields";
pub const IDENTITY: &str = "identities";
pub const IDENTITY_OVERRIDE: &str = "identity overrides";
/// Of users and of groups, at organisations, projects and environments.
pub const GRANTS: [&str; 6] = [
    "organisation permissions",
    "organisation group permissions",
    "project permissions",
    "project group permissions",
    "environment permissions",
    "environment group permissions",
];
