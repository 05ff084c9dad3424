//! Telling other services of evaluated identities.
//!
//! Whoever answers an SDK only puts a note in a queue in memory; the rest happens beside. The queue is bounded: when a
//! service is too slow the oldest notes are dropped, and counted. Nothing of it is kept for later, because the next
//! evaluation tells the same.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use burgee_model::Timestamp;
use burgee_store::integrations as rows;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::configuration::config;
use super::deliveries::{self, Sent};
use super::{Config, Told, find};
use crate::sdk::evaluation;
use crate::sdk::identities::Identified;
use crate::served::Snapshot;
use crate::{App, Result};

/// The most notes that wait for one integration.
const QUEUE: usize = 5000;
/// How long notes gather before they are sent together.
const GATHER: Duration = Duration::from_secs(1);
/// How long a service has to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is written down that a service was told, and that it was not, in microseconds.
const WRITTEN_DOWN: i64 = 60 * 1_000_000;
/// How often what other nodes have set up is looked for.
pub const REFRESH: Duration = Duration::from_secs(5);

/// An identity that was evaluated.
#[derive(Debug, Clone)]
pub struct IdentityEvent {
    pub identifier: String,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// As the SDK API writes them.
    pub traits: Value,
    pub flags: Vec<Value>,
    /// Every segment of the project, and whether the identity is in it.
    pub segments: Vec<Value>,
}

impl IdentityEvent {
    /// Each feature with its value; one that is off, or has none, with whether it is on.
    pub(super) fn properties(&self) -> Map<String, Value> {
        let property = |flag: &Value| {
            let (enabled, value) = (&flag["enabled"], &flag["feature_state_value"]);
            let told = if *enabled == json!(true) && !value.is_null() {
                value
            } else {
                enabled
            };
            Some((flag["feature"]["name"].as_str()?.to_owned(), told.clone()))
        };
        self.flags.iter().filter_map(property).collect()
    }

    fn of(note: &Note) -> Self {
        let Note {
            snapshot,
            identity,
            at,
        } = note;
        let (traits, flags, segments) = evaluation::for_integrations(snapshot, identity);
        Self {
            identifier: identity.kept_as.as_ref().unwrap_or(&identity.identifier).clone(),
            at: *at,
            traits,
            flags,
            segments,
        }
    }
}

/// What is noted while an SDK waits: nothing is evaluated again yet.
#[derive(Debug)]
struct Note {
    snapshot: Arc<Snapshot>,
    identity: Identified,
    at: i64,
}

/// One integration with what waits for it.
#[derive(Debug)]
struct Line {
    id: i64,
    name: &'static str,
    updated_at: i64,
    config: Config,
    waiting: Mutex<VecDeque<Note>>,
    /// When it was last written down that the service was told, and that it was not.
    written_down: [AtomicI64; 2],
}

impl Line {
    fn push(&self, note: Note) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= QUEUE {
            waiting.pop_front();
            metrics::counter!("burgee_integration_events_total", "integration" => self.name, "outcome" => "dropped")
                .increment(1);
        }
        waiting.push_back(note);
    }

    /// Whether it is time to write down that the service was told, or was not.
    fn is_to_be_written_down(&self, delivered: bool) -> bool {
        let now = Timestamp::now().0;
        let last = &self.written_down[usize::from(delivered)];
        let is_due = now - last.load(Ordering::Relaxed) >= WRITTEN_DOWN;
        if is_due {
            last.store(now, Ordering::Relaxed);
        }
        is_due
    }

    fn take(&self, most: usize) -> Vec<Note> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = most.min(waiting.len());
        waiting.drain(..count).collect()
    }
}

/// The integrations that are told of identities, by environment.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    lines: ArcSwap<HashMap<i64, Vec<Arc<Line>>>>,
    noted: Notify,
}

/// Notes that an identity was evaluated. Costs nothing where nobody is to be told.
pub fn note(app: &App, snapshot: &Arc<Snapshot>, identity: &Identified) {
    let queues = app.identity_queues();
    let lines = queues.lines.load();
    let Some(lines) = lines.get(&snapshot.environment_id) else {
        return;
    };
    for line in lines {
        line.push(Note {
            snapshot: Arc::clone(snapshot),
            identity: identity.clone(),
            at: Timestamp::now().0,
        });
    }
    queues.noted.notify_one();
}

/// Looks what is set up now. What waits for integrations that are still there stays.
pub async fn refresh(app: &App) -> Result<()> {
    let queues = app.identity_queues();
    let before = queues.lines.load_full();
    let known: HashMap<i64, &Arc<Line>> = before.values().flatten().map(|line| (line.id, line)).collect();
    let mut lines: HashMap<i64, Vec<Arc<Line>>> = HashMap::new();
    for row in rows::of_environments(app.db()).await? {
        let integration = find(&row.kind).filter(|kind| matches!(kind.told, Told::Identities { .. }));
        let (Some(integration), Some(environment_id)) = (integration, row.environment_id) else {
            continue;
        };
        let line = match known.get(&row.id) {
            Some(line) if line.updated_at == row.updated_at => Arc::clone(line),
            old => Arc::new(Line {
                id: row.id,
                name: integration.name,
                updated_at: row.updated_at,
                config: config(app, &row),
                waiting: Mutex::new(old.map(|line| line.take(QUEUE).into()).unwrap_or_default()),
                written_down: Default::default(),
            }),
        };
        lines.entry(environment_id).or_default().push(line);
    }
    queues.lines.store(Arc::new(lines));
    Ok(())
}

/// Sends what waits until the app is closing, and then what is left.
pub async fn keep(app: App) {
    let mut closing = app.closing();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            () = app.identity_queues().noted.notified() => {}
        }
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => {}
            () = tokio::time::sleep(GATHER) => {}
        }
        flush(&app).await;
    }
    flush(&app).await;
}

/// Sends everything that waits now, all integrations beside each other.
pub async fn flush(app: &App) {
    let lines = app.identity_queues().lines.load_full();
    let all = lines.values().flatten().map(|line| flush_line(app, line));
    futures_util::future::join_all(all).await;
}

async fn flush_line(app: &App, line: &Line) {
    let Some(Told::Identities { at_once, calls }) = find(line.name).map(|integration| integration.told)
    else {
        return;
    };
    loop {
        let notes = line.take(at_once);
        if notes.is_empty() {
            return;
        }
        let events: Vec<IdentityEvent> = notes.iter().map(IdentityEvent::of).collect();
        let mut last = None;
        for call in calls(&line.config, &events) {
            let sent = deliveries::send(app, vec![call], TIMEOUT).await;
            let label = if sent.outcome.is_ok() { "sent" } else { "failed" };
            metrics::counter!("burgee_integration_requests_total", "integration" => line.name, "outcome" => label)
                .increment(1);
            // A failure is what there is to tell.
            if last.as_ref().is_none_or(|last: &Sent| last.outcome.is_ok()) {
                last = Some(sent);
            }
        }
        let Some(sent) = last else { continue };
        if line.is_to_be_written_down(sent.outcome.is_ok()) {
            let event = format!("{} identities", events.len());
            deliveries::record(app, line.id, &event, &sent).await;
        }
        if let Err(failure) = sent.outcome {
            tracing::warn!(
                integration = line.id,
                kind = line.name,
                why = failure.why,
                "a service was not told of evaluated identities"
            );
            if failure.lane {
                // It is away. What came meanwhile waits, the oldest is dropped.
                return;
            }
        }
    }
}
