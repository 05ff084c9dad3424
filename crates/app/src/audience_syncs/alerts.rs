//! Telling people of runs that need them: failed, held, too much refused, too long without success.
//!
//! A sync names what it tells and to which channel; a channel is a webhook, a Slack webhook or mail addresses. A message
//! has the sync, the run and its counts, never a key or a value.

use std::time::Duration;

use burgee_model::Timestamp;
use burgee_outbound::http::{Method, Request};
use burgee_store::audience_sync_objects::{self as objects, AudienceSyncObject};
use burgee_store::audience_sync_runs;
use burgee_store::audience_syncs::{self, Run};
use burgee_sync::config::{Alert, AlertOn, Channel};
use burgee_sync::ledger::Progress;
use serde_json::{Value, json};

use super::objects::{ObjectKind, Stock};
use crate::mail::{self, Mail};
use crate::{App, Result};

/// How often a message is tried, and the pause before the second time; it doubles.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
/// How often it is told again that a sync is stale.
const TOLD_AGAIN: i64 = 24 * 60 * 60 * 1_000_000;

/// One thing to tell.
#[derive(Debug)]
struct Message {
    event: &'static str,
    text: String,
    body: Value,
}

/// Tells of a run that has ended, to those the sync names. What can't be told is logged: a run is never failed by it.
pub(super) async fn tell_of_run(app: &App, object: &AudienceSyncObject, run: i64) {
    if let Err(error) = try_run(app, object, run).await {
        tracing::warn!(%error, sync = object.name, run, "nobody could be told of a run");
    }
}

async fn try_run(app: &App, object: &AudienceSyncObject, run: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    let Some(run) = audience_syncs::run(&mut tx, run).await? else {
        return Ok(());
    };
    let stock = Stock::load(app, &mut tx, object.organisation_id).await?;
    drop(tx);
    for alert in alerts_of(&stock, &object.name) {
        let Some(what) = of_run(&alert, &run) else {
            continue;
        };
        let text = format!("Audience sync {}: {what}", object.name);
        let message = Message {
            event: alert.on.as_str(),
            body: body(object, alert.on, Some(&run), &text),
            text,
        };
        send(app, &stock, &alert.to, &message).await?;
    }
    Ok(())
}

/// What is to be told of a run, when the alert is about such runs.
fn of_run(alert: &Alert, run: &Run) -> Option<String> {
    let progress: Progress = serde_json::from_str(&run.progress).unwrap_or_default();
    let sent = progress.delivered + progress.rejected;
    match alert.on {
        AlertOn::Failed => (run.state == "failed").then(|| {
            let why = run.error.as_deref().unwrap_or("nobody knows why");
            format!("run {} failed: {why}", run.id)
        }),
        AlertOn::Held => (run.state == "held").then(|| format!("run {} waits for an approval", run.id)),
        AlertOn::RejectedPct => {
            let share = 100.0 * progress.rejected as f64 / sent.max(1) as f64;
            let over = alert.over.unwrap_or_default();
            (share > over).then(|| {
                let rejected = progress.rejected;
                format!(
                    "run {}: {rejected} of {sent} rows were refused ({share:.1} %)",
                    run.id
                )
            })
        }
        AlertOn::Stale => None,
    }
}

fn alerts_of(stock: &Stock, sync: &str) -> Vec<Alert> {
    let content = stock.find(ObjectKind::Sync, sync).map(|(_, content)| content);
    let alerts = content.and_then(|content| content.get("alerts")).cloned();
    alerts
        .and_then(|alerts| serde_json::from_value(alerts).ok())
        .unwrap_or_default()
}

fn body(object: &AudienceSyncObject, on: AlertOn, run: Option<&Run>, text: &str) -> Value {
    let part = |json: &str| serde_json::from_str::<Value>(json).unwrap_or_default();
    let run = run.map(|run| {
        json!({
            "id": run.id,
            "state": run.state,
            "counts": part(&run.counts),
            "progress": part(&run.progress),
            "error": run.error,
        })
    });
    json!({
        "event": format!("audience_sync.{}", on.as_str()),
        "organisation": object.organisation_id,
        "sync": object.name,
        "run": run,
        "text": text,
    })
}

/// Tells of syncs that have not succeeded for too long, once a day.
pub(super) async fn tell_of_stale(app: &App, now: Timestamp) -> Result<()> {
    let mut tx = app.db().read().await?;
    let syncs = objects::syncs(&mut tx).await?;
    drop(tx);
    for object in syncs.iter().filter(|object| object.content.contains("\"stale\"")) {
        let told = object.stale_told_at.unwrap_or_default();
        if now.0 - told >= TOLD_AGAIN {
            tell_if_stale(app, object, now).await?;
        }
    }
    Ok(())
}

async fn tell_if_stale(app: &App, object: &AudienceSyncObject, now: Timestamp) -> Result<()> {
    let mut tx = app.db().read().await?;
    let stock = Stock::load(app, &mut tx, object.organisation_id).await?;
    let last = audience_sync_runs::last_done(&mut tx, object.id).await?;
    drop(tx);
    let since = last.unwrap_or(object.updated_at);
    let minutes = (now.0 - since) / 60_000_000;
    let stale = |alert: &Alert| alert.on == AlertOn::Stale && minutes as f64 > alert.over.unwrap_or(f64::MAX);
    let alerts: Vec<Alert> = alerts_of(&stock, &object.name)
        .into_iter()
        .filter(stale)
        .collect();
    if alerts.is_empty() {
        return Ok(());
    }
    let mut tx = app.db().begin().await?;
    objects::set_stale_told(&mut tx, object.id, Some(now.0)).await?;
    tx.commit().await?;
    for alert in alerts {
        let text = format!("Audience sync {}: no success for {minutes} minutes", object.name);
        let message = Message {
            event: alert.on.as_str(),
            body: body(object, alert.on, None, &text),
            text,
        };
        send(app, &stock, &alert.to, &message).await?;
    }
    Ok(())
}

async fn send(app: &App, stock: &Stock, channel: &str, message: &Message) -> Result<()> {
    let found = stock.find(ObjectKind::Channel, channel);
    let content = found.map(|(_, content)| content.clone()).unwrap_or_default();
    match serde_json::from_value::<Channel>(content) {
        Ok(Channel::Webhook { url }) => post(app, &url, message.body.clone()).await,
        Ok(Channel::Slack { url }) => post(app, &url, json!({ "text": message.text })).await,
        Ok(Channel::Email { to }) => {
            let mut tx = app.db().begin().await?;
            for address in &to {
                let mail = Mail::AudienceSync { text: &message.text };
                mail::post(&mut tx, app, address, &mail).await?;
            }
            tx.commit().await?;
        }
        Err(_) => tracing::warn!(channel, event = message.event, "there is no such channel to tell"),
    }
    Ok(())
}

async fn post(app: &App, url: &str, body: Value) {
    let mut pause = PAUSE;
    for attempt in 1..=TRIES {
        let request = Request::new(Method::POST, url).json(&body);
        let problem = match app.outbound().guarded().send(request).await {
            Ok(answer) if answer.is_success() => return,
            Ok(answer) => format!("answered {}", answer.status),
            Err(error) => error.to_string(),
        };
        if attempt == TRIES {
            // The address may be a secret of its own, so it stays out of the log.
            tracing::warn!(problem, event = %body["event"], "an alert of an audience sync was not taken");
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
