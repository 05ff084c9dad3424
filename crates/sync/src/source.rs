//! Where rows come from.
//!
//! To add a source: a file in `source/` with a function that opens a [`RowStream`], and its line in [`Source`] and [`open`].

pub mod adbc;
pub mod file;
mod parquet;
pub mod postgres;
pub mod sqlite;

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::cell::Cell;
use crate::error::{Result, SyncError};

/// How many rows travel together.
const ROWS_AT_ONCE: usize = 1_024;

/// How many such loads may wait to be planned.
const LOADS_AHEAD: usize = 4;

/// A place with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A Postgres server, by its URL; with `public_only` it must not lie in a private network.
    Postgres { url: String, public_only: bool },
    /// An SQLite file; it is only read.
    Sqlite { path: PathBuf },
    /// A folder that file names are relative to.
    Files { folder: PathBuf },
    /// A database with a driver for ADBC.
    Adbc(adbc::Adbc),
}

/// What of a source is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// One SQL statement that returns rows.
    Sql(String),
    /// All rows of a table; `schema.table` where it has one.
    Table(String),
    /// A file, its format told by its name: `.csv`, `.ndjson`, `.jsonl`, each also with `.gz`, `.parquet`.
    File(String),
}

/// One row: as many cells as the stream has columns.
pub type Row = Vec<Cell>;

/// Rows as they come.
#[derive(Debug)]
pub struct RowStream {
    pub columns: Vec<String>,
    /// Ends after the last row, or with an error.
    pub rows: mpsc::Receiver<Result<Vec<Row>>>,
}

/// Begins to read. What can be known at once (credentials, a wrong statement, a missing file) fails here.
pub async fn open(source: &Source, query: &Query) -> Result<RowStream> {
    match (source, query) {
        (Source::Postgres { url, public_only }, Query::Sql(sql)) => {
            postgres::open(url, *public_only, sql.clone()).await
        }
        (Source::Postgres { url, public_only }, Query::Table(table)) => {
            postgres::open(url, *public_only, select_all(table)?).await
        }
        (Source::Sqlite { path }, Query::Sql(sql)) => sqlite::open(path, sql.clone()).await,
        (Source::Sqlite { path }, Query::Table(table)) => sqlite::open(path, select_all(table)?).await,
        (Source::Adbc(adbc), Query::Sql(sql)) => adbc::open(adbc, sql.clone()).await,
        (Source::Adbc(adbc), Query::Table(table)) => adbc::open(adbc, select_all(table)?).await,
        (Source::Files { folder }, Query::File(name)) => file::open(&folder.join(name)).await,
        (Source::Files { .. }, _) => Err(SyncError::config("model", "a source of files needs `file`")),
        (_, Query::File(_)) => Err(SyncError::config("model", "a database needs `sql` or `table`")),
    }
}

/// The statement for a whole table. Its name is quoted part by part, so that it can be nothing but a name.
fn select_all(table: &str) -> Result<String> {
    if table.is_empty() || table.contains('\0') {
        return Err(SyncError::config("table", "is needed"));
    }
    let quoted: Vec<String> = table
        .split('.')
        .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
        .collect();
    Ok(format!("SELECT * FROM {}", quoted.join(".")))
}

/// Gathers rows into loads and sends them on. Errors of the receiver mean that nobody wants more.
struct Loads {
    sender: mpsc::Sender<Result<Vec<Row>>>,
    load: Vec<Row>,
}

impl Loads {
    fn new() -> (Self, mpsc::Receiver<Result<Vec<Row>>>) {
        let (sender, receiver) = mpsc::channel(LOADS_AHEAD);
        let load = Vec::with_capacity(ROWS_AT_ONCE);
        (Self { sender, load }, receiver)
    }

    /// Adds a row; false when nobody wants more.
    async fn push(&mut self, row: Row) -> bool {
        self.load.push(row);
        self.load.len() < ROWS_AT_ONCE || self.flush().await
    }

    async fn flush(&mut self) -> bool {
        let load = std::mem::replace(&mut self.load, Vec::with_capacity(ROWS_AT_ONCE));
        load.is_empty() || self.sender.send(Ok(load)).await.is_ok()
    }

    async fn end(mut self, outcome: Result<()>) {
        match outcome {
            Ok(()) => drop(self.flush().await),
            Err(error) => drop(self.sender.send(Err(error)).await),
        }
    }

    /// The same from a thread that may block.
    fn push_blocking(&mut self, row: Row) -> bool {
        self.load.push(row);
        self.load.len() < ROWS_AT_ONCE || self.flush_blocking()
    }

    fn flush_blocking(&mut self) -> bool {
        let load = std::mem::replace(&mut self.load, Vec::with_capacity(ROWS_AT_ONCE));
        load.is_empty() || self.sender.blocking_send(Ok(load)).is_ok()
    }

    fn end_blocking(mut self, outcome: Result<()>) {
        match outcome {
            Ok(()) => drop(self.flush_blocking()),
            Err(error) => drop(self.sender.blocking_send(Err(error))),
        }
    }
}

/// Where the key of a model is among the columns of a stream.
pub fn column(columns: &[String], name: &str) -> Result<usize> {
    let found = columns.iter().position(|column| column == name);
    found.ok_or_else(|| {
        let problem = format!("the model has no column {name:?}; it has {}", columns.join(", "));
        SyncError::config("key", problem)
    })
}
