//! The change log as people read it: newest first, in pages, filtered.
//!
//! Pages and counts that ask for nothing special pass over rows in an index, however long the log is.

use crate::db::id_list;
use crate::{Result, Tx, row, sql};

row! {
    /// One entry of the change log that has a line to show.
    pub struct AuditEntry {
        pub id: i64,
        pub at: i64,
        pub user_id: Option<i64>,
        pub api_key_id: Option<i64>,
        pub organisation_id: Option<i64>,
        pub project_id: Option<i64>,
        pub environment_id: Option<i64>,
        pub object_type: String,
        pub object_id: i64,
        pub object_uuid: Option<String>,
        /// `CREATE`, `UPDATE` or `DELETE`.
        pub action: String,
        pub message: Option<String>,
        pub before: Option<String>,
        pub after: Option<String>,
    }
}

/// Whose entries: those of one project, or all of these organisations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Project(i64),
    Organisations(Vec<i64>),
}

/// Which of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub project_id: Option<i64>,
    /// Only entries about one of these environments; empty for no such wish.
    pub environment_ids: Vec<i64>,
    /// Whether nobody did it, or somebody.
    pub is_system_event: Option<bool>,
    /// This text in the line, in any case.
    pub search: Option<String>,
    pub author_id: Option<i64>,
    pub object_type: Option<String>,
    pub object_id: Option<i64>,
    /// Not before this moment, in microseconds since 1970.
    pub from: Option<i64>,
    /// Before this moment.
    pub until: Option<i64>,
}

impl Filter {
    fn pattern(&self) -> Option<String> {
        let text = self.search.as_deref()?;
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Some(format!("%{escaped}%"))
    }

    fn environments(&self) -> Option<String> {
        (!self.environment_ids.is_empty()).then(|| id_list(&self.environment_ids))
    }
}

/// How many entries there are.
pub async fn count(tx: &mut Tx, scope: &Scope, filter: &Filter) -> Result<i64> {
    let (count,): (i64,) = match scope {
        _ if *filter != Filter::default() => return count_filtered(tx, scope, filter).await,
        Scope::Project(id) => sql!(
            tx,
            fetch_one as (i64,),
            "SELECT COUNT(*) AS count FROM changes WHERE project_id = $1 AND message IS NOT NULL",
            *id
        )?,
        Scope::Organisations(ids) => sql!(
            tx,
            fetch_one as (i64,),
            sqlite: "SELECT COUNT(*) AS count FROM changes
                     WHERE organisation_id IN (SELECT value FROM json_each($1)) AND message IS NOT NULL",
            postgres: "SELECT COUNT(*) AS count FROM changes
                       WHERE organisation_id IN
                           (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                         AND message IS NOT NULL",
            id_list(ids)
        )?,
    };
    Ok(count)
}

/// Some entries, newest first.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<AuditEntry>> {
    match scope {
        _ if *filter != Filter::default() => list_filtered(tx, scope, filter, limit, offset).await,
        // The inner statement passes over rows without reading them.
        Scope::Project(id) => sql!(
            tx,
            fetch_all as AuditEntry,
            "SELECT id, at, user_id, api_key_id, organisation_id, project_id, environment_id, object_type, object_id,
                    object_uuid, action, message, before, after
             FROM changes
             WHERE id IN (SELECT id FROM changes WHERE project_id = $1 AND message IS NOT NULL
                          ORDER BY id DESC LIMIT $2 OFFSET $3)
             ORDER BY id DESC",
            *id,
            limit,
            offset
        ),
        Scope::Organisations(ids) if ids.len() == 1 => sql!(
            tx,
            fetch_all as AuditEntry,
            "SELECT id, at, user_id, api_key_id, organisation_id, project_id, environment_id, object_type, object_id,
                    object_uuid, action, message, before, after
             FROM changes
             WHERE id IN (SELECT id FROM changes WHERE organisation_id = $1 AND message IS NOT NULL
                          ORDER BY id DESC LIMIT $2 OFFSET $3)
             ORDER BY id DESC",
            ids[0],
            limit,
            offset
        ),
        Scope::Organisations(_) => list_filtered(tx, scope, filter, limit, offset).await,
    }
}

/// Project and organisations of a scope as parameters.
fn parameters(scope: &Scope) -> (Option<i64>, String) {
    match scope {
        Scope::Project(id) => (Some(*id), "[]".to_owned()),
        Scope::Organisations(ids) => (None, id_list(ids)),
    }
}

/// What is asked of entries, with the lists in the words of one engine.
macro_rules! matching {
    ($organisations:literal, $environments:literal) => {
        concat!(
            " FROM changes
              WHERE message IS NOT NULL
                AND (project_id = $1 OR (CAST($1 AS BIGINT) IS NULL AND organisation_id IN ",
            $organisations,
            "))
                AND (CAST($3 AS BIGINT) IS NULL OR project_id = $3)
                AND (CAST($4 AS TEXT) IS NULL OR environment_id IN ",
            $environments,
            ")
                AND (CAST($5 AS BOOLEAN) IS NULL OR (user_id IS NULL AND api_key_id IS NULL) = $5)
                AND (CAST($6 AS TEXT) IS NULL OR LOWER(message) LIKE LOWER($6) ESCAPE '\\')
                AND (CAST($7 AS BIGINT) IS NULL OR user_id = $7)
                AND (CAST($8 AS TEXT) IS NULL OR object_type = $8)
                AND (CAST($9 AS BIGINT) IS NULL OR object_id = $9)
                AND (CAST($10 AS BIGINT) IS NULL OR at >= $10)
                AND (CAST($11 AS BIGINT) IS NULL OR at < $11) "
        )
    };
}

/// Runs a statement over the entries that a filter lets through: what it selects, and what comes after the conditions.
macro_rules! filtered {
    ($tx:expr, $how:ident as $row:ty, $select:literal, $rest:literal, $scope:expr, $filter:expr $(, $more:expr)*) => {{
        let (project, organisations) = parameters($scope);
        sql!(
            $tx,
            $how as $row,
            sqlite: concat!(
                $select,
                matching!("(SELECT value FROM json_each($2))", "(SELECT value FROM json_each($4))"),
                $rest
            ),
            postgres: concat!(
                $select,
                matching!(
                    "(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON)))",
                    "(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($4 AS JSON)))"
                ),
                $rest
            ),
            project,
            organisations,
            $filter.project_id,
            $filter.environments(),
            $filter.is_system_event,
            $filter.pattern(),
            $filter.author_id,
            $filter.object_type.as_deref(),
            $filter.object_id,
            $filter.from,
            $filter.until
            $(, $more)*
        )
    }};
}

async fn count_filtered(tx: &mut Tx, scope: &Scope, filter: &Filter) -> Result<i64> {
    let (count,): (i64,) = filtered!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count",
        "",
        scope,
        filter
    )?;
    Ok(count)
}

async fn list_filtered(
    tx: &mut Tx,
    scope: &Scope,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<AuditEntry>> {
    filtered!(
        tx,
        fetch_all as AuditEntry,
        "SELECT id, at, user_id, api_key_id, organisation_id, project_id, environment_id, object_type, object_id,
                object_uuid, action, message, before, after",
        "ORDER BY id DESC LIMIT $12 OFFSET $13",
        scope,
        filter,
        limit,
        offset
    )
}

/// One entry.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<AuditEntry>> {
    sql!(
        tx,
        fetch_optional as AuditEntry,
        "SELECT id, at, user_id, api_key_id, organisation_id, project_id, environment_id, object_type, object_id,
                object_uuid, action, message, before, after
         FROM changes WHERE id = $1 AND message IS NOT NULL",
        id
    )
}

/// Takes the name of a deleted identity, and what was known of it, out of the log: lines stay, with `stand_in`
/// where its identifier was.
pub async fn forget_identity(
    tx: &mut Tx,
    environment_id: i64,
    identity_id: i64,
    stand_in: &str,
) -> Result<u64> {
    sql!(
        tx,
        execute,
        sqlite: "UPDATE changes SET
                message = CASE WHEN object_type = 'IDENTITY' THEN $3 WHEN instr(message, ' and identity ''') > 0
                    THEN substr(message, 1, instr(message, ' and identity ''') + 4) || $3 ELSE message END,
                before = CASE WHEN object_type = 'IDENTITY' THEN NULL ELSE before END,
                after = CASE WHEN object_type = 'IDENTITY' THEN NULL ELSE after END
            WHERE environment_id = $1
              AND ((object_type = 'IDENTITY' AND object_id = $2)
                   OR (object_type = 'FEATURE_STATE' AND (before LIKE $4 OR after LIKE $4)))",
        postgres: "UPDATE changes SET
                message = CASE WHEN object_type = 'IDENTITY' THEN $3 WHEN strpos(message, ' and identity ''') > 0
                    THEN substr(message, 1, strpos(message, ' and identity ''') + 4) || $3 ELSE message END,
                before = CASE WHEN object_type = 'IDENTITY' THEN NULL ELSE before END,
                after = CASE WHEN object_type = 'IDENTITY' THEN NULL ELSE after END
            WHERE environment_id = $1
              AND ((object_type = 'IDENTITY' AND object_id = $2)
                   OR (object_type = 'FEATURE_STATE' AND (before LIKE $4 OR after LIKE $4)))",
        environment_id,
        identity_id,
        stand_in,
        format!("%\"identity\":{identity_id},%")
    )
}
