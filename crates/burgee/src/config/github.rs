//! `[github]`: the application at GitHub through which issues and pull requests are told of features.

use burgee_app::settings::GithubAppSettings;
use serde::Deserialize;
use url::Url;

use super::values::{Secret, optional_text, optional_web_url};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("github.app_id", "GITHUB_APP_ID"),
    ("github.private_key", "GITHUB_PEM"),
    ("github.webhook_secret", "GITHUB_WEBHOOK_SECRET"),
    ("github.app_url", "GITHUB_APP_URL"),
];

/// The application at GitHub through which issues and pull requests are told of features.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Github {
    #[serde(deserialize_with = "optional_text")]
    app_id: Option<String>,
    private_key: Secret,
    webhook_secret: Secret,
    #[serde(deserialize_with = "optional_web_url")]
    app_url: Option<Url>,
    #[serde(deserialize_with = "optional_web_url")]
    api_url: Option<Url>,
}

impl Github {
    /// What no setting can tell by itself: the setting at fault, and what is missing.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.app_id.is_some() && self.private_key.is_empty() {
            let problem = "must be set (env GITHUB_PEM) where github.app_id is";
            return Some(("github.private_key", problem));
        }
        None
    }

    /// In the words of the application.
    pub fn settings(&self) -> GithubAppSettings {
        let otherwise = GithubAppSettings::default();
        let set = |secret: &Secret| Some(secret.expose().to_owned()).filter(|secret| !secret.is_empty());
        GithubAppSettings {
            app_id: self.app_id.clone(),
            // In variables of the environment lines often end in two characters.
            private_key: set(&self.private_key).map(|pem| pem.replace("\\n", "\n")),
            webhook_secret: set(&self.webhook_secret),
            app_url: self.app_url.as_ref().map(Url::to_string),
            api_url: self.api_url.as_ref().map_or(otherwise.api_url, |url| {
                url.as_str().trim_end_matches('/').to_owned()
            }),
        }
    }
}
