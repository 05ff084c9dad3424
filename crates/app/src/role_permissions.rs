//! What a role may do at an organisation, a project or an environment.

use burgee_model::permissions::supports_tag;
use burgee_store::grants::{self, Object};
use burgee_store::roles::Role;
use burgee_store::{DbError, Tx, environments, projects, tags};
use serde_json::{Value, json};

pub use burgee_store::grants::{Grant, Granted};

use crate::change::{Action, Change, Kind};
use crate::permissions::Level;
use crate::roles::get as role_for;
use crate::{App, Caller, Error, Place, Result};

/// What a role is to be allowed at one object. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct RoleGrantEdit {
    /// The id of the project or environment. Can't be changed later.
    pub object: Option<i64>,
    pub permissions: Option<Vec<Granted>>,
    pub admin: Option<bool>,
}

/// An object that a role is granted something at, with the place for the change log.
struct Spot {
    object: Object,
    project: Option<projects::Project>,
    place: Option<Place>,
}

impl Level {
    /// The name of the field that names the object.
    fn field(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Environment => "environment",
        }
    }

    /// The id of the object of a grant, when it is of this level.
    pub fn object_of(self, grant: &Grant) -> Option<i64> {
        match self {
            Self::Organisation => grant.organisation_id,
            Self::Project => grant.project_id,
            Self::Environment => grant.environment_id,
        }
    }
}

/// Finds an object of the organisation.
async fn spot(tx: &mut Tx, organisation_id: i64, level: Level, id: i64) -> Result<Spot> {
    let missing = || Error::no_such(level.field(), id);
    match level {
        Level::Organisation => Ok(Spot {
            object: Object::Organisation(organisation_id),
            project: None,
            place: None,
        }),
        Level::Project => {
            let project = projects::find(tx, id).await?;
            let project = project.filter(|project| project.organisation_id == organisation_id);
            Ok(Spot {
                object: Object::Project(id),
                project: Some(project.ok_or_else(missing)?),
                place: None,
            })
        }
        Level::Environment => {
            let environment = environments::find(tx, id).await?.ok_or_else(missing)?;
            let place = Place::by_id(tx, environment.id).await?.ok_or_else(missing)?;
            if place.project.organisation_id != organisation_id {
                return Err(missing());
            }
            Ok(Spot {
                object: Object::Environment(id),
                project: Some(place.project.clone()),
                place: Some(place),
            })
        }
    }
}

/// What a role is granted on a level.
pub async fn list(tx: &mut Tx, caller: &Caller, at: (i64, i64), level: Level) -> Result<Vec<Grant>> {
    let role = role_for(tx, caller, at.0, at.1).await?;
    let mut all = grants::of_role(tx, role.id).await?;
    all.retain(|grant| level.object_of(grant).is_some());
    Ok(all)
}

/// One grant of a role.
pub async fn get(tx: &mut Tx, caller: &Caller, at: (i64, i64), level: Level, id: i64) -> Result<Grant> {
    let all = list(tx, caller, at, level).await?;
    all.into_iter()
        .find(|grant| grant.id == id)
        .ok_or_else(Error::not_found)
}

/// Grants a role something.
pub async fn create(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    level: Level,
    edit: RoleGrantEdit,
) -> Result<Grant> {
    let mut tx = app.begin().await?;
    let role = role_for(&mut tx, caller, at.0, at.1).await?;
    let spot = spot(&mut tx, at.0, level, edit.object.unwrap_or_default()).await?;
    let (organisation_id, project_id, environment_id) = spot.object.columns();
    let mut grant = Grant {
        id: 0,
        organisation_id,
        project_id,
        environment_id,
        user_id: None,
        group_id: None,
        role_id: Some(role.id),
        admin: false,
        permissions: "[]".to_owned(),
    };
    apply(&mut tx, &spot, level, &mut grant, edit).await?;
    grant.id = match grants::insert(&mut tx, &grant).await {
        Err(DbError::Conflict(_)) => {
            let text = "This role has permissions here already: change those instead.";
            let field = if level == Level::Organisation {
                "non_field_errors"
            } else {
                level.field()
            };
            return Err(Error::field(field, text));
        }
        other => other?,
    };
    let change = change(caller, &role, &spot, Action::Create, &grant).after(as_json(&grant));
    app.commit(tx, vec![change.into()]).await?;
    Ok(grant)
}

/// Changes what a role is granted.
pub async fn update(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    (level, id): (Level, i64),
    edit: RoleGrantEdit,
) -> Result<Grant> {
    let mut tx = app.begin().await?;
    let role = role_for(&mut tx, caller, at.0, at.1).await?;
    let before = get(&mut tx, caller, at, level, id).await?;
    let object = level.object_of(&before).unwrap_or_default();
    if edit.object.is_some_and(|named| named != object) {
        let text = format!(
            "The {} of a grant can't be changed. Create another one.",
            level.field()
        );
        return Err(Error::field(level.field(), text));
    }
    let spot = spot(&mut tx, at.0, level, object).await?;
    let mut grant = before.clone();
    apply(&mut tx, &spot, level, &mut grant, edit).await?;
    grants::update(&mut tx, &grant).await?;
    let change = change(caller, &role, &spot, Action::Update, &grant)
        .before(as_json(&before))
        .after(as_json(&grant));
    app.commit(tx, vec![change.into()]).await?;
    Ok(grant)
}

/// Takes back what a role was granted.
pub async fn delete(app: &App, caller: &Caller, at: (i64, i64), level: Level, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let role = role_for(&mut tx, caller, at.0, at.1).await?;
    let grant = get(&mut tx, caller, at, level, id).await?;
    let object = level.object_of(&grant).unwrap_or_default();
    let spot = spot(&mut tx, at.0, level, object).await?;
    grants::delete(&mut tx, id).await?;
    let change = change(caller, &role, &spot, Action::Delete, &grant).before(as_json(&grant));
    app.commit(tx, vec![change.into()]).await
}

async fn apply(tx: &mut Tx, spot: &Spot, level: Level, grant: &mut Grant, edit: RoleGrantEdit) -> Result<()> {
    if let Some(wanted) = edit.permissions {
        let known = match &spot.project {
            Some(project) => tags::list(tx, project.id)
                .await?
                .into_iter()
                .map(|tag| tag.id)
                .collect(),
            None => Vec::new(),
        };
        let wanted = checked(level, wanted, &known, &grant.permissions())?;
        grant.permissions = Grant::keep(&wanted);
    }
    // An organisation's administrators are told by their membership, not by a grant.
    if level != Level::Organisation {
        grant.admin = edit.admin.unwrap_or(grant.admin);
    }
    Ok(())
}

/// The permissions as they are kept, or what is wrong with each.
fn checked(level: Level, wanted: Vec<Granted>, known: &[i64], present: &[Granted]) -> Result<Vec<Granted>> {
    let catalogue = level.permissions();
    let mut wrong = Vec::new();
    let mut kept: Vec<Granted> = Vec::new();
    for Granted { key, mut tags } in wanted {
        tags.sort_unstable();
        tags.dedup();
        // A tag that was deleted since may stay: to take it away would widen the permission.
        let was = present.iter().find(|granted| granted.key == key);
        let strange = |id: &&i64| !known.contains(id) && !was.is_some_and(|was| was.tags.contains(id));
        let problem = if !catalogue.iter().any(|permission| permission.key == key) {
            Some((
                "permission_key",
                format!("Invalid pk \"{key}\" - object does not exist."),
            ))
        } else if kept.iter().any(|other| other.key == key) {
            Some(("permission_key", "This permission is listed twice.".to_owned()))
        } else if !tags.is_empty() && !supports_tag(&key) {
            Some(("tags", "This permission can't be limited to tags.".to_owned()))
        } else {
            let strange = tags.iter().find(strange);
            strange.map(|id| ("tags", format!("Invalid pk \"{id}\" - object does not exist.")))
        };
        wrong.push(problem.map_or_else(|| json!({}), |(field, text)| json!({ field: [text] })));
        kept.push(Granted { key, tags });
    }
    if wrong.iter().all(|problem| problem == &json!({})) {
        return Ok(kept);
    }
    if level == Level::Organisation {
        // Its permissions are plain keys in the body.
        let texts: Vec<Value> = wrong
            .into_iter()
            .filter_map(|problem| Some(problem.get("permission_key")?.get(0)?.clone()))
            .collect();
        return Err(Error::Rejected(json!({ "permissions": texts })));
    }
    Err(Error::Rejected(json!({ "permissions": wrong })))
}

fn change(caller: &Caller, role: &Role, spot: &Spot, action: Action, grant: &Grant) -> Change {
    let change = Change::new(caller, Kind::Permission, action, grant.id);
    match (&spot.place, &spot.project) {
        (Some(place), _) => change.in_environment(place),
        (None, Some(project)) => change.in_project(project),
        (None, None) => change.in_organisation(role.organisation_id),
    }
}

/// What the change log keeps of what a role is granted.
fn as_json(grant: &Grant) -> Value {
    let permissions = grant.permissions().into_iter();
    let permissions = permissions.map(|granted| json!({"permission_key": granted.key, "tags": granted.tags}));
    json!({
        "role": grant.role_id,
        "admin": grant.admin,
        "permissions": permissions.collect::<Vec<_>>(),
    })
}
