//! What stands between an attacker and an account: throttles, slow hashing kept within bounds, keys derived from
//! the installation's secret.

use std::sync::Arc;

use burgee_auth::passwords;
use burgee_auth::reset::{DEFAULT_RESET_SECONDS, ResetTokens};
use burgee_auth::signed::Signer;
use burgee_auth::throttle::{Rate, Throttle};
use burgee_auth::tokens::{Sealer, derive_key};
use burgee_model::Timestamp;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use crate::{App, Caller, Error, Result, Settings};

/// Attempts at a second factor per user.
const MFA_RATE: Rate = Rate {
    attempts: 5,
    seconds: 60,
};
/// The same over a day: a code of six digits must not be found by patience.
const MFA_DAY_RATE: Rate = Rate {
    attempts: 50,
    seconds: 24 * 60 * 60,
};
/// Programs that register with the authorization server, per address.
const CLIENT_RATE: Rate = Rate {
    attempts: 500,
    seconds: 30 * 24 * 60 * 60,
};
/// For how long the link of an activation mail holds, in seconds.
const ACTIVATION_SECONDS: u64 = 7 * 24 * 60 * 60;
/// Calls that send invitations, per user: their mails carry texts of the user's choice to anybody.
const INVITE_RATE: Rate = Rate {
    attempts: 10,
    seconds: 60,
};
/// Attempts at an imported master API key, by its prefix, before its first use: each costs up to half a second.
const IMPORTED_KEY_RATE: Rate = Rate {
    attempts: 10,
    seconds: 60,
};

/// Tokens of issuers that are taken from one address.
const EXCHANGE_RATE: Rate = Rate {
    attempts: 60,
    seconds: 60,
};

/// The limits and locks of this process. Each node counts for itself.
#[derive(Debug)]
pub(crate) struct Security {
    login: Throttle,
    signup: Throttle,
    user: Throttle,
    master_api_key: Throttle,
    mfa: Throttle,
    mfa_day: Throttle,
    client: Throttle,
    invite: Throttle,
    exchange: Throttle,
    imported_key: Throttle,
    /// Held while an imported key is recognised, so that its first requests don't all do the same slow work.
    recognising: Mutex<()>,
    /// How many passwords are hashed at once: each takes a core and 19 MiB.
    hashing: Arc<Semaphore>,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Login,
    SignUp,
    SecondFactor,
    SecondFactorOfDay,
    RegisterClient,
    Invite,
    TokenExchange,
    ImportedKey,
}

impl Security {
    /// As the settings say.
    pub(crate) fn new(settings: &Settings) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            login: Throttle::new(settings.login_rate),
            signup: Throttle::new(settings.signup_rate),
            user: Throttle::new(settings.user_rate),
            master_api_key: Throttle::new(settings.master_api_key_rate),
            mfa: Throttle::new(Some(MFA_RATE)),
            exchange: Throttle::new(Some(EXCHANGE_RATE)),
            mfa_day: Throttle::new(Some(MFA_DAY_RATE)),
            client: Throttle::new(Some(CLIENT_RATE)),
            invite: Throttle::new(Some(INVITE_RATE)),
            imported_key: Throttle::new(Some(IMPORTED_KEY_RATE)),
            recognising: Mutex::new(()),
            hashing: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl App {
    /// Counts a call of the management API, or refuses it.
    pub fn throttle_caller(&self, caller: &Caller) -> Result<()> {
        let (throttle, id) = match caller {
            Caller::User(user) => (&self.security().user, user.id),
            Caller::ApiKey(key) => (&self.security().master_api_key, key.id),
        };
        throttle
            .check(&id.to_string(), Timestamp::now().0)
            .map_err(Error::Throttled)
    }

    /// Counts an attempt, or refuses it.
    pub(crate) fn throttle(&self, attempt: Attempt, key: &str) -> Result<()> {
        let security = self.security();
        let throttle = match attempt {
            Attempt::Login => &security.login,
            Attempt::SignUp => &security.signup,
            Attempt::SecondFactor => &security.mfa,
            Attempt::TokenExchange => &security.exchange,
            Attempt::SecondFactorOfDay => &security.mfa_day,
            Attempt::RegisterClient => &security.client,
            Attempt::Invite => &security.invite,
            Attempt::ImportedKey => &security.imported_key,
        };
        throttle.check(key, Timestamp::now().0).map_err(Error::Throttled)
    }

    /// The stored form of a password. Slow on purpose; never call it with a transaction open.
    pub(crate) async fn hash_password(&self, password: String) -> Result<String> {
        self.slowly(move || passwords::hash(&password)).await
    }

    /// Whether this is the password; `None` for somebody who has none takes as long. Slow on purpose.
    pub(crate) async fn verify_password(&self, password: String, stored: Option<String>) -> Result<bool> {
        self.slowly(move || passwords::verify(&password, stored.as_deref()))
            .await
    }

    /// Runs work of tens of milliseconds where it holds up nobody, and not too much of it at once.
    async fn slowly<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
        let permit = Arc::clone(&self.security().hashing)
            .acquire_owned()
            .await
            .map_err(|error| internal(&error))?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a client that hangs up must not make room for more of it.
            let _permit = permit;
            work()
        });
        done.await.map_err(|error| internal(&error))
    }

    /// Waits until nobody else is recognising an imported key.
    pub(crate) async fn recognising(&self) -> MutexGuard<'_, ()> {
        self.security().recognising.lock().await
    }

    pub(crate) fn key(&self, purpose: &str) -> [u8; 32] {
        derive_key(&self.settings().secret, purpose)
    }

    /// Encrypts what must be read again.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.key("seal"))
    }

    /// Signs the step between password and second factor.
    pub(crate) fn signer(&self) -> Signer {
        Signer::new(self.key("signed"))
    }

    /// Issues and checks the tokens of reset links.
    pub(crate) fn reset_tokens(&self) -> ResetTokens {
        ResetTokens::new(self.key("reset"), DEFAULT_RESET_SECONDS)
    }

    /// Issues and checks the tokens of links that confirm a new user's address.
    pub(crate) fn activation_tokens(&self) -> ResetTokens {
        ResetTokens::new(self.key("activation"), ACTIVATION_SECONDS)
    }

    /// Issues and checks the tokens of links that change an address.
    pub(crate) fn email_tokens(&self) -> ResetTokens {
        ResetTokens::new(self.key("email reset"), DEFAULT_RESET_SECONDS)
    }

    /// The key that clients' addresses are hashed under.
    pub(crate) fn address_key(&self) -> [u8; 32] {
        self.key("addresses")
    }

    /// The key that backup codes are hashed under.
    pub(crate) fn backup_code_key(&self) -> [u8; 32] {
        self.key("backup codes")
    }
}

/// Seconds since 1970, as the tokens count them.
pub(crate) fn now_seconds() -> u64 {
    u64::try_from(Timestamp::now().epoch_second()).unwrap_or_default()
}
