//! What the product does, one file per noun: permission → rules → store → change.
//!
//! No HTTP types and no SQL. The API, the command line and background work all do the same acts through this crate.
//! Every act that writes ends in [`App::commit`], which appends to the change log in the same transaction and returns
//! once this node serves the new state.
//!
//! To add an act: a function in its noun's file that takes the app, the [`Caller`] and its input.

pub mod analytics;
mod approvals;
pub mod audience_syncs;
pub mod audit;
mod audit_details;
pub mod audit_revert;
pub mod author;
mod batch;
pub mod caller;
pub mod change;
pub mod change_requests;
pub mod change_sets;
pub mod code_references;
pub mod cohorts;
pub mod deliveries;
pub mod edge_identities;
pub mod email_links;
pub mod environment_states;
pub mod environments;
pub mod error;
mod event_payloads;
pub mod experiment_metrics;
pub mod experiment_results;
pub mod experiments;
pub mod explanations;
pub mod external_resources;
pub mod feature_copies;
pub mod feature_data;
mod feature_documents;
pub mod feature_exports;
pub mod feature_health;
pub mod feature_lifecycle;
pub mod feature_list;
pub mod feature_options;
pub mod feature_owners;
pub mod feature_states;
pub mod features;
pub mod flag_updates;
mod follow;
mod going_live;
pub mod groups;
pub mod identities;
mod identity_cache;
pub mod identity_overrides;
pub mod impact;
pub mod integrations;
pub mod invites;
mod issuers;
mod kept;
pub mod launch_darkly;
pub mod launch_darkly_segments;
pub mod leases;
pub mod list_segments;
pub mod mail;
pub mod master_api_keys;
mod measures;
pub mod members;
pub mod metadata;
pub mod metadata_fields;
pub mod mfa;
mod new_states;
pub mod oauth;
pub mod organisation_files;
pub mod organisations;
pub mod own_flags;
pub mod password_resets;
pub mod permissions;
pub mod pii;
pub mod platform_hub;
mod prerequisites;
pub mod project_files;
pub mod projects;
mod python_json;
pub mod release_pipelines;
pub mod role_permissions;
pub mod roles;
pub mod saml;
pub mod scheduled_changes;
pub mod scim;
pub mod sdk;
mod security;
pub mod segment_overrides;
pub mod segment_rules;
pub mod segments;
pub mod served;
pub mod server_keys;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod sign_ins;
mod silent_writes;
pub mod state_edits;
pub mod system_tags;
pub mod tags;
pub mod tasks;
pub mod telemetry;
pub mod trackers;
pub mod trust_relationships;
pub mod usage;
pub mod users;
pub mod version_history;
pub mod version_states;
pub mod versioning;
pub mod versions;
pub mod warehouse_connections;
pub mod webhook_deliveries;
pub mod webhooks;
pub mod windows;

use std::sync::Arc;
use std::time::Duration;

use burgee_model::Timestamp;
use burgee_outbound::Outbound;
use burgee_store::Db;
use burgee_store::changes::NewChange;
use burgee_store::identities::{IdentityWrite, Written};
use tokio::sync::{Semaphore, watch};

use analytics::Analytics;
use batch::Batcher;
use change::Kind;
use identity_cache::IdentityCache;
use issuers::Issuers;
use served::Environments;

pub use author::Author;
pub use caller::{Access, Caller, Features, Place};
pub use error::{Error, Result};
pub use settings::Settings;

/// A transaction, as acts that only read take it.
pub use burgee_store::Tx;

use security::Security;

/// How long audience syncs have to come to a halt when the process ends.
const SYNCS_END_WITHIN: Duration = Duration::from_secs(8);

/// The running product: database, compiled environments, background collectors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    settings: Settings,
    environments: Environments,
    identity_cache: Arc<IdentityCache>,
    identity_writes: Batcher<IdentityWrite, Written>,
    analytics: Analytics,
    /// Turns true when the process is about to end.
    closing: watch::Sender<bool>,
    /// Moves when there may be something new for background work.
    stirred: watch::Sender<()>,
    security: Security,
    outbound: Outbound,
    issuers: Issuers,
    touched: sessions::Touched,
    windows: windows::Windows,
    sync_runner: audience_syncs::Runner,
    sync_slots: Arc<Semaphore>,
    impact_slots: Arc<Semaphore>,
    identity_queues: integrations::identities::Queues,
    own_flags: own_flags::Elsewhere,
}

impl App {
    /// Starts the product on an open database: compiles every environment, then follows the change log.
    pub async fn start(db: Db, settings: Settings) -> Result<Self> {
        let delay = Duration::from_micros(settings.write_delay_micros);
        let environments = Environments::load(&db, pii::Guards::new(&settings.secret)).await?;
        let identity_cache = Arc::new(IdentityCache::for_database(&db));
        let closing = watch::Sender::new(false);
        let outbound = Outbound::new(&settings.outbound);
        let app = Self(Arc::new(Inner {
            sync_runner: audience_syncs::Runner::new(
                db.clone(),
                closing.subscribe(),
                outbound.guarded().clone(),
            ),
            sync_slots: Arc::new(Semaphore::new(audience_syncs::runs::RUNS_AT_ONCE)),
            impact_slots: Arc::new(Semaphore::new(settings.impact.at_once)),
            identity_writes: Batcher::start(
                settings.write_batch,
                delay,
                identity_writer(db.clone(), identity_cache.clone()),
            ),
            identity_cache,
            analytics: Analytics::start(
                &settings.analytics,
                &db,
                outbound.trusted().clone(),
                (settings.write_batch, delay),
            ),
            closing,
            stirred: watch::Sender::new(()),
            security: Security::new(&settings),
            outbound,
            issuers: Issuers::default(),
            touched: sessions::Touched::default(),
            windows: windows::Windows::default(),
            identity_queues: integrations::identities::Queues::default(),
            own_flags: own_flags::Elsewhere::default(),
            environments,
            db,
            settings,
        }));
        integrations::identities::refresh(&app).await?;
        follow::start(&app);
        Ok(app)
    }

    /// The database, for reading.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The environments as they are served.
    pub fn environments(&self) -> &Environments {
        &self.0.environments
    }

    /// The ways out of this process: HTTP and mail.
    pub fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    /// Counts a request in its window of ten seconds.
    pub fn count_in_window(&self, what: (&str, &str), limit: u32) -> windows::Left {
        self.0.windows.count(what, limit, Timestamp::now().0)
    }

    /// The keys of identity providers.
    pub(crate) fn issuers(&self) -> &Issuers {
        &self.0.issuers
    }

    /// What runs audience syncs.
    pub(crate) fn sync_runner(&self) -> &audience_syncs::Runner {
        &self.0.sync_runner
    }

    /// How many more syncs may run on this node.
    pub(crate) fn sync_slots(&self) -> &Arc<Semaphore> {
        &self.0.sync_slots
    }

    /// How many more previews of changes this node may work on.
    pub(crate) fn impact_slots(&self) -> &Arc<Semaphore> {
        &self.0.impact_slots
    }

    pub(crate) fn identity_queues(&self) -> &integrations::identities::Queues {
        &self.0.identity_queues
    }

    /// What another server says of this program's own flags.
    pub(crate) fn own_flags(&self) -> &own_flags::Elsewhere {
        &self.0.own_flags
    }

    pub(crate) fn touched(&self) -> &sessions::Touched {
        &self.0.touched
    }

    pub(crate) fn identity_cache(&self) -> &IdentityCache {
        &self.0.identity_cache
    }

    pub(crate) fn identity_writes(&self) -> &Batcher<IdentityWrite, Written> {
        &self.0.identity_writes
    }

    /// The keeper of counts.
    pub(crate) fn analytics(&self) -> &Analytics {
        &self.0.analytics
    }

    /// Turns true when the process is about to end: long-lived answers must end then.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    /// Changes when there may be something new for background work: in the change log, or in the task queue. At the
    /// latest once a second, because other nodes are not always heard.
    pub fn stirred(&self) -> watch::Receiver<()> {
        self.0.stirred.subscribe()
    }

    /// Says that there may be something new for background work.
    pub fn stir(&self) {
        self.0.stirred.send_replace(());
    }

    /// How many writes wait for their commit.
    pub fn waiting_writes(&self) -> usize {
        self.0.identity_writes.waiting() + self.0.analytics.waiting()
    }

    /// Asks long-lived answers to end. Ordinary requests are still served.
    pub fn begin_closing(&self) {
        self.0.closing.send_replace(true);
    }

    /// Stores what was only counted so far and closes the database. To be called when no request runs any more.
    pub async fn close(&self) -> Result<()> {
        self.begin_closing();
        // Syncs settle what is under way and write down where they are.
        let all = self
            .0
            .sync_slots
            .acquire_many(audience_syncs::runs::RUNS_AT_ONCE as u32);
        if tokio::time::timeout(SYNCS_END_WITHIN, all).await.is_err() {
            tracing::warn!("audience syncs did not end in time; they are taken up again later");
        }
        let flushed = sdk::analytics::flush_usage(self).await;
        self.0.analytics.close().await;
        let counted = pii::flush(self).await;
        self.0.db.close().await;
        flushed.and(counted)
    }

    /// Throttles and the like.
    pub(crate) fn security(&self) -> &Security {
        &self.0.security
    }

    /// Begins a write of the management API, to be ended with [`App::commit`].
    ///
    /// One runs at a time, on Postgres as on SQLite. They are short and rare beside what SDKs ask; in return what one has
    /// read can't be changed by another before it writes, and no two wait for each other.
    pub async fn begin(&self) -> Result<Tx> {
        let mut tx = self.0.db.begin().await?;
        burgee_store::changes::lock(&mut tx).await?;
        if cfg!(debug_assertions) {
            burgee_store::written::begin(&self.0.db, &mut tx).await?;
        }
        Ok(tx)
    }

    /// Ends a write: appends its changes to the log, commits, and returns once this node serves the new state.
    pub async fn commit(&self, tx: Tx, changes: Vec<NewChange>) -> Result<()> {
        self.commit_except(tx, changes, &[]).await
    }

    /// The same for an act that writes to tables besides of which the log does not speak: who calls says why.
    pub(crate) async fn commit_except(
        &self,
        mut tx: Tx,
        changes: Vec<NewChange>,
        untold: &[&str],
    ) -> Result<()> {
        if cfg!(debug_assertions) {
            silent_writes::refuse(&self.0.db, &mut tx, &changes, untold).await?;
        }
        self.finish(tx, changes).await
    }

    /// Ends a write of whole organisations, taken over from elsewhere: a line for each of them tells of all that is in it.
    pub async fn commit_taken_over(&self, tx: Tx, organisations: Vec<NewChange>) -> Result<()> {
        self.finish(tx, organisations).await
    }

    async fn finish(&self, mut tx: Tx, changes: Vec<NewChange>) -> Result<()> {
        burgee_store::changes::append(&mut tx, &changes).await?;
        tx.commit().await?;
        // Only people's edits of identities come this way; they are rare, and deleting a project takes many along.
        if changes
            .iter()
            .any(|change| change.action == "DELETE" || change.object_type == Kind::Identity.as_str())
        {
            self.0.identity_cache.clear();
        }
        if let Err(error) = self.0.environments.catch_up(&self.0.db).await {
            // The write is done. The follower will read it as soon as the database answers again.
            tracing::warn!(%error, "a change is stored but not yet served");
        }
        self.stir();
        Ok(())
    }
}

pub(crate) type Batch<A> = std::pin::Pin<Box<dyn Future<Output = burgee_store::Result<Vec<A>>> + Send>>;

/// Carries out a batch of identity writes in one transaction.
fn identity_writer(
    db: Db,
    cache: Arc<IdentityCache>,
) -> impl Fn(Vec<IdentityWrite>) -> Batch<Written> + Send + Sync + 'static {
    move |writes| {
        let (db, cache) = (db.clone(), cache.clone());
        Box::pin(async move {
            let clears = cache.clears();
            let mut tx = db.begin().await?;
            let written = burgee_store::identities::write_all(&mut tx, &writes, Timestamp::now().0).await?;
            tx.commit().await?;
            for answer in &written {
                if let Written::Identity { identity, .. } = answer {
                    cache.keep_written(clears, identity);
                }
            }
            Ok(written)
        })
    }
}
