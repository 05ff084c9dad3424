//! When syncs run by themselves.
//!
//! A tick that was missed, because no process was up, is made good by one run, however many were missed. A sync whose
//! run before is still under way is passed over, which is written down.

use burgee_model::Timestamp;
use burgee_store::audience_sync_objects::{self as objects, AudienceSyncObject};
use burgee_store::audience_sync_runs;
use burgee_sync::config::Schedule;
use serde_json::Value;

use super::{alerts, runs};
use crate::{App, Error, Result};

/// When a new or changed sync runs first; what its schedule had planned stays while that is the same.
pub(super) fn first_run(
    before: Option<&(AudienceSyncObject, Value)>,
    content: &Value,
    now: Timestamp,
) -> Result<Option<i64>> {
    let same = |name: &str| before.is_some_and(|(_, before)| before.get(name) == content.get(name));
    if let (Some((row, _)), true, true) = (before, same("schedule"), same("enabled")) {
        return Ok(row.due_at);
    }
    if content.get("enabled") == Some(&Value::Bool(false)) {
        return Ok(None);
    }
    let schedule = match content.get("schedule") {
        None | Some(Value::Null) => return Ok(None),
        Some(schedule) => schedule,
    };
    let schedule: Schedule = serde_json::from_value(schedule.clone())
        .map_err(|error| Error::field("schedule", error.to_string()))?;
    if schedule.every_minutes.is_some() {
        return Ok(Some(now.0));
    }
    next(&schedule, now.0, now)
}

/// When a schedule has its next run after now, if time decides that.
fn next(schedule: &Schedule, due: i64, now: Timestamp) -> Result<Option<i64>> {
    if let Some(minutes) = schedule.every_minutes {
        let step = i64::from(minutes) * 60_000_000;
        let missed = (now.0 - due).max(0) / step;
        return Ok(Some(due + (missed + 1) * step));
    }
    let after = schedule
        .next_by_clock(now.0)
        .map_err(|error| Error::field("schedule", error.to_string()))?;
    Ok(after)
}

/// Runs what is due on this node, and takes up what a process that ended left undone.
pub async fn run_due(app: &App) -> Result<()> {
    let now = Timestamp::now();
    let mut tx = app.db().read().await?;
    let due = objects::due(&mut tx, now.0).await?;
    let abandoned = audience_sync_runs::abandoned(&mut tx, now.0).await?;
    drop(tx);
    for id in abandoned {
        let mut tx = app.db().begin().await?;
        objects::set_due(&mut tx, id, Some(now.0)).await?;
        tx.commit().await?;
    }
    for sync in due {
        let Some(slot) = runs::free_slot(app) else {
            // Whatever is due stays due; another node may have room.
            return Ok(());
        };
        if let Some(due_at) = sync.due_at
            && claim(app, &sync, due_at, now).await?
        {
            runs::run_scheduled(app, &sync, slot).await?;
        }
    }
    alerts::tell_of_stale(app, now).await
}

async fn claim(app: &App, sync: &AudienceSyncObject, due_at: i64, now: Timestamp) -> Result<bool> {
    let content: Value = serde_json::from_str(&sync.content).unwrap_or_default();
    let schedule = content
        .get("schedule")
        .cloned()
        .and_then(|schedule| serde_json::from_value::<Schedule>(schedule).ok());
    let next = match schedule {
        Some(schedule) => next(&schedule, due_at, now)?,
        None => None,
    };
    let mut tx = app.db().begin().await?;
    let claimed = objects::claim(&mut tx, sync.id, due_at, next).await?;
    tx.commit().await?;
    Ok(claimed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn every(minutes: u32) -> Schedule {
        Schedule {
            every_minutes: Some(minutes),
            ..Schedule::default()
        }
    }

    #[test]
    fn missed_ticks_are_made_good_by_one_run_and_the_beat_stays() {
        let due = 1_000 * MINUTE;
        assert_eq!(
            next(&every(15), due, Timestamp(due)).unwrap(),
            Some(due + 15 * MINUTE)
        );
        assert_eq!(
            next(&every(15), due, Timestamp(due + 47 * MINUTE)).unwrap(),
            Some(due + 60 * MINUTE)
        );
    }
}
