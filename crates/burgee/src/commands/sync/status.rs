//! What is remembered of runs.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use burgee_app::audience_syncs::errors_as_csv;
use burgee_store::{Db, audience_syncs};

use crate::cli::print;

/// Shows the last runs.
pub(super) async fn show_runs(db: &Db, name: Option<&str>) -> anyhow::Result<ExitCode> {
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

/// Shows the rows of a run that were refused or could not be sent, as CSV.
pub(super) async fn show_errors(db: &Db, run: i64) -> anyhow::Result<ExitCode> {
    let mut tx = db.read().await?;
    if audience_syncs::run(&mut tx, run).await?.is_none() {
        bail!("there is no run {run}");
    }
    print(&errors_as_csv(&audience_syncs::errors(&mut tx, run).await?))
}
