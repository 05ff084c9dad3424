//! Parquet files, row by row: the reader without Arrow, which is a third of the code to build.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;

use super::{Loads, RowStream};
use crate::cell::Cell;
use crate::error::{Result, SyncError};

/// Begins to read a file. Fails at once when it is no Parquet file.
pub(super) fn start(path: &Path) -> Result<RowStream> {
    let name = path.display().to_string();
    let told = move |error: &dyn std::fmt::Display| SyncError::Source(format!("{name}: {error}"));
    let file = File::open(path).map_err(|error| told(&error))?;
    let reader = SerializedFileReader::new(file).map_err(|error| told(&error))?;
    let schema = reader.metadata().file_metadata().schema();
    let columns = schema
        .get_fields()
        .iter()
        .map(|field| field.name().to_owned())
        .collect();
    let (mut loads, rows) = Loads::new();
    tokio::task::spawn_blocking(move || {
        for row in RowIter::from_file_into(Box::new(reader)) {
            let row = match row {
                Ok(row) => row,
                Err(error) => return loads.end_blocking(Err(told(&error))),
            };
            let cells = row.into_columns().into_iter().map(|(_, field)| cell(field));
            if !loads.push_blocking(cells.collect()) {
                return;
            }
        }
        loads.end_blocking(Ok(()));
    });
    Ok(RowStream { columns, rows })
}

fn cell(field: Field) -> Cell {
    match field {
        Field::Null => Cell::Null,
        Field::Bool(truth) => Cell::Bool(truth),
        Field::Byte(number) => Cell::Int(number.into()),
        Field::Short(number) => Cell::Int(number.into()),
        Field::Int(number) => Cell::Int(number.into()),
        Field::Long(number) => Cell::Int(number),
        Field::UByte(number) => Cell::Int(number.into()),
        Field::UShort(number) => Cell::Int(number.into()),
        Field::UInt(number) => Cell::Int(number.into()),
        Field::ULong(number) => {
            i64::try_from(number).map_or_else(|_| Cell::Text(number.to_string()), Cell::Int)
        }
        // By its shortest text: 0.1 as a small float is 0.1, and not what its bits come to as a large one.
        Field::Float(number) => Cell::Float(number.to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(number) => Cell::Float(number),
        Field::Str(text) => Cell::Text(text),
        Field::Bytes(bytes) => Cell::Text(String::from_utf8_lossy(bytes.data()).into_owned()),
        decimal @ Field::Decimal(_) => Cell::from_decimal(&decimal.to_string()),
        // Times, and lists and structures in the notation of the library: they can be keys of nothing.
        other => Cell::Text(other.to_string()),
    }
}
