//! `[admin]`: the first administrator, made without a browser.

use serde::Deserialize;

use super::values::{Secret, optional_email};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("admin.create_at_start", "ALLOW_ADMIN_INITIATION_VIA_CLI"),
    ("admin.email", "ADMIN_EMAIL"),
    ("admin.initial_password", "ADMIN_INITIAL_PASSWORD"),
];

/// The first administrator, made without a browser.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Make the administrator at start if there is no user yet.
    pub create_at_start: bool,
    /// Their e-mail address.
    #[serde(deserialize_with = "optional_email")]
    pub email: Option<String>,
    /// Their first password; empty: one is made and printed once.
    pub initial_password: Secret,
}
