//! Environments.

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
