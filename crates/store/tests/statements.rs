//! Every statement the program can send is understood by both engines, and means the same columns to them.
//!
//! Postgres is the server that `BURGEE_TEST_POSTGRES_URL` names; without it only SQLite is asked, and the test says so.

#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use burgee_scratch::Scratch;
use burgee_store::db::Statement;
use burgee_store::{Db, Tx};
use sqlx::{Column, Executor, SqlStr, Statement as _, TypeInfo};

/// The column types the two engines share; others would be read on one and fail on the other.
const SHARED_TYPES: [&str; 6] = ["TEXT", "INT8", "BOOL", "FLOAT8", "BYTEA", "VOID"];

/// Where a statement stands, and the names of the columns it returns.
type Shape = (&'static str, Vec<String>);

async fn shapes(db: &Db) -> Vec<Shape> {
    let mut tx = db.begin().await.unwrap();
    let mut shapes = Vec::new();
    for statement in inventory::iter::<Statement> {
        let columns = match &mut tx {
            Tx::Sqlite(connection) => (&mut **connection)
                .prepare(SqlStr::from_static(statement.sqlite))
                .await
                .map(|s| s.columns().iter().map(|c| c.name().to_owned()).collect()),
            Tx::Postgres(connection) => (&mut **connection)
                .prepare(SqlStr::from_static(statement.postgres))
                .await
                .map(|s| {
                    s.columns()
                        .iter()
                        .map(|c| shared_column(statement.at, c))
                        .collect()
                }),
        };
        let columns = columns.unwrap_or_else(|error| panic!("{} on {}: {error}", statement.at, db.engine()));
        shapes.push((statement.at, columns));
    }
    shapes.sort();
    shapes
}

fn shared_column(at: &str, column: &impl Column) -> String {
    let kind = column.type_info().name().to_owned();
    assert!(
        SHARED_TYPES.contains(&kind.as_str()),
        "{at}: column {} is {kind}",
        column.name()
    );
    column.name().to_owned()
}

#[tokio::test]
async fn every_statement_is_understood_alike_by_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display()), 2)
        .await
        .unwrap();
    let on_sqlite = shapes(&sqlite).await;
    assert!(
        on_sqlite.len() > 30,
        "only {} statements are registered",
        on_sqlite.len()
    );
    let Some(scratch) = Scratch::new().await else {
        return;
    };
    let postgres = Db::open(&scratch, 2).await.unwrap();
    assert_eq!(on_sqlite, shapes(&postgres).await);
}
