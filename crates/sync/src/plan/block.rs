//! What a destination has acknowledged, as compact bytes.
//!
//! The state of a sync is cut into [`PARTS`] parts by the hash of the key; a block is one part: its keys in order, each
//! with the fingerprint of its values. Keys share their beginnings with their neighbours, so they are stored as what
//! differs, then compressed: about 18 bytes for a random UUID. Values are never stored.

use xxhash_rust::xxh3::xxh3_64;

use super::varint;

/// Into how many parts keys are cut.
pub const PARTS: usize = 256;

/// The format of a block, its first byte.
const VERSION: u8 = 1;

/// Fast, and within a few per cent of what slower levels reach on such short differences.
const LEVEL: i32 = 3;

/// The part a key belongs to.
pub fn part_of(key: &str) -> usize {
    (xxh3_64(key.as_bytes()) >> 56) as usize
}

/// A block that can't be read: damaged, or written by a newer version of the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a block of sync state can't be read: {0}")]
pub struct BadBlock(&'static str);

/// Writes a block. Keys must come in ascending order, each once.
#[derive(Debug, Default)]
pub struct BlockWriter {
    keys: Vec<u8>,
    prints: Vec<u8>,
    last: String,
    count: u64,
}

impl BlockWriter {
    /// Adds an entry.
    pub fn push(&mut self, key: &str, print: u64) {
        debug_assert!(self.count == 0 || self.last.as_str() < key, "keys in order");
        let shared = self
            .last
            .bytes()
            .zip(key.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        varint::write(&mut self.keys, shared as u64);
        varint::write(&mut self.keys, (key.len() - shared) as u64);
        self.keys.extend_from_slice(&key.as_bytes()[shared..]);
        self.prints.extend_from_slice(&print.to_le_bytes());
        key.clone_into(&mut self.last);
        self.count += 1;
    }

    /// How many entries it has.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes to store; none for a block without entries.
    pub fn finish(self) -> std::io::Result<Vec<u8>> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let mut raw = Vec::with_capacity(self.keys.len() + self.prints.len() + 20);
        varint::write(&mut raw, self.count);
        varint::write(&mut raw, self.keys.len() as u64);
        raw.extend_from_slice(&self.keys);
        raw.extend_from_slice(&self.prints);
        // All at once: an encoder that knows the size needs a tenth of the memory of one that does not.
        let packed = zstd::bulk::compress(&raw, LEVEL)?;
        let mut block = Vec::with_capacity(packed.len() + 1);
        block.push(VERSION);
        block.extend_from_slice(&packed);
        Ok(block)
    }
}

/// Reads a block, entry by entry.
#[derive(Debug)]
pub struct BlockReader {
    raw: Vec<u8>,
    /// Where the next key is.
    at: usize,
    /// Where the keys end and the fingerprints begin.
    prints: usize,
    key: Vec<u8>,
    next: u64,
    count: u64,
}

impl BlockReader {
    /// Opens a block; empty bytes are a block without entries.
    pub fn open(block: &[u8]) -> Result<Self, BadBlock> {
        let mut reader = Self {
            raw: Vec::new(),
            at: 0,
            prints: 0,
            key: Vec::new(),
            next: 0,
            count: 0,
        };
        let Some((&version, packed)) = block.split_first() else {
            return Ok(reader);
        };
        if version != VERSION {
            return Err(BadBlock("unknown version"));
        }
        reader.raw = zstd::stream::decode_all(packed).map_err(|_| BadBlock("damaged"))?;
        let cut = BadBlock("cut short");
        reader.count = varint::read(&reader.raw, &mut reader.at).ok_or(cut.clone())?;
        let keys = varint::read(&reader.raw, &mut reader.at).ok_or(cut.clone())? as usize;
        reader.prints = reader.at.checked_add(keys).ok_or(cut.clone())?;
        let end = (reader.count as usize)
            .checked_mul(8)
            .and_then(|n| n.checked_add(reader.prints));
        if end != Some(reader.raw.len()) {
            return Err(cut);
        }
        Ok(reader)
    }

    /// How many entries the block has.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The next entry: its key, which stays readable until the next call, and its fingerprint.
    pub fn next_entry(&mut self) -> Result<Option<(&str, u64)>, BadBlock> {
        if self.next == self.count {
            return Ok(None);
        }
        let cut = || BadBlock("cut short");
        let shared = varint::read(&self.raw, &mut self.at).ok_or_else(cut)? as usize;
        let length = varint::read(&self.raw, &mut self.at).ok_or_else(cut)? as usize;
        let end = self.at.checked_add(length).ok_or_else(cut)?;
        if shared > self.key.len() || end > self.prints {
            return Err(cut());
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(&self.raw[self.at..end]);
        self.at = end;
        let print = self.prints + self.next as usize * 8;
        let print = self.raw[print..print + 8].try_into().map_err(|_| cut())?;
        self.next += 1;
        let key = std::str::from_utf8(&self.key).map_err(|_| BadBlock("a key is no text"))?;
        Ok(Some((key, u64::from_le_bytes(print))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn written(entries: &BTreeMap<String, u64>) -> Vec<u8> {
        let mut writer = BlockWriter::default();
        for (key, print) in entries {
            writer.push(key, *print);
        }
        writer.finish().unwrap()
    }

    fn read(block: &[u8]) -> Result<BTreeMap<String, u64>, BadBlock> {
        let mut reader = BlockReader::open(block)?;
        let mut entries = BTreeMap::new();
        while let Some((key, print)) = reader.next_entry()? {
            entries.insert(key.to_owned(), print);
        }
        Ok(entries)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entries: BTreeMap<String, u64>) {
            prop_assert_eq!(read(&written(&entries)).unwrap(), entries);
        }

        #[test]
        fn damaged_bytes_are_an_error_and_never_a_panic(mut bytes: Vec<u8>, entries: BTreeMap<String, u64>, at: usize) {
            let _ = read(&bytes);
            bytes = written(&entries);
            if !bytes.is_empty() {
                let at = at % bytes.len();
                bytes[at] ^= 0x55;
                let _ = read(&bytes);
                bytes.truncate(at);
                let _ = read(&bytes);
            }
        }
    }

    #[test]
    fn a_million_uuids_take_about_twenty_bytes_each() {
        let mut keys: Vec<String> = (0..4_000_u64)
            .map(|n| {
                let bits =
                    u128::from(xxh3_64(&n.to_le_bytes())) << 64 | u128::from(xxh3_64(&(!n).to_le_bytes()));
                format!(
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    (bits >> 96) as u32,
                    (bits >> 80) as u16,
                    (bits >> 64) as u16,
                    (bits >> 48) as u16,
                    bits as u64 & 0xffff_ffff_ffff
                )
            })
            .collect();
        keys.sort();
        let block = written(&keys.into_iter().map(|key| (key, 0)).collect());
        assert!(block.len() < 4_000 * 21, "{} bytes", block.len());
    }
}
