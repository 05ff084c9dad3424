//! Copying what a feature is from one environment to another.

use burgee_model::Timestamp;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::changes::NewChange;
use burgee_store::features::Feature;
use burgee_store::{Tx, edge_identities, feature_states, identities, identity_admin};
use serde_json::json;

use crate::audit::Detail;
use crate::change::{Action, Change, Kind};
use crate::change_sets::{self, ChangeSet, StateChange, Target};
use crate::environment_states::{default_of, everyone, require_identities};
use crate::feature_states::{
    Spot, StateDetails, StateEdit, Subject, ValueEdit, Weight, detail, details, feature_at,
};
use crate::identities::identifier_here;
use crate::pii::Entrance;
use crate::{App, Caller, Error, Place, Result, audit_details, environments, segment_overrides};

/// What is copied, and whether it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// The client-side key of the environment to copy to.
    pub to: String,
    /// What the feature is for single identities, too.
    pub identity_overrides: bool,
    /// Only tells what would change.
    pub dry_run: bool,
}

/// A change a copy makes.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyChange {
    /// Its line in the log.
    pub line: String,
    pub details: Vec<Detail>,
}

const OVERRIDE: EnvironmentPermission = EnvironmentPermission::UpdateFeatureState;

/// Makes a feature in another environment what it is in this one: its default and its segment overrides, all of them
/// or nothing. Overrides for segments that have none here go; those of identities stay.
pub async fn copy(
    app: &App,
    caller: &Caller,
    api_key: &str,
    feature_id: i64,
    options: &CopyOptions,
) -> Result<Vec<CopyChange>> {
    let mut tx = app.begin_settled().await?;
    let source = environments::enter(&mut tx, api_key).await?;
    let view = EnvironmentPermission::ViewEnvironment;
    caller.require_in_environment(&mut tx, &source, view).await?;
    if options.identity_overrides {
        require_identities(&mut tx, caller, &source).await?;
    }
    let feature = feature_at(&mut tx, &source, feature_id)
        .await?
        .ok_or_else(|| Error::no_match("Feature"))?;
    let target = target(&mut tx, caller, &source, &feature, options).await?;
    let set = change_set(&mut tx, (&source, &target), &feature).await?;
    let touches_segments = !set.delete_segments.is_empty()
        || set
            .create
            .iter()
            .chain(&set.update)
            .any(|change| change.segment.is_some());
    if touches_segments {
        let permission = EnvironmentPermission::ManageSegmentOverrides;
        caller
            .require_on_feature(&mut tx, &target, permission, feature.id)
            .await?;
    }
    change_sets::check(&mut tx, &target, &feature, &set).await?;
    let now = Timestamp::now();
    let mut changes = change_sets::apply(&mut tx, caller.into(), &target, &feature, &set, now).await?;
    if options.identity_overrides {
        changes.extend(copy_identities(app, &mut tx, caller, (&source, &target), &feature).await?);
    }
    let told = changes.iter().map(|change| CopyChange {
        line: change.message.clone().unwrap_or_default(),
        details: audit_details::of(change.before.as_ref(), change.after.as_ref()),
    });
    let told = told.collect();
    if !options.dry_run && !changes.is_empty() {
        app.commit(tx, changes).await?;
    }
    Ok(told)
}

/// The other environment, when the caller may change the feature there.
async fn target(
    tx: &mut Tx,
    caller: &Caller,
    source: &Place,
    feature: &Feature,
    options: &CopyOptions,
) -> Result<Place> {
    let target = environments::enter(tx, &options.to).await?;
    caller
        .require_on_feature(tx, &target, OVERRIDE, feature.id)
        .await?;
    if options.identity_overrides {
        require_identities(tx, caller, &target).await?;
    }
    if target.project.id != source.project.id {
        return Err(Error::field("to", "This environment belongs to another project."));
    }
    if target.environment.id == source.environment.id {
        return Err(Error::field("to", "This is the environment itself."));
    }
    Ok(target)
}

/// What a state is, as an edit that makes another one the same.
fn edit(details: &StateDetails) -> StateEdit {
    let weights = details.options.iter().map(|option| Weight {
        option_id: option.option_id,
        percentage: option.percentage_allocation,
    });
    StateEdit {
        enabled: Some(details.state.enabled),
        value: Some(ValueEdit::from(details.state.value())),
        weights: Some(weights.collect()),
    }
}

async fn change_set(tx: &mut Tx, (source, target): (&Place, &Place), feature: &Feature) -> Result<ChangeSet> {
    let mut set = ChangeSet {
        feature_id: feature.id,
        ..ChangeSet::default()
    };
    if let Some(state) = default_of(tx, source, feature).await? {
        let change = StateChange {
            segment: None,
            edit: edit(&detail(tx, state).await?),
        };
        if default_of(tx, target, feature).await?.is_some() {
            set.update.push(change);
        } else {
            set.create.push(change);
        }
    }
    let there = segment_overrides::all_at(tx, target, feature).await?;
    let here = segment_overrides::all_at(tx, source, feature).await?;
    for (priority, found) in (0..).zip(&here) {
        let change = StateChange {
            segment: Some(Target {
                segment_id: found.link.segment_id,
                priority: Some(priority),
            }),
            edit: edit(&found.state),
        };
        let is_there = there
            .iter()
            .any(|other| other.link.segment_id == found.link.segment_id);
        if is_there {
            set.update.push(change);
        } else {
            set.create.push(change);
        }
    }
    let lost = there
        .iter()
        .map(|found| found.link.segment_id)
        .filter(|id| here.iter().all(|found| found.link.segment_id != *id));
    set.delete_segments = lost.collect();
    Ok(set)
}

async fn copy_identities(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    (source, target): (&Place, &Place),
    feature: &Feature,
) -> Result<Vec<NewChange>> {
    let environment_id = source.environment.id;
    let states =
        feature_states::identity_overrides(tx, environment_id, Some(feature.id), i64::MAX, 0).await?;
    let ids: Vec<i64> = states.iter().filter_map(|state| state.identity_id).collect();
    let names = feature_states::identifiers(tx, &ids).await?;
    let mut changes = Vec::new();
    for details in details(tx, states).await? {
        let Some(name) = names
            .iter()
            .find(|name| Some(name.id) == details.state.identity_id)
        else {
            continue;
        };
        let entrance = Entrance::AdminIdentities;
        let identifier = identifier_here(app, tx, target, entrance, name.identifier.clone()).await?;
        let found = edge_identities::find_named(tx, target.environment.id, &identifier).await?;
        let id = if let Some(found) = found {
            found.id
        } else {
            let now = Timestamp::now().0;
            let made = identity_admin::insert(tx, target.environment.id, &identifier, now).await?;
            let id = made.ok_or_else(Error::not_found)?;
            let change = Change::new(caller, Kind::Identity, Action::Create, id)
                .in_environment(target)
                .after(json!({ "identifier": identifier }));
            changes.push(change.into());
            id
        };
        let identity = identities::find(tx, id).await?.ok_or_else(Error::not_found)?;
        let spot = Spot {
            subject: Subject::Identity(&identity),
            ..everyone(caller, target, feature)
        };
        let present = feature_states::of_identity(tx, id).await?;
        match present.into_iter().find(|state| state.feature_id == feature.id) {
            Some(state) => changes.extend(spot.edit(tx, state, edit(&details)).await?.1),
            None => changes.push(spot.create(tx, None, edit(&details)).await?.1),
        }
    }
    Ok(changes)
}
