//! `burgee telemetry`: what is told about this installation, and to whom.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use burgee_app::{App, Settings, telemetry};
use burgee_store::Db;

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
    let text = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(show(&loaded.config))?;
    print(&text)
}

async fn show(config: &Config) -> anyhow::Result<String> {
    let url = &config.database.url;
    if let Some(file) = url.sqlite_file()
        && !file.exists()
    {
        bail!("there is no database at {}", file.display());
    }
    let db = Db::open(url.expose(), 2)
        .await
        .with_context(|| format!("cannot open the database {url:?}"))?;
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
