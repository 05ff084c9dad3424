//! Who is in a list segment: adding, removing, looking up, reading on.

use std::borrow::Cow;
use std::collections::HashMap;

use burgee_engine::{MemberSet, member_hash};
use burgee_model::lists::{self, MemberProblem, Side};
use burgee_model::permissions::EnvironmentPermission;
use burgee_model::{Problems, Timestamp, limits};
use burgee_store::Tx;
use burgee_store::changes::NewChange;
use burgee_store::list_members::{self, Edit};
use burgee_store::list_segments as store;
use serde_json::json;

use super::pages::{self, Page};
use super::{ListSegment, MemberList, missing, one_here};
use crate::change::{Action, Change, Kind};
use crate::feature_states::place_by_key;
use crate::pii::{Entrance, Guard, Spot, trait_of_kind};
use crate::{App, Author, Caller, Error, Place, Result};

/// Which of a segment's lists is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Choice {
    /// `None`: the segment's own.
    pub context_kind: Option<String>,
    pub side: Side,
}

impl Choice {
    /// The list of those whom the segment includes, of its own context kind.
    pub fn included() -> Self {
        Self {
            context_kind: None,
            side: Side::Included,
        }
    }

    pub(crate) fn kind_for(&self, segment: &ListSegment) -> Result<String> {
        let kind = self.context_kind.as_ref().unwrap_or(&segment.context_kind);
        if lists::is_context_kind(kind) {
            Ok(kind.clone())
        } else {
            Err(Error::field("context_kind", "Not a name of a context kind."))
        }
    }
}

/// What is to become of some members of one list: in order, each a member and whether it is in from now on.
#[derive(Debug, Clone)]
pub struct ListEdit {
    /// What it came in by; `None`: the guard against personal data has seen its members already.
    pub entrance: Option<Entrance>,
    pub choice: Choice,
    pub members: Vec<(String, bool)>,
}

impl ListEdit {
    /// Everybody here is in from now on.
    pub fn adding(choice: Choice, members: impl IntoIterator<Item = String>) -> Self {
        let members = members.into_iter().map(|member| (member, true)).collect();
        Self {
            entrance: Some(Entrance::ListMembers),
            choice,
            members,
        }
    }

    /// Nobody here is in any more.
    pub fn removing(choice: Choice, members: impl IntoIterator<Item = String>) -> Self {
        let members = members.into_iter().map(|member| (member, false)).collect();
        Self {
            entrance: Some(Entrance::ListMembers),
            choice,
            members,
        }
    }
}

/// What an edit changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub added: usize,
    pub removed: usize,
    /// Members that were named and were already so.
    pub unchanged: usize,
}

impl Counts {
    fn is_change(self) -> bool {
        self.added + self.removed > 0
    }

    fn and(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            removed: self.removed + other.removed,
            unchanged: self.unchanged + other.unchanged,
        }
    }
}

/// Fails at the first text that can't be a member.
pub fn check(field: &str, members: &[String]) -> Result<()> {
    for (index, member) in members.iter().enumerate() {
        let text = match lists::check_member(member) {
            Ok(()) => continue,
            Err(MemberProblem::Empty) => "may not be blank".to_owned(),
            Err(MemberProblem::NotText) => "holds a null character".to_owned(),
            Err(MemberProblem::TooLong) => format!("has more than {} characters", limits::IDENTIFIER_LENGTH),
        };
        return Err(Error::field(field, format!("Member {index} {text}.")));
    }
    Ok(())
}

/// The environment, for somebody who may say who is in a segment there.
pub(crate) async fn place_to_edit(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Place> {
    place_by_key(tx, caller, key, EnvironmentPermission::ManageSegmentOverrides).await
}

/// Fails unless the caller may say who is in this segment: asked before a file is taken. Gives the segment and what looks
/// through the file, if anything does.
pub async fn require_edit(
    app: &App,
    caller: &Caller,
    key: &str,
    segment_key: &str,
) -> Result<(ListSegment, Option<Guard>)> {
    let mut tx = app.db().read().await?;
    let place = place_to_edit(&mut tx, caller, key).await?;
    let found = store::find(&mut tx, place.project.id, segment_key).await?;
    let segment = found.ok_or_else(missing)?;
    refuse_managed(&segment)?;
    Ok((segment, app.environments().guards().of(&place.project)))
}

/// The members of a managed segment are those of what manages it.
pub(crate) fn refuse_managed(segment: &ListSegment) -> Result<()> {
    if segment.managed_by.is_empty() {
        return Ok(());
    }
    let text = format!("This segment is managed by a {}.", segment.managed_by);
    Err(Problems::whole(text).into())
}

/// Changes who is in a list segment, in an environment that is named by its key.
pub async fn edit(
    app: &App,
    caller: &Caller,
    key: &str,
    segment_key: &str,
    edits: &[ListEdit],
) -> Result<Counts> {
    let mut tx = app.begin().await?;
    let place = place_to_edit(&mut tx, caller, key).await?;
    let found = store::find(&mut tx, place.project.id, segment_key).await?;
    let segment = found.ok_or_else(missing)?;
    refuse_managed(&segment)?;
    let (counts, change) = write(app, &mut tx, caller, &place, &segment, edits).await?;
    match change {
        Some(change) => app.commit(tx, vec![change]).await?,
        None => drop(tx),
    }
    Ok(counts)
}

/// Changes who is in a segment, in the transaction of a larger act; every edit is of another list. Without a change to
/// log, nothing was written.
pub(crate) async fn write(
    app: &App,
    tx: &mut Tx,
    author: impl Into<Author<'_>>,
    place: &Place,
    segment: &ListSegment,
    edits: &[ListEdit],
) -> Result<(Counts, Option<NewChange>)> {
    let mut counts = Counts::default();
    let mut logged = Vec::new();
    for edit in edits {
        let kind = edit.choice.kind_for(segment)?;
        let done = write_list(app, tx, place, segment, (&kind, edit.choice.side), edit).await?;
        if done.is_change() {
            logged.push(json!({
                "side": edit.choice.side.as_str(), "context_kind": kind, "added": done.added, "removed": done.removed,
            }));
        }
        counts = counts.and(done);
    }
    let change = counts
        .is_change()
        .then(|| changed(author, place, segment, counts, &json!({ "lists": logged })));
    Ok((counts, change))
}

/// What the log says of changed members: how many.
pub(crate) fn changed<'a>(
    author: impl Into<Author<'a>>,
    place: &Place,
    segment: &ListSegment,
    counts: Counts,
    after: &serde_json::Value,
) -> NewChange {
    Change::new(author, Kind::SegmentMembers, Action::Update, segment.segment_id)
        .in_environment(place)
        .uuid(&segment.uuid)
        .says(format!(
            "Members of segment changed: {} ({} added, {} removed)",
            segment.name, counts.added, counts.removed
        ))
        .serves()
        .after(after.clone())
        .into()
}

/// The list of this kind and side; a new one without members when there is none.
pub(crate) async fn list_for(
    tx: &mut Tx,
    place: &Place,
    segment: &ListSegment,
    (kind, side): (&str, Side),
) -> Result<MemberList> {
    let lists = store::lists_of_segment(tx, segment.segment_id, place.environment.id).await?;
    let excluded = side == Side::Excluded;
    let present = lists.len();
    let found = lists
        .into_iter()
        .find(|list| list.context_kind == kind && list.excluded == excluded);
    if let Some(list) = found {
        return Ok(list);
    }
    if present >= limits::LISTS_PER_SEGMENT {
        let text = format!(
            "A segment has no more than {} lists in an environment.",
            limits::LISTS_PER_SEGMENT
        );
        return Err(Error::field("context_kind", text));
    }
    let now = Timestamp::now().0;
    let mut list = MemberList {
        id: 0,
        segment_id: segment.segment_id,
        environment_id: place.environment.id,
        context_kind: kind.to_owned(),
        excluded,
        generation: list_members::new_generation(tx, now).await?,
        members: 0,
        version: 0,
        folded: 0,
        updated_at: now,
    };
    list.id = store::insert_list(tx, &list).await?;
    Ok(list)
}

async fn write_list(
    app: &App,
    tx: &mut Tx,
    place: &Place,
    segment: &ListSegment,
    list: (&str, Side),
    edit: &ListEdit,
) -> Result<Counts> {
    if edit.members.is_empty() {
        return Ok(Counts::default());
    }
    let (kind, _) = list;
    let mut list = list_for(tx, place, segment, list).await?;
    let set = app.environments().lists().at(tx, &list).await?;
    let guard = app.environments().guards().of(&place.project);
    let kept;
    let members = match &guard {
        Some(guard) => {
            kept = keep(guard, kind, &set, edit)?;
            &kept
        }
        None => &edit.members,
    };
    // Of several mentions of one member the last counts.
    let wanted: HashMap<i64, (&str, bool)> = members
        .iter()
        .map(|(member, present)| (member_hash(member), (member.as_str(), *present)))
        .collect();
    let named = wanted.len();
    let mut edits: Vec<Edit> = wanted
        .into_iter()
        .filter(|(hash, (_, present))| set.contains(*hash) != *present)
        .map(|(hash, (member, present))| Edit {
            hash,
            member: member.to_owned(),
            present,
        })
        .collect();
    edits.sort_unstable_by_key(|edit| edit.hash);
    let added = edits.iter().filter(|edit| edit.present).count();
    let counts = Counts {
        added,
        removed: edits.len() - added,
        unchanged: named - edits.len(),
    };
    if edits.is_empty() {
        return Ok(counts);
    }
    let after = set.len() + counts.added - counts.removed;
    if after > limits::MEMBERS_PER_LIST {
        return Err(too_many());
    }
    list.version += 1;
    list.members = after as i64;
    list.updated_at = Timestamp::now().0;
    list_members::put_edits(tx, list.id, list.version, list.updated_at, &edits).await?;
    store::update_list(tx, &list).await?;
    Ok(counts)
}

/// The members as they are kept. Who is in the list by the member itself stays so, and who leaves it leaves by either.
fn keep(guard: &Guard, kind: &str, set: &MemberSet, edit: &ListEdit) -> Result<Vec<(String, bool)>> {
    let field = match edit.entrance {
        Some(Entrance::Cohorts) => "identifiers",
        _ => "add",
    };
    let name = trait_of_kind(kind);
    let mut kept = Vec::with_capacity(edit.members.len());
    for (member, present) in &edit.members {
        let is_in = set.contains(member_hash(member));
        let own = match edit.entrance.filter(|_| *present) {
            Some(entrance) => {
                let spot = Spot {
                    entrance,
                    field,
                    name,
                };
                guard.keep(spot, member)?
            }
            None => guard
                .hash_of(name, member)
                .map_or(Cow::Borrowed(member.as_str()), Cow::Owned),
        };
        let own = if is_in { member.clone() } else { own.into_owned() };
        kept.push((own, *present));
    }
    Ok(kept)
}

pub(crate) fn too_many() -> Error {
    let text = format!("A list has no more than {} members.", limits::MEMBERS_PER_LIST);
    Error::field("members", text)
}

/// On which sides somebody is listed, and for which context kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub context_kind: String,
    pub included: bool,
    pub excluded: bool,
}

/// Looks a member up, exactly, by what it is or by the hash that is kept in place of it. Seeing who is in a list needs
/// the permission to see identities.
pub async fn look_up(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    segment_key: &str,
    context_kind: Option<String>,
    member: &str,
) -> Result<Listed> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewIdentities).await?;
    look_up_in(app, tx, &place, segment_key, context_kind, member).await
}

/// The same in an environment where the caller may see identities.
pub async fn look_up_in(
    app: &App,
    tx: &mut Tx,
    place: &Place,
    segment_key: &str,
    context_kind: Option<String>,
    member: &str,
) -> Result<Listed> {
    let here = one_here(tx, place, segment_key).await?;
    let choice = Choice {
        context_kind,
        side: Side::Included,
    };
    let mut listed = Listed {
        context_kind: choice.kind_for(&here.segment)?,
        included: false,
        excluded: false,
    };
    let guard = app.environments().guards().of(&place.project);
    let hash = guard.and_then(|guard| guard.hash_of(trait_of_kind(&listed.context_kind), member));
    for list in &here.lists {
        if list.context_kind != listed.context_kind {
            continue;
        }
        let by_hash = match &hash {
            Some(hash) => is_stored(tx, list, hash).await?,
            None => false,
        };
        if by_hash || is_stored(tx, list, member).await? {
            if list.excluded {
                listed.excluded = true;
            } else {
                listed.included = true;
            }
        }
    }
    Ok(listed)
}

async fn is_stored(tx: &mut Tx, list: &MemberList, member: &str) -> Result<bool> {
    let hash = member_hash(member);
    if let Some(edit) = list_members::edit_of(tx, list.id, hash).await? {
        return Ok(edit.present);
    }
    let blocks = list_members::blocks_from(tx, list.generation, hash, 1).await?;
    Ok(pages::unpack(&blocks)?.iter().any(|(_, stored)| stored == member))
}

/// Reads a list from the beginning to the end, a page at a time.
#[derive(Debug)]
pub struct Download {
    list: Option<MemberList>,
    next: Option<i64>,
}

impl Download {
    /// Begins to read. Seeing who is in a list needs the permission to see identities.
    pub async fn begin(
        tx: &mut Tx,
        caller: &Caller,
        key: &str,
        segment_key: &str,
        choice: &Choice,
    ) -> Result<Self> {
        let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewIdentities).await?;
        let here = one_here(tx, &place, segment_key).await?;
        let kind = choice.kind_for(&here.segment)?;
        let excluded = choice.side == Side::Excluded;
        let mut lists = here.lists.into_iter();
        Ok(Self {
            list: lists.find(|list| list.context_kind == kind && list.excluded == excluded),
            next: Some(i64::MIN),
        })
    }

    /// The next members; `None` at the end. Fails when the list was replaced meanwhile: half of each would be neither.
    pub async fn next(&mut self, app: &App) -> Result<Option<Vec<String>>> {
        let (Some(list), Some(from)) = (&self.list, self.next) else {
            return Ok(None);
        };
        let mut tx = app.db().read().await?;
        let now = store::find_list(&mut tx, list.id).await?;
        if now.is_none_or(|now| now.generation != list.generation) {
            return Err(Error::Conflict(
                "The list was replaced while it was read.".to_owned(),
            ));
        }
        let Page { members, next } = pages::page(&mut tx, list, from).await?;
        self.next = next;
        Ok(Some(members.into_iter().map(|(_, member)| member).collect()))
    }
}

/// All members of a list: for those that are known to be small.
pub(crate) async fn all(tx: &mut Tx, list: &MemberList) -> Result<Vec<String>> {
    let mut members = Vec::new();
    let mut from = Some(i64::MIN);
    while let Some(start) = from {
        let page = pages::page(tx, list, start).await?;
        members.extend(page.members.into_iter().map(|(_, member)| member));
        from = page.next;
    }
    Ok(members)
}
