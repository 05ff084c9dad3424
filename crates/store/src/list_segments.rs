//! List segments, and the lists of members they have in environments. Who is in a list: [`crate::list_members`].

use crate::db::Id;
use crate::{Result, Tx, row, sql};

/// The context kind whose keys are the identifiers of identities.
pub const USER: &str = "user";

row! {
    /// A list segment with its segment's name and description.
    pub struct ListSegment {
        pub segment_id: i64,
        pub project_id: i64,
        pub uuid: String,
        pub key: String,
        pub name: String,
        pub description: Option<String>,
        pub managed_by: String,
        pub context_kind: String,
        pub unbounded: bool,
        /// JSON.
        pub tags: String,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

row! {
    /// A list of members: those of one context kind whom a segment includes, or excludes, in one environment.
    pub struct MemberList {
        pub id: i64,
        pub segment_id: i64,
        pub environment_id: i64,
        pub context_kind: String,
        pub excluded: bool,
        pub generation: i64,
        pub members: i64,
        pub version: i64,
        pub folded: i64,
        pub updated_at: i64,
    }
}

/// The list segments of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<ListSegment>> {
    sql!(
        tx,
        fetch_all as ListSegment,
        "SELECT l.segment_id AS segment_id, l.project_id AS project_id, s.uuid AS uuid, l.key AS key, s.name AS name,
                s.description AS description, s.managed_by AS managed_by, l.context_kind AS context_kind,
                l.unbounded AS unbounded, l.tags AS tags, l.created_at AS created_at, s.updated_at AS updated_at
         FROM list_segments l JOIN segments s ON s.id = l.segment_id
         WHERE l.project_id = $1 ORDER BY l.segment_id",
        project_id
    )
}

/// One list segment of a project by its key.
pub async fn find(tx: &mut Tx, project_id: i64, key: &str) -> Result<Option<ListSegment>> {
    sql!(
        tx,
        fetch_optional as ListSegment,
        "SELECT l.segment_id AS segment_id, l.project_id AS project_id, s.uuid AS uuid, l.key AS key, s.name AS name,
                s.description AS description, s.managed_by AS managed_by, l.context_kind AS context_kind,
                l.unbounded AS unbounded, l.tags AS tags, l.created_at AS created_at, s.updated_at AS updated_at
         FROM list_segments l JOIN segments s ON s.id = l.segment_id
         WHERE l.project_id = $1 AND l.key = $2",
        project_id,
        key
    )
}

/// One list segment by its segment.
pub async fn of_segment(tx: &mut Tx, segment_id: i64) -> Result<Option<ListSegment>> {
    sql!(
        tx,
        fetch_optional as ListSegment,
        "SELECT l.segment_id AS segment_id, l.project_id AS project_id, s.uuid AS uuid, l.key AS key, s.name AS name,
                s.description AS description, s.managed_by AS managed_by, l.context_kind AS context_kind,
                l.unbounded AS unbounded, l.tags AS tags, l.created_at AS created_at, s.updated_at AS updated_at
         FROM list_segments l JOIN segments s ON s.id = l.segment_id
         WHERE l.segment_id = $1",
        segment_id
    )
}

/// Makes a segment a list segment.
pub async fn insert(tx: &mut Tx, l: &ListSegment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO list_segments (segment_id, project_id, key, context_kind, unbounded, tags, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        l.segment_id,
        l.project_id,
        &l.key,
        &l.context_kind,
        l.unbounded,
        &l.tags,
        l.created_at
    )
}

/// Writes the labels of a list segment.
pub async fn set_tags(tx: &mut Tx, segment_id: i64, tags: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE list_segments SET tags = $2 WHERE segment_id = $1",
        segment_id,
        tags
    )
}

/// The lists of an environment, in the order of their segments; those that include come first.
pub async fn lists_of_environment(tx: &mut Tx, environment_id: i64) -> Result<Vec<MemberList>> {
    sql!(
        tx,
        fetch_all as MemberList,
        "SELECT * FROM member_lists WHERE environment_id = $1 ORDER BY segment_id, excluded, id",
        environment_id
    )
}

/// The lists of a segment in an environment; those that include come first.
pub async fn lists_of_segment(tx: &mut Tx, segment_id: i64, environment_id: i64) -> Result<Vec<MemberList>> {
    sql!(
        tx,
        fetch_all as MemberList,
        "SELECT * FROM member_lists WHERE segment_id = $1 AND environment_id = $2 ORDER BY excluded, id",
        segment_id,
        environment_id
    )
}

/// One list as it is now.
pub async fn find_list(tx: &mut Tx, id: i64) -> Result<Option<MemberList>> {
    sql!(
        tx,
        fetch_optional as MemberList,
        "SELECT * FROM member_lists WHERE id = $1",
        id
    )
}

/// Writes a new list and returns its id.
pub async fn insert_list(tx: &mut Tx, l: &MemberList) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO member_lists (segment_id, environment_id, context_kind, excluded, generation, members, version,
                                   folded, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        l.segment_id,
        l.environment_id,
        &l.context_kind,
        l.excluded,
        l.generation,
        l.members,
        l.version,
        l.folded,
        l.updated_at
    )?;
    Ok(id)
}

/// Writes where the members of a list are, how many there are, and its version.
pub async fn update_list(tx: &mut Tx, l: &MemberList) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE member_lists SET generation = $2, members = $3, version = $4, folded = $5, updated_at = $6 WHERE id = $1",
        l.id,
        l.generation,
        l.members,
        l.version,
        l.folded,
        l.updated_at
    )
}
