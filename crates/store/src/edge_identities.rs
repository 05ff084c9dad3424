//! Identities as the "edge" operations see them: with an alias, found by how they begin, paged by a key.

use crate::{Result, Tx, row, sql};

row! {
    /// An identity with what dashboards call it.
    pub struct EdgeIdentity {
        pub id: i64,
        pub environment_id: i64,
        pub identifier: String,
        pub dashboard_alias: Option<String>,
    }
}

/// Which identities to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    All,
    /// Exactly this identifier.
    Identifier(String),
    /// Identifiers that begin so, in any case.
    Prefix(String),
    /// Exactly this alias, in any case.
    Alias(String),
    /// Aliases that begin so, in any case.
    AliasPrefix(String),
}

impl Search {
    fn columns(&self) -> [Option<String>; 4] {
        let prefix = |text: &str| {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            Some(format!("{escaped}%"))
        };
        match self {
            Self::All => [None, None, None, None],
            Self::Identifier(text) => [Some(text.clone()), None, None, None],
            Self::Prefix(text) => [None, prefix(text), None, None],
            Self::Alias(text) => [None, None, Some(text.clone()), None],
            Self::AliasPrefix(text) => [None, None, None, prefix(text)],
        }
    }
}

/// Some identities after the one with this id, oldest first.
pub async fn list(
    tx: &mut Tx,
    environment_id: i64,
    search: &Search,
    after: i64,
    limit: i64,
) -> Result<Vec<EdgeIdentity>> {
    let [identifier, prefix, alias, alias_prefix] = search.columns();
    sql!(
        tx,
        fetch_all as EdgeIdentity,
        "SELECT id, environment_id, identifier, dashboard_alias FROM identities
         WHERE environment_id = $1 AND id > $2
           AND (CAST($3 AS TEXT) IS NULL OR identifier = $3)
           AND (CAST($4 AS TEXT) IS NULL OR LOWER(identifier) LIKE LOWER($4) ESCAPE '\\')
           AND (CAST($5 AS TEXT) IS NULL OR LOWER(dashboard_alias) = LOWER($5))
           AND (CAST($6 AS TEXT) IS NULL OR LOWER(dashboard_alias) LIKE LOWER($6) ESCAPE '\\')
         ORDER BY id LIMIT $7",
        environment_id,
        after,
        identifier,
        prefix,
        alias,
        alias_prefix,
        limit
    )
}

/// One identity of an environment.
pub async fn find(tx: &mut Tx, environment_id: i64, id: i64) -> Result<Option<EdgeIdentity>> {
    sql!(
        tx,
        fetch_optional as EdgeIdentity,
        "SELECT id, environment_id, identifier, dashboard_alias FROM identities
         WHERE environment_id = $1 AND id = $2",
        environment_id,
        id
    )
}

/// The same by its identifier.
pub async fn find_named(tx: &mut Tx, environment_id: i64, identifier: &str) -> Result<Option<EdgeIdentity>> {
    sql!(
        tx,
        fetch_optional as EdgeIdentity,
        "SELECT id, environment_id, identifier, dashboard_alias FROM identities
         WHERE environment_id = $1 AND identifier = $2",
        environment_id,
        identifier
    )
}

/// Gives an identity an alias, or none.
pub async fn set_alias(tx: &mut Tx, id: i64, alias: Option<&str>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE identities SET dashboard_alias = $2 WHERE id = $1",
        id,
        alias
    )
}
