//! Who looks at a change request: users and groups asked to, approvals, comments.

use crate::db::{Id, id_list};
use crate::{Result, Tx, row, sql};

row! {
    /// A user who is asked to approve, or did without being asked.
    pub struct Approval {
        pub id: i64,
        pub change_request_id: i64,
        pub user_id: i64,
        pub assigned: bool,
        pub approved_at: Option<i64>,
        /// What the request said when it was approved.
        pub fingerprint: Option<String>,
        pub created_at: i64,
    }
}

row! {
    /// A group any member of which is asked to approve.
    pub struct GroupAssignment {
        pub id: i64,
        pub change_request_id: i64,
        pub group_id: i64,
    }
}

row! {
    /// What somebody said about a request.
    pub struct Comment {
        pub id: i64,
        pub change_request_id: i64,
        pub user_id: Option<i64>,
        pub text: String,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

row! {
    /// Somebody to write to.
    pub struct Reviewer {
        pub id: i64,
        pub email: String,
    }
}

/// The approvals of a request, given and awaited.
pub async fn approvals(tx: &mut Tx, request_id: i64) -> Result<Vec<Approval>> {
    sql!(
        tx,
        fetch_all as Approval,
        "SELECT * FROM change_request_approvals WHERE change_request_id = $1 ORDER BY id",
        request_id
    )
}

/// Writes a new approval (its `id` is ignored) and returns its id.
pub async fn insert_approval(tx: &mut Tx, a: &Approval) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO change_request_approvals (change_request_id, user_id, assigned, approved_at, fingerprint, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        a.change_request_id,
        a.user_id,
        a.assigned,
        a.approved_at,
        a.fingerprint.as_deref(),
        a.created_at
    )?;
    Ok(id)
}

/// Writes whether an approval is asked for and given.
pub async fn update_approval(tx: &mut Tx, a: &Approval) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE change_request_approvals SET assigned = $2, approved_at = $3, fingerprint = $4 WHERE id = $1",
        a.id,
        a.assigned,
        a.approved_at,
        a.fingerprint.as_deref()
    )
}

/// Deletes an approval.
pub async fn delete_approval(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM change_request_approvals WHERE id = $1",
        id
    )
}

/// The groups asked.
pub async fn groups(tx: &mut Tx, request_id: i64) -> Result<Vec<GroupAssignment>> {
    sql!(
        tx,
        fetch_all as GroupAssignment,
        "SELECT * FROM change_request_groups WHERE change_request_id = $1 ORDER BY id",
        request_id
    )
}

/// Asks these groups, and no others.
pub async fn set_groups(tx: &mut Tx, request_id: i64, group_ids: &[i64]) -> Result<()> {
    sql!(
        tx,
        execute,
        "DELETE FROM change_request_groups WHERE change_request_id = $1",
        request_id
    )?;
    for group_id in group_ids {
        sql!(
            tx,
            execute,
            "INSERT INTO change_request_groups (change_request_id, group_id) VALUES ($1, $2)",
            request_id,
            group_id
        )?;
    }
    Ok(())
}

/// The active users among those asked, by name or with their group: each once.
pub async fn reviewers(tx: &mut Tx, request_id: i64) -> Result<Vec<Reviewer>> {
    sql!(
        tx,
        fetch_all as Reviewer,
        "SELECT u.id AS id, u.email AS email FROM users u
         WHERE u.is_active AND (
             u.id IN (SELECT user_id FROM change_request_approvals WHERE change_request_id = $1 AND assigned)
             OR u.id IN (SELECT m.user_id FROM group_members m JOIN change_request_groups g ON g.group_id = m.group_id
                         WHERE g.change_request_id = $1))
         ORDER BY u.id",
        request_id
    )
}

/// Those of the users who belong to an organisation.
pub async fn members_among(tx: &mut Tx, organisation_id: i64, user_ids: &[i64]) -> Result<Vec<i64>> {
    let ids = id_list(user_ids);
    let rows: Vec<Id> = sql!(
        tx,
        fetch_all as Id,
        sqlite: "SELECT user_id FROM organisation_members
                 WHERE organisation_id = $1 AND user_id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT user_id FROM organisation_members WHERE organisation_id = $1 AND user_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON)))",
        organisation_id,
        ids.as_str()
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The comments on a request, oldest first.
pub async fn comments(tx: &mut Tx, request_id: i64) -> Result<Vec<Comment>> {
    sql!(
        tx,
        fetch_all as Comment,
        "SELECT * FROM change_request_comments WHERE change_request_id = $1 ORDER BY id",
        request_id
    )
}

/// One comment on a request.
pub async fn find_comment(tx: &mut Tx, request_id: i64, id: i64) -> Result<Option<Comment>> {
    sql!(
        tx,
        fetch_optional as Comment,
        "SELECT * FROM change_request_comments WHERE change_request_id = $1 AND id = $2",
        request_id,
        id
    )
}

/// Writes a new comment (its `id` is ignored) and returns its id.
pub async fn insert_comment(tx: &mut Tx, c: &Comment) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO change_request_comments (change_request_id, user_id, text, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        c.change_request_id,
        c.user_id,
        &c.text,
        c.created_at,
        c.updated_at
    )?;
    Ok(id)
}

/// Writes the text of a comment.
pub async fn update_comment(tx: &mut Tx, c: &Comment) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE change_request_comments SET text = $2, updated_at = $3 WHERE id = $1",
        c.id,
        &c.text,
        c.updated_at
    )
}

/// Deletes a comment.
pub async fn delete_comment(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM change_request_comments WHERE id = $1",
        id
    )
}
