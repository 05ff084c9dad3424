//! An organisation as one file: its groups, roles and projects. Members are in it by e-mail address, to be found again;
//! nobody becomes a member by an import.

use std::collections::HashMap;

use burgee_model::Timestamp;
use burgee_store::grants::{self, Grant, Granted};
use burgee_store::groups::{self, Group};
use burgee_store::organisations::{self, Organisation};
use burgee_store::roles::{self, Role};
use burgee_store::{Tx, environments, members, projects, tags};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::to_raw_value;

use crate::change::{Action, Change, Kind};
use crate::project_files::{
    Document, Export, ExportOptions, ImportOptions, Imported, NotTaken, ORGANISATION_FORMAT, ProjectPart,
    Reading, Target, VERSION, checksum, parse, project_part, write_project,
};
use crate::{App, Author, Caller, Error, Result};

/// An organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganisationPart {
    pub name: String,
    pub members: Vec<MemberPart>,
    pub groups: Vec<GroupPart>,
    pub roles: Vec<RolePart>,
    pub projects: Vec<ProjectPart>,
}

/// A member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemberPart {
    pub email: String,
    /// `ADMIN` or `USER`.
    pub role: String,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupPart {
    pub name: String,
    pub is_default: bool,
    pub external_id: Option<String>,
    /// E-mail addresses.
    pub members: Vec<String>,
}

/// A role with what it may do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolePart {
    pub name: String,
    pub description: Option<String>,
    pub grants: Vec<GrantPart>,
}

/// What a role may do: at the organisation, or at a project, or at an environment of one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrantPart {
    pub project: Option<String>,
    pub environment: Option<String>,
    pub admin: bool,
    pub permissions: Vec<PermissionPart>,
}

/// A permission, and the labels of the tags it is limited to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PermissionPart {
    pub key: String,
    pub tags: Vec<String>,
}

/// What an import did, or with `dry_run` would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationImported {
    pub projects: Vec<Imported>,
    pub created: Vec<(&'static str, i64)>,
    pub not_taken: Vec<NotTaken>,
}

/// The file of an organisation, for its administrators.
pub async fn export(app: &App, caller: &Caller, id: i64, options: ExportOptions) -> Result<Export> {
    let mut tx = app.db().read().await?;
    caller.require_organisation_admin(&mut tx, id).await?;
    let organisation = organisations::find(&mut tx, id)
        .await?
        .ok_or_else(Error::not_found)?;
    begin(&mut tx, &organisation, options).await
}

/// The same, for whoever has the database. Identities are only in the files of projects.
pub async fn begin(tx: &mut Tx, organisation: &Organisation, options: ExportOptions) -> Result<Export> {
    let people = members::list(tx, organisation.id).await?;
    let grouped = groups::members(tx, organisation.id).await?;
    let mut part = OrganisationPart {
        name: organisation.name.clone(),
        members: people
            .into_iter()
            .map(|member| MemberPart {
                email: member.email,
                role: member.role,
            })
            .collect(),
        ..OrganisationPart::default()
    };
    for group in groups::list(tx, organisation.id).await? {
        let members = grouped.iter().filter(|member| member.group_id == group.id);
        part.groups.push(GroupPart {
            members: members.map(|member| member.email.clone()).collect(),
            name: group.name,
            is_default: group.is_default,
            external_id: group.external_id,
        });
    }
    let names = Names::of(tx, organisation.id).await?;
    for role in roles::list(tx, organisation.id).await? {
        let mut given = Vec::new();
        for grant in grants::of_role(tx, role.id).await? {
            given.push(names.grant(&role, &grant));
        }
        part.roles.push(RolePart {
            name: role.name,
            description: role.description,
            grants: given,
        });
    }
    for project in projects::list(tx, Some(organisation.id)).await? {
        part.projects.push(project_part(tx, &project, options).await?);
    }
    let raw = to_raw_value(&part).map_err(|error| Error::Internal(error.to_string()))?;
    Export::of_document(&Document {
        format: ORGANISATION_FORMAT.to_owned(),
        version: VERSION,
        exported_at: Timestamp::now().rest(),
        checksum: Some(checksum(raw.get().as_bytes())),
        project: None,
        organisation: Some(raw),
    })
}

/// What the objects of an organisation are called, in both directions.
#[derive(Debug, Default)]
struct Names {
    projects: HashMap<i64, String>,
    /// Project and name.
    environments: HashMap<i64, (i64, String)>,
    /// Project and label.
    tags: HashMap<i64, (i64, String)>,
}

impl Names {
    async fn of(tx: &mut Tx, organisation_id: i64) -> Result<Self> {
        let mut names = Self::default();
        for project in projects::list(tx, Some(organisation_id)).await? {
            for environment in environments::list(tx, project.id).await? {
                names
                    .environments
                    .insert(environment.id, (project.id, environment.name));
            }
            for tag in tags::list(tx, project.id).await? {
                names.tags.insert(tag.id, (project.id, tag.label));
            }
            names.projects.insert(project.id, project.name);
        }
        Ok(names)
    }

    fn grant(&self, role: &Role, grant: &Grant) -> GrantPart {
        let environment = grant.environment_id.and_then(|id| self.environments.get(&id));
        let project_id = grant
            .project_id
            .or(environment.map(|(project_id, _)| *project_id));
        let permissions = grant.permissions().into_iter().map(|granted| {
            // Tags of the role as a whole hold where the permission has none of its own.
            let tags = if granted.tags.is_empty() {
                role.tags()
            } else {
                granted.tags
            };
            PermissionPart {
                key: granted.key,
                tags: tags
                    .iter()
                    .filter_map(|id| self.tags.get(id).map(|(_, label)| label.clone()))
                    .collect(),
            }
        });
        GrantPart {
            project: project_id.and_then(|id| self.projects.get(&id).cloned()),
            environment: environment.map(|(_, name)| name.clone()),
            admin: grant.admin,
            permissions: permissions.collect(),
        }
    }

    /// The grant a part of a file stands for, when what it is about is there.
    fn find(&self, organisation_id: i64, role_id: i64, part: &GrantPart) -> Option<Grant> {
        let project_id = match &part.project {
            None => None,
            Some(name) => Some(*self.projects.iter().find(|(_, other)| *other == name)?.0),
        };
        let environment_id = match &part.environment {
            None => None,
            Some(name) => {
                let place = (project_id?, name.clone());
                Some(*self.environments.iter().find(|(_, other)| **other == place)?.0)
            }
        };
        let tag = |label: &String| {
            let place = (project_id?, label.clone());
            self.tags
                .iter()
                .find(|(_, other)| **other == place)
                .map(|(id, _)| *id)
        };
        let permissions: Vec<Granted> = part
            .permissions
            .iter()
            .map(|permission| Granted {
                key: permission.key.clone(),
                tags: permission.tags.iter().filter_map(tag).collect(),
            })
            // A permission whose tags are all gone must not become one for everything.
            .zip(&part.permissions)
            .filter(|(granted, permission)| permission.tags.is_empty() || !granted.tags.is_empty())
            .map(|(granted, _)| granted)
            .collect();
        Some(Grant {
            id: 0,
            organisation_id: project_id.is_none().then_some(organisation_id),
            project_id: project_id.filter(|_| environment_id.is_none()),
            environment_id,
            user_id: None,
            group_id: None,
            role_id: Some(role_id),
            admin: part.admin,
            permissions: Grant::keep(&permissions),
        })
    }
}

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
    let mut tx = app.begin().await?;
    let changes = write_groups(&mut tx, author, organisation_id, &part, &mut imported).await?;
    finish(app, tx, changes, options).await?;
    for project in part.projects {
        let mut tx = app.begin().await?;
        let target = Target::Organisation(organisation_id);
        let rules = (options, app.settings().project_limits);
        let (done, _, changes) = write_project(&mut tx, author, target, project, rules).await?;
        imported.projects.push(done);
        finish(app, tx, changes, options).await?;
    }
    let mut tx = app.begin().await?;
    let changes = write_roles(&mut tx, author, organisation_id, &part.roles, &mut imported).await?;
    finish(app, tx, changes, options).await?;
    Ok(imported)
}

async fn finish(
    app: &App,
    tx: Tx,
    changes: Vec<burgee_store::changes::NewChange>,
    options: &ImportOptions,
) -> Result<()> {
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
) -> Result<Vec<burgee_store::changes::NewChange>> {
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
) -> Result<Vec<burgee_store::changes::NewChange>> {
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
            match names.find(organisation_id, role.id, grant) {
                Some(grant) => {
                    grants::insert(tx, &grant).await?;
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

fn count(counts: &mut Vec<(&'static str, i64)>, noun: &'static str) {
    match counts.iter_mut().find(|(name, _)| *name == noun) {
        Some((_, count)) => *count += 1,
        None => counts.push((noun, 1)),
    }
}
