//! List segments as LaunchDarkly's segments API has them, so that what fills segments there can fill them here.
//!
//! Projects and environments go by keys there. Here a project's key is its id, its uuid or its name in small letters with
//! hyphens; an environment's is its client-side key, its id, its uuid or its name likewise. A name that two have is no key.

use std::collections::{BTreeMap, HashSet};

use burgee_engine::member_hash;
use burgee_model::lists::{self, Side, slug};
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::list_segments as store;
use burgee_store::{Tx, environments, organisations, projects, segments as segment_rows};

pub use crate::list_segments::{ListSegment, ListSegmentHere, MemberList, NewListSegment};

use crate::list_segments::members::{self, Choice, ListEdit};
use crate::list_segments::{self, one_here};
use crate::metadata::Write;
use crate::pii::{Entrance, Guard, Refused, Spot, trait_of_kind};
use crate::{App, Caller, Error, Place, Result, segments};

/// Additions and removals in one request, of segments that are no big ones.
pub const MOST_OPERATIONS: usize = 1_500;
/// Members up to which a segment is shown with them; a larger one is told to be a big segment.
pub const MOST_SHOWN: i64 = 15_000;

/// What somebody wants of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Its members are shown.
    See,
    Edit,
}

/// The project that a key names, among those of the caller's organisations.
async fn project_by_key(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Option<projects::Project>> {
    let organisations: Vec<i64> = match caller {
        Caller::User(user) => {
            let own = organisations::of_user(tx, user.id).await?;
            own.into_iter().map(|organisation| organisation.id).collect()
        }
        Caller::ApiKey(key) => vec![key.organisation_id],
    };
    let mut known = Vec::new();
    for organisation in organisations {
        known.extend(projects::list(tx, Some(organisation)).await?);
    }
    let exact = |project: &projects::Project| project.id.to_string() == key || project.uuid == key;
    if let Some(at) = known.iter().position(exact) {
        return Ok(Some(known.swap_remove(at)));
    }
    known.retain(|project| slug(&project.name) == key);
    Ok(known.pop().filter(|_| known.is_empty()))
}

async fn environment_by_key(
    tx: &mut Tx,
    project: &projects::Project,
    key: &str,
) -> Result<Option<environments::Environment>> {
    let mut known = environments::list(tx, project.id).await?;
    let exact = |environment: &environments::Environment| {
        environment.api_key == key || environment.id.to_string() == key || environment.uuid == key
    };
    if let Some(at) = known.iter().position(exact) {
        return Ok(Some(known.swap_remove(at)));
    }
    known.retain(|environment| slug(&environment.name) == key);
    Ok(known.pop().filter(|_| known.is_empty()))
}

/// The environment that two keys name, for somebody who may do this there. Others learn of none.
pub async fn place(
    tx: &mut Tx,
    caller: &Caller,
    (project, environment): (&str, &str),
    purpose: Purpose,
) -> Result<Place> {
    let unknown = |what: &str| Error::NotFound(format!("Unknown {what} key"));
    let project = project_by_key(tx, caller, project)
        .await?
        .ok_or_else(|| unknown("project"))?;
    let environment = environment_by_key(tx, &project, environment)
        .await?
        .ok_or_else(|| unknown("environment"))?;
    let place = Place { project, environment };
    let access = caller
        .environment_access(tx, &place.project, &place.environment)
        .await?;
    if !access.allows(EnvironmentPermission::ViewEnvironment.key()) {
        return Err(unknown("environment"));
    }
    let needed = match purpose {
        Purpose::See => EnvironmentPermission::ViewIdentities,
        Purpose::Edit => EnvironmentPermission::ManageSegmentOverrides,
    };
    if access.allows(needed.key()) {
        Ok(place)
    } else {
        Err(Error::Forbidden(format!(
            "The token needs the permission {}.",
            needed.key()
        )))
    }
}

fn unknown_segment() -> Error {
    Error::NotFound("Unknown segment key".to_owned())
}

/// The members of a segment by context kind, of both sides, when they are few enough to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    pub included: BTreeMap<String, Vec<String>>,
    pub excluded: BTreeMap<String, Vec<String>>,
}

/// A segment as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub here: ListSegmentHere,
    /// `None`: it is a big one.
    pub targets: Option<Targets>,
}

async fn shown(tx: &mut Tx, here: ListSegmentHere) -> Result<Shown> {
    let members: i64 = here.lists.iter().map(|list| list.members).sum();
    if here.segment.unbounded || members > MOST_SHOWN {
        return Ok(Shown { here, targets: None });
    }
    let mut targets = Targets::default();
    for list in &here.lists {
        let mut keys = members::all(tx, list).await?;
        keys.sort_unstable();
        let side = if list.excluded {
            &mut targets.excluded
        } else {
            &mut targets.included
        };
        if !keys.is_empty() {
            side.insert(list.context_kind.clone(), keys);
        }
    }
    Ok(Shown {
        here,
        targets: Some(targets),
    })
}

/// One segment.
pub async fn get(tx: &mut Tx, caller: &Caller, at: (&str, &str), key: &str) -> Result<Shown> {
    let place = place(tx, caller, at, Purpose::See).await?;
    let here = one_here(tx, &place, key).await.map_err(as_unknown)?;
    shown(tx, here).await
}

fn as_unknown(error: Error) -> Error {
    match error {
        Error::NotFound(_) => unknown_segment(),
        other => other,
    }
}

/// All segments of an environment, without their members.
pub async fn list(tx: &mut Tx, caller: &Caller, at: (&str, &str)) -> Result<Vec<ListSegmentHere>> {
    let place = place(tx, caller, at, Purpose::See).await?;
    list_segments::all_here(tx, &place).await
}

/// Some segments with their members.
pub async fn show_all(tx: &mut Tx, segments: Vec<ListSegmentHere>) -> Result<Vec<Shown>> {
    let mut all = Vec::with_capacity(segments.len());
    for here in segments {
        all.push(shown(tx, here).await?);
    }
    Ok(all)
}

/// Creates a segment.
pub async fn create(app: &App, caller: &Caller, at: (&str, &str), new: NewListSegment) -> Result<Shown> {
    let mut tx = app.begin().await?;
    let place = place(&mut tx, caller, at, Purpose::Edit).await?;
    let project = segments::edit_directly(&mut tx, caller, place.project.id).await?;
    if let Some(key) = &new.key
        && store::find(&mut tx, project.id, key).await?.is_some()
    {
        return Err(Error::Conflict(
            "A segment with this key already exists".to_owned(),
        ));
    }
    let (made, change) = list_segments::insert(&mut tx, caller, &project, new, "").await?;
    let here = one_here(&mut tx, &place, &made.key).await?;
    let answer = shown(&mut tx, here).await?;
    app.commit(tx, vec![change]).await?;
    Ok(answer)
}

/// What a request wants changed of a segment: all of it, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// In order: whom, on which side, of which context kind, and whether he is on it from now on.
    pub targets: Vec<Target>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    /// Nothing is kept; the answer is what it would have been.
    pub dry_run: bool,
}

/// One member of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub side: Side,
    /// `None`: the segment's own.
    pub context_kind: Option<String>,
    pub key: String,
    pub present: bool,
}

/// Changes a segment. `patch` is asked once the segment is known, and held.
pub async fn patch(
    app: &App,
    caller: &Caller,
    at: (&str, &str),
    key: &str,
    patch: impl FnOnce(&Shown) -> Result<Patch>,
) -> Result<Shown> {
    let mut tx = app.begin().await?;
    let place = place(&mut tx, caller, at, Purpose::Edit).await?;
    let here = one_here(&mut tx, &place, key).await.map_err(as_unknown)?;
    members::refuse_managed(&here.segment)?;
    let before = shown(&mut tx, here).await?;
    let patch = patch(&before)?;
    let mut changes = Vec::new();
    if let Some(change) = describe(&mut tx, caller, &before.here.segment, &patch).await? {
        changes.push(change);
    }
    let guard = app.environments().guards().of(&place.project);
    let edits = edits(&before.here.segment, guard.as_ref(), patch.targets)?;
    refuse_conflicts(app, &mut tx, &before.here, &edits).await?;
    let (_, change) = members::write(app, &mut tx, caller, &place, &before.here.segment, &edits).await?;
    changes.extend(change);
    let here = one_here(&mut tx, &place, key).await?;
    let after = shown(&mut tx, here).await?;
    if changes.is_empty() || patch.dry_run {
        drop(tx);
    } else {
        app.commit(tx, changes).await?;
    }
    Ok(after)
}

/// Writes name, description and labels, as far as they are to change.
async fn describe(
    tx: &mut Tx,
    caller: &Caller,
    list: &ListSegment,
    patch: &Patch,
) -> Result<Option<burgee_store::changes::NewChange>> {
    if patch.name.is_none() && patch.description.is_none() && patch.tags.is_none() {
        return Ok(None);
    }
    let project = segments::edit_directly(tx, caller, list.project_id).await?;
    let before = segment_rows::lock(tx, project.id, list.segment_id)
        .await?
        .ok_or_else(unknown_segment)?;
    let mut segment = before.clone();
    if let Some(name) = &patch.name {
        segment.name.clone_from(name);
    }
    if let Some(description) = &patch.description {
        segment.description = Some(description.clone());
    }
    if let Some(tags) = &patch.tags {
        let tags = serde_json::to_string(tags).unwrap_or_default();
        store::set_tags(tx, list.segment_id, &tags).await?;
    }
    segment.updated_at = burgee_model::Timestamp::now().0;
    let change = segments::rewrite(tx, caller, &project, (&before, &segment), (None, Write::Part)).await?;
    Ok(Some(change))
}

/// The targets of a patch, gathered by the list they are of.
fn edits(segment: &ListSegment, guard: Option<&Guard>, targets: Vec<Target>) -> Result<Vec<ListEdit>> {
    let mut edits: Vec<ListEdit> = Vec::new();
    for mut target in targets {
        let kind = target.context_kind.as_ref().unwrap_or(&segment.context_kind);
        // Conflicts are looked for among what is kept.
        if target.present
            && let Some(guard) = guard
        {
            let spot = Spot {
                entrance: Entrance::LaunchDarklySegments,
                field: "instructions",
                name: trait_of_kind(kind),
            };
            // That API has a text alone, which must name the field itself.
            let told = |refused: Refused| {
                Error::field(refused.field, format!("{}: {}", refused.field, refused.reason()))
            };
            target.key = guard.keep(spot, &target.key).map_err(told)?.into_owned();
        }
        let choice = Choice {
            context_kind: Some(
                target
                    .context_kind
                    .unwrap_or_else(|| segment.context_kind.clone()),
            ),
            side: target.side,
        };
        match edits.iter_mut().find(|edit| edit.choice == choice) {
            Some(edit) => edit.members.push((target.key, target.present)),
            None => edits.push(ListEdit {
                entrance: None,
                choice,
                members: vec![(target.key, target.present)],
            }),
        }
    }
    for edit in &edits {
        for (member, _) in &edit.members {
            lists::check_member(member)
                .map_err(|_| Error::field("values", "A key is empty, too long or no text."))?;
        }
    }
    Ok(edits)
}

/// Nobody may end up both included and excluded by what is added here.
async fn refuse_conflicts(app: &App, tx: &mut Tx, here: &ListSegmentHere, edits: &[ListEdit]) -> Result<()> {
    for edit in edits {
        let kind = edit.choice.kind_for(&here.segment)?;
        let across = edits.iter().find(|other| {
            other.choice.side != edit.choice.side && other.choice.context_kind == edit.choice.context_kind
        });
        let comes: HashSet<&str> = final_members(edit, true);
        let (also_comes, goes) = across.map_or_else(Default::default, |other| {
            (final_members(other, true), final_members(other, false))
        });
        let stored = here
            .lists
            .iter()
            .find(|list| list.context_kind == kind && list.excluded != (edit.choice.side == Side::Excluded));
        let set = match stored {
            Some(list) => Some(app.environments().lists().at(tx, list).await?),
            None => None,
        };
        let is_across = |key: &&&str| {
            let is_stored = set.as_ref().is_some_and(|set| set.contains(member_hash(key)));
            also_comes.contains(**key) || (is_stored && !goes.contains(**key))
        };
        if comes.iter().any(|key| is_across(&key)) {
            let text = "A context key can not be both included and excluded";
            return Err(Error::field("instructions", text));
        }
    }
    Ok(())
}

/// Whom an edit leaves in its list, or out of it.
fn final_members(edit: &ListEdit, present: bool) -> HashSet<&str> {
    let last: BTreeMap<&str, bool> = edit
        .members
        .iter()
        .map(|(key, present)| (key.as_str(), *present))
        .collect();
    last.into_iter()
        .filter(|(_, is)| *is == present)
        .map(|(key, _)| key)
        .collect()
}

/// Where one context stands in a segment, by its key.
pub async fn membership(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    at: (&str, &str),
    key: &str,
    member: &str,
) -> Result<members::Listed> {
    let place = place(tx, caller, at, Purpose::See).await?;
    members::look_up_in(app, tx, &place, key, None, member)
        .await
        .map_err(as_unknown)
}
