//! Arrow's columns as cells.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTemporalType, Date32Type, Date64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};

use crate::cell::Cell;

/// Gives the cell of a row.
pub(super) type Reader<'a> = Box<dyn Fn(usize) -> Cell + 'a>;

/// Reads a column; the reason when its type is none that traits or keys can be made of.
pub(super) fn reader<'a>(column: &'a ArrayRef, name: &str) -> Result<Reader<'a>, String> {
    let read = known(column).ok_or_else(|| {
        format!(
            "the column {name:?} is of type {}, which is not read; cast it to text in the statement",
            column.data_type()
        )
    })?;
    Ok(Box::new(move |row| {
        if column.is_null(row) {
            Cell::Null
        } else {
            read(row)
        }
    }))
}

fn known(column: &ArrayRef) -> Option<Reader<'_>> {
    Some(match column.data_type() {
        DataType::Null => Box::new(|_| Cell::Null),
        DataType::Boolean => {
            let values = column.as_boolean();
            Box::new(move |row| Cell::Bool(values.value(row)))
        }
        DataType::Int8 => whole::<Int8Type>(column),
        DataType::Int16 => whole::<Int16Type>(column),
        DataType::Int32 => whole::<Int32Type>(column),
        DataType::Int64 => whole::<Int64Type>(column),
        DataType::UInt8 => whole::<UInt8Type>(column),
        DataType::UInt16 => whole::<UInt16Type>(column),
        DataType::UInt32 => whole::<UInt32Type>(column),
        DataType::UInt64 => {
            let values = column.as_primitive::<UInt64Type>();
            Box::new(move |row| {
                let number = values.value(row);
                i64::try_from(number).map_or_else(|_| Cell::Text(number.to_string()), Cell::Int)
            })
        }
        DataType::Float16 => float::<Float16Type>(column),
        DataType::Float32 => float::<Float32Type>(column),
        DataType::Float64 => float::<Float64Type>(column),
        DataType::Decimal128(..) => {
            let values = column.as_primitive::<Decimal128Type>();
            Box::new(move |row| Cell::from_decimal(&values.value_as_string(row)))
        }
        DataType::Decimal256(..) => {
            let values = column.as_primitive::<Decimal256Type>();
            Box::new(move |row| Cell::from_decimal(&values.value_as_string(row)))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => text(column),
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => bytes(column),
        _ => return time(column),
    })
}

fn whole<T: ArrowPrimitiveType>(column: &ArrayRef) -> Reader<'_>
where
    T::Native: Into<i64>,
{
    let values = column.as_primitive::<T>();
    Box::new(move |row| Cell::Int(values.value(row).into()))
}

fn float<T: ArrowPrimitiveType>(column: &ArrayRef) -> Reader<'_>
where
    T::Native: ToString,
{
    let values = column.as_primitive::<T>();
    // By its shortest text: 0.1 as a small float is 0.1, and not what its bits come to as a large one.
    Box::new(move |row| Cell::Float(values.value(row).to_string().parse().unwrap_or(f64::NAN)))
}

fn text(column: &ArrayRef) -> Reader<'_> {
    match column.data_type() {
        DataType::LargeUtf8 => {
            let values = column.as_string::<i64>();
            Box::new(move |row| Cell::Text(values.value(row).to_owned()))
        }
        DataType::Utf8View => {
            let values = column.as_string_view();
            Box::new(move |row| Cell::Text(values.value(row).to_owned()))
        }
        _ => {
            let values = column.as_string::<i32>();
            Box::new(move |row| Cell::Text(values.value(row).to_owned()))
        }
    }
}

fn bytes(column: &ArrayRef) -> Reader<'_> {
    let shown = |bytes: &[u8]| Cell::Text(String::from_utf8_lossy(bytes).into_owned());
    match column.data_type() {
        DataType::LargeBinary => {
            let values = column.as_binary::<i64>();
            Box::new(move |row| shown(values.value(row)))
        }
        DataType::FixedSizeBinary(_) => {
            let values = column.as_fixed_size_binary();
            Box::new(move |row| shown(values.value(row)))
        }
        _ => {
            let values = column.as_binary::<i32>();
            Box::new(move |row| shown(values.value(row)))
        }
    }
}

fn time(column: &ArrayRef) -> Option<Reader<'_>> {
    Some(match column.data_type() {
        DataType::Date32 => date::<Date32Type>(column),
        DataType::Date64 => date::<Date64Type>(column),
        DataType::Time32(TimeUnit::Second) => clock::<Time32SecondType>(column),
        DataType::Time32(_) => clock::<Time32MillisecondType>(column),
        DataType::Time64(TimeUnit::Microsecond) => clock::<Time64MicrosecondType>(column),
        DataType::Time64(_) => clock::<Time64NanosecondType>(column),
        DataType::Timestamp(TimeUnit::Second, zone) => moment::<TimestampSecondType>(column, zone.is_some()),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            moment::<TimestampMillisecondType>(column, zone.is_some())
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            moment::<TimestampMicrosecondType>(column, zone.is_some())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            moment::<TimestampNanosecondType>(column, zone.is_some())
        }
        _ => return None,
    })
}

fn shown(value: Option<impl std::fmt::Display>) -> Cell {
    value.map_or(Cell::Null, |value| Cell::Text(value.to_string()))
}

fn date<T: ArrowTemporalType>(column: &ArrayRef) -> Reader<'_>
where
    i64: From<T::Native>,
{
    let values: &PrimitiveArray<T> = column.as_primitive();
    Box::new(move |row| shown(values.value_as_date(row)))
}

fn clock<T: ArrowTemporalType>(column: &ArrayRef) -> Reader<'_>
where
    i64: From<T::Native>,
{
    let values: &PrimitiveArray<T> = column.as_primitive();
    Box::new(move |row| shown(values.value_as_time(row)))
}

/// As Postgres writes it: with its offset where there is a zone.
fn moment<T: ArrowTemporalType>(column: &ArrayRef, zoned: bool) -> Reader<'_>
where
    i64: From<T::Native>,
{
    let values: &PrimitiveArray<T> = column.as_primitive();
    Box::new(move |row| match shown(values.value_as_datetime(row)) {
        Cell::Text(text) if zoned => Cell::Text(format!("{text}+00")),
        other => other,
    })
}
