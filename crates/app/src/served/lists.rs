//! Lists of members as this node has them in memory: hashes, kept in step with the database by versions.
//!
//! Whoever asks for a list names it by its row, and gets the set of exactly that version: the one at hand, the one at hand
//! with the edits that came since, or all of it read anew. So no order of events can leave a set behind its row.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burgee_engine::MemberSet;
use burgee_model::limits;
use burgee_store::list_segments::{self, ListSegment, MemberList};
use burgee_store::{Tx, list_members};

use crate::Result;
use crate::list_segments::{members, pages};

/// The lists this node knows.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    known: Mutex<HashMap<i64, Known>>,
    /// Sets of generations that were written by this node and are not live yet, with the version they stand for.
    prepared: Mutex<HashMap<i64, (i64, MemberSet)>>,
}

#[derive(Debug, Clone)]
struct Known {
    environment_id: i64,
    generation: i64,
    version: i64,
    set: MemberSet,
    /// The members themselves, of a list small enough for documents.
    members: Option<Arc<[String]>>,
}

/// A list of a segment in an environment, as it is served.
#[derive(Debug, Clone)]
pub(crate) struct ServedList {
    pub(crate) list: MemberList,
    pub(crate) set: MemberSet,
    pub(crate) members: Option<Arc<[String]>>,
}

/// A list segment with its lists in one environment.
#[derive(Debug, Clone)]
pub(crate) struct SegmentLists {
    pub(crate) key: String,
    /// Those that include come first.
    pub(crate) lists: Vec<ServedList>,
}

impl SegmentLists {
    /// How many members it has, on both sides.
    pub(crate) fn members(&self) -> i64 {
        self.lists.iter().map(|served| served.list.members).sum()
    }
}

impl Lists {
    fn known(&self) -> MutexGuard<'_, HashMap<i64, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepared(&self) -> MutexGuard<'_, HashMap<i64, (i64, MemberSet)>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list segments of an environment's project, by segment, with their lists in the environment.
    pub(crate) async fn of_environment(
        &self,
        tx: &mut Tx,
        project_id: i64,
        environment_id: i64,
    ) -> Result<HashMap<i64, SegmentLists>> {
        let without_lists = |segment: ListSegment| {
            let lists = SegmentLists {
                key: segment.key,
                lists: Vec::new(),
            };
            (segment.segment_id, lists)
        };
        let segments = list_segments::list(tx, project_id).await?;
        let mut found: HashMap<i64, SegmentLists> = segments.into_iter().map(without_lists).collect();
        let lists = list_segments::lists_of_environment(tx, environment_id).await?;
        for list in lists {
            let known = self.known_at(tx, &list).await?;
            if let Some(segment) = found.get_mut(&list.segment_id) {
                segment.lists.push(ServedList {
                    list,
                    set: known.set,
                    members: known.members,
                });
            }
        }
        Ok(found)
    }

    /// Forgets the lists of an environment, but those that are served.
    pub(crate) fn keep_only(&self, environment_id: i64, served: &HashMap<i64, SegmentLists>) {
        let is_served = |id: i64| {
            let mut lists = served.values().flat_map(|segment| &segment.lists);
            lists.any(|served| served.list.id == id)
        };
        self.known()
            .retain(|id, known| known.environment_id != environment_id || is_served(*id));
    }

    /// Who is in a list, at the version that its row names.
    pub(crate) async fn at(&self, tx: &mut Tx, list: &MemberList) -> Result<MemberSet> {
        Ok(self.known_at(tx, list).await?.set)
    }

    async fn known_at(&self, tx: &mut Tx, list: &MemberList) -> Result<Known> {
        let known = self.known().get(&list.id).cloned();
        let known = known.filter(|known| known.generation == list.generation);
        if let Some(known) = &known
            && known.version == list.version
        {
            return Ok(known.clone());
        }
        let begun = match known {
            Some(known) => Some((known.version, known.set)),
            None => self.prepared().get(&list.generation).cloned(),
        };
        let set = match begun.filter(|(version, _)| *version >= list.folded && *version <= list.version) {
            Some((version, set)) => set.with(&list_members::edits_after(tx, list.id, version).await?),
            None => read_all(tx, list).await?,
        };
        let members = match list.members {
            0..=limits::MEMBERS_IN_DOCUMENT => Some(members::all(tx, list).await?.into()),
            _ => None,
        };
        let now = Known {
            environment_id: list.environment_id,
            generation: list.generation,
            version: list.version,
            set,
            members,
        };
        let mut lists = self.known();
        // A transaction that began earlier must not put an older state in the place of a newer one.
        if lists
            .get(&list.id)
            .is_none_or(|other| other.version < now.version)
        {
            lists.insert(list.id, now.clone());
        }
        Ok(now)
    }

    /// Hands over the set of a generation that this node has written, so that it need not be read back.
    pub(crate) fn prepare(&self, generation: i64, version: i64, set: MemberSet) {
        self.prepared().insert(generation, (version, set));
    }

    /// Forgets what was handed over: it is known by now, or will never be asked for.
    pub(crate) fn unprepare(&self, generation: i64) {
        self.prepared().remove(&generation);
    }
}

async fn read_all(tx: &mut Tx, list: &MemberList) -> Result<MemberSet> {
    let mut hashes = Vec::with_capacity(usize::try_from(list.members).unwrap_or_default());
    let mut from = Some(i64::MIN);
    while let Some(start) = from {
        let page = pages::page(tx, list, start).await?;
        hashes.extend(page.members.iter().map(|(hash, _)| *hash));
        from = page.next;
    }
    Ok(MemberSet::from_sorted(hashes))
}
