//! Every limit of the product, stated once. Lengths are in characters (Unicode code points).

/// Length of an identity's identifier.
pub const IDENTIFIER_LENGTH: usize = 2000;
/// Length of a trait's key.
pub const TRAIT_KEY_LENGTH: usize = 200;
/// Length of a trait's text value.
pub const TRAIT_VALUE_LENGTH: usize = 2000;
/// Traits stored on one identity. A trait's id is made of its identity's id and its slot below this number.
pub const TRAITS_PER_IDENTITY: i64 = 4096;
/// Keys of traits that one environment lists.
pub const TRAIT_KEYS_LISTED: i64 = 10_000;
/// Identities in one bulk request (`bulk-identities`).
pub const BULK_IDENTITIES: usize = 100;
/// Length of a feature's name.
pub const FEATURE_NAME_LENGTH: usize = 2000;
/// Length of a feature's text value.
pub const FEATURE_VALUE_LENGTH: usize = 20_000;
/// Features of one project.
pub const FEATURES_PER_PROJECT: i64 = 1000;
/// Segments of one project.
pub const SEGMENTS_PER_PROJECT: i64 = 500;
/// Segment overrides in one environment.
pub const SEGMENT_OVERRIDES_PER_ENVIRONMENT: i64 = 2000;
/// Conditions of one segment, over all its rules.
pub const CONDITIONS_PER_SEGMENT: usize = 100;
/// Length of the value of a condition.
pub const CONDITION_VALUE_LENGTH: usize = 1000;
/// Length of the property of a condition.
pub const CONDITION_PROPERTY_LENGTH: usize = 1000;
/// Members of one list. A node keeps some nine bytes of each in memory.
pub const MEMBERS_PER_LIST: usize = 100_000_000;
/// Members that one request names in JSON; uploads of files have no such limit.
pub const MEMBERS_PER_REQUEST: usize = 10_000;
/// Length of the key of a list segment.
pub const LIST_KEY_LENGTH: usize = 256;
/// Length of the name of a context kind.
pub const CONTEXT_KIND_LENGTH: usize = 64;
/// Lists of members that one segment has in one environment: a context kind each, on either side.
pub const LISTS_PER_SEGMENT: usize = 20;
/// Members of the lists of one segment that the environment document carries; what has more is only evaluated here.
pub const MEMBERS_IN_DOCUMENT: i64 = 1_000;
/// Members that one environment document carries in all.
pub const ALL_MEMBERS_IN_DOCUMENT: i64 = 20_000;
/// Bytes of a file of members to upload, as it arrives and unpacked.
pub const MEMBERS_FILE_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Changes in one change request, of each kind.
pub const CHANGES_PER_REQUEST: usize = 500;
/// Changes in one preview, of each kind: they are made and taken back while other writes wait.
pub const PREVIEWED_CHANGES: usize = 100;
/// Bytes of a document of features to import.
pub const FEATURE_IMPORT_BYTES: usize = 1024 * 1024;
/// Bytes of the file of a project or an organisation to import, its identities included.
pub const IMPORT_FILE_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Places of features that one scan of a repository reports.
pub const CODE_REFERENCES_PER_SCAN: usize = 10_000;
/// Paragraphs, and addresses, of the reason in one report of a feature's health.
pub const HEALTH_REASON_BLOCKS: usize = 20;
/// Reports of features' health in one message.
pub const HEALTH_REPORTS: usize = 100;
/// Evaluations of one feature in one report; more is no count but a mistake.
pub const EVALUATIONS_PER_REPORT: i64 = 1_000_000_000;
/// Rows on a page of a list: the default and the most.
pub const PAGE_SIZE: i64 = 999;
/// Bytes of a request body.
pub const BODY_BYTES: usize = 10 * 1024 * 1024;
/// What an organisation is told to have subscribed to: the plan for which dashboards hide nothing.
pub const PLAN: &str = "enterprise";
/// Members of an organisation, as clients are told; nothing counts against it.
pub const SEATS: i64 = 1_000_000;
/// Calls of the SDK API in a month, as clients are told; nothing counts against it.
pub const API_CALLS: i64 = 1_000_000_000_000;
/// Webhooks of one environment, or of one organisation.
pub const WEBHOOKS: usize = 50;
/// Characters of the address of a webhook.
pub const WEBHOOK_URL_LENGTH: usize = 200;
/// Characters of the secret of a webhook.
pub const WEBHOOK_SECRET_LENGTH: usize = 255;
/// Entries of each kind in what a project allows although it looks like personal data.
pub const PII_ALLOWED: usize = 100;
/// Places of a project in which personal data was found that are counted by the names of their traits; what is found in
/// others is counted without.
pub const PII_PLACES: i64 = 500;
