//! What may be written in the files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::{Alert, Channel, Schedule};
use crate::destination::launchdarkly::OnRemove;
use crate::guard::Guards;
use crate::plan::Mode;

/// The content of a file, or of all files together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    pub sources: BTreeMap<String, Source>,
    pub models: BTreeMap<String, Model>,
    pub destinations: BTreeMap<String, Destination>,
    pub channels: BTreeMap<String, Channel>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "driver", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    Postgres { url: String },
    Sqlite { path: String },
    Files { folder: String },
}

/// Rows of a source with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub source: String,
    /// The column that names the row.
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// A place to send to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Destination {
    Flagsmith {
        /// The API instance; Flagsmith's own when not given.
        #[serde(default)]
        url: Option<String>,
        /// A server-side environment key.
        key: String,
        #[serde(default)]
        trait_prefix: String,
        #[serde(default)]
        delete_traits_on_remove: bool,
    },
    Launchdarkly {
        /// `us`, `eu`, `federal`, or an address.
        #[serde(default = "us")]
        instance: String,
        token: String,
        project: String,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    pub model: String,
    pub to: String,
    pub mode: Mode,
    /// The name at the destination (`identifier`, or a trait): the column it comes from.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// The trait of an audience at Flagsmith.
    #[serde(default)]
    pub audience_trait: Option<String>,
    /// The key of a segment at LaunchDarkly.
    #[serde(default)]
    pub segment: Option<String>,
    #[serde(default)]
    pub context_kind: Option<String>,
    #[serde(default)]
    pub on_remove: OnRemove,
    #[serde(default)]
    pub managed_only: bool,
    #[serde(default)]
    pub guards: Guards,
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// Who is told of its runs.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    #[serde(default = "yes")]
    pub enabled: bool,
}
