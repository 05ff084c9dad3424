//! What a sync remembers, in the product's own database.

use burgee_store::audience_syncs::{self, RefusedRow};
use burgee_store::{Db, DbError};
use burgee_sync::ledger::{BatchOutcome, Checkpoint, Ledger, LedgerError, LedgerResult};
use futures_util::future::BoxFuture;

use super::runner::lease_end;

/// The memory of one run.
#[derive(Debug, Clone)]
pub struct DbLedger {
    pub db: Db,
    /// The name of the sync.
    pub sync: String,
    /// The run, and who has taken the sync for it; `None` for a plan that is only looked at: nothing is written then.
    pub run: Option<(i64, String)>,
}

fn told(error: &DbError) -> LedgerError {
    LedgerError(error.to_string())
}

impl DbLedger {
    async fn write(&self, run: i64, holder: &str, checkpoint: Checkpoint) -> Result<bool, DbError> {
        let mut tx = self.db.begin().await?;
        // A process that slept longer than its lease must not write over what another one has done since.
        if !audience_syncs::keep(&mut tx, &self.sync, holder, lease_end()).await? {
            return Ok(false);
        }
        for block in &checkpoint.blocks {
            audience_syncs::set_block(&mut tx, &self.sync, block.part as i64, &block.bytes).await?;
        }
        for batch in &checkpoint.batches {
            let outcome = match batch.outcome {
                BatchOutcome::Prepared => "prepared",
                BatchOutcome::Confirmed => "confirmed",
                BatchOutcome::Unknown => "unknown",
            };
            let (number, adds, removes) = (batch.number as i64, batch.adds as i64, batch.removes as i64);
            audience_syncs::set_batch(&mut tx, run, number, adds, removes, outcome).await?;
        }
        for error in checkpoint.errors {
            let row = RefusedRow {
                key: error.key.replace('\0', "\u{fffd}"),
                op: error.op,
                reason: error.reason.replace('\0', "\u{fffd}"),
            };
            audience_syncs::insert_error(&mut tx, run, &row).await?;
        }
        let progress = serde_json::to_string(&checkpoint.progress).unwrap_or_default();
        audience_syncs::set_progress(&mut tx, run, &progress).await?;
        tx.commit().await?;
        Ok(true)
    }
}

impl Ledger for DbLedger {
    fn block(&self, part: usize) -> BoxFuture<'_, LedgerResult<Vec<u8>>> {
        Box::pin(async move {
            let mut tx = self.db.read().await.map_err(|error| told(&error))?;
            audience_syncs::block(&mut tx, &self.sync, part as i64)
                .await
                .map_err(|error| told(&error))
        })
    }

    fn checkpoint(&self, checkpoint: Checkpoint) -> BoxFuture<'_, LedgerResult<()>> {
        Box::pin(async move {
            let Some((run, holder)) = &self.run else {
                return Ok(());
            };
            let kept = self.write(*run, holder, checkpoint).await;
            if kept.map_err(|error| told(&error))? {
                Ok(())
            } else {
                Err(LedgerError("another process has taken the sync over".to_owned()))
            }
        })
    }
}
