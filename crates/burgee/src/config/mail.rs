//! `[mail]`: how mail is sent.

use burgee_outbound::mail::{Carrier, MailSettings, Security, SmtpSettings, TIMEOUT};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use super::values::{Secret, optional_text, optional_web_url};

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("mail.backend", "EMAIL_BACKEND"),
    ("mail.sender", "SENDER_EMAIL"),
    ("mail.host", "EMAIL_HOST"),
    ("mail.port", "EMAIL_PORT"),
    ("mail.user", "EMAIL_HOST_USER"),
    ("mail.password", "EMAIL_HOST_PASSWORD"),
    ("mail.use_tls", "EMAIL_USE_TLS"),
    ("mail.use_ssl", "EMAIL_USE_SSL"),
    ("mail.sendgrid_api_key", "SENDGRID_API_KEY"),
];

/// How mail is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Who takes the mail; `None`: whichever is set up.
    #[serde(deserialize_with = "backend")]
    pub backend: Option<Backend>,
    /// The address mail comes from, with or without a name.
    pub sender: String,
    /// The mail server.
    #[serde(deserialize_with = "optional_text")]
    pub host: Option<String>,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    /// TLS after a first exchange in the clear.
    pub use_tls: bool,
    /// TLS from the first byte.
    pub use_ssl: bool,
    /// A file of certificates (PEM) the mail server's may be signed with, beside those the machine trusts.
    #[serde(deserialize_with = "optional_text")]
    pub ca_file: Option<String>,
    /// `SendGrid`'s key.
    pub sendgrid_api_key: Secret,
    /// Where `SendGrid`'s API is.
    #[serde(deserialize_with = "optional_web_url")]
    pub sendgrid_url: Option<Url>,
}

/// Who takes the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Smtp,
    SendGrid,
    /// Nobody.
    Off,
}

/// Our word, or Django's path of a class.
fn backend<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Backend>, D::Error> {
    let text = String::deserialize(input)?;
    Ok(Some(match text.to_ascii_lowercase().as_str() {
        "" => return Ok(None),
        "smtp" | "django.core.mail.backends.smtp.emailbackend" => Backend::Smtp,
        "sendgrid" | "sgbackend.sendgridbackend" | "sendgrid_backend.sendgridbackend" => Backend::SendGrid,
        "off"
        | "django.core.mail.backends.console.emailbackend"
        | "django.core.mail.backends.dummy.emailbackend" => Backend::Off,
        _ => {
            let allowed = "must be smtp, sendgrid or off (or Django's name for one of them)";
            return Err(D::Error::custom(format!("{allowed}, not {text:?}")));
        }
    }))
}

impl Mail {
    /// The backend in effect: the one named, or the one that is set up.
    fn in_effect(&self) -> Backend {
        match self.backend {
            Some(backend) => backend,
            None if self.host.is_some() => Backend::Smtp,
            None if !self.sendgrid_api_key.is_empty() => Backend::SendGrid,
            None => Backend::Off,
        }
    }

    /// What no setting can tell by itself: the setting at fault, and what is missing.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let backend = self.in_effect();
        if backend == Backend::Off {
            None
        } else if self.sender.is_empty() {
            Some(("mail.sender", "must be set (env SENDER_EMAIL) where mail is sent"))
        } else if backend == Backend::SendGrid && self.sendgrid_api_key.is_empty() {
            Some((
                "mail.sendgrid_api_key",
                "must be set (env SENDGRID_API_KEY) to send with SendGrid",
            ))
        } else if self.use_tls && self.use_ssl && backend == Backend::Smtp {
            Some(("mail.use_ssl", "can't be on together with mail.use_tls"))
        } else if self.authorities().is_none() {
            Some((
                "mail.ca_file",
                "must be a file of certificates (PEM) that can be read",
            ))
        } else {
            None
        }
    }

    /// In the words of the mailer; `None`: no mail is sent.
    pub fn settings(&self) -> Option<MailSettings> {
        let carrier = match self.in_effect() {
            Backend::Off => return None,
            Backend::Smtp => Carrier::Smtp(self.smtp()),
            Backend::SendGrid => Carrier::SendGrid {
                url: self.sendgrid_url.as_ref().map_or_else(
                    || "https://api.sendgrid.com".to_owned(),
                    |url| url.as_str().trim_end_matches('/').to_owned(),
                ),
                api_key: self.sendgrid_api_key.expose().to_owned(),
            },
        };
        Some(MailSettings {
            sender: self.sender.clone(),
            carrier,
            timeout: TIMEOUT,
        })
    }

    /// What stands in the file of certificates; nothing, when there is none; `None`, when it is no such file.
    fn authorities(&self) -> Option<String> {
        let Some(path) = &self.ca_file else {
            return Some(String::new());
        };
        let text = std::fs::read_to_string(path).ok()?;
        text.contains("-----BEGIN CERTIFICATE-----").then_some(text)
    }

    fn smtp(&self) -> SmtpSettings {
        SmtpSettings {
            host: self.host.clone().unwrap_or_else(|| "localhost".to_owned()),
            port: self.port,
            credentials: (!self.user.is_empty())
                .then(|| (self.user.clone(), self.password.expose().to_owned())),
            security: match (self.use_ssl, self.use_tls) {
                (true, _) => Security::Tls,
                (false, true) => Security::StartTls,
                (false, false) => Security::Clear,
            },
            authorities: self.authorities().unwrap_or_default(),
        }
    }
}
