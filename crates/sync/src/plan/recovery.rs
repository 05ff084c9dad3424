//! What a run that died may have sent, taken into the state before the next one plans.
//!
//! A batch is written down before it is sent. What of it is not in the state when the run ends was either acknowledged, or
//! nobody knows. What was acknowledged is taken over as it is. What nobody knows of becomes a member with an unknown
//! fingerprint: still in the model, it is sent again; gone from it, a mirror takes it back. Without this, a key that was
//! added just before a crash and left the model before the next run would stay a member for ever.

use std::collections::BTreeMap;

use super::block::{BadBlock, PARTS, part_of};
use super::diff::{self, Mode};
use super::ops::{self, Op, OpKind};
use crate::cell::UNKNOWN;
use crate::error::{Result, SyncError};
use crate::ledger::{BatchOutcome, BlockUpdate, Checkpoint, Ledger, LedgerError};

/// Operations of earlier runs that the state does not hold yet, by part and key.
#[derive(Debug)]
pub struct Recovery {
    mode: Mode,
    parts: Vec<BTreeMap<String, Op>>,
}

impl Recovery {
    /// Reads what earlier runs left open and, where the ledger may be written, takes it into the state.
    pub async fn run(ledger: &dyn Ledger, mode: Mode) -> Result<Self> {
        let mut recovery = Self {
            mode,
            parts: vec![BTreeMap::new(); PARTS],
        };
        let open = ledger.open_batches().await?;
        if open.is_empty() {
            return Ok(recovery);
        }
        for batch in open {
            let ops = ops::unpack(&batch.ops).ok_or_else(|| LedgerError("a batch is damaged".to_owned()))?;
            for op in ops {
                recovery.take(op, batch.outcome);
            }
        }
        let mut checkpoint = Checkpoint {
            recovered: true,
            ..Checkpoint::default()
        };
        for part in 0..PARTS {
            if !recovery.parts[part].is_empty() {
                let bytes = recovery.folded(part, &ledger.block(part).await?)?;
                checkpoint.blocks.push(BlockUpdate { part, bytes });
            }
        }
        ledger.checkpoint(checkpoint).await?;
        Ok(recovery)
    }

    fn take(&mut self, mut op: Op, outcome: BatchOutcome) {
        if outcome == BatchOutcome::Prepared {
            if self.mode == Mode::Remove {
                // The state is what was surely removed: what is not in it is simply removed again.
                return;
            }
            op.kind = OpKind::Update;
            op.print = UNKNOWN;
        }
        self.parts[part_of(&op.key)].insert(op.key.clone(), op);
    }

    /// A part of the state with what was left open in it. Doing so twice changes nothing more.
    pub fn folded(&self, part: usize, block: &[u8]) -> Result<Vec<u8>> {
        let ops: Vec<Op> = self.parts[part].values().cloned().collect();
        if ops.is_empty() {
            return Ok(block.to_vec());
        }
        let state = diff::apply(self.mode, block, &ops, |_| true)
            .map_err(|error: BadBlock| SyncError::from(error))?;
        Ok(state.finish()?)
    }
}
