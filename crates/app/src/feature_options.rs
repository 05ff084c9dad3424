//! Multivariate options: the values a feature may serve instead of its control value.

use std::collections::HashSet;

use burgee_model::FlagValue;
use burgee_model::permissions::ProjectPermission;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::projects::Project;
use burgee_store::{Tx, feature_states, projects as project_rows, state_options};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::feature_documents::kind_of;
use crate::feature_states::{allot, over_100};
use crate::features::{find_in, project_for, updated};
use crate::{App, Caller, Error, Result, projects};

/// The key that stands for the control value.
const CONTROL: &str = "control";

/// What a client may set of an option. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct OptionEdit {
    pub kind: Option<&'static str>,
    pub string_value: Option<Option<String>>,
    pub integer_value: Option<Option<i64>>,
    pub boolean_value: Option<Option<bool>>,
    /// Percent, 0 to 100.
    pub default_percentage_allocation: Option<f64>,
    pub key: Option<Option<String>>,
}

impl From<FlagValue> for OptionEdit {
    /// An option with this value; the rest is not given.
    fn from(value: FlagValue) -> Self {
        let edit = Self {
            kind: Some(kind_of(&value)),
            ..Self::default()
        };
        match value {
            FlagValue::Null => edit,
            FlagValue::Bool(truth) => Self {
                boolean_value: Some(Some(truth)),
                ..edit
            },
            FlagValue::Int(number) => Self {
                integer_value: Some(Some(number)),
                ..edit
            },
            FlagValue::Text(text) => Self {
                string_value: Some(Some(text)),
                ..edit
            },
        }
    }
}

impl OptionEdit {
    /// What it asks of the traffic; all of it unless it says so.
    pub(crate) fn percentage(&self) -> f64 {
        self.default_percentage_allocation.unwrap_or(100.0)
    }

    pub(crate) fn apply(self, option: &mut MultivariateOption) {
        if let Some(kind) = self.kind {
            kind.clone_into(&mut option.r#type);
        }
        if let Some(text) = self.string_value {
            option.string_value = text;
        }
        if let Some(number) = self.integer_value {
            option.integer_value = number;
        }
        if let Some(truth) = self.boolean_value {
            option.boolean_value = truth;
        }
        if let Some(percentage) = self.default_percentage_allocation {
            option.default_percentage_allocation = percentage;
        }
        if let Some(key) = self.key {
            option.key = key.filter(|key| !key.is_empty());
        }
    }
}

/// The options of a feature.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    feature_id: i64,
) -> Result<Vec<MultivariateOption>> {
    projects::get(tx, caller, project_id).await?;
    find_in(tx, project_id, feature_id).await?;
    Ok(features::options(tx, feature_id).await?)
}

/// One option of a feature.
pub async fn get(
    tx: &mut Tx,
    caller: &Caller,
    (project_id, feature_id): (i64, i64),
    id: i64,
) -> Result<MultivariateOption> {
    let options = list(tx, caller, project_id, feature_id).await?;
    find_among(options, id)
}

fn find_among(options: Vec<MultivariateOption>, id: i64) -> Result<MultivariateOption> {
    let found = options.into_iter().find(|option| option.id == id);
    found.ok_or_else(|| Error::no_match("MultivariateFeatureOption"))
}

/// One option, by its uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<MultivariateOption> {
    let missing = || Error::no_match("MultivariateFeatureOption");
    let option = features::find_option_by_uuid(tx, uuid)
        .await?
        .ok_or_else(missing)?;
    let feature = features::find(tx, option.feature_id).await?.ok_or_else(missing)?;
    let project = project_rows::find(tx, feature.project_id)
        .await?
        .ok_or_else(missing)?;
    let access = caller.project_access(tx, &project).await?;
    if access.allows(ProjectPermission::ViewProject.key()) {
        Ok(option)
    } else {
        Err(missing())
    }
}

/// Writes a new option; its feature's states get their allocations elsewhere.
pub(crate) async fn insert(tx: &mut Tx, feature_id: i64, edit: OptionEdit) -> Result<MultivariateOption> {
    let mut option = MultivariateOption {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id,
        key: None,
        r#type: "unicode".to_owned(),
        string_value: None,
        integer_value: None,
        boolean_value: None,
        default_percentage_allocation: edit.percentage(),
    };
    edit.apply(&mut option);
    option.id = features::insert_option(tx, &option).await?;
    Ok(option)
}

/// The project and the feature, for a caller who may change its options; other writers of it wait.
async fn open(
    tx: &mut Tx,
    caller: &Caller,
    (project_id, feature_id): (i64, i64),
    named: Option<i64>,
) -> Result<(Project, Feature, Vec<MultivariateOption>)> {
    let project = project_for(tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let feature = find_in(tx, project_id, feature_id).await?;
    if let Some(id) = named
        && id != feature_id
    {
        return Err(Error::no_such("feature", id));
    }
    features::lock(tx, feature_id).await?;
    let options = features::options(tx, feature_id).await?;
    Ok((project, feature, options))
}

/// The rules over all options of a feature, of which `option` is or will be one.
fn check(option: &OptionEdit, percentage: f64, others: &[MultivariateOption]) -> Result<()> {
    let all = others.iter().map(|other| other.default_percentage_allocation);
    if over_100(all.chain([percentage])) {
        return Err(Error::field(
            "default_percentage_allocation",
            "Invalid percentage allocation",
        ));
    }
    let key = option.key.as_ref().and_then(Option::as_deref);
    if key == Some(CONTROL) {
        return Err(Error::field("key", "\"control\" is a reserved variant key."));
    }
    if key.is_some_and(|key| !key.is_empty()) && others.iter().any(|other| other.key.as_deref() == key) {
        let text = "Multivariate option with this key already exists for the feature.";
        return Err(Error::field("key", text));
    }
    Ok(())
}

/// What is wrong with the keys of options that come with a new feature.
pub(crate) fn key_problem(options: &[OptionEdit]) -> Option<&'static str> {
    let mut seen = HashSet::new();
    let keys = options
        .iter()
        .filter_map(|option| option.key.as_ref()?.as_deref())
        .filter(|key| !key.is_empty());
    for key in keys {
        if key == CONTROL {
            return Some("\"control\" is a reserved variant key.");
        }
        if !seen.insert(key) {
            return Some("Multivariate option with this key already exists for the feature.");
        }
    }
    None
}

/// Adds an option to a feature (`named`: the feature the body speaks of), which is multivariate from then on.
///
/// Every environment default gives it what it asks for, as far as it has that to give; segment overrides give nothing.
pub async fn create(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    named: i64,
    edit: OptionEdit,
) -> Result<MultivariateOption> {
    let mut tx = app.begin().await?;
    let (project, mut feature, options) = open(&mut tx, caller, at, Some(named)).await?;
    check(&edit, edit.percentage(), &options)?;
    let option = insert(&mut tx, feature.id, edit).await?;
    for state in feature_states::shared_of_feature(&mut tx, feature.id).await? {
        let rows = state_options::of_states(&mut tx, &[state.id]).await?;
        let given: f64 = rows.iter().map(|row| row.percentage_allocation).sum();
        let share = match state.feature_segment_id {
            Some(_) => 0.0,
            None => option.default_percentage_allocation.min((100.0 - given).max(0.0)),
        };
        allot(&mut tx, state.id, option.id, share).await?;
    }
    "MULTIVARIATE".clone_into(&mut feature.r#type);
    features::update(&mut tx, &feature).await?;
    let change =
        updated(caller, &project, &feature).after(json!({ "multivariate_option": as_json(&option) }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(option)
}

/// Changes an option. The allocations of feature states stay as they are.
pub async fn update(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    id: i64,
    named: i64,
    edit: OptionEdit,
) -> Result<MultivariateOption> {
    let mut tx = app.begin().await?;
    let (project, feature, mut options) = open(&mut tx, caller, at, Some(named)).await?;
    let before = find_among(options.clone(), id)?;
    options.retain(|other| other.id != id);
    let percentage = edit.default_percentage_allocation;
    check(
        &edit,
        percentage.unwrap_or(before.default_percentage_allocation),
        &options,
    )?;
    let mut option = before.clone();
    edit.apply(&mut option);
    features::update_option(&mut tx, &option).await?;
    let change = updated(caller, &project, &feature)
        .before(json!({ "multivariate_option": as_json(&before) }))
        .after(json!({ "multivariate_option": as_json(&option) }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(option)
}

/// Deletes an option with its allocations. A feature without options is a standard one.
pub async fn delete(app: &App, caller: &Caller, at: (i64, i64), id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let (project, mut feature, options) = open(&mut tx, caller, at, None).await?;
    let last = options.len() == 1;
    let option = find_among(options, id)?;
    features::delete_option(&mut tx, id).await?;
    if last {
        "STANDARD".clone_into(&mut feature.r#type);
        features::update(&mut tx, &feature).await?;
    }
    let change =
        updated(caller, &project, &feature).before(json!({ "multivariate_option": as_json(&option) }));
    app.commit(tx, vec![change.into()]).await
}

fn as_json(option: &MultivariateOption) -> Value {
    json!({
        "id": option.id,
        "key": option.key,
        "value": option.value().to_json(),
        "default_percentage_allocation": option.default_percentage_allocation,
    })
}
