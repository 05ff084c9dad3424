//! Reading the Postgres database of a Flagsmith: its own schema, of any version that has the tables asked for.
//!
//! Rows come as JSON texts, named as the columns there are: a column that a version does not have is simply not in
//! them. What is deleted there (`deleted_at`) is left out. Nothing is ever written.

mod history;

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};

use crate::{DbError, Result, row};

/// A Flagsmith's database.
#[derive(Debug, Clone)]
pub struct Flagsmith {
    pool: PgPool,
    /// The columns of each of its tables.
    columns: HashMap<String, HashSet<String>>,
}

/// One state of the database, as it was when reading began.
#[derive(Debug)]
pub struct Snapshot<'a> {
    flagsmith: &'a Flagsmith,
    tx: Transaction<'static, Postgres>,
    /// The tables that were read or counted.
    seen: HashSet<String>,
}

row! {
    /// An identity as it is there.
    pub struct SourceIdentity {
        pub id: i64,
        pub environment_id: i64,
        pub identifier: String,
        pub created_at: i64,
        /// A JSON object of traits the server itself sets; newer versions have it.
        pub system_traits: Option<String>,
    }
}

row! {
    /// A trait as it is there.
    pub struct SourceTrait {
        pub identity_id: i64,
        pub trait_key: String,
        pub value_type: Option<String>,
        pub boolean_value: Option<bool>,
        pub integer_value: Option<i64>,
        pub string_value: Option<String>,
        pub float_value: Option<f64>,
        pub created_at: i64,
    }
}

/// Which feature states of environments and segments are live: of the latest version that has begun.
const LIVE_SHARED: &str = "
    SELECT DISTINCT ON (s.environment_id, s.feature_id, s.feature_segment_id) s.id
    FROM features_featurestate s JOIN environments_environment e ON e.id = s.environment_id
    WHERE s.identity_id IS NULL AND {not_deleted} AND {is_live}
    ORDER BY s.environment_id, s.feature_id, s.feature_segment_id, s.version DESC NULLS LAST,
             s.live_from DESC NULLS LAST, s.id DESC";

/// The table of versions.
const VERSIONS_TABLE: &str = "feature_versioning_environmentfeatureversion";

/// The version of each feature that is live in an environment with versions of its own (`v2`).
const LIVE_VERSIONS: &str = "
    SELECT uuid FROM (
        SELECT DISTINCT ON (environment_id, feature_id) uuid
        FROM feature_versioning_environmentfeatureversion
        WHERE deleted_at IS NULL AND published_at IS NOT NULL AND live_from <= now()
        ORDER BY environment_id, feature_id, live_from DESC, created_at DESC) latest";

impl Flagsmith {
    /// Opens the database. One without the tables of a Flagsmith is refused.
    pub async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?.application_name("burgee import");
        let pool = PgPoolOptions::new()
            .max_connections(3)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        let known: Vec<(String, String)> = sqlx::query_as(
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = ANY(current_schemas(false))",
        )
        .fetch_all(&pool)
        .await?;
        let mut columns: HashMap<String, HashSet<String>> = HashMap::new();
        for (table, column) in known {
            columns.entry(table).or_default().insert(column);
        }
        let flagsmith = Self { pool, columns };
        for table in [
            "environments_environment",
            "features_featurestate",
            "environments_identity",
        ] {
            if !flagsmith.has(table) {
                let text = format!("it has no table {table}, so it is no database of a Flagsmith");
                return Err(DbError::Other(sqlx::Error::Configuration(text.into())));
            }
        }
        Ok(flagsmith)
    }

    /// Whether it has a table.
    pub fn has(&self, table: &str) -> bool {
        self.columns.contains_key(table)
    }

    /// Whether a table of it has a column.
    pub fn has_column(&self, table: &str, column: &str) -> bool {
        self.columns
            .get(table)
            .is_some_and(|columns| columns.contains(column))
    }

    /// Begins to read one state of it.
    pub async fn snapshot(&self) -> Result<Snapshot<'_>> {
        let tx = self
            .pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        Ok(Snapshot {
            flagsmith: self,
            tx,
            seen: HashSet::new(),
        })
    }

    /// `{alias}` is not deleted, where the table knows of deleting.
    fn not_deleted(&self, table: &str, alias: &str) -> String {
        if self.has_column(table, "deleted_at") {
            format!("{alias}.deleted_at IS NULL")
        } else {
            "TRUE".to_owned()
        }
    }

    fn live_shared(&self) -> String {
        let versioned = self.has(VERSIONS_TABLE)
            && self.has_column("environments_environment", "use_v2_feature_versioning");
        let by_number = if self.has_column("features_featurestate", "version") {
            "(s.version IS NOT NULL AND s.live_from <= now())"
        } else {
            "TRUE"
        };
        let is_live = if versioned {
            format!(
                "CASE WHEN e.use_v2_feature_versioning THEN s.environment_feature_version_id IN ({LIVE_VERSIONS})
                 ELSE {by_number} END"
            )
        } else {
            by_number.to_owned()
        };
        LIVE_SHARED
            .replace("{not_deleted}", &self.not_deleted("features_featurestate", "s"))
            .replace("{is_live}", &is_live)
    }

    /// Feature states with their values, as JSON texts; `condition` speaks of `s`.
    fn states(&self, condition: &str) -> String {
        let value_is_there = self.not_deleted("features_featurestatevalue", "v");
        let is_later = if self.has_column("features_featurestate", "live_from") {
            "COALESCE(s.live_from > now(), FALSE)"
        } else {
            "FALSE"
        };
        format!(
            "SELECT CAST(row_to_json(r) AS TEXT) FROM (
                 SELECT s.*, {is_later} AS is_later, v.type AS value_type, v.string_value, v.integer_value, v.boolean_value
                 FROM features_featurestate s
                 LEFT JOIN features_featurestatevalue v ON v.feature_state_id = s.id AND {value_is_there}
                 WHERE {condition} ORDER BY s.id) r"
        )
    }

    /// The greatest id of a table.
    pub async fn last_id(&self, table: &'static str) -> Result<i64> {
        let text = format!("SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM {table}");
        let (id,): (i64,) = sqlx::query_as(AssertSqlSafe(text)).fetch_one(&self.pool).await?;
        Ok(id)
    }

    /// How many identities there are in environments that are there, up to an id.
    pub async fn count_identities(&self, to: i64) -> Result<i64> {
        let text = format!(
            "SELECT COUNT(*) FROM environments_identity i JOIN environments_environment e ON e.id = i.environment_id
             WHERE i.id <= $1 AND {}",
            self.not_deleted("environments_environment", "e")
        );
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(text))
            .bind(to)
            .fetch_one(&self.pool)
            .await?;
        Ok(count)
    }

    /// A page of identities, in the order of their ids.
    pub async fn identities(&self, after: i64, limit: i64) -> Result<Vec<SourceIdentity>> {
        let system_traits = if self.has_column("environments_identity", "system_traits") {
            "CAST(NULLIF(system_traits, CAST('{}' AS JSONB)) AS TEXT)"
        } else {
            "CAST(NULL AS TEXT)"
        };
        let text = format!(
            "SELECT CAST(id AS BIGINT) AS id, CAST(environment_id AS BIGINT) AS environment_id, identifier,
                    CAST(extract(epoch FROM created_date) * 1000000 AS BIGINT) AS created_at,
                    {system_traits} AS system_traits
             FROM environments_identity WHERE id > $1 ORDER BY id LIMIT $2"
        );
        Ok(sqlx::query_as(AssertSqlSafe(text))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// The traits of these identities, by identity and in the order of their ids.
    pub async fn traits(&self, identities: &[i64]) -> Result<Vec<SourceTrait>> {
        Ok(sqlx::query_as(
            "SELECT CAST(identity_id AS BIGINT) AS identity_id, trait_key, value_type, boolean_value,
                    CAST(integer_value AS BIGINT) AS integer_value, string_value, float_value,
                    CAST(extract(epoch FROM created_date) * 1000000 AS BIGINT) AS created_at
             FROM environments_trait WHERE identity_id = ANY($1) ORDER BY identity_id, id",
        )
        .bind(identities)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The identities with these ids, by id: identifier and environment.
    pub async fn identities_by_id(&self, ids: &[i64]) -> Result<Vec<SourceIdentity>> {
        Ok(sqlx::query_as(
            "SELECT CAST(id AS BIGINT) AS id, CAST(environment_id AS BIGINT) AS environment_id, identifier,
                    CAST(0 AS BIGINT) AS created_at, CAST(NULL AS TEXT) AS system_traits
             FROM environments_identity WHERE id = ANY($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A page of the overrides of identities, in the order of their ids, as JSON texts. Of two overrides of one feature the
    /// later one counts there.
    pub async fn identity_overrides(&self, after: i64, limit: i64) -> Result<Vec<String>> {
        let condition = format!(
            "s.id IN (SELECT s.id FROM features_featurestate s
                      WHERE s.id > $1 AND s.identity_id IS NOT NULL AND {} AND NOT EXISTS (
                          SELECT 1 FROM features_featurestate later
                          WHERE later.identity_id = s.identity_id AND later.feature_id = s.feature_id
                            AND later.id > s.id AND {})
                      ORDER BY s.id LIMIT $2)",
            self.not_deleted("features_featurestate", "s"),
            self.not_deleted("features_featurestate", "later"),
        );
        self.texts(self.states(&condition), after, limit).await
    }

    /// The overrides of these identities, as JSON texts.
    pub async fn overrides_of(&self, identities: &[i64]) -> Result<Vec<String>> {
        let condition = format!(
            "s.identity_id = ANY($1) AND {}",
            self.not_deleted("features_featurestate", "s")
        );
        let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(self.states(&condition)))
            .bind(identities)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(text,)| text).collect())
    }

    /// The option weights of these feature states, as JSON texts.
    pub async fn weights_of(&self, states: &[i64]) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT CAST(row_to_json(t) AS TEXT) FROM multivariate_multivariatefeaturestatevalue t
             WHERE feature_state_id = ANY($1) ORDER BY id",
        )
        .bind(states)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(text,)| text).collect())
    }

    /// A page of the audit log, in the order of ids, as JSON texts.
    pub async fn audit_log(&self, after: i64, limit: i64) -> Result<Vec<String>> {
        let text =
            "SELECT CAST(row_to_json(t) AS TEXT) FROM audit_auditlog t WHERE id > $1 ORDER BY id LIMIT $2";
        self.texts(text.to_owned(), after, limit).await
    }

    async fn texts(&self, text: String, after: i64, limit: i64) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(text))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(text,)| text).collect())
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Snapshot<'_> {
    /// Every row of a table that is not deleted, as JSON texts, in the order of ids. `None` when there is no such table.
    pub async fn rows(&mut self, table: &'static str) -> Result<Option<Vec<String>>> {
        if !self.flagsmith.has(table) {
            return Ok(None);
        }
        self.seen.insert(table.to_owned());
        let order = ["id", "created_at"]
            .into_iter()
            .find(|column| self.flagsmith.has_column(table, column))
            .unwrap_or("1");
        let text = format!(
            "SELECT CAST(row_to_json(t) AS TEXT) FROM {table} t WHERE {} ORDER BY {order}",
            self.flagsmith.not_deleted(table, "t")
        );
        self.fetch(text).await.map(Some)
    }

    /// How many rows a table has that are not deleted; 0 when there is no such table.
    pub async fn count(&mut self, table: &str) -> Result<i64> {
        if !self.flagsmith.has(table) {
            return Ok(0);
        }
        self.seen.insert(table.to_owned());
        let text = format!(
            "SELECT COUNT(*) FROM \"{}\" t WHERE {}",
            table.replace('"', "\"\""),
            self.flagsmith.not_deleted(table, "t")
        );
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(text))
            .fetch_one(&mut *self.tx)
            .await?;
        Ok(count)
    }

    /// The tables that were neither read nor counted, sorted.
    pub fn unseen(&self) -> Vec<String> {
        let tables = self.flagsmith.columns.keys();
        let mut unseen: Vec<String> = tables
            .filter(|table| !self.seen.contains(*table))
            .cloned()
            .collect();
        unseen.sort();
        unseen
    }

    /// The live feature states of environments and segments, with their values.
    pub async fn shared_states(&mut self) -> Result<Vec<String>> {
        let condition = format!("s.id IN (SELECT id FROM ({}) live)", self.flagsmith.live_shared());
        self.fetch(self.flagsmith.states(&condition)).await
    }

    /// The option weights of those.
    pub async fn shared_weights(&mut self) -> Result<Vec<String>> {
        let text = format!(
            "SELECT CAST(row_to_json(t) AS TEXT) FROM multivariate_multivariatefeaturestatevalue t
             WHERE feature_state_id IN (SELECT id FROM ({}) live) ORDER BY id",
            self.flagsmith.live_shared()
        );
        self.fetch(text).await
    }

    /// The links to segments of those.
    pub async fn shared_links(&mut self) -> Result<Vec<String>> {
        let text = format!(
            "SELECT CAST(row_to_json(t) AS TEXT) FROM features_featuresegment t
             WHERE id IN (SELECT feature_segment_id FROM features_featurestate
                          WHERE id IN (SELECT id FROM ({}) live)) ORDER BY id",
            self.flagsmith.live_shared()
        );
        self.fetch(text).await
    }

    async fn fetch(&mut self, text: String) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(text))
            .fetch_all(&mut *self.tx)
            .await?;
        Ok(rows.into_iter().map(|(text,)| text).collect())
    }
}
