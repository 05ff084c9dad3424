//! Feature states: what a feature is in an environment, for everyone, for a segment or for an identity.
//!
//! The writers of this file work inside a transaction of the caller and return the changes for its log, so that
//! several of them make one act: see [`Spot`].

use std::collections::HashMap;

use burgee_model::permissions::EnvironmentPermission;
use burgee_model::{FlagValue, Problems, Timestamp};
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::identities::Identity;
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::{Tx, feature_segments, feature_states, state_options};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::feature_states::{FeatureState, StateOption};

pub use crate::state_edits::{StateEdit, ValueEdit, ValueKind, Weight};

use crate::change::{Action, Change, Kind};
use crate::{Author, Caller, Error, Features, Place, Result, approvals};

const VERSIONED: &str =
    "This environment uses v2 feature versioning. Use the environment feature version endpoint instead.";
const OVER_100: &str = "Multivariate percentage values exceed 100%.";

/// Whom a feature state is for.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Everyone,
    Segment(&'a Segment),
    Identity(&'a Identity),
}

/// Where a feature state is, or is to be, and who writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub author: Author<'a>,
    pub place: &'a Place,
    pub feature: &'a Feature,
    pub subject: Subject<'a>,
}

impl Spot<'_> {
    /// Fails where states may only be changed through change requests, or through versions. Overrides of identities
    /// need neither.
    pub(crate) fn refuse_versioned(&self) -> Result<()> {
        if let Subject::Identity(_) = self.subject {
            return Ok(());
        }
        approvals::refuse_direct(self.place)?;
        if self.place.environment.use_v2_feature_versioning {
            return Err(Error::detail(VERSIONED));
        }
        Ok(())
    }

    /// Creates the state. Without a value it begins with the one of the feature.
    pub(crate) async fn create(
        &self,
        tx: &mut Tx,
        link: Option<i64>,
        edit: StateEdit,
    ) -> Result<(FeatureState, NewChange)> {
        self.refuse_versioned()?;
        let now = Timestamp::now().0;
        let mut state = blank(self.feature.id, self.place.environment.id, now);
        state.enabled = edit.enabled.unwrap_or(false);
        state.change_request_id = self.author.request.map(|request| request.id);
        state.feature_segment_id = link;
        if let Subject::Identity(identity) = self.subject {
            state.identity_id = Some(identity.id);
        }
        edit.value
            .unwrap_or_else(|| initial_value(&self.place.project, self.feature).into())
            .apply(&mut state);
        state.id = feature_states::insert(tx, &state).await?;
        if let Subject::Everyone = self.subject {
            let options = features::options(tx, self.feature.id).await?;
            allot_defaults(tx, state.id, &options).await?;
        }
        set_weights(tx, self.feature, state.id, &edit.weights.unwrap_or_default()).await?;
        let change = self
            .change(Action::Create, &state)
            .says(self.created())
            .after(snapshot(tx, &state).await?);
        Ok((state, change.into()))
    }

    /// Changes the state. One line of the log for the value and one for the switch, none when nothing changed.
    pub(crate) async fn edit(
        &self,
        tx: &mut Tx,
        before: FeatureState,
        edit: StateEdit,
    ) -> Result<(FeatureState, Vec<NewChange>)> {
        self.refuse_versioned()?;
        let was = snapshot(tx, &before).await?;
        let mut state = before.clone();
        if let Some(enabled) = edit.enabled {
            state.enabled = enabled;
        }
        if let Some(value) = edit.value {
            value.apply(&mut state);
        }
        let weighed = set_weights(tx, self.feature, state.id, &edit.weights.unwrap_or_default()).await?;
        let toggled = state.enabled != before.enabled;
        let revalued = weighed
            || state
                != (FeatureState {
                    enabled: state.enabled,
                    ..before
                });
        if !toggled && !revalued {
            return Ok((state, Vec::new()));
        }
        state.updated_at = Timestamp::now().0;
        state.change_request_id = self.author.request.map(|request| request.id);
        if self.author.scheduled || self.author.request.is_some() {
            state.version = state.version.saturating_add(1);
            state.live_from = state.updated_at;
        }
        feature_states::update(tx, &state).await?;
        let is = snapshot(tx, &state).await?;
        let messages = [(revalued, self.revalued()), (toggled, self.toggled())];
        let changes = messages.into_iter().filter(|(happened, _)| *happened);
        let changes = changes.map(|(_, message)| {
            let change = self.change(Action::Update, &state).says(message);
            change.before(was.clone()).after(is.clone()).into()
        });
        let changes = changes.collect();
        Ok((state, changes))
    }

    /// Deletes the state.
    pub(crate) async fn delete(&self, tx: &mut Tx, state: &FeatureState) -> Result<NewChange> {
        self.refuse_versioned()?;
        let change = self
            .change(Action::Delete, state)
            .says(self.deleted())
            .before(snapshot(tx, state).await?);
        match state.feature_segment_id {
            Some(link) => feature_segments::delete(tx, link).await?,
            None => feature_states::delete(tx, state.id).await?,
        };
        Ok(change.into())
    }

    fn change(&self, action: Action, state: &FeatureState) -> Change {
        Change::new(self.author, Kind::FeatureState, action, state.id)
            .in_environment(self.place)
            .uuid(&state.uuid)
            .serves()
    }

    fn created(&self) -> String {
        let name = &self.feature.name;
        match self.subject {
            Subject::Everyone => format!("New Flag / Remote Config created: {name}"),
            Subject::Segment(segment) => {
                format!(
                    "Segment override created for feature '{name}' and segment '{}'",
                    segment.name
                )
            }
            Subject::Identity(identity) => format!(
                "Identity override created for feature '{name}' and identity '{}'",
                identity.identifier
            ),
        }
    }

    fn toggled(&self) -> String {
        let name = &self.feature.name;
        match self.subject {
            Subject::Everyone => format!("Flag state updated for feature: {name}"),
            Subject::Segment(segment) => format!(
                "Flag state / Remote config value updated for feature '{name}' and segment '{}'",
                segment.name
            ),
            Subject::Identity(identity) => format!(
                "Flag state / Remote config value updated for feature '{name}' and identity '{}'",
                identity.identifier
            ),
        }
    }

    fn revalued(&self) -> String {
        let name = &self.feature.name;
        match self.subject {
            Subject::Everyone => format!("Remote config value updated for feature: {name}"),
            Subject::Segment(segment) => format!(
                "Remote config updated for segment override on feature '{name}' and segment '{}'.",
                segment.name
            ),
            Subject::Identity(identity) => format!(
                "Remote config value updated for identity override on feature '{name}' and identity '{}'.",
                identity.identifier
            ),
        }
    }

    fn deleted(&self) -> String {
        let name = &self.feature.name;
        match self.subject {
            Subject::Everyone => format!("Flag / Remote Config Deleted: {name}"),
            Subject::Segment(segment) => format!(
                "Flag state / Remote config value deleted for feature '{name}' and segment '{}'",
                segment.name
            ),
            Subject::Identity(identity) => format!(
                "Flag state / Remote config value deleted for feature '{name}' and identity '{}'",
                identity.identifier
            ),
        }
    }
}

/// Finds an environment by its key, for a caller who may do this there. Which ones exist is not told to others.
pub(crate) async fn place_by_key(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    permission: EnvironmentPermission,
) -> Result<Place> {
    let place = Place::by_key(tx, key).await?.ok_or_else(Error::forbidden)?;
    caller.require_in_environment(tx, &place, permission).await?;
    Ok(place)
}

/// The same by id.
pub(crate) async fn place_by_id(
    tx: &mut Tx,
    caller: &Caller,
    id: i64,
    permission: EnvironmentPermission,
) -> Result<Place> {
    let place = Place::by_id(tx, id).await?.ok_or_else(Error::forbidden)?;
    caller.require_in_environment(tx, &place, permission).await?;
    Ok(place)
}

/// Finds an environment by its key, with the features on which the caller may do this there.
pub(crate) async fn place_for_features(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    permission: EnvironmentPermission,
) -> Result<(Place, Features)> {
    let place = Place::by_key(tx, key).await?.ok_or_else(Error::forbidden)?;
    let features = caller.features_in_environment(tx, &place, permission).await?;
    Ok((place, features))
}

/// A feature of the project the place is in.
pub(crate) async fn feature_at(tx: &mut Tx, place: &Place, id: i64) -> Result<Option<Feature>> {
    let found = features::find(tx, id).await?;
    Ok(found.filter(|feature| feature.project_id == place.project.id))
}

/// A feature state with its allocations.
#[derive(Debug, Clone)]
pub struct StateDetails {
    pub state: FeatureState,
    pub options: Vec<StateOption>,
}

/// Adds the allocations to feature states.
pub(crate) async fn details(tx: &mut Tx, states: Vec<FeatureState>) -> Result<Vec<StateDetails>> {
    let ids: Vec<i64> = states.iter().map(|state| state.id).collect();
    let mut by_state: HashMap<i64, Vec<StateOption>> = HashMap::new();
    for option in state_options::of_states(tx, &ids).await? {
        by_state.entry(option.feature_state_id).or_default().push(option);
    }
    let with_options = states.into_iter().map(|state| StateDetails {
        options: by_state.remove(&state.id).unwrap_or_default(),
        state,
    });
    Ok(with_options.collect())
}

/// The same for one.
pub(crate) async fn detail(tx: &mut Tx, state: FeatureState) -> Result<StateDetails> {
    let options = state_options::of_states(tx, &[state.id]).await?;
    Ok(StateDetails { state, options })
}

/// Gives every feature of the project its default in a new environment.
pub async fn create_defaults_for_environment(
    tx: &mut Tx,
    project: &Project,
    environment_id: i64,
) -> Result<()> {
    let options = features::options_of_project(tx, project.id).await?;
    for feature in features::list(tx, project.id).await? {
        let options: Vec<_> = options
            .iter()
            .filter(|o| o.feature_id == feature.id)
            .cloned()
            .collect();
        create_default(tx, project, &feature, environment_id, &options).await?;
    }
    Ok(())
}

/// Gives one feature its default in an environment.
pub(crate) async fn create_default(
    tx: &mut Tx,
    project: &Project,
    feature: &Feature,
    environment_id: i64,
    options: &[MultivariateOption],
) -> Result<FeatureState> {
    let mut state = blank(feature.id, environment_id, Timestamp::now().0);
    state.enabled = feature.default_enabled && !project.prevent_flag_defaults;
    ValueEdit::from(initial_value(project, feature)).apply(&mut state);
    state.id = feature_states::insert(tx, &state).await?;
    allot_defaults(tx, state.id, options).await?;
    Ok(state)
}

/// Copies the defaults and segment overrides of an environment, with their allocations, into one that has none.
///
/// Buckets stay as they are: whoever got a variant there gets it here too.
pub async fn copy_environment(tx: &mut Tx, from_environment_id: i64, to_environment_id: i64) -> Result<()> {
    let mut links = HashMap::new();
    for link in feature_segments::list(tx, from_environment_id).await? {
        let mut copy = link.clone();
        copy.uuid = Uuid::new_v4().to_string();
        copy.environment_id = to_environment_id;
        links.insert(link.id, feature_segments::insert(tx, &copy).await?);
    }
    let states = feature_states::of_environment(tx, from_environment_id).await?;
    let now = Timestamp::now().0;
    for StateDetails { state, options } in details(tx, states).await? {
        let mut copy = state.clone();
        copy.uuid = Uuid::new_v4().to_string();
        copy.environment_id = to_environment_id;
        copy.feature_segment_id = state.feature_segment_id.and_then(|id| links.get(&id).copied());
        copy.hash_seed = Some(state.hash_seed());
        copy.version = 1;
        (copy.version_uuid, copy.change_request_id) = (None, None);
        (copy.live_from, copy.created_at, copy.updated_at) = (now, now, now);
        let id = feature_states::insert(tx, &copy).await?;
        for option in options {
            allot(tx, id, option.option_id, option.percentage_allocation).await?;
        }
    }
    Ok(())
}

/// A feature state that is off and holds nothing.
pub(crate) fn blank(feature_id: i64, environment_id: i64, now: i64) -> FeatureState {
    FeatureState {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id,
        environment_id,
        identity_id: None,
        feature_segment_id: None,
        enabled: false,
        r#type: "unicode".to_owned(),
        string_value: None,
        integer_value: None,
        boolean_value: None,
        hash_seed: None,
        version: 1,
        live_from: now,
        created_at: now,
        updated_at: now,
        version_uuid: None,
        change_request_id: None,
    }
}

/// The value a new state of this feature begins with.
pub(crate) fn initial_value(project: &Project, feature: &Feature) -> FlagValue {
    if project.prevent_flag_defaults {
        FlagValue::Null
    } else {
        FlagValue::from_initial(feature.initial_value.as_deref())
    }
}

/// Gives a new environment default the allocations the options of its feature ask for.
async fn allot_defaults(tx: &mut Tx, state_id: i64, options: &[MultivariateOption]) -> Result<()> {
    for option in options {
        allot(tx, state_id, option.id, option.default_percentage_allocation).await?;
    }
    Ok(())
}

/// Gives a state an allocation it does not have yet.
pub(crate) async fn allot(tx: &mut Tx, state_id: i64, option_id: i64, percentage: f64) -> Result<()> {
    let row = StateOption {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_state_id: state_id,
        option_id,
        percentage_allocation: percentage,
    };
    state_options::insert(tx, &row).await?;
    Ok(())
}

/// Whether percentages are too many. A little is forgiven, because thirds don't add up exactly.
pub(crate) fn over_100(percentages: impl Iterator<Item = f64>) -> bool {
    percentages.sum::<f64>() > 100.0 + 1e-6
}

/// Sets allocations of a state; others keep theirs. Tells whether any is different now.
async fn set_weights(tx: &mut Tx, feature: &Feature, state_id: i64, weights: &[Weight]) -> Result<bool> {
    if weights.is_empty() {
        return Ok(false);
    }
    let options = features::options(tx, feature.id).await?;
    let mut rows = state_options::of_states(tx, &[state_id]).await?;
    let mut changed = false;
    for weight in weights {
        if !options.iter().any(|option| option.id == weight.option_id) {
            return Err(unknown_option(weight.option_id));
        }
        let row = rows.iter_mut().find(|row| row.option_id == weight.option_id);
        if let Some(row) = row {
            if (row.percentage_allocation - weight.percentage).abs() > 0.0 {
                changed = true;
                row.percentage_allocation = weight.percentage;
                state_options::set_percentage(tx, row.id, weight.percentage).await?;
            }
        } else {
            allot(tx, state_id, weight.option_id, weight.percentage).await?;
            rows = state_options::of_states(tx, &[state_id]).await?;
            changed = true;
        }
    }
    over_100_error(rows.iter().map(|row| row.percentage_allocation))?;
    Ok(changed)
}

/// What is said of an option the feature does not have.
pub(crate) fn unknown_option(id: i64) -> Error {
    let text = format!("Invalid pk \"{id}\" - object does not exist.");
    let wrong = json!([{ "multivariate_feature_option": [text] }]);
    Error::Rejected(json!({ "multivariate_feature_state_values": wrong }))
}

/// Fails when percentages are too many.
pub(crate) fn over_100_error(percentages: impl Iterator<Item = f64>) -> Result<()> {
    if over_100(percentages) {
        return Err(Problems::whole(OVER_100).into());
    }
    Ok(())
}

/// What the change log keeps of a feature state; of a segment override also whose it is and where it stands.
pub(crate) async fn snapshot(tx: &mut Tx, state: &FeatureState) -> Result<Value> {
    let options = state_options::of_states(tx, &[state.id]).await?;
    let weights = options.iter().map(|option| {
        json!({
            "id": option.id,
            "multivariate_feature_option": option.option_id,
            "percentage_allocation": option.percentage_allocation,
        })
    });
    let mut json = json!({
        "feature": state.feature_id,
        "identity": state.identity_id,
        "feature_segment": state.feature_segment_id,
        "enabled": state.enabled,
        "feature_state_value": state.value().to_json(),
        "multivariate_feature_state_values": weights.collect::<Vec<_>>(),
    });
    if let Some(id) = state.feature_segment_id
        && let Some(link) = feature_segments::find(tx, id).await?
    {
        json["segment"] = json!(link.segment_id);
        json["priority"] = json!(link.priority);
    }
    Ok(json)
}
