//! A connection to a warehouse: statements one after the other.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::Reach;
use crate::error::{Result, SyncError};
use crate::source::{Row, adbc, postgres};

/// A connection.
#[derive(Debug)]
pub(super) enum Session {
    Postgres(PgConnection),
    /// `None` while a thread has it, and after one that had it has died.
    Adbc(Option<adbc::Session>),
}

impl Session {
    pub(super) async fn connect(reach: &Reach) -> Result<Self> {
        match reach {
            Reach::Postgres { url, public_only } => {
                let mut connection = postgres::connect(url, *public_only).await?;
                postgres::same_texts(&mut connection, false).await?;
                Ok(Self::Postgres(connection))
            }
            Reach::Adbc(settings) => {
                let settings = settings.clone();
                let connected = tokio::task::spawn_blocking(move || adbc::Session::connect(&settings, false));
                let session = connected
                    .await
                    .map_err(|error| SyncError::Source(error.to_string()))??;
                Ok(Self::Adbc(Some(session)))
            }
        }
    }

    /// Runs a statement whose result is of no interest.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Postgres(connection) => {
                let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
                let done = sqlx::raw_sql(sql).execute(connection).await;
                done.map(drop).map_err(|error| postgres::told(&error))
            }
            Self::Adbc(session) => {
                let sql = sql.to_owned();
                with(session, move |session| session.execute(&sql)).await
            }
        }
    }

    /// All rows of a statement whose result is known to be small.
    pub(super) async fn rows(&mut self, sql: &str) -> Result<Vec<Row>> {
        match self {
            Self::Postgres(connection) => postgres::all(connection, sql).await,
            Self::Adbc(session) => {
                let sql = sql.to_owned();
                with(session, move |session| {
                    session.query(&sql)?;
                    let mut all = Vec::new();
                    while let Some(rows) = session.rows()? {
                        all.extend(rows);
                    }
                    Ok(all)
                })
                .await
            }
        }
    }
}

/// Drivers block: what they do, they do on a thread that may.
async fn with<T: Send + 'static>(
    place: &mut Option<adbc::Session>,
    act: impl FnOnce(&mut adbc::Session) -> Result<T> + Send + 'static,
) -> Result<T> {
    let gone = || SyncError::Source("the driver's process is gone".to_owned());
    let mut session = place.take().ok_or_else(gone)?;
    let acted = tokio::task::spawn_blocking(move || {
        let outcome = act(&mut session);
        (session, outcome)
    });
    let (session, outcome) = acted
        .await
        .map_err(|error| SyncError::Source(error.to_string()))?;
    *place = Some(session);
    outcome
}
