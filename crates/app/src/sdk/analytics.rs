//! What SDKs report and what the server counts: kept durably, read later.

use std::collections::HashMap;

use burgee_model::{Timestamp, limits};
use burgee_store::analytics::{self, EvaluationCount, UsageCount};

use crate::App;
use crate::analytics::seen;
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

/// Keeps counts of evaluations; where a database keeps them, they are stored when this returns. Those of unknown features,
/// and those that are not positive or beyond belief, are passed over.
pub async fn record(app: &App, snapshot: &Snapshot, evaluations: Vec<Evaluations>) -> Result<()> {
    let known: HashMap<&str, i64> = snapshot
        .features
        .iter()
        .map(|f| (f.name.as_str(), f.id))
        .collect();
    let now = Timestamp::now().0;
    let mut features = Vec::new();
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
        .filter(|e| (1..=limits::EVALUATIONS_PER_REPORT).contains(&e.count))
        .filter_map(|e| {
            features.push(*known.get(e.feature_name.as_str())?);
            Some(EvaluationCount {
                environment_id: snapshot.environment_id,
                feature_name: e.feature_name,
                evaluation_count: e.count,
                identity_identifier: e.identity_identifier,
                enabled_when_evaluated: e.enabled_when_evaluated,
                created_at: now,
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let reported = rows.iter().map(|row| row.evaluation_count as u64).sum();
    app.analytics().record(rows).await?;
    metrics::counter!("burgee_evaluations_reported_total").increment(reported);
    seen::note(app, snapshot.environment_id, &features).await;
    Ok(())
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
    let host = host(&app.settings().public_url);
    let stored = app.analytics().count_calls(app.db(), &rows, host).await;
    if stored.is_ok() {
        tell_metrics(&rows);
    } else {
        for (served, usage) in counted {
            for (resource, count) in usage {
                served.count_many(resource, count);
            }
        }
    }
    stored
}

fn tell_metrics(rows: &[UsageCount]) {
    for row in rows {
        let resource = match row.resource {
            1 => "flags",
            2 => "identities",
            3 => "traits",
            _ => "environment-document",
        };
        metrics::counter!("burgee_sdk_requests_total", "resource" => resource).increment(row.count as u64);
    }
}

/// Deletes raw counts that are older than the operator wants them kept.
pub async fn forget_old(app: &App) -> Result<()> {
    // Not before they are added up.
    crate::usage::add_up(app, Timestamp::now()).await?;
    let days = i64::from(app.settings().raw_analytics_days);
    let before = Timestamp::now().plus_seconds(-days * 24 * 60 * 60);
    let Some(db) = app.analytics().database() else {
        return Ok(());
    };
    let mut tx = db.begin().await?;
    analytics::delete_before(&mut tx, before.0).await?;
    Ok(tx.commit().await?)
}

/// The host of this installation, as usage rows name it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}
