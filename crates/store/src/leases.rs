//! Which node carries out a schedule.

use crate::{Result, Tx, row, sql};

row! {
    /// A schedule that a node carries out.
    pub struct Lease {
        pub name: String,
        /// Names a run of the program.
        pub holder: String,
        pub until: i64,
    }
}

/// Takes, or renews, those of these leases that nobody else holds. Their names.
pub async fn take(
    tx: &mut Tx,
    names: &[&str],
    holder: &str,
    (now, until): (i64, i64),
) -> Result<Vec<String>> {
    let names = serde_json::to_string(names).unwrap_or_default();
    let rows: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        sqlite: "INSERT INTO leases (name, holder, until)
                 SELECT value, $2, $3 FROM json_each($1) WHERE TRUE ORDER BY value
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                     WHERE leases.holder = excluded.holder OR leases.until < $4
                 RETURNING name",
        postgres: "INSERT INTO leases (name, holder, until)
                   SELECT value, $2, $3 FROM json_array_elements_text(CAST($1 AS JSON)) ORDER BY value
                   ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                       WHERE leases.holder = excluded.holder OR leases.until < $4
                   RETURNING name",
        names,
        holder,
        until,
        now
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Gives back everything a holder holds.
pub async fn release(tx: &mut Tx, holder: &str) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM leases WHERE holder = $1", holder)
}

/// Every lease.
pub async fn list(tx: &mut Tx) -> Result<Vec<Lease>> {
    sql!(tx, fetch_all as Lease, "SELECT * FROM leases ORDER BY name")
}
