//! Tags.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A label that features of a project can carry.
    pub struct Tag {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub label: String,
        pub color: String,
        pub description: Option<String>,
        /// Features with it are meant to stay for ever.
        pub is_permanent: bool,
        /// Set by the product itself; clients can't change it.
        pub is_system_tag: bool,
        /// `NONE`, `STALE`, `UNHEALTHY`, `GITHUB` or `GITLAB`.
        pub r#type: String,
    }
}

/// The tags of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Tag>> {
    sql!(
        tx,
        fetch_all as Tag,
        "SELECT * FROM tags WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// One tag of a project.
pub async fn find(tx: &mut Tx, project_id: i64, id: i64) -> Result<Option<Tag>> {
    sql!(
        tx,
        fetch_optional as Tag,
        "SELECT * FROM tags WHERE id = $2 AND project_id = $1",
        project_id,
        id
    )
}

/// One tag of a project by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, project_id: i64, uuid: &str) -> Result<Option<Tag>> {
    sql!(
        tx,
        fetch_optional as Tag,
        "SELECT * FROM tags WHERE uuid = $2 AND project_id = $1",
        project_id,
        uuid
    )
}

/// Writes a new tag (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, t: &Tag) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO tags (uuid, project_id, label, color, description, is_permanent, is_system_tag, type)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        &t.uuid,
        t.project_id,
        &t.label,
        &t.color,
        t.description.as_deref(),
        t.is_permanent,
        t.is_system_tag,
        &t.r#type
    )?;
    Ok(id)
}

/// Writes what a client may change of a tag.
pub async fn update(tx: &mut Tx, t: &Tag) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE tags SET label = $2, color = $3, description = $4, is_permanent = $5 WHERE id = $1",
        t.id,
        &t.label,
        &t.color,
        t.description.as_deref(),
        t.is_permanent
    )
}

/// Deletes a tag; features lose it.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM tags WHERE id = $1", id)
}

/// The ids of the tags of all projects of an organisation.
pub async fn in_organisation(tx: &mut Tx, organisation_id: i64) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sql!(
        tx,
        fetch_all as (i64,),
        "SELECT t.id FROM tags t JOIN projects p ON p.id = t.project_id WHERE p.organisation_id = $1 ORDER BY t.id",
        organisation_id
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
