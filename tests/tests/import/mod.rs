//! Taking over a running Flagsmith: the source is a database with a Flagsmith's own tables, filled with an environment
//! whose answers were recorded and with a project of rarer things.

mod again;
mod answers;
mod api;
mod history;
mod integrations;
mod people;
mod surroundings;

use std::sync::atomic::{AtomicU32, Ordering};

use burgee_import::{Options, Progress, Quiet, Report, Source};
use burgee_store::seeds;
use burgee_testkit::{Scratch, TestApp};

const SCHEMA: &str = include_str!("../../fixtures/flagsmith/schema.sql");
const ENVIRONMENT: &str = include_str!("../../fixtures/flagsmith/environment.sql");
const PEOPLE: &str = include_str!("../../fixtures/flagsmith/people.sql");
const PROJECT: &str = include_str!("../../fixtures/flagsmith/project.sql");
const WORKFLOWS: &str = include_str!("../../fixtures/flagsmith/workflows.sql");

const SURROUNDINGS: &str = include_str!("../../fixtures/flagsmith/surroundings.sql");

/// A Flagsmith's database; `None` without a Postgres to have it on.
async fn flagsmith() -> Option<Scratch> {
    let url = Scratch::new().await?;
    let script = [
        SCHEMA,
        "BEGIN;",
        ENVIRONMENT,
        PEOPLE,
        PROJECT,
        WORKFLOWS,
        SURROUNDINGS,
        "COMMIT;",
    ]
    .join("\n");
    seeds::script(&url, script).await.unwrap();
    Some(url)
}

/// Breaks a run off when it has told so often how far it is.
struct Killer(AtomicU32);

impl Killer {
    fn after(times: u32) -> Self {
        Self(AtomicU32::new(times))
    }
}

impl Progress for Killer {
    fn begin(&self, _: &str, _: Option<u64>) {}

    fn at(&self, _: u64) {
        assert!(self.0.fetch_sub(1, Ordering::Relaxed) > 1, "killed on purpose");
    }
}

/// Something happens in the Flagsmith.
async fn there(url: &str, script: &str) {
    seeds::script(url, script.to_owned()).await.unwrap();
}

fn options() -> Options {
    Options {
        page: 3,
        ..Options::default()
    }
}

/// Imports everything, and makes sure that what came out is what there was.
async fn import(app: &TestApp, url: &str) -> Report {
    let report = import_with(app, url, &options()).await;
    assert!(report.is_good(), "{}", report.to_text());
    report
}

async fn import_with(app: &TestApp, url: &str, options: &Options) -> Report {
    let source = Source::database(url).await.unwrap();
    burgee_import::run(&app.app, &source, options, &Quiet)
        .await
        .unwrap()
}
