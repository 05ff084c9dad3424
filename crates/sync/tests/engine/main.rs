//! Audience sync against faithful doubles of its destinations: every mode, every fault, every guard rail.

#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]
#![expect(clippy::print_stdout, reason = "what is skipped is said")]

mod adbc;
mod cohorts;
mod faults;
mod flagsmith;
mod guards;
mod launchdarkly;
mod sources;
mod troubleshooting;
mod warehouse;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use burgee_doubles::flagsmith::Flagsmith;
use burgee_doubles::launchdarkly::{LaunchDarkly, Segment};
use burgee_doubles::ledger::MemoryLedger;
use burgee_outbound::http::{Client, Reach};
use burgee_sync::deliver::limiter::Limiter;
use burgee_sync::deliver::transport::{Patience, Transport};
use burgee_sync::destination::{Settings, flagsmith as fs, launchdarkly as ld};
use burgee_sync::guard::Guards;
use burgee_sync::plan::Mode;
use burgee_sync::run::{Delivered, Job, Prepared, Purpose, Watcher, prepare};
use burgee_sync::source::{Query, Source};
use burgee_sync::{Result, SyncError};
use tempfile::TempDir;
use tokio::sync::watch;

/// The segment most stories write to.
const SEGMENT: &str = "shop/production/high-value";

/// A sync that stories change and run again, with its model in a CSV file and its memory in memory.
struct Rig {
    job: Job,
    ledger: MemoryLedger,
    folder: TempDir,
    patience: Patience,
}

impl Rig {
    fn new(destination: Settings, mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let job = Job {
            name: "high value".to_owned(),
            source: Source::Files {
                folder: folder.path().to_owned(),
            },
            query: Query::File("model.csv".to_owned()),
            key: "id".to_owned(),
            map: BTreeMap::new(),
            mode,
            destination,
            guards: Guards::default(),
            managed_only: false,
            long: None,
            warehouse: None,
            watch: None,
            shape: "shape".to_owned(),
        };
        let patience = Patience {
            request: Duration::from_secs(5),
            failures: 3,
            throttled: Duration::from_secs(30),
        };
        Self {
            job,
            ledger: MemoryLedger::default(),
            folder,
            patience,
        }
    }

    /// Into the segment of the double, which is made empty.
    fn launchdarkly(double: &LaunchDarkly, mode: Mode) -> Self {
        double.put(SEGMENT, Segment::default());
        Self::new(Settings::LaunchDarkly(ld_settings(double)), mode)
    }

    fn flagsmith(double: &Flagsmith, mode: Mode) -> Self {
        Self::new(Settings::Flagsmith(fs_settings(double)), mode)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The model is these keys.
    fn keys<T: AsRef<str>>(&self, keys: impl IntoIterator<Item = T>) {
        let mut text = "id\n".to_owned();
        for key in keys {
            text.extend(["\"", &key.as_ref().replace('"', "\"\""), "\"\n"]);
        }
        self.csv(&text);
    }

    /// The model is this text.
    fn csv(&self, text: &str) {
        std::fs::write(self.path().join("model.csv"), text).unwrap();
    }

    fn transport(&self) -> Transport {
        let (stop, stopped) = watch::channel(false);
        // Nobody stops these runs; the sender may go.
        drop(stop);
        let limiter = Arc::new(Mutex::new(Limiter::default()));
        Transport::new(Client::new(Reach::Everywhere), limiter, self.patience, stopped)
    }

    async fn plan(&self) -> Result<Prepared> {
        self.plan_for(Purpose::Send { approved: None }).await
    }

    async fn plan_for(&self, purpose: Purpose<'_>) -> Result<Prepared> {
        self.ledger.begin();
        prepare(
            &self.job,
            purpose,
            self.transport(),
            Arc::new(self.ledger.clone()),
            &quiet(),
        )
        .await
    }

    /// Runs it; a plan that is held, or a run that fails, fails the story.
    async fn run(&self) -> Delivered {
        let prepared = self.plan().await.unwrap();
        assert!(prepared.holds.is_empty(), "held: {:?}", prepared.holds);
        let delivered = self.deliver(prepared).await;
        assert!(delivered.outcome.is_ok(), "{:?}", delivered.outcome);
        delivered
    }

    /// Delivers a plan, whatever comes of it.
    async fn deliver(&self, prepared: Prepared) -> Delivered {
        prepared.deliver("run 1", &self.ledger, &quiet()).await
    }

    /// Plans and delivers, whatever comes of it.
    async fn try_run(&self) -> Result<Delivered> {
        Ok(self.deliver(self.plan().await?).await)
    }
}

fn ld_settings(double: &LaunchDarkly) -> ld::Settings {
    ld::Settings {
        instance: ld::Instance::parse(&double.url),
        token: "api-token".to_owned(),
        project: "shop".to_owned(),
        environment: "production".to_owned(),
        segment: "high-value".to_owned(),
        context_kind: "user".to_owned(),
        on_remove: ld::OnRemove::Remove,
    }
}

fn fs_settings(double: &Flagsmith) -> fs::Settings {
    fs::Settings {
        url: double.url.clone(),
        key: "ser.key".to_owned(),
        trait_prefix: String::new(),
        delete_traits_on_remove: false,
        audience_trait: fs::DEFAULT_AUDIENCE_TRAIT.to_owned(),
        traits: Vec::new(),
        any_trait: false,
        cohort: None,
    }
}

fn quiet() -> Watcher {
    Arc::new(|_| {})
}

/// Keys like those of real audiences.
fn users(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| format!("user-{n:07}")).collect()
}

/// The words of a failure.
fn words(error: &SyncError) -> String {
    error.to_string()
}
