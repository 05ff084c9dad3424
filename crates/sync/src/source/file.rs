//! Files of rows: CSV with a header line, and JSON documents line by line, each also compressed with gzip; Parquet.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use super::{Loads, Row, RowStream};
use crate::cell::Cell;
use crate::error::{Result, SyncError};

/// The longest line of JSON that is read.
const LONGEST_LINE: u64 = 16 << 20;

/// How many lines of JSON are looked at to learn the columns.
const LINES_FOR_COLUMNS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
    Parquet,
}

/// Opens a file by its name.
pub(super) async fn open(path: &Path) -> Result<RowStream> {
    let path = path.to_owned();
    let task = tokio::task::spawn_blocking(move || start(path));
    task.await.map_err(|error| SyncError::Source(error.to_string()))?
}

fn start(path: PathBuf) -> Result<RowStream> {
    let format = format_of(&path)?;
    if format == Format::Parquet {
        return super::parquet::start(&path);
    }
    let told = |error: std::io::Error| SyncError::Source(format!("{}: {error}", path.display()));
    let file = File::open(&path).map_err(told)?;
    let plain: Box<dyn Read + Send> = match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("gz") => {
            Box::new(MultiGzDecoder::new(BufReader::new(file)))
        }
        _ => Box::new(file),
    };
    match format {
        Format::Csv => csv_rows(path, plain),
        Format::Ndjson | Format::Parquet => json_rows(path, BufReader::with_capacity(1 << 16, plain)),
    }
}

fn format_of(path: &Path) -> Result<Format> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    if matches!(name.rsplit_once('.'), Some((_, "parquet"))) {
        return Ok(Format::Parquet);
    }
    match name.trim_end_matches(".gz").rsplit_once('.') {
        Some((_, "csv")) => Ok(Format::Csv),
        Some((_, "ndjson" | "jsonl")) => Ok(Format::Ndjson),
        _ => Err(SyncError::config(
            "file",
            format!("{name:?} is none of .csv, .ndjson, .jsonl (each also with .gz) and .parquet"),
        )),
    }
}

fn csv_rows(path: PathBuf, plain: Box<dyn Read + Send>) -> Result<RowStream> {
    let mut reader = csv::ReaderBuilder::new()
        .buffer_capacity(1 << 16)
        .from_reader(plain);
    let told = move |error: csv::Error| SyncError::Source(format!("{}: {error}", path.display()));
    let header = reader.headers().map_err(&told)?;
    // Spreadsheets put a mark before the first name.
    let columns = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').to_owned())
        .collect();
    let (mut loads, rows) = Loads::new();
    tokio::task::spawn_blocking(move || {
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {
                    if !loads.push_blocking(record.iter().map(typed).collect()) {
                        return;
                    }
                }
                Ok(false) => return loads.end_blocking(Ok(())),
                Err(error) => return loads.end_blocking(Err(told(error))),
            }
        }
    });
    Ok(RowStream { columns, rows })
}

/// A text of a CSV file as the value it is the usual way to write: `7` is a number, `007` and `1.50` are texts.
fn typed(text: &str) -> Cell {
    match text {
        "" => return Cell::Null,
        "true" => return Cell::Bool(true),
        "false" => return Cell::Bool(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Cell::Int(number);
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && let Ok(number) = text.parse::<f64>()
        && number.to_string() == text
    {
        return Cell::Float(number);
    }
    Cell::Text(text.to_owned())
}

type Document = Map<String, Value>;

fn json_rows(path: PathBuf, mut reader: impl BufRead + Send + 'static) -> Result<RowStream> {
    let mut line = 0;
    let mut first = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    while first.len() < LINES_FOR_COLUMNS
        && let Some(document) = next_document(&path, &mut reader, &mut line)?
    {
        for name in document.keys() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        first.push(document);
    }
    let places: HashMap<String, usize> = columns
        .iter()
        .cloned()
        .enumerate()
        .map(|(n, name)| (name, n))
        .collect();
    let (mut loads, rows) = Loads::new();
    tokio::task::spawn_blocking(move || {
        for document in first {
            if !loads.push_blocking(row_of(document, &places)) {
                return;
            }
        }
        loop {
            match next_document(&path, &mut reader, &mut line) {
                Ok(Some(document)) => {
                    if !loads.push_blocking(row_of(document, &places)) {
                        return;
                    }
                }
                Ok(None) => return loads.end_blocking(Ok(())),
                Err(error) => return loads.end_blocking(Err(error)),
            }
        }
    });
    Ok(RowStream { columns, rows })
}

/// Names that the first lines did not have are left out: nothing can be mapped from them.
fn row_of(document: Document, places: &HashMap<String, usize>) -> Row {
    let mut row = vec![Cell::Null; places.len()];
    for (name, value) in document {
        if let Some(&place) = places.get(&name) {
            row[place] = Cell::from_json(value);
        }
    }
    row
}

fn next_document(path: &Path, reader: &mut impl BufRead, number: &mut u64) -> Result<Option<Document>> {
    let told = |number: u64, problem: String| {
        SyncError::Source(format!("{}, line {number}: {problem}", path.display()))
    };
    loop {
        let mut line = Vec::new();
        *number += 1;
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(|error| told(*number, error.to_string()))? == 0 {
            return Ok(None);
        }
        if line.len() as u64 == LONGEST_LINE {
            return Err(told(*number, "the line is too long".to_owned()));
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let document: std::result::Result<Document, _> = serde_json::from_slice(line);
        return document
            .map(Some)
            .map_err(|error| told(*number, format!("no JSON object: {error}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_csv_become_what_they_are_the_usual_way_to_write() {
        let cases = [
            ("", Cell::Null),
            ("true", Cell::Bool(true)),
            ("True", Cell::Text("True".into())),
            ("7", Cell::Int(7)),
            ("-7", Cell::Int(-7)),
            ("007", Cell::Text("007".into())),
            ("+7", Cell::Text("+7".into())),
            ("1.5", Cell::Float(1.5)),
            ("1.50", Cell::Text("1.50".into())),
            ("9223372036854775808", Cell::Text("9223372036854775808".into())),
            ("NaN", Cell::Text("NaN".into())),
            ("1e3", Cell::Text("1e3".into())),
        ];
        for (text, cell) in cases {
            assert_eq!(typed(text), cell, "{text}");
        }
    }
}
