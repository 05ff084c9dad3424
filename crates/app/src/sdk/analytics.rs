//! What SDKs report and what the server counts: kept durably, read later.

use std::collections::HashSet;

use burgee_model::{Timestamp, limits};
use burgee_store::analytics::{self, EvaluationCount, UsageCount};

use crate::App;
use crate::error::Result;
use crate::pii::{Entrance, Spot};
use crate::served::Snapshot;

/// One reported count of evaluations.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluations {
    pub feature_name: String,
    pub count: i64,
    pub identity_identifier: Option<String>,
    pub enabled_when_evaluated: Option<bool>,
}

/// Stores counts of evaluations, and answers once they are stored. Those of unknown features, and those that are not
/// positive or beyond belief, are passed over.
pub async fn record(app: &App, snapshot: &Snapshot, evaluations: Vec<Evaluations>) -> Result<()> {
    let known: HashSet<&str> = snapshot.features.iter().map(|f| f.name.as_str()).collect();
    let now = Timestamp::now().0;
    let mut evaluations = evaluations;
    if let Some(guard) = &snapshot.guard {
        let spot = Spot {
            entrance: Entrance::Analytics,
            field: "identity_identifier",
            name: "",
        };
        for identifier in evaluations
            .iter_mut()
            .filter_map(|e| e.identity_identifier.as_mut())
        {
            *identifier = guard.keep(spot, identifier)?.into_owned();
        }
    }
    let rows: Vec<EvaluationCount> = evaluations
        .into_iter()
        .filter(|e| {
            (1..=limits::EVALUATIONS_PER_REPORT).contains(&e.count) && known.contains(e.feature_name.as_str())
        })
        .map(|e| EvaluationCount {
            environment_id: snapshot.environment_id,
            feature_name: e.feature_name,
            evaluation_count: e.count,
            identity_identifier: e.identity_identifier,
            enabled_when_evaluated: e.enabled_when_evaluated,
            created_at: now,
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    app.evaluation_writes().write(rows).await
}

/// Stores what was counted since the last time. What can't be stored is counted again.
pub async fn flush_usage(app: &App) -> Result<()> {
    let now = Timestamp::now().0;
    let environments = app.environments().all();
    let counted: Vec<_> = environments
        .iter()
        .map(|served| (served, served.take_usage()))
        .collect();
    let rows: Vec<UsageCount> = counted
        .iter()
        .flat_map(|(served, usage)| {
            let environment_id = served.snapshot().environment_id;
            let counted = usage.iter().filter(|(_, count)| *count > 0);
            counted.map(move |(resource, count)| UsageCount {
                environment_id,
                resource: *resource as i64,
                count: i64::try_from(*count).unwrap_or(i64::MAX),
                created_at: now,
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let stored = store(app, &rows).await;
    if stored.is_err() {
        for (served, usage) in counted {
            for (resource, count) in usage {
                served.count_many(resource, count);
            }
        }
    }
    stored
}

/// Deletes raw counts that are older than the operator wants them kept.
pub async fn forget_old(app: &App) -> Result<()> {
    // Not before they are added up.
    crate::usage::add_up(app, Timestamp::now()).await?;
    let days = i64::from(app.settings().raw_analytics_days);
    let before = Timestamp::now().plus_seconds(-days * 24 * 60 * 60);
    let mut tx = app.db().begin().await?;
    analytics::delete_before(&mut tx, before.0).await?;
    Ok(tx.commit().await?)
}

async fn store(app: &App, rows: &[UsageCount]) -> Result<()> {
    let mut tx = app.db().begin().await?;
    analytics::insert_usage(&mut tx, rows, host(&app.settings().public_url)).await?;
    Ok(tx.commit().await?)
}

/// The host of this installation, as usage rows name it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}
