//! Reading features: one, or those a filter asks for, with what belongs to them.

use std::collections::{BTreeSet, HashMap, HashSet};

use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_store::feature_states::FeatureState;
use burgee_store::features::{self, Feature, MultivariateOption};
use burgee_store::{Tx, feature_links, feature_segments, feature_states, identities};

pub use burgee_store::feature_links::{GroupOwner, Owner};

use crate::code_references::{self, Summary};
use crate::environment_states::require_identities;
use crate::feature_lifecycle::{Signs, Stage};
use crate::features::find_in;
use crate::metadata::{self, MetadataValue};
use crate::{Caller, Error, Place, Result, projects};

/// Which features a list shows, and in which order.
#[derive(Debug, Clone, Default)]
pub struct FeatureFilter {
    /// A part of the name, whatever its case.
    pub search: Option<String>,
    pub by_name: bool,
    pub descending: bool,
    /// Those with these tags; an empty list stands for those without any.
    pub tags: Option<Vec<i64>>,
    /// All of the tags instead of one of them.
    pub every_tag: bool,
    pub is_archived: Option<bool>,
    pub kind: Option<String>,
    /// Adds what the features are in this environment.
    pub environment_id: Option<i64>,
    /// Adds what they are for this segment there.
    pub segment_id: Option<i64>,
    /// Puts those that this identity overrides first.
    pub identity_id: Option<i64>,
    pub is_enabled: Option<bool>,
    /// A part of the value in the environment, whatever its case.
    pub value_search: Option<String>,
    pub owners: Vec<i64>,
    pub group_owners: Vec<i64>,
    /// Those at this stage of their life in the environment.
    pub stage: Option<Stage>,
}

/// A feature with what belongs to it.
#[derive(Debug, Clone)]
pub struct FeatureDetails {
    pub feature: Feature,
    pub tags: Vec<i64>,
    pub options: Vec<MultivariateOption>,
    pub owners: Vec<Owner>,
    pub group_owners: Vec<GroupOwner>,
    /// What it is in the environment that was asked for.
    pub environment_state: Option<FeatureState>,
    /// What it is for the segment that was asked for.
    pub segment_state: Option<FeatureState>,
    pub segment_overrides: i64,
    pub identity_overrides: i64,
    /// Values of custom fields.
    pub metadata: Vec<MetadataValue>,
    /// What is known of it in code, repository by repository.
    pub code: Vec<Summary>,
    /// The stage of its life, where that was asked for.
    pub stage: Option<Stage>,
}

/// One feature of a project.
pub async fn get(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<FeatureDetails> {
    projects::get(tx, caller, project_id).await?;
    let feature = find_in(tx, project_id, id).await?;
    describe(tx, feature).await
}

/// One feature, by its uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<FeatureDetails> {
    let missing = || Error::no_match("Feature");
    let feature = features::find_by_uuid(tx, uuid).await?.ok_or_else(missing)?;
    let project = burgee_store::projects::find(tx, feature.project_id)
        .await?
        .ok_or_else(missing)?;
    let access = caller.project_access(tx, &project).await?;
    if !access.allows(ProjectPermission::ViewProject.key()) {
        return Err(missing());
    }
    describe(tx, feature).await
}

/// A feature with its tags, options and owners.
pub(crate) async fn describe(tx: &mut Tx, feature: Feature) -> Result<FeatureDetails> {
    let (project, id) = (feature.project_id, Some(feature.id));
    let tags = feature_links::tags(tx, project, id).await?;
    let mut code = code_references::of_features(tx, project, &[feature.id]).await?;
    Ok(FeatureDetails {
        tags: tags.into_iter().map(|link| link.tag_id).collect(),
        options: features::options(tx, feature.id).await?,
        owners: feature_links::owners(tx, project, id).await?,
        group_owners: feature_links::group_owners(tx, project, id).await?,
        environment_state: None,
        segment_state: None,
        segment_overrides: 0,
        identity_overrides: 0,
        metadata: metadata::of_object(tx, metadata::Owner::Feature(feature.id)).await?,
        code: code.remove(&feature.id).unwrap_or_default(),
        stage: None,
        feature,
    })
}

/// The features of a project that a filter asks for.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    filter: &FeatureFilter,
) -> Result<Vec<FeatureDetails>> {
    projects::get(tx, caller, project_id).await?;
    let mut rows = describe_all(tx, project_id).await?;
    if let Some(environment_id) = filter.environment_id {
        place_in(tx, caller, project_id, environment_id).await?;
        add_states(tx, &mut rows, environment_id, filter.segment_id).await?;
        if filter.stage.is_some() {
            let signs = Signs::read(tx, project_id, environment_id).await?;
            for row in &mut rows {
                row.stage = (!row.feature.is_archived).then(|| signs.stage(&row.feature));
            }
        }
    }
    rows.retain(|row| filter.accepts(row));
    if filter.by_name {
        rows.sort_by(|a, b| a.feature.name.cmp(&b.feature.name));
    }
    if filter.descending {
        rows.reverse();
    }
    if let Some(identity_id) = filter.identity_id {
        let overridden = overridden(tx, caller, project_id, identity_id).await?;
        rows.sort_by_key(|row| !overridden.contains(&row.feature.id));
    }
    Ok(rows)
}

impl FeatureFilter {
    fn accepts(&self, row: &FeatureDetails) -> bool {
        let feature = &row.feature;
        let state = row.environment_state.as_ref();
        let named = self
            .search
            .as_ref()
            .is_none_or(|part| feature.name_key.contains(&part.to_lowercase()));
        let valued = self
            .value_search
            .as_ref()
            .is_none_or(|part| state.is_some_and(|state| contains(state, &part.to_lowercase())));
        named
            && valued
            && self.tagged(&row.tags)
            && self
                .is_archived
                .is_none_or(|wanted| feature.is_archived == wanted)
            && self.kind.as_ref().is_none_or(|kind| feature.r#type == *kind)
            && self
                .is_enabled
                .is_none_or(|wanted| state.is_some_and(|state| state.enabled == wanted))
            && self.stage.is_none_or(|wanted| row.stage == Some(wanted))
            && (self.owners.is_empty() || row.owners.iter().any(|owner| self.owners.contains(&owner.id)))
            && (self.group_owners.is_empty()
                || row
                    .group_owners
                    .iter()
                    .any(|group| self.group_owners.contains(&group.id)))
    }

    fn tagged(&self, tags: &[i64]) -> bool {
        match &self.tags {
            None => true,
            Some(wanted) if wanted.is_empty() => tags.is_empty(),
            Some(wanted) if self.every_tag => wanted.iter().all(|tag| tags.contains(tag)),
            Some(wanted) => wanted.iter().any(|tag| tags.contains(tag)),
        }
    }
}

/// Whether the value of a state has this text (in lower case) in it.
fn contains(state: &FeatureState, part: &str) -> bool {
    use burgee_model::FlagValue::{Bool, Int, Null, Text};
    match state.value() {
        Null => false,
        Bool(truth) => truth.to_string().contains(part),
        Int(number) => number.to_string().contains(part),
        Text(text) => text.to_lowercase().contains(part),
    }
}

/// All features of a project with their tags, options and owners, oldest first: eight statements however many.
async fn describe_all(tx: &mut Tx, project_id: i64) -> Result<Vec<FeatureDetails>> {
    let mut tags: HashMap<i64, Vec<i64>> = HashMap::new();
    for link in feature_links::tags(tx, project_id, None).await? {
        tags.entry(link.feature_id).or_default().push(link.tag_id);
    }
    let mut options: HashMap<i64, Vec<MultivariateOption>> = HashMap::new();
    for option in features::options_of_project(tx, project_id).await? {
        options.entry(option.feature_id).or_default().push(option);
    }
    let mut owners: HashMap<i64, Vec<Owner>> = HashMap::new();
    for owner in feature_links::owners(tx, project_id, None).await? {
        owners.entry(owner.feature_id).or_default().push(owner);
    }
    let mut groups: HashMap<i64, Vec<GroupOwner>> = HashMap::new();
    for group in feature_links::group_owners(tx, project_id, None).await? {
        groups.entry(group.feature_id).or_default().push(group);
    }
    let mut values = metadata::of_project(tx, project_id).await?;
    let features = features::list(tx, project_id).await?;
    let ids: Vec<i64> = features.iter().map(|feature| feature.id).collect();
    let mut code = code_references::of_features(tx, project_id, &ids).await?;
    let rows = features.into_iter();
    let rows = rows.map(|feature| FeatureDetails {
        tags: tags.remove(&feature.id).unwrap_or_default(),
        options: options.remove(&feature.id).unwrap_or_default(),
        owners: owners.remove(&feature.id).unwrap_or_default(),
        group_owners: groups.remove(&feature.id).unwrap_or_default(),
        environment_state: None,
        segment_state: None,
        segment_overrides: 0,
        identity_overrides: 0,
        metadata: values
            .remove(&metadata::Owner::Feature(feature.id))
            .unwrap_or_default(),
        code: code.remove(&feature.id).unwrap_or_default(),
        stage: None,
        feature,
    });
    Ok(rows.collect())
}

/// An environment of the project, for a caller who may see it.
async fn place_in(tx: &mut Tx, caller: &Caller, project_id: i64, environment_id: i64) -> Result<Place> {
    let place = Place::by_id(tx, environment_id).await?;
    let place = place.filter(|place| place.project.id == project_id);
    let place = place.ok_or_else(|| Error::no_such("environment", environment_id))?;
    caller
        .require_in_environment(tx, &place, EnvironmentPermission::ViewEnvironment)
        .await?;
    Ok(place)
}

/// Adds what the features are in an environment, and how often they are overridden there.
async fn add_states(
    tx: &mut Tx,
    rows: &mut [FeatureDetails],
    environment_id: i64,
    segment_id: Option<i64>,
) -> Result<()> {
    let links: HashSet<i64> = match segment_id {
        Some(segment_id) => feature_segments::list(tx, environment_id)
            .await?
            .into_iter()
            .filter(|link| link.segment_id == segment_id)
            .map(|link| link.id)
            .collect(),
        None => HashSet::new(),
    };
    let (mut defaults, mut for_segment) = (HashMap::new(), HashMap::new());
    for state in feature_states::of_environment(tx, environment_id).await? {
        match state.feature_segment_id {
            None => drop(defaults.insert(state.feature_id, state)),
            Some(link) if links.contains(&link) => drop(for_segment.insert(state.feature_id, state)),
            Some(_) => {}
        }
    }
    let counts = feature_states::count_overrides(tx, environment_id).await?;
    let counts: HashMap<i64, _> = counts
        .into_iter()
        .map(|count| (count.feature_id, count))
        .collect();
    for row in rows {
        row.environment_state = defaults.remove(&row.feature.id);
        row.segment_state = for_segment.remove(&row.feature.id);
        if let Some(count) = counts.get(&row.feature.id) {
            row.segment_overrides = count.segments;
            row.identity_overrides = count.identities;
        }
    }
    Ok(())
}

/// The features an identity overrides; it must be of an environment of this project that the caller may see.
async fn overridden(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    identity_id: i64,
) -> Result<BTreeSet<i64>> {
    let identity = identities::find(tx, identity_id).await?;
    let identity = identity.ok_or_else(|| Error::no_such("identity", identity_id))?;
    let hidden = |_| Error::no_such("identity", identity_id);
    let place = place_in(tx, caller, project_id, identity.environment_id)
        .await
        .map_err(hidden)?;
    require_identities(tx, caller, &place).await.map_err(hidden)?;
    let states = feature_states::of_identity(tx, identity_id).await?;
    Ok(states.into_iter().map(|state| state.feature_id).collect())
}
