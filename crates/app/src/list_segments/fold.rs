//! Keeping the stored form of lists compact: edits go into the blocks they are about, and generations that no list has any
//! more go away. Neither changes who is in a list, so neither is logged.

use std::time::Duration;

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::list_members::{self, BLOCK, BlockRow, Edit};
use burgee_store::list_segments as store;

use super::MemberList;
use super::pages;
use super::replace::packed;
use crate::{App, Result};

/// Edits stay for so long, that a node which was cut off for a moment can read them up.
const SETTLED: Duration = Duration::from_mins(10);
/// A generation that nobody has worked on for so long is given up.
const ABANDONED: Duration = Duration::from_hours(1);
/// So few edits are not worth the rewriting of blocks; nor are fewer than one in so many members.
const FEW: i64 = 2_000;
const SHARE: i64 = 50;
/// Blocks, and edits, of one transaction.
const BLOCKS: i64 = 64;
const EDITS: i64 = 10_000;
/// Blocks deleted in one transaction.
const SWEPT: i64 = 200;

/// Folds what has settled, and sweeps what is left over.
pub async fn tidy(app: &App) -> Result<()> {
    fold_settled(app, before(SETTLED)).await?;
    sweep(app, before(ABANDONED)).await
}

fn before(age: Duration) -> i64 {
    Timestamp::now().0 - age.as_micros() as i64
}

/// Folds the edits made before a time, of lists that have enough of them.
pub async fn fold_settled(app: &App, before: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    let lists = list_members::edited_lists(&mut tx, before).await?;
    drop(tx);
    for id in lists {
        let mut tx = app.db().read().await?;
        let Some(list) = store::find_list(&mut tx, id).await? else {
            continue;
        };
        let edits = list_members::count_edits(&mut tx, id, before).await?;
        drop(tx);
        if edits >= FEW.max(list.members / SHARE) {
            fold(app, &list, before).await?;
        }
    }
    Ok(())
}

/// Folds the edits of one list that were made before a time, whatever their number.
pub async fn fold(app: &App, list: &MemberList, before: i64) -> Result<()> {
    let mut from = Some(i64::MIN);
    while let Some(start) = from {
        let mut tx = app.begin().await?;
        let Some(mut now) = store::find_list(&mut tx, list.id).await? else {
            return Ok(());
        };
        if now.generation != list.generation {
            return Ok(());
        }
        // Said before anything goes: whoever knows only older versions must not look for edits that are gone.
        if let Some(version) = list_members::settled_version(&mut tx, list.id, before).await?
            && version > now.folded
        {
            now.folded = version;
            store::update_list(&mut tx, &now).await?;
        }
        from = fold_some(&mut tx, &now, start, before).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Folds the edits about some blocks; where to go on.
async fn fold_some(tx: &mut Tx, list: &MemberList, from: i64, before: i64) -> Result<Option<i64>> {
    let mut blocks = list_members::blocks_from(tx, list.generation, from, BLOCKS + 1).await?;
    let mut end = i64::MAX;
    if blocks.len() as i64 > BLOCKS
        && let Some(following) = blocks.pop()
    {
        end = following.first_hash - 1;
    }
    let mut edits = list_members::settled_edits(tx, list.id, from, end, before, EDITS).await?;
    if edits.len() as i64 == EDITS
        && let Some(last) = edits.last()
    {
        end = last.hash;
    }
    if blocks.is_empty() {
        rewrite(tx, list, None, edits).await?;
    } else {
        // The first block here also takes what comes before it, the last one what comes after.
        let bounds: Vec<i64> = blocks.iter().skip(1).map(|block| block.first_hash).collect();
        let mut bounds = bounds.into_iter();
        for block in blocks {
            let rest = match bounds.next() {
                Some(next) => edits.split_off(edits.partition_point(|edit| edit.hash < next)),
                None => Vec::new(),
            };
            let own = std::mem::replace(&mut edits, rest);
            if !own.is_empty() {
                rewrite(tx, list, Some(block), own).await?;
            }
        }
    }
    list_members::delete_edits(tx, list.id, from, end, before).await?;
    Ok(end.checked_add(1))
}

async fn rewrite(tx: &mut Tx, list: &MemberList, block: Option<BlockRow>, edits: Vec<Edit>) -> Result<()> {
    let stored = match &block {
        Some(block) => pages::unpack(std::slice::from_ref(block))?,
        None => Vec::new(),
    };
    if let Some(block) = block {
        list_members::delete_block(tx, list.generation, block.first_hash).await?;
    }
    let members = pages::merge(stored, edits);
    let size = if members.len() < 2 * BLOCK {
        2 * BLOCK
    } else {
        BLOCK
    };
    for part in members.chunks(size) {
        list_members::put_block(tx, list.generation, &packed(part)?).await?;
    }
    Ok(())
}

/// Deletes generations that no list has and that nobody touched since a time, a few blocks at a time.
pub async fn sweep(app: &App, before: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    let abandoned = list_members::abandoned_generations(&mut tx, before).await?;
    drop(tx);
    for generation in abandoned {
        loop {
            let mut tx = app.db().begin().await?;
            let deleted = list_members::delete_blocks(&mut tx, generation, SWEPT).await?;
            if deleted == 0 {
                list_members::delete_generation(&mut tx, generation).await?;
            }
            tx.commit().await?;
            if deleted == 0 {
                break;
            }
        }
    }
    Ok(())
}
