//! Databases through drivers that are loaded at run time, in a process of their own.
//!
//! `scripts/setup-tests` puts `DuckDB`'s library and the Postgres driver in `.test/drivers`. Without them the stories say that
//! they are skipped.

use std::path::PathBuf;

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_scratch::Scratch;
use burgee_sync::cell::Cell;
use burgee_sync::plan::Mode;
use burgee_sync::source::adbc::{Adbc, Extractor, find};
use burgee_sync::source::{Query, Source, open};
use burgee_sync::{Result, SyncError};

use super::{Rig, words};

/// A driver by its name, where it is there.
pub(super) fn driver(name: &str, options: &[(&str, &str)]) -> Option<Adbc> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.test/drivers"));
    let Ok(library) = find(Some(&folder), name) else {
        println!("skipped: no driver {name:?} in .test/drivers (scripts/setup-tests fetches it)");
        return None;
    };
    Some(Adbc {
        library,
        entrypoint: None,
        sha256: None,
        options: options
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        extractor: extractor(&[]),
    })
}

fn extractor(arguments: &[&str]) -> Extractor {
    Extractor {
        program: env!("CARGO_BIN_EXE_burgee-extract").into(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
    }
}

async fn rows(adbc: &Adbc, sql: &str) -> Result<(Vec<String>, Vec<Vec<Cell>>)> {
    let mut stream = open(&Source::Adbc(adbc.clone()), &Query::Sql(sql.to_owned())).await?;
    let mut rows = Vec::new();
    while let Some(load) = stream.rows.recv().await {
        rows.extend(load?);
    }
    Ok((stream.columns, rows))
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_duckdb_keep_their_types() {
    let Some(duckdb) = driver("duckdb", &[]) else {
        return;
    };
    let sql = "SELECT 'ä' AS a, 7 AS b, 1.5::DOUBLE AS c, TRUE AS d, NULL AS e, 12.50::DECIMAL(9,2) AS f, \
               DATE '2026-01-02' AS g, TIMESTAMP '2026-01-02 03:04:05' AS h, 170141183460469231731687303715884105727::HUGEINT AS i, \
               0.1::FLOAT AS j, 200::UTINYINT AS k";
    let (columns, found) = rows(&duckdb, sql).await.unwrap();
    assert_eq!(columns.concat(), "abcdefghijk");
    assert_eq!(
        found,
        [[
            text("ä"),
            Cell::Int(7),
            Cell::Float(1.5),
            Cell::Bool(true),
            Cell::Null,
            text("12.50"),
            text("2026-01-02"),
            text("2026-01-02 03:04:05"),
            text("170141183460469231731687303715884105727"),
            Cell::Float(0.1),
            Cell::Int(200),
        ]]
    );
    let error = rows(&duckdb, "SELECT [1, 2] AS list").await.unwrap_err();
    assert!(
        words(&error).contains("\"list\"") && words(&error).contains("cast it to text"),
        "{error}"
    );
    let error = rows(&duckdb, "SELEC 1").await.unwrap_err();
    assert!(words(&error).contains("syntax error"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parquet_file_is_synced_through_duckdb() {
    let Some(duckdb) = driver("duckdb", &[]) else {
        return;
    };
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut rig = Rig::flagsmith(&double, Mode::Mirror);
    let file = rig.path().join("people.parquet");
    let write = format!(
        "COPY (SELECT 'user-' || n AS id FROM range(30000) t(n)) TO '{}' (FORMAT parquet)",
        file.display()
    );
    rows(&duckdb, &write).await.unwrap();
    rig.job.query = Query::Sql(format!("SELECT id FROM '{}'", file.display()));
    rig.job.source = Source::Adbc(duckdb);
    rig.run().await;
    assert_eq!(double.identities().len(), 30_000);
    // The same file without DuckDB.
    rig.job.source = Source::Files {
        folder: rig.path().to_owned(),
    };
    rig.job.query = Query::File("people.parquet".to_owned());
    assert_eq!(rig.plan().await.unwrap().plan.counts.unchanged, 30_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_through_its_driver_gives_what_postgres_gives() {
    let Some(url) = Scratch::new().await else {
        return;
    };
    let Some(driver) = driver("postgresql", &[("uri", &url)]) else {
        return;
    };
    let sql = "SELECT 'user-' || n AS id, n::bigint AS n, n % 2 = 0 AS even, n / 4.0::float8 AS quarter, NULL::text AS nothing \
               FROM generate_series(1, 5000) n ORDER BY n";
    let (columns, through) = rows(&driver, sql).await.unwrap();
    let mut stream = open(
        &Source::Postgres {
            url: url.to_string(),
            public_only: false,
        },
        &Query::Sql(sql.to_owned()),
    )
    .await
    .unwrap();
    let mut direct = Vec::new();
    while let Some(load) = stream.rows.recv().await {
        direct.extend(load.unwrap());
    }
    assert_eq!((columns, through), (stream.columns, direct));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_plain_names_in_the_folder_that_is_set_are_loaded_and_only_what_was_pinned() {
    let folder = tempfile::tempdir().unwrap();
    for (folder, name, told) in [
        (None, "duckdb", "BURGEE_AUDIENCE_SYNC_DRIVERS"),
        (Some(folder.path()), "../duckdb", "no plain name"),
        (
            Some(folder.path()),
            "/lib/x86_64-linux-gnu/libc.so.6",
            "no plain name",
        ),
        (Some(folder.path()), "duckdb", "there is no libduckdb"),
    ] {
        let said = words(&find(folder, name).unwrap_err());
        assert!(said.contains(told), "{said}");
    }
    let Some(mut duckdb) = driver("duckdb", &[]) else {
        return;
    };
    duckdb.sha256 = Some("00".repeat(32));
    let error = rows(&duckdb, "SELECT 1").await.unwrap_err();
    assert!(
        matches!(error, SyncError::Config { .. }) && words(&error).contains("another library"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_is_no_driver_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libnonsense.so");
    std::fs::write(&library, "no library").unwrap();
    let adbc = Adbc {
        library,
        entrypoint: None,
        sha256: None,
        options: [].into(),
        extractor: extractor(&[]),
    };
    let error = words(&rows(&adbc, "SELECT 1").await.unwrap_err());
    assert!(error.contains("libnonsense"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_takes_nothing_but_the_run_down() {
    let adbc = |program: &str, arguments: &[&str]| Adbc {
        library: "libnone.so".into(),
        entrypoint: None,
        sha256: None,
        options: [].into(),
        extractor: Extractor {
            program: program.into(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        },
    };
    let crashes = adbc("/bin/sh", &["-c", "echo driver panicked >&2; kill -SEGV $$"]);
    let error = words(&rows(&crashes, "SELECT 1").await.unwrap_err());
    assert!(
        error.contains("process ended") && error.contains("SIGSEGV") && error.contains("driver panicked"),
        "{error}"
    );
    // What it was told in confidence is not repeated.
    let mut talks = adbc(
        "/bin/sh",
        &["-c", "echo cannot log in with hunter2hunter2 >&2; exit 1"],
    );
    talks.options = [("uri".to_owned(), "postgres://ada:hunter2hunter2@db/x".to_owned())].into();
    let error = words(&rows(&talks, "SELECT 1").await.unwrap_err());
    assert!(
        error.contains("log in with ********") && !error.contains("hunter2"),
        "{error}"
    );
    let babbles = adbc("/bin/sh", &["-c", "echo hello; cat"]);
    assert!(words(&rows(&babbles, "SELECT 1").await.unwrap_err()).contains("process ended"));
    let nobody = adbc("/nowhere/burgee", &[]);
    assert!(words(&rows(&nobody, "SELECT 1").await.unwrap_err()).contains("/nowhere/burgee"));
}
