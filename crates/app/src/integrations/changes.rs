//! Telling other services of changes: the lines of the audit log about features, their states, versions and segments.

use burgee_store::integrations::{self as rows, Integration as Row};
use burgee_store::{Tx, feature_links};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::configuration::config_of;
use super::{Told, deliveries, find};
use crate::audit::{AuditLine, after, before};
use crate::event_payloads;
use crate::tasks::{self, Failure, NewTask, Outcome, Task};
use crate::{App, Result};

/// The kind of its tasks.
pub const TASK: &str = "integration";
/// What such an event is called where it has a title.
pub(super) const TITLE: &str = "Flagsmith Feature Flag Event";
/// What services are told of.
const TOLD: [&str; 4] = ["FEATURE", "FEATURE_STATE", "SEGMENT", "EF_VERSION"];

/// A change as integrations know it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeEvent {
    /// Of the entry in the log.
    pub id: i64,
    /// When it happened, in microseconds since 1970.
    pub at: i64,
    /// The line of the audit log.
    pub log: String,
    /// The address of a user, the name of a key, or `system`.
    pub author: String,
    pub project: String,
    /// The environment it happened in, unless it was in all of the project.
    pub environment: Option<String>,
    pub object_type: String,
    pub object_id: i64,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub action: String,
    pub feature: Option<Named>,
    /// The segment that was changed, or for which a flag was.
    pub segment: Option<String>,
    /// Whether the flag is on now.
    pub enabled: Option<bool>,
    /// Of the feature.
    pub tags: Vec<String>,
}

/// Something with a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Named {
    pub id: i64,
    pub name: String,
}

impl ChangeEvent {
    /// What happened, and who did it.
    pub(super) fn text(&self) -> String {
        format!("{} by user {}", self.log, self.author)
    }

    /// The environment it happened in.
    pub(super) fn environment_name(&self) -> &str {
        self.environment.as_deref().unwrap_or("unknown")
    }

    async fn of(tx: &mut Tx, line: &AuditLine) -> Result<Option<Self>> {
        let entry = &line.entry;
        let (Some(log), Some(project)) = (&entry.message, &line.project) else {
            return Ok(None);
        };
        let known = after(entry).or_else(|| before(entry)).unwrap_or_default();
        let feature_id = match entry.object_type.as_str() {
            "FEATURE" => Some(entry.object_id),
            _ => known["feature"].as_i64(),
        };
        let feature = match feature_id {
            Some(id) => event_payloads::feature(tx, project, id).await?,
            None => None,
        };
        let segment = match entry.object_type.as_str() {
            "SEGMENT" => known["name"].as_str().map(str::to_owned),
            _ => match known["segment"].as_i64() {
                Some(id) => burgee_store::segments::find(tx, id)
                    .await?
                    .map(|segment| segment.name),
                None => None,
            },
        };
        let tags = match &feature {
            Some(feature) => feature_links::tags(tx, project.id, Some(feature.id)).await?,
            None => Vec::new(),
        };
        let labels = burgee_store::tags::list(tx, project.id).await?;
        let label = |id: i64| {
            labels
                .iter()
                .find(|tag| tag.id == id)
                .map(|tag| tag.label.clone())
        };
        Ok(Some(Self {
            id: entry.id,
            at: entry.at,
            log: log.clone(),
            author: Some(event_payloads::changed_by(line))
                .filter(|by| !by.is_empty())
                .unwrap_or("system")
                .to_owned(),
            project: project.name.clone(),
            environment: line
                .environment
                .as_ref()
                .map(|environment| environment.name.clone()),
            object_type: entry.object_type.clone(),
            object_id: entry.object_id,
            action: entry.action.clone(),
            feature: feature.map(|feature| Named {
                id: feature.id,
                name: feature.name,
            }),
            segment,
            enabled: known["enabled"].as_bool(),
            tags: tags.into_iter().filter_map(|link| label(link.tag_id)).collect(),
        }))
    }
}

/// The integrations that are told of changes in these places.
pub(crate) async fn listening(tx: &mut Tx, at: rows::At) -> Result<Vec<Row>> {
    let mut found = rows::around(tx, at).await?;
    found.retain(|row| find(&row.kind).is_some_and(|kind| matches!(kind.told, Told::Changes(_))));
    Ok(found)
}

/// Whether services are told of such a change.
pub(crate) fn is_told(object_type: &str, has_line: bool) -> bool {
    has_line && TOLD.contains(&object_type)
}

/// Adds the tasks of one change. How many there are.
pub(crate) async fn add(tx: &mut Tx, to: &[Row], line: &AuditLine) -> Result<usize> {
    if to.is_empty() || !is_told(&line.entry.object_type, line.entry.message.is_some()) {
        return Ok(0);
    }
    let Some(event) = ChangeEvent::of(tx, line).await? else {
        return Ok(0);
    };
    for row in to {
        let task = NewTask {
            kind: TASK,
            key: format!("{} {}", row.id, event.id),
            lane: &format!("integration {}", row.id),
            payload: json!({ "integration": row.id, "event": event }),
        };
        tasks::add(tx, task).await?;
    }
    Ok(to.len())
}

/// Sends what a task is about, with what is set now.
pub async fn deliver(app: &App, task: &Task) -> Outcome {
    let mut payload: Value = serde_json::from_str(&task.payload).unwrap_or_default();
    let event: ChangeEvent = serde_json::from_value(payload["event"].take())
        .map_err(|error| Failure::for_good(format!("the task can't be read: {error}")))?;
    let mut tx = app.db().read().await?;
    let row = rows::find(&mut tx, payload["integration"].as_i64().unwrap_or_default()).await?;
    // It is gone, and what was to be told to it.
    let Some(row) = row else { return Ok(()) };
    let Some(integration) = find(&row.kind) else {
        return Err(Failure::later("this version knows no such integration"));
    };
    let config = config_of(&mut tx, app, integration, &row).await?;
    drop(tx);
    let Told::Changes(calls) = integration.told else {
        return Ok(());
    };
    let calls = calls(&config, &event);
    if calls.is_empty() {
        return Ok(());
    }
    let sent = deliveries::send(app, calls, deliveries::TIMEOUT).await;
    deliveries::record(app, row.id, &event.log, &sent).await;
    sent.outcome
}
