//! Custom fields, found by their names, and what objects say in them.

use burgee_model::metadata::ContentType;
use burgee_store::Tx;
use burgee_store::metadata_fields::{self, MetadataField, ModelField, Requirement};
use serde_json::json;
use uuid::Uuid;

use super::Work;
use crate::Result;
use crate::change::Kind;
use crate::metadata::{self, MetadataEdit, Owner};
use crate::project_files::{FieldPart, FieldUsePart, MetadataPart, ProjectPart};

/// A field of the file as it is here, at a kind of object that has it.
#[derive(Debug, Clone)]
pub(super) struct KnownField {
    /// What the file calls it.
    name: String,
    own: bool,
    content_type: ContentType,
    model_field_id: i64,
    field: MetadataField,
}

impl Work<'_> {
    /// Finds the fields the file speaks of, the project's own first; what is found nowhere becomes the project's own.
    pub(super) async fn fields(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let organisation_id = self.project.organisation_id;
        let mut present = metadata_fields::list(tx, organisation_id).await?;
        present.retain(|field| field.project_id.is_none_or(|only| only == self.project.id));
        for part in &part.fields {
            let named = |own: bool| {
                let found = present
                    .iter()
                    .find(|field| field.name == part.name && field.project_id.is_some() == own);
                found.cloned()
            };
            let found = named(part.own).or_else(|| named(!part.own));
            self.imported.count("custom fields", found.is_none());
            let field = match found {
                Some(field) => field,
                None => self.new_field(tx, part).await?,
            };
            if field.r#type != part.r#type {
                let why = format!(
                    "it is of type {} here; what does not fit is left out",
                    field.r#type
                );
                self.imported
                    .miss(format!("the type of custom field {:?}", part.name), why);
            }
            for used in &part.on {
                self.used(tx, part, used, &field).await?;
            }
        }
        Ok(())
    }

    async fn new_field(&mut self, tx: &mut Tx, part: &FieldPart) -> Result<MetadataField> {
        let mut field = MetadataField {
            id: 0,
            uuid: Uuid::new_v4().to_string(),
            organisation_id: self.project.organisation_id,
            project_id: Some(self.project.id),
            name: part.name.clone(),
            r#type: part.r#type.clone(),
            description: part.description.clone(),
        };
        field.id = metadata_fields::insert(tx, &field).await?;
        let line = format!("Metadata field created: {}", field.name);
        let after = crate::metadata_fields::as_json(&field);
        self.log(Kind::MetadataField, true, field.id, line, after);
        Ok(field)
    }

    /// That a kind of object has the field. A project's file does not change what the organisation decided of its own.
    async fn used(
        &mut self,
        tx: &mut Tx,
        part: &FieldPart,
        used: &FieldUsePart,
        field: &MetadataField,
    ) -> Result<()> {
        let Some(content_type) = ContentType::from_model(&used.kind).filter(|kind| kind.has_values()) else {
            return Ok(());
        };
        let others = metadata_fields::model_fields(tx, self.project.organisation_id).await?;
        let found = others
            .into_iter()
            .find(|other| other.field_id == field.id && other.content_type == content_type.id());
        let may = field.project_id.is_some() || self.by_organisation;
        let what = format!("custom field {:?} of {}s", part.name, used.kind);
        let model_field_id = match found {
            Some(found) => found.id,
            None if may => {
                let new = ModelField {
                    id: 0,
                    uuid: Uuid::new_v4().to_string(),
                    field_id: field.id,
                    content_type: content_type.id(),
                };
                metadata_fields::insert_model_field(tx, &new).await?
            }
            None => {
                self.imported
                    .miss(what, "the organisation does not give it to them");
                return Ok(());
            }
        };
        if used.required {
            self.require(tx, model_field_id, &what, may).await?;
        }
        let line = format!("Metadata field updated: {}", field.name);
        let after = json!({ "name": field.name, "model_field": model_field_id, "content_type": content_type.id(),
            "is_required": used.required });
        self.log(Kind::MetadataField, false, field.id, line, after);
        self.known_fields.push(KnownField {
            name: part.name.clone(),
            own: part.own,
            content_type,
            model_field_id,
            field: field.clone(),
        });
        Ok(())
    }

    async fn require(&mut self, tx: &mut Tx, model_field_id: i64, what: &str, may: bool) -> Result<()> {
        let all = metadata_fields::requirements(tx, self.project.organisation_id).await?;
        let mut places: Vec<Requirement> = all
            .into_iter()
            .filter(|place| place.model_field_id == model_field_id)
            .collect();
        let here = places
            .iter()
            .any(|place| place.project_id == Some(self.project.id) || place.organisation_id.is_some());
        if here {
            return Ok(());
        }
        if !may {
            self.imported.miss(
                format!("that {what} is required"),
                "this is for administrators of the organisation to say",
            );
            return Ok(());
        }
        places.push(Requirement {
            model_field_id,
            organisation_id: None,
            project_id: Some(self.project.id),
        });
        metadata_fields::set_requirements(tx, model_field_id, &places).await?;
        Ok(())
    }

    /// Writes what an object says in its custom fields, beside what it says in others.
    pub(super) async fn values(&mut self, tx: &mut Tx, owner: Owner, parts: &[MetadataPart]) -> Result<()> {
        let mut edits = Vec::with_capacity(parts.len());
        for part in parts {
            let found = self.known_fields.iter().find(|known| {
                known.name == part.field
                    && known.own == part.own
                    && known.content_type == owner.content_type()
            });
            match found {
                Some(known) if metadata::fits(&known.field, &part.value) => edits.push(MetadataEdit {
                    model_field: known.model_field_id,
                    field_value: part.value.clone(),
                }),
                _ => self.values_lost += 1,
            }
        }
        metadata::merge(tx, owner, edits).await
    }

    pub(super) fn tell_lost_values(&mut self) {
        if self.values_lost > 0 {
            let what = format!("{} values of custom fields", self.values_lost);
            self.imported.miss(
                what,
                "there is no such field for these objects here, or they are not of its type",
            );
        }
    }
}

/// Gives an organisation the fields that are its own and not a project's; what is there by name stays as it is. Answers
/// the new ones.
pub(crate) async fn of_organisation(
    tx: &mut Tx,
    organisation_id: i64,
    parts: &[FieldPart],
) -> Result<Vec<MetadataField>> {
    let present = metadata_fields::list(tx, organisation_id).await?;
    let mut made = Vec::new();
    for part in parts {
        let same = |field: &&MetadataField| field.name == part.name && field.project_id.is_none();
        if present.iter().chain(&made).any(|field| same(&field)) {
            continue;
        }
        let mut field = MetadataField {
            id: 0,
            uuid: Uuid::new_v4().to_string(),
            organisation_id,
            project_id: None,
            name: part.name.clone(),
            r#type: part.r#type.clone(),
            description: part.description.clone(),
        };
        field.id = metadata_fields::insert(tx, &field).await?;
        for used in &part.on {
            let kind = ContentType::from_model(&used.kind).filter(|kind| kind.has_values());
            let Some(content_type) = kind else { continue };
            let new = ModelField {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                field_id: field.id,
                content_type: content_type.id(),
            };
            let model_field_id = metadata_fields::insert_model_field(tx, &new).await?;
            if used.required {
                let everywhere = Requirement {
                    model_field_id,
                    organisation_id: Some(organisation_id),
                    project_id: None,
                };
                metadata_fields::set_requirements(tx, model_field_id, &[everywhere]).await?;
            }
        }
        made.push(field);
    }
    Ok(made)
}
