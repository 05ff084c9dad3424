//! What a sync remembers, in the product's own database.

use burgee_store::audience_syncs::{self, RefusedRow};
use burgee_store::{Db, DbError};
use burgee_sync::ledger::{BatchOutcome, Checkpoint, Ledger, LedgerError, LedgerResult, OpenBatch, RowError};
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
        if checkpoint.recovered {
            audience_syncs::forget_open_batches(&mut tx, &self.sync, run).await?;
        }
        for batch in &checkpoint.prepared {
            audience_syncs::insert_batch(&mut tx, run, batch.number as i64, &batch.ops).await?;
        }
        for answer in &checkpoint.answered {
            if !checkpoint.settled.contains(&answer.number) {
                let taken = answer.taken.as_deref();
                audience_syncs::confirm_batch(&mut tx, run, answer.number as i64, taken).await?;
            }
        }
        if !checkpoint.settled.is_empty() {
            let settled: Vec<i64> = checkpoint.settled.iter().map(|number| *number as i64).collect();
            audience_syncs::forget_batches(&mut tx, run, &settled).await?;
        }
        let errors: Vec<RefusedRow> = checkpoint.errors.into_iter().map(refused).collect();
        audience_syncs::insert_errors(&mut tx, run, &errors).await?;
        if let Some(progress) = checkpoint.progress {
            let progress = serde_json::to_string(&progress).unwrap_or_default();
            audience_syncs::set_progress(&mut tx, run, &progress).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn read_open_batches(&self) -> Result<Vec<OpenBatch>, DbError> {
        let mut tx = self.db.read().await?;
        let before = self.run.as_ref().map_or(i64::MAX, |(run, _)| *run);
        let rows = audience_syncs::open_batches(&mut tx, &self.sync, before).await?;
        let rows = rows.into_iter().map(|row| OpenBatch {
            outcome: if row.outcome == "confirmed" {
                BatchOutcome::Confirmed
            } else {
                BatchOutcome::Prepared
            },
            ops: row.content,
        });
        Ok(rows.collect())
    }
}

/// No text of Postgres holds a NUL.
fn refused(error: RowError) -> RefusedRow {
    RefusedRow {
        key: error.key.replace('\0', "\u{fffd}"),
        op: error.op,
        reason: error.reason.replace('\0', "\u{fffd}"),
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

    fn open_batches(&self) -> BoxFuture<'_, LedgerResult<Vec<OpenBatch>>> {
        Box::pin(async move { self.read_open_batches().await.map_err(|error| told(&error)) })
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
