//! `[traces]`: where traces of requests and tasks are sent. Nowhere, until an endpoint is set.

use serde::Deserialize;
use url::Url;

use super::values::optional_web_url;

/// OpenTelemetry's names for settings of this section. Its other variables are read by its own library.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] =
    &[("traces.otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT")];

/// Where traces are sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// A collector that speaks OTLP over HTTP: traces go to `v1/traces` below it.
    #[serde(deserialize_with = "optional_web_url")]
    pub otlp_endpoint: Option<Url>,
}
