//! Putting back what was before an entry of the audit log.
//!
//! The entry's own object is written again, by somebody who may write it, with a line of its own in the log. What
//! was changed since is not overwritten unless that is asked for.

mod deleted;
mod states;

use burgee_model::Timestamp;
use burgee_model::permissions::ProjectPermission;
use burgee_model::pii::Mode;
use burgee_model::segments::Rule;
use burgee_store::audit::AuditEntry;
use burgee_store::changes::NewChange;
use burgee_store::environments as environment_rows;
use burgee_store::projects::Project;
use burgee_store::{Tx, segments};
use serde_json::{Map, Value, json};

use crate::audit::{Detail, Log, after, before};
use crate::environments::EnvironmentEdit;
use crate::features::{Feature, FeatureEdit};
use crate::metadata::{self, MetadataEdit, Owner, Write};
use crate::projects::ProjectEdit;
use crate::segments::SegmentEdit;
use crate::{
    App, Caller, Error, Place, Result, audit, audit_details, environments, feature_owners, features, kept,
    projects, segments as segment_acts,
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
        ("ENVIRONMENT", "UPDATE") => environment(tx, caller, entry, force).await,
        ("ENVIRONMENT", "DELETE") => Err(Error::detail(ENVIRONMENT_GONE)),
        ("FEATURE", "UPDATE") => feature(tx, caller, project_id, entry, force).await,
        ("FEATURE", "DELETE") => deleted::feature(tx, caller, project_id, entry).await,
        ("SEGMENT", "UPDATE") => segment(tx, caller, project_id, entry, force).await,
        ("SEGMENT", "DELETE") => deleted::segment(tx, caller, project_id, entry).await,
        ("FEATURE_STATE", _) => states::feature_state(tx, caller, entry, force).await,
        ("EF_VERSION", _) => states::version(tx, caller, entry, force).await,
        _ => Err(impossible()),
    }
}

const ENVIRONMENT_GONE: &str = "A deleted environment can't be put back: its identities and its keys went with it. \
    Make a new one, or take it out of a file of the project.";

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
    // The log leaves custom fields out where an object has none.
    let says = |object: &Map<String, Value>| object.get("metadata").cloned().unwrap_or_else(|| json!([]));
    let says_else = speaks_of_values(&was, &left) && is.as_object().is_some_and(|is| says(is) != says(&left));
    if (differs || says_else) && !force {
        return Err(changed_since());
    }
    Ok(was)
}

fn changed_since() -> Error {
    let text =
        "It was changed again since. Look at it, and say \"force\" to put back what was before all the same.";
    Error::Conflict(text.to_owned())
}

fn speaks_of_values(was: &Map<String, Value>, left: &Map<String, Value>) -> bool {
    was.contains_key("metadata") || left.contains_key("metadata")
}

/// What the custom fields said before, where the entry speaks of them.
async fn values(
    tx: &mut Tx,
    project: &Project,
    owner: Owner,
    entry: &AuditEntry,
    was: &Map<String, Value>,
) -> Result<Option<Vec<MetadataEdit>>> {
    let left = after(entry).and_then(|left| left.as_object().cloned());
    if !speaks_of_values(was, &left.unwrap_or_default()) {
        return Ok(None);
    }
    kept::values(tx, project, owner, was.get("metadata"))
        .await
        .map(Some)
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
        pii_mode: field::<String>(was, "pii_mode")?.and_then(|mode| Mode::parse(&mode)),
        pii_allowed_traits: field(was, "pii_allowed_traits")?,
        pii_allowed_values: field(was, "pii_allowed_values")?,
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
        ..EnvironmentEdit::default()
    })
}

async fn environment(
    tx: &mut Tx,
    caller: &Caller,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let environment = environment_rows::find(tx, entry.object_id).await?;
    let environment = environment.ok_or_else(gone)?;
    let place = Place::by_id(tx, environment.id).await?.ok_or_else(gone)?;
    let owner = Owner::Environment(environment.id);
    let is = metadata::logged(tx, owner, environments::as_json(&environment)).await?;
    let was = unchanged(entry, &is, force)?;
    let edit = EnvironmentEdit {
        metadata: values(tx, &place.project, owner, entry, &was).await?,
        ..environment_edit(&was)?
    };
    let (_, change) = environments::change(tx, caller, &environment.api_key, edit).await?;
    Ok(change.into_iter().collect())
}

/// What a feature was, or whose: an entry speaks of one of the two.
async fn feature(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let project = features::project_for(tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let feature = features::find_in(tx, project.id, entry.object_id)
        .await
        .map_err(|_| gone())?;
    if before(entry).is_some_and(|was| was.get("owners").is_some()) {
        return owners(tx, caller, (&project, feature), entry, force).await;
    }
    let is = features::snapshot(tx, &feature).await?;
    let was = unchanged(entry, &is, force)?;
    if !was.contains_key("is_archived") {
        return Err(impossible());
    }
    let edit = FeatureEdit {
        kind: None,
        description: nullable(&was, "description")?,
        is_archived: field(&was, "is_archived")?,
        is_server_key_only: field(&was, "is_server_key_only")?,
        tags: field(&was, "tags")?,
        metadata: values(tx, &project, Owner::Feature(feature.id), entry, &was).await?,
        whole: false,
    };
    let (_, change) = features::change(tx, caller, &project, feature.id, edit).await?;
    Ok(vec![change])
}

/// Owners as they were, as far as they are still members and groups of the organisation.
async fn owners(
    tx: &mut Tx,
    caller: &Caller,
    (project, feature): (&Project, Feature),
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let is = feature_owners::snapshot(tx, &feature).await?;
    let was = unchanged(entry, &is, force)?;
    let emails: Vec<String> = field(&was, "owners")?.unwrap_or_default();
    let groups: Vec<String> = field(&was, "group_owners")?.unwrap_or_default();
    let change = feature_owners::put(tx, caller, project, feature, (&emails, &groups)).await?;
    Ok(vec![change])
}

async fn segment(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    entry: &AuditEntry,
    force: bool,
) -> Result<Vec<NewChange>> {
    let project = segment_acts::edit_directly(tx, caller, project_id).await?;
    let present = segments::find_in(tx, project.id, entry.object_id).await?;
    let present = present.ok_or_else(gone)?;
    let owner = Owner::Segment(present.id);
    let is = metadata::logged(tx, owner, segment_acts::as_json(&present)).await?;
    let was = unchanged(entry, &is, force)?;
    let rules: Option<Vec<Rule>> = field(&was, "rules")?;
    let edit = SegmentEdit {
        name: field(&was, "name")?,
        description: nullable(&was, "description")?,
        feature: nullable(&was, "feature")?,
        rules: rules.map(|rules| rules.iter().map(crate::segment_rules::kept_as_is).collect()),
        ..SegmentEdit::default()
    };
    let values = (values(tx, &project, owner, entry, &was).await?, Write::Part);
    let mut segment = present.clone();
    segment_acts::apply(tx, &mut segment, edit).await?;
    segment.updated_at = Timestamp::now().0;
    Ok(vec![
        segment_acts::rewrite(tx, caller, &project, (&present, &segment), values).await?,
    ])
}
