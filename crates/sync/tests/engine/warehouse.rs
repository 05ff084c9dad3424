//! The comparison in the warehouse itself: the same outcomes as here, and only changed rows leave it.

use std::fmt::Write as _;
use std::path::PathBuf;

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_doubles::launchdarkly::{Fault, LaunchDarkly, Segment};
use burgee_scratch::Scratch;
use burgee_sync::destination::Settings;
use burgee_sync::guard::Hold;
use burgee_sync::plan::Mode;
use burgee_sync::run::Purpose;
use burgee_sync::source::adbc::Adbc;
use burgee_sync::source::{Query, Source};
use burgee_sync::warehouse::{self, Dialect, Model, Reach, Texts};
use serde_json::json;

use super::{Rig, SEGMENT, adbc, fs_settings, ld_settings, words};

/// A warehouse to try things on.
enum House {
    Postgres(Scratch),
    /// A file of its own, in a folder that goes with it.
    DuckDb(
        Adbc,
        #[expect(dead_code, reason = "it is kept")] tempfile::TempDir,
    ),
}

impl House {
    async fn postgres() -> Option<Self> {
        Some(Self::Postgres(Scratch::new().await?))
    }

    fn duckdb() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("house.duckdb").display().to_string();
        Some(Self::DuckDb(adbc::driver("duckdb", &[("path", &file)])?, folder))
    }

    fn settings(&self) -> warehouse::Settings {
        let (reach, dialect) = match self {
            Self::Postgres(url) => (
                Reach::Postgres {
                    url: url.to_string(),
                    public_only: false,
                },
                Dialect::Postgres,
            ),
            Self::DuckDb(adbc, _) => (Reach::Adbc(adbc.clone()), Dialect::Duckdb),
        };
        warehouse::Settings {
            reach,
            dialect,
            schema: "flag_sync".to_owned(),
        }
    }

    async fn run(&self, sql: &str) {
        match self {
            Self::Postgres(url) => {
                let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url)
                    .await
                    .unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            Self::DuckDb(adbc, _) => {
                for statement in sql.split(';').filter(|text| !text.trim().is_empty()) {
                    let query = Query::Sql(statement.to_owned());
                    let mut stream = burgee_sync::source::open(&Source::Adbc(adbc.clone()), &query)
                        .await
                        .unwrap();
                    while let Some(load) = stream.rows.recv().await {
                        load.unwrap();
                    }
                }
            }
        }
    }

    /// A sync whose comparison is made here, of the table `people`.
    fn rig(&self, destination: Settings, mode: Mode) -> Rig {
        let mut rig = Rig::new(destination, mode);
        rig.job.query = Query::Table("people".to_owned());
        rig.job.warehouse = Some(self.settings());
        rig.patience.failures = 1;
        rig
    }
}

/// Each story runs on Postgres and on `DuckDB`.
macro_rules! on_both {
    ($($(#[$m:meta])* async fn $name:ident($house:ident) $body:block)*) => { $(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                if let Some(house) = House::postgres().await {
                    house.run("CREATE SCHEMA flag_sync").await;
                    run(house).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn duckdb() {
                if let Some(house) = House::duckdb() {
                    house.run("CREATE SCHEMA flag_sync").await;
                    run(house).await;
                }
            }

            $(#[$m])*
            async fn run($house: House) $body
        }
    )* };
}

fn upsert(double: &Flagsmith) -> Settings {
    let mut settings = fs_settings(double);
    settings.traits = vec!["tier".to_owned(), "age".to_owned()];
    Settings::Flagsmith(settings)
}

fn mapped(mut rig: Rig) -> Rig {
    let pairs = ["tier", "age"].map(|name| (name.to_owned(), name.to_owned()));
    rig.job.map = pairs.into();
    rig
}

fn big(double: &LaunchDarkly) -> Settings {
    let segment = Segment {
        unbounded: Some("user".to_owned()),
        ..Segment::default()
    };
    double.put(SEGMENT, segment);
    Settings::LaunchDarkly(ld_settings(double))
}

const USERS: &str = "CREATE TABLE people AS SELECT 'user-' || n AS id FROM generate_series(1, 3200) t(n)";

on_both! {
    async fn columns_become_traits_and_only_changes_leave_the_warehouse(house) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let rig = mapped(house.rig(upsert(&double), Mode::Upsert));
        house.run("CREATE TABLE people (id TEXT, tier TEXT, age INTEGER);
                   INSERT INTO people VALUES ('ada', 'gold', 36), ('grace', NULL, 85), ('linus', 'x', NULL)").await;
        let first = rig.run().await;
        assert_eq!(first.progress.delivered, 3);
        assert_eq!(json!(double.identities()["ada"]), json!({"tier": "gold", "age": 36}));
        assert_eq!(json!(double.identities()["grace"]), json!({"age": 85}));
        assert_eq!(rig.run().await.progress.delivered, 0, "nothing has changed");
        // NULL is told from a value, and one column from the other.
        house.run("UPDATE people SET tier = NULL, age = 1 WHERE id = 'linus'; DELETE FROM people WHERE id = 'grace'").await;
        let prepared = rig.plan().await.unwrap();
        let counts = prepared.plan.counts;
        assert_eq!((counts.rows, counts.adds, counts.updates, counts.removes, counts.unchanged), (2, 0, 1, 0, 1));
        rig.deliver(prepared).await.outcome.unwrap();
        assert_eq!(json!(double.identities()["linus"]), json!({"age": 1}));
        house.run("INSERT INTO people VALUES ('grace', NULL, 85)").await;
        assert_eq!(rig.plan().await.unwrap().plan.counts.adds, 1, "who comes back is new");
    }

    async fn a_mirror_keeps_a_segment_in_step_in_the_fewest_requests(house) {
        let double = LaunchDarkly::start("api-token").await;
        let rig = house.rig(big(&double), Mode::Mirror);
        house.run(USERS).await;
        rig.run().await;
        assert_eq!((double.members(SEGMENT).len(), double.patches()), (3_200, 3));
        house.run("DELETE FROM people WHERE id = 'user-7'; INSERT INTO people VALUES ('somebody')").await;
        let prepared = rig.plan().await.unwrap();
        assert_eq!((prepared.plan.counts.adds, prepared.plan.counts.removes), (1, 1));
        assert_eq!((&prepared.plan.samples.adds[..], &prepared.plan.samples.removes[..]), (&["somebody".to_owned()][..], &["user-7".to_owned()][..]));
        rig.deliver(prepared).await.outcome.unwrap();
        let members = double.members(SEGMENT);
        assert!(members.contains("somebody") && !members.contains("user-7"));
        assert_eq!(double.patches(), 4, "both in one");
    }

    async fn remove_removes_once_who_is_in_the_model(house) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let rig = house.rig(Settings::Flagsmith(fs_settings(&double)), Mode::Remove);
        house.run("CREATE TABLE people AS SELECT 'ada' AS id").await;
        assert_eq!(rig.run().await.progress.delivered, 1);
        assert_eq!(double.identities()["ada"]["in_audience"], false);
        assert_eq!(rig.run().await.progress.delivered, 0);
    }

    async fn rows_without_a_key_twice_or_with_two_values_change_nothing(house) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let mut rig = mapped(house.rig(upsert(&double), Mode::Upsert));
        rig.job.guards.max_invalid_pct = 100.0;
        house.run("CREATE TABLE people (id TEXT, tier TEXT, age INTEGER);
                   INSERT INTO people VALUES ('ada', 'a', 1), ('ada', 'a', 1), ('grace', 'a', 1), ('grace', 'b', 1),
                   (NULL, 'a', 1), ('', 'a', 1)").await;
        let prepared = rig.plan().await.unwrap();
        let counts = prepared.plan.counts;
        assert_eq!((counts.rows, counts.adds, counts.duplicates, counts.conflicts, counts.invalid), (6, 1, 1, 1, 2));
        assert_eq!(prepared.plan.conflicts, ["grace"]);
    }

    async fn a_row_that_is_refused_is_simply_still_different(house) {
        let double = LaunchDarkly::start("api-token").await;
        let rig = house.rig(big(&double), Mode::Mirror);
        double.refuse_key("user-1700");
        house.run(USERS).await;
        let delivered = rig.run().await;
        assert_eq!((delivered.progress.delivered, delivered.progress.rejected), (3_199, 1));
        assert_eq!(rig.ledger.errors()[0].key, "user-1700");
        let next = rig.plan().await.unwrap();
        assert_eq!((next.plan.counts.adds, next.plan.counts.unchanged), (1, 3_199));
    }

    async fn who_was_added_by_a_run_that_failed_and_has_left_since_is_taken_back(house) {
        let double = LaunchDarkly::start("api-token").await;
        let mut rig = house.rig(big(&double), Mode::Mirror);
        rig.job.guards.max_remove_pct = 100.0;
        house.run(USERS).await;
        let prepared = rig.plan().await.unwrap();
        // The second patch is applied, and its answer is lost.
        double.fail([Fault::Slow(std::time::Duration::ZERO), Fault::After(500)]);
        assert!(rig.deliver(prepared).await.outcome.is_err());
        assert_eq!(double.members(SEGMENT).len(), 3_000);
        house.run("DELETE FROM people WHERE id <> 'user-1'").await;
        rig.run().await;
        assert_eq!(double.members(SEGMENT), ["user-1".to_owned()].into());
        assert_eq!(rig.plan().await.unwrap().plan.counts.to_send(), 0);
    }

    async fn a_plan_that_is_held_is_sent_as_it_was_frozen_once_it_is_approved(house) {
        let double = LaunchDarkly::start("api-token").await;
        let rig = house.rig(big(&double), Mode::Mirror);
        house.run(USERS).await;
        rig.run().await;
        house.run("DELETE FROM people WHERE id <> 'user-1'").await;
        let held = rig.plan().await.unwrap();
        assert!(matches!(held.holds[..], [Hold::Removes { removes: 3_199, of: 3_200, .. }]), "{:?}", held.holds);
        let (counts, seal) = (held.plan.counts, held.plan.seal.clone());
        drop(held);
        // A look does not touch it, nor do rows that come later.
        house.run("INSERT INTO people VALUES ('later')").await;
        let look = rig.plan_for(Purpose::Look).await.unwrap();
        assert_eq!((look.plan.counts.adds, look.plan.counts.removes), (1, 3_199));
        drop(look);
        let approved = rig.plan_for(Purpose::Send { approved: Some(&seal) }).await.unwrap();
        assert_eq!((approved.plan.counts, &approved.plan.seal), (counts, &seal));
        rig.deliver(approved).await.outcome.unwrap();
        assert_eq!(double.members(SEGMENT), ["user-1".to_owned()].into());
        let other = rig.plan_for(Purpose::Send { approved: Some("warehouse-0") }).await.unwrap();
        assert_eq!(other.plan.counts.adds, 1, "another seal approves nothing");
    }

    async fn another_shape_begins_anew(house) {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let mut rig = house.rig(Settings::Flagsmith(fs_settings(&double)), Mode::Add);
        house.run("CREATE TABLE people AS SELECT 'ada' AS id").await;
        rig.run().await;
        "another".clone_into(&mut rig.job.shape);
        assert_eq!(rig.plan().await.unwrap().plan.counts.adds, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_not_there_is_told_with_what_to_do() {
    let Some(house) = House::postgres().await else {
        return;
    };
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let rig = house.rig(Settings::Flagsmith(fs_settings(&double)), Mode::Add);
    house.run("CREATE TABLE people AS SELECT 'ada' AS id").await;
    let said = words(&rig.plan().await.unwrap_err());
    assert!(
        said.contains("\"flag_sync\"") && said.contains("create the schema"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_tells_its_members_is_compared_here() {
    let Some(house) = House::postgres().await else {
        return;
    };
    let House::Postgres(url) = &house else { return };
    let double = LaunchDarkly::start("api-token").await;
    double.put(SEGMENT, Segment::default());
    let mut rig = house.rig(Settings::LaunchDarkly(ld_settings(&double)), Mode::Mirror);
    rig.job.source = Source::Postgres {
        url: url.to_string(),
        public_only: false,
    };
    house.run("CREATE TABLE people AS SELECT 'ada' AS id").await;
    rig.run().await;
    assert_eq!(double.members(SEGMENT).len(), 1, "and no schema was needed");
}

/// The statements of every dialect, as they are written down in `golden/`. `BLESS=1` writes them anew.
#[test]
fn every_dialect_says_what_is_written_down() {
    let model = Model {
        query: Query::Sql("SELECT user_id, tier, ltv FROM analytics.high_value".to_owned()),
        key: "user_id".to_owned(),
        columns: vec!["tier".to_owned(), "ltv".to_owned()],
    };
    for (name, dialect) in [
        ("postgres", Dialect::Postgres),
        ("snowflake", Dialect::Snowflake),
        ("bigquery", Dialect::Bigquery),
        ("redshift", Dialect::Redshift),
        ("databricks", Dialect::Databricks),
        ("duckdb", Dialect::Duckdb),
    ] {
        let settings = warehouse::Settings {
            reach: Reach::Postgres {
                url: String::new(),
                public_only: false,
            },
            dialect,
            schema: "flag_sync".to_owned(),
        };
        let texts = Texts::new(&settings, "High value", Mode::Mirror, &model, false);
        let mut all = vec![Texts::first(&settings, "High value"), texts.read_meta()];
        all.extend(texts.reset("shape"));
        all.extend(texts.take_open_window(0, 100));
        all.extend(texts.freeze("seal", false));
        all.extend([
            texts.counts(),
            texts.ops(),
            texts.sample("A", 20),
            texts.conflicts(20),
            texts.window(0, 100),
        ]);
        all.extend(texts.mark(0, 100, &[3]));
        all.extend(texts.confirm(0, 100, &[7]));
        all.extend(texts.finish());
        let upsert = Texts::new(&settings, "High value", Mode::Upsert, &model, true);
        all.extend(upsert.freeze("seal", true));
        all.extend(upsert.clear());
        all.extend(upsert.finish());
        let mut said = String::new();
        for statement in all {
            writeln!(said, "{statement};").unwrap();
        }
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/engine/golden/{name}.sql"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &said).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(said, written, "{}", file.display());
    }
}
