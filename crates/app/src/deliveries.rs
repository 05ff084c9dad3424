//! Reading the change log on: what is to be sent out because of each change.
//!
//! The position in the log moves in the transaction that adds the tasks, so each change is turned into tasks exactly once,
//! on whichever node comes first. The tasks are done afterwards, at least once.

use std::collections::HashMap;

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::audit::AuditEntry;
use burgee_store::integrations::{At, Integration};
use burgee_store::log_readers::{self, DELIVERIES};
use burgee_store::webhooks::{self, Webhook};

use crate::audit::{self, AuditLine};
use crate::event_payloads::{self as payloads, Event};
use crate::integrations::changes;
use crate::trackers::{Destinations, errands};
use crate::{App, Result, webhook_deliveries};

/// How many changes are read at once.
const BATCH: i64 = 200;
/// What is older than this when it is read did not happen just now: the lines of another installation's log, taken over.
const TOO_OLD: i64 = 24 * 60 * 60 * 1_000_000;

/// Reads the log to its end.
pub async fn read_on(app: &App) -> Result<()> {
    while log_readers::is_behind(app.db(), DELIVERIES).await? {
        if !read_some(app).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a few changes. False when another node reads them at this moment.
async fn read_some(app: &App) -> Result<bool> {
    let mut tx = app.db().begin().await?;
    let from = log_readers::position(&mut tx, DELIVERIES).await?;
    let entries = log_readers::changes_after(&mut tx, from, BATCH).await?;
    let Some(last) = entries.last() else {
        return Ok(true);
    };
    // First of all, so that of two nodes one goes no further.
    if !log_readers::advance(&mut tx, DELIVERIES, from, last.id).await? {
        return Ok(false);
    }
    let limit = Timestamp::now().0 - TOO_OLD;
    let mut listeners = Listeners::default();
    let mut added = 0;
    for line in lines(&mut tx, entries, limit, &mut listeners).await? {
        added += deliver(&mut tx, &mut listeners, &line).await?;
    }
    tx.commit().await?;
    if added > 0 {
        app.stir();
    }
    Ok(true)
}

/// The changes that somebody is listening to, with what they refer to.
async fn lines(
    tx: &mut Tx,
    entries: Vec<AuditEntry>,
    limit: i64,
    listeners: &mut Listeners,
) -> Result<Vec<AuditLine>> {
    let mut heard = Vec::new();
    for entry in entries {
        if entry.at >= limit && listeners.any(tx, &entry).await? {
            heard.push(entry);
        }
    }
    audit::with_names(tx, heard).await
}

/// Adds the deliveries of one change. How many there are.
async fn deliver(tx: &mut Tx, listeners: &mut Listeners, line: &AuditLine) -> Result<usize> {
    let of_environment = listeners.of_environment(tx, line.entry.environment_id).await?;
    let of_organisation = listeners.of_organisation(tx, line.entry.organisation_id).await?;
    let services = listeners.services(tx, &line.entry).await?;
    let mut added = changes::add(tx, &services, line).await?;
    let trackers = listeners.trackers(tx, &line.entry).await?;
    added += errands::add(tx, &trackers, line).await?;
    if line.entry.message.is_some() {
        added += send(tx, &of_organisation, &payloads::audit_line(line)).await?;
    }
    if of_environment.is_empty() && of_organisation.is_empty() {
        return Ok(added);
    }
    if let Some(event) = payloads::flag_event(tx, line).await? {
        added += send(tx, &of_environment, &event).await?;
        added += send(tx, &of_organisation, &event).await?;
    }
    if !of_environment.is_empty()
        && let Some(event) = payloads::version_event(tx, line).await?
    {
        added += send(tx, &of_environment, &event).await?;
    }
    Ok(added)
}

async fn send(tx: &mut Tx, to: &[Webhook], event: &Event) -> Result<usize> {
    for webhook in to {
        webhook_deliveries::add(tx, webhook, event).await?;
    }
    Ok(to.len())
}

/// Who listens, looked up once per batch.
#[derive(Debug, Default)]
struct Listeners {
    environments: HashMap<i64, Vec<Webhook>>,
    organisations: HashMap<i64, Vec<Webhook>>,
    services: HashMap<At, Vec<Integration>>,
    trackers: HashMap<i64, Destinations>,
}

impl Listeners {
    /// Whether anybody listens to this change.
    async fn any(&mut self, tx: &mut Tx, entry: &AuditEntry) -> Result<bool> {
        Ok(!self.of_environment(tx, entry.environment_id).await?.is_empty()
            || !self.of_organisation(tx, entry.organisation_id).await?.is_empty()
            || !self.services(tx, entry).await?.is_empty()
            || !self.trackers(tx, entry).await?.is_empty())
    }

    /// The issue trackers that may be told of this change.
    async fn trackers(&mut self, tx: &mut Tx, entry: &AuditEntry) -> Result<Destinations> {
        let Some(id) = entry.project_id.filter(|_| errands::is_told(entry)) else {
            return Ok(Destinations::default());
        };
        if let Some(known) = self.trackers.get(&id) {
            return Ok(known.clone());
        }
        let found = Destinations::of(tx, id).await?;
        self.trackers.insert(id, found.clone());
        Ok(found)
    }

    /// The integrations that are told of this change.
    async fn services(&mut self, tx: &mut Tx, entry: &AuditEntry) -> Result<Vec<Integration>> {
        if !changes::is_told(&entry.object_type, entry.message.is_some()) {
            return Ok(Vec::new());
        }
        let at = (entry.organisation_id, entry.project_id, entry.environment_id);
        if let Some(known) = self.services.get(&at) {
            return Ok(known.clone());
        }
        let found = changes::listening(tx, at).await?;
        self.services.insert(at, found.clone());
        Ok(found)
    }

    async fn of_environment(&mut self, tx: &mut Tx, id: Option<i64>) -> Result<Vec<Webhook>> {
        let Some(id) = id else { return Ok(Vec::new()) };
        if let Some(known) = self.environments.get(&id) {
            return Ok(known.clone());
        }
        let found = webhooks::of_environment(tx, id).await?;
        let found = enabled(found);
        self.environments.insert(id, found.clone());
        Ok(found)
    }

    async fn of_organisation(&mut self, tx: &mut Tx, id: Option<i64>) -> Result<Vec<Webhook>> {
        let Some(id) = id else { return Ok(Vec::new()) };
        if let Some(known) = self.organisations.get(&id) {
            return Ok(known.clone());
        }
        let found = webhooks::of_organisation(tx, id).await?;
        let found = enabled(found);
        self.organisations.insert(id, found.clone());
        Ok(found)
    }
}

fn enabled(found: Vec<Webhook>) -> Vec<Webhook> {
    found.into_iter().filter(|webhook| webhook.enabled).collect()
}
