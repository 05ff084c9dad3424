//! `[telemetry]`: whether anyone is told about this installation. Nobody is, until a URL is set.

use serde::Deserialize;
use url::Url;

use super::values::optional_web_url;

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[("telemetry.enabled", "ENABLE_TELEMETRY")];

/// Whether anyone is told about this installation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    enabled: bool,
    #[serde(deserialize_with = "optional_web_url")]
    url: Option<Url>,
}

impl Telemetry {
    /// Where counts of organisations, projects and so on are sent; `None`: nowhere.
    pub fn destination(&self) -> Option<&Url> {
        self.url.as_ref().filter(|_| self.enabled)
    }
}
