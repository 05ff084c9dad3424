//! Whole rows with their ids, many at a time: what an import writes.
//!
//! Tables are described in [`tables`]; the texts of the statements are made from the descriptions, and a test prepares
//! them on both engines. Everything else in this crate writes through `sql!`.

pub mod tables;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Row as _};

use crate::db::id_list;
use crate::imports::Origin;
use crate::{DbError, Result, Tx};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Text,
    Bool,
    Float,
}

/// A value in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(Option<bool>),
    Float(Option<f64>),
}

impl Cell {
    fn is_null(&self) -> bool {
        matches!(
            self,
            Self::Int(None) | Self::Text(None) | Self::Bool(None) | Self::Float(None)
        )
    }

    /// Whether it may stand in a column of this type.
    pub fn is(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Int(_), Kind::Int)
                | (Self::Text(_), Kind::Text)
                | (Self::Bool(_), Kind::Bool)
                | (Self::Float(_), Kind::Float)
        )
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Bool(Some(value))
    }
}

impl From<Option<bool>> for Cell {
    fn from(value: Option<bool>) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Float(Some(value))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Cell {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<&str>> for Cell {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

/// A column as an import writes it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// Written with a new row only: from then on it is this installation's own.
    pub once: bool,
}

/// A table with rows that have ids.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// What no two rows share. Nulls count: two rows with the same nulls are the same.
    pub unique: &'static [&'static [&'static str]],
}

/// A table whose rows only link two others.
#[derive(Debug)]
pub struct Links {
    pub name: &'static str,
    pub left: &'static str,
    pub right: &'static str,
    pub columns: &'static [Column],
}

/// Rows written with one statement; the engines allow some 32 000 values.
const ROWS_AT_ONCE: usize = 200;
/// Ids asked for with one statement.
const IDS_AT_ONCE: usize = 5000;

pub(crate) fn postgres_list(ids: &[i64]) -> String {
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("{{{}}}", texts.join(","))
}

impl Table {
    fn select(&self, tx: &Tx) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        format!(
            "SELECT id, {} FROM {} WHERE {}",
            names.join(", "),
            self.name,
            ids_clause(tx, "id")
        )
    }

    fn insert(&self, rows: usize) -> String {
        let names = std::iter::once("id").chain(self.columns.iter().map(|column| column.name));
        insert_text(self.name, names, rows)
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The rows with these ids.
    pub async fn read(&self, tx: &mut Tx, ids: &[i64]) -> Result<HashMap<i64, Vec<Cell>>> {
        let mut found = HashMap::new();
        for ids in ids.chunks(IDS_AT_ONCE) {
            let text = self.select(tx);
            let kinds = std::iter::once(Kind::Int).chain(self.columns.iter().map(|column| column.kind));
            for mut row in fetch(tx, text, vec![ids_cell(tx, ids)], kinds.collect()).await? {
                let cells = row.split_off(1);
                if let [Cell::Int(Some(id))] = row[..] {
                    found.insert(id, cells);
                }
            }
        }
        Ok(found)
    }

    /// Which of these ids are taken.
    pub async fn taken(&self, tx: &mut Tx, ids: &[i64]) -> Result<HashSet<i64>> {
        let mut taken = HashSet::new();
        for ids in ids.chunks(IDS_AT_ONCE) {
            let text = format!("SELECT id FROM {} WHERE {}", self.name, ids_clause(tx, "id"));
            for row in fetch(tx, text, vec![ids_cell(tx, ids)], vec![Kind::Int]).await? {
                if let [Cell::Int(Some(id))] = row[..] {
                    taken.insert(id);
                }
            }
        }
        Ok(taken)
    }

    /// Whether there is no row at all.
    pub async fn is_empty(&self, tx: &mut Tx) -> Result<bool> {
        let text = format!("SELECT id FROM {} LIMIT 1", self.name);
        Ok(fetch(tx, text, Vec::new(), vec![Kind::Int]).await?.is_empty())
    }

    /// The row that has the same as `cells` in these columns.
    pub async fn find(&self, tx: &mut Tx, columns: &[&str], cells: &[Cell]) -> Result<Option<i64>> {
        let mut text = format!("SELECT id FROM {} WHERE ", self.name);
        let mut wanted = Vec::new();
        for (index, name) in columns.iter().enumerate() {
            let Some(position) = self.position(name) else {
                return Ok(None);
            };
            if index > 0 {
                text.push_str(" AND ");
            }
            if cells[position].is_null() {
                let _ = write!(text, "{name} IS NULL");
            } else {
                wanted.push(cells[position].clone());
                let _ = write!(text, "{name} = ${}", wanted.len());
            }
        }
        text.push_str(" ORDER BY id LIMIT 1");
        let rows = fetch(tx, text, wanted, vec![Kind::Int]).await?;
        Ok(rows.first().and_then(|row| match row[..] {
            [Cell::Int(Some(id))] => Some(id),
            _ => None,
        }))
    }

    /// Writes new rows under these ids.
    pub async fn insert_all(&self, tx: &mut Tx, rows: &[(i64, &[Cell])]) -> Result<()> {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let cells = rows
                .iter()
                .flat_map(|(id, cells)| std::iter::once(Cell::from(*id)).chain(cells.iter().cloned()));
            execute(tx, self.insert(rows.len()), cells.collect()).await?;
        }
        Ok(())
    }

    /// Writes every column of a row that is there, but those that are written once.
    pub async fn update(&self, tx: &mut Tx, id: i64, cells: &[Cell]) -> Result<u64> {
        let written: Vec<_> = (self.columns.iter().zip(cells))
            .filter(|(column, _)| !column.once)
            .collect();
        let sets: Vec<String> = (2..)
            .zip(&written)
            .map(|(number, (column, _))| format!("{} = ${number}", column.name))
            .collect();
        let text = format!("UPDATE {} SET {} WHERE id = $1", self.name, sets.join(", "));
        let cells = std::iter::once(Cell::from(id)).chain(written.iter().map(|(_, cell)| (*cell).clone()));
        execute(tx, text, cells.collect()).await
    }

    /// Deletes a row, with what belongs to it.
    pub async fn delete(&self, tx: &mut Tx, id: i64) -> Result<u64> {
        let text = format!("DELETE FROM {} WHERE id = $1", self.name);
        execute(tx, text, vec![id.into()]).await
    }

    /// Ids that no row has had.
    pub async fn new_ids(&self, tx: &mut Tx, count: usize) -> Result<Vec<i64>> {
        let text = match tx {
            Tx::Postgres(_) => format!(
                "SELECT nextval(pg_get_serial_sequence('{}', 'id')) FROM generate_series(1, $1)",
                self.name
            ),
            Tx::Sqlite(_) => format!(
                "SELECT MAX(COALESCE((SELECT MAX(id) FROM {0}), 0),
                            COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '{0}'), 0)) + $1 - $1",
                self.name
            ),
        };
        let rows = fetch(tx, text, vec![(count as i64).into()], vec![Kind::Int]).await?;
        let ids = rows.into_iter().filter_map(|row| match row[..] {
            [Cell::Int(id)] => id,
            _ => None,
        });
        let mut ids: Vec<i64> = ids.collect();
        if let (Tx::Sqlite(_), Some(&last)) = (&*tx, ids.first()) {
            ids = (last + 1..=last + count as i64).collect();
        }
        Ok(ids)
    }

    /// Sees to it that rows made from now on get ids above `last`.
    pub async fn move_on(&self, tx: &mut Tx, last: i64) -> Result<()> {
        if last < 1 {
            return Ok(());
        }
        match tx {
            Tx::Postgres(_) => {
                let text = format!(
                    "SELECT setval(pg_get_serial_sequence('{0}', 'id'), GREATEST($1, nextval(pg_get_serial_sequence('{0}', 'id'))))",
                    self.name
                );
                fetch(tx, text, vec![last.into()], vec![Kind::Int]).await?;
            }
            Tx::Sqlite(_) => {
                let text = format!(
                    "UPDATE sqlite_sequence SET seq = MAX(seq, $1) WHERE name = '{}'",
                    self.name
                );
                if execute(tx, text, vec![last.into()]).await? == 0 {
                    let text = format!(
                        "INSERT INTO sqlite_sequence (name, seq) VALUES ('{}', $1)",
                        self.name
                    );
                    execute(tx, text, vec![last.into()]).await?;
                }
            }
        }
        Ok(())
    }
}

impl Links {
    /// The links of these rows, by both ends.
    pub async fn read(&self, tx: &mut Tx, left: &[i64]) -> Result<HashMap<(i64, i64), Vec<Cell>>> {
        let mut found = HashMap::new();
        for ids in left.chunks(IDS_AT_ONCE) {
            let mut names = String::new();
            for column in self.columns {
                let _ = write!(names, ", {}", column.name);
            }
            let text = format!(
                "SELECT {}, {}{names} FROM {} WHERE {}",
                self.left,
                self.right,
                self.name,
                ids_clause(tx, self.left)
            );
            let kinds = [Kind::Int, Kind::Int]
                .into_iter()
                .chain(self.columns.iter().map(|column| column.kind));
            for mut row in fetch(tx, text, vec![ids_cell(tx, ids)], kinds.collect()).await? {
                let cells = row.split_off(2);
                if let [Cell::Int(Some(left)), Cell::Int(Some(right))] = row[..] {
                    found.insert((left, right), cells);
                }
            }
        }
        Ok(found)
    }

    /// Writes new links.
    pub async fn insert_all(&self, tx: &mut Tx, rows: &[((i64, i64), &[Cell])]) -> Result<()> {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let names = [self.left, self.right]
                .into_iter()
                .chain(self.columns.iter().map(|column| column.name));
            let text = insert_text(self.name, names, rows.len());
            let cells = rows.iter().flat_map(|((left, right), cells)| {
                [Cell::from(*left), Cell::from(*right)]
                    .into_iter()
                    .chain(cells.iter().cloned())
            });
            execute(tx, text, cells.collect()).await?;
        }
        Ok(())
    }

    /// Takes a link away.
    pub async fn delete(&self, tx: &mut Tx, (left, right): (i64, i64)) -> Result<u64> {
        let text = format!(
            "DELETE FROM {} WHERE {} = $1 AND {} = $2",
            self.name, self.left, self.right
        );
        execute(tx, text, vec![left.into(), right.into()]).await
    }
}

fn insert_text(table: &str, columns: impl Iterator<Item = &'static str>, rows: usize) -> String {
    let columns: Vec<&str> = columns.collect();
    let mut text = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    for row in 0..rows {
        text.push_str(if row > 0 { ", (" } else { "(" });
        for column in 0..columns.len() {
            let comma = if column > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}${}", row * columns.len() + column + 1);
        }
        text.push(')');
    }
    text
}

fn ids_clause(tx: &Tx, column: &str) -> String {
    match tx {
        Tx::Sqlite(_) => format!("{column} IN (SELECT value FROM json_each($1))"),
        Tx::Postgres(_) => format!("{column} = ANY(CAST($1 AS BIGINT[]))"),
    }
}

fn ids_cell(tx: &Tx, ids: &[i64]) -> Cell {
    match tx {
        Tx::Sqlite(_) => id_list(ids).into(),
        Tx::Postgres(_) => postgres_list(ids).into(),
    }
}

/// Binds cells to a statement of either engine.
macro_rules! bound {
    ($text:expr, $cells:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($text));
        for cell in $cells {
            query = match cell {
                Cell::Int(value) => query.bind(value),
                Cell::Text(value) => query.bind(value),
                Cell::Bool(value) => query.bind(value),
                Cell::Float(value) => query.bind(value),
            };
        }
        query
    }};
}

async fn execute(tx: &mut Tx, text: String, cells: Vec<Cell>) -> Result<u64> {
    Ok(match tx {
        Tx::Sqlite(c) => bound!(text, cells).execute(&mut **c).await?.rows_affected(),
        Tx::Postgres(c) => bound!(text, cells).execute(&mut **c).await?.rows_affected(),
    })
}

/// Reads the columns of a row one after the other.
macro_rules! cells {
    ($row:expr, $kinds:expr) => {
        $kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                Ok(match kind {
                    Kind::Int => Cell::Int($row.try_get(index)?),
                    Kind::Text => Cell::Text($row.try_get(index)?),
                    Kind::Bool => Cell::Bool($row.try_get(index)?),
                    Kind::Float => Cell::Float($row.try_get(index)?),
                })
            })
            .collect::<std::result::Result<Vec<Cell>, sqlx::Error>>()
            .map_err(DbError::from)
    };
}

async fn fetch(tx: &mut Tx, text: String, cells: Vec<Cell>, kinds: Vec<Kind>) -> Result<Vec<Vec<Cell>>> {
    match tx {
        Tx::Sqlite(c) => {
            let rows = bound!(text, cells).fetch_all(&mut **c).await?;
            rows.iter().map(|row| cells!(row, kinds)).collect()
        }
        Tx::Postgres(c) => {
            let rows = bound!(text, cells).fetch_all(&mut **c).await?;
            rows.iter().map(|row| cells!(row, kinds)).collect()
        }
    }
}

/// Notes where new rows came from, many at a time.
pub(crate) async fn insert_origins(tx: &mut Tx, import: i64, noun: &str, origins: &[Origin]) -> Result<()> {
    let columns = ["import_id", "noun", "source_id", "row_id", "other_id", "digest"];
    for origins in origins.chunks(ROWS_AT_ONCE) {
        let text = insert_text("import_rows", columns.into_iter(), origins.len());
        let cells = origins.iter().flat_map(|origin| {
            [
                import.into(),
                noun.into(),
                origin.source_id.into(),
                origin.row_id.into(),
                origin.other_id.into(),
                origin.digest.clone().into(),
            ]
        });
        execute(tx, text, cells.collect()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::tables::TABLES;
    use super::*;
    use crate::Db;

    async fn every_statement_is_understood(url: &str) {
        let db = Db::open(url, 2).await.unwrap();
        for table in TABLES {
            let mut tx = db.begin().await.unwrap();
            assert!(
                table.read(&mut tx, &[1]).await.unwrap().is_empty(),
                "{}",
                table.name
            );
            table.move_on(&mut tx, 7).await.unwrap();
            let ids = table.new_ids(&mut tx, 2).await.unwrap();
            assert!(ids[0] > 7 && ids[1] == ids[0] + 1, "{}: {ids:?}", table.name);
            let nulls: Vec<Cell> = table
                .columns
                .iter()
                .map(|column| match column.kind {
                    Kind::Int => Cell::Int(None),
                    Kind::Text => Cell::Text(None),
                    Kind::Bool => Cell::Bool(None),
                    Kind::Float => Cell::Float(None),
                })
                .collect();
            assert_eq!(table.update(&mut tx, 1, &nulls).await.unwrap(), 0);
            for columns in table.unique {
                assert_eq!(table.find(&mut tx, columns, &nulls).await.unwrap(), None);
            }
            // Nothing but a missing value is wrong with it.
            let refused = table.insert_all(&mut tx, &[(1, &nulls)]).await;
            let text = refused.map_err(|error| error.to_string());
            let is_null = |text: &String| text.to_lowercase().contains("null");
            assert!(
                text.as_ref().err().is_none_or(is_null),
                "{}: {text:?}",
                table.name
            );
        }
    }

    #[tokio::test]
    async fn tables_are_described_as_they_are_on_both_engines() {
        let folder = tempfile::tempdir().unwrap();
        every_statement_is_understood(&format!("sqlite:{}", folder.path().join("t.db").display())).await;
        if let Some(scratch) = burgee_scratch::Scratch::new().await {
            every_statement_is_understood(&scratch).await;
        }
    }
}
