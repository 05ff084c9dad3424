//! The members of a list in the order of their hashes, a page at a time: blocks, with edits laid over them.

use burgee_engine::member_hash;
use burgee_store::Tx;
use burgee_store::list_members::{self, BlockRow, Edit};
use burgee_store::list_segments::MemberList;

use crate::Result;

/// Blocks read at a time.
const BLOCKS: i64 = 64;
/// Edits read at a time.
const EDITS: i64 = 50_000;

/// A member with its hash.
pub(crate) type Member = (i64, String);

/// Some members, and where the next ones begin; `None` after the last.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) members: Vec<Member>,
    pub(crate) next: Option<i64>,
}

/// The page that begins with this hash; [`i64::MIN`] is the beginning.
pub(crate) async fn page(tx: &mut Tx, list: &MemberList, from: i64) -> Result<Page> {
    let mut blocks = list_members::blocks_from(tx, list.generation, from, BLOCKS + 1).await?;
    let mut end = i64::MAX;
    if blocks.len() as i64 > BLOCKS
        && let Some(following) = blocks.pop()
    {
        end = following.first_hash - 1;
    }
    let edits = list_members::edits_between(tx, list.id, from, end, EDITS).await?;
    if edits.len() as i64 == EDITS
        && let Some(last) = edits.last()
    {
        end = last.hash;
    }
    let stored = unpack(&blocks)?;
    let inside = stored.into_iter().filter(|(hash, _)| (from..=end).contains(hash));
    Ok(Page {
        members: merge(inside, edits),
        next: end.checked_add(1),
    })
}

/// The members of blocks with their hashes.
pub(crate) fn unpack(blocks: &[BlockRow]) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for block in blocks {
        let own = block.members()?.into_iter();
        members.extend(own.map(|member| (member_hash(&member), member)));
    }
    Ok(members)
}

/// Members with edits laid over them; both are in the order of hashes.
pub(crate) fn merge(stored: impl IntoIterator<Item = Member>, edits: Vec<Edit>) -> Vec<Member> {
    let mut merged = Vec::new();
    let mut edits = edits.into_iter().peekable();
    for (hash, member) in stored {
        while let Some(edit) = edits.next_if(|edit| edit.hash < hash) {
            push(&mut merged, edit);
        }
        match edits.next_if(|edit| edit.hash == hash) {
            Some(edit) => push(&mut merged, edit),
            None => merged.push((hash, member)),
        }
    }
    for edit in edits {
        push(&mut merged, edit);
    }
    merged
}

fn push(members: &mut Vec<Member>, edit: Edit) {
    if edit.present {
        members.push((edit.hash, edit.member));
    }
}
