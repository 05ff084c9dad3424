//! What features, segments and environments say in their custom fields.

use std::collections::HashMap;

use burgee_model::metadata::{ContentType, FieldType};
use burgee_store::metadata_fields::{self, MetadataField, ModelField};
use burgee_store::projects::Project;
use burgee_store::{Tx, metadata};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use burgee_store::metadata::MetadataValue;

use crate::{Error, Result};

/// A value as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataEdit {
    pub model_field: i64,
    pub field_value: String,
}

/// The object whose values are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    Environment(i64),
    Feature(i64),
    Segment(i64),
}

impl Owner {
    pub(crate) fn content_type(self) -> ContentType {
        match self {
            Self::Environment(_) => ContentType::Environment,
            Self::Feature(_) => ContentType::Feature,
            Self::Segment(_) => ContentType::Segment,
        }
    }

    /// Its id in the column of its kind: environment, feature, segment.
    fn columns(self) -> (Option<i64>, Option<i64>, Option<i64>) {
        match self {
            Self::Environment(id) => (Some(id), None, None),
            Self::Feature(id) => (None, Some(id), None),
            Self::Segment(id) => (None, None, Some(id)),
        }
    }

    fn of(value: &MetadataValue) -> Option<Self> {
        let environment = value.environment_id.map(Self::Environment);
        let feature = value.feature_id.map(Self::Feature);
        environment.or(feature).or(value.segment_id.map(Self::Segment))
    }
}

/// The values at one object.
pub async fn of_object(tx: &mut Tx, owner: Owner) -> Result<Vec<MetadataValue>> {
    Ok(metadata::of_object(tx, owner.columns()).await?)
}

/// The values at all objects of a project: one statement however many there are.
pub async fn of_project(tx: &mut Tx, project_id: i64) -> Result<HashMap<Owner, Vec<MetadataValue>>> {
    let mut by_owner: HashMap<Owner, Vec<MetadataValue>> = HashMap::new();
    for value in metadata::of_project(tx, project_id).await? {
        if let Some(owner) = Owner::of(&value) {
            by_owner.entry(owner).or_default().push(value);
        }
    }
    Ok(by_owner)
}

/// How an object is written: what is asked of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// All of it: required fields must be there afterwards.
    Whole,
    /// Single fields of it: what is not spoken of is not looked at.
    Part,
}

/// Makes these the values of an object; not given, they stay. Fails where one does not fit or one required is missing.
pub(crate) async fn write(
    tx: &mut Tx,
    project: &Project,
    owner: Owner,
    edits: Option<Vec<MetadataEdit>>,
    write: Write,
) -> Result<()> {
    if edits.is_none() && write == Write::Part {
        return Ok(());
    }
    let fields = Fields::load(tx, project, owner.content_type()).await?;
    let present = of_object(tx, owner).await?;
    let Some(edits) = edits else {
        return fields.require(
            project,
            &present
                .iter()
                .map(|value| value.model_field_id)
                .collect::<Vec<_>>(),
        );
    };
    fields.check(&edits)?;
    fields.require(
        project,
        &edits.iter().map(|edit| edit.model_field).collect::<Vec<_>>(),
    )?;
    for value in &present {
        if !edits.iter().any(|edit| edit.model_field == value.model_field_id) {
            metadata::delete(tx, value.id).await?;
        }
    }
    put(tx, owner, &present, edits).await
}

/// Writes values of an object beside its others. Whoever calls has checked them.
pub(crate) async fn merge(tx: &mut Tx, owner: Owner, edits: Vec<MetadataEdit>) -> Result<()> {
    if edits.is_empty() {
        return Ok(());
    }
    let present = of_object(tx, owner).await?;
    put(tx, owner, &present, edits).await
}

async fn put(tx: &mut Tx, owner: Owner, present: &[MetadataValue], edits: Vec<MetadataEdit>) -> Result<()> {
    let (environment_id, feature_id, segment_id) = owner.columns();
    for edit in edits {
        let old = present
            .iter()
            .find(|value| value.model_field_id == edit.model_field);
        if let Some(old) = old {
            metadata::set(tx, old.id, &edit.field_value).await?;
            continue;
        }
        let value = MetadataValue {
            id: 0,
            model_field_id: edit.model_field,
            environment_id,
            feature_id,
            segment_id,
            field_value: edit.field_value,
        };
        metadata::insert(tx, &value).await?;
    }
    Ok(())
}

/// Those of the values whose fields the object still has, and that are still of their types.
pub(crate) async fn still_possible(
    tx: &mut Tx,
    project: &Project,
    owner: Owner,
    mut values: Vec<MetadataEdit>,
) -> Result<Vec<MetadataEdit>> {
    let known = Fields::load(tx, project, owner.content_type()).await?.fields;
    values.retain(|value| {
        let found = known
            .iter()
            .find(|(model_field, _)| model_field.id == value.model_field);
        found.is_some_and(|(_, field)| fits(field, &value.field_value))
    });
    Ok(values)
}

/// Gives a copy the values of its original.
pub(crate) async fn copy(tx: &mut Tx, from: Owner, to: Owner) -> Result<()> {
    let (environment_id, feature_id, segment_id) = to.columns();
    for value in of_object(tx, from).await? {
        let value = MetadataValue {
            environment_id,
            feature_id,
            segment_id,
            ..value
        };
        metadata::insert(tx, &value).await?;
    }
    Ok(())
}

/// The fields that one kind of object has in a project.
struct Fields {
    fields: Vec<(ModelField, MetadataField)>,
    required: Vec<metadata_fields::Requirement>,
}

impl Fields {
    async fn load(tx: &mut Tx, project: &Project, content_type: ContentType) -> Result<Self> {
        let organisation = project.organisation_id;
        let mut fields: HashMap<i64, MetadataField> = metadata_fields::list(tx, organisation)
            .await?
            .into_iter()
            .filter(|field| field.project_id.is_none_or(|only| only == project.id))
            .map(|field| (field.id, field))
            .collect();
        let model_fields = metadata_fields::model_fields(tx, organisation).await?;
        let fields = model_fields
            .into_iter()
            .filter(|model_field| model_field.content_type == content_type.id())
            .filter_map(|model_field| {
                let field = fields.remove(&model_field.field_id)?;
                Some((model_field, field))
            });
        Ok(Self {
            fields: fields.collect(),
            required: metadata_fields::requirements(tx, organisation).await?,
        })
    }

    /// Fails unless every value is one of a field the object has, at most once each, and fits it.
    fn check(&self, edits: &[MetadataEdit]) -> Result<()> {
        let mut wrong: Vec<Value> = Vec::with_capacity(edits.len());
        for (index, edit) in edits.iter().enumerate() {
            let found = self
                .fields
                .iter()
                .find(|(model_field, _)| model_field.id == edit.model_field);
            let twice = edits[..index]
                .iter()
                .any(|earlier| earlier.model_field == edit.model_field);
            wrong.push(match found {
                None => {
                    let text = format!("Invalid pk \"{}\" - object does not exist.", edit.model_field);
                    json!({ "model_field": [text] })
                }
                Some(_) if twice => json!({ "model_field": ["This field is given more than once."] }),
                Some((_, field)) if !fits(field, &edit.field_value) => {
                    let text = format!(
                        "Invalid value for field {}: not of type {}.",
                        field.name, field.r#type
                    );
                    json!({ "field_value": [text] })
                }
                Some(_) => json!({}),
            });
        }
        if wrong
            .iter()
            .all(|item| item.as_object().is_some_and(serde_json::Map::is_empty))
        {
            Ok(())
        } else {
            Err(Error::Rejected(json!({ "metadata": wrong })))
        }
    }

    /// Fails unless every field that is required in the project is among those given.
    fn require(&self, project: &Project, given: &[i64]) -> Result<()> {
        for (model_field, field) in &self.fields {
            let required = self.required.iter().any(|place| {
                place.model_field_id == model_field.id
                    && (place.project_id == Some(project.id)
                        || place.organisation_id == Some(project.organisation_id))
            });
            if required && !given.contains(&model_field.id) {
                let text = format!("Missing required metadata field: {}", field.name);
                return Err(Error::field("metadata", text));
            }
        }
        Ok(())
    }
}

/// Whether a text is a value of the field's kind.
pub(crate) fn fits(field: &MetadataField, text: &str) -> bool {
    FieldType::parse(&field.r#type).is_some_and(|kind| kind.accepts(text))
}

/// What the change log keeps of an object, with its values where it has any.
pub(crate) async fn logged(tx: &mut Tx, owner: Owner, mut object: Value) -> Result<Value> {
    let values = of_object(tx, owner).await?;
    if !values.is_empty() {
        let values = values
            .iter()
            .map(|value| json!({ "model_field": value.model_field_id, "field_value": value.field_value }));
        object["metadata"] = values.collect();
    }
    Ok(object)
}
