//! Segment overrides: what a feature is for a segment in an environment, and which segment goes first.
//!
//! An override is a feature segment (the link with its priority) and the feature state behind it.

use std::collections::{BTreeSet, HashMap};

use burgee_model::Problems;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_store::changes::NewChange;
use burgee_store::features::Feature;
use burgee_store::segments::Segment;
use burgee_store::{Tx, feature_segments, feature_states, features, segments};
use serde_json::json;
use uuid::Uuid;

pub use burgee_store::feature_segments::FeatureSegment;

use crate::change::{Action, Change, Kind};
use crate::environment_states::everyone;
use crate::feature_states::{
    Spot, StateDetails, StateEdit, Subject, detail, details, feature_at, place_by_id, place_for_features,
};
use crate::{App, Author, Caller, Error, Place, Result, prerequisites};

const TAKEN: &str = "This feature already has an override for this segment in this environment.";

/// A feature segment with what is shown of its segment.
#[derive(Debug, Clone)]
pub struct LinkDetails {
    pub link: FeatureSegment,
    pub segment_name: String,
    pub is_feature_specific: bool,
}

/// A segment override, whole.
#[derive(Debug, Clone)]
pub struct Override {
    pub link: FeatureSegment,
    pub state: StateDetails,
}

/// The feature segments of a feature in an environment, first the one that wins.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    environment_id: i64,
    feature_id: i64,
) -> Result<Vec<LinkDetails>> {
    let place = place_by_id(tx, caller, environment_id, EnvironmentPermission::ViewEnvironment).await?;
    feature_at(tx, &place, feature_id)
        .await?
        .ok_or_else(|| Error::no_such("feature", feature_id))?;
    let links = feature_segments::of_feature(tx, environment_id, feature_id).await?;
    describe(tx, links).await
}

async fn describe(tx: &mut Tx, links: Vec<FeatureSegment>) -> Result<Vec<LinkDetails>> {
    let ids: Vec<i64> = links.iter().map(|link| link.segment_id).collect();
    let segments = segments::among(tx, &ids).await?;
    let described = links.into_iter().map(|link| {
        let segment = segments.iter().find(|segment| segment.id == link.segment_id);
        let segment = segment.ok_or_else(no_link)?;
        Ok(LinkDetails {
            link,
            segment_name: segment.name.clone(),
            is_feature_specific: segment.feature_id.is_some(),
        })
    });
    described.collect()
}

fn no_link() -> Error {
    Error::no_match("FeatureSegment")
}

/// One feature segment.
pub async fn get(tx: &mut Tx, caller: &Caller, id: i64) -> Result<LinkDetails> {
    let link = feature_segments::find(tx, id).await?.ok_or_else(no_link)?;
    shown(tx, caller, link).await
}

/// One feature segment, by its uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<LinkDetails> {
    let link = feature_segments::find_by_uuid(tx, uuid)
        .await?
        .ok_or_else(no_link)?;
    shown(tx, caller, link).await
}

async fn shown(tx: &mut Tx, caller: &Caller, link: FeatureSegment) -> Result<LinkDetails> {
    let place = place_of(tx, caller, &link).await?;
    caller
        .require_in_environment(tx, &place, EnvironmentPermission::ViewEnvironment)
        .await?;
    describe(tx, vec![link]).await?.pop().ok_or_else(no_link)
}

/// The environment of a link, for somebody who may see its project at all; for others the link does not exist.
async fn place_of(tx: &mut Tx, caller: &Caller, link: &FeatureSegment) -> Result<Place> {
    let place = Place::by_id(tx, link.environment_id).await?.ok_or_else(no_link)?;
    let access = caller.project_access(tx, &place.project).await?;
    if access.allows(ProjectPermission::ViewProject.key()) {
        Ok(place)
    } else {
        Err(no_link())
    }
}

/// The link, for somebody who may change it.
async fn changeable(
    tx: &mut Tx,
    caller: &Caller,
    id: i64,
) -> Result<(Place, Feature, Segment, FeatureSegment)> {
    let link = feature_segments::find(tx, id).await?.ok_or_else(no_link)?;
    let place = place_of(tx, caller, &link).await?;
    caller
        .require_on_feature(
            tx,
            &place,
            EnvironmentPermission::ManageSegmentOverrides,
            link.feature_id,
        )
        .await?;
    let feature = feature_at(tx, &place, link.feature_id)
        .await?
        .ok_or_else(no_link)?;
    let segment = segments::find(tx, link.segment_id).await?.ok_or_else(no_link)?;
    Ok((place, feature, segment, link))
}

/// The ids the body of a feature segment gives.
#[derive(Debug, Clone, Copy)]
pub struct LinkPlace {
    pub feature_id: i64,
    pub segment_id: i64,
}

/// Creates a feature segment, behind the others. It takes effect once it has a feature state.
pub async fn create_link(
    app: &App,
    caller: &Caller,
    environment_id: i64,
    at: LinkPlace,
) -> Result<FeatureSegment> {
    let mut tx = app.begin_settled().await?;
    let permission = EnvironmentPermission::ManageSegmentOverrides;
    let place = Place::by_id(&mut tx, environment_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    let may = caller
        .features_in_environment(&mut tx, &place, permission)
        .await?;
    let feature = feature_at(&mut tx, &place, at.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_such("feature", at.feature_id))?;
    may.require(&mut tx, feature.id).await?;
    let segment = segment_for(&mut tx, &feature, at.segment_id).await?;
    let spot = for_segment(caller, &place, &feature, &segment);
    let link = insert_link(&mut tx, spot, &segment, None).await?;
    let change = Change::new(caller, Kind::FeatureState, Action::Create, link.id)
        .in_environment(&place)
        .uuid(&link.uuid)
        .after(json!({ "feature_segment": link.id, "segment": segment.id, "priority": link.priority }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(link)
}

/// A segment of the feature's project that may override this feature.
pub(crate) async fn segment_for(tx: &mut Tx, feature: &Feature, segment_id: i64) -> Result<Segment> {
    let segment = segments::find(tx, segment_id).await?;
    fitting(feature, segment_id, segment)
}

/// The same of one that was looked for already.
pub(crate) fn fitting(feature: &Feature, segment_id: i64, segment: Option<Segment>) -> Result<Segment> {
    let segment = segment.filter(|segment| segment.project_id == feature.project_id);
    let segment = segment.ok_or_else(|| Error::no_such("segment", segment_id))?;
    match segment.feature_id {
        Some(only) if only != feature.id => {
            let text = format!("Can only create segment override(using this segment) for feature {only}");
            Err(Error::field("feature", text))
        }
        _ => Ok(segment),
    }
}

fn for_segment<'a>(
    author: impl Into<Author<'a>>,
    place: &'a Place,
    feature: &'a Feature,
    segment: &'a Segment,
) -> Spot<'a> {
    Spot {
        subject: Subject::Segment(segment),
        ..everyone(author, place, feature)
    }
}

/// Writes a link at a priority, or behind all others; those at and after it move down.
async fn insert_link(
    tx: &mut Tx,
    spot: Spot<'_>,
    segment: &Segment,
    priority: Option<i64>,
) -> Result<FeatureSegment> {
    spot.refuse_versioned()?;
    let environment_id = spot.place.environment.id;
    prerequisites::refuse_override(tx, environment_id, spot.feature, segment).await?;
    features::lock(tx, spot.feature.id).await?;
    let links = feature_segments::of_feature(tx, environment_id, spot.feature.id).await?;
    if links.iter().any(|link| link.segment_id == segment.id) {
        return Err(Error::field("segment", TAKEN));
    }
    if let Some(most) = spot.place.project.max_segment_overrides_allowed
        && feature_segments::count(tx, environment_id).await? >= most
    {
        return Err(too_many(most));
    }
    let behind = links.last().map_or(0, |link| link.priority.saturating_add(1));
    let mut link = FeatureSegment {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id: spot.feature.id,
        segment_id: segment.id,
        environment_id,
        priority: behind,
    };
    link.id = feature_segments::insert(tx, &link).await?;
    match priority {
        Some(priority) => move_to(tx, link, priority).await,
        None => Ok(link),
    }
}

/// What is said where an environment has as many segment overrides as it may have.
pub(crate) fn too_many(most: i64) -> Error {
    let text = format!("The environment has reached the maximum allowed segments overrides limit of {most}.");
    Error::field("environment", text)
}

/// Puts a link at a place in the order of its feature and numbers all of them anew.
async fn move_to(tx: &mut Tx, link: FeatureSegment, priority: i64) -> Result<FeatureSegment> {
    features::lock(tx, link.feature_id).await?;
    let mut order = feature_segments::of_feature(tx, link.environment_id, link.feature_id).await?;
    order.retain(|other| other.id != link.id);
    let place = usize::try_from(priority).unwrap_or(0).min(order.len());
    order.insert(place, link);
    let mut moved = None;
    for (priority, mut other) in (0..).zip(order) {
        if other.priority != priority {
            feature_segments::set_priority(tx, other.id, priority).await?;
            other.priority = priority;
        }
        if usize::try_from(priority) == Ok(place) {
            moved = Some(other);
        }
    }
    moved.ok_or_else(no_link)
}

/// Gives feature segments new priorities: pairs of id and priority. Answers them in the order of their ids.
pub async fn update_priorities(
    app: &App,
    caller: &Caller,
    priorities: &[(i64, i64)],
) -> Result<Vec<LinkDetails>> {
    let mut tx = app.begin_settled().await?;
    let mut wanted = priorities.to_vec();
    wanted.sort_by_key(|(id, _)| *id);
    let (mut links, mut changes) = (Vec::new(), Vec::new());
    for (id, priority) in wanted {
        let found = changeable(&mut tx, caller, id)
            .await
            .map_err(|error| match error {
                Error::NotFound(_) => Problems::whole("Some of the provided ids were not found.").into(),
                other => other,
            });
        let (place, feature, segment, mut link) = found?;
        for_segment(caller, &place, &feature, &segment).refuse_versioned()?;
        feature_segments::set_priority(&mut tx, id, priority).await?;
        let change = Change::new(caller, Kind::FeatureState, Action::Update, id)
            .in_environment(&place)
            .uuid(&link.uuid)
            .serves()
            .before(json!({ "feature_segment": id, "priority": link.priority }))
            .after(json!({ "feature_segment": id, "priority": priority }));
        changes.push(change.into());
        link.priority = priority;
        links.push(link);
    }
    separate(&mut tx, &mut links).await?;
    let answer = describe(&mut tx, links).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

/// Two overrides of a feature never have the same priority. Where some do after an edit, all of that feature are numbered
/// anew: those just moved go before the ones that were there.
async fn separate(tx: &mut Tx, moved: &mut [FeatureSegment]) -> Result<()> {
    let places: BTreeSet<(i64, i64)> = moved
        .iter()
        .map(|link| (link.environment_id, link.feature_id))
        .collect();
    for (environment_id, feature_id) in places {
        let mut order = feature_segments::of_feature(tx, environment_id, feature_id).await?;
        let distinct: BTreeSet<i64> = order.iter().map(|link| link.priority).collect();
        if distinct.len() == order.len() {
            continue;
        }
        order.sort_by_key(|link| {
            (
                link.priority,
                !moved.iter().any(|other| other.id == link.id),
                link.id,
            )
        });
        for (priority, link) in (0..).zip(order) {
            feature_segments::set_priority(tx, link.id, priority).await?;
            if let Some(shown) = moved.iter_mut().find(|other| other.id == link.id) {
                shown.priority = priority;
            }
        }
    }
    Ok(())
}

/// Deletes a feature segment with its override.
pub async fn delete_link(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (place, feature, segment, link) = changeable(&mut tx, caller, id).await?;
    let change = delete_at(&mut tx, for_segment(caller, &place, &feature, &segment), &link).await?;
    app.commit(tx, vec![change]).await
}

/// Deletes an override, or a link that has no state yet.
async fn delete_at(tx: &mut Tx, spot: Spot<'_>, link: &FeatureSegment) -> Result<NewChange> {
    spot.refuse_versioned()?;
    if let Some(state) = feature_states::of_feature_segment(tx, link.id).await? {
        return spot.delete(tx, &state).await;
    }
    feature_segments::delete(tx, link.id).await?;
    let change = Change::new(spot.author, Kind::FeatureState, Action::Delete, link.id)
        .in_environment(spot.place)
        .uuid(&link.uuid);
    Ok(change.into())
}

/// Creates a segment override in one step.
pub async fn create(
    app: &App,
    caller: &Caller,
    (key, feature_id): (&str, i64),
    (segment_id, priority): (i64, Option<i64>),
    edit: StateEdit,
) -> Result<Override> {
    let mut tx = app.begin_settled().await?;
    let permission = EnvironmentPermission::ManageSegmentOverrides;
    let (place, may) = place_for_features(&mut tx, caller, key, permission).await?;
    let feature = feature_at(&mut tx, &place, feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_match("Feature"))?;
    may.require(&mut tx, feature.id).await?;
    let segment = segment_for(&mut tx, &feature, segment_id).await.map_err(nested)?;
    let spot = for_segment(caller, &place, &feature, &segment);
    let link = insert_link(&mut tx, spot, &segment, priority)
        .await
        .map_err(nested)?;
    let (state, change) = spot.create(&mut tx, Some(link.id), edit).await?;
    let state = detail(&mut tx, state).await?;
    app.commit(tx, vec![change]).await?;
    Ok(Override { link, state })
}

/// What is wrong with the segment stands under `feature_segment` in the body of an override.
pub(crate) fn nested(error: Error) -> Error {
    match error {
        Error::Invalid(problems) => {
            let inner = problems.into_json();
            if inner.get("segment").is_some() {
                Error::Rejected(json!({ "feature_segment": inner }))
            } else {
                Error::Rejected(inner)
            }
        }
        other => other,
    }
}

/// The overrides a feature has at a place, first the one that wins.
pub(crate) async fn all_at(tx: &mut Tx, place: &Place, feature: &Feature) -> Result<Vec<Override>> {
    let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let mut states = feature_states::of_feature(tx, place.environment.id, feature.id).await?;
    states.retain(|state| state.feature_segment_id.is_some());
    let mut states: HashMap<Option<i64>, StateDetails> = details(tx, states)
        .await?
        .into_iter()
        .map(|details| (details.state.feature_segment_id, details))
        .collect();
    let overrides = links.into_iter().filter_map(|link| {
        let state = states.remove(&Some(link.id))?;
        Some(Override { link, state })
    });
    Ok(overrides.collect())
}

/// Creates or changes the override for a segment, inside the transaction of a larger act. A new one goes behind the
/// others; see [`arrange`].
pub(crate) async fn put(
    tx: &mut Tx,
    (author, place, feature): (Author<'_>, &Place, &Feature),
    segment_id: i64,
    edit: StateEdit,
) -> Result<Vec<NewChange>> {
    let segment = segment_for(tx, feature, segment_id).await?;
    let spot = for_segment(author, place, feature, &segment);
    spot.refuse_versioned()?;
    let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
    let Some(link) = links.into_iter().find(|link| link.segment_id == segment_id) else {
        let link = insert_link(tx, spot, &segment, None).await?;
        return Ok(vec![spot.create(tx, Some(link.id), edit).await?.1]);
    };
    match feature_states::of_feature_segment(tx, link.id).await? {
        Some(state) => Ok(spot.edit(tx, state, edit).await?.1),
        None => Ok(vec![spot.create(tx, Some(link.id), edit).await?.1]),
    }
}

/// The segments of overrides in their new order: those with a rank at it, the others around them as they were. `None`
/// when every one has its rank already. Both lists are of segment and priority, the first in the present order.
pub(crate) fn order(present: &[(i64, i64)], ranks: &[(i64, i64)]) -> Option<Vec<i64>> {
    let is_there = |segment_id: i64| present.iter().any(|(id, _)| *id == segment_id);
    let mut ranks: Vec<_> = ranks.iter().filter(|(id, _)| is_there(*id)).collect();
    if ranks.iter().all(|rank| present.contains(rank)) {
        return None;
    }
    ranks.sort_by_key(|(_, priority)| *priority);
    let others = present.iter().map(|(id, _)| *id);
    let mut order: Vec<i64> = others
        .filter(|id| !ranks.iter().any(|(ranked, _)| ranked == id))
        .collect();
    for (segment_id, priority) in ranks {
        let place = usize::try_from(*priority).unwrap_or(0).min(order.len());
        order.insert(place, *segment_id);
    }
    Some(order)
}

/// Gives the overrides for some segments their ranks, inside the transaction of a larger act.
pub(crate) async fn arrange(
    tx: &mut Tx,
    (author, place, feature): (Author<'_>, &Place, &Feature),
    ranks: &[(i64, i64)],
) -> Result<Vec<NewChange>> {
    let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
    let present: Vec<_> = links
        .iter()
        .map(|link| (link.segment_id, link.priority))
        .collect();
    let Some(order) = order(&present, ranks) else {
        return Ok(Vec::new());
    };
    let mut changes = Vec::new();
    for link in links {
        let rank = order.iter().position(|segment_id| *segment_id == link.segment_id);
        let priority = rank.map_or(link.priority, |rank| rank as i64);
        if priority == link.priority {
            continue;
        }
        feature_segments::set_priority(tx, link.id, priority).await?;
        let change = Change::new(author, Kind::FeatureState, Action::Update, link.id)
            .in_environment(place)
            .uuid(&link.uuid)
            .serves()
            .before(json!({ "feature_segment": link.id, "priority": link.priority }))
            .after(json!({ "feature_segment": link.id, "priority": priority }));
        changes.push(change.into());
    }
    Ok(changes)
}

/// Deletes the override for a segment, inside the transaction of a larger act; `None` when there is none.
pub(crate) async fn remove(
    tx: &mut Tx,
    (author, place, feature): (Author<'_>, &Place, &Feature),
    segment_id: i64,
) -> Result<Option<NewChange>> {
    let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
    let Some(link) = links.into_iter().find(|link| link.segment_id == segment_id) else {
        return Ok(None);
    };
    let segment = segments::find(tx, segment_id).await?.ok_or_else(no_link)?;
    delete_at(tx, for_segment(author, place, feature, &segment), &link)
        .await
        .map(Some)
}

/// Gives a feature segment another segment. Feature and environment must be those it has.
pub async fn update_link(
    app: &App,
    caller: &Caller,
    id: i64,
    environment_id: i64,
    at: LinkPlace,
) -> Result<FeatureSegment> {
    let mut tx = app.begin_settled().await?;
    let (place, feature, old, mut link) = changeable(&mut tx, caller, id).await?;
    if at.feature_id != link.feature_id {
        return Err(Error::no_such("feature", at.feature_id));
    }
    if environment_id != link.environment_id {
        return Err(Error::no_such("environment", environment_id));
    }
    if at.segment_id == old.id {
        return Ok(link);
    }
    let segment = segment_for(&mut tx, &feature, at.segment_id).await?;
    for_segment(caller, &place, &feature, &segment).refuse_versioned()?;
    let others = feature_segments::of_feature(&mut tx, environment_id, feature.id).await?;
    if others.iter().any(|other| other.segment_id == segment.id) {
        return Err(Error::field("segment", TAKEN));
    }
    feature_segments::set_segment(&mut tx, id, segment.id).await?;
    prerequisites::refuse_override(&mut tx, environment_id, &feature, &segment).await?;
    link.segment_id = segment.id;
    let change = Change::new(caller, Kind::FeatureState, Action::Update, id)
        .in_environment(&place)
        .uuid(&link.uuid)
        .serves()
        .before(json!({ "feature_segment": id, "segment": old.id }))
        .after(json!({ "feature_segment": id, "segment": segment.id }));
    app.commit(tx, vec![change.into()]).await?;
    Ok(link)
}
