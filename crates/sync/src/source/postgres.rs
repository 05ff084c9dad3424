//! Rows of a Postgres server: one statement, one snapshot, in a transaction that can only read.
//!
//! Rows come by `COPY`, which streams and costs the server least. Its text form writes every type there is.

use std::str::FromStr as _;

use burgee_outbound::addresses::is_public;
use futures_util::TryStreamExt as _;
use sqlx::TypeInfo as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Executor as _, SqlSafeStr as _, Statement as _};

use super::{Loads, Row, RowStream};
use crate::cell::Cell;
use crate::error::{Result, SyncError};

/// What is made of the texts of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
    Decimal,
    Text,
}

/// Begins to read what a statement returns.
pub(super) async fn open(url: &str, public_only: bool, sql: String) -> Result<RowStream> {
    let mut connection = connect(url, public_only).await?;
    (&mut connection)
        .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(|error| told(&error))?;
    same_texts(&mut connection, true).await?;
    let (columns, kinds) = describe(&mut connection, &sql).await?;
    let (mut loads, rows) = Loads::new();
    tokio::spawn(async move {
        let outcome = copy(&mut connection, &sql, &kinds, &mut loads).await;
        loads.end(outcome).await;
    });
    Ok(RowStream { columns, rows })
}

/// Has values written the same way whatever the server, the database or the role is set to: `local` to a transaction, or as
/// long as the connection lasts. Not with the first message, which poolers are particular about.
pub(crate) async fn same_texts(connection: &mut PgConnection, local: bool) -> Result<()> {
    let set = if local { "SET LOCAL" } else { "SET" };
    let settings = format!(
        "{set} DateStyle = 'ISO, YMD'; {set} TimeZone = 'UTC'; {set} bytea_output = 'hex'; {set} extra_float_digits = 1"
    );
    let settings = AssertSqlSafe(settings).into_sql_str();
    let done = sqlx::raw_sql(settings).execute(connection).await;
    done.map(drop).map_err(|error| told(&error))
}

/// A connection of its own.
pub(crate) async fn connect(url: &str, public_only: bool) -> Result<PgConnection> {
    let mut options =
        PgConnectOptions::from_str(url).map_err(|_| SyncError::config("url", "is no postgres:// address"))?;
    if public_only {
        options = in_public(options).await?;
    }
    let options = options.application_name("burgee sync");
    options.connect().await.map_err(|error| told(&error))
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

/// The columns of what a statement returns.
///
/// Preparing takes exactly one statement, so that what follows can't leave the transaction or the parentheses it is put in.
async fn describe(connection: &mut PgConnection, sql: &str) -> Result<(Vec<String>, Vec<Kind>)> {
    let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
    let statement = connection.prepare(sql).await.map_err(|error| told(&error))?;
    let columns = statement.columns();
    if columns.is_empty() {
        return Err(SyncError::config("sql", "the statement returns no columns"));
    }
    let names = columns.iter().map(|column| column.name().to_owned()).collect();
    let kinds = columns.iter().map(|column| match column.type_info().name() {
        "BOOL" => Kind::Bool,
        "INT2" | "INT4" | "INT8" => Kind::Int,
        "FLOAT4" | "FLOAT8" => Kind::Float,
        "NUMERIC" => Kind::Decimal,
        _ => Kind::Text,
    });
    Ok((names, kinds.collect()))
}

/// All rows of a statement whose result is known to be small.
pub(crate) async fn all(connection: &mut PgConnection, sql: &str) -> Result<Vec<Row>> {
    let (_, kinds) = describe(connection, sql).await?;
    let mut rows = Vec::new();
    let statement = format!("COPY ({sql}) TO STDOUT");
    let mut chunks = connection
        .copy_out_raw(&statement)
        .await
        .map_err(|error| told(&error))?;
    // Every message is one row.
    while let Some(chunk) = chunks.try_next().await.map_err(|error| told(&error))? {
        rows.push(row(chunk.strip_suffix(b"\n").unwrap_or(&chunk), &kinds)?);
    }
    Ok(rows)
}

async fn copy(connection: &mut PgConnection, sql: &str, kinds: &[Kind], loads: &mut Loads) -> Result<()> {
    // The end of the line ends a comment that the statement may end with.
    let sql = sql.trim_end().trim_end_matches(';');
    let statement = format!("COPY ({sql}\n) TO STDOUT");
    let mut chunks = connection
        .copy_out_raw(&statement)
        .await
        .map_err(|error| told(&error))?;
    let mut rest: Vec<u8> = Vec::new();
    while let Some(chunk) = chunks.try_next().await.map_err(|error| told(&error))? {
        let mut chunk = chunk.as_ref();
        // Every message is one row, by the protocol's word; a row that is cut is put together all the same.
        while let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
            let line = if rest.is_empty() {
                row(&chunk[..end], kinds)?
            } else {
                rest.extend_from_slice(&chunk[..end]);
                let line = row(&rest, kinds)?;
                rest.clear();
                line
            };
            chunk = &chunk[end + 1..];
            if !loads.push(line).await {
                return Ok(());
            }
        }
        rest.extend_from_slice(chunk);
    }
    Ok(())
}

/// A line of `COPY`'s text form.
fn row(line: &[u8], kinds: &[Kind]) -> Result<Row> {
    let mut fields = line.split(|&byte| byte == b'\t');
    let cells = kinds
        .iter()
        .map(|kind| cell(fields.next().unwrap_or(b"\\N"), *kind));
    cells.collect()
}

fn cell(field: &[u8], kind: Kind) -> Result<Cell> {
    if field == b"\\N" {
        return Ok(Cell::Null);
    }
    let text = std::str::from_utf8(field)
        .map_err(|_| SyncError::Source("the server sends text that is not UTF-8".to_owned()))?;
    Ok(match kind {
        Kind::Bool => Cell::Bool(text == "t"),
        Kind::Int => text
            .parse()
            .map_or_else(|_| Cell::Text(text.to_owned()), Cell::Int),
        Kind::Float => text
            .parse()
            .map_or_else(|_| Cell::Text(text.to_owned()), Cell::Float),
        Kind::Decimal => Cell::from_decimal(text),
        Kind::Text if text.contains('\\') => Cell::Text(unescaped(text)),
        Kind::Text => Cell::Text(text.to_owned()),
    })
}

/// A text as it was before `COPY` escaped what would end a field or a line.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}

pub(crate) fn told(error: &sqlx::Error) -> SyncError {
    SyncError::Source(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copy_escapes_is_read_as_it_was() {
        let line = "a\\tb\\\\N\\nc\t\\N\tt\t-7\t1.50\t12\t";
        let kinds = [
            Kind::Text,
            Kind::Text,
            Kind::Bool,
            Kind::Int,
            Kind::Decimal,
            Kind::Decimal,
            Kind::Text,
        ];
        let text = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(
            row(line.as_bytes(), &kinds).unwrap(),
            [
                text("a\tb\\N\nc"),
                Cell::Null,
                Cell::Bool(true),
                Cell::Int(-7),
                text("1.50"),
                Cell::Int(12),
                text("")
            ]
        );
    }
}
