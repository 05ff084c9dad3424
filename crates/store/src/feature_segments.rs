//! Feature segments: which segments override a feature in an environment, and in which order.

use crate::{Result, Tx, row, sql};

row! {
    /// The link of a segment override; the lowest priority wins.
    pub struct FeatureSegment {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub segment_id: i64,
        pub environment_id: i64,
        pub priority: i64,
    }
}

/// The links of an environment, in the order of their priorities.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<FeatureSegment>> {
    sql!(
        tx,
        fetch_all as FeatureSegment,
        "SELECT * FROM feature_segments WHERE environment_id = $1 ORDER BY priority, id",
        environment_id
    )
}
