//! One plan on its way: batches in lanes, halves for what is refused, parts of the state as they are settled.
//!
//! A batch is written down before it is sent, several at a time. A part of the acknowledged state is written when every
//! operation of the part is settled; a batch is forgotten, in the same transaction, when all its parts are written. What a
//! run that dies leaves is what the next one begins with: see [`crate::plan::recovery`].

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::cell::shown;
use crate::destination::{Destination, Refusal, Shape};
use crate::error::{Result, SyncError};
use crate::ledger::{
    BatchAnswer, BatchNote, BatchOutcome, BlockUpdate, Checkpoint, Ledger, Progress, RowError,
};
use crate::plan::block::PARTS;
use crate::plan::{Op, OpKind, Plan, diff, ops};

/// What is settled is written down at least this often.
const BETWEEN_CHECKPOINTS: Duration = Duration::from_secs(1);

/// Parts of the state of this size are not kept in memory for longer.
const MOST_PENDING: usize = 1 << 20;

/// How many batches for each lane are written down together before the first of them is sent.
const AHEAD: usize = 4;

/// When this many rows were refused and none was taken, the fault is not in the rows.
const REFUSED_BEFORE_GIVING_UP: u64 = 16;

/// Refusals of rows that are kept with their reasons; beyond that they are only counted.
pub(super) const MOST_ERRORS: u64 = 100_000;

/// An operation and where it stands in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    part: usize,
    index: usize,
}

#[derive(Debug)]
struct Batch {
    number: u64,
    ops: Vec<Op>,
    places: Vec<Place>,
}

impl Batch {
    fn note(&self) -> std::io::Result<BatchNote> {
        Ok(BatchNote {
            number: self.number,
            ops: ops::pack(self.ops.iter())?,
        })
    }

    /// What is written down of its answer.
    fn answer(&self, refused: &HashSet<usize>) -> std::io::Result<BatchAnswer> {
        let taken = self.ops.iter().enumerate();
        let taken = taken
            .filter(|(index, _)| !refused.contains(index))
            .map(|(_, op)| op);
        Ok(BatchAnswer {
            number: self.number,
            outcome: BatchOutcome::Confirmed,
            taken: if refused.is_empty() {
                None
            } else {
                Some(ops::pack(taken)?)
            },
        })
    }
}

/// What came of a batch: the rows in it that were refused, with the reason; or the failure that ends the run.
struct Answer {
    batch: Batch,
    refused: Vec<(usize, String)>,
    failure: Option<SyncError>,
}

/// Delivers a plan.
pub struct Delivery<'a> {
    plan: &'a mut Plan,
    destination: &'a dyn Destination,
    ledger: &'a dyn Ledger,
    shape: Shape,
    /// For logs at the other side.
    name: &'a str,
    feed: Feed,
    /// Written down and not sent yet.
    ahead: VecDeque<Batch>,
    /// Operations of a part that are not settled yet.
    open: HashMap<usize, usize>,
    /// The batches with operations of a part that is not written yet.
    batches_of: HashMap<usize, Vec<u64>>,
    /// How many such parts a batch has.
    parts_of: HashMap<u64, usize>,
    refused: HashSet<Place>,
    pending: Checkpoint,
    /// The size of the blocks in it.
    pending_bytes: usize,
    progress: Progress,
    kept_errors: u64,
    next_number: u64,
    checked: bool,
}

/// Which operations come next: in one pass, or removals in a first one.
struct Feed {
    passes: VecDeque<Pass>,
    part: usize,
    loaded: VecDeque<(Place, Op)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Removes,
    Others,
    All,
}

impl Feed {
    fn new(shape: Shape) -> Self {
        Self {
            passes: if shape.removes_first {
                VecDeque::from([Pass::Removes, Pass::Others])
            } else {
                VecDeque::from([Pass::All])
            },
            part: 0,
            loaded: VecDeque::new(),
        }
    }

    fn next(&mut self, plan: &mut Plan) -> Result<Option<(Place, Op)>> {
        loop {
            if let Some(next) = self.loaded.pop_front() {
                return Ok(Some(next));
            }
            let Some(&pass) = self.passes.front() else {
                return Ok(None);
            };
            if self.part == PARTS {
                self.passes.pop_front();
                self.part = 0;
                continue;
            }
            let part = self.part;
            let ops = plan.part(part)?.into_iter().enumerate();
            let ops = ops.filter(|(_, op)| match pass {
                Pass::Removes => op.kind == OpKind::Remove,
                Pass::Others => !matches!(op.kind, OpKind::Remove | OpKind::Forget),
                Pass::All => op.kind != OpKind::Forget,
            });
            self.loaded
                .extend(ops.map(|(index, op)| (Place { part, index }, op)));
            self.part += 1;
        }
    }
}

impl<'a> Delivery<'a> {
    /// A delivery that has not begun.
    pub fn new(
        plan: &'a mut Plan,
        destination: &'a dyn Destination,
        ledger: &'a dyn Ledger,
        shape: Shape,
        name: &'a str,
    ) -> Self {
        Self {
            feed: Feed::new(shape),
            plan,
            destination,
            ledger,
            shape,
            name,
            ahead: VecDeque::new(),
            open: HashMap::new(),
            batches_of: HashMap::new(),
            parts_of: HashMap::new(),
            refused: HashSet::new(),
            pending: Checkpoint::default(),
            pending_bytes: 0,
            progress: Progress::default(),
            kept_errors: 0,
            next_number: 0,
            checked: false,
        }
    }

    /// Sends everything. `report` is told how far it is, about once a second; `requests` tells what was sent.
    ///
    /// Whatever ends the run, what was acknowledged until then is written down.
    pub async fn run(
        mut self,
        requests: impl Fn() -> (u64, u64),
        report: impl Fn(Progress),
    ) -> (Progress, Result<()>) {
        let outcome = self.all(&requests, &report).await;
        // These are known not to have been sent.
        let unsent = self.ahead.drain(..).map(|batch| batch.number);
        self.pending.settled.extend(unsent);
        self.count(&requests);
        let written = self.checkpoint().await;
        (self.progress, outcome.and(written))
    }

    async fn all(&mut self, requests: &impl Fn() -> (u64, u64), report: &impl Fn(Progress)) -> Result<()> {
        self.settle_forgotten().await?;
        let destination = self.destination;
        let mut lanes: FuturesUnordered<BoxFuture<'a, Answer>> = FuturesUnordered::new();
        let mut last = Instant::now();
        let mut failure = None;
        loop {
            // One batch alone first: its effect is looked at before the rest follows.
            let wanted = if self.checked { self.shape.lanes } else { 1 };
            while failure.is_none() && lanes.len() < wanted {
                if self.ahead.is_empty() {
                    self.prepare_ahead().await?;
                }
                let Some(batch) = self.ahead.pop_front() else {
                    break;
                };
                let note = format!("{} batch {}", self.name, batch.number + 1);
                lanes.push(Box::pin(send(destination, batch, note)));
            }
            let Some(answer) = lanes.next().await else {
                break;
            };
            if let Err(error) = self.settle(answer).await {
                // What is under way is waited for, so that its outcome is known; nothing new is sent.
                failure.get_or_insert(error);
            }
            if last.elapsed() >= BETWEEN_CHECKPOINTS || self.pending_bytes > MOST_PENDING {
                last = Instant::now();
                self.count(requests);
                self.checkpoint().await?;
                report(self.progress);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn count(&mut self, requests: &impl Fn() -> (u64, u64)) {
        (self.progress.requests, self.progress.throttled) = requests();
    }

    /// Parts with nothing to send but keys to forget are settled at once; the others know how much they wait for.
    async fn settle_forgotten(&mut self) -> Result<()> {
        for part in 0..PARTS {
            let ops = self.plan.part(part)?;
            let to_send = ops.iter().filter(|op| op.kind != OpKind::Forget).count();
            if to_send > 0 {
                self.open.insert(part, to_send);
            } else if !ops.is_empty() {
                self.close_part(part, &ops).await?;
                if self.pending_bytes > MOST_PENDING {
                    self.checkpoint().await?;
                }
            }
        }
        Ok(())
    }

    /// Writes down the next batches, all in one transaction.
    async fn prepare_ahead(&mut self) -> Result<()> {
        for _ in 0..self.shape.lanes * AHEAD {
            let Some(batch) = self.next_batch()? else {
                break;
            };
            self.pending.prepared.push(batch.note()?);
            let mut parts: Vec<usize> = batch.places.iter().map(|place| place.part).collect();
            parts.sort_unstable();
            parts.dedup();
            self.parts_of.insert(batch.number, parts.len());
            for part in parts {
                self.batches_of.entry(part).or_default().push(batch.number);
            }
            self.ahead.push_back(batch);
        }
        if self.ahead.is_empty() {
            Ok(())
        } else {
            self.checkpoint().await
        }
    }

    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut batch = Batch {
            number: self.next_number,
            ops: Vec::new(),
            places: Vec::new(),
        };
        while batch.ops.len() < self.shape.batch {
            let Some((place, op)) = self.feed.next(self.plan)? else {
                break;
            };
            batch.ops.push(op);
            batch.places.push(place);
        }
        if batch.ops.is_empty() {
            return Ok(None);
        }
        self.next_number += 1;
        Ok(Some(batch))
    }

    async fn settle(&mut self, answer: Answer) -> Result<()> {
        let Answer {
            batch,
            refused,
            failure,
        } = answer;
        if let Some(failure) = failure {
            // It stays written down: nobody knows how much of it has arrived.
            return Err(failure);
        }
        self.progress.delivered += (batch.ops.len() - refused.len()) as u64;
        self.progress.rejected += refused.len() as u64;
        for (index, reason) in &refused {
            self.refused.insert(batch.places[*index]);
            self.keep_error(&batch.ops[*index], reason);
        }
        let reason = refused
            .first()
            .map(|(_, reason)| reason.clone())
            .unwrap_or_default();
        let refused: HashSet<usize> = refused.iter().map(|(index, _)| *index).collect();
        // What does not show is as good as unanswered.
        self.check_effect(&batch, &refused).await?;
        self.pending.answered.push(batch.answer(&refused)?);
        nothing_taken(self.progress, &reason)?;
        for place in batch.places {
            let left = self.open.get_mut(&place.part).map(|left| {
                *left -= 1;
                *left
            });
            if left == Some(0) {
                let ops = self.plan.part(place.part)?;
                self.close_part(place.part, &ops).await?;
            }
        }
        Ok(())
    }

    fn keep_error(&mut self, op: &Op, reason: &str) {
        self.kept_errors += 1;
        if self.kept_errors <= MOST_ERRORS {
            self.pending.errors.push(row_error(op, reason));
        }
    }

    /// Looks whether the first batch did what was acknowledged.
    async fn check_effect(&mut self, batch: &Batch, refused: &HashSet<usize>) -> Result<()> {
        if !self.checked {
            self.checked = check_effect(self.destination, &batch.ops, refused).await?;
        }
        Ok(())
    }

    /// Puts the new state of a part into the next checkpoint.
    async fn close_part(&mut self, part: usize, ops: &[Op]) -> Result<()> {
        self.open.remove(&part);
        let before = self.ledger.block(part).await?;
        let refused = &self.refused;
        let taken = |index: usize| !refused.contains(&Place { part, index });
        let after = diff::apply(self.plan.mode, &before, ops, taken)?;
        let bytes = after.finish()?;
        self.refused.retain(|place| place.part != part);
        self.pending_bytes += bytes.len();
        self.pending.blocks.push(BlockUpdate { part, bytes });
        for batch in self.batches_of.remove(&part).unwrap_or_default() {
            if let Some(parts) = self.parts_of.get_mut(&batch) {
                *parts -= 1;
                if *parts == 0 {
                    self.parts_of.remove(&batch);
                    self.pending.settled.push(batch);
                }
            }
        }
        Ok(())
    }

    async fn checkpoint(&mut self) -> Result<()> {
        let mut checkpoint = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        checkpoint.progress = Some(self.progress);
        Ok(self.ledger.checkpoint(checkpoint).await?)
    }
}

/// Looks whether a batch did what was acknowledged: some servers say yes and do nothing. False when there was nothing to
/// look at.
pub(super) async fn check_effect(
    destination: &dyn Destination,
    ops: &[Op],
    refused: &HashSet<usize>,
) -> Result<bool> {
    let taken = ops
        .iter()
        .enumerate()
        .filter(|(index, _)| !refused.contains(index));
    let taken: Vec<&Op> = taken.map(|(_, op)| op).collect();
    // The first, the last and one between.
    let places: BTreeSet<usize> = match taken.len() {
        0 => return Ok(false),
        n => [0, n / 2, n - 1].into(),
    };
    let sample: Vec<Op> = places.into_iter().map(|place| taken[place].clone()).collect();
    match destination.missing(&sample).await? {
        Some(key) => Err(SyncError::NotApplied {
            key: shown(&key),
            cure: "Check at the destination whether this key may write here.".to_owned(),
        }),
        None => Ok(true),
    }
}

/// What came of some operations: those that were refused, by their places and with the reason; or the failure that ends the
/// run.
pub(super) struct Sent {
    pub(super) refused: Vec<(usize, String)>,
    pub(super) failure: Option<SyncError>,
}

async fn send(destination: &dyn Destination, batch: Batch, note: String) -> Answer {
    let Sent { refused, failure } = send_ops(destination, &batch.ops, &note).await;
    Answer {
        batch,
        refused,
        failure,
    }
}

/// Sends operations, and in halves what is refused, until the wrong rows are found.
pub(super) async fn send_ops(destination: &dyn Destination, ops: &[Op], note: &str) -> Sent {
    let mut refused = Vec::new();
    let mut failure = None;
    let whole = 0..ops.len();
    let mut ranges = vec![whole];
    while let Some(range) = ranges.pop() {
        match destination.send(&ops[range.clone()], note).await {
            Ok(()) => {}
            Err(Refusal::Batch(reason)) if range.len() == 1 => refused.push((range.start, reason)),
            Err(Refusal::Batch(_)) => {
                let middle = range.start + range.len() / 2;
                // The first half comes off the stack first: the order of the batch is kept.
                ranges.push(middle..range.end);
                ranges.push(range.start..middle);
            }
            Err(Refusal::Run(error)) => {
                failure = Some(error);
                break;
            }
        }
    }
    Sent { refused, failure }
}

/// A row that the destination refused.
pub(super) fn row_error(op: &Op, reason: &str) -> RowError {
    RowError {
        key: shown(&op.key),
        op: op.kind.as_str().to_owned(),
        reason: reason.to_owned(),
    }
}

/// The fault is in no row when none is taken.
pub(super) fn nothing_taken(progress: Progress, reason: &str) -> Result<()> {
    if progress.delivered > 0 || progress.rejected < REFUSED_BEFORE_GIVING_UP {
        return Ok(());
    }
    Err(SyncError::destination(
        format!("The destination refuses every row: {reason}"),
        "The fault is in the settings, not in single rows.",
    ))
}
