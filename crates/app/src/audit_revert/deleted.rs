//! Bringing back what was deleted, with what it took along (see [`crate::kept`]): under a new number, with the seeds it
//! had, so that everybody gets the variant they got.

use std::collections::BTreeMap;

use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_model::segments::Rule;
use burgee_store::audit::AuditEntry;
use burgee_store::changes::NewChange;
use burgee_store::projects::Project;
use burgee_store::{
    Tx, environments as environment_rows, feature_links, features as feature_rows, identities, segments,
    tags, transfer,
};
use serde_json::{Map, Value};

use super::{field, gone, impossible, nullable};
use crate::audit::before;
use crate::change_sets::{ChangeSet, StateChange, Target};
use crate::environment_states::everyone;
use crate::feature_options::OptionEdit;
use crate::feature_states::{Spot, StateEdit, Subject, ValueEdit, Weight};
use crate::features::{Made, NewFeature};
use crate::kept::{KEPT, KeptFeature, KeptOption, KeptSegment, KeptState};
use crate::metadata::{Owner, Write};
use crate::new_states::{self, Content};
use crate::segments::Segment;
use crate::{
    Caller, Error, Place, Result, approvals, change_sets, features, kept, metadata, prerequisites,
    segment_overrides, segments as segment_acts,
};

const UNKEPT: &str = "The log does not hold what this feature was made of, so it can't be put back.";
const MANAGED: &str = "This segment was managed by something that is gone; it can't come back without it.";
const LISTED: &str = "The lists of members of this segment went with it; it can't come back without them.";
const APPROVAL: &str = "what the feature was there can't be put back without it";

/// What was before, of an entry about a deletion.
fn was(entry: &AuditEntry) -> Result<Map<String, Value>> {
    match before(entry) {
        Some(Value::Object(was)) => Ok(was),
        _ => Err(impossible()),
    }
}

/// What a state is to be, with the numbers its options have now; options that are gone are left out.
fn edit(state: &KeptState, options: &BTreeMap<i64, i64>) -> StateEdit {
    let weights = state.weights.iter().filter_map(|(option, percentage)| {
        Some(Weight {
            option_id: *options.get(option)?,
            percentage: *percentage,
        })
    });
    StateEdit {
        enabled: Some(state.enabled),
        value: Some(ValueEdit::from(state.value.clone())),
        weights: Some(weights.collect()),
    }
}

/// A feature with its options, owners, custom fields and what it was everywhere, as far as what that refers to is there.
pub(super) async fn feature(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entry: &AuditEntry,
) -> Result<Vec<NewChange>> {
    let project = features::project_for(tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let was = was(entry)?;
    let kept: KeptFeature = field(&was, KEPT)?.ok_or_else(|| Error::detail(UNKEPT))?;
    let there = environment_rows::ids_in_scope(tx, None, Some(project.id)).await?;
    let states: Vec<&KeptState> = kept
        .states
        .iter()
        .filter(|state| there.contains(&state.environment))
        .collect();
    may_put_back(tx, caller, &project, &states).await?;
    let new = new_feature(tx, &project, &was, &kept).await?;
    let made = features::make(tx, caller, &project, new).await?;
    let numbers: BTreeMap<i64, i64> = kept
        .options
        .iter()
        .zip(&made.options)
        .map(|(old, new)| (old.id, new.id))
        .collect();
    let contents = contents(tx, &project, &states, &numbers).await?;
    let mut changes = new_states::create(tx, caller.into(), made.parts(&project), &contents).await?;
    for state in &states {
        changes.extend(for_identity(tx, caller, &made, state, &numbers).await?);
    }
    changes.push(made.line);
    Ok(changes)
}

/// Fails unless the caller may write what the feature was in every environment, without anybody's approval.
async fn may_put_back(tx: &mut Tx, caller: &Caller, project: &Project, states: &[&KeptState]) -> Result<()> {
    approvals::refuse_overwriting(tx, project.id, APPROVAL, |environment| {
        states
            .iter()
            .any(|state| state.environment == environment.id && state.identity.is_none())
    })
    .await?;
    let mut asked = Vec::new();
    for state in states {
        let permission = match state.segment {
            Some(_) => EnvironmentPermission::ManageSegmentOverrides,
            None => EnvironmentPermission::UpdateFeatureState,
        };
        let question = (state.environment, permission.key());
        if asked.contains(&question) {
            continue;
        }
        asked.push(question);
        if let Some(place) = Place::by_id(tx, state.environment).await? {
            caller.require_in_environment(tx, &place, permission).await?;
        }
    }
    Ok(())
}

async fn new_feature(
    tx: &mut Tx,
    project: &Project,
    was: &Map<String, Value>,
    kept: &KeptFeature,
) -> Result<NewFeature> {
    let name: String = field(was, "name")?.ok_or_else(impossible)?;
    if feature_rows::find_by_name(tx, project.id, &name.to_lowercase())
        .await?
        .is_some()
    {
        return Err(Error::Conflict("There is such a feature again.".to_owned()));
    }
    let owners = feature_links::members(tx, project.organisation_id, &kept.owners).await?;
    let known_tags = tags::list(tx, project.id).await?;
    let mut tags: Vec<i64> = field(was, "tags")?.unwrap_or_default();
    tags.retain(|id| known_tags.iter().any(|tag| tag.id == *id));
    Ok(NewFeature {
        name,
        kind: match was.get("type").and_then(Value::as_str) {
            Some("MULTIVARIATE") => Some("MULTIVARIATE"),
            _ => None,
        },
        default_enabled: field(was, "default_enabled")?.unwrap_or_default(),
        initial_value: nullable(was, "initial_value")?.flatten(),
        description: nullable(was, "description")?.flatten(),
        is_archived: field(was, "is_archived")?.unwrap_or_default(),
        is_server_key_only: field(was, "is_server_key_only")?.unwrap_or_default(),
        tags,
        options: kept.options.iter().map(option).collect(),
        // Where each feature must have an owner and none of its own is left, it is whoever brings it back.
        owners: (!owners.is_empty() || !project.enforce_feature_owners).then_some(owners),
        group_owners: feature_links::groups(tx, project.organisation_id, &kept.group_owners).await?,
        metadata: kept::values(tx, project, Owner::Feature(0), was.get("metadata")).await?,
    })
}

fn option(option: &KeptOption) -> OptionEdit {
    OptionEdit {
        default_percentage_allocation: Some(option.share),
        key: Some(option.key.clone()),
        ..option.value.clone().into()
    }
}

/// What the feature was for everyone and for those segments that are still there.
async fn contents(
    tx: &mut Tx,
    project: &Project,
    states: &[&KeptState],
    options: &BTreeMap<i64, i64>,
) -> Result<Vec<Content>> {
    let named: Vec<i64> = states.iter().filter_map(|state| state.segment).collect();
    let segments = segments::among(tx, &named).await?;
    let shared = states.iter().filter(|state| state.identity.is_none());
    let contents = shared.filter_map(|state| {
        let segment = match state.segment {
            None => None,
            Some(id) => {
                let found = segments
                    .iter()
                    // One that was for this feature alone is for a feature that is gone.
                    .find(|s| s.id == id && s.project_id == project.id && s.feature_id.is_none())?;
                Some((found.clone(), state.priority.unwrap_or_default()))
            }
        };
        Some(Content {
            environment_id: state.environment,
            segment,
            edit: edit(state, options),
            seed: Some(state.seed),
        })
    });
    Ok(contents.collect())
}

async fn for_identity(
    tx: &mut Tx,
    caller: &Caller,
    made: &Made,
    state: &KeptState,
    options: &BTreeMap<i64, i64>,
) -> Result<Option<NewChange>> {
    let Some(id) = state.identity else {
        return Ok(None);
    };
    let identity = identities::find(tx, id).await?;
    let Some(identity) = identity.filter(|found| found.environment_id == state.environment) else {
        return Ok(None);
    };
    let Some(place) = Place::by_id(tx, state.environment).await? else {
        return Ok(None);
    };
    let spot = Spot {
        subject: Subject::Identity(&identity),
        ..everyone(caller, &place, &made.feature)
    };
    let (row, change) = spot.create(tx, None, edit(state, options)).await?;
    transfer::set_hash_seed(tx, row.id, Some(state.seed)).await?;
    Ok(Some(change))
}

/// A segment with its custom fields and its overrides, as far as their features and environments are there.
pub(super) async fn segment(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entry: &AuditEntry,
) -> Result<Vec<NewChange>> {
    let project = segment_acts::edit_directly(tx, caller, project_id).await?;
    let was = was(entry)?;
    // Of segments that were deleted before this was kept, their own number is the seed.
    let kept: KeptSegment = field(&was, KEPT)?.unwrap_or_else(|| KeptSegment {
        seed: entry.object_id,
        ..KeptSegment::default()
    });
    if !kept.managed_by.is_empty() {
        return Err(Error::detail(MANAGED));
    }
    if kept.listed {
        return Err(Error::detail(LISTED));
    }
    if segments::find_in(tx, project.id, entry.object_id)
        .await?
        .is_some()
    {
        return Err(impossible());
    }
    let rules: Vec<Rule> = field(&was, "rules")?.unwrap_or_default();
    let rules = crate::segment_rules::copy(tx, &rules).await?;
    let feature_id: Option<i64> = nullable(&was, "feature")?.flatten();
    if let Some(id) = feature_id {
        features::find_in(tx, project.id, id).await.map_err(|_| gone())?;
    }
    let mut segment = Segment {
        feature_id,
        name: field(&was, "name")?.unwrap_or_default(),
        description: nullable(&was, "description")?.flatten(),
        rules: segment_acts::to_text(&rules),
        hash_seed: Some(kept.seed),
        ..segment_acts::blank(project.id)
    };
    segment_acts::insert(tx, &project, &mut segment).await?;
    let owner = Owner::Segment(segment.id);
    let values = kept::values(tx, &project, owner, was.get("metadata")).await?;
    metadata::write(tx, &project, owner, Some(values), Write::Part).await?;
    let mut changes = vec![segment_acts::created(tx, caller, &project, &segment).await?];
    for state in &kept.states {
        changes.extend(override_of(tx, caller, &project, &segment, state).await?);
    }
    prerequisites::refuse_rules(tx, &segment).await?;
    Ok(changes)
}

/// An override, put back as a change set, which environments with versions take, too.
async fn override_of(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    segment: &Segment,
    state: &KeptState,
) -> Result<Vec<NewChange>> {
    let Some(place) = Place::by_id(tx, state.environment).await? else {
        return Ok(Vec::new());
    };
    let Ok(feature) = features::find_in(tx, project.id, state.feature).await else {
        return Ok(Vec::new());
    };
    let permission = EnvironmentPermission::ManageSegmentOverrides;
    caller
        .require_on_feature(tx, &place, permission, feature.id)
        .await?;
    let options = feature_rows::options(tx, feature.id).await?;
    let same = options.iter().map(|option| (option.id, option.id)).collect();
    let set = ChangeSet {
        feature_id: feature.id,
        create: vec![StateChange {
            segment: Some(Target {
                segment_id: segment.id,
                priority: state.priority,
            }),
            edit: edit(state, &same),
        }],
        ..ChangeSet::default()
    };
    change_sets::check(tx, &place, &feature, &set).await?;
    let changes = change_sets::apply(tx, caller.into(), &place, &feature, &set, Timestamp::now()).await?;
    for made in segment_overrides::all_at(tx, &place, &feature).await? {
        if made.link.segment_id == segment.id {
            transfer::set_hash_seed(tx, made.state.state.id, Some(state.seed)).await?;
        }
    }
    Ok(changes)
}
