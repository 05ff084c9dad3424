//! What the operator can set, as the acts need it. Where values come from is the binary's business.

use std::time::Duration;

use burgee_model::limits;

pub use crate::analytics::{InfluxSettings, KeptIn};
pub use burgee_auth::providers::github::GithubSettings;
pub use burgee_auth::providers::google::GoogleSettings;
pub use burgee_auth::providers::oidc::OidcSettings;
pub use burgee_auth::throttle::Rate;

/// How much a new project may hold; `None`: as much as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectLimits {
    pub features: Option<i64>,
    pub segments: Option<i64>,
    /// In one environment.
    pub segment_overrides: Option<i64>,
}

impl Default for ProjectLimits {
    fn default() -> Self {
        Self {
            features: Some(limits::FEATURES_PER_PROJECT),
            segments: Some(limits::SEGMENTS_PER_PROJECT),
            segment_overrides: Some(limits::SEGMENT_OVERRIDES_PER_ENVIRONMENT),
        }
    }
}

/// How far previews of changes look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImpactSettings {
    /// An environment with no more identities than this is looked at whole.
    pub exact_identities: u64,
    /// Of a larger one, so many are drawn at random.
    pub sampled_identities: u64,
    /// How long a preview may take. The part of it that was looked at by then is what the answer rests on.
    pub time_limit: Duration,
    /// How many previews a node works on at once.
    pub at_once: usize,
}

impl Default for ImpactSettings {
    fn default() -> Self {
        Self {
            exact_identities: 100_000,
            sampled_identities: 20_000,
            time_limit: Duration::from_secs(20),
            at_once: 1,
        }
    }
}

/// How browsers keep their sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookies {
    /// Sent over HTTPS only.
    pub secure: bool,
    /// `Lax`, `Strict` or `None`.
    pub same_site: &'static str,
    /// A session ends when it was not used for so long.
    pub idle: Duration,
}

/// The application at Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackSettings {
    /// Without it nobody can connect a workspace.
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    /// Where Slack is, without a trailing slash.
    pub url: String,
}

impl Default for SlackSettings {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            url: "https://slack.com".to_owned(),
        }
    }
}

/// The application at GitHub that comments on issues and hears of them.
#[derive(Clone, PartialEq, Eq)]
pub struct GithubAppSettings {
    /// Without it, or without a key, GitHub is asked and told nothing.
    pub app_id: Option<String>,
    /// In PEM.
    pub private_key: Option<String>,
    /// What its webhooks are signed with; without it they are refused.
    pub webhook_secret: Option<String>,
    /// Where one installs it.
    pub app_url: Option<String>,
    /// Where GitHub's API is, without a trailing slash.
    pub api_url: String,
}

impl std::fmt::Debug for GithubAppSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GithubAppSettings")
            .field("app_id", &self.app_id)
            .field("api_url", &self.api_url)
            .finish_non_exhaustive()
    }
}

impl Default for GithubAppSettings {
    fn default() -> Self {
        Self {
            app_id: None,
            private_key: None,
            webhook_secret: None,
            app_url: None,
            api_url: "https://api.github.com".to_owned(),
        }
    }
}

/// Where the flags are that Burgee itself is driven by. Without anything: in the seeded project, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnFlagsSettings {
    /// The client-side key of the environment that the dashboard asks.
    pub environment_key: Option<String>,
    /// The SDK API that has it, with a slash at its end; `None`: this server's.
    pub api_url: Option<String>,
    /// The key this server asks with; `None`: the dashboard's.
    pub server_key: Option<String>,
    /// The SDK API that has it, with a slash at its end; `None`: this server's.
    pub server_api_url: Option<String>,
    /// Whether this server asks nobody, and does as without a say.
    pub server_offline: bool,
}

/// Whom an installation tells how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Nobody without it.
    pub url: Option<String>,
    /// What the operator calls this installation.
    pub environment: String,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            url: None,
            environment: "production".to_owned(),
        }
    }
}

/// Settings of the product. [`Default`] is what a fresh installation runs with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether somebody without an invitation may sign up.
    pub registration_open: bool,
    /// Whether nobody may sign up at all.
    pub signup_prevented: bool,
    /// Whether nobody may sign up or log in with e-mail and password.
    pub passwords_prevented: bool,
    /// Attempts to log in, per address; `None` for no limit.
    pub login_rate: Option<Rate>,
    /// Sign-ups, per address.
    pub signup_rate: Option<Rate>,
    /// Calls of the management API, per user.
    pub user_rate: Option<Rate>,
    /// Calls of the management API, per organisation key.
    pub master_api_key_rate: Option<Rate>,
    /// Where the files and SQLite databases lie that audience syncs of this server may read; `None`: there are none.
    pub audience_sync_folder: Option<std::path::PathBuf>,
    /// Where users reach this installation, without a trailing slash; used in links of mails.
    pub public_url: String,
    /// A secret of the installation, from which keys for signing and sealing are derived.
    pub secret: [u8; 32],
    /// What somebody who sets up the first administrator must give, when asked for.
    pub setup_code: Option<String>,
    /// Whether only superusers make organisations.
    pub organisations_by_superusers: bool,
    /// Whether invitation links are switched off.
    pub invite_links_disabled: bool,
    /// How long trait writes are collected before they are committed together, in microseconds.
    pub write_delay_micros: u64,
    /// The most identity writes in one transaction.
    pub write_batch: usize,
    /// Between two signs of life on an event stream.
    pub realtime_heartbeat: Duration,
    /// How long a client waits before it opens a lost event stream again.
    pub realtime_retry: Duration,
    /// Where counts of calls and evaluations are kept.
    pub analytics: KeptIn,
    /// Days that counts are kept as they came in.
    pub raw_analytics_days: u32,
    /// Days that counts are kept added up.
    pub bucketed_analytics_days: u32,
    /// Calls of the SDK API that an organisation may make in 30 days before its administrators are told.
    pub api_calls_limit: Option<i64>,
    /// Members that an organisation has seats for.
    pub seats: Option<i64>,
    /// Whom an installation tells how much it holds.
    pub telemetry: TelemetrySettings,
    /// Where LaunchDarkly's API is, without a trailing slash; projects are imported from there.
    pub launch_darkly_url: String,
    /// How much a new project may hold.
    pub project_limits: ProjectLimits,
    /// How far previews of changes look.
    pub impact: ImpactSettings,
    /// Whether new users must confirm their address before they can sign in. Needs mail.
    pub email_activation: bool,
    /// Sign-in by cookie in place of tokens; `None`: tokens.
    pub cookies: Option<Cookies>,
    /// The application at GitHub that people sign in with.
    pub github: Option<GithubSettings>,
    /// The application at Google.
    pub google: Option<GoogleSettings>,
    /// The application at an `OpenID` Connect provider.
    pub oidc: Option<OidcSettings>,
    /// Whether the dashboard says that it is being worked on.
    pub maintenance: bool,
    /// Where the flags are that Burgee itself is driven by.
    pub own_flags: OwnFlagsSettings,
    /// The application at GitHub that comments on issues.
    pub github_app: GithubAppSettings,
    /// The application at Slack.
    pub slack: SlackSettings,
    /// Mail, and what HTTP requests may reach.
    pub outbound: burgee_outbound::Settings,
    /// Further request headers that browsers may send.
    pub cors_extra_headers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            registration_open: true,
            signup_prevented: false,
            passwords_prevented: false,
            login_rate: Some(Rate {
                attempts: 20,
                seconds: 60,
            }),
            signup_rate: Some(Rate {
                attempts: 10_000,
                seconds: 60,
            }),
            user_rate: None,
            master_api_key_rate: None,
            audience_sync_folder: None,
            public_url: "http://127.0.0.1:8000".to_owned(),
            secret: [0; 32],
            setup_code: None,
            organisations_by_superusers: false,
            invite_links_disabled: false,
            write_delay_micros: 0,
            write_batch: 256,
            realtime_heartbeat: Duration::from_secs(15),
            realtime_retry: Duration::from_secs(5),
            analytics: KeptIn::default(),
            raw_analytics_days: 30,
            bucketed_analytics_days: 90,
            api_calls_limit: None,
            seats: None,
            telemetry: TelemetrySettings::default(),
            launch_darkly_url: "https://app.launchdarkly.com".to_owned(),
            project_limits: ProjectLimits::default(),
            impact: ImpactSettings::default(),
            email_activation: false,
            cookies: None,
            github: None,
            google: None,
            oidc: None,
            maintenance: false,
            own_flags: OwnFlagsSettings::default(),
            github_app: GithubAppSettings::default(),
            slack: SlackSettings::default(),
            outbound: burgee_outbound::Settings::default(),
            cors_extra_headers: Vec::new(),
        }
    }
}
