//! `[outbound]`: what requests of this program to others may reach.

use serde::Deserialize;

/// What requests of this program to others may reach.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Whether addresses that users give may lie in private networks.
    pub allow_private_addresses: bool,
    /// Where LaunchDarkly's API is, for imports.
    pub launch_darkly_url: String,
}
