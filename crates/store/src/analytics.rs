//! Raw counts of evaluations and of API calls, as they come in.

use serde_json::json;

use crate::{Db, Result, Tx, query, sql};

/// A reported count of evaluations of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationCount {
    pub environment_id: i64,
    pub feature_name: String,
    pub evaluation_count: i64,
    pub identity_identifier: Option<String>,
    pub enabled_when_evaluated: Option<bool>,
    pub created_at: i64,
}

/// A count of API calls.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageCount {
    pub environment_id: i64,
    /// 1 flags, 2 identities, 3 traits, 4 environment document.
    pub resource: i64,
    pub count: i64,
    pub created_at: i64,
}

/// Adds counts of evaluations, however many, in one statement.
pub async fn insert_evaluations(tx: &mut Tx, rows: &[EvaluationCount]) -> Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|r| {
            let truth = r.enabled_when_evaluated.map(i64::from);
            json!([
                r.environment_id,
                r.feature_name,
                r.evaluation_count,
                r.identity_identifier,
                truth,
                r.created_at
            ])
        })
        .collect();
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO feature_evaluations_raw (environment_id, feature_name, evaluation_count,
                     identity_identifier, enabled_when_evaluated, labels, created_at)
                 SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, '{}', r.value ->> 5
                 FROM json_each($1) r",
        postgres: "INSERT INTO feature_evaluations_raw (environment_id, feature_name, evaluation_count,
                       identity_identifier, enabled_when_evaluated, labels, created_at)
                   SELECT CAST(r.value ->> 0 AS BIGINT), r.value ->> 1, CAST(r.value ->> 2 AS BIGINT), r.value ->> 3,
                          CAST(r.value ->> 4 AS BIGINT) = 1, '{}', CAST(r.value ->> 5 AS BIGINT)
                   FROM json_array_elements(CAST($1 AS JSON)) r",
        serde_json::Value::from(rows).to_string()
    )?;
    Ok(())
}

/// Adds counts of API calls in one statement.
pub async fn insert_usage(tx: &mut Tx, rows: &[UsageCount], host: &str) -> Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|r| json!([r.environment_id, r.resource, r.count, r.created_at]))
        .collect();
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO api_usage_raw (environment_id, resource, host, count, labels, created_at)
                 SELECT r.value ->> 0, r.value ->> 1, $2, r.value ->> 2, '{}', r.value ->> 3 FROM json_each($1) r",
        postgres: "INSERT INTO api_usage_raw (environment_id, resource, host, count, labels, created_at)
                   SELECT CAST(r.value ->> 0 AS BIGINT), CAST(r.value ->> 1 AS BIGINT), $2,
                          CAST(r.value ->> 2 AS BIGINT), '{}', CAST(r.value ->> 3 AS BIGINT)
                   FROM json_array_elements(CAST($1 AS JSON)) r",
        serde_json::Value::from(rows).to_string(),
        host
    )?;
    Ok(())
}

/// Deletes raw counts that came in before a moment.
pub async fn delete_before(tx: &mut Tx, at: i64) -> Result<u64> {
    let evaluations = sql!(
        tx,
        execute,
        "DELETE FROM feature_evaluations_raw WHERE created_at < $1",
        at
    )?;
    let usage = sql!(tx, execute, "DELETE FROM api_usage_raw WHERE created_at < $1", at)?;
    Ok(evaluations + usage)
}

/// Takes the name of a deleted identity out of the counts.
pub async fn forget_identity(tx: &mut Tx, environment_id: i64, identifier: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_evaluations_raw SET identity_identifier = NULL
         WHERE environment_id = $1 AND identity_identifier = $2",
        environment_id,
        identifier
    )
}

/// How often a feature was evaluated in an environment, as far as raw counts reach back.
pub async fn total_evaluations(db: &Db, environment_id: i64, feature_name: &str) -> Result<i64> {
    let (total,): (i64,) = query!(
        db,
        fetch_one as (i64,),
        "SELECT CAST(COALESCE(SUM(evaluation_count), 0) AS BIGINT) AS total FROM feature_evaluations_raw
         WHERE environment_id = $1 AND feature_name = $2",
        environment_id,
        feature_name
    )?;
    Ok(total)
}
