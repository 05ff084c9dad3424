//! How often the SDK API was asked, and features were evaluated: counts added up over time.
//!
//! Raw counts are added up in buckets of 15 minutes, these in buckets of an hour. Whoever reads takes hours as far as there
//! are, then quarters, then raw counts; so nothing is missing and nothing counted twice.

use crate::db::id_list;
use crate::{Result, Tx, row, sql};

/// Microseconds of a minute.
const MINUTE: i64 = 60_000_000;

row! {
    /// Until when there are buckets of each size.
    pub struct Marks {
        pub quarters: i64,
        pub hours: i64,
    }
}

row! {
    /// Calls to one resource of one environment on one day by clients of one kind.
    pub struct DayOfUsage {
        pub environment_id: i64,
        /// Days since 1970.
        pub day: i64,
        /// 1 flags, 2 identities, 3 traits, 4 environment document.
        pub resource: i64,
        /// What the clients said of themselves, as JSON.
        pub labels: String,
        pub count: i64,
    }
}

row! {
    /// How often a feature was evaluated on one day by clients of one kind.
    pub struct DayOfEvaluations {
        /// Days since 1970.
        pub day: i64,
        /// What the clients said of themselves, as JSON.
        pub labels: String,
        pub count: i64,
    }
}

row! {
    /// A warning about usage.
    pub struct Notification {
        pub id: i64,
        pub organisation_id: i64,
        pub percent_usage: i64,
        pub notified_at: i64,
    }
}

/// Until when there are buckets of each size.
pub async fn marks(tx: &mut Tx) -> Result<Marks> {
    sql!(
        tx,
        fetch_one as Marks,
        "SELECT (SELECT until FROM bucket_marks WHERE minutes = 15) AS quarters,
                (SELECT until FROM bucket_marks WHERE minutes = 60) AS hours"
    )
}

/// Moves a mark on. Whether it was still where it was thought to be: when not, another node was quicker.
async fn move_mark(tx: &mut Tx, minutes: i64, from: i64, to: i64) -> Result<bool> {
    let moved = sql!(
        tx,
        execute,
        "UPDATE bucket_marks SET until = $3 WHERE minutes = $1 AND until = $2",
        minutes,
        from,
        to
    )?;
    Ok(moved > 0)
}

/// Adds up raw counts up to a moment in buckets of 15 minutes, and these in buckets of an hour.
///
/// Nobody may store counts from before that moment afterwards.
pub async fn add_up(tx: &mut Tx, until: i64) -> Result<()> {
    let marks = marks(tx).await?;
    let quarters = (until - until % (15 * MINUTE)).max(marks.quarters);
    if quarters > marks.quarters && move_mark(tx, 15, marks.quarters, quarters).await? {
        add_up_raw(tx, marks.quarters, quarters).await?;
    }
    let hours = (quarters - quarters % (60 * MINUTE)).max(marks.hours);
    if hours > marks.hours && move_mark(tx, 60, marks.hours, hours).await? {
        add_up_quarters(tx, marks.hours, hours).await?;
    }
    Ok(())
}

async fn add_up_raw(tx: &mut Tx, from: i64, to: i64) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO api_usage_buckets (minutes, starts_at, environment_id, resource, labels, count)
         SELECT 15, created_at - created_at % 900000000, environment_id, resource, labels, CAST(SUM(count) AS BIGINT)
         FROM api_usage_raw WHERE created_at >= $1 AND created_at < $2
         GROUP BY created_at - created_at % 900000000, environment_id, resource, labels",
        from,
        to
    )?;
    sql!(
        tx,
        execute,
        "INSERT INTO feature_evaluation_buckets (minutes, starts_at, environment_id, feature_name, labels, count)
         SELECT 15, created_at - created_at % 900000000, environment_id, feature_name, labels,
                CAST(SUM(evaluation_count) AS BIGINT)
         FROM feature_evaluations_raw WHERE created_at >= $1 AND created_at < $2
         GROUP BY created_at - created_at % 900000000, environment_id, feature_name, labels",
        from,
        to
    )?;
    Ok(())
}

async fn add_up_quarters(tx: &mut Tx, from: i64, to: i64) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO api_usage_buckets (minutes, starts_at, environment_id, resource, labels, count)
         SELECT 60, starts_at - starts_at % 3600000000, environment_id, resource, labels, CAST(SUM(count) AS BIGINT)
         FROM api_usage_buckets WHERE minutes = 15 AND starts_at >= $1 AND starts_at < $2
         GROUP BY starts_at - starts_at % 3600000000, environment_id, resource, labels",
        from,
        to
    )?;
    sql!(
        tx,
        execute,
        "INSERT INTO feature_evaluation_buckets (minutes, starts_at, environment_id, feature_name, labels, count)
         SELECT 60, starts_at - starts_at % 3600000000, environment_id, feature_name, labels,
                CAST(SUM(count) AS BIGINT)
         FROM feature_evaluation_buckets WHERE minutes = 15 AND starts_at >= $1 AND starts_at < $2
         GROUP BY starts_at - starts_at % 3600000000, environment_id, feature_name, labels",
        from,
        to
    )?;
    Ok(())
}

/// Deletes buckets of so many minutes that begin before a moment.
pub async fn delete_buckets(tx: &mut Tx, minutes: i64, before: i64) -> Result<u64> {
    let evaluations = sql!(
        tx,
        execute,
        "DELETE FROM feature_evaluation_buckets WHERE minutes = $1 AND starts_at < $2",
        minutes,
        before
    )?;
    let usage = sql!(
        tx,
        execute,
        "DELETE FROM api_usage_buckets WHERE minutes = $1 AND starts_at < $2",
        minutes,
        before
    )?;
    Ok(evaluations + usage)
}

row! {
    /// An environment, with what it is in.
    pub struct Place {
        pub environment_id: i64,
        pub environment_name: String,
        pub project_id: i64,
        pub project_name: String,
        pub organisation_id: i64,
        pub organisation_name: String,
    }
}

/// The environments of organisations.
pub async fn places(tx: &mut Tx, organisation_ids: &[i64]) -> Result<Vec<Place>> {
    sql!(
        tx,
        fetch_all as Place,
        sqlite: "SELECT e.id AS environment_id, e.name AS environment_name, p.id AS project_id, p.name AS project_name,
                     o.id AS organisation_id, o.name AS organisation_name
                 FROM environments e JOIN projects p ON p.id = e.project_id
                 JOIN organisations o ON o.id = p.organisation_id
                 WHERE o.id IN (SELECT value FROM json_each($1)) ORDER BY e.id",
        postgres: "SELECT e.id AS environment_id, e.name AS environment_name, p.id AS project_id, p.name AS project_name,
                       o.id AS organisation_id, o.name AS organisation_name
                   FROM environments e JOIN projects p ON p.id = e.project_id
                   JOIN organisations o ON o.id = p.organisation_id
                   WHERE o.id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   ORDER BY e.id",
        id_list(organisation_ids)
    )
}

/// The calls in environments between two moments, by environment, day, resource and kind of client.
pub async fn by_day(tx: &mut Tx, environment_ids: &[i64], since: i64, until: i64) -> Result<Vec<DayOfUsage>> {
    let Marks { quarters, hours } = marks(tx).await?;
    sql!(
        tx,
        fetch_all as DayOfUsage,
        sqlite: "SELECT u.environment_id AS environment_id, u.at / 86400000000 AS day, u.resource AS resource,
                     u.labels AS labels, CAST(SUM(u.count) AS BIGINT) AS count
                 FROM (
                     SELECT starts_at AS at, environment_id, resource, labels, count FROM api_usage_buckets
                     WHERE minutes = 60 AND starts_at >= $2 AND starts_at < $3
                     UNION ALL
                     SELECT starts_at AS at, environment_id, resource, labels, count FROM api_usage_buckets
                     WHERE minutes = 15 AND starts_at >= $2 AND starts_at < $3 AND starts_at >= $4 AND starts_at < $5
                     UNION ALL
                     SELECT created_at AS at, environment_id, resource, labels, count FROM api_usage_raw
                     WHERE created_at >= $2 AND created_at < $3 AND created_at >= $5
                 ) u WHERE u.environment_id IN (SELECT value FROM json_each($1))
                 GROUP BY u.environment_id, u.at / 86400000000, u.resource, u.labels ORDER BY 2, 4, 3, 1",
        postgres: "SELECT u.environment_id AS environment_id, u.at / 86400000000 AS day, u.resource AS resource,
                       u.labels AS labels, CAST(SUM(u.count) AS BIGINT) AS count
                   FROM (
                       SELECT starts_at AS at, environment_id, resource, labels, count FROM api_usage_buckets
                       WHERE minutes = 60 AND starts_at >= $2 AND starts_at < $3
                       UNION ALL
                       SELECT starts_at AS at, environment_id, resource, labels, count FROM api_usage_buckets
                       WHERE minutes = 15 AND starts_at >= $2 AND starts_at < $3 AND starts_at >= $4 AND starts_at < $5
                       UNION ALL
                       SELECT created_at AS at, environment_id, resource, labels, count FROM api_usage_raw
                       WHERE created_at >= $2 AND created_at < $3 AND created_at >= $5
                   ) u WHERE u.environment_id IN
                       (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   GROUP BY u.environment_id, u.at / 86400000000, u.resource, u.labels ORDER BY 2, 4, 3, 1",
        id_list(environment_ids),
        since,
        until,
        hours,
        quarters
    )
}

/// How often a feature was evaluated in an environment since a moment, by day and kind of client.
pub async fn evaluations_by_day(
    tx: &mut Tx,
    environment_id: i64,
    feature_name: &str,
    since: i64,
) -> Result<Vec<DayOfEvaluations>> {
    let Marks { quarters, hours } = marks(tx).await?;
    sql!(
        tx,
        fetch_all as DayOfEvaluations,
        "SELECT u.at / 86400000000 AS day, u.labels AS labels, CAST(SUM(u.count) AS BIGINT) AS count
         FROM (
             SELECT starts_at AS at, labels, count FROM feature_evaluation_buckets
             WHERE environment_id = $1 AND feature_name = $2 AND minutes = 60 AND starts_at >= $3
             UNION ALL
             SELECT starts_at AS at, labels, count FROM feature_evaluation_buckets
             WHERE environment_id = $1 AND feature_name = $2 AND minutes = 15
               AND starts_at >= $3 AND starts_at >= $4 AND starts_at < $5
             UNION ALL
             SELECT created_at AS at, labels, evaluation_count AS count FROM feature_evaluations_raw
             WHERE environment_id = $1 AND feature_name = $2 AND created_at >= $3 AND created_at >= $5
         ) u GROUP BY u.at / 86400000000, u.labels ORDER BY 1, 2",
        environment_id,
        feature_name,
        since,
        hours,
        quarters
    )
}

/// Warnings of an organisation since a moment, newest first.
pub async fn notifications(tx: &mut Tx, organisation_id: i64, since: i64) -> Result<Vec<Notification>> {
    sql!(
        tx,
        fetch_all as Notification,
        "SELECT * FROM api_usage_notifications WHERE organisation_id = $1 AND notified_at >= $2
         ORDER BY notified_at DESC, id DESC",
        organisation_id,
        since
    )
}

/// Notes a warning.
pub async fn insert_notification(tx: &mut Tx, organisation_id: i64, percent: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO api_usage_notifications (organisation_id, percent_usage, notified_at) VALUES ($1, $2, $3)",
        organisation_id,
        percent,
        now
    )
}
