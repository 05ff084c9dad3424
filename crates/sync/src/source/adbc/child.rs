//! The process that a driver is loaded in: asked on standard input, answering on standard output.

use std::io::{BufRead as _, Write};
use std::process::ExitCode;

use super::wire::{self, Ask};

/// Serves one session, until its standard input ends.
pub fn run() -> ExitCode {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut driver = None;
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let outcome = match serde_json::from_str(&line) {
            Ok(ask) => answer(ask, &mut driver, &mut out),
            Err(error) => Err(error.to_string()),
        };
        if wire::write_end(&mut out, outcome).is_err() {
            // Nobody wants to know any more.
            break;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(not(feature = "adbc"))]
fn answer(_: Ask, _: &mut Option<()>, _: &mut impl Write) -> Result<(), String> {
    Err("this program was built without ADBC (the feature `adbc`)".to_owned())
}

#[cfg(feature = "adbc")]
fn answer(ask: Ask, driver: &mut Option<loaded::Loaded>, out: &mut impl Write) -> Result<(), String> {
    match (ask, driver) {
        (
            Ask::Connect {
                library,
                entrypoint,
                options,
                read_only,
            },
            driver,
        ) => {
            *driver = Some(loaded::Loaded::connect(
                &library,
                entrypoint.as_deref(),
                options,
                read_only,
            )?);
            Ok(())
        }
        (_, None) => Err("not connected".to_owned()),
        (Ask::Query(sql), Some(driver)) => driver.query(&sql, out),
        (Ask::Execute(sql), Some(driver)) => driver.execute(&sql),
    }
}

#[cfg(feature = "adbc")]
mod loaded {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::path::Path;

    use adbc_core::options::{AdbcVersion, OptionConnection, OptionDatabase, OptionValue};
    use adbc_core::{Connection as _, Database as _, Driver as _, Optionable as _, Statement as _};
    use adbc_driver_manager::{ManagedConnection, ManagedDriver};

    use super::super::{cells, wire};

    /// About so many bytes of rows travel together.
    const FRAME: usize = 256 << 10;

    /// A driver with a connection.
    pub(super) struct Loaded {
        connection: ManagedConnection,
    }

    fn told(error: impl std::fmt::Display) -> String {
        error.to_string()
    }

    impl Loaded {
        pub(super) fn connect(
            library: &Path,
            entrypoint: Option<&str>,
            options: BTreeMap<String, String>,
            read_only: bool,
        ) -> Result<Self, String> {
            let name = library.file_name().unwrap_or_default().to_string_lossy();
            // The one well-known library that is not named after its entry point.
            let usual = name.contains("duckdb").then_some("duckdb_adbc_init");
            let entrypoint = entrypoint.or(usual).map(str::as_bytes);
            let mut driver =
                ManagedDriver::load_dynamic_from_filename(library, entrypoint, AdbcVersion::V100)
                    .map_err(told)?;
            let options = options.into_iter().map(|(name, value)| {
                let option = match name.as_str() {
                    "uri" => OptionDatabase::Uri,
                    "username" => OptionDatabase::Username,
                    "password" => OptionDatabase::Password,
                    _ => OptionDatabase::Other(name),
                };
                (option, OptionValue::String(value))
            });
            let database = driver.new_database_with_opts(options).map_err(told)?;
            let mut connection = database.new_connection().map_err(told)?;
            if read_only {
                // Not every driver knows how; the role that is used should not be able to write anyway.
                let wish = OptionValue::String("true".to_owned());
                _ = connection.set_option(OptionConnection::ReadOnly, wish);
            }
            Ok(Self { connection })
        }

        pub(super) fn execute(&mut self, sql: &str) -> Result<(), String> {
            let mut statement = self.connection.new_statement().map_err(told)?;
            statement.set_sql_query(sql).map_err(told)?;
            statement.execute_update().map_err(told)?;
            Ok(())
        }

        pub(super) fn query(&mut self, sql: &str, out: &mut impl Write) -> Result<(), String> {
            let mut statement = self.connection.new_statement().map_err(told)?;
            statement.set_sql_query(sql).map_err(told)?;
            let batches = statement.execute().map_err(told)?;
            let schema = batches.schema();
            let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            wire::write_columns(out, &columns).map_err(told)?;
            let mut frame = Vec::with_capacity(FRAME);
            for batch in batches {
                let batch = batch.map_err(told)?;
                let readers: Vec<cells::Reader<'_>> = batch
                    .columns()
                    .iter()
                    .zip(&columns)
                    .map(|(column, name)| cells::reader(column, name))
                    .collect::<Result<_, _>>()?;
                for row in 0..batch.num_rows() {
                    for reader in &readers {
                        wire::write_cell(&mut frame, &reader(row));
                    }
                    if frame.len() >= FRAME {
                        wire::write_rows(out, &frame).map_err(told)?;
                        frame.clear();
                    }
                }
            }
            if frame.is_empty() {
                Ok(())
            } else {
                wire::write_rows(out, &frame).map_err(told)
            }
        }
    }
}
