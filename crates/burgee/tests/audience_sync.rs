//! `burgee sync` as its user meets it: files, plans, exit codes; and killed at any moment.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_doubles::launchdarkly::{LaunchDarkly, Segment};
use burgee_scratch::Scratch;
use serde_json::Value;
use sqlx::Connection as _;
use tempfile::TempDir;

const SEGMENT: &str = "shop/production/high-value";

/// A folder with syncs and what they remember.
struct Place {
    folder: TempDir,
    /// Where the state is kept; in the folder when not given.
    database: Option<Scratch>,
}

impl Place {
    fn new(destination: &str, sync: &str, database: Option<Scratch>) -> Self {
        let folder = TempDir::new().unwrap();
        let text = format!(
            "sources: {{here: {{driver: files, folder: .}}}}\n\
             models: {{people: {{source: here, key: id, file: people.csv}}}}\n\
             destinations: {{to: {destination}}}\nsyncs: {{people: {{model: people, to: to, {sync}}}}}\n"
        );
        std::fs::write(folder.path().join("syncs.yaml"), text).unwrap();
        Self { folder, database }
    }

    fn launchdarkly(double: &LaunchDarkly, database: Option<Scratch>) -> Self {
        let big = Segment {
            unbounded: Some("user".to_owned()),
            ..Segment::default()
        };
        double.put(SEGMENT, big);
        let destination = format!(
            "{{type: launchdarkly, instance: {:?}, token: api-token, project: shop, environment: production}}",
            double.url
        );
        Self::new(
            &destination,
            "mode: mirror, segment: high-value, guards: {max_remove_pct: 100}",
            database,
        )
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn keys(&self, range: std::ops::Range<u32>) {
        let lines: Vec<String> = range.map(|n| format!("user-{n:07}\n")).collect();
        std::fs::write(self.path().join("people.csv"), format!("id\n{}", lines.concat())).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burgee"));
        command
            .args(["sync", arguments[0], "syncs.yaml"])
            .args(&arguments[1..])
            .current_dir(self.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(url) = &self.database {
            command.env("BURGEE_DATABASE_URL", &**url);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn report(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{errors}"))
    }
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_shown_a_run_sends_it_and_a_dry_run_sends_nothing() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let to = format!("{{type: flagsmith, url: {:?}, key: ser.key}}", double.url);
    let place = Place::new(&to, "mode: mirror", None);
    place.keys(0..200);
    let valid = place.run(&["validate"]);
    assert_eq!(
        (valid.status.code(), words(&valid).as_str()),
        (Some(0), "1 syncs: people\n")
    );
    for dry in [vec!["plan", "--json"], vec!["run", "--dry-run", "--json"]] {
        let plan = place.report(&dry);
        assert_eq!(
            (&plan["state"], &plan["plan"]["counts"]["adds"]),
            (&"planned".into(), &200.into())
        );
    }
    assert!(double.identities().is_empty(), "nothing was sent");
    let run = place.run(&["run"]);
    assert_eq!(run.status.code(), Some(0));
    assert!(
        words(&run).contains("200 delivered, 0 refused"),
        "{}",
        words(&run)
    );
    assert_eq!(double.identities().len(), 200);
    // Most have left: the run is held, and an approval lets exactly this plan pass.
    place.keys(0..20);
    let held = place.run(&["run"]);
    assert_eq!(held.status.code(), Some(3));
    assert!(
        words(&held).contains("180 of 200 members would be removed"),
        "{}",
        words(&held)
    );
    let run = words(&held)
        .split("approve --run ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let approved = place.report(&["approve", "--run", &run, "--json"]);
    assert_eq!(
        (&approved["state"], &approved["progress"]["delivered"]),
        (&"done".into(), &180.into())
    );
}

#[test]
fn what_is_exported_is_read_as_the_same_and_keeps_its_references() {
    let to = r#"{type: launchdarkly, token: "${env:LD_TOKEN}", project: shop, environment: production}"#;
    let sync = "mode: mirror, segment: high-value, schedule: {cron: '*/15 * * * *', tz: Europe/Berlin}";
    let place = Place::new(to, sync, None);
    let first = place.run(&["export"]);
    assert!(words(&first).contains("${env:LD_TOKEN}"), "{}", words(&first));
    std::fs::write(place.path().join("syncs.yaml"), &first.stdout).unwrap();
    assert_eq!(words(&place.run(&["export"])), words(&first), "the same again");
    let json: Value = serde_json::from_slice(&place.run(&["export", "--json"]).stdout).unwrap();
    assert_eq!(json["syncs"]["people"]["segment"], "high-value");
    let checked = place
        .command(&["validate"])
        .env("LD_TOKEN", "api-1")
        .output()
        .unwrap();
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

/// Starts a run and kills it once the double has answered so often.
fn kill_after(place: &Place, answers: usize, double: &LaunchDarkly, before: usize) {
    let mut child = place.command(&["run", "--json"]).spawn().unwrap();
    loop {
        if double.requests().len() - before >= answers {
            // SIGKILL: nothing of the program runs after it.
            child.kill().unwrap();
            break;
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.wait().unwrap();
}

/// Killed after every number of answers there is, with a model that has changed before the next run: in the end the segment
/// is the model, nothing was lost and nobody was left behind.
async fn killed_at_every_batch(postgres: bool) {
    for answers in 1..=6 {
        let database = if postgres { Scratch::new().await } else { None };
        if postgres && database.is_none() {
            return;
        }
        let double = LaunchDarkly::start("api-token").await;
        let place = Place::launchdarkly(&double, database);
        place.keys(0..6_000);
        kill_after(&place, answers, &double, 0);
        end_leases(&place).await;
        // Half of those that may have been added have left since.
        place.keys(3_000..6_500);
        let before = double.requests().len();
        kill_after(&place, answers, &double, before);
        end_leases(&place).await;
        let report = place.report(&["run", "--json"]);
        assert_eq!(report["state"], "done", "{answers}: {report}");
        let expected = (3_000..6_500).map(|n| format!("user-{n:07}")).collect();
        assert_eq!(
            double.members(SEGMENT),
            expected,
            "killed after {answers} answers"
        );
        let again = place.report(&["run", "--json"]);
        assert_eq!(
            again["progress"]["delivered"], 0,
            "{answers}: nothing is left to do"
        );
    }
}

/// A lease outlives its process by a minute; this is that minute.
async fn end_leases(place: &Place) {
    let sql = "UPDATE audience_syncs SET held_until = 0";
    if let Some(url) = &place.database {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    } else {
        let file = place.path().join("burgee-data/burgee.db");
        let url = format!("sqlite:{}", file.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_batch_a_sync_converges_on_sqlite() {
    killed_at_every_batch(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_batch_a_sync_converges_on_postgres() {
    killed_at_every_batch(true).await;
}
