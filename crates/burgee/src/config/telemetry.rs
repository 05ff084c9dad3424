//! `[telemetry]`: whether anyone is told about this installation. Nobody is, until a URL is set.

use burgee_app::settings::TelemetrySettings;
use serde::Deserialize;
use url::Url;

use super::values::optional_web_url;

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("telemetry.enabled", "ENABLE_TELEMETRY"),
    ("telemetry.environment", "ENVIRONMENT"),
];

/// Whether anyone is told about this installation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    enabled: bool,
    #[serde(deserialize_with = "optional_web_url")]
    url: Option<Url>,
    environment: String,
}

impl Telemetry {
    /// In the words of the application.
    pub fn settings(&self) -> TelemetrySettings {
        TelemetrySettings {
            url: self.destination().map(Url::to_string),
            environment: self.environment.clone(),
        }
    }

    /// Where counts of organisations, projects and so on are sent; `None`: nowhere.
    pub fn destination(&self) -> Option<&Url> {
        self.url.as_ref().filter(|_| self.enabled)
    }
}
