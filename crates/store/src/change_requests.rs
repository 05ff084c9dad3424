//! Change requests: what is proposed, and which states it is about.

use crate::db::{Id, id_list};
use crate::{Result, Tx, row, sql};

row! {
    /// A proposal to change states of an environment, or (without an environment) segments of a project.
    pub struct ChangeRequest {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub environment_id: Option<i64>,
        pub title: String,
        pub title_key: String,
        pub description: Option<String>,
        /// Whose it is; none when a key made it, or when he is gone.
        pub user_id: Option<i64>,
        /// A JSON list of the ids of users who had a hand in what it says.
        pub contributors: String,
        pub ignore_conflicts: bool,
        pub created_at: i64,
        pub updated_at: i64,
        pub committed_at: Option<i64>,
        pub committed_by: Option<i64>,
        pub deleted_at: Option<i64>,
    }
}

row! {
    /// One thing it would change.
    pub struct Part {
        pub id: i64,
        pub uuid: String,
        pub change_request_id: i64,
        /// `STATE`, `SET`, `VERSION` or `SEGMENT`.
        pub kind: String,
        pub feature_id: Option<i64>,
        pub segment_id: Option<i64>,
        pub version_uuid: Option<String>,
        pub live_from: Option<i64>,
        /// JSON; see `app`.
        pub document: String,
        pub created_at: i64,
    }
}

row! {
    /// A state it is about: of a feature, for everyone or for a segment.
    pub struct Target {
        pub feature_id: i64,
        pub segment_id: Option<i64>,
    }
}

/// Which requests to list. What is not given does not restrict.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub committed: Option<bool>,
    /// A part of the title, in lower case.
    pub title_part: Option<String>,
    pub feature_id: Option<i64>,
    pub segment_id: Option<i64>,
    /// Something of it goes live after this moment.
    pub live_from_after: Option<i64>,
}

impl Filter {
    /// What `LIKE` is to find, with `!` before what would mean something to it.
    fn pattern(&self) -> Option<String> {
        let part = self.title_part.as_deref()?;
        let escaped = part.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Some(format!("%{escaped}%"))
    }
}

/// One page of the requests of an environment, oldest first.
pub async fn list_of_environment(
    tx: &mut Tx,
    environment_id: i64,
    filter: &Filter,
    (limit, offset): (i64, i64),
) -> Result<Vec<ChangeRequest>> {
    sql!(
        tx,
        fetch_all as ChangeRequest,
        "SELECT r.* FROM change_requests r
         WHERE r.environment_id = $1 AND r.deleted_at IS NULL
           AND (CAST($2 AS BOOLEAN) IS NULL OR (r.committed_at IS NOT NULL) = CAST($2 AS BOOLEAN))
           AND (CAST($3 AS TEXT) IS NULL OR r.title_key LIKE CAST($3 AS TEXT) ESCAPE '!')
           AND (CAST($4 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_targets t
                    WHERE t.change_request_id = r.id AND t.feature_id = $4))
           AND (CAST($5 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_targets t
                    WHERE t.change_request_id = r.id AND t.segment_id = $5))
           AND (CAST($6 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_parts p
                    WHERE p.change_request_id = r.id AND p.live_from > $6))
         ORDER BY r.id LIMIT $7 OFFSET $8",
        environment_id,
        filter.committed,
        filter.pattern(),
        filter.feature_id,
        filter.segment_id,
        filter.live_from_after,
        limit,
        offset
    )
}

/// How many of them there are.
pub async fn count_of_environment(tx: &mut Tx, environment_id: i64, filter: &Filter) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM change_requests r
         WHERE r.environment_id = $1 AND r.deleted_at IS NULL
           AND (CAST($2 AS BOOLEAN) IS NULL OR (r.committed_at IS NOT NULL) = CAST($2 AS BOOLEAN))
           AND (CAST($3 AS TEXT) IS NULL OR r.title_key LIKE CAST($3 AS TEXT) ESCAPE '!')
           AND (CAST($4 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_targets t
                    WHERE t.change_request_id = r.id AND t.feature_id = $4))
           AND (CAST($5 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_targets t
                    WHERE t.change_request_id = r.id AND t.segment_id = $5))
           AND (CAST($6 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_parts p
                    WHERE p.change_request_id = r.id AND p.live_from > $6))",
        environment_id,
        filter.committed,
        filter.pattern(),
        filter.feature_id,
        filter.segment_id,
        filter.live_from_after
    )?;
    Ok(count)
}

/// One page of the requests of a project itself, oldest first: those about segments.
pub async fn list_of_project(
    tx: &mut Tx,
    project_id: i64,
    filter: &Filter,
    (limit, offset): (i64, i64),
) -> Result<Vec<ChangeRequest>> {
    sql!(
        tx,
        fetch_all as ChangeRequest,
        "SELECT r.* FROM change_requests r
         WHERE r.project_id = $1 AND r.environment_id IS NULL AND r.deleted_at IS NULL
           AND (CAST($2 AS BOOLEAN) IS NULL OR (r.committed_at IS NOT NULL) = CAST($2 AS BOOLEAN))
           AND (CAST($3 AS TEXT) IS NULL OR r.title_key LIKE CAST($3 AS TEXT) ESCAPE '!')
           AND (CAST($4 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_parts p
                    WHERE p.change_request_id = r.id AND p.segment_id = $4))
         ORDER BY r.id LIMIT $5 OFFSET $6",
        project_id,
        filter.committed,
        filter.pattern(),
        filter.segment_id,
        limit,
        offset
    )
}

/// How many of them there are.
pub async fn count_of_project(tx: &mut Tx, project_id: i64, filter: &Filter) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM change_requests r
         WHERE r.project_id = $1 AND r.environment_id IS NULL AND r.deleted_at IS NULL
           AND (CAST($2 AS BOOLEAN) IS NULL OR (r.committed_at IS NOT NULL) = CAST($2 AS BOOLEAN))
           AND (CAST($3 AS TEXT) IS NULL OR r.title_key LIKE CAST($3 AS TEXT) ESCAPE '!')
           AND (CAST($4 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM change_request_parts p
                    WHERE p.change_request_id = r.id AND p.segment_id = $4))",
        project_id,
        filter.committed,
        filter.pattern(),
        filter.segment_id
    )?;
    Ok(count)
}

/// How many requests of an environment are neither committed nor deleted.
pub async fn count_open(tx: &mut Tx, environment_id: i64) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM change_requests
         WHERE environment_id = $1 AND committed_at IS NULL AND deleted_at IS NULL",
        environment_id
    )?;
    Ok(count)
}

/// One request that was not deleted.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<ChangeRequest>> {
    sql!(
        tx,
        fetch_optional as ChangeRequest,
        "SELECT * FROM change_requests WHERE id = $1 AND deleted_at IS NULL",
        id
    )
}

/// Writes a new request (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, r: &ChangeRequest) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO change_requests (uuid, project_id, environment_id, title, title_key, description, user_id,
             contributors, ignore_conflicts, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        &r.uuid,
        r.project_id,
        r.environment_id,
        &r.title,
        &r.title_key,
        r.description.as_deref(),
        r.user_id,
        &r.contributors,
        r.ignore_conflicts,
        r.created_at,
        r.updated_at
    )?;
    Ok(id)
}

/// Writes what may change of a request.
pub async fn update(tx: &mut Tx, r: &ChangeRequest) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE change_requests SET title = $2, title_key = $3, description = $4, contributors = $5,
             ignore_conflicts = $6, updated_at = $7, committed_at = $8, committed_by = $9, deleted_at = $10
         WHERE id = $1",
        r.id,
        &r.title,
        &r.title_key,
        r.description.as_deref(),
        &r.contributors,
        r.ignore_conflicts,
        r.updated_at,
        r.committed_at,
        r.committed_by,
        r.deleted_at
    )
}

/// The parts of requests, in the order in which they were given.
pub async fn parts(tx: &mut Tx, request_ids: &[i64]) -> Result<Vec<Part>> {
    let ids = id_list(request_ids);
    sql!(
        tx,
        fetch_all as Part,
        sqlite: "SELECT * FROM change_request_parts
                 WHERE change_request_id IN (SELECT value FROM json_each($1)) ORDER BY id",
        postgres: "SELECT * FROM change_request_parts WHERE change_request_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))) ORDER BY id",
        ids.as_str()
    )
}

/// Writes a new part (its `id` is ignored) and returns its id.
pub async fn insert_part(tx: &mut Tx, p: &Part) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO change_request_parts (uuid, change_request_id, kind, feature_id, segment_id, version_uuid,
             live_from, document, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        &p.uuid,
        p.change_request_id,
        &p.kind,
        p.feature_id,
        p.segment_id,
        p.version_uuid.as_deref(),
        p.live_from,
        &p.document,
        p.created_at
    )?;
    Ok(id)
}

/// Takes the parts of one kind out of a request.
pub async fn delete_parts(tx: &mut Tx, request_id: i64, kind: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM change_request_parts WHERE change_request_id = $1 AND kind = $2",
        request_id,
        kind
    )
}

/// The states a request is about.
pub async fn targets(tx: &mut Tx, request_id: i64) -> Result<Vec<Target>> {
    sql!(
        tx,
        fetch_all as Target,
        "SELECT feature_id, segment_id FROM change_request_targets WHERE change_request_id = $1",
        request_id
    )
}

/// Says anew which states a request is about.
pub async fn set_targets(tx: &mut Tx, request_id: i64, targets: &[Target]) -> Result<()> {
    sql!(
        tx,
        execute,
        "DELETE FROM change_request_targets WHERE change_request_id = $1",
        request_id
    )?;
    for target in targets {
        sql!(
            tx,
            execute,
            "INSERT INTO change_request_targets (change_request_id, feature_id, segment_id) VALUES ($1, $2, $3)",
            request_id,
            target.feature_id,
            target.segment_id
        )?;
    }
    Ok(())
}

/// The request, neither committed nor deleted, that a draft version is part of.
pub async fn open_with_version(tx: &mut Tx, version_uuid: &str) -> Result<Option<ChangeRequest>> {
    sql!(
        tx,
        fetch_optional as ChangeRequest,
        "SELECT r.* FROM change_requests r
         WHERE r.committed_at IS NULL AND r.deleted_at IS NULL AND EXISTS (SELECT 1 FROM change_request_parts p
             WHERE p.change_request_id = r.id AND p.version_uuid = $1)
         ORDER BY r.id LIMIT 1",
        version_uuid
    )
}

/// The committed request that last changed a segment.
pub async fn last_about_segment(tx: &mut Tx, segment_id: i64) -> Result<Option<ChangeRequest>> {
    sql!(
        tx,
        fetch_optional as ChangeRequest,
        "SELECT r.* FROM change_requests r
         WHERE r.committed_at IS NOT NULL AND EXISTS (SELECT 1 FROM change_request_parts p
             WHERE p.change_request_id = r.id AND p.kind = 'SEGMENT' AND p.segment_id = $1)
         ORDER BY r.committed_at DESC, r.id DESC LIMIT 1",
        segment_id
    )
}

/// Notes which segment a part became.
pub async fn set_part_segment(tx: &mut Tx, part_id: i64, segment_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE change_request_parts SET segment_id = $2 WHERE id = $1",
        part_id,
        segment_id
    )
}
