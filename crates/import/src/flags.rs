//! Taking projects: environments with their keys, tags, features, segments, and what features are for whom.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use burgee_model::{Timestamp, limits};
use burgee_store::bulk::{Cell, Links, tables};
use burgee_store::imports;

use crate::configuration::Configuration;
use crate::noun;
use crate::people::uuid;
use crate::records::{FeatureLink, FeatureSegment, FeatureState, Weight, value_type};
use crate::rules::last_ids;
use crate::taking::{How, Incoming, IncomingLink, Taker};
use crate::{Error, Result, change_requests, scheduled_changes, versions};

/// Everything in projects that is not of identities.
pub(crate) async fn take_projects(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    take_project_rows(taker, from).await?;
    take_environments(taker, from).await?;
    take_tags(taker, from).await?;
    take_features(taker, from).await?;
    take_segments(taker, from).await?;
    change_requests::take(taker, from).await?;
    versions::make_room(taker, from).await?;
    take_states(taker, from).await?;
    let documents = versions::take(taker, from).await?;
    scheduled_changes::take(taker, from).await?;
    change_requests::take_content(taker, from, &documents).await
}

/// Names that no two may share: the first keeps it, the others get a number.
#[derive(Debug, Default)]
struct Names(HashSet<(i64, String)>);

impl Names {
    fn free(&mut self, parent: i64, name: &str) -> String {
        let mut candidate = name.to_owned();
        let mut number = 2;
        while !self.0.insert((parent, candidate.clone())) {
            candidate = format!("{name} ({number})");
            number += 1;
        }
        candidate
    }
}

async fn take_project_rows(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let mut names = Names::default();
    let mut rows = Vec::new();
    for p in &from.projects {
        let Some(organisation_id) = taker.id(noun::ORGANISATION, p.organisation_id) else {
            continue;
        };
        let name = names.free(organisation_id, &p.name);
        renamed(taker, noun::PROJECT, p.id, &p.name, &name);
        rows.push(Incoming::new(
            p.id,
            vec![
                uuid(p.uuid.as_deref(), noun::PROJECT, p.id).into(),
                organisation_id.into(),
                name.into(),
                p.created_date.unwrap_or_default().into(),
                p.hide_disabled_flags.into(),
                p.prevent_flag_defaults.into(),
                p.enable_realtime_updates.into(),
                p.only_allow_lower_case_feature_names.into(),
                p.feature_name_regex.as_deref().into(),
                p.stale_flags_limit_days.unwrap_or(30).into(),
                p.minimum_change_request_approvals.into(),
                p.enforce_feature_owners.into(),
                p.max_features_allowed
                    .unwrap_or(limits::FEATURES_PER_PROJECT)
                    .into(),
                p.max_segments_allowed
                    .unwrap_or(limits::SEGMENTS_PER_PROJECT)
                    .into(),
                p.max_segment_overrides_allowed
                    .unwrap_or(limits::SEGMENT_OVERRIDES_PER_ENVIRONMENT)
                    .into(),
                p.enable_dynamo_db.into(),
            ],
        ));
        if p.enable_dynamo_db {
            let text = "its identities are kept in DynamoDB: they, their traits and overrides are not taken";
            taker.report.note(noun::PROJECT, p.id, text);
        }
    }
    taker
        .rows(noun::PROJECT, &tables::PROJECTS, rows, How::default())
        .await
}

fn renamed(taker: &mut Taker<'_>, noun: &str, id: i64, before: &str, after: &str) {
    if before != after {
        let text = format!("another one is called {before:?}: this one is called {after:?} now");
        taker.report.note(noun, id, text);
    }
}

async fn take_environments(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let mut names = Names::default();
    let mut rows = Vec::new();
    for e in &from.environments {
        let Some(project_id) = taker.id(noun::PROJECT, e.project_id) else {
            continue;
        };
        let uuid = uuid(e.uuid.as_deref(), noun::ENVIRONMENT, e.id);
        let name = names.free(project_id, &e.name);
        renamed(taker, noun::ENVIRONMENT, e.id, &e.name, &name);
        let created_at = e.created_date.unwrap_or_default();
        let cells: Vec<Cell> = vec![
            uuid.into(),
            project_id.into(),
            name.into(),
            e.api_key.as_str().into(),
            e.description.as_deref().into(),
            created_at.into(),
            e.updated_at.unwrap_or(created_at).into(),
            e.minimum_change_request_approvals.into(),
            e.allow_client_traits.into(),
            e.banner_text.as_deref().into(),
            e.banner_colour.as_deref().into(),
            e.hide_disabled_flags.into(),
            e.use_mv_v2_evaluation.into(),
            e.hide_sensitive_data.into(),
            e.use_v2_feature_versioning.into(),
            e.use_identity_overrides_in_local_eval.into(),
            e.first_evaluated_at.into(),
            e.first_evaluated_sdk_label.as_deref().into(),
        ];
        if is_key_of_another(taker, e.id, &cells).await? {
            let why = "its client-side key belongs to another environment here";
            taker.report.leave_out(noun::ENVIRONMENT, e.id, why);
            continue;
        }
        rows.push(Incoming::new(e.id, cells));
    }
    taker
        .rows(noun::ENVIRONMENT, &tables::ENVIRONMENTS, rows, How::default())
        .await?;
    let rows = from
        .server_keys
        .iter()
        .filter_map(|k| {
            Some(Incoming::new(
                k.id,
                vec![
                    taker.id(noun::ENVIRONMENT, k.environment_id)?.into(),
                    k.key.as_str().into(),
                    k.name.as_str().into(),
                    k.active.into(),
                    k.created_at.unwrap_or_default().into(),
                    k.expires_at.into(),
                ],
            ))
        })
        .collect();
    taker
        .rows(noun::SERVER_KEY, &tables::SERVER_KEYS, rows, How::default())
        .await
}

/// Whether the key is that of an environment that is not this one.
async fn is_key_of_another(taker: &mut Taker<'_>, source: i64, cells: &[Cell]) -> Result<bool> {
    let table = &tables::ENVIRONMENTS;
    let Some(holder) = table.find(taker.tx, &["api_key"], cells).await? else {
        return Ok(false);
    };
    let known = imports::origins_of(taker.tx, taker.import.id, noun::ENVIRONMENT, &[source]).await?;
    if let Some(origin) = known.first() {
        return Ok(origin.row_id != holder);
    }
    Ok(table.find(taker.tx, &["uuid"], cells).await? != Some(holder))
}

async fn take_tags(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let rows = from
        .tags
        .iter()
        .filter_map(|t| {
            Some(Incoming::new(
                t.id,
                vec![
                    uuid(t.uuid.as_deref(), noun::TAG, t.id).into(),
                    taker.id(noun::PROJECT, t.project_id)?.into(),
                    t.label.as_str().into(),
                    t.color.as_str().into(),
                    t.description.as_deref().into(),
                    t.is_permanent.into(),
                    t.is_system_tag.into(),
                    t.kind.as_deref().unwrap_or("NONE").into(),
                ],
            ))
        })
        .collect();
    taker.rows(noun::TAG, &tables::TAGS, rows, How::default()).await
}

async fn take_features(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let mut names = HashSet::new();
    let mut rows = Vec::new();
    for f in &from.features {
        let Some(project_id) = taker.id(noun::PROJECT, f.project_id) else {
            continue;
        };
        let key = f.name.to_lowercase();
        if !names.insert((project_id, key.clone())) {
            let why = "another feature of the project has the same name in other letters";
            taker.report.leave_out(noun::FEATURE, f.id, why);
            continue;
        }
        rows.push(Incoming::new(
            f.id,
            vec![
                uuid(f.uuid.as_deref(), noun::FEATURE, f.id).into(),
                project_id.into(),
                f.name.as_str().into(),
                key.into(),
                f.kind.as_str().into(),
                f.default_enabled.into(),
                f.initial_value.as_deref().into(),
                f.description.as_deref().into(),
                f.is_archived.into(),
                f.is_server_key_only.into(),
                f.created_date.unwrap_or_default().into(),
            ],
        ));
    }
    taker
        .rows(noun::FEATURE, &tables::FEATURES, rows, How::default())
        .await?;
    let lists: [(&'static str, &Links, &str, &[FeatureLink]); 3] = [
        (
            noun::FEATURE_TAG,
            &tables::FEATURE_TAGS,
            noun::TAG,
            &from.feature_tags,
        ),
        (
            noun::FEATURE_OWNER,
            &tables::FEATURE_OWNERS,
            noun::USER,
            &from.feature_owners,
        ),
        (
            noun::FEATURE_GROUP_OWNER,
            &tables::FEATURE_GROUP_OWNERS,
            noun::GROUP,
            &from.feature_group_owners,
        ),
    ];
    for (name, links, other, list) in lists {
        let rows = list
            .iter()
            .filter_map(|link| {
                Some(IncomingLink {
                    source: link.id,
                    ends: (
                        taker.id(noun::FEATURE, link.feature_id)?,
                        taker.id(other, link.other_id)?,
                    ),
                    cells: Vec::new(),
                })
            })
            .collect();
        taker.links(name, links, rows).await?;
    }
    let rows = from
        .options
        .iter()
        .filter_map(|o| {
            Some(Incoming::new(
                o.id,
                vec![
                    uuid(o.uuid.as_deref(), noun::OPTION, o.id).into(),
                    taker.id(noun::FEATURE, o.feature_id)?.into(),
                    o.key.as_deref().into(),
                    value_type(o.kind.as_deref()).into(),
                    o.string_value.as_deref().into(),
                    o.integer_value.into(),
                    o.boolean_value.into(),
                    o.default_percentage_allocation.into(),
                ],
            ))
        })
        .collect();
    taker
        .rows(noun::OPTION, &tables::OPTIONS, rows, How::default())
        .await
}

async fn take_segments(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let (mut last_rule, mut last_condition, mut last) = (0, 0, 0);
    let mut rows = Vec::new();
    for s in &from.segments {
        let Some(project_id) = taker.id(noun::PROJECT, s.project_id) else {
            continue;
        };
        let feature_id = taker.id_if(noun::FEATURE, s.feature_id);
        if s.feature_id.is_some() && feature_id.is_none() {
            let why = "it belongs to a feature that is not there";
            taker.report.leave_out(noun::SEGMENT, s.id, why);
            continue;
        }
        let rules = from.rules.get(&s.id).map_or(&[][..], Vec::as_slice);
        let (rule, condition) = last_ids(rules);
        last_rule = last_rule.max(rule);
        last_condition = last_condition.max(condition);
        last = last.max(s.id);
        let created_at = s.created_at.unwrap_or_default();
        rows.push(Incoming::new(
            s.id,
            vec![
                uuid(s.uuid.as_deref(), noun::SEGMENT, s.id).into(),
                project_id.into(),
                feature_id.into(),
                s.name.as_str().into(),
                s.description.as_deref().into(),
                serde_json::to_string(rules)
                    .map_err(|error| Error::Row("segment", error))?
                    .into(),
                s.managed_by.as_str().into(),
                created_at.into(),
                s.updated_at.unwrap_or(created_at).into(),
                s.id.into(),
            ],
        ));
    }
    // Whatever ids these get: SDKs know them by the old ones, which no later segment may have.
    tables::SEGMENTS.move_on(taker.tx, last).await?;
    imports::move_counter(taker.tx, "rule", last_rule + 1).await?;
    imports::move_counter(taker.tx, "condition", last_condition + 1).await?;
    taker
        .rows(noun::SEGMENT, &tables::SEGMENTS, rows, How::default())
        .await
}

async fn take_states(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let (links, changed) = ranked(from);
    for (environment, feature) in changed {
        let text = format!(
            "overrides of feature {feature} for several segments had the same priority: numbered anew, those win that won"
        );
        taker.report.note(noun::ENVIRONMENT, environment, text);
    }
    let rows = links
        .into_iter()
        .filter_map(|(l, priority)| {
            Some(Incoming::new(
                l.id,
                vec![
                    uuid(l.uuid.as_deref(), noun::FEATURE_SEGMENT, l.id).into(),
                    taker.id(noun::FEATURE, l.feature_id)?.into(),
                    taker.id(noun::SEGMENT, l.segment_id)?.into(),
                    taker.id(noun::ENVIRONMENT, l.environment_id)?.into(),
                    priority.into(),
                ],
            ))
        })
        .collect();
    taker
        .rows(
            noun::FEATURE_SEGMENT,
            &tables::FEATURE_SEGMENTS,
            rows,
            How::default(),
        )
        .await?;
    let rows = from
        .states
        .iter()
        .filter_map(|s| state_row(taker, s, None))
        .collect();
    taker
        .rows(noun::FEATURE_STATE, &tables::FEATURE_STATES, rows, How::default())
        .await?;
    let rows = from.weights.iter().filter_map(|w| weight_row(taker, w)).collect();
    taker
        .rows(noun::STATE_OPTION, &tables::STATE_OPTIONS, rows, How::default())
        .await
}

/// A link to a segment with its priority.
pub(crate) type Ranked<'a> = (&'a FeatureSegment, i64);

/// Links to segments from the strongest to the weakest, with their priorities; and the features of environments where
/// those are other than they were.
///
/// Flagsmith does not refuse the same priority twice. There the later feature state wins; here the first segment would.
pub(crate) fn ranked(from: &Configuration) -> (Vec<Ranked<'_>>, Vec<(i64, i64)>) {
    let states: HashMap<i64, i64> = from
        .states
        .iter()
        .filter_map(|state| Some((state.feature_segment_id?, state.id)))
        .collect();
    let mut groups: BTreeMap<(i64, i64), Vec<&FeatureSegment>> = BTreeMap::new();
    for link in &from.links {
        let group = (link.environment_id, link.feature_id);
        groups.entry(group).or_default().push(link);
    }
    let (mut all, mut changed) = (Vec::new(), Vec::new());
    for (group, mut links) in groups {
        links.sort_by_key(|link| (link.priority, Reverse(states.get(&link.id).copied())));
        if links.windows(2).any(|pair| pair[0].priority == pair[1].priority) {
            changed.push(group);
            all.extend(links.into_iter().zip(0..));
        } else {
            all.extend(links.into_iter().map(|link| (link, link.priority)));
        }
    }
    (all, changed)
}

/// A feature state as it is written; `None` when what it is about was not taken.
pub(crate) fn state_row(taker: &Taker<'_>, s: &FeatureState, identity_id: Option<i64>) -> Option<Incoming> {
    let feature_segment = taker.id_if(noun::FEATURE_SEGMENT, s.feature_segment_id);
    if s.feature_segment_id.is_some() && feature_segment.is_none() {
        return None;
    }
    let created_at = s.created_at.unwrap_or_default();
    let [version, request] = versions::origin_cells(taker, s);
    Some(Incoming::new(
        s.id,
        vec![
            uuid(s.uuid.as_deref(), noun::FEATURE_STATE, s.id).into(),
            taker.id(noun::FEATURE, s.feature_id)?.into(),
            taker.id(noun::ENVIRONMENT, s.environment_id?)?.into(),
            identity_id.into(),
            feature_segment.into(),
            s.enabled.into(),
            value_type(s.value_type.as_deref()).into(),
            s.string_value.as_deref().into(),
            s.integer_value.into(),
            s.boolean_value.into(),
            s.hash_seed().into(),
            s.version.unwrap_or(1).into(),
            s.live_from.unwrap_or(created_at).into(),
            created_at.into(),
            s.updated_at.unwrap_or_else(|| Timestamp::now().0).into(),
            version,
            request,
        ],
    ))
}

/// The weight of an option as it is written; `None` when what it is about was not taken.
fn weight_row(taker: &Taker<'_>, w: &Weight) -> Option<Incoming> {
    Some(Incoming::new(
        w.id,
        vec![
            uuid(w.uuid.as_deref(), noun::STATE_OPTION, w.id).into(),
            taker.id(noun::FEATURE_STATE, w.feature_state_id)?.into(),
            taker.id(noun::OPTION, w.multivariate_feature_option_id)?.into(),
            w.percentage_allocation.into(),
        ],
    ))
}

/// What later steps refer to: ids there and here.
pub(crate) fn maps_of(taker: &Taker<'_>) -> HashMap<&'static str, HashMap<i64, i64>> {
    [
        noun::USER,
        noun::ORGANISATION,
        noun::PROJECT,
        noun::ENVIRONMENT,
        noun::FEATURE,
        noun::SEGMENT,
        noun::FEATURE_STATE,
        noun::OPTION,
    ]
    .into_iter()
    .filter_map(|noun| Some((noun, taker.ids.get(noun)?.clone())))
    .collect()
}
