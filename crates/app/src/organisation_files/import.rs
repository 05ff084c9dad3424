//! Taking an organisation out of a file: groups, custom fields and roles by name, then what is granted.

use std::collections::BTreeMap;

use burgee_store::changes::NewChange;
use burgee_store::grants::{self, Grant, Object};
use burgee_store::groups::{self, Group};
use burgee_store::roles::{self, Role};
use burgee_store::{Tx, members};
use serde_json::json;

use super::{HolderPart, Names, OrganisationImported, OrganisationPart, RolePart};
use crate::change::{Action, Change, Kind};
use crate::project_files::{
    FieldPart, ImportOptions, NotTaken, Reading, Target, check_fields, parse, write_fields_of_organisation,
    write_project,
};
use crate::{App, Author, Caller, Error, Result};

/// Imports the file of an organisation into one, for its administrators: groups and roles by name, each project in a
/// transaction of its own.
pub async fn import(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    reading: Reading,
    options: &ImportOptions,
) -> Result<OrganisationImported> {
    let mut tx = app.begin().await?;
    caller
        .require_organisation_admin(&mut tx, organisation_id)
        .await?;
    drop(tx);
    write(app, caller.into(), organisation_id, reading, options).await
}

/// The same, for whoever has the database. Nobody's name is under the changes.
pub async fn import_as_operator(
    app: &App,
    organisation_id: i64,
    reading: Reading,
    options: &ImportOptions,
) -> Result<OrganisationImported> {
    write(app, Author::default(), organisation_id, reading, options).await
}

async fn write(
    app: &App,
    author: Author<'_>,
    organisation_id: i64,
    mut reading: Reading,
    options: &ImportOptions,
) -> Result<OrganisationImported> {
    let raw = reading.document.organisation.take();
    let raw = raw.ok_or_else(|| Error::field("format", "This is not the file of an organisation."))?;
    let part: OrganisationPart = parse(raw.get().as_bytes())?;
    let mut imported = OrganisationImported::default();
    check_fields(&part.fields)?;
    let mut tx = app.begin().await?;
    let mut changes = write_groups(&mut tx, author, organisation_id, &part, &mut imported).await?;
    changes.extend(write_fields(&mut tx, author, organisation_id, &part.fields, &mut imported).await?);
    finish(app, tx, changes, options).await?;
    for project in part.projects {
        let mut tx = app.begin().await?;
        let target = Target::Organisation(organisation_id);
        let guards = app.environments().guards().clone();
        let rules = (options, app.settings().project_limits, guards);
        let (done, _, changes) = write_project(&mut tx, author, target, project, rules).await?;
        imported.projects.push(done);
        finish(app, tx, changes, options).await?;
    }
    let mut tx = app.begin().await?;
    let mut changes = write_roles(&mut tx, author, organisation_id, &part.roles, &mut imported).await?;
    changes.extend(write_grants(&mut tx, author, organisation_id, &part.grants, &mut imported).await?);
    finish(app, tx, changes, options).await?;
    Ok(imported)
}

async fn finish(app: &App, tx: Tx, changes: Vec<NewChange>, options: &ImportOptions) -> Result<()> {
    if options.dry_run || changes.is_empty() {
        return Ok(());
    }
    app.commit(tx, changes).await
}

async fn write_groups(
    tx: &mut Tx,
    author: Author<'_>,
    organisation_id: i64,
    part: &OrganisationPart,
    imported: &mut OrganisationImported,
) -> Result<Vec<NewChange>> {
    let people = members::list(tx, organisation_id).await?;
    let id_of = |email: &String| people.iter().find(|p| p.email == *email).map(|p| p.id);
    for member in part
        .members
        .iter()
        .filter(|member| id_of(&member.email).is_none())
    {
        imported.not_taken.push(NotTaken {
            what: format!("member {}", member.email),
            why: "nobody becomes a member by an import; send an invitation".to_owned(),
        });
    }
    let present = groups::list(tx, organisation_id).await?;
    let mut changes = Vec::new();
    for group in &part.groups {
        if group.name.trim().is_empty() || group.name.chars().count() > 200 {
            return Err(Error::field(
                "groups",
                "The name of a group has 1 to 200 characters.",
            ));
        }
        let found = present.iter().find(|other| other.name == group.name);
        let mut row = found.cloned().unwrap_or_else(|| Group {
            id: 0,
            organisation_id,
            name: group.name.clone(),
            is_default: group.is_default,
            external_id: group.external_id.clone(),
        });
        let is_new = row.id == 0;
        if is_new {
            row.id = groups::insert(tx, &row).await?;
            count(&mut imported.created, "groups");
        }
        let ids: Vec<i64> = group.members.iter().filter_map(id_of).collect();
        groups::add_users(tx, row.id, &ids).await?;
        let action = if is_new { Action::Create } else { Action::Update };
        let change = Change::new(author, Kind::Group, action, row.id)
            .in_organisation(organisation_id)
            .after(json!({ "name": row.name, "imported_members": ids.len() }));
        changes.push(change.into());
    }
    Ok(changes)
}

async fn write_roles(
    tx: &mut Tx,
    author: Author<'_>,
    organisation_id: i64,
    parts: &[RolePart],
    imported: &mut OrganisationImported,
) -> Result<Vec<NewChange>> {
    let names = Names::of(tx, organisation_id).await?;
    let present = roles::list(tx, organisation_id).await?;
    let mut changes = Vec::new();
    for part in parts {
        if part.name.trim().is_empty() || part.name.chars().count() > 2000 {
            return Err(Error::field(
                "roles",
                "The name of a role has 1 to 2000 characters.",
            ));
        }
        if present.iter().any(|role| role.name == part.name) {
            imported.not_taken.push(NotTaken {
                what: format!("role {:?}", part.name),
                why: "there is one of this name; it stays as it is".to_owned(),
            });
            continue;
        }
        let mut role = Role {
            id: 0,
            organisation_id,
            name: part.name.clone(),
            description: part.description.clone(),
            tags: "[]".to_owned(),
        };
        role.id = roles::insert(tx, &role).await?;
        count(&mut imported.created, "roles");
        for grant in &part.grants {
            match names.find(organisation_id, grant) {
                Some(grant) => {
                    let role_id = Some(role.id);
                    grants::insert(tx, &Grant { role_id, ..grant }).await?;
                }
                None => imported.not_taken.push(NotTaken {
                    what: format!("a grant of role {:?}", part.name),
                    why: "the project or environment it is about is not here".to_owned(),
                }),
            }
        }
        let change = Change::new(author, Kind::Role, Action::Create, role.id)
            .in_organisation(organisation_id)
            .after(json!({ "name": role.name, "description": role.description }));
        changes.push(change.into());
    }
    Ok(changes)
}

/// Custom fields that are not there by name yet.
async fn write_fields(
    tx: &mut Tx,
    author: Author<'_>,
    organisation_id: i64,
    parts: &[FieldPart],
    imported: &mut OrganisationImported,
) -> Result<Vec<NewChange>> {
    let made = write_fields_of_organisation(tx, organisation_id, parts).await?;
    let changes = made.into_iter().map(|field| {
        count(&mut imported.created, "custom fields");
        Change::new(author, Kind::MetadataField, Action::Create, field.id)
            .in_organisation(organisation_id)
            .uuid(&field.uuid)
            .after(crate::metadata_fields::as_json(&field))
            .into()
    });
    Ok(changes.collect())
}

/// What is granted to single members and groups. Who has something at an object already keeps what he has there.
async fn write_grants(
    tx: &mut Tx,
    author: Author<'_>,
    organisation_id: i64,
    parts: &[HolderPart],
    imported: &mut OrganisationImported,
) -> Result<Vec<NewChange>> {
    let names = Names::of(tx, organisation_id).await?;
    let mut changes = Vec::new();
    for part in parts {
        let holder = part.member.as_ref().or(part.group.as_ref());
        let what = format!("a grant of {}", holder.map_or("nobody", String::as_str));
        let mut miss = |why: &str| {
            imported.not_taken.push(NotTaken {
                what: what.clone(),
                why: why.to_owned(),
            });
        };
        let id_of = |names: &BTreeMap<i64, String>, name: &String| {
            let found = names.iter().find(|(_, other)| *other == name);
            found.map(|(id, _)| *id)
        };
        let user_id = part
            .member
            .as_ref()
            .and_then(|email| id_of(&names.members, email));
        let group_id = part.group.as_ref().and_then(|name| id_of(&names.groups, name));
        // Exactly one of them, as every grant has.
        if user_id.is_some() == group_id.is_some() {
            miss("there is no such member or group here");
            continue;
        }
        let Some(found) = names.find(organisation_id, &part.grant) else {
            miss("the project or environment it is about is not here");
            continue;
        };
        let keys: Vec<String> = found.keys();
        let mut grant = Grant {
            user_id,
            group_id,
            permissions: serde_json::to_string(&keys).unwrap_or_else(|_| "[]".to_owned()),
            ..found
        };
        let object = object_of(&grant);
        let present = grants::list(tx, object).await?;
        if present
            .iter()
            .any(|other| (other.user_id, other.group_id) == (user_id, group_id) && other.role_id.is_none())
        {
            miss("there is one there already; it stays as it is");
            continue;
        }
        grant.id = grants::insert(tx, &grant).await?;
        count(&mut imported.created, "grants");
        let change = Change::new(author, Kind::Permission, Action::Create, grant.id)
            .in_organisation(organisation_id)
            .after(crate::permissions::as_json(&grant));
        changes.push(change.into());
    }
    Ok(changes)
}

/// The object a grant is about.
fn object_of(grant: &Grant) -> Object {
    match (grant.organisation_id, grant.project_id, grant.environment_id) {
        (_, _, Some(id)) => Object::Environment(id),
        (_, Some(id), _) => Object::Project(id),
        (id, _, _) => Object::Organisation(id.unwrap_or_default()),
    }
}

fn count(counts: &mut Vec<(&'static str, i64)>, noun: &'static str) {
    match counts.iter_mut().find(|(name, _)| *name == noun) {
        Some((_, count)) => *count += 1,
        None => counts.push((noun, 1)),
    }
}
