//! The guard against stored personal data: what is done about it at every entrance of a project.
//!
//! What a request brings to be kept goes through a [`Guard`] before it is written: `warn` counts what it finds, `refuse`
//! turns the request away, `hash` keeps a keyed hash in place of the whole text. What is only evaluated (transient traits
//! and identities) passes as it is. In mode `off` there is no guard.
//!
//! A hash stands for its text wherever it is stored, so who asks by the text finds what is kept under the hash. Who was
//! stored by the text before stays under it: [`Guard::hash_of`] is asked first, the text itself second.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use burgee_auth::tokens::{derive_key, keyed_hash};
use burgee_model::pii::{AllowList, Kind, Mode};
use burgee_model::traits::TraitChange;
use burgee_model::{Timestamp, TraitValue, limits, lists};
use burgee_store::identities::{self, IdentityWrite};
use burgee_store::projects::Project;
use burgee_store::{Tx, pii as rows};

pub use burgee_store::pii::Finding;

use crate::error::{Error, Result};
use crate::{App, Caller, projects};

/// What personal data came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entrance {
    Identities,
    Traits,
    BulkIdentities,
    BulkTraits,
    Analytics,
    AdminIdentities,
    EdgeIdentities,
    ListMembers,
    ListUploads,
    LaunchDarklySegments,
    Cohorts,
    AudienceSync,
    Imports,
}

impl Entrance {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identities => "identities",
            Self::Traits => "traits",
            Self::BulkIdentities => "bulk-identities",
            Self::BulkTraits => "bulk-traits",
            Self::Analytics => "analytics",
            Self::AdminIdentities => "admin-identities",
            Self::EdgeIdentities => "edge-identities",
            Self::ListMembers => "list-members",
            Self::ListUploads => "list-uploads",
            Self::LaunchDarklySegments => "launchdarkly-segments",
            Self::Cohorts => "cohorts",
            Self::AudienceSync => "audience-sync",
            Self::Imports => "imports",
        }
    }
}

/// Where a text stands in what came in.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    pub entrance: Entrance,
    pub field: &'static str,
    /// The key of the trait, or the context kind of the list; empty where there is none.
    pub name: &'a str,
}

/// What was found in the answer to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    pub field: &'static str,
    pub kind: Kind,
    pub mode: Mode,
}

tokio::task_local! {
    static NOTES: RefCell<Vec<Note>>;
}

/// Carries out a request and tells what personal data was found on the way: each note once, a few at most.
pub async fn noting<T>(request: impl Future<Output = T>) -> (T, Vec<Note>) {
    NOTES
        .scope(RefCell::default(), async {
            let answer = request.await;
            (answer, NOTES.with(RefCell::take))
        })
        .await
}

/// The most notes of one request.
const NOTES_TOLD: usize = 8;

/// A key that no log shows.
#[derive(Clone, Copy)]
struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

type Place = (i64, Entrance, &'static str, String, Kind, Mode);

/// What makes guards: the key of the installation, and the counts of this node that are not stored yet.
#[derive(Debug, Clone)]
pub(crate) struct Guards {
    secret: Key,
    counts: Arc<Mutex<HashMap<Place, i64>>>,
}

impl Guards {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self {
            secret: Key(derive_key(secret, "pii")),
            counts: Arc::default(),
        }
    }

    /// The guard of a project; none when it wants none.
    pub(crate) fn of(&self, project: &Project) -> Option<Guard> {
        let mode = Mode::parse(&project.pii_mode).unwrap_or_default();
        let salt = project.pii_salt.as_ref().unwrap_or(&project.uuid);
        (mode != Mode::Off).then(|| Guard {
            project_id: project.id,
            mode,
            allowed: allow_list(project),
            key: Key(derive_key(&self.secret.0, salt)),
            counts: self.counts.clone(),
        })
    }

    fn take(&self) -> HashMap<Place, i64> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, counted: HashMap<Place, i64>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, count) in counted {
            *counts.entry(place).or_default() += count;
        }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self::new(&[0; 32])
    }
}

/// What a project allows although it looks like personal data.
pub fn allow_list(project: &Project) -> AllowList {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    AllowList {
        traits: read(&project.pii_allowed_traits),
        values: read(&project.pii_allowed_values),
    }
}

/// Writes it into the project's row.
pub(crate) fn set_allow_list(project: &mut Project, allowed: &AllowList) -> Result<()> {
    allowed.check()?;
    let text = |entries: &[String]| serde_json::to_string(entries).unwrap_or_default();
    project.pii_allowed_traits = text(&allowed.traits);
    project.pii_allowed_values = text(&allowed.values);
    Ok(())
}

/// The trait that the members of a list are values of, as a spot names it; those of users are identifiers.
pub fn trait_of_kind(context_kind: &str) -> &str {
    if context_kind == lists::USER {
        ""
    } else {
        context_kind
    }
}

/// The guard of one project, as its settings are now.
#[derive(Debug, Clone)]
pub struct Guard {
    project_id: i64,
    mode: Mode,
    allowed: AllowList,
    key: Key,
    counts: Arc<Mutex<HashMap<Place, i64>>>,
}

/// A text that a project does not take.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    pub field: &'static str,
    pub kind: Kind,
}

impl Refused {
    /// What is wrong, without a word of the text.
    pub fn reason(self) -> String {
        let (words, kind) = (self.kind.in_words(), self.kind.as_str());
        format!("This looks like {words} (kind: {kind}), and the project does not store personal data.")
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::field(refused.field, refused.reason())
    }
}

type Kept<T> = std::result::Result<T, Refused>;

impl Guard {
    fn find(&self, name: &str, text: &str) -> Option<Kind> {
        if !name.is_empty() && self.allowed.allows_trait(name) {
            return None;
        }
        self.allowed.find(text, name)
    }

    fn hash(&self, kind: Kind, text: &str) -> String {
        // Half of 256 bits: as many as no two texts of an installation share.
        format!("pii-{}-{}", kind.as_str(), &keyed_hash(&self.key.0, text)[..32])
    }

    /// What a text is kept as in place of itself; `None` when it is kept as it is. `name` is the key of its trait, if any.
    pub fn hash_of(&self, name: &str, text: &str) -> Option<String> {
        if self.mode != Mode::Hash {
            return None;
        }
        self.find(name, text).map(|kind| self.hash(kind, text))
    }

    /// The name by which a text is shown where it is not kept, which is its hash in modes that keep no such text.
    pub(crate) fn peek(&self, name: &str, text: &str) -> Option<String> {
        if self.mode == Mode::Warn {
            return None;
        }
        self.find(name, text).map(|kind| self.hash(kind, text))
    }

    /// What is kept of a text. What is found is counted.
    pub fn keep<'t>(&self, spot: Spot<'_>, text: &'t str) -> Kept<Cow<'t, str>> {
        match self.find(spot.name, text) {
            None => Ok(Cow::Borrowed(text)),
            Some(kind) => {
                self.note(spot, kind);
                self.in_place_of(spot.field, kind, text)
            }
        }
    }

    fn in_place_of<'t>(&self, field: &'static str, kind: Kind, text: &'t str) -> Kept<Cow<'t, str>> {
        match self.mode {
            Mode::Off | Mode::Warn => Ok(Cow::Borrowed(text)),
            Mode::Hash => Ok(Cow::Owned(self.hash(kind, text))),
            Mode::Refuse => Err(Refused { field, kind }),
        }
    }

    /// What is kept of a trait: its key, and its value if it has one.
    pub fn keep_trait(
        &self,
        entrance: Entrance,
        (key_field, value_field): (&'static str, &'static str),
        key: &mut String,
        value: Option<&mut TraitValue>,
    ) -> Kept<()> {
        if self.allowed.allows_trait(key) {
            return Ok(());
        }
        if let Some(value) = value
            && let Some(kind) = self.allowed.find_in_value(value, key)
        {
            // The key is told where it is kept, and where it is no personal data itself.
            let told = self.mode != Mode::Refuse && self.allowed.find(key, "").is_none();
            let name = if told { key.as_str() } else { "" };
            self.note(
                Spot {
                    entrance,
                    field: value_field,
                    name,
                },
                kind,
            );
            let text = match &*value {
                TraitValue::Text(text) => text.clone(),
                TraitValue::Int(number) => number.to_string(),
                TraitValue::Float(_) | TraitValue::Bool(_) => return Ok(()),
            };
            if let Cow::Owned(hash) = self.in_place_of(value_field, kind, &text)? {
                *value = TraitValue::Text(hash);
            }
        }
        let spot = Spot {
            entrance,
            field: key_field,
            name: "",
        };
        if let Cow::Owned(hash) = self.keep(spot, key)? {
            *key = hash;
        }
        Ok(())
    }

    /// The same for changes of traits. What removes a trait removes what is kept in its place, too.
    pub(crate) fn keep_changes(
        &self,
        entrance: Entrance,
        fields: (&'static str, &'static str),
        changes: Vec<(String, TraitChange)>,
    ) -> Kept<Vec<(String, TraitChange)>> {
        let mut kept = Vec::with_capacity(changes.len());
        for (mut key, mut change) in changes {
            match &mut change {
                TraitChange::Set(value) => self.keep_trait(entrance, fields, &mut key, Some(value))?,
                TraitChange::Increment(_) => self.keep_trait(entrance, fields, &mut key, None)?,
                TraitChange::Remove => {
                    if let Some(hash) = self.hash_of("", &key) {
                        kept.push((hash, TraitChange::Remove));
                    }
                }
            }
            kept.push((key, change));
        }
        Ok(kept)
    }

    fn note(&self, spot: Spot<'_>, kind: Kind) {
        let Self { project_id, mode, .. } = *self;
        let place = (
            project_id,
            spot.entrance,
            spot.field,
            spot.name.to_owned(),
            kind,
            mode,
        );
        *self
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(place)
            .or_default() += 1;
        metrics::counter!("burgee_pii_findings_total", "kind" => kind.as_str(), "entrance" => spot.entrance.as_str(),
            "mode" => mode.as_str())
        .increment(1);
        let note = Note {
            field: spot.field,
            kind,
            mode,
        };
        // Outside of requests nobody is told.
        let _ = NOTES.try_with(|notes| {
            let mut notes = notes.borrow_mut();
            if notes.len() < NOTES_TOLD && !notes.contains(&note) {
                notes.push(note);
            }
        });
    }
}

/// What is kept of writes of identities: in mode `hash` under the identifier that is stored already, if one is.
pub(crate) async fn keep_writes(
    app: &App,
    guard: Option<&Guard>,
    entrance: Entrance,
    writes: Vec<IdentityWrite>,
) -> Result<Vec<IdentityWrite>> {
    let Some(guard) = guard else { return Ok(writes) };
    let spot = Spot {
        entrance,
        field: "identifier",
        name: "",
    };
    let mut kept = Vec::with_capacity(writes.len());
    let mut hashed = Vec::new();
    for mut write in writes {
        write.changes = guard.keep_changes(entrance, ("trait_key", "trait_value"), write.changes)?;
        if let Cow::Owned(hash) = guard.keep(spot, &write.identifier)? {
            let asked = std::mem::replace(&mut write.identifier, hash);
            hashed.push((kept.len(), asked));
        }
        kept.push(write);
    }
    for (place, asked) in hashed {
        let write: &mut IdentityWrite = &mut kept[place];
        let by_hash =
            identities::find_by_identifier(app.db(), write.environment_id, &write.identifier).await?;
        if by_hash.is_none()
            && identities::find_by_identifier(app.db(), write.environment_id, &asked)
                .await?
                .is_some()
        {
            write.identifier = asked;
        }
    }
    Ok(kept)
}

/// What was found in a project so far, the counts of this node included.
pub async fn findings(app: &App, caller: &Caller, project_id: i64) -> Result<Vec<Finding>> {
    projects::require_admin(app, caller, project_id).await?;
    flush(app).await?;
    let mut tx = app.db().read().await?;
    Ok(rows::list(&mut tx, project_id).await?)
}

/// Begins to count anew.
pub async fn clear(app: &App, caller: &Caller, project_id: i64) -> Result<()> {
    projects::require_admin(app, caller, project_id).await?;
    flush(app).await?;
    let mut tx = app.db().begin().await?;
    rows::clear(&mut tx, project_id).await?;
    Ok(tx.commit().await?)
}

/// Stores what was counted since the last time. What can't be stored is counted again.
pub async fn flush(app: &App) -> Result<()> {
    let guards = app.environments().guards();
    let counted = guards.take();
    if counted.is_empty() {
        return Ok(());
    }
    let stored = store(app, &counted).await;
    if stored.is_err() {
        guards.put_back(counted);
    }
    stored
}

async fn store(app: &App, counted: &HashMap<Place, i64>) -> Result<()> {
    let now = Timestamp::now().0;
    let finding = |((project_id, entrance, field, name, kind, mode), count): (&Place, &i64)| Finding {
        project_id: *project_id,
        entrance: entrance.as_str().to_owned(),
        field: (*field).to_owned(),
        name: name.clone(),
        kind: kind.as_str().to_owned(),
        mode: mode.as_str().to_owned(),
        count: *count,
        first_at: now,
        last_at: now,
    };
    let mut found: Vec<Finding> = counted.iter().map(finding).collect();
    // In one order, so that two nodes don't wait for each other in a circle.
    found.sort_by(|a, b| {
        let key = |f: &Finding| {
            (
                f.project_id,
                f.entrance.clone(),
                f.field.clone(),
                f.name.clone(),
                f.kind.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    let mut tx: Tx = app.db().begin().await?;
    for one in &found {
        rows::add(&mut tx, one, limits::PII_PLACES).await?;
    }
    Ok(tx.commit().await?)
}
