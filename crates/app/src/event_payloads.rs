//! What others are told of a change: made from its entry in the change log.
//!
//! The entry says what was before and after; names that it does not keep are looked up. Of what is deleted by now, the log
//! kept them when it was.

use std::collections::HashMap;

use burgee_model::Timestamp;
use burgee_store::environments::Environment;
use burgee_store::projects::Project;
use burgee_store::{Tx, feature_states, features, identities, log_readers, segments};
use serde_json::{Value, json};

use crate::Result;
use crate::audit::{AuditLine, after, before};

/// A flag, or an override of one, has changed.
pub(crate) const FLAG_UPDATED: &str = "FLAG_UPDATED";
/// A feature was deleted, told once for each environment.
pub(crate) const FLAG_DELETED: &str = "FLAG_DELETED";
/// A version of a feature is served now.
pub(crate) const NEW_VERSION_PUBLISHED: &str = "NEW_VERSION_PUBLISHED";
/// The audit log has a new line.
pub(crate) const AUDIT_LOG_CREATED: &str = "AUDIT_LOG_CREATED";

/// Objects that clients look up by id; their uuid is not told.
const KNOWN_BY_ID: [&str; 4] = ["FEATURE", "FEATURE_STATE", "SEGMENT", "ENVIRONMENT"];

/// Something that webhooks are told of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub event_type: &'static str,
    pub data: Value,
}

/// A feature as far as events tell of it, also one that was deleted.
#[derive(Debug, Clone)]
pub(crate) struct ToldFeature {
    pub id: i64,
    pub name: String,
    /// As it stands in feature states.
    json: Value,
    /// The values of its options.
    options: HashMap<i64, Value>,
}

/// The audit log's line, as `GET audit/` has it.
pub(crate) fn audit_line(line: &AuditLine) -> Event {
    let entry = &line.entry;
    let author = line.author.as_ref().map(|user| {
        json!({
            "id": user.id, "email": user.email, "first_name": user.first_name, "last_name": user.last_name,
            "last_login": user.last_login.map(|at| Timestamp(at).rest()), "uuid": user.uuid,
        })
    });
    let uuid = entry.object_uuid.as_ref();
    let mut data = json!({
        "id": entry.id,
        "created_date": Timestamp(entry.at).rest(),
        "log": entry.message.as_deref().unwrap_or_default(),
        "author": author,
        "environment": line.environment.as_ref().map(environment),
        "project": line.project.as_ref().map(project),
        "related_object_id": entry.object_id,
        "related_object_uuid": uuid.filter(|_| !KNOWN_BY_ID.contains(&entry.object_type.as_str())),
        "related_object_type": entry.object_type,
        "is_system_event": line.is_system_event(),
    });
    if let Some(key) = &line.api_key {
        data["api_key"] = json!({ "prefix": key.prefix, "name": key.name });
    }
    Event {
        event_type: AUDIT_LOG_CREATED,
        data,
    }
}

fn environment(e: &Environment) -> Value {
    json!({
        "id": e.id, "uuid": e.uuid, "name": e.name, "api_key": e.api_key, "description": e.description,
        "project": e.project_id,
        "minimum_change_request_approvals": e.minimum_change_request_approvals,
        "allow_client_traits": e.allow_client_traits,
        "banner_text": e.banner_text, "banner_colour": e.banner_colour,
        "hide_disabled_flags": e.hide_disabled_flags,
        "use_mv_v2_evaluation": e.use_identity_composite_key_for_hashing,
        "use_identity_composite_key_for_hashing": e.use_identity_composite_key_for_hashing,
        "hide_sensitive_data": e.hide_sensitive_data,
        "use_v2_feature_versioning": e.use_v2_feature_versioning,
        "use_identity_overrides_in_local_eval": e.use_identity_overrides_in_local_eval,
        "is_creating": false,
    })
}

fn project(p: &Project) -> Value {
    let (migration, migration_v2) = if p.use_edge_identities {
        ("MIGRATION_COMPLETED", "COMPLETE")
    } else {
        ("NOT_APPLICABLE", "NOT_STARTED")
    };
    json!({
        "id": p.id, "uuid": p.uuid, "name": p.name, "organisation": p.organisation_id,
        "hide_disabled_flags": p.hide_disabled_flags,
        "enable_dynamo_db": p.use_edge_identities,
        "migration_status": migration,
        "use_edge_identities": p.use_edge_identities,
        "prevent_flag_defaults": p.prevent_flag_defaults,
        "enable_realtime_updates": p.enable_realtime_updates,
        "only_allow_lower_case_feature_names": p.only_allow_lower_case_feature_names,
        "feature_name_regex": p.feature_name_regex,
        "show_edge_identity_overrides_for_feature": p.use_edge_identities,
        "stale_flags_limit_days": p.stale_flags_limit_days,
        "edge_v2_migration_status": migration_v2,
        "minimum_change_request_approvals": p.minimum_change_request_approvals,
        "enforce_feature_owners": p.enforce_feature_owners,
    })
}

/// Who did it: the address of a user, the name of a key, or nobody.
pub(crate) fn changed_by(line: &AuditLine) -> &str {
    let user = line.author.as_ref().map(|user| user.email.as_str());
    let key = line.api_key.as_ref().map(|key| key.name.as_str());
    user.or(key).unwrap_or_default()
}

/// What an environment's listeners are told of a change to a flag in it, when it is one that they are told of.
///
/// The end of an override of a segment or an identity is none; the audit log tells of it.
pub(crate) async fn flag_event(tx: &mut Tx, line: &AuditLine) -> Result<Option<Event>> {
    let (Some(environment), Some(project)) = (&line.environment, &line.project) else {
        return Ok(None);
    };
    if line.entry.object_type != "FEATURE_STATE" {
        return Ok(None);
    }
    // Only what a state is, not its rank among others.
    let whole = |value: Option<Value>| value.filter(|value| value.get("feature_state_value").is_some());
    let (was, is) = (whole(before(&line.entry)), whole(after(&line.entry)));
    let Some(known) = is.as_ref().or(was.as_ref()) else {
        return Ok(None);
    };
    let is_default = known["identity"].is_null() && known["feature_segment"].is_null();
    let event_type = match line.entry.action.as_str() {
        "DELETE" if is_default => FLAG_DELETED,
        "DELETE" => return Ok(None),
        _ => FLAG_UPDATED,
    };
    let Some(feature) = feature(tx, project, known["feature"].as_i64().unwrap_or_default()).await? else {
        return Ok(None);
    };
    let at = (environment, project);
    let mut data = json!({
        "changed_by": changed_by(line),
        "timestamp": Timestamp(happened_at(tx, line).await?).rest(),
        "new_state": match &is {
            Some(is) => state(tx, at, &feature, is).await?,
            None => Value::Null,
        },
    });
    if let Some(was) = &was {
        data["previous_state"] = state(tx, at, &feature, was).await?;
    }
    Ok(Some(Event { event_type, data }))
}

/// What a version changed is timed by the version: from when it counts, not when it was carried out.
async fn happened_at(tx: &mut Tx, line: &AuditLine) -> Result<i64> {
    if line.entry.message.is_none()
        && let Some(state) = feature_states::find(tx, line.entry.object_id).await?
        && state.version_uuid.is_some()
    {
        return Ok(state.live_from);
    }
    Ok(line.entry.at)
}

/// A feature by id, as it is or as it was when it was deleted.
pub(crate) async fn feature(tx: &mut Tx, project: &Project, id: i64) -> Result<Option<ToldFeature>> {
    let of_project = json!({ "id": project.id, "name": project.name });
    if let Some(feature) = features::find(tx, id).await? {
        let options = features::options(tx, id).await?;
        return Ok(Some(ToldFeature {
            id,
            json: json!({
                "id": id, "name": feature.name, "created_date": Timestamp(feature.created_at).rest(),
                "default_enabled": feature.default_enabled, "description": feature.description,
                "initial_value": feature.initial_value, "project": of_project, "type": feature.r#type,
            }),
            name: feature.name,
            options: options
                .iter()
                .map(|option| (option.id, option.value().to_json()))
                .collect(),
        }));
    }
    let Some(kept) = kept(tx, project, "FEATURE", id).await? else {
        return Ok(None);
    };
    let options = kept.get("multivariate_options").and_then(Value::as_object);
    let options = options.into_iter().flatten();
    Ok(Some(ToldFeature {
        id,
        name: kept["name"].as_str().unwrap_or_default().to_owned(),
        json: json!({
            "id": id, "name": kept["name"], "created_date": kept["created_date"],
            "default_enabled": kept["default_enabled"], "description": kept["description"],
            "initial_value": kept["initial_value"], "project": of_project, "type": kept["type"],
        }),
        options: options
            .filter_map(|(id, value)| Some((id.parse().ok()?, value.clone())))
            .collect(),
    }))
}

/// What the log kept of something when it was deleted.
async fn kept(tx: &mut Tx, project: &Project, object_type: &str, id: i64) -> Result<Option<Value>> {
    let text = log_readers::deleted(tx, project.id, object_type, id).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A feature state as events tell of it, from what the log keeps of it.
async fn state(
    tx: &mut Tx,
    (environment, project): (&Environment, &Project),
    feature: &ToldFeature,
    logged: &Value,
) -> Result<Value> {
    let identity_id = logged["identity"].as_i64();
    let identifier = match identity_id {
        Some(id) => identities::find(tx, id)
            .await?
            .map(|identity| identity.identifier),
        None => None,
    };
    let feature_segment = match logged["segment"].as_i64() {
        Some(id) => json!({ "segment": segment(tx, project, id).await?, "priority": logged["priority"] }),
        None => Value::Null,
    };
    Ok(json!({
        "enabled": logged["enabled"],
        "environment": { "id": environment.id, "name": environment.name },
        "feature": feature.json,
        "feature_segment": feature_segment,
        "feature_state_value": logged["feature_state_value"],
        "identity": identity_id,
        "identity_identifier": identifier,
        "multivariate_feature_state_values": allocations(feature, logged),
    }))
}

async fn segment(tx: &mut Tx, project: &Project, id: i64) -> Result<Value> {
    if let Some(segment) = segments::find(tx, id).await? {
        return Ok(json!({ "id": id, "name": segment.name, "description": segment.description }));
    }
    let kept = kept(tx, project, "SEGMENT", id).await?.unwrap_or_default();
    Ok(json!({ "id": id, "name": kept["name"], "description": kept["description"] }))
}

/// How much of the traffic each option gets.
fn allocations(feature: &ToldFeature, logged: &Value) -> Vec<Value> {
    let shares = logged["multivariate_feature_state_values"].as_array();
    let told = shares.into_iter().flatten().map(|share| {
        let option = &share["multivariate_feature_option"];
        let value = option.as_i64().and_then(|id| feature.options.get(&id));
        json!({
            "id": share["id"],
            "multivariate_feature_option": { "id": option, "value": value },
            "percentage_allocation": share["percentage_allocation"],
        })
    });
    told.collect()
}

/// What an environment's listeners are told when a version of a feature is served from now on: what it changed.
pub(crate) async fn version_event(tx: &mut Tx, line: &AuditLine) -> Result<Option<Event>> {
    let (Some(_), Some(project)) = (&line.environment, &line.project) else {
        return Ok(None);
    };
    let entry = &line.entry;
    let Some(is) = after(entry).filter(|_| entry.object_type == "EF_VERSION" && entry.action == "UPDATE")
    else {
        return Ok(None);
    };
    // One that was passed over has no states; a draft is not served.
    let now = is["feature_states"]
        .as_array()
        .filter(|states| !states.is_empty());
    let (Some(now), Some(uuid)) = (now, is["version"].as_str()) else {
        return Ok(None);
    };
    let Some(feature) = feature(tx, project, is["feature"].as_i64().unwrap_or_default()).await? else {
        return Ok(None);
    };
    let old = before(entry).unwrap_or_default();
    let old = old["feature_states"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut changed: Vec<&Value> = now
        .iter()
        .filter(|state| !old.iter().any(|was| same(was, state)))
        .collect();
    changed.sort_by_key(|state| !state["segment"].is_null());
    let states: Vec<Value> = changed
        .into_iter()
        .map(|state| {
            json!({
                "enabled": state["enabled"],
                "value": state["feature_state_value"],
                "multivariate_feature_state_values": allocations(&feature, state),
            })
        })
        .collect();
    let published_by = match is["published_by"].as_i64() {
        Some(id) => burgee_store::users::find(tx, id).await?,
        None => None,
    };
    let data = json!({
        "uuid": uuid,
        "feature": { "id": feature.id, "name": feature.name },
        "published_by": published_by.map(|user| json!({ "id": user.id, "email": user.email })),
        "feature_states": states,
    });
    Ok(Some(Event {
        event_type: NEW_VERSION_PUBLISHED,
        data,
    }))
}

/// Whether two states say the same of the same segment, or of everyone. Ids differ between versions.
fn same(left: &Value, right: &Value) -> bool {
    let content = |state: &Value| {
        let shares = state["multivariate_feature_state_values"].as_array();
        let mut shares: Vec<(i64, String)> = shares
            .into_iter()
            .flatten()
            .map(|share| {
                let option = share["multivariate_feature_option"].as_i64().unwrap_or_default();
                (option, share["percentage_allocation"].to_string())
            })
            .collect();
        shares.sort();
        let members = ["segment", "priority", "enabled", "feature_state_value"];
        (members.map(|name| state[name].clone()), shares)
    };
    content(left) == content(right)
}

/// An example of what a webhook of an environment is sent.
pub(crate) fn sample_flag_event() -> Event {
    let created = Timestamp(1_767_225_600_000_000).rest();
    let state = |enabled: bool, value: &str| {
        json!({
            "enabled": enabled,
            "environment": { "id": 1, "name": "Production" },
            "feature": {
                "id": 1, "name": "example_feature", "created_date": created, "default_enabled": false,
                "description": "An example", "initial_value": "off", "project": { "id": 1, "name": "Example" },
                "type": "STANDARD",
            },
            "feature_segment": null,
            "feature_state_value": value,
            "identity": null,
            "identity_identifier": null,
            "multivariate_feature_state_values": [],
        })
    };
    Event {
        event_type: FLAG_UPDATED,
        data: json!({
            "changed_by": "user@example.com",
            "timestamp": Timestamp::now().rest(),
            "new_state": state(true, "on"),
            "previous_state": state(false, "off"),
        }),
    }
}

/// An example of what a webhook of an organisation is sent.
pub(crate) fn sample_audit_event() -> Event {
    let data = json!({
        "id": 1,
        "created_date": Timestamp::now().rest(),
        "log": "New Flag / Remote Config created: example_feature",
        "author": {
            "id": 1, "email": "user@example.com", "first_name": "Example", "last_name": "User", "last_login": null,
            "uuid": "00000000-0000-4000-8000-000000000000",
        },
        "environment": null,
        "project": null,
        "related_object_id": 1,
        "related_object_uuid": null,
        "related_object_type": "FEATURE",
        "is_system_event": false,
    });
    Event {
        event_type: AUDIT_LOG_CREATED,
        data,
    }
}
