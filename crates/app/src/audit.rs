//! The audit log: the change log as people read it. Who did what, through which key, and what it was before.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use burgee_model::permissions::ProjectPermission;
use burgee_store::Tx;
use burgee_store::audit::{self, AuditEntry, Scope};
use burgee_store::environments::{self, Environment};
use burgee_store::master_api_keys;
use burgee_store::projects::{self, Project};
use burgee_store::users::{self, User};
use serde_json::Value;

pub use burgee_store::audit::Filter;

pub use crate::audit_details::Detail;

use crate::features::project_for;
use crate::{Caller, Error, Result, audit_details};

/// Which log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// That of every organisation the caller administers.
    Mine,
    Organisation(i64),
    Project(i64),
}

/// An organisation's key that did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    pub prefix: String,
    pub name: String,
}

/// An entry with what it refers to, as far as that is still there.
#[derive(Debug, Clone)]
pub struct AuditLine {
    pub entry: AuditEntry,
    pub author: Option<User>,
    pub api_key: Option<KeyName>,
    pub environment: Option<Environment>,
    pub project: Option<Project>,
}

impl AuditLine {
    /// Whether nobody did it: neither a user nor a key.
    pub fn is_system_event(&self) -> bool {
        self.entry.user_id.is_none() && self.entry.api_key_id.is_none()
    }

    /// What is different since, field by field.
    pub fn details(&self) -> Vec<Detail> {
        audit_details::of(before(&self.entry).as_ref(), after(&self.entry).as_ref())
    }
}

/// What the object of an entry was before.
pub(crate) fn before(entry: &AuditEntry) -> Option<Value> {
    serde_json::from_str(entry.before.as_deref()?).ok()
}

/// What the object of an entry was afterwards.
pub(crate) fn after(entry: &AuditEntry) -> Option<Value> {
    serde_json::from_str(entry.after.as_deref()?).ok()
}

/// What the caller may read of a log.
async fn scope(tx: &mut Tx, caller: &Caller, log: Log) -> Result<Scope> {
    match log {
        Log::Project(id) => {
            let project = project_for(tx, caller, id, ProjectPermission::ViewAuditLog).await?;
            Ok(Scope::Project(project.id))
        }
        Log::Organisation(id) => {
            caller.require_organisation_admin(tx, id).await?;
            Ok(Scope::Organisations(vec![id]))
        }
        Log::Mine => {
            let administered = crate::organisations::administered(tx, caller).await?;
            Ok(Scope::Organisations(administered))
        }
    }
}

/// Some lines of a log, newest first, and how many there are.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    log: Log,
    filter: &Filter,
    (limit, offset): (i64, i64),
) -> Result<(i64, Vec<AuditLine>)> {
    let scope = scope(tx, caller, log).await?;
    // No line has a NUL, and Postgres refuses texts that do.
    let texts = [&filter.search, &filter.object_type];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok((0, Vec::new()));
    }
    let count = audit::count(tx, &scope, filter).await?;
    let entries = audit::list(tx, &scope, filter, limit, offset).await?;
    Ok((count, with_names(tx, entries).await?))
}

/// One line of a log.
pub async fn get(tx: &mut Tx, caller: &Caller, log: Log, id: i64) -> Result<AuditLine> {
    let missing = || Error::no_match("AuditLog");
    let scope = scope(tx, caller, log).await?;
    let entry = audit::find(tx, id).await?.filter(|entry| match &scope {
        Scope::Project(id) => entry.project_id == Some(*id),
        Scope::Organisations(ids) => entry.organisation_id.is_some_and(|id| ids.contains(&id)),
    });
    let entry = entry.ok_or_else(missing)?;
    with_names(tx, vec![entry]).await?.pop().ok_or_else(missing)
}

/// Adds what entries refer to; each thing is looked up once.
pub(crate) async fn with_names(tx: &mut Tx, entries: Vec<AuditEntry>) -> Result<Vec<AuditLine>> {
    let mut names = Names::default();
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        lines.push(AuditLine {
            author: names.author(tx, entry.user_id).await?,
            api_key: names.api_key(tx, entry.api_key_id).await?,
            environment: names.environment(tx, entry.environment_id).await?,
            project: names.project(tx, entry.project_id).await?,
            entry,
        });
    }
    Ok(lines)
}

#[derive(Debug, Default)]
struct Names {
    authors: HashMap<i64, Option<User>>,
    api_keys: HashMap<i64, Option<KeyName>>,
    environments: HashMap<i64, Option<Environment>>,
    projects: HashMap<i64, Option<Project>>,
}

impl Names {
    async fn author(&mut self, tx: &mut Tx, id: Option<i64>) -> Result<Option<User>> {
        let Some(id) = id else { return Ok(None) };
        if let Entry::Vacant(place) = self.authors.entry(id) {
            place.insert(users::find(tx, id).await?);
        }
        Ok(self.authors.get(&id).cloned().flatten())
    }

    async fn api_key(&mut self, tx: &mut Tx, id: Option<i64>) -> Result<Option<KeyName>> {
        let Some(id) = id else { return Ok(None) };
        if let Entry::Vacant(place) = self.api_keys.entry(id) {
            let found = master_api_keys::find(tx, id).await?.map(|key| KeyName {
                prefix: key.prefix,
                name: key.name,
            });
            place.insert(found);
        }
        Ok(self.api_keys.get(&id).cloned().flatten())
    }

    async fn environment(&mut self, tx: &mut Tx, id: Option<i64>) -> Result<Option<Environment>> {
        let Some(id) = id else { return Ok(None) };
        if let Entry::Vacant(place) = self.environments.entry(id) {
            place.insert(environments::find(tx, id).await?);
        }
        Ok(self.environments.get(&id).cloned().flatten())
    }

    async fn project(&mut self, tx: &mut Tx, id: Option<i64>) -> Result<Option<Project>> {
        let Some(id) = id else { return Ok(None) };
        if let Entry::Vacant(place) = self.projects.entry(id) {
            place.insert(projects::find(tx, id).await?);
        }
        Ok(self.projects.get(&id).cloned().flatten())
    }
}
