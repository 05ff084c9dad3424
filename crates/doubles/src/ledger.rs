//! A ledger in memory, and one that dies at a chosen moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burgee_sync::ledger::{
    BatchOutcome, Checkpoint, Ledger, LedgerError, LedgerResult, OpenBatch, Progress, RowError,
};
use futures_util::future::BoxFuture;

#[derive(Debug, Default)]
struct Memory {
    blocks: BTreeMap<usize, Vec<u8>>,
    batches: BTreeMap<u64, OpenBatch>,
    left_open: Vec<OpenBatch>,
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

    /// A new run begins: what the last one left open is an earlier run's now.
    pub fn begin(&self) {
        let mut memory = self.memory();
        let open: Vec<OpenBatch> = std::mem::take(&mut memory.batches).into_values().collect();
        memory.left_open.extend(open);
    }

    /// How many batches are written down and not in the state.
    pub fn open(&self) -> usize {
        let memory = self.memory();
        memory.batches.len() + memory.left_open.len()
    }

    /// How far the last run came.
    pub fn progress(&self) -> Progress {
        self.memory().progress
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

    fn open_batches(&self) -> BoxFuture<'_, LedgerResult<Vec<OpenBatch>>> {
        let open = self.memory().left_open.clone();
        Box::pin(async move { Ok(open) })
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
        for note in checkpoint.prepared {
            let batch = OpenBatch {
                outcome: BatchOutcome::Prepared,
                ops: note.ops,
            };
            memory.batches.insert(note.number, batch);
        }
        for answer in checkpoint.answered {
            if let Some(batch) = memory.batches.get_mut(&answer.number) {
                batch.outcome = answer.outcome;
                if let Some(taken) = answer.taken {
                    batch.ops = taken;
                }
            }
        }
        for number in checkpoint.settled {
            memory.batches.remove(&number);
        }
        if checkpoint.recovered {
            memory.left_open.clear();
        }
        memory.errors.extend(checkpoint.errors);
        memory.progress = checkpoint.progress.unwrap_or(memory.progress);
        Box::pin(async { Ok(()) })
    }
}
