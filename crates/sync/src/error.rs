//! Why a sync could not run, told so that its reader knows the cause and the cure.

use crate::ledger::LedgerError;
use crate::plan::block::BadBlock;

/// A failure of a whole run. Rows that are refused one by one are no failure of the run.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The configuration is wrong: `where_` names the setting.
    #[error("{where_}: {problem}")]
    Config { where_: String, problem: String },
    /// The source can't be read.
    #[error("the source can't be read: {0}")]
    Source(String),
    /// The destination refuses the whole sync: credentials, a missing segment, the wrong instance, no capacity.
    #[error("{problem}. {cure}")]
    Destination { problem: String, cure: String },
    /// The destination did not answer, or not sensibly, for as long as was tried.
    #[error("the destination can't be reached: {0}")]
    Unreachable(String),
    /// The destination acknowledged what it did not do.
    #[error("the destination acknowledged {key:?} but does not show it. {cure}")]
    NotApplied { key: String, cure: String },
    /// Somebody, or the end of the program, stopped the run.
    #[error("the run was stopped")]
    Stopped,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    State(#[from] BadBlock),
    #[error("scratch files can't be used: {0}")]
    Scratch(#[from] std::io::Error),
}

impl SyncError {
    /// A setting that is wrong.
    pub fn config(where_: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Config {
            where_: where_.into(),
            problem: problem.into(),
        }
    }

    /// A refusal by the destination, with what to do about it.
    pub fn destination(problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Destination {
            problem: problem.into(),
            cure: cure.into(),
        }
    }
}

/// The outcome of most steps of a run.
pub type Result<T> = std::result::Result<T, SyncError>;
