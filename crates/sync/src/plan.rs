//! From rows to a sealed plan: what a run is going to send, known and countable before anything is sent.
//!
//! The rows of the model go through [`spool::Spool`] into 256 parts; each part is compared with the state the destination
//! has acknowledged ([`diff`]); what is to be done is written, compressed, to one scratch file, the [`Plan`]. Memory stays
//! flat whatever the size of the audience.

pub mod block;
pub mod diff;
pub mod ops;
pub mod recovery;
pub mod spool;
mod varint;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use sha2::{Digest as _, Sha256};

pub use diff::{Basis, Counts, Mode};
pub use ops::{Op, OpKind};

use crate::cell::shown;
use block::PARTS;
use diff::PartPlan;

/// How many keys of each kind a plan shows.
const SAMPLES: usize = 20;

/// How many conflicting keys a plan lists.
const LISTED_CONFLICTS: usize = 1_000;

const LEVEL: i32 = 1;

/// A plan that is complete: nothing is added to it any more.
#[derive(Debug)]
pub struct Plan {
    file: File,
    parts: Vec<Extent>,
    pub mode: Mode,
    pub counts: Counts,
    /// Removals of members this sync did not add.
    pub foreign: u64,
    pub samples: Samples,
    /// Keys that came with different values, up to a thousand.
    pub conflicts: Vec<String>,
    /// SHA-256 of everything in it: what an approval is bound to.
    pub seal: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    offset: u64,
    length: u64,
    /// How many operations the part has, forgotten keys included.
    ops: u64,
}

/// Some keys of each kind, to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Samples {
    pub adds: Vec<String>,
    pub updates: Vec<String>,
    pub removes: Vec<String>,
}

/// Writes a plan, part by part.
#[derive(Debug)]
pub struct PlanWriter {
    file: File,
    parts: Vec<Extent>,
    counts: Counts,
    foreign: u64,
    samples: Samples,
    conflicts: Vec<String>,
    seal: Sha256,
    mode: Mode,
}

impl PlanWriter {
    /// A plan in an unnamed scratch file.
    pub fn new(mode: Mode) -> io::Result<Self> {
        let mut seal = Sha256::new();
        seal.update(format!("{mode:?}\n"));
        Ok(Self {
            file: tempfile::tempfile()?,
            parts: Vec::with_capacity(PARTS),
            counts: Counts::default(),
            foreign: 0,
            samples: Samples::default(),
            conflicts: Vec::new(),
            seal,
            mode,
        })
    }

    /// Adds the next part. Parts come in their order, all of them.
    pub fn push(&mut self, part: PartPlan) -> io::Result<()> {
        self.counts.add(&part.counts);
        self.foreign += part.foreign;
        self.seal.update((part.bytes.len() as u64).to_le_bytes());
        self.seal.update(&part.bytes);
        self.sample(&part.bytes)?;
        let room = LISTED_CONFLICTS.saturating_sub(self.conflicts.len());
        let conflicts = part.conflicts.into_iter().take(room);
        self.conflicts.extend(conflicts.map(|key| shown(&key)));
        let packed = zstd::bulk::compress(&part.bytes, LEVEL)?;
        let offset = self.parts.last().map_or(0, |last| last.offset + last.length);
        self.file.write_all(&packed)?;
        let c = part.counts;
        self.parts.push(Extent {
            offset,
            length: packed.len() as u64,
            ops: c.to_send() + c.forgotten,
        });
        Ok(())
    }

    fn sample(&mut self, bytes: &[u8]) -> io::Result<()> {
        let samples = &mut self.samples;
        let full = |keys: &Vec<String>| keys.len() >= SAMPLES;
        if full(&samples.adds) && full(&samples.updates) && full(&samples.removes) {
            return Ok(());
        }
        for op in ops::read_all(bytes).ok_or_else(damaged)? {
            let keys = match op.kind {
                OpKind::Add => &mut samples.adds,
                OpKind::Update => &mut samples.updates,
                OpKind::Remove => &mut samples.removes,
                OpKind::Forget => continue,
            };
            if keys.len() < SAMPLES {
                keys.push(shown(&op.key));
            }
        }
        Ok(())
    }

    /// Closes the plan. `rows` and `invalid` are what the source gave before rows were sorted into parts.
    pub fn seal(mut self, rows: u64, invalid: u64) -> Plan {
        self.counts.rows = rows;
        self.counts.invalid = invalid;
        let mut seal = String::with_capacity(64);
        for byte in self.seal.finalize() {
            // Writing to a text can't fail.
            _ = write!(seal, "{byte:02x}");
        }
        Plan {
            file: self.file,
            parts: self.parts,
            mode: self.mode,
            counts: self.counts,
            foreign: self.foreign,
            samples: self.samples,
            conflicts: self.conflicts,
            seal,
        }
    }
}

impl Plan {
    /// One part as it is kept: compressed, and not readable without the rest of the program.
    pub fn packed(&mut self, part: usize) -> io::Result<(u64, Vec<u8>)> {
        let extent = self.parts.get(part).copied().unwrap_or_default();
        self.file.seek(SeekFrom::Start(extent.offset))?;
        let mut packed = vec![0; usize::try_from(extent.length).map_err(|_| damaged())?];
        self.file.read_exact(&mut packed)?;
        Ok((extent.ops, packed))
    }

    /// The operations of one part, in the order of their keys.
    pub fn part(&mut self, part: usize) -> io::Result<Vec<Op>> {
        let (ops, packed) = self.packed(part)?;
        if ops == 0 {
            return Ok(Vec::new());
        }
        ops::read_all(&zstd::decode_all(packed.as_slice())?).ok_or_else(damaged)
    }
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the scratch file of the plan is damaged",
    )
}
