//! What may be written in the files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alert, Channel, Schedule};
use crate::destination::launchdarkly::OnRemove;
use crate::guard::Guards;
use crate::plan::Mode;
use crate::warehouse::Dialect;

/// Audience syncs: where rows come from, which of them, where they go, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// Places with rows, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, Source>,
    /// Rows of a source with a key, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, Model>,
    /// Places to send to, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub destinations: BTreeMap<String, Destination>,
    /// Places that messages go to, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<String, Channel>,
    /// Models on their way to destinations, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub syncs: BTreeMap<String, Sync>,
}

impl Document {
    /// Takes in another file; returns what is in both.
    pub(super) fn merge(&mut self, other: Self) -> Vec<String> {
        fn into<T>(
            kind: &str,
            all: &mut BTreeMap<String, T>,
            more: BTreeMap<String, T>,
            twice: &mut Vec<String>,
        ) {
            for (name, value) in more {
                match all.entry(name) {
                    Entry::Occupied(known) => twice.push(format!("{kind}.{}", known.key())),
                    Entry::Vacant(place) => drop(place.insert(value)),
                }
            }
        }
        let mut twice = Vec::new();
        into("sources", &mut self.sources, other.sources, &mut twice);
        into("models", &mut self.models, other.models, &mut twice);
        into(
            "destinations",
            &mut self.destinations,
            other.destinations,
            &mut twice,
        );
        into("channels", &mut self.channels, other.channels, &mut twice);
        into("syncs", &mut self.syncs, other.syncs, &mut twice);
        twice
    }
}

/// A place with rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "driver", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A Postgres server.
    Postgres {
        /// `postgres://…`; best a reference: `${env:NAME}`.
        url: String,
        /// Where rows are compared.
        #[serde(default, skip_serializing_if = "is_default")]
        engine: Engine,
        /// The schema that `engine: warehouse` may write to.
        #[serde(default = "planner", skip_serializing_if = "is_planner")]
        schema: String,
    },
    /// An SQLite file; it is only read.
    Sqlite {
        /// Relative to the file that names it.
        path: String,
    },
    /// A folder of CSV, JSON-lines and Parquet files.
    Files {
        /// Relative to the file that names it.
        folder: String,
    },
    /// A database that has a driver for ADBC.
    Adbc {
        /// The driver: the name of a library in the folder that the operator has set.
        library: String,
        /// The library's entry point, where it is not the usual one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entrypoint: Option<String>,
        /// SHA-256 of the library, in hexadecimal: another one is not loaded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// What the driver is told to connect, by the names its documentation gives: `uri`, `username`, …
        #[serde(default)]
        options: BTreeMap<String, String>,
        /// Where rows are compared.
        #[serde(default, skip_serializing_if = "is_default")]
        engine: Engine,
        /// What SQL the database speaks; `engine: warehouse` needs to know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dialect: Option<Dialect>,
        /// The schema that `engine: warehouse` may write to.
        #[serde(default = "planner", skip_serializing_if = "is_planner")]
        schema: String,
    },
}

/// Where rows are compared with what the destination has acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Here: all rows are read, in one pass.
    #[default]
    Local,
    /// In the database itself: only rows that have changed leave it. Needs a schema that may be written to.
    Warehouse,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn planner() -> String {
    "flag_sync".to_owned()
}

fn is_planner(schema: &String) -> bool {
    *schema == planner()
}

/// Rows of a source with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name of the source.
    pub source: String,
    /// The column that names the row.
    pub key: String,
    /// Whether a row is one identity, or one trait of an identity.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: Format,
    /// One statement that returns rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// A whole table, or `schema.table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// A file of a source of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a row of a model is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One identity, its columns its traits.
    #[default]
    Wide,
    /// One trait of one identity: an identifier, the name of the trait, its value.
    Long,
}

/// A place to send to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    /// Traits of identities, or a cohort.
    Flagsmith {
        /// The API instance, which ends in `/api/v1`; Flagsmith's own Edge API when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// A server-side environment key (`ser.…`); best a reference: `${env:NAME}`.
        key: String,
        /// Put before the name of every trait.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        trait_prefix: String,
        /// Whether who leaves loses the trait; otherwise it becomes `false`.
        #[serde(default, skip_serializing_if = "is_default")]
        delete_traits_on_remove: bool,
        /// The key that members of cohorts are written with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cohort_key: Option<String>,
    },
    /// Targets of a segment.
    Launchdarkly {
        /// `us`, `eu`, `federal`, or an address.
        #[serde(default = "us")]
        instance: String,
        /// An access token with the Writer role; best a reference: `${env:NAME}`.
        token: String,
        /// The key of the project.
        project: String,
        /// The key of the environment.
        environment: String,
    },
    /// Members of a list segment of the server that runs the sync.
    Burgee {
        /// The client-side key of the environment.
        environment: String,
    },
}

fn us() -> String {
    "us".to_owned()
}

fn yes() -> bool {
    true
}

/// One model on its way to one destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The name of the model.
    pub model: String,
    /// The name of the destination.
    pub to: String,
    /// What happens to keys that are in the model, and to those that have left it.
    pub mode: Mode,
    /// The name at the destination (`identifier`, `context_key`, or a trait): the column it comes from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub map: BTreeMap<String, String>,
    /// The trait of an audience at Flagsmith; `in_audience` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience_trait: Option<String>,
    /// The id of a cohort at Flagsmith, whose members are then written in place of a trait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// The key of a segment at LaunchDarkly, or of a list segment of the server; it must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The context kind of the keys in a segment; `user` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_kind: Option<String>,
    /// What happens at LaunchDarkly to a key that leaves the audience.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_remove: OnRemove,
    /// Whether a mirror of a segment leaves members alone that it did not add.
    #[serde(default, skip_serializing_if = "is_default")]
    pub managed_only: bool,
    /// What stops a run before it sends.
    #[serde(default, skip_serializing_if = "is_default")]
    pub guards: Guards,
    /// When it runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Who is told of its runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Whether it runs when all are run.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it asks about by reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}
