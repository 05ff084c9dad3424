//! `[impact]`: how far previews of changes look.

use std::time::Duration;

use serde::Deserialize;

use super::values::between;

/// How far previews of changes look.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// An environment with no more identities than this is looked at whole; 0: none is.
    #[serde(deserialize_with = "between::<0, 100_000_000, _, _>")]
    exact_identities: u64,
    /// Identities drawn at random of a larger one, 100 to 1000000.
    #[serde(deserialize_with = "between::<100, 1_000_000, _, _>")]
    sampled_identities: u64,
    /// Seconds that a preview may take, 1 to 600.
    #[serde(deserialize_with = "between::<1, 600, _, _>")]
    time_limit_seconds: u64,
    /// Previews that a node works on at once, 1 to 64.
    #[serde(deserialize_with = "between::<1, 64, _, _>")]
    at_once: u32,
}

impl Impact {
    /// The same in the words of the application.
    pub fn settings(&self) -> burgee_app::settings::ImpactSettings {
        burgee_app::settings::ImpactSettings {
            exact_identities: self.exact_identities,
            sampled_identities: self.sampled_identities,
            time_limit: Duration::from_secs(self.time_limit_seconds),
            at_once: self.at_once as usize,
        }
    }
}
