//! `burgee config`: look at the configuration without starting anything.

use std::{fmt::Write as _, process::ExitCode};

use clap::Subcommand;

use crate::{
    cli::{SettingFlags, print},
    config,
};

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the configuration and print the settings in effect with their sources; secrets are masked
    Check(SettingFlags),
    /// Print a configuration file with every setting, its meaning and its default
    Default,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Check(flags) => {
            let loaded = flags.load()?;
            let mut text = "configuration ok\n\n".to_owned();
            text.push_str(&loaded.describe());
            for warning in &loaded.warnings {
                writeln!(text, "\nwarning: {warning}")?;
            }
            print(&text)
        }
        Action::Default => print(config::DEFAULTS),
    }
}
