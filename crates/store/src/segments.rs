//! Segments.

use burgee_model::segments::Rule;

use crate::{Result, Tx, row, sql};

row! {
    /// A segment: a name for the identities that its rules match.
    pub struct Segment {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub feature_id: Option<i64>,
        pub name: String,
        pub description: Option<String>,
        /// The rules as JSON: see [`Segment::parsed_rules`].
        pub rules: String,
        pub managed_by: String,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

impl Segment {
    /// The rules. A document that can't be read, which no code here writes, is logged and matches nobody.
    pub fn parsed_rules(&self) -> Vec<Rule> {
        serde_json::from_str(&self.rules).unwrap_or_else(|error| {
            tracing::error!(segment.id = self.id, %error, "the rules of a segment can't be read");
            Vec::new()
        })
    }
}

/// The segments of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Segment>> {
    sql!(
        tx,
        fetch_all as Segment,
        "SELECT * FROM segments WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// One segment.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Segment>> {
    sql!(
        tx,
        fetch_optional as Segment,
        "SELECT * FROM segments WHERE id = $1",
        id
    )
}
