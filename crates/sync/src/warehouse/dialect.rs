//! What differs between the databases that compare for themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The SQL that a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    Postgres,
    Snowflake,
    Bigquery,
    Redshift,
    Databricks,
    Duckdb,
}

impl Dialect {
    /// A name that can be nothing but a name; `a.b` is a name in a name.
    pub(super) fn name(self, name: &str) -> String {
        let quote = match self {
            Self::Bigquery | Self::Databricks => '`',
            Self::Postgres | Self::Snowflake | Self::Redshift | Self::Duckdb => '"',
        };
        let parts = name.split('.').map(|part| {
            let doubled = format!("{quote}{quote}");
            format!("{quote}{}{quote}", part.replace(quote, &doubled))
        });
        parts.collect::<Vec<_>>().join(".")
    }

    /// A text of a statement. Only texts that we make stand in statements, but they may as well be quoted.
    pub(super) fn text(value: &str) -> String {
        format!("'{}'", value.replace('\\', "").replace('\'', "''"))
    }

    pub(super) fn text_type(self) -> &'static str {
        match self {
            Self::Postgres | Self::Duckdb => "TEXT",
            Self::Snowflake => "VARCHAR",
            // Without a length it would be 256.
            Self::Redshift => "VARCHAR(65535)",
            Self::Bigquery | Self::Databricks => "STRING",
        }
    }

    pub(super) fn int_type(self) -> &'static str {
        match self {
            Self::Bigquery => "INT64",
            Self::Postgres | Self::Snowflake | Self::Redshift | Self::Databricks | Self::Duckdb => "BIGINT",
        }
    }

    /// What comes between `CREATE` and `TABLE` for tables that need not outlast a crash of the server.
    pub(super) fn scratch(self) -> &'static str {
        match self {
            Self::Postgres => "UNLOGGED ",
            Self::Snowflake => "TRANSIENT ",
            Self::Bigquery | Self::Redshift | Self::Databricks | Self::Duckdb => "",
        }
    }

    /// A hash of columns that two different rows don't share: NULL is told from every value, and where one value ends.
    ///
    /// `concat_ws` would do neither.
    pub(super) fn hash(self, columns: &[String]) -> String {
        if columns.is_empty() {
            return "''".to_owned();
        }
        let list = columns.join(", ");
        match self {
            Self::Postgres => format!("md5(CAST(jsonb_build_array({list}) AS TEXT))"),
            Self::Snowflake => {
                let pairs = columns
                    .iter()
                    .enumerate()
                    .map(|(n, column)| format!("'{n}', {column}"));
                let pairs = pairs.collect::<Vec<_>>().join(", ");
                format!("md5(to_json(object_construct_keep_null({pairs})))")
            }
            Self::Bigquery => format!("to_hex(md5(to_json_string(struct({list}))))"),
            Self::Databricks => {
                let pairs = columns
                    .iter()
                    .enumerate()
                    .map(|(n, column)| format!("'{n}', {column}"));
                let pairs = pairs.collect::<Vec<_>>().join(", ");
                format!("md5(to_json(named_struct({pairs})))")
            }
            Self::Duckdb => format!("md5(CAST(json_array({list}) AS VARCHAR))"),
            Self::Redshift => {
                let marked = columns.iter().map(|column| {
                    let text = format!("CAST({column} AS VARCHAR(65535))");
                    format!("NVL2({column}, 'v' || LEN({text}) || ':' || {text}, 'n')")
                });
                format!("md5({})", marked.collect::<Vec<_>>().join(" || "))
            }
        }
    }
}
