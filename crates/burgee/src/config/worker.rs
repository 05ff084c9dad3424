//! `[worker]`: background work.

use serde::Deserialize;

use super::values::between;

/// Background work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Whether `burgee serve` does background work. Off, some `burgee worker` must run.
    pub in_server: bool,
    /// How many tasks a node does at once, 1 to 256.
    #[serde(deserialize_with = "between::<1, 256, _, _>")]
    pub concurrency: u32,
}
