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

row! {
    /// When programs last told that they asked for a feature in an environment.
    pub struct LastEvaluated {
        pub environment_id: i64,
        pub feature_id: i64,
        pub at: i64,
    }
}

/// The features that were asked for in an environment since a moment.
pub async fn evaluated_since(tx: &mut Tx, environment_id: i64, since: i64) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sql!(
        tx,
        fetch_all as (i64,),
        "SELECT feature_id FROM feature_last_evaluated WHERE environment_id = $1 AND at > $2",
        environment_id,
        since
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// When a feature was last asked for, in each environment in which it was.
pub async fn last_evaluated(tx: &mut Tx, feature_id: i64) -> Result<Vec<LastEvaluated>> {
    sql!(
        tx,
        fetch_all as LastEvaluated,
        "SELECT environment_id, feature_id, at FROM feature_last_evaluated WHERE feature_id = $1 ORDER BY environment_id",
        feature_id
    )
}

/// Notes that features were asked for. What is noted already and later stays; features and environments that are gone by
/// now are passed over.
pub async fn note_evaluated(tx: &mut Tx, rows: &[LastEvaluated]) -> Result<u64> {
    let rows: Vec<[i64; 3]> = rows
        .iter()
        .map(|row| [row.environment_id, row.feature_id, row.at])
        .collect();
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO feature_last_evaluated (environment_id, feature_id, at)
                 SELECT e.id, f.id, r.value ->> 2 FROM json_each($1) r
                 JOIN environments e ON e.id = r.value ->> 0 JOIN features f ON f.id = r.value ->> 1
                 WHERE true
                 ON CONFLICT (environment_id, feature_id) DO UPDATE SET at = excluded.at
                 WHERE feature_last_evaluated.at < excluded.at",
        postgres: "INSERT INTO feature_last_evaluated (environment_id, feature_id, at)
                   SELECT e.id, f.id, CAST(r.value ->> 2 AS BIGINT) FROM json_array_elements(CAST($1 AS JSON)) r
                   JOIN environments e ON e.id = CAST(r.value ->> 0 AS BIGINT)
                   JOIN features f ON f.id = CAST(r.value ->> 1 AS BIGINT)
                   ORDER BY e.id, f.id
                   ON CONFLICT (environment_id, feature_id) DO UPDATE SET at = excluded.at
                   WHERE feature_last_evaluated.at < excluded.at",
        serde_json::json!(rows).to_string()
    )
}
