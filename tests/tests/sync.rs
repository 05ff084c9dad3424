//! Runs on an installation's database: what is remembered, who may run, what a run that died leaves to the next one.

#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::sync::Arc;

use burgee_app::audience_syncs::{Report, RunError, Runner, State};
use burgee_outbound::http::{Client, Reach};
use burgee_store::audience_syncs;
use burgee_sync::config::{self, Drivers, PreparedSync};
use burgee_sync::run::{Stage, Watcher};
use burgee_testkit::both;
use burgee_testkit::doubles::flagsmith::{Flagsmith, Kind};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

fn quiet() -> Watcher {
    Arc::new(|_| {})
}

fn users(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| format!("user-{n:07}")).collect()
}

/// A file of syncs and the model it reads.
struct Files(TempDir);

impl Files {
    fn new(double: &Flagsmith, syncs: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let text = format!(
            "sources: {{here: {{driver: files, folder: .}}}}\n\
             models: {{people: {{source: here, key: id, file: people.csv}}}}\n\
             destinations: {{fs: {{type: flagsmith, url: {:?}, key: ser.key}}}}\nsyncs:\n{syncs}",
            double.url
        );
        std::fs::write(files.0.path().join("syncs.yaml"), text).unwrap();
        files
    }

    fn mirror(double: &Flagsmith) -> Self {
        Self::new(double, "  people: {model: people, to: fs, mode: mirror}\n")
    }

    fn keys<T: AsRef<str>>(&self, keys: impl IntoIterator<Item = T>) {
        let mut text = "id\n".to_owned();
        for key in keys {
            text.extend([key.as_ref(), "\n"]);
        }
        std::fs::write(self.0.path().join("people.csv"), text).unwrap();
    }

    fn sync(&self, name: &str) -> PreparedSync {
        config::load(self.0.path(), &Drivers::default())
            .unwrap()
            .syncs
            .remove(name)
            .unwrap()
    }
}

fn runner(app: &burgee_testkit::TestApp) -> (Runner, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let client = Client::new(Reach::Everywhere);
    (Runner::new(app.app.db().clone(), stopped, client), stop)
}

fn members(double: &Flagsmith) -> Vec<String> {
    let identities = double.identities().into_iter();
    let members = identities.filter(|(_, traits)| traits.get("in_audience") == Some(&json!(true)));
    members.map(|(identifier, _)| identifier).collect()
}

async fn state_of(app: &burgee_testkit::TestApp, report: &Report) -> (String, Option<String>) {
    let mut tx = app.app.db().read().await.unwrap();
    let run = audience_syncs::run(&mut tx, report.run.unwrap())
        .await
        .unwrap()
        .unwrap();
    (run.state, run.error)
}

both! {
    async fn a_run_is_written_down_and_the_next_one_sends_only_what_changed(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let files = Files::mirror(&double);
        let (runner, _stop) = runner(&app);
        files.keys(users(0..2_000));
        let first = runner.run(&files.sync("people"), None, &quiet()).await.unwrap();
        assert_eq!((first.state, first.progress.delivered), (State::Done, 2_000));
        assert_eq!(state_of(&app, &first).await, ("done".to_owned(), None));
        files.keys(users(1..2_001));
        let second = runner.run(&files.sync("people"), None, &quiet()).await.unwrap();
        assert_eq!((second.plan.counts.adds, second.plan.counts.removes), (1, 1));
        assert_eq!(members(&double), users(1..2_001));
        let planned = runner.plan(&files.sync("people"), &quiet()).await.unwrap();
        assert_eq!((planned.state, planned.run, planned.plan.counts.to_send()), (State::Planned, None, 0));
    }

    async fn who_was_added_by_a_run_that_failed_and_has_left_since_is_taken_back(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let files = Files::mirror(&double);
        let (runner, _stop) = runner(&app);
        files.keys(users(0..20_000));
        // Of what arrives, some is in parts that are not complete.
        double.fail_once_stored(3_000);
        double.fail_with(403);
        let failed = runner.run(&files.sync("people"), None, &quiet()).await.unwrap();
        assert_eq!(failed.state, State::Failed);
        assert_eq!(state_of(&app, &failed).await.0, "failed");
        let arrived = members(&double);
        assert!(!arrived.is_empty(), "something arrived");
        double.recover();
        // All of them have left the model; another one has come.
        files.keys(["somebody-else"]);
        let mut sync = files.sync("people");
        sync.job.guards.max_remove_pct = 100.0;
        let planned = runner.plan(&sync, &quiet()).await.unwrap();
        let next = runner.run(&sync, None, &quiet()).await.unwrap();
        assert_eq!(next.state, State::Done);
        assert_eq!(planned.plan, next.plan, "a look sees what a run sees");
        assert_eq!(members(&double), ["somebody-else"]);
        let again = runner.run(&sync, None, &quiet()).await.unwrap();
        assert_eq!(again.plan.counts.to_send(), 0);
    }

    async fn a_run_that_is_stopped_says_so_and_the_next_one_goes_on(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let files = Files::mirror(&double);
        let (runner, stop) = runner(&app);
        files.keys(users(0..20_000));
        let watcher: Watcher = Arc::new(move |stage| {
            if matches!(stage, Stage::Planning) {
                stop.send_replace(true);
            }
        });
        let stopped = runner.run(&files.sync("people"), None, &watcher).await.unwrap();
        assert_eq!(stopped.state, State::Stopped);
        assert_eq!(state_of(&app, &stopped).await.0, "stopped");
        let (runner, _stop) = self::runner(&app);
        let next = runner.run(&files.sync("people"), None, &quiet()).await.unwrap();
        assert_eq!((next.state, members(&double).len()), (State::Done, 20_000));
    }

    async fn a_held_plan_is_sent_when_it_was_approved_and_is_still_the_same(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let files = Files::mirror(&double);
        let (runner, _stop) = runner(&app);
        files.keys(users(0..1_000));
        runner.run(&files.sync("people"), None, &quiet()).await.unwrap();
        files.keys(users(0..400));
        let held = runner.run(&files.sync("people"), None, &quiet()).await.unwrap();
        assert_eq!((held.state, members(&double).len()), (State::Held, 1_000));
        let (name, seal) = runner.held(held.run.unwrap()).await.unwrap();
        assert_eq!(name, "people");
        files.keys(users(0..401));
        let changed = runner.run(&files.sync("people"), Some(&seal), &quiet()).await.unwrap();
        assert_eq!((changed.state, members(&double).len()), (State::Held, 1_000), "another plan is another approval");
        assert!(matches!(runner.held(held.run.unwrap()).await, Err(RunError::NotHeld(_))), "the older one is dropped");
        let (_, seal) = runner.held(changed.run.unwrap()).await.unwrap();
        let done = runner.run(&files.sync("people"), Some(&seal), &quiet()).await.unwrap();
        assert_eq!((done.state, members(&double).len()), (State::Done, 401));
    }

    async fn refused_rows_are_kept_in_their_order_whatever_their_number(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let files = Files::mirror(&double);
        let (runner, _stop) = runner(&app);
        let long = |n: usize| format!("{n:05}-{}", "x".repeat(2_000));
        files.keys((0..4_100).map(long).chain(["ok, \"quoted\"".replace(", ", "-"), "ada".to_owned()]));
        let mut sync = files.sync("people");
        sync.job.guards.max_invalid_pct = 100.0;
        let report = runner.run(&sync, None, &quiet()).await.unwrap();
        assert_eq!((report.state, report.plan.counts.invalid), (State::Partial, 4_100));
        let mut tx = app.app.db().read().await.unwrap();
        let errors = audience_syncs::errors(&mut tx, report.run.unwrap()).await.unwrap();
        assert_eq!(errors.len(), 4_100);
        assert!(errors.is_sorted_by_key(|error| error.key.clone()), "in their order");
        assert_eq!(errors[4_099].op, "invalid");
    }

    async fn a_target_has_one_owner_over_all_files_until_that_sync_is_forgotten(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let (runner, _stop) = runner(&app);
        let first = Files::mirror(&double);
        first.keys(["ada"]);
        runner.run(&first.sync("people"), None, &quiet()).await.unwrap();
        let second = Files::new(&double, "  others: {model: people, to: fs, mode: add}\n");
        second.keys(["grace"]);
        let refused = runner.run(&second.sync("others"), None, &quiet()).await.unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, RunError::Owned { .. }) && said.contains("\"people\""), "{said}");
        assert!(!said.contains("ser.key"), "no secret is told: {said}");
        assert_eq!(members(&double), ["ada"], "nothing was sent");
        assert!(runner.forget("people").await.unwrap());
        assert!(!runner.forget("people").await.unwrap(), "it is gone");
        runner.run(&second.sync("others"), None, &quiet()).await.unwrap();
        assert_eq!(members(&double), ["ada", "grace"]);
        // A sync that writes elsewhere from now on leaves its old target to others.
        let moved = Files::new(&double, "  others: {model: people, to: fs, mode: add, audience_trait: other}\n");
        moved.keys(["grace"]);
        runner.run(&moved.sync("others"), None, &quiet()).await.unwrap();
        runner.run(&first.sync("people"), None, &quiet()).await.unwrap();
    }

    async fn a_sync_runs_once_at_a_time(app) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let files = Files::mirror(&double);
        files.keys(users(0..20_000));
        let (runner, _stop) = runner(&app);
        let sync = files.sync("people");
        let quiet = quiet();
        let both = tokio::join!(runner.run(&sync, None, &quiet), runner.run(&sync, None, &quiet));
        let outcomes = [both.0, both.1];
        let busy = outcomes.iter().filter(|o| matches!(o, Err(RunError::Running(_)))).count();
        let done = outcomes.iter().filter(|o| o.as_ref().is_ok_and(|r| r.state == State::Done)).count();
        assert_eq!((busy, done), (1, 1));
        assert_eq!(members(&double).len(), 20_000);
    }
}
