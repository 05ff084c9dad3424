//! Who is told of runs that need somebody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Result, SyncError};

/// A place that messages go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Channel {
    /// A JSON message by POST.
    Webhook { url: String },
    /// An incoming webhook of Slack.
    Slack { url: String },
    /// Mail to these addresses.
    Email { to: Vec<String> },
}

/// What is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertOn {
    /// A run failed.
    Failed,
    /// A run waits for an approval.
    Held,
    /// More than `over` per cent of what was sent was refused.
    RejectedPct,
    /// There was no success for `over` minutes.
    Stale,
}

impl AlertOn {
    /// The word in files and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
            Self::RejectedPct => "rejected_pct",
            Self::Stale => "stale",
        }
    }
}

/// One thing to tell, and whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    pub on: AlertOn,
    /// For `rejected_pct` per cent, for `stale` minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<f64>,
    /// A channel.
    pub to: String,
}

impl Alert {
    pub(super) fn check<'a>(&self, mut channels: impl Iterator<Item = &'a String>) -> Result<()> {
        let needs_over = matches!(self.on, AlertOn::RejectedPct | AlertOn::Stale);
        let said = self.over.is_some_and(|over| over.is_finite() && over >= 0.0);
        if needs_over != self.over.is_some() || (needs_over && !said) {
            let problem =
                "`over` is given with `rejected_pct` (per cent) and `stale` (minutes), and only with them";
            return Err(SyncError::config("alerts", problem));
        }
        if channels.any(|channel| *channel == self.to) {
            Ok(())
        } else {
            Err(SyncError::config(
                "alerts",
                format!("there is no channel {:?}", self.to),
            ))
        }
    }
}
