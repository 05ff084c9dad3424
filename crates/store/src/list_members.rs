//! Who is in a list: sorted blocks, and edits that came after them.
//!
//! A list of ten million is some ten thousand rows: its members stand in blocks, in the order of their hashes, and a
//! block is rewritten only when edits are folded into it. Adding and removing writes a row for each member, which counts
//! in place of what the blocks say. So a change costs what it changes, and reading everything costs a few reads.

use serde_json::json;

use crate::db::Id;
use crate::{DbError, Result, Tx, row, sql};

/// Members of a block. One that grows to twice as many is split.
pub const BLOCK: usize = 1_024;
/// How hard blocks are compressed: the lightest, for identifiers hold little that more work would find.
const COMPRESSION: i32 = 1;
/// Bytes that a block may unpack to.
const MOST: usize = 64 * 1024 * 1024;

row! {
    /// A block as its row has it.
    pub struct BlockRow {
        pub first_hash: i64,
        pub content: Vec<u8>,
    }
}

row! {
    /// A member who came or went after the blocks were written.
    pub struct Edit {
        pub hash: i64,
        pub member: String,
        pub present: bool,
    }
}

impl BlockRow {
    /// The members, in the order of their hashes.
    pub fn members(&self) -> Result<Vec<String>> {
        let broken = |text: String| DbError::Other(sqlx::Error::Decode(text.into()));
        let bytes = zstd::bulk::decompress(&self.content, MOST).map_err(|error| broken(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| broken(error.to_string()))?;
        Ok(text.split_terminator('\0').map(str::to_owned).collect())
    }

    /// A block of members that are in the order of their hashes. No member holds a null character.
    pub fn pack<'m>(first_hash: i64, members: impl IntoIterator<Item = &'m str>) -> Result<Self> {
        let mut text = String::new();
        for member in members {
            text.push_str(member);
            text.push('\0');
        }
        let content = zstd::bulk::compress(text.as_bytes(), COMPRESSION)
            .map_err(|error| DbError::Other(sqlx::Error::Io(error)))?;
        Ok(Self { first_hash, content })
    }
}

/// A new generation, of which no list knows yet.
pub async fn new_generation(tx: &mut Tx, now: i64) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO member_generations (touched_at) VALUES ($1) RETURNING id",
        now
    )?;
    Ok(id)
}

/// Writes that somebody still works on a generation, or has just done so.
pub async fn touch_generation(tx: &mut Tx, id: i64, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE member_generations SET touched_at = $2 WHERE id = $1",
        id,
        now
    )
}

/// The generations that no list has and that nobody touched since `before`.
pub async fn abandoned_generations(tx: &mut Tx, before: i64) -> Result<Vec<i64>> {
    let rows: Vec<Id> = sql!(
        tx,
        fetch_all as Id,
        "SELECT g.id AS id FROM member_generations g
         WHERE g.touched_at < $1 AND NOT EXISTS (SELECT 1 FROM member_lists l WHERE l.generation = g.id)
         ORDER BY g.id LIMIT 100",
        before
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Deletes some blocks of a generation; how many there were.
pub async fn delete_blocks(tx: &mut Tx, generation: i64, limit: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM member_blocks WHERE generation = $1 AND first_hash IN
             (SELECT first_hash FROM member_blocks WHERE generation = $1 ORDER BY first_hash LIMIT $2)",
        generation,
        limit
    )
}

/// Deletes a generation without blocks.
pub async fn delete_generation(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM member_generations WHERE id = $1", id)
}

/// Writes a block, in the place of one that begins with the same hash.
pub async fn put_block(tx: &mut Tx, generation: i64, block: &BlockRow) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO member_blocks (generation, first_hash, content) VALUES ($1, $2, $3)
         ON CONFLICT (generation, first_hash) DO UPDATE SET content = excluded.content",
        generation,
        block.first_hash,
        block.content.as_slice()
    )
}

/// Deletes one block.
pub async fn delete_block(tx: &mut Tx, generation: i64, first_hash: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM member_blocks WHERE generation = $1 AND first_hash = $2",
        generation,
        first_hash
    )
}

/// Some blocks of a generation, in order, beginning with the one that would hold `from`.
pub async fn blocks_from(tx: &mut Tx, generation: i64, from: i64, limit: i64) -> Result<Vec<BlockRow>> {
    sql!(
        tx,
        fetch_all as BlockRow,
        "SELECT first_hash, content FROM member_blocks
         WHERE generation = $1 AND first_hash >= COALESCE(
             (SELECT MAX(b.first_hash) FROM member_blocks b WHERE b.generation = $1 AND b.first_hash <= $2), $2)
         ORDER BY first_hash LIMIT $3",
        generation,
        from,
        limit
    )
}

/// The edits of a list from one hash to another, both included, in order, at most so many.
pub async fn edits_between(tx: &mut Tx, list_id: i64, from: i64, to: i64, limit: i64) -> Result<Vec<Edit>> {
    sql!(
        tx,
        fetch_all as Edit,
        "SELECT hash, member, present FROM member_edits
         WHERE list_id = $1 AND hash >= $2 AND hash <= $3 ORDER BY hash LIMIT $4",
        list_id,
        from,
        to,
        limit
    )
}

/// The edits of a list that came after a version.
pub async fn edits_after(tx: &mut Tx, list_id: i64, version: i64) -> Result<Vec<(i64, bool)>> {
    sql!(
        tx,
        fetch_all as (i64, bool),
        "SELECT hash, present FROM member_edits WHERE list_id = $1 AND version > $2 ORDER BY version",
        list_id,
        version
    )
}

/// How many edits of a list were made before a time.
pub async fn count_edits(tx: &mut Tx, list_id: i64, before: i64) -> Result<i64> {
    let (count,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM member_edits WHERE list_id = $1 AND at < $2",
        list_id,
        before
    )?;
    Ok(count)
}

/// The lists that have edits made before a time.
pub async fn edited_lists(tx: &mut Tx, before: i64) -> Result<Vec<i64>> {
    let rows: Vec<Id> = sql!(
        tx,
        fetch_all as Id,
        "SELECT l.id AS id FROM member_lists l
         WHERE EXISTS (SELECT 1 FROM member_edits e WHERE e.list_id = l.id AND e.at < $1) ORDER BY l.id",
        before
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Writes edits, each in the place of an earlier one of the same member.
pub async fn put_edits(tx: &mut Tx, list_id: i64, version: i64, at: i64, edits: &[Edit]) -> Result<u64> {
    let rows: Vec<(String, &str, bool)> = edits
        .iter()
        .map(|edit| (edit.hash.to_string(), edit.member.as_str(), edit.present))
        .collect();
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO member_edits (list_id, hash, member, present, version, at)
                 SELECT $1, CAST(e.value ->> 0 AS BIGINT), e.value ->> 1, e.value ->> 2, $2, $3
                 FROM json_each($4) e WHERE true
                 ON CONFLICT (list_id, hash) DO UPDATE SET member = excluded.member, present = excluded.present,
                                                           version = excluded.version, at = excluded.at",
        postgres: "INSERT INTO member_edits (list_id, hash, member, present, version, at)
                   SELECT $1, CAST(e.value ->> 0 AS BIGINT), e.value ->> 1, CAST(e.value ->> 2 AS BOOLEAN), $2, $3
                   FROM json_array_elements(CAST($4 AS JSON)) e
                   ON CONFLICT (list_id, hash) DO UPDATE SET member = excluded.member, present = excluded.present,
                                                             version = excluded.version, at = excluded.at",
        list_id,
        version,
        at,
        json!(rows).to_string()
    )
}

/// Deletes the edits of a list from one hash to another, both included, that were made before a time.
pub async fn delete_edits(tx: &mut Tx, list_id: i64, from: i64, to: i64, before: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM member_edits WHERE list_id = $1 AND hash >= $2 AND hash <= $3 AND at < $4",
        list_id,
        from,
        to,
        before
    )
}

/// The edits of a list in a range of hashes that were made before a time, in order, at most so many.
pub async fn settled_edits(
    tx: &mut Tx,
    list_id: i64,
    from: i64,
    to: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<Edit>> {
    sql!(
        tx,
        fetch_all as Edit,
        "SELECT hash, member, present FROM member_edits
         WHERE list_id = $1 AND hash >= $2 AND hash <= $3 AND at < $4 ORDER BY hash LIMIT $5",
        list_id,
        from,
        to,
        before,
        limit
    )
}

/// The newest version among the edits of a list that were made before a time.
pub async fn settled_version(tx: &mut Tx, list_id: i64, before: i64) -> Result<Option<i64>> {
    let (version,): (Option<i64>,) = sql!(
        tx,
        fetch_one as (Option<i64>,),
        "SELECT MAX(version) AS version FROM member_edits WHERE list_id = $1 AND at < $2",
        list_id,
        before
    )?;
    Ok(version)
}

/// Deletes the edits of a list that led up to a version.
pub async fn delete_edits_until(tx: &mut Tx, list_id: i64, version: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM member_edits WHERE list_id = $1 AND version <= $2",
        list_id,
        version
    )
}

/// The edit of one member, if there is one.
pub async fn edit_of(tx: &mut Tx, list_id: i64, hash: i64) -> Result<Option<Edit>> {
    sql!(
        tx,
        fetch_optional as Edit,
        "SELECT hash, member, present FROM member_edits WHERE list_id = $1 AND hash = $2",
        list_id,
        hash
    )
}
