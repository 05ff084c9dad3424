//! Custom fields: what they are, which kinds of object have them, where they are required.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A custom field of an organisation, or of one project.
    pub struct MetadataField {
        pub id: i64,
        pub uuid: String,
        pub organisation_id: i64,
        pub project_id: Option<i64>,
        pub name: String,
        /// `int`, `str`, `bool`, `url` or `multiline_str`.
        pub r#type: String,
        pub description: Option<String>,
    }
}

row! {
    /// That a kind of object has a custom field.
    pub struct ModelField {
        pub id: i64,
        pub uuid: String,
        pub field_id: i64,
        /// The number of the kind of object.
        pub content_type: i64,
    }
}

row! {
    /// Where a field is required: exactly one of project and organisation is set.
    pub struct Requirement {
        pub model_field_id: i64,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
    }
}

/// The fields of an organisation, those of its projects included.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<MetadataField>> {
    sql!(
        tx,
        fetch_all as MetadataField,
        "SELECT * FROM metadata_fields WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// One field.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<MetadataField>> {
    sql!(
        tx,
        fetch_optional as MetadataField,
        "SELECT * FROM metadata_fields WHERE id = $1",
        id
    )
}

/// Writes a new field (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, f: &MetadataField) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO metadata_fields (uuid, organisation_id, project_id, name, type, description)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        &f.uuid,
        f.organisation_id,
        f.project_id,
        &f.name,
        &f.r#type,
        f.description.as_deref()
    )?;
    Ok(id)
}

/// Writes what may change of a field.
pub async fn update(tx: &mut Tx, f: &MetadataField) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE metadata_fields SET name = $2, type = $3, description = $4 WHERE id = $1",
        f.id,
        &f.name,
        &f.r#type,
        f.description.as_deref()
    )
}

/// Deletes a field with all its values.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM metadata_fields WHERE id = $1", id)
}

/// Which kinds of object have which fields of an organisation.
pub async fn model_fields(tx: &mut Tx, organisation_id: i64) -> Result<Vec<ModelField>> {
    sql!(
        tx,
        fetch_all as ModelField,
        "SELECT m.* FROM metadata_model_fields m JOIN metadata_fields f ON f.id = m.field_id
         WHERE f.organisation_id = $1 ORDER BY m.id",
        organisation_id
    )
}

/// Writes that a kind of object has a field and returns the id of this.
pub async fn insert_model_field(tx: &mut Tx, m: &ModelField) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO metadata_model_fields (uuid, field_id, content_type) VALUES ($1, $2, $3) RETURNING id",
        &m.uuid,
        m.field_id,
        m.content_type
    )?;
    Ok(id)
}

/// Writes which field which kind of object has.
pub async fn update_model_field(tx: &mut Tx, m: &ModelField) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE metadata_model_fields SET field_id = $2, content_type = $3 WHERE id = $1",
        m.id,
        m.field_id,
        m.content_type
    )
}

/// Takes a field away from a kind of object, with its values there.
pub async fn delete_model_field(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM metadata_model_fields WHERE id = $1", id)
}

/// Where the fields of an organisation are required.
pub async fn requirements(tx: &mut Tx, organisation_id: i64) -> Result<Vec<Requirement>> {
    sql!(
        tx,
        fetch_all as Requirement,
        "SELECT r.model_field_id AS model_field_id, r.organisation_id AS organisation_id, r.project_id AS project_id
         FROM metadata_requirements r
         JOIN metadata_model_fields m ON m.id = r.model_field_id
         JOIN metadata_fields f ON f.id = m.field_id
         WHERE f.organisation_id = $1 ORDER BY r.id",
        organisation_id
    )
}

/// Makes these the places where a field is required.
pub async fn set_requirements(tx: &mut Tx, model_field_id: i64, places: &[Requirement]) -> Result<()> {
    sql!(
        tx,
        execute,
        "DELETE FROM metadata_requirements WHERE model_field_id = $1",
        model_field_id
    )?;
    for place in places {
        sql!(
            tx,
            execute,
            "INSERT INTO metadata_requirements (model_field_id, organisation_id, project_id) VALUES ($1, $2, $3)",
            model_field_id,
            place.organisation_id,
            place.project_id
        )?;
    }
    Ok(())
}
