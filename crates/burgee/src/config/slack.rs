//! `[slack]`: the application at Slack that changes are told through.

use burgee_app::settings::SlackSettings;
use serde::Deserialize;
use url::Url;

use super::values::{Secret, optional_text, optional_web_url};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("slack.client_id", "SLACK_CLIENT_ID"),
    ("slack.client_secret", "SLACK_CLIENT_SECRET"),
];

/// The application at Slack that changes are told through.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    #[serde(deserialize_with = "optional_text")]
    client_id: Option<String>,
    client_secret: Secret,
    #[serde(deserialize_with = "optional_web_url")]
    url: Option<Url>,
}

impl Slack {
    /// In the words of the application.
    pub fn settings(&self) -> SlackSettings {
        let otherwise = SlackSettings::default();
        SlackSettings {
            client_id: self.client_id.clone(),
            client_secret: Some(self.client_secret.expose().to_owned()).filter(|secret| !secret.is_empty()),
            url: self
                .url
                .as_ref()
                .map_or(otherwise.url, |url| url.as_str().trim_end_matches('/').to_owned()),
        }
    }
}
