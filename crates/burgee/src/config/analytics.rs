//! `[analytics]`: how long counts are kept.

use serde::Deserialize;

use super::values::between;

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    (
        "analytics.raw_retention_days",
        "RAW_ANALYTICS_DATA_RETENTION_DAYS",
    ),
    (
        "analytics.bucketed_retention_days",
        "BUCKETED_ANALYTICS_DATA_RETENTION_DAYS",
    ),
];

/// How long counts are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// Days that counts are kept as they came in, 1 to 3650.
    #[serde(deserialize_with = "between::<1, 3650, _, _>")]
    pub raw_retention_days: u32,
    /// Days that counts are kept added up, 1 to 3650.
    #[serde(deserialize_with = "between::<1, 3650, _, _>")]
    pub bucketed_retention_days: u32,
}
