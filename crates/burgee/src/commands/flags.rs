//! `burgee flags`: the flags that Burgee itself is driven by.

use std::fmt::Write as _;
use std::process::ExitCode;

use burgee_app::own_flags::{self, Seeded};

use super::beside;
use super::export::open;
use super::import::{counts, missed};
use crate::{
    cli::{SettingFlags, print},
    config::Config,
};

/// The flags of `burgee flags`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Make a project with all of them, or what is missing of it; the dashboard asks it from then on
    Seed {
        #[command(flatten)]
        settings: SettingFlags,
        /// The number of the organisation to make it in, where there are several
        #[arg(long, value_name = "ID")]
        organisation: Option<i64>,
    },
    /// Print the table of them, in Markdown
    List,
}

/// Runs the command and prints what it did.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Seed {
            settings,
            organisation,
        } => {
            let loaded = settings.load()?;
            print(&beside::block_on(seed(&loaded.config, *organisation))?)
        }
        Command::List => print(&own_flags::markdown()?),
    }
}

async fn seed(config: &Config, organisation: Option<i64>) -> anyhow::Result<String> {
    let app = open(config).await?;
    let seeded = own_flags::seed(&app, organisation).await?;
    app.close().await?;
    let mut text = report(&seeded);
    if config.own_flags.settings().environment_key.is_some() {
        text.push_str("The dashboard asks another environment: own_flags.environment_key names it.\n");
    }
    Ok(text)
}

fn report(seeded: &Seeded) -> String {
    let done = &seeded.imported;
    let kind = if done.is_new { "new project" } else { "project" };
    let mut text = format!("{kind} {:?} ({})\n", done.project_name, done.project_id);
    if done.created.is_empty() {
        text.push_str("  nothing was missing\n");
    }
    counts(&mut text, "new", &done.created);
    missed(&mut text, &done.not_taken);
    // Writing to a String cannot fail.
    _ = writeln!(
        text,
        "environment {:?} has the client-side key {}",
        seeded.environment_name, seeded.environment_key
    );
    text
}
