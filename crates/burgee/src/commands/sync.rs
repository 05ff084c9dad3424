//! `burgee sync`: audience syncs from files, without a running server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use burgee_app::audience_syncs::{Report, RunError, Runner, State, errors_as_csv};
use burgee_outbound::http::{Client, Reach};
use burgee_store::Db;
use burgee_store::audience_syncs;
use burgee_sync::config::{self, PreparedSync, Project};
use burgee_sync::run::{Stage, Watcher};

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
        /// A YAML file, or a folder of them
        path: PathBuf,
    },
    /// Show what a run would send, and send nothing
    Plan(Which),
    /// Run syncs: plan, check the guard rails, deliver
    Run(Which),
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
    match args.act {
        Act::Validate { path } => {
            let project = config::load(&path)?;
            let names: Vec<&str> = project.syncs.keys().map(String::as_str).collect();
            print(&format!("{} syncs: {}\n", names.len(), names.join(", ")))
        }
        Act::Plan(which) => with_runner(&which.settings, async |runner, _| {
            each(&which, &which.names, |sync, watcher| {
                let runner = runner.clone();
                async move { runner.plan(&sync, &watcher).await }
            })
            .await
        }),
        Act::Run(which) => with_runner(&which.settings, async |runner, _| {
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
            Some(run) => show_errors(&db, run).await,
            None => show_runs(&db, name.as_deref()).await,
        }),
    }
}

fn with_runner(
    settings: &SettingFlags,
    act: impl AsyncFnOnce(Runner, Db) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let loaded = settings.load()?;
    crate::logging::start(&loaded.config.logging);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
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
    for sync in chosen(config::load(&which.path)?, names)? {
        let name = sync.job.name.clone();
        let watcher = if which.json {
            Arc::new(|_| {}) as Watcher
        } else {
            progress(&name)
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
                in_words(&report)
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

/// Tells how far a run is: on one line of a terminal, else a line every ten seconds.
fn progress(name: &str) -> Watcher {
    let terminal = std::io::stderr().is_terminal();
    let every = if terminal {
        Duration::from_millis(200)
    } else {
        Duration::from_secs(10)
    };
    let (name, began) = (name.to_owned(), Instant::now());
    let last = Mutex::new(Instant::now());
    Arc::new(move |stage| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        let text = match stage {
            Stage::Reading(rows) => format!("{name}: {rows} rows read"),
            Stage::Planning => format!("{name}: planning"),
            Stage::Delivering(progress, of) => {
                let done = progress.delivered + progress.rejected;
                format!(
                    "{name}: {done} of {of} delivered{}",
                    time_left(began.elapsed(), done, of)
                )
            }
        };
        let mut err = std::io::stderr().lock();
        _ = if terminal {
            write!(err, "\r\x1b[K{text}")
        } else {
            writeln!(err, "{text}")
        };
        _ = err.flush();
    })
}

fn time_left(elapsed: Duration, done: u64, of: u64) -> String {
    if done == 0 || done >= of {
        return String::new();
    }
    let left = elapsed.mul_f64((of - done) as f64 / done as f64);
    format!(", {} s left", left.as_secs())
}

fn in_words(report: &Report) -> String {
    let counts = &report.plan.counts;
    let mut text = String::new();
    if std::io::stderr().is_terminal() {
        text.push_str("\r\x1b[K");
    }
    _ = writeln!(text, "{}: {}", report.sync, describe(report));
    _ = writeln!(
        text,
        "  {} rows: {} to add, {} to change, {} to remove, {} unchanged",
        counts.rows, counts.adds, counts.updates, counts.removes, counts.unchanged
    );
    if counts.invalid + counts.duplicates + counts.conflicts > 0 {
        _ = writeln!(
            text,
            "  {} can't be sent, {} twice, {} keys with different values",
            counts.invalid, counts.duplicates, counts.conflicts
        );
    }
    for (what, keys) in [
        ("add", &report.samples.adds),
        ("change", &report.samples.updates),
        ("remove", &report.samples.removes),
    ] {
        if !keys.is_empty() && matches!(report.state, State::Planned | State::Held) {
            let some: Vec<String> = keys.iter().take(5).map(|key| format!("{key:?}")).collect();
            _ = writeln!(
                text,
                "  {what}: {}{}",
                some.join(", "),
                if keys.len() > 5 { ", …" } else { "" }
            );
        }
    }
    for hold in &report.holds {
        _ = writeln!(text, "  held: {hold}");
    }
    if let (State::Held, Some(run)) = (report.state, report.run) {
        _ = writeln!(
            text,
            "  to send exactly this plan: burgee sync approve --run {run} FILE"
        );
    }
    let progress = &report.progress;
    if progress.delivered + progress.rejected > 0 {
        _ = writeln!(
            text,
            "  {} delivered, {} refused, {} requests ({} throttled)",
            progress.delivered, progress.rejected, progress.requests, progress.throttled
        );
    }
    if let (State::Partial | State::Failed | State::Stopped, Some(run)) = (report.state, report.run) {
        _ = writeln!(text, "  refused rows: burgee sync status --errors {run}");
    }
    text
}

fn describe(report: &Report) -> String {
    let run = report.run.map(|run| format!("run {run} ")).unwrap_or_default();
    match (report.state, &report.error) {
        (State::Planned, _) => "would be sent as it is".to_owned(),
        (State::Held, _) if report.run.is_none() => "would be held".to_owned(),
        (State::Held, _) => format!("{run}is held, nothing was sent"),
        (State::Done, _) => format!("{run}is done"),
        (State::Partial, _) => format!("{run}is done, but not all rows were taken"),
        (State::Stopped, _) => format!("{run}was stopped; the next run goes on from here"),
        (State::Failed, error) => format!("{run}failed: {}", error.as_deref().unwrap_or("unknown")),
    }
}

async fn show_runs(db: &Db, name: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut tx = db.read().await?;
    let runs = audience_syncs::runs(&mut tx, name, 20).await?;
    if runs.is_empty() {
        return print("no runs yet\n");
    }
    let mut text = String::new();
    for run in runs {
        let started = burgee_model::Timestamp(run.started_at).iso();
        let counts: burgee_sync::plan::Counts = serde_json::from_str(&run.counts).unwrap_or_default();
        let progress: burgee_sync::ledger::Progress = serde_json::from_str(&run.progress).unwrap_or_default();
        _ = writeln!(
            text,
            "{:>6}  {:<20} {:<8} {started}  +{} ~{} -{}  {} delivered, {} refused  {}",
            run.id,
            run.sync,
            run.state,
            counts.adds,
            counts.updates,
            counts.removes,
            progress.delivered,
            progress.rejected,
            run.error.unwrap_or_default()
        );
    }
    print(&text)
}

async fn show_errors(db: &Db, run: i64) -> anyhow::Result<ExitCode> {
    let mut tx = db.read().await?;
    if audience_syncs::run(&mut tx, run).await?.is_none() {
        bail!("there is no run {run}");
    }
    print(&errors_as_csv(&audience_syncs::errors(&mut tx, run).await?))
}
