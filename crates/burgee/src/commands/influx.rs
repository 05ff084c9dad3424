//! `burgee influx`: sets InfluxDB up for counts of calls and evaluations.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::anyhow;
use burgee_app::analytics::influx::setup::{self, Days};
use burgee_app::settings::InfluxSettings;
use burgee_outbound::http::{Client, Reach};

use super::beside;
use crate::{
    cli::{SettingFlags, print},
    config::Config,
};

/// The flags of `burgee influx`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Make the buckets and the tasks that add counts up; what is there stays as it is
    Setup {
        /// Print the tasks instead, to make them with other means; nothing is asked or changed
        #[arg(long)]
        print: bool,
        #[command(flatten)]
        settings: SettingFlags,
    },
}

/// Does it, or prints it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::Setup {
        print: only_print,
        settings,
    } = &args.command;
    let loaded = settings.load()?;
    let text = if *only_print {
        tasks(&loaded.config)
    } else {
        let influx = influx(&loaded.config)?;
        beside::block_on(set_up(&loaded.config, influx))?
    };
    print(&text)
}

fn influx(config: &Config) -> anyhow::Result<InfluxSettings> {
    config
        .influxdb
        .settings()
        .map_err(|missing| anyhow!("{missing} is not set"))
}

/// All tasks, one after the other.
fn tasks(config: &Config) -> String {
    let mut text = String::new();
    for task in setup::tasks(config.influxdb.bucket()) {
        // Writing to a String cannot fail.
        _ = writeln!(text, "// {}\n{}", task.name, task.flux);
    }
    text
}

async fn set_up(config: &Config, influx: InfluxSettings) -> anyhow::Result<String> {
    let days = Days {
        raw: config.analytics.raw_retention_days,
        bucketed: config.analytics.bucketed_retention_days,
    };
    let steps = setup::set_up(influx, days, Client::new(Reach::Everywhere)).await?;
    let mut text = String::new();
    for step in steps {
        let done = if step.made {
            "made"
        } else {
            "was there; left as it is"
        };
        _ = writeln!(text, "{}: {done}", step.what);
    }
    Ok(text)
}
