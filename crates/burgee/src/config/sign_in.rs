//! `[sign_in]`: how people sign in beside e-mail and password.

use std::time::Duration;

use burgee_app::settings::{Cookies, GithubSettings, GoogleSettings, OidcSettings};
use serde::Deserialize;
use url::Url;

use super::values::{Secret, between, optional_text, optional_web_url};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("sign_in.email_activation", "ENABLE_EMAIL_ACTIVATION"),
    ("sign_in.cookies", "COOKIE_AUTH_ENABLED"),
    ("sign_in.secure_cookies", "USE_SECURE_COOKIES"),
    ("sign_in.cookie_same_site", "COOKIE_SAME_SITE"),
    ("sign_in.github_client_id", "GITHUB_CLIENT_ID"),
    ("sign_in.github_client_secret", "GITHUB_CLIENT_SECRET"),
    ("sign_in.google_client_id", "GOOGLE_CLIENT_ID"),
];

/// How people sign in beside e-mail and password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// New users confirm their address before they can sign in.
    pub email_activation: bool,
    /// Browsers stay signed in with a cookie.
    cookies: bool,
    secure_cookies: bool,
    cookie_same_site: SameSite,
    /// Hours after which a cookie that is not used ends.
    #[serde(deserialize_with = "between::<1, 8760, _, _>")]
    cookie_idle_hours: u64,
    #[serde(deserialize_with = "optional_text")]
    github_client_id: Option<String>,
    github_client_secret: Secret,
    #[serde(deserialize_with = "optional_web_url")]
    github_url: Option<Url>,
    #[serde(deserialize_with = "optional_web_url")]
    github_api_url: Option<Url>,
    #[serde(deserialize_with = "optional_text")]
    google_client_id: Option<String>,
    #[serde(deserialize_with = "optional_web_url")]
    google_api_url: Option<Url>,
    #[serde(deserialize_with = "optional_web_url")]
    oidc_issuer_url: Option<Url>,
    #[serde(deserialize_with = "optional_text")]
    oidc_client_id: Option<String>,
    oidc_client_secret: Secret,
    oidc_scopes: Vec<String>,
    oidc_label: String,
    oidc_trust_email: bool,
}

/// To which requests browsers add the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum SameSite {
    Lax,
    Strict,
    None,
}

impl SameSite {
    fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

impl TryFrom<String> for SameSite {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "lax" => Ok(Self::Lax),
            "strict" => Ok(Self::Strict),
            "none" => Ok(Self::None),
            _ => Err(format!("must be lax, strict or none, not {text:?}")),
        }
    }
}

fn without_slash(url: Option<&Url>, default: &str) -> String {
    url.map_or(default, Url::as_str).trim_end_matches('/').to_owned()
}

impl SignIn {
    /// What no setting can tell by itself: the setting at fault, and what is missing.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.github_client_id.is_some() && self.github_client_secret.is_empty() {
            let problem = "must be set (env GITHUB_CLIENT_SECRET) to sign in with GitHub";
            return Some(("sign_in.github_client_secret", problem));
        }
        if self.oidc_issuer_url.is_some() && self.oidc_client_id.is_none() {
            let problem = "must be set where sign_in.oidc_issuer_url is";
            return Some(("sign_in.oidc_client_id", problem));
        }
        if self.cookie_same_site == SameSite::None && !self.secure_cookies {
            let problem = "none needs sign_in.secure_cookies: browsers drop such cookies otherwise";
            return Some(("sign_in.cookie_same_site", problem));
        }
        None
    }

    /// The cookies, if browsers stay signed in with them.
    pub fn cookies(&self) -> Option<Cookies> {
        self.cookies.then(|| Cookies {
            secure: self.secure_cookies,
            same_site: self.cookie_same_site.as_str(),
            idle: Duration::from_secs(self.cookie_idle_hours * 60 * 60),
        })
    }

    /// The application at GitHub.
    pub fn github(&self) -> Option<GithubSettings> {
        Some(GithubSettings {
            client_id: self.github_client_id.clone()?,
            client_secret: self.github_client_secret.expose().to_owned(),
            site_url: without_slash(self.github_url.as_ref(), "https://github.com"),
            api_url: without_slash(self.github_api_url.as_ref(), "https://api.github.com"),
        })
    }

    /// The application at Google.
    pub fn google(&self) -> Option<GoogleSettings> {
        Some(GoogleSettings {
            client_id: self.google_client_id.clone()?,
            api_url: without_slash(self.google_api_url.as_ref(), "https://www.googleapis.com"),
        })
    }

    /// The application at an `OpenID` Connect provider.
    pub fn oidc(&self) -> Option<OidcSettings> {
        let secret = self.oidc_client_secret.expose();
        Some(OidcSettings {
            label: self.oidc_label.clone(),
            issuer: without_slash(Some(self.oidc_issuer_url.as_ref()?), ""),
            client_id: self.oidc_client_id.clone()?,
            client_secret: (!secret.is_empty()).then(|| secret.to_owned()),
            scopes: self.oidc_scopes.clone(),
            trust_email: self.oidc_trust_email,
        })
    }
}
