//! Segments.

use burgee_model::segments::Rule;

use crate::db::{Id, id_list};
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
        pub hash_seed: Option<i64>,
    }
}

impl Segment {
    /// What percentage splits are computed from: kept when a segment comes from elsewhere.
    pub fn hash_seed(&self) -> i64 {
        self.hash_seed.unwrap_or(self.id)
    }

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

/// One segment of a project.
pub async fn find_in(tx: &mut Tx, project_id: i64, id: i64) -> Result<Option<Segment>> {
    sql!(
        tx,
        fetch_optional as Segment,
        "SELECT * FROM segments WHERE project_id = $1 AND id = $2",
        project_id,
        id
    )
}

/// The same, held until the end of the transaction so that two edits don't undo each other.
pub async fn lock(tx: &mut Tx, project_id: i64, id: i64) -> Result<Option<Segment>> {
    sql!(
        tx,
        fetch_optional as Segment,
        sqlite: "SELECT * FROM segments WHERE project_id = $1 AND id = $2",
        postgres: "SELECT * FROM segments WHERE project_id = $1 AND id = $2 FOR UPDATE",
        project_id,
        id
    )
}

/// One segment by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Segment>> {
    sql!(
        tx,
        fetch_optional as Segment,
        "SELECT * FROM segments WHERE uuid = $1",
        uuid
    )
}

/// Writes a new segment (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, s: &Segment) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO segments (uuid, project_id, feature_id, name, description, rules, managed_by, created_at,
             updated_at, hash_seed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        &s.uuid,
        s.project_id,
        s.feature_id,
        &s.name,
        s.description.as_deref(),
        &s.rules,
        &s.managed_by,
        s.created_at,
        s.updated_at,
        s.hash_seed
    )?;
    Ok(id)
}

/// Writes a new segment under the number it has.
pub async fn insert_as(tx: &mut Tx, s: &Segment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO segments (id, uuid, project_id, feature_id, name, description, rules, managed_by, created_at,
             updated_at, hash_seed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        s.id,
        &s.uuid,
        s.project_id,
        s.feature_id,
        &s.name,
        s.description.as_deref(),
        &s.rules,
        &s.managed_by,
        s.created_at,
        s.updated_at,
        s.hash_seed
    )
}

/// Sets what percentage splits of a segment are computed from.
pub async fn set_hash_seed(tx: &mut Tx, id: i64, seed: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE segments SET hash_seed = $2 WHERE id = $1",
        id,
        seed
    )
}

/// Writes every changeable column of a segment.
pub async fn update(tx: &mut Tx, s: &Segment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE segments SET feature_id = $2, name = $3, description = $4, rules = $5, updated_at = $6 WHERE id = $1",
        s.id,
        s.feature_id,
        &s.name,
        s.description.as_deref(),
        &s.rules,
        s.updated_at
    )
}

/// Deletes a segment with its overrides.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM segments WHERE id = $1", id)
}

/// Whether a segment overrides any feature but this one.
pub async fn overrides_others(tx: &mut Tx, id: i64, feature_id: i64) -> Result<bool> {
    let row: Option<Id> = sql!(
        tx,
        fetch_optional as Id,
        "SELECT id FROM feature_segments WHERE segment_id = $1 AND feature_id <> $2 LIMIT 1",
        id,
        feature_id
    )?;
    Ok(row.is_some())
}

row! {
    /// The state of a feature that a segment overrides.
    pub struct AssociatedFeature {
        pub id: i64,
        pub feature_id: i64,
        pub environment_id: i64,
    }
}

/// What a segment overrides, in one environment or in all.
pub async fn associated_features(
    tx: &mut Tx,
    id: i64,
    environment_id: Option<i64>,
) -> Result<Vec<AssociatedFeature>> {
    sql!(
        tx,
        fetch_all as AssociatedFeature,
        "SELECT s.id AS id, s.feature_id AS feature_id, s.environment_id AS environment_id
         FROM feature_states s JOIN feature_segments l ON l.id = s.feature_segment_id
         WHERE l.segment_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR s.environment_id = $2)
         ORDER BY s.id",
        id,
        environment_id
    )
}

/// Those of these segments that are there, oldest first.
pub async fn among(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Segment>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sql!(
        tx,
        fetch_all as Segment,
        sqlite: "SELECT * FROM segments WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
        postgres: "SELECT * FROM segments
                   WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   ORDER BY id",
        id_list(ids)
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
