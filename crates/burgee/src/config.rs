//! Configuration: embedded defaults, then a file, then the environment, then flags.
//!
//! One struct per section, in a file of its own; the keys, their kinds and defaults are in `config.default.toml`. To add a
//! setting: a key with its comment there, a field in the section's struct, a row in docs/configuration.md, and where
//! Flagsmith has a variable that means the same, a line in the section's `FLAGSMITH_NAMES`.

mod admin;
mod analytics;
mod audience_sync;
mod database;
mod environment;
mod error;
mod github;
mod impact;
mod influxdb;
mod layers;
mod limits;
mod logging;
mod mail;
mod metrics;
mod outbound;
mod own_flags;
mod registration;
mod sdk;
mod server;
mod sign_in;
mod slack;
mod suggest;

mod telemetry;
#[cfg(test)]
mod tests;
mod throttles;
mod traces;
mod values;
mod worker;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub use self::{
    admin::Admin,
    analytics::{Analytics, Store},
    audience_sync::AudienceSync,
    database::{Database, DatabaseUrl},
    environment::{Environment, of_this_process},
    error::ConfigError,
    github::Github,
    impact::Impact,
    influxdb::Influxdb,
    layers::Source,
    limits::Limits,
    logging::{LogFormat, LogLevel, Logging},
    mail::Mail,
    metrics::Metrics,
    outbound::Outbound,
    own_flags::OwnFlags,
    registration::Registration,
    sdk::Sdk,
    server::{Listen, Server},
    sign_in::SignIn,
    slack::Slack,
    telemetry::Telemetry,
    throttles::{Rate, Throttle, Throttles},
    traces::Traces,
    values::Secret,
    worker::Worker,
};
use self::{
    layers::{Settings, one_line},
    values::{MASK, mask_url},
};

/// The embedded defaults, as `burgee config default` prints them.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// The file that is read when none is named and it is there.
const USUAL_FILE: &str = "burgee.toml";

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where Burgee listens and where it keeps its files.
    pub server: Server,
    /// Which database.
    pub database: Database,
    /// What is logged.
    pub logging: Logging,
    /// Who may make an account.
    pub registration: Registration,
    /// The first administrator.
    pub admin: Admin,
    /// How often one caller may do what invites abuse.
    pub throttles: Throttles,
    /// How people sign in beside e-mail and password.
    pub sign_in: SignIn,
    /// How mail is sent.
    pub mail: Mail,
    /// What requests of this program to others may reach.
    pub outbound: Outbound,
    /// What audience syncs of the server may read.
    pub audience_sync: AudienceSync,
    /// What SDKs are told beside their flags.
    pub sdk: Sdk,
    /// Background work.
    pub worker: Worker,
    /// Where the flags are that Burgee itself is driven by.
    pub own_flags: OwnFlags,
    /// The application at GitHub that comments on issues.
    pub github: Github,
    /// The application at Slack.
    pub slack: Slack,
    /// Where counts are kept, and for how long.
    pub analytics: Analytics,
    /// The InfluxDB 2 that counts may be kept in.
    pub influxdb: Influxdb,
    /// How much a new project may hold.
    pub limits: Limits,
    /// How far previews of changes look.
    pub impact: Impact,
    /// The page for Prometheus.
    pub metrics: Metrics,
    /// Where traces are sent.
    pub traces: Traces,
    /// Whether anyone is told about this installation.
    pub telemetry: Telemetry,
}

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config FILE`.
    pub file: Option<PathBuf>,
    /// Settings with the flag that gave them: `("server.listen", "--listen", "0.0.0.0:80")`.
    pub settings: Vec<(&'static str, &'static str, String)>,
}

/// A configuration that holds, and what is worth telling about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings in effect.
    pub config: Config,
    /// What looks like a slip but does not stop the start; one line each.
    pub warnings: Vec<String>,
    settings: Settings,
}

impl Loaded {
    /// One line per setting with its value and source; secrets masked.
    pub fn describe(&self) -> String {
        let lines: Vec<(String, String)> = self
            .settings
            .iter()
            .map(|(name, setting)| {
                let value = format!("{name} = {}", printable(name, &setting.value));
                (value, setting.source.to_string())
            })
            .collect();
        // A very long value should not push the sources of all others off the screen.
        let width = lines
            .iter()
            .map(|(value, _)| value.len().min(60))
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (value, source) in lines {
            // Writing to a String cannot fail.
            _ = writeln!(text, "{value:width$}  # {source}");
        }
        text
    }

    /// Where the value of a setting came from.
    pub fn source_of(&self, setting: &str) -> Source {
        self.settings
            .get(setting)
            .map_or(Source::Default, |setting| setting.source.clone())
    }
}

/// Reads the configuration from all its sources.
///
/// `directory` is where `burgee.toml` is looked for when no file is named.
pub fn load(flags: &Flags, environment: &Environment, directory: &Path) -> Result<Loaded, ConfigError> {
    let mut settings = Settings::from_defaults(DEFAULTS)
        .map_err(|error| ConfigError::new("the defaults", Source::Default, one_line(error.message())))?;
    if let Some((path, named_by)) = file_to_read(flags, environment, directory) {
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let problem = format!("cannot read {}: {error}", path.display());
            ConfigError::new("the configuration file", named_by, problem)
        })?;
        settings.lay_file(&text, &path)?;
    }
    environment::lay(&mut settings, environment)?;
    for (setting, flag, text) in &flags.settings {
        settings.lay_text(setting, text, Source::Flag(flag))?;
    }
    if settings.text("database.url").is_empty() {
        let url = DatabaseUrl::in_directory(settings.text("server.data_dir"));
        settings.lay("database.url", url.into(), Source::Derived("server.data_dir"))?;
    }
    let config = read(&settings)?;
    check_together(&config, &settings)?;
    let warnings = environment::near_misses(&settings, environment);
    Ok(Loaded {
        config,
        warnings,
        settings,
    })
}

/// The configuration file, and who named it.
fn file_to_read(flags: &Flags, environment: &Environment, directory: &Path) -> Option<(PathBuf, Source)> {
    if let Some(path) = &flags.file {
        return Some((path.clone(), Source::Flag("--config")));
    }
    if let Some(path) = environment.get("BURGEE_CONFIG").filter(|path| !path.is_empty()) {
        return Some((path.into(), Source::Environment("BURGEE_CONFIG".to_owned())));
    }
    let path = directory.join(USUAL_FILE);
    path.is_file().then(|| (path.clone(), Source::File(path)))
}

/// Reads the merged settings into their types; a refusal is traced back to where the value came from.
fn read(settings: &Settings) -> Result<Config, ConfigError> {
    serde_path_to_error::deserialize(settings.to_document()).map_err(|error| {
        let name = error.path().to_string();
        let setting = settings
            .names()
            .find(|known| name == *known || name.starts_with(&format!("{known}[")))
            .unwrap_or(&name)
            .to_owned();
        let source = settings
            .get(&setting)
            .map_or(Source::Default, |setting| setting.source.clone());
        ConfigError::new(setting, source, one_line(error.inner().message()))
    })
}

/// What no setting can tell by itself.
fn check_together(config: &Config, settings: &Settings) -> Result<(), ConfigError> {
    let wrong = |name: &str, problem: &str| {
        let source = settings.get(name).map_or(Source::Default, |it| it.source.clone());
        Err(ConfigError::new(name, source, problem))
    };
    if config.server.data_dir.as_os_str().is_empty() {
        return wrong("server.data_dir", "must be a directory");
    }
    if config.admin.create_at_start && config.admin.email.is_none() {
        return wrong(
            "admin.create_at_start",
            "needs admin.email (env ADMIN_EMAIL) to be set too",
        );
    }
    if let Some((name, problem)) = config.mail.problem() {
        return wrong(name, problem);
    }
    if let Some((name, problem)) = config.sign_in.problem() {
        return wrong(name, problem);
    }
    if let Some((name, problem)) = config.github.problem() {
        return wrong(name, problem);
    }
    if let Some((name, problem)) = config.own_flags.problem() {
        return wrong(name, problem);
    }
    match config.analytics.store(&config.influxdb) {
        Err(problem) => return wrong("analytics.database_url", problem),
        Ok(Store::Influxdb) => {
            if let Err(missing) = config.influxdb.settings() {
                return wrong(missing, "must be set where counts are kept in InfluxDB");
            }
        }
        Ok(Store::Database(_) | Store::None) => {}
    }
    if config.sign_in.email_activation && config.mail.settings().is_none() {
        return wrong(
            "sign_in.email_activation",
            "needs mail (mail.host, or mail.sendgrid_api_key) to be set up",
        );
    }
    Ok(())
}

/// Whether a setting is never shown.
fn is_secret(name: &str) -> bool {
    [
        "password",
        "secret_key",
        "private_key",
        "webhook_secret",
        "sendgrid_api_key",
        "client_secret",
        "token",
        "server_key",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

fn printable(name: &str, value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) if is_secret(name) && !text.is_empty() => format!("\"{MASK}\""),
        toml::Value::String(text) if name.ends_with("url") => format!("{:?}", mask_url(text)),
        toml::Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
