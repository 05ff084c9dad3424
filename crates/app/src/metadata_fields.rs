//! Custom fields of organisations and projects, and which kinds of object have them.

use std::collections::HashMap;

use burgee_model::Problems;
use burgee_model::metadata::{ContentType, FieldType};
use burgee_store::{Tx, metadata, metadata_fields, projects as project_rows};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::metadata_fields::{MetadataField, ModelField, Requirement};

use crate::change::{Action, Change, Kind};
use crate::{App, Caller, Error, Result, organisations, projects};

/// What a client may set of a field. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct FieldEdit {
    pub name: Option<String>,
    pub kind: Option<&'static str>,
    pub description: Option<Option<String>>,
}

/// A field with the kinds of object that have it.
#[derive(Debug, Clone)]
pub struct FieldDetails {
    pub field: MetadataField,
    pub model_fields: Vec<ModelFieldDetails>,
}

/// That a kind of object has a field, and where it must.
#[derive(Debug, Clone)]
pub struct ModelFieldDetails {
    pub model_field: ModelField,
    pub required_in: Vec<Place>,
}

/// Where a field is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub content_type: i64,
    pub object_id: i64,
}

fn no_field() -> Error {
    Error::no_match("MetadataField")
}

fn no_model_field() -> Error {
    Error::no_match("MetadataModelField")
}

/// The fields of an organisation, for its members.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<FieldDetails>> {
    organisations::for_member(tx, caller, organisation_id).await?;
    all(tx, organisation_id).await
}

async fn all(tx: &mut Tx, organisation_id: i64) -> Result<Vec<FieldDetails>> {
    let mut by_field: HashMap<i64, Vec<ModelFieldDetails>> = HashMap::new();
    for details in all_model_fields(tx, organisation_id).await? {
        by_field
            .entry(details.model_field.field_id)
            .or_default()
            .push(details);
    }
    let fields = metadata_fields::list(tx, organisation_id).await?.into_iter();
    let described = fields.map(|field| FieldDetails {
        model_fields: by_field.remove(&field.id).unwrap_or_default(),
        field,
    });
    Ok(described.collect())
}

/// The fields of a project; on demand with those it inherits from its organisation, unless it has one of that name.
pub async fn list_of_project(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entity: Option<ContentType>,
    inherited: bool,
) -> Result<Vec<FieldDetails>> {
    let project = projects::get(tx, caller, project_id).await?;
    let mut found = all(tx, project.organisation_id).await?;
    let own: Vec<String> = found
        .iter()
        .filter(|details| details.field.project_id == Some(project_id))
        .map(|details| details.field.name.clone())
        .collect();
    found.retain(|details| match details.field.project_id {
        Some(id) => id == project_id,
        None => inherited && !own.contains(&details.field.name),
    });
    if let Some(entity) = entity {
        found.retain(|details| {
            details
                .model_fields
                .iter()
                .any(|of| of.model_field.content_type == entity.id())
        });
    }
    Ok(found)
}

/// One field that a project has or inherits.
pub async fn get_of_project(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<FieldDetails> {
    let found = list_of_project(tx, caller, project_id, None, true).await?;
    found
        .into_iter()
        .find(|details| details.field.id == id)
        .ok_or_else(no_field)
}

/// One field, for members of its organisation.
pub async fn get(tx: &mut Tx, caller: &Caller, id: i64) -> Result<FieldDetails> {
    let field = visible(tx, caller, id).await?;
    describe(tx, field).await
}

async fn visible(tx: &mut Tx, caller: &Caller, id: i64) -> Result<MetadataField> {
    let field = metadata_fields::find(tx, id).await?.ok_or_else(no_field)?;
    match caller.role(tx, field.organisation_id).await? {
        Some(_) => Ok(field),
        None => Err(no_field()),
    }
}

async fn describe(tx: &mut Tx, field: MetadataField) -> Result<FieldDetails> {
    let found = all(tx, field.organisation_id).await?;
    found
        .into_iter()
        .find(|details| details.field.id == field.id)
        .ok_or_else(no_field)
}

/// Fields of a project are for its administrators, the others for those of the organisation.
async fn require_manage(
    tx: &mut Tx,
    caller: &Caller,
    organisation_id: i64,
    project_id: Option<i64>,
) -> Result<()> {
    let Some(project_id) = project_id else {
        return caller.require_organisation_admin(tx, organisation_id).await;
    };
    let project = project_rows::find(tx, project_id).await?;
    let project = project.filter(|project| project.organisation_id == organisation_id);
    let project = project.ok_or_else(|| Error::no_such("project", project_id))?;
    caller.require_project_admin(tx, &project).await
}

/// Creates a field of an organisation, or of one of its projects.
pub async fn create(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    project_id: Option<i64>,
    edit: FieldEdit,
) -> Result<FieldDetails> {
    let mut tx = app.begin().await?;
    organisations::for_member(&mut tx, caller, organisation_id).await?;
    require_manage(&mut tx, caller, organisation_id, project_id).await?;
    let mut field = MetadataField {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        organisation_id,
        project_id,
        name: String::new(),
        r#type: FieldType::Text.as_str().to_owned(),
        description: None,
    };
    apply(&mut field, edit);
    refuse_taken_name(&mut tx, &field).await?;
    field.id = metadata_fields::insert(&mut tx, &field).await?;
    let change = line(caller, Action::Create, &field).after(as_json(&field));
    app.commit(tx, vec![change.into()]).await?;
    Ok(FieldDetails {
        field,
        model_fields: Vec::new(),
    })
}

/// Changes a field. Its values must be of its type afterwards, too.
pub async fn update(app: &App, caller: &Caller, id: i64, edit: FieldEdit) -> Result<FieldDetails> {
    let mut tx = app.begin().await?;
    let before = visible(&mut tx, caller, id).await?;
    require_manage(&mut tx, caller, before.organisation_id, before.project_id).await?;
    let mut field = before.clone();
    apply(&mut field, edit);
    refuse_taken_name(&mut tx, &field).await?;
    if field.r#type != before.r#type {
        let values = metadata::of_field(&mut tx, id).await?;
        if let Some(value) = values
            .iter()
            .find(|value| !crate::metadata::fits(&field, &value.field_value))
        {
            let text = format!(
                "The field has values of another type, among them \"{}\".",
                value.field_value
            );
            return Err(Error::field("type", text));
        }
    }
    metadata_fields::update(&mut tx, &field).await?;
    let change = line(caller, Action::Update, &field)
        .before(as_json(&before))
        .after(as_json(&field));
    let details = describe(&mut tx, field).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Deletes a field with all its values.
pub async fn delete(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let field = visible(&mut tx, caller, id).await?;
    require_manage(&mut tx, caller, field.organisation_id, field.project_id).await?;
    metadata_fields::delete(&mut tx, id).await?;
    let change = line(caller, Action::Delete, &field).before(as_json(&field));
    app.commit(tx, vec![change.into()]).await
}

fn apply(field: &mut MetadataField, edit: FieldEdit) {
    if let Some(name) = edit.name {
        field.name = name;
    }
    if let Some(kind) = edit.kind {
        kind.clone_into(&mut field.r#type);
    }
    if let Some(description) = edit.description {
        field.description = description;
    }
}

/// Two fields of one name in one place could not be told apart.
async fn refuse_taken_name(tx: &mut Tx, field: &MetadataField) -> Result<()> {
    let others = metadata_fields::list(tx, field.organisation_id).await?;
    let taken = others.iter().any(|other| {
        other.id != field.id && other.project_id == field.project_id && other.name == field.name
    });
    if taken {
        let text = "A metadata field with this name already exists.";
        return Err(Problems::field("name", text).into());
    }
    Ok(())
}

fn line(caller: &Caller, action: Action, field: &MetadataField) -> Change {
    Change::new(caller, Kind::MetadataField, action, field.id)
        .in_organisation(field.organisation_id)
        .uuid(&field.uuid)
}

pub(crate) fn as_json(field: &MetadataField) -> Value {
    json!({
        "name": field.name,
        "type": field.r#type,
        "description": field.description,
        "project": field.project_id,
    })
}

/// Which kinds of object have which fields of an organisation, for its members.
pub async fn list_model_fields(
    tx: &mut Tx,
    caller: &Caller,
    organisation_id: i64,
) -> Result<Vec<ModelFieldDetails>> {
    organisations::for_member(tx, caller, organisation_id).await?;
    all_model_fields(tx, organisation_id).await
}

async fn all_model_fields(tx: &mut Tx, organisation_id: i64) -> Result<Vec<ModelFieldDetails>> {
    let mut places: HashMap<i64, Vec<Place>> = HashMap::new();
    for requirement in metadata_fields::requirements(tx, organisation_id).await? {
        let place = match (requirement.project_id, requirement.organisation_id) {
            (Some(id), _) => (ContentType::Project, id),
            (None, Some(id)) => (ContentType::Organisation, id),
            (None, None) => continue,
        };
        places.entry(requirement.model_field_id).or_default().push(Place {
            content_type: place.0.id(),
            object_id: place.1,
        });
    }
    let found = metadata_fields::model_fields(tx, organisation_id)
        .await?
        .into_iter();
    let described = found.map(|model_field| ModelFieldDetails {
        required_in: places.remove(&model_field.id).unwrap_or_default(),
        model_field,
    });
    Ok(described.collect())
}

/// One of them.
pub async fn get_model_field(
    tx: &mut Tx,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
) -> Result<ModelFieldDetails> {
    let found = list_model_fields(tx, caller, organisation_id).await?;
    found
        .into_iter()
        .find(|details| details.model_field.id == id)
        .ok_or_else(no_model_field)
}

/// What a client may set of it. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ModelFieldEdit {
    pub field: Option<i64>,
    pub content_type: Option<i64>,
    pub required_in: Option<Vec<Place>>,
}

/// Gives a field to a kind of object.
pub async fn create_model_field(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    edit: ModelFieldEdit,
) -> Result<ModelFieldDetails> {
    let mut tx = app.begin().await?;
    organisations::for_member(&mut tx, caller, organisation_id).await?;
    let mut details = ModelFieldDetails {
        model_field: ModelField {
            id: 0,
            uuid: Uuid::new_v4().to_string(),
            field_id: 0,
            content_type: 0,
        },
        required_in: Vec::new(),
    };
    let field = put(&mut tx, caller, organisation_id, &mut details, edit).await?;
    let model_field = &mut details.model_field;
    model_field.id = metadata_fields::insert_model_field(&mut tx, model_field).await?;
    let change = finish(&mut tx, caller, &field, &details)
        .await?
        .after(model_as_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Changes which kind of object has a field, and where it is required.
pub async fn update_model_field(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    edit: ModelFieldEdit,
) -> Result<ModelFieldDetails> {
    let mut tx = app.begin().await?;
    let before = get_model_field(&mut tx, caller, organisation_id, id).await?;
    let old = field_in(&mut tx, organisation_id, before.model_field.field_id).await?;
    require_manage(&mut tx, caller, organisation_id, old.project_id).await?;
    let mut details = before.clone();
    let field = put(&mut tx, caller, organisation_id, &mut details, edit).await?;
    if details.model_field != before.model_field && metadata::is_used(&mut tx, id).await? {
        let text = "There are values of this field; it can't be changed into another.";
        return Err(Problems::whole(text).into());
    }
    metadata_fields::update_model_field(&mut tx, &details.model_field).await?;
    let change = finish(&mut tx, caller, &field, &details)
        .await?
        .before(model_as_json(&before))
        .after(model_as_json(&details));
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Takes a field away from a kind of object, with its values there.
pub async fn delete_model_field(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let details = get_model_field(&mut tx, caller, organisation_id, id).await?;
    let field = field_in(&mut tx, organisation_id, details.model_field.field_id).await?;
    require_manage(&mut tx, caller, organisation_id, field.project_id).await?;
    metadata_fields::delete_model_field(&mut tx, id).await?;
    let change = line(caller, Action::Update, &field).before(model_as_json(&details));
    app.commit(tx, vec![change.into()]).await
}

async fn field_in(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<MetadataField> {
    let field = metadata_fields::find(tx, id).await?;
    field
        .filter(|field| field.organisation_id == organisation_id)
        .ok_or_else(|| Error::no_such("field", id))
}

/// Applies an edit, with every rule for it.
async fn put(
    tx: &mut Tx,
    caller: &Caller,
    organisation_id: i64,
    details: &mut ModelFieldDetails,
    edit: ModelFieldEdit,
) -> Result<MetadataField> {
    if let Some(id) = edit.field {
        details.model_field.field_id = id;
    }
    let field = field_in(tx, organisation_id, details.model_field.field_id).await?;
    require_manage(tx, caller, organisation_id, field.project_id).await?;
    if let Some(id) = edit.content_type {
        details.model_field.content_type = id;
    }
    let number = details.model_field.content_type;
    let content_type = ContentType::from_id(number).filter(|kind| kind.has_values());
    let content_type = content_type.ok_or_else(|| Error::no_such("content_type", number))?;
    if let Some(places) = edit.required_in {
        check_places(tx, &field, content_type, &places).await?;
        details.required_in.clear();
        for place in places {
            if !details.required_in.contains(&place) {
                details.required_in.push(place);
            }
        }
    }
    let others = metadata_fields::model_fields(tx, organisation_id).await?;
    let taken = others.iter().any(|other| {
        other.id != details.model_field.id && other.field_id == field.id && other.content_type == number
    });
    if taken {
        let text = "The fields field, content_type must make a unique set.";
        return Err(Problems::whole(text).into());
    }
    Ok(field)
}

/// A field can be required in its own organisation, and there in the projects that have it.
async fn check_places(
    tx: &mut Tx,
    field: &MetadataField,
    content_type: ContentType,
    places: &[Place],
) -> Result<()> {
    let mut wrong = Vec::with_capacity(places.len());
    for place in places {
        let kind = ContentType::from_id(place.content_type);
        let kind = kind.filter(|kind| content_type.required_in().contains(kind));
        let fits = match kind {
            None => {
                let text = format!("Invalid pk \"{}\" - object does not exist.", place.content_type);
                wrong.push(json!({ "content_type": [text] }));
                continue;
            }
            Some(ContentType::Organisation) => {
                place.object_id == field.organisation_id && field.project_id.is_none()
            }
            Some(_) => {
                let project = project_rows::find(tx, place.object_id).await?;
                project.is_some_and(|project| project.organisation_id == field.organisation_id)
                    && field.project_id.is_none_or(|only| only == place.object_id)
            }
        };
        wrong.push(if fits {
            json!({})
        } else {
            let text = format!("Invalid pk \"{}\" - object does not exist.", place.object_id);
            json!({ "object_id": [text] })
        });
    }
    if wrong.iter().all(|item| *item == json!({})) {
        Ok(())
    } else {
        Err(Error::Rejected(json!({ "is_required_for": wrong })))
    }
}

/// Writes where the field is required; gives the line for the log.
async fn finish(
    tx: &mut Tx,
    caller: &Caller,
    field: &MetadataField,
    details: &ModelFieldDetails,
) -> Result<Change> {
    let id = details.model_field.id;
    let rows: Vec<Requirement> = details
        .required_in
        .iter()
        .map(|place| {
            let in_project = place.content_type == ContentType::Project.id();
            Requirement {
                model_field_id: id,
                organisation_id: (!in_project).then_some(place.object_id),
                project_id: in_project.then_some(place.object_id),
            }
        })
        .collect();
    metadata_fields::set_requirements(tx, id, &rows).await?;
    Ok(line(caller, Action::Update, field))
}

fn model_as_json(details: &ModelFieldDetails) -> Value {
    let places = details
        .required_in
        .iter()
        .map(|place| json!({ "content_type": place.content_type, "object_id": place.object_id }));
    json!({
        "model_field": details.model_field.id,
        "content_type": details.model_field.content_type,
        "is_required_for": places.collect::<Vec<_>>(),
    })
}
