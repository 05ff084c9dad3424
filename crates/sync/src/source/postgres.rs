//! Rows of a Postgres server: one statement, one snapshot, in a transaction that can only read.

use std::str::FromStr as _;

use burgee_outbound::addresses::is_public;
use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgRow, PgSslMode, PgValueFormat};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _,
};
use sqlx::{TypeInfo as _, ValueRef as _};

use super::{Loads, Row, RowStream};
use crate::cell::Cell;
use crate::error::{Result, SyncError};

/// Begins to read what a statement returns.
pub(super) async fn open(url: &str, public_only: bool, sql: String) -> Result<RowStream> {
    let mut options =
        PgConnectOptions::from_str(url).map_err(|_| SyncError::config("url", "is no postgres:// address"))?;
    if public_only {
        options = in_public(options).await?;
    }
    let options = options.application_name("burgee sync");
    let mut connection = options.connect().await.map_err(|error| told(&error))?;
    (&mut connection)
        .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(|error| told(&error))?;
    let sql = AssertSqlSafe(sql).into_sql_str();
    // Preparing takes exactly one statement, so that what follows can't leave the transaction.
    let statement = (&mut connection)
        .prepare(sql.clone())
        .await
        .map_err(|error| told(&error))?;
    let columns: Vec<String> = statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    if columns.is_empty() {
        return Err(SyncError::config("sql", "the statement returns no columns"));
    }
    let (mut loads, rows) = Loads::new();
    tokio::spawn(async move {
        let outcome = async {
            // Values come as texts: whatever type the warehouse has, it can write it.
            let mut found = sqlx::raw_sql(sql).fetch(&mut connection);
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

/// The same server by its address, which is a public one: so the name can't lead elsewhere a moment later.
async fn in_public(options: PgConnectOptions) -> Result<PgConnectOptions> {
    let private = || {
        let problem =
            "does not lie in the public network; whoever runs this server can allow private addresses";
        SyncError::config("url", problem)
    };
    if options.get_socket().is_some() || options.get_host().starts_with('/') {
        return Err(private());
    }
    let found = tokio::net::lookup_host((options.get_host(), options.get_port())).await;
    let found: Vec<_> = found
        .map_err(|error| SyncError::Source(format!("{}: {error}", options.get_host())))?
        .collect();
    match found.first() {
        Some(first) if found.iter().all(|address| is_public(address.ip())) => {
            // A certificate is made out to the name; to check it the name must stay.
            let by_name = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
            let address = first.ip().to_string();
            Ok(if by_name { options } else { options.host(&address) })
        }
        _ => Err(private()),
    }
}

fn cells(row: &PgRow) -> Result<Row> {
    (0..row.len())
        .map(|index| cell(row, index).map_err(|error| told(&error)))
        .collect()
}

fn cell(row: &PgRow, index: usize) -> std::result::Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    debug_assert_eq!(
        value.format(),
        PgValueFormat::Text,
        "asked for in the simple protocol"
    );
    let text = value.as_str().map_err(sqlx::Error::Decode)?;
    Ok(match value.type_info().name() {
        "BOOL" => Cell::Bool(text == "t"),
        "INT2" | "INT4" | "INT8" => text
            .parse()
            .map_or_else(|_| Cell::Text(text.to_owned()), Cell::Int),
        "FLOAT4" | "FLOAT8" => text
            .parse()
            .map_or_else(|_| Cell::Text(text.to_owned()), Cell::Float),
        "NUMERIC" => number(text),
        _ => Cell::Text(text.to_owned()),
    })
}

/// A decimal as a number where nothing is lost by it, else as its text.
fn number(text: &str) -> Cell {
    if let Ok(whole) = text.parse::<i64>() {
        return Cell::Int(whole);
    }
    match text.parse::<f64>() {
        Ok(float) if float.to_string() == text => Cell::Float(float),
        _ => Cell::Text(text.to_owned()),
    }
}

fn told(error: &sqlx::Error) -> SyncError {
    SyncError::Source(error.to_string())
}
