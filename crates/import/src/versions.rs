//! Taking the versions of features in environments that have versions: those that are or were served, those that are to
//! be, and drafts.
//!
//! A version's states are a document here. Its ids are those of the rows there wherever nothing here has them, so that a
//! version that goes live has the ids it was known by; what is served already has the ids of the served rows.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use burgee_app::version_states::{OptionShare, OverriddenSegment, VersionState};
use burgee_store::bulk::{Cell, Table, tables};
use burgee_store::imports;

use crate::configuration::Configuration;
use crate::history::{History, Version};
use crate::people::uuid;
use crate::records::{FeatureSegment, FeatureState, Weight, value_type};
use crate::taking::{How, Incoming, Taker};
use crate::{Error, Result, noun};

/// The states of versions, by the version's uuid.
pub(crate) type Documents = HashMap<String, Vec<VersionState>>;

/// Makes room for what is served there: versions that were published here since are gone, with what they serve.
pub(crate) async fn make_room(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(history) = &from.history else {
        return Ok(());
    };
    let served: HashSet<&str> = (from.states.iter())
        .filter_map(|state| state.environment_feature_version_id.as_deref())
        .collect();
    let all: HashSet<&str> = history
        .versions
        .iter()
        .map(|version| version.uuid.as_str())
        .collect();
    let environments: Vec<i64> = (from.environments.iter())
        .filter(|environment| environment.use_v2_feature_versioning)
        .filter_map(|environment| taker.id(noun::ENVIRONMENT, environment.id))
        .collect();
    let features: HashSet<i64> = taker
        .ids
        .get(noun::FEATURE)
        .map(|ids| ids.values().copied().collect())
        .unwrap_or_default();
    for at in imports::served_versions(taker.tx, &environments).await? {
        if served.contains(at.version_uuid.as_str()) || !features.contains(&at.feature_id) {
            continue;
        }
        imports::clear_served(taker.tx, at.environment_id, at.feature_id).await?;
        for uuid in imports::begun_versions(taker.tx, at.environment_id, at.feature_id).await? {
            if !all.contains(uuid.as_str()) {
                let removed = imports::delete_version(taker.tx, &uuid).await?;
                taker.written += removed;
                taker.removed += removed;
            }
        }
    }
    Ok(())
}

/// Takes the versions, and returns what they say.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<Documents> {
    let Some(history) = &from.history else {
        return Ok(Documents::new());
    };
    let documents = documents(taker, from, history).await?;
    let mut rows = Vec::with_capacity(history.versions.len());
    for version in &history.versions {
        let states = documents.get(&version.uuid).map_or(&[][..], Vec::as_slice);
        rows.extend(row(taker, version, states)?);
    }
    let how = How {
        keeps_ids: false,
        ..How::default()
    };
    taker
        .rows(noun::FEATURE_VERSION, &tables::FEATURE_VERSIONS, rows, how)
        .await?;
    Ok(documents)
}

fn row(taker: &Taker<'_>, v: &Version, states: &[VersionState]) -> Result<Option<Incoming>> {
    let (Some(environment), Some(feature)) = (
        taker.id(noun::ENVIRONMENT, v.environment_id),
        taker.id(noun::FEATURE, v.feature_id),
    ) else {
        return Ok(None);
    };
    let created_at = v.created_at.unwrap_or_default();
    let went_live_at = v.live_from.max(v.published_at).filter(|_| v.has_begun);
    let states = serde_json::to_string(states).map_err(|error| Error::Row("feature version", error))?;
    Ok(Some(Incoming::new(
        v.number(),
        vec![
            v.uuid.as_str().into(),
            feature.into(),
            environment.into(),
            v.description.as_deref().into(),
            states.into(),
            created_at.into(),
            v.updated_at.unwrap_or(created_at).into(),
            taker.id_if(noun::USER, v.created_by_id).into(),
            v.published_at.into(),
            taker.id_if(noun::USER, v.published_by_id).into(),
            v.live_from.into(),
            went_live_at.into(),
            taker.id_if(noun::CHANGE_REQUEST, v.change_request_id).into(),
        ],
    )))
}

/// Ids that documents here have already, by the uuids they stand for.
#[derive(Debug, Default)]
struct Present {
    ids: HashMap<String, i64>,
    used: HashSet<i64>,
}

impl Present {
    fn see(&mut self, uuid: String, id: i64) {
        self.used.insert(id);
        self.ids.insert(uuid, id);
    }
}

/// The ids that states, links and weights have here, by their ids there.
#[derive(Debug, Default)]
struct Numbers {
    states: HashMap<i64, i64>,
    links: HashMap<i64, i64>,
    weights: HashMap<i64, i64>,
}

async fn numbers(taker: &mut Taker<'_>, from: &Configuration, history: &History) -> Result<Numbers> {
    let environments: Vec<i64> = (from.environments.iter())
        .filter_map(|environment| taker.id(noun::ENVIRONMENT, environment.id))
        .collect();
    let (mut states, mut links, mut weights) = (Present::default(), Present::default(), Present::default());
    for text in imports::version_documents(taker.tx, &environments).await? {
        let document: Vec<VersionState> =
            serde_json::from_str(&text).map_err(|error| Error::Row("feature version", error))?;
        for state in document {
            states.see(state.uuid, state.id);
            if let Some(segment) = state.segment {
                links.see(segment.uuid, segment.id);
            }
            for share in state.options {
                weights.see(share.uuid, share.id);
            }
        }
    }
    let of_states = (history.states.iter())
        .filter(|state| state.environment_feature_version_id.is_some())
        .map(|state| {
            (
                state.id,
                uuid(state.uuid.as_deref(), noun::FEATURE_STATE, state.id),
            )
        });
    let of_links = (history.links.iter()).map(|link| {
        (
            link.id,
            uuid(link.uuid.as_deref(), noun::FEATURE_SEGMENT, link.id),
        )
    });
    let of_weights = (history.weights.iter()).map(|weight| {
        (
            weight.id,
            uuid(weight.uuid.as_deref(), noun::STATE_OPTION, weight.id),
        )
    });
    let (of_states, of_links, of_weights) = (of_states.collect(), of_links.collect(), of_weights.collect());
    Ok(Numbers {
        states: number(
            taker,
            noun::FEATURE_STATE,
            &tables::FEATURE_STATES,
            of_states,
            &states,
        )
        .await?,
        links: number(
            taker,
            noun::FEATURE_SEGMENT,
            &tables::FEATURE_SEGMENTS,
            of_links,
            &links,
        )
        .await?,
        weights: number(
            taker,
            noun::STATE_OPTION,
            &tables::STATE_OPTIONS,
            of_weights,
            &weights,
        )
        .await?,
    })
}

/// Gives ids to what is to stand in documents: those of the rows that are served, those it has in documents already,
/// those it has there where nothing here has them, or new ones.
async fn number(
    taker: &mut Taker<'_>,
    noun: &'static str,
    table: &Table,
    wanted: Vec<(i64, String)>,
    present: &Present,
) -> Result<HashMap<i64, i64>> {
    let mut numbers = HashMap::with_capacity(wanted.len());
    let mut open = Vec::new();
    for (source, uuid) in wanted {
        match taker.id(noun, source).or_else(|| present.ids.get(&uuid).copied()) {
            Some(id) => drop(numbers.insert(source, id)),
            None => open.push(source),
        }
    }
    if taker.import.keeps_ids {
        let in_rows = table.taken(taker.tx, &open).await?;
        let is_free = |id: &i64| !in_rows.contains(id) && !present.used.contains(id);
        let kept: Vec<i64> = open.extract_if(.., |id| is_free(id)).collect();
        table
            .move_on(taker.tx, kept.iter().copied().max().unwrap_or_default())
            .await?;
        numbers.extend(kept.into_iter().map(|id| (id, id)));
    }
    let new = table.new_ids(taker.tx, open.len()).await?;
    // They are in no row yet that would tell the others that they are taken.
    table
        .move_on(taker.tx, new.last().copied().unwrap_or_default())
        .await?;
    numbers.extend(open.into_iter().zip(new));
    Ok(numbers)
}

async fn documents(taker: &mut Taker<'_>, from: &Configuration, history: &History) -> Result<Documents> {
    let numbers = numbers(taker, from, history).await?;
    let weights = history.weights_by_state();
    let links: HashMap<i64, &FeatureSegment> = history.links.iter().map(|link| (link.id, link)).collect();
    let names: HashMap<i64, &str> = from.segments.iter().map(|s| (s.id, s.name.as_str())).collect();
    let mut by_version: HashMap<&str, Vec<(&FeatureState, Option<&FeatureSegment>)>> = HashMap::new();
    for state in &history.states {
        let Some(version) = state.environment_feature_version_id.as_deref() else {
            continue;
        };
        let link = state.feature_segment_id.and_then(|id| links.get(&id).copied());
        // An override for a segment that is gone.
        let is_lost = state.feature_segment_id.is_some()
            && link.is_none_or(|link| taker.id(noun::SEGMENT, link.segment_id).is_none());
        if !is_lost {
            by_version.entry(version).or_default().push((state, link));
        }
    }
    let mut documents = Documents::with_capacity(by_version.len());
    for (version, states) in by_version {
        let mut document = Vec::with_capacity(states.len());
        for (state, link, priority) in ranked(states) {
            let shares = weights.get(&state.id).map_or(&[][..], Vec::as_slice);
            let mut entry = version_state(taker, &numbers, state, shares);
            entry.segment = link.and_then(|link| {
                Some(OverriddenSegment {
                    id: numbers.links.get(&link.id).copied()?,
                    uuid: uuid(link.uuid.as_deref(), noun::FEATURE_SEGMENT, link.id),
                    segment_id: taker.id(noun::SEGMENT, link.segment_id)?,
                    name: names
                        .get(&link.segment_id)
                        .copied()
                        .unwrap_or_default()
                        .to_owned(),
                    priority,
                })
            });
            document.push(entry);
        }
        documents.insert(version.to_owned(), document);
    }
    Ok(documents)
}

type InVersion<'a> = (&'a FeatureState, Option<&'a FeatureSegment>);

/// The default first, then the overrides from the strongest to the weakest, each segment once.
///
/// Where two have the same priority the later state wins there, and all are numbered anew, as those that are served.
fn ranked(mut states: Vec<InVersion<'_>>) -> Vec<(&FeatureState, Option<&FeatureSegment>, i64)> {
    states.sort_by_key(|(state, link)| (link.map(|link| link.priority), Reverse(state.id)));
    let mut seen = HashSet::new();
    states.retain(|(_, link)| seen.insert(link.map(|link| link.segment_id)));
    let priorities: Vec<i64> = states
        .iter()
        .filter_map(|(_, link)| Some(link.as_ref()?.priority))
        .collect();
    let is_double = priorities.windows(2).any(|pair| pair[0] == pair[1]);
    let mut rank = 0..;
    let ranked = states.into_iter().map(|(state, link)| match link {
        Some(link) if !is_double => (state, Some(link), link.priority),
        Some(link) => (state, Some(link), rank.next().unwrap_or_default()),
        None => (state, None, 0),
    });
    ranked.collect()
}

fn version_state(
    taker: &Taker<'_>,
    numbers: &Numbers,
    s: &FeatureState,
    weights: &[&Weight],
) -> VersionState {
    let created_at = s.created_at.unwrap_or_default();
    let options = weights.iter().filter_map(|weight| {
        Some(OptionShare {
            id: numbers.weights.get(&weight.id).copied()?,
            uuid: uuid(weight.uuid.as_deref(), noun::STATE_OPTION, weight.id),
            option_id: taker.id(noun::OPTION, weight.multivariate_feature_option_id)?,
            percentage: weight.percentage_allocation,
        })
    });
    VersionState {
        id: numbers.states.get(&s.id).copied().unwrap_or(s.id),
        uuid: uuid(s.uuid.as_deref(), noun::FEATURE_STATE, s.id),
        enabled: s.enabled,
        r#type: value_type(s.value_type.as_deref()),
        string_value: s.string_value.clone(),
        integer_value: s.integer_value,
        boolean_value: s.boolean_value,
        hash_seed: s.hash_seed(),
        created_at,
        updated_at: s.updated_at.unwrap_or(created_at),
        segment: None,
        options: options.collect(),
    }
}

/// The cells that tell of a served state which version it is of, and which change request made it.
pub(crate) fn origin_cells(taker: &Taker<'_>, s: &FeatureState) -> [Cell; 2] {
    [
        s.environment_feature_version_id.as_deref().into(),
        taker.id_if(noun::CHANGE_REQUEST, s.change_request_id).into(),
    ]
}
