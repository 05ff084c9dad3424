//! When features last changed, and whether they are asked for: what staleness and life cycle are told from.

use crate::{Result, Tx, row, sql};

row! {
    /// A moment at which something about a feature changed.
    pub struct Touched {
        pub feature_id: i64,
        pub at: i64,
    }
}

/// When the newest state of each feature of a project was written, in whichever environment.
pub async fn states_touched(tx: &mut Tx, project_id: i64) -> Result<Vec<Touched>> {
    sql!(
        tx,
        fetch_all as Touched,
        "SELECT f.id AS feature_id, COALESCE(MAX(s.updated_at), f.created_at) AS at
         FROM features f LEFT JOIN feature_states s ON s.feature_id = f.id
         WHERE f.project_id = $1 GROUP BY f.id, f.created_at",
        project_id
    )
}

row! {
    /// What the log says that somebody did to a feature or to a state of one.
    pub struct Done {
        pub object_type: String,
        pub object_id: i64,
        pub before: Option<String>,
        pub at: i64,
    }
}

/// What people and keys did to features, and which states they deleted, since a moment.
pub async fn done_since(tx: &mut Tx, project_id: i64, since: i64) -> Result<Vec<Done>> {
    sql!(
        tx,
        fetch_all as Done,
        "SELECT object_type, object_id, CASE WHEN object_type = 'FEATURE' THEN NULL ELSE before END AS before, at
         FROM changes
         WHERE project_id = $1 AND at > $2 AND (user_id IS NOT NULL OR api_key_id IS NOT NULL)
           AND (object_type = 'FEATURE' OR (object_type = 'FEATURE_STATE' AND action = 'DELETE'))",
        project_id,
        since
    )
}

/// The names of the features that were asked for in an environment since a moment.
pub async fn evaluated_since(tx: &mut Tx, environment_id: i64, since: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        "SELECT DISTINCT feature_name FROM feature_evaluations_raw WHERE environment_id = $1 AND created_at > $2",
        environment_id,
        since
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}
