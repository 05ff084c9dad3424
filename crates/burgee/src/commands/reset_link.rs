//! `burgee reset-link`: where a user can choose a new password, for an installation without mail.

use std::process::ExitCode;

use anyhow::Context as _;
use burgee_app::{App, Settings, password_resets};

use super::beside;
use crate::{
    cli::{SettingFlags, print},
    secret,
};

/// The flags of `burgee reset-link`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingFlags,
    /// The user's e-mail address
    #[arg(value_name = "EMAIL", required_unless_present = "user_id")]
    email: Option<String>,
    /// The user's number, as the log names it
    #[arg(long, value_name = "ID", conflicts_with = "email")]
    user_id: Option<i64>,
}

/// Prints the link. Whoever has it has the account.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    let link = beside::block_on(link(&loaded.config, args))?;
    print(&format!("{link}\n"))
}

async fn link(config: &crate::config::Config, args: &Args) -> anyhow::Result<String> {
    let db = beside::database(config).await?;
    let settings = Settings {
        secret: secret::load(config, &db).await?,
        public_url: config.server.public_url.as_ref().map_or_else(
            || format!("http://{}", config.server.listen),
            |url| url.as_str().trim_end_matches('/').to_owned(),
        ),
        ..Settings::default()
    };
    let app = App::start(db, settings).await.context("cannot start")?;
    let link = password_resets::link_for(&app, args.email.as_deref(), args.user_id).await?;
    app.close().await?;
    link.context("there is no such user, or it is switched off")
}
