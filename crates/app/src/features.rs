//! Features: creating, changing and deleting them.

use burgee_model::permissions::ProjectPermission;
use burgee_model::{Problems, Timestamp};
use burgee_store::changes::NewChange;
use burgee_store::projects::Project;
use burgee_store::{Tx, feature_links, feature_states, features, projects, scheduled_changes, tags};
use regex::RegexBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::features::{Feature, MultivariateOption};

use crate::change::{Action, Change, Kind};
use crate::feature_list::{FeatureDetails, describe};
use crate::feature_options::{self, OptionEdit};
use crate::feature_states::over_100;
use crate::kept::{self, KEPT};
use crate::metadata::{self, MetadataEdit, Owner, Write};
use crate::prerequisites;
use crate::{App, Author, Caller, Error, Place, Result, approvals, external_resources, new_states};

const NAME_TAKEN: &str =
    "Feature with that name already exists for this project. Note that feature names are case insensitive.";
const OWNER_NEEDED: &str = "This project requires every feature to have an owner.";
/// Memory a project's name pattern may take once compiled.
const PATTERN_BYTES: usize = 1024 * 1024;

/// A feature about to be created.
#[derive(Debug, Clone, Default)]
pub struct NewFeature {
    pub name: String,
    pub kind: Option<&'static str>,
    pub default_enabled: bool,
    pub initial_value: Option<String>,
    pub description: Option<String>,
    pub is_archived: bool,
    pub is_server_key_only: bool,
    pub tags: Vec<i64>,
    pub options: Vec<OptionEdit>,
    /// `None`: its creator.
    pub owners: Option<Vec<i64>>,
    pub group_owners: Vec<i64>,
    /// Values of custom fields.
    pub metadata: Vec<MetadataEdit>,
}

/// What may change of a feature. What is not given stays; name, default and initial value always do.
#[derive(Debug, Clone, Default)]
pub struct FeatureEdit {
    pub kind: Option<&'static str>,
    pub description: Option<Option<String>>,
    pub is_archived: Option<bool>,
    pub is_server_key_only: Option<bool>,
    pub tags: Option<Vec<i64>>,
    /// Values of custom fields: these and no others.
    pub metadata: Option<Vec<MetadataEdit>>,
    /// Whether all of the feature is given, and so every required custom field must have a value afterwards.
    pub whole: bool,
}

/// A project for an act that needs a permission in it. Which projects exist is not told to others.
pub(crate) async fn project_for(
    tx: &mut Tx,
    caller: &Caller,
    id: i64,
    permission: ProjectPermission,
) -> Result<Project> {
    let project = projects::find(tx, id).await?.ok_or_else(Error::forbidden)?;
    caller.require_in_project(tx, &project, permission).await?;
    Ok(project)
}

/// A feature of a project.
pub(crate) async fn find_in(tx: &mut Tx, project_id: i64, id: i64) -> Result<Feature> {
    let found = features::find(tx, id).await?;
    found
        .filter(|feature| feature.project_id == project_id)
        .ok_or_else(|| Error::no_match("Feature"))
}

/// Creates a feature, with a state in every environment of the project.
pub async fn create(app: &App, caller: &Caller, project_id: i64, new: NewFeature) -> Result<FeatureDetails> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let made = make(&mut tx, caller, &project, new).await?;
    let mut changes = new_states::create(&mut tx, caller.into(), made.parts(&project), &[]).await?;
    changes.push(made.line);
    let details = describe(&mut tx, made.feature).await?;
    app.commit(tx, changes).await?;
    Ok(details)
}

/// A new feature that has no states yet, with its options and its line for the log.
pub(crate) struct Made {
    pub feature: Feature,
    pub options: Vec<MultivariateOption>,
    pub line: NewChange,
}

impl Made {
    pub(crate) fn parts<'a>(
        &'a self,
        project: &'a Project,
    ) -> (&'a Project, &'a Feature, &'a [MultivariateOption]) {
        (project, &self.feature, &self.options)
    }
}

/// Writes a new feature without its states, in the transaction of a larger act.
pub(crate) async fn make(tx: &mut Tx, caller: &Caller, project: &Project, new: NewFeature) -> Result<Made> {
    if !new.options.is_empty() && !caller.project_access(tx, project).await?.admin {
        let text = "User must be project admin to modify / create MV options.";
        return Err(Error::Forbidden(text.to_owned()));
    }
    check_new(tx, caller, project, &new).await?;
    let mut feature = blank(project.id, &new);
    feature.id = features::insert(tx, &feature).await?;
    link(tx, caller, &feature, &new).await?;
    let owner = Owner::Feature(feature.id);
    metadata::write(tx, project, owner, Some(new.metadata), Write::Whole).await?;
    let mut options = Vec::new();
    for option in new.options {
        options.push(feature_options::insert(tx, feature.id, option).await?);
    }
    let line = Change::new(caller, Kind::Feature, Action::Create, feature.id)
        .in_project(project)
        .uuid(&feature.uuid)
        .says(format!("New Flag / Remote Config created: {}", feature.name))
        .serves()
        .after(metadata::logged(tx, owner, as_json(&feature)).await?);
    Ok(Made {
        line: line.into(),
        feature,
        options,
    })
}

fn blank(project_id: i64, new: &NewFeature) -> Feature {
    let kind = if new.options.is_empty() {
        new.kind.unwrap_or("STANDARD")
    } else {
        "MULTIVARIATE"
    };
    Feature {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        project_id,
        name: new.name.clone(),
        name_key: new.name.to_lowercase(),
        r#type: kind.to_owned(),
        default_enabled: new.default_enabled,
        initial_value: new.initial_value.clone(),
        description: new.description.clone(),
        is_archived: new.is_archived,
        is_server_key_only: new.is_server_key_only,
        created_at: Timestamp::now().0,
    }
}

/// Every rule for a new feature.
async fn check_new(tx: &mut Tx, caller: &Caller, project: &Project, new: &NewFeature) -> Result<()> {
    let mut problems = Problems::new();
    if features::find_by_name(tx, project.id, &new.name.to_lowercase())
        .await?
        .is_some()
    {
        problems.add("name", NAME_TAKEN);
    } else if let Some(pattern) = &project.feature_name_regex
        && let Some(problem) = mismatch(pattern, &new.name)
    {
        problems.add("name", problem);
    }
    if over_100(new.options.iter().map(OptionEdit::percentage)) {
        problems.add("multivariate_options", "Invalid percentage allocation");
    }
    if let Some(problem) = feature_options::key_problem(&new.options) {
        problems.add("multivariate_options", problem);
    }
    problems.check()?;
    check_tags(tx, project.id, &new.tags).await?;
    let owners = new.owners.clone().unwrap_or_default();
    let members = feature_links::members(tx, project.organisation_id, &owners).await?;
    if let Some(stranger) = owners.iter().find(|id| !members.contains(id)) {
        return Err(Error::no_such("owners", *stranger));
    }
    let groups = feature_links::groups(tx, project.organisation_id, &new.group_owners).await?;
    if let Some(stranger) = new.group_owners.iter().find(|id| !groups.contains(id)) {
        return Err(Error::no_such("group_owners", *stranger));
    }
    let creator_owns = new.owners.is_none() && caller.user_id().is_some();
    if project.enforce_feature_owners && owners.is_empty() && groups.is_empty() && !creator_owns {
        return Err(Error::field("owners", OWNER_NEEDED));
    }
    if let Some(most) = project.max_features_allowed
        && projects::usage(tx, project.id).await?.features >= most
    {
        let text = format!("The project has reached the maximum allowed features limit of {most}.");
        return Err(Error::field("project", text));
    }
    Ok(())
}

/// A project's pattern for names, made to match all of one; or what is wrong with it.
pub(crate) fn name_pattern(pattern: &str) -> std::result::Result<regex::Regex, &'static str> {
    let whole = format!(r"\A(?:{pattern})\z");
    let built = RegexBuilder::new(&whole).size_limit(PATTERN_BYTES).build();
    built.map_err(|_| "Must be a valid regular expression, of moderate size.")
}

/// What is wrong with a name under the project's pattern, which must match all of it.
fn mismatch(pattern: &str, name: &str) -> Option<String> {
    match name_pattern(pattern) {
        Ok(regex) if regex.is_match(name) => None,
        Ok(_) => Some(format!("Feature name must match regex: {pattern}")),
        Err(_) => Some(format!(
            "The project's pattern for feature names can't be used, so no name fits it: {pattern}"
        )),
    }
}

async fn check_tags(tx: &mut Tx, project_id: i64, tag_ids: &[i64]) -> Result<()> {
    if tag_ids.is_empty() {
        return Ok(());
    }
    let known = tags::list(tx, project_id).await?;
    let stranger = tag_ids.iter().find(|id| !known.iter().any(|tag| tag.id == **id));
    match stranger {
        Some(id) => Err(Error::no_such("tags", *id)),
        None => Ok(()),
    }
}

/// Tags and owners of a new feature.
async fn link(tx: &mut Tx, caller: &Caller, feature: &Feature, new: &NewFeature) -> Result<()> {
    feature_links::set_tags(tx, feature.id, &new.tags).await?;
    let owners = match &new.owners {
        Some(owners) => owners.clone(),
        None => caller.user_id().into_iter().collect(),
    };
    for user_id in owners {
        feature_links::add_owner(tx, feature.id, user_id).await?;
    }
    for group_id in &new.group_owners {
        feature_links::add_group_owner(tx, feature.id, *group_id).await?;
    }
    Ok(())
}

/// Changes a feature.
pub async fn update(
    app: &App,
    caller: &Caller,
    project_id: i64,
    id: i64,
    edit: FeatureEdit,
) -> Result<FeatureDetails> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let (feature, change) = change(&mut tx, caller, &project, id, edit).await?;
    let details = describe(&mut tx, feature).await?;
    app.commit(tx, vec![change]).await?;
    Ok(details)
}

/// The same, inside the transaction of a larger act.
pub(crate) async fn change(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    id: i64,
    edit: FeatureEdit,
) -> Result<(Feature, NewChange)> {
    let before = find_in(tx, project.id, id).await?;
    let was = snapshot(tx, &before).await?;
    let mut feature = before;
    if let Some(kind) = edit.kind
        && features::options(tx, id).await?.is_empty()
    {
        kind.clone_into(&mut feature.r#type);
    }
    if let Some(description) = edit.description {
        feature.description = description;
    }
    if let Some(is_archived) = edit.is_archived {
        feature.is_archived = is_archived;
    }
    if let Some(is_server_key_only) = edit.is_server_key_only {
        feature.is_server_key_only = is_server_key_only;
    }
    if let Some(tag_ids) = &edit.tags {
        check_tags(tx, project.id, tag_ids).await?;
        feature_links::set_tags(tx, id, tag_ids).await?;
    }
    features::update(tx, &feature).await?;
    let write = if edit.whole { Write::Whole } else { Write::Part };
    metadata::write(tx, project, Owner::Feature(id), edit.metadata, write).await?;
    let change = updated(caller, project, &feature)
        .before(was)
        .after(snapshot(tx, &feature).await?);
    Ok((feature, change.into()))
}

/// What the change log keeps of a feature that is there, with its tags and custom fields.
pub(crate) async fn snapshot(tx: &mut Tx, feature: &Feature) -> Result<Value> {
    let tags = feature_links::tags(tx, feature.project_id, Some(feature.id)).await?;
    let tags: Vec<i64> = tags.into_iter().map(|link| link.tag_id).collect();
    let mut json = as_json(feature);
    json["tags"] = json!(tags);
    metadata::logged(tx, Owner::Feature(feature.id), json).await
}

/// The line of the log for a change to a feature.
pub(crate) fn updated(caller: &Caller, project: &Project, feature: &Feature) -> Change {
    Change::new(caller, Kind::Feature, Action::Update, feature.id)
        .in_project(project)
        .uuid(&feature.uuid)
        .says(format!("Flag / Remote Config updated: {}", feature.name))
        .serves()
}

/// Deletes a feature with all its states.
pub async fn delete(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let project = projects::find(&mut tx, project_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    let permission = ProjectPermission::DeleteFeature;
    let may = caller.features_in_project(&mut tx, &project, permission).await?;
    let feature = find_in(&mut tx, project_id, id).await?;
    may.require(&mut tx, feature.id).await?;
    approvals::refuse_deleting(&mut tx, &feature).await?;
    let changes = remove(&mut tx, caller.into(), &project, &feature).await?;
    app.commit(tx, changes).await
}

/// Deletes a feature with all its states, in the transaction of a larger act.
pub(crate) async fn remove(
    tx: &mut Tx,
    author: Author<'_>,
    project: &Project,
    feature: &Feature,
) -> Result<Vec<NewChange>> {
    let id = feature.id;
    let text = format!("Flag / Remote Config Deleted: {}", feature.name);
    let mut changes: Vec<NewChange> = Vec::new();
    for state in feature_states::defaults_of_feature(tx, id).await? {
        if let Some(place) = Place::by_id(tx, state.environment_id).await? {
            let line = Change::new(author, Kind::FeatureState, Action::Delete, state.id)
                .in_environment(&place)
                .uuid(&state.uuid)
                .says(&text)
                .before(crate::feature_states::snapshot(tx, &state).await?);
            changes.push(line.into());
        }
    }
    for waiting in scheduled_changes::of_feature(tx, id).await? {
        tracing::info!(
            scheduled_change = waiting.uuid,
            feature = feature.name,
            "its feature is deleted: a scheduled change is dropped"
        );
    }
    let mut before = snapshot(tx, feature).await?;
    let dependants = prerequisites::dependants(tx, feature).await?;
    if !dependants.is_empty() {
        before["prerequisite_in_segments"] = dependants.into();
    }
    // For those who are told of it afterwards.
    before["created_date"] = Timestamp(feature.created_at).rest().into();
    let options = features::options(tx, id).await?;
    if !options.is_empty() {
        let values = options
            .iter()
            .map(|option| (option.id.to_string(), option.value().to_json()));
        before["multivariate_options"] = Value::Object(values.collect());
    }
    before[KEPT] = kept::of_feature(tx, feature).await?;
    changes.extend(external_resources::gone(tx, author, project, feature).await?);
    features::delete(tx, id).await?;
    let line = Change::new(author, Kind::Feature, Action::Delete, id)
        .in_project(project)
        .uuid(&feature.uuid)
        .says(text)
        .serves()
        .before(before);
    changes.push(line.into());
    Ok(changes)
}

/// What the change log keeps of a feature.
fn as_json(feature: &Feature) -> Value {
    json!({
        "name": feature.name,
        "type": feature.r#type,
        "default_enabled": feature.default_enabled,
        "initial_value": feature.initial_value,
        "description": feature.description,
        "is_archived": feature.is_archived,
        "is_server_key_only": feature.is_server_key_only,
    })
}

#[cfg(test)]
mod tests {
    use super::mismatch;

    #[test]
    fn a_pattern_must_match_the_whole_name() {
        assert_eq!(mismatch("[a-z_]+", "checkout_v"), None);
        assert!(mismatch("[a-z_]+", "checkout_2").is_some());
        assert!(mismatch("a|b", "ab").is_some());
    }

    #[test]
    fn a_pattern_that_cannot_be_compiled_refuses_names_instead_of_failing() {
        assert!(mismatch("(", "x").is_some());
        assert!(mismatch("(?:a{1000}){1000}", "x").is_some());
    }
}
