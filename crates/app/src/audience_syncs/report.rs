//! What came of a run.

use burgee_sync::config::PreparedSync;
use burgee_sync::guard::Hold;
use burgee_sync::ledger::{PlanNote, Progress};
use burgee_sync::plan::Samples;
use burgee_sync::run::Prepared;
use serde::{Deserialize, Serialize};

/// What came of a run, or of a look at what it would do.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub sync: String,
    /// `None` for a plan that was only looked at.
    pub run: Option<i64>,
    pub state: State,
    pub plan: PlanNote,
    pub samples: Samples,
    /// Why it is held.
    pub holds: Vec<Hold>,
    pub progress: Progress,
    pub error: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Looked at; nothing was to be sent.
    Planned,
    /// Waits for an approval.
    Held,
    Done,
    /// Done, but for rows that were refused or could not be sent.
    Partial,
    Failed,
    /// Somebody stopped it; what was acknowledged until then is remembered.
    Stopped,
}

impl State {
    /// As it is written down.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl Report {
    /// What is known of a run once it is planned.
    pub(super) fn of(sync: &PreparedSync, run: Option<i64>, state: State, prepared: &Prepared) -> Self {
        Self {
            sync: sync.job.name.clone(),
            run,
            state,
            plan: PlanNote {
                counts: prepared.plan.counts,
                seal: prepared.plan.seal.clone(),
            },
            samples: prepared.plan.samples.clone(),
            holds: prepared.holds.clone(),
            progress: Progress::default(),
            error: None,
        }
    }
}
