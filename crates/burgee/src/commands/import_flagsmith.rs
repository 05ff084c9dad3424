//! `burgee import flagsmith`: taking over a running Flagsmith.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use burgee_app::{App, Settings};
use burgee_import::api::Api;
use burgee_import::{Options, Progress, Report, Source};
use burgee_store::Db;
use indicatif::{ProgressBar, ProgressStyle};

use super::beside;
use crate::cli::{ImportSettingFlags, print};
use crate::config::Config;
use crate::{logging, secret};

/// Take over a running Flagsmith: everything with its ids and keys, so that clients notice nothing
///
/// Can be repeated: what changed there is taken again. A run that was cut off is continued. Burgee's own database is the
/// one of its configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Flagsmith's database: postgres://…
    #[arg(
        long,
        value_name = "URL",
        env = "FLAGSMITH_DATABASE_URL",
        hide_env_values = true,
        required_unless_present = "api_url",
        conflicts_with = "api_url"
    )]
    database_url: Option<String>,
    /// Flagsmith's API, when its database is out of reach: https://…
    #[arg(long, value_name = "URL", requires = "token")]
    api_url: Option<String>,
    /// The token of an administrator, for --api-url
    #[arg(long, value_name = "TOKEN", env = "FLAGSMITH_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Write nothing; tell what would be written and what can't be taken
    #[arg(long)]
    dry_run: bool,
    /// Take the audit log too (from a database only)
    #[arg(long)]
    audit: bool,
    /// Write the report as JSON to a file as well
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// A name for what is imported: needed for a second Flagsmith beside the first
    #[arg(long, value_name = "NAME", default_value = "flagsmith")]
    source: String,
    /// Identities stored together
    #[arg(long, value_name = "NUMBER", default_value_t = 5000, value_parser = clap::value_parser!(i64).range(1..=50_000))]
    page_size: i64,
    /// Identities whose flags are compared at the end
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    compare: usize,
    #[command(flatten)]
    settings: ImportSettingFlags,
}

/// Runs the command.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    logging::start(&loaded.config.logging, None);
    beside::block_on(import(&loaded.config, args))
}

async fn import(config: &Config, args: Args) -> anyhow::Result<ExitCode> {
    let source = match (&args.database_url, &args.api_url) {
        (Some(url), _) => Source::database(url).await?,
        (None, Some(url)) => Source::Api(Api::new(url, args.token.as_deref().unwrap_or_default())),
        (None, None) => bail!("either --database-url or --api-url is needed"),
    };
    let url = &config.database.url;
    let file = url.sqlite_file();
    if let Some(directory) = file.as_deref().and_then(std::path::Path::parent) {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the data directory {}", directory.display()))?;
    }
    let db = Db::open(url.expose(), config.database.max_connections)
        .await
        .with_context(|| format!("cannot open the database {url:?}"))?;
    let settings = Settings {
        secret: secret::load(config, &db).await?,
        ..Settings::default()
    };
    let app = App::start(db, settings).await.context("cannot start")?;
    let options = Options {
        source: args.source,
        dry_run: args.dry_run,
        audit: args.audit,
        page: args.page_size,
        sample: args.compare,
    };
    let shown = Shown::new();
    let outcome = burgee_import::run(&app, &source, &options, &shown).await;
    shown.end();
    app.close().await.context("cannot close the database")?;
    let report = outcome?;
    if let Some(path) = &args.report {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, json + "\n")
            .with_context(|| format!("cannot write the report to {}", path.display()))?;
    }
    tell(&report)
}

fn tell(report: &Report) -> anyhow::Result<ExitCode> {
    print(&report.to_text())?;
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A bar on a terminal, a line now and then elsewhere; both on standard error.
struct Shown {
    is_terminal: bool,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    bar: Option<ProgressBar>,
    what: String,
    total: Option<u64>,
    told: Option<Instant>,
}

/// Between two lines.
const BETWEEN: Duration = Duration::from_secs(5);

impl Shown {
    fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            now: Mutex::default(),
        }
    }

    fn end(&self) {
        if let Ok(mut now) = self.now.lock()
            && let Some(bar) = now.bar.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn begin(&self, what: &str, total: Option<u64>) {
        self.end();
        let Ok(mut now) = self.now.lock() else { return };
        what.clone_into(&mut now.what);
        now.total = total;
        if self.is_terminal {
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = if total.is_some() {
                "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}"
            } else {
                "{spinner} {msg} {human_pos}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            now.bar = Some(bar);
        } else {
            // Nobody is left to tell when standard error is closed.
            _ = writeln!(io::stderr(), "{what} …");
            now.told = Some(Instant::now());
        }
    }

    fn at(&self, done: u64) {
        let Ok(mut now) = self.now.lock() else { return };
        if let Some(bar) = &now.bar {
            bar.set_position(done);
        } else if now.told.is_none_or(|told| told.elapsed() >= BETWEEN) {
            let of = now.total.map(|total| format!(" of {total}")).unwrap_or_default();
            _ = writeln!(io::stderr(), "{}: {done}{of}", now.what);
            now.told = Some(Instant::now());
        }
    }
}
