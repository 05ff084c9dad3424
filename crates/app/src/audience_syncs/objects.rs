//! Sources, models, destinations, channels and syncs of an organisation: what the files of `burgee sync` hold, kept on
//! the server.
//!
//! Their contents are those of the files ([`burgee_sync::config::Document`]). Secrets among them are sealed where they
//! lie and hidden in every answer; whoever writes back what was shown keeps what is there.

use burgee_model::Timestamp;
use burgee_store::audience_sync_objects::{self as rows, AudienceSyncObject};
use burgee_store::{Tx, audience_sync_runs};
use burgee_sync::config::{Document, Origin, Project};
use serde_json::{Map, Value, json};

use super::{schedules, secrets};
use crate::change::{Action, Change, Kind};
use crate::{App, Caller, Error, Result};

/// The most objects of one kind in an organisation.
pub const MOST_OBJECTS: usize = 500;
/// The length of a name, in characters.
pub const NAME_LENGTH: usize = 100;
/// The size of one object's content, in bytes of JSON.
pub const CONTENT_BYTES: usize = 64 * 1024;

/// What an object is, and under which word of a file it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    Source,
    Model,
    Destination,
    Channel,
    Sync,
}

impl ObjectKind {
    /// All of them, in the order in which they refer to each other.
    pub const ALL: [Self; 5] = [
        Self::Source,
        Self::Model,
        Self::Destination,
        Self::Channel,
        Self::Sync,
    ];

    /// The word of a file under which they stand.
    pub fn section(self) -> &'static str {
        match self {
            Self::Source => "sources",
            Self::Model => "models",
            Self::Destination => "destinations",
            Self::Channel => "channels",
            Self::Sync => "syncs",
        }
    }

    /// The kind that stands under this word.
    pub fn of_section(section: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.section() == section)
    }

    pub(super) fn as_str(self) -> &'static str {
        self.section().trim_end_matches('s')
    }
}

/// Which object: names are unique in an organisation among objects of a kind.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub organisation_id: i64,
    pub kind: ObjectKind,
    pub name: &'a str,
}

/// One object as it is shown: without its secrets.
#[derive(Debug, Clone)]
pub struct Object {
    pub kind: ObjectKind,
    pub name: String,
    pub content: Value,
    pub updated_at: i64,
    /// When a sync with a schedule runs next.
    pub due_at: Option<i64>,
}

/// Everything of an organisation, as it lies in the database but for its seals.
#[derive(Debug, Clone, Default)]
pub(super) struct Stock(Vec<(AudienceSyncObject, Value)>);

impl Stock {
    pub(super) async fn load(app: &App, tx: &mut Tx, organisation_id: i64) -> Result<Self> {
        let sealer = app.sealer();
        let rows = rows::list(tx, organisation_id).await?.into_iter().map(|row| {
            let content = serde_json::from_str(&row.content).unwrap_or_default();
            let content = secrets::opened(&sealer, content);
            (row, content)
        });
        Ok(Self(rows.collect()))
    }

    pub(super) fn find(&self, kind: ObjectKind, name: &str) -> Option<&(AudienceSyncObject, Value)> {
        self.0
            .iter()
            .find(|(row, _)| row.kind == kind.as_str() && row.name == name)
    }

    pub(super) fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = &(AudienceSyncObject, Value)> {
        self.0.iter().filter(move |(row, _)| row.kind == kind.as_str())
    }

    /// The stock with an object replaced, added or (`None`) taken away.
    pub(super) fn with(&self, kind: ObjectKind, name: &str, content: Option<&Value>) -> Self {
        let mut all = self.clone();
        let place = all
            .0
            .iter()
            .position(|(row, _)| row.kind == kind.as_str() && row.name == name);
        match (place, content) {
            (Some(place), Some(content)) => content.clone_into(&mut all.0[place].1),
            (Some(place), None) => drop(all.0.remove(place)),
            (None, Some(content)) => all.0.push((empty_row(kind, name), content.clone())),
            (None, None) => {}
        }
        all
    }

    /// As the file would be that holds all of it.
    pub(super) fn as_json(&self) -> Value {
        let sections = ObjectKind::ALL.map(|kind| {
            let objects = self.of_kind(kind);
            let objects: Map<String, Value> = objects
                .map(|(row, content)| (row.name.clone(), content.clone()))
                .collect();
            (kind.section().to_owned(), Value::Object(objects))
        });
        Value::Object(sections.into_iter().collect())
    }

    /// Reads and checks all of it; what is wrong is told by its place (`syncs.daily.map`).
    pub(super) fn check(&self, app: &App) -> Result<Project> {
        let document: Document =
            serde_path_to_error::deserialize(self.as_json()).map_err(|error| placed(&error))?;
        let origin = Origin::Tenant {
            folder: app.settings().audience_sync_folder.clone(),
            public_only: !app.settings().outbound.allow_private_addresses,
        };
        burgee_sync::config::check_document(&document, &origin).map_err(|problems| {
            let problems = problems
                .into_iter()
                .map(|problem| (problem.place, Value::from(vec![problem.text])));
            Error::Rejected(Value::Object(problems.collect()))
        })
    }
}

fn placed(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let place = error.path().to_string();
    let place = if place == "." { "non_field_errors" } else { &place };
    Error::field(place, error.inner().to_string())
}

fn empty_row(kind: ObjectKind, name: &str) -> AudienceSyncObject {
    AudienceSyncObject {
        id: 0,
        organisation_id: 0,
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
        content: String::new(),
        updated_at: 0,
        due_at: None,
        stale_told_at: None,
    }
}

fn shown(kind: ObjectKind, (row, content): &(AudienceSyncObject, Value)) -> Object {
    Object {
        kind,
        name: row.name.clone(),
        content: secrets::hidden(content.clone()),
        updated_at: row.updated_at,
        due_at: row.due_at,
    }
}

/// Fails unless the caller administers the organisation: asked before an input is looked at.
pub(super) async fn require(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<()> {
    caller.require_organisation_admin(tx, organisation_id).await
}

/// The objects of one kind, by name.
pub async fn list(app: &App, caller: &Caller, organisation_id: i64, kind: ObjectKind) -> Result<Vec<Object>> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, organisation_id).await?;
    let stock = Stock::load(app, &mut tx, organisation_id).await?;
    Ok(stock.of_kind(kind).map(|row| shown(kind, row)).collect())
}

/// One object.
pub async fn get(app: &App, caller: &Caller, at: At<'_>) -> Result<Object> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, at.organisation_id).await?;
    let stock = Stock::load(app, &mut tx, at.organisation_id).await?;
    let found = stock.find(at.kind, at.name);
    found.map(|row| shown(at.kind, row)).ok_or_else(Error::not_found)
}

/// Makes an object, or replaces it; whether it is new. All syncs must be right with it.
pub async fn put(app: &App, caller: &Caller, at: At<'_>, content: Value) -> Result<(Object, bool)> {
    let mut tx = app.begin().await?;
    require(&mut tx, caller, at.organisation_id).await?;
    let stock = Stock::load(app, &mut tx, at.organisation_id).await?;
    let content = accepted(&stock, at, content)?;
    let changed = stock.with(at.kind, at.name, Some(&content));
    changed.check(app).map_err(|error| from_the_object(error, at))?;
    let (object, change) = write(app, &mut tx, caller, &stock, at, &content).await?;
    let new = stock.find(at.kind, at.name).is_none();
    app.commit(tx, change.into_iter().map(Into::into).collect())
        .await?;
    Ok((object, new))
}

/// What is wrong with the object itself is told by its fields; what is wrong elsewhere because of it, by its place.
fn from_the_object(error: Error, at: At<'_>) -> Error {
    let own = format!("{}.{}", at.kind.section(), at.name);
    let told = |problems: Map<String, Value>| {
        let renamed = problems.into_iter().map(|(place, text)| {
            let inner = place.strip_prefix(&own).map(|rest| rest.trim_start_matches('.'));
            match inner {
                Some("") => ("non_field_errors".to_owned(), text),
                Some(inner) => (inner.to_owned(), text),
                None => (place, text),
            }
        });
        Error::Rejected(Value::Object(renamed.collect()))
    };
    match error {
        Error::Rejected(Value::Object(problems)) => told(problems),
        Error::Invalid(problems) => match problems.into_json() {
            Value::Object(problems) => told(problems),
            other => Error::Rejected(other),
        },
        other => other,
    }
}

/// The content with the secrets it leaves as they are, and a name that can be one.
pub(super) fn accepted(stock: &Stock, at: At<'_>, content: Value) -> Result<Value> {
    let At { kind, name, .. } = at;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > NAME_LENGTH || !name.chars().all(plain) {
        let text =
            format!("A name has letters, digits, hyphens and underscores, at most {NAME_LENGTH} of them.");
        return Err(Error::field("name", text));
    }
    let Value::Object(content) = content else {
        return Err(Error::field("content", "Must be an object."));
    };
    let content = Value::Object(content);
    if content.to_string().len() > CONTENT_BYTES {
        let text = format!("Must be smaller than {CONTENT_BYTES} bytes.");
        return Err(Error::field("content", text));
    }
    let before = stock.find(kind, name);
    if before.is_none() && stock.of_kind(kind).count() >= MOST_OBJECTS {
        let text = format!("An organisation has at most {MOST_OBJECTS} {}.", kind.section());
        return Err(Error::detail(&text));
    }
    secrets::kept(content, before.map(|(_, content)| content))
}

/// Writes an object that was found right; nothing when it is there as it is.
pub(super) async fn write(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    stock: &Stock,
    at: At<'_>,
    content: &Value,
) -> Result<(Object, Option<Change>)> {
    let At { kind, name, .. } = at;
    let before = stock.find(kind, name);
    if let Some(same) = before.filter(|(_, before)| before == content) {
        return Ok((shown(kind, same), None));
    }
    let now = Timestamp::now();
    let mut row = before.map_or_else(|| empty_row(kind, name), |(row, _)| row.clone());
    row.organisation_id = at.organisation_id;
    row.content = secrets::sealed(&app.sealer(), content.clone()).to_string();
    row.updated_at = now.0;
    if kind == ObjectKind::Sync {
        row.due_at = schedules::first_run(before, content, now)?;
    }
    let action = if before.is_some() {
        rows::update(tx, &row).await?;
        Action::Update
    } else {
        row.id = rows::insert(tx, &row).await?;
        Action::Create
    };
    let mut change = line(caller, &row, action, kind).after(as_json(kind, name, content));
    if let Some((_, before)) = before {
        change = change.before(as_json(kind, name, before));
    }
    Ok((shown(kind, &(row, content.clone())), Some(change)))
}

/// Deletes an object that no other refers to; with a sync goes what is remembered of its runs.
pub async fn delete(app: &App, caller: &Caller, at: At<'_>) -> Result<()> {
    let mut tx = app.begin().await?;
    require(&mut tx, caller, at.organisation_id).await?;
    let stock = Stock::load(app, &mut tx, at.organisation_id).await?;
    stock.find(at.kind, at.name).ok_or_else(Error::not_found)?;
    stock.with(at.kind, at.name, None).check(app)?;
    let change = remove(&mut tx, caller, &stock, at).await?;
    app.commit(tx, change.into_iter().map(Into::into).collect()).await
}

/// Takes an object away that nothing needs.
pub(super) async fn remove(
    tx: &mut Tx,
    caller: &Caller,
    stock: &Stock,
    At { kind, name, .. }: At<'_>,
) -> Result<Option<Change>> {
    let Some((row, content)) = stock.find(kind, name) else {
        return Ok(None);
    };
    if audience_sync_runs::is_running(tx, row.id, Timestamp::now().0).await? {
        return Err(Error::Conflict("The sync is running.".to_owned()));
    }
    rows::delete(tx, row.id).await?;
    let change = line(caller, row, Action::Delete, kind).before(as_json(kind, name, content));
    Ok(Some(change))
}

fn line(caller: &Caller, row: &AudienceSyncObject, action: Action, kind: ObjectKind) -> Change {
    let done = match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Delete => "deleted",
    };
    Change::new(caller, Kind::AudienceSync, action, row.id)
        .in_organisation(row.organisation_id)
        .says(format!("Audience sync {} {done}: {}", kind.as_str(), row.name))
}

/// What the log keeps of an object: never its secrets.
fn as_json(kind: ObjectKind, name: &str, content: &Value) -> Value {
    json!({ "kind": kind.as_str(), "name": name, "content": secrets::hidden(content.clone()) })
}
