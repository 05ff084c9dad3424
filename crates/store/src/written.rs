//! Which tables a transaction has written to. Debug builds ask, to find writes that the change log does not tell of.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Db, Result, Tx, sql};

/// The tables that SQLite's one writer has written to since it was asked to note them anew.
#[derive(Debug, Clone, Default)]
pub struct Written(Arc<Mutex<BTreeSet<String>>>);

impl Written {
    /// Lets a connection tell of each row it writes, those included that go because of a foreign key.
    pub(crate) async fn watch(
        &self,
        connection: &mut sqlx::SqliteConnection,
    ) -> std::result::Result<(), sqlx::Error> {
        let written = self.0.clone();
        connection.lock_handle().await?.set_update_hook(move |change| {
            let mut tables = written.lock().unwrap_or_else(PoisonError::into_inner);
            // Where SQLite itself keeps which numbers were given out.
            if !change.table.starts_with("sqlite_") && !tables.contains(change.table) {
                tables.insert(change.table.to_owned());
            }
        });
        Ok(())
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// To be called as a transaction begins: what was written before is none of its doing.
pub async fn begin(db: &Db, tx: &mut Tx) -> Result<()> {
    if let Db::Sqlite { written, .. } = db {
        written.take();
        return Ok(());
    }
    // Postgres counts by session, and forgets only now and then.
    sql!(
        tx,
        execute,
        sqlite: "SELECT CAST('' AS TEXT) AS noted",
        postgres: "SELECT set_config('burgee.written_before',
                (SELECT CAST(COALESCE(json_object_agg(relname, n_tup_ins + n_tup_upd + n_tup_del), '{}') AS TEXT)
                 FROM pg_stat_xact_user_tables), TRUE) AS noted"
    )?;
    Ok(())
}

/// The tables this transaction has written to since [`begin`].
pub async fn tables(db: &Db, tx: &mut Tx) -> Result<BTreeSet<String>> {
    if let Db::Sqlite { written, .. } = db {
        return Ok(written.take());
    }
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        sqlite: "SELECT CAST('' AS TEXT) AS name WHERE 1 = 0",
        postgres: "SELECT CAST(relname AS TEXT) AS name FROM pg_stat_xact_user_tables
                   WHERE NULLIF(current_setting('burgee.written_before', TRUE), '') IS NOT NULL
                     AND n_tup_ins + n_tup_upd + n_tup_del > COALESCE(CAST(
                         CAST(NULLIF(current_setting('burgee.written_before', TRUE), '') AS JSON)
                             ->> CAST(relname AS TEXT) AS BIGINT), 0)
                   ORDER BY relname"
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Every table there is.
pub async fn all_tables(tx: &mut Tx) -> Result<BTreeSet<String>> {
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        sqlite: "SELECT name FROM sqlite_master
                 WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%' ORDER BY name",
        postgres: "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
                   WHERE table_schema = 'public' AND table_name NOT LIKE '_sqlx_%' ORDER BY table_name"
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}
