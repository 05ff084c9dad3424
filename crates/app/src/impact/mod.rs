//! What a change would do before it is made: who of the stored identities would get another answer.
//!
//! The change is made in a transaction that is never committed, by the code that makes it for good; both states of the
//! environment are compiled, and identities are evaluated under both. Of a large environment a random sample is.
//!
//! - `proposal.rs`: the two states
//! - `walk.rs`: which identities are looked at, in what time
//! - `tally.rs`: how they answer
//! - `estimate.rs`: what a sample says of all

mod estimate;
mod proposal;
mod tally;
mod walk;

use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

pub use estimate::Count;
pub use proposal::{Proposal, SegmentProposal};
pub use tally::{Affected, Answer, AnswerCount, Difference, FeatureImpact, Named, SegmentImpact, Transition};

use crate::{App, Caller, Error, Result, explanations};

/// How long somebody waits for others' previews to end.
const WAIT: Duration = Duration::from_secs(5);

/// What a change would do.
#[derive(Debug, Clone)]
pub struct Impact {
    /// Whether every stored identity was evaluated; otherwise a uniform random sample was.
    pub exact: bool,
    /// Stored identities of the environment.
    pub identities: u64,
    /// Those that were evaluated.
    pub evaluated: u64,
    /// Those that would get another answer for some feature.
    pub changed: Count,
    /// Features that are changed, or whose answers are.
    pub features: Vec<FeatureImpact>,
    /// Segments whose rules are changed.
    pub segments: Vec<SegmentImpact>,
    /// Some of those that would notice, drawn at random.
    pub sample: Vec<Affected>,
}

/// Fails unless the caller may see the environment and its identities: asked before an input is looked at.
///
/// Whoever may see them may ask what a change would do, also where he may not make it, or not without approval. To see
/// identities is needed even for counts: rules of one's own choice would tell what their traits are.
pub async fn require_view(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    explanations::require_view(app, caller, api_key).await.map(drop)
}

/// Counts what a change would do. Nothing is stored. Ends when it is no longer waited for.
pub async fn preview(app: &App, caller: &Caller, api_key: &str, proposal: Proposal) -> Result<Impact> {
    require_view(app, caller, api_key).await?;
    let _slot = slot(app).await?;
    let deadline = Instant::now() + app.settings().impact.time_limit;
    let (before, after, concerned) = proposal::both_states(app, caller, api_key, proposal).await?;
    let environment_id = before.environment.id;
    let comparison = in_background(move || tally::Comparison::new(&before, &after, &concerned)).await?;
    walk::count(app, environment_id, comparison, deadline).await
}

async fn slot(app: &App) -> Result<OwnedSemaphorePermit> {
    let slot = app.impact_slots().clone().acquire_owned();
    match tokio::time::timeout(WAIT, slot).await {
        Ok(slot) => slot.map_err(|error| Error::Internal(error.to_string())),
        Err(_) => Err(Error::Throttled(WAIT.as_secs())),
    }
}

/// Runs what takes long on a thread that may be busy.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Internal(error.to_string()))
}
