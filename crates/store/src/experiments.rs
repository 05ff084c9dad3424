//! Experiments, and the metrics they are measured by.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// Something that can be measured.
    pub struct Metric {
        pub id: i64,
        pub uuid: String,
        pub environment_id: i64,
        pub name: String,
        pub description: String,
        /// `count`, `sum`, `mean` or `occurrence`.
        pub aggregation: String,
        /// `up`, `down` or `informational`: what is better.
        pub direction: String,
        /// JSON.
        pub definition: String,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

row! {
    /// A comparison of the variants of a feature in an environment.
    pub struct Experiment {
        pub id: i64,
        pub uuid: String,
        pub environment_id: i64,
        pub feature_id: i64,
        pub name: String,
        pub hypothesis: String,
        /// `created`, `running`, `paused` or `completed`.
        pub status: String,
        /// JSON: what those in the experiment get, while it runs.
        pub rollout: Option<String>,
        pub rollout_segment_id: Option<i64>,
        /// JSON: what was counted last.
        pub exposures: Option<String>,
        pub results: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
        pub started_at: Option<i64>,
        pub ended_at: Option<i64>,
    }
}

row! {
    /// That an experiment is measured by a metric.
    pub struct ExperimentMetric {
        pub id: i64,
        pub experiment_id: i64,
        pub metric_id: i64,
        pub expected_direction: String,
        pub created_at: i64,
    }
}

/// The metrics of an environment, oldest first.
pub async fn metrics(tx: &mut Tx, environment_id: i64) -> Result<Vec<Metric>> {
    sql!(
        tx,
        fetch_all as Metric,
        "SELECT * FROM metrics WHERE environment_id = $1 ORDER BY id",
        environment_id
    )
}

/// Writes a new metric (its `id` is ignored) and returns its id.
pub async fn insert_metric(tx: &mut Tx, m: &Metric) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO metrics (uuid, environment_id, name, description, aggregation, direction, definition, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        &m.uuid,
        m.environment_id,
        &m.name,
        &m.description,
        &m.aggregation,
        &m.direction,
        &m.definition,
        m.created_at,
        m.updated_at
    )?;
    Ok(id)
}

/// Writes every changeable column of a metric.
pub async fn update_metric(tx: &mut Tx, m: &Metric) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE metrics SET name = $2, description = $3, aggregation = $4, direction = $5, definition = $6,
             updated_at = $7
         WHERE id = $1",
        m.id,
        &m.name,
        &m.description,
        &m.aggregation,
        &m.direction,
        &m.definition,
        m.updated_at
    )
}

/// Deletes a metric.
pub async fn delete_metric(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM metrics WHERE id = $1", id)
}

/// The experiments of an environment, newest first.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<Experiment>> {
    sql!(
        tx,
        fetch_all as Experiment,
        "SELECT * FROM experiments WHERE environment_id = $1 ORDER BY id DESC",
        environment_id
    )
}

/// Writes a new experiment (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, e: &Experiment) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO experiments (uuid, environment_id, feature_id, name, hypothesis, status, rollout, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        &e.uuid,
        e.environment_id,
        e.feature_id,
        &e.name,
        &e.hypothesis,
        &e.status,
        e.rollout.as_deref(),
        e.created_at,
        e.updated_at
    )?;
    Ok(id)
}

/// Writes every changeable column of an experiment.
pub async fn update(tx: &mut Tx, e: &Experiment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE experiments SET name = $2, hypothesis = $3, status = $4, rollout = $5, rollout_segment_id = $6,
             exposures = $7, results = $8, updated_at = $9, started_at = $10, ended_at = $11
         WHERE id = $1",
        e.id,
        &e.name,
        &e.hypothesis,
        &e.status,
        e.rollout.as_deref(),
        e.rollout_segment_id,
        e.exposures.as_deref(),
        e.results.as_deref(),
        e.updated_at,
        e.started_at,
        e.ended_at
    )
}

/// Deletes an experiment.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM experiments WHERE id = $1", id)
}

/// By which metrics the experiments of an environment are measured.
pub async fn links(tx: &mut Tx, environment_id: i64) -> Result<Vec<ExperimentMetric>> {
    sql!(
        tx,
        fetch_all as ExperimentMetric,
        "SELECT l.* FROM experiment_metrics l JOIN experiments e ON e.id = l.experiment_id
         WHERE e.environment_id = $1 ORDER BY l.id",
        environment_id
    )
}

/// Measures an experiment by one more metric; returns the id of this.
pub async fn insert_link(tx: &mut Tx, l: &ExperimentMetric) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO experiment_metrics (experiment_id, metric_id, expected_direction, created_at)
         VALUES ($1, $2, $3, $4) RETURNING id",
        l.experiment_id,
        l.metric_id,
        &l.expected_direction,
        l.created_at
    )?;
    Ok(id)
}

/// Writes by what, and what is expected of it.
pub async fn update_link(tx: &mut Tx, l: &ExperimentMetric) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE experiment_metrics SET metric_id = $2, expected_direction = $3 WHERE id = $1",
        l.id,
        l.metric_id,
        &l.expected_direction
    )
}

/// Measures an experiment no longer by a metric.
pub async fn delete_link(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM experiment_metrics WHERE id = $1", id)
}

row! {
    /// How many identities got a variant, and how many of them did what was hoped for.
    pub struct VariantCount {
        pub variant: String,
        pub evaluations: i64,
        pub conversions: i64,
    }
}

/// Counts the identities of an environment by the variant that one of their traits names; another trait says whether
/// they converted.
pub async fn count_variants(
    tx: &mut Tx,
    environment_id: i64,
    variant_key: &str,
    converted_key: &str,
) -> Result<Vec<VariantCount>> {
    sql!(
        tx,
        fetch_all as VariantCount,
        sqlite: "SELECT CAST(v.value ->> 2 AS TEXT) AS variant, COUNT(*) AS evaluations,
                        CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM json_each(i.traits) c
                             WHERE c.value ->> 1 = $3 AND c.value ->> 2 IN (1, 'true')) THEN 1 ELSE 0 END) AS BIGINT)
                            AS conversions
                 FROM identities i JOIN json_each(i.traits) v ON v.value ->> 1 = $2
                 WHERE i.environment_id = $1 GROUP BY 1 ORDER BY 1",
        postgres: "SELECT CAST(v.value ->> 2 AS TEXT) AS variant, COUNT(*) AS evaluations,
                          CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM json_array_elements(CAST(i.traits AS JSON)) c
                               WHERE c.value ->> 1 = $3 AND c.value ->> 2 IN ('1', 'true')) THEN 1 ELSE 0 END) AS BIGINT)
                              AS conversions
                   FROM identities i CROSS JOIN LATERAL json_array_elements(CAST(i.traits AS JSON)) v
                   WHERE i.environment_id = $1 AND v.value ->> 1 = $2 GROUP BY 1 ORDER BY 1",
        environment_id,
        variant_key,
        converted_key
    )
}

/// How often a feature was evaluated in an environment since a moment, as far as counts are kept.
pub async fn evaluations_since(
    tx: &mut Tx,
    environment_id: i64,
    feature_name: &str,
    since: i64,
) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT CAST(COALESCE(SUM(evaluation_count), 0) AS BIGINT) AS count FROM feature_evaluations_raw
         WHERE environment_id = $1 AND feature_name = $2 AND created_at >= $3",
        environment_id,
        feature_name,
        since
    )?;
    Ok(count)
}
