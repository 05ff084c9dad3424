//! How often features were evaluated.

use crate::{Result, Tx, row, sql};

row! {
    /// How often a feature was evaluated on one day by clients of one kind.
    pub struct DayCount {
        /// Days since 1970.
        pub day: i64,
        /// What the clients said of themselves, as JSON.
        pub labels: String,
        pub count: i64,
    }
}

/// How often a feature was evaluated in an environment since a moment, by day and kind of client.
pub async fn by_day(
    tx: &mut Tx,
    environment_id: i64,
    feature_name: &str,
    since: i64,
) -> Result<Vec<DayCount>> {
    sql!(
        tx,
        fetch_all as DayCount,
        "SELECT created_at / 86400000000 AS day, labels, CAST(SUM(evaluation_count) AS BIGINT) AS count
         FROM feature_evaluations_raw
         WHERE environment_id = $1 AND feature_name = $2 AND created_at >= $3
         GROUP BY created_at / 86400000000, labels ORDER BY 1, 2",
        environment_id,
        feature_name,
        since
    )
}
