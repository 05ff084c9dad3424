//! How much there is in the whole installation.

use crate::{Db, Result, query, row};

row! {
    /// How many of each there are.
    pub struct Counts {
        pub organisations: i64,
        pub projects: i64,
        pub environments: i64,
        pub features: i64,
        pub segments: i64,
        pub users: i64,
    }
}

/// How many of each there are.
pub async fn counts(db: &Db) -> Result<Counts> {
    query!(
        db,
        fetch_one as Counts,
        "SELECT (SELECT COUNT(*) FROM organisations) AS organisations, (SELECT COUNT(*) FROM projects) AS projects,
                (SELECT COUNT(*) FROM environments) AS environments, (SELECT COUNT(*) FROM features) AS features,
                (SELECT COUNT(*) FROM segments) AS segments, (SELECT COUNT(*) FROM users) AS users"
    )
}
