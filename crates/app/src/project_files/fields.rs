//! Custom fields on their way into a file: what they are, and what objects say in them.

use std::collections::HashMap;

use burgee_model::metadata::ContentType;
use burgee_store::Tx;
use burgee_store::metadata_fields::{self, MetadataField, ModelField, Requirement};
use burgee_store::projects::Project;

use super::{FieldPart, FieldUsePart, MetadataPart};
use crate::Result;
use crate::metadata::{self, MetadataValue, Owner};

/// The custom fields of an organisation, and the values at the objects of one project.
pub(super) struct Fields {
    all: Vec<MetadataField>,
    uses: Vec<ModelField>,
    requirements: Vec<Requirement>,
    values: HashMap<Owner, Vec<MetadataValue>>,
}

impl Fields {
    /// Those a project has or inherits.
    pub(super) async fn of_project(tx: &mut Tx, project: &Project) -> Result<Self> {
        let mut found = Self::of_organisation(tx, project.organisation_id).await?;
        found
            .all
            .retain(|field| field.project_id.is_none_or(|only| only == project.id));
        found.values = metadata::of_project(tx, project.id).await?;
        Ok(found)
    }

    async fn of_organisation(tx: &mut Tx, organisation_id: i64) -> Result<Self> {
        Ok(Self {
            all: metadata_fields::list(tx, organisation_id).await?,
            uses: metadata_fields::model_fields(tx, organisation_id).await?,
            requirements: metadata_fields::requirements(tx, organisation_id).await?,
            values: HashMap::new(),
        })
    }

    /// What they are; what is required says `required`.
    fn parts(&self, required: impl Fn(&Requirement) -> bool) -> Vec<FieldPart> {
        let part = |field: &MetadataField| {
            let on = self.uses.iter().filter(|used| used.field_id == field.id);
            let on = on.filter_map(|used| {
                Some(FieldUsePart {
                    kind: ContentType::from_id(used.content_type)?.model().to_owned(),
                    required: self
                        .requirements
                        .iter()
                        .any(|place| place.model_field_id == used.id && required(place)),
                })
            });
            FieldPart {
                name: field.name.clone(),
                own: field.project_id.is_some(),
                r#type: field.r#type.clone(),
                description: field.description.clone(),
                on: on.collect(),
            }
        };
        self.all.iter().map(part).collect()
    }

    pub(super) fn of(&self, project: &Project) -> Vec<FieldPart> {
        self.parts(|place| {
            place.project_id == Some(project.id) || place.organisation_id == Some(project.organisation_id)
        })
    }

    /// What an object says in them.
    pub(super) fn values(&self, owner: Owner) -> Vec<MetadataPart> {
        let values = self.values.get(&owner).into_iter().flatten();
        let parts = values.filter_map(|value| {
            let used = self.uses.iter().find(|used| used.id == value.model_field_id)?;
            let field = self.all.iter().find(|field| field.id == used.field_id)?;
            Some(MetadataPart {
                field: field.name.clone(),
                own: field.project_id.is_some(),
                value: value.field_value.clone(),
            })
        });
        parts.collect()
    }
}

/// The fields of an organisation that are not a project's.
pub(crate) async fn of_organisation(tx: &mut Tx, organisation_id: i64) -> Result<Vec<FieldPart>> {
    let mut found = Fields::of_organisation(tx, organisation_id).await?;
    found.all.retain(|field| field.project_id.is_none());
    Ok(found.parts(|place| place.organisation_id == Some(organisation_id)))
}
