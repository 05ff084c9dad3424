//! What a sync remembers between runs. The product keeps it in its own database; the engine only knows this face.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::plan::Counts;

/// A failure to remember or to recall.
#[derive(Debug, thiserror::Error)]
#[error("the state of the sync can't be read or written: {0}")]
pub struct LedgerError(pub String);

/// The outcome of reading or writing the ledger.
pub type LedgerResult<T> = Result<T, LedgerError>;

/// One part of the acknowledged state that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockUpdate {
    pub part: usize,
    /// As [`crate::plan::block::BlockWriter`] makes it; empty when nothing is left.
    pub bytes: Vec<u8>,
}

/// A batch that is about to be sent: written down first, so that after a crash it is known what may have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchNote {
    /// Counts from 0 within the run.
    pub number: u64,
    /// Its operations, as [`crate::plan::ops::pack`] writes them: keys and fingerprints, no values.
    pub ops: Vec<u8>,
}

/// What came of a batch that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAnswer {
    pub number: u64,
    pub outcome: BatchOutcome,
    /// The operations that were taken, where that is not all of them.
    pub taken: Option<Vec<u8>>,
}

/// What is known of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOutcome {
    /// Written down, not answered: it may or may not have arrived.
    Prepared,
    /// The destination has acknowledged all of it, or all that it did not refuse.
    Confirmed,
}

/// A batch of an earlier run that is not part of the state yet: that run died or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBatch {
    pub outcome: BatchOutcome,
    pub ops: Vec<u8>,
}

/// A row the destination refused, or that could not be sent at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    pub key: String,
    /// `add`, `update` or `remove`; `invalid` for a row that was never sent.
    pub op: String,
    /// Why, in the destination's words where it gave any.
    pub reason: String,
}

/// What is written at once: parts of the state whose operations are settled, and what became of batches and rows.
#[derive(Debug, Default)]
pub struct Checkpoint {
    pub blocks: Vec<BlockUpdate>,
    /// Batches that are sent only once this is written.
    pub prepared: Vec<BatchNote>,
    pub answered: Vec<BatchAnswer>,
    /// Numbers of batches that are in the state now, or were never sent: they are forgotten.
    pub settled: Vec<u64>,
    /// Whether the batches of earlier runs are in `blocks`, and forgotten with it.
    pub recovered: bool,
    pub errors: Vec<RowError>,
    /// How far the run is; `None` before it has begun to deliver.
    pub progress: Option<Progress>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Operations the destination has acknowledged.
    pub delivered: u64,
    /// Operations it refused.
    pub rejected: u64,
    pub requests: u64,
    /// Requests that were answered with "too many".
    pub throttled: u64,
}

/// A summary of what a run plans, for history and approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanNote {
    pub counts: Counts,
    pub seal: String,
}

/// The memory of one run of one sync. Every method is one transaction.
pub trait Ledger: Send + Sync {
    /// The acknowledged state of a part; empty bytes when there is none.
    fn block(&self, part: usize) -> BoxFuture<'_, LedgerResult<Vec<u8>>>;

    /// The batches that earlier runs left open, in the order they were written down.
    fn open_batches(&self) -> BoxFuture<'_, LedgerResult<Vec<OpenBatch>>>;

    /// Writes down what is settled. Called before batches are sent and after they are answered.
    fn checkpoint(&self, checkpoint: Checkpoint) -> BoxFuture<'_, LedgerResult<()>>;
}
