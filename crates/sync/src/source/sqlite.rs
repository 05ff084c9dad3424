//! Rows of an SQLite file. It is opened for reading only.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _,
};
use sqlx::{TypeInfo as _, ValueRef as _};

use super::{Loads, Row, RowStream};
use crate::cell::Cell;
use crate::error::{Result, SyncError};

/// Begins to read what a statement returns.
pub(super) async fn open(path: &Path, sql: String) -> Result<RowStream> {
    let options = SqliteConnectOptions::from_str("sqlite:").map_err(|error| told(&error))?;
    let options = options
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(10));
    let mut connection = options
        .connect()
        .await
        .map_err(|error| SyncError::Source(format!("{}: {error}", path.display())))?;
    // A statement of the operator's own, on a connection that can only read.
    let sql = AssertSqlSafe(sql).into_sql_str();
    let statement = (&mut connection)
        .prepare(sql.clone())
        .await
        .map_err(|error| told(&error))?;
    let columns = statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let (mut loads, rows) = Loads::new();
    tokio::spawn(async move {
        let outcome = async {
            let mut found = sqlx::query(sql).fetch(&mut connection);
            while let Some(row) = found.try_next().await.map_err(|error| told(&error))? {
                if !loads.push(cells(&row)?).await {
                    break;
                }
            }
            Ok(())
        };
        let outcome = outcome.await;
        loads.end(outcome).await;
    });
    Ok(RowStream { columns, rows })
}

fn cells(row: &SqliteRow) -> Result<Row> {
    (0..row.len())
        .map(|index| cell(row, index).map_err(|error| told(&error)))
        .collect()
}

fn cell(row: &SqliteRow, index: usize) -> std::result::Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    // The kind of the value itself: in SQLite every row decides anew.
    Ok(match value.type_info().name() {
        "BOOLEAN" => Cell::Bool(row.try_get_unchecked(index)?),
        "INTEGER" => Cell::Int(row.try_get_unchecked(index)?),
        "REAL" => Cell::Float(row.try_get_unchecked(index)?),
        "BLOB" => {
            let bytes: Vec<u8> = row.try_get_unchecked(index)?;
            Cell::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => Cell::Text(row.try_get_unchecked(index)?),
    })
}

fn told(error: &sqlx::Error) -> SyncError {
    SyncError::Source(error.to_string())
}
