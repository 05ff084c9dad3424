//! What objects say in their custom fields.

use crate::{Result, Tx, row, sql};

row! {
    /// The value of a custom field at one object: exactly one of the three ids is set.
    pub struct MetadataValue {
        pub id: i64,
        pub model_field_id: i64,
        pub environment_id: Option<i64>,
        pub feature_id: Option<i64>,
        pub segment_id: Option<i64>,
        pub field_value: String,
    }
}

/// The values at all environments, features and segments of a project.
pub async fn of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<MetadataValue>> {
    sql!(
        tx,
        fetch_all as MetadataValue,
        "SELECT * FROM metadata_values
         WHERE environment_id IN (SELECT id FROM environments WHERE project_id = $1)
            OR feature_id IN (SELECT id FROM features WHERE project_id = $1)
            OR segment_id IN (SELECT id FROM segments WHERE project_id = $1)
         ORDER BY id",
        project_id
    )
}

/// The values at one object, given as its id in the column of its kind.
pub async fn of_object(
    tx: &mut Tx,
    (environment_id, feature_id, segment_id): (Option<i64>, Option<i64>, Option<i64>),
) -> Result<Vec<MetadataValue>> {
    sql!(
        tx,
        fetch_all as MetadataValue,
        "SELECT * FROM metadata_values
         WHERE environment_id = $1 OR feature_id = $2 OR segment_id = $3 ORDER BY id",
        environment_id,
        feature_id,
        segment_id
    )
}

/// The values of one field, whichever objects they are at.
pub async fn of_field(tx: &mut Tx, field_id: i64) -> Result<Vec<MetadataValue>> {
    sql!(
        tx,
        fetch_all as MetadataValue,
        "SELECT v.* FROM metadata_values v JOIN metadata_model_fields m ON m.id = v.model_field_id
         WHERE m.field_id = $1 ORDER BY v.id",
        field_id
    )
}

/// Whether any object has a value of this field of its kind.
pub async fn is_used(tx: &mut Tx, model_field_id: i64) -> Result<bool> {
    let row: Option<(i64,)> = sql!(
        tx,
        fetch_optional as (i64,),
        "SELECT id FROM metadata_values WHERE model_field_id = $1 LIMIT 1",
        model_field_id
    )?;
    Ok(row.is_some())
}

/// Writes a new value (its `id` is ignored).
pub async fn insert(tx: &mut Tx, v: &MetadataValue) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO metadata_values (model_field_id, environment_id, feature_id, segment_id, field_value)
         VALUES ($1, $2, $3, $4, $5)",
        v.model_field_id,
        v.environment_id,
        v.feature_id,
        v.segment_id,
        &v.field_value
    )?;
    Ok(())
}

/// Writes what a value is now.
pub async fn set(tx: &mut Tx, id: i64, field_value: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE metadata_values SET field_value = $2 WHERE id = $1",
        id,
        field_value
    )
}

/// Deletes a value.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM metadata_values WHERE id = $1", id)
}
