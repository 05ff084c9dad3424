//! `burgee export`: a project or an organisation as one file, straight from the database.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use burgee_app::project_files::{Export, ExportOptions};
use burgee_app::{App, Settings, organisation_files, project_files};
use burgee_store::{organisations, projects};

use super::beside;
use crate::cli::SettingFlags;

/// The flags of `burgee export`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingFlags,
    /// The number of the project
    #[arg(long, value_name = "ID", required_unless_present = "organisation")]
    project: Option<i64>,
    /// The number of the organisation
    #[arg(long, value_name = "ID", conflicts_with_all = ["project", "identities"])]
    organisation: Option<i64>,
    /// With the keys of the environments: whoever has the file has them
    #[arg(long)]
    keys: bool,
    /// With the identities and their traits
    #[arg(long)]
    identities: bool,
    /// With the lines of the change log
    #[arg(long)]
    changes: bool,
    /// Where to; `-` or nothing for standard output
    #[arg(default_value = "-")]
    file: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    beside::block_on(export(&loaded.config, args))?;
    Ok(ExitCode::SUCCESS)
}

/// The application on the configured database, which must be there.
pub(super) async fn open(config: &crate::config::Config) -> anyhow::Result<App> {
    let db = beside::database(config).await?;
    let settings = Settings {
        project_limits: config.limits.of_projects(),
        ..Settings::default()
    };
    App::start(db, settings).await.context("cannot start")
}

async fn export(config: &crate::config::Config, args: &Args) -> anyhow::Result<()> {
    let app = open(config).await?;
    let mut export = begin(&app, args).await?;
    let mut out: Box<dyn Write> = if args.file == Path::new("-") {
        Box::new(io::stdout().lock())
    } else {
        let file =
            File::create(&args.file).with_context(|| format!("cannot write {}", args.file.display()))?;
        Box::new(BufWriter::new(file))
    };
    while let Some(piece) = export.next(&app).await? {
        out.write_all(&piece)?;
    }
    out.flush()?;
    app.close().await?;
    Ok(())
}

async fn begin(app: &App, args: &Args) -> anyhow::Result<Export> {
    let options = ExportOptions {
        keys: args.keys,
        identities: args.identities,
        changes: args.changes,
    };
    let mut tx = app.db().read().await?;
    if let Some(id) = args.organisation {
        let found = organisations::find(&mut tx, id).await?;
        let organisation = found.with_context(|| format!("there is no organisation {id}"))?;
        return Ok(organisation_files::begin(&mut tx, &organisation, options).await?);
    }
    let id = args.project.context("which project?")?;
    let found = projects::find(&mut tx, id).await?;
    let project = found.with_context(|| format!("there is no project {id}"))?;
    Ok(project_files::begin(&mut tx, &project, options).await?)
}
