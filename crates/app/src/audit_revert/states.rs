//! Putting back what a feature was: for everyone, for a segment, for an identity; and the version before.

use burgee_model::FlagValue;
use burgee_model::Timestamp;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::audit::AuditEntry;
use burgee_store::changes::NewChange;
use burgee_store::identities::{self, Identity};
use burgee_store::{Tx, feature_states, segments, versions as version_rows};
use serde_json::{Map, Value, json};

use super::{changed_since, field, gone, impossible, nullable, unchanged};
use crate::audit::{after, before};
use crate::change_sets::{ChangeSet, StateChange, Target};
use crate::environment_states::{default_of, everyone};
use crate::feature_states::{Spot, StateEdit, Subject, ValueEdit, Weight, feature_at, snapshot};
use crate::features::Feature;
use crate::version_history::{self, Restoring};
use crate::{Caller, Error, Place, Result, approvals, change_sets, segment_overrides};

/// What is to be of a feature state, from what the log keeps.
fn state_edit(was: &Map<String, Value>) -> Result<StateEdit> {
    let value: FlagValue = field(was, "feature_state_value")?.unwrap_or_default();
    let weights = was
        .get("multivariate_feature_state_values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| {
            Some(Weight {
                option_id: item.get("multivariate_feature_option")?.as_i64()?,
                percentage: item.get("percentage_allocation")?.as_f64()?,
            })
        });
    Ok(StateEdit {
        enabled: Some(field(was, "enabled")?.ok_or_else(impossible)?),
        value: Some(ValueEdit::from(value)),
        weights: Some(weights.collect()),
    })
}

pub(super) async fn feature_state(
    tx: &mut Tx,
    caller: &Caller,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let environment_id = entry.environment_id.ok_or_else(impossible)?;
    let place = Place::by_id(tx, environment_id).await?.ok_or_else(gone)?;
    // Defaults come and go with features and environments; only overrides do so by themselves.
    let told = before(entry).or_else(|| after(entry)).unwrap_or_default();
    let is_default = told["identity"].is_null() && told["feature_segment"].is_null();
    let permission = if told["feature_segment"].is_null() {
        EnvironmentPermission::UpdateFeatureState
    } else {
        EnvironmentPermission::ManageSegmentOverrides
    };
    let feature_id = told["feature"].as_i64().ok_or_else(impossible)?;
    caller
        .require_on_feature(tx, &place, permission, feature_id)
        .await?;
    if told.get("enabled").is_none() || (is_default && entry.action != "UPDATE") {
        return Err(impossible());
    }
    let feature = feature_at(tx, &place, feature_id).await?.ok_or_else(gone)?;
    match nullable::<i64>(object(&told)?, "identity")?.flatten() {
        Some(identity_id) => {
            let identity = identities::find(tx, identity_id).await?.ok_or_else(gone)?;
            let spot = Spot {
                subject: Subject::Identity(&identity),
                ..everyone(caller, &place, &feature)
            };
            identity_override(tx, spot, &identity, entry, force).await
        }
        None => shared_state(tx, caller, (&place, &feature), entry, force).await,
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().ok_or_else(impossible)
}

/// An entry that tells of no state before it: for comparing what it left with what is there.
fn as_creation(entry: &AuditEntry) -> AuditEntry {
    AuditEntry {
        before: Some(json!({}).to_string()),
        ..entry.clone()
    }
}

fn there() -> Error {
    Error::Conflict("There is such an override again.".to_owned())
}

async fn identity_override(
    tx: &mut Tx,
    spot: Spot<'_>,
    identity: &Identity,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let states = feature_states::of_identity(tx, identity.id).await?;
    let state = states
        .into_iter()
        .find(|state| state.feature_id == spot.feature.id);
    if entry.action == "DELETE" {
        if state.is_some() {
            return Err(there());
        }
        let was = before(entry).ok_or_else(impossible)?;
        let edit = state_edit(object(&was)?)?;
        return Ok(vec![spot.create(tx, None, edit).await?.1]);
    }
    let state = state.ok_or_else(gone)?;
    let is = snapshot(tx, &state).await?;
    if entry.action == "CREATE" {
        unchanged(&as_creation(entry), &is, force)?;
        return Ok(vec![spot.delete(tx, &state).await?]);
    }
    let edit = state_edit(&unchanged(entry, &is, force)?)?;
    Ok(spot.edit(tx, state, edit).await?.1)
}

/// The version that was live before is published again, as a new one.
pub(super) async fn version(
    tx: &mut Tx,
    caller: &Caller,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let environment_id = entry.environment_id.ok_or_else(impossible)?;
    let place = Place::by_id(tx, environment_id).await?.ok_or_else(gone)?;
    let was = before(entry).ok_or_else(impossible)?;
    let (Some(uuid), Some(feature_id)) = (was["version"].as_str(), was["feature"].as_i64()) else {
        return Err(impossible());
    };
    let permission = EnvironmentPermission::UpdateFeatureState;
    caller
        .require_on_feature(tx, &place, permission, feature_id)
        .await?;
    approvals::refuse_direct(&place)?;
    let feature = feature_at(tx, &place, feature_id).await?.ok_or_else(gone)?;
    let old = version_rows::find_by_uuid(tx, uuid).await?.ok_or_else(gone)?;
    let current = version_rows::current(tx, environment_id, feature_id).await?;
    let current = current.ok_or_else(gone)?;
    if Some(&current.uuid) != entry.object_uuid.as_ref() && !force {
        return Err(changed_since());
    }
    let how = Restoring {
        publish: true,
        ..Restoring::default()
    };
    let at = (&place, &feature);
    Ok(version_history::restore_in(tx, caller.into(), at, &old, how)
        .await?
        .1)
}

/// A default or a segment override: put back as a change set, which environments with versions take, too.
async fn shared_state(
    tx: &mut Tx,
    caller: &Caller,
    (place, feature): (&Place, &Feature),
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let told = before(entry).or_else(|| after(entry)).unwrap_or_default();
    let told = object(&told)?;
    let of_segment = told.get("feature_segment").is_some_and(|link| !link.is_null());
    let segment_id: Option<i64> = nullable(told, "segment")?.flatten();
    if of_segment && segment_id.is_none() {
        return Err(impossible());
    }
    let present = match segment_id {
        None => default_of(tx, place, feature).await?,
        Some(segment_id) => segment_overrides::all_at(tx, place, feature)
            .await?
            .into_iter()
            .find(|found| found.link.segment_id == segment_id)
            .map(|found| found.state.state),
    };
    let mut set = ChangeSet {
        feature_id: feature.id,
        ..ChangeSet::default()
    };
    let target = |priority| segment_id.map(|segment_id| Target { segment_id, priority });
    match entry.action.as_str() {
        "DELETE" => {
            if present.is_some() {
                return Err(there());
            }
            if let Some(id) = segment_id {
                segments::find(tx, id).await?.ok_or_else(gone)?;
            }
            set.create.push(StateChange {
                segment: target(nullable(told, "priority")?.flatten()),
                edit: state_edit(told)?,
            });
        }
        "CREATE" => {
            let is = snapshot(tx, &present.ok_or_else(gone)?).await?;
            unchanged(&as_creation(entry), &is, force)?;
            set.delete_segments.extend(segment_id);
        }
        _ => {
            let is = snapshot(tx, &present.ok_or_else(gone)?).await?;
            set.update.push(StateChange {
                segment: target(None),
                edit: state_edit(&unchanged(entry, &is, force)?)?,
            });
        }
    }
    change_sets::check(tx, place, feature, &set).await?;
    change_sets::apply(tx, caller.into(), place, feature, &set, Timestamp::now()).await
}
