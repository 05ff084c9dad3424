//! Which identities are looked at: all of them, or as many as chance and time allow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burgee_store::identities::Identity;
use burgee_store::identity_admin::{self, Filter};
use rand::RngExt;
use rand::seq::SliceRandom;

use super::tally::{Comparison, Tally};
use super::{Impact, in_background};
use crate::{App, Result};

/// Identities read at a time: all that is in memory of them.
const PAGE: usize = 500;
/// The most ids drawn for one page: few of them belong to a small environment among large ones.
const DRAWN: usize = 20_000;

/// Ends the work on another thread once nobody waits for it.
#[derive(Debug, Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Evaluates what can be evaluated until the deadline.
///
/// Looking at all of them gets the first half of the time. A sample keeps its meaning whenever it ends, so it makes do
/// with what is left; the first ones of a list would not.
pub(super) async fn count(
    app: &App,
    environment_id: i64,
    comparison: Comparison,
    deadline: Instant,
) -> Result<Impact> {
    let comparison = Arc::new(comparison);
    let mut tx = app.db().read().await?;
    let identities = identity_admin::count(&mut tx, environment_id, &Filter::default()).await?;
    drop(tx);
    let identities = identities.unsigned_abs();
    let walk = Walk {
        app,
        environment_id,
        comparison: &comparison,
        stop: Stop::default(),
    };
    if identities <= app.settings().impact.exact_identities {
        let half = Instant::now() + deadline.saturating_duration_since(Instant::now()) / 2;
        if let Some(tally) = walk.all(half).await? {
            return Ok(tally.report(&comparison, None));
        }
    }
    let wanted = app.settings().impact.sampled_identities;
    let tally = walk.sample(identities, wanted, deadline).await?;
    Ok(tally.report(&comparison, Some(identities)))
}

#[derive(Debug)]
struct Walk<'a> {
    app: &'a App,
    environment_id: i64,
    comparison: &'a Arc<Comparison>,
    stop: Stop,
}

impl Walk<'_> {
    /// Every identity; `None` when the time did not suffice.
    async fn all(&self, deadline: Instant) -> Result<Option<Tally>> {
        let mut tally = Tally::new(self.comparison);
        let mut after = String::new();
        loop {
            let mut tx = self.app.db().read().await?;
            let page = identity_admin::following(&mut tx, self.environment_id, &after, PAGE as i64).await?;
            drop(tx);
            let Some(last) = page.last() else {
                return Ok(Some(tally));
            };
            after.clone_from(&last.identifier);
            let is_last = page.len() < PAGE;
            let is_done;
            (tally, is_done) = self.evaluate(tally, page, deadline).await?;
            if !is_done {
                return Ok(None);
            }
            if is_last {
                return Ok(Some(tally));
            }
        }
    }

    /// Identities drawn with replacement, each as likely as any other: of the ids there are, those of the environment.
    async fn sample(&self, identities: u64, wanted: u64, deadline: Instant) -> Result<Tally> {
        let mut tally = Tally::new(self.comparison);
        let mut tx = self.app.db().read().await?;
        let range = identity_admin::id_range(&mut tx).await?;
        drop(tx);
        let Some((lowest, highest)) = range.filter(|_| identities > 0) else {
            return Ok(tally);
        };
        let span = highest.abs_diff(lowest).saturating_add(1);
        // So many that a page is full of those that are there.
        let drawn = (u128::from(span) * PAGE as u128 / u128::from(identities)) as usize;
        let drawn = drawn.clamp(PAGE, DRAWN);
        while tally.evaluated() < wanted {
            let ids = draw(lowest..=highest, drawn);
            let mut tx = self.app.db().read().await?;
            let mut page = identity_admin::among(&mut tx, self.environment_id, &ids).await?;
            drop(tx);
            // Where time ends in the middle of a page, what was looked at is still chance.
            page.shuffle(&mut rand::rng());
            let is_done;
            (tally, is_done) = self.evaluate(tally, page, deadline).await?;
            if !is_done {
                break;
            }
        }
        Ok(tally)
    }

    /// Evaluates a page on a thread that may be busy; says whether there is time for more.
    async fn evaluate(
        &self,
        mut tally: Tally,
        page: Vec<Identity>,
        deadline: Instant,
    ) -> Result<(Tally, bool)> {
        let (comparison, stop) = (self.comparison.clone(), self.stop.0.clone());
        in_background(move || {
            for identity in &page {
                if stop.load(Ordering::Relaxed) || Instant::now() >= deadline {
                    return (tally, false);
                }
                tally.add(&comparison, identity);
            }
            (tally, Instant::now() < deadline)
        })
        .await
    }
}

fn draw(ids: std::ops::RangeInclusive<i64>, count: usize) -> Vec<i64> {
    let mut random = rand::rng();
    (0..count).map(|_| random.random_range(ids.clone())).collect()
}
