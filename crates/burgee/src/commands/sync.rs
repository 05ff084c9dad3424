//! `burgee sync`: audience syncs from files, without a running server.

mod memory;
mod progress;
mod status;
mod words;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use burgee_app::audience_syncs::{Report, RunError, Runner, State};
use burgee_outbound::http::{Client, Reach};
use burgee_store::Db;
use burgee_sync::config::{self, Drivers, PreparedSync, Project};
use burgee_sync::run::Watcher;

use super::beside;
use crate::cli::{SettingFlags, print};
use crate::config::Config;
use crate::shutdown;

/// What a scheduler sees of a run that waits for an approval, and of one that left rows behind.
const HELD: u8 = 3;
const PARTIAL: u8 = 4;

/// The flags of `burgee sync`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed; 2 asked wrongly; 3 held, waits for `burgee sync approve`; \
                        4 done, but rows were refused or could not be sent"
)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Check a file or folder of syncs; opens nothing
    Validate {
        #[command(flatten)]
        settings: SettingFlags,
        /// A YAML file, or a folder of them
        path: PathBuf,
    },
    /// Print a file, or a folder of them, as one file in its plain form; references to secrets stay references
    Export {
        /// A YAML file, or a folder of them
        path: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the files, for editors
    Schema,
    /// Show what a run would send, and send nothing
    Plan(Which),
    /// Run syncs: plan, check the guard rails, deliver
    Run {
        #[command(flatten)]
        which: Which,
        /// Only show what would be sent, as `plan` does
        #[arg(long)]
        dry_run: bool,
    },
    /// Run a held plan exactly as it stands
    Approve {
        #[command(flatten)]
        which: Which,
        /// The number of the held run
        #[arg(long)]
        run: i64,
    },
    /// Forget a sync that is gone for good: what it was acknowledged, its runs, and that its targets are its own
    Forget {
        #[command(flatten)]
        settings: SettingFlags,
        /// The name of the sync
        name: String,
    },
    /// Show the last runs
    Status {
        #[command(flatten)]
        settings: SettingFlags,
        /// Of this sync only
        name: Option<String>,
        /// Show the rows of this run that were refused or could not be sent, as CSV
        #[arg(long, value_name = "RUN")]
        errors: Option<i64>,
    },
}

/// Which syncs, and how to tell of them.
#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    settings: SettingFlags,
    /// A YAML file, or a folder of them
    path: PathBuf,
    /// The syncs to take; all that are enabled when none is named
    names: Vec<String>,
    /// Print reports as JSON, one a line
    #[arg(long)]
    json: bool,
}

/// Does it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if matches!(args.act, Act::Plan(_) | Act::Run { .. } | Act::Approve { .. }) {
        memory::give_back_early();
    }
    match args.act {
        Act::Validate { settings, path } => {
            let loaded = settings.load()?;
            let project = config::load(&path, &drivers(&loaded.config))?;
            let names: Vec<&str> = project.syncs.keys().map(String::as_str).collect();
            print(&format!("{} syncs: {}\n", names.len(), names.join(", ")))
        }
        Act::Export { path, json } => export(&path, json),
        Act::Schema => print(&config::schema()),
        Act::Plan(which) | Act::Run { which, dry_run: true } => {
            with_runner(&which.settings, async |runner, _| {
                each(&which, &which.names, |sync, watcher| {
                    let runner = runner.clone();
                    async move { runner.plan(&sync, &watcher).await }
                })
                .await
            })
        }
        Act::Run { which, .. } => with_runner(&which.settings, async |runner, _| {
            each(&which, &which.names, |sync, watcher| {
                let runner = runner.clone();
                async move { runner.run(&sync, None, &watcher).await }
            })
            .await
        }),
        Act::Approve { which, run } => with_runner(&which.settings, async |runner, _| {
            let (sync, seal) = runner.held(run).await?;
            let only = [sync];
            each(&which, &only, |sync, watcher| {
                let (runner, seal) = (runner.clone(), seal.clone());
                async move { runner.run(&sync, Some(&seal), &watcher).await }
            })
            .await
        }),
        Act::Forget { settings, name } => with_runner(&settings, async |runner, _| {
            if runner.forget(&name).await? {
                print(&format!(
                    "{name} is forgotten; nothing was changed at its destination\n"
                ))
            } else {
                bail!("there is no sync {name:?} that has run, or it runs now")
            }
        }),
        Act::Status {
            settings,
            name,
            errors,
        } => with_runner(&settings, async |_, db| match errors {
            Some(run) => status::show_errors(&db, run).await,
            None => status::show_runs(&db, name.as_deref()).await,
        }),
    }
}

/// What files come to, written so that reading it again gives the same.
fn export(path: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let document = config::document(path)?;
    let text = if json {
        format!("{}\n", serde_json::to_string_pretty(&document)?)
    } else {
        serde_saphyr::to_string(&document)?
    };
    print(&text)
}

/// Where drivers for ADBC are on this machine.
fn drivers(config: &Config) -> Drivers {
    Drivers {
        folder: config.audience_sync.drivers().map(Path::to_owned),
        ..Drivers::default()
    }
}

fn with_runner(
    settings: &SettingFlags,
    act: impl AsyncFnOnce(Runner, Db) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let loaded = settings.load()?;
    crate::logging::start(&loaded.config.logging, None);
    beside::block_on(async {
        let stop = shutdown::watch_signals().context("cannot watch for signals")?;
        let db = open(&loaded.config).await?;
        // Whoever writes the files runs the program: the own network may be reached.
        let client = Client::new(Reach::Everywhere);
        let outcome = act(Runner::new(db.clone(), stop, client), db.clone()).await;
        db.close().await;
        outcome
    })
}

async fn open(config: &Config) -> anyhow::Result<Db> {
    let url = &config.database.url;
    if let Some(file) = url.sqlite_file()
        && let Some(folder) = file.parent()
    {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Db::open(url.expose(), config.database.max_connections)
        .await
        .with_context(|| format!("cannot open the database {url:?}"))
}

/// Takes the named syncs one after the other; the worst of their ends is the end of all.
async fn each<F>(
    which: &Which,
    names: &[String],
    act: impl Fn(PreparedSync, Watcher) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = Result<Report, RunError>>,
{
    let mut worst = 0;
    let drivers = drivers(&which.settings.load()?.config);
    for sync in chosen(config::load(&which.path, &drivers)?, names)? {
        let name = sync.job.name.clone();
        let watcher = if which.json {
            Arc::new(|_| {}) as Watcher
        } else {
            progress::watcher(&name)
        };
        let report = act(sync, watcher).await.with_context(|| format!("sync {name:?}"));
        let code = match &report {
            Ok(report) => code_of(report),
            Err(error) => {
                _ = writeln!(std::io::stderr(), "burgee: {error:#}");
                1
            }
        };
        // Failures first, then what waits for somebody, then what left rows behind.
        let rank = |code: u8| {
            [1, HELD, PARTIAL]
                .iter()
                .rev()
                .position(|c| *c == code)
                .map_or(0, |at| at + 1)
        };
        if rank(code) > rank(worst) {
            worst = code;
        }
        if let Ok(report) = report {
            let text = if which.json {
                format!("{}\n", serde_json::to_string(&report)?)
            } else {
                words::in_words(&report)
            };
            print(&text)?;
        }
    }
    Ok(ExitCode::from(worst))
}

fn code_of(report: &Report) -> u8 {
    match report.state {
        State::Planned | State::Done => 0,
        State::Held => HELD,
        State::Partial => PARTIAL,
        State::Failed | State::Stopped => 1,
    }
}

fn chosen(project: Project, names: &[String]) -> anyhow::Result<Vec<PreparedSync>> {
    let mut syncs: BTreeMap<String, PreparedSync> = project.syncs;
    if names.is_empty() {
        return Ok(syncs.into_values().filter(|sync| sync.enabled).collect());
    }
    let mut taken = Vec::new();
    for name in names {
        let sync = syncs
            .remove(name)
            .ok_or_else(|| anyhow!("there is no sync {name:?} in these files"))?;
        taken.push(sync);
    }
    Ok(taken)
}
