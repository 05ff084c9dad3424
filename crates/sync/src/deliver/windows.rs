//! A plan that stays in its warehouse on its way: window by window, each confirmed there before the next is read.

use std::collections::HashSet;

use futures_util::stream::{self, StreamExt as _};

use super::delivery::{MOST_ERRORS, Sent, check_effect, nothing_taken, row_error, send_ops};
use crate::destination::{Destination, Shape};
use crate::error::Result;
use crate::ledger::{Checkpoint, Ledger, Progress, RowError};
use crate::plan::Op;
use crate::warehouse::WarehousePlan;

/// Delivers a plan.
pub struct Windows<'a> {
    plan: &'a mut WarehousePlan,
    destination: &'a dyn Destination,
    ledger: &'a dyn Ledger,
    shape: Shape,
    /// For logs at the other side.
    name: &'a str,
    progress: Progress,
    errors: Vec<RowError>,
    kept_errors: u64,
    next_batch: u64,
    checked: bool,
}

impl<'a> Windows<'a> {
    /// A delivery that has not begun.
    pub fn new(
        plan: &'a mut WarehousePlan,
        destination: &'a dyn Destination,
        ledger: &'a dyn Ledger,
        shape: Shape,
        name: &'a str,
    ) -> Self {
        Self {
            plan,
            destination,
            ledger,
            shape,
            name,
            progress: Progress::default(),
            errors: Vec::new(),
            kept_errors: 0,
            next_batch: 0,
            checked: false,
        }
    }

    /// Sends everything. `report` is told how far it is; `requests` tells what was sent.
    pub async fn run(
        mut self,
        requests: impl Fn() -> (u64, u64),
        report: impl Fn(Progress),
    ) -> (Progress, Result<()>) {
        let outcome = self.all(&requests, &report).await;
        (self.progress.requests, self.progress.throttled) = requests();
        let written = self.checkpoint().await;
        (self.progress, outcome.and(written))
    }

    async fn all(&mut self, requests: &impl Fn() -> (u64, u64), report: &impl Fn(Progress)) -> Result<()> {
        loop {
            let mut unsendable = Vec::new();
            let window = self.plan.next_window(self.destination, &mut unsendable).await;
            for error in unsendable {
                self.progress.rejected += 1;
                self.keep(error);
            }
            let window = window?;
            if window.is_empty() {
                return Ok(());
            }
            let refused = self.send(&window).await?;
            self.plan.confirm(&refused).await?;
            (self.progress.requests, self.progress.throttled) = requests();
            self.checkpoint().await?;
            report(self.progress);
        }
    }

    /// Sends a window; the places in it that were refused. After a failure the window stays marked as being sent.
    async fn send(&mut self, window: &[Op]) -> Result<Vec<usize>> {
        let mut refused = Vec::new();
        let mut start = 0;
        if !self.checked {
            // One batch alone first: its effect is looked at before the rest follows.
            let first = &window[..window.len().min(self.shape.batch)];
            let sent = send_ops(self.destination, first, &self.note()).await;
            let places: HashSet<usize> = sent.refused.iter().map(|(place, _)| *place).collect();
            self.settle(first, 0, sent, &mut refused)?;
            self.checked = check_effect(self.destination, first, &places).await?;
            start = first.len();
        }
        let mut batches = Vec::new();
        while start < window.len() {
            let end = (start + self.shape.batch).min(window.len());
            batches.push((start, &window[start..end], self.note()));
            start = end;
        }
        let destination = self.destination;
        let sends = batches
            .iter()
            .map(|(start, ops, note)| async move { (*start, *ops, send_ops(destination, ops, note).await) });
        let sends: Vec<_> = sends.collect();
        let mut sent = stream::iter(sends).buffer_unordered(self.shape.lanes);
        let mut failure = None;
        while let Some((start, ops, sent)) = sent.next().await {
            if let Err(error) = self.settle(ops, start, sent, &mut refused) {
                failure = Some(error);
                break;
            }
        }
        failure.map_or(Ok(refused), Err)
    }

    fn note(&mut self) -> String {
        self.next_batch += 1;
        format!("{} batch {}", self.name, self.next_batch)
    }

    fn settle(&mut self, ops: &[Op], start: usize, sent: Sent, refused: &mut Vec<usize>) -> Result<()> {
        if let Some(failure) = sent.failure {
            return Err(failure);
        }
        self.progress.delivered += (ops.len() - sent.refused.len()) as u64;
        self.progress.rejected += sent.refused.len() as u64;
        for (place, reason) in &sent.refused {
            refused.push(start + place);
            self.keep(row_error(&ops[*place], reason));
        }
        let reason = sent.refused.first().map(|(_, reason)| reason.as_str());
        nothing_taken(self.progress, reason.unwrap_or_default())
    }

    fn keep(&mut self, error: RowError) {
        self.kept_errors += 1;
        if self.kept_errors <= MOST_ERRORS {
            self.errors.push(error);
        }
    }

    async fn checkpoint(&mut self) -> Result<()> {
        let checkpoint = Checkpoint {
            errors: std::mem::take(&mut self.errors),
            progress: Some(self.progress),
            ..Checkpoint::default()
        };
        Ok(self.ledger.checkpoint(checkpoint).await?)
    }
}
