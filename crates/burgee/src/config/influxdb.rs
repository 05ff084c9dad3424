//! `[influxdb]`: the InfluxDB 2 that counts are kept in.

use burgee_app::settings::InfluxSettings;
use serde::Deserialize;
use url::Url;

use super::values::{Secret, optional_web_url};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("influxdb.url", "INFLUXDB_URL"),
    ("influxdb.token", "INFLUXDB_TOKEN"),
    ("influxdb.org", "INFLUXDB_ORG"),
    ("influxdb.bucket", "INFLUXDB_BUCKET"),
];

/// The InfluxDB 2 that counts are kept in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Influxdb {
    #[serde(deserialize_with = "optional_web_url")]
    url: Option<Url>,
    token: Secret,
    org: String,
    bucket: String,
}

impl Influxdb {
    /// Whether it is to be used: a token is what decides, as in Flagsmith.
    pub fn is_set_up(&self) -> bool {
        !self.token.is_empty()
    }

    /// The bucket that counts are written to.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// In the words of the application, or which setting is missing.
    pub fn settings(&self) -> Result<InfluxSettings, &'static str> {
        let url = self.url.as_ref().ok_or("influxdb.url")?;
        for (name, is_missing) in [
            ("influxdb.token", self.token.is_empty()),
            ("influxdb.org", self.org.is_empty()),
            ("influxdb.bucket", self.bucket.is_empty()),
        ] {
            if is_missing {
                return Err(name);
            }
        }
        Ok(InfluxSettings {
            url: url.as_str().trim_end_matches('/').to_owned(),
            token: self.token.expose().to_owned(),
            org: self.org.clone(),
            bucket: self.bucket.clone(),
        })
    }
}
