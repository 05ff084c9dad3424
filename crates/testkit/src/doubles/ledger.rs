//! A ledger in memory, and one that dies at a chosen moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burgee_sync::ledger::{BatchNote, Checkpoint, Ledger, LedgerError, LedgerResult, Progress, RowError};
use futures_util::future::BoxFuture;

#[derive(Debug, Default)]
struct Memory {
    blocks: BTreeMap<usize, Vec<u8>>,
    batches: BTreeMap<u64, BatchNote>,
    errors: Vec<RowError>,
    progress: Progress,
    checkpoints: usize,
    dies_at: Option<usize>,
}

/// What a sync remembers, in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger(Arc<Mutex<Memory>>);

impl MemoryLedger {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows that were refused or could not be sent.
    pub fn errors(&self) -> Vec<RowError> {
        self.memory().errors.clone()
    }

    /// The batches of the runs so far, the last outcome of each.
    pub fn batches(&self) -> Vec<BatchNote> {
        self.memory().batches.values().cloned().collect()
    }

    /// How many times something was written.
    pub fn checkpoints(&self) -> usize {
        self.memory().checkpoints
    }

    /// The write of this number fails, and all after it, as if the process had been killed there.
    pub fn die_at(&self, checkpoint: Option<usize>) {
        let mut memory = self.memory();
        memory.checkpoints = 0;
        memory.dies_at = checkpoint;
    }
}

impl Ledger for MemoryLedger {
    fn block(&self, part: usize) -> BoxFuture<'_, LedgerResult<Vec<u8>>> {
        let block = self.memory().blocks.get(&part).cloned().unwrap_or_default();
        Box::pin(async move { Ok(block) })
    }

    fn checkpoint(&self, checkpoint: Checkpoint) -> BoxFuture<'_, LedgerResult<()>> {
        let mut memory = self.memory();
        memory.checkpoints += 1;
        if memory.dies_at.is_some_and(|at| memory.checkpoints >= at) {
            return Box::pin(async { Err(LedgerError("killed".to_owned())) });
        }
        for update in checkpoint.blocks {
            memory.blocks.insert(update.part, update.bytes);
        }
        for note in checkpoint.batches {
            memory.batches.insert(note.number, note);
        }
        memory.errors.extend(checkpoint.errors);
        memory.progress = checkpoint.progress;
        Box::pin(async { Ok(()) })
    }
}
