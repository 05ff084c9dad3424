//! An organisation as one file: its groups, roles and projects. Members are in it by e-mail address, to be found again;
//! nobody becomes a member by an import.

mod export;
mod import;

use std::collections::BTreeMap;

use burgee_store::grants::{Grant, Granted, Object};
use burgee_store::{Tx, environments, groups, members, projects, tags};
use serde::{Deserialize, Serialize};

pub use export::{begin, export};
pub use import::{import, import_as_operator};

use crate::Result;
use crate::project_files::{FieldPart, Imported, NotTaken, ProjectPart};

/// An organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganisationPart {
    pub name: String,
    pub members: Vec<MemberPart>,
    pub groups: Vec<GroupPart>,
    pub roles: Vec<RolePart>,
    /// What is granted to single members and to groups, without a role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<HolderPart>,
    /// The custom fields that are not a project's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldPart>,
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

/// What one member, or one group, is granted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HolderPart {
    /// An e-mail address.
    pub member: Option<String>,
    /// A name.
    pub group: Option<String>,
    pub grant: GrantPart,
}

/// What a role, a member or a group may do: at the organisation, or at a project, or at an environment of one.
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

/// What the objects of an organisation are called, in both directions.
#[derive(Debug, Default)]
struct Names {
    /// E-mail addresses.
    members: BTreeMap<i64, String>,
    groups: BTreeMap<i64, String>,
    projects: BTreeMap<i64, String>,
    /// Project and name.
    environments: BTreeMap<i64, (i64, String)>,
    /// Project and label.
    tags: BTreeMap<i64, (i64, String)>,
}

impl Names {
    async fn of(tx: &mut Tx, organisation_id: i64) -> Result<Self> {
        let people = members::list(tx, organisation_id).await?.into_iter();
        let groups = groups::list(tx, organisation_id).await?.into_iter();
        let mut names = Self {
            members: people.map(|member| (member.id, member.email)).collect(),
            groups: groups.map(|group| (group.id, group.name)).collect(),
            ..Self::default()
        };
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

    /// Everything at which something can be granted.
    fn objects(&self, organisation_id: i64) -> Vec<Object> {
        let projects = self.projects.keys().map(|id| Object::Project(*id));
        let environments = self.environments.keys().map(|id| Object::Environment(*id));
        std::iter::once(Object::Organisation(organisation_id))
            .chain(projects)
            .chain(environments)
            .collect()
    }

    /// A grant as the file has it. Tags of the role as a whole hold where a permission has none of its own.
    fn grant(&self, role_tags: &[i64], grant: &Grant) -> GrantPart {
        let environment = grant.environment_id.and_then(|id| self.environments.get(&id));
        let project_id = grant
            .project_id
            .or(environment.map(|(project_id, _)| *project_id));
        let permissions = grant.permissions().into_iter().map(|granted| {
            let tags = if granted.tags.is_empty() {
                role_tags.to_vec()
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

    /// The grant a part of a file stands for, when what it is about is there: nobody's yet.
    fn find(&self, organisation_id: i64, part: &GrantPart) -> Option<Grant> {
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
            role_id: None,
            admin: part.admin,
            permissions: Grant::keep(&permissions),
        })
    }
}
