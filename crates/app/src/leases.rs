//! Leases on schedules, so that one node of several carries each out.

use burgee_model::Timestamp;
use burgee_store::leases;

pub use burgee_store::leases::Lease;

use crate::{App, Result};

/// How long a lease holds. A node that dies is followed by another one after this time at the latest.
pub const HOLDS_MICROS: i64 = 10_000_000;

/// Takes, or renews, those of these leases that no other node holds. Their names.
///
/// An SQLite file has no other nodes: all of them are held, and nothing is written down.
pub async fn take(app: &App, names: &[&str], holder: &str) -> Result<Vec<String>> {
    if !app.db().has_other_nodes() {
        return Ok(names.iter().map(|&name| name.to_owned()).collect());
    }
    let mut tx = app.db().begin().await?;
    let now = Timestamp::now().0;
    let held = leases::take(&mut tx, names, holder, (now, now + HOLDS_MICROS)).await?;
    tx.commit().await?;
    Ok(held)
}

/// Gives back everything a node holds, so that another one need not wait.
pub async fn release(app: &App, holder: &str) -> Result<()> {
    if app.db().has_other_nodes() {
        let mut tx = app.db().begin().await?;
        leases::release(&mut tx, holder).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Every lease. For whoever runs the installation.
pub async fn list(app: &App) -> Result<Vec<Lease>> {
    let mut tx = app.db().read().await?;
    Ok(leases::list(&mut tx).await?)
}
