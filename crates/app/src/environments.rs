//! Environments: their settings, copies and counts.

use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_model::{Problems, Timestamp, keys};
use burgee_store::changes::NewChange;
use burgee_store::grants::{self, Grant};
use burgee_store::{Tx, environments, identity_admin, projects};
use serde_json::{Value, json};

pub use burgee_store::environments::{Counts, Environment};
pub use burgee_store::projects::Project;

use crate::change::{Action, Change, Kind};
use crate::metadata::{self, MetadataEdit, Owner, Write};
use crate::{App, Caller, Error, Place, Result, own_flags};

/// What the API refuses a second environment of the same name with.
const NAME_TAKEN: &str = "An environment with this name already exists.";

/// The settings of an environment that a client may set.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentEdit {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub minimum_change_request_approvals: Option<Option<i64>>,
    pub allow_client_traits: Option<bool>,
    pub banner_text: Option<Option<String>>,
    pub banner_colour: Option<Option<String>>,
    pub hide_disabled_flags: Option<Option<bool>>,
    pub use_identity_composite_key_for_hashing: Option<bool>,
    pub hide_sensitive_data: Option<bool>,
    pub use_identity_overrides_in_local_eval: Option<bool>,
    /// Values of custom fields: these and no others.
    pub metadata: Option<Vec<MetadataEdit>>,
    /// Whether all of the environment is given, and so every required custom field must have a value afterwards.
    pub whole: bool,
}

/// The place with this client-side key, for operations on the environment itself.
pub async fn find(tx: &mut Tx, api_key: &str) -> Result<Place> {
    look_up(tx, api_key)
        .await?
        .ok_or_else(|| Error::no_match("Environment"))
}

/// The place with this client-side key, for operations on what is inside it: there the reference refuses an
/// environment that is not there as it refuses one that may not be used.
pub async fn enter(tx: &mut Tx, api_key: &str) -> Result<Place> {
    look_up(tx, api_key).await?.ok_or_else(Error::forbidden)
}

async fn look_up(tx: &mut Tx, api_key: &str) -> Result<Option<Place>> {
    // Postgres refuses texts with a NUL; no key has one.
    if api_key.contains('\0') {
        return Ok(None);
    }
    Place::by_key(tx, api_key).await
}

/// Finds an environment the caller may see.
pub async fn get(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<Place> {
    let place = find(tx, api_key).await?;
    caller
        .require_in_environment(tx, &place, EnvironmentPermission::ViewEnvironment)
        .await?;
    Ok(place)
}

/// The same, by uuid. One that may not be seen is as good as none.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<Place> {
    let missing = || Error::no_match("Environment");
    let uuid = keys::parse_uuid(uuid).ok_or_else(missing)?;
    let environment = environments::find_by_uuid(tx, &uuid.to_string())
        .await?
        .ok_or_else(missing)?;
    let place = Place::by_id(tx, environment.id).await?.ok_or_else(missing)?;
    let access = caller
        .environment_access(tx, &place.project, &place.environment)
        .await?;
    if access.allows(EnvironmentPermission::ViewEnvironment.key()) {
        Ok(place)
    } else {
        Err(missing())
    }
}

/// The environments of a project that the caller may see.
pub async fn list(tx: &mut Tx, caller: &Caller, project_id: Option<i64>) -> Result<Vec<Environment>> {
    let unusable = || Error::Rejected(json!(["Invalid or missing value for project parameter."]));
    let project = projects::find(tx, project_id.ok_or_else(unusable)?)
        .await?
        .ok_or_else(unusable)?;
    // Strangers don't learn which projects there are.
    if caller.role(tx, project.organisation_id).await?.is_none() {
        return Err(unusable());
    }
    let mut visible = Vec::new();
    for environment in environments::list(tx, project.id).await? {
        let access = caller.environment_access(tx, &project, &environment).await?;
        if access.allows(EnvironmentPermission::ViewEnvironment.key()) {
            visible.push(environment);
        }
    }
    Ok(visible)
}

/// All environments of a project, for its administrators.
pub async fn list_for_admin(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<Environment>> {
    let project = crate::projects::get(tx, caller, project_id).await?;
    caller.require_project_admin(tx, &project).await?;
    Ok(environments::list(tx, project.id).await?)
}

/// What an environment has of everything.
pub async fn counts(tx: &mut Tx, environment_id: i64) -> Result<Counts> {
    Ok(environments::counts(tx, environment_id).await?)
}

/// Fails unless the caller may create environments in the project: asked before an input is looked at.
pub async fn require_create(app: &App, caller: &Caller, project_id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    project_to_fill(&mut tx, caller, project_id).await.map(drop)
}

/// The project, when the caller may create environments in it. One that is not there is refused just the same.
async fn project_to_fill(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Project> {
    let project = projects::find(tx, project_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    caller
        .require_in_project(tx, &project, ProjectPermission::CreateEnvironment)
        .await?;
    Ok(project)
}

/// An environment with the settings it begins with, and a key of its own.
pub(crate) fn blank(project_id: i64) -> Environment {
    let now = Timestamp::now().0;
    Environment {
        id: 0,
        uuid: keys::uuid().to_string(),
        project_id,
        name: String::new(),
        api_key: keys::client_key(),
        description: None,
        created_at: now,
        updated_at: now,
        minimum_change_request_approvals: None,
        allow_client_traits: true,
        banner_text: None,
        banner_colour: None,
        hide_disabled_flags: None,
        use_identity_composite_key_for_hashing: true,
        hide_sensitive_data: false,
        use_v2_feature_versioning: false,
        use_identity_overrides_in_local_eval: true,
        first_evaluated_at: None,
        first_evaluated_sdk_label: None,
    }
}

/// Creates an environment, where every feature is as it is by default; its creator administers it.
pub async fn create(
    app: &App,
    caller: &Caller,
    project_id: i64,
    mut edit: EnvironmentEdit,
) -> Result<Environment> {
    let versioned = own_flags::is_on(app, "enable_feature_versioning_for_new_environments").await;
    let mut tx = app.begin().await?;
    let project = project_to_fill(&mut tx, caller, project_id).await?;
    let mut environment = blank(project_id);
    let values = edit.metadata.take();
    apply(&mut environment, edit);
    environment.use_v2_feature_versioning = versioned;
    let place = insert(&mut tx, caller, project, environment).await?;
    let owner = Owner::Environment(place.environment.id);
    metadata::write(&mut tx, &place.project, owner, values, Write::Whole).await?;
    crate::feature_states::create_defaults_for_environment(&mut tx, &place.project, place.environment.id)
        .await?;
    if versioned {
        crate::versions::create_first_versions(&mut tx, &place).await?;
    }
    finish_create(app, tx, caller, place).await
}

/// Fails unless the caller may copy the environment: asked before an input is looked at.
pub async fn require_clone(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.db().read().await?;
    source_to_clone(&mut tx, caller, api_key).await.map(drop)
}

async fn source_to_clone(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<Place> {
    let source = find(tx, api_key).await?;
    project_to_fill(tx, caller, source.project.id).await?;
    // Its creator will administer the copy: what is in the source must not be news to him.
    caller
        .require_in_environment(tx, &source, EnvironmentPermission::ViewEnvironment)
        .await?;
    Ok(source)
}

/// Copies an environment: its settings, what features are in it by default and for segments. Keys and identities are
/// its own.
pub async fn clone(app: &App, caller: &Caller, api_key: &str, name: String) -> Result<Environment> {
    let mut tx = app.begin().await?;
    let source = source_to_clone(&mut tx, caller, api_key).await?;
    let now = Timestamp::now().0;
    let copy = Environment {
        id: 0,
        uuid: keys::uuid().to_string(),
        name,
        api_key: keys::client_key(),
        created_at: now,
        updated_at: now,
        first_evaluated_at: None,
        first_evaluated_sdk_label: None,
        ..source.environment.clone()
    };
    let place = insert(&mut tx, caller, source.project, copy).await?;
    crate::feature_states::copy_environment(&mut tx, source.environment.id, place.environment.id).await?;
    let original = Owner::Environment(source.environment.id);
    metadata::copy(&mut tx, original, Owner::Environment(place.environment.id)).await?;
    if place.environment.use_v2_feature_versioning {
        crate::versions::create_first_versions(&mut tx, &place).await?;
    }
    finish_create(app, tx, caller, place).await
}

/// Writes a new environment and makes the caller its administrator.
async fn insert(
    tx: &mut Tx,
    caller: &Caller,
    project: Project,
    mut environment: Environment,
) -> Result<Place> {
    refuse_taken_name(tx, &environment).await?;
    environment.id = environments::insert(tx, &environment).await?;
    if let Some(user_id) = caller.user_id() {
        let creator = Grant {
            id: 0,
            organisation_id: None,
            project_id: None,
            environment_id: Some(environment.id),
            user_id: Some(user_id),
            group_id: None,
            role_id: None,
            admin: true,
            permissions: "[]".to_owned(),
        };
        grants::insert(tx, &creator).await?;
    }
    Ok(Place { project, environment })
}

async fn finish_create(app: &App, mut tx: Tx, caller: &Caller, place: Place) -> Result<Environment> {
    let environment = &place.environment;
    let change = Change::new(caller, Kind::Environment, Action::Create, environment.id)
        .in_environment(&place)
        .uuid(&environment.uuid)
        .says(format!("New Environment created: {}", environment.name))
        .serves()
        .after(metadata::logged(&mut tx, Owner::Environment(environment.id), as_json(environment)).await?);
    app.commit(tx, vec![change.into()]).await?;
    Ok(place.environment)
}

/// Changes the settings of an environment.
pub async fn update(app: &App, caller: &Caller, api_key: &str, edit: EnvironmentEdit) -> Result<Environment> {
    let mut tx = app.begin().await?;
    let (environment, change) = change(&mut tx, caller, api_key, edit).await?;
    if let Some(change) = change {
        app.commit(tx, vec![change]).await?;
    }
    Ok(environment)
}

/// The same, inside the transaction of a larger act. Without a difference there is no change.
pub(crate) async fn change(
    tx: &mut Tx,
    caller: &Caller,
    api_key: &str,
    mut edit: EnvironmentEdit,
) -> Result<(Environment, Option<NewChange>)> {
    let mut place = administer(tx, caller, api_key).await?;
    place.environment = environments::lock_by_key(tx, api_key)
        .await?
        .ok_or_else(|| Error::no_match("Environment"))?;
    let before = place.environment.clone();
    let owner = Owner::Environment(before.id);
    let was = metadata::logged(tx, owner, as_json(&before)).await?;
    let values = edit.metadata.take();
    let (revalued, write) = (
        values.is_some(),
        if edit.whole { Write::Whole } else { Write::Part },
    );
    metadata::write(tx, &place.project, owner, values, write).await?;
    apply(&mut place.environment, edit);
    let environment = &place.environment;
    if *environment == before && !revalued {
        return Ok((place.environment, None));
    }
    if environment.name != before.name {
        refuse_taken_name(tx, environment).await?;
    }
    environments::update(tx, environment).await?;
    // SDKs see none of these.
    let unseen = Environment {
        minimum_change_request_approvals: before.minimum_change_request_approvals,
        description: before.description.clone(),
        banner_text: before.banner_text.clone(),
        banner_colour: before.banner_colour.clone(),
        ..environment.clone()
    };
    let change = Change::new(caller, Kind::Environment, Action::Update, environment.id)
        .in_environment(&place)
        .uuid(&environment.uuid)
        .says(format!("Environment updated: {}", environment.name))
        .serves_if(unseen != before)
        .before(was)
        .after(metadata::logged(tx, owner, as_json(environment)).await?);
    Ok((place.environment, Some(change.into())))
}

/// The line of the log for a change to an environment.
pub(crate) fn updated(caller: &Caller, place: &Place, before: &Environment) -> Change {
    let environment = &place.environment;
    Change::new(caller, Kind::Environment, Action::Update, environment.id)
        .in_environment(place)
        .uuid(&environment.uuid)
        .says(format!("Environment updated: {}", environment.name))
        .before(as_json(before))
        .after(as_json(environment))
}

/// Deletes an environment with all that is in it.
pub async fn delete(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = administer(&mut tx, caller, api_key).await?;
    environments::delete(&mut tx, place.environment.id).await?;
    let change = Change::new(caller, Kind::Environment, Action::Delete, place.environment.id)
        .in_environment(&place)
        .uuid(&place.environment.uuid)
        .serves()
        .before(as_json(&place.environment));
    app.commit(tx, vec![change.into()]).await
}

/// Fails unless the caller administers the environment: asked before an input is looked at.
pub async fn require_admin(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.db().read().await?;
    administer(&mut tx, caller, api_key).await.map(drop)
}

/// Finds an environment that the caller administers.
pub(crate) async fn administer(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<Place> {
    let place = find(tx, api_key).await?;
    caller.require_environment_admin(tx, &place).await?;
    Ok(place)
}

/// The keys of all traits in an environment, in alphabetical order.
pub async fn trait_keys(tx: &mut Tx, caller: &Caller, api_key: &str) -> Result<Vec<String>> {
    let place = get(tx, caller, api_key).await?;
    let mut keys = identity_admin::trait_keys(tx, place.environment.id).await?;
    // Databases disagree on the alphabet.
    keys.sort_unstable();
    Ok(keys)
}

/// Deletes the trait with this key from every identity of an environment.
pub async fn delete_trait(app: &App, caller: &Caller, api_key: &str, key: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = administer(&mut tx, caller, api_key).await?;
    identity_admin::delete_trait_everywhere(&mut tx, place.environment.id, key).await?;
    // Of the identities of this environment, whichever had the trait.
    let change = Change::new(caller, Kind::Identity, Action::Update, 0)
        .in_environment(&place)
        .before(json!({ "trait": key }));
    app.commit(tx, vec![change.into()]).await
}

fn apply(environment: &mut Environment, edit: EnvironmentEdit) {
    fn set<T>(place: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *place = value;
        }
    }
    set(&mut environment.name, edit.name);
    set(&mut environment.description, edit.description);
    set(
        &mut environment.minimum_change_request_approvals,
        edit.minimum_change_request_approvals,
    );
    set(&mut environment.allow_client_traits, edit.allow_client_traits);
    set(&mut environment.banner_text, edit.banner_text);
    set(&mut environment.banner_colour, edit.banner_colour);
    set(&mut environment.hide_disabled_flags, edit.hide_disabled_flags);
    set(
        &mut environment.use_identity_composite_key_for_hashing,
        edit.use_identity_composite_key_for_hashing,
    );
    set(&mut environment.hide_sensitive_data, edit.hide_sensitive_data);
    set(
        &mut environment.use_identity_overrides_in_local_eval,
        edit.use_identity_overrides_in_local_eval,
    );
}

async fn refuse_taken_name(tx: &mut Tx, environment: &Environment) -> Result<()> {
    let taken =
        environments::name_is_taken(tx, environment.project_id, &environment.name, environment.id).await?;
    if taken {
        Err(Problems::whole(NAME_TAKEN).into())
    } else {
        Ok(())
    }
}

/// What the change log keeps of an environment.
pub(crate) fn as_json(environment: &Environment) -> Value {
    json!({
        "name": environment.name,
        "description": environment.description,
        "allow_client_traits": environment.allow_client_traits,
        "banner_text": environment.banner_text,
        "banner_colour": environment.banner_colour,
        "hide_disabled_flags": environment.hide_disabled_flags,
        "use_identity_composite_key_for_hashing": environment.use_identity_composite_key_for_hashing,
        "hide_sensitive_data": environment.hide_sensitive_data,
        "use_v2_feature_versioning": environment.use_v2_feature_versioning,
        "use_identity_overrides_in_local_eval": environment.use_identity_overrides_in_local_eval,
        "minimum_change_request_approvals": environment.minimum_change_request_approvals,
    })
}
