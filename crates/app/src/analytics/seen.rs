//! When features were last asked for. Kept in the product's database wherever counts are kept: the life of a feature is
//! told from it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use burgee_store::feature_activity::{self, LastEvaluated};

use crate::{App, Result};

/// How exact it is, in microseconds: what was written down so recently is not written down again.
const EXACTNESS: i64 = 60 * 1_000_000;

/// What this node wrote down last.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<(i64, i64), i64>>);

impl Seen {
    /// Takes those that are to be written down, and remembers that they were.
    fn due(&self, environment_id: i64, feature_ids: &[i64], now: i64) -> Vec<LastEvaluated> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = feature_ids.iter().filter_map(|&feature_id| {
            let last = written.entry((environment_id, feature_id)).or_insert(i64::MIN);
            let is_due = now.saturating_sub(*last) >= EXACTNESS;
            is_due.then(|| {
                *last = now;
                LastEvaluated {
                    environment_id,
                    feature_id,
                    at: now,
                }
            })
        });
        due.collect()
    }

    fn forget(&self, rows: &[LastEvaluated]) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            written.remove(&(row.environment_id, row.feature_id));
        }
    }
}

/// Notes that features were asked for. A database that is away keeps no report from being taken: it is noted with the
/// next one.
pub(crate) async fn note(app: &App, environment_id: i64, feature_ids: &[i64]) {
    let due = app
        .analytics()
        .seen()
        .due(environment_id, feature_ids, super::now());
    if due.is_empty() {
        return;
    }
    if let Err(error) = write(app, &due).await {
        tracing::debug!(%error, "it is not noted when features were asked for");
        app.analytics().seen().forget(&due);
    }
}

async fn write(app: &App, rows: &[LastEvaluated]) -> Result<()> {
    let mut tx = app.db().begin().await?;
    feature_activity::note_evaluated(&mut tx, rows).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_down_within_a_minute_is_not_due_and_what_failed_is_again() {
        let seen = Seen::default();
        let ids = |rows: &[LastEvaluated]| rows.iter().map(|row| row.feature_id).collect::<Vec<_>>();
        let first = seen.due(1, &[7, 8], 1_000);
        assert_eq!(ids(&first), [7, 8]);
        assert_eq!(ids(&seen.due(1, &[7, 9], 2_000)), [9]);
        assert_eq!(ids(&seen.due(2, &[7], 2_000)), [7], "another environment");
        seen.forget(&first[..1]);
        assert_eq!(ids(&seen.due(1, &[7, 8], 3_000)), [7]);
        assert_eq!(ids(&seen.due(1, &[7, 8], 1_000 + EXACTNESS)), [8]);
    }
}
