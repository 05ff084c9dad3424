//! Files of members becoming a list: written beside the present one under a generation of its own, and made the list by
//! one small transaction. Until then everybody is served the old list, from then on the new one.

use burgee_engine::MemberSet;
use burgee_model::Timestamp;
use burgee_model::limits;
use burgee_store::list_members::{self, BLOCK, BlockRow, Edit};
use burgee_store::list_segments as store;
use serde_json::json;

use super::members::{self, Choice, Counts, ListEdit};
use super::pages::{self, Member};
use super::upload::{Ignored, Upload};
use super::{ListSegment, MemberList, missing};
use crate::{App, Caller, Error, Place, Result};

/// What a file does to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Its members are the list.
    Replace,
    /// Its members are in the list as well.
    Add,
    /// Its members are not in the list any more.
    Remove,
}

/// What came of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    pub version: i64,
    /// In the list now.
    pub members: i64,
    pub counts: Counts,
    pub ignored: Ignored,
}

/// So many added or removed members are written as edits; with more, the list is written anew.
const AS_EDITS: usize = 20_000;
/// Blocks of one transaction: others write between them.
const BLOCKS: usize = 64;

/// Takes a file into a list of a segment.
pub async fn upload(
    app: &App,
    caller: &Caller,
    key: &str,
    segment_key: &str,
    choice: &Choice,
    mode: Mode,
    upload: Upload,
) -> Result<Uploaded> {
    let mut tx = app.db().read().await?;
    let place = members::place_to_edit(&mut tx, caller, key).await?;
    let found = store::find(&mut tx, place.project.id, segment_key).await?;
    let segment = found.ok_or_else(missing)?;
    members::refuse_managed(&segment)?;
    drop(tx);
    take(app, caller, &place, &segment, choice, mode, upload).await
}

/// The same for a segment that the caller may fill.
pub(crate) async fn take(
    app: &App,
    caller: &Caller,
    place: &Place,
    segment: &ListSegment,
    choice: &Choice,
    mode: Mode,
    upload: Upload,
) -> Result<Uploaded> {
    let kind = choice.kind_for(segment)?;
    if mode != Mode::Replace && upload.len() <= AS_EDITS {
        return as_edits(app, caller, place, segment, choice, mode, upload).await;
    }
    let mut tx = app.db().read().await?;
    let lists = store::lists_of_segment(&mut tx, segment.segment_id, place.environment.id).await?;
    drop(tx);
    let excluded = choice.side == burgee_model::lists::Side::Excluded;
    let mut lists = lists.into_iter();
    let base = lists.find(|list| list.context_kind == kind && list.excluded == excluded);
    let mut writer = Writer::begin(app).await?;
    let upload = writer.write(app, base.as_ref(), mode, upload).await?;
    switch(
        app,
        caller,
        place,
        segment,
        (&kind, choice.side),
        mode,
        base,
        writer,
        &upload,
    )
    .await
}

async fn as_edits(
    app: &App,
    caller: &Caller,
    place: &Place,
    segment: &ListSegment,
    choice: &Choice,
    mode: Mode,
    mut upload: Upload,
) -> Result<Uploaded> {
    let mut named = Vec::with_capacity(upload.len());
    while let Some((part, _)) = upload.next_part()? {
        named.extend(part.into_iter().map(|(_, member)| (member, mode == Mode::Add)));
    }
    let edit = ListEdit {
        entrance: None,
        choice: choice.clone(),
        members: named,
    };
    let mut tx = app.begin().await?;
    let (counts, change) = members::write(app, &mut tx, caller, place, segment, &[edit]).await?;
    let kind = choice.kind_for(segment)?;
    let list = members::list_for(&mut tx, place, segment, (&kind, choice.side)).await?;
    match change {
        Some(change) => app.commit(tx, vec![change]).await?,
        None => drop(tx),
    }
    Ok(Uploaded {
        version: list.version,
        members: list.members,
        counts,
        ignored: upload.ignored,
    })
}

/// Makes what was written the list.
#[expect(
    clippy::too_many_arguments,
    reason = "the last step of one act, cut off for reading"
)]
async fn switch(
    app: &App,
    caller: &Caller,
    place: &Place,
    segment: &ListSegment,
    list: (&str, burgee_model::lists::Side),
    mode: Mode,
    base: Option<MemberList>,
    writer: Writer,
    upload: &Upload,
) -> Result<Uploaded> {
    let mut tx = app.begin().await?;
    if store::of_segment(&mut tx, segment.segment_id).await?.is_none() {
        return Err(missing());
    }
    let (kind, side) = list;
    let mut list = members::list_for(&mut tx, place, segment, list).await?;
    let lists = app.environments().lists();
    let old = lists.at(&mut tx, &list).await?;
    let mut set = MemberSet::from_sorted(writer.hashes);
    let mut unchanged = 0;
    // What the new set is the state of: edits after it still count.
    let mut prepared = list.version + 1;
    if mode == Mode::Replace {
        unchanged = set.iter().filter(|hash| old.contains(*hash)).count();
        list_members::delete_edits_until(&mut tx, list.id, list.version).await?;
    } else if let Some(base) = base {
        if base.generation != list.generation || list.folded > base.version {
            let text = "The list was rewritten while the file was read. Send it again.";
            return Err(Error::Conflict(text.to_owned()));
        }
        prepared = base.version;
        list_members::delete_edits_until(&mut tx, list.id, base.version).await?;
        set = set.with(&list_members::edits_after(&mut tx, list.id, base.version).await?);
    } else if list.version > 0 {
        return Err(Error::Conflict(
            "The list was begun while the file was read. Send it again.".to_owned(),
        ));
    }
    if set.len() > limits::MEMBERS_PER_LIST {
        return Err(members::too_many());
    }
    let counts = match mode {
        Mode::Replace => Counts {
            added: set.len() - unchanged,
            removed: old.len() - unchanged,
            unchanged,
        },
        Mode::Add => {
            let added = set.len().saturating_sub(old.len());
            Counts {
                added,
                removed: 0,
                unchanged: upload.len().saturating_sub(added),
            }
        }
        Mode::Remove => {
            let removed = old.len().saturating_sub(set.len());
            Counts {
                added: 0,
                removed,
                unchanged: upload.len().saturating_sub(removed),
            }
        }
    };
    let mut done = Uploaded {
        version: list.version,
        members: list.members,
        counts,
        ignored: upload.ignored,
    };
    if counts.added + counts.removed == 0 {
        return Ok(done);
    }
    list.generation = writer.generation;
    list.version += 1;
    list.members = set.len() as i64;
    list.updated_at = Timestamp::now().0;
    store::update_list(&mut tx, &list).await?;
    (done.version, done.members) = (list.version, list.members);
    let logged = json!({ "lists": [{
        "side": side.as_str(), "context_kind": kind, "added": counts.added, "removed": counts.removed,
        "rewritten": true,
    }] });
    let change = members::changed(caller, place, segment, counts, &logged);
    lists.prepare(list.generation, prepared, set);
    let committed = app.commit(tx, vec![change]).await;
    lists.unprepare(list.generation);
    committed.map(|()| done)
}

/// Writes a generation, block by block, and remembers its hashes.
struct Writer {
    generation: i64,
    hashes: Vec<i64>,
    blocks: Vec<BlockRow>,
}

impl Writer {
    async fn begin(app: &App) -> Result<Self> {
        let mut tx = app.db().begin().await?;
        let generation = list_members::new_generation(&mut tx, Timestamp::now().0).await?;
        tx.commit().await?;
        Ok(Self {
            generation,
            hashes: Vec::new(),
            blocks: Vec::new(),
        })
    }

    /// Writes the list that the file makes of the present one. Returns the file, all of it taken.
    async fn write(
        &mut self,
        app: &App,
        base: Option<&MemberList>,
        mode: Mode,
        mut upload: Upload,
    ) -> Result<Upload> {
        let mut present = Present::new(base.filter(|_| mode != Mode::Replace));
        loop {
            let sorted = tokio::task::spawn_blocking(move || {
                let part = upload.next_part();
                (upload, part)
            });
            let part;
            (upload, part) = sorted.await.map_err(|error| Error::Internal(error.to_string()))?;
            let Some((named, end)) = part? else { break };
            let members = if mode == Mode::Replace {
                named
            } else {
                let edits = named.into_iter().map(|(hash, member)| Edit {
                    hash,
                    member,
                    present: mode == Mode::Add,
                });
                pages::merge(present.until(app, end).await?, edits.collect())
            };
            self.put(app, members).await?;
        }
        self.flush(app).await?;
        Ok(upload)
    }

    async fn put(&mut self, app: &App, members: Vec<Member>) -> Result<()> {
        self.hashes.extend(members.iter().map(|(hash, _)| *hash));
        if self.hashes.len() > limits::MEMBERS_PER_LIST {
            return Err(members::too_many());
        }
        let mut members = members.into_iter().peekable();
        while members.peek().is_some() {
            let block: Vec<Member> = members.by_ref().take(BLOCK).collect();
            self.blocks.push(packed(&block)?);
            if self.blocks.len() >= BLOCKS {
                self.flush(app).await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self, app: &App) -> Result<()> {
        let mut tx = app.db().begin().await?;
        list_members::touch_generation(&mut tx, self.generation, Timestamp::now().0).await?;
        for block in self.blocks.drain(..) {
            list_members::put_block(&mut tx, self.generation, &block).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// A block of members that are in order. It has at least one.
pub(crate) fn packed(members: &[Member]) -> Result<BlockRow> {
    let first = members.first().map_or(i64::MIN, |(hash, _)| *hash);
    Ok(BlockRow::pack(
        first,
        members.iter().map(|(_, member)| member.as_str()),
    )?)
}

/// The members a list has, read on as far as they are needed.
struct Present<'a> {
    list: Option<&'a MemberList>,
    read: std::collections::VecDeque<Member>,
    next: Option<i64>,
}

impl<'a> Present<'a> {
    fn new(list: Option<&'a MemberList>) -> Self {
        Self {
            next: list.map(|_| i64::MIN),
            list,
            read: std::collections::VecDeque::new(),
        }
    }

    /// The members up to this hash that were not taken yet.
    async fn until(&mut self, app: &App, end: i64) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        loop {
            while let Some(member) = self.read.pop_front_if(|(hash, _)| *hash <= end) {
                members.push(member);
            }
            let (Some(list), Some(from)) = (self.list, self.next) else {
                return Ok(members);
            };
            if !self.read.is_empty() || from > end {
                return Ok(members);
            }
            let mut tx = app.db().read().await?;
            let page = pages::page(&mut tx, list, from).await?;
            self.read = page.members.into();
            self.next = page.next;
        }
    }
}
