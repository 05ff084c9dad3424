//! `burgee telemetry`: what is told about this installation, and to whom.

use std::process::ExitCode;

use anyhow::Context as _;
use burgee_app::{App, Settings, telemetry};

use super::beside;
use crate::{
    cli::{SettingFlags, print},
    config::Config,
};

/// The flags of `burgee telemetry`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Print where it is sent, and everything that is sent
    Show {
        #[command(flatten)]
        settings: SettingFlags,
    },
}

/// Prints it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Show { settings } = &args.command;
    let loaded = settings.load()?;
    let text = beside::block_on(show(&loaded.config))?;
    print(&text)
}

async fn show(config: &Config) -> anyhow::Result<String> {
    let db = beside::database(config).await?;
    let settings = Settings {
        telemetry: config.telemetry.settings(),
        ..Settings::default()
    };
    let destination = match &settings.telemetry.url {
        Some(url) => format!("sent to {url} at the start and every 8 hours"),
        None => "sent to nobody: telemetry.url is not set, or telemetry.enabled is off".to_owned(),
    };
    let app = App::start(db, settings).await.context("cannot start")?;
    let report = serde_json::to_string_pretty(&telemetry::report(&app).await?)?;
    app.close().await?;
    Ok(format!("{destination}\n{report}\n"))
}
