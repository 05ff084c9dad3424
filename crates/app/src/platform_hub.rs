//! Sums over the organisations that somebody administers; over all of them for a superuser.

use burgee_model::Timestamp;
use burgee_store::{Tx, organisations, platform_hub};

pub use burgee_store::platform_hub::{DayOfUsage, OrganisationSums, Staleness};

use crate::{Caller, Result};

/// Days that usage is shown for.
pub const DAYS: i64 = 30;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The organisations whose sums somebody sees.
async fn administered(tx: &mut Tx, caller: &Caller) -> Result<Vec<i64>> {
    if caller.user().is_ok_and(|user| user.is_superuser) {
        let all = organisations::all(tx).await?;
        return Ok(all.into_iter().map(|organisation| organisation.id).collect());
    }
    crate::organisations::administered(tx, caller).await
}

fn since() -> i64 {
    Timestamp::now().0 - DAYS * DAY
}

/// What each organisation has of everything.
pub async fn sums(tx: &mut Tx, caller: &Caller) -> Result<Vec<OrganisationSums>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::sums(tx, &ids, since()).await?)
}

/// The calls of SDKs, by day and resource.
pub async fn usage(tx: &mut Tx, caller: &Caller) -> Result<Vec<DayOfUsage>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::usage(tx, &ids, since()).await?)
}

/// How many features are stale, by project.
pub async fn staleness(tx: &mut Tx, caller: &Caller) -> Result<Vec<Staleness>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::staleness(tx, &ids).await?)
}
