//! `burgee tasks`: the task queue and the schedules, for whoever runs the installation.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use burgee_app::tasks::Task;
use burgee_app::{App, Settings, leases, tasks};
use burgee_model::Timestamp;

use super::beside;
use crate::{
    cli::{SettingFlags, print},
    config::Config,
    secret,
};

/// The flags of `burgee tasks`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Print what waits and what was given up
    List {
        /// The most of each that are printed
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[command(flatten)]
        settings: SettingFlags,
    },
    /// Try again what was given up
    Retry {
        /// The number of a task, as `burgee tasks list` prints it
        #[arg(required_unless_present = "all")]
        id: Option<i64>,
        /// Everything that was given up
        #[arg(long, conflicts_with = "id")]
        all: bool,
        #[command(flatten)]
        settings: SettingFlags,
    },
    /// Print what recurs, how often, and which node does it
    Schedules {
        #[command(flatten)]
        settings: SettingFlags,
    },
}

/// Does what was asked.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (Command::List { settings, .. } | Command::Retry { settings, .. } | Command::Schedules { settings }) =
        &args.command;
    let loaded = settings.load()?;
    let text = beside::block_on(answer(&loaded.config, &args.command))?;
    print(&text)
}

async fn answer(config: &Config, command: &Command) -> anyhow::Result<String> {
    let db = beside::database(config).await?;
    let settings = Settings {
        secret: secret::load(config, &db).await?,
        ..Settings::default()
    };
    let app = App::start(db, settings).await.context("cannot start")?;
    let text = match command {
        Command::List { limit, .. } => list(&app, i64::from(*limit)).await?,
        Command::Retry { id, .. } => {
            let count = tasks::retry(&app, *id).await?;
            if count == 0
                && let Some(id) = id
            {
                bail!("no task {id} was given up");
            }
            format!("{count} to be tried again\n")
        }
        Command::Schedules { .. } => schedules(&app).await?,
    };
    app.close().await?;
    Ok(text)
}

async fn list(app: &App, limit: i64) -> anyhow::Result<String> {
    let counts = tasks::counts(app).await?;
    let mut text = format!("{} waiting, {} given up\n", counts.waiting, counts.dead);
    for (title, dead) in [("waiting", false), ("given up", true)] {
        for task in tasks::list(app, dead, limit).await? {
            line(&mut text, title, &task);
        }
    }
    Ok(text)
}

fn line(text: &mut String, title: &str, task: &Task) {
    // Writing to a String cannot fail.
    _ = writeln!(
        text,
        "{}  {title}  {}  {}  attempts {}  due {}  {}",
        task.id,
        task.kind,
        task.lane,
        task.attempts,
        Timestamp(task.due_at).rest(),
        task.last_error.as_deref().unwrap_or("-"),
    );
}

async fn schedules(app: &App) -> anyhow::Result<String> {
    let held = leases::list(app).await?;
    let now = Timestamp::now().0;
    let mut text = String::new();
    for schedule in burgee_worker::schedule::SCHEDULES {
        let lease = held
            .iter()
            .find(|lease| lease.name == schedule.name && lease.until > now);
        let node = match lease {
            _ if schedule.on_every_node => "every node",
            Some(lease) => &lease.holder,
            None => "-",
        };
        _ = writeln!(
            text,
            "every {:>5} s  {}  {node}",
            schedule.every.as_secs(),
            schedule.name
        );
    }
    Ok(text)
}
