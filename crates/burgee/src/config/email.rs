//! `[email]`: the mail server.

use serde::Deserialize;

use super::values::{Secret, between, optional_text};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("email.host", "EMAIL_HOST"),
    ("email.port", "EMAIL_PORT"),
    ("email.username", "EMAIL_HOST_USER"),
    ("email.password", "EMAIL_HOST_PASSWORD"),
    ("email.use_tls", "EMAIL_USE_TLS"),
    ("email.sender", "SENDER_EMAIL"),
];

/// The mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Its name; `None`: no mail is sent.
    #[serde(deserialize_with = "optional_text")]
    pub host: Option<String>,
    /// Its port, 1 to 65535.
    #[serde(deserialize_with = "between::<1, 65535, _, _>")]
    pub port: u16,
    /// The account to log in with; `None`: no log-in.
    #[serde(deserialize_with = "optional_text")]
    pub username: Option<String>,
    /// The account's password.
    pub password: Secret,
    /// Upgrade the connection with STARTTLS before logging in.
    pub use_tls: bool,
    /// The From address, with or without a name.
    #[serde(deserialize_with = "optional_text")]
    pub sender: Option<String>,
}
