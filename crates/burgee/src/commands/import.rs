//! `burgee import`: takes a project or an organisation out of a file, straight into the database.

use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use burgee_app::organisation_files::{self, OrganisationImported};
use burgee_app::project_files::{self, ImportOptions, Imported, NotTaken, PROJECT_FORMAT, Target};

use super::beside;
use super::export::open;
use super::import_flagsmith;
use crate::cli::{SettingFlags, print};

/// The flags of `burgee import`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    from: Option<From>,
    #[command(flatten)]
    settings: SettingFlags,
    /// The file
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// The number of the organisation to import into; projects are found there by name, or made
    #[arg(long, value_name = "ID", required_unless_present = "project")]
    organisation: Option<i64>,
    /// The number of the project to import into
    #[arg(long, value_name = "ID", conflicts_with = "organisation")]
    project: Option<i64>,
    /// What the project of the file is called here
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only tell what would happen
    #[arg(long)]
    dry_run: bool,
}

/// Where else to import from than a file.
#[derive(Debug, clap::Subcommand)]
enum From {
    /// Take over a running Flagsmith, from its database or through its API
    Flagsmith(Box<import_flagsmith::Args>),
}

/// Runs the command and prints what it did.
pub fn run(mut args: Args) -> anyhow::Result<ExitCode> {
    if let Some(From::Flagsmith(args)) = args.from.take() {
        return import_flagsmith::run(*args);
    }
    let loaded = args.settings.load()?;
    let report = beside::block_on(import(&loaded.config, &args))?;
    print(&report)
}

async fn import(config: &crate::config::Config, args: &Args) -> anyhow::Result<String> {
    let path = args.file.as_deref().context("which file?")?;
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let reading = project_files::read(file)?;
    let app = open(config).await?;
    let options = ImportOptions {
        dry_run: args.dry_run,
        name: args.name.clone(),
    };
    let is_project = reading.document.format == PROJECT_FORMAT;
    let done = match (args.project, args.organisation) {
        (Some(id), _) => {
            one(project_files::import_as_operator(&app, Target::Project(id), reading, &options).await?)
        }
        (None, Some(id)) if is_project => {
            one(project_files::import_as_operator(&app, Target::Organisation(id), reading, &options).await?)
        }
        (None, Some(id)) => organisation_files::import_as_operator(&app, id, reading, &options).await?,
        (None, None) => bail!("where to?"),
    };
    app.close().await?;
    Ok(report(&done, args.dry_run))
}

fn one(done: Imported) -> OrganisationImported {
    OrganisationImported {
        projects: vec![done],
        ..OrganisationImported::default()
    }
}

fn report(done: &OrganisationImported, dry_run: bool) -> String {
    let mut text = String::new();
    if dry_run {
        text.push_str("Nothing was written; this is what would be:\n");
    }
    counts(&mut text, "new", &done.created);
    missed(&mut text, &done.not_taken);
    for project in &done.projects {
        let kind = if project.is_new { "new project" } else { "project" };
        _ = writeln!(text, "{kind} {:?} ({})", project.project_name, project.project_id);
        counts(&mut text, "new", &project.created);
        counts(&mut text, "changed", &project.updated);
        missed(&mut text, &project.not_taken);
    }
    text
}

pub(super) fn counts(text: &mut String, what: &str, counts: &[(&'static str, i64)]) {
    for (noun, count) in counts {
        _ = writeln!(text, "  {what}: {count} {noun}");
    }
}

pub(super) fn missed(text: &mut String, missed: &[NotTaken]) {
    for missed in missed {
        _ = writeln!(text, "  not as in the file: {}: {}", missed.what, missed.why);
    }
}
