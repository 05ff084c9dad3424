//! Tags of features.

use burgee_model::permissions::ProjectPermission;
use burgee_store::{Tx, tags};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::tags::Tag;

use crate::change::{Action, Change, Kind};
use crate::features::project_for;
use crate::{App, Caller, Error, Result, projects};

/// What a client may set of a tag. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct TagEdit {
    pub label: Option<String>,
    pub color: Option<String>,
    pub description: Option<Option<String>>,
    pub is_permanent: Option<bool>,
}

/// The tags of a project.
pub async fn list(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<Tag>> {
    projects::get(tx, caller, project_id).await?;
    Ok(tags::list(tx, project_id).await?)
}

/// One tag.
pub async fn get(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<Tag> {
    projects::get(tx, caller, project_id).await?;
    tags::find(tx, project_id, id)
        .await?
        .ok_or_else(|| Error::no_match("Tag"))
}

/// One tag, by its uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, project_id: i64, uuid: &str) -> Result<Tag> {
    projects::get(tx, caller, project_id).await?;
    tags::find_by_uuid(tx, project_id, uuid)
        .await?
        .ok_or_else(|| Error::no_match("Tag"))
}

/// Creates a tag.
pub async fn create(app: &App, caller: &Caller, project_id: i64, edit: TagEdit) -> Result<Tag> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::ManageTags).await?;
    let mut tag = Tag {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        project_id,
        label: String::new(),
        // The colour the dashboard offers first.
        color: "#3D4DB6".to_owned(),
        description: None,
        is_permanent: false,
        is_system_tag: false,
        r#type: "NONE".to_owned(),
    };
    apply(&mut tag, edit);
    tag.id = tags::insert(&mut tx, &tag).await?;
    let change = Change::new(caller, Kind::Tag, Action::Create, tag.id)
        .in_project(&project)
        .uuid(&tag.uuid)
        .after(as_json(&tag));
    app.commit(tx, vec![change.into()]).await?;
    Ok(tag)
}

/// Changes a tag.
pub async fn update(app: &App, caller: &Caller, project_id: i64, id: i64, edit: TagEdit) -> Result<Tag> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::ManageTags).await?;
    let before = changeable(&mut tx, project_id, id).await?;
    let mut tag = before.clone();
    apply(&mut tag, edit);
    tags::update(&mut tx, &tag).await?;
    let change = Change::new(caller, Kind::Tag, Action::Update, tag.id)
        .in_project(&project)
        .uuid(&tag.uuid)
        .before(as_json(&before))
        .after(as_json(&tag));
    app.commit(tx, vec![change.into()]).await?;
    Ok(tag)
}

/// Deletes a tag; features lose it.
pub async fn delete(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::ManageTags).await?;
    let tag = changeable(&mut tx, project_id, id).await?;
    tags::delete(&mut tx, id).await?;
    let change = Change::new(caller, Kind::Tag, Action::Delete, id)
        .in_project(&project)
        .uuid(&tag.uuid)
        .before(as_json(&tag));
    app.commit(tx, vec![change.into()]).await
}

/// A tag that clients may change: those of the product itself they may not.
async fn changeable(tx: &mut Tx, project_id: i64, id: i64) -> Result<Tag> {
    let tag = tags::find(tx, project_id, id)
        .await?
        .ok_or_else(|| Error::no_match("Tag"))?;
    if tag.is_system_tag {
        return Err(Error::forbidden());
    }
    Ok(tag)
}

fn apply(tag: &mut Tag, edit: TagEdit) {
    if let Some(label) = edit.label {
        tag.label = label;
    }
    if let Some(color) = edit.color {
        tag.color = color;
    }
    if let Some(description) = edit.description {
        tag.description = description;
    }
    if let Some(is_permanent) = edit.is_permanent {
        tag.is_permanent = is_permanent;
    }
}

fn as_json(tag: &Tag) -> Value {
    json!({
        "label": tag.label,
        "color": tag.color,
        "description": tag.description,
        "is_permanent": tag.is_permanent,
    })
}
