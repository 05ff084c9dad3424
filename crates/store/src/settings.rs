//! Settings the installation keeps for itself.

use crate::{Result, Tx, sql};

/// The value of a setting, if it has one.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = sql!(
        tx,
        fetch_optional as (String,),
        "SELECT value FROM settings WHERE name = $1",
        name
    )?;
    Ok(row.map(|(value,)| value))
}

/// The value of a setting; when it has none, it is given this one.
pub async fn get_or_set(tx: &mut Tx, name: &str, value: &str) -> Result<String> {
    sql!(
        tx,
        execute,
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        value
    )?;
    let (value,): (String,) = sql!(
        tx,
        fetch_one as (String,),
        "SELECT value FROM settings WHERE name = $1",
        name
    )?;
    Ok(value)
}

/// Gives a setting this value, whatever it had.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value
    )?;
    Ok(())
}
