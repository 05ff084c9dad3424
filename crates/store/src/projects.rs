//! Projects.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A project: features and segments, shared by its environments.
    pub struct Project {
        pub id: i64,
        pub uuid: String,
        pub organisation_id: i64,
        pub name: String,
        pub created_at: i64,
        pub hide_disabled_flags: bool,
        pub prevent_flag_defaults: bool,
        pub enable_realtime_updates: bool,
        pub only_allow_lower_case_feature_names: bool,
        pub feature_name_regex: Option<String>,
        pub stale_flags_limit_days: i64,
        pub minimum_change_request_approvals: Option<i64>,
        pub enforce_feature_owners: bool,
        /// Whether its clients use the "edge" set of identity operations.
        pub use_edge_identities: bool,
        /// How much it may hold; `None`: as much as it likes.
        pub max_features_allowed: Option<i64>,
        pub max_segments_allowed: Option<i64>,
        /// In one environment.
        pub max_segment_overrides_allowed: Option<i64>,
        /// What is done about personal data that would be stored: off, warn, hash, refuse.
        pub pii_mode: String,
        /// JSON lists: keys of traits that are not looked at, and patterns of values that are fine.
        pub pii_allowed_traits: String,
        pub pii_allowed_values: String,
        /// What hashes are made with; `None`: the uuid.
        pub pii_salt: Option<String>,
    }
}

/// One project.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Project>> {
    sql!(
        tx,
        fetch_optional as Project,
        "SELECT * FROM projects WHERE id = $1",
        id
    )
}

/// One project by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Project>> {
    sql!(
        tx,
        fetch_optional as Project,
        "SELECT * FROM projects WHERE uuid = $1",
        uuid
    )
}

/// The projects of an organisation, or of all, oldest first.
pub async fn list(tx: &mut Tx, organisation_id: Option<i64>) -> Result<Vec<Project>> {
    sql!(
        tx,
        fetch_all as Project,
        "SELECT * FROM projects WHERE CAST($1 AS BIGINT) IS NULL OR organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// Writes a new project (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, p: &Project) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO projects (uuid, organisation_id, name, created_at, hide_disabled_flags, prevent_flag_defaults,
             enable_realtime_updates, only_allow_lower_case_feature_names, feature_name_regex,
             stale_flags_limit_days, minimum_change_request_approvals, enforce_feature_owners, use_edge_identities,
             max_features_allowed, max_segments_allowed, max_segment_overrides_allowed, pii_mode, pii_allowed_traits,
             pii_allowed_values, pii_salt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) RETURNING id",
        &p.uuid,
        p.organisation_id,
        &p.name,
        p.created_at,
        p.hide_disabled_flags,
        p.prevent_flag_defaults,
        p.enable_realtime_updates,
        p.only_allow_lower_case_feature_names,
        p.feature_name_regex.as_deref(),
        p.stale_flags_limit_days,
        p.minimum_change_request_approvals,
        p.enforce_feature_owners,
        p.use_edge_identities,
        p.max_features_allowed,
        p.max_segments_allowed,
        p.max_segment_overrides_allowed,
        &p.pii_mode,
        &p.pii_allowed_traits,
        &p.pii_allowed_values,
        p.pii_salt.as_deref()
    )?;
    Ok(id)
}

/// Writes every changeable column of a project.
pub async fn update(tx: &mut Tx, p: &Project) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE projects SET name = $2, hide_disabled_flags = $3, prevent_flag_defaults = $4,
             enable_realtime_updates = $5, only_allow_lower_case_feature_names = $6, feature_name_regex = $7,
             stale_flags_limit_days = $8, minimum_change_request_approvals = $9, enforce_feature_owners = $10,
             use_edge_identities = $11, max_features_allowed = $12, max_segments_allowed = $13,
             max_segment_overrides_allowed = $14, pii_mode = $15, pii_allowed_traits = $16,
             pii_allowed_values = $17
         WHERE id = $1",
        p.id,
        &p.name,
        p.hide_disabled_flags,
        p.prevent_flag_defaults,
        p.enable_realtime_updates,
        p.only_allow_lower_case_feature_names,
        p.feature_name_regex.as_deref(),
        p.stale_flags_limit_days,
        p.minimum_change_request_approvals,
        p.enforce_feature_owners,
        p.use_edge_identities,
        p.max_features_allowed,
        p.max_segments_allowed,
        p.max_segment_overrides_allowed,
        &p.pii_mode,
        &p.pii_allowed_traits,
        &p.pii_allowed_values
    )
}

/// Deletes a project with all that is in it.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM projects WHERE id = $1", id)
}

row! {
    /// How much is in a project.
    pub struct Usage {
        pub features: i64,
        pub segments: i64,
    }
}

/// Counts what is in a project.
pub async fn usage(tx: &mut Tx, id: i64) -> Result<Usage> {
    sql!(
        tx,
        fetch_one as Usage,
        "SELECT (SELECT COUNT(*) FROM features WHERE project_id = $1) AS features,
                (SELECT COUNT(*) FROM segments WHERE project_id = $1) AS segments",
        id
    )
}
