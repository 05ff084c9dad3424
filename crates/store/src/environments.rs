//! Environments.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An environment: where features have states and identities live.
    pub struct Environment {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub name: String,
        /// The client-side key.
        pub api_key: String,
        pub description: Option<String>,
        pub created_at: i64,
        /// When an answer of this environment last changed: the version SDKs compare.
        pub updated_at: i64,
        pub minimum_change_request_approvals: Option<i64>,
        pub allow_client_traits: bool,
        pub banner_text: Option<String>,
        pub banner_colour: Option<String>,
        /// `None`: as the project says.
        pub hide_disabled_flags: Option<bool>,
        pub use_identity_composite_key_for_hashing: bool,
        pub hide_sensitive_data: bool,
        pub use_v2_feature_versioning: bool,
        pub use_identity_overrides_in_local_eval: bool,
        pub first_evaluated_at: Option<i64>,
        pub first_evaluated_sdk_label: Option<String>,
    }
}

/// One environment.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Environment>> {
    sql!(
        tx,
        fetch_optional as Environment,
        "SELECT * FROM environments WHERE id = $1",
        id
    )
}

/// One environment by its client-side key.
pub async fn find_by_key(tx: &mut Tx, api_key: &str) -> Result<Option<Environment>> {
    sql!(
        tx,
        fetch_optional as Environment,
        "SELECT * FROM environments WHERE api_key = $1",
        api_key
    )
}

/// The ids of the environments that a change of this scope concerns (the narrowest given one counts; all without any).
pub async fn ids_in_scope(
    tx: &mut Tx,
    organisation_id: Option<i64>,
    project_id: Option<i64>,
) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sql!(
        tx,
        fetch_all as (i64,),
        "SELECT e.id AS id FROM environments e JOIN projects p ON p.id = e.project_id
         WHERE (CAST($2 AS BIGINT) IS NOT NULL AND e.project_id = $2)
            OR (CAST($2 AS BIGINT) IS NULL AND (CAST($1 AS BIGINT) IS NULL OR p.organisation_id = $1))
         ORDER BY e.id",
        organisation_id,
        project_id
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Notes when an SDK first asked, and which. Changes nothing when it is noted already.
pub async fn note_first_evaluation(tx: &mut Tx, id: i64, at: i64, label: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE environments SET first_evaluated_at = $2, first_evaluated_sdk_label = $3
         WHERE id = $1 AND first_evaluated_at IS NULL",
        id,
        at,
        label
    )
}

/// One environment by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Environment>> {
    sql!(
        tx,
        fetch_optional as Environment,
        "SELECT * FROM environments WHERE uuid = $1",
        uuid
    )
}

/// One environment by its client-side key, held until the end of the transaction so that two edits don't undo each
/// other.
pub async fn lock_by_key(tx: &mut Tx, api_key: &str) -> Result<Option<Environment>> {
    sql!(
        tx,
        fetch_optional as Environment,
        sqlite: "SELECT * FROM environments WHERE api_key = $1",
        postgres: "SELECT * FROM environments WHERE api_key = $1 FOR UPDATE",
        api_key
    )
}

/// The environments of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Environment>> {
    sql!(
        tx,
        fetch_all as Environment,
        "SELECT * FROM environments WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// Whether another environment of the project has this name.
pub async fn name_is_taken(tx: &mut Tx, project_id: i64, name: &str, except_id: i64) -> Result<bool> {
    let row: Option<Id> = sql!(
        tx,
        fetch_optional as Id,
        "SELECT id FROM environments WHERE project_id = $1 AND name = $2 AND id <> $3",
        project_id,
        name,
        except_id
    )?;
    Ok(row.is_some())
}

/// Writes a new environment (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, e: &Environment) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO environments (uuid, project_id, name, api_key, description, created_at, updated_at,
             minimum_change_request_approvals, allow_client_traits, banner_text, banner_colour, hide_disabled_flags,
             use_identity_composite_key_for_hashing, hide_sensitive_data, use_v2_feature_versioning,
             use_identity_overrides_in_local_eval, first_evaluated_at, first_evaluated_sdk_label)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING id",
        &e.uuid,
        e.project_id,
        &e.name,
        &e.api_key,
        e.description.as_deref(),
        e.created_at,
        e.updated_at,
        e.minimum_change_request_approvals,
        e.allow_client_traits,
        e.banner_text.as_deref(),
        e.banner_colour.as_deref(),
        e.hide_disabled_flags,
        e.use_identity_composite_key_for_hashing,
        e.hide_sensitive_data,
        e.use_v2_feature_versioning,
        e.use_identity_overrides_in_local_eval,
        e.first_evaluated_at,
        e.first_evaluated_sdk_label.as_deref()
    )?;
    Ok(id)
}

/// Writes the settings of an environment.
pub async fn update(tx: &mut Tx, e: &Environment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE environments SET name = $2, description = $3, allow_client_traits = $4, banner_text = $5,
             banner_colour = $6, hide_disabled_flags = $7, use_identity_composite_key_for_hashing = $8,
             hide_sensitive_data = $9, use_identity_overrides_in_local_eval = $10, minimum_change_request_approvals = $11
         WHERE id = $1",
        e.id,
        &e.name,
        e.description.as_deref(),
        e.allow_client_traits,
        e.banner_text.as_deref(),
        e.banner_colour.as_deref(),
        e.hide_disabled_flags,
        e.use_identity_composite_key_for_hashing,
        e.hide_sensitive_data,
        e.use_identity_overrides_in_local_eval,
        e.minimum_change_request_approvals
    )
}

/// Deletes an environment with all that is in it.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM environments WHERE id = $1", id)
}

row! {
    /// How much is in an environment.
    pub struct Counts {
        pub features: i64,
        pub enabled_features: i64,
        pub segment_overrides: i64,
        pub identity_overrides: i64,
    }
}

/// Counts the feature states of an environment, by what they are for.
pub async fn counts(tx: &mut Tx, id: i64) -> Result<Counts> {
    sql!(
        tx,
        fetch_one as Counts,
        "SELECT (SELECT COUNT(*) FROM feature_states WHERE environment_id = $1
                     AND identity_id IS NULL AND feature_segment_id IS NULL) AS features,
                (SELECT COUNT(*) FROM feature_states WHERE environment_id = $1
                     AND identity_id IS NULL AND feature_segment_id IS NULL AND enabled) AS enabled_features,
                (SELECT COUNT(*) FROM feature_states WHERE environment_id = $1
                     AND feature_segment_id IS NOT NULL) AS segment_overrides,
                (SELECT COUNT(*) FROM feature_states WHERE environment_id = $1
                     AND identity_id IS NOT NULL) AS identity_overrides",
        id
    )
}

/// Writes whether features of an environment change by versions.
pub async fn set_versioning(tx: &mut Tx, id: i64, versioned: bool) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE environments SET use_v2_feature_versioning = $2 WHERE id = $1",
        id,
        versioned
    )
}
