//! `[registration]`: who may make an account.

use serde::Deserialize;

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    (
        "registration.allow_without_invite",
        "ALLOW_REGISTRATION_WITHOUT_INVITE",
    ),
    ("registration.prevent_signup", "PREVENT_SIGNUP"),
    ("registration.prevent_email_password", "PREVENT_EMAIL_PASSWORD"),
    ("registration.disable_invite_links", "DISABLE_INVITE_LINKS"),
    (
        "registration.superusers_create_organisations",
        "ONLY_SUPERUSERS_CAN_CREATE_ORGANISATIONS",
    ),
    (
        "registration.superusers_create_organisations",
        "RESTRICT_ORG_CREATE_TO_SUPERUSERS",
    ),
];

/// Who may make an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Whether people may sign up without having been invited.
    pub allow_without_invite: bool,
    /// Nobody may sign up, invited or not.
    pub prevent_signup: bool,
    /// Nobody may sign up or log in with e-mail and password.
    pub prevent_email_password: bool,
    /// Invitations go by e-mail only.
    pub disable_invite_links: bool,
    /// Only superusers make organisations.
    pub superusers_create_organisations: bool,
}
