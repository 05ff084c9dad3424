//! Answers to Flux queries: CSV with annotations, one table after the other, each with columns of its own.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

/// A row, by the names of its columns. Columns without a value are left out.
pub(super) type Row = HashMap<String, String>;

/// The table that the rows belong to: its columns, and what they hold where a row says nothing.
#[derive(Debug, Default)]
struct Table {
    defaults: Option<StringRecord>,
    columns: Option<StringRecord>,
}

/// Reads all rows of all tables.
///
/// # Errors
/// In words, when the answer is none or tells of an error in its middle, where no status could.
pub(super) fn rows(answer: &[u8]) -> Result<Vec<Row>, String> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(answer);
    let (mut table, mut rows) = (Table::default(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        match record.get(0).unwrap_or_default() {
            "#datatype" => table = Table::default(),
            "#default" => table.defaults = Some(record),
            annotation if annotation.starts_with('#') => {}
            _ if table.columns.is_none() => table.columns = Some(record),
            _ => rows.push(row(&table, &record)?),
        }
    }
    Ok(rows)
}

fn row(table: &Table, record: &StringRecord) -> Result<Row, String> {
    let columns = table.columns.as_ref().ok_or("a row without a header")?;
    if record.len() != columns.len() {
        return Err(format!("a row of {} for {} columns", record.len(), columns.len()));
    }
    let default = |column: usize| {
        let defaults = table.defaults.as_ref()?;
        defaults.get(column)
    };
    let cells = columns.iter().enumerate().filter_map(|(column, name)| {
        let given = record.get(column).filter(|value| !value.is_empty());
        let value = given.or_else(|| default(column)).unwrap_or_default();
        (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    });
    let row: Row = cells.collect();
    match row.get("error") {
        Some(error) => Err(error.clone()),
        None => Ok(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_with_different_columns_follow_each_other() {
        let answer = "#datatype,string,long,dateTime:RFC3339,long,string\r\n#group,false,false,false,false,true\r\n\
            #default,_result,,,,\r\n,result,table,_time,_value,resource\r\n,,0,2026-11-21T00:00:00Z,5,flags\r\n\
            ,,1,2026-11-21T00:00:00Z,7,\"tra,its\"\r\n\r\n\
            #datatype,string,long,long,string\r\n#group,false,false,false,true\r\n#default,_result,,,\r\n\
            ,result,table,_value,user_agent\r\n,,2,1,\r\n\r\n";
        let rows = rows(answer.as_bytes()).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(
            (rows[0]["resource"].as_str(), rows[0]["_value"].as_str()),
            ("flags", "5")
        );
        assert_eq!(rows[1]["resource"], "tra,its");
        assert_eq!((rows[2].get("resource"), rows[2].get("user_agent")), (None, None));
        assert_eq!(rows[2]["result"], "_result");
    }

    #[test]
    fn nothing_is_no_rows() {
        assert_eq!(rows(b"").unwrap(), Vec::<Row>::new());
        assert_eq!(rows(b"\r\n").unwrap(), Vec::<Row>::new());
    }

    #[test]
    fn an_error_in_the_middle_is_one() {
        let answer = "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,too many series,897\r\n";
        assert_eq!(rows(answer.as_bytes()).unwrap_err(), "too many series");
        assert!(rows(b"#datatype,string\r\n,a,b\r\n,1\r\n").is_err());
    }
}
