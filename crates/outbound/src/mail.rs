//! Mail over SMTP or `SendGrid`.

mod sendgrid;
mod smtp;

use std::time::Duration;

use crate::http::Client;

/// How long one delivery may take, usually.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The address, with or without a name, that mail comes from.
    pub sender: String,
    pub carrier: Carrier,
    /// How long one delivery may take.
    pub timeout: Duration,
}

/// Who takes the mail from here.
#[derive(Clone)]
pub enum Carrier {
    Smtp(SmtpSettings),
    SendGrid {
        /// Where its API is, without a trailing slash.
        url: String,
        api_key: String,
    },
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Both hold a secret.
        f.write_str(match self {
            Self::Smtp(_) => "Smtp",
            Self::SendGrid { .. } => "SendGrid",
        })
    }
}

/// A mail server.
#[derive(Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    /// User and password, where the server asks for them.
    pub credentials: Option<(String, String)>,
    pub security: Security,
    /// Certificates (PEM) of those who may vouch for it, beside those this machine trusts anyway. May be empty.
    pub authorities: String,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after a first exchange in the clear; nothing is sent without it.
    StartTls,
    /// None.
    Clear,
}

/// A mail to send.
#[derive(Debug, Clone)]
pub struct Message {
    /// Stays the same when a delivery is tried again, so that the receiver can drop repeats.
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why a mail was not taken. The text names no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It can't be sent, ever: an address or the settings are wrong.
    #[error("{0}")]
    Unusable(String),
    /// It was not taken this time.
    #[error("{0}")]
    Failed(String),
}

/// Sends mail. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer {
    settings: MailSettings,
    http: Client,
}

impl Mailer {
    pub(crate) fn new(settings: MailSettings, http: Client) -> Self {
        Self { settings, http }
    }

    /// Hands one mail over. It is taken once this returns.
    pub async fn send(&self, message: &Message) -> Result<(), Error> {
        let sender = &self.settings.sender;
        let sending = async {
            match &self.settings.carrier {
                Carrier::Smtp(server) => smtp::send(server, sender, message, self.settings.timeout).await,
                Carrier::SendGrid { url, api_key } => {
                    sendgrid::send(&self.http, url, api_key, sender, message).await
                }
            }
        };
        tokio::time::timeout(self.settings.timeout, sending)
            .await
            .unwrap_or_else(|_| Err(Error::Failed("no answer in time".to_owned())))
    }
}
