//! `[metrics]`: the page for Prometheus.

use serde::Deserialize;

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[("metrics.enabled", "PROMETHEUS_ENABLED")];

/// The page for Prometheus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Serve `/metrics`. Off by default, as in Flagsmith: it is on the address the SDKs use.
    pub enabled: bool,
}
