//! `[own_flags]`: where the flags are that Burgee itself is driven by.

use burgee_app::settings::OwnFlagsSettings;
use serde::Deserialize;
use url::Url;

use super::values::{Secret, optional_text, optional_web_url};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("own_flags.environment_key", "FLAGSMITH_ON_FLAGSMITH_API_KEY"),
    ("own_flags.api_url", "FLAGSMITH_ON_FLAGSMITH_API_URL"),
    ("own_flags.server_key", "FLAGSMITH_ON_FLAGSMITH_SERVER_KEY"),
    (
        "own_flags.server_api_url",
        "FLAGSMITH_ON_FLAGSMITH_SERVER_API_URL",
    ),
    (
        "own_flags.server_offline",
        "FLAGSMITH_ON_FLAGSMITH_SERVER_OFFLINE_MODE",
    ),
];

/// Where the flags are that Burgee itself is driven by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnFlags {
    #[serde(deserialize_with = "optional_text")]
    environment_key: Option<String>,
    #[serde(deserialize_with = "optional_web_url")]
    api_url: Option<Url>,
    server_key: Secret,
    #[serde(deserialize_with = "optional_web_url")]
    server_api_url: Option<Url>,
    server_offline: bool,
}

impl OwnFlags {
    /// What is wrong with the section: a server-side key would be shown to everybody who opens the dashboard.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_secret = self
            .environment_key
            .as_ref()
            .is_some_and(|key| key.starts_with("ser."));
        is_secret.then_some((
            "own_flags.environment_key",
            "must be a client-side key: browsers are given it, and this one is a server-side key",
        ))
    }

    /// In the words of the application.
    pub fn settings(&self) -> OwnFlagsSettings {
        let base = |url: &Url| format!("{}/", url.as_str().trim_end_matches('/'));
        OwnFlagsSettings {
            environment_key: self.environment_key.clone(),
            api_url: self.api_url.as_ref().map(base),
            server_key: Some(self.server_key.expose().to_owned()).filter(|key| !key.is_empty()),
            server_api_url: self.server_api_url.as_ref().map(base),
            server_offline: self.server_offline,
        }
    }
}
