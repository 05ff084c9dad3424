//! Putting back what was before an entry of the audit log.
//!
//! The entry's own object is written again, by somebody who may write it, with a line of its own in the log. What
//! was changed since is not overwritten unless that is asked for.

use burgee_model::FlagValue;
use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_model::segments::Rule;
use burgee_store::audit::AuditEntry;
use burgee_store::changes::NewChange;
use burgee_store::environments as environment_rows;
use burgee_store::features::Feature;
use burgee_store::identities::{self, Identity};
use burgee_store::segments::Segment;
use burgee_store::{Tx, feature_states, segments, versions as version_rows};
use serde_json::{Map, Value, json};

use crate::audit::{Detail, Log, after, before};
use crate::change_sets::{ChangeSet, StateChange, Target};
use crate::environment_states::{default_of, everyone};
use crate::environments::EnvironmentEdit;
use crate::feature_states::{Spot, StateEdit, Subject, ValueEdit, Weight, feature_at, snapshot};
use crate::features::FeatureEdit;
use crate::metadata::Write;
use crate::projects::ProjectEdit;
use crate::segments::SegmentEdit;
use crate::version_history::{self, Restoring};
use crate::{
    App, Caller, Error, Place, Result, approvals, audit, audit_details, change_sets, environments, features,
    projects, segment_overrides, segments as segment_acts,
};

/// Puts back what was before an entry; answers what is different now.
///
/// With `force` also where the object was changed again since.
pub async fn revert(
    app: &App,
    caller: &Caller,
    project_id: i64,
    entry_id: i64,
    force: bool,
) -> Result<Vec<Detail>> {
    let mut tx = app.begin_settled().await?;
    let entry = audit::get(&mut tx, caller, Log::Project(project_id), entry_id)
        .await?
        .entry;
    let changes = undo(&mut tx, caller, project_id, &entry, force).await?;
    let details = changes
        .iter()
        .flat_map(|change| audit_details::of(change.before.as_ref(), change.after.as_ref()));
    let mut told: Vec<Detail> = Vec::new();
    for detail in details {
        // Value and switch of a feature state are two lines that tell of the same difference.
        if !told.contains(&detail) {
            told.push(detail);
        }
    }
    if !changes.is_empty() {
        app.commit(tx, changes).await?;
    }
    Ok(told)
}

async fn undo(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    match (entry.object_type.as_str(), entry.action.as_str()) {
        ("PROJECT", "UPDATE") => {
            let project = projects::get(tx, caller, entry.object_id).await?;
            let was = unchanged(entry, &projects::as_json(&project), force)?;
            let edit = project_edit(&was)?;
            Ok(vec![projects::change(tx, caller, project.id, edit).await?.1])
        }
        ("ENVIRONMENT", "UPDATE") => {
            let environment = environment_rows::find(tx, entry.object_id).await?;
            let environment = environment.ok_or_else(gone)?;
            let was = unchanged(entry, &environments::as_json(&environment), force)?;
            let edit = environment_edit(&was)?;
            let (_, change) = environments::change(tx, caller, &environment.api_key, edit).await?;
            Ok(change.into_iter().collect())
        }
        ("FEATURE", "UPDATE") => {
            let permission = ProjectPermission::CreateFeature;
            let project = features::project_for(tx, caller, project_id, permission).await?;
            let feature = features::find_in(tx, project.id, entry.object_id)
                .await
                .map_err(|_| gone())?;
            let is = features::snapshot(tx, &feature).await?;
            let edit = feature_edit(&unchanged(entry, &is, force)?)?;
            Ok(vec![
                features::change(tx, caller, &project, feature.id, edit).await?.1,
            ])
        }
        ("SEGMENT", "UPDATE" | "DELETE") => segment(tx, caller, project_id, entry, force).await,
        ("FEATURE_STATE", _) => feature_state(tx, caller, entry, force).await,
        ("EF_VERSION", _) => version(tx, caller, entry, force).await,
        _ => Err(impossible()),
    }
}

fn impossible() -> Error {
    Error::detail("What this entry speaks of can't be put back.")
}

fn gone() -> Error {
    Error::Conflict("What this entry speaks of is not there any more.".to_owned())
}

/// What was before, when the object still is as the entry left it (or whatever it is, with `force`).
fn unchanged(entry: &AuditEntry, is: &Value, force: bool) -> Result<Map<String, Value>> {
    let (Some(Value::Object(was)), Some(Value::Object(left))) = (before(entry), after(entry)) else {
        return Err(impossible());
    };
    let differs = left
        .iter()
        .any(|(key, value)| is.get(key).is_some_and(|is| is != value));
    if differs && !force {
        return Err(changed_since());
    }
    Ok(was)
}

fn changed_since() -> Error {
    let text =
        "It was changed again since. Look at it, and say \"force\" to put back what was before all the same.";
    Error::Conflict(text.to_owned())
}

/// A field of what was before. One that the log does not have stays as it is.
fn field<T: serde::de::DeserializeOwned>(was: &Map<String, Value>, name: &str) -> Result<Option<T>> {
    match was.get(name) {
        None => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|_| impossible()),
    }
}

/// The same for a field that may be null, which is a value of its own.
#[expect(clippy::option_option, reason = "not kept, or kept as nothing")]
fn nullable<T: serde::de::DeserializeOwned>(
    was: &Map<String, Value>,
    name: &str,
) -> Result<Option<Option<T>>> {
    field::<Option<T>>(was, name)
}

fn project_edit(was: &Map<String, Value>) -> Result<ProjectEdit> {
    Ok(ProjectEdit {
        name: field(was, "name")?,
        hide_disabled_flags: field(was, "hide_disabled_flags")?,
        prevent_flag_defaults: field(was, "prevent_flag_defaults")?,
        enable_realtime_updates: field(was, "enable_realtime_updates")?,
        only_allow_lower_case_feature_names: field(was, "only_allow_lower_case_feature_names")?,
        feature_name_regex: nullable(was, "feature_name_regex")?,
        stale_flags_limit_days: field(was, "stale_flags_limit_days")?,
        minimum_change_request_approvals: nullable(was, "minimum_change_request_approvals")?,
        enforce_feature_owners: field(was, "enforce_feature_owners")?,
        use_edge_identities: field(was, "use_edge_identities")?,
        max_features_allowed: nullable(was, "max_features_allowed")?,
        max_segments_allowed: nullable(was, "max_segments_allowed")?,
        max_segment_overrides_allowed: nullable(was, "max_segment_overrides_allowed")?,
    })
}

fn environment_edit(was: &Map<String, Value>) -> Result<EnvironmentEdit> {
    Ok(EnvironmentEdit {
        name: field(was, "name")?,
        description: nullable(was, "description")?,
        allow_client_traits: field(was, "allow_client_traits")?,
        banner_text: nullable(was, "banner_text")?,
        banner_colour: nullable(was, "banner_colour")?,
        hide_disabled_flags: nullable(was, "hide_disabled_flags")?,
        use_identity_composite_key_for_hashing: field(was, "use_identity_composite_key_for_hashing")?,
        hide_sensitive_data: field(was, "hide_sensitive_data")?,
        use_identity_overrides_in_local_eval: field(was, "use_identity_overrides_in_local_eval")?,
        // Custom fields stay as they are.
        ..EnvironmentEdit::default()
    })
}

fn feature_edit(was: &Map<String, Value>) -> Result<FeatureEdit> {
    // Who owned it is kept by name, for reading only.
    if !was.contains_key("is_archived") {
        return Err(impossible());
    }
    Ok(FeatureEdit {
        kind: None,
        description: nullable(was, "description")?,
        is_archived: field(was, "is_archived")?,
        is_server_key_only: field(was, "is_server_key_only")?,
        tags: field(was, "tags")?,
        // Custom fields stay as they are.
        ..FeatureEdit::default()
    })
}

/// A segment as it was; a deleted one comes back without its overrides, under a new id.
async fn segment(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let project = segment_acts::edit_directly(tx, caller, project_id).await?;
    let present = segments::find_in(tx, project.id, entry.object_id).await?;
    if entry.action == "DELETE" {
        let Some(Value::Object(was)) = before(entry) else {
            return Err(impossible());
        };
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
            rules: serde_json::to_string(&rules).unwrap_or_else(|_| "[]".to_owned()),
            ..segment_acts::blank(project.id)
        };
        segment_acts::insert(tx, &project, &mut segment).await?;
        return Ok(vec![segment_acts::created(tx, caller, &project, &segment).await?]);
    }
    let present = present.ok_or_else(gone)?;
    let was = unchanged(entry, &segment_acts::as_json(&present), force)?;
    let rules: Option<Vec<Rule>> = field(&was, "rules")?;
    let edit = SegmentEdit {
        name: field(&was, "name")?,
        description: nullable(&was, "description")?,
        feature: nullable(&was, "feature")?,
        rules: rules.map(|rules| rules.iter().map(crate::segment_rules::kept_as_is).collect()),
        // Custom fields stay as they are.
        ..SegmentEdit::default()
    };
    let mut segment = present.clone();
    segment_acts::apply(tx, &mut segment, edit).await?;
    segment.updated_at = Timestamp::now().0;
    let values = (None, Write::Part);
    Ok(vec![
        segment_acts::rewrite(tx, caller, &project, (&present, &segment), values).await?,
    ])
}

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

async fn feature_state(
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
async fn version(tx: &mut Tx, caller: &Caller, entry: &AuditEntry, force: bool) -> Result<Vec<NewChange>> {
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
