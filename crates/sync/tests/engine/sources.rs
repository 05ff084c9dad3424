//! Sources: what their values become, and what is told when they can't be read.

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_scratch::Scratch;
use burgee_sync::cell::Cell;
use burgee_sync::destination::Settings;
use burgee_sync::plan::Mode;
use burgee_sync::source::{Query, Source, open};
use serde_json::json;

use super::{Rig, fs_settings, words};

async fn rows(source: &Source, query: Query) -> (Vec<String>, Vec<Vec<Cell>>) {
    let mut stream = open(source, &query).await.unwrap();
    let mut rows = Vec::new();
    while let Some(load) = stream.rows.recv().await {
        rows.extend(load.unwrap());
    }
    (stream.columns, rows)
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

#[tokio::test]
async fn json_lines_keep_their_types_and_may_be_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let lines =
        "{\"id\": \"ada\", \"age\": 36, \"pro\": true}\n\n{\"id\": 7, \"tags\": [\"x\"], \"age\": null}\n";
    std::fs::write(folder.path().join("model.ndjson"), lines).unwrap();
    let source = Source::Files {
        folder: folder.path().to_owned(),
    };
    let (columns, found) = rows(&source, Query::File("model.ndjson".into())).await;
    assert_eq!(columns, ["id", "age", "pro", "tags"]);
    assert_eq!(
        found[0],
        [text("ada"), Cell::Int(36), Cell::Bool(true), Cell::Null]
    );
    assert_eq!(found[1], [Cell::Int(7), Cell::Null, Cell::Null, text("[\"x\"]")]);
    for (file, content, told) in [
        ("bad.ndjson", "{\"id\": 1}\nnonsense\n", "line 2"),
        ("model.xlsx", "", ".csv"),
        ("gone.csv", "", "No such file"),
    ] {
        if file != "gone.csv" {
            std::fs::write(folder.path().join(file), content).unwrap();
        }
        let error = match open(&source, &Query::File(file.into())).await {
            Err(error) => error,
            Ok(mut stream) => loop {
                match stream.rows.recv().await {
                    Some(Err(error)) => break error,
                    Some(Ok(_)) => {}
                    None => panic!("{file} was read"),
                }
            },
        };
        assert!(words(&error).contains(told), "{}", words(&error));
    }
}

#[tokio::test]
async fn sqlite_values_keep_their_types_and_the_file_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let script = "CREATE TABLE people (id TEXT, age INTEGER, score REAL, pro BOOLEAN, note TEXT);
                  INSERT INTO people VALUES ('ada', 36, 1.5, TRUE, NULL), ('grace', 85, 2.0, FALSE, 'x');";
    sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
    let source = Source::Sqlite { path };
    let (columns, found) = rows(&source, Query::Table("people".into())).await;
    assert_eq!(columns, ["id", "age", "score", "pro", "note"]);
    assert_eq!(found[0][..3], [text("ada"), Cell::Int(36), Cell::Float(1.5)]);
    assert_eq!((&found[1][4], &found[0][4]), (&text("x"), &Cell::Null));
    for sql in ["DELETE FROM people", "SELECT nothing FROM people", "SELEC"] {
        let refused = match open(&source, &Query::Sql(sql.into())).await {
            Err(_) => true,
            Ok(mut stream) => stream.rows.recv().await.is_some_and(|load| load.is_err()),
        };
        assert!(refused, "{sql}");
    }
    assert_eq!(rows(&source, Query::Table("people".into())).await.1.len(), 2);
}

#[tokio::test]
async fn postgres_values_keep_their_types_and_nothing_can_be_written() {
    let Some(url) = Scratch::new().await else {
        return;
    };
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let script = "CREATE SCHEMA crm; CREATE TABLE crm.people (id UUID, age INT, ltv NUMERIC(10,2), pro BOOLEAN, since DATE, doc JSONB);
                  INSERT INTO crm.people VALUES ('00000000-0000-4000-8000-000000000001', 36, 12.50, TRUE, '2026-01-02', '{\"a\": 1}');";
    sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
    let source = Source::Postgres {
        url: url.to_string(),
        public_only: false,
    };
    let (columns, found) = rows(&source, Query::Table("crm.people".into())).await;
    assert_eq!(columns, ["id", "age", "ltv", "pro", "since", "doc"]);
    assert_eq!(
        found,
        [[
            text("00000000-0000-4000-8000-000000000001"),
            Cell::Int(36),
            text("12.50"),
            Cell::Bool(true),
            text("2026-01-02"),
            text("{\"a\": 1}"),
        ]]
    );
    for sql in [
        "DELETE FROM crm.people RETURNING id",
        "COMMIT; DELETE FROM crm.people; SELECT 1",
        "SELECT 1; SELECT 2",
    ] {
        let refused = match open(&source, &Query::Sql(sql.into())).await {
            Err(_) => true,
            Ok(mut stream) => stream.rows.recv().await.is_some_and(|load| load.is_err()),
        };
        assert!(refused, "{sql}");
    }
    assert_eq!(
        rows(&source, Query::Sql("SELECT id FROM crm.people".into()))
            .await
            .1
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_query_reaches_flagsmith() {
    let Some(url) = Scratch::new().await else {
        return;
    };
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut settings = fs_settings(&double);
    settings.traits = vec!["tier".to_owned()];
    let mut rig = Rig::new(Settings::Flagsmith(settings), Mode::Upsert);
    rig.job.source = Source::Postgres {
        url: url.to_string(),
        public_only: false,
    };
    rig.job.query =
        Query::Sql("SELECT 'user-' || n AS id, n % 3 AS tier FROM generate_series(1, 3000) n".into());
    rig.job.map = [("tier".to_owned(), "tier".to_owned())].into();
    rig.run().await;
    assert_eq!(double.identities().len(), 3_000);
    assert_eq!(json!(double.identities()["user-5"]), json!({"tier": 2}));
    rig.job.key = "nope".to_owned();
    let said = words(&rig.plan().await.unwrap_err());
    assert!(
        said.contains("no column \"nope\"") && said.contains("id, tier"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_postgres_are_read_as_they_are_whatever_they_hold() {
    let Some(url) = Scratch::new().await else {
        return;
    };
    let source = Source::Postgres {
        url: url.to_string(),
        public_only: false,
    };
    let sql = "SELECT E'a\\tb\\nc\\\\d' AS odd, '\\N' AS looks_null, '' AS empty, NULL AS nothing, 'ä✓' AS wide -- a comment";
    let (_, found) = rows(&source, Query::Sql(sql.into())).await;
    assert_eq!(
        found,
        [[text("a\tb\nc\\d"), text("\\N"), text(""), Cell::Null, text("ä✓")]]
    );
    // Whatever the database is set to, a value is written the same way: else everything would seem to have changed.
    let Source::Postgres { url, .. } = &source else {
        unreachable!("it is made above")
    };
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url)
        .await
        .unwrap();
    let set =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = %L', current_database(), 'Asia/Tokyo');
               EXECUTE format('ALTER DATABASE %I SET DateStyle = %L', current_database(), 'German'); END $$";
    sqlx::raw_sql(set).execute(&mut connection).await.unwrap();
    let sql = "SELECT TIMESTAMPTZ '2026-01-02 03:04:05+00' AS moment, DATE '2026-01-02' AS day";
    let (_, found) = rows(&source, Query::Sql(sql.into())).await;
    assert_eq!(found, [[text("2026-01-02 03:04:05+00"), text("2026-01-02")]]);
    let (_, found) = rows(&source, Query::Sql("VALUES (1), (2);".into())).await;
    assert_eq!(found, [[Cell::Int(1)], [Cell::Int(2)]]);
}

#[tokio::test]
async fn values_of_parquet_keep_their_types() {
    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let folder = tempfile::tempdir().unwrap();
    let schema = "message people { optional binary id (UTF8); required int64 age; required boolean pro; required double score;
                  required int32 since (DATE); required int64 ltv (DECIMAL(12,2)); }";
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(
            parquet::basic::ZstdLevel::default(),
        ))
        .build();
    let file = std::fs::File::create(folder.path().join("people.parquet")).unwrap();
    let schema = parse_message_type(schema).unwrap().into();
    let mut writer = SerializedFileWriter::new(file, schema, properties.into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let id = ByteArray::from("ada");
    macro_rules! column {
        ($type:ty, $values:expr, $levels:expr) => {
            let mut column = group.next_column().unwrap().unwrap();
            column
                .typed::<$type>()
                .write_batch($values, $levels, None)
                .unwrap();
            column.close().unwrap();
        };
    }
    column!(ByteArrayType, &[id], Some(&[1, 0]));
    column!(Int64Type, &[36, -1], None);
    column!(BoolType, &[true, false], None);
    column!(DoubleType, &[1.5, 2.0], None);
    column!(Int32Type, &[20_455, 0], None);
    column!(Int64Type, &[1_250, 100], None);
    group.close().unwrap();
    writer.close().unwrap();
    let source = Source::Files {
        folder: folder.path().to_owned(),
    };
    let (columns, found) = rows(&source, Query::File("people.parquet".into())).await;
    assert_eq!(columns, ["id", "age", "pro", "score", "since", "ltv"]);
    assert_eq!(
        found[0],
        [
            text("ada"),
            Cell::Int(36),
            Cell::Bool(true),
            Cell::Float(1.5),
            text("2026-01-02"),
            text("12.50")
        ]
    );
    assert_eq!((&found[1][0], &found[1][5]), (&Cell::Null, &text("1.00")));
    std::fs::write(folder.path().join("broken.parquet"), "nonsense").unwrap();
    let error = open(&source, &Query::File("broken.parquet".into()))
        .await
        .unwrap_err();
    assert!(words(&error).contains("broken.parquet"), "{}", words(&error));
}
