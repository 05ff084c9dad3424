//! What the program and the process of a driver say to each other: questions as lines of JSON, answers as frames.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::source::Row;

/// A longer frame is a mistake.
const LONGEST: u32 = 256 << 20;

/// What a driver is asked to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Connect {
        library: PathBuf,
        entrypoint: Option<String>,
        options: BTreeMap<String, String>,
        read_only: bool,
    },
    Query(String),
    Execute(String),
}

/// What it answers.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    Columns(Vec<String>),
    Rows(Vec<Row>),
    Done,
    Error(String),
}

const COLUMNS: u8 = 0;
const ROWS: u8 = 1;
const DONE: u8 = 2;
const ERROR: u8 = 3;

/// Writes a cell of a frame of rows.
#[cfg(any(feature = "adbc", test))]
pub(super) fn write_cell(out: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => out.push(0),
        Cell::Bool(truth) => out.extend([1, u8::from(*truth)]),
        Cell::Int(number) => {
            out.push(2);
            out.extend(number.to_le_bytes());
        }
        Cell::Float(number) => {
            out.push(3);
            out.extend(number.to_le_bytes());
        }
        Cell::Text(text) => {
            out.push(4);
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
        }
    }
}

fn write(out: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    out.write_all(&(body.len() as u32).to_le_bytes())?;
    out.write_all(&[kind])?;
    out.write_all(body)?;
    out.flush()
}

/// Writes rows whose cells were written with [`write_cell`].
#[cfg(any(feature = "adbc", test))]
pub(super) fn write_rows(out: &mut impl Write, cells: &[u8]) -> io::Result<()> {
    write(out, ROWS, cells)
}

/// Writes the names of columns.
#[cfg(any(feature = "adbc", test))]
pub(super) fn write_columns(out: &mut impl Write, columns: &[String]) -> io::Result<()> {
    write(out, COLUMNS, &serde_json::to_vec(columns)?)
}

/// Writes that all is done, or why it is not.
pub(super) fn write_end(out: &mut impl Write, outcome: Result<(), String>) -> io::Result<()> {
    match outcome {
        Ok(()) => write(out, DONE, &[]),
        Err(error) => write(out, ERROR, error.as_bytes()),
    }
}

/// Reads a frame; its rows have so many columns.
pub(super) fn read(input: &mut impl Read, columns: usize) -> io::Result<Frame> {
    let mut head = [0; 5];
    input.read_exact(&mut head)?;
    let [a, b, c, d, kind] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length as usize];
    input.read_exact(&mut body)?;
    match kind {
        COLUMNS => Ok(Frame::Columns(serde_json::from_slice(&body)?)),
        ROWS => rows(&body, columns)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
            .map(Frame::Rows),
        DONE => Ok(Frame::Done),
        ERROR => Ok(Frame::Error(String::from_utf8_lossy(&body).into_owned())),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn rows(mut body: &[u8], columns: usize) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !body.is_empty() {
        let mut row = Vec::with_capacity(columns);
        for _ in 0..columns.max(1) {
            row.push(cell(&mut body)?);
        }
        rows.push(row);
    }
    Some(rows)
}

fn cell(body: &mut &[u8]) -> Option<Cell> {
    fn take<'a>(body: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = body.split_at_checked(length)?;
        *body = rest;
        Some(taken)
    }
    Some(match take(body, 1)?[0] {
        0 => Cell::Null,
        1 => Cell::Bool(take(body, 1)?[0] != 0),
        2 => Cell::Int(i64::from_le_bytes(take(body, 8)?.try_into().ok()?)),
        3 => Cell::Float(f64::from_le_bytes(take(body, 8)?.try_into().ok()?)),
        4 => {
            let length = u32::from_le_bytes(take(body, 4)?.try_into().ok()?);
            Cell::Text(std::str::from_utf8(take(body, length as usize)?).ok()?.to_owned())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_are_read_as_they_were_written() {
        let row = [
            Cell::Null,
            Cell::Bool(true),
            Cell::Int(-7),
            Cell::Float(1.5),
            Cell::Text("ä\n".to_owned()),
        ];
        let mut cells = Vec::new();
        row.iter()
            .chain(&row)
            .for_each(|cell| write_cell(&mut cells, cell));
        let mut out = Vec::new();
        write_columns(&mut out, &["a".to_owned()]).unwrap();
        write_rows(&mut out, &cells).unwrap();
        write_end(&mut out, Err("no".to_owned())).unwrap();
        write_end(&mut out, Ok(())).unwrap();
        let mut input = out.as_slice();
        assert_eq!(read(&mut input, 5).unwrap(), Frame::Columns(vec!["a".to_owned()]));
        assert_eq!(
            read(&mut input, 5).unwrap(),
            Frame::Rows(vec![row.to_vec(), row.to_vec()])
        );
        assert_eq!(read(&mut input, 5).unwrap(), Frame::Error("no".to_owned()));
        assert_eq!(read(&mut input, 5).unwrap(), Frame::Done);
        assert!(read(&mut input, 5).is_err(), "there is no more");
    }

    proptest! {
        #[test]
        fn nonsense_is_an_error_and_never_a_panic(bytes: Vec<u8>, columns in 0_usize..9) {
            let _ = read(&mut bytes.as_slice(), columns);
            let _ = rows(&bytes, columns);
        }
    }
}
