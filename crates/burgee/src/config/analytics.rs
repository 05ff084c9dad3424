//! `[analytics]`: where counts of calls and evaluations are kept, and for how long.

use serde::Deserialize;

use super::{
    DatabaseUrl, Influxdb,
    values::{between, optional_text},
};

/// Flagsmith's names for settings of this section. `USE_POSTGRES_FOR_ANALYTICS` and `DJANGO_DB_*_ANALYTICS` are read in
/// `environment.rs`: they mean one thing together.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("analytics.database_url", "ANALYTICS_DATABASE_URL"),
    (
        "analytics.raw_retention_days",
        "RAW_ANALYTICS_DATA_RETENTION_DAYS",
    ),
    (
        "analytics.bucketed_retention_days",
        "BUCKETED_ANALYTICS_DATA_RETENTION_DAYS",
    ),
];

/// Where counts are kept, and for how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    store: Choice,
    #[serde(deserialize_with = "optional_text")]
    database_url: Option<String>,
    /// Days that counts are kept as they came in, 1 to 3650.
    #[serde(deserialize_with = "between::<1, 3650, _, _>")]
    pub raw_retention_days: u32,
    /// Days that counts are kept added up, 1 to 3650.
    #[serde(deserialize_with = "between::<1, 3650, _, _>")]
    pub bucketed_retention_days: u32,
}

/// What was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum Choice {
    Unset,
    /// A database or InfluxDB, where InfluxDB is set up; otherwise nowhere.
    InfluxdbOrNone,
    Database,
    Influxdb,
    None,
}

impl TryFrom<String> for Choice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "" => Ok(Self::Unset),
            NOT_IN_POSTGRES => Ok(Self::InfluxdbOrNone),
            "database" => Ok(Self::Database),
            "influxdb" => Ok(Self::Influxdb),
            "none" => Ok(Self::None),
            _ => Err(format!("must be database, influxdb or none, not {text:?}")),
        }
    }
}

/// What `USE_POSTGRES_FOR_ANALYTICS=False` says.
pub(super) const NOT_IN_POSTGRES: &str = "influxdb or none";

/// Where counts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// In the product's database, or in this one.
    Database(Option<DatabaseUrl>),
    Influxdb,
    None,
}

impl Analytics {
    /// Where counts are kept. Unless it was said, in InfluxDB where that is set up, and otherwise in a database.
    pub fn store(&self, influxdb: &Influxdb) -> Result<Store, &'static str> {
        let database = || {
            let url = self.database_url.clone().map(DatabaseUrl::try_from).transpose()?;
            Ok::<_, &'static str>(Store::Database(url))
        };
        match self.store {
            Choice::Influxdb => Ok(Store::Influxdb),
            Choice::Unset | Choice::InfluxdbOrNone if influxdb.is_set_up() => Ok(Store::Influxdb),
            Choice::Unset | Choice::Database => database(),
            Choice::InfluxdbOrNone | Choice::None => Ok(Store::None),
        }
    }
}
