//! What leaves this process on its own account: HTTP requests and mail.
//!
//! The only crate that names the HTTP client and the mail library. It decides nothing: who is written to, and what is
//! sent again, is the business of whoever calls.
//!
//! * [`http`]: one client for addresses that the operator gave, one for those that users gave, which must not reach the
//!   operator's own network.
//! * [`mail`]: a mailer over SMTP or `SendGrid`.

pub mod addresses;
pub mod http;
pub mod mail;

use std::sync::Arc;

use http::{Client, Reach};
use mail::{MailSettings, Mailer};

/// What the operator set about it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether addresses that users give may lie in private networks.
    pub allow_private_addresses: bool,
    /// How mail is sent; `None`: not at all.
    pub mail: Option<MailSettings>,
}

/// The ways out of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trusted: Client,
    guarded: Client,
    mailer: Option<Mailer>,
}

impl Outbound {
    /// As the settings say. Nothing is connected or read before it is needed.
    pub fn new(settings: &Settings) -> Self {
        let guarded = if settings.allow_private_addresses {
            Reach::Everywhere
        } else {
            Reach::PublicOnly
        };
        let trusted = Client::new(Reach::Everywhere);
        let mail = settings.mail.as_ref();
        Self(Arc::new(Inner {
            mailer: mail.map(|mail| Mailer::new(mail.clone(), trusted.clone())),
            trusted,
            guarded: Client::new(guarded),
        }))
    }

    /// For addresses that the operator gave.
    pub fn trusted(&self) -> &Client {
        &self.0.trusted
    }

    /// For addresses that users gave: webhooks, integrations, issuers. It reaches no private network, unless allowed to.
    pub fn guarded(&self) -> &Client {
        &self.0.guarded
    }

    /// Sends mail, where that was set up.
    pub fn mailer(&self) -> Option<&Mailer> {
        self.0.mailer.as_ref()
    }
}
