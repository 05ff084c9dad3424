//! Writing an organisation into a file.

use burgee_model::Timestamp;
use burgee_store::organisations::{self, Organisation};
use burgee_store::{Tx, grants, groups, members, projects, roles};
use serde_json::value::to_raw_value;

use super::{GroupPart, HolderPart, MemberPart, Names, OrganisationPart, RolePart};
use crate::project_files::{
    Document, Export, ExportOptions, ORGANISATION_FORMAT, VERSION, checksum, fields_of_organisation,
    project_part,
};
use crate::{App, Caller, Error, Result};

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
    part.fields = fields_of_organisation(tx, organisation.id).await?;
    let names = Names::of(tx, organisation.id).await?;
    part.grants = single_grants(tx, organisation.id, &names).await?;
    for role in roles::list(tx, organisation.id).await? {
        let mut given = Vec::new();
        for grant in grants::of_role(tx, role.id).await? {
            given.push(names.grant(&role.tags(), &grant));
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

/// What is granted to members and groups directly, at the organisation and everything in it.
async fn single_grants(tx: &mut Tx, organisation_id: i64, names: &Names) -> Result<Vec<HolderPart>> {
    let mut parts = Vec::new();
    for object in names.objects(organisation_id) {
        for grant in grants::list(tx, object).await? {
            let member = grant.user_id.and_then(|id| names.members.get(&id).cloned());
            let group = grant.group_id.and_then(|id| names.groups.get(&id).cloned());
            if member.is_some() || group.is_some() {
                parts.push(HolderPart {
                    member,
                    group,
                    grant: names.grant(&[], &grant),
                });
            }
        }
    }
    Ok(parts)
}
