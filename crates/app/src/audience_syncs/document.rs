//! All audience syncs of an organisation as one document: the same YAML that `burgee sync` reads, to take out and to
//! put back.

use serde_json::{Map, Value};

use super::objects::{At, ObjectKind, Stock, accepted, remove, require, write};
use super::secrets;
use crate::{App, Caller, Error, Result};

/// How a document is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Only tell what would change.
    pub dry_run: bool,
    /// Delete what the document does not have.
    pub prune: bool,
}

/// What a document changed, each object by its place (`syncs.daily`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    pub created: Vec<String>,
    pub updated: Vec<String>,
    pub deleted: Vec<String>,
    pub unchanged: Vec<String>,
}

/// The document, its secrets hidden. Applied again it changes nothing.
pub async fn get(app: &App, caller: &Caller, organisation_id: i64) -> Result<Value> {
    let mut tx = app.db().read().await?;
    require(&mut tx, caller, organisation_id).await?;
    let stock = Stock::load(app, &mut tx, organisation_id).await?;
    let Value::Object(mut sections) = stock.as_json() else {
        return Ok(Value::Null);
    };
    for section in sections.values_mut() {
        for object in section.as_object_mut().into_iter().flat_map(Map::values_mut) {
            *object = secrets::hidden(object.take());
        }
    }
    sections.retain(|_, section| section.as_object().is_some_and(|objects| !objects.is_empty()));
    Ok(Value::Object(sections))
}

/// A document as YAML.
pub fn as_yaml(document: &Value) -> Result<String> {
    serde_saphyr::to_string(document).map_err(|error| Error::Internal(error.to_string()))
}

/// A document from YAML, of which JSON is a part.
pub fn from_yaml(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).map_err(|error| Error::detail(&format!("This is no YAML: {error}")))
}

/// Puts a document in: all of it or, when anything is wrong, nothing.
pub async fn apply(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    document: Value,
    options: ApplyOptions,
) -> Result<Applied> {
    let mut tx = app.begin().await?;
    require(&mut tx, caller, organisation_id).await?;
    let before = Stock::load(app, &mut tx, organisation_id).await?;
    let given = read(&before, organisation_id, document)?;
    let mut after = before.clone();
    for (kind, name, content) in &given {
        after = after.with(*kind, name, Some(content));
    }
    let gone = if options.prune {
        absent(&before, &given)
    } else {
        Vec::new()
    };
    for (kind, name) in &gone {
        after = after.with(*kind, name, None);
    }
    after.check(app)?;
    let mut applied = Applied::default();
    let mut changes = Vec::new();
    let at = |kind, name| At {
        organisation_id,
        kind,
        name,
    };
    for (kind, name, content) in &given {
        let (_, change) = write(app, &mut tx, caller, &before, at(*kind, name), content).await?;
        let list = match (&change, before.find(*kind, name)) {
            (None, _) => &mut applied.unchanged,
            (Some(_), None) => &mut applied.created,
            (Some(_), Some(_)) => &mut applied.updated,
        };
        list.push(format!("{}.{name}", kind.section()));
        changes.extend(change);
    }
    for (kind, name) in &gone {
        changes.extend(remove(&mut tx, caller, &before, at(*kind, name)).await?);
        applied.deleted.push(format!("{}.{name}", kind.section()));
    }
    if options.dry_run {
        // The transaction ends unwritten.
        return Ok(applied);
    }
    app.commit(tx, changes.into_iter().map(Into::into).collect())
        .await?;
    Ok(applied)
}

type Given = Vec<(ObjectKind, String, Value)>;

fn read(before: &Stock, organisation_id: i64, document: Value) -> Result<Given> {
    let Value::Object(sections) = document else {
        return Err(Error::detail("The document must be an object."));
    };
    let mut given = Given::new();
    for (section, objects) in sections {
        let Some(kind) = ObjectKind::of_section(&section) else {
            return Err(Error::field(&section, "There is no such section."));
        };
        let Value::Object(objects) = objects else {
            return Err(Error::field(&section, "Must be an object."));
        };
        for (name, content) in objects {
            let at = At {
                organisation_id,
                kind,
                name: &name,
            };
            let content = accepted(before, at, content)
                .map_err(|error| Error::field(&format!("{section}.{name}"), error.to_string()))?;
            given.push((kind, name, content));
        }
    }
    Ok(given)
}

fn absent(before: &Stock, given: &Given) -> Vec<(ObjectKind, String)> {
    let mut gone = Vec::new();
    for kind in ObjectKind::ALL {
        for (row, _) in before.of_kind(kind) {
            if !given
                .iter()
                .any(|(other, name, _)| *other == kind && *name == row.name)
            {
                gone.push((kind, row.name.clone()));
            }
        }
    }
    gone
}
