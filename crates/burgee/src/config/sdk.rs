//! `[sdk]`: what SDKs are told beside their flags.

use std::time::Duration;

use serde::Deserialize;

use super::values::between;

/// What SDKs are told beside their flags.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sdk {
    /// Seconds between two signs of life on an idle realtime stream, 1 to 180: SDKs take longer silence for a dead line.
    #[serde(deserialize_with = "between::<1, 180, _, _>")]
    realtime_heartbeat_seconds: u64,
    /// Milliseconds a client waits before it reconnects a lost realtime stream, 100 to 600000.
    #[serde(deserialize_with = "between::<100, 600_000, _, _>")]
    realtime_retry_milliseconds: u64,
}

impl Sdk {
    /// Time between two signs of life on an idle realtime stream.
    pub fn realtime_heartbeat(&self) -> Duration {
        Duration::from_secs(self.realtime_heartbeat_seconds)
    }

    /// How long a client waits before it reconnects a lost realtime stream.
    pub fn realtime_retry(&self) -> Duration {
        Duration::from_millis(self.realtime_retry_milliseconds)
    }
}
