//! The command line: which command, with what; and how an error ends the program.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    commands,
    config::{self, ConfigError, Flags, Loaded},
};

/// Feature flags, remote config and audiences, self-hosted. Works with every Flagsmith SDK.
#[derive(Debug, Parser)]
#[command(name = "burgee", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(commands::serve::Args),
    /// Do the background work of an installation, where its servers don't
    Worker(commands::worker::Args),
    /// Look at the task queue and at what recurs; try again what was given up
    Tasks(commands::tasks::Args),
    /// Evaluate contexts: flags and segments, and why
    Evaluate(commands::evaluate::Args),
    /// Write a project or an organisation into a file
    Export(commands::export::Args),
    /// Take a project or an organisation out of a file, or take over a running Flagsmith
    Import(commands::import::Args),
    /// The flags that Burgee itself is driven by
    Flags(commands::flags::Args),
    /// Audience syncs: from a warehouse or a file to Flagsmith and LaunchDarkly
    Sync(commands::sync::Args),
    /// Have a driver for ADBC in this process; `sync` starts it
    #[command(hide = true)]
    Extract,
    /// Set InfluxDB up for counts of calls and evaluations
    Influx(commands::influx::Args),
    /// Look at what is told about this installation, and to whom
    Telemetry(commands::telemetry::Args),
    /// Look at the configuration
    Config(commands::config::Args),
    /// Print where a user can choose a new password, for an installation without mail
    ResetLink(commands::reset_link::Args),
    /// Print the OpenAPI document of the API
    Openapi,
    /// Print the version
    Version,
}

/// The flags every command takes that reads the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingFlags {
    /// The configuration file.
    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration file [env: BURGEE_CONFIG; default: ./burgee.toml if it is there]"
    )]
    pub config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8000]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Directory of the embedded database [default: burgee-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// sqlite:FILE or postgres://… [default: burgee.db in the data directory]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// The same for a command that names another database of its own.
#[derive(Debug, Clone, Default, Args)]
pub struct ImportSettingFlags {
    /// The configuration file.
    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration file [env: BURGEE_CONFIG; default: ./burgee.toml if it is there]"
    )]
    pub config: Option<PathBuf>,
    /// Directory of Burgee's embedded database [default: burgee-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Burgee's own database, sqlite:FILE or postgres://… [default: as for `burgee serve`]
    #[arg(long, value_name = "URL")]
    pub into: Option<String>,
}

impl ImportSettingFlags {
    /// Reads the configuration as seen from this process.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        SettingFlags {
            config: self.config.clone(),
            listen: None,
            data_dir: self.data_dir.clone(),
            database_url: self.into.clone(),
        }
        .load()
    }
}

impl SettingFlags {
    /// Reads the configuration as seen from this process.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let given = [
            ("server.listen", "--listen", &self.listen),
            ("server.data_dir", "--data-dir", &self.data_dir),
            ("database.url", "--database-url", &self.database_url),
        ];
        let settings = given
            .into_iter()
            .filter_map(|(setting, flag, value)| Some((setting, flag, value.clone()?)))
            .collect();
        let file = self.config.clone();
        let here = PathBuf::from(".");
        config::load(&Flags { file, settings }, &config::of_this_process(), &here)
    }
}

/// Runs the command the process was started with.
///
/// Exit codes: 0 done; 1 could not be done; 2 asked wrongly (command line or configuration).
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => commands::serve::run(&args),
        Command::Worker(args) => commands::worker::run(&args),
        Command::Tasks(args) => commands::tasks::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Export(args) => commands::export::run(&args),
        Command::Import(args) => commands::import::run(args),
        Command::Flags(args) => commands::flags::run(&args),
        Command::Sync(args) => commands::sync::run(args),
        Command::Extract => return burgee_sync::source::adbc::child::run(),
        Command::Influx(args) => commands::influx::run(&args),
        Command::Telemetry(args) => commands::telemetry::run(&args),
        Command::Config(args) => commands::config::run(args),
        Command::ResetLink(args) => commands::reset_link::run(&args),
        Command::Openapi => commands::openapi::run(),
        Command::Version => print(&format!("burgee {}\n", env!("CARGO_PKG_VERSION"))),
    };
    outcome.unwrap_or_else(|error| {
        let asked_wrongly = error.is::<ConfigError>()
            || matches!(error.downcast_ref(), Some(burgee_sync::SyncError::Config { .. }));
        let subject = if asked_wrongly {
            "burgee: configuration error: "
        } else {
            "burgee: "
        };
        // Nobody is left to tell when standard error is closed.
        _ = writeln!(io::stderr(), "{subject}{error:#}");
        ExitCode::from(if asked_wrongly { 2 } else { 1 })
    })
}

/// Prints what was asked for. A reader that has gone (`burgee config default | head`) is no error.
pub fn print(text: &str) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
