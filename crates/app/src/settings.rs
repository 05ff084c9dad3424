//! What the operator can set, as the acts need it. Where values come from is the binary's business.

/// Settings of the product. [`Default`] is what a fresh installation runs with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether somebody without an invitation may sign up.
    pub registration_open: bool,
    /// Whether nobody may sign up at all.
    pub signup_prevented: bool,
    /// Logins per minute and address, as a rate (`20/min`); empty for no limit.
    pub login_rate: String,
    /// Sign-ups per minute and address, as a rate.
    pub signup_rate: String,
    /// Where users reach this installation, without a trailing slash; used in links of mails.
    pub public_url: String,
    /// A secret of the installation, from which keys for signing and sealing are derived.
    pub secret: [u8; 32],
    /// What somebody who sets up the first administrator must give, when asked for.
    pub setup_code: Option<String>,
    /// Whether invitation links are switched off.
    pub invite_links_disabled: bool,
    /// How long trait writes are collected before they are committed together, in microseconds.
    pub write_delay_micros: u64,
    /// The most identity writes in one transaction.
    pub write_batch: usize,
    /// Seconds between the heartbeats of an event stream.
    pub realtime_heartbeat_seconds: u64,
    /// Further request headers that browsers may send.
    pub cors_extra_headers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            registration_open: true,
            signup_prevented: false,
            login_rate: "20/min".to_owned(),
            signup_rate: "10000/min".to_owned(),
            public_url: "http://127.0.0.1:8000".to_owned(),
            secret: [0; 32],
            setup_code: None,
            invite_links_disabled: false,
            write_delay_micros: 0,
            write_batch: 256,
            realtime_heartbeat_seconds: 15,
            cors_extra_headers: Vec::new(),
        }
    }
}
