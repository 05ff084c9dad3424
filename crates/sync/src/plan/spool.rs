//! The rows of a model, sorted into parts as they come, in bounded memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

use super::block::{PARTS, part_of};
use super::varint;

/// How many bytes of rows are kept in memory before they go to scratch files. Small models never touch the disk.
const IN_MEMORY: usize = 4 << 20;

/// Rows on their way to the plan: 256 parts, each a list of (key, fingerprint, payload).
#[derive(Debug)]
pub struct Spool {
    parts: Vec<Part>,
    buffered: usize,
    limit: usize,
}

#[derive(Debug, Default)]
struct Part {
    buffer: Vec<u8>,
    /// Unnamed: it is gone with the process, however that ends.
    file: Option<File>,
}

/// One row of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpooledRow<'a> {
    pub key: &'a str,
    pub print: u64,
    /// Whether it can be sent. One that can't still says that its key is there.
    pub valid: bool,
    pub payload: &'a [u8],
}

impl Default for Spool {
    fn default() -> Self {
        Self::with_limit(IN_MEMORY)
    }
}

impl Spool {
    /// A spool that keeps at most about `limit` bytes in memory.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            parts: (0..PARTS).map(|_| Part::default()).collect(),
            buffered: 0,
            limit,
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: SpooledRow<'_>) -> io::Result<()> {
        let buffer = &mut self.parts[part_of(row.key)].buffer;
        if buffer.capacity() == 0 {
            // Parts fill evenly: with a little more than its share a buffer is never made larger, which would double it.
            buffer.reserve((self.limit / PARTS).saturating_mul(5) / 4);
        }
        let before = buffer.len();
        varint::write(buffer, row.key.len() as u64);
        buffer.extend_from_slice(row.key.as_bytes());
        buffer.extend_from_slice(&row.print.to_le_bytes());
        buffer.push(u8::from(row.valid));
        varint::write(buffer, row.payload.len() as u64);
        buffer.extend_from_slice(row.payload);
        self.buffered += buffer.len() - before;
        if self.buffered > self.limit {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        for part in &mut self.parts {
            if part.buffer.is_empty() {
                continue;
            }
            if part.file.is_none() {
                part.file = Some(tempfile::tempfile()?);
            }
            if let Some(file) = &mut part.file {
                file.write_all(&part.buffer)?;
            }
            // Its capacity is kept: the next round fills it again.
            part.buffer.clear();
        }
        self.buffered = 0;
        Ok(())
    }

    /// Takes one part out, its rows in the order of their keys; rows of one key stay in the order they came in.
    pub fn take(&mut self, part: usize) -> io::Result<SortedRows> {
        let part = std::mem::take(&mut self.parts[part]);
        self.buffered = self.buffered.saturating_sub(part.buffer.len());
        let mut bytes = Vec::new();
        if let Some(mut file) = part.file {
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut bytes)?;
            bytes.extend_from_slice(&part.buffer);
        } else {
            bytes = part.buffer;
        }
        SortedRows::parse(bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a scratch file is damaged"))
    }
}

/// The rows of one part, sorted.
#[derive(Debug)]
pub struct SortedRows {
    bytes: Vec<u8>,
    rows: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    key: Range<usize>,
    print: u64,
    valid: bool,
    payload: Range<usize>,
}

impl SortedRows {
    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut rows = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let key = take(&bytes, &mut at)?;
            let print = at..at.checked_add(8)?;
            let print = u64::from_le_bytes(bytes.get(print.clone())?.try_into().ok()?);
            at += 8;
            let valid = *bytes.get(at)? != 0;
            at += 1;
            let payload = take(&bytes, &mut at)?;
            std::str::from_utf8(bytes.get(key.clone())?).ok()?;
            rows.push(Place {
                key,
                print,
                valid,
                payload,
            });
        }
        rows.sort_by(|a, b| bytes[a.key.clone()].cmp(&bytes[b.key.clone()]));
        Some(Self { bytes, rows })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row by its place.
    pub fn get(&self, index: usize) -> Option<SpooledRow<'_>> {
        let place = self.rows.get(index)?;
        Some(SpooledRow {
            // Checked when the rows were read.
            key: std::str::from_utf8(&self.bytes[place.key.clone()]).unwrap_or_default(),
            print: place.print,
            valid: place.valid,
            payload: &self.bytes[place.payload.clone()],
        })
    }
}

/// The range of a text that begins with its length.
fn take(bytes: &[u8], at: &mut usize) -> Option<Range<usize>> {
    let length = usize::try_from(varint::read(bytes, at)?).ok()?;
    let range = *at..at.checked_add(length)?;
    if range.end > bytes.len() {
        return None;
    }
    *at = range.end;
    Some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut spool: Spool) -> Vec<(String, u64, Vec<u8>)> {
        let mut found = Vec::new();
        for part in 0..PARTS {
            let rows = spool.take(part).unwrap();
            for index in 0..rows.len() {
                let row = rows.get(index).unwrap();
                assert_eq!(part_of(row.key), part);
                found.push((row.key.to_owned(), row.print, row.payload.to_vec()));
            }
        }
        found
    }

    #[test]
    fn rows_come_out_sorted_by_part_and_key_whether_or_not_they_went_to_disk() {
        let fill = |limit| {
            let mut spool = Spool::with_limit(limit);
            for n in 0..5_000_u64 {
                let (key, payload) = (format!("user-{}", n % 2_500), n.to_le_bytes());
                spool
                    .push(SpooledRow {
                        key: &key,
                        print: n,
                        valid: true,
                        payload: &payload,
                    })
                    .unwrap();
            }
            all(spool)
        };
        let in_memory = fill(64 << 20);
        assert_eq!(in_memory.len(), 5_000);
        assert_eq!(in_memory, fill(1_000));
        let twice: Vec<u64> = in_memory
            .iter()
            .filter(|row| row.0 == "user-7")
            .map(|row| row.1)
            .collect();
        assert_eq!(twice, [7, 2_507], "in the order they came in");
    }
}
